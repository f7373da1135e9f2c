//! Well-known failures, and what only looks like them, on a real API server: objects, statuses and events as kubelets, the scheduler and
//! controllers write them (`create_failures` of the test kit). There is no kubelet, so that no log can be read.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use clusterlore_agent::investigate::{
    Bearing, Cause, Findings, Limits, SubjectFindings, Target, Verdict, investigate, text,
};
use clusterlore_cluster::reads::{MASKED, NotRead, ReadLimits, Subject};
use clusterlore_cluster::{ClusterSource, LiveOptions, LiveSource};
use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use clusterlore_testkit::real::{ApiServer, Options};

const SECRET_MARK: &str = ApiServer::SECRET_MARK;

async fn source(server: &ApiServer, user: &str) -> LiveSource {
    LiveSource::connect(LiveOptions { kubeconfig: Some(server.kubeconfig(user)), ..LiveOptions::default() })
        .await
        .unwrap()
}

/// A machine that compiles at the same time is slow.
fn limits() -> Limits {
    Limits { time: Duration::from_secs(30), ..Limits::default() }
}

struct Ward {
    types: Vec<ResourceType>,
    source: LiveSource,
}

impl Ward {
    fn ty(&self, kind: &str) -> ResourceType {
        let found = self.types.iter().find(|ty| ty.kind == kind && ty.group != "events.k8s.io");
        found.unwrap_or_else(|| panic!("{kind} is not served")).clone()
    }

    fn target(&self, kind: &str, name: &str) -> Target {
        let ty = self.ty(kind);
        let namespace = if ty.namespaced { "ward" } else { CLUSTER_SCOPE };
        Target { namespace: namespace.to_owned(), name: name.to_owned(), ty }
    }

    async fn look(&self, kind: &str, name: &str) -> SubjectFindings {
        let Findings { mut subjects, left_out } =
            investigate(&self.source, &[self.target(kind, name)], &limits()).await;
        assert_eq!((subjects.len(), left_out), (1, 0));
        subjects.remove(0)
    }
}

fn causes(found: &SubjectFindings, bearing: Bearing) -> Vec<Cause> {
    found.diagnoses.iter().filter(|d| d.bearing == bearing).map(|d| d.cause).collect()
}

/// Kind and name, what makes it fail, and the line of the first of these with its object.
type Case = (&'static str, &'static str, &'static [Cause], &'static str);

