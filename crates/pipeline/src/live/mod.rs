//! Live sync: the index follows the cluster. A first sync fills it, then every type is watched from where its list ended. Read
//! [`LiveSync::run`] from top to bottom; what is done about one type is in `follow`, how the index is kept in `keeper`.

mod follow;
mod keeper;
mod pace;
mod state;
mod watched;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clusterlore_cluster::{ClusterSource, Discovery, LiveSource, Position};
use clusterlore_core::{Collection, Known, Origin, ResourceType, SourceIdentity, SyncPlan};
use clusterlore_models::Embedder;
use clusterlore_store::{KnownSource, Reading, Readings, RunKind, RunLock, RunRecord, Store, StoreError};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::capabilities::{CapabilityOptions, CapabilitySync, Inference};
use crate::error::SyncError;
use crate::instances::{InstanceSync, Options, Synced};
use crate::memory::Memory;
use crate::progress::{Observer, Progress};
use crate::{checks, types, waiting};

use follow::{Follower, Heard, Nudge};
use keeper::{DEFINES_TYPES, Keeper, Nudges, Queue};
use pace::{Pauses, about};

pub use pace::Pace;
pub use state::{LiveState, Status, Turn, TypeState};
pub use watched::Watched;

/// Events that wait for the keeper: with more than that followers wait, and servers with them.
const WAITING_EVENTS: usize = 64;
/// Between two looks at how the types are.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps the index of one cluster up to date.
pub struct LiveSync {
    /// Where objects come from.
    pub source: Arc<LiveSource>,
    /// Where documents go.
    pub store: Arc<dyn Store>,
    /// What makes vectors.
    pub embedder: Arc<dyn Embedder>,
    /// What the user chose. There is no dry run of it.
    pub options: Options,
    /// Who says what types are for; `None`: nobody does.
    pub inference: Option<Inference>,
    /// Times and sizes.
    pub pace: Pace,
    /// Where it notes what it does.
    pub status: Arc<Status>,
}

/// What runs beside the keeper: who follows which type.
struct Followers<'a> {
    sync: &'a LiveSync,
    pace: Arc<Pace>,
    source: Arc<LiveSource>,
    turns: Arc<Semaphore>,
    sign: Arc<Notify>,
    nudges: Nudges,
    running: JoinSet<Arc<ResourceType>>,
    /// What is followed, by `plural.group`, and how its follower is stopped.
    followed: HashMap<String, (ResourceType, AbortHandle)>,
    to: mpsc::Sender<Heard>,
    discovery: Discovery,
    /// Number of the source that writes.
    number: i64,
    /// Numbers of the sources whose documents go when a complete list lacks their objects.
    own: BTreeSet<i64>,
    reading: Reading,
}

impl LiveSync {
    /// Syncs once, and then follows the cluster until `stop` is over; what is queued then is still written. Holds the cluster's lock all the
    /// while. As long as another process holds it, stands by; when the lock is lost, stops to write and takes it anew.
    ///
    /// # Errors
    /// What ends the first sync. Whatever fails once the index can be asked is told to `observer` and tried again.
    pub async fn run(&self, observer: &Observer<'_>, stop: impl Future<Output = ()> + Send) -> Result<(), SyncError> {
        let stop = stop.shared();
        let (mut patience, mut pauses) = (self.options.lock_timeout, Pauses::of(&self.pace));
        loop {
            let began = Instant::now();
            let lock = tokio::select! {
                lock = self.lock(patience, observer) => lock,
                () = stop.clone() => return Ok(()),
            };
            let ended = match lock {
                Ok(lock) => {
                    patience = Duration::MAX;
                    lock.during(self.keep(observer, stop.clone())).await.unwrap_or_else(|lost| Err(lost.into()))
                }
                Err(error) => Err(error.into()),
            };
            let error = match ended {
                Err(SyncError::Store(error @ StoreError::Locked { .. })) => return Err(error.into()),
                Err(error) if self.status.state().ready => error,
                ended => return ended,
            };
            self.status.takes(Turn::Interrupted);
            observer(Progress::Warning(format!("the index is not kept up to date, which is taken up again: {error}")));
            tokio::select! {
                () = sleep(pauses.after(began.elapsed())) => {}
                () = stop.clone() => return Ok(()),
            }
        }
    }

    /// Takes the cluster's lock. While another process holds it this one stands by, and can be asked as soon as the index is filled.
    async fn lock(&self, patience: Duration, observer: &Observer<'_>) -> Result<RunLock, StoreError> {
        let hear = |progress: Progress| {
            if matches!(progress, Progress::WaitingForLock { .. }) {
                self.status.takes(Turn::StandsBy);
            }
            observer(progress);
        };
        let filled = async {
            loop {
                sleep(LOOK).await;
                let LiveState { ready, turn, .. } = self.status.state();
                if turn == Turn::StandsBy && !ready && self.is_filled().await.unwrap_or_default() {
                    self.status.ready();
                }
            }
        };
        tokio::select! {
            lock = waiting::lock(&*self.store, self.cluster(), RunKind::Watch, patience, &hear) => lock,
            () = filled => std::future::pending().await,
        }
    }

