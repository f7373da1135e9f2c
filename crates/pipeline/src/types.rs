//! The resource types themselves as documents, so that "which type do I need" has an answer before any capability is known.

use std::sync::Arc;

use clusterlore_cluster::Discovery;
use clusterlore_core::{CAPABILITIES, Change, Coverage, Document, Known, Origin, ResourceType, SyncPlan};
use clusterlore_models::Embedder;
use clusterlore_store::{Batch, Spool, StateStore, VectorStore};

use crate::{SyncError, writer};

/// Writes what discovery and the custom resource definitions say of the types. A type that is gone loses its document, unless
/// its group could not be read whole.
pub(crate) async fn store_types<S: VectorStore + StateStore>(
    store: &S,
    embedder: Arc<dyn Embedder>,
    cluster: Option<&str>,
    source: i64,
    types: &[ResourceType],
    discovery: &Discovery,
) -> Result<(), SyncError> {
    let name = cluster.unwrap_or_default();
    let mut remembered = types.to_vec();
    let kept = store.types().await?.into_iter().filter(|(c, t)| c == name && discovery.is_incomplete(&t.group));
    remembered
        .extend(kept.map(|(_, t)| t).filter(|t| types.iter().all(|new| new.name() != t.name())).collect::<Vec<_>>());

    store.open_collection(CAPABILITIES, &embedder.identity()).await?;
    let mut plan = SyncPlan::default();
    let mut ids = Vec::new();
    store
        .scan(CAPABILITIES, name, &mut |s| {
            plan.know(Known {
                key: s.key,
                hash: s.hash,
                type_name: s.type_name,
                namespace: s.namespace,
                origin: Origin::Own,
            });
            ids.push((s.key, s.id.to_owned()));
        })
        .await?;
    let mut spool = Spool::new()?;
    for ty in remembered.iter().filter(|t| t.allows("get") || t.allows("list")) {
        let document = Document::of_type(ty, cluster);
        match plan.observe(&document) {
            Change::Unchanged => {}
            change => spool.put(&document, change != Change::Rest)?,
        }
    }
    let gone = plan.removals(|_| Coverage::All);
    if !spool.is_empty() {
        writer::write(spool, embedder, store, CAPABILITIES, source, |_| ()).await?;
    }
    if !gone.is_empty() {
        let deletes = ids.into_iter().filter(|(key, _)| gone.contains(key)).map(|(_, id)| id).collect();
        store.apply(CAPABILITIES, Batch { deletes, source, ..Batch::default() }).await?;
    }
    if store.types().await?.into_iter().filter(|(c, _)| c == name).map(|(_, t)| t).ne(remembered_order(&remembered)) {
        store.remember_types(name, &remembered).await?;
    }
    Ok(())
}

/// In the order in which the store gives them back.
fn remembered_order(types: &[ResourceType]) -> Vec<ResourceType> {
    let mut types = types.to_vec();
    types.sort_by_key(ResourceType::name);
    types
}
