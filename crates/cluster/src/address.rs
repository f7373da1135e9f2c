//! Addresses as Go reads them: that of the server, and the proxy on the way to it.

use clusterlore_http::{escaped, no_proxy, strictly_unescaped};
use http::Uri;

use crate::environment::Environment;

/// `SCHEME://USER:PASSWORD@HOST:PORT/PATH` in parts; query and fragment are of no use here.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// In lower case.
    pub(crate) scheme: String,
    /// Name and password, decoded.
    pub(crate) user: Option<(String, String)>,
    /// An IPv6 address in brackets.
    host: String,
    port: Option<u16>,
    /// Begins with a slash, or is empty; of a server it ends with none.
    path: String,
}

impl Address {
    /// The address of an API server; without a scheme it is `http`, and then nothing may follow the port.
    pub(crate) fn server(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "is not an address; expected https://HOST:PORT";
        let mut address = match parse(text) {
            Some(address) => address,
            None if text.split_once("://").is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with(['/', ':'])) => {
                return Err("has no host; expected https://HOST:PORT");
            }
            None => {
                let address = parse(&format!("http://{text}")).ok_or(EXPECTED)?;
                if !["", "/"].contains(&address.path.as_str()) {
                    return Err("has a path but no scheme; expected https://HOST:PORT/PATH");
                }
                address
            }
        };
        if !["http", "https"].contains(&address.scheme.as_str()) {
            return Err("has a scheme other than http or https; expected https://HOST:PORT");
        }
        address.path.truncate(address.path.trim_end_matches('/').len());
        // What Go takes and kube's HTTP library does not, such as a name in other letters.
        if address.host.is_empty() || address.uri().is_none() {
            return Err(EXPECTED);
        }
        Ok(address)
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// Without a port that need not be said, and never with a user.
    pub(crate) fn shown(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}{}", self.scheme, self.host, self.path)
    }

    /// With its port in any case: proxies are otherwise asked for 443, whatever the scheme. Without the user.
    pub(crate) fn uri(&self) -> Option<Uri> {
        format!("{}://{}:{}{}", self.scheme, self.host, self.port(), self.path).parse().ok()
    }

    /// The same with the user, as kube expects that of a proxy.
    pub(crate) fn uri_with_user(&self) -> Option<Uri> {
        let Some((name, password)) = &self.user else { return self.uri() };
        let (name, password) = (escaped(name), escaped(password));
        format!("{}://{name}:{password}@{}:{}", self.scheme, self.host, self.port()).parse().ok()
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme.as_str() {
            "https" => 443,
            "socks5" => 1080,
            _ => 80,
        })
    }

    fn bare_host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// Whether it is this machine's own, as far as the name says.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.bare_host();
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

/// The proxy that a cluster names itself. It is used whatever the server is called.
pub(crate) fn named_proxy(text: &str) -> Result<Address, &'static str> {
    let address = parse(text).ok_or("is not an address; expected http://HOST:PORT")?;
    if !["http", "https", "socks5"].contains(&address.scheme.as_str()) {
        return Err("has a scheme other than http, https or socks5; expected http://HOST:PORT");
    }
    usable(address)
}

/// The proxy of the environment for this server, if there is one and it is meant.
pub(crate) fn environment_proxy(server: &Address, environment: &Environment) -> Result<Option<Address>, &'static str> {
    let set = if server.is_secure() { &environment.https_proxy } else { &environment.http_proxy };
    let Some(text) = set else { return Ok(None) };
    let excepted = environment.no_proxy.as_deref().unwrap_or_default();
    if server.is_loopback() || no_proxy::matches(excepted, server.bare_host(), server.port()) {
        return Ok(None);
    }
    // Go passes over what it cannot read.
    let Some(mut address) = parse(text).or_else(|| parse(&format!("http://{text}"))) else { return Ok(None) };
    match address.scheme.as_str() {
        "http" | "https" | "socks5" => {}
        "socks5h" => "socks5".clone_into(&mut address.scheme),
        _ => "http".clone_into(&mut address.scheme),
    }
    usable(address).map(Some)
}

