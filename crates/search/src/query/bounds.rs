//! Bounds on the number that decides a condition: "more than 5 times", "at least 10Gi", "between 3 and 5". Which words compare is data
//! (`core/data/conditions.toml`).

use clusterlore_core::conditions::{Comparison, Conditions, Limit, LiveCondition};

use super::around::{AND, BUT};
use super::tokens::{Tokens, number};

/// The most words between a condition and its bound.
const NEAR: usize = 6;
/// What may stand behind a number.
const UNITS: [&str; 13] = [
    "times",
    "time",
    "restarts",
    "restart",
    "replicas",
    "replica",
    "mal",
    "fois",
    "veces",
    "vezes",
    "neustarts",
    "reinicios",
    "reinícios",
];

/// A condition with the bounds that stand beside its words: as many conditions as bounds.
pub(super) fn bounded(condition: LiveCondition, tokens: &mut Tokens, at: usize, end: usize) -> Vec<LiveCondition> {
    let of_bytes = matches!(condition, LiveCondition::Capacity(_));
    let fresh = match &condition {
        LiveCondition::Restarted(Limit::AtLeast(1)) | LiveCondition::Capacity(_) => true,
        LiveCondition::Replicas { number, .. } => *number == Limit::AtLeast(1),
        _ => false,
    };
    let limits = if fresh { limits(tokens, at, end, of_bytes) } else { Vec::new() };
    let with = |limit: Limit| match &condition {
        LiveCondition::Replicas { of, .. } => LiveCondition::Replicas { of: *of, number: limit },
        LiveCondition::Capacity(_) => LiveCondition::Capacity(limit),
        _ => LiveCondition::Restarted(limit),
    };
    if limits.is_empty() { vec![condition] } else { limits.into_iter().map(with).collect() }
}

/// Whether a word says that something more is to hold.
pub(super) fn adds(tokens: &Tokens, at: usize) -> bool {
    tokens.is(Some(at), &AND) || tokens.is(Some(at), &BUT)
}

/// The bounds in the words beside. Takes them.
fn limits(tokens: &mut Tokens, at: usize, end: usize, of_bytes: bool) -> Vec<Limit> {
    let near = at.saturating_sub(NEAR)..(end + NEAR).min(tokens.low.len());
    let Some(place) = { near }.find(|n| !tokens.taken[*n] && value(&tokens.low[*n], of_bytes).is_some()) else {
        return Vec::new();
    };
    let Some((mut limits, next)) = limit(tokens, place, of_bytes) else { return Vec::new() };
    // "Fewer than 3, but at least once".
    if adds(tokens, next) {
        let more = (next + 1..tokens.low.len().min(next + 4)).find(|n| value(&tokens.low[*n], of_bytes).is_some());
        let is_bound = |n: &usize| compared(tokens, *n).is_some_and(|(_, words)| *n - words == next + 1);
        if let Some((second, _)) = more.filter(is_bound).and_then(|n| limit(tokens, n, of_bytes)) {
            tokens.take(Some(next));
            limits.extend(second);
        }
    }
    limits
}

/// The bound of the number that stands there, and where the words behind it begin. Takes them.
fn limit(tokens: &mut Tokens, place: usize, of_bytes: bool) -> Option<(Vec<Limit>, usize)> {
    let number = value(&tokens.low[place], of_bytes)?;
    let (comparison, words) = compared(tokens, place).unwrap_or((Comparison::Exactly, 0));
    let mut next = place + 1;
    let mut limits = match comparison {
        Comparison::Between => {
            let most = tokens.low.get(next + 1).filter(|_| adds(tokens, next));
            let most = most.and_then(|word| value(word, of_bytes))?;
            next += 2;
            vec![Limit::AtLeast(number), Limit::AtMost(most)]
        }
        other => vec![one(other, number)],
    };
    // "5 to 15 restarts".
    let to = tokens.is(Some(next), &["to", "bis", "à", "a"]).then(|| tokens.low.get(next + 1)).flatten();
    if let (Some(most), Comparison::Exactly) = (to.and_then(|word| value(word, of_bytes)), comparison) {
        limits = vec![Limit::AtLeast(number), Limit::AtMost(most)];
        next += 2;
    }
    for comparison in [Comparison::OrMore, Comparison::OrLess] {
        let phrase = Conditions::get().compares(comparison).find(|phrase| tokens.match_at(next, phrase).is_some());
        if let Some(phrase) = phrase {
            limits = vec![one(comparison, number)];
            next += phrase.split(' ').count();
        }
    }
    if tokens.is(Some(next), &UNITS) {
        next += 1;
    }
    tokens.take_range(place - words, next + words - place);
    Some((limits, next))
}

