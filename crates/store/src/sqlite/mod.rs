//! The default store: one SQLite file in WAL mode, so that one process can sync while others search. Vectors are int8 and are
//! scanned in memory; words are in FTS5. All writing goes through one connection a process, one transaction a batch.

mod chunk;
mod failure;
mod file;
mod inbox;
mod journal;
mod locks;
mod mirror;
mod quantized;
mod reader;
mod runs;
mod schema;
mod snapshot;
#[cfg(test)]
mod tests;
mod threads;
mod writer;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use clusterlore_core::Scope;

use crate::error::StoreError;
use crate::reader::View;
use crate::store::Store;

pub use file::Sqlite;
pub use inbox::InboxFile;
pub(crate) use reader::SqliteView;

#[async_trait]
impl Store for Sqlite {
    async fn view(&self, scope: &Scope) -> Result<Box<dyn View>, StoreError> {
        Ok(Box::new(self.open_view(scope).await?))
    }

    fn place(&self) -> String {
        self.path().display().to_string()
    }

    fn files(&self) -> Vec<PathBuf> {
        let beside = |end: &str| {
            let mut path = self.path().as_os_str().to_owned();
            path.push(end);
            PathBuf::from(path)
        };
        vec![self.path().to_owned(), beside("-wal"), beside("-shm"), self.lock_file()]
    }

    fn size(&self) -> Option<u64> {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
        let mut wal = self.path().as_os_str().to_owned();
        wal.push("-wal");
        Some(size(self.path()) + size(Path::new(&wal)))
    }
}
