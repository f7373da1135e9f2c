//! Who writes: one run at a time holds the lock.

use tokio::sync::watch;

use crate::error::StoreError;

/// Held by the one run that writes; let go when dropped, and by the system when the process dies.
pub struct RunLock {
    _held: Box<dyn std::any::Any + Send + Sync>,
    /// Ends when the lock is lost; `None`: it cannot be.
    lost: Option<Lost>,
}

/// A lock of a server's that its holder can lose.
struct Lost {
    place: String,
    /// Closed when it is lost.
    closed: watch::Receiver<()>,
}

impl std::fmt::Debug for RunLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunLock")
    }
}

impl RunLock {
    /// Holds what, when dropped, lets the lock go.
    pub(crate) fn holding(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held), lost: None }
    }

    /// As [`Self::holding`], of a lock at `place` that is lost when `closed` is closed.
    pub(crate) fn until_closed(held: impl Send + Sync + 'static, place: String, closed: watch::Receiver<()>) -> Self {
        Self { _held: Box::new(held), lost: Some(Lost { place, closed }) }
    }

    /// Does what needs the lock, as long as it is held.
    ///
    /// # Errors
    /// The lock is lost, and another may have it: `work` was dropped where it was.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        let Some(Lost { place, closed }) = &self.lost else { return Ok(work.await) };
        let mut closed = closed.clone();
        tokio::select! {
            biased;
            _ = closed.wait_for(|()| false) => Err(StoreError::lost_lock(place)),
            done = work => Ok(done),
        }
    }
}
