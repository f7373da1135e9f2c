//! Documents in a Chroma server, so that its clients of every language read them, and ours reads theirs.
//!
//! Chroma finds what is near. Words, selectors and counts it does not know, so a SQLite file on this machine mirrors everything but the
//! vectors; it can always be made again. What all machines must agree on (sources, types, who wrote last) lies on the server, in the
//! collection `clusterlore`; schemas, answers of models and runs lie in the file.
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
mod reader;
mod row;
mod runs;
mod writer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity, Scope};
use tokio::sync::OnceCell;

use crate::Store;
use crate::error::StoreError;
use crate::reader::View;
use crate::sqlite::Sqlite;
use api::Api;
use client::Client;
use handover::Waiting;
use mirror::Stamp;

/// What a server asks for.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A token in the header `x-chroma-token`.
    Token(String),
    /// A token in the header `Authorization`.
    Bearer(String),
    /// User and password.
    Basic {
        /// Who.
        user: String,
        /// Never printed.
        password: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::Bearer(_) => "Bearer(…)",
            Self::Basic { .. } => "Basic(…)",
        })
    }
}

/// Which server, and what is kept beside it.
#[derive(Clone)]
pub struct ChromaOptions {
    /// `http://host:8000`, with a path where a proxy wants one.
    pub url: String,
    /// Tenant of the database.
    pub tenant: String,
    /// Database, which must be there.
    pub database: String,
    /// What the server asks for. User and password in the address serve where there are none here.
    pub credentials: Credentials,
    /// The file of the mirror: one for each server, tenant and database. Made when it is first needed.
    pub local: PathBuf,
    /// How long a running process may take for true what it saw of the server. Longer where reading it again takes long.
    pub fresh_for: Duration,
}

impl std::fmt::Debug for ChromaOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.rsplit('@').next().unwrap_or_default();
        write!(f, "ChromaOptions({host}, {}, {}, {:?})", self.tenant, self.database, self.credentials)
    }
}

impl Default for ChromaOptions {
    /// A server on this machine; the file is to be named.
    fn default() -> Self {
        Self {
            url: "http://localhost:8000".to_owned(),
            tenant: "default_tenant".to_owned(),
            database: "default_database".to_owned(),
            credentials: Credentials::None,
            local: PathBuf::new(),
            fresh_for: Duration::from_millis(500),
        }
    }
}

/// A store on a Chroma server. Clones share everything.
#[derive(Debug, Clone)]
pub struct Chroma {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    api: Api,
    local: PathBuf,
    mirror: OnceCell<Sqlite>,
    fresh_for: Duration,
    /// What was last seen of each collection.
    seen: Mutex<HashMap<Collection, Seen>>,
    /// Until when the known types need no second look.
    types_fresh_until: Mutex<Option<Instant>>,
    /// Id of the collection of notes.
    notes: Mutex<Option<String>>,
    /// Held by what writes to the server or reads it whole: one of both at a time.
    gate: tokio::sync::Mutex<()>,
}

/// A collection as it was last seen.
#[derive(Debug, Clone)]
struct Seen {
    id: String,
    embedder: EmbedderIdentity,
    /// Dimensions of its vectors; `None` until there was one.
    dimension: Option<usize>,
    /// The documents that have no vector of its embedder, where there are such.
    waiting: Option<Arc<Waiting>>,
    /// What the mirror shows.
    stamp: Stamp,
    fresh_until: Instant,
    /// Whether this process has told others that it writes.
    announced: bool,
}

impl Chroma {
    /// Makes sure that the server can be used. Creates nothing, there and here.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], or [`StoreError::Unusable`]: a refused key, no Chroma, one before 1.0, no such tenant or database.
    pub async fn connect(options: ChromaOptions) -> Result<Self, StoreError> {
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
    }

    fn api(&self) -> &Api {
        &self.inner.api
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Collection, Seen>> {
        self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
