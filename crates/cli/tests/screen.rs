//! Sessions in a real terminal, which tmux is: 80x24, 120x40, and made narrower and wider while something is drawn.
#![allow(clippy::print_stderr, clippy::unwrap_used, missing_docs)]

mod common;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use clusterlore_testkit::real::ApiServer;
use common::{EXAMPLES, Home};

/// A command takes so long at most, on a busy machine.
const TIME: Duration = Duration::from_secs(120);

/// A terminal with a shell in it; gone when the value is dropped.
struct Terminal<'h> {
    home: &'h Home,
    width: usize,
    commands: usize,
}

impl<'h> Terminal<'h> {
    /// `None` without tmux, which CI must have.
    fn open(home: &'h Home, width: usize, height: usize) -> Option<Self> {
        let terminal = Self { home, width, commands: 0 };
        let (columns, rows) = (width.to_string(), height.to_string());
        let bin = std::path::Path::new(env!("CARGO_BIN_EXE_clusterlore")).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = terminal.tmux();
        command.args(["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows]);
        command.args(["env", "-i", &format!("PATH={path}"), "TERM=screen-256color", "PS1=> ", "LC_ALL=C.UTF-8"]);
        command.arg(format!("HOME={}", home.folder.path().display()));
        command.arg(format!("XDG_DATA_HOME={}", home.path("data").display())).args(["sh", "-i"]);
        match command.current_dir(home.folder.path()).output() {
            Ok(ran) => {
                assert!(ran.status.success(), "{ran:?}");
                Some(terminal)
            }
            Err(e) => {
                assert!(std::env::var_os("CI").is_none(), "tmux is needed in CI: {e}");
                eprintln!("skipped: tmux cannot be started ({e})");
                None
            }
        }
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.home.path("tmux")).env_remove("TMUX");
        command
    }

    fn control(&self, args: &[&str]) -> Output {
        let ran = self.tmux().args(args).output().unwrap();
        assert!(ran.status.success(), "{args:?}: {ran:?}");
        ran
    }

    fn resize(&mut self, width: usize, height: usize) {
        self.control(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
        self.width = width;
    }

    /// All lines since the terminal was cleared, those that go on in the next in one.
    fn lines(&self) -> Vec<String> {
        let shown = self.control(&["capture-pane", "-p", "-J", "-S", "-"]).stdout;
        String::from_utf8(shown).unwrap().trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    }

    fn keys(&self, keys: &str) {
        self.control(&["send-keys", "-l", keys]);
    }

    /// Starts a command, on an empty screen.
    fn start(&mut self, line: &str) {
        self.commands += 1;
        self.keys(&format!("clear; tmux -S tmux clear-history; {line}; echo end-$((0+{}))", self.commands));
        self.control(&["send-keys", "Enter"]);
    }

    #[track_caller]
    fn wait(&self, until: impl Fn(&[String]) -> bool) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let lines = self.lines();
            if until(&lines) {
                return lines;
            }
            assert!(begun.elapsed() < TIME, "{lines:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a command left on the screen, to its end.
    #[track_caller]
    fn end(&self) -> Vec<String> {
        let end = format!("end-{}", self.commands);
        let lines = self.wait(|lines| lines.contains(&end));
        lines.into_iter().take_while(|line| *line != end).collect()
    }

    #[track_caller]
    fn run(&mut self, line: &str) -> Vec<String> {
        self.start(line);
        self.end()
    }

    #[track_caller]
    fn assert_fits(&self, lines: &[String]) {
        for line in lines {
            assert!(line.chars().count() <= self.width, "{} columns: {line}\n{lines:#?}", self.width);
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").output();
    }
}

/// Nothing is left of a line that moved.
#[track_caller]
fn assert_no_debris(lines: &[String]) {
    let moved = |line: &&String| {
        ["Listing ", "Listed ", "Reading ", "Found ", "Stored "].iter().any(|begin| line.contains(begin))
    };
    assert_eq!(lines.iter().find(moved), None, "{lines:#?}");
}

#[test]
fn an_index_is_one_line_that_moves_and_its_summary() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    let many = (0..2_000)
        .map(|n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{n}, namespace: shop}}\n"));
    home.write("many/all.yaml", &many.collect::<String>());
    // Made narrower and wider all the time.
    terminal.start("clusterlore index --from many");
    let end = format!("end-{}", terminal.commands);
    let mut seen = false;
    for (width, height) in [(61, 20), (120, 40), (70, 10), (80, 24)].into_iter().cycle() {
        let lines = terminal.lines();
        seen |= lines
            .iter()
            .any(|line| ["Listing ", "Listed ", "Reading ", "Stor"].iter().any(|what| line.starts_with(what)));
        if lines.contains(&end) {
            break;
        }
        terminal.resize(width, height);
        std::thread::sleep(Duration::from_millis(60));
    }
    assert!(seen, "nothing moved");
    let lines = terminal.end();
    assert_no_debris(&lines);
    let told: Vec<&String> = lines.iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(told.len(), 2, "{lines:#?}");
    assert!(told.iter().all(|line| line.contains(" complete: ") && line.contains(" stored, ")), "{lines:#?}");

    terminal.resize(80, 24);
    let lines = terminal.run(&format!("clusterlore index --from {EXAMPLES} --replace-source -q"));
    assert_eq!(lines, [""; 0], "quiet");
    let lines = terminal.run(&format!("clusterlore index --from {EXAMPLES} --progress lines"));
    assert!(lines.iter().any(|line| line.starts_with("Listing instances (58 of 58)")), "{lines:#?}");
    let lines = terminal.run(&format!("TERM=dumb clusterlore index --from {EXAMPLES}"));
    assert!(lines.iter().any(|line| line.starts_with("Listing instances (58 of 58)")), "{lines:#?}");
}

#[test]
fn a_table_fits_the_screen() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    for (width, height) in [(80, 24), (120, 40), (100, 24)] {
        terminal.resize(width, height);
        for question in ["deployments", "databases", "what stops a chairlift in a storm?", "who sells tickets"] {
            for more in ["", " -o wide", " --sort-by name"] {
                let lines = terminal.run(&format!("clusterlore search \"{question}\" --limit 10{more}"));
                terminal.assert_fits(&lines);
                assert!(lines.len() <= 14, "{} lines: {lines:#?}", lines.len());
                assert!(lines[0].starts_with("KIND "), "{lines:#?}");
            }
        }
        let lines = terminal.run("clusterlore search certificates --collection capabilities");
        terminal.assert_fits(&lines);
        assert!(lines[0].starts_with("TYPE ") && lines.len() <= 14, "{lines:#?}");
    }
    // Names are whole, however narrow it is.
    terminal.resize(40, 24);
    let lines = terminal.run("clusterlore search databases --limit 3");
    assert!(lines.iter().any(|line| line.ends_with("workorders") || line.contains("workorders ")), "{lines:#?}");
    // A terminal that does not tell its size is none; COLUMNS says it.
    terminal.resize(120, 40);
    let lines = terminal.run("stty cols 0 rows 0; clusterlore search databases -o wide --limit 3");
    assert!(lines.iter().any(|line| line.contains("API VERSION") && line.contains("LABELS")), "{lines:#?}");
    let lines = terminal.run("COLUMNS=60 clusterlore search databases --limit 3");
    assert!(lines.iter().all(|line| line.chars().count() <= 60) && lines.len() > 3, "{lines:#?}");
}

#[test]
fn the_demo_is_a_screen_or_two_and_is_asked_on() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    for (width, height) in [(80, 24), (120, 40)] {
        terminal.resize(width, height);
        let lines = terminal.run("clusterlore demo");
        let told: Vec<String> = lines.iter().filter(|line| !line.starts_with("$ ")).cloned().collect();
        terminal.assert_fits(&told);
        assert_no_debris(&lines);
        assert!(lines.len() <= 48, "{} lines: {lines:#?}", lines.len());
        assert!(lines.iter().any(|line| line.contains("MariaDB · relational database")), "{lines:#?}");
        // What it says to type next works.
        let next: Vec<&String> = lines.iter().filter(|line| line.starts_with("  clusterlore search ")).collect();
        let lines = terminal.run(next[0]);
        terminal.assert_fits(&lines);
        assert!(lines[0].starts_with("KIND ") && (3..=14).contains(&lines.len()), "{lines:#?}");
    }
}

