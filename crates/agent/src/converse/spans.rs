//! Spans of a conversation, by the semantic conventions for generative AI
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>, as of version 1.41). What is asked, answered and read is recorded
//! only where somebody listens to [`PAYLOADS`].

use clusterlore_models::{Ask, Broken, Message, Part, Stop, ToolCall, ToolResult, Turn};
use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::{Level, Span};

use super::apply;
use super::budget::Used;
use super::ended::Ended;

/// Target of these spans.
pub const SPANS: &str = "gen_ai";
/// Target that stands for what is said in them.
pub const PAYLOADS: &str = "gen_ai::payloads";

/// Bytes of a text that are recorded.
const MOST: usize = 64 << 10;

/// `anthropic:claude-haiku-5-5`, `openai:qwen3@http://…`: who provides it, and the model.
fn parts(name: &str) -> (&str, &str) {
    let (provider, model) = name.split_once(':').unwrap_or(("", name));
    (provider, model.rfind("@http").map_or(model, |at| &model[..at]))
}

/// As traces have numbers.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Whether what is said may be recorded.
fn heard() -> bool {
    tracing::enabled!(target: PAYLOADS, Level::INFO)
}

pub(super) fn agent(name: &str) -> Span {
    let (provider, model) = parts(name);
    tracing::info_span!(
        target: SPANS,
        "invoke_agent",
        otel.name = "invoke_agent clusterlore",
        otel.status_code = Empty,
        error.type = Empty,
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = "clusterlore",
        gen_ai.provider.name = provider,
        gen_ai.request.model = model,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
    )
}

pub(super) fn agent_ended(span: &Span, used: Used, ended: &Ended) {
    span.record("gen_ai.usage.input_tokens", number(used.input_tokens));
    span.record("gen_ai.usage.output_tokens", number(used.output_tokens));
    let problem = match ended {
        Ended::Whole => return,
        Ended::Limit(_) => "limit",
        Ended::CutOff => "cut_off",
        Ended::Declined => "declined",
        Ended::Silent => "silent",
        Ended::Failed(_) => "model_failed",
    };
    failed(span, problem);
}

fn failed(span: &Span, problem: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", problem);
}

pub(super) fn chat(name: &str, ask: &Ask<'_>) -> Span {
    let (provider, model) = parts(name);
    let span = tracing::info_span!(
        target: SPANS,
        "chat",
        otel.name = format!("chat {model}"),
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = provider,
        gen_ai.request.model = model,
        gen_ai.request.max_tokens = number(ask.longest_answer),
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.system_instructions = Empty,
        gen_ai.input.messages = Empty,
        gen_ai.output.messages = Empty,
    );
    if heard() {
        span.record("gen_ai.system_instructions", text(&json!([{"type": "text", "content": ask.system}])));
        span.record("gen_ai.input.messages", text(&ask.messages.iter().map(message).collect()));
    }
    span
}

pub(super) fn chat_ended(span: &Span, turn: &Result<Turn, Broken>) {
    let (said, tokens) = match turn {
        Ok(turn) => (&turn.parts, turn.tokens),
        Err(broken) => (&broken.parts, broken.tokens),
    };
    if let Some(tokens) = tokens {
        span.record("gen_ai.usage.input_tokens", number(tokens.input));
        span.record("gen_ai.usage.output_tokens", number(tokens.output));
    }
    match turn {
        Ok(turn) => {
            let reason = match turn.stop {
                Stop::End => "stop",
                Stop::Calls => "tool_calls",
                Stop::CutOff => "length",
                Stop::Declined => "content_filter",
            };
            span.record("gen_ai.response.finish_reasons", reason);
        }
        Err(_) => failed(span, "model_failed"),
    }
    if heard() {
        let answer = json!([{"role": "assistant", "parts": said.iter().filter_map(part).collect::<Vec<_>>()}]);
        span.record("gen_ai.output.messages", text(&answer));
    }
}

pub(super) fn tool(call: &ToolCall) -> Span {
    tracing::info_span!(
        target: SPANS,
        "execute_tool",
        otel.name = format!("execute_tool {}", call.name),
        otel.status_code = Empty,
        error.type = Empty,
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = call.name,
        gen_ai.tool.call.id = call.id,
        gen_ai.tool.type = "function",
        gen_ai.tool.call.arguments = Empty,
        gen_ai.tool.call.result = Empty,
    )
}

pub(super) fn tool_ended(span: &Span, call: &ToolCall, result: &ToolResult) {
    if result.failed {
        failed(span, "tool_failed");
    }
    // A manifest may hold a Secret.
    if heard() && call.name != apply::APPLY {
        span.record("gen_ai.tool.call.arguments", text(&call.input));
        span.record("gen_ai.tool.call.result", cut(&result.text));
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::User { text } => json!({"role": "user", "parts": [{"type": "text", "content": text}]}),
        Message::Assistant { parts } => {
            json!({"role": "assistant", "parts": parts.iter().filter_map(part).collect::<Vec<_>>()})
        }
        Message::Tool { results } => {
            let one = |result: &ToolResult| {
                let said = if result.name == apply::APPLY { "" } else { &result.text };
                json!({"type": "tool_call_response", "id": result.id, "response": said})
            };
            json!({"role": "tool", "parts": results.iter().map(one).collect::<Vec<_>>()})
        }
    }
}

fn part(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text } => Some(json!({"type": "text", "content": text})),
        Part::Thought { .. } => None,
        Part::Call(call) => {
            let arguments = if call.name == apply::APPLY { &Value::Null } else { &call.input };
            Some(json!({"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments}))
        }
    }
}

fn text(value: &Value) -> String {
    cut(&value.to_string()).to_owned()
}

fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(MOST)).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_provides_a_model() {
        assert_eq!(parts("anthropic:claude-haiku-5-5"), ("anthropic", "claude-haiku-5-5"));
        assert_eq!(parts("openai:qwen@3@https://h:1/v1"), ("openai", "qwen@3"));
        assert_eq!(parts("m"), ("", "m"));
        assert_eq!(cut(&"ü".repeat(MOST)).len(), MOST);
    }
}
