//! The servers that people already run: the same commands, the same answers, and what a server that fails leaves behind.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use clusterlore_testkit::embeddings::FakeEmbeddings;
use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::ChromaServer;
use common::{EXAMPLES, Home, Ran};

const KEY: &str = "pa-a-key-of-voyage";

/// A server that can go away and come back.
#[derive(Clone)]
enum Server {
    Chroma(Arc<Mutex<ChromaServer>>),
    Postgres(Arc<Mutex<PostgresServer>>),
}

impl Server {
    /// Both, as far as they can be had.
    fn all() -> Vec<Self> {
        let chroma = ChromaServer::start_or_skip().map(|s| Self::Chroma(Arc::new(Mutex::new(s))));
        let postgres = PostgresServer::start_or_skip().map(|s| Self::Postgres(Arc::new(Mutex::new(s))));
        [chroma, postgres].into_iter().flatten().collect()
    }

    /// The flag that names it.
    fn flag(&self) -> [String; 2] {
        match self {
            Self::Chroma(s) => ["--chroma-url".to_owned(), s.lock().unwrap().url()],
            Self::Postgres(s) => ["--postgres-url".to_owned(), s.lock().unwrap().url("postgres")],
        }
    }

    fn stop(&self) {
        match self {
            Self::Chroma(s) => s.lock().unwrap().kill(),
            Self::Postgres(s) => s.lock().unwrap().stop(),
        }
    }

    fn start_again(&self) {
        match self {
            Self::Chroma(s) => s.lock().unwrap().start_again(),
            Self::Postgres(s) => s.lock().unwrap().start_again(),
        }
    }
}

fn run(home: &Home, args: &[&str], flag: &[String; 2]) -> Ran {
    let flag: Vec<&str> = flag.iter().map(String::as_str).collect();
    home.run(&[args, &flag[..]].concat())
}

