//! Threads on the server.

use async_trait::async_trait;

use super::pool::Postgres;
use super::text::{clean, restored};
use super::tries::{Tries, tried};
use crate::error::StoreError;
use crate::threads::{KEPT_TURNS, Thread, ThreadName, Threads, check};

#[async_trait]
impl Threads for Postgres {
    async fn threads(&self) -> Result<Vec<Thread>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let select = "SELECT thread, count(*), max(at COLLATE \"C\") FROM turns GROUP BY thread ORDER BY thread";
            let rows = client.query(select, &[]).await?;
            let turns = |row: &tokio_postgres::Row| usize::try_from(row.get::<_, i64>(1)).unwrap_or(usize::MAX);
            Ok(rows.iter().map(|row| Thread { name: row.get(0), turns: turns(row), last: row.get(2) }).collect())
        })
    }

    async fn turns(&self, thread: &ThreadName, most: usize) -> Result<Vec<String>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        tried!(self, async {
            let client = self.client().await?;
            let select = "SELECT turn FROM turns WHERE thread = $1 ORDER BY number DESC LIMIT $2";
            let rows = client.query(select, &[&thread.as_str(), &most]).await?;
            Ok(rows.iter().rev().map(|row| restored(row.get(0))).collect())
        })
    }

    async fn add_turn(&self, thread: &ThreadName, at: &str, turn: &str) -> Result<(), StoreError> {
        check(&self.address().place, turn)?;
        let (key, turn) = (format!("{:032x}", fastrand::u128(..)), clean(turn));
        let kept = i64::try_from(KEPT_TURNS).unwrap_or(i64::MAX);
        tried!(self, async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let insert =
                "INSERT INTO turns (key, thread, at, turn) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING";
            transaction.execute(insert, &[&key, &thread.as_str(), &at, &&*turn]).await?;
            let delete = "DELETE FROM turns WHERE thread = $1 AND number < (
                SELECT number FROM turns WHERE thread = $1 ORDER BY number DESC OFFSET $2::bigint - 1 LIMIT 1)";
            transaction.execute(delete, &[&thread.as_str(), &kept]).await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    async fn remove_thread(&self, thread: &ThreadName) -> Result<bool, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            Ok(client.execute("DELETE FROM turns WHERE thread = $1", &[&thread.as_str()]).await? > 0)
        })
    }
}
