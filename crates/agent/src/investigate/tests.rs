//! Rules on objects as they come, without a server: what the real one of the tests cannot show, and what only looks like a cause.

use clusterlore_cluster::reads::{Event, Object};
use clusterlore_testkit::edits::edited;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::findings::{Bearing, Cause, Diagnosis, Findings, ObjectName, SubjectFindings};
use super::render::{sections, text};
use super::rules::{RULES, diagnose, state, verdict};
use super::seen::{LogTail, Reference, Seen};

fn object(json: Value) -> Object {
    Object::new(json)
}

/// A pod with one container of this status, and what is put over it.
fn pod(status: Value, over: Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a", "uid": "u"},
        "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "r.example/app:1"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    });
    put(&mut pod, over);
    pod
}

fn put(into: &mut Value, over: Value) {
    match (into, over) {
        (Value::Object(into), Value::Object(over)) => {
            over.into_iter().for_each(|(key, value)| put(into.entry(key).or_insert(Value::Null), value));
        }
        (into, over) => *into = over,
    }
}

fn waits(reason: &str, message: &str) -> Value {
    json!({"name": "main", "state": {"waiting": {"reason": reason, "message": message}}})
}

fn ended(reason: &str, code: i64, more: Value) -> Value {
    let mut status = json!({
        "name": "main", "restartCount": 3, "state": {"running": {}},
        "lastState": {"terminated": {"reason": reason, "exitCode": code}},
    });
    put(&mut status, more);
    status
}

fn of(json: Value) -> Seen {
    let subject = object(json);
    let mut seen = Seen::new(subject.clone(), "2026-06-01T00:00:00Z".parse().unwrap());
    if subject.kind() == "Pod" {
        seen.pods.push(subject);
    }
    seen
}

fn told(seen: &Seen) -> Vec<(Cause, Bearing)> {
    diagnose(seen).iter().map(|diagnosis| (diagnosis.cause, diagnosis.bearing)).collect()
}

fn only(seen: &Seen) -> Diagnosis {
    let mut all = diagnose(seen);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn what_registries_say_is_told_apart() {
    for (said, cause) in [
        ("failed to resolve reference \"r.example/app:1\": r.example/app:1: not found", Cause::ImageNotFound),
        (
            "Error response from daemon: manifest for r.example/app:1 not found: manifest unknown: manifest unknown",
            Cause::ImageNotFound,
        ),
        (
            "reading manifest 1 in r.example/app: name unknown: repository name not known to registry",
            Cause::ImageNotFound,
        ),
        (
            "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            Cause::ImageAuth,
        ),
        (
            "unexpected status from HEAD request to https://r.example/v2/app/manifests/1: 403 Forbidden",
            Cause::ImageAuth,
        ),
        ("failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized", Cause::ImageAuth),
        ("no basic auth credentials", Cause::ImageAuth),
        (
            "failed to authorize: failed to fetch anonymous token: Get \"https://auth.r.example/token\": dial tcp: lookup auth.r.example: no such host",
            Cause::RegistryUnreachable,
        ),
        (
            "failed to do request: Head \"https://r.example/v2/app/manifests/1\": dial tcp 10.0.0.1:443: i/o timeout",
            Cause::RegistryUnreachable,
        ),
        (
            "failed to do request: Head \"https://r.example/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
            Cause::RegistryUnreachable,
        ),
        (
            "429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.",
            Cause::RegistryLimit,
        ),
        (
            "failed to pull and unpack image \"r.example/app:1\": no match for platform in manifest: not found",
            Cause::ImagePlatform,
        ),
        ("failed to extract layer: write /var/lib/x: no space left on device", Cause::ImagePull),
        ("", Cause::ImagePull),
    ] {
        for reason in ["ErrImagePull", "ImagePullBackOff"] {
            assert_eq!(told(&of(pod(waits(reason, said), json!({})))), [(cause, Bearing::Failing)], "{said}");
        }
    }
    // The name of an image says nothing of why it cannot be pulled.
    let odd = json!({"spec": {"containers": [{"name": "main", "image": "r.example/unauthorized-not found"}]}});
    let said = "Back-off pulling image \"r.example/unauthorized-not found\"";
    assert_eq!(told(&of(pod(waits("ImagePullBackOff", said), odd))), [(Cause::ImagePull, Bearing::Failing)]);
    for (reason, cause) in
        [("InvalidImageName", Cause::ImageNameInvalid), ("ErrImageNeverPull", Cause::ImageNeverPulled)]
    {
        assert_eq!(told(&of(pod(waits(reason, "x"), json!({})))), [(cause, Bearing::Failing)]);
    }
}

fn set(message: &str) -> Seen {
    let failure = json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message});
    of(json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r", "namespace": "a"},
        "spec": {"replicas": 1, "template": {"spec": {}}}, "status": {"replicas": 0, "conditions": [failure]},
    }))
}

