//! What a question wants done with what it finds: "how many … per namespace", "the 5 oldest …", "in which namespace is …".

use super::{OWNER_KEYS, Surroundings, Understood, Words, ages};
use crate::ask::{GroupBy, Order};
use clusterlore_core::words;

/// What asks for a number, wherever only little words stand before it.
const HOW_MANY: [&str; 7] = [
    "how many",
    "total? number of",
    "wie viele",
    "wieviele",
    "combien de|d",
    "cuántos|cuantos|cuántas|cuantas",
    "quantos|quantas",
];
/// What asks for the newest.
const NEWEST: [&str; 5] = [
    "most recently created|deployed|installed|added|started",
    "recently created|deployed|installed|added|started",
    "most recent",
    "newest|youngest",
    "latest",
];
/// What asks for the oldest.
const OLDEST: [&str; 2] = ["oldest", "longest running"];
/// What does not narrow a question that counts or orders: "how many different objects exist".
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
/// What a namespace or team does with what is asked for.
const HOLDS: &str =
    "has|have|had|contains|contain|holds|hold|hosts|host|runs|run|uses|use|owns|own|is|are|with|operates|operate";
/// How a question ends that begins with "where" and means a namespace.
const RUNS: [&str; 9] = ["run", "runs", "running", "deployed", "installed", "hosted", "live", "lives", "located"];
/// Numbers as words.
const NUMBERS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// Reads the asks off the question and takes their words.
pub(super) fn read(question: &mut Words, understood: &mut Understood, around: &Surroundings<'_>) {
    count(question, understood, around);
    groups(question, understood, around);
    order(question, understood);
    ages::read(question, understood, around.now);
    if understood.ask != Default::default() {
        for at in question.free().collect::<Vec<_>>() {
            if HOLLOW.contains(&question.low[at].as_str()) {
                question.take(Some(at));
            }
        }
    }
}

/// A number in digits or as a word.
pub(super) fn number(word: &str) -> Option<u64> {
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are as good as the largest number.
        return Some(word.parse().unwrap_or(u64::MAX));
    }
    (1..).zip(NUMBERS).find(|(_, name)| *name == word).map(|(n, _)| n)
}

/// "how many …", "count the …".
pub(super) fn count(question: &mut Words, understood: &mut Understood, around: &Surroundings<'_>) {
    // Chinese puts it in the middle of a word.
    if let Some(at) = question.low.iter().position(|w| around.language.is_some() && w.contains("多少")) {
        question.raw[at] = question.raw[at].replace("多少", "");
        question.low[at] = question.raw[at].to_lowercase();
        if question.raw[at].is_empty() {
            question.take(Some(at));
        }
        understood.ask.count = true;
    }
    // "count" is mostly a noun; as the first of several words it is a verb.
    let verb = question.reads(0, "count of?").filter(|taken| *taken < question.low.len());
    let found = verb.map(|taken| (0, taken)).or_else(|| {
        let scope =
            |at: usize| around.vocabulary.namespaces.contains(&question.low[at]) || question.low[at] == "namespace";
        // Up to the first word that says something, and that one.
        let lead = (0..question.low.len()).position(|at| !question.is_little(at) && !scope(at));
        let begin = lead.map_or(question.low.len(), |lead| lead + 1);
        (0..begin).find_map(|at| {
            let taken = HOW_MANY.iter().find_map(|pattern| question.reads(at, pattern))?;
            Some((at, taken))
        })
    });
    if let Some((at, taken)) = found {
        question.take_range(at, taken);
        understood.ask.count = true;
    }
    if understood.ask.count {
        understood.notes.push("asked: how many".to_owned());
    }
}

fn groups(question: &mut Words, understood: &mut Understood, around: &Surroundings<'_>) {
    let found = per(question, around).or_else(|| which(question, around)).or_else(|| wherever(question));
    if let Some(group) = found {
        understood.notes.push(format!("asked: by {group}"));
        understood.ask.group_by = Some(group);
    }
}

/// "per namespace", "for each team", "grouped by kind", "… by owner" at the end.
fn per(question: &mut Words, around: &Surroundings<'_>) -> Option<GroupBy> {
    for at in 0..question.low.len() {
        let before = ["per", "grouped|group|split by", "in|for|of each|every"];
        let taken = before.iter().find_map(|p| question.reads(at, p)).or_else(|| {
            let last =
                at + 2 == question.low.len() || question.is(Some(at + 1), &["label"]) && at + 3 == question.low.len();
            question.reads(at, "by").filter(|_| at > 0 && last)
        });
        let Some(taken) = taken else { continue };
        if let Some((group, named)) = group_at(question, at + taken, around) {
            question.take_range(at, taken + named);
            return Some(group);
        }
    }
    None
}

