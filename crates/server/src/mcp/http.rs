//! Over HTTP, without sessions: each request stands by itself, and is answered with JSON.

use std::sync::Arc;

use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::assistant::{Assistant, Offer};
use super::ground::IndexSource;

/// The hosts of this machine, by which it is always asked.
const OWN: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The endpoint. It is asked by the names of this machine and by those of `hosts`; pages of other origins are refused.
pub(crate) fn service(
    source: Arc<dyn IndexSource>,
    hosts: &[String],
    offer: Offer,
    body: usize,
) -> StreamableHttpService<Assistant, NeverSessionManager> {
    let hosts: Vec<&str> = OWN.into_iter().chain(hosts.iter().map(String::as_str)).collect();
    // A port of its own says which one; else any.
    let port =
        |host: &str| if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) { "" } else { ":*" };
    let origins =
        hosts.iter().flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}{}", port(host))));
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_allowed_hosts(hosts.iter().copied())
        .with_max_request_body_bytes(body);
    let assistant = Assistant::of_callers(source, offer);
    StreamableHttpService::new(move || Ok(assistant.clone()), Arc::new(NeverSessionManager::default()), config)
}
