//! Who may write a cluster's documents. Among processes the file has one lock; the process that holds it has one for each cluster.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::file::owned;
use crate::holder::Holder;
use crate::lock::RunLock;

/// Bytes that are read of what a lock's file says of its holder.
const LONGEST_HOLDER: u64 = 4_096;

/// What this process holds, by the lock's file: the system's locks do not tell one holder in a process from another.
static HELD: Mutex<BTreeMap<PathBuf, Held>> = Mutex::new(BTreeMap::new());

/// One file's lock, let go when its last cluster is.
struct Held {
    _file: File,
    clusters: BTreeMap<String, Holder>,
}

/// Why a lock cannot be had.
pub(super) enum Refused {
    /// Another run has it; who, where that is known.
    Locked(Option<Holder>),
    /// Its file cannot be used.
    Denied(std::io::Error),
}

/// Takes the lock of one cluster. `path` is the lock's file; whatever the store is named by, it is the same.
pub(super) fn take(path: PathBuf, cluster: &str, me: &Holder) -> Result<RunLock, Refused> {
    let mut held = held();
    match held.get_mut(&path) {
        Some(file) => {
            if let Some(holder) = file.clusters.get(cluster) {
                return Err(Refused::Locked(Some(holder.clone())));
            }
            file.clusters.insert(cluster.to_owned(), me.clone());
        }
        None => {
            let file = lock_file(&path, me)?;
            held.insert(path.clone(), Held { _file: file, clusters: [(cluster.to_owned(), me.clone())].into() });
        }
    }
    Ok(RunLock::holding(OfCluster { path, cluster: cluster.to_owned() }))
}

/// Keeps other processes out.
fn lock_file(path: &Path, me: &Holder) -> Result<File, Refused> {
    let open = owned(File::options().create(true).append(true).read(true)).open(path);
    let mut file = open.map_err(Refused::Denied)?;
    match file.try_lock() {
        Ok(()) => {
            // For those who wait; the lock is what counts.
            let _ = file.set_len(0).and_then(|()| serde_json::to_writer(&mut file, me).map_err(Into::into));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut told = String::new();
            let _ = file.take(LONGEST_HOLDER).read_to_string(&mut told);
            Err(Refused::Locked(serde_json::from_str(&told).ok()))
        }
        Err(TryLockError::Error(error)) => Err(Refused::Denied(error)),
    }
}

fn held() -> MutexGuard<'static, BTreeMap<PathBuf, Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the cluster go when dropped, and the file with the last of them.
struct OfCluster {
    path: PathBuf,
    cluster: String,
}

impl Drop for OfCluster {
    fn drop(&mut self) {
        let mut held = held();
        if let Some(file) = held.get_mut(&self.path) {
            file.clusters.remove(&self.cluster);
            if file.clusters.is_empty() {
                held.remove(&self.path);
            }
        }
    }
}
