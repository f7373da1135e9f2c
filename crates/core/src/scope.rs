//! What a caller may see. Every read of a store is made under a scope; what is outside exists for nobody who reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::collection::Collection;
use crate::document::ObjectKey;

/// The type of which each object is told apart: to the API server, a Namespace object is in the namespace of its name.
pub const TOLD_APART: &str = "namespaces";

/// What a caller may see of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything.
    All {
        /// Why that is right, for whoever reads the code that asks for it.
        because: &'static str,
    },
    /// What one of the rules admits; nothing where there are none.
    Rules(Arc<[Rule]>),
}

/// Objects of a cluster that may be seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// Type as `plural.group`; `None`: every type.
    pub type_name: Option<String>,
    /// Namespaces, `_cluster` among them for objects that have none; `None`: all of the cluster.
    pub namespaces: Option<BTreeSet<String>>,
    /// Single objects, which only those of [`TOLD_APART`] can be; `None`: all that the rest admits.
    pub objects: Option<BTreeSet<ObjectKey>>,
}

impl Rule {
    /// Everything of a cluster.
    pub fn cluster(name: &str) -> Self {
        Self { cluster: name.to_owned(), type_name: None, namespaces: None, objects: None }
    }

    /// Whether it can admit anything.
    pub fn is_empty(&self) -> bool {
        let no_namespace = self.namespaces.as_ref().is_some_and(BTreeSet::is_empty);
        let is_told_apart = self.type_name.as_ref().is_none_or(|of| of == TOLD_APART);
        no_namespace || self.objects.as_ref().is_some_and(|objects| objects.is_empty() || !is_told_apart)
    }

    fn covers_type(&self, cluster: &str, type_name: &str) -> bool {
        self.cluster == cluster
            && self.type_name.as_ref().is_none_or(|of| of == type_name)
            && (self.objects.is_none() || type_name == TOLD_APART)
            && !self.is_empty()
    }

    fn covers(&self, cluster: &str, type_name: &str, namespace: &str, object: Option<&ObjectKey>) -> bool {
        self.covers_type(cluster, type_name)
            && self.namespaces.as_ref().is_none_or(|all| all.contains(namespace))
            && self.objects.as_ref().is_none_or(|some| object.is_some_and(|object| some.contains(object)))
    }
}

impl Scope {
    /// What the rules admit.
    pub fn rules(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::Rules(rules.into_iter().collect())
    }

    /// Whether nothing is hidden.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All { .. })
    }

    /// Whether a document of a collection may be seen. `object` has to be known of [`TOLD_APART`] only; without it rules about single objects
    /// admit nothing. What a type is for may be seen by whoever may see objects of it, in whichever
    /// namespace: its document belongs to none.
    pub fn admits(
        &self,
        collection: Collection,
        cluster: &str,
        type_name: &str,
        namespace: &str,
        object: Option<&ObjectKey>,
    ) -> bool {
        match (self, collection) {
            (Self::All { .. }, _) => true,
            (Self::Rules(rules), Collection::Instances) => {
                rules.iter().any(|rule| rule.covers(cluster, type_name, namespace, object))
            }
            (Self::Rules(_), Collection::Capabilities) => self.admits_type(cluster, type_name),
        }
    }

    /// Whether objects of a type may be seen in some namespace.
    pub fn admits_type(&self, cluster: &str, type_name: &str) -> bool {
        match self {
            Self::All { .. } => true,
            Self::Rules(rules) => rules.iter().any(|rule| rule.covers_type(cluster, type_name)),
        }
    }

    /// Whether anything of a cluster may be seen.
    pub fn admits_cluster(&self, cluster: &str) -> bool {
        match self {
            Self::All { .. } => true,
            Self::Rules(rules) => rules.iter().any(|rule| rule.cluster == cluster && !rule.is_empty()),
        }
    }

    /// Whether everything of a cluster may be seen.
    pub fn admits_whole_cluster(&self, cluster: &str) -> bool {
        match self {
            Self::All { .. } => true,
            Self::Rules(rules) => rules.iter().any(|rule| *rule == Rule::cluster(cluster)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(type_name: &str, namespaces: &[&str]) -> Rule {
        Rule {
            cluster: "east".to_owned(),
            type_name: Some(type_name.to_owned()),
            namespaces: Some(namespaces.iter().map(|n| (*n).to_owned()).collect()),
            objects: None,
        }
    }

    #[test]
    fn what_no_rule_covers_is_not_there() {
        let scope = Scope::rules([rule("pods", &["a", "b"]), rule("nodes", &["_cluster"]), rule("secrets", &[])]);
        let sees =
            |cluster, type_name, namespace| scope.admits(Collection::Instances, cluster, type_name, namespace, None);
        assert!(sees("east", "pods", "a") && sees("east", "nodes", "_cluster"));
        assert!(!sees("east", "pods", "c") && !sees("west", "pods", "a") && !sees("east", "services", "a"));
        assert!(scope.admits(Collection::Capabilities, "east", "pods", "_cluster", None));
        assert!(!scope.admits(Collection::Capabilities, "east", "secrets", "_cluster", None));
        assert!(!scope.admits(Collection::Capabilities, "west", "pods", "_cluster", None));
        assert!(scope.admits_cluster("east") && !scope.admits_whole_cluster("east") && !scope.admits_cluster("west"));
        assert!(Scope::rules([Rule::cluster("")]).admits(Collection::Instances, "", "pods", "a", None));
        assert!(!Scope::rules([]).admits_cluster(""));
    }

    #[test]
    fn single_objects_are_those_of_the_type_that_is_told_apart() {
        let [shop, bank] = ["shop", "bank"].map(|name| ObjectKey::new("east", "", "Namespace", "_cluster", name));
        let single = |type_name: Option<&str>| Rule {
            type_name: type_name.map(str::to_owned),
            objects: Some([shop].into()),
            ..Rule::cluster("east")
        };
        for type_name in [None, Some(TOLD_APART)] {
            let scope = Scope::rules([single(type_name)]);
            let sees = |of: &str, object| scope.admits(Collection::Instances, "east", of, "_cluster", object);
            assert!(sees("namespaces", Some(&shop)));
            assert!(!sees("namespaces", Some(&bank)) && !sees("namespaces", None) && !sees("nodes", Some(&shop)));
            assert!(scope.admits_type("east", "namespaces") && !scope.admits_type("east", "nodes"));
            assert!(scope.admits_cluster("east") && !scope.admits_whole_cluster("east"));
        }
        for nothing in [single(Some("nodes")), Rule { objects: Some([].into()), ..Rule::cluster("east") }] {
            let scope = Scope::rules([nothing]);
            assert!(!scope.admits_type("east", "namespaces") && !scope.admits_type("east", "nodes"));
            assert!(!scope.admits_cluster("east"));
        }
    }
}
