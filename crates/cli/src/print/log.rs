//! Logs on standard error: warnings, or more with `-v`; `RUST_LOG` decides where it is set.

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
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).try_init();
}
