//! The yardstick of a second sync: the lists that any sync has to read, as clusterlore reads them, and nothing done with them.
//! `bare-lists KUBECONFIG` prints how many objects of how many types came.
#![allow(clippy::print_stdout, reason = "a program of the benchmark says what it read")]

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clusterlore_cluster::{ClusterSource, ListEvent, ListScope, LiveOptions, LiveSource, PageSink};
use clusterlore_core::TypeFilter;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

/// As `sync-instances --concurrency` by default.
const TYPES_AT_ONCE: usize = 8;

#[tokio::main]
async fn main() -> Result<()> {
    let kubeconfig = std::env::args_os().nth(1).map(PathBuf::from).context("usage: bare-lists KUBECONFIG")?;
    let source = LiveSource::connect(LiveOptions { kubeconfig: Some(kubeconfig), ..LiveOptions::default() }).await?;
    let filter = TypeFilter::default();
    let mut types = source.discover().await?.types;
    types.retain(|ty| filter.admits(ty));

    let (sender, mut pages) = mpsc::channel(TYPES_AT_ONCE);
    let counting = tokio::spawn(async move {
        let mut objects = 0;
        while let Some((_, event)) = pages.recv().await {
            if let ListEvent::Page(page) = event {
                objects += page.len();
            }
        }
        objects
    });
    stream::iter(types.iter().enumerate())
        .map(async |(type_index, ty)| {
            let sink = PageSink { type_index, sender: sender.clone() };
            let listing = source.list(ty, &ListScope::All, &sink).await?;
            if let Some(skipped) = listing.skipped {
                bail!("{}: {}", ty.name(), skipped.message);
            }
            Ok(())
        })
        .buffer_unordered(TYPES_AT_ONCE)
        .try_for_each(async |()| Ok(()))
        .await?;
    drop(sender);
    println!("{} objects of {} types", counting.await?, types.len());
    Ok(())
}
