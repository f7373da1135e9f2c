//! The index over HTTP and for assistants: what people and programs ask ([`clusterlore_index`]), and what controllers post
//! ([`clusterlore_pipeline::Ingest`]). A handler turns a request into an `index::Request` and a `Scope`, asks, and sends the reply as it
//! serializes.
//!
//! Never in this room: rules about what a question means or what an answer holds, flags, the environment, printing, and set-up:
//! everything is handed in.

mod api;
mod app;
mod audit;
mod auth;
mod connection;
mod credentials;
mod dropin;
mod json;
mod limits;
mod listen;
mod mcp;
mod metrics;
mod page;
mod probes;
mod problem;
mod refusals;
mod router;
mod span;
mod tls;

pub use app::{Continued, Readiness, Server};
pub use auth::{Auth, Caller, Denied, Kubernetes, NotSecure, Resource, SecureUrl, TokenFileError, Tokens, hashed};
pub use limits::Limits;
pub use listen::serve;
pub use mcp::{Assistant, IndexSource, Offer, PipeError, serve_pipe};
pub use tls::{Tls, TlsError};
