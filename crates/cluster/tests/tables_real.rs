//! Conditions by what the real API server prints of statuses as kubelet and controllers write them.

#![allow(clippy::unwrap_used)]

use clusterlore_cluster::tables::{Missing, NotRead, Objects, TableLimits, TypeTable, Verdict, Wanted};
use clusterlore_cluster::{ClusterSource, LiveOptions, LiveSource};
use clusterlore_core::LiveCondition::{
    Bound, Capacity, Complete, ExternalAddress, Failed, Image, Lost, NotBound, NotReady, NotRunning, Pending, Ready,
    Restarted, Running, Status, Suspended, Unhealthy, Version,
};
use clusterlore_core::{CLUSTER_SCOPE, Limit, LiveCondition, Replicas, ResourceType};
use clusterlore_testkit::real::{ApiServer, Options};
use serde_json::{Value, json};

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
        status.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
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

fn plural(kind: &str) -> (&'static str, bool) {
    match kind {
        "Pod" => ("pods", true),
        "Deployment" => ("deployments.apps", true),
        "StatefulSet" => ("statefulsets.apps", true),
        "DaemonSet" => ("daemonsets.apps", true),
        "Service" => ("services", true),
        "Ingress" => ("ingresses.networking.k8s.io", true),
        "PersistentVolumeClaim" => ("persistentvolumeclaims", true),
        "PersistentVolume" => ("persistentvolumes", false),
        "Job" => ("jobs.batch", true),
        "CronJob" => ("cronjobs.batch", true),
        "Node" => ("nodes", false),
        "HorizontalPodAutoscaler" => ("horizontalpodautoscalers.autoscaling", true),
        "Database" => ("databases.example.org", true),
        "Namespace" => ("namespaces", false),
        "ConfigMap" => ("configmaps", true),
        other => panic!("{other}"),
    }
}

fn create(server: &ApiServer) {
    server.apply(MANIFESTS);
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/databases.example.org"]);
    let objects = objects();
    let items: Vec<&Value> = objects.iter().map(|(object, _)| object).collect();
    server.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    for (object, status) in objects.iter().filter(|(_, status)| !status.is_null()) {
        let (name, metadata) = (plural(object["kind"].as_str().unwrap()).0, &object["metadata"]);
        let patch = json!({"status": status}).to_string();
        let mut args = vec![
            "patch",
            name,
            metadata["name"].as_str().unwrap(),
            "--subresource=status",
            "--type=merge",
            "-p",
            patch.as_str(),
        ];
        args.extend(metadata["namespace"].as_str().map(|_| "-n"));
        args.extend(metadata["namespace"].as_str());
        server.kubectl(&args);
    }
    // A pod that is being deleted, and waits for somebody.
    server.kubectl(&[
        "patch",
        "pod",
        "fine",
        "-n",
        "bank",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["example.org/wait"]}}"#,
    ]);
    server.kubectl(&["delete", "pod", "fine", "-n", "bank", "--wait=false"]);
}

async fn source(server: &ApiServer, user: &str) -> LiveSource {
    LiveSource::connect(LiveOptions { kubeconfig: Some(server.kubeconfig(user)), ..LiveOptions::default() })
        .await
        .unwrap()
}

fn names(read: &TypeTable) -> Vec<String> {
    let rows = read.table.iter().flat_map(|table| &table.rows);
    rows.map(|row| format!("{}/{}", row.namespace, row.name)).collect()
}

/// Kind, condition, and names with what holds of them.
type Case = (&'static str, LiveCondition, Vec<(&'static str, Verdict)>);

