//! Traces over OTLP (HTTP with protobuf), where the standard variables of OpenTelemetry ask for them; else there is nothing of it. Only
//! here is a tracer set up: rooms below open spans of `tracing`, and know nothing of where they go.
//!
//! What is asked, answered and read stands in no trace unless a variable says so; values of Secrets never do.

use std::collections::HashMap;
use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_agent::converse::{PAYLOADS, SPANS};
use clusterlore_http::{Bounds, Client, Pauses, Retries, masked};
use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Array, StringValue, Value};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter as Otlp, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use tracing::Span;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::print;
use crate::print::log::{Layer, Registry, filter_fn};

/// For all that is left to be sent when the program ends.
const LAST: Duration = Duration::from_secs(2);
/// For the connection to the receiver.
const CONNECT: Duration = Duration::from_secs(1);
/// Bytes of its answer.
const ANSWER: usize = 64 << 10;
/// Attributes that are lists of words in the semantic conventions. A span of `tracing` holds them as one word.
const LISTS: [&str; 1] = ["gen_ai.response.finish_reasons"];

/// What the environment asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Traces,
    /// Something that there is not: the variable, and what it may be.
    Unknown(&'static str, &'static str),
}

/// Reads what is asked for: `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER`, `OTEL_TRACING_ENABLED`, `OTEL_EXPORTER_OTLP_*`. Where to, with
/// which headers, which service this is and what is sampled is read by the SDK.
fn asked(variable: impl Fn(&str) -> Option<String>) -> Asked {
    let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let is_true = |name: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let of_traces = |name: &str| {
        value(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}")).or_else(|| value(&format!("OTEL_EXPORTER_OTLP_{name}")))
    };
    let exporter = value("OTEL_TRACES_EXPORTER");
    let wanted = match exporter.as_deref() {
        Some("none") => false,
        Some("otlp") => true,
        Some(_) => return Asked::Unknown("OTEL_TRACES_EXPORTER", "otlp or none"),
        None => is_true("OTEL_TRACING_ENABLED") || of_traces("ENDPOINT").is_some(),
    };
    match of_traces("PROTOCOL").as_deref() {
        _ if !wanted || is_true("OTEL_SDK_DISABLED") => Asked::Nothing,
        None | Some("http/protobuf") => Asked::Traces,
        Some(_) => Asked::Unknown("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    }
}

/// Where the traces of this run go. To be ended, or what is left is lost.
pub(crate) struct Telemetry {
    traces: Option<(SdkTracerProvider, Arc<Lost>)>,
}

/// Why something did not arrive, the last time.
#[derive(Debug, Default)]
struct Lost(Mutex<Option<String>>);

impl Lost {
    fn note(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn why(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Telemetry {
    /// Starts logs, and traces where they are asked for. They are sent on this runtime.
    pub(crate) fn start(verbose: u8, runtime: &Handle) -> Self {
        let variable = |name: &str| env::var(name).ok();
        let traces = match asked(variable) {
            Asked::Nothing => None,
            Asked::Traces => match provider(runtime) {
                Ok(traces) => Some(traces),
                Err(why) => {
                    print::warning(&format!("traces are not sent: {why}"));
                    None
                }
            },
            Asked::Unknown(name, expected) => {
                print::warning(&format!("traces are not sent: {name} is set to something else; expected {expected}"));
                None
            }
        };
        let payloads = ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "OTEL_CAPTURE_AI_PAYLOADS"]
            .iter()
            .any(|name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true")));
        print::log::start(verbose, traces.as_ref().map(|(provider, _)| layer(provider, payloads)));
        Self { traces }
    }

    /// The span of a whole run, below the caller's where the environment names it (`TRACEPARENT`).
    pub(crate) fn root(&self, name: &str) -> Span {
        let root = tracing::info_span!(
            "clusterlore",
            otel.name = format!("clusterlore {name}"),
            otel.status_code = tracing::field::Empty
        );
        if self.traces.is_some() {
            let of = |name: &str| Some((name.to_owned(), env::var(name.to_uppercase()).ok()?));
            let carrier: HashMap<String, String> = ["traceparent", "tracestate"].into_iter().filter_map(of).collect();
            // A caller that is not well-formed is none.
            let _ = root.set_parent(TraceContextPropagator::new().extract(&carrier));
        }
        root
    }

    /// Sends what is left, for two seconds at most. What does not arrive is told, and nothing else comes of it.
    pub(crate) fn end(self) {
        let Some((provider, lost)) = self.traces else { return };
        let ended = provider.shutdown_with_timeout(LAST);
        let why = lost.why().or_else(|| ended.is_err().then(|| format!("they were not taken within {LAST:?}")));
        if let Some(why) = why {
            print::warning(&format!("traces were not sent: {why}"));
        }
    }
}

/// Puts the span of a request under its caller's, as Trace Context of the W3C has it. A caller that is not well-formed is none, and neither
/// is one of several.
pub(crate) fn continued(span: &Span, headers: &HeaderMap) {
    if !span.is_disabled() && headers.get_all("traceparent").iter().count() == 1 {
        let _ = span.set_parent(TraceContextPropagator::new().extract(&HeaderExtractor(headers)));
    }
}

fn provider(runtime: &Handle) -> Result<(SdkTracerProvider, Arc<Lost>), String> {
    let lost = Arc::new(Lost::default());
    let client = Client::new(true, CONNECT)?;
    let sender = Sender { client, runtime: runtime.clone(), lost: Arc::clone(&lost) };
    let exporter = Otlp::builder()
        .with_http()
        .with_http_client(sender)
        .build()
        .map_err(|e| masked(&e.to_string()).into_owned())?;
    let named = env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty())
        || env::var("OTEL_RESOURCE_ATTRIBUTES").is_ok_and(|all| all.contains("service.name="));
    let mut resource = Resource::builder();
    if !named {
        resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
    }
    let resource =
        resource.with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(Lists(exporter)).with_resource(resource).build();
    Ok((provider, lost))
}

/// Takes our own spans; what is asked and answered only with `payloads`.
fn layer(provider: &SdkTracerProvider, payloads: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    let ours = |target: &str| target == SPANS || target.starts_with("clusterlore");
    let filter = filter_fn(move |metadata| match metadata.target() {
        PAYLOADS => payloads,
        target => metadata.is_span() && ours(target),
    });
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false);
    Box::new(layer.with_filter(filter))
}

/// Sends over our own client, on the program's runtime: the SDK calls it on a thread of its own.
#[derive(Debug)]
struct Sender {
    client: Client,
    runtime: Handle,
    lost: Arc<Lost>,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let host = request.uri().authority().map(|a| a.as_str().rsplit('@').next().unwrap_or_default().to_owned());
        let host = host.unwrap_or_default();
        let client = self.client.clone();
        let bounds = Bounds { whole: LAST, idle: LAST, bytes: ANSWER };
        let once =
            Retries { tries: 1, slow_tries: 1, pauses: Pauses::default(), longest: Duration::ZERO, later: |_| false };
        // That traces are sent is no trace.
        let sending = async move { client.send(request, bounds, &once).await }.with_subscriber(NoSubscriber::default());
        let problem = match self.runtime.spawn(sending).await {
            Ok(Ok(answer)) if answer.status().is_success() => return Ok(answer),
            Ok(Ok(answer)) => {
                self.lost.note(format!("{host} answered with status {}", answer.status()));
                return Ok(answer);
            }
            Ok(Err(failure)) => failure.cause.to_string(),
            Err(stopped) => stopped.to_string(),
        };
        let problem = format!("{host} cannot be reached: {}", masked(&problem));
        self.lost.note(problem.clone());
        Err(problem.into())
    }
}

/// Makes lists of the attributes that are lists.
#[derive(Debug)]
struct Lists<E>(E);

impl<E: SpanExporter> SpanExporter for Lists<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for attribute in batch.iter_mut().flat_map(|span| &mut span.attributes) {
            if let (true, Value::String(word)) = (LISTS.contains(&attribute.key.as_str()), &attribute.value) {
                let words: Vec<StringValue> = vec![word.clone()];
                attribute.value = Value::Array(Array::String(words));
            }
        }
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_on_where_the_environment_asks_for_them() {
        let of = |set: &[(&str, &str)]| {
            asked(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        let (endpoint, enabled) = (("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318"), ("OTEL_TRACING_ENABLED", "true"));
        for on in [
            &[endpoint][..],
            &[enabled],
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h/v1/traces")],
            &[("OTEL_TRACES_EXPORTER", "otlp")],
            &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")],
        ] {
            assert_eq!(of(on), Asked::Traces, "{on:?}");
        }
        for off in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
            &[("OTEL_TRACING_ENABLED", "false")],
            &[endpoint, ("OTEL_TRACES_EXPORTER", "none")],
            &[endpoint, enabled, ("OTEL_SDK_DISABLED", "true")],
        ] {
            assert_eq!(of(off), Asked::Nothing, "{off:?}");
        }
        assert!(matches!(of(&[("OTEL_TRACES_EXPORTER", "zipkin")]), Asked::Unknown("OTEL_TRACES_EXPORTER", _)));
        let grpc = [endpoint, ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")];
        assert!(matches!(of(&grpc), Asked::Unknown("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")));
    }
}
