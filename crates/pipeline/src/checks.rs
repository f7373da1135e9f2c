//! What every run makes sure of before it reads anything: that the index is this source's and this embedder's.

use clusterlore_core::{Collection, EmbedderIdentity, Identity, Origin, SourceIdentity};
use clusterlore_store::{KnownSource, Store, StoreError, View, under_another_name};

use crate::error::SyncError;

/// Who may see what plays no part in a run.
const WHOLE: &str = "a run compares all that is stored with all that is there";

/// All that is stored.
pub(crate) async fn everything(store: &dyn Store) -> Result<Box<dyn View>, StoreError> {
    store.view_all(WHOLE).await
}

/// All that is stored now, to plan by.
pub(crate) async fn everything_now(store: &dyn Store) -> Result<Box<dyn View>, StoreError> {
    store.view_now(WHOLE).await
}

/// Refuses a source other than the one that filled the index under this name, and a cluster that is there under another; gives the sources of
/// that name.
pub(crate) async fn source(
    store: Option<&dyn Store>,
    cluster: &str,
    identity: &Identity,
    replace: bool,
) -> Result<Vec<KnownSource>, SyncError> {
    let Some(store) = store else { return Ok(Vec::new()) };
    let mut sources = everything(store).await?.sources().await?;
    under_another_name(&sources, cluster, &identity.source)?;
    sources.retain(|s| s.cluster == cluster);
    let filled = sources.iter().find(|s| !s.replaced && s.identity != SourceIdentity::Controller);
    match filled {
        Some(known) if !replace => known.identity.check(identity)?,
        _ => {}
    }
    Ok(sources)
}

/// Refuses an embedder other than the one that filled the collections; with `reindex`, hands them over (unless `dry_run`).
pub(crate) async fn embedder(
    store: Option<&dyn Store>,
    offered: EmbedderIdentity,
    reindex: bool,
    dry_run: bool,
) -> Result<(), SyncError> {
    let Some(store) = store else { return Ok(()) };
    let mut filled = Vec::new();
    let view = everything(store).await?;
    for collection in Collection::ALL {
        filled.extend(view.collection(collection).await?.map(|info| (collection, info)));
    }
    // Some stores cannot hand a collection over while somebody reads it.
    drop(view);
    for (collection, info) in filled {
        match info {
            info if info.embedder != offered && reindex && !dry_run => {
                store.change_embedder(collection, &offered).await?;
            }
            info if !info.embedder.admits(&offered) && !reindex => {
                return Err(StoreError::OtherEmbedder { collection, stored: info.embedder, offered }.into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Who wrote a document, as seen from a run over `identity`. What a controller told of a cluster is the cluster's own: complete lists of it
/// decide what is still there.
pub(crate) fn origin(sources: &[KnownSource], number: i64, identity: &SourceIdentity, replace: bool) -> Origin {
    match sources.iter().find(|s| s.number == number) {
        Some(s) if !s.replaced && s.identity.recognises(identity) => Origin::Own,
        Some(s) if !s.replaced && is_told_of(&s.identity, identity) => Origin::Own,
        Some(s) if s.replaced => Origin::Replaced,
        // Whose document it is nobody remembers, or somebody else's: it goes when the user says so.
        _ if replace => Origin::Replaced,
        _ => Origin::Other,
    }
}

fn is_told_of(known: &SourceIdentity, identity: &SourceIdentity) -> bool {
    matches!((known, identity), (SourceIdentity::Controller, SourceIdentity::Cluster { .. }))
}
