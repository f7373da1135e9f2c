//! Words of a question that name kinds.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::{Asked, Meaning};
use clusterlore_core::{ResourceType, words};

use super::clauses::Clauses;
use super::context::QueryContext;
use super::language;
use super::parsed::{Note, ParsedQuery};
use super::tokens::Tokens;
use crate::yardstick::step;

/// Words for everything that runs pods.
const WORKLOAD_WORDS: [&str; 2] = ["workload", "workloads"];
/// The types that they stand for.
const WORKLOAD_TYPES: [&str; 7] = [
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
];

/// Reads the kinds. If the question is only about kinds they become a condition; otherwise they only rank higher.
pub(super) fn kinds(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    let (types, catalogue) = (context.types, context.catalogue);
    let mut named: Vec<(Vec<usize>, BTreeSet<String>)> = Vec::new();
    let free: Vec<usize> = tokens.free().collect();
    let mut next = 0;
    while next < free.len() {
        let at = free[next];
        let pair = free.get(next + 1).filter(|second| **second == at + 1);
        let joined = pair.map(|second| format!("{}{}", tokens.low[at], tokens.low[*second]));
        let types_of = |word: &str| -> BTreeSet<String> {
            let stem = words::stem(word);
            let answers = |t: &&ResourceType| {
                step();
                t.answers_to(word) || t.answers_to(&stem)
            };
            let of_word = types.iter().map(|(_, t)| t).filter(answers);
            of_word.map(ResourceType::name).collect()
        };
        let of_pair = joined.map(|word| types_of(&word)).filter(|found| !found.is_empty());
        if let (Some(found), Some(second)) = (of_pair, pair) {
            named.push((vec![at, *second], found));
            next += 2;
            continue;
        }
        let found = if WORKLOAD_WORDS.contains(&tokens.low[at].as_str()) {
            WORKLOAD_TYPES.map(str::to_owned).into()
        } else if words::is_stop_word(&tokens.low[at]) {
            BTreeSet::new()
        } else {
            types_of(&tokens.low[at])
        };
        if !found.is_empty() {
            named.push((vec![at], found));
        }
        next += 1;
    }
    if context.language.is_some() || parsed.clauses != Clauses::default() {
        other_names(tokens, context, &mut named);
    }
    let places: BTreeSet<usize> = named.iter().flat_map(|(at, _)| at.iter().copied()).collect();
    let filler = |at: usize| tokens.says_nothing(at) || language::is_stop_word(context.language, &tokens.low[at]);
    let only_kinds = tokens.free().all(|at| places.contains(&at) || filler(at));
    let spelt = |at: &[usize]| at.iter().map(|at| tokens.raw[*at].as_str()).collect::<Vec<_>>().join(" ");
    // "databases" means more than the kind `Database`; "database claims" means only the kind `DatabaseClaim`.
    let means_more = named.iter().map(|(at, _)| spelt(at)).any(|text| {
        let whole = |a: &Asked<'_>| a.span == (0..text.len()) && !matches!(a.meaning, Meaning::Kind(_));
        catalogue.asked(&text).iter().any(whole)
    });
    let text = spelt(&named.iter().flat_map(|(at, _)| at.iter().copied()).collect::<Vec<usize>>());
    let all: BTreeSet<String> = named.into_iter().flat_map(|(_, found)| found).collect();
    if only_kinds && !means_more && !all.is_empty() {
        parsed.notes.push(Note::Kind(all.iter().cloned().collect()));
        parsed.filter.types.extend(all);
        places.into_iter().for_each(|at| tokens.take(Some(at)));
    } else {
        // Short names look too much like words ("lift", "cert") to count among other words.
        let text = words::split(&text).concat();
        let spelt_out = |ty: &&ResourceType| all.contains(&ty.name()) && spells_out(&text, ty);
        parsed.kinds = types.iter().map(|(_, t)| t).filter(spelt_out).map(ResourceType::name).collect();
    }
}

/// Kinds by the names that the catalogue knows: "scheduled jobs", "zertifikate". Only for questions with clauses and questions in
/// other languages; in others the ranking considers these names.
fn other_names(tokens: &Tokens, context: &QueryContext<'_>, named: &mut Vec<(Vec<usize>, BTreeSet<String>)>) {
    let (text, spans) = tokens.spans();
    let mut more: Vec<(Vec<usize>, BTreeSet<String>)> = Vec::new();
    for asked in context.catalogue.asked(&text) {
        let Meaning::Kind(kind) = asked.meaning else { continue };
        let from = spans.partition_point(|(_, span)| span.end <= asked.span.start);
        let inside = spans[from..].iter().take_while(|(_, span)| span.start < asked.span.end);
        let places: Vec<usize> = inside.map(|(at, _)| *at).collect();
        let is_it = |t: &&ResourceType| t.group == *kind.group && t.kind == *kind.kind;
        let found: BTreeSet<String> =
            context.types.iter().map(|(_, t)| t).filter(is_it).map(ResourceType::name).collect();
        if !found.is_empty() {
            more.push((places, found));
        }
    }
    // The longer name is meant: "scheduled jobs" are not jobs.
    let mut longest: BTreeMap<usize, usize> = BTreeMap::new();
    for (places, _) in &more {
        for at in places {
            let longest = longest.entry(*at).or_default();
            *longest = places.len().max(*longest);
        }
    }
    named.retain(|(at, _)| at.iter().any(|place| longest.get(place).is_none_or(|longest| *longest <= at.len())));
    named.extend(more);
}

/// Whether the joined words contain the type's kind or plural, not only a short name.
fn spells_out(joined: &str, ty: &ResourceType) -> bool {
    [&ty.kind, &ty.plural].iter().any(|name| joined.contains(&name.to_lowercase()))
}
