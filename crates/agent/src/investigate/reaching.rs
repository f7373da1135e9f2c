//! What keeps traffic away: Services without endpoints, Ingresses without backends, certificates, and autoscalers.

use clusterlore_cluster::reads::Object;
use jiff::Timestamp;
use serde_json::Value;

use super::facts::{
    Condition, backends, endpoints, is_in_trouble, is_ready, is_well, kind, list, pod_labels, pod_spec, selector,
    selects, text, tls_secrets, word,
};
use super::findings::{Bearing, Cause, ObjectName};
use super::found::{Found, of_all};
use super::making::port_names;
use super::seen::Seen;

/// Whether trouble of this object is trouble of the subject, and not its consequence.
fn weight(seen: &Seen, found: &Found, object: &Object) -> Bearing {
    let is_subject = ObjectName::of(object) == ObjectName::of(&seen.subject);
    let stopped = found.has(Cause::ScaledToZero) || found.has(Cause::Suspended);
    if is_subject || !found.fails() && !stopped { Bearing::Failing } else { Bearing::Notice }
}

pub(super) fn services(seen: &Seen, found: &mut Found) {
    for service in &seen.services {
        // Without a selector somebody else fills in the endpoints.
        let Some(selector) = selector(service).filter(|_| service.text("/spec/type") != "ExternalName") else {
            continue;
        };
        let Some(slices) = seen.slices.get(service.name()) else { continue };
        let (ready, all) = endpoints(slices);
        let pods: Vec<&Object> = seen.pods.iter().filter(|pod| selects(service, pod_labels(pod))).collect();
        let (selector, weight) = (word(&selector), weight(seen, found, service));
        let is_asked = ObjectName::of(service) == ObjectName::of(&seen.subject);
        // Of pods that others own nothing is known here.
        let matches_template = selects(service, pod_labels(&seen.subject));
        let troubled = pods.iter().any(|pod| is_in_trouble(pod));
        // Without a slice nobody says which of them it reaches.
        let some_ready = pods.iter().any(|pod| is_ready(pod));
        if ready == 0 && (all > 0 || troubled && !some_ready) {
            let none = match all.max(pods.len()) {
                1 => "the one pod".to_owned(),
                some => format!("none of the {some} pods"),
            };
            let is = if all.max(pods.len()) == 1 { "is not ready" } else { "is ready" };
            let line = format!("it has no ready endpoint: {none} that its selector ({selector}) matches {is}");
            found.add(Cause::EndpointsNotReady, weight, service, "", line);
        } else if ready == 0 && pods.is_empty() {
            if !seen.pods_known && (is_asked || kind(&seen.subject) == "Ingress") {
                continue;
            }
            let line = match matches_template {
                true => "it has no endpoint: no pod of its workload is there".to_owned(),
                false => format!("it has no endpoint: its selector ({selector}) matches no pod"),
            };
            found.add(Cause::NoEndpoints, weight, service, "", line);
        }
        for port in service.list("/spec/ports") {
            let Some(name) = port["targetPort"].as_str().filter(|name| name.parse::<u16>().is_err()) else { continue };
            let spec = pods.first().map_or_else(|| pod_spec(&seen.subject), |pod| pod_spec(pod));
            if spec.is_object() && (!pods.is_empty() || matches_template) && !port_names(spec).contains(&name) {
                let line = format!(
                    "its port {} goes to a container port named {}, which no container has",
                    port["port"],
                    word(name)
                );
                found.add(Cause::PortMissing, weight, service, name, line);
            }
        }
    }
}

pub(super) fn ingresses(seen: &Seen, found: &mut Found) {
    for ingress in &seen.ingresses {
        let weight = weight(seen, found, ingress);
        let is_subject = ObjectName::of(ingress) == ObjectName::of(&seen.subject);
        for (name, port) in backends(ingress) {
            let missing = |r: &&super::seen::Reference| r.kind == "Service" && r.name == name && r.there == Some(false);
            if is_subject && seen.references.iter().any(|r| missing(&r)) {
                let line = format!("it leads to Service {}, which is not there", word(&name));
                found.add(Cause::BackendMissing, weight, ingress, &name, line);
            }
            let service = seen.services.iter().find(|service| service.name() == name);
            let ports = service.map(|service| service.list("/spec/ports")).unwrap_or_default();
            let number = port.parse::<u64>().ok();
            let has = |one: &Value| text(one, "/name") == port || number.is_some() && one["port"].as_u64() == number;
            if service.is_some() && !port.is_empty() && !ports.iter().any(has) {
                let line =
                    format!("it leads to port {} of Service {}, which has no such port", word(&port), word(&name));
                found.add(Cause::PortMissing, weight, ingress, &name, line);
            }
        }
        for secret in tls_secrets(ingress) {
            if seen.references.iter().any(|r| r.for_what == "TLS" && r.name == secret && r.there == Some(false)) {
                let line = format!("its certificate should be in Secret {}, which is not there", word(secret));
                found.add(Cause::TlsSecretMissing, weight, ingress, secret, line);
            }
        }
    }
}

