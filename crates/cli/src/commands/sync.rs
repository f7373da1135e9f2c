//! `clusterlore sync`

use std::sync::Arc;

use clusterlore_cluster::ClusterSource;
use clusterlore_core::{AnnotationChoice, TypeFilter};
use clusterlore_models::Embedder;
use clusterlore_pipeline::{CapabilityOptions, CapabilitySync, Inference, Summary};
use clusterlore_store::Store;

use super::all_contexts;
use crate::args::{Output, Sync};
use crate::build;
use crate::done::Done;
use crate::print::{self, progress::Lines};
use crate::settings::Settings;

/// Types come in one answer, not in pages.
const PAGE_SIZE: u32 = 500;

pub(crate) async fn run(settings: &Settings, flags: &Sync) -> anyhow::Result<Done> {
    let (all, name) = (flags.all_contexts, flags.cluster_name.as_ref());
    all_contexts::run(settings, all, name, async |own, name| of_one(own, flags, name).await).await
}

/// Runs over one cluster or folder, which has this name in the index.
async fn of_one(settings: &Settings, flags: &Sync, name: Option<String>) -> anyhow::Result<Done> {
    let inference = build::inference(settings, &flags.inference, flags.dry_run)?;
    let source = build::source(settings, flags.from.as_deref(), PAGE_SIZE, AnnotationChoice::default()).await?;
    let embedder = build::embedder_for_writing(settings, flags.reindex, flags.dry_run).await?;
    let summary = once(Run {
        source,
        store: build::store_for_run(settings, flags.dry_run).await?,
        embedder: embedder.clone(),
        inference,
        options: CapabilityOptions {
            filter: TypeFilter { include: flags.include.clone(), exclude: flags.exclude.clone() },
            only: flags.only.clone(),
            cluster: name,
            dry_run: flags.dry_run,
            replace_source: flags.replace_source,
            reindex: flags.reindex,
            lock_timeout: flags.lock_timeout,
        },
        json: flags.output.is_some(),
    })
    .await?;
    embedder.settled();
    if flags.output.is_some() {
        print::report(&summary, Output::Json)?;
    }
    Ok(if summary.is_partial() { Done::InPart } else { Done::Whole })
}

/// A run over capabilities, with everything chosen.
pub(crate) struct Run {
    pub(crate) source: Arc<dyn ClusterSource>,
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) inference: Inference,
    pub(crate) options: CapabilityOptions,
    pub(crate) json: bool,
}

/// Runs and tells how it went.
pub(crate) async fn once(run: Run) -> anyhow::Result<Summary> {
    let Run { source, store, embedder, inference, options, json } = run;
    let dry_run = options.dry_run;
    let sync = CapabilitySync { source, store, embedder, inference, options };
    let lines = Lines::new();
    let outcome = sync.run(&|progress| lines.hear(progress)).await;
    let would = lines.finish();
    let summary = outcome?.summary;
    print::summary(&summary, &would, dry_run, json)?;
    Ok(summary)
}
