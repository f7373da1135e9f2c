//! A list in JSON, taken apart while it arrives: the members of the outermost object, and the elements of its `items` one by one.
//! A watch is one such object after another.
//! Only where values begin and end is found here, without recursion; what they hold is serde's to read and to check.

use bytes::{Buf, Bytes, BytesMut};

use crate::bounds::OBJECT_BYTES;

/// A part of the answer, as [`Elements`] finds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A member of the outermost object; `None`: its value is larger than [`OBJECT_BYTES`].
    Member(String, Option<Bytes>),
    /// The list of this name begins: `items`, or the `rows` of a table.
    List(String),
    /// An element of the list that began; `None`: it is larger than [`OBJECT_BYTES`].
    Element(Option<Bytes>),
    /// The outermost object ends, and another may follow: only where many are expected.
    End,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    many: bool,
    buffer: BytesMut,
    at: At,
    key: String,
    scan: Scan,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Begin,
    FirstKey,
    Key,
    Colon,
    Value,
    AfterValue,
    FirstElement,
    Element,
    AfterElement,
    End,
}

/// How far a value has been looked through.
#[derive(Debug, Default)]
struct Scan {
    scanned: usize,
    depth: usize,
    string: bool,
    escaped: bool,
    too_large: bool,
}

impl Elements {
    /// One object after another, instead of one.
    pub(crate) fn many() -> Self {
        Self { many: true, ..Self::default() }
    }

    /// Takes what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// How much waits for its end.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// The next part, as far as it has arrived.
    pub(crate) fn next(&mut self) -> Result<Option<Part>, String> {
        loop {
            if self.scan.is_new() {
                let blank = self.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                self.buffer.advance(blank);
            }
            let Some(first) = self.buffer.first().copied() else { return Ok(None) };
            match (self.at, first) {
                (At::Begin, b'{') => self.go(At::FirstKey),
                (At::FirstKey | At::AfterValue, b'}') if self.many => {
                    self.go(At::Begin);
                    return Ok(Some(Part::End));
                }
                (At::FirstKey | At::AfterValue, b'}') => self.go(At::End),
                (At::FirstKey | At::Key, b'"') => {
                    self.at = At::Key;
                    let Some(key) = self.value() else { return Ok(None) };
                    let key = key.and_then(|key| serde_json::from_slice(&key).ok());
                    (self.key, self.at) = (key.ok_or_else(|| broken("a key"))?, At::Colon);
                }
                (At::Colon, b':') => self.go(At::Value),
                (At::Value, b'[') if self.scan.is_new() && matches!(self.key.as_str(), "items" | "rows") => {
                    self.go(At::FirstElement);
                    return Ok(Some(Part::List(std::mem::take(&mut self.key))));
                }
                (At::Value, _) => {
                    let Some(value) = self.value() else { return Ok(None) };
                    self.at = At::AfterValue;
                    return Ok(Some(Part::Member(std::mem::take(&mut self.key), value)));
                }
                (At::AfterValue, b',') => self.go(At::Key),
                (At::FirstElement | At::AfterElement, b']') => self.go(At::AfterValue),
                (At::FirstElement, _) => self.at = At::Element,
                (At::Element, _) => {
                    let Some(element) = self.value() else { return Ok(None) };
                    self.at = At::AfterElement;
                    return Ok(Some(Part::Element(element)));
                }
                (At::AfterElement, b',') => self.go(At::Element),
                (At::End, _) => return Err("broken JSON: more follows its end".to_owned()),
                _ => return Err(broken("another character")),
            }
        }
    }

    /// Whether the outermost object has come to its end, the last of them where there may be many.
    pub(crate) fn end(&self) -> Result<(), String> {
        if self.at == if self.many { At::Begin } else { At::End } {
            Ok(())
        } else {
            Err("broken JSON: the answer ends too early".to_owned())
        }
    }

    /// Over one byte.
    fn go(&mut self, to: At) {
        self.buffer.advance(1);
        self.at = to;
    }

    /// The value at which the buffer begins, when it has arrived whole.
    fn value(&mut self) -> Option<Option<Bytes>> {
        let Some(end) = self.scan.end_of(&self.buffer) else {
            if self.buffer.len() > OBJECT_BYTES {
                self.buffer.clear();
                (self.scan.scanned, self.scan.too_large) = (0, true);
            }
            return None;
        };
        let value = self.buffer.split_to(end).freeze();
        let too_large = std::mem::take(&mut self.scan).too_large || value.len() > OBJECT_BYTES;
        Some((!too_large).then_some(value))
    }
}

impl Scan {
    fn is_new(&self) -> bool {
        self.scanned == 0 && !self.too_large
    }

