//! Apps that fail in well-known ways, apps that only look like them, and one that is well: in the namespace `ward`, with the statuses,
//! events and words of kubelets, the scheduler and controllers.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::ApiServer;

const BEGIN: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: ward}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificates.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {plural: certificates, singular: certificate, kind: Certificate}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: caches.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: caches, singular: cache, kind: Cache}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: late}
provisioner: csi.example.org
volumeBindingMode: WaitForFirstConsumer
"#;

const SECRET_MARK: &str = "MARK-of-a-secret";

/// An object, its status, and who made it (kind and name).
struct Made {
    object: Value,
    status: Value,
    owner: Option<(&'static str, String)>,
}

fn plain(object: Value, status: Value) -> Made {
    Made { object, status, owner: None }
}

/// What a pod of an app is like.
struct App {
    name: &'static str,
    replicas: u32,
    ready: u32,
    /// Of the pods.
    spec: Value,
    /// Of each pod; none: no pod was made.
    pods: Vec<Value>,
    /// Conditions of the Deployment beside those that follow from the numbers.
    conditions: Vec<Value>,
    paused: bool,
}

fn app(name: &'static str, replicas: u32, ready: u32, pods: Vec<Value>) -> App {
    App { name, replicas, ready, spec: json!({}), pods, conditions: Vec::new(), paused: false }
}

fn condition(ty: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": ty, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-01-01T00:02:00Z"})
}

impl App {
    fn spec(mut self, spec: Value) -> Self {
        self.spec = spec;
        self
    }

    fn condition(mut self, ty: &str, status: &str, reason: &str, message: &str) -> Self {
        self.conditions.push(condition(ty, status, reason, message));
        self
    }

    fn made(self) -> Vec<Made> {
        let Self { name, replicas, ready, spec, pods, conditions, paused } = self;
        let labels = json!({"app": name});
        let mut pod_spec = json!({"containers": [{"name": "main", "image": format!("registry.example/{name}:1.2")}]});
        for (key, value) in spec.as_object().into_iter().flatten() {
            match (key.as_str(), value.as_object()) {
                ("main", Some(fields)) => fields.iter().for_each(|(k, v)| pod_spec["containers"][0][k] = v.clone()),
                _ => pod_spec[key] = value.clone(),
            }
        }
        let template = json!({"metadata": {"labels": labels}, "spec": pod_spec});
        let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template});
        let number = u32::try_from(pods.len()).unwrap_or(0);
        let available = if ready >= replicas {
            condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            condition(
                "Available",
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            )
        };
        let conditions = [vec![available], conditions].concat();
        let status = json!({
            "observedGeneration": 1, "replicas": number, "updatedReplicas": number, "readyReplicas": ready,
            "availableReplicas": ready, "unavailableReplicas": replicas.saturating_sub(ready),
            "conditions": conditions,
        });
        let meta = |name: &str| json!({"name": name, "namespace": "ward", "labels": labels});
        let mut deployment =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": spec});
        if paused {
            deployment["spec"]["paused"] = json!(true);
        }
        let set = format!("{name}-6d4b");
        let mut made = vec![
            plain(deployment, status),
            Made {
                object: json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta(&set), "spec": spec}),
                status: json!({"replicas": number, "readyReplicas": ready, "observedGeneration": 1}),
                owner: Some(("Deployment", name.to_owned())),
            },
        ];
        for (n, status) in pods.into_iter().enumerate() {
            let mut spec = pod_spec.clone();
            // A pod without a container's status is on no node.
            if status.get("containerStatuses").is_some() && spec.get("nodeName").is_none() {
                spec["nodeName"] = json!("n1");
            }
            made.push(Made {
                object: json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta(&format!("{set}-{n}")), "spec": spec}),
                status,
                owner: Some(("ReplicaSet", set.clone())),
            });
        }
        made
    }
}

