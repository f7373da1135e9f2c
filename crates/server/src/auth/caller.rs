//! Somebody who was let in, or not.

use clusterlore_core::Scope;
use thiserror::Error;

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the log and for limits.
    pub name: String,
    /// What they may see.
    pub scope: Scope,
    /// The cluster that they may post about (empty: the unnamed one); `None`: none.
    pub writes: Option<String>,
}

/// Why somebody was not let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denied {
    /// Nobody knows who it is.
    #[error("{0}")]
    Unknown(&'static str),
    /// It cannot be found out now.
    #[error("{0}")]
    Unavailable(&'static str),
}
