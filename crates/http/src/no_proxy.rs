//! Which hosts a proxy from the environment is not for, by the rules of Go's `golang.org/x/net/http/httpproxy`, which kubectl
//! follows. kube itself compares NO_PROXY with the proxy's own address.

use std::net::IpAddr;

/// Whether the comma-separated list names this host (and port, where an entry has one).
pub fn matches(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return match (ip, network.parse(), bits.parse()) {
                (Some(ip), Ok(network), Ok(bits)) => within(ip, network, bits),
                _ => false,
            };
        }
        let (name, wanted) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, digits),
            _ => (entry.as_str(), ""),
        };
        if !wanted.is_empty() && wanted != port.to_string() {
            return false;
        }
        let name = name.trim_matches(['[', ']']);
        if let Some(ip) = ip {
            return name.parse() == Ok(ip);
        }
        let domain = name.trim_start_matches("*.").trim_start_matches('.');
        let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        !domain.is_empty() && (below || (host == domain && !name.starts_with(['.', '*'])))
    })
}

fn within(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |a: u128, b: u128, width: u32| bits <= width && (bits == 0 || (a ^ b) >> (width - bits) == 0);
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => same(ip.to_bits().into(), network.to_bits().into(), 32),
        (IpAddr::V6(ip), IpAddr::V6(network)) => same(ip.to_bits(), network.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_hosts_domains_networks_and_ports() {
        for (list, host, named) in [
            ("*", "api.example.org", true),
            ("localhost, 10.0.0.0/8,.corp", "10.200.1.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "ten.example.org", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("fd00::/8", "[fd12::1]", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.10", false),
            ("example.org", "api.example.org", true),
            ("example.org", "example.org", true),
            ("example.org", "anexample.org", false),
            (".example.org", "API.example.org", true),
            (".example.org", "example.org", false),
            ("*.example.org", "api.example.org", true),
            ("api.example.org:6443", "api.example.org", true),
            ("api.example.org:443", "api.example.org", false),
            ("api.example.org:https", "api.example.org", false),
            ("[fd12::1]:6443", "[fd12::1]", true),
            ("proxy.example.org", "api.example.org", false),
            (",, ,", "api.example.org", false),
            ("", "api.example.org", false),
        ] {
            assert_eq!(matches(list, host, 6443), named, "{list} {host}");
        }
    }
}
