use std::sync::Arc;

use clusterlore_core::{Collection, Document, EmbedderIdentity, ObjectKey, ResourceInstance, Rule, SourceIdentity};
use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::filter::Filter;
use crate::holder::Holder;
use crate::reader::{Candidates, Probe, Vocabulary};
use crate::runs::Runs;
use crate::writer::{Batch, Upsert, Writer};

/// Whoever locks here.
fn me() -> Holder {
    Holder::new(crate::holder::RunKind::Capabilities, "2026-01-01T00:00:00Z".to_owned())
}

fn embedder() -> EmbedderIdentity {
    EmbedderIdentity { name: "test".into(), dimensions: 4 }
}

fn document(namespace: &str, name: &str, label: &str) -> Document {
    let mut o = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
    o.labels.insert("app".into(), label.into());
    Document::of_instance(&o, "pods")
}

fn upsert(document: &Document, vector: [f32; 4]) -> Upsert {
    Upsert { document: document.clone(), vector: Some(vector.to_vec()) }
}

async fn filled(path: &Path) -> Sqlite {
    let store = Sqlite::open_or_create(path).unwrap();
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    let upserts = vec![
        upsert(&document("a", "red-fox", "fox"), [1.0, 0.0, 0.0, 0.0]),
        upsert(&document("a", "grey-wolf", "wolf"), [0.0, 1.0, 0.0, 0.0]),
        upsert(&document("b", "red-wolf", "wolf"), [0.6, 0.8, 0.0, 0.0]),
    ];
    store.apply(Collection::Instances, Batch { upserts, source: 1, ..Batch::default() }).await.unwrap();
    store
}

async fn found(store: &Sqlite, probe: Probe) -> Vec<(String, f32)> {
    let mut found: Vec<(String, f32)> = store
        .view_all("a test")
        .await
        .unwrap()
        .probe(Collection::Instances, probe)
        .await
        .unwrap()
        .documents
        .into_iter()
        .map(|c| (c.id.clone(), (c.similarity * 10.0).round() / 10.0))
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

#[test]
fn those_who_make_the_file_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..40 {
        let path = folder.path().join(format!("{round}.db"));
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    start.wait();
                    Sqlite::open_or_create(&path).unwrap();
                });
            }
        });
    }
}

#[tokio::test]
async fn nearest_words_and_filters_work_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    let vector = vec![1.0, 0.0, 0.0, 0.0];
    let nearest = Probe { vector: vector.clone(), nearest: 2, ..Probe::default() };
    assert_eq!(found(&store, nearest).await, [("a/v1/Pod/red-fox".into(), 1.0), ("b/v1/Pod/red-wolf".into(), 0.6)]);
    let words = Probe {
        vector: vector.clone(),
        terms: vec!["wolf".into(), "nothing".into()],
        containing: 5,
        ..Probe::default()
    };
    assert_eq!(
        found(&store, words.clone()).await,
        [("b/v1/Pod/red-wolf".into(), 0.6), ("a/v1/Pod/grey-wolf".into(), 0.0)]
    );
    let candidates = store.view_all("a test").await.unwrap().probe(Collection::Instances, words).await.unwrap();
    assert_eq!((candidates.frequencies, candidates.total), (vec![2, 0], 3));
    let filter =
        Filter { namespaces: ["a".to_owned()].into(), selector: "app=wolf".parse().unwrap(), ..Filter::default() };
    let filtered = Probe { vector, nearest: 5, filter, ..Probe::default() };
    assert_eq!(found(&store, filtered).await, [("a/v1/Pod/grey-wolf".into(), 0.0)]);
}

#[tokio::test]
async fn the_vocabulary_is_what_the_documents_can_be_narrowed_by() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    let vocabulary = store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap();
    assert_eq!(vocabulary.namespaces, ["a", "b"].map(Into::into).into());
    assert_eq!(vocabulary.types, ["pods".to_owned()].into());
    assert_eq!(vocabulary.labels["app"], ["fox", "wolf"].map(Into::into).into());
    assert_eq!(
        *store.view_all("a test").await.unwrap().vocabulary(Collection::Capabilities).await.unwrap(),
        Default::default()
    );
}

