//! What parsing makes of a question.

use std::collections::BTreeSet;
use std::fmt;

use clusterlore_core::conditions::{Beyond, Extreme, LiveCondition};
use clusterlore_core::{ResourceInstance, ResourceType, words};
use clusterlore_store::{Candidate, Filter};
use jiff::Timestamp;

use super::clauses::{Clauses, GroupBy, Order};

/// Words that belong to a verb: "failing over".
pub(super) const PARTICLES: [&str; 5] = ["over", "up", "down", "back", "off"];
/// The most namespaces that a note lists.
const MOST_SHOWN: usize = 5;

/// A question, parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedQuery {
    /// The free text: what is left to be searched for.
    pub text: String,
    /// What may be found, the caller's own conditions included.
    pub filter: Filter,
    /// The caller's own part of it.
    pub(crate) own: Filter,
    /// Types that the question names, but not as a condition. They rank higher.
    pub kinds: BTreeSet<String>,
    /// Objects whose exact name stands in the question. They come first, and no condition leaves them out.
    pub named: Vec<NamedObject>,
    /// Conditions that the question may mean. What meets them ranks higher.
    pub soft: Vec<SoftCondition>,
    /// Where the question says that things are, in its own words, whether that narrows or not.
    pub places: Vec<String>,
    /// What must not be found, in words: "for backups".
    pub unwanted: String,
    /// What must not be found: each of these alone leaves an object out.
    pub not: Vec<Condition>,
    /// What was read from the question, in that order.
    pub notes: Vec<Note>,
    /// Why nothing can match.
    pub problem: Option<Problem>,
    /// Whether the question has conditions and no free text.
    pub scope_only: bool,
    /// What the question wants done with the matches.
    pub clauses: Clauses,
    /// The question's language, if it is not English. Without `english` such a question is answered by names, not by meaning.
    pub language: Option<&'static str>,
    /// The free text in English, word by word, if the question is in another language and a glossary knows some of it.
    pub english: Option<String>,
    /// Words that may be names of objects.
    pub(crate) asked: Vec<AskedName>,
    /// Conditions of which each narrows, by a label or by namespaces: the view is asked which.
    pub(crate) either: Vec<SoftCondition>,
    /// What is somewhere else by the name of a word of it, to be told if nothing answers.
    pub(crate) elsewhere: Vec<Note>,
    /// Those of the kinds that it names whose word means a category of software as well: a `Database` is not the only database.
    pub(crate) vague_kinds: BTreeSet<String>,
    /// Whether it asks when something was created, besides ordering by it or limiting it.
    pub(crate) asks_age: bool,
    /// What it asks that metadata cannot say.
    pub needs: Vec<Need>,
    /// What is said before it asks.
    pub(crate) talk: Vec<String>,
    /// Whether the question asks what an object belongs to.
    pub(crate) asks_for_owners: bool,
    /// Whether the question asks for what bears a name: "called example".
    pub(crate) by_name: bool,
    /// Whether the question is not sure where something is.
    pub(crate) hedged: bool,
    /// Where the question says that things are, if nothing there is called so.
    pub(crate) unknown: Vec<String>,
}

/// An object whose exact name stands in the question.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedObject {
    /// The document, as a store gives it.
    pub document: Candidate,
    /// How surely it is the one that is meant, above 0 and at most 1: the pod's controller is surer than the pod.
    pub sureness: f32,
}

impl NamedObject {
    /// The object itself, unless its record cannot be read.
    pub fn instance(&self) -> Option<ResourceInstance> {
        serde_json::from_str(&self.document.record).ok()
    }
}

/// Something that a question asks and that metadata cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What would say it.
    pub what: Beyond,
    /// The words of the question.
    pub said: String,
    /// The condition that they stand for, if there is one: the cluster's own tables tell whether it holds.
    pub condition: Option<LiveCondition>,
    /// Which of the numbers that decide it are asked for first: "the most restarts".
    pub first: Option<First>,
    /// Its words, in English, where the kinds that are asked for are those of operators: they may print the very words.
    pub(crate) printed: Option<String>,
}

/// What is asked for first, by the numbers that decide a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// Which end of their order.
    pub extreme: Extreme,
    /// How many are wanted, where that is said.
    pub at_most: Option<usize>,
}

