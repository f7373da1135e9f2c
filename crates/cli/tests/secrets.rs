//! No password, token or key is printed, logged, or stored, wherever it was set and whatever goes wrong; and what is made is readable by
//! its user alone.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clusterlore_testkit::fake::FakeApiServer;
use clusterlore_testkit::service::FakeService;
use common::{Home, Ran};
use serde_json::{Value, json};

/// A part of every secret below.
const SECRET: &str = "hunter2sw0rdfish";
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// Runs with everything that can be logged, HTTP libraries' and Postgres' own logs too.
fn run(home: &Home, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = home.command(&[args, &["-vv"]].concat());
    command.env("RUST_LOG", "trace").envs(variables.iter().copied());
    let ran = Ran::of(command.output().unwrap());
    assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET), "{args:?} {variables:?}:\n{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("panicked") && ran.status != 70, "{}", ran.err);
    ran
}

/// Nobody listens there.
fn closed() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn addresses_with_passwords_wherever_they_are_set() {
    let home = Home::new();
    let port = closed();
    let addresses = [
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("postgres://u:{SECRET}@127.0.0.1:{port}/d"), 1),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("postgres://u:p@{SECRET}@127.0.0.1:{port}/d"), 2),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("postgres://u:{SECRET}/x@127.0.0.1:{port}/d"), 2),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("postgres://u:p%40{SECRET}@127.0.0.1:{port}/d"), 1),
        (
            "postgres-url",
            "CLUSTERLORE_POSTGRES_URL",
            format!("postgres://127.0.0.1:{port}/d?user=u&password=p@{SECRET}"),
            1,
        ),
        (
            "postgres-url",
            "CLUSTERLORE_POSTGRES_URL",
            format!("postgres://u@127.0.0.1:{port}/d?sslpassword={SECRET}"),
            1,
        ),
        (
            "postgres-url",
            "CLUSTERLORE_POSTGRES_URL",
            format!("postgres://u:{SECRET}@127.0.0.1:{port}/d?sslmode=odd"),
            1,
        ),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("postgres://u:{SECRET}@127.0.0.1:nine/d"), 1),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("postgres://u:{SECRET} x@127.0.0.1:{port}/d"), 1),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("jdbc:postgresql://u:{SECRET}@127.0.0.1/d"), 2),
        ("postgres-url", "CLUSTERLORE_POSTGRES_URL", format!("host=127.0.0.1 user=u password={SECRET}"), 2),
        ("chroma-url", "CLUSTERLORE_CHROMA_URL", format!("http://u:{SECRET}@127.0.0.1:{port}"), 1),
        ("chroma-url", "CLUSTERLORE_CHROMA_URL", format!("http://u:p@{SECRET}@127.0.0.1:{port}"), 2),
        ("chroma-url", "CLUSTERLORE_CHROMA_URL", format!("u:{SECRET}@127.0.0.1:{port}"), 2),
        ("chroma-url", "CLUSTERLORE_CHROMA_URL", format!("http://127.0.0.1:{port}/?token={SECRET}"), 1),
        ("store", "CLUSTERLORE_STORE", format!("postgres://u:{SECRET}@127.0.0.1/d"), 2),
        ("embedder", "CLUSTERLORE_EMBEDDER", format!("openai:m@http://u:{SECRET}@127.0.0.1:{port}/v1"), 2),
        ("embedder", "CLUSTERLORE_EMBEDDER", format!("openai:m@http://127.0.0.1:{port}/v1?key={SECRET}"), 2),
        ("model", "CLUSTERLORE_MODEL", format!("openai:m@http://u:{SECRET}@127.0.0.1:{port}/v1"), 2),
    ];
    home.run(&["sync-instances", "--from", EXAMPLES]).ok();
    for (key, variable, value, status) in &addresses {
        let file = home.write("set.toml", &format!("{key} = {}\n", json!(value)));
        let file = file.to_str().unwrap();
        let flag = format!("--{key}");
        let search: &[&str] = match *key {
            "model" => &["sync", "--from", EXAMPLES, "--inference", "llm"],
            _ => &["search", "database"],
        };
        for ran in [
            run(&home, &[search, &[&flag, value]].concat(), &[]),
            run(&home, search, &[(variable, value)]),
            run(&home, &[search, &["--config", file]].concat(), &[]),
        ] {
            assert_eq!(ran.status, *status, "{key} {value}: {}", ran.err);
        }
        for command in [
            &["status"][..],
            &["doctor"],
            &["doctor", "-o", "json"],
            &["export", "-"],
            &["config", "show"],
            &["config", "show", "-o", "yaml"],
        ] {
            run(&home, &[command, &["--config", file]].concat(), &[]);
            run(&home, command, &[(variable, value)]);
        }
        // In the wrong place on the command line.
        for wrong in [
            &["search", "x", "--limit", value][..],
            &["status", value],
            &[value],
            &["search", "x", &format!("--url={value}")],
        ] {
            run(&home, wrong, &[]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_tokens_that_a_server_repeats() {
    let home = Home::new();
    home.run(&["sync-instances", "--from", EXAMPLES]).ok();
    for status in [401, 400, 404, 500] {
        // Says back everything that it was sent.
        let server = FakeService::start(move |asked| {
            let headers: Vec<String> =
                asked.headers.iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap_or_default())).collect();
            let said = headers.join("; ");
            (status, json!({"error": {"message": said}, "message": said, "detail": said}))
        })
        .await;
        let base = server.base();
        for (args, variables) in [
            (vec!["status", "--chroma-url", &base], vec![("CLUSTERLORE_CHROMA_TOKEN", SECRET)]),
            (
                vec!["status", "--chroma-url", &base],
                vec![("CLUSTERLORE_CHROMA_TOKEN", SECRET), ("CLUSTERLORE_CHROMA_TOKEN_HEADER", "authorization")],
            ),
            (
                vec!["sync", "--from", EXAMPLES, "--store", "sqlite:v.db", "--embedder", "voyage"],
                vec![("VOYAGE_API_KEY", SECRET), ("VOYAGE_BASE_URL", &base)],
            ),
            (
                vec!["sync", "--from", EXAMPLES, "--inference", "llm", "--max-calls", "1"],
                vec![("ANTHROPIC_API_KEY", SECRET), ("ANTHROPIC_BASE_URL", &base)],
            ),
        ] {
            // Five tries with their pauses are too long for a test, and say nothing more.
            if status == 500 && !args.contains(&"--chroma-url") {
                continue;
            }
            assert_ne!(run(&home, &args, &variables).status, 0, "{args:?}");
        }
    }
    for base in
        [format!("http://u:{SECRET}@127.0.0.1:1"), format!("http://127.0.0.1:1/?key={SECRET}"), format!("u:{SECRET}@h")]
    {
        let variables = [
            ("VOYAGE_API_KEY", "k"),
            ("VOYAGE_BASE_URL", base.as_str()),
            ("ANTHROPIC_API_KEY", "k"),
            ("ANTHROPIC_BASE_URL", &base),
        ];
        run(&home, &["sync", "--from", EXAMPLES, "--store", "sqlite:v.db", "--embedder", "voyage"], &variables);
        run(&home, &["doctor", "--model", "anthropic"], &variables);
        run(&home, &["config", "show"], &variables);
    }
    let odd = format!("{SECRET}\u{7}\nx");
    run(&home, &["status", "--chroma-url", "http://127.0.0.1:1"], &[("CLUSTERLORE_CHROMA_TOKEN", &odd)]);
    run(&home, &["doctor", "--embedder", "voyage"], &[("VOYAGE_API_KEY", &odd)]);
}

/// User and password in a server's address, a token, and a proxy's password.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_kubeconfig_and_the_environment_hold() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let text = std::fs::read_to_string(server.kubeconfig()).unwrap().replace("fake-token", SECRET);
    let with_user = |text: &str| text.replace("http://", &format!("http://bob:{SECRET}@"));
    home.write("token.yaml", &text);
    home.write("user.yaml", &with_user(&text));
    let gone = text.replace(&server.url(), &format!("http://127.0.0.1:{}", closed()));
    home.write("gone.yaml", &with_user(&gone));
    let proxy = format!("http://u:{SECRET}@127.0.0.1:{}", closed());
    let proxies = [("HTTPS_PROXY", proxy.as_str()), ("https_proxy", proxy.as_str()), ("HTTP_PROXY", proxy.as_str())];
    home.write("far.yaml", &text.replace(&server.url(), "https://api.invalid:6443"));
    for config in ["token.yaml", "user.yaml"] {
        let store = format!("sqlite:{config}.db");
        for args in [
            &["sync-instances"][..],
            &["status"],
            &["status", "-o", "json"],
            &["status", "-o", "yaml"],
            &["doctor"],
            &["doctor", "-o", "json"],
            &["sync", "-o", "json"],
        ] {
            run(&home, &[args, &["--kubeconfig", config, "--store", &store]].concat(), &[]);
        }
        assert!(
            run(&home, &["export", "-", "--store", &store], &[]).out.contains("127.0.0.1"),
            "the source is exported"
        );
        for file in [format!("{config}.db"), format!("{config}.db-wal")] {
            let bytes = std::fs::read(home.path(&file)).unwrap_or_default();
            assert!(!bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()), "in {file}");
        }
        // Another source than the one that filled the index is named.
        run(&home, &["sync-instances", "--from", EXAMPLES, "--store", &store], &[]);
    }
    for args in [&["sync-instances"][..], &["doctor"]] {
        run(&home, &[args, &["--kubeconfig", "gone.yaml"]].concat(), &[]);
    }
    run(&home, &["doctor", "--kubeconfig", "far.yaml"], &proxies);
}

