//! What keeps a pod from its node and its volumes, and what is wrong with nodes.

use super::facts::{Condition, is_in_trouble, is_ready, kind, list, message, text, word};
use super::findings::{Bearing, Cause, ObjectName};
use super::found::{Found, bearing, quoted};
use super::seen::Seen;

pub(super) fn scheduling(seen: &Seen, found: &mut Found) {
    for pod in seen.pods.iter().filter(|pod| is_in_trouble(pod) && pod.text("/spec/nodeName").is_empty()) {
        let condition = Condition::of(pod, "PodScheduled").filter(|c| c.status() == "False");
        let (reason, said) = match (condition, seen.last(pod, "FailedScheduling")) {
            (Some(condition), _) => (condition.reason(), condition.message()),
            (None, Some(event)) => ("Unschedulable", event.message.as_str()),
            (None, None) => continue,
        };
        let weight = bearing(seen, pod);
        if reason == "SchedulingGated" {
            let gates: Vec<String> = pod.list("/spec/schedulingGates").iter().map(|g| word(text(g, "/name"))).collect();
            let line = format!("it waits until its scheduling gates are removed: {}", gates.join(", "));
            found.add(Cause::SchedulingGated, weight, pod, "", line);
            continue;
        }
        // What follows is about pods that others would have to make room for.
        let said = said.split(" preemption:").next().unwrap_or_default();
        let said = message(said.trim_end_matches('.'));
        if let Some(claim) = quoted(&said, "persistentvolumeclaim ", '"').filter(|_| said.contains("not found")) {
            let line = format!("it waits for PersistentVolumeClaim {claim}, which is not there");
            found.add(Cause::ClaimMissing, weight, pod, claim, line);
        } else if said.contains("unbound immediate PersistentVolumeClaims") {
            let waiting = seen.claims.iter().filter(|claim| claim.text("/status/phase") != "Bound");
            let waiting: Vec<String> = waiting.map(|claim| word(claim.name())).collect();
            let which = if waiting.is_empty() { String::new() } else { format!(" ({})", waiting.join(", ")) };
            let line = format!("no node takes it before its PersistentVolumeClaims have volumes{which}: {said}");
            found.add(Cause::ClaimPending, weight, pod, "", line);
        } else {
            found.add(Cause::Unschedulable, weight, pod, "", format!("no node takes it: {said}"));
        }
    }
}

