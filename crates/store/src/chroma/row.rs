//! A document as Chroma keeps it, and back. Other programs read id, text and metadata; what only clusterlore needs is one more
//! metadata key. Documents of other programs have no such key, and are read as far as text and metadata go.

use std::collections::{BTreeMap, HashMap};

use clusterlore_core::{
    Capability, Complexity, ContentHash, Document, Metadata, OwnerReference, ResourceInstance, ResourceType,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The metadata key that is clusterlore's own.
pub(super) const OURS: &str = "clusterlore";

/// Every key of the contract. Writing lays metadata over what is there: what a document has no more is taken away by name.
const CONTRACT: [&str; 12] = [
    "namespace",
    "name",
    "kind",
    "apiVersion",
    "apiGroup",
    "labels",
    "source",
    "cluster",
    "complexity",
    "providers",
    "confidence",
    "resourceName",
];

/// What stands under [`OURS`].
#[derive(Serialize, Deserialize)]
struct Ours {
    #[serde(rename = "type")]
    type_name: String,
    source: i64,
    hash: String,
    /// The noun, where it cannot be made of what other programs read and the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<Rest>,
}

/// What an object has that the contract's metadata do not say. The server takes its time over every byte.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rest {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept_annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    created_at: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    uid: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    resource_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerReference>,
}

impl Rest {
    /// `None` where the object would not come back as it went.
    fn of(document: &Document) -> Option<Self> {
        let whole: ResourceInstance = serde_json::from_str(&document.record).ok()?;
        let ResourceInstance { annotations, kept_annotations, created_at, uid, resource_version, owner, .. } =
            whole.clone();
        let rest = Self { annotations, kept_annotations, created_at, uid, resource_version, owner };
        let back = instance(&document.metadata, &rest)?;
        (back == whole).then_some(rest)
    }
}

/// The object of the contract's metadata and the rest.
fn instance(metadata: &Metadata, rest: &Rest) -> Option<ResourceInstance> {
    let part = |key| string(metadata, key);
    let mut instance =
        ResourceInstance::new(part("apiVersion")?, part("kind")?, part("namespace"), part("name")?).ok()?;
    instance.labels = labels(metadata);
    instance.cluster = part("cluster").map(str::to_owned);
    instance.annotations.clone_from(&rest.annotations);
    instance.kept_annotations.clone_from(&rest.kept_annotations);
    instance.created_at.clone_from(&rest.created_at);
    instance.uid.clone_from(&rest.uid);
    instance.resource_version.clone_from(&rest.resource_version);
    instance.owner.clone_from(&rest.owner);
    Some(instance)
}

/// Neither keys nor values of labels can hold a comma.
fn labels(metadata: &Metadata) -> BTreeMap<String, String> {
    let labels = string(metadata, "labels").unwrap_or_default();
    let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned())).collect()
}

/// A document as it is read back.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) document: Document,
    /// Number of the source that wrote it; 0 where that was another program.
    pub(super) source: i64,
}

/// The metadata of a document that a source writes.
pub(super) fn metadata(document: &Document, source: i64) -> serde_json::Result<Metadata> {
    let mut metadata: Metadata = CONTRACT.map(|key| (key.to_owned(), Value::Null)).into_iter().collect();
    metadata.extend(document.metadata.clone());
    let rest = Rest::of(document);
    let ours = Ours {
        type_name: document.facets.type_name.clone(),
        source,
        hash: document.hash.to_bytes().iter().map(|b| format!("{b:02x}")).collect(),
        record: match rest {
            Some(_) => None,
            None => Some(RawValue::from_string(document.record.clone())?),
        },
        rest,
    };
    metadata.insert(OURS.to_owned(), Value::String(serde_json::to_string(&ours)?));
    Ok(metadata)
}

/// The document of a stored row; `None` where it names no object and no type. `types` names the types of foreign rows.
pub(super) fn read(id: &str, text: &str, metadata: &Metadata, types: &TypeNames) -> Option<Read> {
    ours(id, text, metadata).or_else(|| foreign(id, text, metadata, types))
}

/// Whether clusterlore wrote the row.
pub(super) fn is_ours(metadata: &Metadata) -> bool {
    metadata.get(OURS).is_some_and(Value::is_string)
}

