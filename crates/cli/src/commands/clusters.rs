//! `clusterlore clusters`: what is indexed, cluster by cluster; renaming and forgetting one.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::anyhow;
use clusterlore_core::SourceIdentity;
use clusterlore_index::{ClusterStatus, Status};
use clusterlore_pipeline::forget as forgotten;
use clusterlore_store::{ClusterNames, KnownSource, Store};

use crate::args::{Clusters, ClustersAction, Output};
use crate::done::Done;
use crate::print::progress::Lines;
use crate::print::{self, table::table};
use crate::settings::{Settings, wrong};
use crate::{answer, build, inbox, unknown};

pub(crate) async fn run(settings: &Settings, flags: &Clusters) -> anyhow::Result<Done> {
    match &flags.action {
        None => list(settings, flags.output).await,
        Some(ClustersAction::Rename { old, new }) => rename(settings, old, new).await,
        Some(ClustersAction::Forget { name, yes, lock_timeout }) => forget(settings, name, *yes, *lock_timeout).await,
    }
}

async fn list(settings: &Settings, output: Output) -> anyhow::Result<Done> {
    let store = build::store_for_reading(settings).await?;
    let clusters = Status::of(&*store, &build::OWN_STORE).await?.clusters();
    match output {
        Output::Json | Output::Yaml => print::report(&clusters, output)?,
        Output::Name => clusters.iter().try_for_each(|cluster| print::line(&cluster.name))?,
        Output::Table if clusters.is_empty() => {
            print::note("Nothing is indexed. Index a cluster with \"clusterlore index\".");
        }
        Output::Table => {
            let header = ["NAME", "STORED AS", "SOURCE", "OBJECTS", "TYPES", "READ"];
            print::lines(table(&header, clusters.iter().map(row).collect()))?;
        }
    }
    Ok(Done::Whole)
}

fn row(of: &ClusterStatus) -> Vec<String> {
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise } else { text }.to_owned();
    let source = match &of.source {
        Some(SourceIdentity::Cluster { server, .. }) => server.clone(),
        Some(SourceIdentity::Folder { path }) if path == SourceIdentity::STANDARD_INPUT => "standard input".to_owned(),
        Some(SourceIdentity::Folder { path }) => path.clone(),
        Some(SourceIdentity::Controller) => "what a controller posts".to_owned(),
        None => "another program".to_owned(),
    };
    let read = of.last_read.as_deref().map_or_else(|| "-".to_owned(), print::ago);
    vec![or(&of.name, "-"), or(&of.cluster, "-"), source, of.objects.to_string(), of.types.to_string(), read]
}

/// The cluster that is meant by one of its names.
async fn meant(store: &dyn Store, said: &str) -> anyhow::Result<(ClusterStatus, Vec<KnownSource>)> {
    let status = Status::of(store, &build::OWN_STORE).await?;
    let clusters = status.clusters();
    let is_it = |of: &&ClusterStatus| of.cluster == said;
    let found = clusters.iter().find(is_it).or_else(|| clusters.iter().find(|of| of.name == said));
    if let Some(found) = found {
        return Ok((found.clone(), status.sources));
    }
    let names: Vec<&str> = clusters.iter().flat_map(|of| [of.name.as_str(), of.cluster.as_str()]).collect();
    let near = unknown::nearest(said, names).map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
    Err(anyhow!("the index has no cluster \"{said}\"; nothing was changed.{near} \"clusterlore clusters\" lists them"))
}

async fn rename(settings: &Settings, old: &str, new: &str) -> anyhow::Result<Done> {
    let store = build::store_to_add_to(settings).await?;
    let (cluster, sources) = meant(&*store, old).await?;
    let names = ClusterNames::of(&sources);
    if let Some(other) = names.meant(new).filter(|other| *other != cluster.cluster) {
        let also = match names.shown(other) {
            shown if shown == new => String::new(),
            shown => format!(", which is shown as \"{shown}\""),
        };
        return Err(anyhow!(
            "\"{new}\" is the name of another cluster{also}; expected a name that no other cluster has"
        ));
    }
    let own: Vec<&KnownSource> = sources.iter().filter(|source| source.cluster == cluster.cluster).collect();
    if own.is_empty() {
        return Err(anyhow!("another program filled \"{old}\", and it has no name here; sync it first"));
    }
    for source in own {
        store.name_source(source.number, new).await?;
    }
    print::note(&format!("Cluster \"{}\" is called \"{new}\" now.", told(&cluster)));
    Ok(Done::Whole)
}

/// What a cluster is called in a sentence.
fn told(cluster: &ClusterStatus) -> &str {
    if cluster.name.is_empty() { "without a name" } else { &cluster.name }
}

async fn forget(settings: &Settings, said: &str, yes: bool, patience: Duration) -> anyhow::Result<Done> {
    let store = build::store_to_add_to(settings).await?;
    let (cluster, _) = meant(&*store, said).await?;
    let inbox = inbox::existing(&*store)?;
    if !yes {
        if !std::io::stdin().is_terminal() || !print::is_at_a_terminal() {
            return Err(wrong(format!(
                "forgetting \"{}\" deletes all that the index has of it; there is no terminal to ask at, so add --yes",
                told(&cluster)
            )));
        }
        let question = format!(
            "Delete all that the index has of cluster \"{}\" ({} objects of {} types)? Type yes to delete, anything else to leave it:",
            told(&cluster),
            cluster.objects,
            cluster.types
        );
        print::note(&question);
        if !answer::is_yes().await? {
            print::note("Nothing was deleted.");
            return Ok(Done::Whole);
        }
    }
    let lines = Lines::new();
    let done = forgotten(&*store, inbox.as_deref(), &cluster.cluster, patience, &|progress| lines.hear(progress)).await;
    lines.finish();
    let done = done?;
    let count = |n: usize, one: &str, several: &str| format!("{n} {}", if n == 1 { one } else { several });
    print::note(&format!(
        "Forgot cluster \"{}\": {}, {}, {} of the journal and {} that waited were deleted.",
        told(&cluster),
        count(done.instances, "object", "objects"),
        count(done.capabilities, "resource type", "resource types"),
        count(done.changes, "entry", "entries"),
        count(done.posts, "post", "posts"),
    ));
    Ok(Done::Whole)
}
