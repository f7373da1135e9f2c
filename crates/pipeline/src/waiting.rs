//! One run at a time writes a cluster's documents; the others wait.

use std::time::{Duration, Instant};

use clusterlore_store::{Holder, RunKind, RunLock, Store, StoreError};
use jiff::{Timestamp, Unit};

use crate::progress::{Observer, Progress};

/// Between two looks at the lock.
const PAUSE: Duration = Duration::from_millis(200);

/// How long work that lost its lock may take to come to its end.
const LAST_WORK: Duration = Duration::from_secs(60);

/// Does `work` under the lock of a cluster, for which it waits as [`lock`] does; without a store there is nothing to lock.
///
/// # Errors
/// As [`lock`]; [`StoreError::Unreachable`] where the lock was lost, which keeps the work from writing; and what the work says.
pub(crate) async fn under_lock<T, E: From<StoreError>>(
    store: Option<&dyn Store>,
    cluster: &str,
    kind: RunKind,
    patience: Duration,
    observer: &Observer<'_>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match store {
        Some(store) => {
            let lock = lock(store, cluster, kind, patience, observer).await?;
            let mut work = std::pin::pin!(work);
            match lock.during(work.as_mut()).await {
                Ok(done) => done,
                // It can write nothing any more, and ends when it tries; what is being embedded until then is paid for, and kept.
                Err(lost) => tokio::time::timeout(LAST_WORK, work).await.unwrap_or_else(|_| Err(lost.into())),
            }
        }
        None => work.await,
    }
}

/// Takes the lock for a run. While another run holds it, waits for `patience` at most and tells for whom.
///
/// # Errors
/// [`StoreError::Locked`] when the time is over, and whatever the store says.
pub(crate) async fn lock(
    store: &dyn Store,
    cluster: &str,
    kind: RunKind,
    patience: Duration,
    observer: &Observer<'_>,
) -> Result<RunLock, StoreError> {
    let began = Instant::now();
    let mut told: Option<Option<Holder>> = None;
    loop {
        let now = Timestamp::now().round(Unit::Second).unwrap_or_else(|_| Timestamp::now());
        let error = match store.lock(cluster, &Holder::new(kind, now.to_string())).await {
            Ok(lock) => return Ok(lock),
            Err(error) => error,
        };
        let StoreError::Locked { place, holder } = &error else { return Err(error) };
        let left = patience.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(error);
        }
        // Once for each that is waited for; who has just taken it may not have said yet who it is.
        if told.as_ref() != Some(holder) && (told.is_none() || holder.is_some()) {
            observer(Progress::WaitingForLock { place: place.clone(), holder: holder.clone() });
            told = Some(holder.clone());
        }
        tokio::time::sleep(PAUSE.min(left)).await;
    }
}
