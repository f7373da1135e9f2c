//! Tools over the cluster itself, read with the caller's rights and refused where kubectl is. Nothing of what is read is kept, and values of
//! Secrets are masked before they get here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use clusterlore_cluster::reads::{NotRead, Object, ReadLimits, Subject};
use clusterlore_cluster::tables::{Column, Objects, Row, Table, TableLimits, Wanted};
use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use clusterlore_models::Tool;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fence::ROOM;
use super::live::{Live, Opened};
use super::told::{Outcome, Told, arguments, id};

pub(super) const GET: &str = "kubectl_get";
pub(super) const DESCRIBE: &str = "kubectl_describe";
pub(super) const LOGS: &str = "kubectl_logs";

/// For everything that one call reads.
const TIME: Duration = Duration::from_secs(20);
/// Rows of one table that are shown.
const ROWS: usize = 400;
/// Lines of a log where nobody says how many.
const LOG_LINES: u32 = 100;
/// Lines of a log at most.
const MOST_LOG_LINES: u32 = 2_000;

/// The tools, for a model.
pub(super) fn tools() -> Vec<Tool> {
    let resource = json!({"type": "string", "description": "A resource type, such as pods, deploy or certificates.cert-manager.io."});
    let namespace =
        json!({"type": "string", "description": "The namespace; \"all\" for every one. The context's if left out."});
    let tool = |name, description: &str, properties: Value, required: &[&str]| Tool {
        name,
        description: description.to_owned(),
        parameters: json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
    };
    vec![
        tool(
            GET,
            "Lists objects of a resource type as kubectl get does, with their status; with a name, one of them.",
            json!({"resource": resource, "namespace": namespace, "name": {"type": "string"}}),
            &["resource"],
        ),
        tool(
            DESCRIBE,
            "Shows one object whole, with its status and its events. Values of Secrets are masked.",
            json!({"resource": resource, "name": {"type": "string"}, "namespace": {"type": "string"}}),
            &["resource", "name"],
        ),
        tool(
            LOGS,
            "Shows the end of the log of a pod's container.",
            json!({
                "pod": {"type": "string"}, "namespace": {"type": "string"},
                "args": {"type": "array", "items": {"type": "string"},
                    "description": "--previous, --tail=N, -c CONTAINER; nothing else."},
            }),
            &["pod", "namespace"],
        ),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    resource: String,
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Describe {
    resource: String,
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logs {
    pod: String,
    namespace: String,
    #[serde(default)]
    args: Vec<String>,
}

/// What is read, for messages: `pods "web-1" in namespace "shop"`.
fn named(ty: &ResourceType, namespace: Option<&str>, name: Option<&str>) -> String {
    let name = name.map(|name| format!(" {name:?}")).unwrap_or_default();
    let place = match namespace {
        Some(namespace) if ty.namespaced => format!(" in namespace {namespace:?}"),
        _ if ty.namespaced => " in all namespaces".to_owned(),
        _ => String::new(),
    };
    format!("{}{name}{place}", ty.name())
}

fn refused(verb: &str, what: &str, why: &NotRead) -> String {
    match why {
        NotRead::Forbidden => format!("forbidden: this user may not {verb} {what}."),
        why => format!("{what} cannot be read: {why}."),
    }
}

fn none_such(what: &str) -> String {
    format!("NotFound: there is no {what}.")
}

fn no_flag(what: &str, value: &str) -> Result<(), String> {
    match value.trim() {
        "" => Err(format!("{what} is empty; expected a name.")),
        value if value.starts_with('-') => Err(format!("{what} is {value:?}; expected a name, not a flag.")),
        _ => Ok(()),
    }
}

pub(super) async fn get(live: &Live<'_>, input: &Value) -> Outcome {
    let Get { resource, namespace, name } = arguments(input)?;
    no_flag("resource", &resource)?;
    let name = name.filter(|name| !name.is_empty());
    name.as_deref().map_or(Ok(()), |name| no_flag("name", name))?;
    let opened = live.open().await?;
    let ty = opened.resolve(&resource)?;
    let place = if ty.namespaced { live.place(namespace.as_deref(), opened)? } else { None };
    let what = named(ty, place.as_deref(), name.as_deref());
    let objects = match (&name, &place) {
        (Some(_), None) if ty.namespaced => {
            return Err("An object is in one namespace; name it, or leave name out to list all.".to_owned());
        }
        (Some(name), place) => {
            let place = place.clone().unwrap_or_else(|| CLUSTER_SCOPE.to_owned());
            Objects::Named(BTreeSet::from([(place, name.clone())]))
        }
        (None, Some(namespace)) => Objects::Namespaces(BTreeSet::from([namespace.clone()])),
        (None, None) => Objects::All,
    };
    let limits = TableLimits { time: TIME, ..TableLimits::default() };
    let wanted = Wanted { ty: ty.clone(), objects };
    let read = opened.source.tables(&[wanted], &limits).await.pop().unwrap_or_default();
    let verb = if name.is_some() { "get" } else { "list" };
    // What kubectl is refused as a whole is refused here, too.
    if let Some(missing) = read.missing.first() {
        return Err(refused(verb, &what, &missing.why));
    }
    let table = read.table.unwrap_or(Table { type_name: ty.name(), columns: Vec::new(), rows: Vec::new() });
    match (table.rows.is_empty(), &name) {
        (true, Some(_)) => Err(none_such(&what)),
        (true, None) => Ok(Told { text: format!("No resources found: {what}."), ids: Vec::new() }),
        _ => Ok(listed(opened, ty, &table, place.is_none() && ty.namespaced)),
    }
}

/// A table as kubectl prints it, with what an id is made of.
fn listed(opened: &Opened, ty: &ResourceType, table: &Table, everywhere: bool) -> Told {
    let columns: Vec<(usize, &Column)> = table.columns.iter().enumerate().filter(|(_, column)| !column.wide).collect();
    let line = |row: &Row| -> Vec<String> {
        let cells = columns.iter().map(|(at, _)| row.cells.get(*at).cloned().unwrap_or_default());
        everywhere.then(|| row.namespace.clone()).into_iter().chain(cells).collect()
    };
    let header: Vec<String> = everywhere
        .then(|| "NAMESPACE".to_owned())
        .into_iter()
        .chain(columns.iter().map(|(_, column)| column.name.to_uppercase()))
        .collect();
    let shown: Vec<&Row> = match table.rows.len() {
        all if all <= ROWS => table.rows.iter().collect(),
        all => table.rows[..ROWS / 2].iter().chain(&table.rows[all - ROWS / 2..]).collect(),
    };
    let mut lines = vec![header];
    lines.extend(shown.iter().map(|row| line(row)));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default())
        .collect();
    let padded = |line: &Vec<String>| {
        let cells: String = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<0$}   ", width)).collect();
        cells.trim_end().to_owned()
    };
    let namespace = match ty.namespaced {
        true if everywhere => "NAMESPACE".to_owned(),
        true => shown.first().map(|row| row.namespace.clone()).unwrap_or_default(),
        false => CLUSTER_SCOPE.to_owned(),
    };
    let cluster = if opened.name.is_empty() { String::new() } else { format!("{}:", opened.name) };
    let mut text = format!("id: {cluster}{namespace}/{}/{}/NAME\n", ty.api_version(), ty.kind);
    for (number, row) in lines.iter().enumerate() {
        if shown.len() < table.rows.len() && number == ROWS / 2 + 1 {
            let _ = writeln!(text, "… {} rows are left out here …", table.rows.len() - shown.len());
        }
        let _ = writeln!(text, "{}", padded(row));
    }
    let ids = shown.iter().filter_map(|row| id(&opened.name, ty, &row.namespace, &row.name)).collect();
    Told { text, ids }
}

fn limits() -> ReadLimits {
    ReadLimits { time: TIME, ..ReadLimits::default() }
}

pub(super) async fn describe(live: &Live<'_>, input: &Value) -> Outcome {
    let Describe { resource, name, namespace } = arguments(input)?;
    no_flag("resource", &resource)?;
    no_flag("name", &name)?;
    let opened = live.open().await?;
    let ty = opened.resolve(&resource)?;
    let place = if ty.namespaced { live.place(namespace.as_deref(), opened)? } else { Some(CLUSTER_SCOPE.to_owned()) };
    let Some(place) = place else {
        return Err("An object is in one namespace; name it. kubectl_get finds it with namespace \"all\".".to_owned());
    };
    let what = named(ty, Some(&place), Some(&name));
    let reads = opened.source.reads(limits());
    let object = match reads.object(ty, &place, &name).await {
        Ok(Some(object)) => object,
        Ok(None) => return Err(none_such(&what)),
        Err(why) => return Err(refused("get", &what, &why)),
    };
    let id = id(&opened.name, ty, &place, &name);
    let mut text = format!("id: {}\n{}", id.as_deref().unwrap_or_default(), yaml(&object));
    let subject = Subject { kind: &ty.kind, namespace: &place, name: &name, uid: None };
    match reads.events(&subject).await {
        Ok(events) if events.items.is_empty() => text.push_str("Events: <none>\n"),
        Ok(events) => {
            text.push_str("Events:\n");
            for event in &events.items {
                let sort = if event.warning { "Warning" } else { "Normal" };
                let of = if event.part.is_empty() { String::new() } else { format!(" {}", event.part) };
                let _ = writeln!(
                    text,
                    "  {} {sort} {} ({} times, by {}){of}: {}",
                    event.last, event.reason, event.count, event.by, event.message
                );
            }
        }
        Err(why) => {
            let _ = writeln!(text, "Events: not read: {why}");
        }
    }
    Ok(Told { text, ids: id.into_iter().collect() })
}

/// An object as people read it.
fn yaml(object: &Object) -> String {
    serde_saphyr::to_string(object.json()).unwrap_or_else(|_| format!("{:#}\n", object.json()))
}

/// What is read of a log.
#[derive(Debug, PartialEq, Eq)]
struct LogArgs {
    container: Option<String>,
    previous: bool,
    lines: u32,
}

/// Reads kubectl's arguments, of those that say which log and how much of it.
fn log_args(args: &[String]) -> Result<LogArgs, String> {
    let mut read = LogArgs { container: None, previous: false, lines: LOG_LINES };
    let mut words = args.iter().flat_map(|arg| arg.split_whitespace());
    while let Some(word) = words.next() {
        let (flag, mut value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word, None),
        };
        let mut wanted = || value.take().or_else(|| words.next().map(str::to_owned)).filter(|value| !value.is_empty());
        match flag {
            "--previous" | "-p" => read.previous = value.is_none_or(|value| value == "true"),
            "--container" | "-c" => {
                let name = wanted().ok_or_else(|| format!("{flag} needs the name of a container."))?;
                no_flag(flag, &name)?;
                read.container = Some(name);
            }
            "--tail" => {
                let number = wanted().and_then(|number| number.parse().ok());
                let lines: i64 = number.ok_or_else(|| "--tail needs a number of lines.".to_owned())?;
                read.lines = u32::try_from(lines).unwrap_or(MOST_LOG_LINES).clamp(1, MOST_LOG_LINES);
            }
            other => {
                return Err(format!(
                    "{other} is not taken; expected --previous, --tail=N or -c CONTAINER. The namespace has an argument of its own, and the \
                     connection is the user's."
                ));
            }
        }
    }
    Ok(read)
}

