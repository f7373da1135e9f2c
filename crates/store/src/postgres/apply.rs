//! Writing a batch: what is there, what it becomes, and by how much the tallies change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use clusterlore_core::{Collection, Document, ObjectKey};
use pgvector::HalfVector;
use serde_json::Value;
use tokio_postgres::Row;

use super::fault::Fault;
use super::pool::Postgres;
use super::schema;
use super::text::clean;
use super::words::words;
use super::writer::Filled;
use crate::error::StoreError;
use crate::writer::{Batch, Upsert};

/// How often something is counted more, or less, than before.
type Tally<K> = BTreeMap<K, i64>;

/// Changes of the tallies. Sorted, so that whoever holds one row waits for none that comes before it.
#[derive(Default)]
struct Tallies {
    documents: Tally<String>,
    facets: Tally<[String; 3]>,
    labels: Tally<[String; 3]>,
    terms: Tally<[String; 2]>,
}

impl Tallies {
    fn count(&mut self, by: i64, counted: Counted<'_>) {
        let Counted { cluster, type_name, namespace, labels, terms } = counted;
        let cluster = cluster.to_owned();
        *self.documents.entry(cluster.clone()).or_default() += by;
        *self.facets.entry([cluster.clone(), type_name.to_owned(), namespace.to_owned()]).or_default() += by;
        for (key, value) in labels {
            *self.labels.entry([key, value, cluster.clone()]).or_default() += by;
        }
        for term in terms {
            *self.terms.entry([term, cluster.clone()]).or_default() += by;
        }
    }
}

/// What is tallied of one document.
struct Counted<'a> {
    cluster: &'a str,
    type_name: &'a str,
    namespace: &'a str,
    labels: BTreeMap<String, String>,
    terms: BTreeSet<String>,
}

impl<'a> Counted<'a> {
    fn of(document: &'a Document) -> Self {
        let facets = &document.facets;
        let labels = facets.labels.iter().map(|(k, v)| (clean(k).into_owned(), clean(v).into_owned())).collect();
        let terms = words(&document.words).map(str::to_owned).collect();
        Self { cluster: &facets.cluster, type_name: &facets.type_name, namespace: &facets.namespace, labels, terms }
    }
}

/// The columns of upserts, one value a document.
#[derive(Default)]
struct Columns {
    cluster: Vec<String>,
    key: Vec<Vec<u8>>,
    hash: Vec<Vec<u8>>,
    stored_id: Vec<String>,
    type_name: Vec<String>,
    namespace: Vec<String>,
    vector: Vec<Option<HalfVector>>,
    labels: Vec<Value>,
    annotations: Vec<Value>,
    words: Vec<String>,
    metadata: Vec<Value>,
    text: Vec<String>,
    record: Vec<String>,
}

impl Columns {
    fn push(&mut self, document: &Document, vector: Option<&[f32]>) {
        let owned = |text: &str| clean(text).into_owned();
        let object = |pairs: &BTreeMap<String, String>| {
            Value::Object(pairs.iter().map(|(k, v)| (owned(k), Value::String(owned(v)))).collect())
        };
        self.cluster.push(owned(&document.facets.cluster));
        self.key.push(document.key.0.to_vec());
        self.hash.push(document.hash.to_bytes().to_vec());
        self.stored_id.push(owned(&document.id));
        self.type_name.push(owned(&document.facets.type_name));
        self.namespace.push(owned(&document.facets.namespace));
        self.vector.push(vector.map(half));
        self.labels.push(object(&document.facets.labels));
        self.annotations.push(object(&document.facets.annotations));
        self.words.push(words(&document.words).collect::<Vec<_>>().join(" "));
        self.metadata.push(cleaned(Value::Object(document.metadata.clone())));
        self.text.push(owned(&document.text));
        self.record.push(owned(&document.record));
    }
}

/// What a batch comes to once it is known what is there.
struct Plan {
    columns: Columns,
    tallies: Tallies,
    gone: Vec<Vec<u8>>,
}

