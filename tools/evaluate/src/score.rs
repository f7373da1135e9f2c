//! How good an answer is: the measures of `shared/corpus/score`, in the same numbers.

use std::collections::HashSet;

use crate::corpus::{Form, Question};

/// How one question was answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) form: Form,
    pub(crate) class: String,
    pub(crate) answerable: bool,
    /// Whether any object has a grade: only then are there measures.
    pub(crate) graded: bool,
    /// No hits.
    pub(crate) empty: bool,
    /// nDCG@10 with gain 2^grade - 1.
    pub(crate) ndcg: f64,
    /// Objects of the best grade among the first 20, of at most 20.
    pub(crate) recall: f64,
    /// One over the place of the first object of the best grade among the first 10.
    pub(crate) mrr: f64,
    /// Whether one of them is among the first 5.
    pub(crate) success: f64,
    /// Where the question asks how many: the number that was given, and the right one.
    pub(crate) number: Option<(Option<usize>, usize)>,
    /// Whether it was said that metadata cannot say what is asked.
    pub(crate) told: bool,
    /// Where metadata cannot: whether it was said, with what would.
    pub(crate) needs: Option<bool>,
}

impl Outcome {
    pub(crate) fn is_wrongly_empty(&self) -> bool {
        self.graded && self.empty && !(self.told && self.needs.is_some())
    }
}

/// Grades hits, best first.
pub(crate) fn outcome(question: &Question, hits: &[String]) -> Outcome {
    let mut seen = HashSet::new();
    let hits: Vec<&String> = hits.iter().filter(|hit| seen.insert(hit.as_str())).collect();
    let (answerable, graded) = (question.is_answerable(), question.is_graded());
    let class = question.class.clone();
    let (form, empty) = (question.form, hits.is_empty());
    let outcome = Outcome { form, class, answerable, graded, empty, ..Outcome::default() };
    if !graded {
        return outcome;
    }
    let grade = |hit: &&String| question.grades.get(*hit).copied().unwrap_or_default();
    let given: Vec<u32> = hits.iter().map(grade).collect();
    let mut ideal: Vec<u32> = question.grades.values().copied().collect();
    ideal.sort_by(|a, b| b.cmp(a));
    let top = question.top();
    let strong = ideal.iter().filter(|g| **g == top).count();
    let first = |n: usize| given.iter().take(n);
    Outcome {
        ndcg: dcg(first(10)) / dcg(ideal.iter().take(10)),
        recall: first(20).filter(|g| **g == top).count() as f64 / strong.min(20) as f64,
        mrr: first(10).position(|g| *g == top).map_or(0.0, |at| 1.0 / (at as f64 + 1.0)),
        success: if first(5).any(|g| *g == top) { 1.0 } else { 0.0 },
        ..outcome
    }
}

fn dcg<'a>(grades: impl Iterator<Item = &'a u32>) -> f64 {
    grades.zip(2u32..).map(|(grade, place)| (2f64.powi(*grade as i32) - 1.0) / f64::from(place).log2()).sum()
}

/// Means over questions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Means {
    pub(crate) questions: usize,
    pub(crate) ndcg: f64,
    pub(crate) recall: f64,
    pub(crate) mrr: f64,
    pub(crate) success: f64,
    /// Share of the answerable questions without hits. To say that metadata cannot answer is an answer.
    pub(crate) wrongly_empty: f64,
}

/// Means over the graded ones among them.
pub(crate) fn means<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Means {
    let answerable: Vec<&Outcome> = outcomes.into_iter().filter(|o| o.graded).collect();
    let mean = |of: fn(&Outcome) -> f64| share(answerable.iter().map(|o| of(o)));
    Means {
        questions: answerable.len(),
        ndcg: mean(|o| o.ndcg),
        recall: mean(|o| o.recall),
        mrr: mean(|o| o.mrr),
        success: mean(|o| o.success),
        wrongly_empty: mean(|o| f64::from(u8::from(o.is_wrongly_empty()))),
    }
}

