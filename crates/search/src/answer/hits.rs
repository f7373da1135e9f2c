//! The best matches, as hits.

use clusterlore_core::conditions::Finding;
use clusterlore_store::StoreError;

use super::age::by_age;
use super::collapse::{Collapsed, Collapser, apart};
use crate::rank::{Noun, Ranked, Ranking, Reason, Score, is_evidence, matching};

/// A document that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Stored id.
    pub id: String,
    /// The document.
    pub noun: Noun,
    /// Its score, with the reasons.
    pub score: Score,
    /// Ids of what it controls and what matches too.
    pub controlled: Vec<String>,
    /// Ids of the same thing in other namespaces. They are not hits of their own.
    pub elsewhere: Vec<String>,
    /// What its cluster says of each condition of the question; empty where it was not looked at.
    pub found: Vec<Finding>,
}

/// What may be a hit.
pub(crate) fn hit_matches<'r>(ranking: &Ranking<'_>, ranked: &'r [Ranked]) -> Vec<&'r Ranked> {
    matching(ranked.iter().filter(|r| r.for_hits).collect(), ranking)
}

/// The best `limit` of the matches as hits, or fewer if the question says so.
pub(crate) async fn hits(
    collapser: &Collapser<'_>,
    ranking: &Ranking<'_>,
    mut matches: Vec<&Ranked>,
    limit: usize,
) -> Result<Vec<Hit>, StoreError> {
    let clauses = &ranking.parsed().clauses;
    let limit = clauses.at_most.map_or(limit, |n| n.min(limit));
    let collapsed = if clauses.by_age() {
        // In another order than that of the scores, each match must be evidence by itself.
        matches.retain(|r| clauses.order.is_none() || is_evidence(r, ranking));
        by_age(clauses, apart(collapser.collapse(&matches, usize::MAX).await?))
    } else {
        collapser.collapse(&matches, limit).await?
    };
    Ok(collapsed.into_iter().take(limit).map(|c| hit(c, ranking)).collect())
}

/// The best `limit` of these documents, without the object itself and what it controls.
pub(crate) async fn others(
    collapser: &Collapser<'_>,
    ranking: &Ranking<'_>,
    ranked: &[Ranked],
    own_id: &str,
    limit: usize,
) -> Result<Vec<Hit>, StoreError> {
    let others: Vec<&Ranked> = ranked.iter().filter(|r| r.id != own_id).collect();
    // What the object controls is collapsed into it, and left out with it.
    let collapsed = collapser.collapse(&others, limit.saturating_add(1)).await?;
    let others = collapsed.into_iter().filter(|c| c.shown.id != own_id);
    Ok(others.take(limit).map(|c| hit(c, ranking)).collect())
}

fn hit(collapsed: Collapsed<'_>, ranking: &Ranking<'_>) -> Hit {
    let Collapsed { ranked, shown, controlled, elsewhere } = collapsed;
    let mut score = ranking.explain(&ranked.profile, &ranked.type_name, &ranked.features);
    if let (Noun::Instance(through), true) = (&ranked.profile.noun, shown.id != ranked.id) {
        score.reasons.push(Reason { why: format!("through {} {}", through.kind, through.name), adds: 0.0 });
    }
    let elsewhere = elsewhere.into_iter().map(|c| c.shown.id).collect();
    Hit { noun: shown.profile.noun.clone(), id: shown.id, score, controlled, elsewhere, found: Vec::new() }
}