pub(super) async fn logs(live: &Live<'_>, input: &Value) -> Outcome {
    let Logs { pod, namespace, args } = arguments(input)?;
    // Some write the type before the name.
    let pod = ["pod/", "pods/"].iter().find_map(|before| pod.strip_prefix(before)).unwrap_or(&pod);
    no_flag("pod", pod)?;
    let args = log_args(&args)?;
    let opened = live.open().await?;
    let ty = opened.resolve("pods")?;
    let Some(place) = live.place(Some(&namespace), opened)? else {
        return Err("A pod is in one namespace; name it. kubectl_get finds it with namespace \"all\".".to_owned());
    };
    let what = named(ty, Some(&place), Some(pod));
    let limits = ReadLimits { log_lines: args.lines, log_bytes: 4 * ROOM as u64, ..limits() };
    let reads = opened.source.reads(limits);
    let object = match reads.object(ty, &place, pod).await {
        Ok(Some(object)) => object,
        Ok(None) => return Err(none_such(&what)),
        Err(why) => return Err(refused("get", &what, &why)),
    };
    let container = container(&object, args.container.as_deref())?;
    match reads.log(&place, pod, &container, args.previous).await {
        Err(why) => Err(refused("read the log of", &what, &why)),
        Ok(log) => {
            let text = if log.text.trim().is_empty() { "(the log is empty)".to_owned() } else { log.text };
            let cut = if log.cut { "… what is before this is left out …\n" } else { "" };
            let id = id(&opened.name, ty, &place, pod);
            let head = format!("id: {}\nlog of container {container}:", id.as_deref().unwrap_or_default());
            Ok(Told { text: format!("{head}\n{cut}{text}"), ids: id.into_iter().collect() })
        }
    }
}

