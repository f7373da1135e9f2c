//! Answers of an old index, and of another cluster than the one in use.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::PathBuf;

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::fake::FakeApiServer;
use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::ChromaServer;
use common::Home;
use fancy_regex::Regex;

/// The same index, as if its sources had been read at the time.
fn aged(home: &Home, at: &str, store: &[&str]) {
    home.run(&["export", "now.jsonl"]).ok();
    let lines = std::fs::read_to_string(home.path("now.jsonl")).unwrap();
    assert!(lines.contains("\"at\":\""), "no reading in {}", lines.lines().nth(1).unwrap_or_default());
    let old = Regex::new(r#""at":"[^"]+""#).unwrap().replace_all(&lines, format!("\"at\":\"{at}\"")).into_owned();
    home.write("old.jsonl", &old);
    home.run(&[&["import", "old.jsonl"], store].concat()).ok();
}

const LONG_AGO: &str = "2020-01-31T12:00:00Z";
const OLD: [&str; 2] = ["--store", "sqlite:old.db"];

/// Days since then are another number every day.
fn steady(text: &str) -> String {
    Regex::new(r"\d{4,} days ago").unwrap().replace_all(text, "DAYS days ago").into_owned()
}

fn folder(home: &Home) {
    home.write("m m/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: checkout, namespace: shop}\n");
}

#[test]
fn an_answer_of_an_old_index_says_so_and_how_to_renew_it() {
    let home = Home::new();
    folder(&home);
    let sync = ["sync-instances", "--from", "m m", "--exclude", "secrets", "--annotations", "example.org/*"];
    home.run(&sync).ok();
    for question in [&["search", "checkout"][..], &["count", "--kind", "svc"], &["search", "checkout", "-o", "json"]] {
        let ran = home.run(question).ok();
        assert!(!ran.err.contains("old") && !ran.out.contains("old"), "it is new: {ran:?}");
    }
    aged(&home, LONG_AGO, &OLD);
    let asks = [
        &["search", "checkout"][..],
        &["count", "--kind", "svc"],
        &["count", "--kind", "svc", "-o", "json"],
        &["search", "nothing of the kind"],
        &["search", "checkout", "--max-age", "36h"],
        &["count", "--max-age", "1h", "--kind", "svc"],
    ];
    for (n, question) in asks.into_iter().enumerate() {
        insta::assert_snapshot!(format!("old_{n}"), steady(&home.shows(&[question, &OLD].concat())));
    }
    let json = home.run(&[&["search", "checkout", "-o", "json"], &OLD[..]].concat()).ok().out;
    let reply: serde_json::Value = serde_json::from_str(&json).unwrap();
    let note = reply["notes"].as_array().unwrap().iter().find(|note| note["type"] == "old").unwrap();
    let remedy = note["remedy"].as_str().unwrap();
    assert!(
        note["text"].as_str().unwrap().contains(LONG_AGO) && !note["text"].as_str().unwrap().contains("--"),
        "{note}"
    );
    // It does what it says, word for word.
    let path = home.path("bin/clusterlore");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_clusterlore"), &path).unwrap();
    let mut shell = std::process::Command::new("sh");
    let said = common::Ran::of(
        shell
            .args(["-c", remedy])
            .env("PATH", format!("{}:{}", path.parent().unwrap().display(), std::env::var("PATH").unwrap()))
            .env("XDG_DATA_HOME", home.path("data"))
            .current_dir(home.folder.path())
            .output()
            .unwrap(),
    )
    .ok();
    assert_eq!(said.counts(), [1, 0, 0, 1], "{remedy}: {}", said.err);
    let again = home.run(&[&["search", "checkout"], &OLD[..]].concat()).ok();
    assert!(!again.err.contains("old"), "{}", again.err);
    home.run(&[&["search", "checkout", "--max-age", "1h"], &OLD[..]].concat()).ok();
}

#[test]
fn a_batch_is_told_once_and_a_setting_bounds_the_age() {
    let home = Home::new();
    folder(&home);
    home.run(&["sync-instances", "--from", "m m"]).ok();
    aged(&home, LONG_AGO, &OLD);
    home.write("q.jsonl", "{\"id\": 1, \"q\": \"checkout\"}\n{\"id\": 2, \"q\": \"services\"}\n");
    let ran = home.run(&[&["search", "--batch", "q.jsonl"], &OLD[..]].concat()).ok();
    assert_eq!((ran.out.lines().count(), ran.err.matches("may be old").count()), (2, 1), "{}", ran.err);
    home.write("c.toml", "max-age = \"1h\"\n");
    let refused = home.run(&[&["similar", "svc/checkout", "--config", "c.toml"], &OLD[..]].concat());
    assert!(refused.error().starts_with("error: max-age in c.toml: the folder "), "{}", refused.err);
    home.write("c.toml", "max-age = \"soon\"\n");
    assert_eq!(home.run(&[&["count", "--config", "c.toml"], &OLD[..]].concat()).status, 2);
    // A run over a part leaves the rest as old as it was.
    home.run(&[&["sync-instances", "--from", "m m", "-n", "shop"], &OLD[..]].concat()).ok();
    assert!(home.run(&[&["search", "checkout"], &OLD[..]].concat()).ok().err.contains("may be old"));
    // Each collection has its own age.
    home.run(&[&["sync", "--from", "m m"], &OLD[..]].concat()).ok();
    let types = home.run(&[&["search", "a service", "--collection", "capabilities"], &OLD[..]].concat()).ok();
    assert!(!types.err.contains("may be old"), "{}", types.err);
}

#[test]
fn every_store_remembers_when_its_sources_were_read() {
    let home = Home::new();
    folder(&home);
    home.run(&["sync-instances", "--from", "m m"]).ok();
    let (chroma, postgres) = (ChromaServer::start_or_skip(), PostgresServer::start_or_skip());
    let mut stores = Vec::new();
    stores.extend(chroma.as_ref().map(|s| ["--chroma-url".to_owned(), s.url()]));
    stores.extend(postgres.as_ref().map(|s| ["--postgres-url".to_owned(), s.url("postgres")]));
    for store in &stores {
        let store: Vec<&str> = store.iter().map(String::as_str).collect();
        aged(&home, LONG_AGO, &store);
        let ran = home.run(&[&["search", "checkout"], &store[..]].concat()).ok();
        assert!(ran.err.contains(LONG_AGO) && ran.err.contains(store[0]), "{}", ran.err);
        home.run(&[&["sync-instances", "--from", "m m"], &store[..]].concat()).ok();
        home.run(&[&["count", "--kind", "svc", "--max-age", "1h"], &store[..]].concat()).ok();
        // What comes later and is older changes nothing.
        home.run(&[&["import", "old.jsonl"], &store[..]].concat()).ok();
        home.run(&[&["count", "--kind", "svc", "--max-age", "1h"], &store[..]].concat()).ok();
    }
}

/// A kubeconfig with a context for each server; the first is the current one.
fn contexts(home: &Home, name: &str, of: &[(&str, &FakeApiServer)]) -> PathBuf {
    let each = |text: &dyn Fn(&str, &str) -> String| -> String { of.iter().map(|(n, s)| text(n, &s.url())).collect() };
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters:\n{}contexts:\n{}users:\n- {{name: me, user: {{token: t}}}}\n",
        of[0].0,
        each(&|name, url| format!("- {{name: {name}, cluster: {{server: '{url}'}}}}\n")),
        each(&|name, _| format!("- {{name: {name}, context: {{cluster: {name}, user: me, namespace: default}}}}\n")),
    );
    home.write(name, &text)
}

