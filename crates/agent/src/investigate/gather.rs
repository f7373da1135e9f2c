//! The reads of an investigation: from an object to what it made, what it needs, and what reaches it. What cannot be read is noted, and the
//! rest is read all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clusterlore_cluster::reads::{Event, Listed, NotRead, Object, Reads, Subject, clean, clean_lines};
use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use futures::future::join_all;
use futures::join;
use serde_json::Value;

use super::facts::{
    MESSAGE, backends, containers, controller, is_in_trouble, is_owned_by, kind, pod_labels, pod_spec, references,
    selector, selects, text, tls_secrets,
};
use super::findings::{ObjectName, Unread};
use super::known::{
    AUTOSCALERS, CERTIFICATES, CLAIMS, CONFIG_MAPS, DEPLOYMENTS, INGRESSES, JOBS, Known, NODES, PODS, REPLICA_SETS,
    SECRETS, SERVICES, SLICES, STATEFUL_SETS, STORAGE_CLASSES, owner,
};
use super::seen::{LogTail, Reference, Seen};

/// How much is read for one investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For everything together.
    pub time: Duration,
    /// Objects that are looked at, of those that were asked for.
    pub subjects: usize,
    /// Pods in trouble whose events and logs are read, of each.
    pub pods: usize,
    /// Objects of any other kind that are read one by one, of each.
    pub others: usize,
    /// Logs that are read, of each.
    pub logs: usize,
    /// Last lines of a log.
    pub log_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(5), subjects: 3, pods: 4, others: 20, logs: 4, log_lines: 10 }
    }
}

/// Characters of a line of a log that are kept.
const LOG_LINE: usize = 300;
/// Characters of a reason why something was not read.
const WHY: usize = 200;
/// Steps from a pod to who made it.
const OWNERS: usize = 3;

