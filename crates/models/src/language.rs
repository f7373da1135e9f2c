//! The door to language models, and a model that answers from a script.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Who it is and what holds for every question of this sort.
    pub system: String,
    /// The question.
    pub user: String,
    /// JSON schema of the answer. A provider that can hold its model to a schema does; the answer is checked all the same.
    pub schema: Value,
}

/// A model that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The provider cannot be reached, or refuses.
    #[error("the model {name} does not answer: {problem}; run the command again")]
    Unavailable {
        /// Which model.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// It answered twice, and neither answer has the form that was asked for.
    #[error(
        "the model {name} answers in another form than was asked for: {problem}; use another model, or --inference rules"
    )]
    Malformed {
        /// Which model.
        name: String,
        /// What is wrong with the second answer; never the answer itself.
        problem: String,
    },
}

/// Answers in words.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// Provider and model, such as `anthropic:claude-sonnet-4-5`: answers of two models are kept apart.
    fn name(&self) -> &str;

    /// The answer's text; JSON where all went well.
    ///
    /// # Errors
    /// The provider cannot be reached, or refuses.
    async fn complete(&self, prompt: &Prompt) -> Result<String, ModelError>;
}

/// Answers from a script, in order, and remembers what it was asked: for tests.
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

    async fn complete(&self, prompt: &Prompt) -> Result<String, ModelError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.clone());
        let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.ok_or_else(|| ModelError::Unavailable {
            name: self.name().to_owned(),
            problem: "the script has no further answer".to_owned(),
        })
    }
}
