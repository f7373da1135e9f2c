//! What is answered under a scope is what an index would answer that holds only what the scope admits: hits, numbers, groups, notes,
//! problems, suggestions, errors, similar objects and status. On all three stores.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{
    CLUSTER_SCOPE, Capability, Collection, Document, ObjectKey, OwnerReference, ResourceInstance, ResourceType, Rule,
    Scope,
};
use clusterlore_index::{Index, Request};
use clusterlore_models::{Builtin, Embedder, Purpose};
use clusterlore_search::Wanted;
use clusterlore_store::{Batch, Chroma, ChromaOptions, Postgres, Sqlite, Store, Upsert};
use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::ChromaServer;

/// Random scopes that are tried on each store.
const SCOPES: usize = 500;
const CLUSTERS: [&str; 2] = ["", "east"];

const TYPES: [(&str, &str, &str); 8] = [
    ("Deployment", "deployments", "apps"),
    ("StatefulSet", "statefulsets", "apps"),
    ("ReplicaSet", "replicasets", "apps"),
    ("Pod", "pods", ""),
    ("ConfigMap", "configmaps", ""),
    ("Namespace", "namespaces", ""),
    ("Certificate", "certificates", "cert-manager.io"),
    ("Raven", "ravens", "birds.example.org"),
];

/// Namespace, kind, name, team, owner.
const OBJECTS: [(&str, &str, &str, &str, &str); 26] = [
    ("shop", "Deployment", "checkout-api", "payments", ""),
    ("shop", "ReplicaSet", "checkout-api-7d9f", "payments", "Deployment/checkout-api"),
    ("shop", "Pod", "checkout-api-7d9f-x2k4q", "payments", "ReplicaSet/checkout-api-7d9f"),
    ("shop", "Pod", "checkout-api-7d9f-b8z1m", "payments", "ReplicaSet/checkout-api-7d9f"),
    ("shop", "StatefulSet", "postgres-orders", "payments", ""),
    ("shop", "ConfigMap", "feature-toggles", "web", ""),
    ("shop", "Certificate", "shop-tls", "web", ""),
    ("edge", "Deployment", "redis-cache", "platform", ""),
    ("edge", "Deployment", "nginx-gateway", "platform", ""),
    ("edge", "Pod", "nginx-gateway-1", "platform", ""),
    ("edge", "Certificate", "edge-tls", "platform", ""),
    ("edge", "ConfigMap", "toggles", "platform", ""),
    ("data", "StatefulSet", "kafka-broker", "search", ""),
    ("data", "StatefulSet", "postgres-ledger", "search", ""),
    ("data", "Pod", "kafka-broker-0", "search", "StatefulSet/kafka-broker"),
    ("data", "Raven", "nevermore", "search", ""),
    ("data", "ConfigMap", "rabbitmq-settings", "search", ""),
    ("team-a", "Deployment", "redis", "a", ""),
    ("team-b", "Deployment", "redis", "b", ""),
    ("team-c", "Deployment", "redis", "c", ""),
    ("team-d", "Deployment", "redis", "d", ""),
    ("team-d", "Raven", "huginn", "d", ""),
    (CLUSTER_SCOPE, "Namespace", "shop", "web", ""),
    (CLUSTER_SCOPE, "Namespace", "edge", "platform", ""),
    (CLUSTER_SCOPE, "Namespace", "data", "search", ""),
    (CLUSTER_SCOPE, "Namespace", "team-d", "d", ""),
];

/// Questions whose answers hang on everything that an index knows: words, spelling, namespaces, labels, kinds, owners, numbers.
const QUESTIONS: [&str; 24] = [
    "redis",
    "what relational databases are running?",
    "message brokers in data",
    "databases in the shop namespace",
    "postgrs",
    "ravn",
    "nevermoer",
    "nginx in the edge namespace",
    "how many redis are there per namespace?",
    "how many pods per owner?",
    "team payments",
    "team d",
    "deployments of team platform",
    "deploy/checkout-api",
    "certificates not in shop",
    "everything in data",
    "ravens",
    "how many ravens",
    "tls certificates",
    "huginn",
    "in the team-d namespace",
    "feature toggles",
    "something nobody runs, such as a blockchain",
    "pods of the checkout",
];

