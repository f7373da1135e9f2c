//! What is answered, over small clusters: objects in, hits and reasons out. The embedder is the built-in one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{Capability, Collection, Document, OwnerReference, ResourceInstance, ResourceType, Scope};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_search::{Answer, Note, Problem, Query, SearchError, Searcher, Wanted};
use clusterlore_store::{Batch, Runs, Sqlite, Store, Upsert, View, Writer};

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> ResourceInstance {
    ResourceInstance::new(api_version, kind, Some(namespace), name).unwrap()
}

fn owned(mut object: ResourceInstance, owner: &ResourceInstance) -> ResourceInstance {
    object.owner = Some(OwnerReference {
        api_version: owner.api_version.clone(),
        kind: owner.kind.clone(),
        name: owner.name.clone(),
        uid: String::new(),
    });
    object
}

fn labelled(mut object: ResourceInstance, key: &str, value: &str) -> ResourceInstance {
    object.labels.insert(key.to_owned(), value.to_owned());
    object
}

fn type_name(object: &ResourceInstance) -> String {
    let plural = format!("{}s", object.kind.to_lowercase());
    if object.api_group.is_empty() { plural } else { format!("{plural}.{}", object.api_group) }
}

async fn all(store: &Sqlite) -> Box<dyn View> {
    store.view(&Scope::All { because: "a test" }).await.unwrap()
}

async fn write(store: &Sqlite, collection: Collection, documents: Vec<Document>) {
    let embedder = Builtin::default();
    let texts = documents.iter().map(|d| d.text.clone()).collect();
    let vectors = embedder.embed(Purpose::Document, texts).await.unwrap();
    let upserts =
        documents.into_iter().zip(vectors).map(|(document, v)| Upsert { document, vector: Some(v) }).collect();
    store.open_collection(collection, &embedder.identity()).await.unwrap();
    store.apply(collection, Batch { upserts, ..Batch::default() }).await.unwrap();
}

async fn index(folder: &Path, objects: &[ResourceInstance]) -> Sqlite {
    std::fs::create_dir_all(folder).unwrap();
    let store = Sqlite::open_or_create(&folder.join("index.db")).unwrap();
    let pods =
        ResourceType { kind: "Pod".into(), plural: "pods".into(), version: "v1".into(), ..ResourceType::default() };
    store.remember_types("", &[pods]).await.unwrap();
    write(&store, Collection::Instances, objects.iter().map(|o| Document::of_instance(o, &type_name(o))).collect())
        .await;
    store
}

async fn ask(store: &Sqlite, text: &str) -> Answer {
    let query = Query { text: text.to_owned(), limit: 10, ..Query::default() };
    Searcher::new(Catalogue::builtin().clone()).answer(&*all(store).await, &Builtin::default(), &query).await.unwrap()
}

/// `Kind namespace/name` of each hit.
fn hits(answer: &Answer) -> Vec<String> {
    let shown = |id: &str| {
        let parts: Vec<&str> = id.split('/').collect();
        format!("{} {}/{}", parts[parts.len() - 2], parts[0], parts[parts.len() - 1])
    };
    answer.hits.iter().map(|h| shown(&h.id)).collect()
}

#[tokio::test]
async fn what_a_controller_made_stands_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = object("apps/v1", "Deployment", "shop", "checkout");
    let set = owned(object("apps/v1", "ReplicaSet", "shop", "checkout-5d9"), &deployment);
    let pods = ["a", "b"].map(|n| owned(object("v1", "Pod", "shop", &format!("checkout-5d9-{n}")), &set));
    let [a, b] = pods;
    let orphan = owned(object("v1", "Pod", "shop", "checkout-old-x"), &object("v1", "Tray", "shop", "gone"));
    let store = index(folder.path(), &[a, b, set, deployment, orphan]).await;

    let answer = ask(&store, "checkout").await;
    assert_eq!(hits(&answer), ["Deployment shop/checkout", "Pod shop/checkout-old-x"]);
    assert_eq!(answer.hits[0].controlled.len(), 3, "{:?}", answer.hits[0].controlled);

    let pods = ask(&store, "pods in shop").await;
    assert_eq!(pods.hits.len(), 3, "asked for, they stand for themselves: {:?}", hits(&pods));
}

