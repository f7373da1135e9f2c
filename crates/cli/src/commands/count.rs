//! `clusterlore count`

use clusterlore_index::Request;
use clusterlore_search::Wanted;

use super::search::{ask, scoped};
use crate::args::Count;
use crate::build;
use crate::done::Done;
use crate::print::numbers;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Count) -> anyhow::Result<Done> {
    let index = build::index_with_cluster(settings, flags.live.live).await?;
    let request = Request {
        question: flags.question.join(" "),
        collection: flags.collection,
        hits: false,
        number: Wanted::Always,
        group_by: flags.group_by.clone(),
        ..scoped(&flags.scope)
    };
    numbers::print(&ask(&index, &request).await?, flags.output, false)?;
    Ok(Done::Whole)
}
