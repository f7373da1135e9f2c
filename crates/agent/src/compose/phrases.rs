//! Phrases that several kinds of answers are made of.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_core::conditions::Beyond;

use crate::answer::Item;
use crate::english::{counted, few, plural};

/// Objects of which commands are named.
pub(super) const OBJECTS: usize = 2;
/// So many things are named one by one.
pub(super) const NAMED: usize = 4;
/// So many products or kinds.
const SORTS: usize = 6;
/// So many namespaces, or names where the place is said.
const LISTED: usize = 3;

/// What the things are called together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Called {
    /// By a noun in the singular: "relational database".
    Noun(String),
    /// By their kind.
    Kind(String),
    /// By what they are for: "3 things for logging".
    For(String),
    /// By the software that they are.
    Software(String),
    /// As what was found.
    Matches,
}

impl Called {
    /// `2 databases`, `1 match for Keycloak`.
    pub(super) fn counted(&self, number: usize) -> String {
        match self {
            Self::Noun(noun) | Self::Kind(noun) => counted(number, noun),
            Self::For(purpose) => format!("{} for {purpose}", counted(number, "thing")),
            Self::Software(title) => format!("{} for {title}", counted(number, "match")),
            Self::Matches => counted(number, "match"),
        }
    }

    /// The noun for one of them; empty where there is none by which they could be spoken of again.
    pub(super) fn noun(&self) -> String {
        match self {
            Self::Noun(noun) | Self::Kind(noun) => noun.clone(),
            Self::For(_) | Self::Software(_) | Self::Matches => String::new(),
        }
    }
}

/// ` in shop`, ` in shop on east`; nothing for what lives in no namespace of the one cluster.
pub(super) fn place(item: &Item, several_clusters: bool) -> String {
    let namespace = item.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    match item.cluster_name.as_str() {
        name if several_clusters && !name.is_empty() => format!("{namespace} on {name}"),
        _ => namespace,
    }
}

/// Whether things are of several clusters.
pub(super) fn of_several_clusters<'i>(items: impl IntoIterator<Item = &'i Item>) -> bool {
    items.into_iter().map(|item| item.cluster.as_deref()).collect::<BTreeSet<_>>().len() > 1
}

/// `the StatefulSet payments-db (PostgreSQL)`.
pub(super) fn the(item: &Item, with_kind: bool, with_software: bool) -> String {
    let kind = if with_kind { format!("the {} ", item.kind) } else { String::new() };
    let software = match &item.is {
        Some(title) if with_software && !says(item, title) => format!(" ({title})"),
        _ => String::new(),
    };
    format!("{kind}{}{software}", item.name)
}

/// Whether the name or the kind says the software already.
fn says(item: &Item, title: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' ', '_', '.'], "");
    plain(&item.name).contains(&plain(title)) || plain(&item.kind) == plain(title)
}

/// Names things, or says of what sort they are if they are many: `: the A in x and the B in y.` `number` is how many there are, of which
/// `items` are known.
pub(super) fn enumerated(called: &Called, number: usize, items: &[&Item]) -> String {
    let clusters = of_several_clusters(items.iter().copied());
    let places: BTreeSet<String> = items.iter().map(|item| place(item, clusters)).collect();
    let common = (places.len() == 1 && items.len() == number).then(|| places.first().cloned().unwrap_or_default());
    let head = format!("{}{}", called.counted(number), common.clone().unwrap_or_default());
    let (by_kind, is_software) = (matches!(called, Called::Kind(_)), matches!(called, Called::Software(_)));
    if items.is_empty() {
        return format!("{head}.");
    }
    if number <= NAMED && items.len() == number {
        let named = |item: &&Item| {
            let place = if common.is_some() { String::new() } else { place(item, clusters) };
            format!("{}{place}", the(item, !by_kind, !is_software))
        };
        return format!("{head}: {}.", few(&items.iter().map(named).collect::<Vec<_>>(), NAMED));
    }
    let sorts = if by_kind { String::new() } else { sorts(number, items, is_software) };
    let wheres = match &common {
        Some(_) if by_kind => {
            let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
            format!(": {}", few(&names, LISTED))
        }
        Some(_) => String::new(),
        None => namespaces(items, number) + &clusters_of(items, clusters),
    };
    format!("{head}{sorts}{wheres}.")
}

