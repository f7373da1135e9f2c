//! `clusterlore token`

use std::io::Write;

use anyhow::{Context, anyhow};
use clusterlore_server::{Tokens, hashed};
use rustls::crypto::ring::default_provider;
use serde::Serialize;

use crate::args::Token;
use crate::done::Done;
use crate::print;
use crate::settings::{Settings, wrong};

/// Bytes of a token: nobody guesses 256 bits.
const BYTES: usize = 32;

#[derive(Serialize)]
struct Addition<'a> {
    token: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    write: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    see: Option<See<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum See<'a> {
    All(&'static str),
    Rules([Rule<'a>; 1]),
}

#[derive(Serialize)]
struct Rule<'a> {
    cluster: &'a str,
    namespaces: Vec<&'a str>,
}

pub(crate) fn run(_settings: &Settings, flags: &Token) -> anyhow::Result<Done> {
    let see = match (flags.see_all, flags.seen()) {
        (true, _) => Some(See::All("all")),
        (false, namespaces) if namespaces.is_empty() => None,
        (false, namespaces) => Some(See::Rules([Rule {
            cluster: flags.cluster_name.as_deref().unwrap_or_default(),
            namespaces: namespaces.into_iter().collect(),
        }])),
    };
    if see.is_none() && flags.write.is_none() {
        return Err(wrong(
            "the token would be good for nothing; expected --see-all, --see-namespace or --write".to_owned(),
        ));
    }
    let mut random = [0; BYTES];
    default_provider().secure_random.fill(&mut random).map_err(|_| anyhow!("the system gives no random bytes"))?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = Entry { name: &flags.name, sha256: hashed(&token), write: flags.write.as_deref(), see };
    let addition = toml::to_string(&Addition { token: [entry] })?;

    let file = &flags.tokens;
    let before = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
    };
    let gap = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    // Beside it first: a server that reads it meanwhile sees the whole of it, and one that would refuse it never sees it.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut beside =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("{} cannot be written", file.display()))?;
    beside.write_all(format!("{before}{gap}{addition}").as_bytes())?;
    Tokens::open(beside.path())
        .map_err(|error| anyhow!("{} would not be a file of tokens any more: {error}", file.display()))?;
    beside.persist(file).with_context(|| format!("{} cannot be written", file.display()))?;
    print::note(&format!("Token of {} added to {}; it is shown this once:", flags.name, file.display()));
    print::line(&token)?;
    Ok(Done::Whole)
}
