//! What can go wrong with a store. Messages say what is wrong; which flag or command helps is for the face that shows them.

use std::path::PathBuf;

use clusterlore_core::{Collection, EmbedderIdentity};
use thiserror::Error;

use crate::holder::Holder;

/// A store that could not do what was asked; nothing that was stored is lost.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no store yet.
    #[error("nothing is indexed yet: {0} does not exist")]
    Missing(String),
    /// A newer clusterlore wrote it.
    #[error("{} was written by a newer clusterlore: its schema is version {found}, this program knows up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// Not a store of ours, or a broken one.
    #[error("{} is damaged or is not a clusterlore store ({detail})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// A folder, where the file should be.
    #[error("{} is a folder; expected a file", .0.display())]
    Folder(PathBuf),
    /// It may be read, not written.
    #[error("{} cannot be written ({detail}); nothing was changed", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// No room is left.
    #[error("the disk that holds {} is full; what was stored before is unharmed", .0.display())]
    Full(PathBuf),
    /// Too much waits to be worked off.
    #[error("{} holds {bytes} bytes that wait to be written to the store, which is all it may; nothing was added", path.display())]
    Crowded {
        /// The file.
        path: PathBuf,
        /// What it may hold.
        bytes: u64,
    },
    /// Somebody else holds it for too long.
    #[error("{} is in use by another program", .0.display())]
    Busy(PathBuf),
    /// Two runs at once.
    #[error("another run is writing to {place}{}", by(holder.as_ref()))]
    Locked {
        /// The file, or the server's address and the cluster.
        place: String,
        /// Who writes, where that is known.
        holder: Option<Holder>,
    },
    /// The collection's vectors are another embedder's.
    #[error("collection \"{collection}\" was filled by {stored}, not by {offered}; their vectors cannot be compared")]
    OtherEmbedder {
        /// Which collection.
        collection: Collection,
        /// Who filled it.
        stored: EmbedderIdentity,
        /// Who was to go on.
        offered: EmbedderIdentity,
    },
    /// A cluster would be in the store twice.
    #[error(
        "{offered} is in the index{}; under another name it would be counted twice. Nothing was changed",
        already(shown)
    )]
    UnderAnotherName {
        /// The name under which it was to be indexed; empty: none.
        cluster: String,
        /// The name under which it is stored; empty: none.
        known: String,
        /// What is shown of that; empty where it has no name at all.
        shown: String,
        /// What it is known by.
        offered: String,
    },
    /// A vector that does not fit.
    #[error(
        "a vector for collection \"{collection}\" has {found} dimensions; expected {expected}. This is a fault of the embedder; nothing was written"
    )]
    Dimension {
        /// Which collection.
        collection: Collection,
        /// What came.
        found: usize,
        /// What was expected.
        expected: usize,
    },
    /// A server that does not answer, or stopped in the middle.
    #[error("{place} cannot be reached ({detail}); what was stored before is unharmed")]
    Unreachable {
        /// The server's address, without user and password.
        place: String,
        /// What the connection said.
        detail: String,
    },
    /// A server whose tables are of an older version, opened for reading only.
    #[error("{place} cannot be used: its tables are of version {found}, this program's of {known}")]
    Outdated {
        /// The server's address, without user and password.
        place: String,
        /// Version of its tables.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// A server that answers and cannot serve: refused key, wrong version, missing extension, missing right.
    #[error("{place} cannot be used: {problem}. {fix}")]
    Unusable {
        /// The server's address, without user and password.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do, as a sentence without its full stop.
        fix: String,
    },
    /// Other programs changed what was being read or written.
    #[error("{place}: {detail}")]
    Disturbed {
        /// The server's address, without user and password.
        place: String,
        /// What they did.
        detail: String,
    },
    /// Anything else the database or the system says.
    #[error("{place}: {detail}")]
    Other {
        /// The file, or the server's address.
        place: String,
        /// What was said.
        detail: String,
    },
}

fn already(shown: &str) -> String {
    if shown.is_empty() { " already, without a name".to_owned() } else { format!(" already, as \"{shown}\"") }
}

fn by(holder: Option<&Holder>) -> String {
    holder.map(|holder| format!(": {holder}")).unwrap_or_default()
}

impl StoreError {
    /// Who held the lock of a server does no more.
    pub(crate) fn lost_lock(place: &str) -> Self {
        let detail = "the connection that held the lock ended".to_owned();
        Self::Unreachable { place: place.to_owned(), detail }
    }
}
