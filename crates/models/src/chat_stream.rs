//! Conversations through OpenAI's chat completions, streamed, as OpenAI, Ollama, vLLM and LM Studio speak them:
//! <https://platform.openai.com/docs/api-reference/chat-streaming>.

use clusterlore_http::{Pauses, without_user};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chat::{self, listed_at};
use crate::chat_model::{Ask, Stop};
use crate::draft::{Draft, Fault, Hear};
use crate::endpoint::Key;
use crate::language::ModelError;
use crate::message::{Message, Part};
use crate::price::Tokens;
use crate::remote_chat::{ChatApi, Reader, RemoteChat};

const API: ChatApi = ChatApi {
    path: chat::API.path,
    variable: chat::API.variable,
    headers: chat::API.headers,
    ways: &[
        |model, ask| {
            let mut body = body(model, ask);
            body["stream_options"] = json!({"include_usage": true});
            body["max_completion_tokens"] = json!(ask.longest_answer);
            body
        },
        // For servers that do not know these two.
        |model, ask| {
            let mut body = body(model, ask);
            body["max_tokens"] = json!(ask.longest_answer);
            body
        },
    ],
    reader: || Box::new(Chunks::default()),
};

/// A model at `base`, the address up to and including the version (`http://127.0.0.1:11434/v1`).
///
/// # Errors
/// The address is none.
pub fn openai_chat_stream(model: &str, base: &str, key: Option<Key>, pauses: Pauses) -> Result<RemoteChat, ModelError> {
    let base = base.trim_end_matches('/');
    let name = format!("openai:{model}@{}", without_user(base));
    RemoteChat::new(API, name, model, base, key, listed_at(base, model), pauses)
}

fn body(model: &str, ask: &Ask<'_>) -> Value {
    let mut messages = vec![json!({"role": "system", "content": ask.system})];
    ask.messages.iter().for_each(|message| add(&mut messages, message));
    let mut body = json!({"model": model, "messages": messages, "stream": true});
    if !ask.tools.is_empty() {
        let tool = |tool: &crate::message::Tool| {
            let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
            json!({"type": "function", "function": function})
        };
        body["tools"] = ask.tools.iter().map(tool).collect();
        if !ask.may_call {
            body["tool_choice"] = json!("none");
        }
    }
    body
}

