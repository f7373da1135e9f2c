//! Reading the server: a view is a connection of the pool with an open transaction, so that whatever is read on it is of one state.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Waker};

use async_trait::async_trait;
use clusterlore_core::{Collection, ContentHash, JournalEntry, JournalQuery, ObjectKey, ResourceType, Scope};
use deadpool_postgres::Object;
use pgvector::HalfVector;
use tokio::sync::Mutex;
use tokio_postgres::Row;

use super::conditions::{Statement, Within};
use super::fault::Fault;
use super::pool::{Kept, KnownTypes, Postgres};
use super::schema;
use super::tries::{Tries, tried};
use super::writer::Filled;
use crate::error::StoreError;
use crate::reader::{Candidates, CollectionInfo, Counts, Page, Probe, Scanned, Stored, Terms, View, Vocabulary};
use crate::reader::{runs_in, types_in};
use crate::runs::{KnownSource, RunRecord};

/// Rows that a scan holds at a time.
const SCAN_CHUNK: usize = 2_000;
/// Prepared statements that a connection keeps: what is asked under many filters and scopes has many shapes.
const MOST_STATEMENTS: usize = 500;

/// A collection with what its tallies say.
pub(super) struct State {
    pub(super) collection: Filled,
    /// Grows with every write.
    pub(super) revision: i64,
    /// Grows with every write that changes the vocabulary.
    pub(super) vocabulary: i64,
    pub(super) documents: usize,
}

async fn states(client: &Object) -> Result<HashMap<Collection, State>, Fault> {
    let select = client
        .prepare_cached(
            "SELECT c.id, c.embedder, c.dimensions, c.revision + coalesce(sum(k.revision), 0)::bigint,
                c.revision + coalesce(sum(k.vocabulary), 0)::bigint, coalesce(sum(k.documents), 0)::bigint, c.name
             FROM collections c LEFT JOIN clusters k ON k.collection = c.id GROUP BY c.id",
        )
        .await?;
    let mut states = HashMap::new();
    for row in client.query(&select, &[]).await? {
        let Ok(collection) = row.try_get::<_, &str>(6)?.parse() else { continue };
        let state = State {
            collection: Filled::of(&row),
            revision: row.try_get(3)?,
            vocabulary: row.try_get(4)?,
            documents: count(row.try_get(5)?),
        };
        states.insert(collection, state);
    }
    Ok(states)
}

pub(super) fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn key_of(bytes: &[u8]) -> ObjectKey {
    let mut key = [0; 16];
    let length = bytes.len().min(16);
    key[..length].copy_from_slice(&bytes[..length]);
    ObjectKey(key)
}

/// A half vector as it is computed with; `None` for the vector of zeros, which is none.
fn floats(vector: HalfVector) -> Option<Vec<f32>> {
    let floats: Vec<f32> = vector.as_slice().iter().map(|x| x.to_f32()).collect();
    floats.iter().any(|x| *x != 0.0).then_some(floats)
}

/// A connection with an open transaction; goes back to the pool when dropped.
struct Reader {
    client: Object,
    collections: HashMap<Collection, State>,
    /// Whether something was read of this state and given out.
    read: bool,
}

impl Reader {
    async fn begin(store: &Postgres) -> Result<Self, Fault> {
        let client = store.client().await?;
        if client.statement_cache.size() > MOST_STATEMENTS {
            client.statement_cache.clear();
        }
        // From here on it is rolled back, also where nobody waits for the answer any more.
        let mut reader = Self { client, collections: HashMap::new(), read: false };
        // On whatever server, also on a standby. The lock comes before the state is chosen: a table that another embedder has rewritten
        // is empty for whoever chose an older one (see `change_embedder`).
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE collections IN ACCESS SHARE MODE";
        let begin = async { Ok::<_, Fault>(reader.client.batch_execute(begin).await?) };
        let ((), collections) = tokio::try_join!(biased; begin, states(&reader.client))?;
        reader.collections = collections;
        Ok(reader)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // To begin with it is to send it. What is sent next on this connection comes behind it, and nobody waits for the answer.
        let rollback = pin!(self.client.batch_execute("ROLLBACK"));
        let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// One state of the server under one scope.
pub(super) struct PostgresView {
    store: Postgres,
    scope: Scope,
    /// There, unless it was lost before anything was read.
    reader: Mutex<Option<Reader>>,
}

/// A collection as a view sees it.
pub(super) struct Seen<'a> {
    store: &'a Postgres,
    client: &'a Object,
    scope: &'a Scope,
    pub(super) within: Within,
    pub(super) state: &'a State,
    pub(super) table: String,
}

impl Seen<'_> {
    pub(super) async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Fault> {
        let prepared = self.client.prepare_cached(&statement.sql).await?;
        Ok(self.client.query(&prepared, &statement.values()).await?)
    }

