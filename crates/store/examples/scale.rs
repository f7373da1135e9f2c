//! What a Postgres store does with many documents: how fast they are written, how large they are, how long searches take. Invents the
//! documents; docs/scale.md has what it said.
//!
//!     cargo run --release -p clusterlore-store --example scale -- 100000            beside a server of its own
//!     cargo run --release -p clusterlore-store --example scale -- 100000 postgres://…   on an empty database of yours
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlore_core::{Collection, Document, EmbedderIdentity, ResourceInstance};
use clusterlore_store::{Batch, Filter, Holder, Postgres, Probe, RunKind, RunRecord, Runs, Store, Upsert, Writer};
use clusterlore_testkit::postgres::PostgresServer;
use pgvector::HalfVector;
use serde_json::Value;
use tokio_postgres::NoTls;

const DIMENSIONS: usize = 256;
const BATCH: usize = 1_000;
const CLUSTERS: usize = 10;
const WRITERS: usize = 2;
const SEARCHES: usize = 100;
/// What a server with 8 GB would be given.
const SETTINGS: [&str; 6] = [
    "fsync=on",
    "shared_buffers=2GB",
    "maintenance_work_mem=2GB",
    "max_parallel_maintenance_workers=2",
    "max_wal_size=8GB",
    "effective_cache_size=6GB",
];
const KINDS: [(&str, &str, &str); 8] = [
    ("v1", "Pod", "pods"),
    ("apps/v1", "ReplicaSet", "replicasets.apps"),
    ("apps/v1", "Deployment", "deployments.apps"),
    ("v1", "Service", "services"),
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "Secret", "secrets"),
    ("batch/v1", "Job", "jobs.batch"),
    ("networking.k8s.io/v1", "Ingress", "ingresses.networking.k8s.io"),
];
const PARTS: [&str; 24] = [
    "orders",
    "payments",
    "cart",
    "ledger",
    "inventory",
    "search",
    "mail",
    "session",
    "catalog",
    "billing",
    "risk",
    "fraud",
    "web",
    "api",
    "worker",
    "cache",
    "queue",
    "proxy",
    "report",
    "export",
    "auth",
    "audit",
    "media",
    "events",
];

/// The document of a number, and its vector: near to those of its application and kind.
fn upsert(number: usize) -> Upsert {
    let mut random = fastrand::Rng::with_seed(number as u64);
    let cluster = number % CLUSTERS;
    let app = random.usize(..PARTS.len() * PARTS.len());
    // Many pods, few of the others, as in a cluster.
    let kind = [0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7][random.usize(..16)];
    let (version, name, type_name) = KINDS[kind];
    let app_name = format!("{}-{}", PARTS[app / PARTS.len()], PARTS[app % PARTS.len()]);
    let namespace = format!("team-{}", random.usize(..50));
    let hash = format!("{:08x}", random.u32(..));
    let mut object =
        ResourceInstance::new(version, name, Some(&namespace), &format!("{app_name}-{number}-{hash}")).unwrap();
    object.cluster = Some(format!("cluster-{cluster}"));
    object.uid = format!("{:032x}", random.u128(..));
    object.created_at = "2026-01-31T12:00:00Z".to_owned();
    for (key, value) in [
        ("app.kubernetes.io/name", app_name.as_str()),
        ("app.kubernetes.io/part-of", PARTS[app / PARTS.len()]),
        ("env", ["prod", "staging", "test"][random.usize(..3)]),
        ("team", &format!("t{}", random.usize(..20))),
        ("pod-template-hash", &hash),
    ] {
        object.labels.insert(key.to_owned(), value.to_owned());
    }
    let document = Document::of_instance(&object, type_name);
    Upsert { document, vector: Some(vector(app, kind, &mut random)) }
}