#[test]
fn every_store_gives_the_same_answers() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let questions = [
        &["search", "what databases are running?", "-o", "id", "--limit", "20"][..],
        &["search", "payments in the fares namespace", "-o", "id"],
        &["search", "gateway", "-l", "app", "-o", "id"],
        &["search", "message brokers", "--kind", "statefulset", "-o", "id"],
        &["search", "a certificate", "--collection", "capabilities", "-o", "id"],
        &["search", "who brews the beer", "-o", "id"],
        &["search", "postgress", "-o", "id"],
        &["count", "databases per namespace", "-o", "json"],
        &["count", "--group-by", "kind", "-o", "json"],
    ];
    let answers = |flag: &[&str]| -> Vec<String> {
        questions.iter().map(|args| home.run(&[args, flag].concat()).ok().out).collect()
    };
    let expected = answers(&[]);
    for server in Server::all() {
        let flag = server.flag();
        run(&home, &["index", "--from", EXAMPLES], &flag).ok();
        let again = run(&home, &["index", "--from", EXAMPLES, "-o", "json"], &flag).ok();
        let summary: serde_json::Value = serde_json::from_str(&again.out).unwrap();
        for what in ["capabilities", "instances"] {
            assert_eq!((&summary[what]["stored"], &summary[what]["deleted"]), (&0.into(), &0.into()), "{summary}");
        }
        let flag: Vec<&str> = flag.iter().map(String::as_str).collect();
        for ((args, told), expected) in questions.iter().zip(answers(&flag)).zip(&expected) {
            assert_eq!(&told, expected, "{args:?} {}", flag[0]);
        }
        // And so does a store that it was moved to.
        home.run(&[&["export", "index.jsonl"], &flag[..]].concat()).ok();
        let copy = format!("sqlite:copy-{}.db", &flag[0][2..]);
        home.run(&["import", "index.jsonl", "--store", &copy]).ok();
        assert_eq!(answers(&["--store", &copy]), expected, "{}", flag[0]);
        let status = home.run(&[&["status"], &flag[..]].concat()).ok().out;
        assert!(status.contains("127.0.0.1") && !status.contains("postgres-secret"), "{status}");
        let doctor = home.run(&[&["doctor", "-o", "json"], &flag[..]].concat()).out;
        let findings: Vec<serde_json::Value> = serde_json::from_str(&doctor).unwrap();
        assert!(findings.iter().any(|f| f["check"] == "store" && f["verdict"] == "ok"), "{doctor}");
        assert!(!doctor.contains("postgres-secret"), "{doctor}");

        // Of two clusters one is forgotten, and the other answers as before.
        home.write("m/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: gateway, namespace: edge}\n");
        home.run(&[&["index", "--from", "m", "--cluster-name", "other"], &flag[..]].concat()).ok();
        assert_eq!(home.run(&[&["clusters", "-o", "name"], &flag[..]].concat()).ok().out, "examples\nother\n");
        home.run(&[&["clusters", "rename", "other", "west"], &flag[..]].concat()).ok();
        let west = ["search", "gateway in cluster west", "-o", "id"];
        assert_eq!(home.run(&[&west, &flag[..]].concat()).ok().out, "other:edge/v1/Service/gateway\n");
        let forgot = home.run(&[&["clusters", "forget", "west", "--yes"], &flag[..]].concat()).ok().err;
        assert!(forgot.contains("Forgot cluster \"west\": 1 object, "), "{forgot}");
        assert_eq!(home.run(&[&["clusters", "-o", "name"], &flag[..]].concat()).ok().out, "examples\n");
        assert_eq!(answers(&flag), expected, "{}", flag[0]);
        home.run(&[&["clusters", "forget", "examples", "-y"], &flag[..]].concat()).ok();
        assert_eq!(home.run(&[&["clusters", "-o", "json"], &flag[..]].concat()).ok().out, "[]\n");
        assert_eq!(home.run(&[&["search", "databases", "-o", "id"], &flag[..]].concat()).out, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_in_for_the_tool_that_people_know() {
    let Some(chroma) = ChromaServer::start_or_skip() else { return };
    let (home, voyage) = (Home::new(), FakeEmbeddings::start().await);
    let with_key = |args: &[&str]| {
        let mut command = home.command(args);
        command.env("VOYAGE_API_KEY", KEY).env("VOYAGE_BASE_URL", voyage.url());
        Ran::of(command.output().unwrap())
    };
    let url = chroma.url();
    let sync = ["sync-instances", "--from", EXAMPLES, "--chroma-url", &url];
    let ran = with_key(&sync).ok();
    insta::assert_snapshot!("drop-in", home.transcript(&sync, &ran));
    let objects = ran.counts()[0] as usize;
    let asked = voyage.asked();
    assert!(asked.iter().all(|a| a.body["model"] == "voyage-4" && a.body["input_type"] == "document"), "{asked:?}");
    assert!(asked.iter().all(|a| a.headers["authorization"] == format!("Bearer {KEY}")));

    // Chroma's own client of another language reads it all.
    let program = "c = client.get_collection('instances', embedding_function=None)\n\
        g = c.get(include=['documents', 'metadatas', 'embeddings'])\n\
        q = c.query(query_embeddings=[g['embeddings'][0].tolist()], n_results=1)\n\
        print(json.dumps({'count': c.count(), 'space': c.configuration['hnsw']['space'], 'dimensions': len(g['embeddings'][0]),\n\
          'first': g['ids'][0], 'nearest': q['ids'][0][0],\n\
          'rows': {i: [d, m] for i, d, m in zip(g['ids'], g['documents'], g['metadatas'])}}))";
    let read: serde_json::Value = serde_json::from_str(&chroma.python(program, &[])).unwrap();
    assert_eq!(
        (&read["count"], &read["space"], &read["dimensions"]),
        (&objects.into(), &"cosine".into(), &1024.into())
    );
    let row = &read["rows"]["fares/apps/v1/Deployment/marmot"];
    assert!(row.is_array(), "{}", read["rows"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" "));
    let text = row[0].as_str().unwrap();
    assert!(text.starts_with("Deployment marmot | namespace: fares | apiVersion: apps/v1 | labels: "), "{text}");
    for (key, value) in [
        ("namespace", "fares"),
        ("name", "marmot"),
        ("kind", "Deployment"),
        ("apiVersion", "apps/v1"),
        ("apiGroup", "apps"),
        ("source", "resource-sync"),
    ] {
        assert_eq!(row[1][key], value, "{row}");
    }
    let labels = row[1]["labels"].as_str().unwrap();
    assert!(labels.contains('=') && text.contains(&labels.replace(',', ", ")), "{labels}");

    with_key(&sync).ok();
    assert_eq!(voyage.asked().len(), 0, "nothing changed");
    let found = with_key(&["search", "deployment marmot", "--chroma-url", &url, "-o", "id"]).ok();
    assert!(found.out.contains("marmot"), "{}", found.out);
    assert_eq!(voyage.asked()[0].body["input_type"], "query");
    let ran = home.run(&["search", "gateway", "--chroma-url", &url]);
    insta::assert_snapshot!("drop-in-without-key", ran.error());

    // What that tool left behind: the same documents, without what only ours keeps of them. It is searched, and taken over without
    // paying for a single vector.
    chroma.create_database("foreign");
    let program = "g = client.get_collection('instances', embedding_function=None).get(include=['documents', 'metadatas', 'embeddings'])\n\
        other = chromadb.HttpClient('127.0.0.1', int(args[0]), database='foreign')\n\
        c = other.create_collection('instances', metadata={'hnsw:space': 'cosine'}, embedding_function=None)\n\
        c.add(ids=g['ids'], documents=g['documents'], embeddings=g['embeddings'],\n\
          metadatas=[{k: v for k, v in m.items() if k != 'clusterlore'} for m in g['metadatas']])";
    chroma.python(program, &[url.rsplit(':').next().unwrap()]);
    let foreign = ["--chroma-url", &url, "--chroma-database", "foreign"];
    let search = [&["search", "deployment marmot", "-o", "id"], &foreign[..]].concat();
    let found = with_key(&search).ok();
    assert!(found.out.contains("fares/apps/v1/Deployment/marmot"), "{}", found.out);
    let ran = home.run(&search);
    insta::assert_snapshot!("drop-in-of-another-program", ran.error());
    voyage.asked();
    let ran = with_key(&[&["sync-instances", "--from", EXAMPLES, "-o", "json"], &foreign[..]].concat()).ok();
    let summary: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&summary["discovered"], &summary["deleted"]), (&objects.into(), &0.into()));
    let embedded: Vec<String> = voyage
        .asked()
        .iter()
        .flat_map(|a| a.body["input"].as_array().unwrap().clone())
        .map(|t| t.as_str().unwrap().to_owned())
        .filter(|t| t.contains(" | apiVersion: "))
        .collect();
    assert_eq!(embedded, Vec::<String>::new(), "texts that did not change keep their vectors");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_in_the_middle_loses_nothing_and_nothing_is_paid_for_twice() {
    const OBJECTS: usize = 5_000;
    let object = |i| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: shop-{i}, namespace: web}}\n---\n");
    let manifests: String = (0..OBJECTS).map(object).collect();
    for server in Server::all() {
        let (home, embeddings) = (Home::new(), FakeEmbeddings::start().await);
        let file = home.write("m/all.yaml", &manifests);
        let folder = file.parent().unwrap().to_str().unwrap().to_owned();
        let name = format!("openai:test@{}", embeddings.url());
        let (flag, gone) = (server.flag(), server.clone());
        let sync = ["sync-instances", "--from", &folder, "--embedder", &name];
        let paid = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&paid);
        embeddings.script(move |n, body| {
            noted
                .lock()
                .unwrap()
                .extend(body["input"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()));
            if n == 30 {
                gone.stop();
            }
            None
        });
        let ran = run(&home, &sync, &flag);
        assert!(ran.error().contains("127.0.0.1"), "{}", ran.err);
        assert!(!ran.err.contains("postgres-secret"));
        server.start_again();
        let ran = run(&home, &[&sync[..], &["-o", "json"]].concat(), &flag).ok();
        let summary: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(summary["discovered"], OBJECTS, "{summary}");
        assert!(summary["stored"].as_u64().unwrap() < OBJECTS as u64, "the first run's work is there: {summary}");
        let paid: Vec<String> =
            paid.lock().unwrap().iter().filter(|t| t.starts_with("Service shop-")).cloned().collect();
        let once: BTreeSet<&String> = paid.iter().collect();
        assert_eq!((once.len(), paid.len()), (OBJECTS, OBJECTS), "{}: each text is paid for once", flag[0]);
        let count = run(&home, &["count", "--kind", "service", "-o", "json"], &flag).ok().out;
        assert!(count.contains(&format!("{OBJECTS}")), "{count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_in_one_line_before_anything_is_written() {
    let home = Home::new();
    let embeddings = FakeEmbeddings::start().await;
    // A refused key: the store is there, and nothing is in it.
    let name = format!("openai:test@{}", embeddings.url());
    for server in Server::all() {
        let flag = server.flag();
        embeddings.script(|_, _| Some((401, None, "{\"error\": {\"message\": \"no such key\"}}".to_owned())));
        let sync = ["sync-instances", "--from", EXAMPLES, "--embedder", &name];
        run(&home, &sync, &flag).error();
        let ran = run(&home, &["search", "x"], &flag);
        insta::assert_snapshot!(format!("nothing-indexed-{}", &flag[0][2..]), home.stable(ran.error()));
        embeddings.script(|_, _| None);
        run(&home, &sync, &flag).ok();
        let before = run(&home, &["export"], &flag).ok().out;
        // Another embedder, with other dimensions, in a sync of either collection and in a search.
        for command in [&["sync-instances", "--from", EXAMPLES][..], &["sync", "--from", EXAMPLES], &["search", "x"]] {
            run(&home, &[command, &["--embedder", "builtin"]].concat(), &flag).error();
        }
        assert_eq!(run(&home, &["export"], &flag).ok().out, before);
    }

    if let Some(server) = PostgresServer::start_or_skip() {
        let url = server.create_database("bare");
        let file = server.extension_file("vector.control");
        let away = file.with_extension("away");
        std::fs::rename(&file, &away).unwrap();
        let flag = ["--postgres-url".to_owned(), url];
        let ran = run(&home, &["sync-instances", "--from", EXAMPLES], &flag);
        insta::assert_snapshot!("postgres-without-pgvector", home.stable(ran.error()));
        assert_eq!(server.psql("bare", "SELECT count(*) FROM pg_namespace WHERE nspname = 'clusterlore'"), "0");
        std::fs::rename(&away, &file).unwrap();
        run(&home, &["sync-instances", "--from", EXAMPLES], &flag).ok();
        let wrong = ["--postgres-url".to_owned(), server.url_of("postgres", "hunter2", "bare")];
        let ran = run(&home, &["search", "x"], &wrong);
        assert!(!ran.err.contains("hunter2"), "{}", ran.err);
        insta::assert_snapshot!("postgres-wrong-password", home.stable(ran.error()));
        let wrong = ["--postgres-url".to_owned(), server.url("absent")];
        insta::assert_snapshot!("postgres-without-database", home.stable(run(&home, &["search", "x"], &wrong).error()));
    }
}
