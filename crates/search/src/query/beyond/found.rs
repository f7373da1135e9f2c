//! What was read of a question, and who does it: "failing pods" asks for a state, "what watches for failing pods" does not.

use std::ops::Range;

use crate::query::around::{ABOUT, ADVERBS, AGENTS, COPULAS, FOREIGN, JOINS, NOT, WHO, among, is};
use crate::query::context::QueryContext;
use crate::query::parsed::Need;
use crate::query::tokens::{Tokens, number};

/// What a phrase of a question asks, and where it stands.
pub(super) struct Found {
    pub(super) span: Range<usize>,
    pub(super) needs: Vec<Need>,
}

/// Whether only words that join stand between a phrase and one that was read.
pub(super) fn is_beside(tokens: &Tokens, span: Range<usize>, found: &[Found]) -> bool {
    let joins = |at: &usize| is(&JOINS, &tokens.low[*at]) || is(&NOT, &tokens.low[*at]);
    let only = |between: Range<usize>| between.len() <= 3 && { between }.all(|at| joins(&at));
    found.iter().any(|other| {
        if other.span.end <= span.start {
            only(other.span.end..span.start)
        } else {
            span.end <= other.span.start && only(span.end..other.span.start)
        }
    })
}

/// What may follow a condition and still be of it.
pub(super) fn follows(word: &str) -> bool {
    number(word).is_some()
        || among(
            "in at on right now today yesterday last this since and or because within during lately recently anymore again out across over \
         with of from at namespace there here more less than then somewhere anywhere overnight once twice thrice times several so though than but yet too as so",
            word,
        )
}

/// Whether the clause asks for what does something about it: "what notifies us when pods fail".
pub(super) fn done_by_others(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> bool {
    if context.language.is_some() {
        return tokens.low.iter().any(|word| is(&FOREIGN, word));
    }
    let first = (0..at).rev().take_while(|n| !tokens.ends[*n]).last().unwrap_or(at);
    // "Tells us which medicines are about to expire", "where do the logs go".
    let begins = &tokens.low[first];
    if begins.ends_with('s') && is_agent(begins) && first < at || begins == "where" {
        return true;
    }
    if (first..at).rev().take(3).any(|n| {
        is(&ABOUT, &tokens.low[n]) && n > first && !tokens.is(Some(n), &["to", "by", "on", "for"])
            || tokens.is(Some(n), &["for", "about", "on", "against"]) && n > first && n + 2 >= at && !says(tokens, n)
    }) {
        return true;
    }
    // "What does checkout write to" asks for what it does.
    let asks = |n: &usize| is(&WHO, &tokens.low[*n]) && !tokens.is(Some(n + 1), &["do", "does", "did"]);
    let who = (first..at).find(asks);
    // "Who mails", "what picks up": the verb comes next, whatever it is.
    let plain = |n: usize| {
        let word = &tokens.low[n];
        is(&COPULAS, word)
            || is(&ADVERBS, word)
            || among("can could may might will would should of kind sort about does do did if and or", word)
    };
    if who.is_some_and(|who| {
        tokens.is(Some(who), &["who", "what"]) && who + 1 < at && !plain(who + 1) && is_verb(&tokens.low[who + 1])
    }) {
        return true;
    }
    who.is_some_and(|who| {
        (who + 1..at)
            .any(|n| is_agent(&tokens.low[n]) && !tokens.is(Some(n - 1), &["the", "a", "an", "to", "of", "our"]))
    })
}

/// Whether the word before is one that "for" and "on" belong to: "logs for".
fn says(tokens: &Tokens, at: usize) -> bool {
    tokens.is(at.checked_sub(1), &["status", "state", "health", "logs", "events", "look", "check"])
}

/// Whether a word behind "who" and "what" is a verb: "what sends", and not "what image".
fn is_verb(word: &str) -> bool {
    word.ends_with('s')
        && !word.ends_with("ss")
        && !among("images versions pods status ports ips permissions rights events logs limits hosts", word)
}

fn is_agent(word: &str) -> bool {
    let cut = |ending: &str, put: &str| {
        word.strip_suffix(ending)
            .is_some_and(|cut| AGENTS.contains(cut) || !put.is_empty() && is(&AGENTS, &format!("{cut}{put}")))
    };
    is(&AGENTS, word) || cut("s", "") || cut("es", "") || cut("ing", "e") || cut("ies", "y")
}