const IDS: [&str; 8] = [
    "shop/apps/v1/StatefulSet/postgres-orders",
    "deploy/redis",
    "raven/nevermore",
    "raven/nevermoer",
    "data/birds.example.org/v1/Raven/nevermore",
    "statefulset/postgres-ledgr",
    "nothing/here",
    "team-d/apps/v1/Deployment/redis",
];

/// Members of families of two and three levels, and an object that has none.
const FAMILIES: [&str; 5] = [
    "shop/apps/v1/Deployment/checkout-api",
    "shop/apps/v1/ReplicaSet/checkout-api-7d9f",
    "shop/v1/Pod/checkout-api-7d9f-b8z1m",
    "data/v1/Pod/kafka-broker-0",
    "data/birds.example.org/v1/Raven/nevermore",
];

fn types() -> Vec<ResourceType> {
    let of = |(kind, plural, group): (&str, &str, &str)| ResourceType {
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        group: group.to_owned(),
        version: "v1".to_owned(),
        singular: kind.to_lowercase(),
        short_names: if kind == "Deployment" { vec!["deploy".to_owned()] } else { Vec::new() },
        ..ResourceType::default()
    };
    TYPES.map(of).into()
}

fn group_of(kind: &str) -> &'static str {
    TYPES.iter().find(|(k, ..)| *k == kind).unwrap().2
}

fn api_version(kind: &str) -> String {
    match group_of(kind) {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    }
}

/// Every document of the world with its vector, by collection, in the order in which they are written.
async fn world(embedder: &dyn Embedder) -> Vec<(Collection, Document, Vec<f32>)> {
    let mut documents = Vec::new();
    for cluster in CLUSTERS {
        let named = Some(cluster).filter(|c| !c.is_empty());
        for ty in types() {
            let document = match ty.kind.as_str() {
                "Raven" => {
                    let capability = Capability {
                        resource_name: ty.name(),
                        api_version: ty.api_version(),
                        group: ty.group.clone(),
                        kind: ty.kind.clone(),
                        capabilities: vec!["carrier".to_owned(), "omen".to_owned()],
                        description: "Carries messages between castles.".to_owned(),
                        ..Capability::default()
                    };
                    Document::of_capability(&capability, &ty, named)
                }
                _ => Document::of_type(&ty, named),
            };
            documents.push((Collection::Capabilities, document));
        }
        for (namespace, kind, name, team, owner) in OBJECTS {
            let namespace = Some(namespace).filter(|n| *n != CLUSTER_SCOPE);
            let mut object = ResourceInstance::new(&api_version(kind), kind, namespace, name).unwrap();
            object.cluster = named.map(str::to_owned);
            object.labels.insert("team".to_owned(), team.to_owned());
            object.created_at = "2026-01-31T12:00:00Z".to_owned();
            object.owner = owner.split_once('/').map(|(kind, name)| OwnerReference {
                api_version: api_version(kind),
                kind: kind.to_owned(),
                name: name.to_owned(),
                uid: String::new(),
            });
            let ty = types().into_iter().find(|t| t.kind == kind).unwrap();
            documents.push((Collection::Instances, Document::of_instance(&object, &ty.name())));
        }
    }
    let texts = documents.iter().map(|(_, d)| d.text.clone()).collect();
    let vectors = embedder.embed(Purpose::Document, texts).await.unwrap();
    documents.into_iter().zip(vectors).map(|((collection, document), v)| (collection, document, v)).collect()
}

/// Where stores can be made.
#[async_trait::async_trait]
trait Place {
    async fn store(&self, database: &str) -> Arc<dyn Store>;
}

struct Files(tempfile::TempDir);

