//! What is measured, and how often.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures clusterlore on a real API server; prints a table and writes bench-out/result.json.
#[derive(Parser)]
pub(crate) struct Args {
    /// The clusterlore binary
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: PathBuf,
    /// The program that reads the lists and nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) bare_lists: PathBuf,
    /// Measure only these rows
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Measure>,
    /// How often each thing is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Pods of the large cluster
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) pods: usize,
    /// Objects of the largest cluster, which a fake server makes as it is asked
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) objects: usize,
    /// Renew BENCHMARKS.md; with --only, those rows of it
    #[arg(long, conflicts_with_all = ["pods", "objects", "serve"])]
    pub(crate) write: bool,
    /// Measure nothing: start the cluster of a row, say how to reach it, and wait for the end of standard input
    #[arg(long, value_enum, value_name = "CLUSTER")]
    pub(crate) serve: Option<Cluster>,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// A dry run over many types
    DryRun,
    /// The first sync of many pods, and its memory
    FirstSync,
    /// The second sync, nothing changed
    SecondSync,
    /// One search from the shell
    Shell,
    /// Searches inside a running process, with and without filter
    Search,
    /// The three stores, and Chroma's own client
    Stores,
    /// A sync of a million objects of a fake server, and searches among them
    Million,
    /// The page of `serve` in Chromium: from the last key to the first hits
    Page,
    /// `serve` under load: searches with access control, what is created beside them, what a controller posts
    Serve,
    /// A cold release build of the program, and the size of what it gives
    Build,
}

/// The two clusters that are measured on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cluster {
    /// 335 types and 850 objects
    Types,
    /// 20,000 pods of 6 KB metadata
    Pods,
}

/// Types of the cluster with many types, and objects in it.
pub(crate) const TYPES: usize = 335;
pub(crate) const OBJECTS: usize = 850;
/// Bytes of a pod's metadata, as JSON.
pub(crate) const POD_METADATA: usize = 6_000;