#[rustfmt::skip]
const FAILING: &[Case] = &[
    ("Deployment", "tag", &[Cause::ImageNotFound], "Pod ward/tag-6d4b-0: container main cannot pull its image registry.example/tag:1.2: the registry has no such name or tag"),
    ("Deployment", "private", &[Cause::ImageAuth], "Pod ward/private-6d4b-0: container main cannot pull its image registry.example/private:1.2: the registry refuses the credentials, or wants some; its pull secret robot is not there"),
    ("Deployment", "platform", &[Cause::ImagePlatform], "Pod ward/platform-6d4b-0: container main cannot pull its image registry.example/platform:1.2: it is not made for the platform of the node"),
    ("Deployment", "offline", &[Cause::RegistryUnreachable], "Pod ward/offline-6d4b-0: container main cannot pull its image registry.example/offline:1.2: the registry cannot be reached"),
    ("Deployment", "crash", &[Cause::CrashLoop], "Pod ward/crash-6d4b-0 (and 1 more): container main ends with an error again and again (exit code 3, restarted 7 times, last at 2026-01-01T00:01:00Z)"),
    ("Deployment", "ends", &[Cause::KeepsEnding], "Pod ward/ends-6d4b-0: container main comes to its end again and again, though it should run on (exit code 0, restarted 9 times, last at 2026-01-01T00:01:00Z)"),
    ("Deployment", "command", &[Cause::CannotStart], "Pod ward/command-6d4b-0: container main cannot be started: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"serve\": executable file not found in $PATH"),
    ("Deployment", "memory", &[Cause::OutOfMemory], "Pod ward/memory-6d4b-0: container main was killed: it used more memory than its limit of 128Mi (exit code 137, it was killed (SIGKILL), restarted 5 times, last at 2026-01-01T00:01:00Z)"),
    ("Deployment", "killed", &[Cause::CrashLoop], "Pod ward/killed-6d4b-0: container main ends with an error again and again (exit code 137, it was killed (SIGKILL), restarted 5 times, last at 2026-01-01T00:01:00Z)"),
    ("Deployment", "large", &[Cause::Unschedulable], "Pod ward/large-6d4b-0: no node takes it: 0/3 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 2 Insufficient memory"),
    ("Deployment", "gated", &[Cause::SchedulingGated], "Pod ward/gated-6d4b-0: it waits until its scheduling gates are removed: example.org/queue"),
    ("Deployment", "readiness", &[Cause::ReadinessProbe], "Pod ward/readiness-6d4b-0: container main runs and is not ready: its readiness probe fails (41 times): HTTP probe failed with statuscode: 503"),
    ("Deployment", "liveness", &[Cause::LivenessProbe], "Pod ward/liveness-6d4b-0: container main is restarted because its liveness probe fails (restarted 5 times): Get \"http://10.1.0.9:8080/healthz\": dial tcp 10.1.0.9:8080: connect: connection refused"),
    ("Deployment", "variables", &[Cause::SecretMissing], "Pod ward/variables-6d4b-0: container main cannot start: Secret password is not there"),
    ("Deployment", "key", &[Cause::KeyMissing], "Pod ward/key-6d4b-0: container main cannot start: there is no key user in Secret ward/robot-account"),
    ("Deployment", "mount", &[Cause::ConfigMapMissing], "Pod ward/mount-6d4b-0: volume settings cannot be mounted: ConfigMap settings is not there"),
    ("Deployment", "volume", &[Cause::ClaimPending, Cause::StorageClassMissing], "Pod ward/volume-6d4b-0: no node takes it before its PersistentVolumeClaims have volumes (no-class): 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims"),
    ("Deployment", "no-claim", &[Cause::ClaimMissing], "Pod ward/no-claim-6d4b-0: it waits for PersistentVolumeClaim forgotten, which is not there"),
    ("Deployment", "late", &[Cause::Unschedulable], "Pod ward/late-6d4b-0: no node takes it: 0/3 nodes are available: 3 Insufficient cpu"),
    ("Deployment", "quota", &[Cause::QuotaExceeded], "Deployment ward/quota: ResourceQuota team of namespace ward is used up, so that no more pods can be made (requested: pods=1, used: pods=4, limited: pods=4)"),
    ("ReplicaSet", "quota-6d4b", &[Cause::QuotaExceeded], "ReplicaSet ward/quota-6d4b: ResourceQuota team of namespace ward is used up, so that no more pods can be made (requested: pods=1, used: pods=4, limited: pods=4)"),
    ("Deployment", "webhook", &[Cause::WebhookFailed], "Deployment ward/webhook: admission webhook inject.example.org cannot be called, so that no pods can be made: failed to call webhook: Post \"https://inject.mesh.svc:443/inject?timeout=10s\": no endpoints available for service \"inject\""),
    ("Deployment", "denied", &[Cause::WebhookRefused], "Deployment ward/denied: admission webhook policy.example.org refuses its pods: images must come from registry.example"),
    ("Deployment", "account", &[Cause::ServiceAccountMissing], "Deployment ward/account: ServiceAccount clerk is not there, so that no pods can be made"),
    ("Deployment", "lonely", &[Cause::NoEndpoints], "Service ward/lonely: it has no endpoint: its selector (app=lonly) matches no pod"),
    ("Service", "lonely", &[Cause::NoEndpoints], "Service ward/lonely: it has no endpoint: its selector (app=lonly) matches no pod"),
    ("Service", "crash", &[Cause::CrashLoop, Cause::EndpointsNotReady], "Pod ward/crash-6d4b-0 (and 1 more): container main ends with an error again and again (exit code 3, restarted 7 times, last at 2026-01-01T00:01:00Z)"),
    ("Service", "named-port", &[Cause::PortMissing], "Service ward/named-port: its port 80 goes to a container port named https, which no container has"),
    ("Certificate", "old", &[Cause::CertificateExpired], "Certificate ward/old: it expired at 2026-01-01T00:00:00Z and was not renewed: Certificate expired on Thu, 01 Jan 2026 00:00:00 UTC"),
    ("Certificate", "new", &[Cause::CertificateNotReady], "Certificate ward/new: it is not issued: Issuing certificate as Secret does not exist"),
    ("Ingress", "old", &[Cause::CertificateExpired], "Certificate ward/old: it expired at 2026-01-01T00:00:00Z and was not renewed: Certificate expired on Thu, 01 Jan 2026 00:00:00 UTC"),
    ("Ingress", "astray", &[Cause::BackendMissing], "Ingress ward/astray: it leads to Service nobody, which is not there"),
    ("Job", "gave-up", &[Cause::ContainerFailed, Cause::JobFailed], "Pod ward/gave-up-0 (and 2 more): container main ended with an error (exit code 3, last at 2026-01-01T00:01:00Z)"),
    ("PersistentVolumeClaim", "no-class", &[Cause::StorageClassMissing], "PersistentVolumeClaim ward/no-class: it has no volume: its storage class fast is not there"),
    ("PersistentVolumeClaim", "plain", &[Cause::StorageClassMissing], "PersistentVolumeClaim ward/plain: it has no volume: it names no storage class, and the cluster has no default one"),
    ("Deployment", "stranded", &[Cause::NodeNotReady], "Node n3: it is not ready: Kubelet stopped posting node status."),
    ("Node", "n3", &[Cause::NodeNotReady], "Node n3: it is not ready: Kubelet stopped posting node status."),
    ("HorizontalPodAutoscaler", "settled", &[Cause::AutoscalerFailing], "HorizontalPodAutoscaler ward/settled: it cannot tell how many replicas are needed (FailedGetResourceMetric): the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"),
    ("Cache", "ill", &[Cause::ConditionFalse], "Cache ward/ill: it says Ready is False (ReconcileFailed): no license"),
    ("Deployment", "mystery", &[Cause::Unexplained], "Deployment ward/mystery: it is not ready, and nothing well-known was seen: Pod mystery-6d4b-0 is not ready: containers with unready status: [main]"),
    ("Pod", "crash-6d4b-1", &[Cause::CrashLoop], "Pod ward/crash-6d4b-1: container main ends with an error again and again (exit code 3, restarted 6 times, last at 2026-01-01T00:01:00Z)"),
    ("Pod", "nobody", &[Cause::NotFound], "Pod ward/nobody: there is no such object in the cluster"),
];

