//! What a tool is called with. Whatever is wrong is said with what was expected.

use std::fmt::Display;
use std::str::FromStr;

use clusterlore_core::moment;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Characters of one value.
const LONGEST: usize = 4_000;
/// Elements of a list.
const MOST: usize = 100;

/// Characters of a manifest.
const LONGEST_MANIFEST: usize = 64 << 10;

/// Reads the arguments of a call. What is null is as good as missing.
pub(super) fn read<T: DeserializeOwned>(arguments: Option<Map<String, Value>>) -> Result<T, String> {
    within(arguments, LONGEST)
}

/// The same where a manifest is among them.
pub(super) fn read_long<T: DeserializeOwned>(arguments: Option<Map<String, Value>>) -> Result<T, String> {
    within(arguments, LONGEST_MANIFEST)
}

fn within<T: DeserializeOwned>(arguments: Option<Map<String, Value>>, longest: usize) -> Result<T, String> {
    let mut arguments = arguments.unwrap_or_default();
    arguments.retain(|_, value| !value.is_null());
    for (name, value) in &arguments {
        let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if texts.len() > MOST {
            return Err(format!("{name} has {} elements; expected {MOST} at most.", texts.len()));
        }
        for text in texts.iter().filter_map(Value::as_str) {
            if text.chars().count() > longest {
                return Err(format!("{name} is longer than {longest} characters."));
            }
            if text.contains('\0') {
                return Err(format!("{name} holds the character U+0000; expected a text without it."));
            }
        }
    }
    serde_json::from_value(Value::Object(arguments)).map_err(|error| format!("The arguments are wrong: {error}."))
}

/// Reads a text; a missing one is empty.
pub(super) fn text(value: &Option<String>) -> String {
    value.as_deref().unwrap_or_default().trim().to_owned()
}

/// Reads a text that has a form of its own; an empty one is missing.
pub(super) fn parsed<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<Option<T>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error| format!("{name}: {error}.")),
    }
}

/// Reads a time, or how long before now it was.
pub(super) fn time(name: &str, text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    match text.trim() {
        "" => Ok(None),
        text => moment(text, now).map(Some).map_err(|error| format!("{name} is {text:?}; {error}.")),
    }
}

/// Reads how many are wanted.
pub(super) fn limit(limit: Option<u16>, usual: u16, most: u16) -> Result<usize, String> {
    match limit.unwrap_or(usual) {
        limit if (1..=most).contains(&limit) => Ok(usize::from(limit)),
        limit => Err(format!("limit is {limit}; expected 1 to {most}.")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Input {
        text: String,
        list: Vec<String>,
    }

    #[test]
    fn what_is_wrong_is_said() {
        let of = |value: Value| read::<Input>(value.as_object().cloned());
        assert_eq!(of(json!({"text": null})).unwrap(), Input::default());
        assert_eq!(read::<Input>(None).unwrap(), Input::default());
        for (wrong, said) in [
            (json!({"text": 1}), "expected a string"),
            (json!({"other": 1}), "unknown field `other`, expected `text` or `list`"),
            (json!({"list": "a"}), "expected a sequence"),
            (json!({"text": "a\0b"}), "U+0000"),
            (json!({"text": "x".repeat(LONGEST + 1)}), "longer than"),
            (json!({"list": vec!["x"; MOST + 1]}), "at most"),
        ] {
            let told = of(wrong.clone()).unwrap_err();
            assert!(told.contains(said), "{wrong}: {told}");
        }
        let now = "2026-02-20T10:00:00Z".parse().unwrap();
        assert!(time("since", "soon", now).unwrap_err().starts_with("since is \"soon\"; expected a time"));
        assert_eq!(time("since", " ", now), Ok(None));
        assert!(limit(Some(0), 5, 10).is_err() && limit(Some(11), 5, 10).is_err());
        assert_eq!(limit(None, 5, 10), Ok(5));
    }
}
