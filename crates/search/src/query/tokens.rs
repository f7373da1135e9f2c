//! The words of a question, and which of them are already read.

use std::ops::Range;

use clusterlore_core::words;

use crate::yardstick::step;

/// The words of a question. A rule that has read a word takes it; what is free at the end is the free text.
pub(super) struct Tokens {
    /// As they were typed, without punctuation around them.
    pub(super) raw: Vec<String>,
    /// In lower case, without a possessive ending.
    pub(super) low: Vec<String>,
    pub(super) taken: Vec<bool>,
}

impl Tokens {
    pub(super) fn new(text: &str) -> Self {
        // A minus in front of a digit belongs to the number.
        let trim = |w: &str| {
            let word = w.trim_matches(|c: char| !c.is_alphanumeric());
            let before = &w[..w.find(word).unwrap_or(0)];
            let negative = before.ends_with('-') && word.starts_with(|c: char| c.is_ascii_digit());
            if negative { format!("-{word}") } else { word.to_owned() }
        };
        let raw: Vec<String> = text.split_whitespace().map(trim).filter(|w| !w.is_empty()).collect();
        let low: Vec<String> =
            raw.iter().map(|w| w.to_lowercase()).map(|w| w.trim_end_matches("'s").to_owned()).collect();
        let taken = vec![false; raw.len()];
        Self { raw, low, taken }
    }

    pub(super) fn is(&self, at: Option<usize>, any: &[&str]) -> bool {
        at.and_then(|at| self.low.get(at)).is_some_and(|w| any.contains(&w.as_str()))
    }

    pub(super) fn take(&mut self, at: Option<usize>) {
        if let Some(taken) = at.and_then(|at| self.taken.get_mut(at)) {
            *taken = true;
        }
    }

    pub(super) fn take_range(&mut self, at: usize, words: usize) {
        (at..at + words).for_each(|at| self.take(Some(at)));
    }

    /// How many free words from `at` on match the pattern: words in a row, `|` between alternatives, `?` after an optional one.
    pub(super) fn match_at(&self, at: usize, pattern: &str) -> Option<usize> {
        step();
        let mut here = at;
        for expected in pattern.split(' ') {
            let (any, optional) = expected.strip_suffix('?').map_or((expected, false), |e| (e, true));
            let fits = self.low.get(here).is_some_and(|w| !self.taken[here] && any.split('|').any(|e| e == w));
            match (fits, optional) {
                (true, _) => here += 1,
                (false, true) => {}
                (false, false) => return None,
            }
        }
        Some(here - at)
    }

    /// Whether the word says nothing about what is searched for: it is taken, or a stop word.
    pub(super) fn says_nothing(&self, at: usize) -> bool {
        step();
        self.taken[at] || words::is_stop_word(&self.low[at])
    }

    /// Whether the word only connects others. "things" does not, although it is a stop word.
    pub(super) fn is_connective(&self, at: usize) -> bool {
        step();
        let thing = ["thing", "things", "anything", "something", "everything"].contains(&self.low[at].as_str());
        words::is_stop_word(&self.low[at]) && !thing
    }

    pub(super) fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.raw.len()).filter(|at| !self.taken[*at])
    }

    pub(super) fn text(&self) -> String {
        self.spans().0
    }

    /// The free text, and the span of each free word in it.
    pub(super) fn spans(&self) -> (String, Vec<(usize, Range<usize>)>) {
        let (mut text, mut spans) = (String::new(), Vec::new());
        for at in self.free() {
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(&self.raw[at]);
            spans.push((at, start..text.len()));
        }
        (text, spans)
    }

    /// Whether a free word is left that is not a stop word.
    pub(super) fn say_something(&self) -> bool {
        self.free().any(|at| !words::is_stop_word(&self.low[at]))
    }
}

/// Numbers that people write as words.
const NUMBERS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// A number in digits or as a word.
pub(super) fn number(word: &str) -> Option<u64> {
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit is as good as the largest.
        return Some(word.parse().unwrap_or(u64::MAX));
    }
    (1..).zip(NUMBERS).find(|(_, name)| *name == word).map(|(n, _)| n)
}
