//! The mirror: when it still shows what the server holds, and how it is brought up to date.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use clusterlore_core::{Collection, ContentHash, EmbedderIdentity, ObjectKey, ResourceType, Scope};
use serde_json::json;

use super::api::Pages;
use super::row::{self, Read, TypeNames};
use super::seen::{READING, Seen, Stamp, is_being_written, unsettled};
use super::server::Chroma;
use crate::error::StoreError;
use crate::reader::View;
use crate::runs::Runs;
use crate::sqlite::Sqlite;
use crate::writer::{Batch, Upsert, Writer};

/// Documents of one answer.
pub(super) const PAGE: usize = 2_000;
/// The known types among what is mirrored.
pub(super) const TYPES: &str = "types";
/// What reading everything costs is paid once in so many times its duration.
const READING_SHARE: u32 = 10;

/// What is kept here of a server is its own, whoever asks.
fn everything() -> Scope {
    Scope::All { because: "the mirror shows a whole server" }
}

/// Who fills the mirror's collections: nobody, their vectors have no dimensions.
fn nobody() -> EmbedderIdentity {
    EmbedderIdentity { name: "mirror".to_owned(), dimensions: 0 }
}

impl Chroma {
    /// The mirror, made where it is missing.
    pub(super) async fn mirror(&self) -> Result<&Sqlite, StoreError> {
        let open = || async {
            let mirror = Sqlite::open_or_create(&self.inner.local)?;
            mirror.become_mirror().await?;
            Ok(mirror)
        };
        self.inner.mirror.get_or_try_init(open).await
    }

    /// The collection, with a mirror that shows it as it was a moment ago. `now`: as it is.
    pub(super) async fn fresh(&self, name: Collection, now: bool) -> Result<Option<Seen>, StoreError> {
        let known = || self.seen().get(&name).cloned();
        let is_fresh = |seen: &Seen| !now && Instant::now() < seen.fresh_until;
        let _gate = match known() {
            Some(seen) if is_fresh(&seen) => return Ok(Some(seen)),
            // While this process writes, the mirror is right, and waiting for it would stop every search.
            Some(seen) if !now => match self.inner.gate.try_lock() {
                Ok(gate) => gate,
                Err(_) => return Ok(Some(seen)),
            },
            _ => self.inner.gate.lock().await,
        };
        if let Some(seen) = known().filter(is_fresh) {
            return Ok(Some(seen));
        }
        self.look(name, now).await
    }

    /// As [`Self::fresh`], for who holds the gate.
    pub(super) async fn look(&self, name: Collection, now: bool) -> Result<Option<Seen>, StoreError> {
        let Some(found) = self.find(name).await? else {
            self.seen().remove(&name);
            return Ok(None);
        };
        self.must_be_cosine(name, &found)?;
        let (count, revisions) = tokio::join!(self.api().count(&found.id), self.revisions(name.name()));
        let count = count.map_err(|r| self.api().error(r))?;
        let waiting = self.waiting(name, &found).await?;
        let there = Stamp {
            collection: found.id.clone(),
            waiting: waiting.as_ref().map(|w| w.collection.clone()),
            count: count + waiting.as_ref().map_or(0, |w| w.ids.len()),
            revisions: revisions?,
            ..Stamp::default()
        };
        let mirror = self.mirror().await?;
        let kept = mirror.stamp(name.name()).await?.unwrap_or_default();
        let began = Instant::now();
        let stamp = match serde_json::from_str::<Stamp>(&kept) {
            Ok(stamp) if stamp.shows(&there) => stamp,
            _ if !now && is_being_written(&kept) => there,
            _ => self.read_all(name, there).await?,
        };
        let fresh_for = self.inner.fresh_for.max(began.elapsed() * READING_SHARE);
        let announced = self.seen().get(&name).is_some_and(|seen| seen.id == found.id && seen.announced);
        let seen = Seen {
            embedder: super::collections::embedder(&found),
            dimension: found.dimension,
            id: found.id,
            waiting: waiting.map(Arc::new),
            stamp,
            fresh_until: Instant::now() + fresh_for,
            announced,
        };
        self.seen().insert(name, seen.clone());
        Ok(Some(seen))
    }

