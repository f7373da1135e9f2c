//! Objects with statuses as kubelet and controllers write them.

use serde_json::{Value, json};

use super::{ApiServer, succeeded};

const MANIFESTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: databases, singular: database, kind: Database}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    additionalPrinterColumns:
    - {name: Instances, type: integer, jsonPath: .status.instances}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    - {name: Phase, type: string, jsonPath: .status.phase}
    - {name: Version, type: string, jsonPath: .spec.version, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
"#;

/// One container, or more, and those that come before them.
fn pod(namespace: &str, name: &str, init: bool, status: Value) -> (Value, Value) {
    let container = json!({"name": "main", "image": "ghcr.io/org/app:1.2"});
    let mut object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container]},
    });
    if init {
        object["spec"]["initContainers"] = json!([{"name": "first", "image": "busybox"}]);
    }
    (object, status)
}

fn container(ready: bool, restarts: u32, state: Value) -> Value {
    json!({"name": "main", "image": "app", "imageID": "", "ready": ready, "restartCount": restarts, "state": state})
}

fn in_phase(phase: &str, container: Value) -> Value {
    json!({"phase": phase, "containerStatuses": [container]})
}

fn waits(reason: &str) -> Value {
    json!({"waiting": {"reason": reason}})
}

fn ended(reason: &str, code: i32) -> Value {
    json!({"terminated": {"reason": reason, "exitCode": code, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:01:00Z"}})
}

fn runs() -> Value {
    json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}})
}

/// What pods may be like.
const STATES: [&str; 4] = ["fine", "crashing", "waiting", "restarted"];

fn pod_status(state: &str) -> Value {
    match state {
        "crashing" => in_phase("Running", container(false, 9, waits("CrashLoopBackOff"))),
        "waiting" => in_phase("Pending", container(false, 0, waits("ContainerCreating"))),
        "restarted" => in_phase("Running", container(true, 3, runs())),
        _ => in_phase("Running", container(true, 0, runs())),
    }
}

fn workload(kind: &str, name: &str, replicas: Option<u32>, status: Value) -> (Value, Value) {
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": "nginx:1.27.3"}]}});
    let mut spec = json!({"selector": {"matchLabels": {"app": name}}, "template": template});
    if let Some(replicas) = replicas {
        spec["replicas"] = json!(replicas);
    }
    if kind == "StatefulSet" {
        spec["serviceName"] = json!(name);
    }
    (
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
        status,
    )
}

fn job(name: &str, suspend: bool, status: Value) -> (Value, Value) {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "migrate:3"}]}});
    let spec = json!({"template": template, "suspend": suspend});
    (
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
        status,
    )
}

fn conditions(of: &[(&str, &str)]) -> Value {
    let one = |(ty, status): &(&str, &str)| json!({"type": ty, "status": status, "reason": "AsWritten", "message": "", "lastTransitionTime": "2026-01-01T00:02:00Z"});
    json!(of.iter().map(one).collect::<Vec<_>>())
}

