//! The door itself.

use std::sync::Arc;
use std::time::Duration;

use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::LiveSource;
use clusterlore_core::{ObjectKey, ResourceType, Scope};
use clusterlore_models::Embedder;
use clusterlore_search::{Answer, Judge, ParsedQuery, Query, SearchError, Searcher, resolve_kinds};
use clusterlore_store::{Filter, KnownSource, Store, StoreError, View};
use tokio::time::Instant;

use crate::basis::Basis;
use crate::live::{Door, Gate, Looker};
use crate::reply::Reply;
use crate::request::Request;
use crate::status::Status;

/// Until a cluster is reached that is to be looked into: a plugin may have to log in first.
const OPENING: Duration = Duration::from_secs(5);

/// An index that can be asked. One serves a whole process: it keeps what it learned of documents.
pub struct Index {
    store: Arc<dyn Store>,
    embedder: Arc<dyn Embedder>,
    searcher: Searcher,
    gate: Option<Gate>,
}

impl Index {
    /// Over a store that this embedder filled.
    pub fn new(store: Arc<dyn Store>, embedder: Arc<dyn Embedder>, catalogue: impl Into<Arc<Catalogue>>) -> Self {
        Self { store, embedder, searcher: Searcher::new(catalogue), gate: None }
    }

    /// The same with a cluster that can be asked for what it alone knows.
    #[must_use]
    pub fn with_cluster(self, door: Arc<dyn Door>) -> Self {
        Self { gate: Some(Gate::new(door)), ..self }
    }

    /// Answers a question.
    ///
    /// # Errors
    /// See [`SearchError`]; none of them tells of anything outside the scope.
    #[tracing::instrument(name = "index.ask", skip_all, fields(collection = %request.collection))]
    pub async fn ask(&self, scope: &Scope, request: &Request) -> Result<Reply, SearchError> {
        let view = self.store.view(scope).await?;
        let query = self.query(&*view, request).await?;
        let looker = match &self.gate {
            Some(gate) => Some(Looker { gate, sources: view.sources().await? }),
            None => None,
        };
        let judge = looker.as_ref().map(|looker| looker as &dyn Judge);
        let answer = self.searcher.answer_with(&*view, &*self.embedder, &query, judge);
        let (answer, sources) = futures::join!(answer, view.sources());
        Ok(reply(answer?, sources?, scope, request))
    }

    /// A question as it is understood, without an answer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn read(&self, scope: &Scope, request: &Request) -> Result<ParsedQuery, SearchError> {
        let view = self.store.view(scope).await?;
        let query = self.query(&*view, request).await?;
        self.searcher.read(&*view, &*self.embedder, &query).await
    }

    /// The cluster itself, if it is the one that filled the index under this name and can be reached; else why not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn cluster(&self, scope: &Scope, name: &str) -> Result<Result<Arc<LiveSource>, String>, StoreError> {
        let Some(gate) = &self.gate else { return Ok(Err("the cluster is not to be asked".to_owned())) };
        let looker = Looker { gate, sources: self.store.view(scope).await?.sources().await? };
        Ok(looker.source(name, Instant::now() + OPENING).await)
    }

    /// Finds objects that are similar to one object. `id` is a stored id, or `kind/name` with the request's namespaces and clusters
    /// saying where it is. The request's question plays no part.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn similar(&self, scope: &Scope, id: &str, request: &Request) -> Result<Reply, SearchError> {
        let view = self.store.view(scope).await?;
        let query = self.query(&*view, request).await?;
        let (answer, sources) =
            futures::join!(self.searcher.similar(&*view, &*self.embedder, id, &query), view.sources());
        Ok(reply(answer?, sources?, scope, request))
    }

    /// What is indexed, from where, and when.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn status(&self, scope: &Scope) -> Result<Status, StoreError> {
        Status::of(&*self.store, scope).await
    }

    /// The resource types that are known, each with the name of its cluster.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn types(&self, scope: &Scope) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        self.store.view(scope).await?.types().await
    }

    async fn query(&self, view: &dyn View, request: &Request) -> Result<Query, SearchError> {
        let types = match request.kinds.is_empty() {
            true => Default::default(),
            false => resolve_kinds(&request.kinds, &view.types().await?)?,
        };
        let filter = Filter {
            clusters: request.clusters.iter().cloned().collect(),
            namespaces: request.namespaces.iter().cloned().collect(),
            types,
            selector: request.selector.clone(),
            annotations: request.annotations.clone(),
            keys: request.objects.iter().map(|id| key(id)).collect::<Result<_, _>>()?,
        };
        Ok(Query {
            text: request.question.clone(),
            collection: request.collection,
            filter,
            limit: request.limit,
            now: request.now.clone(),
            hits: request.hits,
            number: request.number,
            group_by: request.group_by.clone(),
        })
    }
}

fn key(id: &str) -> Result<ObjectKey, SearchError> {
    ObjectKey::of_stored_id(id).ok_or_else(|| SearchError::NoSuchObject { id: id.to_owned(), near: Vec::new() })
}

/// The answer, and what it rests on.
fn reply(answer: Answer, sources: Vec<KnownSource>, scope: &Scope, request: &Request) -> Reply {
    let clusters = &answer.parsed.filter.clusters;
    let bases = Basis::of(sources, scope, clusters, request.collection, &request.now);
    Reply::of(answer, request.explain).resting_on(bases)
}
