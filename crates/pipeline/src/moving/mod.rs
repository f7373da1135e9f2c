//! A store as JSON lines, and back: how an index moves to another store. One line a thing, each an object of one key that says what
//! it is; sources and types come before documents, and the last line says how many documents there were.

mod export;
mod import;
#[cfg(test)]
mod tests;

use clusterlore_core::{EmbedderIdentity, ResourceType};
use clusterlore_store::{KnownSource, StoreError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use clusterlore_core::SourceMismatch;
use clusterlore_models::EmbedError;

pub use export::{Exported, export};
pub use import::{Import, Imported};

/// Version of the lines. A file of a newer one is refused.
const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Line {
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
struct KnownType {
    cluster: String,
    #[serde(flatten)]
    ty: ResourceType,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    key: String,
    answer: String,
}

/// The documents that follow are this collection's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Section {
    name: String,
    embedder: EmbedderIdentity,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    source: i64,
    record: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vector: Option<Vec<f32>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    documents: usize,
}

/// An export or import that ended early. What an import wrote before is right, and importing again goes on.
#[derive(Debug, Error)]
pub enum MoveError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Texts cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The store holds another source under the same name.
    #[error(transparent)]
    Source(#[from] SourceMismatch),
    /// The file cannot be read or written.
    #[error("the file cannot be read or written")]
    File(#[from] std::io::Error),
    /// A line that is none.
    #[error("line {line}: {problem}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The last line is missing.
    #[error(
        "the file ends after line {line} and {documents} documents, before its last line; it was cut off. What it holds was imported"
    )]
    CutOff {
        /// Lines that were read.
        line: usize,
        /// Documents among them.
        documents: usize,
    },
}
