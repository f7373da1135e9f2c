//! Hits of a search, in every shape.

use std::collections::BTreeMap;

use clusterlore_search::{Answer, Hit, MEANING_WEIGHT, Noun, WORDS_WEIGHT};
use serde::Serialize;

use super::table::table;
use crate::args::Output;

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
    matched: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explained>,
}

#[derive(Debug, Serialize)]
struct Explained {
    meaning: f32,
    words: f32,
    terms: Vec<ExplainedTerm>,
}

#[derive(Debug, Serialize)]
struct ExplainedTerm {
    field: &'static str,
    value: String,
    share: f32,
}

pub(crate) fn print(answer: &Answer, output: Output, explain: bool) -> anyhow::Result<()> {
    match output {
        Output::Json => super::json(&json_hits(answer, explain)),
        Output::Yaml => super::yaml(&json_hits(answer, explain)),
        Output::Name => answer.hits.iter().try_for_each(|hit| super::line(&hit.id)),
        Output::Table if answer.hits.is_empty() => {
            super::note(&format!("Nothing fits ({} of {} documents were looked at).", answer.admitted, answer.total));
            Ok(())
        }
        Output::Table => super::line(&as_table(answer, explain)),
    }
}

fn json_hits(answer: &Answer, explain: bool) -> Vec<JsonHit<'_>> {
    answer.hits.iter().map(|hit| json_hit(hit, explain)).collect()
}

fn json_hit(hit: &Hit, explain: bool) -> JsonHit<'_> {
    let rounded = |x: f32| (x * 10_000.0).round() / 10_000.0;
    let explained = || Explained {
        meaning: rounded(MEANING_WEIGHT * hit.score.meaning),
        words: rounded(WORDS_WEIGHT * hit.score.words_part()),
        terms: hit
            .score
            .words
            .iter()
            .map(|w| ExplainedTerm { field: w.field, value: w.value.clone(), share: rounded(WORDS_WEIGHT * w.share) })
            .collect(),
    };
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
        Noun::Type(t) => (t.kind.as_str(), t.api_version(), None, t.name(), None, t.description.clone(), None),
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
        matched: hit.score.reasons(),
        explain: explain.then(explained),
    }
}

fn as_table(answer: &Answer, explain: bool) -> String {
    let types = matches!(answer.hits.first().map(|h| &h.noun), Some(Noun::Type(_)));
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
            Noun::Type(t) => row.extend([t.name(), t.kind.clone()]),
        }
        row.push(if explain { explained_line(hit) } else { hit.score.reasons().join(", ") });
        row
    };
    table(header, answer.hits.iter().map(row).collect())
}

/// `0.31 = 0.6 · 0.42 meaning + 0.4 · (0.10 name: red-fox + …)`
fn explained_line(hit: &Hit) -> String {
    let score = &hit.score;
    let words: Vec<String> = score.words.iter().map(|w| format!("{:.2} {}: {}", w.share, w.field, w.value)).collect();
    let words = if words.is_empty() { "no word".to_owned() } else { words.join(" + ") };
    format!("{MEANING_WEIGHT} · {:.2} meaning + {WORDS_WEIGHT} · ({words})", score.meaning)
}
