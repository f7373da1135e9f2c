//! Reading entries from TOML. The built-in data and a user's file have the same form.

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::{Table, Value};

use crate::entry::{Category, Group, Kind, Software};

/// What a file, or several, hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    pub(crate) categories: Vec<Category>,
    pub(crate) software: Vec<Software>,
    pub(crate) groups: Vec<Group>,
    pub(crate) kinds: Vec<Kind>,
}

/// Why a catalogue file cannot be used.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("cannot read the catalogue {file}")]
    Read {
        /// The file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error("{file}, line {line}: {message}; expected TOML")]
    Syntax {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// An entry is not as it must be.
    #[error("{file}, {entry}: {problem}")]
    Entry {
        /// The file.
        file: String,
        /// `software.postgresql`.
        entry: String,
        /// What is wrong and what was expected.
        problem: String,
    },
}

/// Reads the text of a file. `built_in` says that kinds outside groups are Kubernetes' own.
pub(crate) fn read(file: &str, text: &str, built_in: bool) -> Result<Entries, CatalogueError> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| CatalogueError::Syntax {
        file: file.to_owned(),
        line: e.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() + 1),
        message: e.message().replace('\n', ", "),
    })?;
    let mut entries = Entries::default();
    for (section, content) in table {
        let Value::Table(content) = content else {
            return Err(problem(file, &section, "is not a table; expected [categories.ID], [software.ID] or the like"));
        };
        match section.as_str() {
            "categories" => {
                for (id, value) in content {
                    let read: Category = entry(file, &format!("categories.{id}"), value)?;
                    entries.categories.push(Category { id: id.into(), ..read });
                }
            }
            "software" => {
                for (id, value) in content {
                    let read: Software = entry(file, &format!("software.{id}"), value)?;
                    entries.software.push(Software { id: id.into(), ..read });
                }
            }
            "groups" => groups(file, content, &mut entries)?,
            "kinds" => {
                for (name, value) in content {
                    let read: Kind = entry(file, &format!("kinds.{name:?}"), value)?;
                    let (kind, group) = name.split_once('.').unwrap_or((&name, ""));
                    let (kind, group) = (kind.to_owned().into(), group.to_owned().into());
                    entries.kinds.push(Kind { group, kind, built_in, ..read });
                }
            }
            _ => {
                return Err(problem(file, &section, "unknown section; expected categories, software, groups or kinds"));
            }
        }
    }
    Ok(entries)
}

fn groups(file: &str, content: Table, entries: &mut Entries) -> Result<(), CatalogueError> {
    for (group, mut value) in content {
        let name = format!("groups.{group:?}");
        let kinds = value.as_table_mut().and_then(|t| t.remove("kinds"));
        let read: Group = entry(file, &name, value)?;
        entries.groups.push(Group { group: group.clone().into(), ..read });
        let kinds = match kinds {
            None => continue,
            Some(Value::Table(kinds)) => kinds,
            Some(_) => return Err(problem(file, &name, "kinds is not a table; expected Kind = { about = \"…\" }")),
        };
        for (kind, value) in kinds {
            let read: Kind = entry(file, &format!("{name}.kinds.{kind}"), value)?;
            entries.kinds.push(Kind { group: group.clone().into(), kind: kind.into(), ..read });
        }
    }
    Ok(())
}

fn entry<T: DeserializeOwned>(file: &str, name: &str, value: Value) -> Result<T, CatalogueError> {
    value.try_into().map_err(|e: toml::de::Error| problem(file, name, &e.to_string().trim().replace('\n', ", ")))
}

pub(crate) fn problem(file: &str, entry: &str, problem: &str) -> CatalogueError {
    CatalogueError::Entry { file: file.to_owned(), entry: entry.to_owned(), problem: problem.to_owned() }
}
