//! One hit for what belongs together: what a controller made stands under it, and the same thing in many namespaces is one hit
//! with a count.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clusterlore_core::{CLUSTER_SCOPE, Collection, ObjectKey, ResourceInstance, words};
use clusterlore_store::View;

use crate::profile::Profile;
use crate::{Noun, Ranked, SearchError, Searcher, Understood};

/// Equal things from which they are one hit: three side by side can be read, twenty fill the list.
const FOLDED_FROM: usize = 4;
/// Candidates that are looked at for a hit, to begin with.
const LOOKED_AT: usize = 8;
/// Controllers above each other: Deployment, ReplicaSet and Pod are three, with a custom resource over them four.
pub(crate) const LEVELS: usize = 4;

/// A candidate with what it stands for.
pub(crate) struct Gathered {
    pub(crate) ranked: Ranked,
    /// What is shown: the candidate itself, or the controller that it was found through.
    pub(crate) shown: Shown,
    /// Ids of other candidates that the shown object controls.
    pub(crate) controlled: Vec<String>,
    /// The same thing in other namespaces.
    pub(crate) elsewhere: Vec<Gathered>,
}

pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) type_name: String,
    pub(crate) profile: Arc<Profile>,
}

/// Objects by key: the candidates, and the controllers that are not among them.
type Known = HashMap<ObjectKey, Shown>;

impl Searcher {
    /// Puts together what belongs together, until there are `limit` hits; the order stays, and each hit stands where its best
    /// member stood.
    pub(crate) async fn gather(
        &self,
        view: &dyn View,
        ranked: Vec<Ranked>,
        understood: &Understood,
        limit: usize,
    ) -> Result<Vec<Gathered>, SearchError> {
        let narrowed = !understood.filter.namespaces.is_empty() || !understood.filter.selector.is_empty();
        let fold = if narrowed || understood.scope_only { |all| all } else { fold };
        // Owners are read for what is shown, not for all that was ranked.
        let mut looked_at = limit.saturating_mul(LOOKED_AT);
        loop {
            let gathered = fold(self.roll_up(view, &ranked[..looked_at.min(ranked.len())], understood).await?);
            if gathered.len() >= limit || looked_at >= ranked.len() {
                return Ok(gathered);
            }
            looked_at = looked_at.saturating_mul(LOOKED_AT);
        }
    }

    /// Puts what a controller made under the topmost controller that is known, unless its own kind was asked for.
    async fn roll_up(
        &self,
        view: &dyn View,
        ranked: &[Ranked],
        understood: &Understood,
    ) -> Result<Vec<Gathered>, SearchError> {
        let asked_for =
            |type_name: &str| understood.filter.types.contains(type_name) || understood.kinds.contains(type_name);
        let mut known = Known::new();
        let mut missing: BTreeSet<ObjectKey> = BTreeSet::new();
        for r in ranked {
            let Noun::Instance(instance) = &r.profile.noun else { continue };
            let shown = Shown { id: r.id.clone(), type_name: r.type_name.clone(), profile: Arc::clone(&r.profile) };
            known.insert(key_of(instance), shown);
            if !asked_for(&r.type_name) {
                missing.extend(owner_keys(instance));
            }
        }
        for _ in 0..LEVELS {
            missing.retain(|key| !known.contains_key(key));
            if missing.is_empty() {
                break;
            }
            let keys: Vec<ObjectKey> = std::mem::take(&mut missing).into_iter().collect();
            for (key, record) in view.records(Collection::Instances, &keys).await? {
                let Ok(instance) = serde_json::from_str::<ResourceInstance>(&record) else { continue };
                missing.extend(owner_keys(&instance));
                let id = instance.stored_id();
                let profile = self.profiles.of(&self.catalogue, Collection::Instances, &id, &record);
                let shown = profile.map(|profile| Shown { id, type_name: String::new(), profile });
                known.extend(shown.map(|shown| (key, shown)));
            }
        }
        let mut gathered: Vec<Gathered> = Vec::with_capacity(ranked.len());
        let mut places: HashMap<ObjectKey, usize> = HashMap::new();
        for r in ranked {
            let own = Shown { id: r.id.clone(), type_name: r.type_name.clone(), profile: Arc::clone(&r.profile) };
            let top = match &r.profile.noun {
                Noun::Instance(i) if !asked_for(&r.type_name) => Some(top_of(i, &known)),
                Noun::Instance(i) => Some(key_of(i)),
                Noun::Type(..) => None,
            };
            let place = top.and_then(|top| places.get(&top).copied());
            match place {
                Some(place) if gathered[place].shown.id != r.id => gathered[place].controlled.push(r.id.clone()),
                Some(_) => {}
                None => {
                    places.extend(top.map(|top| (top, gathered.len())));
                    let shown = match top.and_then(|top| known.get(&top)).filter(|shown| shown.id != r.id) {
                        Some(s) => {
                            Shown { id: s.id.clone(), type_name: s.type_name.clone(), profile: Arc::clone(&s.profile) }
                        }
                        None => own,
                    };
                    let controlled = if shown.id == r.id { Vec::new() } else { vec![r.id.clone()] };
                    gathered.push(Gathered { ranked: r.clone(), shown, controlled, elsewhere: Vec::new() });
                }
            }
        }
        Ok(gathered)
    }
}

