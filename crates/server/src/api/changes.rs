//! What happened lately.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use clusterlore_core::moment;
use http::StatusCode;
use jiff::Timestamp;

use super::question::{Lately, of_query};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::Asked;

/// Tells what happened lately to what a question asks for: "what was deleted today". Kept while a cluster is watched.
#[utoipa::path(get, path = "/api/v1/changes", tag = "questions", params(Lately), responses((status = 200, description = "What happened, the newest first", body = serde_json::Value), Asked))]
pub(crate) async fn changes(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let question = of_query::<Lately>(query.as_deref())?;
    let since = time("since", &question.since)?;
    let until = time("until", &question.until)?;
    let changes = app.server.index.changes(&caller.scope, &question.request(), since, until).await?;
    Ok(json(StatusCode::OK, &changes))
}

fn time(key: &str, text: &str) -> Result<Option<Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = moment(text, Timestamp::now());
    read.map(Some).map_err(|error| Problem::wrong(format!("parameter {key:?} cannot be read; {error}")))
}
