//! Splitting text into words, once for embedding and once for the word index. Whoever changes a rule here raises
//! [`crate::document::TEXT_VERSION`], so that every index is made again from the new words. The embedder's training program follows
//! the same rules; `tools/train-embedder/words.tsv` holds both to them.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Acronyms that belong to the word before them: MongoDB, PostgreSQL, GraphQL, RabbitMQ.
const PRODUCT_ENDINGS: [&str; 4] = ["DB", "SQL", "QL", "MQ"];

/// Words that carry no meaning of their own in a question about a cluster.
const STOP_WORDS: &[&str] = &[
    "a",
    "all",
    "an",
    "and",
    "any",
    "anything",
    "are",
    "as",
    "at",
    "be",
    "been",
    "by",
    "can",
    "cluster",
    "could",
    "did",
    "do",
    "does",
    "every",
    "everything",
    "find",
    "for",
    "from",
    "get",
    "give",
    "had",
    "has",
    "have",
    "here",
    "how",
    "i",
    "in",
    "into",
    "is",
    "it",
    "its",
    "like",
    "list",
    "me",
    "my",
    "need",
    "of",
    "on",
    "one",
    "or",
    "our",
    "out",
    "please",
    "run",
    "running",
    "s",
    "show",
    "some",
    "something",
    "such",
    "t",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "things",
    "this",
    "those",
    "to",
    "up",
    "us",
    "use",
    "used",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "whose",
    "why",
    "will",
    "with",
    "would",
    "you",
    "your",
];

/// Folds white space, so that the text stands on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same, as far as it can stand in a message: what a server says may be long.
pub fn short_line(text: &str) -> String {
    one_line(text).chars().take(200).collect()
}

/// At most so many characters; what is left out shows as `…`.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some(_) => {
            let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", text[..end].trim_end()))
        }
        None => Cow::Borrowed(text),
    }
}

/// Whether the word says nothing about what is looked for.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// The words of a text, lower-cased: `PostgresCluster orders-db` gives `postgres cluster orders db`.
pub fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in runs(text) {
        split_run(run, &mut words);
    }
    words
}

/// The text as an embedder that works on words receives it.
pub fn for_embedding(text: &str) -> String {
    split(text).join(" ")
}

/// The words of a text as the word index holds them: each split word and each unsplit run, stemmed.
pub fn terms(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut terms = Vec::new();
    let mut words = Vec::new();
    for run in runs(text) {
        words.clear();
        split_run(run, &mut words);
        if words.len() > 1 {
            words.push(run.to_lowercase());
        }
        for word in &words {
            let term = stem(word);
            if seen.insert(term.clone()) {
                terms.push(term);
            }
        }
    }
    terms
}

/// Takes the plural ending off an English word: `databases` and `database`, `policies` and `policy` are one term.
/// The first step ("S1") of Harman, "How effective is suffixing?", JASIS 42 (1991), for words of four letters and more.
pub fn stem(word: &str) -> String {
    if word.len() < 4 || !word.ends_with('s') || !word.is_ascii() {
        return word.to_owned();
    }
    let cut = |n: usize| &word[..word.len() - n];
    if word.ends_with("ies") && !word.ends_with("eies") && !word.ends_with("aies") {
        format!("{}y", cut(3))
    } else if ["sses", "shes", "ches", "xes", "zes"].iter().any(|e| word.ends_with(e)) {
        cut(2).to_owned()
    } else if ["us", "ss", "is"].iter().any(|e| word.ends_with(e)) {
        word.to_owned()
    } else {
        cut(1).to_owned()
    }
}

#[cfg(debug_assertions)]
thread_local! {
    static LETTERS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many bytes this thread has split so far. Debug builds count, so that tests see how work grows without a clock.
#[cfg(debug_assertions)]
pub fn bytes_split() -> u64 {
    LETTERS.with(std::cell::Cell::get)
}

fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty())
}

fn split_run(run: &str, words: &mut Vec<String>) {
    #[cfg(debug_assertions)]
    LETTERS.with(|letters| letters.set(letters.get() + run.len() as u64));
    // Most runs are a word already.
    if run.bytes().all(|b| b.is_ascii_lowercase()) {
        words.push(run.to_owned());
        return;
    }
    let chars: Vec<char> = run.chars().collect();
    let mut start = 0;
    for at in 1..chars.len() {
        if boundary(&chars, start, at) {
            words.push(chars[start..at].iter().collect::<String>().to_lowercase());
            start = at;
        }
    }
    words.push(chars[start..].iter().collect::<String>().to_lowercase());
}

/// Whether a word ends before `chars[at]`, the word so far having begun at `start`.
fn boundary(chars: &[char], start: usize, at: usize) -> bool {
    let (before, here) = (chars[at - 1], chars[at]);
    let after = chars.get(at + 1).copied();
    if here.is_uppercase() && (before.is_lowercase() || before.is_numeric()) {
        let ending = PRODUCT_ENDINGS.contains(&acronym_at(chars, at).as_str());
        if !ending {
            return true;
        }
    }
    if here.is_uppercase() && before.is_uppercase() && after.is_some_and(char::is_lowercase) {
        let plural = after == Some('s') && at + 2 == chars.len();
        return at - start >= 2 && !plural;
    }
    if here.is_numeric() && !before.is_numeric() {
        return chars[start..at].iter().rev().take_while(|c| !c.is_numeric()).count() >= 4;
    }
    if !here.is_numeric() && before.is_numeric() {
        // Digits that stand as a word of their own, because they were cut off the word before them.
        return start > 0 && chars[start..at].iter().all(|c| c.is_numeric());
    }
    false
}

/// The run of upper-case letters at `at`, less its last letter where that one begins a word.
fn acronym_at(chars: &[char], at: usize) -> String {
    let end = chars[at..].iter().position(|c| !c.is_uppercase()).map_or(chars.len(), |n| at + n);
    let begins_a_word = chars.get(end).is_some_and(|c| c.is_lowercase());
    chars[at..if begins_a_word { end - 1 } else { end }].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("größe", 5), "größe");
        assert_eq!(cut("größer", 5), "größ…");
        assert_eq!(cut("one two", 5), "one…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn splits_as_the_training_program_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/train-embedder/words.tsv");
        let cases = std::fs::read_to_string(path).unwrap();
        let mut read = 0;
        for line in cases.lines().filter(|l| !l.starts_with("# ")) {
            let (input, expected) = line.split_once('\t').unwrap();
            assert_eq!(for_embedding(input), expected, "{input:?}");
            read += 1;
        }
        assert!(read >= 20, "only {read} cases");
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
        assert!(is_stop_word("which") && !is_stop_word("database"));
    }

    #[test]
    fn stems_plurals_only() {
        for (word, stemmed) in [
            ("databases", "database"),
            ("policies", "policy"),
            ("ingresses", "ingress"),
            ("ingress", "ingress"),
            ("redis", "redis"),
            ("status", "status"),
            ("batches", "batch"),
            ("dns", "dns"),
            ("pods", "pod"),
            ("größes", "größes"),
        ] {
            assert_eq!(stem(word), stemmed);
        }
    }

    #[test]
    fn terms_hold_both_the_parts_and_the_whole() {
        assert_eq!(terms("StatefulSet orders-db orders"), ["stateful", "set", "statefulset", "order", "db"]);
    }
}
