//! `clusterlore similar`

use clusterlore_search::Question;

use super::search::filter;
use crate::args::{CatalogueFlags, HitFlags, Similar, StoreFlags};
use crate::print::hits;
use crate::{Done, build};

pub(crate) async fn run(
    flags_of_store: &StoreFlags,
    catalogue: &CatalogueFlags,
    flags: &Similar,
) -> anyhow::Result<Done> {
    let catalogue = build::catalogue(catalogue)?;
    let store = build::store_for_reading(flags_of_store)?;
    let HitFlags { limit, output } = flags.hits;
    let question = Question {
        filter: filter(&*store, &flags.scope).await?,
        limit: usize::from(limit),
        now: build::now(),
        ..Question::default()
    };
    let embedder = build::embedder(flags_of_store, Some(&*store), false).await?;
    let searcher = build::searcher(&catalogue);
    let answer = searcher.similar(&*store, &*embedder, &flags.id, &question).await?;
    hits::print(&answer, output, flags.explain)?;
    Ok(Done::Whole)
}
