//! Writing to the file: one connection a process, one transaction a batch.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity, ObjectKey};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::chunk;
use super::failure::failure;
use super::file::Sqlite;
use super::journal;
use super::quantized::Quantized;
use super::reader::{Filled, find};
use crate::error::StoreError;
use crate::filter::join;
use crate::writer::{Batch, Upsert, Writer};

/// The table of words: one a collection, so that a term's frequency is the collection's own. Words come split and stemmed.
fn create_words(transaction: &Transaction<'_>, collection: i64) -> rusqlite::Result<()> {
    transaction.execute_batch(&format!(
        "CREATE VIRTUAL TABLE words_{collection} USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii');
         CREATE VIRTUAL TABLE terms_{collection} USING fts5vocab(words_{collection}, row);"
    ))
}

/// Tells readers that what they keep of a collection is of the past, and which of its entries were written or deleted.
pub(super) fn changed(
    connection: &Connection,
    collection: i64,
    entries: impl IntoIterator<Item = i64>,
) -> rusqlite::Result<()> {
    let revision = next_revision(connection, collection)?;
    let chunks: BTreeSet<i64> = entries.into_iter().map(chunk::number).collect();
    let mut note = connection
        .prepare_cached("INSERT OR REPLACE INTO chunks (collection, number, revision) VALUES (?1, ?2, ?3)")?;
    let mut is_there =
        connection.prepare_cached("SELECT id FROM entries WHERE id >= ?1 AND id < ?2 AND +collection = ?3 LIMIT 1")?;
    let mut forget = connection.prepare_cached("DELETE FROM chunks WHERE collection = ?1 AND number = ?2")?;
    for number in chunks {
        let (from, to) = chunk::bounds(number);
        match is_there.exists(params![from, to, collection])? {
            true => note.execute(params![collection, number, revision])?,
            false => forget.execute(params![collection, number])?,
        };
    }
    Ok(())
}

fn next_revision(connection: &Connection, collection: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("UPDATE collections SET revision = revision + 1 WHERE id = ?1 RETURNING revision")?
        .query_row([collection], |row| row.get(0))
}

#[async_trait]
impl Writer for Sqlite {
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        let (name, offered) = (collection.name(), embedder.clone());
        self.try_with(move |connection, path| {
            let at = |e| failure(path, e);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(at)?;
            match find(&transaction, name).map_err(at)? {
                Some(Filled { embedder: stored, .. }) if stored == offered => return Ok(()),
                Some(Filled { embedder: stored, .. }) => {
                    return Err(StoreError::OtherEmbedder { collection, stored, offered });
                }
                None => {}
            }
            transaction
                .execute(
                    "INSERT INTO collections (name, embedder, dimensions, revision) VALUES (?1, ?2, ?3, abs(random() / 4))",
                    params![name, offered.name, offered.dimensions],
                )
                .map_err(at)?;
            create_words(&transaction, transaction.last_insert_rowid()).map_err(at)?;
            transaction.commit().map_err(at)
        })
        .await
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        let name = collection.name();
        self.try_with(move |connection, path| {
            let at = |e| failure(path, e);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(at)?;
            let Some(filled) = find(&transaction, name).map_err(at)? else {
                let detail = format!("collection \"{name}\" is not there; open it first");
                return Err(StoreError::Other { place: path.display().to_string(), detail });
            };
            let mut touched = Vec::new();
            for upsert in &batch.upserts {
                touched.extend(write(&transaction, path, collection, &filled, batch.source, upsert)?);
            }
            for key in &batch.deletes {
                touched.extend(delete(&transaction, filled.id, *key).map_err(at)?);
            }
            if !touched.is_empty() {
                changed(&transaction, filled.id, touched).map_err(at)?;
            }
            journal::append(&transaction, &batch.journal, &batch.bounds).and_then(|()| transaction.commit()).map_err(at)
        })
        .await
    }

    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        let (name, embedder) = (collection.name(), embedder.clone());
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
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
            let revision = next_revision(&transaction, collection.id)?;
            transaction
                .execute("UPDATE chunks SET revision = ?2 WHERE collection = ?1", params![collection.id, revision])?;
            transaction.commit()
        })
        .await
    }
}

/// Writes a document and gives the id of its entry.
pub(super) fn write(
    transaction: &Transaction<'_>,
    path: &Path,
    collection: Collection,
    filled: &Filled,
    source: i64,
    upsert: &Upsert,
) -> Result<Option<i64>, StoreError> {
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
    let (labels, annotations) = (join(&facets.labels), join(&facets.annotations));
    let id = match (known, &vector) {
        (Some(id), _) => {
            transaction
                .prepare_cached(
                    "UPDATE entries SET hash = ?2, source = ?3, cluster = ?4, type = ?5, namespace = ?6, labels = ?7,
                     vector = coalesce(?8, vector), stored_id = ?9, annotations = ?10 WHERE id = ?1",
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
                        d.id,
                        annotations
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
                "INSERT INTO entries
                     (collection, key, hash, source, cluster, type, namespace, labels, vector, stored_id, annotations)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
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
                    d.id,
                    annotations
                ])
            })
            .map_err(at)?,
        // Its vector was to be kept, and it is gone: somebody else deleted it between plan and write.
        (None, None) => return Ok(None),
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO documents (id, record) VALUES (?1, ?2)")
        .and_then(|mut s| s.execute(params![id, d.record]))
        .map_err(at)?;
    transaction
        .prepare_cached(&format!("INSERT INTO words_{} (rowid, words) VALUES (?1, ?2)", filled.id))
        .and_then(|mut s| s.execute(params![id, d.words]))
        .map_err(at)?;
    Ok(Some(id))
}

/// Deletes a document and gives the id that its entry had.
fn delete(transaction: &Transaction<'_>, collection: i64, key: ObjectKey) -> rusqlite::Result<Option<i64>> {
    let mut select = transaction.prepare_cached("SELECT id FROM entries WHERE collection = ?1 AND key = ?2")?;
    let id = select.query_row(params![collection, key.0], |row| row.get(0)).optional()?;
    if let Some(id) = id {
        delete_entry(transaction, collection, id)?;
    }
    Ok(id)
}

pub(super) fn delete_entry(transaction: &Transaction<'_>, collection: i64, id: i64) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM entries WHERE id = ?1")?.execute([id])?;
    transaction.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([id])?;
    transaction.prepare_cached(&format!("DELETE FROM words_{collection} WHERE rowid = ?1"))?.execute([id])?;
    Ok(())
}
