//! What the tests of runs share.
#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

pub mod following;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::{ClusterSource, LiveOptions, LiveSource, RetryPolicy};
use clusterlore_core::{Collection, EmbedderIdentity, ObjectKey, ResourceType};
use clusterlore_models::{EmbedError, Embedder, Purpose};
use clusterlore_pipeline::{InstanceSync, Options, Summary, SyncError};
use clusterlore_store::{Sqlite, Store};

/// A namespaced type.
pub fn ty(group: &str, version: &str, kind: &str, plural: &str) -> ResourceType {
    ResourceType {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        ..ResourceType::default()
    }
}

/// Counts what it is asked to embed; vectors depend on the text alone.
#[derive(Default)]
pub struct Counting {
    pub texts: AtomicUsize,
}

impl Counting {
    pub fn take(&self) -> usize {
        self.texts.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl Embedder for Counting {
    fn identity(&self) -> EmbedderIdentity {
        EmbedderIdentity { name: "counting".into(), dimensions: 4 }
    }

    async fn embed(&self, _: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        Ok(texts.iter().map(|t| (0..4).map(|i| (t.len() + i) as f32).collect()).collect())
    }
}

pub async fn live(kubeconfig: &Path, context: Option<&str>, page_size: u32) -> Arc<dyn ClusterSource> {
    let retry = RetryPolicy { base: Duration::from_millis(5), ..RetryPolicy::default() };
    let options = LiveOptions {
        kubeconfig: Some(kubeconfig.to_owned()),
        context: context.map(str::to_owned),
        page_size,
        retry,
        ..LiveOptions::default()
    };
    Arc::new(LiveSource::connect(options).await.unwrap())
}

pub struct Ran {
    pub summary: Summary,
    pub lines: Vec<String>,
}

pub async fn run(
    source: Arc<dyn ClusterSource>,
    store: &Sqlite,
    embedder: &Arc<Counting>,
    options: Options,
) -> Result<Ran, SyncError> {
    let lines = Mutex::new(Vec::new());
    let embedder = Arc::clone(embedder) as Arc<dyn Embedder>;
    let sync = InstanceSync { source, store: Some(Arc::new(store.clone())), embedder, options };
    let outcome = sync.run(&|p| lines.lock().unwrap().push(p.to_string())).await?;
    Ok(Ran { summary: outcome.summary, lines: lines.into_inner().unwrap() })
}

/// Everything in the collection: id and hash by key.
pub async fn state(store: &Sqlite) -> BTreeMap<ObjectKey, (String, [u8; 16])> {
    let mut state = BTreeMap::new();
    for cluster in ["", "east"] {
        let mut visit = |s: clusterlore_store::Scanned<'_>| {
            state.insert(s.key, (s.id.to_owned(), s.hash.to_bytes()));
        };
        store.view_all("a test").await.unwrap().scan(Collection::Instances, cluster, &mut visit).await.unwrap();
    }
    state
}

pub async fn ids(store: &Sqlite) -> Vec<String> {
    let mut ids: Vec<String> = state(store).await.into_values().map(|(id, _)| id).collect();
    ids.sort();
    ids
}
