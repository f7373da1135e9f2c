//! The document's side: the sum of one row of a table for each token.

use super::file::{EncoderError, File, Rows};
use super::vocabulary::Vocabulary;

/// Tokens of a document that are read; what stands behind them does not count.
const MAX_TOKENS: usize = 512;

/// The rows, and the tokens that they stand for.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    vocabulary: Vocabulary<'a>,
    rows: Rows<'a>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(file: &File<'a>) -> Result<Self, EncoderError> {
        let vocabulary = file.vocabulary("document.vocabulary")?;
        let rows = file.scaled_rows("document.table", vocabulary.list().count(), None)?;
        Ok(Self { vocabulary, rows })
    }

    /// How long a vector is.
    pub(crate) fn dimensions(&self) -> usize {
        self.rows.columns()
    }

    /// Whether a word is one token.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.vocabulary.is_word(word)
    }

    /// The tokens in the order of their numbers.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &'a str> {
        self.vocabulary.list()
    }

    /// The vector of a text, not normalised. A word that is not in the vocabulary adds nothing.
    pub(crate) fn vector(&self, text: &str) -> Vec<f32> {
        let mut tokens = self.vocabulary.tokens(text, MAX_TOKENS);
        tokens.retain(|token| !self.vocabulary.is_unknown(*token));
        let mut sum = vec![0.0; self.rows.columns()];
        self.rows.add(&tokens, &mut sum);
        sum
    }
}
