//! What a user is told when something is wrong: one clear message, no panic, nothing lost.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::Home;

const GOOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: web}\n";

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n\
         current-context: here\n"
    )
}

#[test]
fn wrong_usage_is_status_2_and_names_the_flag() {
    let home = Home::new();
    for (args, named) in [
        (&["search", "x", "--sort-by", "name"][..], "--sort-by"),
        (&["serch", "x"], "serch"),
        (&["search"], "<QUESTION>"),
        (&["search", "x", "-l", "a in (b"], "label selector"),
        (&["search", "x", "--store", "mysql:x"], "sqlite:PATH"),
        (&["sync-instances", "--include", "a b"], "plural.group"),
        (&["sync-instances", "--cluster-name", "a/b"], "--cluster-name"),
    ] {
        let ran = home.run(args);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.err.contains(named), "{}", ran.err);
        assert!(ran.out.is_empty());
    }
}

#[test]
fn an_empty_index_says_what_fills_it() {
    let home = Home::new();
    for args in [&["search", "databases"][..], &["status"]] {
        let ran = home.run(args);
        let error = ran.error();
        assert!(error.contains("clusterlore sync-instances") && error.contains("clusterlore demo"), "{error}");
    }
}

#[test]
fn a_kubeconfig_that_is_missing_broken_or_points_nowhere() {
    let home = Home::new();
    let ran = home.run(&["sync-instances"]);
    assert!(ran.error().contains("no cluster is configured"), "{}", ran.err);

    let ran = home.run(&["sync-instances", "--kubeconfig", "nowhere.yaml"]);
    assert!(ran.error().contains("nowhere.yaml"), "{}", ran.err);

    home.write("broken.yaml", "apiVersion: v1\nclusters: [{name: ");
    let ran = home.run(&["sync-instances", "--kubeconfig", "broken.yaml"]);
    assert!(ran.error().contains("broken.yaml"), "{}", ran.err);

    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    home.write("config.yaml", &kubeconfig(&url));
    let ran = home.run(&["sync-instances", "--kubeconfig", "config.yaml"]);
    assert!(ran.error().contains(&url) && ran.err.contains("check that the cluster runs"), "{}", ran.err);

    let ran = home.run(&["sync-instances", "--kubeconfig", "config.yaml", "--context", "there"]);
    assert!(ran.error().contains("\"there\"") && ran.err.contains("here"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_are_named_and_nothing_is_lost() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let config = server.kubeconfig().to_str().unwrap().to_owned();
    home.run(&["sync-instances", "--kubeconfig", &config]).ok();
    server.fault("*", Fault::unauthorized());
    let ran = home.run(&["sync-instances", "--kubeconfig", &config]);
    assert!(ran.error().contains("401") && ran.err.contains("log in again"), "{}", ran.err);
    let names = home.run(&["search", "namespace", "-o", "name"]).ok().out;
    assert!(names.contains("_cluster/v1/Namespace/default"), "{names}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_status_3_is_for_what_failed_and_0_for_what_is_forbidden() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let pods = clusterlore_core::ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..Default::default()
    };
    server.add_type(pods);
    let config = server.kubeconfig().to_str().unwrap().to_owned();
    server.fault("pods", Fault::forbidden());
    let ran = home.run(&["sync-instances", "--kubeconfig", &config, "-o", "json"]).ok();
    let summary: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(summary["skipped"][0]["type"], "pods");
    server.clear_faults();
    server.fault("pods", Fault::not_allowed());
    let ran = home.run(&["sync-instances", "--kubeconfig", &config]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    let lines: Vec<&str> = ran.err.lines().rev().take(2).collect();
    assert!(lines[0].starts_with("Sync complete: ") && lines[1].starts_with("Skipped 1 resource type,"), "{}", ran.err);
}

#[test]
fn a_folder_without_manifests_and_one_that_is_not_there() {
    let home = Home::new();
    std::fs::create_dir(home.path("empty")).unwrap();
    home.write("text/notes.txt", "not a manifest");
    for folder in ["empty", "text", "nowhere"] {
        let ran = home.sync_from(Path::new(folder));
        assert!(ran.error().contains(folder), "{}", ran.err);
    }
}

#[test]
fn a_broken_document_among_good_ones_is_named_with_its_place_and_nothing_is_deleted() {
    let home = Home::new();
    let second = GOOD.replace("shop", "office");
    home.write("m/all.yaml", &format!("{GOOD}---\n{second}"));
    home.sync_from(&home.path("m")).ok();
    home.write("m/all.yaml", &format!("{GOOD}---\nkind: [unclosed\n---\nkind: Pod\napiVersion: v1\nmetadata: {{}}\n"));
    let ran = home.sync_from(&home.path("m"));
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    let warnings: Vec<&str> = ran.err.lines().filter(|l| l.starts_with("Warning: ")).collect();
    assert!(warnings.iter().any(|w| w.contains("all.yaml:5")), "{warnings:?}");
    assert!(warnings.iter().any(|w| w.contains("all.yaml") && w.contains("metadata.name")), "{warnings:?}");
    let names = home.run(&["search", "deployment shop office", "-o", "name"]).ok().out;
    assert!(names.contains("Deployment/shop") && names.contains("Deployment/office"), "{names}");
}

#[test]
fn questions_that_cannot_be_asked() {
    let home = Home::new();
    home.write("m/a.yaml", GOOD);
    home.sync_from(&home.path("m")).ok();
    let ran = home.run(&["search", " ?! "]);
    assert!(ran.error().contains("the question is empty"), "{}", ran.err);
    let ran = home.run(&["search", "x", "--kind", "deploymint"]);
    assert!(ran.error().contains("\"deploymint\""), "{}", ran.err);
    home.write("q.jsonl", "{\"id\": 1, \"q\": \"shop\"}\nnonsense\n");
    let ran = home.run(&["search", "--batch", "q.jsonl"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("q.jsonl:2"), "{}", ran.err);
    let ran = home.run(&["search", "--batch", "nowhere.jsonl"]);
    assert!(ran.error().contains("nowhere.jsonl"), "{}", ran.err);
}

#[test]
fn a_store_that_is_no_store_is_left_alone() {
    let home = Home::new();
    let path = home.write("data/clusterlore/index.db", &"this is no database at all ".repeat(100));
    home.write("m/a.yaml", GOOD);
    let before = std::fs::read(&path).unwrap();
    for ran in [home.sync_from(&home.path("m")), home.run(&["search", "x"]), home.run(&["status"])] {
        assert!(ran.error().contains("index.db") && ran.err.contains("Move it away"), "{}", ran.err);
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
