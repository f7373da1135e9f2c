//! From a request to its answer.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use clusterlore_core::ResourceType;
use futures::{StreamExt, stream};
use http::{HeaderName, Request, Response, Version, header};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};

use super::exchange::{Asked, Body, JSON, PROTOBUF, Plain, forbidden, is_watch};
use super::fault::{Target, What};
use super::state::{DiscoveryForm, Encoding, Seen, State};
use super::watch::Watcher;
use super::wire;

pub(super) async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let header =
        |name: HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        accept: header(header::ACCEPT),
        authorization: header(header::AUTHORIZATION),
        accept_encoding: header(header::ACCEPT_ENCODING),
    };
    let sent = request.into_body().collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let (plain, watcher, fault) = {
        let shared = &state;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.push(seen.clone());
        let asked = Asked::of(&state, &seen);
        let fault = state.meets(&Target {
            path: &seen.path,
            type_name: asked.ty.as_ref().map(ResourceType::name).as_deref(),
            namespace: asked.namespace.as_deref(),
            mid_list: asked.token.is_some(),
            paged: asked.limit.is_some(),
            watch: is_watch(&seen),
        });
        let what = fault.map(|f| f.what);
        let mut watcher = None;
        let plain = match &what {
            Some(What::Status { code, retry_after }) => {
                let mut plain = Plain::status(*code, "as the test wished", &seen.accept);
                plain.retry_after = *retry_after;
                plain
            }
            what => match Watcher::of(shared, &state, &seen, &asked, what.as_ref()) {
                Some(Ok(open)) => Plain::new(watcher.insert(open).content_type(), Bytes::new()),
                Some(Err(refused)) => refused,
                None => route(&state, &seen, &asked, &sent, what.as_ref()),
            },
        };
        (plain, watcher, what)
    };
    if let Some(What::Slow(by)) = fault {
        tokio::time::sleep(by).await;
    }
    let mut response = Response::builder().status(plain.code).header(header::CONTENT_TYPE, plain.content_type);
    if let Some(seconds) = plain.retry_after {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    let body: Body = match fault {
        Some(What::Answer { code, headers, body }) => {
            response = Response::builder().status(code);
            let promised = headers.iter().any(|(name, _)| *name == "content-length");
            for (name, value) in headers {
                response = response.header(name, value);
            }
            // A length of its own may be a wrong one.
            if promised { cut_after(body) } else { whole(body) }
        }
        Some(What::Endless { content_type, begin, piece, every }) => {
            response = Response::builder().header(header::CONTENT_TYPE, content_type);
            let pieces = stream::unfold((), move |()| {
                let piece = piece.clone();
                async move {
                    // Also without a pause others get their turn.
                    tokio::time::sleep(every).await;
                    tokio::task::yield_now().await;
                    Some((Ok(Frame::data(piece)), ()))
                }
            });
            StreamBody::new(stream::iter([Ok(Frame::data(begin))]).chain(pieces)).boxed_unsync()
        }
        Some(What::Http10Cut(bytes)) => {
            response = response.version(Version::HTTP_10);
            let length = if bytes < 0 { plain.body.len().saturating_add_signed(bytes) } else { bytes.unsigned_abs() };
            let sent = plain.body.slice(..length.min(plain.body.len()));
            StreamBody::new(stream::iter([Ok(Frame::data(sent))])).boxed_unsync()
        }
        Some(What::Short) => {
            response = response.header(header::CONTENT_LENGTH, plain.body.len());
            StreamBody::new(stream::iter([Ok(Frame::data(plain.body.slice(..plain.body.len() / 2)))])).boxed_unsync()
        }
        Some(What::Cut) => cut_after(plain.body.slice(..plain.body.len() * 2 / 3)),
        Some(What::Malformed) => {
            // Well begun, and nonsense from the middle on.
            let mut bytes = plain.body.to_vec();
            let middle = bytes.len() / 2;
            bytes.iter_mut().skip(middle).for_each(|b| *b = 0xff);
            whole(bytes.into())
        }
        _ => watcher.map_or_else(|| whole(plain.body), Watcher::body),
    };
    Ok(response.body(body).expect("valid headers"))
}

