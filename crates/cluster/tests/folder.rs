//! A folder of manifests read like a cluster.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use clusterlore_cluster::{ClusterSource, EventSink, FolderSource, ListScope, SkipReason, Skipped, SourceEvent};
use clusterlore_core::{Coverage, ResourceInstance, ResourceType, SourceIdentity};
use tempfile::TempDir;
use tokio::sync::mpsc;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn open(files: &[(&str, &str)]) -> (FolderSource, TempDir) {
    let folder = folder(files);
    (FolderSource::open(folder.path()).unwrap(), folder)
}

/// How a list ended, whether or not it came to its end.
#[derive(Debug, Default, PartialEq)]
struct Listing {
    coverage: Coverage,
    skipped: Option<Skipped>,
}

async fn list(source: &FolderSource, ty: &ResourceType, scope: &ListScope) -> (Listing, Vec<ResourceInstance>) {
    let (sender, mut events) = mpsc::channel(16);
    source.list(ty, scope, &EventSink { type_index: 0, sender }).await.unwrap();
    assert_eq!(events.recv().await.unwrap().1, SourceEvent::Begin { namespace: None });
    let mut objects = Vec::new();
    let listing = loop {
        match events.recv().await.unwrap().1 {
            SourceEvent::Page(page) => objects.extend(page),
            SourceEvent::Done(end) => {
                assert_eq!(end.positions, [], "nobody watches a folder");
                break Listing { coverage: end.coverage, skipped: end.skipped };
            }
            SourceEvent::Failed(skipped) => break Listing { skipped: Some(skipped), ..Listing::default() },
            other => panic!("{other:?}"),
        }
    };
    assert!(events.recv().await.is_none());
    (listing, objects)
}

/// Everything in the folder, as `type id`.
async fn all(source: &FolderSource) -> Vec<String> {
    let mut found = Vec::new();
    for ty in source.discover().await.unwrap().types {
        let (_, objects) = list(source, &ty, &ListScope::All).await;
        found.extend(objects.into_iter().map(|o| format!("{} {}", ty.name(), o.id)));
    }
    found
}

async fn warnings(source: &FolderSource) -> Vec<String> {
    source.discover().await.unwrap().warnings.into_iter().map(|w| w.0).collect()
}

async fn type_named(source: &FolderSource, name: &str) -> ResourceType {
    source.discover().await.unwrap().types.into_iter().find(|t| t.name() == name).expect(name)
}

const NGINX: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: nginx\n";

const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example.org}
spec:
  group: shop.example.org
  scope: Cluster
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wi], categories: [shop]}
  versions:
  - {name: v1alpha1, served: true, storage: false, schema: {openAPIV3Schema: {description: Young., type: object}}}
  - {name: v1beta2, served: true, storage: true, schema: {openAPIV3Schema: {description: A thing that is sold., type: object}}}
  - {name: v2, served: false, storage: false, schema: {openAPIV3Schema: {description: To come., type: object}}}
"#;

#[tokio::test]
async fn every_field_that_is_kept_is_read_and_nothing_else() {
    let text = r#"
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
  uid: u-1
  resourceVersion: "5"
  creationTimestamp: 2026-01-02T03:04:05Z
  labels: {app: db, tier: 1, empty: }
  annotations:
    description: The password of the shop
    kubectl.kubernetes.io/last-applied-configuration: '{"data":"c2VjcmV0"}'
  ownerReferences:
  - {apiVersion: apps/v1, kind: StatefulSet, name: db, uid: u-2, controller: true}
data: {password: c2VjcmV0}
stringData: {other: c2VjcmV0}
"#;
    let (source, _folder) = open(&[("secret.yaml", text)]);
    let (listing, objects) = list(&source, &type_named(&source, "secrets").await, &ListScope::All).await;
    assert_eq!(listing, Listing { coverage: Coverage::All, skipped: None });
    let secret = &objects[0];
    assert_eq!((secret.id.as_str(), secret.created_at.as_str()), ("shop/v1/Secret/db", "2026-01-02T03:04:05Z"));
    assert_eq!((secret.uid.as_str(), secret.resource_version.as_str()), ("u-1", ""));
    assert_eq!(secret.labels_joined(","), "app=db,empty=,tier=1");
    assert_eq!(secret.description(), "The password of the shop");
    assert_eq!(secret.owner.as_ref().unwrap().kind, "StatefulSet");
    assert!(!format!("{source:?}").contains("c2VjcmV0"));
}

#[tokio::test]
async fn namespaces_are_filled_in_or_left_out_by_the_type() {
    let roles =
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader, namespace: shop}\n";
    let (source, _folder) = open(&[
        ("a.yaml", NGINX),
        ("b.yml", roles),
        ("c.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}"),
    ]);
    assert_eq!(
        all(&source).await,
        [
            "clusterroles.rbac.authorization.k8s.io _cluster/rbac.authorization.k8s.io/v1/ClusterRole/reader",
            "deployments.apps default/apps/v1/Deployment/nginx",
            "pods shop/v1/Pod/p",
        ]
    );
    assert_eq!(source.namespaces().await.unwrap(), ["default", "shop"]);
    assert!(warnings(&source).await.is_empty());
}

#[tokio::test]
async fn definitions_give_the_types_wherever_they_stand() {
    let widget = "apiVersion: shop.example.org/v1alpha1\nkind: Widget\nmetadata: {name: w, namespace: ignored}\n";
    let (source, _folder) = open(&[("a.yaml", widget), ("z/crds.yaml", WIDGETS)]);
    let widgets = type_named(&source, "widgets.shop.example.org").await;
    assert_eq!((widgets.version.as_str(), widgets.namespaced), ("v1beta2", false), "highest priority of those served");
    assert_eq!(widgets.description, "A thing that is sold.");
    assert_eq!((widgets.short_names[0].as_str(), widgets.categories[0].as_str()), ("wi", "shop"));
    let (_, objects) = list(&source, &widgets, &ListScope::All).await;
    assert_eq!(objects[0].id, "_cluster/shop.example.org/v1alpha1/Widget/w", "an object keeps its own version");
    let mut bare = [ResourceType { description: String::new(), ..widgets.clone() }];
    source.describe(&mut bare).await;
    assert_eq!(bare[0], widgets);
    assert!(warnings(&source).await.is_empty());
}

