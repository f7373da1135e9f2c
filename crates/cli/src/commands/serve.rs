//! `clusterlore serve`

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use clusterlore_cluster::ClusterSource;
use clusterlore_core::AnnotationChoice;
use clusterlore_index::Index;
use clusterlore_pipeline::{Clusters, Ingest};
use clusterlore_server::{Auth, Kubernetes, Limits, Resource, Server, Tls, Tokens};
use clusterlore_store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::args::{AuthFlag, Live, Serve};
use crate::done::Done;
use crate::following::{self, Following, Persistence, Shared};
use crate::print::{self, live::Watching};
use crate::settings::{Settings, wrong};
use crate::{build, inbox, stop, telemetry};

/// Types come in one answer, not in pages.
const PAGE_SIZE: u32 = 500;
/// Between two looks at how the clusters are.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that questions wait for what is read ahead of them.
const LONGEST_AHEAD: Duration = Duration::from_secs(10);
const READS_AHEAD: &str = "what every question needs is being read";

pub(crate) async fn run(settings: &Settings, contexts: &[String], flags: &Serve) -> anyhow::Result<Done> {
    let address = match flags.port {
        Some(port) => SocketAddr::from(([127, 0, 0, 1], port)),
        None => flags.listen,
    };
    let tls = match (&flags.tls_cert, &flags.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::open(certificate, key).context("--tls-cert")?),
        _ => None,
    };
    let watched = &flags.watched;
    let is_folder = following::is_folder(settings);
    // Posts and rights are about the one in use also where nothing is watched.
    let contexts = if flags.no_watch { &[] } else { contexts };
    let mut clusters = match !settings.has_cluster() || flags.no_watch && is_folder {
        true => following::Clusters::default(),
        false => following::clusters(settings, contexts, watched.cluster_name.as_deref())?,
    };
    let inference = build::inference(settings, &watched.inference, false)?;
    let catalogue = Arc::new(build::catalogue(settings)?);
    let embedder = build::embedder_for_writing(settings, watched.how.reindex, false).await?;
    let store = build::store_for_writing(settings).await?;
    let lines = Arc::new(Watching::new(clusters.are_several()));
    // Whose rights count, and whom posts are about, is certain before anybody asks.
    let mut own = watched.cluster_name.clone().unwrap_or_default();
    if let Some(in_use) = clusters.all.last_mut().filter(|_| !is_folder) {
        own = in_use.settle(settings, &*store, &lines).await?;
    }
    if flags.no_watch {
        clusters = following::Clusters::default();
    }
    let mut auth = auth(settings, flags, address, &store, own)?;
    let offer = flags.offer.offer(build::investigator(settings)?);

    let index = Index::new(Arc::clone(&store), Arc::clone(&embedder), Arc::clone(&catalogue));
    let index = match flags.live.live {
        Live::Auto if !is_folder => index.with_cluster(build::cluster_in_use(settings)),
        Live::Auto | Live::Never => index,
    };
    let posting = Arc::new(ClusterInUse { settings: settings.clone() });
    let ingest =
        Ingest::new(inbox::of(&*store)?, Arc::clone(&store), Arc::clone(&embedder), posting, inference.clone());
    let ingest = Arc::new(ingest);

    // Taken before anything is written: an address that is in use ends it here.
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {address}; choose another address with --listen"))?;
    let address = listener.local_addr()?;
    if let Auth::Kubernetes { resource, .. } = &mut auth {
        *resource = self::resource(flags, address)?;
    }
    let scheme = scheme(flags);
    // Before anybody is told that it serves, and may end it.
    let mut asked = std::pin::pin!(stop::asked());
    let (stop, stopped) = watch::channel(false);
    lines.tell(None, &format!("Serving on {scheme}://{address} (GET /api/v1/search?q=…); end with Ctrl-C."));
    let shared = Shared {
        store: Arc::clone(&store),
        embedder: Arc::clone(&embedder),
        inference,
        lines: Arc::clone(&lines),
        watched: Arc::clone(&ingest.watched),
        stopped: stopped.clone(),
    };
    let mut following = Following::start(settings, clusters, watched, &shared, Persistence::StandsBy)?;
    let (ready, readiness) = watch::channel(following.readiness().and_then(|()| Err(READS_AHEAD.to_owned())));
    let limits =
        Limits { rate: f64::from(flags.rate), concurrency: usize::from(flags.max_requests), ..Limits::default() };
    let index = Arc::new(index);
    let server = Server {
        index: Arc::clone(&index),
        catalogue,
        store,
        ingest: Some(Arc::clone(&ingest)),
        live: Arc::clone(&ingest.watched),
        auth,
        allowed_hosts: flags.allowed_host.clone(),
        offer,
        ready: readiness,
        limits,
        continued: telemetry::continued,
    };
    let mut serving = tokio::spawn(clusterlore_server::serve(listener, server, tls, stopped.clone()));
    let posts = tokio::spawn(async move { ingest.run(stopped).await });
    let (of_one, mut failed) = (following.is_of_one(), None);
    let mut ahead: Option<JoinHandle<()>> = None;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            served = &mut serving => break served?,
            Some((name, Err(error))) = following.ended() => {
                // Without any cluster to follow there is nothing to serve: what was asked for is not done.
                if of_one {
                    failed = Some(error);
                    stop.send_replace(true);
                } else {
                    lines.hidden(|| print::error(&error.context(format!("cluster {name}"))));
                }
            }
            _ = look.tick() => {
                following.look().await;
                lines.show(&following.states());
                let mut now = following.readiness();
                if now.is_ok() {
                    let ahead = ahead.get_or_insert_with(|| tokio::spawn(read_ahead(Arc::clone(&index))));
                    now = if ahead.is_finished() { now } else { Err(READS_AHEAD.to_owned()) };
                }
                ready.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
            }
            () = &mut asked, if !*stop.borrow() => {
                lines.tell(None, "Stopping; what is being answered and written is ended first.");
                stop.send_replace(true);
            }
        }
    }
    while following.ended().await.is_some() {}
    posts.await?;
    lines.finish();
    embedder.settled();
    failed.map_or(Ok(Done::Whole), Err)
}

