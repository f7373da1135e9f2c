//! What is indexed.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use clusterlore_index::Status;
use clusterlore_pipeline::{LiveState, Turn};
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::problem::Problem;
use crate::refusals::Asked;

/// The state of the index, and what this process does about it.
#[derive(Serialize)]
struct Served {
    #[serde(flatten)]
    index: Status,
    /// The clusters that are watched, of those of which the caller may see everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    live: Vec<Live>,
}

/// What is done about a cluster that is watched.
#[derive(Serialize)]
struct Live {
    /// Its name, empty for the unnamed one.
    cluster: String,
    /// Whether a first sync of it has ended.
    ready: bool,
    /// Whether another process keeps its index, and this one waits to take over.
    standby: bool,
    /// Whether the cluster or the store fails this process, which tries again.
    interrupted: bool,
    /// Whether its kubeconfig is gone from the folder: nobody keeps its index, and its documents stay.
    gone: bool,
}

/// What is indexed, from where, and when, as far as the caller may see; of watched clusters also whether this process keeps their index or
/// stands by.
#[utoipa::path(get, path = "/api/v1/status", tag = "documents", responses((status = 200, description = "The state of the index", body = serde_json::Value), Asked))]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let index = app.server.index.status(&caller.scope).await?;
    let live = app.server.live.all();
    let seen = live.into_iter().filter(|(cluster, _)| caller.scope.admits_whole_cluster(cluster));
    let live = seen.map(|(cluster, status)| {
        let LiveState { ready, turn, .. } = status.state();
        let [standby, interrupted, gone] = [Turn::StandsBy, Turn::Interrupted, Turn::Gone].map(|other| turn == other);
        Live { cluster, ready, standby, interrupted, gone }
    });
    let live = live.collect();
    Ok(json(StatusCode::OK, &Served { index, live }))
}
