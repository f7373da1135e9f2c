//! Runs against an API server whose faults are scripted.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use clusterlore_cluster::{FolderSource, ListScope};
use clusterlore_core::{Collection, ResourceInstance};
use clusterlore_pipeline::{Options, SyncError};
use clusterlore_store::{Filter, Holder, Probe, RunKind, Runs, Sqlite, Store, StoreError};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::{Counting, ids, live, run, state, ty};

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> ResourceInstance {
    ResourceInstance::new(api_version, kind, Some(namespace), name).unwrap()
}

/// Three types with ten objects each, and two namespaces beside the server's own.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(ty("", "v1", "Pod", "pods"));
    server.add_type(ty("apps", "v1", "Deployment", "deployments"));
    server.add_type(ty("orders.example", "v1", "Order", "orders"));
    for n in 0..10 {
        let namespace = if n % 2 == 0 { "even" } else { "odd" };
        server.put(object("v1", "Pod", namespace, &format!("pod-{n}")));
        server.put(object("apps/v1", "Deployment", namespace, &format!("web-{n}")));
        server.put(object("orders.example/v1", "Order", namespace, &format!("order-{n}")));
    }
    server
}

struct Bench {
    folder: tempfile::TempDir,
    server: FakeApiServer,
    store: Sqlite,
    embedder: Arc<Counting>,
}

