//! A live sync that runs beside a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clusterlore_cluster::{LiveOptions, LiveSource, RetryPolicy, WatchBounds};
use clusterlore_core::{Collection, ObjectKey};
use clusterlore_models::Embedder;
use clusterlore_pipeline::{Inference, InstanceSync, LiveState, LiveSync, Options, Pace, Status, SyncError};
use clusterlore_store::{Sqlite, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Counting;

/// Long enough for a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits that fit a test.
pub fn pace() -> Pace {
    Pace {
        watch: WatchBounds { timeout: Duration::from_secs(20), idle: Duration::from_secs(10) },
        poll: Duration::from_millis(200),
        discover: Duration::from_secs(600),
        signs: [50, 200, 1_000, 3_000].map(Duration::from_millis).into(),
        pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(500),
        batch_wait: Duration::from_millis(20),
        note: Duration::from_millis(200),
        ..Pace::default()
    }
}

pub async fn connect(kubeconfig: &Path) -> Arc<LiveSource> {
    let retry = RetryPolicy { base: Duration::from_millis(5), ..RetryPolicy::default() };
    let options = LiveOptions {
        kubeconfig: Some(kubeconfig.to_owned()),
        request_timeout: Duration::from_secs(5),
        retry,
        ..LiveOptions::default()
    };
    Arc::new(LiveSource::connect(options).await.unwrap())
}

pub struct Following {
    pub store: Sqlite,
    pub embedder: Arc<Counting>,
    pub status: Arc<Status>,
    pub options: Options,
    lines: Arc<Mutex<Vec<String>>>,
    kubeconfig: PathBuf,
    folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<Result<(), SyncError>>>,
}

impl Following {
    pub async fn start(kubeconfig: &Path) -> Self {
        Self::start_with(kubeconfig, pace(), Options::default()).await
    }

    /// Starts, and waits until the first sync has ended and every type is followed.
    pub async fn start_with(kubeconfig: &Path, pace: Pace, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
        let mut following = Self {
            store,
            embedder: Arc::default(),
            status: Arc::default(),
            options,
            lines: Arc::default(),
            kubeconfig: kubeconfig.to_owned(),
            folder,
            stop: None,
            running: None,
        };
        following.resume(pace).await;
        following
    }

    /// Starts again what was stopped.
    pub async fn resume(&mut self, pace: Pace) {
        self.status = Arc::default();
        let sync = LiveSync {
            source: connect(&self.kubeconfig).await,
            store: Arc::new(self.store.clone()),
            embedder: Arc::clone(&self.embedder) as Arc<dyn Embedder>,
            options: self.options.clone(),
            inference: Some(Inference::builtin()),
            pace,
            status: Arc::clone(&self.status),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let lines = Arc::clone(&self.lines);
        self.stop = Some(stop);
        self.running = Some(tokio::spawn(async move {
            let observer =
                move |progress: clusterlore_pipeline::Progress| lines.lock().unwrap().push(progress.to_string());
            let stop = async { drop(stopped.await) };
            sync.run(&observer, stop).await
        }));
        let followed = |state: &LiveState| state.ready && state.fresh(jiff::Timestamp::now()).is_some();
        self.until("the types are followed", followed).await;
    }

    /// Stops it; what was queued is written then.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        tokio::time::timeout(PATIENCE, self.running.take().unwrap()).await.expect("it ends").unwrap().unwrap();
    }

    /// Ends it as a crash does: nothing more is written.
    pub async fn kill(&mut self) {
        let running = self.running.take().unwrap();
        running.abort();
        let _ = running.await;
        self.stop = None;
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub async fn until(&mut self, what: &str, holds: impl Fn(&LiveState) -> bool) {
        let began = Instant::now();
        while !holds(&self.status.state()) {
            if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
                panic!("it ended: {:?}", self.running.take().unwrap().await);
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {:#?} {:#?}", self.status.state(), self.lines());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Everything that the index holds: id and hash by collection and key.
    pub async fn index(&self) -> BTreeMap<(&'static str, ObjectKey), (String, [u8; 16])> {
        everything(&self.store).await
    }

    pub async fn holds(&self, id: &str) -> bool {
        self.index().await.values().any(|(known, _)| known == id)
    }

    /// What a sync into an empty index gives now.
    pub async fn fresh(&self) -> BTreeMap<(&'static str, ObjectKey), (String, [u8; 16])> {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("fresh.db")).unwrap();
        let source = connect(&self.kubeconfig).await;
        let embedder: Arc<dyn Embedder> = Arc::new(Counting::default());
        let capabilities = clusterlore_pipeline::CapabilitySync {
            source: Arc::clone(&source) as _,
            store: Some(Arc::new(store.clone())),
            embedder: Arc::clone(&embedder),
            inference: Inference::builtin(),
            options: clusterlore_pipeline::CapabilityOptions {
                filter: self.options.filter.clone(),
                ..Default::default()
            },
        };
        capabilities.run(&|_| ()).await.unwrap();
        let options = self.options.clone();
        let sync = InstanceSync { source, store: Some(Arc::new(store.clone())), embedder, options };
        sync.run(&|_| ()).await.unwrap();
        everything(&store).await
    }

    /// The index becomes what a fresh sync gives, exactly.
    pub async fn equals_a_fresh_sync(&self) {
        let began = Instant::now();
        loop {
            let (index, fresh) = (self.index().await, self.fresh().await);
            if index == fresh {
                return;
            }
            if began.elapsed() > PATIENCE {
                let more: Vec<_> =
                    index.iter().filter(|(key, is)| fresh.get(key) != Some(is)).map(|(_, is)| is).collect();
                let less: Vec<_> =
                    fresh.iter().filter(|(key, is)| index.get(key) != Some(is)).map(|(_, is)| is).collect();
                panic!(
                    "only in the index: {more:?}; only in a fresh sync: {less:?}; {:#?} {:#?}",
                    self.status.state(),
                    self.lines()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

pub async fn everything(store: &Sqlite) -> BTreeMap<(&'static str, ObjectKey), (String, [u8; 16])> {
    let mut all = BTreeMap::new();
    for collection in Collection::ALL {
        let mut visit = |s: clusterlore_store::Scanned<'_>| {
            all.insert((collection.name(), s.key), (s.id.to_owned(), s.hash.to_bytes()));
        };
        store.view_all("a test").await.unwrap().scan(collection, "", &mut visit).await.unwrap();
    }
    all
}
