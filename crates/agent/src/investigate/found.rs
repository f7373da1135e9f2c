//! What rules find, put together: what is true of several objects is said once.

use clusterlore_cluster::reads::Object;

use super::facts::{is_in_trouble, is_well, kind};
use super::findings::{Bearing, Cause, Diagnosis, ObjectName};
use super::seen::Seen;

/// Diagnoses so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Where the rule that is at work has its words from.
    pub(super) source: &'static str,
    pub(super) all: Vec<Diagnosis>,
}

impl Found {
    /// `part` tells diagnoses of one cause apart: of several objects with the same part only the first has a line.
    pub(super) fn add(&mut self, cause: Cause, bearing: Bearing, of: &Object, part: &str, line: String) {
        self.name(cause, bearing, ObjectName::of(of), part, line);
    }

    pub(super) fn name(&mut self, cause: Cause, bearing: Bearing, of: ObjectName, part: &str, line: String) {
        let same = |known: &&mut Diagnosis| (known.cause, known.bearing, known.part.as_str()) == (cause, bearing, part);
        match self.all.iter_mut().find(same) {
            Some(known) if known.of[0].kind == of.kind => {
                if !known.of.contains(&of) {
                    known.of.push(of);
                }
            }
            _ => {
                let (of, part) = (vec![of], part.to_owned());
                self.all.push(Diagnosis { cause, bearing, of, line, source: self.source, part });
            }
        }
    }

    pub(super) fn fails(&self) -> bool {
        self.all.iter().any(|diagnosis| diagnosis.bearing == Bearing::Failing)
    }

    pub(super) fn has(&self, cause: Cause) -> bool {
        self.all.iter().any(|diagnosis| diagnosis.cause == cause)
    }

    /// Whether something else was found of this object that makes it fail.
    pub(super) fn explains(&self, object: &Object) -> bool {
        let name = ObjectName::of(object);
        self.all.iter().any(|diagnosis| diagnosis.bearing == Bearing::Failing && diagnosis.of.contains(&name))
    }
}

/// What trouble of a pod means for the subject.
pub(super) fn bearing(seen: &Seen, pod: &Object) -> Bearing {
    let is_other_fine = kind(&seen.subject) != "Pod" && is_well(&seen.subject) == Some(true);
    if is_in_trouble(pod) && !is_other_fine { Bearing::Failing } else { Bearing::Notice }
}

/// What stands between the first pair of these quotes behind `before`.
pub(super) fn quoted<'a>(text: &'a str, before: &str, quote: char) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    let rest = &rest[rest.find(quote)? + quote.len_utf8()..];
    Some(&rest[..rest.find(quote)?])
}

/// `1 of 3 replicas is`, `2 of 3 replicas are`, `0 of 1 replica is`
pub(super) fn of_all(some: u64, all: u64, one: &str, many: &str) -> String {
    format!(
        "{some} of {all} {} {}",
        if all == 1 { one } else { many },
        if some == 1 || all == 1 { "is" } else { "are" }
    )
}

pub(super) fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}
