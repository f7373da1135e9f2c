//! What a run tells on standard error: on a terminal one line that moves and is gone at the end, elsewhere a line each.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clusterlore_core::words::cut;
use clusterlore_pipeline::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::foreign::visible;
use super::stderr::speaks_json;
use crate::args::Shown;

/// Columns of the line that moves: so few that a terminal made narrower does not fold it, and leaves nothing of it behind.
const MOVING: usize = 58;

static SHOWN: AtomicU8 = AtomicU8::new(Shown::Auto as u8);

/// How progress is shown from now on.
pub(crate) fn show(shown: Shown) {
    SHOWN.store(shown as u8, Ordering::Relaxed);
}

/// Whether progress is shown so.
fn is(shown: Shown) -> bool {
    SHOWN.load(Ordering::Relaxed) == shown as u8
}

/// Whether nothing is told but what is wrong.
pub(super) fn is_quiet() -> bool {
    is(Shown::Quiet)
}

/// A line at the bottom of the terminal that says how far something is; nothing elsewhere.
pub(super) struct Moving(ProgressBar);

impl Moving {
    pub(super) fn new() -> Self {
        let line = ProgressBar::new_spinner();
        let moves = std::io::stderr().is_terminal() && is(Shown::Auto) && !speaks_json() && !is_dumb();
        line.set_draw_target(match moves {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        });
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        if moves {
            line.enable_steady_tick(Duration::from_millis(200));
        }
        Self(line)
    }

    /// Whether it is seen.
    pub(super) fn moves(&self) -> bool {
        !self.0.is_hidden()
    }

    pub(super) fn say(&self, text: &str) {
        self.0.set_message(cut(&visible(text), MOVING).into_owned());
    }

    /// Prints something while the line is away.
    pub(super) fn hidden(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Whether a terminal can do nothing but write.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Counts what nobody knows the number of.
pub(crate) struct Count {
    line: Moving,
    what: &'static str,
}

impl Count {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { line: Moving::new(), what }
    }

    pub(crate) fn set(&self, number: usize) {
        self.line.say(&format!("{number} {}", self.what));
    }

    pub(crate) fn hear(&self, progress: &Progress) {
        match progress {
            Progress::Stored(number) => self.set(*number),
            other => self.line.hidden(|| super::note(&other.to_string())),
        }
    }

    pub(crate) fn finish(&self) {
        self.line.finish();
    }
}

/// Draws what a run tells.
pub(crate) struct Lines {
    line: Moving,
    /// How many documents are written, as soon as that began.
    storing: AtomicUsize,
    /// What a dry run would do: printed on standard output when the run has ended.
    would: Mutex<Vec<String>>,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { line: Moving::new(), storing: AtomicUsize::new(0), would: Mutex::default() }
    }

    pub(crate) fn hear(&self, progress: Progress) {
        match &progress {
            Progress::WouldStore(_) | Progress::WouldDelete(_) => {
                return self.would.lock().unwrap_or_else(PoisonError::into_inner).push(progress.to_string());
            }
            Progress::Listed(n) => return self.line.say(&format!("Listed {n} objects")),
            Progress::Stored(n) => {
                let all = self.storing.load(Ordering::Relaxed);
                return self.line.say(&format!("Stored {n} of {all} documents"));
            }
            Progress::Storing(n) | Progress::StoringCapabilities(n) => {
                self.storing.store(*n, Ordering::Relaxed);
            }
            _ => {}
        }
        // What is wrong stays to be read; so does why nothing moves.
        let stays = progress.is_trouble() || matches!(progress, Progress::WaitingForLock { .. });
        match &progress {
            _ if stays || !self.line.moves() => {
                if stays || !is_quiet() {
                    self.line.hidden(|| super::note(&progress.to_string()));
                }
            }
            Progress::Listing { number, of, .. } => self.line.say(&format!("Listing type {number} of {of}")),
            Progress::Inferring { number, of, .. } => self.line.say(&format!("Reading type {number} of {of}")),
            told => self.line.say(told.to_string().trim_end_matches('.')),
        }
    }

    /// Takes the line away and gives what a dry run would do.
    pub(crate) fn finish(self) -> Vec<String> {
        self.line.finish();
        self.would.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