/// `: 3 MariaDB, 1 TimescaleDB and 2 others`, or by kind.
fn sorts(number: usize, items: &[&Item], by_kind: bool) -> String {
    let with_software = items.iter().filter(|item| item.is.is_some()).count();
    let by_software = !by_kind && with_software * 2 > items.len();
    let mut sorts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others = number - items.len();
    for item in items {
        match (&item.is, by_software) {
            (Some(title), true) => *sorts.entry(title).or_default() += 1,
            (None, true) => others += 1,
            (_, false) => *sorts.entry(&item.kind).or_default() += 1,
        }
    }
    let mut sorts: Vec<(&str, usize)> = sorts.into_iter().collect();
    sorts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    if sorts.len() > SORTS + 1 {
        others += sorts.drain(SORTS..).map(|(_, number)| number).sum::<usize>();
    }
    if let ([(sort, _)], 0) = (&sorts[..], others) {
        let all = if number == 2 { "both" } else { "all" };
        return if by_software { format!(", {all} {sort}") } else { format!(", {all} {}", plural(sort)) };
    }
    let mut parts: Vec<String> = sorts
        .iter()
        .map(|(sort, number)| if by_software { format!("{number} {sort}") } else { counted(*number, sort) })
        .collect();
    if others > 0 {
        parts.push(counted(others, "other"));
    }
    format!(": {}", crate::english::list(&parts))
}

/// `, in shop, bank and 3 more namespaces`, those with most first.
fn namespaces(items: &[&Item], number: usize) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        if let Some(namespace) = &item.namespace {
            *counts.entry(namespace).or_default() += 1;
        }
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let names: Vec<&str> = counts.iter().map(|(name, _)| *name).collect();
    match names.len() {
        0 => String::new(),
        // Those that are not known may be elsewhere.
        _ if items.len() < number => format!(", in {} and others", names[..names.len().min(LISTED)].join(", ")),
        n if n > LISTED + 1 => format!(", in {} namespaces", few(&names, LISTED)),
        _ => format!(", in {}", few(&names, LISTED)),
    }
}

/// ` on east and west`, if there are several.
fn clusters_of(items: &[&Item], several: bool) -> String {
    let clusters: BTreeSet<&str> = items.iter().map(|item| item.cluster_name.as_str()).collect();
    let clusters: Vec<&str> = clusters.into_iter().filter(|name| !name.is_empty()).collect();
    if several { format!(" on {}", few(&clusters, LISTED)) } else { String::new() }
}

/// What is not known of something, by what would say it.
pub(super) fn untold(what: Beyond) -> &'static str {
    match what {
        Beyond::Status => "what state it is in",
        Beyond::Image => "which image or version it runs",
        Beyond::Spec => "how it is set up",
        Beyond::Metrics => "what it uses and how fast it is",
        Beyond::Logs => "what it logged",
        Beyond::Events => "what happened to it",
        Beyond::Rbac => "who may do what",
        Beyond::Time => "when that was",
    }
}

