//! From a question to ranked hits, each with its reasons. [`Searcher`] is the one door.
//!
//! Never in this room: flags, printing, and writing to a store.

mod ask;
mod bridge;
mod count;
mod fold;
mod kinds;
mod lexicon;
mod profile;
mod ranking;
mod similar;
mod typos;
mod understand;
mod weights;
mod yardstick;

use std::collections::HashSet;
use std::sync::Arc;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Capability, Collection, EmbedderIdentity, ResourceInstance, ResourceType, words};
use clusterlore_models::{EmbedError, Embedder, Purpose};
use clusterlore_store::{Candidates, Filter, Probe, StoreError, View};
use thiserror::Error;

pub use ask::{Ask, GroupBy, Order, UnknownGroup};
pub use count::Count;
pub use kinds::{UnknownKind, resolve_kinds};
pub use profile::{Place, Places};
pub use ranking::{Reason, Score};
pub use understand::{Surroundings, Understood, understand};
pub use weights::{Features, Weights};

use fold::Gathered;
use lexicon::{Lexicon, Nearness};
use profile::{Profile, Profiles};
use ranking::Ranking;

/// Documents that are put up for ranking.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// By the nearest vectors.
    nearest: usize,
    /// By words.
    containing: usize,
}

impl Reach {
    /// For the best hits.
    const NEAR: Self = Self { nearest: 80, containing: 100 };
    /// For all that fits: what is counted, or must be of an age.
    const FAR: Self = Self { nearest: 2_000, containing: 5_000 };
    /// Where only a scope was asked for.
    const SCOPE: Self = Self { nearest: 1_000, containing: 0 };
    /// Where only a scope was asked for, and everything in it counts.
    const ALL: Self = Self { nearest: usize::MAX, containing: 0 };

    fn of(understood: &Understood) -> Self {
        match (understood.scope_only, understood.ask.by_age()) {
            (true, true) => Self::ALL,
            (true, false) => Self::SCOPE,
            (false, true) => Self::FAR,
            (false, false) => Self::NEAR,
        }
    }
}

/// Characters of the longest question that is answered. A page of text asks for nothing in particular.
pub const LONGEST_QUESTION: usize = 4_000;
/// Place of the answer that tells how near the crowd is, and what its score is worth against the best.
const CROWD: usize = 10;
const CROWD_WORTH: f32 = 0.5;
/// Share of the question's words from which a document that holds them, wherever, is evidence by itself.
const WORD_FOR_WORD: f32 = 0.8;
/// Share of the best score below which a hit is padding.
const FAR_BEHIND: f32 = 0.35;

/// A question and its limits.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// As it was asked.
    pub text: String,
    /// Where to look.
    pub collection: Collection,
    /// What may be found at all.
    pub filter: Filter,
    /// How many hits at most.
    pub limit: usize,
    /// When it is asked, RFC 3339; empty where the caller does not know, and then no age can be asked for.
    pub now: String,
}

/// What a hit is.
#[derive(Debug, Clone, PartialEq)]
pub enum Noun {
    /// Something that runs.
    Instance(Box<ResourceInstance>),
    /// A type, and what it is for where that is known.
    Type(Box<ResourceType>, Option<Box<Capability>>),
}

/// One document that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Stored id.
    pub id: String,
    /// What it is.
    pub noun: Noun,
    /// Why it stands where it stands.
    pub score: Score,
    /// Ids of what it controls and what would have been hits of their own.
    pub controlled: Vec<String>,
    /// Ids of the same thing in other namespaces, for which it stands too.
    pub elsewhere: Vec<String>,
}

/// Hits, best first, and what they were chosen from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// What the question was understood to say.
    pub understood: Understood,
    /// Documents in the collection.
    pub total: usize,
    /// Documents that pass the filter.
    pub admitted: usize,
    /// Where nothing fits, the types (`plural.group`) that come nearest to the question.
    pub closest: Vec<String>,
}

