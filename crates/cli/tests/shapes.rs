//! What commands print over the example company, to the letter: tables for people, JSON and YAML for programs.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::fake::FakeApiServer;
use common::{EXAMPLES, Home, Ran};

/// The example company, indexed.
fn home() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

#[track_caller]
fn show(home: &Home, cases: &[(&str, &[&str])]) {
    for (name, args) in cases {
        let ran = home.run(args);
        assert_eq!(ran.status, 0, "{ran:?}");
        if args.contains(&"json") {
            serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
        }
        insta::assert_snapshot!(*name, home.transcript(args, &ran));
    }
}

#[test]
fn search() {
    const DATABASES: &str = "what relational databases are running?";
    const CERTIFICATE: [&str; 6] =
        ["search", "how do I get a certificate", "--collection", "capabilities", "--limit", "2"];
    let home = home();
    show(
        &home,
        &[
            ("search-table", &["search", DATABASES]),
            ("search-json", &["search", DATABASES, "--limit", "2", "-o", "json"]),
            ("search-yaml", &["search", DATABASES, "--limit", "1", "-o", "yaml"]),
            ("search-name", &["search", DATABASES, "-o", "name"]),
            ("search-explain", &["search", DATABASES, "--limit", "3", "--explain"]),
            ("search-explain-json", &["search", DATABASES, "--limit", "1", "--explain", "-o", "json"]),
            (
                "search-explain-clauses",
                &["search", "the 2 newest databases in datastores older than 3 days", "--explain"],
            ),
            ("search-cluster-scoped", &["search", "namespaces", "--kind", "ns", "--limit", "2"]),
            ("search-types-table", &CERTIFICATE),
            ("search-types-json", &[&CERTIFICATE[..], &["-o", "json"]].concat()),
            ("search-types-name", &[&CERTIFICATE[..], &["-o", "name"]].concat()),
            ("search-number", &["search", "how many relational databases are there?"]),
            (
                "search-number-json",
                &["search", "how many relational databases are there?", "--limit", "1", "-o", "json"],
            ),
            ("search-number-name", &["search", "how many relational databases are there?", "-o", "name"]),
            ("search-groups", &["search", "how many databases per namespace"]),
            ("search-groups-json", &["search", "how many databases per namespace", "--limit", "1", "-o", "json"]),
            ("search-count", &["search", "--count", "databases"]),
            ("search-group-by", &["search", "--group-by", "namespace", "databases", "-o", "json"]),
            ("search-nothing", &["search", "SAP HANA"]),
            ("search-nothing-json", &["search", "SAP HANA", "-o", "json"]),
            ("search-nothing-of-types", &["search", "who brews the beer", "--collection", "capabilities"]),
            ("search-no-such-namespace", &["search", "pods in the moon namespace"]),
            ("search-no-age", &["search", "deployments older than -3 days"]),
            ("search-no-date", &["search", "deployments since 2026-02-31"]),
            ("search-unknown-age", &["search", "deployments older than 30 days"]),
            ("search-corrected", &["search", "postgress in datstores", "--limit", "2"]),
            ("search-in-german", &["search", "welche relationalen Datenbanken gibt es?", "--limit", "2"]),
        ],
    );
    home.write(
        "q.jsonl",
        "{\"id\": \"1\", \"q\": \"message brokers\"}\n\n{\"id\": 2, \"q\": \"a certificate\", \"target\": \"types\"}\n\
         {\"id\": 3, \"q\": \"how many statefulsets are there?\"}\n",
    );
    show(&home, &[("search-batch", &["search", "--batch", "q.jsonl", "--limit", "3"])]);
}

