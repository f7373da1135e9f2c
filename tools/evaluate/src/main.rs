//! How well clusterlore answers labelled questions, and which weights answer them best. It indexes a corpus and searches it in this
//! process, with the crates that the program is made of.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod asks;
mod bootstrap;
mod corpus;
mod dump;
mod evaluation;
mod folds;
mod generate;
mod memo;
mod needs;
mod neutral;
mod object;
mod renaming;
mod report;
mod score;
mod stages;
mod tune;
mod typos;
mod unseen;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use clusterlore_catalogue::Catalogue;
use clusterlore_search::Weights;

use corpus::{Corpus, Form};
use evaluation::{Evaluation, wait};
use folds::Encoders;
use score::{Means, Outcome};

/// Evaluates clusterlore on corpora: folders with manifests/ and questions.jsonl or sentences.jsonl.
#[derive(Parser)]
struct Args {
    /// Weights of an encoder for questions, in place of those that are built in
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "folds")]
    encoder: Option<PathBuf>,
    /// A folder of encoders fold-A.safetensors, …: each corpus is read by the one that has not seen it
    #[arg(long, global = true, value_name = "DIR")]
    folds: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the scores of each corpus, with the weights that are built in
    Score {
        /// Folders with manifests/ (or manifests), questions.jsonl and sentences.jsonl
        #[arg(required = true, value_name = "CORPUS")]
        corpora: Vec<PathBuf>,
        /// Also name the questions that were answered worst
        #[arg(long, value_name = "N", default_value_t = 0)]
        worst: usize,
        /// Also ask each question with one slip of the finger, N times, and name those that lost most by it
        #[arg(long, value_name = "N", default_value_t = 0)]
        typos: u64,
        /// The first of the draws of --typos; the report has 1 to 3
        #[arg(long, value_name = "SEED", default_value_t = 100)]
        from: u64,
    },
    /// Print what each stage of an answer loses: parsing, retrieval, ranking, abstention, collapsing
    Stages {
        /// Folders with manifests/ and questions
        #[arg(required = true, value_name = "CORPUS")]
        corpora: Vec<PathBuf>,
    },
    /// Print what phrases that ask for nothing change when they are put before and after questions
    Neutral {
        /// Folders with manifests/ and questions
        #[arg(required = true, value_name = "CORPUS")]
        corpora: Vec<PathBuf>,
        /// How many questions of each corpus are asked with each phrase
        #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
        each: u32,
        /// Put the phrases of this file in place of the built-in ones; "…" stands for the question
        #[arg(long, value_name = "FILE")]
        phrases: Option<PathBuf>,
        /// Print what each phrase changes
        #[arg(long)]
        list: bool,
    },
    /// Print whether it is told what metadata cannot say, where that is asked and nowhere else
    Needs {
        /// A folder with manifests/ and questions
        #[arg(value_name = "CORPUS")]
        corpus: PathBuf,
        /// Ask the questions of this file in place of the corpus's own
        #[arg(long, value_name = "FILE")]
        questions: Option<PathBuf>,
        /// Also print the questions of which something wrong was told
        #[arg(long)]
        list: bool,
    },
    /// Search for better weights
    Tune(Tune),
    /// Print what can be said of how well questions are answered, as markdown
    Report(report::Args),
    /// Print what a program that trains on a corpus reads of it: documents and graded questions, as JSON
    Dump {
        /// A folder with manifests/ and questions
        #[arg(value_name = "CORPUS")]
        corpus: PathBuf,
    },
    /// Write the manifests of an invented platform, and questions with their answers
    Generate(generate::Args),
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
    /// Begin with equal weights, not with those that are built in
    #[arg(long)]
    neutral: bool,
}

/// What a slip must cost a question to be worth telling.
const LOST: f64 = 0.1;

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(Args { encoder, folds, command }: Args) -> Result<()> {
    let encoders = match (encoder, &folds) {
        (Some(file), _) => Encoders::one(&file)?,
        (None, Some(folder)) => Encoders::folds(folder)?,
        (None, None) => Encoders::BuiltIn,
    };
    let open = async |folders: &[PathBuf]| open(folders, &encoders).await;
    match command {
        Command::Score { corpora, worst, typos, from } => wait(async {
            let corpora = open(&corpora).await?;
            score(&corpora, worst).await?;
            with_typos(&corpora, from..from + typos).await
        }),
        Command::Tune(args) => {
            wait(async { tune(&open(&args.corpora).await?, &open(&args.beside).await?, &args).await })
        }
        Command::Stages { corpora } => wait(async {
            print!("{}", stages::table(&open(&corpora).await?).await?);
            Ok(())
        }),
        Command::Neutral { corpora, each, phrases, list } => {
            let other = phrases.map(std::fs::read_to_string).transpose()?;
            wait(async { neutral(&open(&corpora).await?, each as usize, other.as_deref(), list).await })
        }
        Command::Needs { corpus, questions, list } => wait(async {
            let corpus = match questions {
                Some(file) => Corpus::asked_from(&corpus, &file).await?,
                None => Corpus::open(&corpus).await?,
            };
            print!("{}", needs::table(&corpus, list).await?);
            Ok(())
        }),
        Command::Dump { corpus } => wait(async {
            for corpus in &open(&[corpus]).await? {
                println!("{}", dump::dump(corpus).await?);
            }
            Ok(())
        }),
        Command::Generate(args) => generate::run(&args).map(|text| print!("{text}")),
        Command::Report(args) => {
            report::report(&args, folds.is_some().then_some(&encoders)).map(|text| print!("{text}"))
        }
    }
}

