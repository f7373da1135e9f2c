//! A streaming list (KEP-3157): a watch that begins with an event for each object that is there, and says with a bookmark that these were
//! all. The server reads it from memory, where it reads pages from etcd. It is a list only if that bookmark came; whatever else happens,
//! the type is read by pages, which decide.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clusterlore_core::ResourceType;
use http::StatusCode;
use tokio::time::{Instant, timeout};

use crate::decode::watch::Told;
use crate::decode::{Asked, Item, WAITING_BYTES};
use crate::error::ClusterError;
use crate::list::{Stopped, UNPAGED, Whole, path};
use crate::requests::{Failure, SharedRequests, status_line};
use crate::source::{EventSink, Position, SourceEvent};
use crate::watch::{open, reason};

/// So long nothing may be heard of a streaming list. What a server has of it, it sends at once; the bookmark comes as soon as its memory is
/// known to be current.
const SILENCE: Duration = Duration::from_secs(10);
/// So long it is remembered that a server has no streaming lists.
const REMEMBERED: Duration = Duration::from_secs(600);

/// What is known of the streaming lists of one server, whose groups may be served by others behind it.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whether any came to its end.
    any: bool,
    /// The groups in which there are none, and when that was seen.
    none: HashMap<String, Instant>,
}

impl Streams {
    /// Whether a list of a type of this group may be a stream. Before any was, one refusal counts for all groups.
    fn may(&self, group: &str, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.none.retain(|_, seen| now.saturating_duration_since(*seen) < REMEMBERED);
        if known.any { !known.none.contains_key(group) } else { known.none.is_empty() }
    }

    fn came(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).any = true;
    }

    fn refused(&self, group: &str, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).none.insert(group.to_owned(), now);
    }
}

/// Why a list was not streamed to its end.
enum Cut {
    Ends(ClusterError),
    /// The server has no streaming lists of the type.
    Unknown(String),
    /// Another time it may go well.
    Broken(String),
}

impl From<Failure> for Cut {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ends(error) => Self::Ends(error),
            Failure::Status(code @ (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY), message) => {
                Self::Unknown(status_line(code, &message))
            }
            Failure::Status(code, message) => Self::Broken(status_line(code, &message)),
            Failure::Unavailable(reason) => Self::Broken(reason),
        }
    }
}

/// Reads one list as a stream to its end. `None`: it has to be read by pages; that it begins again has been said.
pub(crate) async fn read(
    requests: &SharedRequests,
    streams: &Streams,
    ty: &Arc<ResourceType>,
    namespace: Option<&str>,
    events: &EventSink,
) -> Result<Option<Whole>, Stopped> {
    if !streams.may(&ty.group, Instant::now()) {
        return Ok(None);
    }
    let reason = match read_once(requests, ty, namespace, events).await {
        Ok(resource_version) => {
            streams.came();
            let position = Position { namespace: namespace.map(str::to_owned), resource_version };
            return Ok(Some(Whole { position, skipped: None }));
        }
        Err(Cut::Ends(error)) => return Err(Stopped::Run(error)),
        Err(Cut::Unknown(reason)) => {
            streams.refused(&ty.group, Instant::now());
            reason
        }
        Err(Cut::Broken(reason)) => reason,
    };
    tracing::debug!(plural = ty.plural, namespace, %reason, "not streamed: read by pages");
    events.begin(namespace).await.map_err(Stopped::Run)?;
    Ok(None)
}

/// Hands on what is there; gives the version of the bookmark after it.
async fn read_once(
    requests: &SharedRequests,
    ty: &Arc<ResourceType>,
    namespace: Option<&str>,
    events: &EventSink,
) -> Result<String, Cut> {
    let options = &requests.options;
    let path = format!(
        "{}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds={}",
        path(ty, namespace),
        options.answer_timeout.as_secs().max(1)
    );
    let (mut arriving, mut reader) = open(requests, path, options.answer_bytes.saturating_mul(UNPAGED)).await?;
    let asked = Asked::new(ty, namespace).keeping(&options.annotations);
    let silence = SILENCE.min(options.request_timeout);
    let (mut page, mut weight, mut waited) = (Vec::new(), 0, Duration::ZERO);
    loop {
        while let Some(told) = reader.next(&asked).map_err(Cut::Broken)? {
            match told {
                Told::Changed { object, .. } => {
                    weight += object.weight();
                    page.push(*object);
                    if page.len() >= options.page_size.max(1) as usize || weight >= WAITING_BYTES {
                        weight = 0;
                        events.send(SourceEvent::Page(std::mem::take(&mut page))).await.map_err(Cut::Ends)?;
                    }
                }
                // The state that was told first may be older than the one that the bookmark is about.
                Told::Gone { object, .. } => {
                    events.send(SourceEvent::Page(std::mem::take(&mut page))).await.map_err(Cut::Ends)?;
                    events.send(SourceEvent::Gone(object)).await.map_err(Cut::Ends)?;
                }
                Told::Bookmark { version, ends_initial: true } => {
                    events.send(SourceEvent::Page(page)).await.map_err(Cut::Ends)?;
                    return Ok(version);
                }
                // A server that knows what was asked for sends no other before.
                Told::Bookmark { .. } => {
                    return Err(Cut::Unknown("a bookmark that ends nothing came first".to_owned()));
                }
                Told::Error(code, message) => return Err(Cut::Broken(format!("{code} {message}"))),
                Told::Unreadable(reason) => return Err(Cut::Broken(reason)),
            }
        }
        let began = Instant::now();
        match timeout(silence, arriving.next()).await {
            Ok(Ok(Some(data))) => reader.push(&data),
            Ok(Ok(None)) => return Err(Cut::Broken("the watch ended before its bookmark".to_owned())),
            Ok(Err(broken)) => return Err(Cut::Broken(reason(broken))),
            Err(_) => return Err(Cut::Unknown(format!("no bookmark within {silence:?}"))),
        }
        waited += began.elapsed();
        if waited > options.answer_timeout {
            return Err(Cut::Unknown(format!("no bookmark within {:?}", options.answer_timeout)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_has_none_is_not_asked_for_a_while_and_a_group_that_has_none_is_left_out() {
        let (streams, now) = (Streams::default(), Instant::now());
        assert!(streams.may("", now) && streams.may("apps", now));
        streams.refused("apps", now);
        assert!(!streams.may("", now) && !streams.may("apps", now + REMEMBERED / 2));
        assert!(streams.may("apps", now + REMEMBERED));
        streams.came();
        streams.refused("metrics.k8s.io", now);
        assert!(streams.may("", now) && !streams.may("metrics.k8s.io", now));
        assert!(streams.may("metrics.k8s.io", now + REMEMBERED));
    }
}
