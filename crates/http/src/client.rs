//! The client. An exchange is sent until there is an answer or no hope of one; each try has a bound in time and in bytes.

use futures::future::BoxFuture;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as Legacy, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use thiserror::Error;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::retry::{Retries, pause, retry_after};

/// Of an answer that says what is wrong, so many bytes are read for the reason.
pub const LARGEST_REASON: usize = 64 << 10;

/// What one try of an exchange may take. An exchange takes at most [`Retries::slow_tries`] that run into [`Self::whole`], or
/// [`Retries::tries`] that end otherwise, and the pauses between them.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From the connection to the last byte.
    pub whole: Duration,
    /// Between two pieces of an answer that has begun.
    pub idle: Duration,
    /// Bytes of the answer.
    pub bytes: usize,
}

/// An answer with its body.
pub type Answered<E> = Result<Response<Bytes>, E>;

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened the last time.
    pub cause: Cause,
    /// How often the server was asked.
    pub tries: u32,
}

/// Why a try gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Cause {
    /// There was no connection, or it broke: an error with what caused it.
    #[error("{0}")]
    Lost(String),
    /// An answer began, and nothing more came for so long.
    #[error("its answer stopped in the middle for {0:?}")]
    Stopped(Duration),
    /// The answer was not whole in this time.
    #[error("no whole answer came within {0:?}")]
    Slow(Duration),
    /// The answer has more bytes than these. Asking again does not help.
    #[error("its answer has more than {0} bytes")]
    TooLong(usize),
}

