//! Conversations behind HTTP, streamed, through both APIs.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use clusterlore_models::{
    Ask, Broken, ChatModel, Key, Message, Part, Pauses, RemoteChat, Stop, Tokens, Tool, ToolCall, ToolResult, Turn,
    anthropic_chat, openai_chat_stream,
};
use clusterlore_testkit::chat::{FakeChat, Says, TOKENS};
use clusterlore_testkit::service::{BREAK_AFTER, HANG_UP};
use serde_json::{Value, json};

const PAUSES: Pauses = Pauses { busy: Duration::from_millis(1), lost: Duration::from_millis(1) };
const SECRET: &str = "sk-never-shown";
const APIS: [&str; 2] = ["anthropic", "openai"];

fn model(server: &FakeChat, api: &str) -> RemoteChat {
    let key = Key::new(SECRET).unwrap();
    match api {
        "anthropic" => anthropic_chat("claude-haiku-5-5", &server.base(), key, PAUSES).unwrap(),
        _ => openai_chat_stream("gpt-6-luna", &server.url(), Some(key), PAUSES).unwrap(),
    }
}

fn tools() -> Vec<Tool> {
    let parameters = json!({"type": "object", "properties": {"pod": {"type": "string"}}, "required": ["pod"]});
    vec![Tool { name: "kubectl_logs", description: "Reads a log.".into(), parameters }]
}

fn conversation() -> Vec<Message> {
    let call = |id: &str, input| Part::Call(ToolCall { id: id.into(), name: "kubectl_logs".into(), input });
    vec![
        Message::user("why?"),
        Message::Assistant {
            parts: vec![
                Part::Thought { block: json!({"type": "thinking", "thinking": "hm", "signature": "s1"}) },
                Part::Text { text: "I look.".into() },
                call("a", json!({"pod": "web"})),
                call("b", json!("{not json")),
            ],
        },
        Message::Tool {
            results: vec![
                ToolResult {
                    id: "a".into(),
                    name: "kubectl_logs".into(),
                    text: "boom".into(),
                    ..ToolResult::default()
                },
                ToolResult { id: "b".into(), text: "no".into(), failed: true, ..ToolResult::default() },
            ],
        },
    ]
}

async fn next(model: &RemoteChat, messages: &[Message], may_call: bool) -> (String, Result<Turn, Broken>) {
    let tools = tools();
    let ask = Ask { system: "Be brief.", messages, tools: &tools, may_call, longest_answer: 500 };
    let mut heard = String::new();
    let turn = model.next(&ask, &mut |text: &str| heard.push_str(text)).await;
    (heard, turn)
}

#[tokio::test]
async fn words_and_calls_come_as_they_were_said() {
    for api in APIS {
        let said = Says::text("I look at the lög.").and_call("kubectl_logs", json!({"pod": "web-1"}));
        let server = FakeChat::start([said.and_call("kubectl_logs", json!({"pod": "web-2"}))]).await;
        let (heard, turn) = next(&model(&server, api), &[Message::user("why?")], true).await;
        let turn = turn.unwrap();
        assert_eq!(heard, "I look at the lög.", "{api}");
        assert_eq!(
            (turn.stop, turn.tokens),
            (Stop::Calls, Some(Tokens { input: TOKENS.0, output: TOKENS.1 })),
            "{api}"
        );
        let calls: Vec<&Value> = turn
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Call(call) => Some(&call.input),
                _ => None,
            })
            .collect();
        assert_eq!(calls, [&json!({"pod": "web-1"}), &json!({"pod": "web-2"})], "{api}");
        assert_eq!(turn.parts[0], Part::Text { text: heard });
    }
}

#[tokio::test]
async fn a_conversation_is_sent_as_each_api_wants_it() {
    for api in APIS {
        let server = FakeChat::start([Says::text("Because.")]).await;
        let (_, turn) = next(&model(&server, api), &conversation(), false).await;
        assert_eq!(turn.unwrap().stop, Stop::End);
        let asked = server.asked().remove(0);
        let expected = match api {
            "anthropic" => json!({
                "model": "claude-haiku-5-5", "max_tokens": 500, "system": "Be brief.", "stream": true,
                "tools": [{"name": "kubectl_logs", "description": "Reads a log.", "input_schema": tools()[0].parameters}],
                "tool_choice": {"type": "none"},
                "messages": [
                    {"role": "user", "content": "why?"},
                    {"role": "assistant", "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s1"},
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "a", "name": "kubectl_logs", "input": {"pod": "web"}},
                        {"type": "tool_use", "id": "b", "name": "kubectl_logs", "input": {"unreadable": "{not json"}},
                    ]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "a", "content": "boom", "is_error": false},
                        {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": true},
                    ]},
                ],
            }),
            _ => json!({
                "model": "gpt-6-luna", "max_completion_tokens": 500, "stream": true,
                "stream_options": {"include_usage": true}, "tool_choice": "none",
                "tools": [{"type": "function", "function": {
                    "name": "kubectl_logs", "description": "Reads a log.", "parameters": tools()[0].parameters,
                }}],
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "why?"},
                    {"role": "assistant", "content": "I look.", "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "kubectl_logs", "arguments": "{\"pod\":\"web\"}"}},
                        {"id": "b", "type": "function", "function": {"name": "kubectl_logs", "arguments": "{not json"}},
                    ]},
                    {"role": "tool", "tool_call_id": "a", "content": "boom"},
                    {"role": "tool", "tool_call_id": "b", "content": "Error: no"},
                ],
            }),
        };
        assert_eq!(asked.body, expected, "{api}");
    }
    // It can be kept.
    let kept = serde_json::to_string(&conversation()).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Message>>(&kept).unwrap(), conversation());
}