    /// Reads every document of the collection, and changes the mirror where it differs.
    async fn read_all(&self, name: Collection, there: Stamp) -> Result<Stamp, StoreError> {
        let mirror = self.mirror().await?;
        let token = unsettled(READING);
        mirror.set_stamp(name.name(), &token, None).await?;
        mirror.open_collection(name, &nobody()).await?;
        let known = known(mirror, name).await?;
        let mut types = None;
        let mut ids: HashMap<ObjectKey, String> = HashMap::new();
        let (mut shadows, mut leftover, mut unreadable) = (Vec::new(), Vec::new(), 0);
        let mut changed: BTreeMap<i64, Vec<Upsert>> = BTreeMap::new();
        let places = [Some((&there.collection, false)), there.waiting.as_ref().map(|id| (id, true))];
        for (collection, waits) in places.into_iter().flatten() {
            let (mut offset, mut pages) = (0, Pages::default());
            loop {
                let asked = json!({"limit": PAGE, "offset": offset, "include": ["documents", "metadatas"]});
                let got = self.api().get(collection, &asked).await.map_err(|r| self.api().error(r))?;
                pages.turn(self.api(), &got.ids)?;
                let count = got.ids.len();
                let texts = got.documents.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
                let metadatas = got.metadatas.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
                for (id, (text, metadata)) in got.ids.into_iter().zip(texts.zip(metadatas)) {
                    if types.is_none() && !row::is_ours(&metadata) {
                        types = Some(self.type_names().await?);
                    }
                    let read = row::read(&id, &text, &metadata, types.as_ref().unwrap_or(&TypeNames::default()));
                    let Some(Read { mut document, source }) = read else {
                        unreadable += 1;
                        continue;
                    };
                    if waits {
                        if ids.contains_key(&document.key) {
                            leftover.push(id);
                            continue;
                        }
                        document.hash = ContentHash::from_bytes([0; 16]);
                    }
                    shadows.extend(ids.insert(document.key, id).filter(|earlier| *earlier != document.id));
                    let shown = Shown {
                        id: document.id.clone(),
                        hash: document.hash,
                        type_name: document.facets.type_name.clone(),
                        source,
                    };
                    // A half of zeros says nothing about what it stands for.
                    let told = document.hash.text != [0; 8] && document.hash.rest != [0; 8];
                    if !told || known.get(&document.key) != Some(&shown) {
                        changed.entry(source).or_default().push(Upsert { document, vector: Some(Vec::new()) });
                    }
                }
                // Few come at the end, in one step.
                if changed.values().map(Vec::len).sum::<usize>() > PAGE {
                    for (source, upserts) in std::mem::take(&mut changed) {
                        mirror.apply(name, Batch::writing(source, upserts)).await?;
                    }
                }
                offset += count;
                if count < PAGE {
                    break;
                }
            }
        }
        if unreadable > 0 {
            tracing::warn!(
                collection = name.name(),
                unreadable,
                "documents of another program name no object and are left out"
            );
        }
        mirror.settle(name, changed, ids.into_values().collect()).await?;
        let stamp = Stamp { shadows, leftover, ..there };
        mirror.set_stamp(name.name(), &stamp.to_json(), Some(&token)).await?;
        Ok(stamp)
    }

    /// How types are called, for instances that do not say it.
    pub(super) async fn type_names(&self) -> Result<TypeNames, StoreError> {
        let mut names = TypeNames::default();
        self.look_at_types().await?;
        for (_, ty) in self.mirror().await?.open_view(&everything()).await?.types().await?.iter() {
            names.learn(&ty.kind, &ty.group, &ty.name());
        }
        let Some(capabilities) = self.api().find(Collection::Capabilities.name()).await? else { return Ok(names) };
        let (mut offset, mut pages) = (0, Pages::default());
        loop {
            let asked = json!({"limit": PAGE, "offset": offset, "include": ["metadatas"]});
            let got = self.api().get(&capabilities.id, &asked).await.map_err(|r| self.api().error(r))?;
            pages.turn(self.api(), &got.ids)?;
            for metadata in got.metadatas.unwrap_or_default().iter().flatten() {
                let of = |key: &str| metadata.get(key).and_then(serde_json::Value::as_str);
                if let (Some(kind), Some(name)) = (of("kind"), of("resourceName")) {
                    names.learn(kind, of("apiGroup").unwrap_or_default(), name);
                }
            }
            offset += got.ids.len();
            if got.ids.len() < PAGE {
                return Ok(names);
            }
        }
    }

    /// Makes the mirror show the types as they were a moment ago. `now`: as they are.
    pub(super) async fn fresh_types(&self, now: bool) -> Result<(), StoreError> {
        let until = *self.inner.types_fresh_until.lock().unwrap_or_else(PoisonError::into_inner);
        if !now && until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        self.look_at_types().await?;
        let until = Some(Instant::now() + self.inner.fresh_for);
        *self.inner.types_fresh_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        Ok(())
    }

    async fn look_at_types(&self) -> Result<(), StoreError> {
        let stamp = json!(self.revisions(TYPES).await?).to_string();
        let mirror = self.mirror().await?;
        if mirror.stamp(TYPES).await?.as_ref() == Some(&stamp) {
            return Ok(());
        }
        let mut clusters: BTreeMap<String, Vec<ResourceType>> = BTreeMap::new();
        for (cluster, _) in mirror.open_view(&everything()).await?.types().await?.iter() {
            clusters.entry(cluster.clone()).or_default();
        }
        for note in self.notes(&[("what", "type")]).await? {
            let cluster = note.metadata.get("cluster").and_then(|c| c.as_str()).unwrap_or_default().to_owned();
            clusters.entry(cluster).or_default().extend(serde_json::from_str::<ResourceType>(&note.text).ok());
        }
        for (cluster, types) in clusters {
            mirror.remember_types(&cluster, &types).await?;
        }
        mirror.set_stamp(TYPES, &stamp, None).await
    }
}

/// What the mirror shows of a document.
#[derive(PartialEq)]
struct Shown {
    id: String,
    hash: ContentHash,
    type_name: String,
    source: i64,
}

async fn known(mirror: &Sqlite, name: Collection) -> Result<HashMap<ObjectKey, Shown>, StoreError> {
    let view = mirror.open_view(&everything()).await?;
    let mut known = HashMap::new();
    let clusters: HashSet<String> = view.counts(name).await?.into_iter().map(|c| c.cluster).collect();
    for cluster in clusters {
        let mut visit = |s: crate::reader::Scanned<'_>| {
            let shown =
                Shown { id: s.id.to_owned(), hash: s.hash, type_name: s.type_name.to_owned(), source: s.source };
            known.insert(s.key, shown);
        };
        view.scan(name, &cluster, &mut visit).await?;
    }
    Ok(known)
}
