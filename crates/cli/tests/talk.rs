//! Conversations as a user sees them: line by line, at a terminal, and under a name.
#![allow(clippy::print_stderr, clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clusterlore_testkit::real::ApiServer;
use common::{EXAMPLES, Home, Ran};
use serde_json::Value;

/// Dialogues over the example company, each with the name of its snapshot.
const DIALOGUES: &[(&str, &[&str])] = &[
    ("of-them", &["what databases are running?", "and which of them are in datastores?", "how many is that?"]),
    ("one-of-them", &["which statefulsets are in datastores?", "show me the second", "why is it failing?"]),
    ("another-place", &["which deployments are in fares?", "what about liftops?", "and the statefulsets?"]),
    ("something-else", &["is there a message broker?", "and a cache?"]),
    ("nothing-before", &["is there a graph database?", "why is it slow?", "turnstile-api"]),
    ("which-is-meant", &["which statefulsets are in datastores?", "is it ready?", "the first"]),
    ("no-such-place", &["which deployments are in fares?", "and in nowhere?", "and in liftops?"]),
    ("less-something", &["which statefulsets are in datastores?", "without the first one", "not postgres"]),
    ("types", &["what could I use for a certificate?", "and for a database?", "explain the first one"]),
    (
        "commands",
        &[
            "which deployments are in fares?",
            "/why",
            "/show 1",
            "/show 99",
            "/show",
            "/new",
            "is it ready?",
            "/nope",
            "/help",
        ],
    ),
    ("groups", &["what databases are running?", "per namespace?", "and caches?"]),
    ("other-language", &["welche Datenbanken gibt es?", "und welche davon sind in datastores?", "zeig mir die erste"]),
];

#[test]
fn dialogues_line_by_line() {
    let home = company();
    for (name, lines) in DIALOGUES {
        let ran = talk(&home, &["--limit", "4"], &lines.join("\n"));
        let asked: String = lines.iter().map(|line| format!("> {line}\n")).collect();
        let shown = home.stable(&format!("{asked}status: {}\n{}stderr:\n{}", ran.status, ran.out, ran.err));
        insta::assert_snapshot!(*name, shown);
        for line in ran.out.lines().filter(|line| !line.starts_with("  kubectl")) {
            assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{name}: {line}");
        }
    }
}

/// A store with the example company.
fn company() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

