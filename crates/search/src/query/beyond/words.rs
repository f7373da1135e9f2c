//! Words that stand around what is asked, and the language of a question.

use clusterlore_core::conditions::Conditions;

use crate::query::around::{ADVERBS, ALL, BETWEEN, COPULAS, COPULAS_FOREIGN, JOINS, NOT, STATES, among, is};
use crate::query::context::QueryContext;
use crate::query::language;
use crate::query::tokens::Tokens;

/// The most words before a phrase that are read.
pub(super) const BEFORE: usize = 6;

/// Whether the question is whether something holds of all: "are all nodes ready?", "is the shop namespace healthy?". Then those of which
/// it does not hold are the answer.
pub(crate) fn asks_of_all(tokens: &Tokens) -> bool {
    // "Hi! Just took over - are all pods ready?"
    let inverted =
        |at: &usize| tokens.begins(*at) && (is(&COPULAS, &tokens.low[*at]) || is(&COPULAS_FOREIGN, &tokens.low[*at]));
    let whole = |word: &String| is(&ALL, word) || among("namespace namespaces cluster namensraum", word);
    let asked = (0..tokens.low.len()).find(inverted);
    asked.is_some_and(|at| tokens.low[at..].iter().any(whole)) || tokens.low.iter().any(|word| word.contains("都"))
}

/// The word that says of what is counted that it runs, and whether it is denied.
pub(crate) fn hollow(tokens: &Tokens, context: &QueryContext<'_>) -> Option<(usize, bool)> {
    let words: Vec<&String> =
        languages(context).into_iter().filter_map(|l| Conditions::get().hollow.get(l)).flatten().collect();
    let is_one = |at: &usize| {
        let low = &tokens.low[*at];
        !tokens.quoted[*at]
            && (words.contains(&low)
                || words
                    .iter()
                    .any(|word| !word.is_ascii() && !word.starts_with(char::is_lowercase) && low.contains(*word)))
    };
    let at = (0..tokens.low.len()).find(is_one)?;
    let end = (at..tokens.low.len()).find(|n| tokens.ends[*n] || n + 1 == tokens.low.len());
    // "Wie viele Pods laufen in shop nicht?"
    let at_the_end = context.language == Some("German") && tokens.is(end, &["nicht"]);
    Some((at, is_negated(tokens, at).is_some() || at_the_end))
}

/// The words and phrases of a language, or of English: its jargon is everywhere.
pub(super) fn languages(context: &QueryContext<'_>) -> Vec<&'static str> {
    let own = match context.language {
        None => None,
        Some("German") => Some("de"),
        Some("French") => Some("fr"),
        Some("Spanish") => Some("es"),
        Some("Portuguese") => Some("pt"),
        Some("Chinese") => Some("zh"),
        Some(_) => None,
    };
    own.into_iter().chain(["en"]).collect()
}

/// The word before a place that turns what stands there into its opposite: "have not failed", "not in CrashLoopBackOff".
pub(super) fn is_negated(tokens: &Tokens, at: usize) -> Option<usize> {
    let before = (0..at).rev().take(BEFORE).take_while(|n| !tokens.ends[*n]);
    let near: Vec<usize> = before.collect();
    let between = near.iter().take_while(|n| is(&BETWEEN, &tokens.low[**n])).count();
    near.get(between).copied().filter(|n| is(&NOT, &tokens.low[*n]) && !tokens.quoted[*n])
}

/// Whether a word says so little that nobody misses it beside a condition.
pub(crate) fn says_little(word: &str) -> bool {
    [&NOT, &ADVERBS, &STATES, &BETWEEN, &COPULAS, &JOINS].iter().any(|list| is(list, word)) || word.chars().count() < 2
}

/// Whether a word turns what follows into its opposite.
pub(crate) fn denies(word: &str) -> bool {
    is(&NOT, word)
}

/// Whether the words of a phrase stand in a text, in a row.
fn stands(tokens: &Tokens, phrase: &str) -> bool {
    // Chinese has no spaces.
    let is = |w: &String, word: &str| w == word || language::is_unspaced(word) && w.contains(word);
    (0..tokens.low.len())
        .any(|at| phrase.split(' ').enumerate().all(|(n, word)| tokens.low.get(at + n).is_some_and(|w| is(w, word))))
}

/// The language of the words that ask for a condition, if they are not English; else what else speaks for.
pub(crate) fn language(
    text: &str,
    guess: Option<&'static str>,
    is_english: impl Fn(&str) -> bool,
) -> Option<&'static str> {
    let tokens = Tokens::new(text);
    let foreign = |phrase: &&String| {
        let fits = |word: &String, expected: &str| word == expected || is_form(word, expected) && !is_english(word);
        let stands = |at: usize| {
            phrase.split(' ').enumerate().all(|(n, expected)| tokens.low.get(at + n).is_some_and(|w| fits(w, expected)))
        };
        (0..tokens.low.len()).any(stands) && phrase.split(' ').any(|word| word.len() > 3 && !is_english(word))
    };
    let of = |(code, name)| {
        let phrases = Conditions::get().asked.iter().filter_map(move |asked| asked.phrases.get(code)).flatten();
        phrases.filter(foreign).map(String::len).max().map(|length| (length, name))
    };
    let all: Vec<(usize, &str)> = LANGUAGES.into_iter().filter_map(of).collect();
    let is_one_of = |guess: &str| all.iter().any(|(_, name)| *name == guess);
    // Languages share words: what else speaks for one decides. Others have no phrases of this sort.
    match guess {
        Some(guess) if is_one_of(guess) || !LANGUAGES.iter().any(|(_, name)| *name == guess) => Some(guess),
        guess => all.iter().max_by_key(|(length, _)| *length).map(|(_, name)| *name).or(guess),
    }
}

/// Whether a word is another, or its plural or its other gender in a Romance language: "échouées" for "échoué".
pub(super) fn is_form(word: &str, expected: &str) -> bool {
    if word.as_bytes().first() != expected.as_bytes().first() {
        return false;
    }
    let ends = |word: &str| {
        let word = word.strip_suffix('s').unwrap_or(word);
        word.strip_suffix(['e', 'o', 'a']).unwrap_or(word).len()
    };
    let (ends_here, ends_there) = (ends(word), ends(expected));
    word == expected
        || ends_here > 5 && !expected.is_ascii() | (ends_there > 4) && word[..ends_here] == expected[..ends_there]
}

/// Languages that are written with spaces, by their code in the table of conditions.
const LANGUAGES: [(&str, &str); 4] = [("de", "German"), ("fr", "French"), ("es", "Spanish"), ("pt", "Portuguese")];

/// Whether a short question has lost words of a condition on the way to what is left of it: "is everything ok in auth?" is no greeting.
pub(crate) fn lost_condition(question: &str, left: &str) -> bool {
    let (all, left) = (Tokens::new(question), Tokens::new(left));
    let mut phrases = Conditions::get().asked.iter().flat_map(|asked| asked.phrases.values().flatten());
    let number = |word: &&String| word.bytes().any(|b| b.is_ascii_digit()) && !left.low.contains(word);
    all.low.len() <= SHORT
        && (all.low.iter().any(|word| number(&word))
            || phrases.any(|phrase| stands(&all, phrase) && !stands(&left, phrase)))
}

/// Words of a short question.
const SHORT: usize = 10;
