//! States in a list. What an operator prints may be any word: "parked or finished".

use std::collections::BTreeSet;
use std::ops::Range;

use clusterlore_core::conditions::{Beyond, Conditions, LiveCondition, is_of_an_operator};

use crate::query::around::{ABOUT, ADVERBS, COPULAS, COPULAS_FOREIGN, NOT, OR, THINGS, among, is};
use crate::query::context::QueryContext;
use crate::query::parsed::Need;
use crate::query::tokens::Tokens;
use crate::query::{bounds, kind_words, language};

use super::found::{Found, follows};

/// Words that stand beside a state with "or" between them: "parked or finished". What an operator prints may be any word; of others it is
/// told that nothing says it.
pub(super) fn guesses(tokens: &mut Tokens, found: &mut Vec<Found>, context: &QueryContext<'_>) -> Vec<Need> {
    let mut unknown = Vec::new();
    // "Synced but not ready": what no condition stands for may be printed too.
    if of_operators(tokens, context) && found.iter().any(is_one_state) {
        for need in found.iter_mut().flat_map(|found| &mut found.needs).filter(|need| need.is_untold_state()) {
            let word = need.said.strip_prefix("not ").unwrap_or(&need.said);
            if !word.contains(' ') {
                let status = LiveCondition::Status(vec![word.to_owned()]);
                need.condition = Some(if word == need.said { status } else { status.negated() });
            }
        }
    }
    let joins = |at: &usize| is(&OR, &tokens.low[*at]) || bounds::adds(tokens, *at);
    let ors: Vec<usize> = tokens.free().filter(joins).collect();
    for or in ors {
        let (before, after) = (or.checked_sub(1), or + 1);
        let known = |at: usize| found.iter().any(|found| found.span.contains(&at) && is_one_state(found));
        let (Some(before), true) = (before, after < tokens.low.len()) else { continue };
        let guessed: Vec<usize> = match (known(before), known(after)) {
            (true, false) => vec![after],
            (false, true) => vec![before],
            (false, false) if is(&OR, &tokens.low[or]) && !found.iter().any(is_one_state) => vec![before, after],
            _ => continue,
        };
        let either = is(&OR, &tokens.low[or]);
        let begin = found.iter().find(|f| f.span.contains(&before)).map_or(before, |f| f.span.start);
        let end = found.iter().find(|f| f.span.contains(&after)).map_or(after + 1, |f| f.span.end);
        if !guessed.iter().all(|at| may_be_state(tokens, *at, context)) || !is_listed(tokens, begin..end, context) {
            continue;
        }
        let of_operators = of_operators(tokens, context);
        // "Tunnels that are up or flapping": nothing else says that both are states.
        let is_are = begin.checked_sub(1).is_some_and(|n| among("is are was were", &tokens.low[n]) && !tokens.ends[n]);
        if guessed.len() > 1 && !(of_operators && is_are) {
            continue;
        }
        for at in guessed {
            if !either && !of_operators {
                continue;
            }
            let said = tokens.raw[at].clone();
            tokens.take(Some(at));
            if of_operators {
                let need = Need::of(LiveCondition::Status(vec![said.clone()]), said);
                found.push(Found { span: at..at + 1, needs: vec![need] });
            } else {
                unknown.push(Need::untold(Beyond::Status, said));
            }
        }
        if either || of_operators {
            tokens.take(Some(or));
        }
    }
    unknown
}

fn is_one_state(found: &Found) -> bool {
    let is_state = |need: &Need| need.first.is_none() && need.condition.as_ref().is_some_and(LiveCondition::is_state);
    matches!(&found.needs[..], [one] if is_state(one))
}

/// Whether a word may be what an operator prints of an object.
fn may_be_state(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> bool {
    let word = &tokens.low[at];
    let listed =
        || Conditions::get().states.iter().flat_map(|state| &state.words).any(|w| w.eq_ignore_ascii_case(word));
    let says_nothing = clusterlore_core::words::is_stop_word(word) || language::is_stop_word(context.language, word);
    !tokens.taken[at]
        && !tokens.quoted[at]
        && word.chars().count() > 1
        && word.chars().all(char::is_alphabetic)
        && (!says_nothing || listed())
        && !is(&NOT, word)
        && !is(&ABOUT, word)
        && !is(&THINGS, word)
        && !context.vocabulary.namespaces.contains(word)
        && kind_words::at(tokens, at, context).is_empty()
}

/// Whether states that are listed are said of kinds: "pods that are slow or pending", "slow or pending pods".
fn is_listed(tokens: &Tokens, states: Range<usize>, context: &QueryContext<'_>) -> bool {
    let is_kind = |at: usize| !kind_words::at(tokens, at, context).is_empty();
    let ends = states.end == tokens.low.len() || tokens.ends[states.end - 1];
    let closes = ends || follows(&tokens.low[states.end]);
    let before = (0..states.start).rev().take_while(|n| !tokens.ends[*n]).find(|n| !is(&ADVERBS, &tokens.low[*n]));
    let said =
        before.is_some_and(|n| is(&COPULAS, &tokens.low[n]) || is(&COPULAS_FOREIGN, &tokens.low[n]) || is_kind(n));
    // "Degraded or detached longhorn volumes".
    closes && said || !ends && (is_kind(states.end) || is_kind(states.end + 1))
}

/// Whether all kinds that are named are those of operators.
fn of_operators(tokens: &Tokens, context: &QueryContext<'_>) -> bool {
    // "In ingress" may be a place.
    let places = |at: &usize| !context.vocabulary.namespaces.contains(&tokens.low[*at]);
    let mut named: BTreeSet<String> =
        (0..tokens.low.len()).filter(places).flat_map(|at| kind_words::at(tokens, at, context)).collect();
    if named.is_empty() {
        let mut kinds = Vec::new();
        kind_words::by_last_word(tokens, is_of_an_operator, context, &mut kinds);
        named = kinds.into_iter().flat_map(|kind| kind.types).collect();
    }
    !named.is_empty() && named.iter().all(|name| is_of_an_operator(name))
}

/// Whether a state stands in a list with a word that no phrase has: "[finished] or aborted", "parked or [finished]".
pub(super) fn is_in_list(tokens: &Tokens, span: Range<usize>, context: &QueryContext<'_>) -> bool {
    let of_operators = of_operators(tokens, context);
    let or =
        |at: usize| tokens.low.get(at).is_some_and(|word| is(&OR, word)) || of_operators && bounds::adds(tokens, at);
    let before = span.start.checked_sub(2).filter(|n| or(n + 1) && !tokens.ends[*n] && !tokens.ends[n + 1]);
    let after = Some(span.end + 1).filter(|n| *n < tokens.low.len() && or(span.end) && !tokens.ends[span.end - 1]);
    let fits = |at: &usize| may_be_state(tokens, *at, context);
    match (before.filter(fits), after.filter(fits)) {
        (Some(begin), _) => is_listed(tokens, begin..span.end, context),
        (None, Some(last)) => is_listed(tokens, span.start..last + 1, context),
        _ => false,
    }
}
