//! Schemas as clients of many makes read them: no references, no `null` beside a type, no formats of Rust.

use std::sync::Arc;

use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value};

/// The schema of what is read.
pub(super) fn of_input<T: JsonSchema>() -> Arc<Map<String, Value>> {
    of::<T>(Contract::Deserialize)
}

/// The schema of what is written: what may be left out is not required.
pub(super) fn of_output<T: JsonSchema>() -> Arc<Map<String, Value>> {
    of::<T>(Contract::Serialize)
}

fn of<T: JsonSchema>(contract: Contract) -> Arc<Map<String, Value>> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    let mut fields = match schema {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.remove("title");
    fields.remove("description");
    Arc::new(fields)
}

fn plain(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            // A property may be called so; a keyword is never an object.
            fields.retain(|key, value| value.is_object() || !["format", "default"].contains(&key.as_str()));
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|ty| ty != "null");
                if let [one] = &types[..] {
                    let one = one.clone();
                    fields.insert("type".to_owned(), one);
                }
            }
            fields.values_mut().for_each(plain);
        }
        Value::Array(elements) => elements.iter_mut().for_each(plain),
        _ => {}
    }
}
