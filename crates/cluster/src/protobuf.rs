//! The few fields of the API server's protobuf messages that are kept; everything else is skipped without being allocated.
//! Numbers are those of `k8s.io/apimachinery/pkg/{runtime,apis/meta/v1}/generated.proto` and, for definitions of custom
//! resources, `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/generated.proto`.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use clusterlore_core::is_description_key;
use prost::Message;

/// What every protobuf body of an API server begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The envelope (`runtime.Unknown`) after the magic bytes.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "bytes", tag = "2")]
    raw: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListMeta {
    #[prost(string, tag = "3")]
    pub(crate) next: String,
}

/// `PartialObjectMetadataList`; every list of whole objects has the same first fields.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct List {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) items: Vec<Object>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Object {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<ObjectMeta>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ObjectMeta {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    pub(crate) namespace: String,
    #[prost(string, tag = "5")]
    pub(crate) uid: String,
    #[prost(string, tag = "6")]
    pub(crate) resource_version: String,
    #[prost(message, optional, tag = "8")]
    pub(crate) created: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    pub(crate) labels: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "12")]
    annotations: Vec<Annotation>,
    #[prost(message, repeated, tag = "13")]
    pub(crate) owners: Vec<Owner>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Time {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
}

/// Slices of the body, neither copied nor decoded until the key is known to describe.
#[derive(Clone, PartialEq, Message)]
struct Annotation {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Owner {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) kind: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) name: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) uid: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) api_version: Bytes,
    #[prost(bool, tag = "6")]
    pub(crate) controller: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Status {
    #[prost(string, tag = "3")]
    pub(crate) message: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DefinitionList {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) items: Vec<Definition>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Definition {
    #[prost(message, optional, tag = "2")]
    pub(crate) spec: Option<DefinitionSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DefinitionSpec {
    #[prost(string, tag = "1")]
    pub(crate) group: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) names: Option<DefinitionNames>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) versions: Vec<DefinitionVersion>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DefinitionNames {
    #[prost(string, tag = "1")]
    pub(crate) plural: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DefinitionVersion {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) validation: Option<Validation>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Validation {
    #[prost(message, optional, tag = "1")]
    pub(crate) schema: Option<Schema>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Schema {
    #[prost(string, tag = "4")]
    pub(crate) description: String,
}

impl ObjectMeta {
    /// The annotations that describe; the others have never been more than slices of the body.
    pub(crate) fn descriptions(&self) -> BTreeMap<String, String> {
        self.annotations
            .iter()
            .filter_map(|a| {
                let key = std::str::from_utf8(&a.key).ok().filter(|key| is_description_key(key))?;
                Some((key.to_owned(), text(&a.value)))
            })
            .collect()
    }
}

pub(crate) fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a body is the API server's protobuf.
pub(crate) fn is_protobuf(body: &[u8]) -> bool {
    body.starts_with(MAGIC)
}

/// Decodes the message inside the envelope.
pub(crate) fn decode<M: Message + Default>(mut body: Bytes) -> Result<M, String> {
    if !is_protobuf(&body) {
        return Err("the protobuf answer does not begin with \"k8s\\0\"".to_owned());
    }
    body.advance(MAGIC.len());
    let broken = |e: prost::DecodeError| format!("broken protobuf: {e}");
    M::decode(Envelope::decode(body).map_err(broken)?.raw).map_err(broken)
}

/// The continue token of a list of which only the beginning has arrived: `None` while it is not known, or when the body is
/// not a list in protobuf. The API server writes the list's metadata before the items.
pub(crate) fn early_token(beginning: &[u8]) -> Option<String> {
    let mut envelope = beginning.strip_prefix(MAGIC)?;
    let mut list = loop {
        let (field, length) = length_delimited(&mut envelope)?;
        if field == 2 {
            break envelope;
        }
        envelope = envelope.get(length..)?;
    };
    let (field, length) = length_delimited(&mut list)?;
    let metadata = if field == 1 { list.get(..length)? } else { return None };
    ListMeta::decode(metadata).ok().map(|meta| meta.next)
}

/// Number and length of the field at which the slice begins; moves on to its content.
fn length_delimited(from: &mut &[u8]) -> Option<(u64, usize)> {
    let key = prost::encoding::decode_varint(from).ok()?;
    let length = prost::encoding::decode_varint(from).ok()?;
    (key & 7 == 2).then_some((key >> 3, usize::try_from(length).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(list: &List) -> Bytes {
        let envelope = Envelope { raw: list.encode_to_vec().into() };
        // The type that an API server writes before the list itself.
        let kind = [0x0a, 0x04, 0x0a, 0x02, b'P', b'L'];
        [MAGIC, &kind, &envelope.encode_to_vec()].concat().into()
    }

    fn list() -> List {
        let annotation = |key: &str, value: &str| Annotation {
            key: Bytes::copy_from_slice(key.as_bytes()),
            value: Bytes::copy_from_slice(value.as_bytes()),
        };
        let metadata = ObjectMeta {
            name: "nginx".into(),
            annotations: vec![
                annotation("description", "Web server"),
                annotation("kubectl.kubernetes.io/last-applied-configuration", "{\"data\":\"c2VjcmV0\"}"),
            ],
            ..ObjectMeta::default()
        };
        List { metadata: Some(ListMeta { next: "token".into() }), items: vec![Object { metadata: Some(metadata) }] }
    }

    #[test]
    fn a_list_is_read_and_only_descriptions_leave_it() {
        let decoded: List = decode(body(&list())).unwrap();
        let object = decoded.items[0].metadata.as_ref().unwrap();
        assert_eq!(object.name, "nginx");
        assert_eq!(object.descriptions(), [("description".to_owned(), "Web server".to_owned())].into());
    }

    #[test]
    fn the_token_is_known_before_the_items_have_arrived() {
        let whole = body(&list());
        let known = (0..=whole.len()).find(|n| early_token(&whole[..*n]).is_some()).unwrap();
        assert_eq!(early_token(&whole[..known]).unwrap(), "token");
        assert!(known < 30, "{known}");
    }

    #[test]
    fn broken_bodies_are_errors() {
        let whole = body(&list());
        for n in 0..whole.len() - 1 {
            assert!(n == MAGIC.len() || decode::<List>(whole.slice(..n)).is_err() || n == MAGIC.len() + 6, "{n}");
        }
        assert!(decode::<List>(Bytes::from_static(b"{}")).is_err());
    }
}
