//! What happened lately.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::question::Question;
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::Asked;

/// Tells what happened lately to what a question asks for: "what was deleted today". Kept while a cluster is watched.
#[utoipa::path(get, path = "/api/v1/changes", tag = "questions", params(Question), responses((status = 200, description = "What happened, the newest first", body = serde_json::Value), Asked))]
pub(crate) async fn changes(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let question = Question::of_query(query.as_deref())?;
    let since = time("since", &question.since)?;
    let until = time("until", &question.until)?;
    let changes = app.server.index.changes(&caller.scope, &question.request()?, since, until).await?;
    Ok(json(StatusCode::OK, &changes))
}

/// A time, or how long ago it was.
fn time(key: &str, text: &str) -> Result<Option<Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let ago = || {
        let span: SignedDuration = text.parse().ok()?;
        Timestamp::now().checked_sub(span).ok()
    };
    let read = text.parse::<Timestamp>().ok().or_else(ago);
    let wrong = || {
        Problem::wrong(format!(
            "parameter {key:?} cannot be read; expected a time such as 2026-02-20T10:00:00Z, or a duration such as 1h30m"
        ))
    };
    read.map(Some).ok_or_else(wrong)
}
