//! From a question to ranked hits, each with its reasons. [`search`] is the one door.
//!
//! Never in this room: flags, printing, and writing to a store.

mod kinds;
mod ranking;
mod understand;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{CAPABILITIES, INSTANCES, ResourceInstance, ResourceType, words};
use clusterlore_models::{EmbedError, Embedder, Purpose};
use clusterlore_store::{Candidates, Filter, Probe, StateStore, StoreError, VectorStore};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use kinds::{UnknownKind, resolve_kinds};
pub use ranking::{KIND_WEIGHT, MEANING_WEIGHT, Reason, SOFTWARE_WEIGHT, Score, WORDS_WEIGHT};
pub use understand::{Understood, understand};

/// Documents that the nearest vectors put up for ranking.
const NEAREST: usize = 120;
/// Documents that the words put up for ranking.
const CONTAINING: usize = 160;

/// Documents that are looked at where only a scope was asked for.
const SCOPE: usize = 1_000;
/// Hits among which one with evidence is looked for.
const EVIDENCE_WITHIN: usize = 5;

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// What is running.
    #[default]
    Instances,
    /// Which resource types there are.
    Types,
}

impl Target {
    /// The collection that holds it.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Instances => INSTANCES,
            Self::Types => CAPABILITIES,
        }
    }
}

/// A question and its limits.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// As it was asked.
    pub text: String,
    /// Where to look.
    pub target: Target,
    /// What may be found at all.
    pub filter: Filter,
    /// How many hits at most.
    pub limit: usize,
}

/// What a hit is.
#[derive(Debug, Clone, PartialEq)]
pub enum Noun {
    /// Something that runs.
    Instance(Box<ResourceInstance>),
    /// A type.
    Type(Box<ResourceType>),
}

/// One document that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Stored id.
    pub id: String,
    /// What it is.
    pub noun: Noun,
    /// Why it stands where it stands.
    pub score: Score,
}

/// Hits, best first, and what they were chosen from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// What the question was understood to say.
    pub understood: Understood,
    /// Documents in the collection.
    pub total: usize,
    /// Documents that pass the filter.
    pub admitted: usize,
}

/// A search that could not be done.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The question cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The collection is not there.
    #[error("nothing is indexed yet: the store has no collection \"{0}\". Fill it with \"clusterlore sync-instances\"")]
    Empty(&'static str),
    /// Another embedder filled it.
    #[error(
        "collection \"{collection}\" was filled by embedder {stored}; this search uses {offered}. Search with --embedder {stored}, or embed everything again with \"clusterlore sync-instances --reindex\""
    )]
    OtherEmbedder {
        /// Which collection.
        collection: &'static str,
        /// Who filled it.
        stored: String,
        /// Who asks.
        offered: String,
    },
    /// A question without words.
    #[error("the question is empty; ask for something, such as \"what databases are running?\"")]
    NoQuestion,
}

/// Answers a question.
///
/// # Errors
/// See [`SearchError`].
pub async fn search<S: VectorStore + StateStore>(
    store: &S,
    embedder: &dyn Embedder,
    question: &Question,
) -> Result<Answer, SearchError> {
    if words::split(&question.text).is_empty() {
        return Err(SearchError::NoQuestion);
    }
    let collection = question.target.collection();
    let info = store.collection(collection).await?.ok_or(SearchError::Empty(collection))?;
    let offered = embedder.identity();
    if info.embedder != offered {
        return Err(SearchError::OtherEmbedder { collection, stored: info.embedder.name, offered: offered.name });
    }
    let catalogue = Catalogue::builtin();
    let understood = match question.target {
        Target::Instances => {
            let types: Vec<ResourceType> = store.types().await?.into_iter().map(|(_, t)| t).collect();
            understand(&question.text, &question.filter, &*store.vocabulary(collection).await?, &types, catalogue)
        }
        // A type has no scope: every word of the question is about what it is for.
        Target::Types => {
            Understood { text: question.text.clone(), filter: question.filter.clone(), ..Understood::default() }
        }
    };
    if understood.impossible.is_some() {
        return Ok(Answer { hits: Vec::new(), understood, total: info.documents, admitted: 0 });
    }
    let terms = question_terms(&understood.text);
    let vector = match understood.scope_only {
        true => Vec::new(),
        false => embedder.embed(Purpose::Query, vec![understood.text.clone()]).await?.pop().unwrap_or_default(),
    };
    // Before the frequencies are known, the ranking knows already which names say what is asked for.
    let aliases = ranking::Ranking::new(catalogue, &understood, &[], &[], 0).aliases();
    let nearest = if understood.scope_only { SCOPE } else { NEAREST };
    let mut looked_for = terms.clone();
    looked_for.extend(aliases.into_iter().filter(|alias| !terms.contains(alias)));
    let probe = Probe { vector, terms: looked_for, filter: understood.filter.clone(), nearest, containing: CONTAINING };
    let Candidates { documents, frequencies, total, admitted } = store.probe(collection, probe).await?;
    let ranking = ranking::Ranking::new(catalogue, &understood, &terms, &frequencies[..terms.len()], total);
    let mut hits: Vec<Hit> = documents
        .into_iter()
        .filter_map(|candidate| {
            let noun = match question.target {
                Target::Instances => Noun::Instance(serde_json::from_str(&candidate.record).ok()?),
                Target::Types => Noun::Type(serde_json::from_str(&candidate.record).ok()?),
            };
            let score = ranking.score(&noun, &candidate.type_name, candidate.similarity);
            Some(Hit { id: candidate.id, noun, score })
        })
        .filter(|hit| hit.score.total() > 0.0)
        .collect();
    // Equal scores stand in the order of their ids, so that an answer is the same twice.
    hits.sort_by(|a, b| b.score.total().total_cmp(&a.score.total()).then_with(|| a.id.cmp(&b.id)));
    // Where nothing near the top has evidence, nothing fits; where something has, what is near it may stand beside it.
    if !hits.iter().take(EVIDENCE_WITHIN).any(|hit| hit.score.has_evidence()) {
        hits.clear();
    }
    hits.truncate(question.limit);
    drop(ranking);
    Ok(Answer { hits, understood, total, admitted })
}

/// The words of a question that say what is looked for; all of them where only little words were used.
fn question_terms(text: &str) -> Vec<String> {
    let telling: Vec<String> = words::split(text).into_iter().filter(|w| !words::is_stop_word(w)).collect();
    if telling.is_empty() { words::terms(text) } else { words::terms(&telling.join(" ")) }
}

#[cfg(test)]
mod tests;
