//! How long a live sync waits for what. Wherever many do the same, each waits a little more or less than the others.

use std::time::Duration;

use clusterlore_cluster::WatchBounds;

/// The times and sizes of a live sync. All times but `batch_wait` are jittered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Bounds of one watch. Its `timeout` is jittered upwards, to its double.
    pub watch: WatchBounds,
    /// Between two lists of a type that cannot be watched, and before the next try at one that may not be read.
    pub poll: Duration,
    /// After this time a type that is watched is listed all the same, and compared with the index.
    pub net: Duration,
    /// After this time discovery is read again, though nothing says that types changed.
    pub discover: Duration,
    /// So long after a sign that types changed discovery is read, and each time again: what a server serves is known to its aggregated
    /// discovery a while later.
    pub signs: Vec<Duration>,
    /// The first pause after a failure; each further one is twice as long.
    pub pause: Duration,
    /// The longest pause. What went well for so long begins with the first pause again.
    pub longest_pause: Duration,
    /// Lists that are read, and watches that are opened, at the same time.
    pub at_once: usize,
    /// So long a change waits for others before they are written together.
    pub batch_wait: Duration,
    /// Documents that are written together at once, however short they waited.
    pub batch: usize,
    /// Between two notes that the index is fresh.
    pub note: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: WatchBounds::default(),
            poll: Duration::from_secs(300),
            net: Duration::from_secs(6 * 3600),
            discover: Duration::from_secs(600),
            signs: [300, 1_500, 5_000, 15_000].map(Duration::from_millis).into(),
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
            at_once: 8,
            batch_wait: Duration::from_millis(50),
            batch: 200,
            note: Duration::from_secs(60),
        }
    }
}

impl Pace {
    /// The bounds of the next watch: watches that began together do not end together.
    pub(super) fn bounds(&self) -> WatchBounds {
        WatchBounds { timeout: self.watch.timeout.mul_f64(1.0 + fastrand::f64()), idle: self.watch.idle }
    }
}

/// About this time: between half of it and one and a half.
pub(super) fn about(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64())
}

/// Pauses that double from failure to failure.
#[derive(Debug)]
pub(super) struct Pauses {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Pauses {
    pub(super) fn of(pace: &Pace) -> Self {
        Self { first: pace.pause, longest: pace.longest_pause, next: pace.pause }
    }

    /// The pause after something failed that had gone well for this time.
    pub(super) fn after(&mut self, well: Duration) -> Duration {
        if well >= self.longest {
            self.next = self.first;
        }
        let pause = about(self.next);
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again_after_a_good_while() {
        let pace = Pace { pause: Duration::from_secs(1), longest_pause: Duration::from_secs(4), ..Pace::default() };
        let mut pauses = Pauses::of(&pace);
        for expected in [1, 2, 4, 4] {
            let pause = pauses.after(Duration::ZERO).as_millis();
            assert!((expected * 500..=expected * 1_500).contains(&pause), "{pause} for {expected} s");
        }
        assert!(pauses.after(Duration::from_secs(4)) <= Duration::from_millis(1_500));
    }

    #[test]
    fn a_watch_ends_after_its_time_and_before_its_double() {
        let pace = Pace::default();
        for _ in 0..100 {
            let timeout = pace.bounds().timeout;
            assert!(timeout >= pace.watch.timeout && timeout <= pace.watch.timeout * 2, "{timeout:?}");
        }
    }
}