/// Kind and name, what it comes to, what somebody wants of it, and what is worth a notice.
type Other = (&'static str, &'static str, Verdict, &'static [Cause], &'static [Cause]);

#[rustfmt::skip]
const NOT_FAILING: &[Other] = &[
    ("Deployment", "healthy", Verdict::Fine, &[], &[]),
    ("Pod", "healthy-6d4b-0", Verdict::Fine, &[], &[]),
    ("Service", "healthy", Verdict::Fine, &[], &[]),
    ("Service", "elsewhere", Verdict::Fine, &[], &[]),
    ("Ingress", "healthy", Verdict::Fine, &[], &[]),
    ("Certificate", "good", Verdict::Fine, &[], &[]),
    ("Deployment", "optional", Verdict::Fine, &[], &[]),
    ("Deployment", "grown", Verdict::Fine, &[], &[]),
    ("Job", "done", Verdict::Fine, &[], &[]),
    ("Node", "n1", Verdict::Fine, &[], &[]),
    ("Cache", "well", Verdict::Fine, &[], &[]),
    ("PersistentVolumeClaim", "bound", Verdict::Fine, &[], &[]),
    ("PersistentVolumeClaim", "late", Verdict::Stopped, &[Cause::ClaimPending], &[]),
    ("Deployment", "off", Verdict::Stopped, &[Cause::ScaledToZero], &[]),
    ("Deployment", "paused", Verdict::Stopped, &[Cause::Paused], &[]),
    ("CronJob", "nightly", Verdict::Stopped, &[Cause::Suspended], &[]),
];

