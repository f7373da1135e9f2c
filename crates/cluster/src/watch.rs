//! One watch: what happens to the objects of a type from a position on, as long as the server tells. When to watch again, or to list, is
//! the reader's to decide.

use std::time::Duration;

use clusterlore_core::{AnnotationChoice, ResourceType};
use clusterlore_http::escaped;
use http::StatusCode;
use tokio::time::{Instant, timeout_at};

use crate::decode::Asked;
use crate::decode::watch::{EventReader, Told};
use crate::error::ClusterError;
use crate::line::one_line;
use crate::list::{PLAIN_JSON, Stopped, path, stopped};
use crate::requests::{Arriving, Ask, Broken, Failure, SharedRequests};
use crate::source::{Position, SkipReason, Skipped, SourceEvent};

const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// How long a watch may last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchBounds {
    /// After this time the server is asked to end it, in whole seconds.
    pub timeout: Duration,
    /// So long nothing may be heard before the connection counts as dead. API servers send a bookmark about every minute; the first may
    /// take two.
    pub idle: Duration,
}

impl Default for WatchBounds {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(300), idle: Duration::from_secs(180) }
    }
}

/// What a watch gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// [`SourceEvent::Changed`], [`SourceEvent::Gone`], or, as the last of all, [`SourceEvent::Failed`].
    Event(SourceEvent),
    /// A bookmark: up to this `resourceVersion` nothing happened that was not told. More may follow.
    Bookmark(String),
    /// Something happened to an object that cannot be read, for this reason: whatever is known of it may be wrong until the type is
    /// listed again. More may follow.
    Unreadable(String),
}

/// One watch, from [`LiveSource::watch`](crate::live::LiveSource::watch).
pub struct Watch {
    ty: ResourceType,
    namespace: Option<String>,
    version: String,
    annotations: AnnotationChoice,
    state: State,
    bounds: WatchBounds,
    heard: Instant,
    ends: Instant,
}

enum State {
    Open(Box<(Arriving, EventReader)>),
    /// Refused: told when something is asked for.
    Refused(Skipped),
    Over,
}

impl Watch {
    pub(crate) async fn open(
        requests: &SharedRequests,
        ty: &ResourceType,
        from: &Position,
        bounds: &WatchBounds,
    ) -> Result<Self, ClusterError> {
        let state = match begin(requests, ty, from, bounds).await.map_err(stopped) {
            Ok(open) => State::Open(Box::new(open)),
            Err(Stopped::Type(skipped)) => State::Refused(skipped),
            Err(Stopped::Run(error)) => return Err(error),
        };
        let heard = Instant::now();
        Ok(Self {
            ty: ty.clone(),
            namespace: from.namespace.clone(),
            version: from.resource_version.clone(),
            annotations: requests.options.annotations.clone(),
            state,
            bounds: bounds.clone(),
            heard,
            // What takes longer than it was asked to is not taken for alive for ever.
            ends: heard + bounds.timeout + requests.options.request_timeout,
        })
    }

    /// Whether the server has agreed to it and it has not ended. One that was refused tells why when it is asked for what happened.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Up to where it was told what happened: a watch from here on misses nothing.
    pub fn position(&self) -> Position {
        Position { namespace: self.namespace.clone(), resource_version: self.version.clone() }
    }