/// This much, and then the connection goes.
fn cut_after(sent: Bytes) -> Body {
    // The client has it in its hands when the connection goes.
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        Err(std::io::Error::other("cut as the test wished"))
    };
    StreamBody::new(stream::iter([Ok(Frame::data(sent))]).chain(stream::once(late))).boxed_unsync()
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The parts of a resource request.
fn route(state: &State, seen: &Seen, asked: &Asked, sent: &[u8], fault: Option<&What>) -> Plain {
    let parts: Vec<&str> = seen.path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["healthz" | "readyz" | "livez"] => Plain::new("text/plain", Bytes::from_static(b"ok")),
        ["version"] => Plain::json(&json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0-fake"})),
        ["openapi", "v3"] => Plain::json(&openapi_index(state)),
        ["openapi", "v3", "api", version] => openapi(state, "", version),
        ["openapi", "v3", "apis", group, version] => openapi(state, group, version),
        ["api"] => discovery(state, seen, true),
        ["apis"] => discovery(state, seen, false),
        ["api", version] => old_version(state, "", version),
        ["apis", group, version] => old_version(state, group, version),
        ["apis", "authorization.k8s.io", "v1", "selfsubjectrulesreviews"] => review(state, sent),
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => access(state, sent),
        ["apis", "apiextensions.k8s.io", "v1", plural @ "customresourcedefinitions"] => {
            if !state.may_list(&format!("{plural}.apiextensions.k8s.io"), None) {
                Plain::status(403, "customresourcedefinitions.apiextensions.k8s.io is forbidden", &seen.accept)
            } else if seen.accept.starts_with(PROTOBUF) {
                Plain::new(PROTOBUF, wire::definitions_protobuf(&state.types))
            } else {
                Plain::json(&wire::definitions_json(&state.types))
            }
        }
        _ => match &asked.ty {
            Some(ty) if asked.name.is_some() => object(state, seen, asked, ty),
            Some(ty) => list(state, seen, asked, ty, fault),
            None => Plain::status(404, "the server could not find the requested resource", &seen.accept),
        },
    }
}

fn object(state: &State, seen: &Seen, asked: &Asked, ty: &ResourceType) -> Plain {
    let name = asked.name.clone().unwrap_or_default();
    if !state.may_list(&ty.name(), asked.namespace.as_deref()) {
        return forbidden(ty, "list", seen);
    }
    let key = (ty.name(), asked.namespace.clone().unwrap_or_default(), name);
    let encoding = state.encodings.get(&key.0).copied().unwrap_or_default();
    match state.objects.get(&key) {
        Some(_) if encoding == Encoding::OnlyPlainJson && seen.accept != JSON => {
            Plain::status(406, "only application/json is served", JSON)
        }
        Some(object) if encoding == Encoding::Any && seen.accept.contains("as=Table") => {
            let page = std::slice::from_ref(object);
            Plain::new(wire::TABLE, wire::table_json(page, state.resource_version, None))
        }
        Some(object) => Plain::json(&wire::whole_json(ty, object)),
        None => Plain::status(404, "not found", &seen.accept),
    }
}

fn list(state: &State, seen: &Seen, asked: &Asked, ty: &ResourceType, fault: Option<&What>) -> Plain {
    let name = ty.name();
    if !state.may_list(&name, asked.namespace.as_deref()) {
        return forbidden(ty, "list", seen);
    }
    let encoding = state.encodings.get(&name).copied().unwrap_or_default();
    if encoding == Encoding::OnlyPlainJson && seen.accept != JSON {
        return Plain::status(406, "only application/json is served", JSON);
    }
    let (mut page, mut token) = state.page(&name, asked.namespace.as_deref(), asked.limit, asked.token.as_deref());
    match fault {
        Some(What::Token(again)) => token = Some(again.clone()),
        Some(What::Tokens) => token = Some(format!("made:{}", state.seen.len())),
        Some(What::Also(object)) => page.push((**object).clone()),
        _ => {}
    }
    let (version, token) = (state.resource_version, token.as_deref());
    let whole = || Plain::new(JSON, wire::list_json(ty, &page, version, token, true));
    match encoding {
        Encoding::Any if seen.accept.starts_with(PROTOBUF) && seen.accept.contains("as=PartialObjectMetadataList") => {
            Plain::new(PROTOBUF, wire::metadata_list_protobuf(&page, version, token))
        }
        Encoding::Any if seen.accept.contains("as=Table") => {
            Plain::new(wire::TABLE, wire::table_json(&page, version, token))
        }
        Encoding::Any | Encoding::MetadataJson if seen.accept.contains("as=PartialObjectMetadataList") => {
            let body = wire::list_json(ty, &page, version, token, false);
            Plain::new("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", body)
        }
        _ => whole(),
    }
}

