//! What a question is parsed with.

use clusterlore_catalogue::Catalogue;
use clusterlore_core::ResourceType;
use clusterlore_store::Vocabulary;

/// What the index, the catalogue and the clock know when a question is parsed.
#[derive(Clone, Copy)]
pub(crate) struct QueryContext<'a> {
    /// The namespaces, types and labels of the index.
    pub(crate) vocabulary: &'a Vocabulary,
    /// The types that the index knows, each with its cluster.
    pub(crate) types: &'a [(String, ResourceType)],
    /// Known software, API groups and kinds.
    pub(crate) catalogue: &'a Catalogue,
    /// When the question is asked, RFC 3339; days begin at its offset. Empty if not known; then no question can ask for an age.
    pub(crate) now: &'a str,
    /// The question's language, if it is not English.
    pub(crate) language: Option<&'static str>,
    /// Whether a word, in lower case, is English, as far as anybody knows.
    pub(crate) is_english: &'a (dyn Fn(&str) -> bool + Sync),
}
