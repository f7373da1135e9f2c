//! The conditions that a question names: namespaces, labels, `kind/name`, and what must not be found.

use std::collections::BTreeSet;

use clusterlore_core::{Requirement, ResourceType, Selector, words};
use clusterlore_store::Vocabulary;

use super::context::QueryContext;
use super::language;
use super::parsed::{Note, ParsedQuery, Problem};
use super::tokens::Tokens;

/// Words before the name of a namespace.
const IN: [&str; 6] = ["in", "from", "inside", "within", "namespace", "ns"];
/// Words that begin what must not be found.
const NOT: [&str; 5] = ["not", "without", "except", "excluding", "no"];
/// Label keys (without their domain) that people use as nouns: "team shop".
pub(super) const OWNER_KEYS: [&str; 8] =
    ["team", "owner", "squad", "tier", "department", "env", "environment", "stage"];

/// "… not for logging": from the word on to the end.
pub(super) fn unwanted(tokens: &mut Tokens, parsed: &mut ParsedQuery) {
    // In Portuguese "no" is "in the".
    let is_not = |w: &str| NOT.contains(&w) && !(w == "no" && parsed.language.is_some());
    let begins = |at: &usize| !tokens.taken[*at] && is_not(&tokens.low[*at]);
    let Some(at) = (1..tokens.low.len()).find(begins) else { return };
    let words: Vec<&str> = tokens.free().filter(|free| *free > at).map(|free| tokens.raw[free].as_str()).collect();
    parsed.unwanted = words.join(" ");
    (at..tokens.raw.len()).for_each(|at| tokens.take(Some(at)));
    parsed.notes.push(Note::Unwanted(parsed.unwanted.clone()));
}

/// `tier=backend`, with kubectl's grammar.
pub(super) fn labels(tokens: &mut Tokens, parsed: &mut ParsedQuery) {
    for at in 0..tokens.raw.len() {
        if let Some(selector) = tokens.raw[at].contains('=').then(|| tokens.raw[at].parse::<Selector>().ok()).flatten()
        {
            parsed.notes.push(Note::Label(tokens.raw[at].clone()));
            parsed.filter.selector.0.extend(selector.0);
            tokens.take(Some(at));
            if tokens.is(at.checked_sub(1), &["with", "label", "labels", "labelled", "labeled"]) {
                tokens.take(at.checked_sub(1));
            }
        }
    }
    if parsed.filter.selector.is_too_long() {
        parsed.problem = Some(Problem::TooManyConditions);
        parsed.filter.selector = Selector::default();
    }
}

/// `deploy/checkout-api`
pub(super) fn kind_and_name(tokens: &mut Tokens, parsed: &mut ParsedQuery, types: &[(String, ResourceType)]) {
    for at in 0..tokens.raw.len() {
        let Some((kind, name)) = tokens.raw[at].split_once('/').map(|(k, n)| (k.to_owned(), n.to_owned())) else {
            continue;
        };
        let named: Vec<String> =
            types.iter().map(|(_, t)| t).filter(|t| t.answers_to(&kind)).map(ResourceType::name).collect();
        if !named.is_empty() && !name.is_empty() && !name.contains('/') {
            parsed.filter.types.extend(named.iter().cloned());
            parsed.notes.push(Note::Kind(named));
            tokens.low[at] = name.to_lowercase();
            tokens.raw[at] = name;
        }
    }
}

/// "in (the) iot (namespace)", "namespace iot", "iot namespace".
pub(super) fn namespaces(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    let vocabulary = context.vocabulary;
    let inside: Vec<&str> = IN.iter().chain(language::inside(context.language)).copied().collect();
    for at in 0..tokens.raw.len() {
        if tokens.taken[at] || ["namespace", "ns", "the"].contains(&tokens.low[at].as_str()) {
            continue;
        }
        let the = tokens.is(at.checked_sub(1), &["the"]);
        let before = at.checked_sub(if the { 2 } else { 1 });
        let followed = tokens.is(Some(at + 1), &["namespace", "ns"]);
        let led = tokens.is(before, &inside) && before.is_some_and(|at| !tokens.taken[at]);
        let known = vocabulary.namespaces.contains(&tokens.low[at]);
        if known && (led || followed) {
            parsed.notes.push(Note::Namespace(tokens.low[at].clone()));
            parsed.filter.namespaces.insert(tokens.low[at].clone());
        } else if !known
            && led
            && (followed || tokens.is(before, &["namespace", "ns"]))
            && !words::is_stop_word(&tokens.low[at])
            && !language::is_stop_word(context.language, &tokens.low[at])
        {
            parsed.problem = Some(Problem::NoSuchNamespace(tokens.raw[at].clone()));
        } else {
            continue;
        }
        tokens.take(Some(at));
        if the {
            tokens.take(at.checked_sub(1));
        }
        if led {
            tokens.take(before);
        }
        if followed {
            tokens.take(Some(at + 1));
        }
    }
}

/// "team shop", "finance team": the value of a label that says whose an object is.
pub(super) fn owners(tokens: &mut Tokens, parsed: &mut ParsedQuery, vocabulary: &Vocabulary) {
    for at in 0..tokens.raw.len() {
        if tokens.taken[at] || !OWNER_KEYS.contains(&tokens.low[at].as_str()) {
            continue;
        }
        let keys = vocabulary.labels.iter().filter(|(key, _)| key.rsplit('/').next() == Some(tokens.low[at].as_str()));
        let keys: Vec<(&String, &BTreeSet<String>)> = keys.collect();
        let neighbours = [Some(at + 1), at.checked_sub(1)];
        let found = neighbours.into_iter().flatten().find_map(|near| {
            let value = tokens.low.get(near)?;
            let (key, _) = keys.iter().find(|(_, values)| values.contains(value))?;
            Some((near, (*key).clone(), value.clone()))
        });
        match found {
            Some((near, key, value)) => {
                parsed.notes.push(Note::Label(format!("{key}={value}")));
                parsed.filter.selector.0.push(Requirement::In(key, vec![value]));
                tokens.take(Some(at));
                tokens.take(Some(near));
            }
            None => {
                let next = tokens.low.get(at + 1).filter(|w| !words::is_stop_word(w));
                if let (Some(value), false) = (next, keys.is_empty()) {
                    parsed.problem = Some(Problem::NoSuchLabel { key: tokens.low[at].clone(), value: value.clone() });
                }
            }
        }
    }
}
