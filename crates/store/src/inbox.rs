//! What others sent and nobody has worked off yet.

use async_trait::async_trait;

use crate::error::StoreError;

/// Bytes of posts that wait at most: some hundred times what a cluster of 20,000 objects sends when its controller starts.
pub(crate) const MOST_BYTES: u64 = 1 << 30;

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Posts of objects.
    pub posts: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Names of types.
    pub scans: usize,
}

/// A post as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its number: one that was sent after another was kept has a higher one.
    pub number: i64,
    /// Its body.
    pub body: Vec<u8>,
}

/// A type that is to be looked at, or forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// `plural.group`.
    pub name: String,
    /// Whether the type is gone.
    pub gone: bool,
    /// Number of the request that asked for it last.
    pub number: i64,
}

/// Where posts wait: what was put there is still there after the process was killed. Whoever works off a cluster's holds its lock, from
/// before they are read until they are forgotten.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// How much waits.
    ///
    /// # Errors
    /// It cannot be read.
    async fn waiting(&self) -> Result<Waiting, StoreError>;

    /// Names of the clusters about which anything waits (empty: the unnamed one), sorted.
    ///
    /// # Errors
    /// It cannot be read.
    async fn clusters(&self) -> Result<Vec<String>, StoreError>;

    /// Keeps a post.
    ///
    /// # Errors
    /// It cannot be written, or holds as much as it may ([`StoreError::Crowded`]); nothing was kept then.
    async fn put(&self, cluster: &str, body: Vec<u8>) -> Result<(), StoreError>;

    /// The oldest posts about a cluster, in their order: at most so many, and of more than one at most so many bytes.
    ///
    /// # Errors
    /// It cannot be read.
    async fn oldest(&self, cluster: &str, most: usize, bytes: usize) -> Result<Vec<Post>, StoreError>;

    /// Forgets the posts of these numbers: they are in the store.
    ///
    /// # Errors
    /// It cannot be written.
    async fn done(&self, numbers: Vec<i64>) -> Result<(), StoreError>;

    /// Keeps the names of types that are to be looked at or forgotten; of a name that is kept already the newer request counts, and in one
    /// request `upserts` count after `deletes`.
    ///
    /// # Errors
    /// It cannot be written; nothing was kept then.
    async fn scan(&self, cluster: &str, upserts: Vec<String>, deletes: Vec<String>) -> Result<(), StoreError>;

    /// All types of a cluster that are to be looked at or forgotten.
    ///
    /// # Errors
    /// It cannot be read.
    async fn scans(&self, cluster: &str) -> Result<Vec<Scan>, StoreError>;

    /// Forgets these; what was asked for again in the meantime stays.
    ///
    /// # Errors
    /// It cannot be written.
    async fn scanned(&self, cluster: &str, scans: Vec<Scan>) -> Result<(), StoreError>;
}