#[test]
fn refusals_are_told_apart() {
    for (said, cause, line) in [
        (
            "pods \"r-1\" is forbidden: exceeded quota: team, requested: limits.cpu=2, used: limits.cpu=3, limited: limits.cpu=4",
            Cause::QuotaExceeded,
            "ResourceQuota team of namespace a is used up, so that no more pods can be made (requested: limits.cpu=2, used: limits.cpu=3, limited: limits.cpu=4)",
        ),
        (
            "pods \"r-1\" is forbidden: failed quota: team: must specify limits.cpu for: main",
            Cause::QuotaExceeded,
            "ResourceQuota team of namespace a wants what its pods do not say, so that none can be made (must specify limits.cpu for: main)",
        ),
        (
            "create Claim data-r-0 for Pod r-0 in StatefulSet r failed error: persistentvolumeclaims \"data-r-0\" is forbidden: exceeded quota: disk, requested: requests.storage=1Gi, used: requests.storage=9Gi, limited: requests.storage=9Gi",
            Cause::QuotaExceeded,
            "ResourceQuota disk of namespace a is used up, so that no more claims can be made (requested: requests.storage=1Gi, used: requests.storage=9Gi, limited: requests.storage=9Gi)",
        ),
        (
            "admission webhook \"p.example\" denied the request without explanation",
            Cause::WebhookRefused,
            "admission webhook p.example refuses its pods: without explanation",
        ),
        (
            "pods \"r-1\" is forbidden: violates PodSecurity \"restricted:latest\": privileged (container \"main\" must not set securityContext.privileged=true)",
            Cause::PolicyRefused,
            "a policy of the API server refuses its pods: violates PodSecurity \"restricted:latest\": privileged (container \"main\" must not set securityContext.privileged=true)",
        ),
        (
            "pods \"r-1\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            Cause::PolicyRefused,
            "a policy of the API server refuses its pods: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
        ),
        (
            "pods \"r-1\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
            Cause::LimitRange,
            "a LimitRange of namespace a refuses its pods: maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            "Internal error occurred: failed calling webhook \"i.example\": failed to call webhook: Post \"https://i.a.svc:443/?timeout=10s\": context deadline exceeded",
            Cause::WebhookFailed,
            "admission webhook i.example cannot be called, so that no pods can be made: failed to call webhook: Post \"https://i.a.svc:443/?timeout=10s\": context deadline exceeded",
        ),
        (
            "pods \"r-1\" is forbidden: unable to create new content in namespace a because it is being terminated",
            Cause::CreateFailed,
            "the API server refuses its pods: unable to create new content in namespace a because it is being terminated",
        ),
        ("something new", Cause::CreateFailed, "its pods cannot be made: something new"),
        ("", Cause::CreateFailed, "its pods cannot be made: "),
    ] {
        let found = only(&set(said));
        assert_eq!((found.cause, found.bearing, found.line.as_str()), (cause, Bearing::Failing, line));
    }
}

