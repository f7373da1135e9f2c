//! Documents: written to the server and to the mirror; found by the server's vectors and the mirror's words.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity, ObjectKey};
use serde_json::json;

use super::api::Row;
use super::client::{Answer, Refusal};
use super::handover::Waiting;
use super::mirror::unsettled;
use super::{Chroma, Seen, row};
use crate::{
    Batch, Candidates, CollectionInfo, Counts, Filter, Page, Probe, Scanned, StoreError, Upsert, VectorStore,
    Vocabulary,
};

/// Vectors of one answer.
const VECTORS: usize = 500;
/// Up to so many documents, their vectors are read and compared here: exact, and the server need not search among the others.
const FEW: usize = 200;
/// Up to so many ids go with a query.
const MOST_IDS: usize = 5_000;
/// The server's index is approximate: among this many more than wanted are the wanted ones.
const MORE: usize = 100;

#[async_trait]
impl VectorStore for Chroma {
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.open(collection, embedder).await
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        let Some(seen) = self.fresh(collection, false).await? else { return Ok(None) };
        let documents = self.mirror().await?.collection(collection).await?.map_or(0, |c| c.documents);
        Ok(Some(CollectionInfo { embedder: seen.embedder, documents }))
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        // A run plans by what it sees here.
        match self.fresh(collection, true).await? {
            Some(_) => self.mirror().await?.scan(collection, cluster, visit).await,
            None => Ok(()),
        }
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        match self.fresh(collection, false).await? {
            Some(_) => self.mirror().await?.records(collection, keys).await,
            None => Ok(HashMap::new()),
        }
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        let known = self.seen().get(&collection).cloned();
        let _gate = self.inner.gate.lock().await;
        let seen = match known {
            Some(seen) => Some(seen),
            None => self.look(collection, true).await?,
        };
        let Some(seen) = seen else {
            return Err(self.api().client.other(format!("collection \"{collection}\" is not there; open it first")));
        };
        let written = self.write(collection, seen, batch).await;
        if written.is_err() {
            // What of it arrived is found out by reading, by every process of this machine.
            self.seen().remove(&collection);
            if let Ok(mirror) = self.mirror().await {
                mirror.set_stamp(collection.name(), &unsettled("failed"), None).await?;
            }
        }
        written
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        for again in [true, false] {
            let Some(seen) = self.fresh(collection, !again).await? else { return Ok(Candidates::default()) };
            match self.find_candidates(collection, &seen, &probe).await {
                Ok(Some(found)) => return Ok(found),
                // Somebody added or removed documents since the mirror was read.
                Ok(None) | Err(Refusal::UnknownId | Refusal::NotThere(_)) if again => {}
                Ok(None) => break,
                Err(refusal) => return Err(self.api().error(refusal)),
            }
        }
        let detail = format!("collection \"{collection}\" changes too fast to be read; try again");
        Err(self.api().client.other(detail))
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        match self.fresh(collection, false).await? {
            Some(_) => self.mirror().await?.vocabulary(collection).await,
            None => Ok(Arc::default()),
        }
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        match self.fresh(collection, false).await? {
            Some(_) => self.mirror().await?.frequencies(collection, terms).await,
            None => Ok(vec![0; terms.len()]),
        }
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Vec<(String, usize)>>, StoreError> {
        match self.fresh(collection, false).await? {
            Some(_) => self.mirror().await?.terms(collection).await,
            None => Ok(Arc::default()),
        }
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        match self.fresh(collection, false).await? {
            Some(_) => self.mirror().await?.counts(collection).await,
            None => Ok(Vec::new()),
        }
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        let Some(seen) = self.fresh(collection, after.is_none()).await? else { return Ok(Page::default()) };
        let mut page = self.mirror().await?.page(collection, after, limit, false).await?;
        if vectors {
            let ids: Vec<String> = page.documents.iter().map(|d| d.id.clone()).collect();
            let mut read = self.vectors(&seen, &ids).await.map_err(|r| self.api().error(r))?;
            for document in &mut page.documents {
                document.vector = read.remove(&document.id).filter(|v| v.iter().any(|x| *x != 0.0));
            }
        }
        Ok(page)
    }

    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.hand_over(collection, embedder).await
    }
}

/// What a batch comes to on the server.
struct Plan {
    rows: Vec<Row>,
    deletes: Vec<String>,
    /// For the mirror.
    upserts: Vec<Upsert>,
    /// How many documents more there are then, by what the mirror knew.
    added: usize,
    removed: usize,
}

