//! Reading: a view is one of the mirror, with what was seen of the server when it was opened. What is near is the server's to say; of
//! that only those documents count which the mirror's view shows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_core::{Collection, JournalEntry, JournalQuery, ObjectKey, ResourceType, Scope};
use tokio::sync::OnceCell;

use super::api::VECTORS;
use super::client::{Answer, Refusal};
use super::seen::Seen;
use super::server::Chroma;
use crate::error::StoreError;
use crate::reader::{Candidate, Candidates, CollectionInfo, Counts, Page, Probe, Scanned, Terms, View, Vocabulary};
use crate::runs::{KnownSource, RunRecord};
use crate::sqlite::SqliteView;

/// Up to so many documents, their vectors are read and compared here: exact, and the server need not search among the others.
const FEW: usize = 200;
/// Up to so many ids go with a query.
const MOST_IDS: usize = 5_000;
/// The server's index is approximate: among this many more than wanted are the wanted ones.
const MORE: usize = 100;
/// How often the server is looked at again where others keep changing the mirror.
const LOOKS: usize = 3;

/// Documents with their cosine.
type Near = Vec<(String, f32)>;

/// One state of the mirror under one scope, and the collections of the server that it shows.
pub(super) struct ChromaView {
    store: Chroma,
    scope: Scope,
    mirror: SqliteView,
    /// Both collections, in the order of [`Collection::ALL`].
    seen: [Option<Seen>; 2],
    /// Read when they are first asked for.
    sources: OnceCell<Vec<KnownSource>>,
}

impl Chroma {
    /// A view of what was there a moment ago. `now`: of what is there.
    pub(super) async fn open_view(&self, scope: &Scope, now: bool) -> Result<ChromaView, StoreError> {
        self.fresh_types(now).await?;
        let mirror = self.mirror().await?;
        let mut changed = None;
        for again in (0..LOOKS).map(|n| n > 0) {
            let mut seen = [None, None];
            for (seen, collection) in seen.iter_mut().zip(Collection::ALL) {
                *seen = match again {
                    false => self.fresh(collection, now).await?,
                    true => {
                        let _gate = self.inner.gate.lock().await;
                        self.look(collection, now).await?
                    }
                };
            }
            let view = mirror.open_view(scope).await?;
            changed = None;
            for (seen, collection) in seen.iter_mut().zip(Collection::ALL) {
                let Some(seen) = seen else { continue };
                let stamp = view.stamp(collection.name()).await?.unwrap_or_default();
                if !seen.is_shown_by(&stamp) {
                    changed = Some(collection);
                }
            }
            if changed.is_none() {
                let (store, scope) = (self.clone(), scope.clone());
                return Ok(ChromaView { store, scope, mirror: view, seen, sources: OnceCell::new() });
            }
        }
        let name = changed.map(Collection::name).unwrap_or_default();
        Err(self.api().client.disturbed(format!("collection \"{name}\" changes too fast to be read")))
    }
}

#[async_trait]
impl View for ChromaView {
    fn shows_all(&self) -> bool {
        self.scope.is_all()
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionInfo>, StoreError> {
        let Some(seen) = self.seen(collection) else { return Ok(None) };
        let documents = self.mirror.collection(collection).await?.map_or(0, |c| c.documents);
        Ok(Some(CollectionInfo { embedder: seen.embedder.clone(), documents }))
    }

    async fn scan(
        &self,
        collection: Collection,
        cluster: &str,
        visit: &mut (dyn for<'a> FnMut(Scanned<'a>) + Send),
    ) -> Result<(), StoreError> {
        match self.seen(collection) {
            Some(_) => self.mirror.scan(collection, cluster, visit).await,
            None => Ok(()),
        }
    }

    async fn records(
        &self,
        collection: Collection,
        keys: &[ObjectKey],
    ) -> Result<HashMap<ObjectKey, String>, StoreError> {
        match self.seen(collection) {
            Some(_) => self.mirror.records(collection, keys).await,
            None => Ok(HashMap::new()),
        }
    }

    async fn probe(&self, collection: Collection, probe: Probe) -> Result<Candidates, StoreError> {
        let Some(seen) = self.seen(collection) else { return Ok(Candidates::default()) };
        match self.candidates(collection, seen, &probe).await {
            // Its vectors went since the view was opened.
            Err(Refusal::NotThere(_)) => self.without_meaning(collection, &probe).await,
            found => found.map_err(|refusal| self.store.api().error(refusal)),
        }
    }

