//! Answers in sentences: composed from what the index and the cluster say, or by a language model that uses tools.
//!
//! Without a model an answer is made in two steps: [`gather`] asks the index, and through it the cluster; [`compose`] makes sentences of
//! what it found, by rules alone, and [`conclude`] looks into what is said to fail. With one, [`converse`] lets it ask.
//!
//! Never in this room: flags, printing, the environment, and rules about what a question means (those are in `search`).

mod answer;
mod beside;
mod compose;
mod conclude;
mod conversation;
pub mod converse;
mod details;
mod english;
mod follow;
mod gather;
pub mod investigate;
mod manner;
mod states;
mod steps;
mod things;
mod why;

pub use answer::{Answer, Asks, Item, Sentence, State, Step, Took, Unread, Verb};
pub use compose::compose;
pub use conclude::{Concluded, conclude, look_into, told};
pub use conversation::{Conversation, Turn};
pub use details::{Details, details};
pub use follow::gather_next;
pub use gather::{Found, gather};
pub use why::{Subjects, subjects, subjects_of};