#[tokio::test]
async fn lists_are_unrolled() {
    let indented = WIDGETS.trim().replace('\n', "\n  ");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {indented}\n- apiVersion: v1\n  kind: Pod\n  metadata: {{name: a}}\n"
    );
    let typed = r#"{"apiVersion":"v1","kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"c","namespace":"n"},"data":{"k":"c2VjcmV0"}}]}"#;
    let nested = "kind: List\nitems:\n- kind: ServiceList\n  apiVersion: v1\n  items: [{metadata: {name: s}}]\n- kind: List\n  items: []\n";
    let several = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\"}}\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"y\"}}";
    let (source, _folder) =
        open(&[("list.yaml", &list), ("typed.json", typed), ("nested.yaml", nested), ("several.json", several)]);
    assert_eq!(
        all(&source).await,
        [
            "configmaps n/v1/ConfigMap/c",
            "customresourcedefinitions.apiextensions.k8s.io _cluster/apiextensions.k8s.io/v1/CustomResourceDefinition/widgets.shop.example.org",
            "pods default/v1/Pod/a",
            "pods default/v1/Pod/x",
            "pods default/v1/Pod/y",
            "services default/v1/Service/s",
        ]
    );
    assert_eq!(type_named(&source, "widgets.shop.example.org").await.kind, "Widget");
}

#[tokio::test]
async fn anchors_and_aliases_are_followed() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: &name web\n  labels: &labels {app: *name}\n  annotations: {<<: *labels, description: *name}\n";
    let (source, _folder) = open(&[("a.yaml", text)]);
    let (_, objects) = list(&source, &type_named(&source, "pods").await, &ListScope::All).await;
    assert_eq!((objects[0].labels_joined(","), objects[0].description()), ("app=web".to_owned(), "web".to_owned()));
}

/// Says whether the folder was read whole, by a type of which there is nothing.
async fn is_whole(source: &FolderSource) -> bool {
    let gone = ResourceType { group: "gone.example.org".into(), plural: "things".into(), ..Default::default() };
    let whole = list(source, &gone, &ListScope::All).await.0.skipped.unwrap().reason == SkipReason::NotFound;
    let discovery = source.discover().await.unwrap();
    for ty in &discovery.types {
        let (listing, _) = list(source, ty, &ListScope::All).await;
        assert_eq!(listing.coverage, if whole { Coverage::All } else { Coverage::Nothing });
        assert_eq!(listing.skipped.map(|s| s.reason), (!whole).then_some(SkipReason::Unavailable));
        assert_eq!(discovery.is_incomplete(&ty.group), !whole);
    }
    assert_eq!(discovery.is_incomplete("gone.example.org"), !whole);
    whole
}

#[tokio::test]
async fn a_broken_manifest_is_named_and_takes_nothing_along_and_nothing_is_deleted() {
    let middle = format!(
        "{NGINX}---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: [c2VjcmV0\n---\n{}",
        NGINX.replace("nginx", "other")
    );
    let pod = |rest: &str| format!("apiVersion: v1\nkind: Pod\n{rest}\n");
    let json_pod = |rest: &str| format!("{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", {rest}");
    let laughs: String =
        (1..9).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
    for (file, text, warning) in [
        ("middle.yaml", middle, "middle.yaml:9 is not read: it is not valid YAML"),
        ("tab.yaml", pod("metadata:\n\tname: c2VjcmV0"), "tab.yaml:4 is not read: it is not valid YAML"),
        (
            "merge.yaml",
            format!("<<<<<<< HEAD\n{NGINX}=======\n{NGINX}>>>>>>> x\n"),
            "merge.yaml:1 is not read: it is not",
        ),
        ("colon.yaml", "apiVersion:v1\nkind: Pod\nmetadata: {name: a}\n".into(), "colon.yaml:1 is not read: it is not"),
        (
            "deep.yaml",
            pod(&format!("metadata: {{name: a}}\nx: {}", "[".repeat(100_000))),
            "deep.yaml:4 is not read: it is nested deeper than 200 levels",
        ),
        (
            "laughs.yaml",
            pod(&format!("metadata: {{name: a}}\na0: &a0 [x, x]\n{laughs}")),
            "laughs.yaml:10 is not read: what an alias stands for",
        ),
        ("cut.json", json_pod("\"metadata\": {\"name\": \"c2VjcmV0"), "cut.json:1 is not read: it is not valid JSON"),
        (
            "rest.json",
            json_pod("\"metadata\": {\"name\": \"rest\"}}\n c2VjcmV0"),
            "rest.json:2 is not read: this is not valid JSON",
        ),
        ("shape.yaml", pod("metadata: c2VjcmV0"), "shape.yaml:3 is not read: its metadata is malformed"),
        (
            "labels.yaml",
            pod("metadata: {name: a, labels: [c2VjcmV0]}"),
            "labels.yaml:3 is not read: its metadata is malformed",
        ),
        ("nameless.yaml", pod("metadata: {labels: {a: b}}"), "nameless.yaml:1 is not read: metadata.name is missing"),
        ("bare.yaml", pod("spec: {}"), "bare.yaml:1 is not read: metadata.name is missing"),
        (
            "custom.yaml",
            "apiVersion: a.example.org/v1\nkind: Own\nmetadata: {labels: {a: b}}\n".into(),
            "custom.yaml:1 is not read: metadata.name is missing",
        ),
        (
            "kindless.yaml",
            "\n---\napiVersion: v1\nmetadata: {name: x}\n".into(),
            "kindless.yaml:2 is not read: kind is missing",
        ),
        (
            "versionless.yaml",
            "kind: Pod\nmetadata: {generateName: x}\n".into(),
            "versionless.yaml:1 is not read: apiVersion is missing",
        ),
        (
            "item.yaml",
            "apiVersion: v1\nkind: List\nitems:\n- {metadata: {name: a}}\n".into(),
            "item.yaml:1 is not read: apiVersion and kind are missing",
        ),
        ("null.yaml", "apiVersion: v1\nkind: List\nitems:\n-\n".into(), "null.yaml:1 is not read: apiVersion and kind"),
        (
            "slash.yaml",
            pod("metadata: {name: a/b}"),
            "slash.yaml:1 is not read: metadata.name is \"a/b\"; expected a name without",
        ),
        ("dots.yaml", pod("metadata: {name: '..'}"), "dots.yaml:1 is not read: metadata.name is \"..\"; expected"),
        (
            "long.yaml",
            pod(&format!("metadata: {{name: {}}}", "a".repeat(254))),
            "long.yaml:1 is not read: metadata.name has more than 253",
        ),
        (
            "space.yaml",
            pod("metadata: {name: a, namespace: 'east:shop'}"),
            "space.yaml:1 is not read: metadata.namespace is \"east:shop\"; expected",
        ),
        (
            "upper.yaml",
            pod("metadata: {name: a, namespace: Shop}"),
            "upper.yaml:1 is not read: metadata.namespace is \"Shop\"; expected",
        ),
        (
            "group.yaml",
            "apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}\n".into(),
            "group.yaml:1 is not read: apiVersion has more than one",
        ),
        (
            "case.yaml",
            "apiVersion: apps/v1\nkind: deployment\nmetadata: {name: a}\n".into(),
            "case.yaml:1 is not read: apps/v1 has no kind \"deployment\"; expected Deployment",
        ),
        (
            "crd.yaml",
            WIDGETS.replace("names:", "nomes:"),
            "crd.yaml:9 is not read: the definition of a custom resource",
        ),
    ] {
        let (source, _folder) = open(&[(file, &text), ("good.yaml", &NGINX.replace("nginx", "good"))]);
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with(warning), "{warnings:?}");
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert_eq!(warnings[1], "not every manifest could be read: nothing that is indexed is deleted in this run");
        assert!(!warnings.concat().contains("c2VjcmV0"), "{warnings:?}");
        let others = match file {
            "middle.yaml" => 2,
            "rest.json" => 1,
            _ => 0,
        };
        let found = all(&source).await;
        assert_eq!(found.len(), 1 + others, "{file}: {found:?}");
        assert!(!is_whole(&source).await, "{file}");
    }
}

