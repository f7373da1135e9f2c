//! Corrects misspelt words. A word that the index, the catalogue and the embedder do not know is replaced by the word that was most
//! probably meant (see [`edit_cost`](super::edit_cost)), and so is an unknown namespace or label value where a question names one.
//! Most questions have no such word and cost a few look-ups.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clusterlore_core::{Collection, ResourceType, words};
use clusterlore_models::Embedder;
use clusterlore_store::{StoreError, Terms, View};

use super::context::QueryContext;
use super::edit_cost::{SHORTEST, Typed, cost, edit_distance};
use super::english::{LONGEST, is_english};
use super::kind_words::spelt_out;
use super::language;
use crate::yardstick::step;

/// The shortest part of a dashed name that is corrected.
const SHORTEST_PART: usize = 5;
/// The most letters of a short word.
const SHORT: usize = 5;
/// The fewest letters of each of two words that were typed without a space.
const PIECE: usize = 3;
/// Words after which a namespace is expected. Any English word may follow them too.
const SCOPE: [&str; 6] = ["in", "from", "inside", "within", "namespace", "ns"];
/// From so many letters on two edits are considered.
const LONG: usize = 8;
/// The fewest letters of a word that is corrected if nobody can tell whether it is English. It is then corrected into names only.
const UNSURE: usize = 6;
/// The most different words of a question that are corrected. A question with more of them is in another language, or a log.
const MOST_WORDS: usize = 16;

/// A word of the question that may be misspelt.
struct Doubtful {
    word: String,
    span: Range<usize>,
    doubt: Doubt,
}

/// Why a word may be misspelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It is not English.
    Unknown,
    /// Nobody can tell whether it is English.
    Unsure,
    /// It could be English, because it is made of known parts ("saging", "backkend").
    Derived,
}

/// The corrected question, and each corrected word as it was typed and as it was meant.
pub(super) async fn correct(
    view: &dyn View,
    embedder: &dyn Embedder,
    collection: Collection,
    text: &str,
    context: &QueryContext<'_>,
) -> Result<(String, Vec<(String, String)>), StoreError> {
    let (corrected, mut corrections) = scopes(text, embedder, context);
    let mut doubtful = doubtful(&corrected, embedder, context);
    if doubtful.is_empty() {
        return Ok((corrected, corrections));
    }
    let stems: Vec<String> = doubtful.iter().map(|d| words::stem(&d.word)).collect();
    let frequencies = view.frequencies(collection, &stems).await?;
    let mut frequencies = frequencies.into_iter();
    doubtful.retain(|_| frequencies.next() == Some(0));
    if doubtful.is_empty() {
        return Ok((corrected, corrections));
    }
    let terms = view.terms(collection).await?;
    let mut meanings: BTreeMap<String, Option<String>> = BTreeMap::new();
    let (mut text, mut from) = (String::new(), 0);
    for Doubtful { word, span, doubt } in doubtful {
        if !meanings.contains_key(&word) {
            if meanings.len() == MOST_WORDS {
                continue;
            }
            let meant = most_probable(&word, doubt, &terms, embedder.words(), context);
            corrections.extend(meant.clone().map(|meant| (word.clone(), meant)));
            meanings.insert(word.clone(), meant);
        }
        if let Some(Some(meant)) = meanings.get(&word) {
            text.push_str(&corrected[from..span.start]);
            text.push_str(meant);
            from = span.end;
        }
    }
    text.push_str(&corrected[from..]);
    Ok((text, corrections))
}

/// The tokens of a text, each with the offset at which it begins.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    text.split_whitespace().map(move |token| {
        let start = text[from..].find(token).map_or(from, |at| from + at);
        from = start + token.len();
        (start, token)
    })
}

/// A token without the punctuation around it, and the offset of that in the token.
fn inner(token: &str) -> (usize, &str) {
    let inner = token.trim_matches(|c: char| !c.is_alphanumeric());
    (token.find(inner).unwrap_or(0), inner)
}

