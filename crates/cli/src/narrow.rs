//! Which cluster of the index is meant. To a question `--context` means only the cluster that the context names, if it is indexed.

use std::time::Duration;

use anyhow::anyhow;
use clusterlore_cluster::ClusterSource;
use clusterlore_core::{AnnotationChoice, SourceIdentity, cluster_name};
use clusterlore_index::{Index, Request};
use clusterlore_pipeline::SyncError;
use clusterlore_store::{KnownSource, Store, StoreError};

use crate::renewal::{CLUSTER, INDEX, line};
use crate::settings::Settings;
use crate::{build, unknown};

/// Until the cluster has said who it is, where its address is not known.
const PATIENCE: Duration = Duration::from_secs(5);

/// Narrows a request to the cluster of the context that a flag names, unless it names clusters itself.
///
/// # Errors
/// There is no such context, or its cluster is not indexed.
pub(crate) async fn to_context(settings: &Settings, index: &Index, request: &mut Request) -> anyhow::Result<()> {
    let context = settings.text("context").filter(|_| settings.is_flag("context") && request.clusters.is_empty());
    let Some(context) = context else { return Ok(()) };
    let mut sources = index.sources(&build::OWN_STORE).await?;
    sources.retain(|source| !source.replaced);
    let of = |is_it: &dyn Fn(&KnownSource) -> bool| -> Vec<String> {
        sources.iter().filter(|source| is_it(source)).map(|source| source.cluster.clone()).collect()
    };
    request.clusters = match build::context_in_use(settings) {
        Some((_, used)) => match of(&|source| source.identity.is_at(&used)) {
            // It may have moved: by its uid it is known elsewhere.
            none if none.is_empty() => match identity(settings).await {
                Some(now) => of(&|source| source.identity.is_same_cluster(&now)),
                None => none,
            },
            found => found,
        },
        None => {
            let contexts = build::contexts(settings);
            let near = unknown::nearest(context, &contexts).map(|near| format!(" Did you mean \"{near}\"?"));
            return Err(anyhow!(
                "--context: the kubeconfig has no context \"{context}\" that names a cluster.{}",
                near.unwrap_or_default()
            ));
        }
    };
    if !request.clusters.is_empty() {
        return Ok(());
    }
    let mut flags = settings.given(&[&INDEX[..], &CLUSTER].concat());
    if !sources.is_empty() {
        flags.extend(["--cluster-name".to_owned(), cluster_name(context)]);
    }
    let command = line(&["clusterlore", "index"], flags);
    Err(anyhow!("the cluster of context \"{context}\" is not indexed. Index it with \"{command}\""))
}

/// The name under which a cluster is stored (empty: the unnamed one), if it is.
pub(crate) async fn stored_name(store: &dyn Store, identity: &SourceIdentity) -> anyhow::Result<Option<String>> {
    let sources = store.view(&build::OWN_STORE).await?.sources().await?;
    let known = sources.into_iter().find(|source| !source.replaced && source.identity.is_same_cluster(identity));
    Ok(known.map(|source| source.cluster))
}

/// A cluster that is in the index under another name than the one it was to have.
pub(crate) struct Elsewhere {
    cluster: String,
    known: String,
    /// What it is called there.
    pub(crate) shown: String,
}

/// Whether a run was refused because its cluster is in the index under another name.
pub(crate) fn under_another_name(error: &anyhow::Error) -> Option<Elsewhere> {
    error.chain().find_map(|cause| {
        let error = match cause.downcast_ref::<SyncError>() {
            Some(SyncError::Store(error)) => Some(error),
            _ => cause.downcast_ref::<StoreError>(),
        };
        match error? {
            StoreError::UnderAnotherName { cluster, known, shown, .. } => {
                Some(Elsewhere { cluster: cluster.clone(), known: known.clone(), shown: shown.clone() })
            }
            _ => None,
        }
    })
}

/// Under which name (`None`: without one) a cluster is stored that a run was to read under the name by which it is called already.
pub(crate) fn stored_under(error: &anyhow::Error) -> Option<Option<String>> {
    let Elsewhere { cluster, known, shown } = under_another_name(error)?;
    let is_it = cluster == shown || cluster == cluster_name(&shown);
    (is_it && cluster != known).then_some(Some(known).filter(|name| !name.is_empty()))
}

/// What the cluster says that it is, if it can be reached.
async fn identity(settings: &Settings) -> Option<SourceIdentity> {
    let ask = async {
        let source = build::live(settings, 1, AnnotationChoice::default()).await.ok()?;
        source.identity().await.ok().map(|identity| identity.source)
    };
    tokio::time::timeout(PATIENCE, ask).await.ok().flatten()
}
