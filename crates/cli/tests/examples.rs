//! What README, docs and help tell people to type is run as it stands there: against the demo's index, and against real API servers where a
//! cluster is read.
#![allow(clippy::print_stderr, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clusterlore_testkit::chat::{FakeChat, Says};
use clusterlore_testkit::embeddings::FakeEmbeddings;
use clusterlore_testkit::language::FakeModels;
use clusterlore_testkit::real::ApiServer;
use common::serving::Serving;
use common::{EXAMPLES, Home, Ran};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// A command takes so long at most, on a busy machine.
const TIME: Duration = Duration::from_secs(120);
/// Examples that are run at once.
const AT_ONCE: usize = 4;

/// Programs that examples call and that are not run here, each with the reason. They must stand where a program does.
const OTHERS: [(&str, &str); 11] = [
    ("helm", "the chart has tests of its own (tests/chart.rs), with helm where there is one"),
    ("docker", "an image needs a daemon; packaging/ has its test"),
    ("claude", "an editor of another company"),
    ("cargo", "builds this program, for minutes"),
    ("./test", "runs this test among others"),
    ("./eval", "measures for minutes"),
    ("./bench", "measures for minutes"),
    ("install", "writes into the system"),
    ("systemctl", "starts a unit of the system"),
    ("TOKEN=$(kubectl", "a service account, which a controller makes and no API server by itself"),
    ("export", "sets a variable of the shell that the examples after it have anyway"),
];

/// What examples name and is the user's: there is none here by that name.
const SERVERS: [(&str, &str); 6] = [
    ("@db/", "Postgres by a name of the user's network"),
    ("//chroma:", "Chroma by a name of the user's network"),
    ("@http://127.0.0.1:11434/", "Ollama, at its own port"),
    ("@https://llm.example/", "a model server of the user's"),
    ("//github.com/", "what a release holds; testing/tests/packages.rs has its test"),
    (" -n lore ", "a namespace with what \"helm install\" makes"),
];

/// Commands that go on until they are stopped: what they say once they are at work, and the exit status after SIGTERM.
const GOES_ON: [(&str, &str, i32); 4] =
    [("watch", "Watching ", 0), ("serve", "Serving on ", 0), ("changes -w", "", 143), ("search -w", "", 143)];

/// Examples that end otherwise than with 0, as the help of their command says.
const ENDS_WITH: [(&str, i32); 1] = [("--max-calls", 3)];

/// Words of questions for what only a cluster knows: these ask the index of one, beside it.
const OF_A_CLUSTER: [&str; 10] = [
    "not ready",
    "failing",
    "fail?",
    "pending",
    "image",
    "created in",
    "-o name | xargs kubectl",
    "--context east",
    "clusters rename",
    "clusters forget",
];

/// Commands that tables tell of.
const COMMANDS: [&str; 16] = [
    "ask",
    "changes",
    "config",
    "count",
    "demo",
    "doctor",
    "index",
    "mcp",
    "search",
    "serve",
    "similar",
    "status",
    "sync",
    "sync-instances",
    "threads",
    "watch",
];

/// Commands that write an index: these have none before, and an API server.
const WRITES: [&str; 6] = ["index", "sync", "sync-instances", "watch", "serve", "import"];

/// Stands before what is typed in a conversation.
const PROMPT: &str = "clusterlore> ";

/// Objects with annotations.
const ANNOTATED: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: kiosk-web, namespace: fares, annotations: {example.org/tier: '1', example.org/owner: ann}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: queue, namespace: fares, annotations: {example.org/tier: '1', example.org/owner: the night owls}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nobodys, namespace: fares}
";

/// Something that people are told to type.
#[derive(Debug)]
struct Example {
    /// `README.md:12`.
    place: String,
    line: String,
    /// What is printed beneath it, where it begins with `$`.
    shown: Option<Vec<String>>,
}

