//! What a caller asks for.

use clusterlore_core::Collection;
use clusterlore_store::{ClusterNames, Filter};
use jiff::Timestamp;

use super::clauses::{Clauses, GroupBy, Order};

/// The most characters that a question may have. A page of text asks for nothing in particular.
pub const LONGEST_QUESTION: usize = 4_000;

/// A question, its limits, and what the answer should contain.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The question as it was typed.
    pub text: String,
    /// Where to search.
    pub collection: Collection,
    /// What may be found.
    pub filter: Filter,
    /// What clusters are called, for questions that name one.
    pub clusters: ClusterNames,
    /// The most hits.
    pub limit: usize,
    /// When the question is asked, RFC 3339. Empty if the caller does not know; then no question can ask for an age.
    pub now: String,
    /// Whether hits are wanted.
    pub hits: bool,
    /// Whether the number of matches is wanted.
    pub number: Wanted,
    /// Groups to count by, in place of those that the question names.
    pub group_by: Option<GroupBy>,
    /// Only what was created then or later; a question narrows it.
    pub since: Option<Timestamp>,
    /// Only what was created before then; a question narrows it.
    pub until: Option<Timestamp>,
    /// What comes first, in place of what the question says.
    pub order: Option<Order>,
}

impl Query {
    /// Whether the caller says what may be found, whatever the question says.
    pub(crate) fn is_narrowed(&self) -> bool {
        !self.filter.is_empty() || self.since.is_some() || self.until.is_some() || self.order.is_some()
    }
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            collection: Collection::default(),
            filter: Filter::default(),
            clusters: ClusterNames::default(),
            limit: 0,
            now: String::new(),
            hits: true,
            number: Wanted::Never,
            group_by: None,
            since: None,
            until: None,
            order: None,
        }
    }
}

/// When the number of matches is wanted. Counting looks at many more documents than a page of hits needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Never.
    #[default]
    Never,
    /// If the question asks for it ("how many", "per namespace"), or the query names groups.
    IfAsked,
    /// Always.
    Always,
}

impl Wanted {
    /// Whether a question with these clauses is to be counted.
    pub(crate) fn applies(self, clauses: &Clauses) -> bool {
        match self {
            Self::Never => false,
            Self::IfAsked => clauses.counts(),
            Self::Always => true,
        }
    }
}
