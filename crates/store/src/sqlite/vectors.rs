//! Collections of documents in the file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use clusterlore_core::{Collection, ContentHash, EmbedderIdentity, ObjectKey};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::quantized::{self, Quantized, Query};
use super::snapshot::{Shown, Snapshot};
use super::{Sqlite, failure};
use crate::filter::join_labels;
use crate::{
    Batch, Candidate, Candidates, CollectionInfo, Counts, Page, Probe, Scanned, Store, StoreError, Stored, Upsert,
    VectorStore, Vocabulary,
};

/// Word matches that one probe looks at, or as many as it wants documents: the rarest terms come first, so that what is cut off
/// says least.
const MOST_POSTINGS: usize = 2_000;
/// Rows that a scan hands over at a time.
const SCAN_CHUNK: usize = 2_000;

pub(super) struct Filled {
    pub(super) id: i64,
    pub(super) embedder: EmbedderIdentity,
}

pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Filled>> {
    let mut select = connection.prepare_cached("SELECT id, embedder, dimensions FROM collections WHERE name = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Filled { id: row.get(0)?, embedder: EmbedderIdentity { name: row.get(1)?, dimensions: row.get(2)? } })
    };
    select.query_row([name], read).optional()
}

/// The table of words: one a collection, so that a term's frequency is the collection's own. Words come split and stemmed.
fn create_words(transaction: &Transaction<'_>, collection: i64) -> rusqlite::Result<()> {
    transaction.execute_batch(&format!(
        "CREATE VIRTUAL TABLE words_{collection} USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii');
         CREATE VIRTUAL TABLE terms_{collection} USING fts5vocab(words_{collection}, row);"
    ))
}

struct ScannedRow {
    key: ObjectKey,
    id: String,
    hash: ContentHash,
    type_name: String,
    namespace: String,
    source: i64,
}

