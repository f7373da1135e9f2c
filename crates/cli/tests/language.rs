//! `sync --inference llm` as a user meets it, against a stand-in for both APIs.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::language::FakeModels;
use clusterlore_testkit::service::HANG_UP;
use common::{Home, Ran};
use serde_json::{Value, json};

const SECRET: &str = "sk-never-shown";
const KINDS: [&str; 5] = ["Current", "Harbour", "Pier", "Tide", "Wave"];

/// Five types of no known software.
fn home() -> (Home, String) {
    let home = Home::new();
    let definition = |kind: &&str| {
        let plural = format!("{}s", kind.to_lowercase());
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.sea.example}}\nspec:\n  \
             group: sea.example\n  scope: Namespaced\n  names: {{kind: {kind}, plural: {plural}, singular: {kind}}}\n  versions:\n  \
             - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, description: A {kind}.}}}}}}\n---\n"
        )
    };
    let file = home.write("manifests/a.yaml", &KINDS.iter().map(definition).collect::<String>());
    let folder = file.parent().unwrap().to_str().unwrap().to_owned();
    (home, folder)
}

/// A run that may ask Anthropic's API at the stand-in.
fn run(home: &Home, server: &FakeModels, folder: &str, args: &[&str]) -> Ran {
    let all = [&["sync", "--from", folder, "--include", "*.sea.example", "--inference", "llm"], args].concat();
    let mut command = home.command(&all);
    command.env("ANTHROPIC_API_KEY", SECRET).env("ANTHROPIC_BASE_URL", server.base()).env("OPENAI_API_KEY", SECRET);
    let ran = Ran::of(command.output().unwrap());
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
    ran
}

