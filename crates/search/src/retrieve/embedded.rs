//! A parsed query with all that documents are compared with.

use std::sync::Arc;

use clusterlore_catalogue::{Catalogue, Meaning};
use clusterlore_models::{EmbedError, Embedder, Purpose};

use super::lexicon::{Encoded, Lexicon, Nearness};
use crate::query::{Concepts, ParsedQuery};

/// A query, ready to retrieve with and to rank by.
pub(crate) struct EmbeddedQuery<'q> {
    pub(crate) catalogue: &'q Catalogue,
    pub(crate) parsed: &'q ParsedQuery,
    pub(crate) concepts: Concepts<'q>,
    /// Its vector. Empty if meaning does not count.
    pub(crate) vector: Vec<f32>,
    /// How near it is to what software is for.
    pub(crate) nearness: Nearness,
    /// If another embedder filled the index: the vector by which documents are compared all the same. Cosines of other embedders lie
    /// elsewhere (0.7 to 0.9 of one, 0 to 0.6 of another), and the ranking knows those of the built-in one. The other brings up candidates.
    pub(crate) builtin: Option<Vec<f32>>,
    /// What the encoder reads. `None` if meaning does not count.
    pub(crate) encoded: Option<Arc<Encoded>>,
}

impl<'q> EmbeddedQuery<'q> {
    /// Embeds the free text. Meaning does not count for a query with only conditions, or in a language that cannot be read.
    pub(crate) async fn of_text(
        catalogue: &'q Catalogue,
        lexicon: &Lexicon,
        embedder: &dyn Embedder,
        parsed: &'q ParsedQuery,
    ) -> Result<Self, EmbedError> {
        let mut concepts = Concepts::of(catalogue, parsed);
        if let Some(english) = &parsed.english {
            let read = ParsedQuery { text: english.clone(), ..ParsedQuery::default() };
            add_new(&mut concepts, Concepts::of(catalogue, &read));
        }
        if !parsed.has_meaning() {
            let (vector, builtin, encoded, nearness) = (Vec::new(), None, None, Nearness::default());
            return Ok(Self { catalogue, parsed, concepts, vector, builtin, nearness, encoded });
        }
        let encoded = lexicon.encode(parsed.meant()).await?;
        let identity = embedder.identity();
        let vector = match lexicon.is(&identity) {
            true => encoded.vector.clone(),
            false => embedder.embed(Purpose::Query, vec![parsed.meant().to_owned()]).await?.pop().unwrap_or_default(),
        };
        let builtin = (!lexicon.knows(&identity)).then(|| encoded.vector.clone());
        let nearness = lexicon.nearness(catalogue, &encoded.vector).await?;
        Ok(Self { catalogue, parsed, concepts, vector, builtin, nearness, encoded: Some(encoded) })
    }

    /// Embeds an object, by the text that was embedded when it was indexed. Objects of any software may be similar to it, even if its words
    /// name one.
    pub(crate) async fn of_object(
        catalogue: &'q Catalogue,
        lexicon: &Lexicon,
        embedder: &dyn Embedder,
        parsed: &'q ParsedQuery,
        text: String,
    ) -> Result<Self, EmbedError> {
        let mut concepts = Concepts::of(catalogue, parsed);
        concepts.software.clear();
        let builtin = match lexicon.knows(&embedder.identity()) {
            true => None,
            false => Some(lexicon.document(&text)?),
        };
        let vector = embedder.embed(Purpose::Document, vec![text]).await?.pop().unwrap_or_default();
        let nearness = lexicon.nearness(catalogue, &lexicon.document(&parsed.text)?).await?;
        Ok(Self { catalogue, parsed, concepts, vector, builtin, nearness, encoded: None })
    }

    /// The same question for types. `parsed` is its text without conditions.
    pub(crate) fn for_types<'t>(&self, parsed: &'t ParsedQuery) -> EmbeddedQuery<'t>
    where
        'q: 't,
    {
        let concepts = self.concepts.without_unwanted();
        let nearness = Nearness::default();
        let (vector, builtin, encoded) = (self.vector.clone(), self.builtin.clone(), self.encoded.clone());
        EmbeddedQuery { catalogue: self.catalogue, parsed, concepts, vector, builtin, nearness, encoded }
    }
}

/// Adds what only the English words of a question name. What the question itself names counts once.
fn add_new<'c>(concepts: &mut Concepts<'c>, read: Concepts<'c>) {
    let known: Vec<_> = concepts.meanings().map(Meaning::id).collect();
    let new = |(meanings, _): &(Vec<Meaning<'c>>, usize)| !meanings.iter().any(|m| known.contains(&m.id()));
    let parts: Vec<_> = read.parts.into_iter().filter(new).collect();
    concepts.parts.extend(parts);
    concepts.kinds.extend(read.kinds);
}
