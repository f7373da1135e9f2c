//! From a question to ranked hits, each with its reasons. [`search`] is the one door.
//!
//! Never in this room: flags, printing, and writing to a store.

mod kinds;
mod ranking;

use clusterlore_core::{CAPABILITIES, INSTANCES, ResourceInstance, ResourceType, words};
use clusterlore_models::{EmbedError, Embedder, Purpose};
use clusterlore_store::{Filter, Probe, StoreError, VectorStore};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use kinds::{UnknownKind, resolve_kinds};
pub use ranking::{MEANING_WEIGHT, Score, WORDS_WEIGHT, WordMatch};

/// Documents that the nearest vectors put up for ranking.
const NEAREST: usize = 120;
/// Documents that the words put up for ranking.
const CONTAINING: usize = 160;

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
    /// Words of the question that were looked for.
    pub terms: Vec<String>,
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
pub async fn search(
    store: &dyn VectorStore,
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
    let terms = question_terms(&question.text);
    let vector = embedder.embed(Purpose::Query, vec![question.text.clone()]).await?.pop().unwrap_or_default();
    let probe = Probe {
        vector,
        terms: terms.clone(),
        filter: question.filter.clone(),
        nearest: NEAREST,
        containing: CONTAINING,
    };
    let candidates = store.probe(collection, probe).await?;
    let (total, admitted) = (candidates.total, candidates.admitted);
    let ranking = ranking::Ranking::new(&terms, &candidates.frequencies, total);
    let mut hits: Vec<Hit> = candidates
        .documents
        .into_iter()
        .filter_map(|candidate| {
            let noun = match question.target {
                Target::Instances => Noun::Instance(serde_json::from_str(&candidate.record).ok()?),
                Target::Types => Noun::Type(serde_json::from_str(&candidate.record).ok()?),
            };
            let score = ranking.score(&noun, candidate.similarity);
            Some(Hit { id: candidate.id, noun, score })
        })
        .filter(|hit| hit.score.total() > 0.0)
        .collect();
    // Equal scores stand in the order of their ids, so that an answer is the same twice.
    hits.sort_by(|a, b| b.score.total().total_cmp(&a.score.total()).then_with(|| a.id.cmp(&b.id)));
    hits.truncate(question.limit);
    Ok(Answer { hits, terms, total, admitted })
}

/// The words of a question that say what is looked for; all of them where only little words were used.
fn question_terms(text: &str) -> Vec<String> {
    let telling: Vec<String> = words::split(text).into_iter().filter(|w| !words::is_stop_word(w)).collect();
    if telling.is_empty() { words::terms(text) } else { words::terms(&telling.join(" ")) }
}

#[cfg(test)]
mod tests;
