//! Language models behind HTTP: the ways to ask for JSON of a form, and which of them a server takes. Anthropic and
//! OpenAI-compatible servers differ in address, body and answer only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_http::{Bounds, Pauses};
use http::HeaderMap;
use serde_json::Value;

use crate::endpoint::{Address, Endpoint, Key, RemoteError};
use crate::language::{Completion, LanguageModel, ModelError, Prompt};
use crate::price::Price;

/// A model on a small machine needs a while for an answer, and others wait before it.
const BOUNDS: Bounds = Bounds { whole: Duration::from_secs(300), idle: Duration::from_secs(60), bytes: LARGEST_ANSWER };
/// 8,192 tokens are some 40 kB; thoughts may come beside them.
const LARGEST_ANSWER: usize = 4 << 20;

/// What was expected of an answer, and what came.
pub(crate) type Unreadable = (&'static str, String);

/// In what one API differs from another.
#[derive(Debug)]
pub(crate) struct Api {
    /// What is called, from `/`.
    pub(crate) path: &'static str,
    /// Where the key is taken from.
    pub(crate) variable: &'static str,
    pub(crate) headers: fn(Option<&Key>) -> HeaderMap,
    /// The ways to ask, the strictest first. What a server does not know of one it refuses, and is asked in the next.
    pub(crate) ways: &'static [Way],
    pub(crate) read: fn(&[u8]) -> Result<Completion, Unreadable>,
}

impl Api {
    /// What an answer says.
    #[cfg(test)]
    pub(crate) fn reads(&self, body: &[u8]) -> Result<Completion, Unreadable> {
        (self.read)(body)
    }
}

/// A way to ask.
#[derive(Debug)]
pub(crate) struct Way {
    /// The body, of model and prompt; the number is [`Self::longest_answer`].
    pub(crate) body: fn(&str, &Prompt, u64) -> Value,
    /// Tokens of an answer at most. Models count thoughts as part of it.
    pub(crate) longest_answer: u64,
}

/// A language model behind HTTP.
#[derive(Debug)]
pub struct RemoteModel {
    api: Api,
    name: String,
    model: String,
    endpoint: Endpoint,
    price: Option<Price>,
    /// The way that the server took last.
    way: AtomicUsize,
}

impl RemoteModel {
    /// Ready to be asked; nothing is sent.
    pub(crate) fn new(
        api: Api,
        name: String,
        model: &str,
        base: &str,
        key: Option<Key>,
        price: Option<Price>,
        pauses: Pauses,
    ) -> Result<Self, ModelError> {
        let address = Address {
            base: base.trim_end_matches('/').to_owned(),
            path: api.path,
            headers: (api.headers)(key.as_ref()),
            key,
            variable: api.variable,
            pauses,
        };
        let endpoint = Endpoint::new(address).map_err(|problem| ModelError::Remote { name: name.clone(), problem })?;
        Ok(Self { api, name, model: model.to_owned(), endpoint, price, way: AtomicUsize::new(0) })
    }

    async fn ask(&self, prompt: &Prompt) -> Result<Completion, RemoteError> {
        let mut way = self.way.load(Ordering::Relaxed);
        loop {
            let Way { body, longest_answer } = &self.api.ways[way];
            match self.endpoint.post(&body(&self.model, prompt, *longest_answer), BOUNDS).await {
                Ok(answer) => {
                    self.way.store(way, Ordering::Relaxed);
                    return (self.api.read)(&answer).map_err(|(expected, got)| self.endpoint.wrong(expected, got));
                }
                // A form that it does not know, or something else that the next try will tell again.
                Err(RemoteError::Refused { status: 400 | 422, .. }) if way + 1 < self.api.ways.len() => way += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

#[async_trait]
impl LanguageModel for RemoteModel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        self.ask(prompt).await.map_err(|problem| ModelError::Remote { name: self.name.clone(), problem })
    }

    fn longest_answer(&self) -> u64 {
        self.api.ways[self.way.load(Ordering::Relaxed)].longest_answer
    }

    fn price(&self) -> Option<Price> {
        self.price
    }

    fn sends_to(&self) -> Option<&str> {
        Some(self.endpoint.host())
    }
}

/// The system prompt where the form of the answer has no place of its own.
pub(crate) fn with_schema(prompt: &Prompt) -> String {
    format!("{}\n\nThe JSON schema of the answer: {}", prompt.system, prompt.schema)
}
