//! How a corpus is answered that its encoder has not seen: as it is, with the threshold moved, without a part, and made harder.

use std::collections::BTreeSet;

use anyhow::Result;
use clusterlore_catalogue::{Catalogue, Named};
use clusterlore_core::Collection;
use clusterlore_search::Weights;
use fastrand::Rng;

use crate::corpus::{Corpus, Form, Question};
use crate::evaluation::{Evaluation, Values};
use crate::neutral::{self, Change};
use crate::score::{self, Outcome};
use crate::{renaming, stages, typos};

/// By how much the threshold of an answer is moved for the curve.
pub(crate) const MOVED: [f32; 7] = [-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6];
/// Weights whose part cannot be taken away by a zero: they are thresholds.
const THRESHOLDS: [&str; 3] = ["evidence", "evidence named", "answers"];
const TYPO_SEEDS: [u64; 2] = [1, 2];
const HALF_SEEDS: [u64; 2] = [1, 2];
/// How many questions of a corpus are asked with each neutral phrase.
const WITH_PHRASE: usize = 2;

/// Outcomes under one name. Where questions are asked more than once, all of them stand in a row.
pub(crate) struct Run {
    pub(crate) called: String,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Run {
    fn new(called: impl Into<String>, outcomes: impl Into<Vec<Outcome>>) -> Self {
        Self { called: called.into(), outcomes: outcomes.into() }
    }
}

/// Everything that is told of one corpus. The runs of all corpora have the same names in the same order.
pub(crate) struct Unseen {
    pub(crate) name: String,
    pub(crate) as_is: Vec<Outcome>,
    /// One for each of [`MOVED`].
    pub(crate) moved: Vec<Vec<Outcome>>,
    pub(crate) without: Vec<Run>,
    pub(crate) harder: Vec<Run>,
    pub(crate) phrases: Change,
    pub(crate) stages: Vec<(Form, [f64; stages::STAGES.len()])>,
}

pub(crate) async fn of(corpus: &Corpus) -> Result<Unseen> {
    let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
    let as_is = evaluation.outcomes(evaluation.weights()).await?.to_vec();
    let mut stages = Vec::new();
    for form in Form::ALL {
        stages.extend(stages::losses(corpus, form).await?.map(|losses| (form, losses)));
    }
    Ok(Unseen {
        name: corpus.name.clone(),
        moved: moved(&mut evaluation).await?,
        without: without(&mut evaluation, &as_is).await?,
        harder: harder(&mut evaluation).await?,
        phrases: neutral::change(corpus, neutral::KNOWN, WITH_PHRASE).await?,
        as_is,
        stages,
    })
}

async fn moved(evaluation: &mut Evaluation<'_>) -> Result<Vec<Vec<Outcome>>> {
    let mut runs = Vec::new();
    for by in MOVED {
        let weights = Weights::default();
        let weights = Weights { answers: weights.answers + by, ..weights };
        runs.push(evaluation.outcomes(weights.values()).await?.to_vec());
    }
    Ok(runs)
}

async fn without(evaluation: &mut Evaluation<'_>, as_is: &[Outcome]) -> Result<Vec<Run>> {
    let (corpus, values) = (evaluation.corpus, evaluation.weights());
    let mut runs = Vec::new();
    for name in Weights::NAMES.into_iter().filter(|name| !THRESHOLDS.contains(name)) {
        let called = match name {
            "label" | "description" => format!("words in a {name}"),
            "elsewhere" => "words in group and namespace".to_owned(),
            "encoded" => "encoded: how likely it answers by the encoder".to_owned(),
            _ => name.to_owned(),
        };
        runs.push(Run::new(called, evaluation.outcomes(zero(values, &[name])).await?.to_vec()));
    }
    let outcomes = evaluation.outcomes(zero(values, &["meaning", "encoded"])).await?.to_vec();
    runs.push(Run::new("the encoder in the order (meaning and encoded)", outcomes));

    let outcomes = evaluation.outcomes(zero(values, &["evidence", "evidence named"])).await?.to_vec();
    runs.push(Run::new("evidence: whatever is brought up counts, and has a place in other orders", outcomes));

    let outcomes = Evaluation::of(corpus, &Catalogue::empty()).await?.outcomes(values).await?.to_vec();
    runs.push(Run::new("the catalogue", outcomes));

    let objects = corpus.asked(|q| q.collection == Collection::Instances);
    let alone = Evaluation::without_capabilities(&objects, Catalogue::builtin()).await?.outcomes(values).await?;
    let mut alone = alone.iter();
    let outcomes: Vec<Outcome> = (corpus.questions.iter().zip(as_is))
        .filter_map(|(q, was)| if q.collection == Collection::Instances { alone.next() } else { Some(was) })
        .cloned()
        .collect();
    runs.push(Run::new("what types are for (questions for types as they were)", outcomes));
    Ok(runs)
}

/// The values, some of them 0.
fn zero(values: Values, names: &[&str]) -> Values {
    let mut values = values;
    for (value, _) in values.iter_mut().zip(Weights::NAMES).filter(|(_, name)| names.contains(name)) {
        *value = 0.0;
    }
    values
}

async fn harder(evaluation: &mut Evaluation<'_>) -> Result<Vec<Run>> {
    let (corpus, values) = (evaluation.corpus, evaluation.weights());
    let neutral = renaming::neutral(corpus);
    let outcomes = Evaluation::of(&neutral, Catalogue::builtin()).await?.outcomes(values).await?.to_vec();
    let namespaces = Run::new("namespaces that say nothing", outcomes);

    let mut slips = Vec::new();
    for seed in TYPO_SEEDS {
        let slip = |q: &Question| typos::with_one(&q.text, &q.id, seed).unwrap_or(q.text.clone());
        let texts: Vec<String> = corpus.questions.iter().map(slip).collect();
        slips.extend(evaluation.outcomes_of(values, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await?);
    }

    // As if half of its software were unheard of.
    let software: Vec<&str> = recognised(corpus).into_iter().collect();
    let mut half_known = Vec::new();
    for seed in HALF_SEEDS {
        let mut half = software.clone();
        Rng::with_seed(seed).shuffle(&mut half);
        half.truncate(software.len() / 2);
        let catalogue = Catalogue::builtin().without(&half.into_iter().collect());
        half_known.extend_from_slice(&Evaluation::of(corpus, &catalogue).await?.outcomes(values).await?);
    }
    Ok(vec![namespaces, Run::new("one slip a question", slips), Run::new("half of the products unknown", half_known)])
}

/// Ids of the software that any object is recognised as.
fn recognised(corpus: &Corpus) -> BTreeSet<&'static str> {
    let mut software = BTreeSet::new();
    for object in &corpus.objects {
        let found = Catalogue::builtin().recognise(&Named {
            name: &object.name,
            kind: &object.kind,
            group: &object.api_group,
            namespace: &object.namespace,
            labels: &object.labels,
            annotations: &object.description(),
        });
        software.extend(found.into_iter().map(|r| &*r.software.id));
    }
    software
}

/// What many corpora give together: the mean of their nDCG@10, and the shares of all their questions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Together {
    pub(crate) ndcg: f64,
    pub(crate) rightly_empty: f64,
    pub(crate) wrongly_empty: f64,
    /// Questions that ask how many, and those that got the right number.
    pub(crate) numbers: (usize, usize),
}

