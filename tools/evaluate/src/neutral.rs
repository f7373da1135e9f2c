//! Words that ask for nothing, before and after a question: they must change nothing.

use anyhow::Result;
use clusterlore_catalogue::Catalogue;
use fastrand::Rng;

use crate::corpus::Corpus;
use crate::evaluation::Evaluation;

/// What the rules about talk were made with.
pub(crate) const KNOWN: &str = include_str!("../data/neutral.txt");
/// What they were not made with.
pub(crate) const UNSEEN: &str = include_str!("../data/neutral-unseen.txt");
/// Where the question stands in a phrase.
const QUESTION: char = '…';

/// What the phrases did to the answers of a corpus.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// How many questions were asked with a phrase.
    pub(crate) asked: usize,
    /// Mean of nDCG@10 with the phrase less without it.
    pub(crate) mean: f64,
    /// Each phrase, and what it took on average over its questions.
    pub(crate) phrases: Vec<(f64, String)>,
    /// Questions that lost their answer.
    pub(crate) emptied: Vec<String>,
}

fn phrases(of: &str) -> impl Iterator<Item = &str> {
    of.lines().filter(|line| !line.starts_with('#') && line.contains(QUESTION))
}

/// Asks `each` questions of the corpus with each phrase; which ones is drawn with a fixed seed.
pub(crate) async fn change(corpus: &Corpus, of: &str, each: usize) -> Result<Change> {
    let corpus = corpus.asked(|q| q.is_graded());
    let mut change = Change::default();
    if corpus.questions.is_empty() {
        return Ok(change);
    }
    let mut evaluation = Evaluation::of(&corpus, Catalogue::builtin()).await?;
    let plain = evaluation.outcomes(evaluation.weights()).await?;
    let mut random = Rng::with_seed(1);
    let mut sum = 0.0;
    for phrase in phrases(of) {
        let mut of_phrase = 0.0;
        for _ in 0..each {
            let at = random.usize(0..corpus.questions.len());
            let question = &corpus.questions[at];
            let text = phrase.replace(QUESTION, &question.text);
            let with = evaluation.outcome_of(question, &text).await?;
            of_phrase += with.ndcg - plain[at].ndcg;
            if with.empty && !plain[at].empty {
                change.emptied.push(text);
            }
        }
        sum += of_phrase;
        change.asked += each;
        change.phrases.push((of_phrase / each as f64, phrase.to_owned()));
    }
    change.phrases.sort_by(|a, b| a.0.total_cmp(&b.0));
    change.mean = sum / change.asked as f64;
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_hundred_phrases() {
        let all: Vec<&str> = phrases(KNOWN).collect();
        let different: std::collections::BTreeSet<&&str> = all.iter().collect();
        assert!(all.len() >= 200 && different.len() == all.len());
        assert!(phrases(UNSEEN).count() >= 100 && !phrases(UNSEEN).any(|p| different.contains(&p)));
        assert!(all.iter().any(|p| p.ends_with(QUESTION)) && all.iter().any(|p| p.starts_with(QUESTION)));
    }
}
