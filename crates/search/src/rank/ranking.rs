//! The features of a candidate, and its score in words. The formula is in [`weights`](super::weights).

use std::collections::HashMap;

use clusterlore_catalogue::{Meaning, Software};
use clusterlore_core::words;

use super::noun::{Noun, Recognised};
use super::profile::{Place, Places, Profile};
use super::weights::{Features, NAMED, Weights};
use crate::query::ParsedQuery;
use crate::retrieve::{Bridge, Candidates, EmbeddedQuery};

/// How surely an object must be some software to count as that software.
const IS_IT: f32 = 0.3;
/// What a broader category than the named one is worth: a database if the question names relational databases.
const BROADER: f32 = 0.35;
/// What software is worth if the named category is not its main purpose.
const BESIDE: f32 = 0.75;

/// What the role of a named object adds to how surely it is meant.
const BY_ROLE: f32 = 0.04;

/// One summand of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// In words: `name: red-fox`, `meaning 0.42`, `Valkey is a key-value store`.
    pub why: String,
    /// What it adds to the score.
    pub adds: f32,
}

/// A score as the sum of its reasons.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Largest first.
    pub reasons: Vec<Reason>,
}

impl Score {
    /// The score itself, 0 to 1.
    pub fn total(&self) -> f32 {
        self.reasons.iter().map(|r| r.adds).sum()
    }
}

/// Everything that a candidate is compared with.
pub(crate) struct Ranking<'q> {
    pub(crate) query: &'q EmbeddedQuery<'q>,
    /// The types that answer the question.
    bridge: &'q Bridge,
    weights: Weights,
    /// The terms of the question, each with its share of all terms' idf.
    terms: Vec<(String, f32)>,
}

impl<'q> Ranking<'q> {
    /// Weighs the terms of the question by how many documents contain each.
    pub(crate) fn new(
        query: &'q EmbeddedQuery<'q>,
        bridge: &'q Bridge,
        weights: Weights,
        candidates: &Candidates,
    ) -> Self {
        // The embedder knows only English, so meaning says nothing about a question that could not be read in English.
        let unread = query.parsed.language.is_some() && query.parsed.english.is_none();
        let weights = if unread { Weights { meaning: 0.0, ..weights } } else { weights };
        let idf = |n: usize| (1.0 + candidates.total as f32 / (n as f32 + 1.0)).ln();
        let all = candidates.frequencies.iter().map(|(_, n)| idf(*n)).sum::<f32>().max(f32::MIN_POSITIVE);
        let terms = candidates.frequencies.iter().map(|(term, n)| (term.clone(), idf(*n) / all)).collect();
        Self { query, bridge, weights, terms }
    }