    /// Where the value ends at which the bytes begin; looks at no byte twice.
    fn end_of(&mut self, bytes: &[u8]) -> Option<usize> {
        // In variables of its own this loop is faster, and with a loop for what is inside a text.
        let (mut at, mut depth) = (self.scanned, self.depth);
        let mut end = None;
        while let Some(byte) = bytes.get(at) {
            if self.string {
                let rest = &bytes[at..];
                let plain = rest.iter().take_while(|byte| **byte != b'"' && **byte != b'\\').count();
                match rest.get(plain) {
                    _ if self.escaped => {
                        self.escaped = false;
                        at += 1;
                    }
                    Some(b'\\') => {
                        self.escaped = true;
                        at += plain + 1;
                    }
                    Some(_) => {
                        self.string = false;
                        at += plain + 1;
                        if depth == 0 {
                            end = Some(at);
                            break;
                        }
                    }
                    None => at += plain,
                }
                continue;
            }
            at += 1;
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    if depth == 0 {
                        end = Some(at);
                        break;
                    }
                }
                // A number, or a word, has no end of its own.
                b'}' | b']' | b',' | b' ' | b'\n' | b'\t' | b'\r' if depth == 0 => {
                    end = Some(at - 1);
                    break;
                }
                _ => {}
            }
        }
        (self.scanned, self.depth) = (at, depth);
        end
    }
}

fn broken(what: &str) -> String {
    format!("broken JSON where {what} should be")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &[u8], size: usize) -> Result<Vec<Part>, String> {
        parts_of(Elements::default(), text, size)
    }

    fn parts_of(mut elements: Elements, text: &[u8], size: usize) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        for piece in text.chunks(size) {
            elements.push(piece);
            while let Some(part) = elements.next()? {
                parts.push(part);
            }
        }
        elements.end().map(|()| parts)
    }

    fn said(parts: &[Part]) -> Vec<String> {
        let text =
            |value: &Option<Bytes>| value.as_ref().map_or("-".into(), |v| String::from_utf8_lossy(v).into_owned());
        let said = |part: &Part| match part {
            Part::Member(key, value) => format!("{key}={}", text(value)),
            Part::List(key) => format!("{key}["),
            Part::Element(value) => text(value),
            Part::End => "}".to_owned(),
        };
        parts.iter().map(said).collect()
    }

    #[test]
    fn a_list_is_the_same_in_pieces_of_any_size() {
        let text = br#" {"kind" : "A\"}","metadata":{"x":[1,{"y":"]"}]},"n":-1.5e3 , "t":true,"items":[ {"a":"\\"} ,7,null,"s",[[]]], "rows":[], "z":null} "#;
        let whole = said(&parts(text, usize::MAX).unwrap());
        assert_eq!(
            whole,
            [
                r#"kind="A\"}""#,
                r#"metadata={"x":[1,{"y":"]"}]}"#,
                "n=-1.5e3",
                "t=true",
                "items[",
                r#"{"a":"\\"}"#,
                "7",
                "null",
                "\"s\"",
                "[[]]",
                "rows[",
                "z=null"
            ]
        );
        for size in 1..text.len() {
            assert_eq!(said(&parts(text, size).unwrap()), whole, "{size}");
        }
    }

    #[test]
    fn what_is_no_object_or_not_whole_is_an_error() {
        let whole = br#"{"kind":"A","items":[{"a":1},{"b":[2]}],"metadata":{}}"#;
        for n in 0..whole.len() {
            assert!(parts(&whole[..n], 5).is_err(), "{n}");
        }
        for text in
            ["", "[]", "{}{}", "{} x", "{,}", "{\"a\"}", "{\"a\" 1}", "{\"items\":[1 2]}", "{a:1}", "{\"a\":1,}"]
        {
            assert!(parts(text.as_bytes(), 5).is_err(), "{text}");
        }
    }

    #[test]
    fn of_many_objects_each_has_its_end() {
        let text = b"{\"a\":1}\n {}{\"a\":\"}{\"}\n\n";
        for size in 1..=text.len() {
            let parts = parts_of(Elements::many(), text, size).unwrap();
            assert_eq!(said(&parts), ["a=1", "}", "}", "a=\"}{\"", "}"], "{size}");
        }
        assert_eq!(parts_of(Elements::many(), b"", 1).unwrap(), []);
        for cut in [&b"{"[..], b"{}{\"a\"", b"{\"a\":1}]", b"{},{}"] {
            assert!(parts_of(Elements::many(), cut, 3).is_err(), "{cut:?}");
        }
    }

    #[test]
    fn depth_costs_nothing_and_a_large_element_is_passed_over() {
        let deep = format!("{{\"items\":[{}{},1]}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(parts(deep.as_bytes(), 1 << 16).unwrap().len(), 3);
        let large = format!("{{\"items\":[\"{}\",1]}}", "x".repeat(OBJECT_BYTES + (3 << 16)));
        assert_eq!(said(&parts(large.as_bytes(), 1 << 16).unwrap()), ["items[", "-", "1"]);
    }
}
