//! A watch, in whichever form the server chose, read event by event while it arrives, down to the fields that are kept.

use bytes::Bytes;
use clusterlore_core::ResourceInstance;
use serde::Deserialize;

use super::{Asked, Item, Unfit, from_json, is_protobuf, manager, pair, short, too_large, utf8};
use crate::json_list::{Elements, Part};
use crate::protobuf::{Delimited, Enveloped, Value, enveloped, fields};
use crate::source::ObjectName;

/// The annotation of the bookmark after which no initial event comes.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The object was created or changed, last by this manager; empty where that is not known.
    Changed { object: Box<ResourceInstance>, manager: String },
    /// The object was deleted.
    Gone { object: ObjectName, version: String },
    /// Nothing else happened up to this version; `ends_initial`: and whatever was there has been told.
    Bookmark { version: String, ends_initial: bool },
    /// The watch is over: status and message.
    Error(u16, String),
    /// Something happened to an object that cannot be read.
    Unreadable(String),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct EventReader(Form);

#[derive(Debug)]
enum Form {
    Protobuf(Delimited),
    Json { elements: Elements, event: JsonEvent },
}

/// The members of an event as far as they have come.
#[derive(Debug, Default)]
struct JsonEvent {
    kind: Option<Bytes>,
    object: Option<Option<Bytes>>,
}

/// Which object an event is about, in the form of the answer.
enum Object<'a> {
    Protobuf(&'a Bytes, Enveloped<'a>),
    Json(&'a [u8]),
}

/// A bookmark's object.
#[derive(Debug, Default, Deserialize)]
struct JsonMark {
    metadata: Option<JsonMarkMeta>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonMarkMeta {
    resource_version: Option<String>,
    annotations: Option<JsonMarkAnnotations>,
}

#[derive(Debug, Default, Deserialize)]
struct JsonMarkAnnotations {
    /// [`INITIAL_EVENTS_END`].
    #[serde(rename = "k8s.io/initial-events-end")]
    ends_initial: Option<String>,
}

/// A `Status`.
#[derive(Debug, Default, Deserialize)]
struct Status {
    code: Option<u16>,
    reason: Option<String>,
    message: Option<String>,
}

impl EventReader {
    /// A reader for an answer of this content type.
    pub(crate) fn new(content_type: &str) -> Result<Self, String> {
        Ok(Self(match is_protobuf(content_type)? {
            true => Form::Protobuf(Delimited::default()),
            false => Form::Json { elements: Elements::many(), event: JsonEvent::default() },
        }))
    }

    /// Takes what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Form::Protobuf(delimited) => delimited.push(bytes),
            Form::Json { elements, .. } => elements.push(bytes),
        }
    }

    /// The next event, as far as it has arrived.
    ///
    /// # Errors
    /// This is no watch of what was asked for, or broken: nothing that follows can be read.
    pub(crate) fn next(&mut self, asked: &Asked<'_>) -> Result<Option<Told>, String> {
        let no_watch = || "the answer is not a watch: expected events with a type and an object".to_owned();
        match &mut self.0 {
            Form::Protobuf(delimited) => {
                let frame = match delimited.next()? {
                    None => return Ok(None),
                    Some(None) => return Ok(Some(unreadable(too_large())?)),
                    Some(Some(frame)) => frame,
                };
                let (mut kind, mut object): (&[u8], &[u8]) = (&[], &[]);
                for field in fields(&frame) {
                    match field? {
                        (1, Value::Bytes(bytes)) => kind = bytes,
                        (2, Value::Bytes(extension)) => object = first(extension)?,
                        _ => {}
                    }
                }
                told(utf8(kind)?, &Object::Protobuf(&frame, enveloped(object)?), asked).map(Some)
            }
            Form::Json { elements, event } => loop {
                match elements.next()? {
                    None => return Ok(None),
                    Some(Part::Member(key, value)) if key == "type" => event.kind = value,
                    Some(Part::Member(key, value)) if key == "object" => event.object = Some(value),
                    Some(Part::Member(..)) => {}
                    Some(Part::List(_) | Part::Element(_)) => return Err(no_watch()),
                    Some(Part::End) => {
                        let JsonEvent { kind: Some(kind), object: Some(object) } = std::mem::take(event) else {
                            return Err(no_watch());
                        };
                        let kind: String = from_json(&kind)?;
                        let Some(object) = object else { return Ok(Some(unreadable(too_large())?)) };
                        return told(&kind, &Object::Json(&object), asked).map(Some);
                    }
                }
            },
        }
    }

    /// That was all: whether the last event came whole.
    pub(crate) fn end(&self) -> Result<(), String> {
        match &self.0 {
            Form::Protobuf(delimited) => delimited.end(),
            Form::Json { elements, .. } => elements.end(),
        }
    }
}

