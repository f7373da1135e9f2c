//! The score of a document: named features, each 0 to 1 and each with a weight, times the role of the document's kind.
//!
//! ```text
//! score     = role · (Σ weight · feature / Σ weights of the features that the question has + encoded · probable) / (1 + encoded)
//!
//! probable  how likely the document answers, by the encoder: the logistic function of the cosine of the question, read by a
//!           transformer, and of what the document says and the catalogue knows of it
//! meaning   cosine of question and document by the built-in embedder, 0 if negative; or, if that is more, `about` times the cosine of the question and what
//!           the object's software is for, times how surely the object is that software
//! words     Σ place · idf(term) over the terms in the document / Σ idf(term) over all terms of the question
//! software  how surely the object is the software, or of the category, that the question names
//! kind      1 if the question names the object's kind
//! bridge    how well the object's type answers the question, by what the type is for (collection `capabilities`)
//! scope     the share of the question's soft conditions ("in search") that the object meets
//! role      1 for what runs, less for what only serves it (Service, ConfigMap, RBAC); always 1 if the question names kinds
//! place     what a word is worth by where it is: 1 in name and kind
//! idf       ln(1 + N / (n + 1))       N documents in the collection, n of them with the term
//! ```
//!
//! Whether anything matches at all is for [`abstention`](super::abstention) to say.
//!
//! A term counts once, in its best place. idf is the usual inverse document frequency (Spärck Jones 1972), smoothed so that a term that
//! is in no document is rare rather than infinite. Software, kind, bridge and scope count only if the question has them.
//!
//! An object whose exact name stands in the question comes before all others, whatever its score: `named` is [`NAMED`] of what is shown,
//! and the rest is what the formula says. What the question does not want in plain words takes away up to [`UNWANTED`] of a score.

use std::collections::BTreeMap;

use super::profile::{Place, Places};

/// What of the score of a named object its name is worth.
pub(crate) const NAMED: f32 = 0.9;
/// What of a score the words of what is not wanted take away.
const UNWANTED: f32 = 0.3;

/// The weight of each feature. Chosen by `tools/evaluate`; see EVALUATION.md. That of the encoder is flat from 0.4 to 1.2 on corpora that
/// it had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Cosine of question and document.
    pub meaning: f32,
    /// Words of the question in the document.
    pub words: f32,
    /// The object is what the question names.
    pub software: f32,
    /// What the object's software is for, compared with what its own text says.
    pub about: f32,
    /// The object is of a kind that the question names.
    pub kind: f32,
    /// The object's type answers the question.
    pub bridge: f32,
    /// The object meets the question's soft conditions.
    pub scope: f32,
    /// How likely the document answers by the encoder, against all the others together.
    pub encoded: f32,
    /// What a word is worth in a label.
    pub label: f32,
    /// What a word is worth in a description.
    pub description: f32,
    /// What a word is worth in group and namespace.
    pub elsewhere: f32,
    /// The score from which a document counts, and stands in another order than that of the scores; the same for a type that answers.
    pub evidence: f32,
    /// The same if the question names software or a category.
    pub evidence_named: f32,
    /// What the sum of the signs must reach for anything to answer at all; the higher, the more questions stay unanswered.
    pub answers: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            meaning: 1.85,
            words: 0.5,
            software: 0.6,
            about: 0.9,
            kind: 0.03,
            bridge: 0.03,
            scope: 0.3,
            encoded: 0.5,
            label: 0.63,
            description: 0.63,
            elsewhere: 0.67,
            evidence: 0.18,
            evidence_named: 0.21,
            answers: 0.93,
        }
    }
}

/// The features of a candidate for a question, before any weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// 0 to 1.
    pub meaning: f32,
    /// For each term of the question its places in the document, and its share of all terms' idf.
    pub terms: Vec<(Places, f32)>,
    /// How surely it is what the question names; `None` if the question names nothing.
    pub software: Option<f32>,
    /// How likely it answers by the encoder, 0 to 1; `None` if the encoder cannot read the question.
    pub encoded: Option<f32>,
    /// The question names software, and it is none of that.
    pub other_software: bool,
    /// How near the question is to what its software is for; 0 if it is no known software.
    pub about: f32,
    /// 1 if it is of a named kind; `None` if the question names none.
    pub kind: Option<f32>,
    /// How well its type answers; `None` if no type does.
    pub bridge: Option<f32>,
    /// The share of the soft conditions that it meets; `None` if the question has none.
    pub scope: Option<f32>,
    /// How surely it is an object that the question names; `None` if its name does not stand there.
    pub named: Option<f32>,
    /// The share of the words of what is not wanted that it holds.
    pub unwanted: f32,
    /// What its kind is worth among documents that say the same.
    pub role: f32,
}

