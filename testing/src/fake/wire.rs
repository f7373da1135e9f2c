//! Lists, definitions and errors as an API server writes them, in protobuf and JSON. Field numbers are those of the
//! `generated.proto` files of k8s.io/apimachinery and k8s.io/apiextensions-apiserver.

use bytes::Bytes;
use clusterlore_core::{ResourceInstance, ResourceType};
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Value, json};

/// See [`super::NEVER_READ`].
pub const NEVER_READ: &str = "c2VjcmV0LW5ldmVyLXJlYWQ=";

const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Of every object: who changed it, when, and of which subresource.
const MANAGERS: [(&str, &str, &str); 3] = [
    ("creator", "2026-01-02T03:04:05Z", ""),
    ("manager", "2026-01-02T03:04:06Z", ""),
    ("controller", "2026-01-02T03:04:07Z", "status"),
];

/// A message that is written field by field.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn text(&mut self, number: u32, text: &str) -> &mut Self {
        self.bytes(number, text.as_bytes())
    }

    pub(super) fn bytes(&mut self, number: u32, bytes: &[u8]) -> &mut Self {
        encode_key(number, WireType::LengthDelimited, &mut self.0);
        encode_varint(bytes.len() as u64, &mut self.0);
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, number: u32, value: u64) -> &mut Self {
        encode_key(number, WireType::Varint, &mut self.0);
        encode_varint(value, &mut self.0);
        self
    }

    pub(super) fn message(&mut self, number: u32, fill: impl FnOnce(&mut Writer)) -> &mut Self {
        let mut inner = Writer::default();
        fill(&mut inner);
        self.bytes(number, &inner.0)
    }

    pub(super) fn pair(&mut self, number: u32, key: &str, value: &str) -> &mut Self {
        self.message(number, |entry| {
            entry.text(1, key).text(2, value);
        })
    }
}

pub(super) fn enveloped(kind: &str, api_version: &str, raw: &Writer) -> Bytes {
    let mut out = Writer(b"k8s\0".to_vec());
    out.message(1, |meta| {
        meta.text(1, api_version).text(2, kind);
    });
    out.bytes(2, &raw.0).text(3, "").text(4, "");
    out.0.into()
}

pub(super) fn metadata_list_protobuf(page: &[ResourceInstance], version: u64, token: Option<&str>) -> Bytes {
    let mut list = Writer::default();
    list_meta(&mut list, version, token);
    for object in page {
        list.message(2, |item| {
            item.message(1, |meta| object_meta(meta, object));
        });
    }
    enveloped("PartialObjectMetadataList", "meta.k8s.io/v1", &list)
}

/// An object on its own, in its envelope.
pub(super) fn metadata_protobuf(object: &ResourceInstance) -> Bytes {
    let mut out = Writer::default();
    out.message(1, |meta| object_meta(meta, object));
    enveloped("PartialObjectMetadata", "meta.k8s.io/v1", &out)
}

/// What a bookmark holds.
pub(super) fn bookmark_protobuf(version: u64, ends_initial: bool) -> Bytes {
    let mut out = Writer::default();
    out.message(1, |meta| {
        meta.text(1, "").text(6, &version.to_string());
        if ends_initial {
            meta.pair(12, INITIAL_EVENTS_END, "true");
        }
    });
    enveloped("PartialObjectMetadata", "meta.k8s.io/v1", &out)
}

/// As [`bookmark_protobuf`].
pub(super) fn bookmark_json(kind: &str, api_version: &str, version: u64, ends_initial: bool) -> Value {
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if ends_initial {
        metadata["annotations"] = json!({INITIAL_EVENTS_END: "true"});
    }
    json!({"kind": kind, "apiVersion": api_version, "metadata": metadata})
}

/// One event of a watch (`meta.v1.WatchEvent`), with its length before it.
pub(super) fn event_protobuf(kind: &str, object: &[u8]) -> Bytes {
    let mut event = Writer::default();
    event.text(1, kind).message(2, |raw| {
        raw.bytes(1, object);
    });
    let length = u32::try_from(event.0.len()).expect("an event has less than 4 GiB");
    [&length.to_be_bytes(), &event.0[..]].concat().into()
}

/// As [`event_protobuf`], a line each.
pub(super) fn event_json(kind: &str, object: &Value) -> Bytes {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n").into()
}

fn list_meta(list: &mut Writer, version: u64, token: Option<&str>) {
    list.message(1, |meta| {
        meta.text(1, "").text(2, &version.to_string()).text(3, token.unwrap_or_default());
    });
}

