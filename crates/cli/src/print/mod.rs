//! Everything that is printed: tables, JSON shapes, progress lines, errors, logs. Nothing else in this program writes to standard output
//! or standard error (`tests/terminal.rs` looks for it), and everything here goes through [`foreign`] on its way.

pub(crate) mod ask;
pub(crate) mod ask_model;
mod beyond;
pub(crate) mod changes;
pub(crate) mod foreign;
mod format;
pub(crate) mod full_screen;
pub(crate) mod hits;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod numbers;
mod objects;
mod pager;
pub(crate) mod progress;
mod reasons;
mod screen;
mod stderr;
pub(crate) mod table;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clusterlore_core::Requirement;
use clusterlore_core::words::cut;
use clusterlore_http::masked;
use clusterlore_index::{About, Doubt, Reply, shell_line};
use clusterlore_pipeline::Summary;
use clusterlore_search::Note;
use owo_colors::{OwoColorize, Style};
use serde::Serialize;

use crate::args::{ADDRESSES, Output};
use foreign::{Far, escaped, visible};
use stderr::fault;

pub(crate) use pager::without_pager;
pub(crate) use stderr::{note, shown, speak_as_plugin, speak_json, warning};

/// What went wrong and what to do about it, in one line on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let advice = crate::advice::of(error).map(|advice| format!(". {advice}")).unwrap_or_default();
    fault(&format!("{error:#}{advice}"));
}

/// The one line that is left of a panic.
pub(crate) fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    full_screen::give_back();
    let said = panic.payload_as_str().unwrap_or("no message");
    let at = panic.location().map(|at| format!(", at {}:{}", at.file(), at.line())).unwrap_or_default();
    fault(&format!(
        "this is a fault of clusterlore {} itself ({}{at}); please report this line and the command to {}/issues",
        env!("CARGO_PKG_VERSION"),
        cut(said, 300),
        env!("CARGO_PKG_REPOSITORY")
    ));
}

/// What clap has to say: help and version on standard output, wrong usage on standard error. A value that may hold a password is not
/// repeated. `words` is the command line.
pub(crate) fn usage(mut error: clap::Error, words: &[OsString]) -> ExitCode {
    let status = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    if error.kind() == ErrorKind::DisplayVersion {
        // Of a command, clap would say "clusterlore-search".
        let _ = line(concat!("clusterlore ", env!("CARGO_PKG_VERSION")));
        return status;
    }
    let help = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if [ErrorKind::DisplayHelp, help].contains(&error.kind()) {
        // Our own text. A reader that went away has read enough.
        let text = error.render().ansi().to_string();
        let _ = match error.use_stderr() {
            true => write!(anstream::stderr(), "{}", stderr::called(&text)),
            false => write!(anstream::stdout(), "{}", stderr::called(&text)),
        };
        return status;
    }
    let address = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => ADDRESSES.iter().any(|key| flag.starts_with(&format!("--{key} "))),
        _ => false,
    };
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if let Some(ContextValue::String(said)) = error.get(kind).cloned() {
            let quiet = kind == ContextKind::InvalidValue && address || may_hold_a_password(&said);
            if quiet || said.chars().any(foreign::deceives) {
                // A tip repeats it.
                error.remove(ContextKind::Suggested);
            }
            let said = if quiet && !said.is_empty() { "…".to_owned() } else { visible(&said).into_owned() };
            error.insert(kind, ContextValue::String(said));
        }
    }
    let text = error.render().to_string();
    let verb = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(said)) => KUBECTL_VERBS.iter().find(|verb| *verb == said),
        _ => None,
    };
    for line in text.trim_end().lines() {
        match line.strip_prefix("error: ") {
            Some(rest) => fault(rest),
            None => note(line),
        }
    }
    if let (None, Some(ContextValue::String(said))) = (verb, error.get(ContextKind::InvalidSubcommand))
        && said.contains(' ')
        && !said.contains(['"', '$', '`', '\\', '!'])
    {
        note("");
        note(&format!("To ask that: clusterlore search \"{said}\""));
    }
    if let Some(verb) = verb {
        let search = shell_line(["search", &of_kubectl(verb, words), "--print-commands"]);
        note("");
        note(&format!(
            "\"{verb}\" is a command of kubectl. Here you find what it is for, by name or by meaning; this prints a line of kubectl for each \
             object, to be changed into what you want of it:"
        ));
        note(&format!("  clusterlore {search}"));
    }
    status
}

