//! The loop: the model speaks, its calls are answered, until it has nothing more to ask.

use clusterlore_models::{Ask, ChatModel, Message, Part, Price, Stop, ToolCall, ToolResult};
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;

use super::budget::{Budget, Limits, Used};
use super::citations::{Sources, check, seen};
use super::ended::Ended;
use super::prompt::system;
use super::spans;
use super::tools::Tools;

/// What happens while a question is answered.
#[derive(Debug)]
pub enum Heard<'a> {
    /// The model says this.
    Text(&'a str),
    /// The model has called a tool, and it is about to be answered.
    Calls(&'a ToolCall),
    /// What the tool said.
    Told(&'a ToolResult),
}

/// Who hears it.
pub type Listener<'a> = &'a mut (dyn for<'s> FnMut(Heard<'s>) + Send);

/// A call and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The tool.
    pub tool: String,
    /// What it was called with.
    pub arguments: Value,
    /// What it said, as the model got it.
    pub result: String,
    /// Whether it failed.
    pub failed: bool,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Talk {
    /// The whole conversation, to be kept and gone on with.
    pub messages: Vec<Message>,
    /// What the model said after its last call; of a talk that did not come to its end, as far as it came.
    pub answer: String,
    /// What it did before.
    pub steps: Vec<Step>,
    /// What of the answer rests on what was seen.
    pub sources: Sources,
    /// What it took.
    pub used: Used,
    /// How it ended.
    pub ended: Ended,
}

/// Asks a model that may use tools. `messages` is the conversation so far, and ends with the user's question; `before` is what that took.
/// `price`, if it is not what the provider charges.
pub fn talk<'f>(
    model: &'f dyn ChatModel,
    tools: &'f Tools<'f>,
    messages: Vec<Message>,
    limits: Limits,
    before: Used,
    price: Option<Price>,
    hear: Listener<'f>,
) -> BoxFuture<'f, Talk> {
    Box::pin(async move {
        let span = spans::agent(model.name());
        let done = converse(model, tools, messages, limits, before, price, hear).instrument(span.clone()).await;
        spans::agent_ended(&span, done.used, &done.ended);
        done
    })
}

async fn converse(
    model: &dyn ChatModel,
    tools: &Tools<'_>,
    messages: Vec<Message>,
    limits: Limits,
    before: Used,
    price: Option<Price>,
    hear: Listener<'_>,
) -> Talk {
    let system = system(&tools.groups);
    let told = tools.told();
    let mut messages = messages;
    let mut budget = Budget::new(limits, price.or_else(|| model.price()), before);
    let mut steps = Vec::new();
    let mut answer = String::new();
    let ended = loop {
        let mut ask =
            Ask { system: &system, messages: &messages, tools: &told, may_call: !budget.is_last(), longest_answer: 0 };
        match budget.next(&ask) {
            Ok(most) => ask.longest_answer = most,
            Err(limit) => break Ended::Limit(limit),
        }
        let chat = spans::chat(model.name(), &ask);
        let turn = model.next(&ask, &mut |text: &str| hear(Heard::Text(text))).instrument(chat.clone()).await;
        spans::chat_ended(&chat, &turn);
        drop(chat);
        let (parts, stop) = match turn {
            Ok(turn) => {
                budget.spend(&ask, &turn.parts, turn.tokens);
                (turn.parts, Ok(turn.stop))
            }
            Err(broken) => {
                budget.spend(&ask, &broken.parts, broken.tokens);
                (broken.parts, Err(broken.error))
            }
        };
        answer = text(&parts);
        let calls: Vec<ToolCall> = parts.iter().filter_map(call).cloned().collect();
        if !parts.is_empty() {
            // A call that is never answered would break the conversation.
            let parts =
                if stop.is_ok() { parts } else { parts.into_iter().filter(|part| call(part).is_none()).collect() };
            messages.push(Message::Assistant { parts });
        }
        match stop {
            Err(error) => break Ended::Failed(error),
            Ok(Stop::Calls) => {}
            Ok(Stop::End) if answer.trim().is_empty() => break Ended::Silent,
            Ok(Stop::End) => break Ended::Whole,
            Ok(Stop::CutOff) => break Ended::CutOff,
            Ok(Stop::Declined) => break Ended::Declined,
        }
        let mut results = Vec::new();
        for call in &calls {
            hear(Heard::Calls(call));
            let span = spans::tool(call);
            let result = tools.call(call).instrument(span.clone()).await;
            spans::tool_ended(&span, call, &result);
            drop(span);
            hear(Heard::Told(&result));
            steps.push(Step {
                tool: call.name.clone(),
                arguments: call.input.clone(),
                result: result.text.clone(),
                failed: result.failed,
            });
            results.push(result);
        }
        messages.push(Message::Tool { results });
    };
    let sources = check(&answer, &seen(&messages));
    Talk { messages, answer, steps, sources, used: budget.used(), ended }
}

fn call(part: &Part) -> Option<&ToolCall> {
    match part {
        Part::Call(call) => Some(call),
        _ => None,
    }
}

fn text(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("")
}
