//! An index that another embedder filled gives the answers of the built-in one, wherever its cosines lie.
#![allow(clippy::unwrap_used, reason = "tests")]

use async_trait::async_trait;
use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Collection, Document, EmbedderIdentity, ResourceInstance, Scope};
use clusterlore_models::{Builtin, EmbedError, Embedder, Purpose};
use clusterlore_search::{Answer, Query, Searcher};
use clusterlore_store::{Batch, Sqlite, Store, Upsert, Writer};

/// What every text has in common for [`Squeezed`]: its cosines lie between 0.75 and 1, as those of some models do.
const COMMON: f32 = 0.75;

/// Orders texts as the built-in embedder does, with cosines that lie close together.
struct Squeezed;

#[async_trait]
impl Embedder for Squeezed {
    fn identity(&self) -> EmbedderIdentity {
        let builtin = Builtin::default().identity();
        EmbedderIdentity { name: "squeezed".to_owned(), dimensions: builtin.dimensions + 1 }
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let squeezed = |vector: Vec<f32>| {
            let own = vector.into_iter().map(|x| x * (1.0 - COMMON).sqrt());
            own.chain([COMMON.sqrt()]).collect()
        };
        Ok(Builtin::default().embed(purpose, texts).await?.into_iter().map(squeezed).collect())
    }
}

async fn index(embedder: &dyn Embedder, folder: &tempfile::TempDir) -> Sqlite {
    let workloads = [
        ("redis", "cache"),
        ("postgres", "orders"),
        ("rabbitmq", "events"),
        ("gong", "alarms"),
        ("teapot", "kitchen"),
        ("anvil", "forge"),
    ];
    let objects = workloads.map(|(app, name)| {
        let mut object = ResourceInstance::new("apps/v1", "StatefulSet", Some("yard"), name).unwrap();
        object.labels.insert("app.kubernetes.io/name".to_owned(), app.to_owned());
        object
    });
    let documents = objects.iter().map(|o| Document::of_instance(o, "statefulsets.apps"));
    let mut upserts = Vec::new();
    for document in documents {
        let vector = embedder.embed(Purpose::Document, vec![document.text.clone()]).await.unwrap().pop();
        upserts.push(Upsert { document, vector });
    }
    let store = Sqlite::open_or_create(&folder.path().join("index.db")).unwrap();
    store.open_collection(Collection::Instances, &embedder.identity()).await.unwrap();
    store.apply(Collection::Instances, Batch { upserts, ..Batch::default() }).await.unwrap();
    store
}

/// The same hits in the same order, with the same scores but for what a vector loses that is kept as whole numbers.
fn assert_same(own: &Answer, other: &Answer, what: &str) {
    let shown = |answer: &Answer| -> Vec<(String, f32)> {
        answer.hits.iter().map(|hit| (hit.id.clone(), hit.score.total())).collect()
    };
    let (own, other) = (shown(own), shown(other));
    let alike = |(a, b): (&(String, f32), &(String, f32))| a.0 == b.0 && (a.1 - b.1).abs() < 0.01;
    assert!(own.len() == other.len() && own.iter().zip(&other).all(alike), "{what}: {own:?} {other:?}");
}

#[tokio::test]
async fn answers_do_not_hang_on_where_cosines_lie() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (own, other) = (index(&Builtin::default(), &own).await, index(&Squeezed, &other).await);
    let (own, other) = (own.view(&everything()).await.unwrap(), other.view(&everything()).await.unwrap());
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let mut empty = 0;
    for text in [
        "where are orders kept?",
        "which message queue do we have",
        "something that speeds up reads",
        "windows domain controllers",
        "train a neural network",
        "mainframe passwords",
    ] {
        let query = Query { text: text.to_owned(), limit: 10, ..Query::default() };
        let by_own = searcher.answer(&*own, &Builtin::default(), &query).await.unwrap();
        let by_other = searcher.answer(&*other, &Squeezed, &query).await.unwrap();
        assert_same(&by_own, &by_other, text);
        empty += usize::from(by_own.hits.is_empty());
    }
    assert_eq!(empty, 3, "what is not there has no answer");

    let query = Query { limit: 10, ..Query::default() };
    let id = "yard/apps/v1/StatefulSet/orders";
    let by_own = searcher.similar(&*own, &Builtin::default(), id, &query).await.unwrap();
    let by_other = searcher.similar(&*other, &Squeezed, id, &query).await.unwrap();
    assert_eq!(by_own.hits.len(), 5);
    assert_same(&by_own, &by_other, id);
}

fn everything() -> Scope {
    Scope::All { because: "a test" }
}
