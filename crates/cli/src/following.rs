//! Clusters that are followed: one live sync each, beside each other, each failing alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clusterlore_cluster::ClusterError;
use clusterlore_core::{AnnotationChoice, cluster_name};
use clusterlore_models::Embedder;
use clusterlore_pipeline::{Inference, LiveState, LiveSync, Options, Pace, Status, SyncError, Turn, Watched};
use clusterlore_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::WatchFlags;
use crate::build;
use crate::folder::{Change, Folder};
use crate::narrow::{self, Given, Settled};
use crate::print::live::Watching;
use crate::settings::{Settings, WrongSetting, wrong};

/// Before a cluster that failed is tried again: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// Between two looks at a folder of kubeconfigs.
const LOOK: Duration = Duration::from_secs(2);

/// Whether it comes back however often it is tried.
fn is_lasting(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<WrongSetting>()
            || cause.is::<Double>()
            || cause.downcast_ref::<ClusterError>().is_some_and(ClusterError::is_lasting)
            || cause.downcast_ref::<SyncError>().is_some_and(SyncError::is_lasting)
    })
}

/// One cluster that is followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// The cluster that a kubeconfig of a folder names.
    pub(crate) fn of_file(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self { name: Some(cluster_name(&name)), kubeconfig: Some(path), ..Self::default() }
    }

    /// Settings that choose it.
    pub(crate) fn settings(&self, of_all: &Settings) -> Settings {
        let mut settings = of_all.clone();
        if let Some(file) = &self.kubeconfig {
            settings = settings.with("kubeconfig", file.display().to_string());
        }
        if let Some(context) = &self.context {
            settings = settings.with("context", context.clone());
        }
        settings
    }

    /// Whether a context, a file or a flag calls it so.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
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

/// Another one that is watched is the same cluster.
#[derive(Debug)]
struct Double {
    shown: String,
}

impl std::error::Error for Double {}

impl std::fmt::Display for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shown } = self;
        write!(
            f,
            "the cluster is in the index already, as \"{shown}\", and is watched as that; expected each cluster once"
        )
    }
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
    settings: Settings,
    options: Options,
    annotations: AnnotationChoice,
    page_size: u32,
    shared: Shared,
    persistence: Persistence,
    clusters: Vec<AtWork>,
    /// By the number of the cluster among `clusters`.
    running: JoinSet<(usize, anyhow::Result<()>)>,
    folder: Option<Looked>,
}

/// A folder of kubeconfigs that is looked at.
struct Looked {
    folder: Folder,
    at: Instant,
    /// Files whose names are those of other clusters that are followed.
    refused: BTreeSet<PathBuf>,
    /// Why it cannot be read now.
    trouble: Option<String>,
}

/// What is done about a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It is followed, or that is tried. Its end leads to `Ended` or `Failed`, a changed kubeconfig to `Renewing`, one that is gone to
    /// `Leaving`.
    Following,
    /// Its end is awaited, to begin anew with the kubeconfig that changed, which leads to `Following`.
    Renewing,
    /// Its end is awaited, which leads to `Gone`. A kubeconfig of its name leads to `Renewing`.
    Leaving,
    /// Its kubeconfig is gone. One of its name leads to `Following`.
    Gone,
    /// It was told to stop.
    Ended,
    /// It would fail for ever. A kubeconfig that changed leads to `Following`.
    Failed,
}

/// A cluster at work.
struct AtWork {
    cluster: Followed,
    /// Empty: the unnamed one.
    name: String,
    doing: Doing,
    status: Arc<Status>,
    /// Whether a try to follow it failed.
    failed: Arc<AtomicBool>,
    /// Whether it failed because another one is the same cluster.
    is_double: bool,
    stop: watch::Sender<bool>,
}

