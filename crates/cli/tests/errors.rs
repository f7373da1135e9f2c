//! What a user is told when something is wrong: one clear message, no panic, nothing lost. Each row is a bad input, and its snapshot is
//! what it shows.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_store::{Holder, RunKind, Runs, Sqlite};
use clusterlore_testkit::embeddings::FakeEmbeddings;
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use clusterlore_testkit::language::{FakeModels, message};
use clusterlore_testkit::recorder::Recorder;
use common::{Home, Ran};
use serde_json::json;

const GOOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: web}\n";
const SYNC: [&str; 3] = ["sync-instances", "--from", "m"];

/// A home with one indexed deployment.
fn home() -> Home {
    let home = Home::new();
    home.write("m/a.yaml", GOOD);
    home.run(&SYNC).ok();
    home
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n\
         current-context: here\n"
    )
}

/// A port on which nobody listens.
fn closed() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A fake API server, and its kubeconfig as `fake.yaml`.
async fn served(home: &Home) -> FakeApiServer {
    let server = FakeApiServer::start().await;
    home.write("fake.yaml", &std::fs::read_to_string(server.kubeconfig()).unwrap());
    server
}

/// What every failure has in common; wrong usage prints nothing on standard output.
#[track_caller]
fn assert_fails(ran: &Ran) {
    assert!([1, 2, 3].contains(&ran.status), "{ran:?}");
    assert!(!["hunter2", "s3cret"].iter().any(|secret| ran.err.contains(secret)), "{ran:?}");
    match ran.status {
        1 => drop(ran.error().to_owned()),
        2 => assert!(ran.err.starts_with("error: ") && ran.out.is_empty(), "{ran:?}"),
        _ => {}
    }
}

#[track_caller]
fn fails_with(home: &Home, name: &str, variables: &[(&str, &str)], args: &[&str]) {
    let ran = Ran::of(home.command(args).envs(variables.iter().copied()).output().unwrap());
    assert_fails(&ran);
    let set: String = variables.iter().map(|(name, value)| format!("{name}={value:?}\n")).collect();
    insta::assert_snapshot!(name, home.stable(&set) + &home.transcript(args, &ran));
}

#[track_caller]
fn fail(home: &Home, cases: &[(&str, &[&str])]) {
    for (name, args) in cases {
        fails_with(home, name, &[], args);
    }
}

