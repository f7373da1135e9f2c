//! What controllers post: kept at once, written to the store in batches by one worker, in the order in which it came.
//!
//! A post is about one cluster, by the name under which its sender may write. Where the same cluster is watched, posts are taken and not
//! kept: the watch sees what they tell, and what they lose.

mod apply;
mod scans;

use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::ClusterSource;
use clusterlore_core::{ResourceInstance, may_be_named};
use clusterlore_models::Embedder;
use clusterlore_store::{Inbox, RunKind, Store, StoreError, Waiting};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tracing::{debug, warn};

use crate::capabilities::Inference;
use crate::error::SyncError;
use crate::live::Watched;
use crate::waiting;

/// Posts that are written at once, and their bytes.
const BATCH: (usize, usize) = (200, 8 << 20);
/// Between two looks at what others may have left waiting.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait for a run that writes the same cluster, before what waits is tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries to write what cannot be written, or to read a cluster that cannot be read.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What a controller posts of objects. Within one post deletes count before upserts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstancePost {
    /// Objects that are there. Of their ids and groups nothing is believed: they follow from the other fields.
    pub upserts: Vec<ResourceInstance>,
    /// Ids of objects that are gone, without the cluster's name.
    pub deletes: Vec<String>,
    /// Whether the post holds all that there is: what the sender wrote before and is not in it goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

/// Gives the cluster in which types can be looked at.
#[async_trait]
pub trait Clusters: Send + Sync {
    /// The cluster of this name (empty: the unnamed one), or why it cannot be read.
    async fn cluster(&self, name: &str) -> Result<Arc<dyn ClusterSource>, String>;
}

/// What posts are kept in, and written with.
pub struct Ingest {
    /// Where posts wait.
    pub inbox: Arc<dyn Inbox>,
    /// Where documents go.
    pub store: Arc<dyn Store>,
    /// What makes vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Where types are looked at that a controller names.
    pub clusters: Arc<dyn Clusters>,
    /// Who says what a type is for.
    pub inference: Inference,
    /// The clusters that are watched.
    pub watched: Arc<Watched>,
    came: Notify,
}

impl Ingest {
    /// With nothing watched.
    pub fn new(
        inbox: Arc<dyn Inbox>,
        store: Arc<dyn Store>,
        embedder: Arc<dyn Embedder>,
        clusters: Arc<dyn Clusters>,
        inference: Inference,
    ) -> Self {
        Self { inbox, store, embedder, clusters, inference, watched: Arc::default(), came: Notify::new() }
    }

    /// How much waits to be written.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn waiting(&self) -> BoxFuture<'_, Result<Waiting, StoreError>> {
        Box::pin(async move { self.inbox.waiting().await })
    }

    /// Takes a post: when this returns it survives the end of the process.
    ///
    /// # Errors
    /// It cannot be kept; then nothing of it is.
    pub fn take<'f>(&'f self, cluster: &'f str, post: &'f InstancePost) -> BoxFuture<'f, Result<(), StoreError>> {
        Box::pin(async move {
            let is_empty = post.upserts.is_empty() && post.deletes.is_empty() && !post.whole;
            if is_empty || self.watched.has(cluster) {
                return Ok(());
            }
            let body = serde_json::to_vec(post)
                .map_err(|e| StoreError::Other { place: "a post".to_owned(), detail: e.to_string() })?;
            self.inbox.put(cluster, body).await?;
            self.came.notify_one();
            Ok(())
        })
    }

    /// Takes the names of types (`plural.group`) that came or changed, and of those that went.
    ///
    /// # Errors
    /// They cannot be kept; then none is.
    pub fn scan<'f>(
        &'f self,
        cluster: &'f str,
        upserts: Vec<String>,
        deletes: Vec<String>,
    ) -> BoxFuture<'f, Result<(), StoreError>> {
        Box::pin(async move {
            // What cannot be is nothing to look at.
            let possible = |names: Vec<String>| names.into_iter().filter(|name| may_be_named(name)).collect::<Vec<_>>();
            let (upserts, deletes) = (possible(upserts), possible(deletes));
            if upserts.is_empty() && deletes.is_empty() || self.watched.has(cluster) {
                return Ok(());
            }
            self.inbox.scan(cluster, upserts, deletes).await?;
            self.came.notify_one();
            Ok(())
        })
    }

    /// Writes what waits, and what comes, until `stop` says so or is dropped. What is not written by then is written next time.
    pub fn run<'f>(&'f self, mut stop: watch::Receiver<bool>) -> BoxFuture<'f, ()> {
        Box::pin(async move {
            let mut pause = PAUSES.0;
            while !*stop.borrow() {
                let again = match self.work().await {
                    Ok(true) => {
                        pause = PAUSES.0;
                        continue;
                    }
                    Ok(false) => None,
                    Err(error) => {
                        warn!(%error, "posts wait: they cannot be written");
                        Some(pause)
                    }
                };
                let later = async {
                    match again {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None => _ = tokio::time::timeout(LOOK, self.came.notified()).await,
                    }
                };
                tokio::select! {
                    () = later => {}
                    changed = stop.changed() => if changed.is_err() { return },
                }
                pause = if again.is_some() { (pause * 2).min(PAUSES.1) } else { PAUSES.0 };
            }
        })
    }

    /// Writes what waits, up to one batch of each cluster; says whether more may wait. For tests, and for [`Self::run`].
    ///
    /// # Errors
    /// Something cannot be written; it waits on, and keeps nothing of other clusters waiting.
    pub fn work(&self) -> BoxFuture<'_, Result<bool, SyncError>> {
        Box::pin(async move {
            let (mut any, mut failed) = (false, None);
            for cluster in self.inbox.clusters().await? {
                match self.work_off(&cluster).await {
                    Ok(worked) => any |= worked,
                    Err(error) => failed = Some(error),
                }
            }
            failed.map_or(Ok(any), Err)
        })
    }

    /// Writes what waits about one cluster, up to one batch, and says whether there was anything. What waits is read under the cluster's
    /// lock: no other process writes an older state afterwards.
    async fn work_off(&self, cluster: &str) -> Result<bool, SyncError> {
        let work = async {
            let posts = self.inbox.oldest(cluster, BATCH.0, BATCH.1).await?;
            if posts.is_empty() {
                return self.work_scans(cluster).await;
            }
            let read = posts.iter().filter_map(|post| match serde_json::from_slice(&post.body) {
                Ok(read) => Some(read),
                // Only another version of this program can have written it.
                Err(error) => {
                    warn!(%error, number = post.number, "a post that waited cannot be read and is left out");
                    None
                }
            });
            self.write(cluster, read.collect()).await?;
            let numbers: Vec<i64> = posts.iter().map(|post| post.number).collect();
            debug!(posts = numbers.len(), "posts are written");
            self.inbox.done(numbers).await?;
            Ok(true)
        };
        waiting::under_lock(Some(&*self.store), cluster, RunKind::Other, PATIENCE, &|_| (), work).await
    }
}
