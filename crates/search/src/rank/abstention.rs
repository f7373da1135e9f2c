//! Whether anything answers a question: a logistic model over what the ranking shows.
//!
//! ```text
//! Σ weight · sign ≥ answers
//!
//! best       the score of the best document
//! margin     how far it is above the eleventh; documents that say the same count once, for a thousand replicas must not keep each
//!            other from standing out
//! probable   the highest probability of the encoder among the first three
//! words      the largest share of the question's words in one of the first ten
//! software   how surely the best is what the question names, 0 if that is nothing
//! missing    one less that, if the question names software or a category; it weighs more for types, because what a type is for is
//!            known, while an object is known only by its names
//! other      1 if the question names software and the best is none of it (there is Grafana, but no Prometheus)
//! unread     1 if the encoder cannot read the question
//! ```
//!
//! A document that contains nearly all words of the question answers by itself, unless it is other software.
//!
//! The weights were fitted on labelled questions whose corpora the encoder had not seen. [`Weights::answers`](super::Weights::answers)
//! is where four answerable questions in a hundred stay without an answer: a point on the curve in EVALUATION.md.

use super::noun::Noun;
use super::profile::Profile;
use super::ranked::Ranked;
use super::ranking::Ranking;

/// The rank of the document that shows how near the crowd is, counted from 0.
const CROWD: usize = 10;
/// Documents whose probability is looked at.
const PROBABLE: usize = 3;

/// The share of the question's words from which a document that contains them is an answer by itself.
pub(super) const WORD_FOR_WORD: f32 = 0.8;

const BEST: f32 = 3.091;
const MARGIN: f32 = 2.133;
const PROBABILITY: f32 = 2.181;
const WORDS: f32 = 0.92;
const SOFTWARE: f32 = 0.58;
const MISSING: f32 = -1.684;
const MISSING_TYPE: f32 = -2.767;
const OTHER: f32 = -2.222;
const UNREAD: f32 = 0.478;

/// Whether any of the documents, best first, answers.
pub(super) fn answers(ranked: &[&Ranked], ranking: &Ranking<'_>) -> bool {
    let Some(best) = ranked.first() else { return false };
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0, f32::max);
    let probable = largest(&mut ranked.iter().take(PROBABLE).filter_map(|r| r.features.encoded));
    let words = largest(&mut ranked.iter().take(CROWD).map(|r| ranking.contained(&r.features)));
    if words >= WORD_FOR_WORD && !best.features.other_software {
        return true;
    }
    let weight_of_missing = match best.profile.noun {
        Noun::Instance(_) => MISSING,
        Noun::Type(..) => MISSING_TYPE,
    };
    let (software, missing) = best.features.software.map_or((0.0, 0.0), |software| (software, 1.0 - software));
    let sum = BEST * best.score
        + MARGIN * (best.score - crowd(ranked))
        + PROBABILITY * probable
        + WORDS * words
        + SOFTWARE * software
        + weight_of_missing * missing
        + OTHER * f32::from(u8::from(best.features.other_software))
        + UNREAD * f32::from(u8::from(best.features.encoded.is_none()));
    sum >= ranking.answers()
}

/// The score of the eleventh document. Documents that say the same count once, however many there are.
fn crowd(ranked: &[&Ranked]) -> f32 {
    let mut different: Vec<&Profile> = Vec::with_capacity(CROWD);
    for r in ranked {
        if !different.iter().any(|other| other.says_the_same(&r.profile)) {
            if different.len() == CROWD {
                return r.score;
            }
            different.push(&r.profile);
        }
    }
    0.0
}