#[async_trait]
impl VectorStore for Sqlite {
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        let (name, offered) = (collection.name(), embedder.clone());
        self.try_with(move |connection, path| {
            let at = |e| failure(path, e);
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at)?;
            match find(&transaction, name).map_err(at)? {
                Some(Filled { embedder: stored, .. }) if stored == offered => return Ok(()),
                Some(Filled { embedder: stored, .. }) => {
                    return Err(StoreError::OtherEmbedder { collection, stored, offered });
                }
                None => {}
            }
            transaction
                .execute(
                    "INSERT INTO collections (name, embedder, dimensions) VALUES (?1, ?2, ?3)",
                    params![name, offered.name, offered.dimensions],
                )
                .map_err(at)?;
            create_words(&transaction, transaction.last_insert_rowid()).map_err(at)?;
            transaction.commit().map_err(at)
        })
        .await
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        let (store, name) = (self.clone(), collection.name());
        self.with(move |connection| {
            let Some(Filled { id, embedder }) = find(connection, name)? else { return Ok(None) };
            let state = store.file_state(connection)?;
            let snapshots = store.inner.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, snapshot)) = snapshots.get(name).filter(|(seen, _)| *seen == state) {
                return Ok(Some(CollectionInfo { embedder, documents: snapshot.len() }));
            }
            let count = "SELECT count(*) FROM entries WHERE collection = ?1";
            let documents = connection.query_row(count, [id], |row| row.get(0))?;
            Ok(Some(CollectionInfo { embedder, documents }))
        })
        .await
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        let mut after = 0_i64;
        loop {
            let (name, cluster) = (collection.name(), cluster.to_owned());
            let (chunk, last) = self.with(move |connection| scan_chunk(connection, name, &cluster, after)).await?;
            for row in &chunk {
                visit(Scanned {
                    key: row.key,
                    id: &row.id,
                    hash: row.hash,
                    type_name: &row.type_name,
                    namespace: &row.namespace,
                    source: row.source,
                });
            }
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        let (name, keys) = (collection.name(), keys.to_vec());
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(HashMap::new()) };
            let mut select = transaction.prepare_cached(
                "SELECT d.record FROM entries e JOIN documents d USING (id) WHERE e.collection = ?1 AND e.key = ?2",
            )?;
            let mut records = HashMap::with_capacity(keys.len());
            for key in keys {
                let record = select.query_row(params![collection.id, key.0], |row| row.get(0)).optional()?;
                records.extend(record.map(|record| (key, record)));
            }
            Ok(records)
        })
        .await
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        let name = collection.name();
        let applied = self
            .try_with(move |connection, path| {
                let at = |e| failure(path, e);
                let transaction =
                    connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at)?;
                let Some(filled) = find(&transaction, name).map_err(at)? else {
                    let detail = format!("collection \"{name}\" is not there; open it first");
                    return Err(StoreError::Other { place: path.display().to_string(), detail });
                };
                for upsert in &batch.upserts {
                    write(&transaction, path, collection, &filled, batch.source, upsert)?;
                }
                for key in &batch.deletes {
                    delete(&transaction, filled.id, *key).map_err(at)?;
                }
                transaction.commit().map_err(at)
            })
            .await;
        self.wrote();
        applied
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        let store = self.clone();
        let name = collection.name();
        self.with(move |connection| {
            // One transaction: words, vectors and texts are of one state of the file.
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(Candidates::default()) };
            let snapshot = store.snapshot(&transaction, name, &collection)?;
            answer(&transaction, &collection, &snapshot, &probe)
        })
        .await
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        let (store, name) = (self.clone(), collection.name());
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(Arc::default()) };
            Ok(store.snapshot(&transaction, name, &collection)?.vocabulary())
        })
        .await
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        let (store, name, terms) = (self.clone(), collection.name(), terms.to_vec());
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(vec![0; terms.len()]) };
            let snapshot = store.snapshot(&transaction, name, &collection)?;
            frequencies(&transaction, collection.id, &snapshot, &terms)
        })
        .await
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Vec<(String, usize)>>, StoreError> {
        let (store, name) = (self.clone(), collection.name());
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(Arc::default()) };
            store.snapshot(&transaction, name, &collection)?.terms(|| {
                let mut select = transaction.prepare(&format!("SELECT term, doc FROM terms_{}", collection.id))?;
                let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
        })
        .await
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        let name = collection.name();
        self.with(move |connection| {
            let Some(collection) = find(connection, name)? else { return Ok(Vec::new()) };
            let mut select = connection.prepare_cached(
                "SELECT cluster, type, count(*) FROM entries WHERE collection = ?1 GROUP BY cluster, type ORDER BY cluster, type",
            )?;
            let rows = select.query_map([collection.id], |row| {
                Ok(Counts { cluster: row.get(0)?, type_name: row.get(1)?, documents: row.get(2)? })
            })?;
            rows.collect()
        })
        .await
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        let (name, after) = (collection.name(), after.and_then(|at| at.parse().ok()).unwrap_or(0_i64));
        self.with(move |connection| {
            let Some(collection) = find(connection, name)? else { return Ok(Page::default()) };
            let mut select = connection.prepare_cached(
                "SELECT e.id, e.stored_id, e.type, e.source, d.record, e.vector FROM entries e JOIN documents d USING (id)
                 WHERE e.id > ?1 AND +e.collection = ?2 ORDER BY e.id LIMIT ?3",
            )?;
            let mut rows = select.query(params![after, collection.id, limit])?;
            let (mut documents, mut last) = (Vec::new(), 0_i64);
            while let Some(row) = rows.next()? {
                last = row.get(0)?;
                let vector = match vectors {
                    true => quantized::floats(row.get_ref(5)?.as_blob()?, collection.embedder.dimensions),
                    false => None,
                };
                documents.push(Stored {
                    id: row.get(1)?,
                    type_name: row.get(2)?,
                    source: row.get(3)?,
                    record: row.get(4)?,
                    vector,
                });
            }
            let next = (documents.len() == limit).then(|| last.to_string());
            Ok(Page { documents, next })
        })
        .await
    }

    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        let (name, embedder) = (collection.name(), embedder.clone());
        let changed = self
            .with(move |connection| {
                let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let Some(collection) = find(&transaction, name)? else { return Ok(()) };
                if collection.embedder == embedder {
                    return Ok(());
                }
                let nothing = Quantized::of(&vec![0.0; embedder.dimensions]).to_bytes();
                transaction.execute(
                    "UPDATE entries SET hash = zeroblob(16), vector = ?2 WHERE collection = ?1",
                    params![collection.id, nothing],
                )?;
                transaction.execute(
                    "UPDATE collections SET embedder = ?2, dimensions = ?3 WHERE id = ?1",
                    params![collection.id, embedder.name, embedder.dimensions],
                )?;
                transaction.commit()
            })
            .await;
        self.wrote();
        changed
    }
}

impl Store for Sqlite {
    fn place(&self) -> String {
        self.path().display().to_string()
    }

    fn files(&self) -> Vec<PathBuf> {
        let beside = |end: &str| {
            let mut path = self.path().as_os_str().to_owned();
            path.push(end);
            PathBuf::from(path)
        };
        vec![self.path().to_owned(), beside("-wal"), beside("-shm"), self.lock_file()]
    }

