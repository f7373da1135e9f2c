//! Tools over the index.

use futures::future::BoxFuture;
use std::fmt::Write as _;

use clusterlore_core::{Collection, Scope};
use clusterlore_index::{Index, Reply, Request, matched};
use clusterlore_models::Tool;
use clusterlore_search::{Hit, Noun, SearchError, Wanted};
use serde::Deserialize;
use serde_json::json;

use super::told::{Outcome, Told, arguments};

pub(super) const SEARCH: &str = "vector_search";
pub(super) const COUNT: &str = "count";

/// Hits of one search at most.
const MOST: usize = 50;
/// Hits that are looked at where a condition is checked on them.
const LOOKED_AT: usize = 500;
/// What is asked of types where nothing is said but how hard they may be to use.
const ANYTHING: &str = "configuration";

/// The index, and what of it may be asked.
pub(super) struct Vector<'a> {
    pub(super) index: &'a Index,
    pub(super) scope: &'a Scope,
    /// Conditions of the user's own, which no call widens.
    pub(super) within: Request,
}

/// The tools, for a model.
pub(super) fn tools() -> Vec<Tool> {
    let shared = json!({
        "query": {"type": "string", "description": "What to look for, in plain words. Matched by meaning."},
        "keyword": {"type": "string", "description": "A word that must occur in the name, the labels or the description."},
        "collection": {"type": "string", "enum": ["capabilities", "instances"],
            "description": "capabilities: which resource types there are and what each is for. instances: what is running."},
        "kind": {"type": "string", "description": "Only objects of this kind, such as Deployment."},
        "apiGroup": {"type": "string", "description": "Only objects of this API group, such as apps."},
        "namespace": {"type": "string", "description": "Only objects in this namespace."},
    });
    let mut search = shared.clone();
    search["complexity"] = json!({"type": "string", "enum": ["low", "medium", "high"],
        "description": "Only resource types that are this hard to use. For capabilities."});
    search["nResults"] =
        json!({"type": "integer", "minimum": 1, "maximum": MOST, "description": "How many. 5 if left out."});
    let mut count = shared;
    count["group_by"] =
        json!({"type": "string", "description": "Count by kind, namespace, owner, cluster or label:KEY."});
    let tool = |name, description: &str, properties| Tool {
        name,
        description: description.to_owned(),
        parameters: json!({"type": "object", "properties": properties, "required": ["collection"], "additionalProperties": false}),
    };
    vec![
        tool(
            SEARCH,
            "Searches the index of the cluster by meaning, by a keyword, by filters, or by any of these together; filters alone are \
             allowed. The index holds names, kinds, labels and descriptions, and what each resource type is for; no spec and no status.",
            search,
        ),
        tool(COUNT, "Counts what the index holds, exactly, with the same conditions as vector_search.", count),
    ]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    query: String,
    #[serde(default)]
    keyword: String,
    collection: Collection,
    kind: Option<String>,
    api_group: Option<String>,
    namespace: Option<String>,
    complexity: Option<String>,
    n_results: Option<u64>,
    #[serde(rename = "group_by")]
    group_by: Option<String>,
}

/// What `vector_search` finds, and where, for whoever tells of it in words of their own.
///
/// # Errors
/// What is wrong with the call, or why the index cannot be asked, as a model is told.
pub fn vector_search<'f>(
    index: &'f Index,
    scope: &'f Scope,
    within: Request,
    input: &'f serde_json::Value,
) -> BoxFuture<'f, Result<(Collection, Reply), String>> {
    Box::pin(async move { Vector { index, scope, within }.find(input).await })
}

