//! Which address leads where, and what every request goes through first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};
use tracing::{Instrument, error};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit::{Call, Refusal};
use crate::auth::{Auth, Caller, Denied, WELL_KNOWN, is_loopback};
use crate::credentials::Credentials;
use crate::json::json;
use crate::problem::Problem;
use crate::{api, dropin, mcp, metrics, page, probes, span};

/// The endpoints that controllers post to.
const POSTED_TO: [&str; 3] = ["/api/v1/instances/sync", "/api/v1/capabilities/scan", "/api/v1/resources/sync"];

/// Where assistants ask.
const ASSISTANTS: &str = "/mcp";

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
        .routes(routes!(api::talk))
        .routes(routes!(api::similar))
        .routes(routes!(api::details))
        .routes(routes!(api::tree))
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
        .routes(routes!(protected_resource))
        .split_for_parts();
    described.merge(ids);
    described.merge(probed);
    let suffixed = format!("{WELL_KNOWN}/{{*resource}}");
    let routes = guarded.route("/api/v1/instances/{*id}", get(api::instance)).route(&suffixed, get(protected_resource));
    let routes = routes.route("/", get(page::index)).route("/page/{name}", get(page::file));
    (routes.merge(probes), described)
}

/// The whole service.
pub(crate) fn service(app: Arc<App>) -> NormalizePath<Router> {
    let (routes, described) = routers();
    let described: Arc<[u8]> = serde_json::to_vec(&described).unwrap_or_default().into();
    let openapi = get(move || {
        let described = Arc::clone(&described);
        async move { ([(header::CONTENT_TYPE, "application/json")], described.to_vec()) }
    });
    let server = &app.server;
    let assistants = Arc::new(mcp::Served(Arc::clone(&server.index)));
    let router = routes
        .route("/api/v1/openapi.json", openapi)
        .route_service(
            ASSISTANTS,
            mcp::service(assistants, &server.allowed_hosts, server.offer.clone(), server.limits.body),
        )
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

/// As the contract with controllers has it, what they ask is not there for another method.
async fn wrong_method(request: Request) -> Response {
    let path = request.uri().path();
    match POSTED_TO.contains(&path) || ["/healthz", "/readyz"].contains(&path) {
        true => not_found().await,
        false => Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not for this address", request.method()))
            .into_response(),
    }
}

/// Says where tokens for this server come from, as RFC 9728 has it.
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", tag = "probes",
    responses((status = 200, description = "The resource and its authorization servers"), (status = 404, description = "The server knows of none"))
)]
async fn protected_resource(State(app): State<Arc<App>>, request: Request) -> Response {
    match app.server.auth.resource().filter(|resource| resource.is_told_at(request.uri().path())) {
        Some(resource) => json(StatusCode::OK, &resource.metadata()),
        None => not_found().await,
    }
}

/// Who needs no credentials: probes, the page's own files, and who wants to know what can be asked and where tokens come from.
fn is_public(path: &str) -> bool {
    let is_metadata = path.strip_prefix(WELL_KNOWN).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_metadata || page::is_at(path) || ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"].contains(&path)
}

/// Lets a request in: its size, who sends it, how often, and how long it may take. The log is told of whom it does not.
async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let call = Call::of(&request);
    // One without a body is read from the start.
    let is_read = AtomicBool::new(request.body().is_end_stream());
    let (user, mut answer) = match identified(&app.server.auth, request.uri().path(), request.headers()).await {
        Ok(caller) => {
            let user = caller.as_ref().map(|caller| caller.name.clone());
            (user, admitted(&app, caller, request, &is_read, next).await)
        }
        Err(refused) => (None, refused),
    };
    if !is_read.into_inner() {
        // The next request could not be told from the rest of the body: the connection ends, and its client has to know.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    app.audit.heed(&call, user.as_deref(), &answer);
    answer
}

/// Who sends a request; `None` where that is all the same.
async fn identified(auth: &Auth, path: &str, headers: &HeaderMap) -> Result<Option<Caller>, Response> {
    if is_public(path) {
        return Ok(None);
    }
    if matches!(auth, Auth::Open { .. }) && !is_of_this_machine(headers) {
        let told = "the Host of the request is not of this machine; expected localhost or a loopback address";
        return Err(Problem::new(StatusCode::FORBIDDEN, told).into_response());
    }
    let caller = match Credentials::of(headers) {
        Ok(credentials) => auth.caller(credentials.as_ref()).await,
        Err(reason) => Err(Denied::Unknown(reason)),
    };
    caller.map(Some).map_err(|denied| refused(auth, headers, denied))
}

/// Answers a request of somebody who is known, or need not be. `is_read` becomes true once its body was read to its end.
async fn admitted(
    app: &App,
    caller: Option<Caller>,
    mut request: Request,
    is_read: &AtomicBool,
    next: Next,
) -> Response {
    let is_post = POSTED_TO.contains(&request.uri().path());
    let limit = if is_post { dropin::LARGEST } else { app.server.limits.body };
    let too_large = || match is_post {
        true => dropin::too_large(),
        false => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("expected a body of {limit} bytes at most"))
            .into_response(),
    };
    if length(request.headers()).is_some_and(|length| length > limit as u64) {
        return too_large();
    }
    let is_asked = !is_post && caller.is_some();
    let limits = &app.server.limits;
    let time = if request.uri().path() == ASSISTANTS { limits.assistant } else { limits.time };
    if let Some(caller) = caller {
        if is_asked && let Err(later) = app.rates.admit(&caller.name, Instant::now()) {
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
        is_read.store(true, Ordering::Relaxed);
        let mut request = Request::from_parts(head, body.into());
        // A post only has to be kept; a probe must not wait.
        let slot = match is_asked {
            false => None,
            true => match app.rates.turn().await {
                Some(slot) => Some(slot),
                None => return Problem::busy("too many requests are being answered", 1).into_response(),
            },
        };
        // Held until there is an answer; one that goes on behind its head holds it too.
        slot.clone().map(|slot| request.extensions_mut().insert(slot));
        next.run(request).await
    };
    match tokio::time::timeout(time, answer).await {
        Ok(response) => response,
        Err(_) => Problem::busy("the answer took too long", 1).into_response(),
    }
}

/// Whether a request was sent to this machine by its own name. A page in a browser can point a name of its own to a loopback address, and
/// would read what is served there to whoever asks.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    is_loopback(authority.host())
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Who is refused is told why.
fn refused(auth: &Auth, headers: &HeaderMap, denied: Denied) -> Response {
    match denied {
        Denied::Unknown(_) => Problem::new(StatusCode::UNAUTHORIZED, denied.to_string())
            .with_header(header::WWW_AUTHENTICATE, auth.challenge(headers.contains_key(header::AUTHORIZATION)))
            .into_response(),
        Denied::Unavailable(_) => {
            let mut busy = Problem::busy(denied.to_string(), 5).into_response();
            busy.extensions_mut().insert(Refusal(denied.to_string()));
            busy
        }
    }
}

/// Counts and times each request, and gives it a span.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = metrics::method(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let span = span::of(&request, method, route.as_deref());
    (app.server.continued)(&span, request.headers());
    let mut response = next.run(request).instrument(span.clone()).await;
    span::answered(&span, response.status());
    // What leads nowhere has no pattern, and paths that somebody makes up must not become labels.
    let (method, route) = (method.unwrap_or("other"), route.as_deref().unwrap_or("none"));
    app.metrics.answered(method, route, response.status().as_u16(), began.elapsed());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