fn discovery(state: &State, seen: &Seen, core: bool) -> Plain {
    let wants = |form: &str| seen.accept.contains(&format!("g=apidiscovery.k8s.io;v={form};"));
    let form = match state.form {
        DiscoveryForm::V2 if wants("v2") => "v2",
        DiscoveryForm::V2 | DiscoveryForm::V2Beta1 if wants("v2beta1") => "v2beta1",
        _ => {
            return if core { Plain::json(&json!({"kind": "APIVersions", "versions": ["v1"]})) } else { groups(state) };
        }
    };
    let items: Vec<Value> = versions(state, core)
        .into_iter()
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .into_iter()
                .map(|version| {
                    let stale = state.stale.get(&(group.clone(), version.clone()));
                    let shown = stale.copied().unwrap_or(true);
                    let resources: Vec<Value> =
                        types_of(state, &group, &version).filter(|_| shown).map(aggregated).collect();
                    let freshness = if stale.is_some() { "Stale" } else { "Current" };
                    json!({"version": version, "freshness": freshness, "resources": resources})
                })
                .collect();
            let metadata = if core { json!({"creationTimestamp": null}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let body = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{form}"),
        "metadata": {},
        "items": items,
    });
    let content_type = format!("application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList");
    Plain::new(&content_type, body.to_string().into())
}

fn aggregated(ty: &ResourceType) -> Value {
    json!({
        "resource": ty.plural,
        "responseKind": {"group": ty.group, "version": ty.version, "kind": ty.kind},
        "scope": if ty.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": ty.singular,
        "verbs": ty.verbs,
        "shortNames": ty.short_names,
        "categories": ty.categories,
        "subresources": [{"subresource": "status", "responseKind": {"kind": ty.kind}, "verbs": ["get"]}],
    })
}