/// "in which namespaces is …", "which team runs …".
fn which(question: &mut Words, around: &Surroundings<'_>) -> Option<GroupBy> {
    for at in 0..question.low.len() {
        if at > 0 && !question.is_little(at - 1) {
            return None;
        }
        let inside = question.reads(at, "in|on which|what|welchem|quel|que|qué|qual");
        let taken = inside.or_else(|| question.reads(at, "which|what"));
        let Some((taken, (group, named))) = taken.and_then(|t| Some((t, group_at(question, at + t, around)?))) else {
            continue;
        };
        let verb = question.reads(at + taken + named, HOLDS);
        // "which namespaces are there" asks for namespaces, "what kind of …" for anything.
        let more = (at + taken + named..question.low.len()).any(|at| !question.taken[at] && !question.is_little(at));
        if more && (inside.is_some() || verb.is_some()) && !question.is(Some(at + taken + named), &["of"]) {
            question.take_range(at, taken + named + verb.unwrap_or(0));
            return Some(group);
        }
    }
    None
}

/// "where does … run"; "where are the passwords kept" is another question.
fn wherever(question: &mut Words) -> Option<GroupBy> {
    let last = question.low.len().checked_sub(1)?;
    if last < 2 || !question.is(Some(0), &["where"]) || !question.is(Some(last), &RUNS) {
        return None;
    }
    question.take(Some(0));
    question.take(Some(last));
    Some(GroupBy::Namespace)
}

/// What the words from here on group by, and how many of them do.
fn group_at(question: &Words, at: usize, around: &Surroundings<'_>) -> Option<(GroupBy, usize)> {
    let word = question.low.get(at).filter(|_| !question.taken[at])?;
    if word == "label" {
        let key = question.raw.get(at + 1)?;
        return Some((GroupBy::Label(label(key, around).unwrap_or_else(|| key.clone())), 2));
    }
    let singular = words::stem(word);
    let group = match singular.as_str() {
        "namespace" | "ns" | "namensraum" => GroupBy::Namespace,
        "kind" | "type" => GroupBy::Kind,
        "cluster" => GroupBy::Cluster,
        "owner" | "controller" => GroupBy::Owner,
        other => match label(other, around) {
            Some(key) => GroupBy::Label(key),
            None if OWNER_KEYS.contains(&other) => GroupBy::Label(other.to_owned()),
            None => return None,
        },
    };
    Some((group, 1))
}

/// The label key that people mean by a word: `team` for `example.org/team`.
fn label(word: &str, around: &Surroundings<'_>) -> Option<String> {
    let keys = &around.vocabulary.labels;
    let same = |key: &&String| key.rsplit('/').next() == Some(word);
    if keys.contains_key(word) { Some(word.to_owned()) } else { keys.keys().find(same).cloned() }
}

fn order(question: &mut Words, understood: &mut Understood) {
    let newest = NEWEST.iter().map(|p| (Order::Newest, *p));
    let oldest = OLDEST.iter().map(|p| (Order::Oldest, *p));
    let patterns: Vec<(Order, &str)> = newest.chain(oldest).collect();
    for at in 0..question.low.len() {
        let Some((order, taken)) = patterns.iter().find_map(|(o, p)| Some((*o, question.reads(at, p)?))) else {
            continue;
        };
        let number_at = |at: Option<usize>| number(question.low.get(at?)?).filter(|n| *n > 0);
        let (before, after) = (at.checked_sub(1), at + taken);
        let first = number_at(before).map(|n| (n, before));
        let many = first.or_else(|| number_at(Some(after)).map(|n| (n, Some(after))));
        // An image's latest tag has no age.
        let tag = question.is(before, &["tag", "tagged", "version", "image"]);
        let of_what = (after..question.low.len()).any(|at| !question.taken[at] && !question.is_grammar(at));
        let superlative = question.is(Some(at), &["newest", "youngest", "oldest"]);
        if tag || !(of_what || superlative) {
            continue;
        }
        question.take_range(at, taken);
        if let Some((n, place)) = many {
            question.take(place);
            understood.ask.at_most = Some(usize::try_from(n).unwrap_or(usize::MAX));
        }
        understood.ask.order = Some(order);
        understood
            .notes
            .push(if order == Order::Newest { "asked: newest first" } else { "asked: oldest first" }.to_owned());
        return;
    }
}
