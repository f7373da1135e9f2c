//! The index is kept as the cluster is: one plan, which knows what the store holds; what happened is compared with it, and what differs is
//! written in small batches.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use clusterlore_cluster::{ListEnd, ListScope, SourceEvent};
use clusterlore_core::{
    Change, Collection, Coverage, Document, Fingerprint, Happening, ObjectKey, ResourceInstance, ResourceType, SyncPlan,
};
use clusterlore_models::Embedder;
use clusterlore_store::{Batch, Store};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until};

use super::follow::{Heard, Nudge, Told};
use super::pace::{Pace, Pauses};
use super::state::Status;
use crate::error::SyncError;
use crate::memory::{Memory, Noticed};
use crate::progress::{Observer, Progress};
use crate::writer;

/// Tries to write what is queued once the sync is told to stop.
const LAST_TRIES: usize = 5;
/// Happenings of one batch that are told one by one.
const TOLD: usize = 10;

/// Of which a change says that other types may be served.
pub(super) const DEFINES_TYPES: [&str; 2] =
    ["customresourcedefinitions.apiextensions.k8s.io", "apiservices.apiregistration.k8s.io"];

/// What has to be done about one document.
enum Due {
    Write { instance: Box<ResourceInstance>, ty: Arc<ResourceType>, embed: bool },
    Delete,
}

/// How the keeper speaks to the followers.
pub(super) type Nudges = Arc<Mutex<HashMap<String, Arc<Nudge>>>>;

/// See the module.
pub(super) struct Keeper<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) embedder: &'a Arc<dyn Embedder>,
    /// `None` for the unnamed one.
    pub(super) cluster: Option<String>,
    pub(super) scope: ListScope,
    /// Whether a type's objects are kept; of others only that they changed counts.
    pub(super) admits: &'a (dyn Fn(&ResourceType) -> bool + Send + Sync),
    /// Number of the source that writes.
    pub(super) source: i64,
    pub(super) plan: SyncPlan,
    /// How every object was last seen, and what happened that is not yet in the journal.
    pub(super) memory: Memory,
    pub(super) pace: Arc<Pace>,
    pub(super) status: Arc<Status>,
    pub(super) nudges: Nudges,
    /// Told where types may have changed.
    pub(super) sign: Arc<Notify>,
    /// Told where a namespace came.
    pub(super) namespaces: Arc<Notify>,
    pub(super) queue: Queue,
}

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    due: HashMap<ObjectKey, Due>,
    /// When the oldest of what is due was heard of.
    since: Option<Instant>,
    /// What one list of a type did not hold, and is only believed a second time.
    doubted: HashMap<String, BTreeSet<ObjectKey>>,
    /// What lists no longer held, each with its type: that it went has still to be noted.
    lost: Vec<(ObjectKey, String)>,
}

