//! What a question wants done with the matches: count them, group them, order them by age, limit their age or their number.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use thiserror::Error;

/// What matches are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// Kind.
    Kind,
    /// Namespace.
    Namespace,
    /// Value of a label.
    Label(String),
    /// The controller at the top of the chain of owners.
    Owner,
    /// Cluster.
    Cluster,
}

/// A text that is not a [`GroupBy`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} cannot be grouped by; expected kind, namespace, owner, cluster or label:KEY")]
pub struct UnknownGroup(String);

impl FromStr for GroupBy {
    type Err = UnknownGroup;

    fn from_str(text: &str) -> Result<Self, UnknownGroup> {
        match text {
            "kind" => Ok(Self::Kind),
            "namespace" => Ok(Self::Namespace),
            "owner" => Ok(Self::Owner),
            "cluster" => Ok(Self::Cluster),
            _ => match text.strip_prefix("label:") {
                Some(key) if !key.trim().is_empty() => Ok(Self::Label(key.trim().to_owned())),
                _ => Err(UnknownGroup(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("kind"),
            Self::Namespace => f.write_str("namespace"),
            Self::Owner => f.write_str("owner"),
            Self::Cluster => f.write_str("cluster"),
            Self::Label(key) => write!(f, "label:{key}"),
        }
    }
}

/// Which matches come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What was created last comes first.
    Newest,
    /// What was created first comes first.
    Oldest,
}

/// The clauses of a question. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clauses {
    /// Count the matches: "how many".
    pub count: bool,
    /// Count them by group: "per namespace".
    pub group_by: Option<GroupBy>,
    /// Order them by when they were created.
    pub order: Option<Order>,
    /// Show so many at most: "the 5 oldest".
    pub at_most: Option<usize>,
    /// Created then or later.
    pub since: Option<Timestamp>,
    /// Created before then.
    pub until: Option<Timestamp>,
}

impl Clauses {
    /// Whether matches are to be counted.
    pub fn counts(&self) -> bool {
        self.count || self.group_by.is_some()
    }

    /// Whether the question asks for an age or an order by age. The best candidates may all have the wrong age, so it needs more of them.
    pub(crate) fn by_age(&self) -> bool {
        self.order.is_some() || self.since.is_some() || self.until.is_some()
    }

    /// Adds a limit on when objects were created. If there are several, all of them hold.
    pub(crate) fn limit(&mut self, since: Option<Timestamp>, until: Option<Timestamp>) {
        self.since = self.since.max(since);
        self.until = [self.until, until].into_iter().flatten().min();
    }

    /// Whether what was created then is within the limits. What has no date is within none.
    pub(crate) fn admits(&self, created: impl FnOnce() -> Option<Timestamp>) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        created().is_some_and(|at| self.since.is_none_or(|s| at >= s) && self.until.is_none_or(|u| at < u))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_as_they_are_shown() {
        for text in ["kind", "namespace", "owner", "cluster", "label:example.org/team"] {
            assert_eq!(text.parse::<GroupBy>().unwrap().to_string(), text);
        }
        for text in ["", "label:", "label: ", "Kind", "node"] {
            let message = text.parse::<GroupBy>().unwrap_err().to_string();
            assert!(message.contains("label:KEY"), "{message}");
        }
    }
}
