//! Misspelt words. A word that neither the index nor the catalogue nor the embedder knows is taken for the nearest one that they
//! know, and the user is told. Most questions have no such word and cost a few look-ups.

use std::cmp::Reverse;
use std::ops::Range;

use clusterlore_core::{ResourceType, words};
use clusterlore_models::Embedder;
use clusterlore_store::VectorStore;

use crate::SearchError;
use crate::understand::Surroundings;

/// Shorter words have too many neighbours.
const SHORTEST: usize = 4;
/// The same, for a part of a name that is joined by dashes.
const SHORTEST_PART: usize = 5;
/// From so many letters on two of them may be wrong.
const LONG: usize = 8;
/// Up to so many letters the first one must be right.
const SHORT: usize = 5;
/// Where nobody can tell whether a word is English, only longer ones are corrected, and only into names.
const UNSURE: usize = 6;
/// Parts of English compounds have at least so many letters.
const COMPOUND: usize = 4;

/// A word that nobody knows.
struct Unknown {
    word: String,
    span: Range<usize>,
    /// Whether it is known not to be English.
    sure: bool,
}

/// The question with its misspelt words corrected, and what was corrected.
pub(crate) async fn correct<S: VectorStore + ?Sized>(
    store: &S,
    embedder: &dyn Embedder,
    collection: &str,
    text: &str,
    around: &Surroundings<'_>,
) -> Result<(String, Vec<(String, String)>), SearchError> {
    let mut unknown = unknown(text, embedder, around);
    if unknown.is_empty() {
        return Ok((text.to_owned(), Vec::new()));
    }
    let stems: Vec<String> = unknown.iter().map(|u| words::stem(&u.word)).collect();
    let frequencies = store.frequencies(collection, &stems).await?;
    let mut frequencies = frequencies.into_iter();
    unknown.retain(|_| frequencies.next() == Some(0));
    if unknown.is_empty() {
        return Ok((text.to_owned(), Vec::new()));
    }
    let terms = store.terms(collection).await?;
    let (mut corrected, mut corrections) = (text.to_owned(), Vec::new());
    // From the end, so that the places of the others stay.
    for Unknown { word, span, sure } in unknown.into_iter().rev() {
        if let Some(meant) = nearest(&word, sure, &terms, around) {
            corrected.replace_range(span, &meant);
            corrections.push((word, meant));
        }
    }
    corrections.reverse();
    Ok((corrected, corrections))
}

/// The words of the question that neither catalogue, types nor embedder know.
fn unknown(text: &str, embedder: &dyn Embedder, around: &Surroundings<'_>) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    let mut from = 0;
    for token in text.split_whitespace() {
        let start = text[from..].find(token).map_or(from, |at| from + at);
        from = start + token.len();
        let inner = token.trim_matches(|c: char| !c.is_alphanumeric());
        // Selectors, domains and addresses are written as they are meant.
        if inner.contains(['=', '.', ':', '@', '\'', '’']) {
            continue;
        }
        let shortest = if inner.contains(['-', '_']) { SHORTEST_PART } else { SHORTEST };
        let mut part_start = start;
        for part in token.split(|c: char| !c.is_alphanumeric()) {
            let span = part_start..part_start + part.len();
            part_start = span.end + text[span.end..].chars().next().map_or(0, char::len_utf8);
            if part.len() < shortest || !part.bytes().all(|b| b.is_ascii_alphabetic()) {
                continue;
            }
            let word = part.to_lowercase();
            let is_known = |word: &str| {
                words::is_stop_word(word)
                    || around.catalogue.knows(word)
                    || around.types.iter().any(|(_, t)| t.answers_to(word))
                    || is_english(embedder, word) == Some(true)
            };
            let pieces = words::split(part);
            if !(is_known(&word) || pieces.len() > 1 && pieces.iter().all(|p| is_known(p))) {
                unknown.push(Unknown { sure: is_english(embedder, &word).is_some(), word, span });
            }
        }
    }
    unknown
}

/// Whether the word, or what its endings or parts were put on, is one that the embedder knows; `None` where it cannot tell.
pub(crate) fn is_english(embedder: &dyn Embedder, word: &str) -> Option<bool> {
    if embedder.knows(word)? {
        return Some(true);
    }
    let known = |word: &str| word.len() >= 3 && embedder.knows(word) == Some(true);
    let without = |ending: &str| {
        let Some(cut) = word.strip_suffix(ending).filter(|cut| cut.len() >= 3 && cut.is_ascii()) else { return false };
        // "postgress" is no plural.
        if ending == "s" && cut.ends_with('s') {
            return false;
        }
        let doubled = cut.as_bytes()[cut.len() - 1] == cut.as_bytes()[cut.len() - 2];
        known(cut) || known(&format!("{cut}e")) || doubled && known(&cut[..cut.len() - 1])
    };
    let with = |ending: &str| known(&format!("{word}{ending}"));
    let after =
        |beginning: &str| word.strip_prefix(beginning).is_some_and(|rest| rest.len() >= COMPOUND && known(rest));
    let compound = || {
        let cuts = COMPOUND..=word.len().saturating_sub(COMPOUND);
        word.is_ascii() && cuts.into_iter().any(|at| known(&word[..at]) && known(&words::stem(&word[at..])))
    };
    Some(
        known(&words::stem(word))
            || ["s", "es", "ing", "ed", "er", "ers", "ly", "able", "ings"].into_iter().any(without)
            || word.len() >= COMPOUND && ["s", "d", "ed", "ing"].into_iter().any(with)
            || ["un", "re", "pre", "non", "mis", "auto", "multi", "micro", "over", "sub"].into_iter().any(after)
            || compound(),
    )
}

