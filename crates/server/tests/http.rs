//! The server over real connections: what it answers, to whom, and what it refuses.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Controller, Running, body_of};
use serde_json::{Value, json};

fn upsert(namespace: &str, api_version: &str, kind: &str, name: &str) -> Value {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    json!({"id": format!("{namespace}/{api_version}/{kind}/{name}"), "namespace": namespace, "name": name, "kind": kind,
        "apiVersion": api_version, "apiGroup": group, "createdAt": "2026-02-20T10:00:00Z", "labels": null, "annotations": null})
}

fn posted(upserts: &[Value], deletes: Option<&[&str]>) -> Vec<u8> {
    json!({"upserts": upserts, "deletes": deletes}).to_string().into_bytes()
}

const SYNC: &str = "/api/v1/instances/sync";
const SCAN: &str = "/api/v1/capabilities/scan";

#[tokio::test]
async fn what_is_posted_is_found_counted_and_gone_again() {
    let server = Running::open().await;
    let objects = [
        upsert("shop", "apps/v1", "StatefulSet", "orders-postgres"),
        upsert("shop", "v1", "Secret", "orders"),
        upsert("bank", "apps/v1", "Deployment", "ledger"),
    ];
    let told = server.post(SYNC, &posted(&objects, None)).await;
    assert_eq!((told.status, told.text().as_str()), (200, r#"{"status":"ok","upserted":3,"deleted":0}"#));
    server.written().await;
    let found = server.get("/api/v1/search?q=which%20databases%20are%20running%3F").await;
    assert_eq!((found.status, found.json()["hits"][0]["name"].as_str()), (200, Some("orders-postgres")));
    let counted = server.post("/api/v1/count", br#"{"q": "secrets", "namespace": ["shop"]}"#).await.json();
    assert_eq!(counted["number"], 1);
    let one = server.get("/api/v1/instances/bank/apps/v1/Deployment/ledger").await.json();
    assert_eq!((one["name"].as_str(), one["createdAt"].as_str()), (Some("ledger"), Some("2026-02-20T10:00:00Z")));
    assert_eq!(server.get("/api/v1/capabilities/deployments.apps").await.json()["kind"], "Deployment");
    assert_eq!(server.get("/api/v1/similar?id=deployment/ledger").await.status, 200);
    assert_eq!(server.get("/api/v1/status").await.json()["collections"][0]["documents"], 3);
    let said = server.get("/api/v1/ask?q=which+databases+are+running").await.json();
    assert!(said["answer"][0]["text"].as_str().unwrap().contains("database"), "{said}");

    let told = server.post(SYNC, &posted(&[], Some(&["shop/v1/Secret/orders", "shop/v1/Secret/never"]))).await;
    assert_eq!(told.text(), r#"{"status":"ok","upserted":0,"deleted":2}"#);
    server.written().await;
    assert_eq!(server.get("/api/v1/instances/shop/v1/Secret/orders").await.status, 404);
}

#[tokio::test]
async fn posts_are_answered_as_their_contract_has_it() {
    let server = Running::open().await;
    let ok = |path: &'static str, body: &'static str| (path, "application/json", body.as_bytes().to_vec());
    let pod = upsert("a", "v1", "Pod", "p");
    for ((path, media, body), status, text) in [
        (ok(SYNC, "{}"), 200, r#"{"status":"ok","upserted":0,"deleted":0}"#),
        (ok(SYNC, r#"{"upserts":null,"deletes":null,"more":1}"#), 200, r#"{"status":"ok","upserted":0,"deleted":0}"#),
        (
            (SYNC, "application/json", posted(&[pod.clone(), pod.clone()], Some(&["a/v1/Pod/p"]))),
            200,
            r#"{"status":"ok","upserted":2,"deleted":1}"#,
        ),
        (
            (SYNC, "application/json; charset=utf-8", posted(&[], None)),
            200,
            r#"{"status":"ok","upserted":0,"deleted":0}"#,
        ),
        ((SYNC, "application/merge-patch+json", posted(&[], None)), 200, r#"{"status":"ok","upserted":0,"deleted":0}"#),
        ((SYNC, "text/plain", posted(&[], None)), 415, r#"{"error":"expected Content-Type: application/json"}"#),
        ((SYNC, "", posted(&[], None)), 415, r#"{"error":"expected Content-Type: application/json"}"#),
        (ok(SYNC, "{"), 400, "Malformed JSON in request body"),
        (ok(SYNC, ""), 400, "Malformed JSON in request body"),
        (
            ok(SYNC, "[]"),
            400,
            r#"{"error":"Invalid payload","details":[{"code":"invalid_type","path":[],"message":"Invalid input: expected object, received array"}]}"#,
        ),
        (
            ok(SYNC, r#"{"deletes":[1]}"#),
            400,
            r#"{"error":"Invalid payload","details":[{"code":"invalid_type","path":["deletes",0],"message":"Invalid input: expected string, received number"}]}"#,
        ),
        (
            ok(SCAN, r#"{"upserts":["certificates.cert-manager.io"]}"#),
            202,
            r#"{"status":"accepted","upserts":1,"deletes":0}"#,
        ),
        (ok(SCAN, "{}"), 202, r#"{"status":"accepted","upserts":0,"deletes":0}"#),
        (
            (SCAN, "application/json", json!({"deletes": vec!["a.b"; 201]}).to_string().into_bytes()),
            400,
            r#"{"error":"Payload too large","details":"Maximum 200 total items across upserts and deletes"}"#,
        ),
    ] {
        let told = server.send("POST", path, &[("content-type", media)], &body).await;
        assert_eq!(
            (told.status, told.text().as_str()),
            (status, text),
            "{path} {media} {}",
            String::from_utf8_lossy(&body)
        );
        assert_eq!(
            told.status == 400 && text.starts_with('M'),
            told.header("content-type").is_some_and(|t| t.starts_with("text/plain"))
        );
    }
    // A slash at the end changes nothing, another method is not there, and neither is another address.
    assert_eq!(
        server.send("POST", "/api/v1/instances/sync/", &[("content-type", "application/json")], b"{}").await.status,
        200
    );
    for (method, path) in [("GET", SYNC), ("PUT", SCAN), ("GET", "/pages"), ("POST", "/api/v2/instances/sync")] {
        let told = server.send(method, path, &[], b"").await;
        assert_eq!((told.status, told.text().as_str()), (404, "404 Not Found"), "{method} {path}");
        assert!(told.header("content-type").unwrap().starts_with("text/plain"));
    }
    assert_eq!(server.get("/healthz/").await.text(), r#"{"status":"ok"}"#);
    let head = server.send("HEAD", "/readyz", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_post_of_five_mebibytes_is_taken_and_a_byte_more_is_not() {
    let server = Running::open().await;
    let mut body = posted(&[], None);
    body.resize(5 << 20, b' ');
    assert_eq!(server.post(SYNC, &body).await.status, 200);
    body.push(b' ');
    let told = server.post(SYNC, &body).await;
    assert_eq!((told.status, told.text().as_str()), (413, r#"{"error":"Payload too large (max 5MB)"}"#));
    // Also where nobody says before how long it is.
    let chunked = server.chunked(SYNC, &body).await;
    assert_eq!(chunked.status, 413);
}

#[tokio::test]
async fn wrong_times_are_named_and_all_faults_are_told() {
    let server = Running::open().await;
    let mut wrong = upsert("a", "v1", "Pod", "p");
    wrong["createdAt"] = json!("2026-02-30T10:00:00Z");
    wrong["labels"] = json!({"a": 1});
    wrong.as_object_mut().unwrap().remove("name");
    let told = server.post(SYNC, &posted(&[upsert("a", "v1", "Pod", "q"), wrong], None)).await.json();
    let paths: Vec<String> = told["details"].as_array().unwrap().iter().map(|i| i["path"].to_string()).collect();
    assert_eq!(paths, [r#"["upserts",1,"name"]"#, r#"["upserts",1,"createdAt"]"#, r#"["upserts",1,"labels","a"]"#]);
    // Nothing of such a post is kept, and however many faults there are, the answer ends.
    assert_eq!(server.ingest.waiting().await.unwrap().posts, 0);
    let many = format!("{{\"upserts\":[{}{{}}]}}", "{},".repeat(100_000));
    let told = server.post(SYNC, many.as_bytes()).await;
    assert_eq!((told.status, told.json()["details"].as_array().unwrap().len()), (400, 1_000));
}

#[tokio::test]
async fn one_object_in_two_versions_is_one_document_in_the_preferred_one() {
    let server = Running::open().await;
    let hpa = |version: &str| upsert("shop", &format!("autoscaling/{version}"), "HorizontalPodAutoscaler", "web");
    // A kind that nobody knows, too.
    let whale = |version: &str| upsert("shop", &format!("ocean.io/{version}"), "Whale", "moby");
    for order in [["v1", "v2"], ["v2", "v1"], ["v2", "v1"]] {
        for version in order {
            // In posts of their own, and written one after the other.
            assert_eq!(
                server.post(SYNC, &posted(&[hpa(version), whale(&format!("{version}alpha1"))], None)).await.status,
                200
            );
            server.written().await;
        }
        assert_eq!(
            server.get("/api/v1/instances/shop/ocean.io/v2alpha1/Whale/moby").await.json()["apiVersion"],
            "ocean.io/v2alpha1"
        );
        let status = server.get("/api/v1/status").await.json();
        assert_eq!(status["collections"][0]["documents"], 2);
        let one = server.get("/api/v1/instances/shop/autoscaling/v2/HorizontalPodAutoscaler/web").await.json();
        assert_eq!(one["apiVersion"], "autoscaling/v2");
    }
}

#[tokio::test]
async fn annotations_are_cut_before_the_text_is_made() {
    let server = Running::open().await;
    let mut secret = upsert("shop", "v1", "Secret", "orders");
    secret["annotations"] =
        json!({"description": "Password of the orders database", "backup.velero.io/x": "marked-cell"});
    server.post(SYNC, &posted(&[secret], None)).await;
    server.written().await;
    let one = server.get("/api/v1/instances/shop/v1/Secret/orders").await.text();
    assert!(one.contains("Password of the orders database") && !one.contains("marked-cell"), "{one}");
}

#[tokio::test]
async fn questions_that_are_none_are_problems() {
    let server = Running::open().await;
    server.post(SYNC, &posted(&[upsert("a", "v1", "Pod", "p")], None)).await;
    server.written().await;
    for (path, status, detail) in [
        ("/api/v1/search", 400, "the question is empty"),
        ("/api/v1/search?q=pods&limit=0", 400, "1 to 1000"),
        ("/api/v1/search?q=pods&kind=nonsense", 400, "nonsense"),
        ("/api/v1/search?q=pods&foo=bar", 400, "foo"),
        ("/api/v1/count?q=pods&groupBy=colour", 400, "cannot be grouped by"),
        ("/api/v1/similar", 400, "the id is missing"),
        ("/api/v1/similar?id=pod/none", 404, "there is no object"),
        ("/api/v1/instances/a/v1/Pod/none", 404, "there is no"),
        ("/api/v1/instances/%00", 404, "there is no"),
        ("/api/v1/capabilities/none.example.org", 404, "there is no"),
        ("/api/v1/instances/%ff", 400, "UTF-8"),
        ("/api/v1/capabilities/a%c3%28", 400, "UTF-8"),
    ] {
        let told = server.get(path).await;
        assert_eq!(told.header("content-type"), Some("application/problem+json"), "{path}");
        let problem = told.json();
        assert_eq!((told.status, problem["status"].as_u64()), (status, Some(u64::from(status))), "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{path}: {problem}");
    }
    for (media, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", r#"{"q":1}"#, 400),
        ("text/plain", r#"{"q":"a"}"#, 415),
    ] {
        assert_eq!(
            server.send("POST", "/api/v1/search", &[("content-type", media)], body.as_bytes()).await.status,
            status,
            "{body}"
        );
    }
    let long = format!("/api/v1/search?q={}", "a".repeat(20_000));
    assert_eq!(server.get(&long).await.status, 400);
    assert_eq!(server.send("DELETE", "/api/v1/search", &[], b"").await.status, 405);
}

#[tokio::test]
async fn a_token_shows_what_it_may_and_nothing_else() {
    let server = Running::with_tokens(&[
        ("ann", "ann-token", "see = [{ namespaces = [\"shop\"] }]"),
        ("all", "all-token", "see = \"all\""),
        ("controller", "post-token", "write = \"\""),
    ])
    .await;
    let bearer = |token: &str| format!("Bearer {token}");
    let objects = [
        upsert("shop", "v1", "Service", "cart"),
        upsert("bank", "v1", "Service", "vault"),
        upsert("_cluster", "v1", "Namespace", "bank"),
    ];
    // Only who may write does; a controller can only put its secret into a URL, which makes it Basic.
    for (authorization, status) in
        [("", 401), ("Bearer nobody", 401), ("Bearer ann-token", 403), ("Basic aW5nZXN0OnBvc3QtdG9rZW4=", 200)]
    {
        let headers = [("content-type", "application/json"), ("authorization", authorization)];
        let told = server
            .send("POST", SYNC, &headers[..if authorization.is_empty() { 1 } else { 2 }], &posted(&objects, None))
            .await;
        assert_eq!(told.status, status, "{authorization}");
    }
    server.written().await;
    let ask = async |token: &str, path: &str| server.send("GET", path, &[("authorization", &bearer(token))], b"").await;
    assert_eq!(ask("all-token", "/api/v1/count?q=services").await.json()["number"], 2);
    let seen = ask("ann-token", "/api/v1/search?q=services").await;
    assert_eq!(seen.json()["hits"].as_array().unwrap().len(), 1);
    for path in [
        "/api/v1/search?q=vault",
        "/api/v1/search?q=services+in+namespace+bank",
        "/api/v1/status",
        "/api/v1/search?q=vaults&namespace=bank",
        "/api/v1/ask?q=what+is+vualt",
    ] {
        let told = ask("ann-token", path).await;
        assert!(!told.text().replace("\"q\"", "").contains("v1/Service/vault"), "{path}: {}", told.text());
    }
    assert_eq!(ask("ann-token", "/api/v1/instances/bank/v1/Service/vault").await.status, 404);
    assert_eq!(ask("ann-token", "/api/v1/instances/shop/v1/Service/cart").await.status, 200);
    let refused = server.get("/api/v1/search?q=services").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer realm=\"clusterlore\"")));
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_says_that_the_connection_ends() {
    let open = Running::open().await;
    let guarded = Running::with_tokens(&[("all", "all-token", "see = \"all\"")]).await;
    let seldom = Running::with_rate(1.0).await;
    assert_eq!(seldom.get("/api/v1/status").await.status, 200);
    while seldom.get("/api/v1/status").await.status != 429 {}
    let (count, all) = ("POST /api/v1/count", "authorization: Bearer all-token\r\n");
    let (posts, json) = (format!("POST {SYNC}"), "content-type: application/json\r\n");
    let chunked = "transfer-encoding: chunked\r\n\r\n2\r\n{x\r\n0\r\n\r\n";
    let short = "content-length: 2\r\n\r\n{}";
    let (long, empty) = ("content-length: 99999999\r\n\r\n", "content-length: 0\r\n\r\n");
    for (server, what, headers, body, status, ends) in [
        (&guarded, &*posts, json, short, 401, true),
        (&guarded, count, json, chunked, 401, true),
        (&guarded, "GET /api/v1/status", "", "\r\n", 401, false),
        (&guarded, count, json, empty, 401, false),
        (&guarded, &*posts, &format!("{all}{json}"), short, 403, false),
        (&guarded, count, all, short, 415, false),
        (&open, count, "host: evil.example\r\n", short, 403, true),
        (&open, &*posts, json, long, 413, true),
        (&open, count, json, long, 413, true),
        (&open, count, json, chunked, 400, false),
        (&open, "POST /nowhere", json, short, 404, false),
        (&seldom, count, json, short, 429, true),
        (&seldom, "GET /api/v1/status", "", "\r\n", 429, false),
    ] {
        let host = if headers.starts_with("host") { String::new() } else { format!("host: {}\r\n", server.address) };
        let mut client = Controller::of(server).await;
        let told = client.exchange(&format!("{what} HTTP/1.1\r\n{host}{headers}{body}")).await;
        assert_eq!(told.status, status, "{what} {headers} {body}: {}", told.text());
        assert_eq!(told.header("connection"), ends.then_some("close"), "{what} {status}");
        if !ends {
            let next = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
            assert_eq!(client.exchange(&next).await.status, 200, "{what} {status}");
        }
    }
}

#[tokio::test]
async fn a_caller_who_asks_too_often_waits_and_posts_do_not() {
    let server = Running::with_rate(2.0).await;
    let mut refused = 0;
    for _ in 0..10 {
        let told = server.get("/api/v1/status").await;
        refused += usize::from(told.status == 429 && told.header("retry-after").is_some());
        assert_eq!(server.post(SYNC, b"{}").await.status, 200);
    }
    assert!(refused >= 3, "{refused}");
}

#[tokio::test]
async fn what_is_not_ready_says_so_and_the_description_is_whole() {
    let server = Running::open().await;
    let described = server.get("/api/v1/openapi.json").await.json();
    for path in [
        "/api/v1/search",
        "/api/v1/count",
        "/api/v1/ask",
        "/api/v1/similar",
        "/api/v1/instances/{id}",
        "/api/v1/capabilities/{name}",
        SYNC,
        SCAN,
        "/healthz",
        "/metrics",
    ] {
        assert!(described["paths"].get(path).is_some(), "{path}");
    }
    let metrics = server.get("/metrics").await.text();
    assert!(
        metrics.contains(
            "clusterlore_http_requests_total{method=\"GET\",route=\"/api/v1/openapi.json\",status=\"200\"} 1"
        ),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
    let _ = server.ready.send_replace(Err("the first sync is not in".to_owned()));
    let told = server.get("/readyz").await;
    assert_eq!(
        (told.status, told.text().as_str()),
        (503, r#"{"status":"unavailable","error":"the first sync is not in"}"#)
    );
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\n\r\nx"), b"x");
}

#[tokio::test]
async fn a_server_that_is_told_to_end_answers_what_was_asked() {
    let server = Running::open().await;
    server.post(SYNC, &posted(&[upsert("a", "v1", "Pod", "p")], None)).await;
    let (first, ()) = tokio::join!(server.get("/api/v1/search?q=pods"), async {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        server.stop.send_replace(true);
    });
    assert!([200, 503].contains(&first.status), "{}", first.status);
    server.ended().await;
}

#[tokio::test]
async fn a_controller_that_sends_all_there_is_takes_away_what_is_not_there() {
    let server = Running::open().await;
    let object = |n: usize| json!({"namespace": "shop", "name": format!("thing-{n}"), "kind": "ConfigMap", "apiVersion": "v1", "createdAt": "2026-02-20T10:00:00Z", "updatedAt": "2026-02-20T10:00:00Z"});
    let all = |numbers: std::ops::Range<usize>, whole: bool| {
        json!({"upserts": numbers.map(object).collect::<Vec<_>>(), "isResync": whole}).to_string()
    };
    let post = async |body: String| {
        let told = server.post("/api/v1/resources/sync", body.as_bytes()).await;
        server.written().await;
        (told.status, told.json())
    };
    let (status, told) = post(all(0..300, true)).await;
    assert_eq!((status, &told["success"], &told["data"]), (200, &json!(true), &json!({"upserted": 300, "deleted": 0})));
    assert!(told["meta"]["timestamp"].is_string() && told["meta"]["requestId"].is_string());
    let count = async || server.export().await.len();
    assert_eq!(count().await, 300);
    post(json!({"deletes": [object(0)]}).to_string()).await;
    assert_eq!(count().await, 299);
    // What is missing in all that there is, is gone; where that is most of it, it is not believed.
    post(all(50..300, true)).await;
    assert_eq!(count().await, 250);
    post(all(0..10, true)).await;
    assert_eq!(count().await, 260);
    for body in ["{", "[]", r#"{"upserts":[{}]}"#, r#"{"isResync":1}"#] {
        let (status, told) = post(body.to_owned()).await;
        assert_eq!((status, &told["success"]), (400, &json!(false)), "{told}");
        assert!(told["error"]["code"].is_string() && told["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn a_page_of_another_host_gets_nothing_of_a_server_that_asks_nobody_who_they_are() {
    let server = Running::open().await;
    let port = server.address.port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        ("LOCALHOST".to_owned(), 200),
        (format!("[::1]:{port}"), 200),
        (format!("evil.example:{port}"), 403),
        ("127.0.0.1.evil.example".to_owned(), 403),
        (String::new(), 403),
    ] {
        assert_eq!(server.of_host(&host, "/api/v1/status").await.status, status, "{host}");
        assert_eq!(server.of_host(&host, "/healthz").await.status, 200, "{host}");
    }
    // Whoever has to say who they are may come by any name.
    let server = Running::with_tokens(&[("all", "all-token", "see = \"all\"")]).await;
    assert_eq!(server.of_host("evil.example", "/api/v1/status").await.status, 401);
}

#[tokio::test]
async fn what_controllers_post_is_in_the_journal_too() {
    let server = Running::open().await;
    // As API servers have it: without what is below the second.
    let now = || jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap().to_string();
    let object = |name: &str, created: &str, label: &str| {
        let mut object = upsert("shop", "apps/v1", "Deployment", name);
        object["createdAt"] = json!(created);
        object["labels"] = json!({"state": label});
        object
    };
    let send = async |upserts: &[Value], deletes: Option<&[&str]>| {
        server.post(SYNC, &posted(upserts, deletes)).await;
        server.written().await;
    };
    let told = async || {
        let told = server.get("/api/v1/changes").await.json();
        let row = |entry: &Value| format!("{} {}", entry["what"].as_str().unwrap(), entry["name"].as_str().unwrap());
        told["changes"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    // What is sent first was there before, and what is old is no news later either.
    send(&[object("checkout", &now(), "a"), object("cart", "2026-02-20T10:00:00Z", "a")], None).await;
    send(&[object("search", "2026-02-20T10:00:00Z", "a")], None).await;
    assert!(told().await.is_empty(), "{:?}", told().await);
    send(&[object("basket", &now(), "a"), object("cart", "2026-02-20T10:00:00Z", "b")], None).await;
    send(&[], Some(&["shop/apps/v1/Deployment/checkout"])).await;
    // Sent again, nothing happens.
    send(&[object("basket", &now(), "a"), object("cart", "2026-02-20T10:00:00Z", "b")], None).await;
    let mut told = told().await;
    assert_eq!(told.remove(0), "deleted checkout");
    told.sort();
    assert_eq!(told, ["created basket", "labels-changed cart"]);
    let gone = server.get("/api/v1/search?q=checkout").await.text();
    assert!(gone.contains("Deployment shop/checkout is gone since"), "{gone}");
}

#[tokio::test]
async fn the_page_needs_no_credentials_and_holds_nothing_of_the_index() {
    let server = Running::with_tokens(&[("all", "all-token", "see = \"all\"")]).await;
    let page = server.get("/").await;
    assert!(page.status == 200 && page.text().contains("<title>clusterlore</title>"), "{}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(rule) && !policy.contains("unsafe"), "{policy}");
    }
    let text = page.text();
    let named =
        text.split(['"', ' ']).filter(|word| word.starts_with("/page/")).collect::<std::collections::BTreeSet<_>>();
    assert!(named.len() >= 4, "{named:?}");
    for path in named {
        let file = server.get(path).await;
        let tag = file.header("etag").unwrap().to_owned();
        assert_eq!((file.status, file.header("x-content-type-options")), (200, Some("nosniff")), "{path}");
        assert_eq!(
            (file.header("referrer-policy"), file.header("cache-control")),
            (Some("no-referrer"), Some("no-cache"))
        );
        let again = server.send("GET", path, &[("if-none-match", &tag)], b"").await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    for path in ["/page/", "/page/nothing.js", "/page/..%2fapp.js", "/page/a/b", "/pages"] {
        assert!([401, 404].contains(&server.get(path).await.status), "{path}");
    }
    assert_eq!(server.send("POST", "/", &[], b"").await.status, 405);
    assert_eq!(server.get("/api/v1/status").await.status, 401);
}

/// The events of a stream: name and data.
fn events(text: &str) -> Vec<(String, Value)> {
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some((field("event:")?.to_owned(), serde_json::from_str(field("data:")?).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn a_conversation_is_carried_by_its_client() {
    let server = Running::open().await;
    let stateful = |namespace: &str, name: &str| upsert(namespace, "apps/v1", "StatefulSet", name);
    let all = [stateful("shop", "orders-postgres"), stateful("bank", "ledger-mysql"), stateful("bank", "rates-redis")];
    server.post(SYNC, &posted(&all, None)).await;
    server.written().await;
    let talk = async |question: &str, turns: Value| {
        let body = json!({"question": {"q": question, "live": false}, "turns": turns});
        server.post("/api/v1/talk", body.to_string().as_bytes()).await
    };
    let first = talk("what databases are running?", json!([])).await.json();
    assert_eq!(first["question"], "what databases are running?");
    assert!(first["answer"][0]["text"].as_str().unwrap().contains("databases"), "{first}");
    let next = talk("which of them are in bank?", json!([first["turn"]])).await.json();
    assert_eq!((&next["number"], next["took"]["text"].is_string()), (&json!(2), true), "{next}");
    // The same as events, as they come.
    let body =
        json!({"question": {"q": "which of them are in bank?", "live": false}, "turns": [first["turn"]]}).to_string();
    let headers = [("content-type", "application/json"), ("accept", "text/event-stream")];
    let told = server.send("POST", "/api/v1/talk", &headers, body.as_bytes()).await;
    assert!(told.header("content-type").unwrap().starts_with("text/event-stream"));
    let events = events(&told.text());
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["step", "step", "answer"]);
    assert_eq!((&events[0].1["text"], &events[2].1["answer"]), (&json!("Searching the index"), &next["answer"]));
    // A question that cannot be answered is told as one.
    let body = json!({"question": {"q": "the"}}).to_string();
    let told = server.send("POST", "/api/v1/talk", &headers, body.as_bytes()).await.text();
    assert!(told.contains("event: problem") && told.contains("the question is empty"), "{told}");

    for (body, reason) in [
        (json!([]), "no JSON object"),
        (json!({"turns": []}), "the question is missing"),
        (json!({"question": "what?"}), "the question is missing, or no object"),
        (json!({"question": {"q": "a", "limit": 0}}), "1 to 1000"),
        (json!({"question": {"q": "a", "colour": 1}}), "unknown field `colour`"),
        (json!({"question": {"q": "a"}, "turns": {}}), "turns is no list"),
        (json!({"question": {"q": "a"}, "turns": [1]}), "a turn cannot be read"),
        (json!({"question": {"q": "a"}, "turns": [{"version": 99}]}), "a turn cannot be read"),
        (json!({"question": {"q": "a"}, "turns": vec![first["turn"].clone(); 51]}), "expected the last 50"),
        (json!({"question": {"q": "a"}, "thread": "x"}), "unknown field `thread`"),
    ] {
        let told = server.post("/api/v1/talk", body.to_string().as_bytes()).await;
        assert!(told.status == 400 && told.text().contains(reason), "{body}: {} {}", told.status, told.text());
    }
}

#[tokio::test]
async fn a_turn_that_is_made_up_shows_nothing_that_the_caller_may_not_see() {
    let tokens =
        [("bank", "bank-token", "see = [{ namespaces = [\"bank\"] }]"), ("controller", "write-token", "write = \"\"")];
    let server = Running::with_tokens(&tokens).await;
    let secret = upsert("shop", "apps/v1", "StatefulSet", "orders-postgres");
    let own = upsert("bank", "apps/v1", "StatefulSet", "ledger-mysql");
    let writes = [("content-type", "application/json"), ("authorization", "Bearer write-token")];
    server.send("POST", SYNC, &writes, &posted(&[secret, own], None)).await;
    server.written().await;
    let bank = [("content-type", "application/json"), ("authorization", "Bearer bank-token")];
    let ids = json!(["shop/apps/v1/StatefulSet/orders-postgres", "bank/apps/v1/StatefulSet/ledger-mysql"]);
    let turn = json!({"version": 1, "question": "databases", "asked": "databases", "collection": "instances", "answered": ids, "shown": ids, "noun": "database"});
    let ask = async |question: &str| {
        let body = json!({"question": {"q": question}, "turns": [turn]}).to_string();
        server.send("POST", "/api/v1/talk", &bank, body.as_bytes()).await.json()
    };
    for question in ["which of them are there?", "how many of them?", "the first", "and their labels?"] {
        let told = ask(question).await;
        assert!(!told["hits"].to_string().contains("orders-postgres"), "{question}: {told}");
        assert!(!told["answer"].to_string().contains("in shop"), "{question}: {told}");
    }
    for path in ["details", "tree"] {
        let get = async |id: &str| server.send("GET", &format!("/api/v1/{path}?id={id}"), &bank[1..], b"").await;
        assert_eq!(get("shop/apps/v1/StatefulSet/orders-postgres").await.status, 404, "{path}");
        assert_eq!(get("bank/apps/v1/StatefulSet/ledger-mysql").await.status, 200, "{path}");
        assert_eq!(get("").await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn an_object_is_told_with_its_family_and_with_what_shows_more_of_it() {
    let server = Running::open().await;
    let objects = [upsert("shop", "apps/v1", "Deployment", "web"), upsert("shop", "v1", "Secret", "web")];
    server.post(SYNC, &posted(&objects, None)).await;
    server.written().await;
    let details = server.get("/api/v1/details?id=shop/apps/v1/Deployment/web").await.json();
    assert_eq!((&details["name"], &details["created"]), (&json!("web"), &json!("2026-02-20T10:00:00Z")));
    assert_eq!(details["commands"][1], "kubectl -n shop get deployment/web");
    let tree = server.get("/api/v1/tree?id=shop/apps/v1/Deployment/web").await.json();
    assert_eq!((&tree["owners"], &tree["owned"], &tree["whole"]), (&json!([]), &json!([]), &json!(true)));
    let hit = &server.get("/api/v1/search?q=web&kind=deployment").await.json()["hits"][0];
    assert_eq!(
        (&hit["createdAt"], &hit["command"]),
        (&json!("2026-02-20T10:00:00Z"), &json!("kubectl -n shop get deployment.apps/web"))
    );
    let notes = server.get("/api/v1/search?q=web+in+namespace+shop").await.json()["notes"].clone();
    assert_eq!(notes[0]["values"], json!(["shop"]), "{notes}");
    for path in ["details?id=nothing", "tree?id=shop/v1/Pod/none", "details?id=a/b/c/d/e/f"] {
        assert_eq!(server.get(&format!("/api/v1/{path}")).await.status, 404, "{path}");
    }
    for path in ["details", "tree", "tree?id=", "tree?id=a&id=b", "details?q=a", "tree?id=a&live"] {
        assert_eq!(server.get(&format!("/api/v1/{path}")).await.status, 400, "{path}");
    }
}
