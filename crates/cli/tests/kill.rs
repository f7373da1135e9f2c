//! A process that is killed at any point leaves a store from which the next run reaches exactly what an undisturbed run reaches.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use clusterlore_core::Collection;
use clusterlore_store::{Probe, Sqlite, Store};
use common::Home;

const KILLS: u32 = 60;

fn manifests(home: &Home, range: std::ops::Range<u32>, label: &str) -> std::path::PathBuf {
    let mut all = String::new();
    for n in range {
        all.push_str(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: thing-{n}, namespace: ns-{}, labels: {{state: {label}, n: 'v{n}'}}}}\n---\n",
            n % 7
        ));
    }
    home.write("m/all.yaml", &all);
    home.path("m")
}

/// Everything that a store holds: id, record, cosine with a fixed vector (which tells vectors apart), and whether
/// its words find it.
type State = BTreeMap<String, (String, i32)>;

fn state(path: &Path) -> State {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let store = Sqlite::open_existing(path).unwrap();
        let vector: Vec<f32> = (0..256).map(|i| if i % 3 == 0 { 0.1 } else { -0.05 }).collect();
        let everything = Probe { vector: vector.clone(), nearest: 100_000, ..Probe::default() };
        let candidates =
            store.view_all("a test").await.unwrap().probe(Collection::Instances, everything).await.unwrap();
        let state: State = candidates
            .documents
            .into_iter()
            .map(|c| (c.id.clone(), (c.record.clone(), (c.similarity * 10_000.0) as i32)))
            .collect();
        let words = Probe { terms: vec!["thing".into()], containing: 100_000, ..Probe::default() };
        let by_words =
            store.view_all("a test").await.unwrap().probe(Collection::Instances, words).await.unwrap().documents.len();
        assert_eq!(by_words, state.keys().filter(|id| id.contains("thing-")).count(), "every document has its words");
        let mut hashes = 0;
        store.view_all("a test").await.unwrap().scan(Collection::Instances, "", &mut |_| hashes += 1).await.unwrap();
        assert_eq!(hashes, state.len(), "every entry has its document");
        state
    })
}

