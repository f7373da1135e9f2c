//! `clusterlore count`

use clusterlore_index::Request;
use clusterlore_search::Wanted;

use super::search::{ask, scoped, uncounted};
use crate::args::{Count, ListFlags};
use crate::build;
use crate::done::Done;
use crate::narrow;
use crate::print::numbers;
use crate::renewal::Freshness;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Count) -> anyhow::Result<Done> {
    let freshness = Freshness::of(settings, &flags.scope)?;
    let index = build::index_with_cluster(settings, flags.live.live).await?;
    let mut request = Request {
        question: flags.question.join(" "),
        collection: flags.collection,
        hits: false,
        number: Wanted::Always,
        group_by: flags.group_by.clone(),
        ..scoped(&flags.scope)
    };
    narrow::to_context(settings, &index, &mut request).await?;
    let reply = freshness.weigh(ask(&index, &request).await?)?;
    numbers::print(&reply, flags.output, false)?;
    let unknown = uncounted(&index, &request, &reply).await?;
    Ok(Done::of(reply.number != Some(0), unknown, &ListFlags::default()))
}