/// How many questions nothing answers, and the share of them that rightly got no hits.
pub(crate) fn rightly_empty<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> (usize, f64) {
    let empty: Vec<f64> =
        outcomes.into_iter().filter(|o| !o.answerable).map(|o| f64::from(u8::from(o.empty))).collect();
    (empty.len(), share(empty.into_iter()))
}

/// How many questions ask how many, and how many of them got the right number.
pub(crate) fn numbers<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> (usize, usize) {
    let right: Vec<bool> =
        outcomes.into_iter().filter_map(|o| o.number).map(|(given, right)| given == Some(right)).collect();
    (right.len(), right.iter().filter(|right| **right).count())
}

/// How many questions metadata cannot answer, and of how many of them that was said, with what could.
pub(crate) fn beyond<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> (usize, usize) {
    let named: Vec<bool> = outcomes.into_iter().filter_map(|o| o.needs).collect();
    (named.len(), named.iter().filter(|named| **named).count())
}

/// How many of the other questions that was said of.
pub(crate) fn others_beyond<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> usize {
    outcomes.into_iter().filter(|o| o.told && o.needs.is_none()).count()
}

/// The mean; 0 of nothing.
pub(crate) fn share(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len();
    if n == 0 { 0.0 } else { values.sum::<f64>() / n as f64 }
}

/// The classes of answerable questions, in the order in which they appear.
pub(crate) fn classes(outcomes: &[Outcome]) -> Vec<&str> {
    let mut classes: Vec<&str> = Vec::new();
    for outcome in outcomes.iter().filter(|o| o.graded) {
        if !classes.contains(&outcome.class.as_str()) {
            classes.push(&outcome.class);
        }
    }
    classes
}