    async fn vocabulary(&self, collection: Collection) -> Result<Arc<Vocabulary>, StoreError> {
        match self.seen(collection) {
            Some(_) => self.mirror.vocabulary(collection).await,
            None => Ok(Arc::default()),
        }
    }

    async fn frequencies(&self, collection: Collection, terms: &[String]) -> Result<Vec<usize>, StoreError> {
        match self.seen(collection) {
            Some(_) => self.mirror.frequencies(collection, terms).await,
            None => Ok(vec![0; terms.len()]),
        }
    }

    async fn terms(&self, collection: Collection) -> Result<Arc<Terms>, StoreError> {
        match self.seen(collection) {
            Some(_) => self.mirror.terms(collection).await,
            None => Ok(Arc::default()),
        }
    }

    async fn counts(&self, collection: Collection) -> Result<Vec<Counts>, StoreError> {
        match self.seen(collection) {
            Some(_) => self.mirror.counts(collection).await,
            None => Ok(Vec::new()),
        }
    }

    async fn page(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
        vectors: bool,
    ) -> Result<Page, StoreError> {
        let Some(seen) = self.seen(collection) else { return Ok(Page::default()) };
        let mut page = self.mirror.page(collection, after, limit, false).await?;
        if vectors {
            let ids: Vec<String> = page.documents.iter().map(|d| d.id.clone()).collect();
            let api = self.store.api();
            let mut read = api.vectors(&seen.id, &ids).await.map_err(|r| api.error(r))?;
            for document in &mut page.documents {
                document.vector = read.remove(&document.id).filter(|v| v.iter().any(|x| *x != 0.0));
            }
        }
        Ok(page)
    }

    async fn types(&self) -> Result<Arc<Vec<(String, ResourceType)>>, StoreError> {
        self.mirror.types().await
    }

    async fn journal(&self, query: JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.mirror.journal(query).await
    }

    async fn sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        let all = self.sources.get_or_try_init(|| self.store.known_sources()).await?;
        Ok(all.iter().filter(|source| self.scope.admits_cluster(&source.cluster)).cloned().collect())
    }

    async fn last_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.mirror.last_runs().await
    }
}

impl ChromaView {
    /// The collection as it was seen; of one that the server has not, the mirror says nothing.
    fn seen(&self, collection: Collection) -> Option<&Seen> {
        let at = Collection::ALL.iter().position(|c| *c == collection)?;
        self.seen[at].as_ref()
    }

    /// All are as near as each other.
    async fn without_meaning(&self, collection: Collection, probe: &Probe) -> Result<Candidates, StoreError> {
        self.mirror.probe(collection, Probe { vector: Vec::new(), ..probe.clone() }).await
    }

    async fn candidates(&self, collection: Collection, seen: &Seen, probe: &Probe) -> Answer<Candidates> {
        if seen.dimension != Some(probe.vector.len()) || probe.vector.is_empty() {
            return Ok(self.without_meaning(collection, probe).await?);
        }
        let by_words = Probe { vector: Vec::new(), nearest: 0, ..probe.clone() };
        let mut found = self.mirror.probe(collection, by_words).await?;
        let wanted = probe.nearest.min(found.admitted);
        let many = (self.scope.is_all() && probe.filter.is_empty()) || found.admitted > MOST_IDS;
        let of_all = many && wanted < found.admitted && seen.waiting.is_none();
        let near = async {
            match of_all {
                true => self.near_all(seen, &probe.vector, wanted, &found).await,
                false => self.near_admitted(collection, seen, probe, wanted).await,
            }
        };
        let by_words = apart(seen, found.documents.iter().map(|d| d.id.clone()).collect()).0;
        let (near, cosines) = tokio::join!(near, self.cosines(seen, &probe.vector, &by_words));
        let mut near = self.mirror.candidates(collection, &probe.filter, near?, wanted).await?;
        if near.len() < wanted {
            // The server's graph did not lead to as many, or to documents that this view does not show.
            let admitted = self.near_admitted(collection, seen, probe, wanted).await?;
            near = self.mirror.candidates(collection, &probe.filter, admitted, wanted).await?;
        }
        let cosines = cosines?;
        let mut near: HashMap<String, Candidate> = near.into_iter().map(|c| (c.id.clone(), c)).collect();
        for document in &mut found.documents {
            let near = near.remove(&document.id).map(|c| c.similarity);
            // What waits has no vector, nor has what was removed since.
            document.similarity = near.or_else(|| cosines.get(&document.id).copied()).unwrap_or_default();
        }
        found.documents.extend(near.into_values());
        Ok(found)
    }

