//! Who writes, as it is told to others.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
