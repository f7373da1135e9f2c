//! Threads in the file.

use async_trait::async_trait;
use rusqlite::params;

use super::file::Sqlite;
use crate::error::StoreError;
use crate::threads::{KEPT_TURNS, Thread, ThreadName, Threads, check};

#[async_trait]
impl Threads for Sqlite {
    async fn threads(&self) -> Result<Vec<Thread>, StoreError> {
        self.with(|connection| {
            let mut select = connection
                .prepare_cached("SELECT thread, count(*), max(at) FROM turns GROUP BY thread ORDER BY thread")?;
            let rows =
                select.query_map([], |row| Ok(Thread { name: row.get(0)?, turns: row.get(1)?, last: row.get(2)? }))?;
            rows.collect()
        })
        .await
    }

    async fn turns(&self, thread: &ThreadName, most: usize) -> Result<Vec<String>, StoreError> {
        let thread = thread.clone();
        self.with(move |connection| {
            let mut select =
                connection.prepare_cached("SELECT turn FROM turns WHERE thread = ?1 ORDER BY number DESC LIMIT ?2")?;
            let rows = select.query_map(params![thread.as_str(), most], |row| row.get(0))?;
            let mut turns = rows.collect::<rusqlite::Result<Vec<String>>>()?;
            turns.reverse();
            Ok(turns)
        })
        .await
    }

    async fn add_turn(&self, thread: &ThreadName, at: &str, turn: &str) -> Result<(), StoreError> {
        check(&self.path().display().to_string(), turn)?;
        let (thread, at, turn) = (thread.clone(), at.to_owned(), turn.to_owned());
        self.with(move |connection| {
            // Nobody else writes from the first statement on, so the number is free.
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let last = "SELECT coalesce(max(number), 0) FROM turns WHERE thread = ?1";
            let number = 1 + transaction.query_row(last, [thread.as_str()], |row| row.get::<_, i64>(0))?;
            let insert = "INSERT INTO turns (thread, number, at, turn) VALUES (?1, ?2, ?3, ?4)";
            transaction.execute(insert, params![thread.as_str(), number, at, turn])?;
            let kept = i64::try_from(KEPT_TURNS).unwrap_or(i64::MAX);
            transaction.execute(
                "DELETE FROM turns WHERE thread = ?1 AND number <= ?2",
                params![thread.as_str(), number - kept],
            )?;
            transaction.commit()
        })
        .await
    }

    async fn remove_thread(&self, thread: &ThreadName) -> Result<bool, StoreError> {
        let thread = thread.clone();
        self.with(move |connection| {
            Ok(connection.execute("DELETE FROM turns WHERE thread = ?1", [thread.as_str()])? > 0)
        })
        .await
    }
}
