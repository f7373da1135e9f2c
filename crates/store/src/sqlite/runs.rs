//! Types, schemas, runs, sources and answers in the file.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity, TypeSchema};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::failure;
use super::file::Sqlite;
use super::locks::{self, Refused};
use crate::error::StoreError;
use crate::holder::Holder;
use crate::lock::RunLock;
use crate::names::under_another_name;
use crate::runs::{KnownSource, Readings, RunRecord, Runs};

pub(super) fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

pub(super) fn from_json<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into()))
}

/// Tells readers that what they keep of types is of the past.
fn types_changed(connection: &Connection) -> rusqlite::Result<()> {
    let add = "INSERT INTO revisions (name, revision) VALUES ('types', 1) ON CONFLICT (name) DO UPDATE SET revision = revision + 1";
    connection.execute(add, []).map(drop)
}

/// All sources, the replaced ones too.
pub(super) fn sources(connection: &Connection) -> rusqlite::Result<Vec<KnownSource>> {
    let mut select = connection
        .prepare_cached("SELECT number, cluster, identity, replaced, readings, name FROM sources ORDER BY number")?;
    let rows = select.query_map([], |row| {
        Ok(KnownSource {
            number: row.get(0)?,
            cluster: row.get(1)?,
            identity: from_json(row, 2)?,
            replaced: row.get(3)?,
            readings: from_json(row, 4)?,
            name: row.get(5)?,
        })
    })?;
    rows.collect()
}

#[async_trait]
impl Runs for Sqlite {
    async fn lock(&self, cluster: &str, me: &Holder) -> Result<RunLock, StoreError> {
        locks::take(self.lock_file(), cluster, me).map_err(|refused| match refused {
            Refused::Locked(holder) => StoreError::Locked { place: self.path().display().to_string(), holder },
            Refused::Denied(e) => StoreError::ReadOnly { path: self.path().to_owned(), detail: e.to_string() },
        })
    }

