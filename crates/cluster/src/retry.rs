//! How long to wait before a request is repeated, and when to give up.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often and how patiently a request is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Requests in all, the first one included.
    pub tries: u32,
    /// Pause before the first repetition; doubles with each, and varies by half.
    pub base: Duration,
    /// Longest single pause. A server that says Retry-After is asked again after that time, but no later than this.
    pub max: Duration,
    /// How often "too many requests" (429) is answered with patience; these do not count as tries.
    pub throttles: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { tries: 4, base: Duration::from_millis(200), max: Duration::from_secs(30), throttles: 10 }
    }
}

/// The pauses of one request.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    policy: &'a RetryPolicy,
    failures: u32,
    throttles: u32,
    /// What 429s may still cost in all: four times the longest pause.
    patience: Duration,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy) -> Self {
        Self { policy, failures: 0, throttles: 0, patience: policy.max * 4 }
    }

    /// The pause after a failure; `None`: no more tries.
    pub(crate) fn after_failure(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        (self.failures < self.policy.tries).then(|| self.pause(self.failures, retry_after))
    }

    /// The pause after a 429; `None`: patience is at its end.
    pub(crate) fn after_throttle(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.throttles += 1;
        let pause = self.pause(self.throttles, retry_after);
        if self.throttles > self.policy.throttles {
            return None;
        }
        self.patience = self.patience.checked_sub(pause)?;
        Some(pause)
    }

    fn pause(&self, nth: u32, retry_after: Option<Duration>) -> Duration {
        clusterlore_http::pause(self.policy.base, nth, retry_after, self.policy.max)
    }
}

/// After so many times the longest wait for a piece of an answer, waited in vain by all requests of a run together, the run stops being
/// patient.
const VAIN_WAITS: u32 = 10;
/// To this part of what they were are waits shortened then.
const IMPATIENT: u32 = 10;

/// What one run may still wait for the server. A server that does not answer, or never comes to an end, costs each request its
/// whole patience, and there may be hundreds of types: what they may cost together is bounded here.
#[derive(Debug)]
pub(crate) struct Patience {
    run: Duration,
    wait: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    vain: Duration,
}

/// How long one request may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// For the answer to begin, and for each further piece.
    pub(crate) piece: Duration,
    /// For all of it.
    pub(crate) whole: Duration,
    /// Whether it may be repeated.
    pub(crate) again: bool,
}

impl Patience {
    pub(crate) fn new(run: Duration, wait: Duration) -> Self {
        Self { run, wait, state: Mutex::new(State { began: Instant::now(), vain: Duration::ZERO }) }
    }

    /// A run begins.
    pub(crate) fn begin(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) =
            State { began: Instant::now(), vain: Duration::ZERO };
    }

    /// A request took this long and came to nothing.
    pub(crate) fn lost(&self, time: Duration) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).vain += time;
    }

    /// What a request may wait now; `None`: the run's time is over.
    pub(crate) fn waits(&self, whole: Duration) -> Option<Waits> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.run.checked_sub(state.began.elapsed()).filter(|left| !left.is_zero())?;
        let again = state.vain < self.wait * VAIN_WAITS;
        let part = if again { 1 } else { IMPATIENT };
        Some(Waits { piece: self.wait / part, whole: (whole / part).min(left), again })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let policy = RetryPolicy::default();
        let mut backoff = Backoff::new(&policy);
        for expected in [200, 400, 800] {
            let pause = backoff.after_failure(None).unwrap().as_millis();
            assert!((expected / 2..=expected * 3 / 2).contains(&pause), "{pause} for {expected}");
        }
        assert_eq!(backoff.after_failure(None), None);
    }

    #[test]
    fn retry_after_is_honoured_within_bounds() {
        let policy = RetryPolicy::default();
        let mut backoff = Backoff::new(&policy);
        assert_eq!(backoff.after_throttle(Some(Duration::from_secs(2))), Some(Duration::from_secs(2)));
        assert_eq!(backoff.after_throttle(Some(Duration::from_secs(3600))), Some(policy.max));
        let pauses = std::iter::from_fn(|| backoff.after_throttle(Some(Duration::from_secs(3600)))).count();
        assert_eq!(pauses, 2, "the whole patience is four long pauses");
        let mut backoff = Backoff::new(&policy);
        assert_eq!(std::iter::from_fn(|| backoff.after_throttle(Some(Duration::ZERO))).count(), 10);
    }

    #[test]
    fn what_was_waited_in_vain_makes_a_run_impatient() {
        let (wait, whole) = (Duration::from_secs(60), Duration::from_secs(300));
        let patience = Patience::new(Duration::from_secs(3600), wait);
        patience.lost(Duration::from_secs(599));
        let waits = patience.waits(whole).unwrap();
        assert_eq!((waits.piece, waits.whole, waits.again), (wait, whole, true));
        patience.lost(Duration::from_secs(1));
        let waits = patience.waits(whole).unwrap();
        assert_eq!((waits.piece, waits.whole, waits.again), (wait / 10, whole / 10, false));
        patience.begin();
        assert!(patience.waits(whole).unwrap().again);
        assert!(Patience::new(Duration::ZERO, wait).waits(whole).is_none());
    }
}
