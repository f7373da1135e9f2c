//! `clusterlore config`: what is set, and by whom; and the file that sets it.

use serde::Serialize;

use crate::args::{Config, ConfigAction, EmbedderChoice, ModelChoice, Output};
use crate::done::Done;
use crate::print::{self, table::table};
use crate::settings::{Origin, SETTINGS, Settings, StoreChoice};
use crate::{build, config_file};

#[derive(Serialize)]
struct Row {
    key: &'static str,
    /// Secrets and passwords masked; absent where nothing is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    from: String,
}

pub(crate) fn run(settings: &Settings, flags: &Config) -> anyhow::Result<Done> {
    match &flags.action {
        ConfigAction::Show { output } => show(settings, *output),
        ConfigAction::Set { key, value } => {
            let path = config_file::write(settings, key, Some(value))?;
            print::news(&format!("{key} is set in {}.", path.display()));
            Ok(Done::Whole)
        }
        ConfigAction::Unset { key } => {
            let path = config_file::write(settings, key, None)?;
            print::news(&format!("{key} is not set in {} any more.", path.display()));
            Ok(Done::Whole)
        }
    }
}

fn show(settings: &Settings, output: Output) -> anyhow::Result<Done> {
    // Shown only if it can be read: what is wrong is said here too.
    let store = build::store_choice(settings)?;
    settings.parsed("embedder", EmbedderChoice::read)?;
    settings.parsed("model", ModelChoice::read)?;
    let rows: Vec<Row> = SETTINGS
        .iter()
        .map(|setting| {
            let from = match settings.get(setting.key).map(|v| &v.origin) {
                Some(Origin::Flag) => format!("--{}", setting.key),
                Some(Origin::Environment) => setting.variable.unwrap_or_default().to_owned(),
                Some(Origin::File(path)) => path.display().to_string(),
                None => "default".to_owned(),
            };
            let value = match (&store, setting.key) {
                (StoreChoice::Sqlite(path), "store") => Some(format!("sqlite:{}", path.display())),
                _ => settings.shown(setting.key),
            };
            Row { key: setting.key, value, from }
        })
        .collect();
    match output {
        Output::Json | Output::Yaml => print::report(&rows, output)?,
        Output::Name => rows.iter().filter(|r| r.value.is_some()).try_for_each(|r| print::line(r.key))?,
        Output::Table => {
            if let Some(file) = &settings.file {
                print::lines([&format!("Configuration file: {}", file.display()), ""])?;
            }
            let shown = rows.into_iter().map(|r| vec![r.key.to_owned(), r.value.unwrap_or_default(), r.from]);
            print::lines(table(&["KEY", "VALUE", "FROM"], shown.collect()))?;
        }
    }
    Ok(Done::Whole)
}
