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

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_is_asked_where_there_is_a_key_for_it() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    let dry = run(&home, &server, &folder, &["--dry-run"]).ok();
    assert!(server.asked().is_empty() && !dry.err.contains("go to"), "{}", dry.err);

    let first = run(&home, &server, &folder, &[]).ok();
    let host = server.base().replace("http://", "");
    let lines: Vec<&str> = first.err.lines().collect();
    assert_eq!(lines[0], format!("Model anthropic:claude-haiku-5-5: type names and schemas go to {host}."));
    let used = "Model anthropic:claude-haiku-5-5: 5 calls, 4000 tokens in, 500 tokens out, about $0.0006.";
    let last = "Sync complete: 5 discovered, 5 stored, 0 deleted.";
    assert_eq!(lines[lines.len() - 2..], [used, last]);
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
    let found = home.run(&["search", "--collection", "capabilities", "harbour keeping", "-o", "name"]).ok().out;
    assert_eq!(found.lines().next(), Some("harbours.sea.example"));

    let again = run(&home, &server, &folder, &["-o", "json"]).ok();
    let summary: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(summary["model"], json!({"calls": 0, "inputTokens": 0, "outputTokens": 0, "cost": 0.0}));
    assert_eq!((&summary["stored"], &summary["unchanged"]), (&json!(0), &json!(5)));
    assert!(
        server.asked().is_empty() && again.err.contains("Model anthropic:claude-haiku-5-5: no calls.\n"),
        "{}",
        again.err
    );

    let other = run(&home, &server, &folder, &["--model", "anthropic:claude-sonnet-5-5"]).ok();
    assert!(other.err.contains("about $0.0130."), "answers of two models are kept apart: {}", other.err);
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
    assert!(ran.err.contains(&format!("Model {name}: 5 calls, 4000 tokens in, 500 tokens out.")), "{}", ran.err);
    let summaries: Value = serde_json::from_str(&ran.out).unwrap();
    let used = json!({"calls": 5, "inputTokens": 4000, "outputTokens": 500, "cost": null});
    assert_eq!((&summaries["capabilities"]["model"], &summaries["instances"]["model"]), (&used, &Value::Null));
    let asked = server.asked();
    assert!(asked.iter().all(|one| one.path == "/v1/chat/completions" && !one.headers.contains_key("authorization")));
    assert!(asked.last().unwrap().body["messages"][0]["content"].as_str().unwrap().contains("The JSON schema"));

    let priced = run(&home, &server, &folder, &["--model", &format!("openai:m@{}", server.url()), "--price", "10,100"]);
    assert!(priced.ok().err.contains("about $0.0900."));
    assert_eq!(server.asked()[0].headers["authorization"], format!("Bearer {SECRET}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_end_a_run_in_part_and_the_next_goes_on() {
    let (home, folder) = home();
    let server = FakeModels::start().await;
    let first = run(&home, &server, &folder, &["--max-calls", "2"]);
    assert_eq!((first.status, server.kinds()), (3, vec!["Current".to_owned(), "Harbour".to_owned()]), "{}", first.err);
    let skipped = "Skipped 3 resource types, their documents stay: piers.sea.example, tides.sea.example, waves.sea.example \
                   (not asked: the limit of 2 calls is reached; described by rules until then).\n";
    assert!(first.err.contains(skipped), "{}", first.err);
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
    assert!(
        ran.err.contains("Skipped 3 resource types") && ran.err.contains("gave no answer in 5 tries"),
        "{}",
        ran.err
    );
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
    for (status, body, said) in [
        (401, format!("invalid x-api-key {SECRET}"), "the key was refused by 127.0.0.1"),
        (404, format!(r#"{{"error":{{"message":"model: none, {SECRET}"}}}}"#), "status 404: model: none, …"),
        (200, "<html>".to_owned(), "gave a wrong answer: expected a message"),
    ] {
        server.script(move |_, _| Some((status, None, body.clone())));
        let ran = run(&home, &server, &folder, &["-vv"]);
        assert!(ran.error().contains(said) && ran.error().contains("anthropic:claude-haiku-5-5"), "{}", ran.err);
        assert!(server.asked().len() <= 6);
    }
    let nothing = home.run(&["search", "--collection", "capabilities", "harbour"]);
    assert!(!nothing.out.contains("sea.example"), "{nothing:?}");
    // What is not an answer is paid for, but ends in words, one type at a time.
    let declined = json!({"content": [], "stop_reason": "refusal", "usage": {"input_tokens": 9, "output_tokens": 1}});
    server.script(move |_, _| Some((200, None, declined.to_string())));
    let ran = run(&home, &server, &folder, &[]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    assert!(ran.err.contains("gave no answer: it declined to answer"), "{}", ran.err);
    assert!(ran.err.contains("Model anthropic:claude-haiku-5-5: 5 calls, 45 tokens in, 5 tokens out"), "{}", ran.err);
}

#[test]
fn wrong_use_is_said_before_anything_is_sent_or_written() {
    let (home, folder) = home();
    for command in ["sync", "index"] {
        let ran = home.run(&[command, "--from", &folder, "--inference", "llm"]);
        assert!(
            ran.error().contains("set ANTHROPIC_API_KEY to ask claude-haiku-5-5") && ran.error().contains("--model")
        );
        let ran = home.run(&[command, "--from", &folder, "--max-cost", "1"]);
        assert!(ran.status == 2 && ran.err.contains("--max-cost is about a language model"), "{}", ran.err);
    }
    let llm = |args: &[&str]| home.run(&[&["sync", "--from", &folder, "--inference", "llm"], args].concat());
    let ran = llm(&["--model", "anthropic:claude-opus-5-5"]);
    assert!(ran.error().contains("model anthropic:claude-opus-5-5 needs a key: set ANTHROPIC_API_KEY"), "{}", ran.err);
    let ran = llm(&["--model", "openai:llama@http://127.0.0.1:9/v1", "--max-cost", "1"]);
    let said = ran.err.contains("--max-cost needs a price") && ran.err.contains("--price IN,OUT");
    assert!(ran.status == 2 && said, "{}", ran.err);
    let ran = llm(&["--model", "openai:llama@http://me:s3cret@127.0.0.1:9/v1"]);
    let said = ran.err.contains("expected a URL without user, password and query") && !ran.err.contains("s3cret");
    assert!(ran.status == 2 && said, "{}", ran.err);
    for (flag, value, expected) in [
        ("--model", "cohere", "expected anthropic, anthropic:MODEL or openai:MODEL@URL"),
        ("--model", "anthropic:", "expected anthropic"),
        ("--model", "openai:llama", "openai:MODEL@URL"),
        ("--max-calls", "0", "1"),
        ("--max-cost", "0", "expected US dollars above zero"),
        ("--max-cost", "inf", "expected US dollars above zero"),
        ("--price", "0.10", "expected two prices"),
        ("--price", "-1,2", "expected two prices"),
    ] {
        let ran = llm(&[&format!("{flag}={value}")]);
        assert!(ran.status == 2 && ran.err.contains(expected), "{flag} {value}: {}", ran.err);
    }
    for (variable, value, said) in [
        ("CLUSTERLORE_MODEL", "cohere", "CLUSTERLORE_MODEL: expected anthropic"),
        ("ANTHROPIC_API_KEY", "two\nlines", "ANTHROPIC_API_KEY: expected one line"),
    ] {
        let mut command = home.command(&["sync", "--from", &folder, "--inference", "llm"]);
        let ran = Ran::of(command.env(variable, value).output().unwrap());
        assert!(ran.status == 2 && ran.err.contains(said), "{}", ran.err);
    }
    assert!(!home.store().exists());
}
