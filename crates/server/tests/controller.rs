//! What the k8s-vectordb-sync controller sends, as it sends it: one connection, one post at a time, fifty objects or one delete a post, null
//! maps, each served version, everything again after a restart. Nothing of it may be lost, whatever else happens.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use common::{Controller, Running};
use serde_json::{Value, json};

const OBJECTS: usize = 5_000;
const DELETES: usize = 2_000;

/// Object `n`; every tenth is an autoscaler, which is served in two versions.
fn object(n: usize, version: &str, generation: usize) -> Value {
    let (api_version, group, kind) = match n % 10 {
        0 => (format!("autoscaling/{version}"), "autoscaling", "HorizontalPodAutoscaler"),
        1..4 => ("apps/v1".to_owned(), "apps", "Deployment"),
        _ => ("v1".to_owned(), "", "ConfigMap"),
    };
    let namespace = ["shop", "bank", "press"][n % 3];
    let labels = if n.is_multiple_of(4) {
        Value::Null
    } else {
        json!({"app": format!("app-{}", n % 50), "generation": generation.to_string()})
    };
    json!({
        "id": format!("{namespace}/{api_version}/{kind}/thing-{n}"), "namespace": namespace, "name": format!("thing-{n}"), "kind": kind,
        "apiVersion": api_version, "apiGroup": group, "labels": labels, "annotations": null, "createdAt": "2026-02-20T10:00:00Z",
    })
}

fn id(n: usize, version: &str) -> String {
    object(n, version, 0)["id"].as_str().unwrap().to_owned()
}

/// Everything as a controller sends it when it starts.
async fn send_all(controller: &mut Controller, numbers: impl Iterator<Item = usize>, generation: usize) {
    let mut all: Vec<Value> = Vec::new();
    for n in numbers {
        all.push(object(n, "v1", generation));
        if n.is_multiple_of(10) {
            all.push(object(n, "v2", generation));
        }
    }
    for batch in all.chunks(50) {
        let told = controller.post("/api/v1/instances/sync", &json!({"upserts": batch, "deletes": null})).await;
        assert_eq!((told.status, told.json()["upserted"].as_u64()), (200, Some(batch.len() as u64)));
    }
}

async fn delete(controller: &mut Controller, numbers: impl Iterator<Item = usize>) {
    for n in numbers {
        // Each version is deleted by itself.
        for version in if n.is_multiple_of(10) { &["v1", "v2"][..] } else { &["v1"] } {
            let told =
                controller.post("/api/v1/instances/sync", &json!({"upserts": null, "deletes": [id(n, version)]})).await;
            assert_eq!(told.text(), r#"{"status":"ok","upserted":0,"deleted":1}"#);
        }
    }
}

/// What the index holds, by name and label.
async fn held(running: &Running) -> BTreeSet<(String, String)> {
    let told = running.export().await;
    let row = |record: &Value| {
        let label = record["labels"]["generation"].as_str().unwrap_or_default().to_owned();
        (record["id"].as_str().unwrap().to_owned(), label)
    };
    told.iter().map(row).collect()
}

fn expected(numbers: impl Iterator<Item = usize>, generation: impl Fn(usize) -> usize) -> BTreeSet<(String, String)> {
    let row = |n: usize| {
        let label = if n.is_multiple_of(4) { String::new() } else { generation(n).to_string() };
        (id(n, "v2"), label)
    };
    numbers.map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_that_a_controller_sends() {
    let running = Running::open().await;
    let (ingest, stop) = (running.ingest.clone(), running.stop.subscribe());
    let worker = tokio::spawn(async move { ingest.run(stop).await });
    let mut controller = Controller::of(&running).await;
    let began = Instant::now();
    send_all(&mut controller, 0..OBJECTS, 0).await;
    // Four hundred at once, one post each, while others still change.
    let gone = |n: &usize| n % 5 < 2;
    for burst in (0..OBJECTS).filter(gone).take(DELETES).collect::<Vec<_>>().chunks(400) {
        delete(&mut controller, burst.iter().copied()).await;
        send_all(&mut controller, (0..OBJECTS).filter(|n| n % 5 == 2).take(50), 1).await;
    }
    // It starts again, and sends all that is left.
    let left = || (0..OBJECTS).filter(|n| !gone(n));
    let took = std::mem::take(&mut controller.took);
    controller = Controller { took, ..Controller::of(&running).await };
    send_all(&mut controller, left(), 2).await;
    let mut took = controller.took.clone();
    took.sort();
    println!(
        "sent in {:?}; waiting {:?}; p99 {:?} max {:?}",
        began.elapsed(),
        running.ingest.waiting().await.unwrap(),
        took[took.len() * 99 / 100],
        took.last()
    );
    running.drained(Duration::from_secs(120)).await;
    println!("written after {:?}", began.elapsed());
    let (held, expected) = (held(&running).await, expected(left(), |_| 2));
    assert_eq!(held.len(), OBJECTS - DELETES);
    assert_eq!(held, expected);
    running.stop.send_replace(true);
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_written_after_the_server_came_back() {
    let mut running = Running::open().await;
    let mut controller = Controller::of(&running).await;
    send_all(&mut controller, 0..500, 0).await;
    delete(&mut controller, 0..100).await;
    let told = controller.post("/api/v1/capabilities/scan", &json!({"upserts": ["a.example.org"]})).await;
    assert_eq!(told.status, 202);
    // Nobody has written anything yet; then the process is another one.
    running = running.again().await;
    assert_eq!(
        (running.ingest.waiting().await.unwrap().posts, running.ingest.waiting().await.unwrap().scans),
        (121, 1)
    );
    running.written().await;
    assert_eq!(held(&running).await, expected(100..500, |_| 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_cluster_is_watched_posts_are_taken_and_change_nothing() {
    let running = Running::watching("").await;
    let mut controller = Controller::of(&running).await;
    send_all(&mut controller, 0..50, 0).await;
    assert_eq!(running.ingest.waiting().await.unwrap().posts, 0);
    running.written().await;
    assert!(running.export().await.is_empty());
}