/// Corrects unknown namespaces and label values.
fn scopes(text: &str, embedder: &dyn Embedder, context: &QueryContext<'_>) -> (String, Vec<(String, String)>) {
    let all: Vec<(usize, String)> = tokens(text)
        .map(|(start, token)| {
            let (offset, inner) = inner(token);
            (start + offset, inner.to_owned())
        })
        .collect();
    let (mut corrected, mut corrections) = (text.to_owned(), Vec::new());
    let mut looked_at: BTreeSet<&str> = BTreeSet::new();
    for (at, (start, typed)) in all.iter().enumerate().rev() {
        let mut may_look =
            || looked_at.len() < MOST_WORDS && looked_at.insert(typed) || looked_at.contains(typed.as_str());
        let word = typed.to_lowercase();
        let is = |at: Option<usize>, any: &[&str]| {
            at.and_then(|at| all.get(at)).is_some_and(|(_, w)| any.contains(&w.to_lowercase().as_str()))
        };
        let (typed, start, meant) = if let Some((key, value)) = typed.split_once('=') {
            let Some(values) = context.vocabulary.labels.get(key).filter(|values| !values.contains(value)) else {
                continue;
            };
            if !may_look() {
                continue;
            }
            (value, start + key.len() + 1, only_neighbour(value, values.iter().map(String::as_str)))
        } else {
            let before = at.checked_sub(if is(at.checked_sub(1), &["the"]) { 2 } else { 1 });
            let namespaces = &context.vocabulary.namespaces;
            let is_cluster = context.clusters.iter().any(|(cluster, shown)| [cluster, shown].contains(&typed.as_str()));
            let known = words::is_stop_word(&word)
                || namespaces.contains(&word)
                || is_cluster
                || context.catalogue.knows(&word);
            if known || !is(before, &SCOPE) || embedder.knows(&word) == Some(true) || !may_look() {
                continue;
            }
            (typed.as_str(), *start, only_neighbour(&word, namespaces.iter().map(String::as_str)))
        };
        if let Some(meant) = meant.filter(|_| typed.len() >= SHORTEST) {
            corrected.replace_range(start..start + typed.len(), meant);
            corrections.push((typed.to_owned(), meant.to_owned()));
        }
    }
    corrections.reverse();
    (corrected, corrections)
}

/// The name that is one edit away from the word; `None` if there are several.
fn only_neighbour<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut near = names.filter(|name| edit_distance(word, name, 1).is_some() && !tells_apart(word, name));
    near.next().filter(|_| near.next().is_none())
}

/// Whether two names differ in a number or a letter that tells things apart: "shard-2" is not a misspelt "shard-1", nor "team-b" a
/// misspelt "team-a".
fn tells_apart(one: &str, other: &str) -> bool {
    let parts = |name: &str| -> Vec<String> { name.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect() };
    let digits = |name: &str| -> String { name.chars().filter(char::is_ascii_digit).collect() };
    let (ones, others) = (parts(one), parts(other));
    let short = |(a, b): (&String, &String)| a != b && a.len().min(b.len()) < SHORTEST;
    digits(one) != digits(other) || ones.len() == others.len() && ones.iter().zip(&others).any(short)
}

/// The words of the question that the catalogue, the types and the embedder do not know.
fn doubtful(text: &str, embedder: &dyn Embedder, context: &QueryContext<'_>) -> Vec<Doubtful> {
    let mut doubtful = Vec::new();
    for (start, token) in tokens(text) {
        let (_, inner) = inner(token);
        // Selectors, domains and addresses are not misspelt words.
        if inner.contains(['=', '.', ':', '@', '\'', '’']) {
            continue;
        }
        let is_cluster = || context.clusters.iter().any(|(cluster, shown)| [cluster, shown].contains(&inner));
        if context.vocabulary.namespaces.contains(&inner.to_lowercase()) || is_cluster() {
            continue;
        }
        let shortest = if inner.contains(['-', '_']) { SHORTEST_PART } else { SHORTEST };
        let mut part_start = start;
        for part in token.split(|c: char| !c.is_alphanumeric()) {
            let span = part_start..part_start + part.len();
            part_start = span.end + text[span.end..].chars().next().map_or(0, char::len_utf8);
            if part.len() < shortest || part.len() > LONGEST || !part.bytes().all(|b| b.is_ascii_alphabetic()) {
                continue;
            }
            // "PACS" is an abbreviation.
            if part.len() <= SHORT && part.bytes().all(|b| b.is_ascii_uppercase()) {
                continue;
            }
            let word = part.to_lowercase();
            let named = |word: &str| {
                words::is_stop_word(word)
                    || language::is_stop_word_anywhere(word)
                    || spelt_out(word) != word
                    || context.catalogue.knows(word)
                    || context.types.iter().any(|(_, t)| {
                        step();
                        t.answers_to(word)
                    })
                    || embedder.knows(word) == Some(true)
            };
            let pieces = words::split(part);
            let known = |piece: &String| named(piece) || is_english(embedder, piece) == Some(true);
            if named(&word) || pieces.len() > 1 && pieces.iter().all(known) {
                continue;
            }
            let doubt = match is_english(embedder, &word) {
                Some(true) => Doubt::Derived,
                Some(false) => Doubt::Unknown,
                None => Doubt::Unsure,
            };
            doubtful.push(Doubtful { word, span, doubt });
        }
    }
    doubtful
}

