//! From posts to documents.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clusterlore_cluster::{compare_versions, probable_type};
use clusterlore_core::{
    Collection, ContentHash, Document, Fingerprint, Happening, ObjectKey, ResourceInstance, ResourceType,
    SourceIdentity,
};
use clusterlore_store::{Batch, KnownSource, Reading, Readings, Spool};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{Ingest, InstancePost};
use crate::error::SyncError;
use crate::memory::{Memory, Noticed};
use crate::{checks, writer};

/// So long after an object came its controller may first tell of it.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// So many documents go without a second thought.
const FEW: usize = 100;

/// What is stored of an object.
struct Held {
    hash: ContentHash,
    own: bool,
    type_name: String,
}

impl Ingest {
    /// Writes posts about one cluster, in their order. The caller holds its lock.
    pub(super) async fn write(&self, cluster: &str, posts: Vec<InstancePost>) -> Result<(), SyncError> {
        let store = &*self.store;
        checks::embedder(Some(store), self.embedder.identity(), false, false).await?;
        let view = checks::everything_now(store).await?;
        let known: Vec<ResourceType> =
            view.types().await?.iter().filter(|(of, _)| of == cluster).map(|(_, ty)| ty.clone()).collect();
        let wanted = settle(cluster, posts);
        let source = store.remember_source(cluster, &SourceIdentity::Controller, false).await?;

        let (mut held, mut old, mut own_in_all) = (HashMap::new(), Vec::new(), 0);
        view.scan(Collection::Instances, cluster, &mut |s| {
            let own = s.source == source;
            own_in_all += usize::from(own);
            if wanted.objects.contains_key(&s.key) {
                held.insert(s.key, Held { hash: s.hash, own, type_name: s.type_name.to_owned() });
            } else if wanted.whole && own {
                old.push((s.key, s.type_name.to_owned()));
            }
        })
        .await?;
        let keys: Vec<ObjectKey> = held.keys().copied().collect();
        let stored = read(&view.records(Collection::Instances, &keys).await?);
        let mut memory = Memory::new(&news(&view.sources().await?, source, own_in_all));
        drop(view);

        if old.len() > FEW && old.len() * 2 > own_in_all {
            // Nothing says that such a post is whole, and most likely it is not.
            warn!(
                cluster,
                gone = old.len(),
                known = own_in_all,
                "a post that is to hold everything lacks most of it; what it lacks stays"
            );
            old.clear();
        }
        let (mut spool, mut deletes, mut types) = (Spool::new()?, Vec::new(), BTreeMap::new());
        for (key, object) in wanted.objects {
            let before = held.get(&key);
            let Some(object) = object else {
                // What another source wrote is that source's to delete.
                deletes.extend(before.filter(|held| held.own).map(|held| (key, held.type_name.clone())));
                continue;
            };
            let ty = type_of(&known, &object);
            let before_it = stored.get(&key);
            if before_it.is_some_and(|stored| prefers(&stored.api_version, &object.api_version)) {
                continue;
            }
            let name = ty.name();
            memory.saw(&object, key, &name, before.is_none(), "");
            if before_it.is_some_and(|stored| stored.labels != object.labels) {
                memory.note(&object, &name, Happening::LabelsChanged);
            }
            let hash = Fingerprint::of_instance(&object, &name).hash;
            let same = |half: fn(&ContentHash) -> [u8; 8]| before.is_some_and(|held| half(&held.hash) == half(&hash));
            if !(same(|h| h.text) && same(|h| h.rest) && before.is_some_and(|held| held.own)) {
                spool.put_instance(&object, &name, key, !same(|h| h.text))?;
            }
            types.entry(name).or_insert(ty);
        }
        store.open_collection(Collection::Instances, &self.embedder.identity()).await?;
        writer::write(spool, Arc::clone(&self.embedder), store, Collection::Instances, source, |_| ()).await?;
        memory.note_lost(store, &deletes, Noticed::AtOnce).await?;
        memory.note_lost(store, &old, Noticed::Late).await?;
        let deletes: Vec<ObjectKey> = deletes.into_iter().chain(old).map(|(key, _)| key).collect();
        let happened =
            Batch { source, journal: memory.entries, bounds: Memory::bounds(), ..Batch::deleting(cluster, Vec::new()) };
        writer::apply(store, Collection::Instances, happened, &deletes).await?;
        self.remember_new(cluster, source, known, types).await?;
        let now = Reading { at: Timestamp::now().to_string(), ..Reading::default() };
        store.remember_readings(source, &Readings::default().and(Collection::Instances, &now)).await?;
        Ok(())
    }

