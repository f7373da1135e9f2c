//! Which types a server has: aggregated discovery where it is served, the old form, group by group, where not.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_core::ResourceType;
use futures::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;

use crate::decode;
use crate::error::ClusterError;
use crate::line::one_line;
use crate::list::PLAIN_JSON;
use crate::requests::{Ask, Failure, Requests};
use crate::source::{Discovery, Warning};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Group versions that are asked for at the same time in the old form.
const AT_ONCE: usize = 8;
/// Types of one server. The largest known clusters have a few thousand.
const TYPES: usize = 20_000;
/// JSON objects of one answer: a type is some five.
const OBJECTS: usize = 100_000;
/// Warnings of one discovery; what more there are is counted.
const WARNINGS: usize = 100;
/// Bytes of each name of a type; Kubernetes allows 63 for most.
const NAME_BYTES: usize = 253;
/// Short names, categories or verbs of a type.
const WORDS: usize = 32;

/// All types of the server. Only the core API must answer. A run begins here.
pub(crate) async fn discover(requests: &Requests) -> Result<Discovery, ClusterError> {
    requests.patience.begin();
    let mut found = Found::default();
    let (core, groups) = futures::join!(root(requests, "/api"), root(requests, "/apis"));
    let refused = |reason| ClusterError::Refused {
        url: requests.server.url.clone(),
        what: "its core API (/api)".to_owned(),
        reason,
    };
    match core {
        Ok(Root::Aggregated(list)) => found.aggregated(list),
        Ok(Root::Core { versions }) => {
            for version in versions.into_iter().filter(|version| is_name(version)).take(WORDS) {
                let answer = old_version(requests, "", &version).await;
                let list = answer.map_err(|f| f.into_reason().map_or_else(|e| e, refused))?;
                found.old("", &version, list);
            }
        }
        Ok(Root::Groups { .. }) => return Err(refused("the answer is a list of groups".to_owned())),
        Err(failure) => return Err(failure.into_reason().map_or_else(|e| e, refused)),
    }
    match groups {
        Ok(Root::Aggregated(list)) => found.aggregated(list),
        Ok(Root::Groups { groups }) => found.groups(requests, groups).await?,
        Ok(Root::Core { .. }) => found.all_groups_missing("the answer lists no groups"),
        Err(failure) => found.all_groups_missing(&failure.into_reason()?),
    }
    Ok(found.finish())
}

async fn root(requests: &Requests, path: &str) -> Result<Root, Failure> {
    let answer = match requests.send(&Ask::get(path, AGGREGATED)).await {
        Err(Failure::Status(StatusCode::NOT_ACCEPTABLE, _)) => requests.send(&Ask::get(path, PLAIN_JSON)).await?,
        other => other?,
    };
    decode::from_whole_json(&answer.body, OBJECTS).map_err(Failure::Unavailable)
}

async fn old_version(requests: &Requests, group: &str, version: &str) -> Result<OldList, Failure> {
    let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let answer = requests.send(&Ask::get(path, PLAIN_JSON)).await?;
    decode::from_whole_json(&answer.body, OBJECTS).map_err(Failure::Unavailable)
}

/// Whether a type is served, by what its own group version says; `None` where that cannot be told. Everybody may ask it.
pub(crate) async fn serves(requests: &Requests, ty: &ResourceType) -> Result<Option<bool>, ClusterError> {
    match old_version(requests, &ty.group, &ty.version).await {
        Ok(OldList { resources: Some(resources) }) => Ok(Some(resources.iter().any(|r| r.name == ty.plural))),
        Ok(OldList { resources: None }) => Ok(None),
        Err(Failure::Status(StatusCode::NOT_FOUND, _)) => Ok(Some(false)),
        Err(failure) => failure.into_reason().map(|_| None),
    }
}

/// What `/api` and `/apis` answer.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
enum Root {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated(Aggregated),
    #[serde(rename = "APIVersions")]
    Core { versions: Vec<String> },
    #[serde(rename = "APIGroupList")]
    Groups { groups: Vec<OldGroup> },
}

#[derive(Debug, Deserialize)]
struct Aggregated {
    /// Required: what names no groups at all does not say that there are none.
    #[serde(deserialize_with = "Option::deserialize")]
    items: Option<Vec<Group>>,
}

#[derive(Debug, Deserialize)]
struct Group {
    metadata: Option<GroupMeta>,
    versions: Option<Vec<Version>>,
}