fn told(kind: &str, object: &Object<'_>, asked: &Asked<'_>) -> Result<Told, String> {
    match kind {
        "ADDED" | "MODIFIED" | "DELETED" => match object.instance(asked) {
            Ok(gone) if kind == "DELETED" => Ok(Told::Gone {
                object: ObjectName { namespace: gone.namespace, name: gone.name },
                version: gone.resource_version,
            }),
            Ok(read) => Ok(Told::Changed { object: Box::new(read), manager: object.manager() }),
            Err(Unfit::Strange) => Err(format!("the watch tells of something else than {}", asked.plural)),
            Err(broken) => unreadable(broken),
        },
        "BOOKMARK" => Ok(match object.mark()? {
            (version, _) if version.is_empty() => Told::Unreadable("a bookmark without a resourceVersion".to_owned()),
            (version, ends_initial) => Told::Bookmark { version, ends_initial },
        }),
        "ERROR" => {
            let Status { code, reason, message } = object.status();
            let expired = matches!(reason.as_deref(), Some("Expired" | "Gone"));
            Ok(Told::Error(code.unwrap_or(if expired { 410 } else { 500 }), message.unwrap_or_default()))
        }
        _ => Ok(Told::Unreadable("an event of an unknown type".to_owned())),
    }
}

fn unreadable(unfit: Unfit) -> Result<Told, String> {
    match unfit {
        Unfit::Broken(reason) => Ok(Told::Unreadable(reason)),
        Unfit::Strange => Err("the watch tells of something else".to_owned()),
    }
}

impl Object<'_> {
    fn instance(&self, asked: &Asked<'_>) -> Result<ResourceInstance, Unfit> {
        match self {
            Self::Protobuf(frame, Enveloped { api_version, kind, raw }) => {
                asked.is_said(Some(api_version), Some(kind)).ok_or(Unfit::Strange)?;
                ResourceInstance::from_protobuf(frame.slice_ref(raw), asked)
            }
            Self::Json(object) => ResourceInstance::from_json(object, asked).map(|(object, _)| object),
        }
    }

    /// Who changed it last.
    fn manager(&self) -> String {
        match self {
            Self::Protobuf(_, Enveloped { raw, .. }) => first(raw).map(manager::of_protobuf).unwrap_or_default(),
            Self::Json(object) => manager::of_json(object),
        }
    }

    /// What a bookmark's object has: the `resourceVersion`, and whether it says that these were all initial events.
    fn mark(&self) -> Result<(String, bool), String> {
        let (mut at, mut ends_initial) = (String::new(), false);
        match self {
            Self::Protobuf(_, Enveloped { raw, .. }) => {
                for field in fields(first(raw)?) {
                    match field? {
                        (6, Value::Bytes(version)) => at = short(utf8(version)?),
                        (12, Value::Bytes(entry)) => {
                            let (key, value) = pair(entry)?;
                            ends_initial |= key == INITIAL_EVENTS_END.as_bytes() && value == b"true";
                        }
                        _ => {}
                    }
                }
            }
            Self::Json(object) => {
                let metadata = from_json::<JsonMark>(object)?.metadata.unwrap_or_default();
                at = short(&metadata.resource_version.unwrap_or_default());
                ends_initial = metadata.annotations.unwrap_or_default().ends_initial.as_deref() == Some("true");
            }
        }
        Ok((at, ends_initial))
    }

    /// What a `Status` says, as far as it can be read: the watch is over whatever it says.
    fn status(&self) -> Status {
        match self {
            Self::Protobuf(_, Enveloped { raw, .. }) => {
                let mut status = Status::default();
                for field in fields(raw).map_while(Result::ok) {
                    match field {
                        (3, Value::Bytes(message)) => {
                            status.message = Some(String::from_utf8_lossy(message).into_owned());
                        }
                        (4, Value::Bytes(reason)) => status.reason = Some(String::from_utf8_lossy(reason).into_owned()),
                        (6, Value::Number(code)) => status.code = u16::try_from(code).ok(),
                        _ => {}
                    }
                }
                status
            }
            Self::Json(object) => from_json(object).unwrap_or_default(),
        }
    }
}

