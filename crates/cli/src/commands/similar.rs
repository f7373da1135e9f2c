//! `clusterlore similar`

use clusterlore_index::Request;

use super::search::{named, scoped};
use crate::args::{HitFlags, Similar};
use crate::build;
use crate::done::Done;
use crate::print::hits;
use crate::renewal::Freshness;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Similar) -> anyhow::Result<Done> {
    let freshness = Freshness::of(settings, &flags.scope)?;
    let index = build::index(settings).await?;
    let HitFlags { limit, output } = flags.hits;
    let request = Request { limit: usize::from(limit), explain: flags.explain, ..scoped(&flags.scope) };
    let reply = named(index.similar(&build::OWN_STORE, &flags.id, &request).await, &request)?;
    let reply = freshness.weigh(reply)?;
    hits::print(&reply, output, flags.explain)?;
    Ok(Done::Whole)
}
