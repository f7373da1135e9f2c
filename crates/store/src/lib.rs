//! Where documents and run state are kept. Two doors, together a [`Store`]: [`VectorStore`] for collections of documents, [`StateStore`]
//! for what a sync must remember between runs; [`Spool`] keeps what is on its way from one to the other off the heap.
//!
//! Never in this room: what a document's text is, which documents are written or deleted (core's plan), and how candidates
//! are ranked (search).

mod chroma;
mod error;
mod filter;
pub mod postgres;
mod spool;
pub mod sqlite;
mod state;
mod vectors;

pub use chroma::{Chroma, ChromaOptions, Credentials};
pub use error::StoreError;
pub use filter::{Filter, FilterView};
pub use postgres::Postgres;
pub use spool::Spool;
pub use sqlite::Sqlite;
pub use state::{Holder, KnownSource, RunLock, RunRecord, StateStore};
pub use vectors::{
    Batch, Candidate, Candidates, CollectionInfo, Counts, Page, Probe, Scanned, Store, Stored, Upsert, VectorStore,
    Vocabulary,
};
