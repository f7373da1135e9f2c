//! The conditions that a question names: labels, `kind/name`, and where things are: namespaces, teams, stages. What can mean nothing else
//! is a filter; the rest is a soft condition, which what meets it ranks higher by.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::Meaning;
use clusterlore_core::{Collection, Requirement, ResourceType, Selector, words};
use clusterlore_store::{Probe, StoreError, View};

use super::clusters;
use super::context::QueryContext;
use super::kind_words;
use super::language;
use super::parsed::{AskedName, Condition, Note, ParsedQuery, Problem, SoftCondition};
use super::tokens::Tokens;

/// Words before the name of a namespace.
const IN: [&str; 7] = ["in", "from", "inside", "within", "under", "namespace", "ns"];
const NAMESPACE: [&str; 2] = ["namespace", "ns"];
/// Label keys (without their domain) that people use as nouns: "team shop".
pub(super) const OWNER_KEYS: [&str; 8] =
    ["team", "owner", "squad", "tier", "department", "env", "environment", "stage"];
/// Words for those who own something: "the shop people".
const PEOPLE: [&str; 8] = ["people", "folks", "guys", "crew", "teams", "squads", "colleagues", "lot"];
/// What shows that somebody is not sure where something is.
const HEDGES: [&str; 26] = [
    "think",
    "guess",
    "probably",
    "maybe",
    "perhaps",
    "somewhere",
    "mistaken",
    "possibly",
    "likely",
    "presumably",
    "believe",
    "suppose",
    "should",
    "may",
    "might",
    "afaik",
    "must",
    "vielleicht",
    "glaube",
    "wohl",
    "vermutlich",
    "peut-être",
    "crois",
    "quizás",
    "creo",
    "acho",
];
/// Words for the stages of a product, each with the others that mean the same.
const STAGES: [&[&str]; 4] = [
    &["production", "prod", "prd", "live"],
    &["staging", "stage", "stg", "preprod", "preproduction", "uat"],
    &["development", "dev"],
    &["testing", "test", "qa"],
];

/// The most places that a question names as such. One with more of them is a list, or a log.
const MOST_PLACES: usize = 32;

/// Where a question says that things are.
pub(super) struct Place {
    pub(super) condition: SoftCondition,
    /// Whether the words can mean nothing else.
    pub(super) sure: bool,
    /// The words that name it and are still free: they may mean something else too.
    pub(super) words: Vec<usize>,
}

impl Place {
    /// The namespaces that it may be.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = String> {
        let name = |c: &Condition| if let Condition::Namespace(name) = c { Some(name.clone()) } else { None };
        self.condition.any.iter().filter_map(name)
    }
}

/// `tier=backend`, with kubectl's grammar.
pub(super) fn labels(tokens: &mut Tokens, parsed: &mut ParsedQuery) {
    for at in tokens.free().collect::<Vec<_>>() {
        if let Some(selector) = tokens.raw[at].contains('=').then(|| tokens.raw[at].parse::<Selector>().ok()).flatten()
        {
            parsed.notes.push(Note::Label(tokens.raw[at].clone()));
            parsed.filter.selector.0.extend(selector.0);
            tokens.take(Some(at));
            if tokens.is(at.checked_sub(1), &["with", "label", "labels", "labelled", "labeled", "carries", "carry"]) {
                tokens.take(at.checked_sub(1));
            }
        }
    }
    if parsed.filter.selector.is_too_long() {
        parsed.problem = Some(Problem::TooManyConditions);
        parsed.filter.selector = Selector::default();
    }
}

/// `deploy/checkout-api`, `shop/checkout-api`.
pub(super) fn kind_and_name(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) {
    for at in tokens.free().collect::<Vec<_>>() {
        let Some((kind, name)) = tokens.raw[at].split_once('/').map(|(k, n)| (k.to_owned(), n.to_owned())) else {
            continue;
        };
        if name.is_empty() || name.contains('/') {
            continue;
        }
        let answers = |t: &&ResourceType| t.answers_to(&kind);
        let named: BTreeSet<String> =
            context.types.iter().map(|(_, t)| t).filter(answers).map(ResourceType::name).collect();
        let mut asked = AskedName { name: name.clone(), sure: true, ..AskedName::default() };
        if !named.is_empty() {
            parsed.filter.types.extend(named.iter().cloned());
            parsed.notes.push(Note::Kind(named.iter().cloned().collect()));
            asked.kinds = named;
        } else if context.vocabulary.namespaces.contains(&kind.to_lowercase()) {
            asked.namespaces.insert(kind.to_lowercase());
        } else {
            continue;
        }
        parsed.asked.push(asked);
        tokens.low[at] = name.to_lowercase();
        tokens.raw[at] = name;
    }
}