/// The table of `shared/corpus/score`, in markdown.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut table =
        "| class | questions | nDCG@10 | recall@20 | MRR@10 | success@5 |\n|---|--:|--:|--:|--:|--:|\n".to_owned();
    let mut row = |class: &str, m: Means| {
        table += &format!(
            "| {class} | {} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
            m.questions, m.ndcg, m.recall, m.mrr, m.success
        );
    };
    for class in classes(outcomes) {
        row(class, means(outcomes.iter().filter(|o| o.class == class)));
    }
    let all = means(outcomes);
    row("ALL", all);
    let (none, right) = rightly_empty(outcomes);
    table += &format!(
        "\nnone: {none} questions, rightly empty {right:.3}; answerable, wrongly empty {:.3}\n",
        all.wrongly_empty
    );
    let (numbers, right) = numbers(outcomes);
    if numbers > 0 {
        table += &format!("how many: {numbers} questions, right {right}\n");
    }
    let (beyond, named) = beyond(outcomes);
    if beyond > 0 {
        let others = others_beyond(outcomes);
        table += &format!("beyond metadata: {beyond} questions, named {named}; of the others, named {others}\n");
    }
    table
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::corpus::Corpus;

    fn question(grades: &[(&str, u32)]) -> Question {
        Question {
            id: "q".into(),
            form: Form::Clean,
            count: None,
            needs: Vec::new(),
            class: if grades.is_empty() { "none" } else { "app" }.into(),
            collection: clusterlore_core::Collection::Instances,
            text: String::new(),
            grades: grades.iter().map(|(id, grade)| ((*id).to_owned(), *grade)).collect(),
        }
    }

    fn hits(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_case_worked_by_hand() {
        // Gains 3, 0, 7 at places 1 to 3 against the best order 7, 7, 3; the repeated hit counts once.
        let q = question(&[("a", 3), ("b", 3), ("c", 2)]);
        let o = outcome(&q, &hits(&["c", "c", "x", "a"]));
        let (second, third) = (3f64.log2(), 4f64.log2());
        assert!((o.ndcg - (3.0 + 7.0 / third) / (7.0 + 7.0 / second + 3.0 / third)).abs() < 1e-12);
        assert_eq!((o.recall, o.mrr, o.success), (0.5, 1.0 / 3.0, 1.0));
        let none = outcome(&question(&[]), &[]);
        let wrong = outcome(&q, &[]);
        assert!(none.empty && !none.answerable && wrong.empty && wrong.ndcg == 0.0);
        let all = [o, none, wrong];
        assert_eq!((means(&all).questions, means(&all).wrongly_empty, rightly_empty(&all)), (2, 0.5, (1, 1.0)));
        let [right, none, wrong] = all;
        let beyond_it = Outcome { told: true, needs: Some(true), ..wrong.clone() };
        let all = [Outcome { told: true, ..right }, none, Outcome { needs: Some(false), ..wrong }, beyond_it];
        assert_eq!((means(&all).wrongly_empty, beyond(&all), others_beyond(&all)), (1.0 / 3.0, (2, 1), 1));
    }

    /// The program that scores the shared corpus, on a run of hits drawn at random.
    #[tokio::test]
    async fn the_shared_scorer_says_the_same() {
        let Some(folder) = clusterlore_testkit::shared("corpus") else { return };
        let corpus = Corpus::open(&folder).await.unwrap().asked(|q| q.form == Form::Clean);
        let mut random = fastrand::Rng::with_seed(7);
        let mut run = String::new();
        let outcomes: Vec<Outcome> = corpus
            .questions
            .iter()
            .map(|q| {
                let mut hits: Vec<String> = q.grades.keys().cloned().collect();
                hits.sort();
                hits.extend((0..20).map(|_| random.choice(&corpus.objects).unwrap().id.clone()));
                random.shuffle(&mut hits);
                hits.truncate(random.usize(0..30));
                run += &format!("{}\n", serde_json::json!({"id": q.id, "hits": hits}));
                outcome(q, &hits)
            })
            .collect();
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("run.jsonl");
        std::fs::write(&file, run).unwrap();
        let score = folder.join("score");
        // It prints three digits; here they are to be twelve.
        let program = "import sys; p = sys.argv[1]; sys.argv = [p, sys.argv[2], '--worst', '1000']; \
                       exec(open(p).read().replace('.3f', '.12f').replace('.2f', '.12f'), {'__file__': p})";
        let output = Command::new("python3").args(["-c", program]).arg(&score).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();

        let numbers = |line: &str| -> Vec<f64> {
            line.split_whitespace().filter(|w| w.contains('.')).filter_map(|w| w.parse().ok()).collect()
        };
        let close = |line: &str, own: &[f64]| {
            let said = numbers(line);
            assert_eq!(said.len(), own.len(), "{line}");
            assert!(said.iter().zip(own).all(|(a, b)| (a - b).abs() < 1e-6), "{line}\nhere: {own:?}");
        };
        let line = |start: &str| said.lines().find(|l| l.split_whitespace().next() == Some(start)).unwrap();
        let row = |m: Means| [m.ndcg, m.recall, m.mrr, m.success];
        for class in classes(&outcomes) {
            close(line(class), &row(means(outcomes.iter().filter(|o| o.class == class))));
        }
        close(line("ALL"), &row(means(&outcomes)));
        close(line("none"), &[rightly_empty(&outcomes).1, means(&outcomes).wrongly_empty]);
        let mut compared = 0;
        for (question, own) in corpus.questions.iter().zip(&outcomes).filter(|(q, _)| q.is_answerable()) {
            let of_question = |l: &&str| l.starts_with("  ") && l.split_whitespace().nth(1) == Some(&question.id);
            let said: f64 = said.lines().find(of_question).unwrap().split_whitespace().next().unwrap().parse().unwrap();
            assert!((said - own.ndcg).abs() < 1e-6, "{}: {said}, here {}", question.id, own.ndcg);
            compared += 1;
        }
        assert!(compared > 50);
    }
}
