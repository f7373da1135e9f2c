//! What a conversation may take, and what it took.

use clusterlore_models::{Ask, Message, Part, Price, Tokens};
use serde::Serialize;

/// Tokens of a turn at most.
const LONGEST_ANSWER: u64 = 8_192;
/// With less than this nothing can be said.
const SHORTEST_ANSWER: u64 = 256;

/// What the user allows for one question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Turns of the model.
    pub steps: u32,
    /// Tokens of all turns together, of what is read and of what is said.
    pub tokens: u64,
    /// US dollars; counts only where the price is known.
    pub cost: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 20, tokens: 500_000, cost: None }
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    /// Turns of the model.
    pub steps: u32,
    /// Tokens that it read.
    pub input_tokens: u64,
    /// Tokens that it said, thoughts included.
    pub output_tokens: u64,
    /// US dollars; `None` where the price is not known.
    pub cost: Option<f64>,
}

/// Keeps the limits. They are never passed: a turn is only asked for if its worst case fits.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    price: Option<Price>,
    used: Used,
}

impl Budget {
    pub(super) fn new(limits: Limits, price: Option<Price>) -> Self {
        let cost = price.map(|_| 0.0);
        Self { limits, price, used: Used { cost, ..Used::default() } }
    }

    pub(super) fn used(&self) -> Used {
        self.used
    }

    /// Whether the next turn is the last.
    pub(super) fn is_last(&self) -> bool {
        self.used.steps + 1 >= self.limits.steps
    }

    /// How long the next turn may be, or why there is none.
    pub(super) fn next(&self, ask: &Ask<'_>) -> Result<u64, String> {
        if self.used.steps >= self.limits.steps {
            return Err(format!("the limit of {} steps is reached", self.limits.steps));
        }
        let input = size(ask);
        let left = self.limits.tokens.saturating_sub(self.used.input_tokens.saturating_add(self.used.output_tokens));
        let mut most = left.saturating_sub(input).min(LONGEST_ANSWER);
        if most < SHORTEST_ANSWER {
            return Err(format!("the limit of {} tokens is reached", self.limits.tokens));
        }
        if let (Some(limit), Some(price)) = (self.limits.cost, self.price) {
            let spent = self.used.cost.unwrap_or_default();
            let asked = price.of(Tokens { input, output: 0 });
            let fits = |most: u64| spent + asked + price.of(Tokens { input: 0, output: most }) <= limit;
            while most >= SHORTEST_ANSWER && !fits(most) {
                most /= 2;
            }
            if most < SHORTEST_ANSWER {
                return Err(format!("the limit of ${limit} is reached"));
            }
        }
        Ok(most)
    }

    /// Notes a turn. What the provider does not say is estimated.
    pub(super) fn spend(&mut self, ask: &Ask<'_>, parts: &[Part], tokens: Option<Tokens>) {
        let tokens = tokens.unwrap_or_else(|| Tokens { input: size(ask), output: parts.iter().map(of_part).sum() });
        let used = &mut self.used;
        used.steps += 1;
        used.input_tokens = used.input_tokens.saturating_add(tokens.input);
        used.output_tokens = used.output_tokens.saturating_add(tokens.output);
        let all = Tokens { input: used.input_tokens, output: used.output_tokens };
        used.cost = self.price.map(|price| price.of(all));
    }
}

/// Tokens of a text at most; two bytes each is more than any language has.
fn at_most(text: &str) -> u64 {
    text.len().div_ceil(2) as u64
}

fn size(ask: &Ask<'_>) -> u64 {
    let tools: u64 =
        ask.tools.iter().map(|tool| at_most(&tool.description) + at_most(&tool.parameters.to_string())).sum();
    at_most(ask.system) + tools + ask.messages.iter().map(of_message).sum::<u64>()
}

fn of_message(message: &Message) -> u64 {
    match message {
        Message::User { text } => at_most(text),
        Message::Assistant { parts } => parts.iter().map(of_part).sum(),
        Message::Tool { results } => results.iter().map(|result| at_most(&result.text)).sum(),
    }
}

fn of_part(part: &Part) -> u64 {
    match part {
        Part::Text { text } => at_most(text),
        Part::Thought { block } => at_most(&block.to_string()),
        Part::Call(call) => at_most(&call.name) + at_most(&call.input.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_turn_is_asked_for_that_may_pass_a_limit() {
        let messages = [Message::user("x".repeat(2_000))];
        let ask = Ask { system: "", messages: &messages, tools: &[], may_call: true, longest_answer: 0 };
        let price = Price { input: 1.0, output: 1.0 };
        let next = |limits: Limits, price| Budget::new(limits, price).next(&ask);
        assert_eq!(next(Limits::default(), None), Ok(8_192));
        assert_eq!(next(Limits { tokens: 1_300, ..Limits::default() }, None), Ok(300));
        let error = |limits, price| next(limits, price).unwrap_err();
        assert!(error(Limits { tokens: 1_200, ..Limits::default() }, None).contains("1200 tokens"));
        assert!(error(Limits { steps: 0, ..Limits::default() }, None).contains("0 steps"));
        let cheap = Limits { cost: Some(0.002), ..Limits::default() };
        assert_eq!(next(cheap, Some(price)), Ok(512));
        assert_eq!(next(cheap, None), Ok(8_192), "without a price there is nothing to count");
        assert!(error(Limits { cost: Some(0.001), ..cheap }, Some(price)).contains("$0.001"));

        let mut budget = Budget::new(cheap, Some(price));
        budget.spend(&ask, &[], Some(Tokens { input: 1_000, output: 900 }));
        assert!(budget.next(&ask).is_err());
        let used = budget.used();
        assert_eq!((used.steps, used.input_tokens, used.output_tokens), (1, 1_000, 900));
        assert!((used.cost.unwrap() - 0.0019).abs() < 1e-9);
        budget.spend(&ask, &[Part::Text { text: "abc".into() }], None);
        assert_eq!((budget.used().input_tokens, budget.used().output_tokens), (2_000, 902));
        // What a provider says may be any number.
        budget.spend(&ask, &[], Some(Tokens { input: u64::MAX, output: u64::MAX }));
        assert!(budget.next(&ask).is_err());
    }
}
