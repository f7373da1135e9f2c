//! Single documents, as they are stored.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use clusterlore_core::Collection;
use http::StatusCode;

use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::Asked;

/// What stands in the address, if it is text.
type Named = Result<Path<String>, PathRejection>;

async fn document(app: &App, caller: &Caller, collection: Collection, id: Named) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|rejected| Problem::wrong(rejected.body_text()))?;
    let id = id.as_str();
    let found = app.server.index.document(&caller.scope, collection, id).await?;
    let missing = || Problem::new(StatusCode::NOT_FOUND, format!("there is no {id:?} in the collection {collection}"));
    found.map(|value| json(StatusCode::OK, &value)).ok_or_else(missing)
}

/// One object: its metadata as indexed.
#[utoipa::path(get, path = "/api/v1/instances/{id}", tag = "documents",
    params(("id" = String, Path, description = "NAMESPACE/APIVERSION/KIND/NAME, _cluster for objects without a namespace; after CLUSTER: where the cluster has a name")),
    responses((status = 200, description = "The object", body = serde_json::Value), Asked))]
pub(crate) async fn instance(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    id: Named,
) -> Result<Response, Problem> {
    document(&app, &caller, Collection::Instances, id).await
}

/// One resource type, and what it is for.
#[utoipa::path(get, path = "/api/v1/capabilities/{name}", tag = "documents",
    params(("name" = String, Path, description = "PLURAL.GROUP, or the plural alone in the core group; after CLUSTER: where the cluster has a name")),
    responses((status = 200, description = "The type", body = serde_json::Value), Asked))]
pub(crate) async fn capability(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    name: Named,
) -> Result<Response, Problem> {
    document(&app, &caller, Collection::Capabilities, name).await
}
