//! A million objects: a fake API server makes them as they are asked for, in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use clusterlore_core::ResourceType;
use clusterlore_testkit::fake::FakeApiServer;
use serde_json::Value;

use crate::process::{Sample, run};
use crate::rows::{Bench, Row, Unit};
use crate::stores::{KINDS, instance};

/// Runs in a program of its own, so that its memory is not that of what is measured.
pub(crate) const FAKE_SERVER: &str = "fake-server";

/// Memory of a sync, and of searches among what it stored, in MB.
const SYNC_MEMORY: f64 = 200.0;
const SEARCH_MEMORY: f64 = 400.0;
/// Share of a sync's time that is for other things than lists, vectors and writing.
const OTHER: f64 = 0.1;

/// Serves so many objects until standard input ends; prints the kubeconfig.
pub(crate) fn serve(objects: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let server = runtime.block_on(FakeApiServer::start());
    let each = objects / KINDS.len();
    for (at, (kind, version, type_name)) in KINDS.into_iter().enumerate() {
        let (plural, group) = type_name.split_once('.').unwrap_or((type_name, ""));
        let version = version.rsplit('/').next().unwrap_or(version);
        server.add_type(ResourceType {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: true,
            ..ResourceType::default()
        });
        let count = if at == 0 { objects - each * (KINDS.len() - 1) } else { each };
        server.generate(type_name, count, move |n| instance(n * KINDS.len() + at));
    }
    println!("{}", server.kubeconfig().display());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

/// The server, as long as this is there.
struct Serving {
    child: Child,
    kubeconfig: PathBuf,
}

impl Serving {
    fn start(objects: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([FAKE_SERVER, &objects.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        ensure!(!line.trim().is_empty(), "the fake server does not start");
        Ok(Self { child, kubeconfig: PathBuf::from(line.trim()) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Its standard input ends with this, and so does it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Bench<'_> {
    /// The first sync of a million objects, and searches among them.
    pub(crate) fn million(&mut self) -> Result<()> {
        let objects = self.args().objects;
        let folder = self.folder().join("million");
        fs::create_dir_all(&folder)?;
        let store = folder.join("index.db");
        let server = Serving::start(objects)?;
        self.million_sync(objects, &server.kubeconfig, &store)?;
        drop(server);
        let ([plain], peak) = self.batches(&store, [None], self.rounds().min(3))?;
        self.tell("search among a million", &plain, Some(&peak));
        self.push_beside_chroma(format!("search inside a running process, {objects} documents"), 10.0, plain)?;
        self.push_peak("peak memory of those searches", SEARCH_MEMORY, peak);
        Ok(())
    }

    fn million_sync(&mut self, objects: usize, kubeconfig: &Path, store: &Path) -> Result<()> {
        let (bare, listed) = self.bare_lists(kubeconfig)?;
        let sync = run(&mut self.sync(kubeconfig, store))?;
        let summary: Value = serde_json::from_str(&sync.stdout)?;
        let stored = summary["stored"].as_u64().unwrap_or(0);
        ensure!(stored == listed && stored >= objects as u64, "{listed} objects exist, the sync says {summary}");
        let seconds = |of: &str| summary["seconds"][of].as_f64().unwrap_or(f64::NAN);
        // Embedding is part of what a sync calls storing. What it calls listing holds the comparing; the bare lists do not.
        let other = sync.seconds - bare - seconds("store");
        eprintln!(
            "sync of {objects} objects: {:.1} s, of which the bare lists take {bare:.1}, its own {:.1}, storing {:.1}; {:.0} MB",
            sync.seconds,
            seconds("list"),
            seconds("store"),
            sync.peak as f64 / 1e6
        );
        let (ours, other) = (Sample(vec![sync.seconds]), Sample(vec![other.max(0.0)]));
        let share = other.median() / ours.median();
        self.push(Row {
            what: format!("seconds outside lists, vectors and writing, of a first sync of {objects} objects"),
            target: "under a tenth of its time".to_owned(),
            unit: Unit::Seconds,
            met: share < OTHER,
            ours: other,
            yardstick: Some(("the whole sync".to_owned(), ours)),
            ratio: Some(share),
        });
        self.push_peak("peak memory of that sync", SYNC_MEMORY, Sample(vec![sync.peak as f64 / 1e6]));
        Ok(())
    }
}