    /// Whether a sync of the cluster has ended.
    async fn is_filled(&self) -> Result<bool, StoreError> {
        let runs = self.store.view_all("whether the index is filled is asked of all of it").await?.last_runs().await?;
        let of_cluster = |run: &RunRecord| run.cluster == self.cluster() && run.command == RunKind::Instances;
        Ok(runs.iter().any(|run| of_cluster(run) && !run.finished.is_empty()))
    }

    /// Syncs, and then follows the cluster until `stop` is over.
    async fn keep(
        &self,
        observer: &Observer<'_>,
        mut stop: impl Future<Output = ()> + Send + Unpin,
    ) -> Result<(), SyncError> {
        self.status.takes(Turn::Keeps);
        self.source.renew().await;
        let store = &*self.store;
        let first = async {
            if let Some(capabilities) = self.capabilities(self.options.replace_source, self.options.reindex) {
                capabilities.run_locked(observer).await?;
            }
            let mut memory = self.memory().await?;
            let synced = self.instances().run_locked(Some(&mut memory), observer).await?;
            Ok::<_, SyncError>((memory, synced))
        };
        let (memory, synced) = tokio::select! {
            first = first => first?,
            () = &mut stop => return Ok(()),
        };
        let own = self.own(synced.source).await?;
        let plan = self.plan(&own).await?;

        let (to, heard) = mpsc::channel(WAITING_EVENTS);
        let (sign, namespaces, pace) =
            (Arc::<Notify>::default(), Arc::<Notify>::default(), Arc::new(self.pace.clone()));
        let Synced { outcome, discovery, chosen, mut positions, source: number, reading } = synced;
        let mut followers = Followers {
            sync: self,
            pace: Arc::clone(&pace),
            source: Arc::clone(&self.source),
            turns: Arc::new(Semaphore::new(self.pace.at_once.max(1))),
            sign: Arc::clone(&sign),
            nudges: Arc::new(Mutex::new(HashMap::new())),
            running: JoinSet::new(),
            followed: HashMap::new(),
            to,
            discovery,
            number,
            own,
            reading,
        };
        let admits = |ty: &ResourceType| self.options.filter.admits(ty);
        let keeper = Keeper {
            store,
            embedder: &self.embedder,
            cluster: self.options.cluster.clone(),
            scope: self.options.scope.clone(),
            admits: &admits,
            source: number,
            plan,
            memory,
            pace,
            status: Arc::clone(&self.status),
            nudges: Arc::clone(&followers.nudges),
            sign,
            namespaces: Arc::clone(&namespaces),
            queue: Queue::default(),
        };
        for ty in &chosen {
            followers.follow(ty, positions.remove(&ty.name()).unwrap_or_default());
        }
        let definitions = followers.unfollowed(&followers.discovery, defines_types);
        definitions.iter().for_each(|ty| followers.follow(ty, Vec::new()));
        self.status.ready();
        // Whoever may not read a type has to know that questions are answered without it.
        outcome.summary.skipped_line().into_iter().for_each(|line| observer(Progress::Warning(line)));
        observer(Progress::Following(chosen.len()));
        let supervised = async {
            tokio::select! {
                () = followers.supervise(&namespaces, observer) => {}
                () = &mut stop => {}
            }
            // Nobody tells anything any more: the keeper ends.
            drop(followers);
        };
        futures::join!(keeper.run(heard, observer), supervised);
        Ok(())
    }

    fn cluster(&self) -> &str {
        self.options.cluster.as_deref().unwrap_or_default()
    }

    fn instances(&self) -> InstanceSync {
        InstanceSync {
            source: Arc::clone(&self.source) as Arc<dyn ClusterSource>,
            store: Some(Arc::clone(&self.store)),
            embedder: Arc::clone(&self.embedder),
            options: Options { dry_run: false, ..self.options.clone() },
        }
    }

    fn capabilities(&self, replace_source: bool, reindex: bool) -> Option<CapabilitySync> {
        let inference = self.inference.clone()?;
        Some(CapabilitySync {
            source: Arc::clone(&self.source) as Arc<dyn ClusterSource>,
            store: Some(Arc::clone(&self.store)),
            embedder: Arc::clone(&self.embedder),
            inference,
            options: CapabilityOptions {
                filter: self.options.filter.clone(),
                cluster: self.options.cluster.clone(),
                replace_source,
                reindex,
                ..CapabilityOptions::default()
            },
        })
    }

