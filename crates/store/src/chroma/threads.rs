//! Threads in the mirror's file: they are of whoever asks on this machine, and the server has no transactions to add to them safely.

use async_trait::async_trait;

use super::server::Chroma;
use crate::error::StoreError;
use crate::threads::{Thread, ThreadName, Threads};

#[async_trait]
impl Threads for Chroma {
    async fn threads(&self) -> Result<Vec<Thread>, StoreError> {
        self.mirror().await?.threads().await
    }

    async fn turns(&self, thread: &ThreadName, most: usize) -> Result<Vec<String>, StoreError> {
        self.mirror().await?.turns(thread, most).await
    }

    async fn add_turn(&self, thread: &ThreadName, at: &str, turn: &str) -> Result<(), StoreError> {
        self.mirror().await?.add_turn(thread, at, turn).await
    }

    async fn remove_thread(&self, thread: &ThreadName) -> Result<bool, StoreError> {
        self.mirror().await?.remove_thread(thread).await
    }
}
