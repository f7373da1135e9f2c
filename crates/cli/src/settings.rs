//! What can be set by a flag, by the environment and in a file, in that order of precedence. A key of the file is the flag's name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clusterlore_http::masked;
use clusterlore_models::Key;

use crate::addresses::{http_url, postgres_url, sqlite_path};
use crate::args::SettingFlags;

/// One thing that can be set.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Key in the file, and name of the flag where there is one.
    pub(crate) key: &'static str,
    /// Environment variable, where there is one.
    pub(crate) variable: Option<&'static str>,
    /// Never printed.
    pub(crate) secret: bool,
}

const fn plain(key: &'static str, variable: &'static str) -> Setting {
    Setting { key, variable: Some(variable), secret: false }
}

const fn secret(key: &'static str, variable: &'static str) -> Setting {
    Setting { key, variable: Some(variable), secret: true }
}

/// All of them, in the order in which they are shown. A secret has no flag: command lines are read by others.
pub(crate) const SETTINGS: &[Setting] = &[
    // KUBECONFIG is no setting of ours: it may be a list of files, which are merged.
    Setting { key: "kubeconfig", variable: None, secret: false },
    Setting { key: "context", variable: None, secret: false },
    Setting { key: "as", variable: None, secret: false },
    Setting { key: "as-group", variable: None, secret: false },
    plain("store", "CLUSTERLORE_STORE"),
    plain("chroma-url", "CLUSTERLORE_CHROMA_URL"),
    plain("chroma-tenant", "CLUSTERLORE_CHROMA_TENANT"),
    plain("chroma-database", "CLUSTERLORE_CHROMA_DATABASE"),
    secret("chroma-token", "CLUSTERLORE_CHROMA_TOKEN"),
    plain("chroma-token-header", "CLUSTERLORE_CHROMA_TOKEN_HEADER"),
    plain("postgres-url", "CLUSTERLORE_POSTGRES_URL"),
    plain("embedder", "CLUSTERLORE_EMBEDDER"),
    plain("model", "CLUSTERLORE_MODEL"),
    plain("catalogue", "CLUSTERLORE_CATALOGUE"),
    // Of some commands only; there they have a flag.
    plain("annotations", "CLUSTERLORE_ANNOTATIONS"),
    plain("max-age", "CLUSTERLORE_MAX_AGE"),
    secret("voyage-api-key", "VOYAGE_API_KEY"),
    plain("voyage-base-url", "VOYAGE_BASE_URL"),
    secret("openai-api-key", "OPENAI_API_KEY"),
    secret("anthropic-api-key", "ANTHROPIC_API_KEY"),
    plain("anthropic-base-url", "ANTHROPIC_BASE_URL"),
];

/// Settings that each name a store: of these the first layer that names one decides.
const STORES: [&str; 3] = ["store", "chroma-url", "postgres-url"];
/// Tells where the file is, when no flag does.
const FILE_VARIABLE: &str = "CLUSTERLORE_CONFIG";

/// Who set a value; those that count more come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A flag.
    Flag,
    /// An environment variable.
    Environment,
    /// The configuration file.
    File(PathBuf),
}

/// A value with where it is from.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// A value that is not what it must be: wrong usage, whoever set it.
#[derive(Debug)]
pub(crate) struct WrongSetting(String);

impl fmt::Display for WrongSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongSetting {}

/// Wrong usage.
pub(crate) fn wrong(text: String) -> anyhow::Error {
    WrongSetting(text).into()
}

/// Which store was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    /// A file.
    Sqlite(PathBuf),
    /// A Chroma server, by its address.
    Chroma(String),
    /// A Postgres server, by its address.
    Postgres(String),
}

/// Everything that is set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, Value>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// The file that a flag named.
    config: Option<PathBuf>,
    /// Whether no cluster may be asked, and no kubeconfig read.
    without_cluster: bool,
}

