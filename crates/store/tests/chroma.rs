//! What a store on a real Chroma does beyond what every store must: other programs, other machines, servers that go away or refuse.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clusterlore_core::{
    Capability, Collection, ContentHash, Document, EmbedderIdentity, ResourceInstance, ResourceType, Rule, Scope,
    SourceIdentity,
};
use clusterlore_store::{
    Batch, Candidate, Chroma, ChromaOptions, Credentials, Filter, Probe, RunKind, RunRecord, Runs, Store, StoreError,
    Upsert, View, Writer,
};
use clusterlore_testkit::real::ChromaServer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const DIMENSIONS: usize = 32;

fn embedder() -> EmbedderIdentity {
    EmbedderIdentity { name: "test".into(), dimensions: DIMENSIONS }
}

fn options(url: &str, local: &Path) -> ChromaOptions {
    ChromaOptions {
        url: url.to_owned(),
        local: local.to_owned(),
        fresh_for: Duration::ZERO,
        ..ChromaOptions::default()
    }
}

/// A store as a machine of that name opens it.
async fn machine(server: &ChromaServer, folder: &tempfile::TempDir, name: &str) -> Chroma {
    Chroma::connect(options(&server.url(), &folder.path().join(name))).await.unwrap()
}

fn instance(n: usize) -> ResourceInstance {
    let kind = ["Deployment", "Service", "Mouse"][n % 3];
    let mut i =
        ResourceInstance::new("x.example/v1", kind, Some(&format!("ns-{}", n % 4)), &format!("web-{n}")).unwrap();
    i.labels = [("app".to_owned(), "web".to_owned()), ("n".to_owned(), format!("n{n}"))].into();
    i.annotations.insert("description".into(), format!("Serves page {n}"));
    i
}

fn document(n: usize) -> Document {
    let plural = ["deployments.x.example", "services.x.example", "mice.x.example"][n % 3];
    Document::of_instance(&instance(n), plural)
}

fn vector_of(seed: usize, dimensions: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    let vector: Vec<f32> = (0..dimensions).map(|_| random.f32() - 0.5).collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}

fn vector(seed: usize) -> Vec<f32> {
    vector_of(seed, DIMENSIONS)
}

fn batch(numbers: impl IntoIterator<Item = usize>) -> Batch {
    let upserts = numbers.into_iter().map(|n| Upsert { document: document(n), vector: Some(vector(n)) });
    Batch::writing(1, upserts.collect())
}

async fn filled(server: &ChromaServer, folder: &tempfile::TempDir, documents: usize) -> Chroma {
    let store = machine(server, folder, "first").await;
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    store.apply(Collection::Instances, batch(0..documents)).await.unwrap();
    store
}

async fn near(store: &dyn Store, vector: Vec<f32>, nearest: usize, filter: Filter) -> Vec<Candidate> {
    let probe = Probe { vector, nearest, filter, ..Probe::default() };
    let mut found = all(store).await.probe(Collection::Instances, probe).await.unwrap().documents;
    found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    found
}

async fn by_word(store: &dyn Store, term: &str) -> BTreeSet<String> {
    let probe = Probe { terms: vec![term.to_owned()], containing: 1_000, vector: vector(0), ..Probe::default() };
    all(store)
        .await
        .probe(Collection::Instances, probe)
        .await
        .unwrap()
        .documents
        .into_iter()
        .map(|d| d.id.clone())
        .collect()
}

async fn hashes(store: &dyn Store) -> BTreeMap<String, (ContentHash, i64)> {
    let mut hashes = BTreeMap::new();
    all(store)
        .await
        .scan(Collection::Instances, "", &mut |s| hashes.extend([(s.id.to_owned(), (s.hash, s.source))]))
        .await
        .unwrap();
    hashes
}

const EVERYTHING: Scope = Scope::All { because: "a test" };

async fn all(store: &dyn Store) -> Box<dyn View> {
    store.view(&EVERYTHING).await.unwrap()
}

