//! What ends a run.

use clusterlore_cluster::ClusterError;
use clusterlore_core::SourceMismatch;
use clusterlore_models::{EmbedError, ModelError};
use clusterlore_store::StoreError;
use thiserror::Error;

/// A run that ended early. Nothing was deleted; what was already stored is right.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The source cannot be read.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Texts cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// Another source filled the index.
    #[error(transparent)]
    Source(#[from] SourceMismatch),
    /// Every list failed or was forbidden.
    #[error("no resource type could be listed ({types} tried: {first}); nothing was changed")]
    NothingListed {
        /// How many were tried.
        types: usize,
        /// Why the first of them could not.
        first: String,
        /// Whether there may be namespaces that were not read because they cannot be listed and nobody named them.
        unnamed: bool,
        /// Whether manifests were read: there files are to be mended, in a cluster rights.
        manifests: bool,
    },
    /// The filter admits no type.
    #[error("the filters exclude all {found} resource types; expected plural.group such as deployments.apps")]
    NoTypes {
        /// How many there are.
        found: usize,
    },
    /// A type was asked for that is not served.
    #[error("there is no resource type {0:?}; expected plural.group such as deployments.apps")]
    UnknownType(String),
    /// No schema could be read.
    #[error("no schema could be read ({types} tried: {first}); nothing was changed")]
    NoSchemas {
        /// How many were tried.
        types: usize,
        /// Why the first of them could not.
        first: String,
    },
    /// The language model does not answer.
    #[error(transparent)]
    Model(ModelError),
    /// The temporary folder.
    #[error("the temporary folder cannot be used")]
    Spool(#[from] std::io::Error),
    /// A task of the run died.
    #[error("the run was cut off")]
    Task(#[from] tokio::task::JoinError),
}

impl SyncError {
    /// Whether it comes back however often it is tried: what was asked for, or the index, has to be changed first.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_lasting(),
            Self::Store(error) => matches!(
                error,
                StoreError::OtherEmbedder { .. } | StoreError::Newer { .. } | StoreError::UnderAnotherName { .. }
            ),
            Self::Source(_) | Self::NoTypes { .. } | Self::UnknownType(_) => true,
            _ => false,
        }
    }
}
