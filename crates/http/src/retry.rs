//! When a request is repeated, and after which pause.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};

/// Pauses before the first repetition; each further one is twice as long, and varies by half.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    /// After 429 and 5xx: limits are counted by the minute.
    pub busy: Duration,
    /// After a lost connection: it is back soon or not at all.
    pub lost: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { busy: Duration::from_secs(1), lost: Duration::from_millis(200) }
    }
}

/// How often and how patiently a request is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// Requests in all, the first one included.
    pub tries: u32,
    /// The same where nothing came in time.
    pub slow_tries: u32,
    /// Before the first repetition.
    pub pauses: Pauses,
    /// Longest single pause, whatever a server asks for.
    pub longest: Duration,
    /// Whether the same request may succeed in a moment.
    pub later: fn(StatusCode) -> bool,
}

/// The pause before the `nth` repetition (from 1): what the server asked for, else `first`, doubled with each repetition and varied by
/// half; never longer than `longest`.
pub fn pause(first: Duration, nth: u32, retry_after: Option<Duration>, longest: Duration) -> Duration {
    let own = || {
        let doubled = first.saturating_mul(1 << nth.saturating_sub(1).min(16));
        Duration::try_from_secs_f64(doubled.as_secs_f64() * (0.5 + fastrand::f64())).unwrap_or(longest)
    };
    retry_after.unwrap_or_else(own).min(longest)
}

/// What the header Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // What no number can hold is long all the same.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(value: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(asked("2"), Some(Duration::from_secs(2)));
        assert_eq!(asked(" 0 "), Some(Duration::ZERO));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(asked(&later).is_some_and(|d| (90..=100).contains(&d.as_secs())));
        for garbage in ["soon", "", "-1", "+1", "1.5", "1e3", "2 s", "Wed, 21 Oct"] {
            assert_eq!(asked(garbage), None, "{garbage}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn whatever_a_server_asks_for_a_pause_has_an_end() {
        let (first, longest) = (Duration::from_millis(200), Duration::from_secs(30));
        for (value, expected) in [("3", 3), ("30", 30), ("3600", 30), (&"9".repeat(19), 30), (&"9".repeat(400), 30)] {
            let pause = pause(first, 1, asked(value), longest);
            assert_eq!(pause, Duration::from_secs(expected), "{value}");
        }
        assert_eq!(pause(first, 1, asked("Fri, 31 Dec 9999 23:59:59 GMT"), longest), longest);
    }

    proptest! {
        #[test]
        fn pauses_double_vary_by_half_and_end(first in 0_u64..100_000, nth in 0_u32..=40) {
            let (first, longest) = (Duration::from_millis(first), Duration::from_secs(60));
            let doubled = first.saturating_mul(1 << nth.saturating_sub(1).min(16));
            let pause = pause(first, nth, None, longest);
            prop_assert!(pause >= (doubled / 2).min(longest), "{:?}", pause);
            prop_assert!(pause <= doubled.mul_f64(1.5).min(longest), "{:?}", pause);
        }

        #[test]
        fn no_numbers_make_a_pause_too_long(first in any::<u64>(), nth in any::<u32>(), longest in any::<u64>()) {
            let (first, longest) = (Duration::from_secs(first), Duration::from_secs(longest));
            prop_assert!(pause(first, nth, None, longest) <= longest);
        }
    }
}
