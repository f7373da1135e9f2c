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
