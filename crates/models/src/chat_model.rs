//! The door to language models that hold a conversation and use tools.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::language::ModelError;
use crate::message::{Message, Part, Tool};
use crate::price::{Price, Tokens};

/// What a model is asked to go on with.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Who it is and what holds for the whole conversation.
    pub system: &'a str,
    /// All that was said so far; the last message is not the model's.
    pub messages: &'a [Message],
    /// What it may call.
    pub tools: &'a [Tool],
    /// Whether it may call one of them now. What was called before has to stay known in any case.
    pub may_call: bool,
    /// Tokens of the turn at most, thoughts included.
    pub longest_answer: u64,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stop {
    /// It has said what it wanted to say.
    End,
    /// It waits for the results of its calls.
    Calls,
    /// Its turn was longer than it may be.
    CutOff,
    /// It would not answer.
    Declined,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// All of it, in order.
    pub parts: Vec<Part>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it took; `None` where the provider does not say.
    pub tokens: Option<Tokens>,
}

/// A turn that did not come to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// What had been said. Calls whose arguments were not whole are left out.
    pub parts: Vec<Part>,
    /// What it took, as far as that was told.
    pub tokens: Option<Tokens>,
    /// What happened.
    pub error: ModelError,
}

/// Holds a conversation, piece by piece.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Provider and model, such as `anthropic:claude-haiku-5-5`.
    fn name(&self) -> &str;

    /// The next turn. `hear` gets its text while it is said; what it has heard is never said again.
    ///
    /// # Errors
    /// The provider cannot be reached, refuses, or stopped in the middle.
    async fn next(&self, ask: &Ask<'_>, hear: &mut (dyn for<'s> FnMut(&'s str) + Send)) -> Result<Turn, Broken>;

    /// What it costs, where that is known.
    fn price(&self) -> Option<Price> {
        None
    }

    /// The host that everything said is sent to; `None`: it stays here.
    fn sends_to(&self) -> Option<&str> {
        None
    }
}
