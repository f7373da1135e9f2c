//! The document's side: the sum of one row of a table for each token.

use super::file::{EncoderError, File, Matrix};
use super::vocabulary::Vocabulary;

/// Tokens of a document that are read; what stands behind them does not count.
const MAX_TOKENS: usize = 512;

/// The rows, and the tokens that they stand for.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    vocabulary: Vocabulary<'a>,
    rows: Matrix<'a>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(file: &File<'a>) -> Result<Self, EncoderError> {
        let vocabulary = file.vocabulary("document.vocabulary")?;
        let rows = file.matrix("document.table", Some(vocabulary.list().count()), None)?;
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
        let mut sum = vec![0.0; self.rows.columns()];
        for token in self.vocabulary.tokens(text, MAX_TOKENS) {
            if !self.vocabulary.is_unknown(token) {
                self.rows.add_row(token as usize, &mut sum);
            }
        }
        sum
    }
}
