//! What each kind of answer says, before it is put together.

use clusterlore_index::Group;

use crate::answer::{Asks, Sentence, Step};

/// What a kind of answer says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) sentences: Vec<Sentence>,
    pub(super) asks: Option<Asks>,
    pub(super) number: Option<usize>,
    /// Ids of what is asked for, in the order of the answer.
    pub(super) answers: Vec<String>,
    /// What they are called together, in the singular.
    pub(super) noun: String,
    /// Ids of what may be shown beside it.
    pub(super) near: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) next: Vec<Step>,
}
