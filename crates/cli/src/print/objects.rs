//! How objects are called.

use std::collections::{BTreeMap, BTreeSet};

/// As kubectl takes it: `deployment.apps/checkout`, `pod/x`; of a type its name (`certificates.cert-manager.io`).
pub(super) fn kubectl_name(id: &str) -> String {
    // A stored id is the namespace, the API version in one part or two, the kind and the name.
    let parts: Vec<&str> = id.split('/').collect();
    match parts[..] {
        [_, _, kind, name] => format!("{}/{name}", kind.to_lowercase()),
        [_, group, _, kind, name] => format!("{}.{group}/{name}", kind.to_lowercase()),
        _ => id.to_owned(),
    }
}

/// Kinds as a column has them: with their group where two of them share a name.
pub(super) fn kinds<'a>(kinds: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let kinds: Vec<(&str, &str)> = kinds.collect();
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (kind, group) in &kinds {
        groups.entry(kind).or_default().insert(group);
    }
    let told = |(kind, group): (&str, &str)| match groups[kind].len() > 1 && !group.is_empty() {
        true => format!("{kind}.{group}"),
        false => kind.to_owned(),
    };
    kinds.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_kubectl_takes_them() {
        for (id, name) in [
            ("shop/apps/v1/Deployment/checkout", "deployment.apps/checkout"),
            ("shop/v1/Pod/x", "pod/x"),
            (
                "_cluster/rbac.authorization.k8s.io/v1/ClusterRole/system:node",
                "clusterrole.rbac.authorization.k8s.io/system:node",
            ),
            ("certificates.cert-manager.io", "certificates.cert-manager.io"),
        ] {
            assert_eq!(kubectl_name(id), name);
        }
    }

    #[test]
    fn a_kind_has_its_group_where_two_share_a_name() {
        let all = [("Cluster", "postgresql.cnpg.io"), ("Pod", ""), ("Cluster", "cluster.x-k8s.io"), ("Pod", "")];
        assert_eq!(kinds(all.into_iter()), ["Cluster.postgresql.cnpg.io", "Pod", "Cluster.cluster.x-k8s.io", "Pod"]);
    }
}