impl Postgres {
    /// Writes a batch as one transaction.
    pub(super) async fn apply_once(&self, collection: Collection, batch: &Batch) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        // Shared: writers do not wait for each other here, but an embedder does not change while they write.
        let select = "SELECT id, embedder, dimensions FROM collections WHERE name = $1 FOR SHARE";
        let statement = transaction.prepare_cached(select).await?;
        let Some(row) = transaction.query_opt(&statement, &[&collection.name()]).await? else {
            let detail = format!("collection \"{collection}\" is not there; open it first");
            return Err(StoreError::Other { place: self.address().place.clone(), detail }.into());
        };
        let found = Filled::of(&row);
        check_dimensions(collection, found.embedder.dimensions, &batch.upserts)?;

        let upserts = once_each(&batch.upserts, &batch.deletes);
        let mut clusters: BTreeSet<String> =
            upserts.iter().map(|(d, _)| clean(&d.facets.cluster).into_owned()).collect();
        if !batch.deletes.is_empty() {
            clusters.insert(clean(&batch.cluster).into_owned());
        }
        let clusters: Vec<String> = clusters.into_iter().collect();
        self.check_held(&clusters)?;
        if !batch.journal.is_empty() {
            self.append_journal(&transaction, &batch.journal, &batch.bounds).await?;
        }
        if clusters.is_empty() {
            transaction.commit().await?;
            return Ok(());
        }
        // From here on this transaction is the only one that writes to these clusters. A writer that hangs or vanished in the middle of it
        // does not keep the next from writing.
        let hold = transaction
            .prepare_cached(
                "INSERT INTO clusters AS c (collection, cluster, revision) SELECT $1, held, 1
                    FROM unnest($2::text[]) AS held, set_config('idle_in_transaction_session_timeout', '20s', true)
                 ON CONFLICT (collection, cluster) DO UPDATE SET revision = c.revision + 1",
            )
            .await?;
        transaction.execute(&hold, &[&found.id, &clusters]).await?;

        let table = schema::table(collection);
        let written = upserts.iter().map(|(d, _)| &d.key);
        let keys: Vec<Vec<u8>> = written.chain(&batch.deletes).map(|key| key.0.to_vec()).collect();
        let select = format!(
            "SELECT key, stored_id, cluster, type, namespace, labels, tsvector_to_array(words) FROM {table}
             WHERE cluster = ANY($1) AND key = ANY($2)"
        );
        let statement = transaction.prepare_cached(&select).await?;
        let rows = transaction.query(&statement, &[&clusters, &keys]).await?;
        let plan = plan(rows, upserts, !batch.deletes.is_empty())?;
        write(&transaction, &table, batch.source, &clusters, &plan).await?;
        tally(&transaction, found.id, &clusters, &plan.tallies).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn check_dimensions(collection: Collection, expected: usize, upserts: &[Upsert]) -> Result<(), StoreError> {
    let lengths = upserts.iter().filter_map(|upsert| upsert.vector.as_ref().map(Vec::len));
    match lengths.into_iter().find(|found| *found != expected) {
        Some(found) => Err(StoreError::Dimension { collection, found, expected }),
        None => Ok(()),
    }
}

/// Each object once, as the batch leaves it, in the order of the keys; without those that the batch deletes again.
fn once_each<'a>(upserts: &'a [Upsert], deletes: &[ObjectKey]) -> Vec<(&'a Document, Option<&'a [f32]>)> {
    let deleted: HashSet<&ObjectKey> = deletes.iter().collect();
    let mut each: BTreeMap<ObjectKey, (&Document, Option<&[f32]>)> = BTreeMap::new();
    for Upsert { document, vector } in upserts.iter().filter(|u| !deleted.contains(&u.document.key)) {
        let entry = each.entry(document.key).or_insert((document, None));
        *entry = (document, vector.as_deref().or(entry.1));
    }
    each.into_values().collect()
}

fn plan(rows: Vec<Row>, upserts: Vec<(&Document, Option<&[f32]>)>, deletes: bool) -> Result<Plan, Fault> {
    let mut there: HashMap<Vec<u8>, Row> = HashMap::with_capacity(rows.len());
    for row in rows {
        there.insert(row.try_get(0)?, row);
    }
    let (mut tallies, mut columns) = (Tallies::default(), Columns::default());
    for (document, vector) in upserts {
        match there.remove(&document.key.0[..]) {
            Some(row) => forget(&mut tallies, &row)?,
            // Its vector was to be kept, and it is gone: somebody else deleted it between plan and write.
            None if vector.is_none() => continue,
            None => {}
        }
        tallies.count(1, Counted::of(document));
        columns.push(document, vector);
    }
    // What is left was asked for by the deletes.
    let mut gone = Vec::new();
    for (key, row) in there.into_iter().filter(|_| deletes) {
        forget(&mut tallies, &row)?;
        gone.push(key);
    }
    Ok(Plan { columns, tallies, gone })
}

