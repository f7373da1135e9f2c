//! `POST /api/v1/instances/sync`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clusterlore_pipeline::InstancePost;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::body::Reader;
use super::post::{Refused, opened};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::refusals::Posted;

#[derive(Serialize)]
struct Taken {
    status: &'static str,
    upserted: usize,
    deleted: usize,
}

/// Takes objects that changed or went. The answer counts what was sent.
#[utoipa::path(
    post, path = "/api/v1/instances/sync", tag = "controllers",
    request_body(content = serde_json::Value, content_type = "application/json", description = "{\"upserts\": [ResourceInstance], \"deletes\": [id]}"),
    responses((status = 200, description = "Kept, and written soon"), Posted)
)]
pub(crate) async fn sync(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&app, &caller, &headers, &body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn take(app: &App, caller: &Caller, headers: &HeaderMap, body: &Bytes) -> Result<Response, Refused> {
    let (ingest, cluster, post) = opened(app, caller, headers, body, |reader, map| InstancePost {
        upserts: reader.list(map, "upserts", Reader::instance),
        deletes: reader.list(map, "deletes", Reader::text),
        whole: false,
    })?;
    ingest.take(cluster, &post).await?;
    let taken = Taken { status: "ok", upserted: post.upserts.len(), deleted: post.deletes.len() };
    Ok(json(StatusCode::OK, &taken))
}
