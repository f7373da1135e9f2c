//! A conversation: the questions that were asked, what each was read as, and which objects its answer named. Nothing of what the cluster
//! said is in it.

use clusterlore_core::Collection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, Took};

/// What this program writes. What is newer it does not read.
const VERSION: u32 = 1;
/// So many objects of an answer are kept.
const KEPT: usize = 200;

/// Questions in a row. Each goes on with the one before it, or begins anew.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conversation {
    /// In the order in which they were asked.
    pub turns: Vec<Turn>,
}

impl Conversation {
    /// What the next question may go on with: the last that was answered.
    pub fn last(&self) -> Option<&Turn> {
        self.turns.iter().rev().find(|turn| !turn.unanswered)
    }

    /// The same, before its objects were asked about one by one: "they" are more than one.
    pub(crate) fn last_of_many(&self) -> Option<&Turn> {
        let mut answered = self.turns.iter().rev().filter(|turn| !turn.unanswered);
        answered.find(|turn| turn.objects.len() != 1)
    }

    /// The last turn, if it was asked back and the next question may answer that.
    pub(crate) fn asked_back(&self) -> Option<&Turn> {
        self.turns.last().filter(|turn| !turn.asked_back.is_empty())
    }

    /// The list of which "the second" is one: what was shown last, before its objects were asked about one by one.
    pub(crate) fn list(&self) -> &[String] {
        let mut list: &[String] = &[];
        for turn in self.turns.iter().rev().filter(|turn| !turn.unanswered) {
            let of_one = turn.objects.len() == 1;
            if list.is_empty() || turn.shown.contains(&list[0]) {
                list = &turn.shown;
            }
            if !of_one {
                break;
            }
        }
        list
    }
}

/// A question and what is kept of its answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Turn {
    /// Of what it is written in.
    pub version: u32,
    /// When it was asked, RFC 3339.
    pub at: String,
    /// The question, as it was typed.
    pub question: String,
    /// The question that was answered: it says all that the typed one left out.
    pub asked: String,
    /// Stored ids of the objects to which it was restricted; none: it was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// Where the answer is from.
    pub collection: Collection,
    /// Ids of what answers, in the order of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<String>,
    /// Ids of what was shown, in that order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// Whether more answer than are kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// What the answers are called together, in the singular; empty where nothing is known of that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub noun: String,
    /// Whether it was asked back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// The words of the question that were asked back for; empty if none were.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub asked_back: String,
    /// Messages of a language model, as it wants to have them again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Value>,
}

impl Turn {
    /// What is kept of an answer; `at` is when the question was asked, RFC 3339.
    pub fn of(answer: &Answer, at: &str) -> Self {
        let Took { question, objects, .. } = answer.took.clone().unwrap_or_default();
        let number = answer.number.unwrap_or(answer.answered.len());
        Self {
            version: VERSION,
            at: at.to_owned(),
            question: answer.question.clone(),
            asked: if question.is_empty() { answer.question.clone() } else { question },
            objects,
            collection: answer.searched,
            answered: answer.answered.iter().take(KEPT).cloned().collect(),
            shown: answer.hits.iter().map(|item| item.id.clone()).take(KEPT).collect(),
            more: number > answer.answered.len().min(KEPT),
            noun: answer.noun.clone(),
            unanswered: answer.asks.is_some(),
            asked_back: answer.asks.as_ref().map(|asks| asks.said.clone()).unwrap_or_default(),
            model: None,
        }
    }

    /// What is kept of a model's answer: the objects that it cited, and its messages as it wants to have them again.
    pub fn of_model(question: &str, at: &str, cited: Vec<String>, messages: Value) -> Self {
        Self {
            version: VERSION,
            at: at.to_owned(),
            question: question.to_owned(),
            asked: question.to_owned(),
            unanswered: cited.is_empty(),
            answered: cited.iter().take(KEPT).cloned().collect(),
            shown: cited.into_iter().take(KEPT).collect(),
            model: Some(messages),
            ..Self::default()
        }
    }

    /// Whether this program can read it.
    pub fn is_known(&self) -> bool {
        (1..=VERSION).contains(&self.version)
    }
}
