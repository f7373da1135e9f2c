//! What a question wants done with what is found: counted, grouped, put in the order of its age, limited to an age.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use thiserror::Error;

use crate::Noun;
use crate::fold::Gathered;

/// By what hits are counted apart.
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

/// A text that names nothing to group by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is nothing to group by; expected kind, namespace, owner, cluster or label:KEY")]
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

/// Which of the hits come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What was created last.
    Newest,
    /// What was created first.
    Oldest,
}

/// What is wanted beside hits. The empty one wants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// How many there are.
    pub count: bool,
    /// How many there are of each.
    pub group_by: Option<GroupBy>,
    /// Order by creation.
    pub order: Option<Order>,
    /// "the 5 oldest".
    pub at_most: Option<usize>,
    /// Created then or later.
    pub since: Option<Timestamp>,
    /// Created before.
    pub until: Option<Timestamp>,
}

impl Ask {
    /// Whether hits are to be counted.
    pub fn counts(&self) -> bool {
        self.count || self.group_by.is_some()
    }

    /// Whether an age is asked for: then the best candidates may all be of the wrong age, and more must be looked at.
    pub(crate) fn by_age(&self) -> bool {
        self.order.is_some() || self.since.is_some() || self.until.is_some()
    }

    /// Narrows the limits on creation; two limits must both hold.
    pub(crate) fn limit(&mut self, since: Option<Timestamp>, until: Option<Timestamp>) {
        self.since = self.since.max(since);
        self.until = [self.until, until].into_iter().flatten().min();
    }

    /// Whether the object was created in the time asked for. What does not say when it was created never was.
    pub(crate) fn admits(&self, noun: &Noun) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        created(noun).is_some_and(|at| self.since.is_none_or(|s| at >= s) && self.until.is_none_or(|u| at < u))
    }

    /// Hits of the age asked for, in the order asked for.
    pub(crate) fn narrow(&self, mut hits: Vec<Gathered>) -> Vec<Gathered> {
        hits.retain(|hit| self.admits(&hit.shown.profile.noun));
        let Some(order) = self.order else { return hits };
        let mut dated: Vec<(Option<Timestamp>, Gathered)> =
            hits.into_iter().map(|hit| (created(&hit.shown.profile.noun), hit)).collect();
        dated.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if order == Order::Newest => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            // What does not say when it was created comes last.
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        dated.into_iter().map(|(_, hit)| hit).collect()
    }
}

fn created(noun: &Noun) -> Option<Timestamp> {
    match noun {
        Noun::Instance(instance) => instance.created_at.parse().ok(),
        Noun::Type(..) => None,
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
