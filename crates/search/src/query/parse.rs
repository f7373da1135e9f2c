//! Reads a question: misspelt words, then the clauses and conditions that it names. What is left is free text. Everything is resolved
//! against what the index holds; a condition that names something else is a [`Problem`](super::parsed::Problem): nothing can match.

use std::collections::BTreeSet;

use clusterlore_catalogue::{Catalogue, Cover, Glossary, Known};
use clusterlore_core::conditions::{Beyond, LiveCondition, is_of_an_operator};
use clusterlore_core::{CLUSTER_SCOPE, Collection, ObjectKey};
use clusterlore_models::Embedder;
use clusterlore_store::{Filter, StoreError, View};
use unicode_normalization::UnicodeNormalization;

use super::clauses::Clauses;
use super::context::{KnownTypes, Memo, QueryContext};
use super::english::{is_english, is_word};
use super::kind_words::Kind;
use super::parsed::{Condition, Need, Note, ParsedQuery, Problem};
use super::request::Query;
use super::scopes::Place;
use super::tokens::Tokens;
use super::{
    beyond, bounds, clusters, fillers, gloss, kind_words, kubectl, language, names, scopes, sentences, typos, unwanted,
    wording,
};

/// Words for types in general. A question for types that counts is not about them.
const TYPE_WORDS: [&str; 8] = ["type", "types", "kind", "kinds", "resource", "resources", "capability", "capabilities"];

/// Words that say nothing in a question that has only conditions: "which services belong to …", "what else is lying around in …".
const HOLLOW: [&str; 64] = [
    "check",
    "look",
    "inspect",
    "investigate",
    "going",
    "goes",
    "happening",
    "run",
    "runs",
    "running",
    "belong",
    "belongs",
    "belonging",
    "own",
    "owns",
    "owned",
    "exist",
    "exists",
    "existing",
    "hold",
    "holds",
    "contain",
    "contains",
    "live",
    "lives",
    "sit",
    "sits",
    "defined",
    "deployed",
    "installed",
    "lying",
    "around",
    "anywhere",
    "object",
    "objects",
    "resource",
    "resources",
    "total",
    "together",
    "altogether",
    "stuff",
    "thing",
    "ones",
    "else",
    "called",
    "names",
    "number",
    "count",
    "whole",
    "also",
    "available",
    "present",
    "same",
    "others",
    "set",
    "know",
    "insgesamt",
    "gesamt",
    "verteilen",
    "total",
    "confondus",
    "totales",
    "sum",
    "overall",
];

/// What runs, or came to its end.
const RUN: [&str; 2] = ["pods", "jobs.batch"];