fn add(messages: &mut Vec<Value>, message: &Message) {
    match message {
        Message::User { text } => messages.push(json!({"role": "user", "content": text})),
        Message::Assistant { parts } => {
            let mut text = String::new();
            let mut calls = Vec::new();
            for part in parts {
                match part {
                    Part::Text { text: said } => text.push_str(said),
                    Part::Call(call) => {
                        let arguments = match &call.input {
                            Value::String(unreadable) => unreadable.clone(),
                            input => input.to_string(),
                        };
                        let function = json!({"name": call.name, "arguments": arguments});
                        calls.push(json!({"id": call.id, "type": "function", "function": function}));
                    }
                    // Of another provider.
                    Part::Thought { .. } => {}
                }
            }
            let mut said = json!({"role": "assistant", "content": text});
            if !calls.is_empty() {
                said["tool_calls"] = json!(calls);
            }
            messages.push(said);
        }
        Message::Tool { results } => {
            messages.extend(results.iter().map(|result| {
                let text = if result.failed { format!("Error: {}", result.text) } else { result.text.clone() };
                json!({"role": "tool", "tool_call_id": result.id, "content": text})
            }));
        }
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    /// Some servers send each call whole and leave the index out.
    index: Option<u64>,
    id: Option<String>,
    #[serde(default)]
    function: Function,
}

#[derive(Default, Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

#[derive(Default)]
struct Chunks {
    /// The beginning of the text while it is, or may be, a thought.
    held: String,
    /// What is said is for the reader.
    speaks: bool,
    calls: u64,
}

impl Chunks {
    /// Servers without a parser for thoughts leave them before the answer.
    fn text(&mut self, text: &str, draft: &mut Draft, hear: Hear<'_>) {
        if self.speaks {
            return draft.text(0, text, hear);
        }
        self.held.push_str(text);
        let held = self.held.trim_start();
        let may_be_thought = held.starts_with(OPEN) || OPEN.starts_with(held);
        let said = match held.split_once(CLOSE) {
            Some((_, said)) if held.starts_with(OPEN) => said.trim_start().to_owned(),
            _ if may_be_thought => return,
            _ => std::mem::take(&mut self.held),
        };
        self.held.clear();
        self.speaks = true;
        draft.text(0, &said, hear);
    }
}

impl Reader for Chunks {
    fn event(&mut self, data: &str, draft: &mut Draft, hear: Hear<'_>) -> Result<(), Fault> {
        if data.trim() == "[DONE]" {
            draft.is_whole = true;
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|e| Fault::Unreadable("a chunk of a chat completion with \"choices\"", e.to_string()))?;
        if let Some(error) = chunk.error {
            return Err(Fault::Said(json!({"error": error}).to_string()));
        }
        if let Some(usage) = chunk.usage {
            draft.tokens = Some(Tokens { input: usage.prompt_tokens, output: usage.completion_tokens });
        }
        let Some(Choice { delta, finish_reason }) = chunk.choices.into_iter().next() else { return Ok(()) };
        if let Some(text) = delta.content {
            self.text(&text, draft, &mut *hear);
        }
        let declined = delta.refusal.is_some_and(|refusal| !refusal.is_empty());
        for call in delta.tool_calls.into_iter().flatten() {
            let index = call.index.unwrap_or(self.calls);
            let piece = index.saturating_add(1);
            self.calls = self.calls.max(piece);
            let Function { name, arguments } = call.function;
            // The text is the first piece.
            draft.call(
                piece,
                call.id.as_deref().unwrap_or_default(),
                name.as_deref().unwrap_or_default(),
                arguments.as_deref().unwrap_or_default(),
            );
        }
        let stop = finish_reason.map(|reason| match reason.as_str() {
            "tool_calls" | "function_call" => Stop::Calls,
            "length" => Stop::CutOff,
            "content_filter" => Stop::Declined,
            _ => Stop::End,
        });
        draft.stop = if declined { Some(Stop::Declined) } else { stop.or(draft.stop) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_testkit::chat::Says;
    use clusterlore_testkit::edits::edited;
    use proptest::prelude::*;

    use super::*;
    use crate::sse::Events;

    proptest! {
        #[test]
        fn fuzz_openai_chunks(edits in 0..12_usize, random: u64, size in 1..200_usize) {
            let good = Says::text("<think>so</think>It is").and_call("count", json!({"a": [1]})).openai(0);
            let body = edited(&good, edits, random);
            let (mut events, mut chunks, mut draft) = (Events::default(), Chunks::default(), Draft::default());
            let mut heard = String::new();
            let all = body.chunks(size).flat_map(|piece| events.take(piece)).collect::<Vec<_>>();
            let read = all.iter().try_for_each(|event| chunks.event(event, &mut draft, &mut |text: &str| heard.push_str(text)));
            prop_assert!(heard.len() <= body.len());
            let turn = draft.turn();
            if edits == 0 {
                prop_assert!(read.is_ok() && turn.parts.len() == 2 && heard == "It is", "{:?}", turn);
            }
        }
    }

    #[test]
    fn no_number_of_a_server_is_too_large() {
        let (mut chunks, mut draft) = (Chunks::default(), Draft::default());
        let call = json!({"index": u64::MAX, "id": "a", "function": {"name": "count", "arguments": "{}"}});
        let chunk = json!({"choices": [{"delta": {"tool_calls": [call, call]}}], "usage": {"prompt_tokens": u64::MAX}});
        chunks.event(&chunk.to_string(), &mut draft, &mut |_: &str| ()).unwrap();
        assert_eq!(draft.turn().parts.len(), 1);
    }
}
