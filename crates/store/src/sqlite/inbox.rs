//! What others sent and nobody has worked off yet, in a file of its own: who sends is answered at once, also while the store is being
//! written, and what was answered is still there after the process was killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::failure;
use super::file::{make_folder, owned};
use crate::error::StoreError;
use crate::inbox::{Inbox, MOST_BYTES, Post, Scan, Waiting};

/// The tables. `posts` in the order in which they came; of the names in `scans` the last that was sent counts.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS posts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS scans (
    cluster TEXT NOT NULL,
    name TEXT NOT NULL,
    gone INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (cluster, name)
) WITHOUT ROWID;
";

/// A file of posts that wait. One process works on it at a time; clones share it.
#[derive(Debug, Clone)]
pub struct InboxFile {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    state: Mutex<State>,
    /// Reads beside the one that writes: who posts does not wait for who works it off.
    reading: Mutex<Connection>,
    _lock: File,
}

#[derive(Debug)]
struct State {
    connection: Connection,
    waiting: Waiting,
}

impl InboxFile {
    /// Opens the file, making it and its folder where they are missing.
    ///
    /// # Errors
    /// It cannot be written, or another process has it open ([`StoreError::Locked`]).
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let denied = |e: std::io::Error| StoreError::ReadOnly { path: path.to_owned(), detail: e.to_string() };
        if let Some(folder) = path.parent() {
            make_folder(folder).map_err(denied)?;
        }
        let lock =
            owned(File::options().create(true).append(true)).open(path.with_extension("lock")).map_err(denied)?;
        if lock.try_lock().is_err() {
            return Err(StoreError::Locked { place: path.display().to_string(), holder: None });
        }
        owned(File::options().append(true).create(true)).open(path).map_err(denied)?;
        let open = || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(30))?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // What was committed survives the end of the process, not that of the machine.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.execute_batch(TABLES)?;
            let waiting = Waiting {
                posts: count(&connection, "SELECT count(*) FROM posts")?,
                bytes: count(&connection, "SELECT coalesce(sum(length(body)), 0) FROM posts")? as u64,
                scans: count(&connection, "SELECT count(*) FROM scans")?,
            };
            Ok(State { connection, waiting })
        };
        let state = Mutex::new(open().map_err(|e| failure(path, e))?);
        let reading = Mutex::new(Connection::open(path).map_err(|e| failure(path, e))?);
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), state, reading, _lock: lock }) })
    }

    /// Runs `work` that reads only, off the async threads.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.apart(move |inner| work(&inner.reading.lock().unwrap_or_else(PoisonError::into_inner), &inner.path)).await
    }

    /// Runs `work` off the async threads.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State, &Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.apart(move |inner| work(&mut inner.state.lock().unwrap_or_else(PoisonError::into_inner), &inner.path))
            .await
    }

    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner));
        done.await
            .map_err(|e| StoreError::Other { place: self.inner.path.display().to_string(), detail: e.to_string() })?
    }
}

#[async_trait]
impl Inbox for InboxFile {
    async fn waiting(&self) -> Result<Waiting, StoreError> {
        Ok(self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        self.reading(|connection, path| {
            let read = || {
                let select = "SELECT cluster FROM posts UNION SELECT cluster FROM scans ORDER BY cluster";
                let mut select = connection.prepare_cached(select)?;
                select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
            };
            read().map_err(|e| failure(path, e))
        })
        .await
    }

    async fn put(&self, cluster: &str, body: Vec<u8>) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.with(move |State { connection, waiting }, path| {
            let bytes = body.len() as u64;
            if waiting.bytes + bytes > MOST_BYTES {
                return Err(StoreError::Crowded { path: path.to_owned(), bytes: MOST_BYTES });
            }
            connection
                .prepare_cached("INSERT INTO posts (cluster, body) VALUES (?, ?)")
                .and_then(|mut insert| insert.execute(params![cluster, body]))
                .map_err(|e| failure(path, e))?;
            waiting.posts += 1;
            waiting.bytes += bytes;
            Ok(())
        })
        .await
    }

