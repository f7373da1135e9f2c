//! What metadata cannot say: what was read of the cluster instead, what was not, and the command that knows it.

use std::collections::BTreeSet;

use clusterlore_index::Reply;
use clusterlore_search::Need;

/// Objects that are newer than the index are named up to so many.
const NEWER: usize = 5;

/// What the question asks that is not known, or what was read to know it.
pub(super) fn lines(reply: &Reply) -> Vec<String> {
    let mut lines = Vec::new();
    let (read, open): (Vec<&Need>, Vec<&Need>) = reply.parsed.needs.iter().partition(|need| reply.is_read(need));
    if !read.is_empty() {
        let judged = reply.judgement.as_ref().map_or(0, |judgement| judgement.findings.len());
        let objects = if judged == 1 { "1 object".to_owned() } else { format!("{judged} objects") };
        lines.push(format!("Read from the cluster now, for {objects}: {}.", said(&read)));
    }
    let newer = reply.judgement.iter().flat_map(|judgement| &judgement.unindexed);
    let newer: Vec<String> =
        newer.map(|object| format!("{} {}/{}", object.type_name, object.namespace, object.name)).collect();
    if !newer.is_empty() {
        let shown = newer.iter().take(NEWER).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = newer.len().checked_sub(NEWER).filter(|more| *more > 0).map(|more| format!(" and {more} more"));
        lines.push(format!("Not indexed yet, and it holds: {shown}{}.", more.unwrap_or_default()));
    }
    let gone: Vec<&str> = reply.judgement.iter().flat_map(|judgement| &judgement.gone).map(String::as_str).collect();
    let gone: Vec<&str> =
        gone.into_iter().filter(|id| reply.parsed.named.iter().any(|named| named.document.id == *id)).collect();
    if !gone.is_empty() {
        lines.push(format!("No more in the cluster: {}.", gone.join(", ")));
    }
    for unread in reply.unread() {
        lines.push(format!("Not read from the cluster: {unread}."));
    }
    if !open.is_empty() {
        lines.push(format!("The index holds metadata only. It does not know: {}.", said(&open)));
        if !reply.hits.is_empty() && !reply.unchecked().is_empty() {
            lines.push("The objects below were not checked for it.".to_owned());
        }
        let all: BTreeSet<String> = open.iter().flat_map(|need| reply.commands(need)).collect();
        lines.extend(all.into_iter().map(|command| format!("To find out: {command}")));
    }
    lines
}

/// `status ("not ready"), logs ("the logs of")`
fn said(needs: &[&Need]) -> String {
    let all: Vec<String> = needs.iter().map(|need| format!("{} (\"{}\")", need.what.name(), need.said)).collect();
    all.join(", ")
}
