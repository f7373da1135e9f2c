//! Capability runs: fake server with faults, folder, scripted model, and a real API server.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::{ClusterSource, FolderSource};
use clusterlore_core::{Capability, Collection, ObjectKey, ResourceType};
use clusterlore_models::{
    Completion, Embedder, LanguageModel, Limits, Metered, ModelError, Price, Prompt, RemoteError, Tokens,
};
use clusterlore_pipeline::{CapabilityOptions, CapabilitySync, Inference, Options, SkippedType, SyncError};
use clusterlore_store::{RunKind, Runs, Sqlite, Store, Writer};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use clusterlore_testkit::real::ApiServer;
use common::{Counting, Ran, live, run};

fn ty(group: &str, kind: &str, plural: &str, description: &str) -> ResourceType {
    ResourceType {
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        description: description.into(),
        ..ResourceType::default()
    }
}

/// Namespaces (the server's own), pods, deployments, orders and their backups, and a type that cannot be got.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(ty("", "Pod", "pods", "Pod runs containers."));
    server.add_type(ty("apps", "Deployment", "deployments", "Deployment rolls out."));
    server.add_type(ty("orders.example", "Order", "orders", "An order of a customer."));
    server.add_type(ty("orders.example", "OrderBackup", "orderbackups", "Saves orders to a bucket."));
    let review =
        ResourceType { verbs: vec!["create".into()], ..ty("orders.example", "OrderReview", "orderreviews", "") };
    server.add_type(review);
    server
}

async fn sync(
    source: Arc<dyn ClusterSource>,
    store: &Sqlite,
    embedder: &Arc<Counting>,
    inference: Inference,
    options: CapabilityOptions,
) -> Result<Ran, SyncError> {
    let lines = Mutex::new(Vec::new());
    let embedder = Arc::clone(embedder) as Arc<dyn Embedder>;
    let sync = CapabilitySync { source, store: Some(Arc::new(store.clone())), embedder, inference, options };
    let outcome = sync.run(&|p| lines.lock().unwrap().push(p.to_string())).await?;
    Ok(Ran { summary: outcome.summary, lines: lines.into_inner().unwrap() })
}

/// What the collection holds: by id, the capability, or nothing where a type's own document stands.
async fn held(store: &Sqlite) -> BTreeMap<String, Option<Capability>> {
    let mut ids: Vec<(ObjectKey, String)> = Vec::new();
    for cluster in ["", "east"] {
        store
            .view_all("a test")
            .await
            .unwrap()
            .scan(Collection::Capabilities, cluster, &mut |s| ids.push((s.key, s.id.to_owned())))
            .await
            .unwrap();
    }
    let keys: Vec<ObjectKey> = ids.iter().map(|(key, _)| *key).collect();
    let records = store.view_all("a test").await.unwrap().records(Collection::Capabilities, &keys).await.unwrap();
    ids.into_iter().map(|(key, id)| (id, Capability::from_record(&records[&key]))).collect()
}

struct Bench {
    folder: tempfile::TempDir,
    server: FakeApiServer,
    store: Sqlite,
    embedder: Arc<Counting>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
        Self { folder, server: server().await, store, embedder: Arc::default() }
    }

    async fn source(&self) -> Arc<dyn ClusterSource> {
        live(self.server.kubeconfig(), None, 500).await
    }

    async fn try_sync(&self, options: CapabilityOptions) -> Result<Ran, SyncError> {
        sync(self.source().await, &self.store, &self.embedder, Inference::builtin(), options).await
    }

    async fn sync(&self) -> Ran {
        self.try_sync(CapabilityOptions::default()).await.unwrap()
    }

    async fn sync_instances(&self) -> Ran {
        run(self.source().await, &self.store, &self.embedder, Options::default()).await.unwrap()
    }

    /// Documents of the openapi that were read since the last call.
    fn schemas_read(&self) -> usize {
        let read = self.server.requests().iter().filter(|r| r.path.starts_with("/openapi/v3/")).count();
        self.server.forget_requests();
        read
    }
}

