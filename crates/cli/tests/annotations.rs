//! Annotations that were asked for, from a manifest or a cluster to an answer; and those that never come along.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::{ApiServer, ChromaServer};
use common::{Home, Ran};

/// Stands where nothing may be read.
const MARKER: &str = "sw0rdfish";

fn manifests(home: &Home) -> std::path::PathBuf {
    home.write(
        "m/shop.yaml",
        &format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: checkout\n  namespace: shop\n  annotations:\n    \
             description: Takes the money\n    example.org/owner: the night owls\n    example.org/pager: 'weekdays, nine to five'\n    \
             kubectl.kubernetes.io/last-applied-configuration: '{{\"{MARKER}\": 1}}'\n    \
             deployment.kubernetes.io/revision: '{MARKER}'\n    example.org/port: 8080\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: basket, namespace: shop, annotations: {{example.org/owner: larks}}}}\n---\n\
             apiVersion: v1\nkind: Secret\nmetadata:\n  name: card\n  namespace: shop\n  annotations:\n    example.org/owner: {MARKER}\n    \
             {MARKER}: x\n    last: '{{\"data\": \"{MARKER}\"}}'\ndata: {{a: {MARKER}}}\n"
        ),
    );
    home.path("m")
}

fn sync(home: &Home, more: &[&str]) -> Ran {
    home.run(&[&["sync-instances", "--from", "m"], more].concat()).ok()
}

fn names(home: &Home, args: &[&str]) -> Vec<String> {
    home.run(&[args, &["-o", "id"]].concat()).ok().out.lines().map(str::to_owned).collect()
}

const CHECKOUT: &str = "shop/apps/v1/Deployment/checkout";
const BASKET: &str = "shop/apps/v1/Deployment/basket";

#[test]
fn annotations_are_kept_only_if_they_are_asked_for() {
    let home = Home::new();
    manifests(&home);
    sync(&home, &[]);
    assert!(names(&home, &["search", "night owls"]).is_empty());
    let none = home.run(&["search", "deployments", "-a", "example.org/owner"]).ok();
    assert!(none.err.contains("--annotations"), "{}", none.err);
    insta::assert_snapshot!(home.shows(&["search", "deployments", "-a", "example.org/owner"]));

    let asked = sync(&home, &["--annotations", "example.org/*"]);
    assert_eq!(asked.counts(), [3, 2, 0, 1], "what has none is as it was: {}", asked.err);
    assert_eq!(sync(&home, &["--annotations", "example.org/*"]).counts(), [3, 0, 0, 3]);
    assert_eq!(names(&home, &["search", "night owls"]), [CHECKOUT]);
    let owned = ["search", "deployments", "-a"];
    for (selector, found) in [
        ("example.org/owner=the night owls", &[CHECKOUT][..]),
        ("example.org/owner", &[BASKET, CHECKOUT]),
        ("example.org/owner!=larks", &[CHECKOUT]),
        ("!example.org/owner", &[]),
        ("example.org/pager=\"weekdays, nine to five\"", &[CHECKOUT]),
        ("example.org/owner in (larks, nobody)", &[BASKET]),
    ] {
        let mut all = names(&home, &[&owned[..], &[selector]].concat());
        all.sort();
        assert_eq!(all, found, "{selector}");
    }
    let count = |args: &[&str]| home.run(&[&["count"], args].concat()).ok().out;
    assert_eq!(count(&["-a", "example.org/owner"]), "2 matches.\n");
    assert_eq!(count(&["--kind", "secret", "-a", "!example.org/owner"]), "1 match.\n");
    assert_eq!(names(&home, &["similar", "deploy/basket", "-a", "example.org/pager"]), [CHECKOUT]);
    let reply: serde_json::Value =
        serde_json::from_str(&home.run(&["search", "night owls", "-o", "json", "--explain"]).ok().out).unwrap();
    assert_eq!(reply["hits"][0]["annotations"]["example.org/owner"], "the night owls");
    assert_eq!(reply["hits"][0]["description"], "Takes the money");
    assert!(reply["hits"][0]["explain"].to_string().contains("annotation: owner=the night owls"), "{reply}");

    // By a setting, and off again by a flag. The flag counts before the setting.
    home.write("c.toml", "annotations = \"example.org/pager\"\n");
    assert_eq!(sync(&home, &["--config", "c.toml"]).counts(), [3, 2, 0, 1]);
    assert_eq!(count(&["-a", "example.org/pager"]), "1 match.\n");
    assert_eq!(count(&["-a", "example.org/owner"]), "0 matches.\n");
    let mut command = home.command(&["sync-instances", "--from", "m"]);
    let ran = Ran::of(command.env("CLUSTERLORE_ANNOTATIONS", "example.org/owner").output().unwrap()).ok();
    assert_eq!(ran.counts(), [3, 2, 0, 1]);
    assert_eq!(sync(&home, &["--config", "c.toml", "--annotations", ""]).counts(), [3, 2, 0, 1]);
    assert!(names(&home, &["search", "night owls"]).is_empty());
}