/// The word that was most probably meant.
fn most_probable(
    word: &str,
    doubt: Doubt,
    terms: &Terms,
    english: &[&str],
    context: &QueryContext<'_>,
) -> Option<String> {
    if doubt == Doubt::Unsure && word.len() < UNSURE {
        return None;
    }
    let typed = Typed::new(word, if word.len() < LONG || doubt != Doubt::Unknown { 1 } else { 2 });
    let mut best: Option<(f32, String)> = None;
    let mut consider = |candidate: &str, own_cost: f32, has_plural: bool| {
        step();
        let Some((edits, meant)) = typed.cost_from(candidate, has_plural) else { return };
        let cost = edits + own_cost;
        if best.as_ref().is_none_or(|(least, word)| cost < *least || cost == *least && meant < *word) {
            best = Some((cost, meant));
        }
    };
    if doubt != Doubt::Derived {
        context.catalogue.words().for_each(|candidate| consider(candidate, cost::IN_CATALOGUE, true));
    }
    for (_, ty) in context.types.iter() {
        names(ty).for_each(|candidate| consider(candidate, cost::NAME_IN_INDEX, true));
    }
    for namespace in &context.vocabulary.namespaces {
        words::split(namespace).iter().for_each(|part| consider(part, cost::NAME_IN_INDEX, true));
        consider(namespace, cost::NAME_IN_INDEX, true);
    }
    if doubt != Doubt::Unsure {
        terms.iter().for_each(|(term, objects)| consider(term, cost::in_index(objects), true));
    }
    if doubt == Doubt::Unknown {
        for (place, candidate) in english.iter().enumerate() {
            let stop_word = words::is_stop_word(candidate);
            consider(candidate, if stop_word { cost::STOP_WORD } else { cost::of_place(place) }, false);
        }
    }
    let most = match doubt {
        Doubt::Derived => cost::MOST_OF_DERIVED,
        _ if word.len() <= SHORT => cost::MOST_OF_SHORT,
        _ => cost::MOST,
    };
    let best = best.filter(|(cost, _)| *cost <= most);
    let two_words = if doubt == Doubt::Unsure { None } else { two_words(word, terms) };
    let (one, two) = (best.as_ref().map_or(f32::MAX, |b| b.0), two_words.as_ref().map_or(f32::MAX, |t| t.0));
    if two < one { two_words } else { best }.map(|(_, meant)| meant)
}

/// Two words of the index that were typed without a space: "bookingapi".
fn two_words(word: &str, terms: &Terms) -> Option<(f32, String)> {
    let cost_of = |word: &str| {
        let stem = words::stem(word);
        Some(cost::in_index(terms.documents(&stem)?))
    };
    let cuts = PIECE..=word.len().saturating_sub(PIECE);
    let both = |at: usize| {
        let (first, second) = word.split_at(at);
        Some((cost::EDIT + cost_of(first)? + cost_of(second)?, format!("{first} {second}")))
    };
    cuts.filter_map(both).min_by(|a, b| a.0.total_cmp(&b.0))
}

