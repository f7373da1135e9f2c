//! The object that takes the place of a question, and the question that it makes.

use std::collections::BTreeSet;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{CLUSTER_SCOPE, Collection, ObjectKey, ResourceInstance, ResourceType, words};
use clusterlore_store::{Filter, Scanned, StoreError, View};

use crate::error::SearchError;
use crate::query::{Note, ParsedQuery, edit_distance, resolve_kinds};
use crate::rank::Profiles;

/// The most ids that are suggested if there is no such object.
const SIMILAR_IDS: usize = 3;

/// An object that takes the place of a question.
pub(crate) struct Example {
    pub(crate) object: ResourceInstance,
    pub(crate) parsed: ParsedQuery,
}

/// Finds the object. `id` is a stored id, or `kind/name`; then the filter's namespaces and clusters say where the object is, else they
/// are conditions on what is similar to it.
pub(crate) async fn example(
    view: &dyn View,
    catalogue: &Catalogue,
    profiles: &Profiles,
    id: &str,
    filter: &Filter,
) -> Result<Example, SearchError> {
    let types = view.types().await?;
    let mut filter = filter.clone();
    let record = match ObjectKey::of_stored_id(id) {
        Some(key) => view.records(Collection::Instances, &[key]).await?.remove(&key),
        None => {
            let places = (std::mem::take(&mut filter.namespaces), std::mem::take(&mut filter.clusters));
            by_kind_and_name(view, id, &places, &types).await?
        }
    };
    let object = record.as_deref().and_then(|record| serde_json::from_str::<ResourceInstance>(record).ok());
    let (Some(record), Some(object)) = (record, object) else {
        return Err(SearchError::NoSuchObject { id: id.to_owned(), near: similar_ids(view, id).await? });
    };
    let own_id = object.stored_id();
    let is_type = |(_, t): &&(String, ResourceType)| t.group == object.api_group && t.kind == object.kind;
    let kinds = types.iter().find(is_type).map(|(_, t)| t.name()).into_iter().collect();
    let mut text = description(&object);
    if let Some(profile) = profiles.of(catalogue, Collection::Instances, &own_id, &record) {
        for recognised in &profile.recognised {
            let category = recognised.categories(catalogue).first().map(|id| id.replace('-', " "));
            category.into_iter().for_each(|category| text.push_str(&format!(" {category}")));
        }
    }
    let parsed = ParsedQuery { text, filter, kinds, notes: vec![Note::SimilarTo(own_id)], ..ParsedQuery::default() };
    Ok(Example { object, parsed })
}

/// What an object is, in words. Where it is says nothing about that.
fn description(object: &ResourceInstance) -> String {
    let values: Vec<&str> = object.labels.values().map(String::as_str).collect();
    format!("{} {} {} {}", object.kind, object.name, values.join(" "), object.description())
}

/// The record of the one object of a kind and name.
async fn by_kind_and_name(
    view: &dyn View,
    id: &str,
    (namespaces, clusters): &(BTreeSet<String>, BTreeSet<String>),
    types: &[(String, ResourceType)],
) -> Result<Option<String>, SearchError> {
    let Some((kind, name)) = id.split_once('/').filter(|(kind, name)| !kind.is_empty() && !name.is_empty()) else {
        return Ok(None);
    };
    let named = resolve_kinds(&[kind.to_owned()], types)?;
    let or_all = |given: &BTreeSet<String>, all: BTreeSet<String>| if given.is_empty() { all } else { given.clone() };
    let mut namespaces = or_all(namespaces, view.vocabulary(Collection::Instances).await?.namespaces.clone());
    namespaces.insert(CLUSTER_SCOPE.to_owned());
    let clusters = or_all(clusters, clusters_of(view).await?);
    let of_kind: BTreeSet<(&str, &str)> = types
        .iter()
        .filter(|(_, t)| named.contains(&t.name()))
        .map(|(_, t)| (t.group.as_str(), t.kind.as_str()))
        .collect();
    let mut keys = Vec::new();
    for cluster in &clusters {
        for namespace in &namespaces {
            keys.extend(of_kind.iter().map(|(group, kind)| ObjectKey::new(cluster, group, kind, namespace, name)));
        }
    }
    let mut records: Vec<String> = view.records(Collection::Instances, &keys).await?.into_values().collect();
    if records.len() > 1 {
        let id_of = |record: &String| serde_json::from_str::<ResourceInstance>(record).ok().map(|i| i.stored_id());
        let mut ids: Vec<String> = records.iter().filter_map(id_of).collect();
        ids.sort();
        return Err(SearchError::ManyObjects { id: id.to_owned(), ids });
    }
    Ok(records.pop())
}

async fn clusters_of(view: &dyn View) -> Result<BTreeSet<String>, StoreError> {
    Ok(view.counts(Collection::Instances).await?.into_iter().map(|c| c.cluster).collect())
}

/// Ids whose name is similar to that of the id, or contains it.
async fn similar_ids(view: &dyn View, id: &str) -> Result<Vec<String>, StoreError> {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let most = (name.len() / 3).max(1);
    let mut found: Vec<(usize, String)> = Vec::new();
    for cluster in clusters_of(view).await? {
        let mut visit = |seen: Scanned<'_>| {
            let other = seen.id.rsplit('/').next().unwrap_or(seen.id);
            let contains = name.len() > 2 && (other.contains(&name) || words::split(other).contains(&name));
            let edits = edit_distance(&name, other, most).or_else(|| contains.then_some(most));
            found.extend(edits.map(|d| (d, seen.id.to_owned())));
        };
        view.scan(Collection::Instances, &cluster, &mut visit).await?;
    }
    found.sort();
    Ok(found.into_iter().take(SIMILAR_IDS).map(|(_, id)| id).collect())
}
