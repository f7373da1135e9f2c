//! Why something was found, how a question was read, and what of its answer may not hold. Text from outside.

use clusterlore_index::{Reply, matched};
use clusterlore_search::Hit;

/// The reason of what meets the conditions of a question that has no words: it says nothing that the caller does not know.
const IN_SCOPE: &str = "in scope";

/// Why a hit was found.
pub(super) fn why(hit: &Hit) -> Vec<String> {
    matched(hit).into_iter().filter(|why| why != IN_SCOPE).collect()
}

/// Of a reply, each a sentence.
pub(super) fn of(reply: &Reply) -> Vec<String> {
    let mut notes: Vec<String> =
        reply.problems.iter().map(|problem| format!("Nothing can match: {problem}.")).collect();
    notes.extend(reply.notes.iter().map(|note| format!("{note}.")));
    for need in reply.parsed.needs.iter().filter(|need| !reply.is_read(need)) {
        notes.push(format!("Not checked: metadata does not say \"{}\", and the cluster was not asked.", need.said));
    }
    notes.extend(reply.unread().map(|why| format!("Not read from the cluster: {why}.")));
    notes.extend(reply.gone().iter().map(|gone| format!("{gone}.")));
    for doubt in &reply.doubts {
        let remedy = if doubt.remedy.is_empty() { String::new() } else { format!(" {}", doubt.remedy) };
        notes.push(format!("{}.{remedy}", doubt.about));
    }
    if reply.hits.is_empty() && !reply.closest.is_empty() {
        notes.push(format!("Nearest resource types: {}.", reply.closest.join(", ")));
    }
    notes
}
