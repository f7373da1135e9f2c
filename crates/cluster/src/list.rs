//! The objects of one type, page by page: while a page is read the server already works on the next, and never on more.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_http::escaped;
use http::StatusCode;
use tokio::sync::{mpsc, oneshot};

use crate::decode::{Asked, Item, ListReader, Unreadable};
use crate::error::ClusterError;
use crate::requests::{Ask, Failure, Requests, Running, SharedRequests, Take, status_line};
use crate::source::{EventSink, Position, SkipReason, Skipped, SourceEvent};

pub(crate) const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
pub(crate) const PLAIN_JSON: &str = "application/json";

/// How many times the bytes of a page a list may have that is read without pages.
pub(crate) const UNPAGED: u64 = 16;

/// How the list of one path ended when it was not read to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    Run(ClusterError),
    Type(Skipped),
}

/// A list that was read to its end.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) position: Position,
    /// Why it does not count as whole: some of its objects cannot be read.
    pub(crate) skipped: Option<Skipped>,
}

/// Reads one list to its end: of a whole type, or of one namespace of it. What can be read is handed on also where the list as a
/// whole does not count. That it begins is said by the caller; here, only that it begins again.
pub(crate) async fn read(
    requests: &SharedRequests,
    ty: &Arc<ResourceType>,
    namespace: Option<&str>,
    events: &EventSink,
) -> Result<Whole, Stopped> {
    let size = requests.options.page_size.max(1);
    // A list that expires is read again in pages, and if that expires too as one consistent answer without pages.
    for limit in [Some(size), Some(size), None] {
        match read_once(requests, ty, namespace, limit, events).await {
            Err(Failure::Status(StatusCode::GONE, _)) if limit.is_some() => {
                events.begin(namespace).await.map_err(Stopped::Run)?;
            }
            Err(failure) => return Err(stopped(failure)),
            Ok((resource_version, unreadable)) => {
                let position = Position { namespace: namespace.map(str::to_owned), resource_version };
                let skipped = unreadable.reason().map(|message| Skipped { reason: SkipReason::Unavailable, message });
                return Ok(Whole { position, skipped });
            }
        }
    }
    unreachable!("the unpaged list returns")
}

async fn read_once(
    requests: &SharedRequests,
    ty: &Arc<ResourceType>,
    namespace: Option<&str>,
    limit: Option<u32>,
    events: &EventSink,
) -> Result<(String, Unreadable), Failure> {
    let path = path(ty, namespace);
    let start = |token: String, plain: bool| {
        let wanted =
            Wanted { ty: Arc::clone(ty), namespace: namespace.map(str::to_owned), plain, paged: limit.is_some() };
        Ahead::start(requests, wanted, page_path(&path, limit, &token), token)
    };
    let (mut plain, mut tokens) = (false, Tokens::new(requests.options.pages));
    let (mut version, mut unreadable) = (None, Unreadable::default());
    let mut current = start(String::new(), plain);
    loop {
        let announced = current.announced().await;
        let ahead = announced.filter(|token| !token.is_empty()).map(|token| start(token, plain));
        while let Some(objects) = current.objects.recv().await {
            hand_on(objects, requests, events).await?;
        }
        let page = current.page().await?;
        plain = page.plain;
        // All pages are of one state; where a server is not so strict, whoever goes on from the first misses nothing.
        version.get_or_insert(page.version);
        unreadable.and(page.unreadable);
        // A first page that had to be asked for again belongs to a newer list, with a token of its own.
        let ahead = ahead.filter(|ahead| ahead.token == page.next);
        let next = match page.next {
            end if end.is_empty() => Ok(None),
            next => tokens.take(&next).map(|()| Some(ahead.unwrap_or_else(|| start(next, plain)))),
        };
        hand_on(page.rest, requests, events).await?;
        match next? {
            Some(next) => current = next,
            None => return Ok((version.unwrap_or_default(), unreadable)),
        }
    }
}

