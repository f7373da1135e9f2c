//! What a run tells on standard error: on a terminal one line that moves and is gone at the end, elsewhere a line each.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clusterlore_core::words::cut;
use clusterlore_pipeline::Progress;

use super::foreign::visible;
use super::screen;
use super::stderr::{note, speaks_json};
use crate::args::Shown;

/// Columns of the line that moves: so few that a terminal made narrower does not fold it, and leaves nothing of it behind.
const MOVING: usize = 58;
/// How long it stands at least.
const PAUSE: Duration = Duration::from_millis(50);

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

/// A line at the bottom of the terminal that says how far something is; nothing elsewhere. The cursor stays behind its last sign: a line
/// that is filled up to the edge would be folded by a terminal that is made narrower.
pub(super) struct Moving {
    moves: bool,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    text: String,
    drawn: Option<Instant>,
}

impl Moving {
    pub(super) fn new() -> Self {
        let moves = std::io::stderr().is_terminal() && is(Shown::Auto) && !speaks_json() && !screen::is_dumb();
        Self { moves, line: Mutex::default() }
    }

    /// Whether it is seen.
    pub(super) fn moves(&self) -> bool {
        self.moves
    }

    /// Says something else.
    pub(super) fn say(&self, text: &str) {
        self.put(text, Duration::ZERO);
    }

    /// Says how far a count is, which changes faster than it is read.
    pub(super) fn count(&self, text: &str) {
        self.put(text, PAUSE);
    }

    fn put(&self, text: &str, pause: Duration) {
        let mut line = self.locked();
        let room = screen::width_of_stderr().map_or(MOVING, |width| width.saturating_sub(1).min(MOVING));
        line.text = cut(&visible(text), room).into_owned();
        if self.moves && line.drawn.is_none_or(|drawn| drawn.elapsed() >= pause) {
            line.drawn = Some(Instant::now());
            draw(&line.text);
        }
    }

    /// Prints something while the line is away.
    pub(super) fn hidden(&self, print: impl FnOnce()) {
        let line = self.locked();
        let seen = self.moves && line.drawn.is_some();
        if seen {
            draw("");
        }
        print();
        if seen {
            draw(&line.text);
        }
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        let mut line = self.locked();
        if self.moves && line.drawn.take().is_some() {
            draw("");
        }
    }

    fn locked(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Draws over what stood there. The terminal was asked whether it is one.
fn draw(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\r{text}\u{1b}[K").and_then(|()| stderr.flush());
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
        self.line.count(&format!("{number} {}", self.what));
    }

    pub(crate) fn hear(&self, progress: &Progress) {
        match progress {
            Progress::Stored(number) => self.set(*number),
            other => self.line.hidden(|| note(&other.to_string())),
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
            Progress::Listed(n) => return self.line.count(&format!("Listed {n} objects")),
            Progress::Stored(n) => {
                let all = self.storing.load(Ordering::Relaxed);
                return self.line.count(&format!("Stored {n} of {all} documents"));
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
                    self.line.hidden(|| note(&progress.to_string()));
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