fn object_meta(meta: &mut Writer, object: &ResourceInstance) {
    meta.text(1, &object.name).text(2, "");
    meta.text(3, if object.is_cluster_scoped() { "" } else { &object.namespace });
    meta.text(4, "")
        .text(5, &object.uid)
        .text(6, &object.resource_version)
        .number(7, object.generation.cast_unsigned());
    if let Some(seconds) = seconds(&object.created_at) {
        meta.message(8, |time| {
            time.number(1, seconds).number(2, 0);
        });
    }
    for (key, value) in &object.labels {
        meta.pair(11, key, value);
    }
    meta.pair(12, APPLIED, &format!("{{\"data\":\"{NEVER_READ}\"}}"));
    for (key, value) in &object.annotations {
        meta.pair(12, key, value);
    }
    meta.message(13, |owner| {
        owner.text(1, "Bystander").text(3, "not-controlling").text(4, "0").text(5, "example.org/v1").number(6, 0);
    });
    if let Some(o) = &object.owner {
        meta.message(13, |owner| {
            owner.text(1, &o.kind).text(3, &o.name).text(4, &o.uid).text(5, &o.api_version).number(6, 1).number(7, 1);
        });
    }
    meta.text(14, "example.org/finalizer");
    for (manager, time, part) in MANAGERS {
        meta.message(17, |field| {
            field.text(1, manager).text(2, "Update").message(4, |at| {
                at.number(1, seconds(time).unwrap_or_default()).number(2, 0);
            });
            field.message(7, |raw| {
                raw.text(1, NEVER_READ);
            });
            field.text(8, part);
        });
    }
}

/// Seconds since 1970 of an RFC 3339 time in UTC, without leap seconds.
fn seconds(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    // Days from civil, after Howard Hinnant, "chrono-compatible low-level date algorithms".
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}

pub(super) fn list_json(
    ty: &ResourceType,
    page: &[ResourceInstance],
    version: u64,
    token: Option<&str>,
    whole: bool,
) -> Bytes {
    let items: Vec<Value> = page.iter().map(|o| object_json(o, whole)).collect();
    let (kind, api_version) = if whole {
        (format!("{}List", ty.kind), ty.api_version())
    } else {
        ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned())
    };
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(token) = token {
        metadata["continue"] = json!(token);
    }
    // Go writes the fields in this order.
    let items = serde_json::to_string(&items).expect("plain values");
    format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":{items}}}").into()
}

/// Content type of a table.
pub(super) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// A table with what the fake server can print of an object: name, the label `status`, and the age.
pub(super) fn table_json(page: &[ResourceInstance], version: u64, token: Option<&str>) -> Bytes {
    let column =
        |name: &str, kind: &str| json!({"name": name, "type": kind, "format": "", "description": "", "priority": 0});
    let row = |object: &ResourceInstance| {
        let mut metadata = object_json(object, false);
        metadata["kind"] = json!("PartialObjectMetadata");
        metadata["apiVersion"] = json!("meta.k8s.io/v1");
        json!({"cells": [object.name, object.labels.get("status"), "5m"], "object": metadata})
    };
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(token) = token {
        metadata["continue"] = json!(token);
    }
    let columns = json!([column("Name", "string"), column("Status", "string"), column("Age", "string")]);
    let rows: Vec<Value> = page.iter().map(row).collect();
    // Go writes the fields in this order.
    let rows = serde_json::to_string(&rows).expect("plain values");
    format!("{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{metadata},\"columnDefinitions\":{columns},\"rows\":{rows}}}").into()
}

pub(super) fn object_json(object: &ResourceInstance, whole: bool) -> Value {
    let mut annotations = json!(object.annotations);
    annotations[APPLIED] = json!(format!("{{\"data\":\"{NEVER_READ}\"}}"));
    let mut owners =
        vec![json!({"apiVersion": "example.org/v1", "kind": "Bystander", "name": "not-controlling", "uid": "0"})];
    owners.extend(object.owner.as_ref().map(|o| {
        let mut owner = json!(o);
        owner["controller"] = json!(true);
        owner
    }));
    let managers = MANAGERS.map(|(manager, time, part)| {
        json!({"manager": manager, "time": time, "subresource": part, "fieldsV1": {"f:data": NEVER_READ}})
    });
    let mut metadata = json!({
        "name": object.name,
        "uid": object.uid,
        "resourceVersion": object.resource_version,
        "creationTimestamp": object.created_at,
        "labels": object.labels,
        "annotations": annotations,
        "ownerReferences": owners,
        "managedFields": managers,
    });
    // In protobuf a type without generations has 0, in JSON it has none.
    if object.generation != 0 {
        metadata["generation"] = json!(object.generation);
    }
    if !object.is_cluster_scoped() {
        metadata["namespace"] = json!(object.namespace);
    }
    if whole {
        let rest = json!({"inner": NEVER_READ});
        json!({"metadata": metadata, "spec": rest, "status": rest, "data": rest})
    } else {
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
    }
}

