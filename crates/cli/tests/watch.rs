//! `clusterlore watch`: what it writes, what it says, and how it ends.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clusterlore_core::{JournalQuery, ResourceInstance, ResourceType};
use clusterlore_store::{Sqlite, Store};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::serving::Serving;
use common::{Home, Ran};

async fn server() -> FakeApiServer {
    common::server_with_pods(&["first"]).await
}

fn pod(name: &str) -> ResourceInstance {
    ResourceInstance::new("v1", "Pod", Some("shop"), name).unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a search by name finds it, or finds it no more.
fn until_found(home: &Home, name: &str, wanted: bool) {
    let began = Instant::now();
    loop {
        let ran = home.run(&["search", name, "-o", "id", "--live", "never"]);
        if ran.out.contains(&format!("Pod/{name}")) == wanted {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{name} {wanted}: {} {}", ran.out, ran.err);
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_a_cluster_until_a_signal_ends_it() {
    let home = Home::new();
    let server = server().await;
    let secrets = ResourceType {
        version: "v1".into(),
        kind: "Secret".into(),
        plural: "secrets".into(),
        ..ResourceType::default()
    };
    server.add_type(secrets).fault("secrets", Fault::forbidden());
    let kubeconfig = server.kubeconfig().to_str().unwrap();
    for name in ["INT", "TERM"] {
        let mut watch = home.command(&["watch", "--kubeconfig", kubeconfig]);
        let child = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until_found(&home, "first", true);
        let created = format!("created-{}", name.to_lowercase());
        server.put(pod(&created));
        until_found(&home, &created, true);
        server.remove(&format!("shop/v1/Pod/{created}"));
        until_found(&home, &created, false);
        // It holds the index: another run that writes is told by whom.
        let refused = home.run(&["sync-instances", "--kubeconfig", kubeconfig, "--lock-timeout", "0"]);
        assert!(refused.status == 1 && refused.err.contains("a watch, process"), "{} {}", refused.status, refused.err);
        signal(&child, name);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
        // It goes on without what it may not read, and says so.
        let skipped = "Warning: Skipped 1 resource type, their documents stay: secrets (403 as the test wished).\n";
        assert!(ran.err.contains(&format!("{skipped}Watching 3 resource types.\n")), "{}", ran.err);
        assert!(ran.err.ends_with("Stopping; what is queued is written first.\n"), "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_a_json_object_where_that_is_asked_for() {
    let home = Home::new();
    let server = server().await;
    let kubeconfig = home.kubeconfig(&[("here", &server.url())]);
    let contexts = ["--context", "here", "--context", "nowhere"];
    let mut watch =
        home.command(&[&["watch", "--kubeconfig", &kubeconfig, "--log-format", "json"], &contexts[..]].concat());
    let said = home.path("said");
    let mut child = watch.env("RUST_LOG", "debug").stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap();
    until_found(&home, "first", true);
    until_said(&said, "\"message\":\"cluster nowhere: ");
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let said = std::fs::read_to_string(said).unwrap();
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let [at, level, message, target] = ["timestamp", "level", "message", "target"]
            .map(|key| line[key].as_str().unwrap_or_else(|| panic!("{line}")));
        assert!(at.parse::<jiff::Timestamp>().is_ok(), "{line}");
        let cluster = line["cluster"].as_str().unwrap_or("-");
        told.insert((level.to_owned(), format!("{target}: {cluster}: {message}")));
    }
    let is_told = |level: &str, part: &str| told.iter().any(|(l, message)| l == level && message.contains(part));
    assert!(is_told("INFO", "clusterlore: here: Watching 2 resource types."), "{told:?}");
    assert!(is_told("ERROR", "clusterlore: -: cluster nowhere: "), "{told:?}");
    assert!(is_told("DEBUG", "clusterlore_"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_survives_a_kill_and_goes_on_after_it() {
    let home = Home::new();
    let server = server().await;
    let now = || jiff::Timestamp::now().to_string();
    let start = || {
        let mut watch = home.command(&["watch", "--kubeconfig", server.kubeconfig().to_str().unwrap()]);
        watch.stderr(Stdio::null()).spawn().unwrap()
    };
    let mut child = start();
    until_found(&home, "first", true);
    // Times of creation are whole seconds: what came in the second of the first sync is no news.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    server.put(ResourceInstance { created_at: now(), ..pod("second") });
    until_found(&home, "second", true);
    signal(&child, "KILL");
    child.wait().unwrap();
    server.put(ResourceInstance { created_at: now(), ..pod("third") }).remove("shop/v1/Pod/second");
    let mut child = start();
    until_found(&home, "third", true);
    until_found(&home, "second", false);
    let wanted = BTreeSet::from(
        ["created: Pod shop/second", "created: Pod shop/third", "deleted: Pod shop/second"].map(str::to_owned),
    );
    let began = Instant::now();
    loop {
        let store = Sqlite::open_existing(&home.store()).unwrap();
        let query = JournalQuery { limit: 100, ..JournalQuery::default() };
        let entries = store.view_all("a test").await.unwrap().journal(query).await.unwrap();
        let happened: BTreeSet<String> = entries.iter().map(ToString::to_string).collect();
        if happened == wanted && entries.len() == wanted.len() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{entries:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
}

/// Waits until a process has said something.
fn until_said(said: &Path, line: &str) {
    let began = Instant::now();
    let text = || std::fs::read_to_string(said).unwrap();
    while !text().contains(line) {
        assert!(began.elapsed() < Duration::from_secs(60), "{line}: {}", text());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A folder with a kubeconfig of each; its name is that of the cluster.
fn folder_of_kubeconfigs(home: &Home, clusters: &[(&str, &str)]) -> String {
    for (name, url) in clusters {
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{url}'}}}}]\nusers: [{{name: u, user: {{}}}}]\n\
             contexts: [{{name: the-same, context: {{cluster: c, user: u}}}}]\ncurrent-context: the-same\n"
        );
        home.write(&format!("clusters/{name}.yaml"), &text);
    }
    home.path("clusters").display().to_string()
}

async fn east_and_west() -> (FakeApiServer, FakeApiServer) {
    let (east, west) = (server().await, server().await);
    east.put(pod("eastern"));
    west.put(pod("western"));
    (east, west)
}

fn until_both_are_followed(home: &Home, west: &FakeApiServer) {
    until_found(home, "eastern", true);
    until_found(home, "western", true);
    west.put(pod("later"));
    until_found(home, "later", true);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kubeconfig_of_a_folder_is_followed_and_one_that_fails_fails_alone() {
    let home = Home::new();
    let (east, west) = east_and_west().await;
    let folder = folder_of_kubeconfigs(&home, &[("east", &east.url()), ("west", &west.url())]);
    home.write("clusters/broken.yaml", "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n");
    let mut watch = home.command(&["watch", "--kubeconfig", &folder]);
    let said = home.write("said", "");
    let child = watch.stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap();
    until_both_are_followed(&home, &west);
    // What would fail for ever is not tried again.
    until_said(&said, "error: cluster broken: ");
    signal(&child, "TERM");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 3, "{}", std::fs::read_to_string(&said).unwrap());
    let found = home.run(&["search", "later", "-o", "id", "--live", "never"]).out;
    assert!(found.starts_with("west:"), "{found}");
    let refused = home.run(&["serve", "--auth", "kubernetes", "--listen", "127.0.0.1:0", "--kubeconfig", &folder]);
    assert!(refused.status == 2 && refused.err.contains("expected a file in --kubeconfig"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubeconfigs_that_come_and_go_are_taken_while_it_runs() {
    let home = Home::new();
    let (east, west) = east_and_west().await;
    let folder = folder_of_kubeconfigs(&home, &[("east", &east.url())]);
    let west_url = west.url();
    let mut serving = Serving::start(&home, &["--kubeconfig", &folder]);
    let most = Duration::from_secs(60);
    let json = |path: &str| serde_json::from_str::<serde_json::Value>(&serving.get(path).1).unwrap();
    let live = |name: &str, what: &str| {
        let status = json("/api/v1/status");
        status["live"].as_array().is_some_and(|all| all.iter().any(|one| one["cluster"] == name && one[what] == true))
    };
    let has = |id: &str| serving.get(&format!("/api/v1/instances/{id}")).0 == 200;
    let readyz = || json("/readyz");
    serving.until(most, || live("east", "ready") && has("east:shop/v1/Pod/eastern"));

    // One that is broken is told once, and taken when it is repaired.
    home.write("clusters/west.yaml", "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n");
    serving.until(most, || serving.said().contains("error: cluster west: "));
    std::thread::sleep(Duration::from_secs(7));
    let said = serving.said();
    assert_eq!(said.matches("error: cluster west: ").count(), 1, "{said}");
    assert!(said.contains("west.yaml"), "{said}");
    assert!(!live("west", "ready") && live("east", "ready") && readyz()["status"] == "ok");
    folder_of_kubeconfigs(&home, &[("west", &west_url)]);
    serving.until(most, || live("west", "ready") && has("west:shop/v1/Pod/western"));

    // Another one with a name that is taken is not followed.
    home.write("clusters/east", "");
    serving.until(most, || serving.said().contains("is not followed: another file has the name east"));

    // One that goes ends what it named, and nothing else; what is indexed stays.
    std::fs::remove_file(home.path("clusters/west.yaml")).unwrap();
    serving.until(most, || live("west", "gone"));
    assert_eq!(readyz()["gone"], serde_json::json!(["west"]));
    assert!(serving.get("/metrics").1.contains("clusterlore_live_gone{cluster=\"west\"} 1"));
    assert!(serving.said().contains("west.yaml is gone: the cluster is followed no more"), "{}", serving.said());
    let told = home.run(&["status", "--kubeconfig", &folder]).ok().out;
    let lost: Vec<&str> = told.lines().filter(|line| line.contains("no kubeconfig in ")).collect();
    assert!(lost.len() == 1 && lost[0].starts_with("Source: west, "), "{told}");
    west.put(pod("unseen"));
    east.put(pod("seen"));
    serving.until(most, || has("east:shop/v1/Pod/seen"));
    assert!(has("west:shop/v1/Pod/western") && !has("west:shop/v1/Pod/unseen"));

    // It comes back under another file, which is found to name the same cluster.
    folder_of_kubeconfigs(&home, &[("occident", &west_url)]);
    serving.until(most, || live("west", "ready") && !live("west", "gone") && has("west:shop/v1/Pod/unseen"));
    assert!(!live("occident", "ready") && readyz().get("gone").is_none());
    // Two files of one cluster: when one goes the other takes its place.
    folder_of_kubeconfigs(&home, &[("sunset", &west_url)]);
    serving.until(most, || serving.said().contains("error: cluster sunset: the cluster is in the index already"));
    std::fs::remove_file(home.path("clusters/occident.yaml")).unwrap();
    west.put(pod("last"));
    serving.until(most, || has("west:shop/v1/Pod/last") && !live("west", "gone"));
    assert_eq!(serving.end("-TERM"), Some(0));
    let clusters = home.run(&["clusters", "-o", "json"]).ok().out;
    assert!(!clusters.contains("occident") && !clusters.contains("sunset"), "{clusters}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_clusters_are_followed_and_one_that_fails_fails_alone() {
    let home = Home::new();
    let (east, west) = east_and_west().await;
    let config = home.kubeconfig(&[("east", &east.url()), ("away", "http://127.0.0.1:1"), ("west", &west.url())]);
    let contexts = ["--context", "east", "--context", "west", "--context", "away"];
    let mut watch = home.command(&[&["watch", "--kubeconfig", &config], &contexts[..]].concat());
    let said = home.write("said", "");
    let child = watch.stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap();
    until_both_are_followed(&home, &west);
    for line in ["[east] Watching 2 resource types.", "[west] Watching 2 resource types.", "It is tried again in 5 s."]
    {
        until_said(&said, line);
    }
    signal(&child, "TERM");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 3, "{}", std::fs::read_to_string(&said).unwrap());
    let found = home.run(&["search", "later", "-o", "id", "--live", "never"]).out;
    assert!(found.starts_with("west:"), "{found}");

    // Only it takes several; of several none has a name of its own.
    let refused = home.run(&[&["status", "--kubeconfig", &config], &contexts[..]].concat());
    assert!(refused.status == 2 && refused.err.contains("only watch follows several"), "{}", refused.err);
    let refused = home.run(&[&["watch", "--cluster-name", "x", "--kubeconfig", &config], &contexts[..]].concat());
    assert!(refused.status == 2 && refused.err.contains("--cluster-name names one cluster"), "{}", refused.err);
    let failed = home.run(&["watch", "--kubeconfig", &config, "--context", "away"]);
    assert_eq!(failed.status, 1, "{}", failed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed_as_they_happen() {
    let home = Home::new();
    let server = server().await;
    let kubeconfig = server.kubeconfig().to_str().unwrap();
    let watch = home.command(&["watch", "--kubeconfig", kubeconfig]).stderr(Stdio::null()).spawn().unwrap();
    until_found(&home, "first", true);
    // Times of creation are whole seconds: what came in the second of the first sync is no news.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let mut changes = home.command(&["changes", "-w", "-o", "name"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(changes.stdout.take().unwrap()).lines();
    for name in ["later", "last"] {
        server.put(ResourceInstance { created_at: jiff::Timestamp::now().to_string(), ..pod(name) });
        assert_eq!(lines.next().unwrap().unwrap(), format!("pod/{name}"));
    }
    for mut child in [changes, watch] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
