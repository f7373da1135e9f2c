//! The embedder inside the binary: a static table of word vectors (Model2Vec format, int8), made by `tools/train-embedder`.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use clusterlore_core::EmbedderIdentity;
use model2vec_rs::model::StaticModel;

use crate::embedder::{EmbedError, Embedder, Purpose};

/// Raised when the table is trained again: vectors of two tables must not meet in one collection.
const NAME: &str = "builtin-v2";
const DIMENSIONS: usize = 256;
/// Tokens of a text that are read; what stands behind them does not count.
const MAX_TOKENS: usize = 512;
const BATCH: usize = 1024;
const TOKENIZER: &str = include_str!("../data/builtin/tokenizer.json");

/// The static table, read when a text is first embedded: a sync that finds nothing changed does without.
#[derive(Debug, Clone, Default)]
pub struct Builtin {
    model: Arc<OnceLock<StaticModel>>,
}

impl Builtin {
    /// Reads the table that is part of the binary; fails only where the binary was built from a damaged one.
    fn model(&self) -> Result<&StaticModel, EmbedError> {
        if let Some(model) = self.model.get() {
            return Ok(model);
        }
        let model = StaticModel::from_bytes(
            TOKENIZER.as_bytes(),
            include_bytes!("../data/builtin/model.safetensors"),
            include_bytes!("../data/builtin/config.json"),
            Some(true),
        )
        .map_err(|e| EmbedError::Load { name: NAME.to_owned(), problem: format!("{e:#}") })?;
        Ok(self.model.get_or_init(|| model))
    }

    /// The identity without loading the table.
    pub fn identity_of() -> EmbedderIdentity {
        EmbedderIdentity { name: NAME.to_owned(), dimensions: DIMENSIONS }
    }
}

/// The words that are one token, in the order of the table: first those of the domain that the table was trained on, then
/// English by how usual it is. Read off the tokenizer's file directly, which takes a tenth of the time of loading it.
pub(crate) fn words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let tokens = TOKENIZER.split_once("\"vocab\":{").map_or("", |(_, tokens)| tokens);
        let word = |entry: &'static str| entry.split_once("\":").map(|(word, _)| word);
        tokens
            .split(",\"")
            .filter_map(word)
            .filter(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
            .collect()
    })
}

/// Whether a word, in lower case, is one token.
pub(crate) fn is_word(word: &str) -> bool {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| words().iter().copied().collect()).contains(word)
}

#[async_trait]
impl Embedder for Builtin {
    fn identity(&self) -> EmbedderIdentity {
        Self::identity_of()
    }

    async fn embed(&self, _purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let this = self.clone();
        let encode = move || {
            let texts: Vec<String> = texts.iter().map(|text| clusterlore_core::words::for_embedding(text)).collect();
            Ok(this.model()?.encode_with_args(&texts, Some(MAX_TOKENS), BATCH))
        };
        tokio::task::spawn_blocking(encode)
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

    async fn vectors(texts: &[&str]) -> Vec<Vec<f32>> {
        let builtin = Builtin::default();
        builtin.embed(Purpose::Document, texts.iter().map(|t| (*t).to_owned()).collect()).await.unwrap()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[tokio::test]
    async fn meaning_is_nearer_than_spelling() {
        let v = vectors(&["relational database", "PostgresCluster orders-db", "Ingress shop-web"]).await;
        assert!(v.iter().all(|v| v.len() == DIMENSIONS && (cosine(v, v) - 1.0).abs() < 1e-3));
        assert!(cosine(&v[0], &v[1]) > cosine(&v[0], &v[2]) + 0.1);
    }

    #[tokio::test]
    async fn words_are_split_before_they_are_embedded() {
        let v = vectors(&["PostgresCluster orders-db", "postgres cluster orders db"]).await;
        assert_eq!(v[0], v[1]);
    }

    #[test]
    fn whole_words_are_known() {
        let builtin = Builtin::default();
        for (word, known) in [("database", true), ("lift", true), ("databse", false), ("##ing", false), ("", false)] {
            assert_eq!(builtin.knows(word), Some(known), "{word}");
        }
    }

    #[tokio::test]
    async fn text_without_words_is_a_vector_of_zeros() {
        let v = vectors(&["", "-- // --"]).await;
        assert!(v.iter().flatten().all(|x| *x == 0.0));
    }
}