    /// The question itself.
    pub(crate) fn parsed(&self) -> &'q ParsedQuery {
        self.query.parsed
    }

    /// The features of a document; `None` if the question does not want it.
    pub(crate) fn features(&self, profile: &Profile, id: &str, type_name: &str, similarity: f32) -> Option<Features> {
        let named = self.named(id);
        // Where nothing else ranks, what holds all the words of what is not wanted is it.
        let is_called_so = self.query.parsed.scope_only && self.unwanted(profile) >= 1.0;
        if named.is_none() && (is_called_so || self.is_unwanted(profile, type_name)) {
            return None;
        }
        let places = |term: &String| profile.terms.places(term);
        let (is_instance, group, kind) = match &profile.noun {
            Noun::Instance(i) => (true, i.api_group.as_str(), i.kind.as_str()),
            Noun::Type(ty, _) => (false, ty.group.as_str(), ty.kind.as_str()),
        };
        let EmbeddedQuery { parsed, concepts, .. } = self.query;
        let of_kind = parsed.kinds.contains(type_name) || concepts.kinds.contains(&(group, kind));
        let names_kinds = !parsed.kinds.is_empty() || !concepts.kinds.is_empty();
        let role = if of_kind || !parsed.filter.types.is_empty() { 1.0 } else { profile.role };
        Some(Features {
            meaning: similarity.clamp(0.0, 1.0),
            terms: self.terms.iter().map(|(term, share)| (places(term), *share)).collect(),
            software: (!concepts.parts.is_empty()).then(|| self.software(profile, of_kind).map_or(0.0, |(_, s)| s)),
            encoded: self.query.encoded.as_ref().map(|e| e.probability(profile.cosine(&e.vector))),
            other_software: !self.is_named_software(profile),
            about: self.about(profile).map_or(0.0, |(_, nearness)| nearness),
            kind: names_kinds.then_some(if of_kind { 1.0 } else { 0.0 }),
            bridge: (is_instance && !self.bridge.types.is_empty())
                .then(|| self.bridge.types.get(type_name).copied().unwrap_or_default()),
            scope: self.scope(profile, type_name),
            // Of several objects of a name what runs comes first, unless the question asks for another kind.
            named: named.map(|sureness| {
                let role = if parsed.names_type(type_name) { 1.0 } else { profile.role };
                sureness - BY_ROLE * (1.0 - role)
            }),
            unwanted: self.unwanted(profile),
            role,
        })
    }

    /// The score in words. Its parts add up to it.
    pub(crate) fn explain(&self, profile: &Profile, type_name: &str, features: &Features) -> Score {
        let by_name = features.named.map(|n| Reason { why: "named in the question".to_owned(), adds: NAMED * n });
        if self.query.parsed.scope_only {
            let score = self.in_scope(features);
            let rest = Reason { why: "in scope".to_owned(), adds: score - by_name.as_ref().map_or(0.0, |r| r.adds) };
            return Score { reasons: by_name.into_iter().chain([rest]).collect() };
        }
        let scale = self.weights.scale(features);
        let nearness = self.weights.nearness(features);
        let why = match self.about(profile) {
            Some((software, about)) if nearness > features.meaning => {
                format!("{} matches the purpose ({about:.2})", software.title)
            }
            _ => format!("meaning {nearness:.2}"),
        };
        let mut reasons = vec![Reason { why, adds: self.weights.meaning * nearness * scale }];
        let mut add = |why: String, adds: f32| match reasons.iter_mut().find(|r| r.why == why) {
            Some(known) => known.adds += adds,
            None => reasons.push(Reason { why, adds }),
        };
        // Each field is read once, however many words of the question it contains.
        let mut looked_for: HashMap<&str, (Place, f32)> = HashMap::new();
        for ((term, _), (places, share)) in self.terms.iter().zip(&features.terms) {
            if let Some((place, worth)) = self.weights.best_place(*places) {
                looked_for.insert(term, (place, self.weights.words * worth * share * scale));
            }
        }
        for field in profile.fields() {
            if looked_for.is_empty() {
                break;
            }
            let mut adds = None;
            for term in words::terms(&field.value) {
                if looked_for.get(term.as_str()).is_some_and(|(place, _)| *place == field.place)
                    && let Some((_, worth)) = looked_for.remove(term.as_str())
                {
                    adds = Some(adds.unwrap_or(0.0) + worth);
                }
            }
            if let Some(adds) = adds {
                add(format!("{}: {}", field.called, field.value), adds);
            }
        }
        if let Some((why, sureness)) = self.software(profile, features.kind == Some(1.0)) {
            add(why, self.weights.software * sureness * scale);
        }
        if features.kind == Some(1.0) {
            add(format!("kind: {type_name}"), self.weights.kind * scale);
        }
        if let Some(bridge) = features.bridge.filter(|b| *b > 0.0) {
            add(format!("type {type_name} matches the purpose"), self.weights.bridge * bridge * scale);
        }
        if let Some(scope) = features.scope.filter(|s| *s > 0.0) {
            add(format!("in {}", self.scopes(profile, type_name)), self.weights.scope * scope * scale);
        }
        if let Some(encoded) = features.encoded {
            let adds = self.weights.encoded * encoded * self.weights.encoder_scale(features);
            add(format!("likely what is asked for ({encoded:.2})"), adds);
        }
        reasons.extend(by_name);
        reasons.sort_by(|a, b| b.adds.total_cmp(&a.adds));
        Score { reasons }
    }

    pub(crate) fn score(&self, features: &Features) -> f32 {
        if self.query.parsed.scope_only { self.in_scope(features) } else { self.weights.score(features) }
    }

    /// The score where the question has only conditions.
    fn in_scope(&self, features: &Features) -> f32 {
        let met = features.scope.unwrap_or(1.0) * features.kind.map_or(1.0, |kind| 0.5 + kind / 2.0);
        let score = features.role * (1.0 + met) / 2.0;
        features.named.map_or(score, |named| NAMED * named + (1.0 - NAMED) * score)
    }

    /// How surely the document is an object that the question names.
    fn named(&self, id: &str) -> Option<f32> {
        let named = &self.query.parsed.named;
        named.binary_search_by(|n| n.document.id.as_str().cmp(id)).ok().map(|at| named[at].sureness)
    }

    /// The share of the question's soft conditions that an object meets.
    fn scope(&self, profile: &Profile, type_name: &str) -> Option<f32> {
        let soft = &self.query.parsed.soft;
        let Noun::Instance(instance) = &profile.noun else { return None };
        let met = soft.iter().filter(|condition| condition.admits(instance, type_name)).count();
        (!soft.is_empty()).then(|| met as f32 / soft.len() as f32)
    }

    /// What the soft conditions that an object meets are called in the question.
    fn scopes(&self, profile: &Profile, type_name: &str) -> String {
        let Noun::Instance(instance) = &profile.noun else { return String::new() };
        let met = self.query.parsed.soft.iter().filter(|condition| condition.admits(instance, type_name));
        met.map(|condition| condition.said.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The share of the words of what is not wanted that a document holds.
    fn unwanted(&self, profile: &Profile) -> f32 {
        let unwanted = &self.query.concepts.unwanted_terms;
        let held = unwanted.iter().filter(|t| profile.terms.places(t).besides_namespace()).count();
        held as f32 / unwanted.len().max(1) as f32
    }

    /// Whether a document has one of these words (see [`words::terms`]) in its name or its labels.
    pub(crate) fn is_called(&self, features: &Features, called: &[String]) -> bool {
        let places = self.terms.iter().zip(&features.terms);
        let is_there = |places: Places| [Place::Name, Place::Label].into_iter().any(|place| places.contains(place));
        { places }.any(|((term, _), (places, _))| called.contains(term) && is_there(*places))
    }

    /// The share of the question's words that the document contains anywhere but in its namespace, which says little about it.
    pub(crate) fn contained(&self, features: &Features) -> f32 {
        features.terms.iter().filter(|(places, _)| places.besides_namespace()).map(|(_, share)| share).sum()
    }

    /// The score from which a hit is evidence that something matches.
    pub(crate) fn evidence(&self) -> f32 {
        match (self.query.parsed.scope_only, self.query.concepts.parts.is_empty()) {
            (true, _) => 0.0,
            (false, true) => self.weights.evidence,
            (false, false) => self.weights.evidence_named,
        }
    }

    /// What must speak for an answer, for there to be one.
    pub(crate) fn answers(&self) -> f32 {
        self.weights.answers
    }

    /// If the question names software, whether the object is that software, or a part of it.
    fn is_named_software(&self, profile: &Profile) -> bool {
        let id = |r: &Recognised| &*r.software(self.query.catalogue).id;
        let is = |software: &str| profile.recognised.iter().any(|r| id(r) == software && r.weight >= IS_IT);
        self.query.concepts.software.is_empty() || self.query.concepts.software.iter().any(|software| is(software))
    }

    /// The surest reason why the object is what the question names, and how surely it is, on average over the parts of the question.
    fn software(&self, profile: &Profile, kind_is_named: bool) -> Option<(String, f32)> {
        // A question for MariaDB's users wants what only belongs to MariaDB.
        let is_it = |r: &Recognised| if r.by_kind && !kind_is_named { profile.is_it } else { 1.0 };
        let mut best: Option<(&Recognised, Meaning<'q>, f32)> = None;
        let mut sum = 0.0;
        let mut parts = 0;
        for (meanings, times) in &self.query.concepts.parts {
            parts += times;
            let of_part = profile.recognised.iter().flat_map(|r| {
                meanings.iter().filter_map(move |m| self.fits(r, *m).map(|sureness| (r, *m, sureness * is_it(r))))
            });
            let Some(part) = of_part.max_by(|a, b| a.2.total_cmp(&b.2)) else { continue };
            sum += part.2 * *times as f32;
            if best.as_ref().is_none_or(|(_, _, s)| part.2 > *s) {
                best = Some(part);
            }
        }
        best.map(|(recognised, meaning, _)| (self.why(recognised, meaning), sum / parts as f32))
    }

    /// Of the software that the object is, the one nearest to the question, and how near.
    fn about(&self, profile: &Profile) -> Option<(&'q Software, f32)> {
        let near = |r: &Recognised| {
            let whole = if r.part_category().is_none() { 1.0 } else { BROADER };
            (r.software(self.query.catalogue), self.query.nearness.of(r.software) * r.weight * whole)
        };
        profile.recognised.iter().map(near).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// How surely the software is what a part of the question means.
    fn fits(&self, recognised: &Recognised, meaning: Meaning<'q>) -> Option<f32> {
        match meaning {
            Meaning::Software(software) if software.id == recognised.software(self.query.catalogue).id => {
                let whole = if recognised.part.is_none() { 1.0 } else { BESIDE };
                Some(recognised.weight * whole)
            }
            Meaning::Category(category) => {
                let fit = |(place, own): (usize, &&str)| {
                    if self.query.catalogue.is_a(own, &category.id) {
                        Some(if place == 0 { 1.0 } else { BESIDE })
                    } else if self.query.catalogue.is_a(&category.id, own) {
                        Some(BROADER)
                    } else {
                        None
                    }
                };
                let best = recognised
                    .categories(self.query.catalogue)
                    .iter()
                    .enumerate()
                    .filter_map(fit)
                    .max_by(f32::total_cmp)?;
                Some(recognised.weight * best)
            }
            _ => None,
        }
    }

    fn why(&self, recognised: &Recognised, meaning: Meaning<'_>) -> String {
        let title = &recognised.software(self.query.catalogue).title;
        match meaning {
            Meaning::Category(category) => format!("{title} is {}", category.id.replace('-', " ")),
            _ => format!("is {title} ({})", recognised.alias),
        }
    }

    /// Whether an object surely is what the question does not want.
    fn is_unwanted(&self, profile: &Profile, type_name: &str) -> bool {
        if let Noun::Instance(instance) = &profile.noun
            && self.query.parsed.not.iter().any(|condition| condition.admits(instance, type_name))
        {
            return true;
        }
        // A broader category is not the unwanted one: "no relational databases" leaves databases.
        // What an operator manages is of its kinds, but it is not the operator.
        let itself = self.query.concepts.unwanted_itself;
        let managed =
            |r: &Recognised| r.by_kind && (itself || r.categories(self.query.catalogue).contains(&"operator"));
        let sure = |r: &Recognised, m| !managed(r) && self.fits(r, m).is_some_and(|sureness| sureness > BROADER);
        profile.recognised.iter().any(|r| self.query.concepts.unwanted.iter().any(|m| sure(r, *m)))
    }
}
