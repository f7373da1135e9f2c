//! Under which name a run reads a cluster. `--all-contexts`: a run for each context of the kubeconfig, each failing alone.

use anyhow::anyhow;
use clusterlore_core::cluster_name;

use crate::done::Done;
use crate::narrow::Elsewhere;
use crate::settings::Settings;
use crate::{build, narrow, print};

/// How it went with a context.
enum Went {
    Whole,
    InPart,
    Failed,
    /// Its cluster is read by another context.
    Known(String),
}

/// Runs for each context if `all` are asked for, else once with the name that a flag gives. A cluster that is in the index goes on under the
/// name by which it is stored, unless the flag calls it otherwise.
///
/// # Errors
/// What ends the run, or all of them.
pub(crate) async fn run(
    settings: &Settings,
    all: bool,
    name: Option<&String>,
    run: impl AsyncFn(&Settings, Option<String>) -> anyhow::Result<Done>,
) -> anyhow::Result<Done> {
    match all {
        true => each(settings, run).await,
        false => once(settings, name.cloned(), &run).await,
    }
}

async fn once(
    settings: &Settings,
    name: Option<String>,
    run: &impl AsyncFn(&Settings, Option<String>) -> anyhow::Result<Done>,
) -> anyhow::Result<Done> {
    let name = match name {
        Some(name) => narrow::meant(settings, &name).await?,
        None => None,
    };
    match run(settings, name).await {
        Err(error) => match narrow::stored_under(&error) {
            Some((stored, line)) => {
                print::news(&line);
                run(settings, stored).await
            }
            None => Err(error),
        },
        done => done,
    }
}

/// Runs for each context. A cluster that several contexts name is read by the first of them; one that is in the index goes on under the name
/// that it has there.
///
/// # Errors
/// There is no context, or no run came to its end.
async fn each(
    settings: &Settings,
    run: impl AsyncFn(&Settings, Option<String>) -> anyhow::Result<Done>,
) -> anyhow::Result<Done> {
    let contexts = build::contexts(settings);
    if contexts.is_empty() {
        return Err(anyhow!("--all-contexts: the kubeconfig has no context; expected one at least"));
    }
    let (mut went, mut read) = (Vec::new(), Vec::new());
    for context in contexts {
        let own = settings.clone().with("context", context.clone());
        let identity = build::context_in_use(&own).map(|(_, identity)| identity);
        let is_read = |(_, known): &&(String, _)| identity.as_ref().is_some_and(|identity| identity.is_at(known));
        let before = read.iter().find(is_read).map(|(first, _): &(String, _)| first.clone());
        if let Some(first) = before {
            went.push((context, Went::Known(format!("names the same cluster as {first}"))));
            continue;
        }
        print::news(&format!("Context {context}:"));
        let name = match (&identity, build::store_if_any(&own).await?) {
            (Some(identity), Some(store)) => narrow::stored_name(&*store, identity).await?,
            _ => None,
        };
        let name = name.unwrap_or_else(|| cluster_name(&context));
        let ended = match once(&own, Some(name).filter(|name| !name.is_empty()), &run).await {
            Ok(Done::InPart) => Went::InPart,
            Ok(_) => Went::Whole,
            Err(error) => match narrow::under_another_name(&error) {
                Some(Elsewhere { shown, .. }) => {
                    Went::Known(format!("names the cluster that is indexed as \"{shown}\""))
                }
                None => {
                    print::error(&error);
                    Went::Failed
                }
            },
        };
        if let (Some(identity), false) = (identity, matches!(ended, Went::Failed)) {
            read.push((context.clone(), identity));
        }
        went.push((context, ended));
    }
    tell(&went)
}

fn tell(went: &[(String, Went)]) -> anyhow::Result<Done> {
    let count = |is: fn(&Went) -> bool| went.iter().filter(|(_, went)| is(went)).count();
    let (failed, in_part) = (count(|went| matches!(went, Went::Failed)), count(|went| matches!(went, Went::InPart)));
    let read = count(|went| matches!(went, Went::Whole)) + in_part;
    print::news(&format!("{} contexts: {read} read, {failed} failed.", went.len()));
    for (context, went) in went {
        let told = match went {
            Went::Whole => continue,
            Went::InPart => "was read in part",
            Went::Failed => "failed",
            Went::Known(why) => why,
        };
        print::news(&format!("  {context} {told}"));
    }
    match (read, failed, in_part) {
        (0, 1.., _) => Err(anyhow!("no context could be read; each was told above")),
        (_, 0, 0) => Ok(Done::Whole),
        _ => Ok(Done::InPart),
    }
}