/// A client for `http` and, where it was made for that, `https`; it keeps connections open. Clones share them.
#[derive(Debug, Clone)]
pub struct Client(Legacy<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Client {
    /// `connect`: until a connection stands. The system's certificates are read only where they are needed.
    ///
    /// # Errors
    /// As [`native_roots`].
    pub fn new(https: bool, connect: Duration) -> Result<Self, String> {
        let roots = if https { native_roots()? } else { RootCertStore::empty() };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect));
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
            .https_or_http()
            .enable_http1();
        Ok(Self(Legacy::builder(TokioExecutor::new()).build(tls.wrap_connector(tcp))))
    }

    /// The answer, whatever its status; of one that is no success, only the beginning. Lost connections, time-outs and what `retries` calls
    /// later are tried again: an answer that is for later is that of the last try.
    ///
    /// # Errors
    /// All tries came to nothing, or the answer is too long.
    pub fn send<'f>(
        &'f self,
        request: Request<Bytes>,
        bounds: Bounds,
        retries: &'f Retries,
    ) -> BoxFuture<'f, Answered<Failure>> {
        Box::pin(async move { self.repeated(&request, retries, || self.once(request.clone(), bounds)).await })
    }

    /// As [`Self::send`], but the answer is read while it arrives. What happens to it once it has begun is not mended by another try.
    ///
    /// # Errors
    /// All tries came to nothing.
    pub fn open<'f>(
        &'f self,
        request: Request<Bytes>,
        bounds: Bounds,
        retries: &'f Retries,
    ) -> BoxFuture<'f, Result<Response<Arriving>, Failure>> {
        Box::pin(async move { self.repeated(&request, retries, || self.begun(request.clone(), bounds)).await })
    }

    async fn repeated<B, F: Future<Output = Result<Response<B>, Cause>>>(
        &self,
        request: &Request<Bytes>,
        retries: &Retries,
        once: impl Fn() -> F,
    ) -> Result<Response<B>, Failure> {
        let pauses = retries.pauses;
        let mut tries = 1;
        loop {
            let (first, after, problem) = match once().await {
                Ok(answer) if !(retries.later)(answer.status()) || tries >= retries.tries => return Ok(answer),
                Ok(answer) => (pauses.busy, retry_after(answer.headers()), format!("status {}", answer.status())),
                Err(cause @ Cause::TooLong(_)) => return Err(Failure { cause, tries }),
                Err(cause @ Cause::Slow(_)) if tries >= retries.slow_tries => return Err(Failure { cause, tries }),
                Err(cause) if tries >= retries.tries => return Err(Failure { cause, tries }),
                Err(cause) => (pauses.lost, None, cause.to_string()),
            };
            let pause = pause(first, tries, after, retries.longest);
            tracing::debug!(host = request.uri().host(), tries, problem, ?pause, "asking again");
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    async fn once(&self, request: Request<Bytes>, bounds: Bounds) -> Answered<Cause> {
        let span = span(&request);
        let done = self.exchange(request, bounds).instrument(span.clone()).await;
        note(&span, done.as_ref().map(Response::status));
        done
    }

    async fn exchange(&self, request: Request<Bytes>, bounds: Bounds) -> Answered<Cause> {
        let (began, uri, sent) = (Instant::now(), request.uri().clone(), request.body().len());
        let exchange = async {
            let answer = self.0.request(request.map(Full::new)).await;
            let (head, body) = answer.map_err(|e| Cause::Lost(causes(&e)))?.into_parts();
            let most = if head.status.is_success() { bounds.bytes } else { LARGEST_REASON };
            let mut all = BytesMut::new();
            if !read(body, most, bounds.idle, &mut all).await? && head.status.is_success() {
                return Err(Cause::TooLong(most));
            }
            Ok(Response::from_parts(head, all.freeze()))
        };
        let done = tokio::time::timeout(bounds.whole, exchange).await.unwrap_or(Err(Cause::Slow(bounds.whole)));
        let (seconds, cause) = (began.elapsed().as_secs_f64(), done.as_ref().err());
        tracing::trace!(host = uri.host(), path = uri.path(), sent, seconds, ?cause, "an exchange");
        done
    }

    async fn begun(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Arriving>, Cause> {
        let end = Instant::now() + bounds.whole;
        let span = span(&request);
        let sent = self.0.request(request.map(Full::new)).instrument(span.clone());
        let answer = tokio::time::timeout(bounds.whole, sent).await;
        let answer = answer.map_err(|_| Cause::Slow(bounds.whole)).and_then(|a| a.map_err(|e| Cause::Lost(causes(&e))));
        note(&span, answer.as_ref().map(Response::status));
        Ok(answer?.map(|body| {
            let body = body.map_err(|e| Cause::Lost(causes(&e))).boxed_unsync();
            Arriving { body, bounds, end, arrived: 0 }
        }))
    }
}

/// A span of one try, by the semantic conventions for HTTP clients; neither path nor query, in which names stand.
fn span(request: &Request<Bytes>) -> Span {
    tracing::info_span!(
        "http",
        otel.name = request.method().as_str(),
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        http.request.method = request.method().as_str(),
        server.address = request.uri().host(),
        server.port = request.uri().port_u16().map(i64::from),
        http.response.status_code = Empty,
    )
}

fn note(span: &Span, answered: Result<http::StatusCode, &Cause>) {
    let problem = match answered {
        Ok(status) => {
            span.record("http.response.status_code", i64::from(status.as_u16()));
            if status.is_success() {
                return;
            }
            status.as_str().to_owned()
        }
        Err(Cause::Lost(_)) => "lost".to_owned(),
        Err(Cause::Stopped(_) | Cause::Slow(_)) => "timeout".to_owned(),
        Err(Cause::TooLong(_)) => "too_long".to_owned(),
    };
    span.record("otel.status_code", "ERROR");
    span.record("error.type", problem);
}

/// The body of an answer while it arrives.
#[derive(Debug)]
pub struct Arriving {
    body: UnsyncBoxBody<Bytes, Cause>,
    bounds: Bounds,
    end: Instant,
    arrived: usize,
}

impl Arriving {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, nothing came for too long, or too much came.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Cause> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            let frame = tokio::time::timeout(self.bounds.idle.min(left), self.body.frame()).await;
            let stopped =
                if left < self.bounds.idle { Cause::Slow(self.bounds.whole) } else { Cause::Stopped(self.bounds.idle) };
            let Some(frame) = frame.map_err(|_| stopped)? else { return Ok(None) };
            let Ok(data) = frame?.into_data() else { continue };
            self.arrived += data.len();
            if self.arrived > self.bounds.bytes {
                return Err(Cause::TooLong(self.bounds.bytes));
            }
            return Ok(Some(data));
        }
    }

    /// The beginning of an answer that says what is wrong, as far as it comes.
    pub async fn reason(self) -> Bytes {
        let mut all = BytesMut::new();
        let _ =
            tokio::time::timeout(self.bounds.idle, read(self.body, LARGEST_REASON, self.bounds.idle, &mut all)).await;
        all.freeze()
    }
}

