//! What a question says of where to look: namespaces, labels, `kind/name`, kinds, and what it does not want; and what it wants
//! done with what is found. What is left is free text. Everything is resolved against what the index holds; a scope that it
//! does not hold makes the answer empty.

mod ages;
mod asks;
pub(crate) mod language;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clusterlore_catalogue::{Asked, Catalogue, Cover, Meaning};
use clusterlore_core::{Collection, Requirement, ResourceType, Selector, words};
use clusterlore_models::Embedder;
use clusterlore_store::{Filter, View, Vocabulary};

use crate::ask::Ask;
use crate::yardstick::step;
use crate::{Question, SearchError, Searcher, typos};

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

/// Words for everything that a question for types is about.
const TYPE_WORDS: [&str; 8] = ["type", "types", "kind", "kinds", "resource", "resources", "capability", "capabilities"];

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
    /// What is wanted beside hits.
    pub ask: Ask,
    /// Misspelt words, each with what it was taken for.
    pub corrections: Vec<(String, String)>,
    /// The question's language, where it is one that is answered by names and not by meaning.
    pub language: Option<&'static str>,
}

/// What a question is understood from.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What the index can be narrowed by.
    pub vocabulary: &'a Vocabulary,
    /// The types that the index knows, each with its cluster.
    pub types: &'a [(String, ResourceType)],
    /// What is known of software.
    pub catalogue: &'a Catalogue,
    /// When the question is asked, RFC 3339; days begin at its offset. Empty where that is not known: then nothing has an age.
    pub now: &'a str,
    /// The question's language, where it is not English.
    pub language: Option<&'static str>,
}

/// Words of a question that are still free.
struct Words {
    raw: Vec<String>,
    low: Vec<String>,
    taken: Vec<bool>,
}

impl Words {
    fn new(text: &str) -> Self {
        // A minus in front of a digit makes another number of it.
        let trim = |w: &str| {
            let word = w.trim_matches(|c: char| !c.is_alphanumeric());
            let before = &w[..w.find(word).unwrap_or(0)];
            let negative = before.ends_with('-') && word.starts_with(|c: char| c.is_ascii_digit());
            if negative { format!("-{word}") } else { word.to_owned() }
        };
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

    fn take_range(&mut self, at: usize, words: usize) {
        (at..at + words).for_each(|at| self.take(Some(at)));
    }

    /// How many free words from `at` on the pattern takes: words in a row, `|` between those of which one is meant, `?` after
    /// one that may be missing.
    fn reads(&self, at: usize, pattern: &str) -> Option<usize> {
        step();
        let mut here = at;
        for expected in pattern.split(' ') {
            let (any, optional) = expected.strip_suffix('?').map_or((expected, false), |e| (e, true));
            let fits = self.low.get(here).is_some_and(|w| !self.taken[here] && any.split('|').any(|e| e == w));
            match (fits, optional) {
                (true, _) => here += 1,
                (false, true) => {}
                (false, false) => return None,
            }
        }
        Some(here - at)
    }

    /// Whether the word says nothing of what is looked for.
    fn is_little(&self, at: usize) -> bool {
        step();
        self.taken[at] || words::is_stop_word(&self.low[at])
    }

    /// Whether the word only joins others: "things" does not, though it says little.
    fn is_grammar(&self, at: usize) -> bool {
        step();
        let thing = ["thing", "things", "anything", "something", "everything"].contains(&self.low[at].as_str());
        words::is_stop_word(&self.low[at]) && !thing
    }

    fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.raw.len()).filter(|at| !self.taken[*at])
    }

    fn text(&self) -> String {
        self.spans().0
    }

    /// The free text, and where in it each free word stands.
    fn spans(&self) -> (String, Vec<(usize, Range<usize>)>) {
        let (mut text, mut spans) = (String::new(), Vec::new());
        for at in self.free() {
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(&self.raw[at]);
            spans.push((at, start..text.len()));
        }
        (text, spans)
    }

    /// Whether a free word is left that says something.
    fn telling(&self) -> bool {
        self.free().any(|at| !words::is_stop_word(&self.low[at]))
    }
}

