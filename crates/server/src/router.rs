//! Which address leads where, and what every request goes through first.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};
use tracing::{Instrument, error, info, info_span};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{Auth, Denied};
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::{api, dropin, metrics, probes};

/// The endpoints that controllers post to.
const POSTED_TO: [&str; 3] = ["/api/v1/instances/sync", "/api/v1/capabilities/scan", "/api/v1/resources/sync"];

/// clusterlore: ask a Kubernetes cluster what is running, by meaning.
#[derive(OpenApi)]
#[openapi(
    info(title = "clusterlore", license(name = "Apache-2.0")),
    components(schemas(Problem)),
    tags(
        (name = "questions", description = "What is running, and which resource types there are"),
        (name = "documents", description = "What is stored"),
        (name = "controllers", description = "What controllers post"),
        (name = "probes", description = "For whoever runs the server")
    )
)]
struct Described;

fn routers() -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let (guarded, mut described) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(api::search, api::search_post))
        .routes(routes!(api::count, api::count_post))
        .routes(routes!(api::ask, api::ask_post))
        .routes(routes!(api::similar))
        .routes(routes!(api::changes))
        .routes(routes!(api::capabilities))
        .routes(routes!(api::capability))
        .routes(routes!(api::status))
        .routes(routes!(dropin::sync))
        .routes(routes!(dropin::scan))
        .routes(routes!(dropin::resources))
        .split_for_parts();
    // An id has slashes: its route takes all that follows.
    let (_, ids) = OpenApiRouter::<Arc<App>>::new().routes(routes!(api::instance)).split_for_parts();
    let (probes, probed) = OpenApiRouter::<Arc<App>>::new()
        .routes(routes!(probes::healthz))
        .routes(routes!(probes::readyz))
        .routes(routes!(probes::metrics))
        .split_for_parts();
    described.merge(ids);
    described.merge(probed);
    (guarded.route("/api/v1/instances/{*id}", get(api::instance)).merge(probes), described)
}

/// The whole service.
pub(crate) fn service(app: Arc<App>) -> NormalizePath<Router> {
    let (routes, described) = routers();
    let described: Arc<[u8]> = serde_json::to_vec(&described).unwrap_or_default().into();
    let openapi = get(move || {
        let described = Arc::clone(&described);
        async move { ([(header::CONTENT_TYPE, "application/json")], described.to_vec()) }
    });
    let router = routes
        .route("/api/v1/openapi.json", openapi)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(&app), admit))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            error!("a handler panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this is a fault of the server; its log says more")
                .into_response()
        }))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observe))
        .with_state(app);
    // With a slash at its end an address is the same.
    NormalizePathLayer::trim_trailing_slash().layer(router)
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 Not Found").into_response()
}

/// As the contract of the posted-to endpoints has it, they are not there for another method.
async fn wrong_method(request: Request) -> Response {
    match POSTED_TO.contains(&request.uri().path()) {
        true => not_found().await,
        false => Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not for this address", request.method()))
            .into_response(),
    }
}

/// Who needs no credentials: probes, and who wants to know what can be asked.
fn is_public(path: &str) -> bool {
    ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"].contains(&path)
}

/// Lets a request in: its size, who sends it, how often, and how long it may take.
async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_post = POSTED_TO.contains(&path.as_str());
    let limit = if is_post { dropin::LARGEST } else { app.server.limits.body };
    let too_large = || match is_post {
        true => dropin::too_large(),
        false => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("expected a body of {limit} bytes at most"))
            .into_response(),
    };
    if length(request.headers()).is_some_and(|length| length > limit as u64) {
        return too_large();
    }
    let mut request = request;
    if !is_public(&path) {
        if matches!(app.server.auth, Auth::Open { .. }) && !is_of_this_machine(request.headers()) {
            let told = "the Host of the request is not of this machine; expected localhost or a loopback address";
            return Problem::new(StatusCode::FORBIDDEN, told).into_response();
        }
        let caller = match identified(&app.server.auth, request.headers()).await {
            Ok(caller) => caller,
            Err(denied) => return refused(&app.server.auth, &path, denied),
        };
        if !is_post && let Err(later) = app.rates.admit(&caller.name, Instant::now()) {
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "this caller asks too often");
            return problem.with_header(header::RETRY_AFTER, later.as_secs_f64().ceil().to_string()).into_response();
        }
        request.extensions_mut().insert(caller);
    }
    let answer = async {
        // What waits for its turn holds no turn while its body comes in.
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, limit).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return too_large(),
            Err(_) => return Problem::wrong("the body broke off").into_response(),
        };
        let request = Request::from_parts(head, body.into());
        // A post only has to be kept; a probe must not wait.
        let _turn = match is_post || is_public(&path) {
            true => None,
            false => match app.rates.turn().await {
                Some(turn) => Some(turn),
                None => return Problem::busy("too many requests are being answered", 1).into_response(),
            },
        };
        next.run(request).await
    };
    match tokio::time::timeout(app.server.limits.time, answer).await {
        Ok(response) => response,
        Err(_) => Problem::busy("the answer took too long", 1).into_response(),
    }
}

/// Whether a request was sent to this machine by its own name. A page in a browser can point a name of its own to a loopback address, and
/// would read what is served there to whoever asks.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn identified(auth: &Auth, headers: &HeaderMap) -> Result<crate::auth::Caller, Denied> {
    let credentials = Credentials::of(headers).map_err(Denied::Unknown)?;
    auth.caller(credentials.as_ref()).await
}

/// Who is refused is told why, and the log is told of it.
fn refused(auth: &Auth, path: &str, denied: Denied) -> Response {
    info!(target: "audit", path, reason = %denied, "a call was denied");
    let problem = match denied {
        Denied::Unknown(_) => Problem::new(StatusCode::UNAUTHORIZED, denied.to_string())
            .with_header(header::WWW_AUTHENTICATE, auth.challenge()),
        Denied::Unavailable(_) => Problem::busy(denied.to_string(), 5),
    };
    problem.into_response()
}

/// Counts and times each request, and gives it a span.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method: Method = request.method().clone();
    // What leads nowhere has no pattern, and paths that somebody makes up must not become labels.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = info_span!("http.request", "http.request.method" = %method, "http.route" = route, "http.response.status_code" = tracing::field::Empty);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    app.metrics.answered(metrics::method(&method), &route, status, began.elapsed());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, http::HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(http::HeaderValue::from_static("no-store"));
    response
}
