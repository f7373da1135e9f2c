//! The index follows a real API server.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::time::{Duration, Instant};

use clusterlore_cluster::ClusterSource;
use clusterlore_cluster::writes::Manner;
use clusterlore_core::{Collection, JournalQuery, ObjectKey};
use clusterlore_pipeline::{Options, TypeState};
use clusterlore_store::Store;
use clusterlore_testkit::real::ApiServer;
use common::following::{Following, pace};
use serde_json::{Value, json};

/// Ten kinds of objects, so many of each: JSON, which kubectl reads too.
fn ten_kinds(namespace: &str, each: std::ops::Range<usize>, label: &str) -> Vec<Value> {
    let metadata = |n: usize| json!({"name": format!("thing-{n}"), "namespace": namespace, "labels": {"state": label}});
    let wide = |n: usize| json!({"name": format!("live-thing-{n}"), "labels": {"state": label}});
    let containers = json!([{"name": "c", "image": "nginx"}]);
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}});
    let selector = json!({"matchLabels": {"a": "b"}});
    let job = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": containers}}}});
    let backend = json!({"service": {"name": "s", "port": {"number": 80}}});
    each.flat_map(|n| {
        [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(n)}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata(n)}),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(n)}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata(n), "spec": {"ports": [{"port": 80}]}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(n), "spec": {"selector": selector, "template": template}}),
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(n), "spec": {"serviceName": "s", "selector": selector, "template": template}}),
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata(n), "spec": {"schedule": "* * * * *", "jobTemplate": job}}),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata(n), "spec": {"defaultBackend": backend}}),
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": wide(n), "rules": []}),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": wide(n)}),
        ]
    })
    .collect()
}

fn apply(server: &ApiServer, objects: &[Value]) {
    server.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
}

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: orders.shop.example}\n\
    spec:\n  group: shop.example\n  scope: Namespaced\n  names: {kind: Order, plural: orders, singular: order}\n  versions:\n  \
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, description: An order of a customer.}}}\n";

