//! Filling a server with many objects, for benchmarks and tests of memory and paging.

use std::{collections::BTreeSet, thread, time::Instant};

use clusterlore_core::{ResourceType, excluded_by_default};
use futures::{StreamExt, TryStreamExt, stream};
use http::{Request, header};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    core::discovery::v2::APIGroupDiscovery,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::processes::pause;
use super::{ApiServer, START_TIMEOUT};

/// Requests on their way at the same time; more make the server no faster.
const IN_FLIGHT: usize = 32;

/// Namespaces over which pods and objects are spread.
const NAMESPACES: usize = 20;

/// What the pods are called after: `checkout-7d9f8b6c5d-x2k4q`.
const APPS: &[&str] = &[
    "checkout",
    "cart",
    "payments",
    "invoice-renderer",
    "catalog-api",
    "search-indexer",
    "orders-db",
    "redis-cache",
    "session-store",
    "mail-relay",
    "image-resizer",
    "fraud-scorer",
    "kafka-broker",
    "report-builder",
    "user-profile",
    "web-frontend",
    "nginx-gateway",
    "postgres",
    "rabbitmq",
    "feature-flags",
    "audit-log",
    "metrics-bridge",
    "pricing-engine",
    "stock-sync",
];

impl ApiServer {
    /// Creates `n` pods in the namespaces `load-00` … `load-19`, each with about `metadata_bytes` of metadata (as JSON, managedFields
    /// included): six labels, an owner, and annotations up to that size. A call on a server that has some adds further ones.
    ///
    /// # Panics
    /// The server refuses something, or `metadata_bytes` is less than a pod of this kind has without padding (some 2 KB).
    pub fn create_pods(&self, n: usize, metadata_bytes: usize) {
        self.create_pods_over(NAMESPACES, n, metadata_bytes);
    }

    /// [`Self::create_pods`] in so many namespaces: `load-00`, `load-01`, ….
    ///
    /// # Panics
    /// As [`Self::create_pods`].
    pub fn create_pods_over(&self, namespaces: usize, n: usize, metadata_bytes: usize) {
        self.block_on(async |client| {
            create_namespaces(&client, namespaces).await?;
            let round = format!("{:08x}", fastrand::u32(..));
            let probe =
                post(&client, "/api/v1/namespaces/load-00/pods?dryRun=All", &pod(0, &round, 0, namespaces)).await?;
            let probe: Value = serde_json::from_str(&probe).expect("the server answers in JSON");
            let bare = probe["metadata"].to_string().len();
            assert!(bare <= metadata_bytes, "{metadata_bytes} bytes of metadata were asked for; a bare pod has {bare}");
            stream::iter(0..n)
                .map(|i| {
                    let (client, pod) = (client.clone(), pod(i, &round, metadata_bytes - bare, namespaces));
                    async move {
                        post(&client, &format!("/api/v1/namespaces/{}/pods", namespace(i, namespaces)), &pod).await
                    }
                })
                .buffer_unordered(IN_FLIGHT)
                .try_for_each(async |_| Ok(()))
                .await
        });
    }

    /// Adds custom resource definitions and objects of them until `types` types are served and `objects` objects exist, counting only
    /// what clusterlore lists by default.
    ///
    /// # Panics
    /// The server refuses something, or has more than that already.
    pub fn create_types(&self, types: usize, objects: usize) {
        let present = self.listed_types().len();
        assert!(present <= types, "{types} types were asked for, and {present} are served already");
        let new: Vec<usize> = (present..types).collect();
        self.block_on(async |client| {
            create_namespaces(&client, NAMESPACES).await?;
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            stream::iter(&new)
                .map(|i| {
                    let (client, definition) = (client.clone(), definition(*i));
                    async move { post(&client, path, &definition).await }
                })
                .buffer_unordered(IN_FLIGHT)
                .try_for_each(async |_| Ok(()))
                .await
        });
        let deadline = Instant::now() + START_TIMEOUT;
        while self.listed_types().len() < types {
            assert!(Instant::now() < deadline, "{} of {types} types are served", self.listed_types().len());
            pause();
        }
        // The server itself adds some (an APIService for every new group) for a while: count again until it agrees.
        let mut next = 0;
        loop {
            let count = self.count_objects();
            assert!(count <= objects, "{objects} objects were asked for, and there are {count}");
            if count == objects {
                return;
            }
            assert!(!new.is_empty(), "{count} objects of {types} types; without a new type nothing can be added");
            let range = next..next + objects - count;
            next = range.end;
            self.block_on(async |client| {
                stream::iter(range)
                    .map(|i| {
                        let (client, ty) = (client.clone(), new[i % new.len()]);
                        let path =
                            format!("/apis/{}/v1/namespaces/{}/{}", group(ty), namespace(i, NAMESPACES), plural(ty));
                        async move { post(&client, &path, &object(ty, i)).await }
                    })
                    .buffer_unordered(IN_FLIGHT)
                    .try_for_each(async |_| Ok(()))
                    .await
            });
        }
    }

    /// The types that the server serves and that clusterlore lists by default, each once, sorted by name.
    ///
    /// # Panics
    /// Discovery fails.
    pub fn listed_types(&self) -> Vec<ResourceType> {
        self.block_on(async |client| {
            let mut groups = client.list_core_api_versions_aggregated().await?.items;
            groups.extend(client.list_api_groups_aggregated().await?.items);
            Ok(types_of(groups))
        })
    }

    /// How many objects the [`Self::listed_types`] have together.
    ///
    /// # Panics
    /// A list fails.
    pub fn count_objects(&self) -> usize {
        let types = self.listed_types();
        self.block_on(async |client| {
            stream::iter(types)
                .map(|ty| {
                    let client = client.clone();
                    async move { count(&client, &ty).await }
                })
                .buffer_unordered(IN_FLIGHT)
                .try_fold(0, async |sum, n| Ok(sum + n))
                .await
        })
    }

