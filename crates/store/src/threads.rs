//! Conversations that have a name: turns in the order in which they were added. What a turn holds is its owner's business; here it is a
//! text.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use serde::Serialize;
use thiserror::Error;

use crate::error::StoreError;

/// Turns of a thread that are kept: with one more the oldest goes.
pub(crate) const KEPT_TURNS: usize = 1_000;
/// Bytes of a turn.
pub(crate) const LONGEST_TURN: usize = 1 << 20;
/// Characters of a name.
const LONGEST_NAME: usize = 64;

/// The name of a thread: up to 64 letters, digits, `-`, `_` and `.`, of which the first is a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ThreadName(String);

/// A text that is no [`ThreadName`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected 1 to {LONGEST_NAME} letters, digits, \"-\", \"_\" or \".\", beginning with a letter or a digit")]
pub struct WrongThreadName;

impl FromStr for ThreadName {
    type Err = WrongThreadName;

    fn from_str(text: &str) -> Result<Self, WrongThreadName> {
        let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let is_name =
            text.starts_with(char::is_alphanumeric) && text.chars().count() <= LONGEST_NAME && text.chars().all(fits);
        if is_name { Ok(Self(text.to_owned())) } else { Err(WrongThreadName) }
    }
}

impl ThreadName {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ThreadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A thread as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// How many turns it has.
    pub turns: usize,
    /// When the last was added, RFC 3339.
    pub last: String,
}

/// Keeps threads. A turn is only ever added, so that of two who write the same thread neither takes the other's away.
#[async_trait]
pub trait Threads: Send + Sync {
    /// All that there are, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn threads(&self) -> Result<Vec<Thread>, StoreError>;

    /// The last turns of a thread, `most` at most, in the order in which they were added; none where there is no such thread.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn turns(&self, thread: &ThreadName, most: usize) -> Result<Vec<String>, StoreError>;

    /// Adds a turn; `at` is when, RFC 3339. A thread begins with its first turn, and keeps the last 1,000.
    ///
    /// # Errors
    /// The store cannot be written, or the turn has more than a mebibyte.
    async fn add_turn(&self, thread: &ThreadName, at: &str, turn: &str) -> Result<(), StoreError>;

    /// Removes a thread. Says whether there was one.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remove_thread(&self, thread: &ThreadName) -> Result<bool, StoreError>;
}

/// Refuses a turn that is too long.
pub(crate) fn check(place: &str, turn: &str) -> Result<(), StoreError> {
    match turn.len() {
        0..=LONGEST_TURN => Ok(()),
        bytes => {
            let detail =
                format!("a turn of a thread has {bytes} bytes; expected {LONGEST_TURN} at most. It was not kept");
            Err(StoreError::Other { place: place.to_owned(), detail })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "on-call", "2026.11_27", "störung"] {
            assert_eq!(name.parse::<ThreadName>().map(|name| name.to_string()).as_deref(), Ok(name));
        }
        let long = "x".repeat(65);
        for name in ["", " ", "-a", ".", "a b", "a/b", "a\n", "a\u{1b}[31m", &long] {
            assert_eq!(name.parse::<ThreadName>(), Err(WrongThreadName), "{name:?}");
        }
    }
}
