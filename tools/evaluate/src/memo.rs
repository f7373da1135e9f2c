//! A view that remembers what it said. Weights change neither what is asked of it nor what it says, so that every evaluation but the first is scoring alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clusterlore_core::{Collection, JournalEntry, JournalQuery, ObjectKey, ResourceType};
use clusterlore_store::{
    Candidates, CollectionInfo, Counts, KnownSource, Page, Probe, RunRecord, Scanned, StoreError, Terms, View,
    Vocabulary,
};

/// Answers by question.
#[derive(Debug)]
struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    async fn of<E>(&self, key: K, answer: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = answer.await?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer.clone());
        Ok(answer)
    }
}

/// A probe, so that it can be looked up.
#[derive(Debug, Hash, PartialEq, Eq)]
struct Probed {
    collection: Collection,
    vector: Vec<u32>,
    rest: String,
}

impl Probed {
    fn new(collection: Collection, probe: &Probe) -> Self {
        let Probe { vector, terms, filter, nearest, containing } = probe;
        let vector = vector.iter().map(|v| v.to_bits()).collect();
        Self { collection, vector, rest: format!("{terms:?}{filter:?}{nearest} {containing}") }
    }
}

/// A view of a store that nobody writes to any more.
pub(crate) struct RememberingView {
    view: Box<dyn View>,
    collections: Memo<Collection, Option<CollectionInfo>>,
    vocabularies: Memo<Collection, Arc<Vocabulary>>,
    types: Memo<(), Arc<Vec<(String, ResourceType)>>>,
    probes: Memo<Probed, Candidates>,
    frequencies: Memo<(Collection, Vec<String>), Vec<usize>>,
}

impl RememberingView {
    pub(crate) fn of(view: Box<dyn View>) -> Self {
        Self {
            view,
            collections: Memo::default(),
            vocabularies: Memo::default(),
            types: Memo::default(),
            probes: Memo::default(),
            frequencies: Memo::default(),
        }
    }
}

#[async_trait]
impl View for RememberingView {
    fn shows_all(&self) -> bool {
        self.view.shows_all()
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        self.collections.of(collection, self.view.collection(collection)).await
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        self.probes.of(Probed::new(collection, &probe), self.view.probe(collection, probe)).await
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        self.vocabularies.of(collection, self.view.vocabulary(collection)).await
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        let key = (collection, terms.to_vec());
        self.frequencies.of(key, self.view.frequencies(collection, terms)).await
    }

    async fn types(&self) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        self.types.of((), self.view.types()).await
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Terms>, StoreError> {
        self.view.terms(collection).await
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        self.view.scan(collection, cluster, visit).await
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        self.view.records(collection, keys).await
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        self.view.counts(collection).await
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        self.view.page(collection, after, limit, vectors).await
    }

    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        self.view.sources().await
    }

    async fn journal(&self, query: JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.view.journal(query).await
    }

    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.view.last_runs().await
    }
}
