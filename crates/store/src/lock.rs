//! Who writes: one run at a time holds the lock.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::error::StoreError;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RunKind {
    /// Reads what is running.
    #[serde(rename = "sync-instances")]
    Instances,
    /// Reads what resource types are for.
    #[serde(rename = "sync")]
    Capabilities,
    /// Keeps what is running up to date.
    #[serde(rename = "watch")]
    Watch,
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
            Self::Watch => "a watch",
            Self::Import => "an import",
            Self::Other => "a run",
        })
    }
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
    /// Ends when the lock is lost; `None`: it cannot be.
    lost: Option<Lost>,
}

/// A lock of a server's that its holder can lose.
struct Lost {
    place: String,
    /// Closed when it is lost.
    closed: watch::Receiver<()>,
}

impl std::fmt::Debug for RunLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunLock")
    }
}

impl RunLock {
    /// Holds what, when dropped, lets the lock go.
    pub(crate) fn holding(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held), lost: None }
    }

    /// As [`Self::holding`], of a lock at `place` that is lost when `closed` is closed.
    pub(crate) fn until_closed(held: impl Send + Sync + 'static, place: String, closed: watch::Receiver<()>) -> Self {
        Self { _held: Box::new(held), lost: Some(Lost { place, closed }) }
    }

    /// Does what needs the lock, as long as it is held.
    ///
    /// # Errors
    /// The lock is lost, and another may have it: `work` was dropped where it was.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        let Some(Lost { place, closed }) = &self.lost else { return Ok(work.await) };
        let mut closed = closed.clone();
        tokio::select! {
            biased;
            _ = closed.wait_for(|()| false) => Err(StoreError::Unreachable {
                place: place.clone(),
                detail: "the connection that held the lock ended".to_owned(),
            }),
            done = work => Ok(done),
        }
    }
}
