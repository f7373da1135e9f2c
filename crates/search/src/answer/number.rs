//! How many match, and how many of each group.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clusterlore_core::{Collection, ObjectKey, ResourceInstance};
use clusterlore_store::{StoreError, View};

use super::age::created;
use super::collapse::{Collapser, LEVELS, apart};
use crate::query::GroupBy;
use crate::rank::{Noun, Profile, Ranked, Ranking, is_evidence, matching};

/// The group of what has nothing to be grouped by.
const NONE: &str = "(none)";
/// The highest role of an object that only serves others: the Service of a database is not a second database.
const SERVES: f32 = 0.7;
/// An object with a higher `software` feature surely is what the question names. If there are any, only they count.
const SURE: f32 = 0.5;

/// How many match.
#[derive(Default)]
pub(crate) struct Number {
    pub(crate) total: usize,
    /// Stored ids of what is counted, as it is shown, best first.
    pub(crate) ids: Vec<String>,
    /// How many of each, most first, then by name. They add up to the total. Empty if no groups are wanted.
    pub(crate) groups: Vec<(String, usize)>,
}

/// What is counted, among the documents that were retrieved for that. If the question has only conditions, all of them match. If it has free
/// text, those match that surely are what it names, or if there are none, those that are evidence by themselves. If the question names a
/// kind in a word that means nothing else, and objects of that kind are evidence, nothing else counts; the same holds for what is called as it says.
pub(crate) fn number_matches<'r>(ranking: &Ranking<'_>, ranked: &'r [Ranked]) -> Vec<&'r Ranked> {
    let parsed = ranking.parsed();
    let sure = |r: &Ranked| r.features.software.is_some_and(|s| s > SURE);
    // The disk of a database is not a second database.
    let is_its_disk = |r: &Ranked| r.profile.claims_a_device && sure(r) && !parsed.names_type(&r.type_name);
    let counts = |r: &&Ranked| r.for_number && !r.features.other_software && !is_its_disk(r);
    let ranked: Vec<&Ranked> = ranked.iter().filter(counts).collect();
    let is_of_kind = |r: &&Ranked| {
        parsed.kinds.contains(&r.type_name) && !parsed.vague_kinds.contains(&r.type_name) && is_evidence(r, ranking)
    };
    let of_kind: Vec<&Ranked> = ranked.iter().copied().filter(is_of_kind).collect();
    let ranked = if of_kind.is_empty() { ranked } else { of_kind };
    let matches: Vec<&Ranked> = if ranked.iter().any(|r| sure(r)) {
        ranked.into_iter().filter(|r| sure(r)).collect()
    } else {
        matching(ranked, ranking).into_iter().filter(|r| is_evidence(r, ranking)).collect()
    };
    let is_named = |r: &&Ranked| r.features.named.is_some();
    match parsed.by_name && matches.iter().any(is_named) {
        true => matches.into_iter().filter(is_named).collect(),
        false => matches,
    }
}

/// Counts matches. What a controller made counts as that controller (unless matches are grouped by owner), and services, settings and
/// permissions do not count beside what runs (unless the question names them or their type).
pub(crate) async fn count(
    collapser: &Collapser<'_>,
    ranking: &Ranking<'_>,
    matches: &[&Ranked],
) -> Result<Number, StoreError> {
    let parsed = ranking.parsed();
    // Whether it or its type is what the question names, and what it is.
    let named = |r: &Ranked, type_name: &str| r.features.named.is_some() || parsed.names_type(type_name);
    let each = parsed.scope_only || parsed.clauses.group_by == Some(GroupBy::Owner);
    let mut counted: Vec<(bool, String, Arc<Profile>)> = if each {
        matches.iter().map(|r| (named(r, &r.type_name), r.id.clone(), Arc::clone(&r.profile))).collect()
    } else {
        let collapsed = apart(collapser.collapse(matches, usize::MAX).await?);
        collapsed.into_iter().map(|c| (named(c.ranked, &c.shown.type_name), c.shown.id, c.shown.profile)).collect()
    };
    counted.retain(|(_, _, p)| parsed.clauses.admits(|| created(&p.noun)));
    if !parsed.scope_only && counted.iter().any(|(_, _, p)| p.role > SERVES) {
        counted.retain(|(named, _, p)| p.role > SERVES || *named);
    }
    let nouns: Vec<&Noun> = counted.iter().map(|(_, _, p)| &p.noun).collect();
    let groups = match &parsed.clauses.group_by {
        None => Vec::new(),
        Some(GroupBy::Owner) => grouped(&nouns, &GroupBy::Owner, &owners(collapser.view, &nouns).await?),
        Some(by) => grouped(&nouns, by, &Owners::default()),
    };
    let total = nouns.len();
    Ok(Number { total, groups, ids: counted.into_iter().map(|(_, id, _)| id).collect() })
}

/// Owners that the view shows.
#[derive(Default)]
struct Owners {
    known: HashMap<ObjectKey, ResourceInstance>,
    /// Whether it shows everything.
    whole: bool,
}

fn grouped(nouns: &[&Noun], by: &GroupBy, owners: &Owners) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for noun in nouns {
        let group = group_of(noun, by, owners).unwrap_or_else(|| NONE.to_owned());
        *counts.entry(group).or_default() += 1;
    }
    let mut groups: Vec<(String, usize)> = counts.into_iter().collect();
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    groups
}

fn group_of(noun: &Noun, by: &GroupBy, owners: &Owners) -> Option<String> {
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

fn found_owner<'o>(
    object: &ResourceInstance,
    owners: &'o HashMap<ObjectKey, ResourceInstance>,
) -> Option<&'o ResourceInstance> {
    ObjectKey::of_owner(object)?.iter().find_map(|key| owners.get(key))
}

/// The owner at the top, as far as owners are indexed. Of one that the view does not show only the kind is told, unless it shows everything.
fn top_owner(instance: &ResourceInstance, owners: &Owners) -> Option<String> {
    let Owners { known: owners, whole } = owners;
    let (mut owned, mut owner) = (instance, instance.owner.as_ref()?);
    for _ in 0..LEVELS {
        let found = found_owner(owned, owners);
        let Some((found, above)) = found.and_then(|found| Some((found, found.owner.as_ref()?))) else { break };
        (owned, owner) = (found, above);
    }
    let shown = *whole || found_owner(owned, owners).is_some();
    Some(if shown { format!("{}/{}", owner.kind, owner.name) } else { owner.kind.clone() })
}

/// The owners of the objects, their owners and so on, as far as they are indexed.
async fn owners(view: &dyn View, nouns: &[&Noun]) -> Result<Owners, StoreError> {
    let mut known = HashMap::new();
    let mut wanted: BTreeSet<ObjectKey> = BTreeSet::new();
    for noun in nouns {
        if let Noun::Instance(instance) = noun {
            wanted.extend(ObjectKey::of_owner(instance).into_iter().flatten());
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
                wanted.extend(ObjectKey::of_owner(&owner).into_iter().flatten());
                known.insert(key, owner);
            }
        }
    }
    Ok(Owners { known, whole: view.shows_all() })
}
