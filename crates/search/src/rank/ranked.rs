//! Candidates, ranked.

use std::ops::Deref;
use std::sync::Arc;

use clusterlore_core::Collection;
use clusterlore_store::Shown;

use super::profile::{Profile, Profiles};
use super::ranking::Ranking;
use super::weights::Features;
use crate::retrieve::Retrieved;

/// A candidate with its score.
pub(crate) struct Ranked {
    pub(crate) shown: Arc<Shown>,
    pub(crate) profile: Arc<Profile>,
    pub(crate) features: Features,
    pub(crate) score: f32,
    /// Whether it was retrieved for hits.
    pub(crate) for_hits: bool,
    /// Whether it was retrieved for counting.
    pub(crate) for_number: bool,
}

impl Deref for Ranked {
    type Target = Shown;

    fn deref(&self) -> &Shown {
        &self.shown
    }
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
            let similarity = match &ranking.query.builtin {
                None => candidate.similarity,
                Some(question) => profiles.similarity(&profile, question),
            };
            let features = ranking.features(&profile, &candidate.id, &candidate.type_name, similarity)?;
            let score = ranking.score(&features);
            Some(Ranked { shown: candidate.shown, profile, features, score, for_hits, for_number })
        })
        .filter(|ranked| ranked.score > 0.0)
        .collect();
    // What the question names comes first. Equal scores are in the order of their ids, so that the same question has the same answer.
    let named = |r: &Ranked| r.features.named.unwrap_or(0.0);
    ranked.sort_unstable_by(|a, b| {
        named(b).total_cmp(&named(a)).then(b.score.total_cmp(&a.score)).then_with(|| a.id.cmp(&b.id))
    });
    ranked
}