    fn size(&self) -> Option<u64> {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
        let mut wal = self.path().as_os_str().to_owned();
        wal.push("-wal");
        Some(size(self.path()) + size(Path::new(&wal)))
    }
}

impl Sqlite {
    /// The collection in memory, read again when the file has changed.
    pub(super) fn snapshot(
        &self,
        connection: &Connection,
        name: &'static str,
        collection: &Filled,
    ) -> rusqlite::Result<Arc<Snapshot>> {
        let state = self.file_state(connection)?;
        let mut snapshots = self.inner.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, snapshot)) = snapshots.get(name)
            && *seen == state
        {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(Snapshot::read(connection, collection.id, collection.embedder.dimensions)?);
        snapshots.insert(name, (state, Arc::clone(&snapshot)));
        Ok(snapshot)
    }
}

fn scan_chunk(
    connection: &Connection,
    collection: &str,
    cluster: &str,
    after: i64,
) -> rusqlite::Result<(Vec<ScannedRow>, Option<i64>)> {
    let Some(collection) = find(connection, collection)? else { return Ok((Vec::new(), None)) };
    // The plus keeps SQLite from the index on keys: rows are wanted in the order in which they lie.
    let mut select = connection.prepare_cached(
        "SELECT id, key, stored_id, hash, type, namespace, source FROM entries
         WHERE id > ?1 AND +collection = ?2 AND cluster = ?3 ORDER BY id LIMIT ?4",
    )?;
    let mut rows = select.query(params![after, collection.id, cluster, SCAN_CHUNK])?;
    let (mut chunk, mut last) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        chunk.push(ScannedRow {
            key: ObjectKey(row.get(1)?),
            id: row.get(2)?,
            hash: ContentHash::from_bytes(row.get(3)?),
            type_name: row.get(4)?,
            namespace: row.get(5)?,
            source: row.get(6)?,
        });
    }
    let more = chunk.len() == SCAN_CHUNK;
    Ok((chunk, more.then_some(last)))
}

