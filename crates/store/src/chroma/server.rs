//! The store: the server, the file beside it, and what was last seen of both.

use futures::future::BoxFuture;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clusterlore_core::Collection;
use tokio::sync::OnceCell;

use super::api::Api;
use super::client::Client;
use super::options::ChromaOptions;
use super::seen::Seen;
use crate::error::StoreError;
use crate::sqlite::Sqlite;

/// A store on a Chroma server. Clones share everything.
#[derive(Debug, Clone)]
pub struct Chroma {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) api: Api,
    pub(super) local: PathBuf,
    pub(super) mirror: OnceCell<Sqlite>,
    pub(super) fresh_for: Duration,
    /// What was last seen of each collection.
    pub(super) seen: Mutex<HashMap<Collection, Seen>>,
    /// Until when the known types need no second look.
    pub(super) types_fresh_until: Mutex<Option<Instant>>,
    /// Id of the collection of notes.
    pub(super) notes: Mutex<Option<String>>,
    /// Held by what writes to the server or reads it whole: one of both at a time.
    pub(super) gate: tokio::sync::Mutex<()>,
}

impl Chroma {
    /// Makes sure that the server can be used. Creates nothing, there and here.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], or [`StoreError::Unusable`]: a refused key, no Chroma, one before 1.0, no such tenant or database.
    pub fn connect(options: ChromaOptions) -> BoxFuture<'static, Result<Self, StoreError>> {
        Box::pin(async move {
            let api = Api::connect(Client::new(&options)?).await?;
            let inner = Inner {
                api,
                local: options.local,
                mirror: OnceCell::new(),
                fresh_for: options.fresh_for,
                seen: Mutex::default(),
                types_fresh_until: Mutex::default(),
                notes: Mutex::default(),
                gate: tokio::sync::Mutex::default(),
            };
            Ok(Self { inner: Arc::new(inner) })
        })
    }

    pub(super) fn api(&self) -> &Api {
        &self.inner.api
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, HashMap<Collection, Seen>> {
        self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