pub(super) fn claims(seen: &Seen, found: &mut Found) {
    let is_subject = kind(&seen.subject) == "PersistentVolumeClaim";
    let fails =
        is_subject || seen.pods.iter().any(|pod| bearing(seen, pod) == Bearing::Failing) || seen.pods.is_empty();
    let weight = if fails { Bearing::Failing } else { Bearing::Notice };
    for missing in seen.references.iter().filter(|r| r.kind == "PersistentVolumeClaim" && r.there == Some(false)) {
        let of = ObjectName::new(missing.kind, seen.subject.namespace(), &word(&missing.name));
        if found.all.iter().any(|d| d.cause == Cause::ClaimMissing && d.part == missing.name) {
            continue;
        }
        found.name(
            Cause::ClaimMissing,
            weight,
            of,
            &missing.name,
            "it is named by a pod, and it is not there".to_owned(),
        );
    }
    for claim in &seen.claims {
        let class = claim.text("/spec/storageClassName");
        let there = seen.classes.get(class).copied();
        match claim.text("/status/phase") {
            "Lost" => {
                let volume = word(claim.text("/spec/volumeName"));
                found.add(Cause::ClaimLost, weight, claim, "", format!("its PersistentVolume {volume} is gone"));
            }
            "Pending" if there == Some(false) => {
                let line = match class {
                    "" => "it has no volume: it names no storage class, and the cluster has no default one".to_owned(),
                    class => format!("it has no volume: its storage class {} is not there", word(class)),
                };
                found.add(Cause::StorageClassMissing, weight, claim, "", line);
            }
            "Pending" => {
                let last = |reasons: &[&str]| {
                    let events = seen.events_of(claim).iter().rev();
                    events.into_iter().find(|event| reasons.contains(&event.reason.as_str()))
                };
                match last(&["ProvisioningFailed", "FailedBinding", "ExternalProvisioning", "WaitForFirstConsumer"]) {
                    Some(said)
                        if said.reason == "ProvisioningFailed"
                            && said.message.starts_with("storageclass.storage.k8s.io ") =>
                    {
                        let line = format!("it has no volume: its storage class {} is not there", word(class));
                        found.add(Cause::StorageClassMissing, weight, claim, "", line);
                    }
                    // As it should be: its volume is made where the pod goes.
                    Some(said) if said.reason == "WaitForFirstConsumer" => {
                        if is_subject {
                            let line = "it gets its volume when the first pod uses it".to_owned();
                            found.add(Cause::ClaimPending, Bearing::Intended, claim, "", line);
                        }
                    }
                    Some(said) => {
                        let line = format!("it has no volume yet: {}", message(&said.message));
                        found.add(Cause::ClaimPending, weight, claim, "", line);
                    }
                    None => {
                        let line = "it has no volume yet, and nobody said why".to_owned();
                        found.add(Cause::ClaimPending, weight, claim, "", line);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Nodes of pods in trouble.
pub(super) fn nodes(seen: &Seen, found: &mut Found) {
    let is_subject = kind(&seen.subject) == "Node";
    for node in &seen.nodes {
        let weight = match seen.pods.iter().any(|pod| bearing(seen, pod) == Bearing::Failing) || is_subject {
            true => Bearing::Failing,
            false => Bearing::Notice,
        };
        if !is_ready(node) {
            let said = Condition::of(node, "Ready").map(Condition::says).unwrap_or_default();
            let line = format!("it is not ready: {}", if said.is_empty() { "it never said that it is" } else { &said });
            found.add(Cause::NodeNotReady, weight, node, "", line);
        }
        for condition in Condition::all(node) {
            let runs_out = condition.name().ends_with("Pressure") || condition.name() == "NetworkUnavailable";
            if runs_out && condition.status() == "True" {
                let line = format!("it has {}: {}", word(condition.name()), condition.says());
                let weight = if is_subject { Bearing::Failing } else { Bearing::Notice };
                found.add(Cause::NodePressure, weight, node, condition.name(), line);
            }
        }
        if is_subject && node.at("/spec/unschedulable") == &serde_json::Value::Bool(true) {
            found.add(Cause::Cordoned, Bearing::Intended, node, "", "it is cordoned: it takes no new pods".to_owned());
        }
    }
}

/// Pods that lost their place.
pub(super) fn evictions(seen: &Seen, found: &mut Found) {
    let running = seen.pods.iter().filter(|pod| is_ready(pod)).count();
    for pod in seen.pods.iter().filter(|pod| pod.text("/status/reason") == "Evicted") {
        let line = format!("it was evicted from its node: {}", message(pod.text("/status/message")));
        // Its successor runs.
        let weight = if running > 0 { Bearing::Notice } else { bearing(seen, pod) };
        found.add(Cause::Evicted, weight, pod, "", line);
    }
}

/// Volumes that were not mounted for a pod that waits.
pub(super) fn volumes(seen: &Seen, found: &mut Found) {
    for pod in seen.pods.iter().filter(|pod| is_in_trouble(pod) && pod.text("/status/phase") == "Pending") {
        let events = || seen.events_of(pod).iter().rev();
        let Some(event) = events().find(|event| ["FailedMount", "FailedAttachVolume"].contains(&event.reason.as_str()))
        else {
            continue;
        };
        // What a pod waits for with all volumes says nothing of one.
        let exact = events().filter(|event| event.reason == "FailedMount");
        let exact = exact.into_iter().find(|event| event.message.contains("MountVolume.SetUp failed"));
        let said = &exact.unwrap_or(event).message;
        let weight = bearing(seen, pod);
        let volume = quoted(said, "volume ", '"').map(word).unwrap_or_default();
        if let Some(name) = quoted(said, "configmap ", '"').filter(|_| said.contains("not found")) {
            let line = format!("volume {volume} cannot be mounted: ConfigMap {} is not there", word(name));
            found.add(Cause::ConfigMapMissing, weight, pod, name, line);
        } else if let Some(name) = quoted(said, "secret ", '"').filter(|_| said.contains("not found")) {
            let line = format!("volume {volume} cannot be mounted: Secret {} is not there", word(name));
            found.add(Cause::SecretMissing, weight, pod, name, line);
        } else if let Some((_, key)) = said.split_once("references non-existent ") {
            // `references non-existent secret key: tls.crt`
            let line = format!("volume {volume} cannot be mounted: there is no {}", message(key));
            found.add(Cause::KeyMissing, weight, pod, key, line);
        } else {
            let of_volume =
                list(pod.at("/spec"), "/volumes").iter().map(|v| text(v, "/name")).find(|v| said.contains(*v));
            let part = of_volume.unwrap_or_default();
            found.add(
                Cause::VolumeNotMounted,
                weight,
                pod,
                part,
                format!("a volume is not mounted: {}", message(said)),
            );
        }
    }
}
