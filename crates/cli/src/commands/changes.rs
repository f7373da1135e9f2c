//! `clusterlore changes`

use clusterlore_core::CLUSTER_SCOPE;
use clusterlore_index::{Changes as Told, Request};

use super::search::named;
use crate::args::{Changes, Output};
use crate::build;
use crate::done::Done;
use crate::print::{self, table::table};
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Changes) -> anyhow::Result<Done> {
    let index = build::index(settings).await?;
    let request = Request {
        question: flags.question.join(" "),
        clusters: flags.cluster_name.iter().cloned().collect(),
        namespaces: flags.namespaces.clone(),
        kinds: flags.kinds.clone(),
        limit: usize::from(flags.hits.limit),
        now: build::now(),
        ..Request::default()
    };
    let told = named(index.changes(&build::OWN_STORE, &request, flags.since, flags.until).await, &request)?;
    match flags.hits.output {
        Output::Json | Output::Yaml => print::report(&told, flags.hits.output)?,
        Output::Name => told.changes.iter().try_for_each(|entry| print::line(&entry.stored_id()))?,
        Output::Table => print::lines(text(&told))?,
    }
    Ok(Done::Whole)
}

fn text(told: &Told) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let several = told.changes.iter().any(|entry| !entry.cluster.is_empty());
    let rows: Vec<Vec<String>> = told
        .changes
        .iter()
        .map(|entry| {
            let mut at = entry.at.split('.').next().unwrap_or_default().replace('T', " ");
            if !entry.after.is_empty() {
                at.push('*');
            }
            let namespace = if entry.namespace == CLUSTER_SCOPE { "" } else { &entry.namespace };
            let what = entry.what.map(|what| what.to_string()).unwrap_or_default();
            let mut row = vec![at, what, entry.kind.clone(), namespace.to_owned(), entry.name.clone()];
            if several {
                row.insert(3, entry.cluster.clone());
            }
            row
        })
        .collect();
    let mut head = vec!["TIME (UTC)", "WHAT", "KIND", "NAMESPACE", "NAME"];
    if several {
        head.insert(3, "CLUSTER");
    }
    if rows.is_empty() {
        let searched = if told.searched.is_empty() { String::new() } else { format!(" of \"{}\"", told.searched) };
        lines.push(format!("Nothing{searched} is in the journal that fits."));
    } else {
        lines.extend(table(&head, rows));
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
        lines.push("The journal does not keep who changed something.".to_owned());
        lines.extend(need.commands.iter().map(|command| format!("  {command}")));
    }
    lines
}