fn forget(tallies: &mut Tallies, row: &Row) -> Result<(), Fault> {
    let (cluster, type_name, namespace): (String, String, String) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    let labels: Value = row.try_get(5)?;
    let labels = labels.as_object().into_iter().flatten();
    let labels = labels.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect();
    let terms: Vec<String> = row.try_get(6)?;
    let (type_name, namespace) = (type_name.as_str(), namespace.as_str());
    tallies.count(-1, Counted { cluster: &cluster, type_name, namespace, labels, terms: terms.into_iter().collect() });
    Ok(())
}

async fn write(
    transaction: &deadpool_postgres::Transaction<'_>,
    table: &str,
    source: i64,
    clusters: &[String],
    plan: &Plan,
) -> Result<(), Fault> {
    let c = &plan.columns;
    if !c.key.is_empty() {
        let upsert = transaction
            .prepare_cached(&format!(
                "INSERT INTO {table} AS d (cluster, key, hash, source, stored_id, type, namespace, vector, labels, words, metadata, text, record, annotations)
                 SELECT u.cluster, u.key, u.hash, $1, u.stored_id, u.type, u.namespace, u.vector, u.labels,
                    array_to_tsvector(string_to_array(u.words, ' ')), u.metadata, u.text, u.record, u.annotations
                 FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::halfvec[], $9::jsonb[],
                    $10::text[], $11::jsonb[], $12::text[], $13::text[], $14::jsonb[])
                    AS u (cluster, key, hash, stored_id, type, namespace, vector, labels, words, metadata, text, record, annotations)
                 ON CONFLICT (cluster, key) DO UPDATE SET
                    hash = excluded.hash, source = excluded.source, stored_id = excluded.stored_id, type = excluded.type,
                    namespace = excluded.namespace, vector = coalesce(excluded.vector, d.vector), labels = excluded.labels,
                    words = excluded.words, metadata = excluded.metadata, text = excluded.text, record = excluded.record,
                    annotations = excluded.annotations"
            ))
            .await?;
        transaction
            .execute(
                &upsert,
                &[
                    &source,
                    &c.cluster,
                    &c.key,
                    &c.hash,
                    &c.stored_id,
                    &c.type_name,
                    &c.namespace,
                    &c.vector,
                    &c.labels,
                    &c.words,
                    &c.metadata,
                    &c.text,
                    &c.record,
                    &c.annotations,
                ],
            )
            .await?;
    }
    if !plan.gone.is_empty() {
        let delete = format!("DELETE FROM {table} WHERE cluster = ANY($1) AND key = ANY($2)");
        let delete = transaction.prepare_cached(&delete).await?;
        transaction.execute(&delete, &[&clusters, &plan.gone]).await?;
    }
    Ok(())
}

async fn tally(
    transaction: &deadpool_postgres::Transaction<'_>,
    collection: i32,
    clusters: &[String],
    tallies: &Tallies,
) -> Result<(), Fault> {
    let terms = changed(&tallies.terms);
    add(transaction, collection, "terms", ["term", "cluster"], "term, cluster", &terms).await?;
    let facets = changed(&tallies.facets);
    let facets =
        add(transaction, collection, "facets", ["cluster", "type", "namespace"], "cluster, type, namespace", &facets)
            .await?;
    let labels = changed(&tallies.labels);
    let by = "md5(key), md5(value), cluster";
    let labels = add(transaction, collection, "labels", ["key", "value", "cluster"], by, &labels).await?;
    // The vocabulary is another only where something is there for the first time, or is no more.
    let vocabulary = i64::from(facets || labels);
    let documents: Vec<i64> = clusters.iter().map(|c| tallies.documents.get(c).copied().unwrap_or(0)).collect();
    let update = transaction
        .prepare_cached(
            "UPDATE clusters c SET documents = c.documents + u.documents, vocabulary = c.vocabulary + $4::bigint
             FROM unnest($2::text[], $3::bigint[]) AS u (cluster, documents)
             WHERE c.collection = $1 AND c.cluster = u.cluster AND (u.documents <> 0 OR $4::bigint <> 0)",
        )
        .await?;
    transaction.execute(&update, &[&collection, &clusters, &documents, &vocabulary]).await?;
    Ok(())
}

