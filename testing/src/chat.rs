//! A stand-in on loopback for language models that hold a conversation and use tools, behind Anthropic's Messages API and OpenAI's chat
//! completions, both streamed. It says what a test's script says, turn by turn.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::service::{Asked, FakeService};

/// One turn of a scripted model.
#[derive(Debug, Clone, Default)]
pub struct Says {
    text: String,
    calls: Vec<(String, Value)>,
}

/// Tokens that a turn takes: of what was asked, and of what is said.
pub const TOKENS: (u64, u64) = (1_000, 50);

impl Says {
    /// Words for the reader.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), calls: Vec::new() }
    }

    /// A call of a tool.
    pub fn call(name: &str, input: Value) -> Self {
        Self::default().and_call(name, input)
    }

    /// The same, and a call of a tool.
    #[must_use]
    pub fn and_call(mut self, name: &str, input: Value) -> Self {
        self.calls.push((name.to_owned(), input));
        self
    }

    /// As Anthropic streams it. `number` makes ids of calls differ.
    pub fn anthropic(&self, number: usize) -> String {
        let mut events = vec![json!({"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": null,
            "usage": {"input_tokens": TOKENS.0, "output_tokens": 1},
        }})];
        events.push(json!({"type": "ping"}));
        let mut index = 0;
        if !self.text.is_empty() {
            let start = json!({"type": "text", "text": ""});
            events.push(json!({"type": "content_block_start", "index": 0, "content_block": start}));
            events.extend(pieces(&self.text).map(|text| {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
            }));
            events.push(json!({"type": "content_block_stop", "index": 0}));
            index = 1;
        }
        for (name, input) in &self.calls {
            let id = format!("toolu_{number}_{index}");
            let start = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
            events.extend(pieces(&arguments(input)).map(|json| {
                let delta = json!({"type": "input_json_delta", "partial_json": json});
                json!({"type": "content_block_delta", "index": index, "delta": delta})
            }));
            events.push(json!({"type": "content_block_stop", "index": index}));
            index += 1;
        }
        let stop = if self.calls.is_empty() { "end_turn" } else { "tool_use" };
        let delta = json!({"stop_reason": stop, "stop_sequence": null});
        events.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": TOKENS.1}}));
        events.push(json!({"type": "message_stop"}));
        let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
        events.iter().map(event).collect()
    }

    /// As OpenAI streams it.
    pub fn openai(&self, number: usize) -> String {
        let choice = |delta: Value, reason: Value| {
            json!({"id": "c1", "object": "chat.completion.chunk", "model": "m",
                   "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        };
        let mut chunks = vec![choice(json!({"role": "assistant", "content": ""}), Value::Null)];
        chunks.extend(pieces(&self.text).map(|text| choice(json!({"content": text}), Value::Null)));
        for (index, (name, input)) in self.calls.iter().enumerate() {
            let function = json!({"name": name, "arguments": ""});
            let begin = json!({"index": index, "id": format!("call_{number}_{index}"), "type": "function", "function": function});
            chunks.push(choice(json!({"tool_calls": [begin]}), Value::Null));
            chunks.extend(pieces(&arguments(input)).map(|json| {
                let more = json!({"index": index, "function": {"arguments": json}});
                choice(json!({"tool_calls": [more]}), Value::Null)
            }));
        }
        let reason = if self.calls.is_empty() { "stop" } else { "tool_calls" };
        chunks.push(choice(json!({}), json!(reason)));
        let usage = json!({"prompt_tokens": TOKENS.0, "completion_tokens": TOKENS.1});
        chunks.push(json!({"id": "c1", "object": "chat.completion.chunk", "choices": [], "usage": usage}));
        let lines: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        format!("{lines}data: [DONE]\n\n")
    }
}

/// Arguments as a model writes them; a string is written as it stands, so that they may be no JSON.
fn arguments(input: &Value) -> String {
    input.as_str().map_or_else(|| input.to_string(), str::to_owned)
}

/// A text in pieces, as tokens come.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(7).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>().into_iter()
}

/// See the module.
pub struct FakeChat(FakeService);

impl FakeChat {
    /// Starts on a free port and says these turns, one for each request.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start(turns: impl IntoIterator<Item = Says>) -> Self {
        let server = Self(FakeService::start(|_| (500, json!({"error": {"message": "no script"}}))).await);
        server.says(turns);
        server
    }

    /// Begins anew with these turns. The last of them is said again and again.
    pub fn says(&self, turns: impl IntoIterator<Item = Says>) {
        let turns: Vec<Says> = turns.into_iter().collect();
        self.0.script(move |number, body| {
            let turn = turns.get(number).or(turns.last())?;
            Some((200, None, Self::said(turn, number, body)))
        });
    }

    /// A turn in the form of the API that `body` is of.
    pub fn said(turn: &Says, number: usize, body: &Value) -> String {
        // OpenAI has the system prompt among the messages.
        if body["system"].is_string() { turn.anthropic(number) } else { turn.openai(number) }
    }
}

impl Deref for FakeChat {
    type Target = FakeService;

    fn deref(&self) -> &FakeService {
        &self.0
    }
}

/// What the model was given of tools, in order: name of the tool where the API tells it, and text.
pub fn results(asked: &Asked) -> Vec<String> {
    let messages = asked.body["messages"].as_array().cloned().unwrap_or_default();
    let mut results = Vec::new();
    for message in messages {
        if message["role"] == "tool" {
            results.push(message["content"].as_str().unwrap_or_default().to_owned());
        }
        for block in message["content"].as_array().into_iter().flatten() {
            if block["type"] == "tool_result" {
                results.push(block["content"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    results
}
