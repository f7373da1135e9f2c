//! The door to embedders.

use async_trait::async_trait;
use clusterlore_core::EmbedderIdentity;
use thiserror::Error;

use crate::endpoint::RemoteError;

/// What a text is embedded for; some models treat both differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be stored and found.
    Document,
    /// To find.
    Query,
}

/// An embedder that could not do its work.
#[derive(Debug, Error)]
pub enum EmbedError {
    /// The model's own data cannot be read.
    #[error("the embedder {name} cannot be loaded: {problem}")]
    Load {
        /// Which embedder.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The work itself stopped.
    #[error("the embedder {name} failed: {problem}")]
    Failed {
        /// Which embedder.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A service did not do its part.
    #[error("the embedder {name} failed: {problem}")]
    Remote {
        /// Which embedder.
        name: String,
        /// What is wrong.
        problem: RemoteError,
    },
}

/// Turns texts into vectors of one length.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// What a collection remembers of it.
    fn identity(&self) -> EmbedderIdentity;

    /// One vector of unit length a text, in the order of the texts. A text without a known word gives a vector of zeros.
    ///
    /// # Errors
    /// When the model fails as a whole; there are no partial answers.
    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// Whether it has a meaning for exactly this word, in lower case; `None` where it cannot tell.
    fn knows(&self, word: &str) -> Option<bool> {
        let _ = word;
        None
    }

    /// Words that it has a meaning for, in lower case, the most usual ones first; empty where it cannot tell.
    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    /// The host that texts are sent to; `None`: they stay here.
    fn sends_to(&self) -> Option<&str> {
        None
    }

    /// Hears that what was embedded is stored, so that nothing need be kept for a second try.
    fn settled(&self) {}
}
