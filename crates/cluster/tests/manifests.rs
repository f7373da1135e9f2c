//! Manifests are read as kubectl reads them: kubectl itself is asked what it finds in the same file. And whatever bytes stand in a file,
//! it is read in bounded time.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clusterlore_cluster::{ClusterSource, EventSink, FolderSource, ListScope, SourceEvent};
use clusterlore_testkit::real::ApiServer;
use proptest::prelude::*;
use tokio::sync::mpsc;

/// `apiVersion kind namespace/name`; of what stands in no namespace the namespace is empty.
type Objects = BTreeSet<String>;

/// How clusterlore compares to kubectl on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Than {
    /// Both find the same, or nothing.
    Same,
    /// clusterlore finds more, for this reason.
    Wider(&'static str),
    /// clusterlore finds less, for this reason.
    Narrower(&'static str),
}

use Than::{Narrower, Same, Wider};

/// How kubectl is asked. `Client`: what it reads and would send. `Server`: what an API server makes of it, without keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Client,
    Server,
}

use Ask::{Client, Server};

struct Row {
    file: &'static str,
    bytes: Vec<u8>,
    ask: Ask,
    than: Than,
    /// What clusterlore finds.
    finds: &'static [&'static str],
}

const A: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const B: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n";
const JSON_A: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
const JSON_B: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}"#;
const FOUND_A: &[&str] = &["v1 ConfigMap default/a"];
const FOUND_AB: &[&str] = &["v1 ConfigMap default/a", "v1 ConfigMap default/b"];
const NOTHING: &[&str] = &[];

const UNQUOTED: Than =
    Wider("kubectl wants it in quotes; what was meant is plain, and a slip in one label is no reason to keep all else");
const OLD: Than = Wider("this API server no longer serves the version; the one that the manifest is for does");
const WHOLE_FILE: Than =
    Wider("kubectl decides once for a file between JSON and YAML, here each document is looked at");
const MARKERS: Than = Wider("YAML ends and begins documents there, kubectl knows only bare markers");
const TEMPLATE: Than = Narrower("kubectl would send the template's own text as a name");
const UNNAMED: Than = Narrower("kubectl would send it without a name, for the server to refuse or to make one up");
const BOUND: Than = Narrower("YAML deeper than 200 levels is refused, to bound the parser's stack");

fn utf16(text: &str, mark: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(unit)).collect()
}

/// A ConfigMap whose metadata says this.
fn config_map(metadata: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{{metadata}}}\n")
}

fn object(api_version: &str, kind: &str, metadata: &str) -> String {
    format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{{metadata}}}\n")
}

