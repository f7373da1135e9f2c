//! The encoder for questions: a question goes through a transformer, a document is a sum of rows of a table. Both vectors lie in one
//! space, so that their cosine says whether the document answers the question, and a sync embeds documents at the price of a table.
//!
//! # Weights
//!
//! One safetensors file. Its description (`__metadata__`) holds `format` = `clusterlore-encoder-1`, `layers`, `heads`, and `a` and `c`
//! of [`Encoder::logit`]. With V and W tokens, H the transformer's width (`heads` divides it), I the width between, P positions, and D
//! dimensions:
//!
//! | tensor | type and shape |
//! | --- | --- |
//! | `question.vocabulary`, `document.vocabulary` | U8: the tokens in the order of their numbers, joined by line feeds, without one at the end; V and W of them. `[UNK]` is one of both, `[CLS]` and `[SEP]` of the question's |
//! | `question.words` | rows [V, H] |
//! | `question.positions` | F32 [P, H], the vector of token type 0 added to each row |
//! | `question.norm.weight`, `.bias` | F32 [H] |
//! | `question.layer.N.query`, `.key`, `.value`, `.attention` (what follows the heads) | map [H, H]; N from 0 |
//! | `question.layer.N.intermediate` | map [H, I] |
//! | `question.layer.N.output` | map [I, H] |
//! | `question.layer.N.query.bias` and so on | F32, as long as the map has outputs |
//! | `question.layer.N.attention.norm.weight`, `.bias`, `question.layer.N.output.norm.weight`, `.bias` | F32 [H] |
//! | `question.projection` | map [H, D], without a bias |
//! | `document.table` | rows [W, D]: each with its token's weight and the linear map in it |
//!
//! *Rows* `X` are I8, with F32 `X.scale`, one for each row: a number is the whole one times its row's scale. A *map* `X` is I8, [inputs,
//! outputs] (the transpose of what most training programs keep), with F32 `X.scale`, one for each output.
//! No tensor is empty. Others may be there and are not read.
//!
//! # What is computed
//!
//! Both: the words of the text ([`clusterlore_core::words::for_embedding`]), then BERT's tokenizer, lower case and without accents.
//! A question: `[CLS]`, at most P − 2 tokens, `[SEP]`; BERT's layers (GELU by the error function, layer norm after each sum, epsilon
//! 1e-12); the mean over all tokens, `[CLS]` and `[SEP]` too; the projection; unit length. A document: the sum of the rows of its first
//! 512 tokens, without unknown ones; unit length. A text without a known token is a vector of zeros.

mod file;
mod product;
mod table;
mod transformer;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use clusterlore_core::words;

pub use file::EncoderError;
pub(crate) use file::{File, Rows};
use table::Table;
use transformer::Transformer;

/// What the first entry of the file's description says.
const FORMAT: &str = "clusterlore-encoder-1";
/// Documents that a thread takes at once.
const SHARE: usize = 64;

/// Weights that are ready for questions and documents. They borrow the file: neither the table nor the transformer is copied.
/// The look-up of a side's tokens is made with its first text.
#[derive(Debug)]
pub struct Encoder<'a> {
    transformer: Transformer<'a>,
    table: Table<'a>,
    /// `a` and `c` of the file.
    slope: f32,
    offset: f32,
}

impl<'a> Encoder<'a> {
    /// Reads a file of weights and checks all of it.
    ///
    /// # Errors
    /// When the file is cut off, has another format, lacks a tensor, or has one of another shape or with a number that is not finite.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, EncoderError> {
        let file = File::read(bytes, FORMAT)?;
        let table = Table::new(&file)?;
        let transformer = Transformer::new(&file, table.dimensions())?;
        let number = |name| file.number(name, "a finite number", |number: &f32| number.is_finite());
        Ok(Self { transformer, table, slope: number("a")?, offset: number("c")? })
    }

    /// The vector of a question: of unit length, or zeros if it has no known word.
    pub fn question(&self, text: &str) -> Vec<f32> {
        let vector = self.transformer.vector(&words::for_embedding(text));
        vector.map_or_else(|| vec![0.0; self.dimensions()], unit)
    }

    /// The vector of a document: of unit length, or zeros if it has no known word.
    pub fn document(&self, text: &str) -> Vec<f32> {
        unit(self.table.vector(&words::for_embedding(text)))
    }

    /// The vectors of documents, made on all cores.
    pub fn documents(&self, texts: &[String]) -> Vec<Vec<f32>> {
        let mut vectors = vec![Vec::new(); texts.len()];
        let shares = Mutex::new(texts.chunks(SHARE).zip(vectors.chunks_mut(SHARE)));
        let take = || shares.lock().ok().and_then(|mut shares| shares.next());
        let work = || {
            while let Some((texts, vectors)) = take() {
                vectors.iter_mut().zip(texts).for_each(|(vector, text)| *vector = self.document(text));
            }
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(texts.len().div_ceil(SHARE));
        thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        vectors
    }

    /// Whether a word, in lower case, is one token of documents.
    pub fn is_word(&self, word: &str) -> bool {
        self.table.is_word(word)
    }

    /// How much speaks for a document whose vector has this cosine with a question's: 0 is as likely as not.
    pub fn logit(&self, cosine: f32) -> f32 {
        self.slope * cosine + self.offset
    }

    /// How likely a document answers the question, from 0 to 1, by the cosine of both vectors.
    pub fn probability(&self, cosine: f32) -> f32 {
        1.0 / (1.0 + (-self.logit(cosine)).exp())
    }

    /// How long a vector is.
    pub fn dimensions(&self) -> usize {
        self.table.dimensions()
    }

    /// The tokens of documents in the order of the file. What begins with `##` goes on with a word.
    pub fn tokens(&self) -> impl Iterator<Item = &'a str> {
        self.table.tokens()
    }
}

/// The vector at unit length; zeros stay zeros.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}
