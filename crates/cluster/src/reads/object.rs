//! One object as JSON, without what nobody may see.

use std::fmt;

use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use serde::Serialize;
use serde_json::{Map, Value};

/// Stands for the value of a Secret.
pub const MASKED: &str = "********";

/// An object: what the server gave but for values of Secrets, which are [`MASKED`], managed fields, annotations that hold a copy of an object,
/// and all annotations of a Secret.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Object(Value);

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} {}/{})", self.kind(), self.namespace(), self.name())
    }
}

impl Object {
    /// The object in this JSON.
    pub fn new(mut json: Value) -> Self {
        mask(&mut json);
        Self(json)
    }

    /// An element of a list of `ty`: such elements do not say what they are.
    pub(super) fn of_list(mut json: Value, ty: &ResourceType) -> Self {
        if let Value::Object(fields) = &mut json {
            fields.entry("kind").or_insert_with(|| ty.kind.clone().into());
            fields.entry("apiVersion").or_insert_with(|| ty.api_version().into());
            // Whatever it says of itself.
            if ty.group.is_empty() && ty.plural == "secrets" {
                fields.insert("kind".to_owned(), "Secret".into());
            }
        }
        Self::new(json)
    }

    /// All of it.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The value at a JSON pointer (`/status/phase`), or null.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer, or an empty one.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The elements at a JSON pointer, or none.
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    /// `Pod`.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// `apps/v1`.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Its namespace, or `_cluster`.
    pub fn namespace(&self) -> &str {
        match self.text("/metadata/namespace") {
            "" => CLUSTER_SCOPE,
            namespace => namespace,
        }
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }
}

/// Masks and drops, at every depth: templates hold objects.
fn mask(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(mask),
        Value::Object(fields) => {
            let is_secret = fields.get("kind").and_then(Value::as_str) == Some("Secret");
            if is_secret && let Some(data) = fields.get_mut("data") {
                hide(data);
            }
            // The name belongs to Secrets alone, also where nothing says that it is one.
            if let Some(data) = fields.get_mut("stringData") {
                hide(data);
            }
            if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
                of_metadata(metadata, is_secret);
            }
            fields.values_mut().for_each(mask);
        }
        _ => {}
    }
}

fn of_metadata(metadata: &mut Map<String, Value>, of_secret: bool) {
    metadata.remove("managedFields");
    if of_secret {
        metadata.remove("annotations");
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.retain(|key, value| !names_a_copy(key) && !value.as_str().is_some_and(is_copy));
    }
}

/// Whether an annotation is there to hold the object as it was.
fn names_a_copy(key: &str) -> bool {
    let name = key.to_ascii_lowercase().replace(['-', '_', '.'], "");
    ["lastapplied", "originalconfiguration", "previousconfiguration"].iter().any(|copy| name.contains(copy))
}

/// Whether a value may be an object: as JSON, as YAML, inside of another text, or packed with gzip and written in base64.
fn is_copy(text: &str) -> bool {
    text.contains("kind") && text.contains("apiVersion") || text.trim_start().starts_with("H4sI")
}

fn hide(data: &mut Value) {
    match data {
        Value::Object(values) => values.values_mut().for_each(|value| *value = MASKED.into()),
        Value::Null => {}
        other => *other = MASKED.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MARK: &str = "MARK-c2VjcmV0";

    #[test]
    fn nothing_of_a_secret_is_left_wherever_it_stands() {
        let secret = || {
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {
                    "name": "s", "labels": {"app": "a"}, "annotations": {"note": MARK},
                    "managedFields": [{"fieldsV1": {"f:data": {MARK: {}}}}],
                },
                "data": {"password": MARK}, "stringData": {"token": MARK},
            })
        };
        let shown = Object::new(secret());
        assert_eq!(shown.at("/data"), &json!({"password": MASKED}));
        assert_eq!(shown.at("/metadata"), &json!({"name": "s", "labels": {"app": "a"}}));
        let copy = secret().to_string();
        let others = [
            json!({"kind": "Other", "spec": {"template": secret(), "list": [[secret()]]}}),
            json!({"kind": "Other", "spec": {"stringData": {"a": MARK}, "more": {"stringData": MARK}}}),
            json!({"kind": "Secret", "data": MARK}),
            json!({"kind": "Secret", "data": [{"a": MARK}]}),
            json!({"kind": "Pod", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": copy}}}),
            json!({"kind": "Pod", "metadata": {"annotations": {"example.org/before": copy}}}),
            json!({"kind": "Pod", "metadata": {"annotations": {"example.org/patch": json!({"patch": copy}).to_string()}}}),
            json!({"kind": "Pod", "metadata": {"annotations": {"x": format!("apiVersion: v1\nkind: Secret\ndata: {{a: {MARK}}}")}}}),
            json!({"kind": "Pod", "metadata": {"annotations": {"objectset.rio.cattle.io/applied": format!("H4sIAAAA{MARK}")}}}),
            json!({"kind": "Pod", "metadata": {"annotations": {"pipeline/last_applied-config": MARK}}}),
            json!({"kind": "Pod", "spec": {"template": {"metadata": {"annotations": {"example.org/x": copy}, "managedFields": MARK}}}}),
        ];
        for other in others {
            let shown = Object::new(other.clone());
            assert!(!shown.json().to_string().contains(MARK), "{other}");
        }
    }

    #[test]
    fn an_element_of_a_list_of_secrets_is_one_whatever_it_says() {
        let ty = ResourceType {
            version: "v1".into(),
            kind: "Secret".into(),
            plural: "secrets".into(),
            ..Default::default()
        };
        for kind in [json!(null), json!("Pod"), json!(3)] {
            let mut element = json!({"kind": kind, "metadata": {"name": "s"}, "data": {"a": MARK}});
            if kind.is_null() {
                element.as_object_mut().unwrap().remove("kind");
            }
            let shown = Object::of_list(element, &ty);
            assert!(!shown.json().to_string().contains(MARK), "{kind}");
        }
    }

    #[test]
    fn the_rest_stays_and_debug_shows_names_only() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "namespace": "a", "uid": "1", "annotations": {
                "description": "d", "deployment.kubernetes.io/revision": "3", "kubectl.kubernetes.io/default-container": "main",
            }},
            "data": {"key": "value"}, "spec": {"data": 1}, "status": {"phase": "Running"},
        });
        let shown = Object::new(pod.clone());
        assert_eq!(shown.json(), &pod);
        assert_eq!((shown.text("/status/phase"), shown.text("/no/thing")), ("Running", ""));
        assert_eq!(format!("{shown:?}"), "Object(Pod a/p)");
    }
}
