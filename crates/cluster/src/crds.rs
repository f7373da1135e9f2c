//! What the definitions of custom resources say of them.

use std::collections::HashMap;

use bytes::Bytes;
use clusterlore_core::{ResourceType, TypeSchema};
use serde::Deserialize;

use crate::{
    ClusterError, Warning,
    decode::{self, JsonListMeta},
    list::page_path,
    protobuf,
    requests::{Ask, Failure, Requests},
    schema::{self, Node},
};

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const ACCEPT: &str = "application/vnd.kubernetes.protobuf,application/json";

/// Definitions are large, most of it schema: 100 of them are a few megabytes.
const PAGE: u32 = 100;

/// Fills the descriptions of the types that have a definition.
pub(crate) async fn describe(requests: &Requests, types: &mut [ResourceType]) -> Vec<Warning> {
    let mut definitions: HashMap<String, Versions> = HashMap::new();
    let mut token = String::new();
    loop {
        let ask = Ask::get(page_path(PATH, Some(PAGE), &token), ACCEPT);
        let page = match requests.send(&ask, |_| {}).await {
            Ok(answer) => read(&answer.content_type, answer.body),
            Err(Failure::Ends(error)) => Err(error.to_string()),
            Err(Failure::Status(code, message)) => Err(crate::requests::status_line(code, &message)),
            Err(Failure::Unavailable(reason)) => Err(reason),
        };
        match page {
            Ok((found, next)) => {
                definitions.extend(found);
                token = next;
            }
            Err(reason) => {
                apply(&definitions, types);
                return vec![Warning(format!(
                    "the definitions of custom resources cannot be read ({reason}); their types are indexed without descriptions"
                ))];
            }
        }
        if token.is_empty() {
            break;
        }
    }
    apply(&definitions, types);
    Vec::new()
}

/// Version and description, in the definition's order.
pub(crate) type Versions = Vec<(String, String)>;

/// The description of the wanted version, or of the first that has one.
pub(crate) fn description<'a>(versions: &'a Versions, wanted: &str) -> &'a str {
    let described = || versions.iter().filter(|(_, text)| !text.is_empty());
    described().find(|(version, _)| version == wanted).or_else(|| described().next()).map_or("", |(_, text)| text)
}

fn apply(definitions: &HashMap<String, Versions>, types: &mut [ResourceType]) {
    for ty in types {
        if let Some(versions) = definitions.get(&ty.name()) {
            ty.description = description(versions, &ty.version).to_owned();
        }
    }
}

fn read(content_type: &str, body: Bytes) -> Result<(HashMap<String, Versions>, String), String> {
    if content_type.starts_with("application/vnd.kubernetes.protobuf") {
        let list: protobuf::DefinitionList = protobuf::decode(body)?;
        let named = list.items.into_iter().filter_map(|d| d.spec).map(|spec| {
            let versions = spec.versions.into_iter().map(|v| {
                let schema = v.validation.and_then(|v| v.schema).unwrap_or_default();
                (v.name, schema.description)
            });
            (format!("{}.{}", spec.names.unwrap_or_default().plural, spec.group), versions.collect())
        });
        Ok((named.collect(), list.metadata.unwrap_or_default().next))
    } else {
        let list: JsonDefinitions = decode::from_json(&body)?;
        let named = list.items.unwrap_or_default().into_iter().map(|d| {
            let versions = d.spec.versions();
            (format!("{}.{}", d.spec.names.plural, d.spec.group), versions)
        });
        Ok((named.collect(), list.metadata.and_then(|m| m.next).unwrap_or_default()))
    }
}

