//! What is indexed.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::Asked;

/// What is indexed, from where, and when, as far as the caller may see.
#[utoipa::path(get, path = "/api/v1/status", tag = "documents", responses((status = 200, description = "The state of the index", body = serde_json::Value), Asked))]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &app.server.index.status(&caller.scope).await?))
}
