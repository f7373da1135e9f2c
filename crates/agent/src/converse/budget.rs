//! What a conversation may take, and what it took.

use std::time::{Duration, Instant};

use clusterlore_models::{Ask, Message, Part, Price, Tokens, Tool, ToolResult};
use serde::Serialize;

/// Tokens of a turn at most.
const LONGEST_ANSWER: u64 = 8_192;
/// With less than this nothing can be said.
const SHORTEST_ANSWER: u64 = 256;
/// Tokens at most by which a provider marks a message, a part of it, or a tool.
const MARKS: u64 = 16;
/// Tokens at most that a provider adds to explain tools to its model.
const TOOLS: u64 = 1_024;

/// What the user allows for a conversation, as long as the program runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Turns of the model.
    pub steps: u32,
    /// Tokens of all turns together, of what is read and of what is said.
    pub tokens: u64,
    /// US dollars; counts only where the price is known.
    pub cost: Option<f64>,
    /// After this the next turn of a question is its last; `None`: there is no hurry.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 20, tokens: 500_000, cost: None, time: None }
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

impl Used {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cost: self.cost.map_or(other.cost, |cost| Some(cost + other.cost.unwrap_or_default())),
        }
    }

    fn tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Keeps the limits. They are never passed: a turn is only asked for if its worst case fits. Steps are those of one question; tokens and
/// cost those of all questions.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    price: Option<Price>,
    /// For the questions before this one.
    before: Used,
    used: Used,
    /// The most tokens that the provider counted for one that was expected.
    more: f64,
    began: Instant,
}

impl Budget {
    pub(super) fn new(limits: Limits, price: Option<Price>, before: Used) -> Self {
        let cost = price.map(|_| 0.0);
        Self { limits, price, before, used: Used { cost, ..Used::default() }, more: 1.0, began: Instant::now() }
    }

    /// For this question.
    pub(super) fn used(&self) -> Used {
        self.used
    }

    /// Tokens of a question at most, as this provider counts.
    fn input(&self, ask: &Ask<'_>) -> u64 {
        (size(ask) as f64 * self.more).ceil() as u64
    }

    /// Whether the next turn is the last.
    pub(super) fn is_last(&self) -> bool {
        let is_over = |time| self.began.elapsed() >= time;
        self.used.steps + 1 >= self.limits.steps || self.limits.time.is_some_and(is_over)
    }

    /// How long the next turn may be, or why there is none.
    pub(super) fn next(&self, ask: &Ask<'_>) -> Result<u64, String> {
        if self.used.steps >= self.limits.steps {
            return Err(format!("the limit of {} steps is reached", self.limits.steps));
        }
        let input = self.input(ask);
        let all = self.before.and(self.used);
        let mut most = self.limits.tokens.saturating_sub(all.tokens()).saturating_sub(input).min(LONGEST_ANSWER);
        if most < SHORTEST_ANSWER {
            let needed = input.saturating_add(SHORTEST_ANSWER);
            return Err(format!(
                "the limit of {} tokens is reached: {} are used, and the next turn may take {needed}",
                self.limits.tokens,
                all.tokens()
            ));
        }
        if let (Some(limit), Some(price)) = (self.limits.cost, self.price) {
            let spent = all.cost.unwrap_or_default();
            let with = |output: u64| spent + price.of(Tokens { input, output });
            while most >= SHORTEST_ANSWER && with(most) > limit {
                most /= 2;
            }
            if most < SHORTEST_ANSWER {
                let next = price.of(Tokens { input, output: SHORTEST_ANSWER });
                return Err(format!(
                    "the limit of ${limit} is reached: ${spent:.4} is used, and the next turn may cost ${next:.4}"
                ));
            }
        }
        Ok(most)
    }

