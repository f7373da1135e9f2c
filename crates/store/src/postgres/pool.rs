//! The store: its connections, and what was read of the server that need not be read again.

use futures::future::BoxFuture;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clusterlore_core::{ResourceType, Scope};
use deadpool_postgres::{
    Connect as _, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::attended::{Attended, PATIENCE};
use super::fault::Fault;
use super::schema::Server;
use super::{schema, tls};
use crate::error::StoreError;
use crate::reader::{Terms, Vocabulary};

/// Connections of one process: a search holds one for some milliseconds, a sync one.
const CONNECTIONS: usize = 8;
/// How long to wait for one of them. A batch of a first sync takes a second, and there may be a queue.
const WAIT: Duration = Duration::from_secs(60);

/// Scopes of which is kept what was read under them; with one more the one that was asked for longest ago is read again.
const KEPT_SCOPES: usize = 32;

/// A store on a Postgres server. Clones share connections.
#[derive(Clone)]
pub struct Postgres {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) address: Address,
    pub(super) tls: MakeRustlsConnect,
    pub(super) server: Server,
    pub(super) pool: Pool,
    /// Statements under way that may be silent for long.
    pub(super) long: Arc<AtomicUsize>,
    /// What was read of a collection, by its number, under a scope; what was asked for last at the end.
    pub(super) kept: Mutex<Vec<(i32, Scope, Kept)>>,
    /// The known types, with the revision that they show.
    pub(super) types: Mutex<Option<(i64, Arc<KnownTypes>)>>,
    /// Clusters whose lock this process held and lost: it writes nothing of them until it has it again.
    pub(super) lost: Arc<Mutex<BTreeSet<String>>>,
}

/// What searches ask for again and again, each with the revision that it shows.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) documents: Option<(i64, usize)>,
    pub(super) vocabulary: Option<(i64, Arc<Vocabulary>)>,
    pub(super) terms: Option<(i64, Arc<Terms>)>,
    /// Documents that hold a term, of the terms that were asked for; where no tally says it.
    pub(super) frequencies: (i64, HashMap<String, usize>),
}

pub(super) type KnownTypes = Vec<(String, ResourceType)>;

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("place", &self.inner.address.place).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Opens the store for writing, making schema and tables where they are missing, all in one transaction.
    ///
    /// `url` is `postgres://USER:PASSWORD@HOST:PORT/DATABASE` with libpq's parameters (`sslmode`, `sslrootcert`, `connect_timeout` and
    /// more), and `schema=NAME` for another schema than `clusterlore`.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::Unusable`] and [`StoreError::Newer`], before anything is written.
    pub fn open_or_create<'f>(url: &'f str) -> BoxFuture<'f, Result<Self, StoreError>> {
        Box::pin(async move { Self::open(url, true).await })
    }

    /// Opens a store that is there, for searching. Nothing is written; a role that only reads, a standby and
    /// `default_transaction_read_only` are enough.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is none, else as [`Self::open_or_create`].
    pub fn open_existing<'f>(url: &'f str) -> BoxFuture<'f, Result<Self, StoreError>> {
        Box::pin(async move { Self::open(url, false).await })
    }

    /// Server and extension with their versions: `Postgres 16.14, pgvector 0.8.5`.
    pub fn versions(&self) -> String {
        let server = &self.inner.server;
        format!("Postgres {}, pgvector {}", server.version, server.pgvector().unwrap_or("missing"))
    }

    async fn open(url: &str, create: bool) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let tls = tls::connector(&address)?;
        let at = |fault: Fault| fault.into_error(&address);
        let (mut client, _connection) = connect(&address, &tls).await.map_err(at)?;
        let server = match create {
            true => schema::migrate(&mut client, &address).await,
            false => schema::existing(&client, &address).await,
        };
        let server = server.map_err(at)?;
        drop(client);
        let long = Arc::default();
        let pool = pool(&address, &tls, &server, &long)
            .map_err(|e| StoreError::Other { place: address.place.clone(), detail: e.to_string() })?;
        let (kept, types) = (Mutex::default(), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { address, tls, server, pool, long, kept, types, lost: Arc::default() }) })
    }

    pub(super) fn address(&self) -> &Address {
        &self.inner.address
    }

    pub(super) async fn client(&self) -> Result<Object, Fault> {
        Ok(self.inner.pool.get().await?)
    }

    /// Where one connection is lost the others are, too; those that lie idle do not know it yet.
    pub(super) fn forget_connections(&self) {
        self.inner.pool.retain(|_, _| false);
    }

    pub(super) fn kept<T>(&self, collection: i32, scope: &Scope, with: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // All that sees everything is one, whatever its reason.
        let same = |(of, known, _): &(i32, Scope, Kept)| {
            *of == collection && (known == scope || (known.is_all() && scope.is_all()))
        };
        let (.., mut of_scope) = match kept.iter().position(same) {
            Some(at) => kept.remove(at),
            None => (collection, scope.clone(), Kept::default()),
        };
        if kept.len() >= KEPT_SCOPES {
            kept.remove(0);
        }
        let done = with(&mut of_scope);
        kept.push((collection, scope.clone(), of_scope));
        done
    }
}

/// A connection of its own, and its work; it ends when the client is dropped.
pub(super) async fn connect(address: &Address, tls: &MakeRustlsConnect) -> Result<(Client, JoinHandle<()>), Fault> {
    let attended = Attended { tls: tls.clone(), patience: PATIENCE, long: Arc::default() };
    let bound = address.whole_connect();
    let connecting = tokio::time::timeout(bound, attended.connect(&address.config)).await;
    let connected = connecting.map_err(|_| StoreError::Unreachable {
        place: address.place.clone(),
        detail: format!("no connection came about within {bound:?}"),
    })??;
    Ok(connected)
}

fn pool(
    address: &Address,
    tls: &MakeRustlsConnect,
    server: &Server,
    long: &Arc<AtomicUsize>,
) -> Result<Pool, deadpool_postgres::BuildError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let attended = Attended { tls: tls.clone(), patience: PATIENCE, long: Arc::clone(long) };
    let manager = Manager::from_connect(address.config.clone(), attended, recycling);
    // Plans hang on what is looked for (which filter, how many), so a plan for all cases is never the right one; and compiling one takes
    // longer than any of ours runs.
    let path = server.search_path(&address.schema);
    // A statement of a process that was killed must not keep others waiting until its end. Not every system can tell.
    let abandoned = "SELECT set_config('client_connection_check_interval', '5s', false) WHERE version() LIKE '%linux%'";
    let session =
        format!("SET search_path = {path}; SET plan_cache_mode = force_custom_plan; SET jit = off; {abandoned}");
    let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        let session = session.clone();
        Box::pin(async move { client.batch_execute(&session).await.map_err(HookError::Backend) })
    });
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(address.whole_connect()))
        .post_create(prepare)
        .build()
}
