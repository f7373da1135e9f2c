//! Runs: what reads a source, compares it with the store, and writes the difference. A newcomer reads [`InstanceSync::run`]
//! from top to bottom.
//!
//! Never in this room: printing (a run tells its observer), flags, environment variables, and which text a document has.

mod error;
mod instances;
mod progress;
mod types;
mod writer;

pub use error::SyncError;
pub use instances::{InstanceSync, Options, Outcome};
pub use progress::{Observer, Progress, Seconds, SkippedType, Summary};