/// What lies in folders beside manifests, and broken forms of it.
const NO_MANIFESTS: &[(&str, &str, &str)] = &[
    ("kustomization.yaml", "resources: [a.yaml]\n", "no apiVersion and kind"),
    (
        "kustomization.yml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        "read by kustomize itself",
    ),
    (
        "component.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nmetadata: {name: c}\n",
        "read by kustomize itself",
    ),
    (
        "transformer.yaml",
        "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\n",
        "read by kustomize itself",
    ),
    ("patch.yaml", "- {op: replace, path: /metadata/name, value: x}\n", "no apiVersion and kind"),
    ("values.yaml", "image: {tag: 1.2}\nitems: {a: b}\nmetadata: {name: x}\n", "no apiVersion and kind"),
    ("values-broken.yaml", "image: {tag: [\n", "neither YAML nor JSON, and no apiVersion and kind"),
    ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "no apiVersion and kind"),
    ("broken/Chart.yaml", "apiVersion: v2\nname: [\n", "neither YAML nor JSON, and no apiVersion and kind"),
    ("package.json", "{\"name\": \"shop\", \"dependencies\": {}}", "no apiVersion and kind"),
    (
        "tsconfig.json",
        "// what tsc reads\n{\"compilerOptions\": {},}",
        "neither YAML nor JSON, and no apiVersion and kind",
    ),
    ("cut.json", "{\"name\": \"sho", "neither YAML nor JSON, and no apiVersion and kind"),
    ("compose.yaml", "version: '3'\nservices: {web: {image: nginx}}\nx-a: !reset null\n", "no apiVersion and kind"),
    (
        "workflow.yml",
        "name: ci\non: [push]\njobs: {t: {runs-on: x, steps: [{run: \"echo ${{ github.ref }}\"}]}}\n",
        "no apiVersion and kind",
    ),
    (
        "openapi.json",
        "{\"openapi\": \"3.0.0\", \"components\": {\"schemas\": {\"Pod\": {\"properties\": {\"apiVersion\": {}, \"kind\": {}}}}}}",
        "no apiVersion and kind",
    ),
    (
        "schema.json",
        "{\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"metadata\": []}",
        "no apiVersion and kind",
    ),
    (
        "stack.yaml",
        "Resources:\n  A: {Type: T, Properties: {X: !Sub '${A}', Y: !GetAtt A.B}}\n",
        "no apiVersion and kind",
    ),
    ("list.yaml", "- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", "no apiVersion and kind"),
    ("words.yaml", "just words\n", "no apiVersion and kind"),
    ("datasources.yaml", "apiVersion: 1\ndatasources: []\n", "no apiVersion and kind"),
    ("datasources-broken.yaml", "apiVersion: 1\ndatasources: [\n", "neither YAML nor JSON, and no apiVersion and kind"),
    ("datasources.json", "{\"apiVersion\": 1, \"x\": ", "neither YAML nor JSON, and no apiVersion and kind"),
    (
        "kustomization-without-kind.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nresources: []\n",
        "read by kustomize itself",
    ),
    ("kindless-template.yaml", "apiVersion: '{{ .Values.v }}'\ndata: {}\n", "templates, still to be filled in"),
    ("version-without-value.yaml", "apiVersion:\nkind:\nimage: x\n", "no apiVersion and kind"),
    ("empty.yaml", "", "empty"),
    ("blank.json", " \r\n\t\n", "empty"),
    ("odd.yaml", "apiVersion: [v1]\nkind: {a: b}\nmetadata: 5\n", "no apiVersion and kind"),
    ("kubeconfig.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n", "no metadata: the configuration of a tool"),
    (
        "kind.yaml",
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: []\n",
        "no metadata: the configuration of a tool",
    ),
    (
        "job.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\n",
        "generateName: named when they are created",
    ),
    (
        "job-list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: Job\n  metadata: {generateName: x-}\n",
        "generateName: named when they are created",
    ),
    (
        "value.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n",
        "templates, still to be filled in",
    ),
    (
        "value-in-words.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web-{{ .Release.Name }}\n",
        "templates, still to be filled in",
    ),
    (
        "quoted.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: \"{{ .Release.Namespace }}\"}\n",
        "templates, still to be filled in",
    ),
    (
        "if.yaml",
        "{{- if .Values.on }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n{{- end }}\n",
        "templates, still to be filled in",
    ),
    (
        "include.yaml",
        "apiVersion: {{ include \"v\" . }}\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    {{- include \"l\" . | nindent 4 }}\n",
        "templates, still to be filled in",
    ),
    (
        "inner.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {{ .Values.labels }}\nspec:\n  - x: {{ . }} y\n",
        "templates, still to be filled in",
    ),
    (
        "jinja.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n{% if a %}\n  name: a\n{% endif %}\n",
        "templates, still to be filled in",
    ),
    ("envsubst.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: 'a-${ENV}'}\n", "templates, still to be filled in"),
];