/// Parses a query with what the index and the embedder know.
pub(crate) async fn parse(
    view: &dyn View,
    embedder: &dyn Embedder,
    catalogue: &Catalogue,
    query: &Query,
) -> Result<ParsedQuery, StoreError> {
    let types = view.types().await?;
    let vocabulary = view.vocabulary(query.collection).await?;
    let folded = bounds::in_words(&folded(&query.text));
    let asked = sentences::asked(&folded, &vocabulary);
    let question = fillers::trim(asked.as_deref().unwrap_or(&folded));
    let question = if beyond::lost_condition(&folded, question) { &folded } else { question };
    let english = Memo::default();
    let is_english = |word: &str| english.get(word, || is_english(embedder, word) == Some(true));
    let language = beyond::language(question, language::of(question, is_word), is_word);
    let context = QueryContext {
        vocabulary: &vocabulary,
        clusters: &query.clusters,
        types: &KnownTypes::of(&types),
        catalogue,
        now: &query.now,
        language,
        is_english: &is_english,
    };
    let (text, corrections) = match language {
        None => typos::correct(view, embedder, query.collection, question, &context).await?,
        Some(_) => (question.to_owned(), Vec::new()),
    };
    let mut parsed = match query.collection {
        Collection::Instances => {
            let parsed = parse_instances(&text, &query.filter, &context);
            // A namespace in which nothing is, is one too.
            match empty_namespace(view, &parsed).await? {
                Some(name) => {
                    let mut vocabulary = (*vocabulary).clone();
                    vocabulary.namespaces.insert(name);
                    parse_instances(&text, &query.filter, &QueryContext { vocabulary: &vocabulary, ..context })
                }
                None => parsed,
            }
        }
        Collection::Capabilities => parse_types(&text, &query.filter, &context),
    };
    scopes::narrow_by(view, &mut parsed).await?;
    names::resolve(view, &query.filter, &mut parsed, &context).await?;
    tell_unknown(&mut parsed);
    gloss::read(view, query.collection, &mut parsed).await?;
    parsed.notes.extend(corrections.into_iter().map(|(typed, meant)| Note::Corrected { typed, meant }));
    if query.group_by.is_some() {
        parsed.clauses.group_by.clone_from(&query.group_by);
    }
    parsed.clauses.limit(query.since, query.until);
    parsed.clauses.order = query.order.or(parsed.clauses.order);
    // What the caller says otherwise is not what the question asks.
    let clauses = parsed.clauses.clone();
    parsed.notes.retain(|note| match note {
        Note::Ordered(order) => clauses.order.as_ref() == Some(order),
        Note::Grouped(by) => clauses.group_by.as_ref() == Some(by),
        _ => true,
    });
    Ok(parsed)
}

/// The question without its free text: what its conditions, kinds and places say. `None` if they say nothing of what is meant.
pub(crate) async fn without_words(view: &dyn View, parsed: &ParsedQuery) -> Result<Option<ParsedQuery>, StoreError> {
    let types = view.types().await?;
    let mut left = parsed.other_words(&types);
    left.retain(|word| !beyond::says_little(word));
    let mut plain = parsed.clone();
    if plain.filter.types.is_empty() && plain.kinds.is_empty() {
        plain.add_meant_types(&types);
    }
    let mut kinds = std::mem::take(&mut plain.kinds);
    if plain.own.types.is_empty() {
        plain.filter.types.append(&mut kinds);
    }
    if plain.filter.types.is_empty() {
        return Ok(None);
    }
    for condition in std::mem::take(&mut plain.soft) {
        scopes::narrow(&mut plain, condition);
    }
    plain.keep_to_own();
    scopes::narrow_by(view, &mut plain).await?;
    plain.notes.extend(Some(left.join(" ")).filter(|left| !left.is_empty()).map(Note::LeftOut));
    plain.text.clear();
    plain.english = None;
    plain.scope_only = true;
    Ok(Some(plain))
}

/// The namespace that is missed, if there is one in which nothing is.
async fn empty_namespace(view: &dyn View, parsed: &ParsedQuery) -> Result<Option<String>, StoreError> {
    let Some(Problem::NoSuchNamespace(name)) = &parsed.problem else { return Ok(None) };
    let clusters: BTreeSet<String> = view.types().await?.iter().map(|(cluster, _)| cluster.clone()).collect();
    let id = |cluster: &String| {
        let id = format!("{CLUSTER_SCOPE}/v1/Namespace/{name}");
        ObjectKey::of_stored_id(&if cluster.is_empty() { id } else { format!("{cluster}:{id}") })
    };
    let keys: Vec<ObjectKey> = clusters.iter().filter_map(id).collect();
    let known = view.records(Collection::Instances, &keys).await?;
    Ok((!known.is_empty()).then(|| name.clone()))
}

/// Words beside a kind that may be a state of its objects.
const MOST_STATE_WORDS: usize = 3;

