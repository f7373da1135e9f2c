//! One request to the API server: sent through kube's client, repeated while that may help, its credentials read again once.

use std::{
    error::Error as StdError,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::{AuthError, Body};
use serde::Deserialize;
use tokio::{sync::Mutex, time::timeout};

use crate::{ClusterError, LiveOptions, config, protobuf, retry::Backoff};

/// What is asked. `accept` names forms in the order in which they are liked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) path: String,
    pub(crate) accept: &'static str,
    /// Present: the request is a POST of JSON.
    pub(crate) post: Option<Vec<u8>>,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>, accept: &'static str) -> Self {
        Self { path: path.into(), accept, post: None }
    }
}

/// The body of a 2xx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The run is over.
    Ends(ClusterError),
    /// The server says no for good: any 4xx that repeating does not change. The text is the server's own.
    Status(StatusCode, String),
    /// All tries are used up.
    Unavailable(String),
}

impl Failure {
    /// The end of the run, or a line for a warning.
    pub(crate) fn into_reason(self) -> Result<String, ClusterError> {
        match self {
            Self::Ends(error) => Err(error),
            Self::Status(code, message) => Ok(status_line(code, &message)),
            Self::Unavailable(reason) => Ok(reason),
        }
    }
}

pub(crate) fn status_line(code: StatusCode, message: &str) -> String {
    if message.is_empty() { code.to_string() } else { format!("{} {message}", code.as_u16()) }
}

/// The way to one API server.
pub(crate) struct Requests {
    pub(crate) options: LiveOptions,
    pub(crate) server: config::Server,
    client: RwLock<(u64, kube::Client)>,
    renewal: Mutex<()>,
    /// Whether the server ever answered: until then a connection that fails ends the run.
    answered: AtomicBool,
}

impl Requests {
    pub(crate) async fn new(options: LiveOptions) -> Result<Self, ClusterError> {
        let (server, client) = config::connect(&options, None).await?;
        let client = RwLock::new((0, client));
        Ok(Self { options, server, client, renewal: Mutex::new(()), answered: AtomicBool::new(false) })
    }

    /// The answer to `ask`. `early` sees what has arrived of the body so far, whenever more has, and is called again from the
    /// beginning when the request is repeated.
    pub(crate) async fn send(&self, ask: &Ask, mut early: impl FnMut(&[u8]) + Send) -> Result<Answer, Failure> {
        let mut backoff = Backoff::new(&self.options.retry);
        let mut renewed = false;
        loop {
            let (mut generation, mut client) = self.client();
            // Where it is known when they end, nobody is asked with credentials that have.
            if client.valid_until().is_some_and(|end| end <= Timestamp::now()) {
                self.renew(generation).await.map_err(Failure::Ends)?;
                (generation, client) = self.client();
            }
            let (pause, reason) = match self.attempt(&client, ask, &mut early).await {
                Ok((status, _, answer)) if status.is_success() => return Ok(answer),
                Ok((StatusCode::UNAUTHORIZED, ..)) => {
                    if renewed {
                        return Err(Failure::Ends(ClusterError::Unauthorized { url: self.server.url.clone() }));
                    }
                    self.renew(generation).await.map_err(Failure::Ends)?;
                    renewed = true;
                    continue;
                }
                Ok((status, headers, answer)) => {
                    let reason = status_line(status, &message_of(&answer));
                    let pause = retry_after(&headers);
                    match status {
                        StatusCode::TOO_MANY_REQUESTS => (backoff.after_throttle(pause), reason),
                        StatusCode::REQUEST_TIMEOUT => (backoff.after_failure(pause), reason),
                        s if s.is_server_error() => (backoff.after_failure(pause), reason),
                        _ => return Err(Failure::Status(status, message_of(&answer))),
                    }
                }
                Err(Broken::Ends(error)) => return Err(Failure::Ends(error)),
                Err(Broken::Unreachable(reason)) => {
                    let pause = backoff.after_failure(None);
                    if pause.is_none() && !self.answered.load(Ordering::Relaxed) {
                        return Err(Failure::Ends(self.server.unreachable(reason)));
                    }
                    (pause, reason)
                }
                Err(Broken::Cut(reason)) => (backoff.after_failure(None), reason),
            };
            let Some(pause) = pause else { return Err(Failure::Unavailable(reason)) };
            tracing::debug!(path = path_only(&ask.path), %reason, ?pause, "asking again");
            tokio::time::sleep(pause).await;
        }
    }