#[tokio::test]
async fn what_is_no_manifest_is_named_once_and_does_not_stop_deletions() {
    for (file, text, reason) in NO_MANIFESTS {
        let twice = if text.trim().is_empty() { (*text).to_owned() } else { format!("{text}\n---\n{text}") };
        let (source, _folder) = open(&[(file, &twice), ("good.yaml", NGINX)]);
        let expected = format!("skipped, not a manifest ({reason}): {file}");
        assert_eq!(warnings(&source).await, [expected]);
        assert_eq!(all(&source).await, ["deployments.apps default/apps/v1/Deployment/nginx"]);
        assert!(is_whole(&source).await, "{file}");
    }
    let silent = [
        "# nothing\n",
        "---\n---\n# c\n...\n",
        "null\n",
        "~",
        "kind: List\nitems: []\n",
        "kind: PodList\napiVersion: v1\nitems: []\n",
    ];
    for text in silent {
        let (source, _folder) = open(&[("a.yaml", text), ("good.yaml", NGINX)]);
        assert_eq!(warnings(&source).await, [""; 0], "{text:?}");
        assert!(is_whole(&source).await, "{text:?}");
    }
}

#[tokio::test]
async fn a_manifest_that_is_cut_off_is_broken() {
    const YAML: &str = "it is not valid YAML";
    const JSON: &str = "it is not valid JSON";
    const KIND: &str = "kind is missing";
    const ITEMS: &str = "its items are missing; expected items: [] in an empty list";
    const NAME: &str = "metadata.name is missing";
    const BOTH: &str = "apiVersion and kind are missing";
    let dump = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n";
    let table = [
        // Keys are sorted, so that the kind comes late.
        ("a.yaml", "apiVersion: v1\ndata:\n  a: b\n", KIND),
        ("a.yaml", "apiVersion: v1\ndata:\n  a: b\nkind:\n", KIND),
        ("a.yaml", "apiVersion: v1\nkind: ''\n", KIND),
        ("a.yaml", "apiVersion: v1\nki", YAML),
        ("a.yaml", dump, KIND),
        ("a.yaml", "apiVersion: v1\nitems: {a: b}\n", KIND),
        ("a.yaml", "apiVersion: apps/v1\nmetadata: 5\n", KIND),
        ("a.yaml", "apiVersion: v1\ndata:\n  a: \"b", YAML),
        ("a.json", r#"{"apiVersion":"v1","data":{"a":"b"},"ki"#, JSON),
        ("a.json", r#"{"apiVersion":"v1","items":[{"apiVersion":"v1","#, JSON),
        ("Chart-of-another.yaml", "apiVersion: v1\nname: shop\n", KIND),
        // The kind itself is cut, or all behind it.
        ("a.yaml", "apiVersion: v1\nkind: Conf\n", "v1 has no kind \"Conf\", and it has no metadata"),
        ("a.yaml", "apiVersion: apps/v1\nkind: Deployme\n", "apps/v1 has no kind \"Deployme\", and it has no metadata"),
        ("a.json", r#"{"apiVersion":"batch/v1","kind":"Jo"}"#, "batch/v1 has no kind \"Jo\", and it has no metadata"),
        ("a.yaml", "apiVersion: apps/v1\nkind: Config\n", "apps/v1 has no kind \"Config\", and it has no metadata"),
        ("a.yaml", "apiVersion: shop.example.org/v1beta2\nkind: Widget\n", NAME),
        // Lists without items.
        ("a.yaml", "apiVersion: v1\nkind: List\n", ITEMS),
        ("a.yaml", "kind: List\nitems:\n", ITEMS),
        ("a.yaml", "kind: PodList\napiVersion: v1\nitems: null\n", ITEMS),
        ("a.json", r#"{"apiVersion":"v1","kind":"PodList","metadata":{"resourceVersion":"7"}}"#, ITEMS),
        ("a.yaml", "apiVersion: shop.example.org/v1beta2\nkind: WidgetList\n", ITEMS),
        ("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List}\n", ITEMS),
        // Keys without values.
        ("a.yaml", "apiVersion:\nkind:\nmetadata: {name: x}\n", BOTH),
        ("a.yaml", "apiVersion: ''\nkind: null\nmetadata: {name: x}\n", BOTH),
        ("a.yaml", "apiVersion: ~\nmetadata: {generateName: x}\n", BOTH),
        ("a.yaml", "apiVersion:\nkind: Pod\nmetadata: {name: x}\n", "apiVersion is missing"),
    ];
    for (file, text, reason) in table {
        let (source, _folder) = open(&[(file, text), ("crds.yaml", WIDGETS), ("good.yaml", NGINX)]);
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with(&format!("{file}:")), "{text}: {warnings:?}");
        assert!(warnings[0].ends_with(&format!(" is not read: {reason}")), "{text}: {warnings:?}");
        assert_eq!(warnings.len(), 2, "{text}: {warnings:?}");
        assert_eq!(all(&source).await.len(), 2, "{text}");
        assert!(!is_whole(&source).await, "{text}");
    }
    // Wherever a manifest with sorted keys is cut between two lines, it is whole or broken.
    let sorted = "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  labels:\n    a: b\n  name: c\n";
    let mut cut = String::new();
    for line in sorted.split_inclusive('\n') {
        cut += line;
        let (source, _folder) = open(&[("a.yaml", &cut), ("good.yaml", NGINX)]);
        assert_eq!(is_whole(&source).await, cut == sorted, "{cut}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_text_is_broken() {
    const BINARY: &str = "it is binary or encrypted, not text; decrypt it, or move it away";
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let inside = format!("{NGINX}---\nx\0y\n---\n{}", NGINX.replace("nginx", "other"));
    let table: [(&str, &[u8], &str, usize); 8] = [
        (
            "a.yaml",
            pointer.as_bytes(),
            "a.yaml is not read: it is a Git LFS pointer, not the file itself; fetch the file with git lfs pull",
            0,
        ),
        (
            "a.json",
            b"\0GITCRYPT\0\xd8\x01\x9a\xff",
            "a.json is not read: it is encrypted by git-crypt; decrypt it with git-crypt unlock",
            0,
        ),
        ("a.yaml", b"\0\x01\x02{{ \0", BINARY, 0),
        ("a.yml", b"\x7fELF\x02\x01\x01\0\0", BINARY, 0),
        ("a.yaml", b"\x1f\x8b\x08\x08\xd1\xe9", BINARY, 0),
        ("a.yaml", b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n\0\0\0\0", BINARY, 0),
        ("shop/templates/a.yaml", b"k8s\0\n\x0c\n\x02v1", BINARY, 0),
        ("a.yaml", inside.as_bytes(), BINARY, 2),
    ];
    for (file, bytes, reason, others) in table {
        let folder = folder(&[("good.yaml", &NGINX.replace("nginx", "good")), ("shop/Chart.yaml", "apiVersion: v2\n")]);
        fs::create_dir_all(folder.path().join("shop/templates")).unwrap();
        fs::write(folder.path().join(file), bytes).unwrap();
        let source = FolderSource::open(folder.path()).unwrap();
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with(file) && warnings[0].ends_with(reason), "{file}: {warnings:?}");
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(all(&source).await.len(), 1 + others, "{file}");
        assert!(!is_whole(&source).await, "{file}");
    }
}

#[tokio::test]
async fn many_files_that_are_no_manifests_are_summed_up() {
    let mut files: Vec<(String, String)> =
        (0..30).map(|n| (format!("v{n:02}/values.yaml"), "a: b\n".to_owned())).collect();
    files.extend((0..30).map(|n| (format!("b{n:02}.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: {}\n".to_owned())));
    files.extend((0..60).map(|n| (format!("d{n:02}.yaml"), NGINX.replace("nginx", &format!("n{}", n % 30)))));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (source, _folder) = open(&files);
    let warnings = warnings(&source).await;
    assert_eq!(warnings.len(), 21 + 1 + 1 + 21, "{warnings:#?}");
    assert_eq!(warnings[20], "and 10 more cannot be read");
    assert!(warnings[22].ends_with("v08/values.yaml, v09/values.yaml and 20 more"), "{}", warnings[22]);
    assert_eq!(warnings[43], "and 10 more stand twice");
}

#[tokio::test]
async fn a_template_with_text_like_an_action_in_quotes_or_blocks_is_a_manifest() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: alerts\n  annotations: {x: \"{{ $labels.job }}\"}\ndata:\n  q: \"{{ printf \\\"%s\\\" .z }}\"\n  a: |\n    {{ define \"x\" }}\n    b: {{ .y }}\n  # {{ c }}\n  s: '{{ d }}'\n  e: is {{ $value }} now\n";
    let (source, _folder) = open(&[("a.yaml", text)]);
    assert_eq!(all(&source).await, ["configmaps default/v1/ConfigMap/alerts"]);
    // And where something else in it is wrong, it is a broken manifest and no template.
    let (source, _folder) = open(&[("a.yaml", &format!("{text}  f: [\n")), ("good.yaml", NGINX)]);
    assert!(warnings(&source).await[0].starts_with("a.yaml:"), "{:?}", warnings(&source).await);
    assert!(!is_whole(&source).await);
}

#[tokio::test]
async fn what_cannot_be_parsed_is_broken_among_manifests() {
    for (garbled, place) in [("kind: [x\n", "a.yaml:6"), ("x\ny: z\n", "a.yaml:6"), ("{\"a\": 1} b\n", "a.yaml:6")] {
        for text in [format!("{NGINX}---\n{garbled}"), format!("{garbled}---\n{NGINX}")] {
            let (source, _folder) = open(&[("a.yaml", &text), ("good.yaml", &NGINX.replace("nginx", "good"))]);
            let warnings = warnings(&source).await;
            assert!(warnings[0].starts_with("a.yaml:") && warnings[0].contains(" is not read: "), "{warnings:?}");
            assert!(text.starts_with(garbled) || warnings[0].starts_with(place), "{warnings:?}");
            assert_eq!(all(&source).await.len(), 2);
            assert!(!is_whole(&source).await);
        }
    }
}

#[tokio::test]
async fn the_templates_of_a_chart_are_read_as_far_as_they_are_manifests() {
    let odd = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a-{{ b }}: c\n";
    let (source, _folder) = open(&[
        ("shop/Chart.yaml", "apiVersion: v2\nname: shop\n"),
        ("shop/templates/deep/odd.yaml", odd),
        ("shop/templates/plain.yaml", NGINX),
    ]);
    assert_eq!(all(&source).await, ["deployments.apps default/apps/v1/Deployment/nginx"]);
    assert_eq!(
        warnings(&source).await[1],
        "skipped, not a manifest (templates, still to be filled in): shop/templates/deep/odd.yaml"
    );
    assert!(is_whole(&source).await);
    let (source, _folder) = open(&[("templates/odd.yaml", odd), ("a.yaml", NGINX)]);
    assert!(!is_whole(&source).await, "no chart, no template");
}

#[cfg(unix)]
mod unix {
    use std::{
        os::unix::{fs::symlink, net::UnixListener},
        process::Command,
    };

    use super::*;

    #[tokio::test]
    async fn a_link_that_leads_nowhere_is_named_and_stops_deletions() {
        for link in ["team", "team.yaml", "sub/team.d"] {
            let folder = folder(&[("a.yaml", NGINX), ("sub/b.yaml", &NGINX.replace("nginx", "b"))]);
            symlink("not-there", folder.path().join(link)).unwrap();
            let source = FolderSource::open(folder.path()).unwrap();
            let expected = format!("{link} is not read: the link leads nowhere: there is no not-there");
            assert_eq!(warnings(&source).await[0], expected);
            assert_eq!(all(&source).await.len(), 2);
            assert!(!is_whole(&source).await);
        }
        let folder = folder(&[("a.yaml", NGINX)]);
        symlink("itself", folder.path().join("itself")).unwrap();
        symlink("not-there", folder.path().join(".#lock.yaml")).unwrap();
        let source = FolderSource::open(folder.path()).unwrap();
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with("itself is not read: ") && warnings.len() == 2, "{warnings:?}");
        assert!(!is_whole(&source).await);
    }

    #[tokio::test]
    async fn links_are_followed_and_nothing_is_read_twice() {
        let outside = folder(&[("team/t.yaml", &NGINX.replace("nginx", "t"))]);
        let folder = folder(&[("in/a.yaml", NGINX), ("in/sub/b.yaml", &NGINX.replace("nginx", "b"))]);
        let at = |name: &str| folder.path().join("in").join(name);
        symlink(outside.path().join("team"), at("out")).unwrap();
        symlink(outside.path().join("team"), at("out-again")).unwrap();
        symlink("a.yaml", at("linked.yaml")).unwrap();
        symlink("sub/b.yaml", at("b.yaml")).unwrap();
        symlink("../sub", at("sub/loop")).unwrap();
        symlink(".", at("here")).unwrap();
        let source = FolderSource::open(&at("")).unwrap();
        assert_eq!(
            all(&source).await,
            [
                "deployments.apps default/apps/v1/Deployment/b",
                "deployments.apps default/apps/v1/Deployment/nginx",
                "deployments.apps default/apps/v1/Deployment/t"
            ]
        );
        assert_eq!(warnings(&source).await, [""; 0]);
        assert!(is_whole(&source).await);

        // Whoever follows a link upwards reads everything.
        std::fs::write(folder.path().join("beside.yaml"), NGINX.replace("nginx", "beside")).unwrap();
        symlink("../..", at("up")).unwrap();
        let source = FolderSource::open(&at("")).unwrap();
        assert_eq!(warnings(&source).await, ["up skipped: it leads to a folder that holds the one that is read"]);
        assert_eq!(all(&source).await.len(), 3);
        assert!(is_whole(&source).await);
    }

    #[tokio::test]
    async fn a_linked_folder_is_the_same_source_as_the_folder() {
        let (source, folder) = open(&[("m/a.yaml", NGINX)]);
        drop(source);
        symlink("m", folder.path().join("link")).unwrap();
        let direct = FolderSource::open(&folder.path().join("m")).unwrap().identity().await.unwrap();
        assert_eq!(FolderSource::open(&folder.path().join("link")).unwrap().identity().await.unwrap(), direct);
    }

    #[tokio::test]
    async fn pipes_sockets_and_devices_are_passed_over() {
        let folder = folder(&[("a.yaml", NGINX)]);
        assert!(Command::new("mkfifo").arg(folder.path().join("pipe.yaml")).status().unwrap().success());
        let _socket = UnixListener::bind(folder.path().join("socket.json")).unwrap();
        symlink("/dev/zero", folder.path().join("zero.yml")).unwrap();
        symlink("/dev/zero", folder.path().join("other-zero")).unwrap();
        let source = FolderSource::open(folder.path()).unwrap();
        assert_eq!(
            warnings(&source).await,
            [
                "pipe.yaml skipped: it is a pipe",
                "socket.json skipped: it is a socket",
                "zero.yml skipped: it is a device",
            ]
        );
        assert_eq!(all(&source).await.len(), 1);
        assert!(is_whole(&source).await);
    }

    #[tokio::test]
    async fn a_pipe_that_is_named_is_read() {
        let folder = folder(&[]);
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, NGINX).unwrap()
        });
        let source = FolderSource::open(&pipe).unwrap();
        writer.join().unwrap();
        assert_eq!(all(&source).await, ["deployments.apps default/apps/v1/Deployment/nginx"]);
    }

    /// A path that is too long stands for whatever the system does not let anybody look into: permissions do not bind root.
    #[tokio::test]
    async fn what_cannot_be_looked_into_is_named_and_stops_deletions() {
        let folder = folder(&[("a.yaml", NGINX)]);
        let long = vec!["x".repeat(200); 12].join("/");
        fs::create_dir_all(folder.path().join("one").join(&long)).unwrap();
        fs::create_dir_all(folder.path().join("two").join(&long)).unwrap();
        fs::rename(folder.path().join("two"), folder.path().join("one").join(&long).join("two")).unwrap();
        let source = FolderSource::open(folder.path()).unwrap();
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with("one/xxx") && warnings[0].contains(" is not read: "), "{warnings:?}");
        assert!(!is_whole(&source).await);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_named_and_stops_deletions() {
        let folder = folder(&[("a.yaml", NGINX)]);
        symlink("/proc/self/mem", folder.path().join("broken.yaml")).unwrap();
        let source = FolderSource::open(folder.path()).unwrap();
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with("broken.yaml is not read: "), "{warnings:?}");
        assert!(!is_whole(&source).await);
    }

    #[tokio::test]
    async fn a_folder_that_may_not_be_read_is_named_and_stops_deletions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder(&[("a.yaml", NGINX), ("shut/b.yaml", NGINX)]);
        let shut = folder.path().join("shut");
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
        // Nothing is shut to root.
        let is_root = fs::read_dir(&shut).is_ok();
        let source = FolderSource::open(folder.path()).unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(is_whole(&source).await, is_root, "{:?}", warnings(&source).await);
    }
}

