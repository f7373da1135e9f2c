//! One request to the API server: sent through kube's client, repeated while that may help, its credentials read again once; and
//! bounded in time and bytes, whatever the server does.

use std::{
    error::Error as StdError,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use clusterlore_http::{LARGEST_REASON, innermost, read, retry_after};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::{AuthError, Body};
use serde::Deserialize;
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::error::ClusterError;
use crate::line::one_line;
use crate::options::LiveOptions;
use crate::retry::{Backoff, Patience, Waits};
use crate::{config, protobuf};

/// Bytes of an answer that is read whole before it is decoded: discovery, reviews.
const WHOLE_BYTES: u64 = 16 << 20;
/// What is decoded at once of an answer: the smallest objects become a hundred times as large.
const PIECE_BYTES: usize = 64 << 10;
/// Only one request at a time may hold more than this many bytes that cannot be decoded yet.
const LARGE_BYTES: usize = 2 << 20;

/// What is asked. `accept` names forms in the order in which they are liked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) path: String,
    pub(crate) accept: &'static str,
    /// Present: the request is a POST of JSON.
    pub(crate) post: Option<Vec<u8>>,
    /// Present: the request is a PATCH that applies this object, in JSON.
    pub(crate) apply: Option<Vec<u8>>,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>, accept: &'static str) -> Self {
        Self { path: path.into(), accept, post: None, apply: None }
    }
}

/// What becomes of the body of a 2xx while it arrives.
pub(crate) trait Take: Send {
    /// A body of this content type begins. What came of an earlier try counts no more.
    fn begin(&mut self, content_type: &str) -> Result<(), String>;
    /// A piece of it.
    fn push(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// Bytes that are held until more comes.
    fn held(&self) -> usize;
    /// Whether something should be handed on before more comes. What keeps the body whole hands nothing on.
    fn is_full(&self) -> bool {
        false
    }
    /// Hands it on.
    fn hand_on(&mut self) -> impl Future<Output = Result<(), ClusterError>> + Send {
        std::future::ready(Ok(()))
    }
    /// That was all: whether it is whole.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// The body of a 2xx, whole.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Of a large one: no other is read while this one is held.
    _large: Option<OwnedSemaphorePermit>,
}

impl Take for Answer {
    fn begin(&mut self, _: &str) -> Result<(), String> {
        self.body.clear();
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.body.capacity() - self.body.len() < bytes.len() {
            // By less than half, as a large one would else take twice its size.
            self.body.reserve_exact(bytes.len().max(self.body.len() / 4));
        }
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn held(&self) -> usize {
        self.body.len()
    }
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
    pub(crate) patience: Patience,
    large: Arc<Semaphore>,
}

impl Requests {
    pub(crate) async fn new(options: LiveOptions) -> Result<Self, ClusterError> {
        let (server, client) = config::connect(&options, None).await?;
        let client = RwLock::new((0, client));
        let patience = Patience::new(options.run_timeout, options.request_timeout);
        Ok(Self {
            options,
            server,
            client,
            renewal: Mutex::new(()),
            answered: AtomicBool::new(false),
            patience,
            large: Arc::new(Semaphore::new(1)),
        })
    }

    /// The answer to `ask`, of at most 16 MiB.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Answer, Failure> {
        self.send_large(ask, WHOLE_BYTES).await
    }

    /// The answer to `ask`, of at most so many bytes.
    pub(crate) async fn send_large(&self, ask: &Ask, most: u64) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        answer._large = self.receive(ask, most, &mut answer).await?;
        Ok(answer)
    }

