//! What happens to objects after they were listed, told by an API server that misbehaves as asked, and by a real one.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use clusterlore_cluster::{
    ClusterError, ClusterSource, EventSink, ListScope, LiveOptions, LiveSource, ObjectName, Position, RetryPolicy,
    SkipReason, SourceEvent, Watch, WatchBounds, Watched,
};
use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::{
    fake::{Encoding, FakeApiServer, Fault, NEVER_READ, hostile, namespaced},
    real::ApiServer,
};
use tokio::{sync::mpsc, time::timeout};

const ENCODINGS: [Encoding; 4] = [Encoding::Any, Encoding::MetadataJson, Encoding::WholeJson, Encoding::OnlyPlainJson];

fn pods() -> ResourceType {
    namespaced("pods", "Pod")
}

fn pod(namespace: &str, name: &str) -> ResourceInstance {
    ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap()
}

fn labelled(namespace: &str, name: &str, label: &str) -> ResourceInstance {
    ResourceInstance { labels: [("app".to_owned(), label.to_owned())].into(), ..pod(namespace, name) }
}

/// A server with one pod in each of two namespaces.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).put(pod("a", "old")).put(pod("b", "old"));
    server
}

async fn source(server: &FakeApiServer) -> LiveSource {
    LiveSource::connect(LiveOptions {
        kubeconfig: Some(server.kubeconfig().to_owned()),
        request_timeout: Duration::from_secs(2),
        retry: RetryPolicy { base: Duration::from_millis(2), ..RetryPolicy::default() },
        ..LiveOptions::default()
    })
    .await
    .unwrap()
}

/// What a list says of where it ended, in each namespace that it was read in.
async fn positions(source: &LiveSource, ty: &ResourceType, scope: &ListScope) -> Vec<Position> {
    let (sender, mut events) = mpsc::channel(16);
    source.list(ty, scope, &EventSink { type_index: 0, sender }).await.unwrap();
    let mut last = None;
    while let Some((_, event)) = events.recv().await {
        last = Some(event);
    }
    let Some(SourceEvent::Done(end)) = last else { panic!("{last:?}") };
    assert_eq!(end.skipped, None);
    end.positions
}

async fn position(source: &LiveSource, ty: &ResourceType) -> Position {
    let [position] = <[Position; 1]>::try_from(positions(source, ty, &ListScope::All).await).unwrap();
    assert_eq!(position.namespace, None);
    position
}

/// A watch from the end of a list on.
async fn watch(source: &LiveSource, bounds: &WatchBounds) -> Watch {
    let position = position(source, &pods()).await;
    source.watch(&pods(), &position, bounds).await.unwrap()
}

fn bounds(timeout: u64, idle: Duration) -> WatchBounds {
    WatchBounds { timeout: Duration::from_secs(timeout), idle }
}

async fn next(watch: &mut Watch) -> Option<Watched> {
    timeout(Duration::from_secs(30), watch.next()).await.expect("the watch says something")
}

async fn changed(watch: &mut Watch) -> ResourceInstance {
    match next(watch).await {
        Some(Watched::Event(SourceEvent::Changed { object, .. })) => *object,
        other => panic!("{other:?}"),
    }
}

async fn gone(watch: &mut Watch) -> (String, String) {
    match next(watch).await {
        Some(Watched::Event(SourceEvent::Gone(ObjectName { namespace, name }))) => (namespace, name),
        other => panic!("{other:?}"),
    }
}

/// How the watch fails; nothing comes after that.
async fn failed(watch: &mut Watch) -> (SkipReason, String) {
    let skipped = match next(watch).await {
        Some(Watched::Event(SourceEvent::Failed(skipped))) => skipped,
        other => panic!("{other:?}"),
    };
    assert_eq!(next(watch).await, None);
    (skipped.reason, skipped.message)
}

