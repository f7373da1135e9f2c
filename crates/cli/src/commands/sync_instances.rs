//! `clusterlore sync-instances`

use clusterlore_cluster::ListScope;
use clusterlore_core::TypeFilter;
use clusterlore_pipeline::{InstanceSync, Options};
use clusterlore_store::{Sqlite, StoreError};

use crate::args::{ClusterFlags, StoreFlags, SyncInstances};
use crate::print::{self, progress::Lines};
use crate::{Done, build};

pub(crate) async fn run(cluster: &ClusterFlags, store: &StoreFlags, flags: &SyncInstances) -> anyhow::Result<Done> {
    let source = build::source(cluster, flags.from.as_deref(), flags.page_size).await?;
    let sync = InstanceSync {
        source,
        store: open_store(store, flags.dry_run)?,
        embedder: build::embedder(),
        options: Options {
            filter: TypeFilter { include: flags.include.clone(), exclude: flags.exclude.clone() },
            scope: match &flags.namespaces[..] {
                [] => ListScope::All,
                names => ListScope::Namespaces(names.to_vec()),
            },
            cluster: flags.cluster_name.clone(),
            concurrency: usize::from(flags.concurrency),
            dry_run: flags.dry_run,
            replace_source: flags.replace_source,
            reindex: flags.reindex,
        },
    };
    let lines = Lines::new();
    let outcome = sync.run(&|progress| lines.hear(progress)).await;
    let would = lines.finish();
    let summary = outcome?.summary;
    let json = flags.output.is_some();
    if !json {
        would.iter().try_for_each(|line| print::line(line))?;
    }
    if let Some(line) = summary.skipped_line() {
        print::note(&line);
    }
    if flags.dry_run {
        print::note(&format!(
            "Dry run, nothing was written: {} discovered, {} would be stored, {} would be deleted, {} unchanged.",
            summary.discovered, summary.stored, summary.deleted, summary.unchanged
        ));
    } else {
        print::note(&summary.line());
    }
    if json {
        print::json(&summary)?;
    }
    Ok(if summary.is_partial() { Done::InPart } else { Done::Whole })
}

/// A dry run makes no store where there is none.
fn open_store(flags: &StoreFlags, dry_run: bool) -> anyhow::Result<Option<Sqlite>> {
    if !dry_run {
        return build::store_for_writing(flags).map(Some);
    }
    match Sqlite::open_existing(&build::store_path(flags)?) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