fn names(ty: &ResourceType) -> impl Iterator<Item = &str> {
    [&ty.kind, &ty.plural, &ty.singular].into_iter().chain(&ty.short_names).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use clusterlore_models::Builtin;

    use super::super::context::KnownTypes;
    use super::*;

    fn terms(all: &[(&str, usize)]) -> Terms {
        let mut terms = Terms::default();
        all.iter().for_each(|(term, documents)| terms.push(term, *documents));
        terms
    }

    #[test]
    fn the_most_probable_word_is_meant() {
        let types = [(
            String::new(),
            ResourceType { kind: "StatefulSet".into(), plural: "statefulsets".into(), ..ResourceType::default() },
        )];
        let vocabulary = clusterlore_store::Vocabulary {
            namespaces: ["observability", "edge"].map(Into::into).into(),
            ..Default::default()
        };
        let context = QueryContext {
            vocabulary: &vocabulary,
            clusters: &clusterlore_store::ClusterNames::default(),
            types: &KnownTypes::of(&types),
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
            is_english: &|_| false,
        };
        let terms = terms(&[("gannet", 1), ("ledger", 9), ("lodger", 3), ("order", 4)]);
        for (word, meant) in [
            // The one that is in the index: Garnet is a cache.
            ("ganet", "gannet"),
            ("garnte", "garnet"),
            // The more frequent one of two.
            ("ldger", "ledger"),
            ("statfulsets", "statefulsets"),
            ("statfulset", "statefulset"),
            ("obsrvability", "observability"),
            ("postgress", "postgres"),
            ("ordres", "orders"),
            ("ledgerdb", ""),
            ("xyzzy", ""),
        ] {
            assert_eq!(most_probable(word, Doubt::Unknown, &terms, &[], &context).unwrap_or_default(), meant, "{word}");
        }
        // If nobody knows whether a word is English, it is corrected into names only.
        assert_eq!(most_probable("gannte", Doubt::Unknown, &terms, &[], &context).unwrap(), "gannet");
        assert_eq!(most_probable("gannte", Doubt::Unsure, &terms, &[], &context), None);
        assert_eq!(most_probable("statfulset", Doubt::Unsure, &terms, &[], &context).unwrap(), "statefulset");
    }

    #[test]
    fn scopes_are_corrected_if_one_name_is_near() {
        let vocabulary = clusterlore_store::Vocabulary {
            namespaces: ["squad-heron", "staging", "zone-a", "zone-b", "shard-1", "load-a"].map(Into::into).into(),
            labels: [("tier".to_owned(), ["backend", "frontend"].map(Into::into).into())].into(),
            ..Default::default()
        };
        let context = QueryContext {
            vocabulary: &vocabulary,
            clusters: &clusterlore_store::ClusterNames::default(),
            types: &KnownTypes::of(&[]),
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
            is_english: &|_| false,
        };
        for (text, corrected) in [
            ("pods in squa-heron", "pods in squad-heron"),
            ("what runs in the saging namespace?", "what runs in the staging namespace?"),
            ("pods with tier=backned", "pods with tier=backend"),
            // The only neighbour is a different thing.
            ("pods in shard-2", "pods in shard-2"),
            ("pods in load-b", "pods in load-b"),
            // Either could be meant.
            ("pods in zone-c", "pods in zone-c"),
            // English words follow "in" as well.
            ("what makes snow in storage", "what makes snow in storage"),
            ("pods with tier=batch, team=backned", "pods with tier=batch, team=backned"),
        ] {
            assert_eq!(scopes(text, &Builtin::default(), &context).0, corrected);
        }
    }

    #[test]
    fn two_known_words_without_a_space_are_split() {
        let terms = terms(&[("api", 9), ("booking", 2)]);
        assert_eq!(two_words("bookingapi", &terms).unwrap().1, "booking api");
        assert_eq!(two_words("bookingapp", &terms), None);
    }

    #[test]
    fn common_english_words_are_more_probable() {
        let vocabulary = clusterlore_store::Vocabulary::default();
        let context = QueryContext {
            vocabulary: &vocabulary,
            clusters: &clusterlore_store::ClusterNames::default(),
            types: &KnownTypes::of(&[]),
            catalogue: clusterlore_catalogue::Catalogue::builtin(),
            now: "",
            language: None,
            is_english: &|_| false,
        };
        let english = Builtin::default().words();
        for (typed, meant) in
            [("whcih", "which"), ("emplyees", "employees"), ("shcedules", "schedules"), ("pdos", "pods")]
        {
            assert_eq!(
                most_probable(typed, Doubt::Unknown, &terms(&[]), english, &context).as_deref(),
                Some(meant),
                "{typed}"
            );
        }
    }
}
