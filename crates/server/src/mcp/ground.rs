//! What tools stand on.

use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_agent::converse::Investigator;
use clusterlore_core::Scope;
use clusterlore_index::Index;
use clusterlore_search::SearchError;
use jiff::Timestamp;

use crate::problem::Problem;

/// Where the index comes from, and what a face says when it fails.
#[async_trait]
pub trait IndexSource: Send + Sync {
    /// The index, or what is wrong and what to do about it.
    async fn index(&self) -> Result<Arc<Index>, String>;

    /// What is wrong, what was expected, and what to do about it.
    fn told(&self, error: SearchError) -> String;
}

/// The index of a server.
pub(crate) struct Served(pub(crate) Arc<Index>);

#[async_trait]
impl IndexSource for Served {
    async fn index(&self) -> Result<Arc<Index>, String> {
        Ok(Arc::clone(&self.0))
    }

    fn told(&self, error: SearchError) -> String {
        Problem::from(error).told()
    }
}

/// What one call works on.
pub(super) struct Ground<'a> {
    pub(super) index: &'a Index,
    pub(super) scope: &'a Scope,
    pub(super) now: Timestamp,
    pub(super) source: &'a dyn IndexSource,
    /// The model that may look into questions.
    pub(super) investigator: Option<&'a Investigator>,
}

impl Ground<'_> {
    /// As the index is given the time.
    pub(super) fn now(&self) -> String {
        self.now.to_string()
    }

    pub(super) fn told(&self, error: impl Into<SearchError>) -> String {
        self.source.told(error.into())
    }
}
