//! Schemas of types, from OpenAPI v3 or from a definition, reduced to what tells a reader what a type is for: its description,
//! and names and descriptions of its outer fields. Everything else is skipped while parsing.

use std::{collections::BTreeMap, fmt};

use clusterlore_core::{SchemaField, TypeSchema, words};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Levels of fields below the object that are read: `spec` is the first.
const DEPTH: usize = 5;
/// Levels below `spec` of which names are kept.
const KEPT_DEPTH: usize = 3;
/// Fields that are kept of one schema.
const KEPT_FIELDS: usize = 64;
/// Fields that are counted of one schema: beyond that it is simply large.
const COUNTED_FIELDS: usize = 2_000;
/// Characters of a type's description that are kept.
const DESCRIPTION: usize = 1_000;
/// Characters of a field's description that are kept.
const FIELD_DESCRIPTION: usize = 160;
/// Fields that every object has.
const EVERY_OBJECT: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// A node of a schema. A node that has not the form it should have counts as empty: other people's definitions must not end a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) description: String,
    pub(crate) properties: BTreeMap<String, Node>,
    /// Of a list or a map.
    items: Option<Box<Node>>,
    /// Name of the component that is meant, of `$ref` or the one in `allOf`.
    reference: String,
    pub(crate) stands_for: Vec<GroupVersionKind>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct GroupVersionKind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
}

/// Components by name.
pub(crate) type Components = BTreeMap<String, Node>;

impl Node {
    fn is_empty(&self) -> bool {
        self.description.is_empty() && self.properties.is_empty()
    }

    /// What is kept of the schema of a type.
    pub(crate) fn condense(&self, components: &Components) -> TypeSchema {
        let mut schema = TypeSchema { description: shortened(&self.description, DESCRIPTION), ..TypeSchema::default() };
        let spec = self.properties.get("spec").map(|spec| target(spec, components));
        let spec = spec.filter(|spec| !spec.properties.is_empty());
        let mut level: Vec<(String, &Node)> = match spec {
            Some(spec) => spec.properties.iter().map(|(name, node)| (name.clone(), node)).collect(),
            None => {
                let own = self.properties.iter().filter(|(name, _)| !EVERY_OBJECT.contains(&name.as_str()));
                own.filter(|(name, _)| *name != "spec").map(|(name, node)| (name.clone(), node)).collect()
            }
        };
        // Level by level, so that the outer fields are kept where there are many.
        for depth in 1..DEPTH {
            schema.size += level.len();
            if depth <= KEPT_DEPTH {
                let room = KEPT_FIELDS.saturating_sub(schema.fields.len());
                schema.fields.extend(level.iter().take(room).map(|(path, node)| {
                    let described = if node.description.is_empty() { target(node, components) } else { *node };
                    let description = shortened(first_sentence(&described.description), FIELD_DESCRIPTION);
                    SchemaField {
                        path: path.clone(),
                        description: if depth == 1 { description } else { String::new() },
                    }
                }));
            }
            if schema.size >= COUNTED_FIELDS {
                break;
            }
            level = level
                .iter()
                .flat_map(|(path, node)| {
                    let inner = target(node, components).properties.iter();
                    inner.map(move |(name, node)| (format!("{path}.{name}"), node))
                })
                .take(COUNTED_FIELDS)
                .collect();
        }
        schema
    }
}

/// The node that holds the fields: through references, lists and maps.
fn target<'a>(node: &'a Node, components: &'a Components) -> &'a Node {
    let mut node = node;
    // Definitions may refer to themselves.
    for _ in 0..8 {
        let next = if node.reference.is_empty() { node.items.as_deref() } else { components.get(&node.reference) };
        match next {
            Some(next) if node.properties.is_empty() => node = next,
            _ => break,
        }
    }
    node
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

/// One line of at most so many characters, cut between words.
fn shortened(text: &str, most: usize) -> String {
    let line = words::one_line(text);
    let Some((end, _)) = line.char_indices().nth(most) else { return line };
    let cut = line[..end].rfind(' ').unwrap_or(end);
    format!("{}…", &line[..cut])
}

/// The schema for a version among those of a definition: its own, else the first that says anything.
pub(crate) fn of_version(versions: &[(String, Node)], wanted: &str) -> Option<TypeSchema> {
    let said = || versions.iter().filter(|(_, node)| !node.is_empty());
    let chosen = said().find(|(version, _)| version == wanted).or_else(|| said().next());
    chosen.map(|(_, node)| node.condense(&Components::new()))
}

/// An OpenAPI v3 document, of which only the components are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OpenApi {
    pub(crate) components: OpenApiComponents,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OpenApiComponents {
    pub(crate) schemas: Components,
}

impl OpenApi {
    /// The schema of a kind.
    pub(crate) fn schema_of(&self, group: &str, version: &str, kind: &str) -> Option<TypeSchema> {
        let is_it = |g: &GroupVersionKind| g.group == group && g.version == version && g.kind == kind;
        // A list, or options that every group shares, stand for many kinds; the kind's own component for little else.
        let found = self.components.schemas.values().filter(|node| node.stands_for.iter().any(is_it));
        found.min_by_key(|node| node.stands_for.len()).map(|node| node.condense(&self.components.schemas))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Seed { depth: DEPTH }.deserialize(from)
    }
}

/// Reads a node and as many levels of fields below it.
#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }
}