#[test]
fn a_webhook_that_refuses_a_custom_object_is_named_by_what_its_controller_says() {
    let object = |ready: &str| {
        json!({
            "apiVersion": "example.org/v1", "kind": "Cache", "metadata": {"name": "c", "namespace": "a"},
            "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "Failed", "message": "see events"}]},
        })
    };
    let said = "cannot update StatefulSet c: admission webhook \"p.example\" denied the request: no owner label";
    let event = |warning| Event {
        warning,
        reason: "ReconcileError".into(),
        message: said.into(),
        count: 1,
        last: String::new(),
        part: String::new(),
        by: String::new(),
    };
    let seen = |ready: &str, warning| {
        let mut seen = of(object(ready));
        seen.events.insert(ObjectName::of(&seen.subject), vec![event(warning)]);
        seen
    };
    let expected = [(Cause::WebhookRefused, Bearing::Failing), (Cause::ConditionFalse, Bearing::Failing)];
    assert_eq!(told(&seen("False", true)), expected);
    assert_eq!(told(&seen("False", false)), expected[1..]);
    assert_eq!(told(&seen("True", true)), []);
}

#[test]
fn names_are_fit_to_be_shown_wherever_they_stand() {
    let mut odd = set("exceeded quota: q\u{1b}[2J\u{202e}").subject.json().clone();
    odd["metadata"]["namespace"] = json!("a\u{0}\u{1b}[2Jb");
    assert_eq!(only(&of(odd)).line, "ResourceQuota q of namespace ab is used up, so that no more pods can be made ()");
}

