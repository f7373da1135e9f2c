//! Clusters that are followed: one live sync each, beside each other, each failing alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clusterlore_cluster::ClusterError;
use clusterlore_core::{AnnotationChoice, cluster_name};
use clusterlore_models::Embedder;
use clusterlore_pipeline::{Inference, LiveState, LiveSync, Options, Pace, Status, SyncError, Watched};
use clusterlore_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::WatchFlags;
use crate::build;
use crate::narrow::{self, Given, Settled};
use crate::print::live::Watching;
use crate::settings::{Settings, WrongSetting, wrong};

/// Before a cluster that failed is tried again: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// Whether it comes back however often it is tried.
fn is_lasting(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<WrongSetting>()
            || cause.downcast_ref::<ClusterError>().is_some_and(ClusterError::is_lasting)
            || cause.downcast_ref::<SyncError>().is_some_and(SyncError::is_lasting)
    })
}

/// One cluster that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
    /// `None`: the one in use.
    kubeconfig: Option<PathBuf>,
    /// `None`: the one in use.
    context: Option<String>,
    /// What it was called by a flag, its context or its file; `None`: nothing.
    name: Option<String>,
    by_flag: bool,
    /// Under which name it is kept (`None`: without one), once that is known.
    stored: Option<Option<String>>,
}

impl Followed {
    /// Settings that choose it.
    fn settings(&self, of_all: &Settings) -> Settings {
        let mut settings = of_all.clone();
        if let Some(file) = &self.kubeconfig {
            settings = settings.with("kubeconfig", file.display().to_string());
        }
        if let Some(context) = &self.context {
            settings = settings.with("context", context.clone());
        }
        settings
    }

    /// Under which name it goes on.
    async fn settled(&self, settings: &Settings, store: &dyn Store) -> anyhow::Result<Settled> {
        let given = match &self.name {
            Some(name) if self.by_flag => Given::Flag(name),
            Some(name) => Given::Source(name),
            None => Given::None,
        };
        narrow::settled(settings, store, given).await
    }

    /// Settles its name for as long as the process runs, and gives it: rights and posts go by it.
    pub(crate) async fn settle(
        &mut self,
        settings: &Settings,
        store: &dyn Store,
        lines: &Watching,
    ) -> anyhow::Result<String> {
        let Settled { name, line, .. } = self.settled(&self.settings(settings), store).await?;
        line.into_iter().for_each(|line| lines.tell(self.name.as_deref(), &line));
        self.stored = Some(name.clone());
        Ok(name.unwrap_or_default())
    }
}

/// What all clusters share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) inference: Inference,
    pub(crate) lines: Arc<Watching>,
    /// Told which clusters are watched.
    pub(crate) watched: Arc<Watched>,
    pub(crate) stopped: watch::Receiver<bool>,
}

/// What becomes of a cluster that cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It ends.
    Once,
    /// It is told and tried again, unless it would fail for ever.
    Again,
    /// The same, and as long as another process keeps its index this one waits.
    StandsBy,
}

/// Clusters at work.
pub(crate) struct Following {
    clusters: Vec<AtWork>,
    running: JoinSet<(Option<String>, anyhow::Result<()>)>,
}

/// A cluster at work.
struct AtWork {
    /// Empty: the unnamed one.
    name: String,
    status: Arc<Status>,
    /// Whether a try to follow it failed.
    failed: Arc<AtomicBool>,
}

