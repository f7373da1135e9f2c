//! From a kubeconfig, or a pod's service account, to a client; and what to say when that fails.

use std::path::{Path, PathBuf};

use kube::{
    Client, Config,
    client::AuthError,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use sha2::{Digest, Sha256};

use crate::{ClusterError, LiveOptions, no_proxy, requests::one_line};

/// What is known of the server without asking it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// As the kubeconfig gives it.
    pub(crate) url: String,
    /// SHA-256 (hex) of the certificate authority; empty where the system's trust store is used.
    pub(crate) ca_hash: String,
    /// Namespace of the context.
    pub(crate) namespace: String,
    /// Credential plugin, with its author's hint on how to install it.
    exec: Option<(String, Option<String>)>,
}

/// Reads the configuration and builds a client. Runs the credential plugin, if there is one.
pub(crate) async fn connect(options: &LiveOptions) -> Result<(Server, Client), ClusterError> {
    let config = tuned(load(options).await?, options);
    let server = server(&config);
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when someone else was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let build = tokio::task::spawn_blocking(move || Client::try_from(config)).await;
    let client = build.map_err(|e| ClusterError::Credentials { reason: e.to_string() })?;
    let client = client.map_err(|e| match e {
        kube::Error::Auth(auth) => credentials(&auth, &server),
        kube::Error::RustlsTls(tls) => ClusterError::Tls { url: server.url.clone(), reason: tls.to_string() },
        other => ClusterError::Credentials { reason: one_line(&other.to_string()) },
    })?;
    Ok((server, client))
}

fn tuned(mut config: Config, options: &LiveOptions) -> Config {
    let host = config.cluster_url.host().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if loopback {
        // Nothing is gained by gzip there, and a proxy from the environment would look for it on its own machine.
        config.disable_compression = true;
        config.proxy_url = None;
    }
    config.default_retry = false;
    config.connect_timeout = Some(options.request_timeout.min(std::time::Duration::from_secs(10)));
    config
}

/// What to say when credentials cannot be prepared; never what a plugin printed, which may be a token.
pub(crate) fn credentials(error: &AuthError, server: &Server) -> ClusterError {
    let command = || server.exec.as_ref().map_or_else(String::new, |(command, _)| command.clone());
    let reason = match error {
        AuthError::AuthExecStart(e) => {
            let hint = server.exec.as_ref().and_then(|(_, hint)| hint.as_deref()).map(one_line);
            return ClusterError::ExecPlugin {
                command: command(),
                reason: e.to_string(),
                hint: hint.unwrap_or_else(|| "install it, or put it on the PATH".to_owned()),
            };
        }
        // The command as kube gives it holds the plugin's arguments and environment, keys among them perhaps.
        AuthError::AuthExecRun { out, .. } => {
            let stderr = String::from_utf8_lossy(&out.stderr);
            let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it printed no reason");
            format!("the credential plugin {:?} failed ({}): {}", command(), out.status, one_line(last))
        }
        AuthError::AuthExecParse(_) | AuthError::AuthExecSerialize(_) | AuthError::ExecPluginFailed => {
            format!("the credential plugin {:?} printed no ExecCredential", command())
        }
        other => one_line(&other.to_string()),
    };
    ClusterError::Credentials { reason }
}

async fn load(options: &LiveOptions) -> Result<Config, ClusterError> {
    let Some((place, kubeconfig)) = read(options.kubeconfig.as_deref())? else {
        return Config::incluster().map_err(|_| ClusterError::NoCluster);
    };
    let contexts: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    match options.context.as_ref().or(kubeconfig.current_context.as_ref()).filter(|c| !c.is_empty()) {
        None => return Err(ClusterError::NoContext { place, contexts }),
        Some(context) if !contexts.contains(context) => {
            return Err(ClusterError::UnknownContext { context: context.clone(), place, contexts });
        }
        Some(_) => {}
    }
    let own_proxy = has_own_proxy(&kubeconfig, options.context.as_deref());
    let chosen = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &chosen).await.map_err(|e| invalid(place, &e))?;
    let (host, port) = (config.cluster_url.host().unwrap_or_default(), config.cluster_url.port_u16().unwrap_or(443));
    if !own_proxy && options.no_proxy.as_deref().is_some_and(|list| no_proxy::matches(list, host, port)) {
        config.proxy_url = None;
    }
    Ok(config)
}

