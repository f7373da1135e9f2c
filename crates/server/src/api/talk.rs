//! Conversations. The client keeps what was said and sends it along, so that any replica answers the next question; it is believed no
//! more than a question is: what it names is looked for under the caller's scope.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clusterlore_agent::{Answer, Concluded, Conversation, Subjects, Turn, conclude, gather_next};
use clusterlore_core::Scope;
use clusterlore_index::Request;
use futures::stream;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use tokio::sync::mpsc::{self, Sender};
use tracing::{Instrument, Span};

use super::question::{Question, question_and_turns};
use crate::app::App;
use crate::auth::Caller;
use crate::json::json;
use crate::limits::Slot;
use crate::problem::Problem;
use crate::refusals::{Asked, AskedAsJson};

/// What comes next. Answers are made of few of these, so that no event waits for a slow reader for long.
const EVENTS: usize = 16;
const STREAM: &str = "text/event-stream";

/// The next question of a conversation.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "describes what question_and_turns reads")]
pub(crate) struct Talk {
    /// What is asked.
    question: Question,
    /// The turns before it, the oldest first, each as an answer gave it; none: a new conversation.
    #[schema(required = false, max_items = 50)]
    turns: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// An answer of a conversation.
#[derive(Serialize)]
struct Said<'a, A> {
    #[serde(flatten)]
    answer: A,
    /// What the next question has to be sent with, behind the turns before it.
    turn: &'a Turn,
}

/// What is done while an answer is made.
#[derive(Serialize)]
struct Step {
    text: String,
}

/// Answers the next question of a conversation: "which of them are not ready?". It goes on with the turns that are sent along, which are
/// those that answers gave; the server keeps none. With `Accept: text/event-stream` events tell what is done meanwhile: `step` with a
/// `text`, then `answer`, or `problem`. `ask` answers one question that stands by itself, in an address, too.
#[utoipa::path(post, path = "/api/v1/talk", tag = "questions", request_body = Talk, responses(
    (status = 200, description = "Sentences, what they rest on, and the turn to send along next", content((serde_json::Value = "application/json"), (String = "text/event-stream"))),
    Asked, AskedAsJson))]
pub(crate) async fn talk(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(slot): Extension<Slot>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let (question, turns) = question_and_turns(&headers, &body)?;
    let request = question.request()?;
    let conversation = Conversation { turns };
    if !wants_events(&headers) {
        let concluded = concluded(&app, &caller.scope, &request, &conversation, |_| {}).await?;
        let turn = Turn::of(&concluded.answer, &request.now);
        return Ok(json(StatusCode::OK, &Said { answer: concluded.told(), turn: &turn }));
    }
    let (events, coming) = mpsc::channel(EVENTS);
    // It ends with its reader: then nobody receives.
    let answering = async move {
        // As long as it is answered it counts among those that are.
        let _slot = slot;
        let answer = spoken(&app, &caller.scope, &request, &conversation, &events);
        tokio::select! {
            ended = tokio::time::timeout(app.server.limits.time, answer) => if ended.is_err() {
                send(&events, problem(&Problem::busy("the answer took too long", 1))).await;
            },
            () = events.closed() => {}
        }
    };
    tokio::spawn(answering.instrument(Span::current()));
    let coming = stream::unfold(coming, |mut coming| async {
        let event = coming.recv().await?;
        Some((Ok::<Event, Infallible>(event), coming))
    });
    Ok(Sse::new(coming).keep_alive(KeepAlive::default()).into_response())
}

fn wants_events(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let media = all.flat_map(|value| value.split(',')).map(|range| range.split(';').next().unwrap_or_default().trim());
    media.into_iter().any(|media| media.eq_ignore_ascii_case(STREAM))
}

/// Answers, and tells each step before it is taken.
async fn concluded(
    app: &App,
    scope: &Scope,
    request: &Request,
    conversation: &Conversation,
    mut tell: impl FnMut(String),
) -> Result<Concluded, Problem> {
    let server = &app.server;
    tell("Searching the index".to_owned());
    let found = gather_next(&server.index, &server.catalogue, scope, request, conversation).await?;
    tell(match found.reply.hits.len() {
        0 => "Nothing found that fits; putting that into words".to_owned(),
        1 => "Found 1 object; putting it into words".to_owned(),
        number => format!("Found {number} that may fit; putting them into words"),
    });
    let before = |subjects: &Subjects| {
        let names: Vec<String> =
            subjects.targets.iter().map(|target| format!("{} {}", target.ty.kind, target.name)).collect();
        tell(format!("Looking into {} on the cluster", names.join(", ")));
    };
    Ok(conclude(&server.index, &server.catalogue, scope, found, request.live, before).await?)
}

async fn spoken(app: &App, scope: &Scope, request: &Request, conversation: &Conversation, events: &Sender<Event>) {
    // Steps are told as they happen; of a reader that is behind some are left out.
    let tell = |text: String| drop(event("step", &Step { text }).map(|event| events.try_send(event)));
    let last = match concluded(app, scope, request, conversation, tell).await {
        Ok(concluded) => answered(&concluded, &concluded.answer, request),
        Err(refused) => problem(&refused),
    };
    send(events, last).await;
}

fn answered(concluded: &Concluded, answer: &Answer, request: &Request) -> Option<Event> {
    event("answer", &Said { answer: concluded.told(), turn: &Turn::of(answer, &request.now) })
}

fn problem(problem: &Problem) -> Option<Event> {
    event("problem", problem)
}

fn event(name: &str, data: &impl Serialize) -> Option<Event> {
    // JSON has no line breaks of its own.
    Some(Event::default().event(name).data(serde_json::to_string(data).ok()?))
}

async fn send(events: &Sender<Event>, event: Option<Event>) {
    if let Some(event) = event {
        // Whoever is gone reads nothing.
        let _ = events.send(event).await;
    }
}
