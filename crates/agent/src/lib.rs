//! Answers in sentences: composed from what the index and the cluster say, or by a language model that uses tools.
//!
//! Never in this room: flags, printing, the environment, and rules about what a question means (those are in `search`).

pub mod investigate;
