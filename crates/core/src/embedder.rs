//! Which embedder made the vectors of a collection: vectors of two embedders must never meet.

use serde::{Deserialize, Serialize};

/// Name and dimensions of an embedder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderIdentity {
    /// Such as `builtin-v2` or `voyage:voyage-4`.
    pub name: String,
    /// Length of its vectors.
    pub dimensions: usize,
}

impl std::fmt::Display for EmbedderIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} dimensions)", self.name, self.dimensions)
    }
}
