//! `clusterlore changes`

use clusterlore_index::{Index, Request};
use jiff::Timestamp;

use super::search::{PAUSE, goes_on, named};
use crate::args::{Changes, Format};
use crate::build;
use crate::done::Done;
use crate::narrow;
use crate::print::{self, changes};
use crate::settings::Settings;
use crate::unknown::{self, Unknown};

/// Entries that a watch reads at once.
const AT_ONCE: usize = 1_000;

pub(crate) async fn run(settings: &Settings, flags: &Changes) -> anyhow::Result<Done> {
    let index = build::index(settings).await?;
    let mut request = Request {
        question: flags.question.join(" "),
        clusters: flags.cluster_name.iter().cloned().collect(),
        namespaces: flags.namespaces.clone(),
        kinds: flags.kinds.clone(),
        limit: usize::from(flags.hits.limit),
        now: build::now(),
        ..Request::default()
    };
    narrow::to_context(settings, &index, &mut request).await?;
    let told = named(index.changes(&build::OWN_STORE, &request, flags.since, flags.until).await, &request)?;
    let unknown = match told.changes.is_empty() {
        true => unknown::of(&index, &request, false).await?,
        false => Unknown::default(),
    };
    unknown.lines.iter().for_each(|line| print::note(line));
    let format = &flags.hits.output;
    if flags.watch {
        goes_on(format, "table, name or id")?;
    }
    changes::print(&told, format, &flags.list)?;
    if flags.watch {
        let newest = told.changes.first().map(|entry| entry.at.clone());
        return follow(&index, request, flags.since, newest.unwrap_or_default(), format).await;
    }
    Ok(Done::of(!told.changes.is_empty(), unknown.any, &flags.list))
}

/// Prints what happens after `last`, the time of the newest entry, until the program is stopped. Where there is none, all that comes is new,
/// whenever it was noticed.
async fn follow(
    index: &Index,
    request: Request,
    from: Option<Timestamp>,
    mut last: String,
    format: &Format,
) -> anyhow::Result<Done> {
    loop {
        tokio::time::sleep(PAUSE).await;
        let request = Request { limit: AT_ONCE, now: build::now(), ..request.clone() };
        let since = last.parse().ok().or(from);
        let mut told = named(index.changes(&build::OWN_STORE, &request, since, None).await, &request)?;
        told.changes.retain(|entry| entry.at > last);
        // As it happened.
        told.changes.reverse();
        if let Some(entry) = told.changes.last() {
            last.clone_from(&entry.at);
        }
        changes::rows(&told, format)?;
    }
}
