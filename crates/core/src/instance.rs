//! A running object, reduced to what clusterlore may know of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::words;

/// Stands in an id where a namespaced object has its namespace.
pub const CLUSTER_SCOPE: &str = "_cluster";

/// Metadata of a document as vector stores keep it.
pub type Metadata = Map<String, Value>;

/// The group of an `apiVersion`: `apps` of `apps/v1`, empty of `v1`.
pub fn api_group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The controlling owner of an object (`ownerReferences[controller=true]`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// `apps/v1`.
    pub api_version: String,
    /// `ReplicaSet`.
    pub kind: String,
    /// The owner's name; it lives in the object's own namespace, or in none.
    pub name: String,
    /// The owner's uid.
    pub uid: String,
}

/// One object of the cluster: metadata only, never spec, status or data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceInstance {
    /// `namespace/apiVersion/Kind/name`, without the cluster's name.
    pub id: String,
    /// The namespace, or [`CLUSTER_SCOPE`].
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// `Deployment`.
    pub kind: String,
    /// `apps/v1`.
    pub api_version: String,
    /// `apps`, empty for the core group.
    pub api_group: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// Only the annotations that describe (see [`is_description_key`]).
    pub annotations: BTreeMap<String, String>,
    /// Annotations that were asked for (see [`crate::AnnotationChoice`]): found by their words and by a condition, never part of the
    /// text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept_annotations: BTreeMap<String, String>,
    /// RFC 3339; empty where the source does not know it (a manifest).
    pub created_at: String,
    /// Empty where the source does not know it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Empty where the source does not know it. Never part of the change hash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// How often what it is meant to be has changed (`metadata.generation`); 0 where the source does not know it, or the type has none. It
    /// is told and never kept: part of no document, no hash and no record.
    #[serde(skip)]
    pub generation: i64,
    /// The controller that owns the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerReference>,
    /// The cluster's name, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

/// Why an object cannot be indexed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidInstance {
    /// A required part is missing or empty.
    #[error("{what} is missing; expected a non-empty value")]
    Missing {
        /// The field, as it is spelt in a manifest.
        what: &'static str,
    },
    /// No API server has an object of that identity: it holds a control character, or is longer than any.
    #[error("{what} is no name of an object: it holds a control character, or is longer than {LONGEST_PART} bytes")]
    Impossible {
        /// The field, as it is spelt in a manifest.
        what: &'static str,
    },
    /// A part of the id holds a character that separates the parts.
    #[error("{what} {value:?} holds a \"{separator}\"; expected a name without one")]
    Separator {
        /// The field, as it is spelt in a manifest.
        what: &'static str,
        /// What was there.
        value: String,
        /// What it must not hold.
        separator: char,
    },
}

/// Whether an API server can have something of that name: a longer one, or one with a control character, is none.
pub fn may_be_named(name: &str) -> bool {
    name.len() <= LONGEST_PART && !name.contains(char::is_control)
}

/// Bytes of a part of an id: names have 253 characters at most where the API server checks them, and no store takes any length.
const LONGEST_PART: usize = 512;

/// Whether an annotation is one that describes the object: `description`, or a key ending in `/description`.
pub fn is_description_key(key: &str) -> bool {
    key == "description" || key.ends_with("/description")
}

/// Keeps the annotations that describe and drops the others: the last-applied-configuration of a Secret carries its data.
pub fn description_annotations(all: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    all.into_iter().filter(|(key, _)| is_description_key(key)).collect()
}

/// The id under which stores keep a document of the named cluster; the plain id where the cluster has no name.
pub fn stored_id(cluster: Option<&str>, id: &str) -> String {
    match cluster {
        Some(name) => format!("{name}:{id}"),
        None => id.to_owned(),
    }
}

impl ResourceInstance {
    /// An instance of the given identity with its id composed. `namespace` is `None` or empty for cluster-scoped objects.
    ///
    /// # Errors
    /// A missing kind, version or name, one that cannot be, or a `/` or `:` where it would make the id ambiguous.
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Result<Self, InvalidInstance> {
        for (what, value) in [("apiVersion", api_version), ("kind", kind), ("metadata.name", name)] {
            if value.trim().is_empty() {
                return Err(InvalidInstance::Missing { what });
            }
        }
        let namespace = namespace.filter(|n| !n.is_empty()).unwrap_or(CLUSTER_SCOPE);
        for (what, value) in
            [("apiVersion", api_version), ("kind", kind), ("metadata.name", name), ("metadata.namespace", namespace)]
        {
            if !may_be_named(value) {
                return Err(InvalidInstance::Impossible { what });
            }
        }
        // A colon ends the name of a cluster; names of objects may hold one (`system:node`), those of namespaces never do.
        for (what, value, separator) in [
            ("kind", kind, '/'),
            ("metadata.name", name, '/'),
            ("metadata.namespace", namespace, '/'),
            ("metadata.namespace", namespace, ':'),
        ] {
            if value.contains(separator) {
                return Err(InvalidInstance::Separator { what, value: value.to_owned(), separator });
            }
        }
        Ok(Self {
            id: format!("{namespace}/{api_version}/{kind}/{name}"),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            api_version: api_version.to_owned(),
            api_group: api_group(api_version).to_owned(),
            ..Self::default()
        })
    }