#[rustfmt::skip]
fn table() -> Vec<Row> {
    let laughs: String = (1..9).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
    let roles = "rbac.authorization.k8s.io/v1";
    let list = |items: &str| format!("apiVersion: v1\nkind: List\nitems:\n{items}");
    let rows: Vec<(&str, String, Ask, Than, &[&str])> = vec![
        // Where documents begin and end.
        ("plain.yaml", A.into(), Server, Same, FOUND_A),
        ("any-extension.txt", A.into(), Client, Same, FOUND_A),
        ("two.yaml", format!("{A}---\n{B}"), Server, Same, FOUND_AB),
        ("crlf.yaml", format!("{A}---\n{B}").replace('\n', "\r\n"), Client, Same, FOUND_AB),
        ("cr.yaml", format!("{A}---\n{B}").replace('\n', "\r"), Client, Wider("kubectl takes the file for one document, and of that the first"), FOUND_AB),
        ("marker-then-comment.yaml", format!("{A}--- # next\n{B}"), Client, Same, FOUND_AB),
        ("marker-and-comment.yaml", format!("{A}---# next\n{B}"), Client, Same, FOUND_AB),
        ("marker-and-blanks.yaml", format!("{A}---  \t\n{B}"), Client, Same, FOUND_AB),
        ("marker-and-content.yaml", format!("{A}--- {JSON_B}\n"), Client, MARKERS, FOUND_AB),
        ("markers.yaml", format!("---\n---\n# c\n---\n{A}---\n---\n{B}---\n"), Client, Same, FOUND_AB),
        ("dots.yaml", format!("{A}...\n---\n{B}"), Client, Same, FOUND_AB),
        ("dots-only.yaml", format!("{A}...\n{B}"), Client, MARKERS, FOUND_AB),
        ("directive.yaml", format!("%YAML 1.2\n---\n{A}"), Client, MARKERS, FOUND_A),
        ("marker-in-block.yaml", format!("{A}data:\n  x: |\n    ---\n    y\n"), Client, Same, FOUND_A),
        ("indented.yaml", "  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n".into(), Client, Same, FOUND_A),
        ("empty.yaml", String::new(), Client, Same, NOTHING),
        ("comments.yaml", "# a\n---\n# b\n".into(), Client, Same, NOTHING),
        ("null.yaml", "null\n".into(), Client, Same, NOTHING),
        ("broken-in-the-middle.yaml", format!("{A}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [x\n---\n{B}"), Client, Wider("kubectl stops there"), FOUND_AB),
        // JSON.
        ("one.json", JSON_A.into(), Server, Same, FOUND_A),
        ("stream.json", format!("\n {JSON_A}\n{JSON_B}\n"), Client, Same, FOUND_AB),
        ("tight.json", format!("{JSON_A}{JSON_B}"), Client, Same, FOUND_AB),
        ("marked.json", format!("{JSON_A}\n---\n{JSON_B}"), Client, WHOLE_FILE, FOUND_AB),
        ("stream-of-json.yaml", format!("{JSON_A}\n{JSON_B}"), Client, Same, FOUND_AB),
        ("json-then-yaml.yaml", format!("{JSON_A}\n---\n{B}"), Client, WHOLE_FILE, FOUND_AB),
        ("yaml-then-json.yaml", format!("{A}---\n{JSON_B}"), Client, Same, FOUND_AB),
        ("yaml.json", A.into(), Client, Same, FOUND_A),
        ("hash.json", format!("# c\n{JSON_A}"), Client, Same, FOUND_A),
        ("flow.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}".into(), Client, WHOLE_FILE, FOUND_A),
        ("trailing-comma.json", JSON_A.replace("}}", ",},}"), Client, WHOLE_FILE, FOUND_A),
        ("keys-twice.json", r#"{"apiVersion":"v1","kind":"Service","kind":"ConfigMap","metadata":{"name":"one"},"metadata":{"name":"a"}}"#.into(), Client, Same, FOUND_A),
        ("keys-twice-within.json", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one","labels":{"a":"1","a":"2"},"name":"a"}}"#.into(), Client, Same, FOUND_A),
        ("cut.json", JSON_A[..JSON_A.len() - 2].into(), Client, Same, NOTHING),
        ("garbage-behind.json", format!("{JSON_A} garbage"), Client, Same, FOUND_A),
        ("array.json", format!("[{JSON_A},{JSON_B}]"), Client, Same, NOTHING),
        ("other-case.json", r#"{"APIVersion":"v1","Kind":"ConfigMap","metadata":{"name":"a"}}"#.into(), Client, Same, NOTHING),
        ("surrogates.json", JSON_A.replace("\"a\"", r#""a","annotations":{"description":"\ud83d\ude00"}"#), Client, Same, FOUND_A),
        ("half-surrogate.json", JSON_A.replace("\"a\"", r#""a","annotations":{"description":"\ud800 \\ud800"}"#), Client, Same, FOUND_A),
        ("null-character.yaml", format!("{A}x: 'a\0b'\n---\n{B}"), Client, Wider("kubectl stops there"), &["v1 ConfigMap default/b"]),
        ("control-character.yaml", format!("{A}x: 'a\u{1}b'\n"), Client, Same, NOTHING),
        ("lfs-pointer.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".into(), Client, Same, NOTHING),
        ("long-key.json", JSON_A.replace("}}", &format!("}},\"data\":{{\"{}\":\"v\"}}}}", "k".repeat(2_000))), Client, Same, FOUND_A),
        ("deep.json", JSON_A.replace("}}", &format!("}},\"x\":{}{}}}", "[".repeat(500), "]".repeat(500))), Client, Same, FOUND_A),
        // YAML.
        ("keys-twice.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\nmetadata: {name: one, name: a}\n".into(), Client, Same, FOUND_A),
        ("aliases.yaml", format!("{A}x: &r {{cpu: 1}}\ny:\n{}", "  - *r\n".repeat(5_000)), Client, Same, FOUND_A),
        ("laughs.yaml", format!("{A}a0: &a0 [x, x]\n{laughs}"), Client, Same, NOTHING),
        ("merge.yaml", "x: &b {name: one, labels: {a: b}}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  <<: *b\n  name: a\n".into(), Client, Same, FOUND_A),
        ("merge-list.yaml", "x: &b {name: a}\ny: &c {namespace: default, name: z}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  <<: [*b, *c]\n".into(), Client, Same, FOUND_A),
        ("merge-at-the-top.yaml", "x: &b {apiVersion: v1, kind: ConfigMap}\n<<: *b\nmetadata: {name: a}\n".into(), Client, Same, FOUND_A),
        ("quoted-keys.yaml", "\"apiVersion\": \"v1\"\n'kind': ConfigMap\n\"metadata\": {\"name\":\"a\"}\n".into(), Client, Same, FOUND_A),
        ("tags.yaml", "apiVersion: !!str v1\nkind: ConfigMap\nmetadata: !own\n  name: !other a\n".into(), Client, Same, FOUND_A),
        ("binary.yaml", config_map("name: !!binary YQ=="), Client, Same, FOUND_A),
        ("under-indented.yaml", format!("{A}  annotations:\n    description: \"one\ntwo\"\n"), Client, Same, FOUND_A),
        ("under-indented-flow.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {\nname: a\n}\n".into(), Client, Same, FOUND_A),
        ("many-comments.yaml", list(&format!("{}- {JSON_A}\n", "# c\n".repeat(200))), Client, Same, FOUND_A),
        ("number-as-key.yaml", format!("{A}x:\n  1: y\n"), Client, Same, FOUND_A),
        ("list-as-key.yaml", format!("{A}x:\n  ? [a, b]\n  : c\n"), Client, Wider("JSON has no such keys; here nothing of it is kept"), FOUND_A),
        ("tabs-between.yaml", "apiVersion:\tv1\nkind:\tConfigMap\nmetadata:\n  name:\ta\n".into(), Client, Same, FOUND_A),
        ("tabs-in-front.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n".into(), Client, Same, NOTHING),
        ("no-space.yaml", "apiVersion:v1\nkind: ConfigMap\nmetadata: {name: a}\n".into(), Client, Same, NOTHING),
        ("conflict.yaml", format!("<<<<<<< HEAD\n{A}=======\n{B}>>>>>>> x\n"), Client, Same, NOTHING),
        ("control.yaml", format!("{A}x: \"\x01\"\n"), Client, Same, NOTHING),
        ("deep-flow.yaml", format!("{A}x: {}{}\n", "[".repeat(300), "]".repeat(300)), Client, BOUND, NOTHING),
        ("too-deep.yaml", format!("{A}x: {}{}\n", "[".repeat(11_000), "]".repeat(11_000)), Client, Same, NOTHING),
        ("array.yaml", format!("- {JSON_A}\n"), Client, Same, NOTHING),
        ("words.yaml", "words\n".into(), Client, Same, NOTHING),
        // Names, namespaces, labels.
        ("number-as-name.yaml", config_map("name: 12"), Client, UNQUOTED, &["v1 ConfigMap default/12"]),
        ("bool-as-name.yaml", config_map("name: yes"), Client, UNQUOTED, &["v1 ConfigMap default/yes"]),
        ("date-as-name.yaml", config_map("name: 2024-01-01"), Server, Same, &["v1 ConfigMap default/2024-01-01"]),
        ("quoted-number.yaml", config_map("name: '12', labels: {a: '1', b: \"yes\"}"), Server, Same, &["v1 ConfigMap default/12"]),
        ("number-as-label.yaml", config_map("name: a, labels: {a: 1}"), Client, UNQUOTED, FOUND_A),
        ("bool-as-label.yaml", config_map("name: a, labels: {a: yes}"), Client, UNQUOTED, FOUND_A),
        ("null-as-label.yaml", config_map("name: a, labels: {a: }"), Server, Same, FOUND_A),
        ("map-as-label.yaml", config_map("name: a, labels: {a: {b: c}}"), Client, Same, NOTHING),
        ("list-as-labels.yaml", config_map("name: a, labels: [a]"), Client, Same, NOTHING),
        ("text-as-metadata.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: a\n".into(), Client, Same, NOTHING),
        ("null-as-namespace.yaml", config_map("name: a, namespace: null"), Server, Same, FOUND_A),
        ("empty-namespace.yaml", config_map("name: a, namespace: ''"), Server, Same, FOUND_A),
        ("namespace-with-colon.yaml", config_map("name: a, namespace: 'east:shop'"), Server, Same, NOTHING),
        ("namespace-in-capitals.yaml", config_map("name: a, namespace: Shop"), Server, Same, NOTHING),
        ("name-with-slash.yaml", config_map("name: a/b"), Server, Same, NOTHING),
        ("name-with-percent.yaml", object(roles, "ClusterRole", "name: 'a%b'"), Server, Same, NOTHING),
        ("name-of-dots.yaml", object(roles, "ClusterRole", "name: '..'"), Server, Same, NOTHING),
        ("name-with-colon.yaml", object(roles, "ClusterRole", "name: 'shop:reader'"), Server, Same, &["rbac.authorization.k8s.io/v1 ClusterRole /shop:reader"]),
        ("name-with-blank.yaml", object(roles, "ClusterRole", "name: 'a b'"), Server, Same, &["rbac.authorization.k8s.io/v1 ClusterRole /a b"]),
        ("name-in-capitals.yaml", config_map("name: Ab"), Server, Wider("which letters a name may have hangs on the type, and only the API server knows"), &["v1 ConfigMap default/Ab"]),
        ("cluster-wide-with-namespace.yaml", object(roles, "ClusterRole", "name: a, namespace: shop"), Server, Same, &["rbac.authorization.k8s.io/v1 ClusterRole /a"]),
        ("generated-name.yaml", config_map("generateName: a-"), Client, UNNAMED, NOTHING),
        ("no-name.yaml", config_map("labels: {a: b}"), Client, UNNAMED, NOTHING),
        ("no-metadata.yaml", "apiVersion: v1\nkind: ConfigMap\n".into(), Client, UNNAMED, NOTHING),
        ("no-name-served.yaml", config_map("labels: {a: b}"), Server, Same, NOTHING),
        ("no-kind.yaml", "apiVersion: v1\nmetadata: {name: a}\n".into(), Client, Same, NOTHING),
        ("no-version.yaml", "kind: ConfigMap\nmetadata: {name: a}\n".into(), Server, Same, NOTHING),
        ("two-slashes.yaml", object("a/b/c", "ConfigMap", "name: a"), Client, Same, NOTHING),
        // Kinds.
        ("values.yaml", "image: nginx\n".into(), Client, Same, NOTHING),
        ("Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n".into(), Client, Same, NOTHING),
        ("kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n".into(), Client, Same, NOTHING),
        ("kubeconfig.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n".into(), Client, Same, NOTHING),
        ("template.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n".into(), Client, Same, NOTHING),
        ("quoted-template.yaml", config_map("name: \"{{ .Release.Name }}\""), Client, TEMPLATE, NOTHING),
        ("quoted-template-served.yaml", config_map("name: \"{{ .Release.Name }}\""), Server, Same, NOTHING),
        ("action-in-quotes.yaml", config_map("name: a, annotations: {x: \"{{ y }}\"}"), Server, Same, FOUND_A),
        ("other-version.yaml", object("autoscaling/v1", "HorizontalPodAutoscaler", "name: a"), Client, Same, &["autoscaling/v1 HorizontalPodAutoscaler default/a"]),
        ("old-version.yaml", object("apps/v1beta2", "Deployment", "name: a"), Client, OLD, &["apps/v1beta2 Deployment default/a"]),
        ("old-group.yaml", object("extensions/v1beta1", "Ingress", "name: a"), Client, OLD, &["extensions/v1beta1 Ingress default/a"]),
        ("ancient.yaml", object("v1beta1", "Pod", "name: a"), Client, OLD, &["v1beta1 Pod default/a"]),
        ("kind-in-small-letters.yaml", object("apps/v1", "deployment", "name: a"), Server, Same, NOTHING),
        ("unknown-kind.yaml", object("own.example.org/v1", "Own", "name: a"), Client, Wider("folders seldom hold all definitions, so that types are guessed"), &["own.example.org/v1 Own /a"]),
        // Lists.
        ("list.yaml", list(&format!("- {JSON_A}\n- {JSON_B}\n")), Server, Same, FOUND_AB),
        ("list-without-version.yaml", format!("kind: List\nitems: [{JSON_A}]\n"), Client, Same, FOUND_A),
        ("empty-list.yaml", list("").replace("items:\n", "items: []\n"), Client, Same, NOTHING),
        ("null-list.yaml", list("").replace("items:\n", "items: null\n"), Client, Same, NOTHING),
        ("typed-list.yaml", "apiVersion: v1\nkind: ConfigMapList\nmetadata: {resourceVersion: '5'}\nitems:\n- metadata: {name: a}\n- metadata: {name: b, namespace: shop}\n".into(), Server, Same, &["v1 ConfigMap default/a", "v1 ConfigMap shop/b"]),
        ("typed-list-of-others.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems: [{apiVersion: v1, kind: Service, metadata: {name: a}}]\n".into(), Client, Same, &["v1 Service default/a"]),
        ("list-in-list.yaml", list(&format!("- {{apiVersion: v1, kind: List, items: [{JSON_A}]}}\n- {JSON_B}\n")), Client, Wider("kubectl unrolls one level"), FOUND_AB),
        ("half-typed-list.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems: [{kind: ConfigMap, metadata: {name: a}}]\n".into(), Client, Wider("kubectl fills in both or none"), FOUND_A),
        ("items-of-an-object.yaml", format!("{A}items: [{JSON_B}]\n"), Client, Narrower("kubectl takes whatever has items for a list; and finds b, and not a"), FOUND_A),
        ("nameless-item.yaml", list(&format!("- {{apiVersion: v1, kind: ConfigMap, metadata: {{}}}}\n- {JSON_B}\n")), Server, Same, &["v1 ConfigMap default/b"]),
    ];
    let bytes: Vec<(&str, Vec<u8>, Than)> = vec![
        ("utf16-le.yaml", utf16(A, &[0xff, 0xfe], u16::to_le_bytes), Same),
        ("utf16-be.yaml", utf16(A, &[0xfe, 0xff], u16::to_be_bytes), Same),
        ("utf16-le.json", utf16(JSON_A, &[0xff, 0xfe], u16::to_le_bytes), Same),
        ("utf16-odd.yaml", [utf16(A, &[0xff, 0xfe], u16::to_le_bytes), vec![b'#', 0, b'x']].concat(), Same),
        ("utf16-without-mark.yaml", utf16(A, &[], u16::to_le_bytes), Wider("YAML knows UTF-16 by its first bytes")),
        ("mark.yaml", format!("\u{feff}{A}").into_bytes(), Same),
        ("latin1.yaml", [A.as_bytes(), b"  annotations: {description: caf\xe9}\n# \xe9\n"].concat(), Same),
    ];
    let bytes = bytes.into_iter().map(|(file, bytes, than)| Row { file, bytes, ask: Client, than, finds: FOUND_A });
    let marks = Row { file: "marks.yaml", bytes: format!("\u{feff}{A}---\n\u{feff}{B}").into(), ask: Client, than: Same, finds: FOUND_AB };
    let text = rows.into_iter().map(|(file, text, ask, than, finds)| Row { file, bytes: text.into(), ask, than, finds });
    text.chain(bytes).chain([marks]).collect()
}

/// What kubectl finds in a file.
fn kubectl(server: &ApiServer, file: &Path, ask: Ask) -> Objects {
    const EACH: &str = r#"{{.apiVersion}} {{.kind}} {{with .metadata.namespace}}{{.}}{{end}}/{{with .metadata.name}}{{.}}{{end}}{{"\n"}}"#;
    let mode = if ask == Client { "--dry-run=client" } else { "--dry-run=server" };
    let output = Command::new(server.kubectl_path())
        .arg("--kubeconfig")
        .arg(server.kubeconfig("admin"))
        .arg("--cache-dir")
        .arg(server.dir().join("kubectl-cache"))
        .args(["create", "--validate=false", mode, "-o", "go-template", "--template", EACH, "-f"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // That it failed says only that it found no more than this.
    let found: Objects = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(output.status.success() || !output.stderr.is_empty(), "kubectl said nothing of {}", file.display());
    let refused = String::from_utf8_lossy(&output.stderr);
    assert!(!refused.contains("unable to connect") && !refused.contains("was refused"), "{refused}");
    found
}

/// What clusterlore finds in a source.
async fn found(source: &FolderSource) -> Objects {
    let mut found = Objects::new();
    for ty in source.discover().await.unwrap().types {
        let (sender, mut events) = mpsc::channel(64);
        source.list(&ty, &ListScope::All, &EventSink { type_index: 0, sender }).await.unwrap();
        while let Some((_, event)) = events.recv().await {
            let SourceEvent::Page(page) = event else { continue };
            found.extend(page.into_iter().map(|o| {
                assert_eq!(o.is_cluster_scoped(), !ty.namespaced);
                let namespace = if o.is_cluster_scoped() { "" } else { &o.namespace };
                format!("{} {} {namespace}/{}", o.api_version, o.kind, o.name)
            }));
        }
    }
    found
}

#[tokio::test]
async fn clusterlore_finds_in_a_file_what_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = BTreeSet::new();
    for Row { file, bytes, finds, .. } in table() {
        assert!(files.insert(file), "{file} twice");
        let path = folder.path().join(file);
        fs::write(&path, bytes).unwrap();
        let ours = match FolderSource::open(&path) {
            Ok(source) => found(&source).await,
            Err(_) => Objects::new(),
        };
        let expected: Objects = finds.iter().map(|o| (*o).to_owned()).collect();
        assert_eq!(ours, expected, "{file}");
    }
    assert!(files.len() >= 40);
}

/// Beside the test above: what is expected is what kubectl finds.
#[test]
fn kubectl_finds_the_same() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for Row { file, bytes, ask, than, finds } in table() {
        let path = folder.path().join(file);
        fs::write(&path, bytes).unwrap();
        let theirs = kubectl(&server, &path, ask);
        let ours: Objects = finds.iter().map(|o| (*o).to_owned()).collect();
        let agrees = match than {
            Same => theirs == ours,
            Wider(_) => theirs.is_subset(&ours),
            Narrower(_) => !theirs.is_subset(&ours),
        };
        if !agrees {
            wrong.push(format!("{file}: kubectl finds {theirs:?}, clusterlore {ours:?}: {than:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Pieces of which manifests are made, and what breaks them.
const PIECES: &[&str] = &[
    "apiVersion: v1\n",
    "kind: Pod\n",
    "kind: List\n",
    "items:\n",
    "- ",
    "metadata:\n",
    "  name: a\n",
    "  namespace: b\n",
    "metadata: {name: a}\n",
    "  labels: {a: b}\n",
    "  generateName: x-\n",
    "---\n",
    "--- # c\n",
    "...\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ": ",
    "\n",
    "  ",
    "\t",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "!x ",
    "? ",
    "# c\n",
    "%YAML 1.2\n",
    "{{ .x }}",
    "{% x %}",
    "${x}",
    "\u{feff}",
    "\0",
    "\r",
    "\\",
    "\u{85}",
    "\u{1f600}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}",
    "\"kind\":",
    "null",
    "~",
    "1e9999",
    ".inf",
    "0x",
    "-",
    "_cluster",
    "a/b",
    "east:shop",
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
    "spec: {group: g, scope: Namespaced, names: {kind: K, plural: ks}, versions: [{name: v1, served: true}]}\n",
    "apiVersion: g/v1\nkind: K\n",
];

/// Bytes that may stand in a file: any, pieces in any order, or a manifest of the table above that something happened to.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let table: Vec<Vec<u8>> = table().into_iter().map(|row| row.bytes).filter(|b| b.len() < 2_000).collect();
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|p| p.concat().into_bytes());
    let repeated = (prop::sample::select(PIECES), prop::sample::select(PIECES), 1..3_000_usize)
        .prop_map(|(first, piece, n)| format!("apiVersion: v1\nkind: Pod\n{first}{}", piece.repeat(n)).into_bytes());
    let changed = (
        prop::sample::select(table),
        prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::sample::select(PIECES)),
            0..4,
        ),
    )
        .prop_map(|(mut bytes, changes)| {
            for (from, to, piece) in changes {
                let (a, b) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
                let until = a.max(b).min(a.min(b) + 8);
                bytes.splice(a.min(b)..until, piece.bytes());
            }
            bytes
        });
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        3 => pieces,
        1 => repeated,
        4 => changed,
    ]
}

/// A manifest that says its name, its namespace and labels in one of the ways in which that can be said.
fn said() -> impl Strategy<Value = (String, String)> {
    let words =
        ("[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", "[ -~]{0,20}", 0..6_usize);
    words.prop_map(|(name, namespace, label, style)| {
        let (n, s, l) = (serde_json_text(&name), serde_json_text(&namespace), serde_json_text(&label));
        let text = match style {
            0 => format!("{{\"kind\":\"Pod\",\"metadata\":{{\"namespace\":{s},\"labels\":{{\"a\":{l}}},\"name\":{n}}},\"apiVersion\":\"v1\"}}"),
            1 => format!("kind: Pod\nmetadata:\n  labels:\n    a: {l}\n  name: {n}\n  namespace: {s}\napiVersion: v1\n"),
            2 => format!("x: &n {n}\ny: &m {{namespace: {s}, name: other}}\nkind: Pod\napiVersion: v1\nmetadata: {{<<: *m, name: *n}}\n"),
            3 => format!("apiVersion: v1\nkind: PodList\nitems:\n- metadata:\n    name: {n}\n    namespace: {s}\n    labels: {{a: {l}}}\n"),
            4 => format!("--- # first\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {{name: {n},\r\n  namespace: {s}}}\r\n...\r\n"),
            _ => format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: other}}\nmetadata: {{name: {n}, namespace: {s}, labels: {{a: {l}}}}}\n"),
        };
        (text, format!("v1 Pod {namespace}/{name}"))
    })
}

fn serde_json_text(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|c| if c == '"' || c == '\\' { vec!['\\', c] } else { vec![c] }).collect();
    format!("\"{escaped}\"")
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    // As many as PROPTEST_CASES says, 256 by default.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fuzz_manifests(bytes in bytes()) {
        let began = Instant::now();
        let read = FolderSource::read(&bytes[..]);
        prop_assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        match read {
            // What was found has a name that an id can be made of, and is found again.
            Ok(source) => prop_assert!(!run(found(&source)).is_empty()),
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }

    #[test]
    fn fuzz_manifests_that_are_good(manifests in prop::collection::vec(said(), 1..5)) {
        let text: Vec<&str> = manifests.iter().map(|(text, _)| text.as_str()).collect();
        let source = FolderSource::read(text.join("\n---\n").as_bytes()).unwrap();
        let expected: Objects = manifests.iter().map(|(_, object)| object.clone()).collect();
        prop_assert_eq!(run(found(&source)), expected);
    }
}