/// A search that could not be done.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The question cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The collection is not there.
    #[error("nothing is indexed yet: the store has no collection \"{0}\". Fill it with \"clusterlore {filler}\", or both collections with \"clusterlore index\"", filler = filler(.0))]
    Empty(Collection),
    /// Another embedder filled it.
    #[error(
        "collection \"{collection}\" was filled by embedder {stored}; this search uses {offered}. Search with {}, or embed everything again with \"clusterlore {filler} --reindex\"",
        the_embedder(stored),
        filler = filler(collection)
    )]
    OtherEmbedder {
        /// Which collection.
        collection: Collection,
        /// Who filled it.
        stored: EmbedderIdentity,
        /// Who asks.
        offered: EmbedderIdentity,
    },
    /// There is no such object.
    #[error(
        "there is no object {id:?} in the index; expected a stored id such as shop/apps/v1/Deployment/web, or kind/name{}",
        instead(near)
    )]
    NoSuchObject {
        /// What was asked for.
        id: String,
        /// Ids of those that are called nearly so.
        near: Vec<String>,
    },
    /// There are several objects of the kind and name.
    #[error("{id:?} is the name of {}: {}; name one of them, or its namespace with -n", ids.len(), ids.join(", "))]
    ManyObjects {
        /// What was asked for.
        id: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The kind is none.
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    /// A question without words.
    #[error("the question is empty; ask for something, such as \"what databases are running?\"")]
    NoQuestion,
    /// A question that is none any more.
    #[error(
        "the question has {characters} characters; expected {LONGEST_QUESTION} at most. Ask for one thing in a few words"
    )]
    LongQuestion {
        /// Of the question.
        characters: usize,
    },
}

/// How the user gets the embedder that filled a collection.
fn the_embedder(stored: &EmbedderIdentity) -> String {
    match stored.is_unknown() {
        true => format!(
            "its embedder, whose vectors have {} dimensions (--embedder voyage or openai:MODEL@URL)",
            stored.dimensions
        ),
        false => format!("--embedder {}", stored.name),
    }
}

fn instead(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(". Did you mean {}?", near.join(" or ")) }
}

/// The command that fills a collection.
fn filler(collection: &Collection) -> &'static str {
    if *collection == Collection::Capabilities { "sync" } else { "sync-instances" }
}

/// Answers questions. Keeps what it made of documents, so that the next question costs less; one serves a whole process.
#[derive(Debug)]
pub struct Searcher {
    catalogue: Arc<Catalogue>,
    weights: Weights,
    profiles: Profiles,
    lexicon: Lexicon,
}

/// A candidate with its features.
#[derive(Clone)]
struct Ranked {
    id: String,
    type_name: String,
    profile: Arc<Profile>,
    features: Features,
    score: f32,
}

impl Searcher {
    /// With what is known of software, and the weights that were chosen for everybody.
    pub fn new(catalogue: impl Into<Arc<Catalogue>>) -> Self {
        Self::with_weights(catalogue, Weights::default())
    }

    /// With other weights, to try them.
    pub fn with_weights(catalogue: impl Into<Arc<Catalogue>>, weights: Weights) -> Self {
        Self { catalogue: catalogue.into(), weights, profiles: Profiles::default(), lexicon: Lexicon::default() }
    }

    /// Puts other weights in the place of its own and keeps what was made of documents.
    pub fn set_weights(&mut self, weights: Weights) {
        self.weights = weights;
    }

