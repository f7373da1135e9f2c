//! Language models behind HTTP. `fixtures/` holds exchanges written by hand from the documentation that each names: what has to be
//! asked, what is answered, and what that comes to.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use clusterlore_models::{Key, LanguageModel, ModelError, Pauses, Prompt, RemoteModel, Tokens, anthropic, openai_chat};
use clusterlore_testkit::language::{FakeModels, TOKENS, answer};
use clusterlore_testkit::service::{BREAK_OFF, FakeService, HANG_UP};
use serde_json::{Value, json};

const PAUSES: Pauses = Pauses { busy: Duration::from_millis(1), lost: Duration::from_millis(1) };
const SECRET: &str = "sk-never-shown";

fn prompt() -> Prompt {
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["use"],
        "properties": {"use": {"type": "string"}},
    });
    Prompt { system: "Answer in JSON.".into(), user: "What is it for?".into(), schema }
}

fn model(server: &FakeService, api: &str) -> RemoteModel {
    let key = Key::new(SECRET).unwrap();
    match api {
        "anthropic" => anthropic("claude-haiku-5-5", &format!("{}/", server.base()), key, PAUSES).unwrap(),
        _ => openai_chat("gpt-6-luna", &server.url(), Some(key), PAUSES).unwrap(),
    }
}

#[tokio::test]
async fn recorded_exchanges_come_to_what_they_should() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20);
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let fixture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let exchanges = fixture["exchanges"].as_array().unwrap().clone();
        let responses: Vec<Value> = exchanges.iter().map(|e| e["response"].clone()).collect();
        let server = FakeService::start(|_| (500, json!("one request too many"))).await;
        server.script(move |number, _| {
            let response = responses.get(number)?;
            let after = response["headers"]["retry-after"].as_str().map(str::to_owned);
            Some((response["status"].as_u64()? as u16, after, response["body"].to_string()))
        });
        let model = model(&server, name.split('-').next().unwrap());
        let outcome = model.complete(&prompt()).await;

        let asked = server.asked();
        assert_eq!(asked.len(), exchanges.len(), "{name}: {outcome:?}");
        for (asked, expected) in asked.iter().zip(&exchanges) {
            let expected = &expected["request"];
            assert_eq!(
                (asked.path.as_str(), &asked.body),
                (expected["path"].as_str().unwrap(), &expected["body"]),
                "{name}"
            );
            for (header, value) in expected["headers"].as_object().unwrap() {
                assert_eq!(asked.headers[header], value.as_str().unwrap(), "{name}");
            }
        }
        assert!(!format!("{outcome:?} {model:?}").contains(SECRET), "{name}: {outcome:?} {model:?}");
        let expected = &fixture["outcome"];
        match outcome {
            Err(error) => {
                // What it carries beside its message: which variable holds the key.
                let all = format!("{error} {error:?}");
                let error = error.to_string();
                let parts = expected["error"].as_array().unwrap_or_else(|| panic!("{name}: {error}"));
                parts.iter().for_each(|part| assert!(all.contains(part.as_str().unwrap()), "{name}: {all}"));
                assert!(!error.contains(SECRET) && error.lines().count() == 1, "{name}: {error}");
            }
            Ok(done) => {
                let tokens = done.tokens.map_or(json!(null), |Tokens { input, output }| json!([input, output]));
                assert_eq!(tokens, expected["tokens"], "{name}");
                let (key, said) = match done.answer {
                    Ok(text) => ("answer", text),
                    Err(no) => ("noAnswer", no.to_string()),
                };
                assert_eq!(expected[key], said, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_way_that_a_server_takes_is_remembered() {
    let server = FakeModels::start().await;
    let model = model(&server, "openai");
    server.script(|_, body| {
        let refused = body["response_format"]["type"] == "json_schema";
        refused.then(|| (400, None, r#"{"error":"json_schema is not supported"}"#.to_owned()))
    });
    for _ in 0..3 {
        model.complete(&prompt()).await.unwrap();
    }
    let forms: Vec<Value> = server.asked().iter().map(|asked| asked.body["response_format"]["type"].clone()).collect();
    assert_eq!(forms, ["json_schema", "json_object", "json_object", "json_object"]);

    // A refusal that no way mends is no reason to ask less strictly the next time.
    server.script(|n, _| (n < 3).then(|| (400, None, r#"{"error":{"message":"out of credit"}}"#.to_owned())));
    let model = anthropic("m", &server.base(), Key::new(SECRET).unwrap(), PAUSES).unwrap();
    let error = model.complete(&prompt()).await.unwrap_err().to_string();
    assert!(error.contains("out of credit"), "{error}");
    model.complete(&prompt()).await.unwrap();
    assert_eq!(server.asked()[3].body["thinking"], json!({"type": "disabled"}));
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again() {
    for api in ["anthropic", "openai"] {
        for fault in [HANG_UP, BREAK_OFF] {
            let server = FakeModels::start().await;
            server.script(move |n, _| (n < 2).then(|| (fault, None, String::new())));
            let done = model(&server, api).complete(&prompt()).await.unwrap();
            assert_eq!(done.answer.unwrap(), answer(""), "{api}");
            assert_eq!(done.tokens, Some(Tokens { input: TOKENS.0, output: TOKENS.1 }));
            server.script(move |_, _| Some((fault, None, String::new())));
            let error = model(&server, api).complete(&prompt()).await.unwrap_err().to_string();
            assert!(error.contains("gave no answer in 5 tries") && error.contains("127.0.0.1"), "{error}");
        }
    }
}

#[test]
fn names_addresses_and_prices() {
    let key = || Key::new(SECRET).unwrap();
    let model = anthropic("claude-haiku-4-5", "https://api.anthropic.com", key(), PAUSES).unwrap();
    assert_eq!((model.name(), model.sends_to()), ("anthropic:claude-haiku-4-5", Some("api.anthropic.com")));
    assert!(model.price().is_some());
    let model = openai_chat("gpt-6-luna", "https://api.openai.com/v1/", Some(key()), PAUSES).unwrap();
    assert_eq!(model.name(), "openai:gpt-6-luna@https://api.openai.com/v1");
    assert!(model.price().is_some());
    let model = openai_chat("gpt-6-luna", "http://127.0.0.1:11434/v1", None, PAUSES).unwrap();
    assert_eq!(model.price(), None, "what others charge is not known");
    for wrong in ["ftp://host/v1", "http://me:s3cret@host/v1", "http://host/v1?key=1", ""] {
        let error = openai_chat("m", wrong, None, PAUSES).unwrap_err();
        assert!(matches!(&error, ModelError::Remote { .. }), "{error}");
        assert!(
            error.to_string().contains("is not an address; expected") && !error.to_string().contains("s3cret"),
            "{error}"
        );
    }
}
