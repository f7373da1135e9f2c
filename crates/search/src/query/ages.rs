//! Limits on when objects were created: "older than 30 days", "deployed last week", "since 2026-01-31".

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

use super::around::{COPULAS, is};
use super::parsed::{Note, ParsedQuery, Problem};
use super::tokens::{Tokens, number};

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Verbs for creation. With one of them "today" is a limit; without, it is a word like any other.
const CREATED: [&str; 9] =
    ["created", "deployed", "installed", "added", "started", "made", "launched", "introduced", "rolled"];
/// What else is since then of what is there.
const THERE: [&str; 12] =
    ["new", "exist", "exists", "existed", "existing", "running", "live", "up", "around", "here", "there", "appeared"];
const SECOND: i64 = 1;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A limit on creation.
enum Limit {
    /// From then on.
    Since(Timestamp),
    /// Before then.
    Until(Timestamp),
    Between(Timestamp, Timestamp),
}

/// The time of the question, and the offset in which its days begin.
struct Clock {
    now: Timestamp,
    offset: Offset,
}

impl Clock {
    fn of(text: &str) -> Option<Self> {
        let now: Timestamp = text.parse().ok()?;
        let offset = Pieces::parse(text).ok().and_then(|p| p.to_numeric_offset()).unwrap_or(Offset::UTC);
        Some(Self { now, offset })
    }

    /// That many seconds ago, or the earliest time that can be represented.
    fn ago(&self, seconds: i64) -> Timestamp {
        let at = self.now.as_second().saturating_sub(seconds);
        Timestamp::from_second(at.max(Timestamp::MIN.as_second())).unwrap_or(Timestamp::MIN)
    }

    fn today(&self) -> Date {
        self.offset.to_datetime(self.now).date()
    }

    fn begin(&self, date: Date) -> Timestamp {
        self.at(date.to_datetime(jiff::civil::Time::midnight()))
    }

    fn at(&self, time: DateTime) -> Timestamp {
        TimeZone::fixed(self.offset).to_timestamp(time).unwrap_or(self.now)
    }

    /// The last time that a clock showed this.
    fn last(&self, time: Time) -> Timestamp {
        let at = self.at(self.today().to_datetime(time));
        if at <= self.now { at } else { later(at, -DAY) }
    }

    /// The last time that a clock in UTC showed this.
    fn last_in_utc(&self, time: Time) -> Timestamp {
        let utc = Self { now: self.now, offset: Offset::UTC };
        utc.last(time)
    }

    /// The last day of this name, 0 for Monday; today counts.
    fn last_weekday(&self, day: usize) -> Date {
        let today = self.today();
        let since = (i64::from(today.weekday().to_monday_zero_offset()) - day as i64).rem_euclid(7);
        today.saturating_sub(Span::new().days(since))
    }

    /// When "yesterday", "last week" and so on begin and end.
    fn period(&self, name: &str) -> Option<(Timestamp, Timestamp)> {
        let today = self.today();
        let hours = |days: i64, hour: i8| {
            let date = today.saturating_add(Span::new().days(days));
            self.at(date.to_datetime(Time::constant(hour, 0, 0, 0)))
        };
        match name {
            "this morning" => return Some((hours(0, 0), hours(0, 12))),
            "this afternoon" => return Some((hours(0, 12), hours(0, 18))),
            "this evening" => return Some((hours(0, 18), hours(1, 0))),
            "last evening" => return Some((hours(-1, 18), hours(0, 0))),
            "last night" => return Some((hours(-1, 18), hours(0, 6))),
            _ => {}
        }
        let monday = || today.saturating_sub(Span::new().days(i64::from(today.weekday().to_monday_zero_offset())));
        let (begin, length) = match name {
            "today" => (today, Span::new().days(1)),
            "yesterday" => (today.saturating_sub(Span::new().days(1)), Span::new().days(1)),
            "this week" => (monday(), Span::new().days(7)),
            "last week" => (monday().saturating_sub(Span::new().days(7)), Span::new().days(7)),
            "this month" => (today.first_of_month(), Span::new().months(1)),
            "last month" => (today.first_of_month().saturating_sub(Span::new().months(1)), Span::new().months(1)),
            "this year" => (today.first_of_year(), Span::new().years(1)),
            "last year" => (today.first_of_year().saturating_sub(Span::new().years(1)), Span::new().years(1)),
            _ => return None,
        };
        Some((self.begin(begin), self.begin(begin.saturating_add(length))))
    }
}