/// Half what the application is, half what kind it is and chance: alike things are near, and there are degrees of it.
fn vector(app: usize, kind: usize, random: &mut fastrand::Rng) -> Vec<f32> {
    let centres = [(app / PARTS.len(), 1.0), (100 + app % PARTS.len(), 1.0), (1_000 + app, 0.7), (10_000 + kind, 0.7)];
    let mut vector = vec![0.0; DIMENSIONS];
    for (centre, weight) in centres {
        let mut centre = fastrand::Rng::with_seed(1_000_000_007 + centre as u64);
        vector.iter_mut().for_each(|x| *x += weight * (centre.f32() - 0.5));
    }
    vector.iter_mut().for_each(|x| *x += random.f32() - 0.5);
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

fn question(number: usize, filter: Filter, nearest: usize, containing: usize) -> Probe {
    let mut random = fastrand::Rng::with_seed(77_000_000_000 + number as u64);
    let app = random.usize(..PARTS.len() * PARTS.len());
    let vector = vector(app, random.usize(..KINDS.len()), &mut random);
    let terms =
        clusterlore_core::words::terms(&format!("{} {} pod", PARTS[app / PARTS.len()], PARTS[app % PARTS.len()]));
    Probe { vector, terms, filter, nearest, containing }
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let documents: usize = args.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let rest: Vec<String> = args.collect();
    let given = rest.iter().find(|arg| arg.starts_with("postgres")).cloned();
    let server = if given.is_none() { PostgresServer::start_or_skip_with(&SETTINGS) } else { None };
    let Some(url) = given.or_else(|| server.as_ref().map(|server| server.create_database("scale"))) else { return };
    let store = Postgres::open_or_create(&url).await.unwrap();
    let (sql, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    println!("{}, {documents} documents, {DIMENSIONS} dimensions, {CLUSTERS} clusters", store.versions());
    let embedder = EmbedderIdentity { name: "invented".into(), dimensions: DIMENSIONS };
    store.open_collection(Collection::Instances, &embedder).await.unwrap();
    let run = RunRecord {
        command: RunKind::Other,
        cluster: String::new(),
        started: String::new(),
        finished: String::new(),
        summary: Value::Null,
    };
    let number = store.begin_run(&run).await.unwrap();
    let began = Instant::now();
    fill(&store, documents).await;
    report("written", began, documents);
    let began = Instant::now();
    store.finish_run(number, &run).await.unwrap();
    report("vector index built", began, documents);
    let began = Instant::now();
    fill_range(&store, documents..documents + 5_000, 0, 1).await;
    report("written after that", began, 5_000);
    let began = Instant::now();
    sql.batch_execute("VACUUM ANALYZE").await.unwrap();
    report("VACUUM ANALYZE", began, documents);
    sizes(&sql).await;
    memory(server.as_ref());

    let began = Instant::now();
    let mut scanned = 0;
    store
        .view_all("a test")
        .await
        .unwrap()
        .scan(Collection::Instances, "cluster-0", &mut |_| scanned += 1)
        .await
        .unwrap();
    report("scan of a cluster", began, scanned);
    for what in ["first", "kept"] {
        let began = Instant::now();
        let vocabulary = store.view_all("a test").await.unwrap().vocabulary(Collection::Instances).await.unwrap();
        println!("vocabulary, {what}: {:.1} ms, {} label keys", ms(began.elapsed()), vocabulary.labels.len());
        let began = Instant::now();
        let terms = store.view_all("a test").await.unwrap().terms(Collection::Instances).await.unwrap();
        println!("terms, {what}: {:.1} ms, {} terms", ms(began.elapsed()), terms.len());
    }
    let set = |value: &str| BTreeSet::from([value.to_owned()]);
    let selecting = |selector: &str| Filter { selector: selector.parse().unwrap(), ..Filter::default() };
    let filters = [
        ("no filter", Filter::default()),
        ("cluster", Filter { clusters: set("cluster-3"), ..Filter::default() }),
        ("type", Filter { types: set("jobs.batch"), ..Filter::default() }),
        ("namespace", Filter { namespaces: set("team-7"), ..Filter::default() }),
        ("namespace and type", Filter { namespaces: set("team-7"), types: set("services"), ..Filter::default() }),
        ("label env=prod", selecting("env=prod")),
        ("label team=t4", selecting("team=t4")),
        ("labels env=prod,team in (t4,t5),!canary", selecting("env=prod,team in (t4,t5),!canary")),
        ("namespace and env!=prod", Filter { namespaces: set("team-7"), ..selecting("env!=prod") }),
        ("one in a million", selecting("pod-template-hash=ffffffff")),
    ];
    for (reach, nearest, containing, searches) in [("near", 80, 100, SEARCHES), ("far", 2_000, 5_000, SEARCHES / 10)] {
        for (name, filter) in &filters {
            let mut admitted = 0;
            let mut times = Vec::new();
            for number in 0..searches + 5 {
                let began = Instant::now();
                let found = store
                    .view_all("an example")
                    .await
                    .unwrap()
                    .probe(Collection::Instances, question(number, filter.clone(), nearest, containing))
                    .await
                    .unwrap();
                times.push(ms(began.elapsed()));
                admitted = found.admitted;
            }
            // The first ones bring pages into memory.
            let mut times = times.split_off(5);
            times.sort_by(f64::total_cmp);
            let (p50, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
            println!("search, {reach}, {name}: p50 {p50:.1} ms, p95 {p95:.1} ms, {admitted} admitted");
        }
    }
    recall(&store, &sql).await;
    let began = Instant::now();
    let mut times = Vec::new();
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..SEARCHES / 2 {
                    store
                        .view_all("an example")
                        .await
                        .unwrap()
                        .probe(Collection::Instances, question(task * 1_000 + number, Filter::default(), 80, 100))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
        times.push(began.elapsed());
    }
    println!("4 at once: {:.0} searches a second", (4 * (SEARCHES / 2)) as f64 / times[3].as_secs_f64());
    let began = Instant::now();
    let again: Vec<Upsert> = (0..5 * BATCH).map(|n| Upsert { vector: None, ..upsert(n * CLUSTERS) }).collect();
    for upserts in again.chunks(BATCH) {
        let batch = Batch::writing(2, upserts.to_vec());
        store.apply(Collection::Instances, batch).await.unwrap();
    }
    report("written again, vectors kept", began, 5 * BATCH);
    memory(server.as_ref());
    drop(store.lock("cluster-0", &Holder::new(RunKind::Other, String::new())).await.unwrap());
}

/// Several writers, each with clusters of its own, as syncs of a fleet are.
async fn fill(store: &Postgres, documents: usize) {
    let store = Arc::new(store.clone());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { fill_range(&store, 0..documents, writer, WRITERS).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn fill_range(store: &Postgres, range: std::ops::Range<usize>, writer: usize, writers: usize) {
    let (began, end, whole) = (Instant::now(), range.end, range.len());
    let mut own = range.filter(|n| n % CLUSTERS % writers == writer);
    loop {
        let upserts: Vec<Upsert> = own.by_ref().take(BATCH).map(upsert).collect();
        let Some(last) = upserts.last().map(|u| u.document.id.clone()) else { return };
        store.apply(Collection::Instances, Batch::writing(1, upserts)).await.unwrap();
        let number: usize = last.rsplit('-').nth(1).and_then(|n| n.parse().ok()).unwrap_or(end);
        if writer == 0 && whole >= 10 * BATCH && number * 10 / end != number.saturating_sub(BATCH * writers) * 10 / end
        {
            println!("  up to document {number}: {:.0} s", began.elapsed().as_secs_f64());
        }
    }
}

/// How many of the eighty nearest are among those found.
async fn recall(store: &Postgres, sql: &tokio_postgres::Client) {
    let settings = "SET search_path = clusterlore, public; SET enable_indexscan = off; SET enable_bitmapscan = off";
    sql.batch_execute(settings).await.unwrap();
    let statement =
        sql.prepare("SELECT stored_id FROM documents_instances ORDER BY vector <=> $1 LIMIT 80").await.unwrap();
    let (mut right, mut all) = (0, 0);
    for number in 0..20 {
        let probe = question(number, Filter::default(), 80, 0);
        let exact = sql.query(&statement, &[&HalfVector::from_f32_slice(&probe.vector)]).await.unwrap();
        let exact: BTreeSet<String> = exact.iter().map(|row| row.get(0)).collect();
        let found =
            store.view_all("a test").await.unwrap().probe(Collection::Instances, probe).await.unwrap().documents;
        right += found.iter().filter(|d| exact.contains(&d.id)).count();
        all += exact.len();
    }
    println!("recall of the 80 nearest: {:.3}", right as f64 / all as f64);
}

async fn sizes(sql: &tokio_postgres::Client) {
    let select = "SELECT c.relname::text, pg_relation_size(c.oid), pg_size_pretty(pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0))
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'clusterlore' AND c.relkind IN ('r', 'i')
         AND pg_relation_size(c.oid) > 1000000 ORDER BY 2 DESC";
    for row in sql.query(select, &[]).await.unwrap() {
        println!("  {}: {}", row.get::<_, &str>(0), row.get::<_, &str>(2));
    }
    let row = sql.query_one("SELECT pg_size_pretty(pg_database_size(current_database()))", &[]).await.unwrap();
    println!("database: {}", row.get::<_, &str>(0));
}

/// Proportional memory of the server's processes, and the most that this program had.
fn memory(server: Option<&PostgresServer>) {
    let number = |text: &str, name: &str| -> usize {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    let own = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let parents: Vec<u32> = server.map(PostgresServer::process_ids).unwrap_or_default();
    let mut kilobytes = 0;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let (pid, parent) = (number(&status, "Pid:"), number(&status, "PPid:"));
        if parents.iter().any(|p| *p as usize == pid || *p as usize == parent) {
            kilobytes +=
                number(&std::fs::read_to_string(entry.path().join("smaps_rollup")).unwrap_or_default(), "Pss:");
        }
    }
    println!(
        "memory: server {} MB with its 2 GB of buffers, this program {} MB at most",
        kilobytes / 1024,
        number(&own, "VmHWM:") / 1024
    );
}

fn report(what: &str, began: Instant, documents: usize) {
    let seconds = began.elapsed().as_secs_f64();
    println!("{what}: {seconds:.1} s, {:.0} documents a second", documents as f64 / seconds);
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
