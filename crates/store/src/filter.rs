//! What a search is narrowed to.

use std::collections::BTreeSet;

use clusterlore_core::Selector;

/// Conditions that a document must meet; an empty set means: any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of clusters (empty string: the unnamed one).
    pub clusters: BTreeSet<String>,
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Types as `plural.group`.
    pub types: BTreeSet<String>,
    /// Conditions on labels.
    pub selector: Selector,
}

/// The parts of a document that a filter looks at. `labels` is `key=value` joined by `\x1f`, sorted by key.
#[derive(Debug, Clone, Copy)]
pub struct FilterView<'a> {
    /// Name of the cluster.
    pub cluster: &'a str,
    /// Namespace, or `_cluster`.
    pub namespace: &'a str,
    /// `plural.group`.
    pub type_name: &'a str,
    /// Joined labels.
    pub labels: &'a str,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Whether the document passes.
    pub fn admits(&self, view: FilterView<'_>) -> bool {
        let any_of = |set: &BTreeSet<String>, value: &str| set.is_empty() || set.contains(value);
        any_of(&self.clusters, view.cluster)
            && any_of(&self.namespaces, view.namespace)
            && any_of(&self.types, view.type_name)
            && (self.selector.is_empty() || self.selector.matches(|key| label(view.labels, key)))
    }
}

/// Labels as one string that can be searched without parsing.
pub(crate) fn join_labels(labels: &std::collections::BTreeMap<String, String>) -> String {
    labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("\x1f")
}

fn label<'a>(labels: &'a str, key: &str) -> Option<&'a str> {
    labels.split('\x1f').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_must_hold() {
        let labels = join_labels(&[("app", "nginx"), ("tier", "web=1,2")].map(|(k, v)| (k.into(), v.into())).into());
        let view = FilterView { cluster: "", namespace: "a", type_name: "pods", labels: &labels };
        let filter = |namespace: &str, ty: &str, selector: &str| Filter {
            namespaces: [namespace.to_owned()].into(),
            types: [ty.to_owned()].into(),
            selector: selector.parse().unwrap(),
            ..Filter::default()
        };
        assert!(Filter::default().admits(view));
        assert!(filter("a", "pods", "app=nginx,tier,!ap").admits(view));
        assert!(!filter("b", "pods", "").admits(view));
        assert!(!filter("a", "services", "").admits(view));
        assert!(!filter("a", "pods", "app=ngin").admits(view));
        assert_eq!(label(&labels, "tier"), Some("web=1,2"));
    }
}
