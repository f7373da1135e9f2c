//! `serve` beside a real cluster: what is created is found over HTTP a moment later, and what is deleted is gone.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clusterlore_cluster::writes::Manner;
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_core::ResourceType;
use clusterlore_testkit::real::ApiServer;
use common::Home;
use serde_json::{Value, json};

struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(home: &Home, server: &ApiServer) -> Self {
        let kubeconfig = server.kubeconfig("admin");
        let args = ["serve", "--listen", "127.0.0.1:0", "--kubeconfig", kubeconfig.to_str().unwrap()];
        let mut child = home.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Serving on http") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it served");
        }
        let address = line.split("://").nth(1).unwrap().split([' ', '/']).next().unwrap().to_owned();
        std::thread::spawn(move || lines.read_to_string(&mut String::new()));
        let serving = Self { child, address };
        serving.until(Duration::from_secs(60), || serving.get("/readyz").0 == 200);
        serving
    }

    fn until(&self, most: Duration, holds: impl Fn() -> bool) -> Duration {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < most, "it does not hold after {most:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// Whether a search for its name finds an object first.
    fn finds(&self, name: &str, id: &str) -> bool {
        let (status, text) = self.get(&format!("/api/v1/search?q={name}&limit=1&live=false"));
        let told: Value = serde_json::from_str(&text).unwrap();
        status == 200 && told["hits"][0]["id"] == id
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kind, plural, group, what an object needs beside its name.
fn kinds() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let selected = json!({"selector": {"matchLabels": {"a": "b"}}, "template": pod});
    vec![
        ("ConfigMap", "configmaps", "", json!({})),
        ("Secret", "secrets", "", json!({})),
        ("ServiceAccount", "serviceaccounts", "", json!({})),
        ("Service", "services", "", json!({"spec": {"ports": [{"port": 80}]}})),
        (
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            "",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
        ),
        ("Deployment", "deployments", "apps", json!({"spec": selected})),
        ("DaemonSet", "daemonsets", "apps", json!({"spec": selected})),
        ("Role", "roles", "rbac.authorization.k8s.io", json!({"rules": []})),
        ("NetworkPolicy", "networkpolicies", "networking.k8s.io", json!({"spec": {"podSelector": {}}})),
        (
            "PodDisruptionBudget",
            "poddisruptionbudgets",
            "policy",
            json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_is_found_and_what_is_deleted_is_gone() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply("---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n");
    let home = Home::new();
    let mut serving = Serving::start(&home, &server);
    let options = LiveOptions { kubeconfig: Some(server.kubeconfig("admin")), ..LiveOptions::default() };
    let cluster = LiveSource::connect(options).await.unwrap();
    let mut took = Vec::new();
    let mut ids = Vec::new();
    for n in 0..200 {
        let (kind, plural, group, rest) = kinds().swap_remove(n % 10);
        let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
        let name = format!("{}-number-{n}", ["heron", "otter", "badger", "falcon"][n % 4]);
        let mut object =
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let ty = ResourceType {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced: true,
            ..ResourceType::default()
        };
        cluster.apply(&ty, "shop", &name, &object, Manner { dry_run: false, force: false }).await.unwrap();
        let id = format!("shop/{api_version}/{kind}/{name}");
        took.push(serving.until(Duration::from_secs(20), || serving.finds(&name, &id)));
        ids.push(id);
    }
    took.sort();
    println!("created, then found over HTTP: p50 {:?}, p95 {:?}, most {:?}", took[100], took[190], took[199]);
    // The target is 300 ms; on a machine that does other things too nothing is asserted but that it is no matter of a poll.
    assert!(took[190] < Duration::from_secs(5), "{:?}", took[190]);

    server.kubectl(&["delete", "configmaps", "--all", "-n", "shop"]);
    let gone = || ids.iter().step_by(10).all(|id| serving.get(&format!("/api/v1/instances/{id}")).0 == 404);
    serving.until(Duration::from_secs(20), gone);
    let (_, metrics) = serving.get("/metrics");
    assert!(metrics.contains("clusterlore_live_types{cluster=\"\",state=\"watching\"}"), "{metrics}");

    // What a controller posts of a cluster that is watched changes nothing: the watch knows better.
    let id = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    // The index is what a sync finds.
    let again = home.run(&["sync-instances", "--kubeconfig", server.kubeconfig("admin").to_str().unwrap()]).ok();
    assert!(again.err.contains("0 stored, 0 deleted"), "{}", again.err);
}
