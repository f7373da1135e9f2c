//! Reads a question: misspelt words, then the clauses and conditions that it names. What is left is free text. Everything is resolved
//! against what the index holds; a condition that names something else is a [`Problem`](super::parsed::Problem): nothing can match.

use clusterlore_catalogue::{Catalogue, Cover};
use clusterlore_core::Collection;
use clusterlore_models::Embedder;
use clusterlore_store::{Filter, StoreError, View};

use super::clauses::Clauses;
use super::context::QueryContext;
use super::english::is_word;
use super::parsed::{Note, ParsedQuery};
use super::request::Query;
use super::tokens::Tokens;
use super::{gloss, kind_words, language, scopes, typos, wording};

/// Words for types in general. A question for types that counts is not about them.
const TYPE_WORDS: [&str; 8] = ["type", "types", "kind", "kinds", "resource", "resources", "capability", "capabilities"];

/// Parses a query with what the index and the embedder know.
pub(crate) async fn parse(
    view: &dyn View,
    embedder: &dyn Embedder,
    catalogue: &Catalogue,
    query: &Query,
) -> Result<ParsedQuery, StoreError> {
    let types = view.types().await?;
    let vocabulary = view.vocabulary(query.collection).await?;
    let language = language::of(&query.text, is_word);
    let context = QueryContext { vocabulary: &vocabulary, types: &types, catalogue, now: &query.now, language };
    let (text, corrections) = match language {
        None => typos::correct(view, embedder, query.collection, &query.text, &context).await?,
        Some(_) => (query.text.clone(), Vec::new()),
    };
    let mut parsed = match query.collection {
        Collection::Instances => parse_instances(&text, &query.filter, &context),
        Collection::Capabilities => parse_types(&text, &query.filter, &context),
    };
    gloss::read(view, query.collection, &mut parsed).await?;
    parsed.notes.extend(corrections.into_iter().map(|(typed, meant)| Note::Corrected { typed, meant }));
    if query.group_by.is_some() {
        parsed.clauses.group_by.clone_from(&query.group_by);
    }
    Ok(parsed)
}

/// Parses a question about instances.
pub(crate) fn parse_instances(text: &str, filter: &Filter, context: &QueryContext<'_>) -> ParsedQuery {
    let mut parsed = ParsedQuery { filter: filter.clone(), language: context.language, ..ParsedQuery::default() };
    let mut tokens = Tokens::new(&language::spaced(context.language, text));
    wording::read(&mut tokens, &mut parsed, context);
    scopes::unwanted(&mut tokens, &mut parsed);
    scopes::labels(&mut tokens, &mut parsed);
    scopes::kind_and_name(&mut tokens, &mut parsed, context.types);
    scopes::namespaces(&mut tokens, &mut parsed, context);
    scopes::owners(&mut tokens, &mut parsed, context.vocabulary);
    kind_words::kinds(&mut tokens, &mut parsed, context);
    take_stop_words(&mut tokens, context);
    parsed.notes.extend(context.language.map(Note::Language));
    parsed.scope_only = !tokens.say_something();
    parsed.text = tokens.text();
    parsed
}

/// Parses a question about types. A type is in no namespace and has no labels, so every word is about what the type is for.
pub(crate) fn parse_types(text: &str, filter: &Filter, context: &QueryContext<'_>) -> ParsedQuery {
    let mut parsed = ParsedQuery { filter: filter.clone(), language: context.language, ..ParsedQuery::default() };
    let mut tokens = Tokens::new(&language::spaced(context.language, text));
    wording::count(&mut tokens, &mut parsed, context);
    if parsed.clauses.count {
        let places: Vec<usize> = tokens.free().filter(|at| tokens.is(Some(*at), &TYPE_WORDS)).collect();
        places.into_iter().for_each(|at| tokens.take(Some(at)));
    }
    take_stop_words(&mut tokens, context);
    parsed.scope_only = text.trim().is_empty() || parsed.clauses.count && !tokens.say_something();
    let whole = parsed.clauses == Clauses::default() && context.language.is_none();
    parsed.text = if whole { text.to_owned() } else { tokens.text() };
    parsed
}

/// Takes the stop words of another language, except those inside a name that the catalogue knows.
fn take_stop_words(tokens: &mut Tokens, context: &QueryContext<'_>) {
    if context.language.is_none() {
        return;
    }
    let (text, spans) = tokens.spans();
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
        let knows = |word: &str| ["caches", "pods"].contains(&word);
        let context = QueryContext {
            vocabulary: &vocabulary,
            types: &types,
            catalogue: Catalogue::builtin(),
            now: "2026-06-17T12:00:00+02:00",
            language: language::of(text, knows),
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
        assert!(read("workloads of team payroll").problem.unwrap().to_string().contains("team=payroll"));
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
            ("image tag latest caches", None, None, "image tag latest caches"),
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
            types: &[],
            catalogue: Catalogue::builtin(),
            now: "",
            language: None,
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
