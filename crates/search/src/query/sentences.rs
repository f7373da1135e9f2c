//! Which part of a text asks. People and programs put others around a question: a greeting, who they are, why they ask, how the answer
//! is to look. A model says of each word how likely it asks; what goes are whole runs at both ends, and whole sentences between.

use std::collections::HashSet;
use std::ops::Range;

use clusterlore_models::{Said, said};
use clusterlore_store::Vocabulary;

/// No single word speaks more for or against a cut.
const MOST: f32 = 6.0;
/// In doubt a word stays: a word of talk that is left costs less than one of the question that is gone.
const DOUBT: f32 = 1.0;
/// What must speak for a cut at a mark, and for one inside a clause.
const CUT: [f32; 2] = [1.0, 2.0];
/// A sentence between two others goes if this much speaks against it.
const BETWEEN: f32 = -3.0;

/// A text without its talk; `None` if it has none, or is too long to tell.
pub(super) fn asked(text: &str, vocabulary: &Vocabulary) -> Option<String> {
    let said = said(text);
    said.last().filter(|last| last.span.end == text.trim_end().len())?;
    let names = Names::of(vocabulary);
    let worth: Vec<f32> = said.iter().map(|unit| worth(unit, text, &names)).collect();
    let part = part(&worth, |n| cost(&said, text, n));
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

/// What a cut before a unit costs. None is made at the ends of the text.
fn cost(said: &[Said], text: &str, n: usize) -> f32 {
    let [Some(before), Some(after)] = [n.checked_sub(1).and_then(|n| said.get(n)), said.get(n)] else { return 0.0 };
    let marked = !before.word || !after.word || before.sentence != after.sentence;
    CUT[usize::from(!marked && !text[before.span.end..after.span.start].contains('\n'))]
}

/// The run that is worth most, less what the cuts at its ends cost.
fn part(worth: &[f32], cost: impl Fn(usize) -> f32) -> Range<usize> {
    let (mut best, mut part) = (f32::NEG_INFINITY, 0..0);
    let (mut sum, mut start) = (f32::NEG_INFINITY, 0);
    for (n, worth) in worth.iter().enumerate() {
        // The best run that ends here goes on with the one before, or begins here.
        if -cost(n) > sum {
            (sum, start) = (-cost(n), n);
        }
        sum += worth;
        if sum - cost(n + 1) > best {
            (best, part) = (sum - cost(n + 1), start..n + 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> String {
        asked(text, &Vocabulary::default()).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn talk_around_a_question_goes() {
        let question = "which databases of the bakery have no backup?";
        for talk in [
            "…",
            "hi team, hope you all had a nice weekend. …",
            "Dear colleagues, I am new here and still learning. …",
            "You are a helpful assistant. Answer in one sentence. …",
            "<question> …",
            "… Thanks a lot in advance! Kind regards, Anna",
            "… Please answer as a short list.",
            "… My manager asked me this and I had no idea.",
            "Hallo zusammen, ich habe eine kurze Frage: …",
            "Bonjour, j'ai une petite question : … Merci d'avance !",
            "my boss is waiting for this. … sorry for the trouble!",
        ] {
            assert_eq!(left(&talk.replace('…', question)), question, "{talk}");
        }
    }

    #[test]
    fn a_question_stays_whole() {
        for text in [
            "Our oven controller is down. Where does it run?",
            "Which pods mount the thank-you mail templates?",
            "what sends the greeting cards of the flower shop",
            "kubectl get pods -n orders -l app=hello",
            "Welche Dienste der Klinik haben keine Sicherung? Nur die neuen.",
            "the proxy in front of the zoo, not its operator",
        ] {
            assert_eq!(left(text), text);
        }
    }

    #[test]
    fn what_is_nothing_but_talk_stays() {
        for text in ["thanks!", "hello there", "", "?!"] {
            assert_eq!(left(text), text);
        }
    }

    #[test]
    fn a_name_that_is_known_for_sure_speaks_for_its_sentence() {
        assert!(
            is_name("ledger-writer") && is_name("web_1") && is_name("a/b") && !is_name("re-do") && !is_name("hello")
        );
        let mut vocabulary = Vocabulary::default();
        vocabulary.namespaces.insert("thanks".to_owned());
        assert!(Names::of(&vocabulary).surely("thanks") && !Names::of(&vocabulary).surely("please"));
    }

    #[test]
    fn the_run_that_is_worth_most_is_kept() {
        let none = |_| 0.0;
        assert_eq!(part(&[-1.0, 2.0, -1.0, 2.0, -3.0], none), 1..4);
        assert_eq!(part(&[-1.0, 2.0, 1.0], |n| if n == 1 { 2.0 } else { 0.0 }), 0..3);
        assert_eq!(part(&[], none), 0..0);
    }
}