/// Everything below a folder, with its mode.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.push((path.display().to_string(), std::fs::metadata(&path).unwrap().permissions().mode() & 0o777));
        if path.is_dir() {
            all.extend(modes(&path));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_its_users_alone_under_any_umask() {
    let (home, server) = (Home::new(), clusterlore_testkit::embeddings::FakeEmbeddings::start().await);
    let program = env!("CARGO_BIN_EXE_clusterlore");
    let shell = |line: &str| {
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &format!("umask 000; {line}")])
            .env("XDG_DATA_HOME", home.path("data"))
            .current_dir(home.folder.path());
        Ran::of(command.output().unwrap())
    };
    shell(&format!("{program} index --from {EXAMPLES}")).ok();
    shell(&format!("{program} export out.jsonl && {program} search database -o name")).ok();
    // The service goes away in the middle: what was paid for stays in a file.
    server.script(|number, _| (number > 1).then(|| (400, None, "{}".to_owned())));
    shell(&format!(
        "{program} sync-instances --from {EXAMPLES} --store sqlite:paid.db --embedder openai:m@{}",
        server.url()
    ));
    let data = modes(&home.path("data"));
    assert!(data.iter().any(|(name, _)| name.ends_with(".lock")), "{data:?}");
    assert!(data.iter().any(|(name, _)| name.ends_with(".vectors")), "{data:?}");
    for (name, mode) in data {
        let expected = if Path::new(&name).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{name}");
    }
    assert_eq!(std::fs::metadata(home.path("out.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
    // An index that others can read stays so, and doctor says it.
    std::fs::set_permissions(home.store(), PermissionsExt::from_mode(0o644)).unwrap();
    let doctor: Value = serde_json::from_str(&home.run(&["doctor", "-o", "json"]).out).unwrap();
    let finding = doctor.as_array().unwrap().iter().find(|f| f["check"] == "permissions of the index").unwrap();
    assert!(finding["verdict"] == "warning" && finding["fix"].as_str().unwrap().contains("chmod 600"), "{finding}");
}
