//! Hits of a search, in every shape.

use std::collections::{BTreeSet, HashMap};

use clusterlore_core::{ResourceInstance, age};
use clusterlore_index::{Reply, explain_command, get_command};
use clusterlore_search::{Hit, Noun};
use clusterlore_store::ClusterNames;
use jiff::Timestamp;

use super::objects::{kinds, kubectl_name};
use super::table::{Last, Table};
use super::{format, reasons};
use crate::args::{Format, ListFlags, TableFlags};

/// How hits are shown.
pub(crate) struct View<'a> {
    pub(crate) format: &'a Format,
    pub(crate) list: &'a ListFlags,
    pub(crate) table: &'a TableFlags,
    pub(crate) explain: bool,
    /// What the flags name and the index does not have, each in a sentence.
    pub(crate) unknown: Vec<String>,
    /// What the cluster prints of each now, by stored id; for [`Format::Wide`].
    pub(crate) now: HashMap<String, String>,
}

pub(crate) fn print(reply: &Reply, view: &View<'_>) -> anyhow::Result<()> {
    super::understood(reply, view.explain);
    if format::print(reply, "hits", view.format, view.list)? {
        return Ok(());
    }
    let bare = matches!(view.format, Format::Name | Format::Id) || view.table.print_commands;
    if bare && !reply.unchecked().is_empty() {
        return Err(super::unchecked(reply));
    }
    if view.table.print_commands {
        return reply.hits.iter().try_for_each(|hit| super::line(&command(hit, reply)));
    }
    match view.format {
        Format::Name | Format::Id => rows(reply, view),
        _ if reply.hits.is_empty() => {
            nothing(reply, &view.unknown);
            Ok(())
        }
        _ => {
            let mut lines = as_table(reply, view);
            if let Noun::Type(ty, _) = &reply.hits[0].noun {
                lines.extend([String::new(), format!("Read more: {}", explain_command(ty))]);
            }
            super::paged(&lines)
        }
    }
}

/// The rows of a watch: hits as one of [`print`]'s formats of lines has them, with nothing else.
pub(crate) fn rows(reply: &Reply, view: &View<'_>) -> anyhow::Result<()> {
    match view.format {
        Format::Name => reply.hits.iter().try_for_each(|hit| super::line(&kubectl_name(&hit.id))),
        Format::Id => reply.hits.iter().try_for_each(|hit| super::line(&hit.id)),
        _ if reply.hits.is_empty() => Ok(()),
        _ => super::lines(as_table(reply, view)),
    }
}

/// Tells where names lie that kubectl would look for in one namespace; `in_use` is the one in which it looks.
pub(crate) fn scattered(hits: &[Hit], in_use: impl Fn() -> Option<String>) {
    let instances = || hits.iter().filter_map(|hit| instance(&hit.noun));
    let clusters = instances().map(|i| i.cluster.as_deref().unwrap_or_default()).collect::<BTreeSet<_>>().len();
    let namespaced = instances().filter(|i| !i.is_cluster_scoped());
    let namespaces: BTreeSet<&str> = namespaced.map(|i| i.namespace.as_str()).collect();
    let each = "--print-commands prints a whole command for each";
    let told = match namespaces.iter().collect::<Vec<_>>()[..] {
        _ if clusters > 1 => format!("These are in {clusters} clusters, and kubectl looks in one: {each}."),
        [] => return,
        [only] => match in_use().filter(|used| used != only) {
            None => return,
            Some(used) => {
                format!("These are in namespace {only}, and kubectl looks in {used} unless it is told -n {only}.")
            }
        },
        ref several => {
            format!("These are in {} namespaces, and kubectl looks in one: {each}.", several.len())
        }
    };
    super::news(&told);
}

fn nothing(reply: &Reply, unknown: &[String]) {
    let clauses = &reply.parsed.clauses;
    let why = match reply.problems.first() {
        Some(problem) => problem.to_string(),
        // Manifests do not say when they were applied.
        None if clauses.since.is_some() || clauses.until.is_some() => "no document of that age is known".to_owned(),
        None if reply.judgement.as_ref().is_some_and(|j| j.looked) => "the cluster says it of none of them".to_owned(),
        None => "no document matches".to_owned(),
    };
    let (admitted, total) = (reply.admitted, reply.total);
    super::note(&format!("No results: {why} ({admitted} of {total} documents in scope)."));
    unknown.iter().for_each(|line| super::note(line));
    reply.gone().iter().for_each(|gone| super::note(&format!("{gone}.")));
    if !reply.closest.is_empty() {
        super::note(&format!("Closest resource types: {}.", reply.closest.join(", ")));
    }
}

/// The command that shows what a hit is.
fn command(hit: &Hit, reply: &Reply) -> String {
    match &hit.noun {
        Noun::Instance(instance) => get_command(instance, reply.context(instance.cluster.as_deref())),
        Noun::Type(ty, _) => explain_command(ty),
    }
}

fn as_table(reply: &Reply, view: &View<'_>) -> Vec<String> {
    in_table(reply, view, Table::of(reply.hits.len()))
}