/// What is to be found for a command of kubectl, as far as its words may be repeated: `deploy/checkout`, `pods`.
fn of_kubectl(verb: &str, words: &[OsString]) -> String {
    let after = words.iter().skip_while(|word| *word != verb).skip(1).filter_map(|word| word.to_str());
    let typed: Vec<&str> = after.take_while(|word| !word.starts_with('-')).collect();
    match typed[..] {
        _ if typed.iter().any(|word| may_hold_a_password(word) || word.chars().any(foreign::deceives)) => None,
        [kind, name] if !kind.contains(['/', ',']) => Some(format!("{kind}/{name}")),
        _ => Some(typed.join(" ")).filter(|typed| !typed.is_empty()),
    }
    .unwrap_or_else(|| "databases in shop".to_owned())
}

/// What kubectl does to objects, and this program does not.
const KUBECTL_VERBS: [&str; 9] = ["get", "describe", "logs", "top", "explain", "events", "apply", "edit", "delete"];

/// Whether a word of the command line, in the wrong place, may be an address with a password, or a key.
fn may_hold_a_password(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let flag = word.starts_with('-') && !word.contains('=');
    word.contains('@') || !flag && ["pass", "pwd", "secret", "token", "key="].iter().any(|sign| lower.contains(sign))
}

/// Whether standard output is a terminal.
pub(crate) fn is_at_a_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person sees what is printed, and types what is read.
pub(crate) fn is_between_terminals() -> bool {
    std::io::stdin().is_terminal() && is_at_a_terminal()
}

/// Whether standard output takes colours.
pub(crate) fn has_colours() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// What of a question was read otherwise than it stands there, on standard error; with `explain` all that was read off it.
pub(crate) fn understood(reply: &Reply, explain: bool) {
    if explain {
        reply.notes.iter().for_each(|n| note(&n.to_string()));
    }
    // What was asked and is not so is told in any case.
    let told = |n: &&Note| n.changes_the_question() && !matches!(n, Note::Corrected { .. });
    for said in reply.notes.iter().filter(told).filter(|_| !explain) {
        note(&format!("{said}."));
    }
    if reply.admitted == 0 && !reply.parsed.filter.annotations.is_empty() {
        note(
            "Nothing has such annotations. Only those are kept that \"clusterlore sync-instances --annotations KEY,...\" asks for.",
        );
    }
    let lacks = |r: &Requirement| matches!(r, Requirement::NotIn(..) | Requirement::DoesNotExist(_));
    if reply.parsed.filter.annotations.0.iter().any(lacks) {
        note("Annotations of Secrets are never kept, so a Secret counts as one that has none.");
    }
    reply.doubts.iter().for_each(doubted);
    for (typed, meant) in reply.parsed.corrections() {
        note(&format!("Searched for \"{meant}\" instead of \"{typed}\"."));
    }
    beyond::lines(reply).iter().for_each(|line| note(line));
    if let (Some(language), Some(english)) = (reply.parsed.language, &reply.parsed.english) {
        note(&format!("The question seems to be in {language}. It is read word for word as \"{english}\"."));
    } else if let Some(language) = reply.parsed.language {
        note(&format!(
            "The question seems to be in {language}. It is answered by names and known products, not by meaning."
        ));
    }
}

/// That ids or a number alone would look as if something held that nobody checked.
pub(crate) fn unchecked(reply: &Reply) -> anyhow::Error {
    let said: Vec<String> = reply.parsed.needs.iter().map(|need| format!("\"{}\"", need.said)).collect();
    let why = anyhow::anyhow!(
        "what matches is not known: the index holds no {}; expected an answer that was checked",
        said.join(", ")
    );
    why.context("-o name")
}

/// Standard output for a protocol, which has to be exact: nothing else is printed meanwhile.
pub(crate) fn pipe() -> tokio::io::Stdout {
    tokio::io::stdout()
}

/// Tells why an answer may not hold.
pub(crate) fn doubted(doubt: &Doubt) {
    note(&self::doubt(doubt));
}

/// Why an answer may not hold, and what to do about it.
pub(crate) fn doubt(doubt: &Doubt) -> String {
    let Doubt { about, remedy } = doubt;
    let said = about.to_string();
    let mut rest = said.chars();
    let said: String = rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
    let remedy = match about {
        About::Old(_) => format!(" Renew it with \"{remedy}\"."),
        About::MoreOld(_) | About::MadeInClusters(_) => String::new(),
        About::Unread(_) => " \"clusterlore status\" says why.".to_owned(),
        About::Happened if remedy.is_empty() => " Ask \"clusterlore changes\".".to_owned(),
        About::Happened => format!(" Ask \"{remedy}\"."),
        About::Elsewhere { .. } => {
            format!(" Index that one too with \"{remedy}\", or name the context that you mean with --context.")
        }
    };
    format!("{said}.{remedy}")
}

