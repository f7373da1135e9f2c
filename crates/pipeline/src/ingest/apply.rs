//! From posts to documents.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use clusterlore_cluster::{compare_versions, probable_type};
use clusterlore_core::{
    Collection, ContentHash, Document, Fingerprint, ObjectKey, ResourceInstance, ResourceType, SourceIdentity,
};
use clusterlore_store::{Batch, Reading, Readings, RunKind, Spool};
use jiff::Timestamp;

use super::{Ingest, InstancePost};
use crate::error::SyncError;
use crate::{checks, waiting, writer};

/// How long posts wait for a run that writes the same cluster, before they are tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Documents that one transaction deletes.
const DELETE_BATCH: usize = 2_000;

/// What is stored of an object.
struct Held {
    hash: ContentHash,
    own: bool,
}

impl Ingest {
    /// Writes posts about one cluster, in their order.
    pub(super) async fn write(&self, cluster: &str, posts: Vec<InstancePost>) -> Result<(), SyncError> {
        let store = &*self.store;
        let _lock = waiting::lock(store, cluster, RunKind::Other, PATIENCE, &|_| ()).await?;
        checks::embedder(Some(store), self.embedder.identity(), false, false).await?;
        let view = checks::everything_now(store).await?;
        let known: Vec<ResourceType> =
            view.types().await?.iter().filter(|(of, _)| of == cluster).map(|(_, ty)| ty.clone()).collect();
        let wanted = settle(cluster, posts, &known);
        let source = store.remember_source(cluster, &SourceIdentity::Controller, false).await?;

        let (mut held, mut old) = (HashMap::new(), Vec::new());
        view.scan(Collection::Instances, cluster, &mut |s| {
            let own = s.source == source;
            if wanted.objects.contains_key(&s.key) {
                held.insert(s.key, Held { hash: s.hash, own });
            } else if wanted.whole && own {
                old.push(s.key);
            }
        })
        .await?;
        let keys: Vec<ObjectKey> = held.keys().copied().collect();
        let stored = versions(&view.records(Collection::Instances, &keys).await?);
        drop(view);

        let (mut spool, mut deletes, mut types) = (Spool::new()?, old, BTreeMap::new());
        for (key, object) in wanted.objects {
            let before = held.get(&key);
            let Some(object) = object else {
                // What another source wrote is that source's to delete.
                deletes.extend(before.filter(|held| held.own).map(|_| key));
                continue;
            };
            let ty = type_of(&known, &object);
            if stored.get(&key).is_some_and(|version| prefers(&known, &object, version, &object.api_version)) {
                continue;
            }
            let name = ty.name();
            let hash = Fingerprint::of_instance(&object, &name).hash;
            let same = |half: fn(&ContentHash) -> [u8; 8]| before.is_some_and(|held| half(&held.hash) == half(&hash));
            if !(same(|h| h.text) && same(|h| h.rest) && before.is_some_and(|held| held.own)) {
                spool.put_instance(&object, &name, key, !same(|h| h.text))?;
            }
            types.entry(name).or_insert(ty);
        }
        store.open_collection(Collection::Instances, &self.embedder.identity()).await?;
        writer::write(spool, Arc::clone(&self.embedder), store, Collection::Instances, source, |_| ()).await?;
        for some in deletes.chunks(DELETE_BATCH) {
            store.apply(Collection::Instances, Batch::deleting(cluster, some.to_vec())).await?;
        }
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
fn settle(cluster: &str, posts: Vec<InstancePost>, known: &[ResourceType]) -> Wanted {
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
                Some(Some(other)) if prefers(known, &object, &other.api_version, &object.api_version) => {}
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

/// Whether one version of an object's group is preferred to another: the one that its cluster prefers, where that is known.
fn prefers(known: &[ResourceType], object: &ResourceInstance, one: &str, other: &str) -> bool {
    let preferred = type_of(known, object).api_version();
    if one == other || other == preferred { false } else { one == preferred || compare_versions(one, other).is_gt() }
}

/// The version in which each object is stored.
fn versions(records: &HashMap<ObjectKey, String>) -> HashMap<ObjectKey, String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versioned {
        api_version: String,
    }
    let read = |record: &String| serde_json::from_str::<Versioned>(record).ok().map(|read| read.api_version);
    records.iter().filter_map(|(key, record)| Some((*key, read(record)?))).collect()
}