impl Need {
    /// Whether it says which objects are meant, and not what is wanted to be known of them: a list without it would be another list.
    pub fn narrows(&self) -> bool {
        let of_all =
            |what| matches!(what, Beyond::Status | Beyond::Spec | Beyond::Image | Beyond::Time | Beyond::Metrics);
        let narrows = |condition: &LiveCondition| self.first.is_some() || !condition.asks_for_a_value();
        self.condition.as_ref().map_or(of_all(self.what), narrows)
    }

    /// Its condition; where operators may print the very words, also that they do: "paused or finished", "not finished".
    fn or_its_words(&self, condition: &LiveCondition) -> LiveCondition {
        let said = |said: &str, condition: &LiveCondition| -> Option<LiveCondition> {
            let words: Vec<String> = said.split(" or ").map(str::to_owned).collect();
            let one = |word: &String| word.split_once(' ').is_none_or(|(_, rest)| PARTICLES.contains(&rest));
            let first =
                |words: Vec<String>, or: &LiveCondition| LiveCondition::Said { words, or: Box::new(or.clone()) };
            let each = |all: &[LiveCondition], words: &[String]| {
                all.iter().zip(words).map(|(condition, word)| first(vec![word.clone()], condition)).collect()
            };
            words.iter().all(one).then(|| match condition {
                LiveCondition::Any(all) if all.len() == words.len() => LiveCondition::Any(each(all, &words)),
                condition => first(words, condition),
            })
        };
        let printed = self.printed.as_deref().filter(|_| condition.is_state());
        let widened = match condition {
            LiveCondition::Not(inner) => {
                let words = printed.and_then(|words| words.strip_prefix("not ")).and_then(|words| said(words, inner));
                words.map(|words| LiveCondition::Not(Box::new(words)))
            }
            condition => printed.and_then(|words| said(words, condition)),
        };
        widened.unwrap_or_else(|| condition.clone())
    }

    /// Whether it says of objects how they are, in words that no condition stands for.
    pub(crate) fn is_untold_state(&self) -> bool {
        self.what == Beyond::Status && self.condition.is_none()
    }
}

/// Whether a word stands for the group of an operator's kinds: "argo" for `argoproj.io`, "postgres" for `postgresql.cnpg.io`.
pub(super) fn is_of_group(word: &str, group: &str) -> bool {
    let labels = || group.split('.').rev().skip(1);
    word.len() > 3
        && group.contains('.')
        && !group.ends_with(".k8s.io")
        && labels().any(|label| label.starts_with(word))
}

impl Need {
    /// A condition, in the words that ask for it.
    pub(crate) fn of(condition: LiveCondition, said: String) -> Self {
        Self { what: condition.beyond(), said, condition: Some(condition), first: None, printed: None }
    }

    /// Something that no condition stands for.
    pub(crate) fn untold(what: Beyond, said: String) -> Self {
        Self { what, said, condition: None, first: None, printed: None }
    }
}

/// Something that an object is, bears, or lies in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It lies in this namespace.
    Namespace(String),
    /// It bears this label.
    Label(String, String),
    /// It is of this type, as `plural.group`.
    Type(String),
}

impl Condition {
    /// Whether the object meets it. `type_name` is its type, as `plural.group`.
    pub fn admits(&self, instance: &ResourceInstance, type_name: &str) -> bool {
        match self {
            Self::Namespace(name) => instance.namespace == *name,
            Self::Label(key, value) => instance.labels.get(key) == Some(value),
            Self::Type(name) => name == type_name,
        }
    }
}

/// A condition that a question may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftCondition {
    /// The words of the question.
    pub said: String,
    /// One of these is enough.
    pub any: Vec<Condition>,
}

impl SoftCondition {
    /// Whether the object meets it.
    pub fn admits(&self, instance: &ResourceInstance, type_name: &str) -> bool {
        self.any.iter().any(|condition| condition.admits(instance, type_name))
    }
}

