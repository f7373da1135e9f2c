//! What a language model says and does, while it does it.

use clusterlore_agent::converse::{Change, Heard, Limits, Sources, Step, Talk, Used};
use clusterlore_core::words::{cut, one_line};
use clusterlore_models::{ToolCall, ToolResult};
use serde::Serialize;

use super::ask::Manner;
use super::{foreign, json, json_line, line, note, part, yaml};
use crate::args::Output;

/// Characters of a call that are shown, and of what came of it.
const SHORT: usize = 160;
/// Characters that are held back of a word that does not end.
const LONGEST_WORD: usize = 4_096;

#[derive(Serialize)]
struct JsonTalk<'a> {
    question: &'a str,
    model: &'a str,
    answer: &'a str,
    steps: &'a [Step],
    #[serde(flatten)]
    sources: &'a Sources,
    used: Used,
    ended: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Shows what is heard: words on standard output as they come, steps on standard error.
pub(crate) struct Lines {
    output: Output,
    manner: Manner,
    /// What may be the beginning of a word: an address is masked only as a whole.
    held: String,
    /// Whether the line that was begun has not ended.
    open: bool,
    /// The first thing that could not be written.
    failed: Option<anyhow::Error>,
}

impl Lines {
    pub(crate) fn new(output: Output, manner: Manner) -> Self {
        Self { output, manner, held: String::new(), open: false, failed: None }
    }

    /// Shows it.
    pub(crate) fn hear(&mut self, heard: &Heard<'_>) {
        match heard {
            Heard::Text(text) if self.output == Output::Table => {
                self.held.push_str(text);
                let end = self.held.rfind(char::is_whitespace).map(|at| at + 1);
                let end = end.or((self.held.len() > LONGEST_WORD).then_some(self.held.len()));
                if let Some(end) = end {
                    // White space of more than one byte is none of a model's line.
                    let end = (end..=self.held.len()).find(|at| self.held.is_char_boundary(*at)).unwrap_or(end);
                    let words: String = self.held.drain(..end).collect();
                    self.say(&words);
                }
            }
            Heard::Text(_) => {}
            Heard::Calls(call) => {
                self.end_line();
                note(&format!("> {}", called(call)));
            }
            Heard::Told(result) => note(&format!("  {}", came(result))),
        }
    }

    fn say(&mut self, text: &str) {
        for (number, words) in text.split('\n').enumerate() {
            if number > 0 {
                self.write(|| line(""));
                self.open = false;
            }
            if !words.is_empty() {
                self.write(|| part(words));
                self.open = true;
            }
        }
    }

    fn write(&mut self, write: impl FnOnce() -> anyhow::Result<()>) {
        if self.failed.is_none() {
            self.failed = write().err();
        }
    }

    fn end_line(&mut self) {
        let rest = std::mem::take(&mut self.held);
        self.say(&rest);
        if std::mem::take(&mut self.open) {
            self.write(|| line(""));
        }
    }

    /// Shows how it ended. `all` is what was used of the limits since the conversation began.
    pub(crate) fn finish(
        mut self,
        question: &str,
        model: &str,
        talk: &Talk,
        limits: &Limits,
        all: Used,
    ) -> anyhow::Result<()> {
        self.end_line();
        if let Some(error) = self.failed {
            return Err(error);
        }
        let (ended, reason) = (talk.ended.name(), talk.ended.reason());
        let shape = || JsonTalk {
            question,
            model,
            answer: &talk.answer,
            steps: &talk.steps,
            sources: &talk.sources,
            used: talk.used,
            ended,
            reason: reason.clone(),
        };
        match self.output {
            Output::Json if self.manner == Manner::Lines => json_line(&shape())?,
            Output::Json => json(&shape())?,
            Output::Yaml => yaml(&shape())?,
            Output::Name => {
                let seen = talk.sources.citations.iter().filter(|citation| citation.seen);
                seen.map(|citation| &citation.id).try_for_each(|id| line(id))?;
            }
            Output::Table => marks(talk)?,
        }
        if let Some(why) = reason {
            let said = if talk.answer.trim().is_empty() { "There is no answer" } else { "The answer is not whole" };
            note(&format!("{said}: {why}."));
        }
        note(&used(talk));
        if self.manner != Manner::Alone {
            note(&used_of(limits, all));
        }
        Ok(())
    }
}

/// A change that waits for a yes, on standard error, and the question.
pub(crate) fn change(change: &Change) {
    note("");
    note(&format!("{} {}:", if change.creates { "Create" } else { "Change" }, change.id));
    change.diff.lines().for_each(note);
    if let Some(said) = &change.takes_over {
        note(&format!("Fields of others would be taken over: {said}"));
    }
    note("Apply this? Type yes to apply, anything else to leave it:");
}

/// What of the answer nothing was seen of.
fn marks(talk: &Talk) -> anyhow::Result<()> {
    let unseen: Vec<&str> =
        talk.sources.citations.iter().filter(|citation| !citation.seen).map(|citation| citation.id.as_str()).collect();
    if unseen.is_empty() && talk.sources.unsourced.is_empty() {
        return Ok(());
    }
    line("")?;
    for id in unseen {
        line(&format!("Not seen: [{id}] was returned by no tool."))?;
    }
    talk.sources.unsourced.iter().try_for_each(|sentence| line(&format!("No source: {}", one_line(sentence))))
}

/// `kubectl_get namespace=shop resource=pods`
fn called(call: &ToolCall) -> String {
    let arguments = match call.input.as_object() {
        // A manifest may hold what is nobody's to see; the change is shown before it is made.
        _ if call.name == "kubectl_apply" => String::new(),
        Some(fields) => {
            let field = |(name, value): (&String, &serde_json::Value)| match value.as_str() {
                Some(text) => format!(" {name}={text}"),
                None => format!(" {name}={value}"),
            };
            fields.iter().map(field).collect()
        }
        None => format!(" {}", call.input),
    };
    cut(&one_line(&format!("{}{arguments}", call.name)), SHORT).into_owned()
}

/// How many lines came, and the first of them; of a failure what it says.
fn came(result: &ToolResult) -> String {
    // Without the fence, which is for models.
    let all: Vec<&str> = result.text.lines().collect();
    let inside = if all.len() > 2 { &all[1..all.len() - 1] } else { &all[..] };
    let first = inside.iter().find(|line| !line.starts_with("id: ")).copied().unwrap_or_default();
    let said = match (result.failed, inside.len()) {
        (true, _) => format!("failed: {}", inside.join(" ")),
        (false, 1) => first.to_owned(),
        (false, lines) => format!("{lines} lines: {first}"),
    };
    cut(&foreign::visible(&one_line(&said)), SHORT).into_owned()
}

fn used(talk: &Talk) -> String {
    let used = talk.used;
    let turns = if used.steps == 1 { "turn" } else { "turns" };
    let cost = used.cost.map(|cost| format!(", ${cost:.4}")).unwrap_or_default();
    format!("{} {turns}, {} tokens read, {} said{cost}.", used.steps, used.input_tokens, used.output_tokens)
}

/// What is used of what the user allows for all questions together.
fn used_of(limits: &Limits, all: Used) -> String {
    let cost = all.cost.map(|cost| match limits.cost {
        Some(limit) => format!(", ${cost:.4} of ${limit}"),
        None => format!(", ${cost:.4}"),
    });
    let tokens = all.input_tokens.saturating_add(all.output_tokens);
    format!("In all: {tokens} of {} tokens{}.", limits.tokens, cost.unwrap_or_default())
}