impl Chroma {
    /// Writes a batch; the gate is held.
    async fn write(&self, collection: Collection, mut seen: Seen, batch: Batch) -> Result<(), StoreError> {
        let expected = seen.dimension.unwrap_or(seen.embedder.dimensions);
        let wrong = batch.upserts.iter().filter_map(|u| u.vector.as_ref()).map(Vec::len).find(|n| *n != expected);
        if let Some(found) = wrong {
            return Err(StoreError::Dimension { collection, found, expected });
        }
        if batch.upserts.is_empty() && batch.deletes.is_empty() {
            return Ok(());
        }
        let mirror = self.mirror().await?;
        let vectors = batch.upserts.iter().any(|u| u.vector.is_some());
        let (source, cluster, gone) = (batch.source, batch.cluster.clone(), batch.deletes.clone());
        let plan = self.plan(collection, &seen, batch).await?;
        // Until all is done, whoever opens the mirror has to read again.
        let token = unsettled("writing");
        mirror.set_stamp(collection.name(), &token, None).await?;
        if !seen.announced {
            // A run of this machine that died may have written without saying so.
            self.announce(collection.name()).await?;
            seen.announced = true;
        }
        let deletes = &plan.deletes;
        let waiting = seen.waiting.clone().unwrap_or_default();
        let waits = |row: &Row| row.vector.is_none() && waiting.ids.contains(&row.id);
        let (waiting_rows, rows): (Vec<Row>, Vec<Row>) = plan.rows.into_iter().partition(waits);
        // What has a vector now waits no more.
        let settled = rows.iter().map(|row| &row.id).chain(deletes).filter(|id| waiting.ids.contains(*id));
        let settled: HashSet<String> = settled.chain(&seen.stamp.leftover).cloned().collect();
        let done = async {
            self.api().write(&seen.id, rows).await?;
            self.api().write(&waiting.collection, waiting_rows).await?;
            self.api().delete(&seen.id, deletes).await?;
            self.api().delete(&waiting.collection, &settled.iter().cloned().collect::<Vec<_>>()).await
        };
        // Both at once: until the stamp is set nobody rests on the mirror, whichever of them fails.
        let mirrored = mirror.apply(collection, Batch { upserts: plan.upserts, deletes: gone, cluster, source });
        let (done, mirrored) = tokio::join!(done, mirrored);
        done.map_err(|r| self.api().error(r))?;
        let (writer, revision) = self.announce(collection.name()).await?;
        mirrored?;
        let removed = plan.removed + std::mem::take(&mut seen.stamp.leftover).len();
        seen.stamp.count = (seen.stamp.count + plan.added).saturating_sub(removed);
        if !settled.is_empty() {
            let ids: HashSet<String> = waiting.ids.difference(&settled).cloned().collect();
            seen.waiting = None;
            if ids.is_empty() {
                self.end_waiting(collection).await?;
                seen.stamp.waiting = None;
            } else {
                seen.waiting = Some(Arc::new(Waiting { collection: waiting.collection.clone(), ids }));
            }
        }
        seen.stamp.revisions.insert(writer, revision);
        seen.stamp.shadows.retain(|id| !plan.deletes.contains(id));
        mirror.set_stamp(collection.name(), &seen.stamp.to_json(), Some(&token)).await?;
        if vectors {
            seen.dimension = Some(expected);
        }
        self.seen().insert(collection, seen);
        Ok(())
    }

