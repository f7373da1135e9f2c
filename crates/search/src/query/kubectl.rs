//! Lines of kubectl, read as kubectl reads them: "kubectl get deploy,svc -n shop -l tier=web", "k describe pod web-0". The flags that
//! narrow a list are read in any question.

use std::collections::BTreeSet;

use clusterlore_core::{ResourceType, Selector, words};

use super::context::QueryContext;
use super::parsed::{AskedName, Note, ParsedQuery, Problem};

/// The names of the program.
const PROGRAM: [&str; 3] = ["kubectl", "k", "oc"];
/// Verbs that a type follows.
const OF_TYPES: [&str; 11] =
    ["get", "describe", "delete", "edit", "scale", "label", "annotate", "patch", "expose", "explain", "top"];
/// Verbs that a pod, or `TYPE/NAME`, follows.
const OF_PODS: [&str; 6] = ["logs", "log", "exec", "attach", "port-forward", "debug"];
/// Flags with a value that says nothing about what is asked for.
const WITH_VALUE: [&str; 16] = [
    "o",
    "output",
    "c",
    "container",
    "context",
    "cluster",
    "kubeconfig",
    "field-selector",
    "sort-by",
    "tail",
    "since",
    "L",
    "label-columns",
    "replicas",
    "as",
    "template",
];
/// Flags that narrow a list.
const NARROWS: [&str; 4] = ["n", "namespace", "l", "selector"];
/// Flags that say "everywhere".
const EVERYWHERE: [&str; 2] = ["A", "all-namespaces"];
/// What `get all` lists.
const ALL: [&str; 10] = [
    "pods",
    "replicationcontrollers",
    "services",
    "daemonsets.apps",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "horizontalpodautoscalers.autoscaling",
    "cronjobs.batch",
    "jobs.batch",
];

/// Takes flags and lines of kubectl out of a question; what is left is returned.
pub(super) fn read(text: &str, parsed: &mut ParsedQuery, context: &QueryContext<'_>) -> String {
    let all: Vec<&str> = text.split_whitespace().collect();
    let Some(begin) = command(&all, context) else { return flags_only(&all, parsed, context) };
    let mut rest: Vec<&str> = all[..begin.at].to_vec();
    let mut positional: Vec<&str> = Vec::new();
    let mut at = begin.at + begin.words;
    while at < all.len() {
        let word = all[at];
        if word == "--" {
            // What runs in a container is no part of the question.
            at = all.len();
            break;
        }
        if ["|", "||", "&&", ";", "<-", "->"].contains(&word) {
            at += 1;
            break;
        }
        let taken = flag(&all, at, parsed, context);
        if taken > 0 {
            at += taken;
        } else if word.starts_with('-') {
            let with_value = flag_of(word).is_some_and(|f| f.value.is_none() && WITH_VALUE.contains(&f.name));
            at += if with_value { 2 } else { 1 };
        } else {
            positional.push(word);
            at += 1;
        }
        // "kubectl get svc -n shop, how many is that?" goes on in plain words.
        let last = all[(at - 1).min(all.len() - 1)];
        if last.ends_with(['?', ';', '.', '!']) || ends_in_comma(last, all.get(at), context) {
            break;
        }
    }
    let tail = all.get(at.min(all.len())..).unwrap_or_default();
    if tail.first() == Some(&"wc") {
        parsed.clauses.count = true;
        parsed.notes.push(Note::Counted);
    } else {
        rest.extend(tail);
    }
    objects(&positional, &begin, parsed, context);
    for asked in &parsed.asked {
        rest.push(&asked.name);
    }
    rest.join(" ")
}

/// Whether a clause ends behind the word, and not a list of types.
fn ends_in_comma(word: &str, next: Option<&&str>, context: &QueryContext<'_>) -> bool {
    word.ends_with(',') && next.is_none_or(|next| named(plain(next), context).is_none())
}

/// Where a line of kubectl begins.
struct Command<'a> {
    at: usize,
    /// How many words of it are read.
    words: usize,
    verb: &'a str,
    /// Whether the program is named: then what follows can be nothing else.
    sure: bool,
}

fn command<'a>(all: &[&'a str], context: &QueryContext<'_>) -> Option<Command<'a>> {
    let is_verb = |word: &&str| OF_TYPES.contains(word) || OF_PODS.contains(word) || *word == "rollout";
    let program = |at: usize| PROGRAM.contains(&plain(all[at])) && (plain(all[at]) == "kubectl" || at == 0);
    if let Some(at) = (0..all.len()).find(|at| program(*at)) {
        // Flags may stand before the verb; they are read with the rest.
        let verb = (at + 1..all.len()).find(|at| is_verb(&all[*at]))?;
        if verb == at + 1 {
            let sub = usize::from(all[verb] == "rollout");
            return Some(Command { at, words: 2 + sub, verb: all[verb], sure: true });
        }
        let flags = (at + 1..verb).all(|at| all[at].starts_with('-') || all[at - 1].starts_with('-'));
        return flags.then_some(Command { at, words: 1, verb: all[verb], sure: true });
    }
    // Without the program only what looks like nothing else: "get pods -n shop".
    let (verb, kind) = (*all.first()?, *all.get(1)?);
    if !is_verb(&verb) {
        return None;
    }
    let flags =
        all.iter().filter_map(|word| flag_of(word)).any(|f| NARROWS.contains(&f.name) || EVERYWHERE.contains(&f.name));
    let bare = all[1..].iter().all(|w| w.starts_with('-') || !words::is_stop_word(&w.to_lowercase()));
    let names = all[1..].iter().filter(|w| !w.starts_with('-')).count();
    let typed = OF_PODS.contains(&verb) || named(plain(kind), context).is_some() || kind.starts_with('-');
    let short = names <= 2 && !all.iter().any(|w| w.ends_with('?'));
    (typed && bare && (flags || short)).then_some(Command { at: 0, words: 1, verb, sure: false })
}

