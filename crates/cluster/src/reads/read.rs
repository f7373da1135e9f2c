//! The reads themselves, all under one deadline. What cannot be read is an answer, too.

use futures::future::BoxFuture;
use std::fmt;
use std::time::Duration;

use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use clusterlore_http::escaped;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::event::Event;
use super::object::Object;
use crate::decode::from_whole_json;
use crate::list::{PLAIN_JSON, Tokens, page_path, path};
use crate::live::LiveSource;
use crate::requests::{Ask, Failure, Requests, Take};
use crate::tables::{NotRead, not_read};

const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const ANYTHING: &str = "*/*";

/// Maps in one answer: in memory they are many times as large as on the way.
const MAPS: usize = 100_000;
/// A kubelet counts bytes from the first of the lines that were asked for, so that too few of them would lose the last lines.
const LOG_ROOM: u64 = 16;

/// How much may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLimits {
    /// For everything together. There are no second tries.
    pub time: Duration,
    /// Bytes of one object, and of one list.
    pub bytes: u64,
    /// Objects of one list.
    pub objects: usize,
    /// Objects of one answer.
    pub page: u32,
    /// Requests at the same time.
    pub at_once: usize,
    /// Last lines of a log.
    pub log_lines: u32,
    /// Last bytes of a log.
    pub log_bytes: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            bytes: 8 << 20,
            objects: 1_000,
            page: 250,
            at_once: 8,
            log_lines: 50,
            log_bytes: 32 << 10,
        }
    }
}

/// Objects of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T = Object> {
    /// Those that were read.
    pub items: Vec<T>,
    /// There are more than may be read.
    pub more: bool,
}

/// The end of a container's log.
#[derive(Clone, PartialEq, Eq)]
pub struct Log {
    /// As the container wrote it, and not to be shown as it is.
    pub text: String,
    /// Its beginning, or its very end, did not fit.
    pub cut: bool,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({} bytes)", self.text.len())
    }
}

/// What events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `Pod`.
    pub kind: &'a str,
    /// `_cluster` for objects that have none.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid where only this one object is meant, and not others of its name before it. Events of nodes know no uid.
    pub uid: Option<&'a str>,
}

/// Reads of one cluster until a time. Clones of one look share its time and its requests at once.
pub struct Reads<'a> {
    requests: &'a Requests,
    limits: ReadLimits,
    deadline: Instant,
    turns: Semaphore,
}

impl LiveSource {
    /// Begins to read: the time runs from here on.
    pub fn reads(&self, limits: ReadLimits) -> Reads<'_> {
        let (deadline, turns) = (Instant::now() + limits.time, Semaphore::new(limits.at_once.max(1)));
        Reads { requests: &self.requests, limits, deadline, turns }
    }
}

