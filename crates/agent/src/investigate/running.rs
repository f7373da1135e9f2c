//! What keeps containers from starting, from running on, and from being ready.

use clusterlore_cluster::reads::{Event, Object};
use jiff::{SignedDuration, Timestamp};

use super::facts::{Condition, Container, Ended, containers, is_in_trouble, is_ready, message, text, word};
use super::findings::{Bearing, Cause, ObjectName};
use super::found::{Found, bearing, quoted, times};
use super::making::has_any;
use super::seen::Seen;

/// Pods that are not done and not being deleted, with each of their containers.
fn each(seen: &Seen) -> impl Iterator<Item = (&Object, Container<'_>)> {
    let live = seen.pods.iter().filter(|pod| pod.text("/metadata/deletionTimestamp").is_empty());
    live.flat_map(|pod| containers(pod).into_iter().map(move |container| (pod, container)))
}

/// The last thing that was said of a container which `is_it`.
fn said_of<'a>(
    seen: &'a Seen,
    pod: &Object,
    container: Container<'_>,
    is_it: impl Fn(&Event) -> bool,
) -> Option<&'a Event> {
    seen.events_of(pod).iter().rev().find(|event| is_it(event) && container.is_meant(pod, &event.part, &event.message))
}

/// What a trouble of a container means: where it is ready now, it is over.
fn weight(seen: &Seen, pod: &Object, container: Container<'_>) -> Bearing {
    if container.is_ready() { Bearing::Notice } else { bearing(seen, pod) }
}

/// ConfigMaps and Secrets of variables.
pub(super) fn configuration(seen: &Seen, found: &mut Found) {
    for (pod, container) in each(seen).filter(|(_, c)| c.waits() == "CreateContainerConfigError") {
        let (said, called, weight) = (container.waits_because(), container.called(), bearing(seen, pod));
        let missing = |kind: &str| quoted(said, kind, '"').filter(|_| said.contains("not found"));
        if let Some(name) = missing("secret ") {
            let line = format!("{called} cannot start: Secret {} is not there", word(name));
            found.add(Cause::SecretMissing, weight, pod, name, line);
        } else if let Some(name) = missing("configmap ") {
            let line = format!("{called} cannot start: ConfigMap {} is not there", word(name));
            found.add(Cause::ConfigMapMissing, weight, pod, name, line);
        } else if let Some((_, key)) = said.split_once("couldn't find key ") {
            let line = format!("{called} cannot start: there is no key {}", message(key));
            found.add(Cause::KeyMissing, weight, pod, key, line);
        } else {
            let line = format!("{called} cannot start: {}", message(said));
            found.add(Cause::ConfigError, weight, pod, container.name(), line);
        }
    }
}

/// What pods name and what is not there, whether or not a pod said so.
pub(super) fn references(seen: &Seen, found: &mut Found) {
    for missing in seen.references.iter().filter(|r| r.there == Some(false)) {
        let cause = match missing.kind {
            "ConfigMap" => Cause::ConfigMapMissing,
            "Secret" if missing.for_what != "TLS" => Cause::SecretMissing,
            _ => continue,
        };
        if found.all.iter().any(|d| d.cause == cause && d.part == missing.name) {
            continue;
        }
        // Pods without a reason of their own wait for this; others started before it went, or do not need it.
        let waits = |pod: &Object| bearing(seen, pod) == Bearing::Failing && !found.explains(pod);
        let needs = missing.for_what != "pulling images";
        let fails = needs && (seen.pods.iter().any(waits) || seen.pods.is_empty() && seen.pods_known && !found.fails());
        let weight =
            if fails && seen.pods.iter().all(|pod| !is_ready(pod)) { Bearing::Failing } else { Bearing::Notice };
        let of = ObjectName::new(missing.kind, seen.subject.namespace(), &word(&missing.name));
        let line = match weight {
            Bearing::Failing => format!("it is needed for {}, and it is not there", missing.for_what),
            _ => format!(
                "it is named for {}, and it is not there: pods that start from now on may lack it",
                missing.for_what
            ),
        };
        found.name(cause, weight, of, &missing.name, line);
    }
}