    /// Settings for the statements that follow on this view.
    pub(super) async fn set(&self, settings: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(settings).await?)
    }

    /// What is kept of the collection under the scope.
    pub(super) fn kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        self.store.kept(self.state.collection.id, self.scope, with)
    }

    /// Whether an index over vectors can go on looking until enough of what it finds passes a filter.
    pub(super) fn iterates(&self) -> bool {
        self.store.inner.server.iterates()
    }
}

impl PostgresView {
    pub(super) async fn open(store: &Postgres, scope: &Scope) -> Result<Self, StoreError> {
        let reader = tried!(store, Reader::begin(store))?;
        Ok(Self { store: store.clone(), scope: scope.clone(), reader: Mutex::new(Some(reader)) })
    }

    async fn begun<'a>(&self, held: &'a mut Option<Reader>) -> Result<&'a mut Reader, Fault> {
        match held {
            Some(reader) => Ok(reader),
            none => Ok(none.insert(Reader::begin(&self.store).await?)),
        }
    }

    fn seen<'a>(&'a self, reader: &'a Reader, collection: Collection) -> Option<Seen<'a>> {
        let state = reader.collections.get(&collection)?;
        let within = Within::of(&self.scope, collection);
        let table = schema::table(collection);
        Some(Seen { store: &self.store, client: &reader.client, scope: &self.scope, within, state, table })
    }
}

/// Does `once` with the view's reader. As long as nothing was read of its state, a fault that may be tried again is, on another state;
/// afterwards it is the end, since no answer mixes two.
macro_rules! read {
    ($view:expr, |$reader:ident| $once:expr) => {{
        let mut held = $view.reader.lock().await;
        let mut tries = Tries::default();
        loop {
            let done: Result<_, Fault> = async {
                let $reader = $view.begun(&mut held).await?;
                let done = $once.await?;
                $reader.read = true;
                Ok(done)
            }
            .await;
            match done {
                Ok(done) => break Ok(done),
                Err(fault) if held.as_ref().is_some_and(|reader| reader.read) => {
                    break Err(fault.into_error($view.store.address()));
                }
                Err(fault) => {
                    *held = None;
                    tries.after(fault, &$view.store).await?;
                }
            }
        }
    }};
}

#[async_trait]
impl View for PostgresView {
    fn shows_all(&self) -> bool {
        self.scope.is_all()
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        read!(self, |reader| async {
            let Some(seen) = self.seen(reader, collection) else { return Ok(None) };
            let embedder = seen.state.collection.embedder.clone();
            Ok::<_, Fault>(Some(CollectionInfo { embedder, documents: seen.documents().await? }))
        })
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        read!(self, |reader| self.scan_once(reader, collection, cluster, visit))
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        read!(self, |reader| async {
            let Some(seen) = self.seen(reader, collection) else { return Ok(HashMap::new()) };
            let mut statement = Statement::default();
            let keys = statement.bind(keys.iter().map(|key| key.0.to_vec()).collect::<Vec<_>>());
            let within = statement.within(&seen.within);
            statement.push(&format!("SELECT key, record FROM {} WHERE key = ANY({keys}) AND {within}", seen.table));
            let rows = seen.rows(&statement).await?;
            Ok::<_, Fault>(rows.iter().map(|row| (key_of(row.get(0)), row.get(1))).collect())
        })
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        read!(self, |reader| async {
            match self.seen(reader, collection) {
                Some(seen) => seen.probe(&probe).await,
                None => Ok(Candidates::default()),
            }
        })
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        read!(self, |reader| async {
            match self.seen(reader, collection) {
                Some(seen) => seen.vocabulary().await,
                None => Ok(Arc::default()),
            }
        })
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        read!(self, |reader| async {
            match self.seen(reader, collection) {
                Some(seen) => seen.frequencies(terms).await,
                None => Ok(vec![0; terms.len()]),
            }
        })
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Terms>, StoreError> {
        read!(self, |reader| async {
            match self.seen(reader, collection) {
                Some(seen) => seen.terms().await,
                None => Ok(Arc::default()),
            }
        })
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        read!(self, |reader| async {
            match self.seen(reader, collection) {
                Some(seen) => seen.counts().await,
                None => Ok(Vec::new()),
            }
        })
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        read!(self, |reader| async {
            match self.seen(reader, collection) {
                Some(seen) if limit > 0 => seen.page(after, limit, vectors).await,
                _ => Ok(Page::default()),
            }
        })
    }

    async fn types(&self) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        let all: Result<_, StoreError> = read!(self, |reader| self.types_once(reader));
        Ok(types_in(&self.scope, all?))
    }