    async fn plan(&self, collection: Collection, seen: &Seen, batch: Batch) -> Result<Plan, StoreError> {
        let mirror = self.mirror().await?;
        // The last one of an object counts.
        let mut places: HashMap<ObjectKey, usize> = HashMap::new();
        for (n, upsert) in batch.upserts.iter().enumerate() {
            places.insert(upsert.document.key, n);
        }
        let last = |(n, upsert): (usize, Upsert)| (places.get(&upsert.document.key) == Some(&n)).then_some(upsert);
        let mut upserts: Vec<Upsert> = batch.upserts.into_iter().enumerate().filter_map(last).collect();

        let keys: Vec<ObjectKey> = upserts.iter().map(|u| u.document.key).collect();
        let known = mirror.stored_ids(collection, keys).await?;
        // Its vector was to be kept, and it is gone: somebody else deleted it between plan and write.
        upserts.retain(|u| u.vector.is_some() || known.contains_key(&u.document.key));

        // A vector that is kept moves along where the id changes with the version.
        let moved = |u: &Upsert| known.get(&u.document.key).filter(|id| u.vector.is_none() && **id != u.document.id);
        let from: Vec<String> = upserts.iter().filter_map(moved).cloned().collect();
        // Where both wait there is none; the older one goes on waiting then.
        let mut kept = match from.is_empty() {
            true => HashMap::new(),
            false => self.vectors(seen, &from).await.map_err(|r| self.api().error(r))?,
        };
        let waits = |id: &String| seen.waiting.as_ref().is_some_and(|w| w.ids.contains(id));
        upserts.retain(|u| moved(u).is_none_or(|id| !waits(id)));
        let mut rows = Vec::with_capacity(upserts.len());
        let mut deletes: HashSet<String> = HashSet::new();
        let mut added = 0;
        for upsert in &mut upserts {
            let document = &upsert.document;
            let before = known.get(&document.key);
            let vector = match (upsert.vector.take(), before) {
                (Some(vector), _) => Some(vector),
                (None, Some(before)) if *before != document.id => match kept.remove(before) {
                    Some(vector) => Some(vector),
                    None => return Err(self.api().error(Refusal::UnknownId)),
                },
                (None, _) => None,
            };
            let mut metadata = row::metadata(document, batch.source)
                .map_err(|e| self.api().client.other(format!("document {} cannot be written: {e}", document.id)))?;
            // A new document has nothing to be taken away, and the server is slow at looking.
            if before.is_none() && !seen.stamp.shadows.contains(&document.id) {
                metadata.retain(|_, value| !value.is_null());
            }
            upsert.vector = Some(Vec::new());
            added += usize::from(before != Some(&document.id));
            deletes.extend(before.filter(|id| **id != document.id).cloned());
            rows.push(Row { id: document.id.clone(), text: document.text.clone(), metadata, vector });
        }

        // An object goes under whichever id it is stored, and under the one that was just written.
        let gone: HashSet<ObjectKey> = batch.deletes.iter().copied().collect();
        let written: HashMap<ObjectKey, &String> = upserts.iter().map(|u| (u.document.key, &u.document.id)).collect();
        let stored = mirror.stored_ids(collection, batch.deletes).await?;
        deletes.extend(stored.into_values());
        deletes.extend(gone.iter().filter_map(|key| written.get(key).map(|id| (*id).clone())));
        let mut removed = deletes.len();
        for id in &seen.stamp.shadows {
            let key = ObjectKey::of_stored_id(id);
            let touched = key.is_some_and(|key| gone.contains(&key) || written.get(&key).is_some_and(|w| *w != id));
            if touched && deletes.insert(id.clone()) {
                removed += 1;
            }
        }
        Ok(Plan { rows, deletes: deletes.into_iter().collect(), upserts, added, removed })
    }

    /// `None`: the server holds documents that the mirror does not show.
    async fn find_candidates(&self, collection: Collection, seen: &Seen, probe: &Probe) -> Answer<Option<Candidates>> {
        let mirror = self.mirror().await?;
        if seen.dimension != Some(probe.vector.len()) || probe.vector.is_empty() {
            // Meaning plays no part: all are as near as each other.
            return Ok(Some(mirror.probe(collection, Probe { vector: Vec::new(), ..probe.clone() }).await?));
        }
        let by_words = Probe { vector: Vec::new(), nearest: 0, ..probe.clone() };
        let mut found = mirror.probe(collection, by_words).await?;
        let wanted = probe.nearest.min(found.admitted);
        let words: Vec<String> = found.documents.iter().map(|d| d.id.clone()).collect();
        let (words, waiting) = apart(seen, words);
        let (near, cosines) =
            tokio::join!(self.near(collection, seen, probe, wanted, &found), self.cosines(seen, &probe.vector, &words));
        let (mut near, mut cosines) = (near?, cosines?);
        cosines.extend(waiting.into_iter().map(|id| (id, 0.0)));
        for document in &mut found.documents {
            let similarity = near.remove(&document.id).or_else(|| cosines.get(&document.id).copied());
            let Some(similarity) = similarity else { return Ok(None) };
            document.similarity = similarity;
        }
        let asked = near.len();
        let more = mirror.candidates(collection, near.into_iter().collect()).await?;
        if more.len() < asked {
            return Ok(None);
        }
        found.documents.extend(more);
        Ok(Some(found))
    }

    /// The `wanted` admitted documents nearest to the probe's vector.
    async fn near(
        &self,
        collection: Collection,
        seen: &Seen,
        probe: &Probe,
        wanted: usize,
        counted: &Candidates,
    ) -> Answer<HashMap<String, f32>> {
        if wanted == 0 {
            return Ok(HashMap::new());
        }
        let mirror = self.mirror().await?;
        let all = probe.filter.is_empty() && wanted < counted.total && seen.waiting.is_none();
        let (admitted, waiting) = match all {
            true => (None, Vec::new()),
            false => {
                let (admitted, waiting) = apart(seen, mirror.admitted_ids(collection, &probe.filter).await?);
                (Some(admitted), waiting)
            }
        };
        // What waits is as near as nothing, and comes last.
        let sought = wanted.min(admitted.as_ref().map_or(wanted, Vec::len));
        let mut near = self.near_of(collection, seen, &probe.vector, sought, admitted, counted).await?;
        near.extend(waiting.into_iter().take(wanted - sought).map(|id| (id, 0.0)));
        Ok(near)
    }

