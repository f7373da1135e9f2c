//! The clusters that a question names: "in cluster west", "on the west cluster", and "on west" where west is nothing else.

use std::collections::BTreeSet;

use clusterlore_catalogue::Meaning;

use super::context::QueryContext;
use super::kind_words;
use super::parsed::{Note, ParsedQuery};
use super::tokens::Tokens;

/// Before "cluster west" and "the west cluster".
const LEAD: &str = "in|on|from|of|inside|within|across the|our|both? clusters|cluster";
/// Before "west cluster".
const LEAD_THE: &str = "in|on|from|of|inside|within|across the|our?";
/// Before "west" alone.
const LEAD_NAME: &str = "in|on|from|inside|within";

/// Narrows the question to the clusters that it can only mean, and takes their words. `says_where`: whether a word says something of another
/// place, too.
pub(super) fn named(
    tokens: &mut Tokens,
    parsed: &mut ParsedQuery,
    context: &QueryContext<'_>,
    says_where: impl Fn(&str) -> bool,
) {
    if parsed.hedged || context.clusters.iter().next().is_none() {
        return;
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    for at in 0..tokens.raw.len() {
        let Some((names, words)) = place(tokens, at, context, &says_where) else { continue };
        found.extend(names);
        tokens.take_range(at, words);
    }
    if found.is_empty() {
        return;
    }
    let said: Vec<String> = found.iter().map(|cluster| context.clusters.shown(cluster).to_owned()).collect();
    let own = &parsed.own.clusters;
    let both: BTreeSet<String> =
        found.iter().filter(|cluster| own.is_empty() || own.contains(*cluster)).cloned().collect();
    if both.is_empty() {
        parsed.notes.push(Note::Overruled(said.join(", ")));
    } else {
        parsed.notes.push(Note::Cluster(said));
        parsed.filter.clusters = both;
    }
}

/// The clusters that are named from here on, by their stored names, and the number of words that do it.
fn place(
    tokens: &Tokens,
    at: usize,
    context: &QueryContext<'_>,
    says_where: &impl Fn(&str) -> bool,
) -> Option<(Vec<String>, usize)> {
    let led = tokens
        .match_at(at, LEAD)
        .or_else(|| tokens.match_at(at, "cluster"))
        .filter(|words| !tokens.ends[at + words - 1]);
    if let Some(lead) = led
        && let Some((names, to)) = with_others(tokens, at + lead, context)
    {
        return Some((names, to - at));
    }
    let the = tokens.match_at(at, LEAD_THE)?;
    let (names, to) = with_others(tokens, at + the, context)?;
    if tokens.is(Some(to), &["cluster", "clusters"]) && !tokens.taken[to] && !tokens.ends[to - 1] {
        return Some((names, to + 1 - at));
    }
    // "on west coast machines" says no cluster, and "in search" is first of all a namespace.
    let alone = tokens.match_at(at, LEAD_NAME)?;
    let ends = to >= tokens.raw.len() || tokens.ends[to - 1] || tokens.says_nothing(to);
    let is_nothing_else = |at: usize| {
        let word = tokens.low[at].as_str();
        let software = context.catalogue.asked(word).iter().any(|asked| matches!(asked.meaning, Meaning::Software(_)));
        let labelled = context.vocabulary.labels.values().any(|values| values.contains(word));
        !context.vocabulary.namespaces.contains(word)
            && !says_where(word)
            && !software
            && !labelled
            && kind_words::one(word, context).is_empty()
            && (ends || !(context.is_english)(word))
    };
    // Where there is one cluster, all is on it, and its name more likely means something else.
    let several = context.clusters.iter().nth(1).is_some();
    (several && alone == the && is_nothing_else(at + alone)).then_some((names, to - at))
}

/// The clusters that are named from here on, joined by "and" or "or", and where they end.
fn with_others(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> Option<(Vec<String>, usize)> {
    let known = |at: usize| {
        let word = tokens.low.get(at).filter(|_| !tokens.taken[at])?;
        let is_it = |(cluster, shown): &(&str, &str)| shown.to_lowercase() == *word || cluster.to_lowercase() == *word;
        context.clusters.iter().find(is_it).map(|(cluster, _)| cluster.to_owned())
    };
    let (mut names, mut to) = (vec![known(at)?], at + 1);
    while let Some(joined) = tokens.match_at(to, "and|or|und|oder|et|ou|y|o|e in|on? cluster?")
        && let Some(name) = known(to + joined)
    {
        names.push(name);
        to += joined + 1;
    }
    Some((names, to))
}
