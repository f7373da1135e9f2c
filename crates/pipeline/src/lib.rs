//! Runs: what reads a source, compares it with the store, and writes the difference. A newcomer reads [`InstanceSync::run`]
//! from top to bottom, then [`CapabilitySync::run`].
//!
//! Never in this room: printing (a run tells its observer), flags, environment variables, and which text a document has.

mod capabilities;
mod checks;
mod error;
mod forget;
mod ingest;
mod instances;
mod live;
mod memory;
mod moving;
mod progress;
mod run;
mod types;
mod waiting;
mod writer;

pub use capabilities::{
    CapabilityOptions, CapabilitySync, Inference, Knowledge, KnownGroup, KnownKind, Unknowing, infer,
};
pub use error::SyncError;
pub use forget::{Forgotten, forget};
pub use ingest::{Clusters, Ingest, InstancePost};
pub use instances::{InstanceSync, Options};
pub use live::{LiveState, LiveSync, Pace, Status, Turn, TypeState, Watched};
pub use moving::{Exported, Header, Import, Imported, MoveError, export};
pub use progress::{ModelUse, Observer, Outcome, Progress, Seconds, SkippedType, Summary};
