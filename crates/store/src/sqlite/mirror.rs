//! The file as the mirror of a server that knows neither words nor selectors: the same rows without vectors, and for each thing
//! mirrored a stamp that says which state of the server it shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use clusterlore_core::{Collection, JournalBounds, JournalEntry, ObjectKey};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::failure::failure;
use super::file::Sqlite;
use super::journal;
use super::reader::SqliteView;
use super::reader::{InView, find, select_shown, shown};
use super::snapshot::Narrowed;
use super::writer::{changed, delete_entry, write};
use crate::error::StoreError;
use crate::filter::Filter;
use crate::reader::Candidate;
use crate::writer::Upsert;

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

    /// Appends to the journal, without documents.
    pub(crate) async fn append_journal(
        &self,
        entries: Vec<JournalEntry>,
        bounds: JournalBounds,
    ) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            journal::append(&transaction, &entries, &bounds)?;
            transaction.commit()
        })
        .await
    }

    /// Which state is shown.
    pub(crate) async fn stamp(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.with(move |connection| stamp(connection, &name)).await
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

    /// Writes these documents, by source, and removes what is not among these ids: in one step, so that no view shows half of it.
    pub(crate) async fn settle(
        &self,
        collection: Collection,
        upserts: BTreeMap<i64, Vec<Upsert>>,
        ids: HashSet<String>,
    ) -> Result<(), StoreError> {
        let name = collection.name();
        self.try_with(move |connection, path| {
            let at = |e| failure(path, e);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(at)?;
            let Some(filled) = find(&transaction, name).map_err(at)? else { return Ok(()) };
            let mut touched = Vec::new();
            for (source, upserts) in &upserts {
                for upsert in upserts {
                    touched.extend(write(&transaction, path, collection, &filled, *source, upsert)?);
                }
            }
            retain(&transaction, filled.id, &ids)
                .and_then(|gone| changed(&transaction, filled.id, touched.into_iter().chain(gone)))
                .and_then(|()| transaction.commit())
                .map_err(at)
        })
        .await
    }
}

/// Deletes what is not among these stored ids, and gives the ids of the entries that are gone.
fn retain(transaction: &Transaction<'_>, collection: i64, ids: &HashSet<String>) -> rusqlite::Result<Vec<i64>> {
    let mut gone: Vec<i64> = Vec::new();
    let mut select = transaction.prepare("SELECT id, stored_id FROM entries WHERE collection = ?1")?;
    let mut rows = select.query([collection])?;
    while let Some(row) = rows.next()? {
        if !ids.contains(row.get_ref(1)?.as_str()?) {
            gone.push(row.get(0)?);
        }
    }
    for id in &gone {
        delete_entry(transaction, collection, *id)?;
    }
    Ok(gone)
}

fn stamp(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT stamp FROM mirrored WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

impl SqliteView {
    /// Which state is shown.
    pub(crate) async fn stamp(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.with(move |_, connection| stamp(connection, &name)).await
    }

    /// The ids of all documents that pass.
    pub(crate) async fn admitted_ids(
        &self,
        collection: Collection,
        filter: &Filter,
    ) -> Result<Vec<String>, StoreError> {
        let filter = filter.clone();
        self.with(move |view, connection| {
            let Some(seen) = view.read(connection, collection)? else { return Ok(Vec::new()) };
            let narrowed = Narrowed::of(connection, seen.filled.id, &seen.snapshot, &filter)?;
            let mut select = connection.prepare_cached("SELECT id, stored_id FROM entries WHERE collection = ?1")?;
            let mut rows = select.query([seen.filled.id])?;
            let mut ids = Vec::new();
            while let Some(row) = rows.next()? {
                let at = seen.snapshot.row_of(row.get(0)?);
                if at.is_some_and(|at| seen.scoped.holds(at) && seen.snapshot.admits(&narrowed, at)) {
                    ids.push(row.get(1)?);
                }
            }
            Ok(ids)
        })
        .await
    }

    /// Of these documents the first `wanted` that are there and pass, as candidates.
    pub(crate) async fn candidates(
        &self,
        collection: Collection,
        filter: &Filter,
        found: Vec<(String, f32)>,
        wanted: usize,
    ) -> Result<Vec<Candidate>, StoreError> {
        let filter = filter.clone();
        self.with(move |view, connection| {
            let Some(InView { filled, snapshot, scoped }) = view.read(connection, collection)? else {
                return Ok(Vec::new());
            };
            let narrowed = Narrowed::of(connection, filled.id, &snapshot, &filter)?;
            let mut find =
                connection.prepare_cached("SELECT id FROM entries WHERE collection = ?1 AND stored_id = ?2")?;
            let mut select = select_shown(connection)?;
            let mut candidates = Vec::new();
            for (id, similarity) in found {
                if candidates.len() == wanted {
                    break;
                }
                let row = find.query_row(params![filled.id, id], |row| row.get(0)).optional()?;
                let row = row.and_then(|row| snapshot.row_of(row));
                let Some(row) = row.filter(|row| scoped.holds(*row) && snapshot.admits(&narrowed, *row)) else {
                    continue;
                };
                candidates.push(Candidate { shown: shown(&mut select, &snapshot, row)?, similarity });
            }
            Ok(candidates)
        })
        .await
    }
}
