//! The page in a real browser: from the last key to the first hits.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clusterlore_testkit::real;
use serde_json::{Value, json};

use crate::process::Sample;
use crate::rows::{Bench, Unit, questions};
use crate::serving::{Serving, percentile};

/// Questions that are typed in one round.
const TYPED: usize = 40;
/// What types them.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../browser/first-hits.mjs");

impl Bench<'_> {
    /// The row of the page, over the store of the large cluster.
    pub(crate) fn page(&mut self) -> Result<()> {
        let installed =
            real::browsers_or_skip().context("a browser is missing; testing/browser/build says how to get it")?;
        let mut command = self.clusterlore(&self.store());
        command.env("XDG_DATA_HOME", self.folder());
        let serving = Serving::start(command, &["--no-watch", "--live", "never"])?;
        let read = |line: &str| serde_json::from_str::<Value>(line).map(|asked| asked["q"].clone());
        let asked = questions(TYPED).lines().map(read).collect::<Result<Vec<Value>, _>>()?;
        let given = json!({"browser": "chromium", "open": format!("http://{}", serving.address), "questions": asked});
        let mut ours = Sample::default();
        for _ in 0..self.rounds() {
            let mut node = Command::new("node")
                .arg(SCRIPT)
                .env("CLUSTERLORE_BROWSER", &installed)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            node.stdin.take().context("standard input")?.write_all(given.to_string().as_bytes())?;
            let ran = node.wait_with_output()?;
            ensure!(ran.status.success(), "{SCRIPT} failed");
            let took: Vec<f64> = serde_json::from_slice(&ran.stdout)?;
            ensure!(took.len() > TYPED / 4, "of {TYPED} questions only {} have hits", took.len());
            eprintln!(
                "last key to first hits: p50 {:.0}, p95 {:.0} ms",
                percentile(took.clone(), 50),
                percentile(took.clone(), 95)
            );
            ours.0.push(percentile(took, 95));
        }
        let what = format!(
            "last key to first hits painted in Chromium, 60 ms of which the page waits for another key: p95 of {TYPED} typed questions, {} \
             documents",
            self.args().pods
        );
        self.push_under(&what, (150.0, Unit::Milliseconds), ours, None);
        Ok(())
    }
}
