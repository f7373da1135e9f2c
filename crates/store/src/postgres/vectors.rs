//! Collections of documents on the server.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::{Collection, ContentHash, EmbedderIdentity, ObjectKey};
use deadpool_postgres::Transaction;
use pgvector::HalfVector;
use tokio_postgres::{IsolationLevel, Row};

use super::fault::{Fault, Tries};
use super::{Kept, Postgres, schema};
use crate::{
    Batch, Candidates, CollectionInfo, Counts, Page, Probe, Scanned, StoreError, Stored, VectorStore, Vocabulary,
};

/// Rows that a scan holds at a time.
const SCAN_CHUNK: i32 = 2_000;
/// Longest dimensions that a half vector can have.
const MOST_DIMENSIONS: usize = 16_000;
/// Bytes of a term that count. An index takes no more than some 2,700, and no word that somebody asks for is as long.
const LONGEST_TERM: usize = 1_000;
/// Bytes of a document's words that count: a `tsvector` holds one megabyte.
const MOST_WORDS: usize = 900_000;

/// The terms of words, as far as Postgres can hold them.
pub(super) fn words(words: &str) -> impl Iterator<Item = &str> {
    let mut bytes = 0;
    let terms = words.split(' ').map(term).filter(|term| !term.is_empty());
    terms.take_while(move |term| {
        bytes += term.len();
        bytes <= MOST_WORDS
    })
}

/// A term, as far as it counts.
pub(super) fn term(term: &str) -> &str {
    &term[..term.floor_char_boundary(LONGEST_TERM)]
}

/// A collection as its row tells of it.
pub(super) struct Filled {
    pub(super) id: i32,
    pub(super) embedder: EmbedderIdentity,
}

impl Filled {
    /// Of a row that begins with id, embedder and dimensions.
    pub(super) fn of(row: &Row) -> Self {
        let dimensions = usize::try_from(row.get::<_, i32>(2)).unwrap_or(0);
        Self { id: row.get(0), embedder: EmbedderIdentity { name: row.get(1), dimensions } }
    }
}

/// A collection with what its tallies say.
pub(super) struct State {
    pub(super) collection: Filled,
    /// Grows with every write.
    revision: i64,
    /// Grows with every write that changes the vocabulary.
    vocabulary: i64,
    pub(super) documents: usize,
}

pub(super) async fn state(transaction: &Transaction<'_>, collection: Collection) -> Result<Option<State>, Fault> {
    let select = transaction
        .prepare_cached(
            "SELECT c.id, c.embedder, c.dimensions, c.revision + coalesce(sum(k.revision), 0)::bigint,
                c.revision + coalesce(sum(k.vocabulary), 0)::bigint, coalesce(sum(k.documents), 0)::bigint
             FROM collections c LEFT JOIN clusters k ON k.collection = c.id WHERE c.name = $1 GROUP BY c.id",
        )
        .await?;
    let row = transaction.query_opt(&select, &[&collection.name()]).await?;
    Ok(row.map(|row| State {
        collection: Filled::of(&row),
        revision: row.get(3),
        vocabulary: row.get(4),
        documents: count(row.get(5)),
    }))
}

pub(super) fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

pub(super) fn key_of(bytes: &[u8]) -> ObjectKey {
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

/// One snapshot for several statements, on whatever server: also on a standby.
pub(super) async fn reading(client: &mut deadpool_postgres::Object) -> Result<Transaction<'_>, Fault> {
    Ok(client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?)
}

/// Does `once` until it succeeds or fails for good.
macro_rules! tried {
    ($store:expr, $once:expr) => {{
        let mut tries = Tries::default();
        loop {
            match $once.await {
                Ok(done) => break Ok(done),
                Err(fault) => tries.after(fault, $store).await?,
            }
        }
    }};
}
pub(super) use tried;

