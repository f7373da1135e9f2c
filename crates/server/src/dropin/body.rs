//! What a post holds, and all that is wrong with it.

use std::collections::BTreeMap;

use clusterlore_core::ResourceInstance;
use serde::Serialize;
use serde_json::{Map, Value};

use super::time::{self, Created};

/// Faults that are told of one post: a small body can hold millions.
const MOST_ISSUES: usize = 1_000;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Issue {
    code: &'static str,
    path: Vec<Step>,
    message: String,
}

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Step {
    Key(String),
    At(usize),
}

/// What a reader knows of where it is.
pub(super) struct Reader {
    issues: Vec<Issue>,
    path: Vec<Step>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { issues: Vec::new(), path: Vec::new() }
    }

    /// What was read, if nothing was wrong.
    pub(super) fn done<T>(self, read: T) -> Result<T, Vec<Issue>> {
        if self.issues.is_empty() { Ok(read) } else { Err(self.issues) }
    }

    fn is_full(&self) -> bool {
        self.issues.len() >= MOST_ISSUES
    }

    fn wrong(&mut self, code: &'static str, message: impl Into<String>) {
        if !self.is_full() {
            self.issues.push(Issue { code, path: self.path.clone(), message: message.into() });
        }
    }

    fn expected(&mut self, what: &str, found: Option<&Value>) {
        self.wrong("invalid_type", format!("Invalid input: expected {what}, received {}", name_of(found)));
    }

    fn at<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let read = read(self);
        self.path.pop();
        read
    }

    pub(super) fn object<'a>(&mut self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let map = value.as_object();
        if map.is_none() {
            self.expected("object", Some(value));
        }
        map
    }

    /// The elements of a list; missing and null are an empty one.
    pub(super) fn list<T>(
        &mut self,
        of: &Map<String, Value>,
        key: &str,
        mut read: impl FnMut(&mut Self, &Value) -> Option<T>,
    ) -> Vec<T> {
        self.at(Step::Key(key.to_owned()), |reader| match of.get(key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(values)) => {
                let mut all = Vec::new();
                for (at, value) in values.iter().enumerate() {
                    if reader.is_full() {
                        break;
                    }
                    all.extend(reader.at(Step::At(at), |reader| read(reader, value)));
                }
                all
            }
            other => {
                reader.expected("array", other);
                Vec::new()
            }
        })
    }

    pub(super) fn text(&mut self, value: &Value) -> Option<String> {
        let text = value.as_str();
        if text.is_none() {
            self.expected("string", Some(value));
        }
        text.map(str::to_owned)
    }

    /// A text that has to be there; it may be empty.
    fn field(&mut self, of: &Map<String, Value>, key: &str) -> String {
        self.at(Step::Key(key.to_owned()), |reader| match of.get(key) {
            Some(Value::String(text)) => text.clone(),
            other => {
                reader.expected("string", other);
                String::new()
            }
        })
    }

    /// Texts by their keys; missing and null are none.
    fn texts(&mut self, of: &Map<String, Value>, key: &str) -> BTreeMap<String, String> {
        self.at(Step::Key(key.to_owned()), |reader| match of.get(key) {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(map)) => {
                let mut all = BTreeMap::new();
                for (key, value) in map {
                    let text = reader.at(Step::Key(key.clone()), |reader| reader.text(value));
                    all.extend(text.map(|text| (key.clone(), text)));
                }
                all
            }
            other => {
                reader.expected("record", other);
                BTreeMap::new()
            }
        })
    }

    /// A creation time; of what is unknown nothing is kept.
    fn created(&mut self, of: &Map<String, Value>) -> String {
        let text = self.field(of, "createdAt");
        self.at(Step::Key("createdAt".to_owned()), |reader| match time::read(&text) {
            Some(Created::Known(time)) => time,
            Some(Created::Unknown) => String::new(),
            None => {
                if of.get("createdAt").is_some_and(Value::is_string) {
                    reader.wrong("invalid_format", "Invalid ISO datetime: expected one such as 2026-02-20T10:00:00Z");
                }
                String::new()
            }
        })
    }

    /// An object as k8s-vectordb-sync sends it.
    pub(super) fn instance(&mut self, value: &Value) -> Option<ResourceInstance> {
        let map = self.object(value)?;
        let instance = ResourceInstance {
            id: self.field(map, "id"),
            namespace: self.field(map, "namespace"),
            name: self.field(map, "name"),
            kind: self.field(map, "kind"),
            api_version: self.field(map, "apiVersion"),
            api_group: self.field(map, "apiGroup"),
            created_at: self.created(map),
            labels: self.texts(map, "labels"),
            annotations: self.texts(map, "annotations"),
            ..ResourceInstance::default()
        };
        Some(instance)
    }
}

fn name_of(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