/// Runs `ask -i` with these lines on its standard input.
fn talk(home: &Home, args: &[&str], lines: &str) -> Ran {
    let mut command = home.command(&[&["ask", "-i"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

fn json(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_document_a_line_for_programs() {
    let home = company();
    let ran = talk(&home, &["-o", "json"], "which caches are there?\n\nhow many is that?\n???\n/why\n/show 1\n/nope\n");
    assert_eq!(ran.status, 3, "{}", ran.err);
    let answers = json(&ran);
    assert_eq!(answers.len(), 6, "{}", ran.out);
    assert_eq!(
        answers[1]["took"]["objects"].as_array().unwrap().len(),
        answers[0]["number"].as_u64().unwrap() as usize
    );
    assert_eq!(answers[1]["number"], answers[0]["number"]);
    assert!(answers[0].get("took").is_none(), "a first question takes nothing over");
    assert_eq!(
        (answers[2]["question"].as_str(), answers[2]["error"].as_str()),
        (Some("???"), Some("the question is empty"))
    );
    assert!(answers[3]["hits"].as_array().is_some() && answers[4]["labels"].is_object(), "{}", ran.out);
    assert!(answers[5]["error"].as_str().unwrap().contains("/nope"));
    // The first question may stand on the command line.
    let begun = talk(&home, &["which caches are there?", "-o", "json"], "how many is that?");
    assert_eq!(json(&begun)[1]["number"], answers[0]["number"]);
    // A line that never ends is refused.
    let long = talk(&home, &[], &"x".repeat((1 << 20) + 10));
    assert!(long.status == 1 && long.err.contains("line 1: it has more than"), "{} {}", long.status, long.err);
    // What is no text is an error of its line.
    let mut command = home.command(&["ask", "-i"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"caches\n\xff\xfe\n").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.status == 1 && ran.err.contains("standard input, line 2"), "{}", ran.err);
}

#[test]
fn a_thread_goes_on_where_it_stopped() {
    let home = company();
    let of_thread = |question: &str| home.run(&["ask", "--thread", "on-call", "-o", "json", question]).ok();
    let first: Value = serde_json::from_str(&of_thread("which statefulsets are in datastores?").out).unwrap();
    let second: Value = serde_json::from_str(&of_thread("how many of them are there?").out).unwrap();
    assert_eq!(second["took"]["objects"].as_array().unwrap().len(), first["number"].as_u64().unwrap() as usize);
    // Without the name nothing is known of it.
    let alone: Value = serde_json::from_str(&home.run(&["ask", "is it ready?", "-o", "json"]).ok().out).unwrap();
    assert!(alone.get("took").is_none() && alone["asks"].is_object());
    let listed: Value = serde_json::from_str(&home.run(&["threads", "-o", "json"]).ok().out).unwrap();
    assert_eq!((listed[0]["name"].as_str(), listed[0]["turns"].as_u64()), (Some("on-call"), Some(2)));
    assert_eq!(home.run(&["threads", "-o", "name"]).ok().out, "on-call\n");
    // Interactive, the same thread.
    let third = talk(&home, &["--thread", "on-call", "-o", "json"], "show me the first one");
    assert_eq!(json(&third)[0]["took"]["objects"].as_array().unwrap().len(), 1, "{}", third.out);
    for (args, status, said) in [
        (&["ask", "--thread", "no/name", "x"][..], 2, "expected 1 to 64 letters"),
        (&["ask", "--thread", "", "x"], 2, "expected 1 to 64 letters"),
        (&["threads", "rm", "on-call", "nobody"], 1, "there is no thread \"nobody\""),
        (&["threads", "rm"], 2, "<NAME>"),
    ] {
        let ran = home.run(args);
        assert!(ran.status == status && ran.err.contains(said), "{args:?}: {} {}", ran.status, ran.err);
    }
    assert_eq!(home.run(&["threads", "-o", "name"]).ok().out, "on-call\n", "nothing was removed");
    home.run(&["threads", "rm", "on-call"]).ok();
    let none = home.run(&["threads"]).ok();
    assert!(none.out.is_empty() && none.err.contains("There are no threads"), "{}", none.err);
}

#[test]
fn two_that_write_the_same_thread_lose_nothing() {
    let home = company();
    let ask = |n: usize| {
        let mut command = home.command(&["ask", "--thread", "both", &format!("which caches are there? {n}")]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<Child> = (0..6).map(ask).collect();
    for child in running {
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.status, 0, "{}", ran.err);
    }
    let listed: Value = serde_json::from_str(&home.run(&["threads", "-o", "json"]).ok().out).unwrap();
    assert_eq!(listed[0]["turns"], 6, "{listed}");
}

/// A thread that something else wrote to is refused, and stays as it is.
#[test]
fn a_broken_thread_is_an_error_and_stays() {
    let home = company();
    home.run(&["ask", "--thread", "t", "which caches are there?"]).ok();
    let file = home.store();
    let python = |sql: &str| {
        let script = format!(
            "import sqlite3; c = sqlite3.connect({:?}); print(c.execute({sql:?}).fetchall()); c.commit()",
            file.to_str().unwrap()
        );
        let ran = Command::new("python3").args(["-c", &script]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    for (turn, said) in [
        ("{\"version\": 99}", "it is of version 99"),
        ("no json", "cannot be read"),
        ("{\"question\": 5}", "cannot be read"),
    ] {
        python(&format!("UPDATE turns SET turn = '{turn}'"));
        let ran = home.run(&["ask", "--thread", "t", "how many is that?"]);
        assert_eq!(ran.status, 1);
        assert!(ran.err.contains(said) && ran.err.contains("clusterlore threads rm t"), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(python("SELECT turn FROM turns").contains(turn.trim_matches(['{', '}'])), "it stays");
    }
}

/// On a real API server whose objects fail: the cluster is asked for those that are meant, and a thread keeps nothing of what it said.
#[test]
fn a_conversation_about_what_fails() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.create_failures();
    let home = Home::new();
    let admin = server.kubeconfig("admin");
    let kubeconfig = admin.to_str().unwrap();
    home.run(&["index", "--kubeconfig", kubeconfig]).ok();
    let lines = "which pods are in ward?\nwhich of them are crashing?\nwhy is the first one failing?\nwhich image does it run?\n/show 1\n";
    let ran = talk(&home, &["--kubeconfig", kubeconfig, "--thread", "live", "-o", "json", "--limit", "100"], lines);
    let answers = json(&ran);
    assert_eq!((ran.status, answers.len()), (0, 5), "{}{}", ran.out, ran.err);
    let number = |answer: &Value| answer["number"].as_u64();
    assert!(number(&answers[1]) >= Some(1) && number(&answers[1]) < number(&answers[0]), "{}", answers[1]);
    assert!(
        answers[1]["hits"].as_array().unwrap().iter().all(|hit| hit["state"][0]["verdict"] == "yes"),
        "{}",
        answers[1]
    );
    assert!(answers[2]["findings"]["subjects"][0].is_object(), "{}", answers[2]);
    assert_eq!(answers[3]["took"]["objects"], answers[2]["took"]["objects"], "{}\n{}", answers[2], answers[3]);
    assert!(answers[4]["columns"].as_array().is_some_and(|columns| !columns.is_empty()), "{}", answers[4]);
    // Neither the file nor what waits beside it holds a cell of a table.
    let mut stored = std::fs::read(home.store()).unwrap();
    stored.extend(std::fs::read(home.store().with_extension("db-wal")).unwrap_or_default());
    let holds = |text: &str| stored.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("which image does it run?"), "the questions are kept");
    let cells = answers[4]["columns"].as_array().unwrap().iter().filter_map(|column| column[1].as_str());
    let states = answers[..4].iter().flat_map(|answer| answer["hits"].as_array().unwrap());
    let states = states.filter_map(|hit| hit["state"].as_array()).flatten().filter_map(|state| state["text"].as_str());
    let live: Vec<&str> = cells.chain(states).filter(|text| text.len() > 8 && !text.starts_with("20")).collect();
    assert!(!live.is_empty(), "{}", ran.out);
    for text in live {
        assert!(!holds(text), "{text}");
    }
    assert!(!holds("CrashLoopBackOff") && !holds(ApiServer::SECRET_MARK));
}

/// A program under a terminal of 80 columns and 24 rows, which answers where its cursor is.
struct Terminal {
    child: Child,
    input: Arc<Mutex<std::process::ChildStdin>>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// `None` without `script`.
    fn start(home: &Home, args: &[&str]) -> Option<Self> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let words: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        let line =
            format!("stty cols 80 rows 24; exec {} {}", quoted(env!("CARGO_BIN_EXE_clusterlore")), words.join(" "));
        let mut script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]).env_clear().current_dir(home.folder.path());
        for (name, value) in home.command(&[]).get_envs() {
            script.env(name, value.unwrap_or_default());
        }
        script.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").env("NO_COLOR", "1");
        let mut child = match script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(e) => {
                assert!(std::env::var_os("CI").is_none(), "script (util-linux) is needed in CI: {e}");
                eprintln!("skipped at a terminal: script (util-linux) cannot be started ({e})");
                return None;
            }
        };
        let input = Arc::new(Mutex::new(child.stdin.take().unwrap()));
        let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let mut output = child.stdout.take().unwrap();
        let (replies, kept) = (Arc::clone(&input), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                let part = &buffer[..read];
                kept.lock().unwrap().extend_from_slice(part);
                for _ in part.windows(4).filter(|window| *window == b"\x1b[6n") {
                    let _ = replies.lock().unwrap().write_all(b"\x1b[1;1R");
                }
            }
        });
        Some(Self { child, input, seen })
    }

    fn type_in(&self, text: &str) {
        let mut input = self.input.lock().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// What was shown, without what moves the cursor and colours text.
    fn text(&self) -> String {
        let seen = String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned();
        fancy_regex::Regex::new("\u{1b}(\\[[0-9;?]*[A-Za-z]|[78])").unwrap().replace_all(&seen, "").into_owned()
    }

    /// Waits until a text was shown so many times.
    fn wait_for(&self, text: &str, times: usize) {
        let began = Instant::now();
        while self.text().matches(text).count() < times {
            assert!(began.elapsed() < Duration::from_secs(60), "{text:?} {times} times in {:?}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the prompt stands at the end, behind a text.
    fn wait_for_prompt_after(&self, text: &str) {
        let began = Instant::now();
        let waits = |shown: &str| {
            shown.rsplit_once(text).is_some_and(|(_, after)| after.contains('\n') && after.ends_with("clusterlore> "))
        };
        while !waits(&self.text()) {
            assert!(began.elapsed() < Duration::from_secs(60), "no prompt after {text:?} in {:?}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn status(mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not end: {:?}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn at_a_terminal() {
    let home = company();
    let Some(terminal) = Terminal::start(&home, &["ask", "-i"]) else { return };
    terminal.wait_for("Ctrl-D ends.", 1);
    terminal.wait_for("clusterlore> ", 1);
    terminal.type_in("which statefulsets are in datastores?\r");
    terminal.wait_for("StatefulSets in datastores", 1);
    terminal.type_in("how many is that?\r");
    terminal.wait_for("before.", 1);
    terminal.type_in("/nope\r");
    terminal.wait_for("is no command here", 1);
    // Ctrl-C at the prompt leaves the line, and not the program.
    terminal.type_in("half a ques");
    terminal.wait_for("half a ques", 1);
    terminal.type_in("\x03");
    terminal.wait_for_prompt_after("half a ques");
    terminal.type_in("/help\r");
    terminal.wait_for("/show N", 2);
    // The line before, by the arrow up.
    terminal.type_in("\x1b[A\r");
    terminal.wait_for("/show N", 3);
    terminal.type_in("\x04");
    let shown = terminal.text();
    assert_eq!(terminal.status(), 0, "{shown}");
    let history = home.path(".local/state/clusterlore/history");
    let kept = std::fs::read_to_string(&history).unwrap();
    assert!(kept.contains("how many is that?") && !kept.contains("half a ques"), "{kept}");
    #[cfg(unix)]
    for path in [history.as_path(), history.parent().unwrap()] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
}
