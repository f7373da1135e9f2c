//! The index follows a cluster: an API server whose faults are scripted, and a real one. After each trouble the index equals a fresh sync.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use clusterlore_cluster::{ListScope, WatchBounds};
use clusterlore_core::{Collection, Happening, JournalEntry, JournalQuery, ResourceInstance, ResourceType};
use clusterlore_pipeline::{Options, Pace, TypeState};
use clusterlore_store::{Sqlite, Store};
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use common::following::{Following, pace};
use proptest::prelude::*;

fn ty(name: &str, version: &str, kind: &str) -> ResourceType {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    common::ty(group, version, kind, plural)
}

fn pod(namespace: &str, name: &str, label: &str) -> ResourceInstance {
    let pod = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
    ResourceInstance { labels: [("app".to_owned(), label.to_owned())].into(), ..pod }
}

/// What defines the type of orders.
fn definition() -> ResourceInstance {
    ResourceInstance::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "orders.example").unwrap()
}

fn order(name: &str) -> ResourceInstance {
    ResourceInstance::new("orders.example/v1", "Order", Some("shop"), name).unwrap()
}

/// Pods and deployments in two namespaces.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(ty("pods", "v1", "Pod")).add_type(ty("deployments.apps", "v1", "Deployment"));
    for n in 0..10 {
        let namespace = if n % 2 == 0 { "even" } else { "odd" };
        server.put(pod(namespace, &format!("pod-{n}"), "a"));
        server.put(ResourceInstance::new("apps/v1", "Deployment", Some(namespace), &format!("web-{n}")).unwrap());
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_changed_and_deleted_is_in_the_index_a_moment_later() {
    let server = server().await;
    let mut following = Following::start(server.kubeconfig()).await;
    following.equals_a_fresh_sync().await;
    following.embedder.take();
    server.put(pod("even", "new", "b")).put(pod("even", "pod-0", "changed")).remove("odd/v1/Pod/pod-1");
    following.until("three changes", |state| (state.written, state.deleted) == (2, 1)).await;
    assert_eq!(following.embedder.take(), 2);
    following.equals_a_fresh_sync().await;

    // Only its version is another: nothing is embedded, nothing is written.
    server.put(pod("even", "pod-0", "changed")).put(pod("even", "last", "c"));
    following.until("one change", |state| (state.written, state.deleted) == (3, 1)).await;
    assert_eq!(following.embedder.take(), 1);
    following.stop().await;
    following.equals_a_fresh_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_lose_nothing() {
    let server = server().await;
    // Each watch of pods is cut after one event, and some of its next tries fail in other ways.
    server.fault("pods", Fault::cut_after(1)).fault("pods", Fault::status(500).watches().from(2).times(2));
    let mut following = Following::start(server.kubeconfig()).await;
    server.put_all((0..10).map(|n| pod("even", &format!("pod-{n}"), "cut")));
    server.remove("odd/v1/Pod/pod-3");
    following.until("all changes", |state| state.deleted == 1).await;
    server.clear_faults();
    following.equals_a_fresh_sync().await;
    assert!(following.status.state().failures > 5, "{:#?}", following.status.state());
    assert_eq!(following.status.state().lists, 0, "a watch that was cut goes on where it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_expired_positions_leads_to_lists() {
    for refused in [false, true] {
        let server = server().await;
        server.refuse_expired(refused);
        // Two watches break and cannot be opened again, much happens, and nobody remembers any of it.
        server.fault("*", Fault::status(503).watches().from(1));
        server.fault("pods", Fault::cut_after(1).times(1)).fault("deployments.apps", Fault::cut_after(1).times(1));
        let mut following = Following::start(server.kubeconfig()).await;
        server.put(pod("even", "trigger", "a"));
        server.put(ResourceInstance::new("apps/v1", "Deployment", Some("even"), "trigger").unwrap());
        following.until("the watches are down", |state| state.interrupted().count() == 2).await;
        for n in 0..10 {
            server.put(pod("even", &format!("unseen-{n}"), "b"));
        }
        server.remove("even/v1/Pod/pod-2").remove("odd/apps/v1/Deployment/web-1");
        server.forget_history().clear_faults();
        following.until("the lists", |state| state.lists >= 2 && state.deleted == 2).await;
        following.equals_a_fresh_sync().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_after_the_first_are_streamed_and_one_that_is_cut_deletes_nothing() {
    for cut in [false, true] {
        let server = server().await;
        server.allow_initial_events(true);
        server.fault("pods", Fault::status(503).watches()).fault("pods", Fault::cut_after(1).times(1));
        let mut following = Following::start(server.kubeconfig()).await;
        server.put(pod("even", "trigger", "a"));
        following.until("the watch is down", |state| state.interrupted().count() == 1).await;
        server.put(pod("even", "unseen", "b")).remove("even/v1/Pod/pod-2").forget_history();
        server.clear_faults().forget_requests();
        if cut {
            // The position is too old, and the stream that follows breaks off.
            server.fault("pods", Fault::cut_after(4));
        }
        following.until("the list", |state| state.lists > 0 && state.deleted == 1).await;
        following.until("the watch", |state| state.types.get("pods") == Some(&TypeState::Watching)).await;
        let asked = |what: &str| {
            server.requests().iter().filter(|r| r.path.ends_with("/pods") && r.query.contains(what)).count()
        };
        assert_eq!((asked("sendInitialEvents"), asked("limit=")), (1, usize::from(cut)));
        following.equals_a_fresh_sync().await;
        assert_eq!(following.status.state().deleted, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_always_expires_is_not_listed_without_a_pause() {
    let server = server().await;
    server.fault("pods", Fault::expires_after(0));
    let mut following = Following::start_with(server.kubeconfig(), pace(), Options::default()).await;
    server.put(pod("even", "new", "b"));
    following.until("the change", |state| state.written == 1).await;
    server.forget_requests();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let lists = server.count("/api/v1/pods");
    assert!((2..40).contains(&lists), "{lists} requests in two seconds");
    following.equals_a_fresh_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_which_nothing_is_heard_is_opened_again() {
    let server = server().await;
    server.fault("pods", Fault::silent().times(1));
    let idle =
        Pace { watch: WatchBounds { timeout: Duration::from_secs(20), idle: Duration::from_millis(300) }, ..pace() };
    let mut following = Following::start_with(server.kubeconfig(), idle, Options::default()).await;
    server.put(pod("even", "new", "b"));
    following.until("the change", |state| state.written == 1).await;
    following.equals_a_fresh_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_no_bookmarks_is_followed_all_the_same() {
    let server = server().await;
    server.bookmarks_every(Duration::from_secs(3_600));
    let idle =
        Pace { watch: WatchBounds { timeout: Duration::from_secs(20), idle: Duration::from_millis(200) }, ..pace() };
    let mut following = Following::start_with(server.kubeconfig(), idle, Options::default()).await;
    // Nothing is heard of deployments, and their position grows old while pods change.
    for n in 0..10 {
        server.put(pod("even", &format!("new-{n}"), "b"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    following.until("the changes", |state| state.written == 10).await;
    assert_eq!(following.status.state().lists, 0, "a watch of which nothing is heard goes on where it was");
    server.forget_history();
    server.put(ResourceInstance::new("apps/v1", "Deployment", Some("even"), "later").unwrap());
    following.until("the list", |state| state.lists > 0 && state.written == 11).await;
    following.equals_a_fresh_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_followed_the_index_is_as_fresh_as_it_says() {
    let server = server().await;
    server.fault("pods", Fault::status(500).watches()).fault("pods", Fault::cut_after(1).times(1));
    let mut following = Following::start(server.kubeconfig()).await;
    let store = following.store.clone();
    let read_at = async || {
        let sources = store.view_all("a test").await.unwrap().sources().await.unwrap();
        sources[0].readings.of(Collection::Instances).unwrap().at.parse::<jiff::Timestamp>().unwrap()
    };
    let first = read_at().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(read_at().await.duration_since(first) >= jiff::SignedDuration::from_secs(1));
    // What cannot be read is as old as it is.
    server.put(pod("even", "new", "b"));
    following.until("pods fail", |state| state.interrupted().count() > 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let failed = read_at().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(read_at().await.duration_since(failed) < jiff::SignedDuration::from_millis(1_000));
    following.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_watched_is_polled() {
    for refused in [Fault::forbidden(), Fault::not_allowed(), Fault::not_found()] {
        let server = server().await;
        let mut unwatchable = ty("notes.example", "v1", "Note");
        unwatchable.verbs = ["get", "list"].map(Into::into).into();
        server.add_type(unwatchable).put(ResourceInstance::new("example/v1", "Note", Some("odd"), "a").unwrap());
        server.fault("pods", refused.watches());
        let mut following = Following::start(server.kubeconfig()).await;
        let polled = |state: &clusterlore_pipeline::LiveState, name: &str| {
            matches!(state.types.get(name), Some(TypeState::Polling { .. } | TypeState::Listing))
        };
        following.until("polling", |state| polled(state, "pods") && polled(state, "notes.example")).await;
        assert_eq!(following.status.state().types.get("deployments.apps"), Some(&TypeState::Watching));
        server.put(pod("even", "new", "b")).remove("odd/v1/Pod/pod-1");
        server.put(ResourceInstance::new("example/v1", "Note", Some("odd"), "b").unwrap());
        following.until("the changes", |state| (state.written, state.deleted) == (2, 1)).await;
        following.equals_a_fresh_sync().await;
        // Once it may be watched it is.
        server.clear_faults();
        following.until("watching", |state| state.types.get("pods") == Some(&TypeState::Watching)).await;
        server.put(pod("even", "newer", "b"));
        following.until("the change", |state| state.written == 3).await;
        following.equals_a_fresh_sync().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn types_come_and_go_with_their_objects_and_capabilities() {
    let server = server().await;
    let definitions = ty("customresourcedefinitions.apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    server.add_type(ResourceType { namespaced: false, ..definitions });
    let mut following = Following::start(server.kubeconfig()).await;
    for _ in 0..2 {
        server.add_type(ty("orders.orders.example", "v1", "Order")).put(definition());
        server.put(order("first")).put(order("second"));
        following
            .until("the type is watched", |state| {
                state.types.get("orders.orders.example") == Some(&TypeState::Watching)
            })
            .await;
        server.put(order("third"));
        following.equals_a_fresh_sync().await;
        assert!(following.holds("shop/orders.example/v1/Order/third").await);
        assert!(following.index().await.values().any(|(id, _)| id.contains("orders.orders.example")));

        server
            .remove_type("orders.orders.example")
            .remove("_cluster/apiextensions.k8s.io/v1/CustomResourceDefinition/orders.example");
        following
            .until("the type is gone", |state| state.types.get("orders.orders.example") == Some(&TypeState::Gone))
            .await;
        following.equals_a_fresh_sync().await;
        assert!(!following.index().await.values().any(|(id, _)| id.contains("rders")));
    }
    let lines = following.lines();
    assert!(
        lines.contains(&"Resource type orders.orders.example is new, and watched from here on.".to_owned()),
        "{lines:#?}"
    );
    assert!(lines.contains(&"Resource type orders.orders.example is served no more.".to_owned()), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_and_a_group_that_goes_stale_delete_nothing() {
    let server = server().await;
    server.add_type(ty("orders.orders.example", "v1", "Order")).put(order("first"));
    server.fault("pods", Fault::expires_after(1).times(1));
    server.fault("orders.orders.example", Fault::expires_after(1).times(1));
    let mut following = Following::start(server.kubeconfig()).await;
    server.stale("orders.example", "v1", false);
    server.fault("orders.orders.example", Fault::status(503).lists()).fault("pods", Fault::status(500).lists());
    server.put(pod("even", "new", "b")).put(order("second"));
    following.until("pods and orders fail", |state| state.failures > 3).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(following.status.state().deleted, 0);
    assert!(following.holds("shop/orders.example/v1/Order/first").await);
    server.fresh("orders.example", "v1").clear_faults();
    following.equals_a_fresh_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_are_watched_one_by_one_where_no_more_is_allowed() {
    let server = server().await;
    server.grant("*", "namespaces").grant("even", "pods").grant("odd", "pods");
    let mut following = Following::start(server.kubeconfig()).await;
    server.put(pod("even", "new", "b")).remove("odd/v1/Pod/pod-1");
    following.until("the changes", |state| (state.written, state.deleted) == (1, 1)).await;
    following.equals_a_fresh_sync().await;
    // A namespace that comes is read from then on.
    server.grant("third", "pods").put(pod("third", "one", "b"));
    following.equals_a_fresh_sync().await;
    server.put(pod("third", "two", "b"));
    following.equals_a_fresh_sync().await;
    assert!(following.holds("third/v1/Pod/two").await);

    let options = Options { scope: ListScope::Namespaces(vec!["odd".to_owned()]), ..Options::default() };
    let mut named = Following::start_with(server.kubeconfig(), pace(), options).await;
    server.put(pod("odd", "new", "b")).put(pod("even", "newer", "b"));
    named.until("the change", |state| state.written == 1).await;
    named.equals_a_fresh_sync().await;
    assert!(!named.holds("even/v1/Pod/newer").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_changes_is_absorbed_and_the_last_of_each_object_counts() {
    let server = server().await;
    let mut following = Following::start(server.kubeconfig()).await;
    for round in 0..20 {
        server.put_all((0..500).map(|n| pod("even", &format!("storm-{n}"), &format!("round-{round}"))));
        if round % 5 == 4 {
            (0..100).for_each(|n| _ = server.remove(&format!("even/v1/Pod/storm-{n}")));
        }
    }
    following.equals_a_fresh_sync().await;
    following.until("the queue is empty", |state| state.queued == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_is_written_before_it_stops() {
    let server = server().await;
    let slow = Pace { batch_wait: Duration::from_secs(3600), ..pace() };
    let mut following = Following::start_with(server.kubeconfig(), slow, Options::default()).await;
    server.put(pod("even", "new", "b")).remove("odd/v1/Pod/pod-1");
    let heard = |state: &clusterlore_pipeline::LiveState| state.last_event.is_some();
    following.until("an event", heard).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!following.holds("even/v1/Pod/new").await);
    following.stop().await;
    assert!(following.holds("even/v1/Pod/new").await && !following.holds("odd/v1/Pod/pod-1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_most_of_what_is_known_is_read_twice() {
    let server = FakeApiServer::start().await;
    server.add_type(ty("pods", "v1", "Pod"));
    server.put_all((0..300).map(|n| pod("even", &format!("pod-{n}"), "a")));
    server.fault("pods", Fault::status(500).watches()).fault("pods", Fault::cut_after(1).times(1));
    let mut following = Following::start(server.kubeconfig()).await;
    server.put(pod("even", "trigger", "b"));
    following.until("the watch is down", |state| state.interrupted().count() > 0).await;
    (0..250).for_each(|n| _ = server.remove(&format!("even/v1/Pod/pod-{n}")));
    server.forget_history().clear_faults();
    following.until("the deletions", |state| state.deleted == 250).await;
    assert!(
        following.lines().iter().any(|line| line.contains("listing 1 resource types a second time")),
        "{:#?}",
        following.lines()
    );
    following.equals_a_fresh_sync().await;
}

async fn journal(store: &Sqlite) -> Vec<JournalEntry> {
    let query = JournalQuery { limit: 1_000, ..JournalQuery::default() };
    let mut entries = store.view_all("a test").await.unwrap().journal(query).await.unwrap();
    entries.reverse();
    entries
}

async fn happened(store: &Sqlite) -> Vec<String> {
    journal(store).await.iter().map(ToString::to_string).collect()
}

/// A pod that was created now, of this generation.
fn newborn(name: &str, label: &str, generation: i64) -> ResourceInstance {
    ResourceInstance { created_at: jiff::Timestamp::now().to_string(), generation, ..pod("even", name, label) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_tells_what_happened_and_nothing_of_what_was_there() {
    let server = server().await;
    let mut following = Following::start(server.kubeconfig()).await;
    assert_eq!(happened(&following.store).await, Vec::<String>::new());
    let until = async |wanted: &[&str]| {
        for _ in 0..500 {
            if happened(&following.store).await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(happened(&following.store).await, wanted);
    };
    // Times of creation are whole seconds: what came in the second of the first sync is no news.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    server.put(newborn("new", "a", 1));
    let mut wanted = vec!["created: Pod even/new"];
    until(&wanted).await;
    // Only its status changed, as its version says: that is no news.
    let same = newborn("new", "a", 1);
    server.put(same.clone());
    server.put(ResourceInstance { generation: 2, ..same.clone() });
    wanted.push("spec changed: Pod even/new");
    until(&wanted).await;
    server.put(ResourceInstance { generation: 2, labels: [("app".to_owned(), "b".to_owned())].into(), ..same.clone() });
    wanted.push("labels changed: Pod even/new");
    until(&wanted).await;
    server.remove("even/v1/Pod/new");
    wanted.push("deleted: Pod even/new");
    until(&wanted).await;
    let entries = journal(&following.store).await;
    assert!(entries.iter().is_sorted_by(|a, b| a.at < b.at));
    assert_eq!((entries[0].type_name.as_str(), entries[0].api_version.as_str()), ("pods", "v1"));
    assert!(!entries[0].uid.is_empty());
    // Who changed it last is told of what a watch told, but not who deleted it.
    let by: Vec<&str> = entries.iter().map(|entry| entry.changed_by.as_str()).collect();
    assert_eq!(by, ["manager", "manager", "manager", ""]);

    // While nobody looks one is created and two go; one was there before and only was not read.
    following.kill().await;
    server
        .put(newborn("later", "a", 1))
        .put(ResourceInstance { created_at: "2020-01-01T00:00:00Z".into(), ..pod("even", "ancient", "a") });
    server.remove("odd/v1/Pod/pod-1").remove("odd/v1/Pod/pod-3");
    following.resume(pace()).await;
    let all = async || -> std::collections::BTreeSet<String> {
        happened(&following.store).await.into_iter().skip(4).collect()
    };
    for _ in 0..500 {
        if all().await.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let wanted = ["created: Pod even/later", "deleted: Pod odd/pod-1", "deleted: Pod odd/pod-3"].map(str::to_owned);
    assert_eq!(all().await, wanted.into());
    assert!(
        journal(&following.store)
            .await
            .iter()
            .all(|entry| entry.what.is_some_and(|what| what != Happening::AnnotationsChanged))
    );
}

/// Something that happens to a cluster, or to who follows it.
#[derive(Debug, Clone)]
enum Step {
    Put {
        namespace: &'static str,
        name: String,
        label: String,
    },
    Remove {
        namespace: &'static str,
        name: String,
    },
    /// The next watch of pods is cut after so many events.
    Cut(usize),
    /// The next watch of pods says after so many events that it is too late.
    Expire(usize),
    /// Nobody remembers what happened so far.
    Forget,
    /// So many of the next requests fail.
    Fail(usize),
    Come,
    Go,
    /// The process dies, and another one goes on.
    Kill,
    /// It is stopped, and started again.
    Stop,
    /// A moment passes.
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let namespace = || prop::sample::select(vec!["even", "odd", "third"]);
    let step = prop_oneof![
        12 => (namespace(), "[a-f]", "[xy]").prop_map(|(namespace, name, label)| Step::Put { namespace, name, label }),
        6 => (namespace(), "[a-f]").prop_map(|(namespace, name)| Step::Remove { namespace, name }),
        2 => (0..3_usize).prop_map(Step::Cut),
        2 => (0..3_usize).prop_map(Step::Expire),
        1 => Just(Step::Forget),
        1 => (1..4_usize).prop_map(Step::Fail),
        1 => Just(Step::Come),
        1 => Just(Step::Go),
        1 => Just(Step::Kill),
        1 => Just(Step::Stop),
        4 => Just(Step::Wait),
    ];
    prop::collection::vec(step, 5..40)
}

async fn follow_through(steps: Vec<Step>) {
    let server = server().await;
    let definitions = ty("customresourcedefinitions.apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    server.add_type(ResourceType { namespaced: false, ..definitions });
    let mut following = Following::start(server.kubeconfig()).await;
    let mut served = false;
    for step in steps {
        match step {
            Step::Put { namespace, name, label } => _ = server.put(pod(namespace, &name, &label)),
            Step::Remove { namespace, name } => _ = server.remove(&format!("{namespace}/v1/Pod/{name}")),
            Step::Cut(events) => _ = server.fault("pods", Fault::cut_after(events).times(1)),
            Step::Expire(events) => _ = server.fault("pods", Fault::expires_after(events).times(1)),
            Step::Forget => _ = server.forget_history(),
            Step::Fail(requests) => _ = server.fault("*", Fault::status(503).times(requests)),
            Step::Come if !served => {
                served = true;
                server.add_type(ty("orders.orders.example", "v1", "Order")).put(order("first"));
                server.put(definition());
            }
            Step::Go if served => {
                served = false;
                server.remove_type("orders.orders.example").remove(&definition().id);
            }
            Step::Come | Step::Go => {}
            Step::Kill => {
                server.clear_faults();
                following.kill().await;
                following.resume(pace()).await;
            }
            Step::Stop => {
                server.clear_faults();
                following.stop().await;
                following.resume(pace()).await;
            }
            Step::Wait => tokio::time::sleep(Duration::from_millis(30)).await,
        }
    }
    server.clear_faults();
    following.equals_a_fresh_sync().await;
    let at: Vec<String> = journal(&following.store).await.into_iter().map(|entry| entry.at).collect();
    assert!(at.is_sorted_by(|a, b| a < b));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_index_ends_as_a_fresh_sync_gives_it(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(follow_through(steps));
    }
}

/// So many seconds long a thousand changes a second, over 5,000 pods of which some go; memory does not grow with what happens.
async fn storm(seconds: u32) {
    let server = FakeApiServer::start().await;
    server.add_type(ty("pods", "v1", "Pod"));
    let mut following = Following::start(server.kubeconfig()).await;
    let (before, mut most, mut queued) = (resident(), 0, 0);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    for round in 0..seconds * 10 {
        tick.tick().await;
        let of = |n: u32| (round * 100 + n) % 5_000;
        server.put_all((0..90).map(|n| pod("even", &format!("storm-{}", of(n)), &format!("round-{round}"))));
        (90..100).for_each(|n| _ = server.remove(&format!("even/v1/Pod/storm-{}", of(n - 90 + 2_500))));
        most = most.max(resident());
        queued = queued.max(following.status.state().queued);
    }
    let ended = std::time::Instant::now();
    following.equals_a_fresh_sync().await;
    let state = following.status.state();
    println!(
        "{seconds} s of 1,000 changes a second: {before} MB before, {most} MB at most, {} written, {} deleted, at most {queued} queued, as a fresh sync {:?} after the last",
        state.written,
        state.deleted,
        ended.elapsed()
    );
    assert!(most < before + 200, "{before} MB before, {most} MB at most");
    following.until("the queue is empty", |state| state.queued == 0).await;
}

/// Memory of this process in MB: the fake server, and what other tests of this file hold, are in it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_a_second_are_absorbed() {
    storm(5).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, to be measured alone"]
async fn a_thousand_changes_a_second_are_absorbed_for_a_minute() {
    storm(60).await;
}
