//! One file a command, each with `run`.

pub(crate) mod ask;
pub(crate) mod ask_model;
pub(crate) mod changes;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod count;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod mcp;
mod pick;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod similar;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod sync_instances;
pub(crate) mod threads;
pub(crate) mod token;
pub(crate) mod version;
pub(crate) mod watch;
