//! Speed and memory of clusterlore, each against its yardstick in the same run, on a real API server. `./bench` builds and calls it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod million;
mod process;
mod report;
mod rows;
mod stores;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use clusterlore_testkit::real::ApiServer;

/// Measures clusterlore on a real API server; prints a table and writes bench-out/result.json.
#[derive(Parser)]
pub(crate) struct Args {
    /// The clusterlore binary
    #[arg(long, value_name = "FILE")]
    binary: PathBuf,
    /// The program that reads the lists and nothing else
    #[arg(long, value_name = "FILE")]
    bare_lists: PathBuf,
    /// Measure only these rows
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Measure>,
    /// How often each thing is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Pods of the large cluster
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pods: usize,
    /// Objects of the largest cluster, which a fake server makes as it is asked
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    objects: usize,
    /// Renew BENCHMARKS.md
    #[arg(long, conflicts_with_all = ["only", "pods", "objects", "runs", "serve"])]
    write: bool,
    /// Measure nothing: start the cluster of a row, say how to reach it, and wait for the end of standard input
    #[arg(long, value_enum, value_name = "CLUSTER")]
    serve: Option<Cluster>,
}

/// Runs in a program of its own, so that its memory is not that of what is measured.
const FAKE_SERVER: &str = "fake-server";

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
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
}

/// The two clusters that are measured on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cluster {
    /// 335 types and 850 objects
    Types,
    /// 20,000 pods of 6 KB metadata
    Pods,
}

/// Types of the cluster with many types, and objects in it.
const TYPES: usize = 335;
const OBJECTS: usize = 850;
/// Bytes of a pod's metadata, as JSON.
const POD_METADATA: usize = 6_000;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(FAKE_SERVER) {
        return million::serve(words.next().context("how many objects?")?.parse()?);
    }
    let args = Args::parse();
    if let Some(cluster) = args.serve {
        let server = start(cluster, args.pods);
        println!("{}", server.kubeconfig("admin").display());
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
        return Ok(());
    }
    for program in [&args.binary, &args.bare_lists] {
        if !program.is_file() {
            bail!("{} is missing; ./bench builds it", program.display());
        }
    }
    let wanted = |measure: Measure| args.only.is_empty() || args.only.contains(&measure);
    let mut bench = rows::Bench::new(&args)?;
    if wanted(Measure::DryRun) {
        bench.dry_run(&start(Cluster::Types, args.pods))?;
    }
    if [Measure::FirstSync, Measure::SecondSync, Measure::Shell, Measure::Search].into_iter().any(wanted) {
        let server = start(Cluster::Pods, args.pods);
        bench.first_sync(&server, wanted(Measure::FirstSync))?;
        if wanted(Measure::SecondSync) {
            bench.second_sync(&server)?;
        }
        // It would only take processor time from what follows.
        drop(server);
        if wanted(Measure::Shell) {
            bench.shell_search()?;
        }
        if wanted(Measure::Search) {
            bench.batch_search()?;
        }
    }
    if wanted(Measure::Million) {
        bench.million()?;
    }
    if wanted(Measure::Stores) {
        bench.stores()?;
    }
    let report = report::Report::new(&args, bench)?;
    println!("\n{}", report.markdown_table());
    fs::create_dir_all("bench-out")?;
    fs::write("bench-out/result.json", serde_json::to_string_pretty(&report)?)?;
    if args.write {
        fs::write("BENCHMARKS.md", report.markdown()).context("BENCHMARKS.md")?;
    }
    println!("bench-out/result.json holds every single measurement.");
    Ok(())
}

fn start(cluster: Cluster, pods: usize) -> ApiServer {
    let began = std::time::Instant::now();
    let server = ApiServer::start();
    match cluster {
        Cluster::Types => server.create_types(TYPES, OBJECTS),
        Cluster::Pods => server.create_pods(pods, POD_METADATA),
    }
    let what = match cluster {
        Cluster::Types => format!("{TYPES} types and {OBJECTS} objects"),
        Cluster::Pods => format!("{pods} pods"),
    };
    eprintln!("an API server with {what}, ready after {:.0} s", began.elapsed().as_secs_f64());
    server
}