#[tokio::test]
async fn writes_are_seen_at_once_by_this_process_and_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let writer = filled(&path).await;
    let reader = Sqlite::open_existing(&path).unwrap();
    let by_word = |word: &str| Probe { terms: vec![word.into()], containing: 9, ..Probe::default() };
    assert_eq!(found(&reader, by_word("fox")).await.len(), 1);
    let changed = document("a", "red-fox", "vixen");
    let mut upserts = vec![upsert(&document("c", "arctic-fox", "fox"), [0.0, 0.0, 1.0, 0.0])];
    upserts.push(Upsert { document: changed, vector: None });
    let deletes = vec![ObjectKey::new("", "", "Pod", "b", "red-wolf")];
    for _ in 0..2 {
        writer
            .apply(
                Collection::Instances,
                Batch { upserts: upserts.clone(), deletes: deletes.clone(), source: 1, ..Batch::default() },
            )
            .await
            .unwrap();
        for store in [&writer, &reader] {
            assert_eq!(found(store, by_word("fox")).await.len(), 2);
            assert_eq!(found(store, by_word("vixen")).await.len(), 1);
            assert_eq!(found(store, by_word("wolf")).await.len(), 1);
            let near = Probe { vector: vec![1.0, 0.0, 0.0, 0.0], nearest: 1, ..Probe::default() };
            assert_eq!(found(store, near).await, [("a/v1/Pod/red-fox".into(), 1.0)], "the vector was kept");
        }
    }
    let mut ids = Vec::new();
    reader
        .view_all("a test")
        .await
        .unwrap()
        .scan(Collection::Instances, "", &mut |s| ids.push(s.id.to_owned()))
        .await
        .unwrap();
    assert_eq!(ids, ["a/v1/Pod/red-fox", "a/v1/Pod/grey-wolf", "c/v1/Pod/arctic-fox"]);
    assert_eq!(
        reader.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents,
        3
    );
    assert_eq!(reader.view_all("a test").await.unwrap().counts(Collection::Instances).await.unwrap()[0].documents, 3);
}

#[tokio::test]
async fn another_version_of_an_object_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    let of = |version: &str| {
        let o = ResourceInstance::new(&format!("x.example/{version}"), "Order", Some("a"), "o").unwrap();
        upsert(&Document::of_instance(&o, "orders.x.example"), [0.0, 0.0, 0.0, 1.0])
    };
    for version in ["v1beta1", "v1"] {
        store.apply(Collection::Instances, Batch { upserts: vec![of(version)], ..Batch::default() }).await.unwrap();
    }
    let near = Probe { vector: vec![0.0, 0.0, 0.0, 1.0], nearest: 1, ..Probe::default() };
    assert_eq!(found(&store, near).await, [("a/x.example/v1/Order/o".into(), 1.0)]);
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents,
        4
    );
}

#[tokio::test]
async fn another_embedder_and_other_dimensions_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    let other = EmbedderIdentity { name: "voyage:voyage-4".into(), dimensions: 1024 };
    let message = store.open_collection(Collection::Instances, &other).await.unwrap_err().to_string();
    for part in ["test (4 dimensions)", "voyage:voyage-4 (1024 dimensions)", "cannot be compared"] {
        assert!(message.contains(part), "{message}");
    }
    let bad = Upsert { document: document("z", "z", "z"), vector: Some(vec![1.0]) };
    let good = upsert(&document("y", "y", "y"), [1.0; 4]);
    let batch = Batch { upserts: vec![good, bad], ..Batch::default() };
    let message = store.apply(Collection::Instances, batch).await.unwrap_err().to_string();
    assert!(message.contains("has 1 dimensions; expected 4"), "{message}");
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents,
        3
    );
    store.change_embedder(Collection::Instances, &other).await.unwrap();
    store.open_collection(Collection::Instances, &other).await.unwrap();
    let mut stale = 0;
    store
        .view_all("a test")
        .await
        .unwrap()
        .scan(Collection::Instances, "", &mut |s| stale += usize::from(s.hash.to_bytes() == [0; 16]))
        .await
        .unwrap();
    assert_eq!(stale, 3, "every document is there and counts as changed");
    let by_word = Probe { terms: vec!["wolf".into()], containing: 9, ..Probe::default() };
    assert_eq!(found(&store, by_word).await.len(), 2);
}

#[tokio::test]
async fn a_store_opened_for_searching_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    drop(filled(&path).await);
    let reader = Sqlite::open_existing(&path).unwrap();
    let batch = Batch { upserts: vec![upsert(&document("d", "d", "d"), [1.0; 4])], ..Batch::default() };
    let refused = reader.apply(Collection::Instances, batch).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
}

