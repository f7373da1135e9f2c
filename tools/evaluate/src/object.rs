//! An object of the invented platform, and the time that it is looked at.

use std::collections::BTreeMap;

/// When the platform is looked at, and the questions are asked.
pub(crate) const NOW: &str = "2026-06-01T00:00:00Z";
pub(crate) const NOW_SECOND: i64 = 1_780_272_000;
pub(crate) const DAY: i64 = 86_400;

/// An object with what the index keeps of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    /// Empty for what lives in none.
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// Seconds since 1970; of each second there is one object at most.
    pub(crate) created: i64,
    /// Place of the controller among all objects.
    pub(crate) owner: Option<usize>,
}

impl Object {
    pub(crate) fn id(&self) -> String {
        let namespace = if self.namespace.is_empty() { "_cluster" } else { &self.namespace };
        format!("{namespace}/{}/{}/{}", self.api_version, self.kind, self.name)
    }

    /// Whether it is older than so many days.
    pub(crate) fn older(&self, days: i64) -> bool {
        self.created < NOW_SECOND - days * DAY
    }
}
