//! The stores beside each other, with Chroma's own client in Python as the yardstick: the same documents, the same server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clusterlore_core::{Collection, Document, EmbedderIdentity, ResourceInstance, words};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_store::{
    Batch, Chroma, ChromaOptions, Filter, Postgres, Probe, RunKind, RunRecord, Sqlite, Store, Upsert,
};
use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::ChromaServer;
use serde::Deserialize;

use crate::process::Sample;
use crate::rows::{Bench, Row, Unit, questions};

const DOCUMENTS: usize = 20_000;
/// Documents of one transaction, as a sync writes them.
const BATCH: usize = 1_000;
const QUESTIONS: usize = 100;
/// What a search looks at: see `Reach::NEAR` of the search room.
const NEAREST: usize = 80;
const CONTAINING: usize = 100;
const NAMESPACES: usize = 20;

/// What is asked of every store, and of the yardstick.
struct Work {
    embedder: EmbedderIdentity,
    upserts: Vec<Upsert>,
    questions: Vec<(Vec<f32>, Vec<String>)>,
}

/// One store, or the yardstick, measured once a round.
#[derive(Default)]
struct Measured {
    /// Seconds for all documents.
    write: Sample,
    /// Milliseconds for a question, the median of all: the nearest alone, the nearest in one namespace, the nearest and words.
    near: Sample,
    filtered: Sample,
    whole: Sample,
}

/// What the yardstick prints.
#[derive(Deserialize)]
struct Yardstick {
    write: f64,
    near: f64,
    filtered: f64,
}

/// The same documents to the byte are written by both: this reads back what ours wrote.
const DUMP: &str = r"
g = client.get_collection('instances', embedding_function=None).get(include=['documents', 'metadatas', 'embeddings'])
with open(args[0], 'w') as out:
    for row in zip(g['ids'], g['documents'], g['metadatas'], g['embeddings'].tolist()):
        out.write(json.dumps(row) + chr(10))
";

const VERSION: &str = "print('Chroma ' + chromadb.__version__ + ' with its Python client')";

/// Writes and asks as users of Chroma do, in batches of the same size.
const CLIENT: &str = r"
import statistics, time
rows = [json.loads(line) for line in open(args[0])]
asked = json.load(open(args[1]))
collection = client.create_collection('instances', configuration={'hnsw': {'space': 'cosine'}}, embedding_function=None)
began = time.time()
for at in range(0, len(rows), 1000):
    part = rows[at:at + 1000]
    collection.upsert(ids=[r[0] for r in part], documents=[r[1] for r in part], metadatas=[r[2] for r in part], embeddings=[r[3] for r in part])
wrote = time.time() - began
def ask(**more):
    times = []
    for vector in asked:
        began = time.time()
        collection.query(query_embeddings=[vector], n_results=80, include=['documents', 'metadatas', 'distances'], **more)
        times.append((time.time() - began) * 1000)
    return statistics.median(times)
ask()
print(json.dumps({'write': wrote, 'near': ask(), 'filtered': ask(where={'namespace': 'ns-03'})}))
";