    fn client(&self) -> (u64, kube::Client) {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the credentials again, once for all requests that met their end at the same time.
    async fn renew(&self, used: u64) -> Result<(), ClusterError> {
        let _one_at_a_time = self.renewal.lock().await;
        if self.client().0 == used {
            let (_, client) = config::connect(&self.options, Some(&self.server)).await?;
            *self.client.write().unwrap_or_else(PoisonError::into_inner) = (used + 1, client);
        }
        Ok(())
    }

    async fn attempt(
        &self,
        client: &kube::Client,
        ask: &Ask,
        early: &mut (impl FnMut(&[u8]) + Send),
    ) -> Result<(StatusCode, HeaderMap, Answer), Broken> {
        let mut request = Request::builder().uri(&ask.path).header(header::ACCEPT, ask.accept);
        let body = match &ask.post {
            Some(json) => {
                request = request.method("POST").header(header::CONTENT_TYPE, "application/json");
                Body::from(json.clone())
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(|e| Broken::Cut(e.to_string()))?;
        let limit = self.options.request_timeout;
        let late = |what| Broken::Cut(format!("no {what} within {limit:?}"));
        let response = timeout(limit, client.send(request))
            .await
            .map_err(|_| if self.answered.load(Ordering::Relaxed) { late("answer") } else { unreachable(limit) })?
            .map_err(|e| self.broken(&e))?;
        self.answered.store(true, Ordering::Relaxed);
        let (head, mut body) = response.into_parts();
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
        // A length is a promise of the other side: believed only as far as a wrong one does no harm.
        let mut arrived = BytesMut::with_capacity(length.unwrap_or(0).min(64 << 20));
        while let Some(frame) = timeout(limit, body.frame()).await.map_err(|_| late("more of the answer"))? {
            let frame = frame.map_err(|e| cut(&innermost(&e)))?;
            if let Ok(data) = frame.into_data() {
                arrived.extend_from_slice(&data);
                if head.status.is_success() {
                    early(&arrived);
                }
            }
        }
        let answer = Answer { content_type: content_type.to_ascii_lowercase(), body: arrived.freeze() };
        Ok((head.status, head.headers, answer))
    }

    fn broken(&self, error: &kube::Error) -> Broken {
        let url = || self.server.url.clone();
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(e) = cause {
            if let Some(auth) = e.downcast_ref::<AuthError>() {
                return Broken::Ends(config::credentials(auth));
            }
            if let Some(tls) = tls_error(e) {
                return Broken::Ends(ClusterError::Tls { url: url(), reason: tls });
            }
            if let Some(io) = e.downcast_ref::<std::io::Error>()
                && matches!(
                    io.kind(),
                    std::io::ErrorKind::ConnectionRefused
                        | std::io::ErrorKind::HostUnreachable
                        | std::io::ErrorKind::NetworkUnreachable
                        | std::io::ErrorKind::AddrNotAvailable
                        | std::io::ErrorKind::TimedOut
                )
            {
                // A connection that nobody took in all that time is not tried again before anything was heard of the server.
                if io.kind() == std::io::ErrorKind::TimedOut && !self.answered.load(Ordering::Relaxed) {
                    return Broken::Ends(self.server.unreachable(io.to_string()));
                }
                return Broken::Unreachable(io.to_string());
            }
            cause = e.source();
        }
        let reason = innermost(error);
        if self.answered.load(Ordering::Relaxed) { cut(&reason) } else { Broken::Unreachable(reason) }
    }
}

enum Broken {
    Ends(ClusterError),
    Unreachable(String),
    Cut(String),
}

fn cut(reason: &str) -> Broken {
    Broken::Cut(format!("the connection was cut: {reason}"))
}

fn unreachable(limit: Duration) -> Broken {
    Broken::Unreachable(format!("no answer within {limit:?}"))
}

/// A rustls error hides as the payload of an `io::Error`, which `source` passes over.
fn tls_error(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls.to_string());
    }
    let inner: &(dyn StdError + Send + Sync + 'static) = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    tls_error(inner)
}

fn innermost(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Without the query: a continue token says nothing to a reader.
fn path_only(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The message of a `Status`, one line; nothing of any other body.
fn message_of(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Status {
        kind: String,
        message: Option<String>,
    }
    let message = if protobuf::is_protobuf(&answer.body) {
        protobuf::decode::<protobuf::Status>(answer.body.clone()).map(|s| s.message).unwrap_or_default()
    } else {
        match serde_json::from_slice::<Status>(&answer.body) {
            Ok(status) if status.kind == "Status" => status.message.unwrap_or_default(),
            _ => String::new(),
        }
    };
    one_line(&message)
}

pub(crate) fn one_line(text: &str) -> String {
    let line = clusterlore_core::words::one_line(text);
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Runs a task that ends when nobody waits for it any more.
pub(crate) struct Running<T>(tokio::task::JoinHandle<T>);

impl<T: Send + 'static> Running<T> {
    pub(crate) fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// `None` when the task was torn down with its runtime.
    pub(crate) async fn finish(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) type SharedRequests = Arc<Requests>;
