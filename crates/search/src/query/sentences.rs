//! Which part of a text asks. People and programs put others around a question: a greeting, who they are, why they ask, how the answer
//! is to look. A model says of each word how likely it asks; what goes are whole runs at both ends, and whole sentences between.

use std::collections::HashSet;
use std::ops::Range;

use clusterlore_models::{Said, said};
use clusterlore_store::Vocabulary;

/// No single word speaks more for or against a cut.
const MOST: f32 = 6.0;
/// In doubt a word stays: a word of talk that is left costs less than one of the question that is gone.
const DOUBT: f32 = 0.5;
/// A sentence between two others goes if this much speaks against it.
const BETWEEN: f32 = -3.0;

/// A text without its talk; `None` if it has none.
pub(super) fn asked(text: &str, vocabulary: &Vocabulary) -> Option<String> {
    let said = said(text);
    let names = Names::of(vocabulary);
    let worth: Vec<f32> = said.iter().map(|unit| worth(unit, text, &names)).collect();
    let part = most(&worth);
    let goes = |n: usize| {
        let sentence = || said.iter().enumerate().filter(|(_, unit)| unit.sentence == said[n].sentence);
        !part.contains(&n)
            || sentence().all(|(n, _)| part.contains(&n)) && sentence().map(|(n, _)| worth[n]).sum::<f32>() < BETWEEN
    };
    let goes: Vec<bool> = (0..said.len()).map(goes).collect();
    let words = |gone: bool| said.iter().zip(&goes).any(|(unit, goes)| unit.word && *goes == gone);
    if !words(true) || !words(false) {
        return None;
    }
    let kept: Vec<usize> = (0..said.len()).filter(|n| !goes[*n]).collect();
    let runs = kept.chunk_by(|a, b| a + 1 == *b);
    let run = |run: &[usize]| Some(&text[said[*run.first()?].span.start..said[*run.last()?].span.end]);
    Some(runs.filter_map(run).collect::<Vec<_>>().join(" "))
}

/// How much speaks for a word to be part of the question.
fn worth(unit: &Said, text: &str, names: &Names) -> f32 {
    let sure = unit.word && names.surely(&text[unit.span.clone()].to_lowercase());
    unit.asks.clamp(-MOST, MOST) + DOUBT + if sure { MOST } else { 0.0 }
}

/// The run with the largest sum.
fn most(worth: &[f32]) -> Range<usize> {
    let (mut best, mut part) = (f32::NEG_INFINITY, 0..0);
    let (mut sum, mut start) = (0.0, 0);
    for (n, worth) in worth.iter().enumerate() {
        if sum <= 0.0 {
            (sum, start) = (0.0, n);
        }
        sum += worth;
        if sum > best {
            (best, part) = (sum, start..n + 1);
        }
    }
    part
}

/// Names that an index knows.
struct Names(HashSet<String>);

impl Names {
    /// Of namespaces, and values of labels.
    fn of(vocabulary: &Vocabulary) -> Self {
        let Vocabulary { namespaces, labels, .. } = vocabulary;
        Self(namespaces.iter().chain(labels.values().flatten()).map(|name| name.to_lowercase()).collect())
    }

    /// Whether a word is such a name, or written as names of objects are.
    fn surely(&self, word: &str) -> bool {
        is_name(word) || self.0.contains(word)
    }
}

/// Whether a word is written as names of objects are, and words of a language are not.
fn is_name(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let digit = word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic());
    digit
        || word.contains('_')
        || word.split('/').filter(|part| !part.is_empty()).count() > 1
        || parts.len() > 2
        || parts.len() == 2 && parts.iter().all(|part| part.len() > 3)
}