/// All places that the question names, and takes the words of those that it names as such.
pub(super) fn places(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>) -> Vec<Place> {
    let hedged = tokens.low.iter().any(|w| HEDGES.contains(&w.as_str()));
    parsed.hedged = hedged;
    let mut found = Vec::new();
    clusters::named(tokens, parsed, context, |word| !stage(word, context).is_empty());
    everywhere(tokens, parsed);
    named_namespaces(tokens, parsed, context, hedged, &mut found);
    owners(tokens, parsed, context, &mut found);
    mentioned(tokens, context, &mut found);
    found
}

/// "in any namespace", "across the whole cluster" say no place; "on the shop-prod cluster" says one that only the caller can choose.
fn everywhere(tokens: &mut Tokens, parsed: &mut ParsedQuery) {
    const EVERYWHERE: [&str; 12] = [
        "in|on|over|across|from|through any|all|every|each|whichever of? the|our? namespace|namespaces|ns",
        "in|on|over|across|from|through the|our|a|this? whole|entire|same|k8s|kubernetes? cluster",
        "any|all|every namespace|namespaces",
        "in|über allen|alle namespaces",
        "im ganzen|gesamten cluster",
        "dans? tous les? namespaces confondus?",
        "dans tout|tous le|les cluster|clusters",
        "en|em todos los|os? namespaces",
        "en|em todo|toda el|o clúster|cluster",
        "im|aufs|ins cluster",
        "dans le|notre cluster",
        "en|no el|nuestro? clúster|cluster",
    ];
    for at in 0..tokens.raw.len() {
        if let Some(words) = EVERYWHERE.iter().find_map(|pattern| tokens.match_at(at, pattern)) {
            tokens.take_range(at, words);
        } else if let Some(before) = tokens.match_at(at, "in|on the|our?")
            && let Some(name) =
                tokens.low.get(at + before).filter(|_| tokens.is(Some(at + before + 1), &["cluster"])).cloned()
            && (name.contains('-') || STAGES.iter().any(|names| names.contains(&name.as_str())))
        {
            parsed.unknown.push(format!("{name} cluster"));
            tokens.take_range(at, before + 2);
        }
    }
}

/// "in (the) iot (namespace)", "namespace iot", "iot namespace", "in iot or edge".
fn named_namespaces(
    tokens: &mut Tokens,
    parsed: &mut ParsedQuery,
    context: &QueryContext<'_>,
    hedged: bool,
    found: &mut Vec<Place>,
) {
    let inside: Vec<&str> = IN.iter().chain(language::inside(context.language)).copied().collect();
    for at in 0..tokens.raw.len() {
        if tokens.taken[at] || tokens.is(Some(at), &["namespace", "ns", "namespaces", "the"]) {
            continue;
        }
        let the = tokens.is(at.checked_sub(1), &["the", "our", "a"]);
        let before = at.checked_sub(if the { 2 } else { 1 });
        let followed = tokens.is(Some(at + 1), &["namespace", "namespaces", "ns"]) && !tokens.ends[at];
        let led = tokens.is(before, &inside) && before.is_some_and(|at| !tokens.taken[at] && !tokens.ends[at]);
        let as_such = followed || tokens.is(before, &NAMESPACE);
        let word = tokens.low[at].clone();
        let is_known = context.vocabulary.namespaces.contains(&word);
        if !(led || followed) || found.len() == MOST_PLACES {
            continue;
        }
        let (any, mut to) = match is_known {
            true => {
                let (names, to) = with_others(tokens, at, context);
                (names.into_iter().map(Condition::Namespace).collect(), to)
            }
            false => (stage(&word, context), at + 1),
        };
        if any.is_empty() {
            let says_nothing = words::is_stop_word(&word) || language::is_stop_word(context.language, &word);
            let is_stage = STAGES.iter().any(|names| names.contains(&word.as_str()));
            if !led || says_nothing || !(as_such || is_stage || looks_like_a_namespace(&word, context)) {
                continue;
            }
            match as_such && !hedged {
                true => {
                    parsed.problem.get_or_insert_with(|| Problem::NoSuchNamespace(tokens.raw[at].clone()));
                }
                false => parsed.unknown.push(tokens.raw[at].clone()),
            }
        } else if is_known || led {
            // "in grafana" may mean the software, "in search engines" no namespace, "in the lab" a laboratory.
            let ends = tokens.ends[to - 1] || to >= tokens.raw.len() || tokens.says_nothing(to);
            let as_such = as_such || tokens.is(Some(to), &NAMESPACE);
            let english = (context.is_english)(&word);
            let plain = !is_software(&word, context) && (!english || !the && ends);
            let sure = is_known && !hedged && (as_such || plain);
            let said = tokens.raw[at..to].join(" ");
            let means_more = !as_such && is_software(&word, context);
            let words = if means_more { (at..to).collect() } else { Vec::new() };
            found.push(Place { condition: SoftCondition { said, any }, sure, words });
            if means_more {
                continue;
            }
        } else {
            continue;
        }
        if tokens.is(Some(to), &["namespace", "namespaces", "ns"]) {
            to += 1;
        }
        tokens.take_range(at, to - at);
        if the {
            tokens.take(at.checked_sub(1));
        }
        if led {
            tokens.take(before);
        }
    }
}

