//! Embedders behind HTTP: the one way in which they are called, and what an answer must be. Voyage and OpenAI-compatible servers
//! differ in address, body and limits only.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use clusterlore_core::EmbedderIdentity;
use futures::stream::{self, StreamExt, TryStreamExt};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{EmbedError, Embedder, Purpose, builtin};

/// Requests in all, the first one included.
const TRIES: u32 = 5;
/// Longest single pause, whatever a server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A model on a small machine needs a while for a whole batch.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Requests at once.
const IN_FLIGHT: usize = 4;
/// Texts of a request. 128 vectors of 4,096 numbers are some 10 MB of JSON; OpenAI takes 2,048 texts and Voyage 1,000.
const BATCH: usize = 128;
/// An answer longer than this is none.
const LARGEST_ANSWER: usize = 64 << 20;
/// Characters of a token, at the least: English has four and a half, names and labels are cut finer.
const TOKEN: usize = 3;

/// A key of an account. Never printed.
#[derive(Clone)]
pub struct Key {
    header: HeaderValue,
    secret: String,
}

impl Key {
    /// `None`: no header can hold it.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim().to_owned();
        let mut header = HeaderValue::from_str(&format!("Bearer {secret}")).ok()?;
        header.set_sensitive(true);
        (!secret.is_empty()).then_some(Self { header, secret })
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Why a remote embedder gave no vectors.
#[derive(Debug, Error)]
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

/// In what one service differs from another.
#[derive(Debug)]
pub(crate) struct Service {
    /// What a collection remembers.
    pub(crate) name: String,
    pub(crate) model: String,
    /// Address up to and including the version.
    pub(crate) base: String,
    pub(crate) key: Option<Key>,
    pub(crate) variable: &'static str,
    /// Whether it is told what a text is embedded for.
    pub(crate) purposes: bool,
    /// Tokens of a request, as estimated here.
    pub(crate) tokens: usize,
}

/// An embedder behind HTTP.
#[derive(Debug)]
pub struct Remote {
    service: Service,
    uri: Uri,
    host: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    dimensions: usize,
    pauses: Pauses,
}

#[derive(Serialize)]
struct Asked<'a> {
    input: &'a [String],
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_type: Option<&'static str>,
}

#[derive(Deserialize)]
struct Answered {
    data: Vec<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    index: usize,
    /// A number that is none comes as null.
    embedding: Vec<Option<f32>>,
}

/// What one try ended with.
enum Try {
    Done(Bytes),
    Again { problem: String, busy: bool, after: Option<Duration> },
    Never(RemoteError),
}

impl Remote {
    /// Ready to be asked; without `dimensions` a word is embedded to learn them.
    pub(crate) async fn connect(
        service: Service,
        dimensions: Option<usize>,
        pauses: Pauses,
    ) -> Result<Self, EmbedError> {
        let name = service.name.clone();
        let failed = |problem| EmbedError::Remote { name, problem };
        let mut remote = match Self::new(service, pauses) {
            Ok(remote) => remote,
            Err(problem) => return Err(failed(problem)),
        };
        remote.dimensions = match dimensions {
            Some(dimensions) => dimensions,
            None => {
                let vectors = remote.ask(Purpose::Query, vec!["cluster".to_owned()]).await.map_err(failed)?;
                vectors.first().map_or(0, Vec::len)
            }
        };
        Ok(remote)
    }

