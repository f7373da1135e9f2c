//! Matches by when they were created.

use jiff::Timestamp;

use super::collapse::Collapsed;
use crate::query::{Clauses, Order};
use crate::rank::Noun;

/// When the object was created, if it says so. Types do not.
pub(crate) fn created(noun: &Noun) -> Option<Timestamp> {
    match noun {
        Noun::Instance(instance) => instance.created_at.parse().ok(),
        Noun::Type(..) => None,
    }
}

/// Those that were created within the question's limits, in the order that it asks for. What has no date comes last.
pub(super) fn by_age<'r>(clauses: &Clauses, matches: Vec<Collapsed<'r>>) -> Vec<Collapsed<'r>> {
    let dated = matches.into_iter().map(|m| (created(&m.shown.profile.noun), m));
    let mut dated: Vec<(Option<Timestamp>, Collapsed<'r>)> = dated.filter(|(at, _)| clauses.admits(|| *at)).collect();
    if let Some(order) = clauses.order {
        dated.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if order == Order::Newest => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
    }
    dated.into_iter().map(|(_, m)| m).collect()
}
