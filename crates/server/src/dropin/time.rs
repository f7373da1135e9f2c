//! Times as controllers send them.

use jiff::Timestamp;

/// A creation time: a date and a time of ISO 8601 with `T`, and `Z` or an offset; seconds and their fractions may be missing. Go's zero time
/// says that nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Created {
    Known(String),
    Unknown,
}

const NEVER: &str = "0001-01-01T00:00:00Z";

/// Reads a time; `None`: it is none.
pub(super) fn read(text: &str) -> Option<Created> {
    let (date, time) = text.split_once('T')?;
    let digits =
        |part: &str, lengths: &[usize]| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = date.split('-');
    let is_date = matches!((parts.next(), parts.next(), parts.next(), parts.next()), (Some(y), Some(m), Some(d), None)
        if digits(y, &[4]) && digits(m, &[2]) && digits(d, &[2]));
    let zone_at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let whole = clock.split('.').next().unwrap_or_default();
    let mut parts = whole.split(':');
    let (hour, minute, second, more) = (parts.next()?, parts.next()?, parts.next(), parts.next());
    let is_clock = digits(hour, &[2])
        && digits(minute, &[2])
        && second.is_none_or(|second| digits(second, &[2]) && second != "60")
        && more.is_none()
        && clock
            .split_once('.')
            .is_none_or(|(_, f)| second.is_some() && !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()));
    let is_zone = zone == "Z" || {
        let offset: String = zone.get(1..).unwrap_or_default().chars().filter(|c| *c != ':').collect();
        digits(&offset, &[2, 4]) && !zone.ends_with(':')
    };
    if !(is_date && is_clock && is_zone) {
        return None;
    }
    // More digits than anybody's clock has; the rest is cut.
    let fraction = clock.split_once('.').map(|(_, f)| format!(".{}", &f[..f.len().min(9)])).unwrap_or_default();
    let second = second.unwrap_or("00");
    let zone = if zone.len() == 3 { format!("{zone}:00") } else { zone.to_owned() };
    let normal = format!("{date}T{hour}:{minute}:{second}{fraction}{zone}");
    let at: Timestamp = normal.parse().ok()?;
    let told = at.to_string();
    Some(if told == NEVER { Created::Unknown } else { Created::Known(told) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_time_and_what_is_none() {
        let known = |text: &str| Created::Known(text.to_owned());
        for (text, expected) in [
            ("2026-02-20T10:00:00Z", known("2026-02-20T10:00:00Z")),
            ("2026-02-20T10:00:00.1Z", known("2026-02-20T10:00:00.1Z")),
            ("2026-02-20T10:00:00.123456789123Z", known("2026-02-20T10:00:00.123456789Z")),
            ("2026-02-20T10:00Z", known("2026-02-20T10:00:00Z")),
            ("2026-02-20T10:00:00+01:00", known("2026-02-20T09:00:00Z")),
            ("2026-02-20T10:00:00+0100", known("2026-02-20T09:00:00Z")),
            (NEVER, Created::Unknown),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "2026-02-20 10:00:00Z",
            "2026-02-20T10:00:00z",
            "2026-02-20t10:00:00Z",
            "",
            "2026-02-30T10:00:00Z",
            "2026-02-20T24:00:00Z",
            "2026-02-20T10:00:60Z",
            "2026-02-20T10:00:00",
            "2026-02-20",
            "T10:00Z",
            "2026-02-20T10:00.5Z",
            "2026-02-20T10:00:00.Z",
            "2026-02-20T10:00:00+1",
            "26-02-20T10:00:00Z",
            "2026-02-20T10:00:00Zé",
            "é",
            "2026-02-20T10:00:00+é1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
