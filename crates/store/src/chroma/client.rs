//! Requests to a Chroma server: how they are tried again, and what its refusals mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use clusterlore_core::words;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as Http, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ChromaOptions, Credentials};
use crate::StoreError;
use crate::address::{plain_user, unescaped};

/// Requests in all, the first one included: a server that is started again is back within their pauses.
const TRIES: u32 = 6;
/// The same where nothing came in time: what hangs for a minute hangs longer.
const SLOW_TRIES: u32 = 2;
/// The same where it is only looked whether there is a server.
const LOOK_TRIES: u32 = 3;
/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that holds documents: a page of them, each as large as an object of Kubernetes can be described.
const DOCUMENTS: usize = 256 << 20;
/// Bytes of every other answer.
const WORD: usize = 4 << 20;
/// Of an answer that says what is wrong, so many bytes are read for the reason.
const LARGEST_REASON: usize = 64 << 10;

/// How long an exchange may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the connection to the last byte: a server that writes a large batch answers late.
    pub(super) whole: Duration,
    /// The same where it is only looked whether there is a server.
    pub(super) look: Duration,
    /// Between two pieces of an answer that has begun.
    pub(super) idle: Duration,
    /// Before the first repetition; each further one is twice as long, and varies by half.
    pub(super) pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [whole, look, idle] = [60, 10, 20].map(Duration::from_secs);
        Self { whole, look, idle, pause: Duration::from_millis(200) }
    }
}

/// What an answer may be.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    whole: Duration,
    idle: Duration,
    bytes: usize,
}

/// One database of one server.
#[derive(Debug)]
pub(super) struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Address up to `/api`, without user and password.
    server: String,
    tenant: String,
    database: String,
    header: Option<(HeaderName, HeaderValue)>,
    /// What must never be shown, should the server say it.
    secret: Secret,
    patience: Patience,
}

struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// What the server did not do.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such thing, as it said.
    NotThere(String),
    /// A query named the id of a document that is not there.
    UnknownId,
    /// Everything else, ready to be shown.
    Failed(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

pub(super) type Answer<T> = Result<T, Refusal>;

enum Try {
    Done(StatusCode, Bytes),
    Again(String),
    /// Nothing came in time.
    Slow(String),
}

impl Client {
    pub(super) fn new(options: &ChromaOptions) -> Result<Self, StoreError> {
        plain_user(&options.url).map_err(|problem| StoreError::Unusable {
            place: "the Chroma server".to_owned(),
            problem,
            fix: "Expected http://USER:PASSWORD@HOST:PORT, or better the token in CLUSTERLORE_CHROMA_TOKEN".to_owned(),
        })?;
        let (scheme, rest) = options.url.trim().split_once("://").unwrap_or(("", ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let path = path.trim_end_matches('/');
        let server = format!("{scheme}://{host}{}{path}", if path.is_empty() { "" } else { "/" });
        let whole = server.parse::<http::Uri>().is_ok_and(|uri| uri.query().is_none());
        if !["http", "https"].contains(&scheme) || host.is_empty() || !whole {
            let problem = "it is no address".to_owned();
            let fix = "Expected http:// or https:// with a host, such as http://localhost:8000".to_owned();
            return Err(StoreError::Unusable { place: server, problem, fix });
        }
        let credentials = match (&options.credentials, user.and_then(|u| u.split_once(':'))) {
            (Credentials::None, Some((user, password))) => {
                Credentials::Basic { user: unescaped(user), password: unescaped(password) }
            }
            (given, _) => given.clone(),
        };
        let (header, secret) = match credentials {
            Credentials::None => (None, String::new()),
            Credentials::Token(token) => (Some((HeaderName::from_static("x-chroma-token"), token.clone())), token),
            Credentials::Bearer(token) => (Some((AUTHORIZATION, format!("Bearer {token}"))), token),
            Credentials::Basic { user, password } => {
                (Some((AUTHORIZATION, format!("Basic {}", BASE64.encode(format!("{user}:{password}"))))), password)
            }
        };
        let header = match header {
            None => None,
            Some((name, value)) => {
                let mut value = HeaderValue::from_str(&value).map_err(|_| StoreError::Unusable {
                    place: server.clone(),
                    problem: "the key holds characters that no header can carry".to_owned(),
                    fix: "Look for line ends and copy the key again".to_owned(),
                })?;
                value.set_sensitive(true);
                Some((name, value))
            }
        };
        let http = connector(scheme == "https").map_err(|detail| StoreError::Unusable {
            place: server.clone(),
            problem: format!("TLS cannot be used here ({detail})"),
            fix: "Install the system's certificates or set SSL_CERT_FILE".to_owned(),
        })?;
        let (tenant, database) = (options.tenant.clone(), options.database.clone());
        let patience = Patience::default();
        Ok(Self { http, server, tenant, database, header, secret: Secret(secret), patience })
    }

    /// With other limits, to try them.
    #[cfg(test)]
    pub(super) fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// For people.
    pub(super) fn place(&self) -> String {
        format!("Chroma at {}", self.server)
    }

    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// An address below the server's.
    pub(super) fn at_server(&self, path: &str) -> String {
        format!("{}/api/{path}", self.server)
    }

    /// An address below the database's.
    pub(super) fn at(&self, path: &str) -> String {
        let (tenant, database) = (escaped(&self.tenant), escaped(&self.database));
        format!("{}/api/v2/tenants/{tenant}/databases/{database}{path}", self.server)
    }

    /// Asks until there is an answer, and reads it.
    pub(super) async fn ask<T: DeserializeOwned>(&self, method: Method, url: &str, body: Bytes) -> Answer<T> {
        self.asked(method, url, body, WORD).await
    }

    /// The same where the answer holds documents.
    pub(super) async fn ask_documents<T: DeserializeOwned>(&self, url: &str, body: Bytes) -> Answer<T> {
        self.asked(Method::POST, url, body, DOCUMENTS).await
    }

    async fn asked<T: DeserializeOwned>(&self, method: Method, url: &str, body: Bytes, bytes: usize) -> Answer<T> {
        let Patience { whole, idle, .. } = self.patience;
        let (status, answer) = self.exchange(method, url, body, TRIES, Bounds { whole, idle, bytes }).await?;
        if !status.is_success() {
            return Err(self.refusal(status, &answer));
        }
        // Where nothing is to be told, servers differ in how they say so.
        let answer = if answer.is_empty() { Bytes::from_static(b"null") } else { answer };
        // A parser may quote the answer that it cannot read.
        let unreadable =
            |e: serde_json::Error| format!("its answer cannot be read: {}", one_short_line(&e.to_string()));
        serde_json::from_slice(&answer).map_err(|e| self.other(unreadable(e)).into())
    }

    /// One exchange whatever the status, with fewer tries.
    pub(super) async fn look(&self, url: &str) -> Result<(StatusCode, Value, String), StoreError> {
        let Patience { look: whole, idle, .. } = self.patience;
        let bounds = Bounds { whole, idle, bytes: WORD };
        let (status, answer) = self.exchange(Method::GET, url, Bytes::new(), LOOK_TRIES, bounds).await?;
        let json = serde_json::from_slice(&answer).unwrap_or_default();
        Ok((status, json, self.message(&answer)))
    }

    pub(super) fn other(&self, detail: String) -> StoreError {
        StoreError::Other { place: self.place(), detail }
    }

    pub(super) fn unusable(&self, problem: String, fix: &str) -> StoreError {
        StoreError::Unusable { place: self.place(), problem, fix: fix.to_owned() }
    }

    /// What a status other than success means.
    pub(super) fn refusal(&self, status: StatusCode, answer: &[u8]) -> Refusal {
        let message = self.message(answer);
        match status {
            StatusCode::NOT_FOUND => Refusal::NotThere(message),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.refused(status).into(),
            StatusCode::INTERNAL_SERVER_ERROR if message.contains("Error finding id") => Refusal::UnknownId,
            s if later(s) => self.unreachable(format!("status {}: {message}", s.as_u16())).into(),
            s => self.other(format!("the request was refused (status {}: {message})", s.as_u16())).into(),
        }
    }

    pub(super) fn refused(&self, status: StatusCode) -> StoreError {
        let problem = match &self.header {
            Some(_) => format!("the key was refused (status {})", status.as_u16()),
            None => format!("it wants a key (status {})", status.as_u16()),
        };
        self.unusable(problem, "Check the token, or the user and password, and their rights in this database")
    }

    fn unreachable(&self, detail: String) -> StoreError {
        StoreError::Unreachable { place: self.place(), detail }
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        body: Bytes,
        tries: u32,
        bounds: Bounds,
    ) -> Result<(StatusCode, Bytes), StoreError> {
        let mut tried = 1;
        loop {
            let (problem, tries) = match self.once(method.clone(), url, body.clone(), bounds).await? {
                // The last one is for the caller to judge.
                Try::Done(status, answer) if !later(status) || tried == tries => return Ok((status, answer)),
                Try::Done(status, answer) => (format!("status {}: {}", status.as_u16(), self.message(&answer)), tries),
                Try::Again(problem) => (problem, tries),
                Try::Slow(problem) => (problem, tries.min(SLOW_TRIES)),
            };
            if tried >= tries {
                return Err(self.unreachable(problem));
            }
            tracing::debug!(place = self.server, tried, problem, "trying again");
            let pause = self.patience.pause.saturating_mul(1 << (tried - 1)).mul_f64(0.5 + fastrand::f64());
            tokio::time::sleep(pause).await;
            tried += 1;
        }
    }

    async fn once(&self, method: Method, url: &str, body: Bytes, bounds: Bounds) -> Result<Try, StoreError> {
        let mut request = Request::builder().method(method).uri(url).header(CONTENT_TYPE, "application/json");
        if let Some((name, value)) = &self.header {
            request = request.header(name, value.clone());
        }
        let (began, sent) = (Instant::now(), body.len());
        let request = request.body(Full::new(body)).map_err(|e| self.other(e.to_string()))?;
        let exchange = async {
            let (head, body) = self.http.request(request).await.map_err(|e| causes(&e))?.into_parts();
            let most = if head.status.is_success() { bounds.bytes } else { LARGEST_REASON };
            Ok::<_, String>((head.status, read(body, most, bounds.idle).await?))
        };
        let exchanged = tokio::time::timeout(bounds.whole, exchange).await;
        tracing::trace!(url, sent, seconds = began.elapsed().as_secs_f64(), "an exchange with Chroma");
        Ok(match exchanged {
            Ok(Ok((status, (_, false)))) if status.is_success() => {
                return Err(self.other(format!("its answer has more than {} bytes", bounds.bytes)));
            }
            Ok(Ok((status, (answer, _)))) => Try::Done(status, answer),
            Ok(Err(problem)) => Try::Again(problem),
            Err(_) => Try::Slow(format!("no whole answer came within {:?}", bounds.whole)),
        })
    }

    /// What the server said, in one short line and without the key.
    fn message(&self, answer: &[u8]) -> String {
        let json: Value = serde_json::from_slice(answer).unwrap_or_default();
        let said = [&json["message"], &json["detail"], &json["error"]].into_iter().find_map(Value::as_str);
        let said = said.map_or_else(|| String::from_utf8_lossy(answer).into_owned(), str::to_owned);
        let Secret(secret) = &self.secret;
        let said = if secret.is_empty() { said } else { said.replace(secret, "…") };
        let line = one_short_line(&said);
        if line.is_empty() { "no message".to_owned() } else { line }
    }
}

/// What a server said, as far as it can stand in a message.
pub(super) fn one_short_line(said: &str) -> String {
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

/// Whether the same request may succeed in a moment.
fn later(status: StatusCode) -> bool {
    [429, 502, 503, 504].contains(&status.as_u16())
}

fn connector(https: bool) -> Result<Http<HttpsConnector<HttpConnector>, Full<Bytes>>, String> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new();
    // Certificates are read only where they are needed.
    let builder = if https {
        builder.with_provider_and_native_roots(provider).map_err(|e| e.to_string())?
    } else {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?;
        builder.with_tls_config(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
    };
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    Ok(Http::builder(TokioExecutor::new()).build(builder.https_or_http().enable_http1().wrap_connector(tcp)))
}

/// A name as one part of a path.
pub(super) fn escaped(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// An error with what caused it: "client error (Connect)" alone says nothing.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    format!("{error}: {last}")
}

#[cfg(test)]
mod tests {
    use clusterlore_testkit::hostile::{HostileServer, Manner};

    use super::super::api::Api;
    use super::*;

    fn options(url: &str) -> ChromaOptions {
        ChromaOptions { url: url.to_owned(), ..ChromaOptions::default() }
    }

    #[test]
    fn an_address_may_hold_user_and_password_and_never_shows_them() {
        let client = Client::new(&options("http://me:s3cret@host:8000/chroma/")).unwrap();
        assert_eq!(client.place(), "Chroma at http://host:8000/chroma");
        assert_eq!(
            client.at("/collections"),
            "http://host:8000/chroma/api/v2/tenants/default_tenant/databases/default_database/collections"
        );
        assert_eq!(client.header.as_ref().unwrap().1.to_str().unwrap(), "Basic bWU6czNjcmV0");
        let shown = format!("{client:?} {:?}", options("http://me:s3cret@host"));
        assert!(!shown.contains("s3cret") && !shown.contains("bWU6"), "{shown}");
        assert_eq!(client.message(b"{\"message\": \"no s3cret\\nhere\"}"), "no … here");
        assert_eq!(escaped("a b/c"), "a%20b%2Fc");
        let coded = Client::new(&options("http://me:s3%63re%74@host")).unwrap();
        assert_eq!(coded.header.unwrap().1, client.header.unwrap().1);
        for url in ["http://me:s3@cret@host", "http://me:s3/cret@host", "me:s3cret@host", "ftp://me:s3cret@host"] {
            let message = Client::new(&options(url)).unwrap_err().to_string();
            assert!(!message.contains("s3") && !message.contains("cret"), "{message}");
        }
    }

    #[tokio::test]
    async fn whatever_a_server_does_ends_within_the_bounds_in_one_line() {
        let [whole, look, idle, pause] = [200, 150, 100, 1].map(Duration::from_millis);
        let gzip = Manner::Says(200, "content-encoding: gzip\r\n", vec![0x1f; 100]);
        let garbage = Manner::Says(200, "", format!("{{\"ids\": \"{}\"}}", "x".repeat(10_000)).into_bytes());
        let long = Manner::Says(200, "", vec![b'['; WORD + 1]);
        let reason = Manner::Says(418, "", b"no\n".repeat(1 << 20));
        for manner in Manner::ALL.into_iter().chain([gzip, garbage, long, reason]) {
            let server = HostileServer::start(manner.clone()).await;
            let client = Client::new(&options(&server.url())).unwrap().patient(Patience { whole, look, idle, pause });
            let within = async {
                let asked = client.ask::<Vec<String>>(Method::GET, &client.at("/x"), Bytes::new()).await;
                let connected = Api::connect(client).await.map(|_| ());
                (asked.map(|_| ()), connected)
            };
            let done = tokio::time::timeout(Duration::from_secs(5), within).await;
            let (asked, connected) = done.unwrap_or_else(|_| panic!("{manner:?} takes longer than its bounds"));
            let Err(Refusal::Failed(asked)) = asked else { panic!("{manner:?}: {asked:?}") };
            for error in [asked, connected.unwrap_err()].map(|e| e.to_string()) {
                assert!(error.len() < 500 && !error.contains('\n'), "{manner:?}: {error}");
                assert!(error.contains("127.0.0.1"), "{manner:?}: {error}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "localhost:8000", "ftp://host", "http://", "http://host/?q=1"] {
            let message = Client::new(&options(url)).unwrap_err().to_string();
            assert!(message.contains("no address") && message.contains("http://localhost:8000"), "{url}: {message}");
        }
    }
}