/// The namespaces that are named from here on, joined by "and", "or" or a comma, and where they end.
fn with_others(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> (Vec<String>, usize) {
    let known = |at: usize| {
        tokens.low.get(at).filter(|w| !tokens.taken[at] && context.vocabulary.namespaces.contains(*w)).cloned()
    };
    let mut names = vec![tokens.low[at].clone()];
    let mut to = at + 1;
    loop {
        let joined = tokens
            .match_at(to, "and|or|und|oder|et|ou|y|o|e in|from|of|the? the?")
            .filter(|_| !tokens.ends[to - 1])
            .or_else(|| tokens.ends[to - 1].then(|| tokens.match_at(to, "and|or? in|from? the?").unwrap_or(0)));
        let Some(name) = joined.and_then(|joined| known(to + joined)) else { return (names, to) };
        names.push(name);
        to += joined.unwrap_or(0) + 1;
    }
}

/// What is in the stage that the word names, by namespaces and labels.
fn stage(word: &str, context: &QueryContext<'_>) -> Vec<Condition> {
    let Some(same) = STAGES.iter().find(|names| names.contains(&word)) else { return Vec::new() };
    let is_of = |name: &String| words::split(name).iter().any(|part| same.contains(&part.as_str()));
    let namespaces = context.vocabulary.namespaces.iter().filter(|n| is_of(n)).cloned().map(Condition::Namespace);
    let keyed = context.vocabulary.labels.iter().filter(|(key, _)| owner_key(key).is_some());
    let labels = keyed
        .flat_map(|(key, values)| values.iter().filter(|v| is_of(v)).map(|v| Condition::Label(key.clone(), v.clone())));
    namespaces.chain(labels).collect()
}

/// Whether a word begins as known namespaces do: "squad-otter" beside "squad-heron".
fn looks_like_a_namespace(word: &str, context: &QueryContext<'_>) -> bool {
    let Some((first, _)) = word.split_once('-') else { return false };
    let stem = format!("{first}-");
    context.vocabulary.namespaces.range(stem.clone()..).next().is_some_and(|name| name.starts_with(&stem))
}

fn is_software(word: &str, context: &QueryContext<'_>) -> bool {
    context.catalogue.asked(word).iter().any(|a| matches!(a.meaning, Meaning::Software(_)))
}

fn owner_key(key: &str) -> Option<&str> {
    let last = key.rsplit('/').next().unwrap_or(key);
    OWNER_KEYS.contains(&last).then_some(last)
}

/// Whose an object is, by that word: values of labels, or namespaces called after it.
fn of_owner(key: Option<&str>, word: &str, context: &QueryContext<'_>) -> Vec<Condition> {
    let labels = &context.vocabulary.labels;
    let keyed = labels.iter().filter(|(own, values)| values.contains(word) && owner_key(own).is_some());
    let mut of_key: Vec<&String> = keyed.map(|(own, _)| own).collect();
    // "tier web" is not "env web"; but a squad may be called a team.
    let same = |own: &&&String| key.is_none_or(|key| owner_key(own) == Some(key));
    if of_key.iter().any(|own| same(&own)) {
        of_key.retain(|own| same(&own));
    } else if key.is_some_and(|key| !["team", "squad", "owner", "department"].contains(&key)) {
        of_key.clear();
    }
    let labels = of_key.into_iter().map(|own| Condition::Label(own.clone(), word.to_owned()));
    let names = [word.to_owned(), format!("team-{word}"), format!("squad-{word}"), format!("{word}-team")];
    let named = names.into_iter().filter(|name| context.vocabulary.namespaces.contains(name));
    labels.chain(named.map(Condition::Namespace)).collect()
}

/// "team shop", "finance team", "the yard or the heron people", "owned by shop".
fn owners(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>, found: &mut Vec<Place>) {
    for at in 0..tokens.raw.len() {
        if tokens.taken[at] {
            continue;
        }
        let word = tokens.low[at].clone();
        let key = OWNER_KEYS.contains(&word.as_str()).then_some(word.as_str());
        let by = tokens
            .match_at(at, "owned|run|managed|maintained by the?")
            .or_else(|| tokens.match_at(at, "belong|belongs|belonging to the?"));
        if key.is_none() && by.is_none() && !PEOPLE.contains(&word.as_str()) {
            continue;
        }
        let after = at + by.unwrap_or(1);
        // "team shop" before "shop team", and "by shop" only so.
        let mut sides: Vec<usize> = Vec::new();
        if (key.is_some() || by.is_some()) && !tokens.ends[after - 1] {
            sides.push(after);
        }
        if by.is_none() {
            sides.extend(at.checked_sub(1).filter(|before| !tokens.ends[*before]));
        }
        let owner = |side: usize| {
            let value = tokens.low.get(side).filter(|_| !tokens.taken[side])?;
            Some(of_owner(key, value, context)).filter(|any| !any.is_empty())
        };
        let Some((side, mut any)) = sides.iter().find_map(|side| Some((*side, owner(*side)?))) else {
            let value =
                tokens.low.get(after).filter(|w| key.is_some() && !words::is_stop_word(w) && !tokens.taken[after]);
            let said = tokens.is(at.checked_sub(1), &["of", "by", "to", "from", "in", "does", "for"]);
            if let (Some(value), true) = (value.cloned(), said && !tokens.ends[at]) {
                parsed.unknown.push(format!("{word} {value}"));
                tokens.take_range(at - 1, 3);
            }
            continue;
        };
        let mut places = vec![side];
        // "the yard or the heron people", "team shop and finance"
        loop {
            let end = places.iter().copied().max().unwrap_or(side);
            let begin = places.iter().copied().min().unwrap_or(side);
            let on = tokens.match_at(end + 1, "and|or the? team|squad?").map(|joined| end + 1 + joined);
            let back = (begin > 1 && side < at)
                .then(|| (1..=2).find(|n| begin > *n && tokens.is(Some(begin - n), &["and", "or"])))
                .flatten()
                .map(|n| begin - n - 1);
            let more =
                [on.filter(|_| side > at), back].into_iter().flatten().find_map(|place| Some((place, owner(place)?)));
            let Some((place, more)) = more else { break };
            places.push(place);
            any.extend(more);
        }
        let (from, to) = (
            places.iter().copied().min().unwrap_or(at).min(at),
            places.iter().copied().max().unwrap_or(at).max(after - 1),
        );
        let said = places.iter().map(|at| tokens.raw[*at].as_str()).collect::<Vec<_>>().join(", ");
        found.push(Place { condition: SoftCondition { said, any }, sure: false, words: Vec::new() });
        tokens.take_range(from, to + 1 - from);
        if tokens.is(Some(to + 1), &PEOPLE) || tokens.is(Some(to + 1), &["team", "squad"]) {
            tokens.take(Some(to + 1));
        }
    }
}

/// Namespaces and stages that are mentioned by the way: "the pet store's orders", "which jobs does lab have". Their words stay, because they
/// may mean something else.
fn mentioned(tokens: &Tokens, context: &QueryContext<'_>, found: &mut Vec<Place>) {
    let mut any: Vec<Condition> = Vec::new();
    let (mut places, mut said): (Vec<usize>, Vec<String>) = (Vec::new(), Vec::new());
    for at in tokens.free() {
        if said.len() == MOST_PLACES {
            break;
        }
        let word = tokens.low[at].as_str();
        if words::is_stop_word(word) || word == "default" || tokens.quoted[at] {
            continue;
        }
        let pair = tokens.low.get(at + 1).filter(|_| !tokens.ends[at] && !tokens.taken[at + 1]);
        let joined = pair.and_then(|next| {
            [format!("{word}-{next}"), format!("{word}{next}")]
                .into_iter()
                .find(|n| context.vocabulary.namespaces.contains(n))
        });
        if let Some(name) = joined {
            any.push(Condition::Namespace(name));
            places.extend([at, at + 1]);
            said.push(format!("{word} {}", tokens.low[at + 1]));
        } else if context.vocabulary.namespaces.contains(word)
            && !is_software(word, context)
            && kind_words::one(word, context).is_empty()
        {
            any.push(Condition::Namespace(word.to_owned()));
            places.push(at);
            said.push(word.to_owned());
        } else if ["production", "prod", "staging", "preprod"].contains(&word) {
            let of_stage = stage(word, context);
            if !of_stage.is_empty() {
                any.extend(of_stage);
                places.push(at);
                said.push(word.to_owned());
            }
        }
    }
    if !any.is_empty() {
        any.sort();
        any.dedup();
        found.push(Place { condition: SoftCondition { said: said.join(", "), any }, sure: false, words: places });
    }
}

/// Makes a place a filter: the question can mean nothing else. What may be a label or a namespace waits until the view is asked which.
pub(super) fn narrow(parsed: &mut ParsedQuery, condition: SoftCondition) {
    let labels: BTreeSet<&String> =
        condition.any.iter().filter_map(|c| if let Condition::Label(key, _) = c { Some(key) } else { None }).collect();
    let namespaces = condition.any.iter().any(|c| matches!(c, Condition::Namespace(_)));
    if labels.len() + usize::from(namespaces) > 1 {
        parsed.either.push(condition);
    } else {
        narrow_to(parsed, &condition.any);
    }
}

/// Narrows to objects that meet any of these conditions, which are all of one kind.
pub(super) fn narrow_to(parsed: &mut ParsedQuery, any: &[Condition]) {
    let mut values: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for condition in any {
        match condition {
            Condition::Namespace(name) => parsed.add_namespace(name),
            Condition::Label(key, value) => values.entry(key).or_default().push(value.clone()),
            Condition::Type(_) => {}
        }
    }
    for (key, values) in values {
        parsed.notes.extend(values.iter().map(|value| Note::Label(format!("{key}={value}"))));
        parsed.filter.selector.0.push(Requirement::In(key.clone(), values));
    }
}

/// Narrows to the first reading of each place that leaves something: a label, then another, then namespaces.
pub(super) async fn narrow_by(view: &dyn View, parsed: &mut ParsedQuery) -> Result<(), StoreError> {
    for condition in std::mem::take(&mut parsed.either) {
        let mut readings: BTreeMap<Option<&String>, Vec<Condition>> = BTreeMap::new();
        for one in &condition.any {
            let key = if let Condition::Label(key, _) = one { Some(key) } else { None };
            readings.entry(key).or_default().push(one.clone());
        }
        // Namespaces stand first in that order, and are tried last.
        let mut readings: Vec<Vec<Condition>> = readings.into_values().collect();
        readings.rotate_left(1);
        let last = readings.len() - 1;
        for (n, any) in readings.into_iter().enumerate() {
            let mut narrowed = parsed.clone();
            narrow_to(&mut narrowed, &any);
            narrowed.keep_to_own();
            let probe = Probe { filter: narrowed.filter.clone(), ..Probe::default() };
            let is_empty = || async { view.probe(Collection::Instances, probe).await.map(|found| found.admitted == 0) };
            if n == last || !is_empty().await? {
                *parsed = narrowed;
                break;
            }
        }
    }
    Ok(())
}
