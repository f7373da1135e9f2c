//! Types and namespaces that a real API server no longer has leave nothing in the index.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use clusterlore_testkit::real::ApiServer;
use common::{Home, Ran};

const WIDGETS: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: widgets, kind: Widget, singular: widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, description: A widget.}}}]
";

fn ids(home: &Home) -> Vec<String> {
    let export = home.run(&["export", "-", "--no-vectors"]).ok().out;
    let lines = export.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter_map(|line| Some(line["document"]["id"].as_str()?.to_owned())).collect()
}

fn index(home: &Home, server: &ApiServer, user: &str, command: &str) -> Ran {
    home.run(&[command, "--kubeconfig", server.kubeconfig(user).to_str().unwrap()]).ok()
}

#[test]
fn a_definition_that_is_deleted_takes_its_documents_along() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply(WIDGETS);
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/widgets.example.org"]);
    server.apply("apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: ghost, namespace: default}\n");
    let widgets = |home: &Home| ids(home).into_iter().filter(|id| id.contains("idget")).collect::<Vec<_>>();
    // The server's discovery follows its definitions after a moment.
    let until = |serves: bool| {
        for _ in 0..100 {
            if server.kubectl(&["api-resources", "--api-group=example.org", "-o", "name"]).contains("widgets") == serves
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("discovery never changed");
    };
    until(true);
    // `index` runs `sync` first, which forgets the type before the other pipeline sees it; the other order must do as well.
    let (usual, other_way) = (Home::new(), Home::new());
    index(&usual, &server, "admin", "index");
    index(&other_way, &server, "admin", "index");
    assert_eq!(widgets(&usual).len(), 2, "{:?}", widgets(&usual));
    server.kubectl(&["delete", "crd", "widgets.example.org"]);
    until(false);
    index(&usual, &server, "admin", "index");
    index(&usual, &server, "admin", "index");
    assert_eq!(widgets(&usual), [""; 0]);
    index(&other_way, &server, "admin", "sync-instances");
    index(&other_way, &server, "admin", "sync");
    assert_eq!(widgets(&other_way), [""; 0]);
}

/// What happens when an operator is uninstalled: whoever may not list the type gets a 403, whether it is there or not.
#[test]
fn a_definition_goes_with_the_right_to_list_it() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply(WIDGETS);
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/widgets.example.org"]);
    server.apply("apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: ghost, namespace: default}\n");
    let role = |name: &str, group: &str, plural: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: {name}, namespace: default}}\n\
             rules: [{{apiGroups: ['{group}'], resources: [{plural}], verbs: [list]}}]\n---\n\
             apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: {name}, namespace: default}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}\n\
             subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}}]\n"
        )
    };
    server.apply(&role("widgets", "example.org", "widgets"));
    server.apply(&role("settings", "", "configmaps"));
    server.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\n");
    let home = Home::new();
    let ghosts = |home: &Home| ids(home).into_iter().filter(|id| id.ends_with("/ghost")).count();
    // Discovery follows its definitions, and rights their bindings, after a moment.
    let until = |expected: usize| {
        for _ in 0..100 {
            index(&home, &server, "viewer", "sync-instances");
            if ghosts(&home) == expected {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{:?}", ids(&home));
    };
    until(1);
    server.kubectl(&["delete", "-n", "default", "rolebinding", "widgets"]);
    let kept = index(&home, &server, "viewer", "sync-instances");
    assert_eq!(ghosts(&home), 1, "a type that is there and may not be listed says nothing: {}", kept.err);
    server.kubectl(&["delete", "crd", "widgets.example.org"]);
    until(0);
    assert!(ids(&home).contains(&"default/v1/ConfigMap/settings".to_owned()));
}

#[test]
fn a_namespace_that_is_deleted_takes_its_documents_along_for_a_viewer_of_two() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    for namespace in ["team-a", "team-b", "team-c"] {
        server.apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: {namespace}}}\n"
        ));
    }
    server.create_role_for("viewer", &["team-a", "team-b"]);
    server.apply(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ns}\n\
         rules: [{apiGroups: [''], resources: [namespaces], verbs: [list]}]\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ns}\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ns}\n\
         subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]\n",
    );
    let home = Home::new();
    index(&home, &server, "viewer", "sync-instances");
    let before = ids(&home);
    let of = |ids: &[String], start: &str| ids.iter().filter(|id| id.starts_with(start)).count();
    assert!(of(&before, "team-a/") > 0 && of(&before, "team-b/") > 0 && of(&before, "team-c/") == 0, "{before:?}");

    // Nobody finishes a namespace's end here: no controller runs. What it held is still in etcd, and out of everybody's reach.
    server.kubectl(&["delete", "namespace", "team-b", "--wait=false"]);
    let mut finalize = Command::new(server.kubectl_path())
        .arg("--kubeconfig")
        .arg(server.kubeconfig("admin"))
        .args(["replace", "--raw", "/api/v1/namespaces/team-b/finalize", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let gone = br#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team-b"},"spec":{"finalizers":[]}}"#;
    finalize.stdin.take().unwrap().write_all(gone).unwrap();
    assert!(finalize.wait().unwrap().success());

    index(&home, &server, "viewer", "sync-instances");
    let expected: Vec<String> =
        before.into_iter().filter(|id| !id.starts_with("team-b/") && id != "_cluster/v1/Namespace/team-b").collect();
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(ids(&home)), sorted(expected.clone()));
    index(&home, &server, "viewer", "sync-instances");
    assert_eq!(sorted(ids(&home)), sorted(expected));
}
