//! `apply_dry_run` and `apply`: a change in two steps, so that whoever watches an assistant sees what would change before it is changed.
//!
//! A dry run gives an id that is good once, for ten minutes, for whoever asked for it, and only in this process: it is the one thing that is kept between two calls.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clusterlore_agent::converse::{Prepared, Tried, try_apply, unchanged};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool as Told, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ground::Ground;
use super::{arguments, result, schema};
use crate::auth::Caller;

pub(super) const DRY_RUN: &str = "apply_dry_run";
pub(super) const APPLY: &str = "apply";

/// How long an id is good.
const GOOD: Duration = Duration::from_secs(600);
/// Changes that wait; of more the oldest is forgotten.
const MOST: usize = 32;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// One object, whole, in YAML or JSON, with apiVersion, kind and metadata.name.
    manifest: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The id that apply_dry_run gave.
    id: String,
}

/// A change that waits for its second step.
struct Waiting {
    since: Instant,
    /// Who had it tried: nobody else makes it, nor they themselves once they may see something else.
    caller: Caller,
    prepared: Prepared,
}

/// Changes that wait, by id.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<String, Waiting>>);

impl Pending {
    /// Keeps a change, and gives the id that it is good for. `None`: the system gives no random bytes.
    fn keep(&self, caller: &Caller, prepared: Prepared) -> Option<String> {
        let mut random = [0; 16];
        rustls::crypto::ring::default_provider().secure_random.fill(&mut random).ok()?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, waiting| waiting.since.elapsed() < GOOD);
        if pending.len() >= MOST {
            let oldest = pending.iter().min_by_key(|(_, waiting)| waiting.since).map(|(id, _)| id.clone());
            oldest.map(|id| pending.remove(&id));
        }
        pending.insert(id.clone(), Waiting { since: Instant::now(), caller: caller.clone(), prepared });
        Some(id)
    }

    /// Gives a change back, once, to whoever had it tried.
    fn take(&self, caller: &Caller, id: &str) -> Option<Prepared> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.get(id).filter(|waiting| waiting.caller == *caller && waiting.since.elapsed() < GOOD)?;
        pending.remove(id).map(|waiting| waiting.prepared)
    }
}

/// The pair as clients are told of it.
pub(super) fn tools() -> [Told; 2] {
    let hints = |title: &str| ToolAnnotations::with_title(title).open_world(false);
    let (trying, applying) = ("Try a change without effect", "Make a change that was tried");
    [
        Told::new(
            DRY_RUN,
            "Has the cluster try one object without effect (server-side apply), and shows the difference to what is there with an id for \
             apply. RBAC, Secrets and Kubernetes' own namespaces are refused, and kinds that are not indexed.",
            schema::of_input::<Manifest>(),
        )
        .with_title(trying)
        .with_annotations(hints(trying).read_only(true).destructive(false).idempotent(true)),
        Told::new(
            APPLY,
            "Makes the change that apply_dry_run showed, by its id. Call it only after the user has seen the difference and said yes. An id \
             is good once and for ten minutes; what somebody else changed in the meantime is left as it is.",
            schema::of_input::<Change>(),
        )
        .with_title(applying)
        .with_annotations(hints(applying).read_only(false).destructive(true).idempotent(false)),
    ]
}

/// The first step.
pub(super) async fn dry_run(
    ground: &Ground<'_>,
    pending: &Pending,
    caller: &Caller,
    arguments: Option<JsonObject>,
) -> Result<CallToolResult, String> {
    // The agent reads manifests, and says what is wrong with one.
    let Manifest { manifest } = arguments::read_long(arguments)?;
    let prepared = match try_apply(ground.index, ground.scope, &json!({"manifest": manifest})).await? {
        Tried::Same(id) => {
            return Ok(result::text(DRY_RUN, &unchanged(&id)));
        }
        Tried::Differs(prepared) => *prepared,
    };
    let change = prepared.change();
    let what = if change.creates { "It would be created" } else { "It would change" };
    let over =
        change.takes_over.iter().map(|said| format!("\nIt takes over fields of others: {said}")).collect::<String>();
    let shown = format!("id: {}\n{what}:\n{}{over}", change.id, change.diff);
    let id = pending.keep(caller, prepared).ok_or("the system gives no random bytes; try again.")?;
    let told = format!(
        "Nothing was changed. Show the user this difference; after their yes, call apply with id \"{id}\" within ten minutes."
    );
    let mut answer = result::text(DRY_RUN, &shown);
    answer.content.insert(0, ContentBlock::text(told));
    Ok(answer)
}

/// The second.
pub(super) async fn apply(
    pending: &Pending,
    caller: &Caller,
    arguments: Option<JsonObject>,
) -> Result<CallToolResult, String> {
    let Change { id } = arguments::read(arguments)?;
    let Some(prepared) = pending.take(caller, &id) else {
        let shown: Value = id.chars().take(64).collect::<String>().into();
        return Err(format!(
            "No change waits for id {shown}: it was made, is older than ten minutes, was given to somebody else, or is not of this server. Call {DRY_RUN} again."
        ));
    };
    prepared.apply().await.map(|told| result::text(APPLY, &told))
}
