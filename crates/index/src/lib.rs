//! The one door for questions. [`Index::ask`] takes a [`Request`] under a [`Scope`](clusterlore_core::Scope) and gives a [`Reply`]; command line, HTTP and
//! assistants all go through it, so that a question has one answer and one JSON shape.
//!
//! Every answer is made on one view: one state of the store, one caller's rights.
//!
//! Never in this room: flags, HTTP, printing, and what to do about an error.

mod basis;
mod changes;
mod command;
mod index;
mod live;
mod reply;
mod request;
mod status;
mod tree;

pub use basis::{About, Basis, Doubt, OLD, TooOld, ago};
pub use changes::{Changes, Need as ChangesNeed, Note as ChangesNote};
pub use command::{get_command, shell_line};
pub use index::Index;
pub use live::Door;
pub use reply::{Group, Reply, explain_command, matched, reason};
pub use request::Request;
pub use status::{ClusterStatus, CollectionStatus, Status, TypeStatus};
pub use tree::{Branch, Member, Tree};