#[test]
fn what_is_no_choice_and_what_is_asked_for_in_vain_is_told() {
    let home = Home::new();
    manifests(&home);
    let vain = sync(&home, &["--annotations", "deployment.kubernetes.io/revision,example.org/owner"]);
    let told = vain.err.matches("deployment.kubernetes.io").count();
    assert_eq!(told, 1, "{}", vain.err);
    assert!(!sync(&home, &["--annotations", "example.org/owner"]).err.contains("controllers write"));
    for wrong in [
        &["sync-instances", "--from", "m", "--annotations", "a=b"][..],
        &["search", "x", "-a", "a b"],
        &["search", "x", "-a", "note=\"a"],
    ] {
        insta::assert_snapshot!(home.shows(wrong));
    }
    home.write("c.toml", "annotations = \"a b\"\n");
    assert_eq!(home.run(&["sync-instances", "--from", "m", "--config", "c.toml"]).status, 2);
}

#[test]
fn an_export_carries_them() {
    let home = Home::new();
    manifests(&home);
    sync(&home, &["--annotations", "*"]);
    home.run(&["export", "index.jsonl"]).ok();
    assert!(!holds(&home.path("index.jsonl"), MARKER));
    let copy = ["--store", "sqlite:copy.db"];
    home.run(&[&["import", "index.jsonl"], &copy[..]].concat()).ok();
    assert_eq!(
        names(&home, &["search", "deployments", "-a", "example.org/owner=larks", "--store", "sqlite:copy.db"]),
        [BASKET]
    );
    assert_eq!(sync(&home, &["--annotations", "*", "--store", "sqlite:copy.db"]).counts(), [3, 0, 0, 3]);
}

fn holds(file: &Path, needle: &str) -> bool {
    std::fs::read(file).unwrap().windows(needle.len()).any(|w| w == needle.as_bytes())
}

/// No file below the folder holds it.
fn nowhere_below(folder: &Path, needle: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => nowhere_below(&path, needle),
            false => assert!(!holds(&path, needle), "in {}", path.display()),
        }
    }
}

#[test]
fn no_annotation_of_a_secret_reaches_any_store() {
    let home = Home::new();
    manifests(&home);
    let chroma = ChromaServer::start_or_skip();
    let postgres = PostgresServer::start_or_skip();
    let mut stores = vec![vec!["--store".to_owned(), "sqlite:own.db".to_owned()]];
    stores.extend(chroma.as_ref().map(|s| vec!["--chroma-url".to_owned(), s.url()]));
    stores.extend(postgres.as_ref().map(|s| vec!["--postgres-url".to_owned(), s.url("postgres")]));
    for store in &stores {
        let store: Vec<&str> = store.iter().map(String::as_str).collect();
        let ran = sync(&home, &[&["-vv", "--annotations", "*"], &store[..]].concat());
        assert!(!ran.err.contains(MARKER) && !ran.out.contains(MARKER), "in the logs: {}", ran.err);
        let owned =
            names(&home, &[&["search", "secrets and deployments", "-a", "example.org/owner"], &store[..]].concat());
        assert_eq!(owned.iter().filter(|id| id.contains("/Deployment/")).count(), 2, "{store:?} {owned:?}");
        assert!(owned.iter().all(|id| !id.contains("/Secret/")), "{store:?} {owned:?}");
        // All that a store gives back of what it holds.
        home.run(&[&["export", "all.jsonl"], &store[..]].concat()).ok();
        assert!(!holds(&home.path("all.jsonl"), MARKER), "{store:?}");
        let all =
            home.run(&[&["search", "card", "--kind", "secret", "-o", "json", "--explain"], &store[..]].concat()).ok();
        assert!(all.out.contains("shop/v1/Secret/card") && !all.out.contains(MARKER), "{store:?}");
        let found = names(&home, &[&["search", MARKER], &store[..]].concat());
        assert!(found.is_empty(), "{store:?} {found:?}");
        std::fs::remove_file(home.path("all.jsonl")).unwrap();
    }
    std::fs::remove_dir_all(home.path("m")).unwrap();
    nowhere_below(home.folder.path(), MARKER);
}

#[test]
fn annotations_come_out_of_a_real_cluster_and_those_of_secrets_stay_there() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let home = Home::new();
    let manifest = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: prices, namespace: default, annotations: {{example.org/owner: the night owls}}}}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: card, namespace: default, annotations: {{example.org/owner: {MARKER}}}}}\n\
         stringData: {{a: {MARKER}}}\n"
    );
    let manifest = home.write("shop.yaml", &manifest);
    // Client-side, so that the last-applied-configuration carries the data.
    server.kubectl(&["apply", "-f", manifest.to_str().unwrap()]);
    std::fs::remove_file(manifest).unwrap();
    let config = server.kubeconfig("admin");
    let sync = ["-vv", "sync-instances", "--kubeconfig", config.to_str().unwrap(), "--annotations", "*"];
    let ran = home.run(&sync).ok();
    assert!(!ran.err.contains(MARKER), "in the logs");
    assert_eq!(names(&home, &["search", "night owls"])[0], "default/v1/ConfigMap/prices");
    assert_eq!(
        names(&home, &["search", "prices", "-a", "example.org/owner=the night owls"]),
        ["default/v1/ConfigMap/prices"]
    );
    assert!(
        names(&home, &["search", "last applied", "-a", "kubectl.kubernetes.io/last-applied-configuration"]).is_empty()
    );
    assert_eq!(home.run(&["count", "--kind", "secret", "-a", "example.org/owner"]).ok().out, "0 matches.\n");
    nowhere_below(&home.path("data"), MARKER);
    assert_eq!(home.run(&sync).ok().counts()[1..3], [0, 0]);
    // It is the cluster in use, as far as a kubeconfig with a certificate authority tells.
    let same = home.run(&["search", "night owls", "--kubeconfig", config.to_str().unwrap()]).ok();
    assert_eq!(same.err, "");
}
