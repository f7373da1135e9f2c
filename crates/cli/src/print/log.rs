//! Logs on standard error: warnings, or more with `-v`; `RUST_LOG` decides where it is set.

use tracing_subscriber::EnvFilter;

pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => "error",
        1 => "clusterlore=debug,warn",
        _ => "clusterlore=trace,debug",
    };
    let level =
        level.replace("clusterlore=", "clusterlore_cluster=LEVEL,clusterlore_pipeline=LEVEL,clusterlore_store=");
    let wanted = if verbose > 1 { "trace" } else { "debug" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level.replace("LEVEL", wanted)));
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).try_init();
}
