//! The commonest requests to an assistant for a cluster, as calls of our tools and as lines of kubectl, over the shared corpus on a real API
//! server. docs/mcp-requests.md has the table of it; `CLUSTERLORE_WRITE=1` writes it anew.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clusterlore_testkit::real::mcp_sdks_or_skip;
use common::Home;
use common::assistants::{USUAL, corpus, ready, served, text, tokens, tokens_of, with_calls};
use serde_json::{Value, json};

/// Tokens of an answer at most, text and object together.
const MOST_TOKENS: usize = 4_000;
/// How far numbers in the document may be from those that are measured: ages and orders differ.
const DRIFT: f64 = 0.15;

/// What somebody asks, the calls that answer it, what the answer holds, and what it takes with kubectl.
struct Request {
    asked: &'static str,
    calls: Vec<(&'static str, Value)>,
    holds: &'static [&'static str],
    kubectl: &'static [&'static [&'static str]],
}

const FIND: &str = "find_resources";

fn requests() -> Vec<Request> {
    let of = |asked, calls: Vec<(&'static str, Value)>, holds, kubectl| Request { asked, calls, holds, kubectl };
    let find = |arguments: Value| vec![(FIND, arguments)];
    vec![
        of(
            "list the pods in shop",
            find(json!({"kind": "pods", "namespaces": ["shop"]})),
            &["14 match", "shop/v1/Pod/crashing"],
            &[&["get", "pods", "-n", "shop", "--show-labels"]],
        ),
        of(
            "how many pods are there",
            find(json!({"kind": "pods", "output": "count"})),
            &["16 match"],
            &[&["get", "pods", "-A"]],
        ),
        of(
            "pods per namespace",
            find(json!({"kind": "pods", "output": "count", "groupBy": "namespace"})),
            &["namespace shop: 14", "namespace bank: 2"],
            &[&["get", "pods", "-A"]],
        ),
        of(
            "what is failing in shop",
            find(json!({"question": "failing pods", "namespaces": ["shop"]})),
            &["shop/v1/Pod/crashing", "CrashLoopBackOff"],
            &[&["get", "pods", "-n", "shop"]],
        ),
        of(
            "which pods restart",
            find(json!({"question": "pods that restarted more than 5 times"})),
            &["shop/v1/Pod/restarted", "14"],
            &[&["get", "pods", "-A"]],
        ),
        of(
            "which pods are pending",
            find(json!({"question": "pending pods"})),
            &["shop/v1/Pod/creating"],
            &[&["get", "pods", "-A"]],
        ),
        of(
            "which deployments are not ready",
            find(json!({"question": "deployments that are not ready", "namespaces": ["shop"]})),
            &["shop/apps/v1/Deployment/dead"],
            &[&["get", "deployments", "-n", "shop"]],
        ),
        of(
            "which claims are unbound",
            find(json!({"question": "pending persistent volume claims"})),
            &["shop/v1/PersistentVolumeClaim/unbound"],
            &[&["get", "pvc", "-A"]],
        ),
        of(
            "which nodes are not ready",
            find(json!({"question": "nodes that are not ready"})),
            &["_cluster/v1/Node/n3"],
            &[&["get", "nodes"]],
        ),
        of(
            "which images run in shop",
            find(json!({"question": "which images do the deployments run", "namespaces": ["shop"]})),
            &["nginx:1.27.3"],
            &[&["get", "deployments", "-n", "shop", "-o", "yaml"]],
        ),
        of(
            "which services have an external address",
            find(json!({"question": "services with an external ip"})),
            &["shop/v1/Service/web", "203.0.113.7"],
            &[&["get", "services", "-A"]],
        ),
        of(
            "which services expose checkout",
            find(json!({"question": "services of checkout", "kind": "svc"})),
            &["storefront/v1/Service/checkout-api"],
            &[&["get", "services", "-A", "--show-labels"]],
        ),
        of(
            "find by label team=shop",
            find(json!({"labels": "team=shop"})),
            &["storefront/apps/v1/Deployment/web"],
            &[&["get", "all", "-A", "-l", "team=shop", "--show-labels"]],
        ),
        of(
            "which namespaces match a pattern",
            find(json!({"kind": "ns", "name": "*metr*"})),
            &["_cluster/v1/Namespace/metrics"],
            &[&["get", "namespaces"]],
        ),
        of(
            "list the namespaces",
            find(json!({"kind": "ns", "limit": 50})),
            &["_cluster/v1/Namespace/storefront"],
            &[&["get", "namespaces"]],
        ),
        of(
            "what is in namespace storefront",
            find(json!({"namespaces": ["storefront"], "output": "summary"})),
            &["kind Deployment: 5", "kind Service: 5"],
            &[&["get", "all", "-n", "storefront"], &["get", "configmaps,secrets,ingresses,pvc", "-n", "storefront"]],
        ),
        of(
            "what is in the cluster",
            vec![("cluster_overview", json!({}))],
            &["deployments.apps ", "namespaces:"],
            &[&["api-resources"], &["get", "namespaces"], &["get", "all", "-A"]],
        ),
        of(
            "which databases run",
            find(json!({"question": "which databases are running?"})),
            &["iot/apps/v1/StatefulSet/timescaledb"],
            &[
                &["api-resources"],
                &["get", "statefulsets,deployments", "-A", "--show-labels"],
                &["get", "mariadbs,cassandradatacenters,databases", "-A"],
            ],
        ),
        of(
            "what handles payments",
            find(json!({"question": "what handles payments"})),
            &["storefront/apps/v1/Deployment/checkout-api"],
            &[&["get", "deployments,statefulsets", "-A", "-o", "yaml"]],
        ),
        of(
            "where does single sign-on run",
            find(json!({"question": "single sign-on"})),
            &["identity/apps/v1/StatefulSet/keycloak"],
            &[&["get", "deployments,statefulsets", "-A", "--show-labels"]],
        ),
        of(
            "which type is for a database",
            vec![("find_resource_types", json!({"task": "a database for my app"}))],
            &["databases.k8s.mariadb.com", "apiVersion"],
            &[&["api-resources"], &["explain", "databases.k8s.mariadb.com"]],
        ),
        of(
            "how do I run something every night",
            vec![("find_resource_types", json!({"task": "run something every night", "limit": 3}))],
            &["cronjobs.batch"],
            &[&["api-resources"], &["explain", "cronjobs"]],
        ),
        of(
            "show the deployment checkout-api",
            vec![("get_resource", json!({"kind": "deploy", "name": "checkout-api"}))],
            &["example/checkout:12", "read from the cluster just now"],
            &[&["get", "deployment", "checkout-api", "-n", "storefront", "-o", "yaml"]],
        ),
        of(
            "why does pod crashing not start",
            vec![("get_resource", json!({"id": "shop/v1/Pod/crashing", "part": "status"}))],
            &["CrashLoopBackOff"],
            &[&["describe", "pod", "crashing", "-n", "shop"]],
        ),
        of(
            "find a pod and show its status",
            vec![
                (FIND, json!({"kind": "pods", "name": "no-im*"})),
                ("get_resource", json!({"kind": "pod", "name": "no-image", "part": "status"})),
            ],
            &["shop/v1/Pod/no-image", "ImagePullBackOff"],
            &[&["get", "pods", "-A"], &["get", "pod", "no-image", "-n", "shop", "-o", "yaml"]],
        ),
        of(
            "what changed lately",
            vec![("recent_changes", json!({"since": "1h", "namespaces": ["shop"]}))],
            &["created", "shop/v1/ConfigMap/new-settings"],
            &[&["get", "events", "-A"], &["get", "all,configmaps", "-A"]],
        ),
        of(
            "what was deleted",
            vec![("recent_changes", json!({"question": "what was deleted"}))],
            &["deleted", "shop/v1/ConfigMap/old-settings"],
            // Not all of them: the API server writes some of its own when it mends addresses of services, now and then.
            &[&["get", "events", "-A", "--field-selector", "reason=Killing"]],
        ),
        of(
            "what is newest",
            find(json!({"kind": "configmaps", "sort": "newest", "limit": 3})),
            &["shop/v1/ConfigMap/new-settings", "age"],
            &[&["get", "configmaps", "-A", "--sort-by=.metadata.creationTimestamp"]],
        ),
        of(
            "which jobs failed",
            find(json!({"question": "failed jobs"})),
            &["shop/batch/v1/Job/broken"],
            &[&["get", "jobs", "-A"]],
        ),
        of(
            "which secrets and config maps has the pet store",
            find(json!({"kind": "secrets,configmaps", "namespaces": ["pet-store"]})),
            &["pet-store/v1/Secret/order-service-secrets", "pet-store/v1/ConfigMap/order-service-configs"],
            &[&["get", "secrets,configmaps", "-n", "pet-store"]],
        ),
    ]
}

#[test]
fn the_commonest_requests_take_two_calls_at_most() {
    let Some(sdks) = mcp_sdks_or_skip() else { return };
    let Some(server) = corpus() else { return };
    server.kubectl(&["create", "configmap", "old-settings", "-n", "shop"]);
    let home = Home::new();
    let serving = ready(&home, &server, &[]);
    // What is created in the second in which the journal begins, or in the one after it, is no news.
    std::thread::sleep(Duration::from_secs(2));
    server.kubectl(&["create", "configmap", "new-settings", "-n", "shop"]);
    server.kubectl(&["delete", "configmap", "old-settings", "-n", "shop"]);
    serving.until(Duration::from_secs(20), || serving.get("/api/v1/changes?q=deleted").1.contains("old-settings"));

    let requests = requests();
    assert_eq!(requests.len(), 30);
    let calls: Vec<(&str, Value)> = requests.iter().flat_map(|request| request.calls.clone()).collect();
    let told = USUAL.asks(&sdks, &with_calls(served(&serving, ""), &calls));
    let mut results = told["results"].as_array().unwrap().iter();
    let (mut wrong, mut rows) = (Vec::new(), Vec::new());
    for Request { asked, calls, holds, kubectl } in &requests {
        assert!((1..=2).contains(&calls.len()), "{asked}");
        let answers: Vec<&Value> = results.by_ref().take(calls.len()).collect();
        let all: String = answers.iter().map(|answer| answer.to_string()).collect();
        let texts: String = answers.iter().map(|answer| text(answer)).collect();
        for held in *holds {
            if !texts.contains(held) && !all.contains(held) {
                wrong.push(format!("{asked}: {held:?} is not in\n{texts}\n"));
            }
        }
        for answer in &answers {
            assert_eq!(answer["error"], false, "{asked}: {answer}");
            let both = tokens_of(answer);
            assert!(both < MOST_TOKENS, "{asked}: {both} tokens");
            let object = &answer["structured"];
            assert!(
                object["narrow"].is_string() && text(answer).contains(object["narrow"].as_str().unwrap()),
                "{asked}: {answer}"
            );
        }
        let listed: usize = kubectl.iter().map(|args| tokens(&server.kubectl(args))).sum();
        rows.push((*asked, calls.len(), tokens(&texts), kubectl.len(), listed, calls, kubectl));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let mut table = String::from(
        "| request | calls | tokens | with kubectl: calls | tokens |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    for (asked, calls, tokens, kubectl, listed, ..) in &rows {
        let _ = writeln!(table, "| {asked} | {calls} | {tokens} | {kubectl} | {listed} |");
    }
    let sum = |of: fn(&(&str, usize, usize, usize, usize)) -> usize| -> usize {
        rows.iter().map(|(asked, a, b, c, d, ..)| of(&(asked, *a, *b, *c, *d))).sum()
    };
    let _ = writeln!(table, "| **all** | {} | {} | {} | {} |", sum(|r| r.1), sum(|r| r.2), sum(|r| r.3), sum(|r| r.4));
    let mut lines = String::new();
    for (asked, .., calls, kubectl) in &rows {
        let ours: Vec<String> = calls.iter().map(|(tool, arguments)| format!("`{tool} {arguments}`")).collect();
        let theirs: Vec<String> = kubectl.iter().map(|args| format!("`kubectl {}`", args.join(" "))).collect();
        let _ = writeln!(lines, "- {asked}: {}; with kubectl: {}", ours.join(", "), theirs.join(", "));
    }
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/mcp-requests.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once("<!-- table -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- end -->\n").unwrap();
    let new = format!("{head}<!-- table -->\n{table}\nEach as it was asked:\n\n{lines}<!-- end -->\n{tail}");
    if std::env::var_os("CLUSTERLORE_WRITE").is_some() {
        std::fs::write(&page, new).unwrap();
        return;
    }
    let far = far(&text, &new);
    assert!(far.is_empty(), "docs/mcp-requests.md is old; write it anew with CLUSTERLORE_WRITE=1:\n{}", far.join("\n"));
}

/// Lines of two texts that are not the same but for numbers that differ a little.
fn far(old: &str, new: &str) -> Vec<String> {
    let near = |(a, b): (&str, &str)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 60.0 + DRIFT * a.max(b),
        _ => a == b,
    };
    let is_near = |old: &str, new: &str| {
        let (old, new): (Vec<&str>, Vec<&str>) = (old.split_whitespace().collect(), new.split_whitespace().collect());
        old.len() == new.len() && old.into_iter().zip(new).all(near)
    };
    let (mut left, mut right) = (old.lines(), new.lines());
    let pairs = std::iter::from_fn(|| match (left.next(), right.next()) {
        (None, None) => None,
        (old, new) => Some((old.unwrap_or_default(), new.unwrap_or_default())),
    });
    pairs.filter(|(old, new)| !is_near(old, new)).map(|(old, new)| format!("- {old}\n+ {new}")).collect()
}
