//! Kubeconfigs by kubectl's rules: which files are read, how they are merged, and the one context, cluster and user that count.
//!
//! kube's own reading is stricter in some places (a missing file in KUBECONFIG, a repeated key, wrapped base64) and laxer in others,
//! and panics on some inputs. What comes out of here is checked, so that kube is given nothing that it cannot take. Reasons
//! name a place in the file and never what stands there, which may be a password.

use std::{
    collections::{BTreeMap, HashSet},
    io::{self, Read},
    path::{Path, PathBuf},
};

use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

/// What no file that belongs to a kubeconfig reaches, in bytes.
const LARGEST: u64 = 16 << 20;
/// Configuration for credential plugins among a cluster's extensions.
const PLUGIN_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Go ignores the unused bits of the last digit.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// All that the files say, merged: of each name the first entry.
#[derive(Default)]
pub(crate) struct Kubeconfig {
    pub(crate) current: String,
    pub(crate) contexts: BTreeMap<String, Context>,
    clusters: BTreeMap<String, Cluster>,
    users: BTreeMap<String, User>,
}

/// Here, as everywhere in this room, what is empty is not set.
#[derive(Clone, Default)]
pub(crate) struct Context {
    cluster: String,
    user: String,
    namespace: String,
}

#[derive(Clone, Default)]
pub(crate) struct Cluster {
    pub(crate) server: String,
    pub(crate) tls_server_name: String,
    pub(crate) insecure: bool,
    pub(crate) ca_file: String,
    pub(crate) ca_data: Vec<u8>,
    pub(crate) proxy_url: String,
    pub(crate) disable_compression: bool,
    pub(crate) plugin_config: Option<Value>,
}

#[derive(Clone, Default)]
pub(crate) struct User {
    pub(crate) certificate_file: String,
    pub(crate) certificate_data: Vec<u8>,
    pub(crate) key_file: String,
    pub(crate) key_data: Vec<u8>,
    pub(crate) token: String,
    pub(crate) token_file: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) impersonate: Impersonate,
    pub(crate) provider: Option<Provider>,
    pub(crate) plugin: Option<PluginEntry>,
}

/// As whom requests are made.
#[derive(Clone, Default)]
pub(crate) struct Impersonate {
    pub(crate) user: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

/// An `auth-provider`, the older form of a credential plugin.
#[derive(Clone, Default)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) config: BTreeMap<String, String>,
}

/// A credential plugin as it is written down.
#[derive(Clone, Default)]
pub(crate) struct PluginEntry {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) api_version: String,
    pub(crate) install_hint: String,
    pub(crate) provide_cluster_info: bool,
    pub(crate) interactive_mode: String,
}

/// What a context leads to.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) namespace: String,
    pub(crate) user_name: String,
    /// Whether the user that the context names is there.
    pub(crate) user_known: bool,
    pub(crate) cluster: Cluster,
    pub(crate) user: User,
}

impl Kubeconfig {
    /// Reads one file; relative paths in it are meant from its folder.
    pub(crate) fn read(file: &Path) -> io::Result<Result<Self, String>> {
        let bytes = read_bounded(file)?;
        Ok(Self::parse(&bytes).map(|mut config| {
            config.resolve(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
            config
        }))
    }

    /// What the bytes say, with paths as they stand there.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let root = yaml(bytes)?;
        let root = At { value: &root, path: String::new() };
        root.object()?;
        for (key, only) in [("apiVersion", "v1"), ("kind", "Config")] {
            let is = root.text(key)?;
            if !is.is_empty() && is != only {
                return Err(format!("its {key} is not {only}"));
            }
        }
        let preferences = root.get("preferences");
        preferences.flag("colors")?;
        preferences.extensions()?;
        root.extensions()?;
        Ok(Self {
            current: root.text("current-context")?,
            contexts: root.named("contexts", "context", Context::read)?,
            clusters: root.named("clusters", "cluster", Cluster::read)?,
            users: root.named("users", "user", User::read)?,
        })
    }