/// The first field: the metadata of an object, or the object in a `RawExtension`.
fn first(message: &[u8]) -> Result<&[u8], String> {
    match fields(message).next() {
        Some(Ok((1, Value::Bytes(bytes)))) => Ok(bytes),
        Some(Err(broken)) => Err(broken),
        _ => Ok(&[]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::tests::{envelope, field, mutated, pods, text};

    const JSON: &str = "application/json";
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf;stream=watch";
    const METADATA: (&str, &str) = ("meta.k8s.io/v1", "PartialObjectMetadata");

    /// An event as it stands in a watch.
    fn event(kind: &str, object: &[u8]) -> Vec<u8> {
        let event = [text(1, kind), field(2, &field(1, object))].concat();
        [&u32::try_from(event.len()).unwrap().to_be_bytes()[..], &event].concat()
    }

    fn pod(name: &str, version: &str) -> Vec<u8> {
        let hidden = field(12, &[text(1, "last-applied"), text(2, "c2VjcmV0")].concat());
        let metadata = [text(1, name), text(3, "n"), text(6, version), hidden].concat();
        envelope(METADATA, &field(1, &metadata))
    }

    fn json_pod(name: &str, version: &str) -> String {
        format!(
            r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{name}","namespace":"n","resourceVersion":"{version}"}},"code":{{}},"reason":"c2VjcmV0"}}"#
        )
    }

    /// The same seven events in either form.
    fn watches() -> [(&'static str, Vec<u8>); 2] {
        let status = [text(3, "too old"), text(4, "Expired"), vec![6 << 3, 0x9a, 0x03]].concat();
        let ending = field(12, &[text(1, INITIAL_EVENTS_END), text(2, "true")].concat());
        let protobuf = [
            event("ADDED", &pod("a", "5")),
            event("MODIFIED", &pod("a", "6")),
            event("DELETED", &pod("a", "7")),
            event("BOOKMARK", &envelope(METADATA, &field(1, &text(6, "8")))),
            event("BOOKMARK", &envelope(METADATA, &field(1, &[text(6, "10"), ending].concat()))),
            event("ADDED", &pod("", "9")),
            event("ERROR", &envelope(("v1", "Status"), &status)),
        ];
        let json = [
            format!(r#"{{"type":"ADDED","object":{}}}"#, json_pod("a", "5")),
            format!(r#"{{"type":"MODIFIED","object":{}}}"#, json_pod("a", "6")),
            // In another order, with something new, and without a line of its own.
            format!(r#"{{"new":[1],"object":{},"type":"DELETED"}}"#, json_pod("a", "7")),
            r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"8","creationTimestamp":null}}}"#
                .to_owned(),
            r#"{"type":"BOOKMARK","object":{"metadata":{"annotations":{"a":1,"k8s.io/initial-events-end":"true"},"resourceVersion":"10"}}}"#
                .to_owned(),
            format!(r#"{{"type":"ADDED","object":{}}}"#, json_pod("", "9")),
            r#"{"type":"ERROR","object":{"kind":"Status","message":"too old","reason":"Expired"}}"#.to_owned(),
        ];
        [(PROTOBUF, protobuf.concat()), (JSON, json.join("\n").into_bytes())]
    }

    fn read(content_type: &str, body: &[u8], size: usize) -> Result<Vec<Told>, String> {
        let (ty, mut reader, mut all) = (pods(), EventReader::new(content_type)?, Vec::new());
        for piece in body.chunks(size) {
            reader.push(piece);
            while let Some(told) = reader.next(&Asked::new(&ty, None))? {
                all.push(told);
            }
        }
        reader.end().map(|()| all)
    }

    #[test]
    fn a_watch_is_the_same_in_either_form_and_in_pieces_of_any_size() {
        for (content_type, body) in watches() {
            let all = read(content_type, &body, usize::MAX).unwrap();
            assert!(!format!("{all:?}").contains("c2VjcmV0"));
            let version = |told: &Told| match told {
                Told::Changed { object, .. } => object.resource_version.clone(),
                Told::Gone { object, version } => format!("{}/{} {version}", object.namespace, object.name),
                Told::Bookmark { version, ends_initial } => format!("bookmark {version} {ends_initial}"),
                Told::Unreadable(why) => why.split(';').next().unwrap_or_default().to_owned(),
                Told::Error(code, message) => format!("{code} {message}"),
            };
            let said: Vec<String> = all.iter().map(version).collect();
            let expected =
                ["5", "6", "n/a 7", "bookmark 8 false", "bookmark 10 true", "metadata.name is missing", "410 too old"];
            assert_eq!(said, expected, "{content_type}");
            for size in [1, 2, 3, 7, 64] {
                assert_eq!(read(content_type, &body, size).unwrap(), all, "{content_type} {size}");
            }
        }
    }

    #[test]
    fn what_is_no_watch_of_the_type_is_an_error() {
        let stranger = envelope(("v1", "Secret"), &field(1, &text(1, "s")));
        let odd: [(&str, Vec<u8>); 9] = [
            (PROTOBUF, event("ADDED", &stranger)),
            (PROTOBUF, event("ADDED", b"")),
            (PROTOBUF, envelope(("meta.k8s.io/v1", "PartialObjectMetadataList"), b"")),
            (
                JSON,
                br#"{"type":"ADDED","object":{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s"}}}"#.to_vec(),
            ),
            (JSON, br#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"#.to_vec()),
            (JSON, b"{}".to_vec()),
            (JSON, br#"{"type":7,"object":{}}"#.to_vec()),
            (JSON, b"[]".to_vec()),
            ("text/html", b"<html>".to_vec()),
        ];
        for (content_type, body) in odd {
            assert!(read(content_type, &body, usize::MAX).is_err(), "{content_type} {body:?}");
        }
        let unknown = format!(r#"{{"type":"RENAMED","object":{}}}"#, json_pod("a", "5"));
        let told = read(JSON, unknown.as_bytes(), usize::MAX).unwrap();
        assert_eq!(told, [Told::Unreadable("an event of an unknown type".to_owned())]);
    }

    #[test]
    fn a_cut_watch_is_an_error_but_between_events() {
        for (content_type, body) in watches() {
            let whole = (0..=body.len()).filter(|n| read(content_type, &body[..*n], 1 << 10).is_ok()).count();
            // Nothing, and after each of the seven events; in JSON also with the end of the line.
            assert_eq!(whole, if content_type == JSON { 14 } else { 8 }, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn fuzz_watch(
            (content_type, body) in prop_oneof![
                mutated(watches()[0].1.clone()).prop_map(|body| (PROTOBUF, body)),
                mutated(watches()[1].1.clone()).prop_map(|body| (JSON, body)),
                prop::collection::vec(any::<u8>(), 0..200).prop_map(|body| (PROTOBUF, body)),
                prop::collection::vec(any::<u8>(), 0..200).prop_map(|raw| (PROTOBUF, event("ADDED", &raw))),
            ],
            size in 1..40_usize,
        ) {
            let whole = read(content_type, &body, usize::MAX).ok();
            prop_assert_eq!(&read(content_type, &body, size).ok(), &whole);
            for told in whole.unwrap_or_default() {
                if let Told::Changed { object, .. } = told {
                    prop_assert!(!object.name.is_empty() && object.kind == "Pod" && !object.is_cluster_scoped());
                }
            }
        }
    }
}
