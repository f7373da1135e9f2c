//! From the spool into a collection: embed a batch while the one before it is written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlore_core::{Collection, Document, ObjectKey};
use clusterlore_models::{Embedder, Purpose};
use clusterlore_store::{Batch, Spool, Store, StoreError, Upsert};
use tokio::sync::mpsc;

use crate::error::SyncError;

/// Documents of one transaction: a run that dies loses at most the work of two of them.
const BATCH: usize = 1_000;

/// Documents that one transaction deletes.
const DELETE_BATCH: usize = 2_000;

/// Time spent embedding.
pub(crate) struct Written {
    pub(crate) embedding: Duration,
}

/// Writes everything in the spool; `stored` hears the count after each transaction.
pub(crate) async fn write(
    spool: Spool,
    embedder: Arc<dyn Embedder>,
    store: &dyn Store,
    collection: Collection,
    source: i64,
    stored: impl Fn(usize),
) -> Result<Written, SyncError> {
    // One batch waits while one is written and one is embedded.
    let (sender, mut batches) = mpsc::channel(1);
    let embedding = tokio::spawn(async move {
        let mut documents = spool.into_documents()?;
        let mut spent = Duration::ZERO;
        loop {
            let batch: Vec<(Document, bool)> = documents.by_ref().take(BATCH).collect::<Result<_, _>>()?;
            if batch.is_empty() {
                return Ok(spent);
            }
            let began = Instant::now();
            let upserts = embed(batch, &*embedder).await?;
            spent += began.elapsed();
            if sender.send(upserts).await.is_err() {
                return Ok::<_, SyncError>(spent);
            }
        }
    });
    let mut count = 0;
    while let Some(upserts) = batches.recv().await {
        count += upserts.len();
        if let Err(e) = store.apply(collection, Batch::writing(source, upserts)).await {
            // What is being embedded is paid for; whoever keeps it must hear of it.
            drop(batches);
            let _ = embedding.await;
            return Err(e.into());
        }
        stored(count);
    }
    Ok(Written { embedding: embedding.await?? })
}

/// Writes a batch, and deletes these documents with it: as many as one transaction may, the others in their own.
pub(crate) async fn apply(
    store: &dyn Store,
    collection: Collection,
    batch: Batch,
    deletes: &[ObjectKey],
) -> Result<(), StoreError> {
    let (cluster, mut chunks) = (batch.cluster.clone(), deletes.chunks(DELETE_BATCH));
    let first = Batch { deletes: chunks.next().unwrap_or_default().to_vec(), ..batch };
    if !first.is_empty() {
        store.apply(collection, first).await?;
    }
    for chunk in chunks {
        store.apply(collection, Batch::deleting(&cluster, chunk.to_vec())).await?;
    }
    Ok(())
}

/// Gives each document whose text changed its vector; equal texts are embedded once.
pub(crate) async fn embed(batch: Vec<(Document, bool)>, embedder: &dyn Embedder) -> Result<Vec<Upsert>, SyncError> {
    let mut texts: Vec<String> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let wanted: Vec<Option<usize>> = batch
        .iter()
        .map(|(document, wanted)| {
            wanted.then(|| {
                *places.entry(&document.text).or_insert_with(|| {
                    texts.push(document.text.clone());
                    texts.len() - 1
                })
            })
        })
        .collect();
    let vectors = if texts.is_empty() { Vec::new() } else { embedder.embed(Purpose::Document, texts).await? };
    let documents = batch.into_iter().zip(wanted);
    Ok(documents
        .map(|((document, _), place)| Upsert { document, vector: place.and_then(|p| vectors.get(p).cloned()) })
        .collect())
}
