//! Callers by their Kubernetes tokens, and what they may see by what they may list.
//!
//! Rights are asked for once and believed for [`BELIEVED`]: everything at once; then each type that the index has objects of, in the whole
//! cluster; then each namespace as a whole; and for what is left each type in each namespace where there are such objects. A Namespace object
//! may also be seen by who may get it: to the API server it is in the namespace of its name.
//!
//! Where there are objects is worked out of the documents, and of the journal: the last object of a type may be gone, and what happened to
//! it is still asked for. What is the first of its type in a namespace is noticed by the journal too, and rights are then read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clusterlore_cluster::reviews::{Listing, NoReview, User};
use clusterlore_cluster::{ClusterSource, LiveSource};
use clusterlore_core::{
    CLUSTER_SCOPE, Collection, Happening, JournalBounds, JournalEntry, JournalQuery, ObjectKey, ResourceType, Rule,
    Scope, SourceIdentity, TOLD_APART, api_group,
};
use clusterlore_index::Door;
use clusterlore_store::{KnownSource, Store, StoreError, View};
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tracing::{error, warn};

use super::caller::{Caller, Denied};

/// How long an answer of the API server is believed.
const BELIEVED: Duration = Duration::from_secs(30);
/// Callers who come back after this time have their rights read again before the old ones end.
const RENEWED: Duration = Duration::from_secs(20);
/// Where there are new places, rights that are older than this are read again.
const GROWN: Duration = Duration::from_secs(5);
/// Between two looks at the journal.
const LOOK: Duration = Duration::from_secs(1);
/// A refusal is believed so long: who was just given rights should not wait.
const REFUSED: Duration = Duration::from_secs(2);
/// How long a caller waits for rights that are being read. Reading goes on meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);
/// Reviews at once.
const AT_ONCE: usize = 32;
/// Callers that are remembered.
const CALLERS: usize = 10_000;

/// Tells callers apart by asking an API server.
pub struct Kubernetes {
    door: Arc<dyn Door>,
    store: Arc<dyn Store>,
    /// The name under which the index has that server's cluster; nothing of others is shown.
    cluster: String,
    /// For whom tokens have to be meant; none: for the API server itself.
    audiences: Vec<String>,
    /// By the SHA-256 of a token.
    known: Mutex<HashMap<[u8; 32], Entry>>,
    places: tokio::sync::Mutex<Option<Looked>>,
}

type Decision = Result<Caller, Denied>;

struct Entry {
    at: Instant,
    decided: watch::Receiver<Option<Decision>>,
    /// How often there had been new places by then.
    grown: u64,
    /// Read again, to take this one's place.
    renewing: bool,
}

/// Where there are objects, and up to when that is known.
#[derive(Clone)]
struct Looked {
    /// When the documents were read.
    read: Instant,
    /// When the journal was.
    at: Instant,
    /// The time of its last entry.
    upto: Option<String>,
    places: Arc<Places>,
    /// How often there were new ones.
    grown: u64,
}

/// Where there are objects, or were.
#[derive(Clone, Default)]
struct Places {
    /// Namespaces (`_cluster` for objects without one) in which there are objects, by type.
    by_type: BTreeMap<String, BTreeSet<String>>,
    /// Namespace objects, by name.
    namespaces: BTreeMap<String, ObjectKey>,
}

impl Places {
    fn insert(&mut self, type_name: &str, namespace: &str) {
        match self.by_type.get_mut(type_name) {
            Some(namespaces) if namespaces.contains(namespace) => {}
            Some(namespaces) => _ = namespaces.insert(namespace.to_owned()),
            None => _ = self.by_type.insert(type_name.to_owned(), BTreeSet::from([namespace.to_owned()])),
        }
    }

    /// Adds what an entry of the journal tells. Of a namespace that is gone nobody has rights.
    fn add(&mut self, entry: &JournalEntry) {
        let JournalEntry { cluster, what, type_name, api_version, kind, namespace, name, .. } = entry;
        let is_there = *what != Some(Happening::Deleted);
        if is_there && type_name == TOLD_APART {
            let key = ObjectKey::new(cluster, api_group(api_version), kind, namespace, name);
            self.namespaces.insert(name.clone(), key);
        }
        if is_there || self.knows(namespace) {
            self.insert(type_name, namespace);
        }
    }