/// Titles and a line for each hit, for so many columns of a terminal.
pub(crate) fn listed(reply: &Reply, width: usize) -> Vec<String> {
    if reply.hits.is_empty() {
        return Vec::new();
    }
    let (list, table) = (ListFlags::default(), TableFlags::default());
    let (unknown, now) = (Vec::new(), HashMap::new());
    let view = View { format: &Format::Table, list: &list, table: &table, explain: false, unknown, now };
    in_table(reply, &view, Table::of(reply.hits.len()).fitting(width))
}

/// A hit that a person picked: as kubectl takes it, or as the format has it that is no table.
pub(crate) fn picked(reply: &Reply, view: &View<'_>) -> anyhow::Result<()> {
    if view.table.print_commands {
        return reply.hits.iter().try_for_each(|hit| super::line(&command(hit, reply)));
    }
    if *view.format == Format::Table {
        return rows(reply, &View { format: &Format::Name, unknown: Vec::new(), now: HashMap::new(), ..*view });
    }
    if format::print(reply, "hits", view.format, view.list)? { Ok(()) } else { rows(reply, view) }
}

fn in_table(reply: &Reply, view: &View<'_>, table: Table) -> Vec<String> {
    let hits = &reply.hits;
    let wide = *view.format == Format::Wide;
    let instances: Vec<Option<&ResourceInstance>> = hits.iter().map(|hit| instance(&hit.noun)).collect();
    let of = |cell: &dyn Fn(&ResourceInstance) -> String| -> Vec<String> {
        instances.iter().map(|instance| instance.map(cell).unwrap_or_default()).collect()
    };
    let labels = |i: &ResourceInstance| {
        let labels: Vec<String> = i.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if labels.is_empty() { "<none>".to_owned() } else { labels.join(",") }
    };
    let mut table = table.headed(!view.list.no_headers);
    let type_name = |hit: &Hit| match &hit.noun {
        Noun::Instance(_) => String::new(),
        Noun::Type(ty, _) => ty.name(),
    };
    table.column("TYPE", hits.iter().map(type_name));
    let live = wide && !view.now.is_empty();
    // The name of a type is its kind in the plural.
    if wide || instances.iter().any(Option::is_some) {
        let kinds = kinds(hits.iter().map(|hit| kind(&hit.noun)));
        if live { table.spare("KIND", kinds) } else { table.column("KIND", kinds) }
    }
    if several_clusters(reply, &instances) {
        table.column("CLUSTER", of(&|i| cluster(&reply.names, i.cluster.as_deref())));
    }
    if instances.iter().flatten().any(|i| !i.is_cluster_scoped()) {
        table.column("NAMESPACE", of(&|i| if i.is_cluster_scoped() { "-" } else { &i.namespace }.to_owned()));
    }
    table.column("NAME", of(&|i| i.name.clone()));
    let at = Timestamp::now();
    table.spare("AGE", of(&|i| age(&i.created_at, at).unwrap_or_default()));
    if wide || view.explain {
        table.spare("SCORE", hits.iter().map(|hit| format!("{:.2}", hit.score.total())));
    }
    for key in &view.table.label_columns {
        let title = key.rsplit('/').next().unwrap_or(key).to_uppercase();
        table.column(&title, of(&|i| i.labels.get(key).cloned().unwrap_or_else(|| "<none>".to_owned())));
    }
    let unread = wide && !live;
    if unread {
        table.column("API VERSION", hits.iter().map(|hit| api_version(&hit.noun)));
    }
    if view.table.show_labels && !unread {
        table.column("LABELS", of(&labels));
    }
    match wide {
        _ if view.explain => table.ending("WHY", hits.iter().map(reasons::summands), Last::Folded),
        true if unread => table.ending("LABELS", of(&labels), Last::Cut),
        true => table.ending("NOW", hits.iter().map(|h| view.now.get(&h.id).cloned().unwrap_or_default()), Last::Asked),
        false => table.ending("WHY", hits.iter().map(reasons::why), Last::Cut),
    }
}

fn instance(noun: &Noun) -> Option<&ResourceInstance> {
    match noun {
        Noun::Instance(instance) => Some(instance),
        Noun::Type(..) => None,
    }
}

/// The kind and its group.
fn kind(noun: &Noun) -> (&str, &str) {
    match noun {
        Noun::Instance(i) => (&i.kind, &i.api_group),
        Noun::Type(ty, _) => (&ty.kind, &ty.group),
    }
}

fn api_version(noun: &Noun) -> String {
    match noun {
        Noun::Instance(i) => i.api_version.clone(),
        Noun::Type(ty, _) => ty.api_version(),
    }
}

/// What a cluster is called, in a column.
pub(super) fn cluster(names: &ClusterNames, stored: Option<&str>) -> String {
    match names.shown(stored.unwrap_or_default()) {
        "" => "-".to_owned(),
        shown => shown.to_owned(),
    }
}

/// Whether what was searched is of more than one cluster.
fn several_clusters(reply: &Reply, instances: &[Option<&ResourceInstance>]) -> bool {
    let searched = reply.bases.iter().map(|basis| basis.cluster.as_str());
    let found = instances.iter().flatten().map(|i| i.cluster.as_deref().unwrap_or_default());
    searched.chain(found).collect::<BTreeSet<_>>().len() > 1
}
