//! How people word the clauses of a question: "how many … per namespace", "the 5 oldest …", "in which namespace is …".

use clusterlore_core::conditions::{Asked, Conditions};
use clusterlore_core::words;

use super::ages;
use super::around::AND;
use super::clauses::{Clauses, GroupBy, Order};
use super::context::QueryContext;
use super::language;
use super::parsed::{Note, ParsedQuery};
use super::scopes::OWNER_KEYS;
use super::tokens::{Tokens, number};

/// What asks for a number if only stop words are before it.
const HOW_MANY: [&str; 7] = [
    "how many",
    "total? number of",
    "wie viele",
    "wieviele",
    "combien de|d",
    "cuántos|cuantos|cuántas|cuantas",
    "quantos|quantas",
];
/// What asks for the newest first.
const NEWEST: [&str; 5] = [
    "most recently created|deployed|installed|added|started",
    "recently created|deployed|installed|added|started",
    "most recent",
    "newest|youngest",
    "latest",
];
/// What asks for the oldest first.
const OLDEST: [&str; 2] = ["oldest", "longest running"];
/// Words that say nothing in a question that counts or orders: "how many different objects exist".
const HOLLOW: [&str; 16] = [
    "object",
    "objects",
    "resource",
    "resources",
    "item",
    "items",
    "exist",
    "exists",
    "existing",
    "currently",
    "total",
    "altogether",
    "different",
    "instance",
    "instances",
    "now",
];
/// Verbs between a group and its members: "which team runs …".
const HOLDS: &str =
    "has|have|had|contains|contain|holds|hold|hosts|host|runs|run|uses|use|owns|own|is|are|with|operates|operate";
/// What asks for the group with the most members, or with the fewest.
const MOST: [&str; 3] = [
    "the? most|fewest|least of? all? the?",
    "the? highest|largest|greatest|biggest|lowest|smallest number|count of",
    "the? largest|greatest share of",
];
/// The last word of a question that begins with "where" and means a namespace.
const RUNS: [&str; 9] = ["run", "runs", "running", "deployed", "installed", "hosted", "live", "lives", "located"];

/// What asks where something is, before what it is in.
const IN_WHICH: &str =
    "in|on|dans|en|em|auf which|what|welchem|welchen|welcher|quel|quels|quelle|quelles|que|qué|cuáles|qual|quais";

/// Reads the clauses of a question.
pub(super) fn read(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    count(tokens, parsed, context);
    groups(tokens, parsed, context);
    order(tokens, parsed);
    ages::read(tokens, parsed, context.now);
    if parsed.clauses != Clauses::default() {
        for at in tokens.free().collect::<Vec<_>>() {
            if HOLLOW.contains(&tokens.low[at].as_str()) {
                tokens.take(Some(at));
            }
        }
    }
}

/// "how many …", "count the …".
pub(super) fn count(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    // Chinese has it in the middle of a word.
    if let Some(at) = tokens.low.iter().position(|w| context.language.is_some() && w.contains("多少")) {
        tokens.raw[at] = tokens.raw[at].replace("多少", "");
        tokens.low[at] = tokens.raw[at].to_lowercase();
        if tokens.raw[at].is_empty() {
            tokens.take(Some(at));
        }
        parsed.clauses.count = true;
    }
    // "count" is mostly a noun; as the first of several words it is a verb.
    let first = tokens.free().next().unwrap_or_default();
    let verb = tokens.match_at(first, "count of?").filter(|taken| first + *taken < tokens.low.len());
    let how_many =
        |at: usize| HOW_MANY.iter().find_map(|pattern| tokens.match_at(at, pattern)).map(|taken| (at, taken));
    let found = verb.map(|taken| (first, taken)).or_else(|| {
        let scope =
            |at: usize| context.vocabulary.namespaces.contains(&tokens.low[at]) || tokens.low[at] == "namespace";
        // Up to and including the first word that says something.
        let lead = (0..tokens.low.len()).position(|at| !tokens.says_nothing(at) && !scope(at));
        let begin = lead.map_or(tokens.low.len(), |lead| lead + 1);
        (0..begin).find_map(how_many)
    });
    // "which pods are there, and how many is that?"
    let found = found.or_else(|| {
        let goes_on = |at: &usize| tokens.begins(*at) || tokens.is(Some(at - 1), &["and"]);
        let is_last =
            |(at, taken): &(usize, usize)| (at + taken..tokens.low.len()).all(|rest| tokens.says_nothing(rest));
        (1..tokens.low.len()).filter(goes_on).filter_map(how_many).find(is_last)
    });
    if let Some((at, taken)) = found {
        tokens.take_range(at, taken);
        parsed.clauses.count = true;
    }
    if parsed.clauses.count {
        parsed.notes.push(Note::Counted);
    }
}