    /// What the journal begins with. What came since the index was last fresh is news; of an index that was never filled nothing is.
    async fn memory(&self) -> Result<Memory, SyncError> {
        let sources = checks::everything_now(&*self.store).await?.sources().await?;
        let of_cluster = sources.iter().filter(|source| source.cluster == self.cluster() && !source.replaced);
        let fresh = of_cluster.filter_map(|source| Some(source.readings.of(Collection::Instances)?.at.clone())).max();
        // Times of creation have no fractions: what came in this very second is no news either.
        let never = || Timestamp::now() + SignedDuration::from_secs(1);
        Ok(Memory::new(&fresh.unwrap_or_else(|| never().to_string())))
    }

    /// The sources whose documents go when the cluster lacks their objects: the cluster itself, and a controller that told of it.
    async fn own(&self, source: i64) -> Result<BTreeSet<i64>, SyncError> {
        let sources = checks::everything_now(&*self.store).await?.sources().await?;
        let told =
            |s: &&KnownSource| s.cluster == self.cluster() && !s.replaced && s.identity == SourceIdentity::Controller;
        Ok(sources.iter().filter(told).map(|s| s.number).chain([source]).collect())
    }

    /// What the store holds after the first sync.
    async fn plan(&self, own: &BTreeSet<i64>) -> Result<SyncPlan, SyncError> {
        let mut plan = SyncPlan::default();
        let mut visit = |s: clusterlore_store::Scanned<'_>| {
            let origin = origin(s.source, own);
            plan.know(Known { key: s.key, hash: s.hash, type_name: s.type_name, namespace: s.namespace, origin });
        };
        let view = checks::everything_now(&*self.store).await?;
        view.scan(Collection::Instances, self.cluster(), &mut visit).await?;
        Ok(plan)
    }
}

/// Who wrote a document, by the number of its source. Whatever a replaced source left is gone after the first sync.
fn origin(number: i64, own: &BTreeSet<i64>) -> Origin {
    if own.contains(&number) { Origin::Own } else { Origin::Other }
}

