//! Which clusters a process watches, for whoever has to know: they come and go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::{Status, Turn};

/// The clusters that a process watches, by their stored names (empty: the unnamed one).
#[derive(Debug, Default)]
pub struct Watched(Mutex<BTreeMap<String, Arc<Status>>>);

impl Watched {
    /// Enters a cluster, in the place of what was entered with this status before. `false`: another watch of it is at work already.
    pub fn enter(&self, cluster: &str, status: &Arc<Status>) -> bool {
        let mut all = self.all_now();
        all.retain(|_, known| !Arc::ptr_eq(known, status));
        let is_free = all.get(cluster).is_none_or(|known| known.turn() == Turn::Gone);
        if is_free {
            all.insert(cluster.to_owned(), Arc::clone(status));
        }
        is_free
    }

    /// Whether what happens in a cluster is noticed without being told of.
    pub fn has(&self, cluster: &str) -> bool {
        self.all_now().get(cluster).is_some_and(|status| status.turn() != Turn::Gone)
    }

    /// All of them, each with what is done about it.
    pub fn all(&self) -> Vec<(String, Arc<Status>)> {
        self.all_now().iter().map(|(cluster, status)| (cluster.clone(), Arc::clone(status))).collect()
    }

    fn all_now(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Status>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_watched_once() {
        let (watched, [first, second]) = (Watched::default(), [(); 2].map(|()| Arc::<Status>::default()));
        assert!(watched.enter("east", &first) && watched.enter("east", &first) && !watched.enter("east", &second));
        assert!(watched.has("east") && !watched.has("west") && watched.all().len() == 1);
        // Under another name it is no more under the one before.
        assert!(watched.enter("west", &first) && watched.has("west") && !watched.has("east"));
        // One that is gone is told of, notices nothing, and keeps nobody from its place.
        first.takes(Turn::Gone);
        assert!(!watched.has("west") && watched.all().len() == 1 && watched.enter("west", &second));
        assert!(watched.has("west") && !watched.enter("west", &first) && watched.all().len() == 1);
    }
}
