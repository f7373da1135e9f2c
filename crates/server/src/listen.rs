//! Connections: taken, bounded, and let go without cutting anybody off.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tower::ServiceExt;
use tower_http::normalize_path::NormalizePath;
use tracing::{debug, warn};

use crate::app::{App, Server};
use crate::connection::Connection;
use crate::router;
use crate::tls::Tls;

/// After a connection could not be taken: most likely too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` says so or is dropped; then takes nothing new, and ends when what was being answered is answered, or the grace is
/// over. With TLS it speaks that only.
pub async fn serve(listener: TcpListener, server: Server, tls: Option<Tls>, mut stop: watch::Receiver<bool>) {
    let limits = server.limits.clone();
    let service = router::service(Arc::new(App::new(server)));
    let room = Arc::new(Semaphore::new(limits.connections.max(1)));
    let graceful = GracefulShutdown::new();
    loop {
        let taken = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (taken, place) = tokio::select! {
            taken = taken => taken,
            changed = stop.changed() => match changed {
                Ok(()) if !*stop.borrow() => continue,
                _ => break,
            },
        };
        let (stream, peer) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (service, watcher, acceptor) = (service.clone(), graceful.watcher(), tls.as_ref().map(Tls::acceptor));
        let head = limits.head;
        let connection = Connection { peer, is_tls: acceptor.is_some() };
        tokio::spawn(async move {
            let _place = place;
            let Some(acceptor) = acceptor else {
                return connected(stream, connection, service, head, watcher).await;
            };
            // A handshake is waited for as long as a request's head is.
            match timeout(head, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => connected(stream, connection, service, head, watcher).await,
                Ok(Err(error)) => debug!(%error, "a TLS handshake failed"),
                Err(_) => debug!("a TLS handshake took too long"),
            }
        });
    }
    drop(listener);
    if timeout(limits.grace, graceful.shutdown()).await.is_err() {
        warn!("requests were cut off: they took longer than the grace");
    }
}

/// Answers what comes on one connection.
async fn connected<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    connection: Connection,
    service: NormalizePath<Router>,
    head: Duration,
    watcher: Watcher,
) {
    let service = service.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(connection);
        request
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection ended");
    }
}
