//! Conditions in English.

use clusterlore_core::conditions::{Limit, LiveCondition, Replicas};

use crate::english::either;

/// What is so of those of which a condition holds: `is not ready`, `are not ready`.
pub(crate) fn predicate(condition: &LiveCondition, one: bool) -> String {
    let (is, has) = if one { ("is", "has") } else { ("are", "have") };
    match condition {
        LiveCondition::NotRunning => format!("{is} not running"),
        LiveCondition::Running => format!("{is} running"),
        LiveCondition::Unhealthy => format!("{is} unhealthy"),
        LiveCondition::Failed => format!("{is} failing or {has} failed"),
        LiveCondition::NotReady => format!("{is} not ready"),
        LiveCondition::Ready => format!("{is} ready"),
        LiveCondition::Pending => format!("{is} pending"),
        LiveCondition::Complete => format!("{is} complete"),
        LiveCondition::Suspended => format!("{is} suspended"),
        LiveCondition::Bound => format!("{is} bound"),
        LiveCondition::NotBound => format!("{is} not bound"),
        LiveCondition::Lost => format!("{is} lost"),
        LiveCondition::ExternalAddress => format!("{has} an address outside the cluster"),
        LiveCondition::Status(words) => format!("{is} {}", either(&words[..words.len().min(3)])),
        LiveCondition::Restarted(Limit::AtMost(0) | Limit::Exactly(0)) => "never restarted".to_owned(),
        LiveCondition::Restarted(Limit::AtLeast(1)) => format!("{has} restarted"),
        LiveCondition::Restarted(limit) => format!("restarted {}", times(*limit)),
        LiveCondition::Image(name) if name.is_empty() => format!("{has} an image"),
        LiveCondition::Image(name) => format!("{} {}", if one { "runs" } else { "run" }, image(name)),
        LiveCondition::Version(version) if version.is_empty() => format!("{has} a version"),
        LiveCondition::Version(version) => match version.trim_start_matches(['<', '>', '=']) {
            number if version.starts_with("<=") => format!("{is} at version {number} or older"),
            number if version.starts_with(">=") => format!("{is} at version {number} or newer"),
            number if version.starts_with('<') => format!("{is} older than version {number}"),
            number if version.starts_with('>') => format!("{is} newer than version {number}"),
            number => format!("{is} at version {number}"),
        },
        LiveCondition::Replicas { number: Limit::Exactly(0) | Limit::AtMost(0), of } => match of {
            Replicas::Desired => format!("{is} scaled to zero"),
            Replicas::Ready => format!("{has} no ready replica"),
        },
        LiveCondition::Replicas { number, of } => {
            let ready = if *of == Replicas::Ready { "ready " } else { "" };
            let noun = if matches!(number, Limit::Exactly(1) | Limit::AtLeast(1) | Limit::AtMost(1)) {
                "replica"
            } else {
                "replicas"
            };
            format!("{has} {} {ready}{noun}", bound(*number, u64::to_string))
        }
        LiveCondition::Capacity(limit) => format!("{has} {}", capacity(*limit)),
        LiveCondition::Said { or, .. } => predicate(or, one),
        LiveCondition::Not(other) => not(&predicate(other, one)),
        LiveCondition::Any(all) => either(&all.iter().map(|other| predicate(other, one)).collect::<Vec<_>>()),
    }
}

/// `the image nginx`, `an image of postgres older than 15`, `an image with rc in its tag`.
fn image(name: &str) -> String {
    let (of, tag) = name.rsplit_once(':').unwrap_or((name, ""));
    let number = tag.trim_start_matches(['<', '>', '=']);
    let how = match &tag[..tag.len() - number.len()] {
        "<" => format!("older than {number}"),
        ">" => format!("newer than {number}"),
        "<=" => format!("of {number} or older"),
        ">=" => format!("of {number} or newer"),
        _ if of.is_empty() && tag.chars().all(|c| c.is_ascii_alphabetic()) => {
            return format!("an image with {tag} in its tag");
        }
        _ => return format!("the image {name}"),
    };
    format!("an image of {of} {how}")
}

