//! Clusters that are followed: one live sync each, beside each other, each failing alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clusterlore_cluster::ClusterError;
use clusterlore_core::cluster_name;
use clusterlore_models::Embedder;
use clusterlore_pipeline::{Inference, LiveState, LiveSync, Options, Pace, Status, SyncError};
use clusterlore_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::WatchFlags;
use crate::print::live::Watching;
use crate::settings::{Settings, WrongSetting, wrong};
use crate::{build, narrow};

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
    /// `None` for the unnamed one.
    pub(crate) name: Option<String>,
}

/// What all clusters share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) inference: Inference,
    pub(crate) lines: Arc<Watching>,
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
        let (mut running, mut at_work) = (JoinSet::new(), Vec::new());
        for Followed { kubeconfig, context, name } in clusters {
            let mut settings = settings.clone();
            if let Some(file) = kubeconfig {
                settings = settings.with("kubeconfig", file.display().to_string());
            }
            if let Some(context) = context {
                settings = settings.with("context", context);
            }
            let (status, failed) = (Arc::<Status>::default(), Arc::<AtomicBool>::default());
            at_work.push(AtWork {
                name: name.clone().unwrap_or_default(),
                status: Arc::clone(&status),
                failed: Arc::clone(&failed),
            });
            let mut options = build::options(&flags.what, &flags.how, name.clone());
            if persistence == Persistence::StandsBy {
                // Beside others that serve the same it stands by for as long as it takes.
                options.lock_timeout = Duration::MAX;
            }
            let annotations = build::annotations(&settings, flags.annotations.as_ref())?;
            let (page_size, shared) = (flags.how.page_size, shared.clone());
            running.spawn(async move {
                let mut options = options;
                let once = async |options: Options| {
                    let source = build::live(&settings, page_size, annotations.clone()).await?;
                    follow(source.into(), options, shared.clone(), Arc::clone(&status)).await
                };
                let (mut pause, mut stopped) = (PAUSES.0, shared.stopped.clone());
                loop {
                    let mut ended = once(options.clone()).await;
                    // Who serves says by the stored name also who may see it and whose posts are taken.
                    let serves = persistence == Persistence::StandsBy;
                    let stored = ended.as_ref().err().filter(|_| !serves).and_then(narrow::stored_under);
                    if let Some(stored) = stored {
                        options.cluster = stored;
                        ended = once(options.clone()).await;
                    }
                    match ended {
                        Err(error) if persistence != Persistence::Once && !*stopped.borrow() && !is_lasting(&error) => {
                            failed.store(true, Ordering::Relaxed);
                            let told = format!("{error:#}. It is tried again in {} s.", pause.as_secs());
                            shared.lines.tell(name.as_deref(), &told);
                            tokio::select! {
                                () = tokio::time::sleep(pause) => {}
                                _ = stopped.wait_for(|stopped| *stopped) => return (name, Ok(())),
                            }
                            pause = (pause * 2).min(PAUSES.1);
                        }
                        ended => {
                            failed.store(ended.is_err(), Ordering::Relaxed);
                            return (name, ended);
                        }
                    }
                }
            });
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

    /// What is done of each, by its name (empty: the unnamed one).
    pub(crate) fn statuses(&self) -> Vec<(String, Arc<Status>)> {
        self.clusters.iter().map(|cluster| (cluster.name.clone(), Arc::clone(&cluster.status))).collect()
    }

    /// What is done of each now.
    pub(crate) fn states(&self) -> Vec<LiveState> {
        self.clusters.iter().map(|cluster| cluster.status.state()).collect()
    }
}

/// Follows one cluster until it is told to stop.
async fn follow(
    source: Arc<clusterlore_cluster::LiveSource>,
    options: Options,
    shared: Shared,
    status: Arc<Status>,
) -> anyhow::Result<()> {
    let Shared { store, embedder, inference, lines, mut stopped } = shared;
    let name = options.cluster.clone();
    let pace = Pace { at_once: options.concurrency, ..Pace::default() };
    let sync = LiveSync { source, store, embedder, options, inference: Some(inference), pace, status };
    let stop = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
    Ok(sync.run(&|progress| lines.hear(name.as_deref(), &progress), stop).await?)
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
            return Ok(vec![Followed { kubeconfig: None, context, name: name.map(str::to_owned) }]);
        }
        (None, _) => {
            let of = |context: &&String| Followed {
                kubeconfig: None,
                context: Some((*context).clone()),
                name: Some(cluster_name(context)),
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
        Followed { name: Some(cluster_name(&name)), kubeconfig: Some(path), context: None }
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