fn groups(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    let found = per(tokens, context).or_else(|| which(tokens, context)).or_else(|| wherever(tokens));
    if let Some(group) = found {
        parsed.notes.push(Note::Grouped(group.clone()));
        parsed.clauses.group_by = Some(group);
    }
}

/// "per namespace", "for each team", "grouped by kind", "… by owner" at the end.
fn per(tokens: &mut Tokens, context: &QueryContext<'_>) -> Option<GroupBy> {
    for at in 0..tokens.low.len() {
        let before = ["per", "grouped|group|split|broken down? by", "in|for|of each|every"];
        let of_others: &[&str] = match context.language {
            None => &[],
            Some(_) => &["aufgeschlüsselt|gruppiert|verteilt|sortiert nach|auf", "pro|je|nach|par|por", "auf die"],
        };
        let taken = before.iter().chain(of_others).find_map(|p| tokens.match_at(at, p)).or_else(|| {
            let last = at + 2 == tokens.low.len() || tokens.is(Some(at + 1), &["label"]) && at + 3 == tokens.low.len();
            tokens.match_at(at, "by").filter(|_| at > 0 && last)
        });
        let Some(taken) = taken else { continue };
        if let Some((group, named)) = group_at(tokens, at + taken, context) {
            tokens.take_range(at, taken + named);
            return Some(group);
        }
    }
    None
}

/// "in which namespaces is …", "which team runs …".
fn which(tokens: &mut Tokens, context: &QueryContext<'_>) -> Option<GroupBy> {
    // Whether nothing that says something was read so far.
    let mut led = true;
    for at in 0..tokens.low.len() {
        // "…, and in which namespaces?" stands behind what is grouped.
        let joined = at > 0
            && tokens.is(Some(at), &["in", "on", "dans", "en", "em", "auf"])
            && (tokens.begins(at) || tokens.is(Some(at - 1), &AND));
        if let Some(taken) = joined.then(|| tokens.match_at(at, IN_WHICH)).flatten()
            && let Some((group, named)) = group_at(tokens, at + taken, context)
        {
            tokens.take_range(at, taken + named);
            tokens.take((tokens.is(Some(at - 1), &AND)).then(|| at - 1));
            return Some(group);
        }
        led &= at == 0 || tokens.says_nothing(at - 1) || language::is_stop_word(context.language, &tokens.low[at - 1]);
        if !led {
            continue;
        }
        let inside = tokens.match_at(at, IN_WHICH);
        let taken = inside.or_else(|| tokens.match_at(at, "which|what"));
        let Some((taken, (group, named))) = taken.and_then(|t| Some((t, group_at(tokens, at + t, context)?))) else {
            continue;
        };
        let verb =
            tokens.match_at(at + taken + named, HOLDS).map(|verb| verb + most(tokens, at + taken + named + verb));
        // "which namespaces are there" asks for namespaces, "what kind of …" for anything.
        let more = (at + taken + named..tokens.low.len()).any(|at| !tokens.taken[at] && !tokens.says_nothing(at));
        if more && (inside.is_some() || verb.is_some()) && !tokens.is(Some(at + taken + named), &["of"]) {
            tokens.take_range(at, taken + named + verb.unwrap_or(0));
            return Some(group);
        }
    }
    None
}

