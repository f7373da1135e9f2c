//! The frame of every run, under the lock of its cluster: it makes sure that source and embedder are those of the index, reads what the source
//! serves, is noted in the store before it writes, and ends with its summary. What a run does in between is its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlore_cluster::{ClusterSource, Discovery};
use clusterlore_core::{
    Collection, Known, ObjectKey, Origin, ResourceType, SourceIdentity, SyncPlan, TypePattern, cluster_name,
};
use clusterlore_models::Embedder;
use clusterlore_store::{KnownSource, Reading, Readings, RunKind, RunRecord, Store, StoreError};
use jiff::Timestamp;

use crate::checks;
use crate::error::SyncError;
use crate::progress::{Observer, Outcome, Progress, Summary};

/// What the runs over a source have in common.
pub(crate) struct RunOptions<'a> {
    pub(crate) kind: RunKind,
    /// Name of the cluster, empty for the unnamed one.
    pub(crate) cluster: &'a str,
    pub(crate) dry_run: bool,
    pub(crate) replace_source: bool,
    pub(crate) reindex: bool,
    /// How the source is read; when, and by which context, the run itself knows.
    pub(crate) reading: Reading,
}

/// A run over a source, from its checks to its summary.
pub(crate) struct Run<'a> {
    options: RunOptions<'a>,
    began: Instant,
    /// What the source is compared with; `None` in a dry run without a store.
    store: Option<&'a dyn Store>,
    identity: SourceIdentity,
    sources: Vec<KnownSource>,
    /// Number of the source that writes.
    number: i64,
    record: Option<Record<'a>>,
}

impl<'a> Run<'a> {
    /// Refuses a source or an embedder other than those that filled the index.
    pub(crate) async fn begin(
        options: RunOptions<'a>,
        source: &dyn ClusterSource,
        store: Option<&'a Arc<dyn Store>>,
        embedder: &dyn Embedder,
    ) -> Result<Self, SyncError> {
        let began = Instant::now();
        let store = store.map(|store| &**store);
        let RunOptions { cluster, dry_run, replace_source, reindex, .. } = options;
        let identity = source.identity().await?;
        let sources = checks::source(store, cluster, &identity, replace_source).await?;
        checks::embedder(store, embedder.identity(), reindex, dry_run).await?;
        let reading = Reading { at: Timestamp::now().to_string(), context: source.context(), ..options.reading };
        let options = RunOptions { reading, ..options };
        Ok(Self { options, began, store, identity: identity.source, sources, number: 0, record: None })
    }

    /// What the source serves, and what of it the run reads.
    pub(crate) async fn discover(
        &self,
        source: &dyn ClusterSource,
        observer: &Observer<'_>,
        choose: impl FnOnce(&Discovery) -> Result<Vec<ResourceType>, SyncError>,
    ) -> Result<(Discovery, Vec<ResourceType>), SyncError> {
        observer(Progress::Discovering);
        let discovery = source.discover().await?;
        let found = discovery.types.len();
        observer(Progress::Found(found));
        let chosen = choose(&discovery)?;
        observer(Progress::Filtered { kept: chosen.len(), removed: found - chosen.len() });
        discovery.warnings.iter().for_each(|w| observer(Progress::Warning(w.0.clone())));
        if chosen.is_empty() {
            return Err(SyncError::NoTypes { found });
        }
        Ok((discovery, chosen))
    }

    /// A plan that knows what the collection holds of the cluster; `visit` hears the key and the id of each document.
    pub(crate) async fn known(
        &self,
        collection: Collection,
        mut visit: impl FnMut(ObjectKey, &str) + Send,
    ) -> Result<SyncPlan, SyncError> {
        let mut plan = SyncPlan::default();
        let Some(store) = self.store else { return Ok(plan) };
        checks::everything_now(store)
            .await?
            .scan(collection, self.options.cluster, &mut |s| {
                let origin = self.origin(s.source);
                plan.know(Known { key: s.key, hash: s.hash, type_name: s.type_name, namespace: s.namespace, origin });
                visit(s.key, s.id);
            })
            .await?;
        Ok(plan)
    }

    /// Who wrote a document, by the number of its source.
    pub(crate) fn origin(&self, number: i64) -> Origin {
        checks::origin(&self.sources, number, &self.identity, self.options.replace_source)
    }

    pub(crate) fn identity(&self) -> &SourceIdentity {
        &self.identity
    }

    /// How the source is read.
    pub(crate) fn reading(&self) -> &Reading {
        &self.options.reading
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Where the run writes; `None` in a dry run.
    pub(crate) fn writing(&self) -> Option<&'a dyn Store> {
        self.store.filter(|_| !self.options.dry_run)
    }

    /// Notes source and run in the store, and gives the number of the source that writes; 0 in a dry run.
    pub(crate) async fn note(&mut self) -> Result<i64, SyncError> {
        let Some(store) = self.writing() else { return Ok(0) };
        let RunOptions { kind, cluster, replace_source, .. } = self.options;
        let source = store.remember_source(cluster, &self.identity, replace_source).await?;
        // What somebody named keeps its name.
        if self.sources.iter().all(|known| known.number != source || known.name.is_empty()) {
            let called = self.identity.called(&self.options.reading.context);
            // Who gave the cluster a name of its own calls it that.
            let is_its_own = cluster.is_empty() || *cluster == cluster_name(&called);
            if is_its_own && !called.is_empty() && called != cluster {
                store.name_source(source, &called).await?;
            }
        }
        self.record = Some(Record::begin(store, kind, cluster).await?);
        self.number = source;
        Ok(source)
    }

    /// Notes what the run came to.
    pub(crate) async fn finish(self, mut summary: Summary) -> Result<Outcome, SyncError> {
        summary.seconds.total = self.began.elapsed().as_secs_f64();
        if let Some(record) = self.record {
            if let Some(collection) = filled(self.options.kind).filter(|_| !summary.is_partial()) {
                let readings = Readings::default().and(collection, &self.options.reading);
                record.store.remember_readings(self.number, &readings).await?;
            }
            record.finish(serde_json::to_value(&summary).unwrap_or_default()).await?;
        }
        Ok(Outcome { summary })
    }
}

/// The collection that a run over a source fills.
fn filled(kind: RunKind) -> Option<Collection> {
    match kind {
        RunKind::Instances => Some(Collection::Instances),
        RunKind::Capabilities => Some(Collection::Capabilities),
        RunKind::Watch | RunKind::Import | RunKind::Other => None,
    }
}

/// The patterns of a filter, as they are written.
pub(crate) fn patterns(of: &[TypePattern]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

/// A run as the store remembers it: noted before it writes, so that one that was killed shows.
pub(crate) struct Record<'a> {
    store: &'a dyn Store,
    run: RunRecord,
    number: i64,
}

impl<'a> Record<'a> {
    pub(crate) async fn begin(store: &'a dyn Store, kind: RunKind, cluster: &str) -> Result<Self, StoreError> {
        let run = RunRecord {
            command: kind,
            cluster: cluster.to_owned(),
            started: Timestamp::now().to_string(),
            finished: String::new(),
            summary: serde_json::Value::Null,
        };
        let number = store.begin_run(&run).await?;
        Ok(Self { store, run, number })
    }

    pub(crate) async fn finish(self, summary: serde_json::Value) -> Result<(), StoreError> {
        let finished = RunRecord { finished: Timestamp::now().to_string(), summary, ..self.run };
        self.store.finish_run(self.number, &finished).await
    }
}
