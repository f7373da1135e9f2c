//! Everything that is printed: tables, JSON shapes, progress lines, errors.

pub(crate) mod hits;
pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod table;

use std::io::Write;

use clusterlore_pipeline::Summary;
use owo_colors::OwoColorize;
use serde::Serialize;

/// What went wrong, in one line, on standard error. Colours are dropped where they are not wanted.
pub(crate) fn error(error: &anyhow::Error) {
    let _ = writeln!(anstream::stderr(), "{} {error:#}", "error:".red().bold());
}

/// A line on standard error.
pub(crate) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// How a run ended: what a dry run would do on standard output, the rest on standard error.
pub(crate) fn summary(summary: &Summary, would: &[String], dry_run: bool, json: bool) -> anyhow::Result<()> {
    if !json {
        would.iter().try_for_each(|line| self::line(line))?;
    }
    if let Some(line) = summary.skipped_line() {
        note(&line);
    }
    if dry_run {
        note(&format!(
            "Dry run, nothing was written: {} discovered, {} would be stored, {} would be deleted, {} unchanged.",
            summary.discovered, summary.stored, summary.deleted, summary.unchanged
        ));
    } else {
        note(&summary.line());
    }
    Ok(())
}

/// A line on standard output.
pub(crate) fn line(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(anstream::stdout(), "{line}")?)
}

/// JSON, indented, on standard output.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// YAML on standard output.
pub(crate) fn yaml(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_saphyr::to_string(value)?.trim_end())
}