/// Whether the cluster itself names a proxy; if not, the one in kube's configuration is the environment's.
fn has_own_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> bool {
    let context = context.or(kubeconfig.current_context.as_deref()).unwrap_or_default();
    let context = kubeconfig.contexts.iter().find(|c| c.name == context).and_then(|c| c.context.as_ref());
    let cluster = context.and_then(|context| kubeconfig.clusters.iter().find(|c| c.name == context.cluster));
    let proxy = cluster.and_then(|c| c.cluster.as_ref()?.proxy_url.as_deref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

/// The kubeconfig and what to call it; `None` where there is none, as in a pod.
fn read(file: Option<&Path>) -> Result<Option<(String, Kubeconfig)>, ClusterError> {
    if let Some(file) = file {
        let place = file.display().to_string();
        return match Kubeconfig::read_from(file) {
            Ok(kubeconfig) => Ok(Some((place, kubeconfig))),
            Err(e) => {
                Err(missing(&e).map_or_else(|| invalid(place, &e), |path| ClusterError::KubeconfigMissing { path }))
            }
        };
    }
    let (place, from_env) = ("the kubeconfig of KUBECONFIG", Kubeconfig::from_env());
    match from_env {
        Ok(Some(kubeconfig)) => return Ok(Some((place.to_owned(), kubeconfig))),
        Ok(None) => {}
        Err(e) => {
            return Err(match missing(&e) {
                Some(path) => ClusterError::KubeconfigMissing { path },
                None => invalid(place.to_owned(), &e),
            });
        }
    }
    match Kubeconfig::read() {
        Ok(kubeconfig) => Ok(Some(("~/.kube/config".to_owned(), kubeconfig))),
        Err(KubeconfigError::FindPath) => Ok(None),
        Err(e) if missing(&e).is_some() => Ok(None),
        Err(e) => Err(invalid("~/.kube/config".to_owned(), &e)),
    }
}

fn missing(error: &KubeconfigError) -> Option<PathBuf> {
    match error {
        KubeconfigError::ReadConfig(io, path) if io.kind() == std::io::ErrorKind::NotFound => Some(path.clone()),
        _ => None,
    }
}

fn invalid(place: String, error: &KubeconfigError) -> ClusterError {
    let reason = match error {
        // The parser's own message quotes the lines around, and a token may stand there.
        KubeconfigError::Parse(e) => match e.location() {
            Some(at) => format!("it is not a kubeconfig (line {}, column {})", at.line(), at.column()),
            None => "it is not a kubeconfig".to_owned(),
        },
        KubeconfigError::MissingClusterUrl => "its cluster has no server".to_owned(),
        other => one_line(&other.to_string()),
    };
    ClusterError::KubeconfigInvalid { place, reason }
}

fn server(config: &Config) -> Server {
    let mut hash = Sha256::new();
    let ca = config.root_cert.iter().flatten();
    let has_ca = ca.clone().next().is_some();
    ca.for_each(|certificate| hash.update(certificate));
    let ca_hash =
        if has_ca { hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect() } else { String::new() };
    Server {
        url: config.cluster_url.to_string().trim_end_matches('/').to_owned(),
        ca_hash,
        namespace: config.default_namespace.clone(),
        exec: config.auth_info.exec.as_ref().and_then(|e| Some((e.command.clone()?, e.install_hint.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_and_proxies_are_for_other_machines() {
        for (url, here) in [
            ("https://127.0.0.1:6443", true),
            ("https://localhost", true),
            ("https://[::1]:6443", true),
            ("https://10.0.0.1:6443", false),
            ("https://[fd00::1]", false),
            ("https://api.example.org", false),
        ] {
            let mut config = Config::new(url.parse().unwrap());
            config.proxy_url = Some("http://proxy.example.org:3128".parse().unwrap());
            let tuned = tuned(config, &LiveOptions::default());
            assert_eq!((tuned.disable_compression, tuned.proxy_url.is_none()), (here, here), "{url}");
            assert!(!tuned.default_retry);
        }
    }
}
