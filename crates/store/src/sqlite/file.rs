//! The store: its file, and how it is opened.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clusterlore_core::ResourceType;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{failure, is_busy};
use super::schema;
use super::snapshot::{Documents, Latest};
use crate::error::StoreError;

/// How long a statement waits for another process's transaction. Ours last milliseconds, a checkpoint of a large file seconds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two tries of what SQLite itself does not wait for.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Pages of 4 kB in the write-ahead log before it is written back: a first sync then waits for the disk once or twice, not at
/// every fourth megabyte.
const CHECKPOINT_PAGES: i64 = 8_000;

/// What a connection keeps of the file in memory, as SQLite takes it: negative, in KiB. There are as many that read as there are views at
/// once, and what they read again lies in the system's cache.
const WRITER_CACHE: i64 = -16_000;
const READER_CACHE: i64 = -2_000;

/// A store in a file. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) path: PathBuf,
    /// Connections without a view, for the next one, each with the number of the file that it reads. Closed before the one that writes:
    /// the last to close writes the log back into the file, and one that reads cannot.
    pub(super) readers: Mutex<Vec<(u64, Connection)>>,
    /// The one that writes; read-only where the file was opened for searching.
    pub(super) connection: Mutex<Connection>,
    /// How a connection that reads is opened.
    pub(super) reading: Reading,
    /// Vectors and facets in memory, of the latest revision that was read; in the order of [`clusterlore_core::Collection::ALL`].
    pub(super) snapshots: [Latest; 2],
    /// Documents in memory.
    pub(super) documents: Arc<Documents>,
    /// The known types, with the revision that they show.
    pub(super) types: Mutex<Option<(i64, Arc<KnownTypes>)>>,
}

pub(super) type KnownTypes = Vec<(String, ResourceType)>;

/// How the file is opened for reading.
#[derive(Debug, Clone)]
pub(super) struct Reading(String);

impl Reading {
    fn of(path: &Path) -> Self {
        Self(format!("file:{}", escaped(path)))
    }

    /// For a file beside which nothing may be written.
    fn immutable(path: &Path) -> Self {
        Self(format!("file:{}?immutable=1", escaped(path)))
    }

    pub(super) fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(&self.0, flags)?;
        configure(&connection, READER_CACHE)?;
        Ok(connection)
    }
}

impl Sqlite {
    /// Opens the store for writing, making the file and its folder where they are missing.
    ///
    /// # Errors
    /// See [`StoreError`]; the file is as it was then.
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        let denied = |e: std::io::Error| StoreError::ReadOnly { path: path.to_owned(), detail: e.to_string() };
        no_folder(path)?;
        if let Some(folder) = path.parent() {
            make_folder(folder).map_err(denied)?;
        }
        // SQLite gives its other files the mode of this one.
        match owned(File::options().write(true).create_new(true)).open(path) {
            Err(e) if !path.exists() => return Err(denied(e)),
            _ => {}
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|e| failure(path, e))?;
        configure(&connection, WRITER_CACHE).map_err(|e| failure(path, e))?;
        write_ahead(&connection).map_err(|e| failure(path, e))?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(|e| failure(path, e))?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(|e| failure(path, e))?;
        schema::migrate(&mut connection, path)?;
        Ok(Self::holding(path, connection, Reading::of(path)))
    }

    /// Opens a store that is there, for searching; a file that may not be written is read as it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is none, else see [`StoreError`].
    pub fn open_existing(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.display().to_string()));
        }
        no_folder(path)?;
        let open = |reading: Reading| {
            let connection = reading.open().map_err(|e| failure(path, e))?;
            schema::version(&connection, path).map(|version| (connection, version, reading))
        };
        // A reader of a WAL file writes to the shared index beside it; where that may not be, the file alone is read.
        let (connection, version, reading) = match open(Reading::of(path)) {
            Err(StoreError::ReadOnly { .. } | StoreError::Other { .. }) => open(Reading::immutable(path))?,
            other => other?,
        };
        if version < schema::VERSION {
            drop(connection);
            return Self::open_or_create(path);
        }
        Ok(Self::holding(path, connection, reading))
    }

    /// Tells the file apart from one that takes its place.
    pub(super) fn file_number(&self) -> u64 {
        #[cfg(unix)]
        let number = std::fs::metadata(self.path()).map_or(0, |m| std::os::unix::fs::MetadataExt::ino(&m));
        #[cfg(not(unix))]
        let number = 0;
        number
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Beside the file itself: whatever links the store was named by, there is one lock.
    pub(super) fn lock_file(&self) -> PathBuf {
        let path = self.path();
        let mut lock = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
        lock.push(".lock");
        lock.into()
    }

    fn holding(path: &Path, connection: Connection, reading: Reading) -> Self {
        let inner = Inner {
            path: path.to_owned(),
            connection: Mutex::new(connection),
            reading,
            readers: Mutex::default(),
            snapshots: Default::default(),
            documents: Arc::default(),
            types: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Runs `work` on the connection, off the async threads.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.try_with(move |connection, path| work(connection).map_err(|e| failure(path, e))).await
    }

    /// As [`Self::with`], for work that has errors of its own.
    pub(super) async fn try_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection, &inner.path)
        });
        done.await
            .map_err(|e| StoreError::Other { place: self.inner.path.display().to_string(), detail: e.to_string() })?
    }
}

/// Files and folders that are made belong to this user alone: names and descriptions of a whole cluster are in them. What is there
/// already keeps its mode.
pub(super) fn owned(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn no_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() { Err(StoreError::Folder(path.to_owned())) } else { Ok(()) }
}

pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn configure(connection: &Connection, cache: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Else a statement with a range, of which the table of words has some, is planned again each time that it gets other values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cache_size", cache)
}

/// Turns the write-ahead log on. SQLite changes the mode under a lock that it does not wait for: of several that open a new file at once
/// all but one are told that it is busy, whatever their timeout.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(e) if is_busy(&e) && began.elapsed() < BUSY_TIMEOUT => std::thread::sleep(BUSY_PAUSE),
            done => return done,
        }
    }
}

/// A path inside a `file:` URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
