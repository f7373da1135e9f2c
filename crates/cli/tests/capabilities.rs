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
    home.run(&["sync", "--from", &folder]).ok();
    let found = home.run(&["search", "--collection", "capabilities", "high water", "-o", "id"]).ok().out;
    assert_eq!(found.lines().next(), Some("tides.sea.example"));
    let again = home.run(&["sync", "--from", &folder, "-o", "json"]).ok();
    let summary: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(
        (&summary["stored"], &summary["deleted"], &summary["skipped"]),
        (&0.into(), &0.into(), &Value::Array(vec![]))
    );
}

#[test]
fn a_dry_run_of_one_type_writes_nothing() {
    let (home, folder) = home();
    let dry = home.run(&["sync", "--from", &folder, "--dry-run", "--only", "tides.sea.example"]).ok();
    assert!(dry.out.lines().count() == 1 && dry.out.ends_with(" tides.sea.example\n"), "{}", dry.out);
    assert!(!home.store().exists());
}

#[test]
fn index_runs_both_and_a_second_time_changes_nothing() {
    let (home, folder) = home();
    home.run(&["index", "--from", &folder]).ok();
    let again = home.run(&["index", "--from", &folder, "-o", "json"]).ok();
    let summaries: Value = serde_json::from_str(&again.out).unwrap();
    for part in ["capabilities", "instances"] {
        assert_eq!((&summaries[part]["stored"], &summaries[part]["deleted"]), (&0.into(), &0.into()), "{part}");
    }
}
