//! The server as the protocol knows it: what it offers, and which tool a call is for.

use std::sync::Arc;

use clusterlore_agent::converse::Investigator;
use clusterlore_core::Scope;
use clusterlore_index::Index;
use jiff::Timestamp;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, GetPromptRequestParams, GetPromptResponse,
    Implementation, JsonObject, ListPromptsResult, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig, Tool as Told,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};

use super::apply::Pending;
use super::cluster_overview::ClusterOverview;
use super::find_resource_types::FindResourceTypes;
use super::find_resources::FindResources;
use super::get_resource::GetResource;
use super::ground::{Ground, IndexSource};
use super::investigate::Investigate;
use super::recent_changes::RecentChanges;
use super::tool::{Tool, described};
use super::{apply, arguments, compat, investigate, prompt, result};
use crate::auth::Caller;

/// The index for assistants.
#[derive(Clone)]
pub struct Assistant {
    source: Arc<dyn IndexSource>,
    /// Who calls; `None`: each request says whose it is.
    caller: Option<Caller>,
    offer: Offer,
    /// Changes that wait for their second step.
    pending: Arc<Pending>,
}

/// What is offered beside the tools that are always there.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// The tools of cluster-whisperer.
    pub compat: bool,
    /// Changing the cluster, in two steps.
    pub apply: bool,
    /// A language model that looks into questions.
    pub investigator: Option<Arc<Investigator>>,
}

impl Assistant {
    /// For one caller, who may see this.
    pub fn of(source: Arc<dyn IndexSource>, scope: Scope, offer: Offer) -> Self {
        let caller = Caller { name: String::new(), scope, writes: None };
        Self { source, caller: Some(caller), offer, pending: Arc::default() }
    }

    /// For those whom the server let in.
    pub(super) fn of_callers(source: Arc<dyn IndexSource>, offer: Offer) -> Self {
        Self { source, caller: None, offer, pending: Arc::default() }
    }

    /// Whose request it is.
    fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        let parts = || context.extensions.get::<http::request::Parts>();
        self.caller
            .clone()
            .or_else(|| parts()?.extensions.get::<Caller>().cloned())
            .ok_or_else(|| ErrorData::internal_error("nobody knows whose request it is", None))
    }

    fn tools(&self) -> Vec<Told> {
        let own = [
            described::<FindResources>(),
            described::<FindResourceTypes>(),
            described::<GetResource>(),
            described::<RecentChanges>(),
            described::<ClusterOverview>(),
        ];
        let investigate = self.offer.investigator.as_ref().map(|_| investigate::tool());
        let compat = self.offer.compat.then(compat::tools).into_iter().flatten();
        let apply = self.offer.apply.then(apply::tools).into_iter().flatten();
        own.into_iter().chain(investigate).chain(compat).chain(apply).collect()
    }

    async fn answer(
        &self,
        name: &str,
        arguments: Option<JsonObject>,
        caller: &Caller,
    ) -> Result<CallToolResult, String> {
        let scope = &caller.scope;
        match name {
            FindResources::NAME => self.call::<FindResources>(arguments, scope).await,
            FindResourceTypes::NAME => self.call::<FindResourceTypes>(arguments, scope).await,
            GetResource::NAME => self.call::<GetResource>(arguments, scope).await,
            RecentChanges::NAME => self.call::<RecentChanges>(arguments, scope).await,
            ClusterOverview::NAME => self.call::<ClusterOverview>(arguments, scope).await,
            Investigate::NAME if self.offer.investigator.is_some() => self.call::<Investigate>(arguments, scope).await,
            name if self.offer.compat && compat::is_tool(name) => {
                let index = self.source.index().await?;
                let ground = self.ground(&index, scope);
                compat::call(&ground, name, arguments).await.map(|text| result::text(name, &text))
            }
            apply::DRY_RUN if self.offer.apply => {
                let index = self.source.index().await?;
                apply::dry_run(&self.ground(&index, scope), &self.pending, caller, arguments).await
            }
            apply::APPLY if self.offer.apply => apply::apply(&self.pending, caller, arguments).await,
            other => {
                let names: Vec<String> = self.tools().iter().map(|tool| tool.name.to_string()).collect();
                Err(format!("There is no tool {other:?}; expected one of {}.", names.join(", ")))
            }
        }
    }

    async fn call<T: Tool>(&self, arguments: Option<JsonObject>, scope: &Scope) -> Result<CallToolResult, String> {
        let input = arguments::read(arguments)?;
        let index = self.source.index().await?;
        T::call(&self.ground(&index, scope), input).await.map(|answer| result::answered(T::NAME, answer))
    }

    fn ground<'a>(&'a self, index: &'a Index, scope: &'a Scope) -> Ground<'a> {
        let investigator = self.offer.investigator.as_deref();
        Ground { index, scope, now: Timestamp::now(), source: &*self.source, investigator }
    }
}

impl ServerHandler for Assistant {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_prompts().build();
        let own = Implementation::new("clusterlore", env!("CARGO_PKG_VERSION")).with_title("clusterlore");
        ServerConfig::new(capabilities).with_server_info(own).with_instructions(prompt::instructions())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = self.caller(&context)?;
        let answer = self.answer(&request.name, request.arguments, &caller).await;
        Ok(answer.unwrap_or_else(|why| result::failed(&request.name, &why)).into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompt::prompts()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompt::prompt(&request.name).map(GetPromptResponse::from)
    }
}