impl Keeper<'_> {
    /// Keeps the index until nobody tells anything any more, and then writes what is still queued.
    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<Heard>, observer: &Observer<'_>) {
        // What the first sync noticed.
        self.queue.since = (!self.memory.entries.is_empty()).then(Instant::now);
        loop {
            let due = self.queue.since.map_or_else(Instant::now, |since| since + self.pace.batch_wait);
            tokio::select! {
                next = heard.recv() => match next {
                    Some(next) => {
                        self.status.heard(heard.len());
                        self.take(next, observer);
                        if self.queue.due.len().max(self.memory.entries.len()) >= self.pace.batch {
                            self.write(&heard, observer).await;
                        }
                    }
                    None => {
                        self.write(&heard, observer).await;
                        return;
                    }
                },
                () = sleep_until(due), if self.queue.since.is_some() => self.write(&heard, observer).await,
            }
        }
    }

    /// Compares what was told with the plan.
    fn take(&mut self, Heard { ty, told, at }: Heard, observer: &Observer<'_>) {
        let name = ty.name();
        if DEFINES_TYPES.contains(&name.as_str())
            && !matches!(told, Told::Event(SourceEvent::Begin { .. } | SourceEvent::Page(_)))
        {
            self.sign.notify_one();
        }
        if !(self.admits)(&ty) {
            return;
        }
        match told {
            Told::Event(SourceEvent::Begin { namespace }) => {
                self.plan.restart(&name, namespace.as_deref());
            }
            Told::Event(SourceEvent::Page(page)) => {
                page.into_iter().for_each(|instance| self.observe(&ty, &name, instance, "", at));
            }
            Told::Event(SourceEvent::Changed { object, manager }) => self.observe(&ty, &name, *object, &manager, at),
            Told::Event(SourceEvent::Gone(object)) => {
                let cluster = self.cluster.as_deref().unwrap_or_default();
                let key = ObjectKey::new(cluster, &ty.group, &ty.kind, &object.namespace, &object.name);
                if self.plan.forget(&key) {
                    self.memory.lost(&key);
                    if let Ok(gone) = ResourceInstance::new(
                        &ty.api_version(),
                        &ty.kind,
                        Some(&object.namespace).filter(|_| ty.namespaced).map(String::as_str),
                        &object.name,
                    ) {
                        let gone = ResourceInstance { cluster: self.cluster.clone(), ..gone };
                        self.memory.note(&gone, &name, Happening::Deleted);
                    }
                    self.delete(key, at);
                }
            }
            Told::Event(SourceEvent::Done(ListEnd { coverage, .. })) => self.listed(&name, &coverage, at, observer),
            Told::Event(SourceEvent::Failed(_)) => {}
            Told::Vanished => {
                self.plan.restart(&name, None);
                let coverage = match &self.scope {
                    ListScope::All => Coverage::All,
                    ListScope::Namespaces(names) => Coverage::of_namespaces(names.iter().cloned().collect()),
                };
                self.remove(&name, self.removals(&name, &coverage), at);
            }
        }
    }

    /// An object as it is now; `manager` changed it last, empty where that is not known.
    fn observe(&mut self, ty: &Arc<ResourceType>, name: &str, instance: ResourceInstance, manager: &str, at: Instant) {
        let instance = ResourceInstance { cluster: self.cluster.clone(), ..instance };
        let fingerprint = Fingerprint::of_instance(&instance, name);
        let change = self.plan.observe_fingerprint(fingerprint, name, &instance.namespace);
        self.memory.saw(&instance, fingerprint.key, name, change == Change::New, manager);
        if !self.memory.entries.is_empty() {
            self.queue.since.get_or_insert(at);
        }
        if change == Change::Unchanged {
            return;
        }
        self.plan.keep(fingerprint);
        if change == Change::New && name == "namespaces" {
            self.namespaces.notify_one();
        }
        // What waits to be embedded still has to be.
        let waits = matches!(self.queue.due.get(&fingerprint.key), Some(Due::Write { embed: true, .. } | Due::Delete));
        let embed = change != Change::Rest || waits;
        let due = Due::Write { instance: Box::new(instance), ty: Arc::clone(ty), embed };
        self.queue.due.insert(fingerprint.key, due);
        self.queue.since.get_or_insert(at);
    }

    fn delete(&mut self, key: ObjectKey, at: Instant) {
        self.queue.due.insert(key, Due::Delete);
        self.queue.since.get_or_insert(at);
    }

    /// A list came to its end: what it covers and does not hold goes. Where that is most of what is known, it is not believed before a
    /// second list says the same.
    fn listed(&mut self, name: &str, coverage: &Coverage, at: Instant, observer: &Observer<'_>) {
        let removals = self.removals(name, coverage);
        let doubted = self.queue.doubted.remove(name);
        if doubted.is_none() && self.plan.is_most(&removals) {
            let (removals_found, known) = (removals.len(), self.plan.known());
            observer(Progress::ListingAgain { removals: removals_found, known, types: 1 });
            self.queue.doubted.insert(name.to_owned(), removals);
            let nudges = self.nudges.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(nudge) = nudges.get(name) {
                nudge.list.notify_one();
            }
            return;
        }
        let believed = |key: &ObjectKey| doubted.as_ref().is_none_or(|doubted| doubted.contains(key));
        self.remove(name, removals.into_iter().filter(believed).collect(), at);
    }

    fn remove(&mut self, name: &str, removals: BTreeSet<ObjectKey>, at: Instant) {
        for key in removals {
            self.plan.forget(&key);
            self.queue.lost.push((key, name.to_owned()));
            self.delete(key, at);
        }
    }

    fn removals(&self, name: &str, coverage: &Coverage) -> BTreeSet<ObjectKey> {
        self.plan.removals(|of| if of == name { coverage.clone() } else { Coverage::Nothing })
    }

    /// Writes all that is due. What cannot be written stays due and is tried again, for ever while the sync runs.
    async fn write(&mut self, heard: &mpsc::Receiver<Heard>, observer: &Observer<'_>) {
        let since = self.queue.since.take();
        let (mut writes, mut deletes) = (Vec::new(), Vec::new());
        for (key, due) in self.queue.due.drain() {
            match due {
                Due::Write { instance, ty, embed } => {
                    writes.push((Document::of_instance(&instance, &ty.name()), embed));
                }
                Due::Delete => deletes.push(key),
            }
        }
        let (written, deleted) = (writes.len(), deletes.len());
        if written + deleted + self.memory.entries.len() == 0 {
            return;
        }
        let mut pauses = Pauses::of(&self.pace);
        let mut last_tries = LAST_TRIES;
        let mut told = None;
        while let Err(error) = self.try_to_write(&writes, &deletes).await {
            let line =
                format!("{written} changes and {deleted} deletions cannot be written, and are tried again: {error}");
            if told.as_ref() != Some(&line) {
                observer(Progress::Warning(line.clone()));
                told = Some(line);
            }
            if heard.is_closed() {
                last_tries -= 1;
                if last_tries == 0 {
                    return;
                }
            }
            sleep(pauses.after(std::time::Duration::ZERO)).await;
        }
        self.embedder.settled();
        self.status.written(written, deleted, since.map(|since| since.elapsed()).unwrap_or_default());
        let happened = std::mem::take(&mut self.memory.entries);
        let more = happened.len().saturating_sub(TOLD);
        happened.into_iter().take(TOLD).for_each(|entry| observer(Progress::Happened(entry)));
        if more > 0 {
            observer(Progress::MoreHappened(more));
        }
    }

    async fn try_to_write(&mut self, writes: &[(Document, bool)], deletes: &[ObjectKey]) -> Result<(), SyncError> {
        // Before their documents go.
        self.memory.note_lost(self.store, &self.queue.lost, Noticed::Late).await?;
        self.queue.lost.clear();
        let upserts = writer::embed(writes.to_vec(), &**self.embedder).await?;
        let mut batch = Batch::writing(self.source, upserts);
        batch.cluster = self.cluster.clone().unwrap_or_default();
        (batch.journal, batch.bounds) = (self.memory.entries.clone(), Memory::bounds());
        Ok(writer::apply(self.store, Collection::Instances, batch, deletes).await?)
    }
}
