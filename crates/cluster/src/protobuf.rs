//! The API server's protobuf, taken apart while it arrives. Only the few fields that are kept are looked at; everything else is
//! skipped without being decoded. Nothing here recurses, so nesting costs no stack.
//! Numbers are those of `k8s.io/apimachinery/pkg/{runtime,apis/meta/v1}/generated.proto` and, for definitions of custom
//! resources, `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/generated.proto`.

use bytes::{Buf, Bytes, BytesMut};
use prost::{Message, encoding::decode_varint};

use crate::bounds::OBJECT_BYTES;

/// What every protobuf body of an API server begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Bytes of the longest key and length: a tag and a 64-bit number.
const HEADER: usize = 20;

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

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// A number of fixed length: no field that is kept has one.
    Fixed,
}

/// The fields of one message, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a>(&'a [u8]);

/// The message's fields.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = decode_varint(&mut self.0).ok()?;
        let value = match key & 7 {
            0 => Value::Number(decode_varint(&mut self.0).ok()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let length = decode_varint(&mut self.0).ok()?;
                Value::Bytes(self.bytes(usize::try_from(length).ok()?)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        (key >> 3 > 0).then_some((key >> 3, value))
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "broken protobuf".to_owned()))
    }
}

/// The last field of this number; empty where there is none. Of a message whose fields with a length are all lines of text: anything
/// else is another message, or nonsense, that happens to have the form of this one.
fn line(message: &[u8], number: u64) -> Result<String, String> {
    let mut found = "";
    for field in fields(message) {
        if let (n, Value::Bytes(bytes)) = field? {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control));
            let text = text.ok_or("broken protobuf: no text where text should be")?;
            if n == number {
                found = text;
            }
        }
    }
    Ok(found.to_owned())
}

/// The message of a `Status`; `None`: the body is no protobuf.
pub(crate) fn status_message(body: &[u8]) -> Option<String> {
    let last = |message, number| {
        let found = fields(message).filter_map(Result::ok).filter_map(|(n, value)| match value {
            Value::Bytes(bytes) if n == number => Some(bytes),
            _ => None,
        });
        found.last().unwrap_or_default()
    };
    Some(String::from_utf8_lossy(last(last(body.strip_prefix(MAGIC)?, 2), 3)).into_owned())
}

/// A part of a list, as [`Frames`] finds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the answer says it is.
    Kind { api_version: String, kind: String },
    /// The list's own metadata, of which the version and the continue token are kept.
    Metadata { version: String, next: String },
    /// An object; `None`: it is larger than [`OBJECT_BYTES`] and was skipped.
    Item(Option<Bytes>),
}

/// Takes a list apart while it arrives: the envelope (`runtime.Unknown`), which says what it holds and how long that is, then the
/// list's metadata, then object after object.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: BytesMut,
    at: At,
    /// Of the list itself: what has not been taken yet.
    left: u64,
    /// Of something too large: what has not been thrown away yet.
    skip: u64,
    typed: bool,
    described: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Magic,
    /// Between fields of the envelope, before the list.
    Envelope,
    List,
    /// Between fields of the envelope, after the list.
    Tail,
}