#[derive(Debug, Deserialize)]
struct GroupMeta {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Version {
    version: String,
    freshness: Option<String>,
    resources: Option<Vec<Resource>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    response_kind: Option<Kind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    verbs: Option<Vec<String>>,
    short_names: Option<Vec<String>>,
    categories: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(default)]
    kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldGroup {
    name: String,
    versions: Option<Vec<OldGroupVersion>>,
    preferred_version: Option<OldGroupVersion>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct OldGroupVersion {
    version: String,
}

#[derive(Debug, Deserialize)]
struct OldList {
    resources: Option<Vec<OldResource>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldResource {
    name: String,
    #[serde(default)]
    singular_name: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    kind: String,
    verbs: Option<Vec<String>>,
    short_names: Option<Vec<String>>,
    categories: Option<Vec<String>>,
}

#[derive(Default)]
struct Found {
    /// By group and plural; what comes first has priority.
    types: BTreeMap<(String, String), ResourceType>,
    /// Types that only a stale version serves, if no other does.
    stale: Vec<ResourceType>,
    warnings: Vec<Warning>,
    /// Warnings that there were, kept or not.
    warned: usize,
    incomplete: BTreeSet<String>,
}

impl Found {
    fn aggregated(&mut self, list: Aggregated) {
        for group in list.items.unwrap_or_default() {
            let name = group.metadata.and_then(|m| m.name).unwrap_or_default();
            for version in group.versions.unwrap_or_default() {
                let current = version.freshness.as_deref() == Some("Current");
                if !current {
                    self.missing(&name, &version.version, "its server does not answer");
                }
                for resource in version.resources.unwrap_or_default() {
                    let ty = ResourceType {
                        group: name.clone(),
                        version: version.version.clone(),
                        kind: resource.response_kind.map(|k| k.kind).unwrap_or_default(),
                        plural: resource.resource,
                        singular: resource.singular_resource,
                        short_names: resource.short_names.unwrap_or_default(),
                        categories: resource.categories.unwrap_or_default(),
                        namespaced: resource.scope == "Namespaced",
                        verbs: resource.verbs.unwrap_or_default(),
                        description: String::new(),
                    };
                    if current { self.add(ty) } else { self.stale.push(ty) }
                }
            }
        }
    }

    async fn groups(&mut self, requests: &Requests, groups: Vec<OldGroup>) -> Result<(), ClusterError> {
        let wanted = groups.into_iter().flat_map(|group| {
            let mut versions: Vec<OldGroupVersion> = group.preferred_version.into_iter().collect();
            for version in group.versions.unwrap_or_default() {
                if !versions.contains(&version) {
                    versions.push(version);
                }
            }
            versions.into_iter().map(move |v| (group.name.clone(), v.version))
        });
        let (wanted, strange): (Vec<_>, Vec<_>) =
            wanted.take(TYPES).partition(|(group, version)| is_name(group) && is_name(version));
        for (group, version) in strange {
            self.missing(&group, &version, "its name is not valid");
        }
        let mut answers = stream::iter(wanted)
            .map(|(group, version)| async {
                let answer = old_version(requests, &group, &version).await;
                (group, version, answer)
            })
            .buffered(AT_ONCE);
        while let Some((group, version, answer)) = answers.next().await {
            match answer {
                Ok(list) => self.old(&group, &version, list),
                Err(failure) => self.missing(&group, &version, &failure.into_reason()?),
            }
        }
        Ok(())
    }

    fn old(&mut self, group: &str, version: &str, list: OldList) {
        // A name with a slash is a subresource.
        for resource in list.resources.unwrap_or_default().into_iter().filter(|r| !r.name.contains('/')) {
            self.add(ResourceType {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: resource.kind,
                plural: resource.name,
                singular: resource.singular_name,
                short_names: resource.short_names.unwrap_or_default(),
                categories: resource.categories.unwrap_or_default(),
                namespaced: resource.namespaced,
                verbs: resource.verbs.unwrap_or_default(),
                description: String::new(),
            });
        }
    }

    fn add(&mut self, mut ty: ResourceType) {
        let why = if ty.kind.is_empty() {
            "has no kind in discovery"
        } else if [&ty.plural, &ty.version].into_iter().any(|name| !is_name(name)) || !is_name(&ty.kind) {
            "has a name in discovery that is none"
        } else if !ty.group.is_empty() && !is_name(&ty.group) {
            "has a group in discovery that is none"
        } else if self.types.len() >= TYPES {
            "is one too many"
        } else {
            for words in [&mut ty.short_names, &mut ty.categories, &mut ty.verbs] {
                words.truncate(WORDS);
                words.retain(|word| word == "*" || is_name(word));
            }
            if !is_name(&ty.singular) {
                ty.singular.clear();
            }
            self.types.entry((ty.group.clone(), ty.plural.clone())).or_insert(ty);
            return;
        };
        self.warn(format!("{:?} {why} and is not read", one_line(&ty.name())));
        self.incomplete.insert(ty.group);
    }

    fn warn(&mut self, warning: String) {
        self.warned += 1;
        if self.warned <= WARNINGS {
            self.warnings.push(Warning(warning));
        }
    }

    fn missing(&mut self, group: &str, version: &str, reason: &str) {
        let name = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        let name = one_line(&name);
        self.warn(format!("the API {name} is not available ({reason}); what is indexed of its types stays as it is"));
        self.incomplete.insert(group.to_owned());
    }

    fn all_groups_missing(&mut self, reason: &str) {
        self.warn(format!(
            "the API groups cannot be read ({reason}); only core types are, and what is indexed of others stays as it is"
        ));
        self.incomplete.insert(Discovery::EVERY_GROUP.to_owned());
    }

    fn finish(mut self) -> Discovery {
        for ty in std::mem::take(&mut self.stale) {
            self.add(ty);
        }
        if self.warned > WARNINGS {
            self.warnings
                .push(Warning(format!("{} further warnings of discovery are left out", self.warned - WARNINGS)));
        }
        let mut types: Vec<ResourceType> = self.types.into_values().collect();
        types.sort_by_cached_key(ResourceType::name);
        Discovery { types, warnings: self.warnings, incomplete_groups: self.incomplete }
    }
}

/// Whether a name is one that Kubernetes could give: what comes from the server ends in paths and on terminals.
fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        && !name.starts_with('.')
}
