//! What parsing makes of a question.

use std::collections::BTreeSet;
use std::fmt;

use clusterlore_store::Filter;
use jiff::Timestamp;

use super::clauses::{Clauses, GroupBy, Order};

/// A question, parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedQuery {
    /// The free text: what is left to be searched for.
    pub text: String,
    /// What may be found, the caller's own conditions included.
    pub filter: Filter,
    /// Types that the question names, but not as a condition. They rank higher.
    pub kinds: BTreeSet<String>,
    /// What must not be found: "not for backups".
    pub unwanted: String,
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
    /// No object has this label.
    NoSuchLabel {
        /// The key as the question names it, without a domain.
        key: String,
        /// The value that no object has.
        value: String,
    },
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
            Self::NoSuchNamespace(name) => write!(f, "there is no namespace \"{name}\""),
            Self::NoSuchLabel { key, value } => write!(f, "no object has the label {key}={value}"),
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
            (Note::Language("German"), "language: German, answered by names and not by meaning"),
            (
                Note::Read { language: "German", english: "application send sms".to_owned() },
                "language: German, read word for word as: application send sms",
            ),
            (Note::Corrected { typed: "redsi".to_owned(), meant: "redis".to_owned() }, "corrected: redsi to redis"),
        ] {
            assert_eq!(note.to_string(), text);
        }
        let problem = Problem::NoSuchLabel { key: "team".to_owned(), value: "payroll".to_owned() };
        assert_eq!(problem.to_string(), "no object has the label team=payroll");
    }
}
