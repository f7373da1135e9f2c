//! `clusterlore changes`

use clusterlore_index::Request;

use super::search::named;
use crate::args::Changes;
use crate::build;
use crate::done::Done;
use crate::print::changes;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Changes) -> anyhow::Result<Done> {
    let index = build::index(settings).await?;
    let request = Request {
        question: flags.question.join(" "),
        clusters: flags.cluster_name.iter().cloned().collect(),
        namespaces: flags.namespaces.clone(),
        kinds: flags.kinds.clone(),
        limit: usize::from(flags.hits.limit),
        now: build::now(),
        ..Request::default()
    };
    let told = named(index.changes(&build::OWN_STORE, &request, flags.since, flags.until).await, &request)?;
    changes::print(&told, &flags.hits.output, &flags.list)?;
    Ok(Done::of(!told.changes.is_empty(), &flags.list))
}