#[test]
fn how_a_container_ended_is_told_apart() {
    use Bearing::{Failing, Notice};
    let ready = || json!({"ready": true});
    let conditions = |status: &str| json!({"status": {"conditions": [{"type": "Ready", "status": status}]}});
    type Case = (Value, Value, Vec<(Cause, Bearing)>);
    let cases: Vec<Case> = vec![
        (ended("OOMKilled", 137, json!({})), json!({}), vec![(Cause::OutOfMemory, Failing)]),
        // It runs again: what was is no reason of what is.
        (ended("OOMKilled", 137, ready()), conditions("True"), vec![(Cause::OutOfMemory, Notice)]),
        (ended("Error", 1, ready()), conditions("True"), vec![(Cause::CrashLoop, Notice)]),
        (ended("Error", 137, json!({})), json!({}), vec![(Cause::CrashLoop, Failing)]),
        (ended("Completed", 0, ready()), conditions("True"), vec![]),
        (
            json!({"name": "main", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}),
            json!({"status": {"phase": "Succeeded"}}),
            vec![],
        ),
        (
            json!({"name": "main", "state": {"terminated": {"reason": "Error", "exitCode": 1}}}),
            json!({"spec": {"restartPolicy": "Never"}, "status": {"phase": "Failed"}}),
            vec![(Cause::ContainerFailed, Failing)],
        ),
        (
            json!({"name": "main", "ready": false, "state": {"running": {}}}),
            json!({}),
            vec![(Cause::Unexplained, Failing)],
        ),
        (waits("RunContainerError", "context canceled"), json!({}), vec![(Cause::CannotStart, Failing)]),
        (
            waits("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
            json!({}),
            vec![(Cause::ConfigError, Failing)],
        ),
        (waits("ContainerCreating", ""), json!({"status": {"phase": "Pending"}}), vec![(Cause::Unexplained, Failing)]),
    ];
    for (status, over, expected) in cases {
        assert_eq!(told(&of(pod(status.clone(), over))), expected, "{status}");
    }
}

#[test]
fn an_init_container_is_named_as_such_and_its_waiting_pod_says_so() {
    let init = |state: Value| {
        json!({
            "spec": {"initContainers": [{"name": "first", "image": "x"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [{"name": "first", "restartCount": 2, "state": state, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]},
        })
    };
    let found = only(&of(pod(waits("PodInitializing", ""), init(json!({"waiting": {"reason": "CrashLoopBackOff"}})))));
    assert_eq!(
        found.line,
        "init container first ends with an error again and again (exit code 1, restarted twice)"
            .replace("twice", "2 times")
    );
    let slow = json!({
        "spec": {"initContainers": [{"name": "first", "image": "x"}]},
        "status": {"phase": "Pending", "initContainerStatuses": [{"name": "first", "state": {"running": {}}}]},
    });
    let found = only(&of(pod(waits("PodInitializing", ""), slow)));
    assert_eq!(
        found.line,
        "it is not ready, and nothing well-known was seen: init container first has not come to its end"
    );
}

#[test]
fn why_a_pod_waits_is_said_where_nothing_well_known_was_seen() {
    let gone = json!({"spec": {"nodeName": null}, "status": {"phase": "Pending", "containerStatuses": []}});
    let never = of(pod(Value::Null, gone));
    assert!(only(&never).line.ends_with(": no scheduler has looked at it"), "{:?}", only(&never));
    let message = "Pod was rejected: Node didn't have enough resource: cpu";
    let refused =
        json!({"status": {"phase": "Failed", "reason": "OutOfcpu", "message": message, "containerStatuses": []}});
    assert!(only(&of(pod(Value::Null, refused))).line.ends_with(message));
    let gate = json!({"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "corresponding condition of pod readiness gate \"x\" does not exist."});
    let gated = pod(
        json!({"name": "main", "ready": true, "state": {"running": {}}}),
        json!({"status": {"conditions": [gate]}}),
    );
    assert!(only(&of(gated)).line.ends_with(": corresponding condition of pod readiness gate \"x\" does not exist."));
}

#[test]
fn the_last_words_are_those_of_the_container() {
    let mut seen = of(pod(ended("Error", 1, json!({})), json!({})));
    let log = |container: &str, lines: &[&str]| LogTail {
        pod: "p".into(),
        container: container.into(),
        previous: true,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    };
    seen.logs = vec![log("other", &["not mine"]), log("main", &["first", "panic: no DATABASE_URL"])];
    assert!(only(&seen).line.ends_with("; its last line: panic: no DATABASE_URL"));
    seen.logs.pop();
    assert!(!only(&seen).line.contains("not mine"));
}

#[test]
fn what_is_called_like_a_known_kind_and_is_of_another_group_is_not_taken_for_it() {
    for (api_version, kind, spec) in [
        ("serving.knative.dev/v1", "Service", json!({"selector": {"app": "x"}})),
        ("batch.volcano.sh/v1alpha1", "Job", json!({"suspend": true})),
        ("example.org/v1", "Deployment", json!({"replicas": 0, "paused": true})),
        ("example.org/v1", "Node", json!({"unschedulable": true})),
    ] {
        let seen = of(json!({
            "apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "a"}, "spec": spec,
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }));
        assert_eq!(told(&seen), [], "{api_version} {kind}");
        assert_eq!(state(&seen.subject), "it says that it is well");
    }
}

#[test]
fn what_somebody_wants_is_no_failure() {
    let daemons = |status: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d", "namespace": "a"},
            "spec": {"template": {"spec": {"nodeSelector": {"gpu": "yes"}}}}, "status": status,
        })
    };
    let found = only(&of(daemons(json!({"observedGeneration": 1, "desiredNumberScheduled": 0}))));
    assert_eq!(found.bearing, Bearing::Intended);
    assert_eq!(found.line, "no node has the labels of its node selector (gpu=yes), so that none of its pods runs");
    assert_eq!(told(&of(daemons(json!({})))), []);
    let scaler = |reason: &str| {
        of(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h", "namespace": "a"},
            "status": {"conditions": [{"type": "ScalingActive", "status": "False", "reason": reason, "message": "m"}]},
        }))
    };
    let with_itself = |mut seen: Seen| {
        seen.autoscalers.push(seen.subject.clone());
        seen
    };
    assert_eq!(told(&with_itself(scaler("ScalingDisabled"))), []);
    assert_eq!(told(&with_itself(scaler("InvalidSelector"))), [(Cause::AutoscalerFailing, Bearing::Failing)]);
    // One that is deleted, and one that hangs.
    let deleted = |finalizers: Value| {
        of(json!({
            "apiVersion": "example.org/v1", "kind": "X", "metadata": {
                "name": "x", "namespace": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers,
            },
        }))
    };
    assert_eq!(told(&deleted(json!([]))), []);
    assert_eq!(
        only(&deleted(json!(["example.org/wait"]))).line,
        "it is being deleted since 2026-01-01T00:00:00Z and waits for its finalizers: example.org/wait"
    );
}

