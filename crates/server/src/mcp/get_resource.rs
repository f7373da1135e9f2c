//! `get_resource`: one object, from the cluster itself where the caller may see all of it.

use clusterlore_agent::converse::{fenced_value, fit};
use clusterlore_cluster::reads::ReadLimits;
use clusterlore_core::{CLUSTER_SCOPE, Collection, ResourceInstance, ResourceType};
use clusterlore_index::Request;
use clusterlore_search::resolve_kinds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arguments;
use super::ground::Ground;
use super::tool::{Answer, Tool};

/// Characters of an object that are shown: they stand in the text and in the object.
const ROOM: usize = 6_400;
/// Objects of one name that are told.
const SEVERAL: usize = 6;

pub(super) struct GetResource;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Input {
    /// The object's id, exactly as another tool gave it: "shop/apps/v1/Deployment/web", "_cluster/v1/Node/a". In its place kind and name may be given.
    id: Option<String>,
    /// Its kind, plural, short name or plural.group; with name.
    kind: Option<String>,
    /// Its exact name; with kind.
    name: Option<String>,
    /// Its namespace, where kind and name are not enough.
    namespace: Option<String>,
    /// The name of its cluster, where there are several.
    cluster: Option<String>,
    /// What is shown: all (the default), metadata, or status.
    part: Option<Part>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Part {
    #[default]
    All,
    Metadata,
    Status,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    /// Read just now.
    Cluster,
    /// As it was indexed: metadata alone.
    Index,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    source: Source,
    /// Why the cluster was not read, where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_index: Option<String>,
    part: Part,
    /// How many characters the part has.
    total: usize,
    /// How many of them are shown: the first and the last.
    shown: usize,
    /// How to see others, or fewer.
    narrow: String,
    /// The part, in YAML. Values of Secrets are masked.
    yaml: String,
}

/// An object that is asked for.
struct Target {
    id: String,
    cluster: String,
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

impl Tool for GetResource {
    const NAME: &'static str = "get_resource";
    const TITLE: &'static str = "Show one object";
    const DESCRIPTION: &'static str = "Shows one Kubernetes object as it is now: all of it, its metadata or its status. Values of Secrets are \
        masked; of a long object the beginning and the end are shown. Where the cluster cannot be read for this caller, what the index holds \
        is shown (metadata), and the answer says so. Take the id from find_resources.";
    type Input = Input;
    type Output = Shown;