fn groups(state: &State) -> Plain {
    let groups: Vec<Value> = versions(state, false)
        .into_iter()
        .map(|(group, versions)| {
            let named = |v: &String| json!({"groupVersion": format!("{group}/{v}"), "version": v});
            let all: Vec<Value> = versions.iter().map(named).collect();
            json!({"name": group, "versions": all, "preferredVersion": all.first()})
        })
        .collect();
    Plain::json(&json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
}

fn old_version(state: &State, group: &str, version: &str) -> Plain {
    if state.stale.contains_key(&(group.to_owned(), version.to_owned())) {
        return Plain::status(503, "service unavailable", JSON);
    }
    let resource = |ty: &ResourceType, name: String| {
        json!({
            "name": name,
            "singularName": ty.singular,
            "namespaced": ty.namespaced,
            "kind": ty.kind,
            "verbs": ty.verbs,
            "shortNames": ty.short_names,
            "categories": ty.categories,
        })
    };
    let resources: Vec<Value> = types_of(state, group, version)
        .flat_map(|ty| [resource(ty, ty.plural.clone()), resource(ty, format!("{}/status", ty.plural))])
        .collect();
    if resources.is_empty() {
        return Plain::status(404, "not found", JSON);
    }
    Plain::json(
        &json!({"kind": "APIResourceList", "groupVersion": format!("{group}/{version}"), "resources": resources}),
    )
}

/// Every version of every group with the address of its document; the hash changes with its types' descriptions.
fn openapi_index(state: &State) -> Value {
    let mut paths = serde_json::Map::new();
    for core in [true, false] {
        for (group, versions) in versions(state, core) {
            for version in versions {
                let path = if core { format!("api/{version}") } else { format!("apis/{group}/{version}") };
                let hash: usize = types_of(state, &group, &version)
                    .flat_map(|ty| ty.kind.bytes().chain(ty.description.bytes()))
                    .fold(7, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
                let url = format!("/openapi/v3/{path}?hash={hash:X}");
                paths.insert(path, json!({"serverRelativeURL": url}));
            }
        }
    }
    json!({"paths": paths})
}

fn openapi(state: &State, group: &str, version: &str) -> Plain {
    let mut schemas = serde_json::Map::new();
    for ty in types_of(state, group, version) {
        let name = format!("example.{}.{}", ty.version, ty.kind);
        let spec = format!("{name}Spec");
        let reference =
            json!({"allOf": [{"$ref": format!("#/components/schemas/{spec}")}], "description": wire::NEVER_READ});
        schemas.insert(
            name,
            json!({
                "description": ty.description,
                "type": "object",
                "properties": {"metadata": {"description": wire::NEVER_READ}, "spec": reference, "status": {"description": wire::NEVER_READ}},
                "x-kubernetes-group-version-kind": [{"group": ty.group, "version": ty.version, "kind": ty.kind}],
            }),
        );
        schemas
            .insert(spec, json!({"properties": {"size": {"description": format!("How large the {} is.", ty.kind)}}}));
    }
    if schemas.is_empty() {
        return Plain::status(404, "not found", JSON);
    }
    Plain::json(&json!({"openapi": "3.0.0", "paths": {"/unread": {}}, "components": {"schemas": schemas}}))
}

fn types_of<'a>(state: &'a State, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a ResourceType> {
    state.types.iter().filter(move |t| t.group == group && t.version == version)
}

/// Groups and their versions in the order in which their types were added; stale ones are named even without types.
fn versions(state: &State, core: bool) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let known = state.types.iter().map(|t| (&t.group, &t.version)).chain(state.stale.keys().map(|(g, v)| (g, v)));
    for (group, version) in known.filter(|(group, _)| group.is_empty() == core) {
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, versions)) if versions.contains(version) => {}
            Some((_, versions)) => versions.push(version.clone()),
            None => groups.push((group.clone(), vec![version.clone()])),
        }
    }
    groups
}

fn review(state: &State, sent: &[u8]) -> Plain {
    let asked: Value = serde_json::from_slice(sent).unwrap_or_default();
    let namespace = asked["spec"]["namespace"].as_str().unwrap_or_default();
    let mut rules: Vec<Value> = Vec::new();
    if !state.rules_incomplete {
        if !state.denied && state.grants.is_empty() {
            rules.push(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        }
        for (_, type_name) in state.grants.iter().filter(|(n, _)| n == "*" || n == namespace) {
            let (plural, group) =
                type_name.split_once('.').unwrap_or((type_name, if type_name == "*" { "*" } else { "" }));
            rules.push(json!({"verbs": ["get", "list"], "apiGroups": [group], "resources": [plural]}));
        }
        let named = json!({"verbs": ["list"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["only-this"]});
        rules.push(named);
    }
    let status = json!({"resourceRules": rules, "nonResourceRules": [], "incomplete": state.rules_incomplete});
    let mut plain = Plain::json(&json!({
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {},
        "status": status,
    }));
    plain.code = 201;
    plain
}

/// Only the verb `list` is known here.
fn access(state: &State, sent: &[u8]) -> Plain {
    let asked: Value = serde_json::from_slice(sent).unwrap_or_default();
    let attributes = &asked["spec"]["resourceAttributes"];
    let text = |name: &str| attributes[name].as_str().unwrap_or_default();
    let ty = ResourceType { group: text("group").into(), plural: text("resource").into(), ..ResourceType::default() };
    let allowed = state.may_list(&ty.name(), Some(text("namespace")).filter(|n| !n.is_empty()));
    let mut plain = Plain::json(&json!({
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": asked["spec"],
        "status": {"allowed": allowed},
    }));
    plain.code = 201;
    plain
}
