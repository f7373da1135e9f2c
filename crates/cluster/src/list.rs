//! The objects of one type, page by page: while a page is decoded the server already works on the next, and never on more.

use std::sync::Arc;

use clusterlore_core::ResourceType;
use http::StatusCode;
use tokio::sync::oneshot;

use crate::{
    ClusterError, PageSink, SkipReason, Skipped,
    decode::{self, Page},
    protobuf,
    requests::{Ask, Failure, Running, SharedRequests, status_line},
};

pub(crate) const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
pub(crate) const PLAIN_JSON: &str = "application/json";

/// How the list of one path ended when it was not read to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    Run(ClusterError),
    Type(Skipped),
}

/// Reads one list to its end: of a whole type, or of one namespace of it.
pub(crate) async fn read(
    requests: &SharedRequests,
    ty: &Arc<ResourceType>,
    namespace: Option<&str>,
    pages: &PageSink,
) -> Result<(), Stopped> {
    let size = requests.options.page_size.max(1);
    // A list that expires is read again in pages, and if that expires too as one consistent answer without pages.
    for limit in [Some(size), Some(size), None] {
        match read_once(requests, ty, namespace, limit, pages).await {
            Err(Failure::Status(StatusCode::GONE, _)) if limit.is_some() => {
                pages.restarted(namespace).await.map_err(Stopped::Run)?;
            }
            other => return other.map_err(stopped),
        }
    }
    unreachable!("the unpaged list returns")
}

async fn read_once(
    requests: &SharedRequests,
    ty: &Arc<ResourceType>,
    namespace: Option<&str>,
    limit: Option<u32>,
    pages: &PageSink,
) -> Result<(), Failure> {
    let path = path(ty, namespace);
    let mut plain = false;
    let start = |token: String, plain: bool| Ahead::start(requests, ty, page_path(&path, limit, &token), token, plain);
    let mut current = start(String::new(), plain);
    loop {
        let announced = current.announced().await;
        let ahead = announced.filter(|token| !token.is_empty()).map(|token| start(token, plain));
        let (page, was_plain) = current.page().await?;
        plain = was_plain;
        // A first page that had to be asked for again belongs to a newer list, with a token of its own.
        let ahead = ahead.filter(|ahead| ahead.token == page.next);
        let next = (!page.next.is_empty()).then(|| ahead.unwrap_or_else(|| start(page.next, plain)));
        let mut instances = page.instances;
        while !instances.is_empty() {
            let rest = instances.split_off(instances.len().min(requests.options.page_size.max(1) as usize));
            pages.page(instances).await.map_err(Failure::Ends)?;
            instances = rest;
        }
        match next {
            Some(next) => current = next,
            None => return Ok(()),
        }
    }
}

/// A page that is being fetched and decoded.
struct Ahead {
    token: String,
    announcement: oneshot::Receiver<String>,
    work: Running<Result<(Page, bool), Failure>>,
}

impl Ahead {
    fn start(requests: &SharedRequests, ty: &Arc<ResourceType>, path: String, token: String, plain: bool) -> Self {
        let (announce, announcement) = oneshot::channel();
        let (requests, ty) = (Arc::clone(requests), Arc::clone(ty));
        let work = Running::start(async move { fetch(&requests, &ty, path, plain, announce).await });
        Self { token, announcement, work }
    }

    /// The next page's token, if it is known before the page has arrived.
    async fn announced(&mut self) -> Option<String> {
        (&mut self.announcement).await.ok()
    }

    async fn page(self) -> Result<(Page, bool), Failure> {
        let stopped = || Failure::Ends(ClusterError::Stopped);
        self.work.finish().await.ok_or_else(stopped)?
    }
}

/// One page, and whether the server gives this type in plain JSON only.
async fn fetch(
    requests: &SharedRequests,
    ty: &ResourceType,
    path: String,
    plain: bool,
    announce: oneshot::Sender<String>,
) -> Result<(Page, bool), Failure> {
    let mut announce = Some(announce);
    let early = |arrived: &[u8]| {
        if announce.is_some()
            && let Some(token) = protobuf::early_token(arrived)
            && let Some(announce) = announce.take()
        {
            // Nobody listens any more when the list was given up.
            let _ = announce.send(token);
        }
    };
    let mut ask = Ask::get(path, if plain { PLAIN_JSON } else { METADATA });
    let (answer, plain) = match requests.send(&ask, early).await {
        Err(Failure::Status(StatusCode::NOT_ACCEPTABLE, _)) if !plain => {
            ask.accept = PLAIN_JSON;
            (requests.send(&ask, |_| {}).await?, true)
        }
        other => (other?, plain),
    };
    let page = decode::page(&answer.content_type, answer.body, ty).map_err(Failure::Unavailable)?;
    Ok((page, plain))
}

pub(crate) fn stopped(failure: Failure) -> Stopped {
    let (reason, message) = match failure {
        Failure::Ends(error) => return Stopped::Run(error),
        Failure::Unavailable(reason) => (SkipReason::Unavailable, reason),
        Failure::Status(code, message) => (
            match code {
                StatusCode::FORBIDDEN => SkipReason::Forbidden,
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => SkipReason::NotFound,
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

/// Percent-encoding of everything that RFC 3986 does not call unreserved.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
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
