//! Services behind HTTP: the one way in which they are called. A JSON body is posted until there is an answer or no hope of one;
//! keys stay out of everything that is printed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use clusterlore_core::words;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use thiserror::Error;

/// Requests in all, the first one included.
const TRIES: u32 = 5;
/// The same where nothing came in time: a service that works on a lost request may be paid for it.
const SLOW_TRIES: u32 = 2;
/// Longest single pause, whatever a server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Of an answer that says what is wrong, so many bytes are read for the reason.
const LARGEST_REASON: usize = 64 << 10;

/// A key of an account. Never printed.
#[derive(Clone)]
pub struct Key {
    bare: HeaderValue,
    bearer: HeaderValue,
    secret: String,
}

impl Key {
    /// `None`: no header can hold it.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim().to_owned();
        let sensitive = |value: &str| {
            let mut header = HeaderValue::from_str(value).ok()?;
            header.set_sensitive(true);
            Some(header)
        };
        let (bare, bearer) = (sensitive(&secret)?, sensitive(&format!("Bearer {secret}"))?);
        (!secret.is_empty()).then_some(Self { bare, bearer, secret })
    }

    /// As `Authorization` holds it.
    pub(crate) fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }

    /// As a header of its own holds it.
    pub(crate) fn bare(&self) -> HeaderValue {
        self.bare.clone()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Why a service gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RemoteError {
    /// The address is none.
    #[error(
        "{url} is no address; expected http:// or https:// with a host and a path, without user, password and query"
    )]
    Address {
        /// What was given.
        url: String,
    },
    /// No connection can be made from here at all.
    #[error("TLS cannot be used ({0}); install the system's certificates or set SSL_CERT_FILE")]
    Tls(String),
    /// 401 or 403.
    #[error("the key was refused by {host} (status {status}); check the environment variable {variable}")]
    Key {
        /// Who refused.
        host: String,
        /// How.
        status: u16,
        /// Where the key is taken from.
        variable: &'static str,
    },
    /// Another answer that repeating does not mend.
    #[error("{host} refused the request (status {status}: {message}); check the name of the model and the address")]
    Refused {
        /// Who refused.
        host: String,
        /// How.
        status: u16,
        /// What it said, in one line.
        message: String,
    },
    /// No answer, or none but "later".
    #[error(
        "{host} gave no answer in {tries} tries ({problem}); what was stored before is kept, run the command again later"
    )]
    Unavailable {
        /// Who.
        host: String,
        /// How often it was asked.
        tries: u32,
        /// What happened the last time.
        problem: String,
    },
    /// An answer that is none.
    #[error(
        "{host} gave a wrong answer: expected {expected}, received {received}; check the name of the model and the address"
    )]
    Answer {
        /// Who.
        host: String,
        /// What the answer should have been.
        expected: String,
        /// What it was.
        received: String,
    },
}

/// Pauses before the first repetition; each further one is twice as long, and varies by half.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    /// After 429 and 5xx: limits are counted by the minute.
    pub busy: Duration,
    /// After a lost connection: it is back soon or not at all.
    pub lost: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { busy: Duration::from_secs(1), lost: Duration::from_millis(200) }
    }
}

/// Where a service is, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct Address {
    /// Address up to what is called.
    pub(crate) base: String,
    /// What is called, from `/`.
    pub(crate) path: &'static str,
    /// Who pays; kept out of what is printed.
    pub(crate) key: Option<Key>,
    /// Where the key is taken from.
    pub(crate) variable: &'static str,
    /// Sent with every request, the key among them.
    pub(crate) headers: HeaderMap,
    pub(crate) pauses: Pauses,
}

/// What one try of an exchange may take. An exchange takes at most two tries that run into [`Self::whole`], or five that end otherwise and
/// four pauses of a minute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From the connection to the last byte.
    pub(crate) whole: Duration,
    /// Between two pieces of an answer that has begun.
    pub(crate) idle: Duration,
    /// Bytes of the answer.
    pub(crate) bytes: usize,
}

/// A service that can be called.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: Address,
    uri: Uri,
    host: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What one try ended with.
enum Try {
    Done(Bytes),
    /// 429 or 5xx.
    Busy {
        problem: String,
        after: Option<Duration>,
    },
    /// The connection broke, or there was none.
    Lost(String),
    /// Nothing came in time.
    Slow(String),
    Never(RemoteError),
}

