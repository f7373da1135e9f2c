//! Any question over a small index: no panic, nothing that takes long, and an answer that keeps to what was asked.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Collection, Document, OwnerReference, ResourceInstance, ResourceType, Scope};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_search::{LONGEST_QUESTION, Query, SearchError, Searcher, Wanted};
use clusterlore_store::{Batch, Runs, Sqlite, Store, Upsert, Writer};
use clusterlore_testkit::edits::edited;
use proptest::prelude::*;

/// No question over thirty documents takes so long, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(10);
/// Cases where `PROPTEST_CASES` does not say: each is a whole search.
const CASES: u32 = 48;

const QUESTIONS: [&str; 26] = [
    "kubectl get deploy,sts -n shop -l tier=backend | wc -l",
    "what image has {\"type\": \"pod\", \"name\": \"web-0\"} and `web-1`",
    "caches besides redis, not in shop, and no operators please; leave the exporters out of it",
    "welche Datenbanken außer MariaDB, 除了 redis 以外",
    "who owns web-5d9c6f8b5d-m8z7w, I think it is in prod or of team fares",
    "ｐｏｓｔｇｒｅｓ ﬁnds ｎａｍｅｓｐａｃｅ",
    "what databases are running?",
    "redis in the shop namespace",
    "how many pods per team are older than 30 days",
    "the 5 newest deployments of team fares",
    "caches with tier=backend, not for tests",
    "deploy/checkout-api since 2026-01-31T10:00:00+02:00",
    "team chat, like Slack",
    "whcih databse makes postgress backups in squa-heron",
    "welche Datenbanken gibt es im namespace shop",
    "¿cuántas bases de datos hay?",
    "quels caches sont dans l'espace de noms shop",
    "有哪些数据库",
    "where does redis run?",
    "in which namespaces is kafka deployed last month",
    "everything in shop",
    "created before 9999-12-31 and not older than 99999999999 years",
    "StatefulSet orders-db-0 10.0.0.1 registry.example/app:1.2.3@sha256:0a",
    "scheduled jobs by owner",
    "'; DROP TABLE documents; -- \" OR 1=1",
    "nothing",
];

struct Index {
    store: Sqlite,
    runtime: tokio::runtime::Runtime,
    searcher: Searcher,
    _folder: tempfile::TempDir,
}

/// Thirty objects of all sorts, and their types; some with what no API server would let in.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = runtime.block_on(filled(&folder.path().join("index.db")));
        Index { store, runtime, searcher: Searcher::new(Catalogue::builtin().clone()), _folder: folder }
    })
}

async fn filled(path: &std::path::Path) -> Sqlite {
    let store = Sqlite::open_or_create(path).unwrap();
    let mut types = Vec::new();
    for (group, kind, plural) in [
        ("", "Pod", "pods"),
        ("", "ConfigMap", "configmaps"),
        ("apps", "Deployment", "deployments"),
        ("apps", "StatefulSet", "statefulsets"),
        ("batch", "CronJob", "cronjobs"),
        ("kafka.strimzi.io", "KafkaTopic", "kafkatopics"),
    ] {
        let version = if group == "kafka.strimzi.io" { "v1beta2" } else { "v1" };
        types.push(ResourceType {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            description: format!("{kind} of the tests"),
            ..ResourceType::default()
        });
    }
    store.remember_types("", &types).await.unwrap();
    let mut objects = Vec::new();
    for n in 0..30 {
        let ty = &types[n % types.len()];
        let api_version = if ty.group.is_empty() { "v1".to_owned() } else { format!("{}/{}", ty.group, ty.version) };
        let names = ["redis", "orders-db", "checkout-api", "kafka", "postgres-backup", "Ünïcode", "web"];
        let namespace = ["shop", "fares", "squad-heron"][n % 3];
        let name = format!("{}-{n}", names[n % names.len()]);
        let mut object = ResourceInstance::new(&api_version, &ty.kind, Some(namespace), &name).unwrap();
        object.created_at = ["2026-01-02T03:04:05Z", "", "nonsense", "9999-12-31T23:59:59Z"][n % 4].to_owned();
        object.labels.insert("example.org/team".to_owned(), ["fares", "lifts"][n % 2].to_owned());
        object.labels.insert("tier".to_owned(), ["backend", "frontend", "x\u{0}\n\u{202e}"][n % 3].to_owned());
        let said = ["keeps the orders of the shop", "", "🦀 \u{1b}[31m a\u{301}", "like redis, but slower"][n % 4];
        let said = if n == 7 { "penguins and redis ".repeat(2_000) } else { said.to_owned() };
        object.annotations.insert("description".to_owned(), said);
        if n == 8 {
            object.labels.insert("app".to_owned(), "redis-".repeat(4_000));
        }
        if n % 5 == 0 {
            let api_version = "apps/v1".to_owned();
            let name = format!("web-{}", n + 1);
            object.owner = Some(OwnerReference { api_version, kind: "Deployment".into(), name, uid: String::new() });
        }
        objects.push(Document::of_instance(&object, &ty.name()));
    }
    let known = types.iter().map(|ty| Document::of_type(ty, None)).collect();
    for (collection, documents) in [(Collection::Instances, objects), (Collection::Capabilities, known)] {
        let embedder = Builtin::default();
        let texts = documents.iter().map(|d: &Document| d.text.clone()).collect();
        let vectors = embedder.embed(Purpose::Document, texts).await.unwrap();
        let documents = documents.into_iter().zip(vectors);
        let upserts = documents.map(|(document, v)| Upsert { document, vector: Some(v) }).collect();
        store.open_collection(collection, &embedder.identity()).await.unwrap();
        store.apply(collection, Batch { upserts, ..Batch::default() }).await.unwrap();
    }
    store
}

fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig { cases: CASES, ..ProptestConfig::default() },
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn fuzz_questions(
        seeds in prop::collection::vec(prop::sample::select(&QUESTIONS[..]), 1..3),
        edits in 0_usize..5,
        random in any::<u64>(),
        limit in 0_usize..40,
        types in any::<bool>(),
        selector in prop::sample::select(vec!["", "tier=backend", "!tier", "tier notin (x),example.org/team in (fares, lifts)"]),
    ) {
        let text = String::from_utf8_lossy(&edited(&seeds.join(" "), edits, random)).into_owned();
        let collection = if types { Collection::Capabilities } else { Collection::Instances };
        let now = "2026-06-17T12:00:00+02:00".to_owned();
        let mut query = Query { text, collection, limit, now, number: Wanted::IfAsked, ..Query::default() };
        query.filter.selector = selector.parse().unwrap();
        let Index { store, runtime, searcher, .. } = index();
        let view = runtime.block_on(store.view(&Scope::All { because: "a test" })).unwrap();
        let began = Instant::now();
        let long = query.text.chars().count() > LONGEST_QUESTION;
        match runtime.block_on(searcher.answer(&*view, &Builtin::default(), &query)) {
            Ok(answer) => {
                prop_assert!(!long && answer.hits.len() <= limit);
                // Where metadata cannot say what fits, nothing is counted.
                let counts = answer.parsed.clauses.counts();
                let told = (&query.text, &answer.parsed.needs);
                prop_assert!(answer.number.is_some() == counts || counts && !told.1.is_empty(), "{:?}", told);
                for hit in &answer.hits {
                    prop_assert!(hit.score.total().is_finite(), "{:?}", hit.score);
                }
            }
            Err(SearchError::NoQuestion) => {}
            Err(SearchError::LongQuestion { .. }) => prop_assert!(long),
            Err(other) => prop_assert!(false, "{}", other),
        }
        let query = Query { hits: false, number: Wanted::Always, ..query };
        match runtime.block_on(searcher.answer(&*view, &Builtin::default(), &query)) {
            Ok(answer) => {
                // Where metadata cannot say what fits, nothing is counted.
                prop_assert!(answer.number.is_some() || !answer.parsed.needs.is_empty());
                let number = answer.number.unwrap_or_default();
                let grouped: usize = answer.groups.iter().map(|(_, n)| n).sum();
                prop_assert!(number <= 36 && (grouped == number || answer.groups.is_empty()));
            }
            // Stop words alone ask for nothing, neither for hits nor for a number.
            Err(SearchError::NoQuestion) => {}
            Err(SearchError::LongQuestion { .. }) => prop_assert!(long),
            Err(other) => prop_assert!(false, "{}", other),
        }
        prop_assert!(began.elapsed() < LONGEST, "{:?} for {:?}", began.elapsed(), query.text);
    }
}