impl Example {
    /// The programs that it calls.
    fn programs(&self) -> Vec<&str> {
        let parts = split(&self.line, &["| ", "&& ", "; "]);
        let programs = parts.iter().map(|part| {
            let mut words = part.split_whitespace();
            let set = |word: &&str| {
                word.split_once('=').is_some_and(|(name, value)| {
                    !value.starts_with("$(") && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                })
            };
            words.find(|word| !set(word)).unwrap_or_default()
        });
        programs.collect()
    }

    /// The command of ours that it calls.
    fn command(&self) -> &str {
        let mut words = self.line.split_whitespace().skip_while(|word| !word.ends_with("clusterlore")).skip(1);
        words.next().unwrap_or_default()
    }

    /// Whether what is shown beneath it is what a person types on.
    fn is_a_conversation(&self) -> bool {
        self.shown.iter().flatten().any(|line| line.starts_with(PROMPT))
    }

    /// Why it is not run here.
    fn is_not_run(&self) -> Option<&'static str> {
        let programs = self.programs();
        let other = OTHERS.iter().find(|(program, _)| programs.contains(program));
        other.or_else(|| SERVERS.iter().find(|(server, _)| self.line.contains(server))).map(|(_, why)| *why)
    }
}

/// A text in parts, at signs that stand in no quotes.
fn split<'t>(text: &'t str, signs: &[&str]) -> Vec<&'t str> {
    let (mut parts, mut from, mut quote) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, _) if at >= from => {
                if let Some(sign) = signs.iter().find(|sign| text[at..].starts_with(**sign)) {
                    parts.push(text[from..at].trim());
                    from = at + sign.len();
                }
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

/// A line without what stands behind it for people.
fn bare(line: &str) -> String {
    split(line, &["   ", " # "])[0].to_owned()
}

/// Whether a line of a document is typed into a shell: it begins with a program, or with what is set for one.
fn is_typed(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let set = first
        .split_once('=')
        .is_some_and(|(name, _)| name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let ours = ["clusterlore", "kubectl", "printf", "source", "zcat", "chmod", "curl"];
    let is_program = ours.contains(&first) || OTHERS.iter().any(|(program, _)| *program == first);
    set && line.contains(' ') || is_program
}

/// The commands of the first cell of a table's row, but for those in which something is to be filled in.
fn of_table(line: &str) -> Vec<String> {
    let Some(cell) = line.strip_prefix("| `").and_then(|rest| rest.split(" | ").next()) else { return Vec::new() };
    let spans = cell.split('`').step_by(2).filter_map(|span| {
        let words = span.strip_prefix("clusterlore ").unwrap_or(span);
        let command = words.split(' ').next().unwrap_or_default();
        let filled_in =
            |word: &str| word.contains('…') || word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
        let is_ours = COMMANDS.contains(&command) && !words.split(' ').any(filled_in);
        is_ours.then(|| format!("clusterlore {words}"))
    });
    spans.collect()
}

/// The examples of a document: lines that are indented or fenced, and are typed.
fn of_document(file: &Path) -> Vec<Example> {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.strip_prefix(Path::new(ROOT)).unwrap().display();
    let mut examples: Vec<Example> = Vec::new();
    let mut fenced = false;
    let lines: Vec<&str> = text.lines().collect();
    let mut n = 0;
    while n < lines.len() {
        let line = lines[n];
        n += 1;
        if line.starts_with("```") {
            fenced = !fenced;
        }
        for line in of_table(line) {
            examples.push(Example { place: format!("{name}:{n}"), line, shown: None });
        }
        let Some(code) = line.strip_prefix("    ").or(fenced.then_some(line)) else { continue };
        let place = format!("{name}:{n}");
        if let Some(typed) = code.strip_prefix("$ ") {
            let shown = lines[n..].iter().map_while(|line| line.strip_prefix("    "));
            let shown: Vec<String> = shown.map(str::to_owned).collect();
            n += shown.len();
            examples.push(Example { place, line: bare(typed), shown: Some(shown) });
        } else if is_typed(code) {
            let mut line = bare(code);
            while let Some(before) = line.strip_suffix('\\') {
                line = format!("{before}{}", bare(lines[n]));
                n += 1;
            }
            examples.push(Example { place, line, shown: None });
        } else {
            assert!(
                !code.trim_start().starts_with("clusterlore "),
                "{place}: {code:?} looks like a command and is none that this test knows"
            );
        }
    }
    examples
}

/// The examples of every help text.
fn of_help() -> Vec<Example> {
    let mut left: Vec<Vec<String>> = vec![Vec::new()];
    let mut examples = Vec::new();
    while let Some(command) = left.pop() {
        let mut help = Command::new(env!("CARGO_BIN_EXE_clusterlore"));
        let help = help.args(&command).arg("--help").env_clear().env("COLUMNS", "1000").stdin(Stdio::null());
        let help = Ran::of(help.output().unwrap()).ok().out;
        let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        let listed = listed.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        let listed =
            listed.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help");
        left.extend(listed.map(|name| [&command[..], &[name]].concat()));
        let place = format!("clusterlore {} --help", command.join(" "));
        let lines = help.split("Examples:\n").nth(1).unwrap_or_else(|| panic!("{place} has no examples"));
        for line in lines.lines().take_while(|line| !line.is_empty()) {
            examples.push(Example { place: place.clone(), line: bare(line.trim_start()), shown: None });
        }
    }
    examples
}

fn all() -> Vec<Example> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(Path::new(ROOT).join("docs")).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    files.push(Path::new(ROOT).join("README.md"));
    files.sort();
    files.iter().flat_map(|file| of_document(file)).chain(of_help()).collect()
}

/// What examples find where they are run.
struct World {
    east: ApiServer,
    west: ApiServer,
    /// A store that the demo filled, one that is of the first server, and one with annotations.
    index: PathBuf,
    of_east: PathBuf,
    annotated: PathBuf,
    /// A stand-in for a model that says of types what they are for, and one that talks.
    models: String,
    chat: String,
    vectors: String,
    serving: Serving,
    _home: Home,
}

impl World {
    /// A home folder with all the files that examples name.
    fn home(&self, example: &Example) -> Home {
        let home = Home::new();
        let kubeconfig = |servers: &[(&str, &ApiServer)]| {
            let of = |text: &dyn Fn(&str, &ApiServer) -> String| {
                servers.iter().map(|(name, server)| text(name, server)).collect::<Vec<_>>().join(", ")
            };
            format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters: [{}]\nusers: [{}]\ncontexts: [{}]\n",
                servers[0].0,
                of(&|name, server| format!(
                    "{{name: {name}, cluster: {{server: '{}', certificate-authority: '{}'}}}}",
                    server.url(),
                    server.ca_file().display()
                )),
                of(&|name, server| format!("{{name: {name}, user: {{token: {}}}}}", server.token("admin"))),
                of(&|name, _| format!("{{name: {name}, context: {{cluster: {name}, user: {name}}}}}")),
            )
        };
        home.write("kubeconfig", &kubeconfig(&[("east", &self.east), ("west", &self.west)]));
        home.write("clusters/east", &kubeconfig(&[("east", &self.east)]));
        home.write("clusters/west", &kubeconfig(&[("west", &self.west)]));
        for file in std::fs::read_dir(EXAMPLES).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|end| end == "yaml") {
                home.write(
                    &format!("manifests/{}", file.file_name().unwrap().display()),
                    &std::fs::read_to_string(&file).unwrap(),
                );
            }
        }
        home.write(
            "questions.jsonl",
            "{\"id\": 1, \"q\": \"message brokers\"}\n{\"id\": 2, \"q\": \"databases\", \"target\": \"types\"}\n",
        );
        home.write("questions.txt", "which caches are there?\nhow many is that?\n");
        home.write("staging.toml", "max-age = \"24h\"\n");
        home.write("own.toml", "[categories.toll]\nabout = \"Takes money.\"\nphrases = [\"toll\"]\n");
        home.write(".local/bin/kubectl_complete-lore", "");
        for (name, from) in [("tls.crt", "apiserver.crt"), ("tls.key", "apiserver.key")] {
            std::fs::copy(self.east.dir().join("certs").join(from), home.path(name)).unwrap();
        }
        for folder in [".config/fish/completions", ".local/bin"] {
            std::fs::create_dir_all(home.path(folder)).unwrap();
        }
        let index = match example {
            _ if WRITES.contains(&example.command()) => None,
            Example { shown: None, line, .. } if OF_A_CLUSTER.iter().any(|words| line.contains(words)) => {
                Some(&self.of_east)
            }
            Example { line, .. } if line.contains(" -a ") => Some(&self.annotated),
            _ => Some(&self.index),
        };
        if let Some(index) = index {
            std::fs::create_dir_all(home.store().parent().unwrap()).unwrap();
            std::fs::copy(index, home.store()).unwrap();
        }
        // What an example before it made.
        for (named, before) in [
            ("import index.jsonl", "CLUSTERLORE_STORE=sqlite:made.db clusterlore export index.jsonl"),
            ("index.jsonl.gz", "CLUSTERLORE_STORE=sqlite:made.db clusterlore export | gzip > index.jsonl.gz"),
            ("tokens.toml", "clusterlore token me --see-all --tokens tokens.toml"),
            ("rm on-call", "clusterlore ask --thread on-call caches && clusterlore ask --thread night-shift caches"),
        ] {
            if example.line.contains(named) {
                std::fs::copy(&self.index, home.path("made.db")).unwrap();
                Ran::of(self.shell(&home, before).output().unwrap()).ok();
            }
        }
        home
    }

    /// A shell in which examples are typed.
    fn shell(&self, home: &Home, line: &str) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_clusterlore")).parent().unwrap();
        let kubectl = self.east.kubectl_path();
        let path = [bin, kubectl.parent().unwrap()].map(|folder| folder.display().to_string()).join(":");
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", line]).env_clear().current_dir(home.folder.path()).stdin(Stdio::null());
        shell.env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap_or_default()));
        shell.env("HOME", home.folder.path()).env("XDG_DATA_HOME", home.path("data"));
        shell.env("KUBECONFIG", home.path("kubeconfig"));
        let model = if line.contains(" ask ") { &self.chat } else { &self.models };
        shell.env("ANTHROPIC_API_KEY", "sk-test").env("ANTHROPIC_BASE_URL", model);
        shell.env("VOYAGE_API_KEY", "pa-test").env("VOYAGE_BASE_URL", &self.vectors);
        shell
    }

    /// Runs an example, and says what is wrong with what it does.
    fn try_it(&self, example: &Example) -> Result<(), String> {
        let command = example.command();
        let home = self.home(example);
        let mut line = example.line.clone();
        if command == "serve" {
            line = line.replace(":8080", ":0").replace(":8443", ":0").replace("--port 3000", "--port 0");
            if !line.contains("--listen") && !line.contains("--port") {
                line.push_str(" --port 0");
            }
        }
        line = line.replace("127.0.0.1:8080", &self.serving.address);
        if line.contains("--pick") {
            let typed = if line.ends_with("--pick") { "turnstile" } else { "" };
            line =
                format!("(sleep 3; printf '{typed}'; sleep 3; printf '\\r'; sleep 3) | script -qec '{line}' /dev/null");
        }
        let goes_on = GOES_ON.iter().find(|(what, ..)| {
            let mut words = what.split(' ');
            words.next() == Some(command) && words.all(|word| line.split(' ').any(|said| said == word))
        });
        let out = match goes_on {
            Some((_, said, status)) => self.stopped(&home, &line, said, *status)?,
            None => self.ended(&home, &line, example)?,
        };
        match &example.shown {
            Some(shown) if !example.is_a_conversation() => agree(shown, &out),
            _ => Ok(()),
        }
    }

    /// Runs a line to its end, and looks at what came of it.
    fn ended(&self, home: &Home, line: &str, example: &Example) -> Result<String, String> {
        let (out, err) = (home.path("stdout"), home.path("stderr"));
        let mut shell = self.shell(home, line);
        let typed: Vec<String> =
            example.shown.iter().flatten().filter_map(|line| line.strip_prefix(PROMPT)).map(bare).collect();
        shell.stdin(File::open(home.write("typed", &typed.join("\n"))).unwrap());
        let mut child = shell
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let expected = ENDS_WITH.iter().find(|(flag, _)| line.contains(flag)).map_or(0, |(_, status)| *status);
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > TIME => {
                    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
                    let _ = child.wait();
                    return Err(format!("it does not end: {}", std::fs::read_to_string(&err).unwrap()));
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let (out, err) = (std::fs::read_to_string(&out).unwrap(), std::fs::read_to_string(&err).unwrap());
        if status.code() != Some(expected) {
            return Err(format!("{status}\n{out}{err}"));
        }
        // It shows how something is found.
        for nothing in ["No results", "Nothing is called", "error:", "Did you mean"] {
            if err.contains(nothing) || out.contains(nothing) {
                return Err(format!("it finds nothing\n{out}{err}"));
            }
        }
        Ok(out)
    }

    /// Runs a line that goes on, and stops it once it is at work.
    fn stopped(&self, home: &Home, line: &str, said: &str, status: i32) -> Result<String, String> {
        let (out, err) = (home.path("stdout"), home.path("stderr"));
        let mut shell = self.shell(home, &format!("exec {line}"));
        let mut child = shell.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).spawn().unwrap();
        let begun = Instant::now();
        let text = || std::fs::read_to_string(&out).unwrap() + &std::fs::read_to_string(&err).unwrap();
        while !text().contains(said) || said.is_empty() && begun.elapsed() < Duration::from_secs(3) {
            if let Some(status) = child.try_wait().unwrap() {
                return Err(format!("{status}\n{}", text()));
            }
            if begun.elapsed() > TIME {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it never says {said:?}: {}", text()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let ended = child.wait().unwrap();
        if ended.code() == Some(status) { Ok(text()) } else { Err(format!("{ended} after SIGTERM\n{}", text())) }
    }
}

/// Whether what is printed is what a document shows; an ellipsis in a line of its own stands for any lines.
fn agree(shown: &[String], printed: &str) -> Result<(), String> {
    let mut printed = printed.lines().map(str::trim_end);
    let mut any = false;
    for line in shown.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()) {
        if line == "…" {
            any = true;
            continue;
        }
        let mut rest = printed.by_ref().filter(|line| !line.is_empty());
        let there =
            if std::mem::take(&mut any) { rest.any(|printed| printed == line) } else { rest.next() == Some(line) };
        if !there {
            return Err(format!("what is shown is not what is printed: {line:?}"));
        }
    }
    Ok(())
}