/// A word of the question that may be the name of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AskedName {
    pub(crate) name: String,
    /// The types that the question says it has, as `plural.group`.
    pub(crate) kinds: BTreeSet<String>,
    /// Where the question says that it is.
    pub(crate) namespaces: BTreeSet<String>,
    /// Whether the word can hardly be anything but a name.
    pub(crate) sure: bool,
    /// The types that words of the name name by themselves.
    pub(crate) kinds_inside: BTreeSet<String>,
}

impl ParsedQuery {
    /// The free text as an embedder for English reads it, and as it is looked up.
    pub(crate) fn meant(&self) -> &str {
        self.english.as_deref().unwrap_or(&self.text)
    }

    /// Whether the free text can be read by meaning.
    pub(crate) fn has_meaning(&self) -> bool {
        !self.scope_only && (self.language.is_none() || self.english.is_some())
    }

    /// The corrected words: as typed, and as understood.
    pub fn corrections(&self) -> impl Iterator<Item = (&str, &str)> {
        self.notes.iter().filter_map(|note| match note {
            Note::Corrected { typed, meant } => Some((typed.as_str(), meant.as_str())),
            _ => None,
        })
    }

    /// Whether the question has neither words that say something nor conditions.
    pub(crate) fn says_nothing(&self) -> bool {
        let free = |word: &String| words::is_stop_word(word);
        words::split(&self.text).iter().all(free)
            && self.filter.is_empty()
            && self.clauses == Clauses::default()
            && self.problem.is_none()
            && self.named.is_empty()
            && self.soft.is_empty()
            && self.unwanted.is_empty()
            && self.needs.is_empty()
    }

    /// Keeps to the caller's own kinds and namespaces: those that the question names narrow them. Where it names only others, the
    /// caller's hold.
    pub(super) fn keep_to_own(&mut self) {
        let own = &self.own;
        let mut overruled = Vec::new();
        let mut keep = |now: &mut BTreeSet<String>, own: &BTreeSet<String>, asked: BTreeSet<String>| {
            if own.is_empty() || asked.is_empty() {
                return true;
            }
            let both: BTreeSet<String> = own.intersection(&asked).cloned().collect();
            let agree = !both.is_empty();
            if agree {
                *now = both;
            } else {
                now.clone_from(own);
                overruled.push(asked.into_iter().collect::<Vec<_>>().join(", "));
            }
            agree
        };
        let namespaces = self.notes.iter().filter_map(|note| match note {
            Note::Namespace(name) => Some(name.clone()),
            _ => None,
        });
        let namespaces = keep(&mut self.filter.namespaces, &own.namespaces, namespaces.collect());
        let types = self.notes.iter().filter_map(|note| match note {
            Note::Kind(types) => Some(types.iter().cloned()),
            _ => None,
        });
        let types = keep(&mut self.filter.types, &own.types, types.flatten().collect());
        self.notes.retain(|note| match note {
            Note::Namespace(_) => namespaces,
            Note::Kind(_) => types,
            _ => true,
        });
        self.notes.extend(overruled.into_iter().map(Note::Overruled));
    }

    /// Narrows the question to a namespace.
    pub(crate) fn add_namespace(&mut self, name: &str) {
        self.notes.push(Note::Namespace(name.to_owned()));
        self.filter.namespaces.insert(name.to_owned());
    }

    /// That the time of creation, which the question asks for, is not known.
    pub(crate) fn needs_time(&mut self) {
        self.needs.push(Need::untold(Beyond::Time, "created".to_owned()));
    }

    /// What the question asks of objects that only their cluster knows.
    pub fn conditions(&self) -> Vec<LiveCondition> {
        // "Is checkout ok?" asks how it is.
        let state = |need: &Need| match (&need.condition, need.what) {
            (None, Beyond::Status) if !self.named.is_empty() => Some(LiveCondition::Ready),
            (Some(condition), _) => Some(need.or_its_words(condition)),
            (None, _) => None,
        };
        self.needs.iter().filter_map(state).collect()
    }

    /// Whether there is nothing in the question that could be found by.
    pub(crate) fn names_nothing(&self) -> bool {
        !self.needs.is_empty() && Self { needs: Vec::new(), ..self.clone() }.says_nothing()
    }

    /// Whether only objects of which the conditions hold answer. Of a named object it is told whether they do.
    pub(crate) fn conditions_narrow(&self) -> bool {
        self.named.is_empty() && self.needs.iter().any(|need| need.condition.is_some() && need.narrows())
    }