    /// Answers a question.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn search(
        &self,
        view: &dyn View,
        embedder: &dyn Embedder,
        question: &Question,
    ) -> Result<Answer, SearchError> {
        not_too_long(question)?;
        if words::split(&question.text).is_empty() {
            return Err(SearchError::NoQuestion);
        }
        let documents = self.documents(view, embedder, question.collection).await?;
        let understood = self.understood(view, embedder, question).await?;
        if understood.impossible.is_some() {
            return Ok(Answer { understood, total: documents, ..Answer::default() });
        }
        let vector = self.vector(embedder, &understood).await?;
        let mut ranking = self.ranking(view, embedder, question.collection, &understood, &vector).await?;
        let reach = Reach::of(&understood);
        let (ranked, total, admitted) =
            self.rank(view, question.collection, &mut ranking, &understood, vector.clone(), reach).await?;
        let limit = understood.ask.at_most.map_or(question.limit, |n| n.min(question.limit));
        let mut fitting = self.fitting(ranked, &ranking);
        let gathered = if understood.ask.by_age() {
            // In another order than that of their scores only hits with evidence stand.
            fitting.retain(|r| understood.ask.order.is_none() || is_evidence(r, &ranking));
            understood.ask.narrow(fold::apart(self.gather(view, fitting, &understood, usize::MAX).await?))
        } else {
            self.gather(view, fitting, &understood, limit).await?
        };
        let hits: Vec<Hit> = gathered.into_iter().take(limit).map(|g| self.hit(g, &ranking)).collect();
        let closest = if hits.is_empty() { ranking.closest_types() } else { Vec::new() };
        Ok(Answer { hits, understood, total, admitted, closest })
    }

    /// Those that answer. Nothing where the best is no evidence; else those that are not far behind the best.
    fn fitting(&self, mut ranked: Vec<Ranked>, ranking: &Ranking<'_>) -> Vec<Ranked> {
        let best = ranked.first().map_or(0.0, |best| best.score);
        // An answer stands out; where a crowd is as near as the best, the best is only the nearest.
        let stands_out = || best - CROWD_WORTH * crowd(&ranked) >= ranking.evidence();
        let word_for_word = ranked.iter().take(CROWD).any(|r| is_word_for_word(r, ranking));
        if !ranking.is_scope_only() && !word_for_word && !stands_out() {
            return Vec::new();
        }
        if !ranking.is_scope_only() {
            ranked.retain(|r| r.score >= best * FAR_BEHIND);
        }
        ranked
    }

    fn hit(&self, gathered: Gathered, ranking: &Ranking<'_>) -> Hit {
        let Gathered { ranked: r, shown, controlled, elsewhere } = gathered;
        let mut score = ranking.explain(&r.profile, &r.type_name, &r.features);
        if let (Noun::Instance(through), true) = (&r.profile.noun, shown.id != r.id) {
            score.reasons.push(Reason { why: format!("through {} {}", through.kind, through.name), adds: 0.0 });
        }
        let elsewhere = elsewhere.into_iter().map(|g| g.shown.id).collect();
        Hit { noun: shown.profile.noun.clone(), id: shown.id, score, controlled, elsewhere }
    }

    /// How many documents there are to search, if they may be searched.
    async fn documents(
        &self,
        view: &dyn View,
        embedder: &dyn Embedder,
        collection: Collection,
    ) -> Result<usize, SearchError> {
        let info = view.collection(collection).await?.ok_or(SearchError::Empty(collection))?;
        let offered = embedder.identity();
        if !info.embedder.admits(&offered) {
            return Err(SearchError::OtherEmbedder { collection, stored: info.embedder, offered });
        }
        Ok(info.documents)
    }

    /// The question's vector; empty where meaning plays no part.
    async fn vector(&self, embedder: &dyn Embedder, understood: &Understood) -> Result<Vec<f32>, SearchError> {
        if understood.scope_only || understood.language.is_some() {
            return Ok(Vec::new());
        }
        Ok(embedder.embed(Purpose::Query, vec![understood.text.clone()]).await?.pop().unwrap_or_default())
    }

    /// What speaks for a candidate, as far as it is known before candidates are.
    async fn ranking<'q>(
        &'q self,
        view: &dyn View,
        embedder: &dyn Embedder,
        collection: Collection,
        understood: &'q Understood,
        vector: &[f32],
    ) -> Result<Ranking<'q>, SearchError> {
        let identity = embedder.identity();
        let near = match understood.scope_only || understood.language.is_some() {
            true => Nearness::default(),
            false => self.lexicon.nearness(&self.catalogue, &understood.text, &identity, vector).await?,
        };
        let mut ranking = Ranking::new(&self.catalogue, understood, near, self.weights);
        if collection == Collection::Instances && !understood.scope_only {
            ranking.bridge(self.bridge(view, &identity, understood, vector).await?);
        }
        Ok(ranking)
    }

    /// Candidates, best first; how many documents there are, and how many the filter admits.
    async fn rank(
        &self,
        view: &dyn View,
        collection: Collection,
        ranking: &mut Ranking<'_>,
        understood: &Understood,
        vector: Vec<f32>,
        reach: Reach,
    ) -> Result<(Vec<Ranked>, usize, usize), SearchError> {
        let terms = question_terms(&understood.text);
        let mut looked_for = terms.clone();
        looked_for.extend(ranking.aliases().into_iter().filter(|alias| !terms.contains(alias)));
        let filter = understood.filter.clone();
        // Without a vector nothing is near.
        let nearest = if vector.is_empty() && !understood.scope_only { 0 } else { reach.nearest };
        let probe = Probe { vector, terms: looked_for, filter, nearest, containing: reach.containing };
        let bridged = ranking.probe_of_bridged(&probe);
        let Candidates { mut documents, frequencies, total, admitted } = view.probe(collection, probe).await?;
        if let Some(probe) = bridged {
            let known: HashSet<String> = documents.iter().map(|d| d.id.clone()).collect();
            let more = view.probe(collection, probe).await?.documents;
            documents.extend(more.into_iter().filter(|d| !known.contains(&d.id)));
        }
        ranking.weigh(&terms, &frequencies[..terms.len()], total);
        let mut ranked: Vec<Ranked> = documents
            .into_iter()
            .filter_map(|candidate| {
                let profile = self.profiles.of(&self.catalogue, collection, &candidate.id, &candidate.record)?;
                if !ranking.is_named(&profile) {
                    return None;
                }
                let features = ranking.features(&profile, &candidate.type_name, candidate.similarity)?;
                let score = ranking.score(&features);
                Some(Ranked { id: candidate.id, type_name: candidate.type_name, profile, features, score })
            })
            .filter(|ranked| ranked.score > 0.0)
            .collect();
        // Equal scores stand in the order of their ids, so that an answer is the same twice.
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        Ok((ranked, total, admitted))
    }
}

