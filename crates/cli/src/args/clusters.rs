//! Flags of `clusterlore clusters`.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::shared::Output;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore clusters                     what is indexed: clusters, folders, and when each was last read
  clusterlore clusters -o name
  clusterlore clusters rename east dev     answers call it dev; stored ids stay as they are
  clusterlore clusters forget east --yes   delete all that the index has of it

A cluster is called like its context, a folder of manifests like the folder, unless --cluster-name or rename gave it another name. --cluster \
takes that name or the stored one.

JSON: [{\"name\", \"cluster\": its stored name, \"source\", \"objects\", \"types\", \"lastRead\"}].")]
pub(crate) struct Clusters {
    #[command(subcommand)]
    pub(crate) action: Option<ClustersAction>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClustersAction {
    /// Call a cluster otherwise; stored ids stay as they are
    #[command(after_help = "Examples:\n  clusterlore clusters rename east dev")]
    Rename {
        /// Its name, or its stored name
        #[arg(value_name = "OLD")]
        old: String,
        /// What it is called from now on
        #[arg(value_name = "NEW", value_parser = shown_name)]
        new: String,
    },
    /// Delete all that the index has of a cluster: documents, runs, its journal, and posts that wait
    #[command(after_help = "Examples:\n  clusterlore clusters forget east --yes")]
    Forget {
        /// Its name, or its stored name
        #[arg(value_name = "CLUSTER")]
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        /// How long to wait for another run that is writing to the index (0: do not wait)
        #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = clusterlore_core::duration)]
        lock_timeout: Duration,
    },
}

/// The longest name, in characters: names of contexts that cloud providers make are shorter.
const LONGEST_NAME: usize = 200;

fn shown_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let fine = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    match fine && !name.starts_with('-') && name != "(none)" {
        true => Ok(name.to_owned()),
        false => Err(format!("expected a name of 1 to {LONGEST_NAME} characters that does not begin with \"-\"")),
    }
}