impl Settings {
    /// Flags before environment before file.
    pub(crate) fn read(flags: &SettingFlags) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let named = flags.config.clone().or_else(|| variable(FILE_VARIABLE).map(PathBuf::from));
        let (path, text) = match named {
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|e| {
                    anyhow!(
                        "the configuration file {} cannot be read ({e}); check --config and {FILE_VARIABLE}",
                        path.display()
                    )
                })?;
                (Some(path), text)
            }
            None => match default_file() {
                Some(path) => match std::fs::read_to_string(&path) {
                    Ok(text) => (Some(path), text),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => (None, String::new()),
                    Err(e) => {
                        bail!("the configuration file {} cannot be read ({e}); check its permissions", path.display())
                    }
                },
                None => (None, String::new()),
            },
        };
        let file = match &path {
            Some(path) => parse(path, &text)?,
            None => BTreeMap::new(),
        };
        let given: BTreeMap<&str, String> = flags.given().into_iter().collect();
        let layered = Self::layered(&given, variable, path, &file)?;
        Ok(Self { config: flags.config.clone(), ..layered })
    }

    fn layered(
        flags: &BTreeMap<&str, String>,
        variable: impl Fn(&str) -> Option<String>,
        path: Option<PathBuf>,
        file: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let from_flag = flags.get(setting.key).map(|text| (text.clone(), Origin::Flag));
            let from_variable =
                || setting.variable.and_then(&variable).map(|text| (text.trim().to_owned(), Origin::Environment));
            let from_file = || {
                let origin = Origin::File(path.clone().unwrap_or_default());
                file.get(setting.key).map(|text| (text.clone(), origin))
            };
            if let Some((text, origin)) = from_flag.or_else(from_variable).or_else(from_file) {
                values.insert(setting.key, Value { text, origin });
            }
        }
        let mut settings = Self { values, file: path, ..Self::default() };
        settings.keep_one_store()?;
        Ok(settings)
    }

    /// What a configuration file sets by itself.
    pub(crate) fn of_file(path: &Path, text: &str) -> anyhow::Result<Self> {
        Self::layered(&BTreeMap::new(), |_| None, Some(path.to_owned()), &parse(path, text)?)
    }

    /// The configuration file, whether it is there or not.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        self.file.clone().or_else(default_file)
    }

    /// A store that a flag names is not contradicted by one that the environment names, and so on.
    fn keep_one_store(&mut self) -> anyhow::Result<()> {
        let Some(first) = STORES.iter().filter_map(|key| self.get(key)).map(|v| v.origin.clone()).min() else {
            return Ok(());
        };
        let named: Vec<&str> =
            STORES.into_iter().filter(|key| self.get(key).is_some_and(|v| v.origin == first)).collect();
        if let [_, _, ..] = named[..] {
            let told: Vec<String> = named.iter().map(|key| self.called(key)).collect();
            return Err(wrong(format!("{} each name a store; expected one of them", told.join(" and "))));
        }
        self.values.retain(|key, _| !STORES.contains(key) || named.contains(key));
        Ok(())
    }

    /// Settings that nobody else has a say in.
    pub(crate) fn only<const N: usize>(values: [(&'static str, String); N]) -> Self {
        let value = |text| Value { text, origin: Origin::Flag };
        Self { values: values.into_iter().map(|(key, text)| (key, value(text))).collect(), ..Self::default() }
    }

    /// The same for what has no cluster: none is asked, and no kubeconfig is read.
    pub(crate) fn without_cluster(self) -> Self {
        Self { without_cluster: true, ..self }
    }

    /// Whether there may be a cluster.
    pub(crate) fn has_cluster(&self) -> bool {
        !self.without_cluster
    }

    /// The same with another value of one setting.
    pub(crate) fn with(self, key: &'static str, value: String) -> Self {
        self.and(key, &Self::only([(key, value)]))
    }

    /// The same, with another setting taken over where it is set.
    pub(crate) fn and(mut self, key: &'static str, others: &Self) -> Self {
        self.values.extend(others.get(key).map(|value| (key, value.clone())));
        self
    }

    /// What is set, if it is.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Whether a flag of this command line set it.
    pub(crate) fn is_flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.origin == Origin::Flag)
    }

    /// Its text, if it is set.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(|value| value.text.as_str())
    }

    /// How the user set it: `--store`, `CLUSTERLORE_STORE` or `store in FILE`.
    pub(crate) fn called(&self, key: &str) -> String {
        match self.get(key).map(|v| &v.origin) {
            Some(Origin::Environment) => {
                let setting = SETTINGS.iter().find(|s| s.key == key);
                setting.and_then(|s| s.variable).unwrap_or(key).to_owned()
            }
            Some(Origin::File(path)) => format!("{key} in {}", path.display()),
            Some(Origin::Flag) | None => format!("--{key}"),
        }
    }

    /// Those of these settings that flags of this command line set, and the file that one named, as flags of another; keys and
    /// passwords are masked.
    pub(crate) fn given(&self, keys: &[&str]) -> Vec<String> {
        let config = self.config.iter().flat_map(|path| ["--config".to_owned(), path.display().to_string()]);
        let by_flag = |key: &&&str| self.is_flag(key);
        let flags = keys.iter().filter(by_flag).filter_map(|key| Some([format!("--{key}"), self.shown(key)?]));
        config.chain(flags.flatten()).collect()
    }

    /// A value of another form than text.
    pub(crate) fn parsed<T, E: Display>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> anyhow::Result<Option<T>> {
        let Some(text) = self.text(key) else { return Ok(None) };
        parse(text).map(Some).map_err(|e| wrong(format!("{}: {e}", self.called(key))))
    }

    /// The key of an account.
    pub(crate) fn key(&self, key: &str) -> anyhow::Result<Option<Key>> {
        let read = |text: &str| {
            Key::new(text).ok_or_else(|| "expected one line without spaces or control characters".to_owned())
        };
        self.parsed(key, read)
    }

    /// The store that was asked for; `None` where none was.
    pub(crate) fn store(&self) -> anyhow::Result<Option<StoreChoice>> {
        if let Some(path) = self.parsed("store", sqlite_path)? {
            return Ok(Some(StoreChoice::Sqlite(path)));
        }
        if let Some(url) = self.parsed("chroma-url", http_url)? {
            return Ok(Some(StoreChoice::Chroma(url)));
        }
        Ok(self.parsed("postgres-url", postgres_url)?.map(StoreChoice::Postgres))
    }

    /// Whether the file gives a key, or an address with a password.
    pub(crate) fn file_holds_secrets(&self) -> bool {
        SETTINGS.iter().any(|setting| {
            let from_file = self.get(setting.key).filter(|v| matches!(v.origin, Origin::File(_)));
            from_file.is_some_and(|v| setting.secret || masked(&v.text) != v.text)
        })
    }

    /// A value as it may be shown.
    pub(crate) fn shown(&self, key: &str) -> Option<String> {
        let setting = SETTINGS.iter().find(|s| s.key == key)?;
        let text = self.text(key)?;
        // What is no address cannot be masked.
        let broken = text.contains(char::is_whitespace) || key.ends_with("-url") && !text.contains("://");
        Some(match setting.secret || text.contains('@') && broken {
            true => "********".to_owned(),
            false => masked(text).into_owned(),
        })
    }
}

