//! Logs on standard error: errors and who was refused, or more with `-v`; `RUST_LOG` decides where it is set. Without colours: whatever is written goes the
//! way of everything foreign, which no escape sequence survives.

use std::io::{self, Write};

use clusterlore_agent::converse::PAYLOADS;
use clusterlore_http::ends_word;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::stderr::{note, object, speaks_json, with_strings};

/// What a layer beside that of lines is made of.
pub(crate) use tracing_subscriber::{Layer, Registry, filter::filter_fn};

/// kube logs every 5xx as an error; what comes of it is ours to say. Who was refused is worth a line.
const QUIET: &str = "error,kube_client=off,audit=info";
const OURS: [&str; 4] = ["clusterlore_cluster", "clusterlore_http", "clusterlore_pipeline", "clusterlore_store"];

/// Starts logs; `traces` sees spans, which are no lines of a log, and what is said in them.
pub(crate) fn start(verbose: u8, traces: Option<Box<dyn Layer<Registry> + Send + Sync>>) {
    let ours = |level: &str| OURS.map(|room| format!("{room}={level}")).join(",");
    let level = match verbose {
        0 => QUIET.to_owned(),
        1 => format!("warn,audit=info,{}", ours("debug")),
        _ => format!("debug,{}", ours("trace")),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = filter_fn(|metadata| metadata.is_event() && metadata.target() != PAYLOADS);
    let layer = tracing_subscriber::fmt::layer().with_writer(|| Log).with_ansi(false);
    let layer = match speaks_json() {
        true => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        false => layer.boxed(),
    };
    let lines = layer.with_filter(filter.and(lines));
    let _ = tracing_subscriber::registry().with(traces).with(lines).try_init();
}

/// Takes one event at a time.
struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        match serde_json::from_slice(event) {
            Ok(value) if speaks_json() => object(with_strings(value, &without_authorities)),
            _ => note(&without_authorities(String::from_utf8_lossy(event).trim_end())),
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// HTTP libraries log an address without its scheme, user and password in front: `bob:password@host`.
fn without_authorities(event: &str) -> String {
    let word = |word: &str| match word.rsplit_once('@') {
        Some((user, host)) if user.contains(':') && !user.contains("://") => format!("…@{host}"),
        _ => word.to_owned(),
    };
    event.split_inclusive(ends_word).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_logged_without_user_and_password() {
        let pool = r#"pool: take? ("http", bob:s3@cret@127.0.0.1:1): expiration = Some(90s)"#;
        assert_eq!(without_authorities(pool), r#"pool: take? ("http", …@127.0.0.1:1): expiration = Some(90s)"#);
        for left in ["url=http://h/v1 a@b", "no address"] {
            assert_eq!(without_authorities(left), left);
        }
    }
}
