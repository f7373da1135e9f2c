//! What software is, as vectors: the catalogue's sentence about Vault is near to "which thing keeps our passwords", though nobody
//! wrote a phrase for it. Always made by the built-in table, whichever embedder filled the index: it costs milliseconds once.

use std::collections::HashMap;

use clusterlore_catalogue::{Catalogue, Software};
use clusterlore_core::EmbedderIdentity;
use clusterlore_models::{Builtin, EmbedError, Embedder, Purpose};
use tokio::sync::OnceCell;

/// Software that a question may mean without naming it.
const MEANT: usize = 12;
/// Cosine from which it may.
const IS_MEANT: f32 = 0.15;
/// Cosine of texts that have nothing to do with each other.
const FLOOR: f32 = 0.25;

#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    builtin: Builtin,
    software: OnceCell<HashMap<String, Vec<f32>>>,
}

/// A question's nearness to all software.
#[derive(Debug, Default)]
pub(crate) struct Nearness(HashMap<String, f32>);

impl Nearness {
    /// Cosine of the question and what the software is, 0 where it is negative.
    pub(crate) fn of(&self, software: &Software) -> f32 {
        self.0.get(&*software.id).copied().unwrap_or_default()
    }

    /// Ids of the software that the question may mean, the nearest first.
    pub(crate) fn meant(&self) -> Vec<&str> {
        let mut near: Vec<(&String, &f32)> = self.0.iter().filter(|(_, cosine)| **cosine >= IS_MEANT).collect();
        near.sort_by(|a, b| b.1.total_cmp(a.1).then(a.0.cmp(b.0)));
        near.into_iter().take(MEANT).map(|(id, _)| id.as_str()).collect()
    }
}

impl Lexicon {
    /// Nearness of a question; `vector` is its vector by `embedder`, which spares embedding it again where that is the table.
    pub(crate) async fn nearness(
        &self,
        catalogue: &Catalogue,
        question: &str,
        embedder: &EmbedderIdentity,
        vector: &[f32],
    ) -> Result<Nearness, EmbedError> {
        let software = self.software.get_or_try_init(|| self.read(catalogue)).await?;
        let own;
        let vector = if *embedder == self.builtin.identity() {
            vector
        } else {
            own = self.builtin.embed(Purpose::Query, vec![question.to_owned()]).await?.pop().unwrap_or_default();
            &own
        };
        let cosine =
            |of: &[f32]| ((of.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>() - FLOOR) / (1.0 - FLOOR)).max(0.0);
        Ok(Nearness(software.iter().map(|(id, of)| (id.clone(), cosine(of))).collect()))
    }

    async fn read(&self, catalogue: &Catalogue) -> Result<HashMap<String, Vec<f32>>, EmbedError> {
        let all = catalogue.all_software();
        let texts = all.iter().map(|s| format!("{} {} {}", s.title, s.about, s.categories.join(" "))).collect();
        let vectors = self.builtin.embed(Purpose::Document, texts).await?;
        Ok(all.iter().map(|s| s.id.to_string()).zip(vectors).collect())
    }
}
