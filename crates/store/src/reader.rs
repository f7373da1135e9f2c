//! Reading: one state of a store, seen under one scope.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::{
    Collection, ContentHash, EmbedderIdentity, JournalEntry, JournalQuery, ObjectKey, ResourceType, Scope, TOLD_APART,
    api_group,
};
use serde_json::Value;

use crate::error::StoreError;
use crate::filter::Filter;
use crate::runs::{KnownSource, RunRecord};

/// What a scan sees of a document.
#[derive(Debug, Clone, Copy)]
pub struct Scanned<'a> {
    /// Which object.
    pub key: ObjectKey,
    /// Its stored id.
    pub id: &'a str,
    /// What it was when written.
    pub hash: ContentHash,
    /// `plural.group`.
    pub type_name: &'a str,
    /// Namespace, or `_cluster`.
    pub namespace: &'a str,
    /// Number of the source that wrote it.
    pub source: i64,
}

/// A collection as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionInfo {
    /// Who made its vectors.
    pub embedder: EmbedderIdentity,
    /// How many documents it holds.
    pub documents: usize,
}

/// Documents of one kind in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// `plural.group`.
    pub type_name: String,
    /// How many.
    pub documents: usize,
}

/// What a store is asked for on behalf of a question.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// The question's vector, of unit length; empty: meaning plays no part.
    pub vector: Vec<f32>,
    /// The question's terms (see `core::words::terms`).
    pub terms: Vec<String>,
    /// What may be found at all.
    pub filter: Filter,
    /// How many documents nearest to the vector.
    pub nearest: usize,
    /// How many documents that hold the rarest terms.
    pub containing: usize,
}

/// A document that may answer a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What is stored; a store that keeps documents in memory hands out the one that it keeps.
    pub shown: Arc<Shown>,
    /// Cosine of document and question, -1 to 1; 0 where either has no vector.
    pub similarity: f32,
}

impl Candidate {
    /// One that nobody else keeps.
    pub fn new(shown: Shown, similarity: f32) -> Self {
        Self { shown: Arc::new(shown), similarity }
    }
}

impl Deref for Candidate {
    type Target = Shown;

    fn deref(&self) -> &Shown {
        &self.shown
    }
}

/// What questions see of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Stored id.
    pub id: String,
    /// The noun, as JSON.
    pub record: String,
    /// `plural.group`.
    pub type_name: String,
}

/// What a probe brings up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// In no particular order, each once.
    pub documents: Vec<Candidate>,
    /// How many documents hold each term of the probe.
    pub frequencies: Vec<usize>,
    /// How many documents there are.
    pub total: usize,
    /// How many documents pass the filter.
    pub admitted: usize,
}

/// By what the documents of a collection can be narrowed: what a question may name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Types as `plural.group`.
    pub types: BTreeSet<String>,
    /// Values by label key. A key with more than [`Vocabulary::MOST_VALUES`] tells objects apart rather than groups them and is
    /// left out.
    pub labels: BTreeMap<String, BTreeSet<String>>,
}

impl Vocabulary {
    /// Values of a label key that are kept.
    pub const MOST_VALUES: usize = 500;
}

/// The terms of a collection, with the number of documents that hold each. There are as many as documents, so they lie in one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// One after another, sorted.
    text: String,
    /// Where each ends in the text, and how many documents hold it.
    all: Vec<(u32, u32)>,
}

impl Terms {
    /// Adds what comes next in the order of terms. What comes once more adds to its documents.
    pub fn push(&mut self, term: &str, documents: usize) {
        let documents = u32::try_from(documents).unwrap_or(u32::MAX);
        if let Some(last) = self.all.len().checked_sub(1)
            && self.term(last) == term
        {
            self.all[last].1 = self.all[last].1.saturating_add(documents);
            return;
        }
        // No collection has 4 GB of words.
        if let Ok(end) = u32::try_from(self.text.len() + term.len()) {
            self.text.push_str(term);
            self.all.push((end, documents));
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.all.iter().enumerate().map(|(at, (_, documents))| (self.term(at), *documents as usize))
    }

    /// How many documents hold a term. `None`: it is not one of them.
    pub fn documents(&self, term: &str) -> Option<usize> {
        let (mut from, mut to) = (0, self.all.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.term(middle).cmp(term) {
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
                Ordering::Equal => return Some(self.all[middle].1 as usize),
            }
        }
        None
    }

    /// Gives back what was taken while they were read.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.all.shrink_to_fit();
    }

