//! Hits of a search, in every shape.

use clusterlore_index::{Reply, explain_command, matched, reason};
use clusterlore_search::{Hit, Noun};

use super::table::table;
use crate::args::Output;

pub(crate) fn print(reply: &Reply, output: Output, explain: bool) -> anyhow::Result<()> {
    super::understood(reply, explain);
    match output {
        Output::Json => super::json(reply),
        Output::Yaml => super::yaml(reply),
        Output::Name if !reply.unchecked().is_empty() => Err(super::unchecked(reply)),
        Output::Name => reply.hits.iter().try_for_each(|hit| super::line(&hit.id)),
        Output::Table => {
            if reply.hits.is_empty() {
                let clauses = &reply.parsed.clauses;
                let why = match reply.problems.first() {
                    Some(problem) => problem.to_string(),
                    // Manifests do not say when they were applied.
                    None if clauses.since.is_some() || clauses.until.is_some() => {
                        "no document of that age is known".to_owned()
                    }
                    None if reply.judgement.as_ref().is_some_and(|j| j.looked) => {
                        "the cluster says it of none of them".to_owned()
                    }
                    None => "no document matches".to_owned(),
                };
                let (admitted, total) = (reply.admitted, reply.total);
                super::note(&format!("No results: {why} ({admitted} of {total} documents in scope)."));
                reply.gone().iter().for_each(|gone| super::note(&format!("{gone}.")));
                if !reply.closest.is_empty() {
                    super::note(&format!("Closest resource types: {}.", reply.closest.join(", ")));
                }
                return Ok(());
            }
            super::lines(as_table(reply, explain))?;
            match &reply.hits[0].noun {
                Noun::Type(ty, _) => super::lines(["", &format!("Read more: {}", explain_command(ty))]),
                Noun::Instance(_) => Ok(()),
            }
        }
    }
}

fn as_table(reply: &Reply, explain: bool) -> Vec<String> {
    let types = matches!(reply.hits.first().map(|h| &h.noun), Some(Noun::Type(..)));
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
        let mut whys: Vec<String> = hit.found.iter().map(|finding| finding.text.clone()).collect();
        whys.dedup();
        whys.extend(if explain { vec![explained_line(hit)] } else { matched(hit) });
        row.push(whys.join(", "));
        row
    };
    table(header, reply.hits.iter().map(row).collect())
}

/// `0.10 name: red-fox + 0.05 meaning 0.42`
fn explained_line(hit: &Hit) -> String {
    let parts: Vec<String> = hit.score.reasons.iter().map(|r| format!("{:.2} {}", r.adds, reason(r))).collect();
    parts.join(" + ")
}
