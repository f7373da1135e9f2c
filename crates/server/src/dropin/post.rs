//! What all posts have in common: their size, their form, who may send them, and how they are refused.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clusterlore_pipeline::Ingest;
use clusterlore_store::StoreError;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

use super::body::{Issue, Reader};
use crate::app::App;
use crate::audit::Refusal;
use crate::auth::Caller;
use crate::json::json;

/// Bytes that a post may have.
pub(crate) const LARGEST: usize = 5 << 20;

/// What is told to whoever may not post.
pub(super) const NO_RIGHT: &str = "this credential may not post";

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

/// An answer to whoever may not post.
pub(super) fn denied(mut response: Response) -> Response {
    response.extensions_mut().insert(Refusal(NO_RIGHT.to_owned()));
    response
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
            Self::NoRight => denied(json(StatusCode::FORBIDDEN, &told(NO_RIGHT))),
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

/// A post that may be taken: what takes it, the cluster that its sender may write about, and what `read` makes of its body.
pub(super) fn opened<'a, T: Default>(
    app: &'a App,
    caller: &'a Caller,
    headers: &HeaderMap,
    body: &Bytes,
    read: impl FnOnce(&mut Reader, &Map<String, Value>) -> T,
) -> Result<(&'a Ingest, &'a str, T), Refused> {
    let cluster = caller.writes.as_deref().ok_or(Refused::NoRight)?;
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = media == "application/json" || media.starts_with("application/") && media.ends_with("+json");
    if !is_json {
        return Err(Refused::NotJson);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Refused::Malformed)?;
    let mut reader = Reader::new();
    let post = match reader.object(&value) {
        Some(map) => read(&mut reader, map),
        None => T::default(),
    };
    let post = reader.done(post).map_err(Refused::Issues)?;
    let ingest = app.server.ingest.as_deref().ok_or(Refused::NoRight)?;
    Ok((ingest, cluster, post))
}
