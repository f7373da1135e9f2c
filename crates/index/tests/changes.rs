//! Questions about what happened lately, over an index and a journal: which entries they get, and what is said beside.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{
    CLUSTER_SCOPE, Collection, Document, Happening, JournalEntry, ResourceInstance, ResourceType, Scope,
};
use clusterlore_index::{Changes, Index, Request};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_store::{Batch, Runs, Sqlite, Store, Upsert, Writer};
use tempfile::TempDir;

const ALL: Scope = Scope::All { because: "a test" };
const NOW: &str = "2026-03-04T09:30:00Z";

/// Kind, plural, short name, group.
const TYPES: [(&str, &str, &str, &str); 7] = [
    ("Namespace", "namespaces", "ns", ""),
    ("ConfigMap", "configmaps", "cm", ""),
    ("Service", "services", "svc", ""),
    ("Deployment", "deployments", "deploy", "apps"),
    ("StatefulSet", "statefulsets", "sts", "apps"),
    ("DaemonSet", "daemonsets", "ds", "apps"),
    ("Database", "databases", "", "kinds.example.org"),
];

/// What is there: kind, namespace, name, label `team`, description.
const THERE: [(&str, &str, &str, &str, &str); 9] = [
    ("Namespace", CLUSTER_SCOPE, "books", "", ""),
    ("Namespace", CLUSTER_SCOPE, "farm", "", ""),
    ("Namespace", CLUSTER_SCOPE, "plant", "", ""),
    ("Deployment", "books", "courier", "post", "Delivers text messages to phones"),
    ("Deployment", "books", "reader", "library", "Renders pages"),
    ("StatefulSet", "books", "mariadb", "library", ""),
    ("Deployment", "farm", "tractor", "fields", ""),
    ("Service", "farm", "tractor", "fields", ""),
    ("Database", "farm", "harvest", "fields", ""),
];

/// When, what, kind, namespace, name; the newest last.
const JOURNAL: [(&str, Happening, &str, &str, &str); 12] = [
    ("2026-03-03T20:00:00Z", Happening::Created, "Namespace", CLUSTER_SCOPE, "books"),
    ("2026-03-03T20:01:00Z", Happening::Created, "ConfigMap", "books", "shelves"),
    ("2026-03-04T06:00:00Z", Happening::Deleted, "StatefulSet", "farm", "couchdb"),
    ("2026-03-04T08:05:00Z", Happening::Deleted, "StatefulSet", "farm", "rabbitmq"),
    ("2026-03-04T08:10:00Z", Happening::Deleted, "DaemonSet", "farm", "vector"),
    ("2026-03-04T08:15:00Z", Happening::Deleted, "Deployment", "plant", "tractor"),
    ("2026-03-04T08:16:00Z", Happening::Deleted, "Deployment", "plant", "tractor-helper"),
    ("2026-03-04T08:40:00Z", Happening::LabelsChanged, "StatefulSet", "books", "mariadb"),
    ("2026-03-04T08:45:00Z", Happening::SpecChanged, "Deployment", "books", "courier"),
    ("2026-03-04T08:50:00Z", Happening::SpecChanged, "Database", "farm", "harvest"),
    ("2026-03-04T09:00:00Z", Happening::Created, "ConfigMap", "farm", "seeds"),
    ("2026-03-04T09:29:40Z", Happening::Deleted, "ConfigMap", "farm", "weeds"),
];

fn ty(kind: &str) -> ResourceType {
    let (kind, plural, short, group) = TYPES.into_iter().find(|ty| ty.0 == kind).unwrap();
    ResourceType {
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        short_names: Some(short.to_owned()).filter(|short| !short.is_empty()).into_iter().collect(),
        namespaced: kind != "Namespace",
        ..ResourceType::default()
    }
}

fn object(kind: &str, namespace: &str, name: &str) -> ResourceInstance {
    let group = ty(kind).group;
    let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    let namespace = Some(namespace).filter(|namespace| *namespace != CLUSTER_SCOPE);
    ResourceInstance::new(&api_version, kind, namespace, name).unwrap()
}

