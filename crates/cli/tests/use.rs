//! The program as a user meets it: folder in, answers out.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::path::PathBuf;
use std::process::Command;

use clusterlore_testkit::real::ApiServer;
use common::{EXAMPLES, Home, Ran};

fn examples() -> PathBuf {
    EXAMPLES.into()
}

#[test]
fn a_second_sync_of_a_folder_changes_nothing() {
    let home = Home::new();
    home.sync_from(&examples()).ok();
    assert_eq!(home.sync_from(&examples()).ok().counts(), [73, 0, 0, 73]);
}

#[test]
fn every_filter_of_search() {
    let home = Home::new();
    home.sync_from(&examples()).ok();
    let reply: serde_json::Value =
        serde_json::from_str(&home.run(&["search", "message queue", "-o", "json", "--explain"]).ok().out).unwrap();
    let first = &reply["hits"][0];
    let parts: f64 = first["explain"].as_array().unwrap().iter().map(|part| part["adds"].as_f64().unwrap()).sum();
    assert!((parts - first["score"].as_f64().unwrap()).abs() < 0.001);
    let names = |args: &[&str]| {
        let mut all = vec!["search", "database", "-o", "id", "--limit", "100"];
        all.extend(args);
        home.run(&all).ok().out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let kinds = names(&["--kind", "sts"]);
    assert!(!kinds.is_empty() && kinds.iter().all(|id| id.contains("/StatefulSet/")), "{kinds:?}");
    let both = names(&["-n", "datastores", "--kind", "StatefulSet,svc"]);
    assert!(!both.is_empty() && both.iter().all(|id| id.starts_with("datastores/")), "{both:?}");
    let web = |args: &[&str]| home.run(&[&["search", "web page", "-o", "id"], args].concat()).ok().out;
    let labelled = web(&["-l", "tier in (frontend),!none"]);
    assert!(!labelled.is_empty() && labelled.lines().count() < web(&[]).lines().count(), "{labelled}");
    assert!(home.run(&["search", "SAP HANA", "-o", "name"]).ok().out.is_empty(), "nothing fits");
    let types =
        home.run(&["search", "certificate", "--collection", "capabilities", "-o", "name", "--limit", "1"]).ok().out;
    assert_eq!(types.trim(), "certificates.cert-manager.io");
}

#[test]
fn completions_and_the_plugin_are_the_same_program() {
    let home = Home::new();
    assert!(home.run(&["completions", "bash"]).ok().out.contains("CLUSTERLORE_COMPLETE"));
    let plugin = Command::new(env!("CARGO_BIN_EXE_kubectl-lore")).arg("--version").output().unwrap();
    assert!(Ran::of(plugin).ok().out.starts_with("clusterlore "));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    home.sync_from(&examples()).ok();
    let line = format!("'{}' search pods -o name --limit 1000 | true", env!("CARGO_BIN_EXE_clusterlore"));
    let mut shell = Command::new("sh");
    let ran = Ran::of(shell.args(["-c", &line]).env("XDG_DATA_HOME", home.path("data")).output().unwrap()).ok();
    assert_eq!(ran.err, "");
}

/// The labelled questions: at least 0.50 nDCG@10 over all answerable ones.
#[test]
fn the_shared_corpus_scores() {
    let Some(corpus) = clusterlore_testkit::shared("corpus") else { return };
    let home = Home::new();
    home.sync_from(&corpus.join("manifests")).ok();
    let questions = corpus.join("queries.jsonl");
    let run = home.run(&["search", "--batch", questions.to_str().unwrap(), "--limit", "20"]).ok().out;
    let run = home.write("run.jsonl", &run);
    let score = Command::new("python3").arg(corpus.join("score")).arg(run).output().unwrap();
    let score = Ran::of(score).ok().out;
    let all = score.lines().find(|l| l.starts_with("ALL")).unwrap();
    let ndcg: f64 = all.split("nDCG@10").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    println!("{score}");
    assert!(ndcg >= 0.50, "{score}");
}

/// The corpus on a real API server comes out whole, and a Secret's data appears nowhere.
#[test]
fn the_shared_corpus_comes_out_of_a_real_cluster_whole_and_without_secrets() {
    const MARKER: &str = "sw0rdfish-4711-never-to-be-seen";
    let Some(corpus) = clusterlore_testkit::shared("corpus/manifests") else { return };
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply_folder(&corpus);
    let home = Home::new();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: hidden, namespace: default, annotations: {{description: Where it is hidden}}}}\n\
         stringData: {{password: {MARKER}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: open, namespace: default}}\n\
         data: {{password: {MARKER}}}\n"
    );
    let secret = home.write("secret.yaml", &secret);
    // Client-side, so that the last-applied-configuration carries the data.
    server.kubectl(&["apply", "-f", secret.to_str().unwrap()]);
    assert!(server.kubectl(&["get", "secret", "hidden", "-o", "yaml"]).contains(MARKER));

    let config = server.kubeconfig("admin");
    let sync = ["-vv", "sync-instances", "--kubeconfig", config.to_str().unwrap()];
    let ran = home.run(&sync).ok();
    let base64 = server.kubectl(&["get", "secret", "hidden", "-o", "jsonpath={.data.password}"]);
    let holds = |bytes: &[u8], needle: &str| bytes.windows(needle.len()).any(|w| w == needle.as_bytes());
    for needle in [MARKER, base64.trim()] {
        assert!(!ran.err.contains(needle) && !ran.out.contains(needle), "in the logs");
        for file in std::fs::read_dir(home.store().parent().unwrap()).unwrap() {
            let path = file.unwrap().path();
            assert!(!holds(&std::fs::read(&path).unwrap(), needle), "in {}", path.display());
        }
    }
    let found = home.run(&["search", "where is it hidden", "-o", "id", "--limit", "1"]).ok().out;
    assert_eq!(found.trim(), "default/v1/Secret/hidden");

    let folder = Home::new();
    folder.sync_from(&corpus).ok();
    let all = |home: &Home| {
        let mut ids: Vec<String> = Vec::new();
        let store = clusterlore_store::Sqlite::open_existing(&home.store()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let view = clusterlore_store::Store::view_all(&store, "a test").await.unwrap();
            let mut visit = |s: clusterlore_store::Scanned<'_>| ids.push(s.id.to_owned());
            view.scan(clusterlore_core::Collection::Instances, "", &mut visit).await.unwrap();
        });
        ids
    };
    let live = all(&home);
    let missing: Vec<String> = all(&folder).into_iter().filter(|id| !live.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let again = home.run(&["sync-instances", "--kubeconfig", config.to_str().unwrap()]).ok();
    assert_eq!(again.counts()[1..3], [0, 0], "{}", again.err);
    // The viewer may do nothing: what doctor recommends would fail.
    for (user, verdict, status) in [("admin", "ok", 0), ("viewer", "error", 1)] {
        let config = server.kubeconfig(user);
        let ran = home.run(&["doctor", "-o", "json", "--kubeconfig", config.to_str().unwrap()]);
        assert_eq!(ran.status, status, "{ran:?}");
        let doctor = ran.out;
        let findings: Vec<serde_json::Value> = serde_json::from_str(&doctor).unwrap();
        assert!(findings.iter().any(|f| f["check"] == "permissions" && f["verdict"] == verdict), "{user}: {doctor}");
    }
}