    /// The ids of the named objects, where there are several of a kind that is asked for, and a condition that tells them apart.
    pub(crate) fn several_named(&self) -> Option<BTreeSet<&String>> {
        let narrows = self.needs.iter().any(|need| need.condition.is_some() && need.narrows());
        let asked = |named: &&NamedObject| {
            let name = &named.document.type_name;
            self.kinds.contains(name) || self.filter.types.contains(name)
        };
        let ids: BTreeSet<&String> = self.named.iter().filter(asked).map(|named| &named.document.id).collect();
        (narrows && ids.len() > 1).then_some(ids)
    }

    /// The words of its free text, in English, that are neither stop words nor name a kind or a place.
    pub(crate) fn other_words(&self, types: &[(String, ResourceType)]) -> Vec<String> {
        self.other_words_of(self.english.as_ref().unwrap_or(&self.text), types)
    }

    /// Whether its free text is only what is said before it asks.
    pub(crate) fn says_only_talk(&self, types: &[(String, ResourceType)]) -> bool {
        self.other_words(types).iter().all(|word| self.talk.contains(word))
    }

    /// Such words of a part of it.
    pub(super) fn other_words_of(&self, text: &str, types: &[(String, ResourceType)]) -> Vec<String> {
        let text = text.to_lowercase();
        let kind = |word: &str| types.iter().any(|(_, ty)| ty.answers_to(word) || ty.answers_to(&words::stem(word)));
        let place = |word: &str| {
            self.soft.iter().any(|soft| words::split(&soft.said.to_lowercase()).contains(&word.to_owned()))
        };
        // "Firmware rollouts" are of the kind `FirmwareRollout`.
        let said = self.needs.iter().map(|need| need.said.to_lowercase());
        let terms: Vec<String> = said.chain([text.clone()]).flat_map(|text| words::terms(&text)).collect();
        let asked = || {
            types.iter().filter(|(_, ty)| [&self.kinds, &self.filter.types].iter().any(|all| all.contains(&ty.name())))
        };
        let spelt_out: BTreeSet<String> = asked()
            .map(|(_, ty)| words::split(&ty.kind).iter().map(|word| words::stem(word)).collect::<Vec<_>>())
            .filter(|kind| kind.len() > 1 && kind.iter().all(|term| terms.contains(term)))
            .flatten()
            .collect();
        // "Longhorn volumes" are those of the group `longhorn.io`.
        let of_group = |word: &str| asked().any(|(_, ty)| is_of_group(word, &ty.group));
        let of_kind = |word: &str| kind(word) || spelt_out.contains(&words::stem(word)) || of_group(word);
        words::split(&text).into_iter().filter(|w| !words::is_stop_word(w) && !of_kind(w) && !place(w)).collect()
    }

    /// Narrows to the types that the conditions are about, of those that are known.
    pub(super) fn add_meant_types(&mut self, types: &[(String, ResourceType)]) {
        let conditions = self.needs.iter().filter_map(|need| need.condition.as_ref());
        let meant: BTreeSet<&String> = conditions.flat_map(LiveCondition::types).collect();
        let known = types.iter().map(|(_, ty)| ty.name()).filter(|name| meant.contains(name));
        self.filter.types.extend(known);
    }

    /// The condition, in the order of [`Self::conditions`], whose numbers decide what comes first.
    pub(crate) fn first(&self) -> Option<(usize, First)> {
        let judged = self.needs.iter().filter(|need| need.condition.is_some());
        judged.enumerate().find_map(|(n, need)| Some((n, need.first?)))
    }

    /// Whether only types, namespaces and what the cluster knows say what is asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.scope_only
            && !self.filter.types.is_empty()
            && self.filter.selector.0.is_empty()
            && self.filter.annotations.0.is_empty()
            && self.filter.keys.is_empty()
            && !self.clauses.by_age()
            && self.unwanted.is_empty()
            && self.soft.is_empty()
            && self.named.is_empty()
    }

    /// Whether the question names the type, as a condition or not.
    pub(crate) fn names_type(&self, type_name: &str) -> bool {
        self.filter.types.contains(type_name) || self.kinds.contains(type_name)
    }
}

