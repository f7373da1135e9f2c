//! A question back, where the question names nothing that could be looked for.

use clusterlore_catalogue::Catalogue;
use clusterlore_index::Reply;

use super::phrases::{Called, enumerated};
use super::said::Said;
use crate::answer::{Asks, Item, Sentence, Step, Verb};
use crate::english::{counted, list, plural};
use crate::gather::{CANDIDATES, Found};
use crate::manner::Pointing;
use crate::states::predicate;
use crate::steps::as_kubectl_has_it;
use crate::things::things;

pub(super) fn said(
    found: &Found,
    pointing: &Pointing,
    all: Option<&Reply>,
    catalogue: &Catalogue,
    context: &dyn Fn(Option<&str>) -> Option<String>,
) -> Said {
    let reply = &found.reply;
    let of_type = found.types.iter().find(|(_, ty)| pointing.types.contains(&ty.name()));
    let text = match (pointing.noun.as_str(), pointing.said.as_str()) {
        ("", "") => "What do you mean? Say the name of an object, or what it is for, or ask for a state, such as \"which pods are not \
                     ready\"."
            .to_owned(),
        ("", said) => format!("What is \"{said}\"? Say the name of an object, or what it is for."),
        (noun, _) if of_type.is_some_and(|(_, ty)| !ty.namespaced) => format!("Which {noun} do you mean? Say its name."),
        (noun, _) => format!("Which {noun} do you mean? Say its name, and its namespace if there are several."),
    };
    let mut said = Said::default();
    let mut candidates = Vec::new();
    // Those of which what is asked holds are meant most likely.
    let condition =
        reply.parsed.needs.iter().find_map(|need| need.condition.as_ref()).filter(|c| !c.asks_for_a_value());
    let judged = reply.judgement.as_ref().is_some_and(|judgement| judgement.looked);
    if let (true, Some(condition), 1..=CANDIDATES) = (judged, condition, reply.hits.len()) {
        let things = things(reply, &found.types, catalogue);
        let items: Vec<&Item> = things.iter().map(|thing| &thing.item).collect();
        let kind = items.first().map(|item| item.kind.clone()).unwrap_or_default();
        candidates = items.iter().map(|item| item.id.clone()).collect();
        let so = predicate(condition, items.len() == 1);
        let all = enumerated(&Called::Kind(kind), items.len(), &items);
        let (head, names) = all.split_once(": ").unwrap_or((&all, ""));
        said.sentences.push(Sentence { text: format!("{head} {so}: {names}"), ids: candidates.clone() });
    } else if let Some(all) = all {
        let things = things(all, &found.types, catalogue);
        let number = all.number.unwrap_or(things.len());
        let kind = things.first().map_or_else(|| pointing.noun.clone(), |thing| thing.item.kind.clone());
        let namespaces: Vec<&String> = all.parsed.filter.namespaces.iter().collect();
        let place = if namespaces.is_empty() { "the index".to_owned() } else { list(&namespaces) };
        let text = match number {
            0 => {
                said.sentences.push(Sentence { text: format!("There is no {kind} in {place}."), ids: Vec::new() });
                return Said { number: Some(0), ..said };
            }
            1..=CANDIDATES => {
                let items: Vec<&Item> = things.iter().map(|thing| &thing.item).collect();
                candidates = items.iter().map(|item| item.id.clone()).collect();
                let there = if number == 1 { "There is" } else { "There are" };
                format!("{there} {}", enumerated(&Called::Kind(kind), number, &items))
            }
            _ => format!("There are {} in {place}.", counted(number, &kind)),
        };
        said.sentences.push(Sentence { text, ids: candidates.clone() });
        if let Some((_, ty)) = of_type.filter(|_| candidates.is_empty()) {
            said.next.push(Step {
                verb: Verb::Get,
                ty: match as_kubectl_has_it(catalogue, &ty.group, &ty.kind, &ty.name()) {
                    plain if plain == ty.kind.to_lowercase() => plural(&plain),
                    full => full,
                },
                name: None,
                namespace: namespaces.first().filter(|_| namespaces.len() == 1).map(|name| (*name).clone()),
                namespaced: ty.namespaced,
                context: context(None),
            });
        }
    }
    said.asks = Some(Asks { text, candidates, said: pointing.said.clone() });
    said
}

/// What may be meant.
pub(super) fn shown(found: &Found, asks: &Asks, catalogue: &Catalogue) -> (Vec<Item>, usize) {
    // Those with what the cluster says of them first.
    let all = std::iter::once(&found.reply).chain(found.pointed_at.iter().filter_map(|(_, all)| all.as_ref()));
    let mut items: Vec<Item> = Vec::new();
    for thing in all.flat_map(|reply| things(reply, &found.types, catalogue)) {
        if asks.candidates.contains(&thing.item.id) && !items.iter().any(|item| item.id == thing.item.id) {
            items.push(thing.item);
        }
    }
    items.sort_by_key(|item| asks.candidates.iter().position(|id| *id == item.id));
    let more = items.len().saturating_sub(found.limit);
    items.truncate(found.limit);
    (items, more)
}