#[tokio::test]
async fn the_same_in_many_namespaces_is_one_hit() {
    let folder = tempfile::tempdir().unwrap();
    let of = |team: usize, name: &str| object("apps/v1", "StatefulSet", &format!("team-{team}"), name);
    let mut objects: Vec<ResourceInstance> = (1..=6).map(|team| of(team, "redis")).collect();
    objects.push(of(7, "team-7-redis"));
    objects.extend((1..=3).map(|team| of(team, "rabbitmq")));
    let store = index(folder.path(), &objects).await;

    let many = ask(&store, "redis").await;
    assert_eq!((many.hits.len(), many.hits[0].elsewhere.len()), (1, 6), "{:?}", hits(&many));
    assert_eq!(ask(&store, "rabbitmq").await.hits.len(), 3, "three can be read side by side");
    let one = ask(&store, "redis in team-3").await;
    assert_eq!((hits(&one), one.hits[0].elsewhere.len()), (vec!["StatefulSet team-3/redis".to_owned()], 0));
}

#[tokio::test]
async fn a_data_source_called_prometheus_is_no_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let source = object("grafana.integreatly.org/v1beta1", "GrafanaDatasource", "watch", "prometheus");
    let grafana = object("grafana.integreatly.org/v1beta1", "Grafana", "watch", "grafana");
    let store = index(folder.path(), &[source.clone(), grafana.clone()]).await;
    assert!(ask(&store, "prometheus servers").await.hits.is_empty());

    let folder = tempfile::tempdir().unwrap();
    let server = object("apps/v1", "StatefulSet", "watch", "prometheus");
    let store = index(folder.path(), &[source, grafana, server]).await;
    assert_eq!(hits(&ask(&store, "prometheus servers").await), ["StatefulSet watch/prometheus"]);
}

#[tokio::test]
async fn software_is_found_by_what_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let box_ = labelled(object("apps/v1", "StatefulSet", "infra", "strongbox"), "app.kubernetes.io/name", "vault");
    let others = ["lantern", "anvil", "teapot"].map(|name| object("apps/v1", "Deployment", "infra", name));
    let store = index(folder.path(), &[&others[..], &[box_]].concat()).await;
    let answer = ask(&store, "which thing keeps our passwords").await;
    assert_eq!(hits(&answer)[0], "StatefulSet infra/strongbox");
    let whys: Vec<&str> = answer.hits[0].score.reasons.iter().take(2).map(|r| r.why.as_str()).collect();
    assert!(whys.iter().any(|why| why.starts_with("HashiCorp Vault matches the purpose")), "{whys:?}");
}

#[tokio::test]
async fn types_vouch_for_their_instances_and_are_named_where_nothing_fits() {
    let folder = tempfile::tempdir().unwrap();
    let call = object("port.example/v1", "VesselCall", "quay", "gannet-2612");
    let oven = object("apps/v1", "Deployment", "bakery", "oven");
    let store = index(folder.path(), &[call, oven]).await;
    let types = [
        ("VesselCall", "vesselcalls", "port.example", "The stay of a ship at a berth."),
        ("Certificate", "certificates", "cert-manager.io", "A TLS certificate that renews itself."),
    ];
    let documents = types.map(|(kind, plural, group, about)| {
        let ty = ResourceType {
            kind: kind.into(),
            plural: plural.into(),
            group: group.into(),
            version: "v1".into(),
            ..ResourceType::default()
        };
        let capability = Capability {
            resource_name: ty.name(),
            api_version: ty.api_version(),
            group: group.into(),
            kind: kind.into(),
            description: about.into(),
            ..Capability::default()
        };
        Document::of_capability(&capability, &ty, None)
    });
    write(&store, Collection::Capabilities, documents.into()).await;

    let answer = ask(&store, "ships at a berth").await;
    assert_eq!(hits(&answer)[0], "VesselCall quay/gannet-2612");
    let whys: Vec<&str> = answer.hits[0].score.reasons.iter().map(|r| r.why.as_str()).collect();
    assert!(whys.contains(&"type vesselcalls.port.example matches the purpose"), "{whys:?}");

    let nothing = ask(&store, "TLS certificates that renew themselves").await;
    assert_eq!((nothing.hits.len(), nothing.closest), (0, vec!["certificates.cert-manager.io".to_owned()]));
}

