//! Clusters that are followed: one live sync each, beside each other, each failing alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clusterlore_models::Embedder;
use clusterlore_pipeline::{Inference, LiveState, LiveSync, Options, Pace, Status};
use clusterlore_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::{WatchFlags, cluster_name};
use crate::build;
use crate::print::live::Watching;
use crate::settings::{Settings, wrong};

/// Before a cluster that failed is tried again: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// One cluster that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
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

/// Clusters at work.
pub(crate) struct Following {
    /// What is done of each, by its name (empty: the unnamed one).
    pub(crate) statuses: Vec<(String, Arc<Status>)>,
    running: JoinSet<(Option<String>, anyhow::Result<()>)>,
}

impl Following {
    /// Starts to follow all of them. With `again` one that fails is told and tried again, else it ends.
    pub(crate) fn start(
        settings: &Settings,
        clusters: Vec<Followed>,
        flags: &WatchFlags,
        shared: &Shared,
        again: bool,
    ) -> anyhow::Result<Self> {
        let (mut running, mut statuses) = (JoinSet::new(), Vec::new());
        for Followed { context, name } in clusters {
            let settings = context.map_or_else(|| settings.clone(), |context| settings.in_context(&context));
            let status = Arc::<Status>::default();
            statuses.push((name.clone().unwrap_or_default(), Arc::clone(&status)));
            let mut options = build::options(&flags.what, &flags.how, name.clone());
            if again {
                // Beside others that serve the same it stands by for as long as it takes.
                options.lock_timeout = Duration::MAX;
            }
            let annotations = build::annotations(&settings, flags.annotations.as_ref())?;
            let (page_size, shared) = (flags.how.page_size, shared.clone());
            running.spawn(async move {
                let once = async || {
                    let source = build::live(&settings, page_size, annotations.clone()).await?;
                    follow(source.into(), options.clone(), shared.clone(), Arc::clone(&status)).await
                };
                let (mut pause, mut stopped) = (PAUSES.0, shared.stopped.clone());
                loop {
                    match once().await {
                        Err(error) if again && !*stopped.borrow() => {
                            let told = format!("{error:#}. It is tried again in {} s.", pause.as_secs());
                            shared.lines.tell(name.as_deref(), &told);
                            tokio::select! {
                                () = tokio::time::sleep(pause) => {}
                                _ = stopped.wait_for(|stopped| *stopped) => return (name, Ok(())),
                            }
                            pause = (pause * 2).min(PAUSES.1);
                        }
                        ended => return (name, ended),
                    }
                }
            });
        }
        Ok(Self { statuses, running })
    }

    /// How many there are that have not ended.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    /// The next that ends, by its name, and how; `None`: all have.
    pub(crate) async fn ended(&mut self) -> Option<(Option<String>, anyhow::Result<()>)> {
        Some(self.running.join_next().await?.unwrap_or_else(|error| (None, Err(error.into()))))
    }

    /// What is done of each now.
    pub(crate) fn states(&self) -> Vec<LiveState> {
        self.statuses.iter().map(|(_, status)| status.state()).collect()
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

/// The clusters of these contexts. One alone has the name that it was given, or none; several have those of their contexts.
pub(crate) fn clusters(contexts: &[String], name: Option<&str>) -> anyhow::Result<Vec<Followed>> {
    let contexts: Vec<&String> = contexts.iter().filter(|context| !context.is_empty()).collect();
    if let [] | [_] = contexts[..] {
        let context = contexts.first().map(|context| (*context).clone());
        return Ok(vec![Followed { context, name: name.map(str::to_owned) }]);
    }
    if name.is_some() {
        return Err(wrong("--cluster-name names one cluster; of several each has the name of its context".to_owned()));
    }
    let mut names = BTreeSet::new();
    contexts
        .into_iter()
        .map(|context| {
            let name = named(context);
            if !names.insert(name.clone()) {
                return Err(wrong(format!(
                    "--context {context} gives a second cluster the name {name}; expected contexts of different names"
                )));
            }
            Ok(Followed { context: Some(context.clone()), name: Some(name) })
        })
        .collect()
}

/// The name of a context as that of a cluster, which may hold less.
fn named(context: &str) -> String {
    match cluster_name(context) {
        Ok(name) => name,
        Err(_) => context.replace(|c: char| cluster_name(&c.to_string()).is_err(), "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_clusters_have_the_names_of_their_contexts() {
        let of = |contexts: &[&str], name| {
            let contexts: Vec<String> = contexts.iter().map(|context| (*context).to_owned()).collect();
            clusters(&contexts, name).map(|clusters| {
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
}
