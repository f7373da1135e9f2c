//! The tools of cluster-whisperer, with its parameters and texts, for assistants that know them. The agent's own tools do the work; they
//! read the cluster only for callers who may see all of it.

use std::fmt::Write as _;
use std::sync::Arc;

use clusterlore_agent::converse::{Reach, Tools, reading_tools, vector_search};
use clusterlore_core::Collection;
use clusterlore_index::{Reply, Request};
use clusterlore_search::{Hit, Noun};
use rmcp::model::{JsonObject, Tool as Told};
use serde_json::Value;

use super::ground::Ground;
use super::tool::reads;

const SEARCH: &str = "vector_search";
/// Each with its title.
const TOOLS: [(&str, &str); 4] = [
    (SEARCH, "Search the index"),
    ("kubectl_get", "List objects"),
    ("kubectl_describe", "Describe an object"),
    ("kubectl_logs", "Show the log of a pod"),
];

/// Whether it is one of these.
pub(super) fn is_tool(name: &str) -> bool {
    TOOLS.iter().any(|(tool, _)| *tool == name)
}

/// The tools as clients are told of them.
pub(super) fn tools() -> Vec<Told> {
    let own = reading_tools();
    let told = |(name, title): (&'static str, &'static str)| {
        let tool = own.iter().find(|tool| tool.name == name)?;
        let schema: JsonObject = tool.parameters.as_object().cloned()?;
        let told = Told::new(name, tool.description.clone(), Arc::new(schema));
        Some(told.with_title(title).with_annotations(reads(title)))
    };
    TOOLS.into_iter().filter_map(told).collect()
}

/// Answers a call of one.
pub(super) async fn call(ground: &Ground<'_>, name: &str, arguments: Option<JsonObject>) -> Result<String, String> {
    let input = Value::Object(arguments.unwrap_or_default());
    let within = Request { now: ground.now(), ..Request::default() };
    if name != SEARCH {
        return Tools::new(Reach::reading(ground.index, ground.scope, within)).answer(name, &input).await;
    }
    let (collection, reply) = vector_search(ground.index, ground.scope, within, &input).await?;
    let has = |key: &str| input.get(key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    Ok(found(collection, &reply, has("keyword") && !has("query")))
}

/// Hits as cluster-whisperer prints them. Its distance is one minus the score.
fn found(collection: Collection, reply: &Reply, by_keyword: bool) -> String {
    let name = collection.name();
    if reply.hits.is_empty() {
        return format!("No results found in \"{name}\" collection.");
    }
    let mut text = format!("Found {} results in \"{name}\" collection:\n", reply.hits.len());
    for (number, hit) in reply.hits.iter().enumerate() {
        let distance = (1.0 - hit.score.total()).clamp(0.0, 1.0);
        let how = match distance {
            _ if by_keyword => "keyword match".to_owned(),
            distance if distance < 0.3 => format!("distance: {distance:.2} — very similar"),
            distance if distance < 0.6 => format!("distance: {distance:.2} — similar"),
            distance => format!("distance: {distance:.2} — somewhat related"),
        };
        let (document, metadata) = document(hit);
        let _ = write!(text, "\n{}. {} ({how})\n{document}\nMetadata: {metadata}\n", number + 1, hit.id);
    }
    text
}

/// The text of a document, and its metadata.
fn document(hit: &Hit) -> (String, String) {
    let joined = |metadata: clusterlore_core::Metadata| {
        let pairs = metadata.iter().map(|(key, value)| match value {
            Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    match &hit.noun {
        Noun::Instance(instance) => (instance.text(), joined(instance.metadata())),
        Noun::Type(_, Some(capability)) => (capability.text(), joined(capability.metadata(None))),
        Noun::Type(ty, None) => (ty.text(), String::new()),
    }
}
