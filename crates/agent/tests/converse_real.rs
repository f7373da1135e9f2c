//! The live tools on a real API server: they return what kubectl returns for the same object and caller, and are refused exactly where
//! kubectl is.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_agent::converse::{Step, Talk};
use clusterlore_cluster::reads::Object;
use clusterlore_index::Request;
use clusterlore_testkit::chat::{FakeChat, Says};
use clusterlore_testkit::real::{ApiServer, Options};
use common::{APIS, ask, model};
use serde_json::{Value, json};

/// These calls, in one turn, as a user.
async fn calls(server: &ApiServer, user: &str, api: &str, calls: &[(&str, Value)]) -> Talk {
    let turn = calls.iter().fold(Says::text("I look."), |says, (name, input)| says.and_call(name, input.clone()));
    let chat = FakeChat::start([turn, Says::text("Done.")]).await;
    let within = Request { question: "?".to_owned(), ..Request::default() };
    ask(&*model(&chat, api), None, &server.kubeconfig(user), within).await
}

/// What a tool said, without its fence and the line of ids.
fn said(step: &Step) -> String {
    let lines: Vec<&str> = step.result.lines().collect();
    lines[1..lines.len() - 1].iter().filter(|line| !line.starts_with("id: ")).map(|line| format!("{line}\n")).collect()
}

/// Words of a table; ages differ from second to second.
fn words(table: &str) -> Vec<Vec<String>> {
    let is_age = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd', 'y'])
            && word.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c))
    };
    let word = |word: &str| if is_age(word) { "AGE".to_owned() } else { word.to_owned() };
    table.lines().map(|line| line.split_whitespace().map(word).collect()).collect()
}

const TABLES: [(&str, &str, &str); 14] = [
    ("pods", "ward", ""),
    ("po", "all", ""),
    ("deployments", "ward", ""),
    ("deployments.apps", "ward", "crash"),
    ("Deployment", "ward", "crash"),
    ("rs", "ward", ""),
    ("svc", "all", ""),
    ("secrets", "all", ""),
    ("configmaps", "kube-system", ""),
    ("namespaces", "", ""),
    ("ns", "", "ward"),
    ("nodes", "", ""),
    ("ingress", "all", ""),
    ("clusterroles", "", ""),
];

fn input(resource: &str, namespace: &str, name: &str) -> Value {
    let mut input = json!({"resource": resource});
    for (key, value) in [("namespace", namespace), ("name", name)] {
        if !value.is_empty() {
            input[key] = json!(value);
        }
    }
    input
}