/// Reads all limits. One that makes no sense is a problem: nothing matches it.
pub(super) fn read(tokens: &mut Tokens, parsed: &mut ParsedQuery, now: &str) {
    let clock = Clock::of(now);
    let created = tokens.low.iter().any(|w| CREATED.contains(&w.as_str()));
    let mut any = false;
    for at in 0..tokens.low.len() {
        if tokens.taken[at] {
            continue;
        }
        let found = compared(tokens, at, clock.as_ref())
            .or_else(|| between(tokens, at, clock.as_ref()))
            .or_else(|| rolling(tokens, at, clock.as_ref()))
            .or_else(|| dated(tokens, at, clock.as_ref()))
            .or_else(|| if created { about(tokens, at, clock.as_ref()) } else { None })
            .or_else(|| named(tokens, at, created, clock.as_ref()));
        match found {
            None => {}
            Some((taken, Ok(_))) if tokens.is(Some(at), &["since"]) && is_of_something_else(tokens, at) => {
                tokens.take_range(at, taken);
                parsed.notes.push(Note::OtherTime(tokens.raw[at..at + taken].join(" ")));
            }
            Some((taken, Ok(limit))) => {
                tokens.take_range(at, taken);
                any = true;
                let (since, until) = match limit {
                    Limit::Since(since) => (Some(since), None),
                    Limit::Until(until) => (None, Some(until)),
                    Limit::Between(since, until) => (Some(since), Some(until)),
                };
                parsed.notes.push(Note::Created { since, until });
                parsed.clauses.limit(since, until);
            }
            Some((taken, Err(problem))) => {
                tokens.take_range(at, taken);
                parsed.problem = Some(problem);
            }
        }
    }
    if any {
        for at in tokens.free().collect::<Vec<_>>() {
            if tokens.is(Some(at), &CREATED) {
                tokens.take(Some(at));
            }
        }
    }
}

/// Whether something else than the creation of what is asked for is since then: "thumbnails look blurry since this morning".
fn is_of_something_else(tokens: &Tokens, at: usize) -> bool {
    let clause: Vec<usize> = (0..at).rev().take_while(|n| !tokens.ends[*n]).collect();
    let states = clause.iter().any(|n| is(&COPULAS, &tokens.low[*n]));
    let created = |n: &usize| tokens.is(Some(*n), &CREATED) || tokens.is(Some(*n), &THERE);
    states && !clause.iter().any(created)
}

type Found = Option<(usize, Result<Limit, Problem>)>;

/// "older than 30 days", "not younger than a week", "more than 3 months old".
fn compared(tokens: &Tokens, at: usize, clock: Option<&Clock>) -> Found {
    let not = tokens.match_at(at, "not|never").unwrap_or(0);
    let from = at + not;
    let (older, taken, old) = if let Some(taken) = tokens.match_at(from, "older than") {
        (true, taken, 0)
    } else if let Some(taken) = tokens.match_at(from, "younger|newer|fresher than") {
        (false, taken, 0)
    } else if let Some(taken) = tokens.match_at(from, "more than").or_else(|| tokens.match_at(from, "over")) {
        (true, taken, 1)
    } else if let Some(taken) = tokens.match_at(from, "less than").or_else(|| tokens.match_at(from, "under")) {
        (false, taken, 1)
    } else {
        return None;
    };
    let (span, seconds) = duration(tokens, from + taken)?;
    if old == 1 && !tokens.is(Some(from + taken + span), &["old"]) {
        return None;
    }
    let all = not + taken + span + old;
    let limit = seconds.and_then(|seconds| {
        let then = clock.ok_or(Problem::NoClock)?.ago(seconds);
        Ok(if older == (not == 0) { Limit::Until(then) } else { Limit::Since(then) })
    });
    Some((all, limit))
}

