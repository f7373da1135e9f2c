//! What answers take, and what they cost.

use serde::{Deserialize, Serialize};

/// Tokens, as providers count and charge them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Of the question.
    pub input: u64,
    /// Of the answer, thoughts included.
    pub output: u64,
}

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Of questions.
    pub input: f64,
    /// Of answers.
    pub output: f64,
}

/// List prices for prompts of up to 100,000 tokens, on 2026-11-25, from
/// <https://platform.claude.com/docs/en/about-claude/pricing> and <https://developers.openai.com/api/docs/pricing>.
const LIST: [(&str, f64, f64); 15] = [
    ("claude-haiku-5-5", 0.10, 0.50),
    ("claude-haiku-4-5", 1.0, 5.0),
    ("claude-sonnet-5-5", 2.0, 10.0),
    ("claude-sonnet-5", 2.0, 10.0),
    ("claude-sonnet-4-6", 3.0, 15.0),
    ("claude-sonnet-4-5", 3.0, 15.0),
    ("claude-opus-5-5", 4.0, 20.0),
    ("claude-opus-5", 5.0, 25.0),
    ("claude-opus-4-8", 5.0, 25.0),
    ("claude-opus-4-7", 5.0, 25.0),
    ("claude-opus-4-6", 5.0, 25.0),
    ("claude-opus-4-5", 5.0, 25.0),
    ("claude-fable-5-1", 10.0, 50.0),
    ("gpt-6-luna", 0.10, 0.50),
    ("gpt-5-nano", 0.05, 0.40),
];

impl Price {
    /// What the provider of a model charges, by the model's name or that of one of its dated versions (`-20251001`). Nothing
    /// else: a newer version may cost ten times as much, or a tenth.
    pub(crate) fn listed(model: &str) -> Option<Self> {
        let of = |name: &str| model.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("-20"));
        LIST.iter().find(|(name, ..)| of(name)).map(|&(_, input, output)| Self { input, output })
    }

    /// US dollars.
    pub fn of(self, tokens: Tokens) -> f64 {
        (tokens.input as f64 * self.input + tokens.output as f64 * self.output) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_exactly_these_models() {
        let price = |model| Price::listed(model).map(|p| (p.input, p.output));
        assert_eq!(price("claude-haiku-5-5"), Some((0.10, 0.50)));
        assert_eq!(price("claude-haiku-4-5-20251001"), Some((1.0, 5.0)));
        assert_eq!(price("gpt-5-nano-2025-08-07"), Some((0.05, 0.40)));
        assert_eq!((price("claude-sonnet-5-7"), price("gpt-6-luna-pro"), price("llama4")), (None, None, None));
        let price = Price { input: 1.0, output: 5.0 };
        assert!((price.of(Tokens { input: 2_000, output: 1_000 }) - 0.007).abs() < 1e-12);
    }
}
