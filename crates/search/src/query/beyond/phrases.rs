//! The phrases of the table of conditions, read where they ask.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use clusterlore_catalogue::Meaning;
use clusterlore_core::conditions::{
    Beyond, Comparison, Conditions, Extreme, Limit, LiveCondition, OF_OPERATORS, is_of_an_operator,
};

use crate::query::around::{
    ABOUT, ADVERBS, BEARS, COPULAS, DETERMINERS, JOINS, NOT, NOT_CHINESE, NOUNS, STATES, THINGS, WHO, among, is,
};
use crate::query::bounds::bounded;
use crate::query::context::QueryContext;
use crate::query::parsed::{First, Need, PARTICLES, is_of_group};
use crate::query::tokens::{Tokens, number};
use crate::query::{bounds, kind_words};

use super::found::{Found, done_by_others, follows, is_beside};
use super::lists::is_in_list;
use super::words::{BEFORE, is_form, is_negated, languages};

/// Words of a condition.
pub(super) struct Phrase {
    pub(super) words: &'static str,
    pub(super) language: &'static str,
    pub(super) what: Beyond,
    pub(super) condition: Option<&'static LiveCondition>,
    pub(super) first: Option<Extreme>,
    /// Whether it asks only where another condition does.
    pub(super) beside: bool,
}

/// The phrases that may stand in a question, the longest first. In a question that is in no language for sure those of any language may,
/// if they are not English.
pub(super) fn phrases(tokens: &Tokens, context: &QueryContext<'_>) -> Vec<Phrase> {
    let own = languages(context);
    let admits = |language: &str, phrase: &str| {
        own.contains(&language)
            || context.language.is_none() && !phrase.split(' ').all(|word| (context.is_english)(word))
    };
    // Most conditions ask nothing of the kinds.
    let kinds: OnceLock<Vec<BTreeSet<String>>> = OnceLock::new();
    let kinds = || kinds.get_or_init(|| (0..tokens.low.len()).map(|at| kind_words::at(tokens, at, context)).collect());
    // "Tenants" are those of the kind `AcmeTenant`, where nothing else is called so.
    let last_words: OnceLock<Vec<usize>> = OnceLock::new();
    let last_words = || {
        last_words.get_or_init(|| {
            let mut found = Vec::new();
            kind_words::by_last_word(tokens, is_of_an_operator, context, &mut found);
            found.into_iter().flat_map(|kind| kind.words).collect()
        })
    };
    let named = |types: &[String]| {
        let of_operators = types.iter().any(|name| name == OF_OPERATORS);
        let is_one = |at: usize| {
            let named = &kinds()[at];
            let operated = || named.iter().any(|name| is_of_an_operator(name));
            // "Databases" are those of any kind; "kafka topics" are two words for one.
            let surely = || {
                let asked = context.catalogue.asked(&tokens.raw[at]);
                kind_words::one(&tokens.low[at], context).is_empty()
                    || asked.iter().all(|asked| matches!(asked.meaning, Meaning::Kind(_)))
            };
            let by_last = || last_words().contains(&at);
            // "Longhorn backups".
            let of_group = || {
                let group = at.checked_sub(1).map(|n| &tokens.low[n]);
                let is_one = |name: &String| {
                    group.zip(name.split_once('.')).is_some_and(|(word, (_, of))| is_of_group(word, of))
                };
                named.iter().any(is_one)
            };
            named.iter().any(|name| types.contains(name))
                || of_operators && (surely() || of_group()) && (operated() || named.is_empty() && by_last())
        };
        types.is_empty() || (0..tokens.low.len()).any(is_one)
    };
    let table = Conditions::get();
    let asked = table.asked.iter().filter(|asked| named(&asked.only)).flat_map(|asked| {
        let of = (asked.is.beyond(), Some(&asked.is), asked.first, asked.beside);
        asked.phrases.iter().map(move |(language, phrases)| (of, language, phrases))
    });
    let stated = table.stated.iter().flat_map(|stated| {
        stated.patterns.iter().map(move |(language, phrases)| ((stated.what, None, None, false), language, phrases))
    });
    let mut all: Vec<Phrase> = asked
        .chain(stated)
        .flat_map(|(of, language, phrases)| phrases.iter().map(move |words| (of, language, words)))
        .filter(|(_, language, words)| stands_somewhere(tokens, words) && admits(language, words))
        .map(|((what, condition, first, beside), language, words)| Phrase {
            words,
            language,
            what,
            condition,
            first,
            beside,
        })
        .collect();
    all.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len()));
    all
}

