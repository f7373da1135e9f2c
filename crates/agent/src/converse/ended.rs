//! How an answer of a model comes to its end.

use clusterlore_models::ModelError;

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// The model said what it wanted to say.
    Whole,
    /// A limit was reached before that.
    Limit(String),
    /// Its turn was longer than it may be.
    CutOff,
    /// It would not answer.
    Declined,
    /// It said nothing.
    Silent,
    /// It cannot be reached, or stopped in the middle.
    Failed(ModelError),
}
