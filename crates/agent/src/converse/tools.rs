//! The tools together: what a model is told of them, and the one way in which they are called.

use std::collections::BTreeSet;
use std::sync::Arc;

use clusterlore_core::Scope;
use clusterlore_index::{Door, Index, Request};
use clusterlore_models::{Tool, ToolCall, ToolResult};
use tokio::sync::OnceCell;

use super::fence::fenced;
use super::groups::ToolGroup;
use super::live::Live;
use super::told::Outcome;
use super::vector::Vector;
use super::{kubectl, vector};

/// What tools work on.
pub struct Reach<'a> {
    /// What is given.
    pub groups: BTreeSet<ToolGroup>,
    /// The index and the caller's scope; none where nothing is to be asked of it.
    pub index: Option<(&'a Index, &'a Scope)>,
    /// Conditions of the user's own. No call widens them. Its question plays no part.
    pub within: Request,
    /// The cluster in use, with the caller's rights.
    pub cluster: Arc<dyn Door>,
}

/// The tools of one conversation.
pub struct Tools<'a> {
    pub(super) groups: BTreeSet<ToolGroup>,
    vector: Option<Vector<'a>>,
    live: Live<'a>,
}

impl<'a> Tools<'a> {
    /// Ready to be called; nothing is connected to.
    pub fn new(reach: Reach<'a>) -> Self {
        let Reach { groups, index, within, cluster } = reach;
        let named = within.clusters.first().cloned();
        let namespaces = within.namespaces.clone();
        let live = Live { door: cluster, index, named, namespaces, opened: OnceCell::new() };
        let vector = index.filter(|_| groups.contains(&ToolGroup::Vector));
        Self { vector: vector.map(|(index, scope)| Vector { index, scope, within }), live, groups }
    }

    /// What a model is told of them.
    pub fn told(&self) -> Vec<Tool> {
        let mut tools = Vec::new();
        if self.vector.is_some() {
            tools.extend(vector::tools());
        }
        if self.groups.contains(&ToolGroup::Kubectl) {
            tools.extend(kubectl::tools());
        }
        tools
    }

    /// Calls one. Whatever comes of it is data for the model.
    pub(super) async fn call(&self, call: &ToolCall) -> ToolResult {
        let outcome = self.outcome(call).await;
        let (text, ids, failed) = match outcome {
            Ok(told) => (told.text, told.ids, false),
            Err(why) => (why, Vec::new(), true),
        };
        ToolResult { id: call.id.clone(), name: call.name.clone(), text: fenced(&call.name, &text), failed, ids }
    }

    async fn outcome(&self, call: &ToolCall) -> Outcome {
        let reads = self.groups.contains(&ToolGroup::Kubectl);
        match (call.name.as_str(), &self.vector) {
            (vector::SEARCH, Some(vector)) => vector.search(&call.input).await,
            (vector::COUNT, Some(vector)) => vector.count(&call.input).await,
            (kubectl::GET, _) if reads => kubectl::get(&self.live, &call.input).await,
            (kubectl::DESCRIBE, _) if reads => kubectl::describe(&self.live, &call.input).await,
            (kubectl::LOGS, _) if reads => kubectl::logs(&self.live, &call.input).await,
            (other, _) => {
                let names: Vec<&str> = self.told().iter().map(|tool| tool.name).collect();
                Err(format!("There is no tool {other:?}; expected one of {}.", names.join(", ")))
            }
        }
    }
}
