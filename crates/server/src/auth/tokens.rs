//! Tokens in a file, by their SHA-256. A token is a long random text, so that a fast hash hides it as well as a slow one would.
//!
//! ```toml
//! [[token]]
//! name = "payments-team"
//! sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! see = [{ cluster = "", namespaces = ["payments"] }, { type = "nodes" }]
//!
//! [[token]]
//! name = "controller"
//! sha256 = "…"
//! write = "prod"
//! ```
//!
//! `see = "all"` shows everything; without `see` nothing is shown, without `write` nothing may be posted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use clusterlore_core::{Rule, Scope};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;
use tracing::{error, info};

use super::caller::{Caller, Denied};

/// How long a file is believed to be as it was.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes of a file of tokens.
const LARGEST: u64 = 4 << 20;
const HASH: usize = 32;

/// What is wrong with a file of tokens.
#[derive(Debug, Error)]
#[error("{} cannot be used ({reason}); expected TOML with [[token]] entries that have name, sha256, and see or write", path.display())]
pub struct TokenFileError {
    path: PathBuf,
    reason: String,
}

/// A file of tokens. It is read again when it changes; one that cannot be read then leaves those that were known.
pub struct Tokens {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    known: Arc<Vec<Known>>,
    stamp: Option<Stamp>,
    looked: Instant,
}

/// By what a file is seen to have changed.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Stamp(SystemTime, u64);

struct Known {
    hash: [u8; HASH],
    caller: Caller,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOfTokens {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    #[serde(default)]
    see: See,
    write: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum See {
    Word(String),
    Rules(Vec<SeeRule>),
}

impl Default for See {
    fn default() -> Self {
        Self::Rules(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeeRule {
    #[serde(default)]
    cluster: String,
    r#type: Option<String>,
    namespaces: Option<BTreeSet<String>>,
}

/// The SHA-256 of a token, as the file holds it.
pub fn hashed(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Tokens {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or is no file of tokens.
    pub fn open(path: &Path) -> Result<Self, TokenFileError> {
        let fail = |reason| TokenFileError { path: path.to_owned(), reason };
        let stamp = stamp(path);
        let known = read(path).map_err(fail)?;
        let state = State { known: Arc::new(known), stamp, looked: Instant::now() };
        Ok(Self { path: path.to_owned(), state: Mutex::new(state) })
    }

    pub(super) fn caller(&self, token: &str) -> Result<Caller, Denied> {
        let hash: [u8; HASH] = Sha256::digest(token).into();
        let known = self.known();
        // All are looked at, so that the time tells nothing.
        let mut found = None;
        for one in known.iter() {
            if bool::from(one.hash.ct_eq(&hash)) {
                found = Some(&one.caller);
            }
        }
        found.cloned().ok_or(Denied::Unknown("the token is not known"))
    }

    fn known(&self) -> Arc<Vec<Known>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= FRESH {
            state.looked = Instant::now();
            let now = stamp(&self.path);
            if now != state.stamp {
                state.stamp = now;
                match read(&self.path) {
                    Ok(known) => {
                        info!(tokens = known.len(), "the file of tokens was read again");
                        state.known = Arc::new(known);
                    }
                    Err(reason) => {
                        error!(reason, "the file of tokens cannot be read again; those that were known stay")
                    }
                }
            }
        }
        Arc::clone(&state.known)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    Some(Stamp(meta.modified().ok()?, meta.len()))
}

fn read(path: &Path) -> Result<Vec<Known>, String> {
    let meta = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(format!("it is no file of at most {LARGEST} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let file: FileOfTokens = toml::from_str(&text).map_err(|e| e.message().to_owned())?;
    let (mut names, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    file.token
        .into_iter()
        .map(|entry| {
            let name = entry.name.clone();
            let known = known(entry).map_err(|reason| format!("token {name:?}: {reason}"))?;
            if name.is_empty() || !names.insert(name.clone()) || !hashes.insert(known.hash) {
                return Err(format!("token {name:?}: its name or its hash is empty or there twice"));
            }
            Ok(known)
        })
        .collect()
}

fn known(entry: Entry) -> Result<Known, String> {
    let hash = entry.sha256.trim();
    let byte = |at: usize| hash.get(at * 2..at * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let digits = hash.len() == HASH * 2 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let bytes: Option<Vec<u8>> = (0..HASH).map(byte).collect();
    let hash = bytes
        .filter(|_| digits)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("its sha256 has not 64 hexadecimal digits")?;
    let scope = match entry.see {
        See::Word(word) if word == "all" => Scope::All { because: "the file of tokens says so" },
        See::Word(word) => return Err(format!("see = {word:?}; expected \"all\" or a list of rules")),
        See::Rules(rules) => Scope::rules(rules.into_iter().map(|SeeRule { cluster, r#type, namespaces }| Rule {
            cluster,
            type_name: r#type,
            namespaces,
            objects: None,
        })),
    };
    Ok(Known { hash, caller: Caller { name: entry.name, scope, writes: entry.write } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[tokio::test]
    async fn a_token_lets_in_whom_it_names() {
        let text = format!(
            "[[token]]\nname = \"a\"\nsha256 = \"{}\"\nsee = [{{ namespaces = [\"shop\"] }}]\n[[token]]\nname = \"b\"\nsha256 = \"{}\"\nsee = \"all\"\nwrite = \"east\"\n",
            hashed("one"),
            hashed("two").to_uppercase()
        );
        let (_folder, path) = file(&text);
        let tokens = Tokens::open(&path).unwrap();
        let a = tokens.caller("one").unwrap();
        assert_eq!((a.name.as_str(), a.writes, a.scope.is_all()), ("a", None, false));
        assert!(a.scope.admits(clusterlore_core::Collection::Instances, "", "pods", "shop", None));
        assert!(!a.scope.admits(clusterlore_core::Collection::Instances, "", "pods", "bank", None));
        let b = tokens.caller("two").unwrap();
        assert_eq!((b.writes.as_deref(), b.scope.is_all()), (Some("east"), true));
        assert!(matches!(tokens.caller("three"), Err(Denied::Unknown(_))));

        // A file that breaks leaves what was known; a new one counts.
        std::fs::write(&path, "[[token]").unwrap();
        tokio::time::sleep(FRESH).await;
        assert!(tokens.caller("one").is_ok());
        std::fs::write(&path, format!("[[token]]\nname = \"c\"\nsha256 = \"{}\"\n", hashed("three"))).unwrap();
        tokio::time::sleep(FRESH).await;
        assert!(tokens.caller("three").is_ok() && tokens.caller("one").is_err());
    }

    #[test]
    fn what_is_no_file_of_tokens_is_refused() {
        let hash = hashed("x");
        for (text, reason) in [
            ("[[token]]\nname = \"a\"\nsha256 = \"abc\"\n".to_owned(), "64 hexadecimal digits"),
            (format!("[[token]]\nname = \"a\"\nsha256 = \"{hash}\"\nsee = \"some\"\n"), "expected \"all\""),
            (format!("[[token]]\nname = \"a\"\nsha256 = \"{hash}\"\nseee = \"all\"\n"), "seee"),
            (format!("[[token]]\nname = \"a\"\nsha256 = \"{hash}\"\n").repeat(2), "twice"),
            (format!("[[token]]\nname = \"a\"\nsha256 = \"+{}\"\n", &hash[1..]), "64 hexadecimal digits"),
        ] {
            let (_folder, path) = file(&text);
            let told = Tokens::open(&path).err().unwrap().to_string();
            assert!(told.contains(reason), "{told}");
        }
        assert!(Tokens::open(Path::new("/nowhere/tokens.toml")).is_err());
    }
}