/// Endless, and slow to say anything.
struct Endless;

impl std::io::Read for Endless {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        bytes.fill(b'#');
        Ok(bytes.len())
    }
}

#[tokio::test]
async fn a_stream_is_read_to_its_end_and_is_one_source() {
    let two = format!("{NGINX}---\n{}", NGINX.replace("nginx", "other"));
    let source = FolderSource::read(two.as_bytes()).unwrap();
    assert_eq!(all(&source).await.len(), 2);
    assert!(is_whole(&source).await);
    let other = FolderSource::read(NGINX.as_bytes()).unwrap();
    assert_eq!(source.identity().await.unwrap(), other.identity().await.unwrap());
    assert_eq!(other.identity().await.unwrap().source.to_string(), "what standard input gave");

    let broken = FolderSource::read(format!("{NGINX}---\nkind: Pod\nmetadata: [").as_bytes()).unwrap();
    assert_eq!(warnings(&broken).await[0], "standard input:7 is not read: it is not valid YAML");

    let empty = FolderSource::read(&b""[..]).unwrap_err().to_string();
    assert!(empty.starts_with("no manifest was found in standard input; expected objects"), "{empty}");
    let endless = FolderSource::read(Endless).unwrap_err().to_string();
    assert_eq!(endless, "standard input cannot be read: it has more than 256 MiB; split it");
}

