//! The collection `clusterlore`: what all machines that use the server must agree on, a document each. Its vectors say nothing.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use clusterlore_core::Metadata;
use serde_json::{Value, json};

use super::api::{Pages, Row};
use super::client::Refusal;
use super::seen::random;
use super::server::Chroma;
use crate::error::StoreError;

const NOTES: &str = "clusterlore";
/// Notes of one answer.
const PAGE: usize = 2_000;
/// How often other machines may take the notes away while they are read.
const REMOVED: u32 = 3;

/// One note.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Note {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) metadata: Metadata,
}

impl Note {
    pub(super) fn new(id: String, text: String, facets: &[(&str, &str)]) -> Self {
        let metadata = facets.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        Self { id, text, metadata }
    }
}

impl Chroma {
    async fn notes_id(&self) -> Result<Option<String>, StoreError> {
        let kept = self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept {
            Some(id) => Ok(Some(id)),
            None => {
                let id = self.api().find(NOTES).await?.map(|c| c.id);
                self.keep_notes_id(id.clone());
                Ok(id)
            }
        }
    }

    fn keep_notes_id(&self, id: Option<String>) {
        *self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// All notes with these facets, in no particular order.
    pub(super) async fn notes(&self, facets: &[(&str, &str)]) -> Result<Vec<Note>, StoreError> {
        let mut conditions: Vec<Value> = facets.iter().map(|(k, v)| json!({*k: {"$eq": v}})).collect();
        let condition = if conditions.len() == 1 { conditions.remove(0) } else { json!({"$and": conditions}) };
        let (mut notes, mut pages, mut removed) = (Vec::new(), Pages::default(), 0);
        loop {
            let Some(id) = self.notes_id().await? else { return Ok(Vec::new()) };
            let asked = json!({"where": condition, "limit": PAGE, "offset": notes.len(), "include": ["documents", "metadatas"]});
            let got = match self.api().get(&id, &asked).await {
                Ok(got) => got,
                // Another machine removed it, or made it again.
                Err(Refusal::NotThere(_)) if removed < REMOVED => {
                    self.keep_notes_id(None);
                    (notes, pages) = (Vec::new(), Pages::default());
                    removed += 1;
                    continue;
                }
                Err(refusal) => return Err(self.api().error(refusal)),
            };
            pages.turn(self.api(), &got.ids)?;
            let page = got.ids.len();
            let texts = got.documents.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
            let metadatas = got.metadatas.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
            let page_of = got.ids.into_iter().zip(texts.zip(metadatas));
            notes.extend(page_of.map(|(id, (text, metadata))| Note { id, text, metadata }));
            if page < PAGE {
                return Ok(notes);
            }
        }
    }

    /// Writes notes, the collection too where it is missing, and takes others away.
    pub(super) async fn note(&self, notes: Vec<Note>, gone: &[String]) -> Result<(), StoreError> {
        for last in [false, true] {
            let id = match self.notes_id().await? {
                Some(id) => id,
                None => {
                    let id = self.api().create(NOTES, &json!({"hnsw:space": "cosine"})).await?.id;
                    self.keep_notes_id(Some(id.clone()));
                    id
                }
            };
            let row = |n: &Note| Row {
                id: n.id.clone(),
                text: n.text.clone(),
                metadata: n.metadata.clone(),
                vector: Some(vec![1.0]),
            };
            let done = match self.api().write(&id, notes.iter().map(row).collect()).await {
                Ok(()) => self.api().delete(&id, gone).await,
                Err(refusal) => Err(refusal),
            };
            match done {
                Ok(()) => return Ok(()),
                Err(Refusal::NotThere(_)) if !last => self.keep_notes_id(None),
                Err(refusal) => return Err(self.api().error(refusal)),
            }
        }
        Ok(())
    }

    /// What each writer last called its writing to `name`.
    pub(super) async fn revisions(&self, name: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let notes = self.notes(&[("what", "revision"), ("of", name)]).await?;
        Ok(notes.into_iter().map(|n| (n.id, n.text)).collect())
    }

    /// Tells the others that this machine wrote to `name`; gives what it is called and how it calls it.
    pub(super) async fn announce(&self, name: &str) -> Result<(String, String), StoreError> {
        let id = format!("revision:{name}:{}", self.writer().await?);
        let text = random();
        self.note(vec![Note::new(id.clone(), text.clone(), &[("what", "revision"), ("of", name)])], &[]).await?;
        Ok((id, text))
    }

    /// The name of this machine's mirror among the writers.
    async fn writer(&self) -> Result<String, StoreError> {
        const WRITER: &str = "writer";
        let mirror = self.mirror().await?;
        if let Some(writer) = mirror.stamp(WRITER).await? {
            return Ok(writer);
        }
        mirror.set_stamp(WRITER, &random(), None).await?;
        Ok(mirror.stamp(WRITER).await?.unwrap_or_default())
    }
}
