//! Callers by their Kubernetes rights, on a real API server: who sees what agrees with what the API server says they may list.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_core::{Collection, Happening, JournalEntry, SourceIdentity};
use clusterlore_index::Door;
use clusterlore_models::Builtin;
use clusterlore_pipeline::{InstanceSync, Options};
use clusterlore_server::{Auth, Kubernetes, Limits, Resource, Tokens, hashed};
use clusterlore_store::{Batch, Runs, Sqlite, Store, Writer};
use clusterlore_testkit::real::{self, ApiServer};
use common::Running;
use serde_json::{Value, json};

const CALLERS: usize = 200;
const NAMESPACES: [&str; 3] = ["bank", "press", "shop"];
/// Group, plural, kind, version.
const NAMESPACED: [(&str, &str, &str, &str); 4] = [
    ("", "configmaps", "ConfigMap", "v1"),
    ("", "secrets", "Secret", "v1"),
    ("", "serviceaccounts", "ServiceAccount", "v1"),
    ("rbac.authorization.k8s.io", "roles", "Role", "rbac.authorization.k8s.io/v1"),
];
const CLUSTER_WIDE: [(&str, &str, &str, &str); 3] = [
    ("", "namespaces", "Namespace", "v1"),
    ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("storage.k8s.io", "storageclasses", "StorageClass", "storage.k8s.io/v1"),
];

struct Open(Arc<LiveSource>);

#[async_trait]
impl Door for Open {
    async fn open(&self) -> Result<Arc<LiveSource>, String> {
        Ok(Arc::clone(&self.0))
    }
}

fn name(n: usize) -> String {
    format!("caller-{n}")
}

async fn source(server: &ApiServer) -> Arc<LiveSource> {
    let options = LiveOptions { kubeconfig: Some(server.kubeconfig("admin")), ..LiveOptions::default() };
    Arc::new(LiveSource::connect(options).await.unwrap())
}

/// What there is to see: an object of each type, in each namespace.
fn objects() -> String {
    let mut text = String::new();
    for namespace in NAMESPACES {
        writeln!(text, "---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}").unwrap();
        for (_, _, kind, version) in NAMESPACED {
            let rest = if kind == "Role" { ", rules: []" } else { "" };
            writeln!(
                text,
                "---\n{{apiVersion: {version}, kind: {kind}, metadata: {{name: thing, namespace: {namespace}}}{rest}}}"
            )
            .unwrap();
        }
    }
    text + "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: thing}, rules: []}\n\
            ---\n{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: thing}, provisioner: none}\n"
}

/// Rights of one caller, at random: rules as people write them, with stars, in the cluster and in namespaces.
fn rights(random: &mut fastrand::Rng, caller: &str) -> String {
    let mut text = String::new();
    for n in 0..random.usize(0..4) {
        let all: Vec<_> = NAMESPACED.iter().chain(&CLUSTER_WIDE).collect();
        let mut rules = Vec::new();
        for _ in 0..random.usize(1..4) {
            let (group, plural, ..) = random.choice(&all).unwrap();
            let verbs = [&["list"][..], &["get", "list", "watch"], &["*"], &["get"], &["watch", "create"]];
            let verbs = random.choice(verbs).unwrap();
            let groups = if random.u8(0..5) == 0 { "*" } else { group };
            let resources = match random.u8(0..8) {
                0 => json!(["*"]),
                1 => json!([format!("{plural}/status")]),
                _ => json!([plural]),
            };
            let mut rule = json!({"apiGroups": [groups], "resources": resources, "verbs": verbs});
            if random.u8(0..8) == 0 {
                // A right to one object by its name is none to list all.
                rule["resourceNames"] = json!(["thing"]);
            }
            rules.push(rule);
        }
        let role = format!("{caller}-{n}");
        let wide = random.u8(0..3) == 0;
        let namespace = random.choice(NAMESPACES).unwrap();
        let version = "rbac.authorization.k8s.io/v1";
        let subjects = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": caller}]);
        let (kind, meta) = match wide {
            true => ("Cluster", json!({"name": role})),
            false => ("", json!({"name": role, "namespace": namespace})),
        };
        let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": format!("{kind}Role"), "name": role});
        for object in [
            json!({"apiVersion": version, "kind": format!("{kind}Role"), "metadata": meta, "rules": rules}),
            json!({"apiVersion": version, "kind": format!("{kind}RoleBinding"), "metadata": meta, "roleRef": reference, "subjects": subjects}),
        ] {
            writeln!(text, "---\n{object}").unwrap();
        }
    }
    text
}

