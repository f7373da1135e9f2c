//! Counts steps of work, so that tests see how it grows without a clock. Programs do not count.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// One more turn of a loop inside another one.
#[inline]
pub(crate) fn step() {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// Steps of this thread so far, and bytes that were split into words.
#[cfg(test)]
pub(crate) fn steps() -> u64 {
    STEPS.with(std::cell::Cell::get) + clusterlore_core::words::bytes_split()
}