/// The container that kubectl would choose, or the one that is named.
fn container(pod: &Object, named: Option<&str>) -> Result<String, String> {
    let of = |list: &str| {
        let names = pod.list(list).iter().filter_map(|container| container["name"].as_str());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let names = of("/spec/containers");
    let all: Vec<String> = [&names[..], &of("/spec/initContainers"), &of("/spec/ephemeralContainers")].concat();
    let usual = pod.text("/metadata/annotations/kubectl.kubernetes.io~1default-container");
    let wanted = named.unwrap_or(usual);
    match all.iter().find(|name| *name == wanted) {
        Some(name) => Ok(name.clone()),
        None if named.is_some() => Err(format!("container {wanted:?} is not in the pod; it has {}.", all.join(", "))),
        None => names.first().cloned().ok_or_else(|| "The pod has no container.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_logs_are_kubectls() {
        let read = |args: &[&str]| log_args(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
        let main = || Some("main".to_owned());
        for (args, expected) in [
            (&[][..], (None, false, LOG_LINES)),
            (&["--previous", "--tail=50", "-c", "main"], (main(), true, 50)),
            (&["-p", "--tail", "5", "--container=main"], (main(), true, 5)),
            (&["--tail=-1"], (None, false, MOST_LOG_LINES)),
            (&["-c main --tail=3"], (main(), false, 3)),
        ] {
            let (container, previous, lines) = expected;
            assert_eq!(read(args), Ok(LogArgs { container, previous, lines }), "{args:?}");
        }
        for wrong in [
            &["-n", "kube-system"][..],
            &["--namespace=x"],
            &["--kubeconfig=/etc/x"],
            &["--context", "other"],
            &["--server=http://x"],
            &["--token=x"],
            &["-f"],
            &["--tail"],
            &["--tail=many"],
            &["-c"],
            &["-c", "--tail"],
            &["web-2"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_container_is_the_one_that_kubectl_would_choose() {
        let pod = |annotation: Value| {
            Object::new(json!({
                "kind": "Pod", "metadata": {"name": "p", "annotations": annotation},
                "spec": {"containers": [{"name": "side"}, {"name": "main"}], "initContainers": [{"name": "first"}]},
            }))
        };
        let usual = json!({"kubectl.kubernetes.io/default-container": "main"});
        assert_eq!(container(&pod(json!({})), None).unwrap(), "side");
        assert_eq!(container(&pod(usual.clone()), None).unwrap(), "main");
        assert_eq!(container(&pod(usual), Some("first")).unwrap(), "first");
        assert!(container(&pod(json!({})), Some("none")).unwrap_err().contains("side, main, first"));
        assert!(container(&Object::new(json!({"kind": "Pod"})), None).is_err());
    }
}
