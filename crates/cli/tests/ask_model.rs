//! `ask --model` as a user meets it, against a stand-in for both APIs whose model says what a script says.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::chat::{FakeChat, Says, results};
use clusterlore_testkit::service::BREAK_AFTER;
use common::{EXAMPLES, Home, Ran};
use serde_json::{Value, json};

const SECRET: &str = "sk-never-shown";

/// The example company, read from manifests.
fn company() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

/// The two ways to name the stand-in.
fn models(server: &FakeChat) -> [String; 2] {
    ["anthropic:claude-haiku-5-5".to_owned(), format!("openai:qwen3@{}", server.url())]
}

fn ask(home: &Home, server: &FakeChat, model: &str, args: &[&str]) -> Ran {
    let mut command = home.command(&[&["ask", "--model", model], args].concat());
    command.env("ANTHROPIC_API_KEY", SECRET).env("ANTHROPIC_BASE_URL", server.base()).env("OPENAI_API_KEY", SECRET);
    let ran = Ran::of(command.output().unwrap());
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
    ran
}

fn search(query: &str, collection: &str) -> Says {
    Says::text("I search the index.").and_call("vector_search", json!({"query": query, "collection": collection}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_with_what_was_seen() {
    let home = company();
    let server = FakeChat::start([]).await;
    for (name, model) in ["anthropic", "openai"].iter().zip(models(&server)) {
        server.says([
            search("relational databases", "instances"),
            Says::text(
                "The ticket database runs in datastores [datastores/postgresql.cnpg.io/v1/Cluster/workorders].\n\nA second one is \
                 healthy. It is [datastores/apps/v1/StatefulSet/ghost]. Which one do you mean?",
            ),
        ]);
        let ran = ask(&home, &server, &model, &["what", "relational databases are there?"]).ok();
        insta::assert_snapshot!(format!("model-{name}"), home.stable(&format!("{}---\n{}", ran.out, ran.err)));
        let asked = server.asked();
        assert_eq!(asked.len(), 2);
        assert!(results(&asked[1])[0].contains("Found 4 results"), "{:?}", results(&asked[1]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_answer_steps_citations_and_cost() {
    let home = company();
    let server = FakeChat::start([]).await;
    server.says([
        search("message brokers", "instances")
            .and_call("count", json!({"collection": "instances", "kind": "Deployment"})),
        Says::text("There are many [count]."),
    ]);
    let [anthropic, _] = models(&server);
    let ran = ask(&home, &server, &anthropic, &["how many?", "-o", "json"]).ok();
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told["answer"], &told["ended"]), (&json!("There are many [count]."), &json!("whole")));
    assert_eq!(told["citations"], json!([{"id": "count", "seen": true}]));
    assert_eq!(told["unsourced"], json!([]));
    let tools: Vec<&Value> = told["steps"].as_array().unwrap().iter().map(|step| &step["tool"]).collect();
    assert_eq!(tools, ["vector_search", "count"]);
    assert_eq!(told["used"]["steps"], 2);
    assert_eq!((&told["used"]["inputTokens"], &told["used"]["outputTokens"]), (&json!(2_000), &json!(100)));
    assert!(told["used"]["cost"].as_f64().unwrap() > 0.0);
}

/// Where the last piece of a text begins.
fn last_piece(body: &str) -> usize {
    body.rfind("text_delta").or(body.rfind("\"content\":\"")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_leaves_what_was_said() {
    let home = company();
    let server = FakeChat::start([]).await;
    for model in models(&server) {
        let said = Says::text("The database is tickets-db and it is");
        server.script(move |n, body| {
            let whole = FakeChat::said(&said, n, body);
            Some((BREAK_AFTER, None, whole[..last_piece(&whole)].to_owned()))
        });
        let ran = ask(&home, &server, &model, &["what databases are there?"]);
        let error = ran.error();
        assert!(error.contains("did not answer to the end") && error.contains("later"), "{error}");
        assert!(ran.out.starts_with("The database is tickets-db"), "{}", ran.out);
        assert!(ran.err.contains("The answer is not whole"), "{}", ran.err);
    }
}