fn described(mut object: ResourceInstance, said: &str) -> ResourceInstance {
    object.annotations.insert("description".to_owned(), said.to_owned());
    object
}

/// Objects that have nothing to do with each other.
fn others() -> Vec<ResourceInstance> {
    let all = [
        ("Deployment", "checkout", "takes what is in the basket and makes an order of it"),
        ("Deployment", "seat-map", "shows which seats of a train are free"),
        ("Deployment", "weather", "tells the ski lifts when a storm comes"),
        ("StatefulSet", "ledger-db", "remembers who paid what"),
        ("DaemonSet", "log-shipper", "carries lines from machines to the archive"),
        ("Deployment", "mail-relay", "sends letters to customers"),
        ("CronJob", "nightly-report", "adds up the day for the board"),
        ("Deployment", "image-resizer", "makes pictures small"),
        ("Deployment", "fraud-scorer", "says which payments look odd"),
        ("Deployment", "badge-printer", "prints cards for visitors"),
        ("StatefulSet", "queue", "keeps messages until somebody wants them"),
        ("Deployment", "timetable", "knows when trains leave"),
        ("Deployment", "translator", "turns text into other languages"),
        ("Deployment", "coffee-monitor", "counts cups in the kitchen"),
        ("Deployment", "lost-property", "finds what passengers left behind"),
    ];
    let made = all.map(|(kind, name, said)| described(object("apps/v1", kind, name, name), said));
    made.into()
}

#[tokio::test]
async fn documents_that_are_all_alike_are_an_answer() {
    for (what, questions) in [
        // Word for word, and by what they mean.
        ("settings number # of the orders database", &["orders database", "where are the orders configured"][..]),
        ("keeps the passwords of team #", &["passwords", "which thing holds our secrets"]),
        ("takes payments, part #", &["who takes the payments", "payments"]),
    ] {
        for beside in [Vec::new(), others()] {
            let folder = tempfile::tempdir().unwrap();
            let alike = (0..60).map(|n| {
                let said = what.replace('#', &n.to_string());
                described(object("v1", "ConfigMap", "load", &format!("cm-{n}")), &said)
            });
            let all: Vec<ResourceInstance> = alike.chain(beside.clone()).collect();
            let store = index(folder.path(), &all).await;
            for question in questions {
                let hits = hits(&ask(&store, question).await);
                assert_eq!(hits.len(), 10, "{question:?} over {what:?} beside {}: {hits:?}", beside.len());
                // Of others a word or two may fit as well.
                let alike = hits.iter().filter(|hit| hit.contains("load/cm-")).count();
                assert!(alike >= if beside.is_empty() { 10 } else { 6 }, "{question:?}: {hits:?}");
            }
            for nonsense in ["quantum chromodynamics", "the moons of Jupiter", "grandmother's cheesecake"] {
                let hits = hits(&ask(&store, nonsense).await);
                assert!(hits.is_empty(), "{nonsense:?} over {what:?} beside {}: {hits:?}", beside.len());
            }
        }
    }
}

#[tokio::test]
async fn the_one_document_that_holds_the_word_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let said = "settings of the falconry ledger, beside the aquarium of zanzibar and its penguins";
    for kind in ["ConfigMap", "CronJob", "Role"] {
        let mut all = others();
        all.push(described(object("v1", kind, "load", "cm-1"), said));
        let store = index(&folder.path().join(kind), &all).await;
        for question in ["falconry", "aquarium of zanzibar", "where is the falconry ledger", "penguins"] {
            let hits = hits(&ask(&store, question).await);
            assert!(hits.contains(&format!("{kind} load/cm-1")), "{question:?}: {hits:?}");
        }
        assert!(hits(&ask(&store, "ornithology").await).is_empty());
    }
}

