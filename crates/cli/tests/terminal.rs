//! What came from outside reaches no terminal as it came: hostile names, labels, descriptions, questions and files through every command
//! and every format, piped and under a terminal.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::process::Stdio;

use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::{Home, Ran};
use serde_json::{Value, json};

/// Colours, titles, clearing, moving, bells, bidi, zero width, tags, line ends; each part can be told from what the program writes itself.
const HOSTILE: &str = "e\u{1b}[38;5;99m\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}31m\u{9d}8;;x\u{9c}\u{7f}\u{202e}gnp\u{2066}\u{200b}\u{200f}\u{61c}\u{feff}\u{2028}\u{e0041}\u{ad}l\rerror: fake\nerror: faked\tx";

/// One object; labels and descriptions are hostile, and what has to be a name ends in `marker`.
fn manifest(kind: &str, name: &str, marker: &str) -> String {
    let (text, named) = (|what: &str| format!("{what}{HOSTILE}"), |what: &str| format!("{what}{marker}"));
    json!({
        "apiVersion": if kind == "Pod" { "v1" } else { "evil.example/v1" }, "kind": kind,
        "metadata": {
            "name": named(name), "namespace": named("shop"), "uid": text(name),
            "labels": {"app": text("database"), text("key"): "x"},
            "annotations": {"description": text("database of fares ")},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": named("Owner"), "name": named("owner"), "uid": text("o"), "controller": true}]
        }
    })
    .to_string()
}

/// A home whose folder and files are hostile.
fn home() -> Home {
    let home = Home::new();
    let folder = format!("m{}", HOSTILE.replace('/', ""));
    home.write(&format!("{folder}/pods.json"), &manifest("Pod", "pod", "-plain"));
    home.write(&format!("{folder}/named.json"), &manifest("Pod", "named", HOSTILE));
    home.write(&format!("{folder}/other.json"), &manifest("Widget", "widget", "-plain"));
    home.write(&format!("{folder}/broken{folder}.yaml"), &format!("kind: [\"{HOSTILE}"));
    home.write(
        &format!("{folder}/nameless.json"),
        &json!({"apiVersion": "v1", "kind": HOSTILE, "metadata": {}}).to_string(),
    );
    std::os::unix::fs::symlink(&folder, home.path("m")).unwrap();
    home
}

/// Fills `e.db`. No folder and no API server gives an object a hostile name, but a file of another program may.
fn index(home: &Home) {
    const MARKER: &str = "markedmarkedmarked";
    home.write("marked/pods.json", &manifest("Pod", "pod", MARKER));
    home.write("marked/other.json", &manifest("Widget", "widget", MARKER));
    home.run(&["sync-instances", "--from", "marked", "--store", "sqlite:marked.db"]).ok();
    let plain = home.run(&["export", "-", "--store", "sqlite:marked.db"]).ok().out;
    let escaped = json!(HOSTILE).to_string();
    let hostile = plain.replace(MARKER, &escaped[1..escaped.len() - 1]);
    assert!(hostile.matches("38;5;99m").count() > 10, "{hostile}");
    home.write("hostile.jsonl", &hostile);
    check(home, &["import", "hostile.jsonl", "--store", "sqlite:e.db"]);
}

/// What a terminal obeys or hides, written here once more and by other means than in the program.
fn is_harmless(c: char) -> bool {
    let code = u32::from(c);
    let controls = code < 0x20 && c != '\n' || (0x7f..0xa0).contains(&code);
    let formats = [0xad, 0x61c, 0xfeff].contains(&code)
        || [0x200b..=0x200f, 0x2028..=0x202e, 0x2060..=0x206f, 0xe0000..=0xe0fff].iter().any(|r| r.contains(&code));
    !controls && !formats
}

#[track_caller]
fn assert_harmless(args: &[&str], bytes: &[u8], what: &str) {
    let text = std::str::from_utf8(bytes).unwrap();
    let bad: String = text.chars().filter(|c| !is_harmless(*c)).collect();
    assert!(bad.is_empty(), "{args:?}: {bad:?} in {what}: {text:?}");
    let faked = text.lines().find(|l| l.starts_with("error: fake"));
    assert_eq!(faked, None, "{args:?}: a name makes a line of its own");
}

/// Takes away what the program itself sends a terminal: colours and the progress bar's movements.
fn without_own(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n");
    let mut left = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        left.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(after.len());
        let (numbers, command) = (&after[..end], after[end..].chars().next());
        let own = match command {
            Some('m') => ["", "0", "1", "31", "32", "33", "39", "22"].contains(&numbers),
            Some('K') => ["", "2"].contains(&numbers),
            Some('A' | 'B') => numbers.parse().is_ok_and(|lines: u8| lines < 5),
            _ => false,
        };
        if !own {
            left.push_str("\u{1b}[");
            rest = after;
            continue;
        }
        rest = &after[end + 1..];
    }
    left.push_str(rest);
    // The bar is drawn again from the beginning of its line.
    left.replace('\r', "").into_bytes()
}