#[async_trait::async_trait]
impl Place for Files {
    async fn store(&self, database: &str) -> Arc<dyn Store> {
        Arc::new(Sqlite::open_or_create(&self.0.path().join(format!("{database}.db"))).unwrap())
    }
}

#[async_trait::async_trait]
impl Place for PostgresServer {
    async fn store(&self, database: &str) -> Arc<dyn Store> {
        self.create_database(database);
        Arc::new(Postgres::open_or_create(&self.url(database)).await.unwrap())
    }
}

struct Served(ChromaServer, tempfile::TempDir);

#[async_trait::async_trait]
impl Place for Served {
    async fn store(&self, database: &str) -> Arc<dyn Store> {
        self.0.create_database(database);
        let options = ChromaOptions {
            url: self.0.url(),
            database: database.to_owned(),
            local: self.1.path().join(format!("{database}.db")),
            fresh_for: Duration::from_secs(3_600),
            ..ChromaOptions::default()
        };
        Arc::new(Chroma::connect(options).await.unwrap())
    }
}

/// Makes a store hold what the scope admits of the world, and nothing else.
async fn hold(
    store: &dyn Store,
    world: &[(Collection, Document, Vec<f32>)],
    scope: &Scope,
    held: &mut BTreeSet<(Collection, ObjectKey)>,
) {
    let admitted = |collection: &Collection, d: &Document| {
        let of = &d.facets;
        scope.admits(*collection, &of.cluster, &of.type_name, &of.namespace, Some(&d.key))
    };
    for cluster in CLUSTERS {
        let known: Vec<ResourceType> =
            types().into_iter().filter(|ty| scope.admits_type(cluster, &ty.name())).collect();
        store.remember_types(cluster, &known).await.unwrap();
    }
    for collection in Collection::ALL {
        let of = || world.iter().filter(move |(of, ..)| *of == collection);
        let new = of().filter(|(c, d, _)| admitted(c, d) && !held.contains(&(collection, d.key)));
        let upserts: Vec<Upsert> =
            new.map(|(_, d, v)| Upsert { document: d.clone(), vector: Some(v.clone()) }).collect();
        held.extend(upserts.iter().map(|u| (collection, u.document.key)));
        if !upserts.is_empty() {
            store.apply(collection, Batch::writing(1, upserts)).await.unwrap();
        }
        for cluster in CLUSTERS {
            let gone = of().filter(|(c, d, _)| d.facets.cluster == cluster && !admitted(c, d));
            let gone: Vec<ObjectKey> = gone.map(|(_, d, _)| d.key).filter(|k| held.remove(&(collection, *k))).collect();
            if !gone.is_empty() {
                store.apply(collection, Batch::deleting(cluster, gone)).await.unwrap();
            }
        }
    }
}

async fn opened(place: &dyn Place, database: &str, embedder: &dyn Embedder) -> Arc<dyn Store> {
    let store = place.store(database).await;
    for collection in Collection::ALL {
        store.open_collection(collection, &embedder.identity()).await.unwrap();
    }
    store
}

fn random_scope(random: &mut fastrand::Rng) -> Scope {
    let all: BTreeSet<&str> = OBJECTS.iter().map(|o| o.0).collect();
    let rule = |random: &mut fastrand::Rng| Rule {
        cluster: CLUSTERS[random.usize(0..2)].to_owned(),
        type_name: (random.u8(0..3) > 0).then(|| types()[random.usize(0..TYPES.len())].name()),
        namespaces: (random.u8(0..4) > 0)
            .then(|| all.iter().filter(|_| random.bool()).map(|n| (*n).to_owned()).collect()),
        objects: None,
    };
    let rules = random.usize(0..7);
    Scope::rules((0..rules).map(|_| rule(random)).collect::<Vec<_>>())
}

