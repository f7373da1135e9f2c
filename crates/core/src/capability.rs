//! What a resource type is for, and the schema from which that is inferred.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::instance::Metadata;
use crate::resource_type::ResourceType;
use crate::words;

/// How much one has to know to use a type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Complexity {
    /// A handful of fields.
    #[default]
    Low,
    /// Some reading.
    Medium,
    /// Much reading.
    High,
}

impl Complexity {
    /// `low`, `medium` or `high`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a resource type is for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capability {
    /// `certificates.cert-manager.io`.
    pub resource_name: String,
    /// `cert-manager.io/v1`.
    pub api_version: String,
    /// API group, empty for the core group.
    pub group: String,
    /// `Certificate`.
    pub kind: String,
    /// `tls`, `certificate` …
    pub capabilities: Vec<String>,
    /// Who can stand behind it: `letsencrypt`, `aws` …
    pub providers: Vec<String>,
    /// How much one has to know to use it.
    pub complexity: Complexity,
    /// One sentence: what it is.
    pub description: String,
    /// One sentence: what people use it for.
    pub use_case: String,
    /// 0 (a guess from names) to 1 (checked by hand).
    pub confidence: f64,
    /// A manifest to begin with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub example_yaml: String,
    /// What the schema says of the type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spec_description: String,
}

impl Capability {
    /// What a stored record holds, if it is that of a capability and not merely of a type.
    pub fn from_record(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }

    /// The text that is embedded, one fact a line; lines without a fact are left out.
    pub fn text(&self) -> String {
        let mut text = self.kind.clone();
        if !self.group.is_empty() {
            text.push_str(&format!(" ({})", self.group));
        }
        if !self.capabilities.is_empty() {
            text.push_str(&format!("\nCapabilities: {}.", self.capabilities.join(", ")));
        }
        text.push('\n');
        if !self.providers.is_empty() {
            text.push_str(&format!("Providers: {}. ", self.providers.join(", ")));
        }
        text.push_str(&format!("Complexity: {}.", self.complexity));
        for (before, fact) in [
            ("", &self.description),
            ("Use case: ", &self.use_case),
            ("Resource description: ", &self.spec_description),
        ] {
            let fact = words::one_line(fact);
            if !fact.is_empty() {
                text.push_str(&format!("\n{before}{fact}"));
            }
        }
        text
    }

    /// What other programs read beside the text.
    pub fn metadata(&self, cluster: Option<&str>) -> Metadata {
        let mut metadata = Metadata::new();
        for (key, value) in [
            ("kind", json!(self.kind)),
            ("apiGroup", json!(self.group)),
            ("apiVersion", json!(self.api_version)),
            ("complexity", json!(self.complexity)),
            ("providers", json!(self.providers.join(","))),
            ("confidence", json!(self.confidence)),
            ("resourceName", json!(self.resource_name)),
            ("source", json!("capability-inference")),
        ] {
            metadata.insert(key.to_owned(), value);
        }
        if let Some(cluster) = cluster {
            metadata.insert("cluster".to_owned(), json!(cluster));
        }
        metadata
    }

    /// Type and capability in one JSON object: whoever knows types only reads it as a [`ResourceType`]. Of the fields that both
    /// have, the capability's stand.
    pub(crate) fn record(&self, ty: &ResourceType) -> String {
        let object = |noun| match noun {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let mut record = object(serde_json::to_value(ty));
        record.extend(object(serde_json::to_value(self)));
        serde_json::Value::Object(record).to_string()
    }
}

/// A field of a type's schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaField {
    /// Below `spec`, or below the object where it has no spec: `issuerRef.name`.
    pub path: String,
    /// What the schema says of it, shortened; often empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What is kept of a type's schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeSchema {
    /// What it says of the type as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Fields, the outer before the inner, up to a bounded number and depth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<SchemaField>,
    /// How many fields there are, also those that are not kept, down to the depth that is read.
    #[serde(default)]
    pub size: usize,
}

