use async_trait::async_trait;
use clusterlore_core::{Document, EmbedderIdentity, ResourceInstance, ResourceType, Scope};
use clusterlore_models::{EmbedError, Purpose};
use clusterlore_store::{Batch, Filter, Runs, Sqlite, Store, Upsert, Writer};

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

async fn all(store: &Sqlite) -> Box<dyn View> {
    store.view(&Scope::All { because: "a test" }).await.unwrap()
}

async fn store(folder: &tempfile::TempDir) -> Sqlite {
    let store = Sqlite::open_or_create(&folder.path().join("s.db")).unwrap();
    store.open_collection(Collection::Instances, &Toy.identity()).await.unwrap();
    let objects = [("wood", "red-fox"), ("wood", "oak"), ("hill", "granite"), ("hill", "wolf")];
    let mut upserts = Vec::new();
    for (namespace, name) in objects {
        let o = ResourceInstance::new("v1", "Pod", Some(namespace), name).unwrap();
        let document = Document::of_instance(&o, "pods");
        let vector = Toy.embed(Purpose::Document, vec![document.text.clone()]).await.unwrap().pop();
        upserts.push(Upsert { document, vector });
    }
    store.apply(Collection::Instances, Batch { upserts, ..Batch::default() }).await.unwrap();
    store
}

async fn ids(store: &Sqlite, text: &str, filter: Filter) -> Vec<String> {
    let query = Query { text: text.into(), filter, limit: 10, ..Query::default() };
    Searcher::new(Catalogue::builtin().clone())
        .answer(&*all(store).await, &Toy, &query)
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
    let mut animals = ids(&store, "which animals are there", Filter::default()).await;
    animals.sort();
    assert_eq!(animals, ["hill/v1/Pod/wolf", "wood/v1/Pod/red-fox"]);
    assert_eq!(ids(&store, "red", Filter::default()).await, ["wood/v1/Pod/red-fox"]);
    let hill = Filter { namespaces: ["hill".to_owned()].into(), ..Filter::default() };
    assert_eq!(ids(&store, "animal", hill).await, ["hill/v1/Pod/wolf"]);
    assert!(ids(&store, "weather", Filter::default()).await.is_empty());
}

#[tokio::test]
async fn the_shown_parts_add_up_to_the_score() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let query = Query { text: "red animals of the wood".into(), limit: 1, ..Query::default() };
    let answer = Searcher::new(Catalogue::builtin().clone()).answer(&*all(&store).await, &Toy, &query).await.unwrap();
    let score = &answer.hits[0].score;
    let whys: Vec<&str> = score.reasons.iter().map(|r| r.why.as_str()).collect();
    let whys: Vec<&str> = whys.into_iter().filter(|why| !why.starts_with("likely what is asked for")).collect();
    assert_eq!(whys, ["meaning 1.00", "in wood", "name: red-fox", "namespace: wood"]);
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
    let empty = Query { text: " ?! ".into(), limit: 1, ..Query::default() };
    assert!(matches!(
        Searcher::new(Catalogue::builtin().clone()).answer(&*all(&store).await, &Toy, &empty).await,
        Err(SearchError::NoQuestion)
    ));
    let types = Query { text: "x".into(), collection: Collection::Capabilities, limit: 1, ..Query::default() };
    let error =
        Searcher::new(Catalogue::builtin().clone()).answer(&*all(&store).await, &Toy, &types).await.unwrap_err();
    assert!(matches!(error, SearchError::NoCollection(Collection::Capabilities)), "{error:?}");
    assert_eq!(error.to_string(), "nothing is indexed yet: the store has no collection \"capabilities\"");
}

