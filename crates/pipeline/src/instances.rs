//! Instance sync: what runs in the cluster becomes documents.

use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlore_cluster::{ClusterSource, Discovery, EventSink, ListEnd, ListScope, Position, SkipReason, SourceEvent};
use clusterlore_core::{
    Change, Collection, Coverage, Fingerprint, ObjectKey, ResourceInstance, ResourceType, SourceIdentity, SyncPlan,
    TypeFilter,
};
use clusterlore_models::Embedder;
use clusterlore_store::{Batch, Reading, RunKind, Spool, Store};
use futures::{StreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use crate::error::SyncError;
use crate::memory::{Memory, Noticed};
use crate::progress::{Observer, Outcome, Progress, Seconds, SkippedType, Summary};
use crate::run::{Run, RunOptions, patterns};
use crate::{checks, types, waiting, writer};

/// Pages that wait for the plan: enough to keep the lists busy, few enough to keep memory flat.
const WAITING_PAGES: usize = 4;

/// What the user chose.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which types are read.
    pub filter: TypeFilter,
    /// Which namespaces are read.
    pub scope: ListScope,
    /// Name of the cluster; `None` for the unnamed one.
    pub cluster: Option<String>,
    /// Types that are listed at once.
    pub concurrency: usize,
    /// Write nothing, embed nothing.
    pub dry_run: bool,
    /// Take the place of the source that filled the index.
    pub replace_source: bool,
    /// Embed everything again, with another embedder.
    pub reindex: bool,
    /// How long to wait for another run that writes.
    pub lock_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            filter: TypeFilter::default(),
            scope: ListScope::All,
            cluster: None,
            concurrency: 8,
            dry_run: false,
            replace_source: false,
            reindex: false,
            lock_timeout: Duration::ZERO,
        }
    }
}

/// One run of `sync-instances`.
pub struct InstanceSync {
    /// Where objects come from.
    pub source: Arc<dyn ClusterSource>,
    /// Where documents go; `None` where there is no store yet and none is to be made (a dry run).
    pub store: Option<Arc<dyn Store>>,
    /// What makes vectors.
    pub embedder: Arc<dyn Embedder>,
    /// What the user chose.
    pub options: Options,
}

/// What a run came to, for whoever goes on from there.
pub(crate) struct Synced {
    pub(crate) outcome: Outcome,
    pub(crate) discovery: Discovery,
    /// The types that were listed.
    pub(crate) chosen: Vec<ResourceType>,
    /// Where a watch of each goes on, by `plural.group`.
    pub(crate) positions: HashMap<String, Vec<Position>>,
    /// Number of the source that writes.
    pub(crate) source: i64,
    pub(crate) reading: Reading,
}

/// What the lists brought.
struct Listed<'a> {
    plan: SyncPlan,
    memory: Option<&'a mut Memory>,
    positions: HashMap<String, Vec<Position>>,
    spool: Spool,
    coverage: HashMap<String, Coverage>,
    skipped: Vec<SkippedType>,
}