fn json_of(printed: &str) -> Value {
    serde_json::from_str(printed.trim()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_language_reads_what_is_written() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&server, &folder, 300).await;
    assert_eq!(store.place(), format!("Chroma at {}", server.url()));
    let query = vector(1_000);
    let told = json_of(&server.python(
        "c = client.get_collection('instances', embedding_function=None)\n\
         all = c.get(include=['documents', 'metadatas', 'embeddings'])\n\
         near = c.query(query_embeddings=[json.loads(args[0])], n_results=20)\n\
         print(json.dumps({'ids': all['ids'], 'documents': all['documents'], 'metadatas': all['metadatas'],\n\
           'embeddings': [[float(x) for x in e] for e in all['embeddings']], 'near': near['ids'][0],\n\
           'distances': near['distances'][0], 'space': c.configuration['hnsw']['space'], 'metadata': c.metadata,\n\
           'where': c.get(where={'kind': 'Service'}, include=[])['ids']}))",
        &[&json!(query).to_string()],
    ));
    assert_eq!((&told["space"], &told["metadata"]["hnsw:space"]), (&json!("cosine"), &json!("cosine")));
    assert_eq!(told["ids"].as_array().unwrap().len(), 300);
    for (place, id) in told["ids"].as_array().unwrap().iter().enumerate() {
        let n = (0..300).find(|n| document(*n).id == id.as_str().unwrap()).unwrap();
        let expected = document(n);
        assert_eq!(told["documents"][place], expected.text);
        let mut metadata = told["metadatas"][place].as_object().unwrap().clone();
        assert!(metadata.remove("clusterlore").is_some());
        assert_eq!(metadata, expected.metadata, "exactly the keys of the contract beside our own");
        let embedding = told["embeddings"][place].as_array().unwrap().iter();
        assert!(embedding.zip(vector(n)).all(|(a, b)| (a.as_f64().unwrap() - f64::from(b)).abs() < 1e-6));
    }
    assert_eq!(told["where"].as_array().unwrap().len(), 100);
    let ours = near(&store, query, 20, Filter::default()).await;
    for (place, hit) in ours.iter().enumerate() {
        assert_eq!(told["near"][place], hit.id);
        let theirs = 1.0 - told["distances"][place].as_f64().unwrap();
        assert!((theirs - f64::from(hit.similarity)).abs() < 1e-4, "{theirs} {}", hit.similarity);
    }
}