    async fn call(ground: &Ground<'_>, input: Input) -> Result<Answer<Shown>, String> {
        let target = target(ground, &input).await?;
        let part = input.part.unwrap_or_default();
        let (source, why_index, object) = match live(ground, &target).await {
            Ok(object) => (Source::Cluster, None, object),
            Err(why) => (Source::Index, Some(why.clone()), indexed(ground, &target, &why).await?),
        };
        let shown = match (part, source) {
            (Part::All, _) | (_, Source::Index) => object,
            (Part::Metadata, _) => of(&object, &["apiVersion", "kind", "metadata"]),
            (Part::Status, _) => of(&object, &["apiVersion", "kind", "status"]),
        };
        let yaml = serde_saphyr::to_string(&shown).unwrap_or_else(|_| format!("{shown:#}\n"));
        let yaml = fenced_value(&yaml);
        let total = yaml.chars().count();
        let yaml = fit(&yaml, ROOM);
        let shown = total.min(ROOM);
        let narrow = match (total > ROOM, part) {
            (true, Part::All) => "The middle is left out; ask for part metadata or status.",
            (true, _) => "The middle is left out.",
            (false, _) if matches!(source, Source::Index) => "This is all that the index holds of it.",
            (false, _) => "This is all of it.",
        };
        let from = match source {
            Source::Cluster => "read from the cluster just now",
            Source::Index => {
                "from the index, which holds metadata only: it was not read from the cluster, and the note says why"
            }
        };
        let told = format!("1 object, {from}. {total} characters, {shown} shown. {narrow}");
        let rows = match &why_index {
            Some(why) => format!("id: {}\nnote: not read from the cluster: {why}\n{yaml}", target.id),
            None => format!("id: {}\n{yaml}", target.id),
        };
        let object = Shown { id: target.id, source, why_index, part, total, shown, narrow: narrow.to_owned(), yaml };
        Ok(Answer { told, rows, object })
    }
}

/// Some fields of an object.
fn of(object: &Value, fields: &[&str]) -> Value {
    let kept = fields.iter().filter_map(|field| Some(((*field).to_owned(), object.get(field)?.clone())));
    Value::Object(kept.collect())
}

async fn target(ground: &Ground<'_>, input: &Input) -> Result<Target, String> {
    let (id, kind, name) = (arguments::text(&input.id), arguments::text(&input.kind), arguments::text(&input.name));
    if !id.is_empty() {
        if !kind.is_empty() || !name.is_empty() {
            return Err(
                "Both an id and a kind or a name are given; expected the id alone, or kind and name.".to_owned()
            );
        }
        return parts(&id).ok_or_else(|| {
            format!("id is {id:?}; expected NAMESPACE/APIVERSION/KIND/NAME as find_resources gives it, with _cluster for objects of no namespace.")
        });
    }
    if kind.is_empty() || name.is_empty() {
        return Err("No object is named; expected id, or kind and name.".to_owned());
    }
    if name.contains('*') {
        return Err(format!("name is {name:?}; expected an exact name. find_resources takes one with *."));
    }
    let namespace = arguments::text(&input.namespace);
    let request = Request {
        kinds: vec![kind.clone()],
        name: arguments::parsed("name", &name)?,
        namespaces: Some(namespace.clone()).filter(|namespace| !namespace.is_empty()).into_iter().collect(),
        clusters: input.cluster.iter().cloned().collect(),
        limit: SEVERAL,
        now: ground.now(),
        live: false,
        ..Request::default()
    };
    let reply = ground.index.ask(ground.scope, &request).await.map_err(|error| ground.told(error))?;
    let hits = reply.hits.iter().flat_map(|hit| [&hit.id].into_iter().chain(&hit.elsewhere).chain(&hit.controlled));
    let ids: Vec<&String> = hits.collect();
    match &ids[..] {
        [id] => parts(id).ok_or_else(|| format!("{id:?} is no id.")),
        [] => {
            let stored = input.cluster.as_deref().map(|said| reply.names.meant(said).unwrap_or(said));
            unindexed(ground, &kind, &namespace, &name, stored).await
        }
        several => {
            let ids: Vec<&str> = several.iter().take(SEVERAL).map(|id| id.as_str()).collect();
            Err(format!("{} objects are called so; expected the id of one of them: {}.", several.len(), ids.join(", ")))
        }
    }
}

/// What the index does not hold may still be in the cluster.
async fn unindexed(
    ground: &Ground<'_>,
    kind: &str,
    namespace: &str,
    name: &str,
    cluster: Option<&str>,
) -> Result<Target, String> {
    let none = || format!("There is no {kind} {name:?} in the index; find_resources finds what is called alike.");
    let types = ground.index.types(ground.scope).await.map_err(|error| ground.told(error))?;
    let named = resolve_kinds(&[kind.to_owned()], &types).map_err(|unknown| format!("{unknown}."))?;
    let of_cluster = |of: &str| cluster.is_none_or(|cluster| cluster == of);
    let mut fitting = types.iter().filter(|(of, ty)| of_cluster(of) && named.contains(&ty.name()));
    let (Some((cluster, ty)), None) = (fitting.next(), fitting.next()) else { return Err(none()) };
    if ty.namespaced && namespace.is_empty() || !ground.scope.admits_whole_cluster(cluster) {
        return Err(none());
    }
    let namespace = if ty.namespaced { namespace } else { CLUSTER_SCOPE };
    let prefix = if cluster.is_empty() { String::new() } else { format!("{cluster}:") };
    parts(&format!("{prefix}{namespace}/{}/{}/{name}", ty.api_version(), ty.kind)).ok_or_else(none)
}

/// The parts of a stored id.
fn parts(id: &str) -> Option<Target> {
    let (head, rest) = id.split_once('/')?;
    let (cluster, namespace) = head.rsplit_once(':').unwrap_or(("", head));
    let (rest, name) = rest.rsplit_once('/')?;
    let (api_version, kind) = rest.rsplit_once('/')?;
    let is_id = api_version.matches('/').count() < 2 && ![namespace, api_version, kind, name].contains(&"");
    is_id.then(|| Target {
        id: id.to_owned(),
        cluster: cluster.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// The object as the cluster has it, or why it was not read.
async fn live(ground: &Ground<'_>, target: &Target) -> Result<Value, String> {
    let source = ground.index.cluster(ground.scope, &target.cluster).await.map_err(|error| ground.told(error))??;
    let types = ground.index.types(ground.scope).await.map_err(|error| ground.told(error))?;
    let group = target.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let is_it = |ty: &ResourceType| ty.group == group && ty.kind == target.kind;
    let ty = types.iter().find(|(cluster, ty)| *cluster == target.cluster && is_it(ty)).map(|(_, ty)| ty);
    let ty = ty.ok_or_else(|| format!("the cluster is not known to have {} of {}", target.kind, target.api_version))?;
    match source.reads(ReadLimits::default()).object(ty, &target.namespace, &target.name).await {
        Ok(Some(object)) => Ok(object.json().clone()),
        Ok(None) => Err("the cluster has no such object now".to_owned()),
        Err(why) => Err(why.to_string()),
    }
}

/// The object as the index has it.
async fn indexed(ground: &Ground<'_>, target: &Target, why: &str) -> Result<Value, String> {
    let document = ground.index.document(ground.scope, Collection::Instances, &target.id).await;
    let document = document.map_err(|error| ground.told(error))?;
    let object = document.and_then(|document| serde_json::from_value::<ResourceInstance>(document).ok());
    let Some(object) = object else {
        return Err(format!(
            "There is no object {:?} in the index, and none was read from the cluster: {why}. Take the id from find_resources.",
            target.id
        ));
    };
    let annotations: Vec<_> = object.annotations.iter().chain(&object.kept_annotations).collect();
    let mut metadata = json!({"name": object.name});
    let mut add = |key: &str, value: Value| {
        if !value.is_null() && value != json!("") && value != json!({}) {
            metadata[key] = value;
        }
    };
    add("namespace", json!(Some(&object.namespace).filter(|namespace| *namespace != CLUSTER_SCOPE)));
    add("labels", json!(object.labels));
    add("annotations", annotations.into_iter().map(|(key, value)| (key.clone(), json!(value))).collect());
    add("creationTimestamp", json!(object.created_at));
    add("uid", json!(object.uid));
    add("controller", json!(object.owner.as_ref().map(|owner| format!("{}/{}", owner.kind, owner.name))));
    Ok(json!({"apiVersion": object.api_version, "kind": object.kind, "metadata": metadata}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_four_parts() {
        let target = parts("east:shop/apps/v1/Deployment/web").unwrap();
        assert_eq!((&*target.cluster, &*target.namespace, &*target.api_version), ("east", "shop", "apps/v1"));
        assert_eq!((&*target.kind, &*target.name), ("Deployment", "web"));
        assert_eq!(parts("_cluster/v1/Node/a").unwrap().api_version, "v1");
        for wrong in ["", "a", "a/b", "a/b/c", "/v1/Pod/x", "a/v1//x", "a/b/c/d/e/f", "deployment/web"] {
            assert!(parts(wrong).is_none(), "{wrong}");
        }
    }
}
