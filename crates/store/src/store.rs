//! A store as a whole.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::Scope;

use crate::error::StoreError;
use crate::inbox::Inbox;
use crate::reader::View;
use crate::runs::Runs;
use crate::threads::Threads;
use crate::writer::Writer;

/// A whole store: documents, what runs remember, and conversations.
#[async_trait]
pub trait Store: Writer + Runs + Threads {
    /// The store as it is now, as far as the scope admits. The only way to read documents.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn view(&self, scope: &Scope) -> Result<Box<dyn View>, StoreError>;

    /// As [`Self::view`], of everything; `because` says why that is right.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn view_all(&self, because: &'static str) -> Result<Box<dyn View>, StoreError> {
        self.view(&Scope::All { because }).await
    }

    /// As [`Self::view_all`], for a run that plans by it: where a view may show what was there a moment ago, this one does not.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn view_now(&self, because: &'static str) -> Result<Box<dyn View>, StoreError> {
        self.view_all(because).await
    }

    /// File or server, for people: without user, password and key.
    fn place(&self) -> String;

    /// Where several processes share the store, what was posted to any of them waits with it; `None`: elsewhere.
    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        None
    }

    /// Its files on this machine: nothing else may be written in their place.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Bytes on this machine's disk, where that can be told.
    fn size(&self) -> Option<u64> {
        None
    }
}