#[tokio::test]
async fn old_versions_of_built_in_kinds_keep_their_scope() {
    let of = |version: &str, kind: &str| format!("---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: old}}\n");
    let namespaced = [
        ("v1beta3", "Pod", "pods"),
        ("extensions/v1beta1", "Ingress", "ingresses.extensions"),
        ("extensions/v1beta1", "Deployment", "deployments.extensions"),
        ("extensions/v1beta1", "DaemonSet", "daemonsets.extensions"),
        ("extensions/v1beta1", "ReplicaSet", "replicasets.extensions"),
        ("extensions/v1beta1", "NetworkPolicy", "networkpolicies.extensions"),
        ("apps/v1beta1", "StatefulSet", "statefulsets.apps"),
        ("apps/v1beta2", "Deployment", "deployments.apps"),
        ("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers.autoscaling"),
        ("batch/v1beta1", "CronJob", "cronjobs.batch"),
        ("batch/v2alpha1", "ScheduledJob", "scheduledjobs.batch"),
        ("policy/v1beta1", "PodDisruptionBudget", "poddisruptionbudgets.policy"),
        ("networking.k8s.io/v1beta1", "Ingress", "ingresses.networking.k8s.io"),
        ("rbac.authorization.k8s.io/v1beta1", "RoleBinding", "rolebindings.rbac.authorization.k8s.io"),
        ("settings.k8s.io/v1alpha1", "PodPreset", "podpresets.settings.k8s.io"),
        ("storage.k8s.io/v1beta1", "CSIStorageCapacity", "csistoragecapacities.storage.k8s.io"),
    ];
    let cluster_wide = [
        ("extensions/v1beta1", "PodSecurityPolicy", "podsecuritypolicies.extensions"),
        ("policy/v1beta1", "PodSecurityPolicy", "podsecuritypolicies.policy"),
        ("networking.k8s.io/v1beta1", "IngressClass", "ingressclasses.networking.k8s.io"),
        ("rbac.authorization.k8s.io/v1alpha1", "ClusterRole", "clusterroles.rbac.authorization.k8s.io"),
        ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "customresourcedefinitions.apiextensions.k8s.io"),
        (
            "admissionregistration.k8s.io/v1beta1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations.admissionregistration.k8s.io",
        ),
        (
            "admissionregistration.k8s.io/v1alpha1",
            "MutatingAdmissionPolicy",
            "mutatingadmissionpolicies.admissionregistration.k8s.io",
        ),
        ("scheduling.k8s.io/v1beta1", "PriorityClass", "priorityclasses.scheduling.k8s.io"),
        ("certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificatesigningrequests.certificates.k8s.io"),
        ("resource.k8s.io/v1alpha2", "ResourceClass", "resourceclasses.resource.k8s.io"),
    ];
    for ((version, kind, name), place) in
        namespaced.iter().map(|row| (row, "default")).chain(cluster_wide.iter().map(|row| (row, "_cluster")))
    {
        let mut text = of(version, kind);
        if *kind == "CustomResourceDefinition" {
            text += "spec: {group: a.example.org, version: v1, scope: Cluster, names: {kind: A, plural: as}}\n";
        }
        let (source, _folder) = open(&[("a.yaml", &text)]);
        assert_eq!(all(&source).await, [format!("{name} {place}/{version}/{kind}/old")]);
        assert_eq!(warnings(&source).await, [""; 0]);
    }
}