#[tokio::test]
async fn conditions_hold_of_what_kubelet_and_controllers_wrote() {
    let options = Options { users: vec!["shopper".into()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    create(&server);
    server.create_role_for("shopper", &["shop"]);
    let admin = source(&server, "admin").await;
    let types = admin.discover().await.unwrap().types;
    let of = |kind: &str| -> ResourceType {
        let found = types.iter().find(|ty| ty.name() == plural(kind).0);
        found.unwrap_or_else(|| panic!("{kind} is not served")).clone()
    };
    let kinds = [
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Service",
        "Ingress",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "Job",
        "CronJob",
        "Node",
        "HorizontalPodAutoscaler",
        "Database",
        "Namespace",
        "ConfigMap",
    ];
    let wanted: Vec<Wanted> = kinds.iter().map(|kind| Wanted { ty: of(kind), objects: Objects::All }).collect();
    // A machine that compiles at the same time may need more than the second.
    let limits = TableLimits { time: std::time::Duration::from_secs(20), page: 3, ..TableLimits::default() };
    let read = admin.tables(&wanted, &limits).await;
    for read in &read {
        assert_eq!(read.missing, []);
    }
    let find = |kind: &str, name: &str, condition: &LiveCondition| {
        let table = read[kinds.iter().position(|k| *k == kind).unwrap()].table.as_ref().unwrap();
        let namespace = if plural(kind).1 { "shop" } else { CLUSTER_SCOPE };
        let (namespace, name) = name.split_once('/').unwrap_or((namespace, name));
        let row = table.row(namespace, name).unwrap_or_else(|| panic!("{kind} {name}"));
        table.find(condition, row)
    };

    let status = |word: &str| Status(vec![word.to_owned()]);
    let image = |name: &str| Image(name.to_owned());
    let at_least = Limit::AtLeast;
    let desired = |number: u64| LiveCondition::Replicas { of: Replicas::Desired, number: Limit::Exactly(number) };
    let ready = |number: u64| LiveCondition::Replicas { of: Replicas::Ready, number: Limit::Exactly(number) };
    let (yes, no, not_said) = (Verdict::Yes, Verdict::No, Verdict::NotSaid);
    let cases: Vec<Case> = vec![
        (
            "Pod",
            NotRunning,
            vec![
                ("fine", no),
                ("restarted", no),
                ("starting", no),
                ("crashing", yes),
                ("no-image", yes),
                ("creating", yes),
                ("oom", yes),
                ("code", yes),
                ("done", yes),
                ("evicted", yes),
                ("lost-node", yes),
                ("init-fails", yes),
                ("init-waits", yes),
                ("unscheduled", yes),
                ("bank/crashing", yes),
                ("bank/fine", yes),
            ],
        ),
        ("Pod", Running, vec![("fine", yes), ("starting", yes), ("crashing", no), ("done", no)]),
        (
            "Pod",
            Failed,
            vec![
                ("fine", no),
                ("crashing", yes),
                ("no-image", yes),
                ("creating", no),
                ("oom", yes),
                ("code", yes),
                ("done", no),
                ("evicted", yes),
                ("init-fails", yes),
                ("init-waits", no),
                ("unscheduled", no),
            ],
        ),
        ("Pod", Unhealthy, vec![("fine", no), ("starting", yes), ("crashing", yes), ("done", no), ("evicted", yes)]),
        ("Pod", NotReady, vec![("fine", no), ("starting", yes), ("crashing", yes), ("done", no), ("unscheduled", yes)]),
        ("Pod", Ready, vec![("fine", yes), ("starting", no), ("done", no)]),
        (
            "Pod",
            Pending,
            vec![
                ("fine", no),
                ("no-image", no),
                ("creating", yes),
                ("init-waits", yes),
                ("unscheduled", yes),
                ("evicted", no),
            ],
        ),
        ("Pod", Complete, vec![("fine", no), ("done", yes), ("code", no)]),
        ("Pod", Restarted(at_least(1)), vec![("fine", no), ("restarted", yes), ("crashing", yes)]),
        ("Pod", Restarted(at_least(10)), vec![("restarted", yes), ("crashing", no)]),
        ("Pod", Restarted(Limit::AtMost(0)), vec![("fine", yes), ("restarted", no)]),
        ("Pod", status("CrashLoopBackOff"), vec![("crashing", yes), ("init-fails", yes), ("oom", no), ("fine", no)]),
        ("Pod", status("oomkilled"), vec![("oom", yes), ("crashing", no)]),
        ("Pod", status("Terminating"), vec![("bank/fine", yes), ("fine", no)]),
        ("Pod", status("Evicted"), vec![("evicted", yes), ("code", no)]),
        // The columns of pods do not hold their images.
        ("Pod", image("app"), vec![("fine", not_said)]),
        ("Pod", ExternalAddress, vec![("fine", not_said)]),
        ("Deployment", NotReady, vec![("web", yes), ("api", no), ("dead", yes), ("off", no)]),
        ("Deployment", Ready, vec![("web", no), ("api", yes), ("off", no)]),
        ("Deployment", NotRunning, vec![("web", no), ("dead", yes), ("off", yes)]),
        ("Deployment", Unhealthy, vec![("web", yes), ("api", no), ("off", no)]),
        ("Deployment", desired(3), vec![("web", yes), ("api", no)]),
        ("Deployment", desired(0), vec![("off", yes), ("dead", no)]),
        ("Deployment", ready(2), vec![("web", yes), ("api", yes), ("dead", no)]),
        ("Deployment", image("nginx:1.27"), vec![("web", yes)]),
        ("Deployment", image("redis"), vec![("web", no)]),
        ("Deployment", Restarted(at_least(1)), vec![("web", not_said)]),
        ("StatefulSet", NotReady, vec![("db", yes)]),
        ("StatefulSet", desired(2), vec![("db", yes)]),
        ("DaemonSet", NotReady, vec![("agent", yes)]),
        ("DaemonSet", desired(2), vec![("agent", yes)]),
        ("DaemonSet", image("nginx"), vec![("agent", yes)]),
        ("Service", ExternalAddress, vec![("web", yes), ("waiting", no), ("inside", no)]),
        ("Service", Pending, vec![("web", no), ("waiting", yes), ("inside", no)]),
        ("Service", status("LoadBalancer"), vec![("web", yes), ("waiting", yes), ("inside", no)]),
        ("Service", NotReady, vec![("web", not_said)]),
        ("Ingress", ExternalAddress, vec![("open", yes), ("closed", no)]),
        ("PersistentVolumeClaim", Bound, vec![("data", yes), ("unbound", no), ("orphan", no)]),
        ("PersistentVolumeClaim", NotBound, vec![("data", no), ("unbound", yes), ("orphan", yes)]),
        ("PersistentVolumeClaim", Pending, vec![("data", no), ("unbound", yes)]),
        ("PersistentVolumeClaim", Lost, vec![("data", no), ("orphan", yes)]),
        ("PersistentVolumeClaim", Failed, vec![("data", no), ("orphan", yes)]),
        ("PersistentVolumeClaim", Capacity(at_least(5 << 30)), vec![("data", yes), ("unbound", no)]),
        ("PersistentVolumeClaim", Capacity(at_least(20 << 30)), vec![("data", no)]),
        ("PersistentVolume", Bound, vec![("vol", yes), ("free", no), ("left", no)]),
        ("PersistentVolume", status("Released"), vec![("left", yes), ("free", no)]),
        ("PersistentVolume", Capacity(Limit::Exactly(10 << 30)), vec![("vol", yes)]),
        ("Job", Complete, vec![("migrated", yes), ("broken", no), ("working", no), ("held", no)]),
        ("Job", Failed, vec![("migrated", no), ("broken", yes), ("working", no), ("held", no)]),
        ("Job", Running, vec![("migrated", no), ("working", yes), ("held", no)]),
        ("Job", Suspended, vec![("migrated", no), ("held", yes)]),
        ("Job", NotReady, vec![("working", not_said)]),
        ("Job", image("migrate"), vec![("migrated", yes)]),
        ("CronJob", Suspended, vec![("nightly", no), ("paused", yes)]),
        ("Node", Ready, vec![("n1", yes), ("n2", yes), ("n3", no)]),
        ("Node", NotReady, vec![("n1", no), ("n3", yes)]),
        ("Node", Unhealthy, vec![("n1", no), ("n3", yes)]),
        ("Node", status("SchedulingDisabled"), vec![("n1", no), ("n2", yes)]),
        ("Node", Version("1.29".to_owned()), vec![("n1", yes)]),
        ("Node", Version("1.30".to_owned()), vec![("n1", no)]),
        ("HorizontalPodAutoscaler", desired(4), vec![("web", yes)]),
        ("Database", Ready, vec![("well", yes), ("ill", no), ("new", not_said)]),
        ("Database", Failed, vec![("well", no), ("ill", yes), ("new", not_said)]),
        ("Database", Unhealthy, vec![("well", no), ("ill", yes), ("new", not_said)]),
        ("Database", desired(3), vec![("well", yes), ("ill", no)]),
        ("Database", Version("16".to_owned()), vec![("well", yes)]),
        ("Namespace", status("Active"), vec![("shop", yes)]),
        ("ConfigMap", NotReady, vec![]),
    ];
    let mut wrong = Vec::new();
    let mut pairs = 0;
    for (kind, condition, objects) in &cases {
        for (name, expected) in objects {
            pairs += 1;
            let found = find(kind, name, condition);
            if found.verdict != *expected {
                wrong.push(format!("{kind} {name} {condition:?}: {:?} ({})", found.verdict, found.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {pairs} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(pairs > 150, "{pairs}");
    let text = |kind, name, condition: LiveCondition| find(kind, name, &condition).text;
    assert_eq!(text("Pod", "crashing", NotRunning), "0/1 CrashLoopBackOff, restarted 7 times");
    assert_eq!(text("Pod", "init-fails", NotRunning), "0/1 Init:CrashLoopBackOff, restarted 3 times");
    assert_eq!(text("Pod", "code", Failed), "0/1 ExitCode:3");
    assert_eq!(text("Deployment", "web", image("nginx")), "2/3 ready, Images nginx:1.27.3");
    assert_eq!(text("Service", "web", ExternalAddress), "External-IP 203.0.113.7");
    assert_eq!(find("Pod", "restarted", &Restarted(at_least(1))).number, Some(14));
    assert_eq!(find("Deployment", "web", &ready(1)).number, Some(2));

    // Whoever may read one namespace.
    let shopper = source(&server, "shopper").await;
    let places = |names: &[&str]| Objects::Namespaces(names.iter().map(|n| (*n).to_owned()).collect());
    let wanted = [
        Wanted { ty: of("Pod"), objects: places(&["bank", "shop"]) },
        Wanted { ty: of("Node"), objects: Objects::All },
        Wanted { ty: of("Pod"), objects: Objects::All },
        Wanted {
            ty: of("Pod"),
            objects: Objects::Named([("bank".into(), "crashing".into()), ("shop".into(), "fine".into())].into()),
        },
        Wanted {
            ty: ResourceType { plural: "nothings".into(), kind: "Nothing".into(), ..of("Pod") },
            objects: places(&["shop"]),
        },
    ];
    let read = shopper.tables(&wanted, &limits).await;
    let forbidden =
        |namespace: Option<&str>| vec![Missing { namespace: namespace.map(str::to_owned), why: NotRead::Forbidden }];
    let in_shop = names(&read[0]);
    assert!(in_shop.len() == 14 && in_shop.iter().all(|name| name.starts_with("shop/")), "{in_shop:?}");
    assert_eq!(read[0].missing, forbidden(Some("bank")));
    assert_eq!((&read[1].table, &read[1].missing), (&None, &forbidden(None)));
    assert_eq!((names(&read[2]), &read[2].missing), (vec![], &forbidden(None)));
    assert_eq!((names(&read[3]), &read[3].missing), (vec!["shop/fine".to_owned()], &forbidden(Some("bank"))));
    assert_eq!(read[4].missing, [Missing { namespace: Some("shop".to_owned()), why: NotRead::NotServed }]);
}
