//! Running the program as a user does.
#![allow(dead_code, clippy::print_stderr, clippy::unwrap_used, missing_docs, unreachable_pub)]

pub mod assistants;
pub mod serving;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::fake::FakeApiServer;
use fancy_regex::{Captures, Regex};

/// The manifests of the example company.
pub const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// A cluster that serves pods, with these in the namespace `shop`.
pub async fn server_with_pods(names: &[&str]) -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..ResourceType::default()
    });
    for name in names {
        server.put(ResourceInstance::new("v1", "Pod", Some("shop"), name).unwrap());
    }
    server
}

/// A home folder of its own, with a store in it.
pub struct Home {
    pub folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("data/clusterlore/index.db")
    }

    /// A kubeconfig with these servers as contexts.
    pub fn kubeconfig(&self, contexts: &[(&str, &str)]) -> String {
        let (mut clusters, mut named) = (String::new(), String::new());
        for (name, url) in contexts {
            clusters.push_str(&format!("- {{name: {name}, cluster: {{server: '{url}'}}}}\n"));
            named.push_str(&format!("- {{name: {name}, context: {{cluster: {name}, user: u}}}}\n"));
        }
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n{clusters}users: [{{name: u, user: {{}}}}]\ncontexts:\n{named}current-context: {}\n",
            contexts[0].0
        );
        self.write("kubeconfig", &text).display().to_string()
    }

    /// Writes a file and gives its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clusterlore"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// What a user sees of a run, for a snapshot.
    pub fn shows(&self, args: &[&str]) -> String {
        self.transcript(args, &self.run(args))
    }

    /// The command, its status and what it wrote; what differs between machines and runs is replaced.
    pub fn transcript(&self, args: &[&str], ran: &Ran) -> String {
        let quoted = |arg: &&str| match arg.is_empty() || arg.contains([' ', '"', '*', '?', '<', '\n']) {
            true => format!("'{arg}'"),
            false => (*arg).to_owned(),
        };
        let words: Vec<String> = args.iter().map(quoted).collect();
        let mut text = format!("$ clusterlore {}\nstatus: {}\n", words.join(" "), ran.status);
        for (name, stream) in [("stdout", &ran.out), ("stderr", &ran.err)] {
            if !stream.is_empty() {
                text.push_str(&format!("{name}:\n{stream}"));
            }
        }
        self.stable(&text)
    }

    /// A text without what differs between machines and runs: paths, ports, times, sizes, process ids, versions, digits of scores.
    pub fn stable(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in [(self.folder.path(), "HOME"), (Path::new(EXAMPLES), "EXAMPLES")] {
            let real = path.canonicalize().unwrap();
            text = text.replace(real.to_str().unwrap(), name).replace(path.to_str().unwrap(), name);
        }
        for (pattern, instead) in [
            (r"(127\.0\.0\.1|localhost):\d+", "$1:PORT"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            (r"\(\d+\.\d MB\)", "(SIZE MB)"),
            (r"(sizeBytes\W+)\d+", "${1}SIZE"),
            (r#"\b((?:discover|infer|list|embed|store|total)"?: )(?:\d+\.\d+(?:e-\d+)?|\d+e-\d+)"#, "${1}SECONDS"),
            // The age in a table.
            (r"(   )\d+[smhd](   |\n)", "${1}AGE${2}"),
            (r"\b00000000-0000-4000-8000-1\d{11}\b", "UID"),
            (r"\b\d+ seconds? ago", "SECONDS ago"),
            (r"process \d+", "process PID"),
            (r"\(os error \d+\)", "(os error N)"),
            (r"/\.tmp\w+", "/.tmpXXXXXX"),
            (concat!("clusterlore ", env!("CARGO_PKG_VERSION")), "clusterlore VERSION"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
        }
        let rounded = |number: &Captures<'_>| format!("{:.2}", number[0].parse::<f64>().unwrap());
        let text = Regex::new(r"(?<![$\d.])\d+\.\d{3,}\b").unwrap().replace_all(&text, rounded).into_owned();
        listed_in_order(&text)
    }

    /// Under a terminal of 200 columns; both streams in one, as the terminal gets them. `None` without `script`.
    pub fn on_terminal(&self, args: &[&str]) -> Option<Vec<u8>> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let words: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        let line =
            format!("stty cols 200 rows 50; exec {} {}", quoted(env!("CARGO_BIN_EXE_clusterlore")), words.join(" "));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, value) in self.command(&[]).get_envs() {
            script.env(name, value.unwrap_or_default());
        }
        match script.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").output() {
            Ok(ran) => Some(ran.stdout),
            Err(e) => {
                assert!(std::env::var_os("CI").is_none(), "script (util-linux) is needed in CI: {e}");
                eprintln!("skipped under a terminal: script (util-linux) cannot be started ({e})");
                None
            }
        }
    }

    pub fn sync_from(&self, folder: &Path) -> Ran {
        self.run(&["sync-instances", "--from", folder.to_str().unwrap()])
    }
}

/// Types are listed at once, so that their lines come in any order.
fn listed_in_order(text: &str) -> String {
    fn name(line: &str) -> Option<&str> {
        Some(line.strip_prefix("Listing instances (")?.split_once("): ")?.1)
    }
    let mut types: Vec<&str> = text.lines().filter_map(name).collect();
    types.sort_unstable();
    let mut types = types.into_iter();
    let line = |line: &str| match name(line) {
        Some(listed) => format!("{}{}\n", line.strip_suffix(listed).unwrap(), types.next().unwrap()),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one line that a failure is: no panic, no backtrace, nothing on standard output.
    #[track_caller]
    pub fn error(&self) -> &str {
        assert_eq!(self.status, 1, "{self:?}");
        assert!(!self.err.contains("panicked") && !self.err.contains("backtrace"), "{}", self.err);
        let errors: Vec<&str> = self.err.lines().filter(|l| l.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{}", self.err);
        assert_eq!(self.err.lines().last(), Some(errors[0]), "{}", self.err);
        errors[0]
    }

    /// The numbers of a run's last line: discovered, stored, deleted, and unchanged where some are.
    pub fn counts(&self) -> Vec<u64> {
        let words = self.err.lines().last().unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.trim_start_matches('(').parse().ok()).collect()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.err);
        self
    }
}