    fn term(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.all[at - 1].0 };
        &self.text[start as usize..self.all[at].0 as usize]
    }
}

/// A document as it lies in a collection: all that another store needs to hold it too.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Stored id.
    pub id: String,
    /// `plural.group`.
    pub type_name: String,
    /// Number of the source that wrote it.
    pub source: i64,
    /// The noun, as JSON.
    pub record: String,
    /// Its vector; `None` where it was not asked for, or where there is none.
    pub vector: Option<Vec<f32>>,
}

/// Some documents of a collection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// In the store's own order.
    pub documents: Vec<Stored>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<String>,
}

/// One state of a store under one scope. Every read of one answer is made on one view, so an answer never mixes two states; what is
/// outside the scope is not there: in no total, no frequency, no vocabulary.
///
/// A view holds its state as long as it lives. Readers never wait for writers.
#[async_trait]
pub trait View: Send + Sync {
    /// Whether the scope hides nothing.
    fn shows_all(&self) -> bool;

    /// The collection, if there is one, with the number of documents that the scope admits.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError>;

    /// Shows every document of one cluster to `visit`.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError>;

    /// The records of those documents that are there.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError>;

    /// The documents that may answer.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError>;

    /// By what the documents can be narrowed.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError>;

    /// How many documents hold each of the terms.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError>;

    /// All terms with the number of documents that hold each, in the order of the terms.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn terms(&self, collection: Collection) -> Result<Arc<Terms>, StoreError>;

    /// Documents per cluster and type, sorted.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError>;

    /// Up to `limit` documents of all clusters, after the page that gave `after`; fewer where the scope hides some of them.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError>;

    /// Every known type with its cluster's name, by cluster and name. Asked for on every search, so a store keeps it at hand.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn types(&self) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError>;

    /// All sources of the clusters of which anything may be seen, the replaced ones too.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError>;

    /// What happened to objects that the scope admits, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn journal(&self, query: JournalQuery) -> Result<Vec<JournalEntry>, StoreError>;

    /// The last run of each command and cluster, newest first. What it counted and why it failed is told to those only who may see
    /// all of its cluster.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError>;
}

/// The types of which a scope admits objects.
pub(crate) fn types_in(scope: &Scope, all: Arc<Vec<(String, ResourceType)>>) -> Arc<Vec<(String, ResourceType)>> {
    let admits = |(cluster, ty): &&(String, ResourceType)| scope.admits_type(cluster, &ty.name());
    if scope.is_all() || all.iter().all(|ty| admits(&ty)) {
        return all;
    }
    Arc::new(all.iter().filter(admits).cloned().collect())
}

/// Whether an entry of the journal is asked for, and one that the scope admits.
pub(crate) fn journal_admits(scope: &Scope, query: &JournalQuery, entry: &JournalEntry) -> bool {
    let JournalEntry { cluster, type_name, namespace, api_version, kind, name, .. } = entry;
    let key = || ObjectKey::new(cluster, api_group(api_version), kind, namespace, name);
    // Nothing else asks for it, and it is a hash.
    let object = || (type_name == TOLD_APART).then(key);
    query.admits(entry)
        && (scope.is_all() || scope.admits(Collection::Instances, cluster, type_name, namespace, object().as_ref()))
}

/// What of the last runs a scope admits.
pub(crate) fn runs_in(scope: &Scope, runs: Vec<RunRecord>) -> Vec<RunRecord> {
    let within = runs.into_iter().filter(|run| scope.admits_cluster(&run.cluster));
    let told = |run: RunRecord| match scope.admits_whole_cluster(&run.cluster) {
        true => run,
        false => RunRecord { summary: Value::Null, ..run },
    };
    within.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_found_by_themselves() {
        let mut terms = Terms::default();
        assert!(terms.is_empty() && terms.documents("a").is_none() && terms.iter().next().is_none());
        let all = ["", "a", "ab", "b", "ü", "水"];
        for term in all {
            terms.push(term, 1);
            terms.push(term, term.len());
        }
        terms.shrink();
        assert_eq!(terms.len(), all.len());
        assert!(terms.iter().eq(all.map(|term| (term, term.len() + 1))));
        assert!(all.iter().all(|term| terms.documents(term) == Some(term.len() + 1)));
        assert!(["A", "aa", "abc", "c", "火", "🐺"].iter().all(|term| terms.documents(term).is_none()));
    }
}
