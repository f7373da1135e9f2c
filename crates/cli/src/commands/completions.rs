//! `clusterlore completions SHELL`

use clap::CommandFactory;

use crate::args::{Args, Completions};
use crate::done::Done;
use crate::print;

pub(crate) fn run(flags: &Completions) -> anyhow::Result<Done> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Args::command(), "clusterlore", &mut script);
    print::script(&String::from_utf8_lossy(&script))?;
    Ok(Done::Whole)
}