/// Who asks first should not wait for what all need. What cannot be read now is told to those who ask.
async fn read_ahead(index: Arc<Index>) {
    match timeout(LONGEST_AHEAD, index.warm()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the index was not read ahead"),
        Err(_) => tracing::info!("the index is large; the first questions read the rest of it"),
    }
}

fn auth(
    settings: &Settings,
    flags: &Serve,
    address: SocketAddr,
    store: &Arc<dyn Store>,
    cluster: String,
) -> anyhow::Result<Auth> {
    let how = match (flags.auth, &flags.tokens) {
        (Some(how), _) => how,
        (None, Some(_)) => AuthFlag::Token,
        (None, None) => AuthFlag::None,
    };
    if !flags.audience.is_empty() && how != AuthFlag::Kubernetes {
        return Err(wrong("--audience is about --auth kubernetes; add that, or leave it out".to_owned()));
    }
    if !flags.oidc_issuer.is_empty() && how != AuthFlag::Kubernetes {
        return Err(wrong(
            "--oidc-issuer is about --auth kubernetes, whose API server trusts the issuer; add that, or leave it out"
                .to_owned(),
        ));
    }
    let tokens = match &flags.tokens {
        Some(file) => Some(Arc::new(Tokens::open(file).context("--tokens")?)),
        None => None,
    };
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
        (AuthFlag::Kubernetes, _) if following::is_folder(settings) => Err(wrong(
            "--auth kubernetes asks one API server who is who; expected a file in --kubeconfig, or --auth token"
                .to_owned(),
        )),
        (AuthFlag::Kubernetes, tokens) => {
            let door = build::cluster_in_use(settings);
            let api = Kubernetes::new(door, Arc::clone(store), cluster, flags.audience.clone());
            Ok(Auth::Kubernetes { api, tokens, resource: resource(flags, address)? })
        }
    }
}

fn scheme(flags: &Serve) -> &'static str {
    if flags.tls_cert.is_some() { "https" } else { "http" }
}

/// What clients are told of where tokens come from, of a server at this address.
fn resource(flags: &Serve, address: SocketAddr) -> anyhow::Result<Option<Resource>> {
    if flags.oidc_issuer.is_empty() {
        return Ok(None);
    }
    // Never of what a request says of itself: whoever sends it could have clients sent elsewhere.
    let listened_on =
        || format!("{}://{address}", scheme(flags)).parse().ok().filter(|_| !address.ip().is_unspecified());
    let url = flags.public_url.clone().or_else(listened_on).ok_or_else(|| {
        wrong(format!(
            "--oidc-issuer tells clients the address of this server, and {}://{address} is none that they can use; expected --public-url https://HOST",
            scheme(flags)
        ))
    })?;
    Ok(Some(Resource { url, issuers: flags.oidc_issuer.clone() }))
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
