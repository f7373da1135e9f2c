//! What single fields of objects say, by the names of the Kubernetes API.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_cluster::reads::{Object, clean};
use serde_json::Value;

use super::known::is_known;

/// Characters of a message that are shown.
pub(super) const MESSAGE: usize = 300;
/// Characters of a name or a reason that are shown.
const WORD: usize = 253;

/// Its kind, if it is one of those that an investigation knows; of others that are only called like one, nothing.
pub(super) fn kind(object: &Object) -> &str {
    let name = object.kind();
    if is_known(object.api_version(), name) { name } else { "" }
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A name or a reason, fit to be shown.
pub(super) fn word(text: &str) -> String {
    clean(text, WORD)
}

/// A message, fit to be shown.
pub(super) fn message(text: &str) -> String {
    clean(text, MESSAGE)
}

pub(super) fn number(object: &Object, pointer: &str) -> Option<u64> {
    object.at(pointer).as_u64()
}

/// A condition of `status.conditions`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition<'a>(&'a Value);

impl<'a> Condition<'a> {
    pub(super) fn of(object: &'a Object, name: &str) -> Option<Self> {
        Self::all(object).find(|condition| condition.name() == name)
    }

    pub(super) fn all(object: &'a Object) -> impl Iterator<Item = Self> {
        object.list("/status/conditions").iter().map(Self)
    }

    pub(super) fn name(self) -> &'a str {
        text(self.0, "/type")
    }

    /// `True`, `False` or `Unknown`.
    pub(super) fn status(self) -> &'a str {
        text(self.0, "/status")
    }

    pub(super) fn reason(self) -> &'a str {
        text(self.0, "/reason")
    }

    pub(super) fn message(self) -> &'a str {
        text(self.0, "/message")
    }

    /// Its message, or its reason where there is none.
    pub(super) fn says(self) -> String {
        if self.message().is_empty() { word(self.reason()) } else { message(self.message()) }
    }
}

pub(super) fn holds(object: &Object, condition: &str) -> bool {
    Condition::of(object, condition).is_some_and(|condition| condition.status() == "True")
}

/// The uid of the controller (`ownerReferences[controller=true]`).
pub(super) fn controller(object: &Object) -> Option<&Value> {
    object.list("/metadata/ownerReferences").iter().find(|owner| owner["controller"] == Value::Bool(true))
}

pub(super) fn is_owned_by(object: &Object, uid: &str) -> bool {
    !uid.is_empty() && object.list("/metadata/ownerReferences").iter().any(|owner| text(owner, "/uid") == uid)
}

/// A map of texts.
pub(super) fn texts(value: &Value) -> BTreeMap<&str, &str> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

