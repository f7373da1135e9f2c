//! What a request asks for, and plain answers.

use bytes::Bytes;
use clusterlore_core::ResourceType;
use http_body_util::combinators::UnsyncBoxBody;
use serde_json::Value;

use super::state::{Seen, State};
use super::wire;

pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;
pub(super) const JSON: &str = "application/json";
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

pub(super) struct Plain {
    pub(super) code: u16,
    pub(super) content_type: String,
    pub(super) retry_after: Option<u64>,
    pub(super) body: Bytes,
}

impl Plain {
    pub(super) fn new(content_type: &str, body: Bytes) -> Self {
        Self { code: 200, content_type: content_type.to_owned(), retry_after: None, body }
    }

    pub(super) fn json(value: &Value) -> Self {
        Self::new(JSON, value.to_string().into())
    }

    pub(super) fn status(code: u16, message: &str, accept: &str) -> Self {
        let mut plain = if accept.starts_with(PROTOBUF) {
            Self::new(PROTOBUF, wire::status_protobuf(code, message))
        } else {
            Self::json(&wire::status_json(code, message))
        };
        plain.code = code;
        plain
    }
}

pub(super) struct Asked {
    pub(super) ty: Option<ResourceType>,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) token: Option<String>,
}

impl Asked {
    pub(super) fn of(state: &State, seen: &Seen) -> Self {
        let mut asked = Self {
            ty: None,
            namespace: None,
            name: None,
            limit: parameter(&seen.query, "limit").and_then(|l| l.parse().ok()),
            token: parameter(&seen.query, "continue"),
        };
        let parts: Vec<String> = seen.path.trim_matches('/').split('/').map(unescaped).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return asked,
        };
        let find = |plural: &str| {
            state.types.iter().find(|t| t.group == group && t.version == version && t.plural == plural).cloned()
        };
        match rest {
            ["namespaces", namespace, plural, name @ ..] => {
                asked.namespace = Some((*namespace).to_owned());
                asked.ty = find(plural);
                asked.name = name.first().map(|n| (*n).to_owned());
            }
            [plural, name @ ..] => {
                asked.ty = find(plural);
                asked.name = name.first().map(|n| (*n).to_owned());
            }
            [] => {}
        }
        asked
    }
}

pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').filter_map(|p| p.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| unescaped(value))
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
            let hex = std::str::from_utf8(&digits).unwrap_or("00");
            out.push(u8::from_str_radix(hex, 16).unwrap_or(0));
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn is_watch(seen: &Seen) -> bool {
    parameter(&seen.query, "watch").is_some_and(|value| value == "true" || value == "1")
}

pub(super) fn forbidden(ty: &ResourceType, verb: &str, seen: &Seen) -> Plain {
    let message = format!(
        "{} is forbidden: User \"fake\" cannot {verb} resource \"{}\" in API group \"{}\"",
        ty.name(),
        ty.plural,
        ty.group
    );
    Plain::status(403, &message, &seen.accept)
}