#[tokio::test]
async fn what_happens_after_the_list_is_told_in_every_form() {
    for encoding in ENCODINGS {
        let server = server().await;
        server.encoding("pods", encoding).keep_history(100);
        let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
        assert_eq!(watch.position().resource_version, server.resource_version());

        server.put(labelled("a", "new", "web"));
        let object = changed(&mut watch).await;
        assert_eq!((object.id.as_str(), object.labels["app"].as_str()), ("a/v1/Pod/new", "web"), "{encoding:?}");
        assert!(!format!("{object:?}").contains(NEVER_READ));
        assert!(!object.uid.is_empty() && object.created_at == "2026-01-02T03:04:05Z");

        server.put(labelled("a", "new", "shop"));
        match next(&mut watch).await {
            Some(Watched::Event(SourceEvent::Changed { object, manager })) => {
                assert_eq!((object.labels["app"].as_str(), manager.as_str()), ("shop", "manager"), "{encoding:?}");
            }
            other => panic!("{other:?}"),
        }

        server.remove("b/v1/Pod/old");
        assert_eq!(gone(&mut watch).await, ("b".to_owned(), "old".to_owned()), "{encoding:?}");
        assert_eq!(watch.position().resource_version, server.resource_version());

        let seen = server.requests().pop().unwrap();
        for parameter in ["watch=true", "allowWatchBookmarks=true", "timeoutSeconds=300", "resourceVersion="] {
            assert!(seen.query.contains(parameter), "{}", seen.query);
        }
        assert!(!seen.accept.contains("List"), "{}", seen.accept);
    }
}

#[tokio::test]
async fn lists_say_from_where_to_watch_and_a_namespace_is_watched_alone() {
    let server = server().await;
    let source = source(&server).await;
    let scope = ListScope::Namespaces(vec!["a".into(), "b".into()]);
    let mut positions = positions(&source, &pods(), &scope).await;
    positions.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    let version = server.resource_version();
    let at = |namespace: &str| Position { namespace: Some(namespace.to_owned()), resource_version: version.clone() };
    assert_eq!(positions, [at("a"), at("b")]);

    let mut watch = source.watch(&pods(), &positions[1], &WatchBounds::default()).await.unwrap();
    server.put(pod("a", "other")).put(pod("b", "mine"));
    assert_eq!(changed(&mut watch).await.id, "b/v1/Pod/mine");
    assert_eq!(watch.position().namespace.as_deref(), Some("b"));
    assert_eq!(server.requests().pop().unwrap().path, "/api/v1/namespaces/b/pods");
}

#[tokio::test]
async fn a_bookmark_moves_the_position_though_nothing_happened() {
    for encoding in ENCODINGS {
        let server = server().await;
        server.encoding("pods", encoding).bookmarks_every(Duration::from_millis(50));
        let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
        server.put(ResourceInstance::new("v1", "Namespace", None, "elsewhere").unwrap());
        let Some(Watched::Bookmark(version)) = next(&mut watch).await else { panic!("{encoding:?}") };
        assert_eq!(version, server.resource_version());
        assert_eq!(watch.position().resource_version, version);
    }
}

#[tokio::test]
async fn a_version_that_is_too_old_is_said_to_be() {
    for (encoding, refuse) in [(Encoding::Any, false), (Encoding::Any, true), (Encoding::WholeJson, false)] {
        let server = server().await;
        server.encoding("pods", encoding).refuse_expired(refuse);
        let source = source(&server).await;
        let before = position(&source, &pods()).await;
        server.put(pod("a", "new")).forget_history();
        let mut watch = source.watch(&pods(), &before, &WatchBounds::default()).await.unwrap();
        let (reason, message) = failed(&mut watch).await;
        assert_eq!(reason, SkipReason::Expired, "{message}");
        assert!(message.starts_with("410 too old resource version: "), "{message}");
        // What was listed anew is where it goes on.
        let mut watch =
            source.watch(&pods(), &position(&source, &pods()).await, &WatchBounds::default()).await.unwrap();
        server.put(pod("a", "newer"));
        assert_eq!(changed(&mut watch).await.name, "newer");
    }
}

#[tokio::test]
async fn a_watch_may_expire_while_it_lasts() {
    let server = server().await;
    server.fault("pods", Fault::expires_after(1));
    let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
    server.put(pod("a", "one")).put(pod("a", "two"));
    assert_eq!(changed(&mut watch).await.name, "one");
    assert_eq!(failed(&mut watch).await.0, SkipReason::Expired);
}

