//! Runs against a real API server: what the store holds after faults, changes of rights and changes of version.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clusterlore_cluster::ListScope;
use clusterlore_pipeline::{Options, SyncError};
use clusterlore_store::{Sqlite, Store};
use clusterlore_testkit::real::{self, ApiServer};
use common::{Counting, ids, live, run, state};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Between two looks at what the server does in its own time.
const PAUSE: Duration = Duration::from_millis(200);

/// `kubectl proxy` speaks plain HTTP, so that a connection can be cut at a chosen answer; ended when dropped.
struct KubectlProxy {
    child: Child,
    address: String,
}

impl KubectlProxy {
    fn start(kubeconfig: &Path) -> Self {
        let mut child = Command::new("kubectl")
            .args(["proxy", "--port=0", "--kubeconfig"])
            .arg(kubeconfig)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for KubectlProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes requests on and cuts the answers to those whose path begins with `cut` in the middle.
struct Cutter {
    address: String,
    cut: Arc<Mutex<Option<String>>>,
}

impl Cutter {
    async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cut: Arc<Mutex<Option<String>>> = Arc::default();
        let shared = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, cut }
    }

    fn cut(&self, path: Option<&str>) {
        *self.cut.lock().unwrap() = path.map(str::to_owned);
    }
}

/// One request a connection: head on, answer back, whole or half of its first 4 kB.
async fn pass(mut client: TcpStream, upstream: String, cut: Arc<Mutex<Option<String>>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 8192];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        match client.read(&mut buffer).await? {
            0 => return Ok(()),
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let to_cut = cut.lock().unwrap().as_deref().is_some_and(|p| path.starts_with(p) && path.contains("continue="));
    let closing = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut server = TcpStream::connect(&upstream).await?;
    server.write_all(closing.as_bytes()).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    if to_cut {
        let n = from_server.read(&mut buffer).await?;
        return to_client.write_all(&buffer[..n.min(600)]).await;
    }
    tokio::select! {
        done = tokio::io::copy(&mut from_server, &mut to_client) => done.map(|_| ()),
        // The rest of a request's body; it never ends the connection.
        _ = async { let _ = tokio::io::copy(&mut from_client, &mut to_server).await; std::future::pending::<()>().await } => Ok(()),
    }
}

fn proxy_kubeconfig(folder: &Path, address: &str) -> PathBuf {
    let path = folder.join("proxy.yaml");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\n\
         users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\ncurrent-context: c\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn role(server: &ApiServer, core: &str) {
    server.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: indexer}}\nrules:\n\
         - {{apiGroups: [''], resources: [{core}], verbs: [get, list]}}\n\
         - {{apiGroups: [apps], resources: ['*'], verbs: [get, list]}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: indexer}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: indexer}}\n\
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: indexer}}]\n"
    ));
}

