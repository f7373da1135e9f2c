//! The file's tables and how older files become current ones.

use std::path::Path;

use rusqlite::Connection;

use super::failure::failure;
use crate::error::StoreError;

/// Marks the file as ours (`clor`), so that another program's database is never written to.
const APPLICATION_ID: i64 = 0x636c_6f72;

/// Each step leads from the version that is its index to the next; a step that was released is never changed.
const MIGRATIONS: &[&str] = &[
    // `entries` is what is scanned on every search and sync and stays small; `documents` is what is shown.
    "CREATE TABLE collections (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, embedder TEXT NOT NULL, dimensions INTEGER NOT NULL);
     CREATE TABLE entries (
        id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, key BLOB NOT NULL, hash BLOB NOT NULL, source INTEGER NOT NULL,
        cluster TEXT NOT NULL, type TEXT NOT NULL, namespace TEXT NOT NULL, vector BLOB NOT NULL, labels TEXT NOT NULL, stored_id TEXT NOT NULL);
     CREATE UNIQUE INDEX entries_by_key ON entries (collection, key);
     CREATE TABLE documents (id INTEGER PRIMARY KEY, text TEXT NOT NULL, record TEXT NOT NULL);
     CREATE TABLE sources (
        number INTEGER PRIMARY KEY, cluster TEXT NOT NULL, identity TEXT NOT NULL, replaced INTEGER NOT NULL DEFAULT 0);
     CREATE TABLE types (cluster TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (cluster, name)) WITHOUT ROWID;
     CREATE TABLE runs (number INTEGER PRIMARY KEY, cluster TEXT NOT NULL, run TEXT NOT NULL);",
    // Schemas, so that what did not change is not read again; answers of models, so that none is paid for twice.
    "CREATE TABLE schemas (
        cluster TEXT NOT NULL, type TEXT NOT NULL, revision TEXT NOT NULL, schema TEXT NOT NULL,
        PRIMARY KEY (cluster, type)) WITHOUT ROWID;
     CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID;",
    // Revisions grow with every write, in the transaction that writes: what a reader keeps in memory says which one it shows.
    // They begin anywhere, so that two files never show the same one.
    "ALTER TABLE collections ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
     UPDATE collections SET revision = abs(random() / 4);
     CREATE TABLE revisions (name TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
     INSERT INTO revisions VALUES ('types', abs(random() / 4));",
    // Annotations that were asked for, as labels are kept.
    "ALTER TABLE entries ADD COLUMN annotations TEXT NOT NULL DEFAULT '';",
    // When and how a source was last read to its end.
    "ALTER TABLE sources ADD COLUMN readings TEXT NOT NULL DEFAULT '{}';",
    // Conversations that have a name.
    "CREATE TABLE turns (
        thread TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL, turn TEXT NOT NULL,
        PRIMARY KEY (thread, number)) WITHOUT ROWID;",
    // What happened to objects. An entry that is written a second time is the same.
    "CREATE TABLE journal (
        cluster TEXT NOT NULL, at TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (cluster, at)) WITHOUT ROWID;
     CREATE INDEX journal_by_time ON journal (at);",
    // What people call a source.
    "ALTER TABLE sources ADD COLUMN name TEXT NOT NULL DEFAULT '';",
    // Which entries changed since a revision, by chunks of 512 (see `chunk`): a row for each chunk that has any.
    "CREATE TABLE chunks (
        collection INTEGER NOT NULL, number INTEGER NOT NULL, revision INTEGER NOT NULL,
        PRIMARY KEY (collection, number)) WITHOUT ROWID;
     INSERT INTO chunks SELECT DISTINCT e.collection, e.id >> 9, c.revision FROM entries e JOIN collections c ON c.id = e.collection;",
    // Texts follow from records.
    "ALTER TABLE documents DROP COLUMN text;",
];

/// Version of a current file.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The version of a file that this program can read.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let pragma = |name: &str| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(|e| failure(path, e))
    };
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|e| failure(path, e))?;
    // After the tables: whoever makes them just now writes the mark in the same transaction.
    let (application, found) = (pragma("application_id")?, pragma("user_version")?);
    if application != APPLICATION_ID && tables > 0 {
        let detail = "it is another program's database".to_owned();
        return Err(StoreError::Damaged { path: path.to_owned(), detail });
    }
    if found > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    Ok(found)
}

/// Brings the file to the current version, all steps or none.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if version(connection, path)? == VERSION {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(|e| failure(path, e))?;
    // Another process may have been faster.
    let from = usize::try_from(version(&transaction, path)?).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step).map_err(|e| failure(path, e))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(|e| failure(path, e))?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(|e| failure(path, e))?;
    transaction.commit().map_err(|e| failure(path, e))
}
