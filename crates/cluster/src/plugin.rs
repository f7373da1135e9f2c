//! Credential plugins: started as kubectl starts them, and their answers checked. kube would start one several times for one client,
//! panics on a token that is no header, and shows what the plugin says.

use std::{process::Stdio, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use crate::error::ClusterError;
use crate::kubeconfig::{At, Cluster, PluginEntry, yaml};
use crate::line::one_line;

/// Long enough for a login in a browser.
const LONGEST: Duration = Duration::from_secs(300);
/// What no credential reaches, in bytes.
const LARGEST: u64 = 1 << 20;

/// A plugin, ready to be started.
#[derive(Clone)]
pub(crate) struct Plugin {
    entry: PluginEntry,
    /// What it is told of the cluster, where it wants to know.
    cluster: Option<Value>,
    /// Whether it may ask at the terminal.
    terminal: bool,
}

/// A client's certificate and its key, both in PEM.
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// What a plugin gave.
#[derive(Default)]
pub(crate) struct Credential {
    /// Empty where there is none.
    pub(crate) token: String,
    pub(crate) identity: Option<Identity>,
    /// When it ends.
    pub(crate) until: Option<Timestamp>,
}

impl Plugin {
    pub(crate) fn new(entry: &PluginEntry, cluster: &Cluster, ca: &[u8], terminal: bool) -> Self {
        let told = entry.provide_cluster_info.then(|| {
            let mut told = json!({"server": cluster.server, "config": cluster.plugin_config});
            for (key, value) in [
                ("tls-server-name", json!(cluster.tls_server_name)),
                ("insecure-skip-tls-verify", json!(cluster.insecure)),
                ("certificate-authority-data", json!(STANDARD.encode(ca))),
                ("proxy-url", json!(cluster.proxy_url)),
                ("disable-compression", json!(cluster.disable_compression)),
            ] {
                if value != "" && value != false {
                    told[key] = value;
                }
            }
            told
        });
        Self { entry: entry.clone(), cluster: told, terminal }
    }

    /// Starts the plugin and waits for its answer. What it says beside that may hold a secret: it reaches a terminal, where
    /// somebody may have to answer, and nothing else.
    pub(crate) async fn run(&self) -> Result<Credential, ClusterError> {
        let PluginEntry { command: name, args, env, api_version, interactive_mode, .. } = &self.entry;
        let failed = |what: &str| ClusterError::Credentials {
            reason: format!("the credential plugin {:?} {what}", one_line(name)),
        };
        if interactive_mode == "Always" && !self.terminal {
            return Err(failed("asks at a terminal, and there is none"));
        }
        let interactive = interactive_mode != "Never" && self.terminal;
        let mut spec = json!({"interactive": interactive});
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        let told = json!({"kind": "ExecCredential", "apiVersion": api_version, "spec": spec});
        let mut command = Command::new(name);
        command
            .args(args)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .env("KUBERNETES_EXEC_INFO", told.to_string())
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(if self.terminal { Stdio::inherit() } else { Stdio::null() })
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| {
            let hint = match one_line(&self.entry.install_hint) {
                hint if hint.is_empty() => "install it, or put it on the PATH".to_owned(),
                hint => hint,
            };
            ClusterError::ExecPlugin { command: one_line(name), reason: e.to_string(), hint }
        })?;
        let mut answer = Vec::new();
        let status = timeout(LONGEST, async {
            if let Some(stdout) = child.stdout.take() {
                stdout.take(LARGEST + 1).read_to_end(&mut answer).await?;
            }
            // One that prints more is not waited for: it may never end.
            if answer.len() as u64 > LARGEST { Ok(None) } else { child.wait().await.map(Some) }
        });
        let status = status.await.map_err(|_| failed(&format!("did not end within {LONGEST:?}")))?;
        let status = status.map_err(|e: std::io::Error| failed(&format!("cannot be waited for: {e}")))?;
        let Some(status) = status else { return Err(failed("printed more than a credential")) };
        if !status.success() {
            return Err(failed(&format!("failed ({status}); run it yourself to see why")));
        }
        credential(&answer, api_version).map_err(|what| failed(&what))
    }
}

/// Reads what a plugin printed. The error never quotes it.
pub(crate) fn credential(answer: &[u8], api_version: &str) -> Result<Credential, String> {
    let none = |_: String| "printed no ExecCredential".to_owned();
    // What looks like JSON must be JSON; anything else may be YAML.
    let root = if answer.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice(answer).map_err(|_| none(String::new()))?
    } else {
        yaml(answer).map_err(none)?
    };
    let root = At { value: &root, path: String::new() };
    if root.text("kind").map_err(none)? != "ExecCredential" {
        return Err(none(String::new()));
    }
    if root.text("apiVersion").map_err(none)? != api_version {
        return Err(format!("printed an ExecCredential of another version than {api_version}"));
    }
    let status = root.get("status");
    let text = |key| status.text(key).map_err(none);
    let (token, certificate, key) = (text("token")?, text("clientCertificateData")?, text("clientKeyData")?);
    if token.is_empty() && certificate.is_empty() && key.is_empty() {
        return Err("gave neither a token nor a certificate".to_owned());
    }
    if certificate.is_empty() != key.is_empty() {
        return Err("gave a certificate or a key, not both".to_owned());
    }
    let until = match text("expirationTimestamp")? {
        end if end.is_empty() => None,
        end => Some(end.parse().map_err(|_| "gave an expirationTimestamp that is not a time".to_owned())?),
    };
    let identity = (!key.is_empty()).then(|| Identity { certificate: certificate.into_bytes(), key: key.into_bytes() });
    Ok(Credential { token, identity, until })
}