    /// Notes a turn. What the provider does not say is estimated.
    pub(super) fn spend(&mut self, ask: &Ask<'_>, parts: &[Part], tokens: Option<Tokens>) {
        if let Some(said) = tokens {
            self.more = self.more.max(said.input as f64 / size(ask).max(1) as f64);
        }
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
    let tool =
        |tool: &Tool| MARKS + at_most(tool.name) + at_most(&tool.description) + at_most(&tool.parameters.to_string());
    let tools: u64 = ask.tools.iter().map(tool).sum();
    let explained = if ask.tools.is_empty() { 0 } else { TOOLS };
    MARKS + at_most(ask.system) + explained + tools + ask.messages.iter().map(of_message).sum::<u64>()
}

fn of_message(message: &Message) -> u64 {
    let of_result = |result: &ToolResult| MARKS + at_most(&result.id) + at_most(&result.text);
    MARKS
        + match message {
            Message::User { text } => at_most(text),
            Message::Assistant { parts } => parts.iter().map(of_part).sum(),
            Message::Tool { results } => results.iter().map(of_result).sum(),
        }
}

fn of_part(part: &Part) -> u64 {
    match part {
        Part::Text { text } => at_most(text),
        Part::Thought { block } => at_most(&block.to_string()),
        Part::Call(call) => MARKS + at_most(&call.id) + at_most(&call.name) + at_most(&call.input.to_string()),
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
        let next = |limits: Limits, price| Budget::new(limits, price, Used::default()).next(&ask);
        assert_eq!(next(Limits::default(), None), Ok(8_192));
        assert_eq!(next(Limits { tokens: 1_332, ..Limits::default() }, None), Ok(300));
        let error = |limits, price| next(limits, price).unwrap_err();
        assert!(error(Limits { tokens: 1_200, ..Limits::default() }, None).contains("1200 tokens"));
        assert!(error(Limits { steps: 0, ..Limits::default() }, None).contains("0 steps"));
        let cheap = Limits { cost: Some(0.002), ..Limits::default() };
        assert_eq!(next(cheap, Some(price)), Ok(512));
        assert_eq!(next(cheap, None), Ok(8_192), "without a price there is nothing to count");
        assert!(error(Limits { cost: Some(0.001), ..cheap }, Some(price)).contains("$0.001"));

        let mut budget = Budget::new(cheap, Some(price), Used::default());
        budget.spend(&ask, &[], Some(Tokens { input: 1_000, output: 900 }));
        assert!(budget.next(&ask).is_err());
        let used = budget.used();
        assert_eq!((used.steps, used.input_tokens, used.output_tokens), (1, 1_000, 900));
        assert!((used.cost.unwrap() - 0.0019).abs() < 1e-9);
        budget.spend(&ask, &[Part::Text { text: "abc".into() }], None);
        assert_eq!((budget.used().input_tokens, budget.used().output_tokens), (2_032, 902));
        // What a provider says may be any number.
        budget.spend(&ask, &[], Some(Tokens { input: u64::MAX, output: u64::MAX }));
        assert!(budget.next(&ask).is_err());
    }

    #[test]
    fn a_provider_that_counts_more_than_was_expected_is_expected_to_do_so_again() {
        let messages = [Message::user("x".repeat(2_000))];
        let ask = Ask { system: "", messages: &messages, tools: &[], may_call: true, longest_answer: 0 };
        let limits = Limits { tokens: 6_500, ..Limits::default() };
        let price = Price { input: 1.0, output: 1.0 };
        let mut budget = Budget::new(limits, Some(price), Used::default());
        assert_eq!(budget.next(&ask), Ok(5_468));
        budget.spend(&ask, &[], Some(Tokens { input: 3_096, output: 0 }));
        // Three times what was expected: 308 are left for the answer, not 2,372.
        assert_eq!(budget.next(&ask), Ok(308));
    }

    #[test]
    fn what_was_used_before_counts_and_is_told() {
        let messages = [Message::user("x".repeat(2_000))];
        let ask = Ask { system: "", messages: &messages, tools: &[], may_call: true, longest_answer: 0 };
        let price = Price { input: 1.0, output: 1.0 };
        let before = Used { steps: 19, input_tokens: 8_000, output_tokens: 1_000, cost: Some(0.009) };
        let of = |limits: Limits| Budget::new(limits, Some(price), before).next(&ask);
        let limits = Limits { steps: 1, tokens: 10_000, cost: None, time: None };
        assert_eq!(
            of(limits),
            Err("the limit of 10000 tokens is reached: 9000 are used, and the next turn may take 1288".to_owned())
        );
        let cost = Limits { tokens: 100_000, cost: Some(0.01), ..limits };
        assert_eq!(
            of(cost),
            Err("the limit of $0.01 is reached: $0.0090 is used, and the next turn may cost $0.0013".to_owned())
        );
        assert_eq!(of(Limits { cost: Some(0.02), ..cost }), Ok(8_192), "steps are those of one question");
    }

    #[test]
    fn the_turn_after_the_time_is_the_last() {
        let is_last = |time| Budget::new(Limits { time, ..Limits::default() }, None, Used::default()).is_last();
        let times = [None, Some(Duration::from_secs(60)), Some(Duration::ZERO)];
        assert_eq!(times.map(is_last), [false, false, true]);
    }
}
