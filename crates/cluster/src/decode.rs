//! A page of a list, in whichever form the server chose, down to the fields that are kept.

use std::collections::BTreeMap;

use bytes::Bytes;
use clusterlore_core::{OwnerReference, ResourceInstance, ResourceType, is_description_key};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::protobuf;

/// One answer to a list request.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) instances: Vec<ResourceInstance>,
    /// Token of the page after this one; empty on the last.
    pub(crate) next: String,
}

/// Reads a page by its content type. Errors name what is wrong with the form, never what stood in an object.
pub(crate) fn page(content_type: &str, body: Bytes, ty: &ResourceType) -> Result<Page, String> {
    let api_version = ty.api_version();
    if content_type.starts_with("application/vnd.kubernetes.protobuf") {
        let list: protobuf::List = protobuf::decode(body)?;
        let instances = list.items.into_iter().map(|o| from_protobuf(o.metadata.unwrap_or_default(), ty, &api_version));
        Ok(Page { instances: instances.collect::<Result<_, _>>()?, next: list.metadata.unwrap_or_default().next })
    } else if content_type.starts_with("application/json") {
        let list: JsonList = from_json(&body)?;
        let items = list.items.ok_or("the answer is no list: it has no \"items\"")?.unwrap_or_default();
        let instances = items.into_iter().map(|o| o.metadata.unwrap_or_default().instance(&ty.kind, &api_version));
        Ok(Page {
            instances: instances.collect::<Result<_, _>>()?,
            next: list.metadata.unwrap_or_default().next.unwrap_or_default(),
        })
    } else {
        Err(format!("the answer is {content_type:?}; expected JSON or Kubernetes protobuf"))
    }
}

/// JSON without the values that serde quotes in its messages.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|e| format!("broken JSON at line {} column {} ({:?})", e.line(), e.column(), e.classify()))
}

fn from_protobuf(meta: protobuf::ObjectMeta, ty: &ResourceType, api_version: &str) -> Result<ResourceInstance, String> {
    let mut instance = new_instance(api_version, &ty.kind, &meta.namespace, &meta.name)?;
    instance.annotations = meta.descriptions();
    instance.created_at = meta.created.map(|t| rfc3339(t.seconds)).unwrap_or_default();
    instance.owner = meta.owners.iter().find(|o| o.controller).map(|o| OwnerReference {
        api_version: protobuf::text(&o.api_version),
        kind: protobuf::text(&o.kind),
        name: protobuf::text(&o.name),
        uid: protobuf::text(&o.uid),
    });
    instance.labels = meta.labels;
    instance.uid = meta.uid;
    instance.resource_version = meta.resource_version;
    Ok(instance)
}