impl Features {
    /// The features by their names. What the question does not have is left out; words are told by their best place.
    pub fn by_name(&self) -> BTreeMap<&'static str, f32> {
        let mut all = BTreeMap::from([
            ("meaning", self.meaning),
            ("about", self.about),
            ("role", self.role),
            ("unwanted", self.unwanted),
            ("other software", f32::from(u8::from(self.other_software))),
        ]);
        for (name, value) in [
            ("software", self.software),
            ("kind", self.kind),
            ("bridge", self.bridge),
            ("scope", self.scope),
            ("encoded", self.encoded),
            ("named", self.named),
        ] {
            all.extend(value.map(|value| (name, value)));
        }
        for (places, share) in &self.terms {
            let best = Place::ALL.into_iter().find(|place| places.contains(*place));
            let name = match best {
                Some(Place::Name | Place::Kind) => "words in name",
                Some(Place::Label) => "words in label",
                Some(Place::Description) => "words in description",
                Some(Place::Group | Place::Namespace) => "words elsewhere",
                None => continue,
            };
            *all.entry(name).or_default() += share;
        }
        all
    }
}

impl Weights {
    /// Names of the values, in the order of [`Weights::values`].
    pub const NAMES: [&'static str; 14] = [
        "meaning",
        "words",
        "software",
        "about",
        "kind",
        "bridge",
        "scope",
        "encoded",
        "label",
        "description",
        "elsewhere",
        "evidence",
        "evidence named",
        "answers",
    ];

    /// All values in a row, for a program that chooses them.
    pub fn values(&self) -> [f32; 14] {
        let Self {
            meaning,
            words,
            software,
            about,
            kind,
            bridge,
            scope,
            encoded,
            label,
            description,
            elsewhere,
            evidence,
            evidence_named,
            answers,
        } = *self;
        [
            meaning,
            words,
            software,
            about,
            kind,
            bridge,
            scope,
            encoded,
            label,
            description,
            elsewhere,
            evidence,
            evidence_named,
            answers,
        ]
    }

    /// The inverse of [`Weights::values`].
    pub fn of(values: [f32; 14]) -> Self {
        let [
            meaning,
            words,
            software,
            about,
            kind,
            bridge,
            scope,
            encoded,
            label,
            description,
            elsewhere,
            evidence,
            evidence_named,
            answers,
        ] = values;
        Self {
            meaning,
            words,
            software,
            about,
            kind,
            bridge,
            scope,
            encoded,
            label,
            description,
            elsewhere,
            evidence,
            evidence_named,
            answers,
        }
    }

    fn worth(&self, place: Place) -> f32 {
        match place {
            Place::Name | Place::Kind => 1.0,
            Place::Label => self.label,
            Place::Description => self.description,
            Place::Group | Place::Namespace => self.elsewhere,
        }
    }

    /// The best of these places, and what a word is worth there.
    pub(crate) fn best_place(&self, places: Places) -> Option<(Place, f32)> {
        let here = Place::ALL.into_iter().filter(|place| places.contains(*place)).map(|p| (p, self.worth(p)));
        here.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    /// The share of the question's words that are in the document.
    pub fn words(&self, features: &Features) -> f32 {
        features
            .terms
            .iter()
            .map(|(places, share)| self.best_place(*places).map_or(0.0, |(_, worth)| worth * share))
            .sum()
    }

    /// How near the question is to the document's text, or to what its software is for if that is nearer.
    pub(crate) fn nearness(&self, features: &Features) -> f32 {
        features.meaning.max(self.about * features.about)
    }

    /// The factor from a weighted feature to what it adds to the score.
    pub(crate) fn scale(&self, features: &Features) -> f32 {
        let of = |feature: Option<f32>, weight: f32| if feature.is_some() { weight } else { 0.0 };
        let all = self.meaning
            + self.words
            + of(features.software, self.software)
            + of(features.kind, self.kind)
            + of(features.bridge, self.bridge)
            + of(features.scope, self.scope);
        self.encoder_scale(features) / all.max(f32::MIN_POSITIVE)
    }

    /// The same for the encoder's probability.
    pub(crate) fn encoder_scale(&self, features: &Features) -> f32 {
        let named = if features.named.is_some() { 1.0 - NAMED } else { 1.0 };
        let encoded = if features.encoded.is_some() { self.encoded } else { 0.0 };
        named * features.role * (1.0 - UNWANTED * features.unwanted) / (1.0 + encoded)
    }

    /// The score.
    pub fn score(&self, features: &Features) -> f32 {
        let sum = self.meaning * self.nearness(features)
            + self.words * self.words(features)
            + self.software * features.software.unwrap_or(0.0)
            + self.kind * features.kind.unwrap_or(0.0)
            + self.bridge * features.bridge.unwrap_or(0.0)
            + self.scope * features.scope.unwrap_or(0.0);
        sum * self.scale(features)
            + self.encoded * features.encoded.unwrap_or(0.0) * self.encoder_scale(features)
            + NAMED * features.named.unwrap_or(0.0)
    }
}