impl TypeSchema {
    /// Tells whether a schema changed in what is kept of it: SHA-256, hexadecimal.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn ty() -> ResourceType {
        ResourceType {
            group: "cert-manager.io".into(),
            version: "v1".into(),
            kind: "Certificate".into(),
            plural: "certificates".into(),
            singular: "certificate".into(),
            short_names: vec!["cert".into()],
            namespaced: true,
            verbs: vec!["get".into()],
            ..ResourceType::default()
        }
    }

    fn certificate() -> Capability {
        Capability {
            resource_name: "certificates.cert-manager.io".into(),
            api_version: "cert-manager.io/v1".into(),
            group: "cert-manager.io".into(),
            kind: "Certificate".into(),
            capabilities: ["tls", "certificate", "x509"].map(Into::into).into(),
            providers: vec!["letsencrypt".into()],
            complexity: Complexity::Low,
            description: "Issues and renews TLS certificates.".into(),
            use_case: "Secure an Ingress with a certificate that renews itself.".into(),
            confidence: 0.95,
            spec_description: "A Certificate resource\n should be created.".into(),
            ..Capability::default()
        }
    }

    #[test]
    fn the_text_is_the_contract() {
        assert_eq!(
            certificate().text(),
            "Certificate (cert-manager.io)\n\
             Capabilities: tls, certificate, x509.\n\
             Providers: letsencrypt. Complexity: low.\n\
             Issues and renews TLS certificates.\n\
             Use case: Secure an Ingress with a certificate that renews itself.\n\
             Resource description: A Certificate resource should be created."
        );
        let bare = Capability {
            kind: "Pod".into(),
            complexity: Complexity::High,
            description: "Runs containers.".into(),
            use_case: "Run one thing.".into(),
            ..Capability::default()
        };
        assert_eq!(bare.text(), "Pod\nComplexity: high.\nRuns containers.\nUse case: Run one thing.");
    }

    #[test]
    fn json_and_metadata_are_the_contract() {
        assert_eq!(
            serde_json::to_string(&certificate()).unwrap(),
            "{\"resourceName\":\"certificates.cert-manager.io\",\"apiVersion\":\"cert-manager.io/v1\",\"group\":\"cert-manager.io\",\
             \"kind\":\"Certificate\",\"capabilities\":[\"tls\",\"certificate\",\"x509\"],\"providers\":[\"letsencrypt\"],\
             \"complexity\":\"low\",\"description\":\"Issues and renews TLS certificates.\",\
             \"useCase\":\"Secure an Ingress with a certificate that renews itself.\",\"confidence\":0.95,\
             \"specDescription\":\"A Certificate resource\\n should be created.\"}"
        );
        assert_eq!(
            serde_json::Value::Object(certificate().metadata(None)).to_string(),
            "{\"apiGroup\":\"cert-manager.io\",\"apiVersion\":\"cert-manager.io/v1\",\"complexity\":\"low\",\"confidence\":0.95,\
             \"kind\":\"Certificate\",\"providers\":\"letsencrypt\",\"resourceName\":\"certificates.cert-manager.io\",\
             \"source\":\"capability-inference\"}"
        );
        assert_eq!(certificate().metadata(Some("east"))["cluster"], "east");
    }

    #[test]
    fn its_document_takes_the_place_of_the_types_and_is_read_as_either() {
        for cluster in [None, Some("east")] {
            let (of_type, of_capability) =
                (Document::of_type(&ty(), cluster), Document::of_capability(&certificate(), &ty(), cluster));
            assert_eq!((&of_capability.id, of_capability.key), (&of_type.id, of_type.key));
            assert_eq!(of_capability.facets, of_type.facets);
            assert_ne!(of_capability.hash.text, of_type.hash.text);
            assert!(of_capability.words.split(' ').any(|w| w == "cert"), "short names are found");
            let as_type: ResourceType = serde_json::from_str(&of_capability.record).unwrap();
            let described = ResourceType { description: certificate().description, ..ty() };
            assert_eq!(as_type, described);
            assert_eq!(Capability::from_record(&of_capability.record), Some(certificate()));
            assert_eq!(Capability::from_record(&of_type.record), None);
        }
        assert_eq!(
            Document::of_capability(&certificate(), &ty(), Some("east")).id,
            "east:certificates.cert-manager.io"
        );
    }

    #[test]
    fn a_schema_is_known_by_what_is_kept_of_it() {
        let schema = TypeSchema { description: "A".into(), ..TypeSchema::default() };
        assert_eq!(schema.hash(), schema.clone().hash());
        assert_ne!(schema.hash(), TypeSchema { size: 1, ..schema.clone() }.hash());
        assert_eq!(schema.hash().len(), 64);
    }
}