fn write(
    transaction: &Transaction<'_>,
    path: &Path,
    collection: Collection,
    filled: &Filled,
    source: i64,
    upsert: &Upsert,
) -> Result<(), StoreError> {
    let at = |e| failure(path, e);
    let expected = filled.embedder.dimensions;
    if let Some(vector) = &upsert.vector
        && vector.len() != expected
    {
        return Err(StoreError::Dimension { collection, found: vector.len(), expected });
    }
    let d = &upsert.document;
    let vector = upsert.vector.as_deref().map(|v| Quantized::of(v).to_bytes());
    let known = transaction
        .prepare_cached("SELECT id FROM entries WHERE collection = ?1 AND key = ?2")
        .and_then(|mut s| s.query_row(params![filled.id, d.key.0], |row| row.get::<_, i64>(0)).optional())
        .map_err(at)?;
    let facets = &d.facets;
    let labels = join_labels(&facets.labels);
    let id = match (known, &vector) {
        (Some(id), _) => {
            transaction
                .prepare_cached(
                    "UPDATE entries SET hash = ?2, source = ?3, cluster = ?4, type = ?5, namespace = ?6, labels = ?7,
                     vector = coalesce(?8, vector), stored_id = ?9 WHERE id = ?1",
                )
                .and_then(|mut s| {
                    s.execute(params![
                        id,
                        d.hash.to_bytes(),
                        source,
                        facets.cluster,
                        facets.type_name,
                        facets.namespace,
                        labels,
                        vector,
                        d.id
                    ])
                })
                .map_err(at)?;
            transaction
                .prepare_cached(&format!("DELETE FROM words_{} WHERE rowid = ?1", filled.id))
                .and_then(|mut s| s.execute([id]))
                .map_err(at)?;
            id
        }
        (None, Some(vector)) => transaction
            .prepare_cached(
                "INSERT INTO entries (collection, key, hash, source, cluster, type, namespace, labels, vector, stored_id)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )
            .and_then(|mut s| {
                s.insert(params![
                    filled.id,
                    d.key.0,
                    d.hash.to_bytes(),
                    source,
                    facets.cluster,
                    facets.type_name,
                    facets.namespace,
                    labels,
                    vector,
                        d.id
                ])
            })
            .map_err(at)?,
        // Its vector was to be kept, and it is gone: somebody else deleted it between plan and write.
        (None, None) => return Ok(()),
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO documents (id, text, record) VALUES (?1, ?2, ?3)")
        .and_then(|mut s| s.execute(params![id, d.text, d.record]))
        .map_err(at)?;
    transaction
        .prepare_cached(&format!("INSERT INTO words_{} (rowid, words) VALUES (?1, ?2)", filled.id))
        .and_then(|mut s| s.execute(params![id, d.words]))
        .map_err(at)?;
    Ok(())
}

fn delete(transaction: &Transaction<'_>, collection: i64, key: ObjectKey) -> rusqlite::Result<()> {
    let mut gone = transaction.prepare_cached("DELETE FROM entries WHERE collection = ?1 AND key = ?2 RETURNING id")?;
    if let Some(id) = gone.query_row(params![collection, key.0], |row| row.get::<_, i64>(0)).optional()? {
        transaction.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([id])?;
        transaction.prepare_cached(&format!("DELETE FROM words_{collection} WHERE rowid = ?1"))?.execute([id])?;
    }
    Ok(())
}

fn answer(
    connection: &Connection,
    collection: &Filled,
    snapshot: &Snapshot,
    probe: &Probe,
) -> rusqlite::Result<Candidates> {
    let query = Query::of(&probe.vector);
    let rows = snapshot.admitted(&probe.filter);
    let admitted = rows.as_ref().map_or(snapshot.len(), Vec::len);
    let mut found: HashMap<usize, f32> = HashMap::new();
    if probe.nearest > 0 {
        found.extend(snapshot.nearest(&query, rows.as_deref(), probe.nearest));
    }
    let frequencies = frequencies(connection, collection.id, snapshot, &probe.terms)?;
    for row in containing(connection, collection.id, snapshot, probe, &frequencies)? {
        found.entry(row).or_insert_with(|| snapshot.similarity(&query, row));
    }
    let mut select = connection.prepare_cached(
        "SELECT e.stored_id, d.text, d.record, e.type FROM entries e JOIN documents d USING (id) WHERE e.id = ?1",
    )?;
    let mut documents = Vec::with_capacity(found.len());
    for (row, similarity) in found {
        let mut read = || {
            select.query_row([snapshot.id(row)], |r| {
                Ok(Shown { id: r.get(0)?, text: r.get(1)?, record: r.get(2)?, type_name: r.get(3)? })
            })
        };
        let Shown { id, text, record, type_name } = snapshot.document(row, &mut read)?.as_ref().clone();
        documents.push(Candidate { id, text, record, type_name, similarity });
    }
    Ok(Candidates { documents, frequencies, total: snapshot.len(), admitted })
}

fn frequencies(
    connection: &Connection,
    collection: i64,
    snapshot: &Snapshot,
    terms: &[String],
) -> rusqlite::Result<Vec<usize>> {
    let mut select = connection.prepare_cached(&format!("SELECT doc FROM terms_{collection} WHERE term = ?1"))?;
    let mut count = |term: &String| Ok(select.query_row([term], |row| row.get(0)).optional()?.unwrap_or(0));
    terms.iter().map(|term| snapshot.frequency(term, || count(term))).collect()
}

/// The rows that hold the probe's terms, those with the rarest terms first.
fn containing(
    connection: &Connection,
    collection: i64,
    snapshot: &Snapshot,
    probe: &Probe,
    frequencies: &[usize],
) -> rusqlite::Result<Vec<usize>> {
    let mut rarest: Vec<(usize, &String)> =
        frequencies.iter().copied().zip(&probe.terms).filter(|(n, _)| *n > 0).collect();
    rarest.sort();
    let mut select = connection
        .prepare_cached(&format!("SELECT rowid FROM words_{collection} WHERE words_{collection} MATCH ?1 LIMIT ?2"))?;
    let mut weights: HashMap<usize, f64> = HashMap::new();
    let mut left = MOST_POSTINGS.max(probe.containing);
    for (frequency, term) in rarest {
        if probe.containing == 0 || (frequency > left && !weights.is_empty()) {
            break;
        }
        let weight = (snapshot.len() as f64 / frequency as f64).ln_1p();
        let mut rows = select.query(params![format!("\"{term}\""), left])?;
        while let Some(row) = rows.next()? {
            if let Some(row) = snapshot.row_of(row.get(0)?)
                && snapshot.admits(&probe.filter, row)
            {
                *weights.entry(row).or_default() += weight;
            }
        }
        left = left.saturating_sub(frequency);
    }
    let mut rows: Vec<(usize, f64)> = weights.into_iter().collect();
    rows.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.truncate(probe.containing);
    Ok(rows.into_iter().map(|(row, _)| row).collect())
}