/// Reads flags outside of a line of kubectl.
fn flags_only(all: &[&str], parsed: &mut ParsedQuery, context: &QueryContext<'_>) -> String {
    let mut rest: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let taken = flag(all, at, parsed, context);
        if taken == 0 {
            rest.push(all[at]);
        }
        at += taken.max(1);
    }
    rest.join(" ")
}

/// Reads the flag at that place, and gives how many words it takes; 0: there is none that narrows a list.
fn flag(all: &[&str], at: usize, parsed: &mut ParsedQuery, context: &QueryContext<'_>) -> usize {
    let Some(Flag { name, value }) = flag_of(all[at]) else { return 0 };
    if EVERYWHERE.contains(&name) {
        return 1;
    }
    let next = all.get(at + 1).copied().filter(|next| !next.starts_with('-'));
    let Some((value, taken)) = value.map(|value| (value, 1)).or(next.map(|next| (next, 2))) else { return 0 };
    match name {
        "n" | "namespace" if !plain(value).is_empty() => of_namespace(plain(value), parsed, context),
        "l" | "selector" => {
            let Ok(selector) = plain(value).parse::<Selector>() else { return 0 };
            parsed.notes.push(Note::Label(plain(value).to_owned()));
            parsed.filter.selector.0.extend(selector.0);
        }
        "o" | "output" => {}
        _ => return 0,
    }
    taken
}

/// A flag, without its dashes.
struct Flag<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

fn flag_of(word: &str) -> Option<Flag<'_>> {
    let text = word.strip_prefix('-')?;
    let text = text.strip_prefix('-').unwrap_or(text).trim_end_matches([',', '?', '.', '`', '"', '\'']);
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(Flag { name, value })
}

fn of_namespace(name: &str, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    if context.vocabulary.namespaces.contains(name) {
        parsed.add_namespace(name);
    } else {
        parsed.problem = Some(Problem::NoSuchNamespace(name.to_owned()));
    }
}

/// Reads types and names.
fn objects(positional: &[&str], begin: &Command<'_>, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    let mut left = positional.iter().copied().filter(|word| *word != begin.verb || begin.words > 1);
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    if OF_TYPES.contains(&begin.verb) || begin.verb == "rollout" {
        let Some(first) = left.next() else { return };
        for word in first.split(',').map(plain).filter(|word| !word.is_empty()) {
            let (kind, name) = word.split_once('/').map_or((word, None), |(kind, name)| (kind, Some(name)));
            match named(kind, context) {
                Some(found) => {
                    kinds.extend(found);
                    name.into_iter().for_each(|name| ask(name, &kinds, parsed));
                }
                None if begin.sure => parsed.problem = Some(Problem::NoSuchKind(kind.to_owned())),
                None => ask(kind, &BTreeSet::new(), parsed),
            }
        }
    }
    for word in left.take(8) {
        let word = plain(word);
        match word.split_once('/') {
            Some((kind, name)) => {
                let of_kind = named(kind, context).unwrap_or_default();
                kinds.extend(of_kind.iter().cloned());
                ask(name, &of_kind, parsed);
            }
            // "port-forward web 8080:80": ports are no names.
            None if word.chars().all(|c| c.is_ascii_digit() || c == ':') => {}
            None => ask(word, &kinds, parsed),
        }
    }
    if !kinds.is_empty() {
        parsed.notes.push(Note::Kind(kinds.iter().cloned().collect()));
        parsed.filter.types.extend(kinds);
    }
}

fn ask(name: &str, kinds: &BTreeSet<String>, parsed: &mut ParsedQuery) {
    if !name.is_empty() {
        let namespaces = parsed.filter.namespaces.clone();
        parsed.asked.push(AskedName {
            name: name.to_owned(),
            kinds: kinds.clone(),
            namespaces,
            sure: true,
            ..AskedName::default()
        });
    }
}

/// The types that a word of kubectl names.
fn named(word: &str, context: &QueryContext<'_>) -> Option<BTreeSet<String>> {
    if word == "all" {
        return Some(ALL.map(str::to_owned).into());
    }
    let mut types = BTreeSet::new();
    for word in word.split(',').filter(|w| !w.is_empty()) {
        let kind = word.split_once('/').map_or(word, |(kind, _)| kind);
        let found: BTreeSet<String> =
            context.types.iter().map(|(_, t)| t).filter(|t| t.answers_to(kind)).map(ResourceType::name).collect();
        if found.is_empty() {
            return None;
        }
        types.extend(found);
    }
    (!types.is_empty()).then_some(types)
}

/// A word without the marks around it that are no part of a command.
fn plain(word: &str) -> &str {
    word.trim_matches(['`', '"', '\'', ',', '?', '!', ';', '(', ')']).trim_end_matches(['.', ':'])
}