    async fn journal(&self, query: JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        read!(self, |reader| self.store.read_journal(&reader.client, &self.scope, &query))
    }

    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        let all: Result<Vec<KnownSource>, StoreError> = read!(self, |reader| self.store.sources_of(&**reader.client));
        Ok(all?.into_iter().filter(|source| self.scope.admits_cluster(&source.cluster)).collect())
    }

    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        let all: Result<Vec<RunRecord>, StoreError> = read!(self, |reader| async {
            let select = "SELECT run FROM runs WHERE number IN (SELECT max(number) FROM runs GROUP BY cluster, command) ORDER BY number DESC";
            let rows = reader.client.query(select, &[]).await?;
            rows.iter().map(|row| self.store.read_json(row.try_get(0)?)).collect::<Result<_, Fault>>()
        });
        Ok(runs_in(&self.scope, all?))
    }
}

impl PostgresView {
    async fn scan_once(
        &self,
        reader: &mut Reader,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), Fault> {
        let Some(seen) = self.seen(reader, collection) else { return Ok(()) };
        // A scan that was broken off may have left its cursor.
        seen.set("CLOSE ALL").await?;
        let mut statement = Statement::default();
        let (cluster, within) = (statement.bind(cluster.to_owned()), statement.within(&seen.within));
        statement.push(&format!(
            "DECLARE scan NO SCROLL CURSOR FOR SELECT key, stored_id, hash, type, namespace, source FROM {}
             WHERE cluster = {cluster} AND {within}",
            seen.table
        ));
        seen.rows(&statement).await?;
        let fetch = reader.client.prepare(&format!("FETCH {SCAN_CHUNK} FROM scan")).await?;
        loop {
            let rows = reader.client.query(&fetch, &[]).await?;
            for row in &rows {
                // Nothing is shown twice.
                reader.read = true;
                visit(Scanned {
                    key: key_of(row.try_get(0)?),
                    id: row.try_get(1)?,
                    hash: ContentHash::from_bytes(key_of(row.try_get(2)?).0),
                    type_name: row.try_get(3)?,
                    namespace: row.try_get(4)?,
                    source: row.try_get(5)?,
                });
            }
            if rows.len() < SCAN_CHUNK {
                return Ok(());
            }
        }
    }

    async fn types_once(&self, reader: &Reader) -> Result<Arc<KnownTypes>, Fault> {
        let client = &reader.client;
        let select = client.prepare_cached("SELECT coalesce(sum(revision), 0)::bigint FROM type_lists").await?;
        let revision: i64 = client.query_one(&select, &[]).await?.try_get(0)?;
        let known = self.store.inner.types.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, types)) = known.filter(|(seen, _)| *seen == revision) {
            return Ok(types);
        }
        let rows = client.query("SELECT cluster, type FROM types ORDER BY cluster, name", &[]).await?;
        let read = |row: &Row| Ok((row.try_get(0)?, self.store.read_json(row.try_get(1)?)?));
        let types: Arc<KnownTypes> = Arc::new(rows.iter().map(read).collect::<Result<_, Fault>>()?);
        *self.store.inner.types.lock().unwrap_or_else(PoisonError::into_inner) = Some((revision, Arc::clone(&types)));
        Ok(types)
    }
}

impl Seen<'_> {
    /// Where a page ends is written as the key in hexadecimal, then the cluster.
    async fn page(&self, after: Option<&str>, limit: usize, vectors: bool) -> Result<Page, Fault> {
        let (key, cluster) = after.and_then(|after| after.split_at_checked(32)).unwrap_or_default();
        let mut statement = Statement::default();
        let (cluster, key) = (statement.bind(cluster.to_owned()), statement.bind(key.to_owned()));
        let within = statement.within(&self.within);
        let vector = if vectors { "vector" } else { "NULL::halfvec" };
        statement.push(&format!(
            "SELECT encode(key, 'hex'), cluster, stored_id, type, source, record, {vector} FROM {}
             WHERE (cluster, key) > ({cluster}, decode({key}, 'hex')) AND {within} ORDER BY cluster, key LIMIT {limit}",
            self.table
        ));
        let rows = self.rows(&statement).await?;
        let next = match rows.last().filter(|_| rows.len() == limit) {
            Some(row) => Some(format!("{}{}", row.try_get::<_, &str>(0)?, row.try_get::<_, &str>(1)?)),
            None => None,
        };
        let stored = |row: &Row| {
            Ok(Stored {
                id: row.try_get(2)?,
                type_name: row.try_get(3)?,
                source: row.try_get(4)?,
                record: row.try_get(5)?,
                vector: row.try_get::<_, Option<HalfVector>>(6)?.and_then(floats),
            })
        };
        Ok(Page { documents: rows.iter().map(stored).collect::<Result<_, Fault>>()?, next })
    }
}
