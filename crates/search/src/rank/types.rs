//! Searches the types for a question, for the bridge from them to their instances.

use std::collections::BTreeSet;

use clusterlore_core::{Collection, EmbedderIdentity};
use clusterlore_store::{StoreError, View};

use super::noun::Noun;
use super::profile::Profiles;
use super::ranked::rank;
use super::ranking::Ranking;
use super::weights::Weights;
use crate::query::ParsedQuery;
use crate::retrieve::{Bridge, Budgets, EmbeddedQuery, ScoredType, retrieve};

/// The types that answer the question. None if the index has no capabilities, or another embedder filled them.
pub(crate) async fn bridge(
    view: &dyn View,
    embedder: &EmbedderIdentity,
    profiles: &Profiles,
    weights: Weights,
    query: &EmbeddedQuery<'_>,
) -> Result<Bridge, StoreError> {
    let usable = view.collection(Collection::Capabilities).await?.is_some_and(|known| known.embedder == *embedder);
    if !usable {
        return Ok(Bridge::default());
    }
    let ParsedQuery { text, language, english, .. } = query.parsed;
    let parsed =
        ParsedQuery { text: text.clone(), language: *language, english: english.clone(), ..ParsedQuery::default() };
    let query = query.for_types(&parsed);
    let mut candidates = retrieve(view, Collection::Capabilities, &query, BTreeSet::new(), Budgets::BEST_HITS).await?;
    let none = Bridge::default();
    let documents = std::mem::take(&mut candidates.documents);
    let ranking = Ranking::new(&query, &none, weights, &candidates);
    let ranked = rank(&ranking, profiles, Collection::Capabilities, documents);
    let is_built_in = |noun: &Noun| match noun {
        Noun::Type(ty, _) => query.catalogue.kind(&ty.group, &ty.kind).is_some_and(|k| k.built_in),
        Noun::Instance(_) => true,
    };
    let scored = ranked.iter().map(|r| ScoredType {
        name: &r.type_name,
        score: r.score,
        built_in: is_built_in(&r.profile.noun),
    });
    Ok(Bridge::of(&scored.collect::<Vec<_>>(), ranking.evidence()))
}
