//! `find_resource_types`: which resource type is for a task.

use std::collections::HashMap;

use clusterlore_core::{Collection, words};
use clusterlore_index::Request;
use clusterlore_search::{Hit, Noun};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::tool::{Answer, Tool};
use super::{arguments, notes, room};

/// Types where nobody says how many.
const USUAL: u16 = 10;
/// Types at most.
const MOST: u16 = 100;
/// Characters of one text that are shown.
const LONGEST: usize = 200;

pub(super) struct FindResourceTypes;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Input {
    /// What a type is wanted for, in plain words: "a database", "issue TLS certificates", "run something every night".
    #[schemars(required)]
    task: String,
    /// Only types of the cluster of this name.
    cluster: Option<String>,
    /// The most types, 1 to 100; 10 if left out.
    limit: Option<u16>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    /// How many types are indexed.
    total: usize,
    /// How many are shown.
    shown: usize,
    /// How to see others, or fewer.
    narrow: String,
    /// Best first.
    types: Vec<Type>,
    /// How the task was read, and what of the answer may not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// A resource type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Type {
    /// plural.group, as kubectl names it.
    name: String,
    api_version: String,
    kind: String,
    plural: String,
    scope: Scope,
    /// The name of its cluster; missing for the unnamed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// What people use it for; empty where that is not known.
    #[serde(rename = "for")]
    purpose: String,
    /// Who can stand behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    providers: Vec<String>,
    /// How much one has to know to use it: low, medium or high.
    #[serde(skip_serializing_if = "Option::is_none")]
    complexity: Option<String>,
    /// How many objects of it are indexed.
    instances: usize,
    /// Why it was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
enum Scope {
    Namespaced,
    Cluster,
}

impl Tool for FindResourceTypes {
    const NAME: &'static str = "find_resource_types";
    const TITLE: &'static str = "Find the resource type for a task";
    const DESCRIPTION: &'static str = "Finds which Kubernetes resource types of this cluster, custom ones too, are for a task: apiVersion, \
        kind, plural, scope, what each is for, and how many objects of it there are. For \"what can I use for a database?\" and before a \
        manifest is written.";
    type Input = Input;
    type Output = Found;

    async fn call(ground: &Ground<'_>, input: Input) -> Result<Answer<Found>, String> {
        let limit = arguments::limit(input.limit, USUAL, MOST)?;
        if input.task.trim().is_empty() {
            return Err("task is empty; expected what a type is wanted for, such as \"a database\".".to_owned());
        }
        let request = Request {
            question: input.task,
            collection: Collection::Capabilities,
            clusters: input.cluster.into_iter().collect(),
            limit,
            now: ground.now(),
            ..Request::default()
        };
        let reply = ground.index.ask(ground.scope, &request).await.map_err(|error| ground.told(error))?;
        let status = ground.index.status(ground.scope).await.map_err(|error| ground.told(error))?;
        let counts = status.documents.iter().map(|of| ((of.cluster.as_str(), of.type_name.as_str()), of.documents));
        let counts: HashMap<(&str, &str), usize> = counts.collect();
        let all: Vec<(String, Type)> = reply.hits.iter().filter_map(|hit| ty(hit, &counts)).collect();
        let of = all.len();
        let (mut rows, types) = room::fitting(all, room::of(input.limit));
        let notes = notes::of(&reply);
        rows.extend(notes.iter().map(|note| format!("note: {note}")));
        let narrow = match types.len() {
            0 => "Nothing fits; say the task in other words.".to_owned(),
            shown if shown < of => "The answer is full; say the task in more words.".to_owned(),
            shown if shown < limit => "These are all that fit.".to_owned(),
            _ => format!("Say the task in more words, or raise limit (at most {MOST})."),
        };
        let told = format!("{} shown of {} indexed types, best first. {narrow}", types.len(), reply.total);
        let object = Found { total: reply.total, shown: types.len(), narrow, types, notes };
        Ok(Answer { told, rows: rows.join("\n"), object })
    }
}

fn ty(hit: &Hit, counts: &HashMap<(&str, &str), usize>) -> Option<(String, Type)> {
    let Noun::Type(ty, capability) = &hit.noun else { return None };
    let cluster = hit.id.rsplit_once(':').map_or("", |(cluster, _)| cluster);
    let cut = |text: &str| words::cut(&words::one_line(text), LONGEST).into_owned();
    let purpose = match capability {
        Some(capability) if !capability.use_case.is_empty() => &capability.use_case,
        Some(capability) if !capability.description.is_empty() => &capability.description,
        _ => &ty.description,
    };
    let instances = counts.get(&(cluster, ty.name().as_str())).copied().unwrap_or_default();
    let found = Type {
        name: ty.name(),
        api_version: ty.api_version(),
        kind: ty.kind.clone(),
        plural: ty.plural.clone(),
        scope: if ty.namespaced { Scope::Namespaced } else { Scope::Cluster },
        cluster: Some(cluster.to_owned()).filter(|cluster| !cluster.is_empty()),
        purpose: cut(purpose),
        providers: capability.iter().flat_map(|capability| &capability.providers).map(|name| cut(name)).collect(),
        complexity: capability.as_ref().map(|capability| capability.complexity.to_string()),
        instances,
        why: notes::why(hit).iter().map(|why| cut(why)).collect(),
    };
    let row = format!(
        "{} | {} {} | {:?} | instances: {instances} | for: {} | why: {}",
        hit.id,
        found.api_version,
        found.kind,
        found.scope,
        found.purpose,
        found.why.join("; ")
    );
    Some((words::one_line(&row), found))
}