#[tokio::test]
async fn after_a_cut_connection_nothing_is_missed() {
    let server = server().await;
    server.fault("pods", Fault::cut_after(2).times(1));
    let source = source(&server).await;
    let mut first = watch(&source, &WatchBounds::default()).await;
    for n in 0..4 {
        server.put(pod("a", &format!("p{n}")));
    }
    assert_eq!(changed(&mut first).await.name, "p0");
    assert_eq!(changed(&mut first).await.name, "p1");
    let (reason, message) = failed(&mut first).await;
    assert!(reason == SkipReason::Unavailable && message.contains("cut"), "{message}");
    let mut second = source.watch(&pods(), &first.position(), &WatchBounds::default()).await.unwrap();
    assert_eq!(changed(&mut second).await.name, "p2");
    assert_eq!(changed(&mut second).await.name, "p3");
}

#[tokio::test]
async fn a_storm_comes_whole_and_in_its_order() {
    for encoding in [Encoding::Any, Encoding::MetadataJson] {
        let server = server().await;
        server.encoding("pods", encoding);
        let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
        server.put_all((0..5_000).map(|n| pod("a", &format!("p{n}"))));
        for n in 0..5_000 {
            assert_eq!(changed(&mut watch).await.name, format!("p{n}"));
        }
    }
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_over() {
    let server = server().await;
    let mut watch = watch(&source(&server).await, &bounds(1, Duration::from_secs(20))).await;
    server.put(pod("a", "new"));
    changed(&mut watch).await;
    assert_eq!(next(&mut watch).await, None);
    assert_eq!(next(&mut watch).await, None);
}

#[tokio::test]
async fn a_watch_of_a_type_that_goes_tells_what_went_with_it() {
    let server = server().await;
    let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
    server.remove_type("pods");
    assert_eq!(gone(&mut watch).await.0, "a");
    assert_eq!(gone(&mut watch).await.0, "b");
    assert_eq!(next(&mut watch).await, None);
}

#[tokio::test]
async fn silence_is_not_waited_out_for_ever() {
    let server = server().await;
    server.fault("pods", Fault::silent());
    let source = source(&server).await;
    let mut idle = watch(&source, &bounds(300, Duration::from_millis(200))).await;
    let (reason, message) = failed(&mut idle).await;
    assert_eq!((reason, message.as_str()), (SkipReason::Unavailable, "nothing was heard of the watch for 200ms"));
    let mut endless = watch(&source, &bounds(1, Duration::from_secs(20))).await;
    assert_eq!(failed(&mut endless).await.1, "the watch was to end after 1s and did not");
}

#[tokio::test]
async fn a_reader_may_stop_waiting_and_ask_again() {
    let server = server().await;
    let mut watch = watch(&source(&server).await, &bounds(300, Duration::from_millis(1500))).await;
    for n in 0..3 {
        assert!(timeout(Duration::from_millis(30), watch.next()).await.is_err());
        server.put(pod("a", &format!("p{n}")));
        assert_eq!(changed(&mut watch).await.name, format!("p{n}"));
    }
    // The time in which nothing is heard goes on, however often it is asked.
    let mut asked = 0;
    let end = loop {
        asked += 1;
        if let Ok(end) = timeout(Duration::from_millis(50), watch.next()).await {
            break end;
        }
        assert!(asked < 100);
    };
    assert!(matches!(end, Some(Watched::Event(SourceEvent::Failed(_)))), "{end:?}");
}

#[tokio::test]
async fn a_watch_that_is_refused_says_why() {
    for (code, reason) in [
        (403, SkipReason::Forbidden),
        (404, SkipReason::NotFound),
        (405, SkipReason::NotFound),
        (410, SkipReason::Expired),
        (429, SkipReason::Unavailable),
        (500, SkipReason::Unavailable),
    ] {
        let server = server().await;
        server.fault("pods", Fault::status(code).watches());
        let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
        let (found, message) = failed(&mut watch).await;
        assert_eq!(found, reason);
        assert!(message.starts_with(&code.to_string()), "{message}");
    }
}

#[tokio::test]
async fn credentials_are_read_again_once() {
    let server = server().await;
    server.fault("pods", Fault::unauthorized().watches().times(1));
    let source = source(&server).await;
    let mut again = watch(&source, &WatchBounds::default()).await;
    server.put(pod("a", "new"));
    assert_eq!(changed(&mut again).await.name, "new");
    server.fault("pods", Fault::unauthorized().watches());
    let end = source.watch(&pods(), &again.position(), &WatchBounds::default()).await;
    assert!(matches!(end.map(|_| ()), Err(ClusterError::Unauthorized { .. })));
}

#[tokio::test]
async fn a_server_that_is_away_is_no_end_of_everything() {
    let server = server().await;
    let source = source(&server).await;
    let from = position(&source, &pods()).await;
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut watch = source.watch(&pods(), &from, &WatchBounds::default()).await.unwrap();
    assert_eq!(failed(&mut watch).await.0, SkipReason::Unavailable);
}

#[tokio::test]
async fn without_a_version_nothing_is_watched() {
    let server = server().await;
    let nowhere = Position::default();
    let mut watch = source(&server).await.watch(&pods(), &nowhere, &WatchBounds::default()).await.unwrap();
    assert_eq!(failed(&mut watch).await.1, "the list gave no resourceVersion to go on from");
    assert_eq!(server.count("/api/v1/pods"), 0);
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_named_unread_and_the_watch_goes_on() {
    for encoding in ENCODINGS {
        let server = server().await;
        server.encoding("pods", encoding);
        let mut watch = watch(&source(&server).await, &WatchBounds::default()).await;
        let large = "x".repeat(5 << 20);
        server.put(ResourceInstance { name: String::new(), ..pod("a", "nameless") });
        server.put(ResourceInstance { annotations: [("description".to_owned(), large)].into(), ..pod("a", "large") });
        server.put(pod("a", "well"));
        for reason in ["metadata.name is missing", "it has more than 4 MiB"] {
            match next(&mut watch).await {
                Some(Watched::Unreadable(why)) => assert!(why.starts_with(reason), "{why}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(changed(&mut watch).await.name, "well", "{encoding:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_does_a_watch_comes_to_an_end_and_invents_nothing() {
    for hostile::Hostile { name, fault } in hostile::behaviours(&pods()) {
        let server = server().await;
        server.fault("pods", fault.watches());
        let source = LiveSource::connect(LiveOptions {
            kubeconfig: Some(server.kubeconfig().to_owned()),
            request_timeout: Duration::from_millis(300),
            ..LiveOptions::default()
        })
        .await
        .unwrap();
        let mut watch = watch(&source, &bounds(1, Duration::from_millis(400))).await;
        match next(&mut watch).await {
            None => {}
            Some(Watched::Event(SourceEvent::Failed(skipped))) => {
                assert_eq!(skipped.reason, SkipReason::Unavailable, "{name}: {}", skipped.message);
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(next(&mut watch).await, None, "{name}");
    }
}

/// What a real server is watched with.
async fn real_source(server: &ApiServer) -> LiveSource {
    let kubeconfig = Some(server.kubeconfig("admin"));
    LiveSource::connect(LiveOptions { kubeconfig, ..LiveOptions::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_tells_of_everything_that_happens_to_an_object() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.kubectl(&["create", "namespace", "shop"]);
    let source = real_source(&server).await;
    let from = position(&source, &pods()).await;
    let mut watch = source.watch(&pods(), &from, &WatchBounds::default()).await.unwrap();

    server.apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, annotations: {description: The shop}}\n\
         spec: {containers: [{name: web, image: example.org/web, env: [{name: SECRET, value: never-read}]}]}",
    );
    let created = changed(&mut watch).await;
    assert_eq!((created.id.as_str(), created.annotations["description"].as_str()), ("shop/v1/Pod/web", "The shop"));
    assert!(!format!("{created:?}").contains("never-read"));
    assert_eq!(created.resource_version, watch.position().resource_version);

    // Times of managers are whole seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    server.kubectl(&["label", "pod", "web", "-n", "shop", "app=web", "--field-manager=release-train"]);
    let Some(Watched::Event(SourceEvent::Changed { object: labelled, manager })) = next(&mut watch).await else {
        panic!("no change");
    };
    let labelled = *labelled;
    assert_eq!(manager, "release-train");
    assert_eq!(labelled.labels["app"], "web");

    // Of a change of its status alone nothing is seen but the version.
    let patch = r#"{"status":{"phase":"Running"}}"#;
    server.kubectl(&["patch", "pod", "web", "-n", "shop", "--subresource=status", "--type=merge", "-p", patch]);
    let running = changed(&mut watch).await;
    assert_ne!(running.resource_version, labelled.resource_version);
    assert_eq!(ResourceInstance { resource_version: labelled.resource_version.clone(), ..running }, labelled);

    server.kubectl(&["delete", "pod", "web", "-n", "shop", "--now", "--wait=false"]);
    let mut end = next(&mut watch).await;
    // Some deletions are first a change: the mark that the object is to go.
    while let Some(Watched::Event(SourceEvent::Changed { .. })) = end {
        end = next(&mut watch).await;
    }
    let web = ObjectName { namespace: "shop".to_owned(), name: "web".to_owned() };
    assert_eq!(end, Some(Watched::Event(SourceEvent::Gone(web))));

    // From the first position everything is told once more.
    let mut again = source.watch(&pods(), &from, &WatchBounds::default()).await.unwrap();
    assert_eq!(changed(&mut again).await, created);
    assert_eq!(changed(&mut again).await, labelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_sends_bookmarks_ends_in_time_and_forgets() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let source = real_source(&server).await;
    for namespace in ["a", "b"] {
        server.kubectl(&["create", "namespace", namespace]);
    }
    let maps = namespaced("configmaps", "ConfigMap");
    let from = Position { namespace: Some("a".to_owned()), ..position(&source, &maps).await };
    let mut watch = source.watch(&maps, &from, &bounds(6, Duration::from_secs(20))).await.unwrap();
    server.kubectl(&["create", "configmap", "elsewhere", "-n", "b"]);
    // A busy server sends more than one in six seconds.
    let mut version = from.resource_version.clone();
    while let Some(told) = next(&mut watch).await {
        let Watched::Bookmark(at) = told else { panic!("{told:?}") };
        version = at;
    }
    assert_ne!(version, from.resource_version);
    assert_eq!(watch.position().resource_version, version);
    server.kubectl(&["create", "configmap", "here", "-n", "a"]);
    let mut watch = source.watch(&maps, &watch.position(), &WatchBounds::default()).await.unwrap();
    assert_eq!(changed(&mut watch).await.name, "here");

    // A type that is served only now has no history before.
    server.apply(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: orders.shop.example}\n\
         spec: {group: shop.example, scope: Namespaced, names: {plural: orders, kind: Order}, versions: [{name: v1, \
         served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}",
    );
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
    let orders = namespaced("orders.shop.example", "Order");
    position(&source, &orders).await;
    let ancient = Position { namespace: None, resource_version: "1".to_owned() };
    let mut watch = source.watch(&orders, &ancient, &WatchBounds::default()).await.unwrap();
    let (reason, message) = failed(&mut watch).await;
    assert!(reason == SkipReason::Expired && message.starts_with("410 too old resource version: 1 ("), "{message}");

    // Its objects are watched like any other.
    let from = position(&source, &orders).await;
    let mut watch = source.watch(&orders, &from, &WatchBounds::default()).await.unwrap();
    server.apply("apiVersion: shop.example/v1\nkind: Order\nmetadata: {name: first, namespace: a}\nspec: {x: 1}");
    assert_eq!(changed(&mut watch).await.id, "a/shop.example/v1/Order/first");
    server.kubectl(&["delete", "orders", "first", "-n", "a"]);
    assert_eq!(gone(&mut watch).await, ("a".to_owned(), "first".to_owned()));
}