    /// Types of which an object came and nothing was known: a question can name them, and finds them by their names.
    async fn remember_new(
        &self,
        cluster: &str,
        source: i64,
        mut known: Vec<ResourceType>,
        types: BTreeMap<String, ResourceType>,
    ) -> Result<(), SyncError> {
        let new: Vec<ResourceType> =
            types.into_values().filter(|ty| known.iter().all(|known| known.name() != ty.name())).collect();
        if new.is_empty() {
            return Ok(());
        }
        let named = Some(cluster).filter(|name| !name.is_empty());
        let mut spool = Spool::new()?;
        for ty in &new {
            spool.put(&Document::of_type(ty, named), true)?;
        }
        let store = &*self.store;
        store.open_collection(Collection::Capabilities, &self.embedder.identity()).await?;
        writer::write(spool, Arc::clone(&self.embedder), store, Collection::Capabilities, source, |_| ()).await?;
        known.extend(new);
        store.remember_types(cluster, &known).await?;
        Ok(())
    }
}

/// What posts come to.
#[derive(Default)]
struct Wanted {
    /// What is there of each object that they name; `None`: it is gone.
    objects: BTreeMap<ObjectKey, Option<ResourceInstance>>,
    /// Whether they hold all that there is.
    whole: bool,
}

/// The last state of each object. Of one object in several versions, as controllers send it, the preferred version stays.
fn settle(cluster: &str, posts: Vec<InstancePost>) -> Wanted {
    let named = Some(cluster).filter(|name| !name.is_empty()).map(str::to_owned);
    let mut wanted = Wanted::default();
    for InstancePost { upserts, deletes, whole } in posts {
        if whole {
            wanted = Wanted { whole, ..Wanted::default() };
        }
        for id in deletes {
            if let Some(key) = ObjectKey::of_stored_id(&clusterlore_core::stored_id(named.as_deref(), &id)) {
                wanted.objects.insert(key, None);
            }
        }
        for posted in upserts {
            // What has no kind or no name is no object.
            let Ok(object) =
                ResourceInstance::new(&posted.api_version, &posted.kind, Some(&posted.namespace), &posted.name)
            else {
                continue;
            };
            let object = ResourceInstance {
                labels: posted.labels,
                annotations: clusterlore_core::description_annotations(posted.annotations),
                created_at: posted.created_at,
                cluster: named.clone(),
                ..object
            };
            let key = ObjectKey::new(cluster, &object.api_group, &object.kind, &object.namespace, &object.name);
            match wanted.objects.get(&key) {
                Some(Some(other)) if prefers(&other.api_version, &object.api_version) => {}
                _ => _ = wanted.objects.insert(key, Some(object)),
            }
        }
    }
    wanted
}

/// The type of an object: the known one, else the probable one.
fn type_of(known: &[ResourceType], object: &ResourceInstance) -> ResourceType {
    let is_its = |ty: &&ResourceType| ty.group == object.api_group && ty.kind == object.kind;
    let made = || probable_type(&object.api_version, &object.kind, !object.is_cluster_scoped());
    known.iter().find(is_its).cloned().unwrap_or_else(made)
}

/// Whether one version of an object's group is preferred to another, as API servers rank them.
fn prefers(one: &str, other: &str) -> bool {
    compare_versions(one, other).is_gt()
}

/// What is stored of an object, as far as it matters here.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    api_version: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn read(records: &HashMap<ObjectKey, String>) -> HashMap<ObjectKey, Stored> {
    records.iter().filter_map(|(key, record)| Some((*key, serde_json::from_str(record).ok()?))).collect()
}

/// From when on the creation of an object is news. What a controller sends first was there before; later it tells of objects some time after
/// they came.
fn news(sources: &[KnownSource], number: i64, known: usize) -> String {
    let of = sources.iter().find(|source| source.number == number);
    let last =
        of.and_then(|of| of.readings.of(Collection::Instances)?.at.parse::<Timestamp>().ok()).filter(|_| known > 0);
    let since = last.map_or_else(|| Timestamp::now() + SignedDuration::from_secs(1), |last| last - LATE);
    since.to_string()
}