#[tokio::test(flavor = "multi_thread")]
async fn ten_kinds_a_restart_and_a_definition_that_comes_and_goes() {
    let Some(mut server) = ApiServer::start_or_skip() else { return };
    server.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    let mut following = Following::start(&server.kubeconfig("admin")).await;
    apply(&server, &ten_kinds("shop", 0..4, "new"));
    following.equals_a_fresh_sync().await;
    assert!(following.holds("shop/apps/v1/StatefulSet/thing-3").await);
    apply(&server, &ten_kinds("shop", 0..2, "changed"));
    server.kubectl(&["delete", "-n", "shop", "deployment,secret,ingress", "thing-2", "thing-3"]);
    following.equals_a_fresh_sync().await;
    assert!(!following.holds("shop/v1/Secret/thing-2").await);

    let before = following.status.state();
    server.kill();
    following.until("the watches are down", |state| state.interrupted().count() > 20).await;
    server.start_again();
    apply(&server, &ten_kinds("shop", 4..6, "after"));
    server.kubectl(&["delete", "-n", "shop", "configmap", "thing-0"]);
    following.equals_a_fresh_sync().await;
    assert!(following.holds("shop/v1/Service/thing-5").await && !following.holds("shop/v1/ConfigMap/thing-0").await);
    let after = following.status.state();
    println!(
        "a restart: {} lists, {} watches, {} failures",
        after.lists - before.lists,
        after.watches - before.watches,
        after.failures - before.failures
    );
    // The server started with an empty memory: it knows of no position before.
    let metrics = server.kubectl(&["get", "--raw", "/metrics"]);
    let streamed =
        metrics.lines().filter(|line| line.starts_with("apiserver_watch_list_duration_seconds_count")).count();
    println!("types of which a list was streamed: {streamed}");
    assert!(after.lists == before.lists || streamed > 0, "a list that a watch goes on from is streamed");

    server.apply(DEFINITION);
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/orders.shop.example"]);
    let orders = "orders.shop.example";
    following.until("orders are watched", |state| state.types.get(orders) == Some(&TypeState::Watching)).await;
    server.apply("apiVersion: shop.example/v1\nkind: Order\nmetadata: {name: first, namespace: shop}\n");
    following.equals_a_fresh_sync().await;
    assert!(following.holds("shop/shop.example/v1/Order/first").await);
    // What a type is for is written again where its definition says something else, though it is served as before.
    server.apply(&DEFINITION.replace("An order of a customer.", "A parcel on its way."));
    following.equals_a_fresh_sync().await;
    // Another version has priority: its documents take the place of the others.
    let version = "  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, description: An order.}}}\n";
    server.apply(&format!("{DEFINITION}{version}"));
    let began = Instant::now();
    while !following.holds("shop/shop.example/v2/Order/first").await {
        assert!(began.elapsed() < common::following::PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    following.equals_a_fresh_sync().await;
    server.kubectl(&["delete", "crd", orders]);
    following.until("orders are gone", |state| state.types.get(orders) == Some(&TypeState::Gone)).await;
    following.equals_a_fresh_sync().await;
    assert!(!following.index().await.values().any(|(id, _)| id.contains("rders") || id.contains("Order/")));
    following.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_names_the_last_manager_and_makes_no_more_of_a_generation_than_it_means() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    apply(&server, &ten_kinds("default", 0..1, "old"));
    let mut following = Following::start(&server.kubeconfig("admin")).await;
    // Times of managers are whole seconds.
    let next_second = || tokio::time::sleep(Duration::from_millis(1_100));
    next_second().await;
    let both = ["deployment/thing-0", "statefulset/thing-0"];
    server.kubectl(&["annotate", both[0], both[1], "note=new", "--field-manager=note-taker"]);
    next_second().await;
    server.kubectl(&["patch", both[1], "-p", r#"{"spec":{"replicas":3}}"#, "--field-manager=scaler"]);
    server.kubectl(&["delete", "configmap", "thing-0"]);
    let query = || JournalQuery { namespaces: ["default".to_owned()].into(), limit: 100, ..JournalQuery::default() };
    let (began, mut told) = (Instant::now(), Vec::new());
    while told.len() < 3 && began.elapsed() < common::following::PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let entries = following.store.view_all("a test").await.unwrap().journal(query()).await.unwrap();
        told = entries.iter().map(|entry| format!("{entry} by {:?}", entry.changed_by)).collect();
    }
    told.sort();
    let wanted = [
        r#"deleted: ConfigMap default/thing-0 by """#,
        r#"spec changed: StatefulSet default/thing-0 by "scaler""#,
        r#"spec or annotations changed: Deployment default/thing-0 by "note-taker""#,
    ];
    assert_eq!(told, wanted);
    following.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_it_takes_from_the_cluster_to_the_index() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    let pace = clusterlore_pipeline::Pace { batch_wait: Duration::from_millis(50), ..pace() };
    let mut following = Following::start_with(&server.kubeconfig("admin"), pace, Options::default()).await;
    let source = common::following::connect(&server.kubeconfig("admin")).await;
    let types = source.discover().await.unwrap().types;
    let mut took = Vec::new();
    for object in ten_kinds("shop", 0..20, "new") {
        let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("_cluster");
        let ty = types.iter().find(|ty| ty.kind == kind && object["apiVersion"] == ty.api_version().as_str()).unwrap();
        let key = ObjectKey::new("", &ty.group, kind, namespace, name);
        let began = Instant::now();
        source.apply(ty, namespace, name, &object, Manner { dry_run: false, force: false }).await.unwrap();
        loop {
            let view = following.store.view_all("a test").await.unwrap();
            if !view.records(Collection::Instances, &[key]).await.unwrap().is_empty() {
                break;
            }
            assert!(began.elapsed() < common::following::PATIENCE, "{kind} {name}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        took.push(began.elapsed());
    }
    took.sort();
    let at = |part: usize| took[took.len() * part / 100];
    println!(
        "from the request that creates it to the index, {} objects: p50 {:?}, p95 {:?}, worst {:?}; last lag {:?}",
        took.len(),
        at(50),
        at(95),
        took[took.len() - 1],
        following.status.state().lag
    );
    following.stop().await;
    following.equals_a_fresh_sync().await;
}

/// Connections of this process to a port of this machine.
fn connections(port: u16) -> usize {
    let open = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let to = format!("0100007F:{port:04X}");
    let own: std::collections::HashSet<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| Some(std::fs::read_link(fd.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let fields = open.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    fields.filter(|f| f.get(2) == Some(&to.as_str()) && f.get(3) == Some(&"01") && own.contains(f[9])).count()
}

/// Memory of this process in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measured alone: memory of other tests would be in it"]
async fn what_watches_of_335_types_cost() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let server = tokio::task::spawn_blocking(move || {
        server.create_types(335, 850);
        server
    })
    .await
    .unwrap();
    let port: u16 = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let began = Instant::now();
    let before = resident();
    let mut following = Following::start(&server.kubeconfig("admin")).await;
    let watching = |state: &clusterlore_pipeline::LiveState| {
        state.types.values().filter(|state| **state == TypeState::Watching).count() >= 335
    };
    following.until("335 types are watched", watching).await;
    let took = began.elapsed();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let open = connections(port);
    let after = resident();
    println!(
        "335 types: followed after {took:?}, {open} connections, {} kB more than before the first sync",
        after.saturating_sub(before)
    );
    assert!((335..335 + 64).contains(&open), "{open} connections");
    assert!(after - before < 120 << 10, "{} kB", after - before);
    following.stop().await;
}
