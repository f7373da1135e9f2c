//! `clusterlore demo`: the example company, which is part of the program, in an index of its own beside the user's.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::{FolderSource, ListScope};
use clusterlore_core::{Collection, Happening, JournalEntry, ResourceInstance, ResourceType, TEXT_VERSION, TypeFilter};
use clusterlore_index::{OLD, Request};
use clusterlore_models::{Builtin, Embedder};
use clusterlore_pipeline::{CapabilityOptions, CapabilitySync, Inference, InstanceSync, Options};
use clusterlore_search::Wanted;
use clusterlore_store::{Batch, Sqlite, Store};
use jiff::{SignedDuration, Timestamp};

use crate::args::{Demo, Format, ListFlags, TableFlags};
use crate::build;
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

/// What the journal tells of, the oldest first: minutes before the index is made, what happened, and API version, kind, namespace and name.
/// What was deleted is no part of the manifests, all else is.
const JOURNAL: &[(i64, Happening, [&str; 4])] = &[
    (1_130, Happening::Created, ["batch/v1", "Job", "liftops", "migrate-workorders-2025-11"]),
    (1_125, Happening::Deleted, ["batch/v1", "Job", "liftops", "migrate-workorders-2025-10"]),
    (610, Happening::SpecChanged, ["apps/v1", "StatefulSet", "datastores", "granite"]),
    (340, Happening::LabelsChanged, ["apps/v1", "Deployment", "snowdesk", "snowgun-control"]),
    (185, Happening::Created, ["batch/v1", "CronJob", "liftops", "rope-wear-report"]),
    (95, Happening::SpecOrAnnotationsChanged, ["apps/v1", "Deployment", "fares", "kiosk-web"]),
    (94, Happening::Deleted, ["v1", "Pod", "fares", "kiosk-web-5c7d9f4b6c-x8k2p"]),
    (22, Happening::SpecOrAnnotationsChanged, ["apps/v1", "Deployment", "fares", "marmot"]),
    (21, Happening::Created, ["v1", "Pod", "fares", "marmot-6c9f8d7b5d-q7xkz"]),
    (20, Happening::Deleted, ["v1", "Pod", "fares", "marmot-5f6b7c8d9e-k2n4p"]),
];

/// What the manifests are known by as a source.
const SOURCE: &str = "examples, part of clusterlore";
/// Beside the index: what made it.
const MADE_BY: &str = "made-by";
/// Types that are listed at once.
const AT_ONCE: usize = 8;

pub(crate) async fn run(settings: &Settings, flags: &Demo) -> anyhow::Result<Done> {
    if let Some(folder) = &flags.write {
        write_manifests(folder)?;
        print::news(&format!("The example's manifests are in {}.", folder.display()));
        return Ok(Done::Whole);
    }
    make().await?;
    let settings = &build::demo(settings)?;
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
        print::lines(["", &format!("$ clusterlore search \"{text}\"{types} --demo --limit 5")])?;
        let (question, number) = (text.to_owned(), Wanted::Never);
        let request = Request { question, collection, limit: 5, now: build::now(), number, ..Request::default() };
        hits::print(&index.ask(&build::OWN_STORE, &request).await?, &view)?;
    }
    for line in [
        "",
        "Next, a question of your own:",
        "  clusterlore search \"where are the backups kept?\" --demo",
        "",
        "Then your own cluster:",
        "  clusterlore index",
        "  clusterlore search \"what databases are running?\"",
    ] {
        print::news(line);
    }
    Ok(Done::Whole)
}

/// The settings by which the demo's index is asked. It is made where it is missing, old, or of another version of the program.
pub(crate) async fn ready(settings: &Settings) -> anyhow::Result<Settings> {
    let demo = build::demo(settings)?;
    if !is_fresh(&build::demo_folder()?) {
        make().await?;
    }
    Ok(demo)
}

/// Whether this version of the program made it, lately.
fn is_fresh(folder: &Path) -> bool {
    let mark = folder.join(MADE_BY);
    let made = std::fs::metadata(&mark).and_then(|mark| mark.modified()).ok().and_then(|at| at.elapsed().ok());
    made.is_some_and(|ago| ago < OLD)
        && std::fs::read_to_string(&mark).is_ok_and(|by| by == version())
        && folder.join(build::DEMO_INDEX).is_file()
}

