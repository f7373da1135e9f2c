//! The file as the mirror of a server that knows neither words nor selectors: the same rows without vectors, and for each thing
//! mirrored a stamp that says which state of the server it shows.

use std::collections::{HashMap, HashSet};

use clusterlore_core::{Collection, ObjectKey};
use rusqlite::{OptionalExtension, params};

use super::vectors::find;
use super::{Sqlite, failure};
use crate::{Candidate, Filter, StoreError};

impl Sqlite {
    /// Makes the file able to be a mirror.
    pub(crate) async fn become_mirror(&self) -> Result<(), StoreError> {
        self.with(|connection| {
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS mirrored (name TEXT PRIMARY KEY, stamp TEXT NOT NULL) WITHOUT ROWID;
                 CREATE INDEX IF NOT EXISTS entries_by_stored_id ON entries (collection, stored_id);",
            )
        })
        .await
    }

    /// Which state is shown.
    pub(crate) async fn stamp(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.with(move |connection| {
            let mut select = connection.prepare_cached("SELECT stamp FROM mirrored WHERE name = ?1")?;
            select.query_row([name], |row| row.get(0)).optional()
        })
        .await
    }

    /// Notes which state is shown; with `before`, only where that still stands: whoever changed it meanwhile knows better.
    pub(crate) async fn set_stamp(&self, name: &str, stamp: &str, before: Option<&str>) -> Result<(), StoreError> {
        let (name, stamp, before) = (name.to_owned(), stamp.to_owned(), before.map(str::to_owned));
        self.with(move |connection| {
            match before {
                Some(before) => connection.execute(
                    "UPDATE mirrored SET stamp = ?2 WHERE name = ?1 AND stamp = ?3",
                    params![name, stamp, before],
                ),
                None => connection
                    .execute("INSERT OR REPLACE INTO mirrored (name, stamp) VALUES (?1, ?2)", params![name, stamp]),
            }
            .map(|_| ())
        })
        .await
    }

    /// The stored ids of those objects that are there.
    pub(crate) async fn stored_ids(
        &self,
        collection: Collection,
        keys: Vec<ObjectKey>,
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        let name = collection.name();
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(HashMap::new()) };
            let mut select =
                transaction.prepare_cached("SELECT stored_id FROM entries WHERE collection = ?1 AND key = ?2")?;
            let mut ids = HashMap::with_capacity(keys.len());
            for key in keys {
                let id = select.query_row(params![collection.id, key.0], |row| row.get(0)).optional()?;
                ids.extend(id.map(|id| (key, id)));
            }
            Ok(ids)
        })
        .await
    }

    /// The ids of all documents that pass.
    pub(crate) async fn admitted_ids(
        &self,
        collection: Collection,
        filter: &Filter,
    ) -> Result<Vec<String>, StoreError> {
        let (store, name, filter) = (self.clone(), collection.name(), filter.clone());
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(Vec::new()) };
            let snapshot = store.snapshot(&transaction, name, &collection)?;
            let mut select = transaction.prepare_cached("SELECT id, stored_id FROM entries WHERE collection = ?1")?;
            let mut rows = select.query([collection.id])?;
            let mut ids = Vec::new();
            while let Some(row) = rows.next()? {
                let admitted = snapshot.row_of(row.get(0)?).is_some_and(|at| snapshot.admits(&filter, at));
                if admitted {
                    ids.push(row.get(1)?);
                }
            }
            Ok(ids)
        })
        .await
    }

    /// The documents of these ids as candidates; ids that are not there are passed over.
    pub(crate) async fn candidates(
        &self,
        collection: Collection,
        found: Vec<(String, f32)>,
    ) -> Result<Vec<Candidate>, StoreError> {
        let name = collection.name();
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            let Some(collection) = find(&transaction, name)? else { return Ok(Vec::new()) };
            let mut select = transaction.prepare_cached(
                "SELECT d.text, d.record, e.type FROM entries e JOIN documents d USING (id)
                 WHERE e.collection = ?1 AND e.stored_id = ?2",
            )?;
            let mut candidates = Vec::with_capacity(found.len());
            for (id, similarity) in found {
                let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
                if let Some((text, record, type_name)) =
                    select.query_row(params![collection.id, id], read).optional()?
                {
                    candidates.push(Candidate { id, text, record, type_name, similarity });
                }
            }
            Ok(candidates)
        })
        .await
    }

    /// Removes from the mirror what is not among these ids.
    pub(crate) async fn retain(&self, collection: Collection, ids: HashSet<String>) -> Result<(), StoreError> {
        let name = collection.name();
        let removed = self
            .try_with(move |connection, path| {
                let work = |connection: &mut rusqlite::Connection| {
                    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                    let Some(collection) = find(&transaction, name)? else { return Ok(()) };
                    let gone: Vec<i64> = {
                        let mut select =
                            transaction.prepare("SELECT id, stored_id FROM entries WHERE collection = ?1")?;
                        let rows = select.query_map([collection.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                        let rows = rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
                        rows.into_iter().filter(|(_, id)| !ids.contains(id)).map(|(row, _)| row).collect()
                    };
                    for row in gone {
                        transaction.prepare_cached("DELETE FROM entries WHERE id = ?1")?.execute([row])?;
                        transaction.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([row])?;
                        transaction
                            .prepare_cached(&format!("DELETE FROM words_{} WHERE rowid = ?1", collection.id))?
                            .execute([row])?;
                    }
                    transaction.commit()
                };
                work(connection).map_err(|e| failure(path, e))
            })
            .await;
        self.wrote();
        removed
    }
}
