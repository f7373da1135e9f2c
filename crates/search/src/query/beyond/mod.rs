//! What a question asks that metadata cannot say: "not ready", "which image", "the logs of". How people put it is data
//! (`core/data/conditions.toml`); what stands around the words decides whether they ask: "failing pods" does, "what watches for failing
//! pods" does not.

mod fields;
mod found;
mod images;
mod lists;
mod nouns;
mod phrases;
mod states;
mod words;

use std::collections::BTreeSet;
use std::ops::Range;

use clusterlore_catalogue::{Asked, Cover, Meaning};
use clusterlore_core::conditions::{Beyond, LiveCondition};

use crate::query::around::{BUT, JOINS, NOT, OR, RUNS, among, is};
use crate::query::context::QueryContext;
use crate::query::parsed::Need;
use crate::query::tokens::Tokens;

use fields::{fields, replicas, sizes, versions};
use found::Found;
use images::{tagged, tags};
use lists::guesses;
use nouns::patterns;
use phrases::{chinese, phrases, read_phrase};
use states::statuses;

pub(super) use nouns::asks_age;
pub(super) use words::{asks_of_all, denies, hollow, language, lost_condition, says_little};

/// Reads what metadata cannot say, and takes the words of conditions: what is left is what can be found.
pub(super) fn read(tokens: &mut Tokens, context: &QueryContext<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    // "Scale checkout to 3 replicas" is an order, and asks for nothing.
    let orders = |word: &String| among("scale resize bump increase decrease set patch", word);
    let goes_on = tokens.ends.iter().rev().skip(1).any(|ends| *ends);
    if !goes_on && tokens.free().next().is_some_and(|at| orders(&tokens.low[at])) {
        return needs;
    }
    let before = tokens.taken.clone();
    let states = statuses(tokens, context);
    let unknown = conditions(tokens, &before, states, context, &mut needs);
    if needs.iter().any(|need| need.what == Beyond::Image) {
        let about = tokens.free().filter(|at| among("image images tag tags container containers", &tokens.low[*at]));
        about.collect::<Vec<_>>().into_iter().for_each(|at| tokens.take(Some(at)));
    }
    // What was read is not read once more.
    let read: Vec<bool> = tokens.taken.iter().zip(&before).map(|(now, before)| *now && !before).collect();
    patterns(tokens, &read, context, &mut needs);
    fields(tokens, &mut needs, context);
    let mut seen = BTreeSet::new();
    needs.retain(|need| seen.insert((need.what, need.condition.as_ref().map(|c| format!("{c:?}")))));
    // What a condition says of a thing is not said once more.
    let by_condition: BTreeSet<Beyond> = needs.iter().filter(|n| n.condition.is_some()).map(|n| n.what).collect();
    needs.retain(|need| need.condition.is_some() || !by_condition.contains(&need.what));
    needs.extend(unknown);
    needs
}