    /// What is nearest to the vector of all that the server has, best first: so many that the wanted ones should be among them.
    async fn near_all(&self, seen: &Seen, vector: &[f32], wanted: usize, found: &Candidates) -> Answer<Near> {
        if wanted == 0 {
            return Ok(Near::new());
        }
        let on_server = seen.stamp.count.max(found.total);
        // As many as hold the wanted ones, were those admitted spread evenly.
        let count = generous(seen, wanted).saturating_mul(on_server.div_ceil(found.admitted.max(1)));
        Ok(sorted(self.store.api().nearest(&seen.id, vector, count.min(on_server), None).await?))
    }

    /// The admitted documents that are nearest to the probe's vector, best first: the `wanted` ones and some more. What has no vector
    /// comes last.
    async fn near_admitted(&self, collection: Collection, seen: &Seen, probe: &Probe, wanted: usize) -> Answer<Near> {
        if wanted == 0 {
            return Ok(Near::new());
        }
        let (ids, waiting) = apart(seen, self.mirror.admitted_ids(collection, &probe.filter).await?);
        let mut near = sorted(self.near_of(seen, &probe.vector, wanted.min(ids.len()), &ids).await?);
        if near.len() < wanted {
            let reached: HashSet<String> = near.iter().map(|(id, _)| id.clone()).collect();
            let rest = ids.into_iter().chain(waiting).filter(|id| !reached.contains(id));
            near.extend(rest.map(|id| (id, 0.0)));
        }
        Ok(near)
    }

    /// Of these documents the `wanted` nearest to the vector, and some more; fewer where some were removed since.
    async fn near_of(&self, seen: &Seen, vector: &[f32], wanted: usize, ids: &[String]) -> Answer<Near> {
        let api = self.store.api();
        if ids.len() <= FEW {
            return Ok(self.cosines(seen, vector, ids).await?.into_iter().collect());
        }
        let mut near = if ids.len() <= MOST_IDS {
            api.nearest_of(&seen.id, vector, generous(seen, wanted), ids).await?
        } else {
            let admitted: HashSet<&String> = ids.iter().collect();
            let mut near = api.nearest(&seen.id, vector, seen.stamp.count.max(ids.len()), None).await?;
            near.retain(|(id, _)| admitted.contains(id));
            near
        };
        if near.len() < wanted {
            // The server's graph did not lead to all of them.
            let reached: HashSet<&String> = near.iter().map(|(id, _)| id).collect();
            let missed: Vec<String> = ids.iter().filter(|id| !reached.contains(id)).cloned().collect();
            near.extend(self.cosines(seen, vector, &missed).await?);
        }
        Ok(near)
    }

    /// The cosine of each of these documents that is there.
    async fn cosines(&self, seen: &Seen, vector: &[f32], ids: &[String]) -> Answer<HashMap<String, f32>> {
        let api = self.store.api();
        let mut near = HashMap::new();
        if ids.len() > VECTORS {
            // Far less to send, and what the server's graph does not lead to is asked for below.
            near.extend(api.nearest_of(&seen.id, vector, ids.len(), ids).await?);
        }
        let missed: Vec<String> = ids.iter().filter(|id| !near.contains_key(*id)).cloned().collect();
        let read = api.vectors(&seen.id, &missed).await?;
        near.extend(read.into_iter().map(|(id, v)| (id, cosine(vector, &v))));
        Ok(near)
    }
}

/// How many the server is asked for, to get so many.
fn generous(seen: &Seen, count: usize) -> usize {
    count.saturating_mul(2).saturating_add(MORE + seen.stamp.shadows.len())
}

/// Those that have a vector, and those that wait for one.
fn apart(seen: &Seen, ids: Vec<String>) -> (Vec<String>, Vec<String>) {
    let has_one = |id: &String| seen.waiting.as_ref().is_none_or(|w| !w.ids.contains(id));
    ids.into_iter().partition(has_one)
}

fn sorted(mut near: Near) -> Near {
    near.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    near
}

/// 0 where either is no vector.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if a.len() == b.len() && norms > 0.0 { (dot(a, b) / norms) as f32 } else { 0.0 }
}
