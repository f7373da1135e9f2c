//! How a list of objects is printed.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args as ClapArgs, ValueEnum};

use super::shared::{Output, whole};
use crate::jsonpath::{Columns, Template};

/// How objects are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// The same with what the cluster prints of each object now, else with what the index has more.
    Wide,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
    /// One object a line, as kubectl takes it: `deployment.apps/checkout`.
    Name,
    /// One stored id a line.
    Id,
    /// What a template makes of the JSON.
    JsonPath(Template),
    /// Columns of the objects in the JSON.
    CustomColumns(Columns),
}

/// Values without a parameter, and what they are.
const PLAIN: [(&str, Format, &str); 6] = [
    ("table", Format::Table, "For people"),
    ("wide", Format::Wide, "For people, with what the cluster prints of each object now, else API version and labels"),
    ("json", Format::Json, "For programs"),
    ("yaml", Format::Yaml, "For programs and people"),
    ("name", Format::Name, "One object per line, as kubectl takes it: deployment.apps/checkout"),
    ("id", Format::Id, "One stored id per line"),
];

impl Format {
    fn read(text: &str) -> Result<Self, String> {
        if let Some((_, format, _)) = PLAIN.iter().find(|(name, ..)| *name == text) {
            return Ok(format.clone());
        }
        match text.split_once('=') {
            Some(("jsonpath", template)) => Template::read(template).map(Self::JsonPath),
            Some(("custom-columns", columns)) => Columns::read(columns).map(Self::CustomColumns),
            _ => Err("expected table, wide, json, yaml, name, id, jsonpath=TEMPLATE or custom-columns=TITLE:PATH,..."
                .to_owned()),
        }
    }
}

impl Format {
    /// Whether it is one of lines, which can go on.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Name | Self::Id)
    }
}

/// Reads a format, and tells the plain ones in help and completions.
#[derive(Debug, Clone)]
struct FormatParser;

impl TypedValueParser for FormatParser {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Format, clap::Error> {
        Format::read.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let with = [
            PossibleValue::new("jsonpath=TEMPLATE").help("As kubectl's, over the JSON: '{.hits[*].name}'"),
            PossibleValue::new("custom-columns=TITLE:PATH,...")
                .help("As kubectl's, over each object: NAME:.name,APP:.labels.app"),
        ];
        Some(Box::new(PLAIN.iter().map(|(name, _, help)| PossibleValue::new(*name).help(*help)).chain(with)))
    }
}

/// Which hits are shown, and how.
#[derive(Debug, ClapArgs)]
pub(crate) struct HitFlags {
    /// Maximum number of hits
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole::<u16>(1..=1000))]
    pub(crate) limit: u16,
    /// Output format
    #[arg(short, long, default_value = "table", value_parser = FormatParser)]
    pub(crate) output: Format,
}

/// How many hits an answer shows, and how it is printed.
#[derive(Debug, ClapArgs)]
pub(crate) struct AnswerFlags {
    /// Maximum number of hits
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole::<u16>(1..=1000))]
    pub(crate) limit: u16,
    /// Output format; name prints what answers as kubectl takes it
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What a list looks like and ends with.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct ListFlags {
    /// Leave out the line above a table
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// End with exit status 1 if nothing is found
    #[arg(long)]
    pub(crate) exit_status: bool,
}

/// What is shown of objects, and in which order.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct TableFlags {
    /// Order of what is shown [default: best first]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) sort_by: Option<SortBy>,
    /// Add a column with all labels
    #[arg(long)]
    pub(crate) show_labels: bool,
    /// Add a column with the value of a label
    #[arg(short = 'L', long, value_name = "KEY,...", value_delimiter = ',')]
    pub(crate) label_columns: Vec<String>,
    /// Print the kubectl command that shows each object instead
    #[arg(long, conflicts_with = "output")]
    pub(crate) print_commands: bool,
}

/// By what objects are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// Name, then namespace
    Name,
    /// Newest first
    Age,
    /// Kind, then namespace and name
    Kind,
    /// Namespace, then kind and name
    Namespace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_as_kubectl_has_them() {
        for (name, format, _) in PLAIN {
            assert_eq!(Format::read(name), Ok(format));
        }
        assert!(matches!(Format::read("jsonpath={.hits[*].name}"), Ok(Format::JsonPath(_))));
        assert!(matches!(Format::read("custom-columns=NAME:.name,APP:.labels.app"), Ok(Format::CustomColumns(_))));
        for wrong in ["", "Table", "go-template={{.x}}", "jsonpath={.x", "custom-columns=", "jsonpath"] {
            assert!(Format::read(wrong).is_err(), "{wrong}");
        }
    }
}
