//! What can be said of how well questions are answered, as markdown. Everything that is drawn by chance has a fixed seed.

use std::collections::VecDeque;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use clusterlore_catalogue::Catalogue;
use clusterlore_search::Weights;

use crate::asks::{Expected, Kind};
use crate::bootstrap;
use crate::corpus::{Corpus, Form};
use crate::evaluation::{Evaluation, wait};
use crate::folds::Encoders;
use crate::generate;
use crate::score::{self, Means, Outcome};
use crate::stages;
use crate::tune;
use crate::unseen::{self, MOVED, Run, Together, Unseen, together};

/// Rounds of tuning on one form. Later ones move little.
const ROUNDS: usize = 3;
/// Objects and seed of the generated platform.
const GENERATED: (usize, u64) = (5_000, 1);
/// Hits that a question about it gets, where not all are asked for.
const SHOWN: usize = 20;

const SHIPPED: &str = "The answers of the program as it is, to the questions of `../shared/corpus` and in the measures of its `score`. **This flatters:** the
encoder in the binary was trained on these questions and knows them by heart. `./eval --quick` compares with these numbers.";
const GENERATED_PLATFORM: &str = "5,000 objects of `clusterlore-evaluate generate`, and questions whose answers the generator computed. What flatters it: names and
questions are regular, and were written beside the code that answers them.";
const LEFT_OUT: &str = "## Questions that the encoder has not seen

Left out, with all that follows from it (the abstention curve, tuning on one form, stages, ablations, harder questions): this report
was made without `--folds`. `tools/train-encoder/README.md` says how to train the three encoders, some 10 minutes each; then run
`./eval --write --folds DIR`.";
const UNSEEN: &str = "Each corpus is read by an encoder that was trained without it (`tools/evaluate/src/folds.rs`): the nearest to what a cluster of yours
would get. What still flatters it: the weights of ranking and abstention were fitted on such runs, and the rules and the catalogue were
written by people who had read many of these questions. What counts against it: the encoder in the binary was trained on more.
Means are of the corpora, shares of all questions. `beyond` are questions that metadata cannot answer whole; it is right to say what would.
Of `others` the same was said; some of them do ask for logs or a status, and are labelled by their object alone.";
const CLASSES: &str = "The same run, whole sentences of the shared corpus. `beyond` asks what metadata cannot say whole. What flatters it is said above; a
class of 10 to 20 questions is a hint and no more, as its interval shows.";
const CURVE: &str = "The runs of the section before, with the threshold of an answer (`Weights::answers`, in `rank/weights.rs`) moved. At +0.0 is the
program. What flatters it: the model of abstention was fitted on these questions.";
const TUNING: &str = "All weights begin at 0.5 (but those of evidence, which decide numbers, of which tuning sees next to nothing), are tuned on questions of
one form alone (`clusterlore-evaluate tune`, three rounds, encoders that have not seen the corpus), and are tried on both. What flatters
it: the corpora are the same for both forms, and the constants of abstention were fitted on both; only its threshold is tuned here.";
const STAGES: &str = "What is lost of a perfect nDCG@10 by reading the question's conditions, by bringing up candidates, by their order, by staying silent,
and by showing replicas as one; with encoders that have not seen the corpus. A line adds up to one less nDCG@10. Less than nothing is
lost where a stage brings back what the one before it had excluded. What flatters the runs themselves flatters this.";
const WITHOUT: &str = "One weight at 0, or one source of knowledge gone, in the runs with encoders that have not seen the corpus. Nothing is tuned anew, so a
part whose place others could take looks more useful than it is. Abstention still sees the encoder where only its weights are 0.";
const HARDER: &str = "The runs with encoders that have not seen the corpus, made harder: namespaces called `ns-1`, …; one slip of the finger in one word of
five or more letters (2 draws); a random half of the products that the catalogue recognises in the corpus taken out of it (2 draws).
What flatters it: slips are simpler than what people type, and the rules for words that ask for nothing were written with such lists.";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The corpus whose questions the program answers as it is shipped
    #[arg(value_name = "SHARED_CORPUS")]
    corpus: PathBuf,
    /// More corpora, told of with --folds alone; may be repeated
    #[arg(long, value_name = "CORPUS", num_args = 1..)]
    with: Vec<PathBuf>,
}

/// What a thread makes of the report.
enum Part {
    Text(String),
    Unseen(Box<Unseen>),
    Tuned(Tuned),
}

