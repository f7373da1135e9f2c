//! What can be said of how well questions are answered, as markdown. Everything that is drawn by chance has a fixed seed.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use clusterlore_catalogue::{Catalogue, Named};
use clusterlore_core::Collection;
use clusterlore_search::Weights;
use fastrand::Rng;

use crate::asks::{Expected, Kind};
use crate::bootstrap;
use crate::corpus::{Corpus, Form};
use crate::evaluation::{Evaluation, Values, wait};
use crate::score::{self, Means, Outcome};
use crate::tune::{self, NEUTRAL};
use crate::{generate, renaming, typos};

/// Folds, and rounds of tuning without each of them. Later rounds move little.
const FOLDS: usize = 5;
const ROUNDS: usize = 3;
const TYPO_SEEDS: [u64; 3] = [1, 2, 3];
/// Objects and seed of the generated platform.
const GENERATED: (usize, u64) = (5_000, 1);
/// Hits that a question about it gets, where not all are asked for.
const SHOWN: usize = 20;
const HALF_SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The corpus that everything is told of
    #[arg(value_name = "SHARED_CORPUS")]
    corpus: PathBuf,
    /// The example company; of it, as of development corpora, only the scores are told
    #[arg(long, value_name = "CORPUS")]
    example: Option<PathBuf>,
    /// A corpus that weights were chosen with; may be repeated
    #[arg(long, value_name = "CORPUS", num_args = 1..)]
    development: Vec<PathBuf>,
}

/// A part of the report, or why there is none.
type Part<'a> = Box<dyn FnOnce() -> Result<String> + Send + 'a>;

pub(crate) fn report(args: &Args) -> Result<String> {
    let corpus = &wait(Corpus::open(&args.corpus))?.asked(|q| q.form == Form::Clean);
    let others = args.example.iter().chain(&args.development);
    let others = &others.map(|folder| wait(Corpus::open(folder))).collect::<Result<Vec<Corpus>>>()?;
    let built_in = Weights::default().values();
    // What takes longest comes first, and side by side.
    let parts: Vec<Part<'_>> = vec![
        Box::new(|| wait(cross_validated(corpus, "built in", built_in))),
        Box::new(|| wait(cross_validated(corpus, "all equal", built_in.map(|_| NEUTRAL)))),
        Box::new(|| wait(scores(corpus))),
        Box::new(|| wait(ablations(corpus))),
        Box::new(|| wait(neutral_namespaces(corpus))),
        Box::new(|| wait(with_typos(corpus))),
        Box::new(|| wait(half_known(corpus))),
        Box::new(|| wait(others_scores(others))),
        Box::new(|| wait(generated())),
    ];
    let parts = side_by_side(parts)?;
    let [from_built_in, from_equal, scores, ablations, namespaces, typos, half, others, generated] = parts.as_slice()
    else {
        return Err(anyhow!("a part of the report is missing"));
    };
    let mut text = format!("## Scores\n\n{scores}\n## Questions that tuning did not see\n\n");
    text +=
        "| tuned from | nDCG@10 | from the full score | none, rightly empty | wrongly empty |\n|---|--:|--:|--:|--:|\n";
    write!(text, "{from_built_in}{from_equal}\n## Without a part\n\n{ablations}\n## Made harder\n\n")?;
    text += "| made harder by | nDCG@10 | difference | none, rightly empty | wrongly empty |\n|---|--:|--:|--:|--:|\n";
    write!(text, "{namespaces}{typos}{half}")?;
    if !others.is_empty() {
        write!(text, "\n## Other corpora\n\n{others}")?;
    }
    write!(text, "\n## Generated platform\n\n{generated}")?;
    Ok(text)
}