#[tokio::test]
async fn well_known_failures_get_their_line_and_look_alikes_do_not() {
    let options = Options { users: vec!["nurse".into(), "stranger".into()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.create_failures();
    server.create_role_for("nurse", &["ward"]);
    server.create_role_for("stranger", &["default"]);
    let admin = source(&server, "admin").await;
    let types = admin.discover().await.unwrap().types;
    let ward = Ward { types: types.clone(), source: admin };

    let mut wrong = Vec::new();
    for (kind, name, expected, line) in FAILING {
        let found = ward.look(kind, name).await;
        let first = found.diagnoses.first();
        let more = |n: usize| if n > 1 { format!(" (and {} more)", n - 1) } else { String::new() };
        let said = first.map(|d| format!("{}{}: {}", d.of[0], more(d.of.len()), d.line)).unwrap_or_default();
        if causes(&found, Bearing::Failing) != *expected || said != *line || found.verdict != Verdict::Failing {
            wrong.push(format!("{kind} {name}: {said}\n{}", text(&Findings { subjects: vec![found], left_out: 0 })));
        }
    }
    for (kind, name, verdict, intended, notices) in NOT_FAILING {
        let found = ward.look(kind, name).await;
        let said = (causes(&found, Bearing::Intended), causes(&found, Bearing::Notice));
        let fails = causes(&found, Bearing::Failing);
        if !fails.is_empty()
            || (said.0.as_slice(), said.1.as_slice()) != (*intended, *notices)
            || found.verdict != *verdict
        {
            wrong.push(format!("{kind} {name}: {}", text(&Findings { subjects: vec![found], left_out: 0 })));
        }
    }
    // Well now, and worth a word: what was before is not what is. There is no kubelet to read a log from.
    for (name, cause) in [("restarted", Cause::CrashLoop), ("settled", Cause::AutoscalerFailing)] {
        let found = ward.look("Deployment", name).await;
        let told = found.diagnoses.iter().map(|d| (d.cause, d.bearing)).collect::<Vec<_>>();
        let expected = if name == "settled" { Bearing::Failing } else { Bearing::Notice };
        if told != [(cause, expected)] {
            wrong.push(format!("{name}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let crash = ward.look("Deployment", "crash").await;
    assert!(
        crash.unread.iter().any(|unread| unread.what.starts_with("log of container main of Pod crash-6d4b-")),
        "{crash:?}"
    );

    as_kubectl(&server, &types).await;
    rights(&server, types).await;
    secrets(&server, &ward).await;
}

/// Who may read one namespace gets the same answers there, and is told what was not read.
async fn rights(server: &ApiServer, types: Vec<ResourceType>) {
    let nurse = Ward { types: types.clone(), source: source(server, "nurse").await };
    let found = nurse.look("Deployment", "healthy").await;
    assert_eq!((found.verdict, &found.unread), (Verdict::Fine, &vec![]), "nothing outside of the namespace is needed");
    let found = nurse.look("Deployment", "large").await;
    assert_eq!(causes(&found, Bearing::Failing), [Cause::Unschedulable]);
    let found = nurse.look("Deployment", "volume").await;
    assert_eq!(causes(&found, Bearing::Failing), [Cause::ClaimPending, Cause::StorageClassMissing]);
    let found = nurse.look("Deployment", "stranded").await;
    assert_eq!(causes(&found, Bearing::Failing), [Cause::Unexplained]);
    let unread: Vec<(&str, &str)> = found.unread.iter().map(|u| (u.what.as_str(), u.why.as_str())).collect();
    assert_eq!(unread, [("Node n3", "it may not be read")]);
    let found = nurse.look("Node", "n3").await;
    assert_eq!((found.verdict, found.diagnoses.len(), found.unread.len()), (Verdict::Unclear, 0, 1));

    let stranger = Ward { types, source: source(server, "stranger").await };
    for name in ["crash", "healthy", "nobody"] {
        let found = stranger.look("Deployment", name).await;
        assert_eq!((found.verdict, found.diagnoses.len(), found.seen.len()), (Verdict::Unclear, 0, 0));
        assert_eq!(found.unread[0].why, "it may not be read");
    }
}

/// What is read is what kubectl prints for the same caller, and is refused where kubectl is.
async fn as_kubectl(server: &ApiServer, types: &[ResourceType]) {
    for (user, namespaces) in [("admin", ["ward", "default"]), ("nurse", ["ward", "default"])] {
        let source = source(server, user).await;
        let reads = source.reads(ReadLimits { time: Duration::from_secs(60), ..ReadLimits::default() });
        for (plural, name) in [
            ("deployments.apps", "healthy"),
            ("pods", "healthy-6d4b-0"),
            ("services", "healthy"),
            ("jobs.batch", "gave-up"),
            ("caches.example.org", "ill"),
            ("configmaps", "present"),
            ("pods", "nobody"),
            ("nodes", "n3"),
        ] {
            let ty = types.iter().find(|ty| ty.name() == plural).unwrap();
            for namespace in namespaces {
                let printed = server.kubectl_as(user, &["get", plural, name, "-n", namespace, "-o", "json"]);
                let place = if ty.namespaced { namespace } else { CLUSTER_SCOPE };
                let (out, err) = (String::from_utf8_lossy(&printed.stdout), String::from_utf8_lossy(&printed.stderr));
                match reads.object(ty, place, name).await {
                    Ok(Some(object)) => {
                        let printed: serde_json::Value = serde_json::from_str(&out).unwrap();
                        assert_eq!(object.json(), &printed, "{user} {plural} {name}");
                    }
                    Ok(None) => assert!(err.contains("NotFound"), "{user} {plural} {namespace}/{name}: {err}"),
                    Err(NotRead::Forbidden) => {
                        assert!(err.contains("Forbidden"), "{user} {plural} {namespace}/{name}: {err}")
                    }
                    Err(other) => panic!("{user} {plural} {namespace}/{name}: {other:?}"),
                }
            }
        }
    }
}

/// No value of a Secret leaves the reads, whoever asks in whichever way.
async fn secrets(server: &ApiServer, ward: &Ward) {
    let shown = server.kubectl(&["get", "secret", "robot-account", "-n", "ward", "-o", "json"]);
    assert!(shown.contains(SECRET_MARK), "the annotation");
    let ty = ward.ty("Secret");
    let reads = ward.source.reads(ReadLimits { time: Duration::from_secs(30), ..ReadLimits::default() });
    let one = reads.object(&ty, "ward", "robot-account").await.unwrap().unwrap();
    assert_eq!(one.at("/data/password"), MASKED);
    let list = reads.list(&ty, "ward", "").await.unwrap();
    assert_eq!(list.items.len(), 3);
    let everywhere = reads.list(&ty, CLUSTER_SCOPE, "").await.unwrap();
    let pods = reads.list(&ward.ty("Pod"), "ward", "app=healthy").await.unwrap();
    assert_eq!(pods.items.len(), 2);
    let all = format!(
        "{}{}{}{one:?}{list:?}",
        serde_json::to_string(&one).unwrap(),
        serde_json::to_string(&list.items).unwrap(),
        serde_json::to_string(&everywhere.items).unwrap(),
    );
    // The API server encodes what it was given as text.
    let encoded = "TUFSSy1vZi1hLXNlY3JldA==";
    assert!(shown.contains(encoded));
    assert!(!all.contains(SECRET_MARK) && !all.contains(encoded) && !all.contains("managedFields"), "{all}");
    for name in ["variables", "key", "healthy"] {
        let found = ward.look("Deployment", name).await;
        let said = format!("{}{found:?}", serde_json::to_string(&found).unwrap());
        assert!(!said.contains(SECRET_MARK) && !said.contains(encoded));
    }

    let events = Subject { kind: "Pod", namespace: "ward", name: "crash-6d4b-0", uid: None };
    let events = reads.events(&events).await.unwrap();
    assert_eq!(events.items.iter().map(|e| (e.reason.as_str(), e.count)).collect::<Vec<_>>(), [("BackOff", 30)]);
    assert_eq!(reads.exists(&ty, "ward", "nobody").await, Ok(false));
    assert_eq!(reads.object(&ward.ty("Node"), CLUSTER_SCOPE, "nobody").await, Ok(None));
    let unserved = ResourceType { plural: "strangers".into(), kind: "Stranger".into(), ..ty.clone() };
    assert_eq!(reads.object(&unserved, "ward", "x").await, Err(NotRead::NotServed));
    assert_eq!(reads.list(&unserved, "ward", "").await, Err(NotRead::NotServed));
    assert!(reads.may("get", &ward.ty("Pod"), "log", "ward").await.unwrap());
    let nurse = source(server, "nurse").await;
    let reads = nurse.reads(ReadLimits { time: Duration::from_secs(30), ..ReadLimits::default() });
    assert!(reads.may("list", &ty, "", "ward").await.unwrap() && !reads.may("list", &ty, "", "default").await.unwrap());
    assert_eq!(reads.object(&ty, "default", "x").await, Err(NotRead::Forbidden));
    assert_eq!(reads.log("default", "x", "main", false).await, Err(NotRead::Forbidden));
}
