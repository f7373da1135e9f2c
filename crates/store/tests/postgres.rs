//! What is Postgres' own: who may do what, what is refused and how, servers that go away, and many writers at once.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlore_core::{
    CLUSTER_SCOPE, Collection, Document, EmbedderIdentity, ObjectKey, ResourceInstance, ResourceType, Rule, Scope,
    SourceIdentity,
};
use clusterlore_store::{
    Batch, Candidates, Filter, Holder, Postgres, Probe, RunKind, RunRecord, Runs, Store, StoreError, ThreadName,
    Threads, Upsert, View, Writer,
};
use clusterlore_testkit::postgres::PostgresServer;

/// Whoever locks here.
fn me() -> Holder {
    Holder::new(RunKind::Capabilities, "2026-01-01T00:00:00Z".to_owned())
}

const DIMENSIONS: usize = 8;

fn embedder() -> EmbedderIdentity {
    EmbedderIdentity { name: "test".into(), dimensions: DIMENSIONS }
}

fn document(cluster: &str, namespace: &str, name: &str, labels: &[(&str, &str)]) -> Document {
    let mut o = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
    o.cluster = (!cluster.is_empty()).then(|| cluster.to_owned());
    o.labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Document::of_instance(&o, "pods")
}

fn vector(seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    let vector: Vec<f32> = (0..DIMENSIONS).map(|_| random.f32() - 0.5).collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}

fn upsert(document: Document, seed: u64) -> Upsert {
    Upsert { document, vector: Some(vector(seed)) }
}

/// Everything, as it is now.
async fn seen(store: &Postgres) -> Box<dyn View> {
    store.view_all("a test").await.unwrap()
}

async fn filled(url: &str) -> Postgres {
    let store = Postgres::open_or_create(url).await.unwrap();
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    let upserts = (0..20).map(|n| {
        let cluster = ["", "prod", "test"][n % 3];
        upsert(document(cluster, "shop", &format!("web-{n}"), &[("app", "web"), ("n", &n.to_string())]), n as u64)
    });
    store.apply(Collection::Instances, Batch::writing(1, upserts.collect())).await.unwrap();
    store
}

async fn all(store: &Postgres) -> Candidates {
    let probe =
        Probe { vector: vector(0), terms: vec!["web".into()], nearest: 100, containing: 100, ..Probe::default() };
    seen(store).await.probe(Collection::Instances, probe).await.unwrap()
}

/// The statements of docs/scale.md that begin with this comment.
fn documented(title: &str) -> String {
    let page = include_str!("../../../docs/scale.md");
    let (_, rest) = page.split_once(&format!("```sql\n-- {title}\n")).unwrap();
    rest.split("```").next().unwrap().to_owned()
}