/// Hands objects on in pages of the size that was asked for, however many came at once.
async fn hand_on(mut objects: Vec<ResourceInstance>, requests: &Requests, events: &EventSink) -> Result<(), Failure> {
    while !objects.is_empty() {
        let rest = objects.split_off(objects.len().min(requests.options.page_size.max(1) as usize));
        events.send(SourceEvent::Page(objects)).await.map_err(Failure::Ends)?;
        objects = rest;
    }
    Ok(())
}

/// The tokens of one list: a server that gives one twice, or goes on for ever, has no end to be read.
pub(crate) struct Tokens {
    seen: HashSet<u64>,
    hasher: RandomState,
    most: u32,
}

impl Tokens {
    pub(crate) fn new(pages: u32) -> Self {
        Self { seen: HashSet::new(), hasher: RandomState::new(), most: pages }
    }

    /// Takes the token of a further page.
    pub(crate) fn take(&mut self, token: &str) -> Result<(), Failure> {
        if !self.seen.insert(self.hasher.hash_one(token)) {
            return Err(Failure::Unavailable("the list does not end: a continue token came twice".to_owned()));
        }
        if self.seen.len() >= self.most as usize {
            return Err(Failure::Unavailable(format!("the list has more than {} pages", self.most)));
        }
        Ok(())
    }
}

/// What a page is asked for.
struct Wanted {
    ty: Arc<ResourceType>,
    namespace: Option<String>,
    plain: bool,
    paged: bool,
}

/// A page that is being fetched and decoded.
struct Ahead {
    token: String,
    announcement: oneshot::Receiver<String>,
    /// Of a page with more objects than were asked for: those before the last.
    objects: mpsc::Receiver<Vec<ResourceInstance>>,
    work: Running<Result<Page, Failure>>,
}

/// How a page ended.
struct Page {
    /// The objects that were not handed on before.
    rest: Vec<ResourceInstance>,
    /// Token of the next page; empty on the last.
    next: String,
    /// The list's `resourceVersion`.
    version: String,
    unreadable: Unreadable,
    /// Whether the server gives this type in plain JSON only.
    plain: bool,
}

impl Ahead {
    fn start(requests: &SharedRequests, wanted: Wanted, path: String, token: String) -> Self {
        let (announce, announcement) = oneshot::channel();
        let (sender, objects) = mpsc::channel(1);
        let requests = Arc::clone(requests);
        let work = Running::start(async move { fetch(&requests, wanted, path, announce, sender).await });
        Self { token, announcement, objects, work }
    }

    /// The next page's token, if it is known before the page has arrived.
    async fn announced(&mut self) -> Option<String> {
        (&mut self.announcement).await.ok()
    }

    async fn page(self) -> Result<Page, Failure> {
        let stopped = || Failure::Ends(ClusterError::Stopped);
        self.work.finish().await.ok_or_else(stopped)?
    }
}

async fn fetch(
    requests: &Requests,
    wanted: Wanted,
    path: String,
    announce: oneshot::Sender<String>,
    objects: mpsc::Sender<Vec<ResourceInstance>>,
) -> Result<Page, Failure> {
    let asked = Asked::new(&wanted.ty, wanted.namespace.as_deref()).keeping(&requests.options.annotations);
    let size = requests.options.page_size.max(1) as usize;
    let mut reading = Reading { asked, size, reader: None, announce: Some(announce), to: objects };
    let most = requests.options.answer_bytes;
    let most = if wanted.paged { most } else { most.saturating_mul(UNPAGED) };
    let mut plain = wanted.plain;
    let mut ask = Ask::get(path, if plain { PLAIN_JSON } else { METADATA });
    match requests.receive(&ask, most, &mut reading).await {
        Err(Failure::Status(StatusCode::NOT_ACCEPTABLE, _)) if !plain => {
            (ask.accept, plain) = (PLAIN_JSON, true);
            requests.receive(&ask, most, &mut reading).await?;
        }
        other => drop(other?),
    }
    let mut reader = reading.reader.ok_or_else(|| Failure::Unavailable("the answer is empty".to_owned()))?;
    let rest = reader.take();
    Ok(Page { rest, next: reader.next, version: reader.version, unreadable: reader.unreadable, plain })
}

