//! The score of a hit: named features, each 0 to 1, each with a weight, and the role of the kind over all of them.
//!
//! ```text
//! score     = role · Σ weight · feature / Σ weights of the features that the question has
//!
//! meaning   cosine of question and document, 0 where it is negative; or, where that is more, `about` times the cosine of the
//!           question and what the software is for that the object is, times how surely it is that
//! words     Σ place · idf(term) over the terms that the document holds / Σ idf(term) over all terms
//! software  how surely the object is the software, or of the category, that the question names
//! kind      1 where the question names the object's kind
//! bridge    how well the object's type answers the question, by what the type is for (collection `capabilities`)
//! role      1 for what runs, less for what only serves it (Service, ConfigMap, RBAC); 1 throughout where kinds were asked for
//! place     what a word is worth where it stands: 1 in name and kind
//! idf       ln(1 + N / (n + 1))       N documents in the collection, n of them with the term
//! ```
//!
//! **Nothing** fits where no score reaches `evidence`, after half of the eleventh best was taken off: an answer stands out. Documents that
//! say the same are one answer in this, or a thousand replicas would be a crowd to each other. Where the question names software, only
//! what is that software fits: a high cosine is no evidence (there is Grafana, but no Prometheus). A document that holds nearly all of
//! the question's words, wherever they stand, is evidence by itself.
//!
//! A term counts once, in its best place. idf is the usual inverse document frequency (Spärck Jones 1972), smoothed so that a
//! term that no document holds is rare rather than infinite. Software, kind and bridge count only where the question has them.

use crate::profile::{Place, Places};

/// What each feature weighs. Chosen by `tools/evaluate`; see EVALUATION.md.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Cosine of question and document.
    pub meaning: f32,
    /// Words that the document holds.
    pub words: f32,
    /// It is what was asked for.
    pub software: f32,
    /// What is known of the software that the object is, against what its own text says.
    pub about: f32,
    /// It is of a kind that the question names.
    pub kind: f32,
    /// Its type is for what was asked.
    pub bridge: f32,
    /// What a word is worth in a label.
    pub label: f32,
    /// What a word is worth in a description.
    pub description: f32,
    /// What a word is worth in group and namespace.
    pub elsewhere: f32,
    /// From which score, less half of the eleventh best, the best hit is evidence that something fits.
    pub evidence: f32,
    /// The same where the question names software or a category.
    pub evidence_named: f32,
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
            label: 0.63,
            description: 0.63,
            elsewhere: 0.67,
            evidence: 0.18,
            evidence_named: 0.21,
        }
    }
}

/// A candidate with regard to a question, before any weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// 0 to 1.
    pub meaning: f32,
    /// For each term of the question where it stands, and its share of all terms' idf.
    pub terms: Vec<(Places, f32)>,
    /// How surely it is what was asked for; `None` where the question names nothing.
    pub software: Option<f32>,
    /// How near the question is to what its software is for; 0 where it is no known software.
    pub about: f32,
    /// 1 where it is of a named kind; `None` where the question names none.
    pub kind: Option<f32>,
    /// How well its type answers; `None` where no type does.
    pub bridge: Option<f32>,
    /// What its kind is worth beside others that say the same.
    pub role: f32,
}

impl Weights {
    /// Names of the values, in the order of [`Weights::values`].
    pub const NAMES: [&'static str; 11] = [
        "meaning",
        "words",
        "software",
        "about",
        "kind",
        "bridge",
        "label",
        "description",
        "elsewhere",
        "evidence",
        "evidence named",
    ];

    /// All values in a row, for a program that chooses them.
    pub fn values(&self) -> [f32; 11] {
        let Self {
            meaning,
            words,
            software,
            about,
            kind,
            bridge,
            label,
            description,
            elsewhere,
            evidence,
            evidence_named,
        } = *self;
        [meaning, words, software, about, kind, bridge, label, description, elsewhere, evidence, evidence_named]
    }

    /// The inverse of [`Weights::values`].
    pub fn of(values: [f32; 11]) -> Self {
        let [meaning, words, software, about, kind, bridge, label, description, elsewhere, evidence, evidence_named] =
            values;
        Self { meaning, words, software, about, kind, bridge, label, description, elsewhere, evidence, evidence_named }
    }

    fn worth(&self, place: Place) -> f32 {
        match place {
            Place::Name | Place::Kind => 1.0,
            Place::Label => self.label,
            Place::Description => self.description,
            Place::Group | Place::Namespace => self.elsewhere,
        }
    }

    /// What a word is worth where it stands best, with that place.
    pub(crate) fn best_place(&self, places: Places) -> Option<(Place, f32)> {
        let here = Place::ALL.into_iter().filter(|place| places.contains(*place)).map(|p| (p, self.worth(p)));
        here.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    /// The share of the question's words that the document holds.
    pub fn words(&self, features: &Features) -> f32 {
        features
            .terms
            .iter()
            .map(|(places, share)| self.best_place(*places).map_or(0.0, |(_, worth)| worth * share))
            .sum()
    }

    /// How near the document is by its text, or the software that it is by what that is for.
    pub(crate) fn nearness(&self, features: &Features) -> f32 {
        features.meaning.max(self.about * features.about)
    }

    /// What turns a weighted feature into what it adds to the score.
    pub(crate) fn scale(&self, features: &Features) -> f32 {
        let of = |feature: Option<f32>, weight: f32| if feature.is_some() { weight } else { 0.0 };
        let all = self.meaning
            + self.words
            + of(features.software, self.software)
            + of(features.kind, self.kind)
            + of(features.bridge, self.bridge);
        features.role / all.max(f32::MIN_POSITIVE)
    }

    /// The score.
    pub fn score(&self, features: &Features) -> f32 {
        let sum = self.meaning * self.nearness(features)
            + self.words * self.words(features)
            + self.software * features.software.unwrap_or(0.0)
            + self.kind * features.kind.unwrap_or(0.0)
            + self.bridge * features.bridge.unwrap_or(0.0);
        sum * self.scale(features)
    }
}