    fn new(service: Service, pauses: Pauses) -> Result<Self, RemoteError> {
        let address = || RemoteError::Address { url: without_user(&service.base) };
        let uri: Uri = format!("{}/embeddings", service.base).parse().map_err(|_| address())?;
        let authority = uri.authority().ok_or_else(address)?;
        let https = uri.scheme_str() == Some("https");
        if !https && uri.scheme_str() != Some("http") || authority.as_str().contains('@') || uri.query().is_some() {
            return Err(address());
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
        let client = Client::builder(TokioExecutor::new()).build(builder.https_or_http().enable_http1().build());
        Ok(Self { service, uri, host, client, dimensions: 0, pauses })
    }

    /// The vectors of one batch, as they came, in the order of the texts.
    async fn ask(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, RemoteError> {
        let purpose = match purpose {
            Purpose::Document => "document",
            Purpose::Query => "query",
        };
        let input_type = self.service.purposes.then_some(purpose);
        let asked = Asked { input: &texts, model: &self.service.model, input_type };
        let body = serde_json::to_vec(&asked).map_err(|e| self.wrong("texts that can be sent", e))?;
        let answer = self.post(body.into()).await?;
        self.read(&answer, texts.len())
    }

    async fn post(&self, body: Bytes) -> Result<Bytes, RemoteError> {
        let mut tries = 1;
        loop {
            let (problem, busy, after) = match self.once(body.clone()).await {
                Try::Done(answer) => return Ok(answer),
                Try::Never(error) => return Err(error),
                Try::Again { problem, busy, after } => (problem, busy, after),
            };
            if tries == TRIES {
                return Err(RemoteError::Unavailable { host: self.host.clone(), tries, problem });
            }
            let first = if busy { self.pauses.busy } else { self.pauses.lost };
            let own = first.saturating_mul(1 << (tries - 1)).mul_f64(0.5 + fastrand::f64());
            tokio::time::sleep(after.unwrap_or(own).min(LONGEST_PAUSE)).await;
            tries += 1;
        }
    }

    async fn once(&self, body: Bytes) -> Try {
        let again = |problem: String| Try::Again { problem, busy: false, after: None };
        let mut request = Request::post(&self.uri).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.service.key {
            request = request.header(AUTHORIZATION, key.header.clone());
        }
        let request = match request.body(Full::new(body)) {
            Ok(request) => request,
            Err(_) => return Try::Never(RemoteError::Address { url: self.service.base.clone() }),
        };
        let exchange = async {
            let (head, body) = self.client.request(request).await.map_err(|e| causes(&e))?.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|e| e.to_string())?;
            Ok::<_, String>((head, body.to_bytes()))
        };
        let (head, body) = match tokio::time::timeout(TIMEOUT, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(problem)) => return again(problem),
            Err(_) => return again(format!("nothing came within {} seconds", TIMEOUT.as_secs())),
        };
        let (host, status) = (self.host.clone(), head.status.as_u16());
        match head.status {
            s if s.is_success() => Try::Done(body),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Try::Never(RemoteError::Key { host, status, variable: self.service.variable })
            }
            s if s == StatusCode::TOO_MANY_REQUESTS || s.is_server_error() => {
                let after = head.headers.get(RETRY_AFTER).and_then(|v| retry_after(v.to_str().ok()?));
                Try::Again { problem: format!("status {status}: {}", self.message(&body)), busy: true, after }
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
        let said = match &self.service.key {
            Some(key) => said.replace(&key.secret, "…"),
            None => said,
        };
        let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() { "no message".to_owned() } else { line.chars().take(200).collect() }
    }

    fn wrong(&self, expected: impl ToString, received: impl ToString) -> RemoteError {
        RemoteError::Answer { host: self.host.clone(), expected: expected.to_string(), received: received.to_string() }
    }

    /// Checks an answer: each index once, every vector of the right length, every number finite.
    fn read(&self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, RemoteError> {
        let answer: Answered = serde_json::from_slice(body)
            .map_err(|e| self.wrong("JSON with \"data\", a list of \"index\" and \"embedding\"", e))?;
        if answer.data.len() != texts {
            return Err(self.wrong(format!("{texts} vectors"), answer.data.len()));
        }
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
        for Embedded { index, embedding } in answer.data {
            // While the dimensions are being learnt, any length will do but none.
            let right = if self.dimensions == 0 { embedding.len().max(1) } else { self.dimensions };
            if embedding.len() != right {
                let expected = format!("vectors of {right} dimensions");
                return Err(self.wrong(expected, format!("one of {}", embedding.len())));
            }
            let finite = |n: Option<f32>| n.filter(|n| n.is_finite());
            let Some(vector) = embedding.into_iter().map(finite).collect::<Option<Vec<f32>>>() else {
                return Err(self.wrong("finite numbers", format!("null or infinity in vector {index}")));
            };
            match vectors.get_mut(index) {
                Some(place @ None) => *place = Some(vector),
                _ => {
                    let expected = format!("each index from 0 to {} once", texts.saturating_sub(1));
                    return Err(self.wrong(expected, format!("another {index}")));
                }
            }
        }
        Ok(vectors.into_iter().flatten().map(unit).collect())
    }
}

#[async_trait]
impl Embedder for Remote {
    fn identity(&self) -> EmbedderIdentity {
        EmbedderIdentity { name: self.service.name.clone(), dimensions: self.dimensions }
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = vec![vec![0.0; self.dimensions]; texts.len()];
        // Servers refuse texts that say nothing.
        let (places, texts): (Vec<usize>, Vec<String>) =
            texts.into_iter().enumerate().filter(|(_, text)| !text.trim().is_empty()).unzip();
        let asked: Vec<_> =
            batches(texts, self.service.tokens).into_iter().map(|batch| self.ask(purpose, batch)).collect();
        let answers: Vec<Vec<Vec<f32>>> = stream::iter(asked)
            .buffered(IN_FLIGHT)
            .try_collect()
            .await
            .map_err(|problem| EmbedError::Remote { name: self.service.name.clone(), problem })?;
        for (place, vector) in places.into_iter().zip(answers.into_iter().flatten()) {
            vectors[place] = vector;
        }
        Ok(vectors)
    }

    /// A model that knows all of a language knows at least the table's words; of others it cannot be told.
    fn knows(&self, word: &str) -> Option<bool> {
        builtin::is_word(word).then_some(true)
    }

    fn sends_to(&self) -> Option<&str> {
        Some(&self.host)
    }
}

/// Texts of one request each. A text that alone is too long is cut: its beginning says what it is.
fn batches(texts: Vec<String>, most_tokens: usize) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut tokens = 0;
    for mut text in texts {
        if let Some((end, _)) = text.char_indices().nth(most_tokens * TOKEN) {
            text.truncate(end);
        }
        let its = text.chars().count().div_ceil(TOKEN);
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && tokens + its <= most_tokens => {
                batch.push(text);
                tokens += its;
            }
            _ => {
                batches.push(vec![text]);
                tokens = its;
            }
        }
    }
    batches
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    vector
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

/// An address without user and password, for people to read.
pub fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://…{}", &rest[at..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_limited_by_count_and_by_tokens() {
        let sizes = |texts: Vec<String>, tokens| batches(texts, tokens).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec!["a".to_owned(); 300], 8_000), [128, 128, 44]);
        assert_eq!(sizes(vec!["ä".repeat(30); 5], 25), [2, 2, 1], "ten tokens each");
        assert_eq!(batches(vec!["ä".repeat(100)], 10), [["ä".repeat(30)]]);
        assert!(batches(Vec::new(), 10).is_empty());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("2"), Some(Duration::from_secs(2)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(retry_after(&later).is_some_and(|d| (90..=100).contains(&d.as_secs())));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn keys_and_passwords_are_not_printed() {
        assert_eq!(format!("{:?}", Key::new(" s3cret ").unwrap()), "Key(…)");
        assert!(Key::new("two\nlines").is_none() && Key::new(" ").is_none());
        assert_eq!(without_user("http://me:s3cret@host/v1"), "http://…@host/v1");
        assert_eq!(without_user("http://host/v1/@cf"), "http://host/v1/@cf");
    }
}
