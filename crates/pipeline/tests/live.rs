//! The index follows a cluster: an API server whose faults are scripted, and a real one. After each trouble the index equals a fresh sync.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use clusterlore_cluster::{ListScope, WatchBounds};
use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_pipeline::{Options, Pace, TypeState};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::following::{Following, pace};

fn ty(name: &str, version: &str, kind: &str) -> ResourceType {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    ResourceType {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        ..ResourceType::default()
    }
}

fn pod(namespace: &str, name: &str, label: &str) -> ResourceInstance {
    let pod = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
    ResourceInstance { labels: [("app".to_owned(), label.to_owned())].into(), ..pod }
}

fn order(name: &str) -> ResourceInstance {
    ResourceInstance::new("orders.example/v1", "Order", Some("shop"), name).unwrap()
}

/// Pods and deployments in two namespaces.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(ty("pods", "v1", "Pod")).add_type(ty("deployments.apps", "v1", "Deployment"));
    for n in 0..10 {
        let namespace = if n % 2 == 0 { "even" } else { "odd" };
        server.put(pod(namespace, &format!("pod-{n}"), "a"));
        server.put(ResourceInstance::new("apps/v1", "Deployment", Some(namespace), &format!("web-{n}")).unwrap());
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_changed_and_deleted_is_in_the_index_a_moment_later() {
    let server = server().await;
    let mut following = Following::start(server.kubeconfig()).await;
    following.equals_a_fresh_sync().await;
    following.embedder.take();
    server.put(pod("even", "new", "b")).put(pod("even", "pod-0", "changed")).remove("odd/v1/Pod/pod-1");
    following.until("three changes", |state| (state.written, state.deleted) == (2, 1)).await;
    assert_eq!(following.embedder.take(), 2);
    following.equals_a_fresh_sync().await;

    // Only its version is another: nothing is embedded, nothing is written.
    server.put(pod("even", "pod-0", "changed")).put(pod("even", "last", "c"));
    following.until("one change", |state| (state.written, state.deleted) == (3, 1)).await;
    assert_eq!(following.embedder.take(), 1);
    following.stop().await;
    following.equals_a_fresh_sync().await;
}
