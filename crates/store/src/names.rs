//! What clusters are called. Documents carry the name by which a cluster was indexed, which never changes; people see, and may type, the
//! name that its source has: a context, a folder, or what somebody chose.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_core::SourceIdentity;

use crate::error::StoreError;
use crate::runs::KnownSource;

/// Each cluster with the name that is shown of it. No two have the same, and none has the stored name of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterNames(BTreeMap<String, String>);

impl ClusterNames {
    /// Of all sources, the replaced ones too.
    pub fn of(sources: &[KnownSource]) -> Self {
        let mut taken: BTreeSet<String> = sources.iter().map(|source| source.cluster.clone()).collect();
        let mut names = BTreeMap::new();
        for KnownSource { cluster, .. } in sources {
            if names.contains_key(cluster) {
                continue;
            }
            let of_it = |source: &&KnownSource| source.cluster == *cluster && !source.replaced;
            let given = sources.iter().filter(of_it).map(|source| &source.name).find(|name| !name.is_empty());
            let name = match given {
                Some(name) if !taken.contains(name) => name.clone(),
                Some(name) if cluster.is_empty() => {
                    let numbered = (2_u64..).map(|n| format!("{name}-{n}"));
                    numbered.into_iter().find(|name| !taken.contains(name)).unwrap_or_default()
                }
                _ => cluster.clone(),
            };
            taken.insert(name.clone());
            names.insert(cluster.clone(), name);
        }
        Self(names)
    }

    /// What is shown of a cluster; empty where it was indexed without a name by a program that gave it none.
    pub fn shown<'a>(&'a self, cluster: &'a str) -> &'a str {
        self.0.get(cluster).map_or(cluster, String::as_str)
    }

    /// The stored name of the cluster that somebody names by either.
    pub fn meant(&self, said: &str) -> Option<&str> {
        let by_name = || self.0.iter().find(|(_, shown)| *shown == said).map(|(cluster, _)| cluster.as_str());
        self.0.get_key_value(said).map(|(cluster, _)| cluster.as_str()).or_else(by_name)
    }

    /// Stored names, each with what is shown.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(cluster, shown)| (cluster.as_str(), shown.as_str()))
    }
}

/// Refuses a cluster that is in the index under another name than this, unless it is there under this one too.
///
/// # Errors
/// [`StoreError::UnderAnotherName`].
pub fn under_another_name(sources: &[KnownSource], cluster: &str, identity: &SourceIdentity) -> Result<(), StoreError> {
    let is_it = |source: &&KnownSource| !source.replaced && source.identity.is_same_cluster(identity);
    if sources.iter().filter(is_it).any(|source| source.cluster == cluster) {
        return Ok(());
    }
    match sources.iter().find(is_it) {
        Some(known) => Err(StoreError::UnderAnotherName {
            cluster: cluster.to_owned(),
            known: known.cluster.clone(),
            shown: ClusterNames::of(sources).shown(&known.cluster).to_owned(),
            offered: identity.to_string(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Readings;

    fn source(cluster: &str, name: &str, uid: Option<&str>, server: &str) -> KnownSource {
        KnownSource {
            number: 1,
            cluster: cluster.to_owned(),
            identity: at(uid, server),
            replaced: false,
            name: name.to_owned(),
            readings: Readings::default(),
        }
    }

    fn at(uid: Option<&str>, server: &str) -> SourceIdentity {
        SourceIdentity::Cluster { uid: uid.map(Into::into), server: server.into(), ca_hash: "c".into() }
    }

    #[test]
    fn no_two_clusters_are_shown_alike() {
        for (known, shown) in [
            (&[("", "kind-dev"), ("west", "west")][..], &["kind-dev", "west"][..]),
            (&[("", "west"), ("west", "west")], &["west-2", "west"]),
            (&[("", "west"), ("west-2", ""), ("west", "west")], &["west-3", "west-2", "west"]),
            (&[("a", "prod"), ("b", "prod"), ("", "prod")], &["prod", "b", "prod-2"]),
            (&[("", ""), ("old", "")], &["", "old"]),
        ] {
            let sources: Vec<KnownSource> =
                known.iter().map(|(id, name)| source(id, name, None, "https://a")).collect();
            let names = ClusterNames::of(&sources);
            let told: Vec<&str> = known.iter().map(|(id, _)| names.shown(id)).collect();
            assert_eq!(told, shown, "{known:?}");
            for (cluster, shown) in names.iter() {
                assert_eq!((names.meant(cluster), names.meant(shown)), (Some(cluster), Some(cluster)));
            }
        }
        let names = ClusterNames::default();
        assert_eq!((names.shown("posted"), names.meant("posted")), ("posted", None));
    }

    #[test]
    fn the_name_of_what_was_replaced_is_not_shown() {
        let old = KnownSource { replaced: true, ..source("", "east", None, "https://a") };
        let new = KnownSource { number: 2, ..source("", "west", None, "https://b") };
        assert_eq!(ClusterNames::of(&[old, new]).shown(""), "west");
    }

    #[test]
    fn a_cluster_is_not_indexed_twice() {
        let known = [source("", "kind-dev", Some("1"), "https://a"), source("old", "", None, "https://b")];
        for (name, offered, is_refused) in [
            ("x", at(Some("1"), "https://elsewhere"), Some("kind-dev")),
            ("x", at(None, "https://a"), Some("kind-dev")),
            ("x", at(Some("2"), "https://b"), Some("old")),
            ("x", at(Some("2"), "https://a"), None),
            ("x", at(None, "https://c"), None),
            ("", at(Some("1"), "https://elsewhere"), None),
            ("x", SourceIdentity::Folder { path: "/m".into() }, None),
        ] {
            let refused = under_another_name(&known, name, &offered).map_err(|error| match error {
                StoreError::UnderAnotherName { shown, .. } => shown,
                other => other.to_string(),
            });
            assert_eq!(refused.err().as_deref(), is_refused, "{name} {offered}");
        }
        let twice = [&known[..], &[source("x", "", Some("1"), "https://a")]].concat();
        assert!(under_another_name(&twice, "x", &at(Some("1"), "https://a")).is_ok(), "it goes on as it was");
    }
}