/// Whether the words stand there at all, which is cheap to tell.
fn stands_somewhere(tokens: &Tokens, words: &str) -> bool {
    let first = words.split(' ').next().unwrap_or_default();
    let han = first.trim_end_matches(|c: char| c.is_ascii());
    tokens.low.iter().any(|word| is_form(word, first) || !han.is_empty() && word.contains(han))
}

pub(super) fn read_phrase(
    tokens: &mut Tokens,
    phrase: &Phrase,
    fillers: &[bool],
    found: &[Found],
    inside: &[BTreeSet<usize>; 2],
    context: &QueryContext<'_>,
) -> Option<Found> {
    let words: Vec<&str> = phrase.words.split(' ').collect();
    let Phrase { what, condition, first, language, .. } = *phrase;
    let foreign = language != "en";
    for at in 0..tokens.low.len() {
        let stands = words.iter().enumerate().all(|(n, word)| {
            let here = at + n;
            let same = |w: &String| w == word || foreign && is_form(w, word) && !(context.is_english)(w);
            !inside[usize::from(condition.is_none())].contains(&here)
                && tokens.low.get(here).is_some_and(same)
                // "Actually" is a filler, and part of "actually running".
                && (!tokens.taken[here] || fillers[here] && words.len() > 1)
                && !tokens.quoted[here]
                && (n == 0 || !tokens.ends[here - 1])
        });
        let end = at + words.len();
        let admitted = || {
            asks(tokens, at, words.len(), condition, foreign, context)
                || condition.is_some()
                    && !words.iter().all(|word| is(&NOUNS, word))
                    && (is_beside(tokens, at..end, found)
                        || words.len() > 1 && !found.is_empty()
                        || condition.is_some_and(LiveCondition::is_state)
                            && !done_by_others(tokens, at, context)
                            && is_in_list(tokens, at..end, context))
        };
        if !stands || phrase.beside && found.is_empty() || !admitted() {
            continue;
        }
        let said = tokens.raw[at..end].join(" ");
        tokens.take_range(at, words.len());
        // "Stuck in", "still" say nothing else.
        let before = (0..at).rev().take_while(|n| is(&STATES, &tokens.low[*n]) && !tokens.ends[*n]).last();
        let begin = before.unwrap_or(at);
        tokens.take_range(begin, at - begin);
        let not = is_negated(tokens, at).filter(|_| !is(&NOT, words[0]));
        // "Failing over" is one word for what an operator prints.
        let particle = (words.len() == 1 && condition.is_some_and(LiveCondition::is_state) && !tokens.ends[at])
            .then(|| tokens.low.get(end).filter(|next| PARTICLES.contains(&next.as_str())).cloned())
            .flatten();
        let said = match particle {
            Some(particle) => {
                tokens.take(Some(end));
                format!("{said} {particle}")
            }
            None => said,
        };
        let denies = |not: usize| if condition.is_some() { tokens.raw[not].as_str() } else { "not" };
        let said = not.map_or(said.clone(), |not| format!("{} {said}", denies(not)));
        let first = first.map(|extreme| First { extreme, at_most: at_most(tokens, begin, context) });
        let conditions = match condition {
            Some(condition) if first.is_none() => bounded(condition.clone(), tokens, at, end),
            other => other.cloned().into_iter().collect(),
        };
        let negated = |condition: LiveCondition| if not.is_some() { condition.negated() } else { condition };
        let begin = not.unwrap_or(begin).min(begin);
        tokens.take_range(begin, at - begin);
        let of = |condition| Need { what, said: said.clone(), condition, first, printed: None };
        let needs = match conditions.is_empty() {
            true => vec![of(None)],
            false => conditions.into_iter().map(|condition| of(Some(negated(condition)))).collect(),
        };
        return Some(Found { span: begin..end, needs });
    }
    None
}