/// Takes a question apart.
pub fn understand(text: &str, filter: &Filter, around: &Surroundings<'_>) -> Understood {
    let mut understood = Understood { filter: filter.clone(), language: around.language, ..Understood::default() };
    let text = language::spaced(around.language, text);
    let mut question = Words::new(&text);
    asks::read(&mut question, &mut understood, around);
    unwanted(&mut question, &mut understood);
    labels(&mut question, &mut understood);
    kind_and_name(&mut question, &mut understood, around.types);
    namespaces(&mut question, &mut understood, around);
    owners(&mut question, &mut understood, around.vocabulary);
    kinds(&mut question, &mut understood, around);
    little_words(&mut question, around);
    if let Some(language) = around.language {
        understood.notes.push(format!("language: {language}, answered by names and not by meaning"));
    }
    understood.scope_only = !question.telling();
    understood.text = question.text();
    understood
}

/// As [`understand`], of a question about types. A type has no scope: every word is about what it is for.
pub(crate) fn understand_types(text: &str, filter: &Filter, around: &Surroundings<'_>) -> Understood {
    let mut understood = Understood { filter: filter.clone(), language: around.language, ..Understood::default() };
    let mut question = Words::new(&language::spaced(around.language, text));
    asks::count(&mut question, &mut understood, around);
    if understood.ask.count {
        let places: Vec<usize> = question.free().filter(|at| question.is(Some(*at), &TYPE_WORDS)).collect();
        places.into_iter().for_each(|at| question.take(Some(at)));
    }
    little_words(&mut question, around);
    understood.scope_only = text.trim().is_empty() || understood.ask.count && !question.telling();
    let whole = understood.ask == Ask::default() && around.language.is_none();
    understood.text = if whole { text.to_owned() } else { question.text() };
    understood
}

impl Searcher {
    /// The question, read with what the index and the embedder know.
    pub(crate) async fn understood(
        &self,
        view: &dyn View,
        embedder: &dyn Embedder,
        question: &Question,
    ) -> Result<Understood, SearchError> {
        let types = view.types().await?;
        let vocabulary = view.vocabulary(question.collection).await?;
        let english = |word: &str| typos::is_english(embedder, word) == Some(true);
        let language = language::of(&question.text, english);
        let around = Surroundings {
            vocabulary: &vocabulary,
            types: &types,
            catalogue: &self.catalogue,
            now: &question.now,
            language,
        };
        let (text, corrections) = match language {
            None => typos::correct(view, embedder, question.collection, &question.text, &around).await?,
            Some(_) => (question.text.clone(), Vec::new()),
        };
        let mut understood = match question.collection {
            Collection::Instances => understand(&text, &question.filter, &around),
            Collection::Capabilities => understand_types(&text, &question.filter, &around),
        };
        understood.notes.extend(corrections.iter().map(|(typed, meant)| format!("corrected: {typed} to {meant}")));
        understood.corrections = corrections;
        Ok(understood)
    }
}

/// Takes the little words of another language, except where the catalogue knows them as part of something.
fn little_words(question: &mut Words, around: &Surroundings<'_>) {
    if around.language.is_none() {
        return;
    }
    let (text, spans) = question.spans();
    let several: Cover = around.catalogue.asked(&text).iter().filter(|a| a.words > 1).map(|a| &a.span).collect();
    for (at, span) in spans {
        if !several.covers(&span) && language::is_little(around.language, &question.low[at]) {
            question.take(Some(at));
        }
    }
}

