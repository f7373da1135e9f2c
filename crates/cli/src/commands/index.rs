//! `clusterlore index`: types first, so that what runs is found by what it is for, then instances.

use clusterlore_core::TypeFilter;
use clusterlore_pipeline::{CapabilityOptions, Summary};
use serde::Serialize;

use super::{all_contexts, sync, sync_instances};
use crate::args::{Index, Output};
use crate::done::Done;
use crate::settings::Settings;
use crate::{build, print};

/// Both summaries.
#[derive(Serialize)]
struct Summaries {
    capabilities: Summary,
    instances: Summary,
}

pub(crate) async fn run(settings: &Settings, flags: &Index) -> anyhow::Result<Done> {
    let (all, name) = (flags.instances.all_contexts, flags.instances.cluster_name.as_ref());
    all_contexts::run(settings, all, name, async |own, name| of_one(own, flags, name).await).await
}

/// Runs over one cluster or folder, which has this name in the index.
async fn of_one(settings: &Settings, flags: &Index, name: Option<String>) -> anyhow::Result<Done> {
    let Index { instances: flags, inference } = flags;
    let inference = build::inference(settings, inference, flags.dry_run)?;
    let annotations = build::annotations(settings, flags.annotations.as_ref())?;
    let source = build::source(settings, flags.from.as_deref(), flags.how.page_size, annotations).await?;
    let json = flags.output.is_some();
    let embedder = build::embedder_for_writing(settings, flags.how.reindex, flags.dry_run).await?;
    let capabilities = sync::once(sync::Run {
        source: source.clone(),
        store: build::store_for_run(settings, flags.dry_run).await?,
        embedder: embedder.clone(),
        inference,
        options: CapabilityOptions {
            filter: TypeFilter { include: flags.what.include.clone(), exclude: flags.what.exclude.clone() },
            only: Vec::new(),
            cluster: name.clone(),
            dry_run: flags.dry_run,
            replace_source: flags.how.replace_source,
            reindex: flags.how.reindex,
            lock_timeout: flags.how.lock_timeout,
        },
        json,
    })
    .await?;
    let instances = sync_instances::once(source, settings, embedder.clone(), flags, name).await?;
    embedder.settled();
    let partial = capabilities.is_partial() || instances.is_partial();
    if json {
        print::report(&Summaries { capabilities, instances }, Output::Json)?;
    }
    Ok(if partial { Done::InPart } else { Done::Whole })
}
