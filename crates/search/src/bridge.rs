//! The semantic bridge: the question is asked of the types first, and the types that answer it vouch for their instances.

use std::collections::BTreeMap;

use clusterlore_core::{Collection, EmbedderIdentity};
use clusterlore_store::{Probe, View};

use crate::lexicon::Nearness;
use crate::ranking::Ranking;
use crate::{Noun, Ranked, Reach, SearchError, Searcher, Understood};

/// Types that may vouch for their instances.
const TYPES: usize = 8;
/// Types that are named where nothing fits, and the score from which.
const CLOSEST: usize = 3;
const IS_CLOSE: f32 = 0.15;
/// Instances of those types that are looked at beside those that answer themselves.
const INSTANCES_OF_THEM: usize = 40;

/// What the types say to a question.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    /// How well each answers.
    pub(crate) types: BTreeMap<String, f32>,
    /// The nearest, best first.
    pub(crate) closest: Vec<String>,
}

impl Searcher {
    /// How well each type answers the question, 0 to 1, by `plural.group`; and the types that are nearest to it, for when nothing
    /// answers. Kinds that Kubernetes itself serves are left out: a
    /// StatefulSet is not a database because databases run in StatefulSets; there what the object is decides.
    pub(crate) async fn bridge(
        &self,
        view: &dyn View,
        embedder: &EmbedderIdentity,
        understood: &Understood,
        vector: &[f32],
    ) -> Result<Bridge, SearchError> {
        let Some((ranked, evidence)) = self.types(view, embedder, understood, vector).await? else {
            return Ok(Bridge::default());
        };
        let near = ranked.iter().filter(|r| r.score >= IS_CLOSE);
        let closest = near.take(CLOSEST).map(|r| r.type_name.clone()).collect();
        let built_in = |noun: &Noun| match noun {
            Noun::Type(ty, _) => self.catalogue.kind(&ty.group, &ty.kind).is_some_and(|k| k.built_in),
            Noun::Instance(_) => true,
        };
        let own = ranked.into_iter().filter(|r| r.score >= evidence && !built_in(&r.profile.noun));
        Ok(Bridge { types: own.take(TYPES).map(|r| (r.type_name, r.score.min(1.0))).collect(), closest })
    }

    /// Types, best first, and from which score they are evidence.
    async fn types(
        &self,
        view: &dyn View,
        embedder: &EmbedderIdentity,
        understood: &Understood,
        vector: &[f32],
    ) -> Result<Option<(Vec<Ranked>, f32)>, SearchError> {
        // An index without capabilities, or with those of another embedder, is searched without them.
        let usable = view.collection(Collection::Capabilities).await?.is_some_and(|known| known.embedder == *embedder);
        if !usable {
            return Ok(None);
        }
        let question =
            Understood { text: understood.text.clone(), language: understood.language, ..Understood::default() };
        let mut ranking = Ranking::new(&self.catalogue, &question, Nearness::default(), self.weights);
        let (ranked, ..) =
            self.rank(view, Collection::Capabilities, &mut ranking, &question, vector.to_vec(), Reach::NEAR).await?;
        let evidence = ranking.evidence();
        Ok(Some((ranked, evidence)))
    }
}

impl Ranking<'_> {
    /// What is to be looked at beside the direct hits; nothing where the question says itself which types it wants.
    pub(crate) fn probe_of_bridged(&self, direct: &Probe) -> Option<Probe> {
        let types = self.bridged_types();
        if types.is_empty() || !direct.filter.types.is_empty() {
            return None;
        }
        let mut probe = Probe { terms: Vec::new(), nearest: INSTANCES_OF_THEM, containing: 0, ..direct.clone() };
        probe.filter.types = types;
        Some(probe)
    }
}
