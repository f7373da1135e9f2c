//! What only a cluster knows of the objects that a question reached: whether a condition holds of them.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::conditions::{Finding, LiveCondition, Verdict};
use clusterlore_core::{ResourceInstance, ResourceType};

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

/// What was found of the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// For each object, by id: what was found of each condition. An object that could not be looked at is not there.
    pub findings: HashMap<String, Vec<Finding>>,
    /// What could not be read, each in a sentence of its own: `pods in iot: it may not be read`. Text from outside.
    pub unread: Vec<String>,
}

impl Judgement {
    /// Whether anything could be looked at.
    pub fn looked(&self) -> bool {
        !self.findings.is_empty()
    }

    /// Whether all conditions hold of an object.
    pub fn holds(&self, id: &str) -> bool {
        self.findings.get(id).is_some_and(|of| of.iter().all(|finding| finding.verdict == Verdict::Yes))
    }
}

/// Who looks at the cluster.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Whether the conditions hold of these objects; `types` knows how they are served.
    async fn judge(
        &self,
        conditions: &[LiveCondition],
        objects: &[Reached<'_>],
        types: &[(String, ResourceType)],
    ) -> Judgement;
}
