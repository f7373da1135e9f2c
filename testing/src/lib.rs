//! What the tests of clusterlore run against: a fake API server with faults, in this process, real servers (Kubernetes, Chroma,
//! Postgres), stand-ins for services that embed and for language models, and a look at how a crate is built.
//!
//! Never in this room: anything that the product itself needs.

pub mod chat;
pub mod edits;
pub mod embeddings;
pub mod fake;
pub mod hostile;
pub mod language;
pub mod otlp;
pub mod postgres;
pub mod real;
pub mod recorder;
pub mod service;
pub mod structure;

pub use real::shared;