/// "in the last 3 hours", "within the past week".
fn rolling(tokens: &Tokens, at: usize, clock: Option<&Clock>) -> Found {
    let begun = tokens.match_at(at, "in|within|during|over|from|for the? last|past");
    let taken = begun.or_else(|| tokens.match_at(at, "the? last|past"))?;
    let the = (at..at + taken).any(|at| tokens.is(Some(at), &["the"]));
    let (span, seconds) = match duration(tokens, at + taken) {
        Some(found) => found,
        // "the last week" is the last seven days, "last week" a week of the calendar.
        None => (1, Ok(unit(tokens.low.get(at + taken).filter(|w| the && !w.ends_with('s'))?)?)),
    };
    Some((taken + span, seconds.and_then(|s| Ok(Limit::Since(clock.ok_or(Problem::NoClock)?.ago(s))))))
}

/// A day, a time, or what a clock shows.
enum Moment {
    Day(Date),
    At(Timestamp),
    Clock(Time),
}

impl Moment {
    /// What begins at a word, and how many words that is. `None`: the word is no moment and was not meant to be one.
    fn at(tokens: &Tokens, at: usize, clock: Option<&Clock>) -> Option<(usize, Result<Self, Problem>)> {
        let word = tokens.raw.get(at).filter(|_| !tokens.taken[at])?;
        let low = &tokens.low[at];
        let next = || tokens.raw.get(at + 1).filter(|_| !tokens.ends[at] && !tokens.taken[at + 1]);
        let of_clock = |time: Time| clock.map(|_| Self::Clock(time)).ok_or(Problem::NoClock);
        match low.as_str() {
            "noon" | "midday" => return Some((1, of_clock(Time::constant(12, 0, 0, 0)))),
            "midnight" => return Some((1, of_clock(Time::midnight()))),
            _ => {}
        }
        if let Some(day) = WEEKDAYS.iter().position(|name| name == low) {
            let day = clock.ok_or(Problem::NoClock).map(|clock| Self::Day(clock.last_weekday(day)));
            return Some((1, day));
        }
        // "11 am", "3pm", "11 o'clock".
        let half = |text: &str| match text.to_lowercase().as_str() {
            "am" | "a.m" => Some(0),
            "pm" | "p.m" => Some(12),
            _ => None,
        };
        let (digits, joined) = match low.find(|c: char| c.is_ascii_alphabetic()) {
            Some(end) => (&low[..end], half(&low[end..])),
            None => (low.as_str(), None),
        };
        let apart = next().and_then(|next| half(next));
        if let (Some(half), Ok(hour @ 1..=12)) = (joined.or(apart), digits.parse::<i8>()) {
            let time = Time::constant(hour % 12 + half, 0, 0, 0);
            return Some((1 + usize::from(joined.is_none()), of_clock(time)));
        }
        let found = Self::of(word, clock)?;
        let Ok(Self::Clock(time)) = found else { return Some((1, found)) };
        let Some(next) = next() else { return Some((1, Ok(Self::Clock(time)))) };
        if let Some(half) = half(next) {
            let hour = time.hour() % 12 + half;
            return Some((2, of_clock(Time::constant(hour, time.minute(), time.second(), 0))));
        }
        let zone = next.len() <= 4 && next.len() > 1 && next.chars().all(|c| c.is_ascii_uppercase());
        match (zone, next.as_str(), clock) {
            (true, "UTC" | "GMT", Some(clock)) => Some((2, Ok(Self::At(clock.last_in_utc(time))))),
            // Names of zones mean several.
            (true, name, _) if name.ends_with('T') => Some((2, Err(Problem::NotADate(format!("{word} {name}"))))),
            _ => Some((1, Ok(Self::Clock(time)))),
        }
    }

    fn of(word: &str, clock: Option<&Clock>) -> Option<Result<Self, Problem>> {
        if looks_like_a_time(word) {
            let padded = if word.find(':') == Some(1) { format!("0{word}") } else { word.to_owned() };
            let time = padded.parse::<Time>().map_err(|_| Problem::NotADate(word.to_owned()));
            return Some(time.and_then(|time| clock.map(|_| Self::Clock(time)).ok_or(Problem::NoClock)));
        }
        if !looks_like_a_date(word) {
            return None;
        }
        let clock = clock.unwrap_or(&UNKNOWN);
        let day = word.parse::<Date>().ok().filter(|_| word.len() == 10).map(Self::Day);
        let at = || word.parse::<Timestamp>().ok().or_else(|| Some(clock.at(word.parse::<DateTime>().ok()?)));
        Some(day.or_else(|| at().map(Self::At)).ok_or_else(|| Problem::NotADate(word.to_owned())))
    }

