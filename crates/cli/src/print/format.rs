//! Shapes for programs, of everything that lists objects.

use serde::Serialize;
use serde_json::Value;

use super::foreign::deceives;
use super::table::Table;
use crate::args::{Format, ListFlags};
use crate::jsonpath::Missed;

/// Prints a shape for programs, or nothing where another is wanted (`false`). The objects are in `list` of the JSON.
pub(super) fn print(value: &impl Serialize, list: &str, format: &Format, flags: &ListFlags) -> anyhow::Result<bool> {
    match format {
        Format::Json => super::json(value)?,
        Format::Yaml => super::yaml(value)?,
        Format::JsonPath(template) => {
            let value = serde_json::to_value(value)?;
            super::whole(&template.text(&value, fit))?;
            led_nowhere("jsonpath", &template.missed(&value, list), &value, list, &format!(".{list}[*]"));
        }
        Format::CustomColumns(columns) => {
            let value = serde_json::to_value(value)?;
            let objects = value[list].as_array().map_or(&[][..], Vec::as_slice);
            let rows: Vec<Vec<String>> = objects.iter().map(|object| columns.cells(object)).collect();
            let mut table = Table::of(rows.len()).headed(!flags.no_headers);
            for (n, title) in columns.titles().enumerate() {
                table.column(title, rows.iter().map(|row| row[n].clone()));
            }
            super::paged(&table.lines())?;
            led_nowhere("custom-columns", &columns.missed(objects, list), &value, list, "");
        }
        Format::Table | Format::Wide | Format::Name | Format::Id => return Ok(false),
    }
    Ok(true)
}

/// Tells of paths that led to nothing, where there was something to be found: what is meant where that is known, else what there is.
fn led_nowhere(format: &str, missed: &[Missed<'_>], value: &Value, list: &str, before: &str) {
    let objects = value[list].as_array().map_or(&[][..], Vec::as_slice);
    if missed.is_empty() || objects.is_empty() {
        return;
    }
    let mut fields: Vec<&str> = Vec::new();
    for field in objects.iter().filter_map(Value::as_object).flat_map(|object| object.keys()) {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    let ours =
        |missed: &Missed<'_>| missed.ours.clone().filter(|_| missed.field.is_none_or(|field| fields.contains(&field)));
    let of = |missed: &Missed<'_>| match ours(missed) {
        Some(ours) => format!("\"{}\" is \"{ours}\" here", missed.said),
        None => format!("nothing here has \"{}\"", missed.said),
    };
    let told: Vec<String> = missed.iter().map(of).collect();
    let paths: Vec<String> = fields.iter().map(|field| format!("{before}.{field}")).collect();
    let all = missed.iter().any(|missed| ours(missed).is_none());
    let there = if all { format!(" There is {}.", paths.join(", ")) } else { String::new() };
    super::note(&format!("-o {format}: {}.{there}", told.join("; ")));
}

/// A string of a value, exact but for what a terminal would obey.
fn fit(text: &str) -> String {
    text.chars().map(|c| if deceives(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}
