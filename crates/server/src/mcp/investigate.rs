//! `investigate`: a language model of the server's own looks into a question, with the agent's reading tools.

use clusterlore_agent::converse::{Ended, Step, fit};
use clusterlore_core::words;
use clusterlore_index::Request;
use rmcp::model::Tool as Told;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments;
use super::ground::Ground;
use super::tool::{Answer, Tool, described, reads};

/// Characters of the answer that are shown.
const ANSWER: usize = 3_000;
/// Calls, sources and sentences of each kind that are shown.
const MOST: usize = 8;
/// Characters of one.
const LONGEST: usize = 120;

pub(super) struct Investigate;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Input {
    /// What is to be found out, in plain words: "why does checkout fail?".
    question: String,
    /// Only objects in these namespaces are looked at.
    namespaces: Vec<String>,
    /// Only the cluster of this name is looked at.
    cluster: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Investigation {
    /// How many calls the model made.
    total: usize,
    /// How many of them are shown.
    shown: usize,
    /// How to see more.
    narrow: String,
    /// What the model says; the middle of a long answer is left out.
    answer: String,
    /// whole, limit, cutOff, declined or silent.
    ended: &'static str,
    /// Why it is not whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the answer cites.
    sources: Vec<Source>,
    /// Sentences of the answer that state something of the cluster and cite nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsourced: Vec<String>,
    /// What the model looked at.
    calls: Vec<Call>,
    /// Provider and model.
    model: String,
    /// Tokens that it read and said.
    tokens: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Source {
    /// For get_resource; or the name of a type, or of a tool.
    id: String,
    /// Whether a tool returned it: what none returned may be made up.
    seen: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Call {
    /// A tool of the model.
    tool: String,
    /// What it was called with, as JSON.
    arguments: String,
    /// Whether it failed.
    failed: bool,
}

impl Tool for Investigate {
    const NAME: &'static str = "investigate";
    const TITLE: &'static str = "Have a model look into a question";
    const DESCRIPTION: &'static str = "Has a language model of this server look into a question with tools of its own, which only read, and \
        gives its answer with the objects that it rests on. For \"why does checkout fail?\", where many objects, events and logs would have \
        to be read. It takes up to a minute and costs money: use the other tools for what one call answers.";
    type Input = Input;
    type Output = Investigation;

    async fn call(ground: &Ground<'_>, input: Input) -> Result<Answer<Investigation>, String> {
        let Some(investigator) = ground.investigator else {
            return Err("No language model is set for this server.".to_owned());
        };
        if input.question.trim().is_empty() {
            return Err(
                "question is empty; expected what is to be found out, such as \"why does checkout fail?\".".to_owned()
            );
        }
        let request = Request {
            question: input.question.trim().to_owned(),
            clusters: Some(arguments::text(&input.cluster)).filter(|name| !name.is_empty()).into_iter().collect(),
            namespaces: input.namespaces,
            now: ground.now(),
            ..Request::default()
        };
        let talk = investigator.investigate(ground.index, ground.scope, request).await?;
        if let Ended::Failed(error) = &talk.ended {
            return Err(format!("The model cannot be asked: {error}."));
        }
        let calls: Vec<Call> = talk.steps.iter().take(MOST).map(call).collect();
        let sources = talk.sources.citations.iter().take(MOST);
        let sources: Vec<Source> = sources.map(|source| Source { id: short(&source.id), seen: source.seen }).collect();
        let unsourced: Vec<String> = talk.sources.unsourced.iter().take(MOST).map(|said| short(said)).collect();
        let (total, shown, reason) = (talk.steps.len(), calls.len(), talk.ended.reason());
        let narrow = match &reason {
            None => "Ask again with namespaces or a narrower question for more.".to_owned(),
            Some(reason) => format!("The answer is not whole: {reason}. Ask something narrower."),
        };
        let told = format!("{total} calls made by the model, {shown} shown. {narrow}");
        let answer = fit(&talk.answer, ANSWER);
        let mut rows = vec![answer.clone()];
        rows.extend(sources.iter().filter(|source| !source.seen).map(|source| format!("not seen: {}", source.id)));
        rows.extend(unsourced.iter().map(|said| format!("no source: {said}")));
        rows.extend(calls.iter().map(|call| format!("called: {} {}", call.tool, call.arguments)));
        let object = Investigation {
            total,
            shown,
            narrow,
            answer,
            ended: talk.ended.name(),
            reason,
            sources,
            unsourced,
            calls,
            model: investigator.name().to_owned(),
            tokens: talk.used.input_tokens.saturating_add(talk.used.output_tokens),
        };
        Ok(Answer { told, rows: rows.join("\n"), object })
    }
}

/// The tool as clients are told of it. What the model is told goes to whoever provides it.
pub(super) fn tool() -> Told {
    described::<Investigate>().with_annotations(reads(Investigate::TITLE).open_world(true))
}

fn call(step: &Step) -> Call {
    Call { tool: short(&step.tool), arguments: short(&step.arguments.to_string()), failed: step.failed }
}

fn short(text: &str) -> String {
    words::cut(&words::one_line(text), LONGEST).into_owned()
}