    fn begins(&self, clock: &Clock) -> Timestamp {
        match self {
            Self::Day(day) => clock.begin(*day),
            Self::At(at) => *at,
            Self::Clock(time) => clock.last(*time),
        }
    }

    /// When a day is over; the moment itself of all others.
    fn ends(&self, clock: &Clock) -> Timestamp {
        match self {
            Self::Day(day) => clock.begin(day.saturating_add(Span::new().days(1))),
            _ => self.begins(clock),
        }
    }
}

/// Dates need no time of the question.
const UNKNOWN: Clock = Clock { now: Timestamp::UNIX_EPOCH, offset: Offset::UTC };

/// So many seconds later, as far as times go.
fn later(at: Timestamp, seconds: i64) -> Timestamp {
    let second = at.as_second().saturating_add(seconds);
    Timestamp::from_second(second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second())).unwrap_or(at)
}

/// "between 07:40 and 08:15", "from 2026-01-01 to 2026-01-31". Both days belong to it.
fn between(tokens: &Tokens, at: usize, clock: Option<&Clock>) -> Found {
    let and = match tokens.match_at(at, "between") {
        Some(_) => "and",
        None => tokens.match_at(at, "from").map(|_| "to|until|till")?,
    };
    let (first, from) = Moment::at(tokens, at + 1, clock)?;
    tokens.match_at(at + 1 + first, and)?;
    let (second, to) = Moment::at(tokens, at + 2 + first, clock)?;
    let clock = clock.unwrap_or(&UNKNOWN);
    let limit = from.and_then(|from| {
        let (to, since) = (to?, from.begins(clock));
        let mut until = to.ends(clock);
        if let (Moment::Clock(_), Moment::Clock(time)) = (&from, &to) {
            // The first time after the other that a clock shows it.
            until = clock.at(clock.offset.to_datetime(since).date().to_datetime(*time));
            if until <= since {
                until = later(until, DAY);
            }
        }
        Ok(Limit::Between(since, until))
    });
    Some((2 + first + second, limit))
}

/// "since 2026-01-31", "before 2026-01-31T10:00:00Z", "after 08:00".
fn dated(tokens: &Tokens, at: usize, clock: Option<&Clock>) -> Found {
    let taken = tokens.match_at(at, "since|after|from|before|until")?;
    let (words, moment) = Moment::at(tokens, at + taken, clock)?;
    let clock = clock.unwrap_or(&UNKNOWN);
    let limit = moment.map(|moment| {
        if tokens.is(Some(at), &["before", "until"]) {
            Limit::Until(moment.begins(clock))
        } else if tokens.is(Some(at), &["after"]) {
            // "After" a day begins when the day has ended.
            Limit::Since(moment.ends(clock))
        } else {
            Limit::Since(moment.begins(clock))
        }
    });
    Some((taken + words, limit))
}

/// With a verb for creation: "deployed on 2026-01-31", "deleted at 08:15", "around noon", "5 minutes ago".
fn about(tokens: &Tokens, at: usize, clock: Option<&Clock>) -> Found {
    if let Some((span, seconds)) = duration(tokens, at)
        && tokens.is(Some(at + span), &["ago"])
    {
        let limit = seconds.and_then(|seconds| {
            let clock = clock.ok_or(Problem::NoClock)?;
            // Nobody means it to the second.
            Ok(Limit::Between(clock.ago(seconds.saturating_add(seconds / 2)), clock.ago(seconds / 2)))
        });
        return Some((span + 1, limit));
    }
    let taken = tokens.match_at(at, "on|at|around|about")?;
    let (words, moment) = Moment::at(tokens, at + taken, clock)?;
    let clock = clock.unwrap_or(&UNKNOWN);
    let near = if tokens.is(Some(at), &["around", "about"]) { 15 * MINUTE } else { MINUTE };
    let limit = moment.map(|moment| match moment {
        Moment::Day(_) => Limit::Between(moment.begins(clock), moment.ends(clock)),
        _ => Limit::Between(later(moment.begins(clock), -near), later(moment.begins(clock), near)),
    });
    Some((taken + words, limit))
}