async fn open(folders: &[PathBuf], encoders: &Encoders) -> Result<Vec<Corpus>> {
    let mut corpora = Vec::new();
    for folder in folders {
        corpora.push(encoders.open(folder).await?);
    }
    Ok(corpora)
}

async fn score(corpora: &[Corpus], worst: usize) -> Result<()> {
    for corpus in corpora {
        let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
        let outcomes = evaluation.outcomes(Weights::default().values()).await?;
        for form in Form::ALL {
            let of_form = corpus.questions.iter().zip(outcomes.iter()).filter(|(q, _)| q.form == form);
            let of_form: Vec<Outcome> = of_form.map(|(_, outcome)| outcome.clone()).collect();
            if !of_form.is_empty() {
                println!("{}, {form}\n\n{}", corpus.name, score::table(&of_form));
            }
        }
        for (question, outcome) in corpus.questions.iter().zip(outcomes.iter()).filter(|_| worst > 0) {
            if let Some((given, right)) = outcome.number.filter(|(given, right)| *given != Some(*right)) {
                let given = given.map_or("no number".to_owned(), |n| n.to_string());
                println!("  {given}, not {right}: {} {}", question.id, question.text);
            }
        }
        let mut by_value: Vec<_> = corpus.questions.iter().zip(outcomes.iter().map(value)).collect();
        by_value.sort_by(|a, b| a.1.total_cmp(&b.1));
        for (question, value) in by_value.into_iter().take(worst) {
            let corrected = evaluation.corrected(question, &question.text).await?;
            println!("  {value:.2} {} {} {}{corrected}", question.id, question.class, question.text);
        }
    }
    Ok(())
}

/// What one slip a question costs, and which questions paid for it.
async fn with_typos(corpora: &[Corpus], seeds: std::ops::Range<u64>) -> Result<()> {
    for corpus in corpora.iter().filter(|_| !seeds.is_empty()) {
        let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
        let values = Weights::default().values();
        let full = evaluation.outcomes(values).await?;
        let (mut all, mut lost) = (Vec::new(), Vec::new());
        for seed in seeds.clone() {
            let texts: Vec<String> = corpus
                .questions
                .iter()
                .map(|q| typos::with_one(&q.text, &q.id, seed).unwrap_or_else(|| q.text.clone()))
                .collect();
            let asked: Vec<&str> = texts.iter().map(String::as_str).collect();
            let outcomes = evaluation.outcomes_of(values, &asked).await?;
            for ((question, text), (with, without)) in
                corpus.questions.iter().zip(&asked).zip(outcomes.iter().zip(full.iter()))
            {
                let loss = value(without) - value(with);
                if loss > LOST {
                    lost.push((
                        loss,
                        format!("{} {}{}", question.id, text, evaluation.corrected(question, text).await?),
                    ));
                }
            }
            all.extend(outcomes);
        }
        println!("{}, one slip a question, {} draws\n", corpus.name, seeds.end - seeds.start);
        println!(
            "| corpus | asked | nDCG@10 | none, rightly empty | wrongly empty | worth |\n|---|---|--:|--:|--:|--:|"
        );
        row(&corpus.name, "as written", &full);
        row(&corpus.name, "with a slip", &all);
        println!("lost: {}", score::means(&full[..]).ndcg - score::means(&all[..]).ndcg);
        lost.sort_by(|a, b| b.0.total_cmp(&a.0));
        lost.iter().for_each(|(loss, what)| println!("  -{loss:.2} {what}"));
    }
    Ok(())
}

/// An empty answer to a question that nothing answers is as good as it can be.
fn value(outcome: &Outcome) -> f64 {
    if outcome.answerable { outcome.ndcg } else { f64::from(u8::from(outcome.empty)) }
}

async fn neutral(corpora: &[Corpus], each: usize, other: Option<&str>, list: bool) -> Result<()> {
    let built_in = [("known", neutral::KNOWN), ("unseen", neutral::UNSEEN)];
    let sets = other.map_or(built_in.to_vec(), |phrases| vec![("given", phrases)]);
    for (corpus, (called, set)) in corpora.iter().flat_map(|corpus| sets.iter().map(move |set| (corpus, set))) {
        let neutral::Change { asked, mean, phrases, emptied } = neutral::change(corpus, set, each).await?;
        println!(
            "{}, {called} phrases: {asked} questions with one, nDCG@10 {mean:+.4}; emptied {}",
            corpus.name,
            emptied.len()
        );
        let shown = phrases.iter().filter(|(change, _)| list && *change != 0.0).count().max(1);
        phrases.iter().take(shown).for_each(|(change, phrase)| println!("  {change:+.3} {phrase}"));
        emptied.iter().take(if list { usize::MAX } else { 10 }).for_each(|text| println!("  emptied: {text}"));
    }
    Ok(())
}

async fn tune(corpora: &[Corpus], beside: &[Corpus], args: &Tune) -> Result<()> {
    let (mut evaluations, mut beside) = (Evaluation::of_all(corpora).await?, Evaluation::of_all(beside).await?);
    let built_in = Weights::default().values();
    let start = if args.neutral { tune::neutral() } else { built_in };
    let tell = &mut |round, worth| eprintln!("round {round}: {worth:.4}");
    let found = tune::search(&mut evaluations, start, args.rounds, tell).await?;

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
