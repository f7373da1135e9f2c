//! Where documents and the memory of runs are kept. A [`Store`] is read through a [`View`] (one state, one scope), written through
//! [`Writer`], and remembers between runs through [`Runs`] and of conversations through [`Threads`]; [`Inbox`] keeps what others sent until it is worked off, and [`Spool`] keeps what is on its way from one to the other off the heap.
//!
//! Never in this room: what a document's text is, which documents are written or deleted (core's plan), and how candidates
//! are ranked (search).

mod chroma;
mod error;
mod filter;
mod holder;
mod inbox;
mod lock;
mod names;
pub mod postgres;
mod reader;
mod runs;
mod spool;
pub mod sqlite;
mod store;
mod threads;
mod writer;

pub use chroma::{Chroma, ChromaOptions, Credentials};
pub use error::StoreError;
pub use filter::{Filter, FilterView};
pub use holder::{Holder, RunKind};
pub use inbox::{Inbox, Post, Scan, Waiting};
pub use lock::RunLock;
pub use names::{ClusterNames, under_another_name};
pub use postgres::Postgres;
pub use reader::{
    Candidate, Candidates, CollectionInfo, Counts, Page, Probe, Scanned, Shown, Stored, Terms, View, Vocabulary,
};
pub use runs::{KnownSource, Reading, Readings, RunRecord, Runs};
pub use spool::Spool;
pub use sqlite::{InboxFile, Sqlite};
pub use store::Store;
pub use threads::{Thread, ThreadName, Threads, WrongThreadName};
pub use writer::{Batch, Upsert, Writer};
