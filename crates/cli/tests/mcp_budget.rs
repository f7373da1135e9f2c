//! How much of a model's context the answers of each tool take where nobody asks for more, over the shared corpus on a real API server.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use clusterlore_testkit::real::mcp_sdks_or_skip;
use common::Home;
use common::assistants::{USUAL, corpus, ready, served, text, tokens_of, with_calls};
use serde_json::{Value, json};

/// Tokens of an answer at most, text and object together.
const MOST: usize = 4_000;

/// The questions of both sets.
fn questions() -> Vec<String> {
    let sets = ["corpus/queries.jsonl", "corpus/queries2.jsonl"].map(|set| clusterlore_testkit::shared(set).unwrap());
    let lines = sets
        .iter()
        .flat_map(|set| std::fs::read_to_string(set).unwrap().lines().map(str::to_owned).collect::<Vec<_>>());
    let asked = |line: String| serde_json::from_str::<Value>(&line).unwrap()["q"].as_str().unwrap().to_owned();
    lines.filter(|line| !line.trim().is_empty()).map(asked).collect()
}

/// Every object that is indexed, by its id.
fn objects(home: &Home) -> Vec<String> {
    let exported = home.run(&["export", "-", "--no-vectors"]).ok().out;
    let documents =
        exported.lines().filter_map(|line| serde_json::from_str::<Value>(line).unwrap().get("document").cloned());
    let ids = documents.filter_map(|document| Some(document["id"].as_str()?.to_owned()));
    ids.filter(|id| id.matches('/').count() >= 3).collect()
}

#[test]
fn every_answer_over_the_corpus_is_short_and_says_its_total() {
    let (Some(sdks), Some(cluster)) = (mcp_sdks_or_skip(), corpus()) else { return };
    let home = Home::new();
    let serving = ready(&home, &cluster, &[]);
    // What is created in the second in which the journal begins, or in the one after it, is no news.
    std::thread::sleep(Duration::from_secs(2));
    let long = "n".repeat(200);
    let new = |n: usize| {
        format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: new-{n}-{long}, namespace: shop}}}}\n")
    };
    cluster.apply(&(0..60).map(new).collect::<String>());
    serving.until(Duration::from_secs(60), || {
        let changes: Value = serde_json::from_str(&serving.get("/api/v1/changes?limit=1000").1).unwrap();
        changes["changes"].as_array().unwrap().len() >= 60
    });

    let (questions, objects) = (questions(), objects(&home));
    let kinds: std::collections::BTreeSet<&str> =
        objects.iter().filter_map(|id| id.rsplit_once('/')?.0.rsplit_once('/').map(|(_, kind)| kind)).collect();
    println!("{} questions, {} objects of {} kinds", questions.len(), objects.len(), kinds.len());
    assert!(
        questions.len() == 242 && objects.len() > 600 && kinds.len() >= 60,
        "{} {}",
        questions.len(),
        objects.len()
    );
    let mut calls = vec![
        ("cluster_overview", json!({})),
        ("recent_changes", json!({})),
        ("recent_changes", json!({"question": "what was created in shop"})),
        ("find_resources", json!({"name": "*"})),
        ("find_resources", json!({"name": "new-*"})),
        ("find_resources", json!({"output": "summary"})),
        ("find_resources", json!({"output": "count", "groupBy": "label:app"})),
        ("find_resources", json!({"output": "count", "groupBy": "owner"})),
    ];
    calls.extend(kinds.iter().map(|kind| ("find_resources", json!({"kind": kind}))));
    calls.extend(questions.iter().flat_map(|question| {
        [("find_resources", json!({"question": question})), ("find_resource_types", json!({"task": question}))]
    }));
    calls.extend(objects.iter().map(|id| ("get_resource", json!({"id": id}))));

    let told = USUAL.asks(&sdks, &with_calls(served(&serving, ""), &calls));
    let results = told["results"].as_array().unwrap();
    assert_eq!(results.len(), calls.len());
    let (mut wrong, mut most) = (Vec::new(), BTreeMap::<&str, (usize, &Value)>::new());
    for ((tool, arguments), result) in calls.iter().zip(results) {
        let tokens = tokens_of(result);
        if most.get(tool).is_none_or(|(before, _)| *before < tokens) {
            most.insert(tool, (tokens, arguments));
        }
        let object = &result["structured"];
        let (says, narrow) = (text(result), object["narrow"].as_str().unwrap_or_default());
        // Its number is in the text, too; what cannot be counted is said to be so.
        let total = match object["total"].as_u64() {
            Some(total) => says.split('\n').next().unwrap().contains(&total.to_string()),
            None => says.contains("number is not known"),
        };
        let is_right = result["error"] == false
            && tokens < MOST
            && total
            && object["shown"].is_u64() | (*tool == "cluster_overview");
        if !is_right || narrow.is_empty() || !says.contains(narrow) {
            wrong.push(format!("{tool} {arguments}: {tokens} tokens\n{says}\n"));
        }
    }
    for (tool, (tokens, arguments)) in &most {
        println!("{tool}: {tokens} tokens at most: {arguments}");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), calls.len(), wrong[..wrong.len().min(8)].join("\n"));
}
