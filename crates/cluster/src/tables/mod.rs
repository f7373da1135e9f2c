//! What metadata cannot say, read when it is asked for: the API server's own columns, with the caller's rights and within a second, and the
//! conditions that they decide. [`LiveSource::tables`](crate::LiveSource::tables) is the door; [`Table::findings`] says of each row whether
//! a condition holds, and from which cells.
//!
//! Never in this room: keeping a table. No cell stands in a log, an error or a `Debug` text.

mod cells;
mod conditions;
mod read;
mod table;

pub use clusterlore_core::conditions::{Finding, Verdict};
pub(crate) use read::not_read;
pub use read::{Missing, NotRead, Objects, TableLimits, TypeTable, Wanted};
pub use table::{Column, Row, Table};
