//! The door itself.

use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::LiveSource;
use clusterlore_core::{
    CLUSTER_SCOPE, Collection, Happening, JournalEntry, JournalQuery, NamePattern, ObjectKey, ResourceInstance,
    ResourceType, Scope, Selector,
};
use clusterlore_models::Embedder;
use clusterlore_search::{Answer, Hit, Judge, Noun, ParsedQuery, Query, SearchError, Searcher, resolve_kinds};
use clusterlore_store::{ClusterNames, Filter, KnownSource, Scanned, Store, StoreError, View};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use crate::basis::Basis;
use crate::changes::{self, Asked, Changes, Conditions, Note as ChangesNote, There};
use crate::live::{Door, Gate, Looker};
use crate::reply::Reply;
use crate::request::Request;
use crate::status::Status;
use crate::tree::{self, Tree};

/// Until a cluster is reached that is to be looked into: a plugin may have to log in first.
const OPENING: Duration = Duration::from_secs(5);

/// Entries that words are compared with, where nothing fits.
const LOOKED_AT: usize = 20_000;

/// Objects of which a name is asked for at most.
const MOST_CALLED: usize = 20_000;

/// Objects that are looked up for one question about changes.
const THERE: usize = 1_000;

/// An index that can be asked. One serves a whole process: it keeps what it learned of documents.
pub struct Index {
    store: Arc<dyn Store>,
    embedder: Arc<dyn Embedder>,
    searcher: Searcher,
    catalogue: Arc<Catalogue>,
    gate: Option<Gate>,
}

impl Index {
    /// Over a store that this embedder filled.
    pub fn new(store: Arc<dyn Store>, embedder: Arc<dyn Embedder>, catalogue: impl Into<Arc<Catalogue>>) -> Self {
        let catalogue = catalogue.into();
        Self { store, embedder, searcher: Searcher::new(Arc::clone(&catalogue)), catalogue, gate: None }
    }

    /// The same with a cluster that can be asked for what it alone knows. It is asked with rights of its own, so only on behalf of those who
    /// may see everything.
    #[must_use]
    pub fn with_cluster(self, door: Arc<dyn Door>) -> Self {
        Self { gate: Some(Gate::new(door)), ..self }
    }

