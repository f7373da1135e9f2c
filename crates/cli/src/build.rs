//! Makes ready objects of flags: the one place where sources, stores and embedders are chosen.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::{ClusterSource, FolderSource, LiveOptions, LiveSource};
use clusterlore_models::{Builtin, Embedder};
use clusterlore_search::Searcher;
use clusterlore_store::Sqlite;

use crate::args::{CatalogueFlags, ClusterFlags, StoreFlags};

/// A request that takes longer is tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the index is.
pub(crate) fn store_path(flags: &StoreFlags) -> anyhow::Result<PathBuf> {
    if let Some(path) = &flags.store {
        return Ok(path.clone());
    }
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME")
        .filter(|p| p.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .ok_or_else(|| anyhow!("there is no home folder for the index; name a file with --store sqlite:PATH"))?;
    Ok(data.join("clusterlore/index.db"))
}

/// The store, made where it is missing.
pub(crate) fn store_for_writing(flags: &StoreFlags) -> anyhow::Result<Sqlite> {
    Ok(Sqlite::open_or_create(&store_path(flags)?)?)
}

/// The store as it is.
pub(crate) fn store_for_reading(flags: &StoreFlags) -> anyhow::Result<Sqlite> {
    Ok(Sqlite::open_existing(&store_path(flags)?)?)
}

/// The embedder.
pub(crate) fn embedder() -> Arc<dyn Embedder> {
    Arc::new(Builtin::default())
}

/// What is known of software; the command keeps it for as long as it searches.
pub(crate) fn catalogue(flags: &CatalogueFlags) -> anyhow::Result<Cow<'static, Catalogue>> {
    Ok(match &flags.file {
        None => Cow::Borrowed(Catalogue::builtin()),
        Some(file) => Cow::Owned(Catalogue::with_file(file).context("--catalogue")?),
    })
}

/// Who answers questions.
pub(crate) fn searcher(catalogue: &Catalogue) -> Searcher<'_> {
    Searcher::new(catalogue)
}

/// The time, as questions are given it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// A live cluster.
pub(crate) async fn live(flags: &ClusterFlags, page_size: u32) -> anyhow::Result<LiveSource> {
    let options = LiveOptions {
        kubeconfig: flags.kubeconfig.clone(),
        context: flags.context.clone(),
        no_proxy: std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).ok(),
        page_size,
        request_timeout: REQUEST_TIMEOUT,
        ..LiveOptions::default()
    };
    Ok(LiveSource::connect(options).await?)
}

/// A folder of manifests, or a live cluster.
pub(crate) async fn source(
    flags: &ClusterFlags,
    from: Option<&Path>,
    page_size: u32,
) -> anyhow::Result<Arc<dyn ClusterSource>> {
    match from {
        Some(folder) => Ok(Arc::new(FolderSource::open(folder).context("--from")?)),
        None => Ok(Arc::new(live(flags, page_size).await?)),
    }
}