/// What weights give that were tuned on one form.
struct Tuned {
    called: String,
    /// Of each corpus.
    runs: Vec<Vec<Outcome>>,
}

type Job<'a> = Box<dyn FnOnce() -> Result<Part> + Send + 'a>;

/// The report. Without encoders that have not seen the corpora it says what was left out.
pub(crate) fn report(args: &Args, folds: Option<&Encoders>) -> Result<String> {
    let corpora: Vec<&Path> = [&args.corpus].into_iter().chain(&args.with).map(PathBuf::as_path).collect();
    let corpora = match folds {
        Some(folds) => corpora.into_iter().map(|folder| wait(folds.open(folder))).collect::<Result<Vec<Corpus>>>()?,
        None => Vec::new(),
    };
    let corpora = &corpora;
    let shipped = &wait(Encoders::BuiltIn.open(&args.corpus))?;
    // What takes longest comes first, and side by side.
    let mut jobs: Vec<Job<'_>> = Vec::new();
    if !corpora.is_empty() {
        for form in Form::ALL {
            jobs.push(Box::new(move || wait(tuned(corpora, form, ROUNDS))));
        }
        jobs.push(Box::new(move || wait(tuned(corpora, Form::Clean, 0))));
    }
    for corpus in corpora {
        jobs.push(Box::new(move || Ok(Part::Unseen(Box::new(wait(unseen::of(corpus)).context(corpus.name.clone())?)))));
    }
    jobs.push(Box::new(|| wait(scores(shipped)).map(Part::Text)));
    jobs.push(Box::new(|| wait(generated()).map(Part::Text)));

    let (mut texts, mut all, mut tuned) = (Vec::new(), Vec::new(), Vec::new());
    for part in side_by_side(jobs)? {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Unseen(unseen) => all.push(*unseen),
            Part::Tuned(weights) => tuned.push(weights),
        }
    }
    let [scores, generated] = texts.as_slice() else { bail!("a part of the report is missing") };
    let mut text = format!("## Scores as shipped\n\n{SHIPPED}\n\n{scores}\n");
    match all.is_empty() {
        true => write!(text, "{LEFT_OUT}\n\n")?,
        false => text += &of_unseen(&all, &tuned)?,
    }
    write!(text, "## Generated platform\n\n{GENERATED_PLATFORM}\n\n{generated}")?;
    Ok(text)
}

/// The sections about questions that the encoder has not seen.
fn of_unseen(all: &[Unseen], tuned: &[Tuned]) -> Result<String> {
    let mut text = format!("## Questions that the encoder has not seen\n\n{UNSEEN}\n\n{}\n", by_corpus(all));
    if let Some(shared) = all.first() {
        let outcomes: Vec<Outcome> = shared.as_is.iter().filter(|o| o.form == Form::Sentences).cloned().collect();
        write!(text, "### {}, whole sentences, by class\n\n{CLASSES}\n\n{}\n", shared.name, table(&outcomes))?;
    }
    write!(text, "## The abstention curve\n\n{CURVE}\n\n{}\n", curve(all))?;
    write!(text, "## Tuned on one form\n\n{TUNING}\n\n{}\n", tuned_table(all, tuned))?;
    write!(text, "## Where it is lost\n\n{STAGES}\n\n{}\n", stages_table(all))?;
    let runs = |of: fn(&Unseen) -> &[Run]| changes(all, of);
    write!(text, "## Without a part\n\n{WITHOUT}\n\n{}{}\n", head("without"), runs(|u| &u.without))?;
    write!(
        text,
        "## Made harder\n\n{HARDER}\n\n{}{}\n{}\n",
        head("made harder by"),
        runs(|u| &u.harder),
        phrases(all)
    )?;
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
    let mut text = Vec::new();
    for form in Form::ALL {
        let of_form: Vec<Outcome> = outcomes.iter().filter(|o| o.form == form).cloned().collect();
        text.push(format!("### {form}\n\n{}", table(&of_form)));
    }
    Ok(text.join("\n"))
}

