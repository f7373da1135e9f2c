//! What happened to the objects of a cluster, and when.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instance::{ResourceInstance, stored_id};

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// It came.
    Created,
    /// It went.
    Deleted,
    /// Its `metadata.generation` grew: what it is meant to be changed.
    SpecChanged,
    /// The same of a type whose generation also counts its annotations: either of them changed.
    SpecOrAnnotationsChanged,
    /// Labels came, went or have other values.
    LabelsChanged,
    /// Annotations that are kept came, went or have other values.
    AnnotationsChanged,
}

impl Happening {
    /// What it means that the `metadata.generation` of this object grew. Of Deployments alone the API server counts annotations too
    /// (Kubernetes 1.34), of which few are read.
    pub fn of_generation(instance: &ResourceInstance) -> Self {
        match (instance.api_group.as_str(), instance.kind.as_str()) {
            ("apps", "Deployment") => Self::SpecOrAnnotationsChanged,
            _ => Self::SpecChanged,
        }
    }
}

impl std::fmt::Display for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::SpecChanged => "spec changed",
            Self::SpecOrAnnotationsChanged => "spec or annotations changed",
            Self::LabelsChanged => "labels changed",
            Self::AnnotationsChanged => "annotations changed",
        })
    }
}

/// One line of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// Name of the cluster, empty for the unnamed one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// When it was noticed: RFC 3339 in UTC with six digits below the second, so that texts sort as times do. No two entries of a cluster
    /// have the same.
    pub at: String,
    /// Empty where it was noticed as it happened. Else nobody watched: it happened after this (RFC 3339), and before it was noticed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
    /// What happened.
    pub what: Option<Happening>,
    /// `plural.group`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Namespace, or `_cluster`.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// Empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The manager that had changed the object last when it was noticed, as its managed fields said; empty where it is not known: of what
    /// was deleted, and of what a list showed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub changed_by: String,
}

impl JournalEntry {
    /// A time as entries have it.
    pub fn time(at: Timestamp) -> String {
        format!("{at:.6}")
    }

    /// An entry about an object.
    pub fn of_instance(instance: &ResourceInstance, type_name: &str, what: Happening, at: String) -> Self {
        let i = instance;
        Self {
            cluster: i.cluster.clone().unwrap_or_default(),
            at,
            after: String::new(),
            what: Some(what),
            type_name: type_name.to_owned(),
            api_version: i.api_version.clone(),
            kind: i.kind.clone(),
            namespace: i.namespace.clone(),
            name: i.name.clone(),
            uid: i.uid.clone(),
            changed_by: String::new(),
        }
    }

    /// The id under which stores keep, or kept, the object.
    pub fn stored_id(&self) -> String {
        let Self { cluster, namespace, api_version, kind, name, .. } = self;
        let cluster = Some(cluster.as_str()).filter(|cluster| !cluster.is_empty());
        stored_id(cluster, &format!("{namespace}/{api_version}/{kind}/{name}"))
    }
}

impl std::fmt::Display for JournalEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, kind, namespace, name, .. } = self;
        if let Some(what) = what {
            write!(f, "{what}: ")?;
        }
        match namespace.as_str() {
            crate::instance::CLUSTER_SCOPE => write!(f, "{kind} {name}"),
            namespace => write!(f, "{kind} {namespace}/{name}"),
        }
    }
}

/// What of a journal is asked for. What is empty admits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalQuery {
    /// Name of the cluster; `None`: any.
    pub cluster: Option<String>,
    /// From this time on, as entries have it.
    pub since: Option<String>,
    /// Before this time.
    pub until: Option<String>,
    /// What happened.
    pub what: BTreeSet<Happening>,
    /// Types, as `plural.group`.
    pub types: BTreeSet<String>,
    /// Kinds.
    pub kinds: BTreeSet<String>,
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Names of objects.
    pub names: BTreeSet<String>,
    /// Most entries of the answer, the newest first.
    pub limit: usize,
}