/// The schemas of the types that have a definition, by name; and why not all could be read, where that is so. Whole definitions are
/// asked for: only where the API server has no better to offer.
pub(crate) async fn schemas(
    requests: &Requests,
    types: &[&ResourceType],
) -> Result<(HashMap<String, TypeSchema>, Option<Failure>), ClusterError> {
    let wanted: HashMap<String, &str> = types.iter().map(|ty| (ty.name(), ty.version.as_str())).collect();
    let mut schemas = HashMap::new();
    let mut token = String::new();
    loop {
        let ask = Ask::get(page_path(PATH, Some(PAGE), &token), "application/json");
        let list = match requests.send(&ask, |_| {}).await {
            Ok(answer) => decode::from_json::<JsonDefinitions>(&answer.body).map_err(Failure::Unavailable),
            Err(Failure::Ends(error)) => return Err(error),
            Err(failure) => Err(failure),
        };
        let list = match list {
            Ok(list) => list,
            Err(failure) => return Ok((schemas, Some(failure))),
        };
        for definition in list.items.unwrap_or_default() {
            let name = format!("{}.{}", definition.spec.names.plural, definition.spec.group);
            if let Some(version) = wanted.get(&name) {
                let schema = schema::of_version(&definition.spec.schemas(), version);
                schemas.extend(schema.map(|schema| (name, schema)));
            }
        }
        token = list.metadata.and_then(|m| m.next).unwrap_or_default();
        if token.is_empty() {
            return Ok((schemas, None));
        }
    }
}

#[derive(Debug, Deserialize)]
struct JsonDefinitions {
    metadata: Option<JsonListMeta>,
    items: Option<Vec<JsonDefinition>>,
}

/// A definition in JSON or YAML; of its schemas only descriptions and the names of outer fields are kept.
#[derive(Debug, Deserialize)]
pub(crate) struct JsonDefinition {
    pub(crate) spec: JsonSpec,
}

#[derive(Debug, Deserialize)]
pub(crate) struct JsonSpec {
    pub(crate) group: String,
    pub(crate) names: JsonNames,
    #[serde(default)]
    pub(crate) scope: String,
    #[serde(default)]
    versions: Vec<JsonVersion>,
    /// The one version of definitions older than Kubernetes 1.11.
    version: Option<String>,
    /// The schema of all versions in `apiextensions.k8s.io/v1beta1`.
    validation: Option<JsonValidation>,
}

impl JsonSpec {
    /// Served versions with their descriptions, in the definition's order.
    pub(crate) fn versions(&self) -> Versions {
        let shared = self.validation.as_ref().map(JsonValidation::description).unwrap_or_default();
        let own = |v: &JsonVersion| Some(v.schema.description()).filter(|d| !d.is_empty());
        let many = self.versions.iter().filter(|v| v.served);
        let many: Versions = many.map(|v| (v.name.clone(), own(v).unwrap_or_else(|| shared.clone()))).collect();
        if many.is_empty() { self.version.iter().map(|v| (v.clone(), shared.clone())).collect() } else { many }
    }
}

impl JsonSpec {
    /// Served versions with their schemas, in the definition's order.
    pub(crate) fn schemas(&self) -> Vec<(String, Node)> {
        let shared = self.validation.as_ref().and_then(|v| v.schema.clone()).unwrap_or_default();
        let own = |v: &JsonVersion| (v.name.clone(), v.schema.schema.clone().unwrap_or_else(|| shared.clone()));
        let many: Vec<(String, Node)> = self.versions.iter().filter(|v| v.served).map(own).collect();
        if many.is_empty() { self.version.iter().map(|v| (v.clone(), shared.clone())).collect() } else { many }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonNames {
    pub(crate) plural: String,
    pub(crate) kind: String,
    pub(crate) singular: Option<String>,
    pub(crate) short_names: Option<Vec<String>>,
    pub(crate) categories: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct JsonVersion {
    name: String,
    #[serde(default)]
    served: bool,
    #[serde(default)]
    schema: JsonValidation,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonValidation {
    #[serde(rename = "openAPIV3Schema")]
    schema: Option<Node>,
}

impl JsonValidation {
    fn description(&self) -> String {
        self.schema.as_ref().map(|s| s.description.clone()).unwrap_or_default()
    }
}
