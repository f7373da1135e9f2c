//! `mcp` and `/mcp`, asked with the official SDKs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Home;
use super::serving::Serving;

/// A client of an SDK, how it negotiates, and the specification that comes of that.
#[derive(Debug, Clone, Copy)]
pub struct Sdk {
    pub name: &'static str,
    pub mode: &'static str,
    pub protocol: &'static str,
}

pub const SDKS: [Sdk; 6] = [
    Sdk { name: "python-new", mode: "auto", protocol: "2026-07-28" },
    Sdk { name: "python-new", mode: "legacy", protocol: "2025-11-25" },
    Sdk { name: "python-old", mode: "", protocol: "2025-06-18" },
    Sdk { name: "node-new", mode: "auto", protocol: "2026-07-28" },
    Sdk { name: "node-new", mode: "legacy", protocol: "2025-11-25" },
    Sdk { name: "node-old", mode: "", protocol: "2025-06-18" },
];
/// Python's newest: where the client is all the same.
pub const USUAL: Sdk = SDKS[0];

impl Sdk {
    /// What came of it.
    pub fn asks(self, sdks: &Path, asked: &Value) -> Value {
        let client = |name: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testing/mcp-sdks").join(name);
        let folder = sdks.join(self.name);
        let mut command = match self.name.starts_with("python") {
            true => {
                let mut command = Command::new(folder.join("bin/python"));
                command.arg("-I").arg(client("client.py"));
                command
            }
            false => {
                let mut command = Command::new("node");
                command.arg(client("client.mjs")).arg(&folder);
                command
            }
        };
        let mut asked = asked.clone();
        if !self.mode.is_empty() {
            asked["mode"] = self.mode.into();
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
        let ran = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{self:?}: {said}");
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{self:?}: {error}: {said}"))
    }
}

/// `clusterlore mcp` as an assistant starts it.
pub fn started(home: &Home, args: &[&str]) -> Value {
    let command = home.command(&[&["mcp"], args].concat());
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_str().unwrap().to_owned())
        .collect();
    let set = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
    json!({"command": words, "environment": set.collect::<std::collections::BTreeMap<_, _>>()})
}

pub fn served(serving: &Serving, token: &str) -> Value {
    json!({"url": format!("http://{}/mcp", serving.address), "token": token})
}

pub fn with_calls(mut asked: Value, calls: &[(&str, Value)]) -> Value {
    asked["calls"] = calls.iter().map(|(name, arguments)| json!({"name": name, "arguments": arguments})).collect();
    asked
}

/// What one call gives.
pub fn called(sdks: &Path, asked: &Value, tool: &str, arguments: Value) -> Value {
    USUAL.asks(sdks, &with_calls(asked.clone(), &[(tool, arguments)]))["results"][0].clone()
}

pub fn text(result: &Value) -> &str {
    result["text"].as_str().unwrap()
}