fn usable(mut proxy: Address) -> Result<Address, &'static str> {
    // It says nothing about a proxy, and in an address that was read in another way than it was meant a password may stand there.
    proxy.path.clear();
    if proxy.scheme == "socks5" && proxy.user.is_some() {
        return Err("has a user, which is not supported with socks5; expected socks5://HOST:PORT, or an http proxy");
    }
    if proxy.host.is_empty() || proxy.uri_with_user().is_none() {
        return Err("is not an address; expected http://HOST:PORT");
    }
    Ok(proxy)
}

/// `None` also where there is no scheme or no authority.
fn parse(text: &str) -> Option<Address> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return None;
    }
    let text = text.split('#').next()?;
    let text = text.split('?').next()?;
    let (scheme, rest) = text.split_once("://")?;
    let mut letters = scheme.chars();
    let fits = letters.next()?.is_ascii_alphabetic()
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !fits {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user_info(user)?), place),
        None => (None, authority),
    };
    let (host, port) = match place.rfind(':').filter(|colon| place.rfind(']').is_none_or(|end| end < *colon)) {
        Some(colon) => (&place[..colon], &place[colon + 1..]),
        None => (place, ""),
    };
    if host.is_empty() {
        return None;
    }
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    Some(Address { scheme: scheme.to_ascii_lowercase(), user, host: host.to_owned(), port, path: path.to_owned() })
}

fn user_info(text: &str) -> Option<(String, String)> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !text.chars().all(fits) {
        return None;
    }
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    Some((strictly_unescaped(name)?, strictly_unescaped(password)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_shown_without_their_user() {
        for (text, shown, uri) in [
            ("https://api.example.org", "https://api.example.org", "https://api.example.org:443/"),
            ("https://api.example.org/", "https://api.example.org", "https://api.example.org:443/"),
            ("https://api.example.org:6443", "https://api.example.org:6443", "https://api.example.org:6443/"),
            ("HTTPS://Api:6443/k8s/c1/", "https://Api:6443/k8s/c1", "https://Api:6443/k8s/c1"),
            ("https://bob:pw@api:6443", "https://api:6443", "https://api:6443/"),
            ("https://bob:p@w@api", "https://api", "https://api:443/"),
            ("https://[fd00::1]", "https://[fd00::1]", "https://[fd00::1]:443/"),
            ("https://api:", "https://api", "https://api:443/"),
            ("localhost:8080", "http://localhost:8080", "http://localhost:8080/"),
            ("[::1]:8080/", "http://[::1]:8080", "http://[::1]:8080/"),
        ] {
            let address = Address::server(text).unwrap_or_else(|wrong| panic!("{text} {wrong}"));
            assert_eq!(
                (address.shown(), address.uri().unwrap().to_string()),
                (shown.to_owned(), uri.to_owned()),
                "{text}"
            );
        }
        for text in [
            "",
            "/",
            "//api",
            ":6443",
            "https://",
            "https://:6443",
            "https:///api",
            "https://a b",
            "https://a:b",
            "https:a:6443",
            "http:/a",
            "::1",
        ] {
            assert!(Address::server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_of_a_proxy_is_shown_but_where_it_is() {
        let server = Address::server("https://api.example.org").unwrap_or_else(|wrong| panic!("{wrong}"));
        for text in [
            "http://bob:PASSWD99@:",
            "x://bob:PASSWD99@[",
            "http://bob:PASSWD99@proxy:x",
            "bob:PASSWD99@proxy",
            "//bob:PASSWD99@proxy",
        ] {
            let environment = Environment { https_proxy: Some(text.to_owned()), ..Environment::default() };
            match environment_proxy(&server, &environment) {
                Ok(Some(proxy)) => assert!(!proxy.shown().contains("PASSWD99"), "{text}: {}", proxy.shown()),
                Ok(None) => {}
                Err(wrong) => assert!(!wrong.contains("PASSWD99"), "{wrong}"),
            }
        }
    }
}