/// Reads for one subject.
pub(super) struct Gather<'a> {
    reads: &'a Reads<'a>,
    limits: &'a Limits,
    unread: Mutex<BTreeSet<Unread>>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(reads: &'a Reads<'a>, limits: &'a Limits) -> Self {
        Self { reads, limits, unread: Mutex::default() }
    }

    pub(super) fn unread(&self) -> Vec<Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn note(&self, what: String, why: &NotRead) {
        self.say(what, clean(&why.to_string(), WHY));
    }

    fn say(&self, what: String, why: String) {
        let unread = Unread { what: clean(&what, MESSAGE), why };
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).insert(unread);
    }

    /// Fills in what belongs to the subject.
    pub(super) async fn all(&self, seen: &mut Seen) {
        let subject = seen.subject.clone();
        match kind(&subject) {
            "Service" => self.behind_service(seen).await,
            "Ingress" => self.behind_ingress(seen).await,
            "PersistentVolumeClaim" => seen.claims.push(subject),
            "Node" => seen.nodes.push(subject),
            "Certificate" => seen.certificates.push(subject),
            "HorizontalPodAutoscaler" => seen.autoscalers.push(subject),
            _ => self.of_workload(seen).await,
        }
        self.closer(seen).await;
    }

    async fn behind_service(&self, seen: &mut Seen) {
        let service = seen.subject.clone();
        if let Some(selector) = selector(&service) {
            (seen.pods, seen.pods_known) = self.list(PODS, service.namespace(), &selector).await;
        }
        let namespace = service.namespace().to_owned();
        (seen.slices, seen.ingresses) = {
            let services = [service.clone()];
            join!(self.slices(&services), self.ingresses(&namespace, &services))
        };
        seen.services.push(service);
    }

    async fn behind_ingress(&self, seen: &mut Seen) {
        let ingress = seen.subject.clone();
        let namespace = ingress.namespace();
        let names: BTreeSet<String> = backends(&ingress).into_iter().map(|(name, _)| name).collect();
        let found = join_all(
            names
                .iter()
                .take(self.limits.others)
                .map(|name| async { (name.clone(), self.object(SERVICES, namespace, name).await) }),
        )
        .await;
        for (name, service) in found {
            let there = service.as_ref().map(Option::is_some);
            seen.references.push(Reference { kind: "Service", name, for_what: "a backend", there });
            seen.services.extend(service.flatten());
        }
        let pods = join_all(
            seen.services
                .iter()
                .filter_map(selector)
                .map(|selector| async move { self.list(PODS, namespace, &selector).await }),
        );
        let (pods, slices) = join!(pods, self.slices(&seen.services));
        for (pods, known) in pods {
            seen.pods_known &= known;
            for pod in pods {
                if !seen.pods.iter().any(|known| known.name() == pod.name()) {
                    seen.pods.push(pod);
                }
            }
        }
        seen.slices = slices;
        seen.ingresses.push(ingress);
    }

    /// A pod, what makes pods, and what makes that.
    async fn of_workload(&self, seen: &mut Seen) {
        let subject = seen.subject.clone();
        let namespace = subject.namespace();
        if namespace == CLUSTER_SCOPE {
            return;
        }
        let (pods, owners) = join!(self.pods(&subject), self.owners(&subject));
        (seen.made, seen.pods, seen.pods_known) = pods;
        seen.owners = owners;
        let makes_pods = !seen.pods.is_empty() || pod_spec(&subject).is_object();
        if !makes_pods {
            return;
        }
        let (services, autoscalers) = join!(self.services(seen), self.autoscalers(seen));
        (seen.services, seen.autoscalers) = (services, autoscalers);
        let (slices, ingresses) = join!(self.slices(&seen.services), self.ingresses(namespace, &seen.services));
        (seen.slices, seen.ingresses) = (slices, ingresses);
    }

    /// What the subject made that makes pods, the pods, and whether these are all.
    async fn pods(&self, subject: &Object) -> (Vec<Object>, Vec<Object>, bool) {
        let (namespace, uid) = (subject.namespace(), subject.uid());
        let own = |objects: Vec<Object>, uid: &str| -> Vec<Object> {
            objects.into_iter().filter(|object| is_owned_by(object, uid)).collect()
        };
        match (kind(subject), selector(subject)) {
            ("Pod", _) => (Vec::new(), vec![subject.clone()], true),
            // A type that nobody here knows may make ReplicaSets, too.
            ("Deployment" | "", Some(selector)) if pod_spec(subject).is_object() => {
                let ((sets, sets_known), (pods, known)) =
                    join!(self.list(REPLICA_SETS, namespace, &selector), self.list(PODS, namespace, &selector),);
                let sets = own(sets, uid);
                let is_its = |pod: &Object| is_owned_by(pod, uid) || sets.iter().any(|set| is_owned_by(pod, set.uid()));
                // Without its ReplicaSets, the selector has to do.
                let pods = pods.into_iter().filter(|pod| !sets_known || is_its(pod)).collect();
                (sets, pods, known)
            }
            ("CronJob", _) => {
                let (jobs, jobs_known) = self.list(JOBS, namespace, "").await;
                let mut jobs = own(jobs, uid);
                jobs.sort_by(|a, b| created(b).cmp(created(a)));
                jobs.truncate(OWNERS);
                let (pods, known) = match jobs.first().and_then(selector) {
                    Some(selector) => self.list(PODS, namespace, &selector).await,
                    None => (Vec::new(), true),
                };
                (jobs, pods, known && jobs_known)
            }
            (_, Some(selector)) if pod_spec(subject).is_object() => {
                let (pods, known) = self.list(PODS, namespace, &selector).await;
                (Vec::new(), own(pods, uid), known)
            }
            _ => self.owned(subject).await,
        }
    }

    /// Of an object of a type that nobody here knows.
    async fn owned(&self, subject: &Object) -> (Vec<Object>, Vec<Object>, bool) {
        let (namespace, uid) = (subject.namespace(), subject.uid());
        let ((pods, known), (stateful, known_too), (deployments, known_as_well)) = join!(
            self.list(PODS, namespace, ""),
            self.list(STATEFUL_SETS, namespace, ""),
            self.list(DEPLOYMENTS, namespace, ""),
        );
        let mut made: Vec<Object> =
            stateful.into_iter().chain(deployments).filter(|object| is_owned_by(object, uid)).collect();
        if made.iter().any(|object| kind(object) == "Deployment") {
            let (sets, _) = self.list(REPLICA_SETS, namespace, "").await;
            let of_made = |set: &Object| made.iter().any(|deployment| is_owned_by(set, deployment.uid()));
            let sets: Vec<Object> = sets.into_iter().filter(of_made).collect();
            made.extend(sets);
        }
        let is_its = |pod: &Object| is_owned_by(pod, uid) || made.iter().any(|object| is_owned_by(pod, object.uid()));
        let pods = pods.into_iter().filter(is_its).collect();
        (made, pods, known && known_too && known_as_well)
    }

    async fn owners(&self, subject: &Object) -> Vec<Object> {
        let mut owners: Vec<Object> = Vec::new();
        while owners.len() < OWNERS {
            let of = owners.last().unwrap_or(subject);
            let Some(reference) = controller(of) else { break };
            let Some(known) = owner(text(reference, "/apiVersion"), text(reference, "/kind")) else { break };
            match self.object(known, subject.namespace(), text(reference, "/name")).await.flatten() {
                Some(owner) => owners.push(owner),
                None => break,
            }
        }
        owners
    }

    /// Services that select its pods, and those that are called like it.
    async fn services(&self, seen: &Seen) -> Vec<Object> {
        let subject = &seen.subject;
        let (services, _) = self.list(SERVICES, subject.namespace(), "").await;
        let labels: Vec<&Value> = [pod_labels(subject)].into_iter().chain(seen.pods.iter().map(pod_labels)).collect();
        let is_its = |service: &Object| {
            labels.iter().any(|labels| selects(service, labels))
                || service.name() == subject.name() && selector(service).is_some()
        };
        services.into_iter().filter(is_its).take(self.limits.others).collect()
    }

    async fn autoscalers(&self, seen: &Seen) -> Vec<Object> {
        let subject = &seen.subject;
        if !["Deployment", "StatefulSet", "ReplicaSet"].contains(&kind(subject)) {
            return Vec::new();
        }
        let (all, _) = self.list(AUTOSCALERS, subject.namespace(), "").await;
        let of =
            |autoscaler: &Object, field: &str| autoscaler.text(&format!("/spec/scaleTargetRef/{field}")).to_owned();
        all.into_iter().filter(|a| of(a, "kind") == subject.kind() && of(a, "name") == subject.name()).collect()
    }

    async fn slices(&self, services: &[Object]) -> BTreeMap<String, Vec<Object>> {
        let read = join_all(services.iter().take(self.limits.others).map(|service| async move {
            let selector = format!("kubernetes.io/service-name={}", service.name());
            let (slices, known) = self.list(SLICES, service.namespace(), &selector).await;
            known.then(|| (service.name().to_owned(), slices))
        }));
        read.await.into_iter().flatten().collect()
    }

    /// Ingresses that lead to these Services.
    async fn ingresses(&self, namespace: &str, services: &[Object]) -> Vec<Object> {
        if services.is_empty() {
            return Vec::new();
        }
        let (ingresses, _) = self.list(INGRESSES, namespace, "").await;
        let leads = |ingress: &Object| {
            backends(ingress).iter().any(|(name, _)| services.iter().any(|service| service.name() == name))
        };
        ingresses.into_iter().filter(leads).take(self.limits.others).collect()
    }

    /// What is read once it is known who is in trouble.
    async fn closer(&self, seen: &mut Seen) {
        seen.pods.sort_by_key(|pod| (!is_in_trouble(pod), std::cmp::Reverse(restarts(pod))));
        let chosen: Vec<Object> = chosen(&seen.pods, self.limits.pods).into_iter().cloned().collect();
        let (references, certificates, nodes, logs) =
            join!(self.references(seen), self.certificates(seen), self.nodes(&chosen), self.logs(&chosen));
        seen.references.extend(references.0);
        seen.claims.extend(references.1);
        seen.certificates.extend(certificates);
        seen.nodes.extend(nodes);
        seen.logs = logs;
        let about = self.about(seen, &chosen);
        let (events, classes) = join!(self.events(about), self.classes(&seen.claims));
        (seen.events, seen.classes) = (events, classes);
        seen.unread = self.unread();
    }

    /// Whether what pods and Ingresses name is there; and the claims.
    async fn references(&self, seen: &Seen) -> (Vec<Reference>, Vec<Object>) {
        let mut wanted = references(pod_spec(&seen.subject));
        for pod in &seen.pods {
            wanted.extend(references(pod_spec(pod)));
        }
        for made in &seen.made {
            wanted.extend(references(pod_spec(made)));
        }
        let of_ingresses = seen.ingresses.iter().flat_map(tls_secrets);
        wanted.extend(of_ingresses.map(|name| ("Secret", name.to_owned(), "TLS")));
        let namespace = seen.subject.namespace();
        if wanted.len() > self.limits.others {
            let left = wanted.len() - self.limits.others;
            self.say(
                format!("{left} more ConfigMaps, Secrets and claims in {namespace}"),
                "there are too many".to_owned(),
            );
        }
        let read = join_all(wanted.into_iter().take(self.limits.others).map(|(kind, name, for_what)| async move {
            let (there, claim) = match kind {
                "ConfigMap" => (self.exists(CONFIG_MAPS, namespace, &name).await, None),
                "Secret" => (self.exists(SECRETS, namespace, &name).await, None),
                _ => {
                    let claim = self.object(CLAIMS, namespace, &name).await;
                    (claim.as_ref().map(Option::is_some), claim.flatten())
                }
            };
            (Reference { kind, name, for_what, there }, claim)
        }));
        let (references, claims): (Vec<_>, Vec<_>) = read.await.into_iter().unzip();
        (references, claims.into_iter().flatten().collect())
    }

    /// Certificates in the Secrets of Ingresses.
    async fn certificates(&self, seen: &Seen) -> Vec<Object> {
        let secrets: BTreeSet<&str> = seen.ingresses.iter().flat_map(tls_secrets).collect();
        if secrets.is_empty() {
            return Vec::new();
        }
        let (all, _) = self.list(CERTIFICATES, seen.subject.namespace(), "").await;
        all.into_iter().filter(|certificate| secrets.contains(certificate.text("/spec/secretName"))).collect()
    }

    async fn nodes(&self, pods: &[Object]) -> Vec<Object> {
        let troubled = pods.iter().filter(|pod| is_in_trouble(pod)).map(|pod| pod.text("/spec/nodeName"));
        let names: BTreeSet<&str> = troubled.filter(|name| !name.is_empty()).collect();
        let read = names.into_iter().map(|name| self.object(NODES, CLUSTER_SCOPE, name));
        join_all(read).await.into_iter().flatten().flatten().collect()
    }

    async fn logs(&self, pods: &[Object]) -> Vec<LogTail> {
        let mut wanted = Vec::new();
        for pod in pods {
            for container in containers(pod) {
                let ended = container.ended().is_some_and(|ended| ended.code() != 0 || !container.init);
                // Before it first started there is nothing to read.
                if ended || container.runs() && !container.is_ready() && !container.init {
                    let previous = !container.has_ended() && container.restarts() > 0 && ended;
                    wanted.push((pod, container.name(), previous, container.ended().map_or(0, |ended| ended.code())));
                }
            }
        }
        // What ended well says least.
        wanted.sort_by_key(|(_, _, _, code)| *code == 0);
        let read = wanted.into_iter().take(self.limits.logs).map(|(pod, container, previous, _)| async move {
            match self.reads.log(pod.namespace(), pod.name(), container, previous).await {
                Ok(log) => Some(LogTail {
                    pod: pod.name().to_owned(),
                    container: container.to_owned(),
                    previous,
                    lines: clean_lines(&log.text, self.limits.log_lines, LOG_LINE),
                }),
                Err(why) => {
                    self.note(format!("log of container {} of Pod {}", clean(container, 253), pod.name()), &why);
                    None
                }
            }
        });
        join_all(read).await.into_iter().flatten().collect()
    }

    /// Whose events are read.
    fn about<'s>(&self, seen: &'s Seen, chosen: &'s [Object]) -> Vec<&'s Object> {
        let mut about = vec![&seen.subject];
        // ReplicaSets of earlier rollouts want no pods, and say nothing.
        let wants = |made: &&Object| made.at("/spec/replicas") != &Value::from(0);
        about.extend(seen.owners.iter().chain(seen.made.iter().filter(wants).take(OWNERS)));
        about.extend(chosen);
        about.extend(seen.claims.iter().filter(|claim| claim.text("/status/phase") != "Bound"));
        about.extend(&seen.certificates);
        about.extend(&seen.autoscalers);
        let mut names = BTreeSet::new();
        about.retain(|object| names.insert(ObjectName::of(object)));
        about
    }

    async fn events(&self, about: Vec<&Object>) -> BTreeMap<ObjectName, Vec<Event>> {
        let read = join_all(about.into_iter().map(|object| async move {
            // Events of nodes know them by name.
            let uid = Some(object.uid()).filter(|_| kind(object) != "Node");
            let of = Subject { kind: object.kind(), namespace: object.namespace(), name: object.name(), uid };
            match self.reads.events(&of).await {
                Ok(Listed { items, .. }) => Some((ObjectName::of(object), items)),
                Err(why) => {
                    self.note(format!("events in {}", place(object.namespace())), &why);
                    None
                }
            }
        }));
        read.await.into_iter().flatten().collect()
    }

    /// Storage classes of claims that have no volume.
    async fn classes(&self, claims: &[Object]) -> BTreeMap<String, bool> {
        let waiting = claims.iter().filter(|claim| claim.text("/status/phase") == "Pending");
        let names: BTreeSet<&str> = waiting.map(|claim| claim.text("/spec/storageClassName")).collect();
        let mut found = BTreeMap::new();
        for name in names {
            let there = match name {
                "" => {
                    let (all, known) = self.list(STORAGE_CLASSES, CLUSTER_SCOPE, "").await;
                    let is_default = |class: &Object| {
                        let marks = class.at("/metadata/annotations");
                        marks["storageclass.kubernetes.io/is-default-class"] == "true"
                    };
                    known.then(|| all.iter().any(is_default))
                }
                name => self.exists(STORAGE_CLASSES, CLUSTER_SCOPE, name).await,
            };
            found.extend(there.map(|there| (name.to_owned(), there)));
        }
        found
    }

    /// All that may be read, and whether that is all.
    async fn list(&self, known: Known, namespace: &str, selector: &str) -> (Vec<Object>, bool) {
        let what = || format!("{} in {}", known.name(), place(namespace));
        match self.reads.list(&known.ty(), namespace, selector).await {
            Ok(Listed { items, more }) => {
                if more {
                    self.say(what(), format!("there are more than {}", items.len()));
                }
                (items, !more)
            }
            // Not every cluster has them.
            Err(NotRead::NotServed) if known == CERTIFICATES => (Vec::new(), true),
            Err(why) => {
                self.note(what(), &why);
                (Vec::new(), false)
            }
        }
    }

    /// `None`: it cannot be read. `Some(None)`: there is none.
    async fn object(&self, known: Known, namespace: &str, name: &str) -> Option<Option<Object>> {
        self.told(known, namespace, name, self.reads.object(&known.ty(), namespace, name).await)
    }

    async fn exists(&self, known: Known, namespace: &str, name: &str) -> Option<bool> {
        self.told(known, namespace, name, self.reads.exists(&known.ty(), namespace, name).await)
    }

    fn told<T>(&self, known: Known, namespace: &str, name: &str, read: Result<T, NotRead>) -> Option<T> {
        read.map_err(|why| self.note(ObjectName::new(known.kind(), namespace, &clean(name, 253)).to_string(), &why))
            .ok()
    }

    /// The subject itself.
    pub(super) async fn subject(
        &self,
        ty: &ResourceType,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, NotRead> {
        self.reads.object(ty, namespace, name).await
    }
}

fn place(namespace: &str) -> &str {
    if namespace == CLUSTER_SCOPE { "the cluster" } else { namespace }
}

fn created(object: &Object) -> &str {
    object.text("/metadata/creationTimestamp")
}

fn restarts(pod: &Object) -> u64 {
    containers(pod).iter().map(|container| container.restarts()).sum()
}

/// Pods to look at closer: in trouble, or restarted; first of each sort of trouble one, then more of them.
fn chosen(pods: &[Object], most: usize) -> Vec<&Object> {
    let (mut sorts, mut first, mut more) = (BTreeSet::new(), Vec::new(), Vec::new());
    for pod in pods.iter().filter(|pod| is_in_trouble(pod) || restarts(pod) > 0) {
        let states: Vec<_> = containers(pod)
            .iter()
            .map(|c| (c.waits().to_owned(), c.is_ready(), c.ended().map(|ended| ended.reason().to_owned())))
            .collect();
        let sort = (pod.text("/status/phase"), pod.text("/status/reason"), states);
        if sorts.insert(sort) { first.push(pod) } else { more.push(pod) }
    }
    first.into_iter().chain(more).take(most).collect()
}
