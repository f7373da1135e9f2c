//! Reading the file: a view is a connection with an open transaction, so that whatever is read on it is of one state of the file.
//! Connections are kept for the next view. What is worked out of a state (vectors in memory, vocabulary, frequencies) is kept with the
//! revision of the collection that it shows, and shared by all views of that revision.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use clusterlore_core::{
    Collection, ContentHash, EmbedderIdentity, JournalEntry, JournalQuery, ObjectKey, ResourceType, Scope, TOLD_APART,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Statement, params};

use super::failure::failure;
use super::file::Sqlite;
use super::quantized::{self, Query};
use super::runs::from_json;
use super::snapshot::{Latest, Narrowed, Scoped, Snapshot};
use crate::error::StoreError;
use crate::reader::{
    Candidate, Candidates, CollectionInfo, Counts, Page, Probe, Scanned, Shown, Stored, Terms, View, Vocabulary,
};
use crate::runs::{KnownSource, RunRecord};

/// Word matches that one probe looks at, or as many as it wants documents: the rarest terms come first, so that what is cut off
/// says least.
const MOST_POSTINGS: usize = 2_000;
/// Rows that a scan hands over at a time.
const SCAN_CHUNK: usize = 2_000;
/// The most documents of an index that is small.
const SMALL: usize = 50_000;
/// Idle connections that are kept: as many as questions that two cores answer at once.
const KEPT_CONNECTIONS: usize = 8;

/// A collection as its row tells of it.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub(super) id: i64,
    pub(super) embedder: EmbedderIdentity,
    /// Grows with every write.
    revision: i64,
}

pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Filled>> {
    let mut select =
        connection.prepare_cached("SELECT id, embedder, dimensions, revision FROM collections WHERE name = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        let embedder = EmbedderIdentity { name: row.get(1)?, dimensions: row.get(2)? };
        Ok(Filled { id: row.get(0)?, embedder, revision: row.get(3)? })
    };
    select.query_row([name], read).optional()
}

/// A connection with an open transaction; goes back to its store when dropped.
struct Reader {
    connection: Option<Connection>,
    /// Number of the file that it reads.
    file: u64,
    store: Sqlite,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.execute_batch("ROLLBACK").is_ok() {
            let mut idle = self.store.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT_CONNECTIONS {
                idle.push((self.file, connection));
            }
        }
    }
}

/// Types, each with the name of its cluster.
type Types = Arc<Vec<(String, ResourceType)>>;

/// One state of the file under one scope.
#[derive(Clone)]
pub(crate) struct SqliteView {
    reader: Arc<Mutex<Reader>>,
    store: Sqlite,
    /// Number of the file that it reads.
    file: u64,
    scope: Scope,
    /// Both collections, in the order of [`Collection::ALL`].
    collections: [Option<Filled>; 2],
    /// What this view has read of them: a later revision may have taken its place in the store.
    seen: Arc<[OnceLock<InView>; 2]>,
    types: Arc<OnceLock<Types>>,
    types_revision: i64,
}

impl Sqlite {
    pub(crate) async fn open_view(&self, scope: &Scope) -> Result<SqliteView, StoreError> {
        let (store, scope) = (self.clone(), scope.clone());
        let path = self.path().to_owned();
        let file = self.file_number();
        let idle = {
            let mut readers = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
            // Where another file has taken the place of the one that was opened, this is the index now.
            readers.retain(|(number, _)| *number == file);
            readers.pop()
        };
        let is_open = idle.is_some();
        let opening = move || {
            let connection = match idle {
                Some((_, connection)) => connection,
                None => store.inner.reading.open()?,
            };
            let begin = || -> rusqlite::Result<(i64, [Option<Filled>; 2])> {
                connection.execute_batch("BEGIN")?;
                // The first statement decides which state is read.
                let revision = "SELECT revision FROM revisions WHERE name = 'types'";
                let types_revision = connection.prepare_cached(revision)?.query_row([], |row| row.get(0)).optional()?;
                let [instances, capabilities] = Collection::ALL.map(|c| find(&connection, c.name()));
                Ok((types_revision.unwrap_or(0), [instances?, capabilities?]))
            };
            let (types_revision, collections) = begin()?;
            let reader = Arc::new(Mutex::new(Reader { connection: Some(connection), file, store: store.clone() }));
            rusqlite::Result::Ok(SqliteView {
                reader,
                store,
                file,
                scope,
                collections,
                seen: Arc::default(),
                types: Arc::default(),
                types_revision,
            })
        };
        // A row of three tables is read.
        let opened = match is_open {
            true => opening(),
            false => tokio::task::spawn_blocking(opening).await.map_err(|e| gone(&path, &e.to_string()))?,
        };
        opened.map_err(|e| failure(&path, e))
    }
}

