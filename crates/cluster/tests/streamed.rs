//! Lists that are streamed as the beginning of a watch, by an API server that misbehaves as asked, and by a real one.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use clusterlore_cluster::{
    ClusterSource, EventSink, ListEnd, ListScope, LiveOptions, LiveSource, RetryPolicy, SourceEvent, WatchBounds,
    Watched,
};
use clusterlore_core::{Coverage, ResourceInstance, ResourceType};
use clusterlore_testkit::fake::{Encoding, FakeApiServer, Fault, NEVER_READ, namespaced};
use clusterlore_testkit::real::{self, ApiServer};
use tokio::sync::mpsc;

const STREAM: &str = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

fn pods() -> ResourceType {
    namespaced("pods", "Pod")
}

fn pod(namespace: &str, name: &str) -> ResourceInstance {
    ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap()
}

/// A server that has streaming lists, and ten pods in each of two namespaces.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).allow_initial_events(true);
    server.put_all((0..10).flat_map(|n| [pod("a", &format!("pod-{n}")), pod("b", &format!("pod-{n}"))]));
    server
}

async fn source(kubeconfig: std::path::PathBuf) -> LiveSource {
    LiveSource::connect(LiveOptions {
        kubeconfig: Some(kubeconfig),
        page_size: 7,
        request_timeout: Duration::from_millis(700),
        retry: RetryPolicy { base: Duration::from_millis(2), ..RetryPolicy::default() },
        ..LiveOptions::default()
    })
    .await
    .unwrap()
}

/// What a list came to: objects by id since it last began, how often it began, and its end.
#[derive(Debug, Default, PartialEq)]
struct Listed {
    objects: BTreeMap<String, ResourceInstance>,
    begun: usize,
    end: Option<ListEnd>,
}

impl Listed {
    fn take(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Begin { namespace: None } => {
                self.objects.clear();
                self.begun += 1;
            }
            SourceEvent::Begin { namespace: Some(namespace) } => {
                self.objects.retain(|_, object| object.namespace != namespace);
                self.begun += 1;
            }
            SourceEvent::Page(page) => {
                assert!(page.len() <= 7, "{} objects at once", page.len());
                self.objects.extend(page.into_iter().map(|object| (object.id.clone(), object)));
            }
            SourceEvent::Gone(gone) => {
                self.objects.retain(|_, object| (&object.namespace, &object.name) != (&gone.namespace, &gone.name));
            }
            SourceEvent::Done(end) => self.end = Some(end),
            other => panic!("{other:?}"),
        }
    }
}

async fn list(source: &LiveSource, ty: &ResourceType, scope: &ListScope, streamed: bool) -> Listed {
    let (sender, mut events) = mpsc::channel(2);
    let sink = EventSink { type_index: 0, sender };
    let listing = async move {
        match streamed {
            true => source.list_to_watch(ty, scope, &sink).await.unwrap(),
            false => source.list(ty, scope, &sink).await.unwrap(),
        }
    };
    let collecting = async {
        let mut listed = Listed::default();
        while let Some((_, event)) = events.recv().await {
            listed.take(event);
        }
        // Namespaces are read at the same time, and end in any order.
        listed.end.iter_mut().for_each(|end| end.positions.sort_by(|a, b| a.namespace.cmp(&b.namespace)));
        listed
    };
    futures::join!(listing, collecting).1
}

/// Requests of a stream, and of pages.
fn requests(server: &FakeApiServer) -> (usize, usize) {
    let seen = server.requests();
    let lists: Vec<_> = seen.iter().filter(|seen| seen.path.ends_with("/pods")).collect();
    let streams = lists.iter().filter(|seen| seen.query.starts_with(STREAM)).count();
    (streams, lists.len() - streams)
}

