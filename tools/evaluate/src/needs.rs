//! Whether it is told what metadata cannot say: where a question asks for it, and nowhere else.

use std::fmt::Write as _;

use anyhow::Result;
use clusterlore_catalogue::Catalogue;

use crate::corpus::Corpus;
use crate::evaluation::Evaluation;

/// Of the questions that metadata cannot answer, how many are named so, and for what they ask; of the others, how many are.
pub(crate) async fn table(corpus: &Corpus, list: bool) -> Result<String> {
    let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
    let (mut beyond, mut named, mut rightly, mut others, mut falsely) = (0, 0, 0, 0, 0);
    let mut wrong = String::new();
    for question in &corpus.questions {
        let told = evaluation.needs(question).await?;
        let is_right = told.iter().any(|(what, _)| question.needs.iter().any(|need| need == what));
        if question.needs.is_empty() {
            others += 1;
            falsely += usize::from(!told.is_empty());
        } else {
            beyond += 1;
            named += usize::from(!told.is_empty());
            rightly += usize::from(is_right);
        }
        if if question.needs.is_empty() { !told.is_empty() } else { !is_right } {
            writeln!(wrong, "  {} {} {} {:?}", question.id, question.needs.join("|"), question.text, told)?;
        }
    }
    let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
    let mut table = format!(
        "{}: beyond {beyond}, named {:.3}, with what would say it {:.3}; others {others}, falsely named {:.3}\n",
        corpus.name,
        share(named, beyond),
        share(rightly, beyond),
        share(falsely, others)
    );
    if list {
        table += &wrong;
    }
    Ok(table)
}
