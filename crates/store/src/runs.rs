//! What runs remember between each other: locks, sources, types, schemas, what models answered.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity, TypeSchema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::lock::{Holder, RunKind, RunLock};

/// A source that has written to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What it does.
    pub command: RunKind,
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339; empty while it runs, and for ever when it was killed.
    pub finished: String,
    /// The summary, or the error.
    pub summary: Value,
}

/// What a run needs beside documents. What of it may be shown to callers is read through a [`crate::reader::View`].
#[async_trait]
pub trait Runs: Send + Sync {
    /// Takes the right to write what is a cluster's, for `me`; one sync of a cluster at a time. A store of one file has one lock for
    /// all. Does not wait.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another run holds it.
    async fn lock(&self, cluster: &str, me: &Holder) -> Result<RunLock, StoreError>;

    /// Remembers the source of a cluster and gives its number. With `replace`, the sources that were there count as replaced;
    /// without, the identity is renewed.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_source(&self, cluster: &str, identity: &SourceIdentity, replace: bool)
    -> Result<i64, StoreError>;

    /// Replaces what is known of a cluster's types.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError>;

    /// What was read of the schemas of a cluster's types, by `plural.group`, with the revision of what it was read from.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn schemas(&self, cluster: &str) -> Result<HashMap<String, (String, TypeSchema)>, StoreError>;

    /// Remembers schemas (type, revision, schema) in the place of what was known of these types, and forgets those of others.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_schemas(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), StoreError>;

    /// What a model answered to the question of this key.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn answer(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// All answers of models, by key.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn answers(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// Remembers a model's answer, so that the same question is not paid for twice.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remember_answer(&self, key: &str, answer: &str) -> Result<(), StoreError>;

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
}
