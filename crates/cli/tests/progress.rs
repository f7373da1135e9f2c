//! What runs tell while they run, on a pipe: every line, in its order.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::embeddings::FakeEmbeddings;
use clusterlore_testkit::fake::FakeApiServer;
use clusterlore_testkit::language::FakeModels;
use common::{EXAMPLES, Home, Ran};

const TIDES: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tides.sea.example}\nspec:\n  \
    group: sea.example\n  scope: Namespaced\n  names: {kind: Tide, plural: tides, singular: tide}\n  versions:\n  \
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, description: Foretells high water.}}}\n\
    ---\napiVersion: sea.example/v1\nkind: Tide\nmetadata: {name: north, namespace: harbour}\n";

#[track_caller]
fn show(home: &Home, cases: &[(&str, &[&str])]) {
    for (name, args) in cases {
        let ran = home.run(args).ok();
        insta::assert_snapshot!(*name, home.transcript(args, &ran));
    }
}

#[test]
fn the_demo() {
    let home = Home::new();
    show(
        &home,
        &[
            ("demo", &["demo"]),
            ("demo-question", &["demo", "who sends the invoices"]),
            ("demo-write", &["demo", "--write", "corrie"]),
        ],
    );
    assert!(!home.store().exists(), "the demo is not the user's index");
    assert_eq!(std::fs::read_dir(home.path("corrie")).unwrap().count(), 10);
}

#[test]
fn runs_over_manifests() {
    let home = Home::new();
    home.write("m/a.yaml", TIDES);
    let old = home.write("m/old.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: pier, namespace: harbour}\n");
    let sync = ["sync", "--from", "m", "--include", "*.sea.example"];
    show(
        &home,
        &[("index-dry-run-of-nothing-indexed", &["index", "--from", "m", "--dry-run", "--include", "services"])],
    );
    assert!(!home.store().exists());
    show(
        &home,
        &[
            ("sync-dry-run", &[&sync[..], &["--dry-run"]].concat()),
            ("sync", &sync),
            ("sync-again", &sync),
            ("sync-instances", &["sync-instances", "--from", "m"]),
            ("sync-instances-again", &["sync-instances", "--from", "m"]),
        ],
    );
    std::fs::remove_file(old).unwrap();
    home.write("m/chart/Chart.yaml", "apiVersion: v2\nname: x\n");
    home.write("m/new.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: quay, namespace: harbour}\n");
    show(
        &home,
        &[
            ("sync-instances-dry-run", &["sync-instances", "--from", "m", "--dry-run"]),
            ("sync-instances-changed", &["sync-instances", "--from", "m"]),
            ("sync-instances-replaced", &["sync-instances", "--from", EXAMPLES, "--replace-source"]),
        ],
    );
}

#[test]
fn index_of_the_examples() {
    show(&Home::new(), &[("index", &["index", "--from", EXAMPLES])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_over_a_cluster() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    home.write("fake.yaml", &std::fs::read_to_string(server.kubeconfig()).unwrap());
    let pods = ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..ResourceType::default()
    };
    server.add_type(pods).put(ResourceInstance::new("v1", "Pod", Some("shop"), "cart").unwrap());
    let live = ["--kubeconfig", "fake.yaml"];
    show(
        &home,
        &[
            ("cluster-sync-instances", &[&["sync-instances", "--concurrency", "1"], &live[..]].concat()),
            ("cluster-sync", &[&["sync"], &live[..]].concat()),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn export_and_import() {
    let (home, server) = (Home::new(), FakeEmbeddings::start().await);
    home.write("m/a.yaml", TIDES);
    home.run(&["sync-instances", "--from", "m"]).ok();
    let embedder = format!("openai:test@{}", server.url());
    show(
        &home,
        &[
            ("export", &["export", "index.jsonl"]),
            ("export-without-vectors", &["export", "bare.jsonl", "--no-vectors"]),
            ("import", &["import", "index.jsonl", "--store", "sqlite:copy.db"]),
            ("import-again", &["import", "index.jsonl", "--store", "sqlite:copy.db"]),
            ("import-without-vectors", &["import", "bare.jsonl", "--store", "sqlite:bare.db"]),
            (
                "import-for-another-embedder",
                &["import", "index.jsonl", "--store", "sqlite:e.db", "--embedder", &embedder],
            ),
        ],
    );
    let embedded = ["sync-instances", "--from", "m", "--store", "sqlite:s.db", "--embedder", &embedder];
    show(&home, &[("sync-instances-with-a-service", &embedded)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_with_a_language_model() {
    let (home, server) = (Home::new(), FakeModels::start().await);
    home.write("m/a.yaml", TIDES);
    let base = server.base();
    for (name, more) in [("model", &[][..]), ("model-again", &[]), ("model-json", &["-o", "json"])] {
        let sync = [&["sync", "--from", "m", "--include", "*.sea.example", "--inference", "llm"], more].concat();
        let mut command = home.command(&sync);
        let ran = command.env("ANTHROPIC_API_KEY", "sk-x").env("ANTHROPIC_BASE_URL", &base).output().unwrap();
        insta::assert_snapshot!(name, home.transcript(&sync, &Ran::of(ran).ok()));
    }
}