fn serving() -> impl Fn(&FakeApiServer) {
    |server| {
        let services = ResourceType {
            version: "v1".into(),
            kind: "Service".into(),
            plural: "services".into(),
            namespaced: true,
            ..ResourceType::default()
        };
        server.add_type(services);
        server.put(ResourceInstance::new("v1", "Service", Some("shop"), "checkout").unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_context_than_the_one_in_use_says_so() {
    let (home, east, west) = (Home::new(), FakeApiServer::start().await, FakeApiServer::start().await);
    [&east, &west].into_iter().for_each(serving());
    let in_east = contexts(&home, "east.yaml", &[("east", &east), ("west", &west)]);
    let in_west = contexts(&home, "west.yaml", &[("west", &west), ("east", &east)]);
    let (in_east, in_west) = (in_east.to_str().unwrap(), in_west.to_str().unwrap());
    home.run(&["sync-instances", "--kubeconfig", in_east]).ok();

    let ask = ["search", "checkout", "--kubeconfig"];
    let same = home.run(&[&ask[..], &[in_east]].concat()).ok();
    assert_eq!(same.err, "");
    insta::assert_snapshot!(home.shows(&[&ask[..], &[in_west]].concat()));
    let json = home.run(&[&ask[..], &[in_west, "-o", "json"]].concat()).ok().out;
    let reply: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(reply["notes"].as_array().unwrap().iter().any(|note| note["type"] == "otherCluster"), "{reply}");
    let named = home.run(&[&ask[..], &[in_west, "--context", "east"]].concat()).ok();
    assert_eq!(named.err, "", "whoever names the context means it");
    // The kubeconfig is not asked for, nor is anybody else, where there is none or nothing to compare.
    assert_eq!(home.run(&["search", "checkout"]).ok().err, "");
    assert_eq!(home.run(&["search", "checkout", "--kubeconfig", "none.yaml"]).ok().err, "");

    // An old index of another context names that context in what renews it.
    aged(&home, LONG_AGO, &OLD);
    let old = home.run(&[&ask[..], &[in_west], &OLD[..]].concat()).ok().err;
    assert!(old.contains("clusterlore sync-instances --context east --store sqlite:old.db --kubeconfig "), "{old}");

    // Both in one index: the one in use is there.
    home.run(&["sync-instances", "--kubeconfig", in_west, "--cluster-name", "west"]).ok();
    assert_eq!(home.run(&[&ask[..], &[in_west]].concat()).ok().err, "");
    let requests = west.requests().len();
    home.run(&[&ask[..], &[in_west]].concat()).ok();
    assert_eq!(west.requests().len(), requests, "a question asks no cluster");
}
