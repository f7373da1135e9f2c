//! Connections: taken, bounded, and let go without cutting anybody off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::app::{App, Server};
use crate::router;

/// After a connection could not be taken: most likely too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Listening {
    listener: TcpListener,
    server: Server,
}

impl Listening {
    /// Takes an address; port 0 is any free one.
    ///
    /// # Errors
    /// It is taken, or may not be used.
    pub async fn at(address: SocketAddr, server: Server) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, server })
    }

    /// The address.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` says so or is dropped; then takes nothing new, and ends when what was being answered is answered, or the grace is
    /// over.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { listener, server } = self;
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
            let stream = match taken {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(
                service.clone().map_request(|r: http::Request<hyper::body::Incoming>| r.map(axum::body::Body::new)),
            );
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = connection.await {
                    debug!(%error, "a connection ended");
                }
            });
        }
        drop(listener);
        if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
            warn!("requests were cut off: they took longer than the grace");
        }
    }
}
