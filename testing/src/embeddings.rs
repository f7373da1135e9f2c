//! A stand-in on loopback for a service that embeds: notes what it is asked, answers with vectors that tell texts apart, last one first.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Value,
}

/// What is answered instead of vectors: status, Retry-After, body. Status 0 hangs up.
pub type Instead = (u16, Option<String>, String);
type Script = Box<dyn FnMut(usize, &Value) -> Option<Instead> + Send>;

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    script: Option<Script>,
}

/// See the module.
pub struct FakeEmbeddings {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

/// Length of its vectors.
pub const DIMENSIONS: usize = 64;

impl FakeEmbeddings {
    /// Starts on a free port.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { state, address }
    }

    /// The address up to and including the version.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What `script` gives for the number of a request, from 0 since now, and its body is answered instead of vectors.
    pub fn script(&self, script: impl FnMut(usize, &Value) -> Option<Instead> + Send + 'static) {
        let mut state = lock(&self.state);
        state.script = Some(Box::new(script));
        state.asked.clear();
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut lock(&self.state).asked)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
    let instead = {
        let mut state = lock(&state);
        let number = state.asked.len();
        state.asked.push(Asked { path: head.uri.path().to_owned(), headers: head.headers, body: body.clone() });
        state.script.as_mut().and_then(|script| script(number, &body))
    };
    let (status, retry_after, text) = match instead {
        Some((0, ..)) => return Err("hung up".into()),
        Some(instead) => instead,
        None => (200, None, vectors(&body).to_string()),
    };
    let mut response = Response::builder().status(status);
    if let Some(value) = retry_after {
        response = response.header("retry-after", value);
    }
    Ok(response.body(Full::new(Bytes::from(text)))?)
}

/// A right answer, last text first.
pub fn vectors(body: &Value) -> Value {
    let texts = body["input"].as_array().cloned().unwrap_or_default();
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .rev()
        .map(|(index, text)| json!({"index": index, "embedding": vector(text.as_str().unwrap_or_default())}))
        .collect();
    json!({"data": data, "model": body["model"]})
}

/// Which words a text has, not yet of unit length.
pub fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let hash = word.bytes().fold(5381_usize, |h, b| h.wrapping_mul(33) ^ usize::from(b.to_ascii_lowercase()));
        vector[hash % DIMENSIONS] += 1.0;
    }
    vector
}
