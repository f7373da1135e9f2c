//! Writing: to the server and to the mirror.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity, ObjectKey};

use super::api::Row;
use super::client::Refusal;
use super::row;
use super::seen::{Seen, Waiting, unsettled};
use super::server::Chroma;
use crate::error::StoreError;
use crate::writer::{Batch, Upsert, Writer};

#[async_trait]
impl Writer for Chroma {
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.open(collection, embedder).await
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        let _gate = self.inner.gate.lock().await;
        let known = self.seen().get(&collection).cloned();
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
    async fn write(&self, collection: Collection, mut seen: Seen, mut batch: Batch) -> Result<(), StoreError> {
        let expected = seen.dimension.unwrap_or(seen.embedder.dimensions);
        let wrong = batch.upserts.iter().filter_map(|u| u.vector.as_ref()).map(Vec::len).find(|n| *n != expected);
        if let Some(found) = wrong {
            return Err(StoreError::Dimension { collection, found, expected });
        }
        let mirror = self.mirror().await?;
        let (journal, bounds) = (std::mem::take(&mut batch.journal), std::mem::take(&mut batch.bounds));
        if batch.upserts.is_empty() && batch.deletes.is_empty() {
            return mirror.append_journal(journal, bounds).await;
        }
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
        let mirrored =
            mirror.apply(collection, Batch { upserts: plan.upserts, deletes: gone, cluster, source, journal, bounds });
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
            false => self.api().vectors(&seen.id, &from).await.map_err(|r| self.api().error(r))?,
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
}
