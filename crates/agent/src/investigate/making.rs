//! Whether there should be pods at all, and what keeps them from being made.

use clusterlore_cluster::reads::Object;
use serde_json::Value;

use super::facts::{Condition, holds, is_well, kind, list, message, number, replicas, texts, word};
use super::findings::{Bearing, Cause};
use super::found::{Found, quoted};
use super::seen::Seen;

pub(super) fn deletion(seen: &Seen, found: &mut Found) {
    let subject = &seen.subject;
    let since = subject.text("/metadata/deletionTimestamp");
    let finalizers: Vec<String> =
        subject.list("/metadata/finalizers").iter().filter_map(Value::as_str).map(word).collect();
    if !since.is_empty() && !finalizers.is_empty() {
        let line = format!(
            "it is being deleted since {} and waits for its finalizers: {}",
            word(since),
            finalizers.join(", ")
        );
        found.add(Cause::DeletionWaits, Bearing::Failing, subject, "", line);
    }
}

/// Stopped because somebody wants it.
pub(super) fn stopped(seen: &Seen, found: &mut Found) {
    for object in [&seen.subject].into_iter().chain(&seen.owners) {
        let zero = replicas(object).is_some_and(|(_, wanted)| wanted == 0);
        if zero && kind(object) != "DaemonSet" {
            let line = "it is scaled to 0 replicas, so that none of its pods runs".to_owned();
            found.add(Cause::ScaledToZero, Bearing::Intended, object, "", line);
        } else if zero && number(object, "/status/observedGeneration").is_some() {
            let selector = texts(object.at("/spec/template/spec/nodeSelector"));
            let selector: Vec<String> = selector.iter().map(|(key, value)| word(&format!("{key}={value}"))).collect();
            let line = match selector.as_slice() {
                [] => "no node is eligible for it, so that none of its pods runs".to_owned(),
                some => format!(
                    "no node has the labels of its node selector ({}), so that none of its pods runs",
                    some.join(", ")
                ),
            };
            found.add(Cause::Unschedulable, Bearing::Intended, object, "", line);
        }
        if kind(object) == "Deployment" && object.at("/spec/paused") == &Value::Bool(true) {
            let line = "its rollout is paused: changes of its template do nothing until it is resumed".to_owned();
            found.add(Cause::Paused, Bearing::Intended, object, "", line);
        }
        if ["Job", "CronJob"].contains(&kind(object)) && object.at("/spec/suspend") == &Value::Bool(true) {
            found.add(Cause::Suspended, Bearing::Intended, object, "", "it is suspended: it starts no pods".to_owned());
        }
    }
}

/// Pods that the API server did not let anybody make.
pub(super) fn creation(seen: &Seen, found: &mut Found) {
    if is_well(&seen.subject) == Some(true) {
        return;
    }
    for object in [&seen.subject].into_iter().chain(&seen.owners).chain(&seen.made) {
        let lacks = lacks_pods(object);
        let failure = Condition::of(object, "ReplicaFailure").filter(|c| c.status() == "True").map(Condition::message);
        let event = seen.last(object, "FailedCreate").filter(|_| lacks).map(|event| event.message.as_str());
        // Controllers of custom objects have their own reasons; what a webhook says has its own words.
        let is_custom = replicas(object).is_none() && !["Pod", "Job", "CronJob"].contains(&kind(object));
        let refused = || {
            let warnings = seen.events_of(object).iter().rev().filter(|event| event.warning);
            warnings.map(|event| event.message.as_str()).find(|said| is_webhook(said))
        };
        let refused = if is_custom && is_well(object) != Some(true) { refused() } else { None };
        let Some(said) = failure.or(event).or(refused) else { continue };
        let (cause, part, line) = refusal(said, &word(object.namespace()));
        found.add(cause, Bearing::Failing, object, &part, line);
        // A Deployment repeats what its ReplicaSet says.
        break;
    }
}

/// Whether it has fewer pods than it wants.
fn lacks_pods(object: &Object) -> bool {
    let current = match kind(object) {
        "DaemonSet" => "/status/currentNumberScheduled",
        _ => "/status/replicas",
    };
    match replicas(object) {
        Some((_, wanted)) => number(object, current).unwrap_or(0) < wanted,
        None => is_well(object) != Some(true),
    }
}

fn is_webhook(said: &str) -> bool {
    said.contains("admission webhook \"") || said.contains("failed calling webhook \"")
}