/// The status of a pod on a node, with its one container.
fn on_node(phase: &str, ready: bool, restarts: u32, state: Value, last: Value) -> Value {
    let mut container = json!({
        "name": "main", "image": "x", "imageID": "", "ready": ready, "restartCount": restarts, "state": state,
    });
    if !last.is_null() {
        container["lastState"] = last;
    }
    let is = |yes: bool| if yes { "True" } else { "False" };
    let unready = |ty: &str| match ready {
        true => condition(ty, "True", "", ""),
        false => condition(ty, "False", "ContainersNotReady", "containers with unready status: [main]"),
    };
    let conditions = json!([condition("PodScheduled", is(true), "", ""), unready("Ready"), unready("ContainersReady")]);
    json!({"phase": phase, "containerStatuses": [container], "conditions": conditions})
}

fn runs() -> Value {
    json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}})
}

fn waits(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

fn ended(reason: &str, code: i32, message: &str) -> Value {
    json!({"terminated": {
        "reason": reason, "exitCode": code, "message": message, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:01:00Z",
    }})
}

fn fine() -> Value {
    on_node("Running", true, 0, runs(), Value::Null)
}

fn unscheduled(reason: &str, message: &str) -> Value {
    json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", reason, message)]})
}

fn back_off(name: &str) -> Value {
    waits(
        "CrashLoopBackOff",
        &format!(
            "back-off 5m0s restarting failed container=main pod={name}-6d4b-0_ward(00000000-0000-0000-0000-000000000000)"
        ),
    )
}

fn pull(image: &str, why: &str) -> Value {
    let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {why}");
    on_node("Pending", false, 0, waits("ImagePullBackOff", &message), Value::Null)
}

fn service(name: &str, selector: Value, target: Value) -> Made {
    let mut spec = json!({"ports": [{"name": "web", "port": 80, "targetPort": target}]});
    if !selector.is_null() {
        spec["selector"] = selector;
    }
    plain(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "ward"}, "spec": spec}),
        Value::Null,
    )
}

fn slice(service: &str, ready: &[bool]) -> Made {
    let endpoints: Vec<Value> = ready
        .iter()
        .enumerate()
        .map(|(n, ready)| json!({"addresses": [format!("10.1.0.{}", n + 1)], "conditions": {"ready": ready}}))
        .collect();
    let metadata = json!({
        "name": format!("{service}-abcde"), "namespace": "ward", "labels": {"kubernetes.io/service-name": service},
    });
    let object = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
        "endpoints": endpoints, "ports": [{"name": "web", "port": 8080}],
    });
    plain(object, Value::Null)
}

fn claim(name: &str, class: Option<&str>, phase: &str) -> Made {
    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    if let Some(class) = class {
        spec["storageClassName"] = json!(class);
    }
    let object = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "ward"}, "spec": spec,
    });
    plain(object, json!({"phase": phase}))
}

fn certificate(name: &str, secret: &str, not_after: &str, conditions: Value) -> Made {
    let object = json!({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name, "namespace": "ward"},
        "spec": {"secretName": secret, "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"}, "dnsNames": ["x.example"]},
    });
    plain(object, json!({"notAfter": not_after, "conditions": conditions}))
}

fn ingress(name: &str, service: &str, secret: &str) -> Made {
    let backend = json!({"service": {"name": service, "port": {"name": "web"}}});
    let rule =
        json!({"host": "x.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}});
    let spec = json!({"tls": [{"hosts": ["x.example"], "secretName": secret}], "rules": [rule]});
    plain(
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "ward"}, "spec": spec}),
        Value::Null,
    )
}

fn config(kind: &str, name: &str) -> Made {
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "ward"}});
    if kind == "Secret" {
        object["metadata"]["annotations"] = json!({"example.org/note": SECRET_MARK});
        object["stringData"] = json!({"password": SECRET_MARK});
    }
    plain(object, Value::Null)
}

fn job(name: &str, status: Value) -> Vec<Made> {
    let main = json!({"name": "main", "image": "registry.example/job:1"});
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [main]}});
    let failed = status["failed"].as_u64().unwrap_or(0);
    let spec = json!({"backoffLimit": 2, "template": template});
    let object =
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "ward"}, "spec": spec});
    let mut made = vec![plain(object, status)];
    for n in 0..failed {
        // The labels come from the Job's uid, which its pods' owner gives them.
        let metadata = json!({"name": format!("{name}-{n}"), "namespace": "ward"});
        let spec = json!({"restartPolicy": "Never", "nodeName": "n1", "containers": [main]});
        made.push(Made {
            object: json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}),
            status: on_node("Failed", false, 0, ended("Error", 3, ""), Value::Null),
            owner: Some(("Job", name.to_owned())),
        });
    }
    made
}

