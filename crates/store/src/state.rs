//! The door to what a sync remembers between runs.

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;

/// A source that has written to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownSource {
    /// Its number, which its documents carry.
    pub number: i64,
    /// Name of the cluster it filled, empty for the unnamed one.
    pub cluster: String,
    /// What it is known by.
    pub identity: SourceIdentity,
    /// Whether another source took its place.
    pub replaced: bool,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// `sync-instances`.
    pub command: String,
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339; empty while it runs, and for ever when it was killed.
    pub finished: String,
    /// The summary, or the error.
    pub summary: Value,
}

/// Held by the one run that writes; let go when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct RunLock {
    _file: std::fs::File,
}

impl RunLock {
    pub(crate) fn holding(file: std::fs::File) -> Self {
        Self { _file: file }
    }
}

/// Types, runs and sources.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Takes the right to write; one sync at a time.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another run holds it.
    async fn lock(&self) -> Result<RunLock, StoreError>;

    /// All sources, the replaced ones too.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError>;

    /// Remembers the source of a cluster and gives its number. With `replace`, the sources that were there count as replaced;
    /// without, the identity is renewed.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_source(&self, cluster: &str, identity: &SourceIdentity, replace: bool)
    -> Result<i64, StoreError>;

    /// Every known type with its cluster's name, by cluster and name.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn types(&self) -> Result<Vec<(String, ResourceType)>, StoreError>;

    /// Replaces what is known of a cluster's types.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError>;

    /// Notes the beginning of a run and gives its number.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn begin_run(&self, run: &RunRecord) -> Result<i64, StoreError>;

    /// Notes its end.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn finish_run(&self, number: i64, run: &RunRecord) -> Result<(), StoreError>;

    /// The last run of each cluster, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError>;
}