/// How many words from here on ask which group has the most, and say no more: groups are told most first. "The most restarts" is a number
/// that only the cluster knows.
fn most(tokens: &Tokens, at: usize) -> usize {
    let number = |asked: &Asked| {
        let mut phrases = asked.phrases.values().flatten().filter(|_| asked.first.is_some());
        phrases.any(|phrase| (at..at + 2).any(|at| tokens.match_at(at, phrase).is_some()))
    };
    match MOST.iter().find_map(|pattern| tokens.match_at(at, pattern)) {
        Some(taken) if !Conditions::get().asked.iter().any(number) => taken,
        _ => 0,
    }
}

/// "where does … run"; "where are the passwords kept" does not ask for a namespace.
fn wherever(tokens: &mut Tokens) -> Option<GroupBy> {
    let (first, last) = (tokens.free().next()?, tokens.free().last()?);
    if last < first + 2 || !tokens.is(Some(first), &["where"]) || !tokens.is(Some(last), &RUNS) {
        return None;
    }
    tokens.take(Some(first));
    tokens.take(Some(last));
    Some(GroupBy::Namespace)
}

/// What the words from here on group by, and how many words that is.
fn group_at(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> Option<(GroupBy, usize)> {
    let word = tokens.low.get(at).filter(|_| !tokens.taken[at])?;
    if word == "label" {
        let key = tokens.raw.get(at + 1)?;
        return Some((GroupBy::Label(label(key, context).unwrap_or_else(|| key.clone())), 2));
    }
    let singular = words::stem(word);
    let group = match singular.as_str() {
        "namespace" | "ns" | "namensraum" => GroupBy::Namespace,
        "kind" | "type" => GroupBy::Kind,
        "cluster" => GroupBy::Cluster,
        "owner" | "controller" => GroupBy::Owner,
        other => match label(other, context) {
            Some(key) => GroupBy::Label(key),
            None if OWNER_KEYS.contains(&other) => GroupBy::Label(other.to_owned()),
            None => return None,
        },
    };
    Some((group, 1))
}

/// The label key that people mean by a word: `team` for `example.org/team`.
fn label(word: &str, context: &QueryContext<'_>) -> Option<String> {
    let keys = &context.vocabulary.labels;
    let same = |key: &&String| key.rsplit('/').next() == Some(word);
    if keys.contains_key(word) { Some(word.to_owned()) } else { keys.keys().find(same).cloned() }
}

fn order(tokens: &mut Tokens, parsed: &mut ParsedQuery) {
    let newest = NEWEST.iter().map(|p| (Order::Newest, *p));
    let oldest = OLDEST.iter().map(|p| (Order::Oldest, *p));
    let patterns: Vec<(Order, &str)> = newest.chain(oldest).collect();
    for at in 0..tokens.low.len() {
        let Some((order, taken)) = patterns.iter().find_map(|(o, p)| Some((*o, tokens.match_at(at, p)?))) else {
            continue;
        };
        let number_at = |at: Option<usize>| number(tokens.low.get(at?)?).filter(|n| *n > 0);
        let (before, after) = (at.checked_sub(1), at + taken);
        let first = number_at(before).map(|n| (n, before));
        let many = first.or_else(|| number_at(Some(after)).map(|n| (n, Some(after))));
        // "image tag latest" is about a tag, not an age.
        let tag = tokens.is(before, &["tag", "tagged", "version", "image"]);
        let of_what = (after..tokens.low.len()).any(|at| !tokens.taken[at] && !tokens.is_connective(at));
        let superlative = tokens.is(Some(at), &["newest", "youngest", "oldest"]);
        if tag || !(of_what || superlative) {
            continue;
        }
        tokens.take_range(at, taken);
        if let Some((n, place)) = many {
            tokens.take(place);
            parsed.clauses.at_most = Some(usize::try_from(n).unwrap_or(usize::MAX));
        }
        parsed.clauses.order = Some(order);
        parsed.notes.push(Note::Ordered(order));
        return;
    }
}
