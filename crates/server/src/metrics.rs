//! Numbers for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::problem::Problem;

/// From a millisecond to half a minute.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    method: &'static str,
    route: String,
    status: u16,
}

pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Outcome, Counter>,
    duration: Family<Route, Histogram>,
    posts: Gauge,
    bytes: Gauge,
    scans: Gauge,
    ready: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("clusterlore");
        let requests: Family<Outcome, Counter> = Family::default();
        let duration: Family<Route, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let [posts, bytes, scans, ready] = [(); 4].map(|()| Gauge::default());
        registry.register("http_requests", "Requests that were answered", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From a request's head to its answer",
            Unit::Seconds,
            duration.clone(),
        );
        registry.register("inbox_posts", "Posts of controllers that wait to be written", posts.clone());
        registry.register_with_unit("inbox", "Size of the posts that wait to be written", Unit::Bytes, bytes.clone());
        registry.register("inbox_scans", "Types that wait to be looked at", scans.clone());
        registry.register("ready", "Whether questions can be answered: 1 or 0", ready.clone());
        Self { registry, requests, duration, posts, bytes, scans, ready }
    }

    /// One request was answered. `route` is a pattern, never a path: paths have no end.
    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.duration.get_or_create(&Route { method, route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Outcome { method, route, status }).inc();
    }
}

/// The method as a label: what is none of these is one.
pub(crate) fn method(method: &http::Method) -> &'static str {
    let known = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// All numbers, in the text format of OpenMetrics.
#[utoipa::path(get, path = "/metrics", tag = "probes", responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let metrics = &app.metrics;
    let waiting = app.server.ingest.as_ref().map(|ingest| ingest.waiting()).unwrap_or_default();
    let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    metrics.posts.set(gauge(waiting.posts));
    metrics.bytes.set(i64::try_from(waiting.bytes).unwrap_or(i64::MAX));
    metrics.scans.set(gauge(waiting.scans));
    metrics.ready.set(i64::from(app.server.ready.borrow().is_ok()));
    let mut text = String::new();
    match encode(&mut text, &metrics.registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => Problem::busy("the numbers cannot be written", 5).into_response(),
    }
}