fn kubectl<'a>(verb: &'a str, resource: &'a str, namespace: &'a str, name: &'a str) -> Vec<&'a str> {
    let mut args = vec![verb, resource];
    match namespace {
        "" => {}
        "all" => args.push("-A"),
        namespace => args.extend(["-n", namespace]),
    }
    args.extend(Some(name).filter(|name| !name.is_empty()));
    args
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_return_what_kubectl_returns() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.create_failures();
    for api in APIS {
        let all: Vec<(&str, Value)> = TABLES.iter().map(|(r, ns, n)| ("kubectl_get", input(r, ns, n))).collect();
        let done = calls(&server, "admin", api, &all).await;
        for (step, (resource, namespace, name)) in done.steps.iter().zip(TABLES) {
            let expected = server.kubectl(&kubectl("get", resource, namespace, name));
            assert_eq!(step.failed, expected.is_empty() && !name.is_empty(), "{resource}: {}", step.result);
            if expected.is_empty() {
                assert!(said(step).starts_with("No resources found"), "{resource}: {}", step.result);
            } else {
                assert_eq!(words(&said(step)), words(&expected), "{resource} {namespace} {name}");
            }
        }
    }

    let objects: Vec<Value> = ["pods", "deployments", "replicasets", "services", "secrets", "configmaps", "nodes"]
        .iter()
        .flat_map(|ty| {
            let listed: Value = serde_json::from_str(&server.kubectl(&["get", ty, "-A", "-o", "json"])).unwrap();
            listed["items"].as_array().unwrap().clone()
        })
        .collect();
    assert!(objects.len() > 60, "{}", objects.len());
    let of = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let describe = |object: &Value| {
        ("kubectl_describe", input(object["kind"].as_str().unwrap(), &of(object, "namespace"), &of(object, "name")))
    };
    let all: Vec<(&str, Value)> = objects.iter().map(describe).collect();
    let done = calls(&server, "admin", "anthropic", &all).await;
    assert_eq!(done.steps.len(), objects.len());
    let mut events = 0;
    for (step, object) in done.steps.iter().zip(&objects) {
        let said = said(step);
        let (yaml, told) = said.split_once("Events:").unwrap_or_else(|| panic!("{said}"));
        // What is masked everywhere is masked here; the rest is kubectl's, to the letter.
        let expected = Object::new(object.clone());
        assert_eq!(&serde_saphyr::from_str::<Value>(yaml).unwrap(), expected.json(), "{said}");
        assert!(!said.contains(ApiServer::SECRET_MARK), "{said}");
        let (namespace, name) = (of(object, "namespace"), of(object, "name"));
        let selected = format!("involvedObject.name={name},involvedObject.kind={}", object["kind"].as_str().unwrap());
        let namespace = if namespace.is_empty() { "default" } else { &namespace };
        let listed = server.kubectl(&["get", "events", "-n", namespace, "--field-selector", &selected, "-o", "json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        for event in listed["items"].as_array().unwrap() {
            assert!(told.contains(event["reason"].as_str().unwrap()), "{event} {told}");
            events += 1;
        }
    }
    assert!(events > 10, "{events}");
    // Each id that a tool returned can be cited.
    let pod = objects.iter().find(|object| object["kind"] == "Pod").unwrap();
    let id = format!("{}/v1/Pod/{}", of(pod, "namespace"), of(pod, "name"));
    let text = serde_json::to_string(&done.messages).unwrap();
    assert!(text.contains(&id), "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_refused_where_kubectl_is() {
    let options = Options { users: vec!["bound".to_owned()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.create_failures();
    server.create_role_for("bound", &["ward"]);
    let pods = server.kubectl(&["get", "pods", "-n", "ward", "-o", "name"]);
    let pod = pods.lines().next().unwrap().trim_start_matches("pod/").to_owned();
    let mut refused = 0;
    for user in ["admin", "bound", "viewer"] {
        let mut asked: Vec<(&str, Value, Vec<String>)> = Vec::new();
        let mut add = |tool, input: Value, args: Vec<&str>| {
            asked.push((tool, input, args.into_iter().map(str::to_owned).collect()));
        };
        for (resource, namespace, name) in TABLES {
            add("kubectl_get", input(resource, namespace, name), kubectl("get", resource, namespace, name));
        }
        for (resource, namespace, name) in [
            ("pods", "ward", pod.as_str()),
            ("pods", "ward", "ghost"),
            ("pods", "kube-system", "ghost"),
            ("secrets", "ward", "robot-account"),
            ("ns", "", "ward"),
            ("nodes", "", "ghost"),
            ("gadgets", "ward", "ghost"),
            ("clusterroles", "", "view"),
        ] {
            // kubectl describe finds several by a prefix; get takes the name as it stands.
            add("kubectl_describe", input(resource, namespace, name), kubectl("get", resource, namespace, name));
        }
        for (namespace, pod) in [("ward", pod.as_str()), ("ward", "ghost"), ("kube-system", "ghost")] {
            add("kubectl_logs", json!({"pod": pod, "namespace": namespace}), vec!["logs", pod, "-n", namespace]);
        }
        let all: Vec<(&str, Value)> = asked.iter().map(|(tool, input, _)| (*tool, input.clone())).collect();
        let done = calls(&server, user, "openai", &all).await;
        assert_eq!(done.steps.len(), asked.len());
        for (step, (_, _, args)) in done.steps.iter().zip(&asked) {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let output = server.kubectl_as(user, &args);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(step.failed, !output.status.success(), "{user} {args:?}: {} | {error}", step.result);
            for (kubectls, ours) in [
                ("(Forbidden)", "forbidden:"),
                ("(NotFound)", "NotFound:"),
                ("have a resource type", "have a resource type"),
            ] {
                assert_eq!(
                    step.result.contains(ours),
                    error.contains(kubectls),
                    "{user} {args:?}: {} | {error}",
                    step.result
                );
            }
            refused += usize::from(error.contains("(Forbidden)"));
        }
    }
    assert!(refused >= 30, "{refused}");
}
