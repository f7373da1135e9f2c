//! Where documents came from, so that another cluster or folder is never mistaken for the one that filled the index.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a source is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum SourceIdentity {
    /// A live API server. The URL changes when a load balancer does; the uid is unreadable for a user who may not read
    /// kube-system.
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

/// Whether a character may stand in the stored name of a cluster, which is a part of ids.
pub fn is_of_cluster_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// The stored name of a cluster that is called like a context or a file, which may hold more than an id may.
pub fn cluster_name(of: &str) -> String {
    of.chars().map(|c| if is_of_cluster_name(c) { c } else { '-' }).collect()
}

/// Why a run's source is not taken for the one that filled the index.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceMismatch {
    /// It is another one.
    #[error("the index holds {known}, but this run reads {offered}; nothing was changed")]
    Other {
        /// What filled the index.
        known: String,
        /// What this run reads.
        offered: String,
    },
    /// Which cluster it is cannot be told now.
    #[error(
        "the index holds {known}, and whether this run reads the same cluster cannot be told: the uid of its namespace kube-system cannot be read at {server} ({reason}); nothing was changed"
    )]
    Unrecognised {
        /// What filled the index.
        known: String,
        /// Server URL of this run.
        server: String,
        /// Why the uid could not be read.
        reason: String,
    },
}

/// A source, and why it may not be recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is known by.
    pub source: SourceIdentity,
    /// Why the uid of a cluster could not be read.
    pub unread: Option<String>,
}

impl From<SourceIdentity> for Identity {
    fn from(source: SourceIdentity) -> Self {
        Self { source, unread: None }
    }
}

impl SourceIdentity {
    /// Stands for manifests from a pipe, where a folder has its path. All pipes are one source.
    pub const STANDARD_INPUT: &str = "-";

    /// What people call it, who know it by this context of a kubeconfig (empty: by none); empty where nothing names it.
    pub fn called(&self, context: &str) -> String {
        match self {
            Self::Cluster { .. } => context.to_owned(),
            Self::Folder { path } if path == Self::STANDARD_INPUT => String::new(),
            Self::Folder { path } => path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
            Self::Controller => String::new(),
        }
    }

    /// Whether a source that offers itself is this known one. A cluster whose uid was ever seen is recognised by that alone: its
    /// address may have been given to another cluster. Address and certificate authority serve where no uid was ever seen.
    pub fn recognises(&self, offered: &Self) -> bool {
        match (self, offered) {
            (Self::Cluster { uid: Some(known), .. }, Self::Cluster { uid, .. }) => uid.as_ref() == Some(known),
            (
                Self::Cluster { uid: None, server: known_url, ca_hash: known_ca },
                Self::Cluster { server, ca_hash, .. },
            ) => known_url == server && known_ca == ca_hash,
            (Self::Folder { path: known }, Self::Folder { path }) => known == path,
            (Self::Controller, Self::Controller) => true,
            _ => false,
        }
    }

    /// Whether both are clusters at one address that one authority vouches for: all that can be told without asking them.
    pub fn is_at(&self, other: &Self) -> bool {
        let at = |source: &Self| match source {
            Self::Cluster { server, ca_hash, .. } => Some((server.clone(), ca_hash.clone())),
            _ => None,
        };
        at(self).is_some() && at(self) == at(other)
    }

