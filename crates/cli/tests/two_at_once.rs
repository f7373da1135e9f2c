//! Two writers of one index, and signals: who waits is told for whom, and who is stopped is told what is kept.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clusterlore_core::ResourceInstance;
use clusterlore_store::{Holder, RunKind, RunLock, Runs, Sqlite};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::{EXAMPLES, Home, Ran};

const SYNC: [&str; 3] = ["sync-instances", "--from", EXAMPLES];
/// Far more than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// Another run that holds the lock.
async fn held(path: &Path) -> RunLock {
    let store = Sqlite::open_or_create(path).unwrap();
    store.lock("", &Holder::new(RunKind::Capabilities, "2026-01-02T03:04:05Z".to_owned())).await.unwrap()
}

fn start(home: &Home, args: &[&str]) -> Child {
    home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads standard error up to a line that says so; gives what came.
fn until(child: &mut Child, said: &str) -> String {
    let mut lines = String::new();
    let mut reader = BufReader::new(child.stderr.as_mut().unwrap());
    while !lines.lines().any(|line| line.contains(said)) {
        assert_ne!(reader.read_line(&mut lines).unwrap(), 0, "{said:?} never came: {lines}");
    }
    lines
}

fn signal(child: &Child, name: &str) {
    send(name, &child.id().to_string());
}

fn send(name: &str, process: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), process]).status().unwrap().success());
}

