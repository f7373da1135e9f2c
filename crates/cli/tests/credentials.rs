//! What stands in a kubeconfig and in the variables of proxies is used, and told nobody else.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::{fake::FakeApiServer, real::ApiServer, recorder::Recorder, shared};
use common::{Home, Ran};

/// In every place where a secret may stand.
const SECRET: &str = "PASSWD99";
/// The same in base64, beside the name `bob`.
const ENCODED: &str = "Ym9iOlBBU1NXRDk5";

fn config(server: &str, cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'{cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n"
    )
}

#[track_caller]
fn silent(ran: &Ran) {
    for secret in [SECRET, ENCODED] {
        assert!(!ran.out.contains(secret), "{}", ran.out);
        assert!(!ran.err.contains(secret), "{}", ran.err);
    }
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[track_caller]
fn silent_files(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            silent_files(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in [SECRET, ENCODED] {
            let holds = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!holds, "{secret} in {}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_of_an_address_is_sent_and_kept_nowhere() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let pods = ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..ResourceType::default()
    };
    server.add_type(pods).put(ResourceInstance::new("v1", "Pod", Some("shop"), "checkout").unwrap());
    let url = server.url().replace("http://", &format!("http://bob:{SECRET}@"));
    home.write("config.yaml", &config(&url, "", ""));
    for command in ["index", "sync", "sync-instances", "doctor"] {
        silent(&home.run(&["-vv", command, "--kubeconfig", "config.yaml"]).ok());
    }
    assert_eq!(server.requests()[0].authorization, format!("Basic {ENCODED}"));
    let mut command = home.command(&["-vv", "sync-instances", "--kubeconfig", "config.yaml"]);
    silent(&Ran::of(command.env("RUST_LOG", "trace").output().unwrap()).ok());
    for args in [
        &["status"][..],
        &["status", "-o", "json"],
        &["export", "-"],
        &["export", "file"],
        &["search", "checkout", "--explain"],
    ] {
        silent(&home.run(args).ok());
    }
    silent_files(&home.path("data"));
    let exported = std::fs::read_to_string(home.path("file")).unwrap();
    assert!(exported.contains("127.0.0.1") && !exported.contains(SECRET), "{exported}");

    // The same cluster under the address without the user: the password may change.
    home.write("config.yaml", &config(&server.url(), "", ""));
    home.run(&["sync-instances", "--kubeconfig", "config.yaml"]).ok();

    // Another cluster, which the message names.
    let other = FakeApiServer::start().await;
    let url = other.url().replace("http://", &format!("http://bob:{SECRET}@"));
    home.write("config.yaml", &config(&url, "", ""));
    silent(&home.run(&["-vv", "sync-instances", "--kubeconfig", "config.yaml"]));
}

/// Everything fails, each in another way.
#[test]
fn no_failure_tells_a_secret() {
    let recorder = Recorder::start();
    let token = format!("token: {SECRET}");
    let plugin = |script: &str| {
        format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: IfAvailable, args: [-c, \"{script}\", {SECRET}], env: [{{name: A, value: {SECRET}}}]}}"
        )
    };
    let insecure = ", insecure-skip-tls-verify: true";
    let https = format!("https://127.0.0.1:{}", recorder.https);
    let answer = |token: &str| {
        format!(
            "printf '{{\\\"apiVersion\\\":\\\"client.authentication.k8s.io/v1\\\",\\\"kind\\\":\\\"ExecCredential\\\",\\\"status\\\":{{\\\"token\\\":\\\"{token}\\\"}}}}'"
        )
    };
    let tries = [
        (format!("http://bob:{SECRET}@127.0.0.1:1"), "", String::new()),
        (format!("https://bob:{SECRET}@127.0.0.1:1"), insecure, token.clone()),
        (format!("https://bob:{SECRET}@no-such-host.invalid"), "", token.clone()),
        (format!("https://bob:{SECRET}@127.0.0.1:{}", recorder.http), "", token.clone()),
        (format!("https://bob:{SECRET}@127.0.0.1:{}", recorder.https), "", token.clone()),
        (format!("bob:{SECRET}@127.0.0.1:1"), "", token.clone()),
        (format!("ftp://bob:{SECRET}@127.0.0.1"), "", token.clone()),
        (format!("https://bob:{SECRET}@127.0.0.1:x"), "", token.clone()),
        (format!("https://bob:{SECRET}^@127.0.0.1"), "", token.clone()),
        (format!("https://bob:{SECRET}@"), "", token.clone()),
        ("https://127.0.0.1:1".to_owned(), ", proxy-url: 'http://bob:PASSWD99@127.0.0.1:1'", token.clone()),
        ("https://127.0.0.1:1".to_owned(), ", proxy-url: 'ftp://bob:PASSWD99@127.0.0.1:1'", token.clone()),
        ("https://127.0.0.1:1".to_owned(), ", proxy-url: 'socks5://bob:PASSWD99@127.0.0.1:1'", token.clone()),
        ("https://127.0.0.1:1".to_owned(), ", proxy-url: 'bob:PASSWD99@127.0.0.1:1'", token.clone()),
        (https.clone(), insecure, format!("token: \"{SECRET}\\n\"")),
        (https.clone(), insecure, format!("token: [{SECRET}]")),
        (https.clone(), insecure, format!("token: {SECRET}, username: {SECRET}, password: {SECRET}")),
        (https.clone(), insecure, "tokenFile: token".to_owned()),
        (https.clone(), insecure, format!("client-certificate-data: '{SECRET}!'")),
        (https.clone(), insecure, "client-certificate-data: UEFTU1dEOTk=, client-key-data: UEFTU1dEOTk=".to_owned()),
        (https.clone(), insecure, format!("auth-provider: {{name: oidc, config: {{id-token: {SECRET}}}}}")),
        (https.clone(), insecure, format!("auth-provider: {{name: gcp, config: {{access-token: {SECRET}}}}}")),
        (https.clone(), insecure, plugin("echo $A; echo $A >&2; exit 1")),
        (https.clone(), insecure, plugin("echo $A; echo $A >&2")),
        (https.clone(), insecure, plugin(&answer("$A\\\\\\\\n").replace("$A", SECRET))),
        (https.clone(), insecure, plugin("kill -9 $$")),
        (https, insecure, plugin("echo").replace("command: sh", "command: no-such-plugin")),
    ];
    let mut runs: Vec<(String, &str)> = Vec::new();
    runs.extend(tries.into_iter().map(|(server, cluster, user)| (config(&server, cluster, &user), "")));
    let proxies = [
        "http://bob:PASSWD99@127.0.0.1:1",
        "bob:PASSWD99@127.0.0.1:1",
        "socks5://bob:PASSWD99@127.0.0.1:1",
        "x://bob:PASSWD99@[",
        "http://bob:PASSWD99@:",
    ];
    runs.extend(proxies.map(|proxy| (config("https://api.invalid", "", &token), proxy)));
    // Most of the time is spent waiting before another try.
    std::thread::scope(|scope| {
        for (text, proxy) in runs {
            scope.spawn(move || {
                let home = Home::new();
                home.write("token", &format!("{SECRET}\n{SECRET}\n"));
                home.write("config.yaml", &text);
                for command in ["sync-instances", "doctor"] {
                    let mut command = home.command(&["-vv", command, "--kubeconfig", "config.yaml"]);
                    let ran = Ran::of(command.env("HTTPS_PROXY", proxy).output().unwrap());
                    silent(&ran);
                    assert_eq!(ran.status, 1, "{text} {ran:?}");
                }
                if home.path("data").exists() {
                    silent_files(&home.path("data"));
                }
            });
        }
    });
}

/// The program hands its own variables on.
#[test]
fn the_variables_of_the_program_count() {
    let (home, recorder) = (Home::new(), Recorder::start());
    home.write("config.yaml", &config("https://lab.internal:6443", ", insecure-skip-tls-verify: true", "token: abc"));
    let mut command = home.command(&["doctor"]);
    let list = format!("nowhere.yaml:{}", home.path("config.yaml").display());
    command.env("KUBECONFIG", list).env("https_proxy", format!("127.0.0.1:{}", recorder.proxy));
    command.env("NO_PROXY", "127.0.0.1").output().unwrap();
    let asked = recorder.take();
    assert_eq!(asked[0].way, "http proxy to lab.internal:6443");
    assert_eq!(asked[0].header("authorization"), ["Bearer abc"]);
}

/// The address and the token that the files there have stand for those of a server under test.
#[test]
fn the_shared_cases_of_kubeconfigs() {
    const ADDRESS: &str = "127.0.0.1:22288";
    let Some(cases) = shared("cases") else { return };
    let Some(server) = ApiServer::start_or_skip() else { return };
    let address = server.url().trim_start_matches("https://").to_owned();
    let home = |case: &str, more: &[(&str, &str)]| {
        let home = Home::new();
        for file in std::fs::read_dir(cases.join(case)).unwrap() {
            let file = file.unwrap().path();
            let bytes = std::fs::read(&file).unwrap();
            let bytes = String::from_utf8(bytes.clone()).map_or(bytes, |text| {
                let text = text.replace(ADDRESS, &address);
                more.iter().fold(text, |text, (old, new)| text.replace(old, new)).into_bytes()
            });
            let copy = home.path(file.file_name().unwrap().to_str().unwrap());
            std::fs::write(&copy, bytes).unwrap();
            // The folder is read-only, and its scripts have lost their mode.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&copy, mode).unwrap();
        }
        home
    };
    let dry = |home: &Home, kubeconfig: &str| home.run(&["sync-instances", "--dry-run", "--kubeconfig", kubeconfig]);

    dry(&home("kubeconfig-duplicate-keys", &[]), "dup.yaml").ok();
    dry(&home("empty-token-beside-exec", &[]), "ex.yaml").ok();
    let case = home("tokenfile-newline", &[]);
    case.write("tok", "admin-token\n");
    dry(&case, "kc.yaml").ok();
    for (case, list) in [
        ("kubeconfig-empty-current-context", "empty.yaml:ok.yaml"),
        ("kubeconfig-missing-in-list", "ok.yaml:/nowhere/missing.yaml"),
    ] {
        let home = home(case, &[]);
        let mut command = home.command(&["sync-instances", "--dry-run"]);
        Ran::of(command.env("KUBECONFIG", list).output().unwrap()).ok();
    }
    let ran = dry(&home("kubeconfig-utf16-odd-byte", &[]), "utf16odd.yaml");
    insta::assert_snapshot!("utf16-odd-byte", ran.error());
    let ran = dry(&home("exec-token-newline", &[]), "ex.yaml");
    insta::assert_snapshot!("token-with-a-line-break", ran.error());
    let ran = dry(&home("server-without-scheme", &[]), "noscheme.yaml");
    // It speaks no plain HTTP, which is what is assumed.
    assert!(ran.error().contains(&format!("http://{address}")), "{}", ran.err);

    let case = home("ca-data-wrapped", &[]);
    std::fs::copy(server.ca_file(), case.path("ca.crt")).unwrap();
    let text = std::fs::read_to_string(case.path("gen")).unwrap().replace("127.0.0.1:PORT", &address);
    case.write("gen", &text);
    let made = std::process::Command::new("sh").arg("gen").current_dir(case.folder.path()).status().unwrap();
    assert!(made.success());
    dry(&case, "b64wrap.yaml").ok();

    let recorder = Recorder::start();
    let socks = format!("localhost:{}", recorder.socks);
    dry(&home("proxy-url-and-loopback-server", &[("localhost:38122", &socks)]), "docs-socks.yaml");
    assert_eq!(recorder.take()[0].way, "socks5 proxy to localhost:6443");
    let case = home("https-proxy-without-scheme", &[]);
    let mut command = case.command(&["sync-instances", "--dry-run", "--kubeconfig", "remote.yaml"]);
    command.env("HTTPS_PROXY", format!("127.0.0.1:{}", recorder.proxy)).output().unwrap();
    assert_eq!(recorder.take()[0].way, "http proxy to lab.internal:6443");
}
