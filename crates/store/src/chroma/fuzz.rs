//! A server whose answers are Chroma's but for one of them, which is edited: the store answers or says in one line what is wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use clusterlore_core::{Collection, Document, EmbedderIdentity, ResourceInstance, Rule, Scope};
use clusterlore_testkit::edits::edited;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Chroma, ChromaOptions, row};
use crate::error::StoreError;
use crate::filter::Filter;
use crate::reader::Probe;
use crate::store::Store;
use crate::writer::{Batch, Upsert, Writer};

/// Cases where `PROPTEST_CASES` does not say: each is a server, a mirror and a dozen calls.
const CASES: u32 = 32;
/// No case takes so long, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(10);

fn document(n: usize) -> Document {
    let mut object = ResourceInstance::new("apps/v1", "Deployment", Some("shop"), &format!("web-{n}")).unwrap();
    object.labels.insert("app".into(), "web".into());
    object.annotations.insert("description".into(), "Serves pages".into());
    Document::of_instance(&object, "deployments.apps")
}

/// What Chroma says to a request: method and path from the database on.
fn right(method: &str, path: &str) -> (u16, Value) {
    let collection = |id: &str, name: &str, dimension: usize| {
        let filled = json!({"embedder": "test", "dimensions": 3}).to_string();
        json!({"id": id, "name": name, "dimension": dimension, "configuration_json": {"hnsw": {"space": "cosine"}},
            "metadata": {"hnsw:space": "cosine", "clusterlore": filled}})
    };
    let documents: Vec<Document> = (0..3).map(document).collect();
    let ids: Vec<&str> = documents.iter().map(|d| d.id.as_str()).collect();
    let answer = match (method, path) {
        (_, "/api/v2/heartbeat") => json!({"nanosecond heartbeat": 1}),
        (_, "/api/v2/version") => json!("1.5.9"),
        (_, "/api/v2/pre-flight-checks") => json!({"max_batch_size": 5_461, "supports_base64_encoding": true}),
        ("GET", path) if path.ends_with("/collections/instances") => collection("c1", "instances", 3),
        ("GET", path) if path.ends_with("/collections/clusterlore") => collection("n1", "clusterlore", 1),
        ("GET", path) if path.contains("/collections/") && path.ends_with("/count") => json!(3),
        ("GET", path) if path.contains("/collections/") => {
            return (404, json!({"error": "NotFoundError", "message": "there is no such collection"}));
        }
        ("POST", path) if path.ends_with("/n1/get") => json!({"ids": [], "documents": [], "metadatas": []}),
        ("POST", path) if path.ends_with("/get") => {
            let texts: Vec<&str> = documents.iter().map(|d| d.text.as_str()).collect();
            let metadatas: Vec<_> = documents.iter().map(|d| row::metadata(d, 1).unwrap()).collect();
            json!({"ids": ids, "documents": texts, "metadatas": metadatas, "embeddings": [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]]})
        }
        ("POST", path) if path.ends_with("/query") => json!({"ids": [ids], "distances": [[0.0, 0.5, 1.0]]}),
        ("POST", path) if path.ends_with("/collections") => collection("c1", "instances", 3),
        _ => json!({}),
    };
    (200, answer)
}

/// A server that gives what `answer` makes of the number of a request, its method and its path.
async fn server(answer: impl Fn(usize, &str, &str) -> (u16, Vec<u8>) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (answer, number) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, number) = (Arc::clone(&answer), Arc::clone(&number));
            tokio::spawn(async move {
                let _ = serve(stream, &*answer, &number).await;
            });
        }
    });
    url
}

async fn serve(
    stream: TcpStream,
    answer: &(impl Fn(usize, &str, &str) -> (u16, Vec<u8>) + Sync),
    number: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if stream.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        let mut line = first.clone();
        while !line.trim().is_empty() {
            line.clear();
            stream.read_line(&mut line).await?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        let mut parts = first.split(' ');
        let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (status, body) = answer(number.fetch_add(1, Ordering::Relaxed), method, path);
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        // In one piece: the client's system waits a while before it confirms half of an answer.
        stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    }
}