/// Of Chinese, which has no spaces.
pub(super) fn chinese(tokens: &mut Tokens, phrase: &Phrase) -> Option<Found> {
    let Phrase { words, what, condition, first, .. } = *phrase;
    // "外部 IP" is two words.
    let han = words.trim_end_matches(|c: char| c.is_ascii());
    let ascii = words[han.len()..].trim();
    let at = (0..tokens.low.len()).find(|at| {
        tokens.low[*at].contains(words)
            || !ascii.is_empty() && tokens.low[*at].ends_with(han) && tokens.is(Some(at + 1), &[ascii])
    })?;
    if !tokens.low[at].contains(words) {
        tokens.take(Some(at + 1));
    }
    let words = if tokens.low[at].contains(words) { words } else { han };
    let place = tokens.raw[at].to_lowercase().find(words).unwrap_or(0);
    let before = tokens.raw[at].get(..place).unwrap_or_default();
    let not = NOT_CHINESE.iter().find(|not| before.ends_with(*not));
    let condition = condition.cloned().map(|c| if not.is_some() { c.negated() } else { c });
    let said = tokens.raw[at].clone();
    let rest = said.replacen(&format!("{}{words}", not.copied().unwrap_or_default()), " ", 1);
    // "重启超过10次".
    let digits = tokens.low.get(at + 1).filter(|next| number(next).is_some() && next.is_ascii()).cloned();
    let digits = digits.unwrap_or_default();
    let (condition, rest) = match (condition, digits.parse()) {
        (Some(LiveCondition::Restarted(Limit::AtLeast(1))), Ok(number)) => {
            let compares = |comparison| Conditions::get().compares(comparison).any(|phrase| rest.contains(phrase));
            let all = [Comparison::More, Comparison::AtLeast, Comparison::Fewer, Comparison::AtMost];
            let limit = bounds::one(all.into_iter().find(|c| compares(*c)).unwrap_or(Comparison::Exactly), number);
            let mut left = rest.clone();
            tokens.take(Some(at + 1));
            tokens.take(Some(at + 2).filter(|n| tokens.low.get(*n).is_some_and(|word| word.starts_with('次'))));
            for comparison in Comparison::BEFORE {
                Conditions::get()
                    .compares(comparison)
                    .filter(|p| !p.is_ascii())
                    .for_each(|p| left = left.replace(p, " "));
            }
            (Some(LiveCondition::Restarted(limit)), left)
        }
        (condition, _) => (condition, rest),
    };
    tokens.raw[at] = rest.trim().to_owned();
    tokens.low[at] = tokens.raw[at].to_lowercase();
    if tokens.raw[at].is_empty() {
        tokens.take(Some(at));
    }
    let first = first.map(|extreme| First { extreme, at_most: None });
    Some(Found { span: at..at + 1, needs: vec![Need { what, said, condition, first, printed: None }] })
}

/// How many are wanted of what comes first: "top 3", "the 5 pods with the most restarts".
fn at_most(tokens: &mut Tokens, begin: usize, context: &QueryContext<'_>) -> Option<usize> {
    let counts = |at: &usize| {
        number(&tokens.low[*at]).is_some()
            && (tokens.is(at.checked_sub(1), &["top", "first"]) || !kind_words::at(tokens, at + 1, context).is_empty())
    };
    let at = (0..begin).rev().find(counts)?;
    let most = number(&tokens.low[at])?;
    tokens.take(Some(at));
    if tokens.is(at.checked_sub(1), &["top", "first"]) {
        tokens.take(at.checked_sub(1));
    }
    Some(usize::try_from(most).unwrap_or(usize::MAX))
}

