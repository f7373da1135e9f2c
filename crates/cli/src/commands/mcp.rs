//! `clusterlore mcp`

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use clusterlore_index::Index;
use clusterlore_search::SearchError;
use clusterlore_server::{Assistant, IndexSource, serve_pipe};
use tokio::sync::OnceCell;

use crate::args::{Live, Mcp};
use crate::done::Done;
use crate::settings::Settings;
use crate::{advice, build, print};

pub(crate) async fn run(settings: &Settings, flags: &Mcp) -> anyhow::Result<Done> {
    let offer = flags.offer.offer(build::investigator(settings)?);
    let own = OwnIndex { settings: settings.clone(), live: flags.live.live, index: OnceCell::new() };
    let assistant = Assistant::of(Arc::new(own), build::OWN_STORE, offer);
    serve_pipe(assistant, tokio::io::stdin(), print::pipe()).await.context("clusterlore mcp")?;
    Ok(Done::Whole)
}

/// The index of whoever runs the program. It is opened when a tool first asks it: one that is missing may be made in the meantime.
struct OwnIndex {
    settings: Settings,
    live: Live,
    index: OnceCell<Arc<Index>>,
}

#[async_trait]
impl IndexSource for OwnIndex {
    async fn index(&self) -> Result<Arc<Index>, String> {
        let open = async || build::index_with_cluster(&self.settings, self.live).await.map(Arc::new);
        self.index.get_or_try_init(open).await.cloned().map_err(|error| told(&error))
    }

    fn told(&self, error: SearchError) -> String {
        told(&error.into())
    }
}

/// What is wrong, and what to do about it.
fn told(error: &anyhow::Error) -> String {
    match advice::of(error) {
        Some(advice) => format!("{error:#}. {advice}."),
        None => format!("{error:#}."),
    }
}