    async fn oldest(&self, cluster: &str, most: usize, bytes: usize) -> Result<Vec<Post>, StoreError> {
        let cluster = cluster.to_owned();
        self.reading(move |connection, path| {
            let read = || {
                let select = "SELECT number, body FROM posts WHERE cluster = ? ORDER BY number";
                let mut select = connection.prepare_cached(select)?;
                let mut rows = select.query([cluster])?;
                let (mut posts, mut size): (Vec<Post>, usize) = (Vec::new(), 0);
                while let Some(row) = rows.next()? {
                    let post = Post { number: row.get(0)?, body: row.get(1)? };
                    size += post.body.len();
                    if !posts.is_empty() && (posts.len() == most || size > bytes) {
                        break;
                    }
                    posts.push(post);
                }
                Ok(posts)
            };
            read().map_err(|e| failure(path, e))
        })
        .await
    }

    async fn done(&self, numbers: Vec<i64>) -> Result<(), StoreError> {
        self.with(move |State { connection, waiting }, path| {
            let remove = || {
                let change = connection.transaction()?;
                let mut removed = (0, 0);
                for number in numbers {
                    let bytes = "DELETE FROM posts WHERE number = ? RETURNING length(body)";
                    let bytes: Option<i64> = change.query_row(bytes, [number], |row| row.get(0)).optional()?;
                    removed = (removed.0 + usize::from(bytes.is_some()), removed.1 + bytes.unwrap_or(0).unsigned_abs());
                }
                change.commit()?;
                waiting.posts = waiting.posts.saturating_sub(removed.0);
                waiting.bytes = waiting.bytes.saturating_sub(removed.1);
                Ok(())
            };
            remove().map_err(|e| failure(path, e))
        })
        .await
    }

    async fn scan(&self, cluster: &str, upserts: Vec<String>, deletes: Vec<String>) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.with(move |State { connection, waiting }, path| {
            let mut keep = || {
                let change = connection.transaction()?;
                let last: Option<i64> =
                    change.query_row("SELECT max(number) FROM scans", [], |row| row.get(0)).optional()?.flatten();
                let number = last.unwrap_or_default() + 1;
                {
                    let mut put = change.prepare_cached("INSERT OR REPLACE INTO scans VALUES (?, ?, ?, ?)")?;
                    for (name, gone) in deletes.iter().map(|n| (n, true)).chain(upserts.iter().map(|n| (n, false))) {
                        put.execute(params![cluster, name, gone, number])?;
                    }
                }
                change.commit()?;
                waiting.scans = count(connection, "SELECT count(*) FROM scans")?;
                Ok(())
            };
            keep().map_err(|e| failure(path, e))
        })
        .await
    }

    async fn scans(&self, cluster: &str) -> Result<Vec<Scan>, StoreError> {
        let cluster = cluster.to_owned();
        self.reading(move |connection, path| {
            let read = || {
                let mut select = connection
                    .prepare_cached("SELECT name, gone, number FROM scans WHERE cluster = ? ORDER BY name")?;
                let rows = select.query_map([cluster], |row| {
                    Ok(Scan { name: row.get(0)?, gone: row.get(1)?, number: row.get(2)? })
                })?;
                rows.collect::<rusqlite::Result<_>>()
            };
            read().map_err(|e| failure(path, e))
        })
        .await
    }

    async fn scanned(&self, cluster: &str, scans: Vec<Scan>) -> Result<(), StoreError> {
        let cluster = cluster.to_owned();
        self.with(move |State { connection, waiting }, path| {
            let mut remove = || {
                let change = connection.transaction()?;
                for Scan { name, number, .. } in &scans {
                    change.execute(
                        "DELETE FROM scans WHERE cluster = ? AND name = ? AND number = ?",
                        params![cluster, name, number],
                    )?;
                }
                change.commit()?;
                waiting.scans = count(connection, "SELECT count(*) FROM scans")?;
                Ok(())
            };
            remove().map_err(|e| failure(path, e))
        })
        .await
    }
}

fn count(connection: &Connection, statement: &str) -> rusqlite::Result<usize> {
    connection.query_row(statement, [], |row| row.get::<_, i64>(0)).map(|n| usize::try_from(n).unwrap_or_default())
}
