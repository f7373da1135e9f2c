//! Programs with a stopwatch beside them.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

/// How one run of a program went.
pub(crate) struct Run {
    /// From start to exit.
    pub(crate) seconds: f64,
    /// Largest resident memory, in bytes.
    pub(crate) peak: u64,
    pub(crate) stdout: String,
}

/// Runs a program whose output matters.
pub(crate) fn run(command: &mut Command) -> Result<Run> {
    let began = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.with_context(|| format!("{command:?} cannot be started"))?;
    let watch = Watch::begin(&child);
    let output = child.wait_with_output()?;
    let seconds = began.elapsed().as_secs_f64();
    let peak = watch.end();
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(Run { seconds, peak, stdout: String::from_utf8(output.stdout)? })
}

/// Seconds that a program takes whose output goes to /dev/null.
pub(crate) fn time(command: &mut Command) -> Result<f64> {
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Reads the kernel's high-water mark of a process again and again: only what it grows in its last five milliseconds is missed, and
/// unlike `getrusage` it needs no unsafe code and never mixes two children up.
struct Watch {
    thread: thread::JoinHandle<u64>,
    stop: std::sync::Arc<AtomicBool>,
}

impl Watch {
    fn begin(child: &Child) -> Self {
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let (stopped, status) = (stop.clone(), format!("/proc/{}/status", child.id()));
        let thread = thread::spawn(move || {
            let mut peak = 0;
            while !stopped.load(Ordering::Relaxed) {
                peak = high_water(Path::new(&status)).unwrap_or(0).max(peak);
                thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        Self { thread, stop }
    }

    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(0)
    }
}

/// The largest resident memory of a process so far, in bytes, by its `/proc/ID/status`.
pub(crate) fn high_water(status: &Path) -> Option<u64> {
    field(status, "VmHWM:")
}

/// What it holds now.
pub(crate) fn resident(status: &Path) -> Option<u64> {
    field(status, "VmRSS:")
}

fn field(status: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The same thing measured several times.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Sample(pub(crate) Vec<f64>);

impl Sample {
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        }
    }

    pub(crate) fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(Sample(vec![3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(Sample(vec![4.0, 1.0, 2.0, 3.0]).median(), 2.5);
    }

    #[test]
    fn the_peak_of_a_process_is_seen() {
        let run = run(Command::new("sh").args(["-c", "sleep 0.3; echo done"])).unwrap();
        assert_eq!(run.stdout, "done\n");
        assert!(run.peak > 100_000 && run.seconds >= 0.3, "{} bytes, {} s", run.peak, run.seconds);
    }
}