    async fn remember_source(
        &self,
        cluster: &str,
        identity: &SourceIdentity,
        replace: bool,
    ) -> Result<i64, StoreError> {
        let (cluster, identity) = (cluster.to_owned(), identity.clone());
        self.try_with(move |connection, path| {
            let at = |e| failure(path, e);
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at)?;
            let all = sources(&transaction).map_err(at)?;
            under_another_name(&all, &cluster, &identity)?;
            let is_it = |s: &KnownSource| s.cluster == cluster && !s.replaced && s.identity.recognises(&identity);
            let known = all.into_iter().find(is_it);
            let remember = || {
                let number = match known {
                    Some(known) => {
                        let merged = to_json(&known.identity.merged(identity))?;
                        let update = "UPDATE sources SET identity = ?2 WHERE number = ?1";
                        transaction.execute(update, params![known.number, merged])?;
                        known.number
                    }
                    None => {
                        let insert = "INSERT INTO sources (cluster, identity) VALUES (?1, ?2)";
                        transaction.execute(insert, params![cluster, to_json(&identity)?])?;
                        transaction.last_insert_rowid()
                    }
                };
                if replace {
                    let update = "UPDATE sources SET replaced = 1 WHERE cluster = ?1 AND number <> ?2";
                    transaction.execute(update, params![cluster, number])?;
                }
                transaction.commit()?;
                Ok(number)
            };
            remember().map_err(at)
        })
        .await
    }

    async fn name_source(&self, source: i64, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.with(move |connection| {
            let update = "UPDATE sources SET name = ?2 WHERE number = ?1";
            connection.execute(update, params![source, name]).map(drop)
        })
        .await
    }

    async fn forget(&self, cluster: &str) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            for table in ["sources", "types", "schemas", "runs", "journal"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE cluster = ?1"), [&cluster])?;
            }
            types_changed(&transaction)?;
            transaction.commit()
        })
        .await
    }

    async fn remember_readings(&self, source: i64, readings: &Readings) -> Result<(), StoreError> {
        let readings = readings.clone();
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let select = "SELECT readings FROM sources WHERE number = ?1";
            let known: Option<Readings> =
                transaction.query_row(select, [source], |row| from_json(row, 0)).optional()?;
            if let Some(known) = known {
                let merged = to_json(&known.merged(&readings))?;
                transaction.execute("UPDATE sources SET readings = ?2 WHERE number = ?1", params![source, merged])?;
            }
            transaction.commit()
        })
        .await
    }

    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError> {
        let (cluster, types) = (cluster.to_owned(), types.to_vec());
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM types WHERE cluster = ?1", [&cluster])?;
            {
                let mut insert =
                    transaction.prepare("INSERT OR REPLACE INTO types (cluster, name, type) VALUES (?1, ?2, ?3)")?;
                for ty in &types {
                    insert.execute(params![cluster, ty.name(), to_json(ty)?])?;
                }
            }
            types_changed(&transaction)?;
            transaction.commit()
        })
        .await
    }

    async fn schemas(&self, cluster: &str) -> Result<HashMap<String, (String, TypeSchema)>, StoreError> {
        let cluster = cluster.to_owned();
        self.with(move |connection| {
            let mut select =
                connection.prepare_cached("SELECT type, revision, schema FROM schemas WHERE cluster = ?1")?;
            let rows = select.query_map([cluster], |row| Ok((row.get(0)?, (row.get(1)?, from_json(row, 2)?))))?;
            rows.collect()
        })
        .await
    }

    async fn remember_schemas(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), StoreError> {
        let (cluster, read, forgotten) = (cluster.to_owned(), read.to_vec(), forgotten.to_vec());
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            {
                let mut insert = transaction.prepare(
                    "INSERT OR REPLACE INTO schemas (cluster, type, revision, schema) VALUES (?1, ?2, ?3, ?4)",
                )?;
                for (name, revision, schema) in &read {
                    insert.execute(params![cluster, name, revision, to_json(schema)?])?;
                }
                let mut delete = transaction.prepare("DELETE FROM schemas WHERE cluster = ?1 AND type = ?2")?;
                for name in &forgotten {
                    delete.execute(params![cluster, name])?;
                }
            }
            transaction.commit()
        })
        .await
    }

    async fn answer(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        self.with(move |connection| {
            let mut select = connection.prepare_cached("SELECT answer FROM answers WHERE key = ?1")?;
            select.query_row([key], |row| row.get(0)).optional()
        })
        .await
    }

    async fn answers(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.with(|connection| {
            let mut select = connection.prepare_cached("SELECT key, answer FROM answers ORDER BY key")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
        .await
    }

    async fn remember_answer(&self, key: &str, answer: &str) -> Result<(), StoreError> {
        let (key, answer) = (key.to_owned(), answer.to_owned());
        self.with(move |connection| {
            connection
                .execute("INSERT OR REPLACE INTO answers (key, answer) VALUES (?1, ?2)", params![key, answer])
                .map(|_| ())
        })
        .await
    }

    async fn begin_run(&self, run: &RunRecord) -> Result<i64, StoreError> {
        let run = run.clone();
        self.with(move |connection| {
            connection
                .execute("INSERT INTO runs (cluster, run) VALUES (?1, ?2)", params![run.cluster, to_json(&run)?])?;
            Ok(connection.last_insert_rowid())
        })
        .await
    }

    async fn finish_run(&self, number: i64, run: &RunRecord) -> Result<(), StoreError> {
        let run = run.clone();
        self.with(move |connection| {
            connection.execute("UPDATE runs SET run = ?2 WHERE number = ?1", params![number, to_json(&run)?])?;
            // A day of runs every minute is history enough.
            connection.execute("DELETE FROM runs WHERE number <= ?1 - 1440", [number])?;
            // What a watch writes from now on needs little of the file.
            connection.release_memory()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_core::{Scope, TypeSchema};

    use crate::holder::RunKind;

    use super::*;

    #[tokio::test]
    async fn schemas_and_answers_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("s.db")).unwrap();
        let schema = |size| TypeSchema { size, ..TypeSchema::default() };
        let read = |name: &str, size| (name.to_owned(), format!("r{size}"), schema(size));
        store.remember_schemas("", &[read("pods", 1), read("jobs.batch", 2)], &[]).await.unwrap();
        store.remember_schemas("east", &[read("pods", 3)], &[]).await.unwrap();
        store.remember_schemas("", &[read("pods", 4)], &["jobs.batch".to_owned()]).await.unwrap();
        assert_eq!(store.schemas("").await.unwrap(), [("pods".to_owned(), ("r4".to_owned(), schema(4)))].into());
        assert_eq!(store.schemas("east").await.unwrap()["pods"].1, schema(3));

        assert_eq!(store.answer("k").await.unwrap(), None);
        store.remember_answer("k", "{}").await.unwrap();
        assert_eq!(store.answer("k").await.unwrap().as_deref(), Some("{}"));
        assert_eq!(store.answers().await.unwrap(), [("k".to_owned(), "{}".to_owned())]);
    }

    #[tokio::test]
    async fn the_last_run_of_each_command_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("s.db")).unwrap();
        for (command, started) in
            [(RunKind::Capabilities, "1"), (RunKind::Instances, "2"), (RunKind::Capabilities, "3")]
        {
            let run = RunRecord {
                command,
                cluster: String::new(),
                started: started.to_owned(),
                finished: String::new(),
                summary: serde_json::Value::Null,
            };
            store.begin_run(&run).await.unwrap();
        }
        let runs: Vec<(RunKind, String)> = crate::store::Store::view(&store, &Scope::All { because: "a test" })
            .await
            .unwrap()
            .last_runs()
            .await
            .unwrap()
            .into_iter()
            .map(|r| (r.command, r.started))
            .collect();
        assert_eq!(runs, [(RunKind::Capabilities, "3".to_owned()), (RunKind::Instances, "2".to_owned())]);
    }
}