impl Endpoint {
    pub(crate) fn new(address: Address) -> Result<Self, RemoteError> {
        let wrong = || RemoteError::Address { url: without_user(&address.base) };
        let uri: Uri = format!("{}{}", address.base, address.path).parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let https = uri.scheme_str() == Some("https");
        if !https && uri.scheme_str() != Some("http") || address.base.contains('@') || uri.query().is_some() {
            return Err(wrong());
        }
        let host = authority.to_string();
        let provider = rustls::crypto::ring::default_provider();
        let tls = |e: &dyn std::fmt::Display| RemoteError::Tls(e.to_string());
        let builder = HttpsConnectorBuilder::new();
        // Certificates are read only where they are needed.
        let builder = if https {
            builder.with_provider_and_native_roots(provider).map_err(|e| tls(&e))?
        } else {
            let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()
                .map_err(|e| tls(&e))?;
            let nobody = rustls::RootCertStore::empty();
            builder.with_tls_config(config.with_root_certificates(nobody).with_no_client_auth())
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { address, uri, host, client })
    }

    /// Where it is, for people to read.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What is answered to a body. Lost connections, time-outs, 429 and 5xx are tried again.
    pub(crate) async fn post(&self, body: &impl Serialize, bounds: Bounds) -> Result<Bytes, RemoteError> {
        let body = serde_json::to_vec(body).map_err(|e| self.wrong("texts that can be sent", e))?;
        let body = Bytes::from(body);
        let pauses = self.address.pauses;
        let mut tries = 1;
        loop {
            let (problem, first, after, most) = match self.once(body.clone(), bounds).await {
                Try::Done(answer) => return Ok(answer),
                Try::Never(error) => return Err(error),
                Try::Busy { problem, after } => (problem, pauses.busy, after, TRIES),
                Try::Lost(problem) => (problem, pauses.lost, None, TRIES),
                Try::Slow(problem) => (problem, pauses.lost, None, SLOW_TRIES),
            };
            if tries >= most {
                return Err(RemoteError::Unavailable { host: self.host.clone(), tries, problem });
            }
            let own = first.saturating_mul(1 << (tries - 1)).mul_f64(0.5 + fastrand::f64());
            tokio::time::sleep(after.unwrap_or(own).min(LONGEST_PAUSE)).await;
            tries += 1;
        }
    }

    async fn once(&self, body: Bytes, bounds: Bounds) -> Try {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.address.headers);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let exchange = async {
            let (head, body) = self.client.request(request).await.map_err(|e| causes(&e))?.into_parts();
            let most = if head.status.is_success() { bounds.bytes } else { LARGEST_REASON };
            Ok::<_, String>((head, read(body, most, bounds.idle).await?))
        };
        let whole = bounds.whole;
        let (head, (body, complete)) = match tokio::time::timeout(whole, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(problem)) => return Try::Lost(problem),
            Err(_) => return Try::Slow(format!("no whole answer came within {whole:?}")),
        };
        if !complete && head.status.is_success() {
            let (expected, received) = (format!("{} bytes at most", bounds.bytes), "more");
            return Try::Never(self.wrong(expected, received));
        }
        let (host, status) = (self.host.clone(), head.status.as_u16());
        match head.status {
            s if s.is_success() => Try::Done(body),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Try::Never(RemoteError::Key { host, status, variable: self.address.variable })
            }
            s if s == StatusCode::TOO_MANY_REQUESTS || s.is_server_error() => {
                let after = head.headers.get(RETRY_AFTER).and_then(|v| retry_after(v.to_str().ok()?));
                Try::Busy { problem: format!("status {status}: {}", self.message(&body)), after }
            }
            _ => Try::Never(RemoteError::Refused { host, status, message: self.message(&body) }),
        }
    }

    /// What a server said, in one short line and without the key, should it have said that.
    fn message(&self, body: &[u8]) -> String {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let said = [&json["error"]["message"], &json["detail"], &json["message"], &json["error"]];
        let said = said.into_iter().find_map(|s| s.as_str().map(str::to_owned));
        let said = said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
        let said = match &self.address.key {
            Some(key) => said.replace(&key.secret, "…"),
            None => said,
        };
        let line = one_short_line(&said);
        if line.is_empty() { "no message".to_owned() } else { line }
    }

    /// The error of an answer that is none.
    pub(crate) fn wrong(&self, expected: impl ToString, received: impl ToString) -> RemoteError {
        // A parser may quote the answer that it cannot read.
        let received = one_short_line(&received.to_string());
        RemoteError::Answer { host: self.host.clone(), expected: expected.to_string(), received }
    }
}

/// What a server said, as far as it can stand in a message.
pub(crate) fn one_short_line(said: &str) -> String {
    words::one_line(said).chars().take(200).collect()
}

