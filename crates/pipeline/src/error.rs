//! What ends a run.

use clusterlore_cluster::{ClusterError, FolderSource};
use clusterlore_core::SourceMismatch;
use clusterlore_models::{EmbedError, ModelError};
use clusterlore_store::StoreError;
use thiserror::Error;

/// What to do about it: manifests have files to mend, a cluster has permissions.
fn advice(first: &str) -> &'static str {
    if first.ends_with(FolderSource::NOT_WHOLE) {
        "Mend the files that the warnings name, and run it again"
    } else {
        "Check what this user may list with \"clusterlore doctor\""
    }
}

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
    #[error("none of {types} resource types could be listed ({first}); nothing was changed. {}", advice(first))]
    NothingListed {
        /// How many were tried.
        types: usize,
        /// Why the first of them could not.
        first: String,
    },
    /// The filter admits no type.
    #[error(
        "--include and --exclude leave none of {found} resource types; expected plural.group such as deployments.apps, see \"kubectl api-resources\""
    )]
    NoTypes {
        /// How many there are.
        found: usize,
    },
    /// A type was asked for that is not served.
    #[error(
        "there is no resource type {0:?}; expected plural.group such as deployments.apps, see \"kubectl api-resources\""
    )]
    UnknownType(String),
    /// No schema could be read.
    #[error("the schemas of none of {types} resource types could be read ({first}); nothing was changed. Run it again")]
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
    #[error("the temporary folder cannot be used ({0}); free some space or point TMPDIR to another folder")]
    Spool(#[from] std::io::Error),
    /// A task of the run died.
    #[error("the run was cut off: {0}; run it again")]
    Task(#[from] tokio::task::JoinError),
}
