//! Postgres with pgvector: one server for a fleet of clusters and for many who search. Vectors are half vectors under an HNSW
//! index, words a `tsvector`, labels `jsonb`; documents of a collection are one table, partitioned by cluster.
//!
//! Every writer holds the row of its cluster (table `clusters`) until it commits: writes to one cluster follow each other, writes to
//! different clusters do not wait. What a search asks of a whole collection (totals, frequencies, vocabulary) is tallied in the
//! transaction that changes it, and never counted anew.

mod address;
mod apply;
mod attended;
mod conditions;
mod counted;
mod fault;
mod inbox;
mod journal;
mod lock;
mod nearness;
mod pool;
mod probe;
mod reader;
mod runs;
mod schema;
mod text;
mod threads;
mod tls;
mod tries;
mod words;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::Scope;

use crate::error::StoreError;
use crate::inbox::Inbox;
use crate::reader::View;
use crate::store::Store;
use reader::PostgresView;

pub use pool::Postgres;

#[async_trait]
impl Store for Postgres {
    async fn view(&self, scope: &Scope) -> Result<Box<dyn View>, StoreError> {
        Ok(Box::new(PostgresView::open(self, scope).await?))
    }

    fn place(&self) -> String {
        self.address().place.clone()
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::new(self.clone()))
    }
}