fn check(home: &Home, args: &[&str]) -> Ran {
    let output = home.command(args).output().unwrap();
    assert_harmless(args, &output.stdout, "standard output");
    assert_harmless(args, &output.stderr, "standard error");
    if let Some(shown) = home.on_terminal(args) {
        assert!(!shown.is_empty() || output.stdout.is_empty(), "{args:?} shows nothing under a terminal");
        assert_harmless(args, &without_own(&shown), "what a terminal gets");
    }
    let ran = Ran::of(output);
    assert!([0, 1, 2, 3].contains(&ran.status), "{args:?}: {ran:?}");
    ran
}

#[test]
fn hostile_texts_through_every_command_and_format() {
    let home = home();
    index(&home);
    let synced = check(&home, &["sync-instances", "--from", "m", "--store", "sqlite:e.db", "--cluster-name", "synced"]);
    assert!(synced.status == 3 && synced.counts().len() == 4, "it reads hostile files, some broken: {}", synced.err);
    let store = ["--store", "sqlite:e.db"];
    let with = |args: &[&str]| check(&home, &[args, &store[..]].concat());
    for args in [
        &["sync-instances", "--from", "m", "--dry-run", "--cluster-name", "new", "-vv"][..],
        &["sync-instances", "--from", "m", "-o", "json", "--cluster-name", "synced"],
        &["index", "--from", "m", "--cluster-name", "east"],
        &["sync", "--from", "m", "--only", HOSTILE],
        &["sync", "--from", "m", "--dry-run", "--cluster-name", "west"],
        &["sync-instances", "--from", HOSTILE],
        &["sync-instances", "--kubeconfig", HOSTILE],
    ] {
        with(args);
    }
    let mut seen = 0;
    for format in ["table", "json", "yaml", "name"] {
        for args in [
            &["search", "pods", "--explain"][..],
            &["search", "database", "--explain"],
            &["search", "database of fares", "-n", &format!("shop{HOSTILE}")],
            &["search", "widgets", "--collection", "capabilities", "--explain"],
            &["search", HOSTILE],
            &["search", "database", "--count"],
            &["search", "how many pods"],
            &["count", "database", "--group-by", "namespace"],
            &["count", "--group-by", "owner"],
            &["count", "--group-by", "kind"],
            &["count", "--group-by", "label:app"],
            &["count", "--group-by", &format!("label:key{HOSTILE}")],
            &["similar", &format!("shop{HOSTILE}/v1/Pod/pod{HOSTILE}")],
            &["similar", &format!("pod/{HOSTILE}")],
            &["status"],
            &["doctor", "--context", HOSTILE],
            &["config", "show", "--context", HOSTILE, "--catalogue", HOSTILE],
        ] {
            let args = if args[0] == "config" {
                [args, &["-o", format]].concat()
            } else {
                [args, &["-o", format], &store[..]].concat()
            };
            seen += usize::from(check(&home, &args).out.contains(if format == "json" { r"\u001b[38" } else { "1b" }));
        }
    }
    assert!(seen > 20, "the hostile names come out of few of the commands: {seen}");
    for args in [
        &["search", "x", "--kind", HOSTILE][..],
        &["search", "x", "-l", HOSTILE],
        &["search", "x", "--collection", HOSTILE],
        &["search", "x", &format!("--{HOSTILE}")],
        &["search", "--batch", HOSTILE],
        &[HOSTILE],
        &["status", HOSTILE],
        &["search", "x", "--limit", HOSTILE],
        &["search", "x", "--embedder", HOSTILE],
        &["import", HOSTILE],
        &["export", "-"],
        &["export", HOSTILE],
        &["export", &format!("nowhere{HOSTILE}/x")],
        &["search", "x", "--config", HOSTILE],
    ] {
        with(args);
    }
    home.write("bad.toml", &format!("{} = \"x\"\n", json!(HOSTILE)));
    check(&home, &["status", "--config", "bad.toml"]);
    home.write("bad.jsonl", &format!("{{\"header\": {{\"version\": 1}}}}\n{{\"collection\": {{\"name\": {}, \"embedder\": {{\"name\": \"a\", \"dimensions\": 1}}}}}}\n", json!(HOSTILE)));
    with(&["import", "bad.jsonl"]);
    home.write("q.jsonl", &json!({"id": HOSTILE, "q": "pods"}).to_string());
    let batch = with(&["search", "--batch", "q.jsonl"]);
    let answer: Value = serde_json::from_str(&batch.out).unwrap();
    assert!(
        answer["id"] == HOSTILE && answer["hits"].to_string().contains(&json!(HOSTILE).to_string()[1..20]),
        "{answer}"
    );
}

