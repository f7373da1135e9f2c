//! Candidates, ranked, and those of them that match.

use std::sync::Arc;

use clusterlore_core::Collection;

use super::profile::{Profile, Profiles};
use super::ranking::Ranking;
use super::weights::Features;
use crate::retrieve::Retrieved;

/// The rank of the document that shows how near the crowd is, counted from 0.
const CROWD: usize = 10;
/// What the score of that document is worth against the best.
const CROWD_WORTH: f32 = 0.5;
/// The share of the question's words from which a document that contains them is evidence by itself.
const WORD_FOR_WORD: f32 = 0.8;
/// The share of the best score below which a document does not match.
const FAR_BEHIND: f32 = 0.35;

/// A candidate with its score.
pub(crate) struct Ranked {
    pub(crate) id: String,
    pub(crate) type_name: String,
    pub(crate) profile: Arc<Profile>,
    pub(crate) features: Features,
    pub(crate) score: f32,
    /// Whether it was retrieved for hits.
    pub(crate) for_hits: bool,
    /// Whether it was retrieved for counting.
    pub(crate) for_number: bool,
}

/// The candidates that have a score, best first.
pub(crate) fn rank(
    ranking: &Ranking<'_>,
    profiles: &Profiles,
    collection: Collection,
    candidates: Vec<Retrieved>,
) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = candidates
        .into_iter()
        .filter_map(|Retrieved { candidate, for_hits, for_number }| {
            let profile = profiles.of(ranking.query.catalogue, collection, &candidate.id, &candidate.record)?;
            let features = ranking.features(&profile, &candidate.id, &candidate.type_name, candidate.similarity)?;
            let score = ranking.score(&features);
            let (id, type_name) = (candidate.id, candidate.type_name);
            Some(Ranked { id, type_name, profile, features, score, for_hits, for_number })
        })
        .filter(|ranked| ranked.score > 0.0)
        .collect();
    // What the question names comes first. Equal scores are in the order of their ids, so that the same question has the same answer.
    let named = |r: &Ranked| r.features.named.unwrap_or(0.0);
    ranked
        .sort_by(|a, b| named(b).total_cmp(&named(a)).then(b.score.total_cmp(&a.score)).then_with(|| a.id.cmp(&b.id)));
    ranked
}

/// The documents that match, of documents in the order of their scores: none if the best of them is no evidence, else those that are not
/// far behind it.
pub(crate) fn matching<'r>(mut ranked: Vec<&'r Ranked>, ranking: &Ranking<'_>) -> Vec<&'r Ranked> {
    if ranking.parsed().scope_only {
        return ranked;
    }
    // An object that the question names always matches; the others match or not as if it were not there.
    let first = ranked.iter().take_while(|r| r.features.named.is_some()).count();
    if first > 0 {
        let others = matching(ranked.split_off(first), ranking);
        ranked.extend(others);
        return ranked;
    }
    ranked.retain(|r| !r.features.other_software);
    let best = ranked.first().map_or(0.0, |best| best.score);
    // A match stands out. If a crowd is as near as the best document, that one is only the nearest.
    let stands_out = || best - CROWD_WORTH * crowd(&ranked) >= ranking.evidence();
    if !ranked.iter().take(CROWD).any(|r| is_word_for_word(r, ranking)) && !stands_out() {
        return Vec::new();
    }
    ranked.retain(|r| r.score >= best * FAR_BEHIND);
    ranked
}

/// Whether a document matches by itself, compared with no other.
pub(crate) fn is_evidence(ranked: &Ranked, ranking: &Ranking<'_>) -> bool {
    ranked.features.named.is_some() || ranked.score >= ranking.evidence() || is_word_for_word(ranked, ranking)
}

fn is_word_for_word(ranked: &Ranked, ranking: &Ranking<'_>) -> bool {
    ranking.contained(&ranked.features) >= WORD_FOR_WORD
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