/// The question with its free text as what an operator prints of its objects. `None` if it is not about objects of operators alone.
pub(crate) async fn as_state(view: &dyn View, parsed: &ParsedQuery) -> Result<Option<ParsedQuery>, StoreError> {
    let types = view.types().await?;
    let mut left = parsed.other_words(&types);
    let too_many = left.len() > MOST_STATE_WORDS;
    let states: Vec<String> =
        parsed.needs.iter().filter(|need| need.is_untold_state()).map(|need| need.said.to_lowercase()).collect();
    let denied = match (&states[..], &left[..]) {
        ([one], left) => one.strip_prefix("not ").filter(|not| left.iter().all(|word| word == not)).map(str::to_owned),
        // "Providers that are not installed".
        ([], [not, one]) if beyond::denies(not) => Some(one.clone()),
        _ => None,
    };
    left.extend(states.iter().flat_map(|said| parsed.other_words_of(said, &types)));
    let mut seen = BTreeSet::new();
    left.retain(|word| seen.insert(word.clone()));
    if left.is_empty() || too_many || parsed.kinds.is_empty() && parsed.filter.types.is_empty() {
        return Ok(None);
    }
    let Some(mut stated) = without_words(view, parsed).await? else { return Ok(None) };
    if !stated.filter.types.iter().all(|name| is_of_an_operator(name)) {
        return Ok(None);
    }
    stated.notes.retain(|note| !matches!(note, Note::LeftOut(_)));
    stated.needs.retain(|need| !need.is_untold_state());
    let said = left.join(" ");
    let condition = match denied {
        Some(word) => LiveCondition::Not(Box::new(LiveCondition::Status(vec![word]))),
        None => LiveCondition::Status([said.clone()].into_iter().chain(left).collect()),
    };
    stated.needs.push(Need::of(condition, said));
    Ok(Some(stated))
}

/// Other forms of the same letters are one (Unicode NFKC: fullwidth letters, ligatures), and so are quotation marks.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let quote = |c| if matches!(c, '\u{2018}' | '\u{2019}') { '\'' } else { c };
    text.nfkc().map(quote).collect()
}

