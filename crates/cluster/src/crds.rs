//! What the definitions of custom resources say of them.

use std::collections::HashMap;

use bytes::Bytes;
use clusterlore_core::{ResourceType, TypeSchema};
use prost::Message;
use serde::Deserialize;

use crate::decode::{self, Asked, Item, Unfit};
use crate::error::ClusterError;
use crate::list::{Reader, Reading, Tokens, page_path};
use crate::protobuf;
use crate::requests::{Ask, Failure, Requests};
use crate::schema::{self, Node};
use crate::source::Warning;

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const ACCEPT: &str = "application/vnd.kubernetes.protobuf,application/json";

/// Definitions are large, most of it schema: 100 of them are a few megabytes.
const PAGE: u32 = 100;

/// Bytes of a type's description.
const DESCRIPTION_BYTES: usize = 4 << 10;

/// Fills the descriptions of the types that have a definition.
pub(crate) async fn describe(requests: &Requests, types: &mut [ResourceType]) -> Vec<Warning> {
    let mut described: HashMap<String, Vec<&mut ResourceType>> = HashMap::new();
    types.iter_mut().for_each(|ty| described.entry(ty.name()).or_default().push(ty));
    let each = |definition: Described| {
        for ty in described.get_mut(&definition.name).into_iter().flatten() {
            ty.description = description(&definition.versions, &ty.version).to_owned();
        }
    };
    let reason = match definitions(requests, ACCEPT, each).await {
        Ok(()) => return Vec::new(),
        Err(failure) => failure.into_reason().unwrap_or_else(|error| error.to_string()),
    };
    vec![Warning(format!(
        "the definitions of custom resources cannot be read ({reason}); their types are indexed without descriptions"
    ))]
}

/// Gives all definitions to `each`, as they arrive.
async fn definitions<I: Item>(
    requests: &Requests,
    accept: &'static str,
    each: impl FnMut(I) + Send,
) -> Result<(), Failure> {
    let ty = ResourceType {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        ..ResourceType::default()
    };
    let (mut token, mut tokens) = (String::new(), Tokens::new(requests.options.pages));
    let mut reading = Reading { asked: Asked::new(&ty, None), size: 0, reader: None, announce: None, to: Each(each) };
    loop {
        let ask = Ask::get(page_path(PATH, Some(PAGE), &token), accept);
        drop(requests.receive(&ask, requests.options.answer_bytes, &mut reading).await?);
        let Some(mut reader) = reading.reader.take() else { return Ok(()) };
        reader.take().into_iter().for_each(&mut reading.to.0);
        if let Some(reason) = reader.unreadable.reason() {
            return Err(Failure::Unavailable(reason));
        }
        token = reader.next;
        if token.is_empty() {
            return Ok(());
        }
        tokens.take(&token)?;
    }
}

struct Each<F>(F);

impl<I: Item, F: FnMut(I) + Send> Reader<I> for Each<F> {
    async fn read(&mut self, items: Vec<I>) -> Result<(), ClusterError> {
        items.into_iter().for_each(&mut self.0);
        Ok(())
    }
}

/// A definition's name (`plural.group`) and what its versions say.
struct Described {
    name: String,
    versions: Versions,
}

impl Item for Described {
    fn from_protobuf(bytes: Bytes, _: &Asked<'_>) -> Result<Self, Unfit> {
        let definition = protobuf::Definition::decode(bytes).map_err(|e| format!("broken protobuf: {e}"))?;
        let spec = definition.spec.unwrap_or_default();
        let versions = spec.versions.into_iter().map(|v| {
            let schema = v.validation.and_then(|v| v.schema).unwrap_or_default();
            (v.name, schema.description)
        });
        Ok(Self {
            name: format!("{}.{}", spec.names.unwrap_or_default().plural, spec.group),
            versions: versions.collect(),
        })
    }

    fn from_json(bytes: &[u8], asked: &Asked<'_>) -> Result<(Self, bool), Unfit> {
        let (definition, said) = JsonDefinition::from_json(bytes, asked)?;
        Ok((Self { name: definition.spec.name(), versions: definition.spec.versions() }, said))
    }

    fn weight(&self) -> usize {
        self.versions.iter().map(|(version, text)| version.len() + text.len()).sum()
    }
}

impl Item for JsonDefinition {
    fn from_protobuf(_: Bytes, _: &Asked<'_>) -> Result<Self, Unfit> {
        Err(Unfit::Broken("it is protobuf, which was not asked for".to_owned()))
    }

    fn from_json(bytes: &[u8], _: &Asked<'_>) -> Result<(Self, bool), Unfit> {
        Ok((decode::from_json(bytes)?, false))
    }

    fn weight(&self) -> usize {
        // Schemas are large: each is handed on alone.
        usize::MAX
    }
}

/// Version and description, in the definition's order.
pub(crate) type Versions = Vec<(String, String)>;

/// The description of the wanted version, or of the first that has one.
pub(crate) fn description<'a>(versions: &'a Versions, wanted: &str) -> &'a str {
    let described = || versions.iter().filter(|(_, text)| !text.is_empty());
    let found = described().find(|(version, _)| version == wanted).or_else(|| described().next());
    found.map_or("", |(_, text)| decode::cut(text, DESCRIPTION_BYTES))
}

/// The schemas of the types that have a definition, by name; and why not all could be read, where that is so. Whole definitions are
/// asked for: only where the API server has no better to offer.
pub(crate) async fn schemas(
    requests: &Requests,
    types: &[&ResourceType],
) -> Result<(HashMap<String, TypeSchema>, Option<Failure>), ClusterError> {
    let wanted: HashMap<String, &str> = types.iter().map(|ty| (ty.name(), ty.version.as_str())).collect();
    let mut schemas = HashMap::new();
    let each = |definition: JsonDefinition| {
        let name = definition.spec.name();
        if let Some(version) = wanted.get(&name) {
            let schema = schema::of_version(&definition.spec.schemas(), version);
            schemas.extend(schema.map(|schema| (name, schema)));
        }
    };
    match definitions(requests, "application/json", each).await {
        Ok(()) => Ok((schemas, None)),
        Err(Failure::Ends(error)) => Err(error),
        Err(failure) => Ok((schemas, Some(failure))),
    }
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
    /// `plural.group`
    fn name(&self) -> String {
        format!("{}.{}", self.names.plural, self.group)
    }

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
