//! Anthropic's Messages API, <https://platform.claude.com/docs/en/api/messages>.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::Key;
use crate::language::{Completion, ModelError, NoAnswer, Prompt};
use crate::price::Price;
use crate::price::Tokens;
use crate::remote_model::{Api, RemoteModel, Unreadable, Way, with_schema};
use clusterlore_http::Pauses;

/// Where Anthropic is.
pub const ANTHROPIC_URL: &str = "https://api.anthropic.com";
/// Its model where none is named: the smallest of the newest, made for extraction in volume.
pub const ANTHROPIC_MODEL: &str = "claude-haiku-5-5";
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Structured outputs rather than a forced tool: models that always think refuse to be forced. They refuse not to think as well,
/// so that is asked for first only; the last way is for servers in between that know neither.
pub(crate) const API: Api = Api {
    path: "/v1/messages",
    variable: "ANTHROPIC_API_KEY",
    headers,
    ways: &[
        Way {
            body: |model, prompt, most| {
                let mut body = structured(model, prompt, most);
                body["thinking"] = json!({"type": "disabled"});
                body
            },
            longest_answer: 2_048,
        },
        Way { body: structured, longest_answer: 8_192 },
        Way {
            body: |model, prompt, most| plain(model, with_schema(prompt), &prompt.user, most),
            longest_answer: 8_192,
        },
    ],
    read,
};

/// A model of Anthropic at `base`, the address up to the version.
///
/// # Errors
/// The address is none.
pub fn anthropic(model: &str, base: &str, key: Key, pauses: Pauses) -> Result<RemoteModel, ModelError> {
    RemoteModel::new(API, format!("anthropic:{model}"), model, base, Some(key), Price::listed(model), pauses)
}

fn headers(key: Option<&Key>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(HeaderName::from_static("anthropic-version"), VERSION)]);
    headers.extend(key.map(|key| (HeaderName::from_static("x-api-key"), key.bare())));
    headers
}

fn plain(model: &str, system: String, user: &str, most: u64) -> Value {
    json!({
        "model": model,
        "max_tokens": most,
        "system": system,
        "messages": [{"role": "user", "content": user}],
    })
}

fn structured(model: &str, prompt: &Prompt, most: u64) -> Value {
    let mut body = plain(model, prompt.system.clone(), &prompt.user, most);
    body["output_config"] = json!({"format": {"type": "json_schema", "schema": prompt.schema}});
    body
}

#[derive(Deserialize)]
struct Message {
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Usage>,
}

/// Thoughts are blocks without a text.
#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

fn read(body: &[u8]) -> Result<Completion, Unreadable> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|e| ("a message with \"content\", a list of blocks, and \"usage\"", e.to_string()))?;
    let text: String = message.content.into_iter().map(|block| block.text).collect();
    let answer = match message.stop_reason.as_deref() {
        Some("refusal") => Err(NoAnswer::Declined),
        Some("max_tokens" | "model_context_window_exceeded") => Err(NoAnswer::CutOff),
        _ if text.trim().is_empty() => Err(NoAnswer::Empty),
        _ => Ok(text),
    };
    let tokens = message.usage.map(|usage| Tokens { input: usage.input_tokens, output: usage.output_tokens });
    Ok(Completion { answer, tokens })
}
