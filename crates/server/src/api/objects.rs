//! All that is known of one object, and its family.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use clusterlore_agent::details as told;
use clusterlore_index::Request;
use clusterlore_search::SearchError;
use http::StatusCode;

use super::question::{One, of_query};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::Asked;

/// Tells all that is known of one object: its metadata, what the cluster prints of it now, if it may be asked, and the commands that tell
/// more.
#[utoipa::path(get, path = "/api/v1/details", tag = "documents", params(One), responses((status = 200, description = "The object", body = serde_json::Value), Asked))]
pub(crate) async fn details(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let one = of_query::<One>(query.as_deref())?;
    let id = one.id()?;
    let server = &app.server;
    let details = told(&server.index, &server.catalogue, &caller.scope, &Request::default(), id).await?;
    let missing = || SearchError::NoSuchObject { id: id.to_owned(), near: Vec::new() };
    Ok(json(StatusCode::OK, &details.ok_or_else(missing)?))
}

/// Tells what controls an object, level by level, and what it controls.
#[utoipa::path(get, path = "/api/v1/tree", tag = "documents", params(One), responses((status = 200, description = "The object's family", body = serde_json::Value), Asked))]
pub(crate) async fn tree(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let one = of_query::<One>(query.as_deref())?;
    Ok(json(StatusCode::OK, &app.server.index.tree(&caller.scope, one.id()?).await?))
}
