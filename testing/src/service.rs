//! A stand-in on loopback for a service that answers JSON with JSON: notes what it is asked, and answers otherwise where a test says so.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
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

/// What is answered instead: status, Retry-After, body. Status [`HANG_UP`], [`BREAK_OFF`] and [`BREAK_AFTER`] are none.
pub type Instead = (u16, Option<String>, String);
/// The connection is closed without an answer.
pub const HANG_UP: u16 = 0;
/// The connection is closed within an answer.
pub const BREAK_OFF: u16 = 1;
/// The connection is closed within an answer, after what the body holds.
pub const BREAK_AFTER: u16 = 2;

type Failed = Box<dyn std::error::Error + Send + Sync>;
type Script = Box<dyn FnMut(usize, &Value) -> Option<Instead> + Send>;
type Answer = Box<dyn Fn(&Asked) -> (u16, Value) + Send>;

struct State {
    asked: Vec<Asked>,
    script: Option<Script>,
    answer: Answer,
}

/// See the module.
pub struct FakeService {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

impl FakeService {
    /// Starts on a free port; `answer` gives status and body.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start(answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static) -> Self {
        let state = State { asked: Vec::new(), script: None, answer: Box::new(answer) };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| respond(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { state, address }
    }

    /// The address up to the version.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address up to and including the version.
    pub fn url(&self) -> String {
        format!("{}/v1", self.base())
    }

    /// What `script` gives for the number of a request, from 0 since now, and its body is answered instead.
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

async fn respond(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Failed>>, Failed> {
    let (head, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
    let (status, retry_after, text) = {
        let mut state = lock(&state);
        let number = state.asked.len();
        let asked = Asked { path: head.uri.path().to_owned(), headers: head.headers, body };
        state.asked.push(asked.clone());
        match state.script.as_mut().and_then(|script| script(number, &asked.body)) {
            Some(instead) => instead,
            None => {
                let (status, answer) = (state.answer)(&asked);
                (status, None, answer.to_string())
            }
        }
    };
    let whole = |text: String| Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
    let body = match status {
        HANG_UP => return Err("hung up".into()),
        BREAK_OFF | BREAK_AFTER => {
            let begun = if status == BREAK_OFF { "{\"content\": [".to_owned() } else { text };
            let begun = stream::once(async { Ok(Frame::data(Bytes::from(begun))) });
            // What is begun is on its way before it ends.
            let end = stream::once(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(Failed::from("broken off"))
            });
            return Ok(Response::new(BoxBody::new(StreamBody::new(begun.chain(end)))));
        }
        _ => BoxBody::new(whole(text)),
    };
    let mut response = Response::builder().status(status);
    if let Some(value) = retry_after {
        response = response.header("retry-after", value);
    }
    Ok(response.body(body)?)
}