fn ours(id: &str, text: &str, metadata: &Metadata) -> Option<Read> {
    let ours: Ours = serde_json::from_str(string(metadata, OURS)?).ok()?;
    let cluster = string(metadata, "cluster");
    let mut document = match (&ours.rest, &ours.record) {
        (Some(rest), _) => Document::of_instance(&instance(metadata, rest)?, &ours.type_name),
        (None, Some(record)) => {
            let record = record.get();
            let mut document = if let Ok(instance) = serde_json::from_str::<ResourceInstance>(record) {
                Document::of_instance(&instance, &ours.type_name)
            } else {
                let ty: ResourceType = serde_json::from_str(record).ok()?;
                match Capability::from_record(record) {
                    Some(capability) => Document::of_capability(&capability, &ty, cluster),
                    None => Document::of_type(&ty, cluster),
                }
            };
            document.record = record.to_owned();
            document
        }
        (None, None) => return None,
    };
    document.hash = ContentHash::from_bytes(bytes(&ours.hash)?);
    if document.text != text {
        // Another program wrote over it, and its vector with it.
        document.hash = ContentHash::from_bytes([0; 16]);
        document.text = text.to_owned();
    }
    document.id = id.to_owned();
    Some(Read { document, source: ours.source })
}

fn foreign(id: &str, text: &str, metadata: &Metadata, types: &TypeNames) -> Option<Read> {
    let mut document = match string(metadata, "resourceName") {
        Some(name) => foreign_type(name, text, metadata)?,
        None => foreign_instance(id, text, metadata, types)?,
    };
    // The same text keeps its vector, and the next sync completes the rest.
    document.hash.rest = [0; 8];
    if document.text != text {
        document.hash.text = [0; 8];
        document.text = text.to_owned();
    }
    document.id = id.to_owned();
    Some(Read { document, source: 0 })
}

fn foreign_instance(id: &str, text: &str, metadata: &Metadata, types: &TypeNames) -> Option<Document> {
    let cluster = string(metadata, "cluster").filter(|c| !c.is_empty());
    let own_id = cluster.and_then(|c| id.strip_prefix(c)?.strip_prefix(':')).unwrap_or(id);
    let (namespace, rest) = own_id.split_once('/').unwrap_or(("", own_id));
    let mut parts = rest.rsplitn(3, '/');
    let (name, kind, version) = (parts.next(), parts.next(), parts.next());
    let part = |key: &str, of_id: Option<&str>| string(metadata, key).or(of_id).map(str::to_owned);
    let (version, kind, name) = (part("apiVersion", version)?, part("kind", kind)?, part("name", name)?);
    let namespace = part("namespace", Some(namespace))?;
    let mut instance = ResourceInstance::new(&version, &kind, Some(&namespace), &name).ok()?;
    instance.cluster = cluster.map(str::to_owned);
    instance.labels = labels(metadata);
    if let Some(description) = text.strip_prefix(&instance.text()).and_then(|rest| rest.strip_prefix(" | ")) {
        instance.annotations.insert("description".to_owned(), description.to_owned());
    }
    let type_name = types.of(&kind, &instance.api_group);
    Some(Document::of_instance(&instance, &type_name))
}

fn foreign_type(name: &str, text: &str, metadata: &Metadata) -> Option<Document> {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    let cluster = string(metadata, "cluster").filter(|c| !c.is_empty());
    let api_version = string(metadata, "apiVersion").unwrap_or_default();
    let lines = || text.lines().map(str::trim);
    let kind = string(metadata, "kind").or_else(|| lines().next()?.split(' ').next()).filter(|k| !k.is_empty())?;
    let ty = ResourceType {
        group: group.to_owned(),
        version: api_version.rsplit('/').next().unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        ..ResourceType::default()
    };
    if string(metadata, "source") == Some("discovery") {
        return Some(Document::of_type(&ty, cluster));
    }
    let list = |list: &str| -> Vec<String> {
        list.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let after = |start: &str| lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    let complexity = match string(metadata, "complexity") {
        Some("medium") => Complexity::Medium,
        Some("high") => Complexity::High,
        _ => Complexity::Low,
    };
    let labelled = ["Capabilities:", "Providers:", "Complexity:", "Use case:", "Resource description:"];
    let described = lines().skip(1).find(|l| !l.is_empty() && !labelled.iter().any(|start| l.starts_with(start)));
    let capability = Capability {
        resource_name: name.to_owned(),
        api_version: api_version.to_owned(),
        group: group.to_owned(),
        kind: kind.to_owned(),
        capabilities: list(after("Capabilities: ").trim_end_matches('.')),
        providers: list(string(metadata, "providers").unwrap_or_default()),
        complexity,
        description: described.unwrap_or_default().to_owned(),
        use_case: after("Use case: ").to_owned(),
        confidence: metadata.get("confidence").and_then(Value::as_f64).unwrap_or_default(),
        example_yaml: String::new(),
        spec_description: after("Resource description: ").to_owned(),
    };
    Some(Document::of_capability(&capability, &ty, cluster))
}

fn string<'a>(metadata: &'a Metadata, key: &str) -> Option<&'a str> {
    metadata.get(key)?.as_str()
}

fn bytes(hexadecimal: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(hexadecimal, 16).ok().filter(|_| hexadecimal.len() == 32).map(u128::to_be_bytes)
}

/// How types are called (`plural.group`), by kind and group: foreign instances do not say it.
#[derive(Debug, Default)]
pub(super) struct TypeNames(HashMap<(String, String), String>);