/// What `kubectl auth can-i list` asks for, for all there is at once, and what `kubectl get namespace` does: the answers in the order of the
/// questions.
fn may(server: &ApiServer, caller: &str, asked: &[(String, String, String)]) -> Vec<bool> {
    let reviews = asked.iter().map(|(group, plural, namespace)| {
        let (verb, name) = if plural == "namespaces" && !namespace.is_empty() { ("get", namespace.as_str()) } else { ("list", "") };
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes":
            {"verb": verb, "group": group, "resource": plural, "namespace": namespace, "name": name}}})
    });
    let file = server.dir().join(format!("{caller}.json"));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": reviews.collect::<Vec<_>>()});
    std::fs::write(&file, list.to_string()).unwrap();
    let ran = server.kubectl_as(caller, &["create", "-o", "json", "-f", file.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told: Vec<Value> = serde_json::Deserializer::from_slice(&ran.stdout).into_iter().map(Result::unwrap).collect();
    assert_eq!(told.len(), asked.len());
    told.iter().map(|review| review["status"]["allowed"] == true).collect()
}

async fn serving(server: &ApiServer, audiences: &[&str]) -> (Running, Arc<LiveSource>) {
    let source = source(server).await;
    let audiences = audiences.iter().map(|a| (*a).to_owned()).collect();
    let door = Arc::new(Open(Arc::clone(&source)));
    let start = |folder: &std::path::Path, store: &Arc<dyn Store>| {
        let file = folder.join("tokens.toml");
        std::fs::write(
            &file,
            format!("[[token]]\nname = \"controller\"\nsha256 = \"{}\"\nwrite = \"\"\n", hashed("post")),
        )
        .unwrap();
        let api = Kubernetes::new(door, Arc::clone(store), String::new(), audiences);
        let resource = Resource {
            url: "https://lore.example.org/mcp".parse().unwrap(),
            issuers: vec!["https://login.example.org".parse().unwrap()],
        };
        Auth::Kubernetes { api, tokens: Some(Arc::new(Tokens::open(&file).unwrap())), resource: Some(resource) }
    };
    let running = Running::start(start, Limits::default()).await;
    sync(Arc::clone(&source), &running).await;
    (running, source)
}

async fn sync(source: Arc<LiveSource>, running: &Running) {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open_or_create(&running.folder.path().join("index.db")).unwrap());
    let sync = InstanceSync {
        source,
        store: Some(store),
        embedder: Arc::new(Builtin::default()),
        options: Options::default(),
    };
    sync.run(&|_| ()).await.unwrap();
}