#[tokio::test]
async fn sources_and_runs_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("s.db")).unwrap();
    let at = |uid: Option<&str>, server: &str| SourceIdentity::Cluster {
        uid: uid.map(Into::into),
        server: server.into(),
        ca_hash: String::new(),
    };
    let first = store.remember_source("", &at(None, "https://a"), false).await.unwrap();
    for known in [at(Some("1"), "https://a"), at(Some("1"), "https://moved")] {
        assert_eq!(store.remember_source("", &known, false).await.unwrap(), first);
        assert_eq!(store.view_all("a test").await.unwrap().sources().await.unwrap()[0].identity, known);
    }
    let second = store.remember_source("", &at(Some("2"), "https://b"), true).await.unwrap();
    let sources = store.view_all("a test").await.unwrap().sources().await.unwrap();
    assert_eq!(sources.iter().map(|s| (s.number, s.replaced)).collect::<Vec<_>>(), [(first, true), (second, false)]);
}

#[tokio::test]
async fn one_sync_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (one, other) = (Sqlite::open_or_create(&path).unwrap(), Sqlite::open_or_create(&path).unwrap());
    let held = one.lock("", &me()).await.unwrap();
    assert!(matches!(other.lock("", &me()).await, Err(StoreError::Locked { .. })));
    #[cfg(unix)]
    {
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let linked = Sqlite::open_or_create(&link).unwrap();
        assert!(matches!(linked.lock("", &me()).await, Err(StoreError::Locked { .. })), "one file, one lock");
    }
    drop(held);
    other.lock("", &me()).await.unwrap();
}

#[tokio::test]
async fn a_process_may_hold_several_clusters_of_a_file_and_keeps_others_out_until_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (one, other) = (Sqlite::open_or_create(&path).unwrap(), Sqlite::open_or_create(&path).unwrap());
    // As another process finds it: the system's lock is of an opened file, not of a process.
    let is_free = || std::fs::File::open(one.lock_file()).unwrap().try_lock().is_ok();
    let east = one.lock("east", &me()).await.unwrap();
    let west = other.lock("west", &me()).await.unwrap();
    let Err(StoreError::Locked { holder, .. }) = one.lock("west", &me()).await else { panic!("two hold one cluster") };
    assert_eq!(holder, Some(me()));
    drop(east);
    assert!(!is_free(), "the other cluster is still held");
    drop(one.lock("east", &me()).await.unwrap());
    assert!(!is_free());
    drop(west);
    assert!(is_free());
    let held = std::fs::File::open(one.lock_file()).unwrap();
    held.try_lock().unwrap();
    for cluster in ["east", ""] {
        assert!(matches!(one.lock(cluster, &me()).await, Err(StoreError::Locked { .. })), "another process has it");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_folders_are_this_users_alone_and_what_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/s.db");
    let store = filled(&path).await;
    let _held = store.lock("", &me()).await.unwrap();
    for name in ["s.db", "s.db-wal", "s.db-shm", "s.db.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    assert_eq!([mode(path.parent().unwrap()), mode(&folder.path().join("new"))], [0o700; 2]);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    drop(Sqlite::open_or_create(&path).unwrap());
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn a_missing_store_is_named() {
    let missing = Sqlite::open_existing(Path::new("/nonexistent/s.db")).unwrap_err();
    assert!(matches!(&missing, StoreError::Missing(path) if path == "/nonexistent/s.db"), "{missing}");
}

/// As files of the version before annotations, readings and threads are.
#[tokio::test]
async fn an_older_store_is_brought_up_to_date_and_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let before = filled(&path).await;
    let source = SourceIdentity::Folder { path: "/m".to_owned() };
    let number = before.remember_source("", &source, false).await.unwrap();
    drop(before);
    let older = Connection::open(&path).unwrap();
    older
        .execute_batch(
            "ALTER TABLE entries DROP COLUMN annotations; ALTER TABLE sources DROP COLUMN readings;
             ALTER TABLE sources DROP COLUMN name; DROP TABLE turns; DROP TABLE chunks;
             DROP TABLE journal; ALTER TABLE documents ADD COLUMN text TEXT NOT NULL DEFAULT '';",
        )
        .unwrap();
    older.pragma_update(None, "user_version", 3).unwrap();
    drop(older);
    let store = Sqlite::open_existing(&path).unwrap();
    let owned =
        Filter { annotations: clusterlore_core::Selector::of_annotations("!owner").unwrap(), ..Filter::default() };
    let probe = Probe { filter: owned, nearest: 9, ..Probe::default() };
    assert_eq!(found(&store, probe).await.len(), 3);
    let sources = store.view_all("a test").await.unwrap().sources().await.unwrap();
    assert_eq!((sources[0].number, sources[0].readings.is_empty()), (number, true));
    assert_eq!(crate::threads::Threads::threads(&store).await.unwrap(), []);
    let query = clusterlore_core::JournalQuery { limit: 9, ..Default::default() };
    assert_eq!(store.view_all("a test").await.unwrap().journal(query).await.unwrap(), []);
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    drop(filled(&path).await);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for opened in [Sqlite::open_existing(&path), Sqlite::open_or_create(&path)] {
        let message = opened.unwrap_err().to_string();
        assert!(message.contains("version 99") && message.contains("newer clusterlore"), "{message}");
    }
}

#[tokio::test]
async fn damage_and_foreign_files_are_named_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    std::fs::write(&path, "this is no database, and it is long enough to be read as one".repeat(99)).unwrap();
    let before = std::fs::read(&path).unwrap();
    for opened in [Sqlite::open_existing(&path), Sqlite::open_or_create(&path)] {
        assert!(matches!(opened.unwrap_err(), StoreError::Damaged { .. }));
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let foreign = folder.path().join("other.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let message = Sqlite::open_or_create(&foreign).unwrap_err().to_string();
    assert!(message.contains("another program's database"), "{message}");
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    drop(filled(&path).await);
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page.iter_mut().for_each(|b| *b = 0x5a);
    }
    std::fs::write(&path, bytes).unwrap();
    let outcome = match Sqlite::open_existing(&path) {
        Ok(store) => match store.view_all("a test").await {
            Ok(view) => view.probe(Collection::Instances, Probe { nearest: 1, ..Probe::default() }).await.map(|_| ()),
            Err(e) => Err(e),
        },
        Err(e) => Err(e),
    };
    assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    // SQLite's own limit of pages answers exactly as a full disk does.
    store.with(|c| c.pragma_update(None, "max_page_count", 40)).await.unwrap();
    let upserts = (0..2_000).map(|n| upsert(&document("full", &format!("pod-{n}"), "x"), [1.0; 4])).collect();
    let refused = store.apply(Collection::Instances, Batch { upserts, ..Batch::default() }).await.unwrap_err();
    assert!(matches!(refused, StoreError::Full(_)), "{refused}");
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents,
        3
    );
    store.with(|c| c.pragma_update(None, "max_page_count", 100_000)).await.unwrap();
    let more = vec![upsert(&document("d", "dingo", "dingo"), [0.0, 0.0, 0.0, 1.0])];
    store.apply(Collection::Instances, Batch { upserts: more, ..Batch::default() }).await.unwrap();
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents,
        4
    );
}