/// Of the questions of some forms. A corpus that has none is left out.
pub(crate) fn together<'a>(runs: impl Iterator<Item = &'a [Outcome]>, forms: &[Form]) -> Together {
    let of_form = |run: &'a [Outcome]| run.iter().filter(|o| forms.contains(&o.form)).collect::<Vec<_>>();
    let runs: Vec<Vec<&Outcome>> = runs.map(of_form).filter(|run| !run.is_empty()).collect();
    let all = || runs.iter().flatten().copied();
    Together {
        ndcg: score::share(runs.iter().map(|run| score::means(run.iter().copied()).ndcg)),
        rightly_empty: score::rightly_empty(all()).1,
        wrongly_empty: score::means(all()).wrongly_empty,
        numbers: score::numbers(all()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// How many questions stay without an answer.
    fn empty(outcomes: &[Outcome], answerable: bool) -> usize {
        outcomes.iter().filter(|o| o.answerable == answerable && o.empty).count()
    }

    #[tokio::test]
    async fn the_higher_the_threshold_the_more_stay_without_an_answer() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let corpus = Corpus::open(&examples).await.unwrap();
        let mut evaluation = Evaluation::of(&corpus, Catalogue::builtin()).await.unwrap();
        let runs = moved(&mut evaluation).await.unwrap();
        for answerable in [true, false] {
            assert!(runs.windows(2).all(|w| empty(&w[0], answerable) <= empty(&w[1], answerable)));
        }
        let as_is = evaluation.outcomes(evaluation.weights()).await.unwrap();
        let unmoved = MOVED.iter().position(|by| *by == 0.0).unwrap();
        assert_eq!(runs[unmoved], *as_is);
        // So much must speak for an answer that none but those with an object's name or nearly all words are left.
        let out_of_reach = Weights { answers: 100.0, ..Weights::default() };
        let none = evaluation.outcomes(out_of_reach.values()).await.unwrap();
        assert!(empty(&none, true) > empty(&as_is, true), "the threshold decides");
    }

    #[test]
    fn corpora_count_the_same_and_questions_are_counted_together() {
        let outcome = |form, ndcg| Outcome { form, answerable: true, graded: true, ndcg, ..Outcome::default() };
        let none = |empty| Outcome { empty, ..Outcome::default() };
        let few = [outcome(Form::Clean, 1.0), none(true)];
        let many = [
            outcome(Form::Clean, 0.0),
            outcome(Form::Clean, 0.5),
            outcome(Form::Sentences, 0.9),
            none(false),
            Outcome { number: Some((Some(2), 2)), ..none(false) },
        ];
        let found = together([&few[..], &many].into_iter(), &[Form::Clean]);
        assert!((found.ndcg - 0.625).abs() < 1e-12 && (found.rightly_empty - 1.0 / 3.0).abs() < 1e-12, "{found:?}");
        assert_eq!((found.wrongly_empty, found.numbers), (0.0, (1, 1)));
        assert_eq!(together([&few[..], &many].into_iter(), &[Form::Sentences]).ndcg, 0.9);
    }

    #[test]
    fn a_part_is_taken_away_by_its_name() {
        let values = Weights::default().values();
        let without = Weights::of(zero(values, &["meaning", "encoded"]));
        assert_eq!(without, Weights { meaning: 0.0, encoded: 0.0, ..Weights::default() });
        assert!(THRESHOLDS.iter().all(|name| Weights::NAMES.contains(name)));
    }
}
