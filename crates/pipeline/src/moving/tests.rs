//! Files that no export wrote.

use std::io::{BufReader, Read};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use clusterlore_core::{Collection, Document, ResourceInstance, ResourceType, SourceIdentity};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_store::{Batch, Runs, Sqlite, Upsert, Writer};
use clusterlore_testkit::edits::edited_lines;
use proptest::prelude::*;

use super::*;

/// Cases where `PROPTEST_CASES` does not say: each is a store.
const CASES: u32 = 32;
/// No case takes so long, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(10);

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap())
}

/// An export of a small store, with vectors.
fn exported() -> &'static str {
    static LINES: OnceLock<String> = OnceLock::new();
    LINES.get_or_init(|| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = Sqlite::open_or_create(&folder.path().join("a.db")).unwrap();
            let ty =
                ResourceType { kind: "Pod".into(), plural: "pods".into(), version: "v1".into(), ..Default::default() };
            store.remember_types("", std::slice::from_ref(&ty)).await.unwrap();
            let source = store.remember_source("", &SourceIdentity::Controller, false).await.unwrap();
            let mut web = ResourceInstance::new("v1", "Pod", Some("shop"), "web").unwrap();
            web.labels.insert("app".into(), "web".into());
            let db = ResourceInstance::new("v1", "Pod", Some("shop"), "db").unwrap();
            let instances = vec![Document::of_instance(&web, "pods"), Document::of_instance(&db, "pods")];
            for (collection, documents) in
                [(Collection::Instances, instances), (Collection::Capabilities, vec![Document::of_type(&ty, None)])]
            {
                let texts = documents.iter().map(|d| d.text.clone()).collect();
                let vectors = Builtin::default().embed(Purpose::Document, texts).await.unwrap();
                let documents = documents.into_iter().zip(vectors);
                let upserts = documents.map(|(document, v)| Upsert { document, vector: Some(v) }).collect();
                store.open_collection(collection, &Builtin::identity_of()).await.unwrap();
                store.apply(collection, Batch { upserts, source, ..Batch::default() }).await.unwrap();
            }
            store.remember_answer("key", "answer").await.unwrap();
            let mut out = Vec::new();
            export(&store, &mut out, true, &|_| {}).await.unwrap();
            String::from_utf8(out).unwrap()
        })
    })
}

fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig { cases: CASES, ..ProptestConfig::default() },
    }
}

proptest! {
    #![proptest_config(cases())]

    /// Whatever stands in the lines, an import ends with a count or with one short line, and the store can be read and exported again.
    #[test]
    fn fuzz_import_lines(edits in 0_usize..6, random in any::<u64>()) {
        let lines = edited_lines(exported(), edits, random);
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let (result, again) = runtime().block_on(async {
            let store = Sqlite::open_or_create(&folder.path().join("b.db")).unwrap();
            let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
            let result = match Import::begin(&lines[..]) {
                Ok(import) => import.run(&store, embedder, false, Duration::ZERO, &|_| {}).await,
                Err(error) => Err(error),
            };
            let mut out = Vec::new();
            (result, export(&store, &mut out, true, &|_| {}).await)
        });
        match result {
            Ok(imported) => {
                prop_assert!(imported.stored <= imported.documents && imported.embedded <= imported.stored);
                prop_assert!(edits > 0 || imported.documents == 3 && imported.embedded == 0);
            }
            Err(error) => {
                let said = error.to_string();
                prop_assert!(edits > 0 && said.len() < 1_000 && !said.contains('\n'), "{}", said);
            }
        }
        prop_assert!(again.is_ok(), "{:?}", again.err());
        prop_assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    }
}

#[test]
fn a_line_has_a_length() {
    let header = exported().lines().next().unwrap();
    let endless = format!("{header}\n").into_bytes();
    let endless = BufReader::new(std::io::Cursor::new(endless).chain(std::io::repeat(b'x')));
    let error = runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open_or_create(&folder.path().join("b.db")).unwrap();
        let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
        Import::begin(endless)
            .unwrap()
            .run(&store, embedder, false, Duration::ZERO, &|_| {})
            .await
            .unwrap_err()
            .to_string()
    });
    assert!(error.starts_with("line 2: it has more than 16777216 bytes"), "{error}");
}
