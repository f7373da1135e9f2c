//! Dividing questions so that what was learned on some is tried on others that have nothing in common with them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use clusterlore_catalogue::{Catalogue, Named};
use clusterlore_core::{Collection, ResourceInstance};

use crate::corpus::{Corpus, Question};

/// The fold of each question, 0 to `folds` - 1. Questions whose best answers share software (or, where none is recognised, a kind) in
/// one namespace are never divided, nor are those that others connect so.
pub(crate) fn folds(corpus: &Corpus, catalogue: &Catalogue, folds: usize) -> Vec<usize> {
    let objects: HashMap<&str, &ResourceInstance> = corpus.objects.iter().map(|o| (o.id.as_str(), o)).collect();
    let subjects = |question: &Question| -> Vec<String> {
        let top = question.top();
        let best = question.grades.iter().filter(|(_, grade)| **grade == top).map(|(id, _)| id.as_str());
        best.map(|id| match question.collection {
            Collection::Capabilities => id.to_owned(),
            Collection::Instances => objects.get(id).map_or_else(String::new, |o| subject(catalogue, o)),
        })
        .collect()
    };
    let groups = groups(&corpus.questions.iter().map(subjects).collect::<Vec<_>>());
    let mut of = vec![0; corpus.questions.len()];
    let mut sizes = vec![0; folds.max(1)];
    for group in groups {
        let smallest = (0..sizes.len()).min_by_key(|fold| sizes[*fold]).unwrap_or_default();
        sizes[smallest] += group.len();
        group.into_iter().for_each(|question| of[question] = smallest);
    }
    of
}

fn subject(catalogue: &Catalogue, object: &ResourceInstance) -> String {
    let recognised = catalogue.recognise(&Named {
        name: &object.name,
        kind: &object.kind,
        group: &object.api_group,
        namespace: "",
        labels: &object.labels,
        annotations: &object.description(),
    });
    let what = recognised.first().map_or(object.kind.as_str(), |r| &r.software.id);
    format!("{}/{what}", object.namespace)
}

/// Connected members, the largest group first, equals in the order of their first member. Who has no subject stands alone.
fn groups(subjects: &[Vec<String>]) -> Vec<Vec<usize>> {
    let mut parent: Vec<usize> = (0..subjects.len()).collect();
    fn root(parent: &[usize], mut at: usize) -> usize {
        while parent[at] != at {
            at = parent[at];
        }
        at
    }
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, subject) in subjects.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |s| (at, s))) {
        let other = *first.entry(subject).or_insert(at);
        let (a, b) = (root(&parent, at), root(&parent, other));
        parent[a.max(b)] = a.min(b);
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..subjects.len()).for_each(|at| groups.entry(root(&parent, at)).or_default().push(at));
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.sort_by_key(|group| Reverse(group.len()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_connected_stays_together() {
        let of = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let subjects =
            [of(&["a/redis"]), of(&[]), of(&["b/kafka"]), of(&["a/redis", "c/nginx"]), of(&["c/nginx"]), of(&[])];
        assert_eq!(groups(&subjects), [vec![0, 3, 4], vec![1], vec![2], vec![5]]);
    }

    #[tokio::test]
    async fn no_subject_of_the_example_company_is_in_two_folds() {
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let corpus = Corpus::open(&examples).await.unwrap();
        let of = folds(&corpus, Catalogue::builtin(), 3);
        assert!((0..3).all(|fold| of.contains(&fold)));
        let mut fold_of: HashMap<&str, usize> = HashMap::new();
        for (question, fold) in corpus.questions.iter().zip(of) {
            for (id, _) in question.grades.iter().filter(|(_, g)| **g == question.top()) {
                assert_eq!(*fold_of.entry(id).or_insert(fold), fold, "{id}");
            }
        }
    }
}
