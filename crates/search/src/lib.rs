//! From a question to hits and numbers, each hit with its reasons. [`Searcher`] is the one door.
//!
//! A question goes through four folders, and each imports only from those before it:
//!
//! 1. `query`: the text becomes a [`ParsedQuery`] (spelling, clauses, named objects, conditions, what is not wanted, free text).
//! 2. `retrieve`: the store brings up candidates.
//! 3. `rank`: candidates get a score, which decides their order and whether they match.
//! 4. `answer`: matches become hits or a number.
//!
//! `error` is between 3 and 4. No two files import each other, not even by way of others (`testing/tests/structure.rs`).
//!
//! Never in this room: flags, printing, advice to the user, and writing to a store.

mod answer;
mod error;
mod judge;
mod query;
mod rank;
mod retrieve;
mod yardstick;

use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Collection, words};
use clusterlore_models::{Builtin, Embedder};
use clusterlore_store::{Probe, View};

pub use answer::Hit;
pub use error::SearchError;
pub use judge::{Judge, Judgement, Reached, Unindexed};
pub use query::{
    Clauses, Condition, First, GroupBy, LONGEST_QUESTION, NamedObject, Need, Note, Order, ParsedQuery, Problem, Query,
    SoftCondition, UnknownGroup, UnknownKind, Wanted, resolve_kinds,
};
pub use rank::{Features, Noun, Place, Places, Reason, Score, Weights};

use answer::{Collapser, Number};
use rank::{Profiles, Ranked, Ranking};
use retrieve::{Bridge, Budgets, CandidateBudget, Candidates, EmbeddedQuery, Lexicon};

/// What was found, and how the question was understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Best first. Empty if the query did not want hits.
    pub hits: Vec<Hit>,
    /// How many match, if the query wanted the number.
    pub number: Option<usize>,
    /// Stored ids of what the number counts, best first: a page of hits may show less, and other things beside it.
    pub counted: Vec<String>,
    /// How many of each group, most first, then by name; they add up to the number. Empty if nothing is grouped.
    pub groups: Vec<(String, usize)>,
    /// The parsed question.
    pub parsed: ParsedQuery,
    /// How many documents the collection has.
    pub total: usize,
    /// How many of them meet the question's conditions.
    pub admitted: usize,
    /// What their cluster says of the objects that the question reached, if it asks for that and there is who looks.
    pub judgement: Option<Judgement>,
    /// If hits were wanted and there are none: the types (`plural.group`) nearest to the question.
    pub closest: Vec<String>,
}

/// A candidate, as the ranking sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Stored id.
    pub id: String,
    /// `plural.group`.
    pub type_name: String,
    /// What it is scored by.
    pub features: Features,
    /// Its score.
    pub score: f32,
}

/// What may answer a question, and what it is compared with.
struct Found<'q> {
    embedded: EmbeddedQuery<'q>,
    bridge: Bridge,
    candidates: Candidates,
}

/// Answers questions. It caches what it read of documents, so create one and use it for all questions of a process.
#[derive(Debug)]
pub struct Searcher {
    catalogue: Arc<Catalogue>,
    weights: Weights,
    profiles: Profiles,
    lexicon: Lexicon,
}

impl Searcher {
    /// With a catalogue and the default weights.
    pub fn new(catalogue: impl Into<Arc<Catalogue>>) -> Self {
        Self::with_weights(catalogue, Weights::default())
    }

    /// With other weights, to try them.
    pub fn with_weights(catalogue: impl Into<Arc<Catalogue>>, weights: Weights) -> Self {
        Self { catalogue: catalogue.into(), weights, profiles: Profiles::default(), lexicon: Lexicon::default() }
    }

    /// With another encoder, to try it.
    #[must_use]
    pub fn with_encoder(self, builtin: Builtin) -> Self {
        Self { profiles: Profiles::of_encoder(builtin.clone()), lexicon: Lexicon::of_encoder(builtin), ..self }
    }

    /// Replaces the weights and keeps the caches.
    pub fn set_weights(&mut self, weights: Weights) {
        self.weights = weights;
    }