/// Where what is read of a list goes.
pub(crate) trait Reader<I>: Send {
    fn read(&mut self, items: Vec<I>) -> impl Future<Output = Result<(), ClusterError>> + Send;
}

impl Reader<ResourceInstance> for mpsc::Sender<Vec<ResourceInstance>> {
    async fn read(&mut self, items: Vec<ResourceInstance>) -> Result<(), ClusterError> {
        self.send(items).await.map_err(|_| ClusterError::Stopped)
    }
}

/// An answer to a list request that is read while it arrives.
pub(crate) struct Reading<'a, I, R> {
    pub(crate) asked: Asked<'a>,
    /// Items that are handed on at once.
    pub(crate) size: usize,
    pub(crate) reader: Option<ListReader<'a, I>>,
    /// Told the next page's token as soon as it is known.
    pub(crate) announce: Option<oneshot::Sender<String>>,
    pub(crate) to: R,
}

impl<I: Item, R: Reader<I>> Take for Reading<'_, I, R> {
    fn begin(&mut self, content_type: &str) -> Result<(), String> {
        let reader = ListReader::new(content_type, self.asked.clone())?;
        if !reader.is_token_early() {
            // Whoever waits for the token takes no objects before.
            self.announce = None;
        }
        self.reader = Some(reader);
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        reader.push(bytes)?;
        if let Some(token) = reader.token()
            && let Some(announce) = self.announce.take()
        {
            // Nobody listens any more when the list was given up.
            let _ = announce.send(token.to_owned());
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.reader.as_ref().map_or(0, ListReader::held)
    }

    fn is_full(&self) -> bool {
        // A page of the size that was asked for waits for its end: it may have to be asked for again.
        self.reader.as_ref().is_some_and(|reader| reader.is_full(self.size + 1))
    }

    async fn hand_on(&mut self) -> Result<(), ClusterError> {
        match &mut self.reader {
            Some(reader) => self.to.read(reader.take()).await,
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.reader.as_ref().map_or(Ok(()), ListReader::end)
    }
}

/// What a failure means for the type that was asked for.
pub(crate) fn stopped(failure: Failure) -> Stopped {
    let (reason, message) = match failure {
        Failure::Ends(error) => return Stopped::Run(error),
        Failure::Unavailable(reason) => (SkipReason::Unavailable, reason),
        Failure::Status(code, message) => (
            match code {
                StatusCode::FORBIDDEN => SkipReason::Forbidden,
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => SkipReason::NotFound,
                StatusCode::GONE => SkipReason::Expired,
                _ => SkipReason::Unavailable,
            },
            status_line(code, &message),
        ),
    };
    Stopped::Type(Skipped { reason, message })
}

/// The list's path without a query.
pub(crate) fn path(ty: &ResourceType, namespace: Option<&str>) -> String {
    let root = if ty.group.is_empty() { "/api" } else { "/apis" };
    let namespace = namespace.map(|n| format!("/namespaces/{}", escaped(n))).unwrap_or_default();
    format!("{root}/{}{namespace}/{}", ty.api_version(), ty.plural)
}

pub(crate) fn page_path(path: &str, limit: Option<u32>, token: &str) -> String {
    match (limit, token) {
        (None, "") => path.to_owned(),
        (None, token) => format!("{path}?continue={}", escaped(token)),
        (Some(limit), "") => format!("{path}?limit={limit}"),
        (Some(limit), token) => format!("{path}?limit={limit}&continue={}", escaped(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let pods = ResourceType { version: "v1".into(), plural: "pods".into(), ..Default::default() };
        let jobs = ResourceType { group: "batch".into(), version: "v1".into(), plural: "jobs".into(), ..pods.clone() };
        assert_eq!(path(&pods, None), "/api/v1/pods");
        assert_eq!(path(&jobs, Some("a b")), "/apis/batch/v1/namespaces/a%20b/jobs");
        assert_eq!(page_path("/x", Some(5), "a+b="), "/x?limit=5&continue=a%2Bb%3D");
        assert_eq!(page_path("/x", None, ""), "/x");
    }
}
