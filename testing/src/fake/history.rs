//! What happened to objects, kept for a while.

use std::collections::VecDeque;
use std::time::Duration;

use clusterlore_core::ResourceInstance;
use tokio::sync::watch;

/// Changes that are kept where a test says nothing else.
const KEPT: usize = 100_000;

/// What happened, as long as it is kept.
pub(super) struct History {
    changes: VecDeque<Change>,
    most: usize,
    /// Up to this version nothing is kept any more.
    pub(super) forgotten: u64,
    /// Time between two bookmarks.
    pub(super) bookmarks: Duration,
    /// Whether who comes too late gets a 410 instead of a watch whose only event says so.
    pub(super) refuses: bool,
    /// Whether `sendInitialEvents` is allowed.
    pub(super) initial_events: bool,
    /// Whether it is not known at all.
    pub(super) ignores_initial_events: bool,
    /// Wakes whoever watches.
    pub(super) news: watch::Sender<()>,
}

/// What happened to one object.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) kind: Kind,
    pub(super) type_name: String,
    pub(super) object: ResourceInstance,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
        }
    }
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            changes: VecDeque::new(),
            most: KEPT,
            forgotten: 0,
            // As kube-apiserver.
            bookmarks: Duration::from_secs(60),
            refuses: false,
            initial_events: false,
            ignores_initial_events: false,
            news: watch::Sender::new(()),
        }
    }

    pub(super) fn add(&mut self, version: u64, kind: Kind, type_name: &str, object: &ResourceInstance) {
        self.changes.push_back(Change { version, kind, type_name: type_name.to_owned(), object: object.clone() });
        self.keep(self.most);
        self.tell();
    }

    /// From here on so many changes are kept.
    pub(super) fn keep(&mut self, most: usize) {
        self.most = most;
        while self.changes.len() > most {
            self.forgotten = self.changes.pop_front().map_or(self.forgotten, |change| change.version);
        }
    }

    /// Forgets everything so far.
    pub(super) fn forget(&mut self) {
        let most = self.most;
        self.keep(0);
        self.most = most;
    }

    /// Lets whoever watches look again.
    pub(super) fn tell(&self) {
        self.news.send_replace(());
    }

    /// The first change after this version.
    pub(super) fn after(&self, version: u64) -> Option<&Change> {
        self.changes.get(self.changes.partition_point(|change| change.version <= version))
    }
}
