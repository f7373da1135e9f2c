//! Why an object was found, in words for people: `PostgreSQL · relational database, name matches, +2 pods`.

use std::collections::BTreeMap;

use clusterlore_core::ResourceType;
use clusterlore_index::reason;
use clusterlore_search::{Hit, Reason};

/// What a reason must add to the score to be told.
const TOLD: f32 = 0.005;

/// What the cluster says of it, why it was found, and what else it stands for.
pub(super) fn why(hit: &Hit) -> String {
    let mut said: Vec<String> = hit.found.iter().map(|finding| finding.text.clone()).collect();
    let weighs = |r: &&Reason| r.adds >= TOLD || r.why.starts_with("through ");
    said.extend(in_words(hit.score.reasons.iter().filter(weighs)));
    said.extend(counted(&hit.controlled));
    if !hit.elsewhere.is_empty() {
        said.push(format!("+{} in other namespaces", hit.elsewhere.len()));
    }
    said.dedup();
    said.join(", ")
}

/// `0.10 name: red-fox + 0.05 meaning 0.42`
pub(super) fn summands(hit: &Hit) -> String {
    let parts: Vec<String> = hit.score.reasons.iter().map(|r| format!("{:.2} {}", r.adds, reason(r))).collect();
    parts.join(" + ")
}

/// What a reason says, as far as people are told.
enum Said<'r> {
    /// Software that it is, and the category that was asked for.
    Is(&'r str, &'r str),
    /// Software that it is.
    Software(&'r str),
    /// A phrase of its own.
    Phrase(String),
    /// That the question is near, which says nothing where there is another reason.
    Near,
    /// Nothing: all hits have it.
    Nothing,
}

impl<'r> Said<'r> {
    fn of(why: &'r str) -> Self {
        if let Some((field, value)) = why.split_once(": ") {
            return Self::Phrase(match field {
                "name" | "short name" => "name matches".to_owned(),
                "kind" => "kind matches".to_owned(),
                "label" | "annotation" | "namespace" | "group" => format!("{field} {value}"),
                "capabilities" => format!("for {value}"),
                _ => format!("\"{value}\""),
            });
        }
        if why.starts_with("meaning ") || why.starts_with("likely what is asked for") {
            return Self::Near;
        }
        if let Some((what, _)) = why.split_once(" matches the purpose") {
            return match what.strip_prefix("type ") {
                Some(_) => Self::Phrase("its kind is for this".to_owned()),
                None => Self::Software(what),
            };
        }
        if let Some(software) = why.strip_prefix("is ") {
            return Self::Software(software.rsplit_once(" (").map_or(software, |(title, _)| title));
        }
        match (why, why.split_once(" is ")) {
            (_, Some((title, category))) => Self::Is(title, category),
            ("named in the question", _) => Self::Phrase("name matches".to_owned()),
            ("in scope", _) => Self::Nothing,
            _ => Self::Phrase(why.to_owned()),
        }
    }
}

/// The reasons of a score, each once, what weighs most first. Numbers that compare only within one answer are left out.
fn in_words<'r>(reasons: impl Iterator<Item = &'r Reason>) -> Vec<String> {
    let reasons: Vec<String> = reasons.map(reason).collect();
    let all: Vec<Said<'_>> = reasons.iter().map(|why| Said::of(why)).collect();
    let category_of = |software: &str| {
        all.iter().find_map(|said| match said {
            Said::Is(title, category) if *title == software => Some(*category),
            _ => None,
        })
    };
    let mut said: Vec<String> = Vec::new();
    for phrase in all.iter().filter_map(|one| match one {
        Said::Is(title, category) => Some(format!("{title} · {category}")),
        Said::Software(title) => {
            Some(category_of(title).map_or((*title).to_owned(), |category| format!("{title} · {category}")))
        }
        Said::Phrase(phrase) => Some(phrase.clone()),
        Said::Near | Said::Nothing => None,
    }) {
        if !said.contains(&phrase) {
            said.push(phrase);
        }
    }
    if said.is_empty() && all.iter().any(|one| matches!(one, Said::Near)) {
        said.push("close in meaning".to_owned());
    }
    said
}

/// `+1 replicaset`, `+2 pods`, of stored ids.
fn counted(ids: &[String]) -> Vec<String> {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids {
        let kind = id.rsplit('/').nth(1).unwrap_or("object");
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
    let counted = kinds.into_iter().map(|(kind, number)| match number {
        1 => format!("+1 {}", kind.to_lowercase()),
        _ => format!("+{number} {}", ResourceType::plural_of(&kind)),
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(reasons: &[&str], expected: &str) {
        let reasons: Vec<Reason> = reasons.iter().map(|why| Reason { why: (*why).to_owned(), adds: 0.1 }).collect();
        assert_eq!(in_words(reasons.iter()).join(", "), expected);
    }

    #[test]
    fn a_reason_is_a_phrase() {
        let likely = "likely what is asked for (0.94)";
        told(
            &[likely, "PostgreSQL matches the purpose (0.59)", "PostgreSQL is relational database"],
            "PostgreSQL · relational database",
        );
        told(&["MariaDB matches the purpose (0.30)", "name: mariadb", "is MariaDB (maria)"], "MariaDB, name matches");
        told(&[likely, "meaning 0.30"], "close in meaning");
        told(&["label: team=payments", "kind: pods", likely], "label team=payments, kind matches");
        told(&["named in the question", "name: checkout", "in shop"], "name matches, in shop");
        told(&["description: Harbour fee table"], "\"Harbour fee table\"");
        told(&["type backups.velero.io matches the purpose", "through Pod a"], "its kind is for this, through Pod a");
        told(&["in scope"], "");
        told(&["description: what is asked for is this"], "\"what is asked for is this\"");
    }

    #[test]
    fn what_it_controls_is_counted_by_kind() {
        let ids = ["a/v1/Pod/x", "a/v1/Pod/y", "a/apps/v1/ReplicaSet/z"].map(str::to_owned);
        assert_eq!(counted(&ids), ["+2 pods", "+1 replicaset"]);
    }
}