/// Everything that is created, with the status that is written then.
fn objects() -> Vec<(Value, Value)> {
    let service = |name: &str, ty: &str, status: Value| {
        let spec = json!({"type": ty, "ports": [{"port": 80}]});
        (
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
            status,
        )
    };
    let claim = |name: &str, volume: Option<&str>, status: Value| {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, "storageClassName": "fast"});
        if let Some(volume) = volume {
            spec["volumeName"] = json!(volume);
        }
        let object = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "shop"}, "spec": spec});
        (object, status)
    };
    let volume = |name: &str, phase: &str| {
        let spec =
            json!({"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}});
        (
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}),
            json!({"phase": phase}),
        )
    };
    let node = |name: &str, cordoned: bool, ready: &str| {
        let info = json!({
            "kubeletVersion": "v1.29.3", "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6", "osImage": "x",
            "containerRuntimeVersion": "containerd://2", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
        });
        let status = json!({"conditions": conditions(&[("Ready", ready)]), "nodeInfo": info});
        (
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": cordoned}}),
            status,
        )
    };
    let cron = |name: &str, suspend: bool| {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "backup"}]}});
        let spec =
            json!({"schedule": "0 3 * * *", "suspend": suspend, "jobTemplate": {"spec": {"template": template}}});
        (
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
            Value::Null,
        )
    };
    let database = |name: &str, status: Value| {
        let object = json!({"apiVersion": "example.org/v1", "kind": "Database", "metadata": {"name": name, "namespace": "shop"}, "spec": {"version": "16.4"}});
        (object, status)
    };
    let init_fails = json!({
        "phase": "Pending",
        "initContainerStatuses": [{"name": "first", "image": "busybox", "imageID": "", "ready": false, "restartCount": 3, "state": waits("CrashLoopBackOff")}],
        "containerStatuses": [container(false, 0, waits("PodInitializing"))],
    });
    let init_waits = json!({
        "phase": "Pending",
        "initContainerStatuses": [{"name": "first", "image": "busybox", "imageID": "", "ready": false, "restartCount": 0, "state": runs()}],
        "containerStatuses": [container(false, 0, waits("PodInitializing"))],
    });
    let ended_job = |kind: &str, target: &str, counts: Value| {
        let mut status =
            json!({"startTime": "2026-01-01T00:00:00Z", "conditions": conditions(&[(target, "True"), (kind, "True")])});
        for (key, value) in counts.as_object().into_iter().flatten() {
            status[key] = value.clone();
        }
        status
    };
    let address = json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}});
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingress = |name: &str| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "shop"}, "spec": {"defaultBackend": backend},
        })
    };
    let hpa = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"maxReplicas": 10, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    });
    vec![
        pod("shop", "fine", false, in_phase("Running", container(true, 0, runs()))),
        pod("shop", "restarted", false, in_phase("Running", container(true, 14, runs()))),
        pod("shop", "starting", false, in_phase("Running", container(false, 0, runs()))),
        pod("shop", "crashing", false, in_phase("Running", container(false, 7, waits("CrashLoopBackOff")))),
        pod("shop", "no-image", false, in_phase("Pending", container(false, 0, waits("ImagePullBackOff")))),
        pod("shop", "creating", false, in_phase("Pending", container(false, 0, waits("ContainerCreating")))),
        pod("shop", "oom", false, in_phase("Running", container(false, 2, ended("OOMKilled", 137)))),
        pod("shop", "code", false, in_phase("Failed", container(false, 0, ended("", 3)))),
        pod("shop", "done", false, in_phase("Succeeded", container(false, 0, ended("Completed", 0)))),
        pod("shop", "evicted", false, json!({"phase": "Failed", "reason": "Evicted"})),
        pod("shop", "lost-node", false, json!({"phase": "Unknown", "reason": "NodeLost"})),
        pod("shop", "init-fails", true, init_fails),
        pod("shop", "init-waits", true, init_waits),
        pod("shop", "unscheduled", false, Value::Null),
        pod("bank", "fine", false, in_phase("Running", container(true, 0, runs()))),
        pod("bank", "crashing", false, in_phase("Running", container(false, 1, waits("CrashLoopBackOff")))),
        workload(
            "Deployment",
            "web",
            Some(3),
            json!({"replicas": 3, "readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 2}),
        ),
        workload(
            "Deployment",
            "api",
            Some(2),
            json!({"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2}),
        ),
        workload("Deployment", "dead", Some(1), json!({"replicas": 1, "unavailableReplicas": 1})),
        workload("Deployment", "off", Some(0), Value::Null),
        workload("StatefulSet", "db", Some(2), json!({"replicas": 2, "readyReplicas": 1})),
        workload(
            "DaemonSet",
            "agent",
            None,
            json!({"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberReady": 1, "numberMisscheduled": 0}),
        ),
        service("web", "LoadBalancer", address.clone()),
        service("waiting", "LoadBalancer", Value::Null),
        service("inside", "ClusterIP", Value::Null),
        (ingress("open"), address),
        (ingress("closed"), Value::Null),
        claim(
            "data",
            Some("vol"),
            json!({"phase": "Bound", "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"]}),
        ),
        claim("unbound", None, json!({"phase": "Pending"})),
        claim("orphan", Some("gone"), json!({"phase": "Lost"})),
        volume("vol", "Bound"),
        volume("free", "Available"),
        volume("left", "Released"),
        job(
            "migrated",
            false,
            ended_job(
                "Complete",
                "SuccessCriteriaMet",
                json!({"succeeded": 1, "completionTime": "2026-01-01T00:02:00Z"}),
            ),
        ),
        job("broken", false, ended_job("Failed", "FailureTarget", json!({"failed": 1}))),
        job("working", false, json!({"startTime": "2026-01-01T00:00:00Z", "active": 1})),
        job("held", true, json!({"conditions": conditions(&[("Suspended", "True")])})),
        cron("nightly", false),
        cron("paused", true),
        node("n1", false, "True"),
        node("n2", true, "True"),
        node("n3", false, "Unknown"),
        (hpa, json!({"currentReplicas": 4, "desiredReplicas": 4})),
        database("well", json!({"instances": 3, "phase": "Running", "conditions": conditions(&[("Ready", "True")])})),
        database("ill", json!({"instances": 1, "phase": "Failed", "conditions": conditions(&[("Ready", "False")])})),
        database("new", Value::Null),
    ]
}

impl ApiServer {
    /// Creates some 60 objects of 13 types and writes their statuses: pods that crash, claims that wait, nodes that are lost. All but two
    /// pods are in the namespace `shop`; those are in `bank`, and one of them is being deleted.
    pub fn create_statuses(&self) {
        self.apply(MANIFESTS);
        self.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/databases.example.org"]);
        self.create_with_status(&objects());
        // A pod that is being deleted, and waits for somebody.
        let wait = r#"{"metadata":{"finalizers":["example.org/wait"]}}"#;
        self.kubectl(&["patch", "pod", "fine", "-n", "bank", "--type=merge", "-p", wait]);
        self.kubectl(&["delete", "pod", "fine", "-n", "bank", "--wait=false"]);
    }

    /// Creates as many pods of each of four kinds in a namespace: `fine-0`, `crashing-0`, `waiting-0` and `restarted-0` are the first.
    pub fn create_pods_with_status(&self, namespace: &str, of_each: usize) {
        let of = |n: usize| STATES.map(|state| (format!("{state}-{n}"), json!({}), state));
        self.create_pods_in_states(namespace, &(0..of_each).flat_map(of).collect::<Vec<_>>());
    }

    /// Creates a namespace with pods: each a name, labels, and one of those states.
    pub fn create_pods_in_states(&self, namespace: &str, pods: &[(String, Value, &str)]) {
        self.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).to_string());
        let of = |(name, labels, state): &(String, Value, &str)| {
            let (mut object, status) = pod(namespace, name, false, pod_status(state));
            object["metadata"]["labels"] = labels.clone();
            (object, status)
        };
        self.create_with_status(&pods.iter().map(of).collect::<Vec<_>>());
    }

    /// Creates objects, each with the status that is written then, if it is not null.
    pub(super) fn create_with_status(&self, objects: &[(Value, Value)]) {
        let items: Vec<&Value> = objects.iter().map(|(object, _)| object).collect();
        self.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        let statuses: Vec<Value> = objects
            .iter()
            .filter(|(_, status)| !status.is_null())
            .map(|(object, status)| {
                let mut object = object.clone();
                object["status"] = status.clone();
                object
            })
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": statuses}).to_string();
        let args = ["apply", "--server-side", "--force-conflicts", "--subresource=status", "-f", "-"];
        succeeded(&args, &self.program().run("admin", &args, Some(&list)));
    }
}
