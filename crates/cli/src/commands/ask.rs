//! `clusterlore ask`

use clusterlore_agent::{compose, gather};
use clusterlore_index::Request;

use super::search::{named, scoped};
use crate::args::Ask;
use crate::build;
use crate::done::Done;
use crate::print;
use crate::renewal::Freshness;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Ask) -> anyhow::Result<Done> {
    let freshness = Freshness::of(settings, &flags.scope)?;
    let index = build::index_with_cluster(settings, flags.live.live).await?;
    let catalogue = build::catalogue(settings)?;
    let request =
        Request { question: flags.question.join(" "), limit: usize::from(flags.hits.limit), ..scoped(&flags.scope) };
    let mut found = named(gather(&index, &catalogue, &build::OWN_STORE, &request).await, &request)?;
    found.reply = freshness.weigh(found.reply)?;
    print::ask::print(&compose(&found, &catalogue), &found.reply, flags.hits.output)?;
    Ok(Done::Whole)
}
