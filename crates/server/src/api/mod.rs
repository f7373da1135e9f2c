//! What is asked: each handler makes a request of what it is sent, asks under the caller's scope, and sends the reply as it serializes.

mod changes;
mod documents;
mod objects;
mod question;
mod questions;
mod status;
mod talk;

pub(crate) use changes::{__path_changes, changes};
pub(crate) use documents::{capability, instance};
pub(crate) use objects::{__path_details, __path_tree, details, tree};
pub(crate) use questions::{ask, ask_post, capabilities, count, count_post, search, search_post, similar};
pub(crate) use status::status;
pub(crate) use talk::{__path_talk, talk};

// What utoipa makes of handlers has to be found beside them.
pub(crate) use documents::{__path_capability, __path_instance};
pub(crate) use questions::{
    __path_ask, __path_ask_post, __path_capabilities, __path_count, __path_count_post, __path_search,
    __path_search_post, __path_similar,
};
pub(crate) use status::__path_status;