/// One thing that was read from a question. Its text is what people are shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The question asks how many there are.
    Counted,
    /// It asks how many there are of each.
    Grouped(GroupBy),
    /// It asks for an order.
    Ordered(Order),
    /// It limits when objects were created: from a time on, before a time, or both.
    Created {
        /// From then on.
        since: Option<Timestamp>,
        /// Before then.
        until: Option<Timestamp>,
    },
    /// It says what must not be found.
    Unwanted(String),
    /// It names a label, in kubectl's selector syntax.
    Label(String),
    /// It names types, as `plural.group`.
    Kind(Vec<String>),
    /// It names a namespace.
    Namespace(String),
    /// It names these clusters, by what is shown of them; only what is there fits.
    Cluster(Vec<String>),
    /// It names something that may be a condition: what meets it ranks higher.
    Preferred(String),
    /// It names objects; these are their stored ids.
    Named(Vec<String>),
    /// It says that an object is where it is not.
    Elsewhere {
        /// The object's name.
        name: String,
        /// The namespaces that the question says.
        said: Vec<String>,
        /// The namespaces that it is in.
        is_in: Vec<String>,
    },
    /// It names kinds or namespaces, none of which is among those that the caller keeps to.
    Overruled(String),
    /// It says that things are in something that nothing is called like.
    Unknown(String),
    /// It asks whether all of them are so, in this word; those that are not are the answer.
    Exceptions(String),
    /// It asks for a state of things, and these words beside it name nothing.
    LeftOut(String),
    /// It says since when something is so, in these words, and not since when it exists.
    OtherTime(String),
    /// It counts what runs, in this word; only objects are counted.
    Unchecked(String),
    /// It is in this language.
    Language(&'static str),
    /// It is in this language, and its free text was read as these English words.
    Read {
        /// The language.
        language: &'static str,
        /// The free text, word for word.
        english: String,
    },
    /// A word was corrected.
    Corrected {
        /// The word as it was typed.
        typed: String,
        /// The word that replaces it.
        meant: String,
    },
    /// An object takes the place of the question; this is its stored id.
    SimilarTo(String),
}

impl Note {
    /// Whether something else was searched for than stands in the question.
    pub fn changes_the_question(&self) -> bool {
        matches!(
            self,
            Self::Elsewhere { .. }
                | Self::Exceptions(_)
                | Self::Unknown(_)
                | Self::Overruled(_)
                | Self::LeftOut(_)
                | Self::OtherTime(_)
                | Self::Unchecked(_)
                | Self::Corrected { .. }
        )
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted => f.write_str("asked: how many"),
            Self::Grouped(by) => write!(f, "asked: by {by}"),
            Self::Ordered(Order::Newest) => f.write_str("asked: newest first"),
            Self::Ordered(Order::Oldest) => f.write_str("asked: oldest first"),
            Self::Created { since: Some(since), until: Some(until) } => {
                write!(f, "created since {since} and before {until}")
            }
            Self::Created { since: Some(since), until: None } => write!(f, "created since {since}"),
            Self::Created { since: None, until: Some(until) } => write!(f, "created before {until}"),
            Self::Created { since: None, until: None } => f.write_str("created at any time"),
            Self::Unwanted(text) => write!(f, "not wanted: {text}"),
            Self::Label(label) => write!(f, "label: {label}"),
            Self::Kind(types) => write!(f, "kind: {}", types.join(", ")),
            Self::Namespace(name) => write!(f, "namespace: {name}"),
            Self::Cluster(names) => write!(f, "cluster: {}", names.join(", ")),
            Self::Preferred(said) => write!(f, "preferred: {said}"),
            Self::Named(ids) => write!(f, "named: {}", ids.join(", ")),
            Self::Elsewhere { name, said, is_in } => {
                let more = match is_in.len().saturating_sub(MOST_SHOWN) {
                    0 => String::new(),
                    n => format!(" and {n} more"),
                };
                let shown = is_in.iter().take(MOST_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
                write!(f, "{name} is not in namespace {}; it is in {shown}{more}", said.join(" or "))
            }
            Self::Unchecked(said) => {
                write!(f, "objects of the index are counted; whether they are {said} now was not checked")
            }
            Self::Exceptions(said) => write!(f, "asked whether all are {said}; searched for those that are not"),
            Self::LeftOut(said) => write!(f, "nothing is called \"{said}\"; searched without it"),
            Self::OtherTime(said) => {
                write!(f, "\"{said}\" is not about when objects were created; searched without it")
            }
            Self::Overruled(said) => write!(f, "{said} is not among what the filters admit; searched without it"),
            Self::Unknown(said) => write!(f, "\"{said}\" is no namespace, team or stage; searched without it"),
            Self::Language(name) => write!(f, "language: {name}, answered by names and not by meaning"),
            Self::Read { language, english } => write!(f, "language: {language}, read word for word as: {english}"),
            Self::Corrected { typed, meant } => write!(f, "corrected: {typed} to {meant}"),
            Self::SimilarTo(id) => write!(f, "similar to {id}"),
        }
    }
}

