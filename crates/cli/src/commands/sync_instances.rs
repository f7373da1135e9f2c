//! `clusterlore sync-instances`

use std::sync::Arc;

use clusterlore_cluster::ClusterSource;
use clusterlore_models::Embedder;
use clusterlore_pipeline::{InstanceSync, Options, Summary};

use super::all_contexts;
use crate::args::{Output, SyncInstances};
use crate::build;
use crate::done::Done;
use crate::print::{self, progress::Lines};
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &SyncInstances) -> anyhow::Result<Done> {
    let (all, name) = (flags.all_contexts, flags.cluster_name.as_ref());
    all_contexts::run(settings, all, name, async |own, name| of_one(own, flags, name).await).await
}

/// Runs over one cluster or folder, which has this name in the index.
async fn of_one(settings: &Settings, flags: &SyncInstances, name: Option<String>) -> anyhow::Result<Done> {
    let annotations = build::annotations(settings, flags.annotations.as_ref())?;
    let source = build::source(settings, flags.from.as_deref(), flags.how.page_size, annotations).await?;
    let embedder = build::embedder_for_writing(settings, flags.how.reindex, flags.dry_run).await?;
    let summary = once(source, settings, embedder.clone(), flags, name).await?;
    embedder.settled();
    if flags.output.is_some() {
        print::report(&summary, Output::Json)?;
    }
    Ok(if summary.is_partial() { Done::InPart } else { Done::Whole })
}

/// Runs and tells how it went.
pub(crate) async fn once(
    source: Arc<dyn ClusterSource>,
    settings: &Settings,
    embedder: Arc<dyn Embedder>,
    flags: &SyncInstances,
    name: Option<String>,
) -> anyhow::Result<Summary> {
    let sync = InstanceSync {
        source,
        store: build::store_for_run(settings, flags.dry_run).await?,
        embedder,
        options: Options { dry_run: flags.dry_run, ..build::options(&flags.what, &flags.how, name) },
    };
    let lines = Lines::new();
    let outcome = sync.run(&|progress| lines.hear(progress)).await;
    let would = lines.finish();
    let summary = outcome?.summary;
    print::summary(&summary, &would, flags.dry_run, flags.output.is_some())?;
    Ok(summary)
}
