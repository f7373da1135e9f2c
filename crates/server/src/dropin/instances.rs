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
use super::post::{Refused, cluster_of, read};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;

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
    responses(
        (status = 200, description = "Kept, and written soon"), (status = 400, description = "Not such a body; nothing was kept"),
        (status = 401, description = "Who sends it is not known"), (status = 403, description = "The credential may not post"),
        (status = 413, description = "More than 5 MiB"), (status = 415, description = "Not JSON"), (status = 500, description = "It cannot be kept")
    )
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
    let cluster = cluster_of(caller)?;
    let value = read(headers, body)?;
    let mut reader = Reader::new();
    let post = match reader.object(&value) {
        None => InstancePost::default(),
        Some(map) => InstancePost {
            upserts: reader.list(map, "upserts", Reader::instance),
            deletes: reader.list(map, "deletes", Reader::text),
            whole: false,
        },
    };
    let post = reader.done(post).map_err(Refused::Issues)?;
    let ingest = app.server.ingest.as_ref().ok_or(Refused::NoRight)?;
    ingest.take(cluster, &post).await?;
    let taken = Taken { status: "ok", upserted: post.upserts.len(), deleted: post.deletes.len() };
    Ok(json(StatusCode::OK, &taken))
}