fn not_too_long(question: &Question) -> Result<(), SearchError> {
    let characters = question.text.chars().count();
    if characters > LONGEST_QUESTION { Err(SearchError::LongQuestion { characters }) } else { Ok(()) }
}

fn is_word_for_word(ranked: &Ranked, ranking: &Ranking<'_>) -> bool {
    ranking.held(&ranked.features) >= WORD_FOR_WORD
}

/// Whether a document fits by itself, with nothing to compare it with.
fn is_evidence(ranked: &Ranked, ranking: &Ranking<'_>) -> bool {
    ranked.score >= ranking.evidence() || is_word_for_word(ranked, ranking)
}

/// The score of the eleventh answer. Documents that say the same are one answer, however many there are: what the best of them is to be
/// compared with is what says something else.
fn crowd(ranked: &[Ranked]) -> f32 {
    let mut answers: Vec<&Profile> = Vec::with_capacity(CROWD);
    for r in ranked {
        if !answers.iter().any(|answer| answer.says_the_same(&r.profile)) {
            if answers.len() == CROWD {
                return r.score;
            }
            answers.push(&r.profile);
        }
    }
    0.0
}

/// The words of a question that say what is looked for; all of them where only little words were used.
fn question_terms(text: &str) -> Vec<String> {
    let telling: Vec<String> = words::split(text).into_iter().filter(|w| !words::is_stop_word(w)).collect();
    if telling.is_empty() { words::terms(text) } else { words::terms(&telling.join(" ")) }
}

#[cfg(test)]
mod tests;
