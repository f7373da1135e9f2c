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

#[test]
fn an_owner_outside_what_a_caller_may_see_has_no_name() {
    let home = Home::new();
    home.write(
        "manifests/a.yaml",
        "apiVersion: v1\nkind: Node\nmetadata: {name: secret-node-7, uid: n7}\n---\napiVersion: v1\nkind: Pod\n\
         metadata: {name: broker-0, namespace: open, ownerReferences: [{apiVersion: v1, kind: Node, name: secret-node-7, uid: n7, controller: true}]}\n\
         ---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: cache, namespace: open, uid: s1}\n---\napiVersion: v1\nkind: Pod\n\
         metadata: {name: cache-0, namespace: open, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: cache, uid: s1, controller: true}]}\n",
    );
    home.run(&["index", "--from", home.path("manifests").to_str().unwrap()]).ok();
    let token = |args: &[&str]| home.run(&[&["token"], args, &["--tokens", "tokens.toml"]].concat()).ok().out;
    let (ann, all) = (token(&["ann", "--see-namespace", "open"]), token(&["all", "--see-all"]));
    let serving = Serving::start(&home, &["--no-watch", "--live", "never", "--tokens", "tokens.toml"]);
    let get = |token: &str, path: &str| serving.send("GET", path, token.trim(), "").1;
    let paths = [
        "/api/v1/count?kind=pod&groupBy=owner",
        "/api/v1/search?q=how+many+pods+per+owner",
        "/api/v1/ask?q=how+many+pods+per+owner",
        "/api/v1/instances/open/v1/Pod/broker-0",
    ];
    for path in paths {
        assert!(!get(&ann, path).contains("secret-node-7"), "{path}: {}", get(&ann, path));
        assert!(get(&all, path).contains("secret-node-7"), "{path}: {}", get(&all, path));
    }
    // Of one that is within it has.
    assert!(get(&ann, paths[0]).contains("StatefulSet/cache"), "{}", get(&ann, paths[0]));
    assert!(get(&ann, "/api/v1/instances/open/v1/Pod/cache-0").contains("StatefulSet"));
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
        (&["--oidc-issuer", "https://login.example.org"], "--oidc-issuer is about --auth kubernetes"),
        (
            &["--auth", "token", "--oidc-issuer", "https://login.example.org"],
            "--oidc-issuer is about --auth kubernetes",
        ),
        (&["--auth", "kubernetes", "--public-url", "https://lore.example.org"], "--oidc-issuer <URL>"),
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

const ISSUER: &str = "https://login.example.org/realms/lore";

#[test]
fn clients_are_told_where_tokens_come_from() {
    let home = Home::new();
    let kubernetes = ["--no-watch", "--live", "never", "--auth", "kubernetes"];
    let told = |serving: &Serving, path: &str| {
        let (status, text) = serving.get(path);
        (status, serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default())
    };
    let challenge = |serving: &Serving, headers: &str| {
        let answer = serving.exchange("GET", "/api/v1/status", headers, "");
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        answer.lines().find_map(|line| line.strip_prefix("www-authenticate: ")).unwrap().to_owned()
    };
    let well_known = "/.well-known/oauth-protected-resource";
    {
        let issuers = ["--oidc-issuer", ISSUER, "--oidc-issuer", "http://localhost:5556/dex"];
        let serving = Serving::start(&home, &[&kubernetes[..], &issuers].concat());
        let url = format!("http://{}", serving.address);
        let expected = serde_json::json!({
            "resource": url,
            "authorization_servers": [ISSUER, "http://localhost:5556/dex"],
            "bearer_methods_supported": ["header"],
            "resource_name": "clusterlore"
        });
        assert_eq!(told(&serving, well_known), (200, expected));
        let metadata = format!("resource_metadata=\"{url}{well_known}\"");
        assert_eq!(challenge(&serving, ""), format!("Bearer realm=\"clusterlore\", {metadata}"));
        for given in ["Bearer nobody", "Digest a=b"] {
            let told = challenge(&serving, &format!("authorization: {given}\r\n"));
            assert_eq!(told, format!("Bearer realm=\"clusterlore\", error=\"invalid_token\", {metadata}"));
        }
        // What a request says of where it goes changes nothing.
        let answer = serving.exchange(
            "GET",
            well_known,
            "x-forwarded-host: evil.example\r\nforwarded: host=evil.example\r\n",
            "",
        );
        assert!(answer.contains(&url) && !answer.contains("evil"), "{answer}");
        assert_eq!(serving.send("POST", well_known, "", "{}").0, 405);
    }
    {
        let public = ["--oidc-issuer", ISSUER, "--public-url", "https://lore.example.org/mcp"];
        let serving = Serving::start(&home, &[&kubernetes[..], &public].concat());
        for (path, status) in
            [("", 200), ("/mcp", 200), ("/mcp/", 200), ("/other", 404), ("/mcp/other", 404), ("x", 401)]
        {
            let (got, metadata) = told(&serving, &format!("{well_known}{path}"));
            assert_eq!(got, status, "{path}");
            assert_eq!(metadata["resource"] == "https://lore.example.org/mcp", status == 200, "{path} {metadata}");
        }
        let expected = format!("resource_metadata=\"https://lore.example.org{well_known}/mcp\"");
        assert!(challenge(&serving, "").ends_with(&expected));
    }
    // Without an issuer there is nothing to tell.
    let serving = Serving::start(&home, &kubernetes);
    assert_eq!(told(&serving, well_known).0, 404);
    assert_eq!(challenge(&serving, ""), "Bearer realm=\"clusterlore\"");
}

#[test]
fn issuers_and_public_addresses_have_to_be_safe_ones() {
    let home = Home::new();
    for wrong in [
        "login.example.org",
        "http://login.example.org",
        "https://login.example.org/?tenant=a",
        "https://login.example.org/#a",
        "https://me:s3cret@login.example.org",
        "",
    ] {
        for args in
            [["--oidc-issuer", wrong, "--public-url", "https://h"], ["--public-url", wrong, "--oidc-issuer", ISSUER]]
        {
            let ran = home.run(&[&["serve", "--auth", "kubernetes"][..], &args].concat());
            assert_eq!(ran.status, 2, "{args:?}: {}", ran.err);
            assert!(ran.err.contains("expected https://HOST") || wrong.is_empty(), "{args:?}: {}", ran.err);
            assert!(!ran.err.contains("s3cret"), "{}", ran.err);
        }
    }
    // What it listens on is no address for clients.
    for address in ["0.0.0.0:0", "[::]:0", "10.1.2.3:8080"] {
        let ran =
            home.run(&["serve", "--no-watch", "--auth", "kubernetes", "--oidc-issuer", ISSUER, "--listen", address]);
        assert!(ran.status == 2 && ran.err.contains("expected --public-url https://HOST"), "{}", ran.err);
    }
}

/// The lines of the audit, as soon as there are so many.
fn audited(serving: &Serving, lines: usize) -> Vec<String> {
    let found =
        || serving.said().lines().filter(|l| l.contains("a call was denied")).map(str::to_owned).collect::<Vec<_>>();
    serving.until(Duration::from_secs(10), || found().len() >= lines);
    found()
}

#[test]
fn whoever_is_refused_is_in_the_log_and_cannot_fill_it() {
    let home = Home::new();
    let token =
        |args: &[&str]| home.run(&[&["token"], args, &["--tokens", "tokens.toml"]].concat()).ok().out.trim().to_owned();
    let ann = token(&["ann", "--see-all"]);
    let serving = Serving::start(&home, &["--no-watch", "--live", "never", "--tokens", "tokens.toml"]);
    // What is allowed has no line.
    assert_eq!(serving.send("GET", "/api/v1/status", &ann, "").0, 200);
    assert_eq!(serving.send("GET", "/api/v1/instances/none/v1/Pod/none", &ann, "").0, 404);
    let cases = [
        ("POST", SYNC, ann.as_str(), 403, "user=\"ann\"", "this credential may not post"),
        ("POST", "/api/v1/resources/sync", &ann, 403, "user=\"ann\"", "this credential may not post"),
        ("POST", "/api/v1/capabilities/scan", &ann, 403, "user=\"ann\"", "this credential may not post"),
        ("POST", SYNC, "s3cret-guess", 401, "", "the token is not known"),
        ("GET", "/api/v1/search?q=s3cret-question", "", 401, "", "a token is needed"),
    ];
    for (n, (method, path, token, status, user, reason)) in cases.into_iter().enumerate() {
        assert_eq!(serving.send(method, path, token, "{}").0, status);
        let line = audited(&serving, n + 1).pop().unwrap();
        let path = format!("path=\"{}\"", path.split('?').next().unwrap());
        let method = format!("method=\"{method}\"");
        for part in ["INFO audit: ", "peer=\"127.0.0.1:", &method, &path, &format!("status={status}"), reason, user] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(line.contains("user="), !user.is_empty(), "{line}");
    }
    assert_eq!(audited(&serving, cases.len()).len(), cases.len());
    assert!(!serving.said().contains("s3cret") && !serving.said().contains(&ann), "{}", serving.said());

    // Who is not known gets twenty lines at once and then one a second, and the others still have theirs.
    let began = Instant::now();
    for _ in 0..300 {
        assert_eq!(serving.send("GET", "/api/v1/status", "guess", "").0, 401);
    }
    let seconds = began.elapsed().as_secs() as usize + 1;
    assert_eq!(serving.send("POST", SYNC, &ann, "{}").0, 403);
    serving.until(Duration::from_secs(10), || audited(&serving, 1).last().unwrap().contains("ann"));
    let lines = audited(&serving, 1);
    assert!((20..=20 + seconds + cases.len()).contains(&lines.len()), "{} lines in {seconds} s", lines.len());
    // The next line says how many had none.
    let untold: usize =
        lines.iter().filter_map(|line| line.split("untold=").nth(1)?.split(' ').next()?.parse::<usize>().ok()).sum();
    assert_eq!(lines.len() + untold, cases.len() + 301, "{untold}");
}

/// Each line as an object; what every line has is checked.
fn objects(said: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
    assert!(said.lines().count() > 0);
    said.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let object = value.as_object().unwrap().clone();
            let at = object["timestamp"].as_str().unwrap();
            assert!(at.parse::<jiff::Timestamp>().is_ok() && at.ends_with('Z'), "{line}");
            assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&object["level"].as_str().unwrap()), "{line}");
            assert!(object["message"].is_string(), "{line}");
            object
        })
        .collect()
}