    /// Runs something with a client of the administrator, from plain code and from inside another runtime alike.
    fn block_on<T: Send>(&self, work: impl AsyncFnOnce(Client) -> kube::Result<T> + Send) -> T {
        let file = self.kubeconfig("admin");
        let run = || {
            let runtime = Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let kubeconfig = Kubeconfig::read_from(file).expect("the kubeconfig of this server");
                let options = KubeConfigOptions::default();
                let mut config =
                    Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a whole kubeconfig");
                config.proxy_url = None;
                config.disable_compression = true;
                work(Client::try_from(config)?).await
            })
        };
        let result = thread::scope(|scope| scope.spawn(run).join());
        result
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            .unwrap_or_else(|e| panic!("{}: {e}", self.url()))
    }
}

async fn post(client: &Client, path: &str, body: &Value) -> kube::Result<String> {
    let request =
        Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body.to_string().into_bytes());
    client.request_text(request.map_err(kube::Error::HttpError)?).await
}

async fn create_namespaces(client: &Client, many: usize) -> kube::Result<()> {
    for i in 0..many {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(i, many)}});
        match post(client, "/api/v1/namespaces", &body).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn types_of(groups: Vec<APIGroupDiscovery>) -> Vec<ResourceType> {
    let mut seen = BTreeSet::new();
    let mut types = Vec::new();
    for group in groups {
        let name = group.metadata.and_then(|m| m.name).unwrap_or_default();
        // The first version that serves a resource is the preferred one.
        for version in group.versions {
            for resource in version.resources {
                let ty = ResourceType {
                    group: name.clone(),
                    version: version.version.clone().unwrap_or_default(),
                    kind: resource.response_kind.and_then(|k| k.kind).unwrap_or_default(),
                    plural: resource.resource.unwrap_or_default(),
                    namespaced: resource.scope.as_deref() == Some("Namespaced"),
                    verbs: resource.verbs,
                    ..ResourceType::default()
                };
                if ty.allows("list") && !excluded_by_default(&ty) && seen.insert(ty.name()) {
                    types.push(ty);
                }
            }
        }
    }
    types.sort_by_key(ResourceType::name);
    types
}

async fn count(client: &Client, ty: &ResourceType) -> kube::Result<usize> {
    let root = if ty.group.is_empty() { "api" } else { "apis" };
    let path = format!("/{root}/{}/{}?limit=1", ty.api_version(), ty.plural);
    let request = Request::get(path).header(header::ACCEPT, "application/json").body(Vec::new());
    let list: Value = client.request(request.map_err(kube::Error::HttpError)?).await?;
    let first = list["items"].as_array().map_or(0, Vec::len);
    let rest = list["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
    Ok(first + usize::try_from(rest).unwrap_or(usize::MAX))
}

fn namespace(i: usize, of: usize) -> String {
    format!("load-{:02}", i % of)
}

/// The pod number `i` of a round, `padding` bytes larger than it needs to be, in one of so many namespaces.
fn pod(i: usize, round: &str, padding: usize, namespaces: usize) -> Value {
    let app = APPS[i / namespaces % APPS.len()];
    let hash = format!("{:010x}", 0x7d_9f8b_6c5d_u64 ^ (app.len() as u64) << 7);
    let name = format!("{app}-{hash}-{round}{i:06}");
    let uid = format!("{:08x}-0000-4000-8000-{:012x}", i % namespaces, app.len());
    let env: Vec<Value> = (0..8).map(|n| json!({"name": format!("SETTING_{n}"), "value": "x".repeat(24)})).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "generateName": format!("{app}-{hash}-"),
            "labels": {
                "app.kubernetes.io/name": app,
                "app.kubernetes.io/instance": format!("{app}-{}", namespace(i, namespaces)),
                "app.kubernetes.io/part-of": "shop",
                "app.kubernetes.io/managed-by": "Helm",
                "app.kubernetes.io/version": "3.14.2",
                "pod-template-hash": hash,
            },
            "annotations": {
                "prometheus.io/scrape": "true",
                "checksum/config": "a1b2c3d4".repeat(8),
                "sidecar.istio.io/status": "p".repeat(padding),
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": format!("{app}-{hash}"),
                "uid": uid,
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": {"containers": [{
            "name": app,
            "image": format!("registry.example.com/shop/{app}:3.14.2"),
            "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090, "name": "metrics"}],
            "env": env,
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        }]},
    })
}

/// Nine kinds a group, as operators have them.
fn group(ty: usize) -> String {
    format!("team-{:02}.load.example.com", ty / 9)
}

fn plural(ty: usize) -> String {
    format!("load{ty:03}s")
}

fn definition(ty: usize) -> Value {
    let schema = json!({
        "type": "object",
        "description": format!("Load{ty:03} is there so that there are many types."),
        "x-kubernetes-preserve-unknown-fields": true,
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", plural(ty), group(ty))},
        "spec": {
            "group": group(ty),
            "scope": "Namespaced",
            "names": {"kind": format!("Load{ty:03}"), "plural": plural(ty), "singular": format!("load{ty:03}")},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn object(ty: usize, i: usize) -> Value {
    json!({
        "apiVersion": format!("{}/v1", group(ty)),
        "kind": format!("Load{ty:03}"),
        "metadata": {
            "name": format!("{}-{i:05}", APPS[i % APPS.len()]),
            "labels": {"app.kubernetes.io/name": APPS[i % APPS.len()], "app.kubernetes.io/part-of": "shop"},
        },
        "spec": {"replicas": i % 5},
    })
}