fn new_instance(api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<ResourceInstance, String> {
    ResourceInstance::new(api_version, kind, Some(namespace), name).map_err(|e| e.to_string())
}

fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
struct JsonList {
    metadata: Option<JsonListMeta>,
    /// Outer `None`: no such key; inner: `null`, as Go writes an empty list.
    #[serde(default, deserialize_with = "present")]
    items: Option<Option<Vec<JsonObject>>>,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct JsonListMeta {
    #[serde(rename = "continue")]
    pub(crate) next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct JsonObject {
    metadata: Option<JsonMeta>,
}

/// `metadata` of an object in JSON or YAML; everything else, most annotations among it, is skipped while parsing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonMeta {
    pub(crate) name: Option<String>,
    /// What the API server makes a name of; only manifests have it without a name.
    pub(crate) generate_name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<String>,
    labels: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    annotations: Descriptions,
    owner_references: Option<Vec<JsonOwner>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonOwner {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    uid: String,
    controller: Option<bool>,
}

impl JsonMeta {
    /// The object of this metadata.
    pub(crate) fn instance(self, kind: &str, api_version: &str) -> Result<ResourceInstance, String> {
        let name = self.name.unwrap_or_default();
        let mut instance = new_instance(api_version, kind, self.namespace.as_deref().unwrap_or_default(), &name)?;
        instance.labels =
            self.labels.unwrap_or_default().into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect();
        instance.annotations = self.annotations.0;
        instance.created_at = self.creation_timestamp.unwrap_or_default();
        instance.uid = self.uid.unwrap_or_default();
        instance.resource_version = self.resource_version.unwrap_or_default();
        let owner = self.owner_references.unwrap_or_default().into_iter().find(|o| o.controller == Some(true));
        instance.owner =
            owner.map(|o| OwnerReference { api_version: o.api_version, kind: o.kind, name: o.name, uid: o.uid });
        Ok(instance)
    }
}

/// Annotations of which only the describing ones are ever turned into strings.
#[derive(Debug, Default)]
struct Descriptions(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Descriptions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Kept;
        impl<'de> Visitor<'de> for Kept {
            type Value = Descriptions;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of annotations")
            }

            fn visit_unit<E>(self) -> Result<Descriptions, E> {
                Ok(Descriptions::default())
            }

            fn visit_none<E>(self) -> Result<Descriptions, E> {
                Ok(Descriptions::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Descriptions, D::Error> {
                from.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Descriptions, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if is_description_key(&key) {
                        kept.insert(key, map.next_value::<Option<String>>()?.unwrap_or_default());
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Descriptions(kept))
            }
        }
        from.deserialize_option(Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> ResourceType {
        ResourceType { version: "v1".into(), kind: "Secret".into(), plural: "secrets".into(), ..Default::default() }
    }

    #[test]
    fn whole_objects_in_json_lose_everything_but_the_kept_fields() {
        let body = br#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"t"},"items":[
            {"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"5","creationTimestamp":"2026-01-02T03:04:05Z",
              "labels":{"app":"x"},"annotations":{"a/description":"d","last":"{\"data\":\"c2VjcmV0\"}"},
              "ownerReferences":[{"apiVersion":"v1","kind":"A","name":"o1","uid":"1"},
                {"apiVersion":"apps/v1","kind":"ReplicaSet","name":"o2","uid":"2","controller":true}],
              "managedFields":[{"manager":"m"}]},
             "data":{"password":"c2VjcmV0"},"type":"Opaque"},
            {"metadata":{"name":"b","namespace":"n","annotations":null,"labels":null}}]}"#;
        let page = page("application/json", Bytes::from_static(body), &secrets()).unwrap();
        assert_eq!(page.next, "t");
        assert!(!format!("{page:?}").contains("c2VjcmV0"));
        let a = &page.instances[0];
        assert_eq!((a.id.as_str(), a.uid.as_str(), a.resource_version.as_str()), ("n/v1/Secret/a", "u", "5"));
        assert_eq!(a.created_at, "2026-01-02T03:04:05Z");
        assert_eq!(a.annotations, [("a/description".to_owned(), "d".to_owned())].into());
        assert_eq!(a.owner.as_ref().unwrap().name, "o2");
        assert_eq!(page.instances[1].id, "n/v1/Secret/b");
    }

    #[test]
    fn errors_never_quote_what_was_read() {
        for body in [
            r#"{"items":[{"metadata":{"name":"a","labels":"c2VjcmV0"}}]}"#,
            r#"{"items":[{"metadata":{"name":"a","annotations":{"description":["c2VjcmV0"]}}}]}"#,
            r#"{"items":[{"metadata":{"name":"a","annotations":{"x":"c2VjcmV0"#,
            r#"{"kind":"c2VjcmV0"}"#,
        ] {
            let error = page("application/json", Bytes::from(body), &secrets()).unwrap_err();
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
    }

    #[test]
    fn an_empty_list_may_be_null_and_a_page_of_html_is_no_list() {
        assert!(
            page("application/json", Bytes::from_static(br#"{"items":null}"#), &secrets()).unwrap().next.is_empty()
        );
        assert!(page("application/json", Bytes::from_static(b"{}"), &secrets()).is_err());
        let html = page("text/html", Bytes::from_static(b"<html>"), &secrets()).unwrap_err();
        assert_eq!(html, "the answer is \"text/html\"; expected JSON or Kubernetes protobuf");
    }

    #[test]
    fn times_are_printed_as_the_api_server_does() {
        assert_eq!(rfc3339(1_767_323_045), "2026-01-02T03:04:05Z");
    }
}