/// Parses a question about instances.
pub(crate) fn parse_instances(text: &str, filter: &Filter, context: &QueryContext<'_>) -> ParsedQuery {
    let mut parsed = ParsedQuery {
        filter: filter.clone(),
        own: filter.clone(),
        language: context.language,
        ..ParsedQuery::default()
    };
    let typed = text;
    let text = names::snippets(text, &mut parsed, context);
    let text = kubectl::read(&text, &mut parsed, context);
    let (text, left_out) = match context.language {
        Some("Chinese" | "Japanese") => unwanted::chinese(&text),
        _ => (text, Vec::new()),
    };
    let mut tokens = Tokens::new(&language::spaced(context.language, &text));
    fillers::cut(&mut tokens);
    let read = tokens.taken.clone();
    parsed.needs = beyond::of_command(typed).map_or_else(|| beyond::read(&mut tokens, context), |need| vec![need]);
    parsed.talk = talk(&tokens, &read, context);
    parsed.asks_age = beyond::asks_age(&tokens, context);
    wording::read(&mut tokens, &mut parsed, context);
    unwanted::read(&mut tokens, &mut parsed, context, left_out);
    scopes::labels(&mut tokens, &mut parsed);
    scopes::kind_and_name(&mut tokens, &mut parsed, context);
    let places = scopes::places(&mut tokens, &mut parsed, context);
    parsed.places = places.iter().map(|place| place.condition.said.clone()).chain(parsed.unknown.clone()).collect();
    let mut kinds = kind_words::kinds(&tokens, &parsed.clauses, context);
    if !parsed.needs.is_empty() {
        kind_words::of_groups(&tokens, context, &mut kinds);
        kind_words::in_english(&tokens, context, &mut kinds);
        kind_words::of_groups_behind(&tokens, &mut kinds);
    }
    let judged = parsed.needs.iter().filter_map(|n| n.condition.as_ref()).flat_map(LiveCondition::types);
    let judged: BTreeSet<&String> = judged.collect();
    kind_words::by_last_word(&tokens, |name| judged.iter().any(|of| *of == name), context, &mut kinds);
    // "Still running" is read as a state that nothing stands for.
    let state = |need: &Need| need.what == Beyond::Status && need.condition.is_none();
    let runs_already = |need: &Need| {
        matches!(need.condition, Some(LiveCondition::Running | LiveCondition::NotRunning))
            || !state(need) && need.condition.is_none()
    };
    if let Some((at, denied)) = beyond::hollow(&tokens, context).filter(|_| !parsed.needs.iter().any(runs_already)) {
        let runs = |kind: &Kind| kind.types.iter().all(|name| RUN.contains(&name.as_str()));
        let word = tokens.raw[at].clone();
        if !kinds.is_empty() && kinds.iter().all(runs) {
            // Of what runs databases it means that they are there, of pods that they run.
            let condition = if denied { LiveCondition::NotRunning } else { LiveCondition::Running };
            parsed.needs.retain(|need| !state(need));
            parsed.needs.push(Need::of(condition, word));
            tokens.take(Some(at));
        } else if parsed.clauses.counts() && parsed.needs.is_empty() {
            parsed.notes.push(Note::Unchecked(word));
        }
    }
    if beyond::asks_of_all(&tokens) {
        for need in &mut parsed.needs {
            need.condition = need.condition.take().map(|condition| match condition {
                LiveCondition::Ready | LiveCondition::Running | LiveCondition::Complete | LiveCondition::Bound => {
                    parsed.notes.push(Note::Exceptions(need.said.clone()));
                    condition.negated()
                }
                other => other,
            });
        }
    }
    let said = parsed.filter.namespaces.iter().filter(|n| !filter.namespaces.contains(*n)).cloned();
    let said = said.chain(places.iter().filter(|p| p.words.is_empty()).flat_map(|p| p.namespaces())).collect();
    settle(&mut tokens, &mut parsed, context, places, &kinds);
    names::collect(&tokens, &mut parsed, context, &kinds, &said);
    take_stop_words(&mut tokens, context);
    parsed.keep_to_own();
    if parsed.problem.is_none() {
        parsed.problem = no_such_place(filter, context);
    }
    parsed.notes.extend(context.language.map(Note::Language));
    parsed.text = tokens.text();
    // An operator may print the very word.
    let of_operators = |types: &BTreeSet<String>| !types.is_empty() && types.iter().all(|name| is_of_an_operator(name));
    if of_operators(&parsed.filter.types) || parsed.filter.types.is_empty() && of_operators(&parsed.kinds) {
        let glossary = context.language.and_then(Glossary::of);
        let one = |word: &str| glossary.and_then(|glossary| glossary.gloss(word, |_| Known::No));
        for need in &mut parsed.needs {
            let words = need.said.split(" or ").map(|word| one(word).unwrap_or_else(|| word.to_owned()));
            need.printed = Some(words.collect::<Vec<_>>().join(" or "));
        }
    }
    // Words of another language that name nothing known ask for nothing beside the conditions.
    let foreign =
        context.language.is_some() && parsed.filter != *filter && context.catalogue.asked(&parsed.text).is_empty();
    parsed.scope_only = foreign || !tokens.say_something();
    if parsed.scope_only && parsed.filter.types.is_empty() && parsed.kinds.is_empty() && filter.keys.is_empty() {
        // "What is pending?"
        parsed.add_meant_types(context.types);
    }
    parsed
}

/// The words of clauses before the one that asks for a condition of a kind: "the pager went off, which certificates are not ready?"
fn talk(tokens: &Tokens, before: &[bool], context: &QueryContext<'_>) -> Vec<String> {
    let asked = (0..tokens.low.len()).find(|at| tokens.taken[*at] && !before[*at]);
    let begins = asked.and_then(|asked| (0..=asked).rfind(|at| tokens.begins(*at))).unwrap_or_default();
    let names_kind = (begins..tokens.low.len()).any(|at| !kind_words::at(tokens, at, context).is_empty());
    let said = if names_kind { &tokens.raw[..begins] } else { &[] };
    clusterlore_core::words::split(&said.join(" ").to_lowercase())
}

