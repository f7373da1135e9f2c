//! What goes wrong when an index moves.

use clusterlore_core::SourceMismatch;
use clusterlore_models::EmbedError;
use clusterlore_store::StoreError;
use thiserror::Error;

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