/// In columns, without what stays as it was; the numbers come last.
struct Changes<const N: usize> {
    keys: [Vec<String>; N],
    by: Vec<i64>,
}

fn changed<const N: usize>(tally: &Tally<[String; N]>) -> Changes<N> {
    let mut changes = Changes { keys: std::array::from_fn(|_| Vec::new()), by: Vec::new() };
    for (key, by) in tally.iter().filter(|(_, by)| **by != 0) {
        for (column, part) in changes.keys.iter_mut().zip(key) {
            column.push(part.clone());
        }
        changes.by.push(*by);
    }
    changes
}

/// Adds to a tally; what comes to nothing goes. Tells whether a row came or went.
async fn add<const N: usize>(
    transaction: &deadpool_postgres::Transaction<'_>,
    collection: i32,
    table: &str,
    columns: [&str; N],
    unique: &str,
    changes: &Changes<N>,
) -> Result<bool, Fault> {
    if changes.by.is_empty() {
        return Ok(false);
    }
    let names = columns.join(", ");
    let arrays: Vec<String> = (0..N).map(|n| format!("${}::text[]", n + 3)).collect();
    let arrays = arrays.join(", ");
    let insert = transaction
        .prepare_cached(&format!(
            "WITH added AS (
                INSERT INTO {table} AS t (collection, {names}, documents)
                SELECT $1, {names}, documents FROM unnest({arrays}, $2::bigint[]) AS u ({names}, documents)
                ON CONFLICT (collection, {unique}) DO UPDATE SET documents = t.documents + excluded.documents
                RETURNING xmax = 0 AS new)
             SELECT count(*) FILTER (WHERE new) FROM added"
        ))
        .await?;
    let mut values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![&collection, &changes.by];
    values.extend(changes.keys.iter().map(|column| column as &(dyn tokio_postgres::types::ToSql + Sync)));
    let came: i64 = transaction.query_one(&insert, &values).await?.try_get(0)?;
    let fewer = changes.by.iter().any(|by| *by < 0);
    let mut went = 0;
    if fewer {
        let same: Vec<String> = match table {
            // As its index has them.
            "labels" => vec![
                "md5(key) = ANY(ARRAY(SELECT md5(k) FROM unnest($3::text[]) AS k))".to_owned(),
                "md5(value) = ANY(ARRAY(SELECT md5(v) FROM unnest($4::text[]) AS v))".to_owned(),
                "cluster = ANY($5)".to_owned(),
            ],
            _ => columns.iter().enumerate().map(|(n, name)| format!("{name} = ANY(${})", n + 3)).collect(),
        };
        // Only what comes to nothing goes, so that it does not matter that the columns are looked up apart.
        let delete = transaction
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE collection = $1 AND documents <= 0 AND $2::bigint[] IS NOT NULL AND {}",
                same.join(" AND ")
            ))
            .await?;
        went = transaction.execute(&delete, &values).await?;
    }
    Ok(came > 0 || went > 0)
}

/// As half vector; what is not finite is like nothing.
fn half(vector: &[f32]) -> HalfVector {
    match vector.iter().all(|x| x.abs() < 65_000.0) {
        true => HalfVector::from_f32_slice(vector),
        false => HalfVector::from_f32_slice(&vec![0.0; vector.len()]),
    }
}

/// A value without U+0000 anywhere, which `jsonb` does not take.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(cleaned).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(k, v)| (clean(&k).into_owned(), cleaned(v))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_batch_writes_twice_it_writes_once_and_what_it_deletes_it_does_not_write() {
        let document = |name: &str, label: &str| {
            let mut o = clusterlore_core::ResourceInstance::new("v1", "Pod", Some("a"), name).unwrap();
            o.labels.insert("app".into(), label.into());
            Document::of_instance(&o, "pods")
        };
        let upserts = [
            Upsert { document: document("one", "x"), vector: Some(vec![1.0]) },
            Upsert { document: document("one", "y"), vector: None },
            Upsert { document: document("two", "z"), vector: Some(vec![2.0]) },
        ];
        let each = once_each(&upserts, &[upserts[2].document.key]);
        assert_eq!(each, [(&upserts[1].document, Some(&[1.0][..]))]);
    }
}
