//! `mcp` and `/mcp`, asked with the official SDKs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clusterlore_testkit::real::ApiServer;
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

/// Four characters are about a token.
pub fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// Of an answer: its text and its object.
pub fn tokens_of(result: &Value) -> usize {
    let object = &result["structured"];
    tokens(text(result)) + if object.is_null() { 0 } else { tokens(&object.to_string()) }
}

/// A cluster with the shared corpus and objects in many states; `None` where there is no corpus or no API server.
pub fn corpus() -> Option<ApiServer> {
    let corpus = clusterlore_testkit::shared("corpus/manifests")?;
    let cluster = ApiServer::start_or_skip()?;
    cluster.apply_folder(&corpus);
    cluster.create_statuses();
    Some(cluster)
}

/// A server over a cluster that is indexed.
pub fn ready(home: &Home, cluster: &ApiServer, args: &[&str]) -> Serving {
    let config = cluster.kubeconfig("admin");
    let serving = Serving::start(home, &[&["--kubeconfig", config.to_str().unwrap()], args].concat());
    serving.until(Duration::from_secs(120), || serving.get("/readyz").0 == 200);
    serving
}

/// Takes each request to the next of several servers.
pub fn round_robin(servers: Vec<String>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let server = servers[counted.fetch_add(1, Ordering::SeqCst) % servers.len()].clone();
            std::thread::spawn(move || passed_on(stream, &server));
        }
    });
    (address, taken)
}

/// One request, and its answer. The connection ends with it, so that the next request comes on another.
fn passed_on(mut stream: TcpStream, server: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let low = line.to_lowercase();
        if let Some(bytes) = low.strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        if !low.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut to = TcpStream::connect(server)?;
    to.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    to.write_all(&body)?;
    std::io::copy(&mut to, &mut stream)?;
    stream.shutdown(std::net::Shutdown::Both)
}
