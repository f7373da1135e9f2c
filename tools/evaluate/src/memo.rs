//! A store and an embedder that remember what they said. Weights change neither what is asked of them nor what they say, so that
//! every evaluation but the first is scoring alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clusterlore_core::{Collection, EmbedderIdentity, ObjectKey, ResourceType, SourceIdentity, TypeSchema};
use clusterlore_models::{EmbedError, Embedder, Purpose};
use clusterlore_store::{
    Batch, Candidates, CollectionInfo, Counts, Holder, KnownSource, Page, Probe, RunLock, RunRecord, Scanned, Sqlite,
    StateStore, StoreError, VectorStore, Vocabulary,
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

/// Embeds each text once.
pub(crate) struct RememberingEmbedder {
    embedder: Arc<dyn Embedder>,
    vectors: Memo<String, Vec<f32>>,
}

impl RememberingEmbedder {
    pub(crate) fn of(embedder: Arc<dyn Embedder>) -> Self {
        Self { embedder, vectors: Memo::default() }
    }
}

#[async_trait]
impl Embedder for RememberingEmbedder {
    fn identity(&self) -> EmbedderIdentity {
        self.embedder.identity()
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        if purpose == Purpose::Document {
            return self.embedder.embed(purpose, texts).await;
        }
        let mut vectors = Vec::new();
        for text in texts {
            let embed = async { Ok(self.embedder.embed(purpose, vec![text.clone()]).await?.concat()) };
            vectors.push(self.vectors.of(text.clone(), embed).await?);
        }
        Ok(vectors)
    }

    fn knows(&self, word: &str) -> Option<bool> {
        self.embedder.knows(word)
    }

    fn words(&self) -> &'static [&'static str] {
        self.embedder.words()
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

/// A store that nobody writes to any more.
#[derive(Debug)]
pub(crate) struct RememberingStore {
    store: Sqlite,
    collections: Memo<Collection, Option<CollectionInfo>>,
    vocabularies: Memo<Collection, Arc<Vocabulary>>,
    types: Memo<(), Arc<Vec<(String, ResourceType)>>>,
    probes: Memo<Probed, Candidates>,
    frequencies: Memo<(Collection, Vec<String>), Vec<usize>>,
}

impl RememberingStore {
    pub(crate) fn of(store: Sqlite) -> Self {
        Self {
            store,
            collections: Memo::default(),
            vocabularies: Memo::default(),
            types: Memo::default(),
            probes: Memo::default(),
            frequencies: Memo::default(),
        }
    }
}

#[async_trait]
impl VectorStore for RememberingStore {
    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        self.collections.of(collection, self.store.collection(collection)).await
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        self.probes.of(Probed::new(collection, &probe), self.store.probe(collection, probe)).await
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        self.vocabularies.of(collection, self.store.vocabulary(collection)).await
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        let key = (collection, terms.to_vec());
        self.frequencies.of(key, self.store.frequencies(collection, terms)).await
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Vec<(String, usize)>>, StoreError> {
        self.store.terms(collection).await
    }

    async fn open_collection(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.store.open_collection(collection, embedder).await
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        self.store.scan(collection, cluster, visit).await
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        self.store.records(collection, keys).await
    }

    async fn apply(&self, collection: Collection, batch: Batch) -> Result<(), StoreError> {
        self.store.apply(collection, batch).await
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        self.store.counts(collection).await
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        self.store.page(collection, after, limit, vectors).await
    }

    async fn change_embedder(&self, collection: Collection, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.store.change_embedder(collection, embedder).await
    }
}

#[async_trait]
impl StateStore for RememberingStore {
    async fn types(&self) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        self.types.of((), self.store.types()).await
    }

    async fn lock(&self, cluster: &str, me: &Holder) -> Result<RunLock, StoreError> {
        self.store.lock(cluster, me).await
    }

    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        self.store.sources().await
    }

    async fn remember_source(
        &self,
        cluster: &str,
        identity: &SourceIdentity,
        replace: bool,
    ) -> Result<i64, StoreError> {
        self.store.remember_source(cluster, identity, replace).await
    }

    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError> {
        self.store.remember_types(cluster, types).await
    }

    async fn schemas(&self, cluster: &str) -> Result<HashMap<String, (String, TypeSchema)>, StoreError> {
        self.store.schemas(cluster).await
    }

    async fn remember_schemas(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), StoreError> {
        self.store.remember_schemas(cluster, read, forgotten).await
    }

    async fn answer(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.store.answer(key).await
    }

    async fn answers(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.store.answers().await
    }

    async fn remember_answer(&self, key: &str, answer: &str) -> Result<(), StoreError> {
        self.store.remember_answer(key, answer).await
    }

    async fn begin_run(&self, run: &RunRecord) -> Result<i64, StoreError> {
        self.store.begin_run(run).await
    }

    async fn finish_run(&self, number: i64, run: &RunRecord) -> Result<(), StoreError> {
        self.store.finish_run(number, run).await
    }

    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.store.last_runs().await
    }
}
