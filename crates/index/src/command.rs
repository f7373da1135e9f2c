//! The command of kubectl that knows what metadata does not say, and how command lines are written.

use std::borrow::Cow;
use std::collections::BTreeSet;

use clusterlore_core::conditions::{Beyond, LiveCondition};
use clusterlore_core::{CLUSTER_SCOPE, JournalEntry, ResourceInstance, words};
use clusterlore_search::{Hit, Need, Noun, ParsedQuery};

/// So many kinds are named in a command.
const KINDS: usize = 4;
/// A command names one namespace; of more than so many, none is named.
const NAMESPACES: usize = 3;
/// What may be done to resources, in the words of the API.
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "impersonate"];

/// The commands that know what a question needs: one for each namespace that it names, if those are few.
pub(crate) fn commands(need: &Need, parsed: &ParsedQuery, hits: &[Hit], context: Option<&str>) -> Vec<String> {
    let namespaces = &parsed.filter.namespaces;
    let places: Vec<String> = match namespaces.len() {
        1..=NAMESPACES => namespaces.iter().map(|namespace| format!(" -n {namespace}")).collect(),
        _ => vec![" -A".to_owned()],
    };
    let all: BTreeSet<String> = match object(parsed, hits) {
        Some((place, object)) => [of_object(need, &place, &object, parsed)].into(),
        None => places.iter().map(|place| of_kinds(need, place, parsed, hits)).collect(),
    };
    let of_context = context.iter().flat_map(|context| ["--context", context]);
    let kubectl = shell_line(["kubectl"].into_iter().chain(of_context));
    all.into_iter().map(|command| format!("{kubectl} {command}")).collect()
}

/// Words of a command line as a shell takes them.
pub fn shell_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = |word: &'a str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+%".contains(c);
        match !word.is_empty() && word.chars().all(plain) {
            true => Cow::Borrowed(word),
            false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
        }
    };
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn of_object(need: &Need, place: &str, object: &str, parsed: &ParsedQuery) -> String {
    match need.what {
        Beyond::Logs => format!("logs {object}{place}"),
        Beyond::Events => format!("events --for {object}{place}"),
        Beyond::Metrics if object.starts_with("node/") => format!("top node {}", &object["node/".len()..]),
        Beyond::Metrics => format!("top pods{}", if place.is_empty() { " -A" } else { place }),
        Beyond::Rbac => rbac(need, parsed, place),
        // The data of a Secret is put on nobody's screen: `describe` leaves it out.
        Beyond::Time if !object.starts_with("secret/") => {
            format!("get {object}{place} -o yaml --show-managed-fields")
        }
        _ if need.condition.is_none() => format!("describe {object}{place}"),
        _ => format!("get {object}{place} -o wide"),
    }
}

fn of_kinds(need: &Need, place: &str, parsed: &ParsedQuery, hits: &[Hit]) -> String {
    let kinds = kinds(need, parsed, hits);
    match (need.what, &need.condition) {
        (Beyond::Logs, _) => format!("logs{} POD", if place == " -A" { " -n NAMESPACE" } else { place }),
        (Beyond::Events, _) => format!("events{place}"),
        (Beyond::Metrics, _) if kinds == "nodes" => "top nodes".to_owned(),
        (Beyond::Metrics, _) => format!("top pods{place}"),
        (Beyond::Rbac, _) => rbac(need, parsed, place),
        (Beyond::Image, _) if is_of_cluster(need, parsed) => "version".to_owned(),
        (Beyond::Spec | Beyond::Time, None) => format!("describe {kinds}{place}"),
        (Beyond::Image, _) | (_, Some(LiveCondition::Capacity(_))) => format!("get {kinds}{place} -o wide"),
        _ => format!("get {kinds}{place}"),
    }
}

/// Whether it asks for the version of Kubernetes itself.
fn is_of_cluster(need: &Need, parsed: &ParsedQuery) -> bool {
    let said = format!("{} {}", need.said, parsed.text).to_lowercase();
    words::split(&said).iter().any(|word| ["kubernetes", "k8s", "cluster", "apiserver"].contains(&word.as_str()))
}

