use async_trait::async_trait;
use clusterlore_core::{Document, EmbedderIdentity};
use clusterlore_store::{Batch, Sqlite, Upsert};

use super::*;

/// Knows three things: animals, plants and stones.
struct Toy;

#[async_trait]
impl Embedder for Toy {
    fn identity(&self) -> EmbedderIdentity {
        EmbedderIdentity { name: "toy".into(), dimensions: 3 }
    }

    async fn embed(&self, _: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let is = |text: &str, words: &[&str]| f32::from(u8::from(words.iter().any(|w| text.contains(w))));
        Ok(texts
            .iter()
            .map(|t| vec![is(t, &["fox", "wolf", "animal"]), is(t, &["oak", "plant"]), is(t, &["granite", "stone"])])
            .collect())
    }
}

async fn store(folder: &tempfile::TempDir) -> Sqlite {
    let store = Sqlite::open_or_create(&folder.path().join("s.db")).unwrap();
    store.open_collection(INSTANCES, &Toy.identity()).await.unwrap();
    let objects = [("wood", "red-fox"), ("wood", "oak"), ("hill", "granite"), ("hill", "wolf")];
    let mut upserts = Vec::new();
    for (namespace, name) in objects {
        let o = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
        let document = Document::of_instance(&o, "pods");
        let vector = Toy.embed(Purpose::Document, vec![document.text.clone()]).await.unwrap().pop();
        upserts.push(Upsert { document, vector });
    }
    store.apply(INSTANCES, Batch { upserts, ..Batch::default() }).await.unwrap();
    store
}

async fn ids(store: &Sqlite, text: &str, filter: Filter) -> Vec<String> {
    let question = Question { text: text.into(), filter, limit: 10, ..Question::default() };
    Searcher::new(Catalogue::builtin())
        .search(store, &Toy, &question)
        .await
        .unwrap()
        .hits
        .into_iter()
        .map(|h| h.id)
        .collect()
}

#[tokio::test]
async fn meaning_and_words_both_find() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    assert_eq!(
        ids(&store, "which animals are there", Filter::default()).await,
        ["hill/v1/Pod/wolf", "wood/v1/Pod/red-fox"]
    );
    assert_eq!(ids(&store, "red", Filter::default()).await, ["wood/v1/Pod/red-fox"]);
    let hill = Filter { namespaces: ["hill".to_owned()].into(), ..Filter::default() };
    assert_eq!(ids(&store, "animal", hill).await, ["hill/v1/Pod/wolf"]);
    assert!(ids(&store, "weather", Filter::default()).await.is_empty());
}

#[tokio::test]
async fn the_shown_parts_add_up_to_the_score() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let question = Question { text: "red animals of the wood".into(), limit: 1, ..Question::default() };
    let answer = Searcher::new(Catalogue::builtin()).search(&store, &Toy, &question).await.unwrap();
    let score = &answer.hits[0].score;
    let whys: Vec<&str> = score.reasons.iter().map(|r| r.why.as_str()).collect();
    assert_eq!(whys, ["meaning 1.00", "name: red-fox", "namespace: wood"]);
    assert!((score.reasons.iter().map(|r| r.adds).sum::<f32>() - score.total()).abs() < 1e-6);
}

#[tokio::test]
async fn a_scope_in_the_question_is_a_filter() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    assert_eq!(ids(&store, "animals in the hill namespace", Filter::default()).await, ["hill/v1/Pod/wolf"]);
    assert!(ids(&store, "animals in the moon namespace", Filter::default()).await.is_empty());
}

#[tokio::test]
async fn software_that_is_not_there_is_not_answered_with_its_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    assert!(ids(&store, "prometheus animals", Filter::default()).await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_asked_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let empty = Question { text: " ?! ".into(), limit: 1, ..Question::default() };
    assert!(matches!(
        Searcher::new(Catalogue::builtin()).search(&store, &Toy, &empty).await,
        Err(SearchError::NoQuestion)
    ));
    let types = Question { text: "x".into(), target: Target::Types, limit: 1, ..Question::default() };
    let message = Searcher::new(Catalogue::builtin()).search(&store, &Toy, &types).await.unwrap_err().to_string();
    assert!(message.contains("clusterlore sync-instances"), "{message}");
}
