//! How many there are, and how many of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clusterlore_core::{Collection, ObjectKey, ResourceInstance};
use clusterlore_models::Embedder;
use clusterlore_store::View;

use crate::ask::GroupBy;
use crate::fold::{self, LEVELS, owner_keys};
use crate::profile::Profile;
use crate::{Noun, Question, Ranked, Reach, SearchError, Searcher, Understood, is_evidence, not_too_long};

/// Where an object stands that has nothing to be grouped by.
const NONE: &str = "(none)";
/// Role up to which an object only serves others: the Service of a database is no second database.
const SERVES: f32 = 0.7;

/// More than this, an object is surely what the question names, and is counted as that; what only belongs to it is not.
const SURE: f32 = 0.5;

/// How many fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Count {
    /// All of them.
    pub total: usize,
    /// How many of each, most first, then by name; empty where no groups were asked for. They add up to the total.
    pub groups: Vec<(String, usize)>,
    /// What the question was understood to say; its ask holds what was grouped by.
    pub understood: Understood,
}

impl Searcher {
    /// Counts what fits, by groups where `group_by` or the question says so. A question that names only a scope, or an empty
    /// one, is counted exactly. One with free text counts what surely is of the category or software that it names, or where
    /// nothing is, what has evidence, among the 2,000 documents nearest to it and
    /// the 5,000 that hold its rarest words. There what a controller made counts as that controller, except where owners are
    /// asked for, and services, settings and permissions do not count beside what runs.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn count(
        &self,
        view: &dyn View,
        embedder: &dyn Embedder,
        question: &Question,
        group_by: Option<GroupBy>,
    ) -> Result<Count, SearchError> {
        not_too_long(question)?;
        self.documents(view, embedder, question.collection).await?;
        let mut understood = self.understood(view, embedder, question).await?;
        understood.ask.group_by = group_by.or(understood.ask.group_by);
        if understood.impossible.is_some() {
            return Ok(Count { understood, ..Count::default() });
        }
        let vector = self.vector(embedder, &understood).await?;
        let mut ranking = self.ranking(view, embedder, question.collection, &understood, &vector).await?;
        let reach = if understood.scope_only { Reach::ALL } else { Reach::FAR };
        let (ranked, ..) = self.rank(view, question.collection, &mut ranking, &understood, vector, reach).await?;
        // Where something surely is what was named, that is what counts; else what has evidence.
        let sure = |r: &Ranked| r.features.software.is_some_and(|s| s > SURE);
        let fitting: Vec<Ranked> = if ranked.iter().any(sure) {
            ranked.into_iter().filter(sure).collect()
        } else {
            self.fitting(ranked, &ranking).into_iter().filter(|r| is_evidence(r, &ranking)).collect()
        };
        drop(ranking);
        let mut profiles: Vec<(String, Arc<Profile>)> =
            match understood.scope_only || understood.ask.group_by == Some(GroupBy::Owner) {
                true => fitting.into_iter().map(|r| (r.type_name, r.profile)).collect(),
                false => {
                    let gathered = self.gather(view, fitting, &understood, usize::MAX).await?;
                    fold::apart(gathered).into_iter().map(|g| (g.shown.type_name, g.shown.profile)).collect()
                }
            };
        profiles.retain(|(_, p)| understood.ask.admits(&p.noun));
        if !understood.scope_only && profiles.iter().any(|(_, p)| p.role > SERVES) {
            let asked_for = |ty: &String| understood.kinds.contains(ty) || understood.filter.types.contains(ty);
            profiles.retain(|(ty, p)| p.role > SERVES || asked_for(ty));
        }
        let nouns: Vec<&Noun> = profiles.iter().map(|(_, p)| &p.noun).collect();
        let groups = match &understood.ask.group_by {
            None => Vec::new(),
            Some(GroupBy::Owner) => grouped(&nouns, &GroupBy::Owner, &owners(view, &nouns).await?),
            Some(by) => grouped(&nouns, by, &HashMap::new()),
        };
        Ok(Count { total: nouns.len(), groups, understood })
    }
}

fn grouped(nouns: &[&Noun], by: &GroupBy, owners: &HashMap<ObjectKey, ResourceInstance>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for noun in nouns {
        let group = group_of(noun, by, owners).unwrap_or_else(|| NONE.to_owned());
        *counts.entry(group).or_default() += 1;
    }
    let mut groups: Vec<(String, usize)> = counts.into_iter().collect();
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    groups
}

fn group_of(noun: &Noun, by: &GroupBy, owners: &HashMap<ObjectKey, ResourceInstance>) -> Option<String> {
    match (noun, by) {
        (Noun::Instance(i), GroupBy::Kind) => Some(i.kind.clone()),
        (Noun::Instance(i), GroupBy::Namespace) => (!i.is_cluster_scoped()).then(|| i.namespace.clone()),
        (Noun::Instance(i), GroupBy::Label(key)) => i.labels.get(key).cloned(),
        (Noun::Instance(i), GroupBy::Cluster) => i.cluster.clone(),
        (Noun::Instance(i), GroupBy::Owner) => top_owner(i, owners),
        (Noun::Type(t, _), GroupBy::Kind) => Some(t.kind.clone()),
        (Noun::Type(..), _) => None,
    }
}

/// The owner's owner and so on, as far as they are indexed.
fn top_owner(instance: &ResourceInstance, owners: &HashMap<ObjectKey, ResourceInstance>) -> Option<String> {
    let (mut owned, mut owner) = (instance, instance.owner.as_ref()?);
    for _ in 0..LEVELS {
        let found = owner_keys(owned).into_iter().find_map(|key| owners.get(&key));
        let Some((found, above)) = found.and_then(|found| Some((found, found.owner.as_ref()?))) else { break };
        (owned, owner) = (found, above);
    }
    Some(format!("{}/{}", owner.kind, owner.name))
}

/// The owners of the objects, their owners, and so on, as far as they are indexed.
async fn owners(view: &dyn View, nouns: &[&Noun]) -> Result<HashMap<ObjectKey, ResourceInstance>, SearchError> {
    let mut known = HashMap::new();
    let mut wanted: BTreeSet<ObjectKey> = BTreeSet::new();
    for noun in nouns {
        if let Noun::Instance(instance) = noun {
            wanted.extend(owner_keys(instance));
        }
    }
    for _ in 0..LEVELS {
        wanted.retain(|key| !known.contains_key(key));
        if wanted.is_empty() {
            break;
        }
        let keys: Vec<ObjectKey> = std::mem::take(&mut wanted).into_iter().collect();
        for (key, record) in view.records(Collection::Instances, &keys).await? {
            if let Ok(owner) = serde_json::from_str::<ResourceInstance>(&record) {
                wanted.extend(owner_keys(&owner));
                known.insert(key, owner);
            }
        }
    }
    Ok(known)
}
