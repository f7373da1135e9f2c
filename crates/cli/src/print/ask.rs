//! Answers in sentences, in every shape.

use clusterlore_agent::investigate::{self, Findings};
use clusterlore_agent::{Answer, Details, Item, told};
use clusterlore_core::words::cut;
use clusterlore_http::masked;
use clusterlore_index::Reply;
use clusterlore_search::GroupBy;
use owo_colors::Style;
use serde::Serialize;

use super::foreign::visible;
use super::numbers;
use super::objects::kubectl_name;
use crate::args::Output;

/// Columns that text takes.
const WIDTH: usize = 80;
/// Columns between two columns of the table.
const GAP: usize = 3;
/// The fewest columns in which a reason is readable.
const NARROWEST: usize = 24;
/// Lines of a reason.
const LINES: usize = 2;

/// Where an answer is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is the only one.
    Alone,
    /// One of a conversation at a terminal: hits have numbers, by which they can be asked for.
    Prompt,
    /// One of a conversation line by line: the same, and JSON is in one line.
    Lines,
}

/// The answer; `reply` is what it rests on.
pub(crate) fn print(
    answer: &Answer,
    findings: Option<&Findings>,
    reply: &Reply,
    output: Output,
    manner: Manner,
) -> anyhow::Result<()> {
    reply.doubts.iter().for_each(super::doubted);
    let json = || told(answer, findings, reply);
    match output {
        Output::Json if manner == Manner::Lines => super::json_line(&json()),
        Output::Json => super::json(&json()),
        Output::Yaml => super::yaml(&json()),
        Output::Name => {
            let some = answer.hits.iter().any(|item| item.answers);
            answer
                .hits
                .iter()
                .filter(|item| item.answers || !some)
                .try_for_each(|item| super::line(&kubectl_name(&item.id)))
        }
        Output::Table => text(answer, findings, reply.group_by.as_ref(), manner != Manner::Alone),
    }
}

fn text(answer: &Answer, findings: Option<&Findings>, by: Option<&GroupBy>, numbered: bool) -> anyhow::Result<()> {
    if let Some(took) = &answer.took {
        super::lines(wrapped(&took.text, WIDTH))?;
        super::line("")?;
    }
    let said: Vec<&str> = answer.answer.iter().map(|sentence| sentence.text.as_str()).collect();
    let asks = answer.asks.iter().map(|asks| asks.text.as_str());
    super::lines(wrapped(&said.into_iter().chain(asks).collect::<Vec<_>>().join(" "), WIDTH))?;
    if !answer.groups.is_empty() {
        let rows = answer.groups.iter().map(|group| vec![group.name.clone(), group.count.to_string()]).collect();
        super::line("")?;
        super::lines(super::table::table(&[&by.map(numbers::header).unwrap_or_default(), "COUNT"], rows))?;
    }
    if let Some(findings) = findings {
        super::line("")?;
        super::lines(investigate::text(findings).trim_end().lines().flat_map(indented))?;
    }
    let shown: &[Item] = if answer.groups.is_empty() && findings.is_none() { &answer.hits } else { &[] };
    let (first, near): (Vec<&Item>, Vec<&Item>) = shown.iter().partition(|item| item.answers);
    if !first.is_empty() {
        super::line("")?;
        super::lines(table(&first, numbered.then_some(1)))?;
    }
    let more = |answer: &Answer| match answer.more {
        _ if shown.is_empty() => Ok(()),
        0 => Ok(()),
        more => super::line(&format!("and {more} more")),
    };
    if !first.is_empty() {
        more(answer)?;
    }
    if !near.is_empty() {
        super::line("")?;
        if !first.is_empty() {
            super::marked(Style::new().bold(), "Near it:", "")?;
        }
        super::lines(table(&near, numbered.then_some(first.len() + 1)))?;
    }
    if first.is_empty() {
        more(answer)?;
    }
    // What a sentence says already is not said once more.
    let unsaid = answer.unread.iter().filter(|why| !answer.answer.iter().any(|sentence| sentence.text.contains(*why)));
    let told = unsaid.map(|unread| format!("Not read from the cluster: {unread}.")).chain(answer.notes.iter().cloned());
    for (n, told) in told.enumerate() {
        if n == 0 {
            super::line("")?;
        }
        super::lines(wrapped(&told, WIDTH))?;
    }
    if !answer.next.is_empty() {
        super::line("")?;
        super::marked(Style::new().bold(), "Next:", "")?;
        answer.next.iter().try_for_each(|step| super::line(&format!("  {}", step.command())))?;
    }
    Ok(())
}

