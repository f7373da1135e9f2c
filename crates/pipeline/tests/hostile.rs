//! A server that does not mean well, or is broken: nothing is lost, little is held, and every run comes to its end.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clusterlore_cluster::{ClusterSource, LiveOptions, LiveSource, RetryPolicy};
use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_pipeline::Options;
use clusterlore_store::Sqlite;
use clusterlore_testkit::fake::{FakeApiServer, Fault, hostile};
use common::{Counting, Ran, ids, run};

/// Objects of each type before anything goes wrong.
const OBJECTS: usize = 1_000;
/// Most bytes of one answer here: who held it whole would be seen.
const ANSWER_BYTES: u64 = 32 << 20;
/// What a hostile server may cost beside a good one.
const MORE_MEMORY: u64 = 64 << 20;

fn ty(group: &str, kind: &str, plural: &str) -> ResourceType {
    common::ty(group, "v1", kind, plural)
}

fn pods() -> ResourceType {
    ty("", "Pod", "pods")
}

struct Bench {
    _folder: tempfile::TempDir,
    server: FakeApiServer,
    store: Sqlite,
    embedder: Arc<Counting>,
}

impl Bench {
    /// A good server with two types, synced once.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
        let server = FakeApiServer::start().await;
        server.add_type(pods()).add_type(ty("apps", "Deployment", "deployments"));
        for (name, api_version, kind) in [("pods", "v1", "Pod"), ("deployments.apps", "apps/v1", "Deployment")] {
            server.generate(name, OBJECTS, move |n| {
                let mut object =
                    ResourceInstance::new(api_version, kind, Some("default"), &format!("good-{n:05}")).unwrap();
                object.annotations.insert("example.org/notes".into(), "x".repeat(4_000));
                object
            });
        }
        let bench = Self { _folder: folder, server, store, embedder: Arc::default() };
        let first = bench.sync().await;
        assert_eq!((first.summary.stored, first.summary.is_partial()), (2 * OBJECTS + 2, false));
        bench
    }

    fn options(&self) -> LiveOptions {
        LiveOptions {
            kubeconfig: Some(self.server.kubeconfig().to_owned()),
            request_timeout: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(5),
            answer_bytes: ANSWER_BYTES,
            pages: 30,
            run_timeout: Duration::from_secs(20),
            retry: RetryPolicy { base: Duration::from_millis(2), tries: 2, ..RetryPolicy::default() },
            ..LiveOptions::default()
        }
    }

    async fn sync(&self) -> Ran {
        let source: Arc<dyn ClusterSource> = Arc::new(LiveSource::connect(self.options()).await.unwrap());
        run(source, &self.store, &self.embedder, Options::default()).await.unwrap()
    }

    /// Runs against a server that misbehaves, and says what is wrong with how that was met.
    async fn meets(&self, name: &str, type_name: &str) -> Vec<String> {
        let before = ids(&self.store).await;
        let began = Instant::now();
        let ran = self.sync().await;
        let (took, bound) = (began.elapsed(), self.options().run_timeout + Duration::from_secs(5));
        let mut wrong = Vec::new();
        let mut must = |what: &str, is: bool| {
            if !is {
                wrong.push(format!("{name}: {what}: {:?} after {took:.1?}", ran.summary));
            }
        };
        let after = ids(&self.store).await;
        must("documents are lost", ran.summary.deleted == 0 && before.iter().all(|id| after.binary_search(id).is_ok()));
        must("the run counts as whole", ran.summary.is_partial());
        let skipped: Vec<&str> = ran.summary.skipped.iter().map(|s| s.type_name.as_str()).collect();
        must("another type is skipped, or none", skipped == [type_name]);
        let fits = |reason: &String| (3..400).contains(&reason.len()) && !reason.contains('\n');
        must("no line says why", ran.summary.skipped.iter().all(|s| fits(&s.reason)));
        must("it took too long", took < bound);
        must("strangers are taken", !after.iter().any(|id| id.contains("stranger")));
        wrong
    }
}

