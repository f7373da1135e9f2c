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
    let lines = Arc::new(Watching::new(clusters.are_several()));
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
    let persistence = if clusters.are_several() { Persistence::Again } else { Persistence::Once };
    let mut following = Following::start(settings, clusters, flags, &shared, persistence)?;
    let (of_one, mut failed) = (following.is_of_one(), None);
    let mut look = tokio::time::interval(LOOK);
    let mut asked = std::pin::pin!(stop::asked());
    loop {
        tokio::select! {
            ended = following.ended() => match ended {
                None => break,
                Some((_, Ok(()))) => {}
                Some((name, Err(error))) if !of_one => {
                    lines.hidden(|| print::error(&error.context(format!("cluster {name}"))));
                }
                Some((_, Err(error))) => failed = Some(error),
            },
            _ = look.tick() => {
                following.look().await;
                lines.show(&following.states());
            }
            () = &mut asked, if !*stop.borrow() => {
                lines.tell(None, "Stopping; what is queued is written first.");
                stop.send_replace(true);
            }
        }
    }
    lines.finish();
    embedder.settled();
    match failed {
        Some(error) => Err(error),
        None if following.has_none() => Err(anyhow!("no cluster could be followed; each was told above")),
        None if following.fails() => Ok(Done::InPart),
        None => Ok(Done::Whole),
    }
}
