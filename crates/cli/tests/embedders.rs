//! Indexes whose vectors a service makes: which embedder is used, what is sent, and what a service that fails leaves behind.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::embeddings::{Asked, FakeEmbeddings};
use common::{EXAMPLES, Home};

fn texts(asked: &[Asked]) -> usize {
    asked.iter().map(|a| a.body["input"].as_array().unwrap().len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedder_that_filled_the_index_is_used_until_another_is_asked_for() {
    let (home, server) = (Home::new(), FakeEmbeddings::start().await);
    let name = format!("openai:test@{}", server.url());
    let sync = ["sync-instances", "--from", EXAMPLES];
    home.run(&[&sync[..], &["--embedder", &name]].concat()).ok();
    assert!(texts(&server.asked()) > 100);
    home.run(&[&sync[..], &["--embedder", &name]].concat()).ok();
    home.run(&sync).ok();
    assert_eq!(server.asked().len(), 0, "nothing changed");

    home.run(&["search", "relational database", "-o", "id"]).ok();
    let asked = server.asked();
    assert_eq!((asked.len(), &asked[0].body["model"]), (1, &"test".into()));

    for other in ["builtin", "voyage", "openai:other@http://127.0.0.1:9/v1"] {
        for args in [&sync[..], &["search", "database"]] {
            home.run(&[args, &["--embedder", other]].concat()).error();
        }
    }
    home.run(&[&sync[..], &["--embedder", "builtin", "--reindex"]].concat()).ok();
    home.run(&["search", "relational database"]).ok();
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn without_a_key_nothing_is_written() {
    let home = Home::new();
    home.run(&["sync-instances", "--from", EXAMPLES, "--embedder", "voyage"]).error();
    assert!(!home.store().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_dies_ends_the_run_and_the_next_embeds_the_rest() {
    const OBJECTS: usize = 2_500;
    let (home, server) = (Home::new(), FakeEmbeddings::start().await);
    let object = |i| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: shop-{i}, namespace: web}}\n---\n");
    let file = home.write("manifests/all.yaml", &(0..OBJECTS).map(object).collect::<String>());
    let folder = file.parent().unwrap().to_str().unwrap().to_owned();
    let name = format!("openai:test@{}", server.url());
    let sync = ["sync-instances", "--from", &folder, "--embedder", &name];
    // One request learns the dimensions, eight make the first thousand, three of the next are answered.
    server.script(|n, _| (n >= 12).then(|| (400, None, "going down".to_owned())));
    home.run(&sync).error();
    server.script(|_, _| None);
    home.run(&sync).ok();
    let instances = server.asked().iter().flat_map(|a| a.body["input"].as_array().unwrap().clone()).collect::<Vec<_>>();
    let again = instances.iter().filter(|t| t.as_str().unwrap().starts_with("Service shop-")).count();
    assert_eq!(again, OBJECTS - 1_000 - 3 * 128, "what was answered is not paid for twice");
    assert!(
        std::fs::read_dir(home.path("data/clusterlore/embedded")).unwrap().next().is_none(),
        "nothing is left over"
    );
}