#[tokio::test]
async fn questions_in_other_languages_are_read_by_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let app = |name, said| described(object("apps/v1", "Deployment", "ops", name), said);
    let objects = [
        app("courier-pigeon", "Sends text messages to customers"),
        app("night-owl", "Copies all databases to another data center every night"),
        app("greenfinger", "Opens the valves of the greenhouse when the soil is dry"),
        app("turnstile", "Lets employees into the building with their badge"),
        app("quill", "Translates contracts"),
        app("rechnungslauf", "Monthly batch"),
    ];
    let store = index(folder.path(), &objects).await;
    for (question, name) in [
        ("Welche Anwendung verschickt Kurznachrichten an unsere Kunden?", "courier-pigeon"),
        ("Quelle application envoie des SMS aux clients ?", "courier-pigeon"),
        ("¿Qué aplicación envía mensajes de texto a los clientes?", "courier-pigeon"),
        ("Qual aplicação envia mensagens de texto aos clientes?", "courier-pigeon"),
        ("哪个应用给我们的客户发送短信？", "courier-pigeon"),
        ("Womit werden nachts die Datenbanken kopiert?", "night-owl"),
        ("Qui s'occupe de l'arrosage de la serre ?", "greenfinger"),
        ("¿Quién traduce los contratos?", "quill"),
        ("Wo ist der Rechnungslauf?", "rechnungslauf"),
        ("rechnungslauf", "rechnungslauf"),
    ] {
        let answer = ask(&store, question).await;
        let first = hits(&answer).into_iter().next().unwrap_or_default();
        let notes: Vec<String> = answer.parsed.notes.iter().map(ToString::to_string).collect();
        assert_eq!(first, format!("Deployment ops/{name}"), "{question}: {notes:?}");
    }
    let answer = ask(&store, "Welche Anwendung verschickt SMS an unsere Kunden?").await;
    let notes: Vec<String> = answer.parsed.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["language: German, read word for word as: application send sms text message customer"]);
    let unread = ask(&store, "Welche Xylqwz gibt es?").await;
    let notes: Vec<String> = unread.parsed.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["language: German, answered by names and not by meaning"]);
}

/// The same, with the types of the objects known.
async fn index_with_types(folder: &Path, objects: &[ResourceInstance]) -> Sqlite {
    let store = index(folder, objects).await;
    let types: Vec<ResourceType> = objects
        .iter()
        .map(|o| ResourceType {
            kind: o.kind.clone(),
            plural: format!("{}s", o.kind.to_lowercase()),
            singular: o.kind.to_lowercase(),
            group: o.api_group.clone(),
            version: "v1".into(),
            namespaced: !o.is_cluster_scoped(),
            ..ResourceType::default()
        })
        .collect();
    store.remember_types("", &types).await.unwrap();
    store
}

/// A shop with a web API in two namespaces, its pods, and things that share its words.
async fn shop(folder: &Path) -> Sqlite {
    let api = |namespace: &str| object("apps/v1", "Deployment", namespace, "checkout-api");
    let of = |namespace: &str, hash: &str| {
        let set = owned(object("apps/v1", "ReplicaSet", namespace, &format!("checkout-api-{hash}")), &api(namespace));
        let pod = owned(object("v1", "Pod", namespace, &format!("checkout-api-{hash}-x2k9q")), &set);
        [set, pod]
    };
    let more = [
        object("v1", "Service", "storefront", "checkout-api"),
        object("v1", "ConfigMap", "storefront", "checkout-api"),
        object("apps/v1", "StatefulSet", "storefront", "orders-db"),
        object("apps/v1", "Deployment", "lab", "gong"),
        object("apps/v1", "Deployment", "lab", "payments-service"),
        object("v1", "Service", "lab", "payments"),
        labelled(object("apps/v1", "Deployment", "lab", "red-cache"), "app", "redis"),
        labelled(object("apps/v1", "Deployment", "lab", "redis-operator"), "app", "redis-operator"),
        labelled(object("apps/v1", "Deployment", "lab", "blue-cache"), "app", "memcached"),
    ];
    let all = [api("storefront"), api("staging")]
        .into_iter()
        .chain(of("storefront", "5d9c6f8b5d"))
        .chain(of("staging", "7f6d5c4b3d"));
    let all: Vec<ResourceInstance> = all.chain(more).chain(others()).collect();
    index_with_types(folder, &all).await
}

