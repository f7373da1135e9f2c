//! What an API server, or whatever answers in its place, may do to a list: nothing here is a list of the type that was asked for,
//! whole and readable. Whoever reads it must lose nothing, hold little, and come to an end.

use std::{io::Write, time::Duration};

use bytes::Bytes;
use clusterlore_core::{ResourceInstance, ResourceType};
use prost::encoding::encode_varint;

use super::fault::Fault;
use super::wire::{Writer, enveloped, status_protobuf};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const JSON: &str = "application/json";

/// One behaviour.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// For a test's message.
    pub name: &'static str,
    /// Set on the requests of a type's lists.
    pub fault: Fault,
}

/// Every behaviour, for the lists of a namespaced type.
pub fn behaviours(ty: &ResourceType) -> Vec<Hostile> {
    let other = |name, fault| Hostile { name, fault };
    let json = |name, body: &str| other(name, Fault::answer(JSON, body.to_owned()));
    let protobuf = |name, body: Bytes| other(name, Fault::answer(PROTOBUF, body));
    let (kind, api_version) = (&ty.kind, ty.api_version());
    let typed = format!(r#""kind":"{kind}List","apiVersion":"{api_version}""#);
    let object = r#"{"metadata":{"name":"hostile","namespace":"default"}}"#;
    let deep = |n| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
    vec![
        // Not the right kind of answer.
        protobuf("nothing", Bytes::new()),
        protobuf("protobuf without anything in it", Bytes::from_static(b"k8s\0")),
        protobuf("an empty list that does not say so", {
            let mut out = b"k8s\0".to_vec();
            out.extend(&metadata().0);
            out.into()
        }),
        protobuf(
            "a list without metadata",
            enveloped("PartialObjectMetadataList", "meta.k8s.io/v1", &Writer::default()),
        ),
        protobuf("a status as if it were well", status_protobuf(500, "the backend is overloaded")),
        protobuf("the list of another type", enveloped("StrangerList", "v1", &metadata())),
        protobuf("the list of another group", enveloped(&format!("{kind}List"), "strange.example/v1", &metadata())),
        json("{}", "{}"),
        json("items alone", r#"{"items":[]}"#),
        json(
            "a status in JSON",
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","items":null}"#,
        ),
        json(
            "the list of another type in JSON",
            r#"{"kind":"StrangerList","apiVersion":"v1","metadata":{},"items":[]}"#,
        ),
        json("a plain list of nothing", r#"{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}"#),
        json("a list without items", &format!(r#"{{{typed},"metadata":{{}}}}"#)),
        json("a list without metadata in JSON", &format!(r#"{{{typed},"items":[]}}"#)),
        json(
            "a list whose items are something else",
            &format!(
                r#"{{{typed},"metadata":{{}},"items":[{{"kind":"Stranger","apiVersion":"v1","metadata":{{"name":"stranger","namespace":"default"}}}}]}}"#
            ),
        ),
        json(
            "a list that says at its end that it is of another type",
            &format!(r#"{{"items":[{object}],"metadata":{{}},"kind":"StrangerList","apiVersion":"v1"}}"#),
        ),
        other("a page to log in", Fault::answer("text/html", "<html>login</html>")),
        other("a redirect", Fault::redirect("http://127.0.0.1:1/elsewhere")),
        // Not whole.
        other("a connection that is cut", Fault::cut()),
        other("less than its length", Fault::short()),
        other("HTTP/1.0, nothing", Fault::http10_cut(0)),
        other("HTTP/1.0, four bytes", Fault::http10_cut(4)),
        other("HTTP/1.0, the head of the envelope", Fault::http10_cut(49)),
        other("HTTP/1.0, half of it", Fault::http10_cut(100)),
        other("HTTP/1.0, all but the last of the list", Fault::http10_cut(-5)),
        other("nonsense from the middle on", Fault::malformed()),
        json("JSON that is cut", &format!(r#"{{{typed},"metadata":{{}},"items":[{object}"#)),
        json("two answers in one", &format!(r#"{{{typed},"metadata":{{}},"items":[]}}{{}}"#)),
        // Not to be read.
        protobuf("nested garbage", {
            let mut inner = Writer::default();
            for _ in 0..2_000 {
                let outer = std::mem::take(&mut inner);
                inner.bytes(1, &outer.0);
            }
            enveloped("PartialObjectMetadataList", "meta.k8s.io/v1", &inner)
        }),
        json("nested labels", &{
            let labels = deep(100_000);
            format!(
                r#"{{{typed},"metadata":{{}},"items":[{{"metadata":{{"name":"a","namespace":"default","labels":{labels}}}}}]}}"#
            )
        }),
        json(
            "nested list metadata",
            &format!(r#"{{{typed},"metadata":{},"items":{}}}"#, deep(100_000), "[".repeat(100_000)),
        ),
        other("compressed, which nobody asked for", bomb(64 << 20)),
        // Some objects of it.
        other("an object without a name", also(ty, "", "default")),
        other("an object whose name is a path", also(ty, "a/b", "default")),
        other("an object of no namespace", also(ty, "nowhere", clusterlore_core::CLUSTER_SCOPE)),
        protobuf("an object of 5 MiB", {
            let mut list = metadata();
            list.message(2, |object| {
                object.message(1, |metadata| {
                    metadata.text(1, "large").text(3, "default").pair(12, "example.org/notes", &"x".repeat(5 << 20));
                });
            });
            enveloped("PartialObjectMetadataList", "meta.k8s.io/v1", &list)
        }),
        // Not to be finished.
        other("a token that comes again", Fault::token("again")),
        other("always another token", Fault::tokens()),
        other("no answer", Fault::slow(Duration::from_secs(3600))),
        other("a byte at a time", Fault::endless(PROTOBUF, endless_object(), "x", Duration::from_millis(20))),
        other("zeros without end", Fault::endless(PROTOBUF, "", vec![0; 1 << 16], Duration::ZERO)),
        other("objects without end", {
            let (begin, object) = endless_list();
            Fault::endless(PROTOBUF, begin, object.repeat(16), Duration::ZERO)
        }),
        other(
            "one object without end",
            Fault::endless(PROTOBUF, endless_object(), vec![b'x'; 1 << 16], Duration::ZERO),
        ),
        other("objects without end in JSON", {
            let begin = format!(r#"{{{typed},"metadata":{{}},"items":["#);
            let object =
                format!(r#"{{"metadata":{{"name":"hostile","namespace":"default","x":"{}"}}}},"#, "x".repeat(8_000));
            Fault::endless(JSON, begin, object.repeat(8), Duration::ZERO)
        }),
        other("blanks without end in JSON", Fault::endless(JSON, "{", vec![b' '; 1 << 16], Duration::ZERO)),
        other("one text without end in JSON", Fault::endless(JSON, "{\"a\":\"", vec![b'x'; 1 << 16], Duration::ZERO)),
        other("depth without end in JSON", Fault::endless(JSON, "{\"a\":", vec![b'['; 1 << 16], Duration::ZERO)),
    ]
}

/// A list with one object of this many zeros, packed with gzip: a thousandth of its size. For a client that asks for gzip.
pub fn bomb(count: usize) -> Fault {
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    Fault::answers(200, &headers, packed(&endless_object(), count))
}

/// This, and then this many zeros, packed with gzip.
pub fn packed(begin: &[u8], count: usize) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = [0; 1 << 16];
    gzip.write_all(begin).expect("memory can be written");
    for _ in 0..count.div_ceil(zeros.len()) {
        gzip.write_all(&zeros).expect("memory can be written");
    }
    gzip.finish().expect("memory can be written")
}

/// A list's own metadata.
fn metadata() -> Writer {
    let mut list = Writer::default();
    list.message(1, |metadata| {
        metadata.text(2, "1").text(3, "");
    });
    list
}

/// The beginning of a list that says it is very long, and an object that may follow any number of times.
fn endless_list() -> (Vec<u8>, Vec<u8>) {
    let mut begin = Writer(b"k8s\0".to_vec());
    begin.message(1, |typed| {
        typed.text(1, "meta.k8s.io/v1").text(2, "PartialObjectMetadataList");
    });
    begin.0.push(0x12);
    encode_varint(u64::MAX >> 1, &mut begin.0);
    begin.0.extend(metadata().0);
    let mut object = Writer::default();
    object.message(2, |object| {
        object.message(1, |metadata| {
            metadata.text(1, "hostile").text(3, "default").pair(12, "example.org/notes", &"x".repeat(4_000));
        });
    });
    (begin.0, object.0)
}

/// The beginning of a list with one object that says it is very long.
fn endless_object() -> Vec<u8> {
    let (mut begin, _) = endless_list();
    begin.push(0x12);
    encode_varint(1 << 40, &mut begin);
    begin
}

fn also(ty: &ResourceType, name: &str, namespace: &str) -> Fault {
    Fault::also(broken(ty, name, namespace))
}

/// An object that no constructor would give.
fn broken(ty: &ResourceType, name: &str, namespace: &str) -> ResourceInstance {
    ResourceInstance {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        kind: ty.kind.clone(),
        api_version: ty.api_version(),
        ..ResourceInstance::default()
    }
}