impl JournalQuery {
    /// Whether an entry is asked for.
    pub fn admits(&self, entry: &JournalEntry) -> bool {
        let among = |set: &BTreeSet<String>, value: &str| set.is_empty() || set.contains(value);
        self.cluster.as_ref().is_none_or(|cluster| *cluster == entry.cluster)
            && self.since.as_ref().is_none_or(|since| entry.at >= *since)
            && self.until.as_ref().is_none_or(|until| entry.at < *until)
            && (self.what.is_empty() || entry.what.is_some_and(|what| self.what.contains(&what)))
            && among(&self.types, &entry.type_name)
            && among(&self.kinds, &entry.kind)
            && among(&self.namespaces, &entry.namespace)
            && among(&self.names, &entry.name)
    }
}

/// How much of a journal is kept, of each cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalBounds {
    /// What was noticed before this time goes; empty: nothing for its age.
    pub oldest: String,
    /// So many entries stay, the newest. Looked at now and then: for a while there may be some hundreds more.
    pub most: usize,
}

impl JournalBounds {
    /// Entries of a cluster that are kept.
    pub const MOST: usize = 100_000;
    /// Days for which they are kept.
    pub const DAYS: u32 = 7;
}

impl Default for JournalBounds {
    fn default() -> Self {
        Self { oldest: String::new(), most: Self::MOST }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> JournalEntry {
        let web = ResourceInstance::new("apps/v1", "Deployment", Some("shop"), "web").unwrap();
        JournalEntry::of_instance(
            &web,
            "deployments.apps",
            Happening::SpecChanged,
            "2026-01-02T03:04:05.000006Z".into(),
        )
    }

    #[test]
    fn a_line_for_people_and_one_for_programs() {
        assert_eq!(entry().to_string(), "spec changed: Deployment shop/web");
        let node = ResourceInstance::new("v1", "Node", None, "n").unwrap();
        let gone = JournalEntry::of_instance(&node, "nodes", Happening::Deleted, String::new());
        assert_eq!(gone.to_string(), "deleted: Node n");
        let json = serde_json::to_string(&entry()).unwrap();
        assert_eq!(
            json,
            r#"{"at":"2026-01-02T03:04:05.000006Z","what":"spec-changed","type":"deployments.apps","apiVersion":"apps/v1","kind":"Deployment","namespace":"shop","name":"web"}"#
        );
        assert_eq!(serde_json::from_str::<JournalEntry>(&json).unwrap(), entry());
        let by = JournalEntry { changed_by: "helm".into(), ..entry() };
        let json = serde_json::to_string(&by).unwrap();
        assert!(json.ends_with(r#","name":"web","changedBy":"helm"}"#), "{json}");
        assert_eq!(serde_json::from_str::<JournalEntry>(&json).unwrap(), by);
    }

    #[test]
    fn each_condition_narrows() {
        let set = |text: &str| BTreeSet::from([text.to_owned()]);
        let time = |text: &str| Some(text.to_owned());
        let admits = |query: JournalQuery| query.admits(&entry());
        assert!(admits(JournalQuery::default()));
        for (query, admitted) in [
            (JournalQuery { cluster: Some(String::new()), ..JournalQuery::default() }, true),
            (JournalQuery { cluster: Some("east".into()), ..JournalQuery::default() }, false),
            (JournalQuery { since: time("2026-01-02T03:04:05.000006Z"), ..JournalQuery::default() }, true),
            (JournalQuery { since: time("2026-01-02T03:04:05.000007Z"), ..JournalQuery::default() }, false),
            (JournalQuery { until: time("2026-01-02T03:04:05.000006Z"), ..JournalQuery::default() }, false),
            (JournalQuery { what: [Happening::SpecChanged].into(), ..JournalQuery::default() }, true),
            (JournalQuery { what: [Happening::Deleted].into(), ..JournalQuery::default() }, false),
            (
                JournalQuery { types: set("deployments.apps"), kinds: set("Deployment"), ..JournalQuery::default() },
                true,
            ),
            (JournalQuery { types: set("pods"), ..JournalQuery::default() }, false),
            (JournalQuery { kinds: set("Pod"), ..JournalQuery::default() }, false),
            (JournalQuery { namespaces: set("shop"), names: set("web"), ..JournalQuery::default() }, true),
            (JournalQuery { namespaces: set("other"), ..JournalQuery::default() }, false),
            (JournalQuery { names: set("other"), ..JournalQuery::default() }, false),
        ] {
            assert_eq!(admits(query.clone()), admitted, "{query:?}");
        }
    }
}
