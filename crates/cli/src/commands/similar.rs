//! `clusterlore similar`

use clusterlore_search::Question;

use super::search::filter;
use crate::args::{HitFlags, Similar};
use crate::print::hits;
use crate::settings::Settings;
use crate::{Done, build};

pub(crate) async fn run(settings: &Settings, flags: &Similar) -> anyhow::Result<Done> {
    let catalogue = build::catalogue(settings)?;
    let store = build::store_for_reading(settings).await?;
    let view = store.view_all(build::OWN_STORE).await?;
    let HitFlags { limit, output } = flags.hits;
    let question = Question {
        filter: filter(&*view, &flags.scope).await?,
        limit: usize::from(limit),
        now: build::now(),
        ..Question::default()
    };
    let embedder = build::embedder(settings, Some(&*store), false).await?;
    let searcher = build::searcher(catalogue);
    let answer = searcher.similar(&*view, &*embedder, &flags.id, &question).await?;
    hits::print(&answer, output, flags.explain)?;
    Ok(Done::Whole)
}
