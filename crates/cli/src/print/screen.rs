//! The terminals that standard output and standard error are, as far as they are any.

use std::io::IsTerminal;

use terminal_size::{Height, Width, terminal_size_of};

/// Columns of standard output: `COLUMNS` where it is set, else those of the terminal. `None` where it has no width: a pipe, a file, a
/// terminal that does not tell its size.
pub(super) fn width() -> Option<usize> {
    set("COLUMNS").or_else(|| terminal_size_of(std::io::stdout()).map(columns))
}

/// Columns of the terminal that standard error is, if it tells them.
pub(super) fn width_of_stderr() -> Option<usize> {
    terminal_size_of(std::io::stderr()).map(columns)
}

/// Whether a terminal can do nothing but write.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Lines of the terminal that standard output is: `LINES` where it is set. `None` where it is none, or one that does not tell its size.
pub(super) fn height() -> Option<usize> {
    let at_terminal = std::io::stdout().is_terminal();
    set("LINES")
        .filter(|_| at_terminal)
        .or_else(|| terminal_size_of(std::io::stdout()).map(|(_, Height(lines))| lines.into()))
}

/// Lines of a screen that these take: long ones go on in the next.
pub(super) fn rows(lines: &[String]) -> usize {
    let width = width().unwrap_or(usize::MAX);
    lines.iter().map(|line| line.chars().count().div_ceil(width).max(1)).sum()
}

fn set(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.trim().parse().ok().filter(|number| *number > 0)
}

fn columns((Width(columns), _): (Width, Height)) -> usize {
    columns.into()
}