#[tokio::test]
async fn thoughts_are_kept_for_their_provider_and_not_heard() {
    let server = FakeChat::start([]).await;
    let events = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 3, "cache_read_input_tokens": 4}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "so "}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "it is"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "xyz"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "something_new", "a": 1}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Yes."}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    server.script(move |_, _| Some((200, None, body.clone())));
    let (heard, turn) = next(&model(&server, "anthropic"), &[Message::user("?")], true).await;
    let turn = turn.unwrap();
    assert_eq!((heard.as_str(), turn.tokens), ("Yes.", Some(Tokens { input: 7, output: 9 })));
    let block = json!({"type": "thinking", "thinking": "so it is", "signature": "xyz"});
    assert_eq!(turn.parts, [Part::Thought { block }, Part::Text { text: "Yes.".into() }]);

    for (said, heard_of_it) in
        [("<think>\nso it is</think>\n\nYes.", "Yes."), ("<thin ice", "<thin ice"), ("a </think> b", "a </think> b")]
    {
        server.says([Says::text(said)]);
        assert_eq!(next(&model(&server, "openai"), &[Message::user("?")], true).await.0, heard_of_it);
    }
}

#[tokio::test]
async fn what_breaks_in_the_middle_is_told_with_what_was_said() {
    for api in APIS {
        let server = FakeChat::start([]).await;
        let said = Says::text("The pod is out of memory and").and_call("kubectl_logs", json!({"pod": "web-1"}));
        server.script(move |n, body| {
            let whole = FakeChat::said(&said, n, body);
            let half = whole.find("web-1").or(whole.rfind("pod\\\"")).unwrap();
            Some((BREAK_AFTER, None, whole[..half].to_owned()))
        });
        let (heard, turn) = next(&model(&server, api), &[Message::user("why?")], true).await;
        let broken = turn.unwrap_err();
        assert_eq!(heard, "The pod is out of memory and", "{api}");
        // A call without its end is none.
        assert_eq!(broken.parts, [Part::Text { text: heard }], "{api}");
        let error = broken.error.to_string();
        assert!(error.contains("did not answer to the end") && error.lines().count() == 1, "{error}");
        assert_eq!(server.asked().len(), 1, "what was heard is not said again");
    }
}

#[tokio::test]
async fn what_may_succeed_later_is_asked_again() {
    let sorry = r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#.to_owned();
    for api in APIS {
        for (status, body) in [
            (429, String::new()),
            (529, String::new()),
            (HANG_UP, String::new()),
            (BREAK_AFTER, ": begun\n\n".to_owned()),
            (200, format!("{sorry}\n\n")),
        ] {
            let server = FakeChat::start([]).await;
            server.script(move |n, asked| {
                let good = || (200, None, FakeChat::said(&Says::text("Yes."), n, asked));
                Some(if n < 2 { (status, Some("0".to_owned()), body.clone()) } else { good() })
            });
            let (heard, turn) = next(&model(&server, api), &[Message::user("?")], true).await;
            assert_eq!((heard.as_str(), turn.is_ok()), ("Yes.", true), "{api} {status} {turn:?}");
            assert_eq!(server.asked().len(), 3, "{api} {status}");
        }
    }
}

#[tokio::test]
async fn what_is_no_turn_is_an_error_of_one_line() {
    for api in APIS {
        let server = FakeChat::start([]).await;
        for (status, body, expected) in [
            (401, "no".to_owned(), "the key was refused by"),
            (404, format!(r#"{{"error":{{"message":"model: none {SECRET}"}}}}"#), "model: none"),
            (200, "<html>hello</html>".to_owned(), "server-sent events"),
            (200, "data: {\"x\n\n".to_owned(), "gave a wrong answer"),
            (200, "data: [1]\n\n".to_owned(), "gave a wrong answer"),
            (HANG_UP, String::new(), "no answer in 5 tries"),
        ] {
            server.script(move |_, _| Some((status, None, body.clone())));
            let (heard, turn) = next(&model(&server, api), &[Message::user("?")], true).await;
            let error = turn.unwrap_err().error;
            let all = format!("{error} {error:?}");
            assert!(all.contains(expected) && !all.contains(SECRET), "{api}: {all}");
            assert!(heard.is_empty() && error.to_string().lines().count() == 1);
        }
    }
}

#[tokio::test]
async fn a_server_that_knows_less_is_asked_for_less() {
    let server = FakeChat::start([]).await;
    server.script(|n, body| {
        let unknown = !body["stream_options"].is_null();
        let refused = || (400, None, r#"{"error":"stream_options is not supported"}"#.to_owned());
        Some(if unknown { refused() } else { (200, None, FakeChat::said(&Says::text("Yes."), n, body)) })
    });
    let model = model(&server, "openai");
    for _ in 0..2 {
        next(&model, &[Message::user("?")], true).await.1.unwrap();
    }
    let most: Vec<Value> = server.asked().iter().map(|asked| asked.body["max_tokens"].clone()).collect();
    assert_eq!(most, [Value::Null, json!(500), json!(500)]);
}

#[test]
fn names_and_prices() {
    let model =
        anthropic_chat("claude-haiku-5-5", "https://api.anthropic.com", Key::new(SECRET).unwrap(), PAUSES).unwrap();
    assert_eq!((model.name(), model.sends_to()), ("anthropic:claude-haiku-5-5", Some("api.anthropic.com")));
    assert!(model.price().is_some() && !format!("{model:?}").contains(SECRET));
    let model = openai_chat_stream("m", "http://127.0.0.1:1/v1", None, PAUSES).unwrap();
    assert_eq!((model.name(), model.price()), ("openai:m@http://127.0.0.1:1/v1", None));
    assert!(openai_chat_stream("m", "ftp://x", None, PAUSES).is_err());
}