impl Bench<'_> {
    /// Writing and searching 20,000 documents in each store.
    pub(crate) fn stores(&mut self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (work, rows, asked) = self.prepared(&runtime)?;
        let mut yardstick = Measured::default();
        let mut ours: [(&str, Measured); 3] = ["SQLite", "Chroma", "Postgres"].map(|name| (name, Measured::default()));
        for round in 0..self.rounds() {
            let folder = self.folder().join(format!("round-{round}"));
            fs::create_dir_all(&folder)?;
            // Each side has a new server, alone on the machine: one that held something before is slower, and Postgres tidies up for
            // a while. Ours and the yardstick take turns at being first.
            if round % 2 == 1 {
                self.chroma_client(&rows, &asked, &mut yardstick)?;
            }
            for (store, measured) in &mut ours {
                match *store {
                    "SQLite" => {
                        let store = Sqlite::open_or_create(&folder.join("index.db"))?;
                        runtime.block_on(measure(&store, &work, measured))?;
                    }
                    "Chroma" => {
                        let server = chroma()?;
                        let (url, local) = (server.url(), folder.join("chroma.db"));
                        let options = ChromaOptions { url, local, ..ChromaOptions::default() };
                        let store = runtime.block_on(Chroma::connect(options))?;
                        runtime.block_on(measure(&store, &work, measured))?;
                        drop(server);
                        if round % 2 == 0 {
                            self.chroma_client(&rows, &asked, &mut yardstick)?;
                        }
                    }
                    _ => {
                        let server =
                            PostgresServer::start_or_skip().context("Postgres is missing; ./bench installs it")?;
                        let store = runtime.block_on(Postgres::open_or_create(&server.create_database("bench")))?;
                        self.version(store.versions());
                        runtime.block_on(measure(&store, &work, measured))?;
                    }
                }
                self.tell(&format!("{store}, write and search"), &measured.write, Some(&measured.near));
            }
        }
        for (store, measured) in ours {
            self.push_store(store, measured, &yardstick);
        }
        Ok(())
    }

    /// The work, and the files that tell Chroma's own client of it: the rows that ours writes, and the questions' vectors.
    fn prepared(&mut self, runtime: &tokio::runtime::Runtime) -> Result<(Work, PathBuf, PathBuf)> {
        let work = runtime.block_on(Work::new())?;
        let (rows, asked) = (self.folder().join("rows.jsonl"), self.folder().join("asked.json"));
        if !rows.is_file() {
            work.write_out(&asked)?;
            let server = chroma()?;
            let options =
                ChromaOptions { url: server.url(), local: self.folder().join("rows.db"), ..ChromaOptions::default() };
            let store = runtime.block_on(Chroma::connect(options))?;
            runtime.block_on(measure(&store, &work, &mut Measured::default()))?;
            server.python(DUMP, &[&rows.display().to_string()]);
            self.version(server.python(VERSION, &[]).trim().to_owned());
        }
        Ok((work, rows, asked))
    }

    /// Milliseconds that Chroma's own client takes for a bare query.
    pub(crate) fn chroma_query(&mut self) -> Result<Sample> {
        if let Some(query) = self.chroma() {
            return Ok(query.clone());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (_, rows, asked) = self.prepared(&runtime)?;
        let mut yardstick = Measured::default();
        for _ in 0..self.rounds().min(3) {
            self.chroma_client(&rows, &asked, &mut yardstick)?;
        }
        self.set_chroma(yardstick.near.clone());
        Ok(yardstick.near)
    }

    /// The yardstick, over a server of its own.
    fn chroma_client(&self, rows: &Path, asked: &Path, yardstick: &mut Measured) -> Result<()> {
        let told = chroma()?.python(CLIENT, &[&rows.display().to_string(), &asked.display().to_string()]);
        let told: Yardstick = serde_json::from_str(&told)?;
        yardstick.write.0.push(told.write);
        yardstick.near.0.push(told.near);
        yardstick.filtered.0.push(told.filtered);
        self.tell("Chroma's own client, write and search", &yardstick.write, Some(&yardstick.near));
        Ok(())
    }

    fn push_store(&mut self, store: &str, measured: Measured, yardstick: &Measured) {
        let faster = if store == "SQLite" { 10.0 } else { 1.0 };
        let own = |what: &str| format!("Chroma's own client: {what}");
        let mut push = |what: String, unit, at_least: f64, ours: Sample, theirs: Option<(String, &Sample)>| {
            let ratio = theirs.as_ref().map(|(_, theirs)| theirs.median() / ours.median());
            let target = match theirs {
                Some(_) if at_least > 1.0 => format!("{at_least} times faster"),
                Some(_) => "no slower".to_owned(),
                None => "–".to_owned(),
            };
            let yardstick = theirs.map(|(what, sample)| (what, sample.clone()));
            // Two samples of the same thing differ by that much.
            let met = ratio.is_none_or(|r| r >= at_least * 0.95);
            self.push(Row { what, target, unit, met, ours, yardstick, ratio });
        };
        let theirs = Some((own("`upsert`"), &yardstick.write));
        push(format!("{store}: write {DOCUMENTS} documents"), Unit::Seconds, faster, measured.write, theirs);
        let theirs = Some((own("`query`"), &yardstick.near));
        push(format!("{store}: the {NEAREST} nearest of them"), Unit::Milliseconds, 1.0, measured.near, theirs);
        let theirs = Some((own("`query` with `where`"), &yardstick.filtered));
        push(format!("{store}: the same in one namespace"), Unit::Milliseconds, 1.0, measured.filtered, theirs);
        let what = format!("{store}: the nearest and {CONTAINING} by their words, as a search asks");
        push(what, Unit::Milliseconds, 1.0, measured.whole, None);
    }
}

fn chroma() -> Result<ChromaServer> {
    ChromaServer::start_or_skip().context("Chroma is missing; ./bench installs it")
}

