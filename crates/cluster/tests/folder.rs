//! A folder of manifests read like a cluster.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use clusterlore_cluster::{ClusterSource, FolderSource, ListEvent, ListScope, Listing, PageSink, SkipReason};
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

async fn list(source: &FolderSource, ty: &ResourceType, scope: &ListScope) -> (Listing, Vec<ResourceInstance>) {
    let (sender, mut events) = mpsc::channel(16);
    let listing = source.list(ty, scope, &PageSink { type_index: 0, sender }).await.unwrap();
    let mut objects = Vec::new();
    while let Some((_, event)) = events.recv().await {
        let ListEvent::Page(page) = event else { panic!("restarted") };
        objects.extend(page);
    }
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
    let several = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\"}}\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"y\"}}";
    let (source, _folder) = open(&[("list.yaml", &list), ("typed.json", typed), ("several.json", several)]);
    assert_eq!(
        all(&source).await,
        [
            "configmaps n/v1/ConfigMap/c",
            "customresourcedefinitions.apiextensions.k8s.io _cluster/apiextensions.k8s.io/v1/CustomResourceDefinition/widgets.shop.example.org",
            "pods default/v1/Pod/a",
            "pods default/v1/Pod/x",
            "pods default/v1/Pod/y",
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

#[tokio::test]
async fn a_broken_document_is_named_and_takes_nothing_along_and_nothing_is_deleted() {
    let broken = format!(
        "{NGINX}---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: [c2VjcmV0\n---\n{}",
        NGINX.replace("nginx", "other")
    );
    for (file, text, place) in [
        ("broken.yaml", broken.as_str(), "broken.yaml:"),
        (
            "nameless.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n",
            "nameless.yaml:1 is not read: it is no object of a cluster: metadata.name is missing",
        ),
        (
            "kindless.yaml",
            "\n---\napiVersion: v1\nmetadata: {name: x}\n",
            "kindless.yaml:2 is not read: it is no object of a cluster: kind is missing",
        ),
        (
            "values.yaml",
            "image: nginx\n",
            "values.yaml:1 is not read: it is no object of a cluster: apiVersion is missing",
        ),
        ("slash.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}\n", "slash.yaml:1 is not read: metadata.name"),
        (
            "shape.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: c2VjcmV0\n",
            "shape.yaml:3 is not read: it is not a valid manifest",
        ),
        ("broken.json", "{\"apiVersion\": \"v1\", c2VjcmV0", "broken.json:1 is not read: it is not valid JSON"),
    ] {
        let (source, _folder) = open(&[(file, text), ("good.yaml", &NGINX.replace("nginx", "good"))]);
        let warnings = warnings(&source).await;
        assert!(warnings[0].starts_with(place), "{warnings:?}");
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[1].contains("nothing that is indexed is deleted"));
        assert!(!warnings.concat().contains("c2VjcmV0"), "{warnings:?}");
        let found = all(&source).await;
        assert_eq!(found.len(), if file == "broken.yaml" { 3 } else { 1 }, "{found:?}");

        let deployments = type_named(&source, "deployments.apps").await;
        let (listing, _) = list(&source, &deployments, &ListScope::All).await;
        assert_eq!(listing, Listing { coverage: Coverage::Nothing, skipped: None });
        let discovery = source.discover().await.unwrap();
        assert!(
            discovery.is_incomplete("")
                && discovery.is_incomplete("apps")
                && discovery.is_incomplete("gone.example.org")
        );
        let gone = ResourceType { group: "gone.example.org".into(), plural: "things".into(), ..Default::default() };
        assert_eq!(list(&source, &gone, &ListScope::All).await.0.skipped.unwrap().reason, SkipReason::Unavailable);
    }
}

#[tokio::test]
async fn files_that_are_not_text_are_named() {
    let (source, folder) = open(&[("good.yaml", NGINX)]);
    drop(source);
    fs::write(folder.path().join("utf16.yaml"), [0xff, 0xfe, 0x61, 0x00]).unwrap();
    let source = FolderSource::open(folder.path()).unwrap();
    assert_eq!(warnings(&source).await[0], "utf16.yaml is not read: it is not UTF-8");
    assert_eq!(all(&source).await.len(), 1);
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
    assert_eq!(missing, "there is no folder /no/such/folder; expected a folder with YAML or JSON manifests");
    let empty = folder(&[("README.md", "# nothing"), (".git/x.yaml", NGINX), ("comments.yaml", "# a\n---\n# b\n")]);
    let message = FolderSource::open(empty.path()).unwrap_err().to_string();
    assert!(
        message.starts_with("no manifest was found under ") && message.contains(".yaml, .yml or .json"),
        "{message}"
    );
}
