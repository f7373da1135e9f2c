//! Where documents came from, so that another cluster or folder is never mistaken for the one that filled the index.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a source is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum SourceIdentity {
    /// A live API server. Either mark is enough to know it again: the URL changes when a load balancer does, the uid is
    /// unreadable for a user who may not read kube-system.
    #[serde(rename_all = "camelCase")]
    Cluster {
        /// uid of the namespace kube-system, where it may be read.
        uid: Option<String>,
        /// Server URL as the kubeconfig gives it.
        server: String,
        /// SHA-256 (hex) of the certificate authority's data; empty where the system's trust store is used.
        ca_hash: String,
    },
    /// A folder of manifests.
    Folder {
        /// Absolute path with links resolved, or [`SourceIdentity::STANDARD_INPUT`].
        path: String,
    },
    /// A controller that posts what it sees.
    Controller,
}

/// A run from another source than the one that filled the index.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the index holds {known}, but this run reads {offered}; nothing was changed. Give this source a name of its own with --cluster-name NAME, or replace what is indexed with --replace-source"
)]
pub struct SourceMismatch {
    known: String,
    offered: String,
}

impl SourceIdentity {
    /// Stands for manifests from a pipe, where a folder has its path. All pipes are one source.
    pub const STANDARD_INPUT: &str = "-";

    /// Whether both are the same source.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Cluster { uid: a, server: url_a, ca_hash: ca_a },
                Self::Cluster { uid: b, server: url_b, ca_hash: ca_b },
            ) => match (a, b) {
                // Two uids that differ are two clusters, even behind one address that was given to another cluster.
                (Some(a), Some(b)) => a == b,
                _ => url_a == url_b && ca_a == ca_b,
            },
            (Self::Folder { path: a }, Self::Folder { path: b }) => a == b,
            (Self::Controller, Self::Controller) => true,
            _ => false,
        }
    }

    /// Refuses a source that is not the known one.
    ///
    /// # Errors
    /// [`SourceMismatch`], which says how to go on.
    pub fn check(&self, offered: &Self) -> Result<(), SourceMismatch> {
        if self.same_as(offered) {
            Ok(())
        } else {
            Err(SourceMismatch { known: self.to_string(), offered: offered.to_string() })
        }
    }

    /// What is known after both were seen: a mark that only one of them has is kept.
    pub fn merged(self, newer: Self) -> Self {
        match (self, newer) {
            (Self::Cluster { uid: old, .. }, Self::Cluster { uid, server, ca_hash }) => {
                Self::Cluster { uid: uid.or(old), server, ca_hash }
            }
            (_, newer) => newer,
        }
    }
}

impl std::fmt::Display for SourceIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster { uid: Some(uid), server, .. } => write!(f, "the cluster at {server} (uid {uid})"),
            Self::Cluster { uid: None, server, .. } => write!(f, "the cluster at {server}"),
            Self::Folder { path } if path == Self::STANDARD_INPUT => write!(f, "what standard input gave"),
            Self::Folder { path } => write!(f, "the folder {path}"),
            Self::Controller => write!(f, "what a controller posts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(uid: Option<&str>, server: &str) -> SourceIdentity {
        SourceIdentity::Cluster { uid: uid.map(Into::into), server: server.into(), ca_hash: "c".into() }
    }

    #[test]
    fn either_mark_is_enough() {
        assert!(cluster(Some("1"), "https://a").same_as(&cluster(Some("1"), "https://b")));
        assert!(cluster(None, "https://a").same_as(&cluster(Some("1"), "https://a")));
        assert!(!cluster(None, "https://a").same_as(&cluster(Some("1"), "https://b")));
        assert!(!cluster(Some("2"), "https://a").same_as(&cluster(Some("1"), "https://a")));
    }

    #[test]
    fn a_folder_is_not_a_cluster() {
        let folder = SourceIdentity::Folder { path: "/m".into() };
        let refused = cluster(None, "https://a").check(&folder).unwrap_err().to_string();
        assert!(refused.contains("the cluster at https://a") && refused.contains("the folder /m"), "{refused}");
        assert!(refused.contains("--cluster-name") && refused.contains("--replace-source"), "{refused}");
    }
}