#[test]
fn killed_at_random_points() {
    let undisturbed = Home::new();
    let before = Home::new();
    // The store knows 0..1500; the source then holds 500..3000, half of it changed.
    let began = Instant::now();
    before.sync_from(&manifests(&before, 0..1_500, "old")).ok();
    let whole_run = began.elapsed();
    let target = |home: &Home| manifests(home, 500..3_000, "new");
    undisturbed.sync_from(&target(&undisturbed)).ok();
    // Records differ in nothing but what the cluster says, so the states must be equal to the letter.
    let expected = state(&undisturbed.store());
    assert_eq!(expected.len(), 2_500);

    let mut died_writing = 0;
    for round in 0..KILLS {
        let home = Home::new();
        manifests(&home, 0..1_500, "old");
        std::fs::create_dir_all(home.store().parent().unwrap()).unwrap();
        copy_store(&before, &home);
        // The folder is part of the source's identity, so each round gives its own folder to the store once more.
        let folder = target(&home);
        let args = ["sync-instances", "--replace-source", "--from", folder.to_str().unwrap()];
        let mut child = home.command(&args).stderr(std::process::Stdio::null()).spawn().unwrap();
        // From the first moment to beyond the end, spread evenly and moved by a little chance.
        let share = f64::from(round) / f64::from(KILLS) * 2.0 + fastrand::f64() * 0.05;
        std::thread::sleep(Duration::from_secs_f64(whole_run.as_secs_f64() * share));
        let finished = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        child.wait().unwrap();
        let left = state(&home.store());
        let fresh = left.values().filter(|(record, _)| record.contains(r#""state":"new""#)).count();
        died_writing += u32::from(!finished && fresh > 0);
        // A search in what the dead left behind works.
        home.run(&["search", "thing", "-o", "id"]).ok();
        home.run(&args).ok();
        let reached = state(&home.store());
        assert!(reached == expected, "round {round}: {} documents, {} expected", reached.len(), expected.len());
        let again = home.run(&args).ok();
        assert_eq!(again.counts()[1..3], [0, 0], "{}", again.err);
    }
    println!("{died_writing} of {KILLS} runs died while writing");
    assert!(died_writing > 0, "no run died while it was writing: the moments are badly chosen");
}

/// Kills `args` at some moment of `kills` runs, from a copy of what `before` holds each, and gives what is left to `healed`.
/// Returns how many runs died in the middle of their deletes.
fn killed(before: &Home, kills: u32, args: &[&str], at_rest: usize, mut healed: impl FnMut(&Home, u32)) -> u32 {
    let copy = || {
        let home = Home::new();
        std::fs::create_dir_all(home.store().parent().unwrap()).unwrap();
        copy_store(before, &home);
        home
    };
    let undisturbed = copy();
    let began = Instant::now();
    undisturbed.run(args).ok();
    let whole_run = began.elapsed();
    let mut died_deleting = 0;
    for round in 0..kills {
        let home = copy();
        let mut child = home.command(args).stderr(std::process::Stdio::null()).spawn().unwrap();
        // Deletes come last, and they are what is to be met.
        let share = 0.3 + f64::from(round) / f64::from(kills) * 0.8 + fastrand::f64() * 0.05;
        std::thread::sleep(Duration::from_secs_f64(whole_run.as_secs_f64() * share));
        let _ = child.kill();
        child.wait().unwrap();
        let left = count(&home);
        died_deleting += u32::from(left > at_rest && left < count(before));
        healed(&home, round);
        assert_eq!(count(&home), at_rest, "round {round}, {left} left by the kill");
    }
    died_deleting
}

/// Documents that an index holds.
fn count(home: &Home) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Sqlite::open_existing(&home.store()).unwrap();
    runtime
        .block_on(async { store.view_all("a test").await.unwrap().collection(Collection::Instances).await })
        .unwrap()
        .unwrap()
        .documents
}

/// So many that deleting them takes several transactions.
const WIDGETS: u32 = 6_000;

fn widgets(home: &Home) -> std::path::PathBuf {
    let widget = |n| {
        format!(
            "{{\"apiVersion\":\"example.org/v1\",\"kind\":\"Widget\",\"metadata\":{{\"name\":\"w{n}\",\"namespace\":\"shop\"}}}}\n"
        )
    };
    home.write("w/widgets.json", &(0..WIDGETS).map(widget).collect::<String>());
    home.write("w/web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n");
    home.path("w")
}

#[test]
fn killed_while_a_type_is_deleted() {
    const KILLS: u32 = 40;
    let before = Home::new();
    let folder = widgets(&before);
    before.sync_from(&folder).ok();
    std::fs::remove_file(folder.join("widgets.json")).unwrap();
    let args = ["sync-instances", "--from", folder.to_str().unwrap()];
    let died = killed(&before, KILLS, &args, 1, |home, _| {
        home.run(&args).ok();
    });
    println!("{died} of {KILLS} runs died while deleting");
    assert!(died > 0, "no run died while it was deleting: the moments are badly chosen");
}

#[test]
fn killed_while_a_source_is_replaced() {
    const KILLS: u32 = 20;
    let before = Home::new();
    let folder = widgets(&before);
    before.sync_from(&folder).ok();
    before.write("other/api.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n");
    let other = before.path("other");
    let replace = ["sync-instances", "--replace-source", "--from", other.to_str().unwrap()];
    let died = killed(&before, KILLS, &replace, 1, |home, round| {
        // Where the new source has its place already, the user need not ask for it again.
        if round % 2 == 0 || home.run(&["sync-instances", "--from", other.to_str().unwrap()]).status != 0 {
            home.run(&replace).ok();
        }
    });
    println!("{died} of {KILLS} runs died while deleting");
    assert!(died > 0, "no run died while it was deleting: the moments are badly chosen");
}

fn copy_store(from: &Home, to: &Home) {
    for file in std::fs::read_dir(from.store().parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, to.store().parent().unwrap().join(path.file_name().unwrap())).unwrap();
    }
}