    /// Adds what a later file has under names that are not taken.
    pub(crate) fn merge(&mut self, later: Self) {
        fn add<T>(to: &mut BTreeMap<String, T>, from: BTreeMap<String, T>) {
            for (name, entry) in from {
                to.entry(name).or_insert(entry);
            }
        }
        if self.current.is_empty() {
            self.current = later.current;
        }
        add(&mut self.contexts, later.contexts);
        add(&mut self.clusters, later.clusters);
        add(&mut self.users, later.users);
    }

    fn resolve(&mut self, file: &Path) {
        let folder = file.parent().unwrap_or(file);
        let resolve = |path: &mut String| {
            if !path.is_empty()
                && let Some(whole) = folder.join(&*path).to_str()
            {
                *path = whole.to_owned();
            }
        };
        for cluster in self.clusters.values_mut() {
            resolve(&mut cluster.ca_file);
        }
        for user in self.users.values_mut() {
            resolve(&mut user.certificate_file);
            resolve(&mut user.key_file);
            resolve(&mut user.token_file);
            // Without a slash it is looked for on the PATH.
            if let Some(plugin) = &mut user.plugin
                && plugin.command.contains('/')
            {
                resolve(&mut plugin.command);
            }
        }
    }

    /// What the context leads to, if it can be used. kubectl takes `localhost:8080` for a cluster that is not there; nobody means that.
    pub(crate) fn choose(&self, context: &str) -> Result<Chosen, String> {
        let Context { cluster: cluster_name, user: user_name, namespace } =
            self.contexts.get(context).cloned().unwrap_or_default();
        if cluster_name.is_empty() {
            return Err(format!("context {context:?} names no cluster"));
        }
        let Some(cluster) = self.clusters.get(&cluster_name) else {
            return Err(format!("there is no cluster {cluster_name:?}, which context {context:?} names"));
        };
        cluster.check().map_err(|reason| format!("cluster {cluster_name:?} {reason}"))?;
        let user = self.users.get(&user_name);
        let (user_known, user) = (user.is_some(), user.cloned().unwrap_or_default());
        user.check().map_err(|reason| format!("user {user_name:?} {reason}"))?;
        let namespace = if namespace.is_empty() { "default".to_owned() } else { namespace };
        Ok(Chosen { namespace, user_name, user_known, cluster: cluster.clone(), user })
    }
}

impl Context {
    fn read(at: &At) -> Result<Self, String> {
        at.extensions()?;
        Ok(Self { cluster: at.text("cluster")?, user: at.text("user")?, namespace: at.text("namespace")? })
    }
}

impl Cluster {
    fn read(at: &At) -> Result<Self, String> {
        Ok(Self {
            server: at.text("server")?,
            tls_server_name: at.text("tls-server-name")?,
            insecure: at.flag("insecure-skip-tls-verify")?,
            ca_file: at.text("certificate-authority")?,
            ca_data: at.base64("certificate-authority-data")?,
            proxy_url: at.text("proxy-url")?,
            disable_compression: at.flag("disable-compression")?,
            plugin_config: at.extensions()?.remove(PLUGIN_EXTENSION),
        })
    }

    fn check(&self) -> Result<(), String> {
        if self.server.is_empty() {
            return Err("has no server".to_owned());
        }
        if !self.ca_file.is_empty() && !self.ca_data.is_empty() {
            return Err(both("certificate-authority", "certificate-authority-data"));
        }
        Ok(())
    }
}

impl User {
    fn read(at: &At) -> Result<Self, String> {
        at.extensions()?;
        let plugin = at.get("exec");
        let provider = at.get("auth-provider");
        Ok(Self {
            certificate_file: at.text("client-certificate")?,
            certificate_data: at.base64("client-certificate-data")?,
            key_file: at.text("client-key")?,
            key_data: at.base64("client-key-data")?,
            token: at.text("token")?,
            token_file: at.text("tokenFile")?,
            username: at.text("username")?,
            password: at.text("password")?,
            impersonate: Impersonate {
                user: at.text("as")?,
                uid: at.text("as-uid")?,
                groups: at.texts("as-groups")?,
                extra: at.get("as-user-extra").entries(|at, key| at.texts(key))?,
            },
            provider: match provider.value {
                Value::Null => None,
                _ => Some(Provider {
                    name: provider.text("name")?,
                    config: provider.get("config").entries(|at, key| at.text(key))?,
                }),
            },
            plugin: match plugin.value {
                Value::Null => None,
                _ => Some(PluginEntry::read(&plugin)?),
            },
        })
    }