#[tokio::test]
async fn terms_are_counted_by_documents() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    let terms = store.view_all("a test").await.unwrap().terms(Collection::Instances).await.unwrap();
    assert!(terms.iter().is_sorted());
    assert_eq!((terms.documents("wolf"), terms.documents("grey"), terms.documents("wol")), (Some(2), Some(1), None));
    let asked = ["wolf", "nothing", "red", "\"", ""].map(str::to_owned);
    assert_eq!(
        store.view_all("a test").await.unwrap().frequencies(Collection::Instances, &asked).await.unwrap(),
        [2, 0, 2, 0, 0]
    );
    let more = vec![upsert(&document("d", "dingo", "dingo"), [0.0, 0.0, 0.0, 1.0])];
    store.apply(Collection::Instances, Batch { upserts: more, ..Batch::default() }).await.unwrap();
    let terms = store.view_all("a test").await.unwrap().terms(Collection::Instances).await.unwrap();
    assert_eq!(terms.documents("dingo"), Some(1), "read again after a write");
    assert!(store.view_all("a test").await.unwrap().terms(Collection::Capabilities).await.unwrap().is_empty());
    assert_eq!(
        store.view_all("a test").await.unwrap().frequencies(Collection::Capabilities, &asked).await.unwrap(),
        [0; 5]
    );
}

/// A writer may hold its transaction for as long as it likes, in this process or in another.
#[tokio::test]
async fn readers_do_not_wait_for_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = filled(&path).await;
    let writer = Connection::open(&path).unwrap();
    writer
        .execute_batch(
            "BEGIN IMMEDIATE; DELETE FROM entries; DELETE FROM chunks; UPDATE collections SET revision = revision + 1;",
        )
        .unwrap();
    let began = std::time::Instant::now();
    for _ in 0..20 {
        let view = store.view_all("a test").await.unwrap();
        let found = view.probe(Collection::Instances, Probe { nearest: 9, ..Probe::default() }).await.unwrap();
        assert!(found.total > 0 && view.terms(Collection::Instances).await.unwrap().len() > 1);
    }
    assert!(began.elapsed() < super::file::BUSY_TIMEOUT / 10, "{:?}", began.elapsed());
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents,
        0
    );
}

/// Whoever copies the file after a run has all of it, and whoever may only read it needs nothing beside it.
#[tokio::test]
async fn a_file_is_whole_when_its_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = filled(&path).await;
    drop(store.view_all("a test").await.unwrap());
    drop(store);
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.retain(|name| name != "s.db.lock");
    assert_eq!(names, ["s.db"]);
}

