//! Whole objects, events and logs, read one by one when somebody looks closer: with the caller's rights, and bounded in time, bytes and
//! pages. [`LiveSource::reads`](crate::LiveSource::reads) is the door. Values of Secrets, copies of objects in annotations and managed fields
//! are gone before anything leaves this room.
//!
//! Never in this room: keeping what was read, and what it means. No value of an object, no message of an event and no line of a log stands
//! in a `Debug` text.

mod event;
mod object;
mod read;
mod said;

pub use crate::tables::NotRead;
pub use event::Event;
pub use object::{MASKED, Object};
pub(crate) use read::Taker;
pub use read::{Listed, Log, ReadLimits, Reads, Subject};
pub use said::{clean, clean_lines, clean_text};
