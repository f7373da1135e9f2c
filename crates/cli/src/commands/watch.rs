//! `clusterlore watch`

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::watch;

use crate::args::Watch;
use crate::done::Done;
use crate::following::{self, Following, Persistence, Shared};
use crate::print::{self, live::Watching};
use crate::settings::Settings;
use crate::{build, stop};

/// Between two looks at how the clusters are.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) async fn run(settings: &Settings, contexts: &[String], flags: &Watch) -> anyhow::Result<Done> {
    let flags = &flags.watched;
    let clusters = following::clusters(settings, contexts, flags.cluster_name.as_deref())?;
    let inference = build::inference(settings, &flags.inference, false)?;
    let embedder = build::embedder_for_writing(settings, flags.how.reindex, false).await?;
    let lines = Arc::new(Watching::new(clusters.len() > 1));
    let (stop, stopped) = watch::channel(false);
    let store = build::store_for_writing(settings).await?;
    let shared = Shared {
        store,
        embedder: Arc::clone(&embedder),
        inference,
        lines: Arc::clone(&lines),
        watched: Arc::default(),
        stopped,
    };
    // One alone ends when it cannot be followed: whoever started it is told. Of several each is tried until it can.
    let persistence = if clusters.len() > 1 { Persistence::Again } else { Persistence::Once };
    let mut following = Following::start(settings, clusters, flags, &shared, persistence)?;
    let of = following.len();
    let mut failed = Vec::new();
    let mut look = tokio::time::interval(LOOK);
    let mut asked = std::pin::pin!(stop::asked());
    loop {
        tokio::select! {
            ended = following.ended() => match ended {
                None => break,
                Some((_, Ok(()))) => {}
                Some((name, Err(error))) if of > 1 => {
                    lines.hidden(|| print::error(&error.context(format!("cluster {}", name.unwrap_or_default()))));
                    failed.push(None);
                }
                Some((_, Err(error))) => failed.push(Some(error)),
            },
            _ = look.tick() => lines.show(&following.states()),
            () = &mut asked, if !*stop.borrow() => {
                lines.tell(None, "Stopping; what is queued is written first.");
                stop.send_replace(true);
            }
        }
    }
    lines.finish();
    embedder.settled();
    let (all, any) = (failed.len() == of, !failed.is_empty() || following.fails());
    match failed.into_iter().flatten().next() {
        Some(error) => Err(error),
        None if all => Err(anyhow!("no cluster could be followed; each was told above")),
        None if any => Ok(Done::InPart),
        None => Ok(Done::Whole),
    }
}
