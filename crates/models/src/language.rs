//! The door to language models, and a model that answers from a script.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

use crate::endpoint::RemoteError;
use crate::price::{Price, Tokens};

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Who it is and what holds for every question of this sort.
    pub system: String,
    /// The question.
    pub user: String,
    /// JSON schema of the answer, without bounds of lengths and numbers, which providers refuse. A provider that can hold its model to
    /// a schema does; the answer is checked all the same.
    pub schema: Value,
}

/// Why a model said nothing that can be used, although it was asked and wants to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// It was stopped before its end.
    #[error("its answer was cut off at its length limit")]
    CutOff,
    /// It would not answer.
    #[error("it declined to answer")]
    Declined,
    /// Nothing.
    #[error("its answer is empty")]
    Empty,
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The answer's text; JSON where all went well.
    pub answer: Result<String, NoAnswer>,
    /// What it took; `None` where the provider does not say.
    pub tokens: Option<Tokens>,
}

/// A model that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The provider cannot be reached, or refuses.
    #[error("the model {name} failed: {problem}")]
    Remote {
        /// Which model.
        name: String,
        /// What is wrong.
        problem: RemoteError,
    },
    /// It said nothing that can be used; asking again seldom helps.
    #[error("the model {name} gave no answer: {problem}")]
    NoAnswer {
        /// Which model.
        name: String,
        /// What is wrong.
        problem: NoAnswer,
    },
    /// It answered twice, and neither answer has the form that was asked for.
    #[error("the model {name} gave an answer in the wrong format: {problem}")]
    Malformed {
        /// Which model.
        name: String,
        /// What is wrong with the second answer; never the answer itself.
        problem: String,
    },
    /// What was written down, or is to be, is of no use.
    #[error("{0}")]
    Recording(String),
    /// It was not asked: the user's limit is reached.
    #[error("{0}")]
    Limit(String),
}

/// Answers in words.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// Provider and model, such as `anthropic:claude-haiku-5-5`: answers of two models are kept apart.
    fn name(&self) -> &str;

    /// What it says, and what that took.
    ///
    /// # Errors
    /// The provider cannot be reached, or refuses.
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError>;

    /// Tokens that the next answer has at most.
    fn longest_answer(&self) -> u64 {
        8_192
    }

    /// What it costs, where that is known.
    fn price(&self) -> Option<Price> {
        None
    }

    /// The host that questions are sent to; `None`: they stay here.
    fn sends_to(&self) -> Option<&str> {
        None
    }
}

/// Answers from a script, in order and then no more, and remembers what it was asked: for tests.
#[derive(Debug, Default)]
pub struct Scripted {
    answers: Mutex<VecDeque<String>>,
    asked: Mutex<Vec<Prompt>>,
}

impl Scripted {
    /// A model that will give these answers.
    pub fn new(answers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let answers = answers.into_iter().map(Into::into).collect();
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Prompt> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl LanguageModel for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.clone());
        let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Ok(Completion { answer: next.ok_or(NoAnswer::Empty), tokens: None })
    }
}
