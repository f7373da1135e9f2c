//! Watches: what happened to objects is told to whoever watches, as an API server tells it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use clusterlore_core::{ResourceInstance, ResourceType};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::{sync::watch, time::Instant};

use super::exchange::{Asked, Body, JSON, PROTOBUF, Plain, forbidden, is_watch, parameter};
use super::fault::What;
use super::history::{History, Kind};
use super::state::{Encoding, Seen, State};
use super::wire;

/// The form in which events are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Metadata,
    Whole,
}

/// One watch while it lasts.
pub(super) struct Watcher {
    state: Arc<Mutex<State>>,
    news: watch::Receiver<()>,
    ty: ResourceType,
    namespace: Option<String>,
    form: Form,
    /// Up to here everything was told.
    told: u64,
    /// Told before anything else: what is there.
    initial: VecDeque<ResourceInstance>,
    /// Whether a bookmark says where the initial events end.
    marks_initial: bool,
    bookmarks: Option<Duration>,
    next_bookmark: Instant,
    ends: Instant,
    fault: Option<What>,
    events: usize,
    over: bool,
}

impl Watcher {
    /// A watch, where the request is for one; or the answer to a request for one that cannot be had.
    pub(super) fn of(
        shared: &Arc<Mutex<State>>,
        state: &State,
        seen: &Seen,
        asked: &Asked,
        fault: Option<&What>,
    ) -> Option<Result<Self, Plain>> {
        let ty = asked.ty.as_ref().filter(|_| asked.name.is_none() && is_watch(seen))?;
        Some(Self::open(shared, state, seen, asked, ty, fault))
    }

    fn open(
        shared: &Arc<Mutex<State>>,
        state: &State,
        seen: &Seen,
        asked: &Asked,
        ty: &ResourceType,
        fault: Option<&What>,
    ) -> Result<Self, Plain> {
        let history = &state.history;
        let is_set = |name| parameter(&seen.query, name).is_some_and(|value| value == "true" || value == "1");
        if !state.may_list(&ty.name(), asked.namespace.as_deref()) {
            return Err(forbidden(ty, "watch", seen));
        }
        let form = match state.encodings.get(&ty.name()).copied().unwrap_or_default() {
            Encoding::OnlyPlainJson if seen.accept != JSON => {
                return Err(Plain::status(406, "only application/json is served", JSON));
            }
            Encoding::Any if seen.accept.starts_with(PROTOBUF) => Form::Protobuf,
            Encoding::Any | Encoding::MetadataJson if seen.accept.contains("as=PartialObjectMetadata") => {
                Form::Metadata
            }
            _ => Form::Whole,
        };
        let initial_events = is_set("sendInitialEvents") && !history.ignores_initial_events;
        if initial_events && !history.initial_events {
            return Err(Plain::status(422, REFUSED_INITIAL_EVENTS, &seen.accept));
        }
        let from = parameter(&seen.query, "resourceVersion").unwrap_or_default();
        let Ok(from) = (if from.is_empty() { Ok(0) } else { from.parse::<u64>() }) else {
            let message = format!("resourceVersion: Invalid value: {from:?}: strconv.ParseUint: invalid syntax");
            return Err(Plain::status(500, &message, &seen.accept));
        };
        let anew = from == 0 || initial_events;
        let expired = !anew && from < history.forgotten;
        if expired && history.refuses {
            return Err(Plain::status(410, &too_old(from, history), &seen.accept));
        }
        let initial = if anew { state.page(&ty.name(), asked.namespace.as_deref(), None, None).0 } else { Vec::new() };
        let seconds = parameter(&seen.query, "timeoutSeconds").and_then(|seconds| seconds.parse().ok());
        let now = Instant::now();
        Ok(Self {
            state: Arc::clone(shared),
            news: history.news.subscribe(),
            ty: ty.clone(),
            namespace: asked.namespace.clone(),
            form,
            told: if anew { state.resource_version } else { from },
            initial: initial.into(),
            marks_initial: initial_events,
            bookmarks: is_set("allowWatchBookmarks").then_some(history.bookmarks),
            next_bookmark: now + history.bookmarks,
            ends: now + Duration::from_secs(seconds.unwrap_or(1800)),
            fault: fault.cloned(),
            events: 0,
            over: false,
        })
    }

