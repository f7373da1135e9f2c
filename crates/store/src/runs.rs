//! What runs remember between each other: locks, sources, types, schemas, what models answered.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity, TypeSchema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;

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

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RunKind {
    /// Reads what is running.
    #[serde(rename = "sync-instances")]
    Instances,
    /// Reads what resource types are for.
    #[serde(rename = "sync")]
    Capabilities,
    /// Reads an export.
    #[serde(rename = "import")]
    Import,
    /// Something that a newer program does.
    #[serde(other, rename = "other")]
    Other,
}

impl RunKind {
    /// As stores keep it.
    pub(crate) fn stored(self) -> String {
        serde_json::to_value(self).ok().and_then(|kind| Some(kind.as_str()?.to_owned())).unwrap_or_default()
    }

    /// The inverse of [`Self::stored`].
    pub(crate) fn of_stored(kind: &str) -> Self {
        serde_json::from_value(Value::from(kind)).unwrap_or(Self::Other)
    }
}

impl std::fmt::Display for RunKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Instances => "a sync of instances",
            Self::Capabilities => "a sync of capabilities",
            Self::Import => "an import",
            Self::Other => "a run",
        })
    }
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

/// Who holds a lock, as told to those who wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What it does.
    pub command: RunKind,
    /// Number of its process.
    pub process: u32,
    /// The machine of that process, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// RFC 3339.
    pub since: String,
}

impl Holder {
    /// This process.
    pub fn new(command: RunKind, since: String) -> Self {
        Self { command, process: std::process::id(), machine: None, since }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, process, machine, since } = self;
        let machine = machine.as_ref().map(|machine| format!(" on {machine}")).unwrap_or_default();
        write!(f, "{command}, process {process}{machine}, since {since}")
    }
}

/// Held by the one run that writes; let go when dropped, and by the system when the process dies.
pub struct RunLock {
    _held: Box<dyn std::any::Any + Send + Sync>,
}

impl std::fmt::Debug for RunLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunLock")
    }
}

impl RunLock {
    /// Holds what, when dropped, lets the lock go.
    pub(crate) fn holding(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
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
