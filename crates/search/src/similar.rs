//! More like this one: an object takes the place of a question.

use std::collections::BTreeSet;

use clusterlore_core::{CLUSTER_SCOPE, Collection, ObjectKey, ResourceInstance, ResourceType, words};
use clusterlore_models::{Embedder, Purpose};
use clusterlore_store::View;

use crate::ranking::Ranking;
use crate::typos::distance;
use crate::{Answer, Question, Reach, SearchError, Searcher, Understood, resolve_kinds};

/// Ids that are named where one is not there.
const NEAR: usize = 3;

impl Searcher {
    /// Ranks what runs by its likeness to one object, which is left out. `id` is a stored id, or `kind/name`: then the
    /// question's namespaces and clusters say where the object is, else they narrow the hits. The question's text plays no part.
    ///
    /// # Errors
    /// [`SearchError::NoSuchObject`] with those that are called nearly so, [`SearchError::ManyObjects`]; else see [`SearchError`].
    pub async fn similar(
        &self,
        view: &dyn View,
        embedder: &dyn Embedder,
        id: &str,
        question: &Question,
    ) -> Result<Answer, SearchError> {
        self.documents(view, embedder, Collection::Instances).await?;
        let types = view.types().await?;
        let mut filter = question.filter.clone();
        let record = match ObjectKey::of_stored_id(id) {
            Some(key) => view.records(Collection::Instances, &[key]).await?.remove(&key),
            None => {
                let places = (std::mem::take(&mut filter.namespaces), std::mem::take(&mut filter.clusters));
                by_kind_and_name(view, id, &places, &types).await?
            }
        };
        let parsed = record.as_deref().and_then(|record| serde_json::from_str::<ResourceInstance>(record).ok());
        let (Some(record), Some(object)) = (record, parsed) else {
            return Err(SearchError::NoSuchObject { id: id.to_owned(), near: near(view, id).await? });
        };
        let own_id = object.stored_id();
        let is_type = |(_, t): &&(String, ResourceType)| t.group == object.api_group && t.kind == object.kind;
        let kinds = types.iter().find(is_type).map(|(_, t)| t.name()).into_iter().collect();
        let mut text = description(&object);
        if let Some(profile) = self.profiles.of(&self.catalogue, Collection::Instances, &own_id, &record) {
            for recognised in &profile.recognised {
                let category = recognised.categories(&self.catalogue).first().map(|id| id.replace('-', " "));
                category.into_iter().for_each(|category| text.push_str(&format!(" {category}")));
            }
        }
        let understood =
            Understood { text, filter, kinds, notes: vec![format!("similar to {own_id}")], ..Understood::default() };
        let vector = embedder.embed(Purpose::Document, vec![object.text()]).await?.pop().unwrap_or_default();
        let near = self.lexicon.nearness(&self.catalogue, &understood.text, &embedder.identity(), &vector).await?;
        let mut ranking = Ranking::new(&self.catalogue, &understood, near, self.weights).of_anything();
        let (mut ranked, total, admitted) =
            self.rank(view, Collection::Instances, &mut ranking, &understood, vector, Reach::NEAR).await?;
        ranked.retain(|r| r.id != own_id);
        // What the object itself made is gathered under it, and goes with it.
        let gathered = self.gather(view, ranked, &understood, question.limit.saturating_add(1)).await?;
        let others = gathered.into_iter().filter(|g| g.shown.id != own_id);
        let hits = others.take(question.limit).map(|g| self.hit(g, &ranking)).collect();
        drop(ranking);
        Ok(Answer { hits, understood, total, admitted, closest: Vec::new() })
    }
}

/// What an object is, in words: where it lives is no likeness.
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
    let or = |given: &BTreeSet<String>, all: BTreeSet<String>| if given.is_empty() { all } else { given.clone() };
    let mut namespaces = or(namespaces, view.vocabulary(Collection::Instances).await?.namespaces.clone());
    namespaces.insert(CLUSTER_SCOPE.to_owned());
    let clusters = or(clusters, clusters_of(view).await?);
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

async fn clusters_of(view: &dyn View) -> Result<BTreeSet<String>, SearchError> {
    Ok(view.counts(Collection::Instances).await?.into_iter().map(|c| c.cluster).collect())
}

/// Ids whose last part is nearly that of the id, or holds it.
async fn near(view: &dyn View, id: &str) -> Result<Vec<String>, SearchError> {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let most = (name.len() / 3).max(1);
    let mut found: Vec<(usize, String)> = Vec::new();
    for cluster in clusters_of(view).await? {
        let mut visit = |seen: clusterlore_store::Scanned<'_>| {
            let other = seen.id.rsplit('/').next().unwrap_or(seen.id);
            let holds = name.len() > 2 && (other.contains(&name) || words::split(other).contains(&name));
            let distance = distance(&name, other, most).or_else(|| holds.then_some(most));
            found.extend(distance.map(|d| (d, seen.id.to_owned())));
        };
        view.scan(Collection::Instances, &cluster, &mut visit).await?;
    }
    found.sort();
    Ok(found.into_iter().take(NEAR).map(|(_, id)| id).collect())
}
