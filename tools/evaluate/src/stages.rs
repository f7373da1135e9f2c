//! What each stage of an answer loses: an answer that is perfect but for one stage, stage after stage.

use std::collections::HashSet;

use anyhow::Result;
use clusterlore_catalogue::Catalogue;

use crate::corpus::{Corpus, Form, Question};
use crate::evaluation::Evaluation;
use crate::score;

/// The stages, in their order.
pub(crate) const STAGES: [&str; 5] = ["parse", "retrieve", "rank", "abstain", "collapse"];

/// What each stage took from one, on average over the graded questions of a form. They add up to one less nDCG@10.
pub(crate) async fn losses(corpus: &Corpus, form: Form) -> Result<Option<[f64; STAGES.len()]>> {
    let corpus = corpus.asked(|q| q.form == form && q.is_graded());
    let mut evaluation = Evaluation::of(&corpus, Catalogue::builtin()).await?;
    let outcomes = evaluation.outcomes(evaluation.weights()).await?;
    let mut sums = [0.0; STAGES.len()];
    for (question, outcome) in corpus.questions.iter().zip(outcomes.iter()) {
        let admitted = evaluation.admitted(question).await?;
        let (_, scored) = evaluation.scored(question).await?;
        let found: Vec<String> = scored.into_iter().map(|s| s.id).collect();
        let ranked = score::outcome(question, &found).ndcg;
        let (parsed, retrieved) = (best(question, &admitted), best(question, &found.into_iter().collect()));
        let given = if outcome.empty { 0.0 } else { ranked };
        let lost = [1.0 - parsed, parsed - retrieved, retrieved - ranked, ranked - given, given - outcome.ndcg];
        sums.iter_mut().zip(lost).for_each(|(sum, lost)| *sum += lost);
    }
    let n = corpus.questions.len();
    Ok((n > 0).then(|| sums.map(|sum| sum / n as f64)))
}

/// The best nDCG@10 that these documents allow.
fn best(question: &Question, documents: &HashSet<String>) -> f64 {
    let mut ids: Vec<(&String, u32)> =
        question.grades.iter().filter(|(id, _)| documents.contains(*id)).map(|(id, g)| (id, *g)).collect();
    ids.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let ids: Vec<String> = ids.into_iter().map(|(id, _)| id.clone()).collect();
    score::outcome(question, &ids).ndcg
}

/// A table of what the stages lose, one line for each corpus and form.
pub(crate) async fn table(corpora: &[Corpus]) -> Result<String> {
    let mut table = head();
    for corpus in corpora {
        for form in Form::ALL {
            if let Some(losses) = losses(corpus, form).await? {
                table += &row(&corpus.name, form, &losses);
            }
        }
    }
    Ok(table)
}

pub(crate) fn head() -> String {
    format!("| corpus | {} |\n|---|{}\n", STAGES.join(" | "), "--:|".repeat(STAGES.len()))
}

pub(crate) fn row(corpus: &str, form: Form, losses: &[f64; STAGES.len()]) -> String {
    // Adding nothing to a rounded number takes the sign off a zero.
    let cells = losses.map(|l| format!("{:.3}", (l * 1000.0).round() / 1000.0 + 0.0)).join(" | ");
    format!("| {corpus}, {form} | {cells} |\n")
}
