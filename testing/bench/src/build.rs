//! What whoever builds the program waits for: a release build with nothing compiled before, and how large the program is.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::process::Sample;
use crate::rows::{Bench, Unit};

/// Seconds on two cores.
const MOST_SECONDS: f64 = 240.0;
/// Megabytes, with the encoder in it.
const MOST_MEGABYTES: f64 = 60.0;

impl Bench<'_> {
    /// One build, in a folder of its own: a second one takes as long.
    pub(crate) fn build(&mut self) -> Result<()> {
        let target = self.folder().join("target");
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args(["build", "--locked", "--offline", "--quiet", "--release", "--package", "clusterlore"]);
        command.arg("--target-dir").arg(&target).env_remove("CARGO_TARGET_DIR").env("CARGO_INCREMENTAL", "0");
        let began = Instant::now();
        ensure!(command.status().context("cargo")?.success(), "the release build failed; see above");
        let took = Sample(vec![began.elapsed().as_secs_f64()]);
        let program = format!("clusterlore{}", std::env::consts::EXE_SUFFIX);
        let size = Sample(vec![fs::metadata(target.join("release").join(program))?.len() as f64 / 1e6]);
        fs::remove_dir_all(target)?;
        self.push_under("cold release build, crates fetched before", (MOST_SECONDS, Unit::Seconds), took, None);
        self.push_peak("size of the program, stripped, with its weights", MOST_MEGABYTES, size);
        Ok(())
    }
}