#[tokio::test]
async fn a_file_that_takes_the_place_of_another_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("s.db"), folder.path().join("other.db"));
    drop(filled(&path).await);
    let store = Sqlite::open_existing(&path).unwrap();
    let asked = || Probe { nearest: 9, ..Probe::default() };
    let before = store.view_all("a test").await.unwrap();
    let total = before.probe(Collection::Instances, asked()).await.unwrap().total;
    drop(before);
    let replacing = Sqlite::open_or_create(&other).unwrap();
    replacing.open_collection(Collection::Instances, &embedder()).await.unwrap();
    replacing
        .apply(Collection::Instances, Batch::writing(1, vec![upsert(&document("z", "z", "z"), [1.0; 4])]))
        .await
        .unwrap();
    drop(replacing);
    std::fs::rename(&other, &path).unwrap();
    let view = store.view_all("a test").await.unwrap();
    let found = view.probe(Collection::Instances, asked()).await.unwrap();
    assert_eq!((found.total, found.documents.len()), (1, 1), "there were {total}");
}

/// All that questions are answered from, under a scope.
async fn all_of(store: &Sqlite, scope: &Scope) -> (Vec<(String, String, f32)>, Vec<usize>, Arc<Vocabulary>) {
    let view = store.view(scope).await.unwrap();
    let vector = vec![0.5; 4];
    let probe = Probe { vector, terms: vec!["fox".into()], nearest: 9_000, containing: 9_000, ..Probe::default() };
    let Candidates { documents, mut frequencies, total, admitted } =
        view.probe(Collection::Instances, probe).await.unwrap();
    let mut found: Vec<_> = documents.iter().map(|c| (c.id.clone(), c.record.clone(), c.similarity)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    frequencies.extend([total, admitted]);
    (found, frequencies, view.vocabulary(Collection::Instances).await.unwrap())
}

fn numbered(number: usize, label: &str) -> Document {
    document(["a", "b", "c"][number % 3], &format!("pod-{number}"), label)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_is_taken_over_from_a_revision_is_what_would_be_read(
        steps in prop::collection::vec(
            (
                prop::collection::vec((0_usize..1_400, 0_usize..4, prop::array::uniform4(-1.0_f32..1.0)), 0..30),
                prop::collection::vec(0_usize..1_400, 0..30),
                0_usize..1_400,
            ),
            1..6,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("s.db");
            let store = filled(&path).await;
            let all = (0..1_400).map(|n| upsert(&numbered(n, "fox"), [1.0; 4])).collect();
            store.apply(Collection::Instances, Batch { upserts: all, source: 1, ..Batch::default() }).await.unwrap();
            let scopes = [
                Scope::All { because: "a test" },
                Scope::rules([Rule { namespaces: Some(["b".to_owned()].into()), ..Rule::cluster("") }]),
            ];
            for (writes, deletes, gone_from) in steps {
                let upserts = writes
                    .iter()
                    .map(|(n, label, vector)| upsert(&numbered(*n, ["fox", "wolf", "", "x=y"][*label]), *vector))
                    .collect();
                // Whole chunks go too.
                let deletes = deletes.into_iter().chain(gone_from..gone_from + 600).map(|n| numbered(n, "").key).collect();
                let batch = Batch { upserts, deletes, source: 1, ..Batch::default() };
                store.apply(Collection::Instances, batch).await.unwrap();
                let anew = Sqlite::open_existing(&path).unwrap();
                for scope in &scopes {
                    assert_eq!(all_of(&store, scope).await, all_of(&anew, scope).await);
                }
            }
        });
    }
}

#[tokio::test]
async fn one_change_reads_one_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.db")).await;
    let all = (0..1_400).map(|n| upsert(&numbered(n, "fox"), [1.0; 4])).collect();
    store.apply(Collection::Instances, Batch { upserts: all, source: 1, ..Batch::default() }).await.unwrap();
    let latest = || store.inner.snapshots[0].lock().unwrap().as_ref().map(|(_, _, snapshot)| Arc::clone(snapshot));
    let scope = Scope::All { because: "a test" };
    all_of(&store, &scope).await;
    let before = latest().unwrap();
    let one = vec![upsert(&numbered(700, "wolf"), [1.0; 4])];
    store.apply(Collection::Instances, Batch { upserts: one, source: 1, ..Batch::default() }).await.unwrap();
    all_of(&store, &scope).await;
    assert_eq!(latest().unwrap().read_anew(&before), 1);
}
