//! Services behind HTTP: the one way in which they are called. A JSON body is posted until there is an answer or no hope of one;
//! keys stay out of everything that is printed.

use std::time::Duration;

use bytes::Bytes;
use clusterlore_core::words::short_line;
use clusterlore_http::{
    Arriving, Bounds, Cause, Client, Failure, Pauses, Retries, Secret, reason, sensitive, without_user,
};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use serde::Serialize;
use thiserror::Error;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// A key of an account. Never printed.
#[derive(Clone)]
pub struct Key {
    bare: HeaderValue,
    bearer: HeaderValue,
    secret: Secret,
}

impl Key {
    /// `None`: no header can hold it.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        let (bare, bearer) = (sensitive(secret)?, sensitive(&format!("Bearer {secret}"))?);
        (!secret.is_empty()).then(|| Self { bare, bearer, secret: Secret::new([secret.to_owned()]) })
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
        "{url} is not an address; expected http:// or https:// with a host and a path, without user, password and query"
    )]
    Address {
        /// What was given.
        url: String,
    },
    /// No connection can be made from here at all.
    #[error("TLS cannot be used ({0})")]
    Tls(String),
    /// 401 or 403.
    #[error("the key was refused by {host} (status {status})")]
    Key {
        /// Who refused.
        host: String,
        /// How.
        status: u16,
        /// Where the key is taken from.
        variable: &'static str,
    },
    /// Another answer that repeating does not mend.
    #[error("{host} refused the request (status {status}: {message})")]
    Refused {
        /// Who refused.
        host: String,
        /// How.
        status: u16,
        /// What it said, in one line.
        message: String,
    },
    /// No answer, or none but "later".
    #[error("{host} gave no answer in {tries} tries ({problem}); what was stored before is kept")]
    Unavailable {
        /// Who.
        host: String,
        /// How often it was asked.
        tries: u32,
        /// What happened the last time.
        problem: String,
    },
    /// A conversation that was broken off.
    #[error("{host} did not answer to the end: {problem}")]
    Unfinished {
        /// Who.
        host: String,
        /// What happened.
        problem: String,
    },
    /// An answer that is none.
    #[error("{host} gave a wrong answer: expected {expected}, received {received}")]
    Answer {
        /// Who.
        host: String,
        /// What the answer should have been.
        expected: String,
        /// What it was.
        received: String,
    },
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

/// A service that can be called.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: Address,
    uri: Uri,
    host: String,
    client: Client,
    retries: Retries,
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
        let client = Client::new(https, CONNECT).map_err(RemoteError::Tls)?;
        let retries = Retries {
            tries: 5,
            // A service that works on a lost request may be paid for it.
            slow_tries: 2,
            pauses: address.pauses,
            longest: Duration::from_secs(60),
            later: |status| status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
        };
        Ok(Self { address, uri, host, client, retries })
    }

    /// Where it is, for people to read.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What is answered to a body. Lost connections, time-outs, 429 and 5xx are tried again.
    pub(crate) async fn post(&self, body: &impl Serialize, bounds: Bounds) -> Result<Bytes, RemoteError> {
        let request = self.request(body)?;
        let answer = self.client.send(request, bounds, &self.retries).await.map_err(|failure| self.failed(failure))?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() { Ok(body) } else { Err(self.refused(head.status, &body)) }
    }

    /// The same while it arrives. What breaks in the middle is not tried again.
    pub(crate) async fn open(&self, body: &impl Serialize, bounds: Bounds) -> Result<Arriving, RemoteError> {
        let request = self.request(body)?;
        let answer = self.client.open(request, bounds, &self.retries).await.map_err(|failure| self.failed(failure))?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() { Ok(body) } else { Err(self.refused(head.status, &body.reason().await)) }
    }

    fn request(&self, body: &impl Serialize) -> Result<Request<Bytes>, RemoteError> {
        let body = serde_json::to_vec(body).map_err(|e| self.wrong("texts that can be sent", e))?;
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.address.headers);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    fn failed(&self, Failure { cause, tries }: Failure) -> RemoteError {
        match cause {
            Cause::TooLong(most) => self.wrong(format!("{most} bytes at most"), "more"),
            cause => RemoteError::Unavailable { host: self.host.clone(), tries, problem: cause.to_string() },
        }
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> RemoteError {
        let (host, message) = (self.host.clone(), self.said(body));
        match (status, status.as_u16()) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, status) => {
                RemoteError::Key { host, status, variable: self.address.variable }
            }
            (s, status) if (self.retries.later)(s) => {
                let problem = format!("status {status}: {message}");
                RemoteError::Unavailable { host, tries: self.retries.tries, problem }
            }
            (_, status) => RemoteError::Refused { host, status, message },
        }
    }

    /// What a body says is wrong, in one line without the key.
    pub(crate) fn said(&self, body: &[u8]) -> String {
        short_line(&reason(body, self.address.key.as_ref().map(|key| &key.secret)))
    }

    /// The error of an answer that began and did not come to its end, or never began.
    pub(crate) fn unfinished(&self, problem: impl ToString) -> RemoteError {
        RemoteError::Unfinished { host: self.host.clone(), problem: short_line(&problem.to_string()) }
    }

    /// The error of an answer that is none.
    pub(crate) fn wrong(&self, expected: impl ToString, received: impl ToString) -> RemoteError {
        // A parser may quote the answer that it cannot read.
        let received = short_line(&received.to_string());
        RemoteError::Answer { host: self.host.clone(), expected: expected.to_string(), received }
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_testkit::hostile::{HostileServer, Manner};

    use super::*;

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
    }
}