/// Does all of it on as many threads as there are cores; what comes out stands in the order of what went in.
fn side_by_side<T: Send>(jobs: Vec<Box<dyn FnOnce() -> Result<T> + Send + '_>>) -> Result<Vec<T>> {
    let count = jobs.len();
    let waiting = Mutex::new(jobs.into_iter().enumerate().collect::<VecDeque<_>>());
    let done = Mutex::new(Vec::with_capacity(count));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, job)) = next() {
                    let result = job();
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

async fn scores(corpus: &Corpus) -> Result<String> {
    let outcomes = Evaluation::of(corpus, Catalogue::builtin()).await?.outcomes(Weights::default().values()).await?;
    Ok(table(&outcomes))
}

/// The table of `shared/corpus/score`, with intervals.
fn table(outcomes: &[Outcome]) -> String {
    let mut table =
        "| class | questions | nDCG@10 | 95 % | recall@20 | MRR@10 | success@5 |\n|---|--:|--:|:-:|--:|--:|--:|\n"
            .to_owned();
    let mut row = |class: &str, of: Vec<&Outcome>| {
        let Means { questions, ndcg, recall, mrr, success, .. } = score::means(of.iter().copied());
        let interval = spread(of.iter().filter(|o| o.answerable).map(|o| o.ndcg));
        table +=
            &format!("| {class} | {questions} | {ndcg:.3} | {interval} | {recall:.3} | {mrr:.3} | {success:.3} |\n");
    };
    for class in score::classes(outcomes) {
        row(class, outcomes.iter().filter(|o| o.answerable && o.class == class).collect());
    }
    row("ALL", outcomes.iter().collect());
    let empty = |answerable: bool| {
        let values = outcomes.iter().filter(move |o| o.answerable == answerable);
        values.map(|o| f64::from(u8::from(o.empty)))
    };
    let (none, right) = score::rightly_empty(outcomes);
    table += &format!(
        "\nnone: {none} questions, rightly empty {right:.3} ({}); answerable, wrongly empty {:.3} ({})\n",
        spread(empty(false)),
        score::means(outcomes).wrongly_empty,
        spread(empty(true))
    );
    table
}

fn spread(values: impl Iterator<Item = f64>) -> String {
    let interval = bootstrap::interval(&values.collect::<Vec<_>>());
    interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:.3}–{high:.3}"))
}

/// Everything that a line of the shorter tables says.
fn line(what: &str, outcomes: &[Outcome], full: &[Outcome]) -> String {
    let Means { ndcg, wrongly_empty, .. } = score::means(outcomes);
    let (_, right) = score::rightly_empty(outcomes);
    // Adding nothing to a rounded number takes the sign off a zero.
    let difference = ((ndcg - score::means(full).ndcg) * 1000.0).round() / 1000.0 + 0.0;
    format!("| {what} | {ndcg:.3} | {difference:+.3} | {right:.3} | {wrongly_empty:.3} |\n")
}

async fn cross_validated(corpus: &Corpus, called: &str, start: Values) -> Result<String> {
    let mut evaluation = [Evaluation::of(corpus, Catalogue::builtin()).await?];
    let held_out = tune::held_out(&mut evaluation, FOLDS, start, ROUNDS, &format!("from {called}, ")).await?;
    let [mut evaluation] = evaluation;
    let full = evaluation.outcomes(Weights::default().values()).await?;
    Ok(line(called, &held_out.concat(), &full))
}

async fn ablations(corpus: &Corpus) -> Result<String> {
    let mut table =
        "| without | nDCG@10 | difference | none, rightly empty | wrongly empty |\n|---|--:|--:|--:|--:|\n".to_owned();
    let values = Weights::default().values();
    let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
    let full = evaluation.outcomes(values).await?;
    table += &line("nothing", &full, &full);
    for (at, name) in Weights::NAMES.iter().enumerate() {
        let mut without = values;
        without[at] = 0.0;
        let what = match *name {
            "label" | "description" | "elsewhere" => format!("words in {name}"),
            "evidence" => "evidence: any best hit will do where no software is named".to_owned(),
            "evidence named" => "evidence named: any best hit will do where software is named".to_owned(),
            _ => (*name).to_owned(),
        };
        table += &line(&what, &evaluation.outcomes(without).await?, &full);
    }
    let nothing = Catalogue::empty();
    let outcomes = Evaluation::of(corpus, &nothing).await?.outcomes(values).await?;
    table += &line("catalogue", &outcomes, &full);

    let objects = corpus.asked(|q| q.collection == Collection::Instances);
    let full = Evaluation::of(&objects, Catalogue::builtin()).await?.outcomes(values).await?;
    let mut evaluation = Evaluation::without_capabilities(&objects, Catalogue::builtin()).await?;
    table += &line("nothing, questions for objects alone", &full, &full);
    table += &line("capabilities, the same questions", &evaluation.outcomes(values).await?, &full);
    Ok(table)
}

async fn neutral_namespaces(corpus: &Corpus) -> Result<String> {
    let values = Weights::default().values();
    let full = Evaluation::of(corpus, Catalogue::builtin()).await?.outcomes(values).await?;
    let neutral = renaming::neutral(corpus);
    let renamed = neutral.questions.iter().zip(&corpus.questions).filter(|(new, old)| new.text != old.text).count();
    let outcomes = Evaluation::of(&neutral, Catalogue::builtin()).await?.outcomes(values).await?;
    let table = line("nothing", &full, &full);
    let what = format!("namespaces that say nothing (ns-1 …; {renamed} questions name one)");
    Ok(table + &line(&what, &outcomes, &full))
}

