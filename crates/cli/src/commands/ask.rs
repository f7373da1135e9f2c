//! `clusterlore ask`

use clusterlore_agent::investigate::{Limits, investigate};
use clusterlore_agent::{Subjects, compose, gather, subjects};
use clusterlore_index::Request;

use super::search::{named, scoped};
use crate::args::{Ask, Live};
use crate::build;
use crate::done::Done;
use crate::print;
use crate::renewal::Freshness;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Ask) -> anyhow::Result<Done> {
    // A setting that is there for sync sends nothing of a cluster anywhere.
    if settings.is_flag("model") {
        return super::ask_model::run(settings, flags).await;
    }
    let freshness = Freshness::of(settings, &flags.scope)?;
    let index = build::index_with_cluster(settings, flags.live.live).await?;
    let catalogue = build::catalogue(settings)?;
    let request =
        Request { question: flags.question.join(" "), limit: usize::from(flags.hits.limit), ..scoped(&flags.scope) };
    let mut found = named(gather(&index, &catalogue, &build::OWN_STORE, &request).await, &request)?;
    found.reply = freshness.weigh(found.reply)?;
    let answer = compose(&found, &catalogue);
    let findings = match subjects(&answer, &found) {
        // Who does not want the cluster asked is not told that it was not.
        Some(Subjects { cluster, targets }) if flags.live.live == Live::Auto => {
            match index.cluster(&build::OWN_STORE, &cluster).await? {
                Ok(source) => Some(investigate(&source, &targets, &Limits::default()).await),
                Err(_) => None,
            }
        }
        _ => None,
    };
    print::ask::print(&answer, findings.as_ref(), &found.reply, flags.hits.output)?;
    Ok(Done::Whole)
}