#[test]
fn the_picker_narrows_as_one_types() {
    let home = Home::new();
    home.run(&["demo", "-q"]).ok();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    for (width, height) in [(80, 24), (120, 40)] {
        terminal.resize(width, height);
        terminal.start("clusterlore search --demo --pick | sed 's/^/picked: /'");
        terminal.wait(|lines| lines.iter().any(|line| line.contains("Type a question")));
        terminal.keys("deploy");
        let many = terminal.wait(|lines| lines.iter().filter(|line| line.contains("Deployment ")).count() > 5);
        terminal.keys("ments in fares");
        let lines = terminal.wait(|lines| {
            lines[0] == "> deployments in fares"
                && lines.iter().filter(|line| line.contains("Deployment ")).count() == 3
        });
        terminal.assert_fits(&many);
        terminal.assert_fits(&lines);
        assert!(lines.len() == height && lines[height - 1].contains("Enter pick"), "{lines:#?}");
        // One that is narrower than any table, and one that is low.
        for (width, height) in [(30, 12), (60, 5), (width, height)] {
            terminal.resize(width, height);
            let lines = terminal.wait(|lines| lines.len() == height && lines.last().unwrap().starts_with("↑↓ choose"));
            terminal.assert_fits(&lines);
            assert!(lines.iter().any(|line| line.starts_with("> Deployment")), "{lines:#?}");
        }
        terminal.control(&["send-keys", "Down", "Tab"]);
        let lines = terminal.wait(|lines| lines.iter().any(|line| line.contains("Not read from the cluster")));
        let chosen = lines[0].strip_prefix("Deployment ").unwrap().to_owned();
        assert!(lines.contains(&format!("  kubectl -n fares get deployment/{chosen}")), "{lines:#?}");
        assert!(lines.contains(&"  team=fares".to_owned()), "{lines:#?}");
        terminal.control(&["send-keys", "Escape"]);
        terminal.wait(|lines| lines.iter().any(|line| line.starts_with("> Deployment") && line.contains(&chosen)));
        terminal.control(&["send-keys", "Enter"]);
        let lines = terminal.end();
        let shown: Vec<&String> = lines.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(shown, [&format!("picked: deployment.apps/{chosen}")], "nothing of it is left");
        // What is typed before the first answer is there is answered too.
        terminal.start("clusterlore search --demo --pick granite -o id");
        terminal.control(&["send-keys", "Enter"]);
        let lines = terminal.end();
        assert!(lines.contains(&"datastores/apps/v1/StatefulSet/granite".to_owned()), "{lines:#?}");
    }
}