impl AtWork {
    fn is_ready(&self) -> bool {
        self.status.state().ready
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn is_gone(&self) -> bool {
        matches!(self.doing, Doing::Leaving | Doing::Gone)
    }
}

impl Following {
    /// Starts to follow all of them, and those of the folder that they are of, if it is one.
    pub(crate) fn start(
        settings: &Settings,
        clusters: Clusters,
        flags: &WatchFlags,
        shared: &Shared,
        persistence: Persistence,
    ) -> anyhow::Result<Self> {
        let mut options = build::options(&flags.what, &flags.how, None);
        if persistence == Persistence::StandsBy {
            // Beside others that serve the same it stands by for as long as it takes.
            options.lock_timeout = Duration::MAX;
        }
        let looked = |folder| Looked { folder, at: Instant::now(), refused: BTreeSet::new(), trouble: None };
        let mut following = Self {
            settings: settings.clone(),
            options,
            annotations: build::annotations(settings, flags.annotations.as_ref())?,
            page_size: flags.how.page_size,
            shared: shared.clone(),
            persistence,
            clusters: Vec::new(),
            running: JoinSet::new(),
            folder: clusters.folder.map(looked),
        };
        clusters.all.into_iter().for_each(|cluster| following.add(cluster));
        Ok(following)
    }

    fn add(&mut self, cluster: Followed) {
        self.clusters.push(AtWork {
            name: cluster.name.clone().unwrap_or_default(),
            cluster,
            doing: Doing::Ended,
            status: Arc::default(),
            failed: Arc::default(),
            is_double: false,
            stop: watch::Sender::default(),
        });
        self.begin(self.clusters.len() - 1);
    }

    /// Starts to follow a cluster that is not at work.
    fn begin(&mut self, number: usize) {
        let Some(at_work) = self.clusters.get_mut(number) else { return };
        let (stop, stopped) = watch::channel(false);
        at_work.doing = Doing::Following;
        at_work.stop = stop;
        at_work.failed.store(false, Ordering::Relaxed);
        let follower = Follower {
            settings: at_work.cluster.settings(&self.settings),
            cluster: at_work.cluster.clone(),
            options: self.options.clone(),
            annotations: self.annotations.clone(),
            page_size: self.page_size,
            shared: self.shared.clone(),
            stopped,
            persistence: self.persistence,
            status: Arc::clone(&at_work.status),
            failed: Arc::clone(&at_work.failed),
        };
        self.running.spawn(async move { (number, follower.run().await) });
    }

    /// Whether there is one cluster only, and will be no other.
    pub(crate) fn is_of_one(&self) -> bool {
        self.folder.is_none() && self.clusters.len() == 1
    }