impl Followers<'_> {
    fn follow(&mut self, ty: &ResourceType, positions: Vec<Position>) {
        let name = ty.name();
        let nudge = Arc::<Nudge>::default();
        self.sync.status.begin(&name);
        self.nudges.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&nudge));
        let follower = Follower {
            source: Arc::clone(&self.source),
            ty: Arc::new(ty.clone()),
            scope: self.sync.options.scope.clone(),
            pace: Arc::clone(&self.pace),
            status: Arc::clone(&self.sync.status),
            turns: Arc::clone(&self.turns),
            nudge,
            sign: Arc::clone(&self.sign),
            to: self.to.clone(),
        };
        // Unknown where the clock is broken: then it is as if it had begun now.
        let since = self.reading.at.parse().unwrap_or_else(|_| Timestamp::now());
        let running = self.running.spawn(follower.run(positions, since));
        self.followed.insert(ty.name(), (ty.clone(), running));
    }

    /// The types of these that nobody follows yet.
    fn unfollowed(&self, discovery: &Discovery, wanted: impl Fn(&ResourceType) -> bool) -> Vec<ResourceType> {
        discovery.types.iter().filter(|ty| wanted(ty) && !self.followed.contains_key(&ty.name())).cloned().collect()
    }

    /// Stops following those types that are served in another way than they are followed, such as in another version, and gives their names.
    fn drop_changed(&mut self, discovery: &Discovery) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        for ty in &discovery.types {
            let way = |ty: &ResourceType| (ty.api_version(), ty.kind.clone(), ty.namespaced, ty.verbs.clone());
            if let Entry::Occupied(known) = self.followed.entry(ty.name())
                && way(&known.get().0) != way(ty)
            {
                known.remove().1.abort();
                changed.insert(ty.name());
            }
        }
        changed
    }

    /// Looks after the followers: types that come and go, namespaces that come, and what people should know. Does not end.
    async fn supervise(&mut self, namespaces: &Notify, observer: &Observer<'_>) {
        let sign = Arc::clone(&self.sign);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut note = interval(self.pace.note);
        note.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // When discovery is read though nothing says so, and when because something did, in the order of time.
        let (mut routine, mut signs) = (Instant::now() + about(self.pace.discover), Vec::new());
        let mut trouble = Trouble::default();
        loop {
            let next = signs.first().map_or(routine, |sign| routine.min(*sign));
            tokio::select! {
                () = sign.notified() => {
                    let now = Instant::now();
                    // The first that is due stays: signs that do not end must not put it off for ever.
                    signs.truncate(1);
                    signs.extend(self.pace.signs.iter().map(|after| now + *after));
                    signs.sort();
                }
                () = sleep_until(next) => {
                    signs.retain(|at| *at > next);
                    if let Err(error) = self.discover(signs.is_empty(), observer).await {
                        observer(Progress::Warning(format!("resource types cannot be read, and are tried again: {error}")));
                        signs.insert(0, Instant::now() + about(self.pace.longest_pause));
                        signs.sort();
                    }
                    routine = Instant::now() + about(self.pace.discover);
                }
                () = namespaces.notified() => {
                    self.source.renew().await;
                    let nudges = self.nudges.lock().unwrap_or_else(PoisonError::into_inner);
                    nudges.values().filter(|n| n.by_namespace.load(Ordering::Relaxed)).for_each(|n| n.list.notify_one());
                }
                _ = look.tick() => trouble.look(&self.sync.status.state(), observer),
                _ = note.tick() => self.note(observer).await,
                Some(ended) = self.running.join_next_with_id() => {
                    match ended {
                        Ok((id, ty)) if self.followed.get(&ty.name()).is_some_and(|(_, now)| now.id() == id) => {
                            self.nudges.lock().unwrap_or_else(PoisonError::into_inner).remove(&ty.name());
                            self.followed.remove(&ty.name());
                            observer(Progress::TypeWent(ty.name()));
                        }
                        // A type that nobody follows any more must not go unnoticed.
                        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Reads what is served, and follows what is new of it. What is served no more is told to its follower, which makes sure of it. What
    /// types are for is written again where they changed, and with `all` in any case.
    async fn discover(&mut self, all: bool, observer: &Observer<'_>) -> Result<(), SyncError> {
        self.source.renew().await;
        let discovery = self.source.discover().await?;
        let served: BTreeSet<String> = discovery.types.iter().map(ResourceType::name).collect();
        for (name, nudge) in &*self.nudges.lock().unwrap_or_else(PoisonError::into_inner) {
            let unserved = !served.contains(name) && !discovery.is_incomplete(ResourceType::group_of(name));
            nudge.unserved.store(unserved, Ordering::Relaxed);
            if unserved {
                nudge.list.notify_one();
            }
        }
        let changed = self.drop_changed(&discovery);
        let filter = &self.sync.options.filter;
        for ty in self.unfollowed(&discovery, |ty| filter.admits(ty)) {
            self.follow(&ty, Vec::new());
            if !changed.contains(&ty.name()) {
                observer(Progress::TypeCame(ty.name()));
            }
        }
        for ty in self.unfollowed(&discovery, defines_types) {
            self.follow(&ty, Vec::new());
        }
        if all || discovery != self.discovery {
            self.describe(&discovery).await?;
        }
        self.discovery = discovery;
        Ok(())
    }

    /// Writes what the types are for.
    async fn describe(&self, discovery: &Discovery) -> Result<(), SyncError> {
        let LiveSync { source, store, embedder, .. } = self.sync;
        let mut described = discovery.types.clone();
        // What cannot be described now was told by the first sync, and is described as soon as it can be.
        source.describe(&mut described).await;
        let number = self.number;
        let types =
            types::Types { store: &**store, source: &**source, embedder, cluster: self.sync.cluster(), writer: number };
        types.store(&described, discovery, &|of| origin(of, &self.own)).await?;
        if let Some(capabilities) = self.sync.capabilities(false, false) {
            capabilities.run_locked(&|_| ()).await?;
        }
        Ok(())
    }

    /// Remembers up to when the index shows what is there.
    async fn note(&self, observer: &Observer<'_>) {
        let Some(fresh) = self.sync.status.state().fresh(Timestamp::now()) else { return };
        let reading = Reading { at: fresh.to_string(), ..self.reading.clone() };
        let readings = Readings::default().and(Collection::Instances, &reading);
        if let Err(error) = self.sync.store.remember_readings(self.number, &readings).await {
            observer(Progress::Warning(format!(
                "that the index is fresh cannot be noted, and is tried again: {error}"
            )));
        }
    }
}

fn defines_types(ty: &ResourceType) -> bool {
    DEFINES_TYPES.contains(&ty.name().as_str())
}

/// Tells of types that are not followed, once they are not for longer than a moment, and once when all are again.
#[derive(Default)]
struct Trouble {
    seen: bool,
    told: bool,
}

impl Trouble {
    fn look(&mut self, state: &LiveState, observer: &Observer<'_>) {
        let mut interrupted = state.interrupted();
        match interrupted.next() {
            None => {
                if std::mem::take(&mut self.told) {
                    observer(Progress::Resumed);
                }
                self.seen = false;
            }
            Some((first, reason)) => {
                if self.seen && !std::mem::replace(&mut self.told, true) {
                    let (first, reason) = (first.to_owned(), reason.to_owned());
                    observer(Progress::Interrupted { types: 1 + interrupted.count(), first, reason });
                }
                self.seen = true;
            }
        }
    }
}
