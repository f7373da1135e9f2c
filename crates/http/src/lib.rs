//! Outgoing HTTP, in one place: the client with its TLS, how long and how much of an answer is taken, when a request is repeated, which
//! hosts need no proxy, and what of addresses, keys and answers may be shown.
//!
//! Never in this room: environment variables, printing, and advice. Its errors carry data; the message is the caller's.

mod address;
mod client;
mod mask;
pub mod no_proxy;
mod retry;

pub use address::{escaped, plain_user, strictly_unescaped, unescaped};
pub use client::{Answered, Arriving, Bounds, Cause, Client, Failure, LARGEST_REASON, innermost, native_roots, read};
pub use mask::{Secret, ends_word, masked, reason, sensitive, without_user};
pub use retry::{Pauses, Retries, pause, retry_after};
