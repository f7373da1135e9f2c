//! What may be deleted: worked out from the documents themselves and from lists that came to their end, whatever other runs did
//! before, and never on the word of one list alone where most would go.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use clusterlore_cluster::{
    ClusterError, ClusterSource, Discovery, EventSink, ListEnd, ListScope, Schemas, SkipReason, Skipped, SourceEvent,
    Warning,
};
use clusterlore_core::{
    Collection, Coverage, Identity, ObjectKey, ResourceInstance, ResourceType, SourceIdentity, TypeFilter,
};
use clusterlore_models::Embedder;
use clusterlore_pipeline::{CapabilityOptions, CapabilitySync, Inference, Options, SyncError};
use clusterlore_store::{Batch, Runs, Sqlite, Store, Writer};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::{Counting, Ran, ids, live, run, state};

fn ty(group: &str, kind: &str, plural: &str) -> ResourceType {
    common::ty(group, "v1", kind, plural)
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> ResourceInstance {
    ResourceInstance::new(api_version, kind, Some(namespace), name).unwrap()
}

struct Place {
    _folder: tempfile::TempDir,
    server: FakeApiServer,
    store: Sqlite,
    embedder: Arc<Counting>,
}

impl Place {
    /// Ten Pods and ten Widgets, half of them in each of two namespaces.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
        let server = FakeApiServer::start().await;
        server.add_type(ty("", "Pod", "pods")).add_type(ty("example.org", "Widget", "widgets"));
        for n in 0..10 {
            let namespace = if n % 2 == 0 { "even" } else { "odd" };
            server.put(object("v1", "Pod", namespace, &format!("pod-{n}")));
            server.put(object("example.org/v1", "Widget", namespace, &format!("widget-{n}")));
        }
        Self { _folder: folder, server, store, embedder: Arc::default() }
    }

    async fn try_sync(&self, options: Options) -> Result<Ran, SyncError> {
        run(live(self.server.kubeconfig(), None, 3).await, &self.store, &self.embedder, options).await
    }

    async fn sync(&self) -> Ran {
        self.try_sync(Options::default()).await.unwrap()
    }

    async fn sync_capabilities(&self) {
        let source = live(self.server.kubeconfig(), None, 3).await;
        let embedder = Arc::clone(&self.embedder) as Arc<dyn Embedder>;
        let (store, inference) = (Some(Arc::new(self.store.clone()) as _), Inference::builtin());
        let options = CapabilityOptions::default();
        CapabilitySync { source, store, embedder, inference, options }.run(&|_| ()).await.unwrap();
    }

    fn remove_widgets(&self) {
        self.server.remove_type("widgets.example.org");
    }

    async fn widgets(&self) -> usize {
        let instances = ids(&self.store).await.into_iter().filter(|id| id.contains("/Widget/")).count();
        let mut types = 0;
        let mut count = |s: clusterlore_store::Scanned<'_>| types += usize::from(s.type_name == "widgets.example.org");
        self.store.view_all("a test").await.unwrap().scan(Collection::Capabilities, "", &mut count).await.unwrap();
        instances + types
    }
}

