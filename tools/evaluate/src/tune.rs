//! Finds the weights under which questions are answered best: one value at a time, up and down, in steps that become smaller.
//! Nothing is drawn by chance, so that the same corpora give the same weights.

use anyhow::Result;
use clusterlore_search::Weights;

use crate::evaluation::{Evaluation, Values};
use crate::score::{self, Outcome};

/// What every weight is in a search that is to know nothing.
const NEUTRAL: f32 = 0.5;
/// What decides numbers and orders of time. [`worth`] sees next to nothing of them, so they stay as they are.
const KEPT: [&str; 2] = ["evidence", "evidence named"];

/// By what a value is multiplied and divided, and what is added and taken off, round after round; the last pair stays.
const STEPS: [(f32, f32); 4] = [(2.0, 0.2), (1.5, 0.1), (1.25, 0.05), (1.1, 0.02)];
/// What moving a value by its own size costs, so that nothing moves without gain.
const PULL: f64 = 0.0005;
/// The size of a value that is smaller, for [`PULL`].
const SMALLEST: f32 = 0.2;
/// Less than this is no gain.
const GAIN: f64 = 1e-6;

/// What is made as large as it can be: finding what there is, saying so where there is nothing, and only rarely (4 % are forgiven)
/// saying so where there is something.
pub(crate) fn worth<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone) -> f64 {
    let answerable = score::means(outcomes.clone());
    let (_, rightly_empty) = score::rightly_empty(outcomes);
    answerable.ndcg + 0.5 * rightly_empty - (answerable.wrongly_empty - 0.04).max(0.0)
}

/// Values that know nothing.
pub(crate) fn neutral() -> Values {
    let mut values = Weights::default().values();
    tuned().for_each(|at| values[at] = NEUTRAL);
    values
}

/// The places of the values that are searched for.
fn tuned() -> impl Iterator<Item = usize> {
    (0..Weights::NAMES.len()).filter(|at| !KEPT.contains(&Weights::NAMES[*at]))
}

/// The mean of [`worth`] over corpora.
pub(crate) async fn mean_worth(evaluations: &mut [Evaluation<'_>], values: Values) -> Result<f64> {
    let mut sum = 0.0;
    for evaluation in evaluations.iter_mut() {
        sum += worth(evaluation.outcomes(values).await?.iter());
    }
    Ok(sum / evaluations.len().max(1) as f64)
}

/// Searches from `start` and tells after each round what it has come to.
pub(crate) async fn search(
    evaluations: &mut [Evaluation<'_>],
    start: Values,
    rounds: usize,
    told: &mut dyn FnMut(usize, f64),
) -> Result<Values> {
    let mut best = start;
    let mut reached = mean_worth(evaluations, best).await?;
    told(0, reached);
    for round in 0..rounds {
        let before = best;
        let step = STEPS[round.min(STEPS.len() - 1)];
        for at in tuned() {
            for value in beside(best[at], step) {
                let mut tried = best;
                tried[at] = value;
                let worth = mean_worth(evaluations, tried).await? - pull(&start, &tried);
                if worth > reached + GAIN {
                    (best, reached) = (tried, worth);
                }
            }
        }
        told(round + 1, reached);
        if best == before && round + 1 >= STEPS.len() {
            break;
        }
    }
    Ok(best)
}

/// Values beside one, none below zero, to three digits so that they can be written down.
fn beside(value: f32, (factor, step): (f32, f32)) -> Vec<f32> {
    let mut beside: Vec<f32> = [value / factor, value * factor, value - step, value + step]
        .into_iter()
        .map(|v| (v.max(0.0) * 1000.0).round() / 1000.0)
        .filter(|v| *v != value)
        .collect();
    beside.sort_by(f32::total_cmp);
    beside.dedup();
    beside
}

fn pull(start: &Values, values: &Values) -> f64 {
    let moved = start.iter().zip(values).map(|(a, b)| f64::from((b - a) / a.max(SMALLEST)));
    PULL * moved.map(|by| by * by).sum::<f64>()
}

/// The values as they are pasted into `weights.rs`, each with its name and where it came from.
pub(crate) fn pasteable(from: &Values, to: &Values) -> String {
    let mut list = "Weights::of([\n".to_owned();
    for ((name, from), to) in Weights::NAMES.iter().zip(from).zip(to) {
        let moved = if from == to { String::new() } else { format!(", was {from:?}") };
        list += &format!("    {to:?}, // {name}{moved}\n");
    }
    list + "])"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_above_zero_and_are_tried_once() {
        assert_eq!(beside(0.0, (2.0, 0.2)), [0.2]);
        assert_eq!(beside(0.2, (2.0, 0.2)), [0.0, 0.1, 0.4]);
        assert_eq!(beside(0.45, (1.1, 0.02)), [0.409, 0.43, 0.47, 0.495]);
    }

    #[test]
    fn worth_weighs_answers_against_silence() {
        let answered = Outcome { answerable: true, graded: true, ndcg: 0.8, ..Outcome::default() };
        let silent = Outcome { answerable: true, graded: true, empty: true, ..Outcome::default() };
        let right = Outcome { empty: true, ..Outcome::default() };
        assert!((worth([answered.clone(), right.clone()].iter()) - 1.3).abs() < 1e-12);
        assert!((worth([answered, silent, right].iter()) - (0.4 + 0.5 - 0.46)).abs() < 1e-12);
    }

    #[test]
    fn what_decides_numbers_stays_as_it_is() {
        let Weights { evidence, evidence_named, .. } = Weights::default();
        let expected = Weights { evidence, evidence_named, ..Weights::of([NEUTRAL; Weights::NAMES.len()]) };
        assert_eq!(Weights::of(neutral()), expected);
        assert_eq!(tuned().count(), Weights::NAMES.len() - 2);
    }

    #[test]
    fn moving_costs() {
        let start = Weights::default().values();
        let mut moved = start;
        moved[0] *= 2.0;
        assert_eq!(pull(&start, &start), 0.0);
        assert!((pull(&start, &moved) - PULL).abs() < 1e-9);
        assert!(pasteable(&start, &moved).contains(", was "));
    }
}
