//! Whether the server lives, and whether it can answer.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;

use crate::app::App;

#[derive(Serialize)]
struct Probe<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

fn told(status: StatusCode, state: &Probe<'_>) -> Response {
    let body = serde_json::to_vec(state).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Says that the server runs.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, description = "It runs")))]
pub(crate) async fn healthz() -> Response {
    told(StatusCode::OK, &Probe { status: "ok", error: None })
}

/// Says whether questions can be answered: the first sync is in, and the store answers.
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
    match &ready {
        Ok(()) => told(StatusCode::OK, &Probe { status: "ok", error: None }),
        Err(why) => told(StatusCode::SERVICE_UNAVAILABLE, &Probe { status: "unavailable", error: Some(why) }),
    }
}