#[tokio::test]
async fn no_two_types_have_one_name() {
    let own =
        WIDGETS.replace("group: shop.example.org", "group: apps").replace("plural: widgets", "plural: deployments");
    let gadgets = WIDGETS.replace("kind: Widget", "kind: Gadget");
    let text = [WIDGETS, &gadgets, &own, NGINX].join("---\n");
    let (source, _folder) =
        open(&[("a.yaml", &text), ("g.yaml", "apiVersion: shop.example.org/v1\nkind: Gadget\nmetadata: {name: g}\n")]);
    let names: Vec<String> = source.discover().await.unwrap().types.iter().map(ResourceType::name).collect();
    let mut unique = names.clone();
    unique.dedup();
    assert_eq!(names, unique);
    assert_eq!(
        warnings(&source).await[0],
        "a.yaml:39 is not read: apps/v1 has no kind \"Deployment\"; expected Widget"
    );
    assert!(all(&source).await.contains(&"widgets.shop.example.org _cluster/shop.example.org/v1/Gadget/g".to_owned()));
}

#[tokio::test]
async fn kinds_that_nobody_describes_get_a_guessed_type_and_one_warning() {
    let object = |kind: &str, name: &str, namespace: &str| {
        format!("---\napiVersion: shop.example.org/v1\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\n")
    };
    let text = [
        object("Policy", "a", ", namespace: n"),
        object("Policy", "b", ""),
        object("Gateway", "c", ""),
        object("Switch", "d", ""),
    ];
    let (source, _folder) = open(&[("a.yaml", &text.concat())]);
    assert_eq!(
        all(&source).await,
        [
            "gateways.shop.example.org _cluster/shop.example.org/v1/Gateway/c",
            "policies.shop.example.org default/shop.example.org/v1/Policy/b",
            "policies.shop.example.org n/shop.example.org/v1/Policy/a",
            "switches.shop.example.org _cluster/shop.example.org/v1/Switch/d",
        ]
    );
    assert_eq!(
        warnings(&source).await,
        [
            "no definition describes Gateway of shop.example.org/v1; it is taken for gateways.shop.example.org",
            "no definition describes Policy of shop.example.org/v1; it is taken for policies.shop.example.org",
            "no definition describes Switch of shop.example.org/v1; it is taken for switches.shop.example.org",
        ]
    );
    let gone = ResourceType { plural: "things".into(), ..Default::default() };
    assert_eq!(list(&source, &gone, &ListScope::All).await.0.skipped.unwrap().reason, SkipReason::NotFound);
}