    /// Reads what every question needs, and as many documents as are kept, so that the first questions take no longer than those after them.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn warm<'f>(&'f self, view: &'f dyn View) -> BoxFuture<'f, Result<(), SearchError>> {
        Box::pin(async move {
            self.lexicon.software(&self.catalogue).await?;
            for collection in Collection::ALL {
                view.vocabulary(collection).await?;
                view.terms(collection).await?;
                let probe = Probe { nearest: Profiles::KEPT, ..Probe::default() };
                for document in view.probe(collection, probe).await?.documents {
                    self.profiles.of(&self.catalogue, collection, &document.id, &document.record);
                    // Others are asked meanwhile.
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        })
    }

    /// Answers a question: hits, the number of matches, or both, as the query wants. Either is the same with and without the other.
    ///
    /// A question that has only conditions, or is empty, is counted exactly. One with free text is counted among the 2,000 documents
    /// nearest to it and the 5,000 that contain its rarest words.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn answer<'f>(
        &'f self,
        view: &'f dyn View,
        embedder: &'f dyn Embedder,
        query: &'f Query,
    ) -> BoxFuture<'f, Result<Answer, SearchError>> {
        Box::pin(async move { self.answer_with(view, embedder, query, None).await })
    }

    /// The question as it is understood, without an answer.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn read<'f>(
        &'f self,
        view: &'f dyn View,
        embedder: &'f dyn Embedder,
        query: &'f Query,
    ) -> BoxFuture<'f, Result<ParsedQuery, SearchError>> {
        Box::pin(async move {
            check(query)?;
            Ok(query::parse(view, embedder, &self.catalogue, query).await?)
        })
    }

    /// The same with somebody who looks at the cluster. If the question asks for what only a cluster knows ("not ready"), those objects
    /// answer of which it holds; of an object that the question names it is told whether it does. Without who looks the answer is about
    /// all objects that are asked for, and nothing is counted.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn answer_with<'f>(
        &'f self,
        view: &'f dyn View,
        embedder: &'f dyn Embedder,
        query: &'f Query,
        judge: Option<&'f dyn Judge>,
    ) -> BoxFuture<'f, Result<Answer, SearchError>> {
        Box::pin(async move {
            check(query)?;
            let total = searchable(view, embedder, query.collection).await?;
            let parsed = query::parse(view, embedder, &self.catalogue, query).await?;
            self.answer_parsed(view, embedder, query, parsed, total, judge).await
        })
    }

    async fn answer_parsed(
        &self,
        view: &dyn View,
        embedder: &dyn Embedder,
        query: &Query,
        parsed: ParsedQuery,
        total: usize,
        judge: Option<&dyn Judge>,
    ) -> Result<Answer, SearchError> {
        let collection = query.collection;
        // Stop words alone ask for nothing, unless the caller says where.
        let empty = !query.text.trim().is_empty() && parsed.says_nothing() && !query.is_narrowed();
        if empty {
            return Err(SearchError::NoQuestion);
        }
        let counted = query.number.applies(&parsed.clauses);
        if parsed.problem.is_some() {
            return Ok(Answer { number: counted.then_some(0), parsed, total, ..Answer::default() });
        }

        // "Why is it failing?" names nothing that could be found.
        if parsed.conditions().is_empty() && parsed.names_nothing() && !query.is_narrowed() {
            return Ok(Answer { parsed, total, ..Answer::default() });
        }
        let conditions = parsed.conditions();
        let looker = judge;
        let judge = judge.filter(|_| !conditions.is_empty() && collection == Collection::Instances);
        // Those of which a condition holds may be anywhere among the matches.
        let all = judge.is_some() && parsed.conditions_narrow();
        let for_hits = || if all { CandidateBudget::for_number(&parsed) } else { CandidateBudget::for_hits(&parsed) };
        let budgets =
            Budgets { hits: query.hits.then(for_hits), number: counted.then(|| CandidateBudget::for_number(&parsed)) };
        let Found { embedded, bridge, mut candidates } =
            self.find(view, embedder, collection, &parsed, budgets).await?;
        let documents = std::mem::take(&mut candidates.documents);
        let ranking = Ranking::new(&embedded, &bridge, self.weights, &candidates);
        let ranked = rank::rank(&ranking, &self.profiles, collection, documents);

        if all && !parsed.scope_only && !self.names_something(view, &ranking, &ranked).await? {
            // "Flaky pods that restarted": a word too many hides nothing of which the condition holds.
            if let Some(plain) = query::without_words(view, &parsed).await? {
                return Box::pin(self.answer_parsed(view, embedder, query, plain, total, judge)).await;
            }
        }

        let may_be_a_state = match parsed.needs.is_empty() {
            true => !parsed.scope_only,
            false => parsed.needs.iter().all(Need::is_untold_state),
        };
        // "Aborted rollouts": what names nothing may be what an operator prints of its objects.
        if let Some(looker) = looker.filter(|_| may_be_a_state)
            && collection == Collection::Instances
            && !self.names_something(view, &ranking, &ranked).await?
            && let Some(stated) = query::as_state(view, &parsed).await?
        {
            let answer = Box::pin(self.answer_parsed(view, embedder, query, stated, total, Some(looker))).await?;
            if answer
                .judgement
                .as_ref()
                .is_some_and(|judgement| judgement.findings.keys().any(|id| judgement.holds(id)))
            {
                return Ok(answer);
            }
        }

        let collapser = self.collapser(view, &parsed);
        let mut for_hits = if query.hits { answer::hit_matches(&ranking, &ranked) } else { Vec::new() };
        let mut for_number = if counted { answer::number_matches(&ranking, &ranked) } else { Vec::new() };
        if all && !parsed.scope_only && for_hits.is_empty() && for_number.is_empty() {
            // "The pager went off for tickets, which certificates are not ready?"
            if parsed.says_only_talk(&view.types().await?)
                && let Some(plain) = query::without_words(view, &parsed).await?
            {
                return Box::pin(self.answer_parsed(view, embedder, query, plain, total, judge)).await;
            }
        }
        let undated = (parsed.asks_age || parsed.clauses.by_age())
            && !(for_hits.is_empty() && for_number.is_empty())
            && for_hits.iter().chain(&for_number).all(|r| answer::created(&r.profile.noun).is_none());
        let judgement = match judge {
            Some(judge) => {
                let reached = reached(&for_hits, &for_number);
                let is_all = all && parsed.is_plain() && reached.len() == candidates.admitted;
                let filter = is_all.then_some(&parsed.filter);
                Some(judge.judge(&conditions, &reached, filter, &view.types().await?).await)
            }
            None => None,
        };
        // Where nothing could be looked at, the answer is about all that is asked for.
        let narrowed = judgement.as_ref().filter(|j| j.looked && parsed.conditions_narrow());
        if let Some(judgement) = narrowed {
            for_hits.retain(|r| judgement.holds(&r.id) && (parsed.scope_only || rank::is_evidence(r, &ranking)));
            for_number.retain(|r| judgement.holds(&r.id));
            if let Some((condition, first)) = parsed.first() {
                for_hits.sort_by_key(|r| judgement.rank(&r.id, condition, first.extreme));
                for_hits.truncate(first.at_most.unwrap_or(usize::MAX));
            }
        }
        // "Is webshop exposed?": of what is named so, that of which the cluster says whether it is comes first.
        if let (None, Some(judgement)) = (narrowed, judgement.as_ref().filter(|j| j.looked)) {
            for_hits.sort_by_key(|r| (r.features.named.is_none(), !judgement.tells(&r.id)));
        }
        // "Pods of checkout that are pending": of several objects that are named so, those answer of which it holds.
        if let (Some(judgement), Some(of_kind)) = (judgement.as_ref().filter(|j| j.looked), parsed.several_named()) {
            for_hits.retain(|r| of_kind.contains(&r.id) && judgement.holds(&r.id));
        }
        let mut hits = match query.hits {
            true => answer::hits(&collapser, &ranking, for_hits, query.limit).await?,
            false => Vec::new(),
        };
        for hit in &mut hits {
            let ids = std::iter::once(&hit.id).chain(&hit.controlled);
            let found = judgement.as_ref().and_then(|j| ids.filter_map(|id| j.findings.get(id)).next());
            hit.found = found.cloned().unwrap_or_default();
        }
        let Number { total: number, groups, ids } = match counted {
            true => answer::count(&collapser, &ranking, &for_number).await?,
            false => Number::default(),
        };
        // What stands for the pods that it controls does not where it is known not to be so itself: one ready pod of two makes no
        // StatefulSet ready.
        let (number, ids) = match narrowed {
            Some(judgement) => {
                hits.retain(|hit| !judgement.fails(&hit.id));
                let (gone, ids): (Vec<String>, Vec<String>) = ids.into_iter().partition(|id| judgement.fails(id));
                (number.saturating_sub(gone.len()), ids)
            }
            None => (number, ids),
        };
        // What the index does not hold yet counts too.
        let unindexed = narrowed.filter(|_| groups.is_empty()).map_or(0, |judgement| judgement.unindexed.len());
        let number = number + unindexed;
        // A number is not given as if the condition held.
        let counted =
            counted && !undated && (parsed.needs.is_empty() || narrowed.is_some_and(|judgement| !judgement.partial));
        let (groups, ids) = if counted { (groups, ids) } else { Default::default() };
        let closest = if query.hits && hits.is_empty() && narrowed.is_none() { bridge.closest } else { Vec::new() };
        let number = counted.then_some(number);
        let admitted = candidates.admitted;
        let mut parsed = parsed;
        if query.hits && hits.is_empty() {
            let elsewhere = std::mem::take(&mut parsed.elsewhere);
            parsed.notes.extend(elsewhere);
        }
        if undated && collection == Collection::Instances {
            parsed.needs_time();
        }
        Ok(Answer { hits, number, counted: ids, groups, parsed, total, admitted, judgement, closest })
    }

    /// Whether the free text of a question names anything: software, what it is for, or what objects are called or labelled.
    async fn names_something(
        &self,
        view: &dyn View,
        ranking: &Ranking<'_>,
        ranked: &[Ranked],
    ) -> Result<bool, SearchError> {
        let left = ranking.parsed().other_words(&view.types().await?).join(" ");
        let called = words::terms(&left);
        let known = !self.catalogue.asked(&left).is_empty();
        Ok(known || ranked.iter().any(|r| r.features.named.is_some() || ranking.is_called(&r.features, &called)))
    }

    /// Everything that the ranking knows of each candidate of a question, best first, for programs that choose weights or look for faults.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn scored<'f>(
        &'f self,
        view: &'f dyn View,
        embedder: &'f dyn Embedder,
        query: &'f Query,
    ) -> BoxFuture<'f, Result<(ParsedQuery, Vec<Scored>), SearchError>> {
        Box::pin(async move {
            check(query)?;
            searchable(view, embedder, query.collection).await?;
            let parsed = query::parse(view, embedder, &self.catalogue, query).await?;
            if parsed.problem.is_some() {
                return Ok((parsed, Vec::new()));
            }
            let budgets = Budgets { hits: Some(CandidateBudget::for_hits(&parsed)), number: None };
            let mut found = self.find(view, embedder, query.collection, &parsed, budgets).await?;
            let documents = std::mem::take(&mut found.candidates.documents);
            let ranking = Ranking::new(&found.embedded, &found.bridge, self.weights, &found.candidates);
            let ranked = rank::rank(&ranking, &self.profiles, query.collection, documents);
            let scored = ranked.into_iter().map(|r| {
                let (id, type_name) = (r.id.clone(), r.type_name.clone());
                Scored { id, type_name, features: r.features, score: r.score }
            });
            let scored = scored.collect();
            Ok((parsed, scored))
        })
    }

    /// What may answer a question.
    async fn find<'q>(
        &'q self,
        view: &dyn View,
        embedder: &dyn Embedder,
        collection: Collection,
        parsed: &'q ParsedQuery,
        budgets: Budgets,
    ) -> Result<Found<'q>, SearchError> {
        let embedded = EmbeddedQuery::of_text(&self.catalogue, &self.lexicon, embedder, parsed).await?;
        let bridge = match collection {
            Collection::Instances if !parsed.scope_only => {
                rank::bridge(view, &embedder.identity(), &self.profiles, self.weights, &embedded).await?
            }
            _ => Bridge::default(),
        };
        let bridged: BTreeSet<String> = bridge.types.keys().cloned().collect();
        let candidates = retrieve::retrieve(view, collection, &embedded, bridged, budgets).await?;
        Ok(Found { embedded, bridge, candidates })
    }

    /// Finds objects similar to one object, which is left out. `id` is a stored id, or `kind/name`: then the query's namespaces and
    /// clusters say where the object is, else they are conditions on what is similar to it. Only the filter and the limit of the query are used.
    ///
    /// # Errors
    /// [`SearchError::NoSuchObject`], [`SearchError::ManyObjects`]; else see [`SearchError`].
    pub fn similar<'f>(
        &'f self,
        view: &'f dyn View,
        embedder: &'f dyn Embedder,
        id: &'f str,
        query: &'f Query,
    ) -> BoxFuture<'f, Result<Answer, SearchError>> {
        Box::pin(async move {
            let collection = Collection::Instances;
            let total = searchable(view, embedder, collection).await?;
            let answer::Example { object, parsed } =
                answer::example(view, &self.catalogue, &self.profiles, id, &query.filter).await?;

            let text = object.text();
            let embedded = EmbeddedQuery::of_object(&self.catalogue, &self.lexicon, embedder, &parsed, text).await?;
            let mut candidates =
                retrieve::retrieve(view, collection, &embedded, BTreeSet::new(), Budgets::BEST_HITS).await?;

            let documents = std::mem::take(&mut candidates.documents);
            let bridge = Bridge::default();
            let ranking = Ranking::new(&embedded, &bridge, self.weights, &candidates);
            let ranked = rank::rank(&ranking, &self.profiles, collection, documents);

            let collapser = self.collapser(view, &parsed);
            let hits = answer::others(&collapser, &ranking, &ranked, &object.stored_id(), query.limit).await?;
            let admitted = candidates.admitted;
            Ok(Answer { hits, parsed, total, admitted, ..Answer::default() })
        })
    }

    /// The text by which the encoder knows a document, from its record. `None` if the record is not one of the collection.
    pub fn encoded_text(&self, collection: Collection, record: &str) -> Option<String> {
        let profile = self.profiles.of(&self.catalogue, collection, "", record)?;
        Some(profile.described(&self.catalogue))
    }

    fn collapser<'a>(&'a self, view: &'a dyn View, parsed: &'a ParsedQuery) -> Collapser<'a> {
        Collapser { view, catalogue: &self.catalogue, profiles: &self.profiles, parsed }
    }
}

