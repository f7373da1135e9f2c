//! What goes wrong, and with which requests.

use std::time::Duration;

/// One fault: what happens, to which of the matching requests. Without further words it happens to all of them.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) what: What,
    from: usize,
    times: usize,
    namespace: Option<Option<String>>,
    mid_list: bool,
    paged: bool,
    met: usize,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Status { code: u16, retry_after: Option<u64> },
    Cut,
    Slow(Duration),
    Malformed,
}

impl Fault {
    fn new(what: What) -> Self {
        Self { what, from: 0, times: usize::MAX, namespace: None, mid_list: false, paged: false, met: 0 }
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

    /// Whether it happens to this request; counts it when it matches.
    pub(super) fn meets(&mut self, namespace: Option<&str>, mid_list: bool, paged: bool) -> bool {
        let matches = self.namespace.as_ref().is_none_or(|n| n.as_deref() == namespace)
            && (mid_list || !self.mid_list)
            && (paged || !self.paged);
        if !matches {
            return false;
        }
        let number = self.met;
        self.met += 1;
        number >= self.from && number - self.from < self.times
    }
}
