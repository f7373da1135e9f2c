//! Every rule of reading a live cluster, against an API server that misbehaves as asked.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use clusterlore_cluster::{
    ClusterError, ClusterSource, EventSink, ListScope, LiveOptions, LiveSource, Position, RetryPolicy, SkipReason,
    Skipped, SourceEvent,
};
use clusterlore_core::{Coverage, OwnerReference, ResourceInstance, ResourceType, SourceIdentity};
use clusterlore_testkit::fake::{DiscoveryForm, Encoding, FakeApiServer, Fault, NEVER_READ};
use tokio::sync::mpsc;

fn ty(name: &str, version: &str, kind: &str) -> ResourceType {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    ResourceType {
        plural: plural.into(),
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        namespaced: true,
        ..Default::default()
    }
}

fn pods() -> ResourceType {
    ty("pods", "v1", "Pod")
}

fn pod(namespace: &str, name: &str) -> ResourceInstance {
    ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap()
}

/// A server with seven pods in two namespaces.
async fn seven_pods() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(pods());
    for n in 0..5 {
        server.put(pod("a", &format!("p{n}")));
    }
    server.put(pod("b", "p5")).put(pod("b", "p6"));
    server
}

fn options(server: &FakeApiServer) -> LiveOptions {
    LiveOptions {
        kubeconfig: Some(server.kubeconfig().to_owned()),
        page_size: 2,
        request_timeout: Duration::from_secs(5),
        retry: RetryPolicy { base: Duration::from_millis(2), ..RetryPolicy::default() },
        ..LiveOptions::default()
    }
}

async fn source(server: &FakeApiServer) -> LiveSource {
    LiveSource::connect(options(server)).await.unwrap()
}

/// How a list ended, whether or not it came to its end.
#[derive(Debug, Default, PartialEq)]
struct Listing {
    coverage: Coverage,
    skipped: Option<Skipped>,
}

/// What a reader of the pages holds at the end.
#[derive(Debug, Default)]
struct Read {
    objects: BTreeMap<String, ResourceInstance>,
    pages: usize,
    restarts: Vec<Option<String>>,
    positions: Vec<Position>,
    unnamed: bool,
}

impl Read {
    fn ids(&self) -> Vec<&str> {
        self.objects.keys().map(String::as_str).collect()
    }

    fn has_all_seven(&self) -> bool {
        (0..7).all(|n| self.objects.contains_key(&format!("{}/v1/Pod/p{n}", if n < 5 { "a" } else { "b" })))
            && self.objects.len() == 7
    }
}

async fn list(source: &LiveSource, ty: &ResourceType, scope: &ListScope) -> (Result<Listing, ClusterError>, Read) {
    let (sender, mut events) = mpsc::channel(1);
    let sink = EventSink { type_index: 3, sender };
    let collect = async {
        let (mut read, mut listing, mut begun) = (Read::default(), None, false);
        while let Some((index, event)) = events.recv().await {
            assert_eq!(index, 3);
            assert!(listing.is_none(), "more after the end: {event:?}");
            match event {
                SourceEvent::Begin { namespace } => {
                    read.objects.retain(|_, o| namespace.as_ref().is_some_and(|n| &o.namespace != n));
                    // The first is no restart.
                    if std::mem::replace(&mut begun, true) {
                        read.restarts.push(namespace);
                    }
                }
                SourceEvent::Page(page) => {
                    assert!(begun);
                    read.pages += 1;
                    read.objects.extend(page.into_iter().map(|o| (o.id.clone(), o)));
                }
                SourceEvent::Done(end) => {
                    (read.positions, read.unnamed) = (end.positions, end.unnamed);
                    listing = Some(Listing { coverage: end.coverage, skipped: end.skipped });
                }
                SourceEvent::Failed(skipped) => {
                    listing = Some(Listing { skipped: Some(skipped), ..Listing::default() })
                }
                other => panic!("{other:?}"),
            }
        }
        (read, listing)
    };
    let work = async move {
        let end = source.list(ty, scope, &sink).await;
        drop(sink);
        end
    };
    let (end, (read, listing)) = tokio::join!(work, collect);
    (end.map(|()| listing.unwrap()), read)
}