/// A collection as a view sees it.
#[derive(Debug, Clone)]
pub(super) struct InView {
    pub(super) filled: Filled,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) scoped: Arc<Scoped>,
}

impl SqliteView {
    /// Runs `work` on the connection, off the async threads.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let view = self.clone();
        let done = tokio::task::spawn_blocking(move || view.at_once(work));
        done.await.map_err(|e| gone(self.store.path(), &e.to_string()))?
    }

    /// As [`Self::with`], for work of a fraction of a millisecond where the index is in memory and small: then it is done at once, in less
    /// time than it takes to wake another thread.
    async fn with_little<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.is_small() { self.at_once(work) } else { self.with(work).await }
    }

    fn at_once<T>(&self, work: impl FnOnce(&Self, &Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &reader.connection {
            Some(connection) => work(self, connection).map_err(|e| failure(self.store.path(), e)),
            None => Err(gone(self.store.path(), "the view is closed")),
        }
    }

    fn is_small(&self) -> bool {
        let small = |collection| self.known(collection).is_some_and(|seen| seen.snapshot.len() <= SMALL);
        Collection::ALL.into_iter().all(|collection| self.filled(collection).is_none() || small(collection))
    }

    pub(super) fn filled(&self, collection: Collection) -> Option<&Filled> {
        self.collections[collection as usize].as_ref()
    }

    /// The collection in memory, read where no view of its revision has read it yet.
    pub(super) fn read(&self, connection: &Connection, collection: Collection) -> rusqlite::Result<Option<InView>> {
        let Some(filled) = self.filled(collection).cloned() else { return Ok(None) };
        if let Some(seen) = self.seen[collection as usize].get() {
            return Ok(Some(seen.clone()));
        }
        let snapshot = self.shared(connection, collection, &filled)?;
        Ok(Some(self.see(collection, filled, snapshot)))
    }

    fn see(&self, collection: Collection, filled: Filled, snapshot: Arc<Snapshot>) -> InView {
        let scoped = snapshot.scoped(collection, &self.scope);
        self.seen[collection as usize].get_or_init(|| InView { filled, snapshot, scoped }).clone()
    }

    /// The collection, if it is in memory: told without the connection, which another thread would have to be asked for.
    fn known(&self, collection: Collection) -> Option<InView> {
        if let Some(seen) = self.seen[collection as usize].get() {
            return Some(seen.clone());
        }
        let filled = self.filled(collection)?;
        let snapshot = self.in_memory(collection, filled)?;
        Some(self.see(collection, filled.clone(), snapshot))
    }

    fn shared(
        &self,
        connection: &Connection,
        collection: Collection,
        filled: &Filled,
    ) -> rusqlite::Result<Arc<Snapshot>> {
        let inner = &self.store.inner;
        let read = |before: Option<&Snapshot>| {
            let dimensions = filled.embedder.dimensions;
            Snapshot::read(connection, filled.id, dimensions, before, &inner.documents).map(Arc::new)
        };
        // Whoever comes second waits for the first rather than read the same.
        let mut latest = self.latest(collection).lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &*latest {
            Some((file, revision, snapshot)) if *file == self.file => match revision.cmp(&filled.revision) {
                Ordering::Equal => return Ok(Arc::clone(snapshot)),
                Ordering::Less => Some(Arc::clone(snapshot)),
                Ordering::Greater => {
                    // A state that others have left behind.
                    let later = Arc::clone(snapshot);
                    drop(latest);
                    return read(Some(&later));
                }
            },
            _ => None,
        };
        let snapshot = read(before.as_deref())?;
        *latest = Some((self.file, filled.revision, Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// What is in memory already.
    fn in_memory(&self, collection: Collection, filled: &Filled) -> Option<Arc<Snapshot>> {
        let latest = self.latest(collection).try_lock().ok()?;
        let (file, revision, snapshot) = latest.as_ref()?;
        (*file == self.file && *revision == filled.revision).then(|| Arc::clone(snapshot))
    }

    fn latest(&self, collection: Collection) -> &Latest {
        &self.store.inner.snapshots[collection as usize]
    }
}

fn gone(path: &Path, detail: &str) -> StoreError {
    StoreError::Other { place: path.display().to_string(), detail: detail.to_owned() }
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
impl View for SqliteView {
    fn shows_all(&self) -> bool {
        self.scope.is_all()
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        if let Some(InView { filled, scoped, .. }) = self.known(collection) {
            return Ok(Some(CollectionInfo { embedder: filled.embedder, documents: scoped.len() }));
        }
        self.with(move |view, connection| {
            let Some(filled) = view.filled(collection) else { return Ok(None) };
            let embedder = filled.embedder.clone();
            if view.scope.is_all() {
                let count = "SELECT count(*) FROM entries WHERE collection = ?1";
                let documents = connection.query_row(count, [filled.id], |row| row.get(0))?;
                return Ok(Some(CollectionInfo { embedder, documents }));
            }
            let documents = view.read(connection, collection)?.map_or(0, |seen| seen.scoped.len());
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
            let cluster = cluster.to_owned();
            let scan =
                move |view: &Self, connection: &Connection| scan_chunk(view, connection, collection, &cluster, after);
            let (chunk, last) = self.with(scan).await?;
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
        let keys = keys.to_vec();
        self.with_little(move |view, connection| {
            let Some(filled) = view.filled(collection) else { return Ok(HashMap::new()) };
            let mut select = connection.prepare_cached(
                "SELECT d.record, e.cluster, e.type, e.namespace, e.key FROM entries e JOIN documents d USING (id)
                 WHERE e.collection = ?1 AND e.key = ?2",
            )?;
            let mut records = HashMap::with_capacity(keys.len());
            for key in keys {
                let mut rows = select.query(params![filled.id, key.0])?;
                if let Some(row) = rows.next()?
                    && view.admits(collection, row, 1)?
                {
                    records.insert(key, row.get(0)?);
                }
            }
            Ok(records)
        })
        .await
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        self.with_little(move |view, connection| match view.read(connection, collection)? {
            Some(seen) => answer(connection, &seen, &probe),
            None => Ok(Candidates::default()),
        })
        .await
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        if let Some(known) = self.known(collection).and_then(|seen| seen.scoped.known_vocabulary()) {
            return Ok(known);
        }
        self.with(move |view, connection| {
            let seen = view.read(connection, collection)?;
            Ok(seen.map(|seen| seen.snapshot.vocabulary(&seen.scoped)).unwrap_or_default())
        })
        .await
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        if let Some(known) = self.known(collection).and_then(|seen| seen.scoped.known_frequencies(terms)) {
            return Ok(known);
        }
        let terms = terms.to_vec();
        self.with_little(move |view, connection| match view.read(connection, collection)? {
            Some(seen) => frequencies(connection, &seen, &terms),
            None => Ok(vec![0; terms.len()]),
        })
        .await
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Terms>, StoreError> {
        if let Some(known) = self.known(collection).and_then(|seen| seen.scoped.known_terms()) {
            return Ok(known);
        }
        self.with(move |view, connection| {
            let Some(seen) = view.read(connection, collection)? else { return Ok(Arc::default()) };
            seen.scoped.terms(|| terms(connection, &seen))
        })
        .await
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        self.with(move |view, connection| {
            let Some(filled) = view.filled(collection) else { return Ok(Vec::new()) };
            // Namespaces matter to a scope only.
            let by = if view.scope.is_all() {
                "cluster, type".to_owned()
            } else {
                format!("cluster, type, namespace, CASE type WHEN '{TOLD_APART}' THEN key END")
            };
            let mut select = connection.prepare_cached(&format!(
                "SELECT cluster, type, namespace, key, count(*) FROM entries WHERE collection = ?1
                 GROUP BY {by} ORDER BY cluster, type"
            ))?;
            let mut rows = select.query([filled.id])?;
            let mut counts: Vec<Counts> = Vec::new();
            while let Some(row) = rows.next()? {
                if !view.admits(collection, row, 0)? {
                    continue;
                }
                let (cluster, type_name, documents) = (row.get(0)?, row.get(1)?, row.get(4)?);
                match counts.last_mut().filter(|c| c.cluster == cluster && c.type_name == type_name) {
                    Some(last) => last.documents += documents,
                    None => counts.push(Counts { cluster, type_name, documents }),
                }
            }
            Ok(counts)
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
        let after = after.and_then(|at| at.parse().ok()).unwrap_or(0_i64);
        self.with(move |view, connection| {
            let Some(filled) = view.filled(collection) else { return Ok(Page::default()) };
            let mut select = connection.prepare_cached(
                "SELECT e.id, e.stored_id, e.type, e.source, d.record, e.vector, e.cluster, e.type, e.namespace, e.key
                 FROM entries e JOIN documents d USING (id)
                 WHERE e.id > ?1 AND +e.collection = ?2 ORDER BY e.id LIMIT ?3",
            )?;
            let mut rows = select.query(params![after, filled.id, limit])?;
            let (mut documents, mut read, mut last) = (Vec::new(), 0, 0_i64);
            while let Some(row) = rows.next()? {
                (read, last) = (read + 1, row.get(0)?);
                if !view.admits(collection, row, 6)? {
                    continue;
                }
                let vector = match vectors {
                    true => quantized::floats(row.get_ref(5)?.as_blob()?, filled.embedder.dimensions),
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
            let next = (read == limit).then(|| last.to_string());
            Ok(Page { documents, next })
        })
        .await
    }

    async fn types(&self) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        if let Some(types) = self.types.get() {
            return Ok(Arc::clone(types));
        }
        self.with(|view, connection| {
            let known = view.store.inner.types.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let all = match known.filter(|(revision, _)| *revision == view.types_revision) {
                Some((_, types)) => types,
                None => {
                    let mut select =
                        connection.prepare_cached("SELECT cluster, type FROM types ORDER BY cluster, name")?;
                    let rows = select.query_map([], |row| Ok((row.get(0)?, from_json(row, 1)?)))?;
                    let types = Arc::new(rows.collect::<rusqlite::Result<Vec<(String, ResourceType)>>>()?);
                    let mut kept = view.store.inner.types.lock().unwrap_or_else(PoisonError::into_inner);
                    *kept = Some((view.types_revision, Arc::clone(&types)));
                    types
                }
            };
            let seen = || crate::reader::types_in(&view.scope, all);
            Ok(Arc::clone(view.types.get_or_init(seen)))
        })
        .await
    }

    async fn journal(&self, query: JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.with(move |view, connection| super::journal::read(connection, &view.scope, &query)).await
    }

    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        self.with_little(|view, connection| {
            let sources = super::runs::sources(connection)?;
            Ok(sources.into_iter().filter(|source| view.scope.admits_cluster(&source.cluster)).collect())
        })
        .await
    }

    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.with(|view, connection| {
            let mut select = connection.prepare(
                "SELECT run FROM runs WHERE number IN (SELECT max(number) FROM runs GROUP BY cluster, json_extract(run, '$.command'))
                 ORDER BY number DESC",
            )?;
            let runs = select.query_map([], |row| from_json(row, 0))?.collect::<rusqlite::Result<Vec<RunRecord>>>()?;
            Ok(crate::reader::runs_in(&view.scope, runs))
        })
        .await
    }
}

impl SqliteView {
    /// Whether the scope admits the document of a row that has cluster, type, namespace and key at `at` and behind it.
    pub(super) fn admits(&self, collection: Collection, row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<bool> {
        let text = |column: usize| -> rusqlite::Result<&str> { Ok(row.get_ref(column)?.as_str()?) };
        if self.scope.is_all() {
            return Ok(true);
        }
        let object = row.get(at + 3).map(ObjectKey)?;
        Ok(self.scope.admits(collection, text(at)?, text(at + 1)?, text(at + 2)?, Some(&object)))
    }
}

fn scan_chunk(
    view: &SqliteView,
    connection: &Connection,
    collection: Collection,
    cluster: &str,
    after: i64,
) -> rusqlite::Result<(Vec<ScannedRow>, Option<i64>)> {
    let Some(filled) = view.filled(collection) else { return Ok((Vec::new(), None)) };
    // The plus keeps SQLite from the index on keys: rows are wanted in the order in which they lie.
    let mut select = connection.prepare_cached(
        "SELECT id, stored_id, hash, cluster, type, namespace, key, source FROM entries
         WHERE id > ?1 AND +collection = ?2 AND cluster = ?3 ORDER BY id LIMIT ?4",
    )?;
    let mut rows = select.query(params![after, filled.id, cluster, SCAN_CHUNK])?;
    let (mut chunk, mut read, mut last) = (Vec::new(), 0, after);
    while let Some(row) = rows.next()? {
        (read, last) = (read + 1, row.get(0)?);
        if !view.admits(collection, row, 3)? {
            continue;
        }
        chunk.push(ScannedRow {
            key: ObjectKey(row.get(6)?),
            id: row.get(1)?,
            hash: ContentHash::from_bytes(row.get(2)?),
            type_name: row.get(4)?,
            namespace: row.get(5)?,
            source: row.get(7)?,
        });
    }
    Ok((chunk, (read == SCAN_CHUNK).then_some(last)))
}

fn answer(connection: &Connection, seen: &InView, probe: &Probe) -> rusqlite::Result<Candidates> {
    let InView { filled, snapshot, scoped } = seen;
    let query = Query::of(&probe.vector);
    let narrowed = Narrowed::of(connection, filled.id, snapshot, &probe.filter)?;
    let rows = snapshot.admitted(scoped, &narrowed);
    let admitted = rows.as_ref().map_or(snapshot.len(), Vec::len);
    let mut found: HashMap<usize, f32> = HashMap::new();
    if probe.nearest > 0 {
        found.extend(snapshot.nearest(&query, rows.as_deref(), probe.nearest));
    }
    let frequencies = frequencies(connection, seen, &probe.terms)?;
    for row in containing(connection, seen, probe, &narrowed, &frequencies)? {
        found.entry(row).or_insert_with(|| snapshot.similarity(&query, row));
    }
    let mut select = select_shown(connection)?;
    let mut documents = Vec::with_capacity(found.len());
    for (row, similarity) in found {
        documents.push(Candidate { shown: shown(&mut select, snapshot, row)?, similarity });
    }
    Ok(Candidates { documents, frequencies, total: scoped.len(), admitted })
}

/// What [`shown`] asks. Taking a statement from the cache once a row would plan it again for each.
pub(super) fn select_shown(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(
        "SELECT e.stored_id, d.record, e.type FROM entries e JOIN documents d USING (id) WHERE e.id = ?1",
    )
}

/// The document of a row, read once.
pub(super) fn shown(select: &mut Statement<'_>, snapshot: &Snapshot, row: usize) -> rusqlite::Result<Arc<Shown>> {
    snapshot.document(row, || {
        select.query_row([snapshot.id(row)], |r| Ok(Shown { id: r.get(0)?, record: r.get(1)?, type_name: r.get(2)? }))
    })
}

/// The table of words, asked for the documents that hold a term.
fn postings(collection: i64) -> String {
    format!("SELECT rowid FROM words_{collection} WHERE words_{collection} MATCH ?1")
}

fn quoted(term: &str) -> String {
    format!("\"{}\"", term.replace('"', "\"\""))
}

fn frequencies(connection: &Connection, seen: &InView, terms: &[String]) -> rusqlite::Result<Vec<usize>> {
    let InView { filled, snapshot, scoped } = seen;
    let mut select = connection.prepare_cached(&format!("SELECT doc FROM terms_{} WHERE term = ?1", filled.id))?;
    let mut postings = connection.prepare_cached(&postings(filled.id))?;
    let mut count = |term: &String| -> rusqlite::Result<usize> {
        let everywhere = select.query_row([term], |row| row.get(0)).optional()?.unwrap_or(0);
        if scoped.is_all() || everywhere == 0 {
            return Ok(everywhere);
        }
        let (mut rows, mut within) = (postings.query([quoted(term)])?, 0);
        while let Some(row) = rows.next()? {
            within += usize::from(snapshot.row_of(row.get(0)?).is_some_and(|row| scoped.holds(row)));
        }
        Ok(within)
    };
    terms.iter().map(|term| scoped.frequency(term, || count(term))).collect()
}

/// All terms within the scope, with the number of documents that hold each.
fn terms(connection: &Connection, seen: &InView) -> rusqlite::Result<Terms> {
    let InView { filled, snapshot, scoped } = seen;
    let mut terms = Terms::default();
    // The table of words has them in the order of their bytes.
    if scoped.is_all() {
        let mut select = connection.prepare(&format!("SELECT term, doc FROM terms_{}", filled.id))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            terms.push(row.get_ref(0)?.as_str()?, row.get(1)?);
        }
        return Ok(terms);
    }
    // One row for each term of each document. A table of this connection alone, which its transaction takes away again.
    let table = format!("temp.instances_{}", filled.id);
    connection.execute_batch(&format!(
        "DROP TABLE IF EXISTS {table};
         CREATE VIRTUAL TABLE {table} USING fts5vocab(main, words_{}, instance)",
        filled.id
    ))?;
    let mut select = connection.prepare(&format!("SELECT term, doc FROM {table}"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if !snapshot.row_of(row.get(1)?).is_some_and(|row| scoped.holds(row)) {
            continue;
        }
        terms.push(row.get_ref(0)?.as_str()?, 1);
    }
    Ok(terms)
}

/// The rows that hold the probe's terms, those with the rarest terms first.
fn containing(
    connection: &Connection,
    seen: &InView,
    probe: &Probe,
    narrowed: &Narrowed<'_>,
    frequencies: &[usize],
) -> rusqlite::Result<Vec<usize>> {
    let InView { filled, snapshot, scoped } = seen;
    let mut rarest: Vec<(usize, &String)> =
        frequencies.iter().copied().zip(&probe.terms).filter(|(n, _)| *n > 0).collect();
    rarest.sort();
    let mut select = connection.prepare_cached(&postings(filled.id))?;
    let mut weights: HashMap<usize, f64> = HashMap::new();
    let mut left = MOST_POSTINGS.max(probe.containing);
    for (frequency, term) in rarest {
        if probe.containing == 0 || (frequency > left && !weights.is_empty()) {
            break;
        }
        let weight = (scoped.len() as f64 / frequency as f64).ln_1p();
        let (mut rows, mut looked_at) = (select.query([quoted(term)])?, 0);
        while let (true, Some(row)) = (looked_at < left, rows.next()?) {
            let Some(row) = snapshot.row_of(row.get(0)?).filter(|row| scoped.holds(*row)) else { continue };
            looked_at += 1;
            if snapshot.admits(narrowed, row) {
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