/// The most memory that this process ever held, where the system says so.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// One test, as it measures the process: every behaviour, one after another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_behaviour_loses_a_document_or_takes_memory_or_time_without_bound() {
    let bench = Bench::new().await;
    assert_eq!(bench.sync().await.summary.unchanged, 2 * OBJECTS + 2);
    let good = most_memory();
    let mut wrong = Vec::new();
    let behaviours = hostile::behaviours(&pods());
    assert!(behaviours.len() > 40);
    for behaviour in behaviours {
        bench.server.clear_faults().fault("pods", behaviour.fault);
        let before = most_memory();
        wrong.extend(bench.meets(behaviour.name, "pods").await);
        if let (Some(before), Some(after)) = (before, most_memory())
            && after > before + ANSWER_BYTES / 2
        {
            wrong.push(format!("{}: {} MiB more", behaviour.name, (after - before) >> 20));
        }
    }
    bench.server.clear_faults();
    let healed = bench.sync().await.summary;
    // What an endless list held is gone again.
    assert_eq!((healed.is_partial(), healed.unchanged, healed.stored), (false, 2 * OBJECTS + 2, 0), "{wrong:#?}");
    for begin in ["{\"kind\":\"APIGroupDiscoveryList\",\"items\":[", "{\"kind\":\""] {
        let fault = Fault::endless("application/json", begin, "{},".repeat(20_000), Duration::ZERO);
        bench.server.clear_faults().fault("/apis", fault);
        let ran = bench.sync().await;
        assert_eq!((ran.summary.deleted, ran.summary.unchanged), (0, OBJECTS + 2), "discovery");
        assert!(ran.lines.iter().any(|line| line.contains("groups cannot be read")), "{:?}", ran.lines);
    }
    if let (Some(good), Some(all)) = (good, most_memory())
        && all > good + MORE_MEMORY
    {
        wrong.push(format!("{} MiB more than with a good server", (all - good) >> 20));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_of_any_type_costs_little_time() {
    let server = FakeApiServer::start().await;
    let types = 60;
    for n in 0..types {
        server.add_type(ty("many.example", &format!("Kind{n}"), &format!("kinds{n}")));
        server.fault(&format!("kinds{n}.many.example"), Fault::slow(Duration::from_secs(3600)));
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let options = LiveOptions {
        kubeconfig: Some(server.kubeconfig().to_owned()),
        request_timeout: Duration::from_millis(500),
        retry: RetryPolicy { base: Duration::from_millis(2), ..RetryPolicy::default() },
        ..LiveOptions::default()
    };
    let source: Arc<dyn ClusterSource> = Arc::new(LiveSource::connect(options).await.unwrap());
    let ran = run(source, &store, &Arc::default(), Options::default()).await.unwrap();
    assert_eq!((ran.summary.skipped.len(), ran.summary.is_partial()), (types, true));
    // The first eight are asked four times each, and most others once.
    let asked = server.requests().iter().filter(|r| r.path.contains("/kinds")).count();
    assert!((types..2 * types).contains(&asked), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_when_its_time_is_used_up() {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).add_type(ty("apps", "Deployment", "deployments"));
    server.put(ResourceInstance::new("v1", "Pod", Some("default"), "a").unwrap());
    server.fault("deployments.apps", Fault::endless("application/json", "{", " ", Duration::from_millis(5)));
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    let kubeconfig = Some(server.kubeconfig().to_owned());
    let options = LiveOptions { kubeconfig, run_timeout: Duration::from_secs(2), ..LiveOptions::default() };
    let source: Arc<dyn ClusterSource> = Arc::new(LiveSource::connect(options).await.unwrap());
    let began = Instant::now();
    let ran = run(source, &store, &Arc::default(), Options::default()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!((ran.summary.skipped.len(), ran.summary.is_partial()), (1, true));
    assert!(ids(&store).await.iter().any(|id| id.contains("/Pod/a")));
}