/// A variable of the environment; `None` where it is empty. Windows has no HOME, and calls it USERPROFILE.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    of_system(name, cfg!(windows), |name| std::env::var_os(name))
}

fn of_system(name: &str, windows: bool, read: impl Fn(&str) -> Option<OsString>) -> Option<OsString> {
    let set = |name: &str| read(name).filter(|value| !value.is_empty());
    set(name).or_else(|| if windows && name == "HOME" { set("USERPROFILE") } else { None })
}

/// A folder for files of one kind: what the variable says, else `below` the home folder.
pub(crate) fn user_folder(name: &str, below: &str) -> Option<PathBuf> {
    let said = variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    said.or_else(|| Some(PathBuf::from(variable("HOME")?).join(below)))
}

/// `$XDG_CONFIG_HOME/clusterlore/clusterlore.toml`.
fn default_file() -> Option<PathBuf> {
    Some(user_folder("XDG_CONFIG_HOME", ".config")?.join("clusterlore/clusterlore.toml"))
}

fn parse(path: &Path, text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let at = path.display();
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line =
            e.span().map_or(String::new(), |s| format!(":{}", text[..s.start.min(text.len())].lines().count().max(1)));
        wrong(format!("{at}{line}: {}; expected lines such as embedder = \"builtin\"", e.message().trim()))
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        if !SETTINGS.iter().any(|s| s.key == key) {
            let known: Vec<&str> = SETTINGS.iter().map(|s| s.key).collect();
            return Err(wrong(format!("{at}: there is no setting {key:?}; expected one of {}", known.join(", "))));
        }
        match value {
            toml::Value::String(text) if !text.trim().is_empty() => values.insert(key, text.trim().to_owned()),
            _ => return Err(wrong(format!("{at}: {key} is not a text; expected {key} = \"…\""))),
        };
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layered(flags: &[(&str, &str)], variables: &[(&str, &str)], file: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let own = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let (flags_own, variables) = (own(flags), own(variables));
        let flags = flags_own.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        Settings::layered(&flags, |name| variables.get(name).cloned(), Some("/c.toml".into()), &own(file))
    }

    #[test]
    fn a_home_folder_is_called_otherwise_on_windows() {
        let both = [("HOME", "/h"), ("USERPROFILE", r"C:\u")];
        for (windows, set, home) in [
            (true, &both[1..], Some(r"C:\u")),
            (true, &both, Some("/h")),
            (true, &[("HOME", ""), both[1]], Some(r"C:\u")),
            (false, &both[1..], None),
            (true, &[], None),
        ] {
            let read = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(of_system("HOME", windows, read), home.map(OsString::from), "{windows} {set:?}");
            assert_eq!(of_system("XDG_DATA_HOME", windows, read), None);
        }
    }

    #[test]
    fn flags_come_before_the_environment_and_that_before_the_file() {
        let file = [("embedder", "voyage"), ("context", "file"), ("catalogue", "file.toml")];
        let s = layered(
            &[("embedder", "builtin")],
            &[("CLUSTERLORE_CATALOGUE", "env.toml"), ("CLUSTERLORE_EMBEDDER", "x")],
            &file,
        )
        .unwrap();
        assert_eq!(
            [s.text("embedder"), s.text("catalogue"), s.text("context")],
            [Some("builtin"), Some("env.toml"), Some("file")]
        );
        let called = ["embedder", "catalogue", "context"].map(|key| s.called(key));
        assert_eq!(called, ["--embedder", "CLUSTERLORE_CATALOGUE", "context in /c.toml"]);
    }

    #[test]
    fn the_store_is_the_one_that_the_first_layer_names() {
        let chroma = ("chroma-url", "http://localhost:8000/");
        let postgres = ("postgres-url", "postgres://me@db/lore");
        let of = |flags: &[_], variables: &[_], file: &[_]| layered(flags, variables, file).and_then(|s| s.store());
        assert_eq!(of(&[], &[], &[]).unwrap(), None);
        assert_eq!(
            of(&[chroma], &[("CLUSTERLORE_STORE", "sqlite:a.db")], &[postgres]).unwrap(),
            Some(StoreChoice::Chroma("http://localhost:8000".into()))
        );
        assert_eq!(
            of(&[], &[("CLUSTERLORE_STORE", "sqlite:a.db")], &[postgres]).unwrap(),
            Some(StoreChoice::Sqlite("a.db".into()))
        );
        assert_eq!(of(&[], &[], &[postgres]).unwrap(), Some(StoreChoice::Postgres(postgres.1.into())));
        let both = of(&[], &[], &[postgres, chroma]).unwrap_err().to_string();
        assert!(both.contains("chroma-url in /c.toml and postgres-url in /c.toml"), "{both}");
        for (key, value) in [
            ("store", "mysql:x"),
            ("store", "sqlite:"),
            ("store", "sqlite::memory:"),
            ("chroma-url", "localhost:8000"),
            ("postgres-url", "http://x"),
        ] {
            let error = of(&[(key, value)], &[], &[]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--{key}: expected")), "{error}");
        }
    }

    #[test]
    fn a_file_is_read_or_refused_with_its_place() {
        let parse = |text: &str| parse(Path::new("/c.toml"), text).map_err(|e| e.to_string());
        assert_eq!(parse("embedder = \"builtin\"\n# note\n").unwrap()["embedder"], "builtin");
        assert!(parse("").unwrap().is_empty());
        for (text, said) in [
            ("embedder = \n", "/c.toml:1: "),
            ("context = \"a\"\nembedder: x\n", "/c.toml:2: "),
            (
                "embeder = \"x\"",
                "there is no setting \"embeder\"; expected one of kubeconfig, context, as, as-group, store",
            ),
            ("embedder = 7", "embedder is not a text"),
            ("embedder = \"\"", "embedder is not a text"),
            ("[store]\npath = \"x\"", "store is not a text"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn secrets_and_passwords_are_not_shown() {
        let s = layered(
            &[("chroma-url", "https://me:pass:w@rd@chroma:8000")],
            &[("VOYAGE_API_KEY", "pa-123"), ("CLUSTERLORE_EMBEDDER", "openai:m@http://user:pw@h/v1")],
            &[("anthropic-api-key", "sk-ant")],
        )
        .unwrap();
        assert_eq!(s.shown("chroma-url").unwrap(), "https://…@chroma:8000");
        for key in ["voyage-api-key", "anthropic-api-key"] {
            assert_eq!(s.shown(key).unwrap(), "********");
        }
        assert!(!s.shown("embedder").unwrap().contains("pw"));
        for (url, shown) in [
            ("postgres://me:secret@db:5432/lore", "postgres://…@db:5432/lore"),
            (
                "postgres://me@db/lore?password=secret&sslmode=require",
                "postgres://…@db/lore?password=********&sslmode=require",
            ),
            ("postgres://db/lore", "postgres://db/lore"),
            ("postgres://me:sec ret@db/lore", "********"),
        ] {
            let settings = Settings::only([("postgres-url", url.to_owned())]);
            assert_eq!(settings.shown("postgres-url").as_deref(), Some(shown));
        }
        for url in
            ["postgres://u:p@s3cret@h/d", "postgres://u:p/s3cret@h", "jdbc:postgresql://u:s3cret@h", "password=s3cret"]
        {
            let error = Settings::only([("postgres-url", url.to_owned())]).store().unwrap_err().to_string();
            assert!(!error.contains("s3cret") && error.starts_with("--postgres-url: "), "{error}");
        }
        assert_eq!(s.shown("store"), None);
    }
}
