//! Reads of single objects, events and logs from a server that misbehaves as asked.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use clusterlore_cluster::reads::{MASKED, NotRead, ReadLimits, Subject};
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_core::ResourceType;
use clusterlore_testkit::edits::edited;
use clusterlore_testkit::fake::{FakeApiServer, Fault, namespaced};
use proptest::prelude::*;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const MARK: &str = "MARK-c2VjcmV0";
const POD: &str = "/api/v1/namespaces/a/pods/p";
const LOG: &str = "/api/v1/namespaces/a/pods/p/log";
const EVENTS: &str = "/api/v1/namespaces/a/events";

fn pods() -> ResourceType {
    namespaced("pods", "Pod")
}

async fn source(server: &FakeApiServer) -> LiveSource {
    let options = LiveOptions { kubeconfig: Some(server.kubeconfig().to_owned()), ..LiveOptions::default() };
    LiveSource::connect(options).await.unwrap()
}

fn limits() -> ReadLimits {
    ReadLimits {
        time: Duration::from_millis(800),
        bytes: 64 << 10,
        objects: 5,
        page: 2,
        log_bytes: 1_000,
        ..ReadLimits::default()
    }
}

fn answer(body: &Value) -> Fault {
    Fault::answer(JSON, body.to_string())
}

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "a"}})
}

fn list(kind: &str, items: &[Value], next: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"continue": next}, "items": items})
}

fn of_pod() -> Subject<'static> {
    Subject { kind: "Pod", namespace: "a", name: "p", uid: Some("u-1") }
}

#[tokio::test]
async fn what_is_asked_is_what_kubectl_asks() {
    let server = FakeApiServer::start().await;
    server.fault(EVENTS, answer(&list("EventList", &[], "")));
    server.fault("/api/v1/namespaces/a/pods", answer(&list("PodList", &[], "")));
    server.fault(POD, answer(&pod("p")));
    server.fault(LOG, Fault::answer("text/plain", "one\ntwo\n"));
    let source = source(&server).await;
    let reads = source.reads(ReadLimits::default());
    assert!(reads.object(&pods(), "a", "p").await.unwrap().is_some());
    assert!(reads.exists(&pods(), "a", "p").await.unwrap());
    reads.list(&pods(), "a", "app=x,tier in (a,b)").await.unwrap();
    reads.events(&of_pod()).await.unwrap();
    let log = reads.log("a", "p", "main", true).await.unwrap();
    assert_eq!((log.text.as_str(), log.cut), ("one\ntwo\n", false));
    let seen: Vec<(String, String, String)> =
        server.requests().into_iter().map(|seen| (seen.path, seen.query, seen.accept)).collect();
    let expected = [
        (POD, "", JSON),
        (POD, "", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"),
        ("/api/v1/namespaces/a/pods", "limit=250&labelSelector=app%3Dx%2Ctier%20in%20%28a%2Cb%29", JSON),
        (
            EVENTS,
            "limit=250&fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dp%2CinvolvedObject.uid%3Du-1",
            JSON,
        ),
        (LOG, "container=main&previous=true&tailLines=50&limitBytes=524288", "*/*"),
    ]
    .map(|(path, query, accept)| (path.to_owned(), query.to_owned(), accept.to_owned()));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn events_come_in_their_order_from_either_form() {
    let server = FakeApiServer::start().await;
    let event = |reason: &str, more: Value| {
        let mut event = json!({"metadata": {"name": "e"}, "type": "Warning", "reason": reason, "message": "m"});
        more.as_object().unwrap().iter().for_each(|(key, value)| event[key] = value.clone());
        event
    };
    let items = [
        event(
            "Third",
            json!({"eventTime": "2026-01-01T00:00:00.000001Z", "series": {"count": 7, "lastObservedTime": "2026-01-03T00:00:00.000000Z"}}),
        ),
        event(
            "First",
            json!({"lastTimestamp": "2026-01-01T00:00:00Z", "count": 3, "type": "Normal", "source": {"component": "kubelet"}}),
        ),
        event(
            "Second",
            json!({"eventTime": "2026-01-02T00:00:00.000000Z", "count": null, "message": "\u{1b}[31ma\nb postgres://u:s3cret@h"}),
        ),
    ];
    server.fault(EVENTS, answer(&list("EventList", &items, "")));
    let source = source(&server).await;
    let read = source.reads(limits()).events(&of_pod()).await.unwrap();
    let shown: Vec<_> = read.items.iter().map(|e| (e.reason.as_str(), e.count, e.warning)).collect();
    assert_eq!(shown, [("First", 3, false), ("Second", 1, true), ("Third", 7, true)]);
    assert_eq!((read.items[1].message.as_str(), read.items[0].by.as_str()), ("a b postgres://…@h", "kubelet"));
    assert!(!format!("{read:?}").contains("postgres"));
}

#[tokio::test]
async fn each_fault_is_an_answer_and_comes_in_time() {
    type Expected<'a> = &'a dyn Fn(&NotRead) -> bool;
    let is_cut: Expected<'_> = &|why| matches!(why, NotRead::Cut(_));
    let is_lost: Expected<'_> = &|why| matches!(why, NotRead::Cut(_) | NotRead::Failed(_));
    let is_failed: Expected<'_> = &|why| matches!(why, NotRead::Failed(_));
    let slow: Expected<'_> = &|why| *why == NotRead::Slow;
    let too_much: Expected<'_> = &|why| *why == NotRead::TooMuch;
    let endless = || Fault::endless(JSON, "{\"kind\":\"PodList\",\"a\":\"", vec![b'x'; 1 << 12], Duration::ZERO);
    let cases: Vec<(&str, Fault, Expected<'_>)> = vec![
        ("403", Fault::forbidden(), &|why| *why == NotRead::Forbidden),
        ("405", Fault::not_allowed(), &|why| *why == NotRead::NotServed),
        ("401", Fault::unauthorized(), is_failed),
        ("429", Fault::throttled(60), is_failed),
        ("500", Fault::status(500), is_failed),
        ("slow", Fault::slow(Duration::from_secs(5)), slow),
        ("cut", Fault::cut(), is_cut),
        ("short", Fault::short(), is_lost),
        ("HTTP/1.0, cut", Fault::http10_cut(5), is_cut),
        ("nonsense", Fault::malformed(), is_cut),
        ("a page to log in", Fault::answer("text/html", "<html>"), is_cut),
        ("a redirect", Fault::redirect("http://127.0.0.1:1/"), is_failed),
        ("another object", answer(&pod("other")), is_cut),
        ("another kind", answer(&json!({"kind": "Status", "metadata": {"name": "p"}})), is_cut),
        ("an array", answer(&json!([1])), is_cut),
        ("without end", endless(), too_much),
        ("trickling", Fault::endless(JSON, "{", " ", Duration::from_millis(20)), slow),
        ("large", Fault::answer(JSON, format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20))), too_much),
        ("very many maps", Fault::answer(JSON, format!("[{}{{}}]", "{},".repeat(20_000))), is_cut),
    ];
    for (name, fault, expected) in cases {
        let server = FakeApiServer::start().await;
        server.add_type(pods()).add_type(namespaced("events", "Event"));
        server.put(clusterlore_core::ResourceInstance::new("v1", "Pod", Some("a"), "p").unwrap());
        server.fault("*", fault);
        let source = source(&server).await;
        let began = Instant::now();
        let reads = source.reads(limits());
        let (ty, of) = (pods(), of_pod());
        let (object, list, events) =
            futures::join!(reads.object(&ty, "a", "p"), reads.list(&ty, "a", ""), reads.events(&of));
        assert!(began.elapsed() < Duration::from_millis(1_500), "{name}: {:?}", began.elapsed());
        let whys = [object.map(|_| ()), list.map(|_| ()), events.map(|_| ())];
        for why in whys {
            let why = why.expect_err(name);
            assert!(expected(&why), "{name}: {why:?}");
        }
    }
}

