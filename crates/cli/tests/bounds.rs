//! Questions without an end, and documents that are all alike, as a user meets them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::{Home, Ran};
use serde_json::json;

fn described(kind: &str, api_version: &str, name: &str, said: &str) -> String {
    let metadata = json!({"name": name, "namespace": "load", "annotations": {"description": said}});
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata}).to_string()
}

fn batch(home: &Home, input: &[u8]) -> Ran {
    let mut command = home.command(&["search", "--batch", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may well end before it has read all of that.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = Ran::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    ran
}

#[test]
fn a_question_of_a_hundred_kilobytes_is_refused_in_one_line() {
    let home = Home::new();
    home.write("m/one.yaml", &described("ConfigMap", "v1", "redis", "a cache"));
    home.sync_from(&home.path("m")).ok();
    let question = "redis ".repeat(20_000);
    let line = |text: &str| format!("{}\n", json!({"id": 1, "q": text}));
    let ran = batch(&home, format!("{}{}", line("redis"), line(&question)).as_bytes());
    assert!(ran.error().len() < 500, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 1, "what was answered before stands: {}", ran.out);
    let ran = batch(&home, &vec![b'x'; 3 << 20]);
    assert!(ran.error().len() < 500, "{}", ran.err);
    // Ten thousand questions are no long question.
    let ran = batch(&home, line("redis").repeat(200).as_bytes()).ok();
    assert_eq!(ran.out.lines().count(), 200);
}

#[test]
fn four_hundred_settings_of_one_database_fit() {
    let home = Home::new();
    let all: Vec<String> = (1..=400)
        .map(|n| {
            described("ConfigMap", "v1", &format!("cm-{n}"), &format!("settings number {n} of the orders database"))
        })
        .collect();
    home.write("m/z.yaml", &all.join("\n---\n"));
    home.sync_from(&home.path("m")).ok();
    let found = home.run(&["search", "orders database", "-o", "id"]).ok();
    assert_eq!(found.out.lines().count(), 10, "{}", found.out);
    assert_eq!(home.run(&["count", "orders database", "-o", "name"]).ok().out, "400\n");
}

#[test]
fn the_one_document_that_holds_a_word_is_found_beside_a_company() {
    let home = Home::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let copied = std::process::Command::new("cp").arg("-r").arg(examples).arg(home.path("m")).status().unwrap();
    assert!(copied.success());
    let said = "settings of the falconry ledger, beside the aquarium of zanzibar and its penguins";
    home.write("m/one.yaml", &described("CronJob", "batch/v1", "cm-1", said));
    home.sync_from(&home.path("m")).ok();
    for question in ["falconry", "penguins of zanzibar"] {
        let found = home.run(&["search", question, "-o", "id"]).ok();
        assert_eq!(found.out.lines().next(), Some("load/batch/v1/CronJob/cm-1"), "{question}: {}", found.out);
    }
}
