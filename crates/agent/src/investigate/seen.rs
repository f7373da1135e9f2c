//! What was read, before anybody judges it.

use std::collections::BTreeMap;

use clusterlore_cluster::reads::{Event, Object};
use jiff::Timestamp;

use super::findings::{ObjectName, Unread};

/// An object and what belongs to it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What was asked for.
    pub subject: Object,
    /// Who made it, the nearest first.
    pub owners: Vec<Object>,
    /// What it made that makes pods: ReplicaSets, Jobs, workloads.
    pub made: Vec<Object>,
    /// Its pods, those in trouble first.
    pub pods: Vec<Object>,
    /// Whether the pods are known, all of them.
    pub pods_known: bool,
    /// What was said of these objects. An object that is not here was not asked about.
    pub events: BTreeMap<ObjectName, Vec<Event>>,
    /// Ends of logs.
    pub logs: Vec<LogTail>,
    /// What it refers to, and whether it is there.
    pub references: Vec<Reference>,
    /// Claims that it refers to and that are there; the subject among them.
    pub claims: Vec<Object>,
    /// Storage classes that claims without a volume name, and whether they are there; an empty name: the default one.
    pub classes: BTreeMap<String, bool>,
    /// Nodes of pods in trouble; the subject among them.
    pub nodes: Vec<Object>,
    /// Services that select its pods, or are named like it, or stand behind it; the subject among them.
    pub services: Vec<Object>,
    /// EndpointSlices by the Service's name. A Service that is not here was not asked about.
    pub slices: BTreeMap<String, Vec<Object>>,
    /// Ingresses that lead to these Services; the subject among them.
    pub ingresses: Vec<Object>,
    /// Certificates (cert-manager) in the Secrets of these Ingresses; the subject among them.
    pub certificates: Vec<Object>,
    /// Autoscalers of it; the subject among them.
    pub autoscalers: Vec<Object>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// What certificates are held against.
    pub now: Timestamp,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// The pod's name.
    pub pod: String,
    /// The container's.
    pub container: String,
    /// Of the run before its last start.
    pub previous: bool,
    /// Its last lines, cleaned.
    pub lines: Vec<String>,
}

/// Something that pods refer to by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `ConfigMap`, `Secret`, `PersistentVolumeClaim`, or `Service` (of an Ingress).
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// For what: `a volume`, `variables`, `pulling images`, `TLS`.
    pub for_what: &'static str,
    /// Whether it is there; `None`: nobody could tell.
    pub there: Option<bool>,
}

impl Seen {
    /// Only the object.
    pub fn new(subject: Object, now: Timestamp) -> Self {
        Self {
            subject,
            owners: Vec::new(),
            made: Vec::new(),
            pods: Vec::new(),
            pods_known: true,
            events: BTreeMap::new(),
            logs: Vec::new(),
            references: Vec::new(),
            claims: Vec::new(),
            classes: BTreeMap::new(),
            nodes: Vec::new(),
            services: Vec::new(),
            slices: BTreeMap::new(),
            ingresses: Vec::new(),
            certificates: Vec::new(),
            autoscalers: Vec::new(),
            unread: Vec::new(),
            now,
        }
    }

    /// What was said of an object, the last one last.
    pub fn events_of(&self, object: &Object) -> &[Event] {
        self.events.get(&ObjectName::of(object)).map_or(&[], Vec::as_slice)
    }

    /// The last thing that was said of an object with this reason.
    pub(super) fn last(&self, object: &Object, reason: &str) -> Option<&Event> {
        self.events_of(object).iter().rev().find(|event| event.reason == reason)
    }

    pub(super) fn log(&self, pod: &str, container: &str) -> Option<&LogTail> {
        self.logs.iter().find(|log| log.pod == pod && log.container == container && !log.lines.is_empty())
    }
}