/// At most so many bytes of a body, and whether that is all of it.
async fn read<B>(mut body: B, most: usize, idle: Duration) -> Result<(Bytes, bool), String>
where
    B: BodyExt<Data = Bytes> + Unpin,
    B::Error: std::error::Error,
{
    let mut all = BytesMut::new();
    loop {
        let next = tokio::time::timeout(idle, body.frame()).await;
        match next.map_err(|_| format!("its answer stopped in the middle for {idle:?}"))? {
            None => return Ok((all.freeze(), true)),
            Some(Err(e)) => return Err(causes(&e)),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                if data.len() > most - all.len() {
                    all.extend_from_slice(&data[..most - all.len()]);
                    return Ok((all.freeze(), false));
                }
                all.extend_from_slice(&data);
            }
        }
    }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// An error with what caused it: "client error (Connect)" alone says nothing.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    format!("{error}: {last}")
}

/// An address without user, password and query, for people to read. Addresses with an `@` are refused before they are used, so all
/// that stands before the last one is taken for user and password.
pub(crate) fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (&url[..scheme.len() + 3], rest));
    let (user, rest) = rest.rfind('@').map_or(("", rest), |at| ("…", &rest[at..]));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
    format!("{scheme}{user}{rest}{query}")
}

#[cfg(test)]
mod tests {
    use clusterlore_testkit::hostile::{HostileServer, Manner};

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("2"), Some(Duration::from_secs(2)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(retry_after(&later).is_some_and(|d| (90..=100).contains(&d.as_secs())));
        assert_eq!(retry_after("soon"), None);
    }

    #[tokio::test]
    async fn a_service_that_says_nothing_is_asked_twice() {
        // Connections wait in the queue and are never taken out of it.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let soon = Duration::from_millis(20);
        let url = format!("http://{}", silent.local_addr().unwrap());
        let bounds = Bounds { whole: soon, idle: soon, bytes: 1_000 };
        let error = endpoint(&url).post(&"?", bounds).await.unwrap_err().to_string();
        assert!(error.contains("gave no answer in 2 tries (no whole answer came within 20ms)"), "{error}");
    }

    fn endpoint(url: &str) -> Endpoint {
        let soon = Duration::from_millis(1);
        let pauses = Pauses { busy: soon, lost: soon };
        Endpoint::new(Address {
            base: url.to_owned(),
            path: "/",
            key: None,
            variable: "NONE",
            headers: HeaderMap::new(),
            pauses,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn whatever_a_server_does_ends_within_the_bounds_in_one_line() {
        let bounds = Bounds { whole: Duration::from_millis(200), idle: Duration::from_millis(100), bytes: 1 << 20 };
        let gzip = Manner::Says(200, "content-encoding: gzip\r\n", vec![0x1f; 100]);
        let long = Manner::Says(200, "", vec![b'['; (1 << 20) + 1]);
        let reason = Manner::Says(400, "", b"no\n".repeat(1 << 20));
        let more = [(gzip, None), (long, Some("1048576 bytes at most")), (reason, Some("status 400: no no"))];
        for (manner, expected) in Manner::ALL.map(|m| (m, None)).into_iter().chain(more) {
            let server = HostileServer::start(manner.clone()).await;
            let asked = async { endpoint(&server.url()).post(&"?", bounds).await };
            // Two tries that run into the bound, or five that end at once.
            let said = tokio::time::timeout(Duration::from_secs(5), asked).await;
            let said = said.unwrap_or_else(|_| panic!("{manner:?} takes longer than its bounds"));
            match said {
                // What is in the body is for others to judge; it is not unpacked.
                Ok(body) => assert!(matches!(manner, Manner::Says(200, ..)) && body.len() == 100, "{manner:?}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.len() < 500 && !error.contains('\n'), "{manner:?}: {error}");
                    assert!(error.contains("127.0.0.1"), "{manner:?}: {error}");
                    assert!(expected.is_none_or(|e| error.contains(e)), "{manner:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn keys_and_passwords_are_not_printed() {
        assert_eq!(format!("{:?}", Key::new(" s3cret ").unwrap()), "Key(…)");
        assert!(Key::new("two\nlines").is_none() && Key::new(" ").is_none());
        assert_eq!(without_user("http://me:s3cret@host/v1"), "http://…@host/v1");
        for (url, shown) in [
            ("http://host/v1", "http://host/v1"),
            ("http://u:s3/cret@host/v1", "http://…@host/v1"),
            ("http://u:s3?cret@host", "http://…@host"),
            ("u:s3cret@host", "…@host"),
            ("http://host/v1?key=s3cret", "http://host/v1?…"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }
}