/// For programs: JSON, in one line where that is wanted, or YAML; else nothing is printed.
fn for_programs(value: &impl Serialize, output: Output, manner: Manner) -> anyhow::Result<bool> {
    match output {
        Output::Json if manner == Manner::Lines => super::json_line(value)?,
        Output::Json => super::json(value)?,
        Output::Yaml => super::yaml(value)?,
        Output::Name | Output::Table => return Ok(false),
    }
    Ok(true)
}

/// What can be typed beside questions.
pub(crate) fn commands(commands: &[(&str, &str)]) -> anyhow::Result<()> {
    let rows = commands.iter().map(|(command, does)| vec![(*command).to_owned(), (*does).to_owned()]).collect();
    super::lines(super::table::table(&["COMMAND", "DOES"], rows))
}

/// Why an answer is what it is: what was seen where it was looked into, else why each hit was found.
pub(crate) fn why(answer: &Answer, findings: Option<&Findings>, output: Output, manner: Manner) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Found<'a> {
        id: &'a str,
        why: &'a [String],
    }
    #[derive(Serialize)]
    struct JsonWhy<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        findings: Option<&'a Findings>,
        hits: Vec<Found<'a>>,
    }
    let hits = answer.hits.iter().map(|item| Found { id: &item.id, why: &item.why }).collect();
    if for_programs(&JsonWhy { findings, hits }, output, manner)? {
        return Ok(());
    }
    if let Some(findings) = findings {
        return super::lines(investigate::text(findings).trim_end().lines().flat_map(indented));
    }
    if answer.hits.is_empty() {
        return super::line("The last answer shows no hits.");
    }
    for (n, item) in answer.hits.iter().enumerate() {
        let why =
            if item.why.is_empty() { "it is in the scope of the question".to_owned() } else { item.why.join("; ") };
        super::lines(wrapped(&format!("{}. {}: {why}", n + 1, item.id), WIDTH))?;
    }
    Ok(())
}

/// All of one object.
pub(crate) fn details(details: &Details, output: Output, manner: Manner) -> anyhow::Result<()> {
    if for_programs(details, output, manner)? {
        return Ok(());
    }
    let Details { item, labels, annotations, created, columns, unread, commands, .. } = details;
    if output == Output::Name {
        return super::line(&kubectl_name(&item.id));
    }
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut add = |title: &str, text: String| rows.extend((!text.is_empty()).then(|| (title.to_owned(), text)));
    let pairs = |pairs: &std::collections::BTreeMap<String, String>| {
        pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
    };
    add("Name", item.name.clone());
    add("Kind", format!("{} ({})", item.kind, item.api_version));
    add("Namespace", item.namespace.clone().unwrap_or_default());
    add("Cluster", item.cluster.as_ref().map(|_| item.cluster_name.clone()).unwrap_or_default());
    add("Software", item.is.clone().unwrap_or_default());
    add("Created", created.clone());
    add("Labels", pairs(labels));
    add("Annotations", pairs(annotations));
    add("Description", item.about.clone());
    for (title, text) in rows {
        titled(&title, &text)?;
    }
    if !columns.is_empty() {
        super::line("")?;
        super::marked(Style::new().bold(), "Now, as the cluster prints it:", "")?;
        columns
            .iter()
            .filter(|(_, cell)| !cell.is_empty())
            .try_for_each(|(column, cell)| titled(&format!("  {column}"), cell))?;
    }
    if let Some(why) = unread {
        super::line("")?;
        super::lines(wrapped(&format!("Not read from the cluster: {why}."), WIDTH))?;
    }
    super::line("")?;
    super::marked(Style::new().bold(), "Next:", "")?;
    commands.iter().try_for_each(|command| super::line(&format!("  {command}")))
}

/// A text behind its title, folded under itself.
fn titled(title: &str, text: &str) -> anyhow::Result<()> {
    const TITLE: usize = 14;
    let title = fit(title);
    let before = TITLE.max(title.chars().count() + 1);
    for (n, line) in wrapped(text, WIDTH.saturating_sub(before).max(NARROWEST)).into_iter().enumerate() {
        let head = if n == 0 { title.as_str() } else { "" };
        super::line(&format!("{head:before$}{line}"))?;
    }
    Ok(())
}

/// One hit of the last answer.
pub(crate) fn hit(item: &Item, output: Output, manner: Manner) -> anyhow::Result<()> {
    if for_programs(item, output, manner)? {
        return Ok(());
    }
    super::lines(table(&[item], None))
}

