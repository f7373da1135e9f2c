//! Finds the weights under which questions are answered best: one value at a time, up and down, in steps that become smaller.
//! Nothing is drawn by chance, so that the same corpora give the same weights.

use anyhow::Result;
use clusterlore_catalogue::Catalogue;
use clusterlore_search::Weights;

use crate::evaluation::{Evaluation, Values};
use crate::folds;
use crate::score::{self, Outcome};

/// What every weight is in a search that is to know nothing.
pub(crate) const NEUTRAL: f32 = 0.5;

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

/// Which questions of each corpus count.
pub(crate) type Chosen = [Vec<bool>];

/// The mean of [`worth`] over corpora.
pub(crate) async fn mean_worth(evaluations: &mut [Evaluation<'_>], chosen: &Chosen, values: Values) -> Result<f64> {
    let mut sum = 0.0;
    for (evaluation, chosen) in evaluations.iter_mut().zip(chosen) {
        let outcomes = evaluation.outcomes(values).await?;
        sum += worth(outcomes.iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(outcome, _)| outcome));
    }
    Ok(sum / evaluations.len().max(1) as f64)
}

/// Searches from `start` and tells after each round what it has come to.
pub(crate) async fn search(
    evaluations: &mut [Evaluation<'_>],
    chosen: &Chosen,
    start: Values,
    rounds: usize,
    told: &mut dyn FnMut(usize, f64),
) -> Result<Values> {
    let mut best = start;
    let mut reached = mean_worth(evaluations, chosen, best).await?;
    told(0, reached);
    for round in 0..rounds {
        let before = best;
        let step = STEPS[round.min(STEPS.len() - 1)];
        for at in 0..best.len() {
            for value in beside(best[at], step) {
                let mut tried = best;
                tried[at] = value;
                let worth = mean_worth(evaluations, chosen, tried).await? - pull(&start, &tried);
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

/// How each question of each corpus is answered under weights that were tuned without its fold. `called` begins what is told.
pub(crate) async fn held_out(
    evaluations: &mut [Evaluation<'_>],
    folds: usize,
    start: Values,
    rounds: usize,
    called: &str,
) -> Result<Vec<Vec<Outcome>>> {
    let fold_of: Vec<Vec<usize>> =
        evaluations.iter().map(|e| folds::folds(e.corpus, Catalogue::builtin(), folds)).collect();
    let mut held_out: Vec<Vec<Outcome>> = fold_of.iter().map(|of| vec![Outcome::default(); of.len()]).collect();
    for fold in 0..folds {
        let chosen: Vec<Vec<bool>> = fold_of.iter().map(|of| of.iter().map(|f| *f != fold).collect()).collect();
        let tell = &mut |round, worth| eprintln!("{called}without fold {}, round {round}: {worth:.4}", fold + 1);
        let found = search(evaluations, &chosen, start, rounds, tell).await?;
        for ((evaluation, of), held_out) in evaluations.iter_mut().zip(&fold_of).zip(&mut held_out) {
            let outcomes = evaluation.outcomes(found).await?;
            for at in (0..of.len()).filter(|at| of[*at] == fold) {
                held_out[at] = outcomes[at].clone();
            }
        }
    }
    Ok(held_out)
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
    fn moving_costs() {
        let start = Weights::default().values();
        let mut moved = start;
        moved[0] *= 2.0;
        assert_eq!(pull(&start, &start), 0.0);
        assert!((pull(&start, &moved) - PULL).abs() < 1e-9);
        assert!(pasteable(&start, &moved).contains(", was "));
    }
}
