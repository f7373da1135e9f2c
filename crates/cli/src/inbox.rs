//! Where posts wait: with the store, where all who share it can write them, else among the user's data, in one file for each store.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use clusterlore_store::{Inbox, InboxFile, Store, StoreError};

use crate::build;

/// The place, made where it is missing.
pub(crate) fn of(store: &dyn Store) -> anyhow::Result<Arc<dyn Inbox>> {
    match store.inbox() {
        Some(inbox) => Ok(inbox),
        None => open(store, file(store)?),
    }
}

/// The place, if there is one.
pub(crate) fn existing(store: &dyn Store) -> anyhow::Result<Option<Arc<dyn Inbox>>> {
    if let Some(inbox) = store.inbox() {
        return Ok(Some(inbox));
    }
    let file = file(store)?;
    if file.exists() { open(store, file).map(Some) } else { Ok(None) }
}

fn file(store: &dyn Store) -> anyhow::Result<PathBuf> {
    let place = store.place().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    // A name may be no longer than 255 bytes; its end tells stores apart best.
    let place = &place[place.len().saturating_sub(200)..];
    Ok(build::data_folder()?.join(format!("inbox {place}.db")))
}

fn open(store: &dyn Store, file: PathBuf) -> anyhow::Result<Arc<dyn Inbox>> {
    match InboxFile::open(&file) {
        Ok(inbox) => Ok(Arc::new(inbox)),
        Err(StoreError::Locked { .. }) => Err(anyhow!(
            "another \"clusterlore serve\" of this user takes posts for {}; end it, or name another store",
            store.place()
        )),
        Err(error) => Err(anyhow!(error).context("posts cannot be kept")),
    }
}
