//! A receiver of traces on loopback: OTLP over HTTP with protobuf, as collectors have it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its name.
    pub name: String,
    /// Its trace, in hexadecimal digits.
    pub trace: String,
    /// Its id, likewise.
    pub id: String,
    /// Its parent's id; empty where it has none.
    pub parent: String,
    /// 1 internal, 2 server, 3 client.
    pub kind: i32,
    /// Whether its status is an error.
    pub failed: bool,
    /// Its attributes.
    pub attributes: BTreeMap<String, Value>,
    /// Attributes of what sent it.
    pub resource: BTreeMap<String, Value>,
    /// The headers that it came with.
    pub headers: http::HeaderMap,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// See the module.
pub struct Receiver {
    spans: Arc<Mutex<Vec<Received>>>,
    address: SocketAddr,
}

impl Receiver {
    /// Starts on a free port; it answers with this status.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("an address");
        let spans = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&spans);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let spans = Arc::clone(&shared);
                let service = service_fn(move |request| receive(Arc::clone(&spans), status, request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { spans, address }
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came since the last call.
    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.spans.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn receive(
    spans: Arc<Mutex<Vec<Received>>>,
    status: u16,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failed> {
    let (head, body) = request.into_parts();
    if head.uri.path() != "/v1/traces" || head.headers.get("content-type").is_none_or(|v| v != "application/x-protobuf")
    {
        return Ok(Response::builder().status(404).body(Full::default())?);
    }
    let request = ExportTraceServiceRequest::decode(body.collect().await?.to_bytes())?;
    let mut came = Vec::new();
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.map(|resource| values(resource.attributes)).unwrap_or_default();
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            came.push(Received {
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                kind: span.kind,
                failed: span.status.is_some_and(|status| status.code == 2),
                attributes: values(span.attributes),
                resource: resource.clone(),
                headers: head.headers.clone(),
            });
        }
    }
    spans.lock().unwrap_or_else(PoisonError::into_inner).extend(came);
    let said = ExportTraceServiceResponse::default().encode_to_vec();
    let answer = Response::builder().status(status).header("content-type", "application/x-protobuf");
    Ok(answer.body(Full::new(Bytes::from(said)))?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn values(attributes: Vec<KeyValue>) -> BTreeMap<String, Value> {
    attributes.into_iter().map(|pair| (pair.key, value(pair.value))).collect()
}

fn value(any: Option<AnyValue>) -> Value {
    use any_value::Value as Any;
    match any.and_then(|any| any.value) {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::BoolValue(is)) => json!(is),
        Some(Any::IntValue(number)) => json!(number),
        Some(Any::DoubleValue(number)) => json!(number),
        Some(Any::ArrayValue(all)) => all.values.into_iter().map(|one| value(Some(one))).collect(),
        _ => Value::Null,
    }
}