/// Each thing on its own again.
pub(crate) fn apart(gathered: Vec<Gathered>) -> Vec<Gathered> {
    let all = gathered.into_iter().flat_map(|mut g| {
        let others = std::mem::take(&mut g.elsewhere);
        std::iter::once(g).chain(others)
    });
    all.collect()
}

/// Puts equal things of different namespaces (or clusters) under the first of them.
fn fold(gathered: Vec<Gathered>) -> Vec<Gathered> {
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    for g in &gathered {
        *counts.entry(likeness(g)).or_default() += 1;
    }
    let mut folded: Vec<Gathered> = Vec::with_capacity(gathered.len());
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for g in gathered {
        let like = likeness(&g);
        match places.get(&like) {
            Some(place) => folded[*place].elsewhere.push(g),
            None => {
                if counts[&like] >= FOLDED_FROM {
                    places.insert(like, folded.len());
                }
                folded.push(g);
            }
        }
    }
    folded
}

/// Kind, and the name without the namespace's own words: `redis` of `team-a` and `team-b-redis` of `team-b` are alike.
fn likeness(gathered: &Gathered) -> (String, String) {
    match &gathered.shown.profile.noun {
        Noun::Instance(i) => {
            let namespace: Vec<String> = words::split(&i.namespace);
            let own = words::split(&i.name);
            let name: Vec<&str> = own.iter().map(String::as_str).collect();
            let rest: Vec<&str> = match name.windows(namespace.len().max(1)).position(|w| w == namespace) {
                Some(at) if name.len() > namespace.len() => {
                    name[..at].iter().chain(&name[at + namespace.len()..]).copied().collect()
                }
                _ => name,
            };
            (format!("{}/{}", i.api_group, i.kind), rest.join(" "))
        }
        Noun::Type(..) => (String::new(), gathered.shown.id.clone()),
    }
}

fn key_of(instance: &ResourceInstance) -> ObjectKey {
    let i = instance;
    ObjectKey::new(i.cluster.as_deref().unwrap_or_default(), &i.api_group, &i.kind, &i.namespace, &i.name)
}

/// Keys under which the owner may be known: it lives in the object's own namespace, or in none.
pub(crate) fn owner_keys(instance: &ResourceInstance) -> Vec<ObjectKey> {
    let Some(owner) = &instance.owner else { return Vec::new() };
    let cluster = instance.cluster.as_deref().unwrap_or_default();
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    [instance.namespace.as_str(), CLUSTER_SCOPE]
        .map(|namespace| ObjectKey::new(cluster, group, &owner.kind, namespace, &owner.name))
        .into()
}

/// The topmost controller; where it is not known its key stands for it, so that its objects still find each other.
fn top_of(instance: &ResourceInstance, known: &Known) -> ObjectKey {
    let mut key = key_of(instance);
    let mut owners = owner_keys(instance);
    for _ in 0..LEVELS {
        let Some(first) = owners.first().copied() else { break };
        let Some((found, shown)) = owners.iter().find_map(|k| known.get(k).map(|shown| (*k, shown))) else {
            return first;
        };
        key = found;
        let Noun::Instance(owner) = &shown.profile.noun else { break };
        owners = owner_keys(owner);
    }
    key
}
