//! How well clusterlore answers labelled questions, and which weights answer them best. It indexes a corpus and searches it in this
//! process, with the crates that the program is made of.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod corpus;
mod evaluation;
mod folds;
mod memo;
mod score;
mod tune;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use clusterlore_catalogue::Catalogue;
use clusterlore_search::Weights;

use corpus::Corpus;
use evaluation::{Evaluation, Values};
use score::{Means, Outcome};

/// Evaluates clusterlore on corpora: folders with manifests/ and questions.jsonl.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the scores of each corpus, with the weights that are built in
    Score {
        /// Folders with manifests/ (or manifests) and questions.jsonl
        #[arg(required = true, value_name = "CORPUS")]
        corpora: Vec<PathBuf>,
        /// Also name the questions that were answered worst
        #[arg(long, value_name = "N", default_value_t = 0)]
        worst: usize,
    },
    /// Search for better weights
    Tune(Tune),
}

#[derive(clap::Args)]
struct Tune {
    /// Corpora to tune on; each counts the same
    #[arg(required = true, value_name = "CORPUS")]
    corpora: Vec<PathBuf>,
    /// A corpus that is scored before and after, and not tuned on; may be repeated
    #[arg(long, value_name = "CORPUS")]
    beside: Vec<PathBuf>,
    /// Passes over all weights, at most
    #[arg(long, value_name = "N", default_value_t = 8)]
    rounds: usize,
    /// First tune without each of N parts of the questions, and score those with what the others gave
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..))]
    folds: Option<u8>,
    /// Begin with equal weights, not with those that are built in
    #[arg(long)]
    neutral: bool,
}

/// What every weight is in a search that is to know nothing.
const NEUTRAL: f32 = 0.5;

#[tokio::main]
async fn main() -> Result<()> {
    match Args::parse().command {
        Command::Score { corpora, worst } => score(&open(&corpora).await?, worst).await,
        Command::Tune(args) => tune(&args).await,
    }
}

async fn open(folders: &[PathBuf]) -> Result<Vec<Corpus>> {
    let mut corpora = Vec::new();
    for folder in folders {
        corpora.push(Corpus::open(folder).await?);
    }
    Ok(corpora)
}

async fn evaluations(corpora: &[Corpus]) -> Result<Vec<Evaluation<'_>>> {
    let mut evaluations = Vec::new();
    for corpus in corpora {
        evaluations.push(Evaluation::of(corpus, Catalogue::builtin()).await?);
    }
    Ok(evaluations)
}

async fn score(corpora: &[Corpus], worst: usize) -> Result<()> {
    for corpus in corpora {
        let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
        let outcomes = evaluation.outcomes(Weights::default().values()).await?;
        println!("{}\n\n{}", corpus.name, score::table(&outcomes));
        // An empty answer to a question that nothing answers is as good as it can be.
        let value = |o: &Outcome| if o.answerable { o.ndcg } else { f64::from(u8::from(o.empty)) };
        let mut by_value: Vec<_> = corpus.questions.iter().zip(outcomes.iter().map(value)).collect();
        by_value.sort_by(|a, b| a.1.total_cmp(&b.1));
        for (question, value) in by_value.into_iter().take(worst) {
            println!("  {value:.2} {} {} {}", question.id, question.class, question.text);
        }
    }
    Ok(())
}

async fn tune(args: &Tune) -> Result<()> {
    let (corpora, beside) = (open(&args.corpora).await?, open(&args.beside).await?);
    let (mut evaluations, mut beside) = (evaluations(&corpora).await?, evaluations(&beside).await?);
    let built_in = Weights::default().values();
    let start: Values = if args.neutral { built_in.map(|_| NEUTRAL) } else { built_in };
    let all: Vec<Vec<bool>> = corpora.iter().map(|c| vec![true; c.questions.len()]).collect();

    if let Some(folds) = args.folds {
        let held_out = held_out(&mut evaluations, usize::from(folds), start, args.rounds).await?;
        println!(
            "| corpus | weights | nDCG@10 | none, rightly empty | wrongly empty | worth |\n|---|---|--:|--:|--:|--:|"
        );
        for (evaluation, outcomes) in evaluations.iter().zip(held_out) {
            row(&evaluation.corpus.name, &format!("held out, {folds} folds"), &outcomes);
        }
        println!();
    }
    let tell = &mut |round, worth| eprintln!("round {round}: {worth:.4}");
    let found = tune::search(&mut evaluations, &all, start, args.rounds, tell).await?;

    println!("| corpus | weights | nDCG@10 | none, rightly empty | wrongly empty | worth |\n|---|---|--:|--:|--:|--:|");
    let beside = beside.iter_mut().map(|e| (e, "beside, "));
    for (evaluation, how) in evaluations.iter_mut().map(|e| (e, "")).chain(beside) {
        for (called, values) in [("built in", built_in), ("tuned", found)] {
            let outcomes = evaluation.outcomes(values).await?;
            row(&evaluation.corpus.name, &format!("{how}{called}"), &outcomes);
        }
    }
    println!("\n{}", tune::pasteable(&start, &found));
    Ok(())
}

fn row(corpus: &str, weights: &str, outcomes: &[Outcome]) {
    let Means { ndcg, wrongly_empty, .. } = score::means(outcomes);
    let (_, rightly_empty) = score::rightly_empty(outcomes);
    let worth = tune::worth(outcomes.iter());
    println!("| {corpus} | {weights} | {ndcg:.3} | {rightly_empty:.3} | {wrongly_empty:.3} | {worth:.3} |");
}

/// How each question of each corpus is answered under weights that were tuned without its fold.
async fn held_out(
    evaluations: &mut [Evaluation<'_>],
    folds: usize,
    start: Values,
    rounds: usize,
) -> Result<Vec<Vec<Outcome>>> {
    let fold_of: Vec<Vec<usize>> =
        evaluations.iter().map(|e| folds::folds(e.corpus, Catalogue::builtin(), folds)).collect();
    let mut held_out: Vec<Vec<Outcome>> = fold_of.iter().map(|of| vec![Outcome::default(); of.len()]).collect();
    for fold in 0..folds {
        let chosen: Vec<Vec<bool>> = fold_of.iter().map(|of| of.iter().map(|f| *f != fold).collect()).collect();
        let tell = &mut |round, worth| eprintln!("without fold {}, round {round}: {worth:.4}", fold + 1);
        let found = tune::search(evaluations, &chosen, start, rounds, tell).await?;
        for ((evaluation, of), held_out) in evaluations.iter_mut().zip(&fold_of).zip(&mut held_out) {
            let outcomes = evaluation.outcomes(found).await?;
            for at in (0..of.len()).filter(|at| of[*at] == fold) {
                held_out[at] = outcomes[at].clone();
            }
        }
    }
    Ok(held_out)
}