/// The label selector of a workload in the API's own words; `None`: it has none, or one that cannot be read.
pub(super) fn selector(object: &Object) -> Option<String> {
    let spec = object.at("/spec/selector");
    let labels = if kind(object) == "ReplicationController" || kind(object) == "Service" {
        spec
    } else {
        spec.get("matchLabels").unwrap_or(&Value::Null)
    };
    let mut parts: Vec<String> = texts(labels).iter().map(|(key, value)| format!("{key}={value}")).collect();
    for one in list(spec, "/matchExpressions") {
        let key = text(one, "/key");
        let values = list(one, "/values").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        parts.push(match text(one, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Whether a Service's selector matches these labels.
pub(super) fn selects(service: &Object, labels: &Value) -> bool {
    let (wanted, labels) = (texts(service.at("/spec/selector")), texts(labels));
    !wanted.is_empty() && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// A container of a pod: what is wanted of it, and how it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container<'a> {
    pub(super) spec: &'a Value,
    pub(super) status: &'a Value,
    pub(super) init: bool,
}

/// All containers of a pod, those first that start first.
pub(super) fn containers(pod: &Object) -> Vec<Container<'_>> {
    let mut all = Vec::new();
    for (specs, statuses, init) in [
        ("/spec/initContainers", "/status/initContainerStatuses", true),
        ("/spec/containers", "/status/containerStatuses", false),
    ] {
        let statuses = pod.list(statuses);
        for spec in pod.list(specs) {
            let status = statuses.iter().find(|status| status["name"] == spec["name"]).unwrap_or(&Value::Null);
            all.push(Container { spec, status, init });
        }
    }
    all
}

impl<'a> Container<'a> {
    pub(super) fn name(self) -> &'a str {
        text(self.spec, "/name")
    }

    /// `container main`
    pub(super) fn called(self) -> String {
        format!("{} {}", if self.init { "init container" } else { "container" }, word(self.name()))
    }

    pub(super) fn image(self) -> String {
        word(text(self.spec, "/image"))
    }

    pub(super) fn waits(self) -> &'a str {
        text(self.status, "/state/waiting/reason")
    }

    pub(super) fn waits_because(self) -> &'a str {
        text(self.status, "/state/waiting/message")
    }

    pub(super) fn runs(self) -> bool {
        self.status.pointer("/state/running").is_some()
    }

    pub(super) fn is_ready(self) -> bool {
        self.status["ready"] == Value::Bool(true)
    }

    pub(super) fn restarts(self) -> u64 {
        self.status["restartCount"].as_u64().unwrap_or(0)
    }

    /// How it ended, the last time.
    pub(super) fn ended(self) -> Option<Ended<'a>> {
        self.ends().next()
    }

    /// How it ended the last two times, the last first.
    pub(super) fn ends(self) -> impl Iterator<Item = Ended<'a>> {
        ["/state/terminated", "/lastState/terminated"]
            .into_iter()
            .filter_map(move |at| self.status.pointer(at))
            .map(Ended)
    }

    pub(super) fn has_ended(self) -> bool {
        self.status.pointer("/state/terminated").is_some()
    }

    /// Whether an event of its pod is about it: `spec.containers{main}`, or none, and it is the only one or named in the message. Not
    /// everybody who writes events says which part they are about.
    pub(super) fn is_meant(self, pod: &Object, part: &str, message: &str) -> bool {
        if !part.is_empty() {
            return part.split_once('{').and_then(|(_, name)| name.strip_suffix('}')) == Some(self.name());
        }
        let names = |container: &Container<'_>| {
            let is_of_a_name = |c: char| c.is_alphanumeric() || c == '-';
            message.split(|c: char| !is_of_a_name(c)).any(|word| word == container.name())
        };
        let all = containers(pod);
        let named = all.iter().any(names);
        all.len() == 1 || if named { names(&self) } else { !self.init }
    }
}

/// `state.terminated`
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<'a>(&'a Value);

impl<'a> Ended<'a> {
    pub(super) fn code(self) -> i64 {
        self.0["exitCode"].as_i64().unwrap_or(0)
    }

    pub(super) fn reason(self) -> &'a str {
        text(self.0, "/reason")
    }

    pub(super) fn message(self) -> &'a str {
        text(self.0, "/message")
    }

    pub(super) fn at(self) -> &'a str {
        text(self.0, "/finishedAt")
    }
}

pub(super) fn is_ready(pod: &Object) -> bool {
    holds(pod, "Ready")
}

pub(super) fn is_done(pod: &Object) -> bool {
    pod.text("/status/phase") == "Succeeded"
}

/// Neither ready nor done.
pub(super) fn is_in_trouble(pod: &Object) -> bool {
    !is_ready(pod) && !is_done(pod)
}

/// The spec of the pods that an object is or makes.
pub(super) fn pod_spec(object: &Object) -> &Value {
    let pointer = match kind(object) {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    };
    object.at(pointer)
}

/// The labels of the pods that an object is or makes.
pub(super) fn pod_labels(object: &Object) -> &Value {
    object.at(if kind(object) == "Pod" { "/metadata/labels" } else { "/spec/template/metadata/labels" })
}

/// How many replicas there are, of which kind, and how many there should be: (ready, wanted).
pub(super) fn replicas(object: &Object) -> Option<(u64, u64)> {
    let ready = number(object, "/status/readyReplicas").unwrap_or(0);
    match kind(object) {
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" => {
            Some((ready, number(object, "/spec/replicas").unwrap_or(1)))
        }
        "DaemonSet" => Some((
            number(object, "/status/numberReady").unwrap_or(0),
            number(object, "/status/desiredNumberScheduled").unwrap_or(0),
        )),
        _ => None,
    }
}

