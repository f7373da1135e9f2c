//! From a kubeconfig, or a pod's service account, to a client; and what to say when that fails.

use std::{path::Path, path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use clusterlore_core::SourceIdentity;
use http::{HeaderName, HeaderValue};
use kube::{Client, Config, client::AuthError};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::address::{self, Address};
use crate::environment::Environment;
use crate::error::ClusterError;
use crate::kubeconfig::{self, Chosen, Cluster, Impersonate, Kubeconfig, Provider, User};
use crate::line::one_line;
use crate::options::LiveOptions;
use crate::plugin::{Credential, Identity, Plugin};

/// What is known of the server without asking it.
pub(crate) struct Server {
    /// As the kubeconfig gives it, without user and password.
    pub(crate) url: String,
    /// SHA-256 (hex) of the certificate authority; empty where the system's trust store is used.
    pub(crate) ca_hash: String,
    /// Namespace of the context.
    pub(crate) namespace: String,
    /// The proxy on the way, without user and password.
    proxy: Option<String>,
    /// What was read, for when it cannot be read again: a kubeconfig may come through a pipe.
    found: Found,
}

impl Server {
    /// The context that was chosen; empty where there was none.
    pub(crate) fn context(&self) -> &str {
        &self.found.context
    }

    /// Nobody listens, or no route there.
    pub(crate) fn unreachable(&self, reason: String) -> ClusterError {
        let by_way = self.proxy.as_ref().map(|proxy| format!(", by way of the proxy {proxy}"));
        ClusterError::Unreachable { url: self.url.clone(), reason: format!("{reason}{}", by_way.unwrap_or_default()) }
    }
}

/// Where the way to the cluster is written down, and what stands there.
#[derive(Clone)]
struct Found {
    /// The file, or where the configuration came from.
    place: String,
    /// Empty where there is none.
    context: String,
    chosen: Chosen,
    /// Read again now and then: a pod's is renewed in its place.
    ca_file: Option<PathBuf>,
}

/// Reads the configuration and builds a client. Runs the credential plugin, if there is one. `known`: a client was built before.
pub(crate) async fn connect(options: &LiveOptions, known: Option<&Server>) -> Result<(Server, Client), ClusterError> {
    let found = match (find(options), known) {
        (Ok(found), _) => found,
        (Err(_), Some(known)) => known.found.clone(),
        (Err(error), None) => return Err(error),
    };
    let invalid = |reason| ClusterError::KubeconfigInvalid { place: found.place.clone(), reason };
    let mut plan = Plan::of(&found.chosen, &options.environment).map_err(invalid)?;
    let mut credential = Credential { identity: plan.identity.take(), ..Credential::default() };
    if let Login::Plugin(plugin) = &plan.login {
        credential = plugin.run().await?;
        if !credential.token.is_empty() {
            plan.login = Login::Token(std::mem::take(&mut credential.token));
        }
    }
    if let Login::Token(token) = &plan.login
        && !is_header(&format!("Bearer {token}"))
    {
        let reason = "the token holds a line break or an invalid character".to_owned();
        return Err(ClusterError::Credentials { reason });
    }
    let server = Server {
        url: plan.address.shown(),
        ca_hash: ca_hash(&plan.ca),
        namespace: found.chosen.namespace.clone(),
        proxy: plan.proxy.as_ref().map(Address::shown),
        found,
    };
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when someone else was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let config = config(plan, credential.identity, server.found.ca_file.clone(), options.request_timeout)?;
    let build = tokio::task::spawn_blocking(move || Client::try_from(config)).await;
    let client = build.map_err(|e| ClusterError::Credentials { reason: e.to_string() })?;
    let client = client.map_err(|e| match e {
        kube::Error::Auth(auth) => credentials(&auth),
        kube::Error::RustlsTls(tls) => ClusterError::Tls { url: server.url.clone(), reason: tls.to_string() },
        other => ClusterError::Credentials { reason: one_line(&other.to_string()) },
    })?;
    Ok((server, client.with_valid_until(credential.until)))
}

/// What to say when credentials cannot be prepared; never what an identity provider answered, which may be a token.
pub(crate) fn credentials(error: &AuthError) -> ClusterError {
    let reason = match error {
        AuthError::Oidc(_) => "the auth-provider oidc has no valid id-token, and none can be had".to_owned(),
        _ => "kube does not take them".to_owned(),
    };
    ClusterError::Credentials { reason }
}

/// What to do, before anybody is asked.
struct Plan {
    address: Address,
    proxy: Option<Address>,
    ca: Vec<Vec<u8>>,
    tls_server_name: String,
    insecure: bool,
    disable_compression: bool,
    login: Login,
    identity: Option<Identity>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

enum Login {
    None,
    Token(String),
    Basic(String, String),
    Provider(Provider),
    Plugin(Box<Plugin>),
}

impl Plan {
    /// As kubectl does it: over plain HTTP nobody is told a secret that stands in the kubeconfig, except in the address itself.
    fn of(chosen: &Chosen, environment: &Environment) -> Result<Self, String> {
        let Chosen { cluster, user, .. } = chosen;
        let address = Address::server(&cluster.server).map_err(|wrong| format!("the cluster's server {wrong}"))?;
        let proxy = if cluster.proxy_url.is_empty() {
            let proxy = address::environment_proxy(&address, environment);
            proxy.map_err(|wrong| format!("the proxy that the environment names {wrong}"))?
        } else {
            Some(address::named_proxy(&cluster.proxy_url).map_err(|wrong| format!("the cluster's proxy-url {wrong}"))?)
        };
        let here = address.is_loopback() && proxy.is_none();
        let mut plan = Self {
            proxy,
            ca: Vec::new(),
            tls_server_name: String::new(),
            insecure: false,
            // Nothing is gained by it on the way to this machine.
            disable_compression: cluster.disable_compression || here,
            login: address.user.clone().map_or(Login::None, |(name, password)| Login::Basic(name, password)),
            identity: None,
            headers: impersonation(&user.impersonate)?,
            address,
        };
        if !plan.address.is_secure() {
            return Ok(plan);
        }
        if cluster.insecure && !(cluster.ca_file.is_empty() && cluster.ca_data.is_empty()) {
            return Err(
                "the cluster has a certificate-authority together with insecure-skip-tls-verify: true; expected one of \
                        them"
                    .to_owned(),
            );
        }
        let ca = data_or_file(&cluster.ca_data, &cluster.ca_file, "certificate-authority")?;
        plan.ca = certificates(ca.as_deref())?;
        plan.tls_server_name.clone_from(&cluster.tls_server_name);
        plan.insecure = cluster.insecure;
        plan.identity = identity(user)?;
        if let Login::None = plan.login {
            plan.login = login(chosen, ca.as_deref().unwrap_or_default(), plan.identity.is_some(), environment)?;
        }
        Ok(plan)
    }
}

fn login(chosen: &Chosen, ca: &[u8], has_identity: bool, environment: &Environment) -> Result<Login, String> {
    let Chosen { user, user_name, user_known, cluster, .. } = chosen;
    let by_token = !(user.token.is_empty() && user.token_file.is_empty());
    if by_token && !user.username.is_empty() {
        return Err(format!("user {user_name:?} has both a token and a username; expected one of them"));
    }
    if user.provider.as_ref().is_some_and(|provider| provider.name != "oidc") {
        return Err(format!(
            "user {user_name:?} has an auth-provider other than oidc, which kubectl no longer supports either; expected an exec plugin"
        ));
    }
    if by_token {
        return token(user).map(Login::Token);
    }
    if !user.username.is_empty() {
        return Ok(Login::Basic(user.username.clone(), user.password.clone()));
    }
    if let Some(provider) = &user.provider {
        return Ok(Login::Provider(provider.clone()));
    }
    if has_identity {
        return Ok(Login::None);
    }
    if let Some(entry) = &user.plugin {
        return Ok(Login::Plugin(Box::new(Plugin::new(entry, cluster, ca, environment.terminal))));
    }
    Err(if *user_known {
        format!("user {user_name:?} has no credentials; expected a token, a client-certificate, a username or an exec")
    } else {
        format!("there is no user {user_name:?}, which the context names")
    })
}

/// A file counts more than what stands in the kubeconfig: it may have been renewed.
fn token(user: &User) -> Result<String, String> {
    if user.token_file.is_empty() {
        return Ok(user.token.clone());
    }
    let read = kubeconfig::read_bounded(Path::new(&user.token_file)).map_err(|e| e.to_string());
    let trimmed = read.and_then(|bytes| {
        let token = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        Some(token.trim().to_owned()).filter(|token| !token.is_empty()).ok_or_else(|| "it is empty".to_owned())
    });
    match trimmed {
        Err(_) if !user.token.is_empty() => Ok(user.token.clone()),
        other => other.map_err(|reason| format!("the tokenFile {} gives no token ({reason})", user.token_file)),
    }
}

fn identity(user: &User) -> Result<Option<Identity>, String> {
    let certificate = data_or_file(&user.certificate_data, &user.certificate_file, "client-certificate")?;
    let Some(certificate) = certificate else { return Ok(None) };
    let key = data_or_file(&user.key_data, &user.key_file, "client-key")?;
    Ok(Some(Identity { certificate, key: key.unwrap_or_default() }))
}

fn data_or_file(data: &[u8], file: &str, what: &str) -> Result<Option<Vec<u8>>, String> {
    if !data.is_empty() || file.is_empty() {
        return Ok((!data.is_empty()).then(|| data.to_vec()));
    }
    let bytes = kubeconfig::read_bounded(Path::new(file));
    bytes.map(Some).map_err(|e| format!("the {what} {file} cannot be read ({e})"))
}

/// Those that can be used; others beside them do no harm.
fn certificates(pem: Option<&[u8]>) -> Result<Vec<Vec<u8>>, String> {
    let Some(pem) = pem else { return Ok(Vec::new()) };
    let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
        .map(|certificate| certificate.to_vec())
        .collect();
    if certificates.is_empty() {
        return Err("the cluster's certificate-authority holds no certificate; expected PEM".to_owned());
    }
    Ok(certificates)
}

fn impersonation(impersonate: &Impersonate) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let Impersonate { user, uid, groups, extra } = impersonate;
    let mut all = vec![("impersonate-user".to_owned(), user), ("impersonate-uid".to_owned(), uid)];
    all.retain(|(_, value)| !value.is_empty());
    if user.is_empty() {
        return Ok(Vec::new());
    }
    all.extend(groups.iter().map(|group| ("impersonate-group".to_owned(), group)));
    for (key, values) in extra {
        let name = format!("impersonate-extra-{}", header_key(key));
        all.extend(values.iter().map(|value| (name.clone(), value)));
    }
    let headers = all.into_iter().map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    headers.collect::<Option<_>>().ok_or_else(|| "the user's as fields hold a sign that no header takes".to_owned())
}

/// Escapes what no header's name may hold, and the percent sign.
fn header_key(key: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&b);
    key.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn is_header(value: &str) -> bool {
    HeaderValue::from_bytes(value.as_bytes()).is_ok()
}

fn ca_hash(ca: &[Vec<u8>]) -> String {
    if ca.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    ca.iter().for_each(|certificate| hash.update(certificate));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What kube builds a client from. Nothing is left to be read by kube itself but a pod's certificate authority.
fn config(
    plan: Plan,
    identity: Option<Identity>,
    ca_file: Option<PathBuf>,
    request_timeout: Duration,
) -> Result<Config, ClusterError> {
    let refused = || ClusterError::Credentials { reason: "kube does not take them".to_owned() };
    let uri = plan.address.uri().ok_or_else(refused)?;
    let mut user = json!({});
    match plan.login {
        Login::Token(token) => user["token"] = token.into(),
        Login::Basic(name, password) => {
            user["username"] = name.into();
            user["password"] = password.into();
        }
        Login::Provider(Provider { name, config }) => user["auth-provider"] = json!({"name": name, "config": config}),
        Login::None | Login::Plugin(_) => {}
    }
    if let Some(Identity { certificate, key }) = identity {
        user["client-certificate-data"] = STANDARD.encode(certificate).into();
        user["client-key-data"] = STANDARD.encode(key).into();
    }
    let mut config = Config::new(uri);
    config.auth_info = serde_json::from_value(user).map_err(|_| refused())?;
    config.headers = plan.headers;
    config.accept_invalid_certs = plan.insecure;
    // Where no certificate is looked at, a system without a trust store is no obstacle.
    let looked_at = plan.address.is_secure() && !plan.insecure;
    config.root_cert = (!plan.ca.is_empty() || !looked_at).then_some(plan.ca);
    config.root_cert_file = ca_file.filter(|_| looked_at);
    config.tls_server_name = Some(plan.tls_server_name).filter(|name| !name.is_empty());
    config.proxy_url = plan.proxy.as_ref().and_then(Address::uri_with_user);
    config.disable_compression = plan.disable_compression;
    config.default_retry = false;
    config.connect_timeout = Some(request_timeout.min(Duration::from_secs(10)));
    Ok(config)
}

/// The contexts that can be chosen from; none where no kubeconfig can be read.
pub(crate) fn contexts(options: &LiveOptions) -> Vec<String> {
    written(options).map(|written| written.config.contexts.into_keys().collect()).unwrap_or_default()
}

/// What is written where kubectl looks.
struct Written {
    place: String,
    config: Kubeconfig,
    /// The file that would be the first, where none is there.
    missing: Option<PathBuf>,
}

/// Looks where kubectl looks: in the file that was named, else in KUBECONFIG's, else in `~/.kube/config`.
fn written(options: &LiveOptions) -> Result<Written, ClusterError> {
    let environment = &options.environment;
    let at = |path: &Path, reason| ClusterError::KubeconfigInvalid { place: path.display().to_string(), reason };
    if let Some(file) = options.kubeconfig.as_deref() {
        let config = match Kubeconfig::read(file) {
            Ok(config) => config.map_err(|reason| at(file, reason))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(ClusterError::KubeconfigMissing { path: file.to_owned() });
            }
            Err(e) => return Err(at(file, e.to_string())),
        };
        return Ok(Written { place: file.display().to_string(), config, missing: None });
    }
    let (place, files) = match &environment.kubeconfig {
        Some(list) => ("the kubeconfig of KUBECONFIG", std::env::split_paths(list).collect()),
        None => {
            let home = environment.home.as_ref().map(|home| home.join(".kube/config"));
            ("~/.kube/config", home.into_iter().collect::<Vec<_>>())
        }
    };
    let config = kubeconfig::read_list(&files).map_err(|(file, reason)| at(&file, reason))?;
    let mut named = files.into_iter().filter(|file| !file.as_os_str().is_empty());
    let missing = named.next().filter(|first| !first.exists() && !named.any(|file| file.exists()));
    Ok(Written { place: place.to_owned(), config, missing })
}

/// What the context leads to; without a context in any kubeconfig, the pod that this may be.
fn find(options: &LiveOptions) -> Result<Found, ClusterError> {
    let environment = &options.environment;
    let Written { place, config, missing } = written(options)?;
    let named = options.context.as_ref().filter(|name| !name.is_empty());
    let context = named.unwrap_or(&config.current);
    if context.is_empty() {
        if let Some(pod) = pod(environment) {
            return Ok(pod);
        }
        let contexts: Vec<String> = config.contexts.into_keys().collect();
        return Err(match missing {
            Some(path) if environment.kubeconfig.is_some() => ClusterError::KubeconfigMissing { path },
            Some(_) => ClusterError::NoCluster,
            None if options.kubeconfig.is_none() && environment.home.is_none() && environment.kubeconfig.is_none() => {
                ClusterError::NoCluster
            }
            None => ClusterError::NoContext { place, contexts },
        });
    }
    if !config.contexts.contains_key(context) {
        let (context, contexts) = (context.clone(), config.contexts.into_keys().collect());
        return Err(ClusterError::UnknownContext { context, place, contexts });
    }
    match config.choose(context) {
        Ok(mut chosen) => {
            if let Some((user, groups)) = options.impersonate.clone() {
                chosen.user.impersonate = Impersonate { user, groups, ..Impersonate::default() };
            }
            Ok(Found { place, context: context.clone(), chosen, ca_file: None })
        }
        Err(reason) => Err(ClusterError::KubeconfigInvalid { place, reason }),
    }
}

/// The context that is chosen, and the cluster that it names.
pub(crate) fn chosen(options: &LiveOptions) -> Option<(String, SourceIdentity)> {
    let Found { context, chosen: Chosen { cluster, .. }, .. } = find(options).ok().filter(|f| !f.context.is_empty())?;
    let address = Address::server(&cluster.server).ok()?;
    let ca = match address.is_secure() {
        true => certificates(data_or_file(&cluster.ca_data, &cluster.ca_file, "").ok()?.as_deref()).ok()?,
        false => Vec::new(),
    };
    Some((context, SourceIdentity::Cluster { uid: None, server: address.shown(), ca_hash: ca_hash(&ca) }))
}

/// The namespace of the context that is chosen.
pub(crate) fn chosen_namespace(options: &LiveOptions) -> Option<String> {
    find(options).ok().filter(|found| !found.context.is_empty()).map(|found| found.chosen.namespace)
}

/// The cluster that this runs in, if it does.
fn pod(environment: &Environment) -> Option<Found> {
    let (host, port) = environment.service.as_ref()?;
    let account = environment.service_account();
    let file = |name: &str| Some(account.join(name)).filter(|file| file.is_file());
    let token = file("token")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let ca_file = file("ca.crt");
    let text = |path: PathBuf| path.to_str().map(str::to_owned);
    let own = || file("namespace").and_then(|file| std::fs::read_to_string(file).ok());
    let namespace = environment.pod_namespace.clone().or_else(own).unwrap_or_default();
    let cluster = Cluster {
        server: format!("https://{host}:{port}"),
        ca_file: ca_file.clone().and_then(text).unwrap_or_default(),
        ..Cluster::default()
    };
    let user = User { token_file: text(token)?, ..User::default() };
    let chosen = Chosen {
        namespace: Some(namespace.trim()).filter(|name| !name.is_empty()).unwrap_or("default").to_owned(),
        user_name: String::new(),
        user_known: true,
        cluster,
        user,
    };
    Some(Found { place: "the pod's service account".to_owned(), context: String::new(), chosen, ca_file })
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;
    use crate::plugin;

    /// Something of everything, with one secret.
    const ALL: &str = r#"apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: https://bob:PASSWD99@127.0.0.1:6443/a/b
    tls-server-name: lab.internal
    proxy-url: http://bob:PASSWD99@127.0.0.1:3128
    certificate-authority-data: |
      LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCllXSmoKLS0tLS1FTkQg
      Q0VSVElGSUNBVEUtLS0tLQo=
    extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]
- {name: plain, cluster: {server: "[::1]:8080", disable-compression: yes}}
- {name: blind, cluster: {server: &s HTTPS://Lab.Internal, insecure-skip-tls-verify: true}}
users:
- {name: token, user: {token: PASSWD99, as: joe, as-groups: [a, b], as-user-extra: {c/d: [e]}}}
- {name: basic, user: {username: bob, password: PASSWD99}}
- {name: provider, user: {auth-provider: {name: oidc, config: {id-token: a.PASSWD99.c, idp-issuer-url: x, client-id: z}}}}
- {name: certificate, user: {client-certificate-data: UEFTU1dEOTk=, client-key-data: UEFTU1dEOTk=}}
- name: plugin
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [PASSWD99], env: [{name: A, value: PASSWD99}], interactiveMode: Never, provideClusterInfo: true}}
contexts:
- {name: a, context: {cluster: lab, user: token, namespace: shop}}
- {name: b, context: {cluster: blind, user: basic}}
- {name: c, context: {cluster: blind, user: provider}}
- {name: d, context: {cluster: blind, user: certificate}}
- {name: e, context: {cluster: blind, user: plugin}}
- {name: f, context: {cluster: plain, user: ~}}
- {name: g, context: {cluster: *s, user: token}}
- {name: h, context: {cluster: blind, user: token}}
current-context: a
"#;
    /// What breaks things, or nearly.
    const PIECES: [&str; 24] = [
        "\0",
        "\n",
        "\r\n",
        "\u{feff}",
        "\u{202e}",
        "://",
        "@",
        "%",
        "%zz",
        "[",
        "]",
        "{",
        "}",
        ":",
        "- ",
        "? ",
        "&a ",
        "*a",
        "<<: ",
        "!!binary ",
        "---\n",
        "~",
        "999999999999999999999",
        "\"",
    ];

    #[derive(Debug, Clone)]
    enum Change {
        Piece(Index, Index),
        Byte(Index, u8),
        Cut(Index, u8),
        Copy(Index, Index, u8),
        Wide(bool),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = prop_oneof![
            (any::<Index>(), any::<Index>()).prop_map(|(at, piece)| Change::Piece(at, piece)),
            (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
            (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Change::Cut(at, length)),
            (any::<Index>(), any::<Index>(), any::<u8>()).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
            any::<bool>().prop_map(Change::Wide),
        ];
        vec(change, 0..6)
    }

    fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for change in changes {
            if bytes.is_empty() {
                break;
            }
            let end = |from: usize, length: u8| (from + usize::from(length)).min(bytes.len());
            match change {
                Change::Piece(at, piece) => {
                    let at = at.index(bytes.len());
                    bytes.splice(at..at, piece.get(&PIECES).bytes());
                }
                Change::Byte(at, byte) => *at.get_mut(&mut bytes) = *byte,
                Change::Cut(at, length) => {
                    let from = at.index(bytes.len());
                    bytes.drain(from..end(from, *length));
                }
                Change::Copy(from, to, length) => {
                    let from = from.index(bytes.len());
                    let copy = bytes[from..end(from, *length)].to_vec();
                    let to = to.index(bytes.len());
                    bytes.splice(to..to, copy);
                }
                Change::Wide(small_end_first) => {
                    let unit = if *small_end_first { u16::to_le_bytes } else { u16::to_be_bytes };
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    bytes = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect();
                }
            }
        }
        bytes
    }

    /// As far as it goes without a plugin being started: to a client for each context, or to a reason.
    fn clients(bytes: &[u8]) -> Result<Vec<Result<Client, String>>, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Kubeconfig::parse(bytes)?;
        let one = |context: &String| {
            let chosen = config.choose(context)?;
            let mut plan = Plan::of(&chosen, &Environment::default())?;
            let _ = plan.address.shown();
            let identity = plan.identity.take();
            if matches!(&plan.login, Login::Token(token) if !is_header(&format!("Bearer {token}"))) {
                return Err("no header".to_owned());
            }
            let config = super::config(plan, identity, None, Duration::from_secs(1)).map_err(|e| e.to_string())?;
            Client::try_from(config).map_err(|e| e.to_string())
        };
        Ok(config.contexts.keys().map(one).collect())
    }

    fn in_runtime<T>(work: impl FnOnce() -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        work()
    }

    proptest! {
        /// No bytes make a panic.
        #[test]
        fn fuzz_kubeconfig(changes in changes(), noise in vec(any::<u8>(), 0..64)) {
            in_runtime(|| {
                let _ = clients(&changed(ALL, &changes));
                let _ = clients(&noise);
            });
        }

        #[test]
        fn fuzz_kubeconfig_plugin_answer(changes in changes(), noise in vec(any::<u8>(), 0..64)) {
            let answer = r#"{"apiVersion": "v", "kind": "ExecCredential", "status": {"token": "PASSWD99",
                "clientCertificateData": "x", "clientKeyData": "y", "expirationTimestamp": "2030-01-01T00:00:00Z"}}"#;
            let _ = plugin::credential(&changed(answer, &changes), "v");
            let _ = plugin::credential(&noise, "v");
        }

        #[test]
        fn fuzz_kubeconfig_addresses(text in "([a-z0-9]{0,6}:?/{0,2})?([a-z0-9:%@]{0,9}@)?[\\[a-z0-9:.%\\]_ é-]{0,12}(:[0-9x]{0,6})?(/[a-z/?#%]{0,6})?") {
            if let Ok(address) = Address::server(&text) {
                prop_assert!(address.uri().is_some());
                prop_assert!(!address.shown().contains('@'), "{}", address.shown());
            }
            if let Ok(proxy) = address::named_proxy(&text) {
                prop_assert!(proxy.uri_with_user().is_some());
            }
        }
    }

    #[test]
    fn what_the_changes_begin_with_is_read_to_the_end() {
        let clients = in_runtime(|| clients(ALL.as_bytes())).unwrap();
        let said: Vec<_> = clients.iter().map(|c| c.as_ref().err().map_or("", String::as_str)).collect();
        let none = "the cluster's certificate-authority holds no certificate; expected PEM";
        assert_eq!(said[0], none);
        assert_eq!([said[1], said[2], said[4], said[5], said[7]], [""; 5], "{said:?}");
        assert!(said[3].contains("identity PEM") && said[6].contains("there is no cluster"), "{said:?}");
    }

    /// Each value in its turn is of another type: the reason names the place, and never what stands there or beside it. The names
    /// of clusters and users are no secrets.
    #[test]
    fn no_reason_quotes_a_value() {
        for broken in ["[PASSWD99]", "{PASSWD99: 1}", "PASSWD99: PASSWD99", "\"PASSWD99", "!x PASSWD99", "*PASSWD99"] {
            let named = |at: usize| ["name", "cluster", "user"].iter().any(|key| ALL[..at].ends_with(key));
            for (at, _) in ALL.match_indices(": ").filter(|(at, _)| !named(*at)) {
                let line = ALL[at..].find(['\n', ',', '}', ']']).map_or(ALL.len(), |end| at + end);
                let text = format!("{}: {broken}{}", &ALL[..at], &ALL[line..]);
                match in_runtime(|| clients(text.as_bytes())) {
                    Err(reason) => assert!(!reason.contains("PASSWD99"), "{reason}\n{text}"),
                    Ok(clients) => {
                        let reasons = clients.into_iter().filter_map(Result::err);
                        let telling: Vec<String> = reasons.filter(|reason| reason.contains("PASSWD99")).collect();
                        assert!(telling.is_empty(), "{telling:?}\n{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn compression_is_for_other_machines() {
        for (server, proxy, compressed) in [
            ("https://127.0.0.1:6443", "", false),
            ("https://localhost", "", false),
            ("https://[::1]:6443", "", false),
            ("https://localhost", "socks5://127.0.0.1:1080", true),
            ("https://10.0.0.1:6443", "", true),
            ("https://[fd00::1]", "", true),
            ("https://api.example.org", "", true),
        ] {
            let text = format!(
                "clusters: [{{name: c, cluster: {{server: '{server}', proxy-url: '{proxy}'}}}}]\n\
                users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
            );
            let chosen = Kubeconfig::parse(text.as_bytes()).unwrap().choose("x").unwrap();
            let plan = Plan::of(&chosen, &Environment::default()).unwrap();
            assert_eq!(!plan.disable_compression, compressed, "{server}");
            assert_eq!(plan.address.shown(), server);
        }
    }
}
