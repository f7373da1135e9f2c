//! Shapes for programs, of everything that lists objects.

use serde::Serialize;

use super::foreign::deceives;
use super::table::Table;
use crate::args::{Format, ListFlags};

/// Prints a shape for programs, or nothing where another is wanted (`false`). The objects are in `list` of the JSON.
pub(super) fn print(value: &impl Serialize, list: &str, format: &Format, flags: &ListFlags) -> anyhow::Result<bool> {
    match format {
        Format::Json => super::json(value)?,
        Format::Yaml => super::yaml(value)?,
        Format::JsonPath(template) => super::whole(&template.text(&serde_json::to_value(value)?, fit))?,
        Format::CustomColumns(columns) => {
            let value = serde_json::to_value(value)?;
            let objects = value[list].as_array().map_or(&[][..], Vec::as_slice);
            let rows: Vec<Vec<String>> = objects.iter().map(|object| columns.cells(object)).collect();
            let mut table = Table::of(rows.len()).headed(!flags.no_headers);
            for (n, title) in columns.titles().enumerate() {
                table.column(title, rows.iter().map(|row| row[n].clone()));
            }
            super::paged(&table.lines())?;
        }
        Format::Table | Format::Wide | Format::Name | Format::Id => return Ok(false),
    }
    Ok(true)
}

/// A string of a value, exact but for what a terminal would obey.
fn fit(text: &str) -> String {
    text.chars().map(|c| if deceives(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}
