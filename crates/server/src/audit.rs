//! A line for each call that was denied: who was refused what, and why. Whoever is refused again and again, with or without a name, cannot
//! fill the log; the next line says how many calls had none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use clusterlore_core::words::cut;
use http::StatusCode;
use tracing::info;

use crate::connection::Connection;
use crate::limits::Buckets;

/// Lines a second of one who is refused, in the mean, and at once.
const OF_ONE: (f64, f64) = (1.0, 20.0);
/// The same of all.
const OF_ALL: (f64, f64) = (20.0, 200.0);
/// Characters of a path and of a method that are logged.
const LONGEST: (usize, usize) = (300, 20);

/// Why a call was denied. An answer carries it beside what it tells the caller.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(pub(crate) String);

/// A call, as the log has it.
pub(crate) struct Call {
    method: String,
    path: String,
    connection: Option<Connection>,
}

impl Call {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            method: cut(request.method().as_str(), LONGEST.1).into_owned(),
            path: cut(request.uri().path(), LONGEST.0).into_owned(),
            connection: request.extensions().get().copied(),
        }
    }
}

/// See the module.
pub(crate) struct Audit {
    of_one: Buckets,
    of_all: Buckets,
    /// Denied calls without a line, since the last line.
    untold: AtomicU64,
}

impl Audit {
    pub(crate) fn new() -> Self {
        let [of_one, of_all] = [OF_ONE, OF_ALL].map(|(rate, most)| Buckets::new(rate, most));
        Self { of_one, of_all, untold: AtomicU64::new(0) }
    }

    /// Tells of a call that was answered, where it was denied. `user`: whoever sent it, if that is known.
    pub(crate) fn heed(&self, call: &Call, user: Option<&str>, answer: &Response) {
        let refusal = answer.extensions().get::<Refusal>();
        let status = answer.status();
        if refusal.is_none() && ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
            return;
        }
        let address = call.connection.map(|connection| connection.peer.ip().to_string()).unwrap_or_default();
        // A user has no name that is an address of another.
        let who = user.map_or(address, |user| format!("user {user}"));
        let now = Instant::now();
        if self.of_one.take(&who, now).is_err() || self.of_all.take("", now).is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let untold = Some(self.untold.swap(0, Ordering::Relaxed)).filter(|untold| *untold > 0);
        let peer = call.connection.map(|connection| connection.peer.to_string());
        let reason =
            refusal.map_or_else(|| status.canonical_reason().unwrap_or_default(), |refusal| refusal.0.as_str());
        info!(
            target: "audit",
            user,
            peer,
            method = call.method,
            path = call.path,
            status = status.as_u16(),
            reason,
            untold,
            "a call was denied"
        );
    }
}
