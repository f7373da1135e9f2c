//! What all posts have in common: their size, their form, who may send them, and how they are refused.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clusterlore_store::StoreError;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use super::body::Issue;
use crate::auth::Caller;
use crate::json::json;

/// Bytes that a post may have.
pub(crate) const LARGEST: usize = 5 << 20;

/// Why a post is not taken.
pub(super) enum Refused {
    NotJson,
    Malformed,
    Issues(Vec<Issue>),
    TooMany,
    NoRight,
    Failed(String),
}

#[derive(Serialize)]
struct Invalid<'a> {
    error: &'static str,
    details: &'a [Issue],
}

#[derive(Serialize)]
struct Told<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'static str>,
}

/// A body of more than [`LARGEST`] bytes.
pub(crate) fn too_large() -> Response {
    json(StatusCode::PAYLOAD_TOO_LARGE, &Told { error: "Payload too large (max 5MB)", details: None })
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let told = |error| Told { error, details: None };
        match self {
            Self::NotJson => json(StatusCode::UNSUPPORTED_MEDIA_TYPE, &told("expected Content-Type: application/json")),
            Self::Malformed => (StatusCode::BAD_REQUEST, "Malformed JSON in request body").into_response(),
            Self::Issues(issues) => {
                json(StatusCode::BAD_REQUEST, &Invalid { error: "Invalid payload", details: &issues })
            }
            Self::TooMany => {
                let details = Some("Maximum 200 total items across upserts and deletes");
                json(StatusCode::BAD_REQUEST, &Told { error: "Payload too large", details })
            }
            Self::NoRight => json(StatusCode::FORBIDDEN, &told("this credential may not post")),
            Self::Failed(reason) => json(StatusCode::INTERNAL_SERVER_ERROR, &told(&reason)),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a post cannot be kept");
        Self::Failed("the post cannot be kept at the moment".to_owned())
    }
}

/// The body as JSON.
pub(super) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Value, Refused> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = media == "application/json" || media.starts_with("application/") && media.ends_with("+json");
    if !is_json {
        return Err(Refused::NotJson);
    }
    serde_json::from_slice(body).map_err(|_| Refused::Malformed)
}

/// The cluster that the caller may post about.
pub(super) fn cluster_of(caller: &Caller) -> Result<&str, Refused> {
    caller.writes.as_deref().ok_or(Refused::NoRight)
}
