//! What is known of a connection before anything was read from it.

use std::net::SocketAddr;

/// Goes with each request that comes on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Who opened it.
    pub(crate) peer: SocketAddr,
    /// Whether it speaks TLS.
    pub(crate) is_tls: bool,
}

impl Connection {
    pub(crate) fn scheme(self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }
}