#[tokio::test]
async fn an_exact_name_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path()).await;
    for (question, first) in [
        ("why is checkout-api in storefront so slow for people who pay by card?", "Deployment storefront/checkout-api"),
        ("checkout-api in the staging namespace", "Deployment staging/checkout-api"),
        ("staging/checkout-api", "Deployment staging/checkout-api"),
        ("which port has the Service checkout-api", "Service storefront/checkout-api"),
        ("port-forward service/checkout-api to my machine", "Service storefront/checkout-api"),
        ("the configmap called `checkout-api`", "ConfigMap storefront/checkout-api"),
        (r#"what is the image of {"type": "deployment", "name": "gong"}?"#, "Deployment lab/gong"),
        ("somebody told me to restart gong, what's that", "Deployment lab/gong"),
        ("logs of `gong` please, but no trains and no letters", "Deployment lab/gong"),
        ("events of checkout-api-5d9c6f8b5d-x2k9q", "Pod storefront/checkout-api-5d9c6f8b5d-x2k9q"),
        ("which deployment is pod checkout-api-5d9c6f8b5d-x2k9q from?", "Deployment storefront/checkout-api"),
        ("who owns checkout-api-7f6d5c4b3d-x2k9q", "Deployment staging/checkout-api"),
        // That pod is gone.
        ("why was gong-66b7d8f9c5-h8rzl killed", "Deployment lab/gong"),
        ("the payments service is down", "Deployment lab/payments-service"),
        ("describe the chekout-api deployment in staging", "Deployment staging/checkout-api"),
        ("kubectl -n storefront get statefulset orders-db -o yaml", "StatefulSet storefront/orders-db"),
        ("orders db", "StatefulSet storefront/orders-db"),
    ] {
        let answer = ask(&store, question).await;
        assert_eq!(hits(&answer).first().map(String::as_str), Some(first), "{question}: {:?}", hits(&answer));
        let score = &answer.hits[0].score;
        assert!(score.reasons.iter().any(|r| r.why == "named in the question"), "{question}: {:?}", answer.parsed);
        assert!(score.total() <= 1.0 + 1e-5, "{question}: {}", score.total());
        let scores: Vec<f32> = answer.hits.iter().map(|h| h.score.total()).collect();
        assert!(scores.is_sorted_by(|a, b| *a >= *b - 0.1), "{question}: {scores:?}");
    }
    // Its pods, if they are asked for.
    let pods = hits(&ask(&store, "which pods does checkout-api have in staging").await);
    assert_eq!(pods[..2], ["Pod staging/checkout-api-7f6d5c4b3d-x2k9q", "Deployment staging/checkout-api"], "{pods:?}");
    // What only looks like a name, or is a name only elsewhere, names nothing.
    for question in ["which trains leave on time", "gongs of a temple", "the gong in storefront", "checkout-apx"] {
        let answer = ask(&store, question).await;
        assert!(answer.parsed.named.is_empty(), "{question}: {:?}", answer.parsed.named);
    }
}

#[tokio::test]
async fn what_is_counted_by_name_counts_whatever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let objects = [
        object("apps/v1", "Deployment", "lab", "kettle"),
        object("v1", "Service", "lab", "kettle"),
        object("v1", "ConfigMap", "lab", "kettle"),
        object("apps/v1", "Deployment", "lab", "toaster"),
    ];
    let store = index_with_types(folder.path(), &objects).await;
    for (question, number) in [
        ("how many things are called kettle?", 3),
        ("how many deployments are called kettle?", 1),
        ("how many deployments are there?", 2),
    ] {
        let query = Query { text: question.to_owned(), number: Wanted::IfAsked, ..Query::default() };
        let searcher = Searcher::new(Catalogue::builtin().clone());
        let answer = searcher.answer(&*all(&store).await, &Builtin::default(), &query).await.unwrap();
        assert_eq!(answer.number, Some(number), "{question}");
    }
}

