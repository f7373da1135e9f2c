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
    /// Whether punctuation ends a clause after the word.
    pub(super) ends: Vec<bool>,
    /// Whether the word stands in quotes or backticks of its own.
    pub(super) quoted: Vec<bool>,
    /// Where in the text it stands, with the punctuation around it.
    pub(super) spans: Vec<Range<usize>>,
}

/// Marks that end a clause.
const ENDS: &str = ",;:.?!()[]{}|…—–。，；：？！、";
/// Marks that a name is put between.
const QUOTES: &str = "`\"'«»„“”";

impl Tokens {
    pub(super) fn new(text: &str) -> Self {
        let mut tokens = Self { raw: vec![], low: vec![], taken: vec![], ends: vec![], quoted: vec![], spans: vec![] };
        let mut read = 0;
        for piece in text.split_whitespace() {
            let at = text[read..].find(piece).unwrap_or(0) + read;
            read = at + piece.len();
            let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
            if word.is_empty() {
                // "-n" between words is a flag; a dash that stands alone ends a clause.
                tokens.end();
                continue;
            }
            let start = piece.find(word).unwrap_or(0);
            let (before, after) = (&piece[..start], &piece[start + word.len()..]);
            if before.contains(|c| ENDS.contains(c)) {
                tokens.end();
            }
            // A minus in front of a digit belongs to the number.
            let negative = before.ends_with('-') && word.starts_with(|c: char| c.is_ascii_digit());
            let raw = if negative { format!("-{word}") } else { word.to_owned() };
            let low = raw.to_lowercase();
            let quote = |c: Option<char>| c.is_some_and(|c| QUOTES.contains(c));
            tokens.raw.push(raw);
            tokens.low.push(low.strip_suffix("'s").unwrap_or(&low).to_owned());
            tokens.taken.push(false);
            tokens.spans.push(at..read);
            tokens.ends.push(after.contains(|c| ENDS.contains(c)));
            tokens.quoted.push(quote(before.chars().last()) && quote(after.chars().next()));
        }
        tokens
    }

    /// A clause ends after what was read so far.
    fn end(&mut self) {
        self.ends.last_mut().into_iter().for_each(|ends| *ends = true);
    }

    pub(super) fn is(&self, at: Option<usize>, any: &[&str]) -> bool {
        at.and_then(|at| self.low.get(at)).is_some_and(|w| any.contains(&w.as_str()))
    }

    pub(super) fn take(&mut self, at: Option<usize>) {
        if let Some(taken) = at.and_then(|at| self.taken.get_mut(at)) {
            *taken = true;
        }
    }

    /// Whether a clause ends before the word.
    pub(super) fn begins(&self, at: usize) -> bool {
        at == 0 || self.ends[at - 1]
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
            // A pattern does not go on behind a comma.
            let near = here == at || !self.ends[here - 1];
            let fits = near && self.low.get(here).is_some_and(|w| !self.taken[here] && any.split('|').any(|e| e == w));
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
        self.free_spans().0
    }

    /// The free text, and the span of each free word in it.
    pub(super) fn free_spans(&self) -> (String, Vec<(usize, Range<usize>)>) {
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
const NUMBERS: [(&str, u64); 20] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("ninety", 90),
    ("hundred", 100),
];

/// A number in digits or as a word.
pub(super) fn number(word: &str) -> Option<u64> {
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit is as good as the largest.
        return Some(word.parse().unwrap_or(u64::MAX));
    }
    NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}