    /// Reads ahead what questions need, for a process that will be asked many.
    ///
    /// # Errors
    /// See [`SearchError`].
    #[tracing::instrument(name = "index.warm", skip_all)]
    pub fn warm(&self) -> BoxFuture<'_, Result<(), SearchError>> {
        Box::pin(async move {
            let view = self.store.view_all("what is read ahead is shown to nobody").await?;
            self.searcher.warm(&*view).await
        })
    }

    /// Answers a question.
    ///
    /// # Errors
    /// See [`SearchError`]; none of them tells of anything outside the scope.
    #[tracing::instrument(name = "index.ask", skip_all, fields(collection = %request.collection))]
    pub fn ask<'f>(&'f self, scope: &'f Scope, request: &'f Request) -> BoxFuture<'f, Result<Reply, SearchError>> {
        Box::pin(async move {
            let view = self.store.view(scope).await?;
            let sources = view.sources().await?;
            let query = self.query(&*view, request, &sources).await?;
            let looker = match &self.gate {
                Some(gate) if request.live => {
                    let sources = sources.clone();
                    let whole = sources.iter().any(|source| scope.admits_whole_cluster(&source.cluster));
                    whole.then_some(Looker { gate, sources, scope })
                }
                _ => None,
            };
            let judge = looker.as_ref().map(|looker| looker as &dyn Judge);
            let answer = self.searcher.answer_with(&*view, &*self.embedder, &query, judge).await?;
            let mut reply = reply(answer, sources, scope, request);
            // What holds objects was read.
            if !reply.parsed.filter.types.is_empty() && (reply.admitted == 0 || reply.parsed.filter.types.len() > 1) {
                reply = reply.beside_unread(&view.last_runs().await?);
            }
            if request.hits && request.collection == Collection::Instances {
                reply.gone = gone(&*view, &request.question, &reply.hits).await?;
            }
            Ok(reply)
        })
    }

    /// A question as it is understood, without an answer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn read<'f>(
        &'f self,
        scope: &'f Scope,
        request: &'f Request,
    ) -> BoxFuture<'f, Result<ParsedQuery, SearchError>> {
        Box::pin(async move {
            let view = self.store.view(scope).await?;
            let query = self.query(&*view, request, &view.sources().await?).await?;
            self.searcher.read(&*view, &*self.embedder, &query).await
        })
    }

    /// The cluster itself, if it is the one that filled the index under this name and can be reached; else why not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn cluster<'f>(
        &'f self,
        scope: &'f Scope,
        name: &'f str,
    ) -> BoxFuture<'f, Result<Result<Arc<LiveSource>, String>, StoreError>> {
        Box::pin(async move {
            let Some(gate) = self.gate.as_ref() else {
                return Ok(Err("the cluster is not to be asked".to_owned()));
            };
            let sources = self.sources(scope).await?;
            let names = ClusterNames::of(&sources);
            let looker = Looker { gate, sources, scope };
            Ok(looker.source(names.meant(name).unwrap_or(name), Instant::now() + OPENING).await)
        })
    }

    /// The sources of the clusters of which anything may be seen, the replaced ones too.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sources<'f>(&'f self, scope: &'f Scope) -> BoxFuture<'f, Result<Vec<KnownSource>, StoreError>> {
        Box::pin(async move { self.store.view(scope).await?.sources().await })
    }

    /// Finds objects that are similar to one object. `id` is a stored id, or `kind/name` with the request's namespaces and clusters
    /// saying where it is. The request's question plays no part.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn similar<'f>(
        &'f self,
        scope: &'f Scope,
        id: &'f str,
        request: &'f Request,
    ) -> BoxFuture<'f, Result<Reply, SearchError>> {
        Box::pin(async move {
            let view = self.store.view(scope).await?;
            let sources = view.sources().await?;
            let query = self.query(&*view, request, &sources).await?;
            let answer = self.searcher.similar(&*view, &*self.embedder, id, &query).await?;
            Ok(reply(answer, sources, scope, request))
        })
    }

    /// What happened lately to what a question asks for, by the journal that watching keeps. `since` and `until` narrow what the question
    /// says.
    ///
    /// # Errors
    /// As [`Self::ask`], but for questions without words: these ask for everything.
    pub fn changes<'f>(
        &'f self,
        scope: &'f Scope,
        request: &'f Request,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> BoxFuture<'f, Result<Changes, SearchError>> {
        Box::pin(async move {
            let asked = Asked::of(&request.question);
            let view = self.store.view(scope).await?;
            let sources = view.sources().await?;
            let asking = Request { question: asked.question.clone(), ..request.clone() };
            let query = self.query(&*view, &asking, &sources).await?;
            let parsed = match self.searcher.read(&*view, &*self.embedder, &query).await {
                Ok(parsed) => parsed,
                Err(SearchError::NoQuestion | SearchError::NoCollection(_)) => {
                    let mut parsed = ParsedQuery::default();
                    parsed.filter = query.filter;
                    parsed
                }
                Err(error) => return Err(error),
            };
            let types = view.types().await?;
            let mut conditions = Conditions::of(&parsed, &asked, &self.catalogue, &types);
            let limit = asked.at_most.map_or(request.limit, |most| most.min(request.limit));
            let since = since.max(parsed.clauses.since);
            let until = [until, parsed.clauses.until].into_iter().flatten().min();
            let clusters = parsed.filter.clusters.clone();
            let cluster = clusters.first().cloned().filter(|_| clusters.len() == 1);
            let mut query = changes::query(&conditions, &asked, cluster, since, until);
            // Where the store tells all that fits, no more is read than is shown, and one to tell whether there is more.
            let counts = parsed.clauses.counts();
            if conditions.text.is_empty() && !conditions.labelled && clusters.len() <= 1 && !counts {
                query.limit = limit.saturating_add(1);
            }
            let mut entries = if conditions.impossible { Vec::new() } else { view.journal(query).await? };
            entries.retain(|entry| clusters.is_empty() || clusters.contains(&entry.cluster));
            // Objects that are there are known better than by what the journal keeps of them.
            let mut there = There::default();
            if conditions.labelled && !entries.is_empty() {
                for selector in conditions.selectors() {
                    there.labelled.extend(self.there(&*view, "", &conditions, &parsed, selector).await?);
                }
            }
            let by_name = !parsed.named.is_empty() || changes::is_called(&entries, &conditions.text);
            if !conditions.text.is_empty() && !by_name && !entries.is_empty() {
                there.found = self.there(&*view, &conditions.text, &conditions, &parsed, Selector::default()).await?;
            }
            let most = if counts { changes::LOOKED_AT } else { limit };
            let (mut changes, mut more) =
                changes::fitting(&entries, &conditions, &self.catalogue, &types, &there, most);
            // A word that nothing is called like hides nothing of what else is asked for.
            if changes.is_empty()
                && !entries.is_empty()
                && !conditions.text.is_empty()
                && there.found.is_empty()
                && !by_name
            {
                let all = view.journal(JournalQuery { limit: LOOKED_AT, ..JournalQuery::default() }).await?;
                let mut unknown = Vec::new();
                for word in changes::unknown(&all, &conditions.text, &self.catalogue, &types) {
                    if self.there(&*view, &word, &Conditions::default(), &parsed, Selector::default()).await?.is_empty()
                    {
                        unknown.push(word);
                    }
                }
                let none_left = unknown.len() == conditions.text.split(' ').count();
                if !unknown.is_empty() && none_left && conditions.is_only_words() {
                    conditions.unknown(&unknown);
                } else if !unknown.is_empty() {
                    conditions.without(&unknown);
                    (changes, more) = changes::fitting(&entries, &conditions, &self.catalogue, &types, &there, most);
                }
            }
            let total = Some(changes.len()).filter(|_| counts && !more);
            more |= changes.len() > limit;
            changes.truncate(limit);

            let mut notes = conditions.notes;
            notes.extend(changes::out_of_time(since, until));
            notes.extend(changes::without_generation(&conditions.types, &asked));
            notes.extend(conditions.missed.filter(|_| changes.is_empty()));
            if changes.is_empty() {
                notes.extend(reach(&*view, scope, since).await?);
            }
            // Which contexts its kubeconfig has is the program's own affair.
            let context = |entry: &JournalEntry| {
                if !scope.is_all() {
                    return None;
                }
                let of = sources.iter().filter(|source| source.cluster == entry.cluster && !source.replaced);
                let read = of.filter_map(|source| source.readings.of(Collection::Instances));
                read.map(|reading| reading.context.clone()).find(|context| !context.is_empty())
            };
            let needs = if asked.who {
                vec![changes::managers(&changes, changes::first_named(&parsed), context)]
            } else {
                Vec::new()
            };
            let names = ClusterNames::of(&sources);
            let (what, searched) = (asked.what, conditions.text);
            Ok(Changes { changes, more, total, since, until, what, searched, notes, needs, names })
        })
    }

    /// The objects of the index that a search for a text finds, or all without one, that meet the conditions and the selector.
    async fn there(
        &self,
        view: &dyn View,
        text: &str,
        conditions: &Conditions,
        parsed: &ParsedQuery,
        selector: Selector,
    ) -> Result<BTreeSet<ObjectKey>, SearchError> {
        let types = view.types().await?;
        let mut filter = Filter {
            namespaces: conditions.namespaces.clone(),
            types: conditions.types.clone(),
            ..parsed.filter.clone()
        };
        filter.selector.0.extend(selector.0);
        let query = Query { text: text.to_owned(), filter, limit: THERE, hits: true, ..Query::default() };
        let answer = match self.searcher.answer(view, &*self.embedder, &query).await {
            Ok(answer) => answer,
            Err(SearchError::Store(error)) => return Err(error.into()),
            // The journal answers without a search, too.
            Err(error) => {
                tracing::debug!(%error, "objects that are there were not searched");
                return Ok(BTreeSet::new());
            }
        };
        let is_evident = |hit: &&Hit| match &hit.noun {
            Noun::Instance(object) => {
                let name =
                    types.iter().map(|(_, ty)| ty).find(|ty| ty.kind == object.kind && ty.group == object.api_group);
                let name = name.map(ResourceType::name).unwrap_or_default();
                text.is_empty() || changes::is_evident(object, &name, text, &self.catalogue)
            }
            Noun::Type(..) => false,
        };
        let ids = answer
            .hits
            .iter()
            .filter(is_evident)
            .flat_map(|hit| [&hit.id].into_iter().chain(&hit.controlled).chain(&hit.elsewhere));
        Ok(ids.filter_map(|id| ObjectKey::of_stored_id(id)).collect())
    }

    /// What is stored of one object or type, as JSON: `id` is a stored id, or a type's `plural.group`. `None`: there is none within the
    /// scope.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn document<'f>(
        &'f self,
        scope: &'f Scope,
        collection: Collection,
        id: &'f str,
    ) -> BoxFuture<'f, Result<Option<Value>, StoreError>> {
        Box::pin(async move {
            let view = self.store.view(scope).await?;
            let key = match collection {
                Collection::Instances => ObjectKey::of_stored_id(id),
                Collection::Capabilities => {
                    let (cluster, name) = id.rsplit_once(':').unwrap_or(("", id));
                    let types = view.types().await?;
                    let found = types.iter().find(|(of, ty)| of == cluster && ty.name() == name);
                    found.map(|(_, ty)| ObjectKey::new(cluster, &ty.group, &ty.kind, CLUSTER_SCOPE, name))
                }
            };
            let Some(key) = key else { return Ok(None) };
            let records = view.records(collection, &[key]).await?;
            let Some(record) = records.get(&key) else { return Ok(None) };
            let mut document: Option<Value> = serde_json::from_str(record).ok();
            if let Some(Value::Object(fields)) = &mut document
                && !view.shows_all()
                && let Ok(object) = serde_json::from_str::<ResourceInstance>(record)
                && let Some(owner) = ObjectKey::of_owner(&object)
                && view.records(Collection::Instances, &owner).await?.is_empty()
            {
                // An owner that the caller may not see has no name.
                fields.remove("owner");
            }
            Ok(document)
        })
    }

    /// What controls an object, and what it controls; `id` is its stored id.
    ///
    /// # Errors
    /// [`SearchError::NoSuchObject`] where there is none within the scope, or the store cannot be read.
    pub fn tree<'f>(&'f self, scope: &'f Scope, id: &'f str) -> BoxFuture<'f, Result<Tree, SearchError>> {
        Box::pin(async move {
            let view = self.store.view(scope).await?;
            let missing = || SearchError::NoSuchObject { id: id.to_owned(), near: Vec::new() };
            tree::of(&*view, id).await?.ok_or_else(missing)
        })
    }

    /// What is indexed, from where, and when.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn status<'f>(&'f self, scope: &'f Scope) -> BoxFuture<'f, Result<Status, StoreError>> {
        Box::pin(async move { Status::of(&*self.store, scope).await })
    }

    /// The resource types that are known, each with the name of its cluster.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn types(&self, scope: &Scope) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        self.store.view(scope).await?.types().await
    }

    async fn query(&self, view: &dyn View, request: &Request, sources: &[KnownSource]) -> Result<Query, SearchError> {
        let clusters = ClusterNames::of(sources);
        let meant = |name: &String| clusters.meant(name).unwrap_or(name).to_owned();
        let types = match request.kinds.is_empty() {
            true => Default::default(),
            false => resolve_kinds(&request.kinds, &view.types().await?)?,
        };
        let mut filter = Filter {
            clusters: request.clusters.iter().map(meant).collect(),
            namespaces: request.namespaces.iter().cloned().collect(),
            types,
            selector: request.selector.clone(),
            annotations: request.annotations.clone(),
            keys: request.objects.iter().map(|id| key(id)).collect::<Result<_, _>>()?,
        };
        if let Some(name) = &request.name {
            let called = called(view, request.collection, &filter, name).await?;
            match filter.keys.is_empty() {
                true => filter.keys = called,
                false => filter.keys.retain(|key| called.contains(key)),
            }
            if filter.keys.is_empty() {
                filter.keys.insert(NOBODY);
            }
        }
        Ok(Query {
            text: request.question.clone(),
            collection: request.collection,
            filter,
            clusters,
            limit: request.limit,
            now: request.now.clone(),
            hits: request.hits,
            number: request.number,
            group_by: request.group_by.clone(),
            since: request.since,
            until: request.until,
            order: request.order,
        })
    }
}

