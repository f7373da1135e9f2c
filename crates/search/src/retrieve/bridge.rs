//! The bridge from types to instances: types are searched first, and the instances of those that answer become candidates too.

use std::collections::BTreeMap;

/// The most types whose instances become candidates.
const TYPES: usize = 8;
/// The most types that are suggested if nothing matches.
const CLOSEST: usize = 3;
/// The lowest score of a suggested type.
const IS_CLOSE: f32 = 0.15;

/// The types that answer a question.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    /// How well each type answers, 0 to 1, by `plural.group`.
    pub(crate) types: BTreeMap<String, f32>,
    /// The types nearest to the question, best first, to suggest if nothing matches.
    pub(crate) closest: Vec<String>,
}

/// A type with its score.
pub(crate) struct ScoredType<'a> {
    /// `plural.group`
    pub(crate) name: &'a str,
    pub(crate) score: f32,
    /// Whether Kubernetes itself serves it.
    pub(crate) built_in: bool,
}

impl Bridge {
    /// From types, best first. Those that reach `evidence` answer. Built-in types do not: databases run in StatefulSets, but that does
    /// not make every StatefulSet a database.
    pub(crate) fn of(ranked: &[ScoredType<'_>], evidence: f32) -> Self {
        // Of several clusters each may serve a type.
        let mut closest: Vec<String> = Vec::new();
        for near in ranked.iter().filter(|t| t.score >= IS_CLOSE) {
            if closest.len() < CLOSEST && !closest.iter().any(|name| name == near.name) {
                closest.push(near.name.to_owned());
            }
        }
        let answering = ranked.iter().filter(|t| t.score >= evidence && !t.built_in);
        let types = answering.take(TYPES).map(|t| (t.name.to_owned(), t.score.min(1.0))).collect();
        Self { types, closest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_answer_are_the_bridge_and_near_ones_are_suggested() {
        let ty = |name, score, built_in| ScoredType { name, score, built_in };
        let ranked = [
            ty("caches.x", 1.2, false),
            ty("caches.x", 1.1, false),
            ty("statefulsets.apps", 0.5, true),
            ty("queues.x", 0.2, false),
            ty("pods", 0.1, true),
        ];
        let bridge = Bridge::of(&ranked, 0.3);
        assert_eq!(bridge.types, [("caches.x".to_owned(), 1.0)].into());
        assert_eq!(bridge.closest, ["caches.x", "statefulsets.apps", "queues.x"]);
    }
}