    /// Keeps where there were objects before.
    fn keep(&mut self, before: &Self) {
        let within: BTreeSet<&String> = before.by_type.values().flatten().filter(|n| self.knows(n)).collect();
        for (type_name, namespaces) in &before.by_type {
            namespaces.iter().filter(|n| within.contains(n)).for_each(|namespace| self.insert(type_name, namespace));
        }
    }

    /// Whether there is anything in a namespace, or the namespace itself.
    fn knows(&self, namespace: &str) -> bool {
        namespace == CLUSTER_SCOPE
            || self.namespaces.contains_key(namespace)
            || self.by_type.values().any(|namespaces| namespaces.contains(namespace))
    }

    /// Whether all places of another are here.
    fn covers(&self, other: &Self) -> bool {
        let here = |(name, namespaces): (&String, &BTreeSet<String>)| {
            self.by_type.get(name).is_some_and(|known| known.is_superset(namespaces))
        };
        other.by_type.iter().all(here) && other.namespaces.keys().all(|name| self.namespaces.contains_key(name))
    }
}

impl Kubernetes {
    /// Over the API server behind a door.
    pub fn new(door: Arc<dyn Door>, store: Arc<dyn Store>, cluster: String, audiences: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            door,
            store,
            cluster,
            audiences,
            known: Mutex::default(),
            places: tokio::sync::Mutex::default(),
        })
    }

    pub(super) async fn caller(self: &Arc<Self>, token: &str) -> Decision {
        let key: [u8; 32] = Sha256::digest(token).into();
        let mut decided = self.entry(key, token, self.grown());
        let wait = async {
            loop {
                if let Some(decision) = decided.borrow_and_update().clone() {
                    return decision;
                }
                if decided.changed().await.is_err() {
                    return Err(Denied::Unknown("who sends the token could not be found out"));
                }
            }
        };
        let late = Err(Denied::Unavailable("the caller's rights are still being read; try again"));
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or(late)
    }

    /// How often there were new places. Whether there are is looked at beside the question, which does not wait for it.
    fn grown(self: &Arc<Self>) -> u64 {
        let Ok(known) = self.places.try_lock() else { return 0 };
        let Some(looked) = &*known else { return 0 };
        if looked.at.elapsed() >= LOOK {
            let this = Arc::clone(self);
            // Where the index cannot be read, deciding tells of it.
            tokio::spawn(async move { this.looked().await.map(drop) });
        }
        looked.grown
    }

    /// What is known of a token, or is being found out.
    fn entry(self: &Arc<Self>, key: [u8; 32], token: &str, grown: u64) -> watch::Receiver<Option<Decision>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(entry) = known.get_mut(&key) {
            let age = now.duration_since(entry.at);
            let refused = matches!(&*entry.decided.borrow(), Some(Err(_)));
            if age < if refused { REFUSED } else { BELIEVED } {
                if (age >= RENEWED || age >= GROWN && entry.grown < grown) && !entry.renewing {
                    entry.renewing = true;
                    self.read_again(key, token.to_owned(), grown);
                }
                return entry.decided.clone();
            }
        }
        if known.len() >= CALLERS {
            known.retain(|_, entry| now.duration_since(entry.at) < BELIEVED);
            if known.len() >= CALLERS {
                known.clear();
            }
        }
        let (tell, decided) = watch::channel(None);
        known.insert(key, Entry { at: now, decided: decided.clone(), grown, renewing: false });
        let (this, token) = (Arc::clone(self), token.to_owned());
        tokio::spawn(async move {
            let decision = this.decide(&token).await;
            tell.send_replace(Some(decision));
        });
        decided
    }

    /// Rights that are in use are read before they end. What was known stays until then, whatever comes of it.
    fn read_again(self: &Arc<Self>, key: [u8; 32], token: String, grown: u64) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let at = Instant::now();
            let decision = this.decide(&token).await;
            if matches!(decision, Err(Denied::Unavailable(_))) {
                return;
            }
            let (tell, decided) = watch::channel(None);
            tell.send_replace(Some(decision));
            let mut known = this.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(key, Entry { at, decided, grown, renewing: false });
        });
    }

    async fn decide(&self, token: &str) -> Decision {
        let away = |reason: &dyn std::fmt::Display| {
            error!(%reason, "callers cannot be told apart");
            Denied::Unknown("who sends the token cannot be checked now, so nobody is let in")
        };
        let source = self.door.open().await.map_err(|reason| away(&reason))?;
        self.check_cluster(&source).await?;
        let user = source.review_token(token, &self.audiences).await.map_err(|reason| away(&reason))?;
        let user = user.ok_or(Denied::Unknown("the token is not valid, or not meant for this server"))?;
        let rules = self.rules(&source, &user).await.map_err(|reason| away(&reason))?;
        Ok(Caller { name: user.username, scope: Scope::rules(rules), writes: None })
    }

    /// Rights on one cluster say nothing of another: what is indexed has to be of the one whose API server is asked.
    async fn check_cluster(&self, source: &LiveSource) -> Result<(), Denied> {
        let denied = |reason: &dyn std::fmt::Display, told| {
            error!(%reason, "callers are refused");
            Denied::Unknown(told)
        };
        let unread = "which cluster is indexed cannot be checked now, so nobody is let in";
        let view = self.store.view_all("what is indexed is compared with the API server that is asked").await;
        let known = async { view?.sources().await }.await.map_err(|error| denied(&error, unread))?;
        let offered = source.identity().await.map_err(|error| denied(&error, unread))?;
        let of_cluster = |known: &&KnownSource| {
            known.cluster == self.cluster && !known.replaced && matches!(known.identity, SourceIdentity::Cluster { .. })
        };
        known.iter().filter(of_cluster).try_for_each(|known| {
            let told =
                "the API server that is asked is not the one of the cluster that is indexed, so nobody is let in";
            known.identity.check_to_read(&offered).map_err(|mismatch| denied(&mismatch, told))
        })
    }

    /// What somebody may list of what is indexed.
    async fn rules(&self, source: &LiveSource, user: &User) -> Result<Vec<Rule>, NoReview> {
        let everything = Listing { group: "*", resource: "*", namespace: None };
        if source.may_list(user, everything).await? {
            return Ok(vec![Rule::cluster(&self.cluster)]);
        }
        let Looked { places, .. } = self.looked().await.map_err(|error| {
            warn!(%error, "what is indexed cannot be read, so nothing is shown");
            NoReview::Away("the index cannot be read".to_owned())
        })?;
        let whole = reviewed(source, user, places.by_type.keys().map(|name| (name.clone(), None)).collect()).await?;
        let whole: BTreeSet<String> = whole.into_iter().map(|(name, _)| name).collect();
        let mut left: Vec<(String, String)> = Vec::new();
        for (name, namespaces) in places.by_type.iter().filter(|(name, _)| !whole.contains(*name)) {
            left.extend(namespaces.iter().filter(|n| *n != CLUSTER_SCOPE).map(|n| (name.clone(), n.clone())));
        }
        let namespaces: BTreeSet<String> = left.iter().map(|(_, namespace)| namespace.clone()).collect();
        let open = namespaces.into_iter().map(|namespace| ("*".to_owned(), Some(namespace))).collect();
        let open: BTreeSet<String> = reviewed(source, user, open).await?.into_iter().filter_map(|(_, n)| n).collect();
        left.retain(|(_, namespace)| !open.contains(namespace));
        let pairs = left.into_iter().map(|(name, namespace)| (name, Some(namespace))).collect();
        let mut by_type: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, namespace) in reviewed(source, user, pairs).await? {
            by_type.entry(name).or_default().extend(namespace);
        }
        let objects = match whole.contains(TOLD_APART) {
            true => BTreeSet::new(),
            false => gettable(source, user, &places.namespaces).await?,
        };

        let all = Rule::cluster(&self.cluster);
        let mut rules: Vec<Rule> = Vec::new();
        rules.extend(whole.into_iter().map(|name| Rule { type_name: Some(name), ..all.clone() }));
        if !open.is_empty() {
            rules.push(Rule { namespaces: Some(open), ..all.clone() });
        }
        let within = |(name, namespaces)| Rule { type_name: Some(name), namespaces: Some(namespaces), ..all.clone() };
        rules.extend(by_type.into_iter().map(within));
        if !objects.is_empty() {
            rules.push(Rule { type_name: Some(TOLD_APART.to_owned()), objects: Some(objects), ..all.clone() });
        }
        Ok(rules)
    }

    /// Where there are objects of which types.
    async fn looked(&self) -> Result<Looked, StoreError> {
        // Held while it is read: callers who need it at the same time wait for one answer.
        let mut known = self.places.lock().await;
        if let Some(looked) = known.as_ref().filter(|looked| looked.at.elapsed() < LOOK) {
            return Ok(looked.clone());
        }
        let at = Instant::now();
        let view = self.store.view_all("what callers may list is asked for where there is something").await?;
        // All of the journal is read once, and then what is new in it.
        let upto = known.as_ref().and_then(|known| known.upto.clone());
        let cluster = Some(self.cluster.clone());
        let entries = view
            .journal(JournalQuery {
                cluster,
                since: upto.clone(),
                limit: JournalBounds::MOST,
                ..JournalQuery::default()
            })
            .await?;
        let (read, mut places) = match &*known {
            Some(before) if before.read.elapsed() < BELIEVED => (before.read, (*before.places).clone()),
            before => {
                let mut places = self.documents(&*view).await?;
                before.iter().for_each(|before| places.keep(&before.places));
                (at, places)
            }
        };
        let upto = entries.first().map(|entry| entry.at.clone()).or(upto);
        entries.iter().for_each(|entry| places.add(entry));
        let grown = known.as_ref().map_or(0, |known| known.grown + u64::from(!known.places.covers(&places)));
        let looked = Looked { read, at, upto, places: Arc::new(places), grown };
        *known = Some(looked.clone());
        Ok(looked)
    }

    /// Where documents say that there are objects.
    async fn documents(&self, view: &dyn View) -> Result<Places, StoreError> {
        let mut places = Places::default();
        view.scan(Collection::Instances, &self.cluster, &mut |s| {
            if let Some((_, name)) = s.id.rsplit_once('/').filter(|_| s.type_name == TOLD_APART) {
                places.namespaces.insert(name.to_owned(), s.key);
            }
            places.insert(s.type_name, s.namespace);
        })
        .await?;
        Ok(places)
    }
}