    /// The `wanted` documents of these (`None`: of all) nearest to the vector.
    async fn near_of(
        &self,
        collection: Collection,
        seen: &Seen,
        vector: &[f32],
        wanted: usize,
        admitted: Option<Vec<String>>,
        counted: &Candidates,
    ) -> Answer<HashMap<String, f32>> {
        if let Some(ids) = admitted.as_ref().filter(|ids| ids.len() <= FEW) {
            let cosines = self.cosines(seen, vector, ids).await?;
            return Ok(best(cosines.into_iter().collect(), wanted));
        }
        let on_server = seen.stamp.count.max(counted.total);
        let generous = |count: usize| count.saturating_mul(2).saturating_add(MORE + seen.stamp.shadows.len());
        let shadows: HashSet<&String> = seen.stamp.shadows.iter().collect();
        let mut near = match &admitted {
            None => {
                let mut near = self.api().nearest(&seen.id, vector, generous(wanted).min(on_server), None).await?;
                near.retain(|(id, _)| !shadows.contains(id));
                near
            }
            Some(ids) if ids.len() <= MOST_IDS => {
                self.api().nearest(&seen.id, vector, generous(wanted).min(ids.len()), Some(ids)).await?
            }
            Some(ids) => {
                let admitted: HashSet<&String> = ids.iter().collect();
                // As many as hold the wanted ones, were those admitted spread evenly; then all.
                let share = generous(wanted).saturating_mul(counted.total / ids.len().max(1) + 1).min(on_server);
                let mut near = Vec::new();
                for count in [share, on_server] {
                    near = self.api().nearest(&seen.id, vector, count, None).await?;
                    near.retain(|(id, _)| admitted.contains(id));
                    if near.len() >= wanted || count == on_server {
                        break;
                    }
                }
                near
            }
        };
        if near.len() < wanted {
            // The server's graph did not lead to all of them.
            let ids = match admitted {
                Some(ids) => ids,
                None => self.mirror().await?.admitted_ids(collection, &Filter::default()).await?,
            };
            let reached: HashSet<&String> = near.iter().map(|(id, _)| id).collect();
            let missed: Vec<String> = ids.into_iter().filter(|id| !reached.contains(id)).collect();
            near.extend(self.cosines(seen, vector, &missed).await?);
        }
        Ok(best(near, wanted))
    }

    /// The cosine of each of these documents that is there.
    async fn cosines(&self, seen: &Seen, vector: &[f32], ids: &[String]) -> Answer<HashMap<String, f32>> {
        if ids.len() > VECTORS {
            // Far less to send, and what the server's graph does not lead to is asked for below.
            let near = self.api().nearest(&seen.id, vector, ids.len(), Some(ids)).await?;
            let mut near: HashMap<String, f32> = near.into_iter().collect();
            let missed: Vec<String> = ids.iter().filter(|id| !near.contains_key(*id)).cloned().collect();
            for ids in missed.chunks(VECTORS) {
                let read = self.vectors(seen, ids).await?;
                near.extend(read.into_iter().map(|(id, v)| (id, cosine(vector, &v))));
            }
            return Ok(near);
        }
        let read = self.vectors(seen, ids).await?;
        Ok(read.into_iter().map(|(id, v)| (id, cosine(vector, &v))).collect())
    }

    /// The vectors of those documents that are there.
    async fn vectors(&self, seen: &Seen, ids: &[String]) -> Answer<HashMap<String, Vec<f32>>> {
        let mut vectors = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(VECTORS) {
            let got = self.api().get(&seen.id, &json!({"ids": ids, "include": ["embeddings"]})).await?;
            let read = got.ids.into_iter().zip(got.embeddings.unwrap_or_default());
            vectors.extend(read.filter_map(|(id, vector)| Some((id, vector?))));
        }
        Ok(vectors)
    }
}

/// Those that have a vector, and those that wait for one.
fn apart(seen: &Seen, ids: Vec<String>) -> (Vec<String>, Vec<String>) {
    let has_one = |id: &String| seen.waiting.as_ref().is_none_or(|w| !w.ids.contains(id));
    ids.into_iter().partition(has_one)
}

fn best(mut near: Vec<(String, f32)>, count: usize) -> HashMap<String, f32> {
    near.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    near.truncate(count);
    near.into_iter().collect()
}

/// 0 where either is no vector.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if a.len() == b.len() && norms > 0.0 { (dot(a, b) / norms) as f32 } else { 0.0 }
}
