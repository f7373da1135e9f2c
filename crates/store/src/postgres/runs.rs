//! What runs remember on the server: sources, types, schemas, answers.

use std::collections::HashMap;

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity, TypeSchema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::{GenericClient, Row};

use super::fault::Fault;
use super::pool::Postgres;
use super::text::clean;
use super::tries::{Tries, tried};
use crate::error::StoreError;
use crate::holder::Holder;
use crate::lock::RunLock;
use crate::names::under_another_name;
use crate::runs::{KnownSource, Readings, RunRecord, Runs};

/// Runs that are remembered of each cluster: a day of runs every minute is history enough.
const KEPT_RUNS: i64 = 1_440;

impl Postgres {
    pub(super) fn write_json(&self, value: &impl Serialize) -> Result<String, Fault> {
        serde_json::to_string(value).map_err(|e| self.other(e.to_string()))
    }

    pub(super) fn read_json<T: DeserializeOwned>(&self, text: &str) -> Result<T, Fault> {
        serde_json::from_str(text).map_err(|e| self.other(format!("a row cannot be read: {e}")))
    }

    fn other(&self, detail: String) -> Fault {
        StoreError::Other { place: self.address().place.clone(), detail }.into()
    }

    async fn remember_source_once(
        &self,
        cluster: &str,
        identity: &SourceIdentity,
        replace: bool,
    ) -> Result<i64, Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        // Two processes that see a new source at once must not both add it, under whichever name.
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended('clusterlore sources', 0))";
        transaction.execute(lock, &[]).await?;
        let all = self.sources_of(&*transaction).await?;
        under_another_name(&all, cluster, identity)?;
        let is_it = |s: &KnownSource| s.cluster == cluster && !s.replaced && s.identity.recognises(identity);
        let number = match all.into_iter().find(is_it) {
            Some(KnownSource { number, identity: known, .. }) => {
                let merged = self.write_json(&known.merged(identity.clone()))?;
                transaction.execute("UPDATE sources SET identity = $2 WHERE number = $1", &[&number, &merged]).await?;
                number
            }
            None => {
                let insert = "INSERT INTO sources (cluster, identity) VALUES ($1, $2) RETURNING number";
                transaction.query_one(insert, &[&cluster, &self.write_json(identity)?]).await?.try_get(0)?
            }
        };
        if replace {
            let update = "UPDATE sources SET replaced = true WHERE cluster = $1 AND number <> $2";
            transaction.execute(update, &[&cluster, &number]).await?;
        }
        transaction.commit().await?;
        Ok(number)
    }

    /// All sources, the replaced ones too.
    pub(super) async fn sources_of(&self, client: &impl GenericClient) -> Result<Vec<KnownSource>, Fault> {
        let select = "SELECT number, cluster, identity, replaced, readings, name FROM sources ORDER BY number";
        let read = |row: &Row| {
            Ok(KnownSource {
                number: row.try_get(0)?,
                cluster: row.try_get(1)?,
                identity: self.read_json(row.try_get(2)?)?,
                replaced: row.try_get(3)?,
                readings: self.read_json(row.try_get(4)?)?,
                name: row.try_get(5)?,
            })
        };
        client.query(select, &[]).await?.iter().map(read).collect()
    }

    async fn forget_once(&self, cluster: &str) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        for table in ["sources", "types", "schemas", "runs", "journal", "posts", "scans"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE cluster = $1"), &[&cluster]).await?;
        }
        let list = "UPDATE type_lists SET revision = revision + 1 WHERE cluster = $1";
        transaction.execute(list, &[&cluster]).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn remember_readings_once(&self, source: i64, readings: &Readings) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let select = "SELECT readings FROM sources WHERE number = $1 FOR UPDATE";
        if let Some(row) = transaction.query_opt(select, &[&source]).await? {
            let known: Readings = self.read_json(row.try_get(0)?)?;
            let merged = self.write_json(&known.merged(readings))?;
            transaction.execute("UPDATE sources SET readings = $2 WHERE number = $1", &[&source, &merged]).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn remember_types_once(&self, cluster: &str, types: &[ResourceType]) -> Result<(), Fault> {
        // By name: a statement takes no row twice.
        let mut by_name: HashMap<String, String> = HashMap::new();
        for ty in types {
            by_name.insert(ty.name(), self.write_json(ty)?);
        }
        let (names, types): (Vec<String>, Vec<String>) = by_name.into_iter().unzip();
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        // First, so that two writers of a cluster's list follow each other.
        let list = "INSERT INTO type_lists AS l (cluster, revision) VALUES ($1, 1)
             ON CONFLICT (cluster) DO UPDATE SET revision = l.revision + 1";
        transaction.execute(list, &[&cluster]).await?;
        transaction.execute("DELETE FROM types WHERE cluster = $1", &[&cluster]).await?;
        let insert = "INSERT INTO types (cluster, name, type) SELECT $1, name, type FROM unnest($2::text[], $3::text[]) AS u (name, type)";
        transaction.execute(insert, &[&cluster, &names, &types]).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn remember_schemas_once(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), Fault> {
        let mut by_name = std::collections::BTreeMap::new();
        for (name, revision, schema) in read {
            by_name.insert(name.clone(), (revision.clone(), self.write_json(schema)?));
        }
        let names: Vec<&String> = by_name.keys().collect();
        let (revisions, schemas): (Vec<&String>, Vec<&String>) = by_name.values().map(|(r, s)| (r, s)).unzip();
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let insert = "INSERT INTO schemas (cluster, type, revision, schema)
             SELECT $1, type, revision, schema FROM unnest($2::text[], $3::text[], $4::text[]) AS u (type, revision, schema)
             ON CONFLICT (cluster, type) DO UPDATE SET revision = excluded.revision, schema = excluded.schema";
        transaction.execute(insert, &[&cluster, &names, &revisions, &schemas]).await?;
        let delete = "DELETE FROM schemas WHERE cluster = $1 AND type = ANY($2)";
        transaction.execute(delete, &[&cluster, &forgotten]).await?;
        transaction.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl Runs for Postgres {
    async fn lock(&self, cluster: &str, me: &Holder) -> Result<RunLock, StoreError> {
        tried!(self, self.lock_once(cluster, me))
    }

    async fn remember_source(
        &self,
        cluster: &str,
        identity: &SourceIdentity,
        replace: bool,
    ) -> Result<i64, StoreError> {
        tried!(self, self.remember_source_once(cluster, identity, replace))
    }

    async fn name_source(&self, source: i64, name: &str) -> Result<(), StoreError> {
        let name = clean(name);
        tried!(self, async {
            let client = self.client().await?;
            client.execute("UPDATE sources SET name = $2 WHERE number = $1", &[&source, &&*name]).await?;
            Ok(())
        })
    }

    async fn forget(&self, cluster: &str) -> Result<(), StoreError> {
        tried!(self, self.forget_once(cluster))
    }

    async fn remember_readings(&self, source: i64, readings: &Readings) -> Result<(), StoreError> {
        tried!(self, self.remember_readings_once(source, readings))
    }

    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError> {
        tried!(self, self.remember_types_once(cluster, types))
    }

    async fn schemas(&self, cluster: &str) -> Result<HashMap<String, (String, TypeSchema)>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let rows =
                client.query("SELECT type, revision, schema FROM schemas WHERE cluster = $1", &[&cluster]).await?;
            let read =
                |row: &tokio_postgres::Row| Ok((row.try_get(0)?, (row.try_get(1)?, self.read_json(row.try_get(2)?)?)));
            rows.iter().map(read).collect()
        })
    }

    async fn remember_schemas(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), StoreError> {
        tried!(self, self.remember_schemas_once(cluster, read, forgotten))
    }

    async fn answer(&self, key: &str) -> Result<Option<String>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let row = client.query_opt("SELECT answer FROM answers WHERE key = $1", &[&key]).await?;
            Ok(row.map(|row| row.get(0)))
        })
    }

    async fn answers(&self) -> Result<Vec<(String, String)>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let rows = client.query("SELECT key, answer FROM answers ORDER BY key", &[]).await?;
            Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
        })
    }

    async fn remember_answer(&self, key: &str, answer: &str) -> Result<(), StoreError> {
        let answer = clean(answer);
        tried!(self, async {
            let client = self.client().await?;
            let insert = "INSERT INTO answers (key, answer) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET answer = excluded.answer";
            client.execute(insert, &[&key, &&*answer]).await?;
            Ok(())
        })
    }

    async fn begin_run(&self, run: &RunRecord) -> Result<i64, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let insert = "INSERT INTO runs (cluster, command, run) VALUES ($1, $2, $3) RETURNING number";
            Ok(client
                .query_one(insert, &[&run.cluster, &run.command.stored(), &self.write_json(run)?])
                .await?
                .try_get(0)?)
        })
    }

    async fn finish_run(&self, number: i64, run: &RunRecord) -> Result<(), StoreError> {
        let finished = tried!(self, async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let update = "UPDATE runs SET run = $2 WHERE number = $1";
            transaction.execute(update, &[&number, &self.write_json(run)?]).await?;
            let delete = "DELETE FROM runs WHERE cluster = $1 AND command = $2 AND number < (
                SELECT number FROM runs WHERE cluster = $1 AND command = $2 ORDER BY number DESC OFFSET $3::bigint - 1 LIMIT 1)";
            transaction.execute(delete, &[&run.cluster, &run.command.stored(), &KEPT_RUNS]).await?;
            transaction.commit().await?;
            Ok(())
        });
        self.index_vectors().await;
        finished
    }
}
