//! Search, count, similar, and answers in sentences.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use clusterlore_agent::{conclude, gather};
use clusterlore_index::Request;
use clusterlore_search::Wanted;
use http::{HeaderMap, StatusCode};

use super::question::{AboutTypes, Like, Question, of_body, of_query};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::{Asked, AskedAsJson};

type Answered = Result<Response, Problem>;

async fn answer(app: &App, caller: &Caller, request: &Request) -> Answered {
    Ok(json(StatusCode::OK, &app.server.index.ask(&caller.scope, request).await?))
}

async fn counted(app: &App, caller: &Caller, request: Request) -> Answered {
    answer(app, caller, &Request { hits: false, number: Wanted::Always, ..request }).await
}

async fn said(app: &App, caller: &Caller, request: &Request) -> Answered {
    let found = gather(&app.server.index, &app.server.catalogue, &caller.scope, request).await?;
    let server = &app.server;
    let concluded = conclude(&server.index, &server.catalogue, &caller.scope, found, request.live, |_| {}).await?;
    Ok(json(StatusCode::OK, &concluded.told()))
}

/// Finds what a question asks for.
#[utoipa::path(get, path = "/api/v1/search", tag = "questions", params(Question), responses((status = 200, description = "What was found, best first", body = serde_json::Value), Asked))]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    answer(&app, &caller, &of_query::<Question>(query.as_deref())?.request()?).await
}

/// As GET, with the question as JSON.
#[utoipa::path(post, path = "/api/v1/search", tag = "questions", request_body = Question, responses((status = 200, description = "What was found, best first", body = serde_json::Value), Asked, AskedAsJson))]
pub(crate) async fn search_post(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    answer(&app, &caller, &of_body::<Question>(&headers, &body)?.request()?).await
}

/// Counts what a question asks for.
#[utoipa::path(get, path = "/api/v1/count", tag = "questions", params(Question), responses((status = 200, description = "The number, and the groups that were asked for", body = serde_json::Value), Asked))]
pub(crate) async fn count(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    counted(&app, &caller, of_query::<Question>(query.as_deref())?.request()?).await
}

/// As GET, with the question as JSON.
#[utoipa::path(post, path = "/api/v1/count", tag = "questions", request_body = Question, responses((status = 200, description = "The number, and the groups that were asked for", body = serde_json::Value), Asked, AskedAsJson))]
pub(crate) async fn count_post(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    counted(&app, &caller, of_body::<Question>(&headers, &body)?.request()?).await
}

/// Finds resource types by what they are for.
#[utoipa::path(get, path = "/api/v1/capabilities", tag = "questions", params(AboutTypes), responses((status = 200, description = "Types, best first", body = serde_json::Value), Asked))]
pub(crate) async fn capabilities(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    answer(&app, &caller, &of_query::<AboutTypes>(query.as_deref())?.request()).await
}

/// Finds objects that are similar to one object.
#[utoipa::path(get, path = "/api/v1/similar", tag = "questions", params(Like), responses((status = 200, description = "Similar objects, best first", body = serde_json::Value), (status = 409, description = "There are several"), Asked))]
pub(crate) async fn similar(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    let question = of_query::<Like>(query.as_deref())?;
    let id = question.id.clone();
    if id.trim().is_empty() {
        return Err(Problem::wrong("the id is missing; expected id=NAMESPACE/APIVERSION/KIND/NAME, or id=KIND/NAME"));
    }
    Ok(json(StatusCode::OK, &app.server.index.similar(&caller.scope, &id, &question.request()?).await?))
}

/// Answers a question in sentences.
#[utoipa::path(get, path = "/api/v1/ask", tag = "questions", params(Question), responses((status = 200, description = "Sentences, and what they rest on", body = serde_json::Value), Asked))]
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answered {
    said(&app, &caller, &of_query::<Question>(query.as_deref())?.request()?).await
}

/// As GET, with the question as JSON.
#[utoipa::path(post, path = "/api/v1/ask", tag = "questions", request_body = Question, responses((status = 200, description = "Sentences, and what they rest on", body = serde_json::Value), Asked, AskedAsJson))]
pub(crate) async fn ask_post(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    said(&app, &caller, &of_body::<Question>(&headers, &body)?.request()?).await
}
