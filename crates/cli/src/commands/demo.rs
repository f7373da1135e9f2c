//! `clusterlore demo`: the example company, which is part of the program, in a store that is gone afterwards.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clusterlore_core::{AnnotationChoice, Collection};
use clusterlore_index::Request;
use clusterlore_search::Wanted;

use crate::args::{Demo, Format, HowFlags, Index, InferenceFlags, ListFlags, SyncInstances, TableFlags, WhatFlags};
use crate::build;
use crate::commands::index;
use crate::done::Done;
use crate::print::{self, hits};
use crate::settings::Settings;

const MANIFESTS: &[(&str, &str)] = &[
    ("00-crds.yaml", include_str!("../../../../examples/00-crds.yaml")),
    ("01-namespaces.yaml", include_str!("../../../../examples/01-namespaces.yaml")),
    ("10-fares.yaml", include_str!("../../../../examples/10-fares.yaml")),
    ("20-liftops.yaml", include_str!("../../../../examples/20-liftops.yaml")),
    ("30-snowdesk.yaml", include_str!("../../../../examples/30-snowdesk.yaml")),
    ("40-guest.yaml", include_str!("../../../../examples/40-guest.yaml")),
    ("50-datastores.yaml", include_str!("../../../../examples/50-datastores.yaml")),
    ("60-observability.yaml", include_str!("../../../../examples/60-observability.yaml")),
    ("70-platform.yaml", include_str!("../../../../examples/70-platform.yaml")),
    ("80-pods.yaml", include_str!("../../../../examples/80-pods.yaml")),
];

const QUESTIONS: &[(&str, Collection)] = &[
    ("what relational databases do we run?", Collection::Instances),
    ("what stops a chairlift in a storm?", Collection::Instances),
    ("where are the passwords kept?", Collection::Instances),
    ("how do I get a TLS certificate?", Collection::Capabilities),
];

pub(crate) async fn run(settings: &Settings, flags: &Demo) -> anyhow::Result<Done> {
    if let Some(folder) = &flags.write {
        write_manifests(folder)?;
        print::news(&format!("The example's manifests are in {}.", folder.display()));
        return Ok(Done::Whole);
    }
    let scratch = tempfile::tempdir().context("the temporary folder cannot be used; point TMPDIR to another one")?;
    let manifests = scratch.path().join("manifests");
    write_manifests(&manifests)?;
    let store = format!("sqlite:{}", scratch.path().join("index.db").display());
    let settings = &Settings::only([("store", store), ("embedder", "builtin".to_owned())]).and("catalogue", settings);
    print::news("Indexing the manifests of Corrie Ropeways, an invented company.");
    print::news("");
    let both = Index { instances: folder_sync(&manifests), inference: InferenceFlags::default() };
    index::run(settings, &both).await?;
    let own = flags.question.join(" ");
    let questions = if own.is_empty() { QUESTIONS.to_vec() } else { vec![(own.as_str(), Collection::Instances)] };
    let index = build::index(settings).await?;
    let (list, table) = (ListFlags::default(), TableFlags::default());
    let view = hits::View {
        format: &Format::Table,
        list: &list,
        table: &table,
        explain: false,
        unknown: Vec::new(),
        now: HashMap::default(),
    };
    for (text, collection) in questions {
        let types = if collection == Collection::Capabilities { " --collection capabilities" } else { "" };
        print::lines(["", &format!("$ clusterlore search \"{text}\"{types} --limit 5")])?;
        let (question, number) = (text.to_owned(), Wanted::Never);
        let request = Request { question, collection, limit: 5, now: build::now(), number, ..Request::default() };
        hits::print(&index.ask(&build::OWN_STORE, &request).await?, &view)?;
    }
    print::news("");
    print::news("Next, your own cluster:");
    print::news("  clusterlore index");
    print::news("  clusterlore search \"what databases are running?\"");
    Ok(Done::Whole)
}

fn write_manifests(folder: &Path) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written; choose another folder", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    MANIFESTS.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text)).with_context(cannot)
}

fn folder_sync(folder: &Path) -> SyncInstances {
    SyncInstances {
        from: Some(folder.to_owned()),
        what: WhatFlags { namespaces: Vec::new(), all_namespaces: false, include: Vec::new(), exclude: Vec::new() },
        annotations: Some(AnnotationChoice::default()),
        cluster_name: None,
        all_contexts: false,
        dry_run: false,
        how: HowFlags {
            replace_source: false,
            reindex: false,
            lock_timeout: Duration::ZERO,
            concurrency: 8,
            page_size: 500,
        },
        output: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_part_of_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .filter(|f| f.ends_with(".yaml"))
            .collect();
        files.sort();
        assert_eq!(files, MANIFESTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
