//! Remote embedders against a stand-in on loopback: what is sent, and what is made of every kind of answer.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use clusterlore_models::{Embedder, Key, Pauses, Purpose, Remote, openai, voyage};
use clusterlore_testkit::embeddings::{DIMENSIONS, FakeEmbeddings, VOYAGE_4, vector, vectors};
use serde_json::json;

const PAUSES: Pauses = Pauses { busy: Duration::from_millis(1), lost: Duration::from_millis(1) };
const SECRET: &str = "sk-never-shown";

fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("text {i}")).collect()
}

async fn connected(server: &FakeEmbeddings) -> Remote {
    openai("test", &server.url(), Key::new(SECRET), Some(DIMENSIONS), PAUSES).await.unwrap()
}

/// The error when the server answers everything with this.
async fn error(status: u16, body: &str) -> (String, usize) {
    let server = FakeEmbeddings::start().await;
    let remote = connected(&server).await;
    let body = body.to_owned();
    server.script(move |_, _| Some((status, None, body.clone())));
    let error = remote.embed(Purpose::Document, texts(2)).await.unwrap_err();
    assert!(!format!("{error} {error:?} {remote:?}").contains(SECRET), "{error:?} {remote:?}");
    (error.to_string(), server.asked().len())
}

#[tokio::test]
async fn requests_are_exactly_these() {
    let server = FakeEmbeddings::start().await;
    let key = || Key::new(SECRET).unwrap();
    let remote = voyage("voyage-4", &server.url(), key(), None, PAUSES).await.unwrap();
    assert_eq!(remote.identity().to_string(), "voyage:voyage-4 (1024 dimensions)");
    assert!(server.asked().is_empty(), "its dimensions are known");
    let remote = voyage("voyage-4", &server.url(), key(), Some(VOYAGE_4), PAUSES).await.unwrap();
    remote.embed(Purpose::Document, vec!["a".into(), "b".into()]).await.unwrap();
    remote.embed(Purpose::Query, vec!["c".into()]).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].body, json!({"input": ["a", "b"], "model": "voyage-4", "input_type": "document"}));
    assert_eq!(asked[1].body, json!({"input": ["c"], "model": "voyage-4", "input_type": "query"}));
    for one in &asked {
        assert_eq!(
            (one.path.as_str(), &one.headers["content-type"]),
            ("/v1/embeddings", &"application/json".parse().unwrap())
        );
        assert_eq!(one.headers["authorization"], format!("Bearer {SECRET}"));
    }

    let remote = openai("test", &format!("{}/", server.url()), None, None, PAUSES).await.unwrap();
    assert_eq!(remote.identity().name, format!("openai:test@{}", server.url()));
    assert_eq!(remote.identity().dimensions, DIMENSIONS);
    let asked = server.asked();
    assert_eq!((asked.len(), &asked[0].body), (1, &json!({"input": ["cluster"], "model": "test"})));
    assert!(!asked[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn vectors_are_of_unit_length_and_in_the_order_of_the_texts() {
    let server = FakeEmbeddings::start().await;
    let remote = connected(&server).await;
    let mut texts = texts(300);
    texts[7] = " ".to_owned();
    let made = remote.embed(Purpose::Document, texts.clone()).await.unwrap();
    for (text, made) in texts.iter().zip(&made) {
        let right = vector(text);
        let length = right.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
        assert!(made.iter().zip(&right).all(|(m, r)| (m - r / length).abs() < 1e-5), "{text}");
    }
    let mut sizes: Vec<usize> = server.asked().iter().map(|a| a.body["input"].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [43, 128, 128], "a text that says nothing is not sent");
}

#[tokio::test]
async fn a_wrong_answer_says_what_was_expected_and_what_came() {
    let good = vectors(&json!({"input": ["text 0", "text 1"]}));
    let mut few = good.clone();
    few["data"].as_array_mut().unwrap().pop();
    let mut short = good.clone();
    short["data"][0]["embedding"] = json!([1.0, 2.0]);
    let mut null = good.clone();
    null["data"][0]["embedding"][3] = json!(null);
    let mut twice = good.clone();
    twice["data"][0]["index"] = json!(0);
    let nan = good.to_string().replacen("0.0", "NaN", 1);
    for (body, expected, received) in [
        (few.to_string(), "2 vectors", "received 1"),
        (short.to_string(), "vectors of 64 dimensions", "one of 2"),
        (null.to_string(), "finite numbers", "null"),
        (twice.to_string(), "each index from 0 to 1 once", "another 0"),
        (nan, "JSON", "line 1"),
        ("<html>".to_owned(), "JSON", "line 1"),
    ] {
        let (error, asked) = error(200, &body).await;
        assert!(error.contains(expected) && error.contains(received) && error.contains("127.0.0.1"), "{error}");
        assert_eq!(asked, 1, "{error}");
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_refusal_is_not_repeated() {
    let server = FakeEmbeddings::start().await;
    let remote = connected(&server).await;
    server.script(|n, _| (n < 2).then(|| (429, Some(n.to_string()), String::new())));
    let began = std::time::Instant::now();
    remote.embed(Purpose::Document, texts(1)).await.unwrap();
    assert_eq!(server.asked().len(), 3);
    assert!(began.elapsed() >= Duration::from_secs(1), "Retry-After: 0, then 1");

    let (said, asked) = error(500, r#"{"error":{"message":"out of\n memory"}}"#).await;
    assert!(said.contains("5 tries (status 500: out of memory)"), "{said}");
    assert_eq!(asked, 5);
    let (said, asked) = error(0, "").await;
    assert!(said.contains("5 tries") && asked == 5, "{said}");
    let (said, asked) = error(401, &format!("Incorrect key {SECRET}")).await;
    assert!(said.contains("the key was refused by 127.0.0.1"), "{said}");
    assert_eq!(asked, 1);
    let (said, asked) = error(404, &format!(r#"{{"error":{{"message":"no model \"test\" for {SECRET}"}}}}"#)).await;
    assert!(said.contains("status 404: no model \"test\" for …"), "{said}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_address_where_nobody_is_and_one_that_is_none() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = openai("test", &format!("http://{address}/v1"), None, None, PAUSES).await.unwrap_err().to_string();
    assert!(error.contains(&format!("{address} gave no answer in 5 tries")) && error.contains("refused"), "{error}");
    for wrong in ["ftp://host/v1", "http://me:s3cret@host/v1", "http://host/v1?key=1"] {
        let error = openai("test", wrong, None, None, PAUSES).await.unwrap_err().to_string();
        assert!(error.contains("is not an address; expected") && !error.contains("s3cret"), "{error}");
    }
}