/// `these 3 Deployments`, `these objects`.
pub(super) fn these(number: Option<usize>, kind: Option<&str>) -> String {
    let noun = kind.unwrap_or("object");
    match number {
        Some(1) => format!("this {noun}"),
        Some(number) => format!("these {}", counted(number, noun)),
        None => format!("these {}", plural(noun)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cluster:namespace/kind/name`, and the software.
    fn item(id: &str, is: &str) -> Item {
        let (cluster, rest) = id.split_once(':').unwrap_or(("", id));
        let parts: Vec<&str> = rest.split('/').collect();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Item {
            id: id.to_owned(),
            kind: parts[1].to_owned(),
            namespace: some(parts[0]),
            name: parts[2].to_owned(),
            cluster: some(cluster),
            cluster_name: cluster.to_owned(),
            is: some(is),
            ..Item::default()
        }
    }

    fn told(called: Called, number: usize, items: &[(&str, &str)]) -> String {
        let items: Vec<Item> = items.iter().map(|(id, is)| item(id, is)).collect();
        enumerated(&called, number, &items.iter().collect::<Vec<_>>())
    }

    fn noun() -> Called {
        Called::Noun("database".to_owned())
    }

    fn pods() -> Called {
        Called::Kind("Pod".to_owned())
    }

    #[test]
    fn a_few_are_named_with_what_they_are_and_where() {
        let both = [("shop/StatefulSet/payments", "PostgreSQL"), ("bank/SQLClaim/orders", "")];
        assert_eq!(
            told(noun(), 2, &both),
            "2 databases: the StatefulSet payments (PostgreSQL) in shop and the SQLClaim orders in bank."
        );
        assert_eq!(told(noun(), 1, &both[..1]), "1 database in shop: the StatefulSet payments (PostgreSQL).");
        // What the name says is not said once more.
        assert_eq!(
            told(noun(), 1, &[("a/Deployment/my-mariadb", "MariaDB")]),
            "1 database in a: the Deployment my-mariadb."
        );
        assert_eq!(told(pods(), 2, &[("a/Pod/x", ""), ("a/Pod/y", "")]), "2 Pods in a: x and y.");
        assert_eq!(told(Called::Kind("Node".to_owned()), 1, &[("/Node/n1", "")]), "1 Node: n1.");
        assert_eq!(
            told(Called::Software("Redis".to_owned()), 1, &[("a/Pod/x", "Redis")]),
            "1 match for Redis in a: the Pod x."
        );
        assert_eq!(
            told(Called::For("logging".to_owned()), 1, &[("a/Pod/x", "Loki")]),
            "1 thing for logging in a: the Pod x (Loki)."
        );
    }

    #[test]
    fn many_are_told_by_sort_and_place() {
        let ids = ["a", "b", "c", "d", "e", "f"].map(|namespace| format!("{namespace}/StatefulSet/x"));
        let six = |is: [&'static str; 6]| ids.iter().map(String::as_str).zip(is).collect::<Vec<_>>();
        let mixed = six(["Redis", "Redis", "MariaDB", "", "MariaDB", "Redis"]);
        assert_eq!(
            told(noun(), 6, &mixed),
            "6 databases: 3 Redis, 2 MariaDB and 1 other, in a, b, c and 3 more namespaces."
        );
        assert_eq!(told(noun(), 6, &six(["Redis"; 6])), "6 databases, all Redis, in a, b, c and 3 more namespaces.");
        assert_eq!(told(noun(), 6, &six([""; 6])), "6 databases, all StatefulSets, in a, b, c and 3 more namespaces.");
        assert_eq!(told(pods(), 6, &six([""; 6])), "6 Pods, in a, b, c and 3 more namespaces.");
        // What is counted and not known may be anywhere.
        assert_eq!(told(noun(), 9, &mixed), "9 databases: 3 Redis, 2 MariaDB and 4 others, in a, b, c and others.");
        assert_eq!(told(noun(), 9, &[]), "9 databases.");
        let one = ["p", "q", "r", "s", "t"].map(|name| format!("a/Pod/{name}"));
        let one: Vec<(&str, &str)> = one.iter().map(|id| (id.as_str(), "")).collect();
        assert_eq!(told(pods(), 5, &one), "5 Pods in a: p, q, r and 2 more.");
    }

    #[test]
    fn a_cluster_is_named_where_there_are_several() {
        let both = [("east:a/Pod/x", ""), ("west:a/Pod/x", "")];
        assert_eq!(told(pods(), 2, &both), "2 Pods: x in a on east and x in a on west.");
        assert_eq!(told(pods(), 1, &both[..1]), "1 Pod in a: x.");
        let ids = [1, 2, 3, 4, 5].map(|n| format!("{}:a/Pod/x{n}", if n > 2 { "east" } else { "west" }));
        let many: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "")).collect();
        assert_eq!(told(pods(), 5, &many), "5 Pods, in a on east and west.");
    }

    #[test]
    fn these() {
        assert_eq!(super::these(Some(3), Some("Pod")), "these 3 Pods");
        assert_eq!(super::these(None, None), "these objects");
    }
}
