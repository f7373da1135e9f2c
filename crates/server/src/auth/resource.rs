//! Where tokens for this server come from, for clients that have none: OAuth 2.0 Protected Resource Metadata (RFC 9728).

use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// Where the metadata is; the path of the resource follows (RFC 9728, section 3.1).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Bytes of an address.
const LONGEST: usize = 1_024;

/// A text is no [`SecureUrl`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected https://HOST[:PORT][/PATH], or http:// with a loopback address, without user, query and fragment")]
pub struct NotSecure;

/// An address that identifies a server: `https`, or `http` on this machine; no user, no query and no fragment. Its text is kept as it is:
/// identifiers are compared letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureUrl {
    text: String,
    /// Where the path begins in the text.
    path: usize,
}

impl FromStr for SecureUrl {
    type Err = NotSecure;

    fn from_str(text: &str) -> Result<Self, NotSecure> {
        // `Uri` drops a fragment without a word, and a quote would end the header that an address stands in.
        let is_plain = |c: char| c.is_ascii_graphic() && !"@?#\"\\<>^`{|}".contains(c);
        if text.len() > LONGEST || !text.chars().all(is_plain) {
            return Err(NotSecure);
        }
        let uri: Uri = text.parse().map_err(|_| NotSecure)?;
        let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or(NotSecure)?;
        let host = authority.host();
        // A port that is none is left to the host.
        let port = &authority.as_str()[host.len()..];
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(host),
            _ => false,
        };
        if !is_secure || !(port.is_empty() || authority.port_u16().is_some()) {
            return Err(NotSecure);
        }
        let authority = text.find("://").ok_or(NotSecure)? + 3;
        let path = text[authority..].find('/').map_or(text.len(), |at| authority + at);
        Ok(Self { text: text.to_owned(), path })
    }
}

impl Serialize for SecureUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Whether a host's name or address, as it stands in a URL, is this machine's own.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A server as clients know it, and who issues tokens for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its address, which is also its resource identifier.
    pub url: SecureUrl,
    /// OpenID Connect issuers that the API server trusts.
    pub issuers: Vec<SecureUrl>,
}

#[derive(Serialize)]
pub(crate) struct Metadata<'a> {
    resource: &'a SecureUrl,
    authorization_servers: &'a [SecureUrl],
    bearer_methods_supported: [&'static str; 1],
    resource_name: &'static str,
}

impl Resource {
    /// What a client reads at [`WELL_KNOWN`].
    pub(crate) fn metadata(&self) -> Metadata<'_> {
        Metadata {
            resource: &self.url,
            authorization_servers: &self.issuers,
            bearer_methods_supported: ["header"],
            resource_name: "clusterlore",
        }
    }

    /// Whether the metadata of this resource is at a path: at the one that its own path makes, and at the one of the whole server, where
    /// clients look next.
    pub(crate) fn is_told_at(&self, path: &str) -> bool {
        path.strip_prefix(WELL_KNOWN).is_some_and(|rest| rest.is_empty() || rest == self.path())
    }

    /// Where a client finds the metadata.
    pub(crate) fn metadata_url(&self) -> String {
        format!("{}{WELL_KNOWN}{}", &self.url.text[..self.url.path], self.path())
    }

    fn path(&self) -> &str {
        self.url.text[self.url.path..].trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_identify_a_server_are_https_and_nothing_else() {
        for fine in [
            "https://login.example.org",
            "https://login.example.org/",
            "https://login.example.org:8443/realms/lore",
            "http://127.0.0.1:8080",
            "http://localhost/dex",
            "http://[::1]:5556/dex",
            "https://[2001:db8::1]",
        ] {
            assert_eq!(fine.parse::<SecureUrl>().map(|url| url.text), Ok(fine.to_owned()));
        }
        for wrong in [
            "",
            "login.example.org",
            "/dex",
            "https://",
            "https:///dex",
            "ftp://login.example.org",
            "http://login.example.org",
            "http://127.0.0.1.example.org",
            "http://10.0.0.1",
            "https://me:s3cret@login.example.org",
            "https://login.example.org/?tenant=a",
            "https://login.example.org/#a",
            "https://login.example.org:0x50",
            "https://login.example.org:99999",
            "https://login.example.org/a b",
            "https://login.example.org/\"",
            "https://login.example.org/\r\nx: y",
            "https://löre.example.org",
        ] {
            assert_eq!(wrong.parse::<SecureUrl>(), Err(NotSecure), "{wrong}");
        }
        assert!(format!("https://h/{}", "a".repeat(LONGEST)).parse::<SecureUrl>().is_err());
    }

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        for (url, metadata) in [
            ("https://lore.example.org", "https://lore.example.org/.well-known/oauth-protected-resource"),
            ("https://lore.example.org/", "https://lore.example.org/.well-known/oauth-protected-resource"),
            ("https://h:8443/a/b", "https://h:8443/.well-known/oauth-protected-resource/a/b"),
        ] {
            let resource = Resource { url: url.parse().unwrap(), issuers: Vec::new() };
            assert_eq!(resource.metadata_url(), metadata);
        }
        let resource = Resource { url: "https://h/a".parse().unwrap(), issuers: Vec::new() };
        for (path, is_told) in [("", true), ("/a", true), ("/b", false), ("/a/b", false), ("x", false)] {
            assert_eq!(resource.is_told_at(&format!("{WELL_KNOWN}{path}")), is_told, "{path}");
        }
    }
}
