//! What happened lately, in every shape.

use std::collections::BTreeSet;

use clusterlore_core::{CLUSTER_SCOPE, JournalEntry, ResourceType};
use clusterlore_index::Changes;
use clusterlore_store::ClusterNames;

use super::objects::{kinds, kubectl_name};
use super::table::Table;
use super::{format, hits::cluster};
use crate::args::{Format, ListFlags};

pub(crate) fn print(told: &Changes, format: &Format, list: &ListFlags) -> anyhow::Result<()> {
    if format::print(told, "changes", format, list)? {
        return Ok(());
    }
    match format {
        Format::Name => told.changes.iter().try_for_each(|entry| super::line(&kubectl_name(&entry.stored_id()))),
        Format::Id => told.changes.iter().try_for_each(|entry| super::line(&entry.stored_id())),
        _ => super::paged(&text(told, list)),
    }
}

/// What happened after that, without a line above it.
pub(crate) fn rows(told: &Changes, format: &Format) -> anyhow::Result<()> {
    let headless = ListFlags { no_headers: true, ..ListFlags::default() };
    match format {
        Format::Name | Format::Id => print(told, format, &headless),
        _ if told.changes.is_empty() => Ok(()),
        _ => super::lines(as_table(&told.changes, &told.names, &headless)),
    }
}

fn text(told: &Changes, list: &ListFlags) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if told.changes.is_empty() {
        let searched = if told.searched.is_empty() { String::new() } else { format!(" of \"{}\"", told.searched) };
        lines.push(format!("Nothing{searched} is in the journal that fits."));
    } else {
        lines.extend(as_table(&told.changes, &told.names, list));
    }
    if let Some(total) = told.total {
        lines.push(format!("Fitting entries of the journal: {total}."));
    }
    if told.changes.iter().any(|entry| !entry.after.is_empty()) {
        lines.push(
            "* noticed later: nobody watched when it happened (-o json says after which time that was).".to_owned(),
        );
    }
    if told.more {
        lines.push("There are older ones; show more with --limit.".to_owned());
    }
    lines.extend(told.notes.iter().map(|note| format!("Note: {}.", note.text)));
    for need in &told.needs {
        lines.push(
            "The journal keeps no more of who changed something than the last manager's name, where it was told."
                .to_owned(),
        );
        lines.extend(need.commands.iter().map(|command| format!("  {command}")));
    }
    lines
}

fn as_table(changes: &[JournalEntry], names: &ClusterNames, list: &ListFlags) -> Vec<String> {
    let at = |entry: &JournalEntry| {
        let at = entry.at.split('.').next().unwrap_or_default().replace('T', " ");
        if entry.after.is_empty() { at } else { format!("{at}*") }
    };
    let mut table = Table::of(changes.len()).headed(!list.no_headers);
    table.column("TIME (UTC)", changes.iter().map(at));
    table.column("WHAT", changes.iter().map(|entry| entry.what.map(|what| what.to_string()).unwrap_or_default()));
    table.column(
        "KIND",
        kinds(changes.iter().map(|entry| (entry.kind.as_str(), ResourceType::group_of(&entry.type_name)))),
    );
    if changes.iter().map(|entry| entry.cluster.as_str()).collect::<BTreeSet<_>>().len() > 1 {
        table.column("CLUSTER", changes.iter().map(|entry| cluster(names, Some(&entry.cluster))));
    }
    if changes.iter().any(|entry| entry.namespace != CLUSTER_SCOPE) {
        let namespace =
            |entry: &JournalEntry| if entry.namespace == CLUSTER_SCOPE { "-" } else { &entry.namespace }.to_owned();
        table.column("NAMESPACE", changes.iter().map(namespace));
    }
    table.column("NAME", changes.iter().map(|entry| entry.name.clone()));
    if changes.iter().any(|entry| !entry.changed_by.is_empty()) {
        let manager =
            |entry: &JournalEntry| if entry.changed_by.is_empty() { "-" } else { &entry.changed_by }.to_owned();
        table.column("MANAGER", changes.iter().map(manager));
    }
    table.lines()
}
