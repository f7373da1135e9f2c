//! What a question says of where to look: namespaces, labels, `kind/name`, kinds, and what it does not want. What is left is
//! free text. Everything is resolved against what the index holds; a scope that it does not hold makes the answer empty.

use std::collections::BTreeSet;

use clusterlore_catalogue::{Catalogue, Meaning};
use clusterlore_core::{Requirement, ResourceType, Selector, words};
use clusterlore_store::{Filter, Vocabulary};

/// Words before a namespace's name.
const IN: [&str; 6] = ["in", "from", "inside", "within", "namespace", "ns"];
/// Words that begin what is not wanted.
const NOT: [&str; 5] = ["not", "without", "except", "excluding", "no"];
/// Label keys (without their domain) that people use in questions as nouns: "team shop".
const OWNER_KEYS: [&str; 8] = ["team", "owner", "squad", "tier", "department", "env", "environment", "stage"];
/// Words for all that runs.
const WORKLOAD_WORDS: [&str; 2] = ["workload", "workloads"];
/// What they stand for.
const WORKLOAD_TYPES: [&str; 7] = [
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
];

/// A question, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Understood {
    /// What is left to be searched for.
    pub text: String,
    /// What may be found at all, the caller's own conditions included.
    pub filter: Filter,
    /// Types that the question names without meaning them alone.
    pub kinds: BTreeSet<String>,
    /// What is not wanted.
    pub unwanted: String,
    /// What was understood, a line each.
    pub notes: Vec<String>,
    /// A scope that holds nothing; the answer is empty.
    pub impossible: Option<String>,
    /// Whether nothing but the scope was asked for.
    pub scope_only: bool,
}

/// Words of a question that are still free.
struct Words {
    raw: Vec<String>,
    low: Vec<String>,
    taken: Vec<bool>,
}

impl Words {
    fn new(text: &str) -> Self {
        let trim = |w: &str| w.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let raw: Vec<String> = text.split_whitespace().map(trim).filter(|w| !w.is_empty()).collect();
        let low: Vec<String> =
            raw.iter().map(|w| w.to_lowercase()).map(|w| w.trim_end_matches("'s").to_owned()).collect();
        let taken = vec![false; raw.len()];
        Self { raw, low, taken }
    }

    fn is(&self, at: Option<usize>, any: &[&str]) -> bool {
        at.and_then(|at| self.low.get(at)).is_some_and(|w| any.contains(&w.as_str()))
    }

    fn take(&mut self, at: Option<usize>) {
        if let Some(taken) = at.and_then(|at| self.taken.get_mut(at)) {
            *taken = true;
        }
    }

    fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.raw.len()).filter(|at| !self.taken[*at])
    }

    fn text(&self) -> String {
        self.free().map(|at| self.raw[at].as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Whether a free word is left that says something.
    fn telling(&self) -> bool {
        self.free().any(|at| !words::is_stop_word(&self.low[at]))
    }
}

/// Takes a question apart.
pub fn understand(
    text: &str,
    filter: &Filter,
    vocabulary: &Vocabulary,
    types: &[(String, ResourceType)],
    catalogue: &Catalogue,
) -> Understood {
    let mut understood = Understood { filter: filter.clone(), ..Understood::default() };
    let mut question = Words::new(text);
    unwanted(&mut question, &mut understood);
    labels(&mut question, &mut understood);
    kind_and_name(&mut question, &mut understood, types);
    namespaces(&mut question, &mut understood, vocabulary);
    owners(&mut question, &mut understood, vocabulary);
    kinds(&mut question, &mut understood, types, catalogue);
    understood.scope_only = !question.telling();
    understood.text = question.text();
    understood
}

/// "… not for logging": from the word on to the end.
fn unwanted(question: &mut Words, understood: &mut Understood) {
    let Some(at) = (1..question.low.len()).find(|at| NOT.contains(&question.low[*at].as_str())) else { return };
    understood.unwanted = question.raw[at + 1..].join(" ");
    (at..question.raw.len()).for_each(|at| question.take(Some(at)));
    understood.notes.push(format!("not wanted: {}", understood.unwanted));
}

/// `tier=backend`, with kubectl's grammar.
fn labels(question: &mut Words, understood: &mut Understood) {
    for at in 0..question.raw.len() {
        if let Some(selector) =
            question.raw[at].contains('=').then(|| question.raw[at].parse::<Selector>().ok()).flatten()
        {
            understood.notes.push(format!("label: {}", question.raw[at]));
            understood.filter.selector.0.extend(selector.0);
            question.take(Some(at));
            if question.is(at.checked_sub(1), &["with", "label", "labels", "labelled"]) {
                question.take(at.checked_sub(1));
            }
        }
    }
}

/// `deploy/checkout-api`
fn kind_and_name(question: &mut Words, understood: &mut Understood, types: &[(String, ResourceType)]) {
    for at in 0..question.raw.len() {
        let Some((kind, name)) = question.raw[at].split_once('/').map(|(k, n)| (k.to_owned(), n.to_owned())) else {
            continue;
        };
        let named: Vec<String> =
            types.iter().map(|(_, t)| t).filter(|t| t.answers_to(&kind)).map(ResourceType::name).collect();
        if !named.is_empty() && !name.is_empty() && !name.contains('/') {
            understood.notes.push(format!("kind: {}", named.join(", ")));
            understood.filter.types.extend(named);
            question.low[at] = name.to_lowercase();
            question.raw[at] = name;
        }
    }
}

/// "in (the) iot (namespace)", "namespace iot", "iot namespace".
fn namespaces(question: &mut Words, understood: &mut Understood, vocabulary: &Vocabulary) {
    for at in 0..question.raw.len() {
        if question.taken[at] || ["namespace", "ns", "the"].contains(&question.low[at].as_str()) {
            continue;
        }
        let the = question.is(at.checked_sub(1), &["the"]);
        let before = at.checked_sub(if the { 2 } else { 1 });
        let followed = question.is(Some(at + 1), &["namespace", "ns"]);
        let led = question.is(before, &IN) && before.is_some_and(|at| !question.taken[at]);
        let known = vocabulary.namespaces.contains(&question.low[at]);
        if known && (led || followed) {
            understood.notes.push(format!("namespace: {}", question.low[at]));
            understood.filter.namespaces.insert(question.low[at].clone());
        } else if !known
            && led
            && (followed || question.is(before, &["namespace", "ns"]))
            && !words::is_stop_word(&question.low[at])
        {
            understood.impossible = Some(format!("there is no namespace \"{}\"", question.raw[at]));
        } else {
            continue;
        }
        question.take(Some(at));
        if the {
            question.take(at.checked_sub(1));
        }
        if led {
            question.take(before);
        }
        if followed {
            question.take(Some(at + 1));
        }
    }
}

/// "team shop", "finance team": the value of a label that says whose an object is.
fn owners(question: &mut Words, understood: &mut Understood, vocabulary: &Vocabulary) {
    for at in 0..question.raw.len() {
        if question.taken[at] || !OWNER_KEYS.contains(&question.low[at].as_str()) {
            continue;
        }
        let keys =
            vocabulary.labels.iter().filter(|(key, _)| key.rsplit('/').next() == Some(question.low[at].as_str()));
        let keys: Vec<(&String, &BTreeSet<String>)> = keys.collect();
        let neighbours = [Some(at + 1), at.checked_sub(1)];
        let found = neighbours.into_iter().flatten().find_map(|near| {
            let value = question.low.get(near)?;
            let (key, _) = keys.iter().find(|(_, values)| values.contains(value))?;
            Some((near, (*key).clone(), value.clone()))
        });
        match found {
            Some((near, key, value)) => {
                understood.notes.push(format!("label: {key}={value}"));
                understood.filter.selector.0.push(Requirement::In(key, vec![value]));
                question.take(Some(at));
                question.take(Some(near));
            }
            None => {
                let next = question.low.get(at + 1).filter(|w| !words::is_stop_word(w));
                if let (Some(value), false) = (next, keys.is_empty()) {
                    understood.impossible = Some(format!("no object is labelled {}={value}", question.low[at]));
                }
            }
        }
    }
}

/// Kinds filter where they can mean nothing else; otherwise they only count in the ranking.
fn kinds(question: &mut Words, understood: &mut Understood, types: &[(String, ResourceType)], catalogue: &Catalogue) {
    let mut named: Vec<(Vec<usize>, BTreeSet<String>)> = Vec::new();
    let free: Vec<usize> = question.free().collect();
    let mut next = 0;
    while next < free.len() {
        let at = free[next];
        let pair = free.get(next + 1).filter(|second| **second == at + 1);
        let joined = pair.map(|second| format!("{}{}", question.low[at], question.low[*second]));
        let types_of = |word: &str| -> BTreeSet<String> {
            let stem = words::stem(word);
            let of_word = types.iter().map(|(_, t)| t).filter(|t| t.answers_to(word) || t.answers_to(&stem));
            of_word.map(ResourceType::name).collect()
        };
        let of_pair = joined.map(|word| types_of(&word)).filter(|found| !found.is_empty());
        if let (Some(found), Some(second)) = (of_pair, pair) {
            named.push((vec![at, *second], found));
            next += 2;
            continue;
        }
        let found = if WORKLOAD_WORDS.contains(&question.low[at].as_str()) {
            WORKLOAD_TYPES.map(str::to_owned).into()
        } else if words::is_stop_word(&question.low[at]) {
            BTreeSet::new()
        } else {
            types_of(&question.low[at])
        };
        if !found.is_empty() {
            named.push((vec![at], found));
        }
        next += 1;
    }
    let places: BTreeSet<usize> = named.iter().flat_map(|(at, _)| at.iter().copied()).collect();
    let only_kinds = question.free().all(|at| places.contains(&at) || words::is_stop_word(&question.low[at]));
    let text: String =
        named.iter().flat_map(|(at, _)| at.iter()).map(|at| question.raw[*at].as_str()).collect::<Vec<_>>().join(" ");
    // "databases" is more than the kind `Database`.
    let more = catalogue.asked(&text).iter().any(|a| matches!(a.meaning, Meaning::Category(_) | Meaning::Software(_)));
    let all: BTreeSet<String> = named.into_iter().flat_map(|(_, found)| found).collect();
    if only_kinds && !more && !all.is_empty() {
        understood.notes.push(format!("kind: {}", all.iter().cloned().collect::<Vec<_>>().join(", ")));
        understood.filter.types.extend(all);
        places.into_iter().for_each(|at| question.take(Some(at)));
    } else {
        // Short names are too much like words ("lift", "cert") to count beside others.
        let spelt_out = |ty: &&ResourceType| all.contains(&ty.name()) && spells_out(&text, ty);
        understood.kinds = types.iter().map(|(_, t)| t).filter(spelt_out).map(ResourceType::name).collect();
    }
}

/// Whether the text holds the type's kind or plural, not only a short name.
fn spells_out(text: &str, ty: &ResourceType) -> bool {
    let joined = words::split(text).concat();
    [&ty.kind, &ty.plural].iter().any(|name| joined.contains(&name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(kind: &str, plural: &str, group: &str, short: &[&str]) -> ResourceType {
        ResourceType {
            kind: kind.into(),
            plural: plural.into(),
            group: group.into(),
            short_names: short.iter().map(|s| (*s).into()).collect(),
            ..ResourceType::default()
        }
    }

    fn read(text: &str) -> Understood {
        let vocabulary = Vocabulary {
            namespaces: ["shop", "edge", "_cluster"].map(Into::into).into(),
            labels: [("example.org/team".to_owned(), ["fares", "lifts"].map(Into::into).into())].into(),
            ..Vocabulary::default()
        };
        let types = [
            ty("StatefulSet", "statefulsets", "apps", &["sts"]),
            ty("CronJob", "cronjobs", "batch", &["cj"]),
            ty("Database", "databases", "sql.example", &[]),
        ]
        .map(|ty| (String::new(), ty));
        understand(text, &Filter::default(), &vocabulary, &types, Catalogue::builtin())
    }

    #[test]
    fn namespaces_are_filters_where_they_are_named_as_such() {
        for text in ["caches in shop", "caches in the shop namespace", "namespace shop caches", "shop namespace caches"]
        {
            let understood = read(text);
            assert_eq!(understood.filter.namespaces, ["shop".to_owned()].into(), "{text}");
            assert_eq!(understood.text, "caches", "{text}");
        }
        assert!(read("the shop web page").filter.namespaces.is_empty());
        assert_eq!(read("caches in the moon namespace").impossible.unwrap(), "there is no namespace \"moon\"");
        assert_eq!(read("what is in use").impossible, None);
    }

    #[test]
    fn owners_are_label_values() {
        for text in ["everything of team fares", "the fares team's workloads"] {
            assert_eq!(read(text).filter.selector, "example.org/team=fares".parse().unwrap(), "{text}");
        }
        assert!(read("workloads of team payroll").impossible.unwrap().contains("team=payroll"));
    }

    #[test]
    fn kinds_filter_only_where_they_can_mean_nothing_else() {
        assert_eq!(read("stateful sets in edge").filter.types, ["statefulsets.apps".to_owned()].into());
        assert_eq!(read("which cron jobs are there").filter.types, ["cronjobs.batch".to_owned()].into());
        assert!(read("which cron jobs are there").scope_only);
        let databases = read("databases");
        assert!(databases.filter.types.is_empty() && databases.kinds.contains("databases.sql.example"));
        let mixed = read("statefulsets that hold orders");
        assert!(mixed.filter.types.is_empty() && mixed.kinds.contains("statefulsets.apps"));
        let named = read("sts/orders-db");
        assert_eq!((named.filter.types, named.text.as_str()), (["statefulsets.apps".to_owned()].into(), "orders-db"));
    }

    #[test]
    fn labels_and_what_is_not_wanted() {
        assert_eq!(read("cron jobs with tier=web").filter.selector, "tier=web".parse().unwrap());
        let understood = read("cron jobs that are not for backups");
        assert_eq!(understood.unwanted, "for backups");
        assert_eq!(understood.filter.types, ["cronjobs.batch".to_owned()].into());
    }
}