/// Whether a phrase that stands there asks for its condition.
fn asks(
    tokens: &Tokens,
    at: usize,
    words: usize,
    condition: Option<&LiveCondition>,
    foreign: bool,
    context: &QueryContext<'_>,
) -> bool {
    let end = at + words;
    // "The operator that restarts pods" asks for the operator.
    let is_agent = words == 1 && tokens.low[at].ends_with('s') && at > 0 && is(&WHO, &tokens.low[at - 1]);
    if is_agent || done_by_others(tokens, at, context) {
        return false;
    }
    let phrase = &tokens.low[at..end];
    // How nouns are asked for is said by patterns.
    if phrase.iter().all(|word| is(&NOUNS, word)) {
        return false;
    }
    let only = asks_only(tokens, at..end, context);
    if among("external public", &phrase[0]) && words > 1 {
        return only || at > 0 && is(&BEARS, &tokens.low[at - 1]);
    }
    // "Restarts more than 3 times".
    let bounded = at == 0 && bounds::begins(tokens, end);
    if words > 1 || context.language.is_some() || foreign || only || bounded {
        return true;
    }
    // "With 2 restarts", "no restarts".
    if tokens.is(Some(at), &["restarts"]) && at > 0 {
        return number(&tokens.low[at - 1]).is_some()
            || among("with without no many any most zero have has had", &tokens.low[at - 1]);
    }
    // Nobody types "CrashLoopBackOff" and means anything else.
    if matches!(condition, Some(LiveCondition::Status(_))) && !(context.is_english)(&tokens.low[at]) {
        return true;
    }
    let is_kind = |at: usize| {
        tokens.low.get(at).is_some_and(|w| is(&THINGS, w)) || !kind_words::at(tokens, at, context).is_empty()
    };
    // "Failing to sync".
    let fails_to = among("failing failed fails fail", &tokens.low[at]) && tokens.is(Some(end), &["to"]);
    let clause_ends = end == tokens.low.len() || tokens.ends[end - 1] || fails_to;
    let first = (0..at).rev().take_while(|n| !tokens.ends[*n]).last().unwrap_or(at);
    // "is it ready", "which are still pending".
    let copula = (first..at).rev().take(BEFORE).find(|n| !is(&ADVERBS, &tokens.low[*n]));
    let after_copula =
        copula.is_some_and(|n| is(&COPULAS, &tokens.low[n]) || tokens.raw[n].to_lowercase().ends_with("'s") && n == 0);
    // "is anything broken", "are all pods ready", "did the job fail".
    let inverted = is(&COPULAS, &tokens.low[first]) && !tokens.is(Some(first + 1), &["there", "we", "you"]);
    let noun_follows = !clause_ends
        && tokens.low.get(end).is_some_and(|w| !is(&ABOUT, w) && !is(&ADVERBS, w) && !is_kind(end) && !follows(w));
    // "How many pods in data restarted twice", "pods restarted more than once".
    let how_many = tokens.is(Some(first), &["how", "count"]);
    let of_kinds = at > first && (first..at).all(|n| is_kind(n) || is(&DETERMINERS, &tokens.low[n]));
    if condition.is_some()
        && !noun_follows
        && !is_kind(end)
        && (how_many || of_kinds && (clause_ends || follows(&tokens.low[end])))
    {
        return true;
    }
    if (after_copula || inverted) && !noun_follows {
        return true;
    }
    // "failing pods", "any pending claims".
    let alone = (first..at).all(|n| is(&DETERMINERS, &tokens.low[n]) || is(&ADVERBS, &tokens.low[n]));
    if alone && (is_kind(end) || clause_ends && at > first || end == tokens.low.len() && at == 0) {
        return true;
    }
    // "grafana down?", "pods pending", "claim bound or not".
    let answers = |n: usize| among("yes no or true right not again", &tokens.low[n]);
    let asks_short =
        clause_ends && (end..tokens.low.len()).all(answers) && (1..=4).contains(&(at - first)) && first == 0
            || tokens.is(Some(end), &["or"]) && tokens.is(Some(end + 1), &["not"]);
    if asks_short && !(first..at).any(|n| is(&ABOUT, &tokens.low[n]) || is(&WHO, &tokens.low[n])) {
        return true;
    }
    // "pods that failed", "which jobs crashed", "what failed".
    let before = at.checked_sub(1).filter(|n| *n >= first);
    let subject = before.is_some_and(|n| {
        tokens.is(Some(n), &["that", "which", "who", "what", "anything", "something", "nothing", "everything"])
            || is_kind(n)
    });
    let asked = (first..at)
        .any(|n| tokens.is(Some(n), &["which", "what", "that", "anything", "something", "who", "any", "all", "many"]));
    subject && asked && !noun_follows && !is_kind(end)
}

/// Whether the question names a kind and a condition, and where; and nothing else.
fn asks_only(tokens: &Tokens, phrase: Range<usize>, context: &QueryContext<'_>) -> bool {
    // Why it is so, others know.
    if tokens.is(Some(0), &["why"]) {
        return false;
    }
    // "Restart deployment x" is no question, and the "crash deployment" is called so.
    if phrase.len() == 1 && among("restart fail crash complete finish succeed fails crashes", &tokens.low[phrase.start])
    {
        let begins = phrase.start == 0;
        if begins || tokens.low[phrase.start] != "complete" && !kind_words::at(tokens, phrase.end, context).is_empty() {
            return false;
        }
    }
    let mut kinds = 0;
    let mut at = 0;
    while at < tokens.low.len() {
        let word = &tokens.low[at];
        let of_kind = kind_words::at(tokens, at, context);
        let of_next = |name: &String| name.split_once('.').is_some_and(|(_, group)| is_of_group(word, group));
        if phrase.contains(&at) || tokens.taken[at] || kind_words::at(tokens, at + 1, context).iter().any(of_next) {
        } else if !of_kind.is_empty() {
            kinds += 1;
            at += usize::from(kind_words::one(word, context).is_empty());
        } else {
            let says_where = context.vocabulary.namespaces.contains(word) || among("namespace namespaces ns", word);
            let asked =
                || Conditions::get().asked.iter().filter_map(|a| a.phrases.get("en")).flatten().any(|p| p == word);
            let says_little = [&DETERMINERS, &ADVERBS, &COPULAS, &JOINS].iter().any(|list| is(list, word)) || asked();
            let asks = among("which what that many who", word) || number(word).is_some() || bounds::is_word(word);
            if !(says_where || says_little || asks || tokens.is_connective(at)) {
                return false;
            }
        }
        at += 1;
    }
    kinds > 0 || phrase.start == 0
}