/// Whatever is no map is an empty node.
macro_rules! anything_else {
    ($empty:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($empty)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($empty)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($empty)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($empty)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($empty)
        }
        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok($empty)
        }
    };
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schema")
    }

    anything_else!(Node::default());

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        // `allOf` of one reference; a list of schemas says too many things at once.
        let first = seq.next_element_seed(self)?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut node = Node::default();
        while let Some(key) = map.next_key::<Text>()? {
            match key.0.as_str() {
                "description" => node.description = map.next_value::<Text>()?.0,
                "$ref" => node.reference = component(&map.next_value::<Text>()?.0),
                "allOf" => {
                    let only = map.next_value_seed(self)?;
                    if node.reference.is_empty() {
                        node.reference = only.reference;
                    }
                }
                "items" | "additionalProperties" => {
                    let items = map.next_value_seed(self)?;
                    if !items.properties.is_empty() || !items.reference.is_empty() || items.items.is_some() {
                        node.items = Some(Box::new(items));
                    }
                }
                "properties" if self.depth > 0 => {
                    node.properties = map.next_value_seed(Properties { depth: self.depth - 1 })?;
                }
                "x-kubernetes-group-version-kind" => node.stands_for = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(node)
    }
}

/// `#/components/schemas/NAME`
fn component(reference: &str) -> String {
    reference.rsplit('/').next().unwrap_or_default().to_owned()
}

struct Properties {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Properties {
    type Value = BTreeMap<String, Node>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Properties {
    type Value = BTreeMap<String, Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    anything_else!(BTreeMap::new());

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut properties = BTreeMap::new();
        while let Some(name) = map.next_key::<Text>()? {
            let node = map.next_value_seed(Seed { depth: self.depth })?;
            if !name.0.is_empty() {
                properties.insert(name.0, node);
            }
        }
        Ok(properties)
    }
}

/// Text, or nothing where something else stands.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            anything_else!(Text::default());

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }
        }
        from.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(schema: &TypeSchema) -> Vec<&str> {
        schema.fields.iter().map(|f| f.path.as_str()).collect()
    }

    #[test]
    fn openapi_is_followed_through_references_lists_and_maps() {
        let document: OpenApi = serde_json::from_str(
            r##"{"openapi": "3.0.0", "paths": {"/x": {"get": {}}}, "components": {"schemas": {
                "Web": {"description": "A web\n server.", "x-kubernetes-group-version-kind": [{"group": "example.org", "kind": "Web", "version": "v1"}],
                    "properties": {"apiVersion": {"type": "string"}, "metadata": {"$ref": "#/components/schemas/Meta"},
                        "spec": {"allOf": [{"$ref": "#/components/schemas/WebSpec"}], "default": {}}, "status": {"properties": {"ready": {}}}}},
                "WebSpec": {"properties": {
                    "replicas": {"description": "How many. Not fewer than one.", "type": "integer"},
                    "ports": {"items": {"$ref": "#/components/schemas/Port"}, "type": "array"},
                    "sites": {"additionalProperties": {"properties": {"host": {"description": "never kept"}}}}}},
                "Port": {"description": "A port.", "properties": {"number": {}, "inner": {"$ref": "#/components/schemas/Port"}}},
                "DeleteOptions": {"x-kubernetes-group-version-kind": [{"group": "example.org", "kind": "Web", "version": "v1"}, {"group": "", "kind": "DeleteOptions", "version": "v1"}]}
            }}}"##,
        )
        .unwrap();
        let schema = document.schema_of("example.org", "v1", "Web").unwrap();
        assert_eq!(schema.description, "A web server.");
        assert_eq!(
            paths(&schema),
            [
                "ports",
                "replicas",
                "sites",
                "ports.inner",
                "ports.number",
                "sites.host",
                "ports.inner.inner",
                "ports.inner.number"
            ]
        );
        assert_eq!(schema.fields[0].description, "A port.");
        assert_eq!(schema.fields[1].description, "How many.");
        assert_eq!(schema.fields[5].description, "");
        assert_eq!(schema.size, 10);
        assert_eq!(document.schema_of("example.org", "v2", "Web"), None);
    }

    #[test]
    fn without_a_spec_the_objects_own_fields_count() {
        let node: Node = serde_json::from_str(
            r#"{"properties": {"kind": {}, "metadata": {}, "rules": {"items": {"properties": {"verbs": {}}}}, "spec": {}}}"#,
        )
        .unwrap();
        assert_eq!(paths(&node.condense(&Components::new())), ["rules", "rules.verbs"]);
    }

    #[test]
    fn what_has_not_its_form_counts_as_empty() {
        for text in
            ["null", "7", "\"x\"", "[]", "{\"properties\": [1], \"description\": {\"a\": 1}, \"items\": [true]}"]
        {
            let node: Node = serde_json::from_str(text).unwrap();
            assert_eq!(node.condense(&Components::new()), TypeSchema::default(), "{text}");
        }
        let yaml: Node = serde_saphyr::from_str(
            "properties:\n  spec:\n    properties:\n      host: {type: string}\n      4: null\n",
        )
        .unwrap();
        assert_eq!(yaml.condense(&Components::new()).size, 1);
    }

    #[test]
    fn much_is_cut_and_the_outer_fields_stay() {
        let inner: Vec<String> = (0..50).map(|n| format!("\"i{n:02}\": {{}}")).collect();
        let outer: Vec<String> =
            (0..50).map(|n| format!("\"o{n:02}\": {{\"properties\": {{{}}}}}", inner.join(","))).collect();
        let text = format!(
            "{{\"description\": \"{}\", \"properties\": {{\"spec\": {{\"properties\": {{{}}}}}}}}}",
            "ab ".repeat(999),
            outer.join(",")
        );
        let schema = serde_json::from_str::<Node>(&text).unwrap().condense(&Components::new());
        assert_eq!(schema.fields.len(), KEPT_FIELDS);
        assert_eq!(schema.fields[49].path, "o49");
        assert!(schema.description.chars().count() <= DESCRIPTION + 1 && schema.description.ends_with("ab…"));
        assert!(schema.size >= 50 + COUNTED_FIELDS);
    }
}