/// A line of findings. What does not fit goes on under its own beginning, beside the title.
fn indented(line: &str) -> Vec<String> {
    /// Columns of a title and of the space before it.
    const TITLE: usize = 10;
    if line.chars().count() <= WIDTH {
        return vec![line.to_owned()];
    }
    let titled = line.starts_with("  ");
    let split = line.char_indices().nth(TITLE).map_or(line.len(), |(at, _)| at);
    let (title, rest) = if titled { line.split_at(split) } else { ("", line) };
    let before = if titled { TITLE } else { 2 };
    let folded = wrapped(rest, WIDTH - before);
    let under =
        |(n, folded)| if n == 0 { format!("{title}{folded}") } else { format!("{}{folded}", " ".repeat(before)) };
    folded.into_iter().enumerate().map(under).collect()
}

/// What is shown of a text from outside, before it is measured.
fn fit(text: &str) -> String {
    visible(&masked(text)).into_owned()
}

/// Lines of at most so many columns, as far as words are not longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in fit(text).split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A table with the reasons in the last column, or beneath where there is no room for them.
fn table(items: &[&Item], number: Option<usize>) -> Vec<String> {
    let types = items.iter().all(|item| item.id == item.name && item.namespace.is_none());
    let mut header: Vec<&str> = if types { vec!["KIND", "TYPE"] } else { vec!["NAMESPACE", "KIND", "NAME"] };
    header.splice(0..0, number.map(|_| "#"));
    let last = match items.iter().any(|item| !item.state.is_empty()) {
        true => "NOW",
        false if types => "FOR",
        false => "ABOUT",
    };
    let cells = |item: &Item| -> Vec<String> {
        if types {
            return vec![fit(&item.kind), fit(&item.name)];
        }
        let namespace = item.namespace.as_deref().unwrap_or("-");
        let called = item.cluster.as_ref().map(|_| &item.cluster_name);
        let namespace = called.map_or(namespace.to_owned(), |cluster| format!("{cluster}:{namespace}"));
        vec![fit(&namespace), fit(&item.kind), fit(&item.name)]
    };
    let row = |(n, item): (usize, &&Item)| {
        let number = number.map(|first| (first + n).to_string());
        number.into_iter().chain(cells(item)).collect()
    };
    let rows: Vec<Vec<String>> = items.iter().enumerate().map(row).collect();
    let wide = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([header[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(wide).collect();
    let before: usize = widths.iter().map(|width| width + GAP).sum();
    let room = WIDTH.saturating_sub(before);
    let beside = room >= NARROWEST;
    let padded = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<0$}", width + GAP));
        cells.collect::<String>()
    };
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let mut lines = vec![format!("{}{}", padded(&header), if beside { last } else { "" }).trim_end().to_owned()];
    for (item, row) in items.iter().zip(&rows) {
        let why = about(item);
        let (indent, width) = if beside { (before, room) } else { (4, WIDTH - 4) };
        let mut whys = wrapped(&why, width);
        if whys.len() > LINES {
            let rest = whys.split_off(LINES - 1).join(" ");
            whys.push(cut(&rest, width).into_owned());
        }
        let mut whys: Vec<String> = whys.into_iter().map(|line| cut(&line, width).into_owned()).collect();
        let first = if beside && !whys.is_empty() { whys.remove(0) } else { String::new() };
        lines.push(format!("{}{first}", padded(row)).trim_end().to_owned());
        lines.extend(whys.into_iter().map(|line| format!("{:indent$}{line}", "")));
    }
    lines
}

/// What the cluster says of it; else what it is and says of itself; else why it was found.
fn about(item: &Item) -> String {
    let mut states: Vec<&str> = item.state.iter().map(|state| state.text.as_str()).collect();
    states.dedup();
    let software = item.is.as_deref().filter(|_| item.id != item.name);
    let own: Vec<&str> =
        software.into_iter().chain(Some(item.about.as_str()).filter(|about| !about.is_empty())).collect();
    match (states.is_empty(), own.is_empty()) {
        (false, _) => states.join(", "),
        (true, false) => own.join(": "),
        // What it controls is no reason, and nothing that is seen here.
        (true, true) => item.why.iter().filter(|why| !why.starts_with('+')).cloned().collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_and_nothing_of_it_is_lost() {
        let text = "word ".repeat(50) + &"x".repeat(100) + " end\u{1b}[31m";
        let lines = wrapped(&text, WIDTH);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH || line.starts_with("xx")), "{lines:?}");
        assert_eq!(lines.join(" "), text.trim().replace('\u{1b}', r"\u{1b}"));
    }
}