/// Twelve pods of three deployments in two namespaces, and a cache that nobody dated.
async fn farm(folder: &tempfile::TempDir) -> Sqlite {
    let store = Sqlite::open_or_create(&folder.path().join("farm.db")).unwrap();
    store.open_collection(Collection::Instances, &Toy.identity()).await.unwrap();
    let owner = |kind: &str, name: &str| {
        let (api_version, uid) = ("apps/v1".to_owned(), String::new());
        Some(clusterlore_core::OwnerReference { api_version, kind: kind.into(), name: name.into(), uid })
    };
    let mut objects = Vec::new();
    for (namespace, name, month) in [("barn", "wolf", 1), ("barn", "oak", 2), ("field", "fox", 3)] {
        let object = |api_version: &str, kind: &str, name: &str| {
            let mut o = ResourceInstance::new(api_version, kind, Some(namespace), name).unwrap();
            o.created_at = format!("2026-0{month}-01T00:00:00Z");
            if namespace == "barn" {
                o.labels.insert("team".into(), "herd".into());
            }
            o
        };
        objects.push((object("apps/v1", "Deployment", name), "deployments.apps"));
        let mut set = object("apps/v1", "ReplicaSet", &format!("{name}-rs"));
        set.owner = owner("Deployment", name);
        objects.push((set, "replicasets.apps"));
        for n in 0..4 {
            let mut pod = object("v1", "Pod", &format!("{name}-{n}"));
            pod.owner = owner("ReplicaSet", &format!("{name}-rs"));
            objects.push((pod, "pods"));
        }
    }
    objects.push((ResourceInstance::new("v1", "Pod", Some("field"), "stone").unwrap(), "pods"));
    let mut upserts = Vec::new();
    for (object, type_name) in objects {
        let document = Document::of_instance(&object, type_name);
        let vector = Toy.embed(Purpose::Document, vec![document.text.clone()]).await.unwrap().pop();
        upserts.push(Upsert { document, vector });
    }
    store.apply(Collection::Instances, Batch { upserts, ..Batch::default() }).await.unwrap();
    store
}

fn asked(text: &str) -> Query {
    Query { text: text.into(), limit: 10, now: "2026-03-11T00:00:00Z".into(), ..Query::default() }
}

#[tokio::test]
async fn counts_are_exact_where_only_a_scope_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let pods = Filter { types: ["pods".to_owned()].into(), ..Filter::default() };
    for (text, filter, group_by, total, groups) in [
        ("", Filter::default(), None, 19, &[][..]),
        ("", pods.clone(), None, 13, &[]),
        ("", pods.clone(), Some(GroupBy::Namespace), 13, &[("barn", 8), ("field", 5)]),
        ("", pods.clone(), Some(GroupBy::Label("team".into())), 13, &[("herd", 8), ("(none)", 5)]),
        ("", pods.clone(), Some(GroupBy::Cluster), 13, &[("(none)", 13)]),
        (
            "",
            pods.clone(),
            Some(GroupBy::Owner),
            13,
            &[("Deployment/fox", 4), ("Deployment/oak", 4), ("Deployment/wolf", 4), ("(none)", 1)],
        ),
        (
            "everything in barn per kind",
            Filter::default(),
            None,
            12,
            &[("Pod", 8), ("Deployment", 2), ("ReplicaSet", 2)],
        ),
        ("older than 30 days", pods.clone(), None, 8, &[]),
        ("how many in the moon namespace", Filter::default(), None, 0, &[]),
        ("how many animals are there", pods, None, 8, &[]),
    ] {
        let query = Query { filter, group_by, hits: false, number: Wanted::Always, ..asked(text) };
        let answer = searcher.answer(&*all(&store).await, &Toy, &query).await.unwrap();
        assert_eq!((answer.number, answer.hits.len()), (Some(total), 0), "{text}");
        let shown: Vec<(&str, usize)> = answer.groups.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(shown, groups, "{text}");
    }
}

