//! Patterns of words, as `core/data/conditions.toml` writes them, read once: words in a row; `|` between alternatives, `?` after what may
//! be missing, `…` for a few words, `!` before what must not stand there, `^` where a clause begins, `$` where one ends, `#` for a number,
//! `#.#` for a version, `*` for the rest of a word.

use super::tokens::{Tokens, number};

/// The most words that `…` stands for.
const GAP: usize = 6;

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As it is written.
    pub(super) text: &'static str,
    begins: bool,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    /// A few words, or none.
    Gap,
    /// Not one of these.
    Not(Vec<Word>),
    /// One of these, or the end of a clause if it `ends`.
    Any { words: Vec<Word>, ends: bool, optional: bool },
}

#[derive(Debug)]
enum Word {
    Number,
    Version,
    Ending(&'static str),
    Beginning(&'static str),
    Whole(&'static str),
}

impl Word {
    fn of(text: &'static str) -> Self {
        match text {
            "#" => Self::Number,
            "#.#" => Self::Version,
            _ => match (text.strip_prefix('*'), text.strip_suffix('*')) {
                (Some(end), _) => Self::Ending(end),
                (_, Some(start)) => Self::Beginning(start),
                _ => Self::Whole(text),
            },
        }
    }

    fn is(&self, word: &str) -> bool {
        match self {
            Self::Number => number(word).is_some(),
            Self::Version => is_version(word),
            Self::Ending(end) => word.len() > end.len() + 2 && word.ends_with(end),
            Self::Beginning(start) => word.starts_with(start),
            Self::Whole(whole) => *whole == word,
        }
    }
}

/// Whether a word is a version: `1.27`, `v2.0.1`.
pub(super) fn is_version(word: &str) -> bool {
    word.contains('.') && word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit())
}

impl Part {
    fn of(text: &'static str) -> Self {
        let words = |text: &'static str| text.split('|').map(Word::of).collect();
        if text == "…" {
            return Self::Gap;
        }
        if let Some(none) = text.strip_prefix('!') {
            return Self::Not(words(none));
        }
        let (any, optional) = text.strip_suffix('?').map_or((text, false), |any| (any, true));
        Self::Any { words: words(any), ends: any.split('|').any(|word| word == "$"), optional }
    }
}

impl Pattern {
    pub(super) fn of(text: &'static str) -> Self {
        let (words, begins) = text.strip_prefix('^').map_or((text, false), |rest| (rest, true));
        Self { text, begins, parts: words.split(' ').map(Part::of).collect() }
    }

    /// Where it ends, if it begins at a word.
    pub(super) fn fits(&self, tokens: &Tokens, at: usize) -> Option<usize> {
        if self.begins && !tokens.begins(at) {
            return None;
        }
        rest_fits(tokens, at, at, &self.parts)
    }
}

fn rest_fits(tokens: &Tokens, start: usize, here: usize, parts: &[Part]) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(here) };
    let near = here == start || !tokens.ends[here - 1];
    match part {
        Part::Gap => (0..=GAP)
            .take_while(|n| {
                here + n <= tokens.low.len() && (here..here + n).all(|at| at == start || !tokens.ends[at - 1])
            })
            .find_map(|n| rest_fits(tokens, start, here + n, rest)),
        Part::Not(none) => {
            // Before a match it is about the word before, within one about the next.
            let word = if here == start { here.checked_sub(1).filter(|n| !tokens.ends[*n]) } else { Some(here) };
            let stands = word.and_then(|n| tokens.low.get(n)).is_some_and(|word| none.iter().any(|w| w.is(word)));
            if stands { None } else { rest_fits(tokens, start, here, rest) }
        }
        Part::Any { words, ends, optional } => {
            if *ends && (here == tokens.low.len() || here > start && tokens.ends[here - 1]) {
                return Some(here);
            }
            let stands = near && tokens.low.get(here).is_some_and(|word| words.iter().any(|w| w.is(word)));
            if stands && let Some(end) = rest_fits(tokens, start, here + 1, rest) {
                return Some(end);
            }
            if *optional { rest_fits(tokens, start, here, rest) } else { None }
        }
    }
}