/// A type's name, `*` for all of them, and a namespace; `None`: everywhere.
type Asked = (String, Option<String>);

/// What of all this somebody may list.
async fn reviewed(source: &LiveSource, user: &User, asked: Vec<Asked>) -> Result<Vec<Asked>, NoReview> {
    stream::iter(asked)
        .map(|asked| review(source, user, asked))
        .buffer_unordered(AT_ONCE)
        .try_filter_map(|found| std::future::ready(Ok(found)))
        .try_collect()
        .await
}

async fn review(source: &LiveSource, user: &User, asked: Asked) -> Result<Option<Asked>, NoReview> {
    let (name, namespace) = &asked;
    let (resource, group) = match name.as_str() {
        "*" => ("*", "*"),
        name => (name.split('.').next().unwrap_or_default(), ResourceType::group_of(name)),
    };
    let allowed = source.may_list(user, Listing { group, resource, namespace: namespace.as_deref() }).await?;
    Ok(allowed.then_some(asked))
}

/// Which of these Namespace objects somebody may get.
async fn gettable(
    source: &LiveSource,
    user: &User,
    all: &BTreeMap<String, ObjectKey>,
) -> Result<BTreeSet<ObjectKey>, NoReview> {
    if source.may_get_namespace(user, None).await? {
        return Ok(all.values().copied().collect());
    }
    let asked: Vec<(String, ObjectKey)> = all.iter().map(|(name, key)| (name.clone(), *key)).collect();
    stream::iter(asked)
        .map(|(name, key)| get(source, user, name, key))
        .buffer_unordered(AT_ONCE)
        .try_filter_map(|found| std::future::ready(Ok(found)))
        .try_collect()
        .await
}

async fn get(source: &LiveSource, user: &User, name: String, key: ObjectKey) -> Result<Option<ObjectKey>, NoReview> {
    Ok(source.may_get_namespace(user, Some(&name)).await?.then_some(key))
}
