//! What was last seen of a collection, and what the mirror shows of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clusterlore_core::EmbedderIdentity;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is being brought up to date.
pub(super) const READING: &str = "reading";
/// How long a writer is believed to be still at it, and to keep the mirror up to date.
const WRITING: Duration = Duration::from_secs(60);

/// A collection as it was last seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) embedder: EmbedderIdentity,
    /// Dimensions of its vectors; `None` until there was one.
    pub(super) dimension: Option<usize>,
    /// The documents that have no vector of its embedder, where there are such.
    pub(super) waiting: Option<Arc<Waiting>>,
    /// What the mirror shows.
    pub(super) stamp: Stamp,
    pub(super) fresh_until: Instant,
    /// Whether this process has told others that it writes.
    pub(super) announced: bool,
}

/// The documents of a collection that have no vector of its embedder.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Id of the collection that holds them.
    pub(super) collection: String,
    /// Their ids.
    pub(super) ids: HashSet<String>,
}

/// The state of a collection that the mirror shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Id of the collection.
    pub(super) collection: String,
    /// Id of the collection of those that wait beside it.
    #[serde(default)]
    pub(super) waiting: Option<String>,
    /// Documents on the server, in both: tells what programs add and delete that announce nothing.
    pub(super) count: usize,
    /// What its writers last called their writing.
    pub(super) revisions: BTreeMap<String, String>,
    /// Ids of documents whose object another document stands for: left behind between writing a newer version and deleting the older.
    #[serde(default)]
    pub(super) shadows: Vec<String>,
    /// Ids that wait although the collection itself shows them.
    #[serde(default)]
    pub(super) leftover: Vec<String>,
}

impl Stamp {
    pub(super) fn shows(&self, other: &Self) -> bool {
        (&self.collection, &self.waiting, self.count, &self.revisions)
            == (&other.collection, &other.waiting, other.count, &other.revisions)
    }

    pub(super) fn to_json(&self) -> String {
        json!(self).to_string()
    }
}

impl Seen {
    /// Whether a view of the mirror that bears this stamp shows what was seen, or what another process of this machine has seen since.
    pub(super) fn is_shown_by(&mut self, stamp: &str) -> bool {
        match serde_json::from_str::<Stamp>(stamp) {
            Ok(stamp) if stamp == self.stamp => true,
            // Which of them wait another process knows.
            Ok(stamp) if stamp.collection == self.id && stamp.waiting.is_none() && self.waiting.is_none() => {
                self.stamp = stamp;
                true
            }
            Ok(_) => false,
            // On its way to what is newer than what was seen.
            Err(_) => stamp.starts_with(READING) || is_being_written(stamp),
        }
    }
}

/// A stamp while the mirror is between two states; told apart from everybody else's.
pub(super) fn unsettled(why: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{why}:{now}:{}", random())
}

pub(super) fn is_being_written(stamp: &str) -> bool {
    let since = stamp.strip_prefix("writing:").and_then(|rest| rest.split(':').next()?.parse().ok());
    since.is_some_and(|since| UNIX_EPOCH + Duration::from_secs(since) + WRITING > SystemTime::now())
}

/// A name that nobody else has.
pub(super) fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}
