//! `clusterlore threads`: conversations that have a name.

use anyhow::anyhow;
use clusterlore_store::ThreadName;

use crate::args::{Output, Threads, ThreadsAction};
use crate::build;
use crate::done::Done;
use crate::print::{self, table::table};
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Threads) -> anyhow::Result<Done> {
    match &flags.action {
        Some(ThreadsAction::Rm { names }) => remove(settings, names).await,
        None => list(settings, flags.output).await,
    }
}

async fn list(settings: &Settings, output: Output) -> anyhow::Result<Done> {
    let threads = build::store_for_reading(settings).await?.threads().await?;
    match output {
        Output::Json => print::json(&threads)?,
        Output::Yaml => print::yaml(&threads)?,
        Output::Name => threads.iter().try_for_each(|thread| print::line(&thread.name))?,
        Output::Table if threads.is_empty() => {
            print::note("There are no threads. Begin one with \"clusterlore ask --thread NAME QUESTION\".");
        }
        Output::Table => {
            let row = |thread: &clusterlore_store::Thread| {
                vec![thread.name.clone(), thread.turns.to_string(), thread.last.clone()]
            };
            print::lines(table(&["NAME", "TURNS", "LAST"], threads.iter().map(row).collect()))?;
        }
    }
    Ok(Done::Whole)
}

async fn remove(settings: &Settings, names: &[ThreadName]) -> anyhow::Result<Done> {
    let store = build::store_to_add_to(settings).await?;
    let known = store.threads().await?;
    if let Some(missing) = names.iter().find(|name| !known.iter().any(|thread| thread.name == name.as_str())) {
        return Err(anyhow!("there is no thread \"{missing}\"; see \"clusterlore threads\". Nothing was removed"));
    }
    for name in names {
        store.remove_thread(name).await?;
        print::note(&format!("Removed thread {name}."));
    }
    Ok(Done::Whole)
}
