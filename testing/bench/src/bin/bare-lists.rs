//! The yardstick of a second sync: the lists that any sync has to read, as clusterlore reads them, and nothing done with them.
//! `bare-lists KUBECONFIG` prints how many objects of how many types came.
#![allow(clippy::print_stdout, reason = "a program of the benchmark says what it read")]

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clusterlore_cluster::{ClusterSource, EventSink, ListEnd, ListScope, LiveOptions, LiveSource, SourceEvent};
use clusterlore_core::{ResourceType, TypeFilter};
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

    let (sender, mut events) = mpsc::channel(TYPES_AT_ONCE);
    let names: Vec<String> = types.iter().map(ResourceType::name).collect();
    let counting = tokio::spawn(async move {
        let mut objects = 0;
        while let Some((type_index, event)) = events.recv().await {
            match event {
                SourceEvent::Page(page) => objects += page.len(),
                SourceEvent::Done(ListEnd { skipped: Some(skipped), .. }) | SourceEvent::Failed(skipped) => {
                    bail!("{}: {}", names[type_index], skipped.message);
                }
                _ => {}
            }
        }
        Ok(objects)
    });
    stream::iter(types.iter().enumerate())
        .map(async |(type_index, ty)| {
            source.list(ty, &ListScope::All, &EventSink { type_index, sender: sender.clone() }).await
        })
        .buffer_unordered(TYPES_AT_ONCE)
        .try_for_each(async |()| Ok(()))
        .await?;
    drop(sender);
    println!("{} objects of {} types", counting.await??, types.len());
    Ok(())
}
