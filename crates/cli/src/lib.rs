//! The program: flags in, the other rooms put together, answers out. Only here are environment variables read and lines printed.

mod args;
mod build;
mod commands;
mod print;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use settings::{Settings, WrongSetting};

/// What a command ended with, as far as it did not fail.
pub(crate) enum Done {
    /// All of it.
    Whole,
    /// A part was left out for another reason than permission.
    InPart,
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Usage errors end here with status 2, help and version with 0.
    let args = Args::parse();
    print::log::start(args.verbose);
    // Whichever TLS library another crate would choose, rustls is told once which one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            return failed(&anyhow::anyhow!("the system gives no threads: {e}; close other programs and try again"));
        }
    };
    match runtime.block_on(run(args)) {
        Ok(Done::Whole) => ExitCode::SUCCESS,
        Ok(Done::InPart) => ExitCode::from(3),
        Err(e) => failed(&e),
    }
}

async fn run(args: Args) -> anyhow::Result<Done> {
    let Args { settings, command, verbose: _ } = args;
    let settings = Settings::read(&settings)?;
    match command {
        Command::Index(flags) => commands::index::run(&settings, &flags).await,
        Command::Sync(flags) => commands::sync::run(&settings, &flags).await,
        Command::SyncInstances(flags) => commands::sync_instances::run(&settings, &flags).await,
        Command::Search(flags) => commands::search::run(&settings, &flags).await,
        Command::Count(flags) => commands::count::run(&settings, &flags).await,
        Command::Similar(flags) => commands::similar::run(&settings, &flags).await,
        Command::Status(flags) => commands::status::run(&settings, &flags).await,
        Command::Doctor(flags) => commands::doctor::run(&settings, &flags).await,
        Command::Demo(flags) => commands::demo::run(&settings, &flags).await,
        Command::Export(flags) => commands::export::run(&settings, &flags).await,
        Command::Import(flags) => commands::import::run(&settings, &flags).await,
        Command::Config(flags) => commands::config::run(&settings, &flags),
        Command::Completions(flags) => commands::completions::run(&flags),
    }
}

/// One line for the user, whatever happened, and status 1, or 2 for wrong usage. A reader that went away (`| head`) is no error.
fn failed(error: &anyhow::Error) -> ExitCode {
    let gone = |e: &(dyn std::error::Error + 'static)| {
        e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(gone) {
        return ExitCode::SUCCESS;
    }
    print::error(error);
    // What is set wrong in the environment or in a file is wrong usage, as it is in a flag.
    if error.is::<WrongSetting>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