/// What a refusal of the API server means: cause, what it is about, line.
fn refusal(said: &str, namespace: &str) -> (Cause, String, String) {
    let what = if said.contains("persistentvolumeclaims ") { "claims" } else { "pods" };
    // `exceeded quota: NAME, requested: …`
    for (mark, is_used_up) in [("exceeded quota: ", true), ("failed quota: ", false)] {
        if let Some((_, rest)) = said.split_once(mark) {
            let end = rest.find([',', ':']).unwrap_or(rest.len());
            let (name, more) = (word(&rest[..end]), message(rest[end..].trim_start_matches([',', ':', ' '])));
            let line = match is_used_up {
                true => format!(
                    "ResourceQuota {name} of namespace {namespace} is used up, so that no more {what} can be made ({more})"
                ),
                false => format!(
                    "ResourceQuota {name} of namespace {namespace} wants what its {what} do not say, so that none can be made ({more})"
                ),
            };
            return (Cause::QuotaExceeded, name, line);
        }
    }
    if let (true, Some(name)) = (said.contains("denied the request"), quoted(said, "admission webhook ", '"')) {
        let (name, why) = (word(name), said.split_once("denied the request").map_or("", |(_, why)| why));
        let why = message(why.trim_start_matches([':', ' ']));
        let line = format!("admission webhook {name} refuses its {what}: {}", or_nothing(&why));
        return (Cause::WebhookRefused, name, line);
    }
    for mark in ["failed calling webhook ", "failed calling admission webhook "] {
        if let Some(name) = quoted(said, mark, '"') {
            let why = said.split_once(name).map_or("", |(_, why)| why);
            let why = message(why.trim_start_matches(['"', ':', ' ']));
            let name = word(name);
            let line = format!(
                "admission webhook {name} cannot be called, so that no {what} can be made: {}",
                or_nothing(&why)
            );
            return (Cause::WebhookFailed, name, line);
        }
    }
    if let Some(name) =
        quoted(said, "serviceaccount ", '"').filter(|_| said.contains("error looking up service account"))
    {
        let name = word(name);
        let line = format!("ServiceAccount {name} is not there, so that no {what} can be made");
        return (Cause::ServiceAccountMissing, name, line);
    }
    let forbidden = said.split_once("is forbidden: ").map(|(_, why)| message(why));
    match forbidden {
        Some(why) if why.starts_with("violates PodSecurity") || why.starts_with("ValidatingAdmissionPolicy") => {
            (Cause::PolicyRefused, String::new(), format!("a policy of the API server refuses its {what}: {why}"))
        }
        Some(why) if why.contains(" usage per ") || why.contains("limit to request ratio") => (
            Cause::LimitRange,
            String::new(),
            format!("a LimitRange of namespace {namespace} refuses its {what}: {why}"),
        ),
        Some(why) => (Cause::CreateFailed, String::new(), format!("the API server refuses its {what}: {why}")),
        None => (Cause::CreateFailed, String::new(), format!("its {what} cannot be made: {}", message(said))),
    }
}

fn or_nothing(why: &str) -> &str {
    if why.is_empty() { "it does not say why" } else { why }
}

pub(super) fn jobs(seen: &Seen, found: &mut Found) {
    let newest = seen.made.iter().filter(|made| kind(made) == "Job");
    for (age, job) in
        [&seen.subject].into_iter().chain(&seen.owners).filter(|o| kind(o) == "Job").chain(newest).enumerate()
    {
        let Some(failed) = Condition::of(job, "Failed").filter(|failed| failed.status() == "True") else { continue };
        let bearing = if age == 0 { Bearing::Failing } else { Bearing::Notice };
        let count = number(job, "/status/failed").unwrap_or(0);
        let (cause, line) = match failed.reason() {
            "BackoffLimitExceeded" => {
                let limit = number(job, "/spec/backoffLimit").unwrap_or(6);
                (
                    Cause::JobFailed,
                    format!(
                        "it gave up: its pods failed more often than its backoff limit of {limit} allows ({count} failed)"
                    ),
                )
            }
            "DeadlineExceeded" => {
                let limit =
                    number(job, "/spec/activeDeadlineSeconds").map(|s| format!(" of {s} seconds")).unwrap_or_default();
                (Cause::JobDeadline, format!("it was stopped: it was active longer than its deadline{limit}"))
            }
            reason => (Cause::JobFailed, format!("it failed ({}): {}", word(reason), failed.says())),
        };
        found.add(cause, bearing, job, "", line);
    }
}

/// What objects of types that nobody here knows say of themselves.
pub(super) fn conditions(seen: &Seen, found: &mut Found) {
    let subject = &seen.subject;
    let known =
        ["Pod", "Job", "CronJob", "PersistentVolumeClaim", "Node", "Certificate", "HorizontalPodAutoscaler", "Service"];
    if replicas(subject).is_some() || known.contains(&kind(subject)) || is_well(subject) != Some(false) {
        return;
    }
    let good = ["Ready", "Available", "Healthy", "Synced", "Reconciled"];
    let bad = ["Failed", "Degraded", "Stalled"];
    let is_bad = |c: &Condition<'_>| {
        good.contains(&c.name()) && c.status() == "False" || bad.contains(&c.name()) && holds(subject, c.name())
    };
    let line = match Condition::all(subject).find(is_bad) {
        Some(c) => format!("it says {} is {} ({}): {}", word(c.name()), word(c.status()), word(c.reason()), c.says()),
        None => format!("its phase is {}", word(subject.text("/status/phase"))),
    };
    found.add(Cause::ConditionFalse, Bearing::Failing, subject, "", line);
}

/// Whether any of these is in a list of texts.
pub(super) fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The port names of a spec's containers.
pub(super) fn port_names(spec: &Value) -> Vec<&str> {
    let containers = list(spec, "/containers").iter().chain(list(spec, "/initContainers"));
    containers.flat_map(|container| list(container, "/ports")).filter_map(|port| port["name"].as_str()).collect()
}
