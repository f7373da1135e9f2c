//! One hit for what belongs together: what a controller made is collapsed into the controller, and the same thing in many namespaces into
//! the first of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Collection, ObjectKey, ResourceInstance, words};
use clusterlore_store::{StoreError, View};

use crate::query::ParsedQuery;
use crate::rank::{Noun, Profile, Profiles, Ranked};

/// The fewest equal things that become one hit. Three are easy to read; twenty fill the list.
const COLLAPSED_FROM: usize = 4;
/// How many candidates are read for each hit, to begin with.
const READ_PER_HIT: usize = 8;
/// The most levels of controllers: Deployment, ReplicaSet and Pod are three, with a custom resource above them four.
pub(super) const LEVELS: usize = 4;

/// A candidate, and what was collapsed into it.
pub(super) struct Collapsed<'r> {
    pub(super) ranked: &'r Ranked,
    /// What is shown: the candidate itself, or the controller that it led to.
    pub(super) shown: Shown,
    /// Ids of other candidates that the shown object controls.
    pub(super) controlled: Vec<String>,
    /// The same thing in other namespaces.
    pub(super) elsewhere: Vec<Collapsed<'r>>,
}

/// A document that a hit shows.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) type_name: String,
    pub(super) profile: Arc<Profile>,
}

impl Shown {
    fn of(ranked: &Ranked) -> Self {
        Self { id: ranked.id.clone(), type_name: ranked.type_name.clone(), profile: Arc::clone(&ranked.profile) }
    }
}

/// Objects by key: the candidates, and their controllers.
type Known = HashMap<ObjectKey, Shown>;

/// Collapses the ranked documents of one question.
pub(crate) struct Collapser<'a> {
    pub(crate) view: &'a dyn View,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) profiles: &'a Profiles,
    pub(crate) parsed: &'a ParsedQuery,
}

impl Collapser<'_> {
    /// Collapses until there are `limit` hits. A hit has the rank of its best member.
    pub(super) async fn collapse<'r>(
        &self,
        ranked: &[&'r Ranked],
        limit: usize,
    ) -> Result<Vec<Collapsed<'r>>, StoreError> {
        let filter = &self.parsed.filter;
        let narrowed = !filter.namespaces.is_empty()
            || !filter.selector.is_empty()
            || !filter.annotations.is_empty()
            || !filter.keys.is_empty();
        let each_apart = narrowed || self.parsed.scope_only;
        // Owners are read for what is shown, not for all that was ranked.
        let mut read = limit.saturating_mul(READ_PER_HIT);
        loop {
            let owners = self.collapse_controllers(&ranked[..read.min(ranked.len())]).await?;
            let collapsed = if each_apart { owners } else { collapse_namespaces(owners) };
            if collapsed.len() >= limit || read >= ranked.len() {
                return Ok(collapsed);
            }
            read = read.saturating_mul(READ_PER_HIT);
        }
    }

    /// Collapses what a controller made into the topmost controller that is known, unless the question names its type.
    async fn collapse_controllers<'r>(&self, ranked: &[&'r Ranked]) -> Result<Vec<Collapsed<'r>>, StoreError> {
        let known = self.with_controllers(ranked).await?;
        let mut collapsed: Vec<Collapsed<'r>> = Vec::with_capacity(ranked.len());
        let mut places: HashMap<ObjectKey, usize> = HashMap::new();
        for r in ranked.iter().copied() {
            // What the question names stands for itself.
            let stands_alone = self.is_asked_for(&r.type_name) || r.features.named.is_some();
            let top = r.profile.key.map(|key| if stands_alone { key } else { top_of(key, &r.profile, &known) });
            match top.and_then(|top| places.get(&top).copied()) {
                Some(place) if collapsed[place].shown.id != r.id => collapsed[place].controlled.push(r.id.clone()),
                Some(_) => {}
                None => {
                    places.extend(top.map(|top| (top, collapsed.len())));
                    let controller = top.and_then(|top| known.get(&top)).filter(|shown| shown.id != r.id);
                    let (shown, controlled) = match controller {
                        Some(controller) => (controller.clone(), vec![r.id.clone()]),
                        None => (Shown::of(r), Vec::new()),
                    };
                    collapsed.push(Collapsed { ranked: r, shown, controlled, elsewhere: Vec::new() });
                }
            }
        }
        Ok(collapsed)
    }

    /// Whether objects of the type are asked for, and not what controls them: the question names the type, or the caller the objects.
    fn is_asked_for(&self, type_name: &str) -> bool {
        self.parsed.names_type(type_name) || !self.parsed.filter.keys.is_empty()
    }

    /// The documents, and the controllers of those whose type the question does not name, as far as they are indexed.
    async fn with_controllers(&self, ranked: &[&Ranked]) -> Result<Known, StoreError> {
        let mut known = Known::new();
        let mut missing: BTreeSet<ObjectKey> = BTreeSet::new();
        for r in ranked {
            let Some(key) = r.profile.key else { continue };
            known.insert(key, Shown::of(r));
            if !self.is_asked_for(&r.type_name) {
                missing.extend(r.profile.owners.into_iter().flatten());
            }
        }
        for _ in 0..LEVELS {
            missing.retain(|key| !known.contains_key(key));
            if missing.is_empty() {
                break;
            }
            let keys: Vec<ObjectKey> = std::mem::take(&mut missing).into_iter().collect();
            for (key, record) in self.view.records(Collection::Instances, &keys).await? {
                let Ok(instance) = serde_json::from_str::<ResourceInstance>(&record) else { continue };
                missing.extend(ObjectKey::of_owner(&instance).into_iter().flatten());
                let id = instance.stored_id();
                let profile = self.profiles.of(self.catalogue, Collection::Instances, &id, &record);
                let shown = profile.map(|profile| Shown { id, type_name: String::new(), profile });
                known.extend(shown.map(|shown| (key, shown)));
            }
        }
        Ok(known)
    }
}

