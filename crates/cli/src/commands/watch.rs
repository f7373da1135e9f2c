//! `clusterlore watch`

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use clusterlore_cluster::ListScope;
use clusterlore_core::TypeFilter;
use clusterlore_models::Embedder;
use clusterlore_pipeline::{Inference, LiveState, LiveSync, Options, Pace, Status};
use clusterlore_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::{Watch, cluster_name};
use crate::done::Done;
use crate::print::{self, live::Watching};
use crate::settings::{Settings, wrong};
use crate::{build, stop};

/// Between two looks at how the clusters are.
const LOOK: Duration = Duration::from_secs(1);

/// One cluster that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Followed {
    /// `None`: the one in use.
    context: Option<String>,
    /// `None` for the unnamed one.
    name: Option<String>,
}

/// What all clusters share.
#[derive(Clone)]
struct Shared {
    store: Arc<dyn Store>,
    embedder: Arc<dyn Embedder>,
    inference: Inference,
    lines: Arc<Watching>,
    stopped: watch::Receiver<bool>,
}

pub(crate) async fn run(settings: &Settings, contexts: &[String], flags: &Watch) -> anyhow::Result<Done> {
    let clusters = clusters(contexts, flags.cluster_name.as_deref())?;
    let inference = build::inference(settings, &flags.inference, false)?;
    let embedder = build::embedder_for_writing(settings, flags.reindex, false).await?;
    let lines = Arc::new(Watching::new(clusters.len() > 1));
    let (stop, stopped) = watch::channel(false);
    let store = build::store_for_writing(settings).await?;
    let shared = Shared { store, embedder: Arc::clone(&embedder), inference, lines: Arc::clone(&lines), stopped };
    let (mut running, mut statuses) = (JoinSet::new(), Vec::new());
    for Followed { context, name } in clusters {
        let settings = context.map_or_else(|| settings.clone(), |context| settings.in_context(&context));
        let status = Arc::<Status>::default();
        statuses.push(Arc::clone(&status));
        let options = options(flags, name.clone());
        let annotations = build::annotations(&settings, flags.annotations.as_ref())?;
        let (page_size, shared) = (flags.page_size, shared.clone());
        running.spawn(async move {
            let source = build::live(&settings, page_size, annotations).await;
            let ended = match source {
                Ok(source) => follow(source.into(), options, shared, status).await,
                Err(error) => Err(error),
            };
            (name, ended)
        });
    }
    let of = running.len();
    let mut failed = Vec::new();
    let mut look = tokio::time::interval(LOOK);
    let mut asked = std::pin::pin!(stop::asked());
    loop {
        tokio::select! {
            ended = running.join_next() => match ended {
                None => break,
                Some(Ok((_, Ok(())))) => {}
                Some(Ok((name, Err(error)))) if of > 1 => {
                    lines.hidden(|| print::error(&error.context(format!("cluster {}", name.unwrap_or_default()))));
                    failed.push(None);
                }
                Some(Ok((_, Err(error)))) => failed.push(Some(error)),
                Some(Err(error)) => failed.push(Some(error.into())),
            },
            _ = look.tick() => {
                let states: Vec<LiveState> = statuses.iter().map(|status| status.state()).collect();
                lines.show(&states);
            }
            () = &mut asked, if !*stop.borrow() => {
                lines.tell(None, "Stopping; what is queued is written first.");
                stop.send_replace(true);
            }
        }
    }
    lines.finish();
    embedder.settled();
    let (all, any) = (failed.len() == of, !failed.is_empty());
    match failed.into_iter().flatten().next() {
        Some(error) => Err(error),
        None if all => Err(anyhow!("no cluster could be followed; each was told above")),
        None if any => Ok(Done::InPart),
        None => Ok(Done::Whole),
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

fn options(flags: &Watch, cluster: Option<String>) -> Options {
    Options {
        filter: TypeFilter { include: flags.include.clone(), exclude: flags.exclude.clone() },
        scope: match &flags.namespaces[..] {
            [] => ListScope::All,
            names => ListScope::Namespaces(names.to_vec()),
        },
        cluster,
        concurrency: usize::from(flags.concurrency),
        dry_run: false,
        replace_source: flags.replace_source,
        reindex: flags.reindex,
        lock_timeout: flags.lock_timeout,
    }
}

/// The clusters of these contexts. One alone has the name that it was given, or none; several have those of their contexts.
fn clusters(contexts: &[String], name: Option<&str>) -> anyhow::Result<Vec<Followed>> {
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