/// Decides which conditions narrow and which only rank. A question that has nothing else can mean nothing else by them.
fn settle(
    tokens: &mut Tokens,
    parsed: &mut ParsedQuery,
    context: &QueryContext<'_>,
    places: Vec<Place>,
    kinds: &[Kind],
) {
    let of_place: BTreeSet<usize> = places.iter().flat_map(|p| p.words.iter().copied()).collect();
    let of_kind: BTreeSet<usize> = kinds.iter().flat_map(|k| k.words.iter().copied()).collect();
    let filler = |at: usize| {
        tokens.says_nothing(at)
            || language::is_stop_word(context.language, &tokens.low[at])
            || HOLLOW.contains(&tokens.low[at].as_str())
    };
    let only_conditions = tokens.free().all(|at| of_place.contains(&at) || of_kind.contains(&at) || filler(at));
    let means_more = kinds.iter().any(|kind| kind_words::may_mean_more(tokens, kind, context));
    let narrows = only_conditions && !(kinds.is_empty() && places.is_empty() && parsed.filter.is_empty());
    let whose = places.iter().any(|p| p.condition.any.iter().any(|c| matches!(c, Condition::Label(..))));
    let hollow: Vec<usize> = tokens.free().filter(|at| !of_place.contains(at) && !of_kind.contains(at)).collect();
    for place in places {
        if place.sure || narrows && !means_more {
            place.words.iter().for_each(|at| tokens.take(Some(*at)));
            scopes::narrow(parsed, place.condition);
        } else {
            parsed.notes.push(Note::Preferred(place.condition.said.clone()));
            parsed.soft.push(place.condition);
        }
    }
    let all: BTreeSet<String> = kinds.iter().flat_map(|kind| kind.types.iter().cloned()).collect();
    parsed.vague_kinds = kind_words::of_categories(tokens, kinds, context);
    if !narrows || means_more || kinds.is_empty() {
        parsed.kinds = kind_words::beside_others(tokens, kinds, context);
    } else if whose && all.iter().all(|kind| kind == "services") {
        // The services of a team are whatever it runs.
        parsed.kinds = all;
        of_kind.into_iter().for_each(|at| tokens.take(Some(at)));
    } else {
        parsed.notes.push(Note::Kind(all.iter().cloned().collect()));
        parsed.filter.types.extend(all);
        of_kind.into_iter().for_each(|at| tokens.take(Some(at)));
    }
    if narrows && !means_more {
        hollow.into_iter().for_each(|at| tokens.take(Some(at)));
    }
}

/// Whether the caller keeps to namespaces or clusters of which the index holds none.
fn no_such_place(own: &Filter, context: &QueryContext<'_>) -> Option<Problem> {
    let clusters: BTreeSet<&String> = context.types.iter().map(|(cluster, _)| cluster).collect();
    let no_cluster = !clusters.is_empty() && own.clusters.iter().all(|name| !clusters.contains(name));
    if let Some(name) = own.clusters.first().filter(|_| no_cluster) {
        return Some(Problem::NoSuchCluster(name.clone()));
    }
    let known = |name: &String| context.vocabulary.namespaces.contains(name) || name == CLUSTER_SCOPE;
    let name = own.namespaces.first().filter(|_| !own.namespaces.iter().any(known))?;
    Some(Problem::NoSuchNamespace(name.clone()))
}