#[test]
fn each_line_is_a_json_object_where_that_is_asked_for() {
    let home = Home::new();
    home.run(&["token", "ann", "--see-all", "--tokens", "tokens.toml"]).ok();
    let args = ["--no-watch", "--live", "never", "--tokens", "tokens.toml", "--log-format", "json"];
    let mut serving =
        Serving::start_with(&home, "127.0.0.1:0", &args, &[("OTEL_TRACES_EXPORTER", "zipkin"), ("RUST_LOG", "debug")]);
    // What somebody sends cannot break a line, nor a terminal.
    assert_eq!(serving.exchange("GET", "/api/v1/a%22%0a/\u{202e}\"x", "", "").split(' ').nth(1), Some("401"));
    serving.until(Duration::from_secs(10), || serving.said().contains("a call was denied"));
    assert_eq!(serving.end("-TERM"), Some(0));
    serving.until(Duration::from_secs(10), || serving.said().contains("Stopping"));
    let all = objects(&serving.said());
    let one = |part: &str| {
        all.iter().find(|o| o["message"].as_str().unwrap().contains(part)).unwrap_or_else(|| panic!("no {part}"))
    };
    let denied = one("a call was denied");
    assert_eq!(
        (&denied["level"], &denied["target"], &denied["status"]),
        (&"INFO".into(), &"audit".into(), &401.into())
    );
    assert!(denied["reason"].as_str().unwrap().contains("a token is needed") && !denied.contains_key("user"));
    assert!(!serving.said().contains('\u{202e}'));
    assert_eq!(one("Serving on http://")["level"], "INFO");
    assert_eq!(one("traces are not sent: OTEL_TRACES_EXPORTER")["level"], "WARN");
    // What ends it is one too.
    let ran = home.run(&["serve", "--no-watch", "--log-format", "json", "--tokens", "missing.toml"]);
    let all = objects(&ran.err);
    assert_eq!((all.len(), ran.status, &all[0]["level"]), (1, 1, &"ERROR".into()), "{}", ran.err);
    // Text stays what it was.
    let ran = home.run(&["serve", "--no-watch", "--log-format", "text", "--tokens", "missing.toml"]);
    assert!(ran.err.starts_with("error: --tokens: "), "{}", ran.err);
    assert_eq!(home.run(&["serve", "--log-format", "xml"]).status, 2);
}
