//! Conversations through Anthropic's Messages API, streamed:
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>, with tools:
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview>.

use clusterlore_http::Pauses;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::anthropic;
use crate::chat_model::{Ask, Stop};
use crate::draft::{Draft, Fault, Hear};
use crate::endpoint::Key;
use crate::language::ModelError;
use crate::message::{Message, Part};
use crate::price::{Price, Tokens};
use crate::remote_chat::{ChatApi, Reader, RemoteChat};

const API: ChatApi = ChatApi {
    path: anthropic::API.path,
    variable: anthropic::API.variable,
    headers: anthropic::API.headers,
    ways: &[body],
    reader: || Box::new(Events),
};

/// A model of Anthropic at `base`, the address up to the version.
///
/// # Errors
/// The address is none.
pub fn anthropic_chat(model: &str, base: &str, key: Key, pauses: Pauses) -> Result<RemoteChat, ModelError> {
    RemoteChat::new(API, format!("anthropic:{model}"), model, base, Some(key), Price::listed(model), pauses)
}

fn body(model: &str, ask: &Ask<'_>) -> Value {
    let tools: Vec<Value> = ask
        .tools
        .iter()
        .map(|tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters}))
        .collect();
    let mut body = json!({
        "model": model,
        "max_tokens": ask.longest_answer,
        "system": ask.system,
        "messages": ask.messages.iter().filter_map(message).collect::<Vec<_>>(),
        "stream": true,
    });
    if !tools.is_empty() {
        body["tools"] = json!(tools);
    }
    if !tools_may_be_called(ask) {
        body["tool_choice"] = json!({"type": "none"});
    }
    body
}

fn tools_may_be_called(ask: &Ask<'_>) -> bool {
    ask.may_call || ask.tools.is_empty()
}

/// A turn without content is refused, so it is left out.
fn message(message: &Message) -> Option<Value> {
    match message {
        Message::User { text } => Some(json!({"role": "user", "content": text})),
        Message::Assistant { parts } => {
            let content: Vec<Value> = parts.iter().map(part).collect();
            (!content.is_empty()).then(|| json!({"role": "assistant", "content": content}))
        }
        Message::Tool { results } => {
            let result = |result: &crate::message::ToolResult| {
                json!({
                    "type": "tool_result", "tool_use_id": result.id, "content": result.text, "is_error": result.failed,
                })
            };
            Some(json!({"role": "user", "content": results.iter().map(result).collect::<Vec<_>>()}))
        }
    }
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({"type": "text", "text": text}),
        Part::Thought { block } => block.clone(),
        Part::Call(call) => {
            let input = if call.input.is_object() { call.input.clone() } else { json!({"unreadable": call.input}) };
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockStart {
        index: u64,
        content_block: Value,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    MessageDelta {
        delta: Ended,
        usage: Option<Usage>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// Pings, ends of blocks, and what is not known yet.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Started {
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Ended {
    stop_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

struct Events;

impl Reader for Events {
    fn event(&mut self, data: &str, draft: &mut Draft, hear: Hear<'_>) -> Result<(), Fault> {
        let event: Event = serde_json::from_str(data)
            .map_err(|e| Fault::Unreadable("an event of a message, with \"type\"", e.to_string()))?;
        match event {
            Event::MessageStart { message } => {
                draft.tokens = Some(used(draft.tokens, &message.usage.unwrap_or_default()))
            }
            Event::ContentBlockStart { index, content_block } => {
                let text = |field: &str| content_block[field].as_str().unwrap_or_default().to_owned();
                match text("type").as_str() {
                    "text" => draft.text(index, &text("text"), hear),
                    "tool_use" => {
                        let input = &content_block["input"];
                        let whole = input.as_object().is_some_and(|input| !input.is_empty());
                        let json = if whole { input.to_string() } else { String::new() };
                        draft.call(index, &text("id"), &text("name"), &json);
                    }
                    _ => draft.thought(index, content_block),
                }
            }
            Event::ContentBlockDelta { index, delta } => match delta {
                Delta::Text { text } => draft.text(index, &text, hear),
                Delta::Input { partial_json } => draft.call(index, "", "", &partial_json),
                Delta::Thinking { thinking } => draft.think(index, "thinking", &thinking),
                Delta::Signature { signature } => draft.think(index, "signature", &signature),
                Delta::Other => {}
            },
            Event::MessageDelta { delta, usage } => {
                draft.tokens = Some(used(draft.tokens, &usage.unwrap_or_default()));
                draft.stop = delta.stop_reason.map(|reason| match reason.as_str() {
                    "tool_use" => Stop::Calls,
                    "max_tokens" | "model_context_window_exceeded" => Stop::CutOff,
                    "refusal" => Stop::Declined,
                    _ => Stop::End,
                });
            }
            Event::MessageStop => draft.is_whole = true,
            Event::Error { error } => return Err(Fault::Said(json!({"error": error}).to_string())),
            Event::Other => {}
        }
        Ok(())
    }
}

/// The numbers of an event are those of the whole turn so far.
fn used(before: Option<Tokens>, usage: &Usage) -> Tokens {
    let before = before.unwrap_or_default();
    let input = usage.input_tokens.map(|input| {
        let cached =
            usage.cache_creation_input_tokens.unwrap_or(0).saturating_add(usage.cache_read_input_tokens.unwrap_or(0));
        input.saturating_add(cached)
    });
    Tokens { input: input.unwrap_or(0).max(before.input), output: usage.output_tokens.unwrap_or(0).max(before.output) }
}

#[cfg(test)]
mod tests {
    use clusterlore_testkit::chat::Says;
    use clusterlore_testkit::edits::edited;
    use proptest::prelude::*;

    use super::*;
    use crate::sse;

    proptest! {
        #[test]
        fn fuzz_anthropic_events(edits in 0..12_usize, random: u64, size in 1..200_usize) {
            let good = Says::text("It is so").and_call("count", json!({"a": [1]})).anthropic(0);
            let body = edited(&good, edits, random);
            let (mut events, mut draft, mut heard) = (sse::Events::default(), Draft::default(), String::new());
            let all = body.chunks(size).flat_map(|piece| events.take(piece)).collect::<Vec<_>>();
            let read = all.iter().try_for_each(|event| Events.event(event, &mut draft, &mut |text: &str| heard.push_str(text)));
            prop_assert!(heard.len() <= body.len());
            let (whole, turn) = (draft.is_whole, draft.turn());
            if edits == 0 {
                prop_assert!(read.is_ok() && whole && turn.parts.len() == 2 && heard == "It is so", "{:?}", turn);
            }
        }
    }

    #[test]
    fn no_number_of_a_server_is_too_large() {
        let mut draft = Draft::default();
        let most = u64::MAX;
        let usage = json!({"input_tokens": most, "cache_read_input_tokens": most, "output_tokens": most});
        let mut hear = |data: Value| Events.event(&data.to_string(), &mut draft, &mut |_: &str| ()).unwrap();
        hear(json!({"type": "message_start", "message": {"usage": usage}}));
        hear(json!({"type": "content_block_delta", "index": most, "delta": {"type": "text_delta", "text": "x"}}));
        assert_eq!(draft.turn().tokens, Some(Tokens { input: most, output: most }));
    }
}
