//! An index on its way to another store.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::embeddings::FakeEmbeddings;
use common::{EXAMPLES, Home, Ran};

fn indexed() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

fn hits(home: &Home, store: &[&str]) -> String {
    let search = ["search", "relational databases", "-o", "id", "--limit", "20"];
    let hits = home.run(&[&search[..], store].concat()).ok().out;
    assert!(hits.lines().count() > 1, "{hits}");
    hits + &home
        .run(&[&["search", "a certificate", "--collection", "capabilities", "-o", "id"], store].concat())
        .ok()
        .out
}

#[test]
fn an_index_answers_the_same_from_where_it_was_moved_to() {
    let home = indexed();
    home.run(&["export", "index.jsonl"]).ok();
    let copy = ["--store", "sqlite:copy.db"];
    let import = || home.run(&[&["import", "index.jsonl"], &copy[..]].concat()).ok().counts();
    let first = import();
    assert_eq!(first[1..], [first[0], 0, 0], "all are stored, none is embedded, none was there");
    assert_eq!(hits(&home, &[]), hits(&home, &copy));
    assert_eq!(import()[1..], [0, 0, first[0]]);
    // It is the same index to a sync, too: nothing is written or embedded again.
    for command in ["sync", "sync-instances"] {
        let ran = home.run(&[&[command, "--from", EXAMPLES, "-o", "json"], &copy[..]].concat()).ok();
        let summary: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&summary["stored"], &summary["deleted"]), (&0.into(), &0.into()), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_vectors_or_for_another_embedder_texts_are_embedded_again() {
    let (home, server) = (indexed(), FakeEmbeddings::start().await);
    home.run(&["export", "index.jsonl", "--no-vectors"]).ok();
    assert!(!std::fs::read_to_string(home.path("index.jsonl")).unwrap().contains("\"vector\""));
    let copy = ["--store", "sqlite:copy.db"];
    let [all, stored, embedded, _] = home.run(&[&["import", "index.jsonl"], &copy[..]].concat()).ok().counts()[..]
    else {
        panic!("four numbers")
    };
    assert_eq!((stored, embedded), (all, all));
    assert_eq!(hits(&home, &[]), hits(&home, &copy));

    home.run(&["export", "whole.jsonl"]).ok();
    let name = format!("openai:test@{}", server.url());
    let other = ["import", "whole.jsonl", "--embedder", &name];
    let ran = home.run(&[&other[..], &["--store", "sqlite:other.db"]].concat()).ok();
    assert_eq!(ran.counts()[1..3], [all, all]);
    let asked: usize = server.asked().iter().map(|a| a.body["input"].as_array().unwrap().len()).sum();
    assert!(asked > 100);
    home.run(&[&other[..], &copy[..]].concat()).error();
}

#[test]
fn an_import_that_was_cut_off_goes_on_later() {
    let home = indexed();
    home.run(&["export", "index.jsonl"]).ok();
    let whole = std::fs::read_to_string(home.path("index.jsonl")).unwrap();
    let import = |name: &str| home.run(&["import", name, "--store", "sqlite:copy.db"]);
    // Cut off in the middle of a document.
    home.write("cut.jsonl", &whole[..whole.len() * 3 / 4]);
    import("cut.jsonl").error();
    let counts = import("index.jsonl").ok().counts();
    assert!(counts[3] > 0, "what it held was imported: {counts:?}");
    assert_eq!(hits(&home, &[]), hits(&home, &["--store", "sqlite:copy.db"]));
}

#[test]
fn an_index_of_another_source_is_not_written_over() {
    let home = indexed();
    home.run(&["export", "index.jsonl"]).ok();
    home.write("m/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: web}\n");
    let copy = ["--store", "sqlite:copy.db"];
    home.run(&[&["sync-instances", "--from", "m"], &copy[..]].concat()).ok();
    let import = [&["import", "index.jsonl"], &copy[..]].concat();
    home.run(&import).error();
    let names = home.run(&[&["search", "service other", "-o", "id"], &copy[..]].concat()).ok().out;
    assert!(names.contains("web/v1/Service/other"), "{names}");
    home.run(&[&import[..], &["--replace-source"]].concat()).ok();
}

#[test]
fn a_pipe_moves_it_too() {
    let home = indexed();
    let exported = Ran::of(home.command(&["export"]).output().unwrap()).ok();
    home.write("piped.jsonl", &exported.out);
    let mut import = home.command(&["import", "-", "--store", "sqlite:copy.db"]);
    let ran = Ran::of(import.stdin(std::fs::File::open(home.path("piped.jsonl")).unwrap()).output().unwrap());
    ran.ok();
    assert_eq!(hits(&home, &[]), hits(&home, &["--store", "sqlite:copy.db"]));
}

/// A link's target is replaced, a pipe and a device are written into, a regular file keeps its mode; nothing becomes another thing.
#[test]
fn an_export_replaces_regular_files_only() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    let home = indexed();
    let expected = Ran::of(home.command(&["export"]).output().unwrap()).ok().out;
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    let kind = |name: &str| std::fs::symlink_metadata(home.path(name)).unwrap();

    home.write("real.jsonl", "old");
    std::fs::set_permissions(home.path("real.jsonl"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("real.jsonl", home.path("link.jsonl")).unwrap();
    std::fs::create_dir(home.path("deep")).unwrap();
    symlink("../link.jsonl", home.path("deep/link.jsonl")).unwrap();
    symlink("deep/new.jsonl", home.path("dangling.jsonl")).unwrap();
    for (name, target, mode) in [
        ("link.jsonl", "real.jsonl", 0o640),
        ("deep/link.jsonl", "real.jsonl", 0o640),
        ("dangling.jsonl", "deep/new.jsonl", 0o600),
        ("fresh.jsonl", "fresh.jsonl", 0o600),
    ] {
        std::fs::write(home.path("real.jsonl"), "old").unwrap();
        home.run(&["export", name]).ok();
        assert_eq!(read(target), expected, "{name}");
        assert_eq!(kind(target).permissions().mode() & 0o777, mode, "{name}");
        assert!(name == target || kind(name).is_symlink(), "{name}");
    }

    assert!(std::process::Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    let pipe = home.path("pipe");
    let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
    home.run(&["export", "pipe"]).ok();
    assert_eq!(reader.join().unwrap(), expected);
    assert!(kind("pipe").file_type().is_fifo());
    // A reader that goes away.
    let pipe = home.path("pipe");
    let reader = std::thread::spawn(move || drop(std::fs::File::open(pipe).unwrap()));
    assert_eq!(home.run(&["export", "pipe"]).status, 0);
    reader.join().unwrap();

    // A device of our own; only root may make one.
    let null =
        std::process::Command::new("mknod").args(["-m", "666"]).arg(home.path("null")).args(["c", "1", "3"]).output();
    if null.is_ok_and(|made| made.status.success()) {
        let before = kind("null").ino();
        home.run(&["export", "null"]).ok();
        assert!(kind("null").file_type().is_char_device() && kind("null").ino() == before);
    }

    // An open file, by whatever name, is written into: whoever holds it reads on.
    let held = home.write("held.jsonl", "before\n");
    let open = std::fs::File::options().append(true).open(&held).unwrap();
    Ran::of(home.command(&["export", "/proc/self/fd/1"]).stdout(open).output().unwrap()).ok();
    assert_eq!(read("held.jsonl"), format!("before\n{expected}"));

    symlink("round", home.path("round")).unwrap();
    for name in ["deep", "round", "nowhere/x.jsonl"] {
        home.run(&["export", name]).error();
    }
    let left: Vec<String> = ["", "deep"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(home.path(folder)).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_export_never_takes_the_place_of_the_index() {
    let home = Home::new();
    home.sync_from(&home.write("m/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")).ok();
    let store = home.store();
    std::os::unix::fs::symlink(&store, home.path("link.db")).unwrap();
    let lock = format!("{}.lock", store.display());
    for file in [store.to_str().unwrap(), home.path("link.db").to_str().unwrap(), &lock] {
        home.run(&["export", file]).error();
    }
    assert!(home.run(&["search", "configmap a", "-o", "id"]).ok().out.contains("ConfigMap/a"));
}
