//! The embedder inside the binary: a transformer for questions and a table for documents, made by `tools/train-encoder`.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use clusterlore_core::EmbedderIdentity;

use crate::embedder::{EmbedError, Embedder, Purpose};
use crate::encoder::Encoder;

/// Raised when the encoder is trained again: vectors of two encoders must not meet in one collection.
const NAME: &str = "builtin-v3";
pub(crate) const DIMENSIONS: usize = 256;
static WEIGHTS: &[u8] = include_bytes!("../data/builtin/encoder.safetensors");

/// The encoder that is part of the binary, or another one in its place. It is read when it is first needed: a sync that finds nothing
/// changed does without.
#[derive(Debug, Clone, Default)]
pub struct Builtin(Option<Arc<Encoder<'static>>>);

impl Builtin {
    /// Another encoder in place of the one in the binary, to try it.
    pub fn of(encoder: Arc<Encoder<'static>>) -> Self {
        Self(Some(encoder))
    }

    /// The identity without loading the weights.
    pub fn identity_of() -> EmbedderIdentity {
        EmbedderIdentity { name: NAME.to_owned(), dimensions: DIMENSIONS }
    }

    /// The encoder.
    ///
    /// # Errors
    /// Only where the binary was built from damaged weights.
    pub fn encoder(&self) -> Result<Arc<Encoder<'static>>, EmbedError> {
        self.0.as_ref().map_or_else(encoder, |own| Ok(Arc::clone(own)))
    }
}

/// The encoder of the binary, one for the whole program.
pub(crate) fn encoder() -> Result<Arc<Encoder<'static>>, EmbedError> {
    static ENCODER: OnceLock<Arc<Encoder<'static>>> = OnceLock::new();
    if let Some(encoder) = ENCODER.get() {
        return Ok(Arc::clone(encoder));
    }
    let encoder =
        Encoder::from_bytes(WEIGHTS).map_err(|e| EmbedError::Load { name: NAME.to_owned(), problem: e.to_string() })?;
    Ok(Arc::clone(ENCODER.get_or_init(|| Arc::new(encoder))))
}

/// The words that are one token, in the order of the table: first those of the domain that the table was trained on, then English by
/// how usual it is.
pub(crate) fn words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| match encoder() {
        Ok(encoder) => encoder.tokens().filter(|token| is_plain(token)).collect(),
        Err(_) => Vec::new(),
    })
}

/// Whether a word, in lower case, is one token.
pub(crate) fn is_word(word: &str) -> bool {
    is_plain(word) && encoder().is_ok_and(|encoder| encoder.is_word(word))
}

fn is_plain(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_lowercase())
}

#[async_trait]
impl Embedder for Builtin {
    fn identity(&self) -> EmbedderIdentity {
        Self::identity_of()
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let this = self.clone();
        let embed = move || {
            let encoder = this.encoder()?;
            Ok(match purpose {
                Purpose::Document => encoder.documents(&texts),
                Purpose::Query => texts.iter().map(|text| encoder.question(text)).collect(),
            })
        };
        tokio::task::spawn_blocking(embed)
            .await
            .map_err(|e| EmbedError::Failed { name: NAME.to_owned(), problem: e.to_string() })?
    }

    fn knows(&self, word: &str) -> Option<bool> {
        Some(is_word(word))
    }

    fn words(&self) -> &'static [&'static str] {
        words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn vectors(purpose: Purpose, texts: &[&str]) -> Vec<Vec<f32>> {
        Builtin::default().embed(purpose, texts.iter().map(|t| (*t).to_owned()).collect()).await.unwrap()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn the_weights_are_those_that_the_identity_names() {
        assert_eq!(encoder().unwrap().dimensions(), DIMENSIONS);
        assert!(words().len() > 10_000 && words().contains(&"database") && is_word("database"));
    }

    #[tokio::test]
    async fn meaning_is_nearer_than_spelling() {
        let q = vectors(Purpose::Query, &["which relational database keeps the orders?"]).await;
        let v = vectors(Purpose::Document, &["PostgresCluster orders-db", "Ingress shop-web"]).await;
        assert!(q.iter().chain(&v).all(|v| v.len() == DIMENSIONS && (cosine(v, v) - 1.0).abs() < 1e-3));
        assert!(cosine(&q[0], &v[0]) > cosine(&q[0], &v[1]) + 0.1);
    }

    #[tokio::test]
    async fn words_are_split_before_they_are_embedded() {
        for purpose in [Purpose::Document, Purpose::Query] {
            let v = vectors(purpose, &["PostgresCluster orders-db", "postgres cluster orders db"]).await;
            assert_eq!(v[0], v[1], "{purpose:?}");
        }
    }

    #[tokio::test]
    async fn many_documents_are_embedded_in_their_order() {
        let texts: Vec<String> = words().iter().take(1000).map(|word| format!("the {word}")).collect();
        let all = Builtin::default().embed(Purpose::Document, texts.clone()).await.unwrap();
        let encoder = encoder().unwrap();
        assert!(texts.iter().zip(&all).all(|(text, vector)| encoder.document(text) == *vector) && all.len() == 1000);
    }

    #[test]
    fn whole_words_are_known() {
        let builtin = Builtin::default();
        for (word, known) in
            [("database", true), ("lift", true), ("databse", false), ("##ing", false), ("[UNK]", false), ("", false)]
        {
            assert_eq!(builtin.knows(word), Some(known), "{word}");
        }
    }

    #[tokio::test]
    async fn text_without_words_is_a_vector_of_zeros() {
        for purpose in [Purpose::Document, Purpose::Query] {
            let v = vectors(purpose, &["", "-- // --"]).await;
            assert!(v.iter().flatten().all(|x| *x == 0.0), "{purpose:?}");
        }
    }
}