/// Everything that an index depends on.
fn version() -> String {
    let mut manifests = DefaultHasher::new();
    (MANIFESTS, JOURNAL).hash(&mut manifests);
    let embedder = Builtin::identity_of().name;
    format!("clusterlore {}, {embedder}, text {TEXT_VERSION}, {:x}\n", env!("CARGO_PKG_VERSION"), manifests.finish())
}

/// Makes the index anew. It takes the place of the one before it as a whole: who reads that meanwhile reads it to the end.
async fn make() -> anyhow::Result<()> {
    let (folder, data) = (build::demo_folder()?, build::data_folder()?);
    let cannot =
        || format!("the demo's index cannot be kept in {}; point XDG_DATA_HOME to another folder", data.display());
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(&data).with_context(cannot)?;
    let beside = || {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        builder.prefix(".demo-").tempdir_in(&data).with_context(cannot)
    };
    let (new, old) = (beside()?, beside()?);
    let (types, objects) = index(&new.path().join(build::DEMO_INDEX)).await?;
    std::fs::write(new.path().join(MADE_BY), version()).with_context(cannot)?;
    // There may be none.
    let _ = std::fs::rename(&folder, old.path().join("demo"));
    match std::fs::rename(new.path(), &folder) {
        // Another process was faster, with the same.
        Err(_) if is_fresh(&folder) => {}
        moved => moved.with_context(cannot)?,
    }
    print::news(&format!("Indexed Corrie Ropeways, an invented company: {objects} objects, {types} types."));
    Ok(())
}

/// Indexes the example, and counts types and objects.
async fn index(file: &Path) -> anyhow::Result<(usize, usize)> {
    let source = Arc::new(FolderSource::of_texts(SOURCE, MANIFESTS.iter().copied())?);
    let store: Arc<dyn Store> = Arc::new(Sqlite::open_or_create(file)?);
    let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
    let types = CapabilitySync {
        source: source.clone(),
        store: Some(Arc::clone(&store)),
        embedder: Arc::clone(&embedder),
        inference: Inference::Rules(Arc::new(Catalogue::builtin().clone())),
        options: CapabilityOptions {
            filter: TypeFilter::default(),
            only: Vec::new(),
            cluster: None,
            dry_run: false,
            replace_source: false,
            reindex: false,
            lock_timeout: Duration::ZERO,
        },
    };
    let types = types.run(&|_| {}).await?.summary.stored;
    let objects = InstanceSync {
        source,
        store: Some(Arc::clone(&store)),
        embedder,
        options: Options {
            filter: TypeFilter::default(),
            scope: ListScope::All,
            cluster: None,
            concurrency: AT_ONCE,
            dry_run: false,
            replace_source: false,
            reindex: false,
            lock_timeout: Duration::ZERO,
        },
    };
    let objects = objects.run(&|_| {}).await?.summary.stored;
    let journal = journal(Timestamp::now())?;
    store.apply(Collection::Instances, Batch { journal, ..Batch::default() }).await?;
    Ok((types, objects))
}

/// What happened lately, as a watch would have noticed it.
fn journal(now: Timestamp) -> anyhow::Result<Vec<JournalEntry>> {
    let entry = |(ago, what, [api_version, kind, namespace, name]): &(i64, Happening, [&str; 4])| {
        let instance = ResourceInstance::new(api_version, kind, Some(namespace), name)?;
        let plural = ResourceType::plural_of(kind);
        let type_name = match instance.api_group.as_str() {
            "" => plural,
            group => format!("{plural}.{group}"),
        };
        let at = JournalEntry::time(now - SignedDuration::from_mins(*ago));
        Ok(JournalEntry::of_instance(&instance, &type_name, *what, at))
    };
    JOURNAL.iter().map(entry).collect()
}

fn write_manifests(folder: &Path) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written; choose another folder", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    MANIFESTS.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text)).with_context(cannot)
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

    #[test]
    fn the_journal_is_in_the_order_of_time_and_tells_of_what_the_manifests_hold() {
        assert!(JOURNAL.is_sorted_by(|(before, ..), (after, ..)| before > after));
        let all: String = MANIFESTS.iter().map(|(_, text)| *text).collect();
        for (_, what, [_, _, _, name]) in JOURNAL {
            assert_eq!(all.contains(&format!("name: {name}\n")), *what != Happening::Deleted, "{name}");
        }
        let journal = journal(Timestamp::now()).unwrap();
        let names: Vec<&str> = journal.iter().map(|entry| entry.type_name.as_str()).collect();
        assert_eq!(names[..4], ["jobs.batch", "jobs.batch", "statefulsets.apps", "deployments.apps"]);
    }
}
