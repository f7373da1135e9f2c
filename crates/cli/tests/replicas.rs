//! Two replicas of `serve` on one Postgres: one keeps the index, the other stands by, answers, and takes over.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::{ApiServer, mcp_sdks_or_skip};
use common::Home;
use common::assistants::{SDKS, round_robin, text, with_calls};
use common::serving::{Serving, send};
use serde_json::Value;

const SYNC: &str = "/api/v1/instances/sync";
/// In which another replica has to take over.
const TAKEOVER: Duration = Duration::from_secs(30);
/// For everything that is no matter of a moment.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(name: &str) -> String {
    format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: shop}}}}\n")
}

fn path(name: &str) -> String {
    format!("/api/v1/instances/shop/v1/ConfigMap/{name}")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether it is ready and stands by; `None`: it is not ready, or does not answer.
fn stands_by(address: &str) -> Option<bool> {
    let (status, text) = send(address, "GET", "/readyz", "", "").ok()?;
    (status == 200).then(|| json(&text)["standby"].is_array())
}

fn until(what: &str, most: Duration, holds: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < most, "{what}: not after {most:?}");
        thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

/// An API server, a Postgres, and what two replicas over them are started with.
struct Place {
    cluster: ApiServer,
    postgres: PostgresServer,
    homes: [Home; 2],
    args: Vec<String>,
}

impl Place {
    fn new() -> Option<Self> {
        let (cluster, postgres) = (ApiServer::start_or_skip()?, PostgresServer::start_or_skip()?);
        cluster.apply("---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n");
        cluster.apply(&(0..50).map(|n| config(&format!("first-{n}"))).collect::<String>());
        let url = postgres.create_database("lore");
        let kubeconfig = cluster.kubeconfig("admin").display().to_string();
        let args = ["--kubeconfig", &kubeconfig, "--postgres-url", &url].map(str::to_owned).into();
        Some(Self { cluster, postgres, homes: [Home::new(), Home::new()], args })
    }

    fn start(&self, number: usize, address: &str) -> Serving {
        let args: Vec<&str> = self.args.iter().map(String::as_str).chain(["--rate", "100000"]).collect();
        Serving::start_with(&self.homes[number], address, &args, &[])
    }

    /// Two that start together over an empty store: one that writes, and one that stands by.
    fn both(&self) -> [Serving; 2] {
        let [one, other] = [0, 1].map(|number| self.start(number, "127.0.0.1:0"));
        let states = || [&one, &other].map(|serving| stands_by(&serving.address));
        let took = until("both are ready", PATIENCE, || states().iter().all(Option::is_some));
        println!("ready after {took:?}");
        match states() {
            [Some(false), Some(true)] => [one, other],
            [Some(true), Some(false)] => [other, one],
            states => panic!("one stands by: {states:?}"),
        }
    }

    /// The index is what a sync finds.
    fn holds_what_a_sync_finds(&self) {
        let args: Vec<&str> = ["sync-instances"].into_iter().chain(self.args.iter().map(String::as_str)).collect();
        let again = self.homes[0].run(&args).ok();
        assert!(again.err.contains("0 stored, 0 deleted"), "{}", again.err);
    }
}

/// Calls two addresses in turn, as many behind a load balancer do: what fails at one is tried once at the other.
#[derive(Default)]
struct RoundRobin {
    sent: AtomicUsize,
    again: AtomicUsize,
    failed: AtomicUsize,
}

impl RoundRobin {
    fn call(&self, replicas: [&str; 2], method: &str, path: &str, body: &str) {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let answered = |replica: usize| {
            send(replicas[replica % 2], method, path, "", body).is_ok_and(|(status, _)| status == 200 || status == 404)
        };
        if !answered(number) {
            self.again.fetch_add(1, Ordering::Relaxed);
            if !answered(number + 1) {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn told(&self) -> [usize; 3] {
        [&self.sent, &self.again, &self.failed].map(|number| number.load(Ordering::Relaxed))
    }
}

#[test]
fn one_is_killed_in_the_middle_of_ten_thousand_requests() {
    let Some(place) = Place::new() else { return };
    let [mut writer, mut standby] = place.both();
    let (_, status) = standby.get("/api/v1/status");
    let live = |text: &str| json(text)["live"].clone();
    assert_eq!(
        live(&status),
        serde_json::json!([{"cluster": "", "ready": true, "standby": true, "interrupted": false, "gone": false}])
    );
    assert_eq!(live(&writer.get("/api/v1/status").1)[0]["standby"], false);
    let standing = |serving: &Serving| serving.get("/metrics").1.contains("clusterlore_live_standby{cluster=\"\"} 1\n");
    assert!(standing(&standby) && !standing(&writer));
    place.cluster.apply(&config("seen"));
    let took = until("the other sees what was written", PATIENCE, || standby.get(&path("seen")).0 == 200);
    println!("created, then found at the standby: {took:?} after kubectl ended");

    let addresses = [writer.address.clone(), standby.address.clone()];
    let replicas = [addresses[0].as_str(), addresses[1].as_str()];
    let (client, over, began) = (RoundRobin::default(), AtomicBool::new(false), Instant::now());
    let changes = thread::scope(|scope| {
        for worker in 0..8 {
            let (client, over) = (&client, &over);
            scope.spawn(move || {
                for n in 0.. {
                    if over.load(Ordering::Relaxed) && client.told()[0] >= 10_000 {
                        return;
                    }
                    let path = match n % 40 {
                        0 => "/api/v1/search?q=configmaps+in+shop&limit=3&live=false".to_owned(),
                        1 => "/api/v1/changes?limit=3".to_owned(),
                        _ => path(&format!("first-{}", (worker + n) % 50)),
                    };
                    client.call(replicas, "GET", &path, "");
                }
            });
        }
        // Objects come and go all the while.
        let (place, over) = (&place, &over);
        let changing = scope.spawn(move || {
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) {
                let names = (0..10).map(|n| format!("round-{rounds}-{n}"));
                place.cluster.apply(&names.map(|name| config(&name)).collect::<String>());
                let gone = format!("round-{rounds}-3");
                place.cluster.kubectl(&["delete", "configmap", &gone, "first-7", "-n", "shop", "--ignore-not-found"]);
                rounds += 1;
                thread::sleep(Duration::from_millis(500));
            }
            rounds
        });
        while client.told()[0] < 4_000 {
            thread::sleep(Duration::from_millis(10));
        }
        let killed = Instant::now();
        assert_eq!(writer.end("-KILL"), None);
        place.cluster.apply(&config("after-the-kill"));
        until("the other writes", TAKEOVER, || stands_by(replicas[1]) == Some(false));
        let writes = killed.elapsed();
        until("it writes what came meanwhile", TAKEOVER, || standby.get(&path("after-the-kill")).0 == 200);
        println!("killed; the other has the lock after {writes:?}, and what came since after {:?}", killed.elapsed());
        assert!(killed.elapsed() < TAKEOVER);
        writer = place.start(0, replicas[0]);
        until("the killed one stands by", PATIENCE, || stands_by(replicas[0]) == Some(true));
        thread::sleep(Duration::from_secs(1));
        over.store(true, Ordering::Relaxed);
        changing.join().unwrap()
    });
    let [sent, again, failed] = client.told();
    println!(
        "{sent} requests in {:?}, {again} tried again, {failed} failed; {changes} rounds of changes",
        began.elapsed()
    );
    assert!(sent >= 10_000 && failed == 0 && again > 0 && changes > 3);

    place.cluster.apply(&config("last"));
    for serving in [&writer, &standby] {
        until("both show the last change", PATIENCE, || serving.get(&path("last")).0 == 200);
        for round in 0..changes {
            let [stays, goes] = [4, 3].map(|n| serving.get(&path(&format!("round-{round}-{n}"))).0);
            assert_eq!((stays, goes), (200, 404), "round {round}");
        }
    }
    // Nothing is told twice, and nothing is left out but what came and went again while nobody watched.
    let journal = json(&standby.get("/api/v1/changes?q=what+was+created&namespace=shop&limit=1000").1);
    let mut names: Vec<&str> =
        journal["changes"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let told = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(told, names.len(), "{names:?}");
    let of_round = |round: usize| (0..10).map(move |n| format!("round-{round}-{n}"));
    let missed: Vec<String> = (0..changes).flat_map(of_round).filter(|name| !names.contains(&name.as_str())).collect();
    assert_eq!(told + missed.len(), changes * 10 + 3, "{names:?}");
    assert!(missed.len() <= 2 && missed.iter().all(|name| name.ends_with("-3")), "{missed:?}");
    assert_eq!((standby.end("-TERM"), writer.end("-TERM")), (Some(0), Some(0)));
    place.holds_what_a_sync_finds();
}

#[test]
fn one_that_hangs_and_one_that_lost_its_connection_write_no_more() {
    let Some(mut place) = Place::new() else { return };
    let [one, other] = place.both();
    // It hangs: its connections stay, and its beats do not come.
    one.signal("-STOP");
    let took = until("the other takes over", TAKEOVER, || stands_by(&other.address) == Some(false));
    println!("the writer hangs; the other has the lock after {took:?}");
    place.cluster.apply(&config("while-it-hangs"));
    until("the other writes", PATIENCE, || other.get(&path("while-it-hangs")).0 == 200);
    one.signal("-CONT");
    let took = until("it notices", PATIENCE, || stands_by(&one.address) == Some(true));
    println!("awake again; it stands by after {took:?}");
    assert_eq!(one.get(&path("while-it-hangs")).0, 200);

    let addresses = [one.address.clone(), other.address.clone()];
    let writers = || {
        let states = addresses.each_ref().map(|address| stands_by(address));
        states.iter().all(Option::is_some).then(|| states.iter().filter(|state| **state == Some(false)).count())
    };
    let holders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    let one_writes = |place: &Place, name: &str| {
        let took =
            until("one writes", TAKEOVER, || writers() == Some(1) && place.postgres.psql("lore", holders) == "1");
        place.cluster.apply(&config(name));
        for serving in [&one, &other] {
            until("both show it", PATIENCE, || serving.get(&path(name)).0 == 200);
        }
        took
    };
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'";
    assert_ne!(place.postgres.psql("lore", end), "0");
    println!("a cut connection: one writes after {:?}", one_writes(&place, "after-a-cut"));
    place.postgres.stop();
    until("no replica is ready without a store", PATIENCE, || addresses.iter().all(|at| stands_by(at).is_none()));
    place.cluster.apply(&config("without-a-store"));
    place.postgres.start_again();
    println!("Postgres is back: one writes after {:?}", one_writes(&place, "after-a-restart"));
    assert_eq!(one.get(&path("without-a-store")).0, 200);
    drop((one, other));
    place.holds_what_a_sync_finds();
}

#[test]
fn one_assistant_is_served_by_both() {
    let (Some(sdks), Some(place)) = (mcp_sdks_or_skip(), Place::new()) else { return };
    let servings = place.both();
    let (address, taken) = round_robin(servings.iter().map(|serving| serving.address.clone()).collect());
    let asked = serde_json::json!({"url": format!("http://{address}/mcp")});
    let arguments = [
        ("find_resources", serde_json::json!({"kind": "cm", "namespaces": ["shop"], "limit": 100})),
        ("find_resources", serde_json::json!({"output": "count", "groupBy": "namespace"})),
        ("find_resource_types", serde_json::json!({"task": "settings"})),
        ("get_resource", serde_json::json!({"id": "shop/v1/ConfigMap/first-3"})),
        ("recent_changes", serde_json::json!({"question": "what was created"})),
        ("cluster_overview", serde_json::json!({})),
    ];
    // Each twice: once for each replica.
    let calls: Vec<_> = arguments.iter().flat_map(|call| [call.clone(), call.clone()]).collect();
    let mut before = 0;
    for (number, sdk) in SDKS.into_iter().enumerate() {
        let new = format!("new-{number}");
        place.cluster.apply(&config(&new));
        for serving in &servings {
            until("both show it", PATIENCE, || serving.get(&path(&new)).0 == 200);
        }
        let told = sdk.asks(&sdks, &with_calls(asked.clone(), &calls));
        let results = told["results"].as_array().unwrap();
        for ((tool, _), both) in arguments.iter().zip(results.chunks(2)) {
            assert!(both.iter().all(|result| result["error"] == false), "{sdk:?} {tool}: {both:?}");
            // Ages, and how long ago a cluster was read, go on.
            let of = |result: &Value| (result["structured"]["total"].clone(), result["structured"]["shown"].clone());
            assert_eq!(of(&both[0]), of(&both[1]), "{sdk:?} {tool}");
            assert!(!text(&both[0]).is_empty(), "{sdk:?} {tool}");
        }
        for result in results.iter().take(2).chain(&results[8..10]) {
            assert!(text(result).contains(&new), "{sdk:?}: {result}");
        }
        let sent = taken.load(Ordering::SeqCst) - before;
        assert!(sent >= calls.len(), "{sdk:?}: {sent} requests");
        before += sent;
    }
}

#[test]
fn what_one_took_the_other_writes_in_its_order() {
    let Some(postgres) = PostgresServer::start_or_skip() else { return };
    let url = postgres.create_database("lore");
    let homes = [Home::new(), Home::new()];
    let args = ["--no-watch", "--live", "never", "--postgres-url", &url];
    let [mut one, other] = homes.each_ref().map(|home| Serving::start(home, &args));
    let upsert = |n: usize| {
        format!(
            r#"{{"upserts":[{{"id":"shop/v1/ConfigMap/thing-{n}","namespace":"shop","name":"thing-{n}","kind":"ConfigMap","apiVersion":"v1","apiGroup":"","createdAt":"2026-02-20T10:00:00Z","labels":null,"annotations":null}}],"deletes":[]}}"#
        )
    };
    let delete = |n: usize| format!(r#"{{"upserts":[],"deletes":["shop/v1/ConfigMap/thing-{n}"]}}"#);
    let client = RoundRobin::default();
    let addresses = [one.address.clone(), other.address.clone()];
    let replicas = [addresses[0].as_str(), addresses[1].as_str()];
    // What no API server can have jams nothing: Postgres holds no U+0000, and indexes no long names.
    let long = "K".repeat(5_000);
    for (kind, namespace) in [("K\\u0000", "shop"), ("K", "sh\\u0000op"), (long.as_str(), "shop")] {
        let posted = upsert(0).replace("ConfigMap", kind).replace("\"shop\"", &format!("\"{namespace}\""));
        let (status, text) = send(&one.address, "POST", SYNC, "", &posted).unwrap();
        assert_eq!(status, 200, "{text}");
    }
    for name in ["a\\u0000", "b\\n", &long] {
        let posted = format!(r#"{{"upserts":["{name}"],"deletes":["{name}"]}}"#);
        let (status, text) = send(&one.address, "POST", "/api/v1/capabilities/scan", "", &posted).unwrap();
        assert_eq!(status, 202, "{text}");
    }
    for n in 0..300 {
        client.call(replicas, "POST", SYNC, &upsert(n));
        // What came through one goes through the other.
        if n % 3 == 0 {
            client.call(replicas, "POST", SYNC, &delete(n));
        }
        if n == 150 {
            assert_eq!(one.end("-KILL"), None);
        }
    }
    let [sent, again, failed] = client.told();
    assert_eq!((sent, failed), (400, 0));
    let there = |serving: &Serving| {
        let all = json(&serving.get("/api/v1/search?q=configmaps&kind=ConfigMap&limit=1000").1);
        let mut all: Vec<String> =
            all["hits"].as_array().into_iter().flatten().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect();
        all.sort_unstable();
        all
    };
    let mut expected: Vec<String> =
        (0..300).filter(|n| n % 3 != 0).map(|n| format!("shop/v1/ConfigMap/thing-{n}")).collect();
    expected.sort_unstable();
    // Of the killed one too, though it did not come back.
    let took = until("the one that is left writes all", PATIENCE, || there(&other) == expected);
    println!("{sent} posts, {again} tried again; the one that is left has written all {took:?} later");
    one = Serving::start_with(&homes[0], replicas[0], &args, &[]);
    client.call(replicas, "POST", SYNC, &upsert(0));
    until("both show what is posted to either", PATIENCE, || {
        [&one, &other].iter().all(|s| s.get(&path("thing-0")).0 == 200)
    });
    assert!(one.get("/metrics").1.contains("clusterlore_inbox_posts 0\n"));
}
