//! Whether the server lives, and whether it can answer.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use clusterlore_pipeline::Turn;
use clusterlore_store::Waiting;
use http::{StatusCode, header};
use serde::Serialize;

use crate::app::App;
use crate::json::json;
use crate::problem::Problem;

#[derive(Default, Serialize)]
struct Probe<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// Clusters whose index another process keeps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    standby: Vec<&'a str>,
    /// Clusters whose index this process cannot keep now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interrupted: Vec<&'a str>,
    /// Clusters whose kubeconfig is gone from the folder: nobody keeps their index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<&'a str>,
}

/// Says that the server runs.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, description = "It runs")))]
pub(crate) async fn healthz() -> Response {
    json(StatusCode::OK, &Probe { status: "ok", ..Probe::default() })
}

/// Says whether questions can be answered: the first sync is in, and the store answers. Where another process keeps the index of a cluster,
/// and this one waits to take over, `standby` names the cluster; `interrupted` names those that it cannot keep now, which is tried again,
/// and `gone` those whose kubeconfig is gone.
#[utoipa::path(get, path = "/readyz", tag = "probes", responses((status = 200, description = "Ready"), (status = 503, description = "Not ready; error says why")))]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let ready = app.server.ready.borrow().clone();
    let ready = match ready {
        Ok(()) => {
            app.server.store.view_all("a probe asks whether the store answers").await.map(|_| ()).map_err(|error| {
                tracing::warn!(%error, "the store does not answer");
                "the store does not answer".to_owned()
            })
        }
        not => not,
    };
    let live: Vec<_> = app.server.live.all().into_iter().map(|(cluster, status)| (cluster, status.turn())).collect();
    let with = |turn| live.iter().filter(|(_, now)| *now == turn).map(|(cluster, _)| cluster.as_str()).collect();
    let (standby, interrupted, gone) = (with(Turn::StandsBy), with(Turn::Interrupted), with(Turn::Gone));
    let (code, status) = match &ready {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    json(code, &Probe { status, error: ready.as_ref().err().map(String::as_str), standby, interrupted, gone })
}

/// All numbers, in the text format of OpenMetrics.
#[utoipa::path(get, path = "/metrics", tag = "probes", responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let waiting = match &app.server.ingest {
        Some(ingest) => ingest.waiting().await,
        None => Ok(Waiting::default()),
    };
    if let Err(error) = &waiting {
        tracing::warn!(%error, "how many posts wait cannot be read");
    }
    let ready = app.server.ready.borrow().is_ok();
    match app.metrics.text(waiting.ok(), ready, &app.server.live.all()) {
        Some(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        None => Problem::busy("the numbers cannot be written", 5).into_response(),
    }
}