/// A whole object that says what it is, as it stands alone.
pub(super) fn whole_json(ty: &ResourceType, object: &ResourceInstance) -> Value {
    let mut whole = object_json(object, true);
    (whole["kind"], whole["apiVersion"]) = (json!(ty.kind), json!(ty.api_version()));
    whole
}

pub(super) fn definitions_protobuf(types: &[ResourceType]) -> Bytes {
    let mut list = Writer::default();
    list_meta(&mut list, 1, None);
    for versions in by_name(types) {
        let Some(ty) = versions.first() else { continue };
        list.message(2, |definition| {
            definition.message(1, |meta| {
                meta.text(1, &ty.name());
            });
            definition.message(2, |spec| {
                spec.text(1, &ty.group).message(3, |names| {
                    names.text(1, &ty.plural).text(2, &ty.singular).text(4, &ty.kind);
                });
                spec.text(4, if ty.namespaced { "Namespaced" } else { "Cluster" });
                for v in &versions {
                    spec.message(7, |version| {
                        version.text(1, &v.version).number(2, 1).number(3, 1).message(4, |validation| {
                            validation.message(1, |schema| {
                                schema.text(4, &v.description).text(5, "object").message(29, |property| {
                                    property.text(1, "spec").message(2, |inner| {
                                        inner.text(4, NEVER_READ).text(5, "object");
                                    });
                                });
                            });
                        });
                    });
                }
            });
        });
    }
    enveloped("CustomResourceDefinitionList", "apiextensions.k8s.io/v1", &list)
}

pub(super) fn definitions_json(types: &[ResourceType]) -> Value {
    let items: Vec<Value> = by_name(types)
        .into_iter()
        .filter_map(|versions| {
            let ty = versions.first()?;
            let served: Vec<Value> = versions
                .iter()
                .map(|v| {
                    json!({"name": v.version, "served": true, "storage": true, "schema": {"openAPIV3Schema":
                        {"description": v.description, "type": "object", "properties": {"spec": {"description": NEVER_READ}}}}})
                })
                .collect();
            Some(json!({
                "metadata": {"name": ty.name()},
                "spec": {
                    "group": ty.group,
                    "names": {"plural": ty.plural, "kind": ty.kind},
                    "scope": if ty.namespaced { "Namespaced" } else { "Cluster" },
                    "versions": served,
                }
            }))
        })
        .collect();
    json!({"kind": "CustomResourceDefinitionList", "apiVersion": "apiextensions.k8s.io/v1", "metadata": {}, "items": items})
}

fn by_name(types: &[ResourceType]) -> Vec<Vec<&ResourceType>> {
    let custom = |ty: &&ResourceType| ty.group.contains('.') && !ty.group.ends_with(".k8s.io");
    let mut groups: Vec<Vec<&ResourceType>> = Vec::new();
    for ty in types.iter().filter(custom) {
        match groups.iter_mut().find(|g| g.first().is_some_and(|first| first.name() == ty.name())) {
            Some(group) => group.push(ty),
            None => groups.push(vec![ty]),
        }
    }
    groups
}

pub(super) fn status_json(code: u16, message: &str) -> Value {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code});
    if let Some(reason) = reason(code) {
        status["reason"] = json!(reason);
    }
    status
}

pub(super) fn status_protobuf(code: u16, message: &str) -> Bytes {
    let mut status = Writer::default();
    status.message(1, |_| {}).text(2, "Failure").text(3, message);
    status.text(4, reason(code).unwrap_or_default()).number(6, u64::from(code));
    enveloped("Status", "v1", &status)
}

/// As a machine reads it, where it matters.
fn reason(code: u16) -> Option<&'static str> {
    match code {
        410 => Some("Expired"),
        422 => Some("Invalid"),
        _ => None,
    }
}
