//! What a server that does not mean well can do to the requests that are not lists of instances, and to their bounds.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use clusterlore_cluster::{
    ClusterError, ClusterSource, EventSink, ListEnd, ListScope, LiveOptions, LiveSource, RetryPolicy, SchemaRead,
    SkipReason, SourceEvent,
};
use clusterlore_core::{Coverage, ResourceInstance, ResourceType};
use clusterlore_testkit::fake::{FakeApiServer, Fault, hostile};
use tokio::sync::mpsc;

const JSON: &str = "application/json";

fn pods() -> ResourceType {
    ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..ResourceType::default()
    }
}

fn orders() -> ResourceType {
    ResourceType {
        group: "orders.example".into(),
        kind: "Order".into(),
        plural: "orders".into(),
        description: "An order.".into(),
        ..pods()
    }
}

fn pod(name: &str) -> ResourceInstance {
    ResourceInstance::new("v1", "Pod", Some("default"), name).unwrap()
}

async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).add_type(orders());
    server.put(pod("a")).put(pod("b"));
    server
}

fn options(server: &FakeApiServer) -> LiveOptions {
    LiveOptions {
        kubeconfig: Some(server.kubeconfig().to_owned()),
        request_timeout: Duration::from_millis(500),
        answer_timeout: Duration::from_secs(5),
        answer_bytes: 1 << 20,
        pages: 5,
        retry: RetryPolicy { tries: 2, base: Duration::from_millis(2), ..RetryPolicy::default() },
        ..LiveOptions::default()
    }
}

async fn source(server: &FakeApiServer) -> LiveSource {
    LiveSource::connect(options(server)).await.unwrap()
}

/// Lists pods; each page is taken after this time.
async fn list_pods(source: &LiveSource, slow: Duration) -> (ListEnd, Vec<String>) {
    let (sender, mut events) = mpsc::channel(1);
    let sink = EventSink { type_index: 0, sender };
    let collect = async {
        let (mut end, mut names) = (None, Vec::new());
        while let Some((_, event)) = events.recv().await {
            tokio::time::sleep(slow).await;
            assert!(end.is_none(), "more after the end");
            match event {
                SourceEvent::Begin { .. } => names.clear(),
                SourceEvent::Page(page) => names.extend(page.into_iter().map(|o| o.name)),
                SourceEvent::Done(done) => end = Some(done),
                SourceEvent::Failed(why) => end = Some(ListEnd { skipped: Some(why), ..ListEnd::default() }),
                other => panic!("{other:?}"),
            }
        }
        (end.unwrap(), names)
    };
    let work = async move {
        source.list(&pods(), &ListScope::All, &sink).await.unwrap();
        drop(sink);
    };
    tokio::join!(work, collect).1
}

fn unavailable(listing: &ListEnd) -> &str {
    assert_eq!(listing.coverage, Coverage::Nothing);
    let skipped = listing.skipped.as_ref().unwrap();
    assert_eq!(skipped.reason, SkipReason::Unavailable);
    &skipped.message
}