/// "… not for logging": from the word on to the end.
fn unwanted(question: &mut Words, understood: &mut Understood) {
    // In Portuguese "no" is "in the".
    let is_not = |w: &str| NOT.contains(&w) && !(w == "no" && understood.language.is_some());
    let begins = |at: &usize| !question.taken[*at] && is_not(&question.low[*at]);
    let Some(at) = (1..question.low.len()).find(begins) else { return };
    let words: Vec<&str> = question.free().filter(|free| *free > at).map(|free| question.raw[free].as_str()).collect();
    understood.unwanted = words.join(" ");
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
            if question.is(at.checked_sub(1), &["with", "label", "labels", "labelled", "labeled"]) {
                question.take(at.checked_sub(1));
            }
        }
    }
    if understood.filter.selector.is_too_long() {
        understood.impossible = Some("the question has too many conditions on labels".to_owned());
        understood.filter.selector = Selector::default();
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
fn namespaces(question: &mut Words, understood: &mut Understood, around: &Surroundings<'_>) {
    let vocabulary = around.vocabulary;
    let inside: Vec<&str> = IN.iter().chain(language::inside(around.language)).copied().collect();
    for at in 0..question.raw.len() {
        if question.taken[at] || ["namespace", "ns", "the"].contains(&question.low[at].as_str()) {
            continue;
        }
        let the = question.is(at.checked_sub(1), &["the"]);
        let before = at.checked_sub(if the { 2 } else { 1 });
        let followed = question.is(Some(at + 1), &["namespace", "ns"]);
        let led = question.is(before, &inside) && before.is_some_and(|at| !question.taken[at]);
        let known = vocabulary.namespaces.contains(&question.low[at]);
        if known && (led || followed) {
            understood.notes.push(format!("namespace: {}", question.low[at]));
            understood.filter.namespaces.insert(question.low[at].clone());
        } else if !known
            && led
            && (followed || question.is(before, &["namespace", "ns"]))
            && !words::is_stop_word(&question.low[at])
            && !language::is_little(around.language, &question.low[at])
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
fn kinds(question: &mut Words, understood: &mut Understood, around: &Surroundings<'_>) {
    let (types, catalogue) = (around.types, around.catalogue);
    let mut named: Vec<(Vec<usize>, BTreeSet<String>)> = Vec::new();
    let free: Vec<usize> = question.free().collect();
    let mut next = 0;
    while next < free.len() {
        let at = free[next];
        let pair = free.get(next + 1).filter(|second| **second == at + 1);
        let joined = pair.map(|second| format!("{}{}", question.low[at], question.low[*second]));
        let types_of = |word: &str| -> BTreeSet<String> {
            let stem = words::stem(word);
            let answers = |t: &&ResourceType| {
                step();
                t.answers_to(word) || t.answers_to(&stem)
            };
            let of_word = types.iter().map(|(_, t)| t).filter(answers);
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
    if around.language.is_some() || understood.ask != Ask::default() {
        other_names(question, around, &mut named);
    }
    let places: BTreeSet<usize> = named.iter().flat_map(|(at, _)| at.iter().copied()).collect();
    let little = |at: usize| question.is_little(at) || language::is_little(around.language, &question.low[at]);
    let only_kinds = question.free().all(|at| places.contains(&at) || little(at));
    let spelt = |at: &[usize]| at.iter().map(|at| question.raw[*at].as_str()).collect::<Vec<_>>().join(" ");
    // "databases" is more than the kind `Database`; "database claims" are nothing but the kind `DatabaseClaim`.
    let more = named.iter().map(|(at, _)| spelt(at)).any(|text| {
        let whole = |a: &Asked<'_>| a.span == (0..text.len()) && !matches!(a.meaning, Meaning::Kind(_));
        catalogue.asked(&text).iter().any(whole)
    });
    let text = spelt(&named.iter().flat_map(|(at, _)| at.iter().copied()).collect::<Vec<usize>>());
    let all: BTreeSet<String> = named.into_iter().flat_map(|(_, found)| found).collect();
    if only_kinds && !more && !all.is_empty() {
        understood.notes.push(format!("kind: {}", all.iter().cloned().collect::<Vec<_>>().join(", ")));
        understood.filter.types.extend(all);
        places.into_iter().for_each(|at| question.take(Some(at)));
    } else {
        // Short names are too much like words ("lift", "cert") to count beside others.
        let text = words::split(&text).concat();
        let spelt_out = |ty: &&ResourceType| all.contains(&ty.name()) && spells_out(&text, ty);
        understood.kinds = types.iter().map(|(_, t)| t).filter(spelt_out).map(ResourceType::name).collect();
    }
}

/// Kinds by what the catalogue calls them: "scheduled jobs", "zertifikate". In a question that only wants to find something
/// these are left to the ranking; a question that counts needs to know what it counts.
fn other_names(question: &Words, around: &Surroundings<'_>, named: &mut Vec<(Vec<usize>, BTreeSet<String>)>) {
    let (text, spans) = question.spans();
    let mut more: Vec<(Vec<usize>, BTreeSet<String>)> = Vec::new();
    for asked in around.catalogue.asked(&text) {
        let Meaning::Kind(kind) = asked.meaning else { continue };
        let from = spans.partition_point(|(_, span)| span.end <= asked.span.start);
        let inside = spans[from..].iter().take_while(|(_, span)| span.start < asked.span.end);
        let places: Vec<usize> = inside.map(|(at, _)| *at).collect();
        let is_it = |t: &&ResourceType| t.group == *kind.group && t.kind == *kind.kind;
        let found: BTreeSet<String> =
            around.types.iter().map(|(_, t)| t).filter(is_it).map(ResourceType::name).collect();
        if !found.is_empty() {
            more.push((places, found));
        }
    }
    // The longer name is meant: "scheduled jobs" are no jobs.
    let mut longest: BTreeMap<usize, usize> = BTreeMap::new();
    for (places, _) in &more {
        for at in places {
            let longest = longest.entry(*at).or_default();
            *longest = places.len().max(*longest);
        }
    }
    named.retain(|(at, _)| at.iter().any(|place| longest.get(place).is_none_or(|longest| *longest <= at.len())));
    named.extend(more);
}

/// Whether the words, put together, hold the type's kind or plural, not only a short name.
fn spells_out(joined: &str, ty: &ResourceType) -> bool {
    [&ty.kind, &ty.plural].iter().any(|name| joined.contains(&name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::{GroupBy, Order};

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
        let knows = |word: &str| ["caches", "pods"].contains(&word);
        let around = Surroundings {
            vocabulary: &vocabulary,
            types: &types,
            catalogue: Catalogue::builtin(),
            now: "2026-06-17T12:00:00+02:00",
            language: language::of(text, knows),
        };
        understand(text, &Filter::default(), &around)
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

    #[test]
    fn numbers_are_asked_for() {
        for (text, left) in [
            ("how many caches are there", "caches"),
            ("how many caches do we have in shop", "caches"),
            ("in the shop namespace, how many caches are there?", "caches"),
            ("what is the total number of caches", "caches"),
            ("count the caches", "caches"),
            ("wie viele Datenbanken gibt es im namespace shop", "Datenbanken"),
            ("combien de bases de données", "bases de données"),
            ("¿cuántas bases de datos hay?", "bases de datos"),
            ("quantos bancos de dados existem no namespace shop", "bancos de dados"),
            ("shop 命名空间有多少数据库", "有数据库"),
        ] {
            let understood = read(text);
            assert!(understood.ask.count && !understood.scope_only, "{text}");
            let telling = words::split(&understood.text).into_iter().filter(|w| !words::is_stop_word(w));
            assert_eq!(telling.collect::<Vec<_>>().join(" "), left.to_lowercase(), "{text}");
        }
        for text in ["count", "the count of monte cristo", "scale by how many messages wait", "number-cruncher"] {
            assert!(!read(text).ask.count, "{text}");
        }
        let understood = read("how many stateful sets are in edge");
        assert!(understood.scope_only && understood.filter.types.contains("statefulsets.apps"));
        assert!(read("how many scheduled jobs are there").filter.types.contains("cronjobs.batch"));
        assert!(read("how many objects exist in edge").scope_only);
    }

    #[test]
    fn groups_are_asked_for() {
        let team = GroupBy::Label("example.org/team".to_owned());
        for (text, group, left) in [
            ("caches per namespace", GroupBy::Namespace, "caches"),
            ("caches by kind", GroupBy::Kind, "caches"),
            ("caches for each team", team.clone(), "caches"),
            ("caches grouped by owner that are red", GroupBy::Owner, "caches red"),
            ("caches per cluster", GroupBy::Cluster, "caches"),
            ("caches per label tier", GroupBy::Label("tier".to_owned()), "caches"),
            ("in which namespace are caches", GroupBy::Namespace, "caches"),
            ("which namespaces have caches", GroupBy::Namespace, "caches"),
            ("which team runs caches", team, "caches"),
            ("where does redis run?", GroupBy::Namespace, "redis"),
        ] {
            let understood = read(text);
            assert_eq!((understood.ask.group_by, understood.impossible), (Some(group), None), "{text}");
            let telling = words::split(&understood.text).into_iter().filter(|w| !words::is_stop_word(w));
            assert_eq!(telling.collect::<Vec<_>>().join(" "), left, "{text}");
        }
        for text in [
            "where are the passwords kept",
            "where do people buy tickets",
            "requests per second",
            "signed by team",
            "which namespaces are there",
            "what kind of cache is this",
        ] {
            let group = read(text).ask.group_by;
            assert!(group.is_none() || text == "signed by team", "{text}: {group:?}");
        }
    }

    #[test]
    fn orders_are_asked_for() {
        let newest = Some(Order::Newest);
        for (text, order, at_most, left) in [
            ("newest caches", newest, None, "caches"),
            ("the latest caches", newest, None, "caches"),
            ("the most recent caches", newest, None, "caches"),
            ("recently deployed caches", newest, None, "caches"),
            ("the 5 newest caches", newest, Some(5), "the caches"),
            ("newest three caches", newest, Some(3), "caches"),
            ("which cache is the oldest", Some(Order::Oldest), None, "which cache is the"),
            ("latest", None, None, "latest"),
            ("image tag latest caches", None, None, "image tag latest caches"),
        ] {
            let understood = read(text);
            assert_eq!((understood.ask.order, understood.ask.at_most), (order, at_most), "{text}");
            assert_eq!(understood.text.trim_start_matches("the "), left.trim_start_matches("the "), "{text}");
        }
        let oldest = read("oldest statefulset");
        assert!(oldest.scope_only && oldest.filter.types.contains("statefulsets.apps"));
    }

    #[test]
    fn ages_are_limits() {
        // It is a Wednesday, noon at +02:00.
        for (text, since, until) in [
            ("caches older than 30 days", "", "2026-05-18T10:00:00Z"),
            ("caches not older than two weeks", "2026-06-03T10:00:00Z", ""),
            ("caches younger than an hour", "2026-06-17T09:00:00Z", ""),
            ("caches newer than 90m", "2026-06-17T08:30:00Z", ""),
            ("caches more than 1 year old", "", "2025-06-17T10:00:00Z"),
            ("caches less than 3 months old", "2026-03-19T10:00:00Z", ""),
            ("caches created today", "2026-06-16T22:00:00Z", "2026-06-17T22:00:00Z"),
            ("caches that were deployed yesterday", "2026-06-15T22:00:00Z", "2026-06-16T22:00:00Z"),
            ("caches deployed this week", "2026-06-14T22:00:00Z", "2026-06-21T22:00:00Z"),
            ("caches deployed last week", "2026-06-07T22:00:00Z", "2026-06-14T22:00:00Z"),
            ("caches deployed last month", "2026-04-30T22:00:00Z", "2026-05-31T22:00:00Z"),
            ("caches created in the last 3 hours", "2026-06-17T07:00:00Z", ""),
            ("caches created last 3 hours", "2026-06-17T07:00:00Z", ""),
            ("caches within the past week", "2026-06-10T10:00:00Z", ""),
            ("caches since 2026-01-31", "2026-01-30T22:00:00Z", ""),
            ("caches since yesterday", "2026-06-15T22:00:00Z", ""),
            ("caches created after 2026-01-31", "2026-01-31T22:00:00Z", ""),
            ("caches created before 2026-01-31T10:00:00Z", "", "2026-01-31T10:00:00Z"),
            ("caches older than 2 days and newer than 3 days", "2026-06-14T10:00:00Z", "2026-06-15T10:00:00Z"),
        ] {
            let understood = read(text);
            let said = |t: Option<jiff::Timestamp>| t.map(|t| t.to_string()).unwrap_or_default();
            let Ask { since: s, until: u, .. } = understood.ask;
            assert_eq!((said(s).as_str(), said(u).as_str()), (since, until), "{text}");
            let telling = words::split(&understood.text).into_iter().filter(|w| !words::is_stop_word(w));
            assert_eq!(telling.collect::<Vec<_>>(), ["caches"], "{text}");
        }
        for text in [
            "what changed since the storm",
            "the today page",
            "older than postgres",
            "caches over 5 minutes",
            "the last caches",
            "yesterday",
        ] {
            assert!(!read(text).ask.by_age(), "{text}");
        }
        // Nothing is so old, everything is so young.
        for (text, since, until) in [
            ("caches older than 99999999999 years", None, Some(jiff::Timestamp::MIN)),
            ("caches newer than 99999999999999999999999 years", Some(jiff::Timestamp::MIN), None),
        ] {
            let ask = read(text).ask;
            assert_eq!((ask.since, ask.until), (since, until), "{text}");
        }
    }

    #[test]
    fn ages_that_make_no_sense_fit_nothing() {
        for (text, problem) in [
            ("caches older than -3 days", "\"-3 days\" is no age"),
            ("caches since 2026-02-31", "\"2026-02-31\" is no date"),
        ] {
            assert!(read(text).impossible.unwrap().starts_with(problem), "{text}");
        }
        let around = Surroundings {
            vocabulary: &Vocabulary::default(),
            types: &[],
            catalogue: Catalogue::builtin(),
            now: "",
            language: None,
        };
        let timeless = understand("caches older than 3 days", &Filter::default(), &around);
        assert!(timeless.impossible.unwrap().contains("time of the question is not known"));
        let dated = understand("caches since 2026-01-31", &Filter::default(), &around);
        assert_eq!(dated.impossible, None);
        assert!(dated.ask.since.is_some());
    }

    #[test]
    fn scopes_of_other_languages() {
        for text in [
            "welche Caches gibt es im namespace shop",
            "welche Caches gibt es im Namensraum shop",
            "quels caches sont dans le namespace shop",
            "quels caches sont dans l'espace de noms shop",
            "¿qué cachés hay en el namespace shop?",
            "quais caches existem no namespace shop",
            "在 shop 命名空间有哪些缓存",
        ] {
            let understood = read(text);
            assert_eq!(understood.filter.namespaces, ["shop".to_owned()].into(), "{text}");
            assert!(understood.language.is_some() && understood.impossible.is_none(), "{text}");
            assert_eq!(understood.unwanted, "", "{text}");
        }
        assert_eq!(read("quelles bases de données sont dans shop").text, "bases de données");
        let kinds = read("¿qué statefulsets hay en edge?");
        assert!(kinds.scope_only && kinds.filter.types.contains("statefulsets.apps"), "{kinds:?}");
    }
}