/// Whatever ran between the end of a type and the next whole run, nothing of the type is left after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_gone_leaves_nothing_whatever_forgot_it_first() {
    let include = |pattern: &str| TypeFilter { include: vec![pattern.parse().unwrap()], ..TypeFilter::default() };
    for between in
        ["nothing", "sync", "-n", "--include", "503", "stale", "types forgotten", "half deleted", "replaced", "twice"]
    {
        let place = Place::new().await;
        place.sync_capabilities().await;
        place.sync().await;
        assert_eq!(place.widgets().await, 11);
        if between == "503" || between == "stale" {
            place.server.stale("example.org", "v1", false);
            place.sync().await;
            place.sync_capabilities().await;
            assert_eq!(place.widgets().await, 11, "a group that cannot be read says nothing");
            place.server.fresh("example.org", "v1");
        }
        place.remove_widgets();
        match between {
            "sync" | "twice" => place.sync_capabilities().await,
            "-n" => {
                let scope = ListScope::Namespaces(vec!["even".into()]);
                place.try_sync(Options { scope, ..Options::default() }).await.unwrap();
            }
            "--include" => {
                place.try_sync(Options { filter: include("pods"), ..Options::default() }).await.unwrap();
            }
            "503" => {
                place.server.fault("pods", Fault::status(503));
                place.sync().await;
                place.server.clear_faults();
            }
            "types forgotten" => place.store.remember_types("", &[]).await.unwrap(),
            "half deleted" => {
                // As a run leaves it that is killed between two batches of deletes.
                let keys: Vec<ObjectKey> = state(&place.store)
                    .await
                    .into_iter()
                    .filter(|(_, (id, _))| id.contains("/Widget/"))
                    .map(|(key, _)| key)
                    .take(4)
                    .collect();
                place.store.apply(Collection::Instances, Batch::deleting("", keys)).await.unwrap();
                place.store.remember_types("", &[ty("", "Pod", "pods")]).await.unwrap();
            }
            "replaced" => {
                // As a run with --replace-source leaves it that is killed at once.
                let other = SourceIdentity::Folder { path: "/elsewhere".into() };
                place.store.remember_source("", &other, true).await.unwrap();
                let options = Options { replace_source: true, ..Options::default() };
                place.try_sync(options).await.unwrap();
            }
            _ => {}
        }
        place.sync().await;
        if between == "twice" {
            place.sync_capabilities().await;
            place.sync().await;
        }
        assert_eq!(place.widgets().await, 0, "{between}");
        assert_eq!(place.sync().await.summary.deleted, 0, "{between}");
        assert_eq!(ids(&place.store).await.iter().filter(|id| id.contains("/Pod/")).count(), 10, "{between}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_a_source_that_nobody_remembers_go_with_replace_source_only() {
    let place = Place::new().await;
    place.sync().await;
    let stranger = clusterlore_core::Document::of_instance(&object("v1", "Pod", "even", "stranger"), "pods");
    let upsert = clusterlore_store::Upsert { document: stranger, vector: Some(vec![1.0; 4]) };
    place.store.apply(Collection::Instances, Batch::writing(0, vec![upsert])).await.unwrap();
    assert_eq!(place.sync().await.summary.deleted, 0);
    let replace = Options { replace_source: true, ..Options::default() };
    assert_eq!(place.try_sync(replace).await.unwrap().summary.deleted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_gone_is_gone_where_namespaces_are_read_one_by_one() {
    let place = Place::new().await;
    place.server.put(ResourceInstance::new("v1", "Namespace", None, "secret").unwrap());
    place.server.grant("*", "namespaces");
    // The kubeconfig's own namespace is "default".
    for namespace in ["default", "even", "odd"] {
        place.server.grant(namespace, "pods").grant(namespace, "widgets.example.org");
    }
    let first = place.sync().await;
    assert_eq!(ids(&place.store).await.iter().filter(|id| id.starts_with("odd/")).count(), 10, "{:?}", first.lines);

    // The namespaces cannot be listed now: nothing is known of any that is not read.
    place.server.remove("_cluster/v1/Namespace/odd");
    (0..10).filter(|n| n % 2 == 1).for_each(|n| {
        place.server.remove(&format!("odd/v1/Pod/pod-{n}")).remove(&format!("odd/example.org/v1/Widget/widget-{n}"));
    });
    place.server.revoke("odd");
    place.server.fault("namespaces", Fault::status(500).paged());
    assert_eq!(place.sync().await.summary.deleted, 0);
    place.server.clear_faults();

    // A whole list of them says that "odd" is no more, and that "secret" is: what is there and may not be read stays.
    let ran = place.sync().await;
    assert_eq!(ran.summary.deleted, 11, "ten objects and their namespace: {:?}", ran.lines);
    let left: BTreeSet<String> = ids(&place.store).await.into_iter().filter(|id| !id.starts_with("_cluster")).collect();
    assert!(left.len() == 10 && left.iter().all(|id| id.starts_with("even/")), "{left:?}");
    assert_eq!(place.sync().await.summary.deleted, 0);
}

/// A source whose first list of a type shows nothing, or whose second fails.
struct Forgetful {
    inner: Arc<dyn ClusterSource>,
    lists: AtomicUsize,
    /// How many lists of pods come empty.
    empty: usize,
    /// Whether the one after the first fails.
    then_fails: bool,
}

#[async_trait]
impl ClusterSource for Forgetful {
    async fn identity(&self) -> Result<Identity, ClusterError> {
        self.inner.identity().await
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        self.inner.discover().await
    }

    async fn list(&self, ty: &ResourceType, scope: &ListScope, events: &EventSink) -> Result<(), ClusterError> {
        if ty.plural != "pods" {
            return self.inner.list(ty, scope, events).await;
        }
        let number = self.lists.fetch_add(1, Ordering::SeqCst);
        if self.then_fails && number == 1 {
            let message = "it fails".to_owned();
            return events.send(SourceEvent::Failed(Skipped { reason: SkipReason::Unavailable, message })).await;
        }
        if number < self.empty {
            return events.send(SourceEvent::Done(ListEnd { coverage: Coverage::All, ..ListEnd::default() })).await;
        }
        self.inner.list(ty, scope, events).await
    }

    async fn describe(&self, types: &mut [ResourceType]) -> Vec<Warning> {
        self.inner.describe(types).await
    }

    async fn schemas(
        &self,
        types: &[ResourceType],
        known: &std::collections::HashMap<String, String>,
    ) -> Result<Schemas, ClusterError> {
        self.inner.schemas(types, known).await
    }

    async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        self.inner.namespaces().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_delete_most_of_the_index_is_listed_twice() {
    for (pods, empty, then_fails, deleted, lists) in [
        (200, 1, false, 0, 2),
        (200, 2, false, 200, 2),
        (200, 1, true, 0, 2),
        // Few, or a small share: once is enough.
        (100, 1, false, 100, 1),
    ] {
        let place = Place::new().await;
        let embedder = &place.embedder;
        place.server.generate("pods", pods - 10, |n| object("v1", "Pod", "many", &format!("many-{n}")));
        place.sync().await;
        let inner = live(place.server.kubeconfig(), None, 100).await;
        let source = Arc::new(Forgetful { inner, lists: AtomicUsize::new(0), empty, then_fails });
        let dry = Options { dry_run: true, ..Options::default() };
        let forgetful = Arc::clone(&source) as Arc<dyn ClusterSource>;
        let would = run(forgetful, &place.store, embedder, dry).await.unwrap().summary.deleted;
        assert_eq!(source.lists.swap(0, Ordering::SeqCst), lists);
        let ran = run(source.clone(), &place.store, embedder, Options::default()).await.unwrap();
        assert_eq!(
            (ran.summary.deleted, would),
            (deleted, deleted),
            "{pods} pods, {empty} empty lists: {:?}",
            ran.lines
        );
        assert_eq!(source.lists.load(Ordering::SeqCst), lists);
        assert_eq!(ran.lines.iter().any(|l| l.contains("a second time")), lists == 2, "{:?}", ran.lines);
        assert_eq!(ran.summary.is_partial(), then_fails);
        let left = ids(&place.store).await.iter().filter(|id| id.contains("/Pod/")).count();
        assert_eq!(left, pods - deleted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_known_by_its_uid_is_recognised_by_it_only() {
    let place = Place::new().await;
    place.sync().await;
    let before = state(&place.store).await;
    place.server.remove("even/v1/Pod/pod-0");
    for (fault, reason) in
        [(Fault::forbidden(), "403"), (Fault::status(500), "500"), (Fault::not_found(), "404"), (Fault::cut(), "cut")]
    {
        place.server.fault("namespaces", fault.clone());
        let refused = place.try_sync(Options::default()).await.err().unwrap().to_string();
        assert!(refused.contains(reason) && refused.contains("kube-system"), "{fault:?}: {refused}");
        assert_eq!(state(&place.store).await, before, "{fault:?}");
        place.server.clear_faults();
    }
    assert_eq!(place.sync().await.summary.deleted, 1);

    // Where no uid was ever seen, address and certificate authority serve; from the first sight of it on the uid does.
    let place = Place::new().await;
    place.server.fault("namespaces", Fault::forbidden());
    place.sync().await;
    place.server.remove("even/v1/Pod/pod-0");
    assert_eq!(place.sync().await.summary.deleted, 1);
    place.server.clear_faults();
    place.sync().await;
    place.server.fault("namespaces", Fault::forbidden());
    assert!(matches!(place.try_sync(Options::default()).await, Err(SyncError::Source(_))));
}
