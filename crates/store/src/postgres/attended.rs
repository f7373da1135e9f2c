//! Connections that end. A server that vanished, or that took a statement and says nothing of it, must not be waited for without end: TCP
//! tells of the first within a minute or two ([`super::address`]), and of the second nobody.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Silence after which a connection is given up. One that lies idle in the pool is made anew when it is needed. The longest statement that
/// is silent changes every document of a collection: a minute for a million.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// How connections of the pool are made.
#[derive(Clone)]
pub(super) struct Attended {
    pub(super) tls: MakeRustlsConnect,
    pub(super) patience: Duration,
    /// Statements that are under way and may be silent for hours: building an index.
    pub(super) long: Arc<AtomicUsize>,
}

/// While it is there, connections may be silent.
pub(super) struct Long(Arc<AtomicUsize>);

impl Long {
    pub(super) fn begin(long: &Arc<AtomicUsize>) -> Self {
        long.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(long))
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connect for Attended {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(self.tls.clone()).await?;
            let attended = Attending {
                connection: Box::pin(connection),
                asleep: Box::pin(tokio::time::sleep(self.patience)),
                patience: self.patience,
                long: Arc::clone(&self.long),
            };
            Ok((client, tokio::spawn(attended)))
        })
    }
}

/// A connection's work. It is woken when there is something to send or to read, and whenever it is, its patience begins anew.
struct Attending<C> {
    connection: Pin<Box<C>>,
    asleep: Pin<Box<Sleep>>,
    patience: Duration,
    long: Arc<AtomicUsize>,
}

impl<C: Future<Output = Result<(), Error>>> Future for Attending<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let over = self.asleep.as_mut().poll(context).is_ready();
        if over && self.long.load(Ordering::Relaxed) == 0 {
            tracing::debug!(patience = ?self.patience, "a connection to Postgres is silent; it is given up");
            return Poll::Ready(());
        }
        let deadline = Instant::now() + self.patience;
        self.asleep.as_mut().reset(deadline);
        if over {
            // A sleep that ended wakes nobody again before it is asked.
            let _ = self.asleep.as_mut().poll(context);
        }
        match self.connection.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(ended) => {
                // Whoever uses the client hears of the same error.
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection to Postgres ended");
                }
                Poll::Ready(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::{Postgres, address::Address, tls};
    use super::*;

    /// A server that lets everybody in and then never says anything.
    async fn welcoming() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://u@{}/d?sslmode=disable", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut asked = [0; 1_024];
                    let _ = stream.read(&mut asked).await;
                    let welcome = [&b"R\0\0\0\x08\0\0\0\0"[..], b"Z\0\0\0\x05I"].concat();
                    let _ = stream.write_all(&welcome).await;
                    std::future::pending::<()>().await;
                });
            }
        });
        url
    }

    async fn asked(long: bool) -> Result<Result<(), Error>, tokio::time::error::Elapsed> {
        let address = Address::parse(&welcoming().await).unwrap();
        let (tls, patience) = (tls::connector(&address).unwrap(), Duration::from_millis(100));
        let attended = Attended { tls, patience, long: Arc::default() };
        let _long = long.then(|| Long::begin(&attended.long));
        let (client, _task) = attended.connect(&address.config).await.unwrap();
        tokio::time::timeout(Duration::from_secs(1), client.batch_execute("SELECT 1")).await
    }

    #[tokio::test]
    async fn a_server_that_takes_a_statement_and_falls_silent_is_given_up() {
        let error = asked(false).await.expect("it ends").unwrap_err();
        assert!(error.is_closed(), "{error}");
        assert!(asked(true).await.is_err(), "an index may take as long as it takes");
    }

    #[tokio::test]
    async fn a_server_that_does_not_let_in_is_an_error_in_one_line() {
        use clusterlore_testkit::hostile::{HostileServer, Manner};
        let mut all = tokio::task::JoinSet::new();
        for manner in Manner::ALL {
            let server = HostileServer::start(manner.clone()).await;
            let url = format!("postgres://u:s3cret@{}/d?connect_timeout=1", server.address());
            all.spawn(async move {
                (manner, tokio::time::timeout(Duration::from_secs(8), Postgres::open_existing(&url)).await)
            });
        }
        for (manner, opened) in all.join_all().await {
            let error = opened.unwrap_or_else(|_| panic!("{manner:?} takes too long")).unwrap_err().to_string();
            assert!(error.contains("127.0.0.1") && !error.contains('\n'), "{manner:?}: {error}");
            assert!(error.len() < 500 && !error.contains("s3cret"), "{manner:?}: {error}");
        }
    }
}