impl TypeNames {
    pub(super) fn learn(&mut self, kind: &str, group: &str, name: &str) {
        self.0.entry((kind.to_owned(), group.to_owned())).or_insert_with(|| name.to_owned());
    }

    fn of(&self, kind: &str, group: &str) -> String {
        let known = self.0.get(&(kind.to_owned(), group.to_owned())).cloned();
        known.unwrap_or_else(|| {
            let plural = ResourceType::plural_of(kind);
            ResourceType { group: group.to_owned(), plural, ..ResourceType::default() }.name()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(document: &Document, metadata: &Metadata) -> Read {
        let kept: Metadata =
            metadata.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        read(&document.id, &document.text, &kept, &TypeNames::default()).unwrap()
    }

    fn instance() -> ResourceInstance {
        let mut instance = ResourceInstance::new("apps/v1", "NetworkPolicy", Some("a"), "b").unwrap();
        instance.labels = [("app", "b"), ("tier", "x=1")].map(|(k, v)| (k.into(), v.into())).into();
        instance.annotations.insert("description".into(), "Lets nobody in".into());
        instance
    }

    fn certificate() -> (Capability, ResourceType) {
        let ty = ResourceType {
            group: "cert-manager.io".into(),
            version: "v1".into(),
            kind: "Certificate".into(),
            plural: "certificates".into(),
            ..ResourceType::default()
        };
        let capability = Capability {
            resource_name: ty.name(),
            api_version: ty.api_version(),
            group: ty.group.clone(),
            kind: ty.kind.clone(),
            capabilities: vec!["tls".into(), "x509".into()],
            providers: vec!["letsencrypt".into()],
            complexity: Complexity::Medium,
            description: "Issues certificates.".into(),
            use_case: "Secure an Ingress.".into(),
            confidence: 0.9,
            spec_description: "A Certificate.".into(),
            ..Capability::default()
        };
        (capability, ty)
    }

    #[test]
    fn what_clusterlore_wrote_comes_back_as_it_was() {
        let mut named = ResourceInstance { uid: "u".into(), created_at: "2026-01-01T00:00:00Z".into(), ..instance() };
        named.cluster = Some("east".into());
        named.kept_annotations = [("example.org/owner".into(), "night, owls".into())].into();
        let (capability, ty) = certificate();
        for document in [
            Document::of_instance(&named, "networkpolicies.apps"),
            Document::of_type(&ty, Some("east")),
            Document::of_capability(&capability, &ty, None),
        ] {
            let written = metadata(&document, 7).unwrap();
            let read = back(&document, &written);
            assert_eq!((&read.document, read.source), (&document, 7));
        }
    }

    #[test]
    fn foreign_rows_are_read_as_far_as_they_go() {
        let document = Document::of_instance(&instance(), "networkpolicies.apps");
        let read = back(&document, &document.metadata);
        assert_eq!((read.source, read.document.hash.text), (0, document.hash.text), "its vector is kept");
        assert_eq!(read.document.hash.rest, [0; 8], "the next sync completes it");
        assert_eq!((read.document.key, &read.document.facets), (document.key, &document.facets));
        let known: ResourceInstance = serde_json::from_str(&read.document.record).unwrap();
        assert_eq!(known, instance());
        // An id alone is enough.
        let read = super::read(&document.id, "other text", &Metadata::new(), &TypeNames::default()).unwrap();
        assert_eq!((read.document.key, read.document.hash.text), (document.key, [0; 8]));
        assert!(super::read("no id", "text", &Metadata::new(), &TypeNames::default()).is_none());

        let (capability, ty) = certificate();
        let document = Document::of_capability(&capability, &ty, None);
        let read = back(&document, &document.metadata);
        assert_eq!(Capability::from_record(&read.document.record), Some(capability));
        assert_eq!((read.document.hash.text, read.document.key), (document.hash.text, document.key));
    }

    #[test]
    fn a_text_that_another_program_replaced_is_embedded_again() {
        let document = Document::of_instance(&instance(), "networkpolicies.apps");
        let mut written = metadata(&document, 7).unwrap();
        written.retain(|_, v| !v.is_null());
        let read = read(&document.id, "another", &written, &TypeNames::default()).unwrap();
        assert_eq!((read.document.hash.to_bytes(), read.document.text.as_str()), ([0; 16], "another"));
        assert_eq!(read.document.key, document.key);
    }

    #[test]
    fn known_types_are_called_by_their_names() {
        let mut types = TypeNames::default();
        types.learn("Mouse", "x.example", "mice.x.example");
        assert_eq!(types.of("Mouse", "x.example"), "mice.x.example");
        assert_eq!((types.of("Mouse", "").as_str(), types.of("Ingress", "a.b").as_str()), ("mouses", "ingresses.a.b"));
    }
}
