//! Conversations over HTTP. Anthropic and OpenAI-compatible servers differ in address, body and events only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_http::{Arriving, Bounds, Cause, Pauses};
use http::HeaderMap;
use serde_json::Value;

use crate::chat_model::{Ask, Broken, ChatModel, Turn};
use crate::draft::{Draft, Fault, Hear};
use crate::endpoint::{Address, Endpoint, Key, RemoteError};
use crate::language::ModelError;
use crate::price::Price;
use crate::sse::Events;

/// A model on a small machine reads a long conversation for minutes before it says its first word.
const BOUNDS: Bounds =
    Bounds { whole: Duration::from_secs(600), idle: Duration::from_secs(120), bytes: LARGEST_ANSWER };
/// Each token comes in an event of some 200 bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// So often a turn is asked for of which nothing was heard before it broke.
const TRIES: u32 = 3;

/// In what one API differs from another.
#[derive(Debug)]
pub(crate) struct ChatApi {
    /// What is called, from `/`.
    pub(crate) path: &'static str,
    /// Where the key is taken from.
    pub(crate) variable: &'static str,
    pub(crate) headers: fn(Option<&Key>) -> HeaderMap,
    /// The ways to ask. What a server does not know of one it refuses, and is asked in the next.
    pub(crate) ways: &'static [fn(&str, &Ask<'_>) -> Value],
    /// Reads the events of a turn.
    pub(crate) reader: fn() -> Box<dyn Reader>,
}

/// Reads the events of one turn.
pub(crate) trait Reader: Send {
    fn event(&mut self, data: &str, draft: &mut Draft, hear: Hear<'_>) -> Result<(), Fault>;
}

/// A model behind HTTP that holds a conversation.
#[derive(Debug)]
pub struct RemoteChat {
    api: ChatApi,
    name: String,
    model: String,
    endpoint: Endpoint,
    price: Option<Price>,
    /// The way that the server took last.
    way: AtomicUsize,
    pause: Duration,
}

impl RemoteChat {
    /// Ready to be asked; nothing is sent.
    pub(crate) fn new(
        api: ChatApi,
        name: String,
        model: &str,
        base: &str,
        key: Option<Key>,
        price: Option<Price>,
        pauses: Pauses,
    ) -> Result<Self, ModelError> {
        let address = Address {
            base: base.trim_end_matches('/').to_owned(),
            path: api.path,
            headers: (api.headers)(key.as_ref()),
            key,
            variable: api.variable,
            pauses,
        };
        let endpoint = Endpoint::new(address).map_err(|problem| ModelError::Remote { name: name.clone(), problem })?;
        Ok(Self { api, name, model: model.to_owned(), endpoint, price, way: AtomicUsize::new(0), pause: pauses.busy })
    }

    /// What the server says to `ask`, as soon as it says anything.
    async fn begin(&self, ask: &Ask<'_>) -> Result<Arriving, RemoteError> {
        let mut way = self.way.load(Ordering::Relaxed);
        loop {
            match self.endpoint.open(&(self.api.ways[way])(&self.model, ask), BOUNDS).await {
                Ok(arriving) => {
                    self.way.store(way, Ordering::Relaxed);
                    return Ok(arriving);
                }
                Err(RemoteError::Refused { status: 400 | 422, .. }) if way + 1 < self.api.ways.len() => way += 1,
                Err(RemoteError::Unavailable { tries, problem, .. }) => {
                    return Err(self.endpoint.unfinished(format!("no answer in {tries} tries ({problem})")));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a turn into `draft`, as far as it comes.
    async fn read(&self, mut arriving: Arriving, draft: &mut Draft, hear: Hear<'_>) -> Result<(), RemoteError> {
        let mut reader = (self.api.reader)();
        let mut events = Events::default();
        let mut begun = Vec::new();
        loop {
            let piece = arriving.next().await.map_err(|cause| match cause {
                Cause::TooLong(most) => self.endpoint.wrong(format!("{most} bytes at most"), "more"),
                cause => self.endpoint.unfinished(cause),
            })?;
            if begun.len() < 1_024 {
                begun.extend(piece.iter().flatten().take(1_024));
            }
            let ended = piece.is_none();
            let all = match piece {
                Some(piece) => events.take(&piece),
                None => events.rest().into_iter().collect(),
            };
            for event in all {
                reader.event(&event, draft, &mut *hear).map_err(|fault| match fault {
                    Fault::Said(what) => self.endpoint.unfinished(self.endpoint.said(what.as_bytes())),
                    Fault::Unreadable(expected, received) => self.endpoint.wrong(expected, received),
                })?;
            }
            match (draft.is_whole, ended) {
                (true, _) => return Ok(()),
                // Servers that leave the last event out have at least said why they stop.
                (false, true) if draft.stop.is_some() => return Ok(()),
                (false, true) if draft.is_empty() && draft.tokens.is_none() => {
                    let received = String::from_utf8_lossy(&begun).into_owned();
                    return Err(self.endpoint.wrong("server-sent events", received));
                }
                (false, true) => return Err(self.endpoint.unfinished("its answer ended in the middle")),
                (false, false) => {}
            }
        }
    }
}

#[async_trait]
impl ChatModel for RemoteChat {
    fn name(&self) -> &str {
        &self.name
    }

    async fn next(&self, ask: &Ask<'_>, hear: &mut (dyn for<'s> FnMut(&'s str) + Send)) -> Result<Turn, Broken> {
        let mut tries = 1;
        loop {
            let mut draft = Draft::default();
            // Who gave no answer at all was asked often enough.
            let (problem, begun) = match self.begin(ask).await {
                Ok(arriving) => match self.read(arriving, &mut draft, &mut *hear).await {
                    Ok(()) => return Ok(draft.turn()),
                    Err(problem) => (problem, true),
                },
                Err(problem) => (problem, false),
            };
            let broke = begun && matches!(problem, RemoteError::Unfinished { .. });
            if !broke || !draft.is_empty() || tries >= TRIES {
                let tokens = draft.tokens;
                let error = ModelError::Remote { name: self.name.clone(), problem };
                return Err(Broken { parts: draft.parts(false), tokens, error });
            }
            tokio::time::sleep(self.pause * tries).await;
            tries += 1;
        }
    }

    fn price(&self) -> Option<Price> {
        self.price
    }

    fn sends_to(&self) -> Option<&str> {
        Some(self.endpoint.host())
    }
}