#[test]
fn the_terminal_is_given_back_however_the_picker_ends() {
    let home = Home::new();
    home.run(&["demo", "-q"]).ok();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    let modes = terminal.run("stty -a");
    for (end, status) in [("Escape", 1), ("C-c", 1), ("TERM", 143), ("INT", 130)] {
        terminal.start("clusterlore search --demo --pick databases; echo status $?");
        terminal.wait(|lines| lines.iter().any(|line| line.contains("PostgreSQL")));
        match end {
            "TERM" | "INT" => {
                let pane = terminal.control(&["display-message", "-p", "#{pane_pid}"]).stdout;
                let shell = String::from_utf8(pane).unwrap();
                let killed =
                    Command::new("pkill").args([&format!("-{end}"), "-P", shell.trim(), "clusterlore"]).status();
                assert!(killed.unwrap().success());
            }
            key => drop(terminal.control(&["send-keys", key])),
        }
        let lines = terminal.end();
        assert!(lines.contains(&format!("status {status}")), "{end}: {lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("PostgreSQL")), "{end}: {lines:#?}");
        assert_eq!(terminal.run("stty -a"), modes, "{end}");
    }
    // NO_COLOR, and a terminal that can do nothing but write.
    terminal.start("NO_COLOR=1 clusterlore search --demo --pick databases");
    terminal.wait(|lines| lines.iter().any(|line| line.contains("PostgreSQL")));
    let escapes = terminal.control(&["capture-pane", "-p", "-e"]).stdout;
    assert!(!escapes.contains(&0x1b), "{}", String::from_utf8_lossy(&escapes));
    terminal.control(&["send-keys", "Escape"]);
    terminal.end();
    for (without, said) in [("TERM=dumb", "TERM is \"dumb\""), ("setsid -w", "os error 6")] {
        let lines = terminal.run(&format!("{without} clusterlore search --demo --pick databases; echo status $?"));
        let told = lines.iter().find(|line| line.contains("--pick needs a terminal")).unwrap_or(&lines[0]);
        assert!(told.contains("or search without --pick") && told.contains(said), "{lines:#?}");
        assert!(lines.contains(&"status 1".to_owned()), "{lines:#?}");
    }
}

#[test]
fn a_cluster_is_forgotten_after_a_yes() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    for (typed, said, status) in [
        ("no", "Nothing was deleted.", 0),
        ("", "Nothing was deleted.", 0),
        ("yes please", "Nothing was deleted.", 0),
        ("C-c", "Stopped by SIGINT: nothing was changed.", 130),
        ("YES", "Forgot cluster \"examples\": 73 objects, 65 resource types, ", 0),
    ] {
        terminal.start("clusterlore clusters forget examples; echo status $?");
        let ended = |lines: &[String]| lines.iter().any(|line| line.starts_with("end-"));
        let asked = terminal.wait(|l| l.iter().any(|line| line.contains("Type yes to delete")) && !ended(l));
        assert!(asked.iter().any(|line| line.contains("73 objects of 25 types")), "{asked:#?}");
        match typed {
            "C-c" => drop(terminal.control(&["send-keys", typed])),
            typed => {
                terminal.keys(typed);
                terminal.control(&["send-keys", "Enter"]);
            }
        }
        let lines = terminal.end();
        assert!(lines.iter().any(|line| line.contains(said)), "{typed}: {lines:#?}");
        assert!(lines.contains(&format!("status {status}")), "{typed}: {lines:#?}");
        let left = home.run(&["clusters", "-o", "name"]).ok().out;
        assert_eq!(left, if said.starts_with("Forgot") { "" } else { "examples\n" }, "{typed}");
    }
    // Where nobody sees the question nothing is asked.
    home.run(&["index", "--from", EXAMPLES]).ok();
    let lines = terminal.run("clusterlore clusters forget examples < /dev/null; echo status $?");
    assert!(
        lines.iter().any(|line| line.contains("add --yes")) && lines.contains(&"status 2".to_owned()),
        "{lines:#?}"
    );
}

/// What the cluster prints of what is opened, and why it does not where it is silent.
#[test]
fn what_is_opened_is_told_with_what_the_cluster_prints_now() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default, annotations: {description: \"a \\u001b[2J\\u202e \
         postgres://me:s3cret@db\"}}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: \
         web}}, spec: {containers: [{name: c, image: registry.example/web:1}]}}\n",
    );
    let home = Home::new();
    let config = server.kubeconfig("admin");
    let config = config.to_str().unwrap();
    home.run(&["sync-instances", "--kubeconfig", config]).ok();
    // Takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = std::fs::read_to_string(config).unwrap();
    let text = text.replace(server.url(), &format!("https://{}", silent.local_addr().unwrap()));
    let silent_config = home.write("silent", &text);
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    for (config, now) in [(config, "  READY: 0/2"), (silent_config.to_str().unwrap(), "  Not read from the cluster: ")]
    {
        terminal.start(&format!("clusterlore --kubeconfig {config}"));
        terminal.wait(|lines| lines.iter().any(|line| line.contains("Type a question")));
        terminal.keys("deploy/web");
        terminal.wait(|lines| lines.iter().any(|line| line.starts_with("> Deployment")));
        terminal.control(&["send-keys", "Enter"]);
        let opened = Instant::now();
        let first = terminal.wait(|lines| lines[0] == "Deployment web");
        assert!(first.iter().any(|line| line.contains("kubectl") && line.contains("/web")), "{first:#?}");
        let lines = terminal.wait(|lines| lines.iter().any(|line| line.starts_with(now)));
        assert!(opened.elapsed() < Duration::from_secs(5), "{:?}: {lines:#?}", opened.elapsed());
        let told = lines.iter().find(|line| line.contains("postgres://")).unwrap();
        assert!(told.contains("\\u{1b}[2J\\u{202e}") && !told.contains("s3cret"), "{told}");
        terminal.assert_fits(&lines);
        terminal.control(&["send-keys", "C-c"]);
        terminal.end();
    }
}

