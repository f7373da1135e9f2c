//! One line of an export.

use clusterlore_core::{EmbedderIdentity, ResourceType};
use clusterlore_store::KnownSource;
use serde::{Deserialize, Serialize};

/// Version of the lines. A file of a newer one is refused.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Line {
    Header(Header),
    Source(KnownSource),
    Type(KnownType),
    Answer(Answer),
    Collection(Section),
    Document(Moved),
    End(End),
}

/// What the first line says of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Of the format.
    pub version: u32,
    /// Whose vectors the file holds, where it holds any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<EmbedderIdentity>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KnownType {
    pub(super) cluster: String,
    #[serde(flatten)]
    pub(super) ty: ResourceType,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) key: String,
    pub(super) answer: String,
}

/// The documents that follow are this collection's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) embedder: EmbedderIdentity,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Moved {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) source: i64,
    pub(super) record: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vector: Option<Vec<f32>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct End {
    pub(super) documents: usize,
}
