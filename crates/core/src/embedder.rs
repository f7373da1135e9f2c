//! Which embedder made the vectors of a collection: vectors of two embedders must never meet.

use serde::{Deserialize, Serialize};

/// Name and dimensions of an embedder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderIdentity {
    /// Such as `builtin-v3` or `voyage:voyage-4`.
    pub name: String,
    /// Length of its vectors.
    pub dimensions: usize,
}

impl EmbedderIdentity {
    const UNKNOWN: &str = "unknown";

    /// Who filled a collection that another program made: it tells no name, and no dimensions (0) before its first vector.
    pub fn unknown(dimensions: usize) -> Self {
        Self { name: Self::UNKNOWN.to_owned(), dimensions }
    }

    /// Whether nobody knows who it is.
    pub fn is_unknown(&self) -> bool {
        self.name == Self::UNKNOWN
    }

    /// Whether `other` may go on where this one stopped: the same, or one whose vectors fit where nobody knows who made them.
    pub fn admits(&self, other: &Self) -> bool {
        self == other || self.is_unknown() && (self.dimensions == 0 || self.dimensions == other.dimensions)
    }
}

impl std::fmt::Display for EmbedderIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_unknown() {
            return write!(f, "another program ({} dimensions)", self.dimensions);
        }
        write!(f, "{} ({} dimensions)", self.name, self.dimensions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_embedder_admits_what_fits() {
        let of = |name: &str, dimensions| EmbedderIdentity { name: name.to_owned(), dimensions };
        assert!(of("a", 4).admits(&of("a", 4)) && !of("a", 4).admits(&of("b", 4)) && !of("a", 4).admits(&of("a", 8)));
        let admitted = [0, 4, 8].map(|d| EmbedderIdentity::unknown(d).admits(&of("a", 4)));
        assert_eq!(admitted, [true, true, false]);
        assert_eq!(EmbedderIdentity::unknown(4).to_string(), "another program (4 dimensions)");
    }
}