/// What bore a name that stands in a question and is gone, the newest first, each once.
/// Where something is found, a word that is not the name of any of it may still be one: a word with a hyphen is hardly anything else.
async fn gone(view: &dyn View, question: &str, hits: &[Hit]) -> Result<Vec<JournalEntry>, StoreError> {
    const MOST: usize = 3;
    let mut names = changes::names(question);
    let is_called = |hit: &Hit, name: &str| match &hit.noun {
        Noun::Instance(object) => {
            object.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
        Noun::Type(..) => false,
    };
    names.retain(|name| hits.is_empty() || name.contains('-') && !hits.iter().any(|hit| is_called(hit, name)));
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let query = JournalQuery {
        names,
        what: [Happening::Deleted, Happening::Created].into(),
        limit: 1_000,
        ..JournalQuery::default()
    };
    let mut seen = BTreeSet::new();
    let mut gone = view.journal(query).await?;
    gone.retain(|entry| {
        let object = (entry.cluster.clone(), entry.type_name.clone(), entry.namespace.clone(), entry.name.clone());
        // What came again is there.
        seen.insert(object) && entry.what == Some(Happening::Deleted)
    });
    gone.truncate(MOST);
    Ok(gone)
}

/// That the journal cannot know what is asked for: it holds nothing, or nothing from before this time.
async fn reach(view: &dyn View, scope: &Scope, since: Option<Timestamp>) -> Result<Option<ChangesNote>, StoreError> {
    let before = |until: Option<Timestamp>| JournalQuery {
        until: until.map(JournalEntry::time),
        limit: 1,
        ..JournalQuery::default()
    };
    if view.journal(before(None)).await?.is_empty() {
        let text = match scope.is_all() {
            true => "the journal is empty: it is kept while a cluster is watched",
            false => "the journal holds nothing that you may see",
        };
        return Ok(Some(ChangesNote { kind: "empty", text: text.to_owned() }));
    }
    let Some(since) = since else { return Ok(None) };
    if !view.journal(before(Some(since))).await?.is_empty() {
        return Ok(None);
    }
    let all = view.journal(JournalQuery { limit: LOOKED_AT, ..JournalQuery::default() }).await?;
    let first = all.last().and_then(|entry| entry.at.split('.').next()).unwrap_or_default();
    let text = format!("the journal begins at {first}Z: what happened before that is not known");
    Ok(Some(ChangesNote { kind: "begins", text }))
}

/// The key of no object: a filter with it alone admits nothing.
const NOBODY: ObjectKey = ObjectKey([0; 16]);

/// The objects that are called so, of those that a filter may admit.
async fn called(
    view: &dyn View,
    collection: Collection,
    filter: &Filter,
    name: &NamePattern,
) -> Result<BTreeSet<ObjectKey>, SearchError> {
    let any_of = |set: &BTreeSet<String>, value: &str| set.is_empty() || set.contains(value);
    let clusters: BTreeSet<String> = view.counts(collection).await?.into_iter().map(|counts| counts.cluster).collect();
    let mut called = BTreeSet::new();
    for cluster in clusters.iter().filter(|cluster| any_of(&filter.clusters, cluster)) {
        let mut visit = |document: Scanned<'_>| {
            let of_name = document.id.rsplit('/').next().is_some_and(|last| name.covers(last));
            if of_name && any_of(&filter.types, document.type_name) && any_of(&filter.namespaces, document.namespace) {
                called.insert(document.key);
            }
        };
        view.scan(collection, cluster, &mut visit).await?;
    }
    match called.len() {
        0..=MOST_CALLED => Ok(called),
        _ => Err(SearchError::ManyNames { name: name.to_string(), most: MOST_CALLED }),
    }
}

fn key(id: &str) -> Result<ObjectKey, SearchError> {
    ObjectKey::of_stored_id(id).ok_or_else(|| SearchError::NoSuchObject { id: id.to_owned(), near: Vec::new() })
}

/// The answer, and what it rests on.
fn reply(answer: Answer, sources: Vec<KnownSource>, scope: &Scope, request: &Request) -> Reply {
    let clusters = &answer.parsed.filter.clusters;
    let names = ClusterNames::of(&sources);
    let bases = Basis::of(sources, scope, clusters, request.collection, &request.now);
    let reply = Reply::of(answer, request.explain).resting_on(bases).calling(names);
    if request.collection == Collection::Instances { reply.beside_journal(&request.question) } else { reply }
}
