//! `clusterlore version`

use serde_json::json;

use crate::args::{Output, Version};
use crate::done::Done;
use crate::print;

pub(crate) fn run(flags: &Version) -> anyhow::Result<Done> {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    match flags.output {
        Output::Json | Output::Yaml => print::report(&json!({"clusterlore": VERSION}), flags.output)?,
        Output::Name => print::line(VERSION)?,
        Output::Table => print::line(&format!("clusterlore {VERSION}"))?,
    }
    Ok(Done::Whole)
}
