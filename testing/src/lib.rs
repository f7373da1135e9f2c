//! What the tests of clusterlore run against: a fake API server with faults, in this process, and a real one.
//!
//! Never in this room: anything that the product itself needs.

pub mod fake;
pub mod real;

pub use real::shared;