#[test]
fn a_workload_that_is_well_is_not_failed_by_a_pod_that_is_left_over() {
    let evicted = pod(
        Value::Null,
        json!({"metadata": {"uid": "e"}, "status": {
            "phase": "Failed", "reason": "Evicted", "containerStatuses": [], "message": "The node was low on resource: memory.",
        }}),
    );
    let workload = |ready: u32| {
        let mut seen = of(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s", "namespace": "a"},
            "spec": {"replicas": 1, "template": {"spec": {}}}, "status": {"readyReplicas": ready, "replicas": 1},
        }));
        seen.pods.push(object(evicted.clone()));
        seen
    };
    assert_eq!(told(&workload(1)), [(Cause::Evicted, Bearing::Notice)]);
    assert_eq!(told(&workload(0)), [(Cause::Evicted, Bearing::Failing)]);
}

#[test]
fn what_is_named_and_missing_matters_only_to_pods_that_wait() {
    let reference = |for_what| Reference { kind: "Secret", name: "s".into(), for_what, there: Some(false) };
    let mut ready = of(pod(
        json!({"name": "main", "ready": true, "state": {"running": {}}}),
        json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
    ));
    ready.references = vec![reference("variables")];
    assert_eq!(told(&ready), [(Cause::SecretMissing, Bearing::Notice)]);
    let mut waiting = of(pod(waits("ContainerCreating", ""), json!({"status": {"phase": "Pending"}})));
    waiting.references = vec![reference("a volume")];
    assert_eq!(told(&waiting), [(Cause::SecretMissing, Bearing::Failing)]);
    // It has another reason.
    let mut other = of(pod(waits("ImagePullBackOff", "x: not found"), json!({"status": {"phase": "Pending"}})));
    other.references = vec![reference("variables")];
    assert_eq!(told(&other), [(Cause::ImageNotFound, Bearing::Failing), (Cause::SecretMissing, Bearing::Notice)]);
    // Nobody could tell.
    let mut unknown = of(pod(waits("ContainerCreating", ""), json!({"status": {"phase": "Pending"}})));
    unknown.references = vec![Reference { there: None, ..reference("a volume") }];
    assert_eq!(told(&unknown), [(Cause::Unexplained, Bearing::Failing)]);
}

#[test]
fn every_rule_names_its_source_once() {
    let mut names: Vec<&str> = RULES.iter().map(|rule| rule.looks_at).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
    assert!(RULES.iter().all(|rule| rule.source.starts_with("https://kubernetes.io/docs/")
        || rule.source.starts_with("https://cert-manager.io/docs/")));
}