/// Why nothing can match a question. Its text is what people are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The index has no such namespace.
    NoSuchNamespace(String),
    /// The index has no cluster of this name.
    NoSuchCluster(String),
    /// No resource type has this name.
    NoSuchKind(String),
    /// The question asks only for what is somewhere, and nothing is called like that.
    NoSuchScope(String),
    /// The question has more conditions on labels than a filter may have.
    TooManyConditions,
    /// The question asks for an age, and the caller did not say what time it is.
    NoClock,
    /// A date that does not exist.
    NotADate(String),
    /// A negative age.
    NotAnAge(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCluster(name) => write!(f, "the index has no cluster \"{name}\""),
            Self::NoSuchNamespace(name) => write!(f, "there is no namespace \"{name}\""),
            Self::NoSuchKind(name) => write!(f, "no resource type is called \"{name}\""),
            Self::NoSuchScope(said) => write!(f, "no namespace, team or stage is called \"{said}\""),
            Self::TooManyConditions => f.write_str("the question has too many conditions on labels"),
            Self::NoClock => f.write_str("the time of the question is unknown, so ages cannot be compared"),
            Self::NotADate(word) => write!(f, "\"{word}\" is not a date; expected one such as 2026-01-31"),
            Self::NotAnAge(words) => write!(f, "\"{words}\" is not an age; expected a number above zero"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_problems_read_as_sentences() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let (since, until) = (at("2026-01-31T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        for (note, text) in [
            (Note::Counted, "asked: how many"),
            (Note::Grouped(GroupBy::Label("team".to_owned())), "asked: by label:team"),
            (Note::Ordered(Order::Newest), "asked: newest first"),
            (Note::Created { since, until }, "created since 2026-01-31T00:00:00Z and before 2026-02-01T00:00:00Z"),
            (Note::Created { since: None, until }, "created before 2026-02-01T00:00:00Z"),
            (Note::Unwanted("for backups".to_owned()), "not wanted: for backups"),
            (Note::Kind(vec!["pods".to_owned(), "jobs.batch".to_owned()]), "kind: pods, jobs.batch"),
            (Note::Preferred("search".to_owned()), "preferred: search"),
            (
                Note::Elsewhere { name: "api".to_owned(), said: vec!["a".to_owned()], is_in: vec!["b".to_owned()] },
                "api is not in namespace a; it is in b",
            ),
            (
                Note::Unknown("production".to_owned()),
                "\"production\" is no namespace, team or stage; searched without it",
            ),
            (
                Note::Overruled("deployments.apps".to_owned()),
                "deployments.apps is not among what the filters admit; searched without it",
            ),
            (
                Note::Unchecked("running".to_owned()),
                "objects of the index are counted; whether they are running now was not checked",
            ),
            (Note::Language("German"), "language: German, answered by names and not by meaning"),
            (
                Note::Read { language: "German", english: "application send sms".to_owned() },
                "language: German, read word for word as: application send sms",
            ),
            (Note::Corrected { typed: "redsi".to_owned(), meant: "redis".to_owned() }, "corrected: redsi to redis"),
        ] {
            assert_eq!(note.to_string(), text);
        }
        let problem = Problem::NoSuchScope("payroll".to_owned());
        assert_eq!(problem.to_string(), "no namespace, team or stage is called \"payroll\"");
    }
}
