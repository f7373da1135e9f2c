//! Logs on standard error: warnings, or more with `-v`; `RUST_LOG` decides where it is set. Without colours: whatever is written goes the
//! way of everything foreign, which no escape sequence survives.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

/// kube logs every 5xx as an error; what comes of it is ours to say.
const QUIET: &str = "error,kube_client=off";
const OURS: [&str; 3] = ["clusterlore_cluster", "clusterlore_pipeline", "clusterlore_store"];

pub(crate) fn start(verbose: u8) {
    let ours = |level: &str| OURS.map(|room| format!("{room}={level}")).join(",");
    let level = match verbose {
        0 => QUIET.to_owned(),
        1 => format!("warn,{}", ours("debug")),
        _ => format!("debug,{}", ours("trace")),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Log).with_ansi(false).try_init();
}

/// Takes one event at a time.
struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        super::note(String::from_utf8_lossy(event).trim_end());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