/// Whether a word is a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    No,
    /// Of the catalogue.
    Somewhere,
    /// Of a kind or namespace of this cluster.
    Here,
}

/// A word that may have been meant; the least is the best.
type Candidate = (usize, bool, bool, bool, bool, Reverse<usize>, String);

/// The word that was most probably meant: the fewest letters wrong, then the first letter right, then one that the index holds
/// ("gannet" is here, Garnet is not), then a name, then the same number, then what more objects hold.
fn nearest(word: &str, sure: bool, terms: &[(String, usize)], around: &Surroundings<'_>) -> Option<String> {
    if !sure && word.len() < UNSURE {
        return None;
    }
    let stem = words::stem(word);
    let most = if word.len() < LONG || !sure { 1 } else { 2 };
    let frequency = |term: &str| {
        let stem = words::stem(term);
        terms.binary_search_by(|(t, _)| t.as_str().cmp(&stem)).map_or(0, |at| terms[at].1)
    };
    let mut best: Option<Candidate> = None;
    let mut consider = |candidate: &str, named: Named, frequency: &dyn Fn(&str) -> usize| {
        if candidate.len() < SHORTEST || candidate.len().abs_diff(word.len()) > most + 1 {
            return;
        }
        if !candidate.bytes().all(|b| b.is_ascii_alphabetic()) {
            return;
        }
        let other_first = candidate.as_bytes()[0].to_ascii_lowercase() != word.as_bytes()[0];
        let far = |distance: usize| distance > 1 || word.len() <= SHORT;
        let candidate = candidate.to_lowercase();
        let of = |word: &str| distance(word, &candidate, most);
        // The singular stands in the catalogue, the plural in the question.
        let (direct, singular) = (of(word), if stem == word { None } else { of(&stem) });
        let found = direct.into_iter().chain(singular).min();
        let Some(distance) = found.filter(|d| !(other_first && far(*d))) else { return };
        // "ledgerdb" is no misspelt "ledger".
        if distance > 1 && (word.starts_with(&candidate) || candidate.starts_with(word)) {
            return;
        }
        let frequency = frequency(&candidate);
        let absent = frequency == 0 && named != Named::Here;
        let this = (distance, other_first, absent, named == Named::No, direct != found, Reverse(frequency), candidate);
        if best.as_ref().is_none_or(|best| this < *best) {
            best = Some(this);
        }
    };
    around.catalogue.words().for_each(|candidate| consider(candidate, Named::Somewhere, &frequency));
    for (_, ty) in around.types {
        names(ty).for_each(|candidate| consider(candidate, Named::Here, &frequency));
    }
    for namespace in &around.vocabulary.namespaces {
        words::split(namespace).iter().for_each(|part| consider(part, Named::Here, &frequency));
        consider(namespace, Named::Here, &frequency);
    }
    if sure {
        terms.iter().for_each(|(term, n)| consider(term, Named::No, &|_| *n));
    }
    best.map(|(.., meant)| meant)
}

fn names(ty: &ResourceType) -> impl Iterator<Item = &str> {
    [&ty.kind, &ty.plural, &ty.singular].into_iter().chain(&ty.short_names).map(String::as_str)
}

/// How many letters are missing, too many, others, or swapped with their neighbour (optimal string alignment); `None` where more
/// than `most`.
pub(crate) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let other = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        if row.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|d| *d <= most)
}

#[cfg(test)]
mod tests {
    use clusterlore_models::Builtin;

    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("redis", "redis", Some(0)),
            ("redsi", "redis", Some(1)),
            ("databse", "database", Some(1)),
            ("postgress", "postgres", Some(1)),
            ("kuberntse", "kubernetes", Some(2)),
            ("cat", "dog", None),
            ("a", "abcd", None),
            ("", "ab", Some(2)),
        ] {
            assert_eq!(distance(a, b, 2), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_word_that_is_there_is_meant() {
        let types = [(
            String::new(),
            ResourceType { kind: "StatefulSet".into(), plural: "statefulsets".into(), ..ResourceType::default() },
        )];
        let vocabulary = clusterlore_store::Vocabulary {
            namespaces: ["observability", "edge"].map(Into::into).into(),
            ..Default::default()
        };
        let around = Surroundings {
            vocabulary: &vocabulary,
            types: &types,
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
        };
        let terms = [("gannet", 1), ("ledger", 9), ("lodger", 3), ("order", 4)].map(|(t, n)| (t.to_owned(), n));
        for (word, meant) in [
            // Of two the one that is here: Garnet is a cache.
            ("ganet", "gannet"),
            ("garnte", "garnet"),
            // Of two that are here the more frequent one.
            ("ldger", "ledger"),
            ("statfulsets", "statefulsets"),
            ("statfulset", "statefulset"),
            ("obsrvability", "observability"),
            ("postgress", "postgres"),
            ("ordres", "order"),
            ("ledgerdb", ""),
            ("xyzzy", ""),
        ] {
            assert_eq!(nearest(word, true, &terms, &around).unwrap_or_default(), meant, "{word}");
        }
        // Where nobody knows whether a word is English, it is corrected into names only.
        assert_eq!(nearest("gannte", true, &terms, &around).unwrap(), "gannet");
        assert_eq!(nearest("gannte", false, &terms, &around), None);
        assert_eq!(nearest("statfulset", false, &terms, &around).unwrap(), "statefulset");
    }

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
            ("statfulset", false),
            ("grafna", false),
            ("postgress", false),
        ] {
            assert_eq!(is_english(&Builtin::default(), word), Some(english), "{word}");
        }
    }
}
