//! Numbers for Prometheus.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use clusterlore_pipeline::{LiveState, Status, Turn, TypeState};
use clusterlore_store::Waiting;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cluster {
    cluster: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Types {
    cluster: String,
    state: &'static str,
}

/// The states of types, as labels.
const STATES: [&str; 5] = ["listing", "watching", "backing-off", "polling", "gone"];

/// What is told of each cluster that is watched.
#[derive(Default)]
struct Live {
    standby: Family<Cluster, Gauge>,
    interrupted: Family<Cluster, Gauge>,
    gone: Family<Cluster, Gauge>,
    types: Family<Types, Gauge>,
    queued: Family<Cluster, Gauge>,
    lag: Family<Cluster, Gauge<f64, AtomicU64>>,
    heard: Family<Cluster, Gauge<f64, AtomicU64>>,
    lists: Family<Cluster, Gauge>,
    watches: Family<Cluster, Gauge>,
    failures: Family<Cluster, Gauge>,
    written: Family<Cluster, Gauge>,
    deleted: Family<Cluster, Gauge>,
}

impl Live {
    fn register(&self, registry: &mut Registry) {
        let standby = "Whether another process keeps the index of a watched cluster: 1 or 0";
        registry.register("live_standby", standby, self.standby.clone());
        let interrupted = "Whether the index of a watched cluster cannot be kept now: 1 or 0";
        registry.register("live_interrupted", interrupted, self.interrupted.clone());
        let gone = "Whether the kubeconfig of a watched cluster is gone from its folder: 1 or 0";
        registry.register("live_gone", gone, self.gone.clone());
        registry.register("live_types", "Types of a watched cluster, by what is done about them", self.types.clone());
        registry.register("live_queued", "Changes that wait to be written", self.queued.clone());
        let lag = "How long the oldest change of the last batch waited before it was in the index";
        registry.register_with_unit("live_lag", lag, Unit::Seconds, self.lag.clone());
        let heard = "When the last change came, in seconds since 1970; 0: none yet";
        registry.register_with_unit("live_last_event", heard, Unit::Seconds, self.heard.clone());
        registry.register("live_lists", "Lists that were read since the start", self.lists.clone());
        registry.register("live_watches", "Watches that were opened since the start", self.watches.clone());
        registry.register("live_failures", "Lists and watches that failed since the start", self.failures.clone());
        registry.register("live_written", "Documents written since the first sync", self.written.clone());
        registry.register("live_deleted", "Documents deleted since the first sync", self.deleted.clone());
    }

    fn set(&self, cluster: &str, state: &LiveState) {
        let labels = Cluster { cluster: cluster.to_owned() };
        for name in STATES {
            let count = state.types.values().filter(|state| name_of(state) == name).count();
            self.types.get_or_create(&Types { cluster: cluster.to_owned(), state: name }).set(gauge(count));
        }
        let numbers = [
            (&self.standby, u64::from(state.turn == Turn::StandsBy)),
            (&self.interrupted, u64::from(state.turn == Turn::Interrupted)),
            (&self.gone, u64::from(state.turn == Turn::Gone)),
            (&self.queued, state.queued),
            (&self.lists, state.lists),
            (&self.watches, state.watches),
            (&self.failures, state.failures),
            (&self.written, state.written),
            (&self.deleted, state.deleted),
        ];
        for (family, number) in numbers {
            family.get_or_create(&labels).set(i64::try_from(number).unwrap_or(i64::MAX));
        }
        self.lag.get_or_create(&labels).set(state.lag.as_secs_f64());
        let heard = state.last_event.map_or(0.0, |at| at.as_millisecond() as f64 / 1e3);
        self.heard.get_or_create(&labels).set(heard);
    }
}

fn name_of(state: &TypeState) -> &'static str {
    let [listing, watching, backing_off, polling, gone] = STATES;
    match state {
        TypeState::Listing => listing,
        TypeState::Watching => watching,
        TypeState::BackingOff { .. } => backing_off,
        TypeState::Polling { .. } => polling,
        TypeState::Gone => gone,
    }
}

fn gauge(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) struct Metrics {
    live: Live,
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
        let live = Live::default();
        live.register(&mut registry);
        Self { live, registry, requests, duration, posts, bytes, scans, ready }
    }

    /// All numbers, in the text format of OpenMetrics. How much waits is as it was last known where that cannot be told.
    pub(crate) fn text(&self, waiting: Option<Waiting>, ready: bool, live: &[(String, Arc<Status>)]) -> Option<String> {
        if let Some(Waiting { posts, bytes, scans }) = waiting {
            self.posts.set(gauge(posts));
            self.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
            self.scans.set(gauge(scans));
        }
        self.ready.set(i64::from(ready));
        live.iter().for_each(|(cluster, status)| self.live.set(cluster, &status.state()));
        let mut text = String::new();
        encode(&mut text, &self.registry).ok().map(|()| text)
    }

    /// One request was answered. `route` is a pattern, never a path: paths have no end.
    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.duration.get_or_create(&Route { method, route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Outcome { method, route, status }).inc();
    }
}

/// The method, of those that there are; others have no end.
pub(crate) fn method(method: &http::Method) -> Option<&'static str> {
    let known = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str())
}
