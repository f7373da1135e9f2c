//! What the tests of clusterlore run against: a fake API server with faults, in this process, a real one, a real
//! Postgres, and a fake embedder.
//!
//! Never in this room: anything that the product itself needs.

pub mod embeddings;
pub mod fake;
pub mod postgres;
pub mod real;

pub use real::shared;
