//! What speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, LM Studio.

use clusterlore_http::{Pauses, without_user};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::Key;
use crate::language::{Completion, ModelError, NoAnswer, Prompt};
use crate::price::Price;
use crate::price::Tokens;
use crate::remote_model::{Api, RemoteModel, Unreadable, Way, with_schema};

/// Whose list prices are known; what others charge for a model of the same name is theirs to say.
const OPENAI: &str = "https://api.openai.com/";

/// Structured outputs, then any JSON, then a plain question that uses nothing a server might not know.
pub(crate) const API: Api = Api {
    path: "/chat/completions",
    variable: "OPENAI_API_KEY",
    headers,
    ways: &[
        Way {
            body: |model, prompt, most| {
                let form = json!({"name": "answer", "strict": true, "schema": prompt.schema});
                formed(model, &prompt.system, prompt, most, json!({"type": "json_schema", "json_schema": form}))
            },
            longest_answer: 8_192,
        },
        Way {
            body: |model, prompt, most| {
                formed(model, &with_schema(prompt), prompt, most, json!({"type": "json_object"}))
            },
            longest_answer: 8_192,
        },
        Way { body: |model, prompt, _| plain(model, &with_schema(prompt), prompt), longest_answer: 8_192 },
    ],
    read,
};

/// A model at `base`, the address up to and including the version (`http://127.0.0.1:11434/v1`).
///
/// # Errors
/// The address is none.
pub fn openai_chat(model: &str, base: &str, key: Option<Key>, pauses: Pauses) -> Result<RemoteModel, ModelError> {
    let base = base.trim_end_matches('/');
    let name = format!("openai:{model}@{}", without_user(base));
    RemoteModel::new(API, name, model, base, key, listed_at(base, model), pauses)
}

/// The list price of a model at an address.
pub(crate) fn listed_at(base: &str, model: &str) -> Option<Price> {
    if base.starts_with(OPENAI) { Price::listed(model) } else { None }
}

fn headers(key: Option<&Key>) -> HeaderMap {
    key.map(|key| (AUTHORIZATION, key.bearer())).into_iter().collect()
}

fn plain(model: &str, system: &str, prompt: &Prompt) -> Value {
    json!({
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": prompt.user}],
    })
}

fn formed(model: &str, system: &str, prompt: &Prompt, most: u64, form: Value) -> Value {
    let mut body = plain(model, system, prompt);
    body["max_completion_tokens"] = json!(most);
    body["response_format"] = form;
    body
}

#[derive(Deserialize)]
struct Chat {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

fn read(body: &[u8]) -> Result<Completion, Unreadable> {
    const EXPECTED: &str = "a chat completion with \"choices\", a list of \"message\"";
    let chat: Chat = serde_json::from_slice(body).map_err(|e| (EXPECTED, e.to_string()))?;
    let Some(Choice { message, finish_reason }) = chat.choices.into_iter().next() else {
        return Err((EXPECTED, "an empty list".to_owned()));
    };
    let text = message.content.unwrap_or_default();
    // Servers without a parser for thoughts leave them before the answer.
    let text = text.rsplit_once("</think>").map_or(text.as_str(), |(_, answer)| answer);
    let answer = match finish_reason.as_deref() {
        Some("content_filter") => Err(NoAnswer::Declined),
        _ if message.refusal.is_some_and(|refusal| !refusal.is_empty()) => Err(NoAnswer::Declined),
        Some("length") => Err(NoAnswer::CutOff),
        _ if text.trim().is_empty() => Err(NoAnswer::Empty),
        _ => Ok(text.to_owned()),
    };
    let tokens = chat.usage.map(|usage| Tokens { input: usage.prompt_tokens, output: usage.completion_tokens });
    Ok(Completion { answer, tokens })
}