    fn check(&self) -> Result<(), String> {
        let certificate = !self.certificate_file.is_empty() || !self.certificate_data.is_empty();
        if certificate {
            if !self.certificate_file.is_empty() && !self.certificate_data.is_empty() {
                return Err(both("client-certificate", "client-certificate-data"));
            }
            if !self.key_file.is_empty() && !self.key_data.is_empty() {
                return Err(both("client-key", "client-key-data"));
            }
            if self.key_file.is_empty() && self.key_data.is_empty() {
                return Err("has a client-certificate without a client-key".to_owned());
            }
        }
        if let Some(plugin) = &self.plugin {
            if self.provider.is_some() {
                return Err(both("exec", "auth-provider"));
            }
            plugin.check()?;
        }
        if !self.token.is_empty() && (!self.username.is_empty() || !self.password.is_empty()) {
            return Err(both("token", "username"));
        }
        let Impersonate { user, uid, groups, extra } = &self.impersonate;
        if user.is_empty() && !(uid.is_empty() && groups.is_empty() && extra.is_empty()) {
            return Err("has as-uid, as-groups or as-user-extra without as".to_owned());
        }
        Ok(())
    }
}

impl PluginEntry {
    fn read(at: &At) -> Result<Self, String> {
        let mut env = Vec::new();
        for variable in at.list("env")? {
            variable.object()?;
            env.push((variable.text("name")?, variable.text("value")?));
        }
        let mut entry = Self {
            command: at.text("command")?,
            args: at.texts("args")?,
            env,
            api_version: at.text("apiVersion")?,
            install_hint: at.text("installHint")?,
            provide_cluster_info: at.flag("provideClusterInfo")?,
            interactive_mode: at.text("interactiveMode")?,
        };
        if entry.interactive_mode.is_empty() && entry.api_version != PLUGIN_V1 {
            entry.interactive_mode = "IfAvailable".to_owned();
        }
        Ok(entry)
    }

    fn check(&self) -> Result<(), String> {
        let bad = |c: char| c == '=' || c == '\0';
        if self.command.is_empty() {
            return Err("has an exec without a command".to_owned());
        }
        if ![PLUGIN_V1, PLUGIN_V1BETA1].contains(&self.api_version.as_str()) {
            return Err(format!("has an exec whose apiVersion is neither {PLUGIN_V1} nor {PLUGIN_V1BETA1}"));
        }
        if self.env.iter().any(|(name, value)| name.is_empty() || name.contains(bad) || value.contains('\0')) {
            return Err("has an exec with an env entry that is not a variable".to_owned());
        }
        if !["Never", "IfAvailable", "Always"].contains(&self.interactive_mode.as_str()) {
            return Err("has an exec whose interactiveMode is not Never, IfAvailable or Always".to_owned());
        }
        Ok(())
    }
}

/// The version of the plugins' API in which `interactiveMode` must be said.
pub(crate) const PLUGIN_V1: &str = "client.authentication.k8s.io/v1";
/// The one before.
pub(crate) const PLUGIN_V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

fn both(one: &str, other: &str) -> String {
    format!("has both {one} and {other}; expected one of them")
}

/// The whole of a file that is small: a kubeconfig, a certificate, a token. It may be a pipe.
pub(crate) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// The first document of YAML (JSON is YAML), as kubectl reads it: of a repeated key the last counts, `yes` is true.
pub(crate) fn yaml(bytes: &[u8]) -> Result<Value, String> {
    let text = text_of(bytes).ok_or("it is not a kubeconfig (it is not text)")?;
    let options = serde_saphyr::options! {
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        budget: serde_saphyr::budget! { max_depth: 200 },
    };
    let mut bytes = text.as_bytes();
    let first = serde_saphyr::read_with_options(&mut bytes, options).next();
    first.transpose().map(Option::unwrap_or_default).map_err(|e| match e.location() {
        Some(at) => format!("it is not a kubeconfig (line {}, column {})", at.line(), at.column()),
        None => "it is not a kubeconfig".to_owned(),
    })
}