/// The table of `shared/corpus/score`, with intervals.
fn table(outcomes: &[Outcome]) -> String {
    let mut table =
        "| class | questions | nDCG@10 | 95 % | recall@20 | MRR@10 | success@5 |\n|---|--:|--:|:-:|--:|--:|--:|\n"
            .to_owned();
    let mut row = |class: &str, of: Vec<&Outcome>| {
        let Means { questions, ndcg, recall, mrr, success, .. } = score::means(of.iter().copied());
        let interval = spread(of.iter().filter(|o| o.graded).map(|o| o.ndcg));
        table +=
            &format!("| {class} | {questions} | {ndcg:.3} | {interval} | {recall:.3} | {mrr:.3} | {success:.3} |\n");
    };
    for class in score::classes(outcomes) {
        row(class, outcomes.iter().filter(|o| o.graded && o.class == class).collect());
    }
    row("ALL", outcomes.iter().collect());
    let (none, right) = score::rightly_empty(outcomes);
    table += &format!(
        "\nnone: {none} questions, rightly empty {right:.3} ({}); answerable, wrongly empty {:.3} ({})",
        spread(outcomes.iter().filter(|o| !o.answerable).map(|o| f64::from(u8::from(o.empty)))),
        score::means(outcomes).wrongly_empty,
        spread(outcomes.iter().filter(|o| o.graded).map(|o| f64::from(u8::from(o.is_wrongly_empty()))))
    );
    let (numbers, right) = score::numbers(outcomes);
    if numbers > 0 {
        table += &format!("; how many: {numbers} questions, right {right}");
    }
    let (beyond, named) = score::beyond(outcomes);
    if beyond > 0 {
        let others = score::others_beyond(outcomes);
        table += &format!("; beyond metadata: {beyond} questions, named {named}; of the others, named {others}");
    }
    table + "\n"
}

fn spread(values: impl Iterator<Item = f64>) -> String {
    written(bootstrap::interval(&values.collect::<Vec<_>>()))
}

fn written(interval: Option<(f64, f64)>) -> String {
    interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:.3}–{high:.3}"))
}

/// A number of questions among others.
fn among((asked, right): (usize, usize)) -> String {
    if asked == 0 { "–".to_owned() } else { format!("{right} of {asked}") }
}

/// A difference to three digits. Adding nothing to a rounded number takes the sign off a zero.
fn difference(new: f64, old: f64) -> String {
    format!("{:+.3}", ((new - old) * 1000.0).round() / 1000.0 + 0.0)
}

fn as_is(all: &[Unseen]) -> impl Iterator<Item = &[Outcome]> {
    all.iter().map(|u| u.as_is.as_slice())
}

/// Every corpus and form, and the mean of each form.
fn by_corpus(all: &[Unseen]) -> String {
    let mut table = "| corpus | questions | nDCG@10 | 95 % | none | rightly empty | wrongly empty | numbers right | beyond, named | others named |\n\
                     |---|--:|--:|:-:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for form in Form::ALL {
        let mut row = |called: &str, runs: &[&Unseen]| {
            let Together { ndcg, rightly_empty, wrongly_empty, numbers } =
                together(runs.iter().map(|u| u.as_is.as_slice()), &[form]);
            let of_form = |u: &&Unseen| u.as_is.iter().filter(|o| o.form == form).cloned().collect::<Vec<_>>();
            let outcomes: Vec<Vec<Outcome>> = runs.iter().map(of_form).collect();
            let values: Vec<Vec<f64>> =
                outcomes.iter().map(|run| run.iter().filter(|o| o.graded).map(|o| o.ndcg).collect()).collect();
            let interval = bootstrap::interval_of_means(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let graded = values.iter().map(Vec::len).sum::<usize>();
            let none = outcomes.iter().map(|run| score::rightly_empty(run).0).sum::<usize>();
            table += &format!(
                "| {called}, {form} | {graded} | {ndcg:.3} | {} | {none} | {rightly_empty:.3} | {wrongly_empty:.3} | {} | {} | {} |\n",
                written(interval),
                among(numbers),
                among(score::beyond(outcomes.iter().flatten())),
                score::others_beyond(outcomes.iter().flatten())
            );
        };
        let asked: Vec<&Unseen> = all.iter().filter(|u| u.as_is.iter().any(|o| o.form == form)).collect();
        asked.iter().for_each(|u| row(&u.name, &[u]));
        row("**mean**", &asked);
    }
    table
}

/// How many questions stay without an answer, rightly and wrongly, for each threshold.
fn curve(all: &[Unseen]) -> String {
    let mut table = "| moved by | clean: nDCG@10 | rightly empty | wrongly empty | sentences: nDCG@10 | rightly empty | wrongly empty |\n\
                     |--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for (at, by) in MOVED.into_iter().enumerate() {
        let cells = Form::ALL.map(|form| {
            let all = together(all.iter().filter_map(|u| u.moved.get(at)).map(Vec::as_slice), &[form]);
            format!("{:.3} | {:.3} | {:.3}", all.ndcg, all.rightly_empty, all.wrongly_empty)
        });
        table += &format!("| {by:+.1} | {} |\n", cells.join(" | "));
    }
    table
}

