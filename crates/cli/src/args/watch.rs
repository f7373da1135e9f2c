//! Flags of `watch`, and what `serve` shares with it.

use clap::Args as ClapArgs;
use clusterlore_core::AnnotationChoice;

use super::shared::{HowFlags, InferenceFlags, LogFormat, WhatFlags, cluster_name};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore watch                                    follow the current context's cluster
  clusterlore watch --context east --context west      follow two clusters, each under its context's name
  clusterlore watch --kubeconfig clusters/             each file of a folder is a cluster of that name
  clusterlore watch -n fares -n guest                  two namespaces
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
    #[command(flatten)]
    pub(crate) what: WhatFlags,
    /// Keep these annotations too, as sync-instances does [setting: annotations; default: only descriptions are kept]
    #[arg(long, value_name = "KEY,...")]
    pub(crate) annotations: Option<AnnotationChoice>,
    /// Name that keeps this cluster's documents apart from others in the same store; of several clusters each has its context's name
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    #[command(flatten)]
    pub(crate) how: HowFlags,
    #[command(flatten)]
    pub(crate) inference: InferenceFlags,
    /// Format of the lines on standard error
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}