fn not(said: &str) -> String {
    match said.split_once(' ') {
        Some((is @ ("is" | "are"), rest)) => format!("{is} not {rest}"),
        Some(("has", rest)) => format!("does not have {rest}"),
        Some(("have", rest)) => format!("do not have {rest}"),
        Some(("runs", rest)) => format!("does not run {rest}"),
        Some(("run", rest)) => format!("do not run {rest}"),
        _ => format!("not {said}"),
    }
}

fn bound(limit: Limit, write: impl Fn(&u64) -> String) -> String {
    match limit {
        Limit::Exactly(number) => write(&number),
        Limit::AtLeast(number) => format!("{} or more", write(&number)),
        Limit::AtMost(number) => format!("{} or less", write(&number)),
    }
}

fn times(limit: Limit) -> String {
    let once = |number: &u64| if *number == 1 { "once".to_owned() } else { format!("{number} times") };
    bound(limit, once)
}

/// "More than 20Gi" is kept as a byte more.
fn capacity(limit: Limit) -> String {
    let is_round = |bytes: u64| bytes > 0 && bytes.is_multiple_of(1 << 10);
    match limit {
        Limit::AtLeast(bytes) if bytes > 0 && is_round(bytes - 1) => format!("more than {}", size(bytes - 1)),
        Limit::AtMost(bytes) if is_round(bytes.saturating_add(1)) => format!("less than {}", size(bytes + 1)),
        limit => bound(limit, |bytes| size(*bytes)),
    }
}

/// Bytes, with the largest unit that leaves a whole number.
fn size(bytes: u64) -> String {
    let units = [("Ti", 1_u64 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let fits = units.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    fits.map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_as_sentences() {
        let replicas = |number| LiveCondition::Replicas { of: Replicas::Desired, number };
        for (condition, one, many) in [
            (LiveCondition::NotReady, "is not ready", "are not ready"),
            (LiveCondition::Failed, "is failing or has failed", "are failing or have failed"),
            (
                LiveCondition::ExternalAddress,
                "has an address outside the cluster",
                "have an address outside the cluster",
            ),
            (LiveCondition::Restarted(Limit::AtLeast(6)), "restarted 6 times or more", "restarted 6 times or more"),
            (LiveCondition::Restarted(Limit::AtMost(0)), "never restarted", "never restarted"),
            (LiveCondition::Version("<1.30".to_owned()), "is older than version 1.30", "are older than version 1.30"),
            (LiveCondition::Image("nginx".to_owned()), "runs the image nginx", "run the image nginx"),
            (
                LiveCondition::Image("postgres:<15".to_owned()),
                "runs an image of postgres older than 15",
                "run an image of postgres older than 15",
            ),
            (
                LiveCondition::Image(":rc".to_owned()),
                "runs an image with rc in its tag",
                "run an image with rc in its tag",
            ),
            (LiveCondition::Image("a:5000/b".to_owned()), "runs the image a:5000/b", "run the image a:5000/b"),
            (replicas(Limit::Exactly(0)), "is scaled to zero", "are scaled to zero"),
            (replicas(Limit::AtLeast(2)), "has 2 or more replicas", "have 2 or more replicas"),
            (LiveCondition::Capacity(Limit::AtLeast(5 << 30)), "has 5Gi or more", "have 5Gi or more"),
            (LiveCondition::Capacity(Limit::AtLeast((20 << 30) + 1)), "has more than 20Gi", "have more than 20Gi"),
            (LiveCondition::Capacity(Limit::AtMost((1 << 20) - 1)), "has less than 1Mi", "have less than 1Mi"),
            (LiveCondition::Capacity(Limit::AtLeast(1_000)), "has 1000 bytes or more", "have 1000 bytes or more"),
            (LiveCondition::Status(vec!["Evicted".to_owned()]), "is Evicted", "are Evicted"),
        ] {
            assert_eq!((predicate(&condition, true).as_str(), predicate(&condition, false).as_str()), (one, many));
        }
    }
}
