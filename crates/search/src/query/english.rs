//! Whether a word is English, as far as the embedder's vocabulary and a few rules for endings and compounds can tell.

use clusterlore_core::words;
use clusterlore_models::{Builtin, Embedder};

/// What an ending is put on has at least so many letters: "lit" makes no "lits".
const STEM: usize = 4;
/// Endings of English words.
const ENDINGS: [&str; 22] = [
    "s", "es", "ing", "ed", "er", "ers", "or", "ors", "ly", "able", "ings", "ation", "ations", "ment", "ments", "ness",
    "less", "ize", "izes", "ized", "izer", "ful",
];
/// Prefixes of English words.
const PREFIXES: [&str; 16] = [
    "un", "in", "re", "de", "dis", "co", "pre", "non", "mis", "auto", "multi", "micro", "over", "sub", "inter", "anti",
];
/// Each part of an English compound has at least so many letters.
const COMPOUND: usize = 4;
/// No English word is longer (the longest has 45 letters), and no typo either.
pub(super) const LONGEST: usize = 64;

/// Whether the embedder knows the word, its stem or its parts; `None` if the embedder cannot tell.
pub(super) fn is_english(embedder: &dyn Embedder, word: &str) -> Option<bool> {
    if embedder.knows(word)? {
        return Some(true);
    }
    if !word.is_ascii() || word.len() > LONGEST {
        return Some(false);
    }
    let known = |word: &str| word.len() >= STEM && embedder.knows(word) == Some(true);
    let english = known(&words::stem(word)) && !hisses(word.strip_suffix('s').unwrap_or_default())
        || ENDINGS.iter().any(|ending| word.strip_suffix(ending).is_some_and(|cut| bears(cut, ending, known)))
        || lacks_ending(word, known)
        || PREFIXES
            .iter()
            .any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= COMPOUND && known(rest)))
        || (COMPOUND..=word.len().saturating_sub(COMPOUND)).any(|at| {
            let (first, second) = word.split_at(at);
            known(first) && known(&words::stem(second))
        });
    Some(english)
}

/// Whether the word is English as far as the built-in embedder knows, whichever embedder filled the index.
pub(super) fn is_word(word: &str) -> bool {
    is_english(&Builtin::default(), word) == Some(true)
}

/// "postgres" has no plural "postgress", and "watch" none without an "e".
fn hisses(word: &str) -> bool {
    ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end))
}

/// Whether English puts the ending on what is left without it: "cache" + "d", "run" + "n" + "ing", "box" + "es".
fn bears(cut: &str, ending: &str, known: impl Fn(&str) -> bool + Copy) -> bool {
    match ending {
        "s" => known(cut) && !hisses(cut),
        // "daemons" is already a plural.
        "es" => known(cut) && (hisses(cut) || cut.ends_with('o')) && !cut.strip_suffix('s').is_some_and(known),
        "ly" => known(cut),
        _ => known(cut) || known(&format!("{cut}e")) || undoubled(cut).is_some_and(known),
    }
}

/// "runn" without the consonant that "ing" doubled: a single one after a single vowel.
fn undoubled(cut: &str) -> Option<&str> {
    let vowel = |b: &u8| b"aeiou".contains(b);
    match cut.as_bytes() {
        [.., before, v, a, b] if a == b && !vowel(a) && vowel(v) && !vowel(before) => Some(&cut[..cut.len() - 1]),
        _ => None,
    }
}

/// Whether only forms with an ending are known: "expire" by "expired", but not "injecte" by "injected", which belongs to "inject".
fn lacks_ending(word: &str, known: impl Fn(&str) -> bool) -> bool {
    let Some(last) = word.chars().last() else { return false };
    let with = |ending: &str| known(&format!("{word}{ending}"));
    if last == 'e' {
        return !known(&word[..word.len() - 1]) && (with("s") || with("d"));
    }
    !"sui".contains(last) && with("s") || !with("e") && (with("ed") || with("ing"))
}

#[cfg(test)]
mod tests {
    use clusterlore_models::Builtin;

    use super::*;

    #[test]
    fn inflected_and_compound_words_are_english() {
        for (word, english) in [
            ("passwords", true),
            ("running", true),
            ("scheduled", true),
            ("chairlift", true),
            ("unused", true),
            ("expire", true),
            ("caches", true),
            ("databse", false),
            // Endings that English does not put there.
            ("trainned", false),
            ("servees", false),
            ("tabls", false),
            ("captur", false),
            ("daemonses", false),
            ("statfulset", false),
            ("grafna", false),
            ("postgress", false),
        ] {
            assert_eq!(is_english(&Builtin::default(), word), Some(english), "{word}");
        }
    }
}
