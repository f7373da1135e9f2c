//! What every store must do, told once and run against each: the default file, a real Chroma, a real Postgres. A server that cannot
//! be had is skipped with a message, and is a failure in CI.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clusterlore_core::{
    Collection, Document, EmbedderIdentity, Happening, JournalBounds, JournalEntry, JournalQuery, ObjectKey,
    OwnerReference, ResourceInstance, ResourceType, Rule, Scope, Selector, SourceIdentity, TypeSchema, words,
};
use clusterlore_store::{
    Batch, Candidates, Chroma, ChromaOptions, ClusterNames, Filter, Holder, Postgres, Probe, Reading, Readings,
    RunKind, RunRecord, Scanned, Sqlite, Store, StoreError, Stored, Terms, Thread, ThreadName, Upsert, View,
    Vocabulary,
};
use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::ChromaServer;

const DIMENSIONS: usize = 16;

/// Where stores can be opened, each over a database of its own.
#[async_trait::async_trait]
trait Place: Send + Sync {
    /// A store over the database of this name, as another process opens it.
    async fn open(&self, database: &str) -> Arc<dyn Store>;
}

struct Files(tempfile::TempDir);

#[async_trait::async_trait]
impl Place for Files {
    async fn open(&self, database: &str) -> Arc<dyn Store> {
        Arc::new(Sqlite::open_or_create(&self.0.path().join(format!("{database}.db"))).unwrap())
    }
}

/// Databases of one server, made when they are first opened.
struct Databases(PostgresServer, Mutex<BTreeSet<String>>);