/// Says what of the question names nothing. If there is nothing else to search for, nothing can match.
fn tell_unknown(parsed: &mut ParsedQuery) {
    let unknown = std::mem::take(&mut parsed.unknown);
    let filter = &parsed.filter;
    let narrowed = !filter.namespaces.is_empty() || !filter.selector.is_empty() || !filter.annotations.is_empty();
    if parsed.scope_only && !narrowed && parsed.named.is_empty() && parsed.problem.is_none() {
        parsed.problem = unknown.into_iter().next().map(Problem::NoSuchScope);
    } else {
        parsed.notes.extend(unknown.into_iter().map(Note::Unknown));
    }
}

/// Parses a question about types. A type is in no namespace and has no labels, so every word is about what the type is for.
pub(crate) fn parse_types(text: &str, filter: &Filter, context: &QueryContext<'_>) -> ParsedQuery {
    let mut parsed = ParsedQuery {
        filter: filter.clone(),
        own: filter.clone(),
        language: context.language,
        ..ParsedQuery::default()
    };
    let mut tokens = Tokens::new(&language::spaced(context.language, text));
    fillers::cut(&mut tokens);
    let wrapped = tokens.free().count() < tokens.low.len();
    clusters::named(&mut tokens, &mut parsed, context, |_| false);
    wording::count(&mut tokens, &mut parsed, context);
    if parsed.clauses.count {
        let places: Vec<usize> = tokens.free().filter(|at| tokens.is(Some(*at), &TYPE_WORDS)).collect();
        places.into_iter().for_each(|at| tokens.take(Some(at)));
    }
    take_stop_words(&mut tokens, context);
    parsed.scope_only = text.trim().is_empty() || parsed.clauses.count && !tokens.say_something();
    let whole = parsed.clauses == Clauses::default() && context.language.is_none() && !wrapped;
    parsed.text = if whole { text.to_owned() } else { tokens.text() };
    parsed
}