impl Frames {
    /// Takes what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        self.buffer.extend_from_slice(&bytes[skipped..]);
    }

    /// How much waits for its end.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// The next part, as far as it has arrived.
    pub(crate) fn next(&mut self) -> Result<Option<Part>, String> {
        loop {
            match self.at {
                At::Magic => {
                    let known = self.buffer.len().min(MAGIC.len());
                    if self.buffer[..known] != MAGIC[..known] {
                        return Err("the protobuf answer does not begin with \"k8s\\0\"".to_owned());
                    }
                    if known < MAGIC.len() {
                        return Ok(None);
                    }
                    self.buffer.advance(MAGIC.len());
                    self.at = At::Envelope;
                }
                At::Envelope | At::Tail => {
                    let Some((field, header, length)) = self.header()? else { return Ok(None) };
                    match (field, self.at) {
                        (2, At::Envelope) => {
                            self.buffer.advance(header);
                            (self.at, self.left) = (At::List, length);
                            continue;
                        }
                        (1 | 2, At::Tail) => return Err("broken protobuf: more than one list".to_owned()),
                        _ => {}
                    }
                    let Some(message) = self.field(header, length)? else { return Ok(None) };
                    if field == 1 {
                        if std::mem::replace(&mut self.typed, true) {
                            return Err("broken protobuf: it says twice what it is".to_owned());
                        }
                        let (api_version, kind) = (line(&message, 1)?, line(&message, 2)?);
                        return Ok(Some(Part::Kind { api_version, kind }));
                    }
                }
                At::List if self.left == 0 => self.at = At::Tail,
                At::List => {
                    let Some((field, header, length)) = self.header()? else { return Ok(None) };
                    let whole = length.saturating_add(header as u64);
                    if whole > self.left {
                        return Err("broken protobuf: an object is longer than the list".to_owned());
                    }
                    if field == 2 && length > OBJECT_BYTES as u64 {
                        self.left -= whole;
                        let there = (self.buffer.len() as u64).min(whole);
                        self.skip = whole - there;
                        self.buffer.advance(usize::try_from(there).unwrap_or(usize::MAX));
                        return Ok(Some(Part::Item(None)));
                    }
                    let Some(message) = self.field(header, length)? else { return Ok(None) };
                    self.left -= whole;
                    match field {
                        // The API server writes the list's metadata before the objects.
                        1 if !std::mem::replace(&mut self.described, true) => {
                            let (version, next) = (line(&message, 2)?, line(&message, 3)?);
                            return Ok(Some(Part::Metadata { version, next }));
                        }
                        2 if self.described => return Ok(Some(Part::Item(Some(message)))),
                        1 | 2 => return Err("broken protobuf: list metadata in the wrong place".to_owned()),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Whether everything that was announced has come, and nothing else.
    pub(crate) fn end(&self) -> Result<(), String> {
        if self.at == At::Tail && self.buffer.is_empty() && self.skip == 0 {
            Ok(())
        } else {
            Err("broken protobuf: the answer ends too early".to_owned())
        }
    }

    /// Number, length of the header and length of the content of the field that comes next: all fields here have a length.
    fn header(&self) -> Result<Option<(u64, usize, u64)>, String> {
        let mut rest = &self.buffer[..];
        let varint = |rest: &mut &[u8]| {
            // The slow way of prost reads past the end where less than a whole number is there.
            let ends = rest.iter().take(10).any(|byte| byte & 0x80 == 0);
            if ends { decode_varint(rest).map(Some) } else { Ok(None) }
        };
        let broken = |_| "broken protobuf".to_owned();
        let key = varint(&mut rest).map_err(broken)?;
        let length = if key.is_some() { varint(&mut rest).map_err(broken)? } else { None };
        match (key, length) {
            (Some(key), _) if key & 7 != 2 || key >> 3 == 0 => Err("broken protobuf".to_owned()),
            (Some(key), Some(length)) => Ok(Some((key >> 3, self.buffer.len() - rest.len(), length))),
            _ if self.buffer.len() >= HEADER => Err("broken protobuf".to_owned()),
            _ => Ok(None),
        }
    }

    /// The content of the field that comes next, when it has arrived whole.
    fn field(&mut self, header: usize, length: u64) -> Result<Option<Bytes>, String> {
        let length = usize::try_from(length).ok().filter(|length| *length <= OBJECT_BYTES);
        let length = length.ok_or_else(|| format!("a field has more than {} MiB", OBJECT_BYTES >> 20))?;
        if self.buffer.len() < header + length {
            self.buffer.reserve(header + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(header);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// An object in its envelope (`runtime.Unknown`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enveloped<'a> {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) raw: &'a [u8],
}

/// Takes the envelope off.
pub(crate) fn enveloped(body: &[u8]) -> Result<Enveloped<'_>, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("the protobuf object does not begin with \"k8s\\0\"")?;
    let mut found = Enveloped { api_version: String::new(), kind: String::new(), raw: &[] };
    for field in fields(envelope) {
        match field? {
            (1, Value::Bytes(typed)) => (found.api_version, found.kind) = (line(typed, 1)?, line(typed, 2)?),
            (2, Value::Bytes(raw)) => found.raw = raw,
            _ => {}
        }
    }
    Ok(found)
}

/// Takes a watch apart while it arrives: before each event stands its length, in four bytes.
#[derive(Debug, Default)]
pub(crate) struct Delimited {
    buffer: BytesMut,
    /// Of an event that is too large: what has not been thrown away yet.
    skip: usize,
}

impl Delimited {
    /// Of the length's number.
    const HEADER: usize = 4;
    /// No API server writes a longer event: what says so is no watch.
    const NONSENSE: usize = 16 * OBJECT_BYTES;

    /// Takes what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.buffer.extend_from_slice(&bytes[skipped..]);
    }

    /// The next event, as far as it has arrived; `Some(None)`: it is larger than [`OBJECT_BYTES`] and is skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Option<Bytes>>, String> {
        let Some(header) = self.buffer.first_chunk::<{ Self::HEADER }>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
        if length > Self::NONSENSE {
            return Err("the answer is not a watch: it announces an event that no server writes".to_owned());
        }
        let there = self.buffer.len() - Self::HEADER;
        if length > OBJECT_BYTES {
            self.skip = length - length.min(there);
            self.buffer.advance(Self::HEADER + length.min(there));
            return Ok(Some(None));
        }
        if there < length {
            self.buffer.reserve(length - there);
            return Ok(None);
        }
        self.buffer.advance(Self::HEADER);
        Ok(Some(Some(self.buffer.split_to(length).freeze())))
    }

    /// Whether the last event came whole.
    pub(crate) fn end(&self) -> Result<(), String> {
        let whole = self.buffer.is_empty() && self.skip == 0;
        if whole { Ok(()) } else { Err("broken protobuf: the answer ends too early".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tests::{LIST, envelope, field};

    /// Everything that a body holds, fed in pieces of this size.
    fn parts(body: &[u8], size: usize) -> Result<Vec<Part>, String> {
        let (mut frames, mut parts) = (Frames::default(), Vec::new());
        for piece in body.chunks(size) {
            frames.push(piece);
            while let Some(part) = frames.next()? {
                parts.push(part);
            }
        }
        frames.end().map(|()| parts)
    }

    fn body() -> Vec<u8> {
        let metadata = [field(2, b"7"), field(3, b"token")].concat();
        let list = [field(1, &metadata), field(2, b"one"), field(2, b""), field(7, b"new")].concat();
        envelope(LIST, &list)
    }

    #[test]
    fn a_list_is_the_same_in_pieces_of_any_size() {
        let whole = parts(&body(), usize::MAX).unwrap();
        assert_eq!(
            whole,
            [
                Part::Kind { api_version: "meta.k8s.io/v1".into(), kind: "PartialObjectMetadataList".into() },
                Part::Metadata { version: "7".into(), next: "token".into() },
                Part::Item(Some(Bytes::from_static(b"one"))),
                Part::Item(Some(Bytes::new())),
            ]
        );
        for size in 1..body().len() {
            assert_eq!(parts(&body(), size).unwrap(), whole, "{size}");
        }
    }

    #[test]
    fn the_token_is_known_before_the_objects_have_arrived() {
        let mut frames = Frames::default();
        let known = body().iter().position(|byte| {
            frames.push(&[*byte]);
            matches!(frames.next().unwrap(), Some(Part::Metadata { .. }))
        });
        assert!(known.unwrap() < 70, "{known:?}");
    }

    #[test]
    fn a_cut_list_is_an_error_wherever_it_is_cut() {
        let body = body();
        // What follows the list in the envelope is two empty fields.
        let list_ends = body.len() - 4;
        for n in 0..body.len() {
            let whole = n == list_ends || n == list_ends + 2;
            assert_eq!(parts(&body[..n], 7).is_ok(), whole, "{n}");
        }
        for more in [&b"\0"[..], b"x", b"k8s\0", &body, &field(2, b""), &field(1, b"")] {
            assert!(parts(&[&body, more].concat(), 7).is_err(), "{more:?}");
        }
    }

    #[test]
    fn an_object_that_is_too_large_is_passed_over_and_not_held() {
        let large = field(2, &vec![b'x'; OBJECT_BYTES + 1]);
        let list = [field(1, b""), large, field(2, b"last")].concat();
        let (body, mut frames, mut items) = (envelope(LIST, &list), Frames::default(), Vec::new());
        for piece in body.chunks(1 << 16) {
            frames.push(piece);
            while let Some(part) = frames.next().unwrap() {
                items.extend(matches!(part, Part::Item(_)).then_some(part));
            }
            assert!(frames.held() <= 1 << 17);
        }
        frames.end().unwrap();
        assert_eq!(items, [Part::Item(None), Part::Item(Some(Bytes::from_static(b"last")))]);
    }

    /// An event as it stands in a watch.
    fn delimited(event: &[u8]) -> Vec<u8> {
        [&u32::try_from(event.len()).unwrap().to_be_bytes(), event].concat()
    }

    /// What a watch holds, fed in pieces of this size; and the most that was held.
    fn events(body: &[u8], size: usize) -> Result<(Vec<Option<Bytes>>, usize), String> {
        let (mut delimited, mut events, mut held) = (Delimited::default(), Vec::new(), 0);
        for piece in body.chunks(size) {
            delimited.push(piece);
            while let Some(event) = delimited.next()? {
                events.push(event);
            }
            held = held.max(delimited.buffer.len());
        }
        delimited.end().map(|()| (events, held))
    }

    #[test]
    fn a_watch_is_the_same_in_pieces_of_any_size_and_an_error_where_it_is_cut() {
        let body = [delimited(b"one"), delimited(b""), delimited(b"three")].concat();
        let expected = [&b"one"[..], b"", b"three"].map(|e| Some(Bytes::from_static(e)));
        for size in 1..=body.len() {
            assert_eq!(events(&body, size).unwrap().0, expected, "{size}");
        }
        for n in 0..body.len() {
            assert_eq!(events(&body[..n], 3).is_ok(), [0, 7, 11].contains(&n), "{n}");
        }
        assert!(events(b"k8s\0\n", 3).is_err(), "a list is no watch");
    }

    #[test]
    fn an_event_that_is_too_large_is_passed_over_and_not_held() {
        let large = delimited(&vec![b'x'; OBJECT_BYTES + 1]);
        let body = [delimited(b"one"), large, delimited(b"two")].concat();
        let (events, held) = events(&body, 1 << 16).unwrap();
        assert_eq!(events, [Some(Bytes::from_static(b"one")), None, Some(Bytes::from_static(b"two"))]);
        assert!(held <= 1 << 16, "{held}");
    }

    #[test]
    fn an_envelope_says_what_is_in_it() {
        let body = envelope(("v1", "Pod"), b"pod");
        let expected = Enveloped { api_version: "v1".into(), kind: "Pod".into(), raw: b"pod" };
        assert_eq!(enveloped(&body).unwrap(), expected);
        assert!(enveloped(&body[4..]).is_err());
    }

    #[test]
    fn a_status_is_read_for_its_message() {
        let status = field(3, "no such\n type".as_bytes());
        assert_eq!(status_message(&envelope(("v1", "Status"), &status)).unwrap(), "no such\n type");
        assert_eq!(status_message(b"{}"), None);
    }
}
