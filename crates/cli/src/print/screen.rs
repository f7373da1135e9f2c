//! The terminal that standard output is, as far as there is one.

use std::io::IsTerminal;

/// Columns of standard output: `COLUMNS` where it is set, else those of the terminal. `None` where it has no width: a pipe, a file, a
/// terminal that does not tell its size.
pub(super) fn width() -> Option<usize> {
    set("COLUMNS").or_else(|| size().map(|(columns, _)| columns))
}

/// Lines of the terminal that standard output is: `LINES` where it is set. `None` where it is none, or one that does not tell its size.
pub(super) fn height() -> Option<usize> {
    let at_terminal = std::io::stdout().is_terminal();
    set("LINES").filter(|_| at_terminal).or_else(|| size().map(|(_, lines)| lines))
}

/// Lines of a screen that these take: long ones go on in the next.
pub(super) fn rows(lines: &[String]) -> usize {
    let width = width().unwrap_or(usize::MAX);
    lines.iter().map(|line| line.chars().count().div_ceil(width).max(1)).sum()
}

fn set(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.trim().parse().ok().filter(|number| *number > 0)
}

fn size() -> Option<(usize, usize)> {
    let stdout = std::io::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten()?;
    let size = (usize::from(size.ws_col), usize::from(size.ws_row));
    (size.0 > 0 && size.1 > 0).then_some(size)
}
