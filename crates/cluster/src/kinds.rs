//! What is known of a kind without a cluster, and which of two versions of a group counts more.

use std::cmp::Ordering;

use clusterlore_core::ResourceType;
use kube::core::Version;

use crate::builtin;

/// The type that objects of this kind most likely have: the one that Kubernetes has, else one with the plural that English has.
/// `namespaced` says whether the object lives in a namespace.
pub fn probable_type(api_version: &str, kind: &str, namespaced: bool) -> ResourceType {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let built_in = builtin::types().find(|ty| ty.group == group && ty.kind == kind);
    let made = || ResourceType { namespaced, ..made_up(group, version, kind) };
    built_in.or_else(|| builtin::elsewhere(group, version, kind)).unwrap_or_else(made)
}

/// The type that a kind would have of which nothing is known but its name.
pub(crate) fn made_up(group: &str, version: &str, kind: &str) -> ResourceType {
    ResourceType {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: ResourceType::plural_of(kind),
        singular: kind.to_ascii_lowercase(),
        verbs: builtin::VERBS.map(str::to_owned).into(),
        ..ResourceType::default()
    }
}

/// Compares two versions (`v1`, `v2beta1`, `apps/v1`) as the API server ranks them: the greater one is preferred.
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let priority = |version: &str| Version::parse(version.rsplit('/').next().unwrap_or_default()).priority();
    priority(one).cmp(&priority(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_have_their_plural_and_stable_versions_come_first() {
        assert_eq!(
            probable_type("networking.k8s.io/v1", "NetworkPolicy", true).name(),
            "networkpolicies.networking.k8s.io"
        );
        assert_eq!(probable_type("v1", "Endpoints", true).name(), "endpoints");
        assert_eq!(probable_type("x.io/v1", "Whale", false).name(), "whales.x.io");
        for (less, more) in
            [("autoscaling/v1", "autoscaling/v2"), ("v2beta1", "v1"), ("v1alpha1", "v1beta1"), ("odd", "v1")]
        {
            assert_eq!(compare_versions(less, more), Ordering::Less, "{less} {more}");
        }
    }
}
