//! One event of an object (core/v1).

use std::fmt;

use serde_json::Value;

use super::object::Object;
use super::said::clean;

/// Characters of a message that are kept: the API server allows 1024 bytes.
const MESSAGE: usize = 1_024;
/// Characters of everything else that is kept.
const SHORT: usize = 128;

/// What a controller, the scheduler or a kubelet said of an object, [cleaned](clean).
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// `Warning`, not `Normal`.
    pub warning: bool,
    /// `FailedScheduling`.
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// How often.
    pub count: u64,
    /// When last, as the server writes it (RFC 3339); empty if nobody says.
    pub last: String,
    /// Which part of the object: `spec.containers{main}`.
    pub part: String,
    /// Who said so: `kubelet`.
    pub by: String,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({} x{})", self.reason, self.count)
    }
}

impl Event {
    /// The event that this object is.
    pub(super) fn of(object: &Object) -> Self {
        let first = |pointers: &[&str]| {
            let said = pointers.iter().map(|pointer| object.text(pointer)).find(|text| !text.is_empty());
            clean(said.unwrap_or_default(), SHORT)
        };
        let number = |pointer| object.at(pointer).as_u64();
        Self {
            warning: object.at("/type") != &Value::from("Normal"),
            reason: first(&["/reason"]),
            message: clean(object.text("/message"), MESSAGE),
            count: number("/series/count").or(number("/count")).unwrap_or(1).max(1),
            last: first(&[
                "/series/lastObservedTime",
                "/lastTimestamp",
                "/eventTime",
                "/firstTimestamp",
                "/metadata/creationTimestamp",
            ]),
            part: first(&["/involvedObject/fieldPath"]),
            by: first(&["/source/component", "/reportingComponent"]),
        }
    }
}
