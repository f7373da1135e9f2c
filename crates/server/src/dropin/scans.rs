//! `POST /api/v1/capabilities/scan`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::body::Reader;
use super::post::{Refused, opened};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::refusals::Posted;

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
    responses((status = 202, description = "Kept, and looked at soon"), Posted)
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
    let (ingest, cluster, (upserts, deletes)) = opened(app, caller, headers, body, |reader, map| {
        (reader.list(map, "upserts", Reader::text), reader.list(map, "deletes", Reader::text))
    })?;
    if upserts.len() + deletes.len() > MOST {
        return Err(Refused::TooMany);
    }
    let accepted = Accepted { status: "accepted", upserts: upserts.len(), deletes: deletes.len() };
    ingest.scan(cluster, upserts, deletes).await?;
    Ok(json(StatusCode::ACCEPTED, &accepted))
}
