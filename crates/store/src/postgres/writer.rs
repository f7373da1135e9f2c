//! Collections as they are opened, written and handed over.

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity};
use tokio_postgres::Row;

use super::fault::Fault;
use super::pool::Postgres;
use super::schema;
use super::tries::{Tries, tried};
use crate::error::StoreError;
use crate::writer::{Batch, Writer};

/// Longest dimensions that a half vector can have.
const MOST_DIMENSIONS: usize = 16_000;

/// A collection as its row tells of it.
#[derive(Clone)]
pub(super) struct Filled {
    pub(super) id: i32,
    pub(super) embedder: EmbedderIdentity,
}

impl Filled {
    /// Of a row that begins with id, embedder and dimensions.
    pub(super) fn of(row: &Row) -> Self {
        let dimensions = usize::try_from(row.get::<_, i32>(2)).unwrap_or(0);
        Self { id: row.get(0), embedder: EmbedderIdentity { name: row.get(1), dimensions } }
    }
}

#[async_trait]
impl Writer for Postgres {
    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        tried!(self, self.open_collection_once(collection, embedder))
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        tried!(self, self.apply_once(collection, &batch))
    }

    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.check_dimensions(embedder)?;
        tried!(self, self.change_embedder_once(collection, embedder))
    }
}

impl Postgres {
    fn check_dimensions(&self, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        let other = |detail: String| Err(StoreError::Other { place: self.address().place.clone(), detail });
        if !(1..=MOST_DIMENSIONS).contains(&embedder.dimensions) {
            return other(format!(
                "embedder {embedder} does not fit; Postgres holds vectors of 1 to {MOST_DIMENSIONS} dimensions"
            ));
        }
        Ok(())
    }

    async fn open_collection_once(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let select = "SELECT id, embedder, dimensions FROM collections WHERE name = $1";
        let refused = |row: &Row| -> Result<(), Fault> {
            let stored = Filled::of(row).embedder;
            if stored == *embedder {
                return Ok(());
            }
            let (collection, offered) = (collection, embedder.clone());
            Err(StoreError::OtherEmbedder { collection, stored, offered }.into())
        };
        if let Some(row) = transaction.query_opt(select, &[&collection.name()]).await? {
            return refused(&row);
        }
        self.check_dimensions(embedder)?;
        let dimensions = i32::try_from(embedder.dimensions).unwrap_or(i32::MAX);
        let insert =
            "INSERT INTO collections (name, embedder, dimensions) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
        if transaction.execute(insert, &[&collection.name(), &embedder.name, &dimensions]).await? == 0 {
            // Another process was faster.
            return refused(&transaction.query_one(select, &[&collection.name()]).await?);
        }
        transaction.batch_execute(&schema::create_documents(collection, embedder.dimensions)).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn change_embedder_once(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), Fault> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let dimensions = i32::try_from(embedder.dimensions).unwrap_or(i32::MAX);
        // Waits for writers and views to end, and keeps others from starting: a table that was rewritten is empty for a view that began
        // before.
        let lock = "SET LOCAL lock_timeout = '30s'; LOCK TABLE collections IN ACCESS EXCLUSIVE MODE; SET LOCAL lock_timeout TO DEFAULT";
        transaction.batch_execute(lock).await?;
        let update = "UPDATE collections SET embedder = $2, dimensions = $3, revision = revision + 1
             WHERE name = $1 AND (embedder, dimensions) <> ($2, $3)";
        if transaction.execute(update, &[&collection.name(), &embedder.name, &dimensions]).await? == 0 {
            return Ok(());
        }
        transaction.batch_execute(&schema::change_dimensions(collection, embedder.dimensions)).await?;
        transaction.commit().await?;
        Ok(())
    }
}
