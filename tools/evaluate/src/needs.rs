//! Whether it is told what metadata cannot say: where a question asks for it, and nowhere else.

use std::fmt::Write as _;

use anyhow::Result;
use clusterlore_catalogue::Catalogue;

use crate::corpus::Corpus;
use crate::evaluation::Evaluation;

/// Of the questions that metadata cannot answer, how many are named so, and for what they ask; of the others, how many are.
pub(crate) async fn table(corpus: &Corpus, list: bool) -> Result<String> {
    let told = told(corpus).await?;
    let Told { beyond, named, rightly, others, falsely, numbers, wrong } = &told;
    let mut table = format!(
        "{}: beyond {beyond}, named {:.3}, with what would say it {:.3}, given a number {}; others {others}, falsely named {:.3}\n",
        corpus.name,
        share(*named, *beyond),
        share(*rightly, *beyond),
        numbers.len(),
        share(*falsely, *others)
    );
    if list {
        table += wrong;
    }
    Ok(table)
}

fn share(n: usize, of: usize) -> f64 {
    n as f64 / of.max(1) as f64
}

/// What was told of the questions of a corpus.
#[derive(Debug, Default)]
struct Told {
    /// Questions that metadata cannot answer.
    beyond: usize,
    /// Those of which that was told.
    named: usize,
    /// For what they ask.
    rightly: usize,
    /// The others.
    others: usize,
    /// Those of which it was told, too.
    falsely: usize,
    /// Questions that metadata cannot answer, and that were answered by a number.
    numbers: Vec<String>,
    wrong: String,
}

async fn told(corpus: &Corpus) -> Result<Told> {
    let mut evaluation = Evaluation::of(corpus, Catalogue::builtin()).await?;
    let mut all = Told::default();
    for question in &corpus.questions {
        let (told, number) = evaluation.needs(question).await?;
        // Manifests do not say when objects were created; where that is told, it is no fault.
        let told: Vec<_> = told.into_iter().filter(|(_, said)| said != "created").collect();
        let is_right = told.iter().any(|(what, _)| question.needs.iter().any(|need| need == what));
        if question.needs.is_empty() {
            all.others += 1;
            all.falsely += usize::from(!told.is_empty());
        } else {
            all.beyond += 1;
            all.named += usize::from(!told.is_empty());
            all.rightly += usize::from(is_right);
            all.numbers.extend(number.map(|number| format!("{}: {number}", question.text)));
        }
        if if question.needs.is_empty() { !told.is_empty() } else { !is_right } {
            writeln!(all.wrong, "  {} {} {} {:?}", question.id, question.needs.join("|"), question.text, told)?;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Questions by somebody who had not seen how they are recognised, and kept aside while that was made.
    #[tokio::test]
    async fn what_metadata_cannot_say_is_named_and_never_counted() {
        let Some(folder) = clusterlore_testkit::shared("corpus") else { return };
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let of = async |file: &str| told(&Corpus::asked_from(&folder, &data.join(file)).await.unwrap()).await.unwrap();
        let beyond = of("beyond.jsonl").await;
        assert!(beyond.beyond >= 100 && share(beyond.named, beyond.beyond) >= 0.75, "{} named", beyond.named);
        assert_eq!(beyond.numbers, Vec::<String>::new());
        let within = of("within.jsonl").await;
        assert!(within.others >= 50 && share(within.falsely, within.others) <= 0.05, "{} named", within.falsely);
    }
}