/// Whether an object says that it is well; `None`: it does not say.
pub(super) fn is_well(object: &Object) -> Option<bool> {
    if let Some((ready, wanted)) = replicas(object) {
        let updated = match kind(object) {
            "Deployment" => number(object, "/status/updatedReplicas").unwrap_or(0),
            _ => wanted,
        };
        let stuck = Condition::of(object, "Progressing").is_some_and(|c| c.status() == "False");
        return Some(ready >= wanted && updated >= wanted && !stuck);
    }
    match kind(object) {
        "Pod" => Some(!is_in_trouble(object)),
        // One that goes on is neither.
        "Job" => ["Failed", "Complete"].into_iter().find(|end| holds(object, end)).map(|end| end == "Complete"),
        "PersistentVolumeClaim" => Some(object.text("/status/phase") == "Bound"),
        "Node" => Some(is_ready(object)),
        _ => {
            let told = |names: &[&str], bad: &str| {
                Condition::all(object).any(|c| names.contains(&c.name()) && c.status() == bad)
            };
            let bad = told(&["Ready", "Available", "Healthy", "Synced", "Reconciled"], "False")
                || told(&["Failed", "Degraded", "Stalled"], "True")
                || ["Failed", "Error"].contains(&object.text("/status/phase"));
            let said = bad || !object.list("/status/conditions").is_empty();
            said.then_some(!bad)
        }
    }
}

/// What pods of this spec refer to by name: kind, name, for what. What is optional is left out.
pub(super) fn references(spec: &Value) -> BTreeSet<(&'static str, String, &'static str)> {
    let mut found = BTreeSet::new();
    let mut add = |kind, holder: &Value, name: &str, for_what| {
        let name = text(holder, name);
        if !name.is_empty() && holder["optional"] != Value::Bool(true) {
            found.insert((kind, name.to_owned(), for_what));
        }
    };
    for volume in list(spec, "/volumes") {
        add("ConfigMap", &volume["configMap"], "/name", "a volume");
        add("Secret", &volume["secret"], "/secretName", "a volume");
        add("PersistentVolumeClaim", &volume["persistentVolumeClaim"], "/claimName", "a volume");
        for source in list(volume, "/projected/sources") {
            add("ConfigMap", &source["configMap"], "/name", "a volume");
            add("Secret", &source["secret"], "/name", "a volume");
        }
    }
    for secret in list(spec, "/imagePullSecrets") {
        add("Secret", secret, "/name", "pulling images");
    }
    for container in list(spec, "/initContainers").iter().chain(list(spec, "/containers")) {
        for from in list(container, "/envFrom") {
            add("ConfigMap", &from["configMapRef"], "/name", "variables");
            add("Secret", &from["secretRef"], "/name", "variables");
        }
        for variable in list(container, "/env") {
            add("ConfigMap", &variable["valueFrom"]["configMapKeyRef"], "/name", "variables");
            add("Secret", &variable["valueFrom"]["secretKeyRef"], "/name", "variables");
        }
    }
    found
}

/// The Services and ports behind an Ingress: name, and the port's name or number.
pub(super) fn backends(ingress: &Object) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut add = |service: &Value| {
        let port = match &service["port"]["number"] {
            Value::Number(number) => number.to_string(),
            _ => text(service, "/port/name").to_owned(),
        };
        if !text(service, "/name").is_empty() {
            found.insert((text(service, "/name").to_owned(), port));
        }
    };
    add(&ingress.at("/spec/defaultBackend")["service"]);
    for rule in ingress.list("/spec/rules") {
        for path in list(rule, "/http/paths") {
            add(&path["backend"]["service"]);
        }
    }
    found
}

/// The Secrets with the certificates of an Ingress.
pub(super) fn tls_secrets(ingress: &Object) -> BTreeSet<&str> {
    ingress.list("/spec/tls").iter().map(|tls| text(tls, "/secretName")).filter(|name| !name.is_empty()).collect()
}

/// Addresses behind a Service: (ready, all).
pub(super) fn endpoints(slices: &[Object]) -> (usize, usize) {
    let all = || slices.iter().flat_map(|slice| slice.list("/endpoints"));
    // Consumers take a missing `ready` for true.
    let ready = all().filter(|endpoint| endpoint["conditions"]["ready"] != Value::Bool(false)).count();
    (ready, all().count())
}
