//! The rules, in the order in which an experienced operator would look: the object itself, whether its pods can be made, placed, given their
//! volumes and configuration, started, kept running and made ready; then who reaches them.

use std::collections::BTreeSet;

use clusterlore_cluster::reads::Object;

use super::facts::{backends, is_ready, is_well, kind, number, replicas, word};
use super::findings::{Bearing, Diagnosis, Verdict};
use super::found::{Found, of_all};
use super::making::{conditions, creation, deletion, jobs, stopped};
use super::placing::{claims, evictions, nodes, scheduling, volumes};
use super::reaching::{autoscalers, certificates, ingresses, services, unexplained};
use super::running::{configuration, crashes, images, memory, probes, references, starts};
use super::seen::Seen;

/// A way to look at what was read.
#[derive(Clone, Copy)]
pub struct Rule {
    /// What it looks at.
    pub looks_at: &'static str,
    /// Where the fields and reasons that it reads are documented.
    pub source: &'static str,
    look: fn(&Seen, &mut Found),
}

const fn rule(looks_at: &'static str, source: &'static str, look: fn(&Seen, &mut Found)) -> Rule {
    Rule { looks_at, source, look }
}

/// All rules. Later ones see what earlier ones found.
pub const RULES: &[Rule] = &[
    rule("deletion", "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/", deletion),
    rule(
        "replicas, pause, suspension",
        "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/",
        stopped,
    ),
    rule(
        "admission of its pods",
        "https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/",
        creation,
    ),
    rule("scheduling", "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions", scheduling),
    rule("claims", "https://kubernetes.io/docs/concepts/storage/persistent-volumes/", claims),
    rule("volumes", "https://kubernetes.io/docs/concepts/storage/volumes/", volumes),
    rule(
        "variables",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/",
        configuration,
    ),
    rule("images", "https://kubernetes.io/docs/concepts/containers/images/", images),
    rule("start", "https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/", starts),
    rule("memory", "https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/", memory),
    rule("crashes", "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states", crashes),
    rule("evictions", "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/", evictions),
    rule(
        "probes",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
        probes,
    ),
    rule("nodes", "https://kubernetes.io/docs/reference/node/node-status/", nodes),
    rule("ConfigMaps and Secrets", "https://kubernetes.io/docs/concepts/configuration/secret/", references),
    rule("jobs", "https://kubernetes.io/docs/concepts/workloads/controllers/job/", jobs),
    rule("its own conditions", "https://kubernetes.io/docs/reference/using-api/api-concepts/", conditions),
    rule("endpoints", "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/", services),
    rule("backends", "https://kubernetes.io/docs/concepts/services-networking/ingress/", ingresses),
    rule("certificates", "https://cert-manager.io/docs/troubleshooting/", certificates),
    rule("autoscalers", "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/", autoscalers),
    rule("what is left", "https://kubernetes.io/docs/tasks/debug/debug-application/", unexplained),
];

/// What is wrong with what was read: nothing is asked any more.
pub fn diagnose(seen: &Seen) -> Vec<Diagnosis> {
    let mut found = Found::default();
    for rule in RULES {
        found.source = rule.source;
        (rule.look)(seen, &mut found);
    }
    // A stable sort: within one bearing the order of the rules stays.
    found.all.sort_by_key(|diagnosis| diagnosis.bearing);
    found.all
}

/// What it comes to.
pub(super) fn verdict(seen: &Seen, diagnoses: &[Diagnosis]) -> Verdict {
    match diagnoses.iter().map(|diagnosis| diagnosis.bearing).min() {
        Some(Bearing::Failing) => Verdict::Failing,
        Some(Bearing::Intended) => Verdict::Stopped,
        _ if seen.unread.is_empty() => Verdict::Fine,
        _ => Verdict::Unclear,
    }
}

/// How the subject is, in half a sentence.
pub(super) fn state(subject: &Object) -> String {
    if let Some((ready, wanted)) = replicas(subject) {
        return match wanted {
            0 if kind(subject) == "DaemonSet" => "no node is to run it".to_owned(),
            0 => "no replicas are wanted".to_owned(),
            _ => format!("{} ready", of_all(ready, wanted, "replica", "replicas")),
        };
    }
    match (kind(subject), subject.text("/status/phase"), is_well(subject)) {
        ("Pod", phase, _) => {
            let ready = if is_ready(subject) { "ready" } else { "not ready" };
            let phase = if phase.is_empty() { "Pending".to_owned() } else { word(phase) };
            if phase == "Succeeded" {
                "it is done".to_owned()
            } else {
                format!("its phase is {phase}, and it is {ready}")
            }
        }
        ("Job", ..) => {
            let count = |of: &str| number(subject, &format!("/status/{of}")).unwrap_or(0);
            format!("{} active, {} succeeded, {} failed", count("active"), count("succeeded"), count("failed"))
        }
        ("Service", ..) => {
            let ty = subject.text("/spec/type");
            format!("a Service of type {}", if ty.is_empty() { "ClusterIP".to_owned() } else { word(ty) })
        }
        ("Ingress", ..) => {
            let services: BTreeSet<String> = backends(subject).iter().map(|(name, _)| word(name)).collect();
            let services: Vec<String> = services.into_iter().take(5).collect();
            if services.is_empty() {
                "it leads nowhere".to_owned()
            } else {
                format!("it leads to Service {}", services.join(", "))
            }
        }
        (_, phase, well) if !phase.is_empty() => {
            let well = if well == Some(false) { ", and it is not well" } else { "" };
            format!("its phase is {}{well}", word(phase))
        }
        (_, _, Some(true)) => "it says that it is well".to_owned(),
        (_, _, Some(false)) => "it says that it is not well".to_owned(),
        _ => "it does not say how it is".to_owned(),
    }
}
