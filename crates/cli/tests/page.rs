//! The page in real browsers, over the shared corpus: what `testing/browser/page.mjs` asserts, and what of it only a cluster at work has.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clusterlore_testkit::real::{self, ApiServer};
use common::Home;
use common::serving::Serving;
use serde_json::{Value, json};

/// A line each: names, labels and descriptions of objects that somebody made to harm who reads them.
const HOSTILE: &str = include_str!("page/hostile.txt");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testing/browser");
/// A namespace of the corpus.
const NAMESPACE: &str = "accounts";

fn object(api_version: &str, kind: &str, namespace: &str, name: &str, more: Value) -> Value {
    let mut metadata = json!({"name": name, "namespace": namespace, "uid": name});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})
}

/// A Deployment with what came of it.
fn family() -> Vec<Value> {
    let owned = |kind: &str, name: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true}]);
    let pod = |name: &str| {
        let more = json!({"labels": {"app": "web"}, "ownerReferences": owned("ReplicaSet", "web-7d9f")});
        object("v1", "Pod", "family", name, more)
    };
    vec![
        object("apps/v1", "Deployment", "family", "web", json!({})),
        object("apps/v1", "ReplicaSet", "family", "web-7d9f", json!({"ownerReferences": owned("Deployment", "web")})),
        pod("web-7d9f-a"),
        pod("web-7d9f-b"),
    ]
}

fn hostile() -> impl Iterator<Item = Value> {
    HOSTILE.lines().map(|text| {
        // Of a manifest no name is read that has these, or that is to be filled in.
        let name: String = text.chars().filter(|c| !"/%$".contains(*c)).collect();
        object(
            "v1",
            "ConfigMap",
            "hostile",
            &name,
            json!({"labels": {"says": text}, "annotations": {"description": text}}),
        )
    })
}

/// An index over the corpus, and over what is looked at beside it.
fn filled(corpus: &Path) -> Home {
    let home = Home::new();
    for entry in std::fs::read_dir(corpus).unwrap().map(Result::unwrap) {
        let name = format!("manifests/{}", entry.file_name().to_str().unwrap());
        home.write(&name, &std::fs::read_to_string(entry.path()).unwrap());
    }
    let more: Vec<String> = family().into_iter().chain(hostile()).map(|object| object.to_string()).collect();
    home.write("manifests/zz.yaml", &more.join("\n---\n"));
    let ran = home.run(&["index", "--from", home.path("manifests").to_str().unwrap()]).ok();
    assert!(!ran.err.contains("Skipped"), "{}", ran.err);
    home
}

/// Runs a script in a browser.
fn run(installed: &Path, script: &str, given: &Value) {
    let mut node = Command::new("node")
        .arg(Path::new(SCRIPTS).join(script))
        .env("CLUSTERLORE_BROWSER", installed)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let ran = node.wait_with_output().unwrap();
    let said = [ran.stdout, ran.stderr].map(|stream| String::from_utf8_lossy(&stream).into_owned()).join("\n");
    println!("{said}");
    assert!(ran.status.success(), "{said}");
}

fn the_page_in(browser: &str) {
    let Some(installed) = real::browsers_or_skip() else { return };
    let Some(corpus) = real::shared("corpus/manifests") else { return };
    let (open, guarded) = (filled(&corpus), filled(&corpus));
    let token = guarded.run(&["token", "ann", "--see-namespace", NAMESPACE, "--tokens", "tokens.toml"]).ok().out;
    let open = (Serving::start(&open, &["--no-watch", "--live", "never"]), open);
    let guarded = (Serving::start(&guarded, &["--no-watch", "--live", "never", "--tokens", "tokens.toml"]), guarded);
    let given = json!({
        "browser": browser,
        "open": format!("http://{}", open.0.address),
        "guarded": format!("http://{}", guarded.0.address),
        "token": token.trim(),
        "namespace": NAMESPACE,
        "outside": "legacy/apps/v1/StatefulSet/mssql",
        "hostile": HOSTILE.lines().collect::<Vec<_>>(),
    });
    run(&installed, "page.mjs", &given);
}

#[test]
fn it_does_what_it_must_in_chromium() {
    the_page_in("chromium");
}

#[test]
fn it_does_what_it_must_in_firefox() {
    the_page_in("firefox");
}

#[test]
fn it_tells_what_a_cluster_at_work_says() {
    let Some(installed) = real::browsers_or_skip() else { return };
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply(
        "---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: \
         default, namespace: shop}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: checkout, namespace: shop}, spec: {containers: \
         [{name: web, image: example.org/web}]}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: old-settings, namespace: shop}}\n",
    );
    let home = Home::new();
    let kubeconfig = server.kubeconfig("admin");
    let serving = Serving::start(&home, &["--kubeconfig", kubeconfig.to_str().unwrap()]);
    serving.until(Duration::from_secs(60), || serving.get("/readyz").0 == 200);
    server.kubectl(&["label", "pod", "checkout", "-n", "shop", "team=payments"]);
    server.kubectl(&["delete", "configmap", "old-settings", "-n", "shop"]);
    let noticed = |text: &str| serving.get("/api/v1/changes").1.contains(text);
    serving.until(Duration::from_secs(20), || noticed("labels-changed") && noticed("deleted"));
    let given = json!({
        "browser": "chromium",
        "open": format!("http://{}", serving.address),
        "pod": "shop/v1/Pod/checkout",
        "gone": "old-settings",
    });
    run(&installed, "live.mjs", &given);
}
