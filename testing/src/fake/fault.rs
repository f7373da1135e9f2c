//! What goes wrong, and with which requests.

use std::time::Duration;

use bytes::Bytes;
use clusterlore_core::ResourceInstance;

/// One fault: what happens, to which of the matching requests. Without further words it happens to all of them.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) what: What,
    from: usize,
    times: usize,
    namespace: Option<Option<String>>,
    mid_list: bool,
    paged: bool,
    /// Whether it happens to watches only, or to anything but watches.
    watch: Option<bool>,
    met: usize,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Status {
        code: u16,
        retry_after: Option<u64>,
    },
    Cut,
    Slow(Duration),
    Malformed,
    /// This instead of the answer.
    Answer {
        code: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// `begin`, and then `piece` after `piece` without end.
    Endless {
        content_type: &'static str,
        begin: Bytes,
        piece: Bytes,
        every: Duration,
    },
    /// The answer's first bytes in HTTP/1.0 without a length; from the end where the number is negative.
    Http10Cut(isize),
    /// The answer's length, and less than that.
    Short,
    /// The list goes on at this token.
    Token(String),
    /// The list goes on at another token each time.
    Tokens,
    /// The list holds this object too.
    Also(Box<ResourceInstance>),
    /// The watch opens, and nothing comes.
    Silent,
    /// The connection of the watch is cut after so many events.
    CutAfter(usize),
    /// The watch says after so many events that its version is too old.
    ExpiresAfter(usize),
}

impl Fault {
    fn new(what: What) -> Self {
        Self { what, from: 0, times: usize::MAX, namespace: None, mid_list: false, paged: false, watch: None, met: 0 }
    }

    /// An error status with a `Status` body.
    pub fn status(code: u16) -> Self {
        Self::new(What::Status { code, retry_after: None })
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::status(401)
    }

    /// 403.
    pub fn forbidden() -> Self {
        Self::status(403)
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::status(404)
    }

    /// 405.
    pub fn not_allowed() -> Self {
        Self::status(405)
    }

    /// 410 on pages after the first.
    pub fn expired() -> Self {
        Self { mid_list: true, ..Self::status(410) }
    }

    /// 429 with a Retry-After in seconds.
    pub fn throttled(retry_after: u64) -> Self {
        Self::new(What::Status { code: 429, retry_after: Some(retry_after) })
    }

    /// The connection ends in the middle of the body.
    pub fn cut() -> Self {
        Self::new(What::Cut)
    }

    /// The answer begins only after this time.
    pub fn slow(by: Duration) -> Self {
        Self::new(What::Slow(by))
    }

    /// 200, the right content type, and a body that is not what it says.
    pub fn malformed() -> Self {
        Self::new(What::Malformed)
    }

    /// 200, and this body instead of the answer.
    pub fn answer(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::answers(200, &[("content-type", content_type)], body)
    }

    /// This answer instead of the right one.
    pub fn answers(code: u16, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::new(What::Answer { code, headers, body: body.into() })
    }

    /// 302 to another place.
    pub fn redirect(to: &str) -> Self {
        Self::answers(302, &[("location", to)], "")
    }

    /// 200, `begin`, and then `piece` after `piece` for ever, with this time between them.
    pub fn endless(
        content_type: &'static str,
        begin: impl Into<Bytes>,
        piece: impl Into<Bytes>,
        every: Duration,
    ) -> Self {
        Self::new(What::Endless { content_type, begin: begin.into(), piece: piece.into(), every })
    }

    /// The first bytes of the answer, in HTTP/1.0 and without a length, as if that were all. A negative number counts from the end.
    pub fn http10_cut(bytes: isize) -> Self {
        Self::new(What::Http10Cut(bytes))
    }

    /// An answer that is shorter than its Content-Length.
    pub fn short() -> Self {
        Self::new(What::Short)
    }

    /// Every page says that the next is at this token.
    pub fn token(token: &str) -> Self {
        Self::new(What::Token(token.to_owned()))
    }

    /// Every page says that there is a next one, at a token that was never given before.
    pub fn tokens() -> Self {
        Self::new(What::Tokens)
    }

    /// The list holds this object too, however broken.
    pub fn also(object: ResourceInstance) -> Self {
        Self::new(What::Also(Box::new(object)))
    }

    /// The watch opens, and then nothing comes, not even its end.
    pub fn silent() -> Self {
        Self::new(What::Silent).watches()
    }

    /// The connection of the watch is cut after so many events.
    pub fn cut_after(events: usize) -> Self {
        Self::new(What::CutAfter(events)).watches()
    }

    /// The watch goes on for so many events, and then says that its version is too old.
    pub fn expires_after(events: usize) -> Self {
        Self::new(What::ExpiresAfter(events)).watches()
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Only from this matching request on, counted from 0.
    #[must_use]
    pub fn from(mut self, number: usize) -> Self {
        self.from = number;
        self
    }

    /// Only where the request is for all namespaces.
    #[must_use]
    pub fn cluster_wide(mut self) -> Self {
        self.namespace = Some(None);
        self
    }

    /// Only where the request is for this namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(Some(namespace.to_owned()));
        self
    }

    /// Only on pages after the first.
    #[must_use]
    pub fn mid_list(mut self) -> Self {
        self.mid_list = true;
        self
    }

    /// Only where a limit is asked for.
    #[must_use]
    pub fn paged(mut self) -> Self {
        self.paged = true;
        self
    }

    /// Only to watches.
    #[must_use]
    pub fn watches(mut self) -> Self {
        self.watch = Some(true);
        self
    }

    /// Only to what is no watch.
    #[must_use]
    pub fn lists(mut self) -> Self {
        self.watch = Some(false);
        self
    }

    /// Whether it happens to this request; counts it when it matches.
    pub(super) fn meets(&mut self, target: &Target<'_>) -> bool {
        let matches = self.namespace.as_ref().is_none_or(|n| n.as_deref() == target.namespace)
            && (target.mid_list || !self.mid_list)
            && (target.paged || !self.paged)
            && self.watch.is_none_or(|watch| watch == target.watch);
        if !matches {
            return false;
        }
        let number = self.met;
        self.met += 1;
        number >= self.from && number - self.from < self.times
    }
}

/// What is known of a request.
pub(super) struct Target<'a> {
    pub(super) path: &'a str,
    pub(super) type_name: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    pub(super) mid_list: bool,
    pub(super) paged: bool,
    pub(super) watch: bool,
}
