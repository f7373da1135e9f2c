//! Writing to the file: one connection a process, one transaction a batch.

use std::path::Path;

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity, ObjectKey};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

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

/// Tells readers that what they keep of a collection is of the past.
pub(super) fn changed(connection: &Connection, collection: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE collections SET revision = revision + 1 WHERE id = ?1")?
        .execute([collection])
        .map(|_| ())
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
            for upsert in &batch.upserts {
                write(&transaction, path, collection, &filled, batch.source, upsert)?;
            }
            for key in &batch.deletes {
                delete(&transaction, filled.id, *key).map_err(at)?;
            }
            if !batch.upserts.is_empty() || !batch.deletes.is_empty() {
                changed(&transaction, filled.id).map_err(at)?;
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
            changed(&transaction, collection.id)?;
            transaction.commit()
        })
        .await
    }
}

pub(super) fn write(
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
