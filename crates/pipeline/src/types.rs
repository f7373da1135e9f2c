//! The resource types themselves as documents, so that "which type do I need" has an answer before any capability is known.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clusterlore_cluster::{ClusterSource, Discovery};
use clusterlore_core::{
    Capability, Change, Collection, Coverage, Document, Known, ObjectKey, Origin, ResourceType, SyncPlan,
};
use clusterlore_models::Embedder;
use clusterlore_store::{Batch, Spool, Store};

use crate::error::SyncError;
use crate::{checks, writer};

/// Where the documents of types go.
pub(crate) struct Types<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) source: &'a dyn ClusterSource,
    pub(crate) embedder: &'a Arc<dyn Embedder>,
    /// Name of the cluster, empty for the unnamed one.
    pub(crate) cluster: &'a str,
    /// Number of the source that writes.
    pub(crate) writer: i64,
}

impl Types<'_> {
    /// Writes what discovery and the custom resource definitions say of the types. A type that is gone loses its document, unless
    /// its group could not be read whole.
    pub(crate) async fn store(
        &self,
        types: &[ResourceType],
        discovery: &Discovery,
        origin: &(dyn Fn(i64) -> Origin + Sync),
    ) -> Result<(), SyncError> {
        let Self { store, cluster, .. } = *self;
        let named = Some(cluster).filter(|name| !name.is_empty());
        let remembered = with_unseen(known_types(store, cluster).await?, types, discovery);

        store.open_collection(Collection::Capabilities, &self.embedder.identity()).await?;
        let (mut plan, mut keys) = (SyncPlan::default(), Vec::new());
        let view = checks::everything_now(store).await?;
        view.scan(Collection::Capabilities, cluster, &mut |s| {
            let origin = origin(s.source);
            plan.know(Known { key: s.key, hash: s.hash, type_name: s.type_name, namespace: s.namespace, origin });
            keys.push(s.key);
        })
        .await?;
        let mut inferred = capabilities_among(&view.records(Collection::Capabilities, &keys).await?, named);
        drop(view);
        let mut spool = Spool::new()?;
        for ty in remembered.iter().filter(|t| is_shown(t)) {
            let mut document = Document::of_type(ty, named);
            // What is known of a type's purpose is worth more than its names; it is only embedded again where that is needed.
            if let Some(capability) = inferred.remove(&document.key) {
                document = capability;
            }
            match plan.observe(&document) {
                Change::Unchanged => {}
                change => spool.put(&document, change != Change::Rest)?,
            }
        }
        let gone = gone(&plan, discovery, self.source, &|name, discovery| !is_served(name, discovery)).await?;
        if !spool.is_empty() {
            writer::write(spool, Arc::clone(self.embedder), store, Collection::Capabilities, self.writer, |_| ())
                .await?;
        }
        if !gone.is_empty() {
            store.apply(Collection::Capabilities, Batch::deleting(cluster, gone.into_iter().collect())).await?;
        }
        remember(store, cluster, &remembered).await
    }
}

/// Whether a type is worth a document.
fn is_shown(ty: &ResourceType) -> bool {
    ty.allows("get") || ty.allows("list")
}

fn is_served(name: &str, discovery: &Discovery) -> bool {
    discovery.types.iter().any(|t| t.name() == name && is_shown(t))
}

/// Documents of types that are gone, by what their groups say now: `is_gone` tells it of a type whose group was read whole. Where
/// that is most of what is known, types are discovered again, and only what both times was not there goes.
pub(crate) async fn gone(
    plan: &SyncPlan,
    discovery: &Discovery,
    source: &dyn ClusterSource,
    is_gone: &(dyn Fn(&str, &Discovery) -> bool + Sync),
) -> Result<BTreeSet<ObjectKey>, SyncError> {
    let by = |discovery: &Discovery| {
        plan.removals(|name| match discovery.is_incomplete(ResourceType::group_of(name)) {
            false if is_gone(name, discovery) => Coverage::All,
            _ => Coverage::Nothing,
        })
    };
    let mut removals = by(discovery);
    if plan.is_most(&removals) {
        let again = by(&source.discover().await?);
        removals.retain(|key| again.contains(key));
    }
    Ok(removals)
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
    Ok(checks::everything(store)
        .await?
        .types()
        .await?
        .iter()
        .filter(|(c, _)| c == cluster)
        .map(|(_, ty)| ty.clone())
        .collect())
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
