//! What a live sync is doing, for whoever asks: cheap to keep, cheap to read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// What is done about one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeState {
    /// A list of it is read, or waits for its turn. The end of the list is awaited. A whole list leads to `Watching`, or to `Polling` where
    /// the type cannot be watched; anything else to `BackingOff`, or to `Gone`.
    Listing,
    /// Watched from where the list ended. Events and bookmarks are awaited. A watch that ends as it should is opened again at once. One that
    /// breaks off leads to `BackingOff`, one whose position is too old to `Listing`, one that is refused to `Polling`; the net leads to
    /// `Listing` too.
    Watching,
    /// A list or a watch failed, for this reason. The end of a pause is awaited, which leads to `Listing`, or back to the watch and
    /// `Watching`.
    BackingOff {
        /// One line.
        reason: String,
        /// Whether it is for lack of permission: nothing of the type is read, and nothing of it in the index ages.
        forbidden: bool,
    },
    /// It was listed, and cannot be watched. The next poll is awaited, which leads to a try at a watch, or to `Listing`.
    Polling {
        /// When the list began that is known.
        since: Timestamp,
    },
    /// It is served no more. Nothing is awaited; its documents go. A discovery that names it again leads to `Listing`.
    Gone,
}

/// Who keeps the index of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Turn {
    /// This process. An error that ends it leads to `Interrupted`.
    #[default]
    Keeps,
    /// Another process, which holds the cluster's lock. This one waits for it, which leads to `Keeps`.
    StandsBy,
    /// Nobody that this process knows of: the cluster or the store failed it. The next try leads to `Keeps` or to `StandsBy`.
    Interrupted,
    /// Nobody, and nobody tries: what named the cluster to this process is gone, such as its kubeconfig. Its documents stay. Where it comes
    /// back that leads to `Keeps` or to `StandsBy`.
    Gone,
}

/// A live sync as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveState {
    /// Whether a first sync has ended, of this process or of the one that keeps the index: from then on it can be asked.
    pub ready: bool,
    /// Whether this process keeps the index of the cluster. It can be asked all the same, where it is `ready`.
    pub turn: Turn,
    /// What is done about each type, by `plural.group`.
    pub types: BTreeMap<String, TypeState>,
    /// Lists that were read again since the first sync.
    pub lists: u64,
    /// Watches that were opened.
    pub watches: u64,
    /// Watches and lists that failed.
    pub failures: u64,
    /// Events that wait to be looked at.
    pub queued: u64,
    /// Documents written since the first sync.
    pub written: u64,
    /// Documents deleted since the first sync.
    pub deleted: u64,
    /// How long the oldest change of the last batch waited before it was in the index.
    pub lag: Duration,
    /// When the last event came; `None`: none yet.
    pub last_event: Option<Timestamp>,
}

impl LiveState {
    /// Types that are not followed now for another reason than permission, each with why.
    pub fn interrupted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.types.iter().filter_map(|(name, state)| match state {
            TypeState::BackingOff { reason, forbidden: false } => Some((name.as_str(), reason.as_str())),
            _ => None,
        })
    }

    /// Up to when the index shows everything that may be read; `None`: nobody can tell.
    pub fn fresh(&self, now: Timestamp) -> Option<Timestamp> {
        let mut fresh = now;
        for state in self.types.values() {
            match state {
                TypeState::Watching | TypeState::Gone | TypeState::BackingOff { forbidden: true, .. } => {}
                TypeState::Polling { since } => fresh = fresh.min(*since),
                TypeState::Listing | TypeState::BackingOff { .. } => return None,
            }
        }
        Some(fresh).filter(|_| self.ready && self.turn == Turn::Keeps)
    }
}

/// Where a live sync notes what it does; shared with whoever wants to know.
#[derive(Debug, Default)]
pub struct Status {
    types: Mutex<BTreeMap<String, TypeState>>,
    ready: AtomicBool,
    turn: Mutex<Turn>,
    lists: AtomicU64,
    watches: AtomicU64,
    failures: AtomicU64,
    queued: AtomicU64,
    written: AtomicU64,
    deleted: AtomicU64,
    lag: AtomicU64,
    last_event: AtomicU64,
}

impl Status {
    /// The state of now.
    pub fn state(&self) -> LiveState {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let last_event = i64::try_from(of(&self.last_event)).ok().filter(|at| *at > 0);
        LiveState {
            ready: self.ready.load(Ordering::Relaxed),
            turn: self.turn(),
            types: self.types.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            lists: of(&self.lists),
            watches: of(&self.watches),
            failures: of(&self.failures),
            queued: of(&self.queued),
            written: of(&self.written),
            deleted: of(&self.deleted),
            lag: Duration::from_micros(of(&self.lag)),
            last_event: last_event.and_then(|at| Timestamp::from_millisecond(at).ok()),
        }
    }

    /// Who keeps the index now.
    pub fn turn(&self) -> Turn {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }

    /// Who keeps the index from here on. Who does not follows no type.
    pub fn takes(&self, turn: Turn) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
        if turn != Turn::Keeps {
            self.types.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// A type is followed from here on: nothing is known of it yet.
    pub(super) fn begin(&self, type_name: &str) {
        self.types.lock().unwrap_or_else(PoisonError::into_inner).insert(type_name.to_owned(), TypeState::Listing);
    }

    pub(super) fn set(&self, type_name: &str, state: TypeState) {
        let count = match &state {
            TypeState::Listing => Some(&self.lists),
            TypeState::Watching => Some(&self.watches),
            TypeState::BackingOff { forbidden: false, .. } => Some(&self.failures),
            _ => None,
        };
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        match types.get_mut(type_name) {
            Some(known) => *known = state,
            None => drop(types.insert(type_name.to_owned(), state)),
        }
    }

    pub(super) fn heard(&self, queued: usize) {
        self.queued.store(queued as u64, Ordering::Relaxed);
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        self.last_event.store(now, Ordering::Relaxed);
    }

    pub(super) fn written(&self, written: usize, deleted: usize, lag: Duration) {
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        self.deleted.fetch_add(deleted as u64, Ordering::Relaxed);
        self.lag.store(u64::try_from(lag.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_as_fresh_as_its_oldest_type() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let of = |states: &[TypeState]| {
            let types = states.iter().enumerate().map(|(n, state)| (n.to_string(), state.clone())).collect();
            let state = LiveState { ready: true, types, ..LiveState::default() };
            for turn in [Turn::StandsBy, Turn::Interrupted, Turn::Gone] {
                assert_eq!(LiveState { turn, ..state.clone() }.fresh(at(100)), None);
            }
            state.fresh(at(100))
        };
        let (watching, polling) = (TypeState::Watching, TypeState::Polling { since: at(40) });
        let off = |forbidden| TypeState::BackingOff { reason: String::new(), forbidden };
        for (states, fresh) in [
            (vec![watching.clone(), TypeState::Gone, off(true)], Some(100)),
            (vec![watching.clone(), polling], Some(40)),
            (vec![watching.clone(), off(false)], None),
            (vec![watching, TypeState::Listing], None),
        ] {
            assert_eq!(of(&states), fresh.map(at), "{states:?}");
        }
        assert_eq!(LiveState::default().fresh(at(100)), None);
    }
}