fn node(name: &str, status: &str, reason: &str, message: &str) -> Made {
    let info = json!({
        "kubeletVersion": "v1.34.0", "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6", "osImage": "x",
        "containerRuntimeVersion": "containerd://2", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
    });
    let status = json!({"conditions": [condition("Ready", status, reason, message)], "nodeInfo": info});
    plain(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}), status)
}

fn apps() -> Vec<App> {
    let volumes = |volume: Value| json!({"volumes": [volume]});
    let deny = "Internal error occurred: failed calling webhook \"inject.example.org\": failed to call webhook: Post \"https://inject.mesh.svc:443/inject?timeout=10s\": no endpoints available for service \"inject\"";
    let quota =
        "pods \"quota-6d4b-x\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4";
    let resolve = |image: &str, why: &str| {
        format!("failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {why}")
    };
    let optional = json!({"main": {"envFrom": [{"configMapRef": {"name": "tuning", "optional": true}}]}});
    vec![
        // Images.
        app("tag", 1, 0, vec![pull("registry.example/tag:1.2", &format!("rpc error: code = NotFound desc = {}", resolve("registry.example/tag:1.2", "registry.example/tag:1.2: not found")))]),
        app("private", 1, 0, vec![pull("registry.example/private:1.2", &resolve("registry.example/private:1.2", "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://registry.example/token: 401 Unauthorized"))])
            .spec(json!({"imagePullSecrets": [{"name": "robot"}]})),
        app("platform", 1, 0, vec![pull("registry.example/platform:1.2", "rpc error: code = NotFound desc = failed to pull and unpack image \"registry.example/platform:1.2\": no match for platform in manifest: not found")]),
        app("offline", 1, 0, vec![pull("registry.example/offline:1.2", &resolve("registry.example/offline:1.2", "failed to do request: Head \"https://registry.example/v2/offline/manifests/1.2\": dial tcp: lookup registry.example: no such host"))]),
        // Ends.
        app("crash", 2, 0, vec![
            on_node("Running", false, 7, back_off("crash"), ended("Error", 3, "")),
            on_node("Running", false, 6, back_off("crash"), ended("Error", 3, "")),
        ]),
        app("ends", 1, 0, vec![on_node("Running", false, 9, back_off("ends"), ended("Completed", 0, ""))]),
        app("command", 1, 0, vec![on_node("Running", false, 4, back_off("command"), ended("StartError", 128, "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"serve\": executable file not found in $PATH"))]),
        app("restarted", 1, 1, vec![on_node("Running", true, 3, runs(), ended("Error", 1, ""))]),
        // Memory.
        app("memory", 1, 0, vec![on_node("Running", false, 5, back_off("memory"), ended("OOMKilled", 137, ""))])
            .spec(json!({"main": {"resources": {"limits": {"memory": "128Mi"}}}})),
        app("killed", 1, 0, vec![on_node("Running", false, 5, back_off("killed"), ended("Error", 137, ""))]),
        // Scheduling.
        app("large", 1, 0, vec![unscheduled("Unschedulable", "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 2 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")]),
        app("gated", 1, 0, vec![unscheduled("SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")])
            .spec(json!({"schedulingGates": [{"name": "example.org/queue"}]})),
        // Probes.
        app("readiness", 1, 0, vec![on_node("Running", false, 0, runs(), Value::Null)]),
        app("liveness", 1, 0, vec![on_node("Running", false, 5, back_off("liveness"), ended("Error", 137, ""))]),
        app("settled", 1, 1, vec![fine()]),
        // Configuration.
        app("variables", 1, 0, vec![on_node("Pending", false, 0, waits("CreateContainerConfigError", "secret \"password\" not found"), Value::Null)])
            .spec(json!({"main": {"envFrom": [{"secretRef": {"name": "password"}}]}})),
        app("key", 1, 0, vec![on_node("Pending", false, 0, waits("CreateContainerConfigError", "couldn't find key user in Secret ward/robot-account"), Value::Null)])
            .spec(json!({"main": {"env": [{"name": "U", "valueFrom": {"secretKeyRef": {"name": "robot-account", "key": "user"}}}]}})),
        app("mount", 1, 0, vec![on_node("Pending", false, 0, waits("ContainerCreating", ""), Value::Null)])
            .spec(volumes(json!({"name": "settings", "configMap": {"name": "settings"}}))),
        app("optional", 1, 1, vec![fine()]).spec(optional),
        // Claims.
        app("volume", 1, 0, vec![unscheduled("Unschedulable", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")])
            .spec(volumes(json!({"name": "data", "persistentVolumeClaim": {"claimName": "no-class"}}))),
        app("no-claim", 1, 0, vec![unscheduled("Unschedulable", "0/3 nodes are available: persistentvolumeclaim \"forgotten\" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")])
            .spec(volumes(json!({"name": "data", "persistentVolumeClaim": {"claimName": "forgotten"}}))),
        app("late", 1, 0, vec![unscheduled("Unschedulable", "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.")])
            .spec(volumes(json!({"name": "data", "persistentVolumeClaim": {"claimName": "late"}}))),
        // Admission.
        app("quota", 1, 0, vec![]).condition("ReplicaFailure", "True", "FailedCreate", quota),
        app("grown", 1, 1, vec![fine()]),
        app("webhook", 1, 0, vec![]).condition("ReplicaFailure", "True", "FailedCreate", deny),
        app("denied", 1, 0, vec![]).condition("ReplicaFailure", "True", "FailedCreate", "admission webhook \"policy.example.org\" denied the request: images must come from registry.example"),
        app("account", 1, 0, vec![]).condition("ReplicaFailure", "True", "FailedCreate", "pods \"account-6d4b-\" is forbidden: error looking up service account ward/clerk: serviceaccount \"clerk\" not found"),
        // Traffic.
        app("lonely", 1, 1, vec![fine()]),
        app("named-port", 1, 1, vec![fine()]).spec(json!({"main": {"ports": [{"name": "http", "containerPort": 8080}]}})),
        // Wanted.
        app("off", 0, 0, vec![]),
        App { paused: true, ..app("paused", 1, 1, vec![fine()]).condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused") },
        // A node.
        app("stranded", 1, 0, vec![json!({"phase": "Running", "conditions": [condition("Ready", "False", "", "")], "containerStatuses": on_node("Running", true, 0, runs(), Value::Null)["containerStatuses"]})])
            .spec(json!({"nodeName": "n3"})),
        // Nobody knows.
        app("mystery", 1, 0, vec![on_node("Running", false, 0, runs(), Value::Null)]),
        // Well.
        app("healthy", 2, 2, vec![fine(), fine()]).spec(json!({
            "imagePullSecrets": [{"name": "robot-account"}],
            "main": {"envFrom": [{"secretRef": {"name": "robot-account"}}, {"configMapRef": {"name": "present"}}], "ports": [{"name": "http", "containerPort": 8080}]},
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "bound"}}],
        })),
    ]
}

fn others() -> Vec<Made> {
    let ready = |status: &str, reason: &str, message: &str| json!([condition("Ready", status, reason, message)]);
    let complete = json!({
        "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:02:00Z", "succeeded": 1,
        "conditions": [condition("SuccessCriteriaMet", "True", "", ""), condition("Complete", "True", "", "")],
    });
    let failed = json!({
        "startTime": "2026-01-01T00:00:00Z", "failed": 3,
        "conditions": [
            condition("FailureTarget", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
            condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ],
    });
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x"}]}});
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "ward"},
        "spec": {"schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": {"template": template}}},
    });
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "settled", "namespace": "ward"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "settled"}},
    });
    let blind = condition(
        "ScalingActive",
        "False",
        "FailedGetResourceMetric",
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
    );
    let cache = |name: &str| json!({"apiVersion": "example.org/v1", "kind": "Cache", "metadata": {"name": name, "namespace": "ward"}});
    let mut all = vec![
        config("ConfigMap", "present"),
        config("Secret", "robot-account"),
        config("Secret", "good-tls"),
        config("Secret", "old-tls"),
        claim("bound", Some("late"), "Bound"),
        claim("no-class", Some("fast"), "Pending"),
        claim("late", Some("late"), "Pending"),
        claim("plain", None, "Pending"),
        // Its selector has a letter too few.
        service("lonely", json!({"app": "lonly"}), json!(8080)),
        service("crash", json!({"app": "crash"}), json!(8080)),
        slice("crash", &[false, false]),
        service("named-port", json!({"app": "named-port"}), json!("https")),
        // Somebody else fills in its endpoints.
        service("elsewhere", Value::Null, json!(5432)),
        slice("elsewhere", &[true]),
        service("outside", Value::Null, json!(443)),
        slice("outside", &[true]),
        service("healthy", json!({"app": "healthy"}), json!("http")),
        slice("healthy", &[true, true]),
        certificate(
            "good",
            "good-tls",
            "2999-01-01T00:00:00Z",
            ready("True", "Ready", "Certificate is up to date and has not expired"),
        ),
        certificate(
            "old",
            "old-tls",
            "2026-01-01T00:00:00Z",
            ready("False", "Expired", "Certificate expired on Thu, 01 Jan 2026 00:00:00 UTC"),
        ),
        certificate(
            "new",
            "new-tls",
            "2999-01-01T00:00:00Z",
            ready("False", "DoesNotExist", "Issuing certificate as Secret does not exist"),
        ),
        ingress("healthy", "healthy", "good-tls"),
        ingress("old", "outside", "old-tls"),
        ingress("astray", "nobody", "good-tls"),
        node("n1", "True", "KubeletReady", "kubelet is posting ready status"),
        node("n3", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        plain(cron, Value::Null),
        plain(
            scaler,
            json!({"currentReplicas": 1, "desiredReplicas": 1, "conditions": [condition("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale"), blind]}),
        ),
        plain(cache("ill"), json!({"conditions": ready("False", "ReconcileFailed", "no license")})),
        plain(cache("well"), json!({"conditions": ready("True", "Reconciled", "")})),
    ];
    all.extend(job("gave-up", failed));
    all.extend(job("done", complete));
    all
}