impl InstanceSync {
    /// Runs from discovery to the last delete and tells `observer` on the way.
    ///
    /// # Errors
    /// See [`SyncError`]; nothing was deleted then.
    #[tracing::instrument(name = "pipeline.instances", skip_all)]
    pub fn run<'f>(&'f self, observer: &'f Observer<'f>) -> BoxFuture<'f, Result<Outcome, SyncError>> {
        Box::pin(async move {
            let (store, patience) =
                (self.store.as_deref().filter(|_| !self.options.dry_run), self.options.lock_timeout);
            let run = self.run_locked(None, observer);
            Ok(waiting::under_lock(store, self.cluster(), RunKind::Instances, patience, observer, run).await?.outcome)
        })
    }

    /// As [`Self::run`], for a caller that holds the lock. `memory` sees every object, and notes what happened since the
    /// index was last fresh; to write that is the caller's.
    pub(crate) async fn run_locked(
        &self,
        memory: Option<&mut Memory>,
        observer: &Observer<'_>,
    ) -> Result<Synced, SyncError> {
        let options = RunOptions {
            kind: RunKind::Instances,
            cluster: self.cluster(),
            dry_run: self.options.dry_run,
            replace_source: self.options.replace_source,
            reindex: self.options.reindex,
            reading: Reading {
                namespaces: match &self.options.scope {
                    ListScope::All => Vec::new(),
                    ListScope::Namespaces(names) => names.clone(),
                },
                include: patterns(&self.options.filter.include),
                exclude: patterns(&self.options.filter.exclude),
                annotations: self.source.annotations().to_string(),
                ..Reading::default()
            },
        };
        let mut run = Run::begin(options, &*self.source, self.store.as_ref(), &*self.embedder).await?;
        let choose = |found: &Discovery| {
            Ok(found.types.iter().filter(|t| self.options.filter.admits(t)).cloned().collect::<Vec<ResourceType>>())
        };
        // What the store knows is read while the server says what it serves.
        let (found, plan) =
            tokio::join!(run.discover(&*self.source, observer, choose), run.known(Collection::Instances, |_, _| ()),);
        let ((discovery, chosen), plan) = (found?, plan?);
        let discovered_in = run.elapsed();
        let source = run.note().await?;
        let writing = run.writing();

        let vanished = self.vanished(&plan, &discovery).await?;
        let describing = writing.map(|_| self.describe(discovery.types.clone()));
        let mut listed = Listed {
            plan,
            memory,
            positions: HashMap::new(),
            spool: Spool::new()?,
            coverage: HashMap::new(),
            skipped: Vec::new(),
        };
        self.list(&mut listed, &chosen, &vanished, observer).await?;
        if listed.plan.seen() == 0 && listed.coverage.values().all(Coverage::is_nothing) {
            return Err(nothing_listed(&listed.skipped, chosen.len(), run.identity()));
        }
        let removals = self.removals(&mut listed, &chosen, &vanished, observer).await?;
        let type_of = |key: &ObjectKey| (*key, listed.plan.type_of(key).unwrap_or_default().to_owned());
        let lost: Vec<(ObjectKey, String)> = match listed.memory {
            Some(_) => removals.iter().map(type_of).collect(),
            None => Vec::new(),
        };
        let list_took = run.elapsed() - discovered_in;

        let (discovered, stored) = (listed.plan.seen(), listed.spool.len());
        // Nothing is asked of it any more, and it is the largest thing that is held.
        drop(listed.plan);
        let mut summary = Summary {
            discovered,
            stored,
            unchanged: discovered.saturating_sub(stored),
            deleted: removals.len(),
            skipped: listed.skipped,
            model: None,
            seconds: Seconds {
                discover: discovered_in.as_secs_f64(),
                list: list_took.as_secs_f64(),
                ..Seconds::default()
            },
        };
        observer(Progress::Discovered { instances: summary.discovered, types: chosen.len() });

        match writing {
            None => self.tell_dry_run(listed.spool, &removals, observer).await?,
            Some(store) => {
                let storing = Instant::now();
                let (types, warnings) = match describing {
                    Some(task) => task.await?,
                    None => (Vec::new(), Vec::new()),
                };
                warnings.into_iter().for_each(|w| observer(Progress::Warning(w)));
                store.open_collection(Collection::Instances, &self.embedder.identity()).await?;
                observer(Progress::Storing(summary.stored));
                let told = |n| observer(Progress::Stored(n));
                let written =
                    writer::write(listed.spool, Arc::clone(&self.embedder), store, Collection::Instances, source, told)
                        .await?;
                types::Types {
                    store,
                    source: &*self.source,
                    embedder: &self.embedder,
                    cluster: self.cluster(),
                    writer: source,
                }
                .store(&types, &discovery, &|number| run.origin(number))
                .await?;
                if let Some(memory) = listed.memory {
                    memory.note_lost(store, &lost, Noticed::Late).await?;
                }
                self.delete(store, &removals).await?;
                observer(Progress::StorageComplete(summary.stored));
                summary.seconds.embed = written.embedding.as_secs_f64();
                summary.seconds.store = storing.elapsed().as_secs_f64();
            }
        }
        let reading = run.reading().clone();
        let outcome = run.finish(summary).await?;
        Ok(Synced { outcome, discovery, chosen, positions: listed.positions, source, reading })
    }

    fn cluster(&self) -> &str {
        self.options.cluster.as_deref().unwrap_or_default()
    }

    /// Types that the store holds documents of and discovery no longer names. One of them is gone only when its group was read
    /// whole and listing it answers 404; that is found out by listing it like any other. What they are is read off the documents
    /// themselves: whatever else was known of them another run may have forgotten.
    async fn vanished(&self, plan: &SyncPlan, discovery: &Discovery) -> Result<Vec<ResourceType>, SyncError> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        if self.options.scope != ListScope::All {
            return Ok(Vec::new());
        }
        let served: BTreeSet<String> = discovery.types.iter().map(ResourceType::name).collect();
        let missing: BTreeMap<ObjectKey, &str> = plan
            .known_types()
            .into_iter()
            .filter(|(name, _)| !served.contains(*name))
            .map(|(n, key)| (key, n))
            .collect();
        let keys: Vec<ObjectKey> = missing.keys().copied().collect();
        let records = checks::everything(&**store).await?.records(Collection::Instances, &keys).await?;
        let types = missing.iter().filter_map(|(key, name)| {
            let instance: ResourceInstance = serde_json::from_str(records.get(key)?).ok()?;
            Some(ResourceType::of_instance(name, &instance))
        });
        Ok(types.filter(|t| !discovery.is_incomplete(&t.group) && self.options.filter.admits(t)).collect())
    }

    /// Reads the schemas' descriptions beside the lists.
    fn describe(&self, mut types: Vec<ResourceType>) -> tokio::task::JoinHandle<(Vec<ResourceType>, Vec<String>)> {
        let source = Arc::clone(&self.source);
        tokio::spawn(async move {
            let warnings = source.describe(&mut types).await.into_iter().map(|w| w.0).collect();
            (types, warnings)
        })
    }

    /// What is to be deleted. Where that is most of what is known, the lists are not believed at once: the types concerned are
    /// listed again, and only what both times was not there goes.
    async fn removals(
        &self,
        listed: &mut Listed<'_>,
        chosen: &[ResourceType],
        vanished: &[ResourceType],
        observer: &Observer<'_>,
    ) -> Result<BTreeSet<ObjectKey>, SyncError> {
        let mut removals = listed.removals();
        if !listed.plan.is_most(&removals) {
            return Ok(removals);
        }
        let concerned: BTreeSet<String> = listed.plan.types_of(&removals).into_iter().map(str::to_owned).collect();
        let of = |types: &[ResourceType]| -> Vec<ResourceType> {
            types.iter().filter(|t| concerned.contains(&t.name())).cloned().collect()
        };
        observer(Progress::ListingAgain {
            removals: removals.len(),
            known: listed.plan.known(),
            types: concerned.len(),
        });
        self.source.renew().await;
        self.list(listed, &of(chosen), &of(vanished), &|progress| match progress {
            Progress::Listing { .. } => {}
            told => observer(told),
        })
        .await?;
        let again = listed.removals();
        removals.retain(|key| again.contains(key));
        Ok(removals)
    }

    /// Lists the chosen types, several at once and each until it is done, and compares each object with the plan as it arrives. What was
    /// listed before of these types stays seen, and what was covered before counts only as far as it is covered again.
    async fn list(
        &self,
        listed: &mut Listed<'_>,
        chosen: &[ResourceType],
        vanished: &[ResourceType],
        observer: &Observer<'_>,
    ) -> Result<(), SyncError> {
        let all: Arc<[ResourceType]> = chosen.iter().chain(vanished).cloned().collect();
        let (sender, mut events) = mpsc::channel(WAITING_PAGES);
        let (stop, stopped) = oneshot::channel::<()>();
        let lists = {
            let (source, scope, all) = (Arc::clone(&self.source), self.options.scope.clone(), Arc::clone(&all));
            let concurrency = self.options.concurrency.max(1);
            tokio::spawn(async move {
                let mut running = stream::iter(0..all.len())
                    .map(|index| {
                        let (source, all, scope) = (Arc::clone(&source), Arc::clone(&all), scope.clone());
                        let events = EventSink { type_index: index, sender: sender.clone() };
                        // A task each: decoding runs on all cores.
                        AbortOnDrop(tokio::spawn(async move { source.list(&all[index], &scope, &events).await }))
                    })
                    .buffer_unordered(concurrency);
                let gather = async {
                    while let Some(done) = running.next().await {
                        done??;
                    }
                    Ok::<_, SyncError>(())
                };
                tokio::select! {
                    gathered = gather => gathered?,
                    _ = stopped => {}
                }
                drop(running);
                Ok::<_, SyncError>(())
            })
        };

        let mut started = 0;
        let mut begun = vec![false; all.len()];
        let mut ends = vec![ListEnd::default(); all.len()];
        while let Some((index, event)) = events.recv().await {
            match event {
                // What the run has seen of the type before stays seen; what this list has, where it begins again, does not.
                SourceEvent::Begin { .. } if !std::mem::replace(&mut begun[index], true) => {
                    if index < chosen.len() {
                        started += 1;
                        let type_name = all[index].name();
                        observer(Progress::Listing { number: started, of: chosen.len(), type_name });
                    }
                }
                SourceEvent::Done(end) => ends[index] = end,
                SourceEvent::Failed(skipped) => ends[index] = ListEnd { skipped: Some(skipped), ..ListEnd::default() },
                event => {
                    self.take(listed, &all[index].name(), event)?;
                    observer(Progress::Listed(listed.plan.seen()));
                }
            }
        }
        drop(stop);
        lists.await??;

        for (index, ListEnd { coverage, skipped, unnamed, positions }) in ends.into_iter().enumerate() {
            let type_name = all[index].name();
            listed.positions.insert(type_name.clone(), positions);
            if let Some(mut skipped) = skipped {
                // A type that discovery no longer names and that answers 404 is gone, and so are its objects. Whoever may not list it
                // gets a 403 in either case: then its group version says whether it is there.
                let gone = index >= chosen.len()
                    && match skipped.reason {
                        SkipReason::NotFound => true,
                        SkipReason::Forbidden => self.source.serves(&all[index]).await? == Some(false),
                        SkipReason::Unavailable | SkipReason::Expired => false,
                    };
                if gone {
                    listed.coverage.insert(type_name, Coverage::All);
                    continue;
                }
                if index >= chosen.len() {
                    skipped.message = format!("it is served no more, but may still be there ({})", skipped.message);
                }
                // The reason that was heard first stays where a type is listed twice, and what is not covered now is not covered.
                if !listed.skipped.iter().any(|known| known.type_name == type_name) {
                    listed.skipped.push(SkippedType {
                        type_name: type_name.clone(),
                        reason: skipped.message,
                        forbidden: skipped.reason == SkipReason::Forbidden,
                        unnamed,
                        model: None,
                    });
                }
            }
            listed.coverage.insert(type_name, coverage);
        }
        listed.skipped.sort_by(|a, b| a.type_name.cmp(&b.type_name));
        Ok(())
    }

    /// Compares what one event brought with the plan; what changed waits in the spool.
    fn take(&self, listed: &mut Listed<'_>, type_name: &str, event: SourceEvent) -> Result<(), SyncError> {
        let Listed { plan, spool, memory, .. } = listed;
        let page = match event {
            SourceEvent::Page(page) => page,
            SourceEvent::Begin { namespace } => {
                if plan.restart(type_name, namespace.as_deref()) {
                    spool.forget(type_name, namespace.as_deref());
                }
                return Ok(());
            }
            // A list tells of nothing that happens after it.
            _ => return Ok(()),
        };
        for instance in page {
            let instance = ResourceInstance { cluster: self.options.cluster.clone(), ..instance };
            let fingerprint = Fingerprint::of_instance(&instance, type_name);
            let change = plan.observe_fingerprint(fingerprint, type_name, &instance.namespace);
            if let Some(memory) = memory {
                memory.saw(&instance, fingerprint.key, type_name, change == Change::New, "");
            }
            match change {
                Change::Unchanged => spool.remove(&fingerprint.key),
                change => spool.put_instance(&instance, type_name, fingerprint.key, change != Change::Rest)?,
            }
        }
        Ok(())
    }

    /// Deletes come last: whatever happens before leaves too much rather than too little.
    async fn delete(&self, store: &dyn Store, removals: &BTreeSet<ObjectKey>) -> Result<(), SyncError> {
        let keys: Vec<ObjectKey> = removals.iter().copied().collect();
        debug!(count = keys.len(), "deleting");
        let nothing_else = Batch::deleting(self.cluster(), Vec::new());
        Ok(writer::apply(store, Collection::Instances, nothing_else, &keys).await?)
    }

    async fn ids_of(&self, store: &dyn Store, keys: &BTreeSet<ObjectKey>) -> Result<Vec<String>, SyncError> {
        let mut ids = Vec::new();
        if !keys.is_empty() {
            let mut visit = |s: clusterlore_store::Scanned<'_>| {
                if keys.contains(&s.key) {
                    ids.push(s.id.to_owned());
                }
            };
            checks::everything_now(store).await?.scan(Collection::Instances, self.cluster(), &mut visit).await?;
        }
        Ok(ids)
    }

    async fn tell_dry_run(
        &self,
        spool: Spool,
        removals: &BTreeSet<ObjectKey>,
        observer: &Observer<'_>,
    ) -> Result<(), SyncError> {
        for document in spool.into_documents()? {
            observer(Progress::WouldStore(document?.0.id));
        }
        if let Some(store) = self.store.as_deref() {
            self.ids_of(store, removals).await?.into_iter().for_each(|id| observer(Progress::WouldDelete(id)));
        }
        Ok(())
    }
}

impl Listed<'_> {
    fn removals(&self) -> BTreeSet<ObjectKey> {
        self.plan.removals(|ty| self.coverage.get(ty).cloned().unwrap_or_default())
    }
}

/// Every list failed or was forbidden.
fn nothing_listed(skipped: &[SkippedType], types: usize, source: &SourceIdentity) -> SyncError {
    let first = skipped
        .first()
        .map_or_else(|| "no namespace may be read".to_owned(), |s| format!("{}: {}", s.type_name, s.reason));
    let unnamed = skipped.iter().any(|s| s.unnamed);
    SyncError::NothingListed { types, first, unnamed, manifests: matches!(source, SourceIdentity::Folder { .. }) }
}

/// A list that nobody waits for any more is stopped.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context)
    }
}
