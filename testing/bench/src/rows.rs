//! What is measured, row by row: clusterlore and its yardstick in turn, so that a slow minute of the machine meets both.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clusterlore_testkit::real::ApiServer;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    args::{Args, OBJECTS, TYPES},
    process::{Run, Sample, run, time},
};

const BARE_LISTS: &str = "the bare lists, read as clusterlore reads them";

/// A line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    /// What the design asks for.
    pub(crate) target: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Sample,
    /// What it is compared with, if with anything.
    pub(crate) yardstick: Option<(String, Sample)>,
    /// Faster or slower by; the target's number where the target is a ratio.
    pub(crate) ratio: Option<f64>,
    pub(crate) met: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    Megabytes,
}

/// Questions of one batch.
const BATCH: usize = 200;
/// How often a second sync is measured, each time with the bare lists beside it: both take half a second, in which much can happen.
const PAIRS: u32 = 15;

pub(crate) struct Bench<'a> {
    args: &'a Args,
    dir: TempDir,
    rows: Vec<Row>,
    /// Programs that only some rows start, with their versions.
    versions: Vec<String>,
    /// What Chroma's own client takes for a question.
    chroma: Option<Sample>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(args: &'a Args) -> Result<Self> {
        Ok(Self {
            args,
            dir: tempfile::Builder::new().prefix("clusterlore-bench-").tempdir()?,
            rows: Vec::new(),
            versions: Vec::new(),
            chroma: None,
        })
    }

    pub(crate) fn into_rows(self) -> (Vec<Row>, Vec<String>) {
        (self.rows, self.versions)
    }

    pub(crate) fn args(&self) -> &Args {
        self.args
    }

    pub(crate) fn version(&mut self, version: String) {
        if !self.versions.contains(&version) {
            self.versions.push(version);
        }
    }

    pub(crate) fn set_chroma(&mut self, query: Sample) {
        self.chroma = Some(query);
    }

    pub(crate) fn chroma(&self) -> Option<&Sample> {
        self.chroma.as_ref()
    }

    /// Seconds for the bare lists of a cluster, and how many objects they hold.
    pub(crate) fn bare_lists(&self, kubeconfig: &Path) -> Result<(f64, u64)> {
        let lists = run(Command::new(&self.args.bare_lists).arg(kubeconfig))?;
        let listed = lists.stdout.split(' ').next().and_then(|n| n.parse().ok());
        Ok((lists.seconds, listed.with_context(|| format!("bare lists: {}", lists.stdout))?))
    }

    /// Many types, few objects: what a user sees who only wants to know what a sync would do.
    pub(crate) fn dry_run(&mut self, server: &ApiServer) -> Result<()> {
        let types: Vec<String> = server.listed_types().iter().map(|ty| ty.name()).collect();
        let kubeconfig = server.kubeconfig("admin");
        let kubectl = |ty: &str| {
            let mut command = kubectl(server, &kubeconfig);
            command.args(["get", ty, "-A", "-o", "json"]);
            command
        };
        // kubectl remembers what it discovered: the first call of all pays for that, and not in the measurement.
        time(&mut kubectl("namespaces"))?;
        let (mut ours, mut theirs, mut bare) = (Sample::default(), Sample::default(), Sample::default());
        // A yardstick of a minute or more needs no five repetitions to be steady.
        for round in 0..self.args.runs {
            let store = self.dir.path().join("dry-run.db");
            let run = run(self.sync(&kubeconfig, &store).arg("--dry-run"))?;
            let summary: Value = serde_json::from_str(&run.stdout)?;
            ensure!(summary["discovered"] == OBJECTS, "{OBJECTS} objects exist, the dry run says {summary}");
            ours.0.push(run.seconds);
            bare.0.push(self.bare_lists(&kubeconfig)?.0);
            if round < 2 {
                let mut sum = 0.0;
                for ty in &types {
                    sum += time(&mut kubectl(ty))?;
                }
                theirs.0.push(sum);
            }
            self.tell("dry run", &ours, Some(&theirs));
        }
        let ratio = theirs.median() / ours.median();
        self.rows.push(Row {
            what: format!("dry run, {TYPES} types and {OBJECTS} objects"),
            target: "60 times faster".to_owned(),
            unit: Unit::Seconds,
            ours: ours.clone(),
            yardstick: Some(("the same types, one `kubectl get TYPE -A -o json` after another".to_owned(), theirs)),
            ratio: Some(ratio),
            met: ratio >= 60.0,
        });
        self.push_within("that dry run", 1.5, ours, BARE_LISTS, bare);
        Ok(())
    }

    /// List, embed, store into an empty store. The store of the last run stays for the rows that follow.
    pub(crate) fn first_sync(&mut self, server: &ApiServer, measured: bool) -> Result<()> {
        let kubeconfig = server.kubeconfig("admin");
        let (mut ours, mut theirs, mut peak) = (Sample::default(), Sample::default(), Sample::default());
        let mut bare = Sample::default();
        for _ in 0..if measured { self.args.runs } else { 1 } {
            let store = self.store();
            if let Some(folder) = store.parent() {
                let _ = fs::remove_dir_all(folder);
                fs::create_dir_all(folder)?;
            }
            let run = run(&mut self.sync(&kubeconfig, &store))?;
            let summary: Value = serde_json::from_str(&run.stdout)?;
            let stored = summary["stored"].as_u64().unwrap_or(0);
            ensure!(stored >= self.args.pods as u64, "{} pods exist, the sync says {summary}", self.args.pods);
            ours.0.push(run.seconds);
            peak.0.push(run.peak as f64 / 1e6);
            if measured {
                bare.0.push(self.bare_lists(&kubeconfig)?.0);
                theirs.0.push(time(kubectl(server, &kubeconfig).args(["get", "pods", "-A", "-o", "json"]))?);
                self.tell("first sync", &ours, Some(&theirs));
            }
        }
        if !measured {
            return Ok(());
        }
        let ratio = theirs.median() / ours.median();
        self.rows.push(Row {
            what: format!("full first sync (list, embed, store), {} pods of 6 KB metadata", self.args.pods),
            target: "15 times faster".to_owned(),
            unit: Unit::Seconds,
            ours: ours.clone(),
            yardstick: Some(("`kubectl get pods -A -o json` alone".to_owned(), theirs)),
            ratio: Some(ratio),
            met: ratio >= 15.0,
        });
        self.push_within("that sync", 2.5, ours, BARE_LISTS, bare);
        self.push_peak("peak memory of that sync", 100.0, peak);
        Ok(())
    }

    /// A row that may take so many times as long as its yardstick.
    pub(crate) fn push_within(&mut self, what: &str, times: f64, ours: Sample, yardstick: &str, theirs: Sample) {
        let ratio = ours.median() / theirs.median();
        self.rows.push(Row {
            what: what.to_owned(),
            target: format!("within {times} times"),
            unit: Unit::Seconds,
            ours,
            yardstick: Some((yardstick.to_owned(), theirs)),
            ratio: Some(ratio),
            met: ratio <= times,
        });
    }

    /// A row with a bound: of memory the largest has to be below it, of times the median.
    pub(crate) fn push_under(
        &mut self,
        what: &str,
        (most, unit): (f64, Unit),
        ours: Sample,
        yardstick: Option<(String, Sample)>,
    ) {
        let (name, told) = match unit {
            Unit::Seconds => ("s", ours.median()),
            Unit::Milliseconds => ("ms", ours.median()),
            Unit::Megabytes => ("MB", ours.max()),
        };
        let (what, target) = (what.to_owned(), format!("under {most} {name}"));
        self.push(Row { what, target, unit, met: told < most, ours, yardstick, ratio: None });
    }

    /// A row of memory, in MB.
    pub(crate) fn push_peak(&mut self, what: &str, most: f64, peak: Sample) {
        self.push_under(what, (most, Unit::Megabytes), peak, None);
    }

    /// Nothing has changed since the first sync.
    pub(crate) fn second_sync(&mut self, server: &ApiServer) -> Result<()> {
        let kubeconfig = server.kubeconfig("admin");
        let (mut ours, mut theirs) = (Sample::default(), Sample::default());
        // One of each beforehand: both find the same warm server.
        for round in 0..=self.args.runs.max(PAIRS) {
            let sync = run(&mut self.sync(&kubeconfig, &self.store()))?;
            let (lists, listed) = self.bare_lists(&kubeconfig)?;
            let summary: Value = serde_json::from_str(&sync.stdout)?;
            ensure!(
                summary["stored"] == 0 && summary["deleted"] == 0 && summary["unchanged"] == summary["discovered"],
                "nothing has changed, and the sync says {summary}"
            );
            ensure!(Some(listed) == summary["discovered"].as_u64(), "bare lists: {listed}; sync: {summary}");
            if round > 0 {
                ours.0.push(sync.seconds);
                theirs.0.push(lists);
                self.tell("second sync", &ours, Some(&theirs));
            }
        }
        let what = "second sync, nothing changed (0 stored, 0 deleted, so nothing embedded)";
        self.push_within(what, 1.25, ours, BARE_LISTS, theirs);
        Ok(())
    }

    /// A whole process: start, open the store, load the table, search, print.
    pub(crate) fn shell_search(&mut self) -> Result<()> {
        let (mut ours, mut bare) = (Sample::default(), Sample::default());
        for round in 0..=self.args.runs * 2 {
            let version = run(Command::new(&self.args.binary).arg("--version"))?;
            let found = run(self.clusterlore(&self.store()).args(["search", "who takes the payments", "-o", "name"]))?;
            ensure!(!found.stdout.is_empty(), "the search finds nothing");
            if round > 0 {
                ours.0.push(found.seconds * 1e3);
                bare.0.push(version.seconds * 1e3);
            }
        }
        self.tell("search from the shell", &ours, Some(&bare));
        self.rows.push(Row {
            what: format!("one `clusterlore search` from the shell, {} documents", self.args.pods),
            target: "at most 60 ms more".to_owned(),
            unit: Unit::Milliseconds,
            met: ours.median() - bare.median() <= 60.0,
            ours,
            yardstick: Some(("`clusterlore --version`".to_owned(), bare)),
            ratio: None,
        });
        Ok(())
    }

    /// Milliseconds of one question of a batch, for each of these filters, and the largest memory in megabytes.
    pub(crate) fn batches<const N: usize>(
        &self,
        store: &Path,
        filters: [Option<&str>; N],
        rounds: u32,
    ) -> Result<([Sample; N], Sample)> {
        let (one, many) = (self.dir.path().join("one.jsonl"), self.dir.path().join("many.jsonl"));
        fs::write(&one, questions(1))?;
        fs::write(&many, questions(BATCH))?;
        let (mut samples, mut peak) = (std::array::from_fn(|_| Sample::default()), Sample::default());
        for _ in 0..rounds {
            for (sample, filter) in samples.iter_mut().zip(filters) {
                let answer = |file: &Path| -> Result<Run> {
                    let mut command = self.clusterlore(store);
                    command.arg("search").arg("--batch").arg(file).args(["--limit", "10"]);
                    command.args(filter.iter().flat_map(|namespace| ["-n", namespace]));
                    run(&mut command)
                };
                let (alone, all) = (answer(&one)?, answer(&many)?);
                let sample: &mut Sample = sample;
                sample.0.push((all.seconds - alone.seconds) * 1e3 / (BATCH - 1) as f64);
                peak.0.push(all.peak as f64 / 1e6);
            }
        }
        Ok((samples, peak))
    }

    /// What a question costs in a running process: a batch of many less a batch of one, shared out.
    pub(crate) fn batch_search(&mut self) -> Result<()> {
        let ([plain, filtered], _) = self.batches(&self.store(), [None, Some("load-03")], self.args.runs)?;
        self.tell("search in a process", &plain, Some(&filtered));
        let what = format!("search inside a running process, {} documents", self.args.pods);
        self.push_beside_chroma(what, 1.0, plain.clone())?;
        let ratio = filtered.median() / plain.median();
        self.rows.push(Row {
            what: "the same with a namespace filter".to_owned(),
            target: "no slower".to_owned(),
            unit: Unit::Milliseconds,
            // Two samples of the same thing differ by that much.
            met: ratio <= 1.05,
            ours: filtered,
            yardstick: Some(("without filter".to_owned(), plain)),
            ratio: Some(ratio),
        });
        Ok(())
    }

    /// A row of searches that may take so many times as long as Chroma's own client takes for its bare query of 20,000 documents.
    pub(crate) fn push_beside_chroma(&mut self, what: String, times: f64, ours: Sample) -> Result<()> {
        let theirs = self.chroma_query()?;
        let ratio = theirs.median() / ours.median();
        self.rows.push(Row {
            what,
            target: if times > 1.0 { format!("{times} times as long") } else { "no slower".to_owned() },
            unit: Unit::Milliseconds,
            // Two samples of the same thing differ by that much.
            met: ratio * times >= 0.95,
            ours,
            yardstick: Some(("Chroma's own client: `query` of 20000 documents".to_owned(), theirs)),
            ratio: Some(ratio),
        });
        Ok(())
    }

    /// Where what is measured may write.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn rounds(&self) -> u32 {
        self.args.runs
    }

    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.dir.path().join("store/index.db")
    }

    pub(crate) fn clusterlore(&self, store: &Path) -> Command {
        let mut command = Command::new(&self.args.binary);
        command.arg("--store").arg(format!("sqlite:{}", store.display()));
        command
    }

    pub(crate) fn sync(&self, kubeconfig: &Path, store: &Path) -> Command {
        let mut command = self.clusterlore(store);
        command.arg("sync-instances").arg("--kubeconfig").arg(kubeconfig).args(["--output", "json"]);
        command
    }

    pub(crate) fn tell(&self, what: &str, ours: &Sample, other: Option<&Sample>) {
        let last = |sample: &Sample| sample.0.last().map_or_else(String::new, |x| format!("{x:.2}"));
        eprintln!("{what}: {}{}", last(ours), other.map_or_else(String::new, |o| format!(" beside {}", last(o))));
    }
}