#[test]
fn wrong_usage() {
    let home = Home::new();
    fail(
        &home,
        &[
            ("usage-unknown-command", &["serch", "x"]),
            ("usage-unknown-flag", &["search", "x", "--order-by", "name"]),
            ("usage-password-in-the-wrong-place", &["search", "x", "--limit", "postgres://me:hunter2@db/lore"]),
            ("usage-no-question", &["search"]),
            ("usage-question-and-batch", &["search", "x", "--batch", "q.jsonl"]),
            ("usage-count-and-batch", &["search", "--count", "--batch", "q.jsonl"]),
            ("usage-selector", &["search", "x", "-l", "a in (b"]),
            ("usage-limit", &["search", "x", "--limit", "0"]),
            ("usage-limit-is-no-number", &["search", "x", "--limit", "abc"]),
            ("usage-port-is-no-number", &["serve", "--port", "80a"]),
            ("usage-output", &["search", "x", "-o", "xml"]),
            ("usage-collection", &["search", "x", "--collection", "pods"]),
            ("usage-group-by", &["count", "--group-by", "colour"]),
            ("usage-group-by-no-label", &["count", "--group-by", "label:"]),
            ("usage-empty-namespace", &["search", "x", "-n", ""]),
            ("usage-empty-namespace-of-similar", &["similar", "pod/x", "-n", ""]),
            ("usage-empty-namespace-of-count", &["count", "x", "-n", ""]),
            ("usage-empty-namespace-of-sync", &["sync-instances", "-n", "shop,"]),
            ("usage-empty-namespace-of-index", &["index", "-n", " "]),
            ("usage-include", &["sync-instances", "--include", "a b"]),
            ("usage-cluster-name", &["sync-instances", "--cluster-name", "a/b"]),
            ("usage-from-and-context", &["sync-instances", "--from", "m", "--context", "east"]),
            ("usage-lock-timeout", &["sync-instances", "--lock-timeout", "soon"]),
            ("usage-concurrency", &["sync-instances", "--concurrency", "65"]),
            ("usage-page-size", &["sync-instances", "--page-size", "0"]),
            ("usage-output-of-sync", &["sync-instances", "-o", "yaml"]),
            ("usage-only-and-include", &["sync", "--only", "pods", "--include", "pods"]),
            ("usage-similar-to-nothing", &["similar"]),
            ("usage-import-of-nothing", &["import"]),
            ("usage-argument-of-status", &["status", "east"]),
            ("usage-config-without-action", &["config", "list"]),
            ("usage-question-and-write", &["demo", "who sends the invoices", "--write", "corrie"]),
            ("usage-completions-without-shell", &["completions"]),
            ("usage-unknown-shell", &["completions", "tcsh"]),
            ("usage-store", &["search", "x", "--store", "mysql:x"]),
            ("usage-store-in-memory", &["search", "x", "--store", "sqlite::memory:"]),
            ("usage-chroma-url", &["search", "x", "--chroma-url", "localhost:8000"]),
            ("usage-chroma-url-with-odd-password", &["status", "--chroma-url", "http://u:p@hunter2@db:8000"]),
            ("usage-postgres-url", &["search", "x", "--postgres-url", "mysql://db/lore"]),
            ("usage-postgres-url-with-odd-password", &["status", "--postgres-url", "postgres://u:p@hunter2@db/lore"]),
            ("usage-embedder", &["search", "x", "--embedder", "cohere"]),
            ("usage-embedder-without-url", &["search", "x", "--embedder", "openai:nomic"]),
            ("usage-embedder-with-password", &["search", "x", "--embedder", "openai:m@http://u:hunter2@h/v1"]),
        ],
    );
}

#[test]
fn wrong_usage_of_a_language_model() {
    let home = home();
    let llm = |name: &str, args: &[&str]| {
        fails_with(&home, name, &[], &[&["sync", "--from", "m", "--inference", "llm"], args].concat());
    };
    llm("model-none", &[]);
    llm("model-without-key", &["--model", "anthropic:claude-opus-5-5"]);
    llm("model-unknown", &["--model", "cohere"]);
    llm("model-empty", &["--model", "anthropic:"]);
    llm("model-without-url", &["--model", "openai:llama"]);
    llm("model-with-password", &["--model", "openai:llama@http://me:s3cret@127.0.0.1:9/v1"]);
    llm("model-without-price", &["--model", "openai:llama@http://127.0.0.1:9/v1", "--max-cost", "1"]);
    llm("model-max-calls", &["--max-calls", "0"]);
    llm("model-max-cost", &["--max-cost", "0"]);
    llm("model-max-cost-infinite", &["--max-cost", "inf"]);
    llm("model-one-price", &["--price", "0.10"]);
    llm("model-negative-price", &["--price=-1,2"]);
    fail(
        &home,
        &[
            ("model-cost-of-rules", &["index", "--from", "m", "--max-cost", "1"]),
            ("model-none-of-index", &["index", "--from", "m", "--inference", "llm"]),
        ],
    );
    for (name, variable, value) in [
        ("model-unknown-in-the-environment", "CLUSTERLORE_MODEL", "cohere"),
        ("model-key-of-two-lines", "ANTHROPIC_API_KEY", "two\nlines"),
    ] {
        fails_with(&home, name, &[(variable, value)], &["sync", "--from", "m", "--inference", "llm"]);
    }
}

