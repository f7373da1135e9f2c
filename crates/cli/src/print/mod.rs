//! Everything that is printed: tables, JSON shapes, progress lines, errors.

pub(crate) mod hits;
pub(crate) mod log;
pub(crate) mod numbers;
pub(crate) mod progress;
pub(crate) mod table;

use std::io::Write;

use clusterlore_pipeline::Summary;
use clusterlore_search::Understood;
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

/// What of a question was read otherwise than it stands there, on standard error; with `explain` all that was read off it.
pub(crate) fn understood(understood: &Understood, explain: bool) {
    if explain {
        understood.notes.iter().for_each(|line| note(line));
    }
    for (typed, meant) in &understood.corrections {
        note(&format!("Searched for \"{meant}\" instead of \"{typed}\"."));
    }
    if let Some(language) = understood.language {
        note(&format!(
            "The question seems to be in {language}; it is answered by names and by what the catalogue knows, not by meaning."
        ));
    }
}

/// How a run ended: what a dry run would do on standard output, the rest on standard error.
pub(crate) fn summary(summary: &Summary, would: &[String], dry_run: bool, json: bool) -> anyhow::Result<()> {
    if !json {
        would.iter().try_for_each(|line| self::line(line))?;
    }
    if let Some(line) = summary.skipped_line() {
        note(&line);
    }
    if let Some(used) = &summary.model {
        note(&used.line());
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