impl Vector<'_> {
    pub(super) async fn search(&self, input: &serde_json::Value) -> Outcome {
        let (collection, reply) = self.find(input).await?;
        Ok(told(&reply, collection))
    }

    async fn find(&self, input: &serde_json::Value) -> Result<(Collection, Reply), String> {
        let asked: Asked = arguments(input)?;
        if asked.group_by.is_some() {
            return Err("vector_search does not group; call count.".to_owned());
        }
        if let Some(other) = asked.complexity.as_deref().filter(|said| !["low", "medium", "high"].contains(said)) {
            return Err(format!("complexity is {other:?}; expected low, medium or high."));
        }
        let filtered = asked.kind.is_some() || asked.api_group.is_some() || asked.namespace.is_some();
        if asked.query.is_empty() && asked.keyword.is_empty() && !filtered && asked.complexity.is_none() {
            return Err("Nothing is asked for; give at least one of query, keyword and a filter.".to_owned());
        }
        let wanted = usize::try_from(asked.n_results.unwrap_or(5)).unwrap_or(MOST).clamp(1, MOST);
        let checked = !asked.keyword.is_empty() || asked.complexity.is_some();
        let limit = if checked { LOOKED_AT } else { wanted };
        let request = Request { limit, ..self.request(&asked).await? };
        let mut reply = self.ask(&request).await?;
        reply.hits.retain(|hit| has(hit, &asked));
        reply.hits.truncate(wanted);
        Ok((asked.collection, reply))
    }

    pub(super) async fn count(&self, input: &serde_json::Value) -> Outcome {
        let asked: Asked = arguments(input)?;
        let group_by = match &asked.group_by {
            Some(by) => Some(by.parse().map_err(|e: clusterlore_search::UnknownGroup| format!("group_by: {e}."))?),
            None => None,
        };
        if !asked.keyword.is_empty() || asked.complexity.is_some() || asked.n_results.is_some() {
            return Err("count takes query, collection, kind, apiGroup, namespace and group_by.".to_owned());
        }
        let request = Request { number: Wanted::Always, group_by, hits: false, ..self.request(&asked).await? };
        let reply = self.ask(&request).await?;
        let mut text = match reply.number {
            Some(number) => format!("{number} in collection {}", asked.collection.name()),
            None => "They cannot be counted: the index does not know what the question needs.".to_owned(),
        };
        for group in &reply.groups {
            let _ = write!(text, "\n{}: {}", group.name, group.count);
        }
        add_notes(&mut text, &reply);
        Ok(Told { text, ids: reply.counted.clone() })
    }

    async fn ask(&self, request: &Request) -> Result<Reply, String> {
        self.index.ask(self.scope, request).await.map_err(|error| match error {
            SearchError::Kind(unknown) => format!("{unknown}."),
            error => format!("The index cannot be asked: {error}."),
        })
    }

    async fn request(&self, asked: &Asked) -> Result<Request, String> {
        let within = &self.within;
        let mut request = within.clone();
        request.collection = asked.collection;
        let words = [asked.query.trim(), asked.keyword.trim()].map(str::to_owned);
        request.question = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if let Some(namespace) = asked.namespace.as_deref().filter(|namespace| !["", "all"].contains(namespace)) {
            if !within.namespaces.is_empty() && !within.namespaces.iter().any(|of| of == namespace) {
                return Err(format!(
                    "The user asks about namespace {} only; namespace {namespace} is outside of it.",
                    within.namespaces.join(", ")
                ));
            }
            request.namespaces = vec![namespace.to_owned()];
        }
        if let Some(group) = asked.api_group.as_deref() {
            let types = self.index.types(self.scope).await.map_err(|e| format!("The index cannot be asked: {e}."))?;
            let of_kind =
                |ty: &clusterlore_core::ResourceType| asked.kind.as_ref().is_none_or(|kind| ty.answers_to(kind));
            let of_group = types.iter().map(|(_, ty)| ty).filter(|ty| ty.group == group && of_kind(ty));
            request.kinds = of_group.map(clusterlore_core::ResourceType::name).collect();
            request.kinds.sort();
            request.kinds.dedup();
            if request.kinds.is_empty() {
                return Err(format!(
                    "The index knows no such type of API group {group:?}; leave apiGroup out to see others."
                ));
            }
        } else if let Some(kind) = &asked.kind {
            request.kinds = vec![kind.clone()];
        }
        let filtered = !request.kinds.is_empty() || !request.namespaces.is_empty() || !request.selector.is_empty();
        if request.question.is_empty() && !filtered && asked.complexity.is_some() {
            request.question = ANYTHING.to_owned();
        }
        Ok(request)
    }
}

