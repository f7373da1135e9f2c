//! The resource types themselves as documents, so that "which type do I need" has an answer before any capability is known.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clusterlore_cluster::Discovery;
use clusterlore_core::{
    CAPABILITIES, Capability, Change, Coverage, Document, Known, ObjectKey, Origin, ResourceType, SyncPlan,
};
use clusterlore_models::Embedder;
use clusterlore_store::{Batch, Spool, Store};

use crate::{SyncError, writer};

/// Writes what discovery and the custom resource definitions say of the types. A type that is gone loses its document, unless
/// its group could not be read whole.
pub(crate) async fn store_types(
    store: &dyn Store,
    embedder: Arc<dyn Embedder>,
    cluster: Option<&str>,
    source: i64,
    types: &[ResourceType],
    discovery: &Discovery,
) -> Result<(), SyncError> {
    let name = cluster.unwrap_or_default();
    let remembered = with_unseen(known_types(store, name).await?, types, discovery);

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
    let keys: Vec<ObjectKey> = ids.iter().map(|(key, _)| *key).collect();
    let mut inferred = capabilities_among(&store.records(CAPABILITIES, &keys).await?, cluster);
    let mut spool = Spool::new()?;
    for ty in remembered.iter().filter(|t| t.allows("get") || t.allows("list")) {
        let mut document = Document::of_type(ty, cluster);
        // What is known of a type's purpose is worth more than its names; it is only embedded again where that is needed.
        if let Some(capability) = inferred.remove(&document.key) {
            document = capability;
        }
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
    remember(store, name, &remembered).await
}

/// The documents that say what types are for, among the records of a collection, made again from what they hold.
fn capabilities_among(records: &HashMap<ObjectKey, String>, cluster: Option<&str>) -> HashMap<ObjectKey, Document> {
    let documents = records.values().filter_map(|record| {
        let (capability, ty) = (Capability::from_record(record)?, serde_json::from_str(record).ok()?);
        Some(Document::of_capability(&capability, &ty, cluster))
    });
    documents.map(|document| (document.key, document)).collect()
}

/// What the store knows of a cluster's types.
async fn known_types(store: &dyn Store, cluster: &str) -> Result<Vec<ResourceType>, SyncError> {
    Ok(store.types().await?.iter().filter(|(c, _)| c == cluster).map(|(_, ty)| ty.clone()).collect())
}

/// The types that discovery named, and the known ones of groups that could not be read whole.
fn with_unseen(known: Vec<ResourceType>, types: &[ResourceType], discovery: &Discovery) -> Vec<ResourceType> {
    let named: BTreeSet<String> = types.iter().map(ResourceType::name).collect();
    let unseen = known.into_iter().filter(|t| discovery.is_incomplete(&t.group) && !named.contains(&t.name()));
    types.iter().cloned().chain(unseen).collect()
}

/// Remembers what a run over capabilities saw of the types. Of those that are known, descriptions stay: that is for runs over
/// instances, and two runs must not write over each other for ever.
pub(crate) async fn remember_described(
    store: &dyn Store,
    cluster: &str,
    mut types: Vec<ResourceType>,
    discovery: &Discovery,
) -> Result<(), SyncError> {
    let known = known_types(store, cluster).await?;
    let described: HashMap<String, &str> = known.iter().map(|t| (t.name(), t.description.as_str())).collect();
    for ty in &mut types {
        if let Some(description) = described.get(&ty.name()) {
            ty.description = (*description).to_owned();
        }
    }
    let types = with_unseen(known, &types, discovery);
    remember(store, cluster, &types).await
}

/// Writes only what differs.
async fn remember(store: &dyn Store, cluster: &str, types: &[ResourceType]) -> Result<(), SyncError> {
    if known_types(store, cluster).await? != remembered_order(types) {
        store.remember_types(cluster, types).await?;
    }
    Ok(())
}

/// In the order in which the store gives them back.
fn remembered_order(types: &[ResourceType]) -> Vec<ResourceType> {
    let mut types = types.to_vec();
    types.sort_by_key(ResourceType::name);
    types
}