async fn index() -> (TempDir, Index) {
    let folder = tempfile::tempdir().unwrap();
    let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    store.open_collection(Collection::Instances, &embedder.identity()).await.unwrap();
    store.remember_types("", &TYPES.map(|(kind, ..)| ty(kind))).await.unwrap();
    let documents = THERE.map(|(kind, namespace, name, team, about)| {
        let mut object = object(kind, namespace, name);
        if !team.is_empty() {
            object.labels.insert("team".to_owned(), team.to_owned());
        }
        if !about.is_empty() {
            object.annotations.insert("description".to_owned(), about.to_owned());
        }
        Document::of_instance(&object, &ty(kind).name())
    });
    let texts = documents.iter().map(|document| document.text.clone()).collect();
    let vectors = embedder.embed(Purpose::Document, texts).await.unwrap();
    let upserts = documents.into_iter().zip(vectors).map(|(document, v)| Upsert { document, vector: Some(v) });
    let journal = JOURNAL.map(|(at, what, kind, namespace, name)| {
        let at = JournalEntry::time(at.parse().unwrap());
        JournalEntry::of_instance(&object(kind, namespace, name), &ty(kind).name(), what, at)
    });
    let batch = Batch { upserts: upserts.collect(), journal: journal.into(), source: 1, ..Batch::default() };
    store.apply(Collection::Instances, batch).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    (folder, Index::new(store, embedder, Catalogue::builtin().clone()))
}

async fn told(index: &Index, question: &str) -> Changes {
    let request = Request { question: question.into(), limit: 50, now: NOW.into(), ..Request::default() };
    index.changes(&ALL, &request, None, None).await.unwrap()
}

