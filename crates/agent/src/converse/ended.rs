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

impl Ended {
    /// As programs read it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Limit(_) => "limit",
            Self::CutOff => "cutOff",
            Self::Declined => "declined",
            Self::Silent => "silent",
            Self::Failed(_) => "failed",
        }
    }

    /// Why the answer is not whole.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Limit(limit) => Some(limit.clone()),
            Self::CutOff => Some("it was longer than the model may speak at once".to_owned()),
            Self::Declined => Some("the model declined to answer".to_owned()),
            Self::Silent => Some("the model said nothing".to_owned()),
            Self::Failed(error) => Some(error.to_string()),
        }
    }
}
