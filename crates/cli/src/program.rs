//! From the arguments to the exit status.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, FromArgMatches};
use tracing::Instrument;

use crate::args::{Args, Command, LogFormat, Shown, command_first};
use crate::done::Done;
use crate::settings::{Settings, WrongSetting, wrong};
use crate::telemetry::Telemetry;
use crate::{commands, complete, print, stop};

/// Whether anything panicked, in whatever thread.
static PANICKED: AtomicBool = AtomicBool::new(false);
/// The exit status then: a fault of the program (`EX_SOFTWARE`).
const FAULTY: u8 = 70;

/// Runs the program.
pub fn main() -> ExitCode {
    guarded(program)
}

/// The command line, as its man pages tell it.
pub fn command() -> clap::Command {
    Args::command()
}

/// A panic is one line and status 70, and unwinds, so that what is half-written is removed.
fn guarded(program: fn() -> ExitCode) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // One that comes of another says nothing new.
        if !PANICKED.swap(true, Ordering::SeqCst) {
            print::panicked(panic);
        }
    }));
    match std::panic::catch_unwind(program) {
        Ok(status) if !PANICKED.load(Ordering::SeqCst) => status,
        _ => ExitCode::from(FAULTY),
    }
}

fn program() -> ExitCode {
    complete::answer();
    let words: Vec<OsString> = std::env::args_os().collect();
    let (args, command) = match parsed(words.clone()) {
        Ok(read) => read,
        Err(e) => return print::usage(e, &words),
    };
    match args.quiet {
        true => print::progress::show(Shown::Quiet),
        false => print::progress::show(args.progress),
    }
    if command.log_format() == LogFormat::Json {
        print::speak_json();
    }
    // Whichever TLS library another crate would choose, rustls is told once which one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            return failed(&anyhow::anyhow!("the system gives no threads: {e}; close other programs and try again"));
        }
    };
    let telemetry = Telemetry::start(args.verbose, runtime.handle());
    let root = telemetry.root(command.name());
    let kept = stop::kept(&command);
    let takes_interrupts = matches!(&command, Command::Ask(flags) if commands::ask::reads_keys(flags));
    let ended = match &command {
        // Being stopped is how it ends; what it does in the meantime is not one run.
        Command::Watch(_) | Command::Serve(_) => Ok(runtime.block_on(run(args, command))),
        _ => {
            runtime.block_on(stop::unless_stopped(kept, takes_interrupts, run(args, command).instrument(root.clone())))
        }
    };
    if !matches!(ended, Ok(Ok(_))) {
        root.record("otel.status_code", "ERROR");
    }
    drop(root);
    telemetry.end();
    // What a run had handed to other threads may end, and is not waited for long.
    runtime.shutdown_timeout(stop::GRACE);
    match ended {
        Ok(Ok(Done::Whole)) => ExitCode::SUCCESS,
        Ok(Ok(Done::InPart)) => ExitCode::from(3),
        Ok(Ok(Done::Nothing)) => ExitCode::FAILURE,
        Ok(Err(e)) => failed(&e),
        Err(stopped) => stopped.tell(),
    }
}

/// Reads the command line. A plugin of kubectl speaks of itself as its user calls it. Without a command there is something to see at a
/// terminal, and elsewhere the help.
fn parsed(words: Vec<OsString>) -> Result<(Args, Command), clap::Error> {
    let elsewhere = !print::is_between_terminals();
    let mut program = Args::command().subcommand_required(elsewhere).arg_required_else_help(elsewhere);
    let name = words.first().and_then(|path| Path::new(path).file_stem());
    if name.is_some_and(|name| name == "kubectl-lore") {
        program = program.bin_name("kubectl lore");
        print::speak_as_plugin(program.get_subcommands().map(|command| command.get_name().to_owned()).collect());
    }
    let words = command_first(&program, words);
    let mut args = Args::from_arg_matches(&program.try_get_matches_from(words)?)?;
    let command = args.command.take().unwrap_or(Command::Start);
    Ok((args, command))
}

