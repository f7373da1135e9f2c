//! `clusterlore serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use clusterlore_cluster::ClusterSource;
use clusterlore_core::AnnotationChoice;
use clusterlore_index::Index;
use clusterlore_pipeline::{Clusters, Ingest};
use clusterlore_server::{Auth, Kubernetes, Limits, Listening, Server, Tls, Tokens};
use clusterlore_store::{Inbox, Store, StoreError};
use tokio::sync::watch;

use crate::args::{AuthFlag, Live, Serve};
use crate::done::Done;
use crate::settings::{Settings, wrong};
use crate::{build, print, stop};

/// Types come in one answer, not in pages.
const PAGE_SIZE: u32 = 500;

pub(crate) async fn run(settings: &Settings, flags: &Serve) -> anyhow::Result<Done> {
    let address = match flags.port {
        Some(port) => SocketAddr::from(([127, 0, 0, 1], port)),
        None => flags.listen,
    };
    let tls = match (&flags.tls_cert, &flags.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::open(certificate, key).context("--tls-cert")?),
        _ => None,
    };
    let inference = build::inference(settings, &flags.inference, false)?;
    let catalogue = Arc::new(build::catalogue(settings)?);
    let embedder = build::embedder_for_writing(settings, false, false).await?;
    let store = build::store_for_writing(settings).await?;
    let auth = auth(settings, flags, address, &store)?;

    let index = Index::new(Arc::clone(&store), Arc::clone(&embedder), Arc::clone(&catalogue));
    let index = match flags.live.live {
        Live::Auto => index.with_cluster(build::cluster_in_use(settings)),
        Live::Never => index,
    };
    let inbox = inbox(&*store)?;
    let clusters = Arc::new(ClusterInUse { settings: settings.clone() });
    let ingest = Arc::new(Ingest::new(inbox, Arc::clone(&store), embedder, clusters, inference));
    let (_ready, ready) = watch::channel(Ok(()));
    let server = Server {
        index: Arc::new(index),
        catalogue,
        store,
        ingest: Some(Arc::clone(&ingest)),
        auth,
        ready,
        limits: Limits {
            rate: f64::from(flags.rate),
            concurrency: usize::from(flags.concurrency),
            ..Limits::default()
        },
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listening = Listening::at(address, server, tls)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another address with --listen"))?;
    let address = listening.address()?;
    print::note(&format!("Serving on {scheme}://{address} (GET /api/v1/search?q=…); end with Ctrl-C."));
    let stop = stop::asked().context("signals cannot be listened to")?;
    let working = tokio::spawn({
        let stop = stop.clone();
        async move { ingest.run(stop).await }
    });
    listening.serve(stop).await;
    working.await?;
    print::note("Stopped; what was posted and not written yet is written when the server runs again.");
    Ok(Done::Whole)
}

fn auth(settings: &Settings, flags: &Serve, address: SocketAddr, store: &Arc<dyn Store>) -> anyhow::Result<Auth> {
    let how = match (flags.auth, &flags.tokens) {
        (Some(how), _) => how,
        (None, Some(_)) => AuthFlag::Token,
        (None, None) => AuthFlag::None,
    };
    if !flags.audience.is_empty() && how != AuthFlag::Kubernetes {
        return Err(wrong("--audience is about --auth kubernetes; add that, or leave it out".to_owned()));
    }
    let tokens = match &flags.tokens {
        Some(file) => Some(Arc::new(Tokens::open(file).context("--tokens")?)),
        None => None,
    };
    let cluster = flags.cluster_name.clone().unwrap_or_default();
    match (how, tokens) {
        (AuthFlag::None, Some(_)) => Err(wrong("--tokens is not for --auth none; expected one of them".to_owned())),
        (AuthFlag::None, None) if !address.ip().is_loopback() => Err(wrong(format!(
            "without --auth whoever reaches {address} would see everything; expected a loopback address such as 127.0.0.1, or --auth"
        ))),
        (AuthFlag::None, None) => Ok(Auth::Open { writes: cluster }),
        (AuthFlag::Token, None) => {
            Err(wrong("--auth token needs --tokens FILE; make one with \"clusterlore token\"".to_owned()))
        }
        (AuthFlag::Token, Some(tokens)) => Ok(Auth::Tokens(tokens)),
        (AuthFlag::Kubernetes, tokens) => {
            let door = build::cluster_in_use(settings);
            let api = Kubernetes::new(door, Arc::clone(store), cluster, flags.audience.clone());
            Ok(Auth::Kubernetes { api, tokens })
        }
    }
}

/// What was posted waits among the user's data, in one file for each store.
fn inbox(store: &dyn Store) -> anyhow::Result<Inbox> {
    let place = store.place().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    // A name may be no longer than 255 bytes; its end tells stores apart best.
    let place = &place[place.len().saturating_sub(200)..];
    let path: PathBuf = build::data_folder()?.join(format!("inbox {place}.db"));
    Inbox::open(&path).map_err(|error| match error {
        StoreError::Locked { .. } => {
            anyhow!(
                "another \"clusterlore serve\" of this user takes posts for {}; end it, or give this one another store",
                store.place()
            )
        }
        error => anyhow!(error).context("posts cannot be kept"),
    })
}

/// The cluster of the context in use, for the types that a controller names.
struct ClusterInUse {
    settings: Settings,
}

#[async_trait]
impl Clusters for ClusterInUse {
    async fn cluster(&self, _name: &str) -> Result<Arc<dyn ClusterSource>, String> {
        match build::live(&self.settings, PAGE_SIZE, AnnotationChoice::default()).await {
            Ok(source) => Ok(Arc::new(source)),
            Err(error) => Err(format!("{error:#}")),
        }
    }
}