#[tokio::test]
async fn a_team_is_a_label_or_a_namespace() {
    let folder = tempfile::tempdir().unwrap();
    let of = |kind: &str, namespace: &str, name: &str| object("batch/v1", kind, namespace, name);
    let all = [
        labelled(of("Job", "shop", "bill"), "team", "ibis"),
        labelled(of("CronJob", "shop", "sweep"), "team", "heron"),
        of("CronJob", "team-ibis", "count"),
    ];
    let store = index_with_types(folder.path(), &all).await;
    for (question, found) in [
        ("jobs of team ibis", &["Job shop/bill"][..]),
        ("cronjobs of team ibis", &["CronJob team-ibis/count"]),
        ("the heron team's cronjobs", &["CronJob shop/sweep"]),
        ("jobs of team heron", &[]),
    ] {
        assert_eq!(hits(&ask(&store, question).await), found, "{question}");
    }
}

#[tokio::test]
async fn where_a_named_object_really_is_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path()).await;
    let elsewhere = |answer: &Answer| {
        answer.parsed.notes.iter().find(|n| matches!(n, Note::Elsewhere { .. })).map(ToString::to_string)
    };
    for question in [
        "is orders-db in the lab namespace?",
        "kubectl describe statefulset orders-db -n lab",
        "orders-db of team moon in lab",
    ] {
        let answer = ask(&store, question).await;
        assert_eq!(hits(&answer)[0], "StatefulSet storefront/orders-db", "{question}");
        let told = Some("orders-db is not in namespace lab; it is in storefront".to_owned());
        assert_eq!(elsewhere(&answer), told, "{question}");
    }
    // A namespace that does not exist is no dead end for what does.
    let answer = ask(&store, "kubectl describe statefulset orders-db -n moon").await;
    assert_eq!((hits(&answer)[0].as_str(), answer.parsed.problem.clone()), ("StatefulSet storefront/orders-db", None));
    assert!(elsewhere(&answer).unwrap().contains("not in namespace moon"));
    assert_eq!(elsewhere(&ask(&store, "orders-db in storefront").await), None);
    // Said with a doubt, a bare word is looked for elsewhere too.
    let answer = ask(&store, "gong should be somewhere in storefront").await;
    assert_eq!(hits(&answer)[0], "Deployment lab/gong");
    assert!(elsewhere(&answer).is_some());
}

#[tokio::test]
async fn what_is_not_wanted_is_left_out_only_where_that_is_sure() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path()).await;
    let with = hits(&ask(&store, "caches in lab").await);
    for cache in ["red-cache", "blue-cache"] {
        assert!(with.contains(&format!("Deployment lab/{cache}")), "{with:?}");
    }
    for (question, red, blue) in [
        ("caches in lab besides redis", false, true),
        ("caches in lab, but not memcached please", true, false),
        ("caches other than redis or memcached", false, false),
        ("caches in lab without the operator", true, true),
        // Words that name nothing known leave nothing out.
        ("caches in lab, not the ones that are red", true, true),
        ("caches in lab with no downtime", true, true),
    ] {
        let hits = hits(&ask(&store, question).await);
        let has = |name: &str| hits.contains(&format!("Deployment lab/{name}"));
        assert_eq!((has("red-cache"), has("blue-cache")), (red, blue), "{question}: {hits:?}");
        assert!(!question.contains("without") || !has("redis-operator"), "{question}: {hits:?}");
    }
}

#[tokio::test]
async fn stop_words_alone_are_no_question_and_letters_are_folded() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path()).await;
    let searcher = Searcher::new(Catalogue::builtin().clone());
    for text in ["the of and", "AND AND", "a", "???", "what is it", "show me all of them"] {
        let query = Query { text: text.to_owned(), limit: 10, ..Query::default() };
        let error = searcher.answer(&*all(&store).await, &Builtin::default(), &query).await.unwrap_err();
        assert!(matches!(error, SearchError::NoQuestion), "{text}: {error}");
    }
    assert_eq!(hits(&ask(&store, "ｒｅｄｉｓ").await), hits(&ask(&store, "redis").await));
    assert!(!hits(&ask(&store, "ｒｅｄｉｓ").await).is_empty());
    assert_eq!(
        ask(&store, "which of them are in qa?").await.parsed.problem,
        Some(Problem::NoSuchScope("qa".to_owned()))
    );
    let answer = ask(&store, "caches in qa").await;
    assert!(answer.parsed.notes.contains(&Note::Unknown("qa".to_owned())) && !answer.hits.is_empty());
}
