//! Flags of `serve` and `token`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use clusterlore_server::SecureUrl;

use super::mcp::OfferFlags;
use super::shared::{DemoFlag, LiveFlags, cluster_name, namespace, whole};
use super::watch::WatchFlags;

/// How callers are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthFlag {
    /// Not at all: whoever reaches the address may see everything. Only on loopback addresses
    None,
    /// By the tokens of a file (see "clusterlore token --help")
    Token,
    /// By their Kubernetes tokens: each sees what they may list. Whoever posts needs a token of --tokens
    Kubernetes,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore serve                                        watch the cluster, and answer on http://127.0.0.1:8080
  clusterlore serve --no-watch --port 3000                 fed by a controller that posts, or by syncs
  curl 'http://127.0.0.1:8080/api/v1/search?q=what+databases+are+running'
  clusterlore token ann --see-namespace fares --tokens tokens.toml
  clusterlore serve --listen 0.0.0.0:8080 --auth token --tokens tokens.toml
  clusterlore serve --auth kubernetes --oidc-issuer https://login.example.org --public-url https://lore.example.org

At / is a page for people. Endpoints: GET or POST /api/v1/search, /count, /ask; POST /api/v1/talk; GET /api/v1/details, /tree, /similar,
/changes, /instances/ID, /capabilities, /capabilities/NAME, /status, /openapi.json; POST /api/v1/instances/sync and
/api/v1/capabilities/scan, as the k8s-vectordb-sync controller calls them; GET /healthz, /readyz, /metrics; POST /mcp, for assistants.")]
pub(crate) struct Serve {
    /// Do not watch the cluster: serve what is indexed, and what controllers post
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// Address and port to listen on; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Listen on this port of 127.0.0.1
    #[arg(long, value_name = "PORT", conflicts_with = "listen", value_parser = whole::<u16>(0..=65_535))]
    pub(crate) port: Option<u16>,
    /// How callers are told apart [default: none on a loopback address]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) auth: Option<AuthFlag>,
    /// File of tokens; it is read again when it changes
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// Audience that Kubernetes tokens have to be meant for [default: the API server's own]
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub(crate) audience: Vec<String>,
    /// OpenID Connect issuer that the API server trusts: clients without a token are told to get one there (RFC 9728). May be given more
    /// than once
    #[arg(long, value_name = "URL")]
    pub(crate) oidc_issuer: Vec<SecureUrl>,
    /// Address by which clients know this server [default: the address that it listens on]
    #[arg(long, value_name = "URL", requires = "oidc_issuer")]
    pub(crate) public_url: Option<SecureUrl>,
    /// Certificate chain (PEM) to speak TLS with; it is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Name by which assistants reach /mcp, besides those of this machine; with a port, only that one. May be given more than once
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) allowed_host: Vec<String>,
    /// Requests a second that one caller may send, in the mean; posts of controllers are not counted
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = whole::<u32>(1..=u32::MAX))]
    pub(crate) rate: u32,
    /// Requests that are answered at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole::<u16>(1..=65_535))]
    pub(crate) max_requests: u16,
    #[command(flatten)]
    pub(crate) offer: OfferFlags,
    #[command(flatten)]
    pub(crate) live: LiveFlags,
    #[command(flatten)]
    pub(crate) watched: WatchFlags,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

/// A host, as a request names it.
fn host(text: &str) -> Result<String, String> {
    let wrong =
        || "expected a host such as lore.example.org or lore.example.org:8443, without https:// and path".to_owned();
    let authority: http::uri::Authority = text.trim().parse().map_err(|_| wrong())?;
    let is_plain = !authority.as_str().contains(['@', '*']) && !authority.host().is_empty();
    if is_plain { Ok(authority.to_string()) } else { Err(wrong()) }
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore token ann --see-all --tokens tokens.toml
  clusterlore token payments --see-namespace payments --see-namespace payments-test --tokens tokens.toml
  clusterlore token controller --write east --tokens tokens.toml   a controller that posts about the cluster \"east\"

The token is printed once, on standard output. The file keeps its SHA-256 only. Rules beyond these flags can be written into the file:
see = [{ cluster = \"east\", type = \"pods\", namespaces = [\"shop\"] }]")]
pub(crate) struct Token {
    /// Who it is for
    #[arg(value_name = "NAME", value_parser = cluster_name)]
    pub(crate) name: String,
    /// File to add the token to; it is made where it is missing
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: PathBuf,
    /// It shows everything
    #[arg(long, conflicts_with = "namespaces")]
    pub(crate) see_all: bool,
    /// It shows what lives in these namespaces
    #[arg(long = "see-namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
    /// Name of the cluster whose namespaces these are [default: the unnamed one]
    #[arg(long, value_name = "NAME", value_parser = cluster_name, requires = "namespaces")]
    pub(crate) cluster_name: Option<String>,
    /// Its bearer may post about this cluster; "" is the unnamed one
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) write: Option<String>,
}

impl Token {
    /// The namespaces, each once.
    pub(crate) fn seen(&self) -> BTreeSet<&str> {
        self.namespaces.iter().map(String::as_str).collect()
    }
}
