//! What a question is parsed with.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use clusterlore_catalogue::Catalogue;
use clusterlore_core::ResourceType;
use clusterlore_store::{ClusterNames, Vocabulary};

/// What the index, the catalogue and the clock know when a question is parsed.
#[derive(Clone, Copy)]
pub(crate) struct QueryContext<'a> {
    /// The namespaces, types and labels of the index.
    pub(crate) vocabulary: &'a Vocabulary,
    /// What the clusters of the index are called.
    pub(crate) clusters: &'a ClusterNames,
    /// The types that the index knows, each with its cluster.
    pub(crate) types: &'a KnownTypes<'a>,
    /// Known software, API groups and kinds.
    pub(crate) catalogue: &'a Catalogue,
    /// When the question is asked, RFC 3339; days begin at its offset. Empty if not known; then no question can ask for an age.
    pub(crate) now: &'a str,
    /// The question's language, if it is not English.
    pub(crate) language: Option<&'static str>,
    /// Whether a word, in lower case, is English, as far as anybody knows.
    pub(crate) is_english: &'a (dyn Fn(&str) -> bool + Sync),
}

/// The types that the index knows, each with its cluster, and which of them each word of the question names.
pub(crate) struct KnownTypes<'a> {
    all: &'a [(String, ResourceType)],
    /// Rules ask for the same words again and again.
    named: Memo<BTreeSet<String>>,
}

impl<'a> KnownTypes<'a> {
    pub(crate) fn of(all: &'a [(String, ResourceType)]) -> Self {
        Self { all, named: Memo::default() }
    }

    /// The types (`plural.group`) that `find` gives for a word; it is asked once.
    pub(super) fn named(&self, word: &str, find: impl FnOnce() -> BTreeSet<String>) -> BTreeSet<String> {
        self.named.get(word, find)
    }
}

impl Deref for KnownTypes<'_> {
    type Target = [(String, ResourceType)];

    fn deref(&self) -> &Self::Target {
        self.all
    }
}

/// What was worked out of each word of a question.
pub(super) struct Memo<V>(Mutex<HashMap<String, V>>);

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone> Memo<V> {
    /// What `make` makes of the word; it is asked once.
    pub(super) fn get(&self, word: &str, make: impl FnOnce() -> V) -> V {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(word) {
            return known.clone();
        }
        let made = make();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(word.to_owned(), made.clone());
        made
    }
}
