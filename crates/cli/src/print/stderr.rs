//! Lines on standard error: as people read them, or each as a JSON object for programs that collect logs.

use std::borrow::Cow;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clusterlore_core::words::cut;
use clusterlore_http::masked;
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::foreign::visible;

/// Characters of a line: room for the names of all types of a large cluster.
pub(super) const LONGEST_LINE: usize = 16_384;

/// Whether lines are JSON objects.
static JSON: AtomicBool = AtomicBool::new(false);

/// From now on each line is a JSON object: `timestamp` (RFC 3339), `level` (`ERROR`, `WARN`, `INFO` and below), `message`, and fields.
pub(crate) fn speak_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// The commands of the program where it is called as a plugin of kubectl.
static AS_PLUGIN: OnceLock<Vec<String>> = OnceLock::new();

/// From now on commands of this program are told as kubectl's: `kubectl lore search`.
pub(crate) fn speak_as_plugin(commands: Vec<String>) {
    let _ = AS_PLUGIN.set(commands);
}

/// A text of ours in which commands of this program are called as the user calls it.
pub(super) fn called(text: &str) -> Cow<'_, str> {
    const NAME: &str = "clusterlore ";
    let Some(commands) = AS_PLUGIN.get().filter(|_| text.contains(NAME)) else { return Cow::Borrowed(text) };
    let is_command = |rest: &str| {
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
        commands.iter().any(|command| command == word)
    };
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(NAME) {
        said.push_str(before);
        said.push_str(if is_command(after) { "kubectl lore " } else { NAME });
        rest = after;
    }
    Cow::Owned(said + rest)
}

/// Whether lines are JSON objects.
pub(crate) fn speaks_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// A line as it may be shown.
pub(crate) fn shown(line: &str) -> String {
    cut(&visible(&masked(&called(line))), LONGEST_LINE).into_owned()
}

/// A line.
pub(crate) fn note(line: &str) {
    if !told("INFO", line, None) {
        let _ = writeln!(anstream::stderr(), "{}", shown(line));
    }
}

/// A line of some level, about one of several clusters where one is named.
pub(crate) fn note_as(level: &str, cluster: Option<&str>, line: &str) {
    if told(level, line.strip_prefix("Warning: ").unwrap_or(line), cluster) {
        return;
    }
    match cluster {
        Some(cluster) => note(&format!("[{cluster}] {line}")),
        None => note(line),
    }
}

/// A line about something that is not as it was asked for.
pub(crate) fn warning(line: &str) {
    if !told("WARN", line, None) {
        let _ = writeln!(anstream::stderr(), "Warning: {}", shown(line));
    }
}

/// What went wrong. Colours are dropped where they are not wanted.
pub(crate) fn fault(line: &str) {
    if !told("ERROR", line, None) {
        let _ = writeln!(anstream::stderr(), "{} {}", "error:".red().bold(), shown(line));
    }
}

/// Whether lines are JSON objects; then this is one.
fn told(level: &str, message: &str, cluster: Option<&str>) -> bool {
    if speaks_json() {
        let at = format!("{:.6}", Timestamp::now());
        let mut line = json!({"timestamp": at, "level": level, "message": message, "target": env!("CARGO_PKG_NAME")});
        if let Some(cluster) = cluster {
            line["cluster"] = cluster.into();
        }
        object(line);
    }
    speaks_json()
}

/// A JSON object in one line.
pub(crate) fn object(value: Value) {
    let _ = writeln!(anstream::stderr(), "{}", with_strings(value, &shown));
}

/// The same with other strings as values.
pub(crate) fn with_strings(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(&text).into(),
        Value::Array(all) => all.into_iter().map(|one| with_strings(one, change)).collect(),
        Value::Object(map) => map.into_iter().map(|(key, one)| (key, with_strings(one, change))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_an_object_are_cleaned_wherever_they_are() {
        let said =
            json!({"message": "postgres://me:s3cret@db/x", "fields": [1, null, {"name": "a\u{202e}\u{1b}[31m\nb"}]});
        let line = with_strings(said, &shown).to_string();
        assert_eq!(line, r#"{"fields":[1,null,{"name":"a\\u{202e}\\u{1b}[31m\\nb"}],"message":"postgres://…@db/x"}"#);
    }
}