#[test]
fn what_is_set_wrong_in_a_file_or_the_environment() {
    let home = home();
    for (name, text) in [
        ("settings-embedder", "embedder = \"cohere\"\n"),
        ("settings-unknown", "colour = \"red\"\n"),
        ("settings-no-toml", "store = \n"),
        ("settings-no-text", "context = \"a\"\nembedder = 7\n"),
        ("settings-two-stores", "store = \"sqlite:a\"\nchroma-url = \"http://h\"\n"),
    ] {
        home.write(".config/clusterlore/clusterlore.toml", text);
        fails_with(&home, name, &[], &["search", "shop"]);
        assert_eq!(home.run(&["config", "show"]).status, 2, "{name}");
    }
    std::fs::remove_dir_all(home.path(".config")).unwrap();
    fail(
        &home,
        &[
            ("settings-file-missing", &["status", "--config", "nowhere.toml"]),
            ("settings-file-is-a-folder", &["status", "--config", "m"]),
            ("settings-two-stores-by-flags", &["status", "--store", "sqlite:a", "--chroma-url", "http://h"]),
        ],
    );
    let show = ["config", "show"];
    fails_with(&home, "settings-store-of-the-environment", &[("CLUSTERLORE_STORE", "index.db")], &show);
    let search = ["search", "x", "--chroma-url", "http://127.0.0.1:1"];
    fails_with(&home, "settings-token-header", &[("CLUSTERLORE_CHROMA_TOKEN_HEADER", "cookie")], &search);
    fails_with(&home, "settings-no-home", &[("HOME", ""), ("XDG_DATA_HOME", "")], &["status"]);
}

