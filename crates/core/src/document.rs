//! What a collection holds: one document an object, with the text that is embedded and what is needed to find, filter and
//! show it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::capability::Capability;
use crate::instance::{CLUSTER_SCOPE, Metadata, ResourceInstance, api_group, is_description_key, stored_id};
use crate::resource_type::ResourceType;
use crate::words;

/// Version of the rules that make texts and words. Part of the change hash: a new version rewrites every document.
pub const TEXT_VERSION: u32 = 1;

/// Names an object across the versions of its group: two versions of one object are one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey(pub [u8; 16]);

impl ObjectKey {
    /// First 16 bytes of the SHA-256 over the parts.
    pub fn new(cluster: &str, group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self(digest([cluster, group, kind, namespace, name]))
    }

    /// The keys that the owner of an object may have: it is in the object's own namespace, or in none. `None` where nothing owns it.
    pub fn of_owner(object: &ResourceInstance) -> Option<[Self; 2]> {
        let owner = object.owner.as_ref()?;
        let cluster = object.cluster.as_deref().unwrap_or_default();
        let group = api_group(&owner.api_version);
        let within = |namespace: &str| Self::new(cluster, group, &owner.kind, namespace, &owner.name);
        Some([within(&object.namespace), within(CLUSTER_SCOPE)])
    }

    /// The key of a stored id; `None` where the text is no id.
    pub fn of_stored_id(id: &str) -> Option<Self> {
        let (head, rest) = id.split_once('/')?;
        let (cluster, namespace) = head.rsplit_once(':').unwrap_or(("", head));
        let parts: Vec<&str> = rest.split('/').collect();
        let (group, kind, name) = match parts[..] {
            [_, kind, name] => ("", kind, name),
            [group, _, kind, name] => (group, kind, name),
            _ => return None,
        };
        Some(Self::new(cluster, group, kind, namespace, name))
    }
}

/// Tells whether a document changed, and whether its text did: an unchanged text keeps its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentHash {
    /// Over the text and what made it.
    pub text: [u8; 8],
    /// Over metadata and what is kept beside it. resourceVersion never counts.
    pub rest: [u8; 8],
}

impl ContentHash {
    /// Both halves in a row, as stores keep them.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.text);
        bytes[8..].copy_from_slice(&self.rest);
        bytes
    }

    /// The inverse of [`Self::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let (mut text, mut rest) = ([0; 8], [0; 8]);
        text.copy_from_slice(&bytes[..8]);
        rest.copy_from_slice(&bytes[8..]);
        Self { text, rest }
    }
}

/// Which object, and whether it changed: all that a plan asks of an object, for a tenth of the work of making its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Which object.
    pub key: ObjectKey,
    /// Whether its document changed.
    pub hash: ContentHash,
}

impl Fingerprint {
    /// The fingerprint of a running object, whose type is `type_name` (`plural.group`). Everything that a document shows of an
    /// object is in its text or in the other half; the document's words follow from both.
    pub fn of_instance(instance: &ResourceInstance, type_name: &str) -> Self {
        let i = instance;
        let cluster = i.cluster.as_deref().unwrap_or_default();
        let owner = i.owner.as_ref().map_or(["", "", "", ""], |o| [&o.api_version, &o.kind, &o.name, &o.uid]);
        let annotations: Vec<String> = i.annotations.iter().map(|(k, v)| format!("{k}\0{v}\0")).collect();
        let (labels, annotations) = (i.labels_joined("\0"), annotations.concat());
        let mut rest = vec![
            type_name,
            &i.id,
            cluster,
            &i.uid,
            &i.created_at,
            owner[0],
            owner[1],
            owner[2],
            owner[3],
            &labels,
            &annotations,
        ];
        // Behind all else: an object that keeps none is what it was before any could be kept.
        rest.extend(i.kept_annotations.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]));
        Self {
            key: ObjectKey::new(cluster, &i.api_group, &i.kind, &i.namespace, &i.name),
            hash: ContentHash { text: text_hash(&i.text(), type_name), rest: half(digest(rest)) },
        }
    }
}

