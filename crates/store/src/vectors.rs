//! The door to collections of documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::{Collection, ContentHash, Document, EmbedderIdentity, ObjectKey};

use crate::{Filter, StoreError};

/// A document to be written, with its vector.
#[derive(Debug, Clone)]
pub struct Upsert {
    /// What is written.
    pub document: Document,
    /// Its vector; `None` keeps the stored one, because the text did not change.
    pub vector: Option<Vec<f32>>,
}

/// What one transaction does: upserts, then deletes. Applying it twice is applying it once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Written or replaced.
    pub upserts: Vec<Upsert>,
    /// Documents that go.
    pub deletes: Vec<ObjectKey>,
    /// Name of the cluster whose documents go, empty for the unnamed one.
    pub cluster: String,
    /// Number of the source that writes.
    pub source: i64,
}

impl Batch {
    /// Documents of one cluster that go, and nothing else.
    pub fn deleting(cluster: &str, deletes: Vec<ObjectKey>) -> Self {
        Self { deletes, cluster: cluster.to_owned(), ..Self::default() }
    }

    /// What is written, and nothing else.
    pub fn writing(source: i64, upserts: Vec<Upsert>) -> Self {
        Self { upserts, source, ..Self::default() }
    }
}

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

/// One document that may answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Stored id.
    pub id: String,
    /// The document's text.
    pub text: String,
    /// The noun, as JSON.
    pub record: String,
    /// `plural.group`.
    pub type_name: String,
    /// Cosine of document and question, -1 to 1; 0 where either has no vector.
    pub similarity: f32,
}

/// What a probe brings up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// In no particular order, each once.
    pub documents: Vec<Candidate>,
    /// How many documents hold each term of the probe, in the whole collection.
    pub frequencies: Vec<usize>,
    /// How many documents the collection has.
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

/// Collections of documents with their vectors, cosine distance.
#[async_trait]
pub trait VectorStore: Send + Sync {
    /// Makes sure that the collection exists and that this embedder may write to it.
    ///
    /// # Errors
    /// [`StoreError::OtherEmbedder`] when another one filled it.
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError>;

    /// The collection, if there is one.
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

    /// Writes a batch as one transaction.
    ///
    /// # Errors
    /// Nothing of the batch is written then.
    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError>;

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
    async fn terms(&self, collection: Collection) -> Result<Arc<Vec<(String, usize)>>, StoreError>;

    /// Documents per cluster and type, sorted.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError>;

    /// Up to `limit` documents of all clusters, after the page that gave `after`. What is written meanwhile may be missing.
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

    /// Hands a collection over to another embedder. Its documents stay and are found by their words; each counts as changed, so
    /// that syncs embed it again, and a sync that is cut off goes on where it stopped.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError>;
}

/// A whole store: documents, and what syncs remember.
pub trait Store: VectorStore + crate::StateStore {
    /// File or server, for people: without user, password and key.
    fn place(&self) -> String;

    /// Its files on this machine: nothing else may be written in their place.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Bytes on this machine's disk, where that can be told.
    fn size(&self) -> Option<u64> {
        None
    }
}
