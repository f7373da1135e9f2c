//! The page for people, at `/`: files of the binary. It holds nothing of the index and needs no credentials; what it shows it asks the API
//! for, as every other client does.

mod files;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use files::{File, find};

/// Where the files are that the page consists of.
const UNDER: &str = "/page/";
/// What a browser may do with the page: run its scripts and ask its server, and nothing else. Text never becomes markup: the last
/// directive has every attempt fail.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // Another program has other files under the same names: they are asked for, and come only if they differ.
    (header::CACHE_CONTROL, "no-cache"),
];

/// Whether a path is one of the page's.
pub(crate) fn is_at(path: &str) -> bool {
    path == "/" || path.starts_with(UNDER)
}

/// The page itself.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    sent(find("index.html"), &headers)
}

/// A file of the page.
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    sent(find(&name), &headers)
}

fn sent(file: Option<&File>, headers: &HeaderMap) -> Response {
    let Some(file) = file else { return (StatusCode::NOT_FOUND, "404 Not Found").into_response() };
    let has = |value: &HeaderValue| value.to_str().is_ok_and(|tags| tags.split(',').any(|tag| is_tag(tag, &file.tag)));
    let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(has);
    let media = [(header::CONTENT_TYPE, file.media), (header::ETAG, file.tag.as_str())];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, HEADERS, media).into_response(),
        false => (HEADERS, media, file.bytes).into_response(),
    }
}

/// Whether a tag of `If-None-Match` is this one. A proxy that compresses makes it weak.
fn is_tag(tag: &str, own: &str) -> bool {
    let tag = tag.trim();
    tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let app = find("app.js").unwrap();
        let asked = |tags: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(tags).unwrap());
            sent(Some(app), &headers).status()
        };
        let weak = format!("\"other\", W/{}", app.tag);
        for (tags, status) in [(app.tag.as_str(), 304), (&weak, 304), ("*", 304), ("\"other\"", 200), ("", 200)] {
            assert_eq!(asked(tags).as_u16(), status, "{tags}");
        }
        assert_eq!(sent(find("../Cargo.toml"), &HeaderMap::new()).status(), 404);
    }
}
