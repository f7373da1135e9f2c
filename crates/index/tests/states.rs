//! Many ask while one writes: every reply is over one committed state, and none waits for the writer.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Collection, Document, ObjectKey, ResourceInstance, ResourceType, Scope};
use clusterlore_index::{Index, Request};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_search::Wanted;
use clusterlore_store::{Batch, Runs, Sqlite, Store, Upsert, Writer};

const ALL: Scope = Scope::All { because: "a test" };
const THREADS: usize = 8;
const QUESTIONS: usize = 200;
/// Between two batches: twenty a second.
const PAUSE: Duration = Duration::from_millis(50);
/// States that are written at most; the questions are answered long before.
const STATES: usize = 400;

/// Object number `n` as state `state` has it; `None` where it is not there. Every object changes or goes in some states, several
/// at once, so that an answer over two states tells numbers and labels that no state has.
fn object(n: usize, state: usize) -> Option<ResourceInstance> {
    if (n + state).is_multiple_of(7) {
        return None;
    }
    let name = ["redis", "postgres", "checkout", "kafka", "nginx"][n % 5];
    let mut object =
        ResourceInstance::new("apps/v1", "Deployment", Some(["shop", "edge"][n % 2]), &format!("{name}-{n}")).unwrap();
    object.labels.insert("state".to_owned(), state.to_string());
    object.labels.insert("team".to_owned(), format!("team-{}", (n + state) % 3));
    Some(object)
}

/// What leads from the state before to this one, as one batch.
async fn batch(embedder: &dyn Embedder, state: usize) -> Batch {
    let (mut documents, mut deletes) = (Vec::new(), Vec::new());
    for n in 0..60 {
        match object(n, state) {
            Some(object) => documents.push(Document::of_instance(&object, "deployments.apps")),
            None => {
                let there = object_of_any(n);
                deletes.push(ObjectKey::new("", "apps", "Deployment", &there.namespace, &there.name));
            }
        }
    }
    let texts = documents.iter().map(|d| d.text.clone()).collect();
    let vectors = embedder.embed(Purpose::Document, texts).await.unwrap();
    let upserts = documents.into_iter().zip(vectors).map(|(document, v)| Upsert { document, vector: Some(v) });
    Batch { upserts: upserts.collect(), deletes, source: 1, ..Batch::default() }
}

fn object_of_any(n: usize) -> ResourceInstance {
    (1..8).find_map(|state| object(n, state)).unwrap()
}

async fn store(folder: &tempfile::TempDir, name: &str, embedder: &dyn Embedder) -> Arc<dyn Store> {
    let store = Sqlite::open_or_create(&folder.path().join(name)).unwrap();
    store.open_collection(Collection::Instances, &embedder.identity()).await.unwrap();
    let ty = ResourceType {
        kind: "Deployment".to_owned(),
        plural: "deployments".to_owned(),
        group: "apps".to_owned(),
        ..ResourceType::default()
    };
    store.remember_types("", &[ty]).await.unwrap();
    Arc::new(store)
}

fn request(number: usize) -> Request {
    let texts = [
        "redis",
        "how many redis are there per namespace",
        "databases of team-1",
        "message brokers in shop",
        "how many deployments of team-2",
        "everything in edge",
        "chekout",
        "nginx not in shop",
    ];
    Request {
        question: texts[number % texts.len()].to_owned(),
        number: if number.is_multiple_of(3) { Wanted::Always } else { Wanted::IfAsked },
        limit: 20,
        explain: true,
        ..Request::default()
    }
}

async fn answer(index: &Index, number: usize) -> String {
    serde_json::to_string(&index.ask(&ALL, &request(number)).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn every_reply_is_over_one_committed_state() {
    let folder = tempfile::tempdir().unwrap();
    let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
    let index = |store: Arc<dyn Store>| Index::new(store, Arc::clone(&embedder), Catalogue::builtin().clone());
    let written = store(&folder, "written.db", &*embedder).await;
    written.apply(Collection::Instances, batch(&*embedder, 0).await).await.unwrap();
    let asked = Arc::new(index(Arc::clone(&written)));

    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, embedder, done) = (Arc::clone(&written), Arc::clone(&embedder), Arc::clone(&done));
        tokio::spawn(async move {
            let mut state = 0;
            while !done.load(Ordering::SeqCst) && state < STATES {
                state += 1;
                let began = Instant::now();
                store.apply(Collection::Instances, batch(&*embedder, state).await).await.unwrap();
                tokio::time::sleep(PAUSE.saturating_sub(began.elapsed())).await;
            }
            state
        })
    };
    let readers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let asked = Arc::clone(&asked);
            tokio::spawn(async move {
                let mut replies = Vec::new();
                for number in (thread..QUESTIONS).step_by(THREADS) {
                    replies.push((number, answer(&asked, number).await));
                }
                replies
            })
        })
        .collect();
    let mut replies = Vec::new();
    for reader in readers {
        replies.extend(reader.await.unwrap());
    }
    done.store(true, Ordering::SeqCst);
    let states = writer.await.unwrap();
    assert_eq!(replies.len(), QUESTIONS);
    assert!(states > 5, "only {states} states were written meanwhile");

    // The states again, one by one.
    let mut open: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (number, reply) in replies {
        open.entry(number).or_default().push(reply);
    }
    let replayed = store(&folder, "replayed.db", &*embedder).await;
    let replay = index(Arc::clone(&replayed));
    for state in 0..=states {
        replayed.apply(Collection::Instances, batch(&*embedder, state).await).await.unwrap();
        let mut answers: BTreeMap<String, String> = BTreeMap::new();
        for (number, left) in &mut open {
            let key = format!("{:?}", request(*number));
            let answer = match answers.get(&key) {
                Some(answer) => answer.clone(),
                None => {
                    let answer = answer(&replay, *number).await;
                    answers.insert(key, answer.clone());
                    answer
                }
            };
            left.retain(|reply| *reply != answer);
        }
        open.retain(|_, left| !left.is_empty());
    }
    let lost: Vec<(&usize, &String)> = open.iter().flat_map(|(n, left)| left.iter().map(move |r| (n, r))).collect();
    assert!(lost.is_empty(), "{} replies are over no committed state, such as {:?}", lost.len(), lost.first());
}
