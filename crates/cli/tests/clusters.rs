//! Clusters of an index: what they are called, one under one name, questions about one of them, all contexts, and forgetting.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;

use clusterlore_core::ResourceInstance;
use clusterlore_store::{RunKind, RunRecord, Runs, Sqlite};
use clusterlore_testkit::fake::FakeApiServer;
use clusterlore_testkit::real::ApiServer;
use common::Home;
use common::serving::Serving;

async fn server(object: &str) -> FakeApiServer {
    common::server_with_pods(&[object, "cache"]).await
}

/// What `clusters` lists, by name: the stored name and the number of objects.
fn listed(home: &Home) -> BTreeMap<String, (String, u64)> {
    let json = home.run(&["clusters", "-o", "json"]).ok().out;
    let all: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    all.iter().map(|of| (text(&of["name"]), (text(&of["cluster"]), of["objects"].as_u64().unwrap()))).collect()
}

fn expected(all: &[(&str, &str, u64)]) -> BTreeMap<String, (String, u64)> {
    all.iter().map(|(name, stored, objects)| ((*name).to_owned(), ((*stored).to_owned(), *objects))).collect()
}

/// Stored ids that a search finds.
fn found(home: &Home, words: &[&str]) -> Vec<String> {
    let ran = home.run(&[&["search"], words, &["-o", "id", "--live", "never"]].concat()).ok();
    let mut ids: Vec<String> = ran.out.lines().map(str::to_owned).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_called_like_its_context_and_may_be_called_otherwise() {
    let home = Home::new();
    let (east, west, other) = (server("checkout").await, server("orders").await, server("nothing").await);
    let config = home.kubeconfig(&[("east", &east.url()), ("west", &west.url()), ("elsewhere", &other.url())]);
    let at = ["--kubeconfig", &config];
    home.run(&[&["index"][..], &at].concat()).ok();
    assert_eq!(listed(&home), expected(&[("east", "", 5)]));
    home.run(&[&["index", "--context", "west", "--cluster-name", "w2"][..], &at].concat()).ok();
    assert_eq!(listed(&home), expected(&[("east", "", 5), ("w2", "w2", 5)]));
    home.run(&["clusters", "rename", "w2", "west"]).ok();
    assert_eq!(listed(&home), expected(&[("east", "", 5), ("west", "w2", 5)]));

    // A name is as good as the stored one, in flags and in questions.
    let (in_east, in_west) = ("shop/v1/Pod/cache", "w2:shop/v1/Pod/cache");
    for (words, ids) in [
        (&["cache"][..], &[in_east, in_west][..]),
        (&["cache", "--cluster", "west"], &[in_west]),
        (&["cache", "--cluster", "w2"], &[in_west]),
        (&["cache", "--cluster", "east"], &[in_east]),
        (&["cache in cluster west"], &[in_west]),
        (&["cache on the east cluster"], &[in_east]),
        (&["cache on west"], &[in_west]),
    ] {
        let mut ids: Vec<&str> = ids.to_vec();
        ids.sort_unstable();
        assert_eq!(found(&home, words), ids, "{words:?}");
    }
    let shown = home.run(&["search", "cache", "--live", "never"]).ok().out;
    assert!(shown.contains("CLUSTER") && shown.contains(" east ") && shown.contains(" west "), "{shown}");
    let grouped = home.run(&["count", "--kind", "pods", "--group-by", "cluster"]).ok().out;
    assert!(grouped.contains("east") && grouped.contains("west"), "{grouped}");
    let status = home.run(&["status"]).ok().out;
    assert!(status.contains("west") && status.contains("ago"), "{status}");

    // A context narrows to its cluster, whatever that is called.
    for (context, ids) in [("west", in_west), ("east", in_east)] {
        assert_eq!(found(&home, &["cache", "--context", context, "--kubeconfig", &config]), [ids], "{context}");
    }
    for command in
        [&["search", "cache"][..], &["count", "pods"], &["similar", "pod/cache"], &["changes"], &["ask", "cache"]]
    {
        let ran = home.run(&[command, &at, &["--context", "elsewhere"]].concat());
        let error = ran.error();
        let advice = "Index it with \"clusterlore index";
        assert!(error.contains("context \"elsewhere\" is not indexed") && error.contains(advice), "{error}");
        assert!(error.contains("--cluster-name elsewhere"), "{error}");
    }
    let ran = home.run(&[&["search", "cache", "--context", "wset"][..], &at].concat());
    assert!(ran.error().contains("no context \"wset\"") && ran.error().contains("Did you mean \"west\"?"), "{ran:?}");
    let unknown = home.run(&["search", "cache", "--cluster", "wset"]);
    assert!(unknown.err.contains("\"wset\"") || unknown.out.contains("\"wset\""), "{unknown:?}");
    assert!(format!("{}{}", unknown.out, unknown.err).contains("Did you mean \"west\"?"), "{unknown:?}");

    // A sync leaves a name that somebody gave.
    home.run(&["clusters", "rename", "east", "shop floor"]).ok();
    home.run(&[&["sync-instances"][..], &at].concat()).ok();
    assert_eq!(listed(&home), expected(&[("shop floor", "", 5), ("west", "w2", 5)]));
    insta::assert_snapshot!("clusters", home.shows(&["clusters"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_none_is_refused() {
    let home = Home::new();
    let (east, west) = (server("checkout").await, server("orders").await);
    let config = home.kubeconfig(&[("east", &east.url()), ("west", &west.url())]);
    assert!(home.run(&["clusters"]).error().contains("nothing is indexed"));
    home.run(&["sync-instances", "--kubeconfig", &config]).ok();
    home.run(&["sync-instances", "--kubeconfig", &config, "--context", "west", "--cluster-name", "w"]).ok();
    for (words, status, said) in [
        (&["rename", "est", "x"][..], 1, "Did you mean \"east\"?"),
        (
            &["rename", "east", "w"],
            1,
            "\"w\" is the name of another cluster; expected a name that no other cluster has",
        ),
        (&["rename", "w", "east"], 1, "\"east\" is the name of another cluster; expected"),
        (
            &["rename", "nowhere", "x"],
            1,
            "has no cluster \"nowhere\"; nothing was changed. \"clusterlore clusters\" lists",
        ),
        (&["rename", "east", ""], 2, "expected a name"),
        (&["rename", "east", "a\nb"], 2, "expected a name"),
        (&["rename", "east"], 2, "NEW"),
        (&["forget", "nowhere", "--yes"], 1, "has no cluster \"nowhere\""),
        (&["forget", "east"], 2, "--yes"),
        (&["forget"], 2, "CLUSTER"),
    ] {
        let ran = home.run(&[&["clusters"][..], words].concat());
        assert!(ran.status == status && ran.err.contains(said), "{words:?}: {ran:?}");
    }
    assert_eq!(listed(&home), expected(&[("east", "", 5), ("w", "w", 5)]), "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_is_gone_and_the_rest_stays() {
    let home = Home::new();
    let (east, west) = (server("checkout").await, server("orders").await);
    let config = home.kubeconfig(&[("east", &east.url()), ("west", &west.url())]);
    home.run(&["index", "--kubeconfig", &config]).ok();
    home.run(&["index", "--kubeconfig", &config, "--context", "west", "--cluster-name", "west"]).ok();
    let before = found(&home, &["--cluster", "west", "-n", "shop"]);
    let forgot = home.run(&["clusters", "forget", "east", "--yes"]).ok();
    assert!(forgot.err.contains("Forgot cluster \"east\": 5 objects, 2 resource types, "), "{}", forgot.err);
    assert_eq!(listed(&home), expected(&[("west", "west", 5)]));
    assert_eq!((before.len(), found(&home, &["-n", "shop"])), (2, before));
    let types = home.run(&["search", "pods", "--collection", "capabilities", "-o", "json"]).ok().out;
    assert!(types.contains("\"total\": 2"), "{types}");
    // It can come back, under any name.
    home.run(&["index", "--kubeconfig", &config, "--cluster-name", "again"]).ok();
    assert_eq!(listed(&home), expected(&[("again", "again", 5), ("west", "west", 5)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_not_indexed_under_a_second_name() {
    let home = Home::new();
    let east = server("checkout").await;
    let config = home.kubeconfig(&[("east", &east.url()), ("admin", &east.url())]);
    home.run(&["index", "--kubeconfig", &config]).ok();
    for command in ["index", "sync-instances", "sync", "watch"] {
        let ran = home.run(&[command, "--kubeconfig", &config, "--context", "admin", "--cluster-name", "second"]);
        let error = ran.error();
        assert!(error.contains("already, as \"east\"") && error.contains("clusters rename east second"), "{error}");
    }
    assert_eq!(listed(&home), expected(&[("east", "", 5)]));
    // Its own name is as good under another context, and where it is given.
    home.run(&["index", "--kubeconfig", &config, "--context", "admin"]).ok();
    for command in ["index", "sync-instances", "sync"] {
        let ran = home.run(&[command, "--kubeconfig", &config, "--cluster-name", "east"]).ok();
        assert!(ran.err.contains(" unchanged") && !ran.err.contains("error"), "{}", ran.err);
        assert_eq!(listed(&home), expected(&[("east", "", 5)]), "{command}");
    }
    home.run(&["clusters", "rename", "east", "shop floor"]).ok();
    home.run(&["index", "--kubeconfig", &config, "--cluster-name", "shop-floor"]).ok();
    assert_eq!(listed(&home), expected(&[("shop floor", "", 5)]));
    // Another cluster is not taken for it.
    let west = server("orders").await;
    let both = home.kubeconfig(&[("east", &east.url()), ("west", &west.url())]);
    home.run(&["index", "--kubeconfig", &both, "--context", "west", "--cluster-name", "shop-floor"]).ok();
    assert_eq!(listed(&home), expected(&[("shop floor", "", 5), ("shop-floor", "shop-floor", 5)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_context_is_read_and_one_that_fails_fails_alone() {
    let home = Home::new();
    let (east, west) = (server("checkout").await, server("orders").await);
    let config = home.kubeconfig(&[
        ("east", &east.url()),
        ("away", "http://127.0.0.1:1"),
        ("east-admin", &east.url()),
        ("w/est", &west.url()),
    ]);
    let ran = home.run(&["index", "--all-contexts", "--kubeconfig", &config]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    assert!(ran.err.contains("4 contexts: 2 read, 1 failed.") && ran.err.contains("away failed"), "{}", ran.err);
    assert!(ran.err.contains("east-admin names the same cluster as east"), "{}", ran.err);
    assert_eq!(listed(&home), expected(&[("east", "east", 5), ("w/est", "w-est", 5)]));
    // A second time each goes on under its name.
    for command in ["sync", "sync-instances"] {
        let again = home.run(&[command, "--all-contexts", "--kubeconfig", &config]);
        assert!(again.status == 3 && again.err.contains("2 read, 1 failed."), "{}", again.err);
    }
    assert_eq!(listed(&home).len(), 2);

    let only_away = home.kubeconfig(&[("away", "http://127.0.0.1:1")]);
    let failed = home.run(&["sync-instances", "--all-contexts", "--kubeconfig", &only_away]);
    assert_eq!(failed.status, 1, "{}", failed.err);
    for wrong in [&["--context", "east"][..], &["--cluster-name", "x"], &["--from", "m"], &["-o", "json"]] {
        let ran = home.run(&[&["index", "--all-contexts"][..], wrong].concat());
        assert!(ran.status == 2 && ran.err.contains("cannot be used with"), "{wrong:?}: {}", ran.err);
    }
    let none = home.run(&["index", "--all-contexts", "--kubeconfig", "none.yaml"]);
    assert!(none.error().contains("has no context"), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_two_contexts_name_is_followed_under_one() {
    let home = Home::new();
    let east = server("checkout").await;
    let config = home.kubeconfig(&[("east", &east.url()), ("admin", &east.url())]);
    let said = home.write("said", "");
    let contexts = ["watch", "--kubeconfig", &config, "--context", "east", "--context", "admin"];
    let mut watch = home.command(&contexts).stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap();
    let began = std::time::Instant::now();
    let told = || std::fs::read_to_string(&said).unwrap();
    while !(told().contains("is in the index already, as") && told().contains("Watching 2 resource types.")) {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{}", told());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    let all = listed(&home);
    assert_eq!(all.values().map(|(_, objects)| objects).collect::<Vec<_>>(), [&5], "{all:?}");
}

/// What was indexed without a name is followed beside others under the name that it has.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_under_the_name_that_a_cluster_has() {
    let home = Home::new();
    let (east, west) = (server("checkout").await, server("orders").await);
    let config = home.kubeconfig(&[("east", &east.url()), ("west", &west.url())]);
    home.run(&["index", "--kubeconfig", &config]).ok();
    let said = home.write("said", "");
    let contexts = ["watch", "--kubeconfig", &config, "--context", "east", "--context", "west"];
    let mut watch = home.command(&contexts).stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap();
    let began = std::time::Instant::now();
    let told = || std::fs::read_to_string(&said).unwrap();
    while told().matches("Watching 2 resource types.").count() < 2 {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{}", told());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert_eq!(listed(&home), expected(&[("east", "", 5), ("west", "west", 5)]));
}

/// What a server watches, by the stored name, once the first sync of each is in.
fn watched(serving: &Serving, of: usize) -> Vec<String> {
    let live = || {
        let status: serde_json::Value = serde_json::from_str(&serving.get("/api/v1/status").1).unwrap();
        status["live"].as_array().cloned().unwrap_or_default()
    };
    let ready = || live().iter().filter(|one| one["ready"] == true).count() == of;
    serving.until(std::time::Duration::from_secs(60), ready);
    live().iter().map(|one| one["cluster"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_under_the_name_that_a_cluster_has() {
    let home = Home::new();
    let (east, west) = (server("checkout").await, server("orders").await);
    let config = home.kubeconfig(&[("east", &east.url()), ("west", &west.url())]);
    let at = ["--kubeconfig", &config];
    home.run(&[&["index"][..], &at].concat()).ok();
    home.run(&[&["index", "--context", "west", "--cluster-name", "w2"][..], &at].concat()).ok();
    home.run(&["clusters", "rename", "w2", "floor"]).ok();
    let both = expected(&[("east", "", 5), ("floor", "w2", 5)]);

    let said = |serving: &Serving, name: &str| {
        let line = format!("in the index already, as \"{name}\", and goes on under the name by which it is stored");
        assert!(serving.said().contains(&line), "{}", serving.said());
    };
    // Several: one has no name, the other's is none that its context has.
    let mut serving = Serving::start(&home, &[&["--context", "east", "--context", "west"][..], &at].concat());
    assert_eq!(watched(&serving, 2), ["", "w2"]);
    ["east", "floor"].iter().for_each(|name| said(&serving, name));
    serving.end("-TERM");
    assert_eq!(listed(&home), both);
    // One, by each name that means it, and by none.
    for name in [&["--cluster-name", "floor"][..], &["--cluster-name", "w2"], &[]] {
        let flags = [&["--context", "west"][..], &at, name].concat();
        let mut serving = Serving::start(&home, &flags);
        assert_eq!(watched(&serving, 1), ["w2"], "{name:?}");
        // What is posted is about the cluster that is watched.
        let post = r#"{"upserts":[{"id":"x","namespace":"shop","name":"told","kind":"ConfigMap","apiVersion":"v1","apiGroup":"","createdAt":"2026-02-20T10:00:00Z","labels":null,"annotations":null}],"deletes":null}"#;
        assert_eq!(serving.send("POST", "/api/v1/instances/sync", "", post).0, 200);
        west.put(ResourceInstance::new("v1", "Pod", Some("shop"), "later").unwrap());
        let there = || serving.get("/api/v1/instances/w2:shop/v1/Pod/later").0 == 200;
        serving.until(std::time::Duration::from_secs(60), there);
        serving.end("-TERM");
        west.remove("shop/v1/Pod/later");
        for command in ["sync-instances", "sync"] {
            let ran = home.run(&[&[command][..], &flags].concat());
            assert!(ran.status == 0, "{name:?}: {}", ran.err);
        }
        assert_eq!(listed(&home), both, "{name:?}");
    }
    // Another name is refused, and one that means another cluster.
    for (context, name, why) in [("west", "second", "already, as \"floor\""), ("west", "east", "already, as \"floor\"")]
    {
        for command in ["serve", "watch"] {
            let listen = if command == "serve" { &["--listen", "127.0.0.1:0"][..] } else { &[] };
            let flags = ["--context", context, "--cluster-name", name];
            let ran = home.run(&[&[command][..], &flags, &at, listen].concat());
            assert!(ran.error().contains(why), "{command}: {}", ran.err);
        }
    }
    assert_eq!(listed(&home), both);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_cluster_that_two_contexts_name_is_watched_once() {
    let home = Home::new();
    let east = server("checkout").await;
    let config = home.kubeconfig(&[("east", &east.url()), ("admin", &east.url())]);
    home.run(&["index", "--kubeconfig", &config]).ok();
    let mut serving = Serving::start(&home, &["--kubeconfig", &config, "--context", "east", "--context", "admin"]);
    assert_eq!(watched(&serving, 1), [""]);
    let told = || serving.said().contains("is in the index already, as \"east\", and is watched as that");
    serving.until(std::time::Duration::from_secs(60), told);
    serving.end("-TERM");
    assert_eq!(listed(&home), expected(&[("east", "", 5)]));
}

/// Notes that instances of a cluster were last read long ago.
async fn read_long_ago(home: &Home, cluster: &str) {
    let store = Sqlite::open_or_create(&home.store()).unwrap();
    let run = RunRecord {
        command: RunKind::Instances,
        cluster: cluster.to_owned(),
        started: "2020-01-31T12:00:00Z".to_owned(),
        finished: "2020-01-31T12:00:01Z".to_owned(),
        summary: serde_json::json!({}),
    };
    store.begin_run(&run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_fails_where_what_it_recommends_would_fail() {
    let home = Home::new();
    let (east, west) = (server("checkout").await, server("orders").await);
    home.write("m/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: gateway, namespace: edge}\n");
    let config = home.kubeconfig(&[("east", &east.url())]);
    let doctor = || home.run(&["doctor", "--kubeconfig", &config]);
    home.run(&["index", "--kubeconfig", &config]).ok();
    home.run(&["index", "--from", "m", "--cluster-name", "old"]).ok();
    assert!(!doctor().ok().out.contains("run \""));

    read_long_ago(&home, "old").await;
    read_long_ago(&home, "").await;
    let told = doctor().ok().out;
    let folder = home.path("m").canonicalize().unwrap();
    let again = format!("run \"clusterlore sync-instances --from {} --cluster-name old", folder.display());
    assert!(told.contains("sync-instances of old ran ") && told.contains(" days ago"), "{told}");
    assert!(told.contains(&again) && told.contains("run \"clusterlore sync-instances --kubeconfig"), "{told}");

    // The folder is gone, and the context names another cluster.
    std::fs::remove_dir_all(&folder).unwrap();
    let ran = doctor();
    assert!(ran.status == 1 && ran.out.contains("would fail"), "{ran:?}");
    assert!(ran.out.contains("\"clusterlore clusters forget old\""), "{ran:?}");
    home.run(&["clusters", "forget", "old", "--yes"]).ok();
    doctor().ok();
    home.kubeconfig(&[("east", &west.url())]);
    let ran = doctor();
    assert!(ran.status == 1 && ran.out.contains("would fail: the index holds the cluster at"), "{ran:?}");
}

/// Two contexts of one cluster: by its uid it is known at another address.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_cluster_is_known_by_its_uid() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let home = Home::new();
    let admin = server.kubeconfig("admin").display().to_string();
    home.run(&["sync-instances", "--kubeconfig", &admin]).ok();
    let name = listed(&home).into_keys().next().unwrap();
    assert_eq!(name, "admin");
    let text = std::fs::read_to_string(&admin).unwrap();
    let elsewhere = home.write(
        "elsewhere.yaml",
        &text.replace("server: 'https://127.0.0.1", "tls-server-name: kubernetes, server: 'https://localhost"),
    );
    let elsewhere = elsewhere.to_str().unwrap();
    assert_ne!(std::fs::read_to_string(elsewhere).unwrap(), text);
    let ran = home.run(&["sync-instances", "--kubeconfig", elsewhere, "--cluster-name", "local"]);
    assert!(ran.error().contains("already, as \"admin\""), "{ran:?}");
    let narrowed = home.run(&["count", "namespaces", "--kubeconfig", elsewhere, "--context", "admin"]).ok();
    let all = home.run(&["count", "namespaces"]).ok();
    assert_eq!(narrowed.out, all.out);
}
