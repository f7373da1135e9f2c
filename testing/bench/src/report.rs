//! What was measured, for people and for programs.

use std::{fmt::Write as _, fs, process::Command};

use anyhow::Result;
use serde::Serialize;

use crate::{
    args::Args,
    process::Sample,
    rows::{Bench, Row, Unit},
};

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    date: String,
    commit: String,
    machine: String,
    versions: Vec<String>,
    rows: Vec<Row>,
}

/// How a line about a run begins.
const RUN: &str = "- **";
/// How a row begins.
const CELL: &str = "| ";
const HEAD: &str =
    "| what | target | clusterlore | yardstick | ratio | met | run |\n| --- | --- | --- | --- | --- | --- | --- |\n";

impl Report {
    pub(crate) fn new(args: &Args, bench: Bench<'_>) -> Result<Self> {
        let (rows, more) = bench.into_rows();
        let say = |command: &mut Command| {
            let out = command.output().map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
            out.unwrap_or_else(|e| format!("{command:?}: {e}"))
        };
        let commit = say(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
        let kubectl = say(Command::new("kubectl").args(["version", "--client"]));
        let mut versions = vec![
            say(Command::new(&args.binary).arg("--version")),
            say(Command::new("rustc").arg("--version")),
            "kube-apiserver 1.34.4, etcd 3.6.4 on the same machine".to_owned(),
            format!("kubectl {}", kubectl.lines().next().unwrap_or_default().trim_start_matches("Client Version: ")),
        ];
        versions.extend(more);
        let date = jiff::Timestamp::now().to_string();
        Ok(Self { date: date.chars().take(10).collect(), commit, machine: machine(), versions, rows })
    }

    /// The whole page. What `before`, an earlier page, has beside these rows stays in it.
    pub(crate) fn markdown(&self, before: &str) -> String {
        let table = self.markdown_table();
        let of = |line: &str| line.split(" | ").next().unwrap_or_default().to_owned();
        let new: Vec<&str> = table.lines().skip(HEAD.lines().count()).collect();
        let renewed = |line: &str| new.iter().find(|row| of(row) == of(line)).copied();
        let body = |line: &&str| line.starts_with(CELL) && !HEAD.contains(line);
        let known: Vec<&str> = before.lines().filter(body).collect();
        let mut rows: Vec<&str> = known.iter().map(|line| renewed(line).unwrap_or(line)).collect();
        rows.extend(new.iter().filter(|row| !known.iter().any(|line| of(line) == of(row))));
        let this = format!("{RUN}{}**: {}; {}.", self.run(), self.machine, self.versions.join(", "));
        // A run of which no row is left has nothing to say.
        let told = |line: &&str| {
            let name = line.strip_prefix(RUN).and_then(|rest| rest.split_once("**"));
            name.is_some_and(|(run, _)| {
                run != self.run() && rows.iter().any(|row| row.ends_with(&format!("| {run} |")))
            })
        };
        let runs: Vec<&str> = before.lines().filter(told).chain([this.as_str()]).collect();
        format!(
            "# Benchmarks\n\n\
             {}\n\n\
             {HEAD}{}\n\n\
             Seconds and milliseconds are medians with the smallest and the largest in brackets; memory is the largest resident set. \
             clusterlore and its yardstick take turns in one run, since only ratios travel between machines. The yardsticks write to \
             /dev/null. \"No slower\" is met within 5 %, by which two samples of one thing differ.\n\n\
             A million objects come from a fake API server, which makes them as they are asked for, in a process of its own; what the sync \
             takes beside the bare lists of the same server and its own storing (in which vectors are made) is what it takes for other \
             things. Of the stores, each side has a new server, alone on the machine, 1,000 documents a batch, 256 dimensions, and the \
             yardstick writes the very rows that ours wrote; writing includes the end of a run, when Postgres makes its vector index. \
             Milliseconds there are medians over 100 questions.\n\n\
             To repeat it: `./bench --write` (Rust, Go 1.26, kubectl and Python; most of an hour on two cores, an idle machine). \
             `./bench --write --only first-sync` renews one row, `./bench --serve pods` starts the cluster of a row and waits.\n",
            runs.join("\n"),
            rows.join("\n"),
        )
    }

    /// What rows say of when they were measured.
    fn run(&self) -> String {
        format!("{} {}", self.date, self.commit)
    }

    pub(crate) fn markdown_table(&self) -> String {
        let mut table = HEAD.to_owned();
        for row in &self.rows {
            let yardstick = row
                .yardstick
                .as_ref()
                .map_or_else(|| "–".to_owned(), |(what, sample)| format!("{}: {what}", shown(sample, row.unit)));
            let ratio = row.ratio.map_or_else(|| "–".to_owned(), |r| format!("{r:.*}", usize::from(r < 10.0) + 1));
            let met = if row.met { "yes" } else { "**no**" };
            let ours = shown(&row.ours, row.unit);
            let _ = writeln!(
                table,
                "| {} | {} | {ours} | {yardstick} | {ratio} | {met} | {} |",
                row.what,
                row.target,
                self.run()
            );
        }
        table
    }
}

fn shown(sample: &Sample, unit: Unit) -> String {
    let (digits, name) = match unit {
        Unit::Seconds => (2, "s"),
        Unit::Milliseconds => (1, "ms"),
        Unit::Megabytes => return format!("{:.0} MB", sample.max()),
    };
    let [median, min, max] = [sample.median(), sample.min(), sample.max()];
    format!("{median:.digits$} {name} ({min:.digits$}–{max:.digits$})")
}

/// Processor, cores and memory, as the kernel names them.
fn machine() -> String {
    let value = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':')).map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: u64 = value("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let gib = memory as f64 / f64::from(1 << 20);
    format!("{} ({cores} cores, {gib:.0} GiB)", value("/proc/cpuinfo", "model name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_well() {
        let row = Row {
            what: "a".to_owned(),
            target: "25 times faster".to_owned(),
            unit: Unit::Seconds,
            ours: Sample(vec![1.0, 3.0, 2.0]),
            yardstick: Some(("b".to_owned(), Sample(vec![60.0]))),
            ratio: Some(30.0),
            met: true,
        };
        let last = report("May 2", row).markdown_table().lines().last().unwrap().to_owned();
        assert_eq!(
            last,
            "| a | 25 times faster | 2.00 s (1.00–3.00) | 60.00 s (60.00–60.00): b | 30.0 | yes | May 2 abc |"
        );
    }

    #[test]
    fn a_run_of_some_rows_leaves_the_others() {
        let row = |what: &str, seconds| Row {
            what: what.to_owned(),
            target: "under 9 s".to_owned(),
            unit: Unit::Seconds,
            ours: Sample(vec![seconds]),
            yardstick: None,
            ratio: None,
            met: true,
        };
        let first = report("May 1", row("a", 1.0)).markdown("");
        let second = report("May 2", row("b", 2.0)).markdown(&first);
        assert_eq!(second.matches("May 1 abc").count(), 2, "{second}");
        assert!(second.contains("- **May 1 abc**: here; .\n- **May 2 abc**: here; .\n\n| what |"), "{second}");
        assert!(second.contains("| a | under 9 s | 1.00 s (1.00–1.00) | – | – | yes | May 1 abc |\n| b |"), "{second}");
        // The same run again, and then no row of the first is left.
        assert_eq!(report("May 2", row("b", 2.0)).markdown(&second), second);
        let third = report("May 3", row("a", 3.0)).markdown(&second);
        assert!(
            !third.contains("May 1") && third.contains("| a | under 9 s | 3.00 s") && third.contains("May 2"),
            "{third}"
        );
    }

    fn report(date: &str, row: Row) -> Report {
        Report {
            date: date.to_owned(),
            commit: "abc".to_owned(),
            machine: "here".to_owned(),
            versions: Vec::new(),
            rows: vec![row],
        }
    }
}
