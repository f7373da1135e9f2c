//! `clusterlore count`

use clusterlore_search::Question;

use super::search::filter;
use crate::args::Count;
use crate::print::numbers;
use crate::settings::Settings;
use crate::{Done, build};

pub(crate) async fn run(settings: &Settings, flags: &Count) -> anyhow::Result<Done> {
    let catalogue = build::catalogue(settings)?;
    let store = build::store_for_reading(settings).await?;
    let view = store.view_all(build::OWN_STORE).await?;
    let question = Question {
        text: flags.question.join(" "),
        collection: flags.collection,
        filter: filter(&*view, &flags.scope).await?,
        now: build::now(),
        ..Question::default()
    };
    let embedder = build::embedder(settings, Some(&*store), false).await?;
    let searcher = build::searcher(catalogue);
    let count = searcher.count(&*view, &*embedder, &question, flags.group_by.clone()).await?;
    numbers::print(&count, flags.output, false)?;
    Ok(Done::Whole)
}
