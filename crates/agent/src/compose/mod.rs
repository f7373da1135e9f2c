//! From what was found to sentences, by rules alone: the same always gives the same.

mod back;
mod instances;
mod named;
mod phrases;
mod said;
mod types;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{CLUSTER_SCOPE, Collection};
use clusterlore_index::Reply;
use clusterlore_search::Note;
use said::Said;

use crate::answer::{Answer, Item, Sentence, Unread};

use crate::english::{capital, either, few};
use crate::gather::Found;
use crate::things::{Thing, things};

/// Hits near what answers, that are shown beside it where the catalogue does not know what is asked for.
const NEAR: usize = 3;
/// Hits that are shown where none is surely what is asked for.
const UNSURE: usize = 5;
/// Namespaces that are named where something is elsewhere.
const PLACES: usize = 3;
/// Commands that are named.
const STEPS: usize = 4;

/// Makes an answer of what was found.
pub fn compose(found: &Found, catalogue: &Catalogue) -> Answer {
    let Found { reply, .. } = found;
    let things = things(reply, &found.types, catalogue);
    let context = |cluster: Option<&str>| reply.context(cluster).map(str::to_owned);
    let said = match (&found.pointed_at, found.collection) {
        _ if found.back.is_some() => Said { asks: found.back.clone(), ..Said::default() },
        _ if found.nobody.is_some() => nobody(found, &things),
        (Some((pointing, all)), _) => back::said(found, pointing, all.as_ref(), catalogue, &context),
        (None, Collection::Capabilities) => types::said(found, &things, &context),
        (None, Collection::Instances) if !reply.parsed.named.is_empty() => {
            named::said(found, &things, catalogue, &context)
        }
        (None, Collection::Instances) => instances::said(found, &things, catalogue, &context),
    };
    let Said { mut sentences, asks, number, answers, noun, near, groups, mut next } = said;
    if asks.is_none() {
        sentences.extend(reply.notes.iter().filter_map(noted));
        sentences.extend(found.unfilled.iter().map(|text| Sentence { text: text.clone(), ids: Vec::new() }));
    }
    next.dedup();
    next.truncate(STEPS);
    let (hits, more) = match &asks {
        Some(asks) => back::shown(found, asks, catalogue),
        None => shown(things, &answers, &near, number, found.limit),
    };
    // Of a named object only its own type's table counts.
    let own = |unread: &&String| {
        let of: Vec<&str> = unread.split(':').next().unwrap_or_default().split([',', ' ']).collect();
        let is_type = found.types.iter().any(|(_, ty)| ty.name() == of[0]);
        let is_of = |item: &Item| item.answers && of.contains(&item.type_name.as_str());
        !is_type || reply.parsed.named.is_empty() || hits.iter().any(is_of)
    };
    let back = asks.is_some();
    // What was looked into says itself what could not be read.
    let told = back || found.looked_into;
    let unread = reply.judgement.iter().filter(|_| !told).flat_map(|judgement| &judgement.unread);
    let unread: Vec<String> = unread.filter(own).cloned().collect();
    let mut closest = reply.closest.clone();
    closest.dedup();
    Answer {
        question: found.typed.clone(),
        took: found.took.clone(),
        searched: found.collection,
        answer: sentences,
        asks,
        number,
        hits,
        more,
        groups,
        needs: reply
            .parsed
            .needs
            .iter()
            .map(|need| Unread { what: need.what.name(), said: need.said.clone(), read: found.is_read(need) })
            .collect(),
        unread,
        notes: if found.nobody.is_some() { Vec::new() } else { notes(reply) },
        next,
        closest,
        answered: answers,
        noun: if noun.is_empty() { found.noun.clone() } else { noun },
    }
}

/// That nothing has the name, and what is called alike.
fn nobody(found: &Found, things: &[Thing]) -> Said {
    let name = found.nobody.as_deref().unwrap_or_default();
    let mut sentences = vec![Sentence { text: format!("Nothing is called \"{name}\"."), ids: Vec::new() }];
    if !things.is_empty() {
        let items: Vec<&Item> = things.iter().map(|thing| &thing.item).take(UNSURE).collect();
        let one = |item: &&Item| format!("the {} {}{}", item.kind, item.name, phrases::place(item, false));
        let names: Vec<String> = items.iter().map(one).collect();
        let ids = items.iter().map(|item| item.id.clone()).collect();
        sentences.push(Sentence { text: format!("Similar names: {}.", few(&names, UNSURE)), ids });
    }
    Said { sentences, number: Some(0), ..Said::default() }
}

/// What answers, then some of what is near it; where nothing answers, the first of all.
fn shown(
    things: Vec<Thing>,
    answers: &[String],
    near: &[String],
    number: Option<usize>,
    limit: usize,
) -> (Vec<Item>, usize) {
    let place = |thing: &Thing| answers.iter().position(|id| *id == thing.item.id);
    let (mut first, others): (Vec<Thing>, Vec<Thing>) = things.into_iter().partition(|thing| place(thing).is_some());
    first.sort_by_key(place);
    let known = first.len();
    let unsure = first.is_empty();
    let room = if unsure { limit.min(UNSURE) } else { limit.saturating_sub(known).min(NEAR) };
    let more = number.unwrap_or(known).max(known) - known.min(limit);
    let first = first.into_iter().take(limit).map(|thing| Item { answers: true, ..thing.item });
    let beside = others.into_iter().filter(|thing| unsure || near.contains(&thing.item.id)).take(room);
    (first.chain(beside.map(|thing| thing.item)).collect(), more)
}

/// What was asked and is not so.
fn noted(note: &Note) -> Option<Sentence> {
    let text = match note {
        Note::Elsewhere { name, said, is_in } => {
            let places: Vec<&str> = is_in.iter().map(String::as_str).filter(|place| *place != CLUSTER_SCOPE).collect();
            let elsewhere =
                if places.is_empty() { String::new() } else { format!("; it is in {}", few(&places, PLACES)) };
            format!("There is no {name} in {}{elsewhere}.", either(said))
        }
        Note::Unchecked(said) => format!("Whether they are {said} now was not checked."),
        Note::Unknown(_) | Note::Overruled(_) | Note::LeftOut(_) | Note::OtherTime(_) | Note::Exceptions(_) => {
            format!("{}.", capital(&note.to_string()))
        }
        _ => return None,
    };
    Some(Sentence { text, ids: Vec::new() })
}

/// How the question was read.
fn notes(reply: &Reply) -> Vec<String> {
    let mut notes: Vec<String> =
        reply.parsed.corrections().map(|(typed, meant)| format!("Read \"{typed}\" as \"{meant}\".")).collect();
    match (reply.parsed.language, &reply.parsed.english) {
        (Some(language), Some(english)) => {
            notes.push(format!("The question seems to be in {language}. It is read word for word as \"{english}\"."));
        }
        (Some(language), None) => notes.push(format!(
            "The question seems to be in {language}. It is answered by names and known products, not by meaning."
        )),
        (None, _) => {}
    }
    notes
}
