//! Hits of a search, in every shape.

use std::collections::BTreeMap;

use clusterlore_core::{Capability, Complexity, ResourceType};
use clusterlore_search::{Answer, Hit, Noun};
use serde::Serialize;

use super::foreign::cut;
use super::table::table;
use crate::args::Output;

/// Characters that are shown of a reason: it quotes names, labels and descriptions.
const LONGEST_REASON: usize = 80;

/// A hit as programs read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonHit<'a> {
    id: &'a str,
    score: f32,
    kind: &'a str,
    api_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    #[serde(flatten)]
    ty: Option<JsonType<'a>>,
    matched: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    controlled: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    elsewhere: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Vec<Explained>>,
}

/// What only a type has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonType<'a> {
    explain_command: String,
    #[serde(flatten)]
    capability: Option<JsonCapability<'a>>,
}

/// What a type is for, where that is known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonCapability<'a> {
    use_case: &'a str,
    capabilities: &'a [String],
    providers: &'a [String],
    complexity: Complexity,
}

/// How to read more of a type.
fn explain_command(ty: &ResourceType) -> String {
    format!("kubectl explain {}", ty.name())
}

fn json_type<'a>(ty: &'a ResourceType, capability: Option<&'a Capability>) -> JsonType<'a> {
    let capability = capability.map(|c| JsonCapability {
        use_case: &c.use_case,
        capabilities: &c.capabilities,
        providers: &c.providers,
        complexity: c.complexity,
    });
    JsonType { explain_command: explain_command(ty), capability }
}

/// A summand of the score.
#[derive(Debug, Serialize)]
struct Explained {
    why: String,
    adds: f32,
}

pub(crate) fn print(answer: &Answer, output: Output, explain: bool) -> anyhow::Result<()> {
    super::understood(&answer.understood, explain);
    match output {
        Output::Json => super::json(&json_hits(answer, explain)),
        Output::Yaml => super::yaml(&json_hits(answer, explain)),
        Output::Name => answer.hits.iter().try_for_each(|hit| super::line(&hit.id)),
        Output::Table => {
            if answer.hits.is_empty() {
                let why = answer.understood.impossible.clone().unwrap_or_else(|| {
                    let limited = answer.understood.ask.since.is_some() || answer.understood.ask.until.is_some();
                    // Manifests do not say when they were applied.
                    if limited { "no document is known to be of that age" } else { "no document says so" }.to_owned()
                });
                super::note(&format!(
                    "Nothing fits: {why} ({} of {} documents in reach).",
                    answer.admitted, answer.total
                ));
                if !answer.closest.is_empty() {
                    super::note(&format!("The closest resource types: {}.", answer.closest.join(", ")));
                }
                return Ok(());
            }
            super::lines(as_table(answer, explain))?;
            match &answer.hits[0].noun {
                Noun::Type(ty, _) => super::lines(["", &format!("Read more: {}", explain_command(ty))]),
                Noun::Instance(_) => Ok(()),
            }
        }
    }
}

fn json_hits(answer: &Answer, explain: bool) -> Vec<JsonHit<'_>> {
    answer.hits.iter().map(|hit| json_hit(hit, explain)).collect()
}

fn json_hit(hit: &Hit, explain: bool) -> JsonHit<'_> {
    let rounded = |x: f32| (x * 10_000.0).round() / 10_000.0;
    let explained =
        || hit.score.reasons.iter().map(|r| Explained { why: reason(&r.why), adds: rounded(r.adds) }).collect();
    let (kind, api_version, namespace, name, labels, description, cluster) = match &hit.noun {
        Noun::Instance(i) => (
            i.kind.as_str(),
            i.api_version.clone(),
            Some(i.namespace.as_str()),
            i.name.clone(),
            Some(&i.labels),
            i.description(),
            i.cluster.as_deref(),
        ),
        Noun::Type(t, _) => (t.kind.as_str(), t.api_version(), None, t.name(), None, t.description.clone(), None),
    };
    let ty = match &hit.noun {
        Noun::Type(t, capability) => Some(json_type(t, capability.as_deref())),
        Noun::Instance(_) => None,
    };
    JsonHit {
        id: &hit.id,
        score: rounded(hit.score.total()),
        kind,
        api_version,
        namespace,
        name,
        labels,
        description,
        cluster,
        ty,
        matched: whys(hit),
        controlled: &hit.controlled,
        elsewhere: &hit.elsewhere,
        explain: explain.then(explained),
    }
}

fn as_table(answer: &Answer, explain: bool) -> Vec<String> {
    let types = matches!(answer.hits.first().map(|h| &h.noun), Some(Noun::Type(..)));
    let header: &[&str] =
        if types { &["SCORE", "TYPE", "KIND", "WHY"] } else { &["SCORE", "KIND", "NAMESPACE", "NAME", "WHY"] };
    let row = |hit: &Hit| {
        let mut row = vec![format!("{:.2}", hit.score.total())];
        match &hit.noun {
            Noun::Instance(i) => {
                let namespace = if i.is_cluster_scoped() { "-" } else { &i.namespace };
                let namespace = i.cluster.as_ref().map_or(namespace.to_owned(), |c| format!("{c}:{namespace}"));
                row.extend([i.kind.clone(), namespace, i.name.clone()]);
            }
            Noun::Type(t, _) => row.extend([t.name(), t.kind.clone()]),
        }
        row.push(if explain { explained_line(hit) } else { whys(hit).join(", ") });
        row
    };
    table(header, answer.hits.iter().map(row).collect())
}

/// The reasons that weigh, in words, and what else the hit stands for.
fn whys(hit: &Hit) -> Vec<String> {
    let weighs = |r: &&clusterlore_search::Reason| r.adds >= 0.005 || r.why.starts_with("through ");
    let mut whys: Vec<String> = hit.score.reasons.iter().filter(weighs).map(|r| reason(&r.why)).collect();
    for (ids, what) in [(&hit.elsewhere, "the same in other namespaces"), (&hit.controlled, "what it controls")] {
        if !ids.is_empty() {
            whys.push(format!("+{} {what}", ids.len()));
        }
    }
    whys
}

fn reason(why: &str) -> String {
    cut(why, LONGEST_REASON).into_owned()
}

/// `0.10 name: red-fox + 0.05 meaning 0.42`
fn explained_line(hit: &Hit) -> String {
    let parts: Vec<String> = hit.score.reasons.iter().map(|r| format!("{:.2} {}", r.adds, reason(&r.why))).collect();
    parts.join(" + ")
}
