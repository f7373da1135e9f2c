//! Which clusters a process watches, for whoever has to know: they come and go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::Status;

/// The clusters that a process watches, by their stored names (empty: the unnamed one).
#[derive(Debug, Default)]
pub struct Watched(Mutex<BTreeMap<String, Arc<Status>>>);

impl Watched {
    /// Enters a cluster. `false`: another watch of it is at work already.
    pub fn enter(&self, cluster: &str, status: &Arc<Status>) -> bool {
        let mut all = self.all_now();
        let is_free = all.get(cluster).is_none_or(|known| Arc::ptr_eq(known, status));
        if is_free {
            all.insert(cluster.to_owned(), Arc::clone(status));
        }
        is_free
    }

    /// Strikes a cluster out, if it is this watch that entered it.
    pub fn leave(&self, cluster: &str, status: &Arc<Status>) {
        let mut all = self.all_now();
        if all.get(cluster).is_some_and(|known| Arc::ptr_eq(known, status)) {
            all.remove(cluster);
        }
    }

    /// Whether what happens in a cluster is noticed without being told of.
    pub fn has(&self, cluster: &str) -> bool {
        self.all_now().contains_key(cluster)
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
        watched.leave("east", &second);
        assert!(watched.has("east") && !watched.has("west") && watched.all().len() == 1);
        watched.leave("east", &first);
        assert!(!watched.has("east") && watched.enter("east", &second));
    }
}
