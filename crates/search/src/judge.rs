//! What only a cluster knows of the objects that a question reached: whether a condition holds of them.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::conditions::{Extreme, Finding, LiveCondition, Verdict};
use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_store::Filter;

/// An object that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Reached<'a> {
    /// Stored id.
    pub id: &'a str,
    /// `plural.group`.
    pub type_name: &'a str,
    /// The object.
    pub object: &'a ResourceInstance,
}

/// An object that the cluster has, of which the conditions hold, and that the index does not hold yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unindexed {
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// `plural.group`.
    pub type_name: String,
    /// Namespace, `_cluster` for objects that have none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// What was found of the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// For each object, by id: what was found of each condition. An object that could not be looked at is not there.
    pub findings: HashMap<String, Vec<Finding>>,
    /// Whether a cluster told of any type what there is.
    pub looked: bool,
    /// What could not be read, each in a sentence of its own: `pods in iot: it may not be read`. Text from outside.
    pub unread: Vec<String>,
    /// Whether something could not be read, though the caller may: what was found is not all.
    pub partial: bool,
    /// Of what is asked for, by id, what the cluster has no more.
    pub gone: Vec<String>,
    /// What it holds of, too, among what is asked for.
    pub unindexed: Vec<Unindexed>,
}

impl Judgement {
    /// Whether all conditions hold of an object.
    pub fn holds(&self, id: &str) -> bool {
        self.findings.get(id).is_some_and(|of| of.iter().all(|finding| finding.verdict == Verdict::Yes))
    }

    /// Whether one of the conditions is known not to hold of an object.
    pub(crate) fn fails(&self, id: &str) -> bool {
        self.findings.get(id).is_some_and(|of| of.iter().any(|finding| finding.verdict == Verdict::No))
    }

    /// Whether the cluster says of an object whether the conditions hold.
    pub(crate) fn tells(&self, id: &str) -> bool {
        self.holds(id) || self.fails(id)
    }

    /// A key that sorts objects by the number that decides a condition; those without one come last.
    pub(crate) fn rank(&self, id: &str, condition: usize, first: Extreme) -> (bool, u64) {
        let number = self.findings.get(id).and_then(|of| of.get(condition)).and_then(|finding| finding.number);
        let key = |number| if first == Extreme::Most { u64::MAX - number } else { number };
        (number.is_none(), number.map_or(0, key))
    }
}

/// Who looks at the cluster.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Whether the conditions hold of these objects; `types` knows how they are served. If they are all that a filter admits, what the
    /// cluster has beside them is looked at too.
    async fn judge(
        &self,
        conditions: &[LiveCondition],
        objects: &[Reached<'_>],
        all: Option<&Filter>,
        types: &[(String, ResourceType)],
    ) -> Judgement;
}