    /// What happened next; waits until something does. `None`: the watch has ended as it should, or has failed before. Nothing is lost where
    /// this is dropped while it waits.
    pub async fn next(&mut self) -> Option<Watched> {
        let told = self.told().await;
        let watched = match told {
            Ok(Some(Told::Changed { object, manager })) => {
                self.reached(&object.resource_version);
                Watched::Event(SourceEvent::Changed { object, manager })
            }
            Ok(Some(Told::Gone { object, version })) => {
                self.reached(&version);
                Watched::Event(SourceEvent::Gone(object))
            }
            Ok(Some(Told::Bookmark { version, .. })) => {
                self.reached(&version);
                Watched::Bookmark(version)
            }
            Ok(Some(Told::Unreadable(reason))) => Watched::Unreadable(one_line(&reason)),
            Ok(Some(Told::Error(code, message))) => {
                let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.failed(Failure::Status(code, one_line(&message)))
            }
            Err(reason) => self.failed(Failure::Unavailable(reason)),
            Ok(None) => {
                let State::Refused(skipped) = std::mem::replace(&mut self.state, State::Over) else { return None };
                Watched::Event(SourceEvent::Failed(skipped))
            }
        };
        Some(watched)
    }

    /// The next event; `None`: there is none any more.
    async fn told(&mut self) -> Result<Option<Told>, String> {
        let State::Open(open) = &mut self.state else { return Ok(None) };
        let (arriving, reader) = &mut **open;
        let asked = Asked::new(&self.ty, self.namespace.as_deref()).keeping(&self.annotations);
        loop {
            if let Some(told) = reader.next(&asked)? {
                return Ok(Some(told));
            }
            let until = self.ends.min(self.heard + self.bounds.idle);
            match timeout_at(until, arriving.next()).await {
                Ok(Ok(Some(data))) => {
                    self.heard = Instant::now();
                    reader.push(&data);
                }
                Ok(Ok(None)) => return reader.end().map(|()| None),
                Ok(Err(broken)) => return Err(reason(broken)),
                Err(_) if until == self.ends => {
                    return Err(format!("the watch was to end after {:?} and did not", self.bounds.timeout));
                }
                Err(_) => return Err(format!("nothing was heard of the watch for {:?}", self.bounds.idle)),
            }
        }
    }

    fn reached(&mut self, version: &str) {
        if !version.is_empty() {
            version.clone_into(&mut self.version);
        }
    }

    /// The last that is told.
    fn failed(&mut self, failure: Failure) -> Watched {
        self.state = State::Over;
        let skipped = match stopped(failure) {
            Stopped::Type(skipped) => skipped,
            Stopped::Run(error) => Skipped { reason: SkipReason::Unavailable, message: error.to_string() },
        };
        Watched::Event(SourceEvent::Failed(skipped))
    }
}

async fn begin(
    requests: &SharedRequests,
    ty: &ResourceType,
    from: &Position,
    bounds: &WatchBounds,
) -> Result<(Arriving, EventReader), Failure> {
    let version = &from.resource_version;
    if version.is_empty() {
        // Without one the server begins anywhere, and what was deleted before is never told.
        return Err(Failure::Unavailable("the list gave no resourceVersion to go on from".to_owned()));
    }
    let query = format!(
        "watch=true&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={}",
        escaped(version),
        bounds.timeout.as_secs().max(1)
    );
    let path = format!("{}?{query}", path(ty, from.namespace.as_deref()));
    open(requests, path, u64::MAX).await
}

/// Opens the watch at this path, of which at most so many bytes are read.
pub(crate) async fn open(
    requests: &SharedRequests,
    path: String,
    most: u64,
) -> Result<(Arriving, EventReader), Failure> {
    let mut ask = Ask::get(path, METADATA);
    let arriving = match requests.open_endless(&ask, most).await {
        Err(Failure::Status(StatusCode::NOT_ACCEPTABLE, _)) => {
            ask.accept = PLAIN_JSON;
            requests.open_endless(&ask, most).await?
        }
        other => other?,
    };
    let reader = EventReader::new(&arriving.content_type).map_err(Failure::Unavailable)?;
    Ok((arriving, reader))
}

/// Why a watch broke off.
pub(crate) fn reason(broken: Broken) -> String {
    match broken {
        Broken::Refused(status, ..) => status.to_string(),
        Broken::Ends(error) => error.to_string(),
        Broken::Unreachable(reason) | Broken::Cut(reason) | Broken::Unfit(reason) => reason,
    }
}
