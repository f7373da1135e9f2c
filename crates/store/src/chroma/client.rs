//! Requests to a Chroma server: how they are tried again, and what its refusals mean.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use clusterlore_core::words::short_line;
use clusterlore_http::{
    Bounds, Cause, Client as Http, Failure, Pauses, Retries, Secret, escaped, plain_user, reason, sensitive, unescaped,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::options::{ChromaOptions, Credentials};
use crate::error::StoreError;

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
/// Longest pause between two tries, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

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

/// One database of one server.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    /// Address up to `/api`, without user and password.
    server: String,
    tenant: String,
    database: String,
    header: Option<(HeaderName, HeaderValue)>,
    /// What must never be shown, should the server say it.
    secret: Secret,
    patience: Patience,
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
        let unusable = |problem: &str, fix: &str| {
            let (problem, fix) = (problem.to_owned(), fix.to_owned());
            StoreError::Unusable { place: server.clone(), problem, fix }
        };
        let whole = server.parse::<http::Uri>().is_ok_and(|uri| uri.query().is_none());
        if !["http", "https"].contains(&scheme) || host.is_empty() || !whole {
            let fix = "Expected http:// or https:// with a host, such as http://localhost:8000";
            return Err(unusable("it is not an address", fix));
        }
        let credentials = match (&options.credentials, user.and_then(|u| u.split_once(':'))) {
            (Credentials::None, Some((user, password))) => {
                Credentials::Basic { user: unescaped(user), password: unescaped(password) }
            }
            (given, _) => given.clone(),
        };
        let (name, way, key, secret) = match credentials {
            Credentials::None => (AUTHORIZATION, "", String::new(), String::new()),
            Credentials::Token(token) => (HeaderName::from_static("x-chroma-token"), "", token.clone(), token),
            Credentials::Bearer(token) => (AUTHORIZATION, "Bearer ", token.clone(), token),
            Credentials::Basic { user, password } => {
                (AUTHORIZATION, "Basic ", BASE64.encode(format!("{user}:{password}")), password)
            }
        };
        let value = sensitive(&format!("{way}{key}")).ok_or_else(|| {
            unusable("the key holds characters that no header can carry", "Look for line ends and copy the key again")
        })?;
        let header = Some((name, value)).filter(|(_, value)| !value.is_empty());
        let http = Http::new(scheme == "https", CONNECT_TIMEOUT).map_err(|e| {
            let fix = "Install the system's certificates or set SSL_CERT_FILE";
            unusable(&format!("TLS cannot be used here ({e})"), fix)
        })?;
        let secret = Secret::new([key, secret]);
        let (tenant, database) = (options.tenant.clone(), options.database.clone());
        let patience = Patience::default();
        Ok(Self { http, server, tenant, database, header, secret, patience })
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
        let (status, answer) = self.exchange(method, url, body, TRIES, self.patience.whole, bytes).await?;
        if !status.is_success() {
            return Err(self.refusal(status, &answer));
        }
        // Where nothing is to be told, servers differ in how they say so.
        let answer = if answer.is_empty() { Bytes::from_static(b"null") } else { answer };
        // A parser may quote the answer that it cannot read.
        let unreadable = |e: serde_json::Error| format!("its answer cannot be read: {}", short_line(&e.to_string()));
        serde_json::from_slice(&answer).map_err(|e| self.other(unreadable(e)).into())
    }

    /// One exchange whatever the status, with fewer tries.
    pub(super) async fn look(&self, url: &str) -> Result<(StatusCode, Value, String), StoreError> {
        let (status, answer) =
            self.exchange(Method::GET, url, Bytes::new(), LOOK_TRIES, self.patience.look, WORD).await?;
        let json = serde_json::from_slice(&answer).unwrap_or_default();
        Ok((status, json, self.message(&answer)))
    }

    pub(super) fn other(&self, detail: String) -> StoreError {
        StoreError::Other { place: self.place(), detail }
    }

    pub(super) fn disturbed(&self, detail: String) -> StoreError {
        StoreError::Disturbed { place: self.place(), detail }
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

    /// The last answer, for the caller to judge.
    async fn exchange(
        &self,
        method: Method,
        url: &str,
        body: Bytes,
        tries: u32,
        whole: Duration,
        bytes: usize,
    ) -> Result<(StatusCode, Bytes), StoreError> {
        let mut request = Request::builder().method(method).uri(url).header(CONTENT_TYPE, "application/json");
        if let Some((name, value)) = &self.header {
            request = request.header(name, value.clone());
        }
        let request = request.body(body).map_err(|e| self.other(e.to_string()))?;
        let Patience { idle, pause, .. } = self.patience;
        let pauses = Pauses { busy: pause, lost: pause };
        let retries = Retries { tries, slow_tries: SLOW_TRIES, pauses, longest: LONGEST_PAUSE, later };
        match self.http.send(request, Bounds { whole, idle, bytes }, &retries).await {
            Ok(answer) => Ok((answer.status(), answer.into_body())),
            Err(Failure { cause: cause @ Cause::TooLong(_), .. }) => Err(self.other(cause.to_string())),
            Err(Failure { cause, .. }) => Err(self.unreachable(cause.to_string())),
        }
    }

    /// What the server said, in one short line and without the key.
    fn message(&self, answer: &[u8]) -> String {
        short_line(&reason(answer, Some(&self.secret)))
    }
}

/// Whether the same request may succeed in a moment.
fn later(status: StatusCode) -> bool {
    [429, 502, 503, 504].contains(&status.as_u16())
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
            assert!(
                message.contains("not an address") && message.contains("http://localhost:8000"),
                "{url}: {message}"
            );
        }
    }
}
