//! The index for assistants that speak the Model Context Protocol: one [`Assistant`], over standard input and output ([`serve_pipe`]) and over
//! HTTP. Only a change that waits for its second step ([`apply`]) is kept between two calls; so several servers behind one address serve one
//! client.
//!
//! A tool is a file: what it takes, what it gives, and `call`, which asks [`Index`](clusterlore_index::Index) under the caller's scope. Every
//! answer is a text and an object that say the same: how many there are, how many are shown, and how to narrow. Text that anybody may have
//! written into a cluster stands in the agent's fence, and in the object in strings that can imitate none.
//!
//! Never in this room: rules about what a question means and what an answer holds, and what to do about an error in the words of a command.

mod apply;
mod arguments;
mod assistant;
mod cluster_overview;
mod compat;
mod find_resource_types;
mod find_resources;
mod get_resource;
mod ground;
mod http;
mod investigate;
mod notes;
mod pipe;
mod prompt;
mod recent_changes;
mod result;
mod room;
mod schema;
mod tool;

pub use assistant::{Assistant, Offer};
pub use ground::IndexSource;
pub(crate) use ground::Served;
pub(crate) use http::service;
pub use pipe::{PipeError, serve_pipe};