    /// Whether both are one cluster, as far as can be told: by uid where both have one, else by address and authority.
    pub fn is_same_cluster(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cluster { uid: Some(own), .. }, Self::Cluster { uid: Some(other), .. }) => own == other,
            _ => self.is_at(other),
        }
    }

    /// Refuses a source that is not the known one, or that cannot be told from another.
    ///
    /// # Errors
    /// [`SourceMismatch`], which says how to go on.
    pub fn check(&self, offered: &Identity) -> Result<(), SourceMismatch> {
        if self.recognises(&offered.source) {
            return Ok(());
        }
        let known = self.to_string();
        Err(match (self, &offered.source) {
            (Self::Cluster { uid: Some(_), .. }, Self::Cluster { uid: None, server, .. }) => {
                let reason = offered.unread.clone().unwrap_or_else(|| "the server did not say why".to_owned());
                SourceMismatch::Unrecognised { known, server: server.clone(), reason }
            }
            _ => SourceMismatch::Other { known, offered: offered.source.to_string() },
        })
    }

    /// Refuses a source that is not the known one to read from. Who may not read kube-system is known by address and authority: that is not
    /// enough to delete by, and enough to look.
    ///
    /// # Errors
    /// [`SourceMismatch`], as [`Self::check`].
    pub fn check_to_read(&self, offered: &Identity) -> Result<(), SourceMismatch> {
        match (self, &offered.source) {
            (
                Self::Cluster { server: known, ca_hash: known_hash, .. },
                Self::Cluster { uid: None, server, ca_hash },
            ) if known == server && known_hash == ca_hash => Ok(()),
            _ => self.check(offered),
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
    fn an_address_is_enough_to_look_and_not_to_delete() {
        let known = cluster(Some("u"), "https://a");
        for (offered, may_look) in [
            (cluster(None, "https://a"), true),
            (cluster(None, "https://b"), false),
            (cluster(Some("v"), "https://a"), false),
            (SourceIdentity::Folder { path: "/a".into() }, false),
        ] {
            assert_eq!(known.check_to_read(&offered.clone().into()).is_ok(), may_look, "{offered}");
            assert!(known.check(&offered.into()).is_err());
        }
    }

    #[test]
    fn a_uid_that_was_ever_seen_is_what_a_cluster_is_known_by() {
        let (a, b) = ("https://a", "https://b");
        for (known, offered, same) in [
            (cluster(Some("1"), a), cluster(Some("1"), b), true),
            (cluster(Some("1"), a), cluster(Some("2"), a), false),
            (cluster(Some("1"), a), cluster(None, a), false),
            (cluster(None, a), cluster(Some("1"), a), true),
            (cluster(None, a), cluster(None, a), true),
            (cluster(None, a), cluster(Some("1"), b), false),
            (cluster(None, a), cluster(None, b), false),
        ] {
            assert_eq!(known.recognises(&offered), same, "{known} {offered}");
        }
        let merged = cluster(None, a).merged(cluster(Some("1"), a));
        assert!(!merged.recognises(&cluster(None, a)), "from then on the uid counts");
    }

    #[test]
    fn a_cluster_whose_uid_cannot_be_read_now_is_refused_with_the_reason() {
        let offered = Identity { source: cluster(None, "https://a"), unread: Some("403 forbidden".into()) };
        let refused = cluster(Some("1"), "https://a").check(&offered).unwrap_err().to_string();
        assert!(refused.contains("403 forbidden") && refused.contains("nothing was changed"), "{refused}");
    }

    #[test]
    fn a_source_is_called_like_its_context_or_its_folder() {
        for (source, context, called) in [
            (cluster(Some("1"), "https://a"), "kind-dev", "kind-dev"),
            (cluster(None, "https://a"), "", ""),
            (SourceIdentity::Folder { path: "/a/manifests".into() }, "", "manifests"),
            (SourceIdentity::Folder { path: SourceIdentity::STANDARD_INPUT.into() }, "", ""),
            (SourceIdentity::Controller, "kind-dev", ""),
        ] {
            assert_eq!(source.called(context), called, "{source}");
        }
        assert_eq!(cluster_name("arn:aws:eks:eu-1:12:cluster/shop"), "arn-aws-eks-eu-1-12-cluster-shop");
    }

    #[test]
    fn one_cluster_is_known_by_uid_where_both_have_one() {
        let (a, b) = ("https://a", "https://b");
        for (one, other, same) in [
            (cluster(Some("1"), a), cluster(Some("1"), b), true),
            (cluster(Some("1"), a), cluster(Some("2"), a), false),
            (cluster(Some("1"), a), cluster(None, a), true),
            (cluster(None, a), cluster(None, b), false),
            (SourceIdentity::Controller, SourceIdentity::Controller, false),
        ] {
            assert_eq!((one.is_same_cluster(&other), other.is_same_cluster(&one)), (same, same), "{one} {other}");
        }
    }

    #[test]
    fn an_address_tells_clusters_apart_unasked() {
        let known = cluster(Some("1"), "https://a");
        assert!(known.is_at(&cluster(None, "https://a")) && !known.is_at(&cluster(None, "https://b")));
        let folder = SourceIdentity::Folder { path: "/m".into() };
        assert!(!folder.is_at(&folder) && !folder.is_at(&known));
    }

    #[test]
    fn a_folder_is_not_a_cluster() {
        let folder = SourceIdentity::Folder { path: "/m".into() };
        let refused = cluster(None, "https://a").check(&folder.into()).unwrap_err().to_string();
        assert!(refused.contains("the cluster at https://a") && refused.contains("the folder /m"), "{refused}");
    }
}