/// Undoes the collapsing of namespaces.
pub(super) fn apart(collapsed: Vec<Collapsed<'_>>) -> Vec<Collapsed<'_>> {
    let all = collapsed.into_iter().flat_map(|mut c| {
        let others = std::mem::take(&mut c.elsewhere);
        std::iter::once(c).chain(others)
    });
    all.collect()
}

/// Collapses equal things of different namespaces (or clusters) into the first of them.
fn collapse_namespaces(all: Vec<Collapsed<'_>>) -> Vec<Collapsed<'_>> {
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    for c in &all {
        *counts.entry(likeness(c)).or_default() += 1;
    }
    let mut collapsed: Vec<Collapsed<'_>> = Vec::with_capacity(all.len());
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for c in all {
        let like = likeness(&c);
        match places.get(&like) {
            Some(place) => collapsed[*place].elsewhere.push(c),
            None => {
                if counts[&like] >= COLLAPSED_FROM {
                    places.insert(like, collapsed.len());
                }
                collapsed.push(c);
            }
        }
    }
    collapsed
}

/// Kind, and the name without the words of the namespace: `redis` in `team-a` and `team-b-redis` in `team-b` are alike.
fn likeness(collapsed: &Collapsed<'_>) -> (String, String) {
    match &collapsed.shown.profile.noun {
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
        Noun::Type(..) => (String::new(), collapsed.shown.id.clone()),
    }
}

/// The key of the topmost controller, even if that controller is not indexed: then it still joins the objects that it made.
fn top_of(own: ObjectKey, profile: &Profile, known: &Known) -> ObjectKey {
    let (mut key, mut owners) = (own, profile.owners);
    for _ in 0..LEVELS {
        let Some(owned_by) = owners else { break };
        let Some((found, shown)) = owned_by.iter().find_map(|k| known.get(k).map(|shown| (*k, shown))) else {
            return owned_by[0];
        };
        key = found;
        owners = shown.profile.owners;
    }
    key
}
