//! A stand-in on loopback for language models, behind Anthropic's Messages API and OpenAI's chat completions. It refuses what
//! their documentation says they refuse, and says of each type something that tells types apart.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::service::{Asked, FakeService};

/// See the module.
pub struct FakeModels(FakeService);

/// Tokens that a question takes, and an answer.
pub const TOKENS: (u64, u64) = (800, 100);

impl FakeModels {
    /// Starts on a free port.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start() -> Self {
        Self(FakeService::start(respond).await)
    }

    /// The kinds that were asked about since the last call, sorted: questions that are put at once come in any order.
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self.asked().iter().map(|asked| kind(&asked.body)).collect();
        kinds.sort();
        kinds
    }
}

impl Deref for FakeModels {
    type Target = FakeService;

    fn deref(&self) -> &FakeService {
        &self.0
    }
}

/// The kind that a question is about.
pub fn kind(body: &Value) -> String {
    let text = body["messages"].as_array().and_then(|messages| messages.last()?["content"].as_str());
    let line = text.and_then(|text| text.lines().find_map(|line| line.strip_prefix("kind: ")));
    line.unwrap_or_default().to_owned()
}

/// A good answer about a kind.
pub fn answer(kind: &str) -> String {
    json!({
        "capabilities": [format!("{kind} keeping")],
        "providers": [],
        "complexity": "low",
        "description": format!("Keeps every {kind}."),
        "useCase": format!("Whoever wants a {kind} has one."),
        "confidence": 0.9,
    })
    .to_string()
}

fn respond(asked: &Asked) -> (u16, Value) {
    match asked.path.as_str() {
        "/v1/messages" => anthropic(asked).unwrap_or_else(|(status, kind, message)| {
            (status, json!({"type": "error", "error": {"type": kind, "message": message}}))
        }),
        "/v1/chat/completions" => openai(asked),
        _ => (404, json!({"error": {"message": "no such path"}})),
    }
}

fn anthropic(asked: &Asked) -> Result<(u16, Value), (u16, &'static str, String)> {
    let invalid = |message: String| (400, "invalid_request_error", message);
    if !asked.headers.contains_key("x-api-key") {
        return Err((401, "authentication_error", "x-api-key header is required".to_owned()));
    }
    if !asked.headers.contains_key("anthropic-version") {
        return Err(invalid("anthropic-version: header is required".to_owned()));
    }
    let known = ["model", "max_tokens", "system", "messages", "thinking", "output_config"];
    if let Some(other) = asked.body.as_object().and_then(|body| body.keys().find(|key| !known.contains(&key.as_str())))
    {
        return Err(invalid(format!("{other}: Extra inputs are not permitted")));
    }
    if let Some(missing) = ["model", "max_tokens", "messages"].into_iter().find(|key| asked.body[key].is_null()) {
        return Err(invalid(format!("{missing}: Field required")));
    }
    let schema = &asked.body["output_config"]["format"]["schema"];
    if let Some(keyword) = bound(schema) {
        return Err(invalid(format!("output_config.format.schema: property '{keyword}' is not supported")));
    }
    Ok((200, message(&asked.body["model"], &answer(&kind(&asked.body)), "end_turn")))
}

/// A message of the Messages API.
pub fn message(model: &Value, text: &str, stop_reason: &str) -> Value {
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason, "stop_sequence": null,
        "usage": {"input_tokens": TOKENS.0, "output_tokens": TOKENS.1},
    })
}

fn openai(asked: &Asked) -> (u16, Value) {
    let schema = &asked.body["response_format"]["json_schema"]["schema"];
    if let Some(keyword) = bound(schema) {
        let message = format!("Invalid schema for response_format 'answer': '{keyword}' is not permitted.");
        return (
            400,
            json!({"error": {"message": message, "type": "invalid_request_error", "param": "response_format"}}),
        );
    }
    let content = answer(&kind(&asked.body));
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": TOKENS.0, "completion_tokens": TOKENS.1, "total_tokens": TOKENS.0 + TOKENS.1});
    (
        200,
        json!({"id": "c1", "object": "chat.completion", "model": asked.body["model"], "choices": [choice], "usage": usage}),
    )
}

/// A keyword of a schema that structured outputs do not take.
fn bound(schema: &Value) -> Option<&'static str> {
    let text = schema.to_string();
    ["minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"]
        .into_iter()
        .find(|keyword| text.contains(keyword))
}