    /// The next that ends of itself, by its name, and how; `None`: all have. While a folder is looked at another may come.
    pub(crate) async fn ended(&mut self) -> Option<(String, anyhow::Result<()>)> {
        loop {
            let Some(ended) = self.running.join_next().await else {
                return match self.folder.is_some() && !self.is_stopped() {
                    true => std::future::pending().await,
                    false => None,
                };
            };
            let (number, ended) = match ended {
                Ok(ended) => ended,
                Err(error) => return Some((String::new(), Err(error.into()))),
            };
            let is_stopped = self.is_stopped();
            let at_work = self.clusters.get_mut(number)?;
            match at_work.doing {
                Doing::Renewing if !is_stopped => self.begin(number),
                Doing::Leaving => {
                    at_work.doing = Doing::Gone;
                    at_work.status.takes(Turn::Gone);
                    // Another file may name the same cluster.
                    let doubles = |(number, at): (usize, &AtWork)| {
                        (at.is_double && at.doing == Doing::Failed && !is_stopped).then_some(number)
                    };
                    let doubles: Vec<usize> = self.clusters.iter().enumerate().filter_map(doubles).collect();
                    doubles.into_iter().for_each(|number| self.begin(number));
                }
                _ => {
                    at_work.is_double = ended
                        .as_ref()
                        .is_err_and(|error| error.is::<Double>() || narrow::under_another_name(error).is_some());
                    at_work.doing = if ended.is_err() { Doing::Failed } else { Doing::Ended };
                    return Some((at_work.name.clone(), ended));
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        *self.shared.stopped.borrow()
    }

    /// Looks at the folder of kubeconfigs, where it is time to.
    pub(crate) async fn look(&mut self) {
        let is_stopped = self.is_stopped();
        let Some(mut looked) = self.folder.take_if(|looked| !is_stopped && looked.at.elapsed() >= LOOK) else { return };
        // Its disk may be slow, or far away.
        let (looked, changes) = tokio::task::spawn_blocking(move || {
            let changes = looked.folder.look();
            looked.at = Instant::now();
            (looked, changes)
        })
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let looked = self.folder.insert(looked);
        match changes {
            Ok(changes) => {
                looked.trouble = None;
                changes.into_iter().for_each(|change| self.hear(change));
            }
            Err(error) => {
                let trouble = format!(
                    "The folder {} cannot be read, and is looked at again; what is followed stays: {error}",
                    looked.folder.path().display()
                );
                if looked.trouble.as_ref() != Some(&trouble) {
                    self.shared.lines.tell(None, &trouble);
                    looked.trouble = Some(trouble);
                }
            }
        }
    }

    /// A kubeconfig of the folder came, changed or went.
    fn hear(&mut self, change: Change) {
        let of_file = |file: &Path| self.clusters.iter().position(|at| at.cluster.kubeconfig.as_deref() == Some(file));
        match change {
            Change::Gone(file) => {
                let number = of_file(&file);
                if let Some(looked) = &mut self.folder {
                    looked.refused.remove(&file);
                    // What had the name of this one may have it now.
                    std::mem::take(&mut looked.refused).iter().for_each(|file| looked.folder.forget(file));
                }
                let Some(at_work) = number.and_then(|number| self.clusters.get_mut(number)) else { return };
                let told =
                    format!("{} is gone: the cluster is followed no more, and its documents stay.", file.display());
                self.shared.lines.tell(Some(&at_work.name), &told);
                match at_work.doing {
                    Doing::Following | Doing::Renewing => at_work.doing = Doing::Leaving,
                    _ => {
                        at_work.doing = Doing::Gone;
                        at_work.status.takes(Turn::Gone);
                    }
                }
                at_work.stop.send_replace(true);
            }
            Change::There(file) => {
                let cluster = Followed::of_file(file.clone());
                let number =
                    of_file(&file).or_else(|| self.clusters.iter().position(|at| at.cluster.name == cluster.name));
                let Some(number) = number else {
                    self.shared
                        .lines
                        .tell(cluster.name.as_deref(), &format!("{} is new, and followed.", file.display()));
                    return self.add(cluster);
                };
                let Some(at_work) = self.clusters.get_mut(number) else { return };
                let is_other = at_work.cluster.kubeconfig.as_ref() != Some(&file);
                if is_other && !at_work.is_gone() {
                    let told = format!(
                        "{} is not followed: another file has the name {}; expected different names",
                        file.display(),
                        at_work.name
                    );
                    self.shared.lines.tell(None, &told);
                    self.folder.iter_mut().for_each(|looked| looked.refused.extend([file.clone()]));
                    return;
                }
                let told = format!("{} changed, and is read again.", file.display());
                self.shared.lines.tell(Some(&at_work.name), &told);
                at_work.cluster = cluster;
                at_work.stop.send_replace(true);
                match at_work.doing {
                    Doing::Following | Doing::Renewing | Doing::Leaving => at_work.doing = Doing::Renewing,
                    Doing::Gone | Doing::Ended | Doing::Failed => self.begin(number),
                }
            }
        }
    }

    /// Whether one of them is not followed, though it should be.
    pub(crate) fn fails(&self) -> bool {
        let fails = |at: &&AtWork| at.has_failed() && (at.doing == Doing::Failed || !at.is_ready());
        self.clusters.iter().filter(|at| !at.is_gone()).find(fails).is_some()
    }

    /// Whether each of them would fail for ever.
    pub(crate) fn has_none(&self) -> bool {
        self.clusters.iter().all(|at| at.doing == Doing::Failed)
    }

    /// Whether questions can be answered: the first sync of each cluster is in. One that cannot be synced keeps no other from being asked.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        let any = self.clusters.iter().any(AtWork::is_ready);
        let waits = |at: &&AtWork| !(at.is_ready() || any && (at.has_failed() || at.is_gone()));
        let name = |at: &AtWork| match at.is_gone() {
            true => format!("{} (its kubeconfig is gone)", at.name),
            false => at.name.clone(),
        };
        let waited_for: Vec<String> = self.clusters.iter().filter(waits).map(name).collect();
        match &waited_for[..] {
            [] => Ok(()),
            [name] if name.is_empty() => Err("the first sync is not in".to_owned()),
            some => Err(format!("the first sync is not in of {}", some.join(", "))),
        }
    }

    /// What is done of each now, unless its kubeconfig is gone.
    pub(crate) fn states(&self) -> Vec<LiveState> {
        self.clusters.iter().filter(|at| !at.is_gone()).map(|at| at.status.state()).collect()
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
    /// That this one is to stop.
    stopped: watch::Receiver<bool>,
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
            self.status.takes(Turn::Interrupted);
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
        if !self.shared.watched.enter(name.as_deref().unwrap_or_default(), &self.status) {
            return Err(Double { shown }.into());
        }
        self.options.cluster = name;
        Ok(())
    }

    fn tell(&self, line: &str) {
        self.shared.lines.tell(self.cluster.name.as_deref(), line);
    }

    /// Ends when it is to stop.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let (mut all, mut own) = (self.shared.stopped.clone(), self.stopped.clone());
        async move {
            tokio::select! {
                _ = all.wait_for(|stopped| *stopped) => {}
                _ = own.wait_for(|stopped| *stopped) => {}
            }
        }
    }
}

/// Clusters that are to be followed.
#[derive(Default)]
pub(crate) struct Clusters {
    pub(crate) all: Vec<Followed>,
    /// Where more may come from.
    folder: Option<Folder>,
}

impl Clusters {
    /// Whether lines have to say of which cluster they are.
    pub(crate) fn are_several(&self) -> bool {
        self.folder.is_some() || self.all.len() > 1
    }
}

/// The clusters of these contexts, or of the files of a folder of kubeconfigs. One context alone has the name that it was given, or none;
/// several clusters have those of their contexts or files.
pub(crate) fn clusters(settings: &Settings, contexts: &[String], name: Option<&str>) -> anyhow::Result<Clusters> {
    let contexts: Vec<&String> = contexts.iter().filter(|context| !context.is_empty()).collect();
    let all = match (folder(settings), &contexts[..]) {
        (Some(folder), []) => kubeconfigs(folder)?,
        (Some(_), _) => {
            return Err(wrong(
                "--context is for a file; of a folder of kubeconfigs each file's own is in use".to_owned(),
            ));
        }
        (None, [] | [_]) => {
            let context = contexts.first().map(|context| (*context).clone());
            let one =
                Followed { context, name: name.map(str::to_owned), by_flag: name.is_some(), ..Followed::default() };
            return Ok(Clusters { all: vec![one], folder: None });
        }
        (None, _) => {
            let of = |context: &&String| Followed {
                context: Some((*context).clone()),
                name: Some(cluster_name(context)),
                ..Followed::default()
            };
            Clusters { all: contexts.iter().map(of).collect(), folder: None }
        }
    };
    if name.is_some() {
        return Err(wrong(
            "--cluster-name names one cluster; of several each has the name of its context or file".to_owned(),
        ));
    }
    let mut names = BTreeSet::new();
    match all.all.iter().filter_map(|cluster| cluster.name.as_ref()).find(|name| !names.insert(*name)) {
        Some(twice) => Err(wrong(format!("two clusters would have the name {twice}; expected different names"))),
        None => Ok(all),
    }
}

/// Whether clusters are told by a folder of kubeconfigs.
pub(crate) fn is_folder(settings: &Settings) -> bool {
    folder(settings).is_some()
}

/// The folder of kubeconfigs that tells of clusters.
pub(crate) fn folder(settings: &Settings) -> Option<&Path> {
    settings.text("kubeconfig").map(Path::new).filter(|path| path.is_dir())
}

/// The files of a folder, each the kubeconfig of a cluster of that name.
fn kubeconfigs(path: &Path) -> anyhow::Result<Clusters> {
    let folder = Folder::open(path).with_context(|| format!("--kubeconfig {}", path.display()))?;
    let all: Vec<Followed> = folder.files().cloned().map(Followed::of_file).collect();
    if all.is_empty() {
        return Err(wrong(format!("--kubeconfig {} holds no file; expected kubeconfigs", path.display())));
    }
    Ok(Clusters { all, folder: Some(folder) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_clusters_have_the_names_of_their_contexts() {
        let of = |contexts: &[&str], name| {
            let contexts: Vec<String> = contexts.iter().map(|context| (*context).to_owned()).collect();
            clusters(&Settings::default(), &contexts, name).map(|clusters| {
                clusters.all.into_iter().map(|c| [c.context, c.name].map(Option::unwrap_or_default)).collect::<Vec<_>>()
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
            clusters.map(|all| all.all.into_iter().map(|c| c.name.unwrap_or_default()).collect::<Vec<_>>())
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