#[tokio::test]
async fn nothing_listens() {
    let server = FakeApiServer::start().await;
    let source = source(&server).await;
    drop(server);
    let reads = source.reads(limits());
    assert!(matches!(reads.object(&pods(), "a", "p").await, Err(NotRead::Failed(_))));
    assert!(matches!(reads.log("a", "p", "main", false).await, Err(NotRead::Failed(_))));
}

#[tokio::test]
async fn lists_end_and_say_that_there_is_more() {
    let server = FakeApiServer::start().await;
    server.add_type(pods());
    for n in 0..9 {
        server.put(clusterlore_core::ResourceInstance::new("v1", "Pod", Some("a"), &format!("p{n}")).unwrap());
    }
    let source = source(&server).await;
    let read = source.reads(limits()).list(&pods(), "a", "").await.unwrap();
    assert_eq!((read.items.len(), read.more), (5, true));
    assert_eq!(server.count("/api/v1/namespaces/a/pods"), 3);
    let read = source.reads(ReadLimits { objects: 9, ..limits() }).list(&pods(), "a", "").await.unwrap();
    assert_eq!((read.items.len(), read.more), (9, false));
    for (name, fault) in [("a token twice", Fault::token("again")), ("tokens without end", Fault::tokens())] {
        server.clear_faults().fault("pods", fault);
        let read = source.reads(limits()).list(&pods(), "a", "").await;
        let ended = match &read {
            Ok(read) => read.more && read.items.len() == 5,
            Err(why) => matches!(why, NotRead::Cut(_)),
        };
        assert!(ended, "{name}: {read:?}");
    }
}

