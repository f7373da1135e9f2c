//! `clusterlore count`

use clusterlore_search::Question;

use super::search::{filter, target};
use crate::args::{CatalogueFlags, Count, StoreFlags};
use crate::print::numbers;
use crate::{Done, build};

pub(crate) async fn run(store: &StoreFlags, catalogue: &CatalogueFlags, flags: &Count) -> anyhow::Result<Done> {
    let catalogue = build::catalogue(catalogue)?;
    let store = build::store_for_reading(store)?;
    let question = Question {
        text: flags.question.join(" "),
        target: target(flags.collection),
        filter: filter(&store, &flags.scope).await?,
        now: build::now(),
        ..Question::default()
    };
    let searcher = build::searcher(&catalogue);
    let count = searcher.count(&store, &*build::embedder(), &question, flags.group_by.clone()).await?;
    numbers::print(&count, flags.output, false)?;
    Ok(Done::Whole)
}