/// The system's certificate authorities.
///
/// # Errors
/// There are none that can be read; with what the system said.
pub fn native_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(found.certs) {
        (0, _) => Err(format!("no native root CA certificates found (errors: {:?})", found.errors)),
        _ => Ok(roots),
    }
}

/// Adds at most `most` bytes of a body to `all`; whether that is all of it. Each piece may keep it waiting for `idle`.
///
/// # Errors
/// [`Cause::Stopped`] and [`Cause::Lost`]; `all` holds what came before.
pub async fn read<B>(mut body: B, most: usize, idle: Duration, all: &mut BytesMut) -> Result<bool, Cause>
where
    B: BodyExt<Data = Bytes> + Unpin,
    B::Error: StdError,
{
    let end = all.len() + most;
    loop {
        match tokio::time::timeout(idle, body.frame()).await.map_err(|_| Cause::Stopped(idle))? {
            None => return Ok(true),
            Some(Err(e)) => return Err(Cause::Lost(causes(&e))),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let left = end - all.len();
                all.extend_from_slice(&data[..data.len().min(left)]);
                if data.len() > left {
                    return Ok(false);
                }
            }
        }
    }
}

/// What began it all.
pub fn innermost(error: &dyn StdError) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// An error with what caused it: "client error (Connect)" alone says nothing.
fn causes(error: &dyn StdError) -> String {
    format!("{error}: {}", innermost(error))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use clusterlore_testkit::hostile::{HostileServer, Manner};
    use clusterlore_testkit::service::{BREAK_OFF, FakeService, HANG_UP};
    use futures::{StreamExt, stream};
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use serde_json::json;

    use super::*;
    use crate::retry::Pauses;

    const SOON: Duration = Duration::from_millis(1);
    const BOUNDS: Bounds =
        Bounds { whole: Duration::from_millis(400), idle: Duration::from_millis(100), bytes: LARGEST_REASON + 1 };

    fn client() -> Client {
        Client::new(false, Duration::from_secs(1)).unwrap()
    }

    fn retries(tries: u32) -> Retries {
        let pauses = Pauses { busy: SOON, lost: SOON };
        Retries { tries, slow_tries: 2, pauses, longest: SOON * 10, later: |status| status.is_server_error() }
    }

    fn request(url: &str) -> Request<Bytes> {
        Request::post(url).body(Bytes::from_static(b"1")).unwrap()
    }

    async fn pieces(pieces: &[&'static str], most: usize) -> (String, bool) {
        let frames = pieces.iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(*piece))));
        let mut all = BytesMut::new();
        let complete = read(StreamBody::new(stream::iter(frames)), most, SOON, &mut all).await.unwrap();
        (String::from_utf8(all.to_vec()).unwrap(), complete)
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound_and_not_a_byte_further() {
        for (most, read, complete) in
            [(0, "", false), (4, "abcd", false), (5, "abcde", false), (6, "abcdef", true), (7, "abcdef", true)]
        {
            assert_eq!(pieces(&["abc", "", "def"], most).await, (read.to_owned(), complete), "{most}");
            assert_eq!(pieces(&["abcdef"], most).await, (read.to_owned(), complete), "{most}");
        }
        assert_eq!(pieces(&[], 0).await, (String::new(), true));
    }

    #[tokio::test]
    async fn a_body_without_an_end_is_left() {
        let endless = stream::repeat(()).map(|()| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"more"))));
        let mut all = BytesMut::new();
        assert_eq!(read(StreamBody::new(endless), 1_001, SOON, &mut all).await, Ok(false));
        assert_eq!(all.len(), 1_001);
        let begun = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"begun")))]);
        let (silent, mut all) = (StreamBody::new(begun.chain(stream::pending())), BytesMut::new());
        assert_eq!(read(silent, 1_001, SOON, &mut all).await, Err(Cause::Stopped(SOON)));
        assert_eq!(&all[..], b"begun");
    }

    #[tokio::test]
    async fn whatever_a_server_does_a_try_ends_within_its_bounds() {
        let most = BOUNDS.bytes;
        let says = |status, bytes| Manner::Says(status, "", vec![b'x'; bytes]);
        for (manner, expected) in [
            (Manner::Silent, Err((Cause::Slow(BOUNDS.whole), 2))),
            (Manner::DripHead, Err((Cause::Slow(BOUNDS.whole), 2))),
            (Manner::DripBody, Err((Cause::Slow(BOUNDS.whole), 2))),
            (Manner::Stop, Err((Cause::Stopped(BOUNDS.idle), 3))),
            (Manner::EndlessBody, Err((Cause::TooLong(most), 1))),
            (says(200, most + 1), Err((Cause::TooLong(most), 1))),
            (says(200, most), Ok((200, most))),
            (says(404, most), Ok((404, LARGEST_REASON))),
        ] {
            let server = HostileServer::start(manner.clone()).await;
            let ended = client().send(request(&server.url()), BOUNDS, &retries(3)).await;
            let ended = ended.map(|a| (a.status().as_u16(), a.body().len())).map_err(|f| (f.cause, f.tries));
            assert_eq!(ended, expected, "{manner:?}");
        }
        for manner in [Manner::EndlessHead, Manner::BreakOff, Manner::Noise] {
            let server = HostileServer::start(manner.clone()).await;
            let failure = client().send(request(&server.url()), BOUNDS, &retries(3)).await.unwrap_err();
            assert!(matches!(failure, Failure { cause: Cause::Lost(_), tries: 3 }), "{manner:?}: {failure:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_read_while_it_arrives_has_the_same_bounds() {
        for (manner, expected) in [
            (Manner::DripBody, Err(Cause::Slow(BOUNDS.whole))),
            (Manner::Stop, Err(Cause::Stopped(BOUNDS.idle))),
            (Manner::EndlessBody, Err(Cause::TooLong(BOUNDS.bytes))),
            (Manner::Says(200, "", vec![b'x'; 3_000]), Ok(3_000)),
        ] {
            let server = HostileServer::start(manner.clone()).await;
            let mut arriving = client().open(request(&server.url()), BOUNDS, &retries(3)).await.unwrap().into_body();
            let mut bytes = 0;
            let ended = loop {
                match arriving.next().await {
                    Ok(Some(piece)) => bytes += piece.len(),
                    Ok(None) => break Ok(bytes),
                    Err(cause) => break Err(cause),
                }
            };
            assert_eq!(ended, expected, "{manner:?}");
        }
        // What never begins is asked for again, as any request is.
        let server = HostileServer::start(Manner::Silent).await;
        let failure = client().open(request(&server.url()), BOUNDS, &retries(3)).await.unwrap_err();
        assert_eq!(failure, Failure { cause: Cause::Slow(BOUNDS.whole), tries: 2 });
        let server = HostileServer::start(Manner::Says(404, "", vec![b'x'; 2 * LARGEST_REASON])).await;
        let refused = client().open(request(&server.url()), BOUNDS, &retries(3)).await.unwrap();
        assert_eq!((refused.status().as_u16(), refused.into_body().reason().await.len()), (404, LARGEST_REASON));
    }

    #[tokio::test]
    async fn what_may_succeed_later_is_asked_again_after_the_pause_that_was_asked_for() {
        let server = FakeService::start(|_| (200, json!("done"))).await;
        for status in [503, 500, HANG_UP, BREAK_OFF] {
            server.script(move |number, _| (number < 2).then(|| (status, Some("0".to_owned()), String::new())));
            let answer = client().send(request(&server.url()), BOUNDS, &retries(3)).await.unwrap();
            assert_eq!((answer.status().as_u16(), server.asked().len()), (200, 3), "{status}");
        }
        // A date far away waits no longer than the longest pause.
        let far = Some("Fri, 31 Dec 9999 23:59:59 GMT".to_owned());
        server.script(move |number, _| (number < 1).then(|| (503, far.clone(), String::new())));
        let began = Instant::now();
        assert!(client().send(request(&server.url()), BOUNDS, &retries(2)).await.unwrap().status().is_success());
        assert!(began.elapsed() >= retries(2).longest);
        for (status, tries) in [(429, 1), (503, 3)] {
            server.script(move |_, _| Some((status, None, "not yet".to_owned())));
            let answer = client().send(request(&server.url()), BOUNDS, &retries(3)).await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.body()[..]), (status, &b"not yet"[..]));
            assert_eq!(server.asked().len(), tries, "{status}");
        }
    }
}