/// Tunes on the questions of one form, and asks those of both.
async fn tuned(corpora: &[Corpus], form: Form, rounds: usize) -> Result<Part> {
    let of_form: Vec<Corpus> =
        corpora.iter().map(|c| c.asked(|q| q.form == form)).filter(|c| !c.questions.is_empty()).collect();
    let mut evaluations = Evaluation::of_all(&of_form).await?;
    let called = if rounds == 0 { "not at all: all at 0.5".to_owned() } else { format!("{form} alone") };
    let tell = &mut |round, worth| eprintln!("tuned on {called}, round {round}: {worth:.4}");
    let values = tune::search(&mut evaluations, tune::neutral(), rounds, tell).await?;
    let mut runs = Vec::new();
    for corpus in corpora {
        runs.push(Evaluation::of(corpus, Catalogue::builtin()).await?.outcomes(values).await?.to_vec());
    }
    Ok(Part::Tuned(Tuned { called, runs }))
}

fn tuned_table(all: &[Unseen], tuned: &[Tuned]) -> String {
    let mut table = "| tuned on | clean: nDCG@10 | rightly empty | wrongly empty | sentences: nDCG@10 | rightly empty | wrongly empty |\n\
                     |---|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    let mut row = |called: &str, runs: &[&[Outcome]]| {
        let cells = Form::ALL.map(|form| {
            let all = together(runs.iter().copied(), &[form]);
            format!("{:.3} | {:.3} | {:.3}", all.ndcg, all.rightly_empty, all.wrongly_empty)
        });
        table += &format!("| {called} | {} |\n", cells.join(" | "));
    };
    row("as shipped", &as_is(all).collect::<Vec<_>>());
    for weights in tuned {
        row(&weights.called, &weights.runs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    table
}

fn stages_table(all: &[Unseen]) -> String {
    let mut table = stages::head();
    for form in Form::ALL {
        for unseen in all {
            for (_, losses) in unseen.stages.iter().filter(|(of, _)| *of == form) {
                table += &stages::row(&unseen.name, form, losses);
            }
        }
    }
    table
}

/// The head of a table of [`changes`].
fn head(what: &str) -> String {
    format!(
        "| {what} | clean: nDCG@10 | difference | sentences: nDCG@10 | difference | rightly empty | wrongly empty | numbers right |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n"
    )
}

/// What each run gives, compared with nothing changed.
fn changes(all: &[Unseen], of: fn(&Unseen) -> &[Run]) -> String {
    let mut table = String::new();
    let mut row = |called: &str, runs: &[&[Outcome]]| {
        let cells = Form::ALL.map(|form| {
            let (new, old) = (together(runs.iter().copied(), &[form]).ndcg, together(as_is(all), &[form]).ndcg);
            format!("{new:.3} | {}", difference(new, old))
        });
        let Together { rightly_empty, wrongly_empty, numbers, .. } = together(runs.iter().copied(), &Form::ALL);
        table += &format!(
            "| {called} | {} | {rightly_empty:.3} | {wrongly_empty:.3} | {} |\n",
            cells.join(" | "),
            among(numbers)
        );
    };
    row("nothing", &as_is(all).collect::<Vec<_>>());
    for (at, run) in all.first().map_or(&[][..], of).iter().enumerate() {
        row(
            &run.called,
            &all.iter().filter_map(|u| of(u).get(at)).map(|run| run.outcomes.as_slice()).collect::<Vec<_>>(),
        );
    }
    table
}

/// What words did that ask for nothing.
fn phrases(all: &[Unseen]) -> String {
    let asked: usize = all.iter().map(|u| u.phrases.asked).sum();
    let by = all.iter().map(|u| u.phrases.mean * u.phrases.asked as f64).sum::<f64>() / asked.max(1) as f64;
    let emptied: usize = all.iter().map(|u| u.phrases.emptied.len()).sum();
    format!(
        "Words that ask for nothing (\"hi team, …\", `tools/evaluate/data/neutral.txt`) before and after {asked} questions of these corpora:\n\
         nDCG@10 {}; {emptied} questions lost their answer.\n",
        difference(by, 0.0)
    )
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
    use anyhow::anyhow;

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