/// What a run says of its model and how it ended, without logs and without its progress.
fn told(home: &Home, ran: &Ran) -> String {
    let said =
        |line: &&str| ["Model ", "Skipped ", "Sync complete", "Dry run", "error: "].iter().any(|s| line.starts_with(s));
    let lines: Vec<&str> = ran.err.lines().filter(said).collect();
    home.stable(&lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_is_asked_where_there_is_a_key_for_it() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    let dry = run(&home, &server, &folder, &["--dry-run"]).ok();
    assert!(server.asked().is_empty());
    insta::assert_snapshot!("dry-run", told(&home, &dry));

    let first = run(&home, &server, &folder, &[]).ok();
    insta::assert_snapshot!("first-run", told(&home, &first));
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    for one in &asked {
        assert_eq!((one.path.as_str(), &one.body["model"]), ("/v1/messages", &json!("claude-haiku-5-5")));
        assert_eq!(
            (&one.headers["x-api-key"], &one.headers["anthropic-version"]),
            (&SECRET.parse().unwrap(), &"2023-06-01".parse().unwrap())
        );
        assert_eq!(one.body["output_config"]["format"]["type"], "json_schema");
    }
    let found = home.run(&["search", "--collection", "capabilities", "harbour keeping", "-o", "id"]).ok().out;
    assert_eq!(found.lines().next(), Some("harbours.sea.example"));

    let again = run(&home, &server, &folder, &["-o", "json"]).ok();
    let summary: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(summary["model"], json!({"calls": 0, "inputTokens": 0, "outputTokens": 0, "cost": 0.0}));
    assert_eq!((&summary["stored"], &summary["unchanged"]), (&json!(0), &json!(5)));
    assert!(server.asked().is_empty());

    // Answers of two models are kept apart.
    let other = run(&home, &server, &folder, &["--model", "anthropic:claude-sonnet-5-5"]).ok();
    insta::assert_snapshot!("another-model", told(&home, &other));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_ones_own_needs_no_key_and_no_schema() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    server.script(|_, body| {
        let formed = body["response_format"].is_object();
        formed.then(|| (400, None, r#"{"error":{"message":"response_format is not supported"}}"#.to_owned()))
    });
    let name = format!("openai:qwen3:8b@{}", server.url());
    let args = ["index", "--from", &folder, "--include", "*.sea.example", "--inference", "llm", "-o", "json"];
    let ran = Ran::of(home.command(&args).env("CLUSTERLORE_MODEL", &name).output().unwrap()).ok();
    let summaries: Value = serde_json::from_str(&ran.out).unwrap();
    let used = json!({"calls": 5, "inputTokens": 4000, "outputTokens": 500, "cost": null});
    assert_eq!((&summaries["capabilities"]["model"], &summaries["instances"]["model"]), (&used, &Value::Null));
    let asked = server.asked();
    assert!(asked.iter().all(|one| one.path == "/v1/chat/completions" && !one.headers.contains_key("authorization")));
    assert!(asked.last().unwrap().body["messages"][0]["content"].as_str().unwrap().contains("The JSON schema"));

    let priced = run(&home, &server, &folder, &["--model", &format!("openai:m@{}", server.url()), "--price", "10,100"]);
    insta::assert_snapshot!("priced", told(&home, &priced.ok()));
    assert_eq!(server.asked()[0].headers["authorization"], format!("Bearer {SECRET}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_end_a_run_in_part_and_the_next_goes_on() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    let first = run(&home, &server, &folder, &["--max-calls", "2"]);
    assert_eq!((first.status, server.kinds()), (3, vec!["Current".to_owned(), "Harbour".to_owned()]), "{}", first.err);
    insta::assert_snapshot!("limit", told(&home, &first));
    let second = run(&home, &server, &folder, &["--max-cost", "0.0051", "-o", "json"]);
    let summary: Value = serde_json::from_str(&second.out).unwrap();
    assert!(summary["model"]["cost"].as_f64().unwrap() <= 0.0051, "{summary}");
    let asked = server.kinds().len();
    let third = run(&home, &server, &folder, &[]).ok();
    assert_eq!(asked + server.kinds().len(), 3, "{}", third.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_goes_away_in_the_middle_is_paid_once() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    // From the third request on nobody answers.
    server.script(|n, _| (n >= 2).then(|| (HANG_UP, None, String::new())));
    let ran = run(&home, &server, &folder, &["-vv"]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    // Which three were asked last is chance, as is how the connection ended.
    let skipped = ran.err.lines().find(|line| line.starts_with("Skipped 3 ")).unwrap();
    let (_, why) = skipped.split_once(" (").unwrap();
    insta::assert_snapshot!("gone-in-the-middle", home.stable(why.split(" (").next().unwrap()));
    server.script(|_, _| None);
    let next = run(&home, &server, &folder, &[]).ok();
    assert_eq!(server.asked().len(), 3, "{}", next.err);

    // Overloaded for once, and told when to come again.
    server.script(|n, _| {
        (n == 0).then(|| (529, Some("0".to_owned()), r#"{"error":{"message":"Overloaded"}}"#.to_owned()))
    });
    run(&home, &server, &folder, &["--model", "anthropic:claude-haiku-4-5"]).ok();
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_never_answers_fails_the_run() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    for (status, body) in [
        (401, format!("invalid x-api-key {SECRET}")),
        (404, format!(r#"{{"error":{{"message":"model: none, {SECRET}"}}}}"#)),
        (200, "<html>".to_owned()),
    ] {
        server.script(move |_, _| Some((status, None, body.clone())));
        run(&home, &server, &folder, &["-vv"]).error();
        assert!(server.asked().len() <= 6);
    }
    let nothing = home.run(&["search", "--collection", "capabilities", "harbour"]);
    assert!(!nothing.out.contains("sea.example"), "{nothing:?}");
    // What is not an answer is paid for, but ends in words, one type at a time.
    let declined = json!({"content": [], "stop_reason": "refusal", "usage": {"input_tokens": 9, "output_tokens": 1}});
    server.script(move |_, _| Some((200, None, declined.to_string())));
    let ran = run(&home, &server, &folder, &[]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    insta::assert_snapshot!("declined", told(&home, &ran));
}