#[test]
fn examples_are_read_as_people_read_them() {
    for (line, typed) in [
        ("clusterlore demo --write corrie/   write the manifests", "clusterlore demo --write corrie/"),
        ("clusterlore count 'a # b   c' # counts", "clusterlore count 'a # b   c'"),
        ("clusterlore search \"it's   here\"      asks", "clusterlore search \"it's   here\""),
    ] {
        assert_eq!(bare(line), typed);
    }
    for (row, typed) in [
        ("| `search \"message brokers\"` | what runs |", &["clusterlore search \"message brokers\""][..]),
        ("| `status`, `doctor` | how it is |", &["clusterlore status", "clusterlore doctor"]),
        ("| `clusterlore similar ID` | `similar deploy/a` |", &[]),
        ("| `clusterlore search \"…\"` | finds |", &[]),
        ("| nothing | `search x` |", &[]),
    ] {
        assert_eq!(of_table(row), typed, "{row}");
    }
    let of = |line: &str| Example { place: String::new(), line: line.to_owned(), shown: None };
    assert_eq!(of("A_B=1 clusterlore search 'x | y' -o name | xargs kubectl get").programs(), ["clusterlore", "xargs"]);
    assert_eq!(of("zcat x | clusterlore import - --store y").command(), "import");
    let shown = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    for (lines, printed, agrees) in [
        (&["a", "b"][..], "a\n\nb  \nc\n", true),
        (&["a", "…", "c"], "a\nb\nc\n", true),
        (&["a", "c"], "a\nb\nc\n", false),
        (&["a", "…", "b"], "a\nc\n", false),
        (&["a"], "", false),
    ] {
        assert_eq!(agree(&shown(lines), printed).is_ok(), agrees, "{lines:?}");
    }
}