/// What filters look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// The cluster's name, empty for the unnamed one.
    pub cluster: String,
    /// `plural.group`.
    pub type_name: String,
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// `group/version`.
    pub api_version: String,
    /// Namespace, or `_cluster`.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations that were asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// One document, ready to be embedded and stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Id under which stores keep it.
    pub id: String,
    /// Which object it stands for.
    pub key: ObjectKey,
    /// Whether it changed.
    pub hash: ContentHash,
    /// What is embedded and shown.
    pub text: String,
    /// What the word index holds: terms joined by spaces.
    pub words: String,
    /// What filters look at.
    pub facets: Facets,
    /// The metadata that other programs read.
    pub metadata: Metadata,
    /// The noun itself, as JSON.
    pub record: String,
}

impl Document {
    /// The document of a running object, whose type is `type_name` (`plural.group`).
    pub fn of_instance(instance: &ResourceInstance, type_name: &str) -> Self {
        let Fingerprint { key, hash } = Fingerprint::of_instance(instance, type_name);
        let facets = Facets {
            cluster: instance.cluster.clone().unwrap_or_default(),
            type_name: type_name.to_owned(),
            group: instance.api_group.clone(),
            kind: instance.kind.clone(),
            api_version: instance.api_version.clone(),
            namespace: instance.namespace.clone(),
            name: instance.name.clone(),
            labels: instance.labels.clone(),
            annotations: instance.kept_annotations.clone(),
        };
        let words = format!(
            "{} {} {} {} {type_name} {} {}",
            instance.kind,
            instance.name,
            if instance.is_cluster_scoped() { "" } else { &instance.namespace },
            pair_words(&instance.labels),
            instance.description(),
            annotation_words(instance)
        );
        Self {
            id: instance.stored_id(),
            key,
            hash,
            text: instance.text(),
            words: words::terms(&words).join(" "),
            facets,
            metadata: instance.metadata(),
            record: json_of(instance),
        }
    }

    /// The document of a resource type, as discovery and its schema describe it.
    pub fn of_type(ty: &ResourceType, cluster: Option<&str>) -> Self {
        let name = ty.name();
        let facets = Self::facets_of_type(ty, cluster);
        let mut metadata = Metadata::new();
        for (key, value) in [
            ("kind", ty.kind.as_str()),
            ("apiGroup", &ty.group),
            ("apiVersion", &facets.api_version),
            ("resourceName", &name),
            ("source", "discovery"),
        ] {
            metadata.insert(key.to_owned(), json!(value));
        }
        if let Some(cluster) = cluster {
            metadata.insert("cluster".to_owned(), json!(cluster));
        }
        let text = ty.text();
        let record = json_of(ty);
        Self::new(stored_id(cluster, &name), facets, text.clone(), &text, metadata, record)
    }

    /// The document of what a resource type is for. It takes the place of the type's own.
    pub fn of_capability(capability: &Capability, ty: &ResourceType, cluster: Option<&str>) -> Self {
        let facets = Self::facets_of_type(ty, cluster);
        let text = capability.text();
        let words =
            format!("{text} {} {} {} {}", facets.name, ty.singular, ty.short_names.join(" "), ty.categories.join(" "));
        let (metadata, record) = (capability.metadata(cluster), capability.record(ty));
        Self::new(stored_id(cluster, &facets.name), facets, text, &words, metadata, record)
    }

    fn facets_of_type(ty: &ResourceType, cluster: Option<&str>) -> Facets {
        let name = ty.name();
        Facets {
            cluster: cluster.unwrap_or_default().to_owned(),
            type_name: name.clone(),
            group: ty.group.clone(),
            kind: ty.kind.clone(),
            api_version: ty.api_version(),
            namespace: CLUSTER_SCOPE.to_owned(),
            name,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        }
    }

    fn new(id: String, facets: Facets, text: String, words: &str, metadata: Metadata, record: String) -> Self {
        let words = words::terms(words).join(" ");
        let shown = serde_json::Value::Object(metadata.clone()).to_string();
        let hash = ContentHash {
            text: text_hash(&text, &words),
            rest: half(digest([facets.type_name.as_str(), &shown, &record])),
        };
        let key = ObjectKey::new(&facets.cluster, &facets.group, &facets.kind, &facets.namespace, &facets.name);
        Self { id, key, hash, text, words, facets, metadata, record }
    }
}

/// Labels, or annotations, as words. The domain in front of a key (`app.kubernetes.io/`) stands on every object and tells none apart.
fn pair_words<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let words = |(key, value): (&String, &String)| format!("{} {value} ", key.rsplit('/').next().unwrap_or(key));
    pairs.into_iter().map(words).collect()
}