fn whole() -> Vec<Value> {
    let init = json!({"spec": {"initContainers": [{"name": "first"}], "volumes": [{"name": "v", "secret": {"secretName": "s"}}]}});
    vec![
        pod(ended("Error", 1, json!({"ready": false})), init),
        pod(waits("ImagePullBackOff", "not found"), json!({})),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "a", "uid": "u"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}},
            "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q, requested"}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80, "targetPort": "http"}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "a"}, "spec": {
            "tls": [{"secretName": "t"}], "rules": [{"http": {"paths": [{"backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}]}}),
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "c", "namespace": "a"}, "status": {"notAfter": "2026-01-01T00:00:00Z"}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "p", "namespace": "a"}, "status": {"phase": "Pending"}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
    ]
}

proptest! {
    /// Whatever objects look like: rules come to an end, what they say is clean, and no diagnosis is without an object and a line.
    #[test]
    fn fuzz_diagnose(which in prop::collection::vec((0_usize..8, 0_usize..8, any::<u64>()), 1..5)) {
        let objects: Vec<Object> = which.into_iter().filter_map(|(which, edits, random)| {
            let bytes = edited(&whole()[which].to_string(), edits, random);
            Some(object(serde_json::from_slice(&bytes).ok()?))
        }).collect();
        let Some(first) = objects.first() else { return Ok(()) };
        let mut seen = Seen::new(first.clone(), "2026-06-01T00:00:00Z".parse().unwrap());
        (seen.pods, seen.made, seen.owners) = (objects.clone(), objects.clone(), objects.clone());
        (seen.services, seen.ingresses, seen.certificates) = (objects.clone(), objects.clone(), objects.clone());
        (seen.claims, seen.nodes, seen.autoscalers) = (objects.clone(), objects.clone(), objects.clone());
        seen.slices.insert("s".into(), objects.clone());
        let diagnoses = diagnose(&seen);
        prop_assert!(diagnoses.iter().all(|d| !d.of.is_empty() && !d.line.is_empty() && d.line.len() < 8_000));
        prop_assert!(diagnoses.is_sorted_by_key(|d| d.bearing));
        let subject = SubjectFindings {
            subject: ObjectName::of(first), state: state(first), verdict: verdict(&seen, &diagnoses), diagnoses,
            seen: sections(&seen), unread: Vec::new(),
        };
        let said = text(&Findings { subjects: vec![subject], left_out: 0 });
        prop_assert!(!said.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{said:?}");
    }
}

#[test]
fn what_ended_seldom_and_long_ago_does_not_end_again_and_again() {
    let line = |restarts: u64, state: Value, at: &str| {
        let last = json!({"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": at}});
        let status =
            json!({"name": "main", "ready": false, "restartCount": restarts, "state": state, "lastState": last});
        let seen = of(pod(status, json!({})));
        diagnose(&seen).into_iter().find(|told| told.cause == Cause::CrashLoop).unwrap().line
    };
    let runs = || json!({"running": {}});
    let loops = || json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let (old, recent) = ("2026-01-01T00:00:00Z", "2026-05-31T23:50:00Z");
    for (restarts, state, at, again) in [
        (1, runs(), old, false),
        (3, runs(), recent, false),
        (9, runs(), old, false),
        (9, runs(), recent, true),
        (1, loops(), old, true),
    ] {
        let line = line(restarts, state, at);
        assert_eq!(line.contains("again and again"), again, "{line}");
        assert!(line.contains(&format!("last at {at}")) && line.contains("restarted"), "{line}");
    }
}

#[test]
fn memory_and_events_are_read_wherever_they_are_told() {
    // It ran out of memory, and then could not start for another reason.
    let status = json!({
        "name": "main", "ready": false, "restartCount": 2,
        "state": {"terminated": {"reason": "Error", "exitCode": 1}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    });
    assert_eq!(only(&of(pod(status, json!({})))).cause, Cause::OutOfMemory);

    // An event without a part is of the only container, or of the one that it names.
    let probe = |message: &str| Event {
        warning: true,
        reason: "Unhealthy".into(),
        message: message.into(),
        count: 4,
        last: String::new(),
        part: String::new(),
        by: "kubelet".into(),
    };
    let status = |name: &str| json!({"name": name, "ready": false, "restartCount": 0, "state": {"running": {}}});
    let with = |containers: Value, statuses: Value, message: &str| {
        let over = json!({"spec": {"containers": containers}, "status": {"containerStatuses": statuses}});
        let mut seen = of(pod(json!({}), over));
        seen.events.insert(ObjectName::of(&seen.subject), vec![probe(message)]);
        diagnose(&seen)
            .into_iter()
            .filter(|told| told.cause == Cause::ReadinessProbe)
            .map(|told| told.part)
            .collect::<Vec<_>>()
    };
    let failed = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    assert_eq!(with(json!([{"name": "main"}]), json!([status("main")]), failed), ["main"]);
    let two = || json!([{"name": "main"}, {"name": "side"}]);
    let both = || json!([status("main"), status("side")]);
    assert_eq!(with(two(), both(), "Readiness probe failed: container side: 503"), ["side"]);
    assert_eq!(with(two(), both(), failed), ["main", "side"], "nobody says of which");
}