/// How a run ended: what a dry run would do on standard output, the rest on standard error.
pub(crate) fn summary(summary: &Summary, would: &[String], dry_run: bool, json: bool) -> anyhow::Result<()> {
    if !json {
        lines(would)?;
    }
    if let Some(line) = summary.skipped_line() {
        note(&line);
    }
    for advice in crate::advice::skipped(&summary.skipped) {
        note(&format!("{advice}."));
    }
    if let Some(used) = &summary.model {
        note(&used.line());
    }
    if dry_run {
        news(&format!(
            "Dry run, nothing was written: {} discovered, {} would be stored, {} would be deleted, {} unchanged.",
            summary.discovered, summary.stored, summary.deleted, summary.unchanged
        ));
    } else {
        news(&summary.line());
    }
    Ok(())
}

/// How long ago a time (RFC 3339) was, as people say it; the time itself where it cannot be read.
pub(crate) fn ago(at: &str) -> String {
    let since = |at: jiff::Timestamp| jiff::Timestamp::now().duration_since(at).max(jiff::SignedDuration::ZERO);
    match at.parse().ok().and_then(|at| std::time::Duration::try_from(since(at)).ok()) {
        Some(time) => format!("{} ago", clusterlore_index::ago(time)),
        None => at.to_owned(),
    }
}

/// A line on standard error that nobody misses who asked for quiet.
pub(crate) fn news(line: &str) {
    if !progress::is_quiet() {
        note(line);
    }
}

/// A line on standard output.
pub(crate) fn line(line: &str) -> anyhow::Result<()> {
    raw(&shown(line))
}

/// Lines on standard output.
pub(crate) fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> anyhow::Result<()> {
    lines.into_iter().try_for_each(|each| line(each.as_ref()))
}

/// Lines on standard output, through a pager where they are longer than the screen.
pub(crate) fn paged(all: &[String]) -> anyhow::Result<()> {
    if pager::showed(all) { Ok(()) } else { lines(all) }
}

/// A part of a line on standard output, which is seen at once.
pub(crate) fn part(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    let written = write!(out, "{}", shown(text)).and_then(|()| out.flush());
    written.context("standard output cannot be written")
}

/// A line on standard output that begins with a coloured word of ours.
pub(crate) fn marked(style: Style, mark: &str, line: &str) -> anyhow::Result<()> {
    raw(&format!("{}{}", mark.style(style), shown(line)))
}

/// JSON, indented, on standard output. What it holds is exact.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    raw(&escaped(&serde_json::to_string_pretty(value)?, Far::Pair))
}

/// JSON in one line.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    raw(&escaped(&serde_json::to_string(value)?, Far::Pair))
}

/// YAML on standard output. What it holds is exact.
pub(crate) fn yaml(value: &impl Serialize) -> anyhow::Result<()> {
    raw(&yaml_text(value)?)
}

/// What the program says of itself (states, settings, errors) rather than of what is indexed: passwords in addresses are masked.
pub(crate) fn report(value: &impl Serialize, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Yaml => raw(&masked(&yaml_text(value)?)),
        _ => raw(&masked(&escaped(&serde_json::to_string_pretty(value)?, Far::Pair))),
    }
}

/// Where something deceives the values are written as JSON writes them, which is YAML too: every string then stands in quotes, in which
/// anything can be escaped.
fn yaml_text(value: &impl Serialize) -> anyhow::Result<String> {
    let yaml = serde_saphyr::to_string(value)?;
    Ok(match yaml.chars().any(|c| c != '\n' && foreign::deceives(c)) {
        true => escaped(&serde_json::to_string_pretty(value)?, Far::Long).into_owned(),
        false => yaml.trim_end().to_owned(),
    })
}

/// A text of ours, such as a script, on standard output.
pub(crate) fn script(text: &str) -> anyhow::Result<()> {
    raw(text.trim_end_matches('\n'))
}

/// Standard output for an export's lines.
pub(crate) fn records() -> impl Write + Send {
    std::io::BufWriter::new(std::io::stdout())
}

/// A text as it is, without an end of its own.
fn whole(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("standard output cannot be written")
}

fn raw(text: &str) -> anyhow::Result<()> {
    writeln!(anstream::stdout(), "{text}").context("standard output cannot be written")
}

#[cfg(test)]
mod tests;
