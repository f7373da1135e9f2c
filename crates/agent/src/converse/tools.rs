//! The tools together: what a model is told of them, and the one way in which they are called.

use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;

use clusterlore_core::Scope;
use clusterlore_index::{Door, Index, Request};
use clusterlore_models::{Tool, ToolCall, ToolResult};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::apply::{self, Applying, Approver, NoDoor, Nobody};
use super::fence::fenced;
use super::groups::ToolGroup;
use super::guard::Named;
use super::live::Live;
use super::told::Outcome;
use super::vector::Vector;
use super::{kubectl, vector};

/// What a model is told of the tools that only read.
pub fn reading_tools() -> Vec<Tool> {
    let mut tools = vector::tools();
    tools.extend(kubectl::tools());
    tools
}

/// What tools work on.
pub struct Reach<'a> {
    /// What is given.
    pub groups: BTreeSet<ToolGroup>,
    /// The index and the caller's scope; none where nothing is to be asked of it.
    pub index: Option<(&'a Index, &'a Scope)>,
    /// Conditions of the user's own. No call widens them. Its question is the user's own words: what they name may be changed.
    pub within: Request,
    /// What a flag names that may be changed beside: types and namespaces.
    pub may_change: Vec<String>,
    /// Who is asked before something is changed.
    pub approver: &'a dyn Approver,
    /// The cluster in use, with the caller's rights.
    pub cluster: Arc<dyn Door>,
}

impl<'a> Reach<'a> {
    /// To read alone: the index, and through it the cluster that filled it.
    pub fn reading(index: &'a Index, scope: &'a Scope, within: Request) -> Self {
        Self {
            groups: BTreeSet::from([ToolGroup::Kubectl, ToolGroup::Vector]),
            index: Some((index, scope)),
            within,
            may_change: Vec::new(),
            approver: &Nobody,
            cluster: Arc::new(NoDoor),
        }
    }
}

/// The tools of one conversation.
pub struct Tools<'a> {
    pub(super) groups: BTreeSet<ToolGroup>,
    vector: Option<Vector<'a>>,
    applying: Option<Applying<'a>>,
    live: Live<'a>,
}

impl<'a> Tools<'a> {
    /// Ready to be called; nothing is connected to.
    pub fn new(reach: Reach<'a>) -> Self {
        let Reach { groups, index, within, may_change, approver, cluster } = reach;
        let (named, namespaces) = (within.clusters.first().cloned(), within.namespaces.clone());
        let live = Live { door: cluster, index, named, namespaces, opened: OnceCell::new() };
        let given = |group| index.filter(|_| groups.contains(&group));
        let applying = given(ToolGroup::Apply).map(|(index, scope)| {
            let named = Named::of(&within.question, &may_change);
            Applying { index, scope, named, approver }
        });
        let vector = given(ToolGroup::Vector).map(|(index, scope)| Vector { index, scope, within });
        Self { vector, applying, live, groups }
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
        if self.applying.is_some() {
            tools.push(apply::tool());
        }
        tools
    }

    /// Calls one. Whatever comes of it is data for the model.
    pub(super) async fn call(&self, call: &ToolCall) -> ToolResult {
        let outcome = self.outcome(&call.name, &call.input).await;
        let (text, ids, failed) = match outcome {
            Ok(told) => (told.text, told.ids, false),
            Err(why) => (why, Vec::new(), true),
        };
        ToolResult { id: call.id.clone(), name: call.name.clone(), text: fenced(&call.name, &text), failed, ids }
    }

    /// Calls one for whoever fences what comes of it: both texts are data.
    ///
    /// # Errors
    /// What is wrong with the call, or why it was not answered.
    pub fn answer<'f>(&'f self, name: &'f str, input: &'f Value) -> BoxFuture<'f, Result<String, String>> {
        Box::pin(async move { self.outcome(name, input).await.map(|told| told.text) })
    }

    async fn outcome(&self, name: &str, input: &Value) -> Outcome {
        let live = &self.live;
        let reads = self.groups.contains(&ToolGroup::Kubectl);
        match (name, &self.vector, &self.applying) {
            (vector::SEARCH, Some(vector), _) => vector.search(input).await,
            (vector::COUNT, Some(vector), _) => vector.count(input).await,
            (apply::APPLY, _, Some(applying)) => applying.apply(live, input).await,
            (kubectl::GET, ..) if reads => kubectl::get(live, input).await,
            (kubectl::DESCRIBE, ..) if reads => kubectl::describe(live, input).await,
            (kubectl::LOGS, ..) if reads => kubectl::logs(live, input).await,
            (other, ..) => {
                let names: Vec<&str> = self.told().iter().map(|tool| tool.name).collect();
                Err(format!("There is no tool {other:?}; expected one of {}.", names.join(", ")))
            }
        }
    }
}
