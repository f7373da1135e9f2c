//! Traces, as a receiver of OTLP gets them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::{Duration, Instant};

use clusterlore_testkit::chat::{FakeChat, Says};
use clusterlore_testkit::otlp::{Received, Receiver};
use common::serving::Serving;
use common::{EXAMPLES, Home, Ran};
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const QUESTION: &str = "is there a cache?";

fn company() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

fn ask(home: &Home, model: Option<&FakeChat>, set: &[(&str, &str)]) -> Ran {
    let args: &[&str] = if model.is_some() { &["--model", "anthropic:claude-haiku-5-5"] } else { &[] };
    let mut command = home.command(&[&["ask", QUESTION], args].concat());
    if let Some(server) = model {
        command.env("ANTHROPIC_API_KEY", "sk-never-sent").env("ANTHROPIC_BASE_URL", server.base());
    }
    Ran::of(command.envs(set.iter().copied()).output().unwrap()).ok()
}

fn one<'r>(spans: &'r [Received], name: &str) -> &'r Received {
    let all: Vec<&Received> = spans.iter().filter(|span| span.name == name).collect();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert!(!all.is_empty(), "no {name} among {names:?}");
    all[0]
}

fn talk() -> [Says; 2] {
    [
        Says::text("I look.")
            .and_call("vector_search", json!({"query": "cache", "collection": "instances"}))
            .and_call("no_such_tool", json!({})),
        Says::text("Yes [datastores/apps/v1/StatefulSet/icebox]."),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talk_is_a_trace() {
    let home = company();
    let server = FakeChat::start(talk()).await;
    let receiver = Receiver::start(200).await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let endpoint = receiver.base();
    let set = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=acme"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ("TRACEPARENT", &parent),
    ];
    let ran = ask(&home, Some(&server), &set);
    assert!(!ran.err.contains("Warning"), "{}", ran.err);
    let spans = receiver.received();
    assert!(spans.iter().all(|span| span.trace == TRACE), "one trace, the caller's");
    let (root, agent) = (one(&spans, "clusterlore ask"), one(&spans, "invoke_agent clusterlore"));
    assert_eq!((root.parent.as_str(), agent.parent.as_str()), (CALLER, root.id.as_str()));
    assert_eq!(root.resource["service.name"], json!("clusterlore"));
    assert_eq!(root.resource["deployment.environment.name"], json!("test"));
    assert_eq!(root.headers["x-tenant"], "acme");
    assert_eq!(agent.attributes["gen_ai.operation.name"], json!("invoke_agent"));
    assert_eq!(agent.attributes["gen_ai.usage.input_tokens"], json!(2_000));

    let chats: Vec<&Received> = spans.iter().filter(|span| span.name == "chat claude-haiku-5-5").collect();
    assert_eq!(chats.len(), 2);
    for (chat, reason) in chats.iter().zip(["tool_calls", "stop"]) {
        assert_eq!((chat.parent.as_str(), chat.kind, chat.failed), (agent.id.as_str(), 3, false));
        for (key, value) in [
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.provider.name", json!("anthropic")),
            ("gen_ai.request.model", json!("claude-haiku-5-5")),
            ("gen_ai.usage.input_tokens", json!(1_000)),
            ("gen_ai.usage.output_tokens", json!(50)),
            ("gen_ai.response.finish_reasons", json!([reason])),
        ] {
            assert_eq!(chat.attributes[key], value, "{key}");
        }
        // The exchange with the provider is its child.
        let post = spans.iter().find(|span| span.parent == chat.id).unwrap();
        assert_eq!((post.name.as_str(), &post.attributes["http.response.status_code"]), ("POST", &json!(200)));
        assert_eq!(post.attributes["server.address"], json!("127.0.0.1"));
    }
    let tool = one(&spans, "execute_tool vector_search");
    assert_eq!((tool.parent.as_str(), tool.failed), (agent.id.as_str(), false));
    assert_eq!(tool.attributes["gen_ai.tool.name"], json!("vector_search"));
    assert!(tool.attributes["gen_ai.tool.call.id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(one(&spans, "index.ask").trace, TRACE);
    assert!(spans.iter().any(|span| span.name == "index.ask" && span.parent == tool.id));
    let failed = one(&spans, "execute_tool no_such_tool");
    assert_eq!((failed.failed, &failed.attributes["error.type"]), (true, &json!("tool_failed")));

    // Nothing of what was said, and no key, without being asked for.
    let all = |spans: &[Received]| format!("{:?}", spans.iter().map(|span| &span.attributes).collect::<Vec<_>>());
    for said in [QUESTION, "icebox", "I look.", "sk-never-sent"] {
        assert!(!all(&spans).contains(said), "{said}");
    }
    for name in ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "OTEL_CAPTURE_AI_PAYLOADS"] {
        server.says(talk());
        let ran = ask(
            &home,
            Some(&server),
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), (name, "true"), ("RUST_LOG", "trace")],
        );
        let spans = receiver.received();
        let last = spans.iter().rfind(|span| span.name.starts_with("chat ")).unwrap();
        let read = |key: &str| serde_json::from_str::<Value>(last.attributes[key].as_str().unwrap()).unwrap();
        assert_eq!(
            read("gen_ai.input.messages")[0],
            json!({"role": "user", "parts": [{"type": "text", "content": QUESTION}]})
        );
        assert_eq!(read("gen_ai.input.messages")[2]["role"], json!("tool"));
        assert!(read("gen_ai.output.messages")[0]["parts"][0]["content"].as_str().unwrap().starts_with("Yes ["));
        let tool = one(&spans, "execute_tool vector_search");
        assert!(tool.attributes["gen_ai.tool.call.result"].as_str().unwrap().contains("icebox"));
        assert!(!all(&spans).contains("sk-never-sent"));
        // A log holds none of it, however much is logged.
        assert!(!ran.err.contains("gen_ai"), "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_the_index_is_a_trace_too_and_none_where_nobody_asks_for_one() {
    let home = company();
    let receiver = Receiver::start(200).await;
    let endpoint = receiver.base();
    let plain = ask(&home, None, &[]);
    assert_eq!(
        ask(&home, None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_TRACES_EXPORTER", "none")]).out,
        plain.out
    );
    assert!(receiver.received().is_empty());
    // A caller that is not well-formed is none.
    let set = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("TRACEPARENT", "nonsense"),
        ("OTEL_SERVICE_NAME", "lore"),
    ];
    let traced = ask(&home, None, &set);
    assert_eq!((traced.out, traced.err), (plain.out, plain.err));
    let spans = receiver.received();
    let root = one(&spans, "clusterlore ask");
    assert_eq!((root.parent.as_str(), &root.resource["service.name"]), ("", &json!("lore")));
    assert_eq!(one(&spans, "index.ask").parent, root.id);
    let mut sync = home.command(&["sync-instances", "--from", EXAMPLES]);
    assert!(sync.env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint).output().unwrap().status.success());
    let spans = receiver.received();
    assert_eq!(one(&spans, "pipeline.instances").parent, one(&spans, "clusterlore sync-instances").id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_costs_two_seconds_and_a_warning() {
    let home = company();
    let plain = ask(&home, None, &[]);
    let refuses = Receiver::start(503).await.base();
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let gone = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", free.local_addr().unwrap())
    };
    for (endpoint, told) in [(refuses.as_str(), "503"), (&silent, ""), (&gone, "cannot be reached"), ("no address", "")]
    {
        let began = Instant::now();
        let ran = ask(&home, None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]);
        let took = began.elapsed();
        assert_eq!(ran.out, plain.out, "{endpoint}");
        let last = ran.err.lines().last().unwrap_or_default();
        assert!(last.starts_with("Warning: traces ") && last.contains(told), "{endpoint}: {}", ran.err);
        // Of a debug build that shares its processor; the bound itself is 2 s.
        assert!(took < Duration::from_secs(10), "{endpoint}: {took:?}");
    }
    for (name, value) in [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")] {
        let ran = ask(&home, None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &gone), (name, value)]);
        assert!(ran.err.contains(&format!("traces are not sent: {name}")) && ran.out == plain.out, "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_part_of_its_callers_trace() {
    let home = company();
    let receiver = Receiver::start(200).await;
    let endpoint = receiver.base();
    let set = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let mut serving = Serving::start_with(&home, "127.0.0.1:0", &["--no-watch", "--live", "never"], &set);
    let search = "/api/v1/search?q=is+there+a+cache";
    let of = |parent: &str| format!("traceparent: {parent}\r\n");
    let caller = format!("00-{TRACE}-{CALLER}-01");
    let status = |answer: String| answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap();
    assert_eq!(status(serving.exchange("GET", search, &of(&caller), "")), 200);
    assert_eq!(status(serving.exchange("POST", "/api/v1/search", &of(&caller), r#"{"q": ""}"#)), 400);
    assert_eq!(status(serving.exchange("BREW", "/no/such/place", &of(&caller), "")), 404);
    let long = format!("/{}", "a".repeat(5_000));
    assert_eq!(status(serving.exchange("GET", &long, &of(&caller), "")), 404);
    let id = "datastores/apps/v1/StatefulSet/icebox";
    assert_eq!(status(serving.exchange("GET", &format!("/api/v1/instances/{id}"), &of(&caller), "")), 200);
    // None of these is a caller.
    let nobodies = [
        "nonsense".to_owned(),
        format!("ff-{TRACE}-{CALLER}-01"),
        format!("00-{}-{CALLER}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{CALLER}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{CALLER}"),
    ];
    for nobody in &nobodies {
        assert_eq!(status(serving.exchange("GET", "/healthz", &of(nobody), "")), 200, "{nobody}");
    }
    let two = of(&caller) + &of(&format!("00-{}-{CALLER}-01", "a".repeat(32)));
    assert_eq!(status(serving.exchange("GET", "/healthz", &two, "")), 200);
    // A caller who keeps no trace of it wants none here.
    assert_eq!(status(serving.exchange("GET", "/metrics", &of(&format!("00-{TRACE}-{CALLER}-00")), "")), 200);
    assert_eq!(serving.end("-TERM"), Some(0));

    let spans = receiver.received();
    let server: Vec<&Received> = spans.iter().filter(|span| span.kind == 2).collect();
    let names: Vec<&str> = server.iter().map(|span| span.name.as_str()).collect();
    let mut expected = vec!["GET /api/v1/search", "POST /api/v1/search", "HTTP", "GET", "GET /api/v1/instances/{*id}"];
    expected.extend(vec!["GET /healthz"; nobodies.len() + 1]);
    assert_eq!(names, expected);
    for span in &server[..5] {
        assert_eq!((span.trace.as_str(), span.parent.as_str(), span.failed), (TRACE, CALLER, false), "{}", span.name);
    }
    for span in &server[5..] {
        assert!(span.trace != TRACE && span.parent.is_empty(), "{span:?}");
    }
    let attributes = |n: usize| {
        json!(
            server[n]
                .attributes
                .iter()
                .filter(|(key, _)| !key.contains("idle_ns") && !key.contains("busy_ns"))
                .collect::<std::collections::BTreeMap<_, _>>()
        )
    };
    assert_eq!(
        attributes(0),
        json!({"http.request.method": "GET", "http.route": "/api/v1/search", "http.response.status_code": 200, "url.path": "/api/v1/search", "url.scheme": "http"})
    );
    assert_eq!(
        attributes(2),
        json!({"http.request.method": "_OTHER", "http.request.method_original": "BREW", "http.response.status_code": 404, "url.path": "/no/such/place", "url.scheme": "http"})
    );
    assert_eq!(server[3].attributes["url.path"].as_str().unwrap().chars().count(), 1_000);
    assert_eq!(server[4].attributes["url.path"], json!(format!("/api/v1/instances/{id}")));
    // What is done for it is below it, and what was asked is nowhere.
    assert!(spans.iter().any(|span| span.name == "index.ask" && span.parent == server[0].id && span.trace == TRACE));
    assert!(!format!("{spans:?}").contains("cache"), "{spans:?}");
}