#[tokio::test]
async fn of_a_log_its_end_is_kept() {
    let server = FakeApiServer::start().await;
    let source = source(&server).await;
    let lines: String = (0..200).map(|n| format!("line {n}\n")).collect();
    server.fault(LOG, Fault::answer("text/plain", lines.clone()));
    let log = source.reads(limits()).log("a", "p", "main", false).await.unwrap();
    assert!(log.cut && log.text.len() <= 1_000 && log.text.ends_with("line 199\n"), "{}", log.text);
    assert!(log.text.starts_with("line "), "no half a line: {}", log.text);
    assert!(!format!("{log:?}").contains("line"));
    // A server that does not keep to what was asked for.
    server.fault(LOG, Fault::endless("text/plain", "", "and on\n".repeat(100), Duration::ZERO));
    let log = source.reads(limits()).log("a", "p", "main", false).await.unwrap();
    assert!(log.cut && log.text.len() <= 1_000);
    server.fault(LOG, Fault::answer("application/octet-stream", vec![0xff, 0xfe, b'a']));
    let log = source.reads(limits()).log("a", "p", "main", false).await.unwrap();
    assert_eq!((log.text.as_str(), log.cut), ("\u{fffd}\u{fffd}a", false));
    let refused = json!({"kind": "Status", "message": "previous terminated container \"main\" in pod \"p\" not found"});
    server.fault(LOG, Fault::answers(400, &[("content-type", JSON)], refused.to_string()));
    let why = source.reads(limits()).log("a", "p", "main", true).await.unwrap_err();
    assert_eq!(why, NotRead::Failed("400 previous terminated container \"main\" in pod \"p\" not found".to_owned()));
}

fn secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": "s", "namespace": "a", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": MARK},
            "managedFields": [{"manager": MARK}],
        },
        "data": {"password": MARK}, "stringData": {"token": MARK}, "type": "Opaque",
    })
}

#[tokio::test]
async fn no_value_of_a_secret_comes_out_on_any_path() {
    let server = FakeApiServer::start().await;
    let source = source(&server).await;
    let secrets = namespaced("secrets", "Secret");
    let mut bare = secret();
    bare.as_object_mut().unwrap().retain(|key, _| !["kind", "apiVersion"].contains(&key.as_str()));
    server.fault("/api/v1/namespaces/a/secrets", answer(&list("SecretList", &[bare.clone()], "")));
    server.fault("/api/v1/namespaces/a/secrets/s", answer(&secret()));
    server.fault("/api/v1/namespaces/a/secrets/bare", {
        bare["metadata"]["name"] = json!("bare");
        answer(&bare)
    });
    let mut holder = pod("p");
    holder["spec"] = json!({"template": secret()});
    server.fault(POD, answer(&holder));
    let reads = source.reads(limits());
    let objects = [
        reads.object(&secrets, "a", "s").await.unwrap().unwrap(),
        reads.object(&secrets, "a", "bare").await.unwrap().unwrap(),
        reads.list(&secrets, "a", "").await.unwrap().items.remove(0),
        reads.object(&pods(), "a", "p").await.unwrap().unwrap(),
    ];
    for object in &objects {
        let shown = format!("{}{object:?}", serde_json::to_string(object).unwrap());
        assert!(!shown.contains(MARK), "{shown}");
        let data = if object.kind() == "Pod" { "/spec/template/data" } else { "/data" };
        assert_eq!(object.at(data), &json!({"password": MASKED}));
    }
    // What cannot be read is not quoted either.
    let whole = secret().to_string();
    for body in
        [whole.replace('}', "]"), whole[..whole.len() - 5].to_owned(), format!("\"{MARK}\""), format!("{MARK}{whole}")]
    {
        server.fault("/api/v1/namespaces/a/secrets/s", Fault::answer(JSON, body.clone()));
        let why = source.reads(limits()).object(&secrets, "a", "s").await.unwrap_err();
        assert!(!format!("{why:?}{why}").contains(MARK), "{body}: {why:?}");
    }
}

proptest! {
    /// However a Secret is broken: what comes out of it holds no value.
    #[test]
    fn fuzz_masked(edits in 0_usize..6, random in any::<u64>()) {
        let bytes = edited(&secret().to_string(), edits, random);
        let Ok(json) = serde_json::from_slice::<Value>(&bytes) else { return Ok(()) };
        // Edits may move a value to where no Secret has any.
        let of_secret = json["kind"] == "Secret" && json["data"].is_object();
        let shown = clusterlore_cluster::reads::Object::new(json);
        if of_secret {
            prop_assert!(!shown.at("/data").to_string().contains(MARK));
            prop_assert!(!shown.at("/stringData").to_string().contains(MARK));
            prop_assert!(shown.at("/metadata/managedFields").is_null());
        }
    }
}