/// What is tallied is what is there.
fn assert_tallied(server: &PostgresServer, database: &str) {
    let documents = "clusterlore.documents_instances";
    for (tally, counted) in [
        (
            "SELECT cluster, documents FROM clusterlore.clusters WHERE documents <> 0".to_owned(),
            format!("SELECT cluster, count(*) FROM {documents} GROUP BY 1"),
        ),
        (
            "SELECT cluster, type, namespace, documents FROM clusterlore.facets".to_owned(),
            format!("SELECT cluster, type, namespace, count(*) FROM {documents} GROUP BY 1, 2, 3"),
        ),
        (
            "SELECT cluster, key, value, documents FROM clusterlore.labels".to_owned(),
            format!(
                "SELECT cluster, l.key, l.value, count(*) FROM {documents}, jsonb_each_text(labels) l GROUP BY 1, 2, 3"
            ),
        ),
        (
            "SELECT cluster, term, documents FROM clusterlore.terms".to_owned(),
            format!(
                "SELECT cluster, term, count(*) FROM {documents}, unnest(tsvector_to_array(words)) term GROUP BY 1, 2"
            ),
        ),
    ] {
        let differing =
            format!("SELECT count(*) FROM (({tally} EXCEPT {counted}) UNION ALL ({counted} EXCEPT {tally})) d");
        assert_eq!(server.psql(database, &differing), "0", "{tally}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_at_once_lose_nothing() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("fleet");
    let first = Postgres::open_or_create(&url).await.unwrap();
    first.open_collection(Collection::Instances, &embedder()).await.unwrap();
    // Three have clusters of their own; three write, change and delete the same documents of two clusters in different orders.
    let writers: Vec<_> = (0..6_u64)
        .map(|writer| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = Postgres::open_or_create(&url).await.unwrap();
                store.open_collection(Collection::Instances, &embedder()).await.unwrap();
                let mut random = fastrand::Rng::with_seed(writer);
                for round in 0..15 {
                    let mut upserts: Vec<Upsert> = (0..40)
                        .map(|n| {
                            let own = format!("own-{writer}");
                            let cluster = if writer < 3 { &own } else { ["shared", "common"][n % 2] };
                            let labels = [("round", &*random.u8(..4).to_string()), ("app", "web")];
                            upsert(
                                document(cluster, ["a", "b"][random.usize(..2)], &format!("web-{n}"), &labels),
                                n as u64,
                            )
                        })
                        .collect();
                    random.shuffle(&mut upserts);
                    let deletes = upserts.split_off(30).into_iter().map(|u| u.document.key).collect();
                    let cluster = upserts[0].document.facets.cluster.clone();
                    store
                        .apply(
                            Collection::Instances,
                            Batch { upserts, deletes, source: round, cluster, ..Batch::default() },
                        )
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_tallied(&server, "fleet");
    let total = seen(&first).await.collection(Collection::Instances).await.unwrap().unwrap().documents;
    assert_eq!(server.psql("fleet", "SELECT count(*) FROM clusterlore.documents_instances"), total.to_string());
    assert!(total > 100, "{total}");
    let everything = Probe { nearest: usize::MAX, ..Probe::default() };
    assert_eq!(seen(&first).await.probe(Collection::Instances, everything).await.unwrap().documents.len(), total);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_a_clusters_and_goes_with_its_connection() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("locks");
    let (one, other) = (filled(&url).await, Postgres::open_existing(&url).await.unwrap());
    let held = one.lock("prod", &me()).await.unwrap();
    let elsewhere = other.lock("", &me()).await.unwrap();
    let refused = other.lock("prod", &me()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Locked { .. }) && refused.to_string().contains("\"prod\""), "{refused}");
    // What is done under a lock ends with it, and at once, however the connection ended.
    assert_eq!(held.during(async { 7 }).await.unwrap(), 7);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'";
    let during = tokio::spawn(async move { held.during(std::future::pending::<()>()).await });
    assert_eq!(server.psql("locks", end), "2");
    let lost = tokio::time::timeout(Duration::from_secs(5), during).await.expect("it is noticed").unwrap().unwrap_err();
    assert!(matches!(lost, StoreError::Unreachable { .. }), "{lost}");
    elsewhere.during(std::future::pending::<()>()).await.unwrap_err();
    drop(other.lock("prod", &me()).await.unwrap());
    one.lock("prod", &me()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_outlives_the_servers_patience_with_the_silent() {
    let Some(server) = PostgresServer::start_or_skip_with(&["idle_session_timeout=1s"]) else { return };
    let url = server.create_database("patient");
    let store = filled(&url).await;
    let held = store.lock("prod", &me()).await.unwrap();
    let twice = tokio::time::sleep(Duration::from_secs(25));
    held.during(twice).await.expect("its beats keep it");
    assert!(store.lock("prod", &me()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_in_the_middle_loses_nothing() {
    let Some(mut server) = PostgresServer::start_or_skip_with(&["fsync=on"]) else { return };
    let url = server.create_database("stops");
    let store = Arc::new(filled(&url).await);
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for batch in 0.. {
                let upserts = (0..50).map(|n| upsert(document("busy", "b", &format!("pod-{batch}-{n}"), &[]), n));
                let batch_of = Batch::writing(1, upserts.collect());
                if let Err(e) = store.apply(Collection::Instances, batch_of).await {
                    return (batch, e);
                }
            }
            unreachable!()
        }
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.stop();
    let (written, error) = writing.await.unwrap();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", server.port())), "{error}");
    assert!(!error.to_string().contains('\n') && !error.to_string().contains("secret"), "{error}");
    let search = store.view(&Scope::All { because: "a test" }).await.err().unwrap();
    assert!(matches!(search, StoreError::Unreachable { .. }), "{search}");
    server.start_again();
    // The same store goes on. What was said to be written is there; of what was not, all or nothing.
    let count = seen(&store).await.collection(Collection::Instances).await.unwrap().unwrap().documents - 20;
    assert!(
        written > 0 && (count == written * 50 || count == (written + 1) * 50),
        "{written} batches, {count} documents"
    );
    let again = (0..50).map(|n| upsert(document("busy", "b", &format!("pod-{written}-{n}"), &[]), n)).collect();
    store.apply(Collection::Instances, Batch::writing(1, again)).await.unwrap();
    assert_eq!(
        seen(&store).await.collection(Collection::Instances).await.unwrap().unwrap().documents,
        20 + (written + 1) * 50
    );
    assert_tallied(&server, "stops");
    // Connections that the server closed while they lay idle are not an error.
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'clusterlore'";
    assert_ne!(server.psql("stops", end), "0");
    assert_eq!(all(&store).await.total, 20 + (written + 1) * 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_roles_are_enough_and_may_do_no_more() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    server.create_database("lore");
    server.psql("lore", &documented("roles"));
    server.psql("lore", "CREATE TABLE public.payroll (salary int); CREATE ROLE stranger LOGIN PASSWORD 'x'");
    let (sync, search) =
        (server.url_of("lore_sync", "choose-one", "lore"), server.url_of("lore_search", "choose-another", "lore"));
    assert!(matches!(Postgres::open_existing(&search).await.unwrap_err(), StoreError::Missing(_)));
    let writer = filled(&sync).await;
    writer.remember_answer("k", "a").await.unwrap();
    let other = EmbedderIdentity { name: "other".into(), dimensions: 4 };
    writer.change_embedder(Collection::Instances, &other).await.unwrap();
    writer.change_embedder(Collection::Instances, &embedder()).await.unwrap();
    let writer = filled(&sync).await;
    drop(writer.lock("prod", &me()).await.unwrap());

    for read_only in ["off", "on"] {
        server.psql("lore", &format!("ALTER ROLE lore_search SET default_transaction_read_only = {read_only}"));
        let reader = Postgres::open_existing(&search).await.unwrap();
        assert_eq!(all(&reader).await.documents.len(), 20);
        assert_eq!(seen(&reader).await.vocabulary(Collection::Instances).await.unwrap().labels["app"].len(), 1);
        assert_eq!(seen(&reader).await.frequencies(Collection::Instances, &["web".to_owned()]).await.unwrap(), [20]);
        assert!(
            !seen(&reader).await.terms(Collection::Instances).await.unwrap().is_empty()
                && !seen(&reader).await.counts(Collection::Instances).await.unwrap().is_empty()
        );
        assert!(
            seen(&reader).await.types().await.unwrap().is_empty()
                && seen(&reader).await.sources().await.unwrap().is_empty()
        );
        assert!(seen(&reader).await.last_runs().await.unwrap().is_empty());
        assert_eq!(seen(&reader).await.page(Collection::Instances, None, 100, true).await.unwrap().documents.len(), 20);
        let keys: Vec<_> = [document("", "shop", "web-0", &[]).key].into();
        assert_eq!(seen(&reader).await.records(Collection::Instances, &keys).await.unwrap().len(), 1);
        let batch = Batch { upserts: vec![upsert(document("", "z", "z", &[]), 1)], ..Batch::default() };
        for refused in [
            reader.apply(Collection::Instances, batch).await.unwrap_err(),
            reader.open_collection(Collection::Capabilities, &embedder()).await.unwrap_err(),
            reader.remember_answer("k", "b").await.unwrap_err(),
        ] {
            assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
        }
        assert_eq!(all(&reader).await.total, 20);
    }
    // Threads are written where that was allowed.
    server.psql("lore", "ALTER ROLE lore_search SET default_transaction_read_only = off");
    let (thread, at) = ("on-call".parse::<ThreadName>().unwrap(), "2026-11-27T10:00:00Z");
    let reader = Postgres::open_or_create(&search).await.unwrap();
    let refused = reader.add_turn(&thread, at, "{}").await.unwrap_err();
    assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
    server.psql("lore", &documented("threads"));
    reader.add_turn(&thread, at, "{}").await.unwrap();
    assert_eq!(reader.turns(&thread, 9).await.unwrap(), ["{}"]);
    assert!(reader.remove_thread(&thread).await.unwrap());
    let refused = Postgres::open_existing(&server.url_of("stranger", "x", "lore")).await.unwrap_err().to_string();
    assert!(refused.contains("may not read schema") && refused.contains("GRANT USAGE"), "{refused}");
    for role in ["lore_sync", "lore_search"] {
        let rights = format!(
            "SELECT has_table_privilege('{role}', 'public.payroll', 'SELECT'), has_database_privilege('{role}', 'lore', 'CREATE'),
             rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = '{role}'"
        );
        assert_eq!(server.psql("lore", &rights), "f|f|f");
    }
}

/// Opens for writing what must be refused: one line, with these parts, and nothing is written.
async fn refused(server: &PostgresServer, url: &str, database: &str, parts: &[&str]) {
    let error = Postgres::open_or_create(url).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, StoreError::Unusable { .. } | StoreError::Unreachable { .. }), "{error:?}");
    for part in parts {
        assert!(message.contains(part), "{part}: {message}");
    }
    for secret in ["secret", "hunter2"] {
        assert!(!message.contains(secret) && !message.contains('\n'), "{message}");
    }
    if !database.is_empty() {
        let ours = "SELECT count(*) FROM pg_namespace WHERE nspname = 'clusterlore'";
        assert_eq!(server.psql(database, ours), "0", "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_serve_is_refused_with_the_way_out() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("lore");
    server.psql("lore", "CREATE ROLE plain LOGIN PASSWORD 'hunter2'");
    let plain = server.url_of("plain", "hunter2", "lore");

    refused(
        &server,
        &url.replace("postgres-secret", "hunter2"),
        "lore",
        &["refused the password of user \"postgres\""],
    )
    .await;
    refused(&server, &server.url("nowhere"), "", &["no database \"nowhere\"", "CREATE DATABASE \"nowhere\""]).await;
    let closed = "postgres://me:hunter2@127.0.0.1:1/lore";
    refused(&server, closed, "", &["postgres://127.0.0.1:1/lore cannot be reached", "refused"]).await;
    refused(&server, "postgres://me:hunter2@host.invalid/lore", "", &["host.invalid", "cannot be reached"]).await;
    refused(&server, &format!("{url}?sslmode=require"), "lore", &["TLS"]).await;

    refused(&server, &plain, "lore", &["pgvector is not installed", "CREATE EXTENSION vector", "superuser"]).await;
    server.psql("lore", "CREATE EXTENSION vector");
    refused(&server, &plain, "lore", &["may not create it", "CREATE SCHEMA \"clusterlore\" AUTHORIZATION \"plain\""])
        .await;
    server.psql("lore", "UPDATE pg_extension SET extversion = '0.6.2' WHERE extname = 'vector'");
    refused(&server, &url, "lore", &["pgvector 0.6.2; expected 0.7", "ALTER EXTENSION vector UPDATE"]).await;
    server.psql("lore", "UPDATE pg_extension SET extversion = '0.8.5' WHERE extname = 'vector'");

    assert!(matches!(Postgres::open_existing(&url).await.unwrap_err(), StoreError::Missing(_)));
    assert_eq!(server.psql("lore", "SELECT count(*) FROM pg_namespace WHERE nspname = 'clusterlore'"), "0");

    server.create_database("bare");
    std::fs::remove_file(server.extension_file("vector.control")).unwrap();
    refused(
        &server,
        &server.url("bare"),
        "bare",
        &["no pgvector", "CREATE EXTENSION vector", "postgresql-16-pgvector"],
    )
    .await;
}

/// As schemas of the version before annotations, readings and threads are: with documents, and without any.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_brought_up_to_date_and_keeps_what_it_holds() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    for (name, with_documents) in [("older", true), ("older-and-empty", false)] {
        let url = format!("{}?schema=it's%20%22own%22", server.create_database(name));
        match with_documents {
            true => drop(filled(&url).await),
            false => drop(Postgres::open_or_create(&url).await.unwrap()),
        }
        let schema = "\"it's \"\"own\"\"\"";
        if with_documents {
            server.psql(name, &format!("ALTER TABLE {schema}.documents_instances DROP COLUMN annotations"));
        }
        server.psql(name, &format!("ALTER TABLE {schema}.sources DROP COLUMN readings, DROP COLUMN name"));
        server.psql(name, &format!("DROP TABLE {schema}.turns, {schema}.journal, {schema}.posts, {schema}.scans"));
        server.psql(name, &format!("DROP SEQUENCE {schema}.scan_requests"));
        server.psql(name, &format!("DELETE FROM {schema}.clusterlore_migrations WHERE version > 1"));
        assert!(matches!(Postgres::open_existing(&url).await.unwrap_err(), StoreError::Outdated { found: 1, .. }));
        let store = Postgres::open_or_create(&url).await.unwrap();
        assert!(seen(&store).await.sources().await.unwrap().is_empty());
        if with_documents {
            let annotations = clusterlore_core::Selector::of_annotations("!owner").unwrap();
            let filter = Filter { annotations, ..Filter::default() };
            let probe = Probe { filter, nearest: 100, ..Probe::default() };
            let found = seen(&store).await.probe(Collection::Instances, probe).await.unwrap();
            assert_eq!(found.documents.len(), 20);
            let index = "SELECT count(*) FROM pg_indexes WHERE tablename = 'documents_instances' AND indexdef LIKE '%jsonb_path_ops%'";
            assert_eq!(server.psql(name, index), "1");
        }
        store.open_collection(Collection::Instances, &embedder()).await.unwrap();
        store
            .apply(Collection::Instances, Batch::writing(1, vec![upsert(document("", "a", "new", &[]), 7)]))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_and_foreign_schemas_are_left_alone() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("newer");
    drop(filled(&url).await);
    server.psql("newer", "INSERT INTO clusterlore.clusterlore_migrations (version) VALUES (99)");
    for opened in [Postgres::open_existing(&url).await, Postgres::open_or_create(&url).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    }
    let url = server.create_database("foreign");
    server.psql("foreign", "CREATE SCHEMA clusterlore; CREATE TABLE clusterlore.songs (title text)");
    let message = Postgres::open_or_create(&url).await.unwrap_err().to_string();
    assert!(message.contains("tables of another program") && message.contains("?schema=NAME"), "{message}");
    assert_eq!(server.psql("foreign", "SELECT count(*) FROM pg_tables WHERE schemaname = 'clusterlore'"), "1");
    // Beside it, in a schema of its own, with an odd name.
    let own = filled(&format!("{url}?schema=my%20%22own%22")).await;
    assert_eq!(all(&own).await.total, 20);
    assert!(own.place().ends_with("/foreign (schema my \"own\")"), "{}", own.place());
    // Many open an empty database at once.
    let url = server.create_database("race");
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { drop(filled(&url).await) })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap();
    }
    assert_tallied(&server, "race");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_gets_a_partition_of_its_own() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("parts");
    let store = filled(&url).await;
    let before = all(&store).await;
    server.psql("parts", &documented("partition"));
    let after = all(&store).await;
    let ids = |found: &Candidates| found.documents.iter().map(|d| d.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!((ids(&before), before.admitted), (ids(&after), after.admitted));
    let more = vec![upsert(document("prod", "shop", "web-new", &[("app", "web")]), 77)];
    let deletes = vec![document("prod", "shop", "web-1", &[]).key];
    store
        .apply(
            Collection::Instances,
            Batch { upserts: more, deletes, source: 1, cluster: "prod".to_owned(), ..Batch::default() },
        )
        .await
        .unwrap();
    assert_eq!(server.psql("parts", "SELECT count(*) FROM clusterlore.documents_instances_prod"), "7");
    let filter = Filter { clusters: ["prod".to_owned()].into(), ..Filter::default() };
    let probe = Probe { vector: vector(77), filter, nearest: 1, ..Probe::default() };
    let found = seen(&store).await.probe(Collection::Instances, probe).await.unwrap();
    assert_eq!((found.documents[0].id.as_str(), found.admitted), ("prod:shop/v1/Pod/web-new", 7));
    assert_tallied(&server, "parts");
    server.psql("parts", &documented("index"));
    let other = EmbedderIdentity { name: "other".into(), dimensions: 4 };
    store.change_embedder(Collection::Instances, &other).await.unwrap();
    let mut stale = 0;
    seen(&store)
        .await
        .scan(Collection::Instances, "prod", &mut |s| stale += usize::from(s.hash.to_bytes() == [0; 16]))
        .await
        .unwrap();
    assert_eq!(stale, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_serves_searches_and_refuses_syncs() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("lore");
    let primary = filled(&url).await;
    let standby = server.standby();
    let reader = Postgres::open_existing(&standby.url("lore")).await.unwrap();
    assert_eq!(all(&reader).await.documents.len(), 20);
    let more = vec![upsert(document("", "shop", "web-late", &[("app", "late")]), 7)];
    primary.apply(Collection::Instances, Batch { upserts: more, ..Batch::default() }).await.unwrap();
    for _ in 0..100 {
        if all(&reader).await.total == 21 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(all(&reader).await.total, 21);
    assert!(seen(&reader).await.vocabulary(Collection::Instances).await.unwrap().labels["app"].contains("late"));
    let batch = Batch { upserts: vec![upsert(document("", "z", "z", &[]), 1)], ..Batch::default() };
    let refused = reader.apply(Collection::Instances, batch).await.unwrap_err().to_string();
    assert!(refused.contains("a sync needs the URL of the primary"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vector_index_comes_with_the_end_of_a_large_run_and_serves_filters() {
    const MANY: usize = 12_000;
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("many");
    let store = Postgres::open_or_create(&url).await.unwrap();
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    let run = |command: RunKind| RunRecord {
        command,
        cluster: String::new(),
        started: "1".into(),
        finished: String::new(),
        summary: serde_json::Value::Null,
    };
    let number = store.begin_run(&run(RunKind::Instances)).await.unwrap();
    let documents: Vec<Document> = (0..MANY)
        .map(|n| document("", ["a", "b"][n % 2], &format!("web-{n}"), &[("app", ["x", "y", "z"][n % 3])]))
        .collect();
    for (chunk, part) in documents.chunks(1_000).enumerate() {
        let upserts = part.iter().enumerate().map(|(n, d)| upsert(d.clone(), (chunk * 1_000 + n) as u64)).collect();
        store.apply(Collection::Instances, Batch::writing(1, upserts)).await.unwrap();
    }
    let indexes = "SELECT count(*) FROM pg_class WHERE relname = 'documents_instances_nearness'";
    assert_eq!(server.psql("many", indexes), "0");
    let query = vector(1_000_000);
    let near = |filter: Filter, nearest: usize| Probe { vector: query.clone(), filter, nearest, ..Probe::default() };
    let labelled = Filter { selector: "app=x".parse().unwrap(), ..Filter::default() };
    let filters = [Filter::default(), labelled, Filter { namespaces: ["b".to_owned()].into(), ..Filter::default() }];
    let mut exact = Vec::new();
    for filter in &filters {
        exact.push(seen(&store).await.probe(Collection::Instances, near(filter.clone(), 100)).await.unwrap());
    }
    store.finish_run(number, &run(RunKind::Instances)).await.unwrap();
    assert_eq!(server.psql("many", indexes), "1");
    server.psql("many", "ANALYZE");
    for (filter, exact) in filters.iter().zip(exact) {
        let found = seen(&store).await.probe(Collection::Instances, near(filter.clone(), 100)).await.unwrap();
        let expected: BTreeSet<&str> = exact.documents.iter().map(|d| d.id.as_str()).collect();
        let right = found.documents.iter().filter(|d| expected.contains(d.id.as_str())).count();
        assert!(found.documents.len() == 100 && right >= 90, "{right} of {}", found.documents.len());
        assert_eq!((found.admitted, found.total), (exact.admitted, MANY));
    }
    assert_eq!(
        seen(&store).await.probe(Collection::Instances, near(Filter::default(), 5_000)).await.unwrap().documents.len(),
        5_000
    );
    // Statistics are told a second later, with the next statement.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    seen(&store).await.probe(Collection::Instances, near(Filter::default(), 100)).await.unwrap();
    let used = "SELECT sum(idx_scan) > 0 FROM pg_stat_user_indexes WHERE indexrelname LIKE '%vector_idx'";
    assert_eq!(server.psql("many", used), "t", "the index was used");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_vectors_long_labels_and_odd_vectors_have_their_place() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("long");
    let store = filled(&url).await;
    let (value, key) = ("v".repeat(10_000), "k".repeat(3_000));
    let long = document("", "a", "long", &[("app", &value), (&key, "x"), ("empty", ""), ("n", "+7"), ("nul", "a\0b")]);
    let mut zero = upsert(document("", "a", "zero", &[]), 0);
    zero.vector = Some(vec![0.0; DIMENSIONS]);
    let mut odd = upsert(document("", "a", "odd", &[]), 0);
    odd.vector = Some(vec![f32::NAN; DIMENSIONS]);
    let keys = [&long, &zero.document, &odd.document].map(|d| d.key).to_vec();
    let batch = Batch::writing(1, vec![upsert(long, 3), zero, odd]);
    for _ in 0..2 {
        store.apply(Collection::Instances, batch.clone()).await.unwrap();
        assert_tallied(&server, "long");
    }
    assert!(seen(&store).await.vocabulary(Collection::Instances).await.unwrap().labels["app"].contains(&value));
    for (selector, expected) in
        [(format!("n>6,{key}=x"), 1), ("n>6".to_owned(), 14), ("empty=".to_owned(), 1), (key, 1)]
    {
        let filter = Filter { selector: clusterlore_core::Selector(parsed(&selector)), ..Filter::default() };
        let probe = Probe { vector: vector(1), filter, nearest: 100, ..Probe::default() };
        let found = seen(&store).await.probe(Collection::Instances, probe).await.unwrap();
        assert_eq!((found.documents.len(), found.admitted), (expected, expected), "{selector:.10}");
    }
    let found = all(&store).await;
    assert!(found.documents.len() == 23 && found.documents.iter().all(|d| d.similarity.is_finite()));
    let none = seen(&store)
        .await
        .page(Collection::Instances, None, 100, true)
        .await
        .unwrap()
        .documents
        .into_iter()
        .filter(|d| d.vector.is_none());
    assert_eq!(none.count(), 2);
    store.apply(Collection::Instances, Batch::deleting("", keys)).await.unwrap();
    assert_tallied(&server, "long");
    assert!(!seen(&store).await.vocabulary(Collection::Instances).await.unwrap().labels["app"].contains(&value));

    // Longer than an index takes.
    let large = EmbedderIdentity { name: "large".into(), dimensions: 4_096 };
    store.open_collection(Collection::Capabilities, &large).await.unwrap();
    let axis = |at: usize| (0..4_096).map(|i| f32::from(u8::from(i == at))).collect::<Vec<f32>>();
    let upserts = (0..50)
        .map(|n| Upsert { document: document("", "a", &format!("p-{n}"), &[]), vector: Some(axis(n)) })
        .collect();
    store.apply(Collection::Capabilities, Batch { upserts, ..Batch::default() }).await.unwrap();
    let found = seen(&store)
        .await
        .probe(Collection::Capabilities, Probe { vector: axis(7), nearest: 1, ..Probe::default() })
        .await
        .unwrap();
    assert_eq!((found.documents[0].id.as_str(), found.documents[0].similarity), ("a/v1/Pod/p-7", 1.0));
    let over = EmbedderIdentity { name: "over".into(), dimensions: 20_000 };
    let message = store.change_embedder(Collection::Capabilities, &over).await.unwrap_err().to_string();
    assert!(message.contains("20000 dimensions") && message.contains("16000"), "{message}");
}

/// Requirements whose keys are longer than the grammar allows.
fn parsed(selector: &str) -> Vec<clusterlore_core::Requirement> {
    use clusterlore_core::Requirement;
    let one = |text: &str| match (text.split_once('='), text.split_once('>')) {
        (Some((key, value)), _) => Requirement::In(key.into(), vec![value.into()]),
        (_, Some((key, bound))) => Requirement::GreaterThan(key.into(), bound.parse().unwrap()),
        _ => Requirement::Exists(text.into()),
    };
    selector.split(',').map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_one_state_and_leaves_its_connection_as_it_was() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let server = Arc::new(server);
    let url = server.create_database("views");
    let store = filled(&url).await;
    let size = |view: Arc<dyn View>| async move {
        let counted = view.collection(Collection::Instances).await.unwrap().unwrap().documents;
        let mut scanned = 0;
        view.scan(Collection::Instances, "", &mut |_| scanned += 1).await.unwrap();
        let paged = view.page(Collection::Instances, None, 100, true).await.unwrap().documents.len();
        let probe = Probe { nearest: 100, vector: vector(0), ..Probe::default() };
        let found = view.probe(Collection::Instances, probe).await.unwrap();
        (counted, scanned, paged, found.total, found.documents.len())
    };
    let before: Arc<dyn View> = seen(&store).await.into();
    let more = vec![upsert(document("", "shop", "web-late", &[]), 7)];
    store.apply(Collection::Instances, Batch::writing(1, more)).await.unwrap();
    let after: Arc<dyn View> = seen(&store).await.into();
    for _ in 0..2 {
        assert_eq!(size(Arc::clone(&before)).await, (20, 7, 20, 20, 20));
        assert_eq!(size(Arc::clone(&after)).await, (21, 8, 21, 21, 21));
    }
    let last: Arc<dyn View> = seen(&store).await.into();
    drop(after);

    // One goes where there is no runtime.
    std::thread::spawn(move || drop(before)).join().unwrap();
    // What rewrites the table waits for views, also for those that have not read it yet.
    let changing = tokio::spawn({
        let store = store.clone();
        let other = EmbedderIdentity { name: "other".into(), dimensions: 4 };
        async move { store.change_embedder(Collection::Instances, &other).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!changing.is_finished());
    assert_eq!(size(Arc::clone(&last)).await, (21, 8, 21, 21, 21));
    drop(last);
    changing.await.unwrap().unwrap();
    assert_eq!(seen(&store).await.collection(Collection::Instances).await.unwrap().unwrap().embedder.name, "other");

    // And a view that begins while it is rewritten shows what comes of it.
    let rewriting = tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || {
            let slowly = "BEGIN; LOCK TABLE clusterlore.collections IN ACCESS EXCLUSIVE MODE;
                 UPDATE clusterlore.collections SET embedder = 'slow'; SELECT pg_sleep(1); COMMIT";
            server.psql("views", slowly)
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(seen(&store).await.collection(Collection::Instances).await.unwrap().unwrap().embedder.name, "slow");
    rewriting.await.unwrap();

    // Views that are broken off at any moment leave nothing open.
    for n in 0..60 {
        let all = Scope::All { because: "a test" };
        let reading = async {
            let view = store.view(&all).await.unwrap();
            view.scan(Collection::Instances, "", &mut |_| ()).await.unwrap();
            view.scan(Collection::Instances, "prod", &mut |_| ()).await.unwrap();
        };
        let _ = tokio::time::timeout(Duration::from_micros(n * 100), reading).await;
    }
    let view = seen(&store).await;
    for _ in 0..2 {
        let mut nothing = |_: clusterlore_store::Scanned<'_>| ();
        let scan = view.scan(Collection::Instances, "", &mut nothing);
        let _ = tokio::time::timeout(Duration::from_millis(1), scan).await;
    }
    drop(view);
    let writing = (0..8).map(|n| {
        let (store, answer) = (store.clone(), n.to_string());
        tokio::spawn(async move { store.remember_answer(&answer, &answer).await })
    });
    for written in writing.collect::<Vec<_>>() {
        written.await.unwrap().unwrap();
    }
    let open = || server.psql("views", "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'");
    for _ in 0..100 {
        if open() == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(open(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_lost_its_connection_goes_on_only_where_nothing_was_read() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("lost");
    let store = filled(&url).await;
    let (fresh, read) = (seen(&store).await, seen(&store).await);
    assert_eq!(read.counts(Collection::Instances).await.unwrap().len(), 3);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'clusterlore'";
    assert_ne!(server.psql("lost", end), "0");
    for _ in 0..2 {
        let error = read.counts(Collection::Instances).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    }
    assert_eq!(fresh.counts(Collection::Instances).await.unwrap().len(), 3);
    assert_eq!(all(&store).await.total, 20);
}

/// One of many objects of three clusters: names and labels of few words, so that much is shared, and one label that is its own.
fn thing(n: usize) -> (Collection, Document) {
    let mut random = fastrand::Rng::with_seed(n as u64);
    let cluster = ["", "east", "west"][random.usize(..3)];
    let (kind, types, namespaces): (_, _, &[&str]) = match random.usize(..4) {
        0 => ("Service", "services", &["a", "b", "c"]),
        1 => ("Node", "nodes", &[CLUSTER_SCOPE]),
        _ => ("Pod", "pods", &["a", "b", "c", "d", "e"]),
    };
    let words = ["fox", "wolf", "owl", "hen", "elk"];
    let name = format!("{}-{}-{n}", words[random.usize(..5)], words[random.usize(..3)]);
    let mut o = ResourceInstance::new("v1", kind, Some(namespaces[random.usize(..namespaces.len())]), &name).unwrap();
    o.cluster = (!cluster.is_empty()).then(|| cluster.to_owned());
    o.labels =
        [("app", words[random.usize(..2)].to_owned()), ("own", format!("v{n}"))].map(|(k, v)| (k.to_owned(), v)).into();
    match n % 10 {
        // The document of a type lies in no namespace, whatever it is of.
        0 => {
            o.namespace = CLUSTER_SCOPE.to_owned();
            (Collection::Capabilities, Document::of_instance(&o, types))
        }
        _ => (Collection::Instances, Document::of_instance(&o, types)),
    }
}

fn random_scope(random: &mut fastrand::Rng) -> Scope {
    let some = |random: &mut fastrand::Rng, of: &[&str]| of[random.usize(..of.len())].to_owned();
    let rules = (0..random.usize(..5)).map(|_| {
        let namespaces =
            (0..random.usize(..6)).map(|_| some(random, &["a", "b", "c", "d", "e", CLUSTER_SCOPE, "gone"]));
        let namespaces: BTreeSet<String> = namespaces.collect();
        Rule {
            cluster: some(random, &["", "east", "west", "nowhere"]),
            namespaces: (random.u8(..3) > 0).then_some(namespaces),
            type_name: (random.u8(..3) > 0).then(|| some(random, &["pods", "services", "nodes", "ghosts"])),
            objects: None,
        }
    });
    Scope::rules(rules.collect::<Vec<_>>())
}

/// All that a view tells of documents, in an order of its own where it promises none.
async fn told(view: &dyn View, keys: &[ObjectKey]) -> Vec<String> {
    let mut told = Vec::new();
    let terms = ["fox", "wolf", "owl", "pod", "v30", "never", ""].map(str::to_owned);
    let filter = |namespace: &str, ty: &str, selector: &str| Filter {
        namespaces: [namespace.to_owned()].into_iter().filter(|n| !n.is_empty()).collect(),
        types: [ty.to_owned()].into_iter().filter(|t| !t.is_empty()).collect(),
        selector: selector.parse().unwrap(),
        ..Filter::default()
    };
    for collection in Collection::ALL {
        told.push(format!("{:?}", view.collection(collection).await.unwrap()));
        for cluster in ["", "east", "west"] {
            let mut scanned = BTreeMap::new();
            view.scan(collection, cluster, &mut |s| {
                assert!(scanned.insert(s.id.to_owned(), format!("{s:?}")).is_none());
            })
            .await
            .unwrap();
            told.push(format!("{scanned:?}"));
        }
        let records: BTreeMap<_, _> = view.records(collection, keys).await.unwrap().into_iter().collect();
        told.push(format!("{records:?}"));
        for filter in [
            Filter::default(),
            filter("a", "", ""),
            filter("", "pods", "app=fox"),
            filter("", "", "app=fox"),
            filter("", "", "own"),
            filter("", "", "own in (v1, v2, v3),!none"),
            Filter { clusters: ["east".to_owned()].into(), ..Filter::default() },
        ] {
            for (vector, nearest, containing) in
                [(vector(3), 9, 0), (vector(4), 5, 12), (Vec::new(), 20, 30), (Vec::new(), 0, 7)]
            {
                let probe = Probe { vector, terms: terms.to_vec(), filter: filter.clone(), nearest, containing };
                let mut found = view.probe(collection, probe).await.unwrap();
                found.documents.sort_by(|a, b| a.id.cmp(&b.id));
                told.push(format!("{found:?}"));
            }
        }
        told.push(format!("{:?}", view.vocabulary(collection).await.unwrap()));
        told.push(format!("{:?}", view.frequencies(collection, &terms).await.unwrap()));
        told.push(format!("{:?}", view.terms(collection).await.unwrap()));
        told.push(format!("{:?}", view.counts(collection).await.unwrap()));
        let mut after = None;
        loop {
            let page = view.page(collection, after.as_deref(), 40, true).await.unwrap();
            told.push(format!("{page:?}"));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    told.push(format!("{:?}", view.types().await.unwrap()));
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_a_scope_is_that_of_an_index_that_holds_only_what_it_admits() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("scopes");
    let (whole, part) = (
        Postgres::open_or_create(&url).await.unwrap(),
        Postgres::open_or_create(&format!("{url}?schema=part")).await.unwrap(),
    );
    let things: Vec<(usize, (Collection, Document))> = (0..700).map(|n| (n, thing(n))).collect();
    let keys: Vec<ObjectKey> = things.iter().map(|(_, (_, d))| d.key).collect();
    let of = |kind: &str, plural: &str| ResourceType {
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        ..ResourceType::default()
    };
    let types = [of("Pod", "pods"), of("Service", "services"), of("Node", "nodes")];
    for store in [&whole, &part] {
        for collection in Collection::ALL {
            store.open_collection(collection, &embedder()).await.unwrap();
        }
    }
    // What the scope admits is written, what it does not admit is deleted.
    let fill = async |store: &Postgres, scope: &Scope| {
        for collection in Collection::ALL {
            for cluster in ["", "east", "west"] {
                let mut batch = Batch { source: 7, cluster: cluster.to_owned(), ..Batch::default() };
                for (n, (_, d)) in things.iter().filter(|(_, (c, d))| *c == collection && d.facets.cluster == cluster) {
                    match scope.admits(collection, cluster, &d.facets.type_name, &d.facets.namespace, Some(&d.key)) {
                        // Some are as near to anything as others are.
                        true => batch.upserts.push(upsert(d.clone(), (*n % 60) as u64)),
                        false => batch.deletes.push(d.key),
                    }
                }
                store.apply(collection, batch).await.unwrap();
            }
        }
        for cluster in ["", "east", "west"] {
            let types: Vec<_> = types.iter().filter(|t| scope.admits_type(cluster, &t.name())).cloned().collect();
            store.remember_types(cluster, &types).await.unwrap();
        }
    };
    fill(&whole, &Scope::All { because: "a test" }).await;
    let everything = told(&*seen(&whole).await, &keys).await;
    let mut answers = BTreeSet::new();
    let mut random = fastrand::Rng::with_seed(12);
    let mut scopes: Vec<Scope> = (0..25).map(|_| random_scope(&mut random)).collect();
    scopes.extend([
        Scope::rules([]),
        Scope::rules([Rule::cluster("east"), Rule::cluster("west")]),
        Scope::rules(["", "east", "west"].map(Rule::cluster)),
    ]);
    for scope in &scopes {
        fill(&part, scope).await;
        let expected = told(&*seen(&part).await, &keys).await;
        // The second time what was kept is told.
        for _ in 0..2 {
            let found = told(&*whole.view(scope).await.unwrap(), &keys).await;
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{scope:?}");
            }
            assert_eq!(found.len(), expected.len(), "{scope:?}");
        }
        answers.insert(expected);
    }
    assert!(answers.contains(&everything) && answers.len() > 15, "{} of {}", answers.len(), scopes.len());

    // What is kept under a scope is kept only until something is written.
    let scope = Scope::rules([Rule { namespaces: Some(["a".to_owned()].into()), ..Rule::cluster("east") }]);
    let words = ["fox".to_owned(), "newcomer".to_owned()];
    let before = whole.view(&scope).await.unwrap().frequencies(Collection::Instances, &words).await.unwrap();
    let (labels, name) = ([("brand", "new")], "fox-newcomer");
    for (namespace, more) in [("b", 0), ("a", 1)] {
        let batch = Batch::writing(7, vec![upsert(document("east", namespace, name, &labels), 9)]);
        whole.apply(Collection::Instances, batch).await.unwrap();
        let view = whole.view(&scope).await.unwrap();
        let after = view.frequencies(Collection::Instances, &words).await.unwrap();
        assert_eq!(after, [before[0] + more, more]);
        assert_eq!(view.vocabulary(Collection::Instances).await.unwrap().labels.contains_key("brand"), more == 1);
        let newcomers = view.terms(Collection::Instances).await.unwrap().documents(&words[1]);
        assert_eq!(newcomers, (more == 1).then_some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_sources_are_told_to_those_who_may_see_their_cluster() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let store = filled(&server.create_database("told")).await;
    for cluster in ["", "prod", "test"] {
        let path = format!("/{cluster}");
        store.remember_source(cluster, &SourceIdentity::Folder { path }, false).await.unwrap();
        let run = RunRecord {
            command: RunKind::Capabilities,
            cluster: cluster.to_owned(),
            started: "1".to_owned(),
            finished: "2".to_owned(),
            summary: serde_json::json!({"documents": 7}),
        };
        store.begin_run(&run).await.unwrap();
    }
    let some = Rule { namespaces: Some(["shop".to_owned()].into()), ..Rule::cluster("test") };
    let empty = Rule { namespaces: Some(BTreeSet::new()), ..Rule::cluster("") };
    let view = store.view(&Scope::rules([Rule::cluster("prod"), some, empty])).await.unwrap();
    let sources: Vec<String> = view.sources().await.unwrap().into_iter().map(|s| s.cluster).collect();
    assert_eq!(sources, ["prod", "test"]);
    let runs = view.last_runs().await.unwrap();
    let runs: Vec<_> = runs.iter().map(|run| (run.cluster.as_str(), run.summary.is_null())).collect();
    assert_eq!(runs, [("test", true), ("prod", false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_namespaces_cost_little_and_what_is_cut_off_is_cut_within_the_scope() {
    const NAMESPACES: usize = 1_200;
    const ADMITTED: usize = 1_000;
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("thousand");
    let (whole, part) = (
        Postgres::open_or_create(&url).await.unwrap(),
        Postgres::open_or_create(&format!("{url}?schema=part")).await.unwrap(),
    );
    let namespace = |n: usize| format!("team-{}", n % NAMESPACES);
    // Within the scope "web" is in more documents than are looked at, "owl" in fewer; in all of them, "owl" is, too.
    let documents: Vec<(u64, Document)> = (0..4_800)
        .map(|n| {
            let within = n % NAMESPACES < ADMITTED;
            let name = match (within, n % 7) {
                (true, 0) => format!("web-fox-{n}"),
                (true, 1 | 2) => format!("web-owl-{n}"),
                (true, _) => format!("web-{n}"),
                (false, _) => format!("owl-{n}"),
            };
            (n as u64, document("", &namespace(n), &name, &[("app", "web")]))
        })
        .collect();
    let allowed: BTreeSet<String> = (0..ADMITTED).map(namespace).collect();
    for (store, only) in [(&whole, None), (&part, Some(&allowed))] {
        store.open_collection(Collection::Instances, &embedder()).await.unwrap();
        let admitted: Vec<Upsert> = documents
            .iter()
            .filter(|(_, d)| only.is_none_or(|only| only.contains(&d.facets.namespace)))
            .map(|(n, d)| upsert(d.clone(), *n))
            .collect();
        for batch in admitted.chunks(1_000) {
            store.apply(Collection::Instances, Batch::writing(1, batch.to_vec())).await.unwrap();
        }
    }
    server.psql("thousand", "ANALYZE");
    let scope = Scope::rules([
        Rule { namespaces: Some(allowed.clone()), type_name: Some("pods".to_owned()), ..Rule::cluster("") },
        Rule { namespaces: Some(allowed), type_name: Some("services".to_owned()), ..Rule::cluster("") },
    ]);
    let (within, only, all) = (whole.view(&scope).await.unwrap(), seen(&part).await, seen(&whole).await);
    let probe = |terms: &[&str], containing: usize| Probe {
        vector: vector(1),
        terms: terms.iter().map(|t| (*t).to_owned()).collect(),
        nearest: 50,
        containing,
        ..Probe::default()
    };
    for asked in [
        probe(&["web"], 50),
        probe(&["web", "fox"], 900),
        probe(&["owl", "fox"], 2_000),
        probe(&["web", "owl", "fox"], 3_000),
    ] {
        let mut found = within.probe(Collection::Instances, asked.clone()).await.unwrap();
        let mut expected = only.probe(Collection::Instances, asked).await.unwrap();
        for candidates in [&mut found, &mut expected] {
            candidates.documents.sort_by(|a, b| a.id.cmp(&b.id));
        }
        assert!(found == expected && found.total == 4_000, "{:?}, {}", found.frequencies, found.documents.len());
    }
    // The shortest of some, since others are at work on this machine.
    let shortest = async |view: &dyn View| {
        let mut shortest = Duration::MAX;
        for _ in 0..10 {
            let began = Instant::now();
            let asked = probe(&["owl", "fox", "team"], 100);
            let found = view.probe(Collection::Instances, asked).await.unwrap();
            assert!(found.documents.len() > 100);
            shortest = shortest.min(began.elapsed());
        }
        shortest
    };
    let (under_scope, of_all) = (shortest(&*within).await, shortest(&*all).await);
    println!("under a scope of {ADMITTED} namespaces {under_scope:?}, without {of_all:?}");
    assert!(under_scope < of_all * 5 + Duration::from_millis(20), "{under_scope:?}, without {of_all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scope_admits_is_found_through_the_index_however_far_off_it_lies() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("far");
    let store = filled(&url).await;
    // As many beside the question as the index looks at, and more; made by the server, which is faster.
    server.psql(
        "far",
        "SET search_path = clusterlore, public;
         INSERT INTO documents_instances
         SELECT '', decode(md5(n::text), 'hex'), decode(md5('h' || n), 'hex'), 1, 'pod-' || n, 'pods', of.namespace,
            (SELECT array_agg(CASE WHEN i = of.axis THEN 1 ELSE 0.2 * random() + 0 * n END)::real[]::halfvec(8) FROM generate_series(1, 8) i),
            '{}', '', '{}', '', '{}'
         FROM generate_series(1, 26000) n, LATERAL (SELECT CASE WHEN n % 8 = 0 THEN 'far' ELSE 'near' END AS namespace,
            CASE WHEN n % 8 = 0 THEN 2 ELSE 1 END AS axis) of;
         INSERT INTO facets SELECT 1, '', 'pods', namespace, count(*) FROM documents_instances WHERE namespace <> 'shop' GROUP BY 4;
         UPDATE clusters SET documents = documents + 26000, revision = revision + 1 WHERE cluster = ''",
    );
    let run = RunRecord {
        command: RunKind::Capabilities,
        cluster: String::new(),
        started: "1".into(),
        finished: String::new(),
        summary: serde_json::Value::Null,
    };
    let number = store.begin_run(&run).await.unwrap();
    store.finish_run(number, &run).await.unwrap();
    server.psql("far", "ANALYZE");
    let far = Rule { namespaces: Some(["far".to_owned()].into()), ..Rule::cluster("") };
    let view = store.view(&Scope::rules([far])).await.unwrap();
    let axis = (0..DIMENSIONS).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect();
    let found =
        view.probe(Collection::Instances, Probe { vector: axis, nearest: 10, ..Probe::default() }).await.unwrap();
    assert_eq!((found.documents.len(), found.admitted, found.total), (10, 3_250, 3_250));
}
