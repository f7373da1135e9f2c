//! How a store is named: by the path of its file, or the address of its server.

use std::path::PathBuf;

use clusterlore_http::plain_user;

pub(crate) fn sqlite_path(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("sqlite:") {
        Some(":memory:") => Err("expected a file; an index in memory would be gone at once".to_owned()),
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err("expected sqlite:PATH".to_owned()),
    }
}

pub(crate) fn http_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => {
            plain_user(text).map(|()| text.trim_end_matches('/').to_owned())
        }
        _ => Err("expected http://HOST:PORT or https://HOST".to_owned()),
    }
}

pub(crate) fn postgres_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    match rest {
        Some(rest) if !rest.is_empty() => plain_user(text).map(|()| text.to_owned()),
        _ => Err("expected postgres://USER@HOST:PORT/DATABASE".to_owned()),
    }
}
