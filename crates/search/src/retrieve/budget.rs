//! How many documents are retrieved for a question.

use crate::query::ParsedQuery;

/// The most candidates, by where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CandidateBudget {
    /// Documents nearest to the query's vector.
    pub(crate) nearest: usize,
    /// Documents that contain the query's rarest terms.
    pub(crate) containing: usize,
}

impl CandidateBudget {
    /// For the best hits.
    pub(crate) const BEST: Self = Self { nearest: 80, containing: 100 };
    /// For all matches of a free text: what is counted, or must be of an age.
    pub(crate) const MATCHES: Self = Self { nearest: 2_000, containing: 5_000 };
    /// For hits of a question that has only conditions.
    pub(crate) const SCOPE: Self = Self { nearest: 1_000, containing: 0 };
    /// For all documents that meet a question's conditions.
    pub(crate) const WHOLE_SCOPE: Self = Self { nearest: usize::MAX, containing: 0 };

    /// What the hits of a question are chosen from.
    pub(crate) fn for_hits(parsed: &ParsedQuery) -> Self {
        match (parsed.scope_only, parsed.clauses.by_age()) {
            (true, true) => Self::WHOLE_SCOPE,
            (true, false) => Self::SCOPE,
            (false, true) => Self::MATCHES,
            (false, false) => Self::BEST,
        }
    }

    /// What the matches of a question are counted among.
    pub(crate) fn for_number(parsed: &ParsedQuery) -> Self {
        if parsed.scope_only { Self::WHOLE_SCOPE } else { Self::MATCHES }
    }
}
