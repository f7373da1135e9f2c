//! A real Chroma server, and its own client in Python.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::parts;
use super::processes::{Processes, free_ports};

/// Usually two seconds.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A running Chroma with a folder of its own; gone when the value is dropped or the process ends.
///
/// ```no_run
/// # use clusterlore_testkit::real::ChromaServer;
/// let Some(chroma) = ChromaServer::start_or_skip() else { return };
/// chroma.python("print(client.heartbeat())", &[]);
/// ```
#[derive(Debug)]
pub struct ChromaServer {
    // Before `dir`: nothing writes there any more when it is removed.
    processes: Option<Processes>,
    dir: TempDir,
    program: PathBuf,
    port: u16,
}

impl ChromaServer {
    /// Starts one, or says on standard error why there is none and gives `None`, so that the test can return.
    ///
    /// # Panics
    /// In CI (`CI=true`), where a missing part is a failure, and where it does not start.
    pub fn start_or_skip() -> Option<Self> {
        let program = match parts::chroma() {
            Ok(program) => program,
            Err(missing) => return parts::skip(&missing),
        };
        let mut reason = String::new();
        // Ports are free when they are chosen and may be taken a moment later.
        for _ in 0..3 {
            let dir = tempfile::Builder::new().prefix("clusterlore-chroma-").tempdir().expect("a temporary folder");
            let [port] = free_ports();
            let mut server = Self { processes: None, dir, program: program.clone(), port };
            match server.try_start() {
                Ok(()) => return Some(server),
                Err(e) => reason = e,
            }
        }
        panic!("Chroma for tests did not start: {reason}");
    }

    fn try_start(&mut self) -> Result<(), String> {
        let mut processes = Processes::new(self.dir.path());
        let (path, port) = (self.dir.path().join("data").display().to_string(), self.port.to_string());
        let program = self.program.display().to_string();
        let args =
            ["ANONYMIZED_TELEMETRY=False", &program, "run", "--path", &path, "--port", &port, "--host", "127.0.0.1"];
        processes.start(Path::new("env"), &args.map(str::to_owned));
        processes.wait_for(Instant::now() + START_TIMEOUT, || self.beats())?;
        self.processes = Some(processes);
        Ok(())
    }

    fn beats(&self) -> bool {
        self.ask("GET /api/v2/heartbeat", "").is_some_and(|answer| answer.contains("heartbeat"))
    }

    /// What is answered to a request, with its head.
    fn ask(&self, request: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let head = format!("Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        stream.write_all(format!("{request} HTTP/1.0\r\n{head}\r\n\r\n{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Makes a database beside the default one.
    ///
    /// # Panics
    /// It is there already.
    pub fn create_database(&self, name: &str) {
        let body = format!("{{\"name\": \"{name}\"}}");
        let answer = self.ask("POST /api/v2/tenants/default_tenant/databases", &body).expect("an answer");
        assert!(answer.lines().next().is_some_and(|status| status.contains(" 200 ")), "{answer}");
    }

    /// Kills it; what it stored stays.
    pub fn kill(&mut self) {
        self.processes = None;
    }

    /// Starts it again, at the same address and over the same folder.
    ///
    /// # Panics
    /// It does not start; the message ends with its last words.
    pub fn start_again(&mut self) {
        self.kill();
        self.try_start().unwrap_or_else(|e| panic!("Chroma for tests did not start again: {e}"));
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs a Python program in which `client` is Chroma's own client of this server, and `args` the arguments; gives what it prints.
    ///
    /// # Panics
    /// The program fails; the message holds what it said.
    pub fn python(&self, program: &str, args: &[&str]) -> String {
        let start = format!(
            "import json, sys, chromadb\nfrom chromadb.config import Settings\nargs = sys.argv[1:]\n\
             client = chromadb.HttpClient('127.0.0.1', {}, settings=Settings(anonymized_telemetry=False))\n",
            self.port
        );
        let python = self.program.with_file_name("python");
        let mut command = Command::new(python);
        command.arg("-c").arg(start + program).args(args).stdin(Stdio::null());
        let output = command.output().expect("the Python beside chroma can be started");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "Chroma's client ended with {}:\n{err}{out}", output.status);
        out.into_owned()
    }
}