/// The end of a child, within a bound.
fn ended(mut child: Child) -> Ran {
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > LONG {
            let _ = child.kill();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ran::of(child.wait_with_output().unwrap())
}

/// Its last line, without the signal's name, is what the snapshot of `what` says.
#[track_caller]
fn assert_stopped(ran: &Ran, name: &str, what: &str) {
    let status = if name == "INT" { 130 } else { 143 };
    assert_eq!(ran.status, status, "{ran:?}");
    assert_eq!(ran.err.matches("Stopped by").count(), 1, "{}", ran.err);
    let last = ran.err.lines().last().unwrap();
    let signal = format!("SIG{name}");
    assert!(last.contains(&signal), "{last}");
    insta::assert_snapshot!(format!("stopped-{what}"), last.replace(&signal, "SIGNAL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_waits_for_the_first_and_says_for_whom() {
    let home = Home::new();
    home.run(&SYNC).ok();
    home.run(&["export", "e.jsonl"]).ok();
    for args in [&SYNC[..], &["sync", "--from", EXAMPLES], &["index", "--from", EXAMPLES], &["import", "e.jsonl"]] {
        let lock = held(&home.store()).await;
        let mut waiting = start(&home, args);
        let told = until(&mut waiting, "Waiting");
        let process = format!("process {}, since 2026-01-02T03:04:05Z", std::process::id());
        assert!(told.contains(&process) && told.contains("index.db"), "{told}");
        // Searches and dry runs do not wait.
        home.run(&["search", "database"]).ok();
        home.run(&[&SYNC[..], &["--dry-run"]].concat()).ok();
        drop(lock);
        ended(waiting).ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_has_an_end() {
    let home = Home::new();
    home.run(&SYNC).ok();
    let _lock = held(&home.store()).await;
    let began = Instant::now();
    let ran = home.run(&[&SYNC[..], &["--lock-timeout", "500ms"]].concat());
    assert!(ran.error().len() < ran.err.len() - 1, "who waits is told before: {}", ran.err);
    assert!(began.elapsed() >= Duration::from_millis(500));
}

#[test]
fn two_that_start_together_both_come_to_their_end() {
    let home = Home::new();
    let children: Vec<Child> = (0..4).map(|_| start(&home, &SYNC)).collect();
    for ran in children.into_iter().map(ended) {
        assert_eq!(ran.ok().counts()[0], 73);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_who_waits_for_the_lock() {
    let home = Home::new();
    home.run(&SYNC).ok();
    let _lock = held(&home.store()).await;
    for name in ["INT", "TERM"] {
        let mut waiting = start(&home, &SYNC);
        until(&mut waiting, "Waiting");
        signal(&waiting, name);
        assert_stopped(&ended(waiting), name, "sync");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_run_that_waits_for_its_cluster() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let config = server.kubeconfig().to_str().unwrap().to_owned();
    server.fault("*", Fault::slow(Duration::from_secs(300)));
    for (args, what) in
        [(vec!["sync-instances"], "sync"), (vec!["index"], "sync"), (vec!["sync-instances", "--dry-run"], "reading")]
    {
        for name in ["INT", "TERM"] {
            server.forget_requests();
            let child = start(&home, &[&args[..], &["--kubeconfig", &config]].concat());
            while server.requests().is_empty() {
                std::thread::sleep(Duration::from_millis(10));
            }
            signal(&child, name);
            assert_stopped(&ended(child), name, what);
        }
    }
}

#[test]
fn a_signal_ends_what_waits_for_a_pipe() {
    let home = Home::new();
    home.run(&SYNC).ok();
    home.run(&["export", "e.jsonl"]).ok();
    assert!(Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    for (args, what) in
        [(&["import", "-"][..], "import"), (&["search", "--batch", "-"], "reading"), (&["export", "pipe"], "export")]
    {
        for name in ["INT", "TERM"] {
            let mut command = home.command(args);
            // The other end of standard input stays open and silent.
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let input = child.stdin.take();
            // Until it listens for signals and waits.
            std::thread::sleep(Duration::from_millis(700));
            signal(&child, name);
            assert_stopped(&ended(child), name, what);
            drop(input);
        }
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let home = Home::new();
    home.run(&SYNC).ok();
    assert!(Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    let child = start(&home, &["export", "pipe"]);
    std::thread::sleep(Duration::from_millis(700));
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    signal(&child, "INT");
    let ran = ended(child);
    assert_eq!(ran.status, 143, "{ran:?}");
    assert!(began.elapsed() < Duration::from_millis(800), "{:?}", began.elapsed());
}

#[test]
fn a_stopped_export_leaves_nothing_half_written() {
    let home = Home::new();
    let mut all = String::new();
    for n in 0..4_000 {
        all.push_str(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: thing-{n}, namespace: x}}\n---\n"));
    }
    home.write("m/all.yaml", &all);
    home.sync_from(&home.path("m")).ok();
    home.write("out/e.jsonl", "old");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(home.path("out")).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let mut child = start(&home, &["export", "out/e.jsonl"]);
    while names().len() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it was over too soon");
    }
    signal(&child, "INT");
    assert_stopped(&ended(child), "INT", "export-to-a-file");
    assert_eq!(names(), ["e.jsonl"]);
    assert_eq!(std::fs::read_to_string(home.path("out/e.jsonl")).unwrap(), "old");
    // And the whole of it the next time.
    home.run(&["export", "out/e.jsonl"]).ok();
    let whole = std::fs::read_to_string(home.path("out/e.jsonl")).unwrap();
    assert!(whole.lines().count() > 4_000 && whole.lines().last().unwrap().contains("\"end\""));
}

/// Stopped again and again in the middle of writing: what is there is right, and one undisturbed run brings the rest.
#[test]
fn a_stopped_sync_keeps_what_it_stored() {
    let home = Home::new();
    let mut all = String::new();
    for n in 0..24_000 {
        all.push_str(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: thing-{n}, namespace: x}}\n---\n"));
    }
    home.write("m/all.yaml", &all);
    let mut child = start(&home, &["sync-instances", "--from", "m"]);
    until(&mut child, "Storing ");
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "TERM");
    let mut ran = ended(child);
    if ran.status == 0 {
        panic!("it was over too soon: {}", ran.err);
    }
    ran.err = ran.err.lines().last().unwrap().to_owned();
    assert_stopped(&ran, "TERM", "sync");
    let status = home.run(&["status"]).ok().out;
    let last_run: Vec<&str> = status.lines().filter(|line| line.starts_with("Last run: ")).collect();
    insta::assert_snapshot!("status-of-a-stopped-run", home.stable(&last_run.join("\n")));
    home.sync_from(&home.path("m")).ok();
    let count = home.run(&["count", "-o", "name"]).ok().out;
    assert_eq!(count.trim(), "24000");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_debris_of_the_bar_is_left_on_a_terminal() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let pods = clusterlore_core::ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..Default::default()
    };
    server.add_type(pods);
    server.put(ResourceInstance::new("v1", "Pod", Some("shop"), "cart").unwrap());
    server.fault("pods", Fault::slow(Duration::from_secs(300)));
    let program = env!("CARGO_BIN_EXE_clusterlore");
    let config = server.kubeconfig().display();
    let line = format!("stty cols 100; echo $$ > process; exec {program} sync-instances --kubeconfig {config}");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(home.folder.path()).stdin(Stdio::null());
    script.env("XDG_DATA_HOME", home.path("data")).env("TERM", "xterm").env("SHELL", "/bin/sh");
    let mut child = match script.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(e) => return assert!(std::env::var_os("CI").is_none(), "script (util-linux) is needed in CI: {e}"),
    };
    while server.count("/api/v1/pods") == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // The bar is drawn ten times a second.
    std::thread::sleep(Duration::from_millis(500));
    send("INT", std::fs::read_to_string(home.path("process")).unwrap().trim());
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{shown:?}");
    let last = shown.trim_end().lines().last().unwrap();
    let visible = last.rsplit(['\r', 'K']).next().unwrap();
    assert!(visible.starts_with("Stopped by SIGINT: "), "{shown:?}");
    assert!(shown.contains("Listing type 2 of 2"), "the line was never drawn: {shown:?}");
}
