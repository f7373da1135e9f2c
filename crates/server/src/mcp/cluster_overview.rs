//! `cluster_overview`: what there is, in numbers.

use std::collections::BTreeMap;

use clusterlore_core::Collection;
use clusterlore_index::Request;
use clusterlore_search::{GroupBy, SearchError, Wanted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::notes;
use super::tool::{Answer, Tool};

/// Kinds, and namespaces, that are shown.
const MOST: usize = 40;
/// Clusters that are shown.
const CLUSTERS: usize = 20;

pub(super) struct ClusterOverview;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Input {}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    /// How many objects are indexed.
    total: usize,
    /// How many resource types have a known purpose.
    resource_types: usize,
    /// How to see more.
    narrow: String,
    clusters: Vec<Cluster>,
    /// Most objects first.
    kinds: Vec<Kind>,
    /// How many kinds there are.
    total_kinds: usize,
    /// Most objects first; _cluster stands for objects of no namespace.
    namespaces: Vec<Namespace>,
    /// How many namespaces have objects.
    total_namespaces: usize,
    /// What of this may not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// A cluster, or a folder of manifests.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    /// Empty for the unnamed one.
    name: String,
    objects: usize,
    /// What filled the index; missing where the caller sees only a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// When it was last read to its end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<String>,
    /// How many seconds ago that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_ago: Option<u64>,
}

/// How many objects of a kind there are.
#[derive(Debug, Serialize, JsonSchema)]
struct Kind {
    /// plural.group.
    kind: String,
    count: usize,
}

/// How many objects a namespace has.
#[derive(Debug, Serialize, JsonSchema)]
struct Namespace {
    namespace: String,
    count: usize,
}

impl Tool for ClusterOverview {
    const NAME: &'static str = "cluster_overview";
    const TITLE: &'static str = "Show what there is";
    const DESCRIPTION: &'static str = "Tells what the index holds, in numbers: clusters and when each was read, kinds and namespaces with their \
        objects. For \"what is in this cluster?\", and to learn the names that other tools take.";
    type Input = Input;
    type Output = Overview;

    async fn call(ground: &Ground<'_>, _input: Input) -> Result<Answer<Overview>, String> {
        let status = ground.index.status(ground.scope).await.map_err(|error| ground.told(error))?;
        let request = Request {
            hits: false,
            number: Wanted::Always,
            group_by: Some(GroupBy::Namespace),
            now: ground.now(),
            ..Request::default()
        };
        let reply = ground.index.ask(ground.scope, &request).await;
        let reply = reply.map_err(|error: SearchError| ground.told(error))?;
        let (mut kinds, mut of_clusters) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
        for of in &status.documents {
            *kinds.entry(&of.type_name).or_default() += of.documents;
            *of_clusters.entry(&of.cluster).or_default() += of.documents;
        }
        let total = kinds.values().sum();
        let total_kinds = kinds.len();
        let mut kinds: Vec<Kind> =
            kinds.into_iter().map(|(kind, count)| Kind { kind: kind.to_owned(), count }).collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        kinds.truncate(MOST);
        let total_namespaces = reply.groups.len();
        let namespaces = reply.groups.iter().take(MOST);
        let namespaces: Vec<Namespace> =
            namespaces.map(|group| Namespace { namespace: group.name.clone(), count: group.count }).collect();
        let clusters = of_clusters.into_iter().take(CLUSTERS).map(|(name, objects)| {
            let basis = reply.bases.iter().find(|basis| basis.cluster == name);
            Cluster {
                name: reply.names.shown(name).to_owned(),
                objects,
                source: basis.map(|basis| basis.source.to_string()),
                read_at: basis.and_then(|basis| Some(basis.reading.as_ref()?.at.clone())),
                seconds_ago: basis.and_then(|basis| Some(basis.age?.as_secs())),
            }
        });
        let clusters: Vec<Cluster> = clusters.collect();
        let notes = notes::of(&reply);
        let types = status.collections.iter().find(|of| of.name == Collection::Capabilities);
        let resource_types = types.map_or(0, |of| of.documents);
        let narrow = "find_resources lists, counts and groups any part of it.".to_owned();
        let told = format!(
            "{total} objects, clusters: {}; {} of {total_kinds} kinds and {} of {total_namespaces} namespaces shown; {resource_types} \
             resource types. {narrow}",
            clusters.len(),
            kinds.len(),
            namespaces.len()
        );
        let mut rows: Vec<String> = clusters.iter().map(row).collect();
        let list = |counts: Vec<String>| counts.join(", ");
        rows.push(format!("kinds: {}", list(kinds.iter().map(|of| format!("{} {}", of.kind, of.count)).collect())));
        let of = namespaces.iter().map(|of| format!("{} {}", of.namespace, of.count)).collect();
        rows.push(format!("namespaces: {}", list(of)));
        rows.extend(notes.iter().map(|note| format!("note: {note}")));
        let object = Overview {
            total,
            resource_types,
            narrow,
            clusters,
            kinds,
            total_kinds,
            namespaces,
            total_namespaces,
            notes,
        };
        Ok(Answer { told, rows: rows.join("\n"), object })
    }
}

fn row(cluster: &Cluster) -> String {
    let name = if cluster.name.is_empty() { "(unnamed)" } else { &cluster.name };
    let source = cluster.source.iter().map(|source| format!(", {source}")).collect::<String>();
    let read = cluster.read_at.iter().map(|at| format!(", read at {at}")).collect::<String>();
    format!("cluster {name}: {} objects{source}{read}", cluster.objects)
}