    /// Whether the object lives in no namespace.
    pub fn is_cluster_scoped(&self) -> bool {
        self.namespace == CLUSTER_SCOPE
    }

    /// The id under which stores keep it (with the cluster's name in front, where it has one).
    pub fn stored_id(&self) -> String {
        stored_id(self.cluster.as_deref(), &self.id)
    }

    /// Descriptions in the order of their keys, one line, joined by `. `.
    pub fn description(&self) -> String {
        let lines: Vec<String> =
            self.annotations.values().map(|v| words::one_line(v)).filter(|line| !line.is_empty()).collect();
        lines.join(". ")
    }

    /// Labels sorted by key, `key=value` joined by `separator`.
    pub fn labels_joined(&self, separator: &str) -> String {
        let pairs: Vec<String> = self.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join(separator)
    }

    /// The one line that stands for the object and is embedded.
    pub fn text(&self) -> String {
        let mut text = format!("{} {}", self.kind, self.name);
        if !self.is_cluster_scoped() {
            text.push_str(" | namespace: ");
            text.push_str(&self.namespace);
        }
        text.push_str(" | apiVersion: ");
        text.push_str(&self.api_version);
        if !self.labels.is_empty() {
            text.push_str(" | labels: ");
            text.push_str(&self.labels_joined(", "));
        }
        let description = self.description();
        if !description.is_empty() {
            text.push_str(" | ");
            text.push_str(&description);
        }
        text
    }

    /// The document's metadata, with exactly the keys that other programs read.
    pub fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        for (key, value) in [
            ("namespace", self.namespace.as_str()),
            ("name", &self.name),
            ("kind", &self.kind),
            ("apiVersion", &self.api_version),
            ("apiGroup", &self.api_group),
            ("labels", &self.labels_joined(",")),
            ("source", "resource-sync"),
        ] {
            metadata.insert(key.to_owned(), json!(value));
        }
        if let Some(cluster) = &self.cluster {
            metadata.insert("cluster".to_owned(), json!(cluster));
        }
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nginx() -> ResourceInstance {
        let mut nginx = ResourceInstance::new("apps/v1", "Deployment", Some("default"), "nginx").unwrap();
        nginx.labels = [("tier", "frontend"), ("app", "nginx")].map(|(k, v)| (k.into(), v.into())).into();
        nginx.annotations = description_annotations([
            ("description".into(), "Web server\n for HTTP traffic".into()),
            ("kubectl.kubernetes.io/last-applied-configuration".into(), "{\"data\":1}".into()),
        ]);
        nginx
    }

    #[test]
    fn id_text_and_metadata_are_the_contract() {
        let nginx = nginx();
        assert_eq!(nginx.id, "default/apps/v1/Deployment/nginx");
        assert_eq!(
            nginx.text(),
            "Deployment nginx | namespace: default | apiVersion: apps/v1 | labels: app=nginx, tier=frontend | Web server for HTTP traffic"
        );
        assert_eq!(
            serde_json::to_string(&nginx.metadata()).unwrap(),
            r#"{"apiGroup":"apps","apiVersion":"apps/v1","kind":"Deployment","labels":"app=nginx,tier=frontend","name":"nginx","namespace":"default","source":"resource-sync"}"#
        );
    }

    #[test]
    fn cluster_scoped_objects_have_no_namespace_part_in_their_text() {
        let default = ResourceInstance::new("v1", "Namespace", None, "default").unwrap();
        assert_eq!(default.id, "_cluster/v1/Namespace/default");
        assert_eq!(default.text(), "Namespace default | apiVersion: v1");
        assert_eq!(default.api_group, "");
    }

    #[test]
    fn a_named_cluster_prefixes_the_stored_id_and_shows_in_metadata() {
        let mut nginx = nginx();
        nginx.cluster = Some("east".into());
        assert_eq!(nginx.stored_id(), "east:default/apps/v1/Deployment/nginx");
        assert_eq!(nginx.metadata()["cluster"], "east");
    }

    #[test]
    fn nameless_objects_are_refused() {
        let missing = ResourceInstance::new("v1", "Pod", Some("a"), " ").unwrap_err();
        assert_eq!(missing.to_string(), "metadata.name is missing; expected a non-empty value");
        assert!(ResourceInstance::new("v1", "Pod", Some("a"), "b/c").is_err());
        assert!(ResourceInstance::new("", "Pod", Some("a"), "b").is_err());
        let long = "a".repeat(513);
        for (api_version, kind, namespace, name) in
            [("v1", "K\0", "a", "b"), ("v1", "K", "a\n", "b"), ("v1", &long, "a", "b"), ("v1", "K", "a", &long)]
        {
            let impossible = ResourceInstance::new(api_version, kind, Some(namespace), name).unwrap_err();
            assert!(impossible.to_string().contains("is no name of an object"), "{impossible}");
        }
    }

    #[test]
    fn only_describing_annotations_are_kept() {
        let kept = description_annotations(
            ["description", "a.example/description", "description/a", "descriptions", "x-description"]
                .map(|k| (k.to_owned(), String::new())),
        );
        assert_eq!(kept.into_keys().collect::<Vec<_>>(), ["a.example/description", "description"]);
    }
}