async fn status(running: &Running, token: &str, path: &str) -> u16 {
    running.send("GET", path, &[("authorization", &format!("Bearer {token}"))], b"").await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_what_agrees_with_what_they_may_list() {
    let options = real::Options { users: (0..CALLERS).map(name).collect(), ..real::Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.apply(&objects());
    let mut random = fastrand::Rng::with_seed(16);
    let rights: String = (0..CALLERS).map(|n| rights(&mut random, &name(n))).collect();
    server.apply(&rights);
    let (running, _source) = serving(&server, &[]).await;

    let mut places: Vec<((String, String, String), String)> = Vec::new();
    for (group, plural, kind, version) in NAMESPACED {
        for namespace in NAMESPACES {
            let id = format!("{namespace}/{version}/{kind}/thing");
            places.push(((group.to_owned(), plural.to_owned(), namespace.to_owned()), id));
        }
    }
    for (group, plural, kind, version) in CLUSTER_WIDE.iter().filter(|of| of.2 != "Namespace") {
        places
            .push(((group.to_string(), plural.to_string(), String::new()), format!("_cluster/{version}/{kind}/thing")));
    }
    for namespace in NAMESPACES {
        let asked = (String::new(), "namespaces".to_owned(), namespace.to_owned());
        places.push((asked, format!("_cluster/v1/Namespace/{namespace}")));
    }
    let mut asked: Vec<_> = places.iter().map(|(asked, _)| asked.clone()).collect();
    // Who may list them may see each.
    asked.push((String::new(), "namespaces".to_owned(), String::new()));
    let (mut seen, mut hidden, mut single) = (0, 0, 0);
    for n in 0..CALLERS {
        let caller = name(n);
        let mut may = may(&server, &caller, &asked);
        let lists = may.pop().unwrap();
        for ((asked, _), may) in places.iter().zip(&mut may).filter(|((asked, _), _)| asked.1 == "namespaces") {
            single += usize::from(*may && !lists && !asked.2.is_empty());
            *may |= lists;
        }
        let token = server.token(&caller);
        let mut by_type: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
        for ((asked, id), may) in places.iter().zip(may) {
            let got = status(&running, &token, &format!("/api/v1/instances/{id}")).await;
            assert_eq!(got, if may { 200 } else { 404 }, "{caller} {id}");
            by_type.entry(&asked.1).or_default().insert(may);
            if may { seen += 1 } else { hidden += 1 }
        }
        // Nor does any number know more.
        let told =
            running.send("GET", "/api/v1/status", &[("authorization", &format!("Bearer {token}"))], b"").await.json();
        let types: BTreeSet<&str> = told["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["type"].as_str().unwrap().split('.').next().unwrap())
            .collect();
        for (plural, may) in by_type {
            assert_eq!(types.contains(plural), may.contains(&true), "{caller} {plural} {told}");
        }
    }
    assert!(single > 20, "{single} Namespace objects are seen by who may not list them");
    assert!(seen > 300 && hidden > 1_000, "{seen} seen, {hidden} hidden: the rights are not mixed enough");
    // kubectl itself, of some.
    for n in 0..5 {
        let caller = name(n);
        let namespaced =
            |asked: &(String, String, String)| asked.0.is_empty() && !asked.2.is_empty() && asked.1 != "namespaces";
        for ((_, plural, namespace), id) in places.iter().filter(|(asked, _)| namespaced(asked)) {
            let ran = server.kubectl_as(&caller, &["auth", "can-i", "list", plural, "-n", namespace]);
            let can = String::from_utf8_lossy(&ran.stdout).trim() == "yes";
            let got = status(&running, &server.token(&caller), &format!("/api/v1/instances/{id}")).await;
            assert_eq!(got == 200, can, "{caller} {plural} {namespace}");
        }
    }
}

/// The last object of a type in a namespace goes, and the first of another comes: who may list both there sees what happened.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_told_of_places_where_nothing_is_left_and_of_new_ones() {
    let options = real::Options { users: vec![name(0)], ..real::Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.apply(&objects());
    server.apply(
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: some, namespace: shop}, \
          rules: [{apiGroups: ['*'], resources: [ingresses, leases, configmaps], verbs: [list]}]}\n\
          ---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: some, namespace: shop}, \
          roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: some}, \
          subjects: [{kind: User, name: caller-0, apiGroup: rbac.authorization.k8s.io}]}",
    );
    let (running, _source) = serving(&server, &[]).await;
    let store = Sqlite::open_or_create(&running.folder.path().join("index.db")).unwrap();
    let mut noticed = 0;
    let mut happens = async |what, ty: &str, version: &str, kind: &str, namespaces: &[&str]| {
        let mut journal = Vec::new();
        for namespace in namespaces {
            noticed += 1;
            let at = JournalEntry::time(jiff::Timestamp::now() + jiff::SignedDuration::from_micros(noticed));
            let (type_name, api_version, kind) = (ty.to_owned(), version.to_owned(), kind.to_owned());
            let (namespace, name) = ((*namespace).to_owned(), format!("{kind}-front").to_lowercase());
            let what = Some(what);
            journal.push(JournalEntry {
                at,
                what,
                type_name,
                api_version,
                kind,
                namespace,
                name,
                ..JournalEntry::default()
            });
        }
        store.apply(Collection::Instances, Batch { journal, ..Batch::default() }).await.unwrap();
    };
    let told = async || {
        let authorization = format!("Bearer {}", server.token(&name(0)));
        let told = running.send("GET", "/api/v1/changes", &[("authorization", &authorization)], b"").await.json();
        let all = told["changes"].as_array().unwrap().iter();
        all.map(|entry| (entry["namespace"].as_str().unwrap().to_owned(), entry["kind"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let shop = |kind: &str| ("shop".to_owned(), kind.to_owned());
    let (ingresses, leases) = ("ingresses.networking.k8s.io", "leases.coordination.k8s.io");
    // No namespace is called "elsewhere" any more.
    let namespaces = ["shop", "bank", "elsewhere"];
    happens(Happening::Deleted, ingresses, "networking.k8s.io/v1", "Ingress", &namespaces).await;
    assert_eq!(told().await, [shop("Ingress")]);
    happens(Happening::Created, leases, "coordination.k8s.io/v1", "Lease", &namespaces).await;
    let began = std::time::Instant::now();
    while told().await.len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(15), "the new place is not noticed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(told().await, [shop("Lease"), shop("Ingress")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_valid_tokens_for_this_server_are_let_in_and_nobody_when_it_cannot_be_asked() {
    let Some(mut server) = ApiServer::start_or_skip() else { return };
    server.apply(&objects());
    server.apply(
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: thing, namespace: shop}, \
          roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:aggregate-to-view'}, \
          subjects: [{kind: ServiceAccount, name: thing, namespace: shop}]}",
    );
    server.kubectl(&["wait", "--for=create", "clusterrole/system:aggregate-to-view", "--timeout=60s"]);
    let made = |audience: &str| {
        server.kubectl(&["create", "token", "thing", "-n", "shop", "--audience", audience]).trim().to_owned()
    };
    let (ours, others) = (made("clusterlore"), made("vault"));
    let (running, source) = serving(&server, &["clusterlore"]).await;
    let here = "/api/v1/instances/shop/v1/ConfigMap/thing";
    assert_eq!(status(&running, &ours, here).await, 200);
    assert_eq!(status(&running, &ours, "/api/v1/instances/bank/v1/ConfigMap/thing").await, 404);
    assert_eq!(status(&running, &ours, "/api/v1/instances/shop/v1/Secret/thing").await, 404);
    for wrong in [others.as_str(), "nobody", &format!("{ours}x")] {
        let refused = running.send("GET", here, &[("authorization", &format!("Bearer {wrong}"))], b"").await;
        assert_eq!(refused.status, 401);
        assert_eq!(
            refused.header("www-authenticate"),
            Some(
                "Bearer realm=\"clusterlore\", error=\"invalid_token\", \
                 resource_metadata=\"https://lore.example.org/.well-known/oauth-protected-resource/mcp\""
            )
        );
    }
    let refused = running.get(here).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").is_some_and(|told| !told.contains("error=")));
    // Whoever has no token yet can read where to get one.
    let told = running.get("/.well-known/oauth-protected-resource/mcp").await.json();
    assert_eq!(told["authorization_servers"], json!(["https://login.example.org"]));
    // Nobody who asks may post, and who posts may not ask.
    let post = async |token: &str| {
        let headers = [("content-type", "application/json"), ("authorization", token)];
        running.send("POST", "/api/v1/instances/sync", &headers, b"{}").await.status
    };
    assert_eq!((post(&format!("Bearer {ours}")).await, post("Bearer post").await), (403, 200));
    assert_eq!(status(&running, "post", here).await, 404);

    // An index of another cluster shows nothing to who may see all of this one.
    let other = Running::start(
        |_, store| Auth::Kubernetes {
            api: Kubernetes::new(Arc::new(Open(Arc::clone(&source))), Arc::clone(store), String::new(), Vec::new()),
            tokens: None,
            resource: None,
        },
        Limits::default(),
    )
    .await;
    let admin = server.token("admin");
    assert_eq!(status(&other, &admin, "/api/v1/status").await, 200);
    let store = Sqlite::open_or_create(&other.folder.path().join("index.db")).unwrap();
    let uid = Some("another".to_owned());
    let elsewhere =
        SourceIdentity::Cluster { uid, server: "https://elsewhere.example.org".to_owned(), ca_hash: String::new() };
    store.remember_source("", &elsewhere, false).await.unwrap();
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(status(&other, &admin, "/api/v1/status").await, 401);

    server.kill();
    let began = std::time::Instant::now();
    assert_eq!(status(&running, "somebody-new", here).await, 401);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(31)).await;
    let refused = running.send("GET", here, &[("authorization", &format!("Bearer {ours}"))], b"").await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    drop(source);
}