fn kubectl(server: &ApiServer, kubeconfig: &Path) -> Command {
    let mut command = Command::new(server.kubectl_path());
    command.arg("--kubeconfig").arg(kubeconfig).arg("--cache-dir").arg(server.dir().join("kubectl-cache"));
    command
}

/// As many different questions as are asked for, a JSON line each.
pub(crate) fn questions(n: usize) -> String {
    let forms = ["which {} are running", "where is the {}", "{} of the shop", "show me all {}", "who looks after {}"];
    let things = [
        "databases",
        "message brokers",
        "caches",
        "web servers",
        "gateways",
        "payment services",
        "invoices",
        "search indexes",
        "mail",
        "image processing",
        "fraud detection",
        "reports",
        "user accounts",
        "feature switches",
        "audit trail",
        "prices",
        "stock",
        "sessions",
        "kafka",
        "postgres",
        "redis",
        "rabbitmq",
        "nginx",
        "metrics",
        "orders",
        "checkout",
        "shopping carts",
        "front end",
        "catalogue",
        "queues",
        "key-value stores",
        "ingress controllers",
        "relational data",
        "event streams",
        "customer profiles",
        "log collection",
        "recommendations",
        "delivery",
        "tax",
        "refunds",
    ];
    let mut lines = String::new();
    for i in 0..n {
        let (form, thing) = (forms[i % forms.len()], things[i / forms.len() % things.len()]);
        let line = serde_json::json!({"id": i.to_string(), "q": form.replace("{}", thing), "target": "instances"});
        let _ = writeln!(lines, "{line}");
    }
    lines
}
