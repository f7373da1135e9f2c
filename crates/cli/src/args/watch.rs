//! Flags of `watch`, and what `serve` shares with it.

use std::time::Duration;

use clap::Args as ClapArgs;
use clusterlore_core::{AnnotationChoice, TypePattern};

use super::shared::{InferenceFlags, cluster_name, duration, namespace};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore watch                                    follow the current context's cluster
  clusterlore watch --context east --context west      follow two clusters, each under its context's name
  clusterlore watch -n shop -n shop-test               two namespaces
  clusterlore watch --exclude 'secrets'

While it runs, other commands read the index as it is now; no other run writes to it.

Exit status: 0 stopped by Ctrl-C or SIGTERM, 1 failed, 2 wrong usage, 3 stopped, and one of several clusters had failed.")]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) watched: WatchFlags,
}

/// What is watched, and how it is written.
#[derive(Debug, ClapArgs)]
pub(crate) struct WatchFlags {
    /// Read only these namespaces
    #[arg(short, long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
    /// Read only these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) include: Vec<TypePattern>,
    /// Do not read these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<TypePattern>,
    /// Keep these annotations too, as sync-instances does [setting: annotations; default: only descriptions are kept]
    #[arg(long, value_name = "KEY,...")]
    pub(crate) annotations: Option<AnnotationChoice>,
    /// Name that keeps this cluster's documents apart from others in the same store; of several clusters each has its context's name
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    /// Replace what another cluster or folder indexed under this name
    #[arg(long)]
    pub(crate) replace_source: bool,
    /// Embed everything again if another embedder filled the index
    #[arg(long)]
    pub(crate) reindex: bool,
    /// How long to wait for another run that is writing to the index (0: do not wait)
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
    /// How many types to list at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
    /// How many objects to request at once
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) page_size: u32,
    #[command(flatten)]
    pub(crate) inference: InferenceFlags,
}
