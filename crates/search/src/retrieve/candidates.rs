//! Retrieves the candidates of a question from a view: documents near to its vector, documents that contain its terms, and instances of
//! the types that answer it.

use std::collections::{BTreeSet, HashMap};

use clusterlore_catalogue::{Meaning, Text};
use clusterlore_core::{Collection, words};
use clusterlore_store::{Candidate, Filter, Probe, StoreError, View};

use super::budget::CandidateBudget;
use super::embedded::EmbeddedQuery;

/// The most instances that are retrieved because their type answers the question.
const BRIDGED: usize = 40;

/// How many documents are retrieved, for each thing that is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budgets {
    /// The budget for hits, if hits are wanted.
    pub(crate) hits: Option<CandidateBudget>,
    /// The budget for counting, if the number is wanted.
    pub(crate) number: Option<CandidateBudget>,
}

impl Budgets {
    /// Only hits, and only the best.
    pub(crate) const BEST_HITS: Self = Self { hits: Some(CandidateBudget::BEST), number: None };
}

/// A candidate, and which budget it was retrieved for.
pub(crate) struct Retrieved {
    pub(crate) candidate: Candidate,
    pub(crate) for_hits: bool,
    pub(crate) for_number: bool,
}

/// What was retrieved.
#[derive(Default)]
pub(crate) struct Candidates {
    /// In no particular order, each once.
    pub(crate) documents: Vec<Retrieved>,
    /// The terms of the question, and how many documents contain each.
    pub(crate) frequencies: Vec<(String, usize)>,
    /// How many documents there are.
    pub(crate) total: usize,
    /// How many documents the filter admits.
    pub(crate) admitted: usize,
}

/// Retrieves from the view. Hits and number have budgets of their own, so that each is the same with and without the other. `bridged`:
/// types whose instances are retrieved too.
pub(crate) async fn retrieve(
    view: &dyn View,
    collection: Collection,
    query: &EmbeddedQuery<'_>,
    bridged: BTreeSet<String>,
    budgets: Budgets,
) -> Result<Candidates, StoreError> {
    let Some(first) = budgets.hits.or(budgets.number) else { return Ok(Candidates::default()) };
    let filter = &query.parsed.filter;
    let mut terms = question_terms(query.parsed.meant());
    let own_terms = terms.len();
    terms.extend(expansion(query, &terms));
    // Without a vector nothing is near, unless the question has only conditions: then everything is.
    let has_nearest = !query.vector.is_empty() || query.parsed.scope_only;
    let probe_of = |budget: CandidateBudget| Probe {
        vector: query.vector.clone(),
        terms: terms.clone(),
        filter: filter.clone(),
        nearest: if has_nearest { budget.nearest } else { 0 },
        containing: budget.containing,
    };
    let found = view.probe(collection, probe_of(first)).await?;
    let (total, admitted) = (found.total, found.admitted);
    let both = |candidate| Retrieved { candidate, for_hits: true, for_number: true };
    let mut documents: Vec<Retrieved> = match budgets.number {
        // If everything that the filter admits is already here, a larger budget retrieves nothing more.
        Some(second) if second != first && found.documents.len() < admitted => {
            let more = view.probe(collection, probe_of(second)).await?;
            merged(found.documents, more.documents)
        }
        _ => found.documents.into_iter().map(both).collect(),
    };
    // A question that names types itself needs no other ones.
    if !bridged.is_empty() && filter.types.is_empty() {
        let filter = Filter { types: bridged, ..filter.clone() };
        let probe = Probe { vector: query.vector.clone(), filter, nearest: BRIDGED, ..Probe::default() };
        let instances = view.probe(collection, probe).await?.documents;
        let mut instances: HashMap<String, Candidate> = instances.into_iter().map(|c| (c.id.clone(), c)).collect();
        for document in &mut documents {
            if instances.remove(&document.candidate.id).is_some() {
                (document.for_hits, document.for_number) = (true, true);
            }
        }
        documents.extend(instances.into_values().map(both));
    }
    // What the question names is a candidate whatever the conditions say.
    let known: BTreeSet<String> = documents.iter().map(|d| d.candidate.id.clone()).collect();
    let named = query.parsed.named.iter().map(|named| &named.document).filter(|d| !known.contains(&d.id));
    documents.extend(named.cloned().map(both));
    let frequencies = terms.into_iter().zip(found.frequencies).take(own_terms).collect();
    Ok(Candidates { documents, frequencies, total, admitted })
}

/// The documents of two probes, each once.
fn merged(for_hits: Vec<Candidate>, for_number: Vec<Candidate>) -> Vec<Retrieved> {
    let mut hits: HashMap<String, Candidate> = for_hits.into_iter().map(|c| (c.id.clone(), c)).collect();
    let mut documents: Vec<Retrieved> = Vec::with_capacity(for_number.len());
    for candidate in for_number {
        let for_hits = hits.remove(&candidate.id).is_some();
        documents.push(Retrieved { candidate, for_hits, for_number: true });
    }
    documents.extend(hits.into_values().map(|candidate| Retrieved { candidate, for_hits: true, for_number: false }));
    documents
}

/// The terms of a question: without stop words, unless it has only those.
fn question_terms(text: &str) -> Vec<String> {
    let telling: Vec<String> = words::split(text).into_iter().filter(|w| !words::is_stop_word(w)).collect();
    if telling.is_empty() { words::terms(text) } else { words::terms(&telling.join(" ")) }
}

/// The names of the software that the question names, of all software of a category that it names, and of software near to what it
/// means: a document that contains one of them may be that software. Without the question's own terms.
fn expansion<'q>(query: &EmbeddedQuery<'q>, terms: &[String]) -> Vec<String> {
    let EmbeddedQuery { catalogue, concepts, nearness, .. } = query;
    let category = |m: &Meaning<'q>| if let Meaning::Category(c) = m { Some(&*c.id) } else { None };
    let named: Vec<&str> = concepts.meanings().filter_map(category).collect();
    let is_within = |id: &str| named.iter().any(|of| catalogue.is_a(id, of));
    let within: BTreeSet<&str> = catalogue.categories().iter().map(|c| &*c.id).filter(|id| is_within(id)).collect();
    let wanted = |categories: &[Text]| categories.iter().any(|c| within.contains(&**c));
    let software = concepts.meanings().filter_map(|m| if let Meaning::Software(s) = m { Some(*s) } else { None });
    let meant = nearness.meant().into_iter().filter_map(|at| catalogue.all_software().get(at));
    let some = if within.is_empty() { &[] } else { catalogue.all_software() };
    let of_category = some.iter().filter(|s| wanted(&s.categories));
    let mut names: Vec<String> = software
        .chain(of_category)
        .chain(meant)
        .flat_map(|s| s.aliases.iter().chain([&s.id]))
        .flat_map(|a| words::terms(a))
        .filter(|name| !terms.contains(name))
        .collect();
    names.sort();
    names.dedup();
    names
}
