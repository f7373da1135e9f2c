//! What a tool says, and how it reads what it is called with.

use clusterlore_core::{ResourceInstance, ResourceType};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a tool says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// For the model.
    pub(super) text: String,
    /// Stored ids of what it is about.
    pub(super) ids: Vec<String>,
}

/// A text, or what is wrong with the call and what would be right.
pub(super) type Outcome = Result<Told, String>;

/// The arguments of a call. What is null is as good as missing.
pub(super) fn arguments<T: DeserializeOwned>(input: &Value) -> Result<T, String> {
    let mut input = input.clone();
    match &mut input {
        Value::Object(fields) => fields.retain(|_, value| !value.is_null()),
        _ => return Err("The arguments are not a JSON object.".to_owned()),
    }
    serde_json::from_value(input).map_err(|e| format!("The arguments are wrong: {e}."))
}

/// The stored id of an object of a type; none where its name makes none.
pub(super) fn id(cluster: &str, ty: &ResourceType, namespace: &str, name: &str) -> Option<String> {
    let mut instance = ResourceInstance::new(&ty.api_version(), &ty.kind, Some(namespace), name).ok()?;
    instance.cluster = Some(cluster.to_owned()).filter(|cluster| !cluster.is_empty());
    Some(instance.stored_id())
}
