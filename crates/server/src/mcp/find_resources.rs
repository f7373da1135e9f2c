//! `find_resources`: objects by meaning, by conditions, or by both.

use std::collections::BTreeMap;

use clusterlore_core::{CLUSTER_SCOPE, ResourceInstance, age, words};
use clusterlore_index::{Reply, Request};
use clusterlore_search::{GroupBy, Hit, Noun, Order, Wanted};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::tool::{Answer, Tool};
use super::{arguments, notes, room};

/// Objects where nobody says how many.
const USUAL: u16 = 20;
/// Objects at most.
const MOST: u16 = 200;
/// Labels of an object that are shown.
const LABELS: usize = 6;
/// Characters of a description, of a label's value and of a reason that are shown.
const LONGEST: usize = 100;
/// Ids that are named of what is the same elsewhere.
const ELSEWHERE: usize = 3;
/// Groups that are shown.
const GROUPS: usize = 50;

pub(super) struct FindResources;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Input {
    /// What to look for, in plain words, matched by meaning: "databases", "what handles payments", "pods that are not ready". Leave it out
    /// to list by the other conditions alone.
    question: Option<String>,
    /// Only objects of this kind: kind, plural, short name or plural.group, several with commas: "deploy,sts", "certificates.cert-manager.io".
    kind: Option<String>,
    /// Only objects that are called so; * stands for any characters: "checkout", "*-db".
    name: Option<String>,
    /// Only objects in these namespaces.
    namespaces: Vec<String>,
    /// Only objects with these labels, as kubectl's selectors: "app=web,tier in (a,b),!legacy".
    labels: Option<String>,
    /// Only objects of the cluster of this name.
    cluster: Option<String>,
    /// Only objects created since then: a time (RFC 3339), or how long ago: "90m", "12h", "7d".
    since: Option<String>,
    /// Only objects created before then: a time (RFC 3339), or how long ago.
    older: Option<String>,
    /// What comes first, in place of what fits best.
    sort: Option<Sort>,
    /// Count by kind, namespace, owner, cluster or label:KEY.
    group_by: Option<String>,
    /// list: the objects (the default). count: only how many, by group where groupBy says so. summary: how many by kind and by namespace.
    output: Option<Output>,
    /// The most objects, 1 to 200; 20 if left out.
    limit: Option<u16>,
    /// Whether the cluster is asked for what it alone knows, such as "not ready"; true if left out.
    live: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    /// What was created last.
    Newest,
    /// What was created first.
    Oldest,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Output {
    #[default]
    List,
    Count,
    Summary,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    /// How many match; missing where it cannot be told. Hits of a question may be more: what is near comes after what matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// How many of them are in hits, what hits stand for included.
    shown: usize,
    /// How to see others, or fewer.
    narrow: String,
    /// Best first.
    hits: Vec<Resource>,
    /// How many of each, most first, where that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Counted>,
    /// How the question was read, and what of the answer may not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// How many have something in common.
#[derive(Debug, Serialize, JsonSchema)]
struct Counted {
    /// By what: kind, namespace, owner, cluster or label:KEY.
    by: String,
    name: String,
    count: usize,
}

/// An object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Resource {
    /// For get_resource.
    id: String,
    kind: String,
    api_version: String,
    /// Missing for an object of the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// Missing for the unnamed cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// The first of them, their values cut.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    /// Labels that are left out.
    #[serde(skip_serializing_if = "is_zero")]
    more_labels: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    /// Since it was created: 45s, 12m, 5h, 3d; missing where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<String>,
    /// Why it was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
    /// What the cluster says of it now, for each condition of the question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    live: Vec<String>,
    /// How many objects it controls that match too and stand in it.
    #[serde(skip_serializing_if = "is_zero")]
    controls: usize,
    /// How many of the same are in other namespaces and stand in it.
    #[serde(skip_serializing_if = "is_zero")]
    elsewhere: usize,
    /// The ids of the first of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elsewhere_ids: Vec<String>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Tool for FindResources {
    const NAME: &'static str = "find_resources";
    const TITLE: &'static str = "Find what runs in the cluster";
    const DESCRIPTION: &'static str = "Finds, lists and counts Kubernetes objects: by meaning, by kind, name, namespace, labels and age, or by any \
        of these together. Begin here. One call answers \"which databases run\", \"pods in shop that are not ready\", \"services per \
        namespace\", \"namespaces called team-*\". Its index holds names, kinds, labels, descriptions and ages; what only the cluster knows \
        (status, images, counts) is read live where the question asks for it. get_resource shows one object.";
    type Input = Input;
    type Output = Found;

    async fn call(ground: &Ground<'_>, input: Input) -> Result<Answer<Found>, String> {
        let output = input.output.unwrap_or_default();
        let limit = arguments::limit(input.limit, USUAL, MOST)?;
        let room = room::of(input.limit);
        let request = request(&input, limit, ground)?;
        let ask = async |request: &Request| ground.index.ask(ground.scope, request).await.map_err(|e| ground.told(e));
        match output {
            Output::List => {
                let reply = ask(&request).await?;
                Ok(listed(&reply, ground.now, room))
            }
            Output::Count => {
                let reply = ask(&Request { hits: false, ..request }).await?;
                let by = reply.group_by.as_ref().map(GroupBy::to_string).unwrap_or_default();
                Ok(counted(&[(by, &reply)]))
            }
            Output::Summary if request.group_by.is_some() => {
                Err("summary groups by kind and by namespace; expected output count with groupBy.".to_owned())
            }
            Output::Summary => {
                let by = |by: GroupBy| Request { hits: false, group_by: Some(by), ..request.clone() };
                let (kinds, namespaces) = (ask(&by(GroupBy::Kind)).await?, ask(&by(GroupBy::Namespace)).await?);
                Ok(counted(&[("kind".to_owned(), &kinds), ("namespace".to_owned(), &namespaces)]))
            }
        }
    }
}

fn request(input: &Input, limit: usize, ground: &Ground<'_>) -> Result<Request, String> {
    let split = |text: String| -> Vec<String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let request = Request {
        question: arguments::text(&input.question),
        clusters: input.cluster.iter().cloned().collect(),
        namespaces: input.namespaces.clone(),
        kinds: split(arguments::text(&input.kind)),
        name: arguments::parsed("name", &arguments::text(&input.name))?,
        selector: arguments::parsed("labels", &arguments::text(&input.labels))?.unwrap_or_default(),
        since: arguments::time("since", &arguments::text(&input.since), ground.now)?,
        until: arguments::time("older", &arguments::text(&input.older), ground.now)?,
        order: input.sort.map(|sort| match sort {
            Sort::Newest => Order::Newest,
            Sort::Oldest => Order::Oldest,
        }),
        group_by: arguments::parsed("groupBy", &arguments::text(&input.group_by))?,
        limit,
        now: ground.now(),
        number: Wanted::Always,
        live: input.live.unwrap_or(true),
        ..Request::default()
    };
    let conditions = !request.question.is_empty()
        || !request.kinds.is_empty()
        || !request.namespaces.is_empty()
        || !request.clusters.is_empty()
        || !request.selector.is_empty()
        || request.name.is_some()
        || request.since.is_some()
        || request.until.is_some()
        || request.order.is_some();
    let is_list = input.output.unwrap_or_default() == Output::List;
    if is_list && !conditions {
        return Err("Nothing is asked for; expected a question, or a condition such as kind, name, namespaces, labels or since. \
                    cluster_overview tells what there is."
            .to_owned());
    }
    Ok(request)
}

/// Objects, as many as there is room for.
fn listed(reply: &Reply, now: Timestamp, room: usize) -> Answer<Found> {
    let all: Vec<(String, Resource)> = reply.hits.iter().filter_map(|hit| resource(hit, now)).collect();
    let of = all.len();
    let (mut rows, hits) = room::fitting(all, room);
    let shown = hits.iter().map(|hit| 1 + hit.controls + hit.elsewhere).sum::<usize>();
    let notes = notes::of(reply);
    let unindexed = reply.judgement.iter().flat_map(|judgement| &judgement.unindexed);
    let by = reply.group_by.as_ref().map(GroupBy::to_string).unwrap_or_default();
    let groups = groups(&by, reply);
    rows.extend(groups.iter().map(line));
    rows.extend(unindexed.map(|new| format!("not indexed yet: {} {}/{}", new.type_name, new.namespace, new.name)));
    rows.extend(notes.iter().map(|note| format!("note: {note}")));
    let total = reply.number;
    let how = "kind, name, namespaces, labels or since";
    let narrow = match total {
        _ if hits.len() < of => format!("The answer is full; narrow with {how}."),
        Some(total) if total > shown => {
            format!("Narrow with {how}, or raise limit (at most {MOST}); output count only counts.")
        }
        None => format!("Narrow with {how}."),
        Some(_) => "These are all.".to_owned(),
    };
    let told = match total {
        Some(total) if total < shown => {
            format!("{total} match surely; the nearest {} are shown, best first. {narrow}", hits.len())
        }
        Some(total) => format!("{total} match; {} shown{}. {narrow}", hits.len(), standing_for(shown, hits.len())),
        None => {
            format!("Their number is not known; {} shown{}. {narrow}", hits.len(), standing_for(shown, hits.len()))
        }
    };
    Answer { told, rows: rows.join("\n"), object: Found { total, shown, narrow, hits, groups, notes } }
}

fn standing_for(shown: usize, hits: usize) -> String {
    if shown > hits { format!(", standing for {shown}") } else { String::new() }
}

/// Numbers alone.
fn counted(replies: &[(String, &Reply)]) -> Answer<Found> {
    let total = replies.first().and_then(|(_, reply)| reply.number);
    let groups: Vec<Counted> = replies.iter().flat_map(|(by, reply)| groups(by, reply)).collect();
    let of: usize = replies.iter().map(|(_, reply)| reply.groups.len()).sum();
    let notes = replies.first().map(|(_, reply)| notes::of(reply)).unwrap_or_default();
    let mut rows: Vec<String> = groups.iter().map(line).collect();
    rows.extend(notes.iter().map(|note| format!("note: {note}")));
    let narrow = match of > groups.len() {
        true => {
            format!("{} of {of} groups are shown; narrow with kind, name, namespaces, labels or since.", groups.len())
        }
        false => "output list shows them.".to_owned(),
    };
    let told = match total {
        Some(total) => format!("{total} match; {} groups shown. {narrow}", groups.len()),
        None => format!("They cannot be counted: the index does not know what the question needs. {narrow}"),
    };
    Answer { told, rows: rows.join("\n"), object: Found { total, shown: 0, narrow, hits: Vec::new(), groups, notes } }
}

fn groups(by: &str, reply: &Reply) -> Vec<Counted> {
    let groups = reply.groups.iter().take(GROUPS);
    groups.map(|group| Counted { by: by.to_owned(), name: cut(&group.name), count: group.count }).collect()
}

fn line(Counted { by, name, count }: &Counted) -> String {
    format!("{by} {name}: {count}")
}

fn resource(hit: &Hit, now: Timestamp) -> Option<(String, Resource)> {
    let Noun::Instance(instance) = &hit.noun else { return None };
    let ResourceInstance { kind, api_version, namespace, name, cluster, labels, created_at, .. } = &**instance;
    let resource = Resource {
        id: hit.id.clone(),
        kind: kind.clone(),
        api_version: api_version.clone(),
        namespace: Some(namespace.clone()).filter(|namespace| namespace != CLUSTER_SCOPE),
        name: name.clone(),
        cluster: cluster.clone(),
        labels: labels.iter().take(LABELS).map(|(key, value)| (key.clone(), cut(value))).collect(),
        more_labels: labels.len().saturating_sub(LABELS),
        description: cut(&instance.description()),
        age: age(created_at, now),
        why: notes::why(hit).iter().map(|why| cut(why)).collect(),
        live: hit.found.iter().map(|found| cut(&found.text)).collect(),
        controls: hit.controlled.len(),
        elsewhere: hit.elsewhere.len(),
        elsewhere_ids: hit.elsewhere.iter().take(ELSEWHERE).cloned().collect(),
    };
    Some((row(&resource), resource))
}

fn row(resource: &Resource) -> String {
    let mut parts = vec![resource.id.clone()];
    parts.extend(resource.age.as_ref().map(|age| format!("age {age}")));
    parts.extend(resource.live.iter().map(|now| format!("now: {now}")));
    if !resource.labels.is_empty() {
        let labels = resource.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let more = if resource.more_labels > 0 { format!(" +{}", resource.more_labels) } else { String::new() };
        parts.push(format!("labels {labels}{more}"));
    }
    if !resource.description.is_empty() {
        parts.push(format!("description: {}", resource.description));
    }
    if !resource.why.is_empty() {
        parts.push(format!("why: {}", resource.why.join("; ")));
    }
    if resource.elsewhere > 0 {
        parts.push(format!("also: {}", resource.elsewhere_ids.join(", ")));
    }
    words::one_line(&parts.join(" | "))
}

fn cut(text: &str) -> String {
    words::cut(&words::one_line(text), LONGEST).into_owned()
}