pub(super) fn certificates(seen: &Seen, found: &mut Found) {
    for certificate in &seen.certificates {
        let weight = weight(seen, found, certificate);
        let end = certificate.text("/status/notAfter").parse::<Timestamp>().ok();
        let ready = Condition::of(certificate, "Ready");
        let why = Condition::of(certificate, "Issuing").filter(|c| !c.message().is_empty()).or(ready);
        let event = seen.events_of(certificate).iter().rev().find(|event| event.warning);
        let why = event.map(|event| super::facts::message(&event.message)).or_else(|| why.map(Condition::says));
        let why = why.filter(|why| !why.is_empty()).map(|why| format!(": {why}")).unwrap_or_default();
        if let Some(end) = end.filter(|end| *end <= seen.now) {
            found.add(
                Cause::CertificateExpired,
                weight,
                certificate,
                "",
                format!("it expired at {end} and was not renewed{why}"),
            );
        } else if ready.is_none_or(|ready| ready.status() != "True") {
            found.add(Cause::CertificateNotReady, weight, certificate, "", format!("it is not issued{why}"));
        }
    }
}

pub(super) fn autoscalers(seen: &Seen, found: &mut Found) {
    for autoscaler in &seen.autoscalers {
        for name in ["AbleToScale", "ScalingActive"] {
            let Some(condition) = Condition::of(autoscaler, name).filter(|c| c.status() == "False") else { continue };
            // Nothing to scale where somebody scaled it to zero.
            if condition.reason() == "ScalingDisabled" {
                continue;
            }
            let what =
                if name == "AbleToScale" { "it cannot scale" } else { "it cannot tell how many replicas are needed" };
            let line = format!("{what} ({}): {}", word(condition.reason()), condition.says());
            found.add(Cause::AutoscalerFailing, weight(seen, found, autoscaler), autoscaler, "", line);
            break;
        }
    }
}

/// The last word, where nothing else was found.
pub(super) fn unexplained(seen: &Seen, found: &mut Found) {
    let subject = &seen.subject;
    if found.fails() || found.has(Cause::ScaledToZero) || found.has(Cause::Suspended) {
        return;
    }
    let troubled: Vec<&Object> = seen.pods.iter().filter(|pod| is_in_trouble(pod)).collect();
    let is_wrong = match is_well(subject) {
        Some(well) => !well && kind(subject) != "PersistentVolumeClaim",
        // A Job or a Service is as well as its pods.
        None => !troubled.is_empty() && seen.pods.iter().all(|pod| !is_ready(pod)),
    };
    if !is_wrong {
        return;
    }
    let why = match troubled.first() {
        Some(pod) if kind(subject) == "Pod" => super::running::waits_for(pod),
        Some(pod) => format!("Pod {} is not ready: {}", word(pod.name()), super::running::waits_for(pod)),
        None if !seen.pods_known => "its pods could not be read".to_owned(),
        None if pod_spec(subject).is_object() && seen.pods.is_empty() => {
            "none of its pods is there, and nobody said why".to_owned()
        }
        None => {
            let is_bad =
                |c: &Condition<'_>| c.status() != "True" && ["Progressing", "Available", "Ready"].contains(&c.name());
            Condition::all(subject).find(is_bad).map_or_else(|| "it does not say why".to_owned(), Condition::says)
        }
    };
    let line = format!("it is not ready, and nothing well-known was seen: {why}");
    found.add(Cause::Unexplained, Bearing::Failing, subject, "", line);
}

/// `2 of 3 endpoints are ready`
pub(super) fn endpoints_line(slices: &[Object]) -> String {
    let (ready, all) = endpoints(slices);
    let ports: usize = slices.iter().map(|slice| list(slice.json(), "/ports").len()).sum();
    match all {
        0 => "no endpoints".to_owned(),
        _ if ports == 0 => format!("{} ready, and no port", of_all(ready as u64, all as u64, "endpoint", "endpoints")),
        _ => format!("{} ready", of_all(ready as u64, all as u64, "endpoint", "endpoints")),
    }
}