/// `8:15`, `08:15:30`.
fn looks_like_a_time(word: &str) -> bool {
    let parts: Vec<&str> = word.split(':').collect();
    let digits = |part: &&str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(digits) && parts[1..].iter().all(|part| part.len() == 2)
}

fn looks_like_a_date(word: &str) -> bool {
    let head: Vec<&str> = word.splitn(3, '-').collect();
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    head.len() == 3
        && head[0].len() == 4
        && digits(head[0])
        && digits(head[1])
        && head[2].starts_with(|c: char| c.is_ascii_digit())
}

/// "deployed yesterday", "since last week". `created`: the question has a verb for creation.
fn named(tokens: &Tokens, at: usize, created: bool, clock: Option<&Clock>) -> Found {
    let since = tokens.match_at(at, "since");
    let before = tokens.match_at(at, "before");
    let led = since.or(before).unwrap_or(0);
    let from = at + led;
    let taken = tokens.match_at(from, "today|yesterday").or_else(|| {
        ["this|last week|month|year", "this morning|afternoon|evening", "last night|evening"]
            .iter()
            .find_map(|pattern| tokens.match_at(from, pattern))
    })?;
    if led == 0 && !created {
        return None;
    }
    let name = tokens.low.get(from..from + taken)?.join(" ");
    let limit = clock.ok_or(Problem::NoClock).and_then(|clock| {
        let (begin, end) = clock.period(&name).ok_or(Problem::NoClock)?;
        Ok(match (since, before) {
            (Some(_), _) => Limit::Since(begin),
            (_, Some(_)) => Limit::Until(begin),
            _ => Limit::Between(begin, end),
        })
    });
    Some((led + taken, limit))
}

/// "30 days", "a week", "12h": how many words that is, and how many seconds.
fn duration(tokens: &Tokens, at: usize) -> Option<(usize, Result<i64, Problem>)> {
    let first = tokens.low.get(at).filter(|_| !tokens.taken[at])?;
    let (negative, digits) = first.strip_prefix('-').map_or((false, first.as_str()), |rest| (true, rest));
    let letters = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    // "Half an hour".
    if let Some(taken) = tokens.match_at(at, "half an? hour") {
        return Some((taken, Ok(HOUR / 2)));
    }
    let (many, unit_word, taken) = if !letters.is_empty() && letters.len() < digits.len() {
        (number(&digits[..digits.len() - letters.len()])?, letters, 1)
    } else {
        let many = if ["a", "an"].contains(&digits) { 1 } else { number(digits)? };
        (many, tokens.low.get(at + 1)?.as_str(), 2)
    };
    let unit = unit(unit_word)?;
    if negative {
        return Some((taken, Err(Problem::NotAnAge(format!("{first} {unit_word}")))));
    }
    Some((taken, Ok(i64::try_from(many).unwrap_or(i64::MAX).saturating_mul(unit))))
}