/// UTF-8, or UTF-16 with a mark at its beginning.
fn text_of(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        odd.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// A value, and where it stands. A value of another type than expected is refused wherever it stands, as kubectl does; `null`
/// counts as not there.
pub(crate) struct At<'a> {
    pub(crate) value: &'a Value,
    pub(crate) path: String,
}

impl<'a> At<'a> {
    pub(crate) fn get(&self, key: &str) -> At<'a> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        At { value: self.value.get(key).unwrap_or(&Value::Null), path }
    }

    fn expected(&self, what: &str) -> String {
        let found = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "fields",
        };
        let quotes = if matches!(self.value, Value::Bool(_) | Value::Number(_)) && what == "a text" {
            "; put it in quotes"
        } else {
            ""
        };
        let path = if self.path.is_empty() { "it" } else { &self.path };
        format!("it is not a kubeconfig ({path}: expected {what}, found {found}{quotes})")
    }

    pub(crate) fn object(&self) -> Result<(), String> {
        match self.value {
            Value::Null | Value::Object(_) => Ok(()),
            _ => Err(self.expected("fields")),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<String, String> {
        self.object()?;
        self.get(key).as_text()
    }

    fn as_text(&self) -> Result<String, String> {
        match self.value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.expected("a text")),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, String> {
        self.object()?;
        let at = self.get(key);
        match at.value {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(*flag),
            _ => Err(at.expected("true or false")),
        }
    }

    fn base64(&self, key: &str) -> Result<Vec<u8>, String> {
        let wrapped = self.text(key)?;
        let digits: String = wrapped.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        BASE64.decode(digits).map_err(|_| self.get(key).expected("base64"))
    }

    fn list(&self, key: &str) -> Result<Vec<At<'a>>, String> {
        self.object()?;
        let at = self.get(key);
        match at.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => {
                Ok(items.iter().enumerate().map(|(n, value)| At { value, path: format!("{}[{n}]", at.path) }).collect())
            }
            _ => Err(at.expected("a list")),
        }
    }

    fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        self.list(key)?.iter().map(At::as_text).collect()
    }

    fn entries<T>(&self, read: impl Fn(&Self, &str) -> Result<T, String>) -> Result<BTreeMap<String, T>, String> {
        self.object()?;
        let keys = self.value.as_object().into_iter().flat_map(serde_json::Map::keys);
        keys.map(|key| Ok((key.clone(), read(self, key)?))).collect()
    }

    fn named<T>(
        &self,
        list: &str,
        field: &str,
        read: impl Fn(&At) -> Result<T, String>,
    ) -> Result<BTreeMap<String, T>, String> {
        let mut all = BTreeMap::new();
        for at in self.list(list)? {
            let name = at.text("name")?;
            let entry = at.get(field);
            entry.object()?;
            if all.insert(name.clone(), read(&entry)?).is_some() {
                return Err(format!("it is not a kubeconfig ({}: a second entry is called {name:?})", at.path));
            }
        }
        Ok(all)
    }

    fn extensions(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut all = BTreeMap::new();
        for at in self.list("extensions")? {
            let name = at.text("name")?;
            if all.insert(name, at.get("extension").value.clone()).is_some() {
                return Err(format!("it is not a kubeconfig ({}: a second extension of that name)", at.path));
            }
        }
        Ok(all)
    }
}

/// The files of a list such as KUBECONFIG, each once, those that are not there passed over. The error names the file.
pub(crate) fn read_list(files: &[PathBuf]) -> Result<Kubeconfig, (PathBuf, String)> {
    let mut merged = Kubeconfig::default();
    let mut seen = HashSet::new();
    for file in files.iter().filter(|file| !file.as_os_str().is_empty()) {
        if !seen.insert(file) {
            continue;
        }
        match Kubeconfig::read(file) {
            Ok(Ok(config)) => merged.merge(config),
            Ok(Err(reason)) => return Err((file.clone(), reason)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err((file.clone(), e.to_string())),
        }
    }
    Ok(merged)
}