impl Reads<'_> {
    /// An object; `None`: there is none of this name. `namespace` is `_cluster` for objects that have none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn object<'f>(
        &'f self,
        ty: &'f ResourceType,
        namespace: &'f str,
        name: &'f str,
    ) -> BoxFuture<'f, Result<Option<Object>, NotRead>> {
        Box::pin(async move { self.one(ty, namespace, name, PLAIN_JSON).await })
    }

    /// Whether there is such an object. Nothing but its metadata is sent.
    ///
    /// # Errors
    /// Nobody can tell.
    pub fn exists<'f>(
        &'f self,
        ty: &'f ResourceType,
        namespace: &'f str,
        name: &'f str,
    ) -> BoxFuture<'f, Result<bool, NotRead>> {
        Box::pin(async move { Ok(self.one(ty, namespace, name, METADATA).await?.is_some()) })
    }

    async fn one(
        &self,
        ty: &ResourceType,
        namespace: &str,
        name: &str,
        accept: &'static str,
    ) -> Result<Option<Object>, NotRead> {
        let path = format!("{}/{}", path(ty, scope(namespace)), escaped(name));
        let body = match self.whole(&Ask::get(path, accept)).await {
            Err(Unanswered::NoObject(_)) => return Ok(None),
            Err(Unanswered::Why(why)) => return Err(why),
            Ok(body) => body,
        };
        let json: Value = from_whole_json(&body, MAPS).map_err(NotRead::Cut)?;
        let object = Object::of_list(json, ty);
        let is_it = [ty.kind.as_str(), "PartialObjectMetadata"].contains(&object.kind()) && object.name() == name;
        if is_it { Ok(Some(object)) } else { Err(strange()) }
    }

    /// Objects of a type in a namespace (`_cluster`: anywhere) that a label selector matches; an empty one matches all.
    ///
    /// # Errors
    /// Nothing can be read.
    pub fn list<'f>(
        &'f self,
        ty: &'f ResourceType,
        namespace: &'f str,
        selector: &'f str,
    ) -> BoxFuture<'f, Result<Listed, NotRead>> {
        Box::pin(async move {
            let selected =
                if selector.is_empty() { String::new() } else { format!("&labelSelector={}", escaped(selector)) };
            self.pages(ty, scope(namespace), &selected).await
        })
    }

    /// Events of an object, the last one last.
    ///
    /// # Errors
    /// None can be read.
    pub fn events<'f>(&'f self, of: &'f Subject<'f>) -> BoxFuture<'f, Result<Listed<Event>, NotRead>> {
        Box::pin(async move {
            let ty = ResourceType {
                version: "v1".to_owned(),
                kind: "Event".to_owned(),
                plural: "events".to_owned(),
                namespaced: true,
                ..ResourceType::default()
            };
            // What is in no namespace has its events in this one.
            let namespace = scope(of.namespace).unwrap_or("default");
            let mut fields = format!("involvedObject.kind={},involvedObject.name={}", of.kind, of.name);
            if let Some(uid) = of.uid.filter(|uid| !uid.is_empty()) {
                fields.push_str(&format!(",involvedObject.uid={uid}"));
            }
            let read = self.pages(&ty, Some(namespace), &format!("&fieldSelector={}", escaped(&fields))).await?;
            let mut events: Vec<Event> = read.items.iter().map(Event::of).collect();
            events.sort_by(|a, b| a.last.cmp(&b.last));
            Ok(Listed { items: events, more: read.more })
        })
    }

    async fn pages(&self, ty: &ResourceType, namespace: Option<&str>, query: &str) -> Result<Listed, NotRead> {
        #[derive(Deserialize)]
        struct Page {
            kind: String,
            #[serde(default)]
            metadata: Meta,
            items: Option<Vec<Value>>,
        }
        #[derive(Default, Deserialize)]
        struct Meta {
            #[serde(rename = "continue", default)]
            next: String,
        }
        let list = path(ty, namespace);
        let mut tokens = Tokens::new(u32::try_from(self.limits.objects).unwrap_or(u32::MAX).saturating_add(1));
        let (mut token, mut bytes) = (String::new(), 0);
        let mut read = Listed { items: Vec::new(), more: false };
        loop {
            let path = format!("{}{query}", page_path(&list, Some(self.limits.page.max(1)), &token));
            let body = self.whole(&Ask::get(path, PLAIN_JSON)).await.map_err(Unanswered::of_list)?;
            let page: Page = from_whole_json(&body, MAPS).map_err(NotRead::Cut)?;
            if !page.kind.ends_with("List") {
                return Err(strange());
            }
            bytes += body.len() as u64;
            read.items.extend(page.items.into_iter().flatten().map(|item| Object::of_list(item, ty)));
            token = page.metadata.next;
            if read.items.len() > self.limits.objects || bytes > self.limits.bytes && !token.is_empty() {
                read.items.truncate(self.limits.objects);
                read.more = true;
            }
            if token.is_empty() || read.more {
                return Ok(read);
            }
            tokens.take(&token).map_err(not_read)?;
        }
    }

    /// The last lines of a container's log; `previous`: of the run before its last start.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn log<'f>(
        &'f self,
        namespace: &'f str,
        pod: &'f str,
        container: &'f str,
        previous: bool,
    ) -> BoxFuture<'f, Result<Log, NotRead>> {
        Box::pin(async move {
            let (lines, most) = (self.limits.log_lines, self.limits.log_bytes);
            let room = most.saturating_mul(LOG_ROOM);
            let (namespace, pod, container) = (escaped(namespace), escaped(pod), escaped(container));
            let path = format!(
                "/api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}&previous={previous}&tailLines={lines}&limitBytes={room}"
            );
            let mut taker = Taker::new(room);
            let sent = self.send(&Ask::get(path, ANYTHING), &mut taker).await;
            // A log may be larger than was asked for; what came of it will do.
            if let Err(failure) = sent
                && !taker.is_full
            {
                return Err(failure.of_object());
            }
            let unfinished = taker.body.len() as u64 >= room;
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let begin = taker.body.len().saturating_sub(most);
            let text = String::from_utf8_lossy(&taker.body[begin..]);
            // Not with half a line, unless that is all.
            let text = match text.split_once('\n') {
                Some((_, rest)) if begin > 0 && !rest.trim().is_empty() => rest.to_owned(),
                _ => text.into_owned(),
            };
            Ok(Log { text, cut: begin > 0 || unfinished })
        })
    }

    /// Whether the caller may do `verb` to a type, or to a subresource of it (`log`), in a namespace (`_cluster`: in all, or to what is in
    /// none).
    ///
    /// # Errors
    /// Nobody can tell.
    pub fn may<'f>(
        &'f self,
        verb: &'f str,
        ty: &'f ResourceType,
        subresource: &'f str,
        namespace: &'f str,
    ) -> BoxFuture<'f, Result<bool, NotRead>> {
        Box::pin(async move {
            #[derive(Deserialize)]
            struct Review {
                status: Allowed,
            }
            #[derive(Deserialize)]
            struct Allowed {
                allowed: bool,
            }
            let of = json!({
                "verb": verb, "group": ty.group, "resource": ty.plural, "subresource": subresource,
                "namespace": scope(namespace).unwrap_or_default(),
            });
            let body = json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": of},
            });
            let mut ask = Ask::get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", PLAIN_JSON);
            ask.post = Some(body.to_string().into_bytes());
            let answer = self.whole(&ask).await.map_err(Unanswered::of_list)?;
            Ok(from_whole_json::<Review>(&answer, MAPS).map_err(NotRead::Cut)?.status.allowed)
        })
    }

    /// A whole answer.
    async fn whole(&self, ask: &Ask) -> Result<Vec<u8>, Unanswered> {
        let mut taker = Taker::new(self.limits.bytes);
        match self.send(ask, &mut taker).await {
            Ok(()) => Ok(taker.body),
            Err(_) if taker.is_full => Err(Unanswered::Why(NotRead::TooMuch)),
            Err(unanswered) => Err(unanswered),
        }
    }

    async fn send(&self, ask: &Ask, taker: &mut Taker) -> Result<(), Unanswered> {
        let within = self.limits.time * 2;
        // The bounds are kept from outside, and by the taker; here they only have to be no less.
        let most = taker.most.saturating_mul(2).saturating_add(1);
        let send = async {
            let _turn = self.turns.acquire().await.map_err(|e| Unanswered::Why(NotRead::Failed(e.to_string())))?;
            self.requests.receive_once(ask, most, within, taker).await.map_err(Unanswered::from)
        };
        timeout_at(self.deadline, send).await.unwrap_or(Err(Unanswered::Why(NotRead::Slow)))
    }
}

