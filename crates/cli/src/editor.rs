//! The line that a user types on a terminal, with what was typed before.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reedline::{
    FileBackedHistory, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline, Signal,
};

use crate::print;

/// Lines that are kept.
const KEPT: usize = 1_000;

/// What a user did at the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A line.
    Line(String),
    /// Nothing: Ctrl-C.
    Nothing,
    /// The end: Ctrl-D.
    End,
}

/// Reads lines from the terminal.
pub(crate) struct Editor {
    line: Reedline,
}

impl Editor {
    /// With the lines of a file, which is made for this user alone. Where it cannot be, nothing is remembered. `stop` ends the reading.
    pub(crate) fn open(history: Option<PathBuf>, stop: Arc<AtomicBool>) -> Self {
        let line = Reedline::create().with_break_signal(stop).with_ansi_colors(print::has_colours());
        let kept = history.and_then(|file| {
            own(&file).ok()?;
            FileBackedHistory::with_file(KEPT, file).ok()
        });
        let line = match kept {
            Some(kept) => line.with_history(Box::new(kept)),
            None => line,
        };
        Self { line }
    }

    /// Waits for a line.
    pub(crate) fn read(&mut self) -> std::io::Result<Typed> {
        let read = self.line.read_line(&Mark).map_err(std::io::Error::other)?;
        let _ = self.line.sync_history();
        Ok(match read {
            Signal::Success(line) => Typed::Line(line),
            Signal::CtrlC => Typed::Nothing,
            _ => Typed::End,
        })
    }
}

/// Makes the file, and its folder, for this user alone.
fn own(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ())
}

/// What stands before the line.
struct Mark;

impl Prompt for Mark {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "clusterlore".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "... ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = matches!(search.status, PromptHistorySearchStatus::Failing);
        format!("({}search: {}) ", if failing { "nothing found, " } else { "" }, search.term).into()
    }
}