fn numbered(kind: &str, n: std::ops::Range<usize>) -> String {
    let one = |n| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: thing-{n}, namespace: shop, labels: {{n: 'v{n}'}}}}\n")
    };
    n.map(one).collect::<Vec<_>>().join("---\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_deletions_a_forbidden_type_and_a_list_killed_in_the_middle() {
    let options = real::Options { users: vec!["indexer".into()], ..real::Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    role(&server, "namespaces, configmaps, secrets, services, serviceaccounts");
    server.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    server.apply(
        &[numbered("ConfigMap", 0..30), numbered("Secret", 0..10), numbered("ServiceAccount", 0..10)].join("---\n"),
    );

    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let embedder = Arc::new(Counting::default());
    let upstream = KubectlProxy::start(&server.kubeconfig("indexer"));
    let cutter = Cutter::start(upstream.address.clone()).await;
    let kubeconfig = proxy_kubeconfig(folder.path(), &cutter.address);
    let sync = || async { run(live(&kubeconfig, None, 7).await, &store, &embedder, Options::default()).await.unwrap() };
    let first = sync().await;
    assert!(first.summary.stored >= 50 && !first.summary.is_partial(), "{:?}", first.summary);
    assert_eq!(
        (sync().await.summary.stored, {
            embedder.take();
            0
        }),
        (0, 0)
    );

    // Three change, two go, one type is forbidden, and the list of another is cut off in the middle.
    for n in 0..3 {
        server.kubectl(&["label", "-n", "shop", "--overwrite", "serviceaccount", &format!("thing-{n}"), "n=changed"]);
    }
    server.kubectl(&["delete", "-n", "shop", "serviceaccount", "thing-8", "thing-9"]);
    server.kubectl(&["delete", "-n", "shop", "secret", "thing-0"]);
    server.kubectl(&["delete", "-n", "shop", "configmap", "thing-1"]);
    role(&server, "namespaces, configmaps, services, serviceaccounts");
    cutter.cut(Some("/api/v1/configmaps"));
    embedder.take();
    let second = sync().await;
    assert_eq!((second.summary.stored, second.summary.deleted), (3, 2), "{:?}", second.summary);
    assert!(embedder.take() <= 3);
    let skipped: Vec<(&str, bool)> =
        second.summary.skipped.iter().map(|s| (s.type_name.as_str(), s.forbidden)).collect();
    assert!(skipped.contains(&("configmaps", false)) && skipped.contains(&("secrets", true)), "{skipped:?}");
    let left = ids(&store).await;
    assert!(
        left.contains(&"shop/v1/Secret/thing-0".to_owned()) && left.contains(&"shop/v1/ConfigMap/thing-1".to_owned())
    );
    assert!(!left.contains(&"shop/v1/ServiceAccount/thing-8".to_owned()));

    cutter.cut(None);
    let third = sync().await;
    assert_eq!((third.summary.stored, third.summary.deleted), (0, 1), "the broken type heals, the forbidden one stays");
    assert!(ids(&store).await.contains(&"shop/v1/Secret/thing-0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_read_two_namespaces_gets_exactly_those() {
    let options = real::Options { users: vec!["two".into(), "lister".into()], ..real::Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    for namespace in ["red", "green", "blue"] {
        server.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"));
        server.apply(&numbered("ConfigMap", 0..5).replace("shop", namespace));
    }
    server.create_role_for("two", &["red", "green"]);
    let folder = tempfile::tempdir().unwrap();
    let embedder = Arc::new(Counting::default());
    let sync = |file: &'static str, scope: ListScope| {
        let (embedder, server, folder) = (&embedder, &server, &folder);
        async move {
            let store = Sqlite::open_or_create(&folder.path().join(file)).unwrap();
            let options = Options { scope, ..Options::default() };
            let ran = run(live(&server.kubeconfig("two"), None, 500).await, &store, embedder, options).await.unwrap();
            assert!(!ran.summary.is_partial(), "{:?}", ran.summary);
            let mut namespaces: Vec<String> =
                ids(&store).await.iter().map(|id| id.split('/').next().unwrap().to_owned()).collect();
            namespaces.dedup();
            namespaces
        }
    };
    let named = ListScope::Namespaces(["red", "green", "blue"].map(Into::into).to_vec());
    assert_eq!(sync("named.db", named).await, ["green", "red"]);
    // With the right to list namespaces they are found without being named.
    server.apply(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ns}\n\
         rules: [{apiGroups: [''], resources: [namespaces], verbs: [list]}]\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ns}\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ns}\n\
         subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: two}]\n",
    );
    assert_eq!(sync("found.db", ListScope::All).await, ["_cluster", "green", "red"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preferred_version_that_changes_and_an_api_that_goes_stale_delete_nothing() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let definition = |served: &str| {
        let version = |name: &str, storage: bool| {
            format!(
                "  - {{name: {name}, served: {}, storage: {storage}, schema: {{openAPIV3Schema: {{type: object, description: An order.}}}}}}\n",
                served.split(' ').any(|version| version == name)
            )
        };
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: orders.shop.example}}\nspec:\n  \
             group: shop.example\n  scope: Namespaced\n  names: {{kind: Order, plural: orders, singular: order}}\n  versions:\n{}{}",
            version("v1alpha1", true),
            version("v1", false)
        )
    };
    server.apply(&definition("v1alpha1"));
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/orders.shop.example"]);
    for n in 0..4 {
        server.apply(&format!(
            "apiVersion: shop.example/v1alpha1\nkind: Order\nmetadata: {{name: o-{n}, namespace: default}}\n"
        ));
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let embedder = Arc::new(Counting::default());
    let sync = || async {
        run(live(&server.kubeconfig("admin"), None, 500).await, &store, &embedder, Options::default()).await.unwrap()
    };
    // The server's discovery follows its definitions after a moment.
    let sync_until_stored = async |id: &str| {
        for _ in 0..50 {
            let ran = sync().await;
            if ids(&store).await.iter().any(|stored| stored == id) {
                return ran;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{id} was never stored");
    };
    sync_until_stored("default/shop.example/v1alpha1/Order/o-0").await;
    server.apply(&definition("v1alpha1 v1"));
    let ran = sync_until_stored("default/shop.example/v1/Order/o-0").await;
    assert_eq!(ran.summary.deleted, 0);
    let before = state(&store).await;
    let orders: Vec<String> = ids(&store).await.into_iter().filter(|id| id.contains("/Order/")).collect();
    assert_eq!(orders.len(), 4, "{orders:?}");
    assert!(orders.iter().all(|id| id.contains("/v1/")), "{orders:?}");

    // An APIService without a server behind it: its group is stale from the first moment.
    server.apply(
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.broken.example}\n\
         spec: {group: broken.example, version: v1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, \
         service: {name: nobody, namespace: default}}\n",
    );
    let mut ran = sync().await;
    for _ in 0..50 {
        if ran.lines.iter().any(|l| l.starts_with("Warning: ") && l.contains("broken.example")) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        ran = sync().await;
    }
    assert!(ran.lines.iter().any(|l| l.starts_with("Warning: ") && l.contains("broken.example")), "{:?}", ran.lines);
    assert_eq!(ran.summary.deleted, 0);
    let after = state(&store).await;
    assert!(before.keys().all(|key| after.contains_key(key)));
    let types = store.view_all("a test").await.unwrap().types().await.unwrap();
    assert!(types.iter().any(|(_, t)| t.name() == "orders.shop.example" && t.description == "An order."));

    // Uninstalled: the type answers 404, and its documents go.
    server.kubectl(&["delete", "crd", "orders.shop.example"]);
    for _ in 0..50 {
        sync().await;
        if ids(&store).await.iter().all(|id| !id.contains("/Order/")) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the documents of a type that is gone stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_without_rights_is_told_so() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let source = live(&server.kubeconfig("viewer"), None, 500).await;
    let refused = run(source, &store, &Arc::default(), Options::default()).await.err().unwrap();
    assert!(matches!(refused, SyncError::NothingListed { .. }), "{refused}");
}
