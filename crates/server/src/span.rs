//! A span for each request, by OpenTelemetry's conventions for HTTP servers
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>). Queries and bodies are not in it: what is asked stands there.

use axum::extract::Request;
use clusterlore_core::words::cut;
use http::StatusCode;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::connection::Connection;

/// Characters of a path.
const LONGEST: usize = 1_000;

/// The span of a request. `method` is one of few, or nothing for one that somebody made up; `route` is a pattern.
pub(crate) fn of(request: &Request, method: Option<&'static str>, route: Option<&str>) -> Span {
    let connection = request.extensions().get::<Connection>();
    // Neither has an end of its own.
    let [made_up, path] = [request.method().as_str(), request.uri().path()].map(|text| cut(text, LONGEST));
    let name = match (method.unwrap_or("HTTP"), route) {
        (method, Some(route)) => format!("{method} {route}"),
        (method, None) => method.to_owned(),
    };
    info_span!(
        "http.request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        "http.request.method" = method.unwrap_or("_OTHER"),
        "http.request.method_original" = method.is_none().then_some(&*made_up),
        "http.route" = route,
        "http.response.status_code" = Empty,
        "url.path" = &*path,
        "url.scheme" = connection.map(|connection| connection.scheme()),
        "error.type" = Empty
    )
}

/// What came of it. A fault of the caller is no error of the server's.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    // An integer of any other size becomes text on the way.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
}