/// What the other tool of this kind does, as far as a store sees it: the metadata of the contract and no more.
fn written_by_another_program(server: &ChromaServer, documents: usize) {
    let rows: Vec<Value> = (0..documents)
        .map(|n| {
            let d = document(n);
            json!({"id": d.id, "text": d.text, "metadata": d.metadata, "vector": vector(n)})
        })
        .collect();
    let ty = ResourceType {
        group: "x.example".into(),
        version: "v1".into(),
        kind: "Mouse".into(),
        plural: "mice".into(),
        ..ResourceType::default()
    };
    let capability = Capability {
        resource_name: ty.name(),
        api_version: ty.api_version(),
        group: ty.group.clone(),
        kind: ty.kind.clone(),
        capabilities: vec!["rodent".into()],
        description: "Eats cheese.".into(),
        use_case: "Test cats.".into(),
        confidence: 0.5,
        ..Capability::default()
    };
    let c = Document::of_capability(&capability, &ty, None);
    let capability = json!({"id": c.id, "text": c.text, "metadata": c.metadata, "vector": vector(0)});
    server.python(
        "for name, rows in [('instances', json.loads(args[0])), ('capabilities', [json.loads(args[1])])]:\n\
         \x20   c = client.create_collection(name, metadata={'hnsw:space': 'cosine', 'of': 'another'}, embedding_function=None)\n\
         \x20   for row in rows: row['metadata']['extra'] = 'kept'\n\
         \x20   c.add(ids=[r['id'] for r in rows], documents=[r['text'] for r in rows],\n\
         \x20     metadatas=[r['metadata'] for r in rows], embeddings=[r['vector'] for r in rows])",
        &[&json!(rows).to_string(), &capability.to_string()],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_filled_is_searched_and_synced() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    written_by_another_program(&server, 30);
    let store = machine(&server, &folder, "first").await;
    let info = all(&store).await.collection(Collection::Instances).await.unwrap().unwrap();
    assert_eq!((info.documents, &info.embedder), (30, &EmbedderIdentity::unknown(DIMENSIONS)));
    assert!(info.embedder.admits(&embedder()));

    // Searched, before anything was written.
    assert_eq!(near(&store, vector(7), 1, Filter::default()).await[0].id, document(7).id);
    assert_eq!(by_word(&store, "web").await.len(), 30);
    let mice = Filter { types: ["mice.x.example".to_owned()].into(), ..Filter::default() };
    let found = near(&store, vector(7), 100, mice.clone()).await;
    assert_eq!(found.len(), 10, "the type's name is read off the capabilities");
    let record: ResourceInstance = serde_json::from_str(&found[0].record).unwrap();
    let n = (0..30).find(|n| document(*n).id == found[0].id).unwrap();
    assert_eq!(record, instance(n), "labels and description too");
    let mut types = Vec::new();
    all(&store).await.scan(Collection::Capabilities, "", &mut |s| types.push(s.type_name.to_owned())).await.unwrap();
    assert_eq!(types, ["mice.x.example"]);

    // Synced: texts did not change, so nothing is embedded, and everything is completed.
    store.open_collection(Collection::Instances, &embedder()).await.unwrap();
    assert_eq!(all(&store).await.collection(Collection::Instances).await.unwrap().unwrap().embedder, embedder());
    let known = hashes(&store).await;
    for n in 0..30 {
        let (hash, source) = known[&document(n).id];
        // The other kinds are in no capability, and are guessed.
        assert_eq!((hash.text, hash.rest, source), (document(n).hash.text, [0; 8], 0));
    }
    let upserts = (0..30).map(|n| Upsert { document: document(n), vector: None }).collect();
    store.apply(Collection::Instances, Batch::writing(5, upserts)).await.unwrap();
    assert!(hashes(&store).await.values().all(|(hash, source)| hash.rest != [0; 8] && *source == 5));
    assert!((near(&store, vector(7), 1, Filter::default()).await[0].similarity - 1.0).abs() < 1e-4, "vectors are kept");
    let told = server.python(
        "c = client.get_collection('instances', embedding_function=None)\n\
         print(c.count(), {m['extra'] for m in c.get()['metadatas']}, c.metadata['of'])",
        &[],
    );
    assert_eq!(told.trim(), "30 {'kept'} another", "what the other program put there stays");

    // It writes over one of ours: its text is taken, and embedded again by the next sync.
    server.python(
        "c = client.get_collection('instances', embedding_function=None)\n\
         c.upsert(ids=[args[0]], documents=['another text'], embeddings=[[0.5] * 32])\n\
         c.delete(ids=[args[1]])",
        &[&document(3).id, &document(4).id],
    );
    let known = hashes(&store).await;
    assert_eq!(known.len(), 29);
    assert_eq!(known[&document(3).id].0.to_bytes(), [0; 16]);
}

#[tokio::test(flavor = "multi_thread")]
async fn collections_that_do_not_fit_are_refused_before_anything_is_written() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    written_by_another_program(&server, 3);
    server.python(
        "client.delete_collection('capabilities')\n\
         client.create_collection('capabilities', metadata={'hnsw:space': 'l2'}, embedding_function=None)",
        &[],
    );
    let store = machine(&server, &folder, "first").await;
    let voyage = EmbedderIdentity { name: "voyage:voyage-4".into(), dimensions: 1024 };
    let refused = store.open_collection(Collection::Instances, &voyage).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherEmbedder { .. }));
    let message = refused.to_string();
    for part in ["another program (32 dimensions)", "voyage:voyage-4 (1024 dimensions)"] {
        assert!(message.contains(part), "{message}");
    }
    let message = store.open_collection(Collection::Capabilities, &embedder()).await.unwrap_err().to_string();
    assert!(message.contains("compares vectors by \"l2\"; expected \"cosine\""), "{message}");
    server.python(
        "client.delete_collection('capabilities')\n\
         client.create_collection('capabilities', metadata={'hnsw:space': 'cosine'}, embedding_function=None)",
        &[],
    );
    store.open_collection(Collection::Capabilities, &embedder()).await.unwrap();
    assert_eq!(all(&store).await.collection(Collection::Capabilities).await.unwrap().unwrap().embedder, embedder());
    let told = server.python("print(sorted(c.name for c in client.list_collections()))", &[]);
    assert_eq!(told.trim(), "['capabilities', 'instances']");
    let told = server.python("print('clusterlore' in client.get_collection('instances').metadata)", &[]);
    assert_eq!(told.trim(), "False");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_sees_the_same() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = filled(&server, &folder, 400).await;
    let at = SourceIdentity::Folder { path: "/manifests".into() };
    let number = first.remember_source("", &at, false).await.unwrap();
    let ty = ResourceType { plural: "pods".into(), kind: "Pod".into(), ..ResourceType::default() };
    first.remember_types("", std::slice::from_ref(&ty)).await.unwrap();

    let second = machine(&server, &folder, "second").await;
    assert_eq!(all(&second).await.sources().await.unwrap(), all(&first).await.sources().await.unwrap());
    assert_eq!(all(&second).await.sources().await.unwrap()[0].number, number);
    assert_eq!(*all(&second).await.types().await.unwrap(), [(String::new(), ty.clone())]);
    assert_eq!(hashes(&second).await, hashes(&first).await);
    let some = Filter { namespaces: ["ns-1".to_owned()].into(), ..Filter::default() };
    let odd = Filter { selector: "n notin (n1,n5,n9)".parse().unwrap(), ..Filter::default() };
    for (filter, nearest) in [(Filter::default(), 30), (some, 30), (odd, 250), (Filter::default(), usize::MAX)] {
        let told = |found: Vec<Candidate>| {
            found.into_iter().map(|c| (c.id.clone(), c.record.clone())).collect::<BTreeSet<_>>()
        };
        let query = vector(5_000);
        let [one, other] = [&first, &second].map(|s| near(s, query.clone(), nearest, filter.clone()));
        let (one, other) = (one.await, other.await);
        let mut exact: Vec<usize> = (0..400)
            .filter(|n| filter.namespaces.is_empty() || n % 4 == 1)
            .filter(|n| filter.selector.is_empty() || ![1, 5, 9].contains(n))
            .collect();
        let cosine = |n: &usize| -> f32 { vector(*n).iter().zip(&query).map(|(a, b)| a * b).sum() };
        exact.sort_by(|a, b| cosine(b).total_cmp(&cosine(a)));
        exact.truncate(nearest);
        let expected: BTreeSet<String> = exact.iter().map(|n| document(*n).id).collect();
        assert_eq!(one.iter().map(|c| c.id.clone()).collect::<BTreeSet<_>>(), expected);
        assert_eq!(told(one), told(other));
    }

    // What one writes, the other sees, and neither loses anything.
    first.apply(Collection::Instances, Batch::deleting("", vec![document(1).key])).await.unwrap();
    second.apply(Collection::Instances, batch(400..410)).await.unwrap();
    first.remember_types("", &[]).await.unwrap();
    for store in [&first, &second] {
        assert_eq!(hashes(store).await.len(), 409);
        assert!(all(store).await.types().await.unwrap().is_empty());
    }

    // A program that announces nothing shows by the count.
    server.python(
        "c = client.get_collection('instances', embedding_function=None)\n\
         c.add(ids=['ns-x/v1/Pod/stranger'], documents=['Pod stranger'], embeddings=[[0.1] * 32],\n\
         \x20 metadatas=[{'namespace': 'ns-x', 'name': 'stranger', 'kind': 'Pod', 'apiVersion': 'v1'}])",
        &[],
    );
    for store in [&first, &second] {
        assert_eq!(by_word(store, "stranger").await, ["ns-x/v1/Pod/stranger".to_owned()].into());
        assert_eq!(all(store).await.collection(Collection::Instances).await.unwrap().unwrap().documents, 410);
    }
    server.python("client.get_collection('instances').delete(ids=['ns-x/v1/Pod/stranger'])", &[]);
    assert_eq!(near(&first, vec![0.1; DIMENSIONS], usize::MAX, Filter::default()).await.len(), 409);

    // The mirror can be made again at any time.
    let third = machine(&server, &folder, "third").await;
    assert_eq!(hashes(&third).await, hashes(&first).await);
    server.python("client.delete_collection('instances')", &[]);
    for store in [&first, &third] {
        assert_eq!(all(store).await.collection(Collection::Instances).await.unwrap(), None);
        assert!(by_word(store, "web").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_process_looks_again_after_a_while() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let writer = filled(&server, &folder, 10).await;
    let patient =
        ChromaOptions { fresh_for: Duration::from_millis(300), ..options(&server.url(), &folder.path().join("p")) };
    let reader = Chroma::connect(patient).await.unwrap();
    assert_eq!(by_word(&reader, "web").await.len(), 10);
    writer.apply(Collection::Instances, batch(10..20)).await.unwrap();
    let mut seen = 0;
    for _ in 0..100 {
        seen = by_word(&reader, "web").await.len();
        if seen == 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(seen, 20);
}

/// Whatever is read of a view, as one value; what is near by id with similarity.
async fn told(view: &dyn View, nearest: usize) -> (Vec<usize>, BTreeMap<String, String>, BTreeMap<String, f32>) {
    let of = Collection::Instances;
    let terms = ["web".to_owned(), "added".to_owned()];
    let (mut scanned, mut paged, mut after) = (0, Vec::new(), None);
    for cluster in ["", "east"] {
        view.scan(of, cluster, &mut |_| scanned += 1).await.unwrap();
    }
    loop {
        let page = view.page(of, after.as_deref(), 70, true).await.unwrap();
        paged.extend(page.documents);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let words = Probe { terms: terms.to_vec(), containing: 1_000, vector: vector(0), ..Probe::default() };
    let words = view.probe(of, words).await.unwrap();
    let near = view.probe(of, Probe { vector: vector(0), nearest, ..Probe::default() }).await.unwrap();
    let numbers = vec![
        view.collection(of).await.unwrap().unwrap().documents,
        scanned,
        view.counts(of).await.unwrap().iter().map(|c| c.documents).sum(),
        view.frequencies(of, &terms).await.unwrap()[0],
        view.terms(of).await.unwrap().documents("web").unwrap(),
        words.documents.len(),
        words.frequencies[0],
        near.total,
        view.probe(of, Probe { nearest: usize::MAX, ..Probe::default() }).await.unwrap().documents.len(),
        paged.len(),
    ];
    let mut texts: BTreeMap<String, String> =
        words.documents.into_iter().map(|c| (c.id.clone(), c.record.clone())).collect();
    texts.insert("vocabulary".to_owned(), format!("{:?}", view.vocabulary(of).await.unwrap()));
    (numbers, texts, near.documents.into_iter().map(|c| (c.id.clone(), c.similarity)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_several_reads_does_not_change_while_others_write() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = filled(&server, &folder, 300).await;
    let second = machine(&server, &folder, "second").await;
    let part = Scope::rules([Rule { namespaces: Some(["ns-1".to_owned()].into()), ..Rule::cluster("") }]);
    let (whole, within) = (all(&first).await, first.view(&part).await.unwrap());
    let (before, before_within) = (told(&*whole, 20).await, told(&*within, 20).await);
    assert_eq!(before.0, [300; 10]);
    assert_eq!(before_within.0, [75; 10]);

    // Another machine, and this one: some change, some go, some come, and what comes is nearer than everything.
    let mut changed = instance(9);
    changed.labels.insert("added".into(), "added".into());
    let upserts = (300..340).map(|n| Upsert { document: document(n), vector: Some(vector(0)) });
    let changed = Upsert { document: Document::of_instance(&changed, "deployments.x.example"), vector: None };
    let batch = Batch {
        upserts: upserts.chain([changed]).collect(),
        deletes: vec![document(0).key, document(1).key],
        source: 1,
        ..Batch::default()
    };
    for (store, writes) in [(&second, batch), (&first, Batch::deleting("", vec![document(5).key]))] {
        store.apply(Collection::Instances, writes).await.unwrap();
        for (view, (numbers, texts, near), scope) in [(&whole, &before, &EVERYTHING), (&within, &before_within, &part)]
        {
            let now = told(&**view, 20).await;
            assert_eq!((&now.0, &now.1), (numbers, texts), "{scope:?}");
            // What was removed is as near as nothing; the others are as near as they were, and nothing that came is there.
            assert_eq!(now.2.len(), 20);
            let removed = [0, 1, 5].map(|n| document(n).id);
            assert!(now.2.keys().all(|id| !(300..340).any(|n| document(n).id == *id)));
            for (id, similarity) in near.iter().filter(|(id, _)| !removed.contains(id)) {
                assert!((now.2[id] - similarity).abs() < 1e-4, "{id}");
            }
        }
    }
    let now = told(&*all(&first).await, 20).await;
    assert_eq!(now.0, [337; 10]);
    assert!(now.2.keys().all(|id| (300..340).any(|n| document(n).id == *id)));

    // The collection goes: texts and words stay in the view, nearness ends.
    server.python("client.delete_collection('instances')", &[]);
    let found = whole.probe(Collection::Instances, Probe { vector: vector(2), nearest: 5, ..Probe::default() }).await;
    assert!(found.as_ref().unwrap().documents.iter().all(|d| d.similarity == 0.0));
    assert_eq!(
        (found.unwrap().documents.len(), all(&first).await.collection(Collection::Instances).await.unwrap()),
        (5, None)
    );
}

/// Machines that write without a pause: whichever state a view shows, all that is read of it belongs together.
#[tokio::test(flavor = "multi_thread")]
async fn views_that_are_opened_while_others_write_hold_together() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = filled(&server, &folder, 300).await;
    let second = machine(&server, &folder, "second").await;
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writers: Vec<_> = [(&first, 1_000), (&second, 2_000)]
        .map(|(store, from)| (store.clone(), from, Arc::clone(&done)))
        .into_iter()
        .map(|(store, from, done)| {
            tokio::spawn(async move {
                let mut written = 0;
                for round in 0.. {
                    let numbers = from + round * 7 % 400..from + round * 7 % 400 + 7;
                    match round % 3 {
                        2 => {
                            let keys = numbers.map(|n| document(n - 7).key).collect();
                            store.apply(Collection::Instances, Batch::deleting("", keys)).await.unwrap();
                        }
                        _ => store.apply(Collection::Instances, batch(numbers)).await.unwrap(),
                    }
                    written += 1;
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                }
                written
            })
        })
        .collect();
    let patient =
        ChromaOptions { fresh_for: Duration::from_millis(200), ..options(&server.url(), &folder.path().join("p")) };
    let third = Chroma::connect(patient).await.unwrap();
    let mut sizes = BTreeSet::new();
    for _ in 0..12 {
        for store in [&first, &third] {
            let (numbers, _, near) = told(&*all(store).await, 20).await;
            assert!(numbers.iter().all(|n| *n == numbers[0]) && near.len() == 20, "{numbers:?}");
            sizes.insert(numbers[0]);
        }
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 3);
    }
    assert!(sizes.len() > 3, "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_plans_by_what_is_there_now() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let writer = filled(&server, &folder, 10).await;
    let patient =
        ChromaOptions { fresh_for: Duration::from_secs(3_600), ..options(&server.url(), &folder.path().join("p")) };
    let reader = Chroma::connect(patient.clone()).await.unwrap();
    let ty = ResourceType { plural: "pods".into(), kind: "Pod".into(), ..ResourceType::default() };
    let size = async |view: Result<Box<dyn View>, StoreError>| {
        let view = view.unwrap();
        let documents = view.collection(Collection::Instances).await.unwrap().unwrap().documents;
        (documents, view.types().await.unwrap().len())
    };
    assert_eq!(size(reader.view(&EVERYTHING).await).await, (10, 0));
    writer.apply(Collection::Instances, batch(10..20)).await.unwrap();
    writer.remember_types("", &[ty]).await.unwrap();
    assert_eq!(size(reader.view(&EVERYTHING).await).await, (10, 0), "what was seen a moment ago");
    assert_eq!(size(reader.view_now("a test").await).await, (20, 1));
    assert_eq!(size(reader.view(&EVERYTHING).await).await, (20, 1));

    // Another process of the same machine: what it noted in the file both share is known without another look.
    let beside = Chroma::connect(patient).await.unwrap();
    beside.apply(Collection::Instances, batch(20..30)).await.unwrap();
    assert_eq!(size(reader.view(&EVERYTHING).await).await, (30, 1));
    let found = near(&reader, vector(25), 1, Filter::default()).await;
    assert_eq!((&found[0].id, found[0].similarity.round()), (&document(25).id, 1.0));
}

/// Few, some and thousands: each is sought in another way.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_near_within_a_scope_is_what_would_be_near_without_the_others() {
    const MANY: usize = 7_600;
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&server, &folder, 100).await;
    for start in (100..MANY).step_by(2_500) {
        store.apply(Collection::Instances, batch(start..start + 2_500)).await.unwrap();
    }
    let namespaces = |numbers: &[usize]| Some(numbers.iter().map(|n| format!("ns-{n}")).collect::<BTreeSet<_>>());
    let mice = Some("mice.x.example".to_owned());
    let rule = |type_name: &Option<String>, namespaces| {
        Scope::rules([Rule { type_name: type_name.clone(), namespaces, cluster: String::new(), objects: None }])
    };
    let some = Filter {
        selector: format!("n in ({})", (0..600).map(|n| format!("n{n}")).collect::<Vec<_>>().join(","))
            .parse()
            .unwrap(),
        ..Filter::default()
    };
    for (scope, filter) in [
        (rule(&None, namespaces(&[0, 1, 2])), Filter::default()),
        (rule(&mice, namespaces(&[0, 3])), Filter::default()),
        (rule(&mice, namespaces(&[0, 3])), some),
        (EVERYTHING, Filter::default()),
    ] {
        let view = store.view(&scope).await.unwrap();
        let admitted: Vec<Document> = (0..MANY)
            .filter(|n| filter.is_empty() || *n < 600)
            .map(document)
            .filter(|d| scope.admits(Collection::Instances, "", &d.facets.type_name, &d.facets.namespace, Some(&d.key)))
            .collect();
        let number = |d: &Document| d.facets.labels["n"][1..].parse::<usize>().unwrap();
        let total = view.collection(Collection::Instances).await.unwrap().unwrap().documents;
        let mut right = 0;
        for asked in 0..10 {
            let query = vector(50_000 + asked);
            let cosine = |d: &Document| -> f32 { vector(number(d)).iter().zip(&query).map(|(a, b)| a * b).sum() };
            let mut exact: Vec<(f32, &str)> = admitted.iter().map(|d| (cosine(d), d.id.as_str())).collect();
            exact.sort_by(|a, b| b.0.total_cmp(&a.0));
            let probe = Probe { vector: query.clone(), nearest: 30, filter: filter.clone(), ..Probe::default() };
            let found = view.probe(Collection::Instances, probe).await.unwrap();
            assert_eq!((found.total, found.admitted, found.documents.len()), (total, admitted.len(), 30));
            let ids: BTreeSet<&str> = found.documents.iter().map(|d| d.id.as_str()).collect();
            right += exact.iter().take(30).filter(|(_, id)| ids.contains(id)).count();
        }
        assert!(right >= 297, "{right} of 300 with {} admitted", admitted.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_types_and_runs_of_others_are_not_told() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = machine(&server, &folder, "first").await;
    let ty = |plural: &str| ResourceType { plural: plural.into(), kind: "X".into(), ..ResourceType::default() };
    for cluster in ["", "east", "west"] {
        let at = SourceIdentity::Folder { path: format!("/{cluster}") };
        store.remember_source(cluster, &at, false).await.unwrap();
        store.remember_types(cluster, &[ty("pods"), ty("mice")]).await.unwrap();
        let run = RunRecord {
            command: RunKind::Capabilities,
            cluster: cluster.to_owned(),
            started: "1".to_owned(),
            finished: "2".to_owned(),
            summary: json!({"stored": 7}),
        };
        store.begin_run(&run).await.unwrap();
    }
    let mice = Rule { type_name: Some("mice".to_owned()), ..Rule::cluster("east") };
    let told = async |scope: Scope| {
        let view = store.view(&scope).await.unwrap();
        let sources: Vec<String> = view.sources().await.unwrap().into_iter().map(|s| s.cluster).collect();
        let types: Vec<String> =
            view.types().await.unwrap().iter().map(|(c, ty)| format!("{c}:{}", ty.name())).collect();
        let runs = view.last_runs().await.unwrap().into_iter();
        (sources, types, runs.map(|run| (run.cluster, run.summary.is_null())).collect::<BTreeMap<_, _>>())
    };
    let (sources, types, runs) = told(Scope::rules([Rule::cluster(""), mice])).await;
    assert_eq!(
        (sources, types),
        (vec![String::new(), "east".into()], vec![":mice".into(), ":pods".into(), "east:mice".into()])
    );
    assert_eq!(runs, [(String::new(), false), ("east".to_owned(), true)].into());
    let (sources, types, runs) = told(Scope::rules([])).await;
    assert!(sources.is_empty() && types.is_empty() && runs.is_empty());
    let (sources, types, runs) = told(EVERYTHING).await;
    assert_eq!((sources.len(), types.len(), runs.len()), (3, 6, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_loses_nothing() {
    let Some(mut server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&server, &folder, 100).await;
    let writing = store.clone();
    let run = tokio::spawn(async move {
        for start in (100..20_000).step_by(200) {
            writing.apply(Collection::Instances, batch(start..start + 200)).await?;
        }
        Ok::<_, StoreError>(())
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.kill();
    let failed = run.await.unwrap().unwrap_err();
    let message = failed.to_string();
    assert!(matches!(failed, StoreError::Unreachable { .. }), "{message}");
    assert!(message.contains(&server.url()) && message.contains("unharmed"), "{message}");
    assert!(matches!(store.view(&EVERYTHING).await, Err(StoreError::Unreachable { .. })));

    server.start_again();
    // The same machine, and one that starts from nothing, see what arrived and write the rest.
    let arrived = hashes(&store).await;
    assert!(arrived.len() >= 100, "{}", arrived.len());
    assert_eq!(hashes(&machine(&server, &folder, "second").await).await, arrived);
    let all = 0..arrived.len() + 300;
    let rest: Vec<usize> = all.clone().filter(|n| !arrived.contains_key(&document(*n).id)).collect();
    store.apply(Collection::Instances, batch(rest)).await.unwrap();
    assert_eq!(hashes(&store).await.len(), all.len());
    let told = server.python("print(client.get_collection('instances').count())", &[]);
    assert_eq!(told.trim(), all.len().to_string());
    assert_eq!(near(&store, vector(42), 1, Filter::default()).await[0].id, document(42).id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handover_that_is_cut_off_goes_on() {
    const MANY: usize = 3_000;
    let Some(server) = ChromaServer::start_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&server, &folder, MANY).await;
    let of = |name: &str, dimensions| EmbedderIdentity { name: name.into(), dimensions };
    let collections = || server.python("print(sorted(c.name for c in client.list_collections()))", &[]);
    let all_wait = async |store: &Chroma, embedder: &EmbedderIdentity| {
        let info = all(store).await.collection(Collection::Instances).await.unwrap().unwrap();
        assert_eq!((info.documents, &info.embedder), (MANY, embedder));
        assert!(hashes(store).await.values().all(|(hash, source)| hash.to_bytes() == [0; 16] && *source == 1));
        assert_eq!(by_word(store, "web").await.len(), 1_000, "as many as the probe wants");
        let found = near(store, vector_of(1, embedder.dimensions), usize::MAX, Filter::default()).await;
        assert!(found.len() == MANY && found.iter().all(|d| d.similarity == 0.0));
    };

    // What an earlier try left behind is no hindrance, and no collection.
    server.python("client.create_collection('clusterlore-new-instances', embedding_function=None)", &[]);
    store.change_embedder(Collection::Instances, &of("second", 8)).await.unwrap();
    all_wait(&store, &of("second", 8)).await;

    // Cut off between its last two steps: whoever comes next takes them.
    server.python(
        "client.get_collection('instances', embedding_function=None).modify(name='clusterlore-new-instances')",
        &[],
    );
    let other_machine = machine(&server, &folder, "second").await;
    all_wait(&other_machine, &of("second", 8)).await;
    assert_eq!(collections().trim(), "['clusterlore', 'clusterlore-waiting-instances', 'instances']");

    // A sync that stops half way, and another embedder before it goes on.
    let embedded = |numbers: std::ops::Range<usize>, dimensions| {
        let upserts = numbers.map(|n| Upsert { document: document(n), vector: Some(vector_of(n, dimensions)) });
        Batch::writing(1, upserts.collect())
    };
    store.apply(Collection::Instances, embedded(0..1_000, 8)).await.unwrap();
    for store in [&store, &other_machine] {
        let known = hashes(store).await;
        assert_eq!((known.len(), known[&document(5).id].0), (MANY, document(5).hash));
        assert_eq!(known.values().filter(|(hash, _)| hash.to_bytes() == [0; 16]).count(), MANY - 1_000);
        assert_eq!(near(store, vector_of(3, 8), 1, Filter::default()).await[0].id, document(3).id);
        let some = Filter { selector: "n in (n3,n2000)".parse().unwrap(), ..Filter::default() };
        let found = near(store, vector_of(3, 8), 5, some).await;
        assert_eq!(found.iter().map(|d| d.similarity.round()).collect::<Vec<_>>(), [1.0, 0.0]);
    }
    for _ in 0..2 {
        store.change_embedder(Collection::Instances, &of("third", 12)).await.unwrap();
    }
    all_wait(&store, &of("third", 12)).await;
    all_wait(&other_machine, &of("third", 12)).await;

    // The sync that goes to its end leaves nothing behind.
    for start in (0..MANY - 1).step_by(1_000) {
        store.apply(Collection::Instances, embedded(start..(start + 1_000).min(MANY - 1), 12)).await.unwrap();
    }
    store.apply(Collection::Instances, Batch::deleting("", vec![document(MANY - 1).key])).await.unwrap();
    assert_eq!(collections().trim(), "['clusterlore', 'instances']");
    for store in [&store, &other_machine] {
        assert_eq!(hashes(store).await.len(), MANY - 1);
        for n in (0..MANY - 1).step_by(100) {
            assert_eq!(near(store, vector_of(n, 12), 1, Filter::default()).await[0].id, document(n).id);
        }
    }
}

/// A server of one answer for each path, which notes what comes.
struct StandIn {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    async fn start(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 1 << 16];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let times = {
                    let mut notes = notes.lock().unwrap();
                    notes.push(request.to_lowercase());
                    notes.iter().filter(|r: &&String| r.split(' ').nth(1) == Some(&path.to_lowercase())).count()
                };
                let (status, body) = answer(&path, times);
                let head =
                    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        Self { url, heard }
    }

    async fn refusal(&self, credentials: Credentials) -> String {
        let options = ChromaOptions { credentials, ..options(&self.url, Path::new("/nonexistent/m.db")) };
        Chroma::connect(options).await.unwrap_err().to_string()
    }
}

/// As a Chroma of this version answers.
fn chroma(version: &'static str) -> impl Fn(&str, usize) -> (u16, String) + Send + Sync {
    move |path, _| match path {
        "/api/v2/heartbeat" => (200, "{\"nanosecond heartbeat\": 1}".to_owned()),
        "/api/v2/version" => (200, format!("\"{version}\"")),
        "/api/v2/pre-flight-checks" => (200, "{\"max_batch_size\": 10}".to_owned()),
        "/api/v2/tenants/default_tenant/databases/default_database" => (200, "{\"id\": \"x\"}".to_owned()),
        _ => (404, "{\"error\": \"NotFoundError\", \"message\": \"nothing there\"}".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_in_the_headers_that_servers_look_at() {
    let basic = Credentials::Basic { user: "me".into(), password: "s3cret".into() };
    for (credentials, header) in [
        (Credentials::Token("s3cret".into()), "x-chroma-token: s3cret"),
        (Credentials::Bearer("s3cret".into()), "authorization: bearer s3cret"),
        (basic, "authorization: basic bwu6cznjcmv0"),
        (Credentials::None, ""),
    ] {
        let server = StandIn::start(chroma("1.0.0")).await;
        let options =
            ChromaOptions { credentials: credentials.clone(), ..options(&server.url, Path::new("/nonexistent/m.db")) };
        let store = Chroma::connect(options).await.unwrap();
        assert!(!format!("{store:?}").contains("s3cret") || credentials == Credentials::None, "{store:?}");
        let heard = server.heard.lock().unwrap().clone();
        assert!(heard.len() >= 4 && heard.iter().all(|request| request.contains(header)), "{header}: {heard:?}");
        if header.is_empty() {
            assert!(heard.iter().all(|r| !r.contains("authorization") && !r.contains("x-chroma-token")));
        }
    }
    let refusing = StandIn::start(|_, _| (401, "{\"error\": \"Unauthorized s3cret\"}".to_owned())).await;
    let message = refusing.refusal(Credentials::Token("s3cret".into())).await;
    assert!(message.contains("the key was refused (status 401)") && !message.contains("s3cret"), "{message}");
    assert!(refusing.refusal(Credentials::None).await.contains("it wants a key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_serve_is_named() {
    let page = StandIn::start(|_, _| (200, "<html>welcome</html>".to_owned())).await;
    assert!(page.refusal(Credentials::None).await.contains("not a Chroma server"));
    let nothing = StandIn::start(|_, _| (404, String::new())).await;
    assert!(nothing.refusal(Credentials::None).await.contains("not a Chroma server"));
    let ancient = StandIn::start(|path, _| match path {
        "/api/v1/heartbeat" => (200, "{\"nanosecond heartbeat\": 1}".to_owned()),
        _ => (404, "{\"detail\": \"Not Found\"}".to_owned()),
    });
    let message = ancient.await.refusal(Credentials::None).await;
    assert!(
        message.contains("Chroma 0.x; expected 1.0 or newer") && message.contains("Update the server"),
        "{message}"
    );
    let old = StandIn::start(chroma("0.6.3")).await;
    assert!(old.refusal(Credentials::None).await.contains("Chroma 0.6.3; expected 1.0"));
    // What passes is waited for.
    let busy = StandIn::start(|path, times| match times {
        1 => (503, "later".to_owned()),
        _ => chroma("1.0.0")(path, times),
    });
    let busy = busy.await;
    Chroma::connect(options(&busy.url, Path::new("/nonexistent/m.db"))).await.unwrap();
    let nobody = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let refused =
        Chroma::connect(options(&format!("http://{nobody}"), Path::new("/nonexistent/m.db"))).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Unreachable { place, .. } if place.contains(&nobody.to_string())),
        "{refused}"
    );

    let Some(server) = ChromaServer::start_or_skip() else { return };
    let with = async |tenant: &str, database: &str| {
        let base = options(&server.url(), Path::new("/nonexistent/m.db"));
        let options = ChromaOptions { tenant: tenant.into(), database: database.into(), ..base };
        Chroma::connect(options).await.unwrap_err().to_string()
    };
    assert!(with("nobody", "default_database").await.contains("there is no tenant \"nobody\""));
    assert!(with("default_tenant", "nothing").await.contains("there is no database \"nothing\""));
}