/// What a line of kubectl, or of its likes, asks for beside objects.
pub(super) fn of_command(text: &str) -> Option<Need> {
    let mut words = text.split_whitespace();
    let program = words.next()?;
    if !["kubectl", "k", "oc", "flux", "argocd", "$"].contains(&program) {
        return None;
    }
    let has = |part: &str| text.contains(part);
    let verb = words.find(|word| !word.starts_with('-') && !["kubectl", "k"].contains(word))?;
    let what = match verb {
        "logs" | "log" => Beyond::Logs,
        "top" => Beyond::Metrics,
        "auth" => Beyond::Rbac,
        "events" => Beyond::Events,
        "rollout" | "wait" | "app" => Beyond::Status,
        "get" if program == "flux" => Beyond::Status,
        "get" if has(" events") || has(" ev ") => Beyond::Events,
        "get" if has("image") => Beyond::Image,
        "get" if has("status") => Beyond::Status,
        "get" if has(".spec") => Beyond::Spec,
        _ => return None,
    };
    Some(Need::untold(what, text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")))
}

fn conditions(
    tokens: &mut Tokens,
    fillers: &[bool],
    mut found: Vec<Found>,
    context: &QueryContext<'_>,
    needs: &mut Vec<Need>,
) -> Vec<Need> {
    tags(tokens, context, needs);
    if let Some(at) = tagged(tokens)
        .filter(|_| tokens.low.iter().any(|w| is(&RUNS, w) || among("image images with on used deployed where", w)))
    {
        needs.push(Need::of(LiveCondition::Image(tokens.raw[at].clone()), tokens.raw[at].clone()));
        for near in at.saturating_sub(2)..(at + 2).min(tokens.low.len()) {
            if near == at || is(&RUNS, &tokens.low[near]) || among("image images used deployed", &tokens.low[near]) {
                tokens.take(Some(near));
            }
        }
    }
    sizes(tokens, context, needs);
    versions(tokens, context, needs);
    replicas(tokens, needs);
    let phrases = phrases(tokens, context);
    let inside = [false, true].map(|of_categories| inside_names(tokens, of_categories, context));
    // What stands beside a condition is one too: "not ready and not completed". It may be found after it.
    for _ in 0..2 {
        for phrase in &phrases {
            if phrase.language == "zh" {
                found.extend(chinese(tokens, phrase));
            } else {
                found.extend(read_phrase(tokens, phrase, fillers, &found, &inside, context));
            }
        }
    }
    let unknown = guesses(tokens, &mut found, context);
    found.sort_by_key(|found| found.span.start);
    needs.extend(joined(tokens, found));
    unknown
}

/// The words inside a name of several words that the catalogue knows: "active" in "Active Directory". The name of a category says what is
/// meant less surely than that of software: it is only a name to words that no condition stands for.
fn inside_names(tokens: &Tokens, of_categories: bool, context: &QueryContext<'_>) -> BTreeSet<usize> {
    let (text, spans) = tokens.free_spans();
    let asked = context.catalogue.asked(&text);
    let is_name = |a: &&Asked<'_>| match a.meaning {
        Meaning::Software(_) => a.words > 1,
        Meaning::Category(_) => a.words > 1 && of_categories,
        _ => false,
    };
    let several: Cover = asked.iter().filter(is_name).map(|a| &a.span).collect();
    spans.into_iter().filter(|(_, span)| several.covers(span)).map(|(at, _)| at).collect()
}

/// The needs of what was found, in order. Where "or" stands between two conditions, one need has both; so where nothing can be in both
/// states at once: "pending and failed pods".
fn joined(tokens: &mut Tokens, found: Vec<Found>) -> Vec<Need> {
    let mut all: Vec<(Range<usize>, Vec<Need>)> = Vec::new();
    for Found { span, needs } in found.into_iter().rev() {
        let Some((next, others)) = all.last_mut() else {
            all.push((span, needs));
            continue;
        };
        let between = span.end..next.start.max(span.end);
        let only = between.len() <= 3
            && between.clone().all(|at| is(&JOINS, &tokens.low[at]) || is(&NOT, &tokens.low[at]) || tokens.taken[at]);
        let or = between.clone().any(|at| is(&OR, &tokens.low[at]));
        let but = between.clone().any(|at| tokens.is(Some(at), &BUT));
        match (&needs[..], &mut others[..]) {
            ([one], [other])
                if only
                    && one.first.is_none()
                    && other.first.is_none()
                    && one.condition.is_some()
                    && other.condition.is_some()
                    && (or || !but && are_apart(one, other)) =>
            {
                between.for_each(|at| tokens.take(Some(at)));
                let (this, that) = (one.condition.clone(), other.condition.take());
                other.condition = this.zip(that).map(|(this, that)| this.or(that));
                other.said = format!("{} or {}", one.said, other.said);
                next.start = span.start;
            }
            _ => all.push((span, needs)),
        }
    }
    all.into_iter().rev().flat_map(|(_, needs)| needs).collect()
}

/// Whether an object is in one of two states at most.
fn are_apart(one: &Need, other: &Need) -> bool {
    use LiveCondition::{Any, Complete, Failed, Lost, Pending, Status, Suspended};
    let is_state = |condition: &LiveCondition| {
        matches!(condition, Complete | Failed | Lost | Pending | Suspended | Status(_) | Any(_))
    };
    one.condition.as_ref().is_some_and(is_state) && other.condition.as_ref().is_some_and(is_state)
}