async fn measure(store: &dyn Store, work: &Work, measured: &mut Measured) -> Result<()> {
    store.open_collection(Collection::Instances, &work.embedder).await?;
    let batches: Vec<Batch> = work.upserts.chunks(BATCH).map(|part| Batch::writing(1, part.to_vec())).collect();
    let began = Instant::now();
    // As a run does it: some stores make their index when it ends.
    let run = RunRecord {
        command: RunKind::Instances,
        cluster: String::new(),
        started: jiff::Timestamp::now().to_string(),
        finished: String::new(),
        summary: serde_json::Value::Null,
    };
    let number = store.begin_run(&run).await?;
    for batch in batches {
        store.apply(Collection::Instances, batch).await?;
    }
    store.finish_run(number, &RunRecord { finished: jiff::Timestamp::now().to_string(), ..run }).await?;
    measured.write.0.push(began.elapsed().as_secs_f64());
    let namespace = Filter { namespaces: ["ns-03".to_owned()].into(), ..Filter::default() };
    for warm in [true, false] {
        for (sample, filter, containing) in [
            (&mut measured.near, Filter::default(), 0),
            (&mut measured.filtered, namespace.clone(), 0),
            (&mut measured.whole, Filter::default(), CONTAINING),
        ] {
            let mut times = Vec::new();
            for (vector, terms) in &work.questions {
                let terms = if containing > 0 { terms.clone() } else { Vec::new() };
                let probe =
                    Probe { vector: vector.clone(), terms, filter: filter.clone(), nearest: NEAREST, containing };
                let began = Instant::now();
                let found = store.view_all("the bench asks of all").await?.probe(Collection::Instances, probe).await?;
                times.push(began.elapsed());
                anyhow::ensure!(found.documents.len() >= NEAREST, "{} found", found.documents.len());
            }
            if !warm {
                times.sort();
                sample.0.push(times.get(QUESTIONS / 2).map_or(f64::NAN, Duration::as_secs_f64) * 1e3);
            }
        }
    }
    Ok(())
}

impl Work {
    async fn new() -> Result<Self> {
        let embedder = Builtin::default();
        let documents: Vec<Document> = (0..DOCUMENTS).map(document).collect();
        let texts = documents.iter().map(|d| d.text.clone()).collect();
        let vectors = embedder.embed(Purpose::Document, texts).await?;
        let upserts =
            documents.into_iter().zip(vectors).map(|(document, v)| Upsert { document, vector: Some(v) }).collect();
        let mut asked = Vec::new();
        for line in questions(QUESTIONS).lines() {
            let question: serde_json::Value = serde_json::from_str(line)?;
            let text = question["q"].as_str().unwrap_or_default().to_owned();
            let terms = words::terms(&text);
            let vector = embedder.embed(Purpose::Query, vec![text]).await?.pop().unwrap_or_default();
            asked.push((vector, terms));
        }
        Ok(Self { embedder: embedder.identity(), upserts, questions: asked })
    }

    /// For the yardstick: the vectors of the questions.
    fn write_out(&self, asked: &Path) -> Result<()> {
        let vectors: Vec<&Vec<f32>> = self.questions.iter().map(|(vector, _)| vector).collect();
        Ok(fs::write(asked, serde_json::to_string(&vectors)?)?)
    }
}

/// Kinds of what a company runs, with API version and type.
pub(crate) const KINDS: [(&str, &str, &str); 5] = [
    ("Deployment", "apps/v1", "deployments.apps"),
    ("Service", "v1", "services"),
    ("StatefulSet", "apps/v1", "statefulsets.apps"),
    ("ConfigMap", "v1", "configmaps"),
    ("CronJob", "batch/v1", "cronjobs.batch"),
];

fn document(number: usize) -> Document {
    Document::of_instance(&instance(number), KINDS[number % KINDS.len()].2)
}

/// An object as a company runs them: a team's part of an application, with the usual labels.
pub(crate) fn instance(number: usize) -> ResourceInstance {
    const THINGS: [&str; 16] = [
        "orders",
        "payments",
        "invoices",
        "catalogue",
        "search",
        "sessions",
        "mail",
        "reports",
        "stock",
        "prices",
        "checkout",
        "fraud",
        "reviews",
        "delivery",
        "tax",
        "accounts",
    ];
    const PARTS: [&str; 10] =
        ["api", "worker", "db", "cache", "queue", "web", "gateway", "exporter", "migrate", "scheduler"];
    let (kind, version, _) = KINDS[number % KINDS.len()];
    let (thing, part) = (THINGS[number / 5 % THINGS.len()], PARTS[number / 80 % PARTS.len()]);
    let namespace = format!("ns-{:02}", number / 7 % NAMESPACES);
    let (name, mut instance) = (format!("{thing}-{part}-{number}"), ResourceInstance::default());
    if let Ok(made) = ResourceInstance::new(version, kind, Some(&namespace), &name) {
        instance = made;
    }
    for (key, value) in [
        ("app.kubernetes.io/name", thing),
        ("app.kubernetes.io/component", part),
        ("app.kubernetes.io/managed-by", "Helm"),
        ("team", ["fares", "guest", "platform"][number % 3]),
        ("tier", ["web", "data", "batch"][number / 3 % 3]),
    ] {
        instance.labels.insert(key.to_owned(), value.to_owned());
    }
    instance.annotations.insert("description".to_owned(), format!("The {part} of {thing} for customers"));
    instance
}
