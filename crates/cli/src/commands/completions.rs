//! `clusterlore completions SHELL`

use clap::CommandFactory;

use crate::Done;
use crate::args::{Args, Completions};

pub(crate) fn run(flags: &Completions) -> anyhow::Result<Done> {
    clap_complete::generate(flags.shell, &mut Args::command(), "clusterlore", &mut std::io::stdout());
    Ok(Done::Whole)
}