#[test]
fn programs_read_the_exact_names_and_an_export_brings_them_back() {
    let home = home();
    index(&home);
    let of = |store: &str| {
        let json = home.run(&["search", "pods", "-o", "json", "--store", store]).ok().out;
        let yaml = home.run(&["search", "pods", "-o", "yaml", "--store", store]).ok().out;
        let hits: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), hits);
        hits
    };
    let hits = of("sqlite:e.db");
    let names: Vec<&str> = hits["hits"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap()).collect();
    assert!(names.contains(&format!("pod{HOSTILE}").as_str()), "{names:?}");
    assert_eq!(hits["hits"][0]["labels"]["app"], format!("database{HOSTILE}"));
    home.run(&["export", "e.jsonl", "--store", "sqlite:e.db"]).ok();
    home.run(&["import", "e.jsonl", "--store", "sqlite:f.db"]).ok();
    assert_eq!(of("sqlite:f.db"), hits);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_api_server_says_is_shown_without_its_escapes() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let config = server.kubeconfig().to_str().unwrap().to_owned();
    server.fault("*", Fault::forbidden());
    check(&home, &["sync-instances", "--kubeconfig", &config, "-vv"]);
    // A context, a user and a server with names of their own.
    let text = std::fs::read_to_string(&config).unwrap().replace("fake\n", "\"\\e[38;5;99m\\u202efake\"\n");
    home.write("hostile.yaml", &text);
    check(&home, &["doctor", "--kubeconfig", "hostile.yaml", "--context", "nowhere"]);
    check(&home, &["sync-instances", "--kubeconfig", "hostile.yaml"]);
}

#[test]
fn what_is_shown_as_a_reason_is_short() {
    let home = Home::new();
    let long = "x".repeat(100_000);
    home.write("m/a.yaml", &format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\n  namespace: shop\n  annotations: {{description: \"Harbour fee table. {long}\"}}\n"));
    home.sync_from(&home.path("m")).ok();
    for (args, most) in [(&["search", "harbour fee"][..], 300), (&["search", "harbour fee", "--explain"], 600)] {
        let ran = home.run(args).ok();
        assert!(ran.out.contains("Harbour fee table") && ran.out.len() < most, "{}", ran.out.len());
    }
    let reply: Value = serde_json::from_str(&home.run(&["search", "harbour fee", "-o", "json"]).ok().out).unwrap();
    let hit = &reply["hits"];
    assert!(
        hit[0]["description"].as_str().unwrap().len() > 100_000
            || hit[0]["description"].as_str().unwrap().contains("Harbour")
    );
    assert!(hit[0]["matched"].as_array().unwrap().iter().all(|why| why.as_str().unwrap().len() < 300));
}

#[test]
fn a_reader_that_goes_away_is_no_error_anywhere() {
    let home = home();
    index(&home);
    for args in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["--help"],
        &["help", "search"],
        &["--version"],
        &["search", "database", "-o", "json", "--store", "sqlite:e.db"],
        &["search", "database", "-o", "yaml", "--store", "sqlite:e.db"],
        &["status", "--store", "sqlite:e.db"],
        &["export", "-", "--store", "sqlite:e.db"],
        &["config", "show"],
        &["count", "--store", "sqlite:e.db"],
    ] {
        // The reading end is closed before the program starts.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = home.command(args).stdout(Stdio::from(writer)).output().unwrap();
        let ran = Ran::of(ran);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{args:?}");
    }
}

/// Whatever is printed goes through `cli/print`, which no other file can go round.
#[test]
fn nothing_else_writes_to_standard_output_or_standard_error() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if ["tests", "examples", "target", "data"]
                    .contains(&path.file_name().unwrap().to_str().unwrap()) => {}
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == "rs") => files.push(path),
                false => {}
            }
        }
    }
    assert!(files.len() > 100, "{}", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        if path.ends_with("build.rs") && !path.to_string_lossy().contains("/src/")
            || path.to_string_lossy().contains("cli/src/print/")
        {
            continue;
        }
        // Tests may say that they skip.
        let code = text.split("#[cfg(test)]").next().unwrap().replace("stderr().is_terminal()", "");
        for door in [
            "println!",
            "print!",
            "eprint",
            "dbg!",
            "stdout()",
            "stderr()",
            "anstream::",
            "ProgressBar",
            "/dev/tty",
            "tracing_subscriber::",
        ] {
            assert!(!code.contains(door), "{} writes by {door}; only cli/print may", path.display());
        }
    }
}

#[test]
fn nothing_is_written_when_the_disk_behind_standard_output_is_full() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let home = home();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = Ran::of(home.command(&["config", "show"]).stdout(full).output().unwrap());
    insta::assert_snapshot!("standard-output-full", home.stable(ran.error()));
}