impl Bench {
    /// Documents of types.
    async fn capabilities(&self) -> usize {
        let view = self.store.view_all("a test").await.unwrap();
        view.collection(Collection::Capabilities).await.unwrap().unwrap().documents
    }

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
        Self { folder, server: server().await, store, embedder: Arc::default() }
    }

    async fn try_sync(&self, options: Options) -> Result<common::Ran, SyncError> {
        run(live(self.server.kubeconfig(), None, 3).await, &self.store, &self.embedder, options).await
    }

    async fn sync(&self) -> common::Ran {
        self.try_sync(Options::default()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_run_over_an_unchanged_cluster_embeds_and_writes_nothing() {
    let bench = Bench::new().await;
    let first = bench.sync().await;
    assert_eq!((first.summary.discovered, first.summary.stored, first.summary.deleted), (34, 34, 0));
    assert!(bench.embedder.take() >= 34);
    let before = (state(&bench.store).await, std::fs::metadata(bench.store.path()).unwrap().len());
    let second = bench.sync().await;
    assert_eq!((second.summary.stored, second.summary.unchanged, second.summary.deleted), (0, 34, 0));
    assert_eq!(bench.embedder.take(), 0);
    assert_eq!(before.0, state(&bench.store).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_lines_come_in_their_order() {
    let bench = Bench::new().await;
    let lines = bench.sync().await.lines;
    let at = |line: &str| lines.iter().position(|l| l == line).unwrap_or_else(|| panic!("{line} in {lines:#?}"));
    let order = [
        at("Discovering API resources..."),
        at("Found 4 API resources."),
        at("After filtering: 4 resource types (removed 0)."),
        at("Discovery complete: 34 instances across 4 resource types."),
        at("Storing 34 resource instances in vector database..."),
        at("Storage complete: 34 instances stored in \"instances\" collection."),
    ];
    assert!(order.is_sorted());
    let listing: Vec<&String> = lines.iter().filter(|l| l.starts_with("Listing instances (")).collect();
    assert_eq!(listing.len(), 4);
    assert!(
        listing[0].starts_with("Listing instances (1 of 4): ")
            && listing[3].starts_with("Listing instances (4 of 4): ")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_is_forbidden_or_is_cut_off_keeps_what_it_covers() {
    for fault in [
        Fault::forbidden(),
        Fault::not_found(),
        Fault::not_allowed(),
        Fault::status(500),
        Fault::cut().mid_list(),
        Fault::malformed(),
        Fault::status(503).mid_list(),
    ] {
        let bench = Bench::new().await;
        bench.sync().await;
        bench.server.remove("even/v1/Pod/pod-0").remove("odd/apps/v1/Deployment/web-1");
        bench.server.fault("pods", fault.clone());
        let ran = bench.sync().await;
        assert_eq!(ran.summary.deleted, 1, "{fault:?}");
        assert_eq!(ran.summary.skipped.len(), 1, "{fault:?}");
        assert_eq!(ran.summary.skipped[0].type_name, "pods");
        let left = ids(&bench.store).await;
        assert!(left.contains(&"even/v1/Pod/pod-0".to_owned()), "{fault:?}");
        assert!(!left.contains(&"odd/apps/v1/Deployment/web-1".to_owned()), "{fault:?}");
        bench.server.clear_faults();
        assert_eq!(bench.sync().await.summary.deleted, 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forbidden_is_no_failure_and_unavailable_is_one_in_part() {
    let bench = Bench::new().await;
    bench.server.fault("pods", Fault::forbidden());
    let ran = bench.sync().await;
    assert!(!ran.summary.is_partial() && ran.summary.skipped.len() == 1);
    bench.server.clear_faults();
    bench.server.fault("pods", Fault::status(500));
    assert!(bench.sync().await.summary.is_partial());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_mid_list_begins_again_and_deletes_rightly() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.remove("even/v1/Pod/pod-0");
    bench.server.fault("pods", Fault::expired().times(1));
    let ran = bench.sync().await;
    assert_eq!((ran.summary.discovered, ran.summary.stored, ran.summary.deleted), (33, 0, 1));
    assert!(ran.summary.skipped.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_end_the_run_and_nothing_is_deleted() {
    let bench = Bench::new().await;
    bench.sync().await;
    let before = state(&bench.store).await;
    bench.server.remove("even/v1/Pod/pod-0");
    bench.server.fault("*", Fault::unauthorized());
    assert!(matches!(bench.try_sync(Options::default()).await, Err(SyncError::Cluster(_))));
    bench.server.clear_faults();
    bench.server.fault("pods", Fault::unauthorized());
    let message = bench.try_sync(Options::default()).await.err().unwrap().to_string();
    assert!(message.contains("401"), "{message}");
    assert_eq!(before, state(&bench.store).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listable_is_an_error() {
    let bench = Bench::new().await;
    bench.server.deny_by_default();
    let message = bench.try_sync(Options::default()).await.err().unwrap().to_string();
    assert!(message.contains("no resource type could be listed (4 tried: "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_vanished_loses_its_documents_only_when_its_group_was_read_whole() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.stale("orders.example", "v1", false);
    let ran = bench.sync().await;
    assert_eq!(ran.summary.deleted, 0, "a stale group says nothing");
    assert!(ran.lines.iter().any(|l| l.starts_with("Warning: ") && l.contains("orders.example")), "{:?}", ran.lines);
    assert!(
        bench.store.view_all("a test").await.unwrap().types().await.unwrap().iter().any(|(_, t)| t.kind == "Order")
    );

    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.remove_type("orders.example/orders").remove_type("orders.orders.example");
    let ran = bench.sync().await;
    assert_eq!(ran.summary.deleted, 10);
    assert!(
        bench.store.view_all("a test").await.unwrap().types().await.unwrap().iter().all(|(_, t)| t.kind != "Order")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_preferred_version_replaces_and_deletes_nothing() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.remove_type("orders.orders.example");
    bench.server.add_type(ty("orders.example", "v2", "Order", "orders"));
    for n in 0..10 {
        let namespace = if n % 2 == 0 { "even" } else { "odd" };
        bench.server.put(object("orders.example/v2", "Order", namespace, &format!("order-{n}")));
    }
    let ran = bench.sync().await;
    assert_eq!((ran.summary.stored, ran.summary.deleted), (10, 0));
    let orders: Vec<String> = ids(&bench.store).await.into_iter().filter(|id| id.contains("/Order/")).collect();
    assert_eq!(orders.len(), 10);
    assert!(orders.iter().all(|id| id.contains("orders.example/v2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn excluded_types_and_other_namespaces_keep_their_documents() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.remove("even/v1/Pod/pod-0").remove("odd/v1/Pod/pod-1");
    let mut options = Options::default();
    options.filter.exclude = vec!["pods".parse().unwrap()];
    assert_eq!(bench.try_sync(options).await.unwrap().summary.deleted, 0);
    let odd = Options { scope: ListScope::Namespaces(vec!["odd".into()]), ..Options::default() };
    assert_eq!(bench.try_sync(odd).await.unwrap().summary.deleted, 1);
    assert!(ids(&bench.store).await.contains(&"even/v1/Pod/pod-0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_or_folder_is_refused_and_changes_nothing() {
    let bench = Bench::new().await;
    bench.sync().await;
    let before = state(&bench.store).await;
    let other = server().await;
    other.put(object("v1", "Pod", "x", "stranger"));
    let mut kube_system = ResourceInstance::new("v1", "Namespace", None, "kube-system").unwrap();
    kube_system.uid = "the-uid-of-another-cluster".into();
    other.put(kube_system);
    let source = || async { live(other.kubeconfig(), None, 100).await };
    let refused = run(source().await, &bench.store, &bench.embedder, Options::default()).await;
    assert!(matches!(refused, Err(SyncError::Source(_))));

    let manifests = bench.folder.path().join("manifests");
    std::fs::create_dir(&manifests).unwrap();
    std::fs::write(manifests.join("a.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n").unwrap();
    let folder = Arc::new(FolderSource::open(&manifests).unwrap());
    let refused = run(folder, &bench.store, &bench.embedder, Options::default()).await.err().unwrap();
    assert!(matches!(refused, SyncError::Source(_)), "{refused}");
    assert_eq!(before, state(&bench.store).await);

    let named = Options { cluster: Some("east".into()), ..Options::default() };
    run(source().await, &bench.store, &bench.embedder, named).await.unwrap();
    assert_eq!(state(&bench.store).await.len(), before.len() + 36, "both are there");

    // A cluster that is there under another name is not there a second time, whatever it is to replace.
    let before = state(&bench.store).await;
    let replace = || Options { replace_source: true, ..Options::default() };
    let refused = run(source().await, &bench.store, &bench.embedder, replace()).await.err().unwrap();
    let by_name = matches!(&refused, SyncError::Store(StoreError::UnderAnotherName { known, .. }) if known == "east");
    assert!(by_name && refused.is_lasting(), "{refused}");
    assert_eq!(before, state(&bench.store).await);

    let third = server().await;
    third.put(object("v1", "Pod", "x", "stranger"));
    let third = live(third.kubeconfig(), None, 100).await;
    let ran = run(third, &bench.store, &bench.embedder, replace()).await.unwrap();
    assert!(ran.summary.discovered == 36);
    assert!(bench.sync_refused().await, "the first cluster is the stranger now");
}

impl Bench {
    async fn sync_refused(&self) -> bool {
        matches!(self.try_sync(Options::default()).await, Err(SyncError::Source(_)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_says_what_would_happen() {
    let bench = Bench::new().await;
    let dry = || Options { dry_run: true, ..Options::default() };
    let ran = bench.try_sync(dry()).await.unwrap();
    assert_eq!((ran.summary.stored, bench.embedder.take()), (34, 0));
    assert!(bench.store.view_all("a test").await.unwrap().collection(Collection::Instances).await.unwrap().is_none());
    assert!(
        bench.store.view_all("a test").await.unwrap().last_runs().await.unwrap().is_empty()
            && bench.store.view_all("a test").await.unwrap().sources().await.unwrap().is_empty()
    );
    bench.sync().await;
    bench.embedder.take();
    bench.server.remove("even/v1/Pod/pod-0").put(object("v1", "Pod", "even", "new"));
    let ran = bench.try_sync(dry()).await.unwrap();
    assert!(ran.lines.contains(&"would store even/v1/Pod/new".to_owned()), "{:?}", ran.lines);
    assert!(ran.lines.contains(&"would delete even/v1/Pod/pod-0".to_owned()), "{:?}", ran.lines);
    assert_eq!((bench.embedder.take(), ids(&bench.store).await.len()), (0, 34));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_did_not_change_keeps_its_vector() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.embedder.take();
    // Made again under the same name: another uid, the same text.
    bench.server.remove("even/v1/Pod/pod-0").put(object("v1", "Pod", "even", "pod-0"));
    let mut again = object("v1", "Pod", "even", "pod-0");
    again.uid = "another".into();
    bench.server.put(again);
    let ran = bench.sync().await;
    assert_eq!((ran.summary.stored, ran.summary.deleted, bench.embedder.take()), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn types_are_documents_too_and_go_when_they_vanish() {
    let bench = Bench::new().await;
    bench.sync().await;
    assert_eq!(bench.capabilities().await, 4);
    let probe = Probe { terms: vec!["order".into()], containing: 5, filter: Filter::default(), ..Probe::default() };
    let found = bench.store.view_all("a test").await.unwrap().probe(Collection::Capabilities, probe).await.unwrap();
    assert_eq!(found.documents[0].id, "orders.orders.example");
    bench.server.remove_type("orders.orders.example");
    bench.sync().await;
    assert_eq!(bench.capabilities().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_syncs_at_once_are_refused_and_a_search_beside_a_sync_is_not() {
    let bench = Bench::new().await;
    bench.sync().await;
    let held = bench.store.lock("", &Holder::new(RunKind::Capabilities, String::new())).await.unwrap();
    let message = bench.try_sync(Options::default()).await.err().unwrap().to_string();
    assert!(message.contains("another run"), "{message}");
    drop(held);
    bench.server.generate("pods", 3_000, |n| object("v1", "Pod", "many", &format!("many-{n}")));
    let path = bench.store.path().to_owned();
    let searching = tokio::spawn(async move {
        let mut searches = 0;
        let mut largest = 0;
        while largest < 3_034 && searches < 20_000 {
            let reader = Sqlite::open_existing(&path).unwrap();
            let probe = Probe { vector: vec![1.0, 0.0, 0.0, 0.0], nearest: 5, ..Probe::default() };
            let found = reader.view_all("a test").await.unwrap().probe(Collection::Instances, probe).await.unwrap();
            assert!(found.documents.len() == 5);
            largest = largest.max(found.total);
            searches += 1;
        }
        largest
    });
    assert_eq!(bench.sync().await.summary.stored, 3_000);
    assert_eq!(searching.await.unwrap(), 3_034);
}