/// Whether a hit has the keyword, and is as hard to use as was asked for.
fn has(hit: &Hit, asked: &Asked) -> bool {
    let keyword = asked.keyword.to_lowercase();
    let has_keyword = keyword.is_empty() || line(hit).to_lowercase().contains(&keyword);
    let is_so = |complexity: &str| match &hit.noun {
        Noun::Type(_, Some(capability)) => capability.complexity.to_string().eq_ignore_ascii_case(complexity),
        _ => false,
    };
    has_keyword && asked.complexity.as_deref().is_none_or(is_so)
}

fn told(reply: &Reply, collection: Collection) -> Told {
    let name = collection.name();
    let mut text = match reply.hits.len() {
        0 => format!("No results found in \"{name}\" collection."),
        some => format!("Found {some} results in \"{name}\" collection:"),
    };
    let mut ids = Vec::new();
    for (number, hit) in reply.hits.iter().enumerate() {
        let _ = write!(text, "\n{}. {}", number + 1, line(hit));
        ids.push(hit.id.clone());
        ids.extend(hit.controlled.iter().chain(&hit.elsewhere).cloned());
    }
    if reply.hits.is_empty() && !reply.closest.is_empty() {
        let _ = write!(text, "\nNearest resource types: {}", reply.closest.join(", "));
        ids.extend(reply.closest.iter().cloned());
    }
    add_notes(&mut text, reply);
    Told { text, ids }
}

/// A hit in a line.
fn line(hit: &Hit) -> String {
    let mut line = hit.id.clone();
    match &hit.noun {
        Noun::Instance(instance) => {
            let _ = write!(line, " ({})", instance.kind);
            if !instance.labels.is_empty() {
                let _ = write!(line, " labels: {}", instance.labels_joined(", "));
            }
            let description = instance.description();
            if !description.is_empty() {
                let _ = write!(line, " description: {description}");
            }
            for (key, value) in &instance.kept_annotations {
                let _ = write!(line, " {key}: {value}");
            }
        }
        Noun::Type(ty, capability) => {
            let _ = write!(line, " ({}, {})", ty.kind, ty.api_version());
            if let Some(capability) = capability {
                let _ = write!(line, " for: {}", capability.use_case);
                if !capability.providers.is_empty() {
                    let _ = write!(line, " providers: {}", capability.providers.join(", "));
                }
                let _ = write!(line, " complexity: {}", capability.complexity);
            }
            if !ty.description.is_empty() {
                let _ = write!(line, " schema: {}", ty.description);
            }
        }
    }
    for finding in &hit.found {
        let _ = write!(line, " now: {}", finding.text);
    }
    let why = matched(hit);
    if !why.is_empty() {
        let _ = write!(line, " matched by: {}", why.join("; "));
    }
    if !hit.elsewhere.is_empty() {
        let _ = write!(line, " also: {}", hit.elsewhere.join(", "));
    }
    if !hit.controlled.is_empty() {
        let _ = write!(line, " controls: {}", hit.controlled.join(", "));
    }
    clusterlore_core::words::one_line(&line)
}

/// How the question was read, and what may not hold.
fn add_notes(text: &mut String, reply: &Reply) {
    for problem in &reply.problems {
        let _ = write!(text, "\nNote: {problem}.");
    }
    for need in reply.parsed.needs.iter().filter(|need| !reply.is_read(need)) {
        let _ = write!(text, "\nNote: the index does not know \"{}\"; look at the cluster for it.", need.said);
    }
    for why in reply.unread() {
        let _ = write!(text, "\nNote: not read from the cluster: {why}.");
    }
    for doubt in &reply.doubts {
        let _ = write!(text, "\nNote: {}.", doubt.about);
    }
}
