//! `sync` and `index` as a user meets them.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use common::Home;
use serde_json::Value;

const MANIFESTS: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tides.sea.example}\nspec:\n  \
    group: sea.example\n  scope: Namespaced\n  names: {kind: Tide, plural: tides, singular: tide}\n  versions:\n  \
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, description: Foretells high water at a pier.}}}\n\
    ---\napiVersion: sea.example/v1\nkind: Tide\nmetadata: {name: north, namespace: harbour}\n";

fn home() -> (Home, String) {
    let home = Home::new();
    home.write("manifests/a.yaml", MANIFESTS);
    let folder = home.path("manifests").to_str().unwrap().to_owned();
    (home, folder)
}

#[test]
fn types_are_found_by_what_they_are_for() {
    let (home, folder) = home();
    let ran = home.run(&["sync", "--from", &folder]).ok();
    assert!(ran.err.contains("): tides.sea.example\n"), "{}", ran.err);
    let last = ran.err.lines().last().unwrap();
    assert!(last.starts_with("Sync complete: ") && last.ends_with(" 0 deleted."), "{last}");
    let found = home.run(&["search", "--collection", "capabilities", "high water", "-o", "name"]).ok().out;
    assert_eq!(found.lines().next(), Some("tides.sea.example"));
    let again = home.run(&["sync", "--from", &folder, "-o", "json"]).ok();
    let summary: Value = serde_json::from_str(&again.out).unwrap();
    let keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["deleted", "discovered", "seconds", "skipped", "stored", "unchanged"]);
    assert_eq!(
        (&summary["stored"], &summary["deleted"], &summary["skipped"]),
        (&0.into(), &0.into(), &Value::Array(vec![]))
    );
    assert!(summary["seconds"]["infer"].is_number());
}

#[test]
fn only_and_dry_run() {
    let (home, folder) = home();
    let dry = home.run(&["sync", "--from", &folder, "--dry-run", "--only", "tides.sea.example"]).ok();
    assert_eq!(dry.out, "would store tides.sea.example\n");
    assert!(dry.err.ends_with(
        "Dry run, nothing was written: 1 discovered, 1 would be stored, 0 would be deleted, 0 unchanged.\n"
    ));
    assert!(!home.store().exists());
    let unknown = home.run(&["sync", "--from", &folder, "--only", "waves.sea.example"]);
    assert!(unknown.error().contains("there is no resource type \"waves.sea.example\""), "{}", unknown.err);
    let both = home.run(&["sync", "--from", &folder, "--only", "pods", "--include", "pods"]);
    assert_eq!(both.status, 2, "{}", both.err);
}

#[test]
fn index_runs_both_and_a_second_time_changes_nothing() {
    let (home, folder) = home();
    let first = home.run(&["index", "--from", &folder]).ok();
    let complete: Vec<&str> = first.err.lines().filter(|l| l.starts_with("Storage complete: ")).collect();
    assert!(complete[0].ends_with("capabilities stored in \"capabilities\" collection."), "{complete:?}");
    assert!(complete[1].ends_with("instances stored in \"instances\" collection."), "{complete:?}");
    let again = home.run(&["index", "--from", &folder, "-o", "json"]).ok();
    let summaries: Value = serde_json::from_str(&again.out).unwrap();
    for part in ["capabilities", "instances"] {
        assert_eq!((&summaries[part]["stored"], &summaries[part]["deleted"]), (&0.into(), &0.into()), "{part}");
    }
    let status = home.run(&["status"]).ok().out;
    assert!(status.contains("Last run: sync ") && status.contains("Last run: sync-instances "), "{status}");
}