/// Reasons of kubelet's image manager.
const PULLS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// What registries and container runtimes say, and what it means; the first that fits. Small letters.
const PULL_SAYS: &[(&[&str], Cause, &str)] = &[
    (
        &["no match for platform", "no matching manifest for"],
        Cause::ImagePlatform,
        "it is not made for the platform of the node",
    ),
    (
        &["toomanyrequests", "429 too many requests", "rate limit"],
        Cause::RegistryLimit,
        "the registry was asked too often and refuses for now",
    ),
    (
        &[
            "no such host",
            "i/o timeout",
            "connection refused",
            "connection reset",
            "network is unreachable",
            "no route to host",
            "server misbehaving",
            "tls handshake timeout",
            "context deadline exceeded",
            "x509:",
            "proxyconnect",
            "dial tcp",
        ],
        Cause::RegistryUnreachable,
        "the registry cannot be reached",
    ),
    (
        &["repository does not exist or may require"],
        Cause::ImageAuth,
        "the registry has no such repository, or wants credentials for it",
    ),
    (
        &[
            "401 unauthorized",
            "403 forbidden",
            "unauthorized",
            "authentication required",
            "authorization failed",
            "failed to authorize",
            "no basic auth credentials",
            "access denied",
            "insufficient_scope",
            "access forbidden",
            "denied: ",
        ],
        Cause::ImageAuth,
        "the registry refuses the credentials, or wants some",
    ),
    (
        &["not found", "manifest unknown", "name unknown", "name_unknown", "does not exist", "no such image"],
        Cause::ImageNotFound,
        "the registry has no such name or tag",
    ),
];

pub(super) fn images(seen: &Seen, found: &mut Found) {
    for (pod, container) in each(seen).filter(|(_, c)| PULLS.contains(&c.waits())) {
        let image = container.image();
        let pulling = |event: &Event| event.reason == "Failed" && event.message.starts_with("Failed to pull image");
        let event = said_of(seen, pod, container, pulling).map(|event| event.message.as_str());
        // A kubelet of before 1.30 says in the state only that it waits.
        let said = [container.waits_because(), event.unwrap_or_default()];
        let (cause, why) = match container.waits() {
            "InvalidImageName" => (Cause::ImageNameInvalid, "that is no name of an image"),
            "ErrImageNeverPull" => (Cause::ImageNeverPulled, "it is not on the node, and its pull policy is Never"),
            _ => {
                let all = said.join("\n").to_lowercase().replace(&image.to_lowercase(), "");
                let means = PULL_SAYS.iter().find(|(words, _, _)| has_any(&all, words));
                means.map_or((Cause::ImagePull, "nobody said why"), |(_, cause, why)| (*cause, *why))
            }
        };
        let why = match (cause, said.iter().find(|said| !said.is_empty() && !is_only_waiting(said))) {
            (Cause::ImagePull, Some(said)) => message(said),
            _ => why.to_owned(),
        };
        let without = seen.references.iter().filter(|r| r.for_what == "pulling images" && r.there == Some(false));
        let without: Vec<String> = without.map(|r| word(&r.name)).collect();
        let more = match (cause, without.as_slice()) {
            (Cause::ImageAuth, [_, ..]) => format!("; its pull secret {} is not there", without.join(", ")),
            (Cause::ImageAuth, []) if pod.list("/spec/imagePullSecrets").is_empty() => {
                "; the pod names no pull secret".to_owned()
            }
            _ => String::new(),
        };
        let line = format!("{} cannot pull its image {image}: {why}{more}", container.called());
        found.add(cause, bearing(seen, pod), pod, container.name(), line);
    }
}

/// `Back-off pulling image "x"`, and nothing else.
fn is_only_waiting(said: &str) -> bool {
    said.starts_with("Back-off pulling image") && !said.contains("\":")
}

/// Reasons of containers that the runtime could not start.
const NO_START: [&str; 4] = ["RunContainerError", "CreateContainerError", "StartError", "ContainerCannotRun"];