#[tokio::test]
async fn of_two_manifests_of_one_object_the_later_counts() {
    let (source, _folder) =
        open(&[("b.yaml", &NGINX.replace("nginx", "nginx\n  labels: {v: two}")), ("a.yaml", NGINX)]);
    let (_, objects) = list(&source, &type_named(&source, "deployments.apps").await, &ListScope::All).await;
    assert_eq!((objects.len(), objects[0].labels_joined(",").as_str()), (1, "v=two"));
    assert_eq!(
        warnings(&source).await,
        ["default/apps/v1/Deployment/nginx stands twice, at a.yaml:1 and b.yaml:1; the second counts"]
    );
}

#[tokio::test]
async fn namespaces_narrow_the_list() {
    let pods: String =
        ["a", "b"].map(|n| format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: {n}}}\n")).concat();
    let (source, _folder) = open(&[("a.yaml", &pods)]);
    let scope = ListScope::Namespaces(vec!["b".into(), "c".into()]);
    let (listing, objects) = list(&source, &type_named(&source, "pods").await, &scope).await;
    assert_eq!(listing.coverage, Coverage::of_namespaces(["b", "c"].map(str::to_owned).into()));
    assert_eq!(objects[0].id, "b/v1/Pod/p");
    assert_eq!(list(&source, &type_named(&source, "nodes").await, &scope).await.0, Listing::default());
}

#[tokio::test]
async fn a_folder_is_known_by_its_path() {
    let (_, folder) = open(&[("sub/a.yaml", NGINX)]);
    let plain = FolderSource::open(folder.path()).unwrap().identity().await.unwrap();
    let detour = FolderSource::open(&folder.path().join("sub/..")).unwrap().identity().await.unwrap();
    assert_eq!(plain, detour);
    assert!(matches!(plain.source, SourceIdentity::Folder { path } if Path::new(&path).is_absolute()));
}

#[test]
fn folders_without_manifests_are_refused() {
    let missing = FolderSource::open(Path::new("/no/such/folder")).unwrap_err().to_string();
    assert_eq!(
        missing,
        "there is no folder or file /no/such/folder; expected a folder with YAML or JSON manifests, one such file, or - for standard input"
    );
    let empty = folder(&[("README.md", "# nothing"), (".git/x.yaml", NGINX), ("comments.yaml", "# a\n---\n# b\n")]);
    let message = FolderSource::open(empty.path()).unwrap_err().to_string();
    let place = empty.path().display();
    let expected =
        "expected objects with apiVersion, kind and metadata.name, below a folder in .yaml, .yml or .json files";
    assert_eq!(message, format!("no manifest was found in {place}; {expected}"));

    let array = folder(&[
        ("a.yaml", "- apiVersion: v1\n  kind: Service\n  metadata: {name: one}\n"),
        ("Chart.yaml", "apiVersion: v2\n"),
    ]);
    let message = FolderSource::open(array.path()).unwrap_err().to_string();
    let passed = "skipped, not a manifest (no apiVersion and kind): Chart.yaml, a.yaml";
    assert_eq!(message, format!("no manifest was found in {}; {passed}; {expected}", array.path().display()));

    let deep = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: d}}\ndata: {}", "[".repeat(100_000));
    let broken =
        folder(&[("deep.yaml", &deep), ("k.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {}"), ("Chart.yaml", "a: b")]);
    let message = FolderSource::open(broken.path()).unwrap_err().to_string();
    let reason = "deep.yaml:4 is not read: it is nested deeper than 200 levels, and 1 more like it";
    assert_eq!(
        message,
        format!("no manifest in {} can be read, so nothing was changed: {reason}", broken.path().display())
    );
}
