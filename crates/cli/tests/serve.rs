//! `serve` as a process: it serves, keeps what was posted through kill -9, ends when it is told to, and is not open by mistake.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::serving::Serving;
use common::{EXAMPLES, Home};

fn post(n: usize) -> String {
    format!(
        r#"{{"upserts":[{{"id":"shop/v1/ConfigMap/thing-{n}","namespace":"shop","name":"thing-{n}","kind":"ConfigMap","apiVersion":"v1","apiGroup":"","createdAt":"2026-02-20T10:00:00Z","labels":null,"annotations":null}}],"deletes":null}}"#
    )
}

const SYNC: &str = "/api/v1/instances/sync";

#[test]
fn it_answers_as_the_command_line_does() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let serving = Serving::start(&home, &["--no-watch", "--live", "never"]);
    let (status, served) = serving.get("/api/v1/search?q=what+databases+are+running&limit=5");
    let typed =
        home.run(&["search", "what databases are running", "--limit", "5", "-o", "json", "--live", "never"]).ok().out;
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!((status, json(&served)), (200, json(&typed)));
    let (_, served) = serving.get("/api/v1/ask?q=what+databases+are+running&limit=5");
    let typed =
        home.run(&["ask", "what databases are running", "--limit", "5", "-o", "json", "--live", "never"]).ok().out;
    assert_eq!(json(&served)["answer"], json(&typed)["answer"]);
}

#[test]
fn what_it_took_survives_kill_and_sigterm_ends_it_well() {
    let home = Home::new();
    for round in 0..3 {
        let mut serving = Serving::start(&home, &["--no-watch", "--live", "never"]);
        for n in 0..40 {
            let (status, _) = serving.send("POST", SYNC, "", &post(round * 40 + n));
            assert_eq!(status, 200);
        }
        assert_eq!(serving.end("-KILL"), None);
    }
    let mut serving = Serving::start(&home, &["--no-watch", "--live", "never"]);
    let began = Instant::now();
    let there = |n: usize| serving.get(&format!("/api/v1/instances/shop/v1/ConfigMap/thing-{n}")).0 == 200;
    while !(0..120).all(there) {
        assert!(began.elapsed() < Duration::from_secs(60), "posts were lost");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(serving.end("-TERM"), Some(0));
}

#[test]
fn tokens_are_made_and_let_in() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let token = |args: &[&str]| home.run(&[&["token"], args, &["--tokens", "tokens.toml"]].concat());
    let ann = token(&["ann", "--see-namespace", "fares"]).ok().out.trim().to_owned();
    let all = token(&["all", "--see-all"]).ok().out.trim().to_owned();
    let text = std::fs::read_to_string(home.path("tokens.toml")).unwrap();
    assert!(ann.len() == 64 && !text.contains(&ann), "{text}");
    // One of that name is there, and one for nothing is not made.
    assert_eq!(token(&["ann", "--see-all"]).status, 1);
    assert_eq!(token(&["bob"]).status, 2);
    assert_eq!(std::fs::read_to_string(home.path("tokens.toml")).unwrap(), text);

    let serving = Serving::start(&home, &["--no-watch", "--tokens", "tokens.toml"]);
    let documents = |token: &str| {
        let (status, text) = serving.send("GET", "/api/v1/status", token, "");
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        (status, told["collections"][0]["documents"].as_u64().unwrap_or_default())
    };
    let (few, many) = (documents(&ann), documents(&all));
    assert!((few.0, many.0) == (200, 200) && 0 < few.1 && few.1 < many.1, "{few:?} {many:?}");
    assert_eq!((documents("").0, documents("nobody").0), (401, 401));
}

/// A certificate of its own for 127.0.0.1, in two files.
fn certificate(home: &Home, name: &str) -> (String, String) {
    let (cert, key) = (home.path("tls.crt"), home.path("tls.key"));
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            &key,
        ])
        .args(["-out", &cert, "-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (cert, key)
}

/// What a TLS client is told, and whose certificate it sees; the certificate is checked.
fn over_tls(address: &str, ca: &str) -> (bool, String) {
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", address, "-CAfile", ca, "-verify_return_error", "-ign_eof"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _ = client.stdin.take().unwrap().write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let told = client.wait_with_output().unwrap();
    (told.status.success(), String::from_utf8_lossy(&told.stdout).into_owned())
}

#[test]
fn it_speaks_tls_and_takes_a_new_certificate_while_it_runs() {
    let home = Home::new();
    let (cert, key) = certificate(&home, "first");
    let serving = Serving::start(&home, &["--no-watch", "--live", "never", "--tls-cert", &cert, "--tls-key", &key]);
    let (fine, told) = over_tls(&serving.address, &cert);
    assert!(fine && told.contains("{\"status\":\"ok\"}") && told.contains("CN = first"), "{told}");
    // Half a pair is no pair: the old one stays.
    std::fs::write(home.path("tls.key"), "nonsense").unwrap();
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(over_tls(&serving.address, &cert).1.contains("CN = first"));
    certificate(&home, "second");
    std::thread::sleep(Duration::from_millis(1_100));
    let (fine, told) = over_tls(&serving.address, &cert);
    assert!(fine && told.contains("CN = second") && told.contains("{\"status\":\"ok\"}"), "{told}");
    // Whoever speaks plain HTTP gets no answer, and harms nobody.
    let mut plain = TcpStream::connect(&serving.address).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    assert!(over_tls(&serving.address, &cert).0);
    let ran = home.run(&["serve", "--tls-cert", "missing.crt", "--tls-key", &key]);
    assert!(ran.status == 1 && ran.err.contains("missing.crt"), "{}", ran.err);
}

#[test]
fn it_is_not_open_to_others_by_mistake() {
    let home = Home::new();
    for (args, told) in [
        (&["--listen", "0.0.0.0:0"][..], "without --auth whoever reaches 0.0.0.0:0 would see everything"),
        (&["--listen", "[::]:0", "--auth", "none"], "would see everything"),
        (&["--auth", "token"], "--tokens FILE"),
        (&["--auth", "none", "--tokens", "x"], "x cannot be used"),
        (&["--audience", "a"], "--audience is about --auth kubernetes"),
        (&["--auth", "token", "--tokens", "missing.toml"], "missing.toml cannot be used"),
    ] {
        let ran = home.run(&[&["serve"], args].concat());
        assert!(ran.status != 0 && ran.err.contains(told), "{args:?}: {}", ran.err);
    }
    assert!(!home.store().exists() || home.run(&["status"]).status == 0);
}

#[test]
fn two_servers_do_not_share_what_waits() {
    let home = Home::new();
    let _serving = Serving::start(&home, &["--no-watch", "--live", "never"]);
    let second = home.run(&["serve", "--listen", "127.0.0.1:0", "--no-watch", "--live", "never"]);
    assert_eq!(second.status, 1);
    assert!(second.err.contains("another \"clusterlore serve\""), "{}", second.err);
}