#[async_trait::async_trait]
impl Place for Databases {
    async fn open(&self, database: &str) -> Arc<dyn Store> {
        if self.1.lock().unwrap().insert(database.to_owned()) {
            self.0.create_database(database);
        }
        Arc::new(Postgres::open_or_create(&self.0.url(database)).await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_does_what_a_store_must() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    conform(&Databases(server, Mutex::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_does_what_a_store_must() {
    conform(&Files(tempfile::tempdir().unwrap())).await;
}

struct Served {
    server: ChromaServer,
    made: Mutex<BTreeMap<String, usize>>,
    files: tempfile::TempDir,
}

#[async_trait::async_trait]
impl Place for Served {
    /// Each with a mirror of its own, as on another machine.
    async fn open(&self, database: &str) -> Arc<dyn Store> {
        // Names of its databases end in a letter or a digit.
        let database = database.trim_end_matches('-');
        let number = {
            let mut made = self.made.lock().unwrap();
            let number = made.entry(database.to_owned()).or_default();
            if *number == 0 {
                self.server.create_database(database);
            }
            *number += 1;
            *number
        };
        let options = ChromaOptions {
            url: self.server.url(),
            database: database.to_owned(),
            local: self.files.path().join(format!("{database}-{number}.db")),
            fresh_for: Duration::ZERO,
            ..ChromaOptions::default()
        };
        Arc::new(Chroma::connect(options).await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chroma_does_what_a_store_must() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    conform(&Served { server, made: Mutex::default(), files: tempfile::tempdir().unwrap() }).await;
}

/// Runs every rule in a database of its own, and says which one is at work when it fails.
async fn conform(place: &dyn Place) {
    macro_rules! rules {
        ($($rule:ident),* $(,)?) => {
            $(
                println!("{}", stringify!($rule));
                let database = stringify!($rule).replace('_', "-");
                $rule(place, &database[..database.len().min(40)]).await;
            )*
        };
    }
    rules!(
        nothing_is_there_before_it_is_written,
        what_is_written_is_there_until_it_is_deleted,
        a_batch_applied_twice_is_applied_once,
        a_vector_stays_where_none_is_given,
        another_version_of_an_object_takes_its_place,
        selectors_mean_what_they_mean_in_kubernetes,
        annotations_are_kept_found_and_narrowed_to,
        filters_narrow_by_cluster_namespace_and_type,
        filters_narrow_to_objects,
        threads_are_kept_and_nothing_of_them_is_lost,
        the_nearest_are_the_nearest,
        words_are_found_and_counted,
        types_have_a_collection_of_their_own,
        clusters_are_apart,
        two_writers_lose_nothing,
        thousands_of_documents_are_all_there,
        any_text_comes_back_as_it_went,
        embedders_are_never_mixed,
        pages_show_every_document_once,
        what_a_run_must_know_is_remembered,
        how_sources_were_read_is_remembered,
        what_sources_are_called_is_remembered,
        a_cluster_is_there_under_one_name,
        what_is_forgotten_is_gone_and_nothing_of_another_cluster,
        one_sync_of_a_cluster_at_a_time,
        the_journal_tells_what_happened_newest_first_and_stays_within_its_bounds,
        a_view_is_one_state,
        outside_a_scope_there_is_nothing,
        under_a_scope_as_over_what_it_admits,
    );
}

fn embedder() -> EmbedderIdentity {
    EmbedderIdentity { name: "test".into(), dimensions: DIMENSIONS }
}

fn instance(cluster: &str, namespace: &str, kind: &str, name: &str, labels: &[(&str, &str)]) -> ResourceInstance {
    let mut instance = ResourceInstance::new("apps/v1", kind, Some(namespace), name).unwrap();
    instance.labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    instance.cluster = (!cluster.is_empty()).then(|| cluster.to_owned());
    instance.uid = format!("uid-{name}");
    instance.created_at = "2026-01-31T12:00:00Z".into();
    instance
}

fn document(instance: &ResourceInstance) -> Document {
    Document::of_instance(instance, &format!("{}s.apps", instance.kind.to_lowercase()))
}

fn deployment(namespace: &str, name: &str, labels: &[(&str, &str)]) -> Document {
    document(&instance("", namespace, "Deployment", name, labels))
}

/// A unit vector that belongs to the number.
fn vector(number: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(number);
    let vector: Vec<f32> = (0..DIMENSIONS).map(|_| random.f32() - 0.5).collect();
    let norm = cosine(&vector, &vector).sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}

fn axis(at: usize) -> Vec<f32> {
    (0..DIMENSIONS).map(|i| if i == at { 1.0 } else { 0.0 }).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn upsert(document: &Document, vector: Vec<f32>) -> Upsert {
    Upsert { document: document.clone(), vector: Some(vector) }
}

/// Each document with the vector of its place.
fn numbered(documents: &[Document]) -> Vec<Upsert> {
    documents.iter().enumerate().map(|(n, d)| upsert(d, vector(n as u64))).collect()
}

async fn write(store: &dyn Store, upserts: Vec<Upsert>) {
    store.apply(Collection::Instances, Batch::writing(1, upserts)).await.unwrap();
}

/// Deletes by the keys of ids as [`deployment`] and its like make them.
async fn delete(store: &dyn Store, ids: &[&str]) {
    let mut by_cluster: BTreeMap<&str, Vec<ObjectKey>> = BTreeMap::new();
    for id in ids {
        let cluster = id.split('/').next().unwrap().rsplit_once(':').map_or("", |(cluster, _)| cluster);
        by_cluster.entry(cluster).or_default().push(ObjectKey::of_stored_id(id).unwrap());
    }
    for (cluster, keys) in by_cluster {
        store.apply(Collection::Instances, Batch::deleting(cluster, keys)).await.unwrap();
    }
}

async fn with(place: &dyn Place, database: &str, documents: &[Document]) -> Arc<dyn Store> {
    let store = place.open(database).await;
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    write(&*store, numbered(documents)).await;
    store
}

async fn size(store: &dyn Store) -> usize {
    store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().documents
}

async fn probe(store: &dyn Store, probe: Probe) -> Candidates {
    store.view_all("a test").await.unwrap().probe(Collection::Instances, probe).await.unwrap()
}

async fn near(store: &dyn Store, vector: Vec<f32>, nearest: usize) -> Candidates {
    probe(store, Probe { vector, nearest, ..Probe::default() }).await
}

async fn by_words(store: &dyn Store, terms: &[&str]) -> Candidates {
    let terms = terms.iter().map(|t| (*t).to_owned()).collect();
    probe(store, Probe { terms, containing: 50, ..Probe::default() }).await
}

/// Everything that a filter admits, by id.
async fn admitted(store: &dyn Store, filter: Filter) -> BTreeSet<String> {
    let found = probe(store, Probe { filter, nearest: usize::MAX, ..Probe::default() }).await;
    let ids: BTreeSet<String> = found.documents.iter().map(|d| d.id.clone()).collect();
    assert_eq!((ids.len(), found.admitted), (found.documents.len(), found.documents.len()), "each once, and counted");
    ids
}

fn ids_of(candidates: &Candidates) -> BTreeSet<&str> {
    candidates.documents.iter().map(|d| d.id.as_str()).collect()
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|v| (*v).to_owned()).collect()
}

fn strings<const N: usize>(values: [&str; N]) -> [String; N] {
    values.map(str::to_owned)
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    id: String,
    hash: [u8; 16],
    type_name: String,
    namespace: String,
    source: i64,
}

async fn scanned(store: &dyn Store, cluster: &str) -> BTreeMap<ObjectKey, Seen> {
    let (mut seen, mut count) = (BTreeMap::new(), 0);
    let mut visit = |s: Scanned<'_>| {
        count += 1;
        let (id, type_name, namespace) = (s.id.to_owned(), s.type_name.to_owned(), s.namespace.to_owned());
        seen.insert(s.key, Seen { id, hash: s.hash.to_bytes(), type_name, namespace, source: s.source });
    };
    store.view_all("a test").await.unwrap().scan(Collection::Instances, cluster, &mut visit).await.unwrap();
    assert_eq!(count, seen.len(), "each document is shown once");
    seen
}

async fn nothing_is_there_before_it_is_written(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    assert!(!store.place().is_empty());
    assert_eq!(store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap(), None);
    for opened in [false, true] {
        if opened {
            store.open_collection(Collection::Instances, &embedder()).await.unwrap();
            let info =
                store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap();
            assert_eq!((info.embedder, info.documents), (embedder(), 0));
        }
        let asked = Probe { vector: axis(0), terms: vec!["a".into()], nearest: 5, containing: 5, ..Probe::default() };
        let found = probe(&*store, asked).await;
        assert_eq!((found.documents.len(), found.total, found.admitted), (0, 0, 0));
        assert_eq!(
            *store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap(),
            Default::default()
        );
        assert_eq!(
            store
                .view_all("a test")
                .await
                .unwrap()
                .frequencies(Collection::Instances, &strings(["a", ""]))
                .await
                .unwrap(),
            [0, 0]
        );
        assert!(store.view_all("a test").await.unwrap().terms(Collection::Instances).await.unwrap().is_empty());
        assert!(store.view_all("a test").await.unwrap().counts(Collection::Instances).await.unwrap().is_empty());
        assert!(
            store
                .view_all("a test")
                .await
                .unwrap()
                .records(Collection::Instances, &[ObjectKey([7; 16])])
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            store
                .view_all("a test")
                .await
                .unwrap()
                .page(Collection::Instances, None, 10, true)
                .await
                .unwrap()
                .documents
                .is_empty()
        );
        assert!(scanned(&*store, "").await.is_empty());
    }
    assert!(
        store.view_all("a test").await.unwrap().sources().await.unwrap().is_empty()
            && store.view_all("a test").await.unwrap().types().await.unwrap().is_empty()
    );
    assert!(
        store.view_all("a test").await.unwrap().last_runs().await.unwrap().is_empty()
            && store.answers().await.unwrap().is_empty()
    );
}

async fn what_is_written_is_there_until_it_is_deleted(place: &dyn Place, database: &str) {
    let mut owned = instance("", "shop", "Deployment", "cart", &[("app", "cart")]);
    owned.annotations.insert("example.org/description".into(), "Holds what will be bought".into());
    owned.owner = Some(OwnerReference {
        api_version: "shops.example/v1".into(),
        kind: "Shop".into(),
        name: "corner".into(),
        uid: "u-1".into(),
    });
    let documents = [document(&owned), deployment("shop", "till", &[]), deployment("_cluster", "sign", &[])];
    let store = with(place, database, &documents).await;
    let seen = scanned(&*store, "").await;
    for d in &documents {
        let expected = Seen {
            id: d.id.clone(),
            hash: d.hash.to_bytes(),
            type_name: "deployments.apps".into(),
            namespace: d.facets.namespace.clone(),
            source: 1,
        };
        assert_eq!(seen[&d.key], expected);
    }
    let keys: Vec<ObjectKey> = documents.iter().map(|d| d.key).chain([ObjectKey([0; 16])]).collect();
    let records = store.view_all("a test").await.unwrap().records(Collection::Instances, &keys).await.unwrap();
    assert_eq!(records.len(), 3);
    for d in &documents {
        let [back, went]: [ResourceInstance; 2] =
            [&records[&d.key], &d.record].map(|r| serde_json::from_str(r).unwrap());
        assert_eq!(back, went);
    }
    let found = by_words(&*store, &["cart"]).await;
    let hit = &found.documents[0];
    assert_eq!((hit.id.as_str(), hit.record.as_str()), (documents[0].id.as_str(), documents[0].record.as_str()));
    assert_eq!(hit.type_name, "deployments.apps");

    let till = documents[1].id.as_str();
    for _ in 0..2 {
        delete(&*store, &[till, "shop/apps/v1/Deployment/never-was"]).await;
        assert_eq!(size(&*store).await, 2);
        assert!(!scanned(&*store, "").await.contains_key(&documents[1].key));
        assert!(by_words(&*store, &["till"]).await.documents.is_empty());
    }
    // A batch writes before it deletes.
    let upserts = vec![upsert(&documents[1], axis(1))];
    let batch = Batch { upserts, deletes: vec![documents[1].key], source: 1, ..Batch::default() };
    store.apply(Collection::Instances, batch).await.unwrap();
    assert!(by_words(&*store, &["till"]).await.documents.is_empty());
}

async fn a_batch_applied_twice_is_applied_once(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = (0..30).map(|n| deployment("a", &format!("web-{n}"), &[("app", "web")])).collect();
    let store = with(place, database, &documents).await;
    let before = scanned(&*store, "").await;
    write(&*store, numbered(&documents)).await;
    assert_eq!(scanned(&*store, "").await, before);
    assert_eq!(store.view_all("a test").await.unwrap().counts(Collection::Instances).await.unwrap()[0].documents, 30);
    let found = by_words(&*store, &["web"]).await;
    assert_eq!((found.frequencies, found.total), (vec![30], 30));
}

async fn a_vector_stays_where_none_is_given(place: &dyn Place, database: &str) {
    let store = with(place, database, &[]).await;
    write(&*store, vec![upsert(&deployment("a", "fox", &[("app", "fox")]), axis(0))]).await;
    let changed = deployment("a", "fox", &[("app", "vixen")]);
    write(&*store, vec![Upsert { document: changed.clone(), vector: None }]).await;
    let hit = near(&*store, axis(0), 1).await.documents.remove(0);
    assert!((hit.similarity - 1.0).abs() < 0.02, "{}", hit.similarity);
    assert_eq!(hit.record, changed.record);
    assert_eq!(by_words(&*store, &["vixen"]).await.documents.len(), 1);
    // One that is gone has no vector to keep; nothing is made up.
    write(&*store, vec![Upsert { document: deployment("a", "ghost", &[]), vector: None }]).await;
    assert_eq!(size(&*store).await, 1);
}

async fn another_version_of_an_object_takes_its_place(place: &dyn Place, database: &str) {
    let of = |version: &str| {
        let o = ResourceInstance::new(&format!("x.example/{version}"), "Order", Some("a"), "o").unwrap();
        Document::of_instance(&o, "orders.x.example")
    };
    let store = with(place, database, &[of("v1beta1")]).await;
    write(&*store, vec![upsert(&of("v1"), axis(3))]).await;
    assert_eq!((size(&*store).await, scanned(&*store, "").await.len()), (1, 1));
    assert_eq!(ids_of(&near(&*store, axis(3), 5).await), ["a/x.example/v1/Order/o"].into());
    // Without a vector of its own it keeps that of the version before.
    write(&*store, vec![Upsert { document: of("v2"), vector: None }]).await;
    let found = near(&*store, axis(3), 5).await;
    assert_eq!(ids_of(&found), ["a/x.example/v2/Order/o"].into());
    assert!((found.documents[0].similarity - 1.0).abs() < 0.02, "{found:?}");
    delete(&*store, &["a/x.example/v2/Order/o"]).await;
    assert_eq!(size(&*store).await, 0);
}

async fn selectors_mean_what_they_mean_in_kubernetes(place: &dyn Place, database: &str) {
    let labelled: [&[(&str, &str)]; 9] = [
        &[],
        &[("app", "nginx"), ("tier", "web")],
        &[("app", "nginx"), ("tier", "cache"), ("weight", "5")],
        &[("app", "nginx-extra"), ("weight", "50")],
        &[("app", ""), ("weight", "-3")],
        &[("app.kubernetes.io/name", "nginx"), ("weight", "05")],
        &[("application", "nginx"), ("weight", "many")],
        &[("tier", "web"), ("canary", "")],
        &[("App", "NGINX"), ("weight", "9223372036854775808")],
    ];
    let documents: Vec<Document> =
        labelled.iter().enumerate().map(|(n, labels)| deployment("a", &format!("d-{n}"), labels)).collect();
    let store = with(place, database, &documents).await;
    for selector in [
        "app=nginx",
        "app==nginx",
        "app!=nginx",
        "app=",
        "app in (nginx, nginx-extra)",
        "app in (nginx)",
        "app notin (nginx, nginx-extra)",
        "app",
        "!app",
        "canary",
        "!canary,tier",
        "app=nginx,tier=web",
        "app=nginx,tier!=web",
        "app.kubernetes.io/name=nginx",
        "weight>4",
        "weight<5",
        "weight>-10,weight<6",
        "tier in (web,cache),!canary",
        "App=NGINX",
        "absent",
        "absent!=x",
    ] {
        let parsed: Selector = selector.parse().unwrap();
        let expected: BTreeSet<String> = documents
            .iter()
            .filter(|d| parsed.matches(|key| d.facets.labels.get(key).map(String::as_str)))
            .map(|d| d.id.clone())
            .collect();
        let filter = Filter { selector: parsed, ..Filter::default() };
        assert_eq!(admitted(&*store, filter.clone()).await, expected, "{selector}");
        // The same when something is looked for.
        let terms = vec!["nginx".to_owned()];
        let found = probe(&*store, Probe { vector: vector(3), terms, filter, nearest: 20, containing: 20 }).await;
        let ids: BTreeSet<String> = found.documents.iter().map(|d| d.id.clone()).collect();
        assert_eq!(ids, expected, "near: {selector}");
        assert_eq!((found.admitted, found.total), (expected.len(), 9), "{selector}");
    }
}

async fn annotations_are_kept_found_and_narrowed_to(place: &dyn Place, database: &str) {
    let keeping = |name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]| {
        let kept_annotations = annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        document(&ResourceInstance { kept_annotations, ..instance("", "a", "Deployment", name, labels) })
    };
    let documents = [
        keeping("one", &[("app", "web")], &[("example.org/owner", "the night owls"), ("tier", "1")]),
        keeping("two", &[("app", "web")], &[("example.org/owner", "day, (larks)"), ("note", "a\u{1f}tier=9\n\"'\\")]),
        keeping("three", &[("app", "web"), ("tier", "1")], &[("tier", "2"), ("empty", "")]),
        keeping("four", &[], &[]),
    ];
    let store = with(place, database, &documents).await;
    for selector in [
        "example.org/owner",
        "!example.org/owner",
        "example.org/owner=the night owls",
        "example.org/owner=\"day, (larks)\"",
        "example.org/owner in (the night owls, \"day, (larks)\")",
        "example.org/owner!=the night owls",
        "example.org/owner=night",
        "tier=1",
        "tier>1",
        "tier<2",
        "tier in (1,2),!empty",
        "tier=9",
        "empty=",
        "owner",
    ] {
        let parsed = Selector::of_annotations(selector).unwrap();
        for labels in ["", "app=web", "tier=1"] {
            let labelled: Selector = labels.parse().unwrap();
            let of = |map: &BTreeMap<String, String>, s: &Selector| s.matches(|key| map.get(key).map(String::as_str));
            let expected: BTreeSet<String> = documents
                .iter()
                .filter(|d| of(&d.facets.annotations, &parsed) && of(&d.facets.labels, &labelled))
                .map(|d| d.id.clone())
                .collect();
            let filter = Filter { annotations: parsed.clone(), selector: labelled, ..Filter::default() };
            assert_eq!(admitted(&*store, filter.clone()).await, expected, "{selector} {labels}");
            let found = probe(&*store, Probe { vector: vector(3), filter, nearest: 20, ..Probe::default() }).await;
            assert_eq!((found.admitted, found.documents.len()), (expected.len(), expected.len()), "{selector}");
        }
    }
    // They are words, and nothing that a question may name as a label.
    let owls = words::terms("owls");
    let owls: Vec<&str> = owls.iter().map(String::as_str).collect();
    let found = by_words(&*store, &owls).await;
    assert_eq!(ids_of(&found), [documents[0].id.as_str()].into());
    assert_eq!(found.documents[0].record, documents[0].record);
    let vocabulary = store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap();
    assert_eq!(
        vocabulary.labels,
        BTreeMap::from([("app".to_owned(), set(&["web"])), ("tier".to_owned(), set(&["1"]))])
    );
    // What is kept no more is gone, and the vector stays.
    let plain = keeping("one", &[("app", "web")], &[]);
    assert_eq!(plain.hash.text, documents[0].hash.text);
    write(&*store, vec![Upsert { document: plain.clone(), vector: None }]).await;
    let tier = Filter { annotations: Selector::of_annotations("tier=1").unwrap(), ..Filter::default() };
    assert_eq!(admitted(&*store, tier).await, set(&[]));
    assert!(by_words(&*store, &owls).await.documents.is_empty());
    let nearest = near(&*store, vector(0), 1).await.documents;
    assert_eq!((nearest[0].id.as_str(), nearest[0].record.as_str()), (plain.id.as_str(), plain.record.as_str()));
    assert!(nearest[0].similarity > 0.98);
    // Another process sees the same.
    let again = place.open(database).await;
    let noted = Filter { annotations: Selector::of_annotations("note").unwrap(), ..Filter::default() };
    assert_eq!(admitted(&*again, noted).await, set(&[documents[1].id.as_str()]));
}

async fn filters_narrow_by_cluster_namespace_and_type(place: &dyn Place, database: &str) {
    let mut documents = Vec::new();
    for cluster in ["", "east", "west.1"] {
        for namespace in ["a", "b", "_cluster"] {
            for kind in ["Deployment", "StatefulSet"] {
                documents.push(document(&instance(cluster, namespace, kind, "web", &[("app", "web")])));
            }
        }
    }
    let store = with(place, database, &documents).await;
    for (clusters, namespaces, types) in [
        (set(&[]), set(&[]), set(&[])),
        (set(&[""]), set(&[]), set(&[])),
        (set(&["east", "west.1"]), set(&["a"]), set(&[])),
        (set(&["", "east"]), set(&["a"]), set(&[])),
        (set(&[]), set(&["a", "b"]), set(&["deployments.apps"])),
        (set(&[]), set(&["_cluster"]), set(&["deployments.apps", "statefulsets.apps"])),
        (set(&["nowhere"]), set(&[]), set(&[])),
        (set(&[]), set(&["nowhere"]), set(&["pods"])),
        (set(&[]), set(&["it's \"x\" \\"]), set(&[])),
    ] {
        let filter = Filter { clusters, namespaces, types, ..Filter::default() };
        let any_of = |set: &BTreeSet<String>, value: &str| set.is_empty() || set.contains(value);
        let expected: BTreeSet<String> = documents
            .iter()
            .filter(|d| {
                any_of(&filter.clusters, &d.facets.cluster)
                    && any_of(&filter.namespaces, &d.facets.namespace)
                    && any_of(&filter.types, &d.facets.type_name)
            })
            .map(|d| d.id.clone())
            .collect();
        assert_eq!(admitted(&*store, filter.clone()).await, expected, "{filter:?}");
        let by_vector = Probe { vector: vector(1), filter: filter.clone(), nearest: 100, ..Probe::default() };
        assert_eq!(probe(&*store, by_vector).await.documents.len(), expected.len(), "{filter:?}");
        let by_word = Probe { terms: vec!["web".into()], filter: filter.clone(), containing: 100, ..Probe::default() };
        assert_eq!(probe(&*store, by_word).await.documents.len(), expected.len(), "{filter:?}");
    }
    let vocabulary = store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap();
    assert_eq!(vocabulary.namespaces, set(&["_cluster", "a", "b"]));
    assert_eq!(vocabulary.types, set(&["deployments.apps", "statefulsets.apps"]));
    assert_eq!(vocabulary.labels, BTreeMap::from([("app".to_owned(), set(&["web"]))]));
}

async fn filters_narrow_to_objects(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = (0..40)
        .map(|n| {
            document(&instance(
                ["", "east"][n % 2],
                ["a", "b"][n / 2 % 2],
                "Deployment",
                &format!("d-{n}"),
                &[("app", "web")],
            ))
        })
        .collect();
    let store = with(place, database, &documents).await;
    let keys = |numbers: &[usize]| numbers.iter().map(|n| documents[*n].key).collect::<BTreeSet<ObjectKey>>();
    let ids = |numbers: &[usize]| numbers.iter().map(|n| documents[*n].id.clone()).collect::<BTreeSet<String>>();
    let some = Filter { keys: keys(&[0, 1, 2, 7]), ..Filter::default() };
    assert_eq!(admitted(&*store, some.clone()).await, ids(&[0, 1, 2, 7]));
    // Together with other conditions both must hold.
    for (filter, expected) in [
        (Filter { namespaces: set(&["a"]), ..some.clone() }, ids(&[0, 1])),
        (Filter { clusters: set(&["east"]), ..some.clone() }, ids(&[1, 7])),
        (Filter { types: set(&["pods"]), ..some.clone() }, ids(&[])),
        (Filter { selector: "app=web".parse().unwrap(), ..some.clone() }, ids(&[0, 1, 2, 7])),
        (Filter { selector: "app notin (web)".parse().unwrap(), ..some.clone() }, ids(&[])),
    ] {
        assert_eq!(admitted(&*store, filter.clone()).await, expected, "{filter:?}");
    }
    // By meaning and by words, no other comes, however near it is.
    let by_vector = Probe { vector: vector(5), filter: some.clone(), nearest: 2, ..Probe::default() };
    let near = probe(&*store, by_vector).await;
    assert!(
        near.admitted == 4
            && near.documents.len() >= 2
            && ids_of(&near).iter().all(|id| ids(&[0, 1, 2, 7]).contains(*id))
    );
    let by_word = Probe { terms: vec!["web".into()], filter: some.clone(), containing: 100, ..Probe::default() };
    let held = probe(&*store, by_word).await;
    assert_eq!(ids_of(&held).into_iter().map(str::to_owned).collect::<BTreeSet<String>>(), ids(&[0, 1, 2, 7]));
    // What is not there is not found, and outside the scope there is nothing.
    let gone = Filter { keys: [ObjectKey::new("", "apps", "Deployment", "a", "gone")].into(), ..Filter::default() };
    assert_eq!(admitted(&*store, gone).await, ids(&[]));
    let east = store.view(&Scope::rules([Rule::cluster("east")])).await.unwrap();
    let within = Probe { filter: some, nearest: usize::MAX, ..Probe::default() };
    let seen = east.probe(Collection::Instances, within).await.unwrap();
    assert_eq!((ids_of(&seen).len(), seen.admitted), (2, 2));
}

async fn threads_are_kept_and_nothing_of_them_is_lost(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    let name = |name: &str| name.parse::<ThreadName>().unwrap();
    let (one, other) = (name("on-call"), name("störung"));
    assert_eq!(store.threads().await.unwrap(), []);
    assert_eq!(store.turns(&one, 10).await.unwrap(), [""; 0]);
    assert!(!store.remove_thread(&one).await.unwrap());
    // Turns are texts: quotes, line ends and a zero come back as they were.
    let odd = "{\"question\": \"it's \\\"x\\\"\n\u{0} ü 名\"}";
    store.add_turn(&one, "2026-11-27T10:00:00Z", odd).await.unwrap();
    store.add_turn(&one, "2026-11-27T10:01:00Z", "2").await.unwrap();
    store.add_turn(&other, "2026-11-27T09:00:00Z", "x").await.unwrap();
    assert_eq!(store.turns(&one, 10).await.unwrap(), [odd, "2"]);
    assert_eq!(store.turns(&one, 1).await.unwrap(), ["2"], "the last");
    let thread = |name: &str, turns, last: &str| Thread { name: name.to_owned(), turns, last: last.to_owned() };
    assert_eq!(
        store.threads().await.unwrap(),
        [thread("on-call", 2, "2026-11-27T10:01:00Z"), thread("störung", 1, "2026-11-27T09:00:00Z")]
    );
    // Writers at the same time.
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (store, one) = (Arc::clone(&store), one.clone());
        writers.spawn(async move { store.add_turn(&one, "2026-11-27T11:00:00Z", &format!("w{n}")).await.unwrap() });
    }
    writers.join_all().await;
    let turns: BTreeSet<String> = store.turns(&one, 100).await.unwrap().into_iter().collect();
    assert_eq!(turns.len(), 22, "{turns:?}");
    // What is too long is refused, and what was there stays.
    let long = store.add_turn(&one, "2026-11-27T12:00:00Z", &"x".repeat((1 << 20) + 1)).await.unwrap_err();
    assert!(long.to_string().contains("expected 1048576 at most"), "{long}");
    assert_eq!(store.turns(&one, 100).await.unwrap().len(), 22);
    assert!(store.remove_thread(&one).await.unwrap() && !store.remove_thread(&one).await.unwrap());
    assert_eq!(store.threads().await.unwrap(), [thread("störung", 1, "2026-11-27T09:00:00Z")]);
}

async fn the_nearest_are_the_nearest(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = (0..300).map(|n| deployment(["a", "b"][n % 2], &format!("d-{n}"), &[])).collect();
    let store = with(place, database, &documents).await;
    for seed in 1_000..1_010 {
        let query = vector(seed);
        for namespace in [None, Some("a")] {
            let mut exact: Vec<(f32, &str)> = documents
                .iter()
                .enumerate()
                .filter(|(_, d)| namespace.is_none_or(|n| d.facets.namespace == n))
                .map(|(n, d)| (cosine(&query, &vector(n as u64)), d.id.as_str()))
                .collect();
            exact.sort_by(|a, b| b.0.total_cmp(&a.0));
            let filter = Filter { namespaces: namespace.map(str::to_owned).into_iter().collect(), ..Filter::default() };
            let found = probe(&*store, Probe { vector: query.clone(), filter, nearest: 10, ..Probe::default() }).await;
            assert_eq!(found.documents.len(), 10);
            let expected: BTreeSet<&str> = exact[..10].iter().map(|(_, id)| *id).collect();
            // Vectors are kept rounded, and large stores look for neighbours along a graph.
            assert!(ids_of(&found).intersection(&expected).count() >= 9, "{found:?}");
            for d in &found.documents {
                let cosine = exact.iter().find(|(_, id)| *id == d.id).unwrap().0;
                assert!((cosine - d.similarity).abs() < 0.02, "{cosine} {}", d.similarity);
            }
        }
    }
    // What is found by its words has its cosine too.
    let asked = Probe { vector: vector(7), terms: vec!["7".into()], containing: 3, ..Probe::default() };
    let found = probe(&*store, asked).await;
    let seven = found.documents.iter().find(|d| d.id.ends_with("/d-7")).unwrap();
    assert!((seven.similarity - 1.0).abs() < 0.02, "{}", seven.similarity);
}

async fn words_are_found_and_counted(place: &dyn Place, database: &str) {
    let pack = |n: usize| if n.is_multiple_of(2) { "north" } else { "south" };
    let mut documents: Vec<Document> =
        (0..40).map(|n| deployment("yard", &format!("wolf-{n}"), &[("pack", pack(n))])).collect();
    let mut described = instance("", "yard", "Deployment", "den", &[]);
    described.annotations.insert("description".into(), "Where the foxes' databases sleep, 100% of them".into());
    documents.push(document(&described));
    let store = with(place, database, &documents).await;
    let term = |word: &str| words::terms(word)[0].clone();
    let [wolf, north, foxes] = ["wolf", "north", "foxes"].map(term);
    let odd = strings(["absent", "'", "a:b & !c | (", "%", "\"", "\\", ""]);
    let known = [wolf.clone(), north.clone(), foxes.clone(), term("databases")];
    assert_eq!(
        store.view_all("a test").await.unwrap().frequencies(Collection::Instances, &known).await.unwrap(),
        [40, 20, 1, 1]
    );
    assert_eq!(store.view_all("a test").await.unwrap().frequencies(Collection::Instances, &odd).await.unwrap(), [0; 7]);
    let terms = store.view_all("a test").await.unwrap().terms(Collection::Instances).await.unwrap();
    assert!(terms.iter().is_sorted() && terms.documents(&wolf) == Some(40), "{terms:?}");
    // The rarest word decides who is looked at.
    let asked = Probe { terms: vec![wolf.clone(), foxes.clone()], containing: 1, ..Probe::default() };
    let found = probe(&*store, asked).await;
    assert_eq!(ids_of(&found), ["yard/apps/v1/Deployment/den"].into());
    assert_eq!((found.frequencies, found.total), (vec![40, 1], 41));
    assert!(
        probe(&*store, Probe { terms: odd.to_vec(), containing: 9, ..Probe::default() }).await.documents.is_empty()
    );
    // Both words before one.
    let found = probe(&*store, Probe { terms: vec![wolf.clone(), north], containing: 20, ..Probe::default() }).await;
    assert_eq!(found.documents.len(), 20);
    assert!(found.documents.iter().all(|d| d.record.contains(r#""pack":"north""#)));

    let batch = Batch {
        upserts: vec![Upsert { document: deployment("yard", "wolf-0", &[("pack", "east")]), vector: None }],
        deletes: ["wolf-1", "den"].map(|name| deployment("yard", name, &[]).key).to_vec(),
        source: 1,
        ..Batch::default()
    };
    store.apply(Collection::Instances, batch).await.unwrap();
    let asked = ["wolf", "north", "south", "east", "foxes"].map(term);
    assert_eq!(
        store.view_all("a test").await.unwrap().frequencies(Collection::Instances, &asked).await.unwrap(),
        [39, 19, 19, 1, 0]
    );
    let terms = store.view_all("a test").await.unwrap().terms(Collection::Instances).await.unwrap();
    assert!(terms.documents("east") == Some(1) && terms.documents(&foxes).is_none(), "{terms:?}");
    assert_eq!(
        store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap().labels["pack"].len(),
        3
    );
}

async fn types_have_a_collection_of_their_own(place: &dyn Place, database: &str) {
    let store = with(place, database, &[deployment("a", "web", &[])]).await;
    let ty = ResourceType {
        group: "db.example".into(),
        version: "v1".into(),
        kind: "Database".into(),
        plural: "databases".into(),
        short_names: vec!["dbs".into()],
        ..ResourceType::default()
    };
    let of_type = Document::of_type(&ty, None);
    store.open_collection(Collection::Capabilities, &embedder()).await.unwrap();
    let batch = Batch::writing(2, vec![upsert(&of_type, axis(1))]);
    store.apply(Collection::Capabilities, batch).await.unwrap();
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Capabilities).await.unwrap().unwrap().documents,
        1
    );
    assert_eq!(size(&*store).await, 1);
    let asked = Probe { vector: axis(1), nearest: 5, ..Probe::default() };
    let found = store.view_all("a test").await.unwrap().probe(Collection::Capabilities, asked).await.unwrap();
    assert_eq!(ids_of(&found), ["databases.db.example"].into());
    let back: ResourceType = serde_json::from_str(&found.documents[0].record).unwrap();
    assert_eq!(back, ty);
    store.apply(Collection::Capabilities, Batch::deleting("", vec![of_type.key])).await.unwrap();
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Capabilities).await.unwrap().unwrap().documents,
        0
    );
    assert_eq!(size(&*store).await, 1);
}

async fn clusters_are_apart(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = ["", "east", "west"]
        .iter()
        .flat_map(|c| (0..3).map(move |n| document(&instance(c, "a", "Deployment", &format!("web-{n}"), &[]))))
        .collect();
    let store = with(place, database, &documents).await;
    for cluster in ["", "east", "west"] {
        let seen = scanned(&*store, cluster).await;
        assert_eq!(seen.len(), 3, "{cluster}");
        let prefix = if cluster.is_empty() { "a/".to_owned() } else { format!("{cluster}:a/") };
        assert!(seen.values().all(|s| s.id.starts_with(&prefix)), "{seen:?}");
    }
    let counts = store.view_all("a test").await.unwrap().counts(Collection::Instances).await.unwrap();
    let told: Vec<_> = counts.iter().map(|c| (c.cluster.as_str(), c.type_name.as_str(), c.documents)).collect();
    assert_eq!(told, ["", "east", "west"].map(|c| (c, "deployments.apps", 3)));
    delete(&*store, &["east:a/apps/v1/Deployment/web-0"]).await;
    assert_eq!((scanned(&*store, "east").await.len(), scanned(&*store, "").await.len()), (2, 3));
}

async fn two_writers_lose_nothing(place: &dyn Place, database: &str) {
    let (one, other) = (with(place, database, &[]).await, place.open(database).await);
    let both = deployment("shared", "both", &[("app", "web")]);
    let rounds = |store: Arc<dyn Store>, cluster: &'static str| {
        let both = both.clone();
        async move {
            for round in 0..5_usize {
                let own = (0..20).map(|n| {
                    let name = format!("web-{}", round * 20 + n);
                    let own = document(&instance(cluster, "a", "Deployment", &name, &[("app", "web")]));
                    upsert(&own, vector(n as u64))
                });
                write(&*store, own.chain([upsert(&both, axis(0))]).collect()).await;
            }
        }
    };
    tokio::join!(rounds(Arc::clone(&one), "east"), rounds(Arc::clone(&other), "west"));
    for store in [&one, &other, &place.open(database).await] {
        assert_eq!(size(&**store).await, 201);
        assert_eq!((scanned(&**store, "east").await.len(), scanned(&**store, "west").await.len()), (100, 100));
        assert_eq!(
            store
                .view_all("a test")
                .await
                .unwrap()
                .frequencies(Collection::Instances, &strings(["web"]))
                .await
                .unwrap(),
            [201]
        );
        assert_eq!(ids_of(&near(&**store, axis(0), 1).await), ["shared/apps/v1/Deployment/both"].into());
    }
    delete(&*one, &["shared/apps/v1/Deployment/both"]).await;
    assert_eq!((scanned(&*other, "").await.len(), size(&*other).await), (0, 200));
}

async fn thousands_of_documents_are_all_there(place: &dyn Place, database: &str) {
    const MANY: usize = 6_000;
    let store = with(place, database, &[]).await;
    let labels = |n: usize| format!("s{}", n % 7);
    let all: Vec<Document> = (0..MANY)
        .map(|n| {
            let labels = [("app", "web"), ("shard", &*labels(n))];
            deployment(&format!("ns-{}", n % 20), &format!("web-{n}"), &labels)
        })
        .collect();
    let mut waiting = numbered(&all).into_iter();
    for _ in 0..MANY / 1_000 {
        write(&*store, waiting.by_ref().take(1_000).collect()).await;
    }
    assert_eq!((size(&*store).await, scanned(&*store, "").await.len()), (MANY, MANY));
    assert_eq!(admitted(&*store, Filter::default()).await.len(), MANY);
    let selector: Selector = "shard=s2".parse().unwrap();
    let filter = Filter { namespaces: set(&["ns-3"]), selector, ..Filter::default() };
    let expected = (0..MANY).filter(|n| n % 20 == 3 && n % 7 == 2).count();
    assert_eq!(admitted(&*store, filter.clone()).await.len(), expected);
    let terms = vec!["web".to_owned()];
    let found = probe(&*store, Probe { vector: vector(42), terms, filter, nearest: 2_000, containing: 5_000 }).await;
    assert_eq!((found.documents.len(), found.admitted, found.total), (expected, expected, MANY));
    // The hundred nearest of six thousand, mostly the right ones.
    let query = vector(1_000_000);
    let mut exact: Vec<(f32, &str)> =
        all.iter().enumerate().map(|(n, d)| (cosine(&query, &vector(n as u64)), d.id.as_str())).collect();
    exact.sort_by(|a, b| b.0.total_cmp(&a.0));
    let expected: BTreeSet<&str> = exact[..100].iter().map(|(_, id)| *id).collect();
    let found = near(&*store, query, 100).await;
    let right = ids_of(&found).intersection(&expected).count();
    assert!(found.documents.len() == 100 && right >= 85, "{} found, {right} right", found.documents.len());
    let half: Vec<&str> = all[..MANY / 2].iter().map(|d| d.id.as_str()).collect();
    delete(&*store, &half).await;
    assert_eq!((size(&*store).await, admitted(&*store, Filter::default()).await.len()), (MANY / 2, MANY / 2));
}

async fn any_text_comes_back_as_it_went(place: &dyn Place, database: &str) {
    let odd_labels = [("emoji", "🦊"), ("quote", "it's \"50%\" \\ x=1,y")];
    let mut odd = instance("", "名前空間", "Deployment", "naïve-☕-\u{1f433}", &odd_labels);
    let description = "Zeilen\nund\tTabs, null \u{0}, \u{202e}rtl, e\u{301}, ' OR 1=1; --";
    odd.annotations.insert("description".into(), description.into());
    let mut large = instance("", "a", "Deployment", "large", &[]);
    for n in 0..120 {
        let key = format!("example.org/a-rather-long-key-of-a-label-{n}");
        large.labels.insert(key, format!("value-{n}-{}", "x".repeat(50)));
    }
    large.annotations.insert("description".into(), "wörter ".repeat(2_000));
    assert!(large.labels.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > 10_000);
    let documents = [document(&odd), document(&large)];
    let store = with(place, database, &documents).await;
    let records = store
        .view_all("a test")
        .await
        .unwrap()
        .records(Collection::Instances, &documents.each_ref().map(|d| d.key))
        .await
        .unwrap();
    for (d, went) in documents.iter().zip([&odd, &large]) {
        let back: ResourceInstance = serde_json::from_str(&records[&d.key]).unwrap();
        assert_eq!(&back, went);
    }
    let selector: Selector = "example.org/a-rather-long-key-of-a-label-77".parse().unwrap();
    let by_label = Filter { selector, ..Filter::default() };
    assert_eq!(admitted(&*store, by_label).await, set(&[&documents[1].id]));
    let by_namespace = Filter { namespaces: set(&["名前空間"]), ..Filter::default() };
    assert_eq!(admitted(&*store, by_namespace).await, set(&[&documents[0].id]));
    let seen = scanned(&*store, "").await;
    assert!(documents.iter().all(|d| seen[&d.key].hash == d.hash.to_bytes() && seen[&d.key].id == d.id));
    assert_eq!(
        store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap().labels["quote"],
        set(&[odd_labels[1].1])
    );
    let term = words::terms("wörter")[0].clone();
    assert_eq!(ids_of(&by_words(&*store, &[&term]).await), [documents[1].id.as_str()].into());
    let found = near(&*store, vector(0), 1).await;
    assert_eq!((&found.documents[0].id, &found.documents[0].record), (&documents[0].id, &documents[0].record));
}

async fn embedders_are_never_mixed(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = (0..5).map(|n| deployment("a", &format!("wolf-{n}"), &[])).collect();
    let store = with(place, database, &documents).await;
    let other = EmbedderIdentity { name: "voyage:voyage-4".into(), dimensions: 24 };
    let refused = store.open_collection(Collection::Instances, &other).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherEmbedder { .. }), "{refused}");
    let message = refused.to_string();
    for part in ["test (16 dimensions)", "voyage:voyage-4 (24 dimensions)", "cannot be compared", "instances"] {
        assert!(message.contains(part), "{message}");
    }
    let bad = upsert(&deployment("z", "z", &[]), vec![1.0]);
    let batch = Batch { upserts: vec![upsert(&deployment("y", "y", &[]), axis(0)), bad], ..Batch::default() };
    let message = store.apply(Collection::Instances, batch).await.unwrap_err().to_string();
    assert!(message.contains("has 1 dimensions; expected 16"), "{message}");
    assert_eq!(size(&*store).await, 5, "nothing of the batch is written");

