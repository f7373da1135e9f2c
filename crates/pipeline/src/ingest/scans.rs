//! Types that a controller names: looked at in the cluster, or forgotten.

use std::collections::BTreeSet;
use std::sync::Arc;

use clusterlore_core::{Collection, ObjectKey, ResourceType, SourceIdentity};
use clusterlore_store::Batch;
use tracing::warn;

use super::Ingest;
use crate::capabilities::{CapabilityOptions, CapabilitySync};
use crate::checks;
use crate::error::SyncError;

impl Ingest {
    /// Works off the names of a cluster that wait; says whether there were any. The caller holds its lock.
    pub(super) async fn work_scans(&self, cluster: &str) -> Result<bool, SyncError> {
        let scans = self.inbox.scans(cluster).await?;
        if scans.is_empty() {
            return Ok(false);
        }
        let names = |gone| -> BTreeSet<String> {
            scans.iter().filter(|scan| scan.gone == gone).map(|scan| scan.name.clone()).collect()
        };
        self.forget(cluster, &names(true)).await?;
        self.look(cluster, &names(false)).await?;
        self.inbox.scanned(cluster, scans).await?;
        Ok(true)
    }

    /// Infers what the types are for. Names that are not served are passed over, as their senders expect.
    async fn look(&self, cluster: &str, names: &BTreeSet<String>) -> Result<(), SyncError> {
        if names.is_empty() {
            return Ok(());
        }
        let source = match self.clusters.cluster(cluster).await {
            Ok(source) => source,
            Err(reason) => {
                warn!(%reason, cluster, types = names.len(), "types are not looked at: the cluster cannot be read");
                return Ok(());
            }
        };
        let served: BTreeSet<String> = source.discover().await?.types.iter().map(ResourceType::name).collect();
        let only: Vec<String> = names.intersection(&served).cloned().collect();
        if only.is_empty() {
            return Ok(());
        }
        let sync = CapabilitySync {
            source,
            store: Some(Arc::clone(&self.store)),
            embedder: Arc::clone(&self.embedder),
            inference: self.inference.clone(),
            options: CapabilityOptions {
                only,
                cluster: Some(cluster.to_owned()).filter(|name| !name.is_empty()),
                ..CapabilityOptions::default()
            },
        };
        sync.run_locked(&|_| ()).await.map(|_| ())
    }

    /// Deletes what is known of the purpose of types that are gone, as far as a controller, or the cluster that is read for it, wrote it.
    async fn forget(&self, cluster: &str, names: &BTreeSet<String>) -> Result<(), SyncError> {
        if names.is_empty() {
            return Ok(());
        }
        let store = &*self.store;
        let view = checks::everything_now(store).await?;
        let sources = view.sources().await?;
        let may = |number: i64| {
            let of = sources.iter().find(|source| source.number == number);
            of.is_none_or(|source| !matches!(source.identity, SourceIdentity::Folder { .. }))
        };
        let mut gone: Vec<ObjectKey> = Vec::new();
        view.scan(Collection::Capabilities, cluster, &mut |s| {
            if names.contains(s.type_name) && may(s.source) {
                gone.push(s.key);
            }
        })
        .await?;
        let (gone_types, kept): (Vec<ResourceType>, Vec<ResourceType>) = view
            .types()
            .await?
            .iter()
            .filter(|(of, _)| of == cluster)
            .map(|(_, ty)| ty.clone())
            .partition(|ty| names.contains(&ty.name()));
        drop(view);
        if !gone.is_empty() {
            store.apply(Collection::Capabilities, Batch::deleting(cluster, gone)).await?;
        }
        if !gone_types.is_empty() {
            store.remember_types(cluster, &kept).await?;
        }
        Ok(())
    }
}
