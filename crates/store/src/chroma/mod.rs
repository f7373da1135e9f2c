//! Documents in a Chroma server, so that its clients of every language read them, and ours reads theirs.
//!
//! Chroma finds what is near. Words, selectors and counts it does not know, so a SQLite file on this machine mirrors everything but the
//! vectors; it can always be made again. What all machines must agree on (sources, types, who wrote last) lies on the server, in the
//! collection `clusterlore`; schemas, answers of models, runs and threads lie in the file.
//!
//! A server has no transactions: a batch that is cut off leaves less than it should have, never something wrong, and counts as not
//! announced: the next run reads the collection again and goes on.

mod api;
mod client;
mod collections;
#[cfg(test)]
mod fuzz;
mod handover;
mod mirror;
mod notes;
mod options;
mod reader;
mod row;
mod runs;
mod seen;
mod server;
mod threads;
mod writer;

use async_trait::async_trait;
use clusterlore_core::Scope;

use crate::error::StoreError;
use crate::reader::View;
use crate::store::Store;

pub use options::{ChromaOptions, Credentials};
pub use server::Chroma;

#[async_trait]
impl Store for Chroma {
    async fn view(&self, scope: &Scope) -> Result<Box<dyn View>, StoreError> {
        Ok(Box::new(self.open_view(scope, self.inner.fresh_for.is_zero()).await?))
    }

    async fn view_now(&self, because: &'static str) -> Result<Box<dyn View>, StoreError> {
        Ok(Box::new(self.open_view(&Scope::All { because }, true).await?))
    }

    fn place(&self) -> String {
        self.api().client.place()
    }

    /// Of the mirror.
    fn size(&self) -> Option<u64> {
        std::fs::metadata(&self.inner.local).ok().map(|m| m.len())
    }
}