pub(super) fn starts(seen: &Seen, found: &mut Found) {
    for (pod, container) in each(seen) {
        let ended = container.ended();
        let said = match ended {
            _ if NO_START.contains(&container.waits()) => container.waits_because(),
            Some(ended) if NO_START.contains(&ended.reason()) => ended.message(),
            _ => continue,
        };
        let line = format!("{} cannot be started: {}", container.called(), message(said));
        found.add(Cause::CannotStart, weight(seen, pod, container), pod, container.name(), line);
    }
}

pub(super) fn memory(seen: &Seen, found: &mut Found) {
    for (pod, container) in each(seen) {
        let Some(ended) = killed_for_memory(container) else { continue };
        let limit = match text(container.spec, "/resources/limits/memory") {
            "" => "it used more memory than there is; it has no limit of its own".to_owned(),
            limit => format!("it used more memory than its limit of {}", word(limit)),
        };
        let line = format!("{} was killed: {limit} ({})", container.called(), ending(container, ended));
        found.add(Cause::OutOfMemory, weight(seen, pod, container), pod, container.name(), line);
    }
}

/// Whether it was killed for memory, the last time or the one before that.
fn killed_for_memory(container: Container<'_>) -> Option<Ended<'_>> {
    container.ends().find(|ended| ended.reason() == "OOMKilled")
}

/// `exit code 137, restarted 5 times, last at 2026-01-01T00:00:00Z`
fn ending(container: Container<'_>, ended: Ended<'_>) -> String {
    let mut parts = vec![format!("exit code {}{}", ended.code(), meaning(ended.code()))];
    if container.restarts() > 0 {
        parts.push(format!("restarted {}", times(container.restarts())));
    }
    if !ended.at().is_empty() {
        parts.push(format!("last at {}", word(ended.at())));
    }
    parts.join(", ")
}

/// Restarts from which on something ends again and again.
const AGAIN: u64 = 4;
/// What ended longer ago than this does not do so any more.
const RECENTLY: SignedDuration = SignedDuration::from_hours(1);

/// Whether it ends again and again now: kubelet waits longer each time, or it has often ended, and not long ago.
fn keeps_ending(container: Container<'_>, ended: Ended<'_>, now: Timestamp) -> bool {
    let at = ended.at().parse::<Timestamp>().ok();
    let recently = at.is_none_or(|at| now.duration_since(at) < RECENTLY);
    container.waits() == "CrashLoopBackOff" || container.restarts() >= AGAIN && recently
}

/// What shells and kernels mean by an exit code: 128 and the signal's number, above.
fn meaning(code: i64) -> &'static str {
    match code {
        126 => ", its command may not be run",
        127 => ", its command is not there",
        134 => ", it aborted (SIGABRT)",
        137 => ", it was killed (SIGKILL)",
        139 => ", it accessed memory that is not its own (SIGSEGV)",
        143 => ", it was told to end (SIGTERM)",
        _ => "",
    }
}

/// Who of a kubelet's probes ended a container.
fn killed_by_probe(seen: &Seen, pod: &Object, container: Container<'_>) -> Option<Cause> {
    let by = |probe: &str, cause| {
        let killed = format!("failed {probe} probe, will be restarted");
        said_of(seen, pod, container, |event| event.reason == "Killing" && event.message.contains(&killed))
            .map(|_| cause)
    };
    by("liveness", Cause::LivenessProbe).or_else(|| by("startup", Cause::StartupProbe))
}

