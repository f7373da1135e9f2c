//! The fake API server watches as a real one does.

#![allow(clippy::unwrap_used)]

use std::{path::Path, time::Duration};

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::{
    fake::{FakeApiServer, Fault},
    real::{ApiServer, Options},
};
use http::{Request, header};
use http_body_util::BodyExt;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;
use tokio::time::{Instant, timeout};

const JSON: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

fn maps() -> ResourceType {
    ResourceType {
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
        ..ResourceType::default()
    }
}

fn map(name: &str, labels: &[&str]) -> ResourceInstance {
    let labels = labels.iter().map(|label| ((*label).to_owned(), "x".to_owned())).collect();
    ResourceInstance { labels, ..ResourceInstance::new("v1", "ConfigMap", Some("default"), name).unwrap() }
}

async fn fake() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(maps());
    server
}

/// What came of a request: all of it, or what came until the connection went.
struct Answer {
    code: u16,
    content_type: String,
    body: Vec<u8>,
    cut: bool,
}

impl Answer {
    /// The events of a watch in JSON.
    fn events(&self) -> Vec<Value> {
        let lines = self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    fn types(&self) -> Vec<String> {
        self.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    fn message(&self) -> String {
        serde_json::from_slice::<Value>(&self.body).unwrap()["message"].as_str().unwrap().to_owned()
    }
}

async fn get(kubeconfig: &Path, accept: &str, query: &str) -> Answer {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let path = format!("/api/v1/namespaces/default/configmaps?{query}");
    let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap();
    let response = Client::try_from(config).unwrap().send(request).await.unwrap();
    let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let mut answer = Answer { code: response.status().as_u16(), content_type, body: Vec::new(), cut: false };
    let mut body = response.into_body();
    while let Some(frame) = timeout(Duration::from_secs(30), body.frame()).await.expect("it ends") {
        match frame {
            Ok(frame) => answer.body.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Err(_) => {
                answer.cut = true;
                break;
            }
        }
    }
    answer
}

/// Names of members, however deep, without what only some objects have.
fn shape(value: &Value) -> Value {
    const OPTIONAL: [&str; 3] = ["annotations", "ownerReferences", "managedFields"];
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !OPTIONAL.contains(&name.as_str()));
            let said = |name: &str, value: &Value| match name {
                "type" | "kind" | "apiVersion" => value.clone(),
                _ => shape(value),
            };
            kept.map(|(name, value)| (name.clone(), said(name, value))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::String(_) => "text".into(),
        other => other.clone(),
    }
}

/// For each event its type and what its object says that it is, as they stand in protobuf before the object itself.
fn heads(mut body: &[u8]) -> Vec<String> {
    let mut heads = Vec::new();
    while let Some((length, rest)) = body.split_first_chunk::<4>() {
        let (event, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let magic = event.windows(4).position(|window| window == b"k8s\0").unwrap();
        let typed = &event[magic + 4..];
        assert_eq!((event[0], typed[0]), (0x0a, 0x0a));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        heads.push(format!(
            "{} {}",
            text(&event[2..2 + usize::from(event[1])]),
            text(&typed[2..2 + usize::from(typed[1])])
        ));
        body = rest;
    }
    assert!(body.is_empty());
    heads
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_written_as_a_real_server_writes_them() {
    let Some(real) = ApiServer::start_or_skip() else { return };
    let fake = fake().await;
    let list = get(&real.kubeconfig("admin"), "application/json", "limit=1").await;
    let list: Value = serde_json::from_slice(&list.body).unwrap();
    let real_from = list["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let fake_from = fake.resource_version();

    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default, labels: {one: x}}\n";
    real.apply(manifest);
    real.kubectl(&["label", "configmap", "a", "two=x"]);
    real.kubectl(&["delete", "configmap", "a"]);
    fake.put(map("a", &["one"])).put(map("a", &["one", "two"])).remove("default/v1/ConfigMap/a");

    let query = |from: &str| format!("watch=true&resourceVersion={from}&timeoutSeconds=1");
    for accept in [JSON, PROTOBUF] {
        let real = get(&real.kubeconfig("admin"), accept, &query(&real_from)).await;
        let fake = get(fake.kubeconfig(), accept, &query(&fake_from)).await;
        assert_eq!((real.code, &real.content_type), (fake.code, &fake.content_type));
        if accept == JSON {
            assert_eq!(fake.types(), ["ADDED", "MODIFIED", "DELETED"]);
            let shapes = |answer: &Answer| answer.events().iter().map(shape).collect::<Vec<_>>();
            assert_eq!(shapes(&real), shapes(&fake));
        } else {
            assert_eq!(heads(&real.body).len(), 3);
            assert_eq!(heads(&real.body), heads(&fake.body));
        }
    }

    // What is there, instead of what happens: a bookmark says where it ends.
    fake.allow_initial_events(true).put(map("b", &[]));
    real.kubectl(&["create", "configmap", "b"]);
    let query =
        "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    for kubeconfig in [&*real.kubeconfig("admin"), fake.kubeconfig()] {
        let answer = get(kubeconfig, JSON, query).await;
        assert_eq!(answer.types(), ["ADDED", "BOOKMARK"]);
        let bookmark = answer.events().pop().unwrap();
        assert_eq!(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn initial_events_are_refused_as_where_they_are_no_feature() {
    let options = Options { api_server_args: vec!["--feature-gates=WatchList=false".to_owned()], ..Options::default() };
    let Some(real) = ApiServer::start_or_skip_with(&options) else { return };
    let fake = fake().await;
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let real = get(&real.kubeconfig("admin"), JSON, query).await;
    let fake = get(fake.kubeconfig(), JSON, query).await;
    assert_eq!((real.code, real.message()), (422, fake.message()));
    assert_eq!(fake.code, 422);
}

#[tokio::test]
async fn what_is_forgotten_is_expired() {
    let server = fake().await;
    server.keep_history(2);
    let before = server.resource_version();
    server.put(map("a", &[])).put(map("b", &[]));
    let query = format!("watch=1&resourceVersion={before}&timeoutSeconds=1");
    assert_eq!(get(server.kubeconfig(), JSON, &query).await.types(), ["ADDED", "ADDED"]);
    server.put(map("c", &[]));
    let answer = get(server.kubeconfig(), JSON, &query).await;
    assert_eq!((answer.code, answer.types()), (200, vec!["ERROR".to_owned()]));
    let status = &answer.events()[0]["object"];
    assert_eq!((status["code"].as_u64(), status["reason"].as_str()), (Some(410), Some("Expired")));
    server.refuse_expired(true);
    let answer = get(server.kubeconfig(), JSON, &query).await;
    assert_eq!((answer.code, answer.message()), (410, status["message"].as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn a_watch_is_cut_expires_or_ends_as_it_was_asked_to() {
    let server = fake().await;
    server.bookmarks_every(Duration::from_millis(300));
    let from = server.resource_version();
    server.put_all((0..5).map(|n| map(&format!("m{n}"), &[])));
    let query = format!("watch=true&resourceVersion={from}&timeoutSeconds=1&allowWatchBookmarks=true");

    let began = Instant::now();
    let answer = get(server.kubeconfig(), JSON, &query).await;
    assert!(!answer.cut && began.elapsed() >= Duration::from_secs(1));
    let types = answer.types();
    assert!(types.len() > 5 && types[..5] == ["ADDED"; 5] && types[5..].iter().all(|ty| ty == "BOOKMARK"), "{types:?}");
    let bookmark = answer.events().pop().unwrap();
    assert_eq!(bookmark["object"]["metadata"]["resourceVersion"], server.resource_version().as_str());

    server.fault("configmaps", Fault::cut_after(2).times(1));
    let answer = get(server.kubeconfig(), JSON, &query).await;
    assert!(answer.cut && answer.types() == ["ADDED"; 2]);
    server.fault("configmaps", Fault::expires_after(2).times(1));
    let answer = get(server.kubeconfig(), JSON, &query).await;
    assert!(!answer.cut && answer.types() == ["ADDED", "ADDED", "ERROR"]);

    // Faults of watches leave lists alone, and the other way round.
    server.fault("configmaps", Fault::status(500).lists());
    assert_eq!(get(server.kubeconfig(), JSON, "limit=5").await.code, 500);
    assert_eq!(get(server.kubeconfig(), JSON, &query).await.code, 200);
}
