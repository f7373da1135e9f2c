//! A table as the API server prints it, whole.

use std::fmt;

use bytes::Bytes;
use clusterlore_core::CLUSTER_SCOPE;
use serde::Deserialize;
use serde_json::Value;

use super::cells::plain;
use crate::decode::{Asked, Item, Unfit, cut, from_json};

/// Most columns of a table; further cells are left out.
const COLUMNS: usize = 64;
/// Bytes of one cell, or of a column's name.
const CELL_BYTES: usize = 2 << 10;
/// Bytes of a uid.
const UID_BYTES: usize = 128;

/// Rows of one type with the columns that its server prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `plural.group`
    pub type_name: String,
    /// Of every row, in order.
    pub columns: Vec<Column>,
    /// Of each object one.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As it is printed: `External-IP`.
    pub name: String,
    /// `string`, `integer`, `date` …
    pub kind: String,
    /// Whether it is shown in wide output only.
    pub wide: bool,
    /// The name as names are compared.
    pub(super) key: String,
}

/// What is printed of one object.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Namespace, `_cluster` for objects that have none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid; empty where the server does not say it.
    pub uid: String,
    /// As many as there are columns, or less where the server gave less.
    pub cells: Vec<String>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({}/{}, {} cells)", self.namespace, self.name, self.cells.len())
    }
}

impl Table {
    /// The row of an object; namespace `_cluster` for objects that have none.
    pub fn row(&self, namespace: &str, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name && row.namespace == namespace)
    }

    /// What stands in the column of this name; case, spaces and signs do not count.
    pub fn cell<'a>(&self, row: &'a Row, column: &str) -> Option<&'a str> {
        let key = plain(column);
        let index = self.columns.iter().position(|column| column.key == key)?;
        row.cells.get(index).map(String::as_str)
    }
}

impl Column {
    /// A column of this name.
    pub fn new(name: &str, kind: &str, wide: bool) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), wide, key: plain(name) }
    }

    /// The `columnDefinitions` of a table.
    pub(super) fn all(json: &[u8]) -> Result<Vec<Self>, String> {
        #[derive(Deserialize)]
        struct Definition {
            name: String,
            #[serde(rename = "type", default)]
            kind: String,
            #[serde(default)]
            priority: i64,
        }
        let definitions: Vec<Definition> = from_json(json)?;
        let column = |of: Definition| Self::new(cut(&of.name, CELL_BYTES), cut(&of.kind, CELL_BYTES), of.priority > 0);
        Ok(definitions.into_iter().take(COLUMNS).map(column).collect())
    }
}

#[derive(Deserialize)]
struct JsonRow {
    cells: Vec<Value>,
    object: JsonObject,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonObject {
    api_version: Option<String>,
    kind: Option<String>,
    metadata: JsonMeta,
}

#[derive(Deserialize)]
struct JsonMeta {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    uid: String,
}

impl Item for Row {
    fn from_protobuf(_: Bytes, _: &Asked<'_>) -> Result<Self, Unfit> {
        // Tables have no such form.
        Err(Unfit::Strange)
    }

    fn from_json(bytes: &[u8], asked: &Asked<'_>) -> Result<(Self, bool), Unfit> {
        let JsonRow { cells, object } = from_json(bytes)?;
        let said = asked.is_said(object.api_version.as_deref(), object.kind.as_deref()).ok_or(Unfit::Strange)?;
        let JsonMeta { name, namespace, uid } = object.metadata;
        // Also checks that it is of the type and the namespace that was asked for.
        let instance = asked.instance(&namespace, &name)?;
        let namespace = if namespace.is_empty() { CLUSTER_SCOPE.to_owned() } else { instance.namespace };
        let cells = cells.into_iter().take(COLUMNS).map(text).collect();
        Ok((Self { namespace, name: instance.name, uid: cut(&uid, UID_BYTES).to_owned(), cells }, said))
    }

    fn weight(&self) -> usize {
        self.namespace.len()
            + self.name.len()
            + self.uid.len()
            + self.cells.iter().map(|cell| 24 + cell.len()).sum::<usize>()
    }
}

fn text(cell: Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) if text.len() <= CELL_BYTES => text,
        Value::String(text) => cut(&text, CELL_BYTES).to_owned(),
        other => cut(&other.to_string(), CELL_BYTES).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_core::ResourceType;
    use clusterlore_testkit::edits::edited;
    use proptest::prelude::*;

    use super::*;
    use crate::decode::ListReader;

    const GOOD: &str = r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"1","continue":"x"},"columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"","priority":0},{"name":"Images","type":"string","priority":1}],"rows":[{"cells":["p",3],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"p","namespace":"a","uid":"u"}}},{"cells":[null,{"a":[true]}],"object":{"metadata":{"name":"q","namespace":"b"}}}]}"#;

    /// In pieces of a size: columns and rows, of a whole table.
    fn read(body: &[u8], size: usize) -> Result<(Vec<Column>, Vec<Row>), String> {
        let (plural, kind, version) = ("pods".into(), "Pod".into(), "v1".into());
        let pods = ResourceType { plural, kind, version, namespaced: true, ..ResourceType::default() };
        let mut reader = ListReader::<Row>::new("application/json", Asked::new(&pods, None))?;
        for piece in body.chunks(size) {
            reader.push(piece)?;
        }
        reader.end()?;
        Ok((Column::all(&reader.columns)?, reader.take()))
    }

    #[test]
    fn a_table_is_the_same_in_pieces_of_any_size() {
        let (columns, rows) = read(GOOD.as_bytes(), usize::MAX).unwrap();
        assert_eq!(columns, [Column::new("Name", "string", false), Column::new("Images", "string", true)]);
        assert_eq!(rows.iter().map(|row| row.cells.join("|")).collect::<Vec<_>>(), ["p|3", r#"|{"a":[true]}"#]);
        assert_eq!((rows[0].uid.as_str(), rows[1].namespace.as_str()), ("u", "b"));
        for size in 1..GOOD.len() {
            assert_eq!(read(GOOD.as_bytes(), size).unwrap(), (columns.clone(), rows.clone()), "{size}");
        }
        for cut in 0..GOOD.len() {
            assert!(read(&GOOD.as_bytes()[..cut], 7).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = "é".repeat(CELL_BYTES);
        let cells = vec![format!("\"{long}\""); 2 * COLUMNS].join(",");
        let (_, rows) = read(GOOD.replace(r#""p",3"#, &cells).as_bytes(), 1 << 16).unwrap();
        assert!(rows[0].cells.len() == COLUMNS && rows[0].cells.iter().all(|cell| cell.len() <= CELL_BYTES));
    }

    proptest! {
        #[test]
        fn fuzz_table(edits in 0..8_usize, random: u64, size in 1..60_usize) {
            let body = edited(GOOD, edits, random);
            let whole = read(&body, usize::MAX);
            prop_assert_eq!(whole.is_ok(), read(&body, size).is_ok());
            if let Ok((columns, rows)) = whole {
                prop_assert!(columns.len() <= COLUMNS && rows.iter().all(|row| row.cells.len() <= COLUMNS));
            }
        }
    }
}