pub(super) fn crashes(seen: &Seen, found: &mut Found) {
    for (pod, container) in each(seen) {
        let Some(ended) = container.ended() else {
            if container.waits() == "CrashLoopBackOff" {
                let line =
                    format!("{} ends again and again (restarted {})", container.called(), times(container.restarts()));
                found.add(Cause::CrashLoop, bearing(seen, pod), pod, container.name(), line);
            }
            continue;
        };
        let is_told = killed_for_memory(container).is_some()
            || NO_START.contains(&ended.reason())
            || killed_by_probe(seen, pod, container).is_some();
        let loops = container.waits() == "CrashLoopBackOff";
        let is_over = ended.code() == 0 && !loops;
        if is_told || is_over || pod.text("/status/reason") == "Evicted" {
            continue;
        }
        let restarts = text(pod.at("/spec"), "/restartPolicy");
        let again = container.restarts() > 0 || loops;
        let last_words = match seen.log(pod.name(), container.name()).and_then(|log| log.lines.last()) {
            Some(line) => format!("; its last line: {line}"),
            None if ended.message().is_empty() => String::new(),
            None => format!("; its last message: {}", message(ended.message())),
        };
        let (called, ending) = (container.called(), ending(container, ended));
        let (cause, line) = match ended.code() {
            0 => (
                Cause::KeepsEnding,
                format!("{called} comes to its end again and again, though it should run on ({ending}){last_words}"),
            ),
            _ if keeps_ending(container, ended, seen.now) => {
                (Cause::CrashLoop, format!("{called} ends with an error again and again ({ending}){last_words}"))
            }
            _ if again => (Cause::CrashLoop, format!("{called} ended with an error ({ending}){last_words}")),
            _ if restarts == "Never" || container.has_ended() => {
                (Cause::ContainerFailed, format!("{called} ended with an error ({ending}){last_words}"))
            }
            _ => continue,
        };
        found.add(cause, weight(seen, pod, container), pod, container.name(), line);
    }
}

pub(super) fn probes(seen: &Seen, found: &mut Found) {
    for (pod, container) in each(seen) {
        let failed = |probe: &str| {
            let begin = format!("{probe} probe failed");
            said_of(seen, pod, container, |event| event.reason == "Unhealthy" && event.message.starts_with(&begin))
        };
        let says = |event: Option<&Event>| {
            let said = event.map(|event| event.message.split_once(": ").map_or("", |(_, why)| why));
            said.map(message).filter(|said| !said.is_empty()).unwrap_or_else(|| "it does not say how".to_owned())
        };
        let called = container.called();
        if let Some(cause) =
            killed_by_probe(seen, pod, container).filter(|_| container.restarts() > 0 || !container.is_ready())
        {
            let (name, said) = match cause {
                Cause::LivenessProbe => ("liveness", failed("Liveness")),
                _ => ("startup", failed("Startup")),
            };
            let line = format!(
                "{called} is restarted because its {name} probe fails (restarted {}): {}",
                times(container.restarts()),
                says(said)
            );
            found.add(cause, weight(seen, pod, container), pod, container.name(), line);
            continue;
        }
        if !container.runs() || container.is_ready() || !is_in_trouble(pod) {
            continue;
        }
        for (probe, cause) in
            [("Startup", Cause::StartupProbe), ("Liveness", Cause::LivenessProbe), ("Readiness", Cause::ReadinessProbe)]
        {
            if let Some(event) = failed(probe) {
                let line = format!(
                    "{called} runs and is not ready: its {} probe fails ({}): {}",
                    probe.to_lowercase(),
                    times(event.count),
                    says(Some(event))
                );
                found.add(cause, bearing(seen, pod), pod, container.name(), line);
                break;
            }
        }
    }
}

/// Why a pod is not ready, in its own words.
pub(super) fn waits_for(pod: &Object) -> String {
    let all = containers(pod);
    let running_first = all.iter().find(|c| c.init && c.runs() && !c.is_ready());
    let waiting = all.iter().find(|c| !["", "PodInitializing"].contains(&c.waits()));
    if let Some(container) = running_first {
        return format!("{} has not come to its end", container.called());
    }
    if let Some(container) = waiting {
        let why = message(container.waits_because());
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        return format!("{} waits ({}){why}", container.called(), word(container.waits()));
    }
    let failed = all.iter().filter(|c| c.has_ended()).find_map(|c| Some((c, c.ended()?.code())));
    if let Some((container, code)) = failed.filter(|(_, code)| *code != 0) {
        return format!("{} ended (exit code {code}{})", container.called(), meaning(code));
    }
    if pod.text("/spec/nodeName").is_empty() {
        return match Condition::of(pod, "PodScheduled") {
            Some(condition) => format!("it has no node: {}", condition.says()),
            None => "no scheduler has looked at it".to_owned(),
        };
    }
    match Condition::of(pod, "Ready") {
        Some(condition) if condition.status() != "True" && !condition.says().is_empty() => condition.says(),
        _ => match pod.text("/status/message") {
            "" => format!("its phase is {}", word(pod.text("/status/phase"))),
            said => message(said),
        },
    }
}