#[async_trait]
impl VectorStore for Postgres {
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        tried!(self, self.open_collection_once(collection, embedder))
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        tried!(self, async {
            let mut client = self.client().await?;
            let transaction = reading(&mut client).await?;
            let state = state(&transaction, collection).await?;
            Ok(state.map(|s| CollectionInfo { embedder: s.collection.embedder, documents: s.documents }))
        })
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        // Nothing is shown twice: once a document was, a fault is the end.
        let mut shown = false;
        let mut tries = Tries::default();
        loop {
            match self.scan_once(collection, cluster, &mut shown, visit).await {
                Ok(()) => return Ok(()),
                Err(fault) if shown => return Err(fault.into_error(self.address())),
                Err(fault) => tries.after(fault, self).await?,
            }
        }
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key.0[..]).collect();
        tried!(self, async {
            let mut client = self.client().await?;
            let transaction = reading(&mut client).await?;
            if state(&transaction, collection).await?.is_none() {
                return Ok(HashMap::new());
            }
            let select = format!("SELECT key, record FROM {} WHERE key = ANY($1)", schema::table(collection));
            let select = transaction.prepare_cached(&select).await?;
            let rows = transaction.query(&select, &[&keys]).await?;
            Ok(rows.iter().map(|row| (key_of(row.get(0)), row.get(1))).collect())
        })
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        tried!(self, self.apply_once(collection, &batch))
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        tried!(self, self.probe_once(collection, &probe))
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        tried!(self, async {
            let mut client = self.client().await?;
            let transaction = reading(&mut client).await?;
            let Some(state) = state(&transaction, collection).await? else { return Ok(Arc::default()) };
            let id = state.collection.id;
            if let Some((seen, vocabulary)) = self.kept(id, |kept| kept.vocabulary.clone())
                && seen == state.vocabulary
            {
                return Ok(vocabulary);
            }
            let vocabulary = Arc::new(vocabulary(&transaction, id).await?);
            self.kept(id, |kept: &mut Kept| kept.vocabulary = Some((state.vocabulary, Arc::clone(&vocabulary))));
            Ok(vocabulary)
        })
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        tried!(self, async {
            let mut client = self.client().await?;
            let transaction = reading(&mut client).await?;
            match state(&transaction, collection).await? {
                Some(state) => frequencies(&transaction, state.collection.id, terms).await,
                None => Ok(vec![0; terms.len()]),
            }
        })
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Vec<(String, usize)>>, StoreError> {
        tried!(self, async {
            let mut client = self.client().await?;
            let transaction = reading(&mut client).await?;
            let Some(state) = state(&transaction, collection).await? else { return Ok(Arc::default()) };
            let id = state.collection.id;
            if let Some((seen, terms)) = self.kept(id, |kept| kept.terms.clone())
                && seen == state.revision
            {
                return Ok(terms);
            }
            let select = transaction
                .prepare_cached(
                    "SELECT term, sum(documents)::bigint FROM terms WHERE collection = $1 GROUP BY term ORDER BY term",
                )
                .await?;
            let rows = transaction.query(&select, &[&id]).await?;
            let terms: Arc<Vec<_>> = Arc::new(rows.iter().map(|row| (row.get(0), count(row.get(1)))).collect());
            self.kept(id, |kept| kept.terms = Some((state.revision, Arc::clone(&terms))));
            Ok(terms)
        })
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let select = client
                .prepare_cached(
                    "SELECT f.cluster, f.type, sum(f.documents)::bigint FROM facets f JOIN collections c ON c.id = f.collection
                     WHERE c.name = $1 GROUP BY f.cluster, f.type ORDER BY f.cluster, f.type",
                )
                .await?;
            let rows = client.query(&select, &[&collection.name()]).await?;
            let counts =
                |row: &Row| Counts { cluster: row.get(0), type_name: row.get(1), documents: count(row.get(2)) };
            Ok(rows.iter().map(counts).collect())
        })
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        tried!(self, self.page_once(collection, after, limit, vectors))
    }

    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.check_dimensions(embedder)?;
        tried!(self, self.change_embedder_once(collection, embedder))
    }
}

impl Postgres {
    fn check_dimensions(&self, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        let other = |detail: String| Err(StoreError::Other { place: self.address().place.clone(), detail });
        if !(1..=MOST_DIMENSIONS).contains(&embedder.dimensions) {
            return other(format!(
                "embedder {embedder} does not fit; Postgres holds vectors of 1 to {MOST_DIMENSIONS} dimensions"
            ));
        }
        Ok(())
    }