fn request(random: &mut fastrand::Rng) -> Request {
    let some = |random: &mut fastrand::Rng, of: &[&str]| match random.u8(0..6) {
        0 => vec![of[random.usize(0..of.len())].to_owned()],
        _ => Vec::new(),
    };
    Request {
        question: QUESTIONS[random.usize(0..QUESTIONS.len())].to_owned(),
        collection: if random.u8(0..4) == 0 { Collection::Capabilities } else { Collection::Instances },
        namespaces: some(random, &["shop", "data", "team-d", "nowhere"]),
        kinds: some(random, &["pods", "raven", "deploy", "ravne", "certificates.cert-manager.io"]),
        clusters: some(random, &["east"]),
        number: [Wanted::IfAsked, Wanted::Always][random.usize(0..2)],
        now: "2026-02-01T00:00:00Z".to_owned(),
        explain: true,
        ..Request::default()
    }
}

/// Everything that an answer tells, also where it is an error.
fn told<T: serde::Serialize, E: std::fmt::Display + std::fmt::Debug>(answer: Result<T, E>) -> String {
    match answer {
        Ok(answer) => serde_json::to_string_pretty(&answer).unwrap(),
        Err(error) => format!("{error} {error:?}"),
    }
}

/// Status without what tells two stores apart.
async fn status(index: &Index, scope: &Scope) -> String {
    let mut status = index.status(scope).await.unwrap();
    (status.store, status.size_bytes) = (String::new(), None);
    status.sources.clear();
    told::<_, std::fmt::Error>(Ok(status))
}

async fn holds(place: &dyn Place, scopes: usize) {
    let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
    let world = world(&*embedder).await;
    let everything = Scope::All { because: "a test" };
    let whole = opened(place, "whole", &*embedder).await;
    hold(&*whole, &world, &everything, &mut BTreeSet::new()).await;
    let part = opened(place, "part", &*embedder).await;
    let index =
        |store: &Arc<dyn Store>| Index::new(Arc::clone(store), Arc::clone(&embedder), Catalogue::builtin().clone());
    let (asked, reference) = (index(&whole), index(&part));
    // Who has rules has no names of owners that these do not admit; who may see everything has them all.
    let admitted = Scope::rules(CLUSTERS.map(Rule::cluster));
    let mut random = fastrand::Rng::with_seed(2_026);
    let mut held = BTreeSet::new();
    let (mut answered, mut families) = (0, 0);
    for round in 0..scopes {
        let scope = random_scope(&mut random);
        hold(&*part, &world, &scope, &mut held).await;
        for _ in 0..3 {
            let request = request(&mut random);
            let under = told(asked.ask(&scope, &request).await);
            answered += usize::from(under.contains("\"id\""));
            let over = told(reference.ask(&admitted, &request).await);
            assert_eq!(under, over, "{round}: {scope:?}, {request:?}");
        }
        let id = IDS[random.usize(0..IDS.len())];
        let near = request(&mut random);
        let under = told(asked.similar(&scope, id, &near).await);
        let over = told(reference.similar(&admitted, id, &near).await);
        assert_eq!(under, over, "{round}: {scope:?}, similar to {id}, {near:?}");
        let id = FAMILIES[random.usize(0..FAMILIES.len())];
        let under = told(asked.tree(&scope, id).await);
        families += usize::from(under.contains("\"owned\""));
        assert_eq!(under, told(reference.tree(&admitted, id).await), "{round}: {scope:?}, the family of {id}");
        assert_eq!(status(&asked, &scope).await, status(&reference, &everything).await, "{round}: {scope:?}");
    }
    assert!(answered > scopes / 2, "only {answered} answers have hits");
    assert!(families > scopes / 20, "only {families} families");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_answers_under_a_scope_as_over_what_it_admits() {
    holds(&Files(tempfile::tempdir().unwrap()), SCOPES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_answers_under_a_scope_as_over_what_it_admits() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    holds(&server, SCOPES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chroma_answers_under_a_scope_as_over_what_it_admits() {
    let Some(server) = ChromaServer::start_or_skip() else { return };
    holds(&Served(server, tempfile::tempdir().unwrap()), SCOPES).await;
}