#[test]
fn an_index_that_is_not_there() {
    let home = Home::new();
    fail(
        &home,
        &[
            ("empty-search", &["search", "databases"]),
            ("empty-count", &["count"]),
            ("empty-similar", &["similar", "deploy/web"]),
            ("empty-status", &["status"]),
            ("empty-export", &["export"]),
            ("empty-file-elsewhere", &["status", "--store", "sqlite:other.db"]),
        ],
    );
    assert!(!home.store().exists());
    home.write("m/a.yaml", GOOD);
    home.run(&["sync", "--from", "m"]).ok();
    fail(&home, &[("empty-instances", &["search", "databases"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_is_missing_broken_or_points_nowhere() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let nobody = kubeconfig(&format!("http://127.0.0.1:{}", closed()));
    let good = kubeconfig(&server.url());
    // Credentials are prepared for secure connections only.
    let recorder = Recorder::start();
    let secure = kubeconfig(&format!(
        "https://127.0.0.1:{}', insecure-skip-tls-verify: true, tls-server-name: 'lab",
        recorder.https
    ));
    let user = |user: &str| secure.replace("token: t", user);
    let exec = |command: &str| {
        user(&format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, interactiveMode: IfAvailable, \
             installHint: Install it from the shop.}}"
        ))
    };
    fail(
        &home,
        &[("kubeconfig-none", &["sync-instances"]), ("kubeconfig-missing", &["sync", "--kubeconfig", "nowhere.yaml"])],
    );
    for (name, text) in [
        ("empty", String::new()),
        ("broken", "apiVersion: v1\nclusters: [{name: ".to_owned()),
        ("text", "hello\n".to_owned()),
        ("nobody", nobody.clone()),
        ("no-current", good.replace("current-context: here\n", "")),
        ("no-cluster", good.replace("cluster: c,", "cluster: gone,")),
        ("no-host", kubeconfig("https://")),
        ("ftp", kubeconfig("ftp://127.0.0.1")),
        ("tls", kubeconfig(&server.url().replace("http:", "https:"))),
        ("token-file", user("tokenFile: nowhere")),
        ("token", user("token: \"t\\nt\"")),
        ("certificate", user("client-certificate-data: 'no base64!'")),
        ("plugin", exec("no-such-plugin")),
        ("plugin-fails", exec("'false'")),
        ("plugin-is-silent", exec("'true'")),
        ("provider", user("auth-provider: {name: gcp, config: {}}")),
    ] {
        home.write("config.yaml", &text);
        fails_with(&home, &format!("kubeconfig-{name}"), &[], &["sync-instances", "--kubeconfig", "config.yaml"]);
    }
    home.write("config.yaml", &nobody);
    let there = ["sync-instances", "--kubeconfig", "config.yaml", "--context", "there"];
    fail(
        &home,
        &[
            ("kubeconfig-no-such-context", &there),
            ("kubeconfig-doctor", &["doctor", "--kubeconfig", "config.yaml"]),
            // An empty flag is none.
            ("kubeconfig-empty-context", &["sync-instances", "--kubeconfig", "config.yaml", "--context", ""]),
            ("kubeconfig-empty-flags", &["sync-instances", "--kubeconfig", "", "--context", ""]),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_refuses() {
    let home = Home::new();
    let server = served(&home).await;
    let sync = ["sync-instances", "--kubeconfig", "fake.yaml", "--concurrency", "1"];
    home.run(&sync).ok();
    fail(
        &home,
        &[
            ("server-no-types", &[&sync[..], &["--include", "widgets.example.org"]].concat()),
            ("server-unknown-type", &["sync", "--kubeconfig", "fake.yaml", "--only", "waves.sea.example"]),
        ],
    );
    server.fault("*", Fault::unauthorized());
    fail(&home, &[("server-expired-credentials", &sync), ("server-doctor", &["doctor", "--kubeconfig", "fake.yaml"])]);
    for (name, target, fault) in [
        ("server-forbids-discovery", "*", Fault::forbidden()),
        ("server-is-no-kubernetes", "*", Fault::answer("text/html", "<html>hello</html>")),
        ("server-redirects", "*", Fault::redirect("http://127.0.0.1:9/")),
        ("server-forbids-all-types", "namespaces", Fault::forbidden()),
    ] {
        server.clear_faults().fault(target, fault);
        fails_with(&home, name, &[], &[&sync[..], &["--store", "sqlite:other.db"]].concat());
    }
    server.clear_faults().fault("namespaces", Fault::forbidden());
    fail(&home, &[("server-unrecognised", &sync)]);
    server.clear_faults();
    let names = home.run(&["search", "namespace", "-o", "id"]).ok().out;
    assert!(names.contains("_cluster/v1/Namespace/default"), "nothing is lost: {names}");

    // A part of it.
    let pods = clusterlore_core::ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..Default::default()
    };
    server.add_type(pods).fault("/openapi/v3/api/v1", Fault::malformed());
    fail(&home, &[("server-without-schemas", &["sync", "--kubeconfig", "fake.yaml"])]);
    server.clear_faults().fault("pods", Fault::not_allowed());
    fail(&home, &[("server-in-part", &sync)]);
    server.clear_faults().fault("pods", Fault::forbidden());
    let ran = home.run(&sync).ok();
    insta::assert_snapshot!("server-forbidden-in-part", home.transcript(&sync, &ran));
    let summary: serde_json::Value =
        serde_json::from_str(&home.run(&[&sync[..], &["-o", "json"]].concat()).ok().out).unwrap();
    assert_eq!(summary["skipped"][0]["type"], "pods");

    // Another source than the one that filled the index.
    home.write("m/a.yaml", GOOD);
    fail(&home, &[("server-then-folder", &SYNC)]);
    home.run(&[&SYNC[..], &["--store", "sqlite:folder.db"]].concat()).ok();
    fail(&home, &[("folder-then-server", &[&sync[..], &["--store", "sqlite:folder.db"]].concat())]);
}

#[test]
fn manifests_that_cannot_be_read() {
    let home = home();
    std::fs::create_dir(home.path("none")).unwrap();
    home.write("text/notes.txt", "not a manifest");
    home.write("array/a.yaml", "- apiVersion: v1\n  kind: Service\n  metadata: {name: one}\n");
    let deep = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: d}}\ndata: {}\n", "[".repeat(100_000));
    home.write("deep/deep.yaml", &deep);
    home.write("part/deep.yaml", &deep);
    home.write("part/a.yaml", GOOD);
    for (name, args) in [
        ("folder-missing", &["--from", "nowhere"][..]),
        ("folder-empty", &["--from", "none"]),
        ("folder-of-text", &["--from", "text"]),
        ("folder-of-a-list", &["--from", "array"]),
        ("folder-broken", &["--from", "deep"]),
        ("file-broken", &["--from", "deep/deep.yaml"]),
        ("folder-with-nothing-left", &["--from", "part", "--include", "services", "--cluster-name", "part"]),
        ("standard-input-empty", &["--from", "-"]),
        ("folder-then-folder", &["--from", "part"]),
    ] {
        let args = [&["sync-instances"], args].concat();
        fails_with(&home, name, &[], &args);
        // Manifests have no permissions.
        let ran = home.run(&args);
        assert!(!["permission", "may list", "doctor"].iter().any(|word| ran.err.contains(word)), "{}", ran.err);
    }
    // What is broken among good ones is named with its place, and nothing is deleted.
    let second = GOOD.replace("shop", "office");
    home.write(
        "m/all.yaml",
        &format!("{second}---\nkind: [unclosed\n---\nkind: Pod\napiVersion: v1\nmetadata: {{}}\n"),
    );
    std::fs::remove_file(home.path("m/a.yaml")).unwrap();
    fail(&home, &[("folder-in-part", &[&SYNC[..], &["--include", "deployments.apps,pods"]].concat())]);
    let names = home.run(&["search", "deployment shop office", "-o", "id"]).ok().out;
    assert!(names.contains("Deployment/shop") && names.contains("Deployment/office"), "{names}");
}

#[test]
fn a_temporary_folder_that_is_not_there() {
    let home = home();
    let nowhere = [("TMPDIR", "nowhere")];
    home.write("m/a.yaml", &GOOD.replace("shop", "office"));
    fails_with(&home, "temporary-folder-of-sync", &nowhere, &[&SYNC[..], &["--include", "deployments.apps"]].concat());
    fails_with(&home, "temporary-folder-of-demo", &nowhere, &["demo"]);
}

#[test]
fn questions_that_cannot_be_asked() {
    let home = home();
    home.write("m/b.yaml", &GOOD.replace("web}", "test}"));
    home.write("m/c.yaml", &GOOD.replace("Deployment", "StatefulSet"));
    home.run(&SYNC).ok();
    home.write("nonsense.jsonl", "{\"id\": 1, \"q\": \"shop\"}\nnonsense\n");
    home.write("target.jsonl", "{\"id\": 1, \"q\": \"shop\", \"target\": \"pods\"}\n");
    home.write("endless.jsonl", &"x".repeat(3 << 20));
    home.write("long.jsonl", &json!({"id": 1, "q": "redis ".repeat(20_000)}).to_string());
    fail(
        &home,
        &[
            ("question-empty", &["search", " ?! "]),
            ("question-unknown-kind", &["search", "x", "--kind", "boulder"]),
            ("question-misspelt-kind", &["search", "x", "--kind", "deploymint"]),
            ("question-part-of-a-kind", &["search", "x", "--kind", "stateful"]),
            ("question-unknown-kind-of-count", &["count", "--kind", "boulder"]),
            ("batch-missing", &["search", "--batch", "nowhere.jsonl"]),
            ("batch-nonsense", &["search", "--batch", "target.jsonl"]),
            ("batch-endless-line", &["search", "--batch", "endless.jsonl"]),
            ("batch-long-question", &["search", "--batch", "long.jsonl"]),
            ("similar-no-id", &["similar", "granite"]),
            ("similar-unknown-id", &["similar", "web/apps/v1/Deployment/granite"]),
            ("similar-misspelt-id", &["similar", "web/apps/v1/Deployment/shap"]),
            ("similar-unknown-object", &["similar", "deploy/granite", "-n", "web"]),
            ("similar-unknown-type", &["similar", "boulder/granite"]),
            ("similar-of-unknown-kind", &["similar", "sts/shop", "--kind", "boulder"]),
            ("similar-to-several", &["similar", "deploy/shop"]),
        ],
    );
    let long = "redis ".repeat(20_000);
    for args in [&["search", &long][..], &["count", &long], &["search", "--count", &long]] {
        let ran = home.run(args);
        insta::allow_duplicates! { insta::assert_snapshot!("question-long", ran.error()) };
        assert!(ran.err.len() < 500 && ran.out.is_empty(), "{ran:?}");
    }
    let batch = ["search", "--batch", "nonsense.jsonl"];
    let ran = home.run(&batch);
    assert_eq!((ran.status, ran.out.lines().count()), (1, 1), "what was answered before stands: {ran:?}");
    insta::assert_snapshot!("batch-line-of-nonsense", home.transcript(&batch, &ran));
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_cannot_be_used() {
    let home = home();
    std::fs::create_dir(home.path("folder.db")).unwrap();
    let mut newer = std::fs::read(home.store()).unwrap();
    // Where SQLite keeps the version of a schema.
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(home.path("newer.db"), newer).unwrap();
    home.write("text.db", &"this is no database at all ".repeat(100));
    let before = std::fs::read(home.path("text.db")).unwrap();
    for command in [&["search", "x"][..], &["status"], &SYNC] {
        let name = command[0];
        for (store, what) in
            [("text", "damaged"), ("newer", "newer"), ("folder", "a-folder"), ("m/a.yaml/x", "below-a-file")]
        {
            let flag = format!("sqlite:{store}.db");
            fails_with(&home, &format!("store-{what}-{name}"), &[], &[command, &["--store", &flag]].concat());
        }
    }
    assert_eq!(std::fs::read(home.path("text.db")).unwrap(), before, "it is left alone");

    let store = Sqlite::open_or_create(&home.store()).unwrap();
    let lock = store.lock("", &Holder::new(RunKind::Capabilities, "2026-01-02T03:04:05Z".to_owned())).await.unwrap();
    let brief = [&SYNC[..], &["--lock-timeout", "100ms"]].concat();
    fail(
        &home,
        &[("store-locked", &[&SYNC[..], &["--lock-timeout", "0"]].concat()), ("store-locked-for-long", &brief)],
    );
    drop(lock);

    // Servers that are not there, or are others.
    let port = closed();
    let chroma = format!("http://127.0.0.1:{port}");
    let postgres = format!("postgres://u:hunter2@127.0.0.1:{port}/d");
    for (name, flag) in [("chroma", ["--chroma-url", &chroma]), ("postgres", ["--postgres-url", &postgres])] {
        for command in [&SYNC[..], &["search", "x"], &["status"], &["export"], &["doctor"]] {
            let args = [command, &flag[..]].concat();
            let ran = home.run(&args);
            assert_fails(&ran);
            insta::assert_snapshot!(format!("store-{name}-gone-{}", command[0]), home.transcript(&args, &ran));
        }
    }
    let other = FakeApiServer::start().await;
    fail(&home, &[("store-chroma-is-another", &["search", "x", "--chroma-url", &other.url()])]);
    other.fault("*", Fault::unauthorized());
    let token = [("CLUSTERLORE_CHROMA_TOKEN", "abc")];
    fails_with(&home, "store-chroma-refuses-the-token", &token, &["status", "--chroma-url", &other.url()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedders_that_cannot_be_used() {
    let (home, server) = (home(), FakeEmbeddings::start().await);
    let name = format!("openai:test@{}", server.url());
    let fresh = ["sync-instances", "--from", "m", "--store", "sqlite:e.db"];
    let with = |embedder: &'static str| [&fresh[..], &["--embedder", embedder]].concat();
    let named = [&fresh[..], &["--embedder", &name]].concat();
    fail(&home, &[("embedder-without-key", &with("voyage"))]);
    fails_with(&home, "embedder-key-of-two-lines", &[("VOYAGE_API_KEY", "two\nlines")], &with("voyage"));
    for (snapshot, base) in [("without-scheme", "h:8000"), ("with-password", "http://u:hunter2@h/v1")] {
        let variables = [("VOYAGE_API_KEY", "k"), ("VOYAGE_BASE_URL", base)];
        fails_with(&home, &format!("embedder-base-{snapshot}"), &variables, &with("voyage"));
    }
    for (snapshot, status, body) in [
        ("embedder-refuses-the-key", 401, r#"{"error": {"message": "no such key"}}"#),
        ("embedder-no-such-model", 404, r#"{"error": {"message": "there is no model test"}}"#),
        ("embedder-refuses", 400, "going down"),
        ("embedder-answers-html", 200, "<html>"),
        ("embedder-answers-another-form", 200, r#"{"data": [{"index": 0, "embedding": "no"}]}"#),
        ("embedder-answers-nothing", 200, r#"{"data": []}"#),
    ] {
        server.script(move |_, _| Some((status, None, body.to_owned())));
        fails_with(&home, snapshot, &[], &named);
    }
    fail(&home, &[("embedder-filled-nothing", &["search", "x", "--store", "sqlite:e.db"])]);
    server.script(|_, _| None);
    home.run(&named).ok();
    // Another one than filled the index.
    for other in ["builtin", "openai:other@http://127.0.0.1:9/v1"] {
        let of = if other == "builtin" { "builtin" } else { "remote" };
        for command in
            [&fresh[..], &["sync", "--from", "m", "--store", "sqlite:e.db"], &["search", "x", "--store", "sqlite:e.db"]]
        {
            let snapshot = format!("embedder-other-{of}-{}", command[0]);
            fails_with(&home, &snapshot, &[], &[command, &["--embedder", other]].concat());
        }
    }
    // The service changed the model behind its name.
    server.script(|_, _| Some((200, None, r#"{"data": [{"index": 0, "embedding": [0.6, 0.8]}]}"#.to_owned())));
    fail(&home, &[("embedder-with-other-dimensions", &["search", "x", "--store", "sqlite:e.db"])]);
    let doctor = ["doctor", "--store", "sqlite:e.db"];
    fail(&home, &[("embedder-with-other-dimensions-doctor", &doctor)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn language_models_that_do_not_answer() {
    let (home, server) = (Home::new(), FakeModels::start().await);
    home.write(
        "m/a.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tides.sea.example}\nspec:\n  \
         group: sea.example\n  scope: Namespaced\n  names: {kind: Tide, plural: tides, singular: tide}\n  versions:\n  \
         - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, description: A tide.}}}\n",
    );
    let sync = ["sync", "--from", "m", "--include", "*.sea.example", "--inference", "llm"];
    let base = server.base();
    let variables = [("ANTHROPIC_API_KEY", "sk-x"), ("ANTHROPIC_BASE_URL", base.as_str())];
    for (name, status, body) in [
        ("model-refuses-the-key", 401, "invalid x-api-key".to_owned()),
        ("model-not-found", 404, r#"{"error": {"message": "model: none"}}"#.to_owned()),
        ("model-answers-html", 200, "<html>".to_owned()),
        (
            "model-declines",
            200,
            json!({"content": [], "stop_reason": "refusal", "usage": {"input_tokens": 9, "output_tokens": 1}})
                .to_string(),
        ),
        ("model-answers-no-json", 200, message(&json!("m"), "A tide is water.", "end_turn").to_string()),
        ("model-answers-another-form", 200, message(&json!("m"), r#"{"description": 7}"#, "end_turn").to_string()),
        ("model-is-cut-off", 200, message(&json!("m"), r#"{"descr"#, "max_tokens").to_string()),
    ] {
        server.script(move |_, _| Some((status, None, body.clone())));
        fails_with(&home, name, &variables, &sync);
    }
    fails_with(&home, "model-doctor", &variables, &["doctor", "--model", "anthropic"]);
}

#[test]
fn catalogues_that_cannot_be_read() {
    let home = home();
    home.write("form.toml", "[software.x]\ntitle = 3\n");
    home.write("text.toml", "hello\n");
    home.write("category.toml", "[software.x]\ntitle = \"X\"\ncategories = [\"none-such\"]\nabout = \"Is x.\"\n");
    for name in ["form", "text", "category", "missing"] {
        let file = format!("{name}.toml");
        fails_with(&home, &format!("catalogue-{name}"), &[], &["search", "x", "--catalogue", &file]);
        for command in
            [&["count"][..], &["similar", "deploy/shop"], &["sync", "--from", "m"], &["index", "--from", "m"]]
        {
            let ran = home.run(&[command, &["--catalogue", &file]].concat());
            assert!(ran.error().contains(&file), "{command:?}: {}", ran.err);
        }
    }
}

#[test]
fn files_that_are_no_export() {
    let home = home();
    home.run(&["export", "index.jsonl"]).ok();
    let whole = std::fs::read_to_string(home.path("index.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let header = lines[0];
    let collection = |name: &str| {
        format!("{{\"collection\": {{\"name\": \"{name}\", \"embedder\": {{\"name\": \"a\", \"dimensions\": 1}}}}}}")
    };
    for (name, text) in [
        ("import-nothing", String::new()),
        ("import-text", "hello\n".to_owned()),
        ("import-newer", "{\"header\": {\"version\": 99}}\n".to_owned()),
        ("import-no-line", format!("{header}\nnonsense\n")),
        ("import-two-headers", format!("{header}\n{header}\n")),
        ("import-no-collection", format!("{header}\n{}\n", lines[lines.len() - 2])),
        ("import-unknown-collection", format!("{header}\n{}\n", collection("x"))),
        ("import-wrong-number", format!("{header}\n{{\"end\": {{\"documents\": 7}}}}\n")),
        ("import-cut-off", lines[..lines.len() - 1].join("\n")),
        ("import-cut-off-in-a-line", whole[..whole.len() - 60].to_owned()),
    ] {
        home.write("bad.jsonl", &text);
        fails_with(&home, name, &[], &["import", "bad.jsonl", "--store", "sqlite:copy.db"]);
    }
    std::fs::write(home.path("bytes.jsonl"), [0xff, 0xfe, b'\n']).unwrap();
    home.write("other/a.yaml", &GOOD.replace("shop", "office"));
    home.run(&["sync-instances", "--from", "other", "--store", "sqlite:other.db"]).ok();
    std::os::unix::fs::symlink("round", home.path("round")).unwrap();
    std::os::unix::fs::symlink(home.store(), home.path("link.db")).unwrap();
    fail(
        &home,
        &[
            ("import-bytes", &["import", "bytes.jsonl", "--store", "sqlite:copy.db"]),
            ("import-missing", &["import", "nowhere.jsonl"]),
            ("import-folder", &["import", "m", "--store", "sqlite:copy.db"]),
            ("import-of-another-source", &["import", "index.jsonl", "--store", "sqlite:other.db"]),
            ("import-of-another-embedder", &["import", "index.jsonl", "--embedder", "openai:m@http://127.0.0.1:9/v1"]),
            ("export-to-a-folder", &["export", "m"]),
            ("export-in-a-circle", &["export", "round"]),
            ("export-into-no-folder", &["export", "nowhere/x.jsonl"]),
            ("export-over-the-index", &["export", "data/clusterlore/index.db"]),
            ("export-over-its-link", &["export", "link.db"]),
            ("export-over-its-lock", &["export", "data/clusterlore/index.db.lock"]),
            ("demo-below-a-file", &["demo", "--write", "m/a.yaml/x"]),
        ],
    );
    assert!(home.run(&["search", "deployment shop", "-o", "id"]).ok().out.contains("Deployment/shop"));
}