impl AtWork {
    fn is_ready(&self) -> bool {
        self.status.state().ready
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Following {
    /// Starts to follow all of them.
    pub(crate) fn start(
        settings: &Settings,
        clusters: Vec<Followed>,
        flags: &WatchFlags,
        shared: &Shared,
        persistence: Persistence,
    ) -> anyhow::Result<Self> {
        let mut options = build::options(&flags.what, &flags.how, None);
        if persistence == Persistence::StandsBy {
            // Beside others that serve the same it stands by for as long as it takes.
            options.lock_timeout = Duration::MAX;
        }
        let annotations = build::annotations(settings, flags.annotations.as_ref())?;
        let (mut running, mut at_work) = (JoinSet::new(), Vec::new());
        for cluster in clusters {
            let (status, failed) = (Arc::<Status>::default(), Arc::<AtomicBool>::default());
            let name = cluster.name.clone();
            at_work.push(AtWork {
                name: name.clone().unwrap_or_default(),
                status: Arc::clone(&status),
                failed: Arc::clone(&failed),
            });
            let follower = Follower {
                settings: cluster.settings(settings),
                cluster,
                options: options.clone(),
                annotations: annotations.clone(),
                page_size: flags.how.page_size,
                shared: shared.clone(),
                persistence,
                status,
                failed,
            };
            running.spawn(async move { (name, follower.run().await) });
        }
        Ok(Self { clusters: at_work, running })
    }

    /// How many there are that have not ended.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    /// The next that ends, by its name, and how; `None`: all have.
    pub(crate) async fn ended(&mut self) -> Option<(Option<String>, anyhow::Result<()>)> {
        Some(self.running.join_next().await?.unwrap_or_else(|error| (None, Err(error.into()))))
    }

    /// Whether one of them could not be followed so far.
    pub(crate) fn fails(&self) -> bool {
        self.clusters.iter().any(|cluster| cluster.has_failed() && !cluster.is_ready())
    }

    /// Whether questions can be answered: the first sync of each cluster is in. One that cannot be synced keeps no other from being asked.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        let any = self.clusters.iter().any(AtWork::is_ready);
        let waits = |cluster: &&AtWork| !(cluster.is_ready() || any && cluster.has_failed());
        let waited_for: Vec<&str> = self.clusters.iter().filter(waits).map(|cluster| cluster.name.as_str()).collect();
        match waited_for[..] {
            [] => Ok(()),
            [""] => Err("the first sync is not in".to_owned()),
            ref some => Err(format!("the first sync is not in of {}", some.join(", "))),
        }
    }

    /// What is done of each now.
    pub(crate) fn states(&self) -> Vec<LiveState> {
        self.clusters.iter().map(|cluster| cluster.status.state()).collect()
    }
}

/// Follows one cluster.
struct Follower {
    /// Those that choose the cluster.
    settings: Settings,
    cluster: Followed,
    options: Options,
    annotations: AnnotationChoice,
    page_size: u32,
    shared: Shared,
    persistence: Persistence,
    status: Arc<Status>,
    failed: Arc<AtomicBool>,
}

impl Follower {
    /// Follows it until it is told to stop, or it would fail for ever.
    async fn run(mut self) -> anyhow::Result<()> {
        let mut pause = PAUSES.0;
        loop {
            let error = match self.once().await {
                Err(error) => error,
                done => return done,
            };
            self.failed.store(true, Ordering::Relaxed);
            if self.persistence == Persistence::Once || *self.shared.stopped.borrow() || is_lasting(&error) {
                return Err(error);
            }
            self.tell(&format!("{error:#}. It is tried again in {} s.", pause.as_secs()));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stopped() => return Ok(()),
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Follows it until it is told to stop, or fails.
    async fn once(&mut self) -> anyhow::Result<()> {
        let stopped = self.stopped();
        let connected = async {
            self.settle().await?;
            build::live(&self.settings, self.page_size, self.annotations.clone()).await
        };
        let source = tokio::select! {
            source = connected => source?,
            () = stopped => return Ok(()),
        };
        let Shared { store, embedder, inference, .. } = self.shared.clone();
        let options = self.options.clone();
        let pace = Pace { at_once: options.concurrency, ..Pace::default() };
        let (source, status) = (Arc::new(source), Arc::clone(&self.status));
        let sync = LiveSync { source, store, embedder, options, inference: Some(inference), pace, status };
        let hear = |progress| self.shared.lines.hear(self.cluster.name.as_deref(), &progress);
        Ok(sync.run(&hear, self.stopped()).await?)
    }

    /// Makes sure under which name it is kept, as long as that is not certain.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let (name, shown) = match &self.cluster.stored {
            Some(name) => (name.clone(), name.clone().unwrap_or_default()),
            None => {
                let Settled { name, certain, shown, line } =
                    self.cluster.settled(&self.settings, &*self.shared.store).await?;
                if certain {
                    line.into_iter().for_each(|line| self.tell(&line));
                    self.cluster.stored = Some(name.clone());
                }
                (name, shown)
            }
        };
        let [before, now] = [&self.options.cluster, &name].map(|name| name.clone().unwrap_or_default());
        if before != now {
            self.shared.watched.leave(&before, &self.status);
        }
        if !self.shared.watched.enter(&now, &self.status) {
            return Err(wrong(format!(
                "the cluster is in the index already, as \"{shown}\", and is watched as that; expected each cluster once"
            )));
        }
        self.options.cluster = name;
        Ok(())
    }

    fn tell(&self, line: &str) {
        self.shared.lines.tell(self.cluster.name.as_deref(), line);
    }

    /// Ends when it is to stop.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut all = self.shared.stopped.clone();
        async move { drop(all.wait_for(|stopped| *stopped).await) }
    }
}