async fn with_typos(corpus: &Corpus) -> Result<String> {
    let values = Weights::default().values();
    let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
    let full = evaluation.outcomes(values).await?;
    let mut all = Vec::new();
    let mut slipped = 0;
    for seed in TYPO_SEEDS {
        let texts = corpus.questions.iter().map(|q| typos::with_one(&q.text, &q.id, seed));
        let texts: Vec<Option<String>> = texts.collect();
        slipped = texts.iter().flatten().count();
        let asked = texts.iter().zip(&corpus.questions).map(|(slip, q)| slip.as_deref().unwrap_or(&q.text));
        all.extend(evaluation.outcomes_of(values, &asked.collect::<Vec<_>>()).await?);
    }
    let what = format!(
        "one typo a question ({slipped} of {} have a word long enough; mean of {} draws)",
        corpus.questions.len(),
        TYPO_SEEDS.len()
    );
    Ok(line(&what, &all, &full))
}

/// Without a random half of what the catalogue knows of this corpus: as if half of its software were unheard of.
async fn half_known(corpus: &Corpus) -> Result<String> {
    let values = Weights::default().values();
    let full = Evaluation::of(corpus, Catalogue::builtin()).await?.outcomes(values).await?;
    let software: Vec<&str> = recognised(corpus).into_iter().collect();
    let (mut all, mut means) = (Vec::new(), Vec::new());
    for seed in HALF_SEEDS {
        let mut half = software.clone();
        Rng::with_seed(seed).shuffle(&mut half);
        half.truncate(software.len() / 2);
        let catalogue = Catalogue::builtin().without(&half.into_iter().collect());
        let outcomes = Evaluation::of(corpus, &catalogue).await?.outcomes(values).await?;
        means.push(score::means(outcomes.iter()).ndcg);
        all.extend_from_slice(&outcomes);
    }
    let (low, high) = means.iter().fold((f64::MAX, f64::MIN), |(low, high), m| (m.min(low), m.max(high)));
    let what = format!(
        "half of the {} products unknown that the catalogue recognises here (mean of {} draws, {low:.3}–{high:.3})",
        software.len(),
        HALF_SEEDS.len()
    );
    Ok(line(&what, &all, &full))
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

async fn others_scores(corpora: &[Corpus]) -> Result<String> {
    let mut text = String::new();
    for corpus in corpora {
        let table = scores(corpus).await.with_context(|| corpus.name.clone())?;
        write!(text, "### {}\n\n{table}\n", corpus.name)?;
    }
    Ok(text)
}

/// The questions of a generated platform: those that are answered rightly, and which are not.
async fn generated() -> Result<String> {
    let platform = generate::platform(GENERATED.0, GENERATED.1)?;
    let folder = tempfile::tempdir()?;
    generate::write(&platform, folder.path())?;
    let corpus = Corpus::without_questions("the generated platform", &folder.path().join("manifests")).await?;
    let mut evaluation = Evaluation::of(&corpus, Catalogue::builtin()).await?;
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for ask in &platform.asks {
        let limit = if matches!(ask.expected, Expected::All { .. }) { platform.objects.len() } else { SHOWN };
        let got = evaluation.got(&ask.q, limit).await.with_context(|| ask.q.clone())?;
        let is_right = ask.expected.is_met_by(&got);
        if !is_right {
            let instead = match (&ask.expected, got.total) {
                (Expected::Count { total }, Some(said)) => format!(" ({said} instead of {total})"),
                _ => String::new(),
            };
            wrong.push(format!("\"{}\"{instead}", ask.q));
        }
        right.push((ask, is_right));
    }
    let mut text = "| asked | questions | right | share |\n|---|--:|--:|--:|\n".to_owned();
    let mut row = |what: &str, of: Vec<bool>| {
        let right = of.iter().filter(|right| **right).count();
        let share = right as f64 / of.len().max(1) as f64;
        text += &format!("| {what} | {} | {right} | {share:.2} |\n", of.len());
    };
    for kind in Kind::ALL {
        row(kind.says(), right.iter().filter(|(ask, _)| ask.kind == kind).map(|(_, right)| *right).collect());
    }
    row("ALL", right.iter().map(|(_, right)| *right).collect());
    if !wrong.is_empty() {
        writeln!(text, "\nWrong: {}.", wrong.join(", "))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_answered_in_their_order() {
        let job = |n: usize| -> Box<dyn FnOnce() -> Result<usize> + Send> {
            Box::new(move || {
                std::thread::sleep(std::time::Duration::from_millis(20 - n as u64));
                Ok(n)
            })
        };
        assert_eq!(side_by_side((0..20).map(job).collect()).unwrap(), (0..20).collect::<Vec<_>>());
        let failing: Vec<Box<dyn FnOnce() -> Result<()> + Send>> =
            vec![Box::new(|| Ok(())), Box::new(|| Err(anyhow!("no")))];
        assert_eq!(side_by_side(failing).unwrap_err().to_string(), "no");
    }
}
