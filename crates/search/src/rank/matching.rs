//! Which of the ranked documents match.

use super::abstention::{self, WORD_FOR_WORD};
use super::ranked::Ranked;
use super::ranking::Ranking;

/// The share of the best score below which a document does not match.
const FAR_BEHIND: f32 = 0.2;

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
    if !abstention::answers(&ranked, ranking) {
        return Vec::new();
    }
    // Where there is what the question names, nothing else is it.
    if ranked.first().is_some_and(|best| !best.features.other_software) {
        ranked.retain(|r| !r.features.other_software);
    }
    let best = ranked.first().map_or(0.0, |best| best.score);
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