/// Seconds of a unit.
fn unit(word: &str) -> Option<i64> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" | "s" => SECOND,
        "minute" | "minutes" | "min" | "mins" | "m" => MINUTE,
        "hour" | "hours" | "hr" | "hrs" | "h" => HOUR,
        "day" | "days" | "d" => DAY,
        "week" | "weeks" | "w" => 7 * DAY,
        "month" | "months" => 30 * DAY,
        "year" | "years" | "yr" | "yrs" | "y" => 365 * DAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-04T09:30:00+02:00";

    fn limits(text: &str, now: &str) -> (Option<String>, Option<String>, Option<Problem>) {
        let (mut tokens, mut parsed) = (Tokens::new(text), ParsedQuery::default());
        read(&mut tokens, &mut parsed, now);
        let shown = |at: Option<Timestamp>| at.map(|at| at.to_string());
        (shown(parsed.clauses.since), shown(parsed.clauses.until), parsed.problem)
    }

    #[test]
    fn what_a_clock_shows_is_the_last_time_that_it_did() {
        for (text, since, until) in [
            ("created since 8:15", "2026-03-04T06:15:00Z", ""),
            ("created after 23:00", "2026-03-03T21:00:00Z", ""),
            ("created before 08:15:30", "", "2026-03-04T06:15:30Z"),
            ("created between 07:00 and 08:00", "2026-03-04T05:00:00Z", "2026-03-04T06:00:00Z"),
            ("created from 23:00 to 01:00", "2026-03-03T21:00:00Z", "2026-03-03T23:00:00Z"),
            ("created between 2026-01-30 and 2026-01-31", "2026-01-29T22:00:00Z", "2026-01-31T22:00:00Z"),
            ("created this morning", "2026-03-03T22:00:00Z", "2026-03-04T10:00:00Z"),
            ("created last night", "2026-03-03T16:00:00Z", "2026-03-04T04:00:00Z"),
            ("created since monday", "2026-03-01T22:00:00Z", ""),
            ("created since 9 am", "2026-03-04T07:00:00Z", ""),
            ("created before 3pm", "", "2026-03-03T13:00:00Z"),
            ("created after 9:15 am", "2026-03-04T07:15:00Z", ""),
            ("created since 07:10 UTC", "2026-03-04T07:10:00Z", ""),
            ("created before noon", "", "2026-03-03T10:00:00Z"),
            ("created on 2026-01-31", "2026-01-30T22:00:00Z", "2026-01-31T22:00:00Z"),
            ("created at 09:14", "2026-03-04T07:13:00Z", "2026-03-04T07:15:00Z"),
            ("created around 9:00", "2026-03-04T06:45:00Z", "2026-03-04T07:15:00Z"),
            ("created 10 minutes ago", "2026-03-04T07:15:00Z", "2026-03-04T07:25:00Z"),
            ("created in the last half hour", "2026-03-04T07:00:00Z", ""),
            ("created in the last fifteen minutes", "2026-03-04T07:15:00Z", ""),
            ("created between 9 am and 9:20", "2026-03-04T07:00:00Z", "2026-03-04T07:20:00Z"),
            ("redis at the edge", "", ""),
            ("listens at 08:15", "", ""),
            ("created in the last 30 seconds", "2026-03-04T07:29:30Z", ""),
            // A version is no time, a bound of another sort no date, and a half of it none.
            ("redis 7:20", "", ""),
            ("from nginx:1.27 to redis", "", ""),
            ("between 3 and 5 replicas", "", ""),
            ("between 08:00 and soon", "", ""),
            ("this morning", "", ""),
        ] {
            let told = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            assert_eq!(limits(text, NOW), (told(since), told(until), None), "{text}");
        }
    }

    #[test]
    fn what_is_so_since_then_need_not_be_created_since_then() {
        for (text, limits_creation) in [
            ("thumbnails look blurry since this morning, what generates them?", false),
            ("checkout is slow since yesterday", false),
            ("the shop went strange since 08:00", false),
            ("which caches are new since yesterday", true),
            ("what has been deployed since this morning", true),
            ("caches since 2026-01-31", true),
            ("redis is strange, show me everything since yesterday", true),
        ] {
            assert_eq!(limits(text, NOW).0.is_some(), limits_creation, "{text}");
        }
    }

    #[test]
    fn times_that_do_not_exist_and_unknown_clocks_are_problems() {
        for (text, now, problem) in [
            ("since 25:99", NOW, Problem::NotADate("25:99".to_owned())),
            ("between 08:00 and 24:61", NOW, Problem::NotADate("24:61".to_owned())),
            ("between 2026-02-30 and 2026-03-01", NOW, Problem::NotADate("2026-02-30".to_owned())),
            ("since 12:10 CET", NOW, Problem::NotADate("12:10 CET".to_owned())),
            ("since monday", "", Problem::NoClock),
            ("since 08:00", "", Problem::NoClock),
            ("in the last 5 seconds", "", Problem::NoClock),
        ] {
            assert_eq!(limits(text, now), (None, None, Some(problem)), "{text}");
        }
    }
}
