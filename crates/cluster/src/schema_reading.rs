//! Schemas from a live API server. OpenAPI v3 comes first, for custom resources too: anyone who may use the server may read it, and
//! its index carries a hash for each version of each group, so that only what changed is read. Definitions stand in where it is
//! missing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use clusterlore_core::ResourceType;
use futures::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;

use crate::error::ClusterError;
use crate::requests::{Ask, Failure, Requests, Running, SharedRequests};
use crate::schema::OpenApi;
use crate::source::{SchemaRead, Schemas, Warning};
use crate::{crds, decode};

const INDEX: &str = "/openapi/v3";
const JSON: &str = "application/json";

/// Documents that are read at the same time; one is a few megabytes.
const AT_ONCE: usize = 4;
/// Bytes of a document: the largest known, of a group with a hundred custom types, have some ten million.
const DOCUMENT_BYTES: u64 = 32 << 20;
/// JSON objects of a document.
const DOCUMENT_OBJECTS: usize = 400_000;
/// JSON objects of the index: one for each version of each group.
const INDEX_OBJECTS: usize = 100_000;
/// Bytes of a document's address.
const URL_BYTES: usize = 2 << 10;

/// `{"paths": {"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=…"}}}`
#[derive(Debug, Deserialize)]
struct Index {
    paths: HashMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "serverRelativeURL")]
    url: String,
}

impl Entry {
    /// The address carries the hash; one that does not says nothing of a change.
    fn revision(&self) -> &str {
        if self.url.contains("hash=") { &self.url } else { "" }
    }
}

/// What one document says of its types: the name of each, and its schema or why there is none.
type OfVersion = Vec<(String, Option<SchemaRead>)>;

pub(crate) async fn read(
    requests: &SharedRequests,
    types: &[ResourceType],
    known: &HashMap<String, String>,
) -> Result<Schemas, ClusterError> {
    let mut schemas = Schemas::default();
    let mut index_failed = None;
    let index = match index(requests).await {
        Ok(index) => index,
        Err(Failure::Ends(error)) => return Err(error),
        // Servers before 1.24 have none.
        Err(Failure::Status(StatusCode::NOT_FOUND, _)) => HashMap::new(),
        Err(failure) => {
            let forbidden = matches!(failure, Failure::Status(..));
            let reason = failure.into_reason()?;
            if forbidden {
                schemas.warnings.push(Warning(format!(
                    "the API server's OpenAPI v3 cannot be read ({reason}); built-in types go without their schemas"
                )));
            } else {
                index_failed = Some(reason);
            }
            HashMap::new()
        }
    };

    let mut versions: BTreeMap<String, Vec<ResourceType>> = BTreeMap::new();
    let mut undescribed: Vec<&ResourceType> = Vec::new();
    for ty in types {
        let path =
            if ty.group.is_empty() { format!("api/{}", ty.version) } else { format!("apis/{}", ty.api_version()) };
        match index.get(&path) {
            None => undescribed.push(ty),
            Some(entry) if known.get(&ty.name()).is_some_and(|k| !k.is_empty() && k == entry.revision()) => {
                schemas.types.insert(ty.name(), SchemaRead::Unchanged);
            }
            Some(_) => versions.entry(path).or_default().push(ty.clone()),
        }
    }
    let changed = versions.into_iter().filter_map(|(path, types)| {
        let entry = index.get(&path)?;
        Some((entry.url.clone(), entry.revision().to_owned(), types))
    });
    let mut reading = stream::iter(changed)
        .map(|(url, revision, types)| {
            // A task each: parsing runs on all cores.
            let requests = Arc::clone(requests);
            Running::start(async move { document(&requests, &url, &revision, types).await }).finish()
        })
        .buffer_unordered(AT_ONCE);
    let mut missing = Vec::new();
    while let Some(read) = reading.next().await {
        let read = read.ok_or(ClusterError::Stopped)??;
        for (name, schema) in read {
            match schema {
                Some(schema) => {
                    schemas.types.insert(name, schema);
                }
                None => missing.push(name),
            }
        }
    }
    drop(reading);
    undescribed.extend(types.iter().filter(|ty| missing.contains(&ty.name())));

    let custom: Vec<&ResourceType> = undescribed.iter().copied().filter(|ty| ty.group.contains('.')).collect();
    if !custom.is_empty() {
        let (mut defined, failure) = crds::schemas(requests, &custom).await?;
        let failed = match failure {
            Some(Failure::Unavailable(reason)) => Some(reason),
            _ => None,
        };
        for ty in custom {
            let read = match (defined.remove(&ty.name()), &failed) {
                (Some(schema), _) => {
                    let revision = schema.hash();
                    let same = known.get(&ty.name()) == Some(&revision);
                    Some(if same { SchemaRead::Unchanged } else { SchemaRead::New { schema, revision } })
                }
                (None, Some(reason)) => Some(SchemaRead::Failed(reason.clone())),
                (None, None) => None,
            };
            schemas.types.extend(read.map(|read| (ty.name(), read)));
        }
    }
    if let Some(reason) = index_failed {
        for ty in undescribed {
            schemas.types.entry(ty.name()).or_insert_with(|| SchemaRead::Failed(reason.clone()));
        }
    }
    Ok(schemas)
}

async fn index(requests: &Requests) -> Result<HashMap<String, Entry>, Failure> {
    let answer = requests.send(&Ask::get(INDEX, JSON)).await?;
    decode::from_whole_json::<Index>(&answer.body, INDEX_OBJECTS).map(|index| index.paths).map_err(Failure::Unavailable)
}

/// Reads the document of one version of a group.
async fn document(
    requests: &Requests,
    url: &str,
    revision: &str,
    types: Vec<ResourceType>,
) -> Result<OfVersion, ClusterError> {
    // Only this server's own documents are read, and only there.
    let answer = if url.starts_with("/openapi/v3/") && url.len() <= URL_BYTES {
        requests.send_large(&Ask::get(url, JSON), DOCUMENT_BYTES).await
    } else {
        Err(Failure::Unavailable("its OpenAPI document has an address outside /openapi/v3/".to_owned()))
    };
    let parsed = match answer {
        Ok(answer) => decode::from_whole_json::<OpenApi>(&answer.body, DOCUMENT_OBJECTS),
        Err(Failure::Ends(error)) => return Err(error),
        // It went since the index was read, or is not for this user.
        Err(Failure::Status(..)) => return Ok(types.iter().map(|ty| (ty.name(), None)).collect()),
        Err(Failure::Unavailable(reason)) => Err(reason),
    };
    let read = |ty: &ResourceType| match &parsed {
        Ok(document) => document
            .schema_of(&ty.group, &ty.version, &ty.kind)
            .map(|schema| SchemaRead::New { schema, revision: revision.to_owned() }),
        Err(reason) => Some(SchemaRead::Failed(reason.clone())),
    };
    Ok(types.iter().map(|ty| (ty.name(), read(ty))).collect())
}
