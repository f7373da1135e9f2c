//! Times and durations as people write them, on the command line and over HTTP alike.

use std::time::Duration;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

const DAY: Duration = Duration::from_secs(60 * 60 * 24);

/// A text that is no time, or no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoTime {
    /// Not a duration.
    #[error("expected a duration such as 90s, 5m, 1h30m or 7d")]
    Duration,
    /// Neither a time nor a duration.
    #[error(
        "expected a time such as 2026-02-20T10:00:00Z, 2026-02-20 or 14:30 (UTC), or a duration such as 90m, 12h or 7d"
    )]
    Moment,
}

/// As kubectl's and Go's, and whole days: `90s`, `5m`, `1h30m`, `7d`.
///
/// # Errors
/// The text is nothing of the sort.
pub fn duration(text: &str) -> Result<Duration, NoTime> {
    let text = text.trim();
    let none = (text == "0").then_some(Duration::ZERO);
    let read = || Duration::try_from(text.parse::<SignedDuration>().ok()?).ok();
    let days = || DAY.checked_mul(text.strip_suffix('d')?.parse().ok()?);
    none.or_else(read).or_else(days).ok_or(NoTime::Duration)
}

/// A time (RFC 3339; without a zone it is of UTC, as a date alone is, and a time of day is the last one), or how long before `now` it was.
///
/// # Errors
/// The text is neither, or a time that no calendar has.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, NoTime> {
    let text = text.trim();
    let ago = || now.checked_sub(SignedDuration::try_from(duration(text).ok()?).ok()?).ok();
    let of_utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    let without_zone = || text.parse().ok().and_then(of_utc);
    let of_day = || {
        let time: Time = text.contains(':').then(|| text.parse().ok())??;
        let today = of_utc(now.to_zoned(TimeZone::UTC).date().to_datetime(time))?;
        if today <= now { Some(today) } else { today.checked_sub(SignedDuration::from_hours(24)).ok() }
    };
    text.parse().ok().or_else(ago).or_else(without_zone).or_else(of_day).ok_or(NoTime::Moment)
}

/// How long ago a time (RFC 3339) was, in its largest unit as kubectl has it: `45s`, `12m`, `5h`, `3d`. `None` where it is no time.
pub fn age(at: &str, now: Timestamp) -> Option<String> {
    let at: Timestamp = at.parse().ok()?;
    // What was made by a clock that is ahead is new.
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    Some(match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_one_unit() {
        let now: Timestamp = "2026-02-20T10:00:00Z".parse().unwrap();
        let told = |at: &str| age(at, now);
        assert_eq!(told("2026-02-20T09:59:15Z").as_deref(), Some("45s"));
        assert_eq!(told("2026-02-20T09:48:00Z").as_deref(), Some("12m"));
        assert_eq!(told("2026-02-20T05:00:00Z").as_deref(), Some("5h"));
        assert_eq!(told("2026-02-17T10:00:00Z").as_deref(), Some("3d"));
        assert_eq!(told("2026-03-20T10:00:00Z").as_deref(), Some("0s"));
        assert_eq!(told(""), None);
    }

    #[test]
    fn durations_are_as_kubectl_has_them() {
        let read = |text| duration(text).ok().map(|d| d.as_secs_f64());
        let texts = ["0", "0s", "90s", "5m", "1h30m", "1.5h", "250ms", "2d"];
        assert_eq!(texts.map(read), [0.0, 0.0, 90.0, 300.0, 5400.0, 5400.0, 0.25, 172_800.0].map(Some));
        assert_eq!(["", "5", "-5m", "soon", "5m!", "d", "99999999999999d"].map(read), [None; 7]);
    }

    #[test]
    fn a_moment_is_a_time_or_a_duration() {
        let now: Timestamp = "2026-02-20T10:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-02-19T10:00:00Z", "2026-02-19T10:00:00Z"),
            (" 2026-02-19T12:00:00+02:00 ", "2026-02-19T10:00:00Z"),
            ("7d", "2026-02-13T10:00:00Z"),
            ("1h30m", "2026-02-20T08:30:00Z"),
            ("0", "2026-02-20T10:00:00Z"),
            ("2026-02-19", "2026-02-19T00:00:00Z"),
            ("2026-02-19T14:30", "2026-02-19T14:30:00Z"),
            ("2026-02-19 14:30:05", "2026-02-19T14:30:05Z"),
            ("09:30", "2026-02-20T09:30:00Z"),
            ("10:00", "2026-02-20T10:00:00Z"),
            ("14:30", "2026-02-19T14:30:00Z"),
        ] {
            assert_eq!(moment(text, now).unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "",
            "d",
            "yesterday",
            "-1h",
            "2026-02-30T00:00:00Z",
            "99999999999999d",
            "1h30",
            "14",
            "25:00",
            "2026-02-30",
        ] {
            assert_eq!(moment(text, now), Err(NoTime::Moment), "{text}");
        }
    }
}