    async fn open_collection_once(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let select = "SELECT id, embedder, dimensions FROM collections WHERE name = $1";
        let refused = |row: &Row| -> Result<(), Fault> {
            let stored = Filled::of(row).embedder;
            if stored == *embedder {
                return Ok(());
            }
            let (collection, offered) = (collection, embedder.clone());
            Err(StoreError::OtherEmbedder { collection, stored, offered }.into())
        };
        if let Some(row) = transaction.query_opt(select, &[&collection.name()]).await? {
            return refused(&row);
        }
        self.check_dimensions(embedder)?;
        let dimensions = i32::try_from(embedder.dimensions).unwrap_or(i32::MAX);
        let insert =
            "INSERT INTO collections (name, embedder, dimensions) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
        if transaction.execute(insert, &[&collection.name(), &embedder.name, &dimensions]).await? == 0 {
            // Another process was faster.
            return refused(&transaction.query_one(select, &[&collection.name()]).await?);
        }
        transaction.batch_execute(&schema::create_documents(collection, embedder.dimensions)).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn scan_once(
        &self,
        collection: Collection,
        cluster: &str,
        shown: &mut bool,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = reading(&mut client).await?;
        if state(&transaction, collection).await?.is_none() {
            return Ok(());
        }
        let select = format!(
            "SELECT key, stored_id, hash, type, namespace, source FROM {} WHERE cluster = $1",
            schema::table(collection)
        );
        let select = transaction.prepare_cached(&select).await?;
        let portal = transaction.bind(&select, &[&cluster]).await?;
        loop {
            let rows = transaction.query_portal(&portal, SCAN_CHUNK).await?;
            for row in &rows {
                *shown = true;
                visit(Scanned {
                    key: key_of(row.try_get(0)?),
                    id: row.try_get(1)?,
                    hash: ContentHash::from_bytes(key_of(row.try_get(2)?).0),
                    type_name: row.try_get(3)?,
                    namespace: row.try_get(4)?,
                    source: row.try_get(5)?,
                });
            }
            if rows.len() < usize::try_from(SCAN_CHUNK).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Where a page ends is written as the key in hexadecimal, then the cluster.
    async fn page_once(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, Fault> {
        let mut client = self.client().await?;
        let transaction = reading(&mut client).await?;
        if state(&transaction, collection).await?.is_none() || limit == 0 {
            return Ok(Page::default());
        }
        let (key, cluster) = after.and_then(|after| after.split_at_checked(32)).unwrap_or_default();
        let bytes = i64::try_from(limit).unwrap_or(i64::MAX);
        let select = format!(
            "SELECT encode(key, 'hex'), cluster, stored_id, type, source, record, CASE WHEN $4 THEN vector END FROM {}
             WHERE (cluster, key) > ($1, decode($2, 'hex')) ORDER BY cluster, key LIMIT $3",
            schema::table(collection)
        );
        let select = transaction.prepare_cached(&select).await?;
        let rows = transaction.query(&select, &[&cluster, &key, &bytes, &vectors]).await?;
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

    async fn change_embedder_once(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let dimensions = i32::try_from(embedder.dimensions).unwrap_or(i32::MAX);
        // Waits for the writers, which hold this row shared, and keeps others from starting.
        let update = "UPDATE collections SET embedder = $2, dimensions = $3, revision = revision + 1
             WHERE name = $1 AND (embedder, dimensions) <> ($2, $3)";
        if transaction.execute(update, &[&collection.name(), &embedder.name, &dimensions]).await? == 0 {
            return Ok(());
        }
        transaction.batch_execute(&schema::change_dimensions(collection, embedder.dimensions)).await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) async fn frequencies(
    transaction: &Transaction<'_>,
    collection: i32,
    terms: &[String],
) -> Result<Vec<usize>, Fault> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let asked: HashSet<String> = terms.iter().map(|t| super::clean(term(t)).into_owned()).collect();
    let asked: Vec<String> = asked.into_iter().collect();
    let select = transaction
        .prepare_cached(
            "SELECT term, sum(documents)::bigint FROM terms WHERE collection = $1 AND term = ANY($2) GROUP BY term",
        )
        .await?;
    let rows = transaction.query(&select, &[&collection, &asked]).await?;
    let found: HashMap<&str, usize> = rows.iter().map(|row| (row.get(0), count(row.get(1)))).collect();
    Ok(terms.iter().map(|t| found.get(&*super::clean(term(t))).copied().unwrap_or(0)).collect())
}

async fn vocabulary(transaction: &Transaction<'_>, collection: i32) -> Result<Vocabulary, Fault> {
    let mut vocabulary = Vocabulary::default();
    let select =
        transaction.prepare_cached("SELECT DISTINCT type, namespace FROM facets WHERE collection = $1").await?;
    for row in transaction.query(&select, &[&collection]).await? {
        vocabulary.types.insert(row.try_get(0)?);
        vocabulary.namespaces.insert(row.try_get(1)?);
    }
    // From value to value through the index, at most one more than is kept: a key that names every pod costs no more than others.
    let select = transaction
        .prepare_cached(
            "WITH RECURSIVE keys AS (
                (SELECT key, md5(key) AS k FROM labels WHERE collection = $1 ORDER BY md5(key) LIMIT 1)
                UNION ALL
                SELECT n.key, n.k FROM keys, LATERAL (
                    SELECT l.key, md5(l.key) AS k FROM labels l WHERE l.collection = $1 AND md5(l.key) > keys.k
                    ORDER BY md5(l.key) LIMIT 1) n)
             SELECT keys.key, v.value FROM keys, LATERAL (
                WITH RECURSIVE found AS (
                    (SELECT value, md5(value) AS v, 1 AS n FROM labels WHERE collection = $1 AND md5(key) = keys.k
                     ORDER BY md5(value) LIMIT 1)
                    UNION ALL
                    SELECT m.value, m.v, found.n + 1 FROM found, LATERAL (
                        SELECT l.value, md5(l.value) AS v FROM labels l
                        WHERE l.collection = $1 AND md5(l.key) = keys.k AND md5(l.value) > found.v
                        ORDER BY md5(l.value) LIMIT 1) m
                    WHERE found.n <= $2)
                SELECT value FROM found) v",
        )
        .await?;
    let most = i32::try_from(Vocabulary::MOST_VALUES).unwrap_or(i32::MAX);
    for row in transaction.query(&select, &[&collection, &most]).await? {
        vocabulary.labels.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
    }
    vocabulary.labels.retain(|_, values| values.len() <= Vocabulary::MOST_VALUES);
    Ok(vocabulary)
}