async fn list_pods(server: &FakeApiServer) -> (Listing, Read) {
    let (listing, read) = list(&source(server).await, &pods(), &ListScope::All).await;
    (listing.unwrap(), read)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

/// These namespaces, of all that there are.
fn namespaces_among(names: &[&str], existing: &[&str]) -> Coverage {
    Coverage::Namespaces { listed: set(names), existing: Some(Arc::new(set(existing))) }
}

/// These namespaces; whether there are others is not known.
fn namespaces(names: &[&str]) -> Coverage {
    Coverage::of_namespaces(set(names))
}

fn complete() -> Listing {
    Listing { coverage: Coverage::All, skipped: None }
}

fn skipped(listing: &Listing) -> (SkipReason, &str) {
    let skipped = listing.skipped.as_ref().expect("skipped");
    (skipped.reason, &skipped.message)
}

#[tokio::test]
async fn every_field_that_is_kept_arrives_in_every_form_and_nothing_else() {
    let server = FakeApiServer::start().await;
    server.add_type(pods());
    let mut rich = pod("a", "p");
    rich.labels = [("app", "web"), ("tier", "")].map(|(k, v)| (k.into(), v.into())).into();
    rich.annotations = [("example.org/description", "Serves\nthe shop")].map(|(k, v)| (k.into(), v.into())).into();
    rich.created_at = "2024-02-29T23:59:58Z".into();
    rich.uid = "u-1".into();
    rich.resource_version = "77".into();
    rich.owner = Some(OwnerReference {
        api_version: "apps/v1".into(),
        kind: "ReplicaSet".into(),
        name: "web-1".into(),
        uid: "u-2".into(),
    });
    server.put(rich.clone());
    for encoding in [Encoding::Any, Encoding::MetadataJson, Encoding::WholeJson, Encoding::OnlyPlainJson] {
        server.encoding("pods", encoding);
        let (listing, read) = list_pods(&server).await;
        assert_eq!(listing, complete(), "{encoding:?}");
        assert_eq!(read.objects.values().collect::<Vec<_>>(), [&rich], "{encoding:?}");
        assert!(!format!("{read:?}").contains(NEVER_READ));
    }
}

#[tokio::test]
async fn metadata_in_protobuf_is_asked_for_first_and_without_compression_on_loopback() {
    let server = seven_pods().await;
    list_pods(&server).await;
    let seen = server.requests().into_iter().find(|r| r.path == "/api/v1/pods").unwrap();
    assert_eq!(
        seen.accept,
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
         application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    );
    assert_eq!(seen.query, "limit=2");
    assert_eq!(seen.authorization, "", "as with kubectl, no token goes over plain HTTP");
    assert_eq!(seen.accept_encoding, "");
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let server = seven_pods().await;
    let (listing, read) = list_pods(&server).await;
    assert_eq!(listing, complete());
    assert!(read.has_all_seven());
    assert_eq!((read.pages, server.count("/api/v1/pods")), (4, 4));
}

#[tokio::test]
async fn the_406_of_one_page_is_not_asked_for_again_on_the_next() {
    let server = seven_pods().await;
    server.encoding("pods", Encoding::OnlyPlainJson);
    let (listing, read) = list_pods(&server).await;
    assert!(listing == complete() && read.has_all_seven());
    assert_eq!(server.count("/api/v1/pods"), 5);
}

#[tokio::test]
async fn a_slow_reader_holds_the_server_back_to_one_page_ahead() {
    let server = seven_pods().await;
    let source = source(&server).await;
    let (sender, mut events) = mpsc::channel(1);
    let reading =
        tokio::spawn(async move { source.list(&pods(), &ListScope::All, &EventSink { type_index: 0, sender }).await });
    assert_eq!(events.recv().await.unwrap().1, SourceEvent::Begin { namespace: None });
    tokio::time::sleep(Duration::from_millis(200)).await;
    // One page waits in the channel, one at its door, one is fetched ahead.
    assert_eq!(server.count("/api/v1/pods"), 3);
    let mut last = None;
    while let Some((_, event)) = events.recv().await {
        last = Some(event);
    }
    reading.await.unwrap().unwrap();
    assert!(matches!(last, Some(SourceEvent::Done(end)) if end.coverage == Coverage::All && end.skipped.is_none()));
}

#[tokio::test]
async fn a_list_that_nobody_reads_ends() {
    let server = seven_pods().await;
    let (sender, events) = mpsc::channel(1);
    drop(events);
    let end = source(&server).await.list(&pods(), &ListScope::All, &EventSink { type_index: 0, sender }).await;
    assert!(matches!(end, Err(ClusterError::Stopped)));
}

#[tokio::test]
async fn an_expired_list_starts_again() {
    let server = seven_pods().await;
    server.fault("pods", Fault::expired().from(1).times(1));
    let (listing, read) = list_pods(&server).await;
    assert!(listing == complete() && read.has_all_seven());
    assert_eq!(read.restarts, [None]);
}

#[tokio::test]
async fn a_list_that_expires_twice_is_read_unpaged() {
    let server = seven_pods().await;
    server.fault("pods", Fault::expired());
    let (listing, read) = list_pods(&server).await;
    assert!(listing == complete() && read.has_all_seven());
    assert_eq!(read.restarts, [None, None]);
    let last = server.requests().into_iter().rfind(|r| r.path == "/api/v1/pods").unwrap();
    assert_eq!(last.query, "", "consistent, and without limit");
    assert_eq!(read.pages, 1 + 1 + 4, "one answer is still handed on in pages");
}

#[tokio::test]
async fn passing_troubles_are_retried_from_the_same_page() {
    let slow = Fault::slow(Duration::from_secs(2));
    for fault in [Fault::status(500), Fault::status(503), Fault::status(504), Fault::cut(), slow] {
        for mid_list in [false, true] {
            let server = seven_pods().await;
            let fault = fault.clone().times(2);
            server.fault("pods", if mid_list { fault.clone().mid_list() } else { fault.clone() });
            let mut options = options(&server);
            options.request_timeout = Duration::from_millis(300);
            let source = LiveSource::connect(options).await.unwrap();
            let (listing, read) = list(&source, &pods(), &ListScope::All).await;
            assert_eq!(listing.unwrap(), complete(), "{fault:?}");
            assert!(read.has_all_seven() && read.restarts.is_empty(), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_first_page_that_is_read_again_takes_its_own_token() {
    let server = seven_pods().await;
    server.fault("pods", Fault::cut().times(1));
    let mut options = options(&server);
    options.retry.base = Duration::from_millis(400);
    let source = LiveSource::connect(options).await.unwrap();
    let change = async {
        while server.count("/api/v1/pods") == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Moves the end of the first page, after its token was seen and the second page asked for.
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.put(pod("a", "p0-new"));
    };
    let pods = pods();
    let ((listing, read), ()) = tokio::join!(list(&source, &pods, &ListScope::All), change);
    assert_eq!(listing.unwrap(), complete());
    assert_eq!(read.objects.len(), 8, "{:?}", read.ids());
}

#[tokio::test]
async fn what_does_not_pass_is_unavailable_and_never_complete() {
    for (fault, says) in [
        (Fault::status(500), "500 as the test wished"),
        (Fault::cut(), "the connection was cut"),
        (Fault::malformed(), "broken"),
        (Fault::slow(Duration::from_secs(9)), "no answer within 200ms"),
        (Fault::status(422), "422"),
    ] {
        for mid_list in [false, true] {
            let server = seven_pods().await;
            server.fault("pods", if mid_list { fault.clone().mid_list() } else { fault.clone() });
            let mut options = options(&server);
            options.request_timeout = Duration::from_millis(200);
            let source = LiveSource::connect(options).await.unwrap();
            source.discover().await.unwrap();
            let (listing, _) = list(&source, &pods(), &ListScope::All).await;
            let listing = listing.unwrap();
            assert_eq!(listing.coverage, Coverage::Nothing, "{fault:?}");
            let (reason, message) = skipped(&listing);
            assert_eq!(reason, SkipReason::Unavailable);
            assert!(message.contains(says), "{message}");
            assert!(!message.contains(NEVER_READ) && !message.contains('\n'), "{message}");
        }
    }
}

#[tokio::test]
async fn malformed_answers_in_json_are_unavailable_too() {
    for encoding in [Encoding::MetadataJson, Encoding::WholeJson] {
        let server = seven_pods().await;
        server.encoding("pods", encoding).fault("pods", Fault::malformed());
        let (listing, _) = list_pods(&server).await;
        let (reason, message) = skipped(&listing);
        assert!(reason == SkipReason::Unavailable && message.starts_with("broken JSON"), "{message}");
    }
}

#[tokio::test]
async fn tries_are_bounded() {
    let server = seven_pods().await;
    server.fault("pods", Fault::status(503));
    list_pods(&server).await;
    assert_eq!(server.count("/api/v1/pods"), 4);
    server.forget_requests().clear_faults().fault("pods", Fault::throttled(0));
    let (listing, _) = list_pods(&server).await;
    assert_eq!(skipped(&listing).0, SkipReason::Unavailable);
    assert_eq!(server.count("/api/v1/pods"), 11);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let server = seven_pods().await;
    server.fault("pods", Fault::throttled(1).times(1));
    let begun = Instant::now();
    let (listing, read) = list_pods(&server).await;
    assert!(listing == complete() && read.has_all_seven());
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_type_that_is_gone_or_has_no_list_is_not_found() {
    for fault in [Fault::not_found(), Fault::not_allowed()] {
        let server = seven_pods().await;
        server.fault("pods", fault);
        let (listing, read) = list_pods(&server).await;
        assert_eq!((listing.coverage.clone(), skipped(&listing).0), (Coverage::Nothing, SkipReason::NotFound));
        assert!(read.objects.is_empty());
        assert_eq!(server.count("/api/v1/pods"), 1, "no is no");
    }
}

#[tokio::test]
async fn refused_credentials_are_read_again_once() {
    let server = seven_pods().await;
    let source = source(&server).await;
    let renewed = std::fs::read_to_string(server.kubeconfig()).unwrap().replace("http://", "http://new:word@");
    std::fs::write(server.kubeconfig(), renewed).unwrap();
    server.fault("*", Fault::unauthorized().times(1));
    let (listing, read) = list(&source, &pods(), &ListScope::All).await;
    assert!(listing.unwrap() == complete() && read.has_all_seven());
    let asked_as: Vec<_> = server.requests().into_iter().map(|r| r.authorization).collect();
    assert_eq!(asked_as[..2], ["", "Basic bmV3OndvcmQ="]);
    // What can no longer be read is used as it was: a kubeconfig may have come through a pipe.
    std::fs::write(server.kubeconfig(), "").unwrap();
    server.fault("*", Fault::unauthorized().times(1));
    assert!(list(&source, &pods(), &ListScope::All).await.0.unwrap() == complete());

    server.fault("*", Fault::unauthorized());
    let (listing, _) = list(&source, &pods(), &ListScope::All).await;
    let message = listing.unwrap_err().to_string();
    assert!(message.contains("refused the credentials (401), even after reading them again"), "{message}");
    assert!(matches!(source.discover().await, Err(ClusterError::Unauthorized { .. })));
    assert!(matches!(source.identity().await, Err(ClusterError::Unauthorized { .. })));
}

#[tokio::test]
async fn a_forbidden_type_is_read_where_the_caller_may() {
    let server = seven_pods().await;
    server.put(pod("c", "p7"));
    server.grant("*", "namespaces").grant("b", "pods");
    let source = source(&server).await;
    let (listing, read) = list(&source, &pods(), &ListScope::All).await;
    let listing = listing.unwrap();
    assert_eq!(read.ids(), ["b/v1/Pod/p5", "b/v1/Pod/p6"]);
    assert_eq!(listing.coverage, namespaces_among(&["b"], &["a", "b", "c", "default", "kube-system"]));
    assert_eq!(skipped(&listing), (SkipReason::Forbidden, "forbidden in namespaces a, c, default, kube-system"));
    assert_eq!(server.count("/api/v1/namespaces/a/pods"), 0, "not tried where the rules say no");

    let jobs = ty("jobs.batch", "v1", "Job");
    server.add_type(jobs.clone());
    list(&source, &jobs, &ListScope::All).await.0.unwrap();
    let reviews = server.count("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews");
    assert_eq!(reviews, 5, "one for each namespace, however many types");
    let first_pages = server.requests().into_iter().filter(|r| r.path == "/api/v1/namespaces" && r.query == "limit=2");
    assert_eq!(first_pages.count(), 1);
}

#[tokio::test]
async fn all_namespaces_allowed_one_by_one_leave_nothing_skipped() {
    let server = seven_pods().await;
    server.grant("*", "namespaces");
    for namespace in ["a", "b", "default", "kube-system"] {
        server.grant(namespace, "*");
    }
    let (listing, read) = list_pods(&server).await;
    assert!(read.has_all_seven());
    assert_eq!(
        listing,
        Listing {
            coverage: namespaces_among(&["a", "b", "default", "kube-system"], &["a", "b", "default", "kube-system"]),
            skipped: None
        }
    );
}

#[tokio::test]
async fn incomplete_rules_are_worth_a_try() {
    let server = seven_pods().await;
    server.grant("*", "namespaces").grant("a", "pods").rules_incomplete(true);
    let (listing, read) = list_pods(&server).await;
    assert_eq!(read.objects.len(), 5);
    assert_eq!(listing.coverage, namespaces_among(&["a"], &["a", "b", "default", "kube-system"]));
    assert_eq!(skipped(&listing), (SkipReason::Forbidden, "forbidden in namespaces b, default, kube-system"));
}

#[tokio::test]
async fn rules_that_cannot_be_reviewed_are_too() {
    let server = seven_pods().await;
    server.grant("b", "pods").fault("/apis/authorization.k8s.io", Fault::status(403));
    let scope = ListScope::Namespaces(vec!["b".into()]);
    let (listing, read) = list(&source(&server).await, &pods(), &scope).await;
    assert_eq!(listing.unwrap(), Listing { coverage: namespaces(&["b"]), skipped: None });
    assert_eq!((read.objects.len(), read.unnamed), (2, false));
}

#[tokio::test]
async fn without_the_right_to_list_namespaces_the_contexts_own_is_read() {
    let server = seven_pods().await;
    server.put(pod("default", "mine")).grant("default", "pods");
    let (listing, read) = list_pods(&server).await;
    assert_eq!((read.ids(), read.unnamed), (vec!["default/v1/Pod/mine"], true));
    assert_eq!(listing.coverage, namespaces(&["default"]));
    let (reason, message) = skipped(&listing);
    assert_eq!(reason, SkipReason::Forbidden);
    assert_eq!(message, "namespaces may not be listed: only the context's namespace default was read");
}

#[tokio::test]
async fn namespaces_that_cannot_be_listed_whole_are_read_and_cover_no_others() {
    let server = seven_pods().await;
    server.grant("*", "namespaces").grant("a", "pods").grant("b", "pods").grant("default", "pods");
    // A page of two, and then no other; or none at all.
    for (fault, read, said) in [
        (Fault::status(500).mid_list(), &["a", "b"][..], "only 2 of them were read"),
        (Fault::status(500).paged(), &["default"][..], "only the context's namespace default was read"),
    ] {
        server.fault("namespaces", fault);
        let (listing, _) = list_pods(&server).await;
        assert_eq!(listing.coverage, namespaces(read));
        let (reason, message) = skipped(&listing);
        assert_eq!(reason, SkipReason::Unavailable, "no lack of permission");
        assert!(message.contains(said) && message.contains("500 as the test wished"), "{message}");
        server.clear_faults();
    }
}

#[tokio::test]
async fn a_permission_that_goes_in_mid_list_starts_the_list_again() {
    let server = seven_pods().await;
    server.fault("pods", Fault::forbidden().cluster_wide().mid_list());
    let (listing, read) = list_pods(&server).await;
    assert_eq!(read.restarts, [None]);
    assert!(read.has_all_seven());
    assert_eq!(
        listing.coverage,
        namespaces_among(&["a", "b", "default", "kube-system"], &["a", "b", "default", "kube-system"])
    );
}

#[tokio::test]
async fn a_forbidden_cluster_scoped_type_is_skipped() {
    let server = FakeApiServer::start().await;
    let nodes = ResourceType { namespaced: false, ..ty("nodes", "v1", "Node") };
    server.add_type(nodes.clone()).deny_by_default();
    let (listing, _) = list(&source(&server).await, &nodes, &ListScope::All).await;
    let listing = listing.unwrap();
    assert_eq!((listing.coverage.clone(), skipped(&listing).0), (Coverage::Nothing, SkipReason::Forbidden));
    assert!(skipped(&listing).1.contains("cannot list resource \"nodes\""));
}

#[tokio::test]
async fn named_namespaces_are_read_alone() {
    let server = seven_pods().await;
    let source = source(&server).await;
    let scope = ListScope::Namespaces(vec!["b".into(), "b".into(), "nobody".into()]);
    let (listing, read) = list(&source, &pods(), &scope).await;
    assert_eq!(listing.unwrap(), Listing { coverage: namespaces(&["b", "nobody"]), skipped: None });
    assert_eq!(read.ids(), ["b/v1/Pod/p5", "b/v1/Pod/p6"]);
    assert_eq!(server.count("/api/v1/pods"), 0);

    let nodes = ResourceType { namespaced: false, ..ty("nodes", "v1", "Node") };
    assert_eq!(list(&source, &nodes, &scope).await.0.unwrap(), Listing::default());
    assert_eq!(server.count("/api/v1/nodes"), 0);
}

#[tokio::test]
async fn a_namespace_that_fails_leaves_the_others_complete() {
    let server = seven_pods().await;
    server.fault("pods", Fault::status(500).in_namespace("a").mid_list());
    let scope = ListScope::Namespaces(vec!["a".into(), "b".into()]);
    let (listing, _) = list(&source(&server).await, &pods(), &scope).await;
    let listing = listing.unwrap();
    assert_eq!(listing.coverage, namespaces(&["b"]));
    assert_eq!(skipped(&listing), (SkipReason::Unavailable, "namespace a: 500 as the test wished"));
}

#[tokio::test]
async fn an_expired_namespace_starts_again_alone() {
    let server = seven_pods().await;
    server.fault("pods", Fault::expired().in_namespace("a").times(1));
    let scope = ListScope::Namespaces(vec!["a".into(), "b".into()]);
    let (listing, read) = list(&source(&server).await, &pods(), &scope).await;
    assert_eq!(listing.unwrap().coverage, namespaces(&["a", "b"]));
    assert_eq!(read.restarts, [Some("a".to_owned())]);
    assert!(read.has_all_seven());
}

fn certificates(version: &str) -> ResourceType {
    ResourceType {
        short_names: vec!["cert".into()],
        categories: vec!["cert-manager".into()],
        singular: "certificate".into(),
        description: format!("A certificate of {version}."),
        ..ty("certificates.cert-manager.io", version, "Certificate")
    }
}

#[tokio::test]
async fn types_are_found_in_every_form_of_discovery_at_their_first_version() {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).add_type(certificates("v1")).add_type(certificates("v1alpha2"));
    server.add_type(ty("orders.cert-manager.io", "v1alpha2", "Order"));
    let mut found = Vec::new();
    for form in [DiscoveryForm::V2, DiscoveryForm::V2Beta1, DiscoveryForm::Old] {
        server.discovery(form).forget_requests();
        let discovery = source(&server).await.discover().await.unwrap();
        assert!(discovery.warnings.is_empty() && discovery.incomplete_groups.is_empty(), "{form:?}");
        found.push(discovery.types);
        let expected = if form == DiscoveryForm::Old { 5 } else { 2 };
        assert_eq!(server.requests().len(), expected, "{form:?}");
    }
    let names: Vec<_> = found[0].iter().map(|t| (t.name(), t.version.as_str())).collect();
    let expected = [
        ("certificates.cert-manager.io", "v1"),
        ("namespaces", "v1"),
        ("orders.cert-manager.io", "v1alpha2"),
        ("pods", "v1"),
    ];
    assert_eq!(names, expected.map(|(n, v)| (n.to_owned(), v)));
    let certificate = &found[0][0];
    assert!(certificate.namespaced && certificate.allows("list") && certificate.answers_to("cert"));
    assert_eq!((certificate.singular.as_str(), certificate.categories[0].as_str()), ("certificate", "cert-manager"));
    assert!(certificate.description.is_empty());
    assert!(found.iter().all(|types| types == &found[0]));
}

#[tokio::test]
async fn a_broken_aggregated_api_is_a_warning() {
    for form in [DiscoveryForm::V2, DiscoveryForm::V2Beta1, DiscoveryForm::Old] {
        let server = FakeApiServer::start().await;
        server.add_type(certificates("v1")).add_type(certificates("v1beta1")).discovery(form);
        server.stale("metrics.example.org", "v1beta1", false).stale("cert-manager.io", "v1", false);
        let discovery = source(&server).await.discover().await.unwrap();
        assert_eq!(
            discovery.incomplete_groups,
            BTreeSet::from(["cert-manager.io", "metrics.example.org"].map(str::to_owned))
        );
        assert!(discovery.is_incomplete("cert-manager.io") && !discovery.is_incomplete(""));
        let warnings: Vec<String> = discovery.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 2);
        assert!(
            warnings.iter().any(|w| w.starts_with("the API metrics.example.org/v1beta1 is not available")),
            "{warnings:?}"
        );
        let certificate = discovery.types.iter().find(|t| t.plural == "certificates").unwrap();
        assert_eq!(certificate.version, "v1beta1", "taken where it is not stale");
    }
}

#[tokio::test]
async fn a_type_that_only_a_stale_version_has_is_still_tried() {
    let server = FakeApiServer::start().await;
    server.add_type(certificates("v1")).stale("cert-manager.io", "v1", true);
    let discovery = source(&server).await.discover().await.unwrap();
    assert!(discovery.types.iter().any(|t| t.plural == "certificates"));
    assert!(discovery.is_incomplete("cert-manager.io"));
}

#[tokio::test]
async fn only_the_core_api_must_answer() {
    let server = seven_pods().await;
    server.fault("/apis", Fault::status(500));
    let discovery = source(&server).await.discover().await.unwrap();
    assert_eq!(discovery.types.len(), 2);
    assert!(discovery.is_incomplete("apps") && !discovery.is_incomplete(""));
    server.clear_faults().fault("/api", Fault::status(403));
    let error = source(&server).await.discover().await.unwrap_err().to_string();
    assert!(error.contains("does not give its core API (/api): 403"), "{error}");
}

#[tokio::test]
async fn custom_types_are_described_by_their_definitions() {
    let server = FakeApiServer::start().await;
    server.add_type(certificates("v1")).add_type(certificates("v1alpha2"));
    let source = source(&server).await;
    let mut types = vec![pods(), certificates("v1alpha2"), certificates("v9")];
    types.iter_mut().for_each(|t| t.description.clear());
    assert!(source.describe(&mut types).await.is_empty());
    let descriptions: Vec<_> = types.iter().map(|t| t.description.as_str()).collect();
    assert_eq!(descriptions, ["", "A certificate of v1alpha2.", "A certificate of v1."]);
    let accept = &server.requests()[0].accept;
    assert!(accept.starts_with("application/vnd.kubernetes.protobuf,"), "{accept}");

    server.deny_by_default();
    let warnings = source.describe(&mut types).await;
    assert!(warnings[0].0.contains("403") && warnings[0].0.contains("without descriptions"), "{warnings:?}");
}

#[tokio::test]
async fn the_identity_is_the_uid_of_kube_system_and_the_address() {
    let server = FakeApiServer::start().await;
    let source = source(&server).await;
    let SourceIdentity::Cluster { uid, server: url, ca_hash } = source.identity().await.unwrap().source else {
        panic!()
    };
    assert!(uid.is_some_and(|u| u.starts_with("00000000-")));
    assert_eq!((url, ca_hash.as_str()), (server.url(), ""));
    server.deny_by_default();
    let unread = source.identity().await.unwrap();
    assert!(matches!(unread.source, SourceIdentity::Cluster { uid: None, .. }));
    assert!(unread.unread.unwrap().contains("403"));
}

#[tokio::test]
async fn what_the_caller_may_not_list_is_known_without_listing() {
    let server = seven_pods().await;
    server.grant("*", "pods").grant("a", "jobs.batch");
    let types = [pods(), ty("jobs.batch", "v1", "Job")];
    assert_eq!(source(&server).await.forbidden(&types).await.unwrap(), ["jobs.batch"]);
    assert_eq!(server.count("/api/v1/pods"), 0);
}

#[tokio::test]
async fn a_caller_without_any_right_reads_nothing() {
    let server = seven_pods().await;
    server.deny_by_default();
    let (listing, read) = list_pods(&server).await;
    assert_eq!(listing.coverage, Coverage::Nothing);
    let (reason, message) = skipped(&listing);
    assert_eq!(reason, SkipReason::Forbidden);
    assert!(message.starts_with("forbidden in namespace default; namespaces may not be listed: only"), "{message}");
    assert!(read.objects.is_empty());
}

#[tokio::test]
async fn namespaces_are_listed() {
    let server = seven_pods().await;
    assert_eq!(source(&server).await.namespaces().await.unwrap(), ["a", "b", "default", "kube-system"]);
    server.deny_by_default();
    let error = source(&server).await.namespaces().await.unwrap_err().to_string();
    assert!(error.contains("does not give its namespaces: 403"), "{error}");
}

#[tokio::test]
async fn many_objects_arrive_once_each() {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).generate("pods", 20_000, |n| pod("load", &format!("p{n:06}")));
    let mut options = options(&server);
    options.page_size = 500;
    let (listing, read) = list(&LiveSource::connect(options).await.unwrap(), &pods(), &ListScope::All).await;
    assert_eq!(listing.unwrap(), complete());
    assert_eq!((read.objects.len(), read.pages), (20_000, 40));
}
