//! The score of a hit:
//!
//! ```text
//! score   = 0.6 · meaning + 0.4 · words                                        both 0 to 1
//! meaning = cosine of question and document, 0 where it is negative
//! words   = Σ weight(field) · idf(term) over the question's terms that the document holds
//!           ─────────────────────────────────────────────────────────────────────────────
//!           Σ idf(term) over all terms of the question
//! idf     = ln(1 + N / (n + 1))       N documents in the collection, n of them with the term
//! ```
//!
//! A term counts once, in its best field. idf is the usual inverse document frequency (Spärck Jones 1972), smoothed so that a
//! term that no document holds is rare rather than infinite.

use std::collections::BTreeSet;

use clusterlore_core::words;

use crate::Noun;

/// What meaning contributes.
pub const MEANING_WEIGHT: f32 = 0.6;
/// What words contribute.
pub const WORDS_WEIGHT: f32 = 0.4;

/// A term of the question found in a document.
#[derive(Debug, Clone, PartialEq)]
pub struct WordMatch {
    /// Where: `name`, `kind`, `label`, `namespace`, `description`, `group`.
    pub field: &'static str,
    /// What the document has there.
    pub value: String,
    /// Share of the words' part, 0 to 1.
    pub share: f32,
}

/// Why a document stands where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Cosine, 0 to 1.
    pub meaning: f32,
    /// Matched terms; their shares add up to the words' part.
    pub words: Vec<WordMatch>,
}

impl Score {
    /// The words' part, 0 to 1.
    pub fn words_part(&self) -> f32 {
        self.words.iter().map(|w| w.share).sum()
    }

    /// What the ranking goes by, 0 to 1.
    pub fn total(&self) -> f32 {
        MEANING_WEIGHT * self.meaning + WORDS_WEIGHT * self.words_part()
    }

    /// The reasons, in words.
    pub fn reasons(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut reasons: Vec<String> = self
            .words
            .iter()
            .map(|w| format!("{}: {}", w.field, w.value))
            .filter(|reason| seen.insert(reason.clone()))
            .collect();
        reasons.push(format!("meaning {:.2}", self.meaning));
        reasons
    }
}

/// One question's terms with their weights.
pub(crate) struct Ranking {
    terms: Vec<(String, f32)>,
    all: f32,
}

struct Field {
    name: &'static str,
    weight: f32,
    value: String,
    terms: Vec<String>,
}

impl Field {
    fn new(name: &'static str, weight: f32, value: &str) -> Self {
        Self { name, weight, value: words::one_line(value), terms: words::terms(value) }
    }
}

impl Ranking {
    pub(crate) fn new(terms: &[String], frequencies: &[usize], total: usize) -> Self {
        let idf = |n: usize| (1.0 + total as f32 / (n as f32 + 1.0)).ln();
        let terms: Vec<(String, f32)> = terms.iter().cloned().zip(frequencies.iter().map(|n| idf(*n))).collect();
        let all = terms.iter().map(|(_, idf)| idf).sum::<f32>().max(f32::MIN_POSITIVE);
        Self { terms, all }
    }

    pub(crate) fn score(&self, noun: &Noun, similarity: f32) -> Score {
        let fields = fields(noun);
        let found = self.terms.iter().filter_map(|(term, idf)| {
            let best = fields.iter().filter(|f| f.terms.contains(term)).max_by(|a, b| a.weight.total_cmp(&b.weight))?;
            Some(WordMatch { field: best.name, value: best.value.clone(), share: best.weight * idf / self.all })
        });
        Score { meaning: similarity.clamp(0.0, 1.0), words: found.collect() }
    }
}

/// What the words of a question may be found in, and what a match there is worth.
fn fields(noun: &Noun) -> Vec<Field> {
    match noun {
        Noun::Instance(instance) => {
            let mut fields = vec![
                Field::new("name", 1.0, &instance.name),
                Field::new("kind", 0.9, &instance.kind),
                Field::new("description", 0.8, &instance.description()),
                Field::new("namespace", 0.5, if instance.is_cluster_scoped() { "" } else { &instance.namespace }),
                Field::new("group", 0.6, &instance.api_group),
            ];
            fields.extend(instance.labels.iter().map(|(k, v)| Field::new("label", 0.7, &format!("{k}={v}"))));
            fields
        }
        Noun::Type(ty) => vec![
            Field::new("kind", 1.0, &ty.kind),
            Field::new("name", 1.0, &ty.plural),
            Field::new("short name", 1.0, &ty.short_names.join(" ")),
            Field::new("group", 0.6, &ty.group),
            Field::new("description", 0.8, &ty.description),
        ],
    }
}
