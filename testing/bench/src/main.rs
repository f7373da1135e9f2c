//! Speed and memory of clusterlore, each against its yardstick in the same run, on a real API server. `./bench` builds and calls it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod args;
mod build;
mod million;
mod page;
mod process;
mod report;
mod rows;
mod serving;
mod stores;

use std::fs;

use anyhow::{Context, Result, bail};
use clap::Parser;
use clusterlore_testkit::real::ApiServer;

use args::{Args, Cluster, Measure, OBJECTS, POD_METADATA, TYPES};
use million::FAKE_SERVER;

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
    if [Measure::FirstSync, Measure::SecondSync, Measure::Shell, Measure::Search, Measure::Page].into_iter().any(wanted)
    {
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
        if wanted(Measure::Page) {
            bench.page()?;
        }
    }
    if wanted(Measure::Serve) {
        let began = std::time::Instant::now();
        let server = ApiServer::start();
        server.create_pods_over(serving::NAMESPACES, args.pods, serving::POD_METADATA);
        eprintln!(
            "an API server with {} namespaces, ready after {:.0} s",
            serving::NAMESPACES,
            began.elapsed().as_secs_f64()
        );
        bench.serving(&server)?;
    }
    if wanted(Measure::Million) {
        bench.million()?;
    }
    if wanted(Measure::Stores) {
        bench.stores()?;
    }
    if wanted(Measure::Build) {
        bench.build()?;
    }
    let report = report::Report::new(&args, bench)?;
    println!("\n{}", report.markdown_table());
    fs::create_dir_all("bench-out")?;
    fs::write("bench-out/result.json", serde_json::to_string_pretty(&report)?)?;
    if args.write {
        let before = fs::read_to_string("BENCHMARKS.md").unwrap_or_default();
        let before = if args.only.is_empty() { "" } else { &before };
        fs::write("BENCHMARKS.md", report.markdown(before)).context("BENCHMARKS.md")?;
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
