//! The index over vectors. Writing a document through it takes ten times as long as writing one without, and building it over
//! documents that are there takes an eighth of that; so it is built when a run has ended that made a collection large, and until then
//! searches compare one by one.

use tokio_postgres::error::SqlState;

use super::attended::Long;
use super::fault::Fault;
use super::pool::Postgres;
use super::reader::count;
use super::schema;

/// Documents from which an index is worth it; below, comparing all takes some milliseconds.
const INDEXED_FROM: usize = 10_000;
/// Kilobytes that building may take of the server's memory; where it needs more it goes on, slowly.
const MOST_MEMORY: usize = 1_048_576;
/// What building holds of a document beside its vector, in bytes: 45,600 kB were full after 37,589 documents of 256 dimensions, which is
/// 730, and some room.
const LINKS: usize = 800;

impl Postgres {
    /// Builds the indexes that are missing. One that cannot be built is missed by nobody but the clock.
    pub(super) async fn index_vectors(&self) {
        if let Err(fault) = self.index_vectors_once().await {
            let error = fault.into_error(self.address());

            tracing::warn!(%error, "the index over vectors was not built; searches compare documents one by one");
        }
    }

    async fn index_vectors_once(&self) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let _long = Long::begin(&self.inner.long);
        let select = "SELECT c.name, c.dimensions, sum(k.documents)::bigint FROM collections c JOIN clusters k ON k.collection = c.id
             WHERE to_regclass(quote_ident('documents_' || c.name || '_nearness')) IS NULL GROUP BY c.id HAVING sum(k.documents) >= $1::bigint";
        let statement = client.prepare_cached(select).await?;
        let rows = client.query(&statement, &[&i64::try_from(INDEXED_FROM).unwrap_or(i64::MAX)]).await?;
        for row in rows {
            let (name, dimensions): (String, i32) = (row.try_get(0)?, row.try_get(1)?);
            let dimensions = usize::try_from(dimensions).unwrap_or(0);
            let Ok(collection) = name.parse() else { continue };
            let Some(create) = schema::create_nearness(collection, dimensions) else { continue };
            tracing::info!(collection = name, "building the index over vectors");
            let kilobytes = count(row.try_get(2)?) * (2 * dimensions + LINKS) / 1_024;
            let roomy = format!(
                "SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')) / 1024, {})::text, true)",
                kilobytes.min(MOST_MEMORY)
            );
            match build(&mut client, &name, &roomy, &create).await {
                // Containers often have 64 MB of shared memory, and workers want theirs in it.
                Err(Fault::Sql(e))
                    if [Some(&SqlState::DISK_FULL), Some(&SqlState::OUT_OF_MEMORY)].contains(&e.code()) =>
                {
                    build(&mut client, &name, "SET LOCAL max_parallel_maintenance_workers = 0", &create).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }
}

async fn build(client: &mut deadpool_postgres::Object, name: &str, settings: &str, create: &str) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    // Another process may be at it; whoever comes second finds it done.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('clusterlore nearness ' || current_schema() || $1, 0))";
    transaction.execute(lock, &[&name]).await?;
    transaction.batch_execute(&format!("{settings}; {create}")).await?;
    transaction.commit().await?;
    Ok(())
}
