//! How much is taken of callers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds on requests. Posts of controllers are bound in size only: who drops what is refused for good must not be refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// For a whole request.
    pub time: Duration,
    /// For a whole request of an assistant: a model may look into something meanwhile.
    pub assistant: Duration,
    /// Requests that are answered at once.
    pub concurrency: usize,
    /// Requests a second of one caller, in the mean; twice as many at once.
    pub rate: f64,
    /// Connections at once.
    pub connections: usize,
    /// Until a request's head has to be there.
    pub head: Duration,
    /// After the server was told to end, until it ends whatever is still going on.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 5 << 20,
            time: Duration::from_secs(30),
            assistant: Duration::from_secs(60),
            concurrency: 64,
            rate: 500.0,
            connections: 1_024,
            head: Duration::from_secs(10),
            grace: Duration::from_secs(25),
        }
    }
}

/// Callers that are remembered; of more of them the one that was heard of longest ago is forgotten.
const CALLERS: usize = 10_000;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often each of many may do something.
pub(crate) struct Buckets {
    /// A second, in the mean.
    rate: f64,
    /// At once.
    most: f64,
    all: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl Buckets {
    pub(crate) fn new(rate: f64, most: f64) -> Self {
        Self { rate: rate.max(0.001), most: most.max(1.0), all: Mutex::default() }
    }

    /// Whether it may be done now; else how long not.
    pub(crate) fn take(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(who) {
            if buckets.len() >= CALLERS {
                let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(name, _)| name.clone());
                oldest.map(|name| buckets.remove(&name));
            }
            buckets.insert(who.to_owned(), Bucket { left: self.most, at: now });
        }
        let Some(bucket) = buckets.get_mut(who) else { return Ok(()) };
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * self.rate).min(self.most);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - bucket.left) / self.rate))
    }
}

/// A place among those that are being answered, as long as it is held.
#[derive(Clone)]
pub(crate) struct Slot {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Who asked how much lately, and how many are being answered.
pub(crate) struct Rates {
    callers: Buckets,
    turns: Arc<Semaphore>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let turns = Arc::new(Semaphore::new(limits.concurrency.max(1)));
        Self { callers: Buckets::new(limits.rate, limits.rate * 2.0), turns }
    }

    /// Whether a caller may ask now; else how long not.
    pub(crate) fn admit(&self, caller: &str, now: Instant) -> Result<(), Duration> {
        self.callers.take(caller, now)
    }

    /// Waits for a turn; `None`: too many are being answered.
    pub(crate) async fn turn(&self) -> Option<Slot> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await.ok()?.ok()?;
        Some(Slot { _permit: Arc::new(turn) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_who_asks_too_often_waits_and_no_other() {
        let rates = Rates::new(&Limits { rate: 2.0, ..Limits::default() });
        let now = Instant::now();
        for _ in 0..4 {
            assert_eq!(rates.admit("a", now), Ok(()));
        }
        assert_eq!(rates.admit("a", now), Err(Duration::from_millis(500)));
        assert_eq!(rates.admit("b", now), Ok(()));
        assert_eq!(rates.admit("a", now + Duration::from_millis(500)), Ok(()));
        assert!(rates.admit("a", now + Duration::from_millis(501)).is_err());
    }

    #[test]
    fn callers_are_not_remembered_without_end() {
        let rates = Rates::new(&Limits::default());
        let now = Instant::now();
        for n in 0..CALLERS as u64 + 50 {
            assert_eq!(rates.admit(&n.to_string(), now + Duration::from_nanos(n)), Ok(()));
        }
        assert_eq!(rates.callers.all.lock().unwrap().len(), CALLERS);
    }
}
