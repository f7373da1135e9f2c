//! What handlers share.

use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_index::Index;
use clusterlore_pipeline::{Ingest, Watched};
use clusterlore_store::Store;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::auth::Auth;
use crate::limits::{Limits, Rates};
use crate::mcp::Offer;
use crate::metrics::Metrics;

/// Whether questions can be answered from all that is to be known; the text says why not.
pub type Readiness = watch::Receiver<Result<(), String>>;

/// Puts the span of a request under that of its caller, which the headers may name.
pub type Continued = fn(&tracing::Span, &http::HeaderMap);

/// What is served, and to whom.
pub struct Server {
    /// What is asked.
    pub index: Arc<Index>,
    /// What is known of software, for answers in sentences.
    pub catalogue: Arc<Catalogue>,
    /// Where the index is kept.
    pub store: Arc<dyn Store>,
    /// What takes posts; `None`: nobody may post.
    pub ingest: Option<Arc<Ingest>>,
    /// The clusters that are watched.
    pub live: Arc<Watched>,
    /// Who may ask and post.
    pub auth: Auth,
    /// Names by which assistants reach the server, besides those of this machine: a host, or a host and its port.
    pub allowed_hosts: Vec<String>,
    /// What assistants are offered.
    pub offer: Offer,
    /// Whether the first sync is in.
    pub ready: Readiness,
    /// How much is taken.
    pub limits: Limits,
    /// What makes a request a part of its caller's trace.
    pub continued: Continued,
}

/// A server at work.
pub(crate) struct App {
    pub(crate) server: Server,
    pub(crate) rates: Rates,
    pub(crate) metrics: Metrics,
    pub(crate) audit: Audit,
}

impl App {
    pub(crate) fn new(server: Server) -> Self {
        let rates = Rates::new(&server.limits);
        Self { server, rates, metrics: Metrics::new(), audit: Audit::new() }
    }
}
