//! A URL, read: where the server is, how it is spoken to, and what may be shown of it.

use std::path::PathBuf;
use std::time::Duration;

use clusterlore_http::{plain_user, unescaped};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::StoreError;

/// Where the tables live unless `?schema=` says otherwise.
const SCHEMA: &str = "clusterlore";
/// How long a server may take to accept a connection, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what was sent may go without the other side's word that it arrived, where the URL does not say: one that vanished says none.
const UNHEARD: Duration = Duration::from_secs(60);
/// Longest name of a schema: Postgres cuts off what is longer than 63 bytes.
const LONGEST_SCHEMA: usize = 63;

/// What TLS must prove. As libpq's `sslmode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// `disable`, `prefer`, `require`: whoever answers is believed.
    Anybody,
    /// `verify-ca`, and `require` with `sslrootcert`: an authority that is trusted vouches for the certificate.
    Authority(Option<PathBuf>),
    /// `verify-full`: and it was made out for the host's name.
    Host(Option<PathBuf>),
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) trust: Trust,
    pub(super) schema: String,
    /// For people: no user, no password, no options.
    pub(super) place: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let wrong = |problem: String| {
            StoreError::Unusable {
            place: "the Postgres server".to_owned(),
            problem,
            fix: "Expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?sslmode=, sslrootcert= and schema= where needed"
                .to_owned(),
        }
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong("its URL does not begin with postgres://".to_owned()));
        }
        // Before the parser, which takes the first "@" for the end of the password, and the rest of it for a host.
        plain_user(url).map_err(wrong)?;
        let (front, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root, mut schema, mut others) = (None, None, SCHEMA.to_owned(), Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "sslmode" => mode = Some(value),
                "sslrootcert" => root = Some(PathBuf::from(unescaped(value))),
                "schema" => schema = unescaped(value),
                _ => others.push(pair),
            }
        }
        if schema.is_empty() || schema.len() > LONGEST_SCHEMA || schema.contains('\0') {
            return Err(wrong(format!("{schema:?} is not a schema name")));
        }
        let (ssl, trust) = match (mode.unwrap_or("prefer"), root) {
            ("disable", _) => (SslMode::Disable, Trust::Anybody),
            ("prefer" | "allow", _) => (SslMode::Prefer, Trust::Anybody),
            ("require", None) => (SslMode::Require, Trust::Anybody),
            ("require", root) | ("verify-ca", root) => (SslMode::Require, Trust::Authority(root)),
            ("verify-full", root) => (SslMode::Require, Trust::Host(root)),
            (other, _) => {
                return Err(wrong(format!(
                    "sslmode={other} is unknown; known are disable, prefer, require, verify-ca and verify-full"
                )));
            }
        };
        // The parser looks for the end of user and password as far as the last parameter.
        let rest = if others.is_empty() {
            front.to_owned()
        } else {
            format!("{front}?{}", others.join("&").replace('@', "%40"))
        };
        // What the parser says of a URL may quote it, and with it the password.
        let mut config: Config = rest.parse().map_err(|_| {
            wrong("its URL cannot be read (a special character in a password is written as %XX)".to_owned())
        })?;
        config.ssl_mode(ssl).application_name("clusterlore");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNHEARD);
        }
        config
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3);
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("its URL names no host".to_owned()));
        }
        let place = place(&config, &schema);
        Ok(Self { config, trust, schema, place })
    }

    /// How long it may take until a connection can be used: as long again for TLS and authentication as for the connection of each host.
    pub(super) fn whole_connect(&self) -> Duration {
        let hosts = self.config.get_hosts().len().max(self.config.get_hostaddrs().len()).max(1);
        let each = self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        each.saturating_mul(2).saturating_mul(u32::try_from(hosts).unwrap_or(u32::MAX))
    }
}

fn place(config: &Config, schema: &str) -> String {
    let ports = config.get_ports();
    let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(n)),
        #[cfg(unix)]
        Host::Unix(path) => format!("{}:{}", path.display(), port(n)),
    });
    let hosts: Vec<String> = match config.get_hosts() {
        [] => config.get_hostaddrs().iter().enumerate().map(|(n, a)| format!("{a}:{}", port(n))).collect(),
        _ => hosts.collect(),
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    let schema = if schema == SCHEMA { String::new() } else { format!(" (schema {schema})") };
    format!("postgres://{}/{database}{schema}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_neither_user_nor_password() {
        for (url, place) in [
            ("postgres://me:s3cret@db.example:6543/lore", "postgres://db.example:6543/lore"),
            ("postgresql://me:s3cret@db.example/lore?sslmode=verify-full", "postgres://db.example:5432/lore"),
            ("postgres://me:s%403@a,b:1/lore?schema=my%20own", "postgres://a:5432,b:1/lore (schema my own)"),
            ("postgres://me@%2Frun%2Fpg/lore", "postgres:///run/pg:5432/lore"),
            ("postgres://db/lore?user=me@corp&password=p@s3cret", "postgres://db:5432/lore"),
        ] {
            let address = Address::parse(url);
            assert_eq!(address.map(|a| a.place).ok().as_deref(), Some(place), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_being_shown() {
        for url in [
            "s3cret",
            "postgres://me:s3cret@:x/",
            "postgres://u:s3cret@h/d?sslmode=maybe",
            "postgres://u:s3cret@h/d?x=y",
            "postgres://u:p@s3cret@127.0.0.1:1/d",
            "postgres://u:s3cret/x@h/d",
            "postgres://u:s3cret?x@h/d",
            "postgres://u:12?s3cret@h/d",
            "postgres://u:12?s3=cret@h/d",
            "jdbc:postgresql://u:s3cret@h/d",
            "host=h user=u password=s3cret",
        ] {
            let message = Address::parse(url).unwrap_err().to_string();
            assert!(!message.contains("s3cret") && message.contains("postgres://USER:PASSWORD@HOST"), "{message}");
        }
    }

    #[test]
    fn sslmode_is_libpqs() {
        let trust = |query: &str| {
            let address = Address::parse(&format!("postgres://u@h/d{query}")).unwrap();
            (address.config.get_ssl_mode(), address.trust)
        };
        assert_eq!(trust(""), (SslMode::Prefer, Trust::Anybody));
        assert_eq!(trust("?sslmode=disable"), (SslMode::Disable, Trust::Anybody));
        assert_eq!(trust("?sslmode=require"), (SslMode::Require, Trust::Anybody));
        let root = Some(PathBuf::from("/ca.pem"));
        assert_eq!(trust("?sslmode=require&sslrootcert=/ca.pem"), (SslMode::Require, Trust::Authority(root.clone())));
        assert_eq!(trust("?sslrootcert=%2Fca.pem&sslmode=verify-full"), (SslMode::Require, Trust::Host(root)));
        assert_eq!(trust("?sslmode=verify-full"), (SslMode::Require, Trust::Host(None)));
    }
}