fn numbers(ran: &Ran) -> [usize; 4] {
    let s = &ran.summary;
    [s.discovered, s.stored, s.unchanged, s.deleted]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_reads_no_schema_embeds_nothing_and_writes_nothing() {
    let bench = Bench::new().await;
    let first = bench.sync().await;
    assert_eq!(numbers(&first), [5, 5, 0, 0]);
    assert_eq!((bench.schemas_read(), bench.embedder.take()), (3, 5));
    let before = held(&bench.store).await;
    let order = before["orders.orders.example"].clone().unwrap();
    assert_eq!(
        (order.spec_description.as_str(), order.description.as_str()),
        ("An order of a customer.", "An order of a customer.")
    );
    assert!(before["orderbackups.orders.example"].clone().unwrap().capabilities.contains(&"backup".to_owned()));
    let fields = bench.store.schemas("").await.unwrap()["orders.orders.example"].1.fields.clone();
    assert_eq!((fields[0].path.as_str(), fields[0].description.as_str()), ("size", "How large the Order is."));

    let second = bench.sync().await;
    assert_eq!(numbers(&second), [5, 0, 5, 0]);
    assert_eq!((bench.schemas_read(), bench.embedder.take()), (0, 0));
    assert_eq!(held(&bench.store).await, before);
    assert!(second.lines.contains(&"Schemas complete: 0 read, 5 unchanged.".to_owned()), "{:#?}", second.lines);

    // One group changes: only its document is read, and only what differs is written.
    bench.server.remove_type("orders.orders.example");
    bench.server.add_type(ty("orders.example", "Order", "orders", "An order, and who brings it."));
    let third = bench.sync().await;
    assert_eq!(numbers(&third), [5, 1, 4, 0]);
    assert_eq!((bench.schemas_read(), bench.embedder.take()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_lines_come_in_their_order() {
    let lines = Bench::new().await.sync().await.lines;
    assert_eq!(
        lines.into_iter().filter(|l| !l.ends_with(" stored")).collect::<Vec<_>>(),
        [
            "Discovering API resources...",
            "Found 6 API resources.",
            "After filtering: 5 resource types (removed 1).",
            "Reading schemas of 5 resource types...",
            "Schemas complete: 5 read, 0 unchanged.",
            "Inferring capability (1 of 5): deployments.apps",
            "Inferring capability (2 of 5): namespaces",
            "Inferring capability (3 of 5): orderbackups.orders.example",
            "Inferring capability (4 of 5): orders.orders.example",
            "Inferring capability (5 of 5): pods",
            "Inference complete: 5 capabilities.",
            "Storing 5 capabilities in vector database...",
            "Storage complete: 5 capabilities stored in \"capabilities\" collection.",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn instance_runs_and_capability_runs_do_not_write_over_each_other() {
    let bench = Bench::new().await;
    bench.sync_instances().await;
    assert!(held(&bench.store).await.values().all(Option::is_none), "types are documents from the first sync");
    assert_eq!(numbers(&bench.sync().await)[1], 5);
    bench.embedder.take();
    let before = (held(&bench.store).await, bench.store.view_all("a test").await.unwrap().types().await.unwrap());
    bench.sync_instances().await;
    let types = bench.store.view_all("a test").await.unwrap().types().await.unwrap();
    assert_eq!((held(&bench.store).await, bench.embedder.take()), (before.0, 0));
    assert_eq!(numbers(&bench.sync().await), [5, 0, 5, 0]);
    assert_eq!(bench.store.view_all("a test").await.unwrap().types().await.unwrap(), types);
    // A type that is gone loses its document whoever notices first.
    bench.server.remove_type("orderbackups.orders.example");
    bench.sync_instances().await;
    assert!(!held(&bench.store).await.contains_key("orderbackups.orders.example"));
    let runs: Vec<RunKind> = bench
        .store
        .view_all("a test")
        .await
        .unwrap()
        .last_runs()
        .await
        .unwrap()
        .into_iter()
        .map(|r| r.command)
        .collect();
    assert_eq!(runs, [RunKind::Instances, RunKind::Capabilities]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_embedder_embeds_capabilities_again_in_either_run() {
    let bench = Bench::new().await;
    bench.sync().await;
    let other = clusterlore_core::EmbedderIdentity { name: "other".into(), dimensions: 4 };
    bench.store.change_embedder(Collection::Capabilities, &other).await.unwrap();
    assert!(matches!(bench.try_sync(CapabilityOptions::default()).await, Err(SyncError::Store(_))));
    bench.embedder.take();
    let options = Options { reindex: true, ..Options::default() };
    run(bench.source().await, &bench.store, &bench.embedder, options).await.unwrap();
    assert!(bench.embedder.take() >= 5);
    assert_eq!(numbers(&bench.sync().await), [5, 0, 5, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vanished_type_loses_its_document_unless_its_group_is_incomplete() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.remove_type("orders.orders.example").remove_type("deployments.apps");
    bench.server.stale("orders.example", "v2", false);
    let ran = bench.sync().await;
    assert_eq!(ran.summary.deleted, 1, "{:?}", ran.lines);
    let left = held(&bench.store).await;
    assert!(left.contains_key("orders.orders.example") && !left.contains_key("deployments.apps"));
    assert!(!bench.store.schemas("").await.unwrap().contains_key("deployments.apps"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_chosen_keeps_its_document() {
    let bench = Bench::new().await;
    bench.sync().await;
    bench.server.remove_type("pods");
    let only = CapabilityOptions { only: vec!["orders.orders.example".into()], ..CapabilityOptions::default() };
    assert_eq!(numbers(&bench.try_sync(only).await.unwrap()), [1, 0, 1, 0]);
    let mut filtered = CapabilityOptions::default();
    filtered.filter.exclude.push("pods".parse().unwrap());
    assert_eq!(numbers(&bench.try_sync(filtered).await.unwrap()), [4, 0, 4, 0]);
    assert!(held(&bench.store).await.contains_key("pods"));
    let unknown = CapabilityOptions { only: vec!["nothing.example".into()], ..CapabilityOptions::default() };
    let refused = bench.try_sync(unknown).await.err().unwrap();
    assert!(matches!(&refused, SyncError::UnknownType(name) if name == "nothing.example"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_cannot_be_read_skips_its_types_and_heals() {
    let bench = Bench::new().await;
    for (target, skipped) in [("/openapi/v3/apis/orders.example", 2), ("/openapi/v3/apis/apps", 1)] {
        bench.server.fault(target, Fault::status(500));
        let ran = bench.sync().await;
        assert_eq!(ran.summary.skipped.len(), skipped, "{:?}", ran.summary);
        assert!(ran.summary.is_partial());
        bench.server.clear_faults();
        assert_eq!(bench.sync().await.summary.skipped, []);
        bench.server.remove_type("deployments.apps");
        bench.server.add_type(ty("apps", "Deployment", "deployments", "Deployment rolls out and back."));
    }
    assert_eq!(held(&bench.store).await.len(), 5);
    for target in ["/api", "*"] {
        bench.server.fault(target, Fault::status(500));
        let failed = bench.try_sync(CapabilityOptions::default()).await.err().unwrap();
        assert!(failed.to_string().contains("500 as the test wished"), "{failed}");
        assert!(matches!(failed, SyncError::Cluster(_) | SyncError::Source(_)), "{failed}");
        bench.server.clear_faults();
    }
    assert_eq!(held(&bench.store).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_openapi_definitions_speak_and_what_is_known_is_not_forgotten() {
    let bench = Bench::new().await;
    bench.server.fault("/openapi", Fault::not_found());
    let ran = bench.sync().await;
    assert_eq!(numbers(&ran), [5, 5, 0, 0]);
    let order = held(&bench.store).await["orders.orders.example"].clone().unwrap();
    assert_eq!(order.spec_description, "An order of a customer.");
    let pod = held(&bench.store).await["pods"].clone().unwrap();
    assert_eq!(pod.spec_description, "");
    assert_eq!(numbers(&bench.sync().await), [5, 0, 5, 0]);
    bench.server.clear_faults();
    assert_eq!(bench.sync().await.summary.skipped, []);
    let pod = held(&bench.store).await["pods"].clone().unwrap();
    assert_eq!(pod.spec_description, "Pod runs containers.");
    bench.server.fault("/openapi", Fault::forbidden());
    let ran = bench.sync().await;
    assert!(ran.lines.contains(&"Schemas complete: 2 read, 0 unchanged.".to_owned()), "definitions: {:?}", ran.lines);
    assert_eq!(held(&bench.store).await["pods"], Some(pod));
    assert!(ran.lines.iter().any(|l| l.starts_with("Warning: ") && l.contains("OpenAPI")), "{:?}", ran.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_that_are_all_refused_are_warned_about() {
    let bench = Bench::new().await;
    for target in ["/openapi/v3/", "/apis/apiextensions.k8s.io"] {
        bench.server.fault(target, Fault::forbidden());
    }
    let warned = |ran: &Ran| ran.lines.iter().any(|l| l.starts_with("Warning: no schema could be read"));
    let ran = bench.sync().await;
    assert!(warned(&ran), "{:?}", ran.lines);
    bench.server.clear_faults();
    assert!(!warned(&bench.sync().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_names_what_it_would_do() {
    let bench = Bench::new().await;
    let dry = || CapabilityOptions { dry_run: true, ..CapabilityOptions::default() };
    let ran = bench.try_sync(dry()).await.unwrap();
    assert_eq!((numbers(&ran), bench.embedder.take()), ([5, 5, 0, 0], 0));
    assert!(ran.lines.contains(&"would store orders.orders.example".to_owned()), "{:#?}", ran.lines);
    assert_eq!(bench.store.view_all("a test").await.unwrap().collection(Collection::Capabilities).await.unwrap(), None);
    bench.sync().await;
    bench.server.remove_type("pods");
    let ran = bench.try_sync(dry()).await.unwrap();
    assert_eq!(ran.lines.last().map(String::as_str), Some("would delete pods"));
    assert!(held(&bench.store).await.contains_key("pods"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_kept_apart_and_another_source_is_refused() {
    let bench = Bench::new().await;
    bench.sync().await;
    let east = || CapabilityOptions { cluster: Some("east".into()), ..CapabilityOptions::default() };
    let other = server().await;
    let source = live(other.kubeconfig(), None, 500).await;
    let ran = sync(source, &bench.store, &bench.embedder, Inference::builtin(), east()).await.unwrap();
    assert_eq!(numbers(&ran), [5, 5, 0, 0]);
    assert!(held(&bench.store).await.contains_key("east:pods"));

    let manifests = bench.folder.path().join("manifests");
    std::fs::create_dir(&manifests).unwrap();
    std::fs::write(manifests.join("a.yaml"), DEFINITION).unwrap();
    let folder = || Arc::new(FolderSource::open(&manifests).unwrap()) as Arc<dyn ClusterSource>;
    let refused =
        sync(folder(), &bench.store, &bench.embedder, Inference::builtin(), CapabilityOptions::default()).await;
    assert!(matches!(refused, Err(SyncError::Source(_))));
    let replace = CapabilityOptions { replace_source: true, ..CapabilityOptions::default() };
    sync(folder(), &bench.store, &bench.embedder, Inference::builtin(), replace).await.unwrap();
    let left = held(&bench.store).await;
    assert!(!left.contains_key("orders.orders.example") && left.contains_key("tides.sea.example"));
    assert!(left.contains_key("east:orders.orders.example"));
}

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tides.sea.example}\n\
    spec:\n  group: sea.example\n  scope: Namespaced\n  names: {kind: Tide, plural: tides, singular: tide, shortNames: [td]}\n  versions:\n  \
    - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        description: Foretells high water at a pier.\n        \
    properties:\n          spec:\n            type: object\n            properties:\n              pier: {type: string, description: Which pier.}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_speaks_through_its_definitions() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), DEFINITION).unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let embedder = Arc::default();
    let source = || Arc::new(FolderSource::open(folder.path()).unwrap()) as Arc<dyn ClusterSource>;
    let run = || sync(source(), &store, &embedder, Inference::builtin(), CapabilityOptions::default());
    let first = run().await.unwrap();
    assert!(first.summary.stored > 40, "built-in types are known without a schema");
    let tide = held(&store).await["tides.sea.example"].clone().unwrap();
    assert_eq!(tide.description, "Foretells high water at a pier.");
    assert_eq!(store.schemas("").await.unwrap()["tides.sea.example"].1.fields[0].path, "pier");
    let second = run().await.unwrap();
    assert_eq!((second.summary.stored, second.summary.deleted), (0, 0));
    assert!(second.lines.contains(&"Schemas complete: 0 read, 1 unchanged.".to_owned()));
}

const ANSWER: &str = r#"{"capabilities": ["ordering"], "providers": [], "complexity": "low", "description": "What a customer wants.",
    "useCase": "Sell something.", "confidence": 0.8}"#;

/// Instead of an answer: none, however long one waits.
const NEVER: &str = "never";

/// Answers, or fails, by the kind it is asked about; remembers the kinds.
struct Answering<F> {
    answer: F,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl<F: Fn(&str, usize) -> Result<String, ModelError> + Send + Sync> LanguageModel for Answering<F> {
    fn name(&self) -> &str {
        "answering"
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        let kind = prompt.user.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap().to_owned();
        let time = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(kind.clone());
            asked.iter().filter(|other| **other == kind).count()
        };
        // Answers come in another order than questions.
        tokio::time::sleep(Duration::from_millis(if kind == "Deployment" { 30 } else { 1 })).await;
        let answer = (self.answer)(&kind, time)?;
        if answer == NEVER {
            std::future::pending::<()>().await;
        }
        Ok(Completion { answer: Ok(answer), tokens: Some(Tokens { input: 100, output: 10 }) })
    }

    fn price(&self) -> Option<Price> {
        Some(Price { input: 1.0, output: 10.0 })
    }
}

fn gone() -> ModelError {
    let problem = RemoteError::Unavailable { host: "far".into(), tries: 5, problem: "refused".into() };
    ModelError::Remote { name: "answering".into(), problem }
}

fn of_kind(kind: &str) -> String {
    ANSWER.replace("What a customer wants.", &format!("What a {kind} is."))
}

impl Bench {
    /// A run with a model; with it, the kinds that were asked about.
    async fn ask(
        &self,
        answer: impl Fn(&str, usize) -> Result<String, ModelError> + Send + Sync + 'static,
        limits: Limits,
        options: CapabilityOptions,
    ) -> (Result<Ran, SyncError>, Vec<String>) {
        let model = Arc::new(Answering { answer, asked: Mutex::default() });
        let metered = Arc::new(Metered::new(Arc::clone(&model) as _, limits, None));
        let Inference::Rules(otherwise) = Inference::builtin() else { unreachable!() };
        let inference = Inference::Model { model: metered, otherwise };
        let ran = sync(self.source().await, &self.store, &self.embedder, inference, options).await;
        let asked = model.asked.lock().unwrap().clone();
        (ran, asked)
    }

    /// The descriptions that are held.
    async fn descriptions(&self) -> BTreeMap<String, String> {
        let held = held(&self.store).await.into_iter();
        held.filter_map(|(id, capability)| Some((id, capability?.description))).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_asked_once_for_each_state_of_a_type() {
    let bench = Bench::new().await;
    let options = |dry_run| CapabilityOptions {
        only: vec!["orders.orders.example".into(), "pods".into()],
        dry_run,
        ..CapabilityOptions::default()
    };
    let good = |_: &str, _| Ok(ANSWER.to_owned());
    let (dry, asked) = bench.ask(good, Limits::default(), options(true)).await;
    let dry = dry.unwrap();
    assert_eq!((numbers(&dry), asked.len(), dry.summary.model), ([2, 2, 0, 0], 0, None), "a dry run asks nobody");
    // The first type's answer needs a repair, the second's never comes right.
    let poor = |kind: &str, time| Ok(if kind == "Order" && time == 2 { ANSWER } else { "well," }.to_owned());
    let (first, asked) = bench.ask(poor, Limits::default(), options(false)).await;
    let first = first.unwrap();
    assert_eq!((numbers(&first), asked.len()), ([2, 2, 0, 0], 4));
    let SkippedType { type_name, reason, .. } = &first.summary.skipped[0];
    assert!(type_name == "pods" && reason.ends_with("; described by rules for now"), "{reason}");
    let used = first.summary.model.unwrap();
    assert_eq!((used.calls, used.input_tokens, used.output_tokens, used.cost), (4, 400, 40, Some(0.0008)));
    let order = held(&bench.store).await["orders.orders.example"].clone().unwrap();
    assert_eq!((order.description.as_str(), order.confidence), ("What a customer wants.", 0.8));
    let (second, asked) = bench.ask(good, Limits::default(), options(false)).await;
    assert_eq!((numbers(&second.unwrap()), asked), ([2, 1, 1, 0], vec!["Pod".to_owned()]));
    let (third, asked) = bench.ask(good, Limits::default(), options(false)).await;
    assert_eq!((numbers(&third.unwrap()), asked.len()), ([2, 0, 2, 0], 0));

    bench.server.remove_type("pods");
    bench.server.add_type(ty("", "Pod", "pods", "Pod runs containers together."));
    let before = held(&bench.store).await;
    let (silent, asked) = bench.ask(|_, _| Err(gone()), Limits::default(), options(false)).await;
    assert!(matches!(silent, Err(SyncError::Model(_))) && asked.len() == 1);
    assert_eq!(held(&bench.store).await, before, "a model that never answers changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_stop_a_run_and_the_next_goes_on_without_paying_twice() {
    let bench = Bench::new().await;
    let good = |kind: &str, _| Ok(of_kind(kind));
    let calls = |n| Limits { calls: Some(n), cost: None };
    let (first, asked) = bench.ask(good, calls(2), CapabilityOptions::default()).await;
    let first = first.unwrap();
    assert_eq!((numbers(&first), asked), ([5, 5, 0, 0], vec!["Deployment".to_owned(), "Namespace".to_owned()]));
    assert!(first.summary.is_partial());
    let expected = "Skipped 3 resource types, their documents stay: orderbackups.orders.example, orders.orders.example, pods \
        (not asked: the limit of 2 calls is reached; described by rules for now).";
    assert_eq!(first.summary.skipped_line().as_deref(), Some(expected));
    let after_one = bench.descriptions().await;
    assert_eq!(after_one["deployments.apps"], "What a Deployment is.");
    assert_eq!(after_one["orders.orders.example"], "An order of a customer.", "new ones are described by rules");

    let (second, asked) = bench.ask(good, calls(2), CapabilityOptions::default()).await;
    let second = second.unwrap();
    assert_eq!((numbers(&second), asked), ([4, 2, 2, 0], vec!["OrderBackup".to_owned(), "Order".to_owned()]));
    let reason = &second.summary.skipped[0].reason;
    assert_eq!(reason, "not asked: the limit of 2 calls is reached", "what is described keeps its document");
    assert_eq!(bench.descriptions().await["pods"], after_one["pods"]);

    let (third, asked) = bench.ask(good, calls(2), CapabilityOptions::default()).await;
    assert_eq!((numbers(&third.unwrap()), asked), ([5, 1, 4, 0], vec!["Pod".to_owned()]));
    let (fourth, asked) = bench.ask(good, calls(2), CapabilityOptions::default()).await;
    let fourth = fourth.unwrap();
    assert_eq!((numbers(&fourth), asked.len(), fourth.summary.is_partial()), ([5, 0, 5, 0], 0, false));
    assert!(bench.descriptions().await.values().all(|d| d.starts_with("What a ")));

    let cost = Limits { calls: None, cost: Some(0.001) };
    let other = |kind: &str, _| Ok(ANSWER.replace("customer", kind));
    bench.server.remove_type("pods");
    bench.server.add_type(ty("", "Pod", "pods", "Pod runs containers together."));
    let (ran, asked) = bench.ask(other, cost, CapabilityOptions::default()).await;
    let reason = ran.unwrap().summary.skipped[0].reason.clone();
    assert!(asked.is_empty() && reason.contains("$0.001 does not cover a question"), "{reason}");
    assert_eq!(bench.descriptions().await["pods"], "What a Pod is.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_goes_away_keeps_what_it_answered() {
    let bench = Bench::new().await;
    let leaving = |kind: &str, _| match kind {
        "Deployment" | "Namespace" => Ok(of_kind(kind)),
        _ => Err(gone()),
    };
    let (first, asked) = bench.ask(leaving, Limits::default(), CapabilityOptions::default()).await;
    let first = first.unwrap();
    assert_eq!((numbers(&first), asked.len(), first.summary.skipped.len()), ([5, 5, 0, 0], 5, 3));
    assert!(first.summary.skipped[0].reason.contains("far gave no answer in 5 tries"), "{:?}", first.summary.skipped);
    let (second, mut asked) =
        bench.ask(|kind, _| Ok(of_kind(kind)), Limits::default(), CapabilityOptions::default()).await;
    asked.sort();
    assert_eq!(
        (numbers(&second.unwrap()), asked),
        ([5, 3, 2, 0], ["Order", "OrderBackup", "Pod"].map(String::from).into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_as_they_come_and_not_at_the_end() {
    let bench = Bench::new().await;
    let stuck = |kind: &str, _| Ok(if kind == "Order" { NEVER.to_owned() } else { of_kind(kind) });
    let cut_off = bench.ask(stuck, Limits::default(), CapabilityOptions::default());
    assert!(tokio::time::timeout(Duration::from_secs(2), cut_off).await.is_err());
    assert!(held(&bench.store).await.is_empty());
    let good = |kind: &str, _| Ok(of_kind(kind));
    let (ran, asked) = bench.ask(good, Limits::default(), CapabilityOptions::default()).await;
    assert_eq!((numbers(&ran.unwrap()), asked), ([5, 5, 0, 0], vec!["Order".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_few_failures_the_model_is_left_alone() {
    let bench = Bench::new().await;
    for i in 0..20 {
        bench.server.add_type(ty("many.example", &format!("Thing{i:02}"), &format!("thing{i:02}s"), "A thing."));
    }
    let (failed, asked) = bench.ask(|_, _| Err(gone()), Limits::default(), CapabilityOptions::default()).await;
    assert!(matches!(failed, Err(SyncError::Model(_))));
    assert!((3..=6).contains(&asked.len()), "{asked:?}");
    assert!(held(&bench.store).await.is_empty());

    // A key that is refused after the first answer.
    let refused = |kind: &str, _| match kind {
        "Deployment" => Ok(of_kind(kind)),
        _ => Err(ModelError::Remote {
            name: "answering".into(),
            problem: RemoteError::Key { host: "far".into(), status: 401, variable: "ANTHROPIC_API_KEY" },
        }),
    };
    let (ran, asked) = bench.ask(refused, Limits::default(), CapabilityOptions::default()).await;
    let ran = ran.unwrap();
    assert!((2..=4).contains(&asked.len()), "{asked:?}");
    assert_eq!((ran.summary.skipped.len(), ran.summary.is_partial()), (24, true));
    assert!(
        ran.summary.skipped.last().unwrap().reason.starts_with("not asked: the model answering failed: the key was")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_types_of_a_real_api_server() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply(DEFINITION);
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/tides.sea.example"]);
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let embedder: Arc<Counting> = Arc::default();
    let run = async || {
        let source = live(&server.kubeconfig("admin"), None, 500).await;
        sync(source, &store, &embedder, Inference::builtin(), CapabilityOptions::default()).await.unwrap()
    };
    // Discovery and OpenAPI follow definitions after a moment, and not at once. A schema that was read from the definition
    // meanwhile would be read again from OpenAPI.
    for _ in 0..100 {
        if server.kubectl(&["get", "--raw", "/openapi/v3"]).contains("apis/sea.example/") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut first = run().await;
    for _ in 0..50 {
        let tide = held(&store).await.remove("tides.sea.example").flatten();
        if tide.is_some_and(|t| t.description == "Foretells high water at a pier.") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        first = run().await;
    }
    assert_eq!((first.summary.skipped.len(), first.summary.deleted), (0, 0), "{:?}", first.summary);
    let held = held(&store).await;
    assert!(held.len() > 40, "{}", held.len());
    for (name, told) in &held {
        let told = told.as_ref().unwrap_or_else(|| panic!("{name} has no capability"));
        assert!(!told.description.is_empty() && !told.use_case.is_empty() && told.confidence > 0.0, "{told:?}");
    }
    let deployment = held["deployments.apps"].clone().unwrap();
    assert_eq!(deployment.spec_description, "Deployment enables declarative updates for Pods and ReplicaSets.");
    let schemas = store.schemas("").await.unwrap();
    let paths = |name: &str| schemas[name].1.fields.iter().map(|f| f.path.clone()).collect::<Vec<_>>();
    assert!(paths("deployments.apps").contains(&"replicas".to_owned()), "{:?}", paths("deployments.apps"));
    assert_eq!(paths("tides.sea.example"), ["pier"]);
    println!("{:?}", first.summary.seconds);

    embedder.take();
    let second = run().await;
    assert_eq!((second.summary.stored, second.summary.unchanged, embedder.take()), (0, held.len(), 0));
    let unchanged = format!("Schemas complete: 0 read, {} unchanged.", held.len());
    assert!(second.lines.contains(&unchanged), "{:#?}", second.lines);
    println!("{:?}", second.summary.seconds);
}
