//! What a question is about, where, and under which conditions: as the search reads it, found again in its words.

use std::collections::BTreeSet;
use std::ops::Range;

use clusterlore_catalogue::{Catalogue, Meaning};
use clusterlore_core::{ResourceType, words};
use clusterlore_search::{Clauses, Note, ParsedQuery, Problem};

use super::phrases::{Phrases, Text, has};
use crate::things::says_at_most;

/// A question in its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) text: Text,
    /// Where things are, with the words around: "in the namespace shop".
    pub(super) places: Vec<Range<usize>>,
    /// The same without them: "shop".
    pub(super) place_names: Vec<Range<usize>>,
    /// What it is about.
    pub(super) things: Vec<Range<usize>>,
    /// What only the cluster knows of it, and what it is not to be.
    pub(super) states: Vec<Range<usize>>,
    /// Whether it says a place that there is not.
    pub(super) unknown_place: bool,
    /// Whether it names an object.
    pub(super) names: bool,
    /// Whether it has a condition that is no place: a state, an age, an order, a group, something that is not wanted.
    pub(super) narrows: bool,
    /// Whether it asks for a state, or for another thing that only the cluster knows.
    pub(super) of_state: bool,
    /// Whether it asks how many.
    pub(super) counts: bool,
    /// Whether the catalogue knows what it is about.
    pub(super) known: bool,
}

impl Facts {
    pub(super) fn of(
        text: &str,
        parsed: &ParsedQuery,
        phrases: &Phrases,
        catalogue: &Catalogue,
        types: &[(String, ResourceType)],
    ) -> Self {
        let text = Text::new(text);
        let (places, place_names) = places(&text, parsed, phrases);
        let taken =
            |at: &Range<usize>, all: &[Range<usize>]| all.iter().any(|one| one.start < at.end && at.start < one.end);
        let not_wanted: BTreeSet<String> =
            words::split(&parsed.unwanted).into_iter().filter(|w| !words::is_stop_word(w)).collect();
        let mut states: Vec<Range<usize>> = Vec::new();
        for need in &parsed.needs {
            let said = Text::new(&need.said);
            let said: Vec<&str> = said.words.iter().map(|(word, _)| word.as_str()).collect();
            let found = (0..text.words.len()).find_map(|word| text.at(word, &said.join(" ")));
            states.extend(found.filter(|at| !taken(at, &places)));
        }
        let unwanted = |word: &str| words::split(word).iter().any(|part| not_wanted.contains(part));
        states.extend(text.words.iter().filter(|(word, _)| unwanted(word)).map(|(_, at)| at.clone()));
        if parsed.clauses.order.is_some() {
            states.extend(text.find(&phrases.orders).map(|(_, at)| at).filter(|at| !taken(at, &places)));
        }
        let is_asked = |ty: &ResourceType| {
            let name = ty.name();
            parsed.filter.types.contains(&name) || parsed.kinds.contains(&name)
        };
        let known: Vec<Range<usize>> = catalogue
            .asked(&text.text)
            .into_iter()
            .filter(|asked| match asked.meaning {
                Meaning::Kind(kind) => {
                    types.iter().any(|(_, ty)| ty.kind == kind.kind && ty.group == kind.group && is_asked(ty))
                }
                _ => true,
            })
            .map(|asked| asked.span)
            .filter(|at| !taken(at, &places) && !taken(at, &states))
            .collect();
        let free: BTreeSet<String> = words::split(&parsed.text).into_iter().collect();
        let corrected = |word: &str| parsed.corrections().any(|(typed, _)| typed.to_lowercase() == word);
        let named: Vec<String> = parsed
            .named
            .iter()
            .filter_map(|named| named.document.id.rsplit('/').next().map(str::to_lowercase))
            .collect();
        let names = parsed.named.iter().any(|named| !named.document.id.contains("/v1/Namespace/"));
        let is_thing = |word: &str, at: &Range<usize>| {
            if taken(at, &known)
                || names && named.iter().any(|name| word == name || word.ends_with(&format!("/{name}")))
            {
                return true;
            }
            let is_kind = || types.iter().any(|(_, ty)| ty.answers_to(word) && is_asked(ty));
            let idle = words::is_stop_word(word)
                || [&phrases.asks, &phrases.idle, &phrases.articles, &phrases.ones].iter().any(|list| has(list, word))
                || says_at_most(catalogue, word, 0);
            let is_free = || words::split(word).iter().any(|part| free.contains(part)) || corrected(word);
            !idle && is_free() || is_kind()
        };
        let free_words = text.words.iter().filter(|(_, at)| !taken(at, &places) && !taken(at, &states));
        let mut things: Vec<Range<usize>> =
            free_words.filter(|(word, at)| is_thing(word, at)).map(|(_, at)| at.clone()).collect();
        if things.is_empty() && !text.text.is_ascii() {
            // Words that do not stand apart.
            let parts = parsed.text.split_whitespace().filter(|word| !says_at_most(catalogue, word, 0));
            things.extend(known.iter().cloned());
            things.extend(parts.filter_map(|word| text.text.find(word).map(|at| at..at + word.len())));
            things.retain(|at| !taken(at, &places));
            things.sort_by_key(|at| (at.start, at.end));
            things.dedup_by(|later, first| later.start < first.end);
        }
        let no_place = |note: &Note| matches!(note, Note::Unknown(_));
        let no_scope = matches!(parsed.problem, Some(Problem::NoSuchScope(_) | Problem::NoSuchNamespace(_)));
        let others = Clauses { count: false, ..parsed.clauses.clone() };
        Self {
            narrows: !parsed.needs.is_empty() || others != Clauses::default() || !parsed.unwanted.is_empty(),
            unknown_place: no_scope || parsed.notes.iter().any(no_place),
            of_state: !parsed.needs.is_empty(),
            counts: parsed.clauses.count,
            known: !known.is_empty(),
            text,
            places,
            place_names,
            things,
            states,
            names,
        }
    }