/// The objects among the matches, each once.
fn reached<'r>(for_hits: &[&'r Ranked], for_number: &[&'r Ranked]) -> Vec<Reached<'r>> {
    let mut reached: BTreeMap<&str, Reached<'_>> = BTreeMap::new();
    for r in for_hits.iter().chain(for_number) {
        if let Noun::Instance(object) = &r.profile.noun {
            reached.insert(&r.id, Reached { id: &r.id, type_name: &r.type_name, object });
        }
    }
    reached.into_values().collect()
}

/// A question needs words only if hits are wanted: everything can be counted.
fn check(query: &Query) -> Result<(), SearchError> {
    let characters = query.text.chars().count();
    if characters > LONGEST_QUESTION {
        return Err(SearchError::LongQuestion { characters });
    }
    // Filters alone ask for all that they admit.
    if query.hits && words::split(&query.text).is_empty() && (!query.is_narrowed() || !query.text.trim().is_empty()) {
        return Err(SearchError::NoQuestion);
    }
    Ok(())
}

/// How many documents the collection has, if this embedder can search it.
async fn searchable(view: &dyn View, embedder: &dyn Embedder, collection: Collection) -> Result<usize, SearchError> {
    let info = view.collection(collection).await?.ok_or(SearchError::NoCollection(collection))?;
    let offered = embedder.identity();
    if !info.embedder.admits(&offered) {
        return Err(SearchError::OtherEmbedder { collection, stored: info.embedder, offered });
    }
    Ok(info.documents)
}

#[cfg(test)]
mod tests;