async fn run(args: Args, command: Command) -> anyhow::Result<Done> {
    let Args { settings, no_pager, .. } = args;
    if no_pager {
        print::without_pager();
    }
    let contexts = settings.contexts.clone();
    let settings = Settings::read(&settings)?;
    if contexts.len() > 1 && !matches!(command, Command::Watch(_) | Command::Serve(_)) {
        return Err(wrong(
            "--context was given more than once; expected one context, as only watch follows several".to_owned(),
        ));
    }
    let settings = match command.is_of_the_demo() {
        true => commands::demo::ready(&settings).await?,
        false => settings,
    };
    match command {
        Command::Index(flags) => commands::index::run(&settings, &flags).await,
        Command::Sync(flags) => commands::sync::run(&settings, &flags).await,
        Command::SyncInstances(flags) => commands::sync_instances::run(&settings, &flags).await,
        Command::Watch(flags) => commands::watch::run(&settings, &contexts, &flags).await,
        Command::Ask(flags) => commands::ask::run(&settings, &flags).await,
        Command::Threads(flags) => commands::threads::run(&settings, &flags).await,
        Command::Search(flags) => commands::search::run(&settings, &flags).await,
        Command::Count(flags) => commands::count::run(&settings, &flags).await,
        Command::Similar(flags) => commands::similar::run(&settings, &flags).await,
        Command::Serve(flags) => commands::serve::run(&settings, &contexts, &flags).await,
        Command::Mcp(flags) => commands::mcp::run(&settings, &flags).await,
        Command::Changes(flags) => commands::changes::run(&settings, &flags).await,
        Command::Token(flags) => commands::token::run(&settings, &flags),
        Command::Clusters(flags) => commands::clusters::run(&settings, &flags).await,
        Command::Status(flags) => commands::status::run(&settings, &flags).await,
        Command::Doctor(flags) => commands::doctor::run(&settings, &flags).await,
        Command::Demo(flags) => commands::demo::run(&settings, &flags).await,
        Command::Export(flags) => commands::export::run(&settings, &flags).await,
        Command::Import(flags) => commands::import::run(&settings, &flags).await,
        Command::Config(flags) => commands::config::run(&settings, &flags),
        Command::Completions(flags) => commands::completions::run(&flags),
        Command::Version(flags) => commands::version::run(&flags),
        Command::Start => commands::start::run(&settings).await,
    }
}

/// One line for the user, whatever happened, and status 1, or 2 for wrong usage. A reader that went away (`| head`) is no error.
fn failed(error: &anyhow::Error) -> ExitCode {
    let gone = |e: &(dyn std::error::Error + 'static)| {
        e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    // A task that panicked has told its line.
    if error.chain().any(gone) || PANICKED.load(Ordering::SeqCst) {
        return ExitCode::SUCCESS;
    }
    print::error(error);
    // What is set wrong in the environment or in a file is wrong usage, as it is in a flag.
    if error.is::<WrongSetting>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::print::full_screen::{Line, Look};

    /// Set where this test runs itself again, as a program that panics.
    const INSIDE: &str = "CLUSTERLORE_TEST_PANIC";

    fn panics() -> ExitCode {
        match std::env::var(INSIDE).as_deref() {
            Ok("task") => {
                let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
                let task = runtime.block_on(async { tokio::spawn(async { panic!("in a\ntask\u{1b}[31m") }).await });
                failed(&anyhow::Error::from(task.unwrap_err()))
            }
            Ok("screen") => {
                let mut screen = print::full_screen::FullScreen::take("no terminal").unwrap();
                screen.draw(&[Line::new(Look::Plain, "shown")], 0).unwrap();
                panic!("with a screen")
            }
            _ => panic!("postgres://me:s3cret@host {}", "long ".repeat(1_000)),
        }
    }

    /// Not a test of its own: what the next one starts.
    #[test]
    fn inside() {
        if std::env::var_os(INSIDE).is_some() {
            let status = guarded(panics);
            std::process::exit(if status == ExitCode::from(FAULTY) { FAULTY.into() } else { 1 });
        }
    }

    /// Raw mode, the other screen and all else that was taken goes before the line is printed.
    #[cfg(unix)]
    #[test]
    fn a_terminal_is_given_back_by_a_panic() {
        let itself = std::env::current_exe().unwrap();
        let inside = format!("'{}' --exact program::tests::inside --nocapture", itself.display());
        let line = format!("stty -a > before; {inside}; echo status $?; stty -a > after");
        let folder = tempfile::tempdir().unwrap();
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).current_dir(folder.path()).stdin(std::process::Stdio::null());
        let ran = match script.env(INSIDE, "screen").env("TERM", "xterm").env("SHELL", "/bin/sh").output() {
            Ok(ran) => ran,
            Err(e) => {
                assert!(std::env::var_os("CI").is_none(), "script (util-linux) is needed in CI: {e}");
                return;
            }
        };
        let seen = String::from_utf8_lossy(&ran.stdout).into_owned();
        let at = |what: &str| seen.find(what).unwrap_or_else(|| panic!("{what:?} is not in {seen:?}"));
        assert!(at("\u{1b}[?1049h") < at("shown") && at("shown") < at("\u{1b}[?1049l"), "{seen:?}");
        assert!(at("\u{1b}[?25h") < at("with a screen") && at("\u{1b}[?1049l") < at("with a screen"), "{seen:?}");
        assert!(seen.contains("status 70"), "{seen:?}");
        let modes = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(
            !modes("before").is_empty() && modes("before") == modes("after"),
            "{} {}",
            modes("before"),
            modes("after")
        );
    }

    #[test]
    fn a_panic_is_one_line_and_status_70() {
        for (kind, said) in [("main", "postgres://…@host"), ("task", r"in a\ntask\u{1b}[31m")] {
            let mut program = Command::new(std::env::current_exe().unwrap());
            let ran =
                program.args(["--exact", "program::tests::inside", "--nocapture"]).env(INSIDE, kind).output().unwrap();
            let said_at_all = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(70), "{said_at_all}");
            assert_eq!(said_at_all.lines().count(), 1, "{said_at_all}");
            assert!(said_at_all.contains(said) && said_at_all.contains("please report"), "{said_at_all}");
            assert!(!said_at_all.contains("s3cret") && said_at_all.len() < 800, "{said_at_all}");
        }
    }
}
