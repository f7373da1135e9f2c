//! An answer about resource types: what could be used, and what of it is used already.

use super::phrases::NAMED;
use super::said::Said;
use crate::answer::{Sentence, Step, Verb};
use crate::english::{counted, few, list};
use crate::gather::{FITS, Found};
use crate::things::Thing;

/// Types that are explained.
const EXPLAINED: usize = 2;
/// How far below the best another type may score and still be named in the sentence.
const AS_GOOD: f32 = 0.6;

pub(super) fn said(found: &Found, things: &[Thing], context: &dyn Fn(Option<&str>) -> Option<String>) -> Said {
    let reply = &found.reply;
    if things.is_empty() {
        let text = match reply.problems.first() {
            Some(problem) => format!("Nothing can match: {problem}."),
            None => "No resource type of this cluster fits that.".to_owned(),
        };
        return Said { sentences: vec![Sentence { text, ids: Vec::new() }], number: Some(0), ..Said::default() };
    }
    let best = reply.hits[0].score.total();
    let explains = !found.manner.explains.is_empty();
    let good = reply.hits.iter().take_while(|hit| hit.score.total() >= best * AS_GOOD).count().min(NAMED);
    let good = &things[..good.min(things.len())];
    let (first, others) = (&good[0].item, &good[1..]);
    let mut text = match others {
        _ if explains => format!("{} is a resource type ({}).", first.kind, first.id),
        _ if best < FITS => format!("No resource type surely fits. The nearest is {} ({}).", first.kind, first.id),
        [] => format!("Among the resource types, {} ({}) fits.", first.kind, first.id),
        _ => format!("Among the resource types, {} ({}) fits best.", first.kind, first.id),
    };
    if explains && !good[0].described.is_empty() {
        text = format!("{text} {}", sentence(&good[0].described));
    }
    if !first.about.is_empty() && first.about != good[0].described {
        text = format!("{text} Its use: {}", sentence(&first.about));
    }
    let ids = |things: &[Thing]| things.iter().map(|thing| thing.item.id.clone()).collect::<Vec<_>>();
    let mut sentences = vec![Sentence { text, ids: vec![first.id.clone()] }];
    if !others.is_empty() {
        let names: Vec<String> =
            others.iter().map(|thing| format!("{} ({})", thing.item.kind, thing.item.id)).collect();
        sentences.push(Sentence { text: format!("Also near: {}.", few(&names, NAMED)), ids: ids(others) });
    }
    // What of it is there.
    let of = |thing: &&Thing| {
        let number = found.of_types.iter().find(|(name, _)| *name == thing.item.id).map(|(_, number)| *number);
        number.filter(|number| *number > 0).map(|number| (counted(number, &thing.item.kind), thing.item.id.clone()))
    };
    let there: Vec<(String, String)> = good.iter().filter_map(|thing| of(&thing)).collect();
    if !there.is_empty() {
        let numbers: Vec<&str> = there.iter().map(|(number, _)| number.as_str()).collect();
        let text = format!("In use already: {}.", list(&numbers));
        sentences.push(Sentence { text, ids: there.into_iter().map(|(_, id)| id).collect() });
    } else if !found.of_types.is_empty() {
        let none = if good.len() == 1 {
            "There is no object of this type yet."
        } else {
            "There is no object of these types yet."
        };
        sentences.push(Sentence { text: none.to_owned(), ids: Vec::new() });
    }
    let explain = |thing: &Thing| Step {
        verb: Verb::Explain,
        ty: thing.item.id.clone(),
        name: None,
        namespace: None,
        namespaced: false,
        context: context(None),
    };
    Said {
        sentences,
        answers: ids(good),
        near: if explains { Vec::new() } else { ids(things) },
        next: good.iter().take(EXPLAINED).map(explain).collect(),
        ..Said::default()
    }
}

/// A text with its full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}