/// The bound that one number makes.
pub(super) fn one(comparison: Comparison, number: u64) -> Limit {
    match comparison {
        Comparison::More => Limit::AtLeast(number.saturating_add(1)),
        Comparison::AtLeast | Comparison::OrMore => Limit::AtLeast(number),
        Comparison::Fewer => Limit::AtMost(number.saturating_sub(1)),
        Comparison::AtMost | Comparison::OrLess => Limit::AtMost(number),
        Comparison::Exactly | Comparison::Between => Limit::Exactly(number),
    }
}

/// How the words before a number compare, and how many they are.
fn compared(tokens: &Tokens, place: usize) -> Option<(Comparison, usize)> {
    let stands = |phrase: &&str| {
        let words = phrase.split(' ').count();
        let start = place.checked_sub(words)?;
        let all = phrase.split(' ').zip(&tokens.low[start..place]).all(|(expected, word)| expected == word);
        all.then_some(words)
    };
    let of = |comparison| {
        let phrases = Conditions::get().compares(comparison);
        phrases.filter_map(|phrase| stands(&phrase)).max().map(|words| (comparison, words))
    };
    Comparison::BEFORE.into_iter().filter_map(of).max_by_key(|(_, words)| *words)
}

/// Whether a bound begins at a word: "more than 3".
pub(super) fn begins(tokens: &Tokens, at: usize) -> bool {
    let place = (at..tokens.low.len().min(at + 4)).find(|n| value(&tokens.low[*n], false).is_some());
    place.is_some_and(|place| compared(tokens, place).is_some_and(|(_, words)| place - words == at))
}

/// Whether a word is of a bound.
pub(super) fn is_word(word: &str) -> bool {
    let of = |comparison| Conditions::get().compares(comparison).any(|phrase| phrase.split(' ').any(|w| w == word));
    UNITS.contains(&word)
        || value(word, false).is_some()
        || Comparison::BEFORE.into_iter().any(of)
        || of(Comparison::OrMore)
        || of(Comparison::OrLess)
}

fn value(word: &str, of_bytes: bool) -> Option<u64> {
    match word {
        _ if of_bytes => bytes(word),
        "once" => Some(1),
        "twice" => Some(2),
        "thrice" => Some(3),
        _ => number(word),
    }
}

/// A size in bytes: `10Gi`, `500M`.
pub(super) fn bytes(word: &str) -> Option<u64> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit: u64 = match word[digits.len()..].trim_end_matches('b') {
        "gig" | "gigs" => 1 << 30,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Units of sizes that people write apart from the number.
const SIZE_UNITS: [&str; 14] = ["gb", "gib", "gi", "gig", "gigs", "mb", "mib", "mi", "tb", "tib", "ti", "g", "t", "kb"];
/// What people leave out of a negation.
const CONTRACTED: [(&str, &str); 14] = [
    ("arent", "aren't"),
    ("isnt", "isn't"),
    ("dont", "don't"),
    ("doesnt", "doesn't"),
    ("didnt", "didn't"),
    ("wasnt", "wasn't"),
    ("werent", "weren't"),
    ("havent", "haven't"),
    ("hasnt", "hasn't"),
    ("hadnt", "hadn't"),
    ("cant", "can't"),
    ("wont", "won't"),
    ("couldnt", "couldn't"),
    ("wouldnt", "wouldn't"),
];

/// Signs before and behind digits in words, and contractions with their apostrophes: `>5`, `<= 3`, `3+`, `arent`.
pub(super) fn in_words(text: &str) -> String {
    let contracted = |piece: &str| {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        let full = CONTRACTED.iter().find(|(short, _)| word.eq_ignore_ascii_case(short));
        let digits = word.len() + 1 == piece.len() && piece.ends_with('+') && word.bytes().all(|b| b.is_ascii_digit());
        match full {
            Some((_, full)) => piece.replacen(word, full, 1),
            None if digits && !word.is_empty() => format!("{word} or more"),
            None => piece.to_owned(),
        }
    };
    let mut words: Vec<String> = Vec::new();
    for piece in text.split(' ') {
        // "20 GB" is one size.
        let unit = SIZE_UNITS.contains(&piece.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().as_str());
        match words.last_mut().filter(|last| unit && !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit())) {
            Some(last) => last.push_str(piece),
            None => words.push(contracted(piece)),
        }
    }
    let text = words.join(" ");
    if !text.contains(['<', '>']) {
        return text;
    }
    let mut said = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['<', '>']) {
        let (before, from) = rest.split_at(at);
        let sign = if from[1..].starts_with('=') { &from[..2] } else { &from[..1] };
        let after = &from[sign.len()..];
        said.push_str(before);
        let words = match sign {
            ">" => " more than ",
            ">=" => " at least ",
            "<" => " fewer than ",
            _ => " at most ",
        };
        said.push_str(if after.trim_start().starts_with(|c: char| c.is_ascii_digit()) { words } else { sign });
        rest = after;
    }
    said + rest
}
