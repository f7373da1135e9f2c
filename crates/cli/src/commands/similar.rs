//! `clusterlore similar`

use clusterlore_search::Question;

use super::search::filter;
use crate::args::{CatalogueFlags, HitFlags, Similar, StoreFlags};
use crate::print::hits;
use crate::{Done, build};

pub(crate) async fn run(store: &StoreFlags, catalogue: &CatalogueFlags, flags: &Similar) -> anyhow::Result<Done> {
    let catalogue = build::catalogue(catalogue)?;
    let store = build::store_for_reading(store)?;
    let HitFlags { limit, output } = flags.hits;
    let question = Question {
        filter: filter(&store, &flags.scope).await?,
        limit: usize::from(limit),
        now: build::now(),
        ..Question::default()
    };
    let searcher = build::searcher(&catalogue);
    let answer = searcher.similar(&store, &*build::embedder(), &flags.id, &question).await?;
    hits::print(&answer, output, flags.explain)?;
    Ok(Done::Whole)
}
