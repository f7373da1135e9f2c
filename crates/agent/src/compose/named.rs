//! An answer about objects whose names stand in the question.

use std::collections::BTreeSet;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::conditions::{Beyond, Verdict};

use super::phrases::{NAMED, OBJECTS, of_several_clusters, place, the, untold};
use super::said::Said;
use crate::answer::{Item, Sentence, Step, Verb};
use crate::english::{counted, few, list, with_article};
use crate::gather::Found;
use crate::states::predicate;
use crate::steps::about;
use crate::things::Thing;

/// Kinds that print something.
const PRINTS: [&str; 6] = ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];

pub(super) fn said(
    found: &Found,
    things: &[Thing],
    catalogue: &Catalogue,
    context: &dyn Fn(Option<&str>) -> Option<String>,
) -> Said {
    let reply = &found.reply;
    let names: BTreeSet<&str> = reply.parsed.named.iter().map(|named| named.document.id.as_str()).collect();
    let is_named = |thing: &&Thing| {
        let of_hit = reply.hits.iter().find(|hit| hit.id == thing.item.id);
        names.contains(thing.item.id.as_str())
            || of_hit.is_some_and(|hit| hit.controlled.iter().any(|id| names.contains(id.as_str())))
    };
    let items: Vec<&Item> = things.iter().filter(is_named).map(|thing| &thing.item).collect();
    // "The shop's checkout" names the namespace only to say where.
    let holds = |item: &Item| items.iter().any(|other| other.namespace.as_ref() == Some(&item.name));
    let items: Vec<&Item> = items.iter().copied().filter(|item| item.kind != "Namespace" || !holds(item)).collect();
    let items = if items.is_empty() { things.iter().take(1).map(|thing| &thing.item).collect() } else { items };
    let ids: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
    let mut sentences = vec![Sentence { text: who(&items), ids: ids.clone() }];
    if let [one] = items[..]
        && !one.about.is_empty()
        && reply.parsed.needs.is_empty()
    {
        sentences.push(Sentence { text: format!("It is described as {}", quoted(&one.about)), ids: ids.clone() });
    }
    let conditions = reply.parsed.conditions();
    for item in items.iter().take(NAMED).filter(|item| !item.state.is_empty()) {
        let it = if items.len() == 1 {
            "it".to_owned()
        } else {
            format!("{}{}", the(item, true, false), place(item, false))
        };
        let mut told: Vec<&str> = Vec::new();
        for (condition, state) in conditions.iter().zip(&item.state) {
            // "Is it ok?" asks for the state, not for one condition.
            let asked = reply.parsed.needs.iter().any(|need| need.condition.as_ref() == Some(condition));
            let text = match state.verdict {
                _ if told.contains(&state.text.as_str()) => continue,
                Verdict::NotSaid => format!("What the cluster prints of {it} does not say it: {}.", state.text),
                _ if condition.asks_for_a_value() || !asked => format!("The cluster says of {it} now: {}.", state.text),
                Verdict::Yes => {
                    format!("{} {}: {}.", crate::english::capital(&it), predicate(condition, true), state.text)
                }
                Verdict::No => {
                    format!("The cluster does not say that {it} {}: {}.", predicate(condition, true), state.text)
                }
            };
            told.push(&state.text);
            sentences.push(Sentence { text, ids: vec![item.id.clone()] });
        }
    }
    if let (true, [one], [condition]) =
        (reply.judgement.as_ref().is_some_and(|judgement| judgement.looked), &items[..], &conditions[..])
        && one.state.is_empty()
        && !condition.asks_for_a_value()
    {
        let text = format!("Whether it {} is not known.", predicate(condition, true));
        sentences.push(Sentence { text, ids: ids.clone() });
    }
    let needs: Vec<Beyond> =
        reply.parsed.needs.iter().filter(|need| !found.is_read(need)).map(|need| need.what).collect();
    if !needs.is_empty() {
        let mut parts: Vec<&str> = needs.iter().map(|what| untold(*what)).collect();
        parts.dedup();
        sentences.push(Sentence { text: format!("Not in the index: {}.", list(&parts)), ids: Vec::new() });
    }
    let mut next: Vec<Step> = Vec::new();
    for item in items.iter().take(OBJECTS) {
        let mut add = |verb: Verb| next.push(about(verb, item, catalogue, context(item.cluster.as_deref())));
        if needs.contains(&Beyond::Logs) && PRINTS.contains(&item.kind.as_str()) {
            add(Verb::Logs);
        }
        if needs.contains(&Beyond::Metrics) && item.kind == "Pod" {
            add(Verb::Top);
        }
        if needs.contains(&Beyond::Events) {
            add(Verb::Events);
        }
        add(Verb::Describe);
    }
    Said { sentences, number: Some(items.len()), answers: ids, next, ..Said::default() }
}

/// `web is a Deployment in shop.`
fn who(items: &[&Item]) -> String {
    let clusters = of_several_clusters(items.iter().copied());
    match items {
        [] => "Nothing of that name is in the index.".to_owned(),
        [one] => {
            let software = one.is.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
            format!("{} is {}{software}{}.", one.name, with_article(&one.kind), place(one, clusters))
        }
        [first, ..] if items.iter().all(|item| item.name == first.name) => {
            let places: BTreeSet<String> = items.iter().map(|item| place(item, clusters)).collect();
            let (common, each) = match places.len() {
                1 => (places.first().cloned().unwrap_or_default(), false),
                _ => (String::new(), true),
            };
            let one = |item: &&Item| match each {
                true => format!("{}{}", with_article(&item.kind), place(item, clusters)),
                false => with_article(&item.kind),
            };
            let kinds: Vec<String> = items.iter().map(one).collect();
            format!("{} is {}{common}: {}.", first.name, counted(items.len(), "object"), few(&kinds, NAMED))
        }
        _ => {
            let places: BTreeSet<String> = items.iter().map(|item| place(item, clusters)).collect();
            let common = places.first().filter(|_| places.len() == 1).cloned();
            let one = |item: &&Item| {
                let place = if common.is_some() { String::new() } else { place(item, clusters) };
                format!("{}{place}", the(item, true, true))
            };
            let names = few(&items.iter().map(one).collect::<Vec<_>>(), NAMED);
            format!("{} by that name{}: {names}.", counted(items.len(), "object"), common.clone().unwrap_or_default())
        }
    }
}

/// What stands in quotes, with its full stop.
fn quoted(text: &str) -> String {
    format!("\"{}\".", text.trim().trim_end_matches('.').replace('"', "'"))
}
