//! A run as the store remembers it: noted before it writes, so that one that was killed shows, and finished with its summary.

use clusterlore_core::SourceIdentity;
use clusterlore_store::{RunRecord, Store};
use jiff::Timestamp;

use crate::{Summary, SyncError};

/// A run that writes.
pub(crate) struct Journal<'a> {
    store: &'a dyn Store,
    run: RunRecord,
    number: i64,
    /// Number of the source that writes.
    pub(crate) source: i64,
}

impl<'a> Journal<'a> {
    /// Notes source and run. With `replace`, the source takes the place of those that were there.
    pub(crate) async fn begin(
        store: &'a dyn Store,
        command: &str,
        cluster: &str,
        identity: &SourceIdentity,
        replace: bool,
    ) -> Result<Self, SyncError> {
        let run = RunRecord {
            command: command.to_owned(),
            cluster: cluster.to_owned(),
            started: Timestamp::now().to_string(),
            finished: String::new(),
            summary: serde_json::Value::Null,
        };
        let source = store.remember_source(cluster, identity, replace).await?;
        let number = store.begin_run(&run).await?;
        Ok(Self { store, run, number, source })
    }

    /// Notes what the run came to.
    pub(crate) async fn finish(self, summary: &Summary) -> Result<(), SyncError> {
        let summary = serde_json::to_value(summary).unwrap_or_default();
        let finished = RunRecord { finished: Timestamp::now().to_string(), summary, ..self.run };
        Ok(self.store.finish_run(self.number, &finished).await?)
    }
}