    /// The same, where all of it says where something is, though nothing there is called so.
    pub(super) fn taken_as_place(self) -> Self {
        let whole = 0..self.text.text.len();
        Self { places: vec![whole], things: Vec::new(), unknown_place: true, ..self }
    }

    /// Whether it says where something is.
    pub(super) fn has_place(&self) -> bool {
        !self.places.is_empty()
    }

    /// Whether it says what it is about.
    pub(super) fn has_thing(&self) -> bool {
        !self.things.is_empty()
    }

    /// Whether it says nothing that could be taken over or answered.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_place() && !self.has_thing() && !self.narrows && !self.counts
    }

    /// Where it says that things are, in its own words.
    pub(super) fn place(&self) -> String {
        self.places.iter().map(|at| &self.text.text[at.clone()]).collect::<Vec<_>>().join(" ")
    }

    /// What it is about as one part of it, if no condition stands between.
    pub(super) fn thing(&self) -> Option<Range<usize>> {
        let (first, last) = (self.things.first()?.clone(), self.things.last()?.clone());
        let between = first.start..last.end;
        let covers = |at: &Range<usize>| {
            self.things.contains(at) || words::is_stop_word(&self.text.text[at.clone()].to_lowercase())
        };
        let (from, to) = self.text.word_at(&between);
        let whole = self.text.words[from..to].iter().all(|(_, at)| covers(at));
        (whole || self.things.len() == 1).then_some(between)
    }
}

/// The places that the search found, in the words of the question.
fn places(text: &Text, parsed: &ParsedQuery, phrases: &Phrases) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let names = parsed.notes.iter().filter_map(|note| match note {
        Note::Namespace(name) => Some(name.clone()),
        _ => None,
    });
    let said = parsed.places.iter().flat_map(|said| said.split(", ").map(str::to_owned).collect::<Vec<_>>());
    let mut found: Vec<Range<usize>> = Vec::new();
    for name in said.chain(names) {
        let low = Text::new(&name).words.into_iter().map(|(word, _)| word).collect::<Vec<_>>().join(" ");
        if low.is_empty() {
            continue;
        }
        let own = |word: &str| word == low || word.strip_suffix("'s") == Some(&low);
        let at = (0..text.words.len()).find_map(|word| {
            let alone = own(text.word(Some(word))).then(|| text.words[word].1.clone());
            text.at(word, &low).or(alone)
        });
        // Words that do not stand apart.
        let name = name.trim();
        let inside = || text.text.find(name).filter(|_| !text.is_spaced()).map(|at| at..at + name.len());
        let at = at.or_else(inside);
        if let Some(at) = at.filter(|at| !found.iter().any(|known| known.start < at.end && at.start < known.end)) {
            found.push(at);
        }
    }
    found.sort_by_key(|at| at.start);
    let wide = |at: &Range<usize>| {
        let (mut first, mut after) = text.word_at(at);
        while first > 0 && has(&phrases.inside, text.word(Some(first - 1))) {
            first -= 1;
        }
        while after < text.words.len() && has(&phrases.places, text.word(Some(after))) {
            after += 1;
        }
        // What is one word with others keeps to itself.
        let start = text.words.get(first).map_or(at.start, |(_, word)| word.start.min(at.start));
        let end = text.words.get(after.saturating_sub(1)).map_or(at.end, |(_, word)| word.end.max(at.end));
        if text.is_spaced() { start..end } else { around(&text.text, at, phrases) }
    };
    let mut joined: Vec<Range<usize>> = Vec::new();
    for at in found.iter().map(wide) {
        match joined.last_mut() {
            Some(last)
                if ["", "and", "or", "und", "oder", "et", "ou", "y", "o", "e"]
                    .contains(&text.text[last.end.min(at.start)..at.start].trim_matches([' ', ','])) =>
            {
                last.end = at.end.max(last.end);
            }
            _ => joined.push(at),
        }
    }
    (joined, found)
}

/// The words beside the name of a place, where words do not stand apart.
fn around(text: &str, at: &Range<usize>, phrases: &Phrases) -> Range<usize> {
    let before = text[..at.start].trim_end();
    let start = phrases.inside.iter().filter_map(|word| before.strip_suffix(word.as_str())).map(str::len).min();
    let after = text[at.end..].trim_start();
    let space = text.len() - at.end - after.len();
    let end = phrases.places.iter().filter(|word| after.starts_with(word.as_str())).map(|word| word.len()).max();
    start.unwrap_or(at.start)..end.map_or(at.end, |end| at.end + space + end)
}