fn scope(namespace: &str) -> Option<&str> {
    Some(namespace).filter(|namespace| ![CLUSTER_SCOPE, ""].contains(namespace))
}

fn strange() -> NotRead {
    NotRead::Cut("it is not what was asked for".to_owned())
}

/// Why there is no answer.
enum Unanswered {
    /// 404 with a message, this one: the type is served, and has no such object.
    NoObject(String),
    Why(NotRead),
}

impl Unanswered {
    /// Where no object was asked for.
    fn of_list(self) -> NotRead {
        match self {
            Self::NoObject(_) => NotRead::NotServed,
            Self::Why(why) => why,
        }
    }

    /// Where a part of an object was asked for.
    fn of_object(self) -> NotRead {
        match self {
            Self::NoObject(message) => NotRead::Failed(message),
            Self::Why(why) => why,
        }
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        match failure {
            // Of a type that is not served, servers say nothing but "404 page not found", or what clients make of it.
            Failure::Status(StatusCode::NOT_FOUND, message)
                if !message.is_empty() && !message.starts_with("the server could not find the requested resource") =>
            {
                Self::NoObject(message)
            }
            failure => Self::Why(not_read(failure)),
        }
    }
}

/// Takes the body as far as it may go.
pub(crate) struct Taker {
    pub(crate) body: Vec<u8>,
    most: u64,
    is_full: bool,
}

impl Taker {
    pub(crate) fn new(most: u64) -> Self {
        Self { body: Vec::new(), most, is_full: false }
    }
}

impl Take for Taker {
    fn begin(&mut self, _: &str) -> Result<(), String> {
        self.body.clear();
        self.is_full = false;
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        let room = usize::try_from(self.most).unwrap_or(usize::MAX) - self.body.len();
        self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            self.is_full = true;
            return Err("it is too large".to_owned());
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.body.len()
    }
}
