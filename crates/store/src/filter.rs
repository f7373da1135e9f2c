//! What a search is narrowed to.

use std::collections::BTreeSet;

use clusterlore_core::{ObjectKey, Selector};

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
    /// Conditions on annotations, of those that are kept.
    pub annotations: Selector,
    /// The objects themselves.
    pub keys: BTreeSet<ObjectKey>,
}

/// The parts of a document that a filter looks at. Labels and annotations are `key=value` joined by `\x1f`, sorted by key.
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
    /// Joined annotations.
    pub annotations: &'a str,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        let Self { clusters, namespaces, types, selector, annotations, keys } = self;
        let places = clusters.is_empty() && namespaces.is_empty() && types.is_empty();
        places && selector.is_empty() && annotations.is_empty() && keys.is_empty()
    }

    /// Whether the document passes. Its key is the store's to compare.
    pub fn admits(&self, view: FilterView<'_>) -> bool {
        self.admits_place(view.cluster, view.namespace, view.type_name)
            && (self.selector.is_empty() || self.selector.matches(|key| value(view.labels, key)))
            && (self.annotations.is_empty() || self.annotations.matches(|key| value(view.annotations, key)))
    }

    /// Whether documents of a type in a namespace of a cluster may pass: all of them do where [`Self::is_by_place`].
    pub(crate) fn admits_place(&self, cluster: &str, namespace: &str, type_name: &str) -> bool {
        let any_of = |set: &BTreeSet<String>, value: &str| set.is_empty() || set.contains(value);
        any_of(&self.clusters, cluster) && any_of(&self.namespaces, namespace) && any_of(&self.types, type_name)
    }

    /// Whether it looks at nothing of a document but its cluster, its namespace and its type.
    pub(crate) fn is_by_place(&self) -> bool {
        self.selector.is_empty() && self.annotations.is_empty() && self.keys.is_empty()
    }
}

/// What stands between two pairs.
pub(crate) const BETWEEN: char = '\x1f';

/// Labels, or annotations, as one string that can be searched without parsing. No value can look like another pair.
pub(crate) fn join(pairs: &std::collections::BTreeMap<String, String>) -> String {
    let mut joined = String::new();
    for (n, (key, value)) in pairs.iter().enumerate() {
        if n > 0 {
            joined.push(BETWEEN);
        }
        joined.push_str(key);
        joined.push('=');
        joined.extend(value.chars().map(|c| if c == BETWEEN { ' ' } else { c }));
    }
    joined
}

fn value<'a>(pairs: &'a str, key: &str) -> Option<&'a str> {
    pairs.split(BETWEEN).find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_must_hold() {
        let joined = |pairs: [(&str, &str); 2]| join(&pairs.map(|(k, v)| (k.into(), v.into())).into());
        let labels = joined([("app", "nginx"), ("tier", "web=1,2")]);
        let annotations = joined([("owner", "the night\x1fapp=owls"), ("since", "2026")]);
        let view =
            FilterView { cluster: "", namespace: "a", type_name: "pods", labels: &labels, annotations: &annotations };
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
        assert_eq!(value(&labels, "tier"), Some("web=1,2"));
        let noting = |selector: &str| Filter {
            annotations: Selector::of_annotations(selector).unwrap(),
            ..filter("a", "pods", "app=nginx")
        };
        assert!(noting("owner=the night app=owls,since>2025,!app").admits(view));
        assert!(!noting("app").admits(view) && !noting("owner=owls").admits(view));
    }
}
