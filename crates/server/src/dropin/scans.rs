//! `POST /api/v1/capabilities/scan`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::body::Reader;
use super::post::{Refused, cluster_of, read};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;

/// Names in one request.
const MOST: usize = 200;

#[derive(Serialize)]
struct Accepted {
    status: &'static str,
    upserts: usize,
    deletes: usize,
}

/// Takes the names (`plural.group`) of types that came or went.
#[utoipa::path(
    post, path = "/api/v1/capabilities/scan", tag = "controllers",
    request_body(content = serde_json::Value, content_type = "application/json", description = "{\"upserts\": [name], \"deletes\": [name]}"),
    responses(
        (status = 202, description = "Kept, and looked at soon"), (status = 400, description = "Not such a body, or more than 200 names"),
        (status = 401, description = "Who sends it is not known"), (status = 403, description = "The credential may not post"),
        (status = 413, description = "More than 5 MiB"), (status = 415, description = "Not JSON"), (status = 500, description = "It cannot be kept")
    )
)]
pub(crate) async fn scan(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&app, &caller, &headers, &body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn take(app: &App, caller: &Caller, headers: &HeaderMap, body: &Bytes) -> Result<Response, Refused> {
    let cluster = cluster_of(caller)?;
    let value = read(headers, body)?;
    let mut reader = Reader::new();
    let (upserts, deletes) = match reader.object(&value) {
        None => Default::default(),
        Some(map) => (reader.list(map, "upserts", Reader::text), reader.list(map, "deletes", Reader::text)),
    };
    let (upserts, deletes) = reader.done((upserts, deletes)).map_err(Refused::Issues)?;
    if upserts.len() + deletes.len() > MOST {
        return Err(Refused::TooMany);
    }
    let accepted = Accepted { status: "accepted", upserts: upserts.len(), deletes: deletes.len() };
    let ingest = app.server.ingest.as_ref().ok_or(Refused::NoRight)?;
    ingest.scan(cluster, upserts, deletes).await?;
    Ok(json(StatusCode::ACCEPTED, &accepted))
}
