//! Takes a cluster out of the index, under its lock: documents first, what runs remember of it last. What was cut off is done by doing it
//! again.

use futures::future::BoxFuture;
use std::time::Duration;

use clusterlore_core::{Collection, JournalQuery, ObjectKey};
use clusterlore_store::{Batch, Inbox, RunKind, Store, StoreError};
use serde::Serialize;

use crate::checks;
use crate::progress::Observer;
use crate::waiting;

/// Documents of one transaction.
const BATCH: usize = 1_000;
/// Posts that are taken out at once, and their bytes.
const POSTS: (usize, usize) = (1_000, 16 << 20);

/// What was deleted of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forgotten {
    /// Objects.
    pub instances: usize,
    /// Resource types.
    pub capabilities: usize,
    /// Entries of the journal.
    pub changes: usize,
    /// Posts that waited, and types that waited to be looked at.
    pub posts: usize,
}

/// Deletes all of one cluster (empty: the unnamed one), and nothing of another. `inbox` is where its posts wait.
///
/// # Errors
/// The lock was not free for `patience`, or the store cannot be written; what is left can be forgotten again.
pub fn forget<'f>(
    store: &'f dyn Store,
    inbox: Option<&'f dyn Inbox>,
    cluster: &'f str,
    patience: Duration,
    observer: &'f Observer<'f>,
) -> BoxFuture<'f, Result<Forgotten, StoreError>> {
    Box::pin(async move {
        let work = async {
            let mut forgotten = Forgotten::default();
            // First, so that nothing of it is written again.
            if let Some(inbox) = inbox {
                forgotten.posts = empty(inbox, cluster).await?;
            }
            let journal =
                JournalQuery { cluster: Some(cluster.to_owned()), limit: usize::MAX, ..JournalQuery::default() };
            forgotten.changes = checks::everything_now(store).await?.journal(journal).await?.len();
            for collection in Collection::ALL {
                let deleted = delete(store, collection, cluster).await?;
                match collection {
                    Collection::Instances => forgotten.instances = deleted,
                    Collection::Capabilities => forgotten.capabilities = deleted,
                }
            }
            store.forget(cluster).await?;
            Ok(forgotten)
        };
        waiting::under_lock(Some(store), cluster, RunKind::Other, patience, observer, work).await
    })
}

async fn delete(store: &dyn Store, collection: Collection, cluster: &str) -> Result<usize, StoreError> {
    let mut keys: Vec<ObjectKey> = Vec::new();
    let view = checks::everything_now(store).await?;
    if view.collection(collection).await?.is_none() {
        return Ok(0);
    }
    view.scan(collection, cluster, &mut |scanned| keys.push(scanned.key)).await?;
    // Some stores write nothing while somebody reads.
    drop(view);
    for batch in keys.chunks(BATCH) {
        store.apply(collection, Batch::deleting(cluster, batch.to_vec())).await?;
    }
    Ok(keys.len())
}

async fn empty(inbox: &dyn Inbox, cluster: &str) -> Result<usize, StoreError> {
    let scans = inbox.scans(cluster).await?;
    let mut emptied = scans.len();
    inbox.scanned(cluster, scans).await?;
    loop {
        let posts = inbox.oldest(cluster, POSTS.0, POSTS.1).await?;
        if posts.is_empty() {
            return Ok(emptied);
        }
        emptied += posts.len();
        inbox.done(posts.into_iter().map(|post| post.number).collect()).await?;
    }
}
