//! A model whose use is counted, and that is asked no more than the user wants to pay for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::language::{Completion, LanguageModel, ModelError, Prompt};
use crate::price::{Price, Tokens};

/// What the user allows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Questions.
    pub calls: Option<u64>,
    /// US dollars.
    pub cost: Option<f64>,
}

/// What was used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Questions that were put; a request that had to be repeated counts once.
    pub calls: u64,
    /// Tokens, estimated where the provider does not say.
    pub tokens: Tokens,
}

#[derive(Debug, Default)]
struct Ledger {
    spent: Spent,
    /// Questions without an answer yet, and US dollars that these may cost.
    open: u64,
    reserved: f64,
}

/// A model with a meter.
pub struct Metered {
    model: Arc<dyn LanguageModel>,
    limits: Limits,
    price: Option<Price>,
    ledger: Mutex<Ledger>,
    settled: Notify,
}

/// Whether a question may be put.
enum May {
    Ask,
    /// When one that is open has cost less than it might.
    AskLater,
    Stop(String),
}

impl Metered {
    /// Without `price`, what the model's provider charges. A limit of cost counts only where one of them is known.
    pub fn new(model: Arc<dyn LanguageModel>, limits: Limits, price: Option<Price>) -> Self {
        let price = price.or_else(|| model.price());
        Self { model, limits, price, ledger: Mutex::default(), settled: Notify::new() }
    }

    /// What was used so far.
    pub fn spent(&self) -> Spent {
        self.ledger().spent
    }

    /// What that costs, in US dollars; `None` where the price is not known.
    pub fn cost(&self) -> Option<f64> {
        self.price.map(|price| price.of(self.spent().tokens))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a question that may cost up to `most`, if there is room for it.
    fn reserve(&self, most: f64) -> May {
        let mut ledger = self.ledger();
        if let Some(calls) = self.limits.calls.filter(|calls| ledger.spent.calls >= *calls) {
            return May::Stop(format!("the limit of {calls} calls is reached"));
        }
        if let (Some(limit), Some(price)) = (self.limits.cost, self.price) {
            let spent = price.of(ledger.spent.tokens);
            if spent + ledger.reserved + most > limit {
                return match (ledger.open, ledger.spent.calls) {
                    (0, 0) => May::Stop(format!("${limit} does not cover a question, which may cost up to ${most:.4}")),
                    (0, _) => May::Stop(format!("the limit of ${limit} is reached")),
                    _ => May::AskLater,
                };
            }
        }
        ledger.spent.calls += 1;
        ledger.open += 1;
        ledger.reserved += most;
        May::Ask
    }

    fn settle(&self, most: f64, tokens: Tokens) {
        let mut ledger = self.ledger();
        ledger.open -= 1;
        ledger.reserved = if ledger.open == 0 { 0.0 } else { ledger.reserved - most };
        // What a provider says may be any number.
        let spent = &mut ledger.spent.tokens;
        *spent = Tokens {
            input: spent.input.saturating_add(tokens.input),
            output: spent.output.saturating_add(tokens.output),
        };
        drop(ledger);
        self.settled.notify_waiters();
    }
}

/// Tokens of a text at most; two bytes each is more than any language has.
fn at_most(text: &str) -> u64 {
    text.len().div_ceil(2) as u64
}

#[async_trait]
impl LanguageModel for Metered {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        let question = at_most(&prompt.system) + at_most(&prompt.user) + at_most(&prompt.schema.to_string());
        let most = Tokens { input: question, output: self.longest_answer() };
        let most = self.price.map_or(0.0, |price| price.of(most));
        loop {
            // Made before the ledger is looked at, so that no answer comes in between unheard.
            let settled = self.settled.notified();
            match self.reserve(most) {
                May::Ask => break,
                May::AskLater => settled.await,
                May::Stop(limit) => return Err(ModelError::Limit(limit)),
            }
        }
        let completion = self.model.complete(prompt).await;
        let tokens = completion.as_ref().map_or_else(
            |_| Tokens::default(),
            |done| {
                let answer = done.answer.as_ref().map_or(0, |text| at_most(text));
                done.tokens.unwrap_or(Tokens { input: question, output: answer })
            },
        );
        self.settle(most, tokens);
        completion
    }

    fn longest_answer(&self) -> u64 {
        self.model.longest_answer()
    }

    fn price(&self) -> Option<Price> {
        self.price
    }

    fn sends_to(&self) -> Option<&str> {
        self.model.sends_to()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use serde_json::json;

    use super::*;

    /// Takes 100 tokens to ask and 50 to answer, a moment later.
    struct Slow;

    #[async_trait]
    impl LanguageModel for Slow {
        fn name(&self) -> &str {
            "slow"
        }

        async fn complete(&self, _: &Prompt) -> Result<Completion, ModelError> {
            tokio::task::yield_now().await;
            Ok(Completion { answer: Ok("{}".into()), tokens: Some(Tokens { input: 100, output: 50 }) })
        }

        fn longest_answer(&self) -> u64 {
            500
        }

        fn price(&self) -> Option<Price> {
            Some(Price { input: 1.0, output: 10.0 })
        }
    }

    async fn asked(limits: Limits, price: Option<Price>) -> (usize, Metered, String) {
        let metered = Metered::new(Arc::new(Slow), limits, price);
        let prompt = Prompt { system: String::new(), user: "?".repeat(200), schema: json!({}) };
        let done = join_all((0..40).map(|_| metered.complete(&prompt))).await;
        let errors: Vec<String> = done.iter().filter_map(|d| d.as_ref().err().map(ToString::to_string)).collect();
        (done.len() - errors.len(), metered, errors.last().cloned().unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_used_is_counted() {
        let (answers, metered, _) = asked(Limits::default(), None).await;
        let tokens = Tokens { input: 4_000, output: 2_000 };
        assert_eq!((answers, metered.spent()), (40, Spent { calls: 40, tokens }));
        assert!((metered.cost().unwrap() - 0.024).abs() < 1e-9);
        let (_, metered, _) = asked(Limits::default(), Some(Price { input: 0.0, output: 1.0 })).await;
        assert!((metered.cost().unwrap() - 0.002).abs() < 1e-9, "a price that is given counts");
    }

    #[tokio::test]
    async fn limits_are_never_passed_however_many_are_asked_at_once() {
        let (answers, metered, error) = asked(Limits { calls: Some(7), cost: None }, None).await;
        assert_eq!((answers, metered.spent().calls, error.as_str()), (7, 7, "the limit of 7 calls is reached"));

        // A question costs 0.0006, and may cost 0.0051.
        let (answers, metered, error) = asked(Limits { calls: None, cost: Some(0.01) }, None).await;
        assert_eq!(error, "the limit of $0.01 is reached");
        assert!(metered.cost().unwrap() <= 0.01 && metered.cost().unwrap() > 0.01 - 0.0052, "{:?}", metered.cost());
        assert!((8..=16).contains(&answers), "{answers}");

        let (answers, _, error) = asked(Limits { calls: None, cost: Some(0.001) }, None).await;
        assert_eq!((answers, error.as_str()), (0, "$0.001 does not cover a question, which may cost up to $0.0051"));
    }
}