#[test]
fn the_program_alone_offers_the_ways_in_and_then_the_picker() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    let lines = terminal.run("clusterlore");
    terminal.assert_fits(&lines);
    for way in ["  clusterlore index ", "  clusterlore demo "] {
        assert!(lines.iter().any(|line| line.starts_with(way)) && lines.len() < 10, "{lines:#?}");
    }
    home.run(&["index", "--from", EXAMPLES]).ok();
    terminal.start("clusterlore");
    terminal.wait(|lines| lines.iter().any(|line| line.contains("Type a question")));
    terminal.keys("pods in fares");
    terminal.wait(|lines| lines.iter().any(|line| line.starts_with("> Pod")));
    terminal.control(&["send-keys", "Enter"]);
    terminal.wait(|lines| lines.iter().any(|line| line.contains(" logs pod/marmot-")));
    terminal.control(&["send-keys", "Down", "Down", "Down", "Enter"]);
    let lines = terminal.end();
    assert!(lines.iter().any(|line| line.starts_with("kubectl -n fares logs pod/marmot-")), "{lines:#?}");
    // Elsewhere it is the help.
    let lines = terminal.run("clusterlore 2>&1 | head -3");
    assert!(lines[0].starts_with("Ask a Kubernetes cluster"), "{lines:#?}");
}

#[test]
fn what_is_longer_than_the_screen_goes_through_a_pager() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let Some(mut terminal) = Terminal::open(&home, 80, 24) else { return };
    home.write("pager", "#!/bin/sh\nsed 's/^/paged: /'\n");
    let pager = home.path("pager");
    let mut command = Command::new("chmod");
    assert!(command.arg("+x").arg(&pager).status().unwrap().success());
    let pages = |lines: &[String]| lines.iter().filter(|line| line.starts_with("paged: ")).count();
    let long = "clusterlore search --kind deploy,svc,cm --limit 60";
    let lines = terminal.run(&format!("PAGER={} {long}", pager.display()));
    assert!(pages(&lines) >= 24, "{lines:#?}");
    for whole in [
        format!("PAGER={} {long} --no-pager", pager.display()),
        format!("PAGER= {long}"),
        format!("PAGER=no-such-pager {long} 2>&1"),
        format!("PAGER={} {long} | cat", pager.display()),
        format!("PAGER={} clusterlore search databases", pager.display()),
    ] {
        let lines = terminal.run(&whole);
        assert!(pages(&lines) == 0 && lines.iter().any(|line| line.starts_with("KIND")), "{whole}: {lines:#?}");
    }
}