    for _ in 0..2 {
        store.change_embedder(Collection::Instances, &other).await.unwrap();
    }
    store.open_collection(Collection::Instances, &other).await.unwrap();
    assert_eq!(
        store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().unwrap().embedder,
        other
    );
    let seen = scanned(&*store, "").await;
    assert!(seen.len() == 5 && seen.values().all(|s| s.hash == [0; 16]), "all are there and count as changed");
    assert_eq!(by_words(&*store, &["wolf"]).await.documents.len(), 5);
    let long = |n: usize| -> Vec<f32> { (0..24).map(|i| if i == n { 1.0 } else { 0.0 }).collect() };
    write(&*store, documents.iter().enumerate().map(|(n, d)| upsert(d, long(n))).collect()).await;
    assert_eq!(ids_of(&near(&*store, long(3), 1).await), [documents[3].id.as_str()].into());
    assert!(place.open(database).await.open_collection(Collection::Instances, &embedder()).await.is_err());
}

async fn pages_show_every_document_once(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = (0..25).map(|n| deployment("a", &format!("web-{n}"), &[])).collect();
    let store = with(place, database, &documents).await;
    for vectors in [true, false] {
        let (mut all, mut after): (Vec<Stored>, Option<String>) = (Vec::new(), None);
        loop {
            let page = store
                .view_all("a test")
                .await
                .unwrap()
                .page(Collection::Instances, after.as_deref(), 10, vectors)
                .await
                .unwrap();
            assert!(page.documents.len() <= 10);
            all.extend(page.documents);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(all.len(), 25);
        for (n, d) in documents.iter().enumerate() {
            let stored = all.iter().find(|s| s.id == d.id).unwrap();
            assert_eq!((stored.type_name.as_str(), stored.source), ("deployments.apps", 1));
            let back: ResourceInstance = serde_json::from_str(&stored.record).unwrap();
            assert_eq!(document(&back), *d, "a document can be made again of its record");
            match &stored.vector {
                Some(v) => assert!(vectors && cosine(v, &vector(n as u64)) > 0.99),
                None => assert!(!vectors),
            }
        }
    }
}

async fn what_a_run_must_know_is_remembered(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    let at = |uid: Option<&str>, server: &str| SourceIdentity::Cluster {
        uid: uid.map(Into::into),
        server: server.into(),
        ca_hash: String::new(),
    };
    let first = store.remember_source("", &at(None, "https://old"), false).await.unwrap();
    for known in [at(Some("1"), "https://old"), at(Some("1"), "https://a")] {
        assert_eq!(store.remember_source("", &known, false).await.unwrap(), first);
    }
    let folder = SourceIdentity::Folder { path: "/manifests".into() };
    let east = store.remember_source("east", &folder, false).await.unwrap();
    assert_ne!(first, east);
    let second = store.remember_source("", &at(Some("2"), "https://b"), true).await.unwrap();
    for store in [&store, &place.open(database).await] {
        let mut sources = store.view_all("a test").await.unwrap().sources().await.unwrap();
        sources.sort_by_key(|s| [first, east, second].iter().position(|n| *n == s.number));
        let told: Vec<_> = sources.iter().map(|s| (s.number, s.cluster.as_str(), s.replaced)).collect();
        assert_eq!(told, [(first, "", true), (east, "east", false), (second, "", false)]);
        assert_eq!(sources[0].identity, at(Some("1"), "https://a"), "by its uid a cluster is known again elsewhere");
        assert_eq!(sources[1].identity, folder);
    }

    let ty = |plural: &str, version: &str| ResourceType {
        group: "apps".into(),
        version: version.into(),
        kind: "X".into(),
        plural: plural.into(),
        ..ResourceType::default()
    };
    store.remember_types("", &[ty("b", "v1"), ty("a", "v1")]).await.unwrap();
    store.remember_types("east", &[ty("c", "v1")]).await.unwrap();
    store.remember_types("", &[ty("b", "v2")]).await.unwrap();
    for store in [&store, &place.open(database).await] {
        let known = store.view_all("a test").await.unwrap().types().await.unwrap();
        assert_eq!(*known, [(String::new(), ty("b", "v2")), ("east".to_owned(), ty("c", "v1"))]);
    }

    let schema = |size| TypeSchema { size, ..TypeSchema::default() };
    let read = |name: &str, size| (name.to_owned(), format!("r{size}"), schema(size));
    store.remember_schemas("", &[read("pods", 1), read("jobs.batch", 2)], &[]).await.unwrap();
    store.remember_schemas("", &[read("pods", 4)], &["jobs.batch".to_owned()]).await.unwrap();
    assert_eq!(store.schemas("").await.unwrap(), [("pods".to_owned(), ("r4".to_owned(), schema(4)))].into());
    assert!(store.schemas("east").await.unwrap().is_empty());

    assert_eq!(store.answer("k").await.unwrap(), None);
    store.remember_answer("k", "{}").await.unwrap();
    store.remember_answer("k", "{\"a\": \"ü\"}").await.unwrap();
    assert_eq!(store.answer("k").await.unwrap().as_deref(), Some("{\"a\": \"ü\"}"));
    assert_eq!(store.answers().await.unwrap(), [strings(["k", "{\"a\": \"ü\"}"]).into()]);

    let run = |command: RunKind, cluster: &str, started: &str| RunRecord {
        command,
        cluster: cluster.to_owned(),
        started: started.to_owned(),
        finished: String::new(),
        summary: serde_json::Value::Null,
    };
    let (instances, capabilities) = (RunKind::Instances, RunKind::Capabilities);
    for (command, cluster, started) in
        [(capabilities, "", "1"), (instances, "", "2"), (capabilities, "east", "3"), (capabilities, "", "4")]
    {
        store.begin_run(&run(command, cluster, started)).await.unwrap();
    }
    let number = store.begin_run(&run(capabilities, "", "5")).await.unwrap();
    let summary = serde_json::json!({"stored": 1});
    let finished = RunRecord { finished: "6".into(), summary, ..run(capabilities, "", "5") };
    store.finish_run(number, &finished).await.unwrap();
    let runs = store.view_all("a test").await.unwrap().last_runs().await.unwrap();
    let told: Vec<_> = runs.iter().map(|r| (r.command, r.cluster.as_str(), r.started.as_str())).collect();
    assert_eq!(told, [(capabilities, "", "5"), (capabilities, "east", "3"), (instances, "", "2")]);
    assert_eq!(runs[0], finished);
}

async fn how_sources_were_read_is_remembered(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    let folder = |path: &str| SourceIdentity::Folder { path: path.to_owned() };
    let first = store.remember_source("", &folder("/m"), false).await.unwrap();
    let second = store.remember_source("east", &folder("/e"), false).await.unwrap();
    let reading = |at: &str, namespaces: &[&str]| Reading {
        at: at.to_owned(),
        context: "it's \"x\"".to_owned(),
        namespaces: namespaces.iter().map(|n| (*n).to_owned()).collect(),
        annotations: "a/*,b".to_owned(),
        by_model: true,
        ..Reading::default()
    };
    let known = async || {
        let sources = place.open(database).await.view_all("a test").await.unwrap().sources().await.unwrap();
        sources.into_iter().map(|s| (s.number, s.readings)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(known().await, [(first, Readings::default()), (second, Readings::default())].into());
    let of = |collection, at| Readings::default().and(collection, &reading(at, &[]));
    store.remember_readings(first, &of(Collection::Instances, "2026-01-02T00:00:00Z")).await.unwrap();
    store.remember_readings(first, &of(Collection::Capabilities, "2026-01-03T00:00:00Z")).await.unwrap();
    // Older, of a part, and of a source that is not there.
    store.remember_readings(first, &of(Collection::Instances, "2026-01-01T00:00:00Z")).await.unwrap();
    let part = Readings::default().and(Collection::Instances, &reading("2026-01-09T00:00:00Z", &["a"]));
    store.remember_readings(first, &part).await.unwrap();
    store.remember_readings(first + second + 1, &part).await.unwrap();
    let both =
        of(Collection::Instances, "2026-01-02T00:00:00Z").merged(&of(Collection::Capabilities, "2026-01-03T00:00:00Z"));
    assert_eq!(known().await, [(first, both.clone()), (second, Readings::default())].into());
    // A source that is seen again, or replaced, was read as it was.
    store.remember_source("", &folder("/m"), true).await.unwrap();
    store.remember_source("", &folder("/other"), true).await.unwrap();
    assert_eq!(known().await[&first], both);
}

async fn one_sync_of_a_cluster_at_a_time(place: &dyn Place, database: &str) {
    let (one, other) = (place.open(database).await, place.open(database).await);
    let me = Holder::new(RunKind::Capabilities, "2026-01-01T10:00:00Z".to_owned());
    let held = one.lock("east", &me).await.unwrap();
    let Err(refused) = other.lock("east", &me).await else {
        // Where a lock is a file of each machine's own, another machine is not kept out; there writing twice is writing once.
        return;
    };
    assert!(refused.to_string().contains("another run"), "{refused}");
    let StoreError::Locked { holder, .. } = refused else { panic!("{refused}") };
    assert_eq!(holder, Some(me.clone()), "who holds it is told to who waits");
    drop(held);
    // Letting go may take a server a moment.
    for _ in 0..50 {
        if other.lock("east", &me).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    other.lock("east", &me).await.unwrap();
}

/// An entry of the journal, of this second.
fn entry(cluster: &str, type_name: &str, namespace: &str, name: &str, second: usize) -> JournalEntry {
    let instance = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
    let instance = ResourceInstance { cluster: Some(cluster.to_owned()).filter(|c| !c.is_empty()), ..instance };
    let at = format!("2026-01-02T{:02}:{:02}:{:02}.000000Z", second / 3600, second / 60 % 60, second % 60);
    let entry = JournalEntry::of_instance(&instance, type_name, Happening::Created, at);
    JournalEntry { changed_by: format!("manager of {name}"), ..entry }
}

async fn names_of(store: &dyn Store) -> Vec<(String, String)> {
    let names = ClusterNames::of(&store.view_all("a test").await.unwrap().sources().await.unwrap());
    names.iter().map(|(cluster, shown)| (cluster.to_owned(), shown.to_owned())).collect()
}

async fn what_sources_are_called_is_remembered(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    let folder = |path: &str| SourceIdentity::Folder { path: path.to_owned() };
    let first = store.remember_source("", &folder("/a"), false).await.unwrap();
    let east = store.remember_source("east", &folder("/b"), false).await.unwrap();
    store.name_source(first, "kind-dev").await.unwrap();
    store.name_source(12_345, "nobody").await.unwrap();
    let pair = |cluster: &str, shown: &str| (cluster.to_owned(), shown.to_owned());
    assert_eq!(names_of(&*store).await, [pair("", "kind-dev"), pair("east", "east")]);
    // A name stays when the source is read again.
    let read = Reading { at: "2026-01-01T00:00:00Z".to_owned(), ..Reading::default() };
    store.remember_readings(first, &Readings::default().and(Collection::Instances, &read)).await.unwrap();
    assert_eq!(store.remember_source("", &folder("/a"), false).await.unwrap(), first);
    store.name_source(east, "Zürich \"1\"").await.unwrap();
    let other = place.open(database).await;
    assert_eq!(names_of(&*other).await, [pair("", "kind-dev"), pair("east", "Zürich \"1\"")]);
}

async fn a_cluster_is_there_under_one_name(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    let at = |uid: &str, server: &str| SourceIdentity::Cluster {
        uid: Some(uid.to_owned()).filter(|uid| !uid.is_empty()),
        server: server.to_owned(),
        ca_hash: "c".to_owned(),
    };
    let first = store.remember_source("", &at("1", "https://a"), false).await.unwrap();
    store.name_source(first, "dev").await.unwrap();
    for (offered, replace) in
        [(at("1", "https://b"), false), (at("", "https://a"), false), (at("1", "https://a"), true)]
    {
        match store.remember_source("again", &offered, replace).await {
            Err(StoreError::UnderAnotherName { cluster, known, shown, .. }) => {
                assert_eq!((cluster.as_str(), known.as_str(), shown.as_str()), ("again", "", "dev"));
            }
            other => panic!("{offered} {other:?}"),
        }
    }
    let sources = place.open(database).await.view_all("a test").await.unwrap().sources().await.unwrap();
    assert_eq!(sources.len(), 1, "nothing was written");
    store.remember_source("other", &at("2", "https://a"), false).await.unwrap();
    // Once another took its place it may come back under another name.
    store.remember_source("", &at("3", "https://c"), true).await.unwrap();
    store.remember_source("again", &at("1", "https://a"), false).await.unwrap();
}

async fn what_is_forgotten_is_gone_and_nothing_of_another_cluster(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    let ty = ResourceType { group: "apps".into(), kind: "X".into(), plural: "xs".into(), ..ResourceType::default() };
    for cluster in ["", "east", "west"] {
        let at = SourceIdentity::Folder { path: format!("/{cluster}") };
        store.remember_source(cluster, &at, false).await.unwrap();
        store.remember_types(cluster, std::slice::from_ref(&ty)).await.unwrap();
        let schema = ("xs.apps".to_owned(), "r".to_owned(), TypeSchema::default());
        store.remember_schemas(cluster, &[schema], &[]).await.unwrap();
        let run = RunRecord {
            command: RunKind::Instances,
            cluster: cluster.to_owned(),
            started: "1".to_owned(),
            finished: "2".to_owned(),
            summary: serde_json::Value::Null,
        };
        store.begin_run(&run).await.unwrap();
        let journal = vec![entry(cluster, "pods", "a", "one", 1)];
        store.apply(Collection::Instances, Batch { journal, ..Batch::default() }).await.unwrap();
        if let Some(inbox) = store.inbox() {
            inbox.put(cluster, b"{}".to_vec()).await.unwrap();
            inbox.scan(cluster, vec!["xs.apps".to_owned()], Vec::new()).await.unwrap();
        }
    }
    for (forgotten, left) in
        [("east", &["", "west"][..]), ("east", &["", "west"]), ("", &["west"]), ("nobody", &["west"])]
    {
        store.forget(forgotten).await.unwrap();
        let view = store.view_all("a test").await.unwrap();
        let sources: BTreeSet<String> = view.sources().await.unwrap().into_iter().map(|s| s.cluster).collect();
        let types: BTreeSet<String> = view.types().await.unwrap().iter().map(|(cluster, _)| cluster.clone()).collect();
        let runs: BTreeSet<String> = view.last_runs().await.unwrap().into_iter().map(|r| r.cluster).collect();
        let query = JournalQuery { limit: 10, ..JournalQuery::default() };
        let journal: BTreeSet<String> = view.journal(query).await.unwrap().into_iter().map(|e| e.cluster).collect();
        let expected: BTreeSet<String> = left.iter().map(|cluster| (*cluster).to_owned()).collect();
        for (what, told) in [("sources", &sources), ("types", &types), ("runs", &runs), ("journal", &journal)] {
            assert_eq!(told, &expected, "{what} after {forgotten:?}");
        }
        assert!(store.schemas(forgotten).await.unwrap().is_empty());
        assert_eq!(store.schemas("west").await.unwrap().len(), 1);
        if let Some(inbox) = store.inbox() {
            assert_eq!(inbox.clusters().await.unwrap(), left);
        }
    }
}

async fn the_journal_tells_what_happened_newest_first_and_stays_within_its_bounds(place: &dyn Place, database: &str) {
    let store = place.open(database).await;
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    let journaling = |journal: Vec<JournalEntry>, bounds: JournalBounds| {
        let store = Arc::clone(&store);
        async move {
            let batch = Batch { journal, bounds, ..Batch::default() };
            store.apply(Collection::Instances, batch).await.unwrap();
        }
    };
    let entries = vec![
        entry("", "pods", "a", "one", 1),
        entry("", "pods", "b", "two", 2),
        entry("east", "pods", "a", "three", 3),
        entry("", "secrets", "a", "four", 4),
        entry("", "namespaces", "_cluster", "five", 5),
    ];
    journaling(entries.clone(), JournalBounds::default()).await;
    // A second time is the first time.
    journaling(entries.clone(), JournalBounds::default()).await;
    let read = async |scope: Scope, query: JournalQuery| -> Vec<String> {
        let entries = store.view(&scope).await.unwrap().journal(query).await.unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    };
    let all = || Scope::All { because: "a test" };
    let query = JournalQuery { limit: 10_000, ..JournalQuery::default() };
    let set = |text: &str| BTreeSet::from([text.to_owned()]);
    assert_eq!(read(all(), query.clone()).await, ["five", "four", "three", "two", "one"]);
    for (narrowed, found) in [
        (JournalQuery { limit: 2, ..query.clone() }, &["five", "four"][..]),
        (JournalQuery { limit: 0, ..query.clone() }, &[]),
        (JournalQuery { cluster: Some(String::new()), ..query.clone() }, &["five", "four", "two", "one"]),
        (JournalQuery { since: Some(entries[2].at.clone()), ..query.clone() }, &["five", "four", "three"]),
        (JournalQuery { until: Some(entries[2].at.clone()), ..query.clone() }, &["two", "one"]),
        (JournalQuery { types: set("pods"), namespaces: set("a"), ..query.clone() }, &["three", "one"]),
        (JournalQuery { names: set("four"), kinds: set("Pod"), ..query.clone() }, &["four"]),
        (JournalQuery { what: [Happening::Deleted].into(), ..query.clone() }, &[]),
    ] {
        assert_eq!(read(all(), narrowed.clone()).await, found, "{narrowed:?}");
    }
    // Outside the scope there is nothing, and what is limited is what is within.
    let rule = |cluster: &str, ty: Option<&str>, namespaces: &[&str]| Rule {
        cluster: cluster.to_owned(),
        type_name: ty.map(str::to_owned),
        namespaces: Some(namespaces.iter().map(|n| (*n).to_owned()).collect()),
        objects: None,
    };
    let some = Scope::rules([rule("", Some("pods"), &["a"])]);
    assert_eq!(read(some.clone(), query.clone()).await, ["one"]);
    assert_eq!(read(some, JournalQuery { limit: 1, ..query.clone() }).await, ["one"]);
    assert_eq!(read(Scope::rules([rule("", None, &["a"])]), query.clone()).await, ["four", "one"]);
    assert_eq!(read(Scope::rules([]), query.clone()).await, Vec::<String>::new());

    // Of one cluster only the newest stay, and nothing that is too old; another's stay as they are.
    let many: Vec<JournalEntry> = (0..600).map(|n| entry("", "pods", "a", &format!("n{n}"), 10 + n)).collect();
    journaling(many.clone(), JournalBounds { most: 400, ..JournalBounds::default() }).await;
    let left = read(all(), query.clone()).await;
    assert_eq!((left.len(), left[0].as_str(), left[399].as_str(), left[400].as_str()), (401, "n599", "n200", "three"));
    let oldest = many[590].at.clone();
    journaling(vec![entry("", "pods", "a", "last", 1_000)], JournalBounds { oldest, ..JournalBounds::default() }).await;
    assert_eq!(read(all(), query.clone()).await.len(), 1 + 10 + 1);
}

/// Documents with what is told of each, frequencies, total and admitted.
type Probed = (BTreeMap<String, String>, Vec<usize>, usize, usize);

/// Everything that can be read of a view, of a collection.
#[derive(Debug, PartialEq)]
struct Told {
    documents: usize,
    scanned: BTreeMap<ObjectKey, String>,
    records: BTreeMap<ObjectKey, String>,
    probes: Vec<Probed>,
    vocabulary: Vocabulary,
    frequencies: Vec<usize>,
    terms: Terms,
    counts: Vec<(String, String, usize)>,
    paged: BTreeSet<String>,
    types: Vec<(String, String)>,
    clusters: BTreeSet<String>,
}

async fn told(view: &dyn View, collection: Collection, keys: &[ObjectKey], terms: &[String]) -> Told {
    let (mut scanned, mut paged, mut after) = (BTreeMap::new(), BTreeSet::new(), None);
    for cluster in ["", "east", "west"] {
        let mut visit = |s: Scanned<'_>| {
            scanned.insert(s.key, s.id.to_owned());
        };
        view.scan(collection, cluster, &mut visit).await.unwrap();
    }
    loop {
        let page = view.page(collection, after.as_deref(), 7, true).await.unwrap();
        paged.extend(page.documents.into_iter().map(|d| d.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let one = Filter { namespaces: ["ns-1".to_owned()].into(), ..Filter::default() };
    let labelled = Filter { selector: "team in (a, b)".parse().unwrap(), ..Filter::default() };
    let wanted = [
        Probe { vector: vector(3), nearest: 5, ..Probe::default() },
        Probe { vector: vector(5), nearest: 3, filter: one, ..Probe::default() },
        Probe { vector: vector(7), nearest: 4, filter: labelled, terms: terms.to_vec(), containing: 5 },
        Probe { nearest: usize::MAX, ..Probe::default() },
        Probe { terms: terms.to_vec(), containing: 6, ..Probe::default() },
    ];
    let mut probes = Vec::new();
    for probe in wanted {
        let Candidates { documents, frequencies, total, admitted } = view.probe(collection, probe).await.unwrap();
        let documents =
            documents.into_iter().map(|d| (d.id.clone(), format!("{:.3} {}", d.similarity, d.type_name))).collect();
        probes.push((documents, frequencies, total, admitted));
    }
    Told {
        documents: view.collection(collection).await.unwrap().map_or(0, |c| c.documents),
        scanned,
        records: view.records(collection, keys).await.unwrap().into_iter().collect(),
        probes,
        vocabulary: (*view.vocabulary(collection).await.unwrap()).clone(),
        frequencies: view.frequencies(collection, terms).await.unwrap(),
        terms: (*view.terms(collection).await.unwrap()).clone(),
        counts: view
            .counts(collection)
            .await
            .unwrap()
            .into_iter()
            .map(|c| (c.cluster, c.type_name, c.documents))
            .collect(),
        paged,
        types: view.types().await.unwrap().iter().map(|(cluster, ty)| (cluster.clone(), ty.name())).collect(),
        clusters: view.sources().await.unwrap().into_iter().map(|s| s.cluster).collect(),
    }
}

const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "Pod", "Namespace"];

fn type_of(kind: &str) -> ResourceType {
    // Of Namespaces each is told apart.
    let group = if kind == "Namespace" { "" } else { "apps" };
    let (kind, plural, group) = (kind.to_owned(), format!("{}s", kind.to_lowercase()), group.to_owned());
    ResourceType { kind, plural, group, version: "v1".to_owned(), ..ResourceType::default() }
}

/// Objects of three clusters, eight namespaces and none, three kinds.
fn world() -> Vec<Document> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut documents = Vec::new();
    for number in 0..90 {
        let cluster = ["", "east", "west"][random.usize(0..3)];
        let namespace = format!("ns-{}", random.usize(0..8));
        let kind = KINDS[random.usize(0..4)];
        let name =
            format!("{}-{number}", ["red fox", "wolf", "grey wolf", "oak"][random.usize(0..4)].replace(' ', "-"));
        let labels = [("team", ["a", "b", "c"][random.usize(0..3)]), ("only", namespace.as_str())];
        let mut object = instance(cluster, &namespace, kind, &name, &labels);
        if number % 11 == 0 {
            object.namespace = clusterlore_core::CLUSTER_SCOPE.to_owned();
        }
        documents.push(document(&object));
    }
    documents
}

async fn holding(store: &dyn Store, documents: &[Document], vectors: &[Vec<f32>], scope: &Scope) {
    for collection in Collection::ALL {
        store.open_collection(collection, &embedder()).await.unwrap();
    }
    for cluster in ["", "east", "west"] {
        let types: Vec<ResourceType> =
            KINDS.map(type_of).into_iter().filter(|ty| scope.admits_type(cluster, &ty.name())).collect();
        if scope.admits_cluster(cluster) {
            let at = SourceIdentity::Folder { path: format!("/{cluster}") };
            store.remember_source(cluster, &at, false).await.unwrap();
        }
        let named = Some(cluster).filter(|c| !c.is_empty());
        let known: Vec<Document> = types.iter().map(|ty| Document::of_type(ty, named)).collect();
        // Each type has its vector, whichever others there are.
        let number = |d: &Document| 100 + KINDS.iter().position(|kind| *kind == d.facets.kind).unwrap() as u64;
        let upserts = known.iter().map(|d| upsert(d, vector(number(d)))).collect();
        store.apply(Collection::Capabilities, Batch::writing(1, upserts)).await.unwrap();
        store.remember_types(cluster, &types).await.unwrap();
    }
    let admitted = |d: &Document| {
        let of = &d.facets;
        scope.admits(Collection::Instances, &of.cluster, &of.type_name, &of.namespace, Some(&d.key))
    };
    let upserts = documents.iter().zip(vectors).filter(|(d, _)| admitted(d)).map(|(d, v)| upsert(d, v.clone()));
    write(store, upserts.collect()).await;
}

fn random_scope(random: &mut fastrand::Rng, keys: &[ObjectKey]) -> Scope {
    let rule = |random: &mut fastrand::Rng| {
        let mut namespaces: BTreeSet<String> = (0..8).filter(|_| random.bool()).map(|n| format!("ns-{n}")).collect();
        if random.bool() {
            namespaces.insert(clusterlore_core::CLUSTER_SCOPE.to_owned());
        }
        Rule {
            cluster: ["", "east", "west"][random.usize(0..3)].to_owned(),
            type_name: (random.u8(0..3) > 0).then(|| type_of(KINDS[random.usize(0..4)]).name()),
            namespaces: (random.u8(0..4) > 0).then_some(namespaces),
            objects: (random.u8(0..3) == 0).then(|| keys.iter().filter(|_| random.bool()).copied().collect()),
        }
    };
    let rules = random.usize(0..5);
    Scope::rules((0..rules).map(|_| rule(random)).collect::<Vec<_>>())
}

/// What is told under a scope is what an index would tell that holds only what the scope admits.
async fn under_a_scope_as_over_what_it_admits(place: &dyn Place, database: &str) {
    let documents = world();
    let vectors: Vec<Vec<f32>> = (0..documents.len() as u64).map(vector).collect();
    let whole = place.open(database).await;
    holding(&*whole, &documents, &vectors, &Scope::All { because: "the whole" }).await;
    let keys: Vec<ObjectKey> = documents.iter().map(|d| d.key).collect();
    let asked: Vec<String> = words::terms("red grey wolf oak deployment team 17");
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..12 {
        let scope = random_scope(&mut random, &keys);
        let part = place.open(&format!("{}-{round}", &database[..database.len().min(30)])).await;
        holding(&*part, &documents, &vectors, &scope).await;
        let (under, over) = (whole.view(&scope).await.unwrap(), part.view_all("a test").await.unwrap());
        for collection in Collection::ALL {
            let (under, over) =
                (told(&*under, collection, &keys, &asked).await, told(&*over, collection, &keys, &asked).await);
            assert_eq!(under, over, "{scope:?}, {collection}");
        }
    }
}

async fn outside_a_scope_there_is_nothing(place: &dyn Place, database: &str) {
    let documents: Vec<Document> = (0..1_200)
        .map(|n| deployment(&format!("ns-{n}"), &format!("fox-{n}"), &[("only", &format!("ns-{n}"))]))
        .chain([deployment("secret", "raven", &[("hidden", "yes")])])
        .collect();
    let store = with(place, database, &documents).await;
    store.remember_types("", &[type_of("Deployment"), type_of("Pod")]).await.unwrap();
    let allowed: BTreeSet<String> = (0..1_000).map(|n| format!("ns-{n}")).collect();
    let rule = |namespaces| Rule {
        cluster: String::new(),
        type_name: Some("deployments.apps".to_owned()),
        namespaces: Some(namespaces),
        objects: None,
    };
    let asked = strings(["fox", "raven", "secret", "hidden"]);
    let keys: Vec<ObjectKey> = documents.iter().map(|d| d.key).collect();

    let view = store.view(&Scope::rules([rule(allowed)])).await.unwrap();
    let seen = told(&*view, Collection::Instances, &keys, &asked).await;
    assert_eq!(
        (seen.documents, seen.scanned.len(), seen.records.len(), seen.paged.len()),
        (1_000, 1_000, 1_000, 1_000)
    );
    assert_eq!(seen.counts, [(String::new(), "deployments.apps".to_owned(), 1_000)]);
    assert_eq!(seen.frequencies, [1_000, 0, 0, 0]);
    assert!(seen.terms.iter().all(|(term, n)| term != "raven" && term != "secret" && n <= 1_000));
    assert_eq!(seen.vocabulary.namespaces.len(), 1_000);
    assert!(!seen.vocabulary.labels.contains_key("hidden"));
    assert!(seen.probes.iter().all(|(documents, _, total, admitted)| {
        *total == 1_000 && *admitted <= 1_000 && documents.keys().all(|id| !id.contains("raven"))
    }));
    assert_eq!(seen.types, [(String::new(), "deployments.apps".to_owned())]);

    for scope in [Scope::rules([]), Scope::rules([rule(BTreeSet::new())]), Scope::rules([Rule::cluster("east")])] {
        let view = store.view(&scope).await.unwrap();
        let seen = told(&*view, Collection::Instances, &keys, &asked).await;
        assert_eq!(
            (seen.documents, seen.scanned.len(), seen.records.len(), seen.paged.len()),
            (0, 0, 0, 0),
            "{scope:?}"
        );
        assert_eq!((seen.frequencies, seen.terms, seen.counts), (vec![0; 4], Terms::default(), vec![]));
        assert_eq!((seen.vocabulary, seen.types), (Vocabulary::default(), vec![]));
        assert!(
            seen.probes.iter().all(|(documents, _, total, admitted)| documents.is_empty() && total + admitted == 0)
        );
    }
}

/// What is written while a view is open is not in it; the next view has it.
async fn a_view_is_one_state(place: &dyn Place, database: &str) {
    let store = with(place, database, &[deployment("a", "fox", &[]), deployment("a", "wolf", &[])]).await;
    let view = store.view_all("a test").await.unwrap();
    assert_eq!(view.frequencies(Collection::Instances, &strings(["fox", "raven"])).await.unwrap(), [1, 0]);
    write(&*store, vec![upsert(&deployment("a", "raven", &[]), vector(9))]).await;
    delete(&*store, &["a/apps/v1/Deployment/fox"]).await;
    let asked = strings(["fox", "raven"]);
    assert_eq!(view.frequencies(Collection::Instances, &asked).await.unwrap(), [1, 0]);
    let by_words = Probe { terms: asked.to_vec(), containing: 9, ..Probe::default() };
    let found = view.probe(Collection::Instances, by_words).await.unwrap();
    assert_eq!((ids_of(&found), found.total), ([("a/apps/v1/Deployment/fox")].into(), 2));
    assert_eq!(view.terms(Collection::Instances).await.unwrap().documents("raven"), None);
    drop(view);
    let view = store.view_all("a test").await.unwrap();
    assert_eq!(view.frequencies(Collection::Instances, &asked).await.unwrap(), [0, 1]);
}
