//! Words that a cluster prints for a state: `CreateContainerConfigError`, "status Error".

use clusterlore_core::conditions::{Conditions, LiveCondition, SERVICE_TYPES};

use crate::query::around::{ABOUT, JOINS, among, is};
use crate::query::context::QueryContext;
use crate::query::kind_words;
use crate::query::parsed::Need;
use crate::query::tokens::Tokens;

use super::found::{Found, done_by_others, is_beside};
use super::words::is_negated;

/// Words that a cluster prints for a state: `CreateContainerConfigError`, "status Error".
pub(super) fn statuses(tokens: &mut Tokens, context: &QueryContext<'_>) -> Vec<Found> {
    let mut read: Vec<Found> = Vec::new();
    let services = (0..tokens.low.len()).any(|at| kind_words::at(tokens, at, context).contains("services"));
    let mut of_services: Vec<String> = SERVICE_TYPES.map(str::to_owned).into();
    of_services.retain(|name| services || tokens.raw.contains(name));
    let known = || Conditions::get().states.iter().flat_map(|state| &state.words).chain(&of_services);
    let humps = |word: &str| word.chars().filter(char::is_ascii_uppercase).count() > 1 || word.contains(':');
    for at in 0..tokens.low.len() {
        let skipped = tokens.taken[at] || tokens.quoted[at] && !humps(&tokens.raw[at]);
        if skipped || of_services.contains(&tokens.raw[at]) && done_by_others(tokens, at, context) {
            continue;
        }
        let typed = tokens.raw[at].trim_start_matches("Init:");
        let coded = ["Signal:", "ExitCode:"].iter().any(|begin| typed.starts_with(begin));
        // "CrashLoopBackOff, Error or OOMKilled".
        let beside = is_beside(tokens, at..at + 1, &read) || {
            let next = (at + 1..tokens.low.len()).find(|n| !is(&JOINS, &tokens.low[*n]));
            next.is_some_and(|n| n - at <= 2 && known().any(|w| w.eq_ignore_ascii_case(&tokens.raw[n]) && humps(w)))
                && tokens.raw[at].starts_with(|c: char| c.is_uppercase())
        };
        // "Applications that are Progressing".
        let capital = at > 0
            && known().any(|word| *word == tokens.raw[at])
            && !Conditions::get().asked.iter().flat_map(|a| a.phrases.values().flatten()).any(|p| *p == tokens.low[at]);
        let is_said =
            beside || capital || tokens.is(at.checked_sub(1), &["status", "state", "phase", "reason", "health"]);
        let found = known().find(|word| word.eq_ignore_ascii_case(typed) && (humps(word) || is_said));
        let init = tokens.raw[at].starts_with("Init:") && typed.contains('/');
        // An address stands in a column of its own.
        let init = init || typed.parse::<std::net::IpAddr>().is_ok();
        // Operators have words of their own: "phase Failing over".
        let own = is_said && typed.starts_with(|c: char| c.is_uppercase());
        let Some(word) = found.cloned().or_else(|| (coded || init || own).then(|| typed.to_owned())) else { continue };
        let more = (at + 1..tokens.low.len())
            .take_while(|n| {
                own && !beside && !capital && !tokens.ends[n - 1] && !tokens.taken[*n] && !is(&ABOUT, &tokens.low[*n])
            })
            .take_while(|n| !among("in and or of from with namespace", &tokens.low[*n]))
            .take(2)
            .count();
        let phrase = (more > 0).then(|| format!("{word} {}", tokens.raw[at + 1..at + 1 + more].join(" ")));
        let said = tokens.raw[at].clone();
        let word = if tokens.raw[at].starts_with("Init:") { said.clone() } else { word };
        let begin = (0..at)
            .rev()
            .take_while(|n| among("status state phase reason with in stuck", &tokens.low[*n]) && !tokens.ends[*n]);
        let begin = begin.last().unwrap_or(at);
        let not = is_negated(tokens, begin);
        let condition = LiveCondition::Status([word].into_iter().chain(phrase).collect());
        let condition = if not.is_some() { condition.negated() } else { condition };
        let from = not.unwrap_or(begin);
        tokens.take_range(from, at + 1 + more - from);
        read.push(Found { span: from..at + 1 + more, needs: vec![Need::of(condition, said)] });
    }
    read
}