fn rbac(need: &Need, parsed: &ParsedQuery, place: &str) -> String {
    let said = words::split(&format!("{} {}", need.said, parsed.text).to_lowercase());
    let verb = said.iter().map(String::as_str).find(|word| VERBS.contains(word)).unwrap_or("VERB");
    let resource = asked_types(parsed).into_iter().next().unwrap_or_else(|| "RESOURCE".to_owned());
    format!("auth can-i {verb} {resource}{place} --as USER")
}

/// ` -n shop` and `deployment.apps/checkout`, of the one object that the question is about.
fn object(parsed: &ParsedQuery, hits: &[Hit]) -> Option<(String, String)> {
    let first = parsed.named.first()?;
    let of_hit = hits.first().and_then(|hit| match &hit.noun {
        Noun::Instance(instance) => Some((**instance).clone()),
        Noun::Type(..) => None,
    });
    let instance = of_hit.or_else(|| first.instance())?;
    let place = if instance.is_cluster_scoped() { String::new() } else { format!(" -n {}", instance.namespace) };
    Some((place, reference(&instance)))
}

/// `deployment.apps/checkout`.
fn reference(instance: &ResourceInstance) -> String {
    let group = if instance.api_group.is_empty() { String::new() } else { format!(".{}", instance.api_group) };
    format!("{}{group}/{}", instance.kind.to_lowercase(), instance.name)
}

/// The command that shows an object as its cluster has it now.
pub fn get_command(instance: &ResourceInstance, context: Option<&str>) -> String {
    let reference = reference(instance);
    let context = context.into_iter().flat_map(|context| ["--context", context]);
    let place = Some(instance.namespace.as_str()).filter(|_| !instance.is_cluster_scoped());
    let place = place.into_iter().flat_map(|namespace| ["-n", namespace]);
    shell_line(["kubectl"].into_iter().chain(context).chain(place).chain(["get", &reference]))
}

/// The types that the question names.
fn asked_types(parsed: &ParsedQuery) -> Vec<String> {
    let said = if parsed.filter.types.is_empty() { &parsed.kinds } else { &parsed.filter.types };
    said.iter().cloned().collect()
}

/// The types that it is about, as kubectl takes them: those that it names, those that the condition is about, or those of the best hits.
fn kinds(need: &Need, parsed: &ParsedQuery, hits: &[Hit]) -> String {
    let of_hit = |hit: &Hit| match &hit.noun {
        Noun::Instance(i) if i.api_group.is_empty() => Some(i.kind.to_lowercase()),
        Noun::Instance(i) => Some(format!("{}.{}", i.kind.to_lowercase(), i.api_group)),
        Noun::Type(..) => None,
    };
    let of_condition: Vec<String> = need.condition.iter().flat_map(LiveCondition::types).cloned().collect();
    let mut asked = asked_types(parsed);
    // What is asked about first comes first.
    asked.sort_by_key(|name| of_condition.iter().position(|of| of == name).unwrap_or(usize::MAX));
    let of_hits: Vec<String> = hits.iter().filter_map(of_hit).collect();
    let all = [asked, of_hits, of_condition].into_iter().find(|types| !types.is_empty());
    let mut kinds: Vec<String> = Vec::new();
    for kind in all.unwrap_or_else(|| vec!["pods".to_owned()]) {
        if !kinds.contains(&kind) && kinds.len() < KINDS {
            kinds.push(kind);
        }
    }
    kinds.join(",")
}
/// Prints a line for each manager of an object: when it last changed something, and its name. Nothing else of the object is shown.
const MANAGERS: &str = "jsonpath={range .metadata.managedFields[*]}{.time} {.manager}{\"\\n\"}{end}";

/// The command that shows who changed an object, and when.
pub(crate) fn managed_fields(entry: &JournalEntry, context: Option<&str>) -> String {
    let object = format!("{}/{}", entry.type_name, entry.name);
    let context = context.map(|context| format!("--context={context}"));
    let namespace = Some(entry.namespace.as_str()).filter(|namespace| *namespace != CLUSTER_SCOPE);
    let words = ["kubectl"].into_iter().chain(context.as_deref());
    let words = words.chain(namespace.into_iter().flat_map(|namespace| ["-n", namespace]));
    shell_line(words.chain(["get", &object, "-o", MANAGERS]))
}