#[tokio::test]
async fn a_streamed_list_is_the_list_in_every_form_and_a_watch_goes_on_from_it() {
    for encoding in [Encoding::Any, Encoding::MetadataJson, Encoding::WholeJson, Encoding::OnlyPlainJson] {
        let server = server().await;
        server.encoding("pods", encoding);
        let source = source(server.kubeconfig().to_owned()).await;
        let paged = list(&source, &pods(), &ListScope::All, false).await;
        server.forget_requests();
        let streamed = list(&source, &pods(), &ListScope::All, true).await;
        assert_eq!(requests(&server).1, 0, "{encoding:?}");
        assert_eq!((streamed.objects.len(), streamed.begun), (20, 1));
        assert_eq!(streamed, paged, "{encoding:?}");
        assert!(!format!("{streamed:?}").contains(NEVER_READ));
        let end = streamed.end.unwrap();
        assert_eq!((&end.coverage, &end.skipped), (&Coverage::All, &None));

        server.put(pod("a", "later"));
        let mut watch = source.watch(&pods(), &end.positions[0], &WatchBounds::default()).await.unwrap();
        match watch.next().await {
            Some(Watched::Event(SourceEvent::Changed { object, .. })) => assert_eq!(object.name, "later"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_type_without_objects_is_whole_and_namespaces_are_streamed_one_by_one() {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).allow_initial_events(true);
    let source = source(server.kubeconfig().to_owned()).await;
    let none = list(&source, &pods(), &ListScope::All, true).await;
    assert_eq!((none.objects.len(), none.end.unwrap().coverage, requests(&server)), (0, Coverage::All, (1, 0)));

    server.put(pod("a", "one")).put(pod("b", "two")).forget_requests();
    let scope = ListScope::Namespaces(vec!["a".to_owned(), "c".to_owned()]);
    let named = list(&source, &pods(), &scope, true).await;
    assert_eq!((named.objects.len(), requests(&server)), (1, (2, 0)));
    assert_eq!(named, list(&source, &pods(), &scope, false).await);

    // Who may read no more than a namespace is told so by the pages.
    server.grant("*", "namespaces").grant("b", "pods").forget_requests();
    source.renew().await;
    let granted = list(&source, &pods(), &ListScope::All, true).await;
    assert_eq!(granted.objects.keys().collect::<Vec<_>>(), ["b/v1/Pod/two"]);
    assert_eq!(requests(&server), (2, 1));
}

/// What goes wrong with a stream, and whether it is tried again for the next list.
#[tokio::test]
async fn what_is_no_whole_stream_is_read_by_pages_and_nothing_counts_as_gone() {
    type Wrong = fn(&FakeApiServer);
    let wrongs: [(&str, Wrong, bool); 11] = [
        ("refused as where it is no feature", |server| _ = server.allow_initial_events(false), false),
        ("400", |server| _ = server.fault("pods", Fault::status(400).watches()), false),
        ("a bookmark that ends nothing", old_with_bookmarks, false),
        ("no bookmark", |server| _ = server.ignore_initial_events(true), false),
        ("silent", |server| _ = server.fault("pods", Fault::silent()), false),
        ("cut in the middle", |server| _ = server.fault("pods", Fault::cut_after(9)), true),
        ("cut before the bookmark", |server| _ = server.fault("pods", Fault::cut_after(20)), true),
        ("expired in the middle", |server| _ = server.fault("pods", Fault::expires_after(9)), true),
        ("403", |server| _ = server.fault("pods", Fault::forbidden().watches()), true),
        ("500", |server| _ = server.fault("pods", Fault::status(500).watches()), true),
        ("malformed", |server| _ = server.fault("pods", Fault::malformed().watches()), true),
    ];
    for (what, make, again) in wrongs {
        let server = server().await;
        make(&server);
        let source = source(server.kubeconfig().to_owned()).await;
        let paged = list(&source, &pods(), &ListScope::All, false).await;
        for time in 0..2 {
            server.forget_requests();
            let streamed = list(&source, &pods(), &ListScope::All, true).await;
            let tried = usize::from(time == 0 || again);
            assert_eq!((&streamed.objects, &streamed.end), (&paged.objects, &paged.end), "{what}");
            assert_eq!(streamed.objects.len(), 20, "{what}");
            // What came before does not count.
            assert_eq!(streamed.begun, 1 + tried, "{what}");
            assert_eq!(requests(&server), (tried, 3), "{what}, list {time}");
        }
    }
}

fn old_with_bookmarks(server: &FakeApiServer) {
    server.ignore_initial_events(true).bookmarks_every(Duration::from_millis(20));
}

#[tokio::test]
async fn what_goes_while_it_is_streamed_is_gone_and_what_changes_counts_as_it_is_last() {
    let server = server().await;
    let event = |kind: &str, name: &str, version: u8, rest: &str| {
        format!(
            r#"{{"type":"{kind}","object":{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{name}","namespace":"a","resourceVersion":"{version}"{rest}}}}}}}"#
        )
    };
    let bookmark = r#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}"#;
    let body = [
        event("ADDED", "goes", 1, ""),
        event("ADDED", "stays", 2, ""),
        event("DELETED", "goes", 5, ""),
        event("MODIFIED", "stays", 6, r#","labels":{"app":"b"}"#),
        bookmark.to_owned(),
        event("ADDED", "later", 10, ""),
    ];
    server.fault("pods", Fault::answer("application/json", body.concat()).watches());
    let streamed = list(&source(server.kubeconfig().to_owned()).await, &pods(), &ListScope::All, true).await;
    assert_eq!(streamed.objects.keys().collect::<Vec<_>>(), ["a/v1/Pod/stays"]);
    assert_eq!(streamed.objects["a/v1/Pod/stays"].labels["app"], "b");
    assert_eq!((streamed.begun, streamed.end.unwrap().positions[0].resource_version.as_str()), (1, "9"));
}

#[tokio::test]
async fn an_object_that_cannot_be_read_makes_it_no_whole_list() {
    let server = server().await;
    server.put(ResourceInstance { name: "x".repeat(5_000), ..pod("a", "long") });
    let source = source(server.kubeconfig().to_owned()).await;
    let streamed = list(&source, &pods(), &ListScope::All, true).await;
    let end = streamed.end.unwrap();
    assert_eq!((end.coverage, streamed.objects.len(), streamed.begun), (Coverage::Nothing, 20, 2));
    assert!(end.skipped.unwrap().message.starts_with("1 object cannot be read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_streams_its_lists_and_one_that_does_not_is_read_by_pages() {
    for gate in [true, false] {
        let api_server_args = vec![format!("--feature-gates=WatchList={gate}")];
        let options = real::Options { api_server_args, ..real::Options::default() };
        let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
        let maps: String = (0..50)
            .map(|n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{n}, namespace: default}}\n"))
            .collect();
        server.apply(&maps);
        let source = source(server.kubeconfig("admin")).await;
        let maps = namespaced("configmaps", "ConfigMap");
        let streamed = list(&source, &maps, &ListScope::All, true).await;
        let paged = list(&source, &maps, &ListScope::All, false).await;
        assert_eq!(streamed.objects, paged.objects);
        assert!(streamed.objects.len() >= 50);
        // That it was not read by pages.
        assert_eq!(streamed.begun, if gate { 1 } else { 2 });
        let end = streamed.end.unwrap();
        assert_eq!((end.coverage, end.skipped), (Coverage::All, None));

        let mut watch = source.watch(&maps, &end.positions[0], &WatchBounds::default()).await.unwrap();
        server.kubectl(&["delete", "configmap", "map-7", "-n", "default"]);
        let Some(Watched::Event(SourceEvent::Gone(gone))) = watch.next().await else { panic!("no deletion") };
        assert_eq!(gone.name, "map-7");
    }
}
