//! From a [`ParsedQuery`](crate::query::ParsedQuery) to the documents that may answer it.

mod bridge;
mod budget;
mod candidates;
mod embedded;
mod lexicon;

pub(crate) use bridge::{Bridge, ScoredType};
pub(crate) use budget::CandidateBudget;
pub(crate) use candidates::{Budgets, Candidates, Retrieved, retrieve};
pub(crate) use embedded::EmbeddedQuery;
pub(crate) use lexicon::Lexicon;
