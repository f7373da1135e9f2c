//! What a program that trains on a corpus reads of it.

use std::collections::BTreeMap;

use anyhow::Result;
use clusterlore_catalogue::Catalogue;
use clusterlore_core::Collection;
use serde::Serialize;

use crate::corpus::{Corpus, Form};
use crate::evaluation::{Document, Evaluation, Scored};

#[derive(Serialize)]
struct Dump<'a> {
    name: &'a str,
    documents: Vec<Document>,
    questions: Vec<Question<'a>>,
}

#[derive(Serialize)]
struct Question<'a> {
    id: &'a str,
    set: Form,
    class: &'a str,
    collection: Collection,
    q: &'a str,
    grades: BTreeMap<&'a str, u32>,
    count: Option<usize>,
    /// The free text that is left when conditions were read; `None` if nothing can match.
    text: Option<String>,
    candidates: Vec<Scored>,
}

/// The corpus as JSON: documents with the texts that the encoder reads, and questions with the grade of each document.
pub(crate) async fn dump(corpus: &Corpus) -> Result<String> {
    let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
    let documents = evaluation.documents().await?;
    let mut questions = Vec::new();
    for q in &corpus.questions {
        let (text, candidates) = evaluation.scored(q).await?;
        questions.push(Question {
            id: &q.id,
            set: q.form,
            class: &q.class,
            collection: q.collection,
            q: &q.text,
            grades: q.grades.iter().map(|(id, grade)| (id.as_str(), *grade)).collect(),
            count: q.count,
            text,
            candidates,
        });
    }
    let dump = Dump { name: &corpus.name, documents, questions };
    Ok(serde_json::to_string(&dump)?)
}
