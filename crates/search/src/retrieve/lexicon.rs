//! What software is for, as vectors: the catalogue's sentence about Vault is near to "which thing keeps our passwords", although no
//! phrase of the catalogue says so. The built-in embedder makes these vectors, whichever embedder filled the index: that takes
//! milliseconds, once.

use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::EmbedderIdentity;
use clusterlore_models::{Builtin, EmbedError, Embedder, Encoder, Purpose};
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

/// The most software that a question may mean without naming it.
const MEANT: usize = 12;
/// The lowest cosine of such software.
const IS_MEANT: f32 = 0.35;
/// The most questions whose vectors are kept, about 2 kB each.
const KEPT: usize = 2_048;

/// The vectors of all software of the catalogue, made when first needed.
#[derive(Debug)]
pub(crate) struct Lexicon {
    builtin: Builtin,
    software: OnceCell<Vec<Vec<f32>>>,
    /// What was read before: programs ask the same questions again, and a question costs milliseconds.
    questions: Cache<String, Arc<Encoded>>,
}

impl Default for Lexicon {
    fn default() -> Self {
        Self::of_encoder(Builtin::default())
    }
}

/// How near a question is to all software, in the order of [`Catalogue::all_software`].
#[derive(Debug, Default)]
pub(crate) struct Nearness(Vec<f32>);

impl Nearness {
    /// The cosine of the question and the software at that place, 0 if it is negative.
    pub(crate) fn of(&self, software: usize) -> f32 {
        self.0.get(software).copied().unwrap_or_default()
    }

    /// The software that the question may mean, the nearest first.
    pub(crate) fn meant(&self) -> Vec<usize> {
        let mut near: Vec<(usize, f32)> =
            self.0.iter().copied().enumerate().filter(|(_, cosine)| *cosine >= IS_MEANT).collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.into_iter().take(MEANT).map(|(at, _)| at).collect()
    }
}

/// A question as the encoder reads it.
#[derive(Debug)]
pub(crate) struct Encoded {
    encoder: Arc<Encoder<'static>>,
    pub(crate) vector: Vec<f32>,
}

impl Encoded {
    /// How likely a document answers the question, by the cosine of their vectors.
    pub(crate) fn probability(&self, cosine: f32) -> f32 {
        self.encoder.probability(cosine)
    }
}

impl Lexicon {
    /// With vectors of this encoder.
    pub(crate) fn of_encoder(builtin: Builtin) -> Self {
        Self { builtin, software: OnceCell::default(), questions: Cache::new(KEPT) }
    }

    /// Reads a question.
    pub(crate) async fn encode(&self, question: &str) -> Result<Arc<Encoded>, EmbedError> {
        if let Some(known) = self.questions.get(question) {
            return Ok(known);
        }
        let vector = self.builtin.embed(Purpose::Query, vec![question.to_owned()]).await?.pop().unwrap_or_default();
        let encoded = Arc::new(Encoded { encoder: self.builtin.encoder()?, vector });
        self.questions.insert(question.to_owned(), Arc::clone(&encoded));
        Ok(encoded)
    }

    /// Whether the encoder filled what this embedder filled.
    pub(crate) fn is(&self, embedder: &EmbedderIdentity) -> bool {
        *embedder == self.builtin.identity()
    }

    /// Whether cosines of this embedder's vectors mean what the ranking takes them to mean.
    pub(crate) fn knows(&self, embedder: &EmbedderIdentity) -> bool {
        #[cfg(test)]
        if embedder.name == Self::TOY {
            return true;
        }
        self.is(embedder)
    }

    /// An embedder of tests whose vectors speak for themselves.
    #[cfg(test)]
    pub(crate) const TOY: &str = "toy";

    /// Reads the vectors of all software, if that is not done.
    pub(crate) async fn software(&self, catalogue: &Catalogue) -> Result<&[Vec<f32>], EmbedError> {
        Ok(self.software.get_or_try_init(|| self.read(catalogue)).await?)
    }

    /// How near a question is to all software, by its vector of the encoder.
    pub(crate) async fn nearness(&self, catalogue: &Catalogue, question: &[f32]) -> Result<Nearness, EmbedError> {
        let software = self.software(catalogue).await?;
        let near = |of: &Vec<f32>| dot(of, question).max(0.0);
        Ok(Nearness(software.iter().map(near).collect()))
    }

    /// The vector of a text that stands for a document.
    pub(crate) fn document(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        Ok(self.builtin.encoder()?.document(text))
    }

    async fn read(&self, catalogue: &Catalogue) -> Result<Vec<Vec<f32>>, EmbedError> {
        let all = catalogue.all_software();
        let texts = all.iter().map(|s| format!("{} {} {}", s.title, s.about, s.categories.join(" "))).collect();
        self.builtin.embed(Purpose::Document, texts).await
    }
}

/// Sums in lanes, because the compiler may not vectorise a single sum.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        (0..LANES).for_each(|lane| sums[lane] += a[lane] * b[lane]);
    }
    sums.iter().sum::<f32>() + rest
}