    pub(super) fn content_type(&self) -> &'static str {
        if self.form == Form::Protobuf { "application/vnd.kubernetes.protobuf;stream=watch" } else { JSON }
    }

    pub(super) fn body(self) -> Body {
        StreamBody::new(stream::unfold(self, Self::next).map(|event| event.map(Frame::data))).boxed_unsync()
    }

    /// The next event; waits for it. An error cuts the connection.
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        if self.over {
            return None;
        }
        if let Some(What::Silent) = self.fault {
            std::future::pending::<()>().await;
        }
        loop {
            match self.fault {
                Some(What::CutAfter(events)) if self.events >= events => {
                    // The client has what came before in its hands when the connection goes.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    self.over = true;
                    return Some((Err(std::io::Error::other("cut as the test wished")), self));
                }
                Some(What::ExpiresAfter(events)) if self.events >= events => {
                    let error = self.error(410, "The resourceVersion for the provided watch is too old.");
                    return Some((Ok(error), self));
                }
                _ => {}
            }
            match self.happened() {
                Happened::Event(event) => {
                    self.events += 1;
                    return Some((Ok(event), self));
                }
                Happened::Nothing => {}
                Happened::Expired(message) => {
                    let error = self.error(410, &message);
                    return Some((Ok(error), self));
                }
                Happened::End => return None,
            }
            let bookmark = self.bookmarks.map_or(self.ends, |_| self.next_bookmark);
            tokio::select! {
                news = self.news.changed() => news.ok()?,
                () = tokio::time::sleep_until(self.ends) => return None,
                () = tokio::time::sleep_until(bookmark), if self.bookmarks.is_some() => {
                    self.next_bookmark += self.bookmarks.unwrap_or_default();
                    let bookmark = self.bookmark(false);
                    return Some((Ok(bookmark), self));
                }
            }
        }
    }

    /// What is to be told now.
    fn happened(&mut self) -> Happened {
        if let Some(object) = self.initial.pop_front() {
            return Happened::Event(self.event(Kind::Added, &object));
        }
        if std::mem::take(&mut self.marks_initial) {
            return Happened::Event(self.bookmark(true));
        }
        let shared = Arc::clone(&self.state);
        let state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if self.told < state.history.forgotten {
            return Happened::Expired(too_old(self.told, &state.history));
        }
        while let Some(change) = state.history.after(self.told) {
            self.told = change.version;
            let inside = self.namespace.as_ref().is_none_or(|namespace| *namespace == change.object.namespace);
            if change.type_name == self.ty.name() && inside {
                return Happened::Event(self.event(change.kind, &change.object));
            }
        }
        self.told = state.resource_version;
        let is_served = state.types.iter().any(|ty| ty.name() == self.ty.name());
        if is_served { Happened::Nothing } else { Happened::End }
    }

    fn event(&self, kind: Kind, object: &ResourceInstance) -> Bytes {
        match self.form {
            Form::Protobuf => wire::event_protobuf(kind.name(), &wire::metadata_protobuf(object)),
            Form::Metadata => wire::event_json(kind.name(), &wire::object_json(object, false)),
            Form::Whole => wire::event_json(kind.name(), &wire::whole_json(&self.ty, object)),
        }
    }

    fn bookmark(&self, ends_initial: bool) -> Bytes {
        match self.form {
            Form::Protobuf => {
                wire::event_protobuf(Kind::Bookmark.name(), &wire::bookmark_protobuf(self.told, ends_initial))
            }
            Form::Metadata | Form::Whole => {
                let (kind, api_version) = match self.form {
                    Form::Whole => (self.ty.kind.clone(), self.ty.api_version()),
                    _ => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
                };
                let bookmark = wire::bookmark_json(&kind, &api_version, self.told, ends_initial);
                wire::event_json(Kind::Bookmark.name(), &bookmark)
            }
        }
    }

    /// The last event.
    fn error(&mut self, code: u16, message: &str) -> Bytes {
        self.over = true;
        match self.form {
            Form::Protobuf => wire::event_protobuf(Kind::Error.name(), &wire::status_protobuf(code, message)),
            _ => wire::event_json(Kind::Error.name(), &wire::status_json(code, message)),
        }
    }
}

enum Happened {
    Event(Bytes),
    Nothing,
    /// Something that is not kept any more.
    Expired(String),
    /// The type is gone.
    End,
}

const REFUSED_INITIAL_EVENTS: &str = "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";

fn too_old(version: u64, history: &History) -> String {
    format!("too old resource version: {version} ({})", history.forgotten)
}