/// The clusters of these contexts, or of the files of a folder of kubeconfigs. One context alone has the name that it was given, or none;
/// several clusters have those of their contexts or files.
pub(crate) fn clusters(settings: &Settings, contexts: &[String], name: Option<&str>) -> anyhow::Result<Vec<Followed>> {
    let contexts: Vec<&String> = contexts.iter().filter(|context| !context.is_empty()).collect();
    let all: Vec<Followed> = match (folder(settings), &contexts[..]) {
        (Some(folder), []) => kubeconfigs(folder)?,
        (Some(_), _) => {
            return Err(wrong(
                "--context is for a file; of a folder of kubeconfigs each file's own is in use".to_owned(),
            ));
        }
        (None, [] | [_]) => {
            let context = contexts.first().map(|context| (*context).clone());
            let name = name.map(str::to_owned);
            return Ok(vec![Followed { kubeconfig: None, context, by_flag: name.is_some(), name, stored: None }]);
        }
        (None, _) => {
            let of = |context: &&String| Followed {
                kubeconfig: None,
                context: Some((*context).clone()),
                name: Some(cluster_name(context)),
                by_flag: false,
                stored: None,
            };
            contexts.iter().map(of).collect()
        }
    };
    if name.is_some() {
        return Err(wrong(
            "--cluster-name names one cluster; of several each has the name of its context or file".to_owned(),
        ));
    }
    let mut names = BTreeSet::new();
    match all.iter().filter_map(|cluster| cluster.name.as_ref()).find(|name| !names.insert(*name)) {
        Some(twice) => Err(wrong(format!("two clusters would have the name {twice}; expected different names"))),
        None => Ok(all),
    }
}

/// Whether clusters are told by a folder of kubeconfigs.
pub(crate) fn is_folder(settings: &Settings) -> bool {
    folder(settings).is_some()
}

fn folder(settings: &Settings) -> Option<&Path> {
    settings.text("kubeconfig").map(Path::new).filter(|path| path.is_dir())
}

/// The files of a folder, each the kubeconfig of a cluster of that name. What begins with a dot is none: in a mounted Secret these are
/// the folders behind its links.
fn kubeconfigs(folder: &Path) -> anyhow::Result<Vec<Followed>> {
    let entries = folder.read_dir().with_context(|| format!("--kubeconfig {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let hidden = |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    files.retain(|path| path.is_file() && !hidden(path));
    files.sort();
    if files.is_empty() {
        return Err(wrong(format!("--kubeconfig {} holds no file; expected kubeconfigs", folder.display())));
    }
    let of = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Followed {
            name: Some(cluster_name(&name)),
            kubeconfig: Some(path),
            context: None,
            by_flag: false,
            stored: None,
        }
    };
    Ok(files.into_iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_clusters_have_the_names_of_their_contexts() {
        let of = |contexts: &[&str], name| {
            let contexts: Vec<String> = contexts.iter().map(|context| (*context).to_owned()).collect();
            clusters(&Settings::default(), &contexts, name).map(|clusters| {
                clusters.into_iter().map(|c| [c.context, c.name].map(Option::unwrap_or_default)).collect::<Vec<_>>()
            })
        };
        let pair = |context: &str, name: &str| [context.to_owned(), name.to_owned()];
        assert_eq!(of(&[], None).unwrap(), [pair("", "")]);
        assert_eq!(of(&["east"], None).unwrap(), [pair("east", "")]);
        assert_eq!(of(&["east"], Some("e")).unwrap(), [pair("east", "e")]);
        let arn = "arn:aws:eks:eu-1:12:cluster/shop";
        let named = [pair("east", "east"), pair(arn, "arn-aws-eks-eu-1-12-cluster-shop")];
        assert_eq!(of(&["east", "", arn], None).unwrap(), named);
        for (contexts, name) in [(&["east", "west"], Some("e")), (&["east", "east"], None), (&["a:b", "a/b"], None)] {
            assert!(of(contexts, name).is_err(), "{contexts:?}");
        }
    }

    #[test]
    fn each_file_of_a_folder_is_a_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::default().with("kubeconfig", folder.path().display().to_string());
        let of = |contexts: &[String], name| {
            let clusters = clusters(&settings, contexts, name).map_err(|error| format!("{error:#}"));
            clusters.map(|all| all.into_iter().map(|c| c.name.unwrap_or_default()).collect::<Vec<_>>())
        };
        assert!(of(&[], None).unwrap_err().contains("holds no file"));
        for file in ["west.yaml", "east", "..2026"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("old")).unwrap();
        assert_eq!(of(&[], None).unwrap(), ["east", "west"]);
        assert!(of(&["east".to_owned()], None).unwrap_err().contains("--context is for a file"));
        assert!(of(&[], Some("e")).unwrap_err().contains("--cluster-name"));
        std::fs::write(folder.path().join("east.yaml"), "").unwrap();
        assert!(of(&[], None).unwrap_err().contains("the name east"));
    }
}