/// Asks each question, and tells of all that got other entries than expected: `Kind/name`, the newest first.
async fn check(questions: &[(&str, &[&str])]) {
    let (_folder, index) = index().await;
    let mut wrong = Vec::new();
    for (question, expected) in questions {
        let told = told(&index, question).await;
        let got: Vec<String> = told.changes.iter().map(|entry| format!("{}/{}", entry.kind, entry.name)).collect();
        if got != *expected {
            wrong.push(format!(
                "{question:?}: {got:?}, expected {expected:?}; searched {:?} {:?}",
                told.searched, told.notes
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const GONE: [&str; 6] = [
    "ConfigMap/weeds",
    "Deployment/tractor-helper",
    "Deployment/tractor",
    "DaemonSet/vector",
    "StatefulSet/rabbitmq",
    "StatefulSet/couchdb",
];

#[tokio::test]
async fn entries_are_found_by_meaning() {
    check(&[
        // The index has a kind that is called so too.
        ("databases", &["Database/harvest", "StatefulSet/mariadb", "StatefulSet/couchdb"]),
        ("which databases disappeared", &["StatefulSet/couchdb"]),
        ("relabelled databases", &["StatefulSet/mariadb"]),
        ("message brokers", &["StatefulSet/rabbitmq"]),
        ("log collector", &["DaemonSet/vector"]),
        ("log forwarders", &["DaemonSet/vector"]),
        // Only its description says so.
        ("phones", &["Deployment/courier"]),
        ("text messages", &["Deployment/courier"]),
        // A name is that of no other object, however near.
        ("seeds", &["ConfigMap/seeds"]),
        ("blockchain", &[]),
        ("deleted certificates", &[]),
        ("identity providers", &[]),
    ])
    .await;
}

#[tokio::test]
async fn words_for_happenings_are_read_in_many_forms() {
    check(&[
        ("sts/rabbitmq", &["StatefulSet/rabbitmq"]),
        ("deploy/tractor", &["Deployment/tractor"]),
        ("plant/tractor", &["Deployment/tractor"]),
        ("svc/rabbitmq", &[]),
        ("what got deleted in farm in the past hour?", &["ConfigMap/weeds"]),
        ("which daemonsets have gone away", &["DaemonSet/vector"]),
        ("why is rabbitmq gone", &["StatefulSet/rabbitmq"]),
        ("where has vector gone", &["DaemonSet/vector"]),
        ("did anybody remove couchdb", &["StatefulSet/couchdb"]),
        ("did anybody remove redis", &[]),
        ("list removals", &GONE),
        ("what is new", &["ConfigMap/seeds", "ConfigMap/shelves", "Namespace/books"]),
        ("what's been added?", &["ConfigMap/seeds", "ConfigMap/shelves", "Namespace/books"]),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_wanted_stays_out_and_words_without_a_thing_hide_nothing() {
    check(&[
        ("deleted in farm except configmaps", &GONE[3..]),
        ("what was deleted outside of farm", &GONE[1..3]),
        ("deletions in farm, not the statefulsets", &["ConfigMap/weeds", "DaemonSet/vector"]),
        ("which config maps were deleted in farm", &["ConfigMap/weeds"]),
        ("has anyone deleted rabbitmq", &["StatefulSet/rabbitmq"]),
        ("what happened to courier's spec", &["Deployment/courier"]),
        ("was harvest rescaled", &["Database/harvest"]),
        ("which deployments were surreptitiously deleted", &GONE[1..3]),
        // Nothing else is asked for.
        ("surreptitiously", &[]),
    ])
    .await;
}

#[tokio::test]
async fn times_of_the_clock_limit() {
    check(&[
        ("removed in the last 45 secs", &["ConfigMap/weeds"]),
        ("removed in the last 5 seconds", &[]),
        ("removed between 8:06 and 08:12", &["DaemonSet/vector"]),
        ("what was removed from 08:12 to 08:16", &["Deployment/tractor"]),
        ("what was removed before 07:00", &["StatefulSet/couchdb"]),
        ("what was removed after 09:00", &["ConfigMap/weeds"]),
        ("what was removed after 9 am", &["ConfigMap/weeds"]),
        ("what was removed at 08:10", &["DaemonSet/vector"]),
        ("what was removed around 8:05", &GONE[1..5]),
        ("anything removed on 2026-03-04", &GONE),
        ("removed in the last half hour", &["ConfigMap/weeds"]),
        ("created since wednesday", &["ConfigMap/seeds"]),
        ("what was created last evening", &["ConfigMap/shelves", "Namespace/books"]),
        ("what was created this morning", &["ConfigMap/seeds"]),
        ("what was created this afternoon", &[]),
        // The last time that it was eight in the evening was yesterday.
        ("what was created since 20:00:30", &["ConfigMap/seeds", "ConfigMap/shelves"]),
        ("created between 2026-03-02 and 2026-03-03", &["ConfigMap/shelves", "Namespace/books"]),
        ("was wurde heute gelöscht", &GONE),
        ("que se borró ayer", &[]),
        ("configmaps this morning", &["ConfigMap/weeds", "ConfigMap/seeds"]),
        ("what was removed since 25:99", &[]),
    ])
    .await;
}

#[tokio::test]
async fn numbers_and_namespaces_are_what_they_say() {
    check(&[
        ("the last 2 changes", &["ConfigMap/weeds", "ConfigMap/seeds"]),
        ("latest 2 deletions", &["ConfigMap/weeds", "Deployment/tractor-helper"]),
        ("3 most recent removals", &GONE[..3]),
        ("deletions in the last 2 hours", &GONE[..5]),
        ("when did the namespace books appear", &["Namespace/books"]),
        ("who made the books namespace new", &["Namespace/books"]),
        ("what was created in the books namespace", &["ConfigMap/shelves"]),
        ("what was created in namespace books", &["ConfigMap/shelves"]),
        ("what was deleted in namespace atlantis", &[]),
        ("what changed for team fields", &["Database/harvest"]),
        ("specs changed of team library", &[]),
        ("team nobody", &[]),
        ("deleted configmaps of team farm", &["ConfigMap/weeds"]),
    ])
    .await;
}

#[tokio::test]
async fn a_number_is_told_where_one_is_asked_for() {
    let (_folder, index) = index().await;
    let mut wrong = Vec::new();
    for (question, total, shown) in [
        ("how many things were deleted", Some(6), 2),
        ("how many objects disappeared in the last 2 hours", Some(5), 2),
        ("how many deployments were deleted", Some(2), 2),
        ("how many databases changed", Some(3), 2),
        ("how many message brokers were created", Some(0), 0),
        ("wie viele deployments wurden gelöscht", Some(2), 2),
        ("what was deleted", None, 2),
    ] {
        let request = Request { question: question.into(), limit: 2, now: NOW.into(), ..Request::default() };
        let told = index.changes(&ALL, &request, None, None).await.unwrap();
        if (told.total, told.changes.len()) != (total, shown) || told.more != total.is_none_or(|total| total > shown) {
            wrong.push(format!("{question}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_was_not_understood_is_said() {
    let (_folder, index) = index().await;
    for (question, said) in [
        ("what was deleted in namespace atlantis", "there is no namespace \"atlantis\""),
        ("what was removed since 25:99", "\"25:99\" is not a date"),
        ("what was removed since 9:10 CET", "\"9:10 CET\" is not a date"),
        ("which deployments were surreptitiously deleted", "nothing is called \"surreptitiously\"; looked without it"),
        ("surreptitiously", "nothing is called \"surreptitiously\""),
        ("what changed in services", "of services only creation"),
        ("what changed for team fields", "labels"),
    ] {
        let told = told(&index, question).await;
        let notes: Vec<String> = told.notes.iter().map(|note| note.text.clone()).collect();
        assert!(notes.iter().any(|note| note.contains(said)), "{question}: {told:?}");
    }
    let told = told(&index, "what was deleted in farm").await;
    assert_eq!(told.notes, [], "{told:?}");
}

#[tokio::test]
async fn who_did_it_is_asked_of_objects_that_are_there() {
    let (_folder, index) = index().await;
    for (question, command) in [
        // The journal has an entry.
        ("who changed courier", Some("-n books get deployments.apps/courier")),
        // It has none, and the index knows the object.
        ("who last edited the deployment reader in books", Some("-n books get deployments.apps/reader")),
        ("who touched svc/tractor", Some("-n farm get services/tractor")),
        // Nobody can ask for what is gone, or never was.
        ("who deleted rabbitmq", None),
        ("who changed atlantis", None),
    ] {
        let told = told(&index, question).await;
        let commands = &told.needs[0].commands;
        match command {
            Some(part) => assert!(commands.len() == 1 && commands[0].contains(part), "{question}: {told:?}"),
            None => assert!(commands.is_empty(), "{question}: {told:?}"),
        }
    }
    assert!(told(&index, "what changed").await.needs.is_empty());
}

#[tokio::test]
async fn an_empty_answer_says_where_the_journal_begins() {
    let (_folder, index) = index().await;
    for (question, begins) in [
        ("what was deleted yesterday", true),
        ("what was relabelled on 2026-02-20", true),
        ("what was relabelled in the last 10 minutes", false),
    ] {
        let told = told(&index, question).await;
        let notes: Vec<_> = told.notes.iter().filter(|note| note.kind == "begins").collect();
        assert!(told.changes.is_empty(), "{question}: {:?}", told.changes);
        assert_eq!(notes.len(), usize::from(begins), "{question}: {:?}", told.notes);
        assert!(notes.iter().all(|note| note.text.contains("2026-03-03T20:00:00Z")), "{notes:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_gone_is_told_of_beside_what_is_called_alike() {
    let (_folder, index) = index().await;
    for (question, gone) in [
        ("is tractor-helper running?", Some("Deployment plant/tractor-helper is gone since 2026-03-04T08:16:00Z")),
        ("where is the tractor", None),
    ] {
        let request = Request { question: question.into(), now: NOW.into(), ..Request::default() };
        let reply = index.ask(&ALL, &request).await.unwrap();
        assert!(reply.hits.iter().any(|hit| hit.id.ends_with("/tractor")), "{question}");
        assert_eq!(reply.gone(), Vec::from_iter(gone), "{question}");
    }
}