/// The kept annotations as words, without those that describe: these are there already.
fn annotation_words(instance: &ResourceInstance) -> String {
    pair_words(instance.kept_annotations.iter().filter(|(key, _)| !is_description_key(key)))
}

/// Over a text, what else its words are made of, and the version of what makes both.
fn text_hash(text: &str, beside: &str) -> [u8; 8] {
    half(digest([TEXT_VERSION.to_string().as_str(), text, beside]))
}

fn json_of(noun: &impl serde::Serialize) -> String {
    serde_json::to_string(noun).unwrap_or_default()
}

fn half(bytes: [u8; 16]) -> [u8; 8] {
    let mut half = [0; 8];
    half.copy_from_slice(&bytes[..8]);
    half
}

/// First half of the SHA-256 over the parts, each with its length in front so that no two lists of parts are alike.
fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(api_version: &str) -> ResourceInstance {
        ResourceInstance::new(api_version, "Pod", Some("a"), "b").unwrap()
    }

    #[test]
    fn a_key_survives_a_change_of_version_and_comes_back_from_the_id() {
        let keys =
            ["example.org/v1", "example.org/v1beta1"].map(|v| Document::of_instance(&pod(v), "pods.example.org"));
        assert_eq!(keys[0].key, keys[1].key);
        assert_ne!(keys[0].hash, keys[1].hash);
        let mut named = pod("v1");
        named.cluster = Some("east:1".into());
        named.name = "system:b".into();
        named.id = "a/v1/Pod/system:b".into();
        let document = Document::of_instance(&named, "pods");
        assert_eq!(ObjectKey::of_stored_id(&document.id), Some(document.key));
        assert_eq!(ObjectKey::of_stored_id("nonsense"), None);
        assert_eq!(ObjectKey::of_stored_id("a/b"), None);
    }

    #[test]
    fn resource_version_never_counts_and_text_counts_apart() {
        let first = Document::of_instance(&pod("v1"), "pods");
        let newer = ResourceInstance { resource_version: "9".into(), ..pod("v1") };
        assert_eq!(first.hash, Document::of_instance(&newer, "pods").hash);
        let replaced = Document::of_instance(&ResourceInstance { uid: "u".into(), ..pod("v1") }, "pods");
        assert_eq!(first.hash.text, replaced.hash.text);
        assert_ne!(first.hash.rest, replaced.hash.rest);
        assert_eq!(ContentHash::from_bytes(replaced.hash.to_bytes()), replaced.hash);
    }

    #[test]
    fn kept_annotations_are_words_and_a_facet_and_no_text() {
        let plain = Document::of_instance(&pod("v1"), "pods");
        let keeping = |pairs: &[(&str, &str)]| {
            let kept_annotations = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            Document::of_instance(&ResourceInstance { kept_annotations, ..pod("v1") }, "pods")
        };
        let kept = keeping(&[("example.org/oncall", "Night owls"), ("description", "hidden twice")]);
        assert_eq!((&kept.text, kept.hash.text, &kept.metadata), (&plain.text, plain.hash.text, &plain.metadata));
        assert_ne!(kept.hash.rest, plain.hash.rest);
        assert_eq!(kept.words, format!("{} {}", plain.words, words::terms("oncall Night owls").join(" ")));
        assert_eq!(kept.facets.annotations["example.org/oncall"], "Night owls");
        assert_eq!(serde_json::from_str::<ResourceInstance>(&kept.record).unwrap().kept_annotations.len(), 2);
        // A key that moves into a value, or one annotation into two, is another object.
        let hashes = [&[("ab", "c")][..], &[("a", "bc")], &[("a", ""), ("b", "c")], &[]].map(|p| keeping(p).hash.rest);
        assert_eq!(std::collections::BTreeSet::from(hashes).len(), 4);
        assert_eq!(hashes[3], plain.hash.rest);
        assert!(!plain.record.contains("keptAnnotations"));
    }

    #[test]
    fn the_hash_of_what_keeps_no_annotations_is_the_one_that_stores_hold() {
        let hash = Fingerprint::of_instance(&pod("v1"), "pods").hash.to_bytes();
        let written: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(written, "dd3629c0e3e3d777168a941b339a493d");
    }
}