/// Takes the stop words of another language, except those inside a name that the catalogue knows.
fn take_stop_words(tokens: &mut Tokens, context: &QueryContext<'_>) {
    if context.language.is_none() {
        return;
    }
    let (text, spans) = tokens.free_spans();
    let several: Cover = context.catalogue.asked(&text).iter().filter(|a| a.words > 1).map(|a| &a.span).collect();
    for (at, span) in spans {
        if !several.covers(&span) && language::is_stop_word(context.language, &tokens.low[at]) {
            tokens.take(Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_catalogue::Catalogue;
    use clusterlore_core::{ResourceType, words};
    use clusterlore_store::Vocabulary;

    use super::super::clauses::{GroupBy, Order};
    use super::super::parsed::Problem;
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

    fn read(text: &str) -> ParsedQuery {
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
        let knows = |word: &str| ["caches", "pods", "shop", "web", "page"].contains(&word);
        let context = QueryContext {
            vocabulary: &vocabulary,
            clusters: &clusterlore_store::ClusterNames::default(),
            types: &KnownTypes::of(&types),
            catalogue: Catalogue::builtin(),
            now: "2026-06-17T12:00:00+02:00",
            language: language::of(text, knows),
            is_english: &knows,
        };
        parse_instances(text, &Filter::default(), &context)
    }

    #[test]
    fn namespaces_are_filters_where_they_are_named_as_such() {
        for text in ["caches in shop", "caches in the shop namespace", "namespace shop caches", "shop namespace caches"]
        {
            let parsed = read(text);
            assert_eq!(parsed.filter.namespaces, ["shop".to_owned()].into(), "{text}");
            assert_eq!(parsed.text, "caches", "{text}");
        }
        assert!(read("the shop web page").filter.namespaces.is_empty());
        assert_eq!(read("caches in the moon namespace").problem, Some(Problem::NoSuchNamespace("moon".to_owned())));
        assert_eq!(read("what is in use").problem, None);
    }

    #[test]
    fn owners_are_label_values() {
        for text in ["everything of team fares", "the fares team's workloads"] {
            assert_eq!(read(text).filter.selector, "example.org/team=fares".parse().unwrap(), "{text}");
        }
        assert_eq!(read("workloads of team payroll").unknown, ["team payroll"]);
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
        let parsed = read("cron jobs that are not for backups");
        assert_eq!(parsed.unwanted, "for backups");
        assert_eq!(parsed.filter.types, ["cronjobs.batch".to_owned()].into());
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
            let parsed = read(text);
            assert!(parsed.clauses.count && !parsed.scope_only, "{text}");
            let telling = words::split(&parsed.text).into_iter().filter(|w| !words::is_stop_word(w));
            assert_eq!(telling.collect::<Vec<_>>().join(" "), left.to_lowercase(), "{text}");
        }
        for text in ["count", "the count of monte cristo", "scale by how many messages wait", "number-cruncher"] {
            assert!(!read(text).clauses.count, "{text}");
        }
        let parsed = read("how many stateful sets are in edge");
        assert!(parsed.scope_only && parsed.filter.types.contains("statefulsets.apps"));
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
            let parsed = read(text);
            assert_eq!((parsed.clauses.group_by, parsed.problem), (Some(group), None), "{text}");
            let telling = words::split(&parsed.text).into_iter().filter(|w| !words::is_stop_word(w));
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
            let group = read(text).clauses.group_by;
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
            ("image tag latest caches", None, None, "caches"),
        ] {
            let parsed = read(text);
            assert_eq!((parsed.clauses.order, parsed.clauses.at_most), (order, at_most), "{text}");
            assert_eq!(parsed.text.trim_start_matches("the "), left.trim_start_matches("the "), "{text}");
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
            let parsed = read(text);
            let said = |t: Option<jiff::Timestamp>| t.map(|t| t.to_string()).unwrap_or_default();
            let Clauses { since: s, until: u, .. } = parsed.clauses;
            assert_eq!((said(s).as_str(), said(u).as_str()), (since, until), "{text}");
            let telling = words::split(&parsed.text).into_iter().filter(|w| !words::is_stop_word(w));
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
            assert!(!read(text).clauses.by_age(), "{text}");
        }
        // Nothing is so old, everything is so young.
        for (text, since, until) in [
            ("caches older than 99999999999 years", None, Some(jiff::Timestamp::MIN)),
            ("caches newer than 99999999999999999999999 years", Some(jiff::Timestamp::MIN), None),
        ] {
            let clauses = read(text).clauses;
            assert_eq!((clauses.since, clauses.until), (since, until), "{text}");
        }
    }

    #[test]
    fn ages_that_make_no_sense_fit_nothing() {
        for (text, problem) in [
            ("caches older than -3 days", "\"-3 days\" is not an age"),
            ("caches since 2026-02-31", "\"2026-02-31\" is not a date"),
        ] {
            assert!(read(text).problem.unwrap().to_string().starts_with(problem), "{text}");
        }
        let context = QueryContext {
            vocabulary: &Vocabulary::default(),
            clusters: &clusterlore_store::ClusterNames::default(),
            types: &KnownTypes::of(&[]),
            catalogue: Catalogue::builtin(),
            now: "",
            language: None,
            is_english: &|_| false,
        };
        let timeless = parse_instances("caches older than 3 days", &Filter::default(), &context);
        assert_eq!(timeless.problem, Some(Problem::NoClock));
        let dated = parse_instances("caches since 2026-01-31", &Filter::default(), &context);
        assert_eq!(dated.problem, None);
        assert!(dated.clauses.since.is_some());
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
            let parsed = read(text);
            assert_eq!(parsed.filter.namespaces, ["shop".to_owned()].into(), "{text}");
            assert!(parsed.language.is_some() && parsed.problem.is_none(), "{text}");
            assert_eq!(parsed.unwanted, "", "{text}");
        }
        assert_eq!(read("quelles bases de données sont dans shop").text, "bases de données");
        let kinds = read("¿qué statefulsets hay en edge?");
        assert!(kinds.scope_only && kinds.filter.types.contains("statefulsets.apps"), "{kinds:?}");
    }
}
