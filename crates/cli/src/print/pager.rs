//! What is longer than the screen, through a pager as git has it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::screen;
use super::stderr::shown;

/// Whether nothing is paged.
static OFF: AtomicBool = AtomicBool::new(false);

/// From now on nothing goes through a pager.
pub(crate) fn without_pager() {
    OFF.store(true, Ordering::Relaxed);
}

/// Whether a pager showed these lines: on a terminal that they do not fit, what `PAGER` names, else less. An empty `PAGER`, or `cat`, is
/// none.
pub(super) fn showed(all: &[String]) -> bool {
    let fits = screen::height().is_none_or(|height| screen::rows(all) < height);
    !(fits || screen::is_dumb() || OFF.load(Ordering::Relaxed)) && through_pager(all)
}

/// Whether a pager took them. One that cannot be started took nothing.
fn through_pager(all: &[String]) -> bool {
    let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    if pager.trim().is_empty() || pager.trim() == "cat" {
        return false;
    }
    // A shell, because PAGER may hold flags.
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {pager}")]);
    command.stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // A reader that goes away has read enough.
        let _ = all.iter().try_for_each(|line| writeln!(stdin, "{}", shown(line)));
    }
    // The status by which a shell says that there is no such program.
    child.wait().is_ok_and(|status| status.code() != Some(127))
}
