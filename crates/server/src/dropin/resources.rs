//! `POST /api/v1/resources/sync`, as dot-ai-controller calls it: names instead of ids, an envelope around every answer, and now and then all
//! that there is.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use clusterlore_pipeline::InstancePost;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::body::{Issue, Reader};
use super::post::{NO_RIGHT, Refused, denied, opened};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::refusals::Posted;

#[derive(Serialize)]
struct Envelope {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
    meta: Meta,
}

#[derive(Serialize)]
struct Counts {
    upserted: usize,
    deleted: usize,
}

#[derive(Serialize)]
struct Fault {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Issue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    timestamp: String,
    request_id: String,
    version: &'static str,
}

/// Takes objects that changed or went; with `isResync` all that there are, and what was posted before and is not among them goes.
#[utoipa::path(
    post, path = "/api/v1/resources/sync", tag = "controllers",
    request_body(content = serde_json::Value, content_type = "application/json", description = "{\"upserts\": [{namespace, name, kind, apiVersion, labels, annotations, createdAt}], \"deletes\": [{namespace, name, kind, apiVersion}], \"isResync\": true}"),
    responses((status = 200, description = "Kept, and written soon"), Posted)
)]
pub(crate) async fn resources(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (status, data, error) = match take(&app, &caller, &headers, &body).await {
        Ok(data) => (StatusCode::OK, Some(data), None),
        Err(refused) => {
            let (status, fault) = told(refused);
            (status, None, Some(fault))
        }
    };
    let now = Timestamp::now();
    let meta = Meta {
        timestamp: now.to_string(),
        request_id: format!("{:x}", now.as_nanosecond()),
        version: env!("CARGO_PKG_VERSION"),
    };
    let answer = json(status, &Envelope { success: error.is_none(), data, error, meta });
    if status == StatusCode::FORBIDDEN { denied(answer) } else { answer }
}

async fn take(app: &App, caller: &Caller, headers: &HeaderMap, body: &Bytes) -> Result<Counts, Refused> {
    let (ingest, cluster, post) = opened(app, caller, headers, body, |reader, map| InstancePost {
        upserts: reader.list(map, "upserts", Reader::resource),
        deletes: reader.list(map, "deletes", Reader::resource_id),
        whole: reader.flag(map, "isResync"),
    })?;
    ingest.take(cluster, &post).await?;
    Ok(Counts { upserted: post.upserts.len(), deleted: post.deletes.len() })
}

fn told(refused: Refused) -> (StatusCode, Fault) {
    let fault = |code, message: &str| Fault { code, message: message.to_owned(), details: Vec::new() };
    match refused {
        Refused::NotJson => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            fault("UNSUPPORTED_MEDIA_TYPE", "expected Content-Type: application/json"),
        ),
        Refused::Malformed => (StatusCode::BAD_REQUEST, fault("INVALID_JSON", "the body is not JSON")),
        Refused::Issues(details) => {
            (StatusCode::BAD_REQUEST, Fault { details, ..fault("INVALID_PAYLOAD", "the body is not such a post") })
        }
        Refused::TooMany => (StatusCode::BAD_REQUEST, fault("INVALID_PAYLOAD", "too many names")),
        Refused::NoRight => (StatusCode::FORBIDDEN, fault("FORBIDDEN", NO_RIGHT)),
        Refused::Failed(reason) => (StatusCode::INTERNAL_SERVER_ERROR, fault("SYNC_FAILED", &reason)),
    }
}