#[tokio::test]
async fn what_a_question_names_does_not_widen_the_filters() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let ty = |kind: &str, plural: &str, group: &str| clusterlore_core::ResourceType {
        kind: kind.into(),
        plural: plural.into(),
        group: group.into(),
        version: "v1".into(),
        namespaced: true,
        ..clusterlore_core::ResourceType::default()
    };
    let types =
        [ty("Pod", "pods", ""), ty("Deployment", "deployments", "apps"), ty("ReplicaSet", "replicasets", "apps")];
    store.remember_types("", &types).await.unwrap();
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let of = |types: &[&str], namespaces: &[&str]| Filter {
        types: set(types),
        namespaces: set(namespaces),
        ..Filter::default()
    };
    for (text, filter, total, overruled) in [
        ("deployments", of(&["replicasets.apps"], &[]), 3, Some("deployments.apps")),
        ("deployments", of(&["replicasets.apps"], &["barn"]), 2, Some("deployments.apps")),
        ("pods and deployments", of(&["pods", "replicasets.apps"], &[]), 13, None),
        ("deployments in namespace field", of(&[], &["barn"]), 2, Some("field")),
        ("deployments in namespace field", of(&[], &["barn", "field"]), 1, None),
        ("get deployments -n field", of(&["pods"], &["barn"]), 8, Some("field")),
        ("deployments", of(&["deployments.apps"], &[]), 3, None),
        ("deployments in barn or field", of(&["pods"], &["field"]), 5, Some("deployments.apps")),
    ] {
        let query = Query { filter: filter.clone(), hits: false, number: Wanted::Always, ..asked(text) };
        let answer = searcher.answer(&*all(&store).await, &Toy, &query).await.unwrap();
        let told: Vec<&Note> = answer.parsed.notes.iter().collect();
        assert_eq!(answer.number, Some(total), "{text} {filter:?}: {told:?}");
        let said =
            told.iter().find_map(|note| if let Note::Overruled(said) = note { Some(said.as_str()) } else { None });
        assert_eq!(said, overruled, "{text} {filter:?}: {told:?}");
        if overruled.is_some_and(|said| said.contains('.')) {
            assert!(!told.iter().any(|note| matches!(note, Note::Kind(_))), "{text}: {told:?}");
        }
    }
    for (namespaces, clusters, problem) in [
        (&["moon"][..], &[][..], Some(Problem::NoSuchNamespace("moon".to_owned()))),
        (&["bar*"], &[], Some(Problem::NoSuchNamespace("bar*".to_owned()))),
        (&["barn", "moon"], &[], None),
        (&[], &["east"], Some(Problem::NoSuchCluster("east".to_owned()))),
        (&["barn"], &[""], None),
    ] {
        let filter = Filter { clusters: set(clusters), ..of(&[], namespaces) };
        let query = Query { filter, number: Wanted::Always, ..asked("pods") };
        let answer = searcher.answer(&*all(&store).await, &Toy, &query).await.unwrap();
        assert_eq!(answer.parsed.problem, problem, "{namespaces:?} {clusters:?}");
    }
    let newest = Query { order: Some(Order::Oldest), ..asked("the newest pods") };
    let answer = searcher.answer(&*all(&store).await, &Toy, &newest).await.unwrap();
    assert!(answer.hits[0].id.contains("wolf") && !answer.parsed.notes.contains(&Note::Ordered(Order::Newest)));
}

#[tokio::test]
async fn hits_are_ordered_and_limited_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let pods = Filter { types: ["pods".to_owned()].into(), ..Filter::default() };
    for (text, first, hits) in [
        ("newest", "field/v1/Pod/fox-0", 10),
        ("the 2 newest things", "field/v1/Pod/fox-0", 2),
        ("oldest animals", "barn/v1/Pod/wolf-0", 8),
        ("newest animals", "field/v1/Pod/fox-0", 8),
        ("everything older than 30 days", "barn/v1/Pod/oak-0", 8),
        ("animals newer than 30 days", "field/v1/Pod/fox-0", 4),
        ("everything older than 99999999999 years", "", 0),
        ("everything older than -1 days", "", 0),
    ] {
        let query = Query { filter: pods.clone(), ..asked(text) };
        let answer = searcher.answer(&*all(&store).await, &Toy, &query).await.unwrap();
        let ids: Vec<&str> = answer.hits.iter().map(|hit| hit.id.as_str()).collect();
        // Of the same age the likelier comes first.
        let kind = |id: &str| id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let found = ids.first().copied().unwrap_or_default();
        assert_eq!((kind(found), ids.len()), (kind(first), hits), "{text}: {ids:?}");
    }
    let oldest = Query { limit: 100, filter: pods, ..asked("oldest things") };
    let answer = searcher.answer(&*all(&store).await, &Toy, &oldest).await.unwrap();
    assert_eq!(answer.hits.last().unwrap().id, "field/v1/Pod/stone", "what has no date comes last");
}