/// Kind, name, type, reason, message, part, count, minute.
type Said = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, u32, u32);

const MAIN: &str = "spec.containers{main}";

#[rustfmt::skip]
const EVENTS: &[Said] = &[
    ("Pod", "tag-6d4b-0", "Warning", "Failed", "Failed to pull image \"registry.example/tag:1.2\": rpc error: code = NotFound desc = failed to pull and unpack image \"registry.example/tag:1.2\": failed to resolve reference \"registry.example/tag:1.2\": registry.example/tag:1.2: not found", MAIN, 4, 1),
    ("Pod", "crash-6d4b-0", "Warning", "BackOff", "Back-off restarting failed container main in pod crash-6d4b-0_ward(00000000-0000-0000-0000-000000000000)", MAIN, 30, 2),
    ("Pod", "readiness-6d4b-0", "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", MAIN, 41, 3),
    ("Pod", "liveness-6d4b-0", "Warning", "Unhealthy", "Liveness probe failed: Get \"http://10.1.0.9:8080/healthz\": dial tcp 10.1.0.9:8080: connect: connection refused", MAIN, 15, 3),
    ("Pod", "liveness-6d4b-0", "Normal", "Killing", "Container main failed liveness probe, will be restarted", MAIN, 5, 4),
    ("Pod", "settled-6d4b-0", "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", MAIN, 2, 1),
    ("Pod", "settled-6d4b-0", "Warning", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.", "", 1, 0),
    ("Pod", "large-6d4b-0", "Warning", "FailedScheduling", "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 2 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.", "", 3, 1),
    ("Pod", "mount-6d4b-0", "Warning", "FailedMount", "MountVolume.SetUp failed for volume \"settings\" : configmap \"settings\" not found", "", 9, 1),
    ("PersistentVolumeClaim", "no-class", "Warning", "ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found", "", 6, 1),
    ("PersistentVolumeClaim", "late", "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding", "", 6, 1),
    ("PersistentVolumeClaim", "plain", "Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set", "", 6, 1),
    ("ReplicaSet", "quota-6d4b", "Warning", "FailedCreate", "Error creating: pods \"quota-6d4b-x\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4", "", 12, 1),
    ("ReplicaSet", "grown-6d4b", "Warning", "FailedCreate", "Error creating: pods \"grown-6d4b-x\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4", "", 12, 1),
    ("ReplicaSet", "webhook-6d4b", "Warning", "FailedCreate", "Error creating: Internal error occurred: failed calling webhook \"inject.example.org\": failed to call webhook: Post \"https://inject.mesh.svc:443/inject?timeout=10s\": no endpoints available for service \"inject\"", "", 16, 1),
    ("ReplicaSet", "denied-6d4b", "Warning", "FailedCreate", "Error creating: admission webhook \"policy.example.org\" denied the request: images must come from registry.example", "", 16, 1),
    ("Job", "gave-up", "Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit", "", 1, 2),
    ("Certificate", "new", "Normal", "Issuing", "Issuing certificate as Secret does not exist", "", 1, 1),
];

impl ApiServer {
    /// Stands in every value and annotation of a Secret of [`Self::create_failures`].
    pub const SECRET_MARK: &str = SECRET_MARK;

    /// Creates the namespace `ward`: some 35 apps, most of which fail, each in one well-known way. `healthy` is well; `settled`, `restarted`,
    /// `grown` and `optional` are, too, and look as if they were not.
    ///
    /// # Panics
    /// kubectl fails; the message holds what it said.
    pub fn create_failures(&self) {
        self.apply(BEGIN);
        self.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
        let mut all: Vec<Made> = apps().into_iter().flat_map(App::made).chain(others()).collect();
        // Who is owned needs the owner's uid.
        let mut uids: HashMap<(String, String), String> = HashMap::new();
        let mut labels: HashMap<String, Value> = HashMap::new();
        while !all.is_empty() {
            let known = |made: &mut Made| match &made.owner {
                Some((kind, name)) => uids.contains_key(&((*kind).to_owned(), name.clone())),
                None => true,
            };
            let now: Vec<Made> = all.extract_if(.., known).collect();
            assert!(!now.is_empty(), "an owner is missing");
            let objects: Vec<(Value, Value)> = now
                .into_iter()
                .map(|Made { mut object, status, owner }| {
                    if let Some((kind, name)) = owner {
                        let version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
                        let uid = &uids[&(kind.to_owned(), name.clone())];
                        object["metadata"]["ownerReferences"] = json!([{
                            "apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": true,
                        }]);
                        if let Some(of_job) = labels.get(&name).filter(|_| kind == "Job") {
                            object["metadata"]["labels"] = of_job.clone();
                        }
                    }
                    (object, status)
                })
                .collect();
            self.create_with_status(&objects);
            let kinds = "deployments,replicasets,jobs,pods,persistentvolumeclaims,certificates.cert-manager.io";
            let listed: Value = serde_json::from_str(&self.kubectl(&["get", kinds, "-n", "ward", "-o", "json"]))
                .expect("kubectl prints JSON");
            for item in listed["items"].as_array().into_iter().flatten() {
                let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
                if item["kind"] == "Job" {
                    labels.insert(text("/metadata/name"), item["spec"]["selector"]["matchLabels"].clone());
                }
                uids.insert((text("/kind"), text("/metadata/name")), text("/metadata/uid"));
            }
        }
        let events = EVENTS.iter().enumerate().map(|(n, (kind, name, ty, reason, message, part, count, minute))| {
            let about = json!({
                "kind": kind, "namespace": "ward", "name": name, "fieldPath": part,
                "uid": uids[&((*kind).to_owned(), (*name).to_owned())],
            });
            json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.{n}"), "namespace": "ward"},
                "involvedObject": about, "type": ty, "reason": reason, "message": message, "count": count,
                "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": format!("2026-01-01T00:{minute:02}:00Z"),
                "source": {"component": if *part == MAIN { "kubelet" } else { "controller" }},
            })
        });
        self.apply(&json!({"apiVersion": "v1", "kind": "List", "items": events.collect::<Vec<_>>()}).to_string());
    }
}
