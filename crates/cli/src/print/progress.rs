//! A run's lines on standard error, and on a terminal a bar below them.

use std::io::IsTerminal;
use std::sync::Mutex;

use clusterlore_pipeline::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws what a run tells.
pub(crate) struct Lines {
    bar: ProgressBar,
    /// What a dry run would do: printed on standard output when the run has ended.
    would: Mutex<Vec<String>>,
}

/// A bar on a terminal, nothing elsewhere.
fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Counts what nobody knows the number of.
pub(crate) struct Count(ProgressBar);

impl Count {
    pub(crate) fn new(what: &'static str) -> Self {
        let count = Self(bar("{spinner} {pos} {msg}"));
        count.0.set_message(what);
        count
    }

    pub(crate) fn set(&self, number: usize) {
        self.0.set_position(number as u64);
    }

    pub(crate) fn hear(&self, progress: &Progress) {
        match progress {
            Progress::Stored(number) => self.set(*number),
            other => self.0.suspend(|| super::note(&other.to_string())),
        }
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { bar: bar("{bar:30} {pos}/{len} {msg}"), would: Mutex::default() }
    }

    pub(crate) fn hear(&self, progress: Progress) {
        match &progress {
            Progress::Listed(n) => return self.bar.set_message(format!("types, {n} objects")),
            Progress::Stored(n) => return self.bar.set_position(*n as u64),
            Progress::WouldStore(_) | Progress::WouldDelete(_) => {
                let mut would = self.would.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                return would.push(progress.to_string());
            }
            Progress::Listing { number, of, .. } => {
                self.bar.set_length(*of as u64);
                self.bar.set_position(*number as u64 - 1);
            }
            Progress::Inferring { number, of, .. } => {
                self.bar.set_length(*of as u64);
                self.bar.set_position(*number as u64 - 1);
                self.bar.set_message("types");
            }
            Progress::Storing(n) | Progress::StoringCapabilities(n) => {
                self.bar.set_length(*n as u64);
                self.bar.set_position(0);
                self.bar.set_message("documents");
            }
            _ => {}
        }
        self.bar.suspend(|| super::note(&progress.to_string()));
    }

    /// Takes the bar away and gives what a dry run would do.
    pub(crate) fn finish(self) -> Vec<String> {
        self.bar.finish_and_clear();
        self.would.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