/// Answers that are not what discovery, OpenAPI or definitions should be.
fn not_what_it_should_be() -> Vec<Fault> {
    let endless = |begin: &'static str, piece: Vec<u8>| Fault::endless(JSON, begin, piece, Duration::ZERO);
    vec![
        Fault::answer(JSON, ""),
        Fault::answer(JSON, "{}"),
        Fault::answer(JSON, "[]"),
        Fault::answer(JSON, r#"{"kind":"Status","apiVersion":"v1","status":"Failure"}"#),
        Fault::answer(JSON, r#"{"kind":"APIGroupDiscoveryList"}"#),
        Fault::answer(JSON, r#"{"kind":"APIGroupList","groups":null}"#),
        Fault::answer("text/html", "<html>"),
        Fault::answer(JSON, "[".repeat(200_000)),
        Fault::answer(JSON, format!("{{\"kind\":\"APIGroupDiscoveryList\",\"items\":{}", "[".repeat(200_000))),
        Fault::cut(),
        Fault::short(),
        Fault::http10_cut(40),
        Fault::malformed(),
        Fault::redirect("http://127.0.0.1:1/"),
        Fault::slow(Duration::from_secs(3600)),
        Fault::status(500),
        endless("{\"kind\":\"", vec![b'x'; 1 << 16]),
        Fault::answer(
            JSON,
            format!("{{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{}{{}}]}}", "{},".repeat(200_000)),
        ),
        endless("{\"a\":", vec![b'['; 1 << 16]),
        endless("", vec![b' '; 1 << 16]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_cannot_be_discovered_are_a_warning_and_say_nothing_of_what_is_gone() {
    for fault in not_what_it_should_be() {
        let server = server().await;
        server.fault("/apis", fault.clone());
        let discovery = source(&server).await.discover().await.unwrap();
        assert_eq!(discovery.types.len(), 2, "{fault:?}");
        assert!(discovery.is_incomplete("orders.example"), "{fault:?}");
        assert!(discovery.warnings.len() == 1 && discovery.warnings[0].0.len() < 600, "{:?}", discovery.warnings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_api_that_cannot_be_discovered_ends_the_run() {
    for fault in not_what_it_should_be() {
        let server = server().await;
        server.fault("/api", fault.clone());
        let began = Instant::now();
        let error = source(&server).await.discover().await.unwrap_err();
        assert!(matches!(error, ClusterError::Refused { .. } | ClusterError::Unreachable { .. }), "{fault:?}: {error}");
        assert!(began.elapsed() < Duration::from_secs(20), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_none_are_not_asked_for() {
    let server = server().await;
    for (group, version, kind, plural) in [
        ("", "v1", "Evil", "pods?watch=true&x="),
        ("", "v1", "Evil", "../../healthz"),
        ("", "v1", "Ev/il", "evils"),
        ("", "v1", "Evil\u{1b}[31m", "evils2"),
        ("evil.example/x", "v1", "Evil", "evils"),
        ("evil.example", "v1/../../../x", "Evil", "evils"),
    ] {
        let ty = ResourceType {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            ..pods()
        };
        server.add_type(ty);
    }
    let discovery = source(&server).await.discover().await.unwrap();
    let names: Vec<String> = discovery.types.iter().map(ResourceType::name).collect();
    assert_eq!(names, ["namespaces", "orders.orders.example", "pods"]);
    assert_eq!(discovery.warnings.len(), 6);
    assert!(discovery.warnings.iter().all(|w| !w.0.contains('\u{1b}')), "{:?}", discovery.warnings);
    assert!(discovery.is_incomplete("") && discovery.is_incomplete("evil.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_and_documents_that_cannot_be_read_are_a_warning_or_a_failure_of_their_types() {
    for fault in not_what_it_should_be().into_iter().chain([Fault::answer(JSON, r#"{"paths":{}}"#)]) {
        let server = server().await;
        let source = source(&server).await;
        source.discover().await.unwrap();
        server.fault("/apis/apiextensions.k8s.io", fault.clone());
        let mut types = [ResourceType { description: String::new(), ..orders() }];
        let warnings = source.describe(&mut types).await;
        assert!(warnings.len() == 1 && warnings[0].0.contains("without descriptions"), "{fault:?}: {warnings:?}");
        server.fault("/openapi", fault.clone());
        let schemas = source.schemas(&[orders()], &Default::default()).await.unwrap();
        let read = schemas.types.get("orders.orders.example");
        let told = matches!(read, Some(SchemaRead::Failed(_))) || (read.is_none() && !schemas.warnings.is_empty());
        assert!(told, "{fault:?}: {schemas:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_that_cannot_be_read_leave_every_namespace_worth_a_try() {
    let rules = |rule: &str| format!(r#"{{"status":{{"resourceRules":[{}{{}}]}}}}"#, rule.repeat(200_000));
    let many = [Fault::answer(JSON, rules("{},")), Fault::answer(JSON, rules(r#"{"verbs":["","","","",""]},"#))];
    for fault in not_what_it_should_be().into_iter().chain(many) {
        let server = server().await;
        server.grant("*", "namespaces").grant("default", "pods");
        server.fault("/apis/authorization.k8s.io", fault.clone());
        let source = source(&server).await;
        source.discover().await.unwrap();
        let (listing, names) = list_pods(&source, Duration::ZERO).await;
        assert_eq!(names.len(), 2, "{fault:?}");
        let Coverage::Namespaces { listed, existing: Some(_) } = listing.coverage else { panic!("{fault:?}") };
        assert_eq!(listed, ["default".to_owned()].into(), "{fault:?}");
        // Where not even this can be asked, nothing is said to be allowed.
        assert_eq!(source.forbidden(&[pods()]).await.unwrap(), ["pods"], "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_elsewhere_is_not_asked_for() {
    let (server, other) = (server().await, FakeApiServer::start().await);
    for url in [format!("{}/openapi/v3/x?hash=1", other.url()), "/api/v1/secrets".to_owned(), "x".repeat(10_000)] {
        server.forget_requests().clear_faults();
        let index = format!(r#"{{"paths":{{"apis/orders.example/v1":{{"serverRelativeURL":"{url}"}}}}}}"#);
        server.fault("/openapi/v3", Fault::answer(JSON, index));
        let schemas = source(&server).await.schemas(&[orders()], &Default::default()).await.unwrap();
        assert!(matches!(schemas.types["orders.orders.example"], SchemaRead::Failed(_)));
        assert_eq!((server.requests().len(), other.requests().len()), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let (server, other) = (server().await, server().await);
    for to in [format!("{}/api/v1/pods", other.url()), "/api/v1/namespaces".to_owned()] {
        server.forget_requests().clear_faults().fault("pods", Fault::redirect(&to));
        let (listing, names) = list_pods(&source(&server).await, Duration::ZERO).await;
        assert_eq!(unavailable(&listing), "302 Found");
        assert_eq!((names.len(), server.requests().len(), other.requests().len()), (0, 1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaged_list_has_a_bound_of_its_own() {
    let server = server().await;
    let object = r#"{"metadata":{"name":"a","namespace":"default"}},"#;
    let begin = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":["#;
    server.fault("pods", Fault::endless(JSON, begin, object.repeat(1_000), Duration::ZERO));
    let (listing, _) = list_pods(&source(&server).await, Duration::ZERO).await;
    assert_eq!(unavailable(&listing), "the answer has more than 1 MiB");
    server.fault("pods", Fault::status(410).times(2));
    let (listing, _) = list_pods(&source(&server).await, Duration::ZERO).await;
    assert_eq!(unavailable(&listing), "the answer has more than 16 MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_comes_again_and_pages_without_end_end_the_list() {
    let server = server().await;
    server.fault("pods", Fault::token("again"));
    let (listing, names) = list_pods(&source(&server).await, Duration::ZERO).await;
    assert_eq!(unavailable(&listing), "the list does not end: a continue token came twice");
    assert!(names.len() >= 2 && server.count("/api/v1/pods") <= 3);
    server.forget_requests().fault("pods", Fault::tokens());
    let (listing, _) = list_pods(&source(&server).await, Duration::ZERO).await;
    assert_eq!(unavailable(&listing), "the list has more than 5 pages");
    assert!(server.count("/api/v1/pods") <= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_drips_has_a_whole_time_and_is_not_asked_for_again() {
    let server = server().await;
    server.fault("pods", Fault::endless(JSON, "{", " ", Duration::from_millis(20)));
    let options = LiveOptions { answer_timeout: Duration::from_secs(1), ..options(&server) };
    let began = Instant::now();
    let (listing, _) = list_pods(&LiveSource::connect(options).await.unwrap(), Duration::ZERO).await;
    assert_eq!(unavailable(&listing), "the answer did not come to its end within 1s");
    assert!(began.elapsed() < Duration::from_secs(3) && server.count("/api/v1/pods") == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_slow_reader_is_not_the_servers() {
    let server = server().await;
    server.generate("pods", 20_000, |n| pod(&format!("pod-{n:05}-with-a-name-that-takes-some-room-on-the-wire")));
    server.fault("pods", Fault::status(410).times(2));
    let options = LiveOptions {
        request_timeout: Duration::from_secs(3),
        answer_timeout: Duration::from_secs(3),
        answer_bytes: 64 << 20,
        page_size: 2_000,
        ..options(&server)
    };
    let began = Instant::now();
    let (listing, names) = list_pods(&LiveSource::connect(options).await.unwrap(), Duration::from_millis(400)).await;
    assert_eq!((listing.skipped, names.len()), (None, 20_002));
    assert!(began.elapsed() > Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_unpacks_to_more_than_it_is_ends_at_the_same_bounds() {
    let server = server().await;
    // Under a name that is no loopback's gzip is asked for.
    let kubeconfig = std::fs::read_to_string(server.kubeconfig()).unwrap().replace("127.0.0.1", "0.0.0.0");
    std::fs::write(server.kubeconfig(), kubeconfig).unwrap();
    let source = LiveSource::connect(options(&server)).await.unwrap();
    let (listing, names) = list_pods(&source, Duration::ZERO).await;
    assert_eq!((listing.skipped, names.len()), (None, 2));
    assert!(server.requests().iter().any(|r| r.accept_encoding.contains("gzip")), "{:?}", server.requests());

    server.fault("pods", hostile::bomb(1 << 30));
    let (listing, _) = list_pods(&source, Duration::ZERO).await;
    assert_eq!(unavailable(&listing), "the answer has more than 1 MiB");
    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    server.fault("/apis", Fault::answers(200, &headers, hostile::packed(b"{\"kind\":\"", 1 << 30)));
    let discovery = source.discover().await.unwrap();
    assert!(discovery.warnings[0].0.contains("more than 16 MiB"), "{:?}", discovery.warnings);
    let cut = hostile::packed(b"{}", 1 << 10);
    server.fault("pods", Fault::answers(200, &headers, cut[..cut.len() - 9].to_vec()));
    unavailable(&list_pods(&source, Duration::ZERO).await.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_counts_whatever_becomes_of_its_text() {
    let server = server().await;
    let text = [("content-type", JSON), ("content-length", "1000000")];
    server.fault("pods", Fault::answers(405, &text, "x"));
    let (listing, _) = list_pods(&source(&server).await, Duration::ZERO).await;
    assert_eq!(listing.skipped.unwrap().reason, SkipReason::NotFound);
}