/// Everything that searches and syncs ask of a store.
async fn used(url: String, local: std::path::PathBuf) -> Result<(), StoreError> {
    let options = ChromaOptions { url, local, fresh_for: Duration::ZERO, ..ChromaOptions::default() };
    let store = Chroma::connect(options).await?;
    let mut first = Ok(());
    let mut note = |result: Result<(), StoreError>| {
        if first.is_ok() {
            first = result;
        }
    };
    let probe = Probe {
        vector: vec![1.0, 0.0, 0.0],
        terms: vec!["web".into()],
        filter: Filter::default(),
        nearest: 3,
        containing: 3,
    };
    let part = Scope::rules([Rule { namespaces: Some(["shop".to_owned()].into()), ..Rule::cluster("") }]);
    for scope in [Scope::All { because: "a test" }, part] {
        match store.view(&scope).await {
            Ok(view) => {
                note(view.collection(Collection::Instances).await.map(drop));
                note(view.types().await.map(drop));
                note(view.sources().await.map(drop));
                note(view.vocabulary(Collection::Instances).await.map(drop));
                note(view.frequencies(Collection::Instances, &["web".into()]).await.map(drop));
                match view.probe(Collection::Instances, probe.clone()).await {
                    Ok(found) => assert!(found.documents.iter().all(|d| !d.similarity.is_nan())),
                    Err(error) => note(Err(error)),
                }
                note(view.page(Collection::Instances, None, 10, true).await.map(drop));
                note(view.counts(Collection::Instances).await.map(drop));
                note(view.records(Collection::Instances, &[document(0).key]).await.map(drop));
                note(view.scan(Collection::Instances, "", &mut |_| {}).await.map(drop));
            }
            Err(error) => note(Err(error)),
        }
    }
    let embedder = EmbedderIdentity { name: "test".into(), dimensions: 3 };
    note(store.open_collection(Collection::Instances, &embedder).await);
    let upserts = vec![Upsert { document: document(7), vector: Some(vec![0.0, 0.0, 1.0]) }];
    note(store.apply(Collection::Instances, Batch { upserts, source: 1, ..Batch::default() }).await);
    first
}

fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig { cases: CASES, ..ProptestConfig::default() },
    }
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn fuzz_chroma_answers(
        answer in 0_usize..40,
        edits in 0_usize..4,
        random in any::<u64>(),
        status in prop::sample::select(vec![None, None, None, None, Some(201_u16), Some(301), Some(400), Some(404), Some(500)]),
    ) {
        let status = status.filter(|_| edits > 0);
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let result = runtime().block_on(async {
            let one = server(move |number, method, path| {
                let (right_status, right) = right(method, path);
                match number == answer {
                    true => (status.unwrap_or(right_status), edited(&right.to_string(), edits, random)),
                    false => (right_status, right.to_string().into_bytes()),
                }
            });
            used(one.await, folder.path().join("mirror.db")).await
        });
        if let Err(error) = result {
            let said = error.to_string();
            prop_assert!(edits > 0, "{}", said);
            prop_assert!(said.len() < 2_000 && !said.contains('\n'), "{}", said);
        }
        prop_assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    }
}

/// A server that does not know where it was gives the same page for ever.
#[test]
fn pages_that_repeat_are_an_error() {
    let ids: Vec<String> = (0..super::mirror::PAGE).map(|n| n.to_string()).collect();
    let page = json!({"ids": ids}).to_string().into_bytes();
    let folder = tempfile::tempdir().unwrap();
    let error = runtime().block_on(async {
        let always = server(move |_, method, path| match path.ends_with("/get") {
            true => (200, page.clone()),
            false => {
                let (status, answer) = right(method, path);
                (status, answer.to_string().into_bytes())
            }
        });
        used(always.await, folder.path().join("mirror.db")).await.unwrap_err().to_string()
    });
    assert!(error.contains("the same page of documents again"), "{error}");
}
