//! Writing: batches of documents, each a transaction.

use async_trait::async_trait;
use clusterlore_core::{Collection, Document, EmbedderIdentity, JournalBounds, JournalEntry, ObjectKey};

use crate::error::StoreError;

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
    /// What happened, for the journal; in the order of time.
    pub journal: Vec<JournalEntry>,
    /// What of the journal stays, of each cluster that entries are of.
    pub bounds: JournalBounds,
}

impl Batch {
    /// Documents of one cluster that go, and nothing else.
    pub fn deleting(cluster: &str, deletes: Vec<ObjectKey>) -> Self {
        Self { deletes, cluster: cluster.to_owned(), ..Self::default() }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.deletes.is_empty() && self.journal.is_empty()
    }

    /// What is written, and nothing else.
    pub fn writing(source: i64, upserts: Vec<Upsert>) -> Self {
        Self { upserts, source, ..Self::default() }
    }
}

/// Writes documents. One run at a time writes what is a cluster's (see [`crate::runs::Runs::lock`]).
#[async_trait]
pub trait Writer: Send + Sync {
    /// Makes sure that the collection exists and that this embedder may write to it.
    ///
    /// # Errors
    /// [`StoreError::OtherEmbedder`] when another one filled it.
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError>;

    /// Writes a batch as one transaction. (Where documents lie in a server that has none, the journal follows them in its own.)
    ///
    /// # Errors
    /// Nothing of the batch is written then.
    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError>;

    /// Hands a collection over to another embedder. Its documents stay and are found by their words; each counts as changed, so
    /// that syncs embed it again, and a sync that is cut off goes on where it stopped.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError>;
}

/// Whether the entries of a journal are to be counted, after so many came: about once in some hundreds, as counting takes a walk over all of
/// them.
pub(crate) fn is_to_be_counted(came: usize) -> bool {
    const COUNTED_AFTER: usize = 256;
    fastrand::usize(..COUNTED_AFTER) < came
}
