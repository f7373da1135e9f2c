//! Why a search failed. The messages say what is wrong and what was expected; what to do about it is for the caller to say.

use clusterlore_core::{Collection, EmbedderIdentity};
use clusterlore_models::EmbedError;
use clusterlore_store::StoreError;
use thiserror::Error;

use crate::query::{LONGEST_QUESTION, UnknownKind};

/// A search that failed.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The question cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The store has no such collection.
    #[error("nothing is indexed yet: the store has no collection \"{0}\"")]
    NoCollection(Collection),
    /// Another embedder filled the collection.
    #[error("collection \"{collection}\" was filled by {stored}; this search uses {offered}")]
    OtherEmbedder {
        /// The collection.
        collection: Collection,
        /// The embedder that filled it.
        stored: EmbedderIdentity,
        /// The embedder of this search.
        offered: EmbedderIdentity,
    },
    /// There is no such object.
    #[error(
        "there is no object {id:?} in the index; expected a stored id such as shop/apps/v1/Deployment/web, or kind/name"
    )]
    NoSuchObject {
        /// The id that was given.
        id: String,
        /// Stored ids with a similar name.
        near: Vec<String>,
    },
    /// There are several objects of that kind and name.
    #[error("{id:?} is the name of {}: {}", ids.len(), ids.join(", "))]
    ManyObjects {
        /// The kind and name that were given.
        id: String,
        /// Their stored ids.
        ids: Vec<String>,
    },
    /// Too many objects are called so.
    #[error("more than {most} objects are called {name:?}; expected a name, a kind or a namespace that narrows it")]
    ManyNames {
        /// The name that was given.
        name: String,
        /// How many may be called so.
        most: usize,
    },
    /// No type has that name.
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    /// The question has no words.
    #[error("the question is empty")]
    NoQuestion,
    /// The question is too long.
    #[error("the question has {characters} characters; expected {LONGEST_QUESTION} at most")]
    LongQuestion {
        /// How many it has.
        characters: usize,
    },
}
