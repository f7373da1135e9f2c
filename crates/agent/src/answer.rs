//! An answer in sentences, typed for Rust, and one JSON shape for everybody else.
//!
//! ```json
//! {"question": "…", "took": {"text", "question", "objects": ["…"]}, "searched": "instances"|"capabilities",
//!  "answer": [{"text": "2 databases: …", "ids": ["shop/apps/v1/StatefulSet/payments-db"]}],
//!  "asks": {"text": "Which deployment do you mean?", "candidates": ["…"]},
//!  "number": 2,
//!  "hits": [{"id", "type", "kind", "apiVersion", "namespace", "name", "cluster", "is", "about", "answers",
//!            "state": [{"verdict", "number", "text"}], "why": ["…"]}],
//!  "more": 0, "groups": [{"name", "count"}], "needs": [{"what", "said", "read"}], "unread": ["…"], "notes": ["…"],
//!  "next": [{"verb", "type", "name", "namespace", "context"}], "closest": ["plural.group"]}
//! ```
//!
//! `ids` are the objects (or types) that a sentence is about. `number` is null where nothing was counted: the answer is what fits a
//! description best, or only the cluster could tell and was not asked.
//! `answers` says whether a hit is one of what is asked for; the others are near it. `needs` is what metadata cannot say, and `read`
//! whether the cluster was asked for it. `took` is there where the question goes on with the one before it: the question that was answered
//! instead, and the objects that it was asked of. `asks` is there where the question cannot be answered before it is answered itself.

use clusterlore_core::Collection;
use clusterlore_core::conditions::Verdict;
use clusterlore_index::Group;
use serde::Serialize;

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question, as it was asked.
    pub question: String,
    /// What the question was read as, where it goes on with another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<Took>,
    /// Where the answer is from.
    pub searched: Collection,
    /// What is said, in this order.
    pub answer: Vec<Sentence>,
    /// What must be known first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
    /// How many there are of what is asked for, where that was counted.
    pub number: Option<usize>,
    /// What was found: what answers, then what is near it.
    pub hits: Vec<Item>,
    /// How many more were found.
    pub more: usize,
    /// How many of each, where the question asks for that, most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// What metadata cannot say.
    pub needs: Vec<Unread>,
    /// What could not be read of the cluster, each a sentence without its full stop. Text from outside.
    pub unread: Vec<String>,
    /// How the question was read, where that is not as it stands there.
    pub notes: Vec<String>,
    /// What to look at next.
    pub next: Vec<Step>,
    /// If nothing was found: the types (`plural.group`) nearest to the question.
    pub closest: Vec<String>,
    /// Ids of all that answers, whether it is shown or not, in the order of the answer.
    #[serde(skip)]
    pub answered: Vec<String>,
    /// What they are called together, in the singular; empty where nothing is known of that.
    #[serde(skip)]
    pub noun: String,
}

/// What a question took over from the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Took {
    /// In plain English.
    pub text: String,
    /// The question that was answered; it stands by itself.
    pub question: String,
    /// Stored ids of the objects that it was asked of; none: all.
    pub objects: Vec<String>,
}

/// A sentence, and what it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// In plain English, with its full stop. Names in it are text from outside.
    pub text: String,
    /// Ids of the objects or types that it speaks of.
    pub ids: Vec<String>,
}

/// A question back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asks {
    /// In plain English.
    pub text: String,
    /// Ids of what may be meant, where that is few.
    pub candidates: Vec<String>,
    /// The words of the question that it is about; empty where it is about all of it.
    #[serde(skip)]
    pub said: String,
}

/// Something that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Stored id; of a type its name.
    pub id: String,
    /// `plural.group`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `StatefulSet`.
    pub kind: String,
    /// `apps/v1`.
    pub api_version: String,
    /// Where it lives; nothing for what lives in no namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Stored name of its cluster, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What its cluster is called; empty where it has no name.
    #[serde(skip)]
    pub cluster_name: String,
    /// The software that it is, as far as the catalogue knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// What it says of itself; of a type what it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Whether it is one of what is asked for.
    pub answers: bool,
    /// What the cluster says of it, in the order of the conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<State>,
    /// Why it was found, what weighs most first.
    pub why: Vec<String>,
}

/// What the cluster says of an object and a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Whether it holds.
    pub verdict: Verdict,
    /// The number that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// What decides, as the cluster prints it.
    pub text: String,
}

/// What metadata cannot say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// `status`, `image`, `spec`, `metrics`, `logs`, `events`, `rbac`, `time`.
    pub what: &'static str,
    /// The words of the question.
    pub said: String,
    /// Whether the cluster was asked for it.
    pub read: bool,
}

/// What kubectl does about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Shows an object with its status and events.
    Describe,
    /// Lists objects with their status.
    Get,
    /// Shows what it printed.
    Logs,
    /// Shows what happened to it.
    Events,
    /// Shows what it uses.
    Top,
    /// Says whether somebody may do something.
    CanI,
    /// Shows the fields of a type.
    Explain,
}

/// A command of kubectl.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// The type as kubectl takes it: `deployment`, `certificates.cert-manager.io`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The object; none: all of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its namespace; none: it has none, or all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether objects of the type live in namespaces.
    #[serde(skip)]
    pub namespaced: bool,
    /// The context of the kubeconfig by which its cluster was read, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}