#[test]
fn count() {
    show(
        &home(),
        &[
            ("count-table", &["count", "databases"]),
            ("count-one", &["count", "message brokers"]),
            ("count-json", &["count", "databases", "-o", "json"]),
            ("count-name", &["count", "databases", "-o", "name"]),
            ("count-groups", &["count", "--group-by", "namespace"]),
            ("count-groups-json", &["count", "databases per namespace", "-o", "json"]),
            ("count-groups-yaml", &["count", "databases per namespace", "-o", "yaml"]),
            ("count-groups-name", &["count", "databases per namespace", "-o", "name"]),
            ("count-labels", &["count", "--kind", "deploy", "--group-by", "label:team"]),
            ("count-owners", &["count", "--kind", "pod", "--group-by", "owner"]),
            ("count-no-such-label", &["count", "--group-by", "label:nobody-has-this"]),
            ("count-nothing", &["count", "pods in the moon namespace"]),
            ("count-nothing-json", &["count", "pods in the moon namespace", "-o", "json"]),
            ("count-types", &["count", "--collection", "capabilities"]),
        ],
    );
}

#[test]
fn similar() {
    const GRANITE: [&str; 4] = ["similar", "datastores/apps/v1/StatefulSet/granite", "--limit", "3"];
    show(
        &home(),
        &[
            ("similar-table", &GRANITE),
            ("similar-json", &[&GRANITE[..], &["-o", "json"]].concat()),
            ("similar-explain", &[&GRANITE[..], &["--explain"]].concat()),
            ("similar-nothing", &["similar", "sts/granite", "--kind", "node"]),
        ],
    );
}

#[test]
fn status_and_doctor() {
    let home = home();
    show(
        &home,
        &[
            ("status-table", &["status"]),
            ("status-json", &["status", "-o", "json"]),
            ("status-yaml", &["status", "-o", "yaml"]),
            ("status-name", &["status", "-o", "name"]),
        ],
    );
    // There is no cluster.
    insta::assert_snapshot!("doctor-without-cluster", home.shows(&["doctor"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_of_a_cluster() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    home.write("fake.yaml", &std::fs::read_to_string(server.kubeconfig()).unwrap());
    show(&home, &[("doctor-before", &["doctor", "--kubeconfig", "fake.yaml"])]);
    home.run(&["sync-instances", "--kubeconfig", "fake.yaml"]).ok();
    show(
        &home,
        &[
            ("doctor-table", &["doctor", "--kubeconfig", "fake.yaml"]),
            ("doctor-json", &["doctor", "--kubeconfig", "fake.yaml", "-o", "json"]),
            ("doctor-name", &["doctor", "--kubeconfig", "fake.yaml", "-o", "name"]),
            ("status-of-a-cluster", &["status"]),
        ],
    );
    server.deny_by_default().grant("default", "namespaces");
    server.stale("late.example", "v1", false);
    std::fs::set_permissions(home.store(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    home.write("keys.toml", "voyage-api-key = \"pa-x\"\n");
    std::fs::set_permissions(home.path("keys.toml"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let warned = ["doctor", "--kubeconfig", "fake.yaml", "--config", "keys.toml"];
    insta::assert_snapshot!("doctor-warnings", home.shows(&warned));
}

#[test]
fn config_show() {
    let home = Home::new();
    home.write(
        "lore.toml",
        "postgres-url = \"postgres://me:hunter2@db/lore\"\nvoyage-api-key = \"pa-secret\"\nembedder = \"builtin\"\n",
    );
    for (name, format) in
        [("config-table", "table"), ("config-json", "json"), ("config-yaml", "yaml"), ("config-name", "name")]
    {
        let args = ["config", "show", "--config", "lore.toml", "--embedder", "voyage", "-o", format];
        let ran = Ran::of(home.command(&args).env("ANTHROPIC_API_KEY", "sk-secret").output().unwrap()).ok();
        assert!(!["hunter2", "secret"].iter().any(|secret| ran.out.contains(secret)), "{}", ran.out);
        insta::assert_snapshot!(name, home.transcript(&args, &ran));
    }
}

#[test]
fn summaries() {
    let home = home();
    for command in ["sync-instances", "sync", "index"] {
        let ran = home.run(&[command, "--from", EXAMPLES, "-o", "json"]).ok();
        serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
        insta::assert_snapshot!(format!("summary-{command}"), home.stable(&ran.out));
    }
}