    /// Gives the answer to `ask`, of at most so many bytes, to `taker` while it arrives. A permit comes with what is still held and large.
    pub(crate) async fn receive(
        &self,
        ask: &Ask,
        most: u64,
        taker: &mut impl Take,
    ) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        let mut waited = Duration::ZERO;
        let received = self.try_to_receive(ask, most, taker, &mut waited).await;
        if matches!(received, Err(Failure::Unavailable(_))) {
            self.patience.lost(waited);
        }
        received
    }

    async fn try_to_receive(
        &self,
        ask: &Ask,
        most: u64,
        taker: &mut impl Take,
        waited: &mut Duration,
    ) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        let mut backoff = Backoff::new(&self.options.retry);
        let mut renewed = false;
        loop {
            let (generation, client) = self.valid_client().await.map_err(Failure::Ends)?;
            let Some(waits) = self.patience.waits(self.options.answer_timeout) else {
                return Err(Failure::Unavailable(format!(
                    "the time of the run is used up: it may read for {:?}",
                    self.options.run_timeout
                )));
            };
            let mut waiting = Waiting { waits, waited: Duration::ZERO };
            let end = self.attempt(&client, ask, most, taker, &mut waiting).await;
            *waited += waiting.waited;
            let (pause, reason) = match end {
                Ok(permit) => return Ok(permit),
                Err(Broken::Refused(StatusCode::UNAUTHORIZED, ..)) => {
                    self.renew_once(generation, &mut renewed).await.map_err(Failure::Ends)?;
                    continue;
                }
                Err(Broken::Refused(status, headers, body)) => {
                    let message = message_of(&body);
                    let pause = retry_after(&headers);
                    let pause = match status {
                        StatusCode::TOO_MANY_REQUESTS => backoff.after_throttle(pause),
                        StatusCode::REQUEST_TIMEOUT => backoff.after_failure(pause),
                        s if s.is_server_error() => backoff.after_failure(pause),
                        _ => return Err(Failure::Status(status, message)),
                    };
                    (pause, status_line(status, &message))
                }
                Err(Broken::Ends(error)) => return Err(Failure::Ends(error)),
                Err(Broken::Unreachable(reason)) => {
                    let pause = backoff.after_failure(None).filter(|_| waits.again);
                    if pause.is_none() && !self.answered.load(Ordering::Relaxed) {
                        return Err(Failure::Ends(self.server.unreachable(reason)));
                    }
                    (pause, reason)
                }
                Err(Broken::Cut(reason)) => (backoff.after_failure(None), reason),
                Err(Broken::Unfit(reason)) => (None, reason),
            };
            let Some(pause) = pause.filter(|_| waits.again) else { return Err(Failure::Unavailable(reason)) };
            tracing::debug!(path = path_only(&ask.path), %reason, ?pause, "asking again");
            *waited += pause;
            tokio::time::sleep(pause).await;
        }
    }

    /// The body of the answer to `ask`, to be read as long as it lasts, but not more than so many bytes. One try, and one more with credentials that were read again; how
    /// long to wait for more of it, and for its end, is the reader's to say.
    pub(crate) async fn open_endless(&self, ask: &Ask, most: u64) -> Result<Arriving, Failure> {
        let piece = self.options.request_timeout;
        let mut renewed = false;
        loop {
            let (generation, client) = self.valid_client().await.map_err(Failure::Ends)?;
            let waits = Waits { piece, whole: piece * 2, again: false };
            let mut waiting = Waiting { waits, waited: Duration::ZERO };
            let end = self.open(&client, ask, most, &mut waiting).await;
            if let Some(arriving) = self.of_one_try(end, generation, &mut renewed).await? {
                return Ok(arriving);
            }
        }
    }

    /// As [`Self::receive`], for somebody who waits: one try, one more with credentials that were read again, and at most this long. The
    /// patience of a run is not used up.
    pub(crate) async fn receive_once(
        &self,
        ask: &Ask,
        most: u64,
        within: Duration,
        taker: &mut impl Take,
    ) -> Result<(), Failure> {
        let mut renewed = false;
        loop {
            let (generation, client) = self.valid_client().await.map_err(Failure::Ends)?;
            let waits = Waits { piece: within, whole: within, again: false };
            let mut waiting = Waiting { waits, waited: Duration::ZERO };
            let end = self.attempt(&client, ask, most, taker, &mut waiting).await;
            let end = end.map_err(|broken| match broken {
                Broken::Unreachable(reason) => Broken::Ends(self.server.unreachable(reason)),
                other => other,
            });
            if self.of_one_try(end, generation, &mut renewed).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// What came of a request that is made once; `None`: the credentials were read again, so it is made once more.
    async fn of_one_try<T>(&self, end: Result<T, Broken>, used: u64, renewed: &mut bool) -> Result<Option<T>, Failure> {
        match end {
            Ok(got) => Ok(Some(got)),
            Err(Broken::Refused(StatusCode::UNAUTHORIZED, ..)) => {
                self.renew_once(used, renewed).await.map_err(Failure::Ends)?;
                Ok(None)
            }
            Err(Broken::Refused(status, _, body)) => Err(Failure::Status(status, message_of(&body))),
            Err(Broken::Ends(error)) => Err(Failure::Ends(error)),
            Err(Broken::Unreachable(reason) | Broken::Cut(reason) | Broken::Unfit(reason)) => {
                Err(Failure::Unavailable(reason))
            }
        }
    }

    /// The client. Where it is known when they end, nobody is asked with credentials that have.
    async fn valid_client(&self) -> Result<(u64, kube::Client), ClusterError> {
        let (generation, client) = self.client();
        if client.valid_until().is_none_or(|end| end > Timestamp::now()) {
            return Ok((generation, client));
        }
        self.renew(generation).await?;
        Ok(self.client())
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

    /// After a 401; a second one ends the run.
    async fn renew_once(&self, used: u64, renewed: &mut bool) -> Result<(), ClusterError> {
        if std::mem::replace(renewed, true) {
            return Err(ClusterError::Unauthorized { url: self.server.url.clone() });
        }
        self.renew(used).await
    }

    async fn attempt(
        &self,
        client: &kube::Client,
        ask: &Ask,
        most: u64,
        taker: &mut impl Take,
        waiting: &mut Waiting,
    ) -> Result<Option<OwnedSemaphorePermit>, Broken> {
        let mut arriving = self.open(client, ask, most, waiting).await?;
        taker.begin(&arriving.content_type).map_err(Broken::Unfit)?;
        let mut large = None;
        while let Some(data) = waiting.on(arriving.next(), "more of the answer").await?? {
            for piece in data.chunks(PIECE_BYTES) {
                taker.push(piece).map_err(Broken::Unfit)?;
                if taker.is_full() {
                    // Whoever is to take it may wait for another request, and that for the permit.
                    large = None;
                    taker.hand_on().await.map_err(Broken::Ends)?;
                }
            }
            if taker.held() <= LARGE_BYTES {
                large = None;
            } else if large.is_none() {
                let permit = Arc::clone(&self.large).acquire_owned();
                large = waiting.on_others(permit).await?.ok();
            }
        }
        taker.end().map_err(Broken::Unfit)?;
        Ok(large)
    }

    /// Sends `ask`; what comes of it is a 2xx whose body may be read.
    async fn open(
        &self,
        client: &kube::Client,
        ask: &Ask,
        most: u64,
        waiting: &mut Waiting,
    ) -> Result<Arriving, Broken> {
        let mut request = Request::builder().uri(&ask.path).header(header::ACCEPT, ask.accept);
        let body = match (&ask.post, &ask.apply) {
            (Some(json), _) => {
                request = request.method("POST").header(header::CONTENT_TYPE, "application/json");
                Body::from(json.clone())
            }
            // JSON is YAML.
            (None, Some(json)) => {
                request = request.method("PATCH").header(header::CONTENT_TYPE, "application/apply-patch+yaml");
                Body::from(json.clone())
            }
            (None, None) => Body::empty(),
        };
        let request = request.body(body).map_err(|e| Broken::Unfit(e.to_string()))?;
        let response = waiting.on(client.send(request), "answer").await;
        let response = match response {
            Err(Broken::Cut(reason)) if !self.answered.load(Ordering::Relaxed) => Err(Broken::Unreachable(reason)),
            other => other,
        };
        let response = response?.map_err(|e| self.broken(&e))?;
        self.answered.store(true, Ordering::Relaxed);
        let (head, body) = response.into_parts();
        // What is only a part (206), or somebody else's word (203), is no answer to what was read.
        let sends = ask.post.is_some() || ask.apply.is_some();
        let taken = if sends { head.status.is_success() } else { head.status == StatusCode::OK };
        if !taken {
            let mut text = BytesMut::new();
            waiting.waits.whole = waiting.waits.whole.min(waiting.waits.piece);
            // The status counts, whatever becomes of its text.
            let _ = waiting.on(read(body, LARGEST_REASON, waiting.waits.piece, &mut text), "error").await;
            return Err(Broken::Refused(head.status, head.headers, text));
        }
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !matches!(text(header::CONTENT_ENCODING), "" | "identity") {
            return Err(Broken::Unfit("the answer is compressed in a way that was not asked for".to_owned()));
        }
        let content_type = text(header::CONTENT_TYPE).to_ascii_lowercase();
        Ok(Arriving { content_type, body, arrived: 0, most })
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

/// The body of a 2xx while it arrives: the one way in which lists, whole answers and watches are read.
pub(crate) struct Arriving {
    /// In small letters.
    pub(crate) content_type: String,
    body: Body,
    arrived: u64,
    most: u64,
}

impl Arriving {
    /// The next piece; `None` at the end. Nothing is lost where this is dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(|e| cut(&innermost(&e)))?.into_data() else { continue };
            self.arrived += data.len() as u64;
            if self.arrived > self.most {
                return Err(Broken::Unfit(format!("the answer has more than {} MiB", self.most >> 20)));
            }
            return Ok(Some(data));
        }
        Ok(None)
    }
}

/// Why an answer cannot be read, or no further.
pub(crate) enum Broken {
    /// Any status but a 2xx, with the beginning of its body.
    Refused(StatusCode, HeaderMap, BytesMut),
    Ends(ClusterError),
    Unreachable(String),
    /// Asking again may help.
    Cut(String),
    /// It will not.
    Unfit(String),
}

/// What one try has waited for the server, and may still wait. Time in which others are waited for does not count.
struct Waiting {
    waits: Waits,
    waited: Duration,
}

impl Waiting {
    async fn on<F: Future>(&mut self, work: F, what: &str) -> Result<F::Output, Broken> {
        let (began, limit) = (Instant::now(), self.waits.piece.min(self.waits.whole));
        let done = timeout(limit, work).await;
        let took = began.elapsed();
        self.waited += took;
        self.waits.whole = self.waits.whole.saturating_sub(took);
        match done {
            Ok(done) if !self.waits.whole.is_zero() => Ok(done),
            Ok(_) => Err(self.too_long()),
            Err(_) if self.waits.whole.is_zero() && self.waited > self.waits.piece => Err(self.too_long()),
            Err(_) => Err(Broken::Cut(format!("no {what} within {limit:?}"))),
        }
    }

    /// Waits for other requests.
    async fn on_others<F: Future>(&mut self, work: F) -> Result<F::Output, Broken> {
        timeout(self.waits.whole, work).await.map_err(|_| self.too_long())
    }

    fn too_long(&self) -> Broken {
        Broken::Unfit(format!("the answer did not come to its end within {:.0?}", self.waited))
    }
}

fn cut(reason: &str) -> Broken {
    Broken::Cut(format!("the connection was cut: {reason}"))
}

/// A rustls error hides as the payload of an `io::Error`, which `source` passes over.
fn tls_error(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls.to_string());
    }
    let inner: &(dyn StdError + Send + Sync + 'static) = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    tls_error(inner)
}

/// Without the query: a continue token says nothing to a reader.
fn path_only(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// The message of a `Status`, one line; nothing of any other body.
fn message_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Status {
        kind: String,
        message: Option<String>,
    }
    let message = protobuf::status_message(body).unwrap_or_else(|| match serde_json::from_slice::<Status>(body) {
        Ok(status) if status.kind == "Status" => status.message.unwrap_or_default(),
        _ => String::new(),
    });
    one_line(&message)
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