#[test]
fn what_is_not_run_is_what_cannot_be_run_here() {
    let all = all();
    assert!(all.len() > 150, "{}", all.len());
    let entries: BTreeSet<&str> = OTHERS.iter().chain(&SERVERS).map(|(_, why)| *why).collect();
    let used: BTreeSet<&str> = all.iter().filter_map(Example::is_not_run).collect();
    assert_eq!(entries.difference(&used).collect::<Vec<_>>(), [&""; 0], "no example needs it any more");
    // What calls nothing but this program, and no server by a name of the user's, is run.
    for example in &all {
        let only_ours = example.programs().iter().all(|program| *program == "clusterlore");
        let named = SERVERS.iter().any(|(server, _)| example.line.contains(server));
        assert!(!only_ours || named || example.is_not_run().is_none(), "{example:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_does_what_it_shows() {
    let (Some(east), Some(west)) = (ApiServer::start_or_skip(), ApiServer::start_or_skip()) else { return };
    east.apply_folder(Path::new(EXAMPLES));
    for namespace in ["fares", "guest", "shop"] {
        west.kubectl(&["create", "namespace", namespace]);
    }
    let (models, chat) = (FakeModels::start().await, FakeChat::start([Says::text("All is well.")]).await);
    let vectors = FakeEmbeddings::start().await;
    let home = Home::new();
    home.run(&["demo", "-q"]).ok();
    let index = home.path("data/clusterlore/demo/index.db");
    let (of_east, annotated) = (home.path("east.db"), home.path("annotated.db"));
    let fill = |store: &Path, args: &[&str]| {
        let ran = home.command(args).env("CLUSTERLORE_STORE", format!("sqlite:{}", store.display())).output();
        Ran::of(ran.unwrap()).ok();
    };
    fill(&of_east, &["index", "--kubeconfig", east.kubeconfig("admin").to_str().unwrap()]);
    fill(&of_east, &["clusters", "rename", "admin", "east"]);
    home.write("m/a.yaml", ANNOTATED);
    fill(&annotated, &["index", "--from", "m", "--annotations", "example.org/*"]);
    let serving = Serving::start(&home, &["--demo"]);
    let world = World {
        east,
        west,
        index,
        of_east,
        annotated,
        models: models.base(),
        chat: chat.base(),
        vectors: vectors.url(),
        serving,
        _home: home,
    };
    let all: Vec<Example> = all().into_iter().filter(|example| example.is_not_run().is_none()).collect();
    let (next, failed) = (Mutex::new(all.iter()), Mutex::new(Vec::new()));
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(example) = { next.lock().unwrap().next() } {
                        if let Err(why) = world.try_it(example) {
                            failed.lock().unwrap().push(format!("{}: {}\n{why}", example.place, example.line));
                        }
                    }
                });
            }
        });
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} examples:\n\n{}", failed.len(), all.len(), failed.join("\n"));
}