#[tokio::test]
async fn similar_objects_and_those_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let types: Vec<ResourceType> = [("Pod", "pods", ""), ("Deployment", "deployments", "apps")]
        .map(|(kind, plural, group)| ResourceType {
            kind: kind.into(),
            plural: plural.into(),
            group: group.into(),
            ..ResourceType::default()
        })
        .into();
    store.remember_types("", &types).await.unwrap();
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let similar = async |id: &str, namespaces: &[&str]| {
        let namespaces = namespaces.iter().map(|n| (*n).to_owned()).collect();
        let query = Query { filter: Filter { namespaces, ..Filter::default() }, ..asked("") };
        let answer = searcher.similar(&*all(&store).await, &Toy, id, &query).await?;
        Ok::<Vec<String>, SearchError>(answer.hits.into_iter().map(|hit| hit.id).collect())
    };
    let like = similar("field/apps/v1/Deployment/fox", &[]).await.unwrap();
    assert!(!like.contains(&"field/apps/v1/Deployment/fox".to_owned()));
    assert_eq!(like, similar("deployment/fox", &["field"]).await.unwrap());
    assert!(similar("field/apps/v1/Deployment/fox", &["barn"]).await.unwrap().iter().all(|id| id.starts_with("barn/")));
    let error = similar("field/apps/v1/Deployment/fx", &[]).await.unwrap_err();
    assert!(
        matches!(&error, SearchError::NoSuchObject { near, .. } if near[0] == "field/apps/v1/Deployment/fox"),
        "{error:?}"
    );
    for (id, message) in [
        ("deployment/nothing-like-it", "there is no object \"deployment/nothing-like-it\""),
        ("fox", "expected a stored id"),
        ("burrow/fox", "no resource type is called \"burrow\""),
        ("", "there is no object"),
    ] {
        let error = similar(id, &[]).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// What a question is made of that is as long as may be. `#` is another word every time.
const SHAPES: [&str; 34] = [
    "could you tell me please because ",
    "besides #zxq, ",
    "why is it not ",
    "pods not included ",
    "-n #zxq --namespace=zone1 ",
    "`#zxq` ",
    "{\"name\": \"#zxq\"} ",
    "in production of team #zxq ",
    "in zone1 or zone2 ",
    "kubectl get pods,wolves ",
    "redis ",
    "like redis ",
    "the ",
    "a",
    "today ",
    "created today ",
    "how many ",
    "which namespace ",
    "newest ",
    "image newest ",
    "#zxq ",
    "team=#x ",
    "in #zxq ",
    "pods ",
    "message queue ",
    "message the ",
    "not wolf ",
    "a-b_c ",
    "wie viele Pods ",
    "数据库",
    "older than 3 days ",
    "wolf/fox ",
    "kafka topics ",
    "caches per team ",
];

fn of_length(shape: &str, characters: usize) -> String {
    let mut text = String::new();
    for n in 0.. {
        // A word of letters that no other number has.
        let word: String = format!("{n:06}").bytes().map(|b| char::from(b - b'0' + b'k')).collect();
        let piece = shape.replace('#', &word);
        if text.chars().count() + piece.chars().count() > characters {
            break;
        }
        text.push_str(&piece);
    }
    text
}

/// Steps that answering takes.
async fn work(searcher: &Searcher, store: &Sqlite, text: String) -> u64 {
    let now = "2026-04-10T12:00:00Z".into();
    let query = Query { text, limit: 10, now, number: Wanted::Always, ..Query::default() };
    let before = yardstick::steps();
    match searcher.answer(&*all(store).await, &Toy, &query).await {
        // Of stop words alone nothing is made but that.
        Ok(_) | Err(SearchError::NoQuestion) => yardstick::steps() - before,
        Err(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn work_grows_with_the_length_of_a_question_and_not_with_its_square() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let ty = |kind: &str, plural: &str| ResourceType { kind: kind.into(), plural: plural.into(), ..Default::default() };
    store.remember_types("", &[ty("Pod", "pods"), ty("Wolf", "wolves")]).await.unwrap();
    let searcher = Searcher::new(Catalogue::builtin().clone());
    for shape in SHAPES {
        // What is made once for all questions is not the question's.
        work(&searcher, &store, of_length(shape, LONGEST_QUESTION / 4)).await;
        let quarter = work(&searcher, &store, of_length(shape, LONGEST_QUESTION / 4)).await;
        let whole = work(&searcher, &store, of_length(shape, LONGEST_QUESTION)).await;
        // Of a short text that is nothing but talk little is looked at.
        assert!(whole < quarter.max(40_000) * 6, "{shape:?}: {quarter} steps, and {whole} for four times as much");
        // Of different words that nobody knows only the first are looked at.
        let capped = quarter < 20_000 || shape.contains('#');
        assert!(whole > quarter * 2 || capped, "{shape:?}: {quarter} and {whole}: is anything counted?");
    }
}

#[tokio::test]
async fn work_grows_with_the_length_of_a_document_and_not_with_its_square() {
    let folder = tempfile::tempdir().unwrap();
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let mut works = Vec::new();
    for words in [1_000, 4_000, 16_000] {
        let store = Sqlite::open_or_create(&folder.path().join(format!("{words}.db"))).unwrap();
        store.open_collection(Collection::Instances, &Toy.identity()).await.unwrap();
        let mut object = ResourceInstance::new("v1", "Pod", Some("barn"), "wolf").unwrap();
        object.annotations.insert("description".into(), of_length("#zxq ", words * 10));
        object.labels.insert("app".into(), "redis-".repeat(words));
        let document = Document::of_instance(&object, "pods");
        let upserts = vec![Upsert { document, vector: Some(vec![1.0, 0.0, 0.0]) }];
        store.apply(Collection::Instances, Batch { upserts, ..Batch::default() }).await.unwrap();
        // Holds a hundred words of the description, each of which is a reason.
        works.push(work(&searcher, &store, of_length("#zxq ", 1_000)).await);
    }
    assert!(works.windows(2).all(|w| w[1] < w[0] * 6 && w[1] > w[0] * 2), "{works:?}");
}

#[tokio::test]
async fn a_question_has_a_length() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let ask = |text: String| Query { text, limit: 1, ..Query::default() };
    let longest = ask(of_length("redis ", LONGEST_QUESTION));
    assert!(searcher.answer(&*all(&store).await, &Toy, &longest).await.is_ok());
    let long = ask("redis ".repeat(20_000));
    let counted = Query { hits: false, number: Wanted::Always, ..long.clone() };
    for query in [long, counted] {
        let error = searcher.answer(&*all(&store).await, &Toy, &query).await.unwrap_err();
        assert_eq!(error.to_string(), "the question has 120000 characters; expected 4000 at most");
    }
}

/// More objects than any budget for hits: of two kinds in four namespaces, some with a word that few others have.
async fn crowd(folder: &tempfile::TempDir) -> Sqlite {
    let store = Sqlite::open_or_create(&folder.path().join("crowd.db")).unwrap();
    store.open_collection(Collection::Instances, &Toy.identity()).await.unwrap();
    let mut upserts = Vec::new();
    for n in 0..1_300 {
        let (api_version, kind, type_name) =
            if n % 2 == 0 { ("v1", "Pod", "pods") } else { ("v1", "Service", "services") };
        let what = ["fox", "oak", "granite", "river"][n % 4];
        let rare = if n % 7 == 0 { "-lantern" } else { "" };
        let namespace = format!("zone{}", n % 4);
        let mut o = ResourceInstance::new(api_version, kind, Some(&namespace), &format!("{what}{rare}-{n}")).unwrap();
        o.created_at = format!("2026-01-{:02}T00:00:00Z", n % 28 + 1);
        let document = Document::of_instance(&o, type_name);
        let vector = Toy.embed(Purpose::Document, vec![document.text.clone()]).await.unwrap().pop();
        upserts.push(Upsert { document, vector });
    }
    store.apply(Collection::Instances, Batch { upserts, ..Batch::default() }).await.unwrap();
    let ty = |kind: &str, plural: &str| ResourceType { kind: kind.into(), plural: plural.into(), ..Default::default() };
    store.remember_types("", &[ty("Pod", "pods"), ty("Service", "services")]).await.unwrap();
    store
}

#[tokio::test]
async fn hits_and_number_are_the_same_together_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = crowd(&folder).await;
    let searcher = Searcher::new(Catalogue::builtin().clone());
    let view = all(&store).await;
    let (mut with_hits, mut counted) = (0, 0);
    for text in [
        "animals",
        "foxes with a lantern",
        "lantern",
        "how many lanterns per namespace",
        "services",
        "how many pods are in zone2",
        "everything in zone1 by kind",
        "newest lanterns",
        "the 3 oldest animals",
        "pods newer than 60 days",
        "how many in the moon namespace",
        "weather",
    ] {
        let both = Query { number: Wanted::Always, ..asked(text) };
        let answer = searcher.answer(&*view, &Toy, &both).await.unwrap();
        let hits = searcher.answer(&*view, &Toy, &Query { number: Wanted::Never, ..both.clone() }).await.unwrap();
        let number = searcher.answer(&*view, &Toy, &Query { hits: false, ..both.clone() }).await.unwrap();
        assert_eq!((&answer.hits, hits.number, hits.groups.len()), (&hits.hits, None, 0), "{text}");
        assert_eq!((answer.total, answer.admitted), (hits.total, hits.admitted), "{text}");
        assert_eq!((answer.number, &answer.groups), (number.number, &number.groups), "{text}");
        assert!(number.hits.is_empty() && answer.parsed == hits.parsed && answer.closest == hits.closest, "{text}");
        let if_asked = searcher.answer(&*view, &Toy, &Query { number: Wanted::IfAsked, ..both }).await.unwrap();
        let counts = answer.parsed.clauses.counts();
        assert_eq!(if_asked, if counts { answer.clone() } else { hits }, "{text}");
        with_hits += usize::from(!answer.hits.is_empty());
        // More than the budget for hits holds.
        counted += usize::from(answer.number > Some(180));
    }
    assert!(with_hits >= 10 && counted >= 5, "{with_hits} and {counted}: is anything compared?");
}

/// Counts how often it embeds.
struct Counting(std::sync::atomic::AtomicUsize);

#[async_trait]
impl Embedder for Counting {
    fn identity(&self) -> EmbedderIdentity {
        Toy.identity()
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Toy.embed(purpose, texts).await
    }
}

#[tokio::test]
async fn a_question_with_a_number_is_embedded_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = farm(&folder).await;
    let embedder = Counting(0.into());
    let query = Query { number: Wanted::IfAsked, ..asked("how many animals per namespace") };
    let answer = Searcher::new(Catalogue::builtin().clone()).answer(&*all(&store).await, &embedder, &query).await;
    let answer = answer.unwrap();
    assert_eq!(answer.groups, [("barn".to_owned(), 1), ("field".to_owned(), 1)]);
    assert_eq!((answer.number, answer.hits.len()), (Some(2), 2));
    assert_eq!(embedder.0.into_inner(), 1);
}
