//! SIGINT and SIGTERM: the command is dropped where it stands, so that its guards remove what is half-written, and one line says what is
//! kept. A second signal, or work that cannot be dropped, ends the process at once.

use std::process::ExitCode;
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::sync::oneshot;

use clusterlore_agent::converse::ToolGroup;

use crate::args::Command;
use crate::print;

/// How long work that was begun may take to end.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Interrupt,
    #[cfg_attr(not(unix), expect(dead_code))]
    Terminate,
}

/// A command that a signal ended.
#[derive(Debug, Clone)]
pub(crate) struct Stopped {
    signal: Signal,
    kept: Arc<str>,
}

impl Stopped {
    /// Says what is kept; 128 and the signal's number, as shells have it.
    pub(crate) fn tell(&self) -> ExitCode {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| print::note(&format!("Stopped by {}: {}.", self.name(), self.kept)));
        ExitCode::from(self.status())
    }

    fn name(&self) -> &'static str {
        match self.signal {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        }
    }

    fn status(&self) -> u8 {
        self.signal.status()
    }
}

impl Signal {
    fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// What stays when a command is stopped, and what running it again does.
pub(crate) fn kept(command: &Command) -> String {
    let dry_run = match command {
        Command::Index(flags) => flags.instances.dry_run,
        Command::Sync(flags) => flags.dry_run,
        Command::SyncInstances(flags) => flags.dry_run,
        _ => false,
    };
    match command {
        Command::Index(_) | Command::Sync(_) | Command::SyncInstances(_) if !dry_run => {
            "what was stored so far is kept and can be searched; run the same command again, it writes what is still missing and \
             deletes what is gone"
                .to_owned()
        }
        Command::Import(_) => {
            "what was imported so far is kept; run the same command again, it goes on from there".to_owned()
        }
        Command::Export(flags) if flags.file != std::path::Path::new("-") => {
            let file = flags.file.display();
            format!("{file} is not a complete export; if it was a regular file before, it is unchanged. Run the same command again")
        }
        // What a person said yes to stays.
        Command::Ask(flags) if flags.model.tools.contains(&ToolGroup::Apply) => {
            "the answer is not whole; what was applied after a yes is applied".to_owned()
        }
        Command::Ask(_) => "the answer is not whole; nothing was changed".to_owned(),
        Command::Export(_) => "what was written is not a complete export; run the same command again".to_owned(),
        _ => "nothing was changed".to_owned(),
    }
}

/// Waits for Ctrl-C.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Listens to SIGINT and SIGTERM from now on, and waits for one of them; a second one ends the process at once.
pub(crate) fn asked() -> impl Future<Output = ()> {
    let signals = Signals::listen(false);
    async move {
        let Ok(mut signals) = signals else {
            // Then signals do what they do to any process.
            return std::future::pending().await;
        };
        signals.next().await;
        tokio::spawn(async move {
            let signal = signals.next().await;
            std::process::exit(signal.status().into());
        });
    }
}

/// Runs a command unless a signal comes first; with `but_interrupts` only SIGTERM counts.
pub(crate) async fn unless_stopped<T>(
    kept: String,
    but_interrupts: bool,
    command: impl Future<Output = T>,
) -> Result<T, Stopped> {
    let kept: Arc<str> = kept.into();
    let (tell, told) = oneshot::channel();
    match Signals::listen(but_interrupts) {
        Ok(signals) => {
            tokio::spawn(watch(signals, kept, tell));
        }
        // Then signals do what they do to any process.
        Err(error) => tracing::debug!(%error, "signals cannot be listened to"),
    }
    tokio::select! {
        done = command => Ok(done),
        Ok(stopped) = told => Err(stopped),
    }
}

/// Beside the command, in another thread: it may be waiting for a disk, a pipe or a terminal.
async fn watch(mut signals: Signals, kept: Arc<str>, tell: oneshot::Sender<Stopped>) {
    let stopped = Stopped { signal: signals.next().await, kept };
    let _ = tell.send(stopped.clone());
    tokio::select! {
        _ = signals.next() => {}
        () = tokio::time::sleep(GRACE) => {
            print::full_screen::give_back();
            stopped.tell();
        }
    }
    print::full_screen::give_back();
    std::process::exit(stopped.status().into());
}

#[cfg(unix)]
struct Signals {
    /// None where the command takes them itself.
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen(but_interrupts: bool) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = if but_interrupts { None } else { Some(signal(SignalKind::interrupt())?) };
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        let interrupted = async {
            match &mut self.interrupt {
                Some(interrupt) => interrupt.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupted => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals {
    but_interrupts: bool,
}

#[cfg(not(unix))]
impl Signals {
    fn listen(but_interrupts: bool) -> std::io::Result<Self> {
        Ok(Self { but_interrupts })
    }

    async fn next(&mut self) -> Signal {
        if self.but_interrupts {
            std::future::pending::<()>().await;
        }
        let _ = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    }
}
